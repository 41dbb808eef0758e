//! vxlan: Ethernet in UDP.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::codec::BigEndian;
use super::super::value::Switch;

attributes! {
    /// A VXLAN tunnel.
    pub struct Vxlan ("IFLA_VXLAN_") {
        /// The number of the network (VNI).
        id: Option<u32> = 1,
        /// The group or the other end.
        group: Option<Ipv4Addr> = 2,
        /// The link below, by its index.
        link: Option<u32> = 3,
        /// This end.
        local: Option<Ipv4Addr> = 4,
        /// The TTL; 0 is automatic.
        ttl: Option<u8> = 5,
        /// The TOS; 1 is the inner packet's.
        tos: Option<u8> = 6,
        /// Whether addresses are learned, 0 or 1.
        learning: Option<u8> = 7,
        /// How long an address is kept, in seconds.
        ageing: Option<u32> = 8,
        /// How many addresses are kept; 0 is no limit.
        limit: Option<u32> = 9,
        /// The source ports.
        port_range: Option<PortRange> = 10,
        /// Whether ARP is answered for others, 0 or 1.
        proxy: Option<u8> = 11,
        /// Whether packets to a router take a short cut, 0 or 1.
        rsc: Option<u8> = 12,
        /// Whether a missing MAC address is said, 0 or 1.
        l2miss: Option<u8> = 13,
        /// Whether a missing IP address is said, 0 or 1.
        l3miss: Option<u8> = 14,
        /// The destination port.
        port: Option<u16> as BigEndian = 15,
        /// The group or the other end.
        group6: Option<Ipv6Addr> = 16,
        /// This end.
        local6: Option<Ipv6Addr> = 17,
        /// Whether UDP over IPv4 has a checksum, 0 or 1.
        udp_csum: Option<u8> = 18,
        /// Whether UDP over IPv6 is sent without checksum, 0 or 1.
        udp_zero_csum6_tx: Option<u8> = 19,
        /// Whether UDP over IPv6 is received without checksum, 0 or 1.
        udp_zero_csum6_rx: Option<u8> = 20,
        /// Whether checksums are left to the other end, 0 or 1.
        remcsum_tx: Option<u8> = 21,
        /// Whether checksums are done for the other end, 0 or 1.
        remcsum_rx: Option<u8> = 22,
        /// Whether there is a group policy.
        gbp: bool = 23,
        /// Whether remote checksums are never partial.
        remcsum_nopartial: bool = 24,
        /// Whether routes say where to (external), 0 or 1.
        collect_metadata: Option<u8> = 25,
        /// The flow label of IPv6.
        label: Option<u32> as BigEndian = 26,
        /// Whether there is the generic protocol extension.
        gpe: bool = 27,
        /// Whether the TTL is the inner packet's.
        ttl_inherit: Option<Switch> = 28,
        /// Whether packets may be fragmented (`VXLAN_DF_*`).
        df: Option<u8> = 29,
        /// Whether only listed networks are taken, 0 or 1 (Linux 5.18).
        vnifilter: Option<u8> = 30,
        /// Whether packets to this host stay in it, 0 or 1 (Linux 6.4).
        localbypass: Option<u8> = 31,
        /// Where the flow label comes from (Linux 6.7).
        label_policy: Option<u32> = 32,
        /// Which bits of the header must be 0 (Linux 6.14).
        reserved_bits: Option<[u8; 8]> = 33,
        /// Whether packets take multicast routes, 0 or 1 (Linux 6.17).
        mc_route: Option<u8> = 34,
    }
}

record! {
    /// A range of ports, each in network byte order (`struct ifla_vxlan_port_range`).
    pub struct PortRange {
        /// The lowest port.
        low: [u8; 2],
        /// The highest port.
        high: [u8; 2],
    }
}

impl PortRange {
    /// Returns the range from one port to another.
    pub fn new(low: u16, high: u16) -> Self {
        Self { low: low.to_be_bytes(), high: high.to_be_bytes() }
    }

    /// Returns the lowest and the highest port.
    pub fn ports(&self) -> (u16, u16) {
        (u16::from_be_bytes(self.low), u16::from_be_bytes(self.high))
    }
}
