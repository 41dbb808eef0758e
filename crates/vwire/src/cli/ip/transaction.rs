//! A transaction: what commands change is noted, so that all of it can be brought back.
//!
//! Before a namespace is changed for the first time it is looked at as a whole. What the requests name makes the scope;
//! a rollback brings back what is in it ([`crate::step`]) and nothing else, so what others change meanwhile stays.
//!
//! Of a single request that changes one link only that is looked at which it may reach ([`Transaction::around`]): a
//! namespace may have thousands of links.
//!
//! A name of a namespace that is deleted is bound again to the namespace, which an open handle keeps alive until then.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;

use vwire_netlink::{Link, Listener, Object, Reply};

use crate::lab::namespace::{Identity, Name, Namespace, find, named, run_in};
use crate::step::focus::Focus;
use crate::step::rehearse::Asked;
use crate::step::run::{Places, Room, attempt, look, look_at_focus, look_at_one, reach_by};
use crate::step::scope::{LabelKey, NeighbourKey, RouteKey};
use crate::step::{self, Action, End, Names, Parts, Place, Reading, Scope, Step, Verb, World, around, differences};

use super::link::hint::Aftermath;
use super::rehearsal::descriptors;

/// `ENOENT`.
const ENOENT: i32 = 2;
/// `EEXIST`.
const EEXIST: i32 = 17;
/// `ENODEV`.
const ENODEV: i32 = 19;
/// `AF_BRIDGE`.
const AF_BRIDGE: u8 = 7;
/// `RT_TABLE_MAIN`.
const MAIN: u32 = 254;

/// What has been changed so far.
pub(in crate::cli) struct Transaction {
    places: Places,
    before: World,
    scope: Scope,
    /// Links by the names that they were asked for by: the kernel chose their indexes.
    made: BTreeSet<(Place, Vec<u8>)>,
    /// What is no object of netlink, in the order in which it was done.
    log: Vec<Deed>,
    /// Where one link is changed by one request, what of this namespace is looked at; else all of it.
    focus: Option<Focus>,
    /// That link before, and what is asked of it, where it is to go to another namespace.
    moving: Option<(Box<Link>, Box<Link>)>,
}

/// Something done that is undone by its opposite.
pub(in crate::cli) enum Deed {
    /// A name was given to a namespace.
    Named(Name),
    /// A name was taken from a namespace.
    Unnamed(Name, Namespace),
    /// A device was told to listen to a link-layer address.
    Listens {
        /// The family of the socket that told it.
        family: u8,
        /// The device.
        device: Vec<u8>,
        /// The address.
        address: [u8; 6],
        /// Told to stop, rather than to start.
        stopped: bool,
    },
}

/// Makes a place of a namespace.
pub(in crate::cli) fn room(name: String, namespace: Namespace) -> io::Result<Room> {
    let handle = namespace.as_fd().try_clone_to_owned()?;
    let inside = Box::new(move |body: &mut (dyn FnMut() + Send)| run_in(&namespace, body));
    Ok(Room::new(name, handle, inside))
}

/// Looks at the calling thread's namespace.
pub(in crate::cli) fn here() -> io::Result<(Places, World)> {
    let socket = vwire_netlink::Socket::open().map_err(io::Error::other)?;
    let mut places = Places::new(vec![room(String::new(), Namespace::current()?)?.with_socket(socket)]);
    let world = look(&mut places)?;
    Ok((places, world))
}

impl Transaction {
    /// Starts: looks at the calling thread's namespace.
    pub(in crate::cli) fn begin() -> io::Result<Self> {
        let (places, before) = here()?;
        let scope = Scope { reaches: Vec::new(), reading: Reading::Picture };
        Ok(Self { places, before, scope, made: BTreeSet::new(), log: Vec::new(), focus: None, moving: None })
    }

