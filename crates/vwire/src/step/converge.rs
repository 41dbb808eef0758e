//! The one function that plans, rollbacks, drift and labs stand on: from what is there to what is wanted. Pure.

use std::collections::BTreeSet;

use vwire_netlink::LinkAddress;

use super::difference::Difference;
use super::plan::{Context, Plan};
use super::scope::Scope;
use super::world::{End, Names, Place, World};
use super::{Step, address, below, forwarding, label, link, neighbour, nexthop, route, rule, sysctl, vlan};

/// Returns the steps that bring what is there to what is wanted, in an order that the kernel takes.
///
/// Links are matched by place and index; new ones get the index wanted. Nothing outside `scope` is touched. What the
/// kernel makes and takes away by itself is left to it as long as the plan changes the link that it belongs to: look
/// again and call again until nothing is left to do, which is two or three times at most ([`super::run::reach`]).
#[must_use]
pub fn converge(wanted: &World, now: &World, scope: &Scope) -> Vec<Step> {
    let mut plan = Plan::default();
    let outcome = link::plan(wanted, now, scope, &mut plan);
    let mut busy = outcome.busy;
    let above = below::above(&[wanted, now]);
    for place in (0..wanted.states.len()).map(Place) {
        one_place((wanted, &outcome.left), scope, place, &mut busy, &above, &mut plan);
    }
    plan.into_steps()
}

fn one_place(
    (wanted, now): (&World, &World),
    scope: &Scope,
    place: Place,
    busy: &mut BTreeSet<End>,
    above: &BTreeSet<(End, LinkAddress)>,
    plan: &mut Plan,
) {
    let (wanted, now) = (wanted.state(place), now.state(place));
    let mut touched = Vec::new();
    address::plan(&Context { place, wanted, now, scope, busy, above }, plan, &mut touched);
    busy.extend(touched.into_iter().map(|index| End { place, index }));
    let context = Context { place, wanted, now, scope, busy, above };
    nexthop::plan(&context, plan);
    route::plan(&context, plan);
    rule::plan(&context, plan);
    neighbour::plan(&context, plan);
    forwarding::plan(&context, plan);
    vlan::plan(&context, plan);
    label::plan(&context, plan);
    sysctl::plan(&context, plan);
}

/// Returns how what is there differs from what is wanted.
#[must_use]
pub fn differences(wanted: &World, now: &World, scope: &Scope) -> Vec<Difference> {
    differences_among(Vec::new(), wanted, now, scope)
}

/// Does as [`differences`] of places that are called so.
#[must_use]
pub fn differences_among(places: Vec<String>, wanted: &World, now: &World, scope: &Scope) -> Vec<Difference> {
    let names = Names::of(places, &[wanted, now]);
    let mut found = Vec::new();
    link::differences(wanted, now, scope, &names, &mut found);
    let (busy, above) = (BTreeSet::new(), below::above(&[wanted, now]));
    for place in (0..wanted.states.len()).map(Place) {
        let (wanted, now) = (wanted.state(place), now.state(place));
        let context = Context { place, wanted, now, scope, busy: &busy, above: &above };
        address::differences(&context, &names, &mut found);
        nexthop::differences(&context, &names, &mut found);
        route::differences(&context, &names, &mut found);
        rule::differences(&context, &names, &mut found);
        neighbour::differences(&context, &names, &mut found);
        forwarding::differences(&context, &names, &mut found);
        vlan::differences(&context, &names, &mut found);
        label::differences(&context, &names, &mut found);
        sysctl::differences(&context, &mut found);
    }
    found
}
