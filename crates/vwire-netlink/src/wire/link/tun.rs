//! A link whose other end is a process (tun).
//!
//! Its data is read only; /dev/net/tun makes and sets it.

attributes! {
    /// A TUN or TAP device.
    pub struct Tun ("IFLA_TUN_") {
        /// The user who may attach.
        owner: Option<u32> = 1,
        /// The group who may attach.
        group: Option<u32> = 2,
        /// `IFF_TUN` (1) or `IFF_TAP` (2).
        r#type: Option<u8> = 3,
        /// Whether packets have the header `struct tun_pi`, 0 or 1.
        pi: Option<u8> = 4,
        /// Whether packets have the header `struct virtio_net_hdr`, 0 or 1.
        vnet_hdr: Option<u8> = 5,
        /// Whether the device outlives its process, 0 or 1.
        persist: Option<u8> = 6,
        /// Whether there may be many queues, 0 or 1.
        multi_queue: Option<u8> = 7,
        /// How many queues are attached.
        num_queues: Option<u32> = 8,
        /// How many queues are disabled.
        num_disabled_queues: Option<u32> = 9,
    }
}
