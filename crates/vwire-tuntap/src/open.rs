//! Making a device, and attaching to one that is there.
//!
//! The kernel has one call for both (`TUNSETIFF`): it attaches if the name is taken and creates otherwise. [`Builder`]
//! takes the three wishes apart: [`Builder::open`] is the kernel's call, [`Builder::create`] never attaches
//! (`IFF_TUN_EXCL`), and [`Builder::attach`] never creates. For the last the kernel has no flag. The crate asks for
//! interface index 1 first (`TUNSETIFINDEX`): an attach ignores the wish, while a creation fails, because index 1 is
//! the loopback device of every namespace. So there is no moment in which a device could be made by mistake.
//!
//! What belongs to the device and outlives a user (offload mask, vnet header size and byte order) is set at every
//! attach, to what was asked for or back to nothing.

use std::{
    fmt,
    fs::OpenOptions,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    thread,
};

use crate::{
    ControlError, Device, DeviceName, Errno, Flags, Mode,
    offload::{Offload, VNET_HEADER_LEN},
    sys::{fds, ioctl},
};

/// What should happen to a device that is, or is not, there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intent {
    /// Attach if the device exists, create it otherwise.
    AttachOrCreate,
    /// Create the device; fail with [`OpenCause::Exists`] if the name is taken.
    Create,
    /// Attach to the device; fail with [`OpenCause::Missing`] if there is none.
    Attach,
}

/// Says which device or queue could not be opened, at which call, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenError {
    /// What was wanted.
    pub intent: Intent,
    /// The name that was asked for.
    pub device: DeviceName,
    /// What stood in the way.
    pub cause: OpenCause,
}

/// What stood in the way of opening a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenCause {
    /// The kernel refused a call.
    Refused {
        /// The kernel's name of the call.
        call: &'static str,
        /// Its answer.
        errno: Errno,
    },
    /// The running kernel does not know these flags (`TUNGETFEATURES`).
    Unsupported(Flags),
    /// There is no device of that name in the namespace.
    Missing,
    /// There is a device of that name already.
    Exists,
    /// [`Flags::NAPI_FRAGS`] was asked for without [`Flags::NAPI`] on a TAP, which the kernel would ignore.
    FragsWithoutNapi,
    /// [`Flags::PERSIST`] was asked for, which the kernel would ignore: that is for
    /// [`set_persistence`](Device::set_persistence).
    PersistIsSetLater,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.intent {
            Intent::AttachOrCreate => "open",
            Intent::Create => "create",
            Intent::Attach => "attach to",
        };
        write!(f, "cannot {verb} `{}`", self.device)?;
        match &self.cause {
            OpenCause::Refused { call, errno } => write!(f, " ({call}): {errno}"),
            OpenCause::Unsupported(flags) => write!(f, ": this kernel has no {flags}"),
            OpenCause::Missing => f.write_str(": there is no such device here"),
            OpenCause::Exists => f.write_str(": there is a device of that name"),
            OpenCause::FragsWithoutNapi => f.write_str(": IFF_NAPI_FRAGS needs a tap and IFF_NAPI"),
            OpenCause::PersistIsSetLater => f.write_str(": IFF_PERSIST is no flag to open with (TUNSETPERSIST)"),
        }
    }
}

impl fmt::Debug for OpenError {
    /// As `Display`: it is what a user sees of an error that `main` returns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for OpenError {}

impl OpenError {
    /// Returns the kernel's error number, if the kernel refused.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self.cause {
            OpenCause::Refused { errno, .. } => Some(errno),
            _ => None,
        }
    }
}

/// How a device is to be opened.
///
/// The default has no packet information, no vnet header and one queue. Nothing is touched before one of
/// [`open`](Self::open), [`create`](Self::create) and [`attach`](Self::attach) is called; each makes one queue.
///
/// ```no_run
/// use vwire_tuntap::{Builder, DeviceName, Flags};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tap = Builder::tap(DeviceName::new("tap0")?).flags(Flags::MULTI_QUEUE).create()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Builder {
    mode: Mode,
    name: DeviceName,
    flags: Flags,
    offload: Offload,
    index: Option<u32>,
    namespace: Option<Arc<OwnedFd>>,
    settings: Settings,
}

/// What an open does to the settings that belong to the device and outlive a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settings {
    Reset,
    Left,
}

impl Builder {
    /// Starts a description of a device.
    #[must_use]
    pub fn new(mode: Mode, name: DeviceName) -> Self {
        Self {
            mode,
            name,
            flags: Flags::NO_PACKET_INFO,
            offload: Offload::NONE,
            index: None,
            namespace: None,
            settings: Settings::Reset,
        }
    }

