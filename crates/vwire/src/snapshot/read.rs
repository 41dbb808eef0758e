//! Reads what one namespace says, over a socket that was opened inside it.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::{AsRawFd, BorrowedFd};

use vwire_netlink::{
    AddressFilter, DumpError, Link, LinkFilter, NamespaceId, Neighbour, Nexthop, Request, RequestError, Route, Socket,
};

use super::device::{Holding, NamespacePart};
use super::document::Queue;
use super::state::State;
use super::sysctl;

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
    keep(&mut state.links, &mut state.missing, "links", socket.links(&LinkFilter::without_stats()));
    // The kernel sends the counters of links whatever is asked for.
    state.links.iter_mut().for_each(|link| link.stats64 = None);
    read_tables(socket, &mut state);
    state
}

/// Reads all but links and sysctls.
fn read_tables(socket: &mut Socket, state: &mut State) {
    let missing = &mut state.missing;
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
}

/// What is read beside the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counters {
    /// Links are without counters.
    Left,
    /// Links have their counters.
    Read,
}

/// Reads the tables of the socket's namespace, and the sysctls of the namespace that the calling thread is in, which
/// must be the same; what cannot be read is said in the state.
#[must_use]
pub fn read_whole(socket: &mut Socket, counters: Counters) -> State {
    let mut state = State::default();
    match links_with_sysctls(socket, counters, &mut state.sysctls) {
        Ok(links) => state.links = links,
        Err(error) => state.missing.push(format!("its links: {error}")),
    }
    if let Err(error) = sysctl::of_namespace(&mut state.sysctls) {
        state.missing_sysctls = Some(error.to_string());
    }
    read_tables(socket, &mut state);
    state
}

/// Reads links as `ip` shows them: with virtual functions, without what [`Link::shed`] drops.
fn links_with_sysctls(
    socket: &mut Socket,
    counters: Counters,
    sysctls: &mut sysctl::Sysctls,
) -> Result<Vec<Link>, DumpError> {
    let filter =
        LinkFilter { skip_stats: counters == Counters::Left, virtual_functions: true, ..LinkFilter::default() };
    let mut links: Vec<Link> = socket.dump_bodies(&filter.to_request())?;
    for link in &mut links {
        sysctl::of_link(link, sysctls);
        link.shed();
        if counters == Counters::Left {
            link.stats64 = None;
        }
    }
    Ok(links)
}

/// Reads what another namespace lets be read of a third that only an id stands for: links and addresses.
#[must_use]
pub fn read_by_id(socket: &mut Socket, id: i32) -> State {
    let mut state = State::default();
    let missing = &mut state.missing;
    let links = LinkFilter { target_netnsid: Some(id), ..LinkFilter::without_stats() };
    keep(&mut state.links, missing, "links", socket.links(&links));
    let addresses = AddressFilter { target_netnsid: Some(id), ..AddressFilter::all() };
    keep(&mut state.addresses, missing, "addresses", socket.addresses(&addresses));
    missing.push("all but its links and addresses: nothing but an id stands for it here".to_owned());
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
        if let Ok(Some(id)) = namespace_id(socket, other.handle) {
            wanted.remove(&id);
            found.insert(id, other.inode);
        }
    }
    found
}

/// Returns the id that the socket's namespace has for another one, if it has one.
///
/// # Errors
/// The kernel refuses to tell.
pub fn namespace_id(socket: &mut Socket, handle: BorrowedFd<'_>) -> Result<Option<i32>, RequestError> {
    let wanted = NamespaceId { fd: u32::try_from(handle.as_raw_fd()).ok(), ..NamespaceId::default() };
    let answer = socket.get::<NamespaceId>(&Request::get_namespace_id(&wanted))?;
    Ok(answer.nsid.filter(|id| *id >= 0))
}

/// Returns the queues of TUN and TAP devices that processes hold, in any namespace.
#[must_use]
pub fn queues() -> Vec<Queue> {
    let found = vwire_tuntap::holders::find_holders().into_iter();
    let queue = |holder: vwire_tuntap::holders::Holder| Queue {
        link: holder.device.as_bytes().into(),
        namespace: holder.namespace.or(holder.process_namespace),
        pid: holder.pid,
        command: holder.command,
        descriptor: holder.descriptor,
        attached: holder.attachment.map(|attachment| attachment == vwire_tuntap::Attachment::Attached),
    };
    found.map(queue).collect()
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
