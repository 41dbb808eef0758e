//! The one system call of ping's that no library has: how a socket takes the MTU of a path.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::libc;

use super::echo::Family;

/// Sends packets undivided up to the device's MTU, whatever MTU of the path is remembered (`ip(7)`, `ipv6(7)`).
pub(super) fn probe_path_mtu(socket: &impl AsFd, family: Family) -> io::Result<()> {
    let (level, option, value) = match family {
        Family::V4 => (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE),
        Family::V6 => (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_PROBE),
    };
    let length = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or_default();
    let pointer = std::ptr::from_ref(&value).cast();
    // SAFETY: setsockopt reads `length` bytes behind `pointer`: that is `value`, which lives until the call returns. The
    // descriptor is open as long as `socket` is borrowed.
    let result = unsafe { libc::setsockopt(socket.as_fd().as_raw_fd(), level, option, pointer, length) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
