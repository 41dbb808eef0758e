//! What two snapshots say otherwise: namespaces that came and went, and in those that stayed what changed. Pure.
//!
//! A namespace is the same in both where both call it their own, or by a name of its, or else by the inode of its file.
//! What is compared is what somebody can set, as plans and rollbacks compare it, and besides the state of each link and
//! who holds which queue of a TUN or TAP. What a snapshot could not read is not taken for gone: such a namespace is told
//! as not compared.

use std::collections::BTreeSet;
use std::convert::Infallible;

use vwire_netlink::Link;

use super::below;
use super::converge::differences;
use super::difference::Difference;
use super::part;
use super::scope::{Reading, Scope};
use super::world::{End, Place, World};
use crate::snapshot::device::OPERSTATES;
use crate::snapshot::document::{Namespace, Queue, Snapshot};
use crate::snapshot::state::State;

/// What became of a namespace from one snapshot to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The second alone has it, with these links.
    Came(Vec<String>),
    /// The first alone has it, with these links.
    Went(Vec<String>),
    /// Both have it; what of it changed: from `is` to `should`.
    Stayed(Vec<Difference>),
    /// One of them could not read it, for this reason.
    Unread(String),
}

/// A namespace of two snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What people call it; none for the one that both were taken in.
    pub namespace: Option<String>,
    /// What became of it.
    pub fate: Fate,
}

/// Compares two snapshots; namespaces in which nothing changed are left out.
#[must_use]
pub fn compare(before: &Snapshot, after: &Snapshot) -> Vec<Compared> {
    let pairs = pairs(before, after);
    // What is not in both, or not read, has no tables to compare, but its place.
    let is_read = |(one, other): &(Option<&Namespace>, Option<&Namespace>)| match (one, other) {
        // What neither could read is alike in both.
        (Some(one), Some(other)) => unread(one) == unread(other),
        _ => false,
    };
    let firsts: Vec<_> = pairs.iter().map(|pair| pair.0.filter(|_| is_read(pair))).collect();
    let seconds: Vec<_> = pairs.iter().map(|pair| pair.1.filter(|_| is_read(pair))).collect();
    let (mut first, mut second) = (World::of_namespaces(&firsts), World::of_namespaces(&seconds));
    for (one, other) in first.states.iter_mut().zip(&mut second.states) {
        // Sysctls are files, and each may be closed to who reads.
        one.sysctls.retain(|name, _| other.sysctls.contains_key(name));
        other.sysctls.retain(|name, _| one.sysctls.contains_key(name));
    }
    let mut found = differences(&second, &first, &Scope::whole(pairs.len(), Reading::Picture));
    found.extend(states(&first, &second));
    found.extend(holders(before, after, &pairs));
    let links = |namespace: &Namespace| namespace.state.links.iter().filter_map(name).collect();
    let compared = pairs.iter().enumerate().filter_map(|(place, pair)| {
        let fate = match pair {
            (None, Some(after)) => Fate::Came(links(after)),
            (Some(before), None) => Fate::Went(links(before)),
            (Some(one), Some(other)) if !is_read(pair) => Fate::Unread(unread(one).or(unread(other))?.to_owned()),
            _ => Fate::Stayed(found.iter().filter(|change| change.place == Place(place)).cloned().collect()),
        };
        let called = pair.1.or(pair.0)?;
        let namespace = (!called.here).then(|| called.label.to_string());
        (fate != Fate::Stayed(Vec::new())).then_some(Compared { namespace, fate })
    });
    compared.collect()
}

impl World {
    /// Takes each namespace for a place; one that is not there is an empty place.
    #[must_use]
    pub fn of_namespaces(namespaces: &[Option<&Namespace>]) -> Self {
        let states: Vec<State> =
            namespaces.iter().map(|namespace| namespace.map_or_else(State::default, state)).collect();
        let world = Self { states, ..Self::default() };
        let mut cables = Vec::new();
        let place_of = |inode: u64| {
            let is_it = |namespace: &Option<&Namespace>| namespace.is_some_and(|one| one.inode == Some(inode));
            namespaces.iter().position(is_it).map(Place)
        };
        for (position, namespace) in namespaces.iter().enumerate() {
            let Some(namespace) = namespace else { continue };
            for link in world.state(Place(position)).links.iter().filter(|link| is_cable(link)) {
                let place = match link.link_netnsid {
                    None => Some(Place(position)),
                    Some(id) => {
                        let known = namespace.ids.iter().find(|other| other.id == id);
                        known.and_then(|other| other.inode).and_then(place_of)
                    }
                };
                let end = End { place: Place(position), index: link.index };
                let other = place.zip(link.link).map(|(place, index)| End { place, index });
                let is_there = |other: &End| world.state(other.place).link(other.index).is_some();
                // Each cable is found from both of its ends.
                if let Some(other) = other.filter(|other| end < *other && is_there(other)) {
                    cables.push((end, other));
                }
            }
        }
        let ids = |place: Place, other: Place| {
            let inode = namespaces.get(other.0).copied().flatten().and_then(|other| other.inode);
            let known = namespaces.get(place.0).copied().flatten().map_or(&[][..], |own| &own.ids);
            let id = known.iter().find(|known| inode.is_some() && known.inode == inode).map(|known| known.id);
            Ok::<_, Infallible>(id)
        };
        let Ok(lowers) = below::lowers(&world, ids);
        Self { cables, lowers, ..world }
    }
}

