//! Routes: what makes two the same, what the kernel makes by itself, how one becomes another. Pure.
//!
//! A route is told from others by family, table, destination, TOS and metric; IPv4 keeps several such in order. The
//! kernel makes those to connected networks and own addresses, and takes away what leads through a link that goes down.

use std::net::IpAddr;

use vwire_netlink::Route;
use vwire_netlink::wire::route::Hop;

use super::delta::{Delta, compare, is_satisfied};
use super::difference::Difference;
use super::plan::{Context, Plan, Stage};
use super::{Object, Verb, words};
use crate::snapshot::state::State;
use crate::step::world::Names;

/// `AF_INET`.
const INET: u8 = 2;
/// `AF_INET6`.
const INET6: u8 = 10;
/// `RTPROT_KERNEL`.
const BY_KERNEL: u8 = 2;
/// `RTPROT_REDIRECT`, `RTPROT_RA`: what others on the link said.
const BY_OTHERS: [u8; 2] = [1, 9];
/// `RTPROT_BOOT`, `RTPROT_STATIC`, and a lab's own number: made by hand, by a script or by us, not by a daemon.
const BY_HAND: [u8; 3] = [3, 4, 118];
/// `RTNH_F_ONLINK`, the one flag that a request sets.
const ONLINK: u32 = 4;
/// The metric that IPv6 gives a route that asks for none (`IP6_RT_PRIO_USER`).
const IPV6_METRIC: u32 = 1024;
/// `RTN_LOCAL`.
const LOCAL: u8 = 2;
/// `RTN_ANYCAST`.
const ANYCAST: u8 = 4;
/// `RTN_MULTICAST`.
const MULTICAST: u8 = 5;

/// What makes two routes the same, or rivals.
type Key = (u8, u32, Option<IpAddr>, u8, Option<IpAddr>, u8, u32);

fn key(route: &Route) -> Key {
    let source = route.src.filter(|_| route.src_len != 0);
    (route.family, route.table_id(), destination(route), route.dst_len, source, route.tos, metric(route))
}

/// Returns the destination; the default route has none.
pub(super) fn destination(route: &Route) -> Option<IpAddr> {
    route.dst.filter(|_| route.dst_len != 0)
}

fn metric(route: &Route) -> u32 {
    route.priority.unwrap_or(if route.family == INET6 { IPV6_METRIC } else { 0 })
}

/// Returns whether the kernel makes a route by itself.
pub(super) fn is_kernels(route: &Route) -> bool {
    route.protocol == BY_KERNEL
}

/// Returns the links that a route leads through.
pub(super) fn links(route: &Route) -> impl Iterator<Item = u32> {
    let hops = route.multipath.iter().flat_map(|paths| &paths.0).map(|hop| hop.index);
    route.oif.into_iter().chain(hops).filter(|index| *index != 0)
}

fn is_others(route: &Route) -> bool {
    BY_OTHERS.contains(&route.protocol) || route.expires.is_some()
}

fn unsatisfied(wanted: &Route, now: &Route, is_picture: bool) -> Option<&'static str> {
    let flags = |route: &Route| route.flags & ONLINK;
    let is_gateway = |route: &Route| route.nh_id.is_none();
    let said = wanted.nh_id.is_none() && now.nh_id.is_none();
    let via_fits = !said || wanted.gateway == now.gateway && wanted.via == now.via;
    let oif_fits = !said || wanted.oif.is_none() && !is_picture || wanted.oif == now.oif;
    let onlink_fits = !is_gateway(wanted) || !is_picture || flags(wanted) == flags(now);
    let scope_fits = wanted.family != INET || wanted.scope == now.scope;
    let fits = [
        ("type", wanted.route_type == now.route_type),
        ("nexthop", wanted.nh_id == now.nh_id),
        ("gateway", via_fits),
        ("device", oif_fits),
        ("nexthops", !said || hops_fit(wanted, now)),
        ("scope", scope_fits),
        ("protocol", wanted.protocol == 0 || wanted.protocol == now.protocol),
        ("source", is_satisfied(wanted.prefsrc.as_ref(), now.prefsrc.as_ref(), is_picture)),
        ("metrics", metrics_fit(wanted, now, is_picture)),
        ("onlink", onlink_fits),
        ("realm", is_satisfied(wanted.flow.as_ref(), now.flow.as_ref(), is_picture)),
        ("encapsulation", is_satisfied(wanted.encap.as_ref(), now.encap.as_ref(), is_picture)),
        ("preference", is_satisfied(wanted.pref.as_ref(), now.pref.as_ref(), false)),
        ("labels", is_satisfied(wanted.newdst.as_ref(), now.newdst.as_ref(), is_picture)),
    ];
    fits.into_iter().find(|(_, fits)| !fits).map(|(name, _)| name)
}

fn metrics_fit(wanted: &Route, now: &Route, is_picture: bool) -> bool {
    let emitted = |route: &Route| route.metrics.as_deref().map(super::link::encoded);
    match (is_picture, emitted(wanted), emitted(now)) {
        (_, Some(wanted), Some(now)) if !is_picture => super::link::differing(&wanted, &now).is_none(),
        (_, wanted, now) => is_satisfied(wanted.as_ref(), now.as_ref(), is_picture),
    }
}

