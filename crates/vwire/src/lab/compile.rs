//! From a lab to what its namespaces are to hold: links with indexes, cables, addresses, routes. Pure.
//!
//! Node number n of the lab is place number n of the world. What is there already keeps its index if it has the
//! name; what is not yet gets a free one. A veth's index is never that of its other end: the kernel would then take it
//! for a device of its own and tell its carrier up to a second late (`linkwatch_urgent_event`).
//!
//! Only what the file says is in the world; what is `None` may be as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vwire_netlink::wire::bridge::{BridgeSpec, VlanInfo};
use vwire_netlink::wire::link::bridge::Bridge;
use vwire_netlink::wire::link::macvlan::Macvlan;
use vwire_netlink::wire::link::tun::Tun;
use vwire_netlink::wire::link::vlan::Vlan;
use vwire_netlink::wire::link::vxlan::Vxlan;
use vwire_netlink::wire::link::{KindData, PropList};
use vwire_netlink::wire::route::{Hop as WireHop, Metrics, Multipath, Via};
use vwire_netlink::{Address, BridgeLink, IfName, Link, LinkAddress, Neighbour, Route, Rule};

use super::indexes::{Indexes, cables, indexes};
use super::model::{self, Device, DeviceKind, Lab, MacvlanMode, Node, Parent, PortVlans, RouteAction, Span};
use super::{again, mark, outside};
use crate::snapshot::state::State;
use crate::step::below::ELSEWHERE;
use crate::step::world::{End, Place, World};

/// `IFF_UP`.
const UP: u32 = 1;
/// `AF_INET`.
const INET: u8 = 2;
/// `AF_INET6`.
const INET6: u8 = 10;
/// `AF_BRIDGE`.
const BRIDGE: u8 = 7;
/// `IFA_F_NODAD`: nobody else in a lab has the address, so it is not asked for, and good at once.
const NO_DETECTION: u8 = 0x02;
/// `RT_SCOPE_LINK`.
const SCOPE_LINK: u8 = 253;
/// `RT_SCOPE_HOST`.
const SCOPE_HOST: u8 = 254;
/// `RTNH_F_ONLINK`.
const ONLINK: u8 = 4;
/// `NUD_PERMANENT`.
const PERMANENT: u16 = 0x80;
/// `NTF_SELF`.
const SELF: u8 = 0x02;
/// `lo` has the same index everywhere.
pub const LOOPBACK: u32 = 1;

/// Something in a lab that cannot be built here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one sentence without a dot.
    pub what: String,
    /// Where the file says it.
    pub span: Span,
    /// What may help.
    pub hint: Option<String>,
}

/// Works out what each node's namespace is to hold; `now` has what each of them holds, which is nothing where it
/// is not there.
///
/// # Errors
/// What the file names and nobody has, such as the machine's own device below a macvlan.
pub fn compile(lab: &Lab, now: &[State]) -> Result<World, Vec<Problem>> {
    let empty = State::default();
    let states: Vec<&State> = (0..lab.nodes.len()).map(|at| now.get(at).unwrap_or(&empty)).collect();
    let indexes = indexes(lab, &states);
    let macs: BTreeSet<LinkAddress> =
        lab.nodes.iter().flat_map(|node| &node.devices).filter_map(|device| device.mac).collect();
    let mut problems = Vec::new();
    let mut world = World::default();
    for (at, node) in lab.nodes.iter().enumerate() {
        let (mut lowers, problems) = (BTreeMap::new(), &mut problems);
        let mut names =
            Names { lab, states: &states, node, at, indexes: &indexes, macs: &macs, lowers: &mut lowers, problems };
        let state = names.state(&lab.name);
        world.states.push(state);
        world.lowers.append(&mut lowers);
    }
    world.cables = cables(lab, &indexes);
    if problems.is_empty() { Ok(world) } else { Err(problems) }
}

