//! What the keeper does: makes namespaces, and stays until no lab is in them.
//!
//! It is vwire itself, started anew: in a session of its own, with nothing open that its starter has. It forks once, to be the
//! first of a namespace of processes; the kernel ends all the others there when that one ends, and lets no signal through to
//! it but SIGKILL, SIGSTOP, and what it holds back: SIGTERM and SIGHUP, which it reads, and ends. What else it waits for is
//! told by inotify: names of namespaces and records that go, and its own file, without which nobody finds it, and it ends as
//! well.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{chdir, dup2_stderr, dup2_stdin, dup2_stdout, setsid};

use super::place::{Place, Process};
use super::{READY, say};
use crate::lab::failed::{Failed, sentence};
use crate::lab::namespace::sandbox::{Run, SandboxError};
use crate::lab::namespace::{self, Sandbox, processes};
use crate::lab::record;
use crate::lab::sys::{Alone, leave_children_to_the_kernel};

/// What it is called in `ps -c` and `top`.
const PROCESS_NAME: &std::ffi::CStr = c"vwire-keeper";
/// The signals that it ends by.
const ENDING: [Signal; 2] = [Signal::SIGTERM, Signal::SIGHUP];
/// How long until it is looked again where that could not be done.
const AGAIN: Duration = Duration::from_secs(1);
/// How often the file is touched: what is not touched for 10 days goes from `/tmp` on many machines, and the XDG Base Directory
/// Specification asks for once in 6 hours.
const TOUCH: Duration = Duration::from_secs(4 * 60 * 60);
/// How long to wait between two tries to be alone: an eighth of the time since the first, and at least, and at most, this.
const TRIES: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(500)];

/// Becomes the keeper that is found in a directory; whoever started it has the right to, and hears the first word.
///
/// Returns the exit code: at once in the process that was started, and at the end in the one that keeps.
#[must_use]
pub fn keep(directory: &Path) -> u8 {
    match begin(directory) {
        Ok(Some((place, own, file))) => {
            watch(&place, own, file);
            0
        }
        Ok(None) => 0,
        Err(failed) => {
            say(&format!("{failed}\n"));
            failed.hints.iter().for_each(|hint| say(&format!("{hint}\n")));
            1
        }
    }
}

/// Makes the namespaces; returns in the first process of them with what it is found by, and in the other with nothing.
fn begin(directory: &Path) -> Result<Option<(Place, Process, File)>, Failed> {
    let failed = |what: &'static str| move |error: io::Error| Failed::new(what).because(&error);
    let _ = (setsid(), chdir("/"), prctl::set_name(PROCESS_NAME));
    // Of no use without who started it; what is forked from it is not bound to that.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    let place = Place::at(directory)?;
    let file = place.file().map_err(failed("cannot open the file to be found by"))?;
    Sandbox::enter_with(Run::AsOutside).map_err(|error| refused(&error))?;
    processes::unshare_children().map_err(|error| {
        Failed::new("cannot make a namespace of processes")
            .because(&error)
            .hint("`sysctl user.max_pid_namespaces` says how many there may be")
    })?;
    let alone = Alone::check().map_err(failed("cannot fork"))?;
    if alone.fork().map_err(failed("cannot fork"))?.is_some() {
        return Ok(None);
    }
    leave_children_to_the_kernel().map_err(failed("cannot leave children to the kernel"))?;
    // `/proc` is the one outside as yet, and shows by which number this process is known there.
    let own = fs::read_link("/proc/self").ok().and_then(|own| own.to_str()?.parse().ok());
    let own = own.ok_or_else(|| Failed::new("/proc does not tell this process's number"))?;
    let found = Process::of(own).and_then(|process| process.write(&file).map(|()| process));
    let own = found.map_err(failed("cannot write the file to be found by"))?;
    // Where a container hides parts of /proc it cannot be mounted anew: then programs see those outside in it.
    let _ = processes::mount_own_proc();
    Ok(Some((place, own, file)))
}

fn refused(error: &SandboxError) -> Failed {
    let cause = error.source.raw_os_error().map_or_else(|| error.source.to_string(), sentence);
    let failed = Failed::new(error.to_string()).because_of(cause);
    let failed = error.hints().into_iter().fold(failed, Failed::hint);
    failed.hint("`sudo vwire up FILE` needs no user namespace")
}

/// What a keeper hears of.
struct Hears {
    changes: Inotify,
    ending: SignalFd,
}

