//! The header that tells what is left to do to a packet (`struct virtio_net_hdr`).

/// What is left to do to a packet before it may go on a wire.
///
/// It stands for the ten bytes of `struct virtio_net_hdr` (`include/uapi/linux/virtio_net.h`, virtio 1.2 section
/// 5.1.6) in little-endian order, which the crate asks the kernel for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VnetHeader {
    /// Whether the transport checksum is made, and by whom it was seen.
    pub checksum: Checksum,
    /// Whether this is a super-packet, and of what.
    pub segments: Segmentation,
    /// How many bytes of headers the sender believes there are; a hint for the kernel's memory layout only.
    pub header_len: u16,
}

/// The state of a packet's transport checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checksum {
    /// It is in the packet as it was on the wire; nobody vouches for it.
    #[default]
    InPacket,
    /// It is in the packet and the kernel found it right (`VIRTIO_NET_HDR_F_DATA_VALID`).
    Verified,
    /// The field holds the sum of the pseudo header; the sum from `start` to the end is to be added
    /// (`VIRTIO_NET_HDR_F_NEEDS_CSUM`).
    Needed {
        /// Where summing starts, in bytes from the start of the packet or frame.
        start: u16,
        /// Where the field is, in bytes from `start`.
        offset: u16,
    },
}

/// Whether a packet is several in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Segmentation {
    /// One packet (`VIRTIO_NET_HDR_GSO_NONE`).
    #[default]
    None,
    /// A super-packet.
    Super {
        /// What it is made of.
        kind: SuperKind,
        /// How many bytes of payload each segment but the last has.
        size: u16,
        /// The first segment carries CWR (`VIRTIO_NET_HDR_GSO_ECN`).
        ecn: bool,
    },
}

/// What a super-packet is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuperKind {
    /// TCP over IPv4 (`VIRTIO_NET_HDR_GSO_TCPV4`).
    Tcp4,
    /// TCP over IPv6 (`VIRTIO_NET_HDR_GSO_TCPV6`).
    Tcp6,
    /// UDP over either, cut into datagrams (`VIRTIO_NET_HDR_GSO_UDP_L4`).
    Udp,
}

const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;
const GSO_ECN: u8 = 0x80;

/// A header that this crate cannot act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownHeader {
    /// The value of its `gso_type` field.
    pub gso_type: u8,
}

impl std::fmt::Display for UnknownHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unknown super-packet type {:#x} in a vnet header", self.gso_type)
    }
}

impl std::error::Error for UnknownHeader {}

impl VnetHeader {
    /// Says that nothing is left to do and nothing is vouched for.
    pub const NONE: Self = Self { checksum: Checksum::InPacket, segments: Segmentation::None, header_len: 0 };

    /// Reads the ten bytes in front of a packet.
    ///
    /// # Errors
    /// [`UnknownHeader`] for super-packets that the crate never asks for, such as UFO.
    #[inline]
    pub fn parse(bytes: [u8; 10]) -> Result<Self, UnknownHeader> {
        let [flags, gso_type, h0, h1, s0, s1, c0, c1, o0, o1] = bytes;
        let checksum = if flags & NEEDS_CSUM != 0 {
            Checksum::Needed { start: u16::from_le_bytes([c0, c1]), offset: u16::from_le_bytes([o0, o1]) }
        } else if flags & DATA_VALID != 0 {
            Checksum::Verified
        } else {
            Checksum::InPacket
        };
        let kind = match gso_type & !GSO_ECN {
            0 => None,
            1 => Some(SuperKind::Tcp4),
            4 => Some(SuperKind::Tcp6),
            5 => Some(SuperKind::Udp),
            _ => return Err(UnknownHeader { gso_type }),
        };
        let size = u16::from_le_bytes([s0, s1]);
        let segments = match kind {
            None => Segmentation::None,
            Some(kind) => Segmentation::Super { kind, size, ecn: gso_type & GSO_ECN != 0 },
        };
        Ok(Self { checksum, segments, header_len: u16::from_le_bytes([h0, h1]) })
    }

    /// Returns the ten bytes to go in front of a packet.
    #[inline]
    #[must_use]
    pub fn to_bytes(self) -> [u8; 10] {
        let (flags, start, offset) = match self.checksum {
            Checksum::InPacket => (0, 0, 0),
            Checksum::Verified => (DATA_VALID, 0, 0),
            Checksum::Needed { start, offset } => (NEEDS_CSUM, start, offset),
        };
        let (gso_type, size) = match self.segments {
            Segmentation::None => (0, 0),
            Segmentation::Super { kind, size, ecn } => {
                let kind = match kind {
                    SuperKind::Tcp4 => 1,
                    SuperKind::Tcp6 => 4,
                    SuperKind::Udp => 5,
                };
                (if ecn { kind | GSO_ECN } else { kind }, size)
            }
        };
        let [h0, h1] = self.header_len.to_le_bytes();
        let [s0, s1] = size.to_le_bytes();
        let [c0, c1] = start.to_le_bytes();
        let [o0, o1] = offset.to_le_bytes();
        [flags, gso_type, h0, h1, s0, s1, c0, c1, o0, o1]
    }

    /// Tells whether this announces a super-packet.
    #[inline]
    #[must_use]
    pub fn is_super(self) -> bool {
        self.segments != Segmentation::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_written_reads_back_the_same() {
        let checksums = [Checksum::InPacket, Checksum::Verified, Checksum::Needed { start: 34, offset: 16 }];
        for checksum in checksums {
            for kind in [SuperKind::Tcp4, SuperKind::Tcp6, SuperKind::Udp] {
                for ecn in [false, true] {
                    let segments = Segmentation::Super { kind, size: 1448, ecn };
                    let header = VnetHeader { checksum, segments, header_len: 66 };
                    assert_eq!(VnetHeader::parse(header.to_bytes()), Ok(header));
                }
            }
        }
        assert_eq!(VnetHeader::parse([0; 10]), Ok(VnetHeader::NONE));
    }

    #[test]
    fn ufo_is_refused_by_name() {
        let error = VnetHeader::parse([0, 3, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap_err();
        assert_eq!(error.gso_type, 3);
    }
}
