//! Processes of one's own: with the first process of such a namespace, the kernel ends all others in it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::mount::MsFlags;
use nix::sched::{CloneFlags, unshare};

use super::mount;

/// Whether this process has gone to where a keeper is.
static KEEPERS: AtomicBool = AtomicBool::new(false);

/// Remembers that this process is among those of a keeper now.
pub fn become_a_keepers() {
    KEEPERS.store(true, Ordering::Relaxed);
}

/// Returns whether the calling process has gone to where a keeper is: numbers of processes are none that its user knows.
#[must_use]
pub fn are_a_keepers() -> bool {
    KEEPERS.load(Ordering::Relaxed)
}

/// Sees to it that the next child of the calling process is the first of a new process namespace.
///
/// The caller stays where it is, and cannot start threads any more (`pid_namespaces(7)`).
///
/// # Errors
/// The caller lacks `CAP_SYS_ADMIN`, or there are too many (`user.max_pid_namespaces`, ENOSPC).
pub fn unshare_children() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWPID).map_err(io::Error::from)
}

/// Mounts a `/proc` that shows the calling process's namespace of processes, over the one that is there.
///
/// # Errors
/// The caller is no root of its own mounts, or a part of the old `/proc` is hidden, as containers hide it (EPERM).
pub fn mount_own_proc() -> io::Result<()> {
    mount("vwire", "/proc", Some("proc"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC)
}
