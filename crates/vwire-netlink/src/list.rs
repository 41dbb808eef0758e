//! Lists: everything of one sort, as typed objects.
//!
//! Each list is one dump, and so consistent in itself. A filter is a message with what it filters by filled in; the
//! kernel refuses what it cannot filter by, instead of ignoring it.

use crate::error::DumpError;
use crate::filter::{AddressFilter, LinkFilter};
use crate::socket::Socket;
use crate::wire::bridge::VlanDbFilter;
use crate::wire::link::Stats64;
use crate::wire::stats::LinkStats;
use crate::wire::{
    Address, AddressLabel, Body, BridgeLink, Link, MessageType, NamespaceId, Neighbour, NeighbourTable, Netconf,
    Nexthop, Qdisc, Request, Route, Rule, VlanDb,
};

/// `AF_BRIDGE`.
const AF_BRIDGE: u8 = 7;
/// `RTEXT_FILTER_BRVLAN_COMPRESSED`.
const FILTER_VLAN_RANGES: u32 = 1 << 2;

impl Socket {
    /// Returns the links.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn links(&mut self, filter: &LinkFilter) -> Result<Vec<Link>, DumpError> {
        self.dump(&filter.to_request(), |message| {
            if filter.skip_stats { Link::parse_shed(message.payload) } else { Link::parse(message.payload) }
        })
    }

    /// Returns the addresses.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn addresses(&mut self, filter: &AddressFilter) -> Result<Vec<Address>, DumpError> {
        self.dump_bodies(&filter.to_request())
    }

    /// Returns the routes; `filter` may have the family, `table`, `oif`, `protocol`, `route_type`.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn routes(&mut self, filter: &Route) -> Result<Vec<Route>, DumpError> {
        self.dump_bodies(&Request::dump(MessageType::GETROUTE, filter))
    }

    /// Returns the rules of a family, or of all with `AF_UNSPEC`.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn rules(&mut self, family: u8) -> Result<Vec<Rule>, DumpError> {
        let filter = Rule { family, ..Rule::default() };
        self.dump_bodies(&Request::dump(MessageType::GETRULE, &filter))
    }

    /// Returns the neighbours; `filter` may have the family, `ifindex` and `master`, and `NTF_PROXY` in `flags`.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn neighbours(&mut self, filter: &Neighbour) -> Result<Vec<Neighbour>, DumpError> {
        self.dump_bodies(&Request::dump(MessageType::GETNEIGH, filter))
    }

    /// Returns the addresses that bridges and VXLANs know.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn forwarding_database(&mut self) -> Result<Vec<Neighbour>, DumpError> {
        self.neighbours(&Neighbour { family: AF_BRIDGE, ..Neighbour::default() })
    }

    /// Returns the next hops; `filter` may have `oif`, `master`, `groups`, `fdb`.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn nexthops(&mut self, filter: &Nexthop) -> Result<Vec<Nexthop>, DumpError> {
        self.dump_bodies(&Request::dump(MessageType::GETNEXTHOP, filter))
    }

    /// Returns the ids of namespaces; `filter` may have `target_nsid`.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn namespace_ids(&mut self, filter: &NamespaceId) -> Result<Vec<NamespaceId>, DumpError> {
        self.dump_bodies(&Request::dump(MessageType::GETNSID, filter))
    }

    /// Returns the tables of neighbours, and what each link has set in them; of one family, or of all if it is 0.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn neighbour_tables(&mut self, family: u8) -> Result<Vec<NeighbourTable>, DumpError> {
        let filter = NeighbourTable { family, ..NeighbourTable::default() };
        self.dump_bodies(&Request::dump(MessageType::GETNEIGHTBL, &filter))
    }

    /// Returns the sysctls of all links, of "all" and the defaults, of one family.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn netconfs(&mut self, family: u8) -> Result<Vec<Netconf>, DumpError> {
        let filter = Netconf { family, ..Netconf::default() };
        self.dump_bodies(&Request::dump(MessageType::GETNETCONF, &filter))
    }

    /// Returns the labels by which IPv6 chooses source addresses.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn address_labels(&mut self) -> Result<Vec<AddressLabel>, DumpError> {
        let filter = AddressLabel { family: 10, ..AddressLabel::default() };
        self.dump_bodies(&Request::dump(MessageType::GETADDRLABEL, &filter))
    }

    /// Returns the bridges and their ports with their VLANs, ranges as ranges.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn bridge_links(&mut self) -> Result<Vec<BridgeLink>, DumpError> {
        let filter = BridgeLink { family: AF_BRIDGE, ext_mask: Some(FILTER_VLAN_RANGES), ..BridgeLink::default() };
        self.dump_bodies(&Request::dump(MessageType::GETLINK, &filter))
    }

    /// Returns the VLANs of bridges and their ports; `flags` are `BRIDGE_VLANDB_DUMPF_*`.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`]; `EOPNOTSUPP` if the kernel has no VLAN filtering.
    pub fn bridge_vlans(&mut self, flags: u32) -> Result<Vec<VlanDb>, DumpError> {
        let filter = VlanDbFilter { family: AF_BRIDGE, flags: Some(flags), ..VlanDbFilter::default() };
        self.dump_bodies(&Request::dump(MessageType::GETVLAN, &filter))
    }

    /// Returns the queueing disciplines of all links, or of one with `index` in `filter`, which the kernel may leave to
    /// the caller to look for; with `dump_invisible`, those, too, that are there without being asked for.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn qdiscs(&mut self, filter: &Qdisc) -> Result<Vec<Qdisc>, DumpError> {
        self.dump_bodies(&Request::dump(MessageType::GETQDISC, filter))
    }

    /// Returns the counters of all links: less to read than the links themselves.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn counters(&mut self) -> Result<Vec<(u32, Stats64)>, DumpError> {
        let filter = LinkStats { filter_mask: 1, ..LinkStats::default() };
        let stats = self.dump_bodies(&Request::dump(MessageType::GETSTATS, &filter))?;
        let counters = |stats: LinkStats| Some((stats.index, *stats.link_64?));
        Ok(stats.into_iter().filter_map(counters).collect())
    }
}
