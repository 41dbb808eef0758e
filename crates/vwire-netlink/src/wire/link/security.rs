//! Encrypted links: macsec, xfrm, ovpn.

use super::super::codec::BigEndian;

attributes! {
    /// Encryption on a link.
    pub struct Macsec ("IFLA_MACSEC_") {
        /// Who sends, in network byte order.
        sci: Option<[u8; 8]> = 1,
        /// The port in the sender's id.
        port: Option<u16> as BigEndian = 2,
        /// The length of the check value, in bytes.
        icv_len: Option<u8> = 3,
        /// The cipher.
        cipher_suite: Option<u64> = 4,
        /// How far packets may be out of order.
        window: Option<u32> = 5,
        /// The association in use.
        encoding_sa: Option<u8> = 6,
        /// Whether packets are encrypted, 0 or 1.
        encrypt: Option<u8> = 7,
        /// Whether packets are protected, 0 or 1.
        protect: Option<u8> = 8,
        /// Whether the sender's id is sent, 0 or 1.
        inc_sci: Option<u8> = 9,
        /// Whether this is an end station, 0 or 1.
        es: Option<u8> = 10,
        /// Whether this is a single copy broadcast, 0 or 1.
        scb: Option<u8> = 11,
        /// Whether replayed packets are dropped, 0 or 1.
        replay_protect: Option<u8> = 12,
        /// What happens to bad packets (`MACSEC_VALIDATE_*`).
        validation: Option<u8> = 13,
        /// Who encrypts (`MACSEC_OFFLOAD_*`).
        offload: Option<u8> = 15,
        ; also { 14 = "PAD" }
    }
}

attributes! {
    /// A tunnel in IPsec by id.
    pub struct Xfrm ("IFLA_XFRM_") {
        /// The link below, by its index.
        link: Option<u32> = 1,
        /// The id of the policies.
        if_id: Option<u32> = 2,
        /// Whether routes say where to (external).
        collect_metadata: bool = 3,
    }
}

attributes! {
    /// An OpenVPN tunnel.
    pub struct Ovpn ("IFLA_OVPN_") {
        /// One peer (0) or many (1).
        mode: Option<u8> = 1,
    }
}
