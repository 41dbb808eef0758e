//! Answers requests as the kernel would have when a snapshot was taken. Pure.
//!
//! Whatever asks the kernel over a socket can so ask a file: the same filters, the same lists, the same refusal for a
//! device that is not there. What the kernel filters by, this filters by; what would change something, or ask for what
//! is not in a snapshot, is refused with `EROFS`.

use std::collections::HashMap;

use vwire_netlink::fake::{Answer, Refused, is_dump};
use vwire_netlink::wire::link::AfInet6;
use vwire_netlink::wire::nest::RawNest;
use vwire_netlink::wire::value::Value;
use vwire_netlink::wire::{Body, Builder, Message, MessageType};
use vwire_netlink::{Address, AddressLabel, Link, Neighbour, Nexthop, Route, Rule};

use super::state::State;

/// `AF_INET`, `AF_INET6`, `AF_BRIDGE`.
const INET: u8 = 2;
const INET6: u8 = 10;
const BRIDGE: u8 = 7;
/// `ENOENT`, `ENODEV`, `EINVAL`, `EROFS`.
const ENOENT: i32 = 2;
const ENODEV: i32 = 19;
const EINVAL: i32 = 22;
const EROFS: i32 = 30;
/// `RTEXT_FILTER_VF`.
const FILTER_VF: u32 = 1;
/// `NTF_PROXY`.
const PROXY: u8 = 8;
/// `RTM_F_CLONED`.
const CLONED: u32 = 0x200;
/// The tables that IPv6 has from the start: `RT_TABLE_MAIN`, `RT_TABLE_LOCAL`.
const TABLES_OF_INET6: [u32; 2] = [254, 255];
/// The master that stands for none.
const NOBODY: u32 = u32::MAX;

/// A namespace as it was.
#[derive(Debug, Clone, Default)]
pub struct Kernel {
    state: State,
    /// The place of a link by its index.
    by_index: HashMap<u32, usize>,
    /// The place of a link by each of its names.
    by_name: HashMap<Vec<u8>, usize>,
}

impl Kernel {
    /// Returns the kernel that has this state.
    #[must_use]
    pub fn new(state: State) -> Self {
        let mut kernel = Self::default();
        for (place, link) in state.links.iter().enumerate() {
            kernel.by_index.entry(link.index).or_insert(place);
            let own = link.ifname.iter().map(|name| name.as_bytes());
            for name in own.chain(link.alt_names().iter().map(|name| name.as_bytes())) {
                kernel.by_name.entry(name.to_vec()).or_insert(place);
            }
        }
        kernel.state = state;
        kernel
    }

    /// Answers one request.
    ///
    /// # Errors
    /// What was asked for is not there, is no part of a snapshot, or would change something.
    pub fn answer(&self, request: &Message<'_>) -> Answer {
        let family = request.payload.first().copied().unwrap_or(0);
        match (request.header.message_type, is_dump(&request.header), family) {
            (MessageType::GETLINK, true, BRIDGE) => Ok(list(MessageType::NEWLINK, &self.state.bridge_links, |_| true)),
            (MessageType::GETLINK, true, _) => self.links(&parsed(request)?),
            (MessageType::GETLINK, false, _) => self.link(&parsed(request)?),
            (MessageType::GETADDR, true, _) => self.addresses(&parsed(request)?),
            (MessageType::GETROUTE, true, _) => self.routes(&parsed(request)?),
            (MessageType::GETRULE, true, _) => {
                Ok(list(MessageType::NEWRULE, &self.state.rules, |rule: &Rule| of(family, rule.family)))
            }
            (MessageType::GETNEIGH, true, _) => Ok(self.neighbours(&parsed(request)?)),
            (MessageType::GETNEIGH, false, _) => self.neighbour(&parsed(request)?),
            (MessageType::GETNEXTHOP, true, _) => Ok(self.nexthops(&parsed(request)?)),
            (MessageType::GETNEXTHOP, false, _) => self.nexthop(&parsed(request)?),
            (MessageType::GETADDRLABEL, true, _) => {
                Ok(list(MessageType::NEWADDRLABEL, &self.state.labels, |label: &AddressLabel| of(family, label.family)))
            }
            _ => Err(Refused {
                errno: EROFS,
                message: "a snapshot tells what was, and neither changes nor is asked for more".to_owned(),
            }),
        }
    }

