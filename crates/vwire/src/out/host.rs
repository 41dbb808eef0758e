//! Spells addresses of any family as `ip` does, and numbers as C's `%g`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Colour;

/// `AF_INET` (`linux/socket.h`).
pub const AF_INET: u16 = 2;
/// `AF_INET6`.
pub const AF_INET6: u16 = 10;
/// `AF_PACKET`.
pub const AF_PACKET: u16 = 17;
/// `AF_MPLS`.
pub const AF_MPLS: u16 = 28;

/// Returns an address as text; `???` where the family has none.
#[must_use]
pub fn host(family: u16, address: &[u8]) -> String {
    let spelled = match family {
        AF_INET => address.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets).to_string()),
        AF_INET6 => address.first_chunk::<16>().map(|octets| ipv6((*octets).into())),
        AF_MPLS => Some(labels(address)),
        AF_PACKET => Some(address.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")),
        _ => None,
    };
    spelled.unwrap_or_else(|| "???".to_owned())
}

/// Returns an IP address as the C library spells it.
#[must_use]
pub fn ip(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => ipv6(address),
    }
}

/// Returns the octets of an address.
#[must_use]
pub fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Returns the colour of an address's family.
#[must_use]
pub fn colour(family: u16) -> Option<Colour> {
    match family {
        AF_INET => Some(Colour::Inet),
        AF_INET6 => Some(Colour::Inet6),
        _ => None,
    }
}

/// Returns `ip`'s word for a family.
#[must_use]
pub fn family_word(family: u16) -> &'static str {
    match family {
        AF_INET => "inet",
        AF_INET6 => "inet6",
        AF_PACKET => "link",
        AF_MPLS => "mpls",
        7 => "bridge",
        _ => "???",
    }
}

/// The C library spells the old addresses `::1.2.3.4` with dots, Rust only `::ffff:1.2.3.4`.
fn ipv6(address: Ipv6Addr) -> String {
    match address.octets() {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] if a != 0 || b != 0 => {
            format!("::{}", Ipv4Addr::new(a, b, c, d))
        }
        _ => address.to_string(),
    }
}

/// Spells a stack of MPLS labels: the upper 20 bits of each entry, up to the one with the bottom bit (RFC 3032, 2.1).
fn labels(address: &[u8]) -> String {
    let mut spelled = Vec::new();
    for entry in address.chunks_exact(4) {
        let entry = entry.iter().fold(0, |sum: u32, octet| sum << 8 | u32::from(*octet));
        spelled.push((entry >> 12).to_string());
        if entry & 0x100 != 0 {
            break;
        }
    }
    spelled.join("/")
}

/// Spells a number as C's `%g`: six digits, no zeros behind.
#[must_use]
pub fn general(value: f64) -> String {
    const DIGITS: i32 = 6;
    let scientific = format!("{value:.5e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |digits: &str| match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    };
    match usize::try_from(DIGITS - 1 - exponent) {
        Ok(decimals) if exponent >= -4 => trimmed(&format!("{value:.decimals$}")),
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", trimmed(mantissa), exponent.unsigned_abs())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_as_c_spells_them() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (120.0, "120"),
            (1.5, "1.5"),
            (0.03, "0.03"),
            (1234.567, "1234.57"),
            (536_870.911, "536871"),
            (4_294_967.295, "4.29497e+06"),
            (0.000_012, "1.2e-05"),
        ] {
            assert_eq!(general(value), text);
        }
    }

    #[test]
    fn addresses_of_each_family_are_spelled() {
        assert_eq!(host(AF_INET, &[10, 0, 0, 1]), "10.0.0.1");
        assert_eq!(host(AF_INET6, &[0; 16]), "::");
        assert_eq!(host(AF_MPLS, &[0, 6, 64, 0, 0, 12, 129, 0]), "100/200");
        assert_eq!(host(AF_PACKET, &[2, 0, 0, 0, 0, 255]), "02:00:00:00:00:ff");
        assert_eq!(host(AF_INET, &[1]), "???");
        assert_eq!(ip("::1.2.3.4".parse().unwrap()), "::1.2.3.4");
    }
}
