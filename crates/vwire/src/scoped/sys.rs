//! The unsafe code of labs in tests: a process that is forked and never turns into another program.
//!
//! A forked process has one thread, a copy of all memory, and every lock as it was. What another thread of the parent held
//! at that moment stays locked for ever, so a child may use only what is known to be usable:
//!
//! - memory: glibc and musl take their allocators' locks around `fork`, so `malloc` works, as do threads;
//! - the environment's lock of `std`: [`fork`] goes through `std::process::Command`, which holds it for reading meanwhile;
//! - nothing else: not `std`'s standard streams, not the name service of the C library.
//!
//! An allocator that does not care for `fork` is found out, since the child says hello only when it has used all of that,
//! and the parent does not wait for ever ([`Keeper::start`](super::keeper::Keeper::start)). Panics in the child abort it
//! (`Command` sees to that), so no destructor of what belongs to the parent runs; it leaves by [`leave`] alone.
#![allow(unsafe_code)]

use std::fs;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nix::libc;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::unistd::Pid;

use crate::lab::sys::Alone;

/// The most descriptors that come with one message.
const MOST_DESCRIPTORS: usize = 8;
/// The first descriptor behind the standard streams.
const FIRST: RawFd = 3;

/// Forks; the child runs `body` and ends with what it returns.
///
/// The child has `/dev/null` as standard input and output, and no signal blocked.
pub(super) fn fork(body: impl Fn() -> u8 + Send + Sync + 'static) -> io::Result<Child> {
    // The name of no program: the child never gets as far as to start one.
    let mut command = Command::new("/");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let inside = move || -> io::Result<()> { leave(body()) };
    // SAFETY: `pre_exec` asks that the closure does only what is possible in a forked process and does not break what it
    // has copies of. The head of this file says what `body` may use and why that works; the closure never returns, so
    // nothing of `std` that would go on to start a program, or to drop what the parent owns, runs behind it.
    unsafe { command.pre_exec(inside) };
    // Returns when the child has closed its end of the pipe by which `std` would tell that a program cannot be started.
    command.spawn()
}

/// Forks a process that has no other thread; the child runs `body` and ends with what it returns.
pub(super) fn fork_alone(body: impl FnOnce() -> u8) -> io::Result<Pid> {
    match Alone::check()?.fork()? {
        Some(child) => Ok(child),
        None => leave(body()),
    }
}

/// Ends the process at once, without what is to be done at the end of the program that it was forked from.
fn leave(code: u8) -> ! {
    // SAFETY: `_exit` takes an integer, touches no memory of ours and does not return.
    unsafe { libc::_exit(i32::from(code)) }
}

/// Closes every descriptor but the standard streams and one. Only for a forked process that uses no other.
pub(super) fn close_all_but(kept: BorrowedFd<'_>) {
    let kept = kept.as_raw_fd();
    if close_range(FIRST, kept - 1).and_then(|()| close_range(kept + 1, RawFd::MAX)).is_ok() {
        return;
    }
    // Linux before 5.9.
    let numbers = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers: Vec<RawFd> = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number >= FIRST && *number != kept) {
        let _ = close_range(number, number).or_else(|_| nix::unistd::close(number).map_err(io::Error::from));
    }
}

fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: close_range takes three integers and touches no memory of ours. Whatever owns the descriptors belongs to the
    // process that this one was forked from: here it is neither used nor dropped any more.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Lets every signal do what it does by default: handlers were made for the program that was forked.
pub(super) fn reset_signals() {
    for number in Signal::iterator() {
        let handler = if number == Signal::SIGPIPE { SigHandler::SigIgn } else { SigHandler::SigDfl };
        // SAFETY: `signal` asks that a handler can be called at any time; neither of these two is a function.
        let _ = unsafe { signal(number, handler) };
    }
}

/// Receives bytes, and the descriptors that come with them; no bytes is the end.
pub(super) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut control = nix::cmsg_space!([RawFd; MOST_DESCRIPTORS]);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
    let mut descriptors = Vec::new();
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = part {
            for number in numbers {
                // SAFETY: the kernel has just made `number` for this process (SCM_RIGHTS); nothing else owns it.
                descriptors.push(unsafe { OwnedFd::from_raw_fd(number) });
            }
        }
    }
    Ok((message.bytes, descriptors))
}
