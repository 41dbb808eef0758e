//! The process that holds a scoped lab: how it is made, spoken to, and ended.
//!
//! ```text
//! the test ── fork ──> keeper: network, mounts, /run and, without root, users of its own; it only waits
//!    │                    └── fork ──> holder: the first of a namespace of processes
//!    └── control socket ──────────────────┘  └── programs that run in nodes
//! ```
//!
//! The kernel gives a user namespace only to a process with one thread, and a test has many; hence the first fork. Hence
//! the second: who is first among processes of its own takes all others along when it ends, whatever ends it. The holder
//! ends when nobody has the other end of the control socket any more, so the lab goes with its guard, and with the test
//! however that ends. The keeper's death ends the holder (`PR_SET_PDEATHSIG`).
//!
//! Over the control socket come connections, each for one question or one program. What is asked is in
//! [`message`](super::message), how it is answered in [`serve`](super::serve), what a fork may do in [`sys`].

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::Child;
use std::sync::Mutex;
use std::time::Duration;

use nix::poll::PollTimeout;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, Shutdown, SockFlag, SockType, shutdown, socketpair};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::setsid;

use super::channel::{Channel, readable_within, send};
use super::error::Error;
use super::message::{Answer, Request};
use super::{serve, sys};
use crate::lab::namespace::sandbox::SandboxError;
use crate::lab::namespace::{Sandbox, processes};
use crate::lab::sys::process_handle;

/// How long the first word of the holder may take: milliseconds, and more on a machine that is very busy.
const HELLO_PATIENCE: Duration = Duration::from_secs(20);
/// How often it is tried, since a fork may come at a bad moment.
const TRIES: usize = 2;
/// How long the processes of a lab may take to end before they are killed.
const END_PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer over the control socket, in bytes.
const HELLO_LENGTH: usize = 4096;
/// What both processes are called in `ps -c` and `top`.
const PROCESS_NAME: &std::ffi::CStr = c"vwire-lab";

/// The process that holds a scoped lab, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Keeper {
    control: OwnedFd,
    process: Mutex<Child>,
}

impl Keeper {
    /// Starts the process.
    ///
    /// # Errors
    /// The process cannot be made, or may not have networks of its own: then the setting that forbids it is named.
    pub(super) fn start() -> Result<Self, Error> {
        for _ in 0..TRIES {
            let keeper = Self::fork().map_err(|error| Error::because("cannot start a process for the lab", &error))?;
            let greeted = keeper.greeted().map_err(|error| Error::because("cannot hear the lab's process", &error))?;
            if let Some(answer) = greeted {
                return Error::take(Some(answer)).map(|_| keeper);
            }
            keeper.kill();
        }
        let waited = HELLO_PATIENCE.as_secs();
        Err(Error::new(format!("the lab's process has not said a word within {waited} s, in {TRIES} tries")).hint(
            "an allocator that cannot go on after fork(2), or a thread that sets environment variables, stops it",
        ))
    }

    fn fork() -> io::Result<Self> {
        let (control, other) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        // Never 0, 1 or 2, which the child has other uses for.
        let other = other.try_clone()?;
        let process = Mutex::new(sys::fork(move || keep(&other))?);
        Ok(Self { control, process })
    }

    /// Returns the first word, or none if it does not come.
    fn greeted(&self) -> io::Result<Option<Answer>> {
        let limit = PollTimeout::try_from(HELLO_PATIENCE).unwrap_or(PollTimeout::MAX);
        if !readable_within(self.control.as_fd(), limit)? {
            return Ok(None);
        }
        let mut word = vec![0; HELLO_LENGTH];
        let (length, _) = sys::receive(self.control.as_fd(), &mut word)?;
        let gone = || Answer::Failed { text: "the lab's process ended before it said a word".to_owned(), errno: None };
        Ok(Some(Answer::decode(word.get(..length).unwrap_or_default()).unwrap_or_else(gone)))
    }

    /// Opens a connection and asks something over it.
    pub(super) fn ask(
        &self,
        request: &Request,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(Channel, Vec<String>, Vec<OwnedFd>), Error> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                Error::new("the lab's process has ended: the lab is gone")
            }
            _ => Error::because("the lab's process does not answer", &error),
        };
        let (ours, theirs) = Channel::pair().map_err(failed)?;
        send(self.control.as_fd(), &[0], &[theirs.as_fd()]).map_err(failed)?;
        drop(theirs);
        ours.send(&request.encode(), descriptors).map_err(failed)?;
        let (body, descriptors) = ours.receive().map_err(failed)?;
        let notes = Error::take(Answer::decode(&body))?;
        Ok((ours, notes, descriptors))
    }

    fn kill(&self) {
        let mut process = self.process.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = process.kill();
        let _ = process.wait();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The end for the holder. Whoever else has a copy of this end has it no longer, either.
        let _ = shutdown(self.control.as_raw_fd(), Shutdown::Both);
        let process = self.process.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        let limit = PollTimeout::try_from(END_PATIENCE).unwrap_or(PollTimeout::MAX);
        if let Ok(handle) = process_handle(process.id())
            && !readable_within(handle.as_fd(), limit).unwrap_or(true)
        {
            let _ = process.kill();
        }
        let _ = process.wait();
    }
}

/// What the keeper does: makes the namespaces, starts the holder, and waits for its end.
fn keep(control: &OwnedFd) -> u8 {
    sys::close_all_but(control.as_fd());
    sys::reset_signals();
    // Away from the terminal: Ctrl-C ends the test, and that ends the lab.
    let _ = setsid();
    let _ = prctl::set_name(PROCESS_NAME);
    let made = Sandbox::enter().map_err(refused).and_then(|_| {
        processes::unshare_children().map_err(|error| {
            Error::because("cannot make a process namespace", &error)
                .hint("`sysctl user.max_pid_namespaces` says how many there may be")
        })
    });
    let held = made.and_then(|()| {
        sys::fork_alone(|| hold(control)).map_err(|error| Error::because("cannot start a process for the lab", &error))
    });
    match held {
        Ok(holder) => loop {
            match waitpid(holder, None) {
                Err(nix::errno::Errno::EINTR) => {}
                Ok(WaitStatus::Exited(_, 0)) => return 0,
                _ => return 1,
            }
        },
        Err(error) => {
            let _ = send(control.as_fd(), &error.into_answer().encode(), &[]);
            1
        }
    }
}

/// What the holder does: answers until nobody can ask any more.
fn hold(control: &OwnedFd) -> u8 {
    if prctl::set_pdeathsig(Signal::SIGKILL).is_err() {
        return 1;
    }
    // Where a container hides parts of /proc it cannot be mounted anew: then programs see those outside in it.
    let _ = processes::mount_own_proc();
    serve::serve(control)
}

fn refused(error: SandboxError) -> Error {
    let hints = error.hints();
    hints.iter().fold(Error::because(&error, &error.source), |told, hint| told.hint(hint))
}
