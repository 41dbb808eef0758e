//! What a bridge says of its ports and VLANs: links of the family `AF_BRIDGE`, `RTM_GETVLAN`.
//!
//! A dump of links with the family `AF_BRIDGE` gives [`BridgeLink`]s, whose `IFLA_AF_SPEC` and `IFLA_PROTINFO` have
//! meanings of their own. [`VlanDb`] is the newer way, with ranges and options.

use super::link::bridge::BridgePort;
use super::mdb::RouterPorts;
use super::nest::RawNest;
use crate::name::{IfName, LinkAddress};

attributes! {
    /// A bridge or a port of one (`struct ifinfomsg` and `IFLA_*`, of the family `AF_BRIDGE`).
    pub struct BridgeLink ("IFLA_") after {
        /// `AF_BRIDGE`.
        family: u8 [1],
        /// What is on the wire (`ARPHRD_*`).
        link_type: u16,
        /// The index.
        index: u32,
        /// `IFF_*`.
        flags: u32,
        /// Which of `flags` a request sets.
        change: u32,
    } {
        /// The hardware address.
        address: Option<LinkAddress> = 1,
        /// The name.
        ifname: Option<IfName> = 3,
        /// The longest packet, in bytes.
        mtu: Option<u32> = 4,
        /// The link this one is on, by its index.
        link: Option<u32> = 5,
        /// The bridge, by its index.
        master: Option<u32> = 10,
        /// The port.
        protinfo: Option<Box<BridgePort>> = 12,
        /// The state of RFC 2863 (`IF_OPER_*`).
        operstate: Option<u8> = 16,
        /// The VLANs and more.
        af_spec: Option<BridgeSpec> = 26,
        /// What a dump request wants (`RTEXT_FILTER_*`).
        ext_mask: Option<u32> = 29,
        /// The id of the namespace that `link` is in.
        link_netnsid: Option<i32> = 37,
    }
}

attributes! {
    /// The VLANs of a bridge or a port, and more (`IFLA_AF_SPEC` of the family `AF_BRIDGE`).
    pub struct BridgeSpec ("IFLA_BRIDGE_") {
        /// Whom a request is for (`BRIDGE_FLAGS_*`).
        flags: Option<u16> = 0,
        /// `BRIDGE_MODE_*`.
        mode: Option<u16> = 1,
        /// The VLANs, with ranges if the request asked for them.
        vlan_info: Vec<VlanInfo> = 2,
        /// From VLANs to tunnels.
        vlan_tunnel_info: Vec<VlanTunnel> = 3,
        /// Media redundancy.
        mrp: Option<RawNest> = 4,
        /// Connectivity faults.
        cfm: Option<RawNest> = 5,
        /// Many spanning trees.
        mst: Option<SpanningTrees> = 6,
    }
}

attributes! {
    /// The states of a port in the spanning trees (`IFLA_BRIDGE_MST`).
    pub struct SpanningTrees ("IFLA_BRIDGE_MST_") {
        /// The trees.
        entry: Vec<SpanningTree> = 1,
    }
}

attributes! {
    /// The state of a port in a spanning tree.
    pub struct SpanningTree ("IFLA_BRIDGE_MST_ENTRY_") {
        /// The tree.
        msti: Option<u16> = 1,
        /// The state (`BR_STATE_*`).
        state: Option<u8> = 2,
    }
}

record! {
    /// A VLAN (`struct bridge_vlan_info`).
    pub struct VlanInfo {
        /// `BRIDGE_VLAN_INFO_*`.
        flags: u16,
        /// The VLAN.
        vid: u16,
    }
}

attributes! {
    /// From a VLAN to a tunnel.
    pub struct VlanTunnel ("IFLA_BRIDGE_VLAN_TUNNEL_") {
        /// The tunnel.
        id: Option<u32> = 1,
        /// The VLAN.
        vid: Option<u16> = 2,
        /// `BRIDGE_VLAN_INFO_*`.
        flags: Option<u16> = 3,
    }
}

attributes! {
    /// The VLANs of a bridge or a port (`struct br_vlan_msg` and `BRIDGE_VLANDB_*`).
    pub struct VlanDb ("BRIDGE_VLANDB_") after {
        /// `AF_BRIDGE`.
        family: u8 [3],
        /// The bridge or the port, by its index.
        index: u32,
    } {
        /// VLANs, each with those up to its range.
        entry: Vec<VlanEntry> = 1,
        /// Options of VLANs on the whole bridge.
        global_options: Vec<VlanOptions> = 2,
    }
}

