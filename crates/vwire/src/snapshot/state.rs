//! What one network namespace holds, as plain data: the tables of its kernel. Pure.
//!
//! Everything that compares stands on this: a plan compares what is wanted with what is there, a
//! rollback what was there with what is left, a picture or an explanation reads one alone.

use std::collections::BTreeMap;

use vwire_netlink::{Address, AddressLabel, BridgeLink, Link, Neighbour, Nexthop, Route, Rule};

plain_structs! {
    /// The tables of one network namespace, each in the kernel's order.
    ///
    /// The same structs say what is there and what is wanted; in what is wanted, an attribute that is `None` may be anything.
    pub struct State {
        /// The links, with the options of their kind and of their master's, without counters unless those were asked for.
        pub links: Vec<Link>,
        /// IPv4 and IPv6 addresses.
        pub addresses: Vec<Address>,
        /// IPv4 and IPv6 routes of all tables, without what the kernel keeps of them in caches.
        pub routes: Vec<Route>,
        /// IPv4 and IPv6 rules.
        pub rules: Vec<Rule>,
        /// Next hops and their groups.
        pub nexthops: Vec<Nexthop>,
        /// Neighbours, and those that are answered for (`NTF_PROXY`).
        pub neighbours: Vec<Neighbour>,
        /// What bridges and VXLANs know.
        pub forwarding: Vec<Neighbour>,
        /// Bridges and their ports, with VLANs.
        pub bridge_links: Vec<BridgeLink>,
        /// The labels by which IPv6 chooses source addresses.
        pub labels: Vec<AddressLabel>,
        /// Sysctls by name with dots (`net.ipv4.ip_forward`), as they are read; a link's name may have dots of its own,
        /// so it stands with `/` for them, as `sysctl(8)` takes it.
        pub sysctls: BTreeMap<String, String>,
        /// What could not be read, in words; but for sysctls.
        pub missing: Vec<String>,
        /// Why some of the sysctls could not be read, where all else could be.
        pub missing_sysctls: Option<String>,
    }
}

/// What stood before the reason in [`State::missing`] when sysctls had no field of their own.
const OLDER: &str = "some of its sysctls: ";

impl State {
    /// Says all that could not be read.
    pub fn lacks(&self) -> impl Iterator<Item = String> {
        let sysctls = self.missing_sysctls.iter().map(|why| format!("{OLDER}{why}"));
        self.missing.iter().cloned().chain(sysctls)
    }

    /// Gives what an older vwire wrote of sysctls the field that it has now.
    pub(super) fn renew(&mut self) {
        let older = self.missing.iter().position(|missing| missing.starts_with(OLDER));
        if let Some(why) = older.map(|at| self.missing.remove(at)) {
            self.missing_sysctls.get_or_insert_with(|| why.trim_start_matches(OLDER).to_owned());
        }
    }

    /// Returns the link with this index.
    #[must_use]
    pub fn link(&self, index: u32) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    /// Returns the link with this name, or with this other name.
    #[must_use]
    pub fn link_named(&self, name: &[u8]) -> Option<&Link> {
        let is = |link: &&Link| {
            link.ifname.is_some_and(|own| own.as_bytes() == name)
                || link.alt_names().iter().any(|other| other.as_bytes() == name)
        };
        self.links.iter().find(is)
    }
}
