//! The ioctls of `/dev/net/tun`, each typed by what its argument is.
//!
//! A request is a constant of one of four types; the only functions that can issue it take the argument the kernel
//! expects for that type, so that a safe caller cannot hand the kernel a pointer of the wrong size.
//! Numbers and argument types: `include/uapi/linux/if_tun.h` and `__tun_chr_ioctl` in `drivers/net/tun.c`. Absent on
//! purpose: `TUNSETNOCSUM` and `TUNSETDEBUG`, which change nothing, and `TUNGETFILTER`, which hands back a pointer into
//! the memory of whoever attached the filter.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

/// An ioctl whose third argument is a number and not a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByValue(u32, &'static str);

/// An ioctl whose third argument points at a 32-bit integer, which the kernel reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByInt(u32, &'static str);

/// An ioctl whose third argument points at a `struct ifreq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByRequest(u32, &'static str);

macro_rules! named {
    ($($kind:ident)*) => { $(impl $kind {
        /// Returns the kernel's name of the request, for messages.
        pub(crate) const fn name(self) -> &'static str { self.1 }
    })* };
}
named!(ByValue ByInt ByRequest);

const fn number(read: bool, nr: u32, size: u32) -> u32 {
    // asm-generic/ioctl.h, and the three architectures that differ from it.
    let other = cfg!(any(
        target_arch = "mips",
        target_arch = "mips64",
        target_arch = "powerpc",
        target_arch = "powerpc64",
        target_arch = "sparc64"
    ));
    let (shift, read_bit, write_bit) = if other { (29, 2, 4) } else { (30, 2, 1) };
    let direction = if read { read_bit } else { write_bit };
    (direction << shift) | (size << 16) | (0x54 << 8) | nr
}

const fn none(nr: u32) -> u32 {
    let other = cfg!(any(
        target_arch = "mips",
        target_arch = "mips64",
        target_arch = "powerpc",
        target_arch = "powerpc64",
        target_arch = "sparc64"
    ));
    let direction = if other { 1 << 29 } else { 0 };
    direction | (0x54 << 8) | nr
}

pub(crate) const SET_IFF: ByRequest = ByRequest(number(false, 202, 4), "TUNSETIFF");
pub(crate) const GET_IFF: ByRequest = ByRequest(number(true, 210, 4), "TUNGETIFF");
pub(crate) const SET_QUEUE: ByRequest = ByRequest(number(false, 217, 4), "TUNSETQUEUE");
pub(crate) const SET_PERSIST: ByValue = ByValue(number(false, 203, 4), "TUNSETPERSIST");
pub(crate) const SET_OWNER: ByValue = ByValue(number(false, 204, 4), "TUNSETOWNER");
pub(crate) const SET_LINK: ByValue = ByValue(number(false, 205, 4), "TUNSETLINK");
pub(crate) const SET_GROUP: ByValue = ByValue(number(false, 206, 4), "TUNSETGROUP");
pub(crate) const SET_OFFLOAD: ByValue = ByValue(number(false, 208, 4), "TUNSETOFFLOAD");
pub(crate) const GET_FEATURES: ByInt = ByInt(number(true, 207, 4), "TUNGETFEATURES");
pub(crate) const GET_SNDBUF: ByInt = ByInt(number(true, 211, 4), "TUNGETSNDBUF");
pub(crate) const SET_SNDBUF: ByInt = ByInt(number(false, 212, 4), "TUNSETSNDBUF");
pub(crate) const GET_VNET_HDR_SIZE: ByInt = ByInt(number(true, 215, 4), "TUNGETVNETHDRSZ");
pub(crate) const SET_VNET_HDR_SIZE: ByInt = ByInt(number(false, 216, 4), "TUNSETVNETHDRSZ");
pub(crate) const SET_IFINDEX: ByInt = ByInt(number(false, 218, 4), "TUNSETIFINDEX");
pub(crate) const SET_VNET_LE: ByInt = ByInt(number(false, 220, 4), "TUNSETVNETLE");
pub(crate) const GET_VNET_LE: ByInt = ByInt(number(true, 221, 4), "TUNGETVNETLE");
pub(crate) const SET_VNET_BE: ByInt = ByInt(number(false, 222, 4), "TUNSETVNETBE");
pub(crate) const GET_VNET_BE: ByInt = ByInt(number(true, 223, 4), "TUNGETVNETBE");
pub(crate) const SET_STEERING_EBPF: ByInt = ByInt(number(true, 224, 4), "TUNSETSTEERINGEBPF");
pub(crate) const SET_FILTER_EBPF: ByInt = ByInt(number(true, 225, 4), "TUNSETFILTEREBPF");
pub(crate) const SET_CARRIER: ByInt = ByInt(number(false, 226, 4), "TUNSETCARRIER");

