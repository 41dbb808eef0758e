//! Reads what one namespace says, over a socket that was opened inside it.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::{AsRawFd, BorrowedFd};

use vwire_netlink::{AddressFilter, Link, LinkFilter, NamespaceId, Request, Socket};

use super::device::{Holding, NamespacePart};

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