    fn links(&self, wanted: &Link) -> Answer {
        // A kind that the kernel knows no driver of is no filter there; here, one that no link has.
        let kind = wanted.kind().filter(|kind| self.state.links.iter().any(|link| link.kind() == Some(kind)));
        let passes = |link: &Link| {
            kind.is_none_or(|kind| link.kind() == Some(kind)) && is_port_of(wanted.master, link.master.unwrap_or(0))
        };
        let links = self.state.links.iter().filter(|link| passes(link));
        let links =
            links.filter_map(|link| if wanted.family == INET6 { of_inet6(link) } else { Some(shown(link, wanted)) });
        Ok(links.map(|link| message(MessageType::NEWLINK, &link)).collect())
    }

    fn link(&self, wanted: &Link) -> Answer {
        let name = wanted.ifname.as_ref().map(|name| name.as_bytes());
        let name = name.or(wanted.alt_ifname.as_ref().map(|name| name.as_bytes()));
        let place = match (wanted.index, name) {
            (0, Some(name)) => self.by_name.get(name),
            (index, _) => self.by_index.get(&index),
        };
        let link = place.and_then(|place| self.state.links.get(*place)).ok_or_else(|| Refused::with(ENODEV))?;
        Ok(vec![message(MessageType::NEWLINK, &shown(link, wanted))])
    }

    fn addresses(&self, wanted: &Address) -> Answer {
        if wanted.index != 0 && !self.by_index.contains_key(&wanted.index) {
            return Err(Refused::with(ENODEV));
        }
        let passes = |address: &Address| {
            of(wanted.family, address.family) && (wanted.index == 0 || wanted.index == address.index)
        };
        Ok(list(MessageType::NEWADDR, &self.state.addresses, passes))
    }

    fn routes(&self, wanted: &Route) -> Answer {
        if wanted.flags & CLONED != 0 {
            return Ok(Vec::new());
        }
        let table = wanted.table_id();
        let of_family = |route: &Route| of(wanted.family, route.family);
        let is_in = |route: &Route| table == 0 || route.table_id() == table;
        let is_there = |route: &Route| of_family(route) && is_in(route);
        // IPv6 makes a table when a rule names it (`fib6_rule_configure`), IPv4 when it gets a route.
        let is_named = || self.state.rules.iter().any(|rule| rule.family == INET6 && rule.table_id() == table);
        let is_always =
            wanted.family == 0 || (wanted.family == INET6 && (TABLES_OF_INET6.contains(&table) || is_named()));
        if table != 0 && !is_always && !self.state.routes.iter().any(is_there) {
            let family = if wanted.family == INET { "ipv4: " } else { "ipv6: " };
            return Err(Refused { errno: ENOENT, message: format!("{family}FIB table does not exist") });
        }
        let passes = |route: &Route| {
            is_there(route)
                && (wanted.protocol == 0 || wanted.protocol == route.protocol)
                && (wanted.route_type == 0 || wanted.route_type == route.route_type)
                && wanted.oif.is_none_or(|index| goes_out_by(route, index))
        };
        Ok(list(MessageType::NEWROUTE, &self.state.routes, passes))
    }

    fn neighbours(&self, wanted: &Neighbour) -> Vec<(MessageType, Builder)> {
        let all = if wanted.family == BRIDGE { &self.state.forwarding } else { &self.state.neighbours };
        let index = wanted.ifindex.or(Some(wanted.index).filter(|index| *index != 0));
        let passes = |neighbour: &Neighbour| {
            let by = self.by_index.get(&neighbour.index).and_then(|place| self.state.links.get(*place));
            let master = by.and_then(|link| link.master).unwrap_or(0);
            of(wanted.family, neighbour.family)
                && (wanted.family == BRIDGE || (wanted.flags ^ neighbour.flags) & PROXY == 0)
                && index.is_none_or(|index| neighbour.index == index || (wanted.family == BRIDGE && master == index))
                && is_port_of(wanted.master, neighbour.master.unwrap_or(master))
        };
        list(MessageType::NEWNEIGH, all, passes)
    }

