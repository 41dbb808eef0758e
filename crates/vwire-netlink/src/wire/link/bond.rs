//! bond: links bonded to one, and those links.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::nest::Numbered;
use crate::name::LinkAddress;

attributes! {
    /// A bond.
    pub struct Bond ("IFLA_BOND_") {
        /// How links are chosen (`BOND_MODE_*`).
        mode: Option<u8> = 1,
        /// The link in use, by its index.
        active_slave: Option<u32> = 2,
        /// How often the carrier is looked at, in milliseconds.
        miimon: Option<u32> = 3,
        /// How long a link must be up, in milliseconds.
        updelay: Option<u32> = 4,
        /// How long a link must be down, in milliseconds.
        downdelay: Option<u32> = 5,
        /// Whether the driver's carrier is believed, 0 or 1.
        use_carrier: Option<u8> = 6,
        /// How often ARP asks, in milliseconds.
        arp_interval: Option<u32> = 7,
        /// Whom ARP asks.
        arp_ip_target: Option<Numbered<Ipv4Addr>> = 8,
        /// Which answers count.
        arp_validate: Option<u32> = 9,
        /// Whether all must answer.
        arp_all_targets: Option<u32> = 10,
        /// The preferred link, by its index.
        primary: Option<u32> = 11,
        /// When the preferred link is taken again.
        primary_reselect: Option<u8> = 12,
        /// What the MAC addresses do.
        fail_over_mac: Option<u8> = 13,
        /// How a packet chooses its link.
        xmit_hash_policy: Option<u8> = 14,
        /// How often IGMP is sent again.
        resend_igmp: Option<u32> = 15,
        /// How often neighbours are told.
        num_peer_notif: Option<u8> = 16,
        /// Whether all links receive, 0 or 1.
        all_slaves_active: Option<u8> = 17,
        /// How many links make a carrier.
        min_links: Option<u32> = 18,
        /// Between two learning packets, in seconds.
        lp_interval: Option<u32> = 19,
        /// How many packets before the next link.
        packets_per_slave: Option<u32> = 20,
        /// How often LACP speaks.
        ad_lacp_rate: Option<u8> = 21,
        /// How LACP chooses.
        ad_select: Option<u8> = 22,
        /// What LACP found.
        ad_info: Option<BondAdInfo> = 23,
        /// LACP: the priority.
        ad_actor_sys_prio: Option<u16> = 24,
        /// LACP: the user's key.
        ad_user_port_key: Option<u16> = 25,
        /// LACP: the system's MAC address.
        ad_actor_system: Option<[u8; 6]> = 26,
        /// Whether load moves, 0 or 1.
        tlb_dynamic_lb: Option<u8> = 27,
        /// Between two words to neighbours, in milliseconds.
        peer_notif_delay: Option<u32> = 28,
        /// Whether LACP speaks first, 0 or 1.
        ad_lacp_active: Option<u8> = 29,
        /// How many ARP answers may be missed.
        missed_max: Option<u8> = 30,
        /// Whom ND asks.
        ns_ip6_target: Option<Numbered<Ipv6Addr>> = 31,
        /// Whether LACP couples its states, 0 or 1 (Linux 6.9).
        coupled_control: Option<u8> = 32,
        /// Whether ARP and ND go out of all links, 0 or 1 (Linux 6.17).
        broadcast_neigh: Option<u8> = 33,
        /// Whether LACP must be spoken, 0 or 1.
        lacp_strict: Option<u8> = 34,
    }
}

attributes! {
    /// What LACP found (`IFLA_BOND_AD_INFO`).
    pub struct BondAdInfo ("IFLA_BOND_AD_INFO_") {
        /// The aggregator in use.
        aggregator: Option<u16> = 1,
        /// How many links it has.
        num_ports: Option<u16> = 2,
        /// Our key.
        actor_key: Option<u16> = 3,
        /// Their key.
        partner_key: Option<u16> = 4,
        /// Their MAC address.
        partner_mac: Option<[u8; 6]> = 5,
    }
}

attributes! {
    /// A link of a bond.
    pub struct BondSlave ("IFLA_BOND_SLAVE_") {
        /// Whether it is in use (0) or backup (1).
        state: Option<u8> = 1,
        /// The state of the carrier.
        mii_status: Option<u8> = 2,
        /// How often the link failed.
        link_failure_count: Option<u32> = 3,
        /// The MAC address it had.
        perm_hwaddr: Option<LinkAddress> = 4,
        /// The queue.
        queue_id: Option<u16> = 5,
        /// LACP: the aggregator.
        ad_aggregator_id: Option<u16> = 6,
        /// LACP: our state.
        ad_actor_oper_port_state: Option<u8> = 7,
        /// LACP: their state.
        ad_partner_oper_port_state: Option<u16> = 8,
        /// The priority.
        prio: Option<i32> = 9,
        /// LACP: our priority (Linux 6.18).
        actor_port_prio: Option<u16> = 10,
        /// LACP: our churn.
        ad_churn_actor_state: Option<u8> = 11,
        /// LACP: their churn.
        ad_churn_partner_state: Option<u8> = 12,
    }
}
