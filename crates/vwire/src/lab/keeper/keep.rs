//! What the keeper does: makes namespaces, and stays until no lab is in them.
//!
//! It is vwire itself, started anew: in a session of its own, with nothing open that its starter has. It forks once, to be the
//! first of a namespace of processes; the kernel ends all the others there when that one ends, and lets no signal through to
//! it but SIGKILL and SIGSTOP. What it waits for is told by inotify: names of namespaces and records that go, and its own
//! file, without which nobody finds it, and it ends as well.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::prctl;
use nix::sys::signal::Signal;
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
/// How long until it is looked again where nothing tells of changes.
const PAUSE: Duration = Duration::from_secs(1);

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

/// Stays until no lab is there, and nobody is on the way.
fn watch(place: &Place, own: Process, file: File) {
    let changes = match changes(&file) {
        Ok(changes) => changes,
        Err(errno) => return say(&format!("cannot watch /run: {}\n", sentence(errno as i32))),
    };
    say(&format!("{READY}\n"));
    let silent = File::options().read(true).write(true).open("/dev/null");
    if let Ok(null) = silent {
        let _ = (dup2_stdin(&null), dup2_stdout(&null), dup2_stderr(&null));
    }
    let mut file = file;
    loop {
        // Waits until all who are inside, or on the way, have left.
        let alone = match Flock::lock(file, FlockArg::LockExclusive) {
            Ok(alone) => alone,
            Err((back, _)) => {
                file = back;
                continue;
            }
        };
        if is_empty() {
            if place.tells_of(own, &alone) {
                place.forget();
            }
            return;
        }
        file = match alone.unlock() {
            Ok(file) => file,
            Err((alone, _)) => return drop(alone),
        };
        match changes.read_events() {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => std::thread::sleep(PAUSE),
        }
        if !place.tells_of(own, &file) {
            // Nobody finds it any more.
            return;
        }
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
pub(super) fn is_empty() -> bool {
    let has_none = |directory: &str| fs::read_dir(directory).map_or(true, |mut entries| entries.next().is_none());
    has_none(namespace::DIRECTORY) && has_none(record::DIRECTORY)
}
