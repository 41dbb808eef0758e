//! netkit: a pair of links, with BPF programs between them.

use super::Link;
use super::veth::Peer;

attributes! {
    /// One end of the pair.
    pub struct Netkit ("IFLA_NETKIT_") {
        /// The other end, in a request.
        peer_info: Option<Box<Link>> as Peer = 1,
        /// Whether this end is the one that was asked for, 0 or 1.
        primary: Option<u8> = 2,
        /// What happens without a program (`NETKIT_PASS` or `NETKIT_DROP`).
        policy: Option<u32> = 3,
        /// The same at the other end.
        peer_policy: Option<u32> = 4,
        /// `NETKIT_L2` or `NETKIT_L3`.
        mode: Option<u32> = 5,
        /// What is cleared of a packet (Linux 6.12).
        scrub: Option<u32> = 6,
        /// The same at the other end (Linux 6.12).
        peer_scrub: Option<u32> = 7,
        /// Bytes kept free before a packet (Linux 6.14).
        headroom: Option<u16> = 8,
        /// Bytes kept free after a packet (Linux 6.14).
        tailroom: Option<u16> = 9,
        /// Whether there is another end.
        pairing: Option<u32> = 10,
    }
}
