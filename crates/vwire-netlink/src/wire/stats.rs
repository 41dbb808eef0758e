//! Counters beyond those in a link's message: `RTM_NEWSTATS`, `RTM_GETSTATS`.

use super::link::Stats64;
use super::nest::RawNest;

attributes! {
    /// Counters of a link (`struct if_stats_msg` and `IFLA_STATS_*`).
    pub struct LinkStats ("IFLA_STATS_") after {
        /// `AF_UNSPEC`.
        family: u8 [3],
        /// The link, by its index.
        index: u32,
        /// Which counters: bit n - 1 is attribute n.
        filter_mask: u32,
    } {
        /// The counters.
        link_64: Option<Box<Stats64>> = 1,
        /// Counters of the link's kind.
        link_xstats: Option<Xstats> = 2,
        /// Counters of the master's kind.
        link_xstats_slave: Option<Xstats> = 3,
        /// Counters of hardware.
        link_offload_xstats: Option<RawNest> = 4,
        /// Counters of the address families.
        af_spec: Option<RawNest> = 5,
    }
}

attributes! {
    /// Counters of a kind.
    pub struct Xstats ("LINK_XSTATS_TYPE_") {
        /// A bridge.
        bridge: Option<BridgeXstats> = 1,
        /// A bond.
        bond: Option<RawNest> = 2,
    }
}

attributes! {
    /// Counters of a bridge, or of its port.
    pub struct BridgeXstats ("BRIDGE_XSTATS_") {
        /// Of each VLAN.
        vlan: Vec<VlanXstats> = 1,
        /// Of multicast (`struct br_mcast_stats`).
        mcast: Option<Box<[u64]>> = 2,
        /// Of the spanning tree.
        stp: Option<StpXstats> = 4,
        ; also { 3 = "PAD" }
    }
}

record! {
    /// Counters of a VLAN (`struct bridge_vlan_xstats`).
    pub struct VlanXstats {
        /// Bytes received.
        rx_bytes: u64,
        /// Packets received.
        rx_packets: u64,
        /// Bytes sent.
        tx_bytes: u64,
        /// Packets sent.
        tx_packets: u64,
        /// The VLAN.
        vid: u16,
        /// `BRIDGE_VLAN_INFO_*`.
        flags: u16 [4],
    }
}

record! {
    /// Counters of the spanning tree (`struct bridge_stp_xstats`).
    pub struct StpXstats {
        /// How often the port was blocked.
        transition_blk: u64,
        /// How often the port was opened.
        transition_fwd: u64,
        /// Packets of the tree received.
        rx_bpdu: u64,
        /// Packets of the tree sent.
        tx_bpdu: u64,
        /// Topology changes received.
        rx_tcn: u64,
        /// Topology changes sent.
        tx_tcn: u64,
    }
}
