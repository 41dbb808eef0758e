//! Next hops, which routes share, and groups of them. Pure.

use std::collections::BTreeSet;

use vwire_netlink::Nexthop;

use super::delta::{Delta, compare};
use super::difference::Difference;
use super::plan::{Context, Plan, Stage};
use super::scope::Scope;
use super::world::{Place, World};
use super::{Object, Verb, words};
use crate::snapshot::state::State;
use crate::step::world::Names;

/// `RTNH_F_ONLINK`.
const ONLINK: u32 = 4;

fn considered<'a>(context: &Context<'a>, state: &'a State) -> impl Iterator<Item = &'a Nexthop> {
    let context = *context;
    let by_hand = |hop: &Nexthop| matches!(hop.protocol, 0 | 3 | 4);
    state
        .nexthops
        .iter()
        .filter(move |hop| context.scope.has_nexthop(context.place, hop) && (context.is_picture() || by_hand(hop)))
}

fn asked(hop: &Nexthop) -> Nexthop {
    let mut res_group = hop.res_group.clone();
    if let Some(group) = &mut res_group {
        group.unbalanced_time = None;
    }
    let is_group = hop.group.is_some();
    Nexthop {
        flags: hop.flags & ONLINK,
        scope: 0,
        group_type: hop.group_type.filter(|_| is_group),
        res_group,
        res_bucket: None,
        group_stats: None,
        hw_stats_enable: None,
        hw_stats_used: None,
        op_flags: None,
        ..hop.clone()
    }
}

fn delta<'a>(context: &Context<'a>) -> Delta<'a, Nexthop> {
    let picture = context.is_picture();
    let satisfied = |wanted: &Nexthop, now: &Nexthop| {
        let (wanted, mut now) = (asked(wanted), asked(now));
        if !picture && wanted.protocol == 0 {
            now.protocol = 0;
        }
        if !picture && wanted.group_type.is_none() {
            now.group_type = None;
        }
        wanted == now
    };
    compare(considered(context, context.wanted), considered(context, context.now), |hop| hop.id, satisfied)
}

/// Adds the steps that bring next hops to what is wanted.
pub(super) fn plan(context: &Context<'_>, plan: &mut Plan) {
    let place = context.place;
    let mut delta = delta(context);
    // Groups go before their members, and come after.
    delta.gone.sort_by_key(|hop| hop.group.is_none());
    for hop in delta.gone {
        let which = Nexthop { id: hop.id, ..Nexthop::default() };
        plan.object(Stage::NexthopGoes, place, Verb::Delete, Object::Nexthop(Box::new(which)));
    }
    let mut come: Vec<&Nexthop> = delta.made;
    come.extend(delta.changed.into_iter().map(|(_, wanted)| wanted));
    come.sort_by_key(|hop| hop.group.is_some());
    for hop in come {
        plan.object(Stage::NexthopComes, place, Verb::Replace, Object::Nexthop(Box::new(asked(hop))));
    }
}

/// Adds how the next hops differ from what is wanted.
pub(super) fn differences(context: &Context<'_>, names: &Names, to: &mut Vec<Difference>) {
    let place = context.place;
    let name = |hop: &Nexthop| format!("nexthop {}", words::nexthop(hop, names, place));
    let delta = delta(context);
    to.extend(delta.made.iter().map(|hop| Difference::missing(place, name(hop))));
    to.extend(delta.gone.iter().map(|hop| Difference::surplus(place, name(hop))));
    for (now, wanted) in delta.changed {
        let shown = |hop: &Nexthop| Some(words::nexthop(hop, names, place));
        to.push(Difference { place, object: name(wanted), attribute: "value", is: shown(now), should: shown(wanted) });
    }
}

/// Adds the next hops that go with links of the scope, and the groups that they are in.
pub(super) fn add_dependents(scope: &mut Scope, world: &World) {
    for (position, state) in world.states.iter().enumerate() {
        let place = Place(position);
        let found: BTreeSet<u32> =
            state.nexthops.iter().filter(|hop| scope.has_nexthop(place, hop)).filter_map(|hop| hop.id).collect();
        let groups =
            state.nexthops.iter().filter(|hop| hop.group.iter().flatten().any(|member| found.contains(&member.id)));
        let groups: Vec<u32> = groups.filter_map(|hop| hop.id).collect();
        if let Some(parts) = scope.parts(place) {
            parts.nexthops.extend(found.iter().copied().chain(groups));
        }
    }
}
