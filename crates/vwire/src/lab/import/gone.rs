//! Takes from a namespace the links that a file cannot say, with all that hangs on them: a file must read back. Pure.
//!
//! A route over a cable that is not written would name a device that is not there.

use vwire_netlink::{Link, Route, Rule};

use super::device::{self, name_of};
use super::{Seen, shown};
use crate::snapshot::device::NamespacePart;
use crate::snapshot::state::State;

/// A namespace as a file can say it.
pub(crate) struct Pruned {
    /// Its links and addresses.
    pub(crate) part: NamespacePart,
    /// Its tables.
    pub(crate) state: State,
    /// What is left out: the device, why, and what hangs on it.
    pub(crate) left_out: Vec<(String, String)>,
}

/// Returns what of each namespace a file can say, if these are all that it is about.
pub(crate) fn prune(seen: &[Seen<'_>]) -> Vec<Pruned> {
    seen.iter().map(|one| of_one(one, seen)).collect()
}

fn of_one(one: &Seen<'_>, all: &[Seen<'_>]) -> Pruned {
    let mut pruned = Pruned { part: one.part.clone(), state: one.state.clone(), left_out: Vec::new() };
    // What is on top of a link that goes is found in the next round.
    loop {
        let why = |link: &Link| why_not(link, &pruned.part, all);
        let Some((link, why)) = shown(&pruned.part).find_map(|link| Some((link.clone(), why(link)?))) else { break };
        let hanging = take(&mut pruned, &link);
        pruned.left_out.push((name_of(&link), format!("{why}{hanging}")));
    }
    pruned
}

/// Returns why a file cannot say a link.
fn why_not(link: &Link, part: &NamespacePart, all: &[Seen<'_>]) -> Option<String> {
    match link.kind() {
        Some("bridge") => None,
        Some("veth") => {
            let inode = match link.link_netnsid {
                None => Some(part.inode),
                Some(id) => part.ids.get(&id).copied(),
            };
            let there = all.iter().find(|other| Some(other.part.inode) == inode);
            let is_seen = there.is_some_and(|other| other.part.links.iter().any(|far| Some(far.index) == link.link));
            (!is_seen).then(|| "a cable whose other end is not seen".to_owned())
        }
        kind if device::table(part, link, None, below(link, part, all).as_deref()).is_none() => {
            Some(match (kind, link.link_netnsid) {
                (Some(kind), Some(_)) => {
                    format!("{kind}, on a device of another namespace, which is not seen or not written")
                }
                (Some(kind), None) => kind.to_owned(),
                (None, _) => "a link of hardware".to_owned(),
            })
        }
        _ => None,
    }
}

/// Returns the name of the device below a link, where that is in another namespace and a file can say it: of this
/// machine's own any.
fn below(link: &Link, part: &NamespacePart, all: &[Seen<'_>]) -> Option<String> {
    let (other, lower) = lower_elsewhere(link, part, all)?;
    let is_said = all[other].part.name.is_empty() || why_not(lower, all[other].part, all).is_none();
    is_said.then(|| name_of(lower))
}

/// Returns the device below a link, where that is in another namespace which is seen, and the position of that.
pub(crate) fn lower_elsewhere<'a>(link: &Link, part: &NamespacePart, all: &[Seen<'a>]) -> Option<(usize, &'a Link)> {
    let inode = part.ids.get(&link.link_netnsid?)?;
    let other = all.iter().position(|other| other.part.inode == *inode)?;
    let lower = all[other].part.links.iter().find(|lower| Some(lower.index) == link.link)?;
    Some((other, lower))
}

/// Takes a link with all that hangs on it, and says what that was.
fn take(pruned: &mut Pruned, link: &Link) -> String {
    let index = link.index;
    pruned.part.links.retain(|other| other.index != index);
    pruned.part.addresses.retain(|address| address.index != index);
    let state = &mut pruned.state;
    state.links.retain(|other| other.index != index);
    state.addresses.retain(|address| address.index != index);
    state.bridge_links.retain(|port| port.index != index);
    let routes = count(&mut state.routes, |route| goes_over(route, index), super::route::is_own);
    let rules = count(&mut state.rules, |rule| names(rule, link), super::rule::is_own);
    let neighbours = count(&mut state.neighbours, |one| one.index == index, super::rule::is_static);
    let said =
        [(routes, "route"), (rules, "rule"), (neighbours, "neighbour")].into_iter().filter(|(count, _)| *count > 0);
    let said: Vec<String> =
        said.map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" })).collect();
    if said.is_empty() { String::new() } else { format!(", with {}", said.join(" and ")) }
}

/// Takes what is meant out of a list, and returns how much of it somebody had set.
fn count<T>(list: &mut Vec<T>, is_meant: impl Fn(&T) -> bool, is_own: impl Fn(&T) -> bool) -> usize {
    let own = list.iter().filter(|one| is_meant(one) && is_own(one)).count();
    list.retain(|one| !is_meant(one));
    own
}

fn goes_over(route: &Route, index: u32) -> bool {
    route.oif == Some(index) || route.multipath.iter().flat_map(|hops| &hops.0).any(|hop| hop.index == index)
}

fn names(rule: &Rule, link: &Link) -> bool {
    let is_it = |name: Option<vwire_netlink::IfName>| name.is_some() && name == link.ifname;
    is_it(rule.iifname) || is_it(rule.oifname)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vwire_netlink::wire::link::macvlan::Macvlan;

    fn link(index: u32, name: &str, kind: &str) -> Link {
        let mut link = Link { index, ..Link::named(name.parse().unwrap()) };
        link.set_kind(kind, None);
        link
    }

    #[test]
    fn what_hangs_on_a_cable_that_is_not_seen_goes_with_it() {
        let mut cable = link(2, "eth0", "veth");
        (cable.link, cable.link_netnsid) = (Some(9), Some(0));
        let mut on_top = link(3, "mv0", "macvlan");
        on_top.set_kind("macvlan", Some(Macvlan { mode: Some(4), ..Macvlan::default() }.into()));
        on_top.link = Some(2);
        let part = NamespacePart {
            inode: 1,
            links: vec![cable.clone(), on_top.clone(), link(4, "br0", "bridge")],
            ..NamespacePart::default()
        };
        let over = |oif| Route { family: 2, route_type: 1, protocol: 3, oif: Some(oif), ..Route::default() };
        let state = State { links: part.links.clone(), routes: vec![over(2), over(4)], ..State::default() };
        let usual = crate::snapshot::sysctl::Sysctls::default();
        let seen = Seen { part: &part, state: &state, qdiscs: &[], chains: &[], rules: &[], usual: &usual };
        let pruned = prune(&[seen]).remove(0);
        assert_eq!(pruned.part.links.iter().map(|link| link.index).collect::<Vec<_>>(), [4]);
        assert_eq!(pruned.state.routes, [over(4)]);
        let told: Vec<_> = pruned.left_out.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        assert_eq!(told, ["eth0: a cable whose other end is not seen, with 1 route", "mv0: macvlan"]);
    }
}
