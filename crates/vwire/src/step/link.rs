//! Links: which go, which come, which become others. Pure.
//!
//! A link is known by its place and its index. One of another kind, or with another option that only a new link can
//! have, goes and comes again; one that is in another place than it should be is moved. What goes with a link goes in
//! the plan's own picture of what is there, too, so that it comes again where it is wanted: the links on top of it, the
//! other end of its cable, addresses, routes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use vwire_netlink::wire::Builder;
use vwire_netlink::wire::link::{KindData, LinkInfo, SlaveData};
use vwire_netlink::wire::value::Value;
use vwire_netlink::{IfName, Link, LinkAddress};

use super::below::Below;
use super::departure::{Move, plan_move, remove};
use super::difference::Difference;
use super::part::{self, UP};
use super::plan::{Plan, Stage};
use super::scope::Scope;
use super::world::{End, Names, Place, World};
use super::{Action, Object, Verb, anew, words};

/// The kinds whose links go when the link below them goes.
pub(super) const ON_TOP: &[&str] = &["vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", "macsec", "vxlan", "hsr"];
/// `IFF_LOOPBACK`.
const LOOPBACK: u32 = 0x8;

/// The links of a world, and the cables, by where they are.
pub(super) struct Map<'a> {
    pub(super) links: BTreeMap<End, &'a Link>,
    pub(super) cables: HashMap<End, End>,
    /// What links stand on that is in another place.
    lowers: Cow<'a, BTreeMap<End, End>>,
}

impl<'a> Map<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        let mut links = BTreeMap::new();
        for (position, state) in world.states.iter().enumerate() {
            links.extend(state.links.iter().map(|link| (End { place: Place(position), index: link.index }, link)));
        }
        let cables = world.cables.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]).collect();
        Self { links, cables, lowers: Cow::Borrowed(&world.lowers) }
    }

    /// Returns what a link stands on.
    pub(super) fn below(&self, end: End) -> Option<Below> {
        Below::of(self.links.get(&end)?, end, &self.lowers)
    }

    /// Returns the link of a place that is looked at, on which one stands.
    fn lower(&self, end: End) -> Option<End> {
        match self.below(end)? {
            Below::Seen(lower) => Some(lower),
            Below::Unseen(_) => None,
        }
    }

    /// Returns on how many others a link stands.
    fn depth(&self, end: End) -> usize {
        let mut below = end;
        (0..DEEPEST).find(|_| self.lower(below).map(|next| below = next).is_none()).unwrap_or(DEEPEST)
    }

    /// Returns the links that go when one goes, that one among them.
    pub(super) fn going_with(&self, end: End) -> BTreeSet<End> {
        let mut going = BTreeSet::from([end]);
        let mut waiting = vec![end];
        while let Some(end) = waiting.pop() {
            let on_top =
                self.links.iter().filter(|(other, link)| other.place == end.place && is_on_top(link, end.index));
            let elsewhere = self.lowers.iter().filter(|(_, lower)| **lower == end).map(|(upper, _)| *upper);
            let goes = on_top.map(|(other, _)| *other).chain(elsewhere).chain(self.cables.get(&end).copied());
            for other in goes {
                if going.insert(other) {
                    waiting.push(other);
                }
            }
        }
        going
    }
}

/// Returns whether a link goes when the one with this index goes.
pub(super) fn is_on_top(link: &Link, index: u32) -> bool {
    link.link == Some(index) && link.link_netnsid.is_none() && link.kind().is_some_and(|kind| ON_TOP.contains(&kind))
}

/// Adds to a scope what goes with its links: those on top, the other ends of cables, and the ports of masters.
pub(super) fn add_dependents(scope: &mut Scope, world: &World) {
    let map = Map::of(world);
    let in_scope: Vec<End> = map.links.keys().filter(|end| scope.has_link(end.place, end.index)).copied().collect();
    for end in in_scope {
        for other in map.going_with(end) {
            let ports =
                map.links.iter().filter(|(port, link)| port.place == other.place && link.master == Some(other.index));
            let ends: Vec<End> = ports.map(|(port, _)| *port).chain([other]).collect();
            for end in ends {
                if let Some(parts) = scope.parts(end.place) {
                    parts.links.insert(end.index);
                }
            }
        }
    }
}

