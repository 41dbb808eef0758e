//! The keeper: the one small process in which the labs of an ordinary user live, and how others get to where it is.
//!
//! ```text
//! vwire up ── starts ──> keeper: users, mounts, network and processes of its own; /run/netns and the records of labs in it
//!    │                                       ^
//!    └── goes in, as each verb does: setns, then fork ──> the verb itself, as root of the keeper's namespaces
//! ```
//!
//! Inside, the engine is as it is for root: nothing of it knows. Outside stays the process that was called ([`attend`]): it
//! hands signals and the exit code through, since only a child can be among the keeper's processes. Those are a namespace of
//! their own so that the end of the keeper, however it comes, is the end of all that labs have running.
//!
//! The keeper is found by a file ([`place`]): its number, and when it started. Every verb holds that file's lock, shared, as
//! long as it is inside; the keeper ends when no lab is left, and only while it holds the lock alone ([`keep`]). So none
//! ends that somebody is on the way to. Whoever may start one locks the directory: there is one keeper, however many ask.

pub mod attend;
pub mod keep;
pub mod place;

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::chdir;

use super::capability::{self, Capability};
use super::engine::Done;
use super::failed::Failed;
use super::namespace::{Whereabouts, processes};
use super::program::{Environment, Program, Said};
use super::sys::{Alone, process_handle};
use attend::{End, Terminal};
use place::{Held, Person, Place, Process};

/// The word that the keeper says when it is ready; anything else is why it is not.
pub const READY: &str = "ready";
/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(2);
/// How long others that start a keeper, or end one, are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a process that goes in keeps the keeper from ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// Until its end: it looks at labs, or changes them.
    Verb,
    /// Not at all: it becomes a program in a node, which goes with its lab's keeper.
    Program,
    /// As a program; it is a shell, which has jobs of its own.
    Shell,
}

/// On which side of the way in a process finds itself.
#[derive(Debug)]
pub enum Side {
    /// Inside: a new process, and root there.
    Inside,
    /// Outside still, after the one inside has ended.
    Outside(End),
    /// Outside: this user has no keeper.
    Nowhere {
        /// There was one, and it was ended from outside: its labs are gone.
        was_killed: bool,
    },
}

/// Returns whether the caller can do nothing with labs but where a keeper is.
#[must_use]
pub fn is_needed() -> bool {
    ![Capability::SysAdmin, Capability::NetAdmin].into_iter().all(capability::has)
}

/// Goes to where the caller's keeper is, if there is one; `warn` hears where a verb finds another working directory there.
///
/// # Errors
/// It cannot be entered, or the place where it is looked for is not to be trusted; or a program's working directory is not
/// seen there.
pub fn go_in(stay: Stay, warn: &mut dyn FnMut(&str)) -> Done<Side> {
    let (mut was_killed, mut refused) = (false, None);
    for place in place::all(&Person::caller()) {
        match place.and_then(|place| place.map_or(Ok(Found::Nothing), |place| find(&place))) {
            Ok(Found::Alive(alive)) => return enter(alive, stay, warn),
            Ok(Found::Dead) => was_killed = true,
            Ok(Found::Nothing) => {}
            Err(failed) => refused = Some(failed),
        }
    }
    match refused {
        Some(failed) if !was_killed => Err(failed),
        _ => Ok(Side::Nowhere { was_killed }),
    }
}

