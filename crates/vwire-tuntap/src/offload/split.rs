//! Cuts a super-packet into the packets the kernel would send for it.
//!
//! The rules are those of `inet_gso_segment`, `ipv6_gso_segment`, `tcp_gso_segment` and `__udp_gso_segment`: the
//! headers are repeated; lengths and checksums are made anew; the IPv4 identification counts up, don't-fragment or
//! not; the sequence number advances; FIN and PSH stay for the last segment and CWR for the first; the urgent pointer
//! is left alone. A checksum that was left to be finished is finished from what its field holds, so that a wrong
//! pseudo header stays wrong; one that was not is made from nothing, as the kernel does.
//! `tests/it/against_kernel.rs` holds this to what the kernel sends.

use std::fmt;

use super::{
    Checksum, Segmentation, SuperKind, VnetHeader,
    checksum::Sum,
    headers::{Headers, Layer, TCP, Version},
};

/// Says why a packet cannot be finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitError {
    /// The checksum to be made lies outside the packet.
    ChecksumOutside,
    /// The headers are not those the vnet header announces, or are cut off.
    HeadersDiffer,
    /// A super-packet with segments of no bytes.
    NoSegmentSize,
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ChecksumOutside => "the checksum to be made lies outside the packet",
            Self::HeadersDiffer => "the packet's headers are not those its vnet header announces",
            Self::NoSegmentSize => "a super-packet with segments of no bytes",
        })
    }
}

impl std::error::Error for SplitError {}

/// The packets of a super-packet, written one by one where the caller wants them.
///
/// A packet that is none is finished (its checksum made) and comes out as one. Call [`write_next`](Self::write_next)
/// until it returns `None`; [`next_len`](Self::next_len) says beforehand how much room it takes.
///
/// ```
/// use vwire_tuntap::offload::{Layer, Segments, VnetHeader};
/// # let packet = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
/// let mut segments = Segments::new(VnetHeader::NONE, &packet, Layer::Ip)?;
/// let mut room = [0; 1500];
/// while let Some(length) = segments.write_next(&mut room) {
///     println!("{:02x?}", &room[..length]);
/// }
/// # Ok::<(), vwire_tuntap::offload::SplitError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Segments<'a> {
    packet: &'a [u8],
    plan: Plan,
}

#[derive(Debug, Clone, Copy)]
enum Plan {
    Whole { checksum: Option<(usize, usize)> },
    Cut(Cut),
    Done,
}

#[derive(Debug, Clone, Copy)]
struct Cut {
    headers: Headers,
    /// Bytes of payload in each segment but the last.
    size: usize,
    /// Sum of the pseudo header less the transport length.
    pseudo: Sum,
    /// Bytes of payload that went out.
    done: usize,
    /// Segments that went out.
    count: u16,
}

impl<'a> Segments<'a> {
    /// Looks at a packet and plans how it is cut. Nothing is copied yet.
    ///
    /// # Errors
    /// [`SplitError`] where the kernel would drop the packet, too.
    #[inline]
    pub fn new(header: VnetHeader, packet: &'a [u8], layer: Layer) -> Result<Self, SplitError> {
        let checksum = match header.checksum {
            Checksum::Needed { start, offset } => {
                let start = usize::from(start);
                let field = start + usize::from(offset);
                if field + 2 > packet.len() {
                    return Err(SplitError::ChecksumOutside);
                }
                Some((start, field))
            }
            _ => None,
        };
        let plan = match header.segments {
            Segmentation::None => Plan::Whole { checksum },
            Segmentation::Super { kind, size, .. } => plan(packet, layer, kind, usize::from(size), checksum)?,
        };
        Ok(Self { packet, plan })
    }

    /// Returns how many packets are left to be written.
    #[must_use]
    pub fn remaining(&self) -> usize {
        match self.plan {
            Plan::Whole { .. } => 1,
            Plan::Cut(cut) => (self.packet.len() - cut.headers.payload - cut.done).div_ceil(cut.size),
            Plan::Done => 0,
        }
    }

