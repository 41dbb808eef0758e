//! Does requests to a world of plain data, as the kernel would do them to what is there. Pure.
//!
//! A rehearsal need not be the kernel: it finds out which links there will be and under which names, so that what comes
//! later can refer to them, and what a request would change, so that it can be shown. What only the kernel can tell it
//! leaves open, and refuses nothing but names that are taken or missing.

use vwire_netlink::wire::link::{KindData, PropList};
use vwire_netlink::wire::nest::RawNest;
use vwire_netlink::wire::{Attributes, Builder, Header, Object as Message};
use vwire_netlink::{Link, MessageType, Neighbour, Request, Route};

use super::scope::{LabelKey, NeighbourKey, RouteKey};
use super::world::{End, Place, World};
use super::{address, departure, part, rule};
use crate::snapshot::state::State;

/// `NLM_F_EXCL`.
const EXCLUSIVE: u16 = 0x200;
/// `NLM_F_CREATE`.
const CREATE: u16 = 0x400;
/// `NLM_F_REPLACE`.
const REPLACE: u16 = 0x100;
/// `AF_BRIDGE`.
const AF_BRIDGE: u8 = 7;
/// `EEXIST`.
const EEXIST: i32 = 17;
/// `ENODEV`.
const ENODEV: i32 = 19;

/// A request in its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// What is asked for.
    pub message_type: MessageType,
    /// `NLM_F_*`.
    pub flags: u16,
    /// The object that is made, changed or deleted.
    pub object: Message,
}

impl Asked {
    /// Takes a request apart; `None` where it is malformed.
    #[must_use]
    pub fn of(request: &Request) -> Option<Self> {
        let header = Header::parse(request.as_bytes())?;
        let object = Message::parse(header.message_type, request.as_bytes().get(Header::LEN..)?).ok()?;
        Some(Self { message_type: header.message_type, flags: header.flags, object })
    }

    /// Returns whether it may make something that is not there.
    #[must_use]
    pub fn creates(&self) -> bool {
        self.flags & CREATE != 0
    }

    /// Returns whether it deletes something.
    #[must_use]
    pub fn deletes(&self) -> bool {
        // Of the four types of a family, the second deletes.
        self.message_type.0 % 4 == 1
    }

    /// Returns the one link that it deletes, and nothing else.
    #[must_use]
    pub fn deleted_link(&self) -> Option<u32> {
        match &self.object {
            Message::Link(link) if self.message_type == MessageType::DELLINK && link.index != 0 => Some(link.index),
            _ => None,
        }
    }
}

/// Does a request in a place; `find` says which place a file descriptor in it stands for.
///
/// # Errors
/// The error number of a refusal that is certain: a name that is taken, or a link that is not there.
pub fn rehearse(
    world: &mut World,
    place: Place,
    asked: &Asked,
    find: impl Fn(u32) -> Option<Place>,
) -> Result<(), i32> {
    if world.states.len() <= place.0 {
        world.states.resize_with(place.0 + 1, State::default);
    }
    match &asked.object {
        Message::Link(wanted) if wanted.family != AF_BRIDGE => return links(world, place, asked, wanted, find),
        Message::LinkProperties(wanted) => names(world, place, asked, wanted),
        _ => {
            if let Some(state) = world.states.get_mut(place.0) {
                objects(state, asked);
            }
        }
    }
    Ok(())
}

fn links(
    world: &mut World,
    place: Place,
    asked: &Asked,
    wanted: &Link,
    find: impl Fn(u32) -> Option<Place>,
) -> Result<(), i32> {
    if asked.deletes() {
        let doomed: Vec<u32> = chosen(world.state(place), wanted);
        if doomed.is_empty() && wanted.group.is_none() {
            return Err(ENODEV);
        }
        doomed.into_iter().for_each(|index| departure::remove_with_all(world, End { place, index }));
        return Ok(());
    }
    let into = wanted.net_ns_fd.and_then(&find);
    let home = into.unwrap_or(place);
    if asked.creates() {
        let name = wanted.ifname;
        let taken = name.and_then(|name| world.state(home).link_named(name.as_bytes())).map(|link| link.index);
        return match taken {
            Some(_) if asked.flags & EXCLUSIVE != 0 => Err(EEXIST),
            Some(index) => {
                change(world, home, index, wanted);
                Ok(())
            }
            None => create(world, place, home, wanted, find),
        };
    }
    let found = chosen(world.state(place), wanted);
    if found.is_empty() && wanted.group.is_none() {
        return Err(ENODEV);
    }
    for index in found {
        if let Some(name) = wanted.ifname
            && world.state(place).link_named(name.as_bytes()).is_some_and(|other| other.index != index)
        {
            return Err(EEXIST);
        }
        change(world, place, index, wanted);
        if wanted.net_ns_fd.is_some() || wanted.net_ns_pid.is_some() {
            departure::depart(world, End { place, index }, into, wanted.new_ifindex);
        }
    }
    Ok(())
}

