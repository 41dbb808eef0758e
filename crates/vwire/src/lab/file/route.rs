//! Reads routes as `ip route` spells them, and gives nodes the default routes that their bridges say. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use toml::de::DeValue;

use super::draft::{Draft, Place};
use super::layers::Layers;
use super::problem::{Report, Trouble, quoted};
use super::text::{Text, Value, Word, Words, once, span_of};
use super::unit;
use super::wire::missing;
use crate::lab::model::{Hop, Interface, Outside, Prefix, Route, RouteAction, Span};
use crate::lab::nearest::nearest;

/// What readers of routes, rules and the like look names up in.
#[derive(Debug)]
pub(crate) struct Known<'d, 'a> {
    pub(crate) draft: &'d Draft<'a>,
    pub(crate) node: usize,
}

/// A gateway as it is written, with its device.
#[derive(Debug, Default)]
struct Way<'t> {
    via: Option<Word<'t>>,
    device: Option<Word<'t>>,
    onlink: bool,
    weight: u16,
}

/// With how many routes before it each is compared: a file has many at most, and twice is mostly side by side.
const MOST_COMPARED: usize = 1000;
/// `IFNAMSIZ`, less the zero behind a name.
const LONGEST_NAME: usize = 15;
/// `RT_TABLE_MAIN`.
const MAIN: u32 = 254;

/// The words of a route.
const WORDS: &[&str] =
    &["via", "dev", "onlink", "metric", "table", "src", "mtu", "nexthop", "blackhole", "unreachable", "prohibit"];

impl<'d, 'a> Known<'d, 'a> {
    /// Returns the node's own addresses.
    pub(crate) fn interfaces(&self) -> impl Iterator<Item = (&'d Interface, &'d str)> {
        let node = self.draft.nodes.get(self.node);
        let devices = node.into_iter().flat_map(|node| &node.node.devices);
        let loopback = node.into_iter().flat_map(|node| &node.node.loopback).map(|address| (address, "lo"));
        devices
            .flat_map(|device| device.addresses.iter().map(|address| (address, device.name.as_str())))
            .chain(loopback)
    }

    /// Finds a device of the node by its name in the file and gives its real one; on the machine itself, what is none of
    /// the lab's is one of the machine's, which only the machine can tell.
    pub(crate) fn device_or_outside(&self, word: Word<'_>) -> Result<String, Trouble> {
        let node = self.draft.nodes.get(self.node).filter(|node| node.node.is_host);
        let Some(node) = node.filter(|node| word.text != "lo" && !node.devices.contains_key(word.text)) else {
            return self.device(word);
        };
        // The kernel has no longer names.
        let name = unit::device_name(word)?;
        if name.len() > LONGEST_NAME {
            return self.device(word);
        }
        node.outside.borrow_mut().push(Outside { device: name.to_owned(), span: word.span });
        Ok(name.to_owned())
    }

    /// Finds a device of the node by its name in the file and gives its real one.
    pub(crate) fn device(&self, word: Word<'_>) -> Result<String, Trouble> {
        let node = self.draft.nodes.get(self.node);
        let found = node.and_then(|node| node.node.devices.get(*node.devices.get(word.text)?));
        if word.text == "lo" {
            return Ok("lo".to_owned());
        }
        found.map(|device| device.name.clone()).ok_or_else(|| {
            let name = node.map(|node| node.node.name.clone()).unwrap_or_default();
            let names: Vec<&str> = node.into_iter().flat_map(|node| node.devices.keys().map(String::as_str)).collect();
            let what = match node.is_some_and(|node| node.node.is_host) {
                true => format!("the lab makes no device {} on {}", quoted(word.text), quoted(&name)),
                false => format!("{} has no device {}", quoted(&name), quoted(word.text)),
            };
            let trouble = Trouble::new(word.span, what);
            match nearest(word.text, names.iter().copied()) {
                Some(meant) => trouble.label(format!("did you mean `{meant}`?")),
                None if names.is_empty() => trouble.label("no wire ends at it"),
                None => trouble.label(format!("it has {}", few(&names))),
            }
        })
    }

