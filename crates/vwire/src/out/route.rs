//! Prints a route as `ip route` does: one line, and a line for each way of many.
//!
//! What it needs besides the route itself, such as the names of links and tables, stands in a [`Context`] that the
//! caller has filled: nothing is asked of the kernel here. What the caller filtered by is the same in each line, and
//! `ip` leaves it out: that is [`Hidden`].

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

use vwire_netlink::wire::route::{Hop, RouteCacheInfo, Via};
use vwire_netlink::{Nexthop, Route};

use super::host::{self, AF_INET, AF_INET6, AF_MPLS};
use super::{Colour, Printer, encap, metrics, nexthop};

/// The words for `RTN_*` (`linux/rtnetlink.h`), by number.
pub const TYPES: [&str; 12] = [
    "none",
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
    "nat",
    "xresolve",
];
/// `RTN_UNICAST`.
const UNICAST: u8 = 1;
/// As much of a host's name as `ip` has room for in a destination.
const LONGEST_NAME: usize = 63;
/// `RTN_MULTICAST`.
const MULTICAST: u8 = 5;
/// `RTM_F_CLONED`: it is an answer, not a route that was made.
const CLONED: u32 = 0x200;
/// `RT_TABLE_MAIN`.
pub(super) const MAIN: u32 = 254;
/// `RTPROT_BOOT`.
const BOOT: u8 = 3;
/// How many ticks a second the kernel counts in for programs (`USER_HZ`).
const TICKS: u32 = 100;

/// `RTNH_F_*` and `RTM_F_*`, in the order in which `ip` prints them.
const FLAGS: [(u32, &str); 11] = [
    (0x1, "dead"),
    (0x4, "onlink"),
    (0x2, "pervasive"),
    (0x8, "offload"),
    (0x40, "trap"),
    (0x100, "notify"),
    (0x10, "linkdown"),
    (0x20, "unresolved"),
    (0x4000, "rt_offload"),
    (0x8000, "rt_trap"),
    (0x2000_0000, "rt_offload_failed"),
];

/// `RTCF_*` (`linux/in_route.h`), in the order in which `ip` prints them.
const CACHE_FLAGS: [(u32, &str); 14] = [
    (0x8000_0000, "local"),
    (0x4000_0000, "reject"),
    (0x2000_0000, "mc"),
    (0x1000_0000, "brd"),
    (0x0800_0000, "dst-nat"),
    (0x0080_0000, "src-nat"),
    (0x0040_0000, "masq"),
    (0x0002_0000, "dst-direct"),
    (0x0400_0000, "src-direct"),
    (0x0004_0000, "redirected"),
    (0x0100_0000, "redirect"),
    (0x0020_0000, "fastroute"),
    (0x0001_0000, "notify"),
    (0x0008_0000, "proxy"),
];

/// What the records need to know of the rest of the system, and how much of them is printed.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Names of links by their index.
    pub links: HashMap<u32, Vec<u8>>,
    /// Names of tables.
    pub tables: Rc<HashMap<u32, String>>,
    /// Names of who makes routes.
    pub protocols: Rc<HashMap<u32, String>>,
    /// Names of scopes.
    pub scopes: Rc<HashMap<u32, String>>,
    /// Names of realms.
    pub realms: Rc<HashMap<u32, String>>,
    /// Names of values of the TOS.
    pub dsfields: Rc<HashMap<u32, String>>,
    /// The next hops that routes refer to, where `-d` asks for them.
    pub nexthops: HashMap<u32, Nexthop>,
    /// `-N`: numbers in the place of names.
    pub numeric: bool,
    /// How often `-d` was given.
    pub details: u8,
    /// How often `-s` was given.
    pub stats: u8,
}

impl Context {
    /// Returns the name of a link, `if` and its index where it is not known.
    #[must_use]
    pub fn link(&self, index: u32) -> Vec<u8> {
        match self.links.get(&index) {
            Some(name) => name.clone(),
            None if index == 0 => b"*".to_vec(),
            None => format!("if{index}").into_bytes(),
        }
    }

    /// Returns the name of a table.
    #[must_use]
    pub fn table(&self, table: u32) -> String {
        self.name(&self.tables, table)
    }

    /// Returns the name of who made a route.
    #[must_use]
    pub fn protocol(&self, protocol: u8) -> String {
        self.name(&self.protocols, protocol.into())
    }

