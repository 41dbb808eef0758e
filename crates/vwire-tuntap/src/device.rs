//! One queue of a device, and everything that can be asked of the device through it.
//!
//! A [`Device`] is a descriptor and what was agreed when it was opened. The kernel keeps most settings with the
//! device and not with the queue, so a call on one queue is felt by all; each method says so. A device may be renamed
//! or moved to another namespace while it is open: [`Device::status`] asks for the name of the moment.
//!
//! Nothing here waits but [`Device::read`] and [`Device::write`]: each call is one ioctl, named with its method, of
//! `__tun_chr_ioctl` in the kernel's `drivers/net/tun.c`. All of them fail with `EBADFD` once the device is deleted.

use std::{
    fmt, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
    },
};

use crate::{
    Attachment, Carrier, DeviceName, Errno, Flags, Instruction, Mode, Multicast, Persistence,
    offload::{Offload, OffloadState, SuperKind, VNET_HEADER_LEN},
    sys::ioctl::{self, ByInt, ByRequest, ByValue},
};

/// Says what could not be done to a device, at which call, and what the kernel answered.
#[derive(Clone, PartialEq, Eq)]
pub struct ControlError {
    /// What was tried, as a verb with its object: "set the owner of".
    pub action: &'static str,
    /// The device, by the name it was opened with.
    pub device: DeviceName,
    /// The kernel's name of the call.
    pub call: &'static str,
    /// The kernel's answer.
    pub errno: Errno,
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} `{}` ({}): {}", self.action, self.device, self.call, self.errno)
    }
}

impl fmt::Debug for ControlError {
    /// As `Display`: it is what a user sees of an error that `main` returns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ControlError {}

/// The byte order of the numbers in a vnet header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endian {
    /// As virtio 1.0 has it; the crate sets this at every attach.
    Little,
    /// As a legacy big-endian guest has it. Refused with `EINVAL` by a little-endian kernel without
    /// `CONFIG_TUN_VNET_CROSS_LE`.
    Big,
}

/// What the kernel says of a device at this moment (`TUNGETIFF`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The device's name now; it may have been renamed.
    pub name: DeviceName,
    /// The device's flags. [`Flags::NO_PACKET_INFO`] says nothing here: the kernel uses its bit in this answer for
    /// "no filter is attached" (`IFF_NOFILTER`).
    pub flags: Flags,
    /// Whether this queue gets packets.
    pub attachment: Attachment,
}

/// One queue of a TUN or TAP device.
///
/// Closing the last queue removes a device that is not persistent. All methods take `&self`: the kernel orders calls
/// of several threads, and one thread may read while another writes.
pub struct Device {
    fd: OwnedFd,
    name: DeviceName,
    mode: Mode,
    flags: Flags,
    /// Length in bytes of the vnet header, 0 without one.
    vnet_header: AtomicUsize,
    /// The numbers in the vnet header are big-endian.
    big_endian: AtomicBool,
    offload: Mutex<OffloadState>,
    /// Kinds of super-packets that writes were refused with: [`REFUSED_TCP`], [`REFUSED_UDP`].
    refused: AtomicU8,
    /// How many reads in a row brought one packet, for [`Device::recv`].
    pub(crate) alone: AtomicU8,
}

/// Kinds of super-packets that a device does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefusedKinds {
    pub(crate) tcp: bool,
    pub(crate) udp: bool,
}

const REFUSED_TCP: u8 = 1;
const REFUSED_UDP: u8 = 2;

impl Device {
    pub(crate) fn from_parts(fd: OwnedFd, name: DeviceName, mode: Mode, flags: Flags) -> Self {
        let vnet_header = if flags.contains(Flags::VNET_HDR) { VNET_HEADER_LEN } else { 0 };
        Self {
            fd,
            name,
            mode,
            flags,
            vnet_header: vnet_header.into(),
            big_endian: false.into(),
            offload: Mutex::default(),
            refused: 0.into(),
            alone: 0.into(),
        }
    }

