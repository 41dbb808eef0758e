//! Where a user's keeper is found: a directory that nobody else can write, with a file that says which process it is.
//!
//! `vwire` in `$XDG_RUNTIME_DIR`, else in `/run/user/UID`, else `/tmp/vwire-UID`. The first two are looked at as well where
//! another session has no `$XDG_RUNTIME_DIR`. Anybody may make the last one: whose it is, is looked at behind opening, and
//! everything in it goes by the open directory.
//!
//! Two locks (`flock(2)`): the directory's, for who starts a keeper; the file's, shared by those who are on the way to it or
//! there, alone by a keeper that ends. A file that was locked is looked at again, as it may have gone meanwhile.
//!
//! A third one, of another kind (`F_OFD_SETLK`), which knows nothing of those, is the keeper's as long as it lives. Its number
//! means somebody else, or nobody, in other namespaces of processes; a lock is the same in all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, FcntlArg, Flock, FlockArg, OFlag, fcntl, openat};
use nix::libc;
use nix::sys::stat::{FchmodatFlags, Mode, fchmod, fchmodat, fstatat, futimens, mkdirat};
use nix::sys::time::TimeSpec;
use nix::unistd::{UnlinkatFlags, geteuid, unlinkat};

use crate::lab::engine::Done;
use crate::lab::failed::Failed;

/// The name of the directory, where the one around it is the user's.
const NAME: &str = "vwire";
/// The name of the file.
const FILE: &str = "keeper";
/// How long to wait between two tries to get a lock.
const PAUSE: Duration = Duration::from_millis(2);

/// Who looks for a keeper, and where that user's files are.
#[derive(Debug, Clone)]
pub struct Person {
    /// The user's number.
    pub uid: u32,
    /// `$XDG_RUNTIME_DIR`.
    pub runtime: Option<PathBuf>,
}

impl Person {
    /// Returns the user that the calling process belongs to.
    #[must_use]
    pub fn caller() -> Self {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        Self { uid: geteuid().as_raw(), runtime }
    }

    /// Returns where the directory may be, the best place first: what is around it, its name, whether anybody may write there.
    fn candidates(&self) -> Vec<(PathBuf, OsString, bool)> {
        let own = PathBuf::from(format!("/run/user/{}", self.uid));
        let mut all: Vec<_> = self.runtime.iter().cloned().map(|around| (around, NAME.into(), false)).collect();
        if self.runtime.as_ref() != Some(&own) {
            all.push((own, NAME.into(), false));
        }
        all.push(("/tmp".into(), format!("{NAME}-{}", self.uid).into(), true));
        all
    }
}

/// The directory of a user's keeper.
#[derive(Debug)]
pub struct Place {
    around: File,
    name: OsString,
    directory: File,
    path: PathBuf,
}

/// The file of a keeper, with its lock.
#[derive(Debug)]
pub struct Held {
    file: Flock<File>,
}

/// A keeper: its number, and when it started, which together are one process for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// The number that it has outside.
    pub pid: u32,
    start: u64,
}

/// Returns the places that are there, each with what is wrong with it if it cannot be trusted.
///
/// Whoever has a directory of their own does not care what somebody has put where anybody may write.
#[must_use]
pub fn all(person: &Person) -> Vec<Done<Option<Place>>> {
    let candidates = person.candidates();
    let has_own =
        candidates.iter().any(|(around, _, shared)| !shared && surroundings(around, person.uid, false).is_some());
    let open = |(around, name, shared): (PathBuf, OsString, bool)| {
        let place = Place::open(&around, &name, person.uid, shared, false);
        if shared && has_own { Ok(place.unwrap_or_default()) } else { place }
    };
    candidates.into_iter().map(open).collect()
}

