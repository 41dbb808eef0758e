//! Thing somebody else put into a lab's nodes: it is told, and left alone.
//!
//! Links and their queueing are known from what was read anyway. For tables of nftables each node is asked once more, for
//! their names alone. Sysctls are not looked for: a node has over a thousand, and the lab knows those that it has set.

use vwire_netlink::Socket;
use vwire_netlink::wire::nft::Table;

use super::Done;
use super::field::NETFILTER;
use super::survey::Survey;
use crate::lab::failed::Failed;
use crate::lab::import::condition::BY_THEMSELVES;
use crate::lab::model::{Lab, Node};
use crate::lab::namespace::Namespace;
use crate::lab::namespace::walk::walk;
use crate::lab::plan;
use crate::snapshot::state::State;
use crate::step::scope::{Parts, Reach};
use crate::step::world::Place;

/// Something that is not the lab's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// The node.
    pub node: String,
    /// Thing it is.
    pub what: Thing,
}

/// Thing a stranger is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// A device, by its name.
    Device(String),
    /// A queueing discipline: the device, and its kind.
    Qdisc(String, String),
    /// A table of nftables: its family, as `nft` has it, and its name.
    Table(String, String),
}

/// Returns what somebody else put into the namespaces of a lab that was surveyed.
///
/// # Errors
/// A namespace cannot be entered any more.
pub fn find(survey: &Survey, lab: &Lab) -> Done<Vec<Stranger>> {
    let mut found = Vec::new();
    let is_own = |node: &Node| !node.is_host && !node.leaves;
    let mut there: Vec<(&Node, &Namespace)> = Vec::new();
    for (at, node) in lab.nodes.iter().enumerate().filter(|(_, node)| is_own(node)) {
        let Some(Reach::Parts(parts)) = survey.scope.reaches.get(at) else { continue };
        let what = on_links(node, survey.now.state(Place(at)), parts);
        found.extend(what.into_iter().map(|what| Stranger { node: node.name.clone(), what }));
        let site = survey.field.sites.get(at).and_then(Option::as_ref);
        there.extend(site.map(|site| (node, &site.namespace)));
    }
    let table = plan::table_of(&lab.name);
    let tables = walk(|walker| {
        let mut found = Vec::new();
        for (node, namespace) in &there {
            let entered = walker.go(namespace);
            entered.map_err(|error| Failed::new("cannot enter a namespace").because(&error))?;
            let others = foreign_tables(&table).into_iter();
            found.extend(others.map(|what| Stranger { node: node.name.clone(), what }));
        }
        let _ = walker.go_home();
        Ok(found)
    });
    found.extend(tables.map_err(|error| Failed::new("cannot start a thread").because(&error))??);
    let place = |one: &Stranger| lab.nodes.iter().position(|node| node.name == one.node);
    found.sort_by_key(place);
    Ok(found)
}

fn on_links(node: &Node, state: &State, parts: &Parts) -> Vec<Thing> {
    let mut found = Vec::new();
    for link in &state.links {
        let name = link.ifname.map(|name| name.to_string()).unwrap_or_default();
        if !parts.links.contains(&link.index) {
            found.push(Thing::Device(name));
            continue;
        }
        let kind = link.qdisc.as_ref().map(ToString::to_string).unwrap_or_default();
        // Of those that a file can say, the file says that there is none, or another.
        let is_said = node.devices.iter().any(|device| device.name == name && device.condition.is_some());
        let is_known = BY_THEMSELVES.contains(&kind.as_str()) || matches!(kind.as_str(), "" | "tbf" | "netem");
        if !is_said && !is_known {
            found.push(Thing::Qdisc(name, kind));
        }
    }
    found
}

/// Asks the calling thread's namespace; a kernel without nftables has none.
fn foreign_tables(own: &str) -> Vec<Thing> {
    let Ok(mut socket) = Socket::with_protocol(NETFILTER) else { return Vec::new() };
    let tables: Vec<Table> = socket.dump_bodies(&Table::default().to_dump()).unwrap_or_default();
    let named = tables.into_iter().filter_map(|table| Some((family(table.family), table.name?.to_string())));
    let foreign = named.filter(|(family, name)| (family.as_str(), name.as_str()) != ("inet", own));
    foreign.map(|(family, name)| Thing::Table(family, name)).collect()
}

/// Spells `NFPROTO_*` as `nft` does.
fn family(number: u8) -> String {
    match number {
        1 => "inet".to_owned(),
        2 => "ip".to_owned(),
        3 => "arp".to_owned(),
        5 => "netdev".to_owned(),
        7 => "bridge".to_owned(),
        10 => "ip6".to_owned(),
        other => other.to_string(),
    }
}
