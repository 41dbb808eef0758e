//! Neighbours: those that were set, and those that were found out and may be forgotten. Pure.

use std::net::IpAddr;

use vwire_netlink::Neighbour;

use super::delta::{Delta, compare};
use super::difference::Difference;
use super::plan::{Context, Plan, Stage};
use super::scope::NeighbourKey;
use super::{Object, Verb, words};
use crate::snapshot::state::State;
use crate::step::world::Names;

/// `NTF_PROXY`.
const PROXY: u8 = 0x08;
/// `NTF_EXT_LEARNED`, `NTF_ROUTER`, `NTF_PROXY`: what a request sets.
const SETTABLE_FLAGS: u8 = 0x10 | 0x80 | PROXY;
/// `NUD_STALE`.
const STALE: u16 = 0x04;
/// `NUD_REACHABLE`, `NUD_STALE`, `NUD_DELAY`, `NUD_PROBE`: found out, in one state or another.
const FOUND: u16 = 0x02 | STALE | 0x08 | 0x10;
/// `NUD_NOARP`.
const NOARP: u16 = 0x40;
/// `NUD_PERMANENT`.
const PERMANENT: u16 = 0x80;
/// `IFF_LOOPBACK | IFF_POINTOPOINT | IFF_NOARP`: links on which nobody is asked for an address.
const ASKS_NOBODY: u32 = 0x08 | 0x10 | 0x80;

/// Returns whether it is an address that is answered for.
pub(super) fn is_proxy(neighbour: &Neighbour) -> bool {
    neighbour.flags & PROXY != 0
}

/// Returns whether somebody set it, rather than the kernel for its own use.
///
/// The kernel makes one for each address that it sends to without asking: of many hosts, and on links where nobody can be
/// asked, there for all addresses together as `0.0.0.0` (`arp_constructor` in `net/ipv4/arp.c`, `ndisc_constructor` in
/// `net/ipv6/ndisc.c`).
fn is_set(neighbour: &Neighbour, state: &State) -> bool {
    let is_for_many = match neighbour.dst {
        Some(IpAddr::V4(ip)) => {
            ip.is_multicast() || ip.is_broadcast() || ip.is_loopback() || ip.is_unspecified() || ip.octets()[3] == 255
        }
        Some(IpAddr::V6(ip)) => ip.is_multicast() || ip.is_loopback() || ip.is_unspecified(),
        None => true,
    };
    let asks_nobody = || state.link(neighbour.index).is_some_and(|link| link.flags & ASKS_NOBODY != 0);
    is_proxy(neighbour)
        || neighbour.state & PERMANENT != 0
        || neighbour.state & NOARP != 0 && !is_for_many && !asks_nobody()
}

fn considered<'a>(context: &Context<'a>, state: &'a State) -> impl Iterator<Item = &'a Neighbour> {
    let context = *context;
    let is_wanted = move |neighbour: &Neighbour| {
        // One that was being asked for, or did not answer, is none that was found.
        let counts = |other: &Neighbour| other.state & FOUND != 0 || is_set(other, context.wanted);
        let mut wanted = context.wanted.neighbours.iter();
        wanted.any(|other| NeighbourKey::of(other) == NeighbourKey::of(neighbour) && counts(other))
    };
    // One that was found out is put back where it was forgotten, but neither made nor forgotten for its own sake.
    let is_found = move |neighbour: &Neighbour| neighbour.state & FOUND != 0 && is_wanted(neighbour);
    state.neighbours.iter().filter(move |neighbour| {
        context.scope.has_neighbour(context.place, neighbour) && (is_set(neighbour, state) || is_found(neighbour))
    })
}

fn delta<'a>(context: &Context<'a>) -> Delta<'a, Neighbour> {
    let sort = |neighbour: &Neighbour| if neighbour.state & FOUND != 0 { FOUND } else { neighbour.state };
    let flags = |neighbour: &Neighbour| neighbour.flags & SETTABLE_FLAGS;
    let picture = context.is_picture();
    let satisfied = move |wanted: &Neighbour, now: &Neighbour| {
        let address = wanted.lladdr.is_none() || wanted.lladdr == now.lladdr;
        let protocol = !picture || wanted.protocol.unwrap_or(0) == now.protocol.unwrap_or(0);
        is_proxy(wanted)
            || sort(wanted) == sort(now) && address && protocol && (!picture || flags(wanted) == flags(now))
    };
    compare(considered(context, context.wanted), considered(context, context.now), NeighbourKey::of, satisfied)
}

/// Returns what a request for this neighbour says.
fn asked(neighbour: &Neighbour) -> Neighbour {
    let state = if neighbour.state & FOUND != 0 { STALE } else { neighbour.state };
    Neighbour {
        state: if is_proxy(neighbour) { 0 } else { state },
        flags: neighbour.flags & SETTABLE_FLAGS,
        cacheinfo: None,
        probes: None,
        protocol: neighbour.protocol.filter(|protocol| *protocol != 0),
        ..neighbour.clone()
    }
}

/// Adds the steps that bring neighbours to what is wanted.
pub(super) fn plan(context: &Context<'_>, plan: &mut Plan) {
    let place = context.place;
    let delta = delta(context);
    for neighbour in delta.gone {
        plan.object(Stage::NeighbourGoes, place, Verb::Delete, Object::Neighbour(Box::new(asked(neighbour))));
    }
    let changed = delta.changed.into_iter().map(|(_, wanted)| wanted);
    for neighbour in delta.made.into_iter().chain(changed) {
        plan.object(Stage::NeighbourComes, place, Verb::Replace, Object::Neighbour(Box::new(asked(neighbour))));
    }
}

/// Adds how the neighbours differ from what is wanted.
pub(super) fn differences(context: &Context<'_>, names: &Names, to: &mut Vec<Difference>) {
    let place = context.place;
    let name = |neighbour: &Neighbour| format!("neigh {}", words::neighbour(neighbour, names, place));
    let delta = delta(context);
    to.extend(delta.made.iter().map(|neighbour| Difference::missing(place, name(neighbour))));
    to.extend(delta.gone.iter().map(|neighbour| Difference::surplus(place, name(neighbour))));
    for (now, wanted) in delta.changed {
        let shown = |neighbour: &Neighbour| Some(words::neighbour(neighbour, names, place));
        to.push(Difference { place, object: name(wanted), attribute: "value", is: shown(now), should: shown(wanted) });
    }
}
