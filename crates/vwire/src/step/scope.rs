//! What may be touched, and how what is wanted is to be read. Pure.

use std::collections::BTreeSet;
use std::net::IpAddr;

use vwire_netlink::{AddressLabel, LinkAddress, Neighbour, Nexthop, Route, Rule};

use super::world::{Place, World};
use super::{neighbour, route, rule};

/// What may be touched. What is outside is never changed, and so never changed back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scope {
    /// What may be touched of each place; a place without one is not touched.
    pub reaches: Vec<Reach>,
    /// How what is wanted is to be read.
    pub reading: Reading,
}

/// How what is wanted is to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reading {
    /// As a wish: what it does not say may be anything, and what the kernel and programs make by themselves may be there
    /// (connected routes, link-local addresses, routes of a routing daemon, learned neighbours).
    #[default]
    Wish,
    /// As a picture of all that was there: what it does not say is not to be there.
    Picture,
}

/// What may be touched of a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Reach {
    /// All that is there. `lo` is changed, but neither made nor deleted.
    Whole,
    /// Only these.
    Parts(Parts),
}

impl Default for Reach {
    fn default() -> Self {
        Self::Parts(Parts::default())
    }
}

/// Parts of a place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    /// Links by their indexes, with all that hangs on them: addresses, routes through them, neighbours, what bridges
    /// and VXLANs know, VLANs.
    pub links: BTreeSet<u32>,
    /// Destinations of routes, whatever they lead through.
    pub routes: BTreeSet<RouteKey>,
    /// Rules: all that have what one of these has.
    pub rules: Vec<Rule>,
    /// Neighbours.
    pub neighbours: BTreeSet<NeighbourKey>,
    /// What bridges and VXLANs know of these addresses.
    pub forwarding: BTreeSet<(u32, LinkAddress)>,
    /// Next hops by their ids, with the groups that they are in and the routes that lead through them.
    pub nexthops: BTreeSet<u32>,
    /// Labels of IPv6 prefixes.
    pub labels: BTreeSet<LabelKey>,
    /// Sysctls by their names.
    pub sysctls: BTreeSet<String>,
}

impl Parts {
    /// Adds all that others have.
    pub fn extend(&mut self, other: Self) {
        self.links.extend(other.links);
        self.routes.extend(other.routes);
        self.rules.extend(other.rules);
        self.neighbours.extend(other.neighbours);
        self.forwarding.extend(other.forwarding);
        self.nexthops.extend(other.nexthops);
        self.labels.extend(other.labels);
        self.sysctls.extend(other.sysctls);
    }
}

/// The destination of routes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteKey {
    /// The family.
    pub family: u8,
    /// The table.
    pub table: u32,
    /// The prefix; the default route has none.
    pub destination: Option<IpAddr>,
    /// Its length in bits.
    pub length: u8,
}

impl RouteKey {
    /// Returns where a route leads to.
    #[must_use]
    pub fn of(route: &Route) -> Self {
        let (family, table) = (route.family, route.table_id());
        Self { family, table, destination: route::destination(route), length: route.dst_len }
    }
}

/// A neighbour on a link, or one that is answered for there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NeighbourKey {
    /// The link.
    pub index: u32,
    /// Its address.
    pub address: Option<IpAddr>,
    /// Whether it is answered for (`NTF_PROXY`).
    pub is_proxy: bool,
}

impl NeighbourKey {
    /// Returns which neighbour it is.
    #[must_use]
    pub fn of(neighbour: &Neighbour) -> Self {
        Self { index: neighbour.index, address: neighbour.dst, is_proxy: neighbour::is_proxy(neighbour) }
    }
}

/// A prefix that has a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelKey {
    /// The prefix.
    pub address: Option<IpAddr>,
    /// Its length in bits.
    pub length: u8,
    /// The link; 0 is all.
    pub index: u32,
}

impl LabelKey {
    /// Returns which prefix it is.
    #[must_use]
    pub fn of(label: &AddressLabel) -> Self {
        Self { address: label.address, length: label.prefixlen, index: label.index }
    }
}

impl Scope {
    /// Returns the scope of all that is in so many places.
    #[must_use]
    pub fn whole(places: usize, reading: Reading) -> Self {
        Self { reaches: vec![Reach::Whole; places], reading }
    }

    /// Returns whether what is wanted is a picture of all that was there.
    #[must_use]
    pub fn is_picture(&self) -> bool {
        self.reading == Reading::Picture
    }

    /// Returns what may be touched of a place, to add to it; `None` where that is all.
    pub fn parts(&mut self, place: Place) -> Option<&mut Parts> {
        if self.reaches.len() <= place.0 {
            self.reaches.resize_with(place.0 + 1, Reach::default);
        }
        match self.reaches.get_mut(place.0)? {
            Reach::Whole => None,
            Reach::Parts(parts) => Some(parts),
        }
    }

    fn holds(&self, place: Place, part: impl FnOnce(&Parts) -> bool) -> bool {
        match self.reaches.get(place.0) {
            Some(Reach::Whole) => true,
            Some(Reach::Parts(parts)) => part(parts),
            None => false,
        }
    }

    pub(super) fn has_link(&self, place: Place, index: u32) -> bool {
        self.holds(place, |parts| parts.links.contains(&index))
    }

    pub(super) fn has_route(&self, place: Place, route: &Route) -> bool {
        self.holds(place, |parts| {
            route::links(route).any(|index| parts.links.contains(&index))
                || route.nh_id.is_some_and(|id| parts.nexthops.contains(&id))
                || parts.routes.contains(&RouteKey::of(route))
        })
    }

    pub(super) fn has_rule(&self, place: Place, wanted: &Rule) -> bool {
        self.holds(place, |parts| parts.rules.iter().any(|pattern| rule::fits(wanted, pattern)))
    }

    pub(super) fn has_neighbour(&self, place: Place, neighbour: &Neighbour) -> bool {
        self.holds(place, |parts| {
            parts.links.contains(&neighbour.index) || parts.neighbours.contains(&NeighbourKey::of(neighbour))
        })
    }

    pub(super) fn has_forwarding(&self, place: Place, entry: &Neighbour) -> bool {
        self.holds(place, |parts| {
            parts.links.contains(&entry.index)
                || entry.lladdr.is_some_and(|address| parts.forwarding.contains(&(entry.index, address)))
        })
    }

    pub(super) fn has_nexthop(&self, place: Place, hop: &Nexthop) -> bool {
        self.holds(place, |parts| {
            hop.id.is_some_and(|id| parts.nexthops.contains(&id))
                || hop.oif.is_some_and(|index| parts.links.contains(&index))
                || hop.group.iter().flatten().any(|member| parts.nexthops.contains(&member.id))
        })
    }

    pub(super) fn has_label(&self, place: Place, label: &AddressLabel) -> bool {
        self.holds(place, |parts| {
            parts.labels.contains(&LabelKey::of(label)) || label.index != 0 && parts.links.contains(&label.index)
        })
    }

    pub(super) fn has_sysctl(&self, place: Place, name: &str) -> bool {
        self.holds(place, |parts| parts.sysctls.contains(name))
    }

    /// Adds what goes with the links in it, as far as `world` shows them: the links on top of one, the other end of a
    /// cable, the ports of a master.
    pub fn add_dependents(&mut self, world: &World) {
        super::link::add_dependents(self, world);
        self.add_nexthops(world);
    }

    /// Adds the next hops through the links in it, and the groups that these are in.
    pub fn add_nexthops(&mut self, world: &World) {
        super::nexthop::add_dependents(self, world);
    }
}
