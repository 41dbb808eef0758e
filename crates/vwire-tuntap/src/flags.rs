//! The flags of a device and of a queue, by the names the kernel header gives them.

use std::{fmt, ops};

/// What a device carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// IP packets (`IFF_TUN`).
    Tun,
    /// Ethernet frames (`IFF_TAP`).
    Tap,
}

impl Mode {
    pub(crate) fn bits(self) -> u16 {
        match self {
            Self::Tun => 1,
            Self::Tap => 2,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tun => "tun",
            Self::Tap => "tap",
        })
    }
}

/// A set of `IFF_*` bits of `include/uapi/linux/if_tun.h`.
///
/// The set that [`Device::status`](crate::Device::status) returns has what the kernel adds by itself as well:
/// [`Flags::PERSIST`] and TUN or TAP.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u16);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// Each packet written is handed to the stack by NAPI, which lets the kernel's GRO see it (Linux 4.15).
    pub const NAPI: Self = Self(0x0010);
    /// TAP only, with [`Flags::NAPI`]: the buffers of one vectored write become fragments of one packet. Needs
    /// `CAP_NET_ADMIN` at each write's file, made for testing the kernel's receive path.
    pub const NAPI_FRAGS: Self = Self(0x0020);
    /// A device that this call makes starts without carrier (Linux 6.0).
    pub const NO_CARRIER: Self = Self(0x0040);
    /// Holds packets back in the queueing discipline while the queue is full, in place of losing them (Linux 7.3).
    pub const BACKPRESSURE: Self = Self(0x0080);
    /// Several queues may be attached (Linux 3.8).
    pub const MULTI_QUEUE: Self = Self(0x0100);
    /// No four-byte packet information in front of a packet.
    pub const NO_PACKET_INFO: Self = Self(0x1000);
    /// Has had no effect since Linux 3.6; taken so that old command lines work.
    pub const ONE_QUEUE: Self = Self(0x2000);
    /// A `struct virtio_net_hdr` in front of each packet.
    pub const VNET_HDR: Self = Self(0x4000);
    /// The device outlives its last queue. An answer only: [`Device::set_persistence`](crate::Device::set_persistence)
    /// sets it, and opening with it is refused.
    pub const PERSIST: Self = Self(0x0800);
    /// `IFF_DETACH_QUEUE`, as `TUNGETIFF` answers it.
    const DETACHED: u16 = 0x0400;

    const NAMES: [(u16, &'static str); 9] = [
        (0x0010, "IFF_NAPI"),
        (0x0020, "IFF_NAPI_FRAGS"),
        (0x0040, "IFF_NO_CARRIER"),
        (0x0080, "IFF_BACKPRESSURE"),
        (0x0100, "IFF_MULTI_QUEUE"),
        (0x0800, "IFF_PERSIST"),
        (0x1000, "IFF_NO_PI"),
        (0x2000, "IFF_ONE_QUEUE"),
        (0x4000, "IFF_VNET_HDR"),
    ];

    /// Bits a caller may ask for.
    const REQUESTABLE: u16 = 0x71f0;

    pub(crate) fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// Returns the bits as the kernel numbers them.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }

    /// Tells whether every flag of `other` is in this set.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the flags of this set that are not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Tells whether the set is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns TUN or TAP if the set says either, as an answer of the kernel does.
    #[must_use]
    pub fn mode(self) -> Option<Mode> {
        match self.0 & 0x000f {
            1 => Some(Mode::Tun),
            2 => Some(Mode::Tap),
            _ => None,
        }
    }

    pub(crate) fn requestable(self) -> Self {
        Self(self.0 & Self::REQUESTABLE)
    }

    pub(crate) fn is_detached(self) -> bool {
        self.0 & Self::DETACHED != 0
    }
}

impl ops::BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl ops::BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Display for Flags {
    /// Writes the kernel's names with `|` between them, `0` for the empty set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modes = [(1, "IFF_TUN"), (2, "IFF_TAP")];
        let mut first = true;
        for (bit, name) in modes.iter().chain(&Self::NAMES) {
            if self.0 & bit != 0 {
                f.write_str(if first { "" } else { "|" })?;
                f.write_str(name)?;
                first = false;
            }
        }
        if first { f.write_str("0") } else { Ok(()) }
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({self})")
    }
}

/// Whether a device outlives its last queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Persistence {
    /// The device stays until it is deleted.
    Kept,
    /// The device goes when its last queue is closed.
    Temporary,
}

/// Whether a device has carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// The link is up as seen from the stack.
    On,
    /// The stack sees a cable that is not plugged in.
    Off,
}

/// Whether a queue of a multi-queue device gets packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attachment {
    /// The kernel hashes flows to this queue, too.
    Attached,
    /// The queue is kept, unused, and can be attached again without privilege.
    Detached,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_print_as_the_header_names_them() {
        assert_eq!((Flags::VNET_HDR | Flags::MULTI_QUEUE).to_string(), "IFF_MULTI_QUEUE|IFF_VNET_HDR");
        assert_eq!(Flags::from_bits(0x1802).to_string(), "IFF_TAP|IFF_PERSIST|IFF_NO_PI");
        assert_eq!(Flags::NONE.to_string(), "0");
    }
}
