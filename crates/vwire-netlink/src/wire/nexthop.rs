//! Next hops, which routes share: `RTM_NEWNEXTHOP`, `RTM_DELNEXTHOP`, `RTM_GETNEXTHOP`.

use std::net::IpAddr;

use super::nest::RawNest;

attributes! {
    /// A next hop, or a group of them (`struct nhmsg` and `NHA_*`).
    pub struct Nexthop ("NHA_") after {
        /// `AF_INET`, `AF_INET6`; `AF_UNSPEC` for a group.
        family: u8,
        /// How far it is (`RT_SCOPE_*`).
        scope: u8,
        /// Who made it (`RTPROT_*`).
        protocol: u8 [1],
        /// `RTNH_F_*`.
        flags: u32,
    } {
        /// The id.
        id: Option<u32> = 1,
        /// The members of the group.
        group: Option<Box<[GroupMember]>> = 2,
        /// The kind of group (`NEXTHOP_GRP_TYPE_*`).
        group_type: Option<u16> = 3,
        /// Packets are dropped.
        blackhole: bool = 4,
        /// The link, by its index.
        oif: Option<u32> = 5,
        /// The gateway.
        gateway: Option<IpAddr> = 6,
        /// What is put around a packet (`LWTUNNEL_ENCAP_*`).
        encap_type: Option<u16> = 7,
        /// How it is put around.
        encap: Option<RawNest> = 8,
        /// In a request for a dump: only groups.
        groups: bool = 9,
        /// In a request for a dump: only those by links of this master.
        master: Option<u32> = 10,
        /// It is for a bridge or a VXLAN.
        fdb: bool = 11,
        /// What a resilient group has.
        res_group: Option<ResilientGroup> = 12,
        /// A bucket of a resilient group.
        res_bucket: Option<RawNest> = 13,
        /// What a request wants (`NHA_OP_FLAG_*`; Linux 6.9).
        op_flags: Option<u32> = 14,
        /// Counters of the members (Linux 6.9).
        group_stats: Option<RawNest> = 15,
        /// Whether hardware counts, 0 or 1 (Linux 6.9).
        hw_stats_enable: Option<u32> = 16,
        /// Whether hardware does count, 0 or 1 (Linux 6.9).
        hw_stats_used: Option<u32> = 17,
    }
}

record! {
    /// A member of a group (`struct nexthop_grp`).
    pub struct GroupMember {
        /// The next hop, by its id.
        id: u32,
        /// The low 8 bits of the weight, less one.
        weight: u8,
        /// The high 8 bits of the weight, less one (Linux 6.12).
        weight_high: u8,
        /// Not used by the kernel.
        reserved: u16,
    }
}

attributes! {
    /// What a resilient group has (`NHA_RES_GROUP`).
    pub struct ResilientGroup ("NHA_RES_GROUP_") {
        /// How many buckets.
        buckets: Option<u16> = 1,
        /// How long a bucket must be idle, in hundredths of a second.
        idle_timer: Option<u32> = 2,
        /// How long it may be unbalanced, in hundredths of a second.
        unbalanced_timer: Option<u32> = 3,
        /// How long it is unbalanced, in hundredths of a second.
        unbalanced_time: Option<u64> = 4,
    }
}
