//! The ids that a namespace gives to others: small numbers by which the kernel tells where a link's other end is.
//!
//! An id holds only in the namespace that gave it. Asking and giving goes over the socket at hand, in the
//! socket's namespace.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use vwire_netlink::wire::{MessageType, NamespaceId, Request};
use vwire_netlink::{DumpError, RequestError, Socket};

use super::find::Found;
use super::{Namespace, run_in};

/// Returns the id of each namespace, or `None` for one that has none.
///
/// For each: the kernel's refusal, where a handle is not a namespace's.
pub fn of(socket: &mut Socket, namespaces: &[Namespace]) -> Vec<Result<Option<i32>, RequestError>> {
    let ask = |namespace: &Namespace| Request::new(MessageType::GETNSID, 0, &naming(namespace));
    let requests: Vec<_> = namespaces.iter().map(ask).collect();
    let id = |reply: vwire_netlink::Reply| {
        let answer = reply.messages.first().and_then(|message| parse(&message.payload));
        answer.and_then(|answer| answer.nsid).filter(|id| *id >= 0)
    };
    socket.batch(&requests).into_iter().map(|answer| answer.map(id)).collect()
}

/// Returns what the kernel says of one id; with `target`, in the namespace that has that id.
///
/// # Errors
/// The id, or the target, stands for nothing.
pub fn get(socket: &mut Socket, id: i32, target: Option<i32>) -> Result<NamespaceId, RequestError> {
    let wanted = NamespaceId { nsid: Some(id), target_nsid: target, ..NamespaceId::default() };
    socket.get(&Request::new(MessageType::GETNSID, 0, &wanted))
}

/// Returns all ids; with `target`, those that the namespace with that id has given.
///
/// # Errors
/// The target stands for nothing.
pub fn all(socket: &mut Socket, target: Option<i32>) -> Result<Vec<NamespaceId>, DumpError> {
    let wanted = NamespaceId { target_nsid: target, ..NamespaceId::default() };
    socket.dump_bodies(&Request::dump(MessageType::GETNSID, &wanted))
}

/// Gives a namespace an id, or leaves the choice to the kernel.
///
/// # Errors
/// The namespace has an id already, or the id is another's.
pub fn give(socket: &mut Socket, namespace: &Namespace, id: Option<i32>) -> Result<(), RequestError> {
    let wanted = NamespaceId { nsid: Some(id.unwrap_or(NamespaceId::NOT_ASSIGNED)), ..naming(namespace) };
    socket.request(&Request::new(MessageType::NEWNSID, 0, &wanted)).map(drop)
}

/// An id that a namespace has for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The id.
    pub id: i32,
    /// The other's place among those that were asked about, if it is one of them.
    pub place: Option<usize>,
}

/// Returns which of the namespaces each of them has ids for.
///
/// Nothing tells what an id stands for, but a namespace that knows all of them can be asked what its own ids are for
/// those of another. So one is made for a moment and given an id for each: that changes nothing in the others, and
/// takes two requests for each, not one for each pair.
///
/// # Errors
/// No namespace can be made: the caller lacks `CAP_SYS_ADMIN`.
pub fn between(namespaces: &[Found]) -> io::Result<Vec<Vec<Known>>> {
    let between = Namespace::create()?;
    let mut socket = run_in(&between, Socket::open)?.map_err(io::Error::other)?;
    for (place, found) in namespaces.iter().enumerate() {
        // One that is gone by now has no id, and none is found for it.
        if let (Ok(namespace), Ok(place)) = (found.open(), i32::try_from(place)) {
            let _ = give(&mut socket, &namespace, Some(place));
        }
    }
    let of = |place: usize| {
        let known = i32::try_from(place).ok().and_then(|place| all(&mut socket, Some(place)).ok());
        let one = |id: NamespaceId| {
            let other = id.current_nsid.and_then(|place| usize::try_from(place).ok());
            Some(Known { id: id.nsid?, place: other.filter(|place| *place < namespaces.len()) })
        };
        known.unwrap_or_default().into_iter().filter_map(one).collect()
    };
    Ok((0..namespaces.len()).map(of).collect())
}

fn naming(namespace: &Namespace) -> NamespaceId {
    NamespaceId { fd: u32::try_from(namespace.as_fd().as_raw_fd()).ok(), ..NamespaceId::default() }
}

fn parse(payload: &[u8]) -> Option<NamespaceId> {
    vwire_netlink::wire::Body::parse(payload).ok()
}
