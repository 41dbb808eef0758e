//! Holds back the signals that ask a program to end, so that it ends where nothing is half done.
//!
//! Ctrl-C, SIGTERM and SIGHUP are blocked in this thread and in all that it starts, and seen where somebody looks:
//! between steps, and while something is waited for. What comes after the first, while all is being undone, changes
//! nothing any more. A signal that was ignored when the program began (`nohup`, a shell's background job) is left so.

use std::fs;
use std::sync::OnceLock;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The signals that ask a program to end.
const ASKING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// Signals that are held back as long as it lives.
#[derive(Debug)]
pub struct Held {
    signals: SignalFd,
    before: SigSet,
    seen: OnceLock<i32>,
}

impl Held {
    /// Starts to hold them back from this thread, and from those that it starts.
    ///
    /// # Errors
    /// No more descriptors may be open.
    pub fn hold() -> nix::Result<Self> {
        let ignored = ignored();
        let held: SigSet = ASKING.into_iter().filter(|signal| !is_in(ignored, *signal)).collect();
        let before = held.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let signals = SignalFd::with_flags(&held, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { signals, before, seen: OnceLock::new() })
    }

    /// Returns the number of the first that has come; whoever asks ends what it does then.
    #[must_use]
    pub fn seen(&self) -> Option<i32> {
        if self.seen.get().is_none()
            && let Ok(Some(signal)) = self.signals.read_signal()
            && let Ok(number) = i32::try_from(signal.ssi_signo)
        {
            let _ = self.seen.set(number);
        }
        self.seen.get().copied()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Those that came while all was being undone have what they asked for.
        while let Ok(Some(_)) = self.signals.read_signal() {}
        let _ = self.before.thread_set_mask();
    }
}

/// Returns the exit code of a program that a signal has ended, as shells have it.
#[must_use]
pub fn exit_of(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

/// Returns which signals this process ignores, a bit each.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    read_ignored(&status)
}

fn read_ignored(status: &str) -> u64 {
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
}

fn is_in(bits: u64, signal: Signal) -> bool {
    u32::try_from(signal as i32 - 1).is_ok_and(|place| bits >> place & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nohup_ignores_is_known() {
        let bits = read_ignored("Name:\tvwire\nSigIgn:\t0000000000001001\nSigCgt:\t0\n");
        assert!(is_in(bits, Signal::SIGHUP) && !is_in(bits, Signal::SIGINT) && !is_in(bits, Signal::SIGTERM));
    }

    #[test]
    fn shells_know_what_ended_a_program() {
        assert_eq!((exit_of(2), exit_of(15)), (130, 143));
    }
}
