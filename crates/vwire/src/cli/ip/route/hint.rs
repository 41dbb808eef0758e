//! Says what helps where the kernel refuses a route: which networks are near, which route is in the way. Pure.

use std::collections::HashMap;
use std::net::IpAddr;

use vwire_netlink::{Nexthop, Route};

use super::change::{RouteChange, Verb};
use crate::cli::ip::failure::Failure;
use crate::cli::ip::prefix::shares;
use crate::out::host::{self, octets};
use crate::out::route::{self, Context, Hidden};
use crate::out::{Layout, Printer};

const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const ESRCH: i32 = 3;
const EEXIST: i32 = 17;
const ENODEV: i32 = 19;
const EINVAL: i32 = 22;
const EOPNOTSUPP: i32 = 95;
const ENETDOWN: i32 = 100;
const ENETUNREACH: i32 = 101;
const EHOSTUNREACH: i32 = 113;

/// How many routes or networks are told.
const MOST: usize = 4;

/// What was asked of the kernel beside.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The addresses of this namespace.
    pub nearby: Vec<Nearby>,
    /// The name of each device by its index, and whether it is up.
    pub devices: HashMap<u32, (String, bool)>,
    /// All routes.
    pub routes: Vec<Route>,
    /// The ids of all next hops.
    pub nexthops: Vec<u32>,
    /// The names of tables and of all links.
    pub context: Context,
}

/// An address of this namespace, and the network that it opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearby {
    /// The address itself.
    pub address: IpAddr,
    /// An address of the network, which is the peer's where there is one.
    pub network: IpAddr,
    /// The length of the network's prefix.
    pub length: u8,
    /// The device.
    pub device: String,
    /// Whether the device is up.
    pub up: bool,
}

/// Says what helps where a change was refused.
#[must_use]
pub fn hints(change: &RouteChange, errno: i32, message: Option<&str>, facts: &Facts) -> Vec<String> {
    let said = message.unwrap_or_default();
    let about_gateway = said.contains("gateway") || said.contains("Gateway") || said.contains("Nexthop has invalid");
    match errno {
        EPERM => vec![PRIVILEGE.to_owned()],
        ESRCH => nearest(change, facts),
        EEXIST => in_the_way(change, facts),
        ENETDOWN => down(change, facts),
        ENETUNREACH | EHOSTUNREACH => gateway(change, facts),
        EINVAL if about_gateway => gateway(change, facts),
        EINVAL if said.contains("prefsrc") || said.contains("source") => own_addresses(change, facts),
        EINVAL if said.contains("prefix") || (message.is_none() && masked(&change.route).is_some()) => network(change),
        EINVAL | ENOENT if said.contains("exthop") => nexthops(facts),
        EINVAL if message.is_none() => own_addresses(change, facts),
        ENOENT if change.verb == Verb::Change => {
            vec![format!("there is no such route to change; `vwire route replace {}` makes it", change.typed)]
        }
        ENODEV => vec!["`vwire ls --all` shows the devices of all namespaces".to_owned()],
        EOPNOTSUPP => vec!["this kernel was built without what this route needs".to_owned()],
        _ => Vec::new(),
    }
}

const PRIVILEGE: &str =
    "this takes CAP_NET_ADMIN in the namespace: run it with `sudo`, or in a network of your own: `vwire sandbox`";

/// Adds the hint for a lack of privilege, where that is why.
#[must_use]
pub fn may_not(failure: Failure, errno: i32) -> Failure {
    if errno == EPERM { failure.hint(PRIVILEGE) } else { failure }
}