    /// Finds the address of a gateway: itself, or a node's in a network of this one.
    pub(crate) fn gateway(&self, word: Word<'_>, ipv6: Option<bool>) -> Result<IpAddr, Trouble> {
        if let Ok(address) = word.text.parse::<IpAddr>() {
            return Ok(address);
        }
        let Some(Place::Node(other)) = self.draft.places.get(word.text).copied() else {
            let looks = word.text.contains(['.', ':', '/']);
            return Err(if looks {
                unit::address(word).err().unwrap_or_else(|| self.draft.no_node(word))
            } else {
                self.draft.no_node(word)
            });
        };
        let networks: Vec<Prefix> = self.interfaces().map(|(interface, _)| unit::network(interface)).collect();
        let theirs = Known { draft: self.draft, node: other };
        let addresses: Vec<IpAddr> = theirs
            .interfaces()
            .map(|(interface, _)| interface.address)
            .filter(|address| ipv6.is_none_or(|ipv6| ipv6 == address.is_ipv6()))
            .filter(|address| networks.iter().any(|network| unit::holds(*network, *address)))
            .collect();
        addresses.first().copied().ok_or_else(|| {
            let name = self.draft.nodes.get(self.node).map(|node| node.node.name.clone()).unwrap_or_default();
            let message = format!("{} has no address in a network of {}", quoted(word.text), quoted(&name));
            Trouble::new(word.span, message).label("a wire between the two, with addresses, is missing")
        })
    }
}

/// Names a few of many.
pub(crate) fn few(names: &[&str]) -> String {
    const FEW: usize = 6;
    let shown: Vec<_> = names.iter().take(FEW).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > FEW { " and others" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Reads the routes of all nodes.
pub(crate) fn read(report: &mut Report<'_>, draft: &mut Draft<'_>) {
    for node in 0..draft.nodes.len() {
        let mut routes: Vec<Route> = Vec::new();
        let Some(layers) = draft.nodes.get(node).map(|node| node.layers.clone()) else { return };
        for value in layers.all("routes") {
            if draft.grow(report, span_of(value)).is_none() {
                return;
            }
            let known = Known { draft, node };
            if let Some((route, span)) = report.take(route(value, &layers, &known)) {
                routes.push(Route { span, ..route });
            }
        }
        if let Some(draft) = draft.nodes.get_mut(node) {
            draft.node.routes = routes;
        }
    }
    by_bridges(report, draft);
    for node in 0..draft.nodes.len() {
        check(report, &Known { draft, node });
    }
}

/// Reads a route, line or table.
fn route<'a>(value: &'a Value<'a>, layers: &Layers<'a>, known: &Known<'_, '_>) -> Result<(Route, Span), Trouble> {
    if let Some(text) = layers.text_of(value) {
        return Ok((line(&text, known)?, text.span()));
    }
    let DeValue::Table(table) = value.get_ref() else {
        return Err(Trouble::new(span_of(value), "this is no route"));
    };
    Ok((of_table(&layers.inner(table), span_of(value), known)?, span_of(value)))
}

/// What a route says beside its gateways.
#[derive(Debug, Default)]
struct Rest {
    metric: Option<u32>,
    table: Option<u32>,
    source: Option<IpAddr>,
    mtu: Option<u32>,
}

fn line(text: &Text<'_>, known: &Known<'_, '_>) -> Result<Route, Trouble> {
    let mut words = text.words();
    let mut to = words.want("where to: a prefix, or `default`")?;
    let mut kind = "unicast";
    if ["unicast", "blackhole", "unreachable", "prohibit"].contains(&to.text) {
        kind = to.text;
        to = words.want("where to: a prefix, or `default`")?;
    }
    let (mut ways, mut rest) = (Vec::new(), Rest::default());
    let mut own = Way { weight: 1, ..Way::default() };
    let mut said = Vec::new();
    while let Some(word) = words.next() {
        if word.text != "nexthop" {
            once(&mut said, word)?;
        }
        match word.text {
            "nexthop" => ways.push(nexthop(&mut words)?),
            "metric" | "preference" => rest.metric = Some(unit::count(words.want("the metric")?, 0, u32::MAX)?),
            "table" => rest.table = Some(table(words.want("the table's number")?)?),
            "src" => rest.source = Some(unit::address(words.want("the address to send from")?)?),
            "mtu" => rest.mtu = Some(unit::mtu(words.want("the MTU in bytes")?)?),
            _ if way(&mut own, word, &mut words)? => {}
            _ => return Err(strange(word)),
        }
    }
    let single = own.via.is_some() || own.device.is_some();
    if single && !ways.is_empty() {
        return Err(Trouble::new(text.span(), "a route has one gateway, or several behind `nexthop`, and not both"));
    }
    if ways.is_empty() {
        ways.push(own);
    }
    finish(to, kind, &ways, rest, known)
}

fn strange(word: Word<'_>) -> Trouble {
    let trouble = word.wrong("a route has no word");
    match nearest(word.text, WORDS.iter().copied()) {
        Some(meant) => trouble.label(format!("did you mean `{meant}`?")),
        None => trouble.label("`via`, `dev`, `onlink`, `metric`, `table`, `src`, `mtu`, `nexthop`"),
    }
}

/// Takes a word of a gateway; false if it is none.
fn way<'t>(way: &mut Way<'t>, word: Word<'t>, words: &mut Words<'t>) -> Result<bool, Trouble> {
    match word.text {
        "via" => {
            words.take("inet");
            words.take("inet6");
            way.via = Some(words.want("the gateway")?);
        }
        "dev" => way.device = Some(words.want("the device")?),
        "onlink" => way.onlink = true,
        _ => return Ok(false),
    }
    Ok(true)
}