pub(crate) const SET_TX_FILTER_NAME: &str = "TUNSETTXFILTER";
pub(crate) const ATTACH_FILTER_NAME: &str = "TUNATTACHFILTER";
pub(crate) const DETACH_FILTER_NAME: &str = "TUNDETACHFILTER";
pub(crate) const GET_NETNS_NAME: &str = "TUNGETDEVNETNS";

/// `struct ifreq` as the tun driver uses it: a name and sixteen flag bits, padded to the kernel's size.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InterfaceRequest {
    pub(crate) name: [u8; 16],
    pub(crate) flags: u16,
    rest: [u8; 22],
}

impl InterfaceRequest {
    pub(crate) fn new(name: [u8; 16], flags: u16) -> Self {
        Self { name, flags, rest: [0; 22] }
    }
}

const _: () = assert!(size_of::<InterfaceRequest>() >= size_of::<libc::ifreq>());

/// Returns a request number in the type the C library wants it in.
#[cfg(any(target_env = "musl", target_env = "ohos", target_os = "android"))]
fn code(number: u32) -> libc::Ioctl {
    number.cast_signed()
}

/// Returns a request number in the type the C library wants it in.
#[cfg(not(any(target_env = "musl", target_env = "ohos", target_os = "android")))]
fn code(number: u32) -> libc::Ioctl {
    libc::Ioctl::from(number)
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Issues an ioctl that takes a plain number.
pub(crate) fn by_value(fd: BorrowedFd<'_>, request: ByValue, value: u32) -> io::Result<()> {
    // SAFETY: `fd` is open for as long as it is borrowed. A `ByValue` request reads its third argument as an integer
    // (__tun_chr_ioctl casts `arg`), so no memory of ours is reached through it.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), code(request.0), libc::c_ulong::from(value)) };
    check(result).map(drop)
}

/// Issues an ioctl that reads or writes one 32-bit integer.
pub(crate) fn by_int(fd: BorrowedFd<'_>, request: ByInt, value: &mut i32) -> io::Result<()> {
    // SAFETY: `fd` is open for as long as it is borrowed. A `ByInt` request makes the kernel copy exactly four bytes
    // to or from the third argument, which is a live, exclusive and aligned reference to four bytes.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), code(request.0), value as *mut i32) };
    check(result).map(drop)
}

/// Issues an ioctl that reads and writes a `struct ifreq`.
pub(crate) fn by_request(fd: BorrowedFd<'_>, request: ByRequest, value: &mut InterfaceRequest) -> io::Result<()> {
    // SAFETY: `fd` is open for as long as it is borrowed. A `ByRequest` request makes the kernel copy at most
    // sizeof(struct ifreq) bytes from and to the third argument; `InterfaceRequest` is asserted to be no smaller, has
    // no padding to leak and is valid for any bytes the kernel may write.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), code(request.0), value as *mut InterfaceRequest) };
    check(result).map(drop)
}

/// Returns a new descriptor of the network namespace the device of `fd` is in (`TUNGETDEVNETNS`, Linux 5.2).
pub(crate) fn device_namespace(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: `fd` is open for as long as it is borrowed. TUNGETDEVNETNS has no argument (_IO) and ignores a third.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), code(none(227)), 0 as libc::c_ulong) };
    let raw = check(result)?;
    // SAFETY: the kernel returned `raw` as a descriptor it just made for this process (open_related_ns); nothing else
    // owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// The most addresses that fit the fixed buffer of [`set_tx_filter`].