/// Returns the sysctls of a node: those of the file, and those that its addresses ask for unless the file says them.
///
/// Without an IPv6 address in the file a node makes none up: hundreds of hosts that ask for routers and announce
/// their groups to one another fill every queue for seconds. With one, addresses are good at once, without asking
/// whether another host has them.
#[must_use]
pub fn sysctls(node: &Node) -> BTreeMap<String, String> {
    let mut sysctls = node.sysctls.clone();
    if !node.is_host {
        let values = if has_ipv6(node) { ["0", "0"] } else { ["1", "1"] };
        for (name, value) in IMPLIED.into_iter().zip(values) {
            sysctls.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    sysctls
}

/// The sysctls that a node's addresses ask for: whether addresses are made up, and whether they are asked for first.
pub(super) const IMPLIED: [&str; 2] = ["net.ipv6.conf.default.addr_gen_mode", "net.ipv6.conf.default.accept_dad"];

pub(super) fn has_ipv6(node: &Node) -> bool {
    node.addresses().any(|own| own.address.is_ipv6())
}

/// Finds what the parts of a node mean by names.
struct Names<'a> {
    lab: &'a Lab,
    /// What each node holds now.
    states: &'a [&'a State],
    node: &'a Node,
    at: usize,
    indexes: &'a Indexes,
    /// The addresses that the file gives to devices.
    macs: &'a BTreeSet<LinkAddress>,
    /// What stands on a device of another node, and that.
    lowers: &'a mut BTreeMap<End, End>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Names<'a> {
    fn state(&mut self, lab: &str) -> State {
        let links = Vec::with_capacity(self.node.devices.len() + 1);
        let mut state = State { links, sysctls: sysctls(self.node), ..State::default() };
        if !self.node.is_host {
            state.links.push(loopback(lab, &self.node.name));
        }
        state.addresses.extend(self.node.loopback.iter().map(|own| address(LOOPBACK, own)));
        for device in &self.node.devices {
            let link = self.link(lab, device);
            let index = link.index;
            if let Some(there) = self.now().link(index).filter(|_| !self.node.is_host) {
                state.sysctls.extend(again::sysctls(&link, there, self.node, device));
            }
            state.links.push(link);
            state.addresses.extend(device.addresses.iter().map(|own| address(index, own)));
            if let Some(vlans) = &device.vlans {
                state.bridge_links.push(port_vlans(index, vlans));
            } else if self.is_port_of_aware(device) {
                // What the kernel gives a new port.
                let first = PortVlans { access: Some(1), trunk: Vec::new() };
                state.bridge_links.push(port_vlans(index, &first));
            }
            state.forwarding.extend(other_ends(index, &device.kind));
        }
        let (lab, node, there) = (self.lab, self.node, self.now());
        for route in node.routes.iter().filter(|route| outside::leads_on(lab, node, there, route)) {
            state.routes.push(self.route(route));
        }
        let mut rules: Vec<Rule> = self.node.rules.iter().map(rule).collect();
        match self.node.is_host {
            false => again::number(&mut rules),
            // The kernel puts each before all that there are: the first of the file is to be tried first.
            true => rules.reverse(),
        }
        state.rules = rules;
        for neighbour in &self.node.neighbours {
            let index = self.index(&neighbour.device, neighbour.span);
            state.neighbours.push(Neighbour {
                family: family(neighbour.address),
                index,
                state: PERMANENT,
                dst: Some(neighbour.address),
                lladdr: Some(neighbour.mac),
                protocol: Some(mark::PROTOCOL),
                ..Neighbour::default()
            });
        }
        state
    }

    /// Returns what the node holds now.
    fn now(&self) -> &'a State {
        self.states[self.at]
    }

    /// Returns the index of a device of the node, or of one that the machine has.
    fn index(&mut self, name: &str, span: Span) -> u32 {
        self.index_in(self.at, name, span)
    }

    fn index_in(&mut self, at: usize, name: &str, span: Span) -> u32 {
        if let Some(index) = self.indexes.get(&(at, name.to_owned())) {
            return *index;
        }
        if name == "lo" {
            return LOOPBACK;
        }
        if let Some(link) = self.states[at].link_named(name.as_bytes()) {
            return link.index;
        }
        let node = &self.lab.nodes[at];
        let what = match node.is_host {
            true => format!("this machine has no device `{name}`"),
            false => format!("`{}` has no device `{name}`", node.name),
        };
        let hint = node.is_host.then(|| outside::meant(node, self.states[at], name));
        self.problems.push(Problem { what, span, hint });
        0
    }

    /// Returns the index of the device below, and notes where it is if that is another node.
    fn below(&mut self, device: &Device, parent: &Parent) -> u32 {
        let mut at = self.place_of(parent, self.at);
        let mut index = self.index_in(at, &parent.device, parent.span);
        if matches!(device.kind, DeviceKind::Macvlan { .. }) {
            (at, index) = self.under_macvlans(at, &parent.device, index);
        }
        if let Some(own) = self.indexes.get(&(self.at, device.name.clone())).filter(|_| at != self.at) {
            let end = |at, index| End { place: Place(at), index };
            self.lowers.insert(end(self.at, *own), end(at, index));
        }
        index
    }

    fn place_of(&self, parent: &Parent, at: usize) -> usize {
        let named = |name: &String| self.lab.nodes.iter().position(|own| own.name == *name);
        parent.node.as_ref().and_then(named).unwrap_or(at)
    }

    /// Returns the device that macvlans on one stand on: where that is a macvlan itself, the one below
    /// (`macvlan_common_newlink`).
    fn under_macvlans(&mut self, at: usize, name: &str, index: u32) -> (usize, u32) {
        let (mut found, mut name) = ((at, index), name.to_owned());
        for _ in 0..again::DEEPEST {
            let own = self.lab.nodes[found.0].devices.iter().find(|own| own.name == name);
            if let Some(Device { kind: DeviceKind::Macvlan { parent, .. }, .. }) = own {
                let at = self.place_of(parent, found.0);
                found = (at, self.index_in(at, &parent.device, parent.span));
                name.clone_from(&parent.device);
                continue;
            }
            // One of the machine's own.
            let link = self.states[found.0].link(found.1).filter(|_| own.is_none());
            let link = link.filter(|link| matches!(link.kind(), Some("macvlan" | "macvtap")));
            return match link.and_then(|link| link.link.filter(|_| link.link_netnsid.is_none())) {
                Some(below) => (found.0, below),
                None => found,
            };
        }
        found
    }

    /// Returns the MTU that a device has where the file says none.
    fn mtu(&self, device: &Device) -> Option<u32> {
        let found = again::mtu(self.lab, self.node, device, 0);
        // What is below may be the machine's own.
        found.or_else(|| {
            let parent = device.kind.parent()?;
            let name = parent.node.as_ref().unwrap_or(&self.node.name);
            let at = self.lab.nodes.iter().position(|own| own.name == *name && own.is_host)?;
            let below = self.states[at].link_named(parent.device.as_bytes())?;
            let is_own = self.lab.nodes[at].devices.iter().any(|own| own.name == parent.device);
            below.mtu.filter(|_| !is_own)
        })
    }

    fn link(&mut self, lab: &str, device: &Device) -> Link {
        let mut link = Link {
            index: self.indexes.get(&(self.at, device.name.clone())).copied().unwrap_or_default(),
            ifname: IfName::new(&device.name).ok(),
            address: device.mac,
            mtu: device.mtu,
            group: Some(mark::group(lab)),
            master: Some(device.master.as_ref().map_or(0, |master| self.index(master, device.span))),
            ..Link::default()
        };
        link.set_flags(UP, if device.up { UP } else { 0 });
        let (kind, parent, data) = self.kind(device);
        link.link = parent;
        let is_elsewhere = self.lowers.contains_key(&End { place: Place(self.at), index: link.index });
        link.link_netnsid = is_elsewhere.then_some(ELSEWHERE);
        link.set_kind(kind, data);
        link.mtu = link.mtu.or_else(|| self.mtu(device));
        if let Some(there) = self.now().link(link.index) {
            again::as_new(&mut link, there, self.lab, self.node, device);
            if link.address.is_none() && there.address.is_some_and(|address| self.macs.contains(&address)) {
                again::yield_address(&mut link, lab, &self.node.name);
            }
        }
        let mut names: Vec<_> = device.long_name.iter().map(|long| long.as_str().into()).collect();
        if self.node.is_host {
            names.push(mark::of_host_link(lab, &device.name).as_str().into());
        }
        if !names.is_empty() {
            link.prop_list = Some(Box::new(PropList { alt_ifname: names, ..PropList::default() }));
        }
        link
    }

    fn is_port_of_aware(&self, device: &Device) -> bool {
        let master = self.node.devices.iter().find(|own| device.master.as_ref() == Some(&own.name));
        master.is_some_and(|master| matches!(master.kind, DeviceKind::Bridge { vlan_aware: true, .. }))
    }

    /// Returns the kernel's word for a kind of device, the index of the device below, and what only that kind has.
    fn kind(&mut self, device: &Device) -> (&'static str, Option<u32>, Option<KindData>) {
        match &device.kind {
            DeviceKind::Veth { .. } => ("veth", None, None),
            DeviceKind::Dummy => ("dummy", None, None),
            DeviceKind::Bridge { vlan_aware, stp } => {
                let filtering = (*vlan_aware).then_some(1);
                let data = Bridge { stp_state: Some(u32::from(*stp)), vlan_filtering: filtering, ..Bridge::default() };
                ("bridge", None, Some(data.into()))
            }
            DeviceKind::Tuntap { tap, owner, group, multi_queue, vnet_hdr, packet_info } => {
                let data = Tun {
                    owner: *owner,
                    group: *group,
                    r#type: Some(if *tap { 2 } else { 1 }),
                    pi: Some(u8::from(*packet_info)),
                    vnet_hdr: Some(u8::from(*vnet_hdr)),
                    persist: Some(1),
                    multi_queue: Some(u8::from(*multi_queue)),
                    ..Tun::default()
                };
                ("tun", None, Some(data.into()))
            }
            DeviceKind::Macvlan { parent, mode, tap } => {
                let data = Macvlan { mode: Some(macvlan_mode(*mode)), ..Macvlan::default() };
                (if *tap { "macvtap" } else { "macvlan" }, Some(self.below(device, parent)), Some(data.into()))
            }
            DeviceKind::Vlan { parent, id } => {
                let data = Vlan { id: Some(*id), ..Vlan::default() };
                ("vlan", Some(self.below(device, parent)), Some(data.into()))
            }
            DeviceKind::Vxlan { vni, remote, local, port, parent, learning } => {
                let below = parent.as_ref().map(|parent| self.index(parent, device.span));
                let mut data = Vxlan {
                    id: Some(*vni),
                    link: below,
                    port: Some(*port),
                    learning: Some(u8::from(*learning)),
                    ..Vxlan::default()
                };
                // Several other ends are rows of its forwarding database.
                match remote.as_slice() {
                    [IpAddr::V4(address)] => data.group = Some(*address),
                    [IpAddr::V6(address)] => data.group6 = Some(*address),
                    _ => {}
                }
                match local {
                    Some(IpAddr::V4(address)) => data.local = Some(*address),
                    Some(IpAddr::V6(address)) => data.local6 = Some(*address),
                    None => {}
                }
                ("vxlan", None, Some(data.into()))
            }
        }
    }

    fn route(&mut self, route: &model::Route) -> Route {
        let family = family(route.to.address);
        let mut wanted = Route {
            family,
            dst_len: route.to.length,
            protocol: mark::PROTOCOL,
            route_type: 1,
            dst: (route.to.length > 0).then_some(route.to.address),
            priority: route.metric,
            prefsrc: route.source,
            table: Some(route.table.unwrap_or(254)),
            metrics: route.mtu.map(|mtu| Box::new(Metrics { mtu: Some(mtu), ..Metrics::default() })),
            ..Route::default()
        };
        wanted.header_table = u8::try_from(wanted.table_id()).unwrap_or(0);
        match &route.action {
            RouteAction::Blackhole => wanted.route_type = 6,
            RouteAction::Unreachable => wanted.route_type = 7,
            RouteAction::Prohibit => wanted.route_type = 8,
            RouteAction::Via(hops) => self.hops(route, hops, &mut wanted),
        }
        wanted
    }

    fn hops(&mut self, route: &model::Route, hops: &[model::Hop], wanted: &mut Route) {
        let device = |names: &mut Self, hop: &model::Hop| hop.device.as_ref().map(|name| names.index(name, route.span));
        if let [hop] = hops {
            wanted.oif = device(self, hop);
            wanted.flags = if hop.onlink { u32::from(ONLINK) } else { 0 };
            match hop.gateway {
                Some(gateway) if family(gateway) == wanted.family => wanted.gateway = Some(gateway),
                Some(gateway) => wanted.via = Some(Via::new(gateway)),
                None if wanted.family == INET => wanted.scope = SCOPE_LINK,
                None => {}
            }
            return;
        }
        let mut ways = Vec::new();
        for hop in hops {
            let mut way = WireHop {
                flags: if hop.onlink { ONLINK } else { 0 },
                hops: u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX),
                index: device(self, hop).unwrap_or_default(),
                ..WireHop::default()
            };
            match hop.gateway {
                Some(gateway) if family(gateway) == wanted.family => way.gateway = Some(gateway),
                Some(gateway) => way.via = Some(Via::new(gateway)),
                None => {}
            }
            ways.push(way);
        }
        wanted.multipath = Some(Multipath(ways));
    }
}