fn nexthop<'t>(words: &mut Words<'t>) -> Result<Way<'t>, Trouble> {
    let mut hop = Way { weight: 1, ..Way::default() };
    let mut said = Vec::new();
    while let Some(word) = words.peek() {
        if word.text == "nexthop" || !["via", "dev", "onlink", "weight"].contains(&word.text) {
            break;
        }
        words.next();
        once(&mut said, word)?;
        if word.text == "weight" {
            hop.weight = weight(unit::count(words.want("the weight")?, 1, 256)?);
        } else {
            way(&mut hop, word, words)?;
        }
    }
    Ok(hop)
}

fn weight(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(1)
}

/// Reads a table's number, or one of the names that each system has.
pub(crate) fn table(word: Word<'_>) -> Result<u32, Trouble> {
    match word.text {
        "main" => Ok(254),
        "default" => Ok(253),
        "local" => Ok(255),
        _ => unit::count(word, 1, u32::MAX).map_err(|trouble| trouble.label("a number, `main` or `local`")),
    }
}

fn of_table(layers: &Layers<'_>, span: Span, known: &Known<'_, '_>) -> Result<Route, Trouble> {
    let to = layers.text("to").ok_or_else(|| missing(span, "a route", "to", "\"10.2.0.0/16\""))?;
    let kind = layers.text("type");
    let kind = kind.as_ref().map_or("unicast", Text::as_str);
    let source = layers.text("src").map(|text| unit::address(text.word())).transpose()?;
    let rest =
        Rest { metric: layers.number("metric"), table: layers.number("table"), source, mtu: layers.number("mtu") };
    let hops: Vec<Layers<'_>> = layers
        .several("hops")
        .into_iter()
        .filter_map(|value| if let DeValue::Table(table) = value.get_ref() { Some(layers.inner(table)) } else { None })
        .collect();
    let tables = if hops.is_empty() { vec![layers.clone()] } else { hops };
    let texts: Vec<_> = tables.iter().map(|table| (table.text("via"), table.text("dev"))).collect();
    let ways: Vec<Way<'_>> = tables
        .iter()
        .zip(&texts)
        .map(|(table, (via, device))| Way {
            via: via.as_ref().map(Text::word),
            device: device.as_ref().map(Text::word),
            onlink: table.switch("onlink").unwrap_or(false),
            weight: weight(table.number("weight").unwrap_or(1)),
        })
        .collect();
    finish(to.word(), kind, &ways, rest, known)
}

