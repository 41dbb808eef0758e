//! What a program behind a TUN or TAP answers: echo requests, and on a TAP the question for its address.
//!
//! This is the smallest useful program of each sort. A VPN does the same with a TUN, but encrypts
//! each packet and sends it on; a virtual machine does the same with a TAP, but hands each frame to
//! its guest.

use std::net::Ipv4Addr;

/// `ETH_P_IP`.
const ETHERTYPE_IPV4: [u8; 2] = [0x08, 0x00];
/// `ETH_P_ARP`.
const ETHERTYPE_ARP: [u8; 2] = [0x08, 0x06];
/// The length of an Ethernet header, in bytes.
const ETHERNET: usize = 14;
/// ARP for IPv4 over Ethernet, a request (RFC 826): hardware 1, protocol 0x0800, lengths 6 and 4, operation 1.
const ARP_REQUEST: [u8; 8] = [0, 1, 0x08, 0, 6, 4, 0, 1];
/// The protocol number of ICMP.
const ICMP: u8 = 1;
/// ICMP's types (RFC 792).
const ECHO_REQUEST: u8 = 8;

/// Returns the answer to an IPv4 packet: an echo reply to an echo request for any address.
#[must_use]
pub fn answer_packet(packet: &[u8]) -> Option<Vec<u8>> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let is_echo = packet.first()? >> 4 == 4
        && header >= 20
        && packet.get(9) == Some(&ICMP)
        && packet.get(header) == Some(&ECHO_REQUEST)
        && packet.len() >= header + 8;
    if !is_echo {
        return None;
    }
    let mut answer = packet.to_vec();
    for at in 12..16 {
        answer.swap(at, at + 4);
    }
    answer[header] = 0;
    answer[header + 2..header + 4].fill(0);
    let sum = checksum(&answer[header..]);
    answer[header + 2..header + 4].copy_from_slice(&sum.to_be_bytes());
    Some(answer)
}

/// A host on a wire: it answers for one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// Its hardware address.
    pub mac: [u8; 6],
    /// Its address.
    pub address: Ipv4Addr,
}

impl Host {
    /// Returns the answer to an Ethernet frame: its hardware address to ARP, an echo reply to an echo request.
    #[must_use]
    pub fn answer_frame(&self, frame: &[u8]) -> Option<Vec<u8>> {
        match frame.get(12..ETHERNET)? {
            kind if kind == ETHERTYPE_ARP => self.answer_arp(frame),
            kind if kind == ETHERTYPE_IPV4 && frame.get(..6)? == self.mac => {
                let packet = frame.get(ETHERNET..)?;
                if packet.get(16..20)? != self.address.octets() {
                    return None;
                }
                let mut answer = [frame.get(6..12)?, &self.mac, &ETHERTYPE_IPV4].concat();
                answer.extend(answer_packet(packet)?);
                Some(answer)
            }
            _ => None,
        }
    }

    fn answer_arp(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let question = arp_question(frame)?;
        if question.target != self.address {
            return None;
        }
        let asker = frame.get(22..28)?;
        let mut answer = [asker, &self.mac, &ETHERTYPE_ARP, &ARP_REQUEST].concat();
        answer[ETHERNET + 7] = 2;
        answer.extend_from_slice(&self.mac);
        answer.extend_from_slice(&self.address.octets());
        answer.extend_from_slice(asker);
        answer.extend_from_slice(&question.sender.octets());
        Some(answer)
    }
}

/// A question for an address, which is broadcast to all ports of a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArpQuestion {
    /// Who asks.
    pub sender: Ipv4Addr,
    /// For which address.
    pub target: Ipv4Addr,
}

/// Reads a broadcast ARP request.
#[must_use]
pub fn arp_question(frame: &[u8]) -> Option<ArpQuestion> {
    let is_question = frame.get(..6)? == [0xff; 6]
        && frame.get(12..ETHERNET)? == ETHERTYPE_ARP
        && frame.get(ETHERNET..22)? == ARP_REQUEST;
    let address = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(frame.get(at..at + 4)?).ok()?));
    is_question.then_some(())?;
    Some(ArpQuestion { sender: address(28)?, target: address(38)? })
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        let low = pair.get(1).copied().unwrap_or(0);
        sum += u32::from(u16::from_be_bytes([pair[0], low]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum & 0xffff).map_or(0, |sum| !sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;
    use proptest::prelude::*;

    fn echo_request(payload: &[u8]) -> Vec<u8> {
        let mut packet = Vec::new();
        let builder = PacketBuilder::ipv4([10, 9, 0, 1], [10, 9, 0, 2], 64).icmpv4_echo_request(7, 1);
        builder.write(&mut packet, payload).unwrap();
        packet
    }

    fn who_has(target: [u8; 4]) -> Vec<u8> {
        let mut frame = vec![0xff; 6];
        frame.extend([2, 0, 0, 0, 0, 1]);
        frame.extend(ETHERTYPE_ARP);
        frame.extend(ARP_REQUEST);
        frame.extend([2, 0, 0, 0, 0, 1, 10, 2, 0, 2, 0, 0, 0, 0, 0, 0]);
        frame.extend(target);
        frame
    }

    const HOST: Host = Host { mac: [2, 0, 0, 0, 0, 0x50], address: Ipv4Addr::new(10, 2, 0, 50) };

    #[test]
    fn an_echo_request_is_answered_with_a_right_checksum() {
        let answer = answer_packet(&echo_request(b"odd")).unwrap();
        let slices = etherparse::SlicedPacket::from_ip(&answer).unwrap();
        let Some(etherparse::TransportSlice::Icmpv4(icmp)) = slices.transport else { panic!() };
        assert!(matches!(icmp.icmp_type(), etherparse::Icmpv4Type::EchoReply(header) if header.id == 7));
        assert_eq!(checksum(&answer[20..]), 0);
        assert_eq!(answer[12..20], [10, 9, 0, 2, 10, 9, 0, 1]);
    }

    #[test]
    fn a_host_answers_for_its_own_address_alone() {
        let answer = HOST.answer_frame(&who_has([10, 2, 0, 50])).unwrap();
        assert_eq!(answer[..6], [2, 0, 0, 0, 0, 1]);
        assert_eq!(answer[20..32], [0, 2, 2, 0, 0, 0, 0, 0x50, 10, 2, 0, 50]);
        assert_eq!(HOST.answer_frame(&who_has([10, 2, 0, 51])), None);
    }

    #[test]
    fn a_question_is_read() {
        let question = arp_question(&who_has([10, 2, 0, 77])).unwrap();
        assert_eq!(question.target, Ipv4Addr::new(10, 2, 0, 77));
        assert_eq!(question.sender, Ipv4Addr::new(10, 2, 0, 2));
    }

    proptest! {
        #[test]
        fn no_packet_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = answer_packet(&bytes);
            let _ = HOST.answer_frame(&bytes);
            let _ = arp_question(&bytes);
        }

        #[test]
        fn no_cut_frame_makes_it_panic(length in 0usize..42, target in any::<[u8; 4]>()) {
            let frame = who_has(target);
            let _ = HOST.answer_frame(&frame[..length]);
            let _ = answer_packet(&echo_request(&[])[..length.min(28)]);
        }
    }
}
