//! Labels by which IPv6 chooses source addresses (RFC 6724): `RTM_NEWADDRLABEL` and its kin.

use std::net::IpAddr;

attributes! {
    /// The label of a prefix (`struct ifaddrlblmsg` and `IFAL_*`).
    pub struct AddressLabel ("IFAL_") after {
        /// `AF_INET6`.
        family: u8 [1],
        /// The length of the prefix, in bits.
        prefixlen: u8,
        /// Not used by the kernel.
        flags: u8,
        /// The link, by its index; 0 is all.
        index: u32,
        /// How often the table was changed.
        sequence: u32,
    } {
        /// The prefix.
        address: Option<IpAddr> = 1,
        /// The label.
        label: Option<u32> = 2,
    }
}