/// What a plan does to links, as far as the rest of it must know.
pub(super) struct Outcome<'a> {
    /// The links of which something changes.
    pub(super) busy: BTreeSet<End>,
    /// What is left of what is there once the links that go have gone.
    pub(super) left: Cow<'a, World>,
}

/// Adds the steps that bring links to what is wanted.
pub(super) fn plan<'a>(wanted: &World, now: &'a World, scope: &Scope, plan: &mut Plan) -> Outcome<'a> {
    let (wanted_map, now_map) = (Map::of(wanted), Map::of(now));
    let moves = moves(&wanted_map, &now_map, scope);
    let moved = |end: &End| moves.iter().any(|moving| moving.from == *end);
    // Cables are compared as they will be: a cable stays the same when one of its ends moves.
    let arrives = |end: End| moves.iter().find(|moving| moving.from == end).map_or(end, |moving| moving.to);
    let mut now_map = now_map;
    now_map.cables = now_map.cables.into_iter().map(|(one, other)| (one, arrives(other))).collect();
    // So does what stands on a link that moves.
    let stay = now_map.links.keys().filter(|end| !moved(end));
    let lowers = stay.filter_map(|end| Some((*end, now_map.lower(*end)?)));
    now_map.lowers = Cow::Owned(lowers.map(|(end, lower)| (end, arrives(lower))).collect());
    let now_map = now_map;
    let mut gone: BTreeSet<End> = BTreeSet::new();
    for (end, link) in &now_map.links {
        let in_scope = scope.has_link(end.place, end.index) && link.flags & LOOPBACK == 0 && !moved(end);
        let stays = match wanted_map.links.get(end) {
            Some(target) => !is_another(*end, target, link, &wanted_map, &now_map),
            None => false,
        };
        if in_scope && !stays && !gone.contains(end) && can_go(link) {
            gone.extend(now_map.going_with(*end).into_iter().filter(|end| now_map.links.contains_key(end)));
            let which = Link { index: end.index, ifname: link.ifname, ..Link::default() };
            let object = Object::Link { link: Box::new(which), into: None, peer: None };
            plan.object(Stage::LinkGoes, end.place, Verb::Delete, object);
        }
    }
    let mut left = Cow::Borrowed(now);
    if !gone.is_empty() {
        gone.iter().for_each(|end| remove(left.to_mut(), *end));
    }
    for moving in &moves {
        let name = wanted_map.links.get(&moving.to).and_then(|link| link.ifname);
        plan_move(moving, name, left.to_mut(), plan);
    }
    let left_map = Map::of(&left);
    let mut busy: BTreeSet<End> =
        gone.into_iter().chain(moves.iter().flat_map(|moving| [moving.from, moving.to])).collect();
    let made = missing(&wanted_map, &left_map, scope);
    give_up_names(&wanted_map, &left_map, &made, scope, plan);
    make(&wanted_map, &left_map, &made, scope.is_picture(), plan);
    let arrived: BTreeSet<End> = moves.iter().map(|moving| moving.to).collect();
    change(&wanted_map, &left_map, scope, &arrived, plan, &mut busy);
    for end in &made {
        let master = wanted_map.links.get(end).and_then(|link| link.master);
        busy.extend(master.map(|index| End { index, ..*end }));
    }
    busy.extend(made);
    drop(left_map);
    Outcome { busy, left }
}

/// Returns whether a link can be deleted at all: one that is no hardware.
fn can_go(link: &Link) -> bool {
    link.kind().is_some()
}

/// Returns whether what is there can never become what is wanted; [`super::anew`] says why.
pub(super) fn is_another(end: End, wanted: &Link, now: &Link, wanted_map: &Map<'_>, now_map: &Map<'_>) -> bool {
    let Some(kind) = wanted.kind() else { return false };
    let other_cable = match wanted_map.cables.get(&end) {
        Some(other) => now_map.cables.get(&end) != Some(other),
        None => false,
    };
    now.kind() != Some(kind)
        || other_cable
        || part::fixed_difference(wanted, now).is_some()
        || kind != "vxlan" && stands_elsewhere(end, wanted_map, now_map)
}

