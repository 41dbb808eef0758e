//! vxlan: Ethernet in UDP.

use vwire_netlink::wire::link::vxlan::Vxlan;

use super::fact::{fragmentation, hexadecimal, host, number, number_as, time_to_live, type_of_service, word_as};
use crate::out::Printer;
use crate::out::link::{Context, LinkStyle};

pub(super) fn print(p: &mut Printer, vxlan: &Vxlan, style: LinkStyle, context: &Context) {
    number(p, "id", vxlan.id);
    print_addresses(p, vxlan);
    if let Some(link @ 1..) = vxlan.link {
        word_as(p, "link", "dev", context.link_name(link));
    }
    if let Some(range) = vxlan.port_range {
        let (low, high) = range.ports();
        p.open_object(Some("port_range"));
        p.number("low", "srcport ", low, " ");
        p.number("high", "", high, " ");
        p.close_object();
    }
    number_as(p, "port", "dstport", vxlan.port);
    type_of_service(p, vxlan.tos);
    time_to_live(p, vxlan.ttl_inherit.is_some_and(|switch| switch.is_on()), vxlan.ttl);
    fragmentation(p, vxlan.df);
    hexadecimal(p, "label", "flowlabel", vxlan.label.filter(|label| *label != 0));
    match vxlan.ageing {
        Some(0) if !p.is_json() => p.text("ageing none "),
        ageing => number(p, "ageing", ageing),
    }
    number_as(p, "limit", "maxaddr", vxlan.limit.filter(|limit| *limit != 0));
    hexadecimal(p, "reserved_bits", "reserved_bits", vxlan.reserved_bits.map(u64::from_be_bytes));
    if vxlan.gbp {
        p.null("gbp", "gbp ");
    }
    if vxlan.gpe {
        p.null("gpe", "gpe ");
    }
    print_switches(p, vxlan, style);
}

fn print_addresses(p: &mut Printer, vxlan: &Vxlan) {
    match (vxlan.group, vxlan.group6) {
        (Some(group), _) if group.is_unspecified() => {}
        (Some(group), _) if group.is_multicast() => host(p, "group", "group", group),
        (Some(remote), _) => host(p, "remote", "remote", remote),
        (None, Some(group)) if group.is_unspecified() => {}
        (None, Some(group)) if group.is_multicast() => host(p, "group6", "group", group),
        (None, Some(remote)) => host(p, "remote6", "remote", remote),
        (None, None) => {}
    }
    match (vxlan.local, vxlan.local6) {
        (Some(local), _) if !local.is_unspecified() => host(p, "local", "local", local),
        (None, Some(local)) if !local.is_unspecified() => host(p, "local6", "local", local),
        _ => {}
    }
}

/// Prints the switches; text has those alone that are not as usual, and with `-d -d` all of them.
fn print_switches(p: &mut Printer, vxlan: &Vxlan, style: LinkStyle) {
    let switches = [
        ("external", vxlan.collect_metadata, false),
        ("vnifilter", vxlan.vnifilter, false),
        ("learning", vxlan.learning, true),
        ("proxy", vxlan.proxy, false),
        ("rsc", vxlan.rsc, false),
        ("l2miss", vxlan.l2miss, false),
        ("l3miss", vxlan.l3miss, false),
        ("udp_csum", vxlan.udp_csum, true),
        ("udp_zero_csum6_tx", vxlan.udp_zero_csum6_tx, false),
        ("udp_zero_csum6_rx", vxlan.udp_zero_csum6_rx, false),
        ("remcsum_tx", vxlan.remcsum_tx, false),
        ("remcsum_rx", vxlan.remcsum_rx, false),
        ("localbypass", vxlan.localbypass, true),
        ("mcroute", vxlan.mc_route, false),
    ];
    for (name, value, usual) in switches {
        let Some(value) = value else { continue };
        p.bool_json(name, value != 0);
        if value != u8::from(usual) || style.details > 1 {
            p.text(format!("{}{name} ", if value != 0 { "" } else { "no" }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::kind::{printed, tests::STYLE};

    #[test]
    fn switches_are_shown_where_they_are_unusual() {
        let vxlan = Vxlan { learning: Some(0), proxy: Some(0), udp_csum: Some(1), ..Vxlan::default() };
        let (text, json) = printed(|p| print_switches(p, &vxlan, STYLE));
        assert_eq!(
            (text.as_str(), json.as_str()),
            ("nolearning ", r#""learning":false,"proxy":false,"udp_csum":true"#)
        );
        let style = LinkStyle { details: 2, ..STYLE };
        assert_eq!(printed(|p| print_switches(p, &vxlan, style)).0, "nolearning noproxy udp_csum ");
    }

    #[test]
    fn a_group_is_told_from_a_remote_end_by_its_address() {
        let group = Vxlan { group: Some([239, 1, 1, 1].into()), ..Vxlan::default() };
        assert_eq!(printed(|p| print_addresses(p, &group)).0, "group 239.1.1.1 ");
        let remote = Vxlan { group6: "2001:db8::1".parse().ok(), ..Vxlan::default() };
        let wanted = ("remote 2001:db8::1 ".to_owned(), r#""remote6":"2001:db8::1""#.to_owned());
        assert_eq!(printed(|p| print_addresses(p, &remote)), wanted);
    }
}
