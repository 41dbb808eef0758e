//! What is there, as far as it was told: so that after a loss the differences can be told. Pure.
//!
//! An object is kept as the kernel's own message, under what names it. [`State::differences`] compares two states; what
//! changes by itself, such as the time that an address has left, is no difference.

use std::collections::BTreeMap;
use std::net::IpAddr;

use vwire_netlink::wire::{Body, Builder, Header};
use vwire_netlink::{
    Address, AddressFilter, Link, LinkFilter, MessageType, NamespaceId, Neighbour, Netconf, Nexthop, Request, Route,
    Rule,
};

use super::words::{Asked, Sort};
use crate::cli::ip::options::Family;
use crate::out::mroute::{FAMILY_INET, FAMILY_INET6};

/// `AF_INET`.
const AF_INET: u8 = 2;
/// `AF_BRIDGE`.
const AF_BRIDGE: u8 = 7;
/// `NLM_F_REPLACE`: the object takes the place of another.
const REPLACE: u16 = 0x100;

/// What names an object, in the order in which they are told: what others stand on first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    NamespaceId(i32),
    Link(u32),
    Netconf(u8, i32),
    Address(u32, Option<IpAddr>, u8, Option<IpAddr>),
    Nexthop(u32),
    /// What the kernel replaces as one, then what tells apart those that stand beside each other.
    Route(Box<RouteKey>, String),
    Rule(u8, u32, String),
    Neighbour(u8, u32, bool, String),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RouteKey {
    family: u8,
    table: u32,
    dst: Option<IpAddr>,
    dst_len: u8,
    tos: u8,
    priority: Option<u32>,
}

/// A message about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whether it is there or gone, and of which sort it is.
    pub message_type: MessageType,
    /// `NLM_F_*`.
    pub flags: u16,
    /// What it is.
    pub payload: Box<[u8]>,
}

/// What a message takes away beside what it tells.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing.
    Nothing,
    /// This, as a message that it is gone.
    One(Told),
    /// Something, which only a list tells.
    Some,
}

/// What is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    objects: BTreeMap<Key, Told>,
}

impl State {
    /// Returns what a message takes away beside what it tells: a route takes the place of others, or of a part of one.
    #[must_use]
    pub fn taken_by(&self, message_type: MessageType, flags: u16, payload: &[u8]) -> Taken {
        let Some(key @ Key::Route(..)) = key_of(message_type, payload) else { return Taken::Nothing };
        let Key::Route(named, _) = &key else { return Taken::Nothing };
        if [FAMILY_INET, FAMILY_INET6].contains(&named.family) {
            return Taken::Nothing;
        }
        let first = Key::Route(named.clone(), String::new());
        let alike = self
            .objects
            .range(first..)
            .take_while(|(other, _)| matches!(other, Key::Route(other, _) if other == named));
        let others: Vec<&Told> = alike.filter(|(other, _)| **other != key).map(|(_, told)| told).collect();
        let replaces = flags & REPLACE != 0;
        match others[..] {
            [] => Taken::Nothing,
            _ if is_deletion(message_type) && self.objects.contains_key(&key) => Taken::Nothing,
            [other] if replaces && named.family == AF_INET && !is_deletion(message_type) => {
                Taken::One(deletion_of(other))
            }
            // Of several it is the first, and those of IPv6 that differ in their gateways are one.
            _ if replaces || named.family != AF_INET || is_deletion(message_type) => Taken::Some,
            _ => Taken::Nothing,
        }
    }

    /// Takes in what was told.
    pub fn apply(&mut self, message_type: MessageType, flags: u16, payload: &[u8]) {
        let Some(key) = key_of(message_type, payload) else { return };
        if is_deletion(message_type) {
            self.objects.remove(&key);
            return;
        }
        let mut payload: Box<[u8]> = payload.into();
        if let (Key::Netconf(..), Some(before)) = (&key, self.objects.get(&key)) {
            payload = merged(&before.payload, &payload).unwrap_or(payload);
        }
        self.objects.insert(key, Told { message_type, flags, payload });
    }

    /// Returns all that is there, what others stand on first.
    pub fn all(&self) -> impl Iterator<Item = &Told> {
        self.objects.values()
    }