/// Opens a directory in which the place may be; unless anybody may write there, it is the user's.
fn surroundings(around: &Path, uid: u32, shared: bool) -> Option<File> {
    let around = File::open(around).ok()?;
    let is_own = |data: &fs::Metadata| data.is_dir() && data.uid() == uid && data.mode() & 0o022 == 0;
    (shared || around.metadata().is_ok_and(|data| is_own(&data))).then_some(around)
}

impl Place {
    /// Makes the directory in the best place there is, and opens it.
    ///
    /// # Errors
    /// There is none that nobody else can write.
    pub fn make(person: &Person) -> Done<Self> {
        for (around, name, shared) in person.candidates() {
            if let Some(place) = Self::open(&around, &name, person.uid, shared, true)? {
                return Ok(place);
            }
        }
        Err(Failed::new("there is no directory in which the process that keeps labs could be found: no /tmp")
            .hint("set XDG_RUNTIME_DIR to a directory of your own, with mode 0700"))
    }

    /// Opens the directory by its path.
    ///
    /// # Errors
    /// It is not there, or can be written by others.
    pub fn at(path: &Path) -> Done<Self> {
        let name = path.file_name().unwrap_or_default();
        let around = path.parent().unwrap_or(Path::new("/"));
        // Whoever gives the path has looked at what is around.
        let place = Self::open(around, name, geteuid().as_raw(), true, false)?;
        place.ok_or_else(|| Failed::new(format!("there is no {}", path.display())))
    }

