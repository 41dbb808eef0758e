//! What numbers stand for while changes are told: kept, since what is gone can no longer be asked for its name.

use std::collections::HashMap;
use std::rc::Rc;

use vwire_netlink::{Link, LinkFilter, Netconf, Nexthop, Request, Route};

use crate::cli::ip::kernel::name_owners;
use crate::cli::ip::{Failure, Ip, Persona, address, nexthop, route, rule};
use crate::lab::namespace::named;
use crate::out::address::AddressNames;
use crate::out::link::{self, Context};
use crate::out::neigh::NeighbourNames;
use crate::out::rule::RuleNames;
use crate::out::{self, netconf};
use crate::snapshot::names;

/// `RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS` (`linux/rtnetlink.h`).
const NAME_ONLY: u32 = 1 | 1 << 3;

/// What is known of a link.
#[derive(Debug, Clone)]
struct Named {
    name: Vec<u8>,
    flags: u32,
    link_type: u16,
}

/// What numbers stand for.
#[derive(Debug)]
pub struct Known {
    /// By namespace, None is the monitor's own, and index.
    links: HashMap<(Option<i32>, u32), Named>,
    /// Whether names are kept as `ip` keeps them: those of all namespaces in one place, and the first for good.
    is_mixed: bool,
    has_namespaces: bool,
    link_names: Context,
    address_names: AddressNames,
    rule_names: RuleNames,
    route_names: out::route::Context,
    neighbour_names: NeighbourNames,
}

impl Known {
    /// Reads the system's tables of names.
    #[must_use]
    pub fn read(ip: &Ip<'_>) -> Self {
        Self {
            links: HashMap::new(),
            is_mixed: ip.persona == Persona::Ip,
            has_namespaces: false,
            link_names: Context {
                groups: ip.tables.rows(names::GROUPS),
                protodown_reasons: ip.tables.rows(names::PROTODOWN_REASONS),
                ..Context::default()
            },
            address_names: address::names_to_print(ip),
            rule_names: rule::names_to_print(ip),
            route_names: route::show::names_only(ip),
            neighbour_names: NeighbourNames {
                protocols: if ip.options.numeric { Rc::default() } else { ip.tables.rows(names::ROUTE_PROTOCOLS) },
                ..NeighbourNames::default()
            },
        }
    }

