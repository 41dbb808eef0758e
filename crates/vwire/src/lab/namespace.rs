//! Network namespaces: the one room that calls `setns`, `unshare` and `mount`.
//!
//! - here: [`Namespace`], a handle that keeps one alive and tells which it is, and [`run_in`];
//! - [`named`]: the names that `ip netns` and vwire share, bind mounts in [`DIRECTORY`];
//! - [`enter`](mod@enter): moving the calling thread, with the `/sys` and `/etc` that belong to a name;
//! - [`id`]: the numbers by which the kernel tells one namespace from another;
//! - [`find`]: every namespace that can be seen from here;
//! - [`processes`]: processes that end together;
//! - [`sandbox`]: a machine of one's own to play in, without privilege;
//! - [`whereabouts`]: all that a process is in, to go there.
//!
//! `setns` and `unshare` move one **thread**. Whatever only visits a namespace does so on a thread
//! of its own that ends afterwards ([`run_in`], [`Namespace::create`]), so no other code ever runs
//! in the wrong one. Only [`enter`](enter::enter), [`switch`], [`Sandbox::enter`] and [`Whereabouts::enter`]
//! move their caller; call them before other threads start, or on a thread made for it.

pub mod enter;
pub mod find;
pub mod id;
pub mod named;
pub mod processes;
pub mod sandbox;
pub mod walk;
pub mod whereabouts;

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::mount::MsFlags;
use nix::sched::{CloneFlags, setns, unshare};

pub use enter::{EnterError, EnterStep, Warning, enter, switch, switch_with, switched, switched_with};
pub use named::{DIRECTORY, Name, path_of};
pub use sandbox::Sandbox;
pub use whereabouts::Whereabouts;

/// The calling thread's own namespace; `/proc/self` would be that of the process's first thread.
const OWN: &str = "/proc/thread-self/ns/net";

/// Which namespace it is, for as long as it lives: the device and inode of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The device number of the kernel's namespace file system.
    pub dev: u64,
    /// The inode number, the one in `net:[4026531840]`.
    pub ino: u64,
}

impl Identity {
    /// Returns which namespace a file holds.
    ///
    /// # Errors
    /// The file cannot be reached.
    pub fn of(path: impl AsRef<Path>) -> io::Result<Self> {
        let data = std::fs::metadata(path)?;
        Ok(Self { dev: data.dev(), ino: data.ino() })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "net:[{}]", self.ino)
    }
}

/// A network namespace, kept alive by this handle.
#[derive(Debug)]
pub struct Namespace {
    fd: OwnedFd,
    identity: Identity,
}

impl Namespace {
    /// Makes a new namespace, which has no name and no process.
    ///
    /// # Errors
    /// The caller lacks `CAP_SYS_ADMIN`, or there are too many (`user.max_net_namespaces`, ENOSPC).
    pub fn create() -> io::Result<Self> {
        on_own_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET)?;
            Self::current()
        })
    }

    /// Opens the namespace that a file holds, such as `/proc/1/ns/net`.
    ///
    /// # Errors
    /// The file cannot be opened. Whether it is a namespace shows when it is entered.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = File::open(path)?;
        let data = file.metadata()?;
        Ok(Self { identity: Identity { dev: data.dev(), ino: data.ino() }, fd: file.into() })
    }

    /// Opens a namespace by its name, or by a path where there is a `/` in it.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn open_named(name: &OsStr) -> io::Result<Self> {
        Self::open(path_of(name))
    }

    /// Opens the namespace that a process is in.
    ///
    /// # Errors
    /// The process is gone, or belongs to another user (`CAP_SYS_PTRACE`).
    pub fn of_process(pid: u32) -> io::Result<Self> {
        Self::open(format!("/proc/{pid}/ns/net"))
    }

    /// Opens the namespace that the calling thread is in.
    ///
    /// # Errors
    /// `/proc` is not mounted.
    pub fn current() -> io::Result<Self> {
        Self::open(OWN)
    }

    /// Returns which namespace it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Returns a path to the namespace, good inside this process while the handle lives.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.fd.as_raw_fd()).into()
    }
}

impl From<Namespace> for OwnedFd {
    fn from(namespace: Namespace) -> Self {
        namespace.fd
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Runs `body` inside a namespace, on a thread of its own, and returns what it returns.
///
/// Sockets that `body` opens stay in that namespace for good and may be returned.
///
/// # Errors
/// The thread cannot be made or moved: no `CAP_SYS_ADMIN`, or the handle is not a namespace's.
///
/// # Panics
/// Where `body` panics.
pub fn run_in<T: Send>(namespace: &Namespace, body: impl FnOnce() -> T + Send) -> io::Result<T> {
    on_own_thread(|| {
        setns(namespace, CloneFlags::CLONE_NEWNET)?;
        Ok(body())
    })
}

/// Runs `body` on a thread that ends with it, so that it may move the thread where it likes.
fn on_own_thread<T: Send>(body: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("netns".to_owned()).spawn_scoped(scope, body)?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Mounts, binds or changes a mount; `mount(2)` without data.
fn mount(source: impl AsRef<Path>, target: impl AsRef<Path>, kind: Option<&str>, flags: MsFlags) -> io::Result<()> {
    nix::mount::mount(Some(source.as_ref()), target.as_ref(), kind, flags, None::<&str>).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_namespace_is_that_of_this_thread() {
        let current = Namespace::current().unwrap();
        assert_eq!(current.identity(), Identity::of("/proc/thread-self/ns/net").unwrap());
        assert_eq!(current.identity(), Identity::of(current.path()).unwrap());
        let link = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
        assert_eq!(link.to_str(), Some(current.identity().to_string().as_str()));
    }
}
