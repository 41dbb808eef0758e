//! Virtual functions of a device with SR-IOV (`IFLA_VFINFO_LIST`).

attributes! {
    /// The virtual functions.
    pub struct VfInfoList ("IFLA_VF_") {
        /// One virtual function each.
        info: Vec<VfInfo> = 1,
    }
}

attributes! {
    /// One virtual function (`IFLA_VF_INFO`).
    pub struct VfInfo ("IFLA_VF_") {
        /// The hardware address.
        mac: Option<VfMac> = 1,
        /// The VLAN.
        vlan: Option<VfVlan> = 2,
        /// The most it may send.
        tx_rate: Option<VfTxRate> = 3,
        /// Whether a forged source is dropped.
        spoofchk: Option<VfSetting> = 4,
        /// The state of its link (`IFLA_VF_LINK_STATE_*`).
        link_state: Option<VfSetting> = 5,
        /// The least and the most it may send.
        rate: Option<VfRate> = 6,
        /// Whether it may ask for the RSS configuration.
        rss_query_en: Option<VfSetting> = 7,
        /// Counters.
        stats: Option<VfStats> = 8,
        /// Whether it is trusted.
        trust: Option<VfSetting> = 9,
        /// The InfiniBand node's GUID.
        ib_node_guid: Option<VfGuid> = 10,
        /// The InfiniBand port's GUID.
        ib_port_guid: Option<VfGuid> = 11,
        /// The VLANs, with their protocols.
        vlan_list: Option<VfVlanList> = 12,
        /// The hardware address of everyone.
        broadcast: Option<[u8; 32]> = 13,
    }
}

record! {
    /// A hardware address (`struct ifla_vf_mac`).
    pub struct VfMac {
        /// Which virtual function.
        vf: u32,
        /// The address, padded with zeros.
        mac: [u8; 32],
    }
}

record! {
    /// A VLAN (`struct ifla_vf_vlan`).
    pub struct VfVlan {
        /// Which virtual function.
        vf: u32,
        /// The VLAN; 0 is none.
        vlan: u32,
        /// The priority.
        qos: u32,
    }
}

record! {
    /// A limit (`struct ifla_vf_tx_rate`).
    pub struct VfTxRate {
        /// Which virtual function.
        vf: u32,
        /// The most it may send, in Mbit/s; 0 is no limit.
        rate: u32,
    }
}

record! {
    /// Two limits (`struct ifla_vf_rate`).
    pub struct VfRate {
        /// Which virtual function.
        vf: u32,
        /// The least it may send, in Mbit/s; 0 is no limit.
        min_tx_rate: u32,
        /// The most it may send, in Mbit/s; 0 is no limit.
        max_tx_rate: u32,
    }
}

record! {
    /// A setting of one number (`struct ifla_vf_spoofchk` and others).
    pub struct VfSetting {
        /// Which virtual function.
        vf: u32,
        /// The value; `u32::MAX` is unknown.
        setting: u32,
    }
}

record! {
    /// A GUID (`struct ifla_vf_guid`).
    pub struct VfGuid {
        /// Which virtual function.
        vf: u32 [4],
        /// The GUID.
        guid: u64,
    }
}

attributes! {
    /// The VLANs of a virtual function (`IFLA_VF_VLAN_LIST`).
    pub struct VfVlanList ("IFLA_VF_VLAN_") {
        /// One VLAN each.
        info: Vec<VfVlanInfo> = 1,
    }
}

record! {
    /// A VLAN and its protocol (`struct ifla_vf_vlan_info`).
    pub struct VfVlanInfo {
        /// Which virtual function.
        vf: u32,
        /// The VLAN; 0 is none.
        vlan: u32,
        /// The priority.
        qos: u32,
        /// The protocol in network byte order.
        vlan_proto: [u8; 2] [2],
    }
}

attributes! {
    /// Counters of a virtual function (`IFLA_VF_STATS`).
    pub struct VfStats ("IFLA_VF_STATS_") {
        /// Packets received.
        rx_packets: Option<u64> = 0,
        /// Packets sent.
        tx_packets: Option<u64> = 1,
        /// Bytes received.
        rx_bytes: Option<u64> = 2,
        /// Bytes sent.
        tx_bytes: Option<u64> = 3,
        /// Broadcast packets received.
        broadcast: Option<u64> = 4,
        /// Multicast packets received.
        multicast: Option<u64> = 5,
        /// Packets received and dropped.
        rx_dropped: Option<u64> = 7,
        /// Packets to be sent and dropped.
        tx_dropped: Option<u64> = 8,
        ; also { 6 = "PAD" }
    }
}
