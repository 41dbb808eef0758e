//! Writes namespaces as they are as a lab's file, which reads back. Pure.
//!
//! What a file cannot say is left out and told in a remark at its end, never silently: links of hardware, ends of cables
//! that are not seen, kinds of links that a lab does not make. Link-layer addresses are not written: a lab's are drawn by
//! lot. [`device`] writes single devices, [`route`] routes.

pub mod device;
pub mod route;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use vwire_netlink::{Link, Route};

use super::file::short::LONGEST;
use crate::snapshot::device::NamespacePart;
use device::{addresses, is_up, name_of};

/// What is known of one namespace.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// Its links and addresses.
    pub part: &'a NamespacePart,
    /// Its routes.
    pub routes: &'a [Route],
    /// Whether it passes IPv4 packets on.
    pub forwards: bool,
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

/// Returns a file that describes these namespaces.
#[must_use]
pub fn write(lab: &str, seen: &[Seen<'_>]) -> String {
    let nodes = nodes(lab, seen);
    let mut left_out = Vec::new();
    let mut wired: BTreeSet<(usize, u32)> = BTreeSet::new();
    let (wires, tables) = wires(&nodes, &mut wired, &mut left_out);
    let mut text = format!("# Written by `vwire import` from what was there.\nname = \"{lab}\"\n");
    let plain = nodes.iter().filter(|node| !node.is_bridge && node.name != "host");
    let names: Vec<String> = plain.map(|node| format!("\"{}\"", node.name)).collect();
    list(&mut text, "nodes", &names);
    let lines: Vec<String> = wires.iter().map(|wire| quoted(wire)).collect();
    list(&mut text, "wires", &lines);
    text.push_str(&tables);
    for (index, node) in nodes.iter().enumerate() {
        bridge_tables(&mut text, node);
        node_tables(&mut text, node, index, &wired, &mut left_out);
    }
    if !left_out.is_empty() {
        text.push_str("\n# Not in this file:\n");
        for one in &left_out {
            let _ = writeln!(text, "# - {}", one.replace(char::is_control, "?"));
        }
    }
    text
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
        let is_bridge = alone && !seen.part.name.is_empty() && seen.routes.iter().all(|route| !route::is_own(route));
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
fn wires(nodes: &[Node<'_>], wired: &mut BTreeSet<(usize, u32)>, left_out: &mut Vec<String>) -> (Vec<String>, String) {
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
            let Some((far, far_node, far_link)) = other else {
                left_out.push(format!("the cable at {} of {}, whose other end is not seen", name_of(link), node.name));
                wired.insert((index, link.index));
                continue;
            };
            wired.extend([(index, link.index), (far, far_link.index)]);
            let ends = [end(node, link, left_out), end(far_node, far_link, left_out)];
            let simple = ends.iter().all(|end| end.is_simple);
            match (simple, link.mtu == far_link.mtu) {
                (true, true) => {
                    let mtu = link.mtu.filter(|mtu| *mtu != 1500).map(|mtu| format!(" mtu {mtu}")).unwrap_or_default();
                    lines.push(format!("{} -- {}{mtu}", ends[0].line, ends[1].line));
                }
                _ => {
                    let _ = write!(tables, "\n[[wire]]\nends = [\n  {},\n  {},\n]\n", ends[0].table, ends[1].table);
                }
            }
        }
    }
    (lines, tables)
}

/// An end of a cable, both ways to write it.
struct End {
    line: String,
    table: String,
    is_simple: bool,
}

fn end(node: &Node<'_>, link: &Link, left_out: &mut Vec<String>) -> End {
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
    let down = if is_up(link) { "" } else { " down" };
    let shown: String = addresses.iter().map(|address| format!(" {address}")).collect();
    let mut table = format!("{{ node = \"{place}\", device = {}", quoted(&device));
    if !addresses.is_empty() {
        let list: Vec<String> = addresses.iter().map(|address| quoted(address)).collect();
        let _ = write!(table, ", address = [{}]", list.join(", "));
    }
    let mtu = link.mtu.filter(|mtu| (68..=65_535).contains(mtu) && *mtu != 1500);
    let _ = write!(table, "{}", mtu.map(|mtu| format!(", mtu = {mtu}")).unwrap_or_default());
    let _ = write!(table, "{} }}", if is_up(link) { "" } else { ", up = false" });
    End { line: format!("{place}:{device}{shown}{down}"), table, is_simple }
}

fn bridge_tables(text: &mut String, node: &Node<'_>) {
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
    }
}

fn node_tables(
    text: &mut String,
    node: &Node<'_>,
    index: usize,
    wired: &BTreeSet<(usize, u32)>,
    left_out: &mut Vec<String>,
) {
    let mut own = String::new();
    if node.seen.forwards && node.name != "host" {
        own.push_str("forwarding = true\n");
    }
    let mut lines = Vec::new();
    for route in node.seen.routes.iter().filter(|route| route::is_own(route)) {
        match route::line(route, node.seen.part) {
            Some(line) => lines.push(quoted(&line)),
            None => left_out.push(format!("a route of {} that a file cannot say", node.name)),
        }
    }
    if node.name == "host" && !lines.is_empty() {
        left_out.push("the routes of the machine itself".to_owned());
        lines.clear();
    }
    list(&mut own, "routes", &lines);
    if !own.is_empty() && !node.is_bridge {
        let _ = write!(text, "\n[node.{}]\n{own}", node.name);
    }
    for link in shown(node.seen.part).filter(|link| !wired.contains(&(index, link.index))) {
        if node.bridges.contains_key(&link.index) {
            continue;
        }
        let name = name_of(link);
        let port_of = link.master.and_then(|master| node.bridges.get(&master));
        let Some((kind, body)) = device::table(node.seen.part, link, port_of.map(String::as_str)) else {
            let what = link.kind().unwrap_or("a link of hardware");
            left_out.push(format!("{name} of {}: {what}", node.name));
            continue;
        };
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
