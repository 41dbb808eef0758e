//! The values that the words of `ip route` and `ip nexthop` take: addresses, names from tables, times, realms.

use std::net::IpAddr;

use crate::cli::ip::failure::{EXIT_SEMANTIC, Failure};
use crate::cli::ip::options::Family;
use crate::cli::ip::words::{Words, begins, number_as, shown};
use crate::cli::ip::{Ip, prefix};
use crate::out::host::octets;
use crate::out::route::TYPES;
use crate::snapshot::names::{self, Table, Tables};
use vwire_netlink::wire::link::KindData;

/// An address of any family, and how much of it is the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The family.
    pub family: Family,
    /// The address; empty for `any`, and for `default` where nothing says the family.
    pub octets: Vec<u8>,
    /// The length of the network part, in bits.
    pub length: u8,
    /// Whether the length was written; `default` counts as written.
    pub length_given: bool,
}

impl Place {
    /// Returns the address, if it is one of IP or one label of MPLS.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        ip_of(&self.octets)
    }
}

/// Returns the address that has these octets.
#[must_use]
pub fn ip_of(octets: &[u8]) -> Option<IpAddr> {
    let v4 = || Some(IpAddr::from(<[u8; 4]>::try_from(octets).ok()?));
    let v6 = || Some(IpAddr::from(<[u8; 16]>::try_from(octets).ok()?));
    v4().or_else(v6)
}

/// Reads an address without a length.
///
/// # Errors
/// `Error: inet address is expected rather than "V".`
pub fn address(word: &[u8], family: Family) -> Result<Place, Failure> {
    let wrong = |kind: &str| {
        let word = shown(word);
        Failure::new(
            EXIT_SEMANTIC,
            format!("Error: {kind} address is expected rather than \"{word}\"."),
            format!("`{word}` is no address of the family {kind}"),
        )
    };
    match family {
        Family::Mpls => {
            let octets = labels(word).ok_or_else(|| wrong("mpls"))?;
            Ok(Place { family, octets, length: 20, length_given: false })
        }
        Family::Packet if !matches!(word, b"default" | b"any" | b"all") => {
            let octets = link_address(word).ok_or_else(|| wrong("link"))?;
            Ok(Place { family, octets, length: 0, length_given: false })
        }
        _ => Ok(place(prefix::address(word, family)?)),
    }
}

/// Reads an address with or without a length.
///
/// # Errors
/// `Error: any valid prefix is expected rather than "V".`
pub fn network(word: &[u8], family: Family) -> Result<Place, Failure> {
    if family != Family::Mpls {
        return Ok(place(prefix::prefix(word, family)?));
    }
    let mut parts = word.splitn(2, |byte| *byte == b'/');
    let octets = parts.next().and_then(labels);
    let length = parts.next().map(|part| number_as::<u8>(part).filter(|length| *length <= 20));
    match (octets, length) {
        (Some(octets), None) => Ok(Place { family, octets, length: 20, length_given: false }),
        (Some(octets), Some(Some(length))) => Ok(Place { family, octets, length, length_given: true }),
        _ => {
            let word = shown(word);
            let ip = format!("Error: mpls prefix is expected rather than \"{word}\".");
            Err(Failure::new(EXIT_SEMANTIC, ip, format!("`{word}` is no label")).hint("a label is 0 to 1048575"))
        }
    }
}

fn place(prefix: prefix::Prefix) -> Place {
    Place {
        family: prefix.family,
        octets: prefix.address.map(octets).unwrap_or_default(),
        length: prefix.length,
        length_given: prefix.length_given,
    }
}