    fn neighbour(&self, wanted: &Neighbour) -> Answer {
        let is_it = |neighbour: &&Neighbour| {
            (neighbour.family, neighbour.index, neighbour.dst) == (wanted.family, wanted.index, wanted.dst)
                && (wanted.flags ^ neighbour.flags) & PROXY == 0
        };
        let found = self.state.neighbours.iter().find(is_it).ok_or_else(|| Refused::with(ENOENT))?;
        Ok(vec![message(MessageType::NEWNEIGH, found)])
    }

    fn nexthops(&self, wanted: &Nexthop) -> Vec<(MessageType, Builder)> {
        let is_of_one = |hop: &Nexthop| {
            let link = hop.oif.and_then(|index| self.state.links.get(*self.by_index.get(&index)?));
            of(wanted.family, hop.family)
                && wanted.oif.is_none_or(|index| hop.oif == Some(index))
                && wanted.master.is_none_or(|index| link.is_some_and(|link| link.master == Some(index)))
        };
        let passes = |hop: &Nexthop| {
            let narrows = wanted.family != 0 || wanted.oif.is_some() || wanted.master.is_some();
            (!wanted.groups || hop.group.is_some())
                && (!wanted.fdb || hop.fdb)
                && (!narrows || (hop.group.is_none() && is_of_one(hop)))
        };
        list(MessageType::NEWNEXTHOP, &self.state.nexthops, passes)
    }

    fn nexthop(&self, wanted: &Nexthop) -> Answer {
        let found = self.state.nexthops.iter().find(|hop| hop.id == wanted.id);
        Ok(vec![message(MessageType::NEWNEXTHOP, found.ok_or_else(|| Refused::with(ENOENT))?)])
    }
}

fn parsed<T: Body>(request: &Message<'_>) -> Result<T, Refused> {
    T::parse(request.payload).map_err(|error| Refused { errno: EINVAL, message: error.to_string() })
}

/// Returns whether something of a family is wanted.
fn of(wanted: u8, family: u8) -> bool {
    wanted == 0 || wanted == family
}

/// Returns whether a link with this master, 0 for none, passes a filter by master.
fn is_port_of(wanted: Option<u32>, master: u32) -> bool {
    match wanted {
        None | Some(0) => true,
        Some(NOBODY) => master == 0,
        Some(index) => master == index,
    }
}

fn goes_out_by(route: &Route, index: u32) -> bool {
    let hops = route.multipath.as_ref().map_or(&[][..], |multipath| &multipath.0);
    route.oif == Some(index) || hops.iter().any(|hop| hop.index == index)
}

fn message(message_type: MessageType, body: &impl Body) -> (MessageType, Builder) {
    let mut payload = Builder::new();
    body.emit(&mut payload);
    (message_type, payload)
}

fn list<T: Body>(message_type: MessageType, all: &[T], passes: impl Fn(&T) -> bool) -> Vec<(MessageType, Builder)> {
    all.iter().filter(|body| passes(body)).map(|body| message(message_type, body)).collect()
}

/// Returns a link as a request wants it: virtual functions are told only if asked for.
fn shown(link: &Link, wanted: &Link) -> Link {
    let mut link = link.clone();
    if wanted.ext_mask.unwrap_or(0) & FILTER_VF == 0 {
        (link.num_vf, link.vfinfo_list) = (None, None);
    }
    link
}

/// Returns what IPv6's own list of links says of a link, if it has IPv6 (`inet6_fill_ifinfo` in `net/ipv6/addrconf.c`).
fn of_inet6(link: &Link) -> Option<Link> {
    /// `IFF_UP`.
    const UP: u32 = 1;
    /// `IF_OPER_DOWN`.
    const DOWN: u8 = 2;
    let inet6 = link.af_spec.as_ref()?.inet6.as_ref()?;
    Some(Link {
        family: INET6,
        link_type: link.link_type,
        index: link.index,
        flags: link.flags,
        ifname: link.ifname,
        address: link.address,
        mtu: link.mtu,
        link: link.link.filter(|other| *other != link.index),
        operstate: if link.flags & UP == 0 { Some(DOWN) } else { link.operstate },
        protinfo: Some(nest_of(inet6)),
        ..Link::default()
    })
}

