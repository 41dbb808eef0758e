//! The process that stays outside while its child is where a keeper is: signals and the end go through it.
//!
//! What a terminal sends reaches the child as well, which is in the same group; what `kill(1)` sends reaches only this
//! process, and is handed on. Where the child is stopped, this process stops, so that a shell sees its job stopped.
//!
//! A shell cannot go by a group that began outside: it is told the number 0 for it, and can give the terminal back to no
//! such group when it ends. So it has a group of its own, which begins inside, and this process hands the terminal to it
//! whenever it is handed to this one. What a terminal sends then reaches the child alone, and is handed on the other way:
//! this process stops, and ends, as the child does. See [`Terminal`].

use std::io::{self, IsTerminal};
use std::iter;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, killpg, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::WaitPidFlag;
use nix::unistd::{Pid, getpgrp, getpid, setpgid, tcgetpgrp, tcsetpgrp};

use super::place::Held;
use super::{Stay, keep};
use crate::lab::signals::exit_of;
use crate::lab::sys::{self, look_at_child, process_handle};

/// The signals that are handed on.
const HANDED_ON: [Signal; 7] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGCONT,
];
/// Those that are held back beside, and not handed on: a terminal's stop, which the child has as well, and what writing to
/// a terminal in the background gives.
const HELD_BACK: [Signal; 3] = [Signal::SIGCHLD, Signal::SIGTSTP, Signal::SIGTTOU];
/// How long the end of a keeper that has no lab any more is waited for.
const END_PATIENCE: Duration = Duration::from_secs(5);
/// How many milliseconds a keeper may take to its end behind that of the last process in it: it comes last.
const LAST: u16 = 200;
/// How many milliseconds pass until it is looked whether that keeper has been given another lab.
const PAUSE: u16 = 10;

/// How often a process stops for want of the foreground.
const STOPS: usize = 16;

/// How the process inside ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With an exit code.
    Exited(u8),
    /// By a signal, which this process has survived: the exit code that shells have for it.
    Signaled(u8),
    /// With the keeper, and all that was in it.
    Lost,
}

/// Signals that are held back, for who attends.
#[derive(Debug)]
pub struct Signals {
    arrive: SignalFd,
    held: SigSet,
    before: SigSet,
    ignores_children: bool,
}

/// Holds the signals back from this process, and from its child until it [releases](Signals::release) them.
///
/// # Errors
/// No more descriptors may be open.
pub fn hold() -> io::Result<Signals> {
    let held: SigSet = HANDED_ON.into_iter().chain(HELD_BACK).collect();
    let before = held.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let arrive = SignalFd::with_flags(&held, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    // Who started this process may not have cared for children, of whom nothing would be heard then.
    let ignores_children = sys::keep_children_that_end()?;
    Ok(Signals { arrive, held, before, ignores_children })
}

impl Signals {
    /// Lets signals through as before.
    pub fn release(&self) {
        let _ = self.before.thread_set_mask();
    }

    /// Lets those through that have come: as long as there is no child, they are for this process, and most end it.
    pub(super) fn let_through(&self) {
        self.release();
        let _ = self.held.thread_block();
    }

    /// Stops this process, as its child is; by the terminal's stop if that was the child's, which the kernel takes for
    /// nothing where no shell could let this process go on.
    fn stop(&self, by_the_terminal: bool) {
        if by_the_terminal {
            let stop: SigSet = iter::once(Signal::SIGTSTP).collect();
            let _ = (raise(Signal::SIGTSTP), stop.thread_unblock(), stop.thread_block());
        } else {
            let _ = raise(Signal::SIGSTOP);
        }
    }

    /// Leaves children to the kernel for what this process becomes, if it was so before.
    pub(super) fn ignore_children_again(&self) {
        if self.ignores_children {
            let _ = sys::leave_children_to_the_kernel();
        }
    }
}

/// The terminal in whose foreground this process began.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    group: Pid,
    /// Whether the child has a group of its own.
    is_apart: bool,
    /// Whether the terminal is still, or again, with this process, its child, and what that has started.
    is_ours: bool,
}

impl Terminal {
    /// Returns it, if this process is in the foreground of one.
    #[must_use]
    pub fn of_foreground(stay: Stay) -> Option<Self> {
        let group = getpgrp();
        let stdin = io::stdin();
        (stdin.is_terminal() && tcgetpgrp(&stdin) == Ok(group)).then_some(Self {
            group,
            is_apart: is_apart(stay, group),
            is_ours: true,
        })
    }

    /// Begins the child's own group, if it is to have one, and hands the terminal to it; in the child, before it is anything
    /// else. Who is not in the foreground may do that as long as it holds SIGTTOU back.
    pub(super) fn begin_inside(self) {
        let own = getpid();
        if self.is_apart && setpgid(own, own).is_ok() {
            let _ = tcsetpgrp(io::stdin(), own);
        }
    }

    /// Begins it from outside as well, so that it is there whoever of the two comes first.
    fn begin_outside(self, child: Pid) {
        if self.is_apart {
            // Refused once the child has become a program, which has its group by then.
            let _ = setpgid(child, child);
        }
    }

    /// Looks, behind a stop, whether a shell has given the terminal to this process again, and hands it on.
    fn goes_on(&mut self, child: Pid) {
        match tcgetpgrp(io::stdin()) {
            Ok(group) if group == self.group => {
                self.is_ours = true;
                if self.is_apart {
                    let _ = tcsetpgrp(io::stdin(), child);
                }
            }
            _ => {}
        }
    }