/// Returns whether a link should stand on another one than it does.
fn stands_elsewhere(end: End, wanted: &Map<'_>, now: &Map<'_>) -> bool {
    let now = now.below(end);
    wanted.below(end).is_some_and(|wanted| !now.is_some_and(|now| wanted.is_same(now)))
}

/// Finds the links that are in one place and should be in another: of the same kind, with the same MAC address and name.
fn moves(wanted: &Map<'_>, now: &Map<'_>, scope: &Scope) -> Vec<Move> {
    let is_missing = |end: &End| scope.has_link(end.place, end.index) && !now.links.contains_key(end);
    let mut moves: Vec<Move> = Vec::new();
    for (to, target) in wanted.links.iter().filter(|(end, _)| is_missing(end)) {
        let Some(address) = target.address.filter(|address| !is_zero(*address)) else { continue };
        let is_it = |end: &End, link: &Link| {
            end.place != to.place
                && scope.has_link(end.place, end.index)
                && !wanted.links.contains_key(end)
                && (scope.is_picture() || stays_itself(*end, link, *to, wanted, now))
                && link.kind() == target.kind()
                && link.perm_address.unwrap_or_default() == target.perm_address.unwrap_or_default()
                && link.address == Some(address)
                && !moves.iter().any(|moving| moving.from == *end)
        };
        if let Some((from, _)) = now.links.iter().find(|(end, link)| is_it(end, link)) {
            moves.push(Move { from: *from, to: *to });
        }
    }
    moves
}

/// Returns whether a link that a wish finds elsewhere is what is wanted once it is moved: not one on top of another or a
/// VXLAN, which stay with the namespace that they came from, and of cables the one with the same other end.
fn stays_itself(from: End, link: &Link, to: End, wanted: &Map<'_>, now: &Map<'_>) -> bool {
    !link.kind().is_some_and(|kind| ON_TOP.contains(&kind)) && wanted.cables.get(&to) == now.cables.get(&from)
}

fn is_zero(address: LinkAddress) -> bool {
    address.as_bytes().iter().all(|byte| *byte == 0)
}

/// Returns the links that are wanted and not there, each behind those that it stands on.
fn missing(wanted: &Map<'_>, left: &Map<'_>, scope: &Scope) -> Vec<End> {
    let is_missing = |end: &End, link: &Link| {
        scope.has_link(end.place, end.index) && !left.links.contains_key(end) && link.kind().is_some()
    };
    let missing: BTreeSet<End> =
        wanted.links.iter().filter(|(end, link)| is_missing(end, link)).map(|(end, _)| *end).collect();
    let mut order = Order { wanted, missing: &missing, done: BTreeSet::new(), order: Vec::new() };
    missing.iter().for_each(|end| order.visit(*end, 0));
    order.order
}

/// How many links may stand on one another; the kernel allows 8 (`MAX_NEST_DEV`).
const DEEPEST: usize = 64;

struct Order<'a> {
    wanted: &'a Map<'a>,
    missing: &'a BTreeSet<End>,
    done: BTreeSet<End>,
    order: Vec<End>,
}

impl Order<'_> {
    fn visit(&mut self, end: End, depth: usize) {
        if depth > DEEPEST || !self.missing.contains(&end) || !self.done.insert(end) {
            return;
        }
        let Some(link) = self.wanted.links.get(&end) else { return };
        let lower = match self.wanted.below(end) {
            Some(Below::Seen(lower)) => Some(lower),
            Some(Below::Unseen(_)) => None,
            // Kinds that stand on another without going with it: tunnels with a device.
            None => {
                let below = link.link.filter(|_| link.link_netnsid.is_none() && link.kind() != Some("veth"));
                below.map(|index| End { index, ..end })
            }
        };
        let here = link.master.into_iter().chain(below_in_data(link)).map(|index| End { index, ..end });
        for end in lower.into_iter().chain(here) {
            self.visit(end, depth + 1);
        }
        // A cable is made with both of its ends, and so behind what the other one stands on, too.
        if let Some(other) = self.wanted.cables.get(&end)
            && let Some(master) = self.wanted.links.get(other).and_then(|link| link.master)
        {
            self.visit(End { place: other.place, index: master }, depth + 1);
        }
        self.order.push(end);
    }
}

