//! Makes super-packets of packets that follow each other in a flow.
//!
//! The rules are those of the kernel's GRO (`inet_gro_receive`, `ipv6_gro_receive`, `tcp_gro_receive`,
//! `udp_gro_receive_segment`), and where this differs it merges less: no super-packet into another, the same urgent
//! pointer, extension headers up to [`EXTENSION_ROOM`], and no CWR. Kernels differ in the last: the older let a packet
//! with CWR lead others and never follow, those with Accurate ECN want it in all or in none; nothing suits both.
//! IPv4 options keep packets apart in the kernel, too. The order of a flow's packets is kept: a packet that cannot join
//! closes its flow's group. A transport checksum is verified before a packet joins, because the merged packet gets a
//! new one and a damaged packet would come out sound. Behind a routing header that is not used up it holds another
//! address than the IPv6 header: such packets seem damaged, to the kernel as well, and go as they came.
//!
//! Nothing is copied or changed: a [`Group`] names the packets of a [`Batch`], and makes the headers of the
//! super-packet in a buffer of the caller's. So if the kernel refuses it, the packets are there as they came.

use super::{
    Checksum, Layer, Segmentation, SuperKind, VnetHeader,
    checksum::Sum,
    headers::{Headers, TCP, Version},
};
use crate::batch::{Batch, Packet};

/// The most segments of a group: the kernel's limit for UDP (`UDP_GRO_CNT_MAX`), taken for TCP as well.
pub const MOST_SEGMENTS: usize = 64;

/// Room for the headers of any packet that merges, in bytes: Ethernet with two VLAN tags, IPv6 with extension headers,
/// TCP with all options.
pub const HEADER_ROOM: usize = 22 + 40 + EXTENSION_ROOM + 60;

/// The most IPv6 extension headers of a packet that merges, in bytes.
const EXTENSION_ROOM: usize = 64;

/// The longest IP packet.
const LONGEST: usize = 65_535;

/// Flows that are open at a time; the oldest is closed for a ninth.
const OPEN_FLOWS: usize = 8;

const NOBODY: u16 = u16::MAX;

/// Finds which packets of a batch can go as one.
///
/// The memory is kept from plan to plan; make one per thread.
#[derive(Debug, Default)]
pub struct Merger {
    groups: Vec<State>,
    /// For each packet the next one of its group.
    next: Vec<u16>,
    open: [Option<u16>; OPEN_FLOWS],
    oldest: usize,
}

#[derive(Debug, Clone, Copy)]
struct State {
    head: u16,
    tail: u16,
    count: u16,
    /// Length in bytes of the IP packet so far.
    total: usize,
    /// Bytes of payload of each segment but the last.
    size: usize,
    headers: Headers,
    /// The head's checksum was verified.
    verified: bool,
    /// The IPv4 identifications are all the same, which is so after two packets.
    fixed_id: bool,
    /// FIN and PSH of the last segment.
    flags: u8,
}

/// Packets of a batch that go out together; a single packet is a group, too.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    merger: &'a Merger,
    state: &'a State,
}

impl Merger {
    /// Makes an empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sorts the packets of a batch into groups, in the order of their first packets.
    pub fn plan(&mut self, batch: &Batch, layer: Layer) {
        self.groups.clear();
        self.next.clear();
        self.open = [None; OPEN_FLOWS];
        for (index, packet) in batch.iter().enumerate() {
            // A batch holds fewer packets than `NOBODY`.
            let index = u16::try_from(index).unwrap_or(NOBODY);
            self.next.push(NOBODY);
            self.place(batch, index, packet, layer);
        }
    }

    /// Makes each packet of a batch a group of its own.
    pub fn plan_singly(&mut self, batch: &Batch) {
        self.groups.clear();
        self.next.clear();
        for (index, packet) in batch.iter().enumerate() {
            self.next.push(NOBODY);
            self.start(u16::try_from(index).unwrap_or(NOBODY), packet, None);
        }
    }

