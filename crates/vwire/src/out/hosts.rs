//! What hosts are called, where names are asked for in the place of addresses (`-r`).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::host::{self, AF_INET, AF_INET6};

/// Tells the name of a host by its address. Whoever looks it up is outside of this room.
pub trait Hosts: fmt::Debug {
    /// Returns the name, if there is one.
    fn name(&self, address: IpAddr) -> Option<String>;
}

/// Spells an address: by its host's name where that is asked for and known.
#[must_use]
pub fn spell(hosts: Option<&dyn Hosts>, family: u16, address: &[u8]) -> String {
    let named = hosts.and_then(|hosts| hosts.name(ip(family, address)?));
    named.unwrap_or_else(|| host::host(family, address))
}

/// Reads an address; one of IPv4 in IPv6's clothes is asked for as what it is.
fn ip(family: u16, address: &[u8]) -> Option<IpAddr> {
    match family {
        AF_INET => Some(Ipv4Addr::from(*address.first_chunk::<4>()?).into()),
        AF_INET6 => {
            let address = Ipv6Addr::from(*address.first_chunk::<16>()?);
            Some(address.to_ipv4_mapped().map_or(address.into(), IpAddr::V4))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct One;

    impl Hosts for One {
        fn name(&self, address: IpAddr) -> Option<String> {
            (address == IpAddr::from([10, 0, 0, 1])).then(|| "one.example".to_owned())
        }
    }

    #[test]
    fn a_name_stands_in_the_place_of_its_address() {
        assert_eq!(spell(Some(&One), AF_INET, &[10, 0, 0, 1]), "one.example");
        assert_eq!(spell(Some(&One), AF_INET, &[10, 0, 0, 2]), "10.0.0.2");
        assert_eq!(spell(None, AF_INET, &[10, 0, 0, 1]), "10.0.0.1");
        let mapped = Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped().octets();
        assert_eq!(spell(Some(&One), AF_INET6, &mapped), "one.example");
        assert_eq!(spell(Some(&One), host::AF_MPLS, &[0, 1, 0x41, 0]), "20");
    }
}