    /// Returns what must be told so that who knows this state knows the other: first what is gone, then what is new.
    ///
    /// `face` is what one gets to see of an object; where it is the same, there is no difference.
    pub fn differences(&self, other: &Self, mut face: impl FnMut(&Told) -> Vec<u8>) -> Vec<Told> {
        let gone = self.objects.iter().rev().filter(|(key, _)| !other.objects.contains_key(key));
        let mut differences: Vec<Told> = gone.map(|(_, told)| deletion_of(told)).collect();
        for (key, told) in &other.objects {
            let is_same = self
                .objects
                .get(key)
                .is_some_and(|before| before.payload == told.payload || face(&steady(before)) == face(&steady(told)));
            if !is_same {
                differences.push(told.clone());
            }
        }
        differences
    }
}

impl State {
    /// Returns this state with what some dumps say now in the place of what they said before.
    #[must_use]
    pub fn with(&self, read: &Self) -> Self {
        let is_read = |key: &Key| match key {
            Key::Route(route, _) => ![FAMILY_INET, FAMILY_INET6].contains(&route.family),
            Key::Rule(..) | Key::Neighbour(..) => true,
            _ => false,
        };
        let kept = self.objects.iter().filter(|(key, _)| !is_read(key));
        Self { objects: kept.chain(&read.objects).map(|(key, told)| (key.clone(), told.clone())).collect() }
    }
}

/// Returns whether a dump is of what can go without a message, see [`Grounds`].
#[must_use]
pub fn is_unsteady(request: &Request) -> bool {
    let message_type = request.message_type();
    let family = request.as_bytes().get(Header::LEN);
    let is_multicast = family.is_some_and(|family| [FAMILY_INET, FAMILY_INET6].contains(family));
    matches!(message_type, MessageType::GETROUTE | MessageType::GETRULE | MessageType::GETNEIGH) && !is_multicast
}

/// What routes, rules and neighbours stand on.
///
/// The kernel does not tell of routes of IPv4 that go with a link, an address or a next hop, of proxies that go with a
/// link, nor that the link of a route or a rule is down, or gone.
#[derive(Debug, Default)]
pub struct Grounds {
    /// The flags of the links, by their index.
    links: BTreeMap<u32, u32>,
}

impl Grounds {
    /// Takes in a message, and returns whether something may have gone with what it tells.
    pub fn shaken_by(&mut self, message_type: MessageType, payload: &[u8]) -> bool {
        /// `IFF_UP`, `IFF_RUNNING`, `IFF_LOWER_UP` (`linux/if.h`).
        const CARRIES: u32 = 1 | 1 << 6 | 1 << 16;
        match family_of(message_type) {
            MessageType::NEWLINK if payload.first() != Some(&AF_BRIDGE) => {
                let Ok(link) = Link::parse(payload) else { return false };
                if is_deletion(message_type) {
                    self.links.remove(&link.index);
                    return true;
                }
                let flags = link.flags & CARRIES;
                self.links.insert(link.index, flags) != Some(flags)
            }
            MessageType::NEWADDR | MessageType::NEWNEXTHOP => is_deletion(message_type),
            _ => false,
        }
    }
}

/// Returns the dumps that tell what is there.
#[must_use]
pub fn requests(asked: &Asked<'_>, family: Family, counters: bool) -> Vec<Request> {
    let families = |of: &[u8]| -> Vec<u8> {
        of.iter().copied().filter(|of| family == Family::Unspec || family.number() == *of).collect()
    };
    let mut requests = Vec::new();
    if asked.wants(Sort::NamespaceId) {
        requests.push(Request::dump(MessageType::GETNSID, &NamespaceId::default()));
    }
    if asked.wants(Sort::Link) {
        requests.push(LinkFilter { skip_stats: !counters, ..LinkFilter::default() }.to_request());
    }
    for family in families(&[2, 10]) {
        if asked.wants(Sort::Address) {
            requests.push(AddressFilter { family, ..AddressFilter::all() }.to_request());
        }
        if asked.wants(Sort::Rule) {
            requests.push(Request::dump(MessageType::GETRULE, &Rule { family, ..Rule::default() }));
        }
        if asked.wants(Sort::Route) {
            requests.push(Request::dump(MessageType::GETROUTE, &Route { family, ..Route::default() }));
        }
        if asked.wants(Sort::Netconf) {
            requests.push(Request::dump(MessageType::GETNETCONF, &Netconf { family, ..Netconf::default() }));
        }
    }
    if asked.wants(Sort::MulticastRoute) {
        let numbers = families(&[2, 10]).into_iter().map(|family| if family == 2 { FAMILY_INET } else { FAMILY_INET6 });
        let dump = |family| Request::dump(MessageType::GETROUTE, &Route { family, ..Route::default() });
        requests.extend(numbers.map(dump));
    }
    if asked.wants(Sort::Neighbour) {
        let dump = |family| Request::dump(MessageType::GETNEIGH, &Neighbour { family, ..Neighbour::default() });
        requests.extend(families(&[2, 10, AF_BRIDGE]).into_iter().map(dump));
    }
    if asked.wants(Sort::Nexthop) {
        requests.push(Request::dump(MessageType::GETNEXTHOP, &Nexthop::default()));
    }
    requests
}

