//! The same queue for programs on tokio.

use std::os::fd::{AsFd, BorrowedFd};

use ::tokio::io::unix::AsyncFd;

use crate::{
    Batch, Device, Errno, Sent, TransferError, Writer,
    sys::reactor::{Registered, register},
};

/// A queue whose waiting is done by tokio.
///
/// The descriptor is made non-blocking, with all its duplicates. Dropping a future of [`recv`](Self::recv) loses
/// nothing. One of [`send`](Self::send) that is dropped has sent a part of the batch.
#[derive(Debug)]
pub struct AsyncDevice(AsyncFd<Registered>);

impl AsFd for AsyncDevice {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device().as_fd()
    }
}

impl AsyncDevice {
    /// Registers a queue with the runtime of the calling task.
    ///
    /// # Errors
    /// [`TransferError`] if the descriptor cannot be registered.
    ///
    /// # Panics
    /// Outside a tokio runtime with its I/O driver enabled, as every resource of tokio.
    pub fn new(device: Device) -> Result<Self, TransferError> {
        let name = device.name();
        let error = |error: std::io::Error| TransferError { device: name, call: "register", errno: Errno::from(error) };
        device.set_nonblocking(true).map_err(error)?;
        Ok(Self(register(device).map_err(error)?))
    }

    /// Returns the queue, for everything that does not wait.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.0.get_ref().0
    }

    /// Takes the queue back; its descriptor stays non-blocking.
    #[must_use]
    pub fn into_device(self) -> Device {
        self.0.into_inner().0
    }

    /// Appends what packets are there to a batch, at least one. Returns how many came.
    ///
    /// # Errors
    /// As [`Device::recv`].
    pub async fn recv(&self, batch: &mut Batch) -> Result<usize, TransferError> {
        if !batch.has_room() {
            return Err(self.error("read from", &std::io::Error::from_raw_os_error(libc::ENOSPC)));
        }
        loop {
            let ready = self.0.readable().await;
            let mut ready = ready.map_err(|error| self.error("wait for", &error))?;
            match self.device().recv_ready(batch)? {
                0 => ready.clear_ready(),
                count => return Ok(count),
            }
        }
    }

    /// Sends every packet of a batch; the batch is left as it is.
    ///
    /// # Errors
    /// As [`Device::send`].
    pub async fn send(&self, batch: &mut Batch, writer: &mut Writer) -> Result<Sent, TransferError> {
        writer.restart();
        loop {
            if let Some(sent) = self.device().send_ready(batch, writer)? {
                return Ok(sent);
            }
            let ready = self.0.writable().await;
            ready.map_err(|error| self.error("wait for", &error))?.clear_ready();
        }
    }

    fn error(&self, call: &'static str, error: &std::io::Error) -> TransferError {
        TransferError { device: self.device().name(), call, errno: error.into() }
    }
}
