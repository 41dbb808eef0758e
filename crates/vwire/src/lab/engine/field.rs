//! What of a lab is there already: which namespaces, and what they hold.

use std::collections::BTreeMap;
use std::io;

use vwire_netlink::wire::link::Link as WireLink;
use vwire_netlink::wire::nft::{self, Chain, Rule};
use vwire_netlink::{AddressFilter, Link, LinkFilter, Neighbour, Qdisc, Route, Socket};

use super::site::{self, Site};
use super::{Done, down};
use crate::lab::failed::Failed;
use crate::lab::model::{DeviceKind, Lab, Node};
use crate::lab::namespace::walk::Walker;
use crate::lab::namespace::{Namespace, named, run_in};
use crate::lab::netfilter::Ruleset;
use crate::lab::plan::Beside;
use crate::lab::sysctl;
use crate::snapshot::read::namespace_id;
use crate::snapshot::state::State;
use crate::step::below;
use crate::step::run::if_known;
use crate::step::world::{End, Place, World};

/// `RTM_F_CLONED`.
const CLONED: u32 = 0x200;
/// `NETLINK_NETFILTER`.
pub(super) const NETFILTER: i32 = 12;

/// The namespaces of a lab's nodes, as far as they are there.
#[derive(Debug, Default)]
pub struct Field {
    /// For each node its namespace, if it is there.
    pub sites: Vec<Option<Site>>,
    /// What each has beside.
    pub beside: BTreeMap<usize, Beside>,
}

impl Field {
    /// Opens the namespaces that are there; the walker is at home, and is there again afterwards.
    ///
    /// # Errors
    /// A namespace has a node's name and is not the lab's.
    pub fn open(walker: &mut Walker, lab: &Lab) -> Done<Self> {
        let (mut field, mut buffer) = (Self::default(), Vec::new());
        for node in &lab.nodes {
            field.sites.push(open_node(walker, lab, node, &mut buffer)?);
        }
        go_home(walker)?;
        Ok(field)
    }

    /// Notes where the lab, as it was applied last, translates or filters: there its table is looked for.
    pub fn note_rules(&mut self, lab: &Lab, applied: &Lab) {
        for (node, site) in lab.nodes.iter().zip(&mut self.sites) {
            let old = applied.nodes.iter().find(|old| old.name == node.name);
            if let (Some(old), Some(site)) = (old, site) {
                site.had_rules |= Ruleset::of(old, "").is_some();
            }
        }
    }

