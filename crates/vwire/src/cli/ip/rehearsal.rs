//! A rehearsal: commands are read and resolved as if those before them had been done, and nothing is changed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use vwire_netlink::wire::link::tun::Tun;
use vwire_netlink::{IfName, Link, Reply, Request, RequestError};

use crate::lab::namespace::{Identity, Namespace, named};
use crate::snapshot::document;
use crate::snapshot::state::State;
use crate::step::rehearse::{self, Asked, rehearse};
use crate::step::{Place, World};

use super::wishes::Wishes;

/// `EEXIST`.
const EEXIST: i32 = 17;
/// `ENODEV`.
const ENODEV: i32 = 19;

/// What there would be by now.
pub(in crate::cli) struct Rehearsal {
    /// The tables of the places, this namespace first.
    pub(in crate::cli) world: World,
    /// Which namespace each place is.
    identities: Vec<Option<Identity>>,
    /// Names of namespaces that were given, or taken away.
    names: BTreeMap<OsString, Option<Namespace>>,
    /// Whether what there is was written down: names that are not in `names` stand for nothing.
    is_recorded: bool,
    /// What came of the line so far.
    line: Rehearsed,
}

/// What came of a line.
#[derive(Debug, Default)]
pub(in crate::cli) struct Rehearsed {
    /// What it asks for.
    pub(in crate::cli) asked: Vec<Asked>,
    /// Whether something that it asks for is sure to be refused.
    pub(in crate::cli) is_refused: bool,
    /// The names of namespaces that it gave, or took away.
    pub(in crate::cli) names: Vec<(OsString, bool)>,
    /// The links that it moves, by the names that they have before and behind it, and where to.
    pub(in crate::cli) moved: Vec<(String, String, Place)>,
}

impl Rehearsal {
    /// Starts with what there is.
    pub(in crate::cli) fn new(world: World) -> Self {
        let own = Namespace::current().ok().map(|namespace| namespace.identity());
        let names = BTreeMap::new();
        Self { world, identities: vec![own], names, is_recorded: false, line: Rehearsed::default() }
    }

    /// Starts with what these namespaces of a snapshot held; the first is the one that commands are for.
    ///
    /// To be named in a request, each that has a name gets an empty namespace in its place, which ends with the rehearsal;
    /// without the privilege to make one, the name stands for nothing.
    pub(in crate::cli) fn recorded(namespaces: &[&document::Namespace]) -> Self {
        let all: Vec<_> = namespaces.iter().copied().map(Some).collect();
        let mut rehearsal = Self { is_recorded: true, ..Self::new(World::of_namespaces(&all)) };
        for (place, namespace) in namespaces.iter().enumerate() {
            let made = (place > 0 && !namespace.names.is_empty()).then(|| Namespace::create().ok()).flatten();
            if place > 0 {
                rehearsal.identities.push(made.as_ref().map(Namespace::identity));
            }
            let Some(made) = made else { continue };
            for name in &namespace.names {
                let again = Namespace::open(made.path()).ok();
                rehearsal.names.insert(OsStr::from_bytes(name.as_bytes()).to_owned(), again);
            }
        }
        rehearsal
    }

    /// Does a request to what there would be.
    pub(in crate::cli) fn take(&mut self, request: &Request, wishes: Wishes) -> Result<Reply, RequestError> {
        let refused = |errno| RequestError { operation: request.message_type(), errno, ext_ack: Box::default() };
        let Some(asked) = Asked::of(request) else { return Ok(Reply::default()) };
        let named = match &asked.object {
            vwire_netlink::Object::Link(link) => descriptors(link),
            _ => Vec::new(),
        };
        let places: BTreeMap<u32, Place> = named.into_iter().filter_map(|fd| Some((fd, self.place(fd)?))).collect();
        // Of what is made where nothing was looked at, that much is known.
        self.world.states.resize_with(self.identities.len().max(self.world.states.len()), State::default);
        let moved = self.moved(&asked, &places);
        let done = rehearse(&mut self.world, Place(0), &asked, |fd| places.get(&fd).copied());
        let is_excused = |errno: &i32| match *errno {
            EEXIST => asked.creates() && (wishes.if_absent || wishes.replace),
            ENODEV => wishes.if_exists && !asked.creates(),
            _ => false,
        };
        self.line.asked.push(asked.clone());
        if done.is_ok() {
            self.line.moved.extend(moved);
        }
        match done {
            Err(errno) if !is_excused(&errno) => {
                self.line.is_refused = true;
                Err(refused(errno))
            }
            _ => Ok(Reply::default()),
        }
    }

    /// Returns the place that a file descriptor stands for; a new one where it was not named before.
    fn place(&mut self, fd: u32) -> Option<Place> {
        let identity = Identity::of(format!("/proc/self/fd/{fd}")).ok()?;
        let known = self.identities.iter().position(|known| *known == Some(identity));
        Some(Place(known.unwrap_or_else(|| {
            self.identities.push(Some(identity));
            self.identities.len() - 1
        })))
    }

