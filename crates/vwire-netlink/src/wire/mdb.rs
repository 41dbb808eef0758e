//! The multicast groups that bridges and VXLANs know: `RTM_NEWMDB`, `RTM_DELMDB`, `RTM_GETMDB`.

use std::net::IpAddr;

attributes! {
    /// The groups that a bridge or a VXLAN knows (`struct br_port_msg` and `MDBA_*`).
    pub struct Mdb ("MDBA_") after {
        /// `AF_BRIDGE`.
        family: u8 [3],
        /// The bridge or VXLAN, by its index.
        index: u32,
    } {
        /// The groups.
        mdb: Option<Groups> = 1,
        /// The ports with multicast routers.
        router: Option<RouterPorts> = 2,
    }
}

attributes! {
    /// Groups (`MDBA_MDB`).
    pub struct Groups ("MDBA_MDB_") {
        /// Each with its members.
        entry: Vec<Group> = 1,
    }
}

attributes! {
    /// A group and its members (`MDBA_MDB_ENTRY`).
    pub struct Group ("MDBA_MDB_ENTRY_") {
        /// The members.
        info: Vec<Member> = 1,
    }
}

attributes! {
    /// A member of a group: a port, or another end (`struct br_mdb_entry` and `MDBA_MDB_EATTR_*`).
    pub struct Member ("MDBA_MDB_EATTR_") after {
        /// The port, by its index.
        index: u32,
        /// `MDB_TEMPORARY` or `MDB_PERMANENT`.
        state: u8,
        /// `MDB_FLAGS_*`.
        flags: u8,
        /// The VLAN.
        vid: u16,
        /// The group's address: 4, 6 or 16 bytes and zeros, by `protocol`.
        address: [u8; 16],
        /// `ETH_P_IP`, `ETH_P_IPV6` or 0 for the link layer, in network byte order.
        protocol: [u8; 2] [2],
    } {
        /// Left of its timer, in hundredths of a second.
        timer: Option<u32> = 1,
        /// The sources that are let in or kept out.
        src_list: Option<Sources> = 2,
        /// Whether the sources are let in (`MCAST_INCLUDE`) or kept out.
        group_mode: Option<u8> = 3,
        /// The source that it is about.
        source: Option<IpAddr> = 4,
        /// Who made it (`RTPROT_*`).
        rtprot: Option<u8> = 5,
        /// The other end of a VXLAN.
        dst: Option<IpAddr> = 6,
        /// The other end's port.
        dst_port: Option<u16> = 7,
        /// The VXLAN's number at the other end.
        vni: Option<u32> = 8,
        /// The link to the other end, by its index.
        ifindex: Option<u32> = 9,
        /// The VXLAN's number that a packet comes from.
        src_vni: Option<u32> = 10,
    }
}

attributes! {
    /// Sources of a group.
    pub struct Sources ("MDBA_MDB_SRCLIST_") {
        /// Each of them.
        entry: Vec<Source> = 1,
    }
}

attributes! {
    /// A source of a group.
    pub struct Source ("MDBA_MDB_SRCATTR_") {
        /// Its address.
        address: Option<IpAddr> = 1,
        /// Left of its timer, in hundredths of a second.
        timer: Option<u32> = 2,
    }
}

attributes! {
    /// Ports with multicast routers (`MDBA_ROUTER`).
    pub struct RouterPorts ("MDBA_ROUTER_") {
        /// Each of them.
        port: Vec<RouterPort> = 1,
    }
}

attributes! {
    /// A port with a multicast router (its index and `MDBA_ROUTER_PATTR_*`).
    pub struct RouterPort ("MDBA_ROUTER_PATTR_") after {
        /// The port, by its index.
        index: u32,
    } {
        /// Left of its timer, in hundredths of a second.
        timer: Option<u32> = 1,
        /// `MDB_RTR_TYPE_*`.
        router_type: Option<u8> = 2 ("TYPE"),
        /// Left of the timer of IPv4.
        inet_timer: Option<u32> = 3,
        /// Left of the timer of IPv6.
        inet6_timer: Option<u32> = 4,
        /// The VLAN.
        vid: Option<u16> = 5,
    }
}

record! {
    /// What a request calls a group by (`struct br_mdb_entry`).
    pub struct MemberKey {
        /// The port, by its index.
        index: u32,
        /// `MDB_TEMPORARY` or `MDB_PERMANENT`.
        state: u8,
        /// `MDB_FLAGS_*`.
        flags: u8,
        /// The VLAN.
        vid: u16,
        /// The group's address: 4, 6 or 16 bytes and zeros, by `protocol`.
        address: [u8; 16],
        /// `ETH_P_IP`, `ETH_P_IPV6` or 0 for the link layer, in network byte order.
        protocol: [u8; 2] [2],
    }
}

attributes! {
    /// A request about a group: to make, to delete, to find, to flush (`MDBA_SET_ENTRY*`, `MDBA_GET_ENTRY*`).
    pub struct MdbRequest ("MDBA_SET_") after {
        /// `AF_BRIDGE`.
        family: u8 [3],
        /// The bridge or VXLAN, by its index.
        index: u32,
    } {
        /// The group.
        entry: Option<MemberKey> = 1,
        /// What else is asked for.
        entry_attrs: Option<MemberWanted> = 2,
    }
}

attributes! {
    /// What a request says of a member of a group (`MDBE_ATTR_*`).
    pub struct MemberWanted ("MDBE_ATTR_") {
        /// The source that it is about.
        source: Option<IpAddr> = 1,
        /// The sources that are let in or kept out.
        src_list: Option<Sources> = 2,
        /// Whether the sources are let in (`MCAST_INCLUDE`) or kept out.
        group_mode: Option<u8> = 3,
        /// Who makes it (`RTPROT_*`).
        rtprot: Option<u8> = 4,
        /// The other end of a VXLAN.
        dst: Option<IpAddr> = 5,
        /// The other end's port.
        dst_port: Option<u16> = 6,
        /// The VXLAN's number at the other end.
        vni: Option<u32> = 7,
        /// The link to the other end, by its index.
        ifindex: Option<u32> = 8,
        /// The VXLAN's number that a packet comes from.
        src_vni: Option<u32> = 9,
        /// In a request to flush: which states count.
        state_mask: Option<u8> = 10,
    }
}