    /// Starts a description of a TUN, which carries IP packets.
    #[must_use]
    pub fn tun(name: DeviceName) -> Self {
        Self::new(Mode::Tun, name)
    }

    /// Starts a description of a TAP, which carries Ethernet frames.
    #[must_use]
    pub fn tap(name: DeviceName) -> Self {
        Self::new(Mode::Tap, name)
    }

    /// Adds flags.
    #[must_use]
    pub fn flags(mut self, flags: Flags) -> Self {
        self.flags |= flags;
        self
    }

    /// Asks for the four bytes of packet information in front of each packet (the kernel's default, not the crate's).
    #[must_use]
    pub fn packet_info(mut self) -> Self {
        self.flags = self.flags.without(Flags::NO_PACKET_INFO);
        self
    }

    /// Asks for offloads, and with them for a vnet header ([`Flags::VNET_HDR`]).
    ///
    /// What the kernel refuses is left out and told by [`Device::offload_state`].
    #[must_use]
    pub fn offload(mut self, offload: Offload) -> Self {
        self.offload = offload;
        self.flags(Flags::VNET_HDR)
    }

    /// Asks for an interface index for a device that is created (`TUNSETIFINDEX`); an attach ignores it.
    #[must_use]
    pub fn index(mut self, index: u32) -> Self {
        self.index = Some(index);
        self
    }

    /// Leaves offload mask, vnet header size and byte order as the device has them.
    ///
    /// For who makes, keeps or deletes a device without moving packets: another queue's user may be doing that.
    /// [`offload`](Self::offload) is not carried out then, which [`Device::offload_state`] tells.
    #[must_use]
    pub fn leave_settings(mut self) -> Self {
        self.settings = Settings::Left;
        self
    }

    /// Makes or finds the device in this network namespace in place of the caller's.
    ///
    /// The descriptor works from anywhere afterwards. A short-lived thread enters the namespace, which takes
    /// `CAP_SYS_ADMIN` (`setns(2)`); the calling thread stays where it is.
    #[must_use]
    pub fn in_namespace(mut self, namespace: OwnedFd) -> Self {
        self.namespace = Some(Arc::new(namespace));
        self
    }

    /// Attaches to the device if it exists and creates it otherwise.
    ///
    /// # Errors
    /// [`OpenError`]; `EBUSY` if the only queue is taken, `EPERM` without `CAP_NET_ADMIN` and not owner,
    /// `EINVAL` if the device is of another kind or differs in [`Flags::MULTI_QUEUE`].
    pub fn open(&self) -> Result<Device, OpenError> {
        self.open_as(Intent::AttachOrCreate)
    }

    /// Creates the device and fails if there is one of that name.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenCause::Exists`] if the name is taken.
    pub fn create(&self) -> Result<Device, OpenError> {
        self.open_as(Intent::Create)
    }

    /// Attaches a queue to a device that exists.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenCause::Missing`] if there is none.
    pub fn attach(&self) -> Result<Device, OpenError> {
        self.open_as(Intent::Attach)
    }

