//! Packets made at random from a seed, so that a failure can be repeated.

use vwire_tuntap::offload::{
    Checksum, Segmentation, SuperKind, VnetHeader,
    checksum::{Sum, pseudo_header},
};

/// A small generator (xorshift64*), enough to pick shapes and fill payloads.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // A state of zero would stay there.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.fill(&mut bytes);
        bytes
    }
}

/// Makes an Ethernet frame, most often a super-packet, and its vnet header.
pub(crate) fn frame(random: &mut Random) -> (VnetHeader, Vec<u8>) {
    let v6 = random.one_in(2);
    let tcp = random.one_in(2);
    let mut frame = vec![2, 0, 0, 0, 0, 0xbb, 2, 0, 0, 0, 0, 0xaa];
    for _ in 0..[0, 0, 0, 1, 2][random.below(5)] {
        frame.extend([0x81, 0x00, 0, u8::try_from(random.below(255)).unwrap()]);
    }
    frame.extend(if v6 { [0x86, 0xdd] } else { [0x08, 0x00] });
    let network = frame.len();
    let transport_header = if tcp { tcp_header(random) } else { udp_header(random) };
    let extensions = if v6 { extensions(random, tcp) } else { (if tcp { 6 } else { 17 }, random_options(random)) };
    let overhead = transport_header.len() + extensions.1.len() + if v6 { 0 } else { 20 };
    let is_super = !random.one_in(16);
    // A packet that is sent as it is has to be within the largest MTU of a TAP; the segments of another are.
    let most = if is_super { 65_535 } else { 65_481 } - overhead;
    let (size, payload) = shape(random, tcp, most);
    let transport_len = transport_header.len() + payload;
    if v6 {
        ipv6_header(random, &mut frame, &extensions, transport_len);
    } else {
        ipv4_header(random, &mut frame, &extensions, transport_len);
    }
    let transport = frame.len();
    frame.extend(&transport_header);
    if !tcp {
        let len = u16::try_from(transport_len).unwrap_or(u16::MAX);
        frame[transport + 4..transport + 6].copy_from_slice(&len.to_be_bytes());
    }
    let payload = random.bytes(payload);
    frame.extend(&payload);
    let offset = if tcp { 16 } else { 6 };
    let addresses = if v6 { network + 8..network + 40 } else { network + 12..network + 20 };
    let len = u16::try_from(transport_len).unwrap_or(u16::MAX);
    let pseudo = pseudo_header(&frame[addresses], if tcp { 6 } else { 17 }, len);
    // One in sixteen has a pseudo header that is wrong.
    let field = if random.one_in(16) { [3, 4] } else { pseudo.fold() };
    frame[transport + offset..transport + offset + 2].copy_from_slice(&field);
    // Only TCP may leave the checksum to be made from nothing.
    let needed = !(is_super && tcp && random.one_in(8));
    if !needed {
        let sum = Sum::default().bytes(&frame[transport..]).finish();
        frame[transport + offset..transport + offset + 2].copy_from_slice(&sum);
    }
    let start = u16::try_from(transport).unwrap();
    let kind = match (tcp, v6) {
        (true, false) => SuperKind::Tcp4,
        (true, true) => SuperKind::Tcp6,
        (false, _) => SuperKind::Udp,
    };
    let header_len = u16::try_from(transport + transport_header.len()).unwrap();
    let header = VnetHeader {
        checksum: if needed {
            Checksum::Needed { start, offset: u16::try_from(offset).unwrap() }
        } else {
            Checksum::InPacket
        },
        segments: if is_super { Segmentation::Super { kind, size, ecn: false } } else { Segmentation::None },
        header_len,
    };
    (header, frame)
}

