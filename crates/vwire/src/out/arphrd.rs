//! The words for link-layer types (`ARPHRD_*` of `linux/if_arp.h`), as `ip` spells them.

use std::net::{Ipv4Addr, Ipv6Addr};

/// `ARPHRD_TUNNEL`: an IPv4 tunnel, whose link-layer address is an IPv4 address.
const TUNNEL: u16 = 768;
/// `ARPHRD_TUNNEL6`.
const TUNNEL6: u16 = 769;
/// `ARPHRD_SIT`.
const SIT: u16 = 776;
/// `ARPHRD_IPGRE`.
const IPGRE: u16 = 778;
/// `ARPHRD_IP6GRE`.
const IP6GRE: u16 = 823;

/// Types and their words, in the order of their numbers.
const TYPES: &[(u16, &str)] = &[
    (0, "netrom"),
    (1, "ether"),
    (2, "eether"),
    (3, "ax25"),
    (4, "pronet"),
    (5, "chaos"),
    (6, "ieee802"),
    (7, "arcnet"),
    (8, "atalk"),
    (15, "dlci"),
    (19, "atm"),
    (23, "metricom"),
    (24, "ieee1394"),
    (32, "infiniband"),
    (256, "slip"),
    (257, "cslip"),
    (258, "slip6"),
    (259, "cslip6"),
    (260, "rsrvd"),
    (264, "adapt"),
    (270, "rose"),
    (271, "x25"),
    (272, "hwx25"),
    (280, "can"),
    (512, "ppp"),
    (513, "hdlc"),
    (516, "lapb"),
    (517, "ddcmp"),
    (518, "rawhdlc"),
    (TUNNEL, "ipip"),
    (TUNNEL6, "tunnel6"),
    (770, "frad"),
    (771, "skip"),
    (772, "loopback"),
    (773, "ltalk"),
    (774, "fddi"),
    (775, "bif"),
    (SIT, "sit"),
    (777, "ip/ddp"),
    (IPGRE, "gre"),
    (779, "pimreg"),
    (780, "hippi"),
    (781, "ash"),
    (782, "econet"),
    (783, "irda"),
    (784, "fcpp"),
    (785, "fcal"),
    (786, "fcpl"),
    (787, "fcfb0"),
    (788, "fcfb1"),
    (789, "fcfb2"),
    (790, "fcfb3"),
    (791, "fcfb4"),
    (792, "fcfb5"),
    (793, "fcfb6"),
    (794, "fcfb7"),
    (795, "fcfb8"),
    (796, "fcfb9"),
    (797, "fcfb10"),
    (798, "fcfb11"),
    (799, "fcfb12"),
    (800, "tr"),
    (801, "ieee802.11"),
    (802, "ieee802.11/prism"),
    (803, "ieee802.11/radiotap"),
    (804, "ieee802.15.4"),
    (805, "ieee802.15.4/monitor"),
    (820, "phonet"),
    (821, "phonet_pipe"),
    (822, "caif"),
    (IP6GRE, "gre6"),
    (824, "netlink"),
    (825, "6lowpan"),
    (0xfffe, "none"),
    (0xffff, "void"),
];

/// Returns the word for a link-layer type, or its number in brackets.
#[must_use]
pub fn type_word(number: u16) -> std::borrow::Cow<'static, str> {
    match TYPES.binary_search_by_key(&number, |row| row.0) {
        Ok(row) => TYPES[row].1.into(),
        Err(_) => format!("[{number}]").into(),
    }
}

/// Spells a link-layer address as `ip` does for a type: an IP address for tunnels, else hexadecimal pairs.
#[must_use]
pub fn address_text(link_type: u16, address: &[u8]) -> String {
    if let (TUNNEL | SIT | IPGRE, Ok(octets)) = (link_type, <[u8; 4]>::try_from(address)) {
        return Ipv4Addr::from(octets).to_string();
    }
    if let (TUNNEL6 | IP6GRE, Ok(octets)) = (link_type, <[u8; 16]>::try_from(address)) {
        return Ipv6Addr::from(octets).to_string();
    }
    let mut text = String::with_capacity(3 * address.len());
    for (at, byte) in address.iter().enumerate() {
        if at > 0 {
            text.push(':');
        }
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xf));
    }
    text
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(TYPES.is_sorted_by_key(|row| row.0));
    }

    #[test]
    fn types_have_words_or_numbers() {
        assert_eq!(type_word(1), "ether");
        assert_eq!(type_word(772), "loopback");
        assert_eq!(type_word(65534), "none");
        assert_eq!(type_word(4242), "[4242]");
    }

    #[test]
    fn tunnels_have_addresses_of_their_family() {
        let spelled = address_text;
        assert_eq!(spelled(1, &[2, 0, 0, 0, 0, 0xab]), "02:00:00:00:00:ab");
        assert_eq!(spelled(778, &[10, 0, 0, 1]), "10.0.0.1");
        assert_eq!(spelled(1, &[10, 0, 0, 1]), "0a:00:00:01");
        assert_eq!(spelled(823, &[0; 16]), "::");
    }
}