impl Hears {
    fn new(file: &File) -> nix::Result<Self> {
        // Those that nobody holds back do not reach the first process of a namespace of processes.
        let held: SigSet = ENDING.into_iter().collect();
        held.thread_block()?;
        Ok(Self { changes: changes(file)?, ending: SignalFd::with_flags(&held, SfdFlags::SFD_CLOEXEC)? })
    }

    /// Waits for a change, or until the time is over; returns what it was, and nothing for a signal to end.
    fn wait(&self, patience: Duration, for_changes: bool) -> Option<Heard> {
        let changes = if for_changes { PollFlags::POLLIN } else { PollFlags::empty() };
        let ending = PollFd::new(self.ending.as_fd(), PollFlags::POLLIN);
        let mut all = [ending, PollFd::new(self.changes.as_fd(), changes)];
        let patience = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
        match poll(&mut all, patience) {
            Err(Errno::EINTR) => return Some(Heard::Change),
            Ok(0) => return Some(Heard::Nothing),
            Ok(_) => {}
            Err(_) => {
                std::thread::sleep(AGAIN);
                return Some(Heard::Change);
            }
        }
        let [ending, changes] = all.map(|one| one.any().unwrap_or(false));
        if ending {
            return None;
        }
        if changes && self.changes.read_events().is_err() {
            std::thread::sleep(AGAIN);
        }
        Some(Heard::Change)
    }
}

/// Why a keeper looks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Change,
    /// The time is over.
    Nothing,
}

/// Stays until no lab is there, and nobody is on the way, or until it is asked to end.
fn watch(place: &Place, own: Process, file: File) {
    let hears = match Hears::new(&file) {
        Ok(hears) => hears,
        Err(errno) => return say(&format!("cannot watch /run: {}\n", sentence(errno as i32))),
    };
    say(&format!("{READY}\n"));
    let silent = File::options().read(true).write(true).open("/dev/null");
    if let Ok(null) = silent {
        let _ = (dup2_stdin(&null), dup2_stdout(&null), dup2_stderr(&null));
    }
    let mut file = file;
    loop {
        let alone = match alone(file, &hears) {
            Ok(alone) => alone,
            Err(file) => return forget(place, own, &file),
        };
        let patience = match is_empty() {
            Ok(true) => return forget(place, own, &alone),
            Ok(false) => TOUCH,
            Err(_) => AGAIN,
        };
        file = match alone.unlock() {
            Ok(file) => file,
            Err((alone, _)) => return drop(alone),
        };
        match hears.wait(patience, true) {
            None => return forget(place, own, &file),
            Some(Heard::Nothing) => place.touch(&file),
            Some(Heard::Change) => {}
        }
        if !place.tells_of(own, &file) {
            // Nobody finds it any more.
            return;
        }
    }
}

/// Waits until all who are inside, or on the way, have left; gives the file back without its lock where it is asked to end.
fn alone(mut file: File, hears: &Hears) -> Result<Flock<File>, File> {
    let start = Instant::now();
    let [least, most] = TRIES;
    loop {
        file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(alone) => return Ok(alone),
            Err((file, _)) => file,
        };
        if hears.wait((start.elapsed() / 8).clamp(least, most), false).is_none() {
            return Err(file);
        }
    }
}

/// Removes the file, unless it is another's by now.
fn forget(place: &Place, own: Process, file: &File) {
    if place.tells_of(own, file) {
        place.forget();
    }
}

/// Tells when names and records go, or the file by which this process is found.
fn changes(file: &File) -> nix::Result<Inotify> {
    let changes = Inotify::init(InitFlags::IN_CLOEXEC)?;
    for directory in ["/run", namespace::DIRECTORY] {
        changes.add_watch(Path::new(directory), AddWatchFlags::IN_DELETE)?;
    }
    let own = Path::new("/proc/self/fd").join(file.as_raw_fd().to_string());
    let gone = AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_DELETE_SELF | AddWatchFlags::IN_MOVE_SELF;
    changes.add_watch(&own, gone)?;
    Ok(changes)
}

/// Returns whether no lab is here, nor any other namespace that has a name.
///
/// # Errors
/// It cannot be looked, for want of descriptors or memory.
pub(super) fn is_empty() -> io::Result<bool> {
    let has_none = |directory: &str| match fs::read_dir(directory) {
        Ok(mut entries) => entries.next().transpose().map(|entry| entry.is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    };
    Ok(has_none(namespace::DIRECTORY)? && has_none(record::DIRECTORY)?)
}
