//! geneve: Ethernet in UDP, with options.

use vwire_netlink::wire::link::tunnel::Geneve;

use super::fact::{fragmentation, hexadecimal, host, mark, number, number_as, time_to_live, type_of_service};
use crate::out::{Colour, Printer};

pub(super) fn print(p: &mut Printer, geneve: &Geneve) {
    mark(p, "external", "external ", geneve.collect_metadata);
    number(p, "id", geneve.id);
    match (geneve.remote, geneve.remote6) {
        (Some(remote), _) if !remote.is_unspecified() => host(p, "remote", "remote", remote),
        (None, Some(remote)) if !remote.is_unspecified() && !remote.is_multicast() => {
            host(p, "remote6", "remote", remote);
        }
        _ => {}
    }
    match (geneve.local, geneve.local6) {
        (Some(local), _) => {
            let spelled = p.host_of(local.into());
            p.coloured(Some(Colour::Inet), "local", "local ", spelled, " ");
        }
        (None, Some(local)) if !local.is_unspecified() => {
            let spelled = p.host_of(local.into());
            p.coloured(Some(Colour::Inet6), "local6", "local ", spelled, " ");
        }
        _ => {}
    }
    time_to_live(p, geneve.ttl_inherit.is_some_and(|inherits| inherits != 0), geneve.ttl);
    type_of_service(p, geneve.tos);
    fragmentation(p, geneve.df);
    hexadecimal(p, "label", "flowlabel", geneve.label.filter(|label| *label != 0));
    number_as(p, "port", "dstport", geneve.port);
    for (name, word, value) in [
        ("udp_csum", "udpcsum", geneve.udp_csum),
        ("udp_zero_csum6_tx", "udp6zerocsumtx", geneve.udp_zero_csum6_tx),
        ("udp_zero_csum6_rx", "udp6zerocsumrx", geneve.udp_zero_csum6_rx),
    ] {
        let Some(on) = value.map(|value| value != 0) else { continue };
        p.bool_json(name, on);
        p.text(format!("{}{word} ", if on { "" } else { "no" }));
    }
    mark(p, "inner_proto_inherit", "innerprotoinherit ", geneve.inner_proto_inherit);
}
