//! Looking at places: their tables over a socket each, their sysctls from inside, and the cables between them.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;

use vwire_netlink::wire::{Body, MessageType};
use vwire_netlink::{
    AddressFilter, DumpError, Link, LinkFilter, NamespaceId, Neighbour, Nexthop, Request, Route, Socket,
};

use super::focus::Focus;
use super::run::Places;
use super::world::{End, Place, World};
use super::{around, below};
use crate::snapshot::state::State;

/// `NTF_PROXY`.
pub(super) const PROXY: u8 = 0x08;
/// How a kernel says that it has no such thing: `EINVAL`, `EPROTONOSUPPORT`, `EOPNOTSUPP`, `EAFNOSUPPORT`.
const UNKNOWN: [i32; 4] = [22, 93, 95, 97];
/// `RTM_F_CLONED`.
pub(super) const CLONED: u32 = 0x200;

/// Reads what all places hold.
///
/// # Errors
/// A place cannot be read: it would be taken for empty.
pub fn look(places: &mut Places) -> io::Result<World> {
    look_by(places, |_, socket| read(socket).map_err(io::Error::other))
}

/// Reads of the first place only what a focus is on, and what all others hold.
///
/// # Errors
/// As [`look`].
pub fn look_at_focus(places: &mut Places, focus: &Focus) -> io::Result<World> {
    look_by(places, |place, socket| match place {
        Place(0) => around::read(socket, focus),
        _ => read(socket).map_err(io::Error::other),
    })
}

fn look_by(places: &mut Places, read: impl Fn(Place, &mut Socket) -> io::Result<State>) -> io::Result<World> {
    let mut world = World::default();
    for place in places.all() {
        let mut state = read(place, places.socket(place)?)?;
        state.sysctls = places.read_sysctls(place)?;
        world.states.push(state);
    }
    world.cables = cables(places, &world)?;
    world.lowers = lowers(places, &world)?;
    Ok(world)
}

/// Reads what one more place holds, beside what others were seen to hold before.
///
/// # Errors
/// The place cannot be read.
pub fn look_at_one(places: &mut Places, place: Place, world: &mut World) -> io::Result<()> {
    let mut state = read(places.socket(place)?).map_err(io::Error::other)?;
    state.sysctls = places.read_sysctls(place)?;
    world.states.resize_with(place.0, State::default);
    world.states.push(state);
    world.cables = cables(places, world)?;
    world.lowers = lowers(places, world)?;
    Ok(())
}

fn read(socket: &mut Socket) -> Result<State, DumpError> {
    let mut routes = socket.routes(&Route::default())?;
    routes.retain(|route| route.flags & CLONED == 0);
    let mut neighbours = socket.neighbours(&Neighbour::default())?;
    neighbours.append(&mut socket.neighbours(&Neighbour { flags: PROXY, ..Neighbour::default() })?);
    Ok(State {
        links: links(socket)?,
        addresses: socket.addresses(&AddressFilter::all())?,
        routes,
        rules: socket.rules(0)?,
        neighbours,
        // Kernels without IPv6, bridges or next hop objects refuse these.
        nexthops: if_known(socket.nexthops(&Nexthop::default()))?,
        forwarding: if_known(socket.forwarding_database())?,
        bridge_links: if_known(socket.bridge_links())?,
        labels: if_known(socket.address_labels())?,
        ..State::default()
    })
}

/// Takes a list that the kernel does not know for an empty one; one that cannot be read is not taken for empty, since what
/// is not in a picture is taken away.
pub fn if_known<T>(read: Result<Vec<T>, DumpError>) -> Result<Vec<T>, DumpError> {
    match read {
        Err(error) if error.errno().is_some_and(|errno| UNKNOWN.contains(&errno)) => Ok(Vec::new()),
        read => read,
    }
}

/// Reads links with the sysctls of theirs that netlink tells, and without counters.
fn links(socket: &mut Socket) -> Result<Vec<Link>, DumpError> {
    socket.dump(&LinkFilter::without_stats().to_request(), |message| Ok(as_looked_at(Link::parse(message.payload)?)))
}

