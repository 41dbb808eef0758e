//! An Ethernet switch in the kernel (bridge), and its ports.
//!
//! Times are in hundredths of a second.

use super::super::codec::BigEndian;
use crate::name::LinkAddress;

attributes! {
    /// A bridge.
    pub struct Bridge ("IFLA_BR_") {
        /// How long a port listens and learns, in hundredths of a second.
        forward_delay: Option<u32> = 1,
        /// How often the root says hello, in hundredths of a second.
        hello_time: Option<u32> = 2,
        /// How old the root's word may get, in hundredths of a second.
        max_age: Option<u32> = 3,
        /// How long an address is kept, in hundredths of a second.
        ageing_time: Option<u32> = 4,
        /// Spanning tree: 0 off, 1 by the kernel, 2 by a process.
        stp_state: Option<u32> = 5,
        /// The priority of this bridge.
        priority: Option<u16> = 6,
        /// Whether VLANs are told apart, 0 or 1.
        vlan_filtering: Option<u8> = 7,
        /// The protocol of the VLANs (0x8100 or 0x88a8).
        vlan_protocol: Option<u16> as BigEndian = 8,
        /// Which link-local groups are forwarded.
        group_fwd_mask: Option<u16> = 9,
        /// The root of the tree.
        root_id: Option<BridgeId> = 10,
        /// This bridge.
        bridge_id: Option<BridgeId> = 11,
        /// The port towards the root.
        root_port: Option<u16> = 12,
        /// The cost to the root.
        root_path_cost: Option<u32> = 13,
        /// Whether the topology is changing, 0 or 1.
        topology_change: Option<u8> = 14,
        /// Whether a change was detected, 0 or 1.
        topology_change_detected: Option<u8> = 15,
        /// Left of the hello timer, in hundredths of a second.
        hello_timer: Option<u64> = 16,
        /// Left of the notification timer, in hundredths of a second.
        tcn_timer: Option<u64> = 17,
        /// Left of the topology change timer, in hundredths of a second.
        topology_change_timer: Option<u64> = 18,
        /// Left of the timer that forgets addresses, in hundredths of a second.
        gc_timer: Option<u64> = 19,
        /// The group that the spanning tree speaks to.
        group_addr: Option<LinkAddress> = 20,
        /// A request forgets all addresses.
        fdb_flush: bool = 21,
        /// Whether multicast routers are behind the bridge.
        mcast_router: Option<u8> = 22,
        /// Whether multicast goes only where it is wanted, 0 or 1.
        mcast_snooping: Option<u8> = 23,
        /// Whether queries use the bridge's address, 0 or 1.
        mcast_query_use_ifaddr: Option<u8> = 24,
        /// Whether the bridge asks who wants multicast, 0 or 1.
        mcast_querier: Option<u8> = 25,
        /// Not used by the kernel any more.
        mcast_hash_elasticity: Option<u32> = 26,
        /// How many groups are kept.
        mcast_hash_max: Option<u32> = 27,
        /// How often the last member is asked.
        mcast_last_member_cnt: Option<u32> = 28,
        /// How often is asked at the start.
        mcast_startup_query_cnt: Option<u32> = 29,
        /// Between two questions to the last member, in hundredths of a second.
        mcast_last_member_intvl: Option<u64> = 30,
        /// How long a member stays, in hundredths of a second.
        mcast_membership_intvl: Option<u64> = 31,
        /// How long another querier is believed, in hundredths of a second.
        mcast_querier_intvl: Option<u64> = 32,
        /// Between two questions, in hundredths of a second.
        mcast_query_intvl: Option<u64> = 33,
        /// How long an answer may take, in hundredths of a second.
        mcast_query_response_intvl: Option<u64> = 34,
        /// Between two questions at the start, in hundredths of a second.
        mcast_startup_query_intvl: Option<u64> = 35,
        /// Whether iptables sees the packets, 0 or 1.
        nf_call_iptables: Option<u8> = 36,
        /// Whether ip6tables sees the packets, 0 or 1.
        nf_call_ip6tables: Option<u8> = 37,
        /// Whether arptables sees the packets, 0 or 1.
        nf_call_arptables: Option<u8> = 38,
        /// The VLAN of untagged packets at a new port.
        vlan_default_pvid: Option<u16> = 39,
        /// Whether VLANs are counted, 0 or 1.
        vlan_stats_enabled: Option<u8> = 41,
        /// Whether IGMP and MLD are counted, 0 or 1.
        mcast_stats_enabled: Option<u8> = 42,
        /// The version of IGMP.
        mcast_igmp_version: Option<u8> = 43,
        /// The version of MLD.
        mcast_mld_version: Option<u8> = 44,
        /// Whether VLANs are counted at each port, 0 or 1.
        vlan_stats_per_port: Option<u8> = 45,
        /// Options of one bit each (`BR_BOOLOPT_*`).
        multi_boolopt: Option<BoolOptions> = 46,
        /// Who asks for multicast.
        mcast_querier_state: Option<super::super::nest::RawNest> = 47,
        /// How many addresses are learned (Linux 6.8).
        fdb_n_learned: Option<u32> = 48,
        /// How many addresses may be learned (Linux 6.8).
        fdb_max_learned: Option<u32> = 49,
        /// Who runs the spanning tree.
        stp_mode: Option<u32> = 50,
        ; also { 40 = "PAD" }
    }
}