fn nest_of(inet6: &AfInet6) -> RawNest {
    let mut bytes = Builder::new();
    inet6.encode(&mut bytes);
    RawNest(bytes.into_bytes().into())
}

#[cfg(test)]
mod tests {
    use vwire_netlink::{IfName, LinkFilter, Request, Socket};

    use super::*;

    fn socket() -> Socket {
        let link = |index: u32, name: &str, master: u32| Link {
            index,
            master: (master != 0).then_some(master),
            ..Link::named(IfName::new(name).unwrap())
        };
        let mut state =
            State { links: vec![link(1, "lo", 0), link(2, "br0", 0), link(3, "p1", 2)], ..State::default() };
        state.links[1].set_kind("bridge", None);
        let address = |family, index| Address { family, index, ..Address::default() };
        state.addresses = vec![address(INET, 1), address(INET, 3), address(INET6, 1)];
        let route = |table: u8, oif| Route { family: INET, header_table: table, oif: Some(oif), ..Route::default() };
        state.routes = vec![route(254, 2), route(255, 1)];
        let neighbour = |flags, index| Neighbour { family: INET, flags, index, ..Neighbour::default() };
        state.neighbours = vec![neighbour(0, 3), neighbour(PROXY, 3), neighbour(0, 2)];
        let kernel = Kernel::new(state);
        Socket::answered_by(move |request| kernel.answer(request)).unwrap()
    }

    #[test]
    fn lists_are_narrowed_as_the_kernel_narrows_them() {
        let mut socket = socket();
        assert_eq!(socket.links(&LinkFilter::all()).unwrap().len(), 3);
        let of_bridge = LinkFilter { master: Some(2), ..LinkFilter::default() };
        assert_eq!(socket.links(&of_bridge).unwrap()[0].index, 3);
        let of_nobody = LinkFilter { master: Some(NOBODY), ..LinkFilter::default() };
        assert_eq!(socket.links(&of_nobody).unwrap().len(), 2);
        let of_kind = LinkFilter { kind: Some("bridge".to_owned()), ..LinkFilter::default() };
        assert_eq!(socket.links(&of_kind).unwrap()[0].index, 2);
        let inet = vwire_netlink::AddressFilter { family: INET, index: 3, target_netnsid: None };
        assert_eq!(socket.addresses(&inet).unwrap().len(), 1);
        let wanted = |flags, master| Neighbour { flags, master, ..Neighbour::default() };
        assert_eq!(socket.neighbours(&wanted(0, None)).unwrap().len(), 2);
        assert_eq!(socket.neighbours(&wanted(PROXY, None)).unwrap().len(), 1);
        assert_eq!(socket.neighbours(&wanted(0, Some(2))).unwrap().len(), 1);
    }

    #[test]
    fn a_table_without_routes_is_not_there() {
        let mut socket = socket();
        let in_table = |table| Route { family: INET, table: Some(table), ..Route::default() };
        assert_eq!(socket.routes(&in_table(254)).unwrap().len(), 1);
        assert_eq!(socket.routes(&in_table(0)).unwrap().len(), 2);
        let error = socket.routes(&in_table(7)).unwrap_err();
        assert_eq!((error.errno(), error.message()), (Some(ENOENT), Some("ipv4: FIB table does not exist")));
        let in_inet6 = Route { family: INET6, table: Some(254), ..Route::default() };
        assert_eq!(socket.routes(&in_inet6).unwrap(), Vec::new());
    }

    #[test]
    fn one_link_is_found_by_its_name_or_its_index() {
        let mut socket = socket();
        let by_name = Request::get_link(&Link::named(IfName::new("p1").unwrap()));
        assert_eq!(socket.get::<Link>(&by_name).unwrap().index, 3);
        let missing = Request::get_link(&Link { index: 9, ..Link::default() });
        assert_eq!(socket.get::<Link>(&missing).unwrap_err().errno(), ENODEV);
    }

    #[test]
    fn what_would_change_something_is_refused() {
        let request = Request::del_link(&Link { index: 3, ..Link::default() });
        assert_eq!(socket().request(&request).unwrap_err().errno(), EROFS);
    }
}