fn below_in_data(link: &Link) -> Option<u32> {
    match link.kind_data() {
        Some(KindData::Vxlan(vxlan)) => vxlan.link,
        _ => None,
    }
}

/// Gives temporary names to links whose names others get before they get their own.
fn give_up_names(wanted: &Map<'_>, left: &Map<'_>, made: &[End], scope: &Scope, plan: &mut Plan) {
    let taken: HashMap<(Place, IfName), End> =
        left.links.iter().filter_map(|(end, link)| Some(((end.place, link.ifname?), *end))).collect();
    let mut yielding = BTreeSet::new();
    for (end, link) in &wanted.links {
        let Some(name) = link.ifname else { continue };
        let comes = made.contains(end) || left.links.get(end).is_some_and(|now| now.ifname != Some(name));
        let Some(holder) = taken.get(&(end.place, name)).filter(|holder| comes && *holder != end) else { continue };
        let leaves = wanted.links.get(holder).is_some_and(|link| link.ifname != Some(name));
        if leaves && scope.has_link(holder.place, holder.index) && yielding.insert(*holder) {
            let Ok(name) = IfName::new(format!("vw.{}", holder.index)) else { continue };
            let link = Link { index: holder.index, ifname: Some(name), ..Link::default() };
            let object = Object::Link { link: Box::new(link), into: None, peer: None };
            plan.object(Stage::LinkYields, holder.place, Verb::Set, object);
        }
    }
}

/// Adds the steps that make links; both ends of a cable at once.
fn make(wanted: &Map<'_>, left: &Map<'_>, made: &[End], picture: bool, plan: &mut Plan) {
    let mut done = BTreeSet::new();
    let is_up = |link: &Link| link.flags & UP != 0;
    let mut up: BTreeSet<End> = left.links.iter().filter(|(_, link)| is_up(link)).map(|(end, _)| *end).collect();
    let below: BTreeSet<End> = made.iter().filter_map(|end| below_vlan(*end, wanted)).collect();
    for end in made {
        let Some(link) = wanted.links.get(end) else { continue };
        if !done.insert(*end) {
            continue;
        }
        if let Some(lower) = below_vlan(*end, wanted).filter(|lower| up.insert(*lower)) {
            let mut rises = Link { index: lower.index, ..Link::default() };
            rises.set_flags(UP, UP);
            let object = Object::Link { link: Box::new(rises), into: None, peer: None };
            plan.object(Stage::LinkComes, lower.place, Verb::Set, object);
        }
        let other = wanted.cables.get(end).filter(|other| made.contains(other));
        if let Some((other, peer)) = other.and_then(|other| Some((*other, *wanted.links.get(other)?))) {
            done.insert(other);
            // The end that has a master is the one that can have it at once.
            let is_second = link.master.unwrap_or(0) == 0 && peer.master.unwrap_or(0) != 0;
            let ((end, link), (other, peer)) = match is_second {
                true => ((other, peer), (*end, *link)),
                false => ((*end, *link), (other, peer)),
            };
            let first = creation(link, wanted, end);
            let second = Link { flags: 0, change: 0, master: None, linkinfo: None, ..creation(peer, wanted, other) };
            finish(link, &first, end, wanted, picture, plan);
            let early = if below.contains(&other) { UP } else { 0 };
            let risen = Link { flags: early, change: early, ..second.clone() };
            finish(peer, &risen, other, wanted, picture, plan);
            up.extend(Some(end).filter(|_| first.flags & UP != 0));
            let peer = Some((Box::new(second), other.place));
            let object = Object::Link { link: Box::new(first), into: None, peer };
            plan.object(Stage::LinkComes, end.place, Verb::Add, object);
            continue;
        }
        if link.kind() == Some("tun") {
            plan.add(Stage::LinkComes, end.place, Action::Tuntap { link: Box::new((*link).clone()) });
            let fresh = Link { index: link.index, ifname: link.ifname, ..Link::default() };
            finish(link, &fresh, *end, wanted, picture, plan);
            continue;
        }
        let mut first = creation(link, wanted, *end);
        if link.kind() == Some("bridge") && !picture {
            // Said in that message it would be forgotten for that of the first port.
            first.mtu = None;
        }
        finish(link, &first, *end, wanted, picture, plan);
        up.extend(Some(*end).filter(|_| first.flags & UP != 0));
        // What stands on a link of another place is made there, where that has its index.
        let place = wanted.lower(*end).map_or(end.place, |lower| lower.place);
        let into = Some(end.place).filter(|own| *own != place);
        let object = Object::Link { link: Box::new(first), into, peer: None };
        plan.object(Stage::LinkComes, place, Verb::Add, object);
    }
}

