//! Devices of the machine itself that a lab's file names and does not make: whether they are there, and which may be meant.
//! Pure.

use super::compile::{LOOPBACK, Problem};
use super::file::route::few;
use super::mark;
use super::model::{Hop, Lab, Node, Route, RouteAction};
use super::nearest::nearest;
use crate::snapshot::state::State;

/// Returns what the file names of the machine itself and neither the lab nor the machine has; `now` is what the nodes hold.
#[must_use]
pub fn problems(lab: &Lab, now: &[State]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (node, there) in lab.nodes.iter().zip(now) {
        let lost = node.outside.iter().filter(|outside| !is_there(lab, node, there, &outside.device));
        problems.extend(lost.map(|outside| Problem {
            what: format!("neither this machine nor the lab has a device `{}`", outside.device),
            span: outside.span,
            hint: Some(meant(node, there, &outside.device)),
        }));
    }
    problems
}

/// Returns whether a device is the lab's own or the machine's; what the lab made and its file names no more is about to go.
fn is_there(lab: &Lab, node: &Node, there: &State, name: &str) -> bool {
    node.devices.iter().any(|own| own.name == name)
        || there
            .link_named(name.as_bytes())
            .is_some_and(|link| !link.alt_names().iter().any(|name| mark::is_host_link_of(&lab.name, name.as_bytes())))
}

/// Returns whether a route leads by devices that are there, as far as they are the machine's own: routes by one that went
/// are gone with it, which is no reason to know nothing of all others.
pub(super) fn leads_on(lab: &Lab, node: &Node, there: &State, route: &Route) -> bool {
    let RouteAction::Via(hops) = &route.action else { return true };
    let is_lost =
        |hop: &Hop| hop.device.as_ref().is_some_and(|name| is_outside(node, name) && !is_there(lab, node, there, name));
    !hops.iter().any(is_lost)
}

fn is_outside(node: &Node, name: &str) -> bool {
    node.outside.iter().any(|outside| outside.device == name)
}

/// Returns what is left of a route of the machine itself once the lab's devices are gone, and most of it with them: all of it
/// where it leads by none of them, without its gateways where it leads by others, too.
#[must_use]
pub fn left_of(node: &Node, route: &Route) -> Option<Route> {
    let RouteAction::Via(hops) = &route.action else { return Some(route.clone()) };
    let stays = |hop: &&Hop| hop.device.as_ref().is_none_or(|name| is_outside(node, name));
    match hops.iter().filter(stays).count() {
        0 => None,
        all if all == hops.len() => Some(route.clone()),
        _ => Some(Route { action: RouteAction::Via(Vec::new()), ..route.clone() }),
    }
}

/// Says which devices of the lab on the machine itself, or of the machine, may be meant.
pub(super) fn meant(node: &Node, there: &State, name: &str) -> String {
    let mut names: Vec<String> = node.devices.iter().map(|device| device.name.clone()).collect();
    for link in there.links.iter().filter(|link| link.index != LOOPBACK) {
        let is_of_a_lab = link.alt_names().iter().any(|name| mark::read_host_link(name.as_bytes()).is_some());
        let name = link.ifname.map(|name| name.to_string()).filter(|name| !is_of_a_lab && !names.contains(name));
        names.extend(name);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match nearest(name, names.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`? `vwire ls` shows the devices of this machine"),
        None if names.is_empty() => "it has none but `lo` and what labs made".to_owned(),
        None => format!("it has {}", few(&names)),
    }
}
