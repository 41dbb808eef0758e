//! The small process that waits until the time of a lab on trial is over, and then undoes it.
//!
//! It is vwire itself, started anew: in a session of its own, so that it outlives the terminal, with the signals held
//! back that end sessions, and with nothing open that its starter has. It ends as soon as the lab is confirmed, or gone.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::time::TimeSpec;
use nix::sys::timer::Expiration;
use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::unistd::{chdir, setsid};

use super::{Done, Silent, confirm};
use crate::lab::program::{Environment, Program, Said};
use crate::lab::record::Record;
use crate::lab::signals::Held;

/// The name of the file that has what it said.
pub const LOG: &str = "confirm.log";
/// How often it tries to undo.
const TRIES: usize = 10;
/// How long it waits between two tries.
const PAUSE: Duration = Duration::from_secs(3);

/// Starts vwire as the process that waits; `words` are those behind the program's name.
///
/// # Errors
/// There are too many processes, or the record cannot be written.
pub fn start(record: &Record, words: &[&str]) -> io::Result<()> {
    let log = File::create(record.path_of(LOG))?;
    Program::start_self(words, &Said::Into(log), Environment::AsHere).map(drop)
}

/// Waits, and undoes what is not confirmed in time.
///
/// # Errors
/// Not all could be undone, however often it was tried.
pub fn run(lab: &str) -> Done<()> {
    let _held = Held::hold();
    // Nobody's child: what ends the session that it comes from does not end it, and it keeps no directory busy.
    let _ = (setsid(), chdir("/"), nix::sys::prctl::set_name(c"vwire-confirm"));
    let record = Record::of(lab);
    let mut tries = 0;
    loop {
        // Watched before it is looked, so that nothing comes in between.
        let watched = watch(&record);
        let Some(until) = confirm::until(&record) else { return Ok(()) };
        if confirm::left(&record).is_some_and(|left| !left.is_zero()) {
            let waited = watched.and_then(|watched| wait(&watched, until));
            if waited.is_err() {
                std::thread::sleep(PAUSE);
            }
            continue;
        }
        tries += 1;
        match confirm::settle(lab, &mut Silent) {
            Ok(_) => return Ok(()),
            Err(failed) if tries == TRIES => return Err(failed),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

fn watch(record: &Record) -> nix::Result<Inotify> {
    let watched = Inotify::init(InitFlags::IN_CLOEXEC)?;
    watched.add_watch(&record.path_of(""), AddWatchFlags::IN_DELETE | AddWatchFlags::IN_MOVED_TO)?;
    Ok(watched)
}

/// Waits until files of the record come or go, or the time has come.
fn wait(watched: &Inotify, until: Duration) -> nix::Result<()> {
    let timer = TimerFd::new(ClockId::CLOCK_BOOTTIME, TimerFlags::TFD_CLOEXEC)?;
    timer.set(Expiration::OneShot(TimeSpec::from(until)), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
    let mut either = [PollFd::new(watched.as_fd(), PollFlags::POLLIN), PollFd::new(timer.as_fd(), PollFlags::POLLIN)];
    poll(&mut either, PollTimeout::NONE).map(drop)
}