    /// Returns the groups of the last plan.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = Group<'_>> {
        self.groups.iter().map(|state| Group { merger: self, state })
    }

    #[inline]
    fn place(&mut self, batch: &Batch, index: u16, packet: Packet<'_>, layer: Layer) {
        let Some(headers) = Headers::find(packet.bytes, layer) else {
            // A fragment may belong to any flow: nothing may pass it.
            self.open = [None; OPEN_FLOWS];
            return self.start(index, packet, None);
        };
        let flow = self.open.iter().position(|open| {
            let state = open.and_then(|group| self.groups.get(usize::from(group)));
            state.is_some_and(|state| same_flow(batch, state, &headers, packet.bytes))
        });
        let candidate = may_merge(&headers, packet);
        if let Some(flow) = flow {
            let group = self.open.get(flow).copied().flatten().map_or(usize::MAX, usize::from);
            if candidate && self.join(batch, group, index, packet, &headers) {
                if self.groups.get(group).is_some_and(|state| is_full(state, packet, &headers)) {
                    self.close(flow);
                }
                return;
            }
            self.close(flow);
        }
        let leads = candidate && may_lead(&headers, packet.bytes);
        self.start(index, packet, leads.then_some(headers));
    }

    fn close(&mut self, flow: usize) {
        if let Some(open) = self.open.get_mut(flow) {
            *open = None;
        }
    }

    fn start(&mut self, index: u16, packet: Packet<'_>, leads: Option<Headers>) {
        let none = Headers { version: Version::V4, protocol: 0, network: 0, transport: 0, payload: 0 };
        let headers = leads.unwrap_or(none);
        let size = packet.bytes.len() - headers.payload;
        let total = packet.bytes.len() - headers.network;
        let group = u16::try_from(self.groups.len()).unwrap_or(NOBODY);
        self.groups.push(State {
            head: index,
            tail: index,
            count: 1,
            total,
            size,
            headers,
            verified: false,
            fixed_id: false,
            flags: 0,
        });
        if leads.is_some() {
            let free = self.open.iter().position(Option::is_none);
            let place = free.unwrap_or_else(|| {
                self.oldest = (self.oldest + 1) % OPEN_FLOWS;
                self.oldest
            });
            if let Some(open) = self.open.get_mut(place) {
                *open = Some(group);
            }
        }
    }

    fn join(&mut self, batch: &Batch, group: usize, index: u16, packet: Packet<'_>, headers: &Headers) -> bool {
        let Some(state) = self.groups.get_mut(group) else { return false };
        let Some(head) = batch.get(usize::from(state.head)) else { return false };
        let length = packet.bytes.len() - headers.payload;
        let same_shape = headers.payload == state.headers.payload && headers.transport == state.headers.transport;
        let fits = length <= state.size && state.total + length <= LONGEST;
        if !(same_shape && fits && same_headers(head.bytes, packet.bytes, state)) {
            return false;
        }
        let Some(fixed_id) = identification(head.bytes, packet.bytes, state) else { return false };
        if !state.verified && !is_sound(&state.headers, head) {
            return false;
        }
        state.verified = true;
        if !is_sound(headers, packet) {
            return false;
        }
        state.fixed_id = fixed_id;
        state.total += length;
        state.count += 1;
        state.flags |= closing_flags(headers, packet.bytes);
        if let Some(next) = self.next.get_mut(usize::from(state.tail)) {
            *next = index;
        }
        state.tail = index;
        true
    }
}

impl<'a> Group<'a> {
    /// Returns the first packet's index in the batch.
    #[must_use]
    pub fn first(&self) -> usize {
        usize::from(self.state.head)
    }

    /// Returns what the super-packet is made of; without meaning for a single packet.
    #[must_use]
    pub fn kind(&self) -> SuperKind {
        match (self.state.headers.protocol, self.state.headers.version) {
            (TCP, Version::V4) => SuperKind::Tcp4,
            (TCP, Version::V6) => SuperKind::Tcp6,
            _ => SuperKind::Udp,
        }
    }

    /// Returns how many packets are in it.
    #[must_use]
    pub fn count(&self) -> usize {
        usize::from(self.state.count)
    }

