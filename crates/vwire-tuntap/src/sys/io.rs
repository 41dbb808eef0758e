//! Reading, writing and waiting: one packet a call, as the device wants it.

use std::{
    io::{self, IoSlice},
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

fn length(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Reads one packet, as `read(2)`.
#[inline]
pub(crate) fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: read(2) writes at most `buffer.len()` bytes to a slice that is exclusively borrowed until it returns.
    length(unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) })
}

/// Reads one packet if there is one, also from a descriptor that would block; fails with `EAGAIN` if there is none.
///
/// By `preadv2` with `RWF_NOWAIT`. Where the driver does not know it (before Linux 5.9) it asks first; another reader
/// of the same queue may then take the packet in between and leave this one waiting.
#[inline]
pub(crate) fn read_now(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let piece = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: preadv2 reads one `iovec`, which lives until it returns, and writes at most `iov_len` bytes to the slice
    // it describes, which is exclusively borrowed until then. Offset -1 means the file's own position.
    let result = length(unsafe { libc::preadv2(fd.as_raw_fd(), &raw const piece, 1, -1, libc::RWF_NOWAIT) });
    match result {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => ask_and_read(fd, buffer),
        result => result,
    }
}

#[cold]
fn ask_and_read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let mut entry = [libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
    poll(&mut entry, 0)?;
    let [entry] = entry;
    if entry.revents == 0 { Err(io::Error::from_raw_os_error(libc::EAGAIN)) } else { read(fd, buffer) }
}

/// Writes one packet, as `write(2)`.
#[inline]
pub(crate) fn write(fd: BorrowedFd<'_>, packet: &[u8]) -> io::Result<usize> {
    // SAFETY: write(2) reads at most `packet.len()` bytes from a slice that is borrowed until it returns.
    length(unsafe { libc::write(fd.as_raw_fd(), packet.as_ptr().cast(), packet.len()) })
}

/// Writes one packet that lies in pieces, as `writev(2)`.
#[inline]
pub(crate) fn write_pieces(fd: BorrowedFd<'_>, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    let count = libc::c_int::try_from(pieces.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    // SAFETY: `IoSlice` is promised to have the layout of `iovec`. writev(2) reads `count` of them, and the bytes each
    // describes, all of which are borrowed until it returns.
    length(unsafe { libc::writev(fd.as_raw_fd(), pieces.as_ptr().cast(), count) })
}

/// Makes an event counter (`eventfd`), non-blocking.
pub(crate) fn event() -> io::Result<OwnedFd> {
    // SAFETY: eventfd takes two integers and no pointer.
    let raw = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made `raw` for this call; nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Waits until one of two descriptors can be read, for as long as it takes; tells which.
pub(crate) fn wait_either(first: BorrowedFd<'_>, second: BorrowedFd<'_>) -> io::Result<(bool, bool)> {
    let entry = |fd: BorrowedFd<'_>| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut entries = [entry(first), entry(second)];
    poll(&mut entries, FOREVER)?;
    let [first, second] = entries.map(|entry| entry.revents != 0);
    Ok((first, second))
}

/// Waits until a descriptor can be written, for as long as it takes.
pub(crate) fn wait_writable(fd: BorrowedFd<'_>) -> io::Result<()> {
    poll(&mut [libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLOUT, revents: 0 }], FOREVER)
}

/// A timeout of poll(2), in milliseconds.
const FOREVER: libc::c_int = -1;

fn poll(entries: &mut [libc::pollfd], milliseconds: libc::c_int) -> io::Result<()> {
    let count = libc::nfds_t::try_from(entries.len()).unwrap_or(0);
    // SAFETY: poll(2) reads and writes `count` entries of a slice that is exclusively borrowed until it returns.
    let result = unsafe { libc::poll(entries.as_mut_ptr(), count, milliseconds) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Makes every read and write of a descriptor, and of its duplicates, return at once, or not.
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>, on: bool) -> io::Result<()> {
    let mut value = libc::c_int::from(on);
    // SAFETY: FIONBIO reads one integer, which lives until the call returns.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONBIO, &raw mut value) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