fn is_cable(link: &Link) -> bool {
    matches!(link.kind(), Some("veth" | "netkit"))
}

/// Returns what a namespace holds in the form in which plans look at it.
fn state(namespace: &Namespace) -> State {
    let mut state = namespace.state.clone();
    state.links.iter_mut().for_each(part::forget_what_moves);
    state
}

/// Returns the reason why the tables of a namespace are not whole.
fn unread(namespace: &Namespace) -> Option<&str> {
    namespace.state.missing.first().map(String::as_str)
}

/// Returns each namespace of the two, those of the second in its order and then those that went.
fn pairs<'a>(before: &'a Snapshot, after: &'a Snapshot) -> Vec<(Option<&'a Namespace>, Option<&'a Namespace>)> {
    let mut left: Vec<&Namespace> = before.namespaces.iter().collect();
    let mut pairs: Vec<(Option<&Namespace>, Option<&Namespace>)> = Vec::new();
    // Who is the same by name is not taken by another that happens to have the number.
    let mut found: Vec<Option<&Namespace>> = vec![None; after.namespaces.len()];
    for is_same in [is_same_by_name, is_same_by_number] {
        for (namespace, found) in after.namespaces.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            let place = left.iter().position(|other| is_same(other, namespace));
            *found = place.map(|place| left.remove(place));
        }
    }
    pairs.extend(found.into_iter().zip(after.namespaces.iter().map(Some)));
    pairs.extend(left.into_iter().map(|namespace| (Some(namespace), None)));
    pairs
}

fn is_same_by_name(one: &Namespace, other: &Namespace) -> bool {
    one.here && other.here || one.names.iter().any(|name| other.names.contains(name))
}

fn is_same_by_number(one: &Namespace, other: &Namespace) -> bool {
    let is_nameless = |namespace: &Namespace| !namespace.here && namespace.names.is_empty();
    let is_same = match (one.inode, other.inode) {
        (Some(inode), Some(number)) => inode == number && one.device == other.device,
        _ => one.known_from.is_some() && one.known_from == other.known_from,
    };
    is_same && is_nameless(one) && is_nameless(other)
}

fn name(link: &Link) -> Option<String> {
    link.ifname.map(|name| name.to_string())
}

/// Returns which links have another state: carrier came or went, or what is below is down.
fn states(before: &World, after: &World) -> Vec<Difference> {
    let mut changes = Vec::new();
    for (position, (one, other)) in before.states.iter().zip(&after.states).enumerate() {
        for link in &other.links {
            let same = one.link(link.index).filter(|one| one.operstate != link.operstate);
            let Some(was) = same else { continue };
            changes.push(Difference {
                place: Place(position),
                object: format!("link {}", name(link).unwrap_or_else(|| format!("if{}", link.index))),
                attribute: "state",
                is: operstate(was),
                should: operstate(link),
            });
        }
    }
    changes
}

fn operstate(link: &Link) -> Option<String> {
    let state = link.operstate?;
    let word = OPERSTATES.get(usize::from(state)).map_or_else(|| state.to_string(), |&word| word.to_owned());
    Some(format!("state {word}"))
}