    /// Takes over a queue that another process opened and handed down.
    ///
    /// The name and flags are asked of the kernel. Whether packets carry packet information cannot be asked (see
    /// [`Status::flags`]): `packet_info` says it.
    ///
    /// # Errors
    /// [`ControlError`] with `EBADFD` if the descriptor is of `/dev/net/tun` but has no device, and `ENOTTY` if it is
    /// something else. The descriptor is closed then.
    pub fn from_fd(fd: OwnedFd, packet_info: PacketInfo) -> Result<Self, ControlError> {
        let mut request = ioctl::InterfaceRequest::new([0; 16], 0);
        let unnamed = DeviceName::from_kernel([0; 16]);
        let fail = |errno| ControlError { action: "take over", device: unnamed, call: "TUNGETIFF", errno };
        ioctl::by_request(fd.as_fd(), ioctl::GET_IFF, &mut request).map_err(|error| fail(error.into()))?;
        let flags = Flags::from_bits(request.flags);
        let mode = flags.mode().ok_or_else(|| fail(Errno::EINVAL))?;
        let flags = flags.requestable().without(Flags::NO_PACKET_INFO);
        let flags = if packet_info == PacketInfo::Absent { flags | Flags::NO_PACKET_INFO } else { flags };
        let device = Self::from_parts(fd, DeviceName::from_kernel(request.name), mode, flags);
        device.adopt_vnet_header()?;
        Ok(device)
    }

