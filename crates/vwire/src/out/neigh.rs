//! Prints a neighbour as `ip neigh` does: in full, or as a line of a brief list.

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

use vwire_netlink::Neighbour;
use vwire_netlink::wire::neighbour::NeighbourCacheInfo;

use super::arphrd::address_text;
use super::{Colour, Printer};

/// `NTF_PROXY`.
pub const PROXY: u8 = 0x08;
/// `NTF_EXT_LEARNED`.
pub const EXT_LEARNED: u8 = 0x10;
/// `NTF_OFFLOADED`.
const OFFLOADED: u8 = 0x20;
/// `NTF_ROUTER`.
pub const ROUTER: u8 = 0x80;
/// `NTF_EXT_MANAGED`.
pub const MANAGED: u32 = 0x1;
/// `NTF_EXT_EXT_VALIDATED`.
pub const EXT_VALIDATED: u32 = 0x4;
/// How many ticks of `nda_cacheinfo` are a second (`USER_HZ`).
const TICKS: u32 = 100;

/// `NUD_*` and their words, in the order in which they are printed.
pub const STATES: &[(u16, &str)] = &[
    (0x01, "INCOMPLETE"),
    (0x02, "REACHABLE"),
    (0x04, "STALE"),
    (0x08, "DELAY"),
    (0x10, "PROBE"),
    (0x20, "FAILED"),
    (0x40, "NOARP"),
    (0x80, "PERMANENT"),
];

/// What is told of a neighbour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NeighbourStyle {
    /// Whether its device is named.
    pub device: bool,
    /// Whether its times and probes are told.
    pub statistics: bool,
}

/// What the numbers in a neighbour stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NeighbourNames {
    /// The names and types of devices, by their index.
    pub devices: HashMap<u32, (Vec<u8>, u16)>,
    /// The names of who made a neighbour; empty where numbers are wanted.
    pub protocols: Rc<HashMap<u32, String>>,
}

impl NeighbourNames {
    fn device(&self, index: u32) -> Vec<u8> {
        self.devices.get(&index).map_or_else(|| format!("if{index}").into_bytes(), |(name, _)| name.clone())
    }

    fn link_address(&self, neighbour: &Neighbour) -> Option<String> {
        let address = neighbour.lladdr.as_ref()?;
        let link_type = self.devices.get(&neighbour.index).map_or(0, |(_, link_type)| *link_type);
        Some(address_text(link_type, address.as_bytes()))
    }
}

/// Prints a neighbour and ends its line.
pub fn print(p: &mut Printer, neighbour: &Neighbour, style: NeighbourStyle, names: &NeighbourNames) {
    if let Some(address) = neighbour.dst {
        let host = p.host_of(address);
        p.coloured(Some(colour(address)), "dst", "", host, " ");
    }
    if style.device && neighbour.index != 0 {
        p.text("dev ");
        p.coloured(Some(Colour::Device), "dev", "", names.device(neighbour.index), " ");
    }
    if let Some(address) = names.link_address(neighbour) {
        p.text("lladdr ");
        p.coloured(Some(Colour::Mac), "lladdr", "", address, " ");
    }
    print_flags(p, neighbour);
    if style.statistics {
        if let Some(times) = &neighbour.cacheinfo {
            print_times(p, times);
        }
        if let Some(probes) = neighbour.probes {
            p.number("probes", "probes ", probes, " ");
        }
    }
    if neighbour.state != 0 {
        p.open_array(Some("state"));
        for (_, word) in STATES.iter().filter(|(state, _)| neighbour.state & state != 0) {
            p.element("", word, " ");
        }
        p.close_array();
    }
    if let Some(protocol) = neighbour.protocol.filter(|protocol| *protocol != 0) {
        let name = names.protocols.get(&protocol.into()).cloned().unwrap_or_else(|| protocol.to_string());
        p.string("protocol", "proto ", name, " ");
    }
    p.end_line();
}

