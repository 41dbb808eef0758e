//! Neighbours, and the addresses that a bridge or a VXLAN knows: `RTM_NEWNEIGH`, `RTM_DELNEIGH`, `RTM_GETNEIGH`.

use std::net::IpAddr;

use super::codec::BigEndian;
use crate::name::LinkAddress;

attributes! {
    /// A neighbour (`struct ndmsg` and `NDA_*`).
    pub struct Neighbour ("NDA_") after {
        /// `AF_INET`, `AF_INET6`; `AF_BRIDGE` for what a bridge or a VXLAN knows.
        family: u8 [3],
        /// The link, by its index.
        index: u32,
        /// `NUD_*`.
        state: u16,
        /// `NTF_*`.
        flags: u8,
        /// `RTN_*`.
        neighbour_type: u8,
    } {
        /// The neighbour's address; of a VXLAN's entry, the other end.
        dst: Option<IpAddr> = 1,
        /// The neighbour's hardware address.
        lladdr: Option<LinkAddress> = 2,
        /// Times.
        cacheinfo: Option<NeighbourCacheInfo> = 3,
        /// How often it was asked.
        probes: Option<u32> = 4,
        /// The VLAN.
        vlan: Option<u16> = 5,
        /// The other end's port.
        port: Option<u16> as BigEndian = 6,
        /// The VXLAN's number.
        vni: Option<u32> = 7,
        /// The link to the other end, by its index.
        ifindex: Option<u32> = 8,
        /// The bridge, by its index.
        master: Option<u32> = 9,
        /// The id of the namespace that `ifindex` is in.
        link_netnsid: Option<i32> = 10,
        /// The VXLAN's number that a packet comes from.
        src_vni: Option<u32> = 11,
        /// Who made it (`RTPROT_*`).
        protocol: Option<u8> = 12,
        /// The next hop, by its id.
        nh_id: Option<u32> = 13,
        /// More of what a bridge knows.
        fdb_ext_attrs: Option<FdbExtended> = 14,
        /// `NTF_EXT_*`.
        flags_ext: Option<u32> = 15,
        /// In a request to flush: which states count.
        ndm_state_mask: Option<u16> = 16,
        /// In a request to flush: which flags count.
        ndm_flags_mask: Option<u8> = 17,
    }
}

record! {
    /// Times of a neighbour (`struct nda_cacheinfo`).
    pub struct NeighbourCacheInfo {
        /// When it was confirmed, in hundredths of a second ago.
        confirmed: u32,
        /// When it was used, in hundredths of a second ago.
        used: u32,
        /// When it was changed, in hundredths of a second ago.
        updated: u32,
        /// How many use it.
        refcnt: u32,
    }
}

attributes! {
    /// More of what a bridge knows (`NDA_FDB_EXT_ATTRS`).
    pub struct FdbExtended ("NFEA_") {
        /// Whether activity is told (`FDB_NOTIFY_*`).
        activity_notify: Option<u8> = 1,
        /// A request leaves the age alone.
        dont_refresh: bool = 2,
    }
}