/// Returns where a VXLAN of several other ends sends what it knows no place for: to each of them.
fn other_ends(index: u32, kind: &DeviceKind) -> Vec<Neighbour> {
    let DeviceKind::Vxlan { remote, .. } = kind else { return Vec::new() };
    let row = |address: &IpAddr| Neighbour {
        family: BRIDGE,
        index,
        state: PERMANENT,
        flags: SELF,
        dst: Some(*address),
        lladdr: Some([0; 6].into()),
        ..Neighbour::default()
    };
    if remote.len() > 1 { remote.iter().map(row).collect() } else { Vec::new() }
}

fn loopback(lab: &str, node: &str) -> Link {
    let names = vec![mark::of_node(lab, node).as_str().into()];
    let mut link = Link {
        index: LOOPBACK,
        ifname: IfName::new("lo").ok(),
        prop_list: Some(Box::new(PropList { alt_ifname: names, ..PropList::default() })),
        ..Link::default()
    };
    link.set_flags(UP, UP);
    link
}

fn family(address: IpAddr) -> u8 {
    if address.is_ipv4() { INET } else { INET6 }
}

fn address(index: u32, own: &model::Interface) -> Address {
    let is_loopback = matches!(own.address, IpAddr::V4(address) if address.is_loopback());
    let flags = if own.address.is_ipv6() { NO_DETECTION } else { 0 };
    Address {
        family: family(own.address),
        prefixlen: own.prefix_length,
        header_flags: flags,
        scope: scope(own.address, is_loopback),
        index,
        address: Some(own.peer.unwrap_or(own.address)),
        local: Some(own.address),
        flags: (flags != 0).then_some(u32::from(flags)),
        proto: Some(mark::PROTOCOL),
        ..Address::default()
    }
}

