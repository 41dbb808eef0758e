//! Reads what one namespace says, over a socket that was opened inside it.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::{AsRawFd, BorrowedFd};

use vwire_netlink::{
    AddressFilter, DumpError, Link, LinkFilter, NamespaceId, Neighbour, Nexthop, Request, Route, Socket,
};

use super::device::{Holding, NamespacePart};
use super::state::State;

/// `NTF_PROXY`.
const PROXY: u8 = 0x08;
/// `RTM_F_CLONED`.
const CLONED: u32 = 0x200;

/// Another namespace, to find the id that the one being read has for it.
#[derive(Debug, Clone, Copy)]
pub struct Other<'a> {
    /// Its inode.
    pub inode: u64,
    /// A handle to it.
    pub handle: BorrowedFd<'a>,
}

/// Reads links, addresses and the ids of other namespaces; what cannot be read is said in the part.
#[must_use]
pub fn read_namespace(socket: &mut Socket, name: String, inode: u64, others: &[Other<'_>]) -> NamespacePart {
    let mut part = NamespacePart { name, inode, ..NamespacePart::default() };
    match socket.links(&LinkFilter::without_stats()) {
        Ok(links) => part.links = links,
        Err(error) => part.missing.push(format!("its links: {error}")),
    }
    match socket.addresses(&AddressFilter::all()) {
        Ok(addresses) => part.addresses = addresses,
        Err(error) => part.missing.push(format!("its addresses: {error}")),
    }
    part.ids = ids(socket, &part.links, others);
    part
}

/// Reads the tables of the socket's namespace; what cannot be read is said in the state. Sysctls are
/// files and not read here.
#[must_use]
pub fn read_state(socket: &mut Socket) -> State {
    let mut state = State::default();
    let missing = &mut state.missing;
    keep(&mut state.links, missing, "links", socket.links(&LinkFilter::without_stats()));
    keep(&mut state.addresses, missing, "addresses", socket.addresses(&AddressFilter::all()));
    keep(&mut state.routes, missing, "routes", socket.routes(&Route::default()));
    state.routes.retain(|route| route.flags & CLONED == 0);
    keep(&mut state.rules, missing, "rules", socket.rules(0));
    keep(&mut state.nexthops, missing, "nexthops", socket.nexthops(&Nexthop::default()));
    keep(&mut state.neighbours, missing, "neighbours", socket.neighbours(&Neighbour::default()));
    let proxies = Neighbour { flags: PROXY, ..Neighbour::default() };
    let mut answered = Vec::new();
    keep(&mut answered, missing, "proxied neighbours", socket.neighbours(&proxies));
    state.neighbours.append(&mut answered);
    keep(&mut state.forwarding, missing, "forwarding database", socket.forwarding_database());
    keep(&mut state.bridge_links, missing, "bridge ports", socket.bridge_links());
    keep(&mut state.labels, missing, "address labels", socket.address_labels());
    state
}

fn keep<T>(to: &mut Vec<T>, missing: &mut Vec<String>, what: &str, read: Result<Vec<T>, DumpError>) {
    match read {
        Ok(found) => *to = found,
        Err(error) => missing.push(format!("its {what}: {error}")),
    }
}

/// Asks for ids until all that the links mention are known.
fn ids(socket: &mut Socket, links: &[Link], others: &[Other<'_>]) -> HashMap<i32, u64> {
    let mut wanted: BTreeSet<i32> = links.iter().filter_map(|link| link.link_netnsid).filter(|id| *id >= 0).collect();
    let mut found = HashMap::new();
    for other in others {
        if wanted.is_empty() {
            break;
        }
        if let Some(id) = namespace_id(socket, other.handle) {
            wanted.remove(&id);
            found.insert(id, other.inode);
        }
    }
    found
}

/// Returns the id that the socket's namespace has for another one, if it has one.
#[must_use]
pub fn namespace_id(socket: &mut Socket, handle: BorrowedFd<'_>) -> Option<i32> {
    let wanted = NamespaceId { fd: u32::try_from(handle.as_raw_fd()).ok(), ..NamespaceId::default() };
    let answer = socket.get::<NamespaceId>(&Request::get_namespace_id(&wanted)).ok()?;
    answer.nsid.filter(|id| *id >= 0)
}

/// Returns which processes hold queues of TUN and TAP devices, in any namespace.
#[must_use]
pub fn holdings() -> Vec<Holding> {
    let found = vwire_tuntap::holders::find_holders().into_iter();
    let holding = |holder: vwire_tuntap::holders::Holder| {
        Some(Holding {
            device: holder.device.as_bytes().to_vec(),
            namespace: holder.namespace.or(holder.process_namespace)?,
            pid: holder.pid,
            command: holder.command,
        })
    };
    found.filter_map(holding).collect()
}
