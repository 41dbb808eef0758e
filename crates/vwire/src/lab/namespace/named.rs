//! Namespaces with a name: files in [`DIRECTORY`] onto which a namespace is bound, shared with `ip netns`.
//!
//! The directory must be a mount point whose mounts spread to other mount namespaces, else a name
//! that is removed here lives on there and holds the namespace. Making it so is the dangerous part:
//! two programs that both find it not yet made would bind it onto itself twice, and with shared
//! mounts each round doubles the number of them (Debian bug 949235). So it is looked at and made
//! under an `flock` on the directory, the one that `ip` takes too. The kernel itself tells whether
//! it is made: it refuses to share what is no mount point (EINVAL).
//!
//! What fails halfway is taken back: no name without a namespace behind it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::mount::{MntFlags, MsFlags, umount2};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::statfs::{NSFS_MAGIC, statfs};

use super::{Identity, Namespace, OWN, mount};

/// Where named namespaces are bound, shared with `ip netns`.
pub const DIRECTORY: &str = "/run/netns";

/// The longest name of a file, `NAME_MAX`.
const LONGEST_NAME: usize = 255;

/// A name that a namespace may have: that of a file in [`DIRECTORY`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(OsString);

impl Name {
    /// Reads a name: 1 to 255 bytes, no `/`, neither `.` nor `..`.
    #[must_use]
    pub fn parse(word: &[u8]) -> Option<Self> {
        let wrong =
            word.is_empty() || word.len() > LONGEST_NAME || word.contains(&b'/') || matches!(word, b"." | b"..");
        (!wrong).then(|| Self(OsString::from_vec(word.to_vec())))
    }

    /// Returns the name as a word.
    #[must_use]
    pub fn as_os_str(&self) -> &OsStr {
        &self.0
    }

    /// Returns the file that holds the namespace.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        Path::new(DIRECTORY).join(&self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// A name could not be given to a namespace.
#[derive(Debug)]
pub struct AddError {
    /// The name.
    pub name: Name,
    /// What failed.
    pub step: AddStep,
    /// The kernel's answer.
    pub source: io::Error,
}

/// The step of [`add`] or [`attach`] that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddStep {
    /// Making [`DIRECTORY`].
    MakeDirectory,
    /// Opening it.
    OpenDirectory,
    /// Making a mount point of it.
    BindDirectory,
    /// Taking it out of the sharing that it was born into.
    PrivateDirectory,
    /// Letting its mounts spread.
    ShareDirectory,
    /// Making the file of the name.
    CreateFile,
    /// Making the namespace.
    CreateNamespace,
    /// Binding the namespace, found at this path, onto the file.
    Bind(PathBuf),
}

impl fmt::Display for AddError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            AddStep::CreateNamespace => write!(f, "cannot make network namespace `{}`", self.name),
            AddStep::CreateFile | AddStep::Bind(_) => write!(f, "cannot name network namespace `{}`", self.name),
            _ => write!(f, "cannot make {DIRECTORY} ready for names"),
        }
    }
}

impl std::error::Error for AddError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Returns the file that holds a namespace: a path is taken as it is, a name is looked up in [`DIRECTORY`].
#[must_use]
pub fn path_of(name: &OsStr) -> PathBuf {
    let path = Path::new(name);
    if name.as_bytes().contains(&b'/') { path.to_owned() } else { Path::new(DIRECTORY).join(path) }
}

/// Makes a new namespace and names it.
///
/// # Errors
/// The name is taken, or privilege lacks. Nothing is left of it.
pub fn add(name: &Name) -> Result<(), AddError> {
    give(name, || {
        let namespace = Namespace::create().map_err(|source| (AddStep::CreateNamespace, source))?;
        let path = namespace.path();
        bind(&path, &name.path()).map_err(|source| (AddStep::Bind("/proc/self/ns/net".into()), source))
    })
}

/// Names the namespace that a file holds, such as `/proc/1/ns/net` or [`Namespace::path`].
///
/// # Errors
/// The name is taken, the file is no namespace's, or privilege lacks. Nothing is left of it.
pub fn attach(name: &Name, path: &Path) -> Result<(), AddError> {
    give(name, || bind(path, &name.path()).map_err(|source| (AddStep::Bind(path.to_owned()), source)))
}

/// The proof that [`DIRECTORY`] is ready for names, so that it is looked at once for hundreds of them.
#[derive(Debug)]
pub struct Ready(());

/// Makes [`DIRECTORY`] ready for names.
///
/// # Errors
/// Privilege lacks, or `/run` cannot be written.
pub fn ready(name: &Name) -> Result<Ready, AddError> {
    let error = |(step, source)| AddError { name: name.clone(), step, source };
    ready_directory().map(|()| Ready(())).map_err(error)
}

impl Ready {
    /// Names the namespace that the calling thread is in.
    ///
    /// # Errors
    /// The name is taken, or privilege lacks. Nothing is left of it.
    pub fn name_own(&self, name: &Name) -> Result<(), AddError> {
        give_file(name, || bind(Path::new(OWN), &name.path()).map_err(|source| (AddStep::Bind(OWN.into()), source)))
    }
}

/// Takes a name away; the namespace lives on while a process or a handle holds it.
///
/// # Errors
/// There is no such name, or privilege lacks.
pub fn delete(name: &Name) -> io::Result<()> {
    let path = name.path();
    // A file onto which nothing is bound is what someone left who failed halfway: it goes as well.
    let _ = umount2(&path, MntFlags::MNT_DETACH);
    fs::remove_file(&path)
}