/// Looks the names up and makes the route.
fn finish(to: Word<'_>, kind: &str, ways: &[Way<'_>], rest: Rest, known: &Known<'_, '_>) -> Result<Route, Trouble> {
    let named = if to.text == "default" { None } else { Some(unit::prefix(to)?) };
    let mut ipv6 = named.map(|prefix| prefix.address.is_ipv6());
    let mut hops = Vec::new();
    for way in ways {
        let gateway = way.via.map(|word| Ok((known.gateway(word, ipv6)?, word))).transpose()?;
        if let Some((gateway, word)) = gateway {
            if ipv6 == Some(false) && gateway.is_ipv6() && named.is_none() {
                return Err(word.wrong("this gateway is of another family than the one before:"));
            }
            if ipv6 == Some(true) && gateway.is_ipv4() {
                return Err(word.wrong("an IPv6 route cannot go by an IPv4 gateway:").label("an IPv6 address"));
            }
            ipv6.get_or_insert(gateway.is_ipv6());
        }
        let device = way.device.map(|word| known.device_or_outside(word)).transpose()?;
        let gateway = gateway.map(|(gateway, _)| gateway);
        hops.push(Hop { gateway, device, weight: way.weight, onlink: way.onlink });
    }
    let action = match kind {
        "blackhole" => RouteAction::Blackhole,
        "unreachable" => RouteAction::Unreachable,
        "prohibit" => RouteAction::Prohibit,
        _ => RouteAction::Via(hops.clone()),
    };
    let leads = hops.iter().all(|hop| hop.gateway.is_some() || hop.device.is_some());
    let led = hops.iter().any(|hop| hop.gateway.is_some() || hop.device.is_some());
    if matches!(action, RouteAction::Via(_)) && !leads {
        let trouble = Trouble::new(to.span, "this route does not say which way to go");
        return Err(trouble.label("`via` a gateway, or `dev` a device, is missing"));
    }
    if !matches!(action, RouteAction::Via(_)) && led {
        return Err(Trouble::new(to.span, format!("a {kind} route goes nowhere, and so by no gateway or device")));
    }
    let all = if ipv6.unwrap_or(false) { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
    let to = named.unwrap_or(Prefix { address: all, length: 0 });
    let Rest { metric, table, source, mtu } = rest;
    Ok(Route { to, action, metric, table, source, mtu, span: Span::default() })
}

/// Gives nodes the default routes by the gateways of the bridges that they are wired to.
fn by_bridges(report: &mut Report<'_>, draft: &mut Draft<'_>) {
    let mut gateways: BTreeMap<usize, Vec<(IpAddr, Span)>> = BTreeMap::new();
    for (index, bridge) in draft.bridges.iter().enumerate() {
        for text in bridge.layers.iter().flat_map(|layers| layers.texts("gateway")) {
            let found = on_bridge(draft, index, text.word());
            let found = report.take(found).unwrap_or_default();
            gateways.entry(index).or_default().extend(found.into_iter().map(|address| (address, text.span())));
        }
    }
    let mut made: Vec<(usize, Route)> = Vec::new();
    let mut given = BTreeSet::new();
    for attachment in &draft.attachments {
        let Some(node) = draft.nodes.get(attachment.node) else { continue };
        let Some(list) = attachment.bridge.and_then(|bridge| gateways.get(&bridge)) else { continue };
        let Some(device) = node.node.devices.get(attachment.device) else { continue };
        if node.forwards || node.node.is_host || node.node.is_bridge {
            continue;
        }
        for (gateway, span) in list {
            let reaches = device.addresses.iter().any(|address| unit::holds(unit::network(address), *gateway));
            let is_itself = device.addresses.iter().any(|address| address.address == *gateway);
            let other = |route: &Route| route.to.length == 0 && route.to.address.is_ipv4() == gateway.is_ipv4();
            let has = node.node.routes.iter().any(other) || given.contains(&(attachment.node, gateway.is_ipv4()));
            if reaches && !is_itself && !has {
                given.insert((attachment.node, gateway.is_ipv4()));
                let zero = unit::mask(*gateway, 0);
                let hop = Hop { gateway: Some(*gateway), device: None, weight: 1, onlink: false };
                made.push((
                    attachment.node,
                    Route {
                        to: Prefix { address: zero, length: 0 },
                        action: RouteAction::Via(vec![hop]),
                        metric: None,
                        table: None,
                        source: None,
                        mtu: None,
                        span: *span,
                    },
                ));
            }
        }
    }
    for (node, route) in made {
        if draft.grow(report, route.span).is_none() {
            return;
        }
        if let Some(draft) = draft.nodes.get_mut(node) {
            draft.node.routes.push(route);
        }
    }
}

/// Finds the addresses of a gateway on a bridge: one that is written, or those of a node that is wired to it.
fn on_bridge(draft: &Draft<'_>, bridge: usize, word: Word<'_>) -> Result<Vec<IpAddr>, Trouble> {
    if let Ok(address) = word.text.parse::<IpAddr>() {
        return Ok(vec![address]);
    }
    let node = match draft.places.get(word.text) {
        Some(Place::Node(node)) => *node,
        // The bridge itself may be the gateway, by its own address.
        Some(Place::Bridge(itself)) if *itself == bridge => draft.bridges.get(bridge).map_or(0, |bridge| bridge.node),
        _ => return Err(draft.no_node(word)),
    };
    let here = draft.attachments.iter().filter(|at| at.bridge == Some(bridge) && at.node == node);
    let devices = here.filter_map(|at| draft.nodes.get(node)?.node.devices.get(at.device));
    let addresses = devices.flat_map(|device| device.addresses.iter().map(|interface| interface.address));
    let mut found: Vec<IpAddr> = Vec::new();
    for address in addresses {
        if !found.iter().any(|known| known.is_ipv4() == address.is_ipv4()) {
            found.push(address);
        }
    }
    if found.is_empty() {
        let name = draft.bridges.get(bridge).map(|bridge| bridge.name.clone()).unwrap_or_default();
        let message = format!("{} has no address on {}", quoted(word.text), quoted(&name));
        return Err(Trouble::new(word.span, message).label("a wire between the two, with an address, is missing"));
    }
    Ok(found)
}

/// Returns whether the kernel takes two routes for one and the same.
fn is_twice(one: &Route, other: &Route) -> bool {
    let key = |route: &Route| (route.to, route.table.unwrap_or(MAIN), route.metric);
    key(one) == key(other) && one.action == other.action
}

/// Returns whether the kernel takes one of two routes and leaves the other lying.
fn is_rival(one: &Route, other: &Route) -> bool {
    let key = |route: &Route| (route.to, route.table.unwrap_or(MAIN), route.metric);
    key(one) == key(other) && one.action != other.action
}

/// Holds the routes of a node against its networks.
fn check(report: &mut Report<'_>, known: &Known<'_, '_>) {
    let Some(node) = known.draft.nodes.get(known.node) else { return };
    if node.node.is_host {
        return;
    }
    let networks: Vec<Prefix> = known.interfaces().map(|(interface, _)| unit::network(interface)).collect();
    let mut seen: Vec<&Route> = Vec::new();
    for route in &node.node.routes {
        let is_same = |other: &&&Route| is_twice(other, route);
        if let Some(other) = seen.iter().rev().take(MOST_COMPARED).find(is_same) {
            let trouble = Trouble::new(route.span, format!("{} has this route twice", quoted(&node.node.name)));
            report.error(trouble.label("another `metric` or `table`").other(other.span, "the other is here"));
        }
        let is_other = |other: &&&Route| is_rival(other, route);
        if let Some(other) = seen.iter().rev().take(MOST_COMPARED).find(is_other) {
            let to = match route.to.length {
                0 => "two default routes".to_owned(),
                length => format!("two routes to {}/{length}", route.to.address),
            };
            let message = format!("{} has {to} of one metric", quoted(&node.node.name));
            let trouble = Trouble::new(route.span, message).other(other.span, "the other is here");
            report.warning(match route.to.address {
                IpAddr::V4(_) => trouble
                    .label("packets go by the other alone")
                    .hint("a `metric` makes this one take over, `nexthop`s in one route share what is sent"),
                IpAddr::V6(_) => {
                    trouble.label("packets are shared among the two").hint("a `metric` makes this one take over")
                }
            });
        }
        seen.push(route);
        let RouteAction::Via(hops) = &route.action else { continue };
        for hop in hops.iter().filter(|hop| !hop.onlink) {
            let Some(gateway) = hop.gateway else { continue };
            if known.interfaces().any(|(interface, _)| interface.address == gateway) {
                let message = format!("the gateway {gateway} is {} itself", quoted(&node.node.name));
                report.error(Trouble::new(route.span, message).label("another node's address"));
                continue;
            }
            let link_local = matches!(gateway, IpAddr::V6(address) if address.segments()[0] & 0xffc0 == 0xfe80);
            let reached = networks.iter().any(|network| unit::holds(*network, gateway));
            if link_local || reached {
                continue;
            }
            let name = quoted(&node.node.name);
            let trouble = Trouble::new(route.span, format!("no network of {name} holds the gateway {gateway}"));
            let shown: Vec<String> = networks.iter().map(|net| format!("{}/{}", net.address, net.length)).collect();
            let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
            report.error(match shown.as_slice() {
                [] => trouble.label("it has no address at all"),
                some => trouble.label(format!("it is in {}", few(some))),
            });
        }
    }
}
