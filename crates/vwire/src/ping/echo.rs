//! The bytes of ICMP and ICMPv6 echo packets: building requests, reading replies. Pure.
//!
//! A request is the ICMP header, then a time stamp of 16 bytes where there is room for one, then
//! bytes that count up, as iputils fills them: so captures look alike, and a byte that was
//! changed on the way shows. Replies are never trusted to be as long as they should be.

use std::time::Duration;

/// The address family, which decides over types and check sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4, with ICMP (RFC 792).
    V4,
    /// IPv6, with ICMPv6 (RFC 4443).
    V6,
}

/// Bytes of an ICMP echo header: type, code, check sum, identifier, sequence number.
pub const HEADER: usize = 8;

/// Bytes of the time stamp before the pattern, two 64-bit words; shorter packets carry none.
pub const STAMP: usize = 16;

/// An echo reply, as far as it could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Echo<'a> {
    /// Tells this process' packets from others'.
    pub identifier: u16,
    /// The low 16 bits of the packet's number.
    pub sequence: u16,
    /// What follows the header.
    pub data: &'a [u8],
}

/// A byte that came back changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Its place in the data.
    pub at: usize,
    /// What was sent.
    pub sent: u8,
    /// What came back.
    pub came: u8,
}

/// Builds an echo request with `size` bytes of data; `stamp` is the time of day.
///
/// The check sum is filled in for ICMP; for ICMPv6, whose check sum covers the addresses, the
/// kernel does it.
#[must_use]
pub fn request(family: Family, identifier: u16, sequence: u16, size: usize, stamp: Duration) -> Vec<u8> {
    let mut packet = Vec::with_capacity(HEADER + size);
    packet.extend([request_type(family), 0, 0, 0]);
    packet.extend(identifier.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend((0..size).map(pattern));
    if let Some(room) = packet.get_mut(HEADER..HEADER + STAMP) {
        let (seconds, micros) = room.split_at_mut(8);
        seconds.copy_from_slice(&stamp.as_secs().to_ne_bytes());
        micros.copy_from_slice(&u64::from(stamp.subsec_micros()).to_ne_bytes());
    }
    if family == Family::V4 {
        let sum = checksum(&packet);
        packet[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

/// Reads an echo reply, from its ICMP header on.
#[must_use]
pub fn reply(family: Family, bytes: &[u8]) -> Option<Echo<'_>> {
    let wanted = match family {
        Family::V4 => 0,
        Family::V6 => 129,
    };
    read(wanted, bytes)
}

/// Reads the request that an ICMP error quotes, from its ICMP header on.
#[must_use]
pub fn quoted(family: Family, bytes: &[u8]) -> Option<Echo<'_>> {
    read(request_type(family), bytes)
}

/// Takes off the IPv4 header that a raw socket leaves on: returns its time to live, and the rest.
#[must_use]
pub fn without_ipv4_header(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let length = usize::from(bytes.first()? & 0x0f) * 4;
    if length < 20 {
        return None;
    }
    Some((*bytes.get(8)?, bytes.get(length..)?))
}

/// Finds the first byte behind the time stamp that is not as it was sent.
#[must_use]
pub fn changed(data: &[u8]) -> Option<Changed> {
    let bytes = data.iter().enumerate().skip(STAMP);
    bytes.map(|(at, &came)| Changed { at, sent: pattern(at), came }).find(|byte| byte.sent != byte.came)
}

fn read(wanted: u8, bytes: &[u8]) -> Option<Echo<'_>> {
    let (header, data) = bytes.split_at_checked(HEADER)?;
    let &[kind, _, _, _, i0, i1, s0, s1] = header else { return None };
    let echo = Echo { identifier: u16::from_be_bytes([i0, i1]), sequence: u16::from_be_bytes([s0, s1]), data };
    (kind == wanted).then_some(echo)
}

fn request_type(family: Family) -> u8 {
    match family {
        Family::V4 => 8,
        Family::V6 => 128,
    }
}

/// The byte at a place of the data: its place, modulo 256.
fn pattern(at: usize) -> u8 {
    at.to_le_bytes()[0]
}

/// The internet check sum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|word| match *word {
        [high, low] => u16::from_be_bytes([high, low]),
        [high] => u16::from_be_bytes([high, 0]),
        _ => 0,
    });
    !words.fold(0_u16, |sum, word| {
        let (sum, carry) = sum.overflowing_add(word);
        sum + u16::from(carry)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answered(family: Family, mut packet: Vec<u8>) -> Vec<u8> {
        packet[0] = if family == Family::V4 { 0 } else { 129 };
        packet
    }

    #[test]
    fn a_request_is_laid_out_as_rfc_792_has_it() {
        let packet = request(Family::V4, 0x1234, 7, 2, Duration::ZERO);
        assert_eq!(packet, [8, 0, 0xe5, 0xc3, 0x12, 0x34, 0, 7, 0, 1]);
    }

    #[test]
    fn no_room_means_no_stamp() {
        let packet = request(Family::V6, 1, 1, 15, Duration::from_secs(99));
        assert_eq!(packet[HEADER..], (0..15).collect::<Vec<u8>>());
    }

    #[test]
    fn a_changed_byte_is_found() {
        let mut packet = request(Family::V4, 1, 1, 56, Duration::ZERO);
        packet[HEADER + 20] ^= 0xff;
        assert_eq!(changed(&packet[HEADER..]), Some(Changed { at: 20, sent: 20, came: 0xeb }));
    }

    #[test]
    fn an_ip_header_of_any_length_comes_off() {
        let mut packet = vec![0_u8; 28];
        packet[0] = 0x46;
        packet[8] = 63;
        assert_eq!(without_ipv4_header(&packet), Some((63, &packet[24..])));
        assert_eq!(without_ipv4_header(&packet[..20]), None);
        assert_eq!(without_ipv4_header(&[0x41; 40]), None);
    }

    proptest! {
        #[test]
        fn what_is_built_can_be_read(
            v4: bool, identifier: u16, sequence: u16, size in 0_usize..3000, micros: u32,
        ) {
            let family = if v4 { Family::V4 } else { Family::V6 };
            let packet = request(family, identifier, sequence, size, Duration::from_micros(micros.into()));
            prop_assert_eq!(packet.len(), HEADER + size);
            let echo = quoted(family, &packet).unwrap();
            prop_assert_eq!((echo.identifier, echo.sequence), (identifier, sequence));
            if v4 {
                prop_assert_eq!(checksum(&packet), 0);
            }
            let packet = answered(family, packet);
            let echo = reply(family, &packet).unwrap();
            prop_assert_eq!((echo.identifier, echo.sequence, echo.data.len()), (identifier, sequence, size));
            prop_assert_eq!(changed(echo.data), None);
        }

        #[test]
        fn any_bytes_can_be_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            for family in [Family::V4, Family::V6] {
                let _ = reply(family, &bytes);
                let _ = quoted(family, &bytes);
            }
            let _ = without_ipv4_header(&bytes).map(|(_, rest)| changed(rest));
        }
    }
}