/// Returns what a VLAN stands on, if both are to be up: the kernel sets none up over what is down (`vlan_dev_open`).
fn below_vlan(end: End, wanted: &Map<'_>) -> Option<End> {
    let is_up = |end: End| wanted.links.get(&end).is_some_and(|link| link.flags & UP != 0);
    wanted.links.get(&end).filter(|link| link.kind() == Some("vlan"))?;
    wanted.lower(end).filter(|lower| is_up(end) && is_up(*lower))
}

/// Returns the request that makes a link, with as much of what is wanted as the kernel takes at once.
fn creation(link: &Link, wanted: &Map<'_>, end: End) -> Link {
    let kind = link.kind();
    let lower = wanted.lower(end);
    let below = lower.and_then(|lower| wanted.links.get(&lower));
    let elsewhere = lower.filter(|lower| lower.place != end.place);
    let ports =
        || wanted.links.iter().filter(|(port, other)| port.place == end.place && other.master == Some(link.index));
    let follows = match kind {
        // These have the address of another link unless told otherwise.
        Some("vlan" | "macsec" | "ipvlan" | "ipvtap") => below.is_some_and(|below| below.address == link.address),
        Some("bond") => ports().next().is_some(),
        Some("bridge") => ports().any(|(_, port)| port.address == link.address),
        _ => false,
    };
    let is_mac = |address: &LinkAddress| address.as_bytes().len() == 6 && !is_zero(*address);
    let mut request = Link {
        index: link.index,
        ifname: link.ifname,
        address: link.address.filter(|address| !follows && is_mac(address)),
        mtu: link.mtu,
        txqlen: link.txqlen,
        group: link.group.filter(|group| *group != 0),
        num_tx_queues: link.num_tx_queues,
        num_rx_queues: link.num_rx_queues,
        master: link.master.filter(|master| *master != 0),
        link: elsewhere.map(|lower| lower.index).or(link.link).filter(|_| !matches!(kind, Some("veth" | "netkit"))),
        link_netnsid: link.link_netnsid.filter(|_| elsewhere.is_none() && !matches!(kind, Some("veth" | "netkit"))),
        ..Link::default()
    };
    // IPv6 makes its first address when a link is set up: how must be known by then.
    if link.addr_gen_mode().unwrap_or(0) == 0 && (link.change == 0 || link.change & UP != 0) && link.flags & UP != 0 {
        request.set_flags(UP, UP);
    }
    let info = LinkInfo {
        kind: link.linkinfo.as_ref().and_then(|info| info.kind.clone()),
        data: part::creation_data(link),
        ..LinkInfo::default()
    };
    request.linkinfo = Some(Box::new(info));
    request
}

