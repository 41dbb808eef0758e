//! Makes the picture of namespaces as they are. Pure.

use std::collections::BTreeMap;

use vwire_netlink::Qdisc;
use vwire_netlink::wire::link::KindData;

use super::{Device, Picture, Place, natural, of_lab};
use crate::lab::import::{condition, device::name_of};
use crate::lab::{mark, model};
use crate::snapshot::device::{self, Health, Holding, NamespacePart, join};

/// Devices that each namespace has by itself once a module is loaded.
const BY_THEMSELVES: &[&str] =
    &["lo", "sit0", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6tnl0", "ip6gre0"];

/// The MTU that is not worth a word.
const USUAL_MTU: u32 = 1500;

/// What of the namespaces is drawn.
#[derive(Debug, Clone, Copy, Default)]
pub struct View<'a> {
    /// One lab alone, called as in its file.
    pub lab: Option<&'a str>,
    /// That lab as it was applied, for what its nodes do beside having devices.
    pub applied: Option<&'a model::Lab>,
    /// The queueing disciplines of namespaces, by their inodes.
    pub qdiscs: Option<&'a BTreeMap<u64, Vec<Qdisc>>>,
}

/// Returns the picture of namespaces.
#[must_use]
pub fn picture(title: &str, parts: &[NamespacePart], holdings: &[Holding], view: View<'_>) -> Picture {
    let lab = view.lab;
    let mut picture = Picture { title: title.to_owned(), ..Picture::default() };
    // Where a link of a namespace has come to be in the picture, by inode and index.
    let mut places: BTreeMap<(u64, u32), (usize, usize)> = BTreeMap::new();
    let mut order: Vec<(usize, &NamespacePart)> = parts.iter().enumerate().collect();
    order.sort_by_key(|(_, part)| natural(&part.name));
    for (index, part) in order {
        let name = match (lab, part.name.as_str()) {
            (None, "") => "this machine",
            (None, name) => name,
            (Some(_), "") => "this machine",
            (Some(lab), name) => match name.strip_prefix(lab).and_then(|rest| rest.strip_prefix('.')) {
                Some(node) => node,
                None => continue,
            },
        };
        let joined = join(parts, index, holdings);
        // Of the machine itself a lab has what it marked.
        let is_labs = |device: &device::Device| match lab.filter(|_| part.name.is_empty()) {
            Some(lab) => device.link.alt_names().iter().any(|name| mark::is_host_link_of(lab, name.as_bytes())),
            None => true,
        };
        let is_shown = |device: &&device::Device| !BY_THEMSELVES.contains(&device.name().as_str()) && is_labs(device);
        let shown: Vec<_> = joined.iter().filter(is_shown).collect();
        if shown.is_empty() && lab.is_none() != part.name.is_empty() {
            continue;
        }
        let qdiscs = view.qdiscs.and_then(|qdiscs| qdiscs.get(&part.inode)).map_or(&[][..], Vec::as_slice);
        let at = picture.places.len();
        let indexes: BTreeMap<u32, usize> =
            shown.iter().enumerate().map(|(device, of)| (of.link.index, device)).collect();
        for (index, device) in &indexes {
            places.insert((part.inode, *index), (at, *device));
        }
        let devices = shown.iter().map(|device| Device {
            name: name_of(&device.link),
            kind: device.kind(),
            addresses: device.addresses.iter().filter(|address| !address.starts_with("fe80:")).cloned().collect(),
            master: device.link.master.and_then(|master| indexes.get(&master).copied()),
            notes: notes(device, qdiscs),
        });
        let devices = devices.collect();
        let node = view.applied.and_then(|applied| applied.nodes.iter().find(|node| node.name == name));
        let does = node.map(of_lab::does).unwrap_or_default();
        picture.places.push(Place {
            name: name.to_owned(),
            is_host: part.name.is_empty(),
            devices,
            notes: does.into_iter().chain(loopback(part)).collect(),
        });
    }
    for part in parts {
        for link in part.links.iter().filter(|link| matches!(link.kind(), Some("veth" | "netkit"))) {
            let there = match link.link_netnsid {
                None => Some(part.inode),
                Some(id) => part.ids.get(&id).copied(),
            };
            let here = places.get(&(part.inode, link.index));
            let far = there.zip(link.link).and_then(|far| places.get(&far));
            if let (Some(here), Some(far)) = (here, far)
                && here < far
            {
                picture.cables.push([*here, *far]);
            }
        }
    }
    picture
}

/// Tells the addresses of `lo`, those that every `lo` has aside.
fn loopback(part: &NamespacePart) -> Vec<String> {
    let lo = part.links.iter().find(|link| link.ifname.is_some_and(|name| name == "lo"));
    let own = part.addresses.iter().filter(|address| lo.is_some_and(|lo| lo.index == address.index));
    let text = own.filter_map(|address| {
        let ip = address.local.or(address.address).filter(|ip| !ip.is_loopback())?;
        Some(format!("{ip}/{}", address.prefixlen))
    });
    let text: Vec<String> = text.collect();
    if text.is_empty() { Vec::new() } else { vec![format!("lo {}", text.join(" "))] }
}

fn notes(device: &device::Device, qdiscs: &[Qdisc]) -> Vec<String> {
    let mut notes = Vec::new();
    match device.link.kind_data() {
        Some(KindData::Vxlan(vxlan)) => {
            let remote = vxlan.group.map(|ip| ip.to_string()).or(vxlan.group6.map(|ip| ip.to_string()));
            let vni = vxlan.id.unwrap_or_default();
            notes.push(remote.map_or_else(|| format!("vni {vni}"), |remote| format!("vni {vni} to {remote}")));
        }
        Some(KindData::Bridge(bridge)) if bridge.vlan_filtering == Some(1) => {
            notes.push("tells VLANs apart".to_owned())
        }
        _ => {}
    }
    notes.extend(device.link.mtu.filter(|mtu| *mtu != USUAL_MTU).map(|mtu| format!("mtu {mtu}")));
    let (condition, _) = condition::of(device.link.index, qdiscs);
    notes.extend(condition.as_ref().map(of_lab::condition).filter(|text| !text.is_empty()));
    let is_cable = matches!(device.link.kind(), Some("veth" | "netkit"));
    if let (false, Some(other)) = (is_cable, device.other_end_text()) {
        notes.push(format!("on {other}"));
    }
    notes.extend(device.holder_texts());
    if device.health() != Health::Up {
        notes.push(device.state());
    }
    notes
}
