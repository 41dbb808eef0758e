//! ipvlan and ipvtap: more IP addresses on a link.

attributes! {
    /// An IP address on a link.
    pub struct Ipvlan ("IFLA_IPVLAN_") {
        /// What it looks at (`IPVLAN_MODE_*`).
        mode: Option<u16> = 1,
        /// `IPVLAN_F_*`.
        flags: Option<u16> = 2,
    }
}
