//! Prints an address as `ip address` does: in its two lines, in one, or as one word of a brief list.
//!
//! What the numbers in it are called stands in [`AddressNames`], which the caller has filled.

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

use vwire_netlink::Address;

use super::{Colour, Printer};

/// `IFA_F_SECONDARY`: for IPv6 `IFA_F_TEMPORARY`, the same bit.
pub const SECONDARY: u32 = 0x1;
/// `IFA_F_DEPRECATED`.
const DEPRECATED: u32 = 0x20;
/// `IFA_F_PERMANENT`, which `ip` shows by the word `dynamic` where it is missing.
pub const PERMANENT: u32 = 0x80;
/// `IFA_F_MCAUTOJOIN`.
pub const AUTOJOIN: u32 = 0x400;
/// A life time without end (`INFINITY_LIFE_TIME`).
pub const FOREVER: u32 = u32::MAX;

/// A flag of an address (`IFA_F_*`, `linux/if_addr.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressFlag {
    /// `ip`'s word.
    pub word: &'static str,
    /// The bit.
    pub mask: u32,
    /// Whether a command may set it, or only the kernel.
    pub settable: bool,
    /// Whether IPv4 has it not.
    pub ipv6_only: bool,
}

const fn flag(word: &'static str, mask: u32, settable: bool, ipv6_only: bool) -> AddressFlag {
    AddressFlag { word, mask, settable, ipv6_only }
}

/// The flags in the order in which `ip` prints them.
pub const FLAGS: &[AddressFlag] = &[
    flag("secondary", SECONDARY, false, false),
    flag("temporary", SECONDARY, false, false),
    flag("nodad", 0x2, true, true),
    flag("optimistic", 0x4, true, true),
    flag("dadfailed", 0x8, false, true),
    flag("home", 0x10, true, true),
    flag("deprecated", DEPRECATED, false, true),
    flag("tentative", 0x40, false, true),
    flag("permanent", PERMANENT, false, true),
    flag("mngtmpaddr", 0x100, true, true),
    flag("noprefixroute", 0x200, true, false),
    flag("autojoin", AUTOJOIN, true, false),
    flag("stable-privacy", 0x800, false, true),
];

/// What scopes and protocols are called; empty where numbers are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressNames {
    /// The names of scopes.
    pub scopes: Rc<HashMap<u32, String>>,
    /// The names of who set an address.
    pub protocols: Rc<HashMap<u32, String>>,
}

impl AddressNames {
    fn scope(&self, scope: u8) -> String {
        self.scopes.get(&scope.into()).cloned().unwrap_or_else(|| scope.to_string())
    }

    fn protocol(&self, protocol: u8) -> String {
        let number = || if protocol == 0 { "0".to_owned() } else { format!("{protocol:#x}") };
        self.protocols.get(&protocol.into()).cloned().unwrap_or_else(number)
    }
}

/// Prints an address with its lines; `device` puts the link's index and name in front of it.
pub fn print(p: &mut Printer, address: &Address, device: Option<&[u8]>, names: &AddressNames) {
    if let Some(device) = device {
        p.number_json("index", address.index);
        p.string_json("dev", device);
        p.text(format!("{}: ", address.index));
        p.text(device);
    }
    match address.family {
        2 => p.string("family", "    ", "inet", " "),
        10 => p.string("family", "    ", "inet6", " "),
        other => p.number("family_index", "    family ", other, " "),
    }
    print_local(p, address);
    print_other(p, "brd", "broadcast", address.broadcast);
    print_other(p, "any", "anycast", address.anycast);
    print_other(p, "mcast", "multicast", address.multicast);
    p.string("scope", "scope ", names.scope(address.scope), " ");
    print_flags(p, address);
    if let Some(protocol) = address.proto
        && (protocol != 0 || p.is_json())
    {
        p.string("protocol", "proto ", names.protocol(protocol), " ");
    }
    if let Some(label) = &address.label {
        p.string("label", "", label.as_bytes(), "");
    }
    if let Some(lives) = &address.cacheinfo {
        p.line_break();
        print_life_time(p, "valid_life_time", "       valid_lft ", lives.valid);
        print_life_time(p, "preferred_life_time", " preferred_lft ", lives.preferred);
    }
    p.end_line();
}

/// Prints an address as a word of a brief list.
pub fn print_brief(p: &mut Printer, address: &Address) {
    print_local(p, address);
}

