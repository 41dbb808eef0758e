//! ipip, sit and ip6tnl: IP in IP.

use vwire_netlink::wire::link::tunnel::{IpTunnel, IpTunnelFlags};

use super::endpoint::{Encapsulation, Outer6, print_ends, print_hops, print_link, print_mark};
use super::fact::{ipv6, mark, type_of_service};
use crate::out::Printer;
use crate::out::link::Context;

/// `SIT_ISATAP` (`linux/if_tunnel.h`).
const ISATAP: u16 = 1;

pub(super) fn print(p: &mut Printer, tunnel: &IpTunnel, kind: &str, context: &Context) {
    let v6 = kind == "ip6tnl";
    mark(p, "external", "external ", tunnel.collect_metadata);
    if let Some(inner) = spell_inner(tunnel.proto, v6) {
        p.string("proto", "", inner, " ");
    }
    print_ends(p, v6, tunnel.remote, tunnel.local);
    print_link(p, tunnel.link, context);
    if v6 {
        print_over_v6(p, tunnel)
    } else {
        print_over_v4(p, tunnel)
    }
    let encapsulation = Encapsulation {
        kind: tunnel.encap_type,
        flags: tunnel.encap_flags,
        source: tunnel.encap_sport,
        destination: tunnel.encap_dport,
    };
    encapsulation.print(p);
}

/// Names what is inside by its protocol number: 4 is IPv4, 41 IPv6, 137 MPLS.
fn spell_inner(protocol: Option<u8>, v6: bool) -> Option<&'static str> {
    match (protocol?, v6) {
        (0, _) => Some("any"),
        (4, true) => Some("ipip6"),
        (41, true) => Some("ip6ip6"),
        (4, false) => Some("ipip"),
        (41, false) => Some("ip6ip"),
        (137, false) => Some("mplsip"),
        _ => None,
    }
}

fn print_over_v6(p: &mut Printer, tunnel: &IpTunnel) {
    let flags = match tunnel.flags {
        Some(IpTunnelFlags::Ip6(flags)) => flags,
        _ => 0,
    };
    let outer = Outer6 { flags, encap_limit: tunnel.encap_limit, flowinfo: tunnel.flowinfo };
    print_hops(p, "hoplimit", tunnel.ttl);
    outer.print(p);
    outer.print_mobile(p);
    outer.print_rest(p, tunnel.fwmark);
}

fn print_over_v4(p: &mut Printer, tunnel: &IpTunnel) {
    print_hops(p, "ttl", tunnel.ttl);
    type_of_service(p, tunnel.tos);
    let discovers = tunnel.pmtudisc.is_some_and(|discovers| discovers != 0);
    p.bool_json("pmtudisc", discovers);
    p.text(if discovers { "pmtudisc " } else { "nopmtudisc " });
    if let Some(IpTunnelFlags::Sit(flags)) = tunnel.flags {
        mark(p, "isatap", "isatap ", flags & ISATAP != 0);
    }
    print_rapid_deployment(p, tunnel);
    print_mark(p, tunnel.fwmark);
}

/// Prints the prefixes of 6rd (RFC 5969).
fn print_rapid_deployment(p: &mut Printer, tunnel: &IpTunnel) {
    let (Some(prefix), Some(length @ 1..)) = (tunnel.sixrd_prefix, tunnel.sixrd_prefixlen) else { return };
    p.string("prefix", "6rd-prefix ", ipv6(prefix), "/");
    p.number("prefixlen", "", length, " ");
    if let Some(relay) = tunnel.sixrd_relay_prefix.filter(|relay| !relay.is_unspecified()) {
        let host = p.host_of(relay.into());
        p.string("relay_prefix", "6rd-relay_prefix ", host, "/");
        p.number("relay_prefixlen", "", tunnel.sixrd_relay_prefixlen.unwrap_or(0), " ");
    }
}
