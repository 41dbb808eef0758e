//! Why a link cannot become what is wanted, and goes and comes again. Pure.

use std::collections::{BTreeMap, BTreeSet};

use vwire_netlink::Link;

use super::difference::Difference;
use super::link::{Map, is_another, shown_below};
use super::part;
use super::world::{End, Names, World};

/// Returns for each of the links that are made why it was not enough to change the one that was there: because of itself,
/// or because of another with which it goes.
#[must_use]
pub fn why(wanted: &World, now: &World, made: &BTreeSet<End>, names: &Names) -> BTreeMap<End, String> {
    let (wanted, now) = (Map::of(wanted), Map::of(now));
    let mut found = BTreeMap::new();
    let mut others = Vec::new();
    for end in made {
        let (Some(link), Some(there)) = (wanted.links.get(end), now.links.get(end)) else { continue };
        if is_another(*end, link, there, &wanted, &now) {
            let difference = difference(*end, (link, there), (&wanted, &now), names, String::new());
            found.insert(*end, sentence(&difference));
            others.extend(now.going_with(*end).into_iter().map(|other| (other, *end)));
        }
    }
    for (other, end) in others.into_iter().filter(|(other, _)| made.contains(other)) {
        found.entry(other).or_insert_with(|| format!("comes anew: it goes with {}", called(end, other, names)));
    }
    found
}

fn sentence(difference: &Difference) -> String {
    let attribute = difference.attribute;
    match difference.values() {
        (Some(is), Some(should)) if attribute == "type" => format!("comes anew: no {is} becomes a {should}"),
        (Some(is), Some(should)) => format!("comes anew: its {attribute} cannot change from {is} to {should}"),
        _ => format!("comes anew: its {attribute} cannot change"),
    }
}

/// Returns in what a link differs that can never become what is wanted ([`is_another`]).
pub(super) fn difference(
    end: End,
    (wanted, now): (&Link, &Link),
    (wanted_map, now_map): (&Map<'_>, &Map<'_>),
    names: &Names,
    object: String,
) -> Difference {
    let differs = |attribute, is: Option<String>, should| Difference {
        place: end.place,
        object: object.clone(),
        attribute,
        is,
        should: Some(should),
    };
    let kind = |link: &Link| link.kind().unwrap_or("hardware").to_owned();
    if now.kind() != wanted.kind() {
        return differs("type", Some(kind(now)), kind(wanted));
    }
    let other = wanted_map.cables.get(&end).filter(|other| now_map.cables.get(&end) != Some(other));
    if let Some(other) = other {
        let before = now_map.cables.get(&end).map(|before| called(*before, end, names));
        return differs("other end", before, called(*other, end, names));
    }
    if let Some((attribute, is, should)) = part::fixed_difference(wanted, now) {
        return differs(attribute, Some(is), should);
    }
    let below = |map: &Map<'_>| map.below(end).map(|below| shown_below(below, end.place, names));
    differs("parent", below(now_map), below(wanted_map).unwrap_or_default())
}

/// Returns what a link is called, seen from another.
fn called(end: End, from: End, names: &Names) -> String {
    let link = names.link(end.place, end.index);
    match names.place(end.place).filter(|_| end.place != from.place) {
        Some(place) => format!("{place}:{link}"),
        None => link,
    }
}

#[cfg(test)]
mod tests {
    use vwire_netlink::wire::link::bridge::Bridge;
    use vwire_netlink::wire::link::tun::Tun;

    use super::*;
    use crate::snapshot::state::State;
    use crate::step::world::Place;

    fn link(index: u32, name: &str, kind: &str) -> Link {
        let mut link = Link { index, ..Link::named(name.parse().unwrap()) };
        link.set_kind(kind, None);
        link
    }

    fn tap(owner: Option<u32>) -> Link {
        let mut link = link(2, "tap0", "tun");
        link.set_kind("tun", Some(Tun { r#type: Some(2), owner, ..Tun::default() }.into()));
        link
    }

    fn told(wanted: Vec<Link>, now: Vec<Link>) -> Vec<String> {
        let world = |links| World { states: vec![State { links, ..State::default() }], ..World::default() };
        let (wanted, now) = (world(wanted), world(now));
        let end = |link: &Link| End { place: Place(0), index: link.index };
        let made = wanted.states[0].links.iter().map(end).collect();
        let names = Names::of(vec!["a".to_owned()], &[&wanted, &now]);
        why(&wanted, &now, &made, &names).into_values().collect()
    }

    #[test]
    fn each_reason_is_said() {
        assert_eq!(told(vec![tap(Some(7))], vec![tap(None)]), ["comes anew: its user cannot change from none to 7"]);
        assert_eq!(told(vec![tap(Some(7))], vec![tap(Some(7))]), [""; 0]);
        let mut bridge = link(2, "x", "bridge");
        bridge.set_kind("bridge", Some(Bridge::default().into()));
        assert_eq!(told(vec![link(2, "x", "veth")], vec![bridge]), ["comes anew: no bridge becomes a veth"]);
        let on_top = |below| Link { link: Some(below), ..link(9, "m0", "macvlan") };
        let below = || [link(3, "b3", "bridge"), link(4, "b4", "bridge")];
        let all = |top: u32| below().into_iter().chain([on_top(top)]).collect::<Vec<_>>();
        assert_eq!(told(all(3), all(4)), ["comes anew: its parent cannot change from b4 to b3"]);
        let other: Vec<Link> = [link(3, "b3", "veth"), link(4, "b4", "bridge"), on_top(3)].into();
        assert_eq!(told(all(3), other), ["comes anew: no veth becomes a bridge", "comes anew: it goes with b3"]);
    }
}
