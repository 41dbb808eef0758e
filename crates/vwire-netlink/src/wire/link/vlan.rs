//! vlan: the packets of one VLAN on a link.

use super::super::codec::BigEndian;

attributes! {
    /// A VLAN.
    pub struct Vlan ("IFLA_VLAN_") {
        /// The number of the VLAN.
        id: Option<u16> = 1,
        /// `VLAN_FLAG_*`.
        flags: Option<VlanFlags> = 2,
        /// From packet priority to VLAN priority, on sending.
        egress_qos: Option<VlanQos> = 3,
        /// From VLAN priority to packet priority, on receiving.
        ingress_qos: Option<VlanQos> = 4,
        /// The protocol (0x8100 or 0x88a8).
        protocol: Option<u16> as BigEndian = 5,
    }
}

record! {
    /// The flags of a VLAN (`struct ifla_vlan_flags`).
    pub struct VlanFlags {
        /// `VLAN_FLAG_*`.
        flags: u32,
        /// Which of them a request sets.
        mask: u32,
    }
}

attributes! {
    /// A map of priorities.
    pub struct VlanQos ("IFLA_VLAN_QOS_") {
        /// One pair each.
        mapping: Vec<QosMapping> = 1,
    }
}

record! {
    /// A pair of priorities (`struct ifla_vlan_qos_mapping`).
    pub struct QosMapping {
        /// From this one.
        from: u32,
        /// To this one.
        to: u32,
    }
}