    /// Returns the name of a scope.
    #[must_use]
    pub fn scope(&self, scope: u8) -> String {
        self.name(&self.scopes, scope.into())
    }

    /// Returns the name of a value of the TOS.
    #[must_use]
    pub fn dsfield(&self, tos: u8) -> String {
        match self.dsfields.get(&tos.into()) {
            Some(name) if !self.numeric => name.clone(),
            _ => format!("0x{tos:02x}"),
        }
    }

    /// Returns the name of a type.
    #[must_use]
    pub fn route_type(&self, kind: u8) -> String {
        match TYPES.get(usize::from(kind)) {
            Some(word) if !self.numeric => (*word).to_owned(),
            _ => kind.to_string(),
        }
    }

    fn name(&self, names: &HashMap<u32, String>, number: u32) -> String {
        match names.get(&number) {
            Some(name) if !self.numeric => name.clone(),
            _ => number.to_string(),
        }
    }
}

/// What is left out of each record, as the caller filtered by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    /// The facts that are left out.
    pub parts: Vec<Part>,
    /// Types that are told although they are usual, by bit; all where nothing is said.
    pub types: Option<u64>,
    /// How many bits of the gateway were filtered by: all of them hide it.
    pub via: u8,
    /// How many bits of the source address were filtered by.
    pub src: u8,
}

/// A fact that can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The table.
    Table,
    /// The TOS.
    Tos,
    /// Who made it.
    Protocol,
    /// The scope.
    Scope,
    /// The metric.
    Metric,
    /// The realms.
    Realms,
    /// The link it goes out by.
    Out,
    /// The link it comes in by.
    In,
}

impl Hidden {
    fn shows(&self, part: Part) -> bool {
        !self.parts.contains(&part)
    }
}

/// Returns the indexes of the links whose names a route's record shows.
#[must_use]
pub fn references(route: &Route) -> Vec<u32> {
    let hops = route.multipath.iter().flat_map(|many| many.0.iter().map(|hop| hop.index));
    let nests = route.multipath.iter().flat_map(|many| many.0.iter().map(|hop| (hop.encap_type, &hop.encap)));
    let nests = nests.chain([(route.encap_type, &route.encap)]);
    let inside = nests.filter_map(|(kind, nest)| Some(encap::references(kind, nest.as_ref()?))).flatten();
    route.oif.into_iter().chain(route.iif).chain(hops).chain(inside).collect()
}

/// Prints a route.
pub fn print(p: &mut Printer, route: &Route, context: &Context, hidden: &Hidden) {
    p.open_object(None);
    print_facts(p, route, context, hidden);
    p.close_object();
}

/// Prints what there is to tell of a route, into an object that is open, and ends the line.
pub fn print_facts(p: &mut Printer, route: &Route, context: &Context, hidden: &Hidden) {
    Record { route, context, hidden }.print(p);
    p.text("\n");
}

struct Record<'a> {
    route: &'a Route,
    context: &'a Context,
    hidden: &'a Hidden,
}

