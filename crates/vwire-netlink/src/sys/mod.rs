//! System calls on netlink sockets: one safe function each, and the only unsafe code of the crate.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Opens a netlink socket that programs started later do not inherit.
pub(crate) fn socket(protocol: i32) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: socket() takes three integers and touches no memory of ours.
    let fd: RawFd = unsafe { libc::socket(libc::AF_NETLINK, kind, protocol) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given us `fd`, it is open, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `SIOCADDMULTI` and `SIOCDELMULTI` (`linux/sockios.h`).
const MULTICAST_REQUESTS: [libc::Ioctl; 2] = [0x8931, 0x8932];

/// Which of [`MULTICAST_REQUESTS`] is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MulticastRequest {
    /// `SIOCADDMULTI`.
    Add,
    /// `SIOCDELMULTI`.
    Delete,
}

/// `struct ifreq` with a name and a link-layer address in a `struct sockaddr`, padded to the kernel's size.
#[repr(C, align(8))]
struct InterfaceRequest {
    name: [u8; 16],
    family: u16,
    address: [u8; 14],
    rest: [u8; 8],
}

const _: () = assert!(size_of::<InterfaceRequest>() >= size_of::<libc::ifreq>());

/// Opens a socket of a family that is good for requests about devices alone.
pub(crate) fn datagram_socket(family: i32) -> io::Result<OwnedFd> {
    // SAFETY: socket() takes three integers and touches no memory of ours.
    let fd: RawFd = unsafe { libc::socket(family, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given us `fd`, it is open, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Adds a link-layer address to those that a device listens to, or takes it away.
pub(crate) fn multicast(
    fd: BorrowedFd<'_>,
    request: MulticastRequest,
    name: [u8; 16],
    address: [u8; 14],
) -> io::Result<()> {
    let [add, delete] = MULTICAST_REQUESTS;
    let number = match request {
        MulticastRequest::Add => add,
        MulticastRequest::Delete => delete,
    };
    let mut argument = InterfaceRequest { name, family: 0, address, rest: [0; 8] };
    // SAFETY: both requests take a pointer to a struct ifreq; `argument` is laid out as one, is at least as long, and
    // outlives the call, and nothing else refers to it.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), number, &raw mut argument) };
    check(result)
}

/// `struct ifreq` with a name and a pointer to more, padded to the kernel's size.
#[repr(C)]
struct PointingRequest {
    name: [u8; 16],
    data: *mut libc::c_void,
    rest: [u8; 16],
}

const _: () = assert!(size_of::<PointingRequest>() >= size_of::<libc::ifreq>());

/// Sends a request about a tunnel, by the number of an ioctl of `linux/if_tunnel.h`.
pub(crate) fn tunnel(
    fd: BorrowedFd<'_>,
    number: libc::Ioctl,
    name: [u8; 16],
    argument: &mut [u8; crate::tunnel::TUNNEL_ARGUMENT_LEN],
) -> io::Result<()> {
    let mut request = PointingRequest { name, data: argument.as_mut_ptr().cast(), rest: [0; 16] };
    // SAFETY: the request takes a pointer to a struct ifreq, as which `request` is laid out and at least as long. Its
    // `data` points at `argument`, which is as long as the longest struct that a tunnel's ioctl reads or writes there
    // (and for a list of routers says how long it is itself), and of bytes, for which any value is one. Both outlive
    // the call, and nothing else refers to them.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), number, &raw mut request) };
    check(result)
}

/// `BPF_OBJ_GET` (`linux/bpf.h`).
const BPF_OBJECT_GET: libc::c_int = 7;

/// The part of `union bpf_attr` that `BPF_OBJ_GET` reads.
#[repr(C)]
struct PinnedObject {
    path: u64,
    fd: u32,
    flags: u32,
}

/// Opens what is pinned at a path of a BPF file system.
pub(crate) fn bpf_object(path: &CStr) -> io::Result<OwnedFd> {
    let path = u64::try_from(path.as_ptr().expose_provenance()).map_err(io::Error::other)?;
    let attribute = PinnedObject { path, fd: 0, flags: 0 };
    // SAFETY: the call reads `attribute`, as many bytes as it is said to have, and the string that its `path` points at,
    // which ends in a zero; both outlive the call, and it writes to neither.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, BPF_OBJECT_GET, &raw const attribute, size_of::<PinnedObject>()) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel has just given us `fd`, it is open, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Binds the socket to a port that the kernel chooses.
pub(crate) fn bind(fd: BorrowedFd<'_>) -> io::Result<()> {
    let mut address = zeroed_address();
    address.nl_family = u16::try_from(libc::AF_NETLINK).map_err(io::Error::other)?;
    let length = address_len()?;
    // SAFETY: `address` is a sockaddr_nl of `length` bytes and outlives the call, which only reads it.
    let result = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) };
    check(result)
}

/// Returns the port that the socket is bound to.
pub(crate) fn local_port(fd: BorrowedFd<'_>) -> io::Result<u32> {
    let mut address = zeroed_address();
    let mut length = address_len()?;
    // SAFETY: `address` has room for the `length` bytes that the kernel may write; both outlive the call.
    let result = unsafe { libc::getsockname(fd.as_raw_fd(), (&raw mut address).cast(), &raw mut length) };
    check(result)?;
    Ok(address.nl_pid)
}

/// Sets an option of the socket to an integer.
pub(crate) fn set_option(fd: BorrowedFd<'_>, level: i32, option: i32, value: i32) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<i32>()).map_err(io::Error::other)?;
    // SAFETY: `value` is `length` bytes and outlives the call, which only reads it.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, (&raw const value).cast(), length) };
    check(result)
}

/// Sends one datagram to the kernel.
pub(crate) fn send(fd: BorrowedFd<'_>, datagram: &[u8]) -> io::Result<()> {
    loop {
        // SAFETY: `datagram` is valid for its length and outlives the call, which only reads it.
        // The socket is not connected: without an address a netlink socket sends to port 0, the kernel.
        let sent = unsafe { libc::send(fd.as_raw_fd(), datagram.as_ptr().cast(), datagram.len(), 0) };
        match usize::try_from(sent) {
            Ok(_) => return Ok(()),
            Err(_) => retry_if_interrupted()?,
        }
    }
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Its length in bytes, which is more than the buffer's if it was cut off.
    pub(crate) length: usize,
    /// The port that it comes from; 0 is the kernel.
    pub(crate) port: u32,
    /// The id of the namespace that it is about, if it is another than the socket's.
    pub(crate) nsid: Option<i32>,
}

/// Receives one datagram; `Ok(None)` if `wait` is false and there is none.
pub(crate) fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8], wait: bool) -> io::Result<Option<Received>> {
    let flags = libc::MSG_TRUNC | if wait { 0 } else { libc::MSG_DONTWAIT };
    let mut control = [0u8; 64];
    let mut address = zeroed_address();
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    loop {
        let mut message = zeroed_message();
        message.msg_name = (&raw mut address).cast();
        message.msg_namelen = address_len()?;
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = control_len(control.len())?;
        // SAFETY: `message` points at `address`, `part` and `control`, each valid for the length beside it and
        // alive until the end of this function; `part` points at `buffer`, which is borrowed as long.
        // No reference to them is used while the kernel writes.
        let received = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags) };
        let Ok(length) = usize::try_from(received) else {
            match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => continue,
                error if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                error => return Err(error),
            }
        };
        let written = control_written(&message);
        let nsid = nsid_of(control.get(..written).unwrap_or_default());
        return Ok(Some(Received { length, port: address.nl_pid, nsid }));
    }
}