/// Goes to where the caller's keeper is, and starts one where there is none; `words` make this very program the keeper,
/// with the directory behind them, and `warn` hears what became of a former one.
///
/// # Errors
/// This machine forbids it, and which setting does; or there is no place for it that can be trusted.
pub fn start_and_go_in(words: &[&str], warn: &mut dyn FnMut(&str)) -> Done<Side> {
    // One that was started where another session looks first.
    for place in place::all(&Person::caller()).into_iter().flatten().flatten() {
        match find(&place) {
            Ok(Found::Alive(alive)) => return enter(alive, Stay::Verb, warn),
            Ok(Found::Dead) => warn(LOST),
            Ok(Found::Nothing) => {}
            // Another one would be one too many.
            Err(failed) => return Err(failed),
        }
    }
    loop {
        let place = Place::make(&Person::caller())?;
        let Some(starting) = place.lock_to_start(PATIENCE)? else { continue };
        match find(&place)? {
            Found::Alive(alive) => {
                drop(starting);
                return enter(alive, Stay::Verb, warn);
            }
            Found::Dead => {
                warn(LOST);
                place.forget();
                continue;
            }
            Found::Nothing => {}
        }
        let held = match place.begin() {
            Ok(held) => held,
            // A keeper that ends has just taken the directory along.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Failed::new(NOT_STARTED).because(&error)),
        };
        let alive = start(&place, held, words).inspect_err(|_| place.forget())?;
        drop(starting);
        return enter(alive, Stay::Verb, warn);
    }
}

/// What is said where a keeper was killed.
pub const LOST: &str = "the process that kept your labs was killed, and they went with it";

/// What was found in a place.
enum Found {
    /// A keeper, which does not end by itself as long as this is held.
    Alive(Alive),
    /// The file of one that is dead.
    Dead,
    /// Nothing, or one that is not ready yet.
    Nothing,
}

/// A keeper that is there, and the way to where it is.
struct Alive {
    held: Held,
    process: Process,
    whereabouts: Whereabouts,
}