    /// Returns the packets' indices in the batch.
    pub fn members(&self) -> impl Iterator<Item = usize> + use<'a> {
        let next = &self.merger.next;
        let following = move |&index: &u16| next.get(usize::from(index)).copied().filter(|&index| index != NOBODY);
        std::iter::successors(Some(self.state.head), following).map(usize::from)
    }

    /// Returns the length in bytes of the headers, behind which each member's payload starts.
    #[must_use]
    pub fn header_len(&self) -> usize {
        self.state.headers.payload
    }

    /// Makes the super-packet's headers at the front of `room`, and returns what its vnet header says.
    ///
    /// `None` for a single packet, which needs none, and if `room` is shorter than [`header_len`](Self::header_len).
    #[inline]
    pub fn super_headers(&self, batch: &Batch, room: &mut [u8]) -> Option<VnetHeader> {
        let State { headers, total, size, count, flags, .. } = *self.state;
        if count < 2 {
            return None;
        }
        let out = room.get_mut(..headers.payload)?;
        out.copy_from_slice(batch.get(self.first())?.bytes.get(..headers.payload)?);
        let ip_len = u16::try_from(total).ok()?;
        let transport_len = u16::try_from(total - (headers.transport - headers.network)).ok()?;
        let (ip, transport) = out.get_mut(headers.network..)?.split_at_mut(headers.transport - headers.network);
        let kind = self.kind();
        match headers.version {
            Version::V4 => {
                let ip = ip.first_chunk_mut::<20>()?;
                [ip[2], ip[3]] = ip_len.to_be_bytes();
                [ip[10], ip[11]] = [0, 0];
                [ip[10], ip[11]] = Sum::default().bytes(ip).finish();
            }
            Version::V6 => *ip.get_mut(4..)?.first_chunk_mut()? = (ip_len - 40).to_be_bytes(),
        }
        if kind == SuperKind::Udp {
            *transport.get_mut(4..)?.first_chunk_mut()? = transport_len.to_be_bytes();
        } else {
            *transport.get_mut(13)? |= flags;
        }
        let offset = headers.checksum_offset();
        let pseudo = headers.pseudo(batch.get(self.first())?.bytes, transport_len).fold();
        *transport.get_mut(usize::from(offset)..)?.first_chunk_mut()? = pseudo;
        let start = u16::try_from(headers.transport).ok()?;
        let size = u16::try_from(size).ok()?;
        Some(VnetHeader {
            checksum: Checksum::Needed { start, offset },
            segments: Segmentation::Super { kind, size, ecn: false },
            header_len: u16::try_from(headers.payload).ok()?,
        })
    }

    /// Writes the group as one packet to the end of `out`; a single packet goes as it is.
    pub fn write_to(&self, batch: &Batch, out: &mut Vec<u8>) -> VnetHeader {
        let mut room = [0; HEADER_ROOM];
        let Some(header) = self.super_headers(batch, &mut room) else {
            let Some(packet) = batch.get(self.first()) else { return VnetHeader::NONE };
            out.extend_from_slice(packet.bytes);
            return packet.header;
        };
        out.extend_from_slice(room.get(..self.header_len()).unwrap_or(&[]));
        for packet in self.members().filter_map(|index| batch.get(index)) {
            out.extend_from_slice(packet.bytes.get(self.header_len()..).unwrap_or(&[]));
        }
        header
    }
}

/// Whether a packet has any chance: whole, of one piece, with payload, and nothing behind it.
#[inline]
fn may_merge(headers: &Headers, packet: Packet<'_>) -> bool {
    let bytes = packet.bytes;
    if packet.header.is_super() || bytes.len() == headers.payload {
        return false;
    }
    let Some(ip) = bytes.get(headers.network..) else { return false };
    let whole = match headers.version {
        Version::V4 => headers.transport - headers.network == 20 && word(ip, 2) == Some(ip.len()),
        Version::V6 => {
            headers.transport - headers.network <= 40 + EXTENSION_ROOM && word(ip, 4) == ip.len().checked_sub(40)
        }
    };
    let Some(transport) = bytes.get(headers.transport..) else { return false };
    let plain = if headers.protocol == TCP {
        transport.get(13).is_some_and(|flags| flags & !(ACK | ECE | PSH | FIN) == 0)
    } else {
        // Zero says that there is no checksum, which a segment could not say again.
        word(transport, 4) == Some(transport.len()) && word(transport, 6) != Some(0)
    };
    whole && plain
}

/// Whether others may join a packet: FIN and PSH end a group.
fn may_lead(headers: &Headers, packet: &[u8]) -> bool {
    closing_flags(headers, packet) == 0
}

fn closing_flags(headers: &Headers, packet: &[u8]) -> u8 {
    if headers.protocol != TCP {
        return 0;
    }
    packet.get(headers.transport + 13).map_or(0, |flags| flags & (FIN | PSH))
}

