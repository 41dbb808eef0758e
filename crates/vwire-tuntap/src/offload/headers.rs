//! Finds the headers of a packet.

use super::checksum::{Sum, pseudo_header};

/// TCP, in IANA's protocol numbers.
pub(crate) const TCP: u8 = 6;
/// UDP, in IANA's protocol numbers.
pub(crate) const UDP: u8 = 17;

/// Where the headers of a TCP or UDP packet are, in bytes from the start of the packet or frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Headers {
    pub(crate) version: Version,
    pub(crate) protocol: u8,
    /// Where the IP header starts.
    pub(crate) network: usize,
    /// Where the TCP or UDP header starts.
    pub(crate) transport: usize,
    /// Where the payload starts.
    pub(crate) payload: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V4,
    V6,
}

/// What a packet starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// An IP header, as a TUN carries it.
    Ip,
    /// An Ethernet header with up to two VLAN tags, as a TAP carries it.
    Ethernet,
}

impl Headers {
    /// Walks down to the payload of a TCP or UDP packet; `None` for any other, for a fragment and for what is cut off.
    #[inline]
    pub(crate) fn find(packet: &[u8], layer: Layer) -> Option<Self> {
        let network = match layer {
            Layer::Ip => 0,
            Layer::Ethernet => network_of_frame(packet)?,
        };
        let (version, protocol, transport) = match packet.get(network)? >> 4 {
            4 => {
                let header = packet.get(network..)?.first_chunk::<20>()?;
                let length = usize::from(header[0] & 0x0f) * 4;
                // More fragments, or an offset.
                if length < 20 || header[6] & 0x3f != 0 || header[7] != 0 {
                    return None;
                }
                (Version::V4, header[9], network + length)
            }
            6 => {
                let header = packet.get(network..)?.first_chunk::<40>()?;
                let (protocol, transport) = after_extensions(packet, header[6], network + 40)?;
                (Version::V6, protocol, transport)
            }
            _ => return None,
        };
        let length = match protocol {
            TCP => usize::from(packet.get(transport + 12)? >> 4) * 4,
            UDP => 8,
            _ => return None,
        };
        let payload = transport + length;
        let short = protocol == TCP && length < 20;
        if short || payload > packet.len() {
            return None;
        }
        Some(Self { version, protocol, network, transport, payload })
    }

    /// Returns the addresses, source and destination in one, that the pseudo header sums.
    #[inline]
    pub(crate) fn addresses<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        let range = match self.version {
            Version::V4 => self.network + 12..self.network + 20,
            Version::V6 => self.network + 8..self.network + 40,
        };
        packet.get(range).unwrap_or(&[])
    }

    /// Returns where the transport checksum is, in bytes from the transport header.
    #[inline]
    pub(crate) fn checksum_offset(&self) -> u16 {
        if self.protocol == TCP { 16 } else { 6 }
    }

    /// Sums the pseudo header for a transport length in bytes.
    #[inline]
    pub(crate) fn pseudo(&self, packet: &[u8], length: u16) -> Sum {
        pseudo_header(self.addresses(packet), self.protocol, length)
    }
}

fn network_of_frame(frame: &[u8]) -> Option<usize> {
    let mut at = 12;
    for _ in 0..=2 {
        match *frame.get(at..)?.first_chunk::<2>()? {
            [0x08, 0x00] | [0x86, 0xdd] => return Some(at + 2),
            [0x81, 0x00] | [0x88, 0xa8] => at += 4,
            _ => return None,
        }
    }
    None
}

/// Skips the extension headers that the kernel's GSO skips (`ipv6_gso_pull_exthdrs`): hop-by-hop, routing, destination.
fn after_extensions(packet: &[u8], mut next: u8, mut at: usize) -> Option<(u8, usize)> {
    while matches!(next, 0 | 43 | 60) {
        let [following, length] = *packet.get(at..)?.first_chunk::<2>()?;
        next = following;
        at += (usize::from(length) + 1) * 8;
    }
    Some((next, at))
}
