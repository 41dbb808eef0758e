//! Ids of network namespaces: `RTM_NEWNSID`, `RTM_DELNSID`, `RTM_GETNSID`.
//!
//! A namespace may give others an id; with it, messages say where the other end of a link is.

attributes! {
    /// The id of a network namespace (`struct rtgenmsg` and `NETNSA_*`).
    pub struct NamespaceId ("NETNSA_") after {
        /// `AF_UNSPEC`.
        family: u8,
    } {
        /// The id; -1 is none, or in a request leaves the choice to the kernel.
        nsid: Option<i32> = 1,
        /// The namespace of this process.
        pid: Option<u32> = 2,
        /// The namespace of this file descriptor.
        fd: Option<u32> = 3,
        /// In a request: in which namespace, by its id, ids are looked up.
        target_nsid: Option<i32> = 4,
        /// In an answer: the id that the namespace has in the asking one.
        current_nsid: Option<i32> = 5,
    }
}

impl NamespaceId {
    /// The id of a namespace that has none (`NETNSA_NSID_NOT_ASSIGNED`).
    pub const NOT_ASSIGNED: i32 = -1;
}