    /// Starts for a single request that changes a link, or those of a group.
    pub(in crate::cli) fn around_all(asked: &Link) -> io::Result<Self> {
        if asked.index != 0 {
            return Self::around(asked);
        }
        let mut whole = Self::begin()?;
        let links = whole.before.state(Place(0)).links.iter().filter(|link| link.group == asked.group);
        let indexes: Vec<u32> = links.map(|link| link.index).collect();
        indexes.into_iter().for_each(|index| whole.note_link(index));
        Ok(whole)
    }

    /// Starts for a single request that changes one link: looks at what that may reach, and not at all else.
    fn around(link: &Link) -> io::Result<Self> {
        let mut socket = vwire_netlink::Socket::open().map_err(io::Error::other)?;
        let focus = around::find(&mut socket, link.index, link)?;
        let mut places = Places::new(vec![room(String::new(), Namespace::current()?)?.with_socket(socket)]);
        let before = look_at_focus(&mut places, &focus)?;
        let mut scope = Scope { reaches: Vec::new(), reading: Reading::Picture };
        if let Some(parts) = scope.parts(Place(0)) {
            parts.links.clone_from(&focus.links);
            // Of a route in several ways another may be left when one goes.
            parts.routes.extend(before.state(Place(0)).routes.iter().map(RouteKey::of));
        }
        for fd in descriptors(link) {
            places.add(room("another namespace".to_owned(), Namespace::open(format!("/proc/self/fd/{fd}"))?)?);
        }
        let own = before.state(Place(0)).link(link.index).filter(|_| link.net_ns_fd.is_some());
        let moving = own.map(|own| (Box::new(own.clone()), Box::new(link.clone())));
        Ok(Self { places, before, scope, made: BTreeSet::new(), log: Vec::new(), focus: Some(focus), moving })
    }

    /// Brings back what a request did that was refused in the end, and says what became of it.
    pub(in crate::cli) fn put_back(mut self) -> Aftermath {
        match self.bring_back() {
            Ok((false, _)) => Aftermath::Untouched,
            Ok((true, left)) if left.is_empty() => Aftermath::Restored,
            Ok((true, left)) => Aftermath::Left(left),
            Err(error) => Aftermath::Left(vec![format!("what there is cannot be read: {error}")]),
        }
    }

    /// Returns the place of a namespace, which is looked at if it was not before.
    fn place_of(&mut self, namespace: Namespace, name: &str) -> io::Result<Place> {
        if let Some(place) = self.places.find(&namespace) {
            return Ok(place);
        }
        let place = self.places.add(room(name.to_owned(), namespace)?);
        // Nothing is changed in a place that cannot be looked at, and so it hinders no rollback of the others.
        look_at_one(&mut self.places, place, &mut self.before).inspect_err(|_| {
            self.places.forget(place);
            self.before.states.truncate(place.0);
        })?;
        Ok(place)
    }

    fn place_of_descriptor(&mut self, fd: u32) -> io::Result<Place> {
        let path = format!("/proc/self/fd/{fd}");
        let namespace = Namespace::open(&path)?;
        let name = named::names_of(Identity::of(&path)?).ok().and_then(|names| names.into_iter().next());
        let name = name.map(|name| name.to_string()).unwrap_or_else(|| "another namespace".to_owned());
        self.place_of(namespace, &name)
    }

    fn parts(&mut self, place: Place) -> Option<&mut Parts> {
        self.scope.parts(place)
    }

    /// Notes a link of this namespace.
    pub(in crate::cli) fn note_link(&mut self, index: u32) {
        if let Some(parts) = self.parts(Place(0)) {
            parts.links.insert(index);
        }
    }

    /// Notes a link of this namespace that is made by its name.
    pub(in crate::cli) fn note_made(&mut self, name: &[u8]) {
        self.made.insert((Place(0), name.to_vec()));
    }

    /// Notes something that is no object of netlink, once it is done.
    pub(in crate::cli) fn note(&mut self, deed: Deed) {
        self.log.push(deed);
    }