    fn open(around: &Path, name: &std::ffi::OsStr, uid: u32, shared: bool, make: bool) -> Done<Option<Self>> {
        let path = around.join(name);
        let failed = |errno: Errno| Failed::new(format!("cannot open {}", path.display())).because(&errno.into());
        let Some(around) = surroundings(around, uid, shared) else { return Ok(None) };
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        loop {
            let directory = match openat(&around, name, flags, Mode::empty()) {
                Ok(directory) => File::from(directory),
                Err(Errno::ENOENT) if !make => return Ok(None),
                Err(Errno::ENOENT) => match mkdirat(&around, name, Mode::S_IRWXU) {
                    Ok(()) => {
                        // Some umasks close it to its owner. A name of ours is put elsewhere by nobody else.
                        let _ = fchmodat(&around, name, Mode::S_IRWXU, FchmodatFlags::FollowSymlink);
                        continue;
                    }
                    Err(Errno::EEXIST) => continue,
                    Err(errno) => {
                        return Err(Failed::new(format!("cannot make {}", path.display())).because(&errno.into()));
                    }
                },
                Err(Errno::ENOTDIR | Errno::ELOOP) => return Err(not_own(&path, "is no directory")),
                Err(Errno::EACCES) => return Err(not_own(&path, "is closed to you")),
                Err(errno) => return Err(failed(errno)),
            };
            let data = directory.metadata();
            let data =
                data.map_err(|error| Failed::new(format!("cannot look at {}", path.display())).because(&error))?;
            if data.uid() != uid {
                return Err(not_own(&path, &format!("belongs to user {}", data.uid())));
            }
            let mode = data.mode() & 0o7777;
            if mode & 0o077 != 0 {
                return Err(not_own(&path, &format!("has mode {mode:04o}, and so is open to others")));
            }
            return Ok(Some(Self { around, name: name.to_owned(), directory, path }));
        }
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Locks the directory, for who starts a keeper; none if it is not the one by that name any more.
    ///
    /// # Errors
    /// Another process has it, and kept it for as long as was waited.
    pub fn lock_to_start(&self, patience: Duration) -> Done<Option<Flock<File>>> {
        let failed = |error: io::Error| Failed::new(format!("cannot lock {}", self.path.display())).because(&error);
        let directory = self.directory.try_clone().map_err(failed)?;
        // A copy shares its lock with what it was copied from; so it is opened anew.
        let fresh = openat(&directory, ".", OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty());
        let fresh = File::from(fresh.map_err(|errno| failed(errno.into()))?);
        let lock = lock(fresh, FlockArg::LockExclusiveNonblock, patience).map_err(failed)?;
        let Some(lock) = lock else {
            let waited = patience.as_secs();
            return Err(Failed::new(format!("another process has been starting labs for {waited} s and is not done")));
        };
        Ok(is_same(&self.around, &self.name, &lock).then_some(lock))
    }

    /// Takes the shared lock of the file, if there is one.
    ///
    /// # Errors
    /// It cannot be opened, or a keeper that ends does not get there.
    pub fn hold(&self, patience: Duration) -> Done<Option<Held>> {
        let failed =
            |error: io::Error| Failed::new(format!("cannot open {}", self.path.join(FILE).display())).because(&error);
        loop {
            let flags = OFlag::O_RDWR | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let file = match openat(&self.directory, FILE, flags, Mode::empty()) {
                Ok(file) => File::from(file),
                Err(Errno::ENOENT) => return Ok(None),
                Err(errno) => return Err(failed(errno.into())),
            };
            let Some(file) = lock(file, FlockArg::LockSharedNonblock, patience).map_err(failed)? else {
                return Err(Failed::new("the process that keeps your labs is ending, and does not come to its end"));
            };
            if is_same(&self.directory, FILE, &file) {
                return Ok(Some(Held { file }));
            }
        }
    }

    /// Makes the file anew, locked by who starts a keeper; not found where the directory has just gone with a keeper that ended.
    pub(super) fn begin(&self) -> io::Result<Held> {
        // Of one that did not get as far as to say which process it is.
        let _ = unlinkat(&self.directory, FILE, UnlinkatFlags::NoRemoveDir);
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let file = File::from(openat(&self.directory, FILE, flags, mode)?);
        // Whatever the umask: it is opened again.
        fchmod(&file, mode)?;
        let file = Flock::lock(file, FlockArg::LockSharedNonblock).map_err(|(_, errno)| io::Error::from(errno))?;
        Ok(Held { file })
    }

    /// Opens the file for the keeper, with the lock that tells that it lives: until the last copy of it is closed.
    pub(super) fn file(&self) -> io::Result<File> {
        let flags = OFlag::O_RDWR | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = File::from(openat(&self.directory, FILE, flags, Mode::empty())?);
        fcntl(&file, FcntlArg::F_OFD_SETLK(&life()))?;
        Ok(file)
    }

    /// Keeps the file and the directory from what removes what is old in `/tmp`.
    pub(super) fn touch(&self, file: &File) {
        for kept in [file, &self.directory] {
            let _ = futimens(kept, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW);
        }
    }

    /// Returns whether a keeper is still found by its file: that is there, and says so.
    pub(super) fn tells_of(&self, keeper: Process, file: &File) -> bool {
        is_same(&self.directory, FILE, file) && Process::read(file) == Some(keeper)
    }

    /// Removes the file, and the directory with it where nothing else is in it.
    pub fn forget(&self) {
        let _ = unlinkat(&self.directory, FILE, UnlinkatFlags::NoRemoveDir);
        let _ = unlinkat(&self.around, self.name.as_os_str(), UnlinkatFlags::RemoveDir);
    }
}

impl Held {
    /// Reads which process it is; none as long as it is not ready.
    #[must_use]
    pub fn process(&self) -> Option<Process> {
        Process::read(&self.file)
    }

    /// Returns whether the keeper lives, in whatever namespace of processes.
    ///
    /// # Errors
    /// This file system knows no locks.
    pub(super) fn is_kept(&self) -> io::Result<bool> {
        let mut other = life();
        fcntl(&*self.file, FcntlArg::F_OFD_GETLK(&mut other))?;
        Ok(i32::from(other.l_type) != libc::F_UNLCK)
    }
}

impl Process {
    /// Returns the process of that number as it is now.
    ///
    /// # Errors
    /// There is none.
    pub fn of(pid: u32) -> io::Result<Self> {
        start_of(pid).map(|start| Self { pid, start }).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn read(mut file: &File) -> Option<Self> {
        let mut text = String::new();
        file.rewind().ok()?;
        file.take(64).read_to_string(&mut text).ok()?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        Some(Self { pid: words.next()?.parse().ok()?, start: words.next()?.parse().ok()? })
    }

    /// Writes it down.
    pub(super) fn write(self, mut file: &File) -> io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{} {}", self.pid, self.start)
    }

