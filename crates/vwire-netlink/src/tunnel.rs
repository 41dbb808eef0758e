//! Tunnels by the ioctls that came before netlink: what `ip tunnel` speaks, and what netlink has no answer for.
//!
//! A request is about a device, by its name, and takes a struct of `linux/if_tunnel.h` or `linux/ip6_tunnel.h` along.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use crate::name::padded;
use crate::sys;

/// What is asked of a tunnel (`SIOC*TUNNEL`, `SIOC*PRL`, `SIOC*6RD`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelRequest {
    /// `SIOCGETTUNNEL`: how it is.
    Get,
    /// `SIOCADDTUNNEL`: makes it.
    Add,
    /// `SIOCDELTUNNEL`: deletes it.
    Delete,
    /// `SIOCCHGTUNNEL`: changes it.
    Change,
    /// `SIOCGETPRL`: which routers may be behind an ISATAP tunnel.
    GetRouters,
    /// `SIOCADDPRL`: adds one of them.
    AddRouter,
    /// `SIOCDELPRL`: takes one of them away.
    DeleteRouter,
    /// `SIOCGET6RD`: the prefix of 6rd.
    GetPrefix,
    /// `SIOCADD6RD`: sets it.
    AddPrefix,
    /// `SIOCDEL6RD`: resets it.
    DeletePrefix,
}

impl TunnelRequest {
    /// Returns the number of the ioctl (`linux/if_tunnel.h`, from `SIOCDEVPRIVATE` on).
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::Get => 0x89f0,
            Self::Add => 0x89f1,
            Self::Delete => 0x89f2,
            Self::Change => 0x89f3,
            Self::GetRouters => 0x89f4,
            Self::AddRouter => 0x89f5,
            Self::DeleteRouter => 0x89f6,
            Self::GetPrefix => 0x89f8,
            Self::AddPrefix => 0x89f9,
            Self::DeletePrefix => 0x89fa,
        }
    }
}

/// As many bytes as the longest of the structs has: 16 routers of an ISATAP tunnel.
pub const TUNNEL_ARGUMENT_LEN: usize = 256;

/// Asks devices about tunnels, in the network namespace that the thread was in when it was opened.
#[derive(Debug)]
pub struct Tunnels {
    fd: OwnedFd,
}

impl Tunnels {
    /// Opens a socket of a family: `AF_INET` or `AF_INET6`.
    ///
    /// # Errors
    ///
    /// The kernel has not that family, or no descriptor is left.
    pub fn open(family: u8) -> io::Result<Self> {
        Ok(Self { fd: sys::datagram_socket(family.into())? })
    }

    /// Sends a request about the device of this name; the kernel reads the argument, or writes it.
    ///
    /// # Errors
    ///
    /// `ENODEV` if there is no such device, `ENOENT` if it is no tunnel of that sort, `EPERM` without `CAP_NET_ADMIN`.
    pub fn request(
        &self,
        request: TunnelRequest,
        device: &[u8],
        argument: &mut [u8; TUNNEL_ARGUMENT_LEN],
    ) -> io::Result<()> {
        // As `ip` does, a name without room is cut: what has that name is nothing anyway.
        let name = padded::<16>(device.get(..15.min(device.len())).unwrap_or_default()).unwrap_or_default();
        sys::tunnel(self.fd.as_fd(), request.number().into(), name, argument)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_device_is_no_tunnel() {
        let tunnels = Tunnels::open(2).unwrap();
        let mut argument = [0; TUNNEL_ARGUMENT_LEN];
        let error = tunnels.request(TunnelRequest::Get, b"no:such", &mut argument).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
        tunnels.request(TunnelRequest::Get, b"lo", &mut argument).unwrap_err();
        assert_eq!(argument, [0; TUNNEL_ARGUMENT_LEN]);
    }
}
