//! Changes to the kernel as steps: what is there is read before, and put back if a part of the change fails.
//!
//! The kernel does the parts of one request in an order of its own and stops at the first that it
//! refuses: what it did before stays done (`do_setlink` in `net/core/rtnetlink.c`). A step makes
//! that all or nothing: it looks first, does, and on a refusal looks again, puts back what differs,
//! and looks a last time to know whether that worked.
//!
//! One file a kind of object. What to put back is decided by a pure function from the two looks.

pub mod link;
pub mod world;

use vwire_netlink::RequestError;

/// A step that the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The kernel's refusal.
    pub error: RequestError,
    /// What became of the object.
    pub aftermath: Aftermath,
}

/// What became of an object whose step was refused.
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
