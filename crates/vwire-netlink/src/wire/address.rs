//! Addresses: `RTM_NEWADDR`, `RTM_DELADDR`, `RTM_GETADDR`.

use std::net::IpAddr;

use super::text::Text;

attributes! {
    /// An address of a link (`struct ifaddrmsg` and `IFA_*`).
    pub struct Address ("IFA_") after {
        /// `AF_INET` or `AF_INET6`.
        family: u8,
        /// The length of the prefix, in bits.
        prefixlen: u8,
        /// The low 8 bits of `IFA_F_*`; [`Address::all_flags`] has all of them.
        header_flags: u8,
        /// `RT_SCOPE_*`.
        scope: u8,
        /// The index of the link.
        index: u32,
    } {
        /// The peer's address on a point-to-point link; else the same as `local`.
        address: Option<IpAddr> = 1,
        /// The address itself; IPv6 says it only if there is a peer.
        local: Option<IpAddr> = 2,
        /// IPv4: the name that `ifconfig` shows, the link's name or that and `:` and more.
        label: Option<Text> = 3,
        /// The broadcast address.
        broadcast: Option<IpAddr> = 4,
        /// The anycast address.
        anycast: Option<IpAddr> = 5,
        /// How long the address lives.
        cacheinfo: Option<AddressCacheInfo> = 6,
        /// The multicast address.
        multicast: Option<IpAddr> = 7,
        /// `IFA_F_*`, all 32 bits.
        flags: Option<u32> = 8,
        /// The metric of the route to the prefix.
        rt_priority: Option<u32> = 9,
        /// The id of the namespace that a request is about.
        target_netnsid: Option<i32> = 10,
        /// Who set the address (`IFAPROT_*`; Linux 5.18).
        proto: Option<u8> = 11,
        /// Of a multicast address: how many want it.
        mc_users: Option<u32> = 12,
    }
}

impl Address {
    /// Returns `IFA_F_*`, from the attribute or, if there is none, from the header.
    pub fn all_flags(&self) -> u32 {
        self.flags.unwrap_or(u32::from(self.header_flags))
    }
}

record! {
    /// How long an address lives (`struct ifa_cacheinfo`).
    pub struct AddressCacheInfo {
        /// For how long it is preferred, in seconds; `u32::MAX` is for ever.
        preferred: u32,
        /// For how long it is valid, in seconds; `u32::MAX` is for ever.
        valid: u32,
        /// When it was made, in hundredths of a second since boot.
        created: u32,
        /// When it was changed, in hundredths of a second since boot.
        updated: u32,
    }
}