    /// Returns the length in bytes of the packet that comes next, `None` after the last.
    #[inline]
    #[must_use]
    pub fn next_len(&self) -> Option<usize> {
        match self.plan {
            Plan::Whole { .. } => Some(self.packet.len()),
            Plan::Cut(cut) => {
                let left = self.packet.len() - cut.headers.payload - cut.done;
                Some(cut.headers.payload + left.min(cut.size))
            }
            Plan::Done => None,
        }
    }

    /// Writes the next packet to the front of `room` and returns its length; `None` after the last one, or if `room`
    /// is shorter than [`next_len`](Self::next_len), which leaves the packet to be written.
    #[inline]
    pub fn write_next(&mut self, room: &mut [u8]) -> Option<usize> {
        let length = self.next_len()?;
        let out = room.get_mut(..length)?;
        match self.plan {
            Plan::Whole { checksum } => {
                out.copy_from_slice(self.packet);
                if let Some((start, field)) = checksum {
                    finish(out, start, field);
                }
                self.plan = Plan::Done;
            }
            Plan::Cut(cut) => {
                write_segment(self.packet, cut, out);
                let done = cut.done + length - cut.headers.payload;
                let over = cut.headers.payload + done >= self.packet.len();
                let next = Cut { done, count: cut.count.wrapping_add(1), ..cut };
                self.plan = if over { Plan::Done } else { Plan::Cut(next) };
            }
            Plan::Done => return None,
        }
        Some(length)
    }
}

/// Tells whether any kernel that takes super-packets of this kind at all takes this one.
///
/// What `virtio_net_hdr_to_skb` and `tun_get_user` ask for: a checksum left to be made, no more segments than any
/// version allows, header length within the packet.
pub(crate) fn is_regular(header: VnetHeader, packet: &[u8], layer: Layer) -> bool {
    let Segmentation::Super { kind, size, ecn } = header.segments else { return false };
    let plausible = usize::from(header.header_len) <= packet.len() && size < u16::MAX;
    let unfinished = matches!(header.checksum, Checksum::Needed { .. });
    let Ok(segments) = Segments::new(header, packet, layer) else { return false };
    let datagrams_fit = kind != SuperKind::Udp || (segments.remaining() <= FEWEST_ALLOWED && !ecn);
    plausible && unfinished && datagrams_fit
}

/// `UDP_MAX_SEGMENTS` of older kernels; it has become 128.
const FEWEST_ALLOWED: usize = 64;

/// Makes the checksum of a packet that lacks it, in place, as `skb_checksum_help`; nothing to do for any other.
///
/// # Errors
/// [`SplitError::ChecksumOutside`] if the field is not in the packet.
pub fn finish_checksum(header: VnetHeader, packet: &mut [u8]) -> Result<(), SplitError> {
    let Checksum::Needed { start, offset } = header.checksum else { return Ok(()) };
    let start = usize::from(start);
    let field = start + usize::from(offset);
    if field + 2 > packet.len() {
        return Err(SplitError::ChecksumOutside);
    }
    finish(packet, start, field);
    Ok(())
}

/// `start <= field` and `field + 2 <= packet.len()` were checked by the callers.
fn finish(packet: &mut [u8], start: usize, field: usize) {
    let sum = Sum::default().bytes(packet.get(start..).unwrap_or(&[]));
    put(packet, field, nonzero(sum.finish()));
}