record! {
    /// A bridge's name in the spanning tree (`struct ifla_bridge_id`).
    pub struct BridgeId {
        /// The priority, the higher byte first.
        prio: [u8; 2],
        /// The MAC address.
        addr: [u8; 6],
    }
}

record! {
    /// Options of one bit each (`struct br_boolopt_multi`).
    pub struct BoolOptions {
        /// The options.
        optval: u32,
        /// Which of them a request sets, or the kernel has.
        optmask: u32,
    }
}

attributes! {
    /// A port of a bridge.
    pub struct BridgePort ("IFLA_BRPORT_") {
        /// The state of the spanning tree (`BR_STATE_*`).
        state: Option<u8> = 1,
        /// The priority.
        priority: Option<u16> = 2,
        /// The cost.
        cost: Option<u32> = 3,
        /// Whether packets may leave where they came in (hairpin), 0 or 1.
        mode: Option<u8> = 4,
        /// Whether the spanning tree's packets shut the port, 0 or 1.
        guard: Option<u8> = 5,
        /// Whether the port must not become the root's, 0 or 1.
        protect: Option<u8> = 6,
        /// Whether a member leaves at once, 0 or 1.
        fast_leave: Option<u8> = 7,
        /// Whether addresses are learned, 0 or 1.
        learning: Option<u8> = 8,
        /// Whether packets to unknown addresses go out, 0 or 1.
        unicast_flood: Option<u8> = 9,
        /// Whether ARP is answered for others, 0 or 1.
        proxyarp: Option<u8> = 10,
        /// Whether the hardware's addresses are learned, 0 or 1.
        learning_sync: Option<u8> = 11,
        /// Whether ARP is answered for others as Wi-Fi wants, 0 or 1.
        proxyarp_wifi: Option<u8> = 12,
        /// The root that the port knows.
        root_id: Option<BridgeId> = 13,
        /// The bridge that the port knows.
        bridge_id: Option<BridgeId> = 14,
        /// The port that is in charge.
        designated_port: Option<u16> = 15,
        /// The cost of that port.
        designated_cost: Option<u16> = 16,
        /// The port's id, with its priority.
        id: Option<u16> = 17,
        /// The port's number.
        no: Option<u16> = 18,
        /// Whether a change is acknowledged, 0 or 1.
        topology_change_ack: Option<u8> = 19,
        /// Whether a configuration is pending, 0 or 1.
        config_pending: Option<u8> = 20,
        /// Left of the message age timer, in hundredths of a second.
        message_age_timer: Option<u64> = 21,
        /// Left of the forward delay timer, in hundredths of a second.
        forward_delay_timer: Option<u64> = 22,
        /// Left of the hold timer, in hundredths of a second.
        hold_timer: Option<u64> = 23,
        /// A request forgets the port's addresses.
        flush: bool = 24,
        /// Whether a multicast router is behind the port.
        multicast_router: Option<u8> = 25,
        /// Whether multicast goes out, 0 or 1.
        mcast_flood: Option<u8> = 27,
        /// Whether multicast becomes unicast, 0 or 1.
        mcast_to_ucast: Option<u8> = 28,
        /// Whether VLANs are mapped to tunnels, 0 or 1.
        vlan_tunnel: Option<u8> = 29,
        /// Whether broadcast goes out, 0 or 1.
        bcast_flood: Option<u8> = 30,
        /// Which link-local groups are forwarded.
        group_fwd_mask: Option<u16> = 31,
        /// Whether ARP and ND stay back, 0 or 1.
        neigh_suppress: Option<u8> = 32,
        /// Whether the port speaks only to ports that do not have this, 0 or 1.
        isolated: Option<u8> = 33,
        /// The port that takes over, by its index.
        backup_port: Option<u32> = 34,
        /// Whether the MRP ring is open, 0 or 1.
        mrp_ring_open: Option<u8> = 35,
        /// Whether the MRP interconnection is open, 0 or 1.
        mrp_in_open: Option<u8> = 36,
        /// How many hosts are tracked at most.
        mcast_eht_hosts_limit: Option<u32> = 37,
        /// How many hosts are tracked.
        mcast_eht_hosts_cnt: Option<u32> = 38,
        /// Whether unknown sources stay out, 0 or 1.
        locked: Option<u8> = 39,
        /// Whether unknown sources are noted, 0 or 1 (Linux 6.2).
        mab: Option<u8> = 40,
        /// How many groups the port is in (Linux 6.3).
        mcast_n_groups: Option<u32> = 41,
        /// How many groups the port may be in (Linux 6.3).
        mcast_max_groups: Option<u32> = 42,
        /// Whether ARP and ND stay back, by VLAN, 0 or 1 (Linux 6.4).
        neigh_vlan_suppress: Option<u8> = 43,
        /// The next hop that takes over (Linux 6.6).
        backup_nhid: Option<u32> = 44,
        /// Whether gratuitous ARP and ND go out all the same, 0 or 1.
        neigh_forward_grat: Option<u8> = 45,
        ; also { 26 = "PAD" }
    }
}
