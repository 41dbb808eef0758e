//! What links stand on, in their own place or in another. Pure.
//!
//! A macvlan or a VLAN may be in one namespace and the device below it in another. The kernel tells that by an index and
//! by an id which holds in the upper one's namespace alone, and so it is looked up once, when places are looked at: from
//! then on it is a pair of ends ([`World::lowers`]).

use std::collections::{BTreeMap, BTreeSet};

use vwire_netlink::{Link, LinkAddress};

use super::link::ON_TOP;
use super::world::{End, Place, World};

/// The id of a namespace that has none (`NETNSA_NSID_NOT_ASSIGNED`): what is below is in another place, which the world says.
pub const ELSEWHERE: i32 = -1;

/// What a link stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Below {
    /// A link of a place that is looked at.
    Seen(End),
    /// One of another namespace, with its index there.
    Unseen(u32),
}

impl Below {
    /// Returns what a link stands on; `lowers` are those that stand on one of another place.
    pub(super) fn of(link: &Link, end: End, lowers: &BTreeMap<End, End>) -> Option<Self> {
        let kind = link.kind().filter(|kind| ON_TOP.contains(kind))?;
        if let Some(lower) = lowers.get(&end) {
            return Some(Self::Seen(*lower));
        }
        let index = link.link.filter(|index| *index != 0)?;
        match link.link_netnsid {
            None => Some(Self::Seen(End { index, ..end })),
            // It only says where packets leave: the index is its own.
            Some(_) if kind == "vxlan" => None,
            Some(_) => Some(Self::Unseen(index)),
        }
    }

    /// Returns whether two are the same, as far as is known.
    pub(super) fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Seen(one), Self::Seen(other)) => one == other,
            (
                Self::Seen(End { index: one, .. }) | Self::Unseen(one),
                Self::Seen(End { index: other, .. }) | Self::Unseen(other),
            ) => one == other,
        }
    }
}

/// Finds the links that stand on one of another place, and that one; `id` asks what id the first place has for the second.
///
/// Most stand on one and the same place, which is asked for first.
///
/// # Errors
/// What `id` says.
pub fn lowers<E>(
    world: &World,
    mut id: impl FnMut(Place, Place) -> Result<Option<i32>, E>,
) -> Result<BTreeMap<End, End>, E> {
    let mut lowers = BTreeMap::new();
    let mut others: Vec<Place> = (0..world.states.len()).map(Place).collect();
    for (position, state) in world.states.iter().enumerate() {
        let place = Place(position);
        let open = state.links.iter().filter_map(|link| {
            let end = End { place, index: link.index };
            match (Below::of(link, end, &lowers)?, link.link_netnsid) {
                (Below::Unseen(index), Some(id)) if id >= 0 => Some((end, index, id)),
                _ => None,
            }
        });
        let mut open: Vec<(End, u32, i32)> = open.collect();
        let mut turn = 0;
        while let Some(other) = others.get(turn).copied().filter(|_| !open.is_empty()) {
            let is_there = |index: u32| world.state(other).link(index).is_some();
            let found = match other != place && open.iter().any(|(_, index, _)| is_there(*index)) {
                true => id(place, other)?,
                false => None,
            };
            let before = open.len();
            open.retain(|(end, index, id)| {
                let is_it = found == Some(*id) && is_there(*index);
                if is_it {
                    lowers.insert(*end, End { place: other, index: *index });
                }
                !is_it
            });
            if open.len() < before {
                others[..=turn].rotate_right(1);
            }
            turn += 1;
        }
    }
    Ok(lowers)
}

/// Returns the addresses of links that stand on one of another place, and that one: the kernel puts them into its table.
pub(super) fn above(worlds: &[&World]) -> BTreeSet<(End, LinkAddress)> {
    let of = |world: &&World| -> Vec<(End, LinkAddress)> {
        let address = |upper: &End| world.state(upper.place).link(upper.index)?.address;
        world.lowers.iter().filter_map(|(upper, lower)| Some((*lower, address(upper)?))).collect()
    };
    worlds.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::state::State;

    fn on(index: u32, below: u32, id: Option<i32>) -> Link {
        let mut link = Link { index, link: Some(below), link_netnsid: id, ..Link::default() };
        link.set_kind("macvlan", None);
        link
    }

    fn world(places: Vec<Vec<Link>>) -> World {
        let states = places.into_iter().map(|links| State { links, ..State::default() }).collect();
        World { states, ..World::default() }
    }

    fn end(place: usize, index: u32) -> End {
        End { place: Place(place), index }
    }

    #[test]
    fn what_is_below_in_another_place_is_found_by_its_id_and_the_likely_one_is_asked_first() {
        let plain = |index| Link { index, ..Link::default() };
        let uppers = || vec![on(5, 2, Some(7)), on(6, 2, None), on(8, 2, Some(1))];
        let world = world(vec![vec![plain(3)], vec![plain(2)], uppers(), uppers(), uppers()]);
        let mut asked = Vec::new();
        // All of them call the second place 7, and none that is here 1.
        let found = lowers::<()>(&world, |from, to| {
            asked.push((from.0, to.0));
            Ok((to == Place(1)).then_some(7))
        });
        assert_eq!(found.unwrap(), (2..5).map(|place| (end(place, 5), end(1, 2))).collect());
        assert_eq!(asked, [(2, 1), (3, 1), (4, 1)]);
    }

    #[test]
    fn what_is_below_is_compared_as_far_as_it_is_known() {
        let below = |link: &Link, lowers: &BTreeMap<End, End>| Below::of(link, end(2, 5), lowers).unwrap();
        let known = [(end(2, 5), end(1, 2))].into();
        let (seen, unseen) = (below(&on(5, 2, Some(7)), &known), below(&on(5, 2, Some(7)), &BTreeMap::new()));
        assert_eq!(seen, Below::Seen(end(1, 2)));
        assert!(seen.is_same(unseen) && !seen.is_same(below(&on(5, 2, None), &BTreeMap::new())));
        assert!(!unseen.is_same(below(&on(5, 3, Some(7)), &BTreeMap::new())));
    }
}
