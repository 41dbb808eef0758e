//! What one change to one link may take away, or bring along, beside what it asks for. Pure.
//!
//! The kernel does the parts of one request in an order of its own and stops at the first that it refuses: what it did
//! before stays done (`do_setlink` in `net/core/rtnetlink.c`). Who brings that back must have looked at it before; a
//! namespace may have thousands of links, so only that is looked at which the change can reach ([`super::around`]).

use std::collections::BTreeSet;

use vwire_netlink::Link;

use super::part::UP;

/// `IFF_NOARP`.
const NOARP: u32 = 0x80;
/// The least MTU of IPv6: below it a link loses its addresses (`addrconf_notify`).
const IPV6_MTU: u32 = 1280;

/// What a change to a link may reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a sort of things that is looked at or not")]
pub struct Effects {
    /// What hangs on the link: addresses, routes, next hops, neighbours.
    pub hangs: bool,
    /// The links on top of it, which go down and up with it and have no greater MTU.
    pub above: bool,
    /// The other end of its cable and its masters, which have a carrier through it, and may have its address.
    pub beside: bool,
    /// The ports of a master that it is itself.
    pub ports: bool,
    /// What a master knows of it as a port: forwarding entries, VLANs.
    pub port: bool,
}

impl Effects {
    /// Returns what a request to change a link may reach.
    #[must_use]
    pub fn of(asked: &Link) -> Self {
        let switches = |flags: u32| asked.change & flags != 0;
        let moves = asked.net_ns_fd.is_some();
        let leaves = moves || asked.master.is_some();
        let goes_down = moves || switches(UP);
        let has_address = asked.address.is_some();
        Self {
            hangs: leaves || goes_down || has_address || switches(NOARP) || asked.mtu.is_some_and(|mtu| mtu < IPV6_MTU),
            above: goes_down || has_address || asked.mtu.is_some(),
            beside: leaves || goes_down || has_address || asked.mtu.is_some(),
            ports: asked.linkinfo.as_ref().is_some_and(|info| info.data.is_some()),
            port: leaves,
        }
    }
}

/// The links that are looked at, and what of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Focus {
    /// The links, the one that is changed among them.
    pub links: BTreeSet<u32>,
    /// Whether to look at what hangs on them.
    pub hangs: bool,
    /// Whether to look at what masters know of them.
    pub port: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_is_of_the_link_reaches_nothing_else() {
        let asked = Link { group: Some(7), txqlen: Some(5), ifalias: Some("x".into()), ..Link::default() };
        assert_eq!(Effects::of(&asked), Effects::default());
    }

    #[test]
    fn a_small_mtu_takes_the_addresses_of_ipv6() {
        let asked = |mtu| Effects::of(&Link { mtu: Some(mtu), ..Link::default() });
        assert!(!asked(1400).hangs && asked(1400).above);
        assert!(asked(1200).hangs);
    }

    #[test]
    fn a_master_and_a_move_reach_the_port() {
        let master = Effects::of(&Link { master: Some(0), ..Link::default() });
        let moved = Effects::of(&Link { net_ns_fd: Some(3), ..Link::default() });
        assert!(master.port && master.beside && master.hangs && !master.above);
        assert!(moved.port && moved.beside && moved.hangs && moved.above);
    }
}