/// Prints the address itself, its peer, the length of the prefix and the metric of its route.
fn print_local(p: &mut Printer, address: &Address) {
    let Some(local) = address.local.or(address.address) else { return };
    let host = p.host_of(local);
    p.coloured(Some(colour(local)), "local", "", host, "");
    if let Some(peer) = address.address.filter(|peer| *peer != local) {
        p.text(" peer ");
        let host = p.host_of(peer);
        p.coloured(Some(colour(peer)), "address", "", host, "");
    }
    p.number("prefixlen", "/", address.prefixlen, " ");
    if let Some(metric) = address.rt_priority {
        p.number("metric", "metric ", metric, " ");
    }
}

fn print_other(p: &mut Printer, word: &str, name: &str, address: Option<IpAddr>) {
    let Some(address) = address else { return };
    p.text(format!("{word} "));
    let host = p.host_of(address);
    p.coloured(Some(colour(address)), name, "", host, " ");
}

fn colour(address: IpAddr) -> Colour {
    match address {
        IpAddr::V4(_) => Colour::Inet,
        IpAddr::V6(_) => Colour::Inet6,
    }
}

fn print_flags(p: &mut Printer, address: &Address) {
    let mut left = address.all_flags();
    for flag in FLAGS {
        let set = left & flag.mask != 0;
        left &= !flag.mask;
        // The second word of a bit is never reached: the first has taken it.
        let word = match flag.mask {
            PERMANENT if set => continue,
            PERMANENT => "dynamic",
            _ if !set => continue,
            SECONDARY if address.family == 10 => "temporary",
            _ => flag.word,
        };
        p.mark(word, &format!("{word} "));
    }
    if left != 0 {
        p.string("ifa_flags", "flags ", format!("{left:02x}"), " ");
    }
}

fn print_life_time(p: &mut Printer, name: &str, before: &str, seconds: u32) {
    if seconds == FOREVER {
        p.number_json(name, seconds);
        p.text(before);
        p.text("forever");
    } else {
        p.number(name, before, seconds, "sec");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;
    use vwire_netlink::wire::address::AddressCacheInfo;

    fn names() -> AddressNames {
        let owned = |(number, name): &(u32, &str)| (*number, (*name).to_owned());
        let table = |rows: &[(u32, &str)]| Rc::new(rows.iter().map(owned).collect());
        AddressNames { scopes: table(&[(0, "global"), (253, "link")]), protocols: table(&[(3, "kernel_ll")]) }
    }

    fn printed(address: &Address, json: bool, device: Option<&[u8]>) -> String {
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        p.open_object(None);
        print(&mut p, address, device, &names());
        p.close_object();
        String::from_utf8(p.take()).unwrap()
    }

    fn ipv4() -> Address {
        Address {
            family: 2,
            prefixlen: 24,
            index: 3,
            header_flags: 0x80,
            local: Some([10, 0, 0, 1].into()),
            address: Some([10, 0, 0, 1].into()),
            broadcast: Some([10, 0, 0, 255].into()),
            label: Some("v0".into()),
            cacheinfo: Some(AddressCacheInfo { valid: FOREVER, preferred: FOREVER, ..AddressCacheInfo::default() }),
            ..Address::default()
        }
    }

    #[test]
    fn an_address_takes_two_lines() {
        let wanted = "    inet 10.0.0.1/24 brd 10.0.0.255 scope global v0\n       \
                      valid_lft forever preferred_lft forever\n";
        assert_eq!(printed(&ipv4(), false, None), wanted);
        assert!(printed(&ipv4(), false, Some(b"v0")).starts_with("3: v0    inet 10.0.0.1/24 "));
    }

    #[test]
    fn a_peer_stands_before_the_length() {
        let address = Address { address: Some([10, 0, 0, 9].into()), prefixlen: 32, ..ipv4() };
        assert!(printed(&address, false, None).starts_with("    inet 10.0.0.1 peer 10.0.0.9/32 brd "));
    }

    #[test]
    fn flags_and_life_times_have_members_of_their_own_in_json() {
        let address = Address {
            family: 10,
            prefixlen: 64,
            scope: 253,
            flags: Some(0x101 | 0x8_0000),
            address: Some("fe80::1".parse().unwrap()),
            proto: Some(3),
            cacheinfo: Some(AddressCacheInfo { valid: 300, preferred: 0, ..AddressCacheInfo::default() }),
            ..Address::default()
        };
        let wanted = "{\"family\":\"inet6\",\"local\":\"fe80::1\",\"prefixlen\":64,\"scope\":\"link\",\
                      \"temporary\":true,\"dynamic\":true,\"mngtmpaddr\":true,\"ifa_flags\":\"80000\",\
                      \"protocol\":\"kernel_ll\",\"valid_life_time\":300,\"preferred_life_time\":0}";
        assert_eq!(printed(&address, true, None), wanted);
        let text = printed(&address, false, None);
        assert!(text.contains("scope link temporary dynamic mngtmpaddr flags 80000 proto kernel_ll \n"), "{text}");
    }
}