    /// Opens the device as one of [`open`](Self::open), [`create`](Self::create) and [`attach`](Self::attach).
    ///
    /// # Errors
    /// As those.
    pub fn open_as(&self, intent: Intent) -> Result<Device, OpenError> {
        let Some(namespace) = &self.namespace else {
            return self.open_here(intent);
        };
        let in_there = || {
            fds::enter_namespace(namespace.as_fd()).map_err(|error| self.refused(intent, "setns", &error))?;
            self.open_here(intent)
        };
        thread::scope(|scope| {
            let joined = thread::Builder::new().name("tuntap-setns".into()).spawn_scoped(scope, in_there);
            let joined = joined.map_err(|error| self.refused(intent, "clone", &error))?.join();
            joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn open_here(&self, intent: Intent) -> Result<Device, OpenError> {
        let fail = |cause| OpenError { intent, device: self.name, cause };
        let refused = |call: &'static str| move |error: std::io::Error| self.refused(intent, call, &error);
        if self.flags.contains(Flags::NAPI_FRAGS) && !(self.mode == Mode::Tap && self.flags.contains(Flags::NAPI)) {
            return Err(fail(OpenCause::FragsWithoutNapi));
        }
        if self.flags.contains(Flags::PERSIST) {
            return Err(fail(OpenCause::PersistIsSetLater));
        }
        let present = ioctl::interface_index(self.name.raw()).is_ok();
        match (intent, present) {
            (Intent::Attach, false) => return Err(fail(OpenCause::Missing)),
            (Intent::Create, true) => return Err(fail(OpenCause::Exists)),
            _ => {}
        }
        let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun");
        let fd = OwnedFd::from(file.map_err(refused("open /dev/net/tun"))?);
        let flags = self.supported(&fd).map_err(fail)?;
        let index = if intent == Intent::Attach { Some(LOOPBACK_INDEX) } else { self.index };
        if let Some(index) = index {
            let mut index = i32::try_from(index).map_err(|_| {
                let errno = Errno::EINVAL;
                fail(OpenCause::Refused { call: ioctl::SET_IFINDEX.name(), errno })
            })?;
            ioctl::by_int(fd.as_fd(), ioctl::SET_IFINDEX, &mut index).map_err(refused(ioctl::SET_IFINDEX.name()))?;
        }
        let exclusive = if intent == Intent::Create { TUN_EXCL } else { 0 };
        let bits = flags.bits() | self.mode.bits() | exclusive;
        let mut request = ioctl::InterfaceRequest::new(self.name.raw(), bits);
        if let Err(error) = ioctl::by_request(fd.as_fd(), ioctl::SET_IFF, &mut request) {
            return Err(match (intent, Errno::from(&error)) {
                // Gone between the look above and the call: the loopback's index kept the kernel from making it.
                (Intent::Attach, Errno::EBUSY) if ioctl::interface_index(self.name.raw()).is_err() => {
                    fail(OpenCause::Missing)
                }
                (Intent::Create, Errno::EBUSY) if ioctl::interface_index(self.name.raw()).is_ok() => {
                    fail(OpenCause::Exists)
                }
                _ => refused(ioctl::SET_IFF.name())(error),
            });
        }
        let name = DeviceName::from_kernel(request.name);
        let device = Device::from_parts(fd, name, self.mode, flags);
        let settled = match self.settings {
            Settings::Reset => self.reset_shared_state(&device),
            Settings::Left => device.adopt_vnet_header().map(|()| device.leave_offload(self.offload)),
        };
        settled.map_err(|ControlError { call, errno, .. }| fail(OpenCause::Refused { call, errno }))?;
        Ok(device)
    }

    fn refused(&self, intent: Intent, call: &'static str, error: &std::io::Error) -> OpenError {
        OpenError { intent, device: self.name, cause: OpenCause::Refused { call, errno: Errno::from(error) } }
    }

    /// Returns the flags to ask for, or those among them that the kernel lacks.
    fn supported(&self, fd: &OwnedFd) -> Result<Flags, OpenCause> {
        let wanted = self.flags.requestable();
        let known = features_of(fd).map_err(|errno| OpenCause::Refused { call: ioctl::GET_FEATURES.name(), errno })?;
        let missing = wanted.without(known);
        // It has had no effect for so long that a kernel without it is no worse.
        let missing = missing.without(Flags::ONE_QUEUE);
        if missing.is_empty() { Ok(wanted) } else { Err(OpenCause::Unsupported(missing)) }
    }

    /// Sets what the device keeps from user to user, so that a former one's choice never meets this one's traffic.
    fn reset_shared_state(&self, device: &Device) -> Result<(), ControlError> {
        if self.flags.contains(Flags::VNET_HDR) {
            device.set_vnet_header_size(VNET_HEADER_LEN)?;
            device.set_vnet_endian(crate::Endian::Little)?;
        }
        device.negotiate_offload(self.offload)
    }
}

/// `LOOPBACK_IFINDEX` of `include/net/flow.h`: taken in every namespace.
const LOOPBACK_INDEX: u32 = 1;

/// `IFF_TUN_EXCL` of `include/uapi/linux/if_tun.h`.
const TUN_EXCL: u16 = 0x8000;

/// Returns the flags the running kernel knows (`TUNGETFEATURES`).
///
/// # Errors
/// The error number of opening `/dev/net/tun` (`ENOENT` and `ENODEV` without the driver, `EACCES` by permission), or
/// of the call.
pub fn features() -> Result<Flags, Errno> {
    let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun").map_err(Errno::from)?;
    features_of(&OwnedFd::from(file))
}

fn features_of(fd: &OwnedFd) -> Result<Flags, Errno> {
    let mut bits = 0;
    ioctl::by_int(fd.as_fd(), ioctl::GET_FEATURES, &mut bits).map_err(Errno::from)?;
    Ok(Flags::from_bits(u16::try_from(bits & 0xffff).unwrap_or(0)))
}