/// Picks the bytes of a segment and of the whole payload.
fn shape(random: &mut Random, tcp: bool, most: usize) -> (u16, usize) {
    let size = match random.below(6) {
        0 => 1 + random.below(64),
        1 => 1448,
        2 => 1 + random.below(9000),
        _ => 500 + random.below(1000),
    };
    let segments = match random.below(8) {
        // One segment is no super-packet; the kernel drops it if there are TCP options, so it is rare.
        0 if random.one_in(8) => 1,
        1 => 60,
        2 if tcp => 200,
        _ => 2 + random.below(12),
    };
    let odd = [0, 0, 1, random.below(size)][random.below(4)];
    let payload = if random.one_in(64) { most } else { (size * segments - odd.min(size - 1)).min(most) };
    // UDP_MAX_SEGMENTS of include/linux/udp.h.
    let size = if tcp { size } else { size.max(payload.div_ceil(127)) };
    let size = size.max(payload.div_ceil(2000));
    (u16::try_from(size).unwrap(), payload)
}

fn tcp_header(random: &mut Random) -> Vec<u8> {
    let options = [0, 12, 12, 20, 40][random.below(5)];
    let mut header = random.bytes(20 + options);
    header[12] = u8::try_from((20 + options) / 4 * 16).unwrap() | u8::try_from(random.below(2)).unwrap();
    // Any flags: also those no honest sender puts on a super-packet.
    header[13] = u8::try_from(random.below(256)).unwrap();
    if random.one_in(2) {
        header[13] = 0x10 | [0, 0x08, 0x01, 0x20][random.below(4)];
    }
    header
}

fn udp_header(random: &mut Random) -> Vec<u8> {
    random.bytes(8)
}

fn random_options(random: &mut Random) -> Vec<u8> {
    let len = [0, 0, 0, 4, 40][random.below(5)];
    // No-operation: an IPv4 option of one byte.
    vec![1; len]
}

/// Returns the first next-header value, and extension headers that lead to TCP or UDP.
fn extensions(random: &mut Random, tcp: bool) -> (u8, Vec<u8>) {
    let last = if tcp { 6 } else { 17 };
    match random.below(6) {
        0 => {
            let mut bytes = vec![last, 0, 1, 4, 0, 0, 0, 0];
            bytes[2] = 1;
            (0, bytes)
        }
        1 => (60, vec![last, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        2 => (0, vec![60, 0, 1, 4, 0, 0, 0, 0, last, 0, 1, 4, 0, 0, 0, 0]),
        _ => (last, vec![]),
    }
}

fn ipv4_header(random: &mut Random, frame: &mut Vec<u8>, (protocol, options): &(u8, Vec<u8>), transport_len: usize) {
    let start = frame.len();
    let header_len = 20 + options.len();
    let total = u16::try_from(header_len + transport_len).unwrap_or(u16::MAX);
    frame.push(0x40 | u8::try_from(header_len / 4).unwrap());
    frame.push(u8::try_from(random.below(256)).unwrap());
    frame.extend(total.to_be_bytes());
    let id = if random.one_in(8) { 0xfff0 } else { random.below(65_536) };
    frame.extend(u16::try_from(id).unwrap().to_be_bytes());
    frame.extend([if random.one_in(2) { 0x40 } else { 0 }, 0, 64, *protocol, 0, 0]);
    frame.extend([10, 1, 0, 1, 10, 1, 0, 2]);
    frame.extend(options);
    let sum = Sum::default().bytes(&frame[start..]).finish();
    frame[start + 10..start + 12].copy_from_slice(&sum);
}

fn ipv6_header(random: &mut Random, frame: &mut Vec<u8>, (next, extensions): &(u8, Vec<u8>), transport_len: usize) {
    let class = u8::try_from(random.below(256)).unwrap();
    frame.extend([0x60 | (class >> 4), class << 4, 0x12, 0x34]);
    let payload = u16::try_from(extensions.len() + transport_len).unwrap_or(u16::MAX);
    frame.extend(payload.to_be_bytes());
    frame.extend([*next, 64]);
    frame.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    frame.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    frame.extend(extensions);
}