/// Adds the step that gives a link which was just made what could not be said then, and its other names.
fn finish(link: &Link, made: &Link, end: End, wanted: &Map<'_>, picture: bool, plan: &mut Plan) {
    let mut rest = Link { index: link.index, ..Link::default() };
    if link.master.unwrap_or(0) != 0 && made.master.is_none() {
        rest.master = link.master;
    }
    if link.kind() == Some("bridge") && made.mtu.is_none() {
        rest.mtu = link.mtu;
    }
    rest.ifalias = link.ifalias.clone().filter(|alias| !alias.as_bytes().is_empty());
    rest.linkmode = link.linkmode.filter(|mode| *mode != 0);
    rest.proto_down = link.proto_down.filter(|down| *down != 0);
    if made.linkinfo.is_none() && link.kind() == Some("tun") {
        let is_tap = link.address.is_some_and(|address| address.as_bytes().len() == 6);
        rest.address = link.address.filter(|_| is_tap);
        rest.mtu = link.mtu;
        rest.txqlen = link.txqlen;
        rest.group = link.group.filter(|group| *group != 0);
    }
    if let Some(mode) = link.addr_gen_mode().filter(|mode| *mode != 0) {
        rest.set_addr_gen_mode(mode);
    }
    // What a new link has without being told: BROADCAST and MULTICAST, which nobody changes often.
    let has = made.flags & made.change & UP;
    let said =
        if picture && link.change == 0 { part::SETTABLE_FLAGS & !0x1000 } else { link.change & part::SETTABLE_FLAGS };
    let flags = (link.flags ^ has) & said;
    if flags != 0 {
        rest.set_flags(flags, link.flags);
    }
    if rest != (Link { index: link.index, ..Link::default() }) {
        let object = Object::Link { link: Box::new(rest), into: None, peer: None };
        plan.object(Stage::LinkChanges, end.place, Verb::Set, object);
    }
    let is_port = wanted.links.contains_key(&End { place: end.place, index: link.master.unwrap_or(0) });
    if let (true, Some(data)) = (is_port, part::creation_port(link)) {
        plan.object(Stage::LinkChanges, end.place, Verb::Set, port_object(link, data));
    }
    if !link.alt_names().is_empty() {
        let names = part::names_message(link.index, link.alt_names().to_vec());
        plan.object(Stage::LinkChanges, end.place, Verb::Add, Object::LinkNames(Box::new(names)));
    }
}

fn port_object(link: &Link, data: SlaveData) -> Object {
    let slave_kind = link.linkinfo.as_ref().and_then(|info| info.slave_kind.clone());
    let info = LinkInfo { slave_kind, slave_data: Some(data), ..LinkInfo::default() };
    let link = Link { index: link.index, linkinfo: Some(Box::new(info)), ..Link::default() };
    Object::Link { link: Box::new(link), into: None, peer: None }
}

/// Adds the steps that change links which stay; those that arrive bring names along that nobody wants.
fn change(
    wanted: &Map<'_>,
    left: &Map<'_>,
    scope: &Scope,
    arrived: &BTreeSet<End>,
    plan: &mut Plan,
    busy: &mut BTreeSet<End>,
) {
    let picture = scope.is_picture();
    let stay = left.links.iter().filter(|(end, _)| scope.has_link(end.place, end.index));
    let mut stay: Vec<(End, &Link, &Link)> =
        stay.filter_map(|(end, now)| Some((*end, *wanted.links.get(end)?, *now))).collect();
    // What stands on another may have no greater MTU.
    stay.sort_by_key(|(end, ..)| wanted.depth(*end));
    let is_own = |part: &part::Part, link: &Link| !(part.name == "address" && link.kind() == Some("bridge"));
    let others_change = !busy.is_empty()
        || stay
            .iter()
            .any(|(_, wanted, now)| part::differing_parts(wanted, now, picture).any(|part| is_own(part, wanted)));
    for (end, wanted, now) in stay {
        for part in part::differing_parts(wanted, now, picture) {
            // A bridge has its ports' lowest address unless it is told one: that shows once they are right.
            if picture && others_change && !is_own(part, wanted) {
                continue;
            }
            let link = part::put_right(part, wanted, now);
            let was = words::link(&part::found(part, wanted, now), &Names::default(), end.place, end.place);
            busy.insert(end);
            let object = Object::Link { link: Box::new(link), into: None, peer: None };
            let action = Action::Object { verb: Verb::Set, object, was: Some(was).filter(|was| !was.is_empty()) };
            // What comes to stand on it may need it.
            let grows = part.name == "mtu" && wanted.mtu > now.mtu;
            plan.add(if grows { Stage::LinkGrows } else { Stage::LinkChanges }, end.place, action);
        }
        let (given, taken) = part::differing_names(wanted, now, picture || arrived.contains(&end));
        for (verb, names) in [(Verb::Delete, taken), (Verb::Add, given)] {
            if !names.is_empty() {
                busy.insert(end);
                let message = part::names_message(end.index, names);
                plan.object(Stage::LinkChanges, end.place, verb, Object::LinkNames(Box::new(message)));
            }
        }
    }
}

