//! Prints sysctls of a link as `ip netconf` and `ip monitor netconf` do.

use vwire_netlink::Netconf;

use super::host::family_word;
use super::{Colour, Printer};

/// The words for the values of `rp_filter` (Documentation/networking/ip-sysctl.rst).
const RP_FILTERS: [&str; 3] = ["off", "strict", "loose"];
/// `NETCONFA_IFINDEX_ALL`.
pub const ALL: i32 = -1;
/// `NETCONFA_IFINDEX_DEFAULT`.
pub const DEFAULT: i32 = -2;

/// Prints sysctls and ends the line; `device` is the name of the link, where they are one's.
pub fn print(p: &mut Printer, netconf: &Netconf, device: &[u8]) {
    p.string("family", "", family_word(netconf.family.into()), " ");
    if let Some(index) = netconf.ifindex {
        let device = match index {
            ALL => b"all",
            DEFAULT => &b"default"[..],
            _ => device,
        };
        p.coloured(Some(Colour::Device), "interface", "", device, " ");
    }
    print_switch(p, "forwarding", netconf.forwarding);
    if let Some(value) = netconf.rp_filter {
        match usize::try_from(value).ok().and_then(|value| RP_FILTERS.get(value)) {
            Some(word) => p.string("rp_filter", "rp_filter ", word, " "),
            None => p.number("rp_filter", "rp_filter ", value.cast_unsigned(), " "),
        }
    }
    print_switch(p, "mc_forwarding", netconf.mc_forwarding);
    print_switch(p, "proxy_neigh", netconf.proxy_neigh);
    print_switch(p, "ignore_routes_with_linkdown", netconf.ignore_routes_with_linkdown);
    print_switch(p, "input", netconf.input);
    p.end_line();
}

fn print_switch(p: &mut Printer, word: &str, value: Option<i32>) {
    if let Some(value) = value {
        p.on_off(word, &format!("{word} "), value != 0, " ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    #[test]
    fn switches_are_words() {
        let mut p = Printer::new(Layout::default());
        let netconf =
            Netconf { family: 2, ifindex: Some(ALL), rp_filter: Some(2), input: Some(1), ..Netconf::default() };
        print(&mut p, &netconf, b"");
        assert_eq!(p.take(), b"inet all rp_filter loose input on \n");
    }
}
