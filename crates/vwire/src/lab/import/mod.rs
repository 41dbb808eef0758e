//! Writes namespaces as they are as a lab's file, which reads back. Pure.
//!
//! What a file cannot say is left out and told in a remark at its end, never silently: links of hardware, ends of cables
//! that are not seen, kinds of links that a lab does not make, rules of packet filters that a file has no words for.
//! Link-layer addresses are written where a static neighbour names them; else they are drawn by lot.
//!
//! [`device`] writes single devices, [`vlan`] and [`condition`] what is said of ports and ends of wires, [`route`] and
//! [`rule`] routes and rules, `gone` leaves out what a file cannot say, [`netfilter`] translations and filters, [`sysctl`] the sysctls that somebody set.

pub mod condition;
pub mod device;
mod gone;
pub mod netfilter;
pub mod route;
pub mod rule;
pub mod sysctl;
pub mod vlan;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use vwire_netlink::wire::nft::{Chain, Rule as Step};
use vwire_netlink::{Link, LinkAddress, Qdisc};

use super::file::short::LONGEST;
use super::graph::of_lab;
use super::model::Condition;
use crate::snapshot::device::NamespacePart;
use crate::snapshot::state::State;
use crate::snapshot::sysctl::Sysctls;
use device::{addresses, is_up, name_of};
pub use sysctl::SAMPLE;

/// What is known of one namespace.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// Its links and addresses.
    pub part: &'a NamespacePart,
    /// Its tables and sysctls.
    pub state: &'a State,
    /// The disciplines of its links.
    pub qdiscs: &'a [Qdisc],
    /// The chains of nftables.
    pub chains: &'a [Chain],
    /// The rules of nftables.
    pub rules: &'a [Step],
    /// The sysctls of a new namespace that has one link, [`SAMPLE`].
    pub usual: &'a Sysctls,
}

/// Devices that each namespace has by itself once a module is loaded.
const BY_THEMSELVES: &[&str] =
    &["lo", "sit0", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6tnl0", "ip6gre0"];

/// A namespace while it is written.
struct Node<'a> {
    name: String,
    seen: &'a Seen<'a>,
    /// The name of each bridge by its index.
    bridges: BTreeMap<u32, String>,
    /// Whether it is nothing but one bridge and its ports, and so needs no table of its own.
    is_bridge: bool,
}

