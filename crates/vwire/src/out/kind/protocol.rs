//! Names of Ethernet protocols (`ETH_P_*`, `linux/if_ether.h`), as `ip` spells and reads them.

/// In `ip`'s order: the first row of a number is its name, the others are read only.
const NAMES: &[(u16, &str)] = &[
    (0x0060, "loop"),
    (0x0200, "pup"),
    (0x0201, "pupat"),
    (0x0800, "ip"),
    (0x0805, "x25"),
    (0x0806, "arp"),
    (0x08ff, "bpq"),
    (0x0a00, "ieeepup"),
    (0x0a01, "ieeepupat"),
    (0x6000, "dec"),
    (0x6001, "dna_dl"),
    (0x6002, "dna_rc"),
    (0x6003, "dna_rt"),
    (0x6004, "lat"),
    (0x6005, "diag"),
    (0x6006, "cust"),
    (0x6007, "sca"),
    (0x8035, "rarp"),
    (0x809b, "atalk"),
    (0x80f3, "aarp"),
    (0x8137, "ipx"),
    (0x86dd, "ipv6"),
    (0x8863, "ppp_disc"),
    (0x8864, "ppp_ses"),
    (0x884c, "atmmpoa"),
    (0x8884, "atmfate"),
    (0x0001, "802_3"),
    (0x0002, "ax25"),
    (0x0003, "all"),
    (0x0004, "802_2"),
    (0x0005, "snap"),
    (0x0006, "ddcmp"),
    (0x0007, "wan_ppp"),
    (0x0008, "ppp_mp"),
    (0x0009, "localtalk"),
    (0x000c, "can"),
    (0x0010, "ppptalk"),
    (0x0011, "tr_802_2"),
    (0x0015, "mobitex"),
    (0x0016, "control"),
    (0x0017, "irda"),
    (0x0018, "econet"),
    (0x88ca, "tipc"),
    (0x8892, "profinet"),
    (0x88a2, "aoe"),
    (0x88a4, "ethercat"),
    (0x8100, "802.1Q"),
    (0x88a8, "802.1ad"),
    (0x8847, "mpls_uc"),
    (0x8848, "mpls_mc"),
    (0x6558, "teb"),
    (0x8902, "cfm"),
    (0x88cc, "LLDP"),
    (0x0800, "ipv4"),
];

/// Returns the name of a protocol, or its number in brackets; with `numeric` always the number.
#[must_use]
pub fn name(protocol: u16, numeric: bool) -> String {
    let row = NAMES.iter().find(|(number, _)| *number == protocol && !numeric);
    row.map_or_else(|| format!("[{protocol}]"), |(_, name)| (*name).to_owned())
}

/// Returns the protocol that a word names, in any case.
#[must_use]
pub fn find(word: &[u8]) -> Option<u16> {
    NAMES.iter().find(|(_, name)| name.as_bytes().eq_ignore_ascii_case(word)).map(|(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_and_spelled_in_one() {
        assert_eq!(find(b"802.1q"), Some(0x8100));
        assert_eq!(name(0x8100, false), "802.1Q");
        assert_eq!(find(b"IPv4"), Some(0x800));
        assert_eq!(name(0x800, false), "ip");
        assert_eq!((name(0x88e5, false), name(0x8100, true)), ("[35045]".into(), "[33024]".into()));
        assert_eq!(find(b"nonsense"), None);
    }
}
