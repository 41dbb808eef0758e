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
    /// Returns what a request to change a link may reach; what the link has already changes nothing.
    #[must_use]
    pub fn of(asked: &Link, own: &Link) -> Self {
        let switches = |flags: u32| asked.change & flags & (asked.flags ^ own.flags) != 0;
        let moves = asked.net_ns_fd.is_some();
        let leaves = moves || asked.master.is_some_and(|master| master != own.master.unwrap_or(0));
        let goes_down = moves || switches(UP);
        let has_address = asked.address.is_some() && asked.address != own.address;
        let has_mtu = asked.mtu.is_some() && asked.mtu != own.mtu;
        Self {
            hangs: leaves
                || goes_down
                || has_address
                || switches(NOARP)
                || has_mtu && asked.mtu.is_some_and(|mtu| mtu < IPV6_MTU),
            above: goes_down || has_address || has_mtu,
            beside: leaves || goes_down || has_address || has_mtu,
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
        assert_eq!(Effects::of(&asked, &Link::default()), Effects::default());
    }

    #[test]
    fn a_small_mtu_takes_the_addresses_of_ipv6() {
        let asked = |mtu| Effects::of(&Link { mtu: Some(mtu), ..Link::default() }, &Link::default());
        assert!(!asked(1400).hangs && asked(1400).above);
        assert!(asked(1200).hangs);
    }

    #[test]
    fn a_master_and_a_move_reach_the_port() {
        let port = Link { master: Some(5), ..Link::default() };
        let master = Effects::of(&Link { master: Some(0), ..Link::default() }, &port);
        let moved = Effects::of(&Link { net_ns_fd: Some(3), ..Link::default() }, &port);
        assert!(master.port && master.beside && master.hangs && !master.above);
        assert!(moved.port && moved.beside && moved.hangs && moved.above);
    }

    #[test]
    fn what_it_has_already_reaches_nothing() {
        let own = Link { flags: UP, mtu: Some(1400), master: Some(5), ..Link::default() };
        let mut asked = Link { mtu: Some(1400), master: Some(5), ..Link::default() };
        asked.set_flags(UP, UP);
        assert_eq!(Effects::of(&asked, &own), Effects::default());
        asked.set_flags(UP, 0);
        assert!(Effects::of(&asked, &own).hangs);
    }
}
