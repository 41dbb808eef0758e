//! Reads addresses and prefixes as `ip` does: `10.0.0`, `10.1/255.255.0.0`, `2001:db8::1/64`, `default`.
//!
//! Pure. An IPv4 address may end early: the parts that are missing are 0, so `10.0.0` is 10.0.0.0 and, as a prefix,
//! 10.0.0.0/32. Parts may be octal or hexadecimal.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::failure::{EXIT_SEMANTIC, Failure};
use super::options::Family;
use super::words::{number_as, shown};

/// An address and how much of it is the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// The family; `Unspec` for `default`, `any` and `all` where nothing else says it.
    pub family: Family,
    /// The address; none for `any` and `all`, and for `default` without a family.
    pub address: Option<IpAddr>,
    /// The length of the network part, in bits.
    pub length: u8,
    /// Whether the length was written, rather than taken to be the whole address.
    pub length_given: bool,
}

/// Reads an address without a length; `family` narrows what is accepted.
///
/// # Errors
/// `Error: inet address is expected rather than "V".`
pub fn address(word: &[u8], family: Family) -> Result<Prefix, Failure> {
    bare(word, family).ok_or_else(|| unexpected("address", word, family))
}

/// Reads an address with or without a length behind `/`, in bits or as a netmask.
///
/// # Errors
/// `Error: any valid prefix is expected rather than "V".`
pub fn prefix(word: &[u8], family: Family) -> Result<Prefix, Failure> {
    if family == Family::Packet {
        let word = shown(word);
        return Err(Failure::new(
            EXIT_SEMANTIC,
            format!("Error: \"{word}\" may be inet prefix, but it is not allowed in this context."),
            format!("`{word}` is no link-layer address, which `-0` asks for"),
        ));
    }
    with_length(word, family).ok_or_else(|| unexpected("prefix", word, family))
}

fn unexpected(what: &str, word: &[u8], family: Family) -> Failure {
    if family == Family::Packet {
        return no_link_address(word);
    }
    let wanted = match family {
        Family::Unspec => "any valid",
        other => family_word(other),
    };
    let word = shown(word);
    let kind = match family {
        Family::Inet => "IPv4 ",
        Family::Inet6 => "IPv6 ",
        _ => "",
    };
    let failure = Failure::new(
        EXIT_SEMANTIC,
        format!("Error: {wanted} {what} is expected rather than \"{word}\"."),
        format!("`{word}` is no {kind}{what}"),
    );
    failure.hint(reason(what, word.as_bytes(), family))
}

/// Says what is wrong with a word that should be an address: its family, its length, or its looks.
fn reason(what: &str, word: &[u8], family: Family) -> String {
    let is_prefix = what == "prefix";
    if let Some(other) = with_length(word, Family::Unspec).filter(|_| family != Family::Unspec) {
        let name = |family| if family == Family::Inet6 { "IPv6" } else { "IPv4" };
        if other.family != family && matches!(other.family, Family::Inet | Family::Inet6) {
            return format!("it is {}, and {} is asked for here", name(other.family), name(family));
        }
    }
    let mut halves = word.splitn(2, |byte| *byte == b'/');
    let (start, length) = (halves.next().unwrap_or_default(), halves.next());
    match (bare(start, family), length) {
        (Some(_), Some(length)) if !is_prefix => format!("an address without `/{}` is wanted here", shown(length)),
        (Some(known), Some(_)) if bits_of(known.family) > 0 => {
            format!("what follows `/` is a number up to {}, or a netmask of IPv4", bits_of(known.family))
        }
        _ => match (is_prefix, family) {
            (true, Family::Inet) => "it looks like 192.0.2.1/24".to_owned(),
            (true, Family::Inet6) => "it looks like 2001:db8::1/64".to_owned(),
            (true, _) => "it looks like 192.0.2.1/24 or 2001:db8::1/64".to_owned(),
            (false, Family::Inet) => "it looks like 192.0.2.255, without a length".to_owned(),
            (false, Family::Inet6) => "it looks like 2001:db8::1, without a length".to_owned(),
            (false, _) => "it looks like 192.0.2.255 or 2001:db8::1, without a length".to_owned(),
        },
    }
}

/// The failure for a word that is no link-layer address; of one with colons `ip` shows parts only.
fn no_link_address(word: &[u8]) -> Failure {
    let mut parts = if word.contains(&b'.') { vec![word] } else { word.split(|byte| *byte == b':').collect() };
    let first = shown(parts[0]);
    parts.retain(|part| !is_octet(part));
    let wrong = shown(parts.first().copied().unwrap_or(word));
    let ip = format!("\"{wrong}\" is invalid lladdr.\nError: link address is expected rather than \"{first}\".");
    Failure::new(EXIT_SEMANTIC, ip, format!("`{}` is no link-layer address, which `-0` asks for", shown(word)))
}

fn is_octet(part: &[u8]) -> bool {
    std::str::from_utf8(part).is_ok_and(|part| u8::from_str_radix(part, 16).is_ok())
}

/// Returns `ip`'s word for a family.
#[must_use]
pub fn family_word(family: Family) -> &'static str {
    match family {
        Family::Unspec => "???",
        Family::Inet => "inet",
        Family::Inet6 => "inet6",
        Family::Packet => "link",
        Family::Bridge => "bridge",
        Family::Mpls => "mpls",
    }
}

/// Returns the family of an address.
#[must_use]
pub fn family_of(address: IpAddr) -> Family {
    match address {
        IpAddr::V4(_) => Family::Inet,
        IpAddr::V6(_) => Family::Inet6,
    }
}

