//! What goes with a link that goes, and what becomes of a link that moves, in the picture of a world. Pure.

use std::collections::BTreeSet;

use vwire_netlink::{IfName, Link};

use super::below::{Below, ELSEWHERE};
use super::link::{ON_TOP, is_on_top};
use super::part::UP;
use super::plan::{Plan, Stage};
use super::world::{End, Place, World};
use super::{Object, Verb};

/// A link that is in another place than it should be.
pub(super) struct Move {
    pub(super) from: End,
    pub(super) to: End,
}

/// Adds the step that moves a link, and moves it in the picture of what is there: it arrives down and alone; `name` is
/// what it is called there, if that is another.
pub(super) fn plan_move(moving: &Move, name: Option<IfName>, left: &mut World, plan: &mut Plan) {
    let Some(state) = left.states.get(moving.from.place.0) else { return };
    let Some(link) = state.link(moving.from.index).cloned() else { return };
    let below = Below::of(&link, moving.from, &left.lowers);
    let above = uppers(left, moving.from);
    let other = left.other_end(moving.from);
    remove(left, moving.from);
    let name = name.or(link.ifname);
    let request =
        Link { index: moving.from.index, ifname: name, new_ifindex: Some(moving.to.index), ..Link::default() };
    let object = Object::Link { link: Box::new(request), into: Some(moving.to.place), peer: None };
    plan.object(Stage::LinkMoves, moving.from.place, Verb::Set, object);
    let arrived = Link { index: moving.to.index, ifname: name, flags: link.flags & !UP, master: None, ..link };
    if let Some(state) = left.states.get_mut(moving.to.place.0) {
        state.links.push(arrived);
    }
    stand(left, moving.to, below, &above);
    // Its cable moves with it.
    left.cables.extend(other.map(|other| (moving.to, other)));
}

/// Takes a link out of a world, with all that goes with it in its place.
pub(super) fn remove(world: &mut World, end: End) {
    world.cables.retain(|(one, other)| *one != end && *other != end);
    world.lowers.retain(|upper, lower| *upper != end && *lower != end);
    let Some(state) = world.states.get_mut(end.place.0) else { return };
    let index = end.index;
    state.links.retain(|link| link.index != index);
    state.bridge_links.retain(|link| link.index != index);
    for link in state.links.iter_mut().filter(|link| link.master == Some(index)) {
        link.master = None;
    }
    state.addresses.retain(|address| address.index != index);
    state.neighbours.retain(|neighbour| neighbour.index != index);
    state.forwarding.retain(|entry| entry.index != index && entry.master != Some(index));
    state.labels.retain(|label| label.index != index);
    let gone: BTreeSet<u32> =
        state.nexthops.iter().filter(|hop| hop.oif == Some(index)).filter_map(|hop| hop.id).collect();
    state.nexthops.retain(|hop| hop.oif != Some(index));
    state.routes.retain(|route| {
        !super::route::links(route).any(|through| through == index) && !route.nh_id.is_some_and(|id| gone.contains(&id))
    });
}

/// Takes a link out of a world, with all links that go with it.
pub(super) fn remove_with_all(world: &mut World, end: End) {
    let mut waiting = vec![end];
    while let Some(end) = waiting.pop() {
        waiting.extend(world.other_end(end));
        waiting.extend(uppers(world, end));
        remove(world, end);
    }
}

/// Returns the links that stand on one, of its place and of others.
pub(super) fn uppers(world: &World, end: End) -> Vec<End> {
    let here = world.state(end.place).links.iter().filter(|link| is_on_top(link, end.index));
    let here = here.map(|link| End { index: link.index, ..end }).filter(|upper| !world.lowers.contains_key(upper));
    let elsewhere = world.lowers.iter().filter(|(_, lower)| **lower == end).map(|(upper, _)| *upper);
    here.chain(elsewhere).collect()
}

/// Notes of a link that has come to another place what it stands on, and what stands on it: both stayed where they were.
pub(super) fn stand(world: &mut World, end: End, below: Option<Below>, above: &[End]) {
    let lower = match below {
        Some(Below::Seen(lower)) => Some((end, lower)),
        _ => None,
    };
    for (upper, lower) in lower.into_iter().chain(above.iter().map(|upper| (*upper, end))) {
        let is_here = upper.place == lower.place;
        let state = world.states.get_mut(upper.place.0);
        if let Some(link) = state.and_then(|state| state.links.iter_mut().find(|link| link.index == upper.index)) {
            link.link = Some(lower.index);
            link.link_netnsid = (!is_here).then_some(ELSEWHERE);
            match is_here {
                true => drop(world.lowers.remove(&upper)),
                false => drop(world.lowers.insert(upper, lower)),
            }
        }
    }
}

/// Notes that a link which was just made stands on one of another place.
pub(super) fn put_on(world: &mut World, end: End, lower: End) {
    if world.state(end.place).link(end.index).and_then(Link::kind).is_some_and(|kind| ON_TOP.contains(&kind)) {
        stand(world, end, Some(Below::Seen(lower)), &[]);
    }
}

/// Moves a link to another place, or out of sight where that is none of the world's.
pub(super) fn depart(world: &mut World, from: End, into: Option<Place>, index: Option<u32>) {
    let Some(link) = world.state(from.place).link(from.index).cloned() else { return };
    let below = Below::of(&link, from, &world.lowers);
    let above = uppers(world, from);
    remove(world, from);
    let Some((place, state)) = into.and_then(|into| Some((into, world.states.get_mut(into.0)?))) else { return };
    let index = index.unwrap_or(link.index);
    state.links.push(Link { index, flags: link.flags & !UP, master: None, ..link });
    stand(world, End { place, index }, below, &above);
}