    /// Returns which links a request moves, and where to.
    fn moved(&self, asked: &Asked, places: &BTreeMap<u32, Place>) -> Vec<(String, String, Place)> {
        let vwire_netlink::Object::Link(wanted) = &asked.object else { return Vec::new() };
        let Some(into) = wanted.net_ns_fd.and_then(|fd| places.get(&fd)).filter(|_| !asked.creates()) else {
            return Vec::new();
        };
        let state = self.world.state(Place(0));
        let chosen = rehearse::chosen(state, wanted).into_iter().filter_map(|index| state.link(index));
        let named = chosen.filter_map(|link| Some((link.ifname?, wanted.ifname.or(link.ifname)?)));
        // One that stays where it is does not move.
        named.filter(|_| *into != Place(0)).map(|(from, to)| (from.to_string(), to.to_string(), *into)).collect()
    }

    /// Returns what came of the line so far, and forgets it.
    pub(in crate::cli) fn end_line(&mut self) -> Rehearsed {
        std::mem::take(&mut self.line)
    }

    /// Returns what the places are called: this namespace not at all, the others by the first name that they have.
    pub(in crate::cli) fn called(&self) -> Vec<String> {
        let called = |identity: &Option<Identity>| {
            let identity = (*identity)?;
            let is_it = |named: &Option<Namespace>| named.as_ref().is_some_and(|named| named.identity() == identity);
            let given = self.names.iter().find(|(_, named)| is_it(named)).map(|(name, _)| name.display().to_string());
            let found = || named::names_of(identity).ok()?.into_iter().next().map(|name| name.to_string());
            given.or_else(found)
        };
        let others =
            self.identities.iter().skip(1).map(|identity| called(identity).unwrap_or_else(|| "another".into()));
        std::iter::once(String::new()).chain(others).collect()
    }

    /// Returns the index of a link by a name of its.
    pub(in crate::cli) fn device(&self, name: &[u8]) -> Option<u32> {
        self.world.state(Place(0)).link_named(name).map(|link| link.index)
    }

    /// Returns a link by its index.
    pub(in crate::cli) fn link(&self, index: u32) -> Option<Link> {
        self.world.state(Place(0)).link(index).cloned()
    }

    /// Notes a TUN or TAP device.
    pub(in crate::cli) fn add_device(&mut self, name: Option<&[u8]>, tun: Tun) {
        let highest = self.world.states.iter().flat_map(|state| &state.links).map(|link| link.index).max();
        let mut link = Link { index: highest.unwrap_or(0) + 1, ..Link::default() };
        link.ifname = name.and_then(|name| IfName::new(name).ok());
        link.set_kind("tun", Some(tun.into()));
        if let Some(state) = self.world.states.first_mut() {
            state.links.push(link);
        }
    }

    /// Takes a TUN or TAP device away.
    pub(in crate::cli) fn remove_device(&mut self, index: u32) {
        if let Some(state) = self.world.states.first_mut() {
            state.links.retain(|link| link.index != index);
        }
    }

    /// Gives a name to a new namespace, or to the one of this file.
    pub(in crate::cli) fn name_namespace(&mut self, name: &OsStr, of: Option<PathBuf>) -> io::Result<()> {
        if self.has_namespace(name) {
            return Err(io::Error::from_raw_os_error(EEXIST));
        }
        let namespace = match of {
            Some(path) => Namespace::open(path)?,
            // Nobody sees it, and it ends with the rehearsal.
            None => Namespace::create()?,
        };
        self.names.insert(name.to_owned(), Some(namespace));
        self.line.names.push((name.to_owned(), true));
        Ok(())
    }

    /// Takes a name away.
    pub(in crate::cli) fn unname_namespace(&mut self, name: &OsStr) -> io::Result<()> {
        if !self.has_namespace(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.names.insert(name.to_owned(), None);
        self.line.names.push((name.to_owned(), false));
        Ok(())
    }

    fn has_namespace(&self, name: &OsStr) -> bool {
        match self.names.get(name) {
            Some(named) => named.is_some(),
            None => !self.is_recorded && Namespace::open_named(name).is_ok(),
        }
    }

    /// Opens a namespace by a name that was given in the rehearsal; the inner `None` is a name that was taken away.
    pub(in crate::cli) fn open_namespace(&self, name: &OsStr) -> Option<Option<Namespace>> {
        let named = match self.names.get(name) {
            None if self.is_recorded => return Some(None),
            named => named?,
        };
        Some(named.as_ref().and_then(|namespace| Namespace::open(namespace.path()).ok()))
    }
}

/// Returns the file descriptors of namespaces that a link is made in or moved to, and its other end.
pub(in crate::cli) fn descriptors(link: &Link) -> Vec<u32> {
    let peer = match link.kind_data() {
        Some(vwire_netlink::wire::link::KindData::Veth(veth)) => veth.peer.as_deref().and_then(|peer| peer.net_ns_fd),
        _ => None,
    };
    link.net_ns_fd.into_iter().chain(peer).collect()
}