/// Returns the links that a message is about: by index, by name, or all of a group.
#[must_use]
pub fn chosen(state: &State, wanted: &Link) -> Vec<u32> {
    let by_name = |name: &[u8]| state.link_named(name).map(|link| link.index);
    match (wanted.index, &wanted.ifname, &wanted.alt_ifname, wanted.group) {
        (0, Some(name), ..) => by_name(name.as_bytes()).into_iter().collect(),
        (0, None, Some(name), _) => by_name(name.as_bytes()).into_iter().collect(),
        (0, None, None, Some(group)) => {
            state.links.iter().filter(|link| link.group == Some(group)).map(|link| link.index).collect()
        }
        (index, ..) => state.link(index).map(|link| link.index).into_iter().collect(),
    }
}

/// Returns an index that no link has, far above those that the kernel gives.
fn free_index(world: &World) -> u32 {
    const FAR: u32 = 1 << 24;
    let highest = world.states.iter().flat_map(|state| &state.links).map(|link| link.index).max();
    highest.unwrap_or(0).max(FAR) + 1
}

fn create(
    world: &mut World,
    place: Place,
    home: Place,
    wanted: &Link,
    find: impl Fn(u32) -> Option<Place>,
) -> Result<(), i32> {
    let index = if wanted.index == 0 { free_index(world) } else { wanted.index };
    let mut made = Link { index, net_ns_fd: None, ..wanted.clone() };
    let peer = match wanted.kind_data() {
        Some(KindData::Veth(veth)) => Some(veth.peer.as_deref().cloned().unwrap_or_default()),
        _ if wanted.kind() == Some("veth") => Some(Link::default()),
        _ => None,
    };
    if let Some(info) = made.linkinfo.as_deref_mut().filter(|_| peer.is_some()) {
        info.data = None;
    }
    push(world, home, made);
    if let Some(below) = wanted.link.filter(|_| home != place && peer.is_none() && wanted.link_netnsid.is_none()) {
        departure::put_on(world, End { place: home, index }, End { place, index: below });
    }
    let Some(peer) = peer else { return Ok(()) };
    let other = peer.net_ns_fd.and_then(find).unwrap_or(place);
    let taken = peer.ifname.is_some_and(|name| world.state(other).link_named(name.as_bytes()).is_some());
    if taken {
        departure::remove_with_all(world, End { place: home, index });
        return Err(EEXIST);
    }
    let peer_index = if peer.index == 0 { free_index(world) } else { peer.index };
    let mut peer = Link { index: peer_index, net_ns_fd: None, link: Some(index), ..peer };
    peer.set_kind("veth", None);
    push(world, other, peer);
    if let Some(link) = world.states.get_mut(home.0).and_then(|state| state.links.iter_mut().find(|l| l.index == index))
    {
        link.link = Some(peer_index);
    }
    world.cables.push((End { place: home, index }, End { place: other, index: peer_index }));
    Ok(())
}

fn push(world: &mut World, place: Place, link: Link) {
    if let Some(state) = world.states.get_mut(place.0) {
        state.links.push(Link { change: 0, master: link.master.filter(|master| *master != 0), ..link });
    }
}

/// Changes a link that is there.
fn change(world: &mut World, place: Place, index: u32, wanted: &Link) {
    let Some(state) = world.states.get_mut(place.0) else { return };
    let Some(link) = state.links.iter_mut().find(|link| link.index == index) else { return };
    macro_rules! set {
        ($($field:ident)*) => { $(if wanted.$field.is_some() { link.$field = wanted.$field.clone(); })* };
    }
    set!(ifname address broadcast mtu txqlen group linkmode carrier proto_down gso_max_size gso_max_segs);
    set!(gro_max_size gso_ipv4_max_size gro_ipv4_max_size proto_down_reason);
    if let Some(master) = wanted.master {
        link.master = Some(master).filter(|master| *master != 0);
    }
    if let Some(alias) = &wanted.ifalias {
        link.ifalias = Some(alias.clone()).filter(|alias| !alias.as_bytes().is_empty());
    }
    if let Some(mode) = wanted.addr_gen_mode() {
        link.set_addr_gen_mode(mode);
    }
    link.flags = link.flags & !wanted.change | wanted.flags & wanted.change;
    let Some(info) = &wanted.linkinfo else { return };
    let kept = link.linkinfo.get_or_insert_default();
    if let (Some(kind), Some(data)) = (&kept.kind, &info.data) {
        let before = kept.data.as_ref().map(|data| part::emitted(|out| data.encode(out))).unwrap_or_default();
        let bytes = overlaid(&before, &part::emitted(|out| data.encode(out)));
        kept.data = Some(KindData::decode(kind.as_bytes(), &bytes));
    }
}

