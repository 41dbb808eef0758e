//! One thread that goes from namespace to namespace, makes new ones, and ends when its work is done.
//!
//! A lab of hundreds of nodes is made and looked at by one such thread: a thread for each would cost more than
//! the work. Sockets and files that it opens stay where they were opened, so they may be kept and used from anywhere.

use std::io;

use nix::sched::{CloneFlags, setns, unshare};

use super::{Namespace, on_own_thread};

/// The right to move the calling thread, which ends with the walk, and the namespace where it began.
#[derive(Debug)]
pub struct Walker {
    home: Namespace,
}

/// Runs `body` on a thread of its own, which may walk.
///
/// # Errors
/// The thread cannot be made, or `/proc` is not mounted.
///
/// # Panics
/// Where `body` panics.
pub fn walk<T: Send>(body: impl FnOnce(&mut Walker) -> T + Send) -> io::Result<T> {
    on_own_thread(|| Ok(body(&mut Walker { home: Namespace::current()? })))
}

impl Walker {
    /// Moves into a namespace.
    ///
    /// # Errors
    /// The caller lacks `CAP_SYS_ADMIN`, or the handle is not a namespace's.
    pub fn go(&mut self, namespace: &Namespace) -> io::Result<()> {
        setns(namespace, CloneFlags::CLONE_NEWNET).map_err(io::Error::from)
    }

    /// Moves back to where the walk began.
    ///
    /// # Errors
    /// As [`Walker::go`].
    pub fn go_home(&mut self) -> io::Result<()> {
        setns(&self.home, CloneFlags::CLONE_NEWNET).map_err(io::Error::from)
    }

    /// Makes a new namespace and moves into it; it has no name yet.
    ///
    /// # Errors
    /// The caller lacks `CAP_SYS_ADMIN`, or there are too many (`user.max_net_namespaces`, ENOSPC).
    pub fn make(&mut self) -> io::Result<Namespace> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        Namespace::current()
    }
}
