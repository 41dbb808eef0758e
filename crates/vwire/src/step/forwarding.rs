//! What bridges and VXLANs were told to know; what they learn and what the kernel puts in is left alone. Pure.

use vwire_netlink::wire::link::KindData;
use vwire_netlink::{Link, LinkAddress, Neighbour};

use super::delta::{Delta, compare};
use super::difference::Difference;
use super::plan::{Context, Plan, Stage};
use super::{Object, Verb, words};
use crate::snapshot::state::State;
use crate::step::world::{End, Names};

/// `NTF_USE | NTF_SELF | NTF_MASTER | NTF_EXT_LEARNED | NTF_STICKY`.
const SETTABLE_FLAGS: u8 = 0x01 | 0x02 | 0x04 | 0x10 | 0x40;
/// `NTF_SELF`.
const SELF: u8 = 0x02;
/// `NTF_MASTER`.
const MASTER: u8 = 0x04;
/// `NTF_EXT_LEARNED`.
const EXT_LEARNED: u8 = 0x10;
/// `NUD_NOARP | NUD_PERMANENT`.
const SET: u16 = 0x40 | 0x80;

type Key = (u32, Option<LinkAddress>, Option<u16>, Option<std::net::IpAddr>, Option<u16>, Option<u32>, u8);

fn key(entry: &Neighbour) -> Key {
    (entry.index, entry.lladdr, entry.vlan, entry.dst, entry.port, entry.vni, whose(entry))
}

/// Whose table it is in: the device's own or its master's.
fn whose(entry: &Neighbour) -> u8 {
    if entry.flags & SELF != 0 { SELF } else { MASTER }
}

/// Returns whether somebody put it in, rather than the kernel or what was learned.
fn is_set(entry: &Neighbour, state: &State, context: &Context<'_>) -> bool {
    let Some(address) = entry.lladdr else { return false };
    // Of links on top of it in other places, too.
    let is_of_upper = context.above.contains(&(End { place: context.place, index: entry.index }, address));
    // The kernel's own: that of the link, of its bridge, and of links on top of it, such as macvlans.
    let is_its = |link: &Link| {
        let is_on_top = link.link == Some(entry.index) && link.link_netnsid.is_none();
        link.index == entry.index || Some(link.index) == entry.master || is_on_top
    };
    let is_own = state.links.iter().any(|link| link.address == Some(address) && is_its(link));
    let link = state.link(entry.index);
    let is_vxlan = link.and_then(|link| link.kind()) == Some("vxlan");
    // What a device without a table of its own is to receive, a macvlan that somebody else put on it has asked for; no
    // file says such an entry, and the kernel takes it from nobody else.
    let is_received = !context.is_picture() && whose(entry) == SELF && !is_vxlan && entry.dst.is_none();
    // Groups that a device listens to stand in its own table.
    let is_group = whose(entry) == SELF && !is_vxlan && address.as_bytes().first().is_some_and(|byte| byte & 1 != 0);
    let is_default = is_vxlan && address.as_bytes().iter().all(|byte| *byte == 0) && {
        let remote = link.and_then(|link| link.kind_data()).and_then(|data| match data {
            KindData::Vxlan(vxlan) => vxlan.group.map(Into::into).or(vxlan.group6.map(Into::into)),
            _ => None,
        });
        remote.is_some() && remote == entry.dst
    };
    (entry.state & SET != 0 || entry.flags & EXT_LEARNED != 0)
        && !is_own
        && !is_of_upper
        && !is_received
        && !is_group
        && !is_default
}

fn considered<'a>(context: &Context<'a>, state: &'a State) -> impl Iterator<Item = &'a Neighbour> {
    let context = *context;
    state
        .forwarding
        .iter()
        .filter(move |entry| context.scope.has_forwarding(context.place, entry) && is_set(entry, state, &context))
}

fn delta<'a>(context: &Context<'a>) -> Delta<'a, Neighbour> {
    let satisfied = |wanted: &Neighbour, now: &Neighbour| {
        lasting(wanted.state) == lasting(now.state)
            && wanted.flags & SETTABLE_FLAGS & !whose(wanted) == now.flags & SETTABLE_FLAGS & !whose(now)
    };
    compare(considered(context, context.wanted), considered(context, context.now), key, satisfied)
}

/// How long an entry stays: a request says more bits than the kernel tells (`fdb_to_nud`).
fn lasting(state: u16) -> u16 {
    [0x80, 0x40].into_iter().find(|bit| state & bit != 0).unwrap_or(0)
}

fn asked(entry: &Neighbour) -> Neighbour {
    Neighbour {
        flags: entry.flags & SETTABLE_FLAGS | whose(entry),
        cacheinfo: None,
        probes: None,
        master: None,
        protocol: None,
        ..entry.clone()
    }
}

/// Adds the steps that bring forwarding databases to what is wanted.
pub(super) fn plan(context: &Context<'_>, plan: &mut Plan) {
    let place = context.place;
    let delta = delta(context);
    for entry in delta.gone {
        plan.object(Stage::ForwardingGoes, place, Verb::Delete, Object::Forwarding(Box::new(asked(entry))));
    }
    for (_, wanted) in delta.changed {
        plan.object(Stage::ForwardingComes, place, Verb::Replace, Object::Forwarding(Box::new(asked(wanted))));
    }
    for entry in delta.made {
        // A VXLAN has several ends for an address of many, and passes over a second one for any other; a bridge takes
        // no append.
        let is_of_many = |address: LinkAddress| {
            address.as_bytes().first().is_some_and(|byte| byte & 1 != 0)
                || address.as_bytes().iter().all(|byte| *byte == 0)
        };
        let has_ends = entry.dst.is_some() && whose(entry) == SELF && entry.lladdr.is_some_and(is_of_many);
        let verb = if has_ends { Verb::Append } else { Verb::Replace };
        plan.object(Stage::ForwardingComes, place, verb, Object::Forwarding(Box::new(asked(entry))));
    }
}

/// Adds how the forwarding databases differ from what is wanted.
pub(super) fn differences(context: &Context<'_>, names: &Names, to: &mut Vec<Difference>) {
    let place = context.place;
    let name = |entry: &Neighbour| format!("fdb {}", words::forwarding(entry, names, place));
    let delta = delta(context);
    to.extend(delta.made.iter().map(|entry| Difference::missing(place, name(entry))));
    to.extend(delta.gone.iter().map(|entry| Difference::surplus(place, name(entry))));
    for (now, wanted) in delta.changed {
        let shown = |entry: &Neighbour| Some(words::forwarding(entry, names, place));
        to.push(Difference { place, object: name(wanted), attribute: "value", is: shown(now), should: shown(wanted) });
    }
}
