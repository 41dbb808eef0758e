//! Network namespaces: the one place that calls `setns`, `unshare` and mounts.
//!
//! Named namespaces live where `ip netns` keeps them, as bind mounts in [`DIRECTORY`], so both
//! tools see the same ones. `setns` moves one **thread**: call [`enter`] before other threads
//! start, or on a thread of its own.

pub mod sandbox;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use nix::mount::MsFlags;
use nix::sched::{CloneFlags, setns};
pub use sandbox::Sandbox;

/// Where named namespaces are bound, shared with `ip netns`.
pub const DIRECTORY: &str = "/run/netns";

/// A namespace could not be opened or entered.
#[derive(Debug)]
pub struct EnterError {
    /// The name that was asked for.
    pub name: OsString,
    /// What failed.
    pub step: EnterStep,
    /// The kernel's answer.
    pub source: io::Error,
}

/// The step of [`enter`] that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnterStep {
    /// The file that holds the namespace could not be opened.
    Open,
    /// The thread could not be moved.
    Move,
}

impl fmt::Display for EnterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.step {
            EnterStep::Open => "open",
            EnterStep::Move => "enter",
        };
        write!(f, "cannot {verb} network namespace `{}`", self.name.display())
    }
}

impl std::error::Error for EnterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Returns the file that holds a namespace: a path is taken as it is, a name is looked up in [`DIRECTORY`].
#[must_use]
pub fn path_of(name: &OsStr) -> PathBuf {
    let path = Path::new(name);
    if name.as_encoded_bytes().contains(&b'/') { path.to_owned() } else { Path::new(DIRECTORY).join(path) }
}

/// Moves the calling thread into a named namespace.
///
/// # Errors
/// The name does not exist, or the caller lacks `CAP_SYS_ADMIN` (`setns(2)`).
pub fn enter(name: &OsStr) -> Result<(), EnterError> {
    let error = |step, source| EnterError { name: name.to_owned(), step, source };
    let file = File::open(path_of(name)).map_err(|source| error(EnterStep::Open, source))?;
    setns(file, CloneFlags::CLONE_NEWNET).map_err(|errno| error(EnterStep::Move, errno.into()))
}

/// Mounts, binds or changes a mount; `mount(2)` without data.
fn mount(source: impl AsRef<Path>, target: impl AsRef<Path>, kind: Option<&str>, flags: MsFlags) -> io::Result<()> {
    nix::mount::mount(Some(source.as_ref()), target.as_ref(), kind, flags, None::<&str>).map_err(io::Error::from)
}
