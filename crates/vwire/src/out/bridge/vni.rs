//! Prints the networks that a VXLAN takes as `bridge vni` does.

use std::net::IpAddr;

use vwire_netlink::wire::vni::{VniEntry, VniFilter, VniStats};

use super::{Devices, close_device, indent, open_device, print_range, spell};
use crate::out::Printer;

/// How wide two numbers and the dash between them may be.
const WIDTH: usize = 17;

/// Prints the head of the list.
pub fn print_head(p: &mut Printer) {
    super::print_head(p, "dev", &format!("{:<WIDTH$}", "vni"), "  group/remote");
}

/// Prints the networks of a VXLAN.
pub fn print(p: &mut Printer, filter: &VniFilter, devices: &Devices) {
    for (at, entry) in filter.entry.iter().enumerate() {
        if at == 0 {
            open_device(p, &devices.name(filter.index), "vnis");
        } else {
            indent(p, 0);
        }
        print_entry(p, entry);
    }
    if !filter.entry.is_empty() {
        close_device(p);
    }
}

fn print_entry(p: &mut Printer, entry: &VniEntry) {
    p.open_object(None);
    let first = entry.start.unwrap_or_default();
    let width = print_range(p, "vni", first, entry.end.unwrap_or(first));
    p.text(" ".repeat(WIDTH.saturating_sub(width) + 2));
    let address = entry.group.map(IpAddr::V4).or(entry.group6.map(IpAddr::V6));
    if let Some(address) = address.filter(|address| !address.is_unspecified()) {
        let name = if address.is_multicast() { "group" } else { "remote" };
        p.string(name, "", spell(address), "");
    }
    if let Some(stats) = &entry.stats {
        print_stats(p, stats);
    }
    p.close_object();
    p.line_break();
}

fn print_stats(p: &mut Printer, stats: &VniStats) {
    p.open_object(Some("stats"));
    let ways = [
        ("RX", "rx", [stats.rx_bytes, stats.rx_pkts, stats.rx_drops, stats.rx_errors]),
        ("TX", "tx", [stats.tx_bytes, stats.tx_pkts, stats.tx_drops, stats.tx_errors]),
    ];
    for (title, prefix, counters) in ways {
        p.line_break();
        indent(p, 2);
        p.text(format!("{title}: "));
        for (word, counter) in ["bytes", "pkts", "drops", "errors"].iter().zip(counters) {
            if let Some(counter) = counter {
                p.text(format!("{word} "));
                p.number(&format!("{prefix}_{word}"), "", counter, " ");
            }
        }
    }
    p.close_object();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    #[test]
    fn networks_are_told_with_where_they_go_and_what_was_counted() {
        let stats = VniStats { rx_bytes: Some(1), tx_errors: Some(2), ..VniStats::default() };
        let many = VniEntry { start: Some(10), end: Some(20), ..VniEntry::default() };
        let one =
            VniEntry { start: Some(30), group: Some([239, 1, 1, 1].into()), stats: Some(stats), ..VniEntry::default() };
        let filter = VniFilter { index: 5, entry: vec![many, one], ..VniFilter::default() };
        let printed = |json| {
            let mut p = Printer::new(Layout { json, ..Layout::default() });
            print(&mut p, &filter, &Devices::default());
            String::from_utf8(p.take()).unwrap()
        };
        let text = "if5               10-20              \n                  30                 239.1.1.1\n                    \
                    RX: bytes 1 \n                    TX: errors 2 \n";
        assert_eq!(printed(false), text);
        let json = r#"{"ifname":"if5","vnis":[{"vni":10,"vniEnd":20},{"vni":30,"group":"239.1.1.1","stats":{"rx_bytes":1,"tx_errors":2}}]}"#;
        assert_eq!(printed(true), json);
    }
}
