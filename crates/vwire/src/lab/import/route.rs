//! Writes a route as a line of a lab's file. Pure.

use std::fmt::Write as _;
use std::net::IpAddr;

use vwire_netlink::Route;

use super::device::name_of;
use crate::lab::file::unit;
use crate::lab::model::Prefix;
use crate::snapshot::device::NamespacePart;

/// `RTPROT_REDIRECT`, `RTPROT_KERNEL` and `RTPROT_RA`: nobody made these by hand.
const BY_THEMSELVES: &[u8] = &[1, 2, 9];
/// `RTN_UNICAST` and others that a file can say.
const TYPES: &[(u8, &str)] = &[(1, ""), (6, "blackhole "), (7, "unreachable "), (8, "prohibit ")];
/// `AF_INET6`.
const INET6: u8 = 10;
/// `RTNH_F_ONLINK`.
const ONLINK: u32 = 4;
/// `RT_TABLE_MAIN`.
const MAIN: u32 = 254;
/// The metric that IPv6 routes have unless told (`IP6_RT_PRIO_USER`).
const METRIC6: u32 = 1024;

/// Tells whether somebody made a route, rather than the kernel.
pub(crate) fn is_own(route: &Route) -> bool {
    matches!(route.family, 2 | INET6)
        && !BY_THEMSELVES.contains(&route.protocol)
        && TYPES.iter().any(|(number, _)| *number == route.route_type)
}

/// Returns where a route leads to.
pub(crate) fn goal(route: &Route) -> String {
    let zero = if route.family == INET6 { "::/0" } else { "default" };
    route.dst.map_or_else(|| zero.to_owned(), |to| format!("{to}/{}", route.dst_len))
}

/// Returns a route as a line of a file; none if a file cannot say it.
pub(crate) fn line(route: &Route, part: &NamespacePart) -> Option<String> {
    if route.nh_id.is_some() || route.encap.is_some() || route.src.is_some() || route.tos != 0 || route.via.is_some() {
        return None;
    }
    let kind = TYPES.iter().find(|(number, _)| *number == route.route_type)?.1;
    let mut line = kind.to_owned();
    line.push_str(&goal(route));
    if kind.is_empty() {
        match &route.multipath {
            Some(hops) => {
                for hop in &hops.0 {
                    if hop.via.is_some() || hop.encap.is_some() {
                        return None;
                    }
                    line.push_str(" nexthop");
                    way(&mut line, hop.gateway, Some(hop.index), u32::from(hop.flags) & ONLINK != 0, part)?;
                    if hop.hops > 0 {
                        let _ = write!(line, " weight {}", u16::from(hop.hops) + 1);
                    }
                }
            }
            None => way(&mut line, route.gateway, route.oif, route.flags & ONLINK != 0, part)?,
        }
    }
    let usual = if route.family == INET6 { METRIC6 } else { 0 };
    if let Some(metric) = route.priority.filter(|metric| *metric != usual) {
        let _ = write!(line, " metric {metric}");
    }
    if route.table_id() != MAIN {
        let _ = write!(line, " table {}", route.table_id());
    }
    if let Some(source) = route.prefsrc {
        let _ = write!(line, " src {source}");
    }
    Some(line)
}

/// Writes a gateway and a device, the latter where the former does not tell it.
fn way(
    line: &mut String,
    gateway: Option<IpAddr>,
    index: Option<u32>,
    onlink: bool,
    part: &NamespacePart,
) -> Option<()> {
    let reached = |gateway: IpAddr| {
        part.addresses.iter().any(|address| {
            let network = address.address.or(address.local).map(|ip| Prefix {
                address: unit::mask(ip, address.prefixlen.min(unit::bits(ip))),
                length: address.prefixlen.min(unit::bits(ip)),
            });
            network.is_some_and(|network| unit::holds(network, gateway))
        })
    };
    let link_local = matches!(gateway, Some(IpAddr::V6(ip)) if ip.segments()[0] & 0xffc0 == 0xfe80);
    let known = gateway.is_some_and(reached) && !link_local;
    if let Some(gateway) = gateway {
        let _ = write!(line, " via {gateway}");
    }
    if !known {
        let link = part.links.iter().find(|link| Some(link.index) == index)?;
        let _ = write!(line, " dev {}", name_of(link));
    }
    if onlink || (gateway.is_some() && !known && !link_local) {
        line.push_str(" onlink");
    }
    Some(())
}