attributes! {
    /// A request for a dump of VLANs (`struct br_vlan_msg` and `BRIDGE_VLANDB_DUMP_*`).
    pub struct VlanDbFilter ("BRIDGE_VLANDB_DUMP_") after {
        /// `AF_BRIDGE`.
        family: u8 [3],
        /// The bridge or the port, by its index; 0 is all.
        index: u32,
    } {
        /// `BRIDGE_VLANDB_DUMPF_*`.
        flags: Option<u32> = 1,
    }
}

attributes! {
    /// A VLAN, or many alike.
    pub struct VlanEntry ("BRIDGE_VLANDB_ENTRY_") {
        /// The first VLAN.
        info: Option<VlanInfo> = 1,
        /// The last VLAN.
        range: Option<u16> = 2,
        /// The state of the spanning tree (`BR_STATE_*`).
        state: Option<u8> = 3,
        /// The tunnel.
        tunnel_info: Option<VlanEntryTunnel> = 4,
        /// Counters.
        stats: Option<VlanEntryStats> = 5,
        /// Whether a multicast router is behind the port.
        mcast_router: Option<u8> = 6,
        /// How many groups (Linux 6.3).
        mcast_n_groups: Option<u32> = 7,
        /// How many groups there may be (Linux 6.3).
        mcast_max_groups: Option<u32> = 8,
        /// Whether ARP and ND stay back, 0 or 1 (Linux 6.4).
        neigh_suppress: Option<u8> = 9,
        /// Whether gratuitous ARP and ND go out all the same, 0 or 1.
        neigh_forward_grat: Option<u8> = 10,
    }
}

attributes! {
    /// The tunnel of a VLAN.
    pub struct VlanEntryTunnel ("BRIDGE_VLANDB_TINFO_") {
        /// The tunnel.
        id: Option<u32> = 1,
        /// What a request does.
        cmd: Option<u32> = 2,
    }
}

attributes! {
    /// Counters of a VLAN.
    pub struct VlanEntryStats ("BRIDGE_VLANDB_STATS_") {
        /// Bytes received.
        rx_bytes: Option<u64> = 1,
        /// Packets received.
        rx_packets: Option<u64> = 2,
        /// Bytes sent.
        tx_bytes: Option<u64> = 3,
        /// Packets sent.
        tx_packets: Option<u64> = 4,
        ; also { 5 = "PAD" }
    }
}

attributes! {
    /// Options of a VLAN on the whole bridge.
    pub struct VlanOptions ("BRIDGE_VLANDB_GOPTS_") {
        /// The first VLAN.
        id: Option<u16> = 1,
        /// The last VLAN.
        range: Option<u16> = 2,
        /// Whether multicast goes only where it is wanted, 0 or 1.
        mcast_snooping: Option<u8> = 3,
        /// The version of IGMP.
        mcast_igmp_version: Option<u8> = 4,
        /// The version of MLD.
        mcast_mld_version: Option<u8> = 5,
        /// How often the last member is asked.
        mcast_last_member_cnt: Option<u32> = 6,
        /// How often is asked at the start.
        mcast_startup_query_cnt: Option<u32> = 7,
        /// Between two questions to the last member, in hundredths of a second.
        mcast_last_member_intvl: Option<u64> = 8,
        /// How long a member stays, in hundredths of a second.
        mcast_membership_intvl: Option<u64> = 10,
        /// How long another querier is believed, in hundredths of a second.
        mcast_querier_intvl: Option<u64> = 11,
        /// Between two questions, in hundredths of a second.
        mcast_query_intvl: Option<u64> = 12,
        /// How long an answer may take, in hundredths of a second.
        mcast_query_response_intvl: Option<u64> = 13,
        /// Between two questions at the start, in hundredths of a second.
        mcast_startup_query_intvl: Option<u64> = 14,
        /// Whether the bridge asks, 0 or 1.
        mcast_querier: Option<u8> = 15,
        /// The ports with multicast routers.
        mcast_router_ports: Option<VlanRouters> = 16,
        /// Who asks.
        mcast_querier_state: Option<RawNest> = 17,
        /// The spanning tree.
        msti: Option<u16> = 18,
        ; also { 9 = "PAD" }
    }
}

attributes! {
    /// The ports with multicast routers, in a VLAN.
    pub struct VlanRouters ("MDBA_") {
        /// The ports.
        router: Option<RouterPorts> = 2,
    }
}
