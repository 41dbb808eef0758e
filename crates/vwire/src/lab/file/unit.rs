//! Reads single words: addresses, prefixes, times, rates, shares, VLANs, names. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use vwire_netlink::LinkAddress;

use super::problem::{Trouble, quoted};
use super::text::Word;
use crate::lab::model::{Interface, Prefix, Span};

/// The most bytes of a device's altname (`ALTIFNAMSIZ` less its end).
const LONGEST_DEVICE: usize = 127;
/// The most letters of a node's name: with the lab's it is a file's.
const LONGEST_NODE: usize = 100;
/// The most letters of a lab's name.
pub(crate) const LONGEST_LAB: usize = 63;

/// Reads an address.
pub(crate) fn address(word: Word<'_>) -> Result<IpAddr, Trouble> {
    let no_length = |trouble: Trouble| match word.text.split_once('/') {
        Some((address, _)) if address.parse::<IpAddr>().is_ok() => {
            trouble.label(format!("an address alone: `{address}`"))
        }
        _ => trouble.label("an address, such as `10.0.0.1` or `2001:db8::1`"),
    };
    word.text.parse().map_err(|_| no_length(word.wrong("this is no address:")))
}

/// Reads `ADDRESS/LENGTH`; `peer` is read by the caller.
pub(crate) fn interface(word: Word<'_>) -> Result<Interface, Trouble> {
    let Some((address, length)) = word.text.split_once('/') else {
        let trouble = word.wrong("an address on a device needs the length of its network:");
        return Err(match word.text.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => trouble.label(format!("such as `{}/24`", word.text)),
            Ok(IpAddr::V6(_)) => trouble.label(format!("such as `{}/64`", word.text)),
            Err(_) => word.wrong("this is no address:").label("such as `10.0.0.1/24`"),
        });
    };
    let wrong = || word.wrong("this is no address with a length:").label("such as `10.0.0.1/24`");
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let prefix_length = length_of(word, length, address)?;
    let network = Prefix { address: mask(address, prefix_length), length: prefix_length };
    let most = bits(address);
    if prefix_length < most && address.is_unspecified() {
        return Err(word.wrong("no device can have the address").label("not 0"));
    }
    if address.is_ipv4() && prefix_length < 31 && (address == network.address || address == last(network)) {
        let which = if address == network.address { "first" } else { "last" };
        let trouble = Trouble::new(
            word.span,
            format!("{} is the {which} address of its network, which no device can have", quoted(word.text)),
        );
        return Err(match usable(network) {
            Some(first) => trouble.label(format!("such as `{first}/{prefix_length}`")),
            None => trouble,
        });
    }
    if address.is_multicast() {
        return Err(word.wrong("a group's address cannot be a device's:"));
    }
    Ok(Interface { address, prefix_length, peer: None })
}

/// Reads `NETWORK/LENGTH`, or a whole address as one of its own length.
pub(crate) fn prefix(word: Word<'_>) -> Result<Prefix, Trouble> {
    let (address, length) = word.text.split_once('/').unwrap_or((word.text, ""));
    let wrong = || word.wrong("this is no prefix:").label("such as `10.0.0.0/24` or `2001:db8::/64`");
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let length = if word.text.contains('/') { length_of(word, length, address)? } else { bits(address) };
    let network = mask(address, length);
    if network != address {
        let trouble = word.wrong("there is something behind the length of the prefix");
        return Err(trouble.label(format!("the network is `{network}/{length}`")));
    }
    Ok(Prefix { address, length })
}

fn length_of(word: Word<'_>, length: &str, address: IpAddr) -> Result<u8, Trouble> {
    let most = bits(address);
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    match length.parse::<u8>().ok().filter(|length| digits && *length <= most) {
        Some(length) => Ok(length),
        None => {
            let family = if most == 32 { "IPv4" } else { "IPv6" };
            Err(word.wrong("this length is out of range:").label(format!("0 to {most} for {family}")))
        }
    }
}

/// Returns how many bits an address has.
pub(crate) fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Returns an address as a number.
pub(crate) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// Returns the address of a number, in the family of another.
pub(crate) fn address_of(number: u128, like: IpAddr) -> Option<IpAddr> {
    match like {
        IpAddr::V4(_) => u32::try_from(number).ok().map(|number| IpAddr::V4(Ipv4Addr::from(number))),
        IpAddr::V6(_) => Some(IpAddr::V6(Ipv6Addr::from(number))),
    }
}

/// Returns how many addresses there are behind the first of a network.
pub(crate) fn size(network: Prefix) -> u128 {
    let free = bits(network.address) - network.length;
    if free == 128 { u128::MAX } else { (1_u128 << free) - 1 }
}

