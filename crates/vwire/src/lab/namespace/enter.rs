//! Moves the calling thread into a named namespace, alone or with what `ip netns exec` adds.
//!
//! Programs find their devices in `/sys` and their resolver in `/etc`; both are files of the mount
//! namespace, not of the network. So [`switch`] takes a private copy of the mounts, puts the
//! namespace's own `/sys` there, and lays the files of `/etc/netns/NAME` over `/etc`.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};

use super::{Namespace, mount, on_own_thread};

/// Where the files are that lie over `/etc` inside a named namespace.
pub const ETC_DIRECTORY: &str = "/etc/netns";

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

/// The step of [`enter`] or [`switch`] that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnterStep {
    /// The file that holds the namespace could not be opened.
    Open,
    /// The thread could not be moved.
    Move,
    /// The mounts could not be copied.
    Mounts,
    /// The copied mounts could not be kept from showing outside.
    Slave,
}

impl fmt::Display for EnterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.display();
        match self.step {
            EnterStep::Open => write!(f, "cannot open network namespace `{name}`"),
            EnterStep::Move => write!(f, "cannot enter network namespace `{name}`"),
            EnterStep::Mounts | EnterStep::Slave => write!(f, "cannot make mounts of its own for `{name}`"),
        }
    }
}

impl std::error::Error for EnterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Something that [`switch`] went on without.
#[derive(Debug)]
pub enum Warning {
    /// `/sys` could not be mounted: it shows the devices outside, or nothing.
    Sysfs(io::Error),
    /// A file of `/etc/netns/NAME` could not be laid over `/etc`.
    Etc {
        /// The file.
        from: PathBuf,
        /// What it should hide.
        to: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// Moves the calling thread into a named namespace; its mounts stay as they are.
///
/// # Errors
/// The name does not exist, or the caller lacks `CAP_SYS_ADMIN` (`setns(2)`).
pub fn enter(name: &OsStr) -> Result<(), EnterError> {
    let error = |step, source| EnterError { name: name.to_owned(), step, source };
    let namespace = Namespace::open_named(name).map_err(|source| error(EnterStep::Open, source))?;
    setns(namespace, CloneFlags::CLONE_NEWNET).map_err(|errno| error(EnterStep::Move, errno.into()))
}

/// Moves the calling thread into a named namespace with mounts of its own, as `ip netns exec` does.
///
/// # Errors
/// As [`enter`]; or the mounts cannot be copied. What it went on without is returned.
pub fn switch(name: &OsStr) -> Result<Vec<Warning>, EnterError> {
    switch_with(name, &[])
}

/// Moves the calling thread as [`switch`] does, and lays more files over others.
///
/// # Errors
/// As [`switch`].
pub fn switch_with(name: &OsStr, over: &[(PathBuf, PathBuf)]) -> Result<Vec<Warning>, EnterError> {
    let error = |step, source| EnterError { name: name.to_owned(), step, source };
    enter(name)?;
    unshare(CloneFlags::CLONE_NEWNS).map_err(|errno| error(EnterStep::Mounts, errno.into()))?;
    mount("none", "/", None, MsFlags::MS_SLAVE | MsFlags::MS_REC).map_err(|source| error(EnterStep::Slave, source))?;
    let mut warnings = Vec::new();
    warnings.extend(mount_sysfs(name).err().map(Warning::Sysfs));
    warnings.extend(over.iter().filter_map(|(from, to)| lay_over(from, to)));
    warnings.extend(lay_over_etc(&Path::new(ETC_DIRECTORY).join(name)));
    Ok(warnings)
}

/// Runs `body` on a thread of its own that has [switched](switch) into a named namespace; what it starts is inside.
///
/// # Errors
/// As [`switch`].
pub fn switched<T: Send>(name: &OsStr, body: impl FnOnce() -> T + Send) -> Result<(Vec<Warning>, T), EnterError> {
    switched_with(name, &[], body)
}

/// Runs `body` as [`switched`] does, with more files laid over others.
///
/// # Errors
/// As [`switch`].
pub fn switched_with<T: Send>(
    name: &OsStr,
    over: &[(PathBuf, PathBuf)],
    body: impl FnOnce() -> T + Send,
) -> Result<(Vec<Warning>, T), EnterError> {
    let inside = on_own_thread(|| Ok(switch_with(name, over).map(|warnings| (warnings, body()))));
    inside.map_err(|source| EnterError { name: name.to_owned(), step: EnterStep::Move, source })?
}

fn mount_sysfs(name: &OsStr) -> io::Result<()> {
    let mut flags = MsFlags::empty();
    // Where /sys cannot be taken away it is hidden instead; the kernel lets a read-only one be
    // hidden only by another read-only one.
    if umount2("/sys", MntFlags::MNT_DETACH).is_err()
        && statvfs("/sys").is_ok_and(|data| data.flags().contains(FsFlags::ST_RDONLY))
    {
        flags = MsFlags::MS_RDONLY;
    }
    mount(name, "/sys", Some("sysfs"), flags)
}

fn lay_over(from: &Path, to: &Path) -> Option<Warning> {
    let source = mount(from, to, None, MsFlags::MS_BIND).err()?;
    Some(Warning::Etc { from: from.to_owned(), to: to.to_owned(), source })
}

fn lay_over_etc(directory: &Path) -> Vec<Warning> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let lay = |entry: fs::DirEntry| lay_over(&entry.path(), &Path::new("/etc").join(entry.file_name()));
    entries.flatten().filter_map(lay).collect()
}