pub(crate) const TX_FILTER_MAX: usize = 1024;

/// Sets the destination MAC filter of a TAP and returns how many addresses are matched exactly.
///
/// `addresses` beyond [`TX_FILTER_MAX`] are refused with `EINVAL` before the kernel sees them.
pub(crate) fn set_tx_filter(fd: BorrowedFd<'_>, flags: u16, addresses: &[[u8; 6]]) -> io::Result<usize> {
    #[repr(C)]
    struct Filter {
        flags: u16,
        count: u16,
        addresses: [[u8; 6]; TX_FILTER_MAX],
    }
    let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
    let count = u16::try_from(addresses.len()).map_err(|_| invalid())?;
    let mut filter = Filter { flags, count, addresses: [[0; 6]; TX_FILTER_MAX] };
    filter.addresses.get_mut(..addresses.len()).ok_or_else(invalid)?.copy_from_slice(addresses);
    // SAFETY: `fd` is open for as long as it is borrowed. TUNSETTXFILTER copies a four-byte `struct tun_filter` and
    // then 6 * count bytes behind it; `filter` is alive, and holds at least `count` addresses as checked above.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), code(number(false, 209, 4)), &raw const filter) };
    check(result).map(|exact| usize::try_from(exact).unwrap_or(0))
}

/// One instruction of classic BPF, laid out as `struct sock_filter`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClassicInstruction {
    pub(crate) code: u16,
    pub(crate) jump_true: u8,
    pub(crate) jump_false: u8,
    pub(crate) operand: u32,
}

#[repr(C)]
struct Program {
    length: u16,
    instructions: *const ClassicInstruction,
}

const PROGRAM_SIZE: u32 = if size_of::<usize>() == 8 { 16 } else { 8 };

/// Attaches a classic socket filter to every queue of a TAP (`TUNATTACHFILTER`).
pub(crate) fn attach_filter(fd: BorrowedFd<'_>, program: &[ClassicInstruction]) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let program = Program { length, instructions: program.as_ptr() };
    // SAFETY: `fd` is open for as long as it is borrowed. TUNATTACHFILTER copies one `struct sock_fprog` and then
    // reads `length` instructions of eight bytes; `program` and the slice behind it live until the call returns.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), code(number(false, 213, PROGRAM_SIZE)), &raw const program) };
    check(result).map(drop)
}

/// Takes a filter made by [`attach_filter`] off again (`TUNDETACHFILTER`).
pub(crate) fn detach_filter(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: `fd` is open for as long as it is borrowed. TUNDETACHFILTER does not read its argument.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), code(number(false, 214, PROGRAM_SIZE)), 0 as libc::c_ulong) };
    check(result).map(drop)
}

/// Returns the index of the named interface in the calling thread's network namespace.
pub(crate) fn interface_index(name: [u8; 16]) -> io::Result<u32> {
    #[repr(C, align(8))]
    struct IndexRequest {
        name: [u8; 16],
        index: i32,
        rest: [u8; 20],
    }
    let socket = super::fds::datagram_socket()?;
    let mut request = IndexRequest { name, index: 0, rest: [0; 20] };
    // SAFETY: `socket` is open until the end of this function. SIOCGIFINDEX copies at most sizeof(struct ifreq) bytes
    // from and to `request`, which is 40 bytes and asserted not to be smaller.
    let result = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::SIOCGIFINDEX, &raw mut request) };
    check(result)?;
    const _: () = assert!(size_of::<IndexRequest>() >= size_of::<libc::ifreq>());
    u32::try_from(request.index).map_err(|_| io::Error::from_raw_os_error(libc::ENODEV))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn numbers_are_those_of_the_kernel_header() {
        assert_eq!(SET_IFF.0, 0x4004_54ca);
        assert_eq!(SET_OFFLOAD.0, 0x4004_54d0);
        assert_eq!(GET_IFF.0, 0x8004_54d2);
        assert_eq!(none(227), 0x54e3);
        assert_eq!(number(false, 213, PROGRAM_SIZE), 0x4010_54d5);
    }
}