/// Returns the first address of the network that an address is in.
pub(crate) fn mask(address: IpAddr, length: u8) -> IpAddr {
    let size = size(Prefix { address, length });
    address_of(number(address) & !size, address).unwrap_or(address)
}

/// Returns the last address of a network.
pub(crate) fn last(network: Prefix) -> IpAddr {
    address_of(number(network.address) | size(network), network.address).unwrap_or(network.address)
}

/// Returns the first address of a network that a device can have.
pub(crate) fn usable(network: Prefix) -> Option<IpAddr> {
    let skip = u128::from(size(network) > 1);
    address_of(number(network.address) + skip, network.address)
}

/// Tells whether an address is in a network.
pub(crate) fn holds(network: Prefix, address: IpAddr) -> bool {
    network.address.is_ipv4() == address.is_ipv4() && mask(address, network.length) == network.address
}

/// Returns the network that a device is in by its address.
pub(crate) fn network(interface: &Interface) -> Prefix {
    let of = interface.peer.unwrap_or(interface.address);
    Prefix { address: mask(of, interface.prefix_length), length: interface.prefix_length }
}

/// Reads a link-layer address of a card.
pub(crate) fn mac(word: Word<'_>) -> Result<LinkAddress, Trouble> {
    let wrong = || word.wrong("this is no link-layer address:").label("such as `02:00:00:00:00:01`");
    let address: LinkAddress = word.text.parse().map_err(|_| wrong())?;
    let bytes = address.mac().ok_or_else(wrong)?;
    if bytes[0] & 1 == 1 {
        return Err(word.wrong("this is a group's link-layer address:").label("the first byte must be even"));
    }
    if bytes == [0; 6] {
        return Err(word.wrong("this is nobody's link-layer address:").label("such as `02:00:00:00:00:01`"));
    }
    Ok(address)
}

/// Reads a number between two bounds.
pub(crate) fn count(word: Word<'_>, least: u32, most: u32) -> Result<u32, Trouble> {
    let digits = !word.text.is_empty() && word.text.bytes().all(|byte| byte.is_ascii_digit());
    match word.text.parse::<u32>().ok().filter(|number| digits && (least..=most).contains(number)) {
        Some(number) => Ok(number),
        None if digits => Err(word.wrong("this number is out of range:").label(format!("{least} to {most}"))),
        None => Err(word.wrong("this is no number:").label(format!("{least} to {most}"))),
    }
}

/// Reads an MTU in bytes.
pub(crate) fn mtu(word: Word<'_>) -> Result<u32, Trouble> {
    count(word, 68, 65535)
}

/// Reads a VLAN's number.
pub(crate) fn vlan(word: Word<'_>) -> Result<u16, Trouble> {
    count(word, 1, 4094).map(|number| u16::try_from(number).unwrap_or(1))
}

/// Reads a port.
pub(crate) fn port(word: Word<'_>) -> Result<u16, Trouble> {
    count(word, 1, 65535).map(|number| u16::try_from(number).unwrap_or(1))
}

/// Reads `80` or `8000-8080`.
pub(crate) fn ports(word: Word<'_>) -> Result<(u16, u16), Trouble> {
    match word.split_once('-') {
        None => port(word).map(|port| (port, port)),
        Some((first, last)) => in_order(word, port(first)?, port(last)?),
    }
}

/// Reads `10,20-29`.
pub(crate) fn vlans(word: Word<'_>) -> Result<Vec<(u16, u16)>, Trouble> {
    let (mut ranges, mut rest) = (Vec::new(), Some(word));
    while let Some(here) = rest {
        let (range, more) = match here.split_once(',') {
            Some((range, more)) => (range, Some(more)),
            None => (here, None),
        };
        ranges.push(match range.split_once('-') {
            Some((first, last)) => in_order(range, vlan(first)?, vlan(last)?)?,
            None => vlan(range).map(|vlan| (vlan, vlan))?,
        });
        rest = more;
    }
    Ok(ranges)
}

fn in_order(word: Word<'_>, first: u16, last: u16) -> Result<(u16, u16), Trouble> {
    if last < first {
        return Err(word.wrong("this range ends before it begins:").label(format!("`{last}-{first}`")));
    }
    Ok((first, last))
}

/// Splits `1.5ms` into its number and its unit.
fn with_unit<'t>(word: Word<'t>) -> Option<(f64, &'t str)> {
    let unit = word.text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(word.text.len());
    let (number, unit) = word.text.split_at_checked(unit)?;
    let number = number.parse::<f64>().ok().filter(|number| number.is_finite())?;
    Some((number, unit))
}

