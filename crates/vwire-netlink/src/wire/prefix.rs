//! Prefixes that routers advertise: `RTM_NEWPREFIX`, which is only ever a notification.

use std::net::Ipv6Addr;

attributes! {
    /// A prefix (`struct prefixmsg` and `PREFIX_*`).
    pub struct Prefix ("PREFIX_") after {
        /// `AF_INET6`.
        family: u8 [3],
        /// The link, by its index.
        index: u32,
        /// The type of the option of neighbour discovery.
        prefix_type: u8,
        /// The length of the prefix, in bits.
        prefix_len: u8,
        /// `IF_PREFIX_*`.
        flags: u8 [1],
    } {
        /// The prefix.
        address: Option<Ipv6Addr> = 1,
        /// How long it lives.
        cacheinfo: Option<PrefixCacheInfo> = 2,
    }
}

record! {
    /// How long a prefix lives (`struct prefix_cacheinfo`).
    pub struct PrefixCacheInfo {
        /// For how long it is preferred, in seconds.
        preferred: u32,
        /// For how long it is valid, in seconds.
        valid: u32,
    }
}