impl Record<'_> {
    fn print(&self, p: &mut Printer) {
        self.print_destination(p);
        self.print_way(p);
        self.print_origin(p);
        self.print_rest(p);
        let route = self.route;
        if let Some(metrics) = &route.metrics {
            metrics::print(p, metrics);
        }
        if let Some(link) = route.iif.filter(|_| self.hidden.shows(Part::In)) {
            print_link(p, "iif", &self.context.link(link));
        }
        if let Some(pref) = route.pref {
            print_preference(p, pref);
        }
        if let Some(propagate) = route.ttl_propagate {
            let word = if propagate != 0 { "enabled" } else { "disabled" };
            p.bool_json("ttl-propogate", propagate != 0);
            p.text(format!("ttl-propogate {word}"));
        }
        if let Some(hop) = route.nh_id.filter(|_| self.context.details > 0)
            && let Some(hop) = self.context.nexthops.get(&hop)
        {
            p.text("\n\tnh_info ");
            nexthop::print_entry(p, Some("nh_info"), hop, self.context);
        }
        if let Some(many) = &route.multipath {
            p.open_array(Some("nexthops"));
            for (at, hop) in many.0.iter().enumerate() {
                p.open_object(None);
                self.print_hop(p, hop, at == 0);
                p.close_object();
            }
            p.close_array();
        }
    }

    fn details(&self) -> bool {
        self.context.details > 0
    }

    /// The length of an address of the route's family, in bits.
    fn host_bits(&self) -> u8 {
        match u16::from(self.route.family) {
            AF_INET => 32,
            AF_INET6 => 128,
            AF_MPLS => 20,
            _ => 0,
        }
    }

    /// The family of the addresses: routes of multicast come with one of their own (`RTNL_FAMILY_IPMR`).
    fn family(&self) -> u16 {
        match (self.route.route_type, self.route.family) {
            (MULTICAST, 128) => AF_INET,
            (MULTICAST, 129) => AF_INET6,
            (_, family) => family.into(),
        }
    }

    fn print_destination(&self, p: &mut Printer) {
        let route = self.route;
        let told = self.hidden.types.is_none_or(|types| types & 1_u64.wrapping_shl(route.route_type.into()) != 0);
        if (route.route_type != UNICAST || self.details()) && told {
            p.string("type", "", self.context.route_type(route.route_type), " ");
        }
        let colour = host::colour(self.family());
        match (route.dst, route.dst_len) {
            (Some(address), length) => {
                let spelled = self.prefix(p, address, length);
                p.coloured(colour, "dst", "", spelled, " ");
            }
            (None, 0) => p.coloured(None, "dst", "", "default", " "),
            (None, length) => p.coloured(None, "dst", "", format!("0/{length} "), " "),
        }
        match (route.src, route.src_len) {
            (Some(address), length) => {
                let spelled = self.prefix(p, address, length);
                p.coloured(colour, "from", "from ", spelled, " ");
            }
            (None, 0) => {}
            (None, length) => p.string("src", "from ", format!("0/{length}"), " "),
        }
    }

    /// Spells a prefix; only a host's has a name, of which `ip` has room for the beginning.
    fn prefix(&self, p: &Printer, address: IpAddr, length: u8) -> String {
        let octets = host::octets(address);
        if length == self.host_bits() {
            return p.host(self.family(), &octets).chars().take(LONGEST_NAME).collect();
        }
        format!("{}/{length}", host::host(self.family(), &octets))
    }

    fn print_way(&self, p: &mut Printer) {
        let route = self.route;
        if let Some(hop) = route.nh_id {
            p.number("nhid", "nhid ", hop, " ");
        }
        if let Some(labels) = &route.newdst {
            self.print_new_destination(p, labels);
        }
        if let Some(nest) = &route.encap {
            encap::print(p, route.encap_type, nest, self.context);
        }
        if route.tos != 0 && self.hidden.shows(Part::Tos) {
            p.string("tos", "tos ", self.context.dsfield(route.tos), " ");
        }
        if let Some(gateway) = route.gateway.filter(|_| self.hidden.via != self.host_bits()) {
            print_gateway(p, route.family.into(), &host::octets(gateway));
        }
        if let Some(via) = &route.via {
            print_via(p, via);
        }
        if let Some(link) = route.oif.filter(|_| self.hidden.shows(Part::Out)) {
            print_link(p, "dev", &self.context.link(link));
        }
    }

    fn print_new_destination(&self, p: &mut Printer, labels: &[u8]) {
        let family = u16::from(self.route.family);
        p.string_json("to", host::host(family, labels));
        p.text("as to ");
        p.coloured_text(host::colour(family), "", host::host(family, labels), " ");
    }

    fn print_origin(&self, p: &mut Printer) {
        let route = self.route;
        let table = route.table_id();
        if table != 0 && (table != MAIN || self.details()) && self.hidden.shows(Part::Table) {
            p.string("table", "table ", self.context.table(table), " ");
        }
        if route.flags & CLONED == 0 {
            if (route.protocol != BOOT || self.details()) && self.hidden.shows(Part::Protocol) {
                p.string("protocol", "proto ", self.context.protocol(route.protocol), " ");
            }
            if (route.scope != 0 || self.details()) && self.hidden.shows(Part::Scope) {
                p.string("scope", "scope ", self.context.scope(route.scope), " ");
            }
        }
        if let Some(address) = route.prefsrc.filter(|_| self.hidden.src != self.host_bits()) {
            p.string_json("prefsrc", host::ip(address));
            p.text("src ");
            p.coloured_text(host::colour(route.family.into()), "", host::ip(address), " ");
        }
        if let Some(metric) = route.priority.filter(|_| self.hidden.shows(Part::Metric)) {
            p.number("metric", "metric ", metric, " ");
        }
    }

    fn print_rest(&self, p: &mut Printer) {
        let route = self.route;
        print_flags(p, route.flags);
        if let Some(mark) = route.mark.filter(|mark| *mark != 0) {
            p.number_json("mark", mark);
            p.text(if mark >= 16 { format!("mark {mark:#x} ") } else { format!("mark {mark} ") });
        }
        if let Some(realms) = route.flow.filter(|_| self.hidden.shows(Part::Realms)) {
            self.print_realms(p, realms);
        }
        if let Some(user) = route.uid {
            p.number("uid", "uid ", user, " ");
        }
        if u16::from(route.family) == AF_INET && route.flags & CLONED != 0 {
            print_cache_flags(p, route.flags);
        }
        if let Some(info) = &route.cacheinfo
            && [AF_INET, AF_INET6].contains(&route.family.into())
        {
            print_cache_info(p, info, self.context.stats);
        }
    }

    fn print_realms(&self, p: &mut Printer, realms: u32) {
        let (from, to) = (realms >> 16, realms & 0xffff);
        let name = |realm| self.context.name(&self.context.realms, realm);
        p.open_object(Some("flow"));
        p.text(if from == 0 { "realm " } else { "realms " });
        if from != 0 {
            p.string("from", "", name(from), "/");
        }
        p.string("to", "", name(to), " ");
        p.close_object();
    }

    fn print_hop(&self, p: &mut Printer, hop: &Hop, first: bool) {
        let listens = self.route.flags & CLONED != 0 && self.route.route_type == MULTICAST;
        if listens {
            p.text(if first { "Oifs: " } else { " " });
        } else {
            p.line_break();
            p.text("\tnexthop ");
        }
        if let Some(nest) = &hop.encap {
            encap::print(p, hop.encap_type, nest, self.context);
        }
        if let Some(labels) = &hop.newdst {
            self.print_new_destination(p, labels);
        }
        if let Some(gateway) = hop.gateway {
            print_gateway(p, self.route.family.into(), &host::octets(gateway));
        }
        if let Some(via) = &hop.via {
            print_via(p, via);
        }
        if let Some(realms) = hop.flow {
            self.print_realms(p, realms);
        }
        let link = self.context.link(hop.index);
        if listens {
            p.string("dev", "", link, "");
            if hop.hops != 1 {
                p.number("ttl", "(ttl>", hop.hops, ")");
            }
            p.text(" ");
        } else {
            p.string("dev", "dev ", link, " ");
            if u16::from(self.route.family) != AF_MPLS {
                p.number("weight", "weight ", u32::from(hop.hops) + 1, " ");
            }
        }
        print_flags(p, hop.flags.into());
    }
}