/// Returns a file that describes these namespaces; `unread` says what was not looked at, if that is anything.
#[must_use]
pub fn write(lab: &str, seen: &[Seen<'_>], unread: &str) -> String {
    let pruned = gone::prune(seen);
    let all = seen;
    let seen: Vec<Seen<'_>> = seen
        .iter()
        .zip(&pruned)
        .map(|(seen, own)| Seen { part: &own.part, state: &own.state, ..seen.clone() })
        .collect();
    let nodes = nodes(lab, &seen);
    let named: BTreeSet<LinkAddress> =
        seen.iter().flat_map(|seen| &seen.state.neighbours).filter_map(named_mac).collect();
    let mut left_out: Vec<String> = Some(unread.to_owned()).filter(|unread| !unread.is_empty()).into_iter().collect();
    for (node, own) in nodes.iter().zip(&pruned) {
        left_out.extend(own.left_out.iter().map(|(device, why)| format!("{device} of {}: {why}", node.name)));
    }
    let mut wired: BTreeSet<(usize, u32)> = BTreeSet::new();
    let (wires, tables) = wires(&nodes, &named, &mut wired, &mut left_out);
    let mut text = format!("# Written by `vwire import` from what was there.\nname = \"{lab}\"\n");
    let plain = nodes.iter().filter(|node| !node.is_bridge && node.name != "host");
    let names: Vec<String> = plain.map(|node| format!("\"{}\"", node.name)).collect();
    list(&mut text, "nodes", &names);
    let lines: Vec<String> = wires.iter().map(|wire| quoted(wire)).collect();
    list(&mut text, "wires", &lines);
    text.push_str(&tables);
    for (index, node) in nodes.iter().enumerate() {
        bridge_tables(&mut text, node, &named, &mut left_out);
        let lower = |link: &Link| {
            let (other, lower) = gone::lower_elsewhere(link, all.get(index)?.part, all)?;
            Some(format!("{}:{}", nodes.get(other)?.name, name_of(lower)))
        };
        node_tables(&mut text, node, &named, (&wired_of(&wired, index), &lower), &mut left_out);
    }
    if !left_out.is_empty() {
        text.push_str("\n# Not in this file:\n");
        for one in &left_out {
            let _ = writeln!(text, "# - {}", one.replace(char::is_control, "?"));
        }
    }
    text
}

/// Returns the link-layer address that a static neighbour names.
fn named_mac(neighbour: &vwire_netlink::Neighbour) -> Option<LinkAddress> {
    rule::is_static(neighbour).then_some(neighbour.lladdr).flatten()
}

fn wired_of(wired: &BTreeSet<(usize, u32)>, node: usize) -> BTreeSet<u32> {
    wired.iter().filter(|(at, _)| *at == node).map(|(_, index)| *index).collect()
}

/// Writes a string as TOML has it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// Writes a list, in one line if it is short.
fn list(text: &mut String, key: &str, items: &[String]) {
    let line = items.join(", ");
    let _ = match items {
        [] => Ok(()),
        _ if line.len() < 90 => writeln!(text, "{key} = [{line}]"),
        items => {
            let lines: String = items.iter().map(|item| format!("  {item},\n")).collect();
            writeln!(text, "{key} = [\n{lines}]")
        }
    };
}

/// Makes a name of letters, digits, `-` and `_`.
fn plain(name: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' };
    let name: String = name.chars().map(letter).take(90).collect();
    match name.trim_matches(['-', '_']) {
        "" => "node".to_owned(),
        name => name.to_owned(),
    }
}

/// Returns a name that no other has, and takes it.
fn free(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{wanted}-{number}"));
    let name = std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken.contains(name));
    let name = name.unwrap_or_default();
    taken.insert(name.clone());
    name
}

fn shown(part: &NamespacePart) -> impl Iterator<Item = &Link> {
    part.links.iter().filter(|link| !BY_THEMSELVES.contains(&name_of(link).as_str()))
}

/// Gives each namespace and bridge its name in the file.
fn nodes<'a>(lab: &str, seen: &'a [Seen<'a>]) -> Vec<Node<'a>> {
    let mut taken = BTreeSet::from(["host".to_owned(), "all".to_owned()]);
    let mut nodes = Vec::new();
    for seen in seen {
        let own = seen.part.name.strip_prefix(lab).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&seen.part.name);
        let bridges: Vec<&Link> = shown(seen.part).filter(|link| link.kind() == Some("bridge")).collect();
        let alone = match bridges.as_slice() {
            [bridge] => shown(seen.part).all(|link| link.index == bridge.index || link.master == Some(bridge.index)),
            _ => false,
        };
        let is_bridge = alone && !seen.part.name.is_empty() && about(seen, &mut Vec::new(), "").is_empty();
        let name = if seen.part.name.is_empty() { "host".to_owned() } else { free(&plain(own), &mut taken) };
        let bridges = bridges.into_iter().map(|link| (link.index, name_of(link))).collect();
        nodes.push(Node { name, seen, bridges, is_bridge });
    }
    for node in &mut nodes {
        for name in node.bridges.values_mut() {
            let wanted = if node.is_bridge { node.name.clone() } else { plain(name) };
            *name = match node.is_bridge {
                true => wanted,
                false if taken.contains(&wanted) => free(&plain(&format!("{}-{name}", node.name)), &mut taken),
                false => free(&wanted, &mut taken),
            };
        }
    }
    nodes
}

