//! What is kept on disk of a lab: its file as applied, the journal of what is being done, and a lock.
//!
//! `/run/vwire/labs/NAME`; gone with the machine's memory, as the lab is. The lock is an `flock` on a file inside:
//! whoever removes the directory holds it, so who waited for it looks whether the file is still the one by that name.
//! A file is written beside and then renamed, so that each is whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::namespace::processes;

/// Where all labs' directories are.
pub const DIRECTORY: &str = "/run/vwire/labs";
/// How long to wait between two tries to get a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// The name of the directory of the machine itself; no lab's has a dot.
const HOST: &str = ".host";
/// How much the end of a file is.
const END: u64 = 64 << 10;
/// The name of the lock.
const LOCK: &str = "lock";

/// The directory of one lab.
#[derive(Debug, Clone)]
pub struct Record {
    path: PathBuf,
}

/// The right to change a lab, as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: Flock<File>,
}

/// Who is told which process has the lock, as long as it is waited for.
pub type Waits<'a> = &'a mut dyn FnMut(Option<u32>) -> ControlFlow<()>;

/// A lock could not be had.
#[derive(Debug)]
pub enum LockError {
    /// Another process has it, and kept it for as long as was waited.
    Taken {
        /// The process, where it said so.
        pid: Option<u32>,
    },
    /// The directory or the file cannot be made.
    Failed(io::Error),
    /// Who waits does not want to any more.
    GivenUp,
}

impl Record {
    /// Returns the directory of a lab.
    #[must_use]
    pub fn of(lab: &str) -> Self {
        Self { path: Path::new(DIRECTORY).join(lab) }
    }

    /// Returns the one of the machine itself, whose lock whoever changes the machine holds.
    #[must_use]
    pub fn of_host() -> Self {
        Self::of(HOST)
    }

    /// Returns what the lab's file is read as: one that says no name is called as its lab was when it came.
    #[must_use]
    pub fn file_name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}.toml")
    }

    /// Returns the names of all labs that have one.
    #[must_use]
    pub fn labs() -> Vec<String> {
        let entries = fs::read_dir(DIRECTORY).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name != HOST).collect();
        names.sort();
        names
    }

    /// Takes the lock, and waits for it up to a bound; `waits` is called again and again then, and may give up.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn lock(&self, patience: Duration, waits: Waits<'_>) -> Result<Lock, LockError> {
        let start = Instant::now();
        loop {
            match fs::create_dir_all(&self.path).and_then(|()| self.try_lock()) {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) => {}
                // Whoever had the last lab is just taking the directories away.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    self.remove_empty();
                    return Err(LockError::Failed(error));
                }
            }
            let pid = self.read(LOCK).filter(|_| !processes::are_a_keepers());
            let pid = pid.and_then(|text| text.trim().parse().ok());
            if start.elapsed() >= patience {
                return Err(LockError::Taken { pid });
            }
            if waits(pid).is_break() {
                return Err(LockError::GivenUp);
            }
            std::thread::sleep(LOCK_PAUSE);
        }
    }

    /// Returns the lock if it is free and its file still the one by that name.
    fn try_lock(&self) -> io::Result<Option<Lock>> {
        let path = self.path.join(LOCK);
        let file = match OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path) {
            Ok(file) => file,
            // The directory went in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let inode = file.metadata()?.ino();
        let file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => file,
            Err((_, Errno::EWOULDBLOCK)) => return Ok(None),
            Err((_, errno)) => return Err(errno.into()),
        };
        if !fs::metadata(&path).is_ok_and(|now| now.ino() == inode) {
            return Ok(None);
        }
        // Only those who wait are told by it whom they wait for.
        let _ = file.set_len(0).and_then(|()| writeln!(&*file, "{}", std::process::id()));
        Ok(Some(Lock { _file: file }))
    }

    /// Returns whether another process has the lock now.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        let held = File::open(self.path.join(LOCK)).map(|file| Flock::lock(file, FlockArg::LockSharedNonblock));
        matches!(held, Ok(Err((_, Errno::EWOULDBLOCK))))
    }

    /// Reads a file as text.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path.join(name)).ok()
    }

    /// Reads a file.
    #[must_use]
    pub fn read_bytes(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.path.join(name)).ok()
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// The disk is full, or privilege lacks.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let beside = self.path.join(format!("{name}.new"));
        let mut file = File::create(&beside)?;
        file.write_all(content)?;
        file.sync_data()?;
        fs::rename(beside, self.path.join(name))
    }

    /// Writes behind what a file holds.
    ///
    /// # Errors
    /// As [`Self::write`]; a part of it may be written then.
    pub fn append(&self, name: &str, content: &[u8]) -> io::Result<()> {
        OpenOptions::new().append(true).open(self.path.join(name))?.write_all(content)
    }

    /// Returns the end of a file, as text whatever it holds.
    #[must_use]
    pub fn read_end(&self, name: &str) -> Option<String> {
        let mut file = File::open(self.path.join(name)).ok()?;
        let size = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(END))).ok()?;
        let mut end = Vec::new();
        file.take(END).read_to_end(&mut end).ok()?;
        Some(String::from_utf8_lossy(&end).into_owned())
    }

    /// Returns the names of all files.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// Removes a file; one that is not there is removed already.
    pub fn remove(&self, name: &str) {
        let _ = fs::remove_file(self.path.join(name));
    }

    /// Removes the directory with all that is in it, the lock last.
    pub fn remove_all(&self) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if entry.file_name() != LOCK {
                let _ = fs::remove_file(entry.path());
            }
        }
        self.remove(LOCK);
        self.remove_empty();
    }

    /// Removes what a process that was killed left of a directory in which nothing is kept but the lock.
    pub fn sweep(&self) {
        if self.exists()
            && let Ok(Some(_lock)) = self.try_lock()
        {
            self.remove_all();
        }
    }

    /// Removes the directories in which nothing is.
    fn remove_empty(&self) {
        let _ = fs::remove_dir(&self.path);
        // Whatever other lab is there keeps these.
        let _ = fs::remove_dir(DIRECTORY);
        let _ = fs::remove_dir("/run/vwire");
    }

    /// Returns the path of a file in it.
    #[must_use]
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Returns whether there is one.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path.is_dir()
    }
}