/// Prints `via ADDRESS`.
pub(super) fn print_gateway(p: &mut Printer, family: u16, address: &[u8]) {
    let spelled = p.host(family, address);
    p.string_json("gateway", &spelled);
    p.text("via ");
    p.coloured_text(host::colour(family), "", &spelled, " ");
}

fn print_via(p: &mut Printer, via: &Via) {
    p.open_object(Some("via"));
    p.string("family", "via ", host::family_word(via.family), " ");
    let spelled = p.host(via.family, &via.address);
    p.coloured(host::colour(via.family), "host", "", spelled, " ");
    p.close_object();
}

/// Prints a word and the name of a link.
pub(super) fn print_link(p: &mut Printer, word: &str, name: &[u8]) {
    p.string_json(word, name);
    p.text(format!("{word} "));
    p.coloured_text(Some(Colour::Device), "", name, " ");
}

/// Prints the flags of a route or a next hop.
pub(super) fn print_flags(p: &mut Printer, flags: u32) {
    p.open_array(Some("flags"));
    for (flag, word) in FLAGS {
        if flags & flag != 0 {
            p.element("", word, " ");
        }
    }
    p.close_array();
}

fn print_cache_flags(p: &mut Printer, flags: u32) {
    p.open_array(Some("cache"));
    p.line_break();
    p.text("    cache ");
    let mut rest = flags & !0xffff;
    if rest != 0 {
        p.text("<");
    }
    for (flag, word) in CACHE_FLAGS {
        if rest & flag != 0 {
            rest &= !flag;
            p.element("", word, if rest != 0 { "," } else { "> " });
        }
    }
    if rest != 0 {
        p.string("flags", "", format!("{rest:x}"), ">");
    }
    p.close_array();
}

