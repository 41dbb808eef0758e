//! What the address families say of a link (`IFLA_AF_SPEC`).

use std::net::Ipv6Addr;

use super::super::attr::Attributes;

/// `AF_INET`.
const INET: u16 = 2;
/// `AF_INET6`.
const INET6: u16 = 10;
/// The number of `IFLA_INET6_CONF`.
const CONF: u16 = 2;
/// The number of `IFLA_INET6_STATS`.
const COUNTERS: u16 = 3;
/// The number of `IFLA_INET6_ICMP6STATS`.
const ICMP6_COUNTERS: u16 = 6;

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

impl AfSpec {
    /// Reads what [`Link::shed`](super::Link::shed) leaves; `None` if a part has not its form.
    pub(super) fn decode_shed(payload: &[u8]) -> Option<Self> {
        let mut families = Self::default();
        let mut attributes = Attributes::new(payload);
        for attribute in attributes.by_ref() {
            let taken = match attribute.number() {
                INET => true,
                INET6 if families.inet6.is_none() => {
                    families.inet6 = Some(Box::new(AfInet6::decode_shed(attribute.payload())?));
                    true
                }
                _ => families.take(&attribute),
            };
            if !taken {
                families.other.push(attribute.to_raw());
            }
        }
        attributes.rest().is_empty().then_some(families)
    }
}

impl AfInet6 {
    fn decode_shed(payload: &[u8]) -> Option<Self> {
        let mut inet6 = Self::default();
        let mut attributes = Attributes::new(payload);
        for attribute in attributes.by_ref() {
            if !matches!(attribute.number(), CONF | COUNTERS | ICMP6_COUNTERS) && !inet6.take(&attribute) {
                inet6.other.push(attribute.to_raw());
            }
        }
        attributes.rest().is_empty().then_some(inet6)
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
