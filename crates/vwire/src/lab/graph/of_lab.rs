//! Makes the picture of a lab's file. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Counted, Device, Picture, Place};
use crate::lab::model::{self, Condition, DeviceKind, Lab, Nat, Node};

/// Returns how much is in a lab.
#[must_use]
pub fn counted(lab: &Lab) -> Counted {
    picture(lab).counted()
}

/// Returns the picture of a lab.
#[must_use]
pub fn picture(lab: &Lab) -> Picture {
    // The machine itself may be there for what others have on its devices alone.
    let shown: Vec<&Node> = lab.nodes.iter().filter(|node| !node.is_host || !is_bare(node)).collect();
    let places: Vec<Place> = shown.iter().map(|node| place(node)).collect();
    let nodes: BTreeMap<&str, usize> =
        shown.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
    let devices: BTreeMap<(usize, &str), usize> = shown
        .iter()
        .enumerate()
        .flat_map(|(node, of)| {
            of.devices.iter().enumerate().map(move |(at, device)| ((node, device.name.as_str()), at))
        })
        .collect();
    let mut cables = Vec::new();
    for (node, of) in shown.iter().enumerate() {
        for (index, device) in of.devices.iter().enumerate() {
            let DeviceKind::Veth { node: far, device: other } = &device.kind else { continue };
            let far = nodes.get(far.as_str()).and_then(|far| Some((*far, *devices.get(&(*far, other.as_str()))?)));
            // Each cable is seen from both ends, and kept from the first.
            if let Some(far) = far.filter(|far| *far > (node, index)) {
                cables.push([(node, index), far]);
            }
        }
    }
    Picture { title: lab.name.clone(), places, cables }
}

fn is_bare(node: &Node) -> bool {
    node.devices.is_empty() && does(node).is_empty()
}

fn place(node: &Node) -> Place {
    let named = |name: &str| node.devices.iter().position(|device| device.name == name);
    let device = |device: &model::Device| Device {
        name: device.long_name.clone().unwrap_or_else(|| device.name.clone()),
        kind: kind(&device.kind).to_owned(),
        addresses: device.addresses.iter().map(interface).collect(),
        master: device.master.as_deref().and_then(named),
        notes: notes(device),
    };
    let mut about = does(node);
    if !node.loopback.is_empty() {
        let addresses: Vec<String> =
            node.loopback.iter().map(|at| format!("{}/{}", at.address, at.prefix_length)).collect();
        about.push(format!("lo {}", addresses.join(" ")));
    }
    Place {
        name: if node.is_host { "this machine".to_owned() } else { node.name.clone() },
        is_host: node.is_host,
        devices: node.devices.iter().map(device).collect(),
        notes: about,
    }
}

/// Says what a node does beside having devices.
pub(super) fn does(node: &Node) -> Vec<String> {
    let mut about = Vec::new();
    if node.sysctls.get("net.ipv4.ip_forward").is_some_and(|value| value == "1") {
        about.push("forwards".to_owned());
    }
    if node.nat.iter().any(|nat| matches!(nat, Nat::Masquerade { .. })) {
        about.push("NAT".to_owned());
    }
    if !node.filters.is_empty() {
        about.push("filters".to_owned());
    }
    about
}

fn interface(at: &model::Interface) -> String {
    match at.peer {
        Some(peer) => format!("{} peer {peer}/{}", at.address, at.prefix_length),
        None => format!("{}/{}", at.address, at.prefix_length),
    }
}

fn kind(kind: &DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Veth { .. } => "veth",
        DeviceKind::Bridge { .. } => "bridge",
        DeviceKind::Tuntap { tap: true, .. } => "tap",
        DeviceKind::Tuntap { .. } => "tun",
        DeviceKind::Macvlan { tap: true, .. } => "macvtap",
        DeviceKind::Macvlan { .. } => "macvlan",
        DeviceKind::Vxlan { .. } => "vxlan",
        DeviceKind::Dummy => "dummy",
        DeviceKind::Vlan { .. } => "vlan",
    }
}

fn notes(device: &model::Device) -> Vec<String> {
    let mut notes = Vec::new();
    match &device.kind {
        DeviceKind::Vxlan { vni, remote, .. } => {
            let remote: Vec<String> = remote.iter().map(ToString::to_string).collect();
            notes.push(format!("vni {vni} to {}", remote.join(", ")));
        }
        DeviceKind::Vlan { parent, id } => notes.push(format!("{id} of {parent}")),
        DeviceKind::Macvlan { parent, .. } => notes.push(format!("on {parent}")),
        DeviceKind::Bridge { vlan_aware: true, .. } => notes.push("tells VLANs apart".to_owned()),
        _ => {}
    }
    if let Some(vlans) = &device.vlans {
        notes.extend(vlans.access.map(|vlan| format!("vlan {vlan}")));
        let ranges = vlans.trunk.iter().map(
            |(first, last)| {
                if first == last { first.to_string() } else { format!("{first}-{last}") }
            },
        );
        let ranges: Vec<String> = ranges.collect();
        if !ranges.is_empty() {
            notes.push(format!("trunk {}", ranges.join(",")));
        }
    }
    notes.extend(device.mtu.map(|mtu| format!("mtu {mtu}")));
    notes.extend(device.condition.as_ref().map(condition).filter(|text| !text.is_empty()));
    if !device.up {
        notes.push("down".to_owned());
    }
    notes
}

/// Spells a condition as the file does.
#[must_use]
pub fn condition(condition: &Condition) -> String {
    let time = |word: &str, time: Option<Duration>| time.map(|time| format!("{word} {}", in_units(time)));
    let share = |word: &str, share: Option<f64>| share.map(|share| format!("{word} {share}%"));
    let words = [
        time("delay", condition.delay),
        time("jitter", condition.jitter),
        share("loss", condition.loss),
        share("duplicate", condition.duplicate),
        share("reorder", condition.reorder),
        condition.rate.map(|rate| format!("rate {}", rate_text(rate))),
        time("queue", condition.queue),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn in_units(time: Duration) -> String {
    match time.as_nanos() {
        nanos if nanos % 1_000_000_000 == 0 => format!("{}s", nanos / 1_000_000_000),
        nanos if nanos % 1_000_000 == 0 => format!("{}ms", nanos / 1_000_000),
        nanos if nanos % 1_000 == 0 => format!("{}us", nanos / 1_000),
        nanos => format!("{nanos}ns"),
    }
}

fn rate_text(rate: u64) -> String {
    match rate {
        rate if rate % 1_000_000_000 == 0 => format!("{}gbit", rate / 1_000_000_000),
        rate if rate % 1_000_000 == 0 => format!("{}mbit", rate / 1_000_000),
        rate if rate % 1_000 == 0 => format!("{}kbit", rate / 1_000),
        rate => format!("{rate}bit"),
    }
}
