//! Keeps a thread from taking the processor from the one that wakes it.

use std::io;

use nix::libc;

/// Makes the calling thread wait for its turn when it is woken (`SCHED_BATCH`, `sched(7)`).
///
/// Otherwise it runs at once, finds the one packet that woke it, and three threads go in lockstep.
pub(crate) fn wait_for_a_turn() {
    let parameter = libc::sched_param { sched_priority: 0 };
    // SAFETY: sched_setscheduler(2) reads one `sched_param`, which lives until the call returns; 0 is the caller.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const parameter) };
    assert!(result == 0, "{}", io::Error::last_os_error());
}
