//! macvlan and macvtap: more MAC addresses on a link.

attributes! {
    /// A MAC address on a link.
    pub struct Macvlan ("IFLA_MACVLAN_") {
        /// Who speaks to whom (`MACVLAN_MODE_*`).
        mode: Option<u32> = 1,
        /// `MACVLAN_FLAG_*`.
        flags: Option<u16> = 2,
        /// What a request does with addresses (`MACVLAN_MACADDR_*`).
        macaddr_mode: Option<u32> = 3,
        /// A source address, for a request.
        macaddr: Option<[u8; 6]> = 4,
        /// The source addresses.
        macaddr_data: Option<MacAddresses> = 5,
        /// How many source addresses.
        macaddr_count: Option<u32> = 6,
        /// How many broadcasts may wait, as asked for.
        bc_queue_len: Option<u32> = 7,
        /// How many broadcasts may wait, as it is.
        bc_queue_len_used: Option<u32> = 8,
        /// From how many on broadcasts wait (Linux 6.4).
        bc_cutoff: Option<i32> = 9,
    }
}

attributes! {
    /// Source addresses (`IFLA_MACVLAN_MACADDR_DATA`).
    pub struct MacAddresses ("IFLA_MACVLAN_") {
        /// One address each.
        macaddr: Vec<[u8; 6]> = 4,
    }
}