fn plan(
    packet: &[u8],
    layer: Layer,
    kind: SuperKind,
    size: usize,
    checksum: Option<(usize, usize)>,
) -> Result<Plan, SplitError> {
    if size == 0 {
        return Err(SplitError::NoSegmentSize);
    }
    let headers = Headers::find(packet, layer).ok_or(SplitError::HeadersDiffer)?;
    let (version, tcp) = (headers.version, headers.protocol == TCP);
    let agrees = match kind {
        SuperKind::Tcp4 => tcp && version == Version::V4,
        SuperKind::Tcp6 => tcp && version == Version::V6,
        SuperKind::Udp => !tcp,
    };
    let field = headers.transport + usize::from(headers.checksum_offset());
    if !agrees || checksum.is_some_and(|there| there != (headers.transport, field)) {
        return Err(SplitError::HeadersDiffer);
    }
    // "Too small packets are not really GSO ones": virtio_net_hdr_to_skb. Without a partial checksum the kernel then
    // sends the packet as it is.
    if packet.len() - headers.payload <= size {
        return Ok(Plan::Whole { checksum });
    }
    let pseudo = if checksum.is_some() {
        let old = if tcp { transport_len(packet, &headers) } else { get(packet, headers.transport + 4) };
        Sum::of_field(get_bytes(packet, field)).without(old)
    } else {
        headers.pseudo(packet, 0)
    };
    Ok(Plan::Cut(Cut { headers, size, pseudo, done: 0, count: 0 }))
}

fn transport_len(packet: &[u8], headers: &Headers) -> u16 {
    // A TCP packet longer than that does not fit an IP length either; the kernel's sum wraps in the same way.
    u16::try_from((packet.len() - headers.transport) & 0xffff).unwrap_or(0)
}

#[inline]
fn write_segment(packet: &[u8], cut: Cut, out: &mut [u8]) {
    let Headers { version, protocol, network, transport, payload } = cut.headers;
    let from = payload + cut.done;
    let length = out.len() - payload;
    let last = from + length >= packet.len();
    let (head, body) = out.split_at_mut(payload);
    if let (Some(old_head), Some(old_body)) = (packet.get(..payload), packet.get(from..from + length)) {
        head.copy_from_slice(old_head);
        body.copy_from_slice(old_body);
    }
    let total = clamp(payload + length - network);
    match version {
        Version::V4 => {
            put(head, network + 2, total.to_be_bytes());
            let id = get(packet, network + 4).wrapping_add(cut.count);
            put(head, network + 4, id.to_be_bytes());
            put(head, network + 10, [0, 0]);
            let sum = Sum::default().bytes(head.get(network..transport.min(network + 60)).unwrap_or(&[]));
            put(head, network + 10, sum.finish());
        }
        Version::V6 => put(head, network + 4, clamp(payload + length - network - 40).to_be_bytes()),
    }
    let transport_len = clamp(payload + length - transport);
    let field = transport + usize::from(cut.headers.checksum_offset());
    put(head, field, [0, 0]);
    if protocol == TCP {
        // Payload offsets of a packet are below 2^32.
        let advance = u32::try_from(cut.done).unwrap_or(0);
        let sequence = get_u32(packet, transport + 4).wrapping_add(advance);
        if let Some(place) = head.get_mut(transport + 4..transport + 8) {
            place.copy_from_slice(&sequence.to_be_bytes());
        }
        if let Some(flags) = head.get_mut(transport + 13) {
            if !last {
                *flags &= !(FIN | PSH);
            }
            if cut.count > 0 {
                *flags &= !CWR;
            }
        }
    } else {
        put(head, transport + 4, transport_len.to_be_bytes());
    }
    let sum = cut.pseudo.number(transport_len);
    let sum = sum.bytes(head.get(transport..).unwrap_or(&[])).bytes(body).finish();
    put(head, field, if protocol == TCP { sum } else { nonzero(sum) });
}

const FIN: u8 = 0x01;
const PSH: u8 = 0x08;
const CWR: u8 = 0x80;

/// RFC 768: a checksum of zero is sent as all ones, because zero says that there is none.
fn nonzero(checksum: [u8; 2]) -> [u8; 2] {
    if checksum == [0, 0] { [0xff, 0xff] } else { checksum }
}

fn clamp(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

fn get_bytes(packet: &[u8], at: usize) -> [u8; 2] {
    packet.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
}

fn get(packet: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(get_bytes(packet, at))
}

fn get_u32(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(packet.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default())
}

#[inline]
fn put(packet: &mut [u8], at: usize, bytes: [u8; 2]) {
    if let Some(place) = packet.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *place = bytes;
    }
}
