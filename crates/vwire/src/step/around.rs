//! Looking at one link and at what a change to it may reach, and at nothing else of its namespace.
//!
//! A look at a [`Focus`] is like one at the whole namespace with only these links in it, so all that stands on worlds
//! works with it. The links on top of one are asked for by their kinds, since no link tells them: of a list that the
//! kernel narrows down it only makes what is in it.

use std::collections::BTreeSet;
use std::io;

use vwire_netlink::wire::MessageType;
use vwire_netlink::{AddressFilter, Link, LinkFilter, Neighbour, Nexthop, Request, Route, Socket};

use super::focus::{Effects, Focus};
use super::link::{ON_TOP, is_on_top};
use super::look::{CLONED, PROXY, as_looked_at, if_known};
use super::route;
use crate::snapshot::state::State;

/// `RTEXT_FILTER_SKIP_STATS`.
const SKIP_STATS: u32 = 1 << 3;
/// `AF_BRIDGE`.
const AF_BRIDGE: u8 = 7;
/// `ENODEV`.
const ENODEV: i32 = 19;

/// Finds the links that a change to one may reach.
///
/// # Errors
/// They cannot be read.
pub fn find(socket: &mut Socket, index: u32, asked: &Link) -> io::Result<Focus> {
    let mut links = BTreeSet::from([index]);
    let Some(own) = link(socket, index)? else { return Ok(Focus { links, ..Focus::default() }) };
    let effects = Effects::of(asked, &own);
    if effects.above {
        add_above(&mut links)?;
    }
    if effects.beside {
        let here: Vec<u32> = links.iter().copied().collect();
        for index in here {
            let Some(link) = link(socket, index)? else { continue };
            let other = link.link.filter(|_| link.kind() == Some("veth") && link.link_netnsid.is_none());
            links.extend(other.into_iter().chain(link.master));
        }
        links.extend(asked.master.filter(|master| *master != 0));
    }
    if effects.ports {
        let filter = LinkFilter { master: Some(index), ..LinkFilter::without_stats() };
        links.extend(socket.links(&filter).map_err(io::Error::other)?.iter().map(|port| port.index));
    }
    Ok(Focus { links, hangs: effects.hangs, port: effects.port || effects.ports })
}

/// Adds the links that stand on others of a set.
fn add_above(links: &mut BTreeSet<u32>) -> io::Result<()> {
    let mut above = Vec::new();
    for kind in ON_TOP {
        above.extend(of_kind(kind)?);
    }
    let is_new = |link: &&Link, links: &BTreeSet<u32>| {
        !links.contains(&link.index) && links.iter().any(|index| is_on_top(link, *index))
    };
    while let Some(link) = above.iter().find(|link| is_new(link, links)) {
        links.insert(link.index);
    }
    Ok(())
}

/// Returns the links of a kind.
///
/// A list is not narrowed at all where the kernel does not know the kind (`rtnl_dump_ifinfo`): there is none then, and
/// what else there is is not read.
fn of_kind(kind: &str) -> io::Result<Vec<Link>> {
    let filter = LinkFilter { kind: Some(kind.to_owned()), ..LinkFilter::without_stats() };
    let request = filter.to_request();
    let open = || Socket::open().map_err(io::Error::other);
    let read = open()?.beginning(&request, |message| Link::parse_shed(message.payload));
    let (links, is_all) = read.map_err(io::Error::other)?;
    if links.iter().any(|link| link.kind() != Some(kind)) {
        return Ok(Vec::new());
    }
    if is_all { Ok(links) } else { open()?.links(&filter).map_err(io::Error::other) }
}

/// Reads a link; `None` where there is none with this index.
fn link(socket: &mut Socket, index: u32) -> io::Result<Option<Link>> {
    let request = Request::get_link(&Link { index, ext_mask: Some(SKIP_STATS), ..Link::default() });
    match socket.get::<Link>(&request) {
        Ok(link) => Ok(Some(as_looked_at(link))),
        Err(error) if error.errno() == ENODEV => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// Reads what a focus is on.
pub(super) fn read(socket: &mut Socket, focus: &Focus) -> io::Result<State> {
    let mut state = State::default();
    for index in &focus.links {
        state.links.extend(link(socket, *index)?);
    }
    if focus.hangs {
        read_hanging(socket, &mut state)?;
    }
    if focus.port {
        read_port(socket, focus, &mut state)?;
    }
    Ok(state)
}

/// Reads what hangs on the links of a state.
fn read_hanging(socket: &mut Socket, state: &mut State) -> io::Result<()> {
    let indexes: Vec<u32> = state.links.iter().map(|link| link.index).collect();
    for index in &indexes {
        let index = *index;
        state
            .addresses
            .append(&mut socket.addresses(&AddressFilter { index, ..AddressFilter::all() }).map_err(io::Error::other)?);
        let of_link = Neighbour { ifindex: Some(index), ..Neighbour::default() };
        state.neighbours.append(&mut socket.neighbours(&of_link).map_err(io::Error::other)?);
        state
            .neighbours
            .append(&mut socket.neighbours(&Neighbour { flags: PROXY, ..of_link }).map_err(io::Error::other)?);
        read_routes(socket, index, &mut state.routes)?;
        let through = Nexthop { oif: Some(index), ..Nexthop::default() };
        state.nexthops.append(&mut if_known(socket.nexthops(&through)).map_err(io::Error::other)?);
    }
    // What is left of a route in several ways when one of them goes leads through others.
    let ways: BTreeSet<u32> = state.routes.iter().flat_map(route::links).collect();
    for index in ways.into_iter().filter(|index| !indexes.contains(index)) {
        read_routes(socket, index, &mut state.routes)?;
    }
    // Groups lead through no link of their own, and the routes through them may be told without one.
    if !state.nexthops.is_empty() {
        state.nexthops = socket.nexthops(&Nexthop::default()).map_err(io::Error::other)?;
    }
    Ok(())
}

fn read_routes(socket: &mut Socket, index: u32, to: &mut Vec<Route>) -> io::Result<()> {
    for route in socket.routes(&Route { oif: Some(index), ..Route::default() }).map_err(io::Error::other)? {
        if route.flags & CLONED == 0 && !to.contains(&route) {
            to.push(route);
        }
    }
    Ok(())
}

/// Reads what bridges know of their ports among the links of a focus.
fn read_port(socket: &mut Socket, focus: &Focus, state: &mut State) -> io::Result<()> {
    let is_bridges = |link: &&Link| link.slave_kind() == Some("bridge") || link.kind() == Some("bridge");
    let bridged: Vec<u32> = state.links.iter().filter(is_bridges).map(|link| link.index).collect();
    if bridged.is_empty() {
        return Ok(());
    }
    for index in bridged {
        let of_port = Neighbour { family: AF_BRIDGE, index, ..Neighbour::default() };
        let request = Request::dump(MessageType::GETNEIGH, &of_port);
        state.forwarding.append(&mut if_known(socket.dump_bodies(&request)).map_err(io::Error::other)?);
    }
    state.bridge_links = if_known(socket.bridge_links()).map_err(io::Error::other)?;
    state.bridge_links.retain(|link| focus.links.contains(&link.index));
    Ok(())
}