/// Says why there is no way to an address.
#[must_use]
pub fn no_way(errno: i32, question: &Route, facts: &Facts) -> Vec<String> {
    if ![ENETUNREACH, EHOSTUNREACH].contains(&errno) {
        return Vec::new();
    }
    let mut hints = down_networks(question.dst, facts);
    let is_default = |route: &&Route| route.family == question.family && route.dst_len == 0 && route.route_type == 1;
    if facts.routes.iter().any(|route| is_default(&route)) {
        hints.push("a route says so: `vwire route show table all` shows them all".to_owned());
    } else {
        let six = if question.family == 10 { "-6 " } else { "" };
        hints.push(format!(
            "there is no default route; `vwire {six}route` shows what there is, \
             `vwire {six}route add default via GATEWAY` makes one"
        ));
        hints.extend(networks_line(question.family, facts));
    }
    hints
}

/// Tells which tables hold routes.
#[must_use]
pub fn tables(routes: &[Route], names: &HashMap<u32, String>) -> String {
    let mut numbers: Vec<u32> = routes.iter().map(Route::table_id).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let name = |number: &u32| names.get(number).cloned().unwrap_or_else(|| number.to_string());
    let tables: Vec<_> = numbers.iter().map(name).collect();
    match tables.as_slice() {
        [] => "no table holds a route yet; a table is made with its first route".to_owned(),
        tables => format!("the tables with routes are {}; a table is made with its first route", tables.join(", ")),
    }
}

fn gateways(route: &Route) -> Vec<IpAddr> {
    let hops = route.multipath.iter().flat_map(|many| &many.0);
    let of_hops = hops.flat_map(|hop| hop.gateway.into_iter().chain(hop.via.as_ref().and_then(|via| via.ip())));
    route.gateway.into_iter().chain(route.via.as_ref().and_then(|via| via.ip())).chain(of_hops).collect()
}

/// Says what helps where a next hop was refused.
#[must_use]
pub fn no_gateway(hop: &Nexthop, errno: i32, facts: &Facts) -> Vec<String> {
    let route = Route { gateway: hop.gateway, oif: hop.oif, ..Route::default() };
    let change = RouteChange { verb: Verb::Add, route, destination: String::new(), typed: "onlink".to_owned() };
    match errno {
        ENETDOWN => down(&change, facts),
        EINVAL | ENETUNREACH | EHOSTUNREACH if hop.gateway.is_some() => gateway(&change, facts),
        _ => Vec::new(),
    }
}

fn gateway(change: &RouteChange, facts: &Facts) -> Vec<String> {
    let gateways = gateways(&change.route);
    let Some(gateway) = gateways.iter().find(|gateway| !is_near(**gateway, facts)).or(gateways.first()) else {
        return down(change, facts);
    };
    if let Some(own) = facts.nearby.iter().find(|near| near.address == *gateway) {
        return vec![format!("`{gateway}` is this host's own address, on `{}`; a gateway is another host", own.device)];
    }
    let mut hints = down_networks(Some(*gateway), facts);
    let in_network = |near: &&Nearby| near.up && shares(near.network, *gateway, near.length) && near.length > 0;
    if let Some(near) = facts.nearby.iter().find(in_network) {
        let wanted = change.route.oif.and_then(|index| facts.devices.get(&index));
        if let Some((device, _)) = wanted.filter(|(device, _)| *device != near.device) {
            hints.push(format!("`{gateway}` is in the network on `{}`, not on `{device}`", near.device));
        }
        if hints.is_empty() {
            hints.push(match is_for_all(*gateway, near) {
                true => format!("`{gateway}` is all of the network on `{}`; a gateway is one host of it", near.device),
                false => format!("how the gateway itself is found: `vwire route get {gateway}`, `vwire rule`"),
            });
        }
        return hints;
    }
    let family = if gateway.is_ipv4() { 2 } else { 10 };
    hints.push(format!("the gateway `{gateway}` is on no connected network"));
    hints.extend(networks_line(family, facts));
    if change.route.oif.is_some() && !change.typed.contains("onlink") {
        hints.push(format!(
            "if it is behind that device all the same: `vwire route {} {} onlink`",
            change.verb.word(),
            change.typed
        ));
    } else if facts.nearby.iter().all(|near| near.address.is_loopback()) {
        hints.push("give a device an address first: `vwire addr add ADDRESS/LENGTH dev DEV`".to_owned());
    }
    hints
}