/// Returns the first of the types of a family: new, del, get, set.
#[must_use]
pub fn family_of(message_type: MessageType) -> MessageType {
    MessageType(message_type.0 & !3)
}

/// Returns whether a message says that something is gone.
#[must_use]
pub fn is_deletion(message_type: MessageType) -> bool {
    message_type.0 & 3 == 1
}

fn deletion_of(told: &Told) -> Told {
    Told { message_type: MessageType(told.message_type.0 | 1), ..told.clone() }
}

fn key_of(message_type: MessageType, payload: &[u8]) -> Option<Key> {
    if message_type.0 & 3 > 1 {
        return None;
    }
    match family_of(message_type) {
        MessageType::NEWLINK if payload.first() != Some(&AF_BRIDGE) => {
            Some(Key::Link(Link::parse(payload).ok()?.index))
        }
        MessageType::NEWADDR => {
            let Address { index, prefixlen, local, address, .. } = Address::parse(payload).ok()?;
            Some(Key::Address(index, local.or(address), prefixlen, address))
        }
        MessageType::NEWRULE => {
            let rule = Rule::parse(payload).ok()?;
            Some(Key::Rule(rule.family, rule.priority.unwrap_or(0), format!("{rule:?}")))
        }
        MessageType::NEWNEIGH => {
            let Neighbour { family, index, flags, dst, lladdr, vlan, vni, master, .. } =
                Neighbour::parse(payload).ok()?;
            let is_proxy = flags & crate::out::neigh::PROXY != 0;
            // A bridge knows hardware addresses, and may have one for each of its VLANs and ports.
            let name = if family == AF_BRIDGE {
                format!("{lladdr:?} {vlan:?} {vni:?} {master:?} {dst:?}")
            } else {
                format!("{dst:?}")
            };
            Some(Key::Neighbour(family, index, is_proxy, name))
        }
        MessageType::NEWROUTE => Some(route_key(steady_route(Route::parse(payload).ok()?))),
        MessageType::NEWNEXTHOP => Some(Key::Nexthop(Nexthop::parse(payload).ok()?.id?)),
        MessageType::NEWNSID => Some(Key::NamespaceId(NamespaceId::parse(payload).ok()?.nsid?)),
        MessageType::NEWNETCONF => {
            let netconf = Netconf::parse(payload).ok()?;
            Some(Key::Netconf(netconf.family, netconf.ifindex?))
        }
        _ => None,
    }
}

fn route_key(route: Route) -> Key {
    let Route { family, dst, dst_len, tos, priority, .. } = route;
    let named = RouteKey { family, table: route.table_id(), dst, dst_len, tos, priority };
    if [FAMILY_INET, FAMILY_INET6].contains(&family) {
        // There is one for a source and a group; of those for any source, one for each link they come in by.
        let any = route.src.is_none_or(|source| source.is_unspecified());
        return Key::Route(Box::new(named), format!("{:?} {:?}", route.src, route.iif.filter(|_| any)));
    }
    // Whether it works is no part of what it is.
    let rest = Route { flags: 0, ..route };
    Key::Route(Box::new(named), format!("{rest:?}"))
}

