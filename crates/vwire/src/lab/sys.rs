//! The unsafe code of labs: forking a process that has one thread, how children end, and handles to processes.
//!
//! A fork copies one thread and every lock as it is. Where there is no other thread, none is held by another, and the child
//! may go on as its parent would have: [`Alone`] is the proof of that, taken before `/proc` may be another one.
#![allow(unsafe_code)]

use std::fs;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::libc;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::wait::WaitPidFlag;
use nix::unistd::{ForkResult, Pid};

/// The proof that the process has one thread; it stays in that thread, which would have to start the next.
#[derive(Debug)]
pub struct Alone(PhantomData<*const ()>);

impl Alone {
    /// Looks how many threads the process has.
    ///
    /// # Errors
    /// It has more than one, or `/proc` is not mounted.
    pub fn check() -> io::Result<Self> {
        match fs::read_dir("/proc/self/task")?.count() {
            1 => Ok(Self(PhantomData)),
            many => Err(io::Error::other(format!("the process has {many} threads"))),
        }
    }

    /// Forks; returns the child's number in the parent, and none in the child.
    ///
    /// # Errors
    /// There are too many processes, or the first of its namespace of processes has ended (ENOMEM).
    pub fn fork(self) -> io::Result<Option<Pid>> {
        // SAFETY: `fork` asks that the child calls nothing that a lock of another thread could stop. There was no other
        // thread when `self` was made; only this one could have started one, and does not while it has `self`.
        match unsafe { nix::unistd::fork() }? {
            ForkResult::Parent { child } => Ok(Some(child)),
            ForkResult::Child => Ok(None),
        }
    }
}

/// Lets the kernel take away children that end, since nobody asks how they did.
///
/// # Errors
/// The kernel knows no such signal.
pub fn leave_children_to_the_kernel() -> io::Result<()> {
    // SAFETY: `signal` asks that a handler can be called at any time; to ignore is no function.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) }.map(drop).map_err(io::Error::from)
}

/// Sees to it that children that end wait to be asked how they did; returns whether the kernel was to take them away, as
/// whoever started this process may have left it.
///
/// # Errors
/// The kernel knows no such signal.
pub fn keep_children_that_end() -> io::Result<bool> {
    // SAFETY: `signal` asks that a handler can be called at any time; the default is no function.
    let before = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    Ok(matches!(before, SigHandler::SigIgn))
}

/// Returns what became of a child: nothing new as yet with `WNOHANG`, or that it has ended, or stopped with `WUNTRACED`.
///
/// It knows all signals; nix's own refuses those of real time, of which a child has ended by then.
///
/// # Errors
/// It is no child of this process any more, or a signal has come meanwhile (EINTR).
pub fn look_at_child(child: Pid, how: WaitPidFlag) -> io::Result<Option<ExitStatus>> {
    let mut status = 0;
    // SAFETY: waitpid writes one `int` to where the pointer shows, which is `status`, ours until the call is over.
    match unsafe { libc::waitpid(child.as_raw(), &raw mut status, how.bits()) } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        _ => Ok(Some(ExitStatus::from_raw(status))),
    }
}

/// Sends a signal to the calling thread, by its number, which may be one of real time.
pub fn raise(signal: i32) {
    // SAFETY: `raise` takes a number, refuses those that are none, and touches no memory of ours. Handlers are none of ours.
    let _ = unsafe { libc::raise(signal) };
}

/// Opens a handle to a process, readable once it has ended (`pidfd_open`, Linux 5.3).
///
/// # Errors
/// There is no such process, or the kernel is older.
pub fn process_handle(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes two integers and touches no memory of ours.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    match RawFd::try_from(raw) {
        // SAFETY: the kernel has just given us `raw`, it is open, and nothing else owns it.
        Ok(raw) if raw >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(raw) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sends a signal to the process that a handle is of, and to no other that has its number by then (Linux 5.1).
///
/// # Errors
/// It has ended, or is somebody else's.
pub fn signal_process(handle: &OwnedFd, signal: Signal) -> io::Result<()> {
    let (handle, signal) = (handle.as_raw_fd(), signal as libc::c_int);
    let nothing = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: pidfd_send_signal takes a descriptor, which is open, a number, a pointer to what is said beside, which may be
    // null, and flags; it touches no memory of ours.
    match unsafe { libc::syscall(libc::SYS_pidfd_send_signal, handle, signal, nothing, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
