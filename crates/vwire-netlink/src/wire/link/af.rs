//! What the address families say of a link (`IFLA_AF_SPEC`).

use std::net::Ipv6Addr;

attributes! {
    /// What the address families say; each attribute's number is the family's.
    pub struct AfSpec ("AF_") {
        /// IPv4.
        inet: Option<AfInet> = 2,
        /// IPv6.
        inet6: Option<Box<AfInet6>> = 10,
        ; also { 7 = "BRIDGE", 45 = "MCTP" }
    }
}

attributes! {
    /// What IPv4 says.
    pub struct AfInet ("IFLA_INET_") {
        /// The sysctls: place n has `IPV4_DEVCONF_*` n + 1.
        conf: Option<Box<[u32]>> = 1,
    }
}

attributes! {
    /// What IPv6 says.
    pub struct AfInet6 ("IFLA_INET6_") {
        /// `IF_RA_*`, `IF_READY`.
        flags: Option<u32> = 1,
        /// The sysctls: place n has `DEVCONF_*` n.
        conf: Option<Box<[u32]>> = 2,
        /// Counters (`IPSTATS_MIB_*`); the first is how many there are.
        stats: Option<Box<[u64]>> = 3,
        /// Not used by the kernel.
        mcast: Option<Box<[u8]>> = 4,
        /// Times and the reassembly limit.
        cacheinfo: Option<Inet6CacheInfo> = 5,
        /// Counters (`ICMP6_MIB_*`); the first is how many there are.
        icmp6stats: Option<Box<[u64]>> = 6,
        /// The low half of the addresses that router advertisements make.
        token: Option<Ipv6Addr> = 7,
        /// How addresses are made (`IN6_ADDR_GEN_MODE_*`).
        addr_gen_mode: Option<u8> = 8,
        /// The MTU that routers advertise, in bytes.
        ra_mtu: Option<u32> = 9,
    }
}

record! {
    /// Times of a link's IPv6 (`struct ifla_cacheinfo`).
    pub struct Inet6CacheInfo {
        /// The longest packet that is put together, in bytes.
        max_reasm_len: u32,
        /// When it was changed, in hundredths of a second since boot.
        tstamp: u32,
        /// For how long a neighbour counts as reachable, in milliseconds.
        reachable_time: u32,
        /// How long to wait between two neighbour solicitations, in milliseconds.
        retrans_time: u32,
    }
}