fn steady_route(route: Route) -> Route {
    // What a multicast route has in `other` is its age.
    let other = if [FAMILY_INET, FAMILY_INET6].contains(&route.family) { Vec::new() } else { route.other };
    Route { cacheinfo: None, mfc_stats: None, other, ..route }
}

/// Returns an object without what changes by itself.
fn steady(told: &Told) -> Told {
    let payload = match family_of(told.message_type) {
        MessageType::NEWLINK => {
            Link::parse(&told.payload).ok().map(|link| emitted(&Link { stats: None, stats64: None, ..link }))
        }
        MessageType::NEWADDR => Address::parse(&told.payload).ok().map(|mut address| {
            if let Some(lives) = &mut address.cacheinfo {
                let is_forever = |seconds: u32| if seconds == u32::MAX { seconds } else { 0 };
                (lives.valid, lives.preferred) = (is_forever(lives.valid), is_forever(lives.preferred));
            }
            emitted(&address)
        }),
        MessageType::NEWNEIGH => Neighbour::parse(&told.payload)
            .ok()
            .map(|neighbour| emitted(&Neighbour { cacheinfo: None, probes: None, ..neighbour })),
        MessageType::NEWROUTE => Route::parse(&told.payload).ok().map(|route| emitted(&steady_route(route))),
        _ => None,
    };
    Told { payload: payload.unwrap_or_else(|| told.payload.clone()), ..told.clone() }
}

/// Returns the sysctls of one message with those of a later one, which has only what changed.
fn merged(before: &[u8], after: &[u8]) -> Option<Box<[u8]>> {
    let (before, after) = (Netconf::parse(before).ok()?, Netconf::parse(after).ok()?);
    Some(emitted(&Netconf {
        forwarding: after.forwarding.or(before.forwarding),
        rp_filter: after.rp_filter.or(before.rp_filter),
        mc_forwarding: after.mc_forwarding.or(before.mc_forwarding),
        proxy_neigh: after.proxy_neigh.or(before.proxy_neigh),
        ignore_routes_with_linkdown: after.ignore_routes_with_linkdown.or(before.ignore_routes_with_linkdown),
        input: after.input.or(before.input),
        bc_forwarding: after.bc_forwarding.or(before.bc_forwarding),
        force_forwarding: after.force_forwarding.or(before.force_forwarding),
        ..after
    }))
}