fn scope(address: IpAddr, is_loopback: bool) -> u8 {
    match address {
        IpAddr::V4(_) if is_loopback => SCOPE_HOST,
        IpAddr::V6(address) if address.is_unicast_link_local() => SCOPE_LINK,
        IpAddr::V6(Ipv6Addr::LOCALHOST) => SCOPE_HOST,
        IpAddr::V4(_) | IpAddr::V6(_) => 0,
    }
}

fn rule(rule: &model::Rule) -> Rule {
    let prefix =
        |prefix: Option<model::Prefix>| (prefix.map_or(0, |prefix| prefix.length), prefix.map(|prefix| prefix.address));
    let (src_len, src) = prefix(rule.from);
    let (dst_len, dst) = prefix(rule.to);
    Rule {
        family: if rule.ipv6 { INET6 } else { INET },
        src_len,
        dst_len,
        src,
        dst,
        header_table: u8::try_from(rule.table).unwrap_or(0),
        action: 1,
        table: Some(rule.table),
        priority: rule.priority,
        iifname: rule.iif.as_ref().and_then(|name| IfName::new(name).ok()),
        oifname: rule.oif.as_ref().and_then(|name| IfName::new(name).ok()),
        fwmark: rule.fwmark.map(|(mark, _)| mark),
        fwmask: rule.fwmark.map(|(_, mask)| mask),
        protocol: Some(mark::PROTOCOL),
        ..Rule::default()
    }
}

