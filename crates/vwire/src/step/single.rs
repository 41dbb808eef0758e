//! Changing one link, all or nothing.
//!
//! The kernel does the parts of one request in an order of its own and stops at the first that it refuses: what it did
//! before stays done (`do_setlink` in `net/core/rtnetlink.c`). So a link is looked at before; on a refusal it is looked
//! at again, what differs is put back, and a last look tells whether that worked.

use vwire_netlink::{Link, Reply, Request, RequestError, Socket};

use super::part::{differences, restoring};

/// A change that the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The kernel's refusal.
    pub error: RequestError,
    /// What became of the object.
    pub aftermath: Aftermath,
}

/// What became of an object whose change was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aftermath {
    /// The kernel had changed nothing.
    Untouched,
    /// A part had been done, and is undone.
    Restored,
    /// A part is done and could not be undone: what still differs, in the kernel's words.
    Left(Vec<&'static str>),
    /// The object cannot be found any more where it was.
    Gone,
    /// Nothing was looked at before: the object was not there.
    Unknown,
}

/// `RTEXT_FILTER_SKIP_STATS`.
const SKIP_STATS: u32 = 1 << 3;
/// `ENODEV`.
const ENODEV: i32 = 19;

/// Changes the link of this index as `request` says, or leaves it as it was.
///
/// # Errors
/// The kernel's refusal, and what became of the link.
pub fn set(socket: &mut Socket, index: u32, request: &Request) -> Result<Reply, Refused> {
    let before = look(socket, index).ok();
    let error = match socket.request(request) {
        Ok(reply) => return Ok(reply),
        Err(error) => error,
    };
    let aftermath = match before {
        Some(before) => put_back(socket, index, &before),
        None => Aftermath::Unknown,
    };
    Err(Refused { error, aftermath })
}

/// Reads a link by its index.
fn look(socket: &mut Socket, index: u32) -> Result<Link, RequestError> {
    let wanted = Link { index, ext_mask: Some(SKIP_STATS), ..Link::default() };
    socket.get::<Link>(&Request::get_link(&wanted))
}

fn put_back(socket: &mut Socket, index: u32, before: &Link) -> Aftermath {
    let after = match look(socket, index) {
        Ok(after) => after,
        Err(error) if error.errno() == ENODEV => return Aftermath::Gone,
        Err(_) => return Aftermath::Left(vec!["what was not read"]),
    };
    if differences(before, &after).is_empty() {
        return Aftermath::Untouched;
    }
    for request in restoring(before, &after) {
        // Some kinds refuse a value that they had on their own; what still differs is seen below.
        let _ = socket.request(&Request::set_link(&request));
    }
    match look(socket, index).map(|now| differences(before, &now)) {
        Ok(left) if left.is_empty() => Aftermath::Restored,
        Ok(left) => Aftermath::Left(left),
        Err(_) => Aftermath::Gone,
    }
}