/// Reads labels between slashes; the last has the bottom bit (RFC 3032, 2.1).
fn labels(word: &[u8]) -> Option<Vec<u8>> {
    /// What fits the 256 bytes that `ip` keeps an address in.
    const MOST: usize = 64;
    let labels: Vec<u32> = word.split(|byte| *byte == b'/').map(number_as).collect::<Option<_>>()?;
    if labels.len() > MOST || labels.iter().any(|label| *label >= 1 << 20) {
        return None;
    }
    let mut octets: Vec<u8> = labels.iter().flat_map(|label| (label << 12).to_be_bytes()).collect();
    let bottom = octets.len().checked_sub(2)?;
    *octets.get_mut(bottom)? |= 1;
    Some(octets)
}

fn link_address(word: &[u8]) -> Option<Vec<u8>> {
    let octet = |part: &[u8]| u8::from_str_radix(std::str::from_utf8(part).ok()?, 16).ok();
    word.split(|byte| *byte == b':').map(octet).collect()
}

/// Takes `inet`, `inet6`, `link`, `mpls`, `bridge`, if one of them stands next.
pub fn family(words: &mut Words<'_>) -> Option<Family> {
    let family = Family::from_name(words.peek()?)?;
    words.next();
    Some(family)
}

/// Reads the next word as an address behind a family, as `via` takes it.
///
/// # Errors
/// The words end, or there is no address.
pub fn via(words: &mut Words<'_>, usual: Family) -> Result<Place, Failure> {
    if words.is_empty() {
        return Err(Failure::incomplete());
    }
    let family = family(words).unwrap_or(usual);
    address(words.value()?, family)
}

/// Reads a name of a table, or a number of at most 8 bits.
#[must_use]
pub fn named(tables: &Tables, table: Table, word: &[u8]) -> Option<u8> {
    let rows = tables.rows(table);
    names::named(&rows, word).and_then(|number| u8::try_from(number).ok()).or_else(|| number_as(word))
}

/// Reads the name or the number of a routing table.
#[must_use]
pub fn table(tables: &Tables, word: &[u8]) -> Option<u32> {
    let rows = tables.rows(names::ROUTE_TABLES);
    names::named(&rows, word).or_else(|| number_as(word))
}

/// Reads the name of a TOS, or its number in hexadecimal.
#[must_use]
pub fn dsfield(tables: &Tables, word: &[u8]) -> Option<u8> {
    let rows = tables.rows(names::DS_FIELDS);
    let named = names::named(&rows, word);
    let digits = word.strip_prefix(b"0x").or_else(|| word.strip_prefix(b"0X")).unwrap_or(word);
    let number = || u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    named.and_then(|number| u8::try_from(number).ok()).or_else(number)
}

/// Reads `TO`, `FROM/TO`, or both in one number.
#[must_use]
pub fn realms(tables: &Tables, word: &[u8]) -> Option<u32> {
    let realm = |part: &[u8]| named(tables, names::REALMS, part).map(u32::from);
    let to = |part: &[u8]| if part.is_empty() { Some(0) } else { realm(part) };
    let spelled = match word.iter().position(|byte| *byte == b'/') {
        None => to(word),
        Some(slash) => realm(&word[..slash]).zip(to(&word[slash + 1..])).map(|(from, to)| from << 16 | to),
    };
    spelled.or_else(|| number_as(word))
}

/// Reads the type of a route; `any_number` also lets numbers stand for types.
#[must_use]
pub fn route_type(word: &[u8]) -> Option<u8> {
    /// In `ip`'s order: the first that a word begins wins, and whether it must be whole.
    const WORDS: [(&str, bool); 12] = [
        ("local", true),
        ("nat", true),
        ("broadcast", false),
        ("brd", true),
        ("anycast", false),
        ("multicast", false),
        ("prohibit", false),
        ("unreachable", false),
        ("blackhole", false),
        ("xresolve", false),
        ("unicast", false),
        ("throw", true),
    ];
    let matches = |(full, whole): &&(&str, bool)| if *whole { full.as_bytes() == word } else { begins(full, word) };
    match WORDS.iter().find(matches) {
        Some(("brd", _)) => Some(3),
        Some((found, _)) => TYPES.iter().position(|kind| kind == found).and_then(|at| u8::try_from(at).ok()),
        None => number_as(word),
    }
}