/// Puts the attributes of the second in the place of those of the first with the same numbers.
fn overlaid(before: &[u8], after: &[u8]) -> Vec<u8> {
    let mut out = Builder::new();
    let is_new = |number: u16| Attributes::new(after).any(|other| other.number() == number);
    let kept = Attributes::new(before).filter(|attribute| !is_new(attribute.number()));
    kept.chain(Attributes::new(after)).for_each(|attribute| out.bytes(attribute.flagged_number(), attribute.payload()));
    RawNest(out.into_bytes().into()).0.into_vec()
}

fn names(world: &mut World, place: Place, asked: &Asked, wanted: &Link) {
    let found = chosen(world.state(place), &Link { prop_list: None, ..wanted.clone() });
    let Some(state) = world.states.get_mut(place.0) else { return };
    for link in state.links.iter_mut().filter(|link| found.contains(&link.index)) {
        let mut all = link.alt_names().to_vec();
        all.retain(|name| !wanted.alt_names().contains(name));
        if !asked.deletes() {
            all.extend_from_slice(wanted.alt_names());
        }
        let list = PropList { alt_ifname: all, ..PropList::default() };
        link.prop_list = Some(Box::new(list)).filter(|list| !list.alt_ifname.is_empty());
    }
}

/// Makes, changes or deletes in a list what has the same key.
fn put<T: Clone, K: PartialEq>(list: &mut Vec<T>, item: &T, deletes: bool, key: impl Fn(&T) -> K) {
    let wanted = key(item);
    let position = list.iter().position(|other| key(other) == wanted);
    match (position, deletes) {
        (Some(position), true) => _ = list.remove(position),
        (Some(position), false) => list[position] = item.clone(),
        (None, true) => {}
        (None, false) => list.push(item.clone()),
    }
}

fn objects(state: &mut State, asked: &Asked) {
    let deletes = asked.deletes();
    match &asked.object {
        Message::Address(wanted) => put(&mut state.addresses, wanted, deletes, address::key),
        Message::Rule(wanted) if deletes => {
            if let Some(position) = state.rules.iter().position(|other| rule::fits(other, wanted)) {
                state.rules.remove(position);
            }
        }
        Message::Rule(wanted) => state.rules.push(wanted.as_ref().clone()),
        Message::Route(wanted) => routes(&mut state.routes, asked, wanted),
        Message::Neighbour(wanted) if wanted.family == AF_BRIDGE => {
            let key = |entry: &Neighbour| (entry.index, entry.lladdr, entry.vlan, entry.dst);
            put(&mut state.forwarding, wanted, deletes, key);
        }
        Message::Neighbour(wanted) => put(&mut state.neighbours, wanted, deletes, NeighbourKey::of),
        Message::Nexthop(wanted) => put(&mut state.nexthops, wanted, deletes, |hop| hop.id),
        Message::AddressLabel(wanted) => put(&mut state.labels, wanted, deletes, LabelKey::of),
        _ => {}
    }
}

fn routes(routes: &mut Vec<Route>, asked: &Asked, wanted: &Route) {
    let said = |one: Option<u32>, other: Option<u32>| one.is_none() || one == other;
    let is_same = |route: &Route| {
        RouteKey::of(route) == RouteKey::of(wanted)
            && said(wanted.priority, route.priority)
            && (!asked.deletes() || said(wanted.oif, route.oif))
    };
    let position = routes.iter().position(is_same);
    match position {
        Some(position) if asked.deletes() => _ = routes.remove(position),
        Some(position) if asked.flags & REPLACE != 0 => routes[position] = wanted.clone(),
        _ if asked.deletes() => {}
        _ => routes.push(wanted.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vwire_netlink::Create;
    use vwire_netlink::wire::link::veth::Veth;

    fn done(world: &mut World, request: &Request) -> Result<(), i32> {
        rehearse(world, Place(0), &Asked::of(request).unwrap(), |_| None)
    }

    fn pair(one: &str, other: &str) -> Request {
        let mut link = Link::named(one.parse().unwrap());
        link.set_kind("veth", Some(Veth::with_peer(Link::named(other.parse().unwrap())).into()));
        Request::new_link(&link, Create::Exclusive)
    }

    #[test]
    fn what_was_made_can_be_named_changed_and_deleted() {
        let mut world = World::default();
        assert_eq!(done(&mut world, &pair("v0", "v1")), Ok(()));
        assert_eq!(done(&mut world, &pair("v2", "v1")), Err(EEXIST));
        let index = world.state(Place(0)).link_named(b"v1").unwrap().index;
        let mut change = Link { index, mtu: Some(1400), ..Link::default() };
        change.set_flags(1, 1);
        assert_eq!(done(&mut world, &Request::set_link(&change)), Ok(()));
        let link = world.state(Place(0)).link(index).unwrap();
        assert_eq!((link.mtu, link.flags), (Some(1400), 1));
        assert_eq!(done(&mut world, &Request::del_link(&Link { index, ..Link::default() })), Ok(()));
        assert_eq!(world.state(Place(0)).links, []);
        assert_eq!(done(&mut world, &Request::del_link(&Link { index, ..Link::default() })), Err(ENODEV));
    }
}