/// Returns a link that was read without what moves by itself, and with what the kernel says by leaving it out.
pub(super) fn as_looked_at(mut link: Link) -> Link {
    super::part::forget_what_moves(&mut link);
    link
}

/// Finds the cables of which both ends are seen. Ids of namespaces are asked for from one end only: the places with
/// most open ends first, so that a star of many places is asked in its middle.
fn cables(places: &mut Places, world: &World) -> io::Result<Vec<(End, End)>> {
    let mut cables = Vec::new();
    let mut open: BTreeMap<End, (u32, i32)> = BTreeMap::new();
    for place in places.all() {
        for link in world.state(place).links.iter().filter(|link| matches!(link.kind(), Some("veth" | "netkit"))) {
            let end = End { place, index: link.index };
            match (link.link, link.link_netnsid) {
                (Some(other), None) if other > link.index && world.state(place).link(other).is_some() => {
                    cables.push((end, End { place, index: other }));
                }
                (Some(other), Some(id)) if id >= 0 => _ = open.insert(end, (other, id)),
                _ => {}
            }
        }
    }
    let count = |open: &BTreeMap<End, (u32, i32)>, place: Place| open.keys().filter(|end| end.place == place).count();
    let mut order: Vec<(usize, Place)> = places.all().map(|place| (count(&open, place), place)).collect();
    order.sort_by_key(|(open, _)| std::cmp::Reverse(*open));
    for (_, place) in order {
        if count(&open, place) == 0 {
            continue;
        }
        let others: Vec<Place> = places.all().collect();
        let ids = ids(places, place, &others)?;
        let here: Vec<(End, (u32, i32))> =
            open.iter().filter(|(end, _)| end.place == place).map(|(end, other)| (*end, *other)).collect();
        for (end, (index, id)) in here {
            open.remove(&end);
            let other = ids.get(&id).map(|place| End { place: *place, index });
            let Some(other) = other.filter(|other| world.state(other.place).link(other.index).is_some()) else {
                continue;
            };
            open.remove(&other);
            cables.push((end, other));
        }
    }
    Ok(cables)
}

/// Finds what stands on a link of another place.
fn lowers(places: &mut Places, world: &World) -> io::Result<BTreeMap<End, End>> {
    below::lowers(world, |place, other| Ok(ids(places, place, &[other])?.into_keys().next()))
}

/// Returns the ids that a place has for others.
fn ids(places: &mut Places, place: Place, others: &[Place]) -> io::Result<BTreeMap<i32, Place>> {
    let ask = |fd: Option<u32>| Request::get_namespace_id(&NamespaceId { fd, ..NamespaceId::default() });
    let requests: Vec<Request> = others.iter().map(|other| ask(places.descriptor(*other))).collect();
    let answers = places.socket(place)?.batch(&requests);
    let id = |reply: vwire_netlink::Reply| {
        let message = reply.messages.first()?;
        let is_id = message.header.message_type == MessageType::NEWNSID;
        let found = NamespaceId::parse(&message.payload).ok().filter(|_| is_id)?;
        found.nsid.filter(|id| *id >= 0)
    };
    let mut ids = BTreeMap::new();
    for (answer, other) in answers.into_iter().zip(others) {
        // A cable that is not seen would be made anew.
        let id = id(answer.map_err(io::Error::other)?);
        ids.extend(id.map(|id| (id, *other)));
    }
    Ok(ids)
}

/// Returns whether two handles lead to the same namespace.
pub(super) fn is_same(one: &impl AsFd, other: &impl AsFd) -> bool {
    let identity = |handle: &dyn Fn() -> io::Result<std::fs::File>| {
        use std::os::unix::fs::MetadataExt;
        let data = handle().ok()?.metadata().ok()?;
        Some((data.dev(), data.ino()))
    };
    let file = |handle: &dyn AsFd| handle.as_fd().try_clone_to_owned().map(std::fs::File::from);
    let (one, other) = (identity(&|| file(one)), identity(&|| file(other)));
    one.is_some() && one == other
}