    /// Takes the foreground back from a shell that ended: it could not name who had it before, outside.
    fn take_back(self) {
        if self.is_ours {
            let _ = tcsetpgrp(io::stdin(), self.group);
        }
    }
}

/// Returns whether a child is to have a group of its own: a shell is, and any other program that a shell with jobs started
/// alone. In a pipeline, or in a script, the others of the group are to hear what the terminal sends.
fn is_apart(stay: Stay, group: Pid) -> bool {
    let is_alone = || getpid() == group && io::stdout().is_terminal() && io::stderr().is_terminal();
    match stay {
        Stay::Verb => false,
        Stay::Program => is_alone(),
        Stay::Shell => true,
    }
}

/// Stops this process, as shells do, until it is in the foreground of its terminal; does nothing where it has none.
///
/// A shell that is among other processes cannot see that itself: of what is outside, it is told the number 0, for its own
/// group and for the one in the foreground alike.
pub fn wait_for_foreground() {
    let stdin = io::stdin();
    let is_behind = || stdin.is_terminal() && tcgetpgrp(&stdin).is_ok_and(|group| group != getpgrp());
    // Where nobody could let it go on (an orphaned group), or the signal is ignored, nothing stops it.
    for _ in 0..STOPS {
        if !is_behind() {
            return;
        }
        let _ = kill(Pid::from_raw(0), Signal::SIGTTIN);
    }
}

/// Waits for the end of the child; then, if no lab is left, for the end of the keeper.
pub(super) fn attend(
    child: Pid,
    signals: &Signals,
    keeper: Option<OwnedFd>,
    mut terminal: Option<Terminal>,
    held: Option<Held>,
) -> End {
    if let Some(terminal) = terminal {
        terminal.begin_outside(child);
    }
    let end = wait(child, signals, terminal.as_mut());
    if let Some(terminal) = terminal {
        terminal.take_back();
    }
    let stays = held.is_some();
    drop(held);
    if let (true, Some(keeper)) = (stays, &keeper) {
        see_off(keeper);
    }
    let signal = match (end.and_then(|end| end.code()), end.and_then(|end| end.signal())) {
        (_, Some(signal)) => signal,
        (Some(code), None) => return End::Exited(u8::try_from(code).unwrap_or(u8::MAX)),
        (None, None) => return End::Exited(1),
    };
    if signal == libc::SIGKILL && keeper.is_some_and(|keeper| has_ended(&keeper, LAST)) {
        return End::Lost;
    }
    signals.release();
    end_by(signal);
    End::Signaled(exit_of(signal))
}

/// Waits until the child has ended; none where nobody can tell how.
fn wait(child: Pid, signals: &Signals, mut terminal: Option<&mut Terminal>) -> Option<ExitStatus> {
    let is_apart = terminal.as_ref().is_some_and(|terminal| terminal.is_apart);
    // Who has a group of its own hears nothing that was sent to this one's.
    let hears = |code| is_apart || is_from_a_process(code);
    let send = |signal| if is_apart { killpg(child, signal) } else { kill(child, signal) };
    // Beside the signal that tells of its end, which tells of stops as well.
    let handle = u32::try_from(child.as_raw()).ok().and_then(|pid| process_handle(pid).ok());
    loop {
        match look_at_child(child, WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED) {
            Ok(Some(changed)) if changed.stopped_signal().is_some() => {
                if let Some(terminal) = terminal.as_mut() {
                    terminal.is_ours = false;
                }
                signals.stop(is_apart && changed.stopped_signal() == Some(libc::SIGTSTP));
                if let Some(terminal) = terminal.as_mut() {
                    terminal.goes_on(child);
                }
                let _ = send(Signal::SIGCONT);
                continue;
            }
            Ok(Some(ended)) => return Some(ended),
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Nobody's child but ours: it has ended.
            Err(_) => return None,
        }
        let arrived = PollFd::new(signals.arrive.as_fd(), PollFlags::POLLIN);
        let ended = handle.as_ref().map(|handle| PollFd::new(handle.as_fd(), PollFlags::POLLIN));
        let mut news: Vec<PollFd<'_>> = [Some(arrived), ended].into_iter().flatten().collect();
        let _ = poll(&mut news, PollTimeout::NONE);
        let Ok(Some(arrived)) = signals.arrive.read_signal() else { continue };
        let signal = i32::try_from(arrived.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok());
        if let Some(signal) = signal.filter(|signal| HANDED_ON.contains(signal))
            && hears(arrived.ssi_code)
        {
            if let (Signal::SIGCONT, Some(terminal)) = (signal, terminal.as_mut()) {
                terminal.goes_on(child);
            }
            let _ = if signal == Signal::SIGCONT { send(signal) } else { kill(child, signal) };
        }
    }
}

/// Returns whether a signal was sent by a process, to this one: what the kernel sends for a terminal goes to the whole group.
fn is_from_a_process(code: i32) -> bool {
    code <= libc::SI_USER
}

/// Waits for the end of a keeper, as long as no lab is there.
fn see_off(keeper: &OwnedFd) {
    let start = Instant::now();
    while matches!(keep::is_empty(), Ok(true)) && start.elapsed() < END_PATIENCE && !has_ended(keeper, PAUSE) {}
}

/// Returns whether a process has ended, within so many milliseconds.
fn has_ended(process: &OwnedFd, within: u16) -> bool {
    let mut ended = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    poll(&mut ended, PollTimeout::from(within)).is_ok_and(|ready| ready > 0)
}

/// Ends this process by the signal that ended its child, so that who waits for it sees the same; without a core of its own.
fn end_by(signal: i32) {
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    sys::raise(signal);
}