    /// Takes the vnet header as another user of the device has left it.
    pub(crate) fn adopt_vnet_header(&self) -> Result<(), ControlError> {
        if self.flags.contains(Flags::VNET_HDR) {
            self.vnet_header.store(self.vnet_header_size()?, Ordering::Relaxed);
            self.big_endian.store(self.vnet_endian()? == Endian::Big, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Gives the descriptor away, to be handed to another process or library.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }

    /// Opens the same queue a second time in this process (`dup`): both handles take packets from one queue.
    ///
    /// # Errors
    /// [`ControlError`] with `EMFILE` at the limit of descriptors.
    pub fn try_clone(&self) -> Result<Self, ControlError> {
        let fd = self.fd.try_clone().map_err(|error| self.error("duplicate", "dup", &error))?;
        let size = self.vnet_header.load(Ordering::Relaxed);
        Ok(Self {
            fd,
            name: self.name,
            mode: self.mode,
            flags: self.flags,
            vnet_header: size.into(),
            big_endian: self.speaks_big_endian().into(),
            offload: Mutex::new(self.offload_state()),
            refused: self.refused.load(Ordering::Relaxed).into(),
            alone: 0.into(),
        })
    }

    /// Returns the name the device had when it was opened, with `%d` replaced.
    #[must_use]
    pub fn name(&self) -> DeviceName {
        self.name
    }

    /// Returns whether this is a TUN or a TAP.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns the flags the queue was opened with.
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// Asks the kernel for the device's name and flags of the moment.
    ///
    /// # Errors
    /// [`ControlError`] with `EBADFD` once the device is deleted.
    pub fn status(&self) -> Result<Status, ControlError> {
        let mut request = ioctl::InterfaceRequest::new([0; 16], 0);
        self.by_request("ask about", ioctl::GET_IFF, &mut request)?;
        let flags = Flags::from_bits(request.flags);
        let attachment = if flags.is_detached() { Attachment::Detached } else { Attachment::Attached };
        let flags = flags.without(Flags::from_bits(0x0400));
        Ok(Status { name: DeviceName::from_kernel(request.name), flags, attachment })
    }

    /// Makes the device outlive its last queue, or not (`TUNSETPERSIST`; the whole device).
    ///
    /// # Errors
    /// [`ControlError`] with the kernel's answer.
    pub fn set_persistence(&self, persistence: Persistence) -> Result<(), ControlError> {
        let value = u32::from(persistence == Persistence::Kept);
        self.by_value("set persistence of", ioctl::SET_PERSIST, value)
    }

    /// Lets a user open the device without `CAP_NET_ADMIN` (`TUNSETOWNER`; the whole device).
    ///
    /// The kernel has no way back to "nobody": it refuses the number that would mean it.
    ///
    /// # Errors
    /// [`ControlError`] with `EINVAL` for a user that the caller's user namespace does not map.
    pub fn set_owner(&self, user: u32) -> Result<(), ControlError> {
        self.by_value("set the owner of", ioctl::SET_OWNER, user)
    }

    /// Lets members of a group open the device without `CAP_NET_ADMIN` (`TUNSETGROUP`; the whole device).
    ///
    /// # Errors
    /// As [`set_owner`](Self::set_owner).
    pub fn set_group(&self, group: u32) -> Result<(), ControlError> {
        self.by_value("set the group of", ioctl::SET_GROUP, group)
    }

    /// Plugs the cable in or out (`TUNSETCARRIER`, Linux 5.0; the whole device).
    ///
    /// # Errors
    /// [`ControlError`] with the kernel's answer.
    pub fn set_carrier(&self, carrier: Carrier) -> Result<(), ControlError> {
        self.by_int("set carrier of", ioctl::SET_CARRIER, i32::from(carrier == Carrier::On)).map(drop)
    }

    /// Sets the hardware type shown for the device, an `ARPHRD_*` number (`TUNSETLINK`; the whole device).
    ///
    /// # Errors
    /// [`ControlError`] with `EBUSY` while the device is up.
    pub fn set_link_type(&self, hardware: u16) -> Result<(), ControlError> {
        self.by_value("set the link type of", ioctl::SET_LINK, u32::from(hardware))
    }

    /// Attaches or detaches this queue of a multi-queue device (`TUNSETQUEUE`).
    ///
    /// A detached queue gets no packets and loses those it held; writes through it go on. A reader that waits is not
    /// woken: it goes on when the queue is attached again, or fails when the device is deleted. Attaching again needs
    /// no privilege beyond what the device's owner and group allow.
    ///
    /// # Errors
    /// [`ControlError`] with `EINVAL` if the queue is in that state already or the device has a single queue.
    pub fn set_attachment(&self, attachment: Attachment) -> Result<(), ControlError> {
        let bits = match attachment {
            Attachment::Attached => 0x0200,
            Attachment::Detached => 0x0400,
        };
        let mut request = ioctl::InterfaceRequest::new([0; 16], bits);
        self.by_request("attach or detach a queue of", ioctl::SET_QUEUE, &mut request)
    }

    /// Returns how many bytes may wait inside the kernel for packets written here (`TUNGETSNDBUF`).
    ///
    /// # Errors
    /// [`ControlError`] with the kernel's answer.
    pub fn send_buffer(&self) -> Result<u32, ControlError> {
        let bytes = self.by_int("read the send buffer of", ioctl::GET_SNDBUF, 0)?;
        Ok(bytes.cast_unsigned())
    }

    /// Sets how many bytes may wait inside the kernel for packets written here (`TUNSETSNDBUF`; every queue).
    ///
    /// A write blocks, or fails with `EAGAIN`, beyond it. The kernel's default is the largest `i32`.
    ///
    /// # Errors
    /// [`ControlError`] with `EINVAL` for 0 and beyond the largest `i32`.
    pub fn set_send_buffer(&self, bytes: u32) -> Result<(), ControlError> {
        self.by_int("set the send buffer of", ioctl::SET_SNDBUF, bytes.cast_signed()).map(drop)
    }

    /// Returns the length of the vnet header in bytes (`TUNGETVNETHDRSZ`).
    ///
    /// # Errors
    /// [`ControlError`] with the kernel's answer.
    pub fn vnet_header_size(&self) -> Result<usize, ControlError> {
        let bytes = self.by_int("read the vnet header size of", ioctl::GET_VNET_HDR_SIZE, 0)?;
        Ok(usize::try_from(bytes).unwrap_or(0))
    }

    /// Sets the length of the vnet header in bytes (`TUNSETVNETHDRSZ`; the whole device): 10, or 12 for a guest with
    /// merged receive buffers.
    ///
    /// Other handles of the device are not told; use it before packets flow. Longer ones than 12 (Linux 6.17 knows some)
    /// are for who uses [`read`](Self::read) and [`write`](Self::write): batches refuse them.
    ///
    /// # Errors
    /// [`ControlError`] with `EINVAL` below 10.
    pub fn set_vnet_header_size(&self, bytes: usize) -> Result<(), ControlError> {
        let value = i32::try_from(bytes).unwrap_or(0);
        self.by_int("set the vnet header size of", ioctl::SET_VNET_HDR_SIZE, value)?;
        if self.flags.contains(Flags::VNET_HDR) {
            self.vnet_header.store(bytes, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Returns the byte order of the vnet header's numbers (`TUNGETVNETLE`, `TUNGETVNETBE`).
    ///
    /// # Errors
    /// [`ControlError`] with the kernel's answer.
    pub fn vnet_endian(&self) -> Result<Endian, ControlError> {
        if self.by_int("read the vnet byte order of", ioctl::GET_VNET_LE, 0)? != 0 {
            return Ok(Endian::Little);
        }
        let big = match self.by_int("read the vnet byte order of", ioctl::GET_VNET_BE, 0) {
            Ok(big) => big != 0,
            Err(error) if error.errno == Errno::EINVAL => cfg!(target_endian = "big"),
            Err(error) => return Err(error),
        };
        let big = big || cfg!(target_endian = "big");
        Ok(if big { Endian::Big } else { Endian::Little })
    }

    /// Sets the byte order of the vnet header's numbers (`TUNSETVNETLE`, `TUNSETVNETBE`; the whole device).
    ///
    /// Batches speak little-endian and refuse the other; it is for who uses [`read`](Self::read) and
    /// [`write`](Self::write).
    ///
    /// # Errors
    /// [`ControlError`] with `EINVAL` for [`Endian::Big`] on a kernel without it.
    pub fn set_vnet_endian(&self, endian: Endian) -> Result<(), ControlError> {
        let action = "set the vnet byte order of";
        match endian {
            Endian::Little => self.by_int(action, ioctl::SET_VNET_LE, 1)?,
            Endian::Big => {
                self.by_int(action, ioctl::SET_VNET_BE, 1)?;
                self.by_int(action, ioctl::SET_VNET_LE, 0)?
            }
        };
        self.big_endian.store(endian == Endian::Big, Ordering::Relaxed);
        Ok(())
    }

    #[inline]
    pub(crate) fn speaks_big_endian(&self) -> bool {
        self.big_endian.load(Ordering::Relaxed)
    }

    /// Sets which destination addresses a TAP passes to its reader (`TUNSETTXFILTER`; the whole device).
    ///
    /// Eight addresses are matched exactly; further ones must be multicast and are matched by a 64-bit hash. Returns
    /// how many are exact. Broadcast has to be named to pass; an empty list passes everything.
    ///
    /// # Errors
    /// [`ControlError`] with `EINVAL` on a TUN and beyond 1,024 addresses.
    pub fn set_destination_filter(&self, addresses: &[[u8; 6]], multicast: Multicast) -> Result<usize, ControlError> {
        let flags = u16::from(multicast == Multicast::All);
        let result = ioctl::set_tx_filter(self.as_fd(), flags, addresses);
        result.map_err(|error| self.error("set the address filter of", ioctl::SET_TX_FILTER_NAME, &error))
    }

    /// Attaches a classic BPF program that decides which frames a TAP passes to its reader (`TUNATTACHFILTER`; every
    /// queue).
    ///
    /// # Errors
    /// [`ControlError`] with `EINVAL` on a TUN and for a program the kernel refuses.
    pub fn attach_filter(&self, program: &[Instruction]) -> Result<(), ControlError> {
        let program: Vec<_> = program.iter().map(|instruction| instruction.0).collect();
        let result = ioctl::attach_filter(self.as_fd(), &program);
        result.map_err(|error| self.error("attach a filter to", ioctl::ATTACH_FILTER_NAME, &error))
    }

    /// Takes the classic BPF program off (`TUNDETACHFILTER`; every queue).
    ///
    /// # Errors
    /// [`ControlError`] with `EINVAL` on a TUN.
    pub fn detach_filter(&self) -> Result<(), ControlError> {
        let result = ioctl::detach_filter(self.as_fd());
        result.map_err(|error| self.error("detach the filter of", ioctl::DETACH_FILTER_NAME, &error))
    }

    /// Lets an eBPF socket filter choose the queue of each packet: its result modulo the number of queues
    /// (`TUNSETSTEERINGEBPF`, Linux 4.16; the whole device). `None` goes back to the flow hash.
    ///
    /// # Errors
    /// [`ControlError`] with `EINVAL` if the descriptor is no socket filter program.
    pub fn set_steering(&self, program: Option<BorrowedFd<'_>>) -> Result<(), ControlError> {
        self.by_program("set the steering program of", ioctl::SET_STEERING_EBPF, program)
    }

    /// Lets an eBPF socket filter cut or drop packets before they reach a queue: its result is the length kept
    /// (`TUNSETFILTEREBPF`, Linux 4.16; the whole device). `None` takes it off.
    ///
    /// # Errors
    /// As [`set_steering`](Self::set_steering).
    pub fn set_filter_program(&self, program: Option<BorrowedFd<'_>>) -> Result<(), ControlError> {
        self.by_program("set the filter program of", ioctl::SET_FILTER_EBPF, program)
    }

    /// Opens the network namespace the device is in now (`TUNGETDEVNETNS`, Linux 5.2).
    ///
    /// # Errors
    /// [`ControlError`] with `EPERM` without `CAP_NET_ADMIN` over that namespace.
    pub fn namespace(&self) -> Result<OwnedFd, ControlError> {
        let result = ioctl::device_namespace(self.as_fd());
        result.map_err(|error| self.error("open the namespace of", ioctl::GET_NETNS_NAME, &error))
    }

    /// Reads one packet with whatever headers the flags put in front, and blocks until there is one
    /// (`tun_chr_read_iter`).
    ///
    /// Returns the length; what does not fit `buffer` is cut off silently by the kernel.
    ///
    /// # Errors
    /// The kernel's error: `EBADFD` or `EFAULT` once the device is deleted, `EAGAIN` on a non-blocking descriptor.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        crate::sys::io::read(self.as_fd(), buffer)
    }

    /// Writes one packet with whatever headers the flags put in front (`tun_get_user`). Returns its length in bytes.
    ///
    /// It blocks while the send buffer is full, which by default is never (see
    /// [`set_send_buffer`](Self::set_send_buffer)).
    ///
    /// # Errors
    /// The kernel's error: `EIO` while the device is down, `EINVAL` for a packet it cannot take.
    pub fn write(&self, packet: &[u8]) -> io::Result<usize> {
        crate::sys::io::write(self.as_fd(), packet)
    }

    /// Returns the offloads in force and what was refused of those asked for.
    #[must_use]
    pub fn offload_state(&self) -> OffloadState {
        self.offload.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets what this queue's readers take from the kernel unfinished (`TUNSETOFFLOAD`; the whole device), as a guest
    /// may say after it has started. Returns what is in force; USO is left out where the kernel has none.
    ///
    /// Packets that are in the queue already come as they were made.
    ///
    /// # Errors
    /// [`ControlError`] with `EINVAL` without [`Flags::VNET_HDR`], whose header tells what is unfinished, and for others
    /// without [`Offload::CHECKSUM`].
    pub fn set_offload(&self, wanted: Offload) -> Result<OffloadState, ControlError> {
        if !wanted.is_empty() && !self.flags.contains(Flags::VNET_HDR) {
            let error = io::Error::from_raw_os_error(libc::EINVAL);
            return Err(self.error("set offloads of", ioctl::SET_OFFLOAD.name(), &error));
        }
        self.negotiate_offload(wanted)?;
        Ok(self.offload_state())
    }

    /// Notes offloads that were asked for and not set.
    pub(crate) fn leave_offload(&self, wanted: Offload) {
        let reason = (!wanted.is_empty()).then_some("the device's settings were to be left as they are");
        self.note_offload(OffloadState { active: Offload::NONE, refused: wanted, reason });
    }

    fn note_offload(&self, state: OffloadState) {
        *self.offload.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Returns the bytes in front of each packet: packet information and vnet header.
    #[must_use]
    pub fn prefix_len(&self) -> usize {
        let packet_info = if self.flags.contains(Flags::NO_PACKET_INFO) { 0 } else { 4 };
        packet_info + self.vnet_header.load(Ordering::Relaxed)
    }

    /// Sets the offload mask, leaving out what the kernel refuses, and notes the outcome.
    pub(crate) fn negotiate_offload(&self, wanted: Offload) -> Result<(), ControlError> {
        let mut state = OffloadState { active: wanted, refused: Offload::NONE, reason: None };
        if let Err(error) = self.set_offload_mask(wanted) {
            // Linux 6.2 brought USO; before it the mask as a whole is refused.
            let fewer = wanted.without(Offload::USO);
            if fewer == wanted || error.errno != Errno::EINVAL {
                return Err(error);
            }
            self.set_offload_mask(fewer)?;
            let reason = "the kernel has no UDP segmentation offload (TUN_F_USO4, Linux 6.2)";
            state = OffloadState { active: fewer, refused: Offload::USO, reason: Some(reason) };
        }
        if !state.active.is_empty() {
            for kind in crate::probe::refused_kinds(self) {
                let (_, reason) = self.note_refusal(kind);
                state.reason = Some(reason);
            }
        }
        self.note_offload(state);
        Ok(())
    }

    /// Returns the kinds of super-packets that the kernel was seen to refuse.
    #[inline]
    pub(crate) fn refused_kinds(&self) -> RefusedKinds {
        let bits = self.refused.load(Ordering::Relaxed);
        RefusedKinds { tcp: bits & REFUSED_TCP != 0, udp: bits & REFUSED_UDP != 0 }
    }

    /// Notes that the kernel refused a super-packet, and returns whether this is news, and the reason to tell.
    pub(crate) fn note_refusal(&self, kind: SuperKind) -> (bool, &'static str) {
        let (bit, reason) = match kind {
            SuperKind::Udp => (REFUSED_UDP, "the kernel refuses UDP super-packets; they are cut here"),
            _ => (REFUSED_TCP, "the kernel refuses TCP super-packets; they are cut here"),
        };
        let before = self.refused.fetch_or(bit, Ordering::Relaxed);
        (before & bit == 0, reason)
    }

    fn set_offload_mask(&self, offload: Offload) -> Result<(), ControlError> {
        self.by_value("set offloads of", ioctl::SET_OFFLOAD, offload.bits())
    }

    fn by_program(
        &self,
        action: &'static str,
        request: ByInt,
        program: Option<BorrowedFd<'_>>,
    ) -> Result<(), ControlError> {
        use std::os::fd::AsRawFd;
        let number = program.map_or(-1, |program| program.as_raw_fd());
        self.by_int(action, request, number).map(drop)
    }

    fn by_value(&self, action: &'static str, request: ByValue, value: u32) -> Result<(), ControlError> {
        let result = ioctl::by_value(self.as_fd(), request, value);
        result.map_err(|error| self.error(action, request.name(), &error))
    }

    fn by_int(&self, action: &'static str, request: ByInt, mut value: i32) -> Result<i32, ControlError> {
        let result = ioctl::by_int(self.as_fd(), request, &mut value);
        result.map(|()| value).map_err(|error| self.error(action, request.name(), &error))
    }

    fn by_request(
        &self,
        action: &'static str,
        request: ByRequest,
        value: &mut ioctl::InterfaceRequest,
    ) -> Result<(), ControlError> {
        let result = ioctl::by_request(self.as_fd(), request, value);
        result.map_err(|error| self.error(action, request.name(), &error))
    }

    fn error(&self, action: &'static str, call: &'static str, error: &io::Error) -> ControlError {
        ControlError { action, device: self.name, call, errno: error.into() }
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("name", &self.name)
            .field("mode", &self.mode)
            .field("flags", &self.flags)
            .finish_non_exhaustive()
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Whether four bytes of packet information precede each packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PacketInfo {
    /// Two bytes of flags and two of the protocol, as without `IFF_NO_PI`.
    Present,
    /// None, as with `IFF_NO_PI`.
    Absent,
}