/// Adds how the links differ from what is wanted.
pub(super) fn differences(wanted: &World, now: &World, scope: &Scope, names: &Names, to: &mut Vec<Difference>) {
    let (wanted_map, now_map) = (Map::of(wanted), Map::of(now));
    let picture = scope.is_picture();
    let name = |end: &End, link: &Link| match link.ifname {
        Some(name) => format!("link {name}"),
        None => format!("link {}", names.link(end.place, end.index)),
    };
    for (end, link) in wanted_map.links.iter().filter(|(end, _)| scope.has_link(end.place, end.index)) {
        let object = name(end, link);
        let Some(now) = now_map.links.get(end) else {
            to.push(Difference::missing(end.place, object));
            continue;
        };
        if is_another(*end, link, now, &wanted_map, &now_map) {
            to.push(anew::difference(*end, (link, now), (&wanted_map, &now_map), names, object));
            continue;
        }
        for part in part::differing_parts(link, now, picture) {
            let (is, should) = (part::found(part, link, now), part::put_right(part, link, now));
            if part.name == "flags" {
                let both = words::flags(&is).into_iter().zip(words::flags(&should));
                to.extend(both.map(|((attribute, is), (_, should))| {
                    let (place, object, is, should) = (end.place, object.clone(), Some(is), Some(should));
                    Difference {
                        place,
                        object,
                        attribute,
                        is: is.map(str::to_owned),
                        should: should.map(str::to_owned),
                    }
                }));
                continue;
            }
            let shown =
                |link: &Link| Some(words::link(link, names, end.place, end.place)).filter(|words| !words.is_empty());
            let (is, should) = (shown(&is), shown(&should));
            to.push(Difference { place: end.place, object: object.clone(), attribute: part.name, is, should });
        }
        let (given, taken) = part::differing_names(link, now, picture);
        if !given.is_empty() || !taken.is_empty() {
            let shown = |link: &Link| Some(words::list(link.alt_names()));
            let (is, should) = (shown(now), shown(link));
            to.push(Difference { place: end.place, object, attribute: "altnames", is, should });
        }
    }
    for (end, link) in now_map.links.iter().filter(|(end, _)| scope.has_link(end.place, end.index)) {
        if !wanted_map.links.contains_key(end) && link.flags & LOOPBACK == 0 && can_go(link) {
            to.push(Difference::surplus(end.place, name(end, link)));
        }
    }
}

/// Says what a link stands on.
pub(super) fn shown_below(below: Below, place: Place, names: &Names) -> String {
    match below {
        Below::Seen(lower) if lower.place == place => names.link(place, lower.index),
        Below::Seen(lower) => match names.place(lower.place) {
            Some(name) => format!("{name}:{}", names.link(lower.place, lower.index)),
            None => names.link(lower.place, lower.index),
        },
        Below::Unseen(index) => format!("if{index} of another namespace"),
    }
}

/// Returns the bytes of a value, to compare.
pub(super) fn encoded(value: &impl Value) -> Vec<u8> {
    let mut out = Builder::new();
    value.encode(&mut out);
    out.into_bytes()
}

/// Returns the attributes of the first that the second has with another value.
pub(super) fn differing(wanted: &[u8], now: &[u8]) -> Option<Vec<u8>> {
    part::differing(wanted, now, |_| false)
}