    /// Says that nobody gets to where it is.
    pub(super) fn not_reached(self, error: &io::Error) -> Failed {
        Failed::new(format!("cannot go to where process {} keeps your labs", self.pid)).because(error)
    }

    /// Returns whether it is there still, seen from here: who is in another namespace of processes does not see it.
    #[must_use]
    pub fn is_seen(self) -> bool {
        start_of(self.pid) == Some(self.start)
    }
}

/// Returns the lock of a whole file, which only one can have.
fn life() -> libc::flock {
    let [kind, whence] = [libc::F_WRLCK, libc::SEEK_SET].map(|value| i16::try_from(value).unwrap_or_default());
    libc::flock { l_type: kind, l_whence: whence, l_start: 0, l_len: 0, l_pid: 0 }
}

/// Returns when a process was started, in ticks since boot; none once it has ended.
fn start_of(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    fields.nth(18)?.parse().ok().filter(|_| !matches!(state, "Z" | "X"))
}

/// Takes a lock within a time; none if the time is over.
fn lock(mut file: File, how: FlockArg, patience: Duration) -> io::Result<Option<Flock<File>>> {
    let start = Instant::now();
    loop {
        file = match Flock::lock(file, how) {
            Ok(locked) => return Ok(Some(locked)),
            Err((file, Errno::EWOULDBLOCK | Errno::EINTR)) => file,
            Err((_, errno)) => return Err(errno.into()),
        };
        if start.elapsed() >= patience {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Returns whether a name in a directory is still that of an open file.
fn is_same(directory: &File, name: impl AsRef<std::ffi::OsStr>, file: &File) -> bool {
    let named = fstatat(directory, name.as_ref(), AtFlags::AT_SYMLINK_NOFOLLOW);
    let open = file.metadata();
    named.is_ok_and(|named| open.is_ok_and(|open| (named.st_dev, named.st_ino) == (open.dev(), open.ino())))
}

fn not_own(path: &Path, why: &str) -> Failed {
    let path = path.display();
    Failed::new(format!("{path} {why}: it is not to be trusted with labs of yours"))
        .hint(format!("`ls -ld {path}` shows whose it is; once it is gone, vwire makes it anew"))
        .hint("or set XDG_RUNTIME_DIR to a directory of your own, with mode 0700")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_own_directory_is_better_than_everybodys() {
        let shown = |runtime: Option<&str>| {
            let person = Person { uid: 7, runtime: runtime.map(PathBuf::from) };
            let all = person.candidates().into_iter();
            all.map(|(around, name, _)| around.join(name).display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(shown(None), ["/run/user/7/vwire", "/tmp/vwire-7"]);
        assert_eq!(shown(Some("/run/user/7")), ["/run/user/7/vwire", "/tmp/vwire-7"]);
        assert_eq!(shown(Some("/x")), ["/x/vwire", "/run/user/7/vwire", "/tmp/vwire-7"]);
    }

    #[test]
    fn a_process_is_known_by_its_number_and_its_start() {
        let own = Process::of(std::process::id()).unwrap();
        assert!(own.is_seen());
        assert!(!Process { start: own.start + 1, ..own }.is_seen());
        assert_eq!(Process::parse(&format!("{} {}\n", own.pid, own.start)), Some(own));
        for text in ["", "12", "x y", "12 "] {
            assert_eq!(Process::parse(text), None, "{text}");
        }
    }
}
