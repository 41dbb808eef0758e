//! Registers a queue with tokio's reactor.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, RawFd},
};

use ::tokio::io::{Interest, unix::AsyncFd};

use crate::Device;

/// A queue whose number the reactor may ask for; it goes no further.
#[derive(Debug)]
pub(crate) struct Registered(pub(crate) Device);

impl AsRawFd for Registered {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// Registers a queue for reading and writing with the runtime of the calling task.
pub(crate) fn register(device: Device) -> io::Result<AsyncFd<Registered>> {
    let interest = Interest::READABLE | Interest::WRITABLE;
    // SAFETY: the promise is that the number stays the same open descriptor until the registration is dropped.
    // `Device` owns its descriptor, never exchanges it and closes it when it is dropped; it is moved in, lent out by
    // shared reference alone, and dropped after the registration or moved out with it.
    let registered = unsafe { AsyncFd::register_with_interest(Registered(device), interest) };
    Ok(registered?)
}