    /// Asks for the names of the links and namespaces that are there.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn ask(&mut self, ip: &mut Ip<'_>) -> Result<(), Failure> {
        let filter = LinkFilter { skip_stats: true, virtual_functions: true, ..LinkFilter::default() };
        for link in ip.socket()?.links(&filter).unwrap_or_default() {
            self.learn(None, &link);
        }
        self.ask_namespaces(ip)
    }

    /// Keeps what a link is called.
    pub fn learn(&mut self, namespace: Option<i32>, link: &Link) {
        let Some(name) = &link.ifname else { return };
        let place = (self.place(namespace), link.index);
        match self.links.get_mut(&place) {
            // `ip` goes on calling a link what it was called first.
            Some(named) if self.is_mixed => named.flags = link.flags,
            _ => {
                let named = Named { name: name.as_bytes().to_vec(), flags: link.flags, link_type: link.link_type };
                self.links.insert(place, named);
            }
        }
    }

    /// Forgets what a link was called.
    pub fn forget(&mut self, namespace: Option<i32>, index: u32) {
        self.links.remove(&(self.place(namespace), index));
    }

    fn place(&self, namespace: Option<i32>) -> Option<i32> {
        namespace.filter(|_| !self.is_mixed)
    }

    /// Returns what is needed to print a link.
    ///
    /// # Errors
    /// The socket cannot be opened. What cannot be named keeps its number.
    pub fn for_link(&mut self, ip: &mut Ip<'_>, namespace: Option<i32>, link: &Link) -> Result<&Context, Failure> {
        self.link_names.links.clear();
        for index in link::references(link) {
            if let Some(named) = self.link(ip, namespace, index)? {
                let entry = (named.name.clone(), named.flags);
                self.link_names.links.insert(index, entry);
            }
        }
        name_owners(&mut self.link_names, link);
        for id in [link.link_netnsid, link.new_netnsid].into_iter().flatten().filter(|id| *id >= 0) {
            let is_stale = !self.is_mixed && !self.link_names.namespaces.contains_key(&id);
            if !self.has_namespaces || is_stale {
                self.ask_namespaces(ip)?;
            }
        }
        Ok(&self.link_names)
    }

    /// Returns the name of an address's link and what is needed to print the address.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn for_address(
        &mut self,
        ip: &mut Ip<'_>,
        namespace: Option<i32>,
        index: u32,
    ) -> Result<(Vec<u8>, &AddressNames), Failure> {
        Ok((self.link_name(ip, namespace, index)?, &self.address_names))
    }

    /// Returns what is needed to print a neighbour.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn for_neighbour(
        &mut self,
        ip: &mut Ip<'_>,
        namespace: Option<i32>,
        index: u32,
    ) -> Result<&NeighbourNames, Failure> {
        let device = self.link(ip, namespace, index)?.map(|named| (index, (named.name.clone(), named.link_type)));
        self.neighbour_names.devices.clear();
        self.neighbour_names.devices.extend(device);
        Ok(&self.neighbour_names)
    }

    /// Returns what is needed to print a rule.
    #[must_use]
    pub fn for_rule(&self) -> &RuleNames {
        &self.rule_names
    }

    /// Returns what is needed to print a route.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn for_route(
        &mut self,
        ip: &mut Ip<'_>,
        namespace: Option<i32>,
        route: &Route,
    ) -> Result<&out::route::Context, Failure> {
        let mut links = out::route::references(route);
        self.route_names.nexthops.clear();
        if let Some(id) = route.nh_id.filter(|_| ip.options.details > 0 && self.place(namespace).is_none()) {
            let asked = nexthop::question(ip, id);
            if let Ok(hop) = ip.socket()?.get::<Nexthop>(&Request::get_nexthop(&asked)) {
                links.extend(out::nexthop::references(&hop));
                self.route_names.nexthops.insert(id, hop);
            }
        }
        self.name_for_routes(ip, namespace, &links)
    }

    /// Returns what is needed to print a next hop.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn for_nexthop(
        &mut self,
        ip: &mut Ip<'_>,
        namespace: Option<i32>,
        hop: &Nexthop,
    ) -> Result<&out::route::Context, Failure> {
        self.name_for_routes(ip, namespace, &out::nexthop::references(hop))
    }

    fn name_for_routes(
        &mut self,
        ip: &mut Ip<'_>,
        namespace: Option<i32>,
        links: &[u32],
    ) -> Result<&out::route::Context, Failure> {
        self.route_names.links.clear();
        for index in links {
            if let Some(named) = self.link(ip, namespace, *index)? {
                let name = named.name.clone();
                self.route_names.links.insert(*index, name);
            }
        }
        Ok(&self.route_names)
    }

    /// Returns the name of the link that sysctls are of.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn for_netconf(
        &mut self,
        ip: &mut Ip<'_>,
        namespace: Option<i32>,
        netconf: &Netconf,
    ) -> Result<Vec<u8>, Failure> {
        match netconf.ifindex {
            Some(netconf::ALL | netconf::DEFAULT) | None => Ok(Vec::new()),
            Some(index) => self.link_name(ip, namespace, index.cast_unsigned()),
        }
    }

    /// Returns the name of a link: `if` and its index where it has none, and `*` for no link.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn link_name(&mut self, ip: &mut Ip<'_>, namespace: Option<i32>, index: u32) -> Result<Vec<u8>, Failure> {
        if index == 0 {
            return Ok(b"*".to_vec());
        }
        let named = self.link(ip, namespace, index)?;
        Ok(named.map_or_else(|| format!("if{index}").into_bytes(), |named| named.name.clone()))
    }

    fn link(&mut self, ip: &mut Ip<'_>, namespace: Option<i32>, index: u32) -> Result<Option<&Named>, Failure> {
        let place = (self.place(namespace), index);
        if index != 0 && !self.links.contains_key(&place) {
            let wanted = Link { index, ext_mask: Some(NAME_ONLY), target_netnsid: place.0, ..Link::default() };
            if let Ok(link) = ip.socket()?.get::<Link>(&Request::get_link(&wanted)) {
                self.learn(namespace, &link);
            }
        }
        Ok(self.links.get(&place))
    }

    /// Returns the name of a namespace that has got an id, or has lost it.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn namespace_name(
        &mut self,
        ip: &mut Ip<'_>,
        ids: (i32, Option<i32>),
        is_new: bool,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let (id, current) = ids;
        // `ip` forgets a name once it has told it, and asks for one that it has not.
        let kept = self.link_names.namespaces.remove(&current.unwrap_or(id));
        if kept.is_some() || !is_new {
            return Ok(kept);
        }
        let name = ip.namespace_names()?.remove(&id);
        if let Some(name) = &name {
            self.link_names.namespaces.insert(id, name.clone());
        }
        Ok(name)
    }

    fn ask_namespaces(&mut self, ip: &mut Ip<'_>) -> Result<(), Failure> {
        if named::names().is_ok() {
            self.link_names.namespaces = ip.namespace_names()?;
            self.has_namespaces = true;
        }
        Ok(())
    }
}