/// A time, and whether it was written without a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// The number; in milliseconds if it has a unit.
    pub value: u32,
    /// Whether it is in the kernel's own unit.
    pub raw: bool,
}

/// Reads a time: `100` in the kernel's unit, `100ms`, `1.5s`; a part of a millisecond counts whole.
#[must_use]
pub fn time(word: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(word).ok()?;
    let (number, unit) = if text.contains('.') {
        let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        (text[..end].parse::<f64>().ok()?, &text[end..])
    } else {
        let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
        let skipped = if hexadecimal { 2 } else { 0 };
        let is_digit = |letter: char| if hexadecimal { letter.is_ascii_hexdigit() } else { letter.is_ascii_digit() };
        let end = text[skipped..].find(|letter| !is_digit(letter)).map_or(text.len(), |at| at + skipped);
        (f64::from(number_as::<u32>(&word[..end])?), &text[end..])
    };
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "ms" | "msec" | "msecs" => 1.0,
        "s" | "sec" | "secs" => 1000.0,
        _ => return None,
    };
    let value = format!("{:.0}", (number * factor).ceil()).parse().ok()?;
    Some(Time { value, raw: unit.is_empty() })
}

/// Returns the table of a VRF, if a link of that kind has the name.
///
/// # Errors
/// The socket cannot be opened.
pub fn vrf_table(ip: &mut Ip<'_>, name: &[u8]) -> Result<Option<u32>, Failure> {
    let Some(index) = ip.device(name)? else { return Ok(None) };
    let link = ip.link(index, 0)?;
    Ok(link.as_ref().and_then(|link| link.kind_data()).and_then(|data| match data {
        KindData::Vrf(vrf) => vrf.table,
        _ => None,
    }))
}

/// The failure for a name that no VRF has.
#[must_use]
pub fn no_vrf(name: &[u8]) -> Failure {
    Failure::invalid(name, "Invalid VRF\n").hint("`vwire link show type vrf` lists those there are")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_or_are_raw() {
        let value = |word: &str| time(word.as_bytes()).map(|time| (time.value, time.raw));
        assert_eq!(value("100"), Some((100, true)));
        assert_eq!(value("0x10"), Some((16, true)));
        assert_eq!(value("100ms"), Some((100, false)));
        assert_eq!(value("1.5s"), Some((1500, false)));
        assert_eq!(value("0.0001s"), Some((1, false)));
        assert_eq!(value("1h"), None);
        assert_eq!(value(""), None);
    }

    #[test]
    fn types_may_be_cut_short() {
        for (word, kind) in
            [("b", 3), ("brd", 3), ("bl", 6), ("u", 7), ("uni", 1), ("local", 2), ("throw", 9), ("p", 8)]
        {
            assert_eq!(route_type(word.as_bytes()), Some(kind), "{word}");
        }
        assert_eq!(route_type(b"loc"), None);
        assert_eq!(route_type(b"default"), None);
        assert_eq!(route_type(b"7"), Some(7));
    }

    #[test]
    fn labels_stack() {
        assert_eq!(address(b"100/200", Family::Mpls).unwrap().octets, [0, 6, 64, 0, 0, 12, 129, 0]);
        assert_eq!(network(b"100", Family::Mpls).unwrap().octets, [0, 6, 65, 0]);
        assert_eq!(address(b"1048576", Family::Mpls).unwrap_err().exit(), 1);
    }

    #[test]
    fn realms_are_one_or_two() {
        assert_eq!(realms(&Tables::default(), b"5"), Some(5));
        assert_eq!(realms(&Tables::default(), b"5/6"), Some(5 << 16 | 6));
        assert_eq!(realms(&Tables::default(), b"5/"), Some(5 << 16));
        assert_eq!(realms(&Tables::default(), b"70000"), Some(70000));
        assert_eq!(realms(&Tables::default(), b"x"), None);
    }
}