/// Returns whether an address stands for a whole network: its first and its last, of IPv4.
fn is_for_all(address: IpAddr, near: &Nearby) -> bool {
    let (IpAddr::V4(address), true) = (address, near.length < 31) else { return false };
    let behind = u32::MAX.checked_shr(near.length.into()).unwrap_or(0);
    let host = address.to_bits() & behind;
    host == 0 || host == behind
}

fn is_near(address: IpAddr, facts: &Facts) -> bool {
    facts.nearby.iter().any(|near| near.up && shares(near.network, address, near.length))
}

/// Tells the connected networks of a family.
fn networks_line(family: u8, facts: &Facts) -> Option<String> {
    let of_family = |near: &&Nearby| near.address.is_ipv4() == (family == 2) && !near.address.is_loopback();
    let spelled = |near: &Nearby| {
        let network = mask(near.network, near.length);
        let state = if near.up { "" } else { " (down)" };
        format!("{}/{} on `{}`{state}", host::ip(network), near.length, near.device)
    };
    let networks: Vec<_> = facts.nearby.iter().filter(of_family).take(MOST).map(spelled).collect();
    let version = if family == 2 { "IPv4" } else { "IPv6" };
    Some(match networks.as_slice() {
        [] => format!("no device has an {version} address: `vwire addr add ADDRESS/LENGTH dev DEV` gives it one"),
        networks => format!("connected are {}", networks.join(", ")),
    })
}

/// Tells of networks that an address is in, but whose device is down.
fn down_networks(address: Option<IpAddr>, facts: &Facts) -> Vec<String> {
    let Some(address) = address else { return Vec::new() };
    let holds = |near: &&Nearby| !near.up && near.length > 0 && shares(near.network, address, near.length);
    let spelled = |near: &Nearby| {
        format!("`{}`, whose network `{address}` is in, is down: `vwire link set {} up`", near.device, near.device)
    };
    facts.nearby.iter().filter(holds).map(spelled).collect()
}

fn down(change: &RouteChange, facts: &Facts) -> Vec<String> {
    let hops = change.route.multipath.iter().flat_map(|many| many.0.iter().map(|hop| hop.index));
    let wanted = change.route.oif.into_iter().chain(hops).filter_map(|index| facts.devices.get(&index));
    wanted.filter(|(_, up)| !up).map(|(name, _)| format!("`{name}` is down: `vwire link set {name} up`")).collect()
}

fn own_addresses(change: &RouteChange, facts: &Facts) -> Vec<String> {
    let Some(source) = change.route.prefsrc else { return Vec::new() };
    if facts.nearby.iter().any(|near| near.address == source) {
        return Vec::new();
    }
    let spelled = |near: &Nearby| format!("{} on `{}`", near.address, near.device);
    let own = facts.nearby.iter().filter(|near| near.address.is_ipv4() == source.is_ipv4());
    let own: Vec<_> = own.take(MOST).map(spelled).collect();
    let told =
        if own.is_empty() { "it has none of that family".to_owned() } else { format!("it has {}", own.join(", ")) };
    vec![format!("`src {source}` is no address of this host; {told}")]
}

/// Tells which next hops there are.
#[must_use]
pub fn nexthops(facts: &Facts) -> Vec<String> {
    let ids: Vec<_> = facts.nexthops.iter().take(MOST).map(u32::to_string).collect();
    vec![match ids.as_slice() {
        [] => "there is no next hop yet: `vwire nexthop add id 1 via GATEWAY dev DEV` makes one".to_owned(),
        ids => format!("the next hops are {}: `vwire nexthop` shows them", ids.join(", ")),
    }]
}

