//! Reads the words of `ip maddress`, and the kernel's tables of what devices listen to. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::HELP;
use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE, Failure};
use crate::cli::ip::link::words::address;
use crate::cli::ip::rule::value;
use crate::cli::ip::words::{Words, begins};
use crate::out::maddress::{Heard, Multicast};

/// What a device shall listen to, or no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The device's name.
    pub device: Vec<u8>,
    /// The link-layer address; zeros where none was given.
    pub address: [u8; 6],
}

/// Reads the words behind `show`: the name of a device, if there is one.
///
/// # Errors
/// A second device.
pub fn filter(words: &mut Words<'_>) -> Result<Option<Vec<u8>>, Failure> {
    let mut device = None;
    while let Some(word) = words.next() {
        let word = match word {
            b"dev" => words.value()?,
            word if begins("help", word) => return Err(Failure::usage(HELP)),
            word => word,
        };
        if device.is_some() {
            return Err(Failure::duplicate_or_garbage("dev", word));
        }
        device = Some(word.to_vec());
    }
    Ok(device)
}

/// Reads the words behind `add` or `del`.
///
/// # Errors
/// A word that does not fit or is missing, as `ip` says it.
pub fn change(words: &mut Words<'_>) -> Result<Change, Failure> {
    let mut device: Option<Vec<u8>> = None;
    let mut octets = [0; 6];
    while let Some(word) = words.next() {
        if word == b"dev" {
            let name = words.value()?;
            if device.is_some() {
                return Err(Failure::duplicate("dev", name));
            }
            device = Some(value::device(name, "\"dev\" not a valid ifname")?.to_vec());
            continue;
        }
        let word = if begins("address", word) { words.value()? } else { word };
        if begins("help", word) {
            return Err(Failure::usage(HELP));
        }
        if octets[0] != 0 {
            return Err(Failure::duplicate("address", word));
        }
        octets = ethernet(word)?;
    }
    let device = device.ok_or_else(|| {
        Failure::new(
            EXIT_USAGE,
            "Not enough information: \"dev\" is required.",
            "the command does not say which device shall listen",
        )
        .hint("put `dev NAME` behind the address; `vwire link` lists the devices")
    })?;
    Ok(Change { device, address: octets })
}

fn ethernet(word: &[u8]) -> Result<[u8; 6], Failure> {
    /// How many octets `ip` counts at most.
    const MOST: usize = 15;
    let octets = address(word)?;
    let length = octets.len().min(MOST);
    <[u8; 6]>::try_from(octets).map_err(|_| {
        Failure::new(
            EXIT_SEMANTIC,
            format!("Error: Invalid address length {length} - must be 6 bytes"),
            format!("an Ethernet address has 6 octets, not {length}"),
        )
        .hint("it looks like 01:00:5e:00:00:09")
    })
}

/// Reads `/proc/net/dev_mcast`: index, device, users, whether by hand, address.
pub fn dev_mcast(text: &str) -> Vec<Multicast> {
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        Some(Multicast {
            index: words.next()?.parse().ok()?,
            device: words.next()?.as_bytes().to_vec(),
            users: words.next()?.parse().ok()?,
            by_hand: words.next()? != "0",
            heard: Heard::Link(octets(words.next().unwrap_or_default())?),
        })
    };
    text.lines().filter_map(row).collect()
}

/// Reads `/proc/net/igmp`: a line for a device, and behind it a line for each of its groups.
pub fn igmp(text: &str) -> Vec<Multicast> {
    let mut device = None;
    let mut found = Vec::new();
    for line in text.lines().skip(1) {
        let mut words = line.split_whitespace();
        if line.starts_with('\t') {
            found.extend(device.clone().and_then(|(index, device)| {
                let group = u32::from_str_radix(words.next()?, 16).ok()?;
                let users = words.next()?.parse().ok()?;
                let heard = Heard::Group(Ipv4Addr::from(group.to_ne_bytes()).into());
                Some(Multicast { index, device, heard, users, by_hand: false })
            }));
        } else {
            device = words.next().and_then(|index| index.parse::<u32>().ok()).zip(words.next().map(|name| {
                let name = name.strip_suffix(':').unwrap_or(name);
                name.as_bytes().to_vec()
            }));
        }
    }
    found
}

/// Reads `/proc/net/igmp6`: index, device, group, users.
pub fn igmp6(text: &str) -> Vec<Multicast> {
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let (index, device) = (words.next()?.parse().ok()?, words.next()?.as_bytes().to_vec());
        let group = <[u8; 16]>::try_from(octets(words.next()?)?).ok()?;
        let users = words.next()?.parse().ok()?;
        let heard = Heard::Group(Ipv6Addr::from(group).into());
        Some(Multicast { index, device, heard, users, by_hand: false })
    };
    text.lines().filter_map(row).collect()
}

fn octets(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::Persona;
    use std::ffi::OsString;

    fn reads(line: &str) -> Result<Change, String> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        change(&mut Words::new(&words)).map_err(|failure| String::from_utf8(failure.render(Persona::Ip)).unwrap())
    }

    #[test]
    fn an_address_has_six_octets() {
        assert_eq!(reads("dev v0 a 1:0:5e:0:0:9").unwrap().address, [1, 0, 0x5e, 0, 0, 9]);
        assert_eq!(reads("1:2 dev v0").unwrap_err(), "Error: Invalid address length 2 - must be 6 bytes\n");
        assert_eq!(reads("1:2:3:4:5:6").unwrap_err(), "Not enough information: \"dev\" is required.\n");
    }

    #[test]
    fn tables_are_read_as_the_kernel_writes_them() {
        let link = dev_mcast("3    v0              2     1     01005e000009\n");
        assert_eq!((link[0].index, link[0].users, link[0].by_hand), (3, 2, true));
        assert_eq!(link[0].heard, Heard::Link(vec![1, 0, 0x5e, 0, 0, 9]));
        let header = "Idx\tDevice    : Count Querier\tReporter\n";
        let group = u32::from_ne_bytes([224, 0, 0, 1]);
        let four = igmp(&format!("{header}3\tlongdevice:     1      V3\n\t\t\t\t{group:08X}     4 0:00000000\t\t0\n"));
        assert_eq!((four[0].device.as_slice(), four[0].users), (&b"longdevice"[..], 4));
        assert_eq!(four[0].heard, Heard::Group([224, 0, 0, 1].into()));
        let six = igmp6("1    lo              ff020000000000000000000000000001     1 0000000C 0\n");
        assert_eq!(six[0].heard, Heard::Group("ff02::1".parse().unwrap()));
    }
}
