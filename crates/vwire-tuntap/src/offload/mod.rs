//! Super-packets: what they are, how to cut one into packets, and how to make one out of many.
//!
//! Pure: nothing in this room knows a clock, a socket or a file.

pub mod checksum;
mod headers;
mod merge;
mod split;
mod vnet;

use std::{fmt, ops};

pub use headers::Layer;
pub use merge::{Group, HEADER_ROOM, MOST_SEGMENTS, Merger};
pub(crate) use split::is_regular;
pub use split::{Segments, SplitError, finish_checksum};
pub use vnet::{Checksum, Segmentation, SuperKind, UnknownHeader, VnetHeader};

/// The length in bytes of a `struct virtio_net_hdr` without merged receive buffers.
pub const VNET_HEADER_LEN: usize = 10;

/// A set of `TUN_F_*` bits: what a reader takes from the kernel unfinished.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Offload(u32);

impl Offload {
    /// Nothing: every packet comes whole, within the MTU and with its checksums made.
    pub const NONE: Self = Self(0);
    /// Packets may lack their TCP or UDP checksum (`TUN_F_CSUM`). The others need it.
    pub const CHECKSUM: Self = Self(0x01);
    /// TCP super-packets of both IP versions, with and without ECN (`TUN_F_TSO4`, `TUN_F_TSO6`, `TUN_F_TSO_ECN`).
    pub const TSO: Self = Self(0x02 | 0x04 | 0x08);
    /// TCP super-packets over IPv4 (`TUN_F_TSO4`).
    pub const TSO4: Self = Self(0x02);
    /// TCP super-packets over IPv6 (`TUN_F_TSO6`).
    pub const TSO6: Self = Self(0x04);
    /// TCP super-packets whose first segment carries CWR (`TUN_F_TSO_ECN`), with one of the other two.
    pub const TSO_ECN: Self = Self(0x08);
    /// UDP super-packets of both IP versions (`TUN_F_USO4`, `TUN_F_USO6`, Linux 6.2); the kernel has them only
    /// together.
    pub const USO: Self = Self(0x20 | 0x40);
    /// Everything this crate can finish itself.
    pub const ALL: Self = Self(0x01 | 0x02 | 0x04 | 0x08 | 0x20 | 0x40);

    /// Returns the bits as the kernel numbers them.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Tells whether every bit of `other` is in this set.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the set without the bits of `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Tells whether the set is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl ops::BitOr for Offload {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Offload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Offload({:#x})", self.0)
    }
}

/// Which offloads are in force on a device, and why others are not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OffloadState {
    /// The mask the kernel took.
    pub active: Offload,
    /// What was asked for beyond it.
    pub refused: Offload,
    /// Why, if anything was refused.
    pub reason: Option<&'static str>,
}