/// Returns the destination without the bits behind its prefix, if it has such bits.
fn masked(route: &Route) -> Option<IpAddr> {
    let destination = route.dst?;
    let masked = mask(destination, route.dst_len);
    (masked != destination).then_some(masked)
}

fn network(change: &RouteChange) -> Vec<String> {
    let Some(network) = masked(&change.route) else { return Vec::new() };
    let network = format!("{}/{}", host::ip(network), change.route.dst_len);
    let typed = change.typed.replacen(&change.destination, &network, 1);
    vec![format!(
        "bits are set behind the prefix; the network is {network}: `vwire route {} {typed}`",
        change.verb.word()
    )]
}

fn mask(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(length.into())).unwrap_or(0);
            IpAddr::from((address.to_bits() & mask).to_be_bytes())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length.into())).unwrap_or(0);
            IpAddr::from((address.to_bits() & mask).to_be_bytes())
        }
    }
}

/// Returns the number of the table that a change is about.
fn table_of(route: &Route) -> u32 {
    route.table_id()
}

/// Spells a route on one line, as `vwire route` shows it.
fn spelled(route: &Route, facts: &Facts) -> String {
    let mut printer = Printer::new(Layout { oneline: true, ..Layout::default() });
    route::print(&mut printer, route, &facts.context, &Hidden::default());
    let text = String::from_utf8_lossy(&printer.take()).replace("\\\t", "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn in_the_way(change: &RouteChange, facts: &Facts) -> Vec<String> {
    let wanted = &change.route;
    let same = |route: &&Route| {
        route.family == wanted.family
            && route.dst.map(octets) == wanted.dst.map(octets)
            && route.dst_len == wanted.dst_len
            && table_of(route) == table_of(wanted)
    };
    let exact = |route: &&Route| route.priority == wanted.priority && route.tos == wanted.tos;
    let found = facts.routes.iter().filter(same).find(exact).or_else(|| facts.routes.iter().find(same));
    let mut hints = Vec::new();
    if let Some(route) = found {
        hints.push(format!("in the way is `{}`", spelled(route, facts)));
    }
    if matches!(change.verb, Verb::Add | Verb::Test) {
        hints.push(format!(
            "`vwire route replace {}` puts the new one in its place; with another `metric`, both can be",
            change.typed
        ));
    }
    hints
}

/// Tells the routes that are most like the one that is not there.
fn nearest(change: &RouteChange, facts: &Facts) -> Vec<String> {
    let wanted = &change.route;
    let of_family = |route: &&Route| route.family == wanted.family;
    let (here, elsewhere): (Vec<&Route>, Vec<&Route>) =
        facts.routes.iter().filter(of_family).partition(|route| table_of(route) == table_of(wanted));
    let same = |route: &&&Route| route.dst == wanted.dst && route.dst_len == wanted.dst_len;
    let overlaps = |route: &&&Route| match (route.dst, wanted.dst) {
        (Some(one), Some(other)) => shares(one, other, route.dst_len.min(wanted.dst_len)),
        _ => false,
    };
    let tell = |routes: Vec<&&Route>, what: &str| {
        let lines = routes.into_iter().take(MOST).map(|route| {
            let line = spelled(route, facts);
            format!("{what}: `vwire {}route del {}`", if wanted.family == 10 { "-6 " } else { "" }, deletable(&line))
        });
        lines.collect::<Vec<_>>()
    };
    let steps = [
        tell(here.iter().filter(same).collect(), "to this destination there is"),
        tell(elsewhere.iter().filter(same).collect(), "in another table there is"),
        tell(here.iter().filter(overlaps).collect(), "nearest is"),
        tell(here.iter().collect(), "the table has"),
    ];
    steps
        .into_iter()
        .find(|lines| !lines.is_empty())
        .unwrap_or_else(|| vec![tables(&facts.routes, &facts.context.tables)])
}

/// Leaves out of a route's line what `del` does not take.
fn deletable(line: &str) -> String {
    let mut kept = Vec::new();
    let mut words = line.split(' ');
    while let Some(word) = words.next() {
        match word {
            "linkdown" | "dead" | "offload" | "trap" | "rt_offload" | "rt_trap" => {}
            "expires" | "error" => {
                words.next();
            }
            word => kept.push(word),
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(address: &str, length: u8, device: &str, up: bool) -> Nearby {
        let address = address.parse().unwrap();
        Nearby { address, network: address, length, device: device.to_owned(), up }
    }

    fn change(verb: Verb, route: Route, destination: &str, typed: &str) -> RouteChange {
        RouteChange { verb, route, destination: destination.to_owned(), typed: typed.to_owned() }
    }

    fn facts() -> Facts {
        Facts { nearby: vec![near("10.0.0.1", 24, "v0", true), near("10.1.0.1", 24, "v1", false)], ..Facts::default() }
    }

    fn via(gateway: &str) -> Route {
        Route { family: 2, gateway: Some(gateway.parse().unwrap()), oif: Some(2), ..Route::default() }
    }

    #[test]
    fn a_gateway_that_is_on_no_network_is_told_the_networks() {
        let typed = "10.9.0.0/16 via 192.0.2.1 dev v0";
        let lines = hints(&change(Verb::Add, via("192.0.2.1"), "10.9.0.0/16", typed), ENETUNREACH, None, &facts());
        assert_eq!(lines[0], "the gateway `192.0.2.1` is on no connected network");
        assert_eq!(lines[1], "connected are 10.0.0.0/24 on `v0`, 10.1.0.0/24 on `v1` (down)");
        assert!(lines[2].ends_with(&format!("`vwire route add {typed} onlink`")), "{}", lines[2]);
    }

    #[test]
    fn a_network_whose_device_is_down_is_told() {
        let lines = hints(&change(Verb::Add, via("10.1.0.9"), "", ""), ENETUNREACH, None, &facts());
        assert_eq!(lines[0], "`v1`, whose network `10.1.0.9` is in, is down: `vwire link set v1 up`");
    }

    #[test]
    fn bits_behind_the_prefix_are_taken_off() {
        let route = Route { family: 2, dst: Some("10.1.2.3".parse().unwrap()), dst_len: 8, ..Route::default() };
        let change = change(Verb::Add, route, "10.1.2.3/8", "10.1.2.3/8 dev v0");
        let lines = hints(&change, EINVAL, Some("Invalid prefix for given prefix length"), &facts());
        assert!(lines[0].ends_with("the network is 10.0.0.0/8: `vwire route add 10.0.0.0/8 dev v0`"), "{}", lines[0]);
    }

    #[test]
    fn the_nearest_routes_are_told_where_there_is_none_to_delete() {
        let there = Route { priority: Some(7), ..route("10.0.0.0", 8) };
        let facts = Facts { routes: vec![there], ..Facts::default() };
        let lines = hints(&change(Verb::Delete, route("10.0.0.0", 8), "10.0.0.0/8", ""), ESRCH, None, &facts);
        assert_eq!(lines, ["to this destination there is: `vwire route del 10.0.0.0/8 metric 7`"]);
    }

    #[test]
    fn what_is_in_the_way_is_told() {
        let facts = Facts { routes: vec![route("10.0.0.0", 8)], ..Facts::default() };
        let change = change(Verb::Add, route("10.0.0.0", 8), "10.0.0.0/8", "10.0.0.0/8 dev v0");
        let lines = hints(&change, EEXIST, None, &facts);
        assert_eq!(lines[0], "in the way is `10.0.0.0/8`");
        assert!(lines[1].starts_with("`vwire route replace 10.0.0.0/8 dev v0` "), "{}", lines[1]);
    }

    fn route(dst: &str, dst_len: u8) -> Route {
        let dst = Some(dst.parse().unwrap());
        Route { family: 2, dst, dst_len, header_table: 254, protocol: 3, route_type: 1, ..Route::default() }
    }
}