fn emitted(body: &impl Body) -> Box<[u8]> {
    let mut builder = Builder::new();
    body.emit(&mut builder);
    builder.into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vwire_netlink::wire::address::AddressCacheInfo;

    fn state(links: &[(u32, u32)]) -> State {
        let mut state = State::default();
        for (index, mtu) in links {
            let link = Link { index: *index, mtu: Some(*mtu), ..Link::default() };
            state.apply(MessageType::NEWLINK, 0, &emitted(&link));
        }
        state
    }

    fn face(told: &Told) -> Vec<u8> {
        told.payload.to_vec()
    }

    #[test]
    fn applying_the_differences_makes_two_states_one() {
        let (mut ours, theirs) =
            (state(&[(1, 65536), (2, 1500), (3, 1500)]), state(&[(1, 65536), (3, 9000), (7, 1280)]));
        let differences = ours.differences(&theirs, face);
        let types: Vec<MessageType> = differences.iter().map(|told| told.message_type).collect();
        assert_eq!(types, [MessageType::DELLINK, MessageType::NEWLINK, MessageType::NEWLINK]);
        differences.iter().for_each(|told| ours.apply(told.message_type, 0, &told.payload));
        assert_eq!(ours, theirs);
        assert_eq!(ours.differences(&theirs, face), []);
    }

    #[test]
    fn the_time_that_is_left_is_no_difference() {
        let with = |valid| {
            let lives = AddressCacheInfo { valid, preferred: 1, ..AddressCacheInfo::default() };
            let address = Address { family: 2, index: 1, cacheinfo: Some(lives), ..Address::default() };
            let mut state = State::default();
            state.apply(MessageType::NEWADDR, 0, &emitted(&address));
            state
        };
        assert_eq!(with(300).differences(&with(299), face), []);
        assert_eq!(with(300).differences(&with(u32::MAX), face).len(), 1);
    }

    #[test]
    fn sysctls_that_a_message_leaves_out_are_as_before() {
        let mut state = State::default();
        let all =
            Netconf { family: 2, ifindex: Some(1), forwarding: Some(0), rp_filter: Some(1), ..Netconf::default() };
        state.apply(MessageType::NEWNETCONF, 0, &emitted(&all));
        let change = Netconf { family: 2, ifindex: Some(1), forwarding: Some(1), ..Netconf::default() };
        state.apply(MessageType::NEWNETCONF, 0, &emitted(&change));
        let told = state.all().next().unwrap();
        assert_eq!(Netconf::parse(&told.payload).unwrap(), Netconf { forwarding: Some(1), ..all });
    }

    #[test]
    fn a_link_that_goes_or_comes_shakes_what_stands_on_it() {
        let mut grounds = Grounds::default();
        let mut told = |message_type, flags, mtu| {
            let link = Link { index: 2, flags, mtu: Some(mtu), ..Link::default() };
            grounds.shaken_by(message_type, &emitted(&link))
        };
        assert!(told(MessageType::NEWLINK, 1, 1500), "it was not known");
        assert!(!told(MessageType::NEWLINK, 1, 1400));
        assert!(told(MessageType::NEWLINK, 0, 1400), "it is down");
        assert!(told(MessageType::DELLINK, 0, 1400));
        assert!(grounds.shaken_by(MessageType::DELADDR, &[]) && grounds.shaken_by(MessageType::DELNEXTHOP, &[]));
        assert!(!grounds.shaken_by(MessageType::NEWADDR, &[]) && !grounds.shaken_by(MessageType::DELROUTE, &[]));
    }

    #[test]
    fn what_is_read_again_takes_the_place_of_what_was_told() {
        let mut told = state(&[(2, 1500)]);
        let route = |metric| emitted(&Route { family: 2, priority: Some(metric), ..Route::default() });
        told.apply(MessageType::NEWROUTE, 0, &route(1));
        let multicast = emitted(&Route { family: FAMILY_INET, ..Route::default() });
        told.apply(MessageType::NEWROUTE, 0, &multicast);
        let mut read = State::default();
        read.apply(MessageType::NEWROUTE, 0, &route(2));
        let differences = told.differences(&told.with(&read), face);
        let types: Vec<_> = differences.iter().map(|told| (told.message_type, told.payload.clone())).collect();
        assert_eq!(types, [(MessageType::DELROUTE, route(1)), (MessageType::NEWROUTE, route(2))]);
    }

    #[test]
    fn a_route_that_replaces_another_leaves_one() {
        let route = |gateway: [u8; 4]| emitted(&Route { family: 2, gateway: Some(gateway.into()), ..Route::default() });
        let mut state = State::default();
        state.apply(MessageType::NEWROUTE, 0, &route([10, 0, 0, 1]));
        state.apply(MessageType::NEWROUTE, 0, &route([10, 0, 0, 2]));
        assert_eq!(state.all().count(), 2);
        let replaced = |state: &State, last| state.taken_by(MessageType::NEWROUTE, REPLACE, &route([10, 0, 0, last]));
        assert_eq!(replaced(&state, 3), Taken::Some, "which of the two, the kernel alone knows");
        state.apply(MessageType::DELROUTE, 0, &route([10, 0, 0, 1]));
        let gone = Told { message_type: MessageType::DELROUTE, flags: 0, payload: route([10, 0, 0, 2]) };
        assert_eq!(replaced(&state, 3), Taken::One(gone));
        assert_eq!(replaced(&state, 2), Taken::Nothing, "it is the same");
        assert_eq!(state.taken_by(MessageType::NEWROUTE, 0, &route([10, 0, 0, 3])), Taken::Nothing);
        assert_eq!(state.taken_by(MessageType::DELROUTE, 0, &route([10, 0, 0, 3])), Taken::Some, "it was a part");
    }

    #[test]
    fn what_a_bridge_says_of_its_port_is_not_the_port() {
        let mut state = state(&[(2, 1500)]);
        let port = Link { family: AF_BRIDGE, index: 2, ..Link::default() };
        state.apply(MessageType::DELLINK, 0, &emitted(&port));
        assert_eq!(state.all().count(), 1);
    }
}
