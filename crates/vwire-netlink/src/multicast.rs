//! Which link-layer multicast addresses a device listens to: the one change that netlink has no message for.
//!
//! What a device listens to is told by `/proc/net/dev_mcast`. A change goes by an ioctl on a socket of any family.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use crate::name::padded;
use crate::sys::{self, MulticastRequest};

/// Tells devices what to listen to, in the network namespace that the thread was in when it was opened.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
}

impl Listener {
    /// Opens a socket of a family: `AF_INET`, `AF_INET6`, `AF_PACKET`.
    ///
    /// # Errors
    ///
    /// The kernel has not that family, or no descriptor is left; `EPERM` for `AF_PACKET` without `CAP_NET_RAW`.
    pub fn open(family: u8) -> io::Result<Self> {
        Ok(Self { fd: sys::datagram_socket(family.into())? })
    }

    /// Has the device of this name listen to an address.
    ///
    /// # Errors
    ///
    /// `ENODEV` if there is no such device, `EINVAL` if it cannot choose what it listens to, `EPERM` without
    /// `CAP_NET_ADMIN`.
    pub fn start(&self, name: &[u8], address: [u8; 6]) -> io::Result<()> {
        self.request(MulticastRequest::Add, name, address)
    }

    /// Has the device of this name listen to an address once less often.
    ///
    /// # Errors
    ///
    /// As [`Listener::start`]; `ENOENT` if the device does not listen to it.
    pub fn stop(&self, name: &[u8], address: [u8; 6]) -> io::Result<()> {
        self.request(MulticastRequest::Delete, name, address)
    }

    fn request(&self, request: MulticastRequest, name: &[u8], address: [u8; 6]) -> io::Result<()> {
        let name = padded::<16>(name).filter(|name| name.last() == Some(&0));
        let name = name.ok_or(io::ErrorKind::InvalidInput)?;
        let address = padded::<14>(&address).unwrap_or_default();
        sys::multicast(self.fd.as_fd(), request, name, address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_room_for_its_end_is_refused() {
        let listener = Listener::open(2).unwrap();
        let error = listener.start(b"0123456789abcdef", [1, 0, 0x5e, 0, 0, 9]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
