//! Waits for packets, for a time, and for Ctrl-C and Ctrl-\ at once.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeSpec;

/// Holds SIGINT and SIGQUIT back and gets to know of them; they act as before once it is dropped.
#[derive(Debug)]
pub struct Interrupts {
    signals: SignalFd,
    before: SigSet,
}

/// Why the waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// Packets or errors came, or nothing did in time.
    Look,
    /// Ctrl-C.
    Stop,
    /// Ctrl-\.
    Status,
}

impl Interrupts {
    /// Starts to hold the signals back from this thread.
    ///
    /// # Errors
    /// The kernel's.
    pub fn catch() -> nix::Result<Self> {
        let caught: SigSet = [Signal::SIGINT, Signal::SIGQUIT].into_iter().collect();
        let before = caught.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK)?;
        let signals = SignalFd::with_flags(&caught, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { signals, before })
    }

    /// Waits until something comes on `socket`, a signal comes, or the time is over.
    #[must_use]
    pub fn wait(&self, socket: BorrowedFd<'_>, at_most: Duration) -> Woken {
        let mut watched =
            [PollFd::new(socket, PollFlags::POLLIN), PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        // Whatever came, or went wrong, shows in what is read next.
        let _ = ppoll(&mut watched, Some(TimeSpec::from(at_most)), None);
        match self.signals.read_signal() {
            Ok(Some(signal)) if i32::try_from(signal.ssi_signo) == Ok(Signal::SIGQUIT as i32) => Woken::Status,
            Ok(Some(_)) => Woken::Stop,
            _ => Woken::Look,
        }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}