/// Writes the cables whose two ends are seen: as lines, or as tables where a line cannot say it.
fn wires(
    nodes: &[Node<'_>],
    named: &BTreeSet<LinkAddress>,
    wired: &mut BTreeSet<(usize, u32)>,
    left_out: &mut Vec<String>,
) -> (Vec<String>, String) {
    let (mut lines, mut tables) = (Vec::new(), String::new());
    for (index, node) in nodes.iter().enumerate() {
        for link in shown(node.seen.part).filter(|link| link.kind() == Some("veth")) {
            if wired.contains(&(index, link.index)) {
                continue;
            }
            let inode = match link.link_netnsid {
                None => Some(node.seen.part.inode),
                Some(id) => node.seen.part.ids.get(&id).copied(),
            };
            let far = nodes.iter().position(|other| Some(other.seen.part.inode) == inode);
            let other = far.and_then(|far| {
                let node = nodes.get(far)?;
                Some((far, node, node.seen.part.links.iter().find(|other| Some(other.index) == link.link)?))
            });
            let Some((far, far_node, far_link)) = other else { continue };
            wired.extend([(index, link.index), (far, far_link.index)]);
            let ends = [end(node, link, named, left_out), end(far_node, far_link, named, left_out)];
            let conditions = [qualities(node, link, left_out), qualities(far_node, far_link, left_out)];
            if ends.iter().all(|end| end.is_simple) && link.mtu == far_link.mtu {
                let mtu = link.mtu.filter(|mtu| *mtu != 1500).map(|mtu| format!(" mtu {mtu}")).unwrap_or_default();
                lines.push(format!("{} -- {}{mtu}{}", ends[0].line, ends[1].line, behind(conditions)));
            } else {
                let _ = write!(tables, "\n[[wire]]\nends = [\n  {},\n  {},\n]\n", ends[0].table, ends[1].table);
                for (key, condition) in ["forth", "back"].into_iter().zip(conditions) {
                    tables.push_str(&condition.map(|one| format!("{key} = {}\n", in_table(&one))).unwrap_or_default());
                }
            }
        }
    }
    (lines, tables)
}

/// Returns the condition of what leaves by a link.
fn qualities(node: &Node<'_>, link: &Link, left_out: &mut Vec<String>) -> Option<Condition> {
    let (condition, whole) = condition::of(link.index, node.seen.qdiscs);
    if !whole {
        left_out.push(format!("all of the queueing discipline of {} of {}", name_of(link), node.name));
    }
    condition
}

/// Spells the conditions of the two ways behind the ends of a wire.
fn behind([forth, back]: [Option<Condition>; 2]) -> String {
    match (forth, back) {
        (Some(forth), Some(back)) if forth == back => format!(" {}", of_lab::condition(&forth)),
        (forth, back) => {
            let way =
                |arrow: &str, one: Option<Condition>| one.map(|one| format!(" {arrow} {}", of_lab::condition(&one)));
            way("->", forth).unwrap_or_default() + &way("<-", back).unwrap_or_default()
        }
    }
}

/// Spells a condition as a table in a line.
fn in_table(condition: &Condition) -> String {
    let words = of_lab::condition(condition);
    let words: Vec<&str> = words.split(' ').collect();
    let pairs: Vec<String> =
        words.chunks(2).filter_map(|pair| Some(format!("{} = \"{}\"", pair.first()?, pair.get(1)?))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// An end of a cable, both ways to write it.
struct End {
    line: String,
    table: String,
    is_simple: bool,
}

fn end(node: &Node<'_>, link: &Link, named: &BTreeSet<LinkAddress>, left_out: &mut Vec<String>) -> End {
    let device = name_of(link);
    let bridge = link.master.and_then(|master| node.bridges.get(&master));
    let addresses = addresses(node.seen.part, link);
    if link.master.is_some() && bridge.is_none() {
        left_out.push(format!("what {device} of {} is a port of", node.name));
    }
    if bridge.is_some() && !addresses.is_empty() {
        left_out.push(format!("the addresses of {device} of {}, which is a port", node.name));
    }
    let addresses = if bridge.is_some() { Vec::new() } else { addresses };
    let place = bridge.unwrap_or(&node.name);
    let is_simple = !device.contains([':', ' ', '%']) && addresses.iter().all(|address| !address.contains(' '));
    let mut line = format!("{place}:{device}");
    let mut table = format!("{{ node = \"{place}\", device = {}", quoted(&device));
    if !addresses.is_empty() {
        let list: Vec<String> = addresses.iter().map(|address| quoted(address)).collect();
        let _ = write!(table, ", address = [{}]", list.join(", "));
        line.extend(addresses.iter().map(|address| format!(" {address}")));
    }
    let (vlan, trunk) = port_vlans(node, link, left_out);
    let mac = link.address.filter(|mac| named.contains(mac)).map(|mac| mac.to_string());
    for (key, value) in [("mac", mac), ("vlan", vlan), ("trunk", trunk)] {
        let Some(value) = value else { continue };
        line.push_str(&format!(" {key} {value}"));
        let value = if key == "vlan" { value } else { quoted(&value) };
        let _ = write!(table, ", {key} = {value}");
    }
    let mtu = link.mtu.filter(|mtu| (68..=65_535).contains(mtu) && *mtu != 1500);
    let _ = write!(table, "{}", mtu.map(|mtu| format!(", mtu = {mtu}")).unwrap_or_default());
    let _ = write!(table, "{} }}", if is_up(link) { "" } else { ", up = false" });
    line.push_str(if is_up(link) { "" } else { " down" });
    End { line, table, is_simple }
}

/// Returns the VLAN of packets without a tag and those of packets with one, of a port of a bridge that tells them apart.
fn port_vlans(node: &Node<'_>, link: &Link, left_out: &mut Vec<String>) -> (Option<String>, Option<String>) {
    let master = node.seen.part.links.iter().find(|other| Some(other.index) == link.master);
    if !master.is_some_and(device::is_vlan_aware) {
        return (None, None);
    }
    let vlans = vlan::of(link.index, &node.seen.state.bridge_links);
    if !vlans.whole {
        left_out.push(format!("all of the VLANs of {} of {}", name_of(link), node.name));
    }
    (vlans.access.map(|vlan| vlan.to_string()), vlans.trunk)
}

fn bridge_tables(text: &mut String, node: &Node<'_>, named: &BTreeSet<LinkAddress>, left_out: &mut Vec<String>) {
    for link in shown(node.seen.part) {
        let Some(name) = node.bridges.get(&link.index) else { continue };
        let device = name_of(link);
        let _ = write!(text, "\n[bridge.{name}]\n");
        if !node.is_bridge {
            let _ = writeln!(text, "node = \"{}\"", node.name);
        }
        if device != *name {
            let _ = writeln!(text, "device = {}", quoted(&device));
        }
        let list_of: Vec<String> = addresses(node.seen.part, link).iter().map(|address| quoted(address)).collect();
        list(text, "address", &list_of);
        text.push_str(&device::bridge(link));
        text.push_str(&device::mac(link, named));
        no_condition(node, link, left_out);
    }
}

/// Says that a condition is left out: a file has it at ends of wires alone.
fn no_condition(node: &Node<'_>, link: &Link, left_out: &mut Vec<String>) {
    if condition::of(link.index, node.seen.qdiscs) != (None, true) {
        left_out.push(format!("the queueing discipline of {} of {}", name_of(link), node.name));
    }
}

/// Writes the keys of a node that are about no device.
fn about(seen: &Seen<'_>, left_out: &mut Vec<String>, name: &str) -> String {
    let mut own = String::new();
    let links: Vec<&Link> = shown(seen.part).collect();
    let changed = sysctl::changed(&seen.state.sysctls, seen.usual, &links);
    own.push_str(if changed.forwards { "forwarding = true\n" } else { "" });
    let lo = seen.part.links.iter().find(|link| name_of(link) == "lo");
    let all = lo.map(|lo| addresses(seen.part, lo)).unwrap_or_default();
    let list_of = all.iter().filter(|address| !matches!(address.as_str(), "127.0.0.1/8" | "::1/128"));
    list(&mut own, "lo", &list_of.map(|address| quoted(address)).collect::<Vec<_>>());
    let mut lines = Vec::new();
    for route in seen.state.routes.iter().filter(|route| route::is_own(route)) {
        match route::line(route, seen.part) {
            Some(line) => lines.push(quoted(&line)),
            None => left_out
                .push(format!("the route to {} of {name}, which has more than a file can say", route::goal(route))),
        }
    }
    list(&mut own, "routes", &lines);
    lines.clear();
    for one in seen.state.rules.iter().filter(|one| rule::is_own(one)) {
        match rule::line(one, seen.part) {
            Some(line) => lines.push(quoted(&line)),
            None => {
                let priority = one.priority.unwrap_or(0);
                left_out.push(format!("the rule of priority {priority} of {name}, which has more than a file can say"));
            }
        }
    }
    list(&mut own, "rules", &lines);
    let neighbours = seen.state.neighbours.iter().filter_map(|one| rule::neighbour(one, seen.part));
    list(&mut own, "neighbours", &neighbours.map(|line| quoted(&line)).collect::<Vec<_>>());
    let guards = netfilter::lines(seen.chains, seen.rules, &devices_of(seen.part));
    for (key, lines) in [("nat", &guards.nat), ("filter", &guards.filters)] {
        list(&mut own, key, &lines.iter().map(|line| quoted(line)).collect::<Vec<_>>());
    }
    left_out.extend(guards.left_out.into_iter().map(|one| format!("of {name}: {one}")));
    for (name, value) in &changed.sysctls {
        let _ = writeln!(own, "sysctl.{} = {}", quoted(name), quoted(value));
    }
    own
}

fn devices_of(part: &NamespacePart) -> netfilter::Devices {
    let by_name = part.links.iter().filter_map(|link| Some((link.ifname?.to_string(), name_of(link)))).collect();
    netfilter::Devices { by_name, by_index: part.links.iter().map(|link| (link.index, name_of(link))).collect() }
}

/// Says how the device below one is written where that is in another namespace.
type Lower<'a> = &'a dyn Fn(&Link) -> Option<String>;

fn node_tables(
    text: &mut String,
    node: &Node<'_>,
    named: &BTreeSet<LinkAddress>,
    (wired, lower): (&BTreeSet<u32>, Lower<'_>),
    left_out: &mut Vec<String>,
) {
    if node.name == "host" {
        if !about(node.seen, &mut Vec::new(), "").is_empty() {
            left_out.push("routes, rules, sysctls and filters of the machine itself".to_owned());
        }
    } else if !node.is_bridge {
        let own = about(node.seen, left_out, &node.name);
        if !own.is_empty() {
            let _ = write!(text, "\n[node.{}]\n{own}", node.name);
        }
    }
    for link in shown(node.seen.part).filter(|link| !wired.contains(&link.index)) {
        if node.bridges.contains_key(&link.index) {
            continue;
        }
        let name = name_of(link);
        let port_of = link.master.and_then(|master| node.bridges.get(&master));
        let master = port_of.map(String::as_str);
        let Some((kind, mut body)) = device::table(node.seen.part, link, master, lower(link).as_deref()) else {
            continue;
        };
        if kind != "tun" {
            body.push_str(&device::mac(link, named));
        }
        if port_of.is_some() && matches!(kind, "tap" | "vxlan") {
            let (vlan, trunk) = port_vlans(node, link, left_out);
            body.push_str(&vlan.map(|vlan| format!("vlan = {vlan}\n")).unwrap_or_default());
            body.push_str(&trunk.map(|trunk| format!("trunk = \"{trunk}\"\n")).unwrap_or_default());
        }
        no_condition(node, link, left_out);
        // A port of a bridge in a namespace of its own stands in the bridge's table.
        let head = match (node.is_bridge, port_of) {
            (true, Some(bridge)) => format!("bridge.{bridge}"),
            _ => format!("node.{}", node.name),
        };
        let key = if name.len() <= LONGEST && plain(&name) == name { name.clone() } else { quoted(&name) };
        let _ = write!(text, "\n[{head}.{kind}.{key}]\n{body}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_names_of_a_file_and_stay_apart() {
        let mut taken = BTreeSet::new();
        let names = ["pid 812 (dnsmasq)", "pid-812--dnsmasq", "…"].map(|name| free(&plain(name), &mut taken));
        assert_eq!(names, ["pid-812--dnsmasq", "pid-812--dnsmasq-2", "node"]);
    }

    #[test]
    fn strings_are_written_as_they_are_read() {
        let text = "a \"b\" \\ \u{1}";
        let file = format!("x = {}", quoted(text));
        let table = toml::de::DeTable::parse(&file).unwrap();
        let value = table.get_ref().iter().next().unwrap().1.get_ref().as_str().unwrap().to_owned();
        assert_eq!(value, text);
    }
}