/// Returns all names in the directory's order, as `ip netns` lists them.
///
/// # Errors
/// The directory cannot be read; it is not there (`NotFound`) before the first name is given.
pub fn names() -> io::Result<Vec<Name>> {
    Ok(fs::read_dir(DIRECTORY)?.flatten().map(|entry| Name(entry.file_name())).collect())
}

/// Returns the names that a namespace has, in the directory's order.
///
/// # Errors
/// As [`names`].
pub fn names_of(identity: Identity) -> io::Result<Vec<Name>> {
    let mut names = names()?;
    names.retain(|name| Identity::of(name.path()).is_ok_and(|other| other == identity));
    Ok(names)
}

/// Returns whether a file exists onto which no namespace is bound, as a crash halfway leaves it.
#[must_use]
pub fn is_leftover(name: &Name) -> bool {
    let path = name.path();
    path.exists() && statfs(&path).is_ok_and(|data| data.filesystem_type() != NSFS_MAGIC)
}

/// A name came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was added.
    Added(OsString),
    /// It was deleted.
    Deleted(OsString),
}

/// Tells which names come and go.
#[derive(Debug)]
pub struct Watch(Inotify);

impl Watch {
    /// Begins to watch; makes [`DIRECTORY`] where there is none.
    ///
    /// # Errors
    /// What was tried, and the kernel's answer.
    pub fn start() -> Result<Self, (WatchStep, io::Error)> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC).map_err(|errno| (WatchStep::Init, errno.into()))?;
        make_directory().map_err(|source| (WatchStep::MakeDirectory, source))?;
        inotify
            .add_watch(DIRECTORY, AddWatchFlags::IN_CREATE | AddWatchFlags::IN_DELETE)
            .map_err(|errno| (WatchStep::Watch, errno.into()))?;
        Ok(Self(inotify))
    }

    /// Waits for the next changes.
    ///
    /// # Errors
    /// The watch cannot be read.
    pub fn changes(&mut self) -> io::Result<Vec<Change>> {
        let events = loop {
            match self.0.read_events() {
                Err(Errno::EINTR) => {}
                events => break events?,
            }
        };
        let change = |event: nix::sys::inotify::InotifyEvent| match event.name {
            Some(name) if event.mask.contains(AddWatchFlags::IN_CREATE) => Some(Change::Added(name)),
            Some(name) if event.mask.contains(AddWatchFlags::IN_DELETE) => Some(Change::Deleted(name)),
            _ => None,
        };
        Ok(events.into_iter().filter_map(change).collect())
    }
}

/// The step of [`Watch::start`] that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchStep {
    /// Opening an inotify queue.
    Init,
    /// Making [`DIRECTORY`].
    MakeDirectory,
    /// Watching it.
    Watch,
}

/// Makes the file of a name and lets `fill` bind a namespace onto it; without success the file goes again.
fn give(name: &Name, fill: impl FnOnce() -> Result<(), (AddStep, io::Error)>) -> Result<(), AddError> {
    let error = |(step, source)| AddError { name: name.clone(), step, source };
    ready_directory().map_err(error)?;
    give_file(name, fill)
}

fn give_file(name: &Name, fill: impl FnOnce() -> Result<(), (AddStep, io::Error)>) -> Result<(), AddError> {
    let error = |(step, source)| AddError { name: name.clone(), step, source };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o0).open(name.path());
    drop(file.map_err(|source| error((AddStep::CreateFile, source)))?);
    fill().map_err(|failed| {
        let _ = fs::remove_file(name.path());
        error(failed)
    })
}

fn bind(namespace: &Path, file: &Path) -> io::Result<()> {
    mount(namespace, file, None, MsFlags::MS_BIND)
}

fn make_directory() -> io::Result<()> {
    match DirBuilder::new().mode(0o755).create(DIRECTORY) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Makes [`DIRECTORY`] a mount point whose mounts spread, once, whoever comes first.
fn ready_directory() -> Result<(), (AddStep, io::Error)> {
    make_directory().map_err(|source| (AddStep::MakeDirectory, source))?;
    let directory = File::open(DIRECTORY).map_err(|source| (AddStep::OpenDirectory, source))?;
    // Held until the end. Where locks are not to be had it goes on, as `ip` does: rather a race than nothing.
    let _lock = Flock::lock(directory, FlockArg::LockExclusive);
    let share = || mount("none", DIRECTORY, None, MsFlags::MS_SHARED | MsFlags::MS_REC);
    match share() {
        Err(error) if error.raw_os_error() == Some(nix::libc::EINVAL) => {}
        shared => return shared.map_err(|source| (AddStep::ShareDirectory, source)),
    }
    mount(DIRECTORY, DIRECTORY, None, MsFlags::MS_BIND | MsFlags::MS_REC)
        .map_err(|source| (AddStep::BindDirectory, source))?;
    // It is born into the peer group of the file system around it; private first, then shared anew.
    mount("none", DIRECTORY, None, MsFlags::MS_PRIVATE | MsFlags::MS_REC)
        .map_err(|source| (AddStep::PrivateDirectory, source))?;
    share().map_err(|source| (AddStep::ShareDirectory, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_a_file() {
        for word in [&b"blue"[..], b"...", b"-x", b"a b", b"\xff", &[b'n'; 255]] {
            assert_eq!(Name::parse(word).map(|name| name.as_os_str().as_bytes().to_vec()), Some(word.to_vec()));
        }
        for word in [&b""[..], b".", b"..", b"../x", b"a/b", &[b'n'; 256]] {
            assert_eq!(Name::parse(word), None);
        }
    }

    #[test]
    fn a_path_is_taken_as_it_is() {
        assert_eq!(path_of(OsStr::new("blue")), Path::new("/run/netns/blue"));
        assert_eq!(path_of(OsStr::new("/proc/1/ns/net")), Path::new("/proc/1/ns/net"));
    }
}