impl Alive {
    /// Opens the way; none where the keeper is dead.
    fn find(held: Held, process: Process) -> Done<Result<Self, Held>> {
        let start = Instant::now();
        let Process { pid, .. } = process;
        loop {
            // In this order: one that is seen no more because it has ended has no lock any more, either.
            let is_seen = process.is_seen();
            match (is_seen, held.is_kept().map_err(|error| process.not_reached(&error))?) {
                (true, true) => match Whereabouts::of(pid) {
                    // Looked at behind those: they are the process's that was meant, and not those of one that got its number.
                    Ok(whereabouts) if process.is_seen() => return Ok(Ok(Self { held, process, whereabouts })),
                    Err(error) if error.kind() != io::ErrorKind::NotFound && process.is_seen() => {
                        return Err(process.not_reached(&error));
                    }
                    _ => {}
                },
                (false, true) => {
                    return Err(Failed::new("the process that keeps your labs is in another namespace of processes")
                        .hint("call vwire outside: in a terminal that is in no node and in no container"));
                }
                // One that was killed is there until all in it have ended.
                (true, false) => {}
                (false, false) => return Ok(Err(held)),
            }
            if start.elapsed() > PATIENCE {
                let what = format!("process {pid}, which kept your labs, was killed and does not come to its end");
                return Err(Failed::new(what));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

fn find(place: &Place) -> Done<Found> {
    let Some(held) = place.hold(PATIENCE)? else { return Ok(Found::Nothing) };
    let Some(process) = held.process() else { return Ok(Found::Nothing) };
    match Alive::find(held, process)? {
        Ok(alive) => Ok(Found::Alive(alive)),
        Err(held) => {
            drop(held);
            // Not while somebody starts one anew, who tidies up by himself, or has done so.
            if let Ok(Some(_starting)) = place.lock_to_start(Duration::ZERO) {
                let still = place.hold(Duration::ZERO)?.filter(|held| held.process().is_some());
                if still.is_some_and(|held| matches!(held.is_kept(), Ok(false))) {
                    place.forget();
                }
            }
            Ok(Found::Dead)
        }
    }
}

/// What is said where none can be started.
const NOT_STARTED: &str = "cannot start the process that keeps labs";

/// Starts a keeper; whoever calls has the right to.
fn start(place: &Place, held: Held, words: &[&str]) -> Done<Alive> {
    let failed = |error: io::Error| Failed::new(NOT_STARTED).because(&error);
    let (says, said) = io::pipe().map_err(failed)?;
    let path = place.path().to_string_lossy().into_owned();
    let said = Said::Errors(File::from(OwnedFd::from(said)));
    let words = [words, &[path.as_str()]].concat();
    let mut program = Program::start_self(&words, &said, Environment::Empty).map_err(failed)?;
    drop(said);
    let Some(text) = first_word(says).map_err(failed)? else {
        program.kill();
        let waited = PATIENCE.as_secs();
        return Err(Failed::new(format!(
            "the process that keeps labs has been starting for {waited} s and is not done"
        )));
    };
    // What was started has started the keeper, and ends.
    program.wait();
    let mut lines = text.lines();
    match lines.next() {
        Some(READY) => {
            let gone = || Failed::new("the process that keeps labs has ended at once");
            let process = held.process().ok_or_else(gone)?;
            Alive::find(held, process)?.map_err(|_| gone())
        }
        Some(why) => Err(lines.fold(Failed::new(why), |failed, hint| failed.hint(hint))),
        None => Err(Failed::new("the process that keeps labs has ended before it said a word")),
    }
}

/// Returns what a keeper says: that it is ready, or all lines of why it is not; none if it does not come to that in time.
fn first_word(mut says: io::PipeReader) -> io::Result<Option<String>> {
    let (start, mut text) = (Instant::now(), Vec::new());
    let mut part = [0; 1024];
    while text.strip_suffix(b"\n") != Some(READY.as_bytes()) {
        let left = PollTimeout::try_from(PATIENCE.saturating_sub(start.elapsed())).unwrap_or(PollTimeout::ZERO);
        match poll(&mut [PollFd::new(says.as_fd(), PollFlags::POLLIN)], left) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        match says.read(&mut part)? {
            0 => break,
            read => text.extend_from_slice(part.get(..read).unwrap_or_default()),
        }
    }
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

/// Says that a keeper is ready, or why it is not, to who has started it.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Goes to where a keeper is: this process outside, its child inside.
fn enter(alive: Alive, stay: Stay, warn: &mut dyn FnMut(&str)) -> Done<Side> {
    let Alive { held, process, whereabouts } = alive;
    let failed = |error: io::Error| process.not_reached(&error);
    let alone = Alone::check().map_err(failed)?;
    let keeper = process_handle(process.pid).ok();
    let directory = Directory::working();
    let terminal = Terminal::of_foreground(stay);
    let signals = attend::hold().map_err(failed)?;
    whereabouts.enter().map_err(failed)?;
    signals.let_through();
    match alone.fork().map_err(failed)? {
        Some(child) => {
            let held = (stay == Stay::Verb).then_some(held);
            Ok(Side::Outside(attend::attend(child, &signals, keeper, terminal, held)))
        }
        None => {
            // Whoever ends the process that was called ends this one.
            let _ = prctl::set_pdeathsig(Signal::SIGKILL);
            if let Some(terminal) = terminal {
                terminal.begin_inside();
            }
            if stay != Stay::Verb {
                signals.ignore_children_again();
            }
            signals.release();
            processes::become_a_keepers();
            // Open until this process ends or becomes another program, and so locked as long as either holds it.
            std::mem::forget(held);
            match (directory.enter(), stay) {
                // A program would do there what was meant for elsewhere.
                (Err(failed), Stay::Program | Stay::Shell) => return Err(failed),
                (Err(failed), Stay::Verb) => warn(&failed.to_string()),
                (Ok(()), _) => {}
            }
            Ok(Side::Inside)
        }
    }
}

/// A working directory, which has the same path where a keeper is, if it is seen there.
struct Directory {
    path: PathBuf,
    /// The device and the number by which it is the same.
    own: Option<(u64, u64)>,
}

impl Directory {
    fn working() -> Self {
        Self { path: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")), own: Self::identity() }
    }

    fn identity() -> Option<(u64, u64)> {
        std::fs::metadata(".").ok().map(|data| (data.dev(), data.ino()))
    }

    fn enter(&self) -> Done<()> {
        if chdir(&self.path).is_ok() && self.own.is_some() && Self::identity() == self.own {
            return Ok(());
        }
        let _ = chdir("/");
        let path = self.path.display();
        Err(Failed::new(format!("{path} is not seen where your labs are: it was mounted or made later"))
            .hint("`cd` to a directory that is seen there; labs that are brought up anew see it, once all are down"))
    }
}