/// The hops that count, in order; a link that is not said may be any.
fn hops_fit(wanted: &Route, now: &Route) -> bool {
    let hops = |route: &Route| route.multipath.clone().map(|paths| paths.0).unwrap_or_default();
    let (wanted, now) = (hops(wanted), hops(now));
    let fits = |wanted: &Hop, now: &Hop| {
        (wanted.index == 0 || wanted.index == now.index)
            && (wanted.gateway == now.gateway && wanted.via == now.via)
            && wanted.hops == now.hops
            && (u32::from(wanted.flags) & ONLINK == u32::from(now.flags) & ONLINK)
            && wanted.encap == now.encap
    };
    // IPv6 lists siblings in an order of its own.
    wanted.len() == now.len() && wanted.iter().all(|hop| now.iter().any(|other| fits(hop, other)))
}

/// Returns what a request for this route says: without what only the kernel can say of it.
fn asked(route: &Route) -> Route {
    let table = route.table_id();
    let mut multipath = route.multipath.clone();
    for hop in multipath.iter_mut().flat_map(|paths| &mut paths.0) {
        hop.flags &= 4;
    }
    let through = route.nh_id.is_none();
    Route {
        header_table: u8::try_from(table).unwrap_or(0),
        table: Some(table),
        flags: route.flags & ONLINK,
        dst: destination(route),
        oif: route.oif.filter(|_| through),
        gateway: route.gateway.filter(|_| through),
        via: route.via.clone().filter(|_| through),
        multipath: multipath.filter(|_| through),
        // Of a next hop object, the route's own gateway, link and weights are only told.
        cacheinfo: None,
        expires: None,
        iif: None,
        mfc_stats: None,
        ttl_propagate: route.ttl_propagate.filter(|_| route.family != INET && route.family != INET6),
        ..route.clone()
    }
}

fn considered<'a>(context: &Context<'a>, state: &'a State, is_checking: bool) -> impl Iterator<Item = &'a Route> {
    let context = *context;
    let by_hand = move |route: &Route| BY_HAND.contains(&route.protocol) || route.protocol == 0;
    let is_quiet = move |route: &Route| links(route).all(|index| context.is_quiet(index));
    state.routes.iter().filter(move |route| {
        // What a multicast daemon or the cache has is not told here; nor what IPv6 keeps for each address of its own,
        // once that is known to be no duplicate, with a metric that nobody else can give.
        let is_of_address = is_kernels(route) && route.family == INET6 && matches!(route.route_type, LOCAL | ANYCAST);
        let counts = matches!(route.family, INET | INET6) && !is_others(route) && route.mfc_stats.is_none();
        let counts = counts && !is_of_address;
        counts
            && context.scope.has_route(context.place, route)
            && match context.is_picture() {
                true => route.protocol != BY_KERNEL || is_checking || is_quiet(route),
                false => by_hand(route) && !(route.route_type == MULTICAST && route.protocol == 0),
            }
    })
}

fn delta<'a>(context: &Context<'a>, is_checking: bool) -> Delta<'a, Route> {
    let picture = context.is_picture();
    let (wanted, now) =
        (considered(context, context.wanted, is_checking), considered(context, context.now, is_checking));
    compare(wanted, now, key, |wanted, now| unsatisfied(wanted, now, picture).is_none())
}

/// Adds the steps that bring routes to what is wanted.
pub(super) fn plan(context: &Context<'_>, plan: &mut Plan) {
    let place = context.place;
    let delta = delta(context, false);
    let rivals = |route: &Route, of: &[&Route]| of.iter().filter(|other| key(other) == key(route)).count();
    let there: std::collections::HashMap<Key, usize> = count(&context.now.routes);
    let mut gone: Vec<&Route> = delta.gone.clone();
    let mut made: Vec<&Route> = delta.made.clone();
    for (now, wanted) in &delta.changed {
        // To replace one of several would replace the first.
        if there.get(&key(now)) == Some(&1) && rivals(now, &delta.made) == 0 {
            let verb = Verb::Replace;
            plan.object(Stage::RouteComes, place, verb, Object::Route(Box::new(asked(wanted))));
        } else {
            gone.push(now);
            made.push(wanted);
        }
    }
    for route in gone.iter().rev() {
        plan.object(Stage::RouteGoes, place, Verb::Delete, Object::Route(Box::new(asked(route))));
    }
    // What gateways are reached through comes first.
    made.sort_by_key(|route| rank(route));
    for route in made {
        let verb = if route.family == INET { Verb::Append } else { Verb::Create };
        plan.object(Stage::RouteComes, place, verb, Object::Route(Box::new(asked(route))));
    }
}

fn count(routes: &[Route]) -> std::collections::HashMap<Key, usize> {
    let mut count = std::collections::HashMap::new();
    routes.iter().for_each(|route| *count.entry(key(route)).or_insert(0) += 1);
    count
}

/// How far a route leads: own addresses, connected networks, then what is behind gateways.
fn rank(route: &Route) -> (bool, bool, u8, u8) {
    let has_gateway = route.gateway.is_some() || route.via.is_some() || route.multipath.is_some();
    (route.nh_id.is_some(), has_gateway, 255 - route.scope, 255 - route.dst_len)
}

/// Adds how the routes differ from what is wanted.
pub(super) fn differences(context: &Context<'_>, names: &Names, to: &mut Vec<Difference>) {
    let place = context.place;
    let name = |route: &Route| format!("route {}", words::route(route, names, place));
    let delta = delta(context, true);
    to.extend(delta.made.iter().map(|route| Difference::missing(place, name(route))));
    to.extend(delta.gone.iter().map(|route| Difference::surplus(place, name(route))));
    for (now, wanted) in delta.changed {
        let attribute = unsatisfied(wanted, now, context.is_picture()).unwrap_or("value");
        let shown = |route: &Route| Some(words::route(route, names, place));
        to.push(Difference { place, object: name(wanted), attribute, is: shown(now), should: shown(wanted) });
    }
}