    /// Returns whether what a request changes is in a table that is compared.
    pub(in crate::cli) fn can_note(asked: &Asked) -> bool {
        match &asked.object {
            // A program that is taken off has no name, and what a function of hardware was set to is not compared.
            Object::Link(link) => link.xdp.is_none() && link.vfinfo_list.is_none(),
            object => matches!(
                object,
                Object::BridgeLink(_)
                    | Object::LinkProperties(_)
                    | Object::Address(_)
                    | Object::Route(_)
                    | Object::Rule(_)
                    | Object::Neighbour(_)
                    | Object::Nexthop(_)
                    | Object::AddressLabel(_)
            ),
        }
    }

    /// Notes what a request is about to change.
    ///
    /// # Errors
    /// It cannot be undone: what it is about is not known here, or is in a namespace that cannot be looked at.
    pub(in crate::cli) fn before(&mut self, asked: &Asked) -> Result<(), String> {
        match &asked.object {
            Object::BridgeLink(link) => {
                let master = self.before.state(Place(0)).link(link.index).and_then(|link| link.master);
                master.into_iter().chain([link.index]).for_each(|index| self.note_link(index));
            }
            Object::Link(link) | Object::LinkProperties(link) => self.before_link(asked, link)?,
            Object::Address(address) => self.note_link(address.index),
            Object::Route(route) => {
                let mut key = RouteKey::of(route);
                key.table = if key.table == 0 { MAIN } else { key.table };
                if let Some(parts) = self.parts(Place(0)) {
                    parts.routes.insert(key);
                }
            }
            Object::Rule(rule) => {
                if let Some(parts) = self.parts(Place(0)) {
                    parts.rules.push(rule.as_ref().clone());
                }
            }
            Object::Neighbour(neighbour) => {
                if let Some(parts) = self.parts(Place(0)) {
                    match neighbour.lladdr {
                        Some(address) if neighbour.family == AF_BRIDGE => {
                            parts.forwarding.insert((neighbour.index, address));
                        }
                        _ if neighbour.family == AF_BRIDGE => _ = parts.links.insert(neighbour.index),
                        _ => _ = parts.neighbours.insert(NeighbourKey::of(neighbour)),
                    }
                }
            }
            Object::Nexthop(hop) => {
                if let Some(parts) = self.parts(Place(0)) {
                    parts.nexthops.extend(hop.id);
                }
            }
            Object::AddressLabel(label) => {
                if let Some(parts) = self.parts(Place(0)) {
                    parts.labels.insert(LabelKey::of(label));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn before_link(&mut self, asked: &Asked, link: &Link) -> Result<(), String> {
        let cannot = |error: io::Error| format!("a namespace that it changes cannot be looked at: {error}");
        for fd in descriptors(link) {
            self.place_of_descriptor(fd).map_err(cannot)?;
        }
        let state = self.before.state(Place(0));
        let by_name = || link.ifname.and_then(|name| state.link_named(name.as_bytes())).map(|link| link.index);
        let touched: Vec<u32> = match (link.index, link.group) {
            (0, Some(group)) if link.ifname.is_none() => {
                state.links.iter().filter(|link| link.group == Some(group)).map(|link| link.index).collect()
            }
            (0, _) => by_name().into_iter().collect(),
            (index, _) => vec![index],
        };
        for index in &touched {
            self.note_link(*index);
        }
        if asked.deletes() {
            for index in touched {
                self.reach_other_end(index)?;
            }
        }
        self.note_names(asked, link);
        Ok(())
    }

    /// Notes under which names links come, and where.
    fn note_names(&mut self, asked: &Asked, link: &Link) {
        let place_of = |fd: Option<u32>, places: &Places| {
            let namespace = Namespace::open(format!("/proc/self/fd/{}", fd?)).ok()?;
            places.find(&namespace)
        };
        let mut come: Vec<(Option<u32>, Option<Vec<u8>>)> = Vec::new();
        let name = |link: &Link| link.ifname.map(|name| name.as_bytes().to_vec());
        if asked.creates() {
            come.push((link.net_ns_fd, name(link)));
            if let Some(vwire_netlink::wire::link::KindData::Veth(veth)) = link.kind_data() {
                come.extend(veth.peer.as_deref().map(|peer| (peer.net_ns_fd, name(peer))));
            }
        } else if link.net_ns_fd.is_some() {
            let own = self.before.state(Place(0)).link(link.index).and_then(name);
            come.push((link.net_ns_fd, name(link).or(own)));
        }
        for (fd, name) in come {
            let place = place_of(fd, &self.places).unwrap_or(Place(0));
            self.made.extend(name.map(|name| (place, name)));
        }
    }

    /// Makes a place of the namespace where the other end of a cable is, which goes with this one.
    fn reach_other_end(&mut self, index: u32) -> Result<(), String> {
        let Some(link) = self.before.state(Place(0)).link(index) else { return Ok(()) };
        let is_pair = matches!(link.kind(), Some("veth" | "netkit"));
        let Some(id) = link.link_netnsid.filter(|id| is_pair && *id >= 0) else { return Ok(()) };
        let name = link.ifname.map(|name| name.to_string()).unwrap_or_default();
        let end = End { place: Place(0), index };
        if self.before.other_end(end).is_some() {
            return Ok(());
        }
        let lost =
            || format!("the other end of `{name}` is in a namespace that cannot be found, and could not be made again");
        let namespaces = find::all().namespaces;
        for found in namespaces {
            let Ok(namespace) = found.open() else { continue };
            let Ok(socket) = self.places.socket(Place(0)) else { break };
            if crate::snapshot::read::namespace_id(socket, namespace.as_fd()).is_ok_and(|found| found == Some(id)) {
                let called =
                    found.names().next().map(ToString::to_string).unwrap_or_else(|| "another namespace".to_owned());
                return self.place_of(namespace, &called).map(drop).map_err(|_| lost());
            }
        }
        Err(lost())
    }

    /// Notes what a request has made, as far as the kernel says it.
    pub(in crate::cli) fn after(&mut self, asked: &Asked, reply: &Reply) {
        if !asked.creates() {
            return;
        }
        for message in &reply.messages {
            match Object::parse(message.header.message_type, &message.payload) {
                Ok(Object::Link(link)) => {
                    self.note_link(link.index);
                    let other = link.link.filter(|_| link.link_netnsid.is_none() && link.kind() == Some("veth"));
                    if let Some(other) = other {
                        self.note_link(other);
                    }
                }
                Ok(Object::Nexthop(hop)) => {
                    if let Some(parts) = self.parts(Place(0)) {
                        parts.nexthops.extend(hop.id);
                    }
                }
                _ => {}
            }
        }
    }

    /// Brings everything back to what it was, and says what could not be.
    pub(in crate::cli) fn roll_back(mut self) -> Vec<String> {
        let mut left = Vec::new();
        for deed in self.log.iter().rev() {
            if let Deed::Unnamed(name, namespace) = deed
                && let Err(error) = in_some_tries(|| named::attach(name, &namespace.path()))
            {
                left.push(format!("namespace `{name}` has its name no more: {error}"));
            }
        }
        let brought = self.bring_back().map(|(_, left)| left);
        left.extend(brought.unwrap_or_else(|error| vec![format!("what there is cannot be read: {error}")]));
        for deed in self.log.iter().rev() {
            match deed {
                Deed::Unnamed(..) => {}
                Deed::Named(name) => {
                    if let Err(error) = in_some_tries(|| named::delete(name)) {
                        left.push(format!("namespace `{name}` is there and should not be: {error}"));
                    }
                }
                Deed::Listens { family, device, address, stopped } => {
                    let turned = if *stopped { Listener::start } else { Listener::stop };
                    // A device that was made again never heard of it, or is gone.
                    let is_so = |error: &io::Error| matches!(error.raw_os_error(), Some(EEXIST | ENOENT | ENODEV));
                    let undone = in_some_tries(|| {
                        let undone = Listener::open(*family).and_then(|listener| turned(&listener, device, *address));
                        undone.or_else(|error| if is_so(&error) { Ok(()) } else { Err(error) })
                    });
                    if let Err(error) = undone {
                        let device = String::from_utf8_lossy(device);
                        left.push(format!("the multicast addresses of `{device}`: {error}"));
                    }
                }
            }
        }
        left
    }

    /// Returns whether something had to be brought back, and what could not be.
    fn bring_back(&mut self) -> io::Result<(bool, Vec<String>)> {
        let focus = self.focus.take();
        let look = |places: &mut Places| match &focus {
            Some(focus) => look_at_focus(places, focus),
            None => look(places),
        };
        let now = look(&mut self.places)?;
        self.recall_departed(&now);
        for (place, name) in &self.made {
            let came = now.state(*place).link_named(name).map(|link| link.index);
            let came = came.filter(|index| self.before.state(*place).link(*index).is_none());
            if let (Some(index), Some(parts)) = (came, self.scope.parts(*place)) {
                parts.links.insert(index);
            }
        }
        match focus {
            // The links that go with one are in it.
            Some(_) => self.scope.add_nexthops(&self.before),
            None => self.scope.add_dependents(&self.before),
        }
        self.scope.reaches.resize_with(self.before.states.len().max(self.scope.reaches.len()), Default::default);
        if differences(&self.before, &now, &self.scope).is_empty() {
            return Ok((false, Vec::new()));
        }
        let (left, refused) = reach_by(&mut self.places, &self.before, &self.scope, look)?;
        let names = Names::of(self.places.names(), &[&self.before, &now]);
        Ok((true, left.iter().map(|difference| difference.describe(&names)).chain(refused).collect()))
    }

    /// Finds a link that went to another namespace before the rest of its change was refused, and gives it its address
    /// back, by which it is known. What else there is in that namespace stays as it is.
    fn recall_departed(&mut self, now: &World) {
        let Some((link, asked)) = self.moving.take() else { return };
        let departed = now.state(Place(0)).link(link.index).is_none();
        for place in self.places.all().skip(1) {
            let found = now.state(place).links.iter().find(|found| departed && is_moved(&link, &asked, found));
            let found = found.cloned();
            self.before.states.push(now.state(place).clone());
            let Some(found) = found else { continue };
            self.before.forget(End { place, index: found.index });
            if let Some(parts) = self.scope.parts(place) {
                parts.links.insert(found.index);
            }
            if found.address != link.address {
                let back = Link { index: found.index, address: link.address, ..Link::default() };
                let object = step::Object::Link { link: Box::new(back), into: None, peer: None };
                let action = Action::Object { verb: Verb::Set, object, was: None };
                // Where this is refused, the link is told as one that is not back.
                let _ = attempt(&mut self.places, &[Step { place, action }]);
            }
        }
    }
}

/// Undoes something, and tries again where that is refused: what is in use or scarce may be free a moment later.
fn in_some_tries<E>(undo: impl Fn() -> Result<(), E>) -> Result<(), E> {
    const TRIES: usize = 3;
    (1..TRIES).fold(undo(), |undone, _| undone.or_else(|_| undo()))
}

/// Returns whether a link is the one that was to be moved: with its old or its new name and address.
fn is_moved(link: &Link, asked: &Link, found: &Link) -> bool {
    (found.ifname == link.ifname || asked.ifname.is_some() && found.ifname == asked.ifname)
        && (found.address == link.address || asked.address.is_some() && found.address == asked.address)
        && (found.kind(), found.link, found.perm_address) == (link.kind(), link.link, link.perm_address)
}

impl Deed {
    /// Opens a namespace before its name is taken away.
    pub(in crate::cli) fn unnamed(name: &Name) -> io::Result<Self> {
        let namespace = Namespace::open_named(OsStr::new(name.as_os_str()))?;
        Ok(Self::Unnamed(name.clone(), namespace))
    }
}
