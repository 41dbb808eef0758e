//! Reads IP addresses as `ip` does: short forms of IPv4, `any`, `default`. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::cli::ip::failure::{EXIT_SEMANTIC, Failure};
use crate::cli::ip::words::{number_as, shown};

/// Which addresses may stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Both.
    Any,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Returns the family of an address, or that any may stand there.
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        match address {
            None => Self::Any,
            Some(IpAddr::V4(_)) => Self::V4,
            Some(IpAddr::V6(_)) => Self::V6,
        }
    }
}

/// Reads an address; `any`, `all` and `default` are none where the family is not known yet.
///
/// # Errors
/// The word is no address of the family.
pub(super) fn read(value: &[u8], family: Family) -> Result<Option<IpAddr>, Failure> {
    if matches!(value, b"any" | b"all" | b"default") {
        return Ok(match family {
            Family::Any => None,
            Family::V4 => Some(Ipv4Addr::UNSPECIFIED.into()),
            Family::V6 => Some(Ipv6Addr::UNSPECIFIED.into()),
        });
    }
    let address = match value.contains(&b':') {
        true if family != Family::V4 => v6(value).map(IpAddr::V6),
        false if family != Family::V6 => v4(value).map(IpAddr::V4),
        _ => None,
    };
    address.map(Some).ok_or_else(|| unexpected(value, family))
}

fn unexpected(value: &[u8], family: Family) -> Failure {
    let value = shown(value);
    let (theirs, ours) = match family {
        Family::Any => ("any valid", "no IP address"),
        Family::V4 => ("inet", "no IPv4 address"),
        Family::V6 => ("inet6", "no IPv6 address"),
    };
    Failure::new(
        EXIT_SEMANTIC,
        format!("Error: {theirs} address is expected rather than \"{value}\"."),
        format!("`{value}` is {ours}"),
    )
}

/// Reads an IPv4 address of one to four numbers; those that lack are zero **behind**: `10.1` is 10.1.0.0.
pub(super) fn v4(value: &[u8]) -> Option<Ipv4Addr> {
    let numbers: Vec<u8> = value.split(|byte| *byte == b'.').map(number_as).collect::<Option<_>>()?;
    let mut octets = [0; 4];
    octets.get_mut(..numbers.len())?.copy_from_slice(&numbers);
    Some(octets.into())
}

fn v6(value: &[u8]) -> Option<Ipv6Addr> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_filled_with_zeros() {
        assert_eq!(v4(b"10.1"), Some([10, 1, 0, 0].into()));
        assert_eq!(v4(b"0x0a.0.0.010"), Some([10, 0, 0, 8].into()));
        for bad in ["", "256", "1.2.3.4.5", "10.", "10.a"] {
            assert_eq!(v4(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn any_is_an_address_once_the_family_is_known() {
        assert_eq!(read(b"any", Family::Any).unwrap(), None);
        assert_eq!(read(b"any", Family::V6).unwrap(), Some(Ipv6Addr::UNSPECIFIED.into()));
        assert!(read(b"::1", Family::V4).is_err());
        assert!(read(b"10.0.0.1", Family::V6).is_err());
    }
}
