//! Reading and writing packets: one packet a call, as the device wants it.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
};

fn length(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Reads one packet, as `read(2)`.
pub(crate) fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: read(2) writes at most `buffer.len()` bytes to a slice that is exclusively borrowed until it returns.
    length(unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) })
}

/// Writes one packet, as `write(2)`.
pub(crate) fn write(fd: BorrowedFd<'_>, packet: &[u8]) -> io::Result<usize> {
    // SAFETY: write(2) reads at most `packet.len()` bytes from a slice that is borrowed until it returns.
    length(unsafe { libc::write(fd.as_raw_fd(), packet.as_ptr().cast(), packet.len()) })
}