/// `BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED`.
const ACCESS: u16 = 0x6;
/// `BRIDGE_VLAN_INFO_RANGE_BEGIN`.
const RANGE_BEGIN: u16 = 0x8;
/// `BRIDGE_VLAN_INFO_RANGE_END`.
const RANGE_END: u16 = 0x10;

fn port_vlans(index: u32, vlans: &PortVlans) -> BridgeLink {
    let mut rows: Vec<VlanInfo> = vlans.access.iter().map(|vid| VlanInfo { flags: ACCESS, vid: *vid }).collect();
    for (first, last) in &vlans.trunk {
        if first == last {
            rows.push(VlanInfo { flags: 0, vid: *first });
        } else {
            rows.push(VlanInfo { flags: RANGE_BEGIN, vid: *first });
            rows.push(VlanInfo { flags: RANGE_END, vid: *last });
        }
    }
    rows.sort_by_key(|row| row.vid);
    let spec = BridgeSpec { vlan_info: rows, ..BridgeSpec::default() };
    BridgeLink { family: BRIDGE, index, af_spec: Some(spec), ..BridgeLink::default() }
}

fn macvlan_mode(mode: MacvlanMode) -> u32 {
    match mode {
        MacvlanMode::Private => 1,
        MacvlanMode::Vepa => 2,
        MacvlanMode::Bridge => 4,
        MacvlanMode::Passthru => 8,
    }
}

/// Returns the first address of a family that a node has, as others name it.
#[must_use]
pub fn first_address(node: &Node) -> Option<IpAddr> {
    let own = |is_wanted: fn(&IpAddr) -> bool| node.addresses().map(|own| own.address).find(is_wanted);
    own(|address| matches!(address, IpAddr::V4(address) if *address != Ipv4Addr::LOCALHOST))
        .or_else(|| own(IpAddr::is_ipv6))
}