fn print_cache_info(p: &mut Printer, info: &RouteCacheInfo, stats: u8) {
    if info.expires != 0 {
        p.number("expires", "expires ", info.expires / TICKS.cast_signed(), "sec ");
    }
    if info.error != 0 {
        p.number("error", "error ", info.error, " ");
    }
    if stats > 0 {
        for (word, count) in [("users", info.clntref), ("used", info.used)] {
            if count != 0 {
                p.number(word, &format!("{word} "), count, " ");
            }
        }
        if info.lastuse != 0 {
            p.number("age", "age ", info.lastuse / TICKS, "sec ");
        }
    }
    if info.id != 0 {
        p.string_json("ipid", format!("{:#x}", info.id));
        p.text(format!("ipid 0x{:04x} ", info.id));
    }
    if info.ts != 0 || info.tsage != 0 {
        p.string("ts", "ts ", format!("{:#x}", info.ts), "");
        p.number("tsage", "tsage ", info.tsage, "sec ");
    }
}

fn print_preference(p: &mut Printer, pref: u8) {
    // ICMPV6_ROUTER_PREF_* (RFC 4191, 2.1): two bits, low is minus one.
    let word = match pref {
        0 => "medium",
        1 => "high",
        3 => "low",
        _ => return p.number("pref", "", pref, ""),
    };
    p.string("pref", "pref ", word, "");
}

#[cfg(test)]
mod tests {
    use vwire_netlink::wire::route::{Metrics, Multipath};

    use super::*;
    use crate::out::Layout;

    fn printed(route: &Route, hidden: &Hidden, json: bool) -> String {
        let scopes = Rc::new([(253, "link".to_owned())].into());
        let context = Context { links: HashMap::from([(2, b"v0".to_vec())]), scopes, ..Context::default() };
        let mut printer = Printer::new(Layout { json, ..Layout::default() });
        print(&mut printer, route, &context, hidden);
        String::from_utf8(printer.take()).unwrap()
    }

    fn route() -> Route {
        let dst = Some("10.0.0.0".parse().unwrap());
        Route {
            family: 2,
            dst_len: 8,
            dst,
            header_table: 254,
            protocol: 3,
            route_type: 1,
            oif: Some(2),
            ..Route::default()
        }
    }

    #[test]
    fn a_route_is_one_line_and_one_object() {
        let route = Route { scope: 253, priority: Some(7), ..route() };
        assert_eq!(printed(&route, &Hidden::default(), false), "10.0.0.0/8 dev v0 scope link metric 7 \n");
        let json = r#"{"dst":"10.0.0.0/8","dev":"v0","scope":"link","metric":7,"flags":[]}"#;
        assert_eq!(printed(&route, &Hidden::default(), true), json);
    }

    #[test]
    fn what_was_filtered_by_is_left_out() {
        let route = Route { scope: 253, gateway: Some("10.1.1.1".parse().unwrap()), ..route() };
        let hidden = Hidden { parts: vec![Part::Out, Part::Scope], via: 32, ..Hidden::default() };
        assert_eq!(printed(&route, &hidden, false), "10.0.0.0/8 \n");
    }

    #[test]
    fn each_way_has_a_line() {
        let hop = |hops| Hop { hops, index: 2, ..Hop::default() };
        let route = Route { oif: None, multipath: Some(Multipath(vec![hop(0), hop(9)])), ..route() };
        let text = "10.0.0.0/8 \n\tnexthop dev v0 weight 1 \n\tnexthop dev v0 weight 10 \n";
        assert_eq!(printed(&route, &Hidden::default(), false), text);
    }

    #[test]
    fn times_are_spelled_in_the_larger_unit() {
        let metrics = Metrics { lock: Some(1 << 13), rtt: Some(800), rto_min: Some(1500), ..Metrics::default() };
        let route = Route { metrics: Some(metrics.into()), ..route() };
        assert_eq!(printed(&route, &Hidden::default(), false), "10.0.0.0/8 dev v0 rtt 100ms rto_min lock 1.5s \n");
    }
}