/// Returns which processes opened a queue of a TUN or TAP, or closed theirs.
fn holders(before: &Snapshot, after: &Snapshot, pairs: &[(Option<&Namespace>, Option<&Namespace>)]) -> Vec<Difference> {
    let held = |snapshot: &Snapshot, namespace: &Namespace| -> BTreeSet<(String, u32, String)> {
        let own =
            snapshot.queues.iter().filter(|queue| queue.namespace.is_some() && queue.namespace == namespace.inode);
        own.map(|Queue { link, pid, command, .. }| (link.to_string(), *pid, command.clone())).collect()
    };
    let mut changes = Vec::new();
    for (position, pair) in pairs.iter().enumerate() {
        let (Some(one), Some(other)) = pair else { continue };
        let (one, other) = (held(before, one), held(after, other));
        let change = |(link, pid, command): &(String, u32, String), came: bool| {
            let who = Some(format!("held by {command} (pid {pid})"));
            let (is, should) = if came { (None, who) } else { (who, None) };
            Difference { place: Place(position), object: format!("link {link}"), attribute: "held by", is, should }
        };
        changes.extend(one.difference(&other).map(|went| change(went, false)));
        changes.extend(other.difference(&one).map(|came| change(came, true)));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::document::OtherNamespace;

    fn veth(index: u32, name: &str, link: u32, id: Option<i32>) -> Link {
        let mut made = Link { index, mtu: Some(1500), link: Some(link), ..Link::named(name.parse().unwrap()) };
        made.set_kind("veth", None);
        made.link_netnsid = id;
        made.operstate = Some(6);
        made
    }

    fn namespace(name: &str, inode: u64, links: Vec<Link>) -> Namespace {
        Namespace {
            label: name.into(),
            here: name.is_empty(),
            names: if name.is_empty() { Vec::new() } else { vec![name.into()] },
            inode: Some(inode),
            ids: vec![OtherNamespace { id: 0, inode: Some(3 - inode) }],
            state: State { links, ..State::default() },
            ..Namespace::default()
        }
    }

    fn pair() -> Snapshot {
        let namespaces = vec![
            namespace("", 1, vec![veth(2, "a", 2, Some(0))]),
            namespace("blue", 2, vec![veth(2, "b", 2, Some(0))]),
        ];
        Snapshot { namespaces, ..Snapshot::new() }
    }

    #[test]
    fn cables_are_found_from_ids() {
        let snapshot = pair();
        let all: Vec<Option<&Namespace>> = snapshot.namespaces.iter().map(Some).collect();
        let end = |place| End { place: Place(place), index: 2 };
        assert_eq!(World::of_namespaces(&all).cables, [(end(0), end(1))]);
    }

    #[test]
    fn what_is_alike_says_nothing() {
        assert_eq!(compare(&pair(), &pair()), []);
    }

    #[test]
    fn what_changed_is_told_with_where() {
        let (before, mut after) = (pair(), pair());
        let link = &mut after.namespaces[1].state.links[0];
        (link.mtu, link.operstate) = (Some(1400), Some(2));
        after.queues.push(Queue {
            link: "a".into(),
            namespace: Some(1),
            pid: 7,
            command: "vpn".into(),
            ..Queue::default()
        });
        let found = compare(&before, &after);
        let told = |compared: &Compared| match &compared.fate {
            Fate::Stayed(changes) => {
                let told = |change: &Difference| {
                    let (is, should) = change.values();
                    format!("{} {} {is:?} {should:?}", change.object, change.attribute)
                };
                changes.iter().map(told).collect::<Vec<_>>()
            }
            other => vec![format!("{other:?}")],
        };
        assert_eq!(found.iter().map(|one| one.namespace.as_deref()).collect::<Vec<_>>(), [None, Some("blue")]);
        assert_eq!(told(&found[0]), ["link a held by None Some(\"vpn (pid 7)\")"]);
        assert_eq!(
            told(&found[1]),
            ["link b mtu Some(\"1500\") Some(\"1400\")", "link b state Some(\"UP\") Some(\"DOWN\")"]
        );
    }

    #[test]
    fn namespaces_come_go_and_are_known_by_name_before_number() {
        let (before, mut after) = (pair(), pair());
        after.namespaces[1].names = vec!["red".into()];
        after.namespaces[1].label = "red".into();
        let found = compare(&before, &after);
        let fates: Vec<_> = found.iter().map(|one| (one.namespace.as_deref(), &one.fate)).collect();
        let links = vec!["b".to_owned()];
        assert_eq!(fates, [(Some("red"), &Fate::Came(links.clone())), (Some("blue"), &Fate::Went(links))]);
    }

    #[test]
    fn what_could_not_be_read_is_not_taken_for_gone() {
        let (before, mut after) = (pair(), pair());
        after.namespaces[1].state = State { missing: vec!["all of it: no".to_owned()], ..State::default() };
        let found = compare(&before, &after);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].fate, Fate::Unread("all of it: no".to_owned()));
    }
}
