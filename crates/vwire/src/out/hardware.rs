//! Prints which counters a device's hardware keeps for the kernel, as `ip monitor stats` does.

use vwire_netlink::wire::nest::RawNest;
use vwire_netlink::wire::stats::LinkStats;

use super::{Colour, Printer};

/// `IFLA_OFFLOAD_XSTATS_HW_S_INFO`, and in it `IFLA_OFFLOAD_XSTATS_L3_STATS`.
const INFO: u16 = 2;
const LAYER_3: u16 = 3;
/// `IFLA_OFFLOAD_XSTATS_HW_S_INFO_REQUEST` and `…_USED`.
const REQUEST: u16 = 1;
const USED: u16 = 2;

/// Prints a device's counters of hardware, into an object that is open; what ends the line is the caller's.
///
/// A switch that is neither on nor off is left out.
pub fn print_facts(p: &mut Printer, stats: &LinkStats, device: &[u8]) {
    p.number("ifindex", "", stats.index, ":");
    p.coloured(Some(Colour::Device), "ifname", " ", device, ":");
    let Some(info) = stats.link_offload_xstats.as_ref().and_then(|nest| inside(nest, INFO)) else { return };
    p.line_break();
    p.open_object(Some("info"));
    if let Some(info) = inside(&info, LAYER_3) {
        p.text("    l3_stats");
        p.open_object(Some("l3_stats"));
        print_switch(p, "request", " ", &info, REQUEST);
        print_switch(p, "used", " used ", &info, USED);
        p.close_object();
    }
    p.close_object();
}

fn inside(nest: &RawNest, number: u16) -> Option<RawNest> {
    let found = nest.attributes().find(|attribute| attribute.number() == number)?;
    Some(RawNest(found.payload().into()))
}

fn print_switch(p: &mut Printer, name: &str, before: &str, nest: &RawNest, number: u16) {
    let switch = nest.attributes().find(|attribute| attribute.number() == number);
    if let Some([value @ (0 | 1)]) = switch.map(|attribute| attribute.payload()) {
        p.on_off(name, before, *value == 1, "");
    }
}

#[cfg(test)]
mod tests {
    use vwire_netlink::wire::Builder;

    use super::*;
    use crate::out::Layout;

    fn printed(json: bool, stats: &LinkStats) -> String {
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        p.open_object(None);
        print_facts(&mut p, stats, b"v0");
        p.close_object();
        String::from_utf8(p.take()).unwrap()
    }

    fn nest(number: u16, payload: &[u8]) -> Vec<u8> {
        let mut nest = Builder::new();
        nest.bytes(number, payload);
        nest.into_bytes()
    }

    #[test]
    fn who_asks_for_counters_and_whether_they_are_kept_are_switches() {
        let switches = [nest(REQUEST, &[1]), nest(USED, &[0])].concat();
        let nested = nest(INFO, &nest(LAYER_3, &switches));
        let stats = LinkStats { index: 7, link_offload_xstats: Some(RawNest(nested.into())), ..LinkStats::default() };
        assert_eq!(printed(false, &stats), "7: v0:\n    l3_stats on used off");
        let wanted = "{\"ifindex\":7,\"ifname\":\"v0\",\"info\":{\"l3_stats\":{\"request\":true,\"used\":false}}}";
        assert_eq!(printed(true, &stats), wanted);
    }

    #[test]
    fn without_them_there_is_the_device_alone() {
        assert_eq!(printed(false, &LinkStats { index: 7, ..LinkStats::default() }), "7: v0:");
    }
}