/// Waits until there is something to receive; false if the time is over.
pub(crate) fn wait_readable(fd: BorrowedFd<'_>, milliseconds: i32) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: `poll` is one pollfd, as the count says, and outlives the call.
    let ready = unsafe { libc::poll(&raw mut poll, 1, milliseconds) };
    match ready {
        0 => Ok(false),
        1.. => Ok(true),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Finds the namespace id in the control messages: `struct cmsghdr` is a length (a `size_t`, header included), a level
/// and a type, all in host byte order. Read by hand, because the C macros walk raw pointers.
fn nsid_of(mut control: &[u8]) -> Option<i32> {
    const LENGTH: usize = size_of::<usize>();
    loop {
        let (length, rest) = control.split_first_chunk::<LENGTH>()?;
        let length = usize::from_ne_bytes(*length);
        let (level, rest) = rest.split_first_chunk()?;
        let (kind, data) = rest.split_first_chunk()?;
        let found = (i32::from_ne_bytes(*level), i32::from_ne_bytes(*kind));
        if found == (libc::SOL_NETLINK, libc::NETLINK_LISTEN_ALL_NSID) {
            return Some(i32::from_ne_bytes(*data.first_chunk()?));
        }
        if length < LENGTH + 8 {
            return None;
        }
        control = control.get(length.checked_next_multiple_of(LENGTH)?..)?;
    }
}

fn zeroed_address() -> libc::sockaddr_nl {
    let address = MaybeUninit::<libc::sockaddr_nl>::zeroed();
    // SAFETY: sockaddr_nl is integers only, for which zeros are a value.
    unsafe { address.assume_init() }
}

fn zeroed_message() -> libc::msghdr {
    let message = MaybeUninit::<libc::msghdr>::zeroed();
    // SAFETY: msghdr is integers and raw pointers only, for which zeros are a value.
    unsafe { message.assume_init() }
}

fn address_len() -> io::Result<libc::socklen_t> {
    libc::socklen_t::try_from(mem::size_of::<libc::sockaddr_nl>()).map_err(io::Error::other)
}

fn control_len<T: TryFrom<usize>>(length: usize) -> io::Result<T> {
    T::try_from(length).map_err(|_| io::ErrorKind::InvalidInput.into())
}

#[allow(clippy::useless_conversion, reason = "musl has 32 bits here, glibc a usize")]
fn control_written(message: &libc::msghdr) -> usize {
    usize::try_from(message.msg_controllen).unwrap_or_default()
}

fn check(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn retry_if_interrupted() -> io::Result<()> {
    match io::Error::last_os_error() {
        error if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        error => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(length: usize, level: i32, kind: i32, data: i32) -> Vec<u8> {
        let mut bytes = length.to_ne_bytes().to_vec();
        for number in [level, kind, data, 0] {
            bytes.extend(number.to_ne_bytes());
        }
        bytes
    }

    #[test]
    fn the_namespace_id_is_found_among_control_messages() {
        let length = size_of::<usize>() + 12;
        let other = control(length, 1, 2, 3);
        let ours = control(length, libc::SOL_NETLINK, libc::NETLINK_LISTEN_ALL_NSID, -1);
        assert_eq!(nsid_of(&[other, ours].concat()), Some(-1));
    }

    #[test]
    fn broken_control_messages_have_none() {
        assert_eq!(nsid_of(&[]), None);
        assert_eq!(nsid_of(&control(0, 1, 2, 3)), None);
        assert_eq!(nsid_of(&control(usize::MAX - 16, 1, 2, 3)), None);
    }
}