/// Whether nothing may follow the packet that just joined.
fn is_full(state: &State, packet: Packet<'_>, headers: &Headers) -> bool {
    let short = packet.bytes.len() - headers.payload < state.size;
    short || state.flags != 0 || usize::from(state.count) >= MOST_SEGMENTS
}

const FIN: u8 = 0x01;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;
const ECE: u8 = 0x40;

#[inline]
fn same_flow(batch: &Batch, state: &State, headers: &Headers, packet: &[u8]) -> bool {
    if headers.version != state.headers.version || headers.protocol != state.headers.protocol {
        return false;
    }
    let Some(head) = batch.get(usize::from(state.head)) else { return false };
    ports(head.bytes, &state.headers) == ports(packet, headers)
        && state.headers.addresses(head.bytes) == headers.addresses(packet)
}

fn ports(packet: &[u8], headers: &Headers) -> Option<[u8; 4]> {
    packet.get(headers.transport..)?.first_chunk().copied()
}

/// Whether the headers are the same but for what differs from segment to segment. The shapes are known to be equal.
#[inline]
fn same_headers(head: &[u8], packet: &[u8], state: &State) -> bool {
    let Headers { version, protocol, network, transport, payload } = state.headers;
    let same = |from: usize, to: usize| head.get(from..to) == packet.get(from..to);
    let ip = match version {
        // Version, length, TOS; flags, TTL, protocol. Addresses were compared with the flow.
        Version::V4 => same(network, network + 2) && same(network + 6, network + 10),
        // Version, class, flow label; next header, hop limit; extension headers.
        Version::V6 => same(network, network + 4) && same(network + 6, network + 8) && same(network + 40, transport),
    };
    if !(ip && same(0, network)) {
        return false;
    }
    if protocol != TCP {
        return true;
    }
    let flags = |packet: &[u8]| packet.get(transport + 13).map(|flags| flags & !(FIN | PSH));
    let expected =
        sequence(head, transport).wrapping_add(u32::try_from(state.size * usize::from(state.count)).unwrap_or(0));
    // Acknowledgement, data offset; flags; window; urgent pointer and options.
    sequence(packet, transport) == expected
        && same(transport + 8, transport + 13)
        && flags(head) == flags(packet)
        && same(transport + 14, transport + 16)
        && same(transport + 18, payload)
}

/// Whether the IPv4 identification goes on as it should: `Some(true)` if it stands still.
fn identification(head: &[u8], packet: &[u8], state: &State) -> Option<bool> {
    if state.headers.version == Version::V6 {
        return Some(false);
    }
    let id = |packet: &[u8]| packet.get(state.headers.network + 4..)?.first_chunk().copied().map(u16::from_be_bytes);
    let distance = id(packet)?.wrapping_sub(id(head)?);
    let dont_fragment = packet.get(state.headers.network + 6)? & 0x40 != 0;
    let fixed = if state.count == 1 { dont_fragment && distance == 0 } else { state.fixed_id };
    let expected = if fixed { 0 } else { state.count };
    (distance == expected).then_some(fixed)
}

/// Whether the checksums hold: the IPv4 header's always, the transport's as far as the vnet header says it is there.
#[inline]
fn is_sound(headers: &Headers, packet: Packet<'_>) -> bool {
    let bytes = packet.bytes;
    let ip = bytes.get(headers.network..headers.transport).unwrap_or(&[]);
    if headers.version == Version::V4 && !Sum::default().bytes(ip).is_valid() {
        return false;
    }
    let Some(transport) = bytes.get(headers.transport..) else { return false };
    let Ok(length) = u16::try_from(transport.len()) else { return false };
    let pseudo = headers.pseudo(bytes, length);
    match packet.header.checksum {
        Checksum::Verified => true,
        Checksum::InPacket => pseudo.bytes(transport).is_valid(),
        Checksum::Needed { start, offset } => {
            let field = transport.get(usize::from(offset)..).and_then(|rest| rest.first_chunk::<2>());
            usize::from(start) == headers.transport
                && offset == headers.checksum_offset()
                && field == Some(&pseudo.fold())
        }
    }
}

fn sequence(packet: &[u8], transport: usize) -> u32 {
    let bytes = packet.get(transport + 4..).and_then(|rest| rest.first_chunk()).copied();
    u32::from_be_bytes(bytes.unwrap_or_default())
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?)))
}
