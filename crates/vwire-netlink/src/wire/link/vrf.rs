//! vrf: a routing domain, and its links.

attributes! {
    /// A routing domain.
    pub struct Vrf ("IFLA_VRF_") {
        /// The number of the routing table.
        table: Option<u32> = 1,
    }
}

attributes! {
    /// A link in a routing domain.
    pub struct VrfPort ("IFLA_VRF_PORT_") {
        /// The number of the routing table.
        table: Option<u32> = 1,
    }
}