/// The longest time that is accepted.
const LONGEST: Duration = Duration::from_secs(3600);

/// Reads a time.
pub(crate) fn time(word: Word<'_>) -> Result<Duration, Trouble> {
    let wrong = || word.wrong("this is no time:").label("a number and `us`, `ms`, `s` or `min`, such as `10ms`");
    let (number, unit) = with_unit(word).ok_or_else(wrong)?;
    let seconds = match unit {
        "ns" => number / 1e9,
        "us" | "usec" | "µs" => number / 1e6,
        "ms" | "msec" => number / 1e3,
        "s" | "sec" => number,
        "min" => number * 60.0,
        _ => return Err(wrong()),
    };
    let time = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
    if time > LONGEST {
        return Err(word.wrong("this time is too long:").label("an hour at most"));
    }
    Ok(time)
}

/// Reads a time that stands for itself, such as one of the command line.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    time(Word { text, span: Span::default() }).ok()
}

/// Reads a share in percent.
pub(crate) fn percent(word: Word<'_>) -> Result<f64, Trouble> {
    let wrong = || word.wrong("this is no percentage:").label("from `0%` to `100%`");
    match with_unit(word) {
        Some((number, "%")) if (0.0..=100.0).contains(&number) => Ok(number),
        _ => Err(wrong()),
    }
}

/// The most bits a second that are accepted: a terabit.
const FASTEST: f64 = 1e12;

/// Reads a rate in bits a second.
pub(crate) fn rate(word: Word<'_>) -> Result<u64, Trouble> {
    let wrong = || word.wrong("this is no rate:").label("a number and `kbit`, `mbit` or `gbit`, such as `10mbit`");
    let (number, unit) = with_unit(word).ok_or_else(wrong)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "bit" => 1.0,
        "kbit" => 1e3,
        "mbit" => 1e6,
        "gbit" => 1e9,
        _ => return Err(wrong()),
    };
    let bits = (number * factor).round();
    if !(8.0..=FASTEST).contains(&bits) {
        return Err(word.wrong("this rate is out of range:").label("`8bit` to `1000gbit`"));
    }
    // The range above makes it whole and far below 2^53; there is no `TryFrom<f64>`, and a cast would hide a mistake.
    format!("{bits:.0}").parse().map_err(|_| wrong())
}

/// Reads a mark and its mask.
pub(crate) fn mark(word: Word<'_>) -> Result<(u32, u32), Trouble> {
    let wrong = || word.wrong("this is no mark:").label("such as `1` or `0x1/0xff`");
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    let (mark, mask) = word.text.split_once('/').unwrap_or((word.text, "0xffffffff"));
    number(mark).zip(number(mask)).ok_or_else(wrong)
}

/// Checks the name of a node, bridge, template or condition.
pub(crate) fn node_name(word: Word<'_>) -> Result<&str, Trouble> {
    name(word, LONGEST_NODE)
}

/// Checks a name of letters, digits, `-` and `_`.
pub(crate) fn name(word: Word<'_>, longest: usize) -> Result<&str, Trouble> {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if word.text.is_empty() {
        return Err(Trouble::new(word.span, "a name is empty").label("letters, digits, `-` and `_`"));
    }
    if word.text.len() > longest {
        let length = word.text.len();
        return Err(word.wrong("this name is too long:").label(format!("{length} bytes, at most {longest}")));
    }
    if !word.text.chars().all(letter) || word.text.starts_with(['-', '_']) {
        let right = "letters, digits, `-` and `_`, a letter or digit first";
        return Err(word.wrong("this cannot be a name:").label(right));
    }
    Ok(word.text)
}

/// Checks the name of a device, which may be longer than the kernel takes.
pub(crate) fn device_name(word: Word<'_>) -> Result<&str, Trouble> {
    let strange = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '/' || letter == ':';
    if word.text.is_empty() {
        return Err(Trouble::new(word.span, "a device's name is empty").label("such as `eth0`"));
    }
    if word.text.len() > LONGEST_DEVICE {
        let length = word.text.len();
        return Err(word
            .wrong("this device's name is too long:")
            .label(format!("{length} bytes, at most {LONGEST_DEVICE}")));
    }
    if word.text.contains(strange)
        || matches!(word.text, "." | ".." | "lo" | "all" | "default")
        || word.text.contains('%')
    {
        return Err(word
            .wrong("no device can be called")
            .label("no `/`, `:`, `%`, white space; not `lo`, `all`, `default`"));
    }
    Ok(word.text)
}
