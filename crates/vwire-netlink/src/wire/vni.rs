//! The networks that a VXLAN with a filter takes: `RTM_NEWTUNNEL`, `RTM_DELTUNNEL`, `RTM_GETTUNNEL`.

use std::net::{Ipv4Addr, Ipv6Addr};

attributes! {
    /// The networks of a VXLAN (`struct tunnel_msg` and `VXLAN_VNIFILTER_*`).
    pub struct VniFilter ("VXLAN_VNIFILTER_") after {
        /// `AF_BRIDGE`.
        family: u8,
        /// `TUNNEL_MSG_FLAG_*`.
        flags: u8 [2],
        /// The VXLAN, by its index.
        index: u32,
    } {
        /// The networks.
        entry: Vec<VniEntry> = 1,
    }
}

attributes! {
    /// A network, or many alike.
    pub struct VniEntry ("VXLAN_VNIFILTER_ENTRY_") {
        /// The first number.
        start: Option<u32> = 1,
        /// The last number.
        end: Option<u32> = 2,
        /// The group or the other end.
        group: Option<Ipv4Addr> = 3,
        /// The group or the other end.
        group6: Option<Ipv6Addr> = 4,
        /// Counters.
        stats: Option<VniStats> = 5,
    }
}

attributes! {
    /// Counters of a network.
    pub struct VniStats ("VNIFILTER_ENTRY_STATS_") {
        /// Bytes received.
        rx_bytes: Option<u64> = 1,
        /// Packets received.
        rx_pkts: Option<u64> = 2,
        /// Packets dropped where they were received.
        rx_drops: Option<u64> = 3,
        /// Packets received that were wrong.
        rx_errors: Option<u64> = 4,
        /// Bytes sent.
        tx_bytes: Option<u64> = 5,
        /// Packets sent.
        tx_pkts: Option<u64> = 6,
        /// Packets dropped where they were to be sent.
        tx_drops: Option<u64> = 7,
        /// Packets that could not be sent.
        tx_errors: Option<u64> = 8,
        ; also { 9 = "PAD" }
    }
}