/// Prints a neighbour as a line of a brief list.
pub fn print_brief(p: &mut Printer, neighbour: &Neighbour, style: NeighbourStyle, names: &NeighbourNames) {
    if let Some(address) = neighbour.dst {
        let host = p.host_of(address);
        p.string_json("dst", &host);
        p.coloured_text(Some(colour(address)), "", format!("{host:<39}"), " ");
    }
    if style.device && neighbour.index != 0 {
        let mut name = names.device(neighbour.index);
        p.string_json("dev", &name);
        name.resize(name.len().max(16), b' ');
        p.coloured_text(Some(Colour::Device), "", name, " ");
    }
    if let Some(address) = names.link_address(neighbour) {
        p.coloured(Some(Colour::Mac), "lladdr", "", address, "");
    }
    p.end_line();
}

fn colour(address: IpAddr) -> Colour {
    match address {
        IpAddr::V4(_) => Colour::Inet,
        IpAddr::V6(_) => Colour::Inet6,
    }
}

fn print_flags(p: &mut Printer, neighbour: &Neighbour) {
    let has = |flag| neighbour.flags & flag != 0;
    let has_extended = |flag| neighbour.flags_ext.unwrap_or(0) & flag != 0;
    let flags = [
        (has(ROUTER), "router"),
        (has(PROXY), "proxy"),
        (has_extended(MANAGED), "managed"),
        (has(EXT_LEARNED), "extern_learn"),
        (has(OFFLOADED), "offload"),
        (has_extended(EXT_VALIDATED), "extern_valid"),
    ];
    for (_, word) in flags.iter().filter(|(set, _)| *set) {
        p.null(word, word);
        p.text(" ");
    }
}

fn print_times(p: &mut Printer, times: &NeighbourCacheInfo) {
    if times.refcnt != 0 {
        p.number("refcnt", " ref ", times.refcnt, "");
    }
    p.number("used", " used ", times.used / TICKS, "");
    p.number("confirmed", "/", times.confirmed / TICKS, "");
    p.number("updated", "/", times.updated / TICKS, "");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;
    use vwire_netlink::LinkAddress;

    fn printed(neighbour: &Neighbour, json: bool, print: fn(&mut Printer, &Neighbour)) -> String {
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        p.open_object(None);
        print(&mut p, neighbour);
        p.close_object();
        String::from_utf8(p.take()).unwrap()
    }

    fn names() -> NeighbourNames {
        NeighbourNames {
            devices: [(3, (b"v0".to_vec(), 1))].into(),
            protocols: Rc::new([(4, "static".to_owned())].into()),
        }
    }

    fn in_full(p: &mut Printer, neighbour: &Neighbour) {
        print(p, neighbour, NeighbourStyle { device: true, statistics: true }, &names());
    }

    fn in_brief(p: &mut Printer, neighbour: &Neighbour) {
        print_brief(p, neighbour, NeighbourStyle { device: true, statistics: false }, &names());
    }

    fn neighbour() -> Neighbour {
        Neighbour {
            family: 2,
            index: 3,
            state: 0x80,
            flags: ROUTER,
            dst: Some([10, 0, 0, 2].into()),
            lladdr: LinkAddress::new(&[2, 0, 0, 0, 0, 2]),
            protocol: Some(4),
            cacheinfo: Some(NeighbourCacheInfo { used: 250, confirmed: 99, updated: 100, refcnt: 0 }),
            probes: Some(4),
            ..Neighbour::default()
        }
    }

    #[test]
    fn statistics_stand_before_the_state() {
        let wanted = "10.0.0.2 dev v0 lladdr 02:00:00:00:00:02 router  used 2/0/1probes 4 PERMANENT proto static \n";
        assert_eq!(printed(&neighbour(), false, in_full), wanted);
    }

    #[test]
    fn flags_are_null_and_states_a_list_in_json() {
        let json = printed(&neighbour(), true, in_full);
        assert!(json.contains("\"router\":null,\"used\":2,"), "{json}");
        assert!(json.ends_with("\"state\":[\"PERMANENT\"],\"protocol\":\"static\"}"), "{json}");
    }

    #[test]
    fn a_brief_line_has_columns() {
        let wanted = format!("{:<39} {:<16} 02:00:00:00:00:02\n", "10.0.0.2", "v0");
        assert_eq!(printed(&neighbour(), false, in_brief), wanted);
    }
}
