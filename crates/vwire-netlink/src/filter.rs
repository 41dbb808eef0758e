//! What a dump returns: filters that the kernel applies, so that less is read.

use crate::wire::{Address, Link, MessageType, Request};

/// Which links a dump returns.
#[derive(Clone, Debug, Default)]
pub struct LinkFilter {
    /// Only links of this kind, as `veth`.
    pub kind: Option<String>,
    /// Only links of the master with this index.
    pub master: Option<u32>,
    /// The links of the namespace with this id.
    pub target_netnsid: Option<i32>,
    /// Whether to leave out what `ip` never shows: the kernel then sends no counters of IPv6, a quarter of the bytes,
    /// and [`Link::shed`] drops the rest: 1.4 KB a link are kept instead of 2.4.
    pub skip_stats: bool,
    /// Whether to have the virtual functions.
    pub virtual_functions: bool,
}

/// `RTEXT_FILTER_VF`.
const FILTER_VF: u32 = 1 << 0;
/// `RTEXT_FILTER_SKIP_STATS`.
const FILTER_SKIP_STATS: u32 = 1 << 3;

impl LinkFilter {
    /// Returns the filter that lets all links pass, with all counters.
    pub fn all() -> Self {
        Self::default()
    }

    /// Returns the filter that lets all links pass, without what `ip` never shows.
    pub fn without_stats() -> Self {
        Self { skip_stats: true, ..Self::default() }
    }

    /// Returns the request for the dump.
    pub fn to_request(&self) -> Request {
        let mut mask = 0;
        mask |= if self.skip_stats { FILTER_SKIP_STATS } else { 0 };
        mask |= if self.virtual_functions { FILTER_VF } else { 0 };
        let mut link =
            Link { ext_mask: Some(mask), master: self.master, target_netnsid: self.target_netnsid, ..Link::default() };
        if let Some(kind) = &self.kind {
            link.set_kind(kind, None);
        }
        Request::dump(MessageType::GETLINK, &link)
    }
}

/// Which addresses a dump returns.
#[derive(Clone, Copy, Debug, Default)]
pub struct AddressFilter {
    /// Only this family: `AF_INET`, `AF_INET6`; 0 is all.
    pub family: u8,
    /// Only addresses of the link with this index; 0 is all.
    pub index: u32,
    /// The addresses of the namespace with this id.
    pub target_netnsid: Option<i32>,
}

impl AddressFilter {
    /// Returns the filter that lets all addresses pass.
    pub fn all() -> Self {
        Self::default()
    }

    /// Returns the request for the dump.
    pub fn to_request(&self) -> Request {
        let address = Address {
            family: self.family,
            index: self.index,
            target_netnsid: self.target_netnsid,
            ..Address::default()
        };
        Request::dump(MessageType::GETADDR, &address)
    }
}