    /// Reads what the namespaces hold that are there.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn look(&mut self, walker: &mut Walker, lab: &Lab, extra: &BTreeMap<usize, Vec<String>>) -> Done<World> {
        let (mut states, mut buffer) = (Vec::new(), Vec::new());
        for (at, node) in lab.nodes.iter().enumerate() {
            let Some(site) = self.sites.get_mut(at).and_then(Option::as_mut) else {
                states.push(State::default());
                continue;
            };
            let failed =
                |error: &dyn std::fmt::Display| Failed::new(format!("cannot read what `{}` holds: {error}", node.name));
            site.socket.swap_buffer(&mut buffer);
            let mut state = read(&mut site.socket, node).map_err(|error| failed(&error))?;
            let names: Vec<String> = crate::lab::compile::sysctls(node).into_keys().collect();
            let names = names.iter().chain(extra.get(&at).into_iter().flatten());
            let names: Vec<&String> = names.collect();
            let needs_table = Ruleset::of(node, "").is_some() || site.had_rules;
            if !names.is_empty() || needs_table {
                go(walker, &site.namespace)?;
                state.sysctls = read_sysctls(&names).map_err(|error| failed(&error))?;
            }
            let beside = read_beside(&mut site.socket, node, &state, needs_table).map_err(|error| failed(&error))?;
            if beside != Beside::default() {
                self.beside.insert(at, beside);
            }
            site.socket.swap_buffer(&mut buffer);
            states.push(state);
        }
        go_home(walker)?;
        self.world(lab, states)
    }

    /// Returns what was read as a world, with the cables.
    fn world(&mut self, lab: &Lab, states: Vec<State>) -> Done<World> {
        let mut world = World { states, ..World::default() };
        world.cables = self.cables(lab, &world)?;
        world.lowers = below::lowers(&world, |place, other| self.id(place, other)).map_err(|(place, error)| {
            let name = lab.nodes.get(place.0).map(|node| node.name.as_str()).unwrap_or_default();
            Failed::new(format!("cannot tell on what the devices of `{name}` stand")).refused(&error)
        })?;
        Ok(world)
    }

    /// Finds the cables: of each pair one end says the other's index and the id of its namespace.
    fn cables(&mut self, lab: &Lab, world: &World) -> Done<Vec<(End, End)>> {
        let mut cables = Vec::new();
        let mut open: BTreeMap<End, (u32, i32)> = BTreeMap::new();
        for (at, state) in world.states.iter().enumerate() {
            for link in state.links.iter().filter(|link| link.kind() == Some("veth")) {
                let end = End { place: Place(at), index: link.index };
                match (link.link, link.link_netnsid) {
                    (Some(other), None) if other > link.index && state.link(other).is_some() => {
                        cables.push((end, End { place: Place(at), index: other }));
                    }
                    (Some(other), Some(id)) if id >= 0 => drop(open.insert(end, (other, id))),
                    _ => {}
                }
            }
        }
        // The middle of a star knows all ids: asked first, it leaves nothing to ask the others.
        let mut order: Vec<(usize, usize)> = Vec::new();
        for at in 0..world.states.len() {
            order.push((open.keys().filter(|end| end.place == Place(at)).count(), at));
        }
        order.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        for (_, at) in order {
            let here: Vec<(End, (u32, i32))> =
                open.range(first(at)..first(at + 1)).map(|(end, other)| (*end, *other)).collect();
            if here.is_empty() {
                continue;
            }
            let ids = self.ids(at, &open).map_err(|error| {
                let name = lab.nodes.get(at).map(|node| node.name.as_str()).unwrap_or_default();
                Failed::new(format!("cannot tell to which nodes the cables of `{name}` lead")).refused(&error)
            })?;
            for (end, (index, id)) in here {
                open.remove(&end);
                let Some(other) = ids.get(&id).map(|place| End { place: Place(*place), index }) else { continue };
                if open.remove(&other).is_some() {
                    cables.push((end, other));
                }
            }
        }
        Ok(cables)
    }

    /// Returns the ids that a place has for the others that have an open end.
    fn ids(
        &mut self,
        at: usize,
        open: &BTreeMap<End, (u32, i32)>,
    ) -> Result<BTreeMap<i32, usize>, vwire_netlink::RequestError> {
        let mut others: Vec<usize> = open.keys().map(|end| end.place.0).collect();
        others.dedup();
        let mut own = self.sites.get_mut(at).and_then(Option::take);
        let ids = own.as_mut().map_or_else(|| Ok(BTreeMap::new()), |own| self.ids_of_others(own, &others));
        if let Some(slot) = self.sites.get_mut(at) {
            *slot = own;
        }
        ids
    }

    /// Returns the id that a place has for another.
    fn id(&mut self, place: Place, other: Place) -> Result<Option<i32>, (Place, vwire_netlink::RequestError)> {
        let mut own = self.sites.get_mut(place.0).and_then(Option::take);
        let other = self.sites.get(other.0).and_then(Option::as_ref);
        let id = match (&mut own, other) {
            (Some(own), Some(other)) => namespace_id(&mut own.socket, std::os::fd::AsFd::as_fd(&other.namespace)),
            _ => Ok(None),
        };
        if let Some(slot) = self.sites.get_mut(place.0) {
            *slot = own;
        }
        id.map_err(|error| (place, error))
    }

    fn ids_of_others(
        &self,
        own: &mut Site,
        others: &[usize],
    ) -> Result<BTreeMap<i32, usize>, vwire_netlink::RequestError> {
        let mut ids = BTreeMap::new();
        for other in others {
            let Some(site) = self.sites.get(*other).and_then(Option::as_ref) else { continue };
            let id = namespace_id(&mut own.socket, std::os::fd::AsFd::as_fd(&site.namespace))?;
            ids.extend(id.map(|id| (id, *other)));
        }
        Ok(ids)
    }
}

/// Returns the nodes that a lab has, by their marks, and its file has not.
///
/// # Errors
/// Of a namespace it cannot be told whose it is.
pub fn strays(walker: &mut Walker, lab: &Lab) -> Done<Vec<String>> {
    let mut strays = Vec::new();
    for name in super::up::names_like(&lab.name) {
        let node = name.to_string().split_once('.').map(|(_, node)| node.to_owned()).unwrap_or_default();
        let is_known = lab.nodes.iter().any(|own| own.name == node && !own.is_host);
        if !is_known && down::is_marked(walker, &lab.name, &name)? {
            strays.push(node);
        }
    }
    Ok(strays)
}

/// Returns a site for a node that is not there: an empty namespace that nobody sees.
///
/// # Errors
/// It cannot be entered.
pub fn stand_in(node: &Node, empty: &Namespace) -> Done<Site> {
    let failed = |error: io::Error| Failed::new("cannot enter an empty namespace").because(&error);
    let socket = run_in(empty, || site::socket(node)).map_err(failed)??;
    let namespace = Namespace::open(empty.path()).map_err(failed)?;
    Ok(Site { namespace, socket, is_new: true, had_rules: false })
}

