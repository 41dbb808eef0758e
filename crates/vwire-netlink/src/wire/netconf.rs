//! Sysctls of links that netlink tells: `RTM_NEWNETCONF`, `RTM_DELNETCONF`, `RTM_GETNETCONF`.

attributes! {
    /// Sysctls of a link, or of all, or the defaults (`struct netconfmsg` and `NETCONFA_*`).
    pub struct Netconf ("NETCONFA_") after {
        /// `AF_INET`, `AF_INET6`, `AF_MPLS`.
        family: u8,
    } {
        /// The link, by its index; -1 is all, -2 the defaults.
        ifindex: Option<i32> = 1,
        /// Whether packets are forwarded, 0 or 1.
        forwarding: Option<i32> = 2,
        /// Whether the source must be reachable: 0 no, 1 by the same link, 2 by any.
        rp_filter: Option<i32> = 3,
        /// Whether multicast is forwarded, 0 or 1.
        mc_forwarding: Option<i32> = 4,
        /// Whether ARP or ND is answered for others, 0 or 1.
        proxy_neigh: Option<i32> = 5,
        /// Whether routes by a link without carrier are left out, 0 or 1.
        ignore_routes_with_linkdown: Option<i32> = 6,
        /// Whether MPLS is taken, 0 or 1.
        input: Option<i32> = 7,
        /// Whether broadcast is forwarded, 0 or 1.
        bc_forwarding: Option<i32> = 8,
        /// Whether packets are forwarded whatever `forwarding` of all says, 0 or 1 (Linux 6.17).
        force_forwarding: Option<i32> = 9,
    }
}
