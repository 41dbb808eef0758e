//! Opening, duplicating and asking about descriptors.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

/// Opens a datagram socket, which serves only to carry interface ioctls.
pub(crate) fn datagram_socket() -> io::Result<OwnedFd> {
    // SAFETY: socket(2) takes three integers and no pointer.
    let raw = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made `raw` for this call; nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Opens a handle to a process (`pidfd_open`, Linux 5.3).
pub(crate) fn process_handle(pid: u32) -> io::Result<OwnedFd> {
    let pid = i32::try_from(pid).map_err(|_| io::Error::from_raw_os_error(libc::ESRCH))?;
    // SAFETY: pidfd_open takes two integers and no pointer.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    owned(raw)
}

/// Duplicates descriptor `number` of the process behind `process` into this one (`pidfd_getfd`, Linux 5.6).
pub(crate) fn descriptor_of(process: BorrowedFd<'_>, number: u32) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_getfd takes three integers and no pointer; `process` is open for as long as it is borrowed.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), number, 0) };
    owned(raw)
}

fn owned(raw: libc::c_long) -> io::Result<OwnedFd> {
    let raw = match i32::try_from(raw) {
        Ok(raw) if raw >= 0 => raw,
        _ => return Err(io::Error::last_os_error()),
    };
    // SAFETY: both callers pass the result of a system call that returns a descriptor it made for this process.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Moves the calling thread into a network namespace.
pub(crate) fn enter_namespace(namespace: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: setns takes two integers and no pointer; `namespace` is open for as long as it is borrowed.
    let result = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