fn first(at: usize) -> End {
    End { place: Place(at), index: 0 }
}

fn here() -> Done<Namespace> {
    Namespace::current().map_err(|error| Failed::new("cannot tell which namespace this is").because(&error))
}

fn go_home(walker: &mut Walker) -> Done<()> {
    walker.go_home().map_err(|error| Failed::new("cannot go home").because(&error))
}

fn go(walker: &mut Walker, namespace: &Namespace) -> Done<()> {
    walker.go(namespace).map_err(|error| Failed::new("cannot enter a namespace").because(&error))
}

/// Opens a node's namespace if it is there, and is the lab's; the buffer is what its socket receives into meanwhile.
fn open_node(walker: &mut Walker, lab: &Lab, node: &Node, buffer: &mut Vec<u8>) -> Done<Option<Site>> {
    if node.is_host {
        go_home(walker)?;
        return Ok(Some(Site { namespace: here()?, socket: site::socket(node)?, is_new: false, had_rules: false }));
    }
    let name = site::name_of(&lab.name, node)?;
    let foreign = |what: &str| {
        Failed::new(format!("`{}` is {what}, which lab `{}` did not make", name.path().display(), lab.name))
            .hint(format!("`vwire netns delete {name}` removes it, or name the lab otherwise"))
            .at(node.span)
    };
    let namespace = match Namespace::open(name.path()) {
        Ok(namespace) => namespace,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failed::new(format!("cannot open namespace `{name}`")).because(&error)),
    };
    if walker.go(&namespace).is_err() && named::is_leftover(&name) {
        return Err(foreign("a file"));
    }
    let mut socket = site::socket(node)?;
    socket.swap_buffer(buffer);
    if !down::has_mark(&mut socket, &lab.name, &node.name)? {
        return Err(foreign("a namespace"));
    }
    socket.swap_buffer(buffer);
    Ok(Some(Site { namespace, socket, is_new: false, had_rules: false }))
}

/// Reads the tables that a lab says something of.
fn read(socket: &mut Socket, node: &Node) -> Result<State, vwire_netlink::DumpError> {
    let mut links = socket.links(&LinkFilter::without_stats())?;
    links.iter_mut().for_each(crate::step::part::complete);
    let mut routes = socket.routes(&Route::default())?;
    routes.retain(|route| route.flags & CLONED == 0);
    // They are kept for hundreds of nodes.
    links.shrink_to_fit();
    routes.shrink_to_fit();
    let switches = |link: &WireLink| matches!(link.kind(), Some("bridge" | "vxlan"));
    let has_switch = links.iter().any(switches);
    let needs_vlans = node
        .devices
        .iter()
        .any(|device| device.vlans.is_some() || matches!(device.kind, DeviceKind::Bridge { vlan_aware: true, .. }));
    Ok(State {
        addresses: socket.addresses(&AddressFilter::all())?,
        routes,
        rules: socket.rules(0)?,
        neighbours: socket.neighbours(&Neighbour::default())?,
        forwarding: if has_switch { if_known(socket.forwarding_database())? } else { Vec::new() },
        bridge_links: if needs_vlans { if_known(socket.bridge_links())? } else { Vec::new() },
        links,
        ..State::default()
    })
}

fn read_sysctls(names: &[&String]) -> io::Result<BTreeMap<String, String>> {
    let read = |name: &&String| {
        let value = sysctl::read_if_there(name).transpose()?;
        Some(value.map(|value| ((*name).clone(), value)))
    };
    names.iter().filter_map(read).collect()
}

/// Reads disciplines where there may be some, and nftables where the lab has, or had, some; the walker is inside then.
fn read_beside(
    socket: &mut Socket,
    node: &Node,
    state: &State,
    needs_table: bool,
) -> Result<Beside, vwire_netlink::DumpError> {
    let mut beside = Beside::default();
    let is_special =
        |link: &Link| link.qdisc.as_ref().is_some_and(|kind| matches!(kind.as_str(), Some("netem" | "tbf")));
    if state.links.iter().any(is_special) || node.devices.iter().any(|device| device.condition.is_some()) {
        beside.qdiscs = socket.qdiscs(&Qdisc::default())?;
    }
    if needs_table && let Ok(mut tables) = Socket::with_protocol(NETFILTER) {
        beside.chains = if_known(tables.dump_bodies(&Chain { family: nft::INET, ..Chain::default() }.to_dump()))?;
        beside.rules = if_known(tables.dump_bodies(&Rule { family: nft::INET, ..Rule::default() }.to_dump()))?;
    }
    Ok(beside)
}
