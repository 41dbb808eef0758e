//! Waking a thread that waits for packets.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::sys::io as sys_io;

/// Wakes a thread that waits in [`Device::recv_until`](crate::Device::recv_until).
///
/// Once triggered it stays so, for all that wait on it, until [`clear`](Self::clear). Its descriptor (`eventfd(2)`)
/// can be read as long as it is triggered, for who waits by `poll`.
#[derive(Debug)]
pub struct Interrupt {
    event: OwnedFd,
    /// What the event says, without a system call.
    triggered: AtomicBool,
    /// Keeps the two together.
    change: Mutex<()>,
}

impl Interrupt {
    /// Makes one.
    ///
    /// # Errors
    /// The error of `eventfd(2)`: `EMFILE` at the limit of descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self { event: sys_io::event()?, triggered: AtomicBool::new(false), change: Mutex::new(()) })
    }

    /// Wakes who waits, now or later. Never blocks.
    pub fn trigger(&self) {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        self.triggered.store(true, Ordering::Release);
        // Fails only with EAGAIN when the counter is full, which is as awake as it gets.
        let _ = sys_io::write(self.event.as_fd(), &1_u64.to_ne_bytes());
    }

    /// Lets who comes later wait again.
    pub fn clear(&self) {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        self.triggered.store(false, Ordering::Release);
        // Fails only with EAGAIN when it was not triggered.
        let _ = sys_io::read(self.event.as_fd(), &mut [0; 8]);
    }

    /// Tells whether it was triggered and not cleared since.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        self.triggered.load(Ordering::Acquire)
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