/// Returns the length of a family's addresses, in bits.
#[must_use]
pub fn bits_of(family: Family) -> u8 {
    match family {
        Family::Inet => 32,
        Family::Inet6 => 128,
        Family::Mpls => 20,
        _ => 0,
    }
}

/// Returns whether two addresses have their first `length` bits in common.
#[must_use]
pub fn shares(one: IpAddr, other: IpAddr, length: u8) -> bool {
    let length = u32::from(length);
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros() >= length,
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros() >= length,
        _ => false,
    }
}

fn bare(word: &[u8], family: Family) -> Option<Prefix> {
    match word {
        b"default" | b"any" | b"all" if family == Family::Mpls => None,
        b"default" => {
            let address = match family {
                Family::Inet => Some(Ipv4Addr::UNSPECIFIED.into()),
                Family::Inet6 => Some(Ipv6Addr::UNSPECIFIED.into()),
                _ => None,
            };
            Some(Prefix { family, address, length: 0, length_given: true })
        }
        b"any" | b"all" => Some(Prefix { family, address: None, length: 0, length_given: false }),
        _ if family == Family::Packet => {
            // The kernel has no requests that would take it, so that it is one is all that counts.
            let is_one = ipv4(word).is_some() || word.split(|byte| *byte == b':').all(is_octet);
            is_one.then_some(Prefix { family, address: None, length: 0, length_given: false })
        }
        _ => {
            let address: IpAddr = if word.contains(&b':') {
                std::str::from_utf8(word).ok()?.parse::<Ipv6Addr>().ok()?.into()
            } else {
                ipv4(word)?.into()
            };
            let own = family_of(address);
            let fits = family == Family::Unspec || family == own;
            fits.then_some(Prefix { family: own, address: Some(address), length: bits_of(own), length_given: false })
        }
    }
}

fn with_length(word: &[u8], family: Family) -> Option<Prefix> {
    let Some(slash) = word.iter().position(|byte| *byte == b'/') else { return bare(word, family) };
    let whole = bare(&word[..slash], family)?;
    let length = length_of(&word[slash + 1..])?;
    let named = matches!(&word[..slash], b"default" | b"any" | b"all");
    (!named && length <= whole.length).then_some(Prefix { length, length_given: true, ..whole })
}

/// Reads a length in bits, or a netmask whose ones all come first.
fn length_of(word: &[u8]) -> Option<u8> {
    if let Some(length) = number_as::<u8>(word) {
        return Some(length);
    }
    let mask = match word {
        b"default" | b"any" | b"all" => 0,
        _ => ipv4(word)?.to_bits(),
    };
    let ones = mask.leading_ones();
    (ones == mask.count_ones()).then(|| u8::try_from(ones).ok())?
}

fn ipv4(word: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = word.split(|byte| *byte == b'.');
    for octet in &mut octets {
        let Some(part) = parts.next() else { break };
        *octet = number_as(part)?;
    }
    parts.next().is_none().then(|| octets.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::Persona;

    fn read(word: &str) -> Option<(String, u8, bool)> {
        let prefix = prefix(word.as_bytes(), Family::Unspec).ok()?;
        Some((
            prefix.address.map(|address| address.to_string()).unwrap_or_default(),
            prefix.length,
            prefix.length_given,
        ))
    }

    fn shows(word: &str, address: &str, length: u8, length_given: bool) {
        assert_eq!(read(word), Some((address.to_owned(), length, length_given)), "{word}");
    }

    #[test]
    fn addresses_may_end_early_and_masks_may_be_dotted() {
        shows("10.0.0.1/24", "10.0.0.1", 24, true);
        shows("10.0.0", "10.0.0.0", 32, false);
        shows("10", "10.0.0.0", 32, false);
        shows("0x0a.010.0.1", "10.8.0.1", 32, false);
        shows("10.2/255.255.0.0", "10.2.0.0", 16, true);
        shows("10.2/default", "10.2.0.0", 0, true);
        shows("2001:db8::1/64", "2001:db8::1", 64, true);
        shows("::ffff:1.2.3.4", "::ffff:1.2.3.4", 128, false);
        shows("any", "", 0, false);
        shows("default", "", 0, true);
    }

    #[test]
    fn what_is_no_prefix_is_refused() {
        for word in
            ["", "zz", "1.1.1.1/33", "1.1.1.1/", "1.1.1.1/255.0.255.0", "1.2.3.4.5", "1.2.3.256", "1.2.3.", "::1/129"]
        {
            assert_eq!(read(word), None, "{word}");
        }
        assert_eq!(read("default/8"), None);
        assert_eq!(read("fe80::1%lo"), None);
    }

    #[test]
    fn the_family_is_named_where_it_does_not_fit() {
        let said = |failure: Failure| String::from_utf8(failure.render(Persona::Ip)).unwrap();
        let failure = prefix(b"1.1.1.1", Family::Inet6).unwrap_err();
        assert_eq!(said(failure), "Error: inet6 prefix is expected rather than \"1.1.1.1\".\n");
        let failure = address(b"1.1.1.1/24", Family::Inet).unwrap_err();
        assert_eq!(said(failure), "Error: inet address is expected rather than \"1.1.1.1/24\".\n");
        assert!(prefix(b"1.1.1.1", Family::Packet).is_err());
    }

    #[test]
    fn prefixes_share_their_first_bits() {
        let shares = |one: &str, other: &str, length| shares(one.parse().unwrap(), other.parse().unwrap(), length);
        assert!(shares("10.0.0.1", "10.0.0.255", 24));
        assert!(!shares("10.0.0.1", "10.0.1.1", 24));
        assert!(shares("10.0.0.1", "192.0.2.1", 0));
        assert!(shares("fe80::1", "fe80::2", 64));
        assert!(!shares("fe80::1", "10.0.0.1", 0));
    }
}
