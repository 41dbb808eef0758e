//! Makes the picture of namespaces as they are. Pure.

use std::collections::BTreeMap;

use super::{Device, Picture, Place, natural};
use crate::snapshot::device::{Health, Holding, NamespacePart, join};

/// Devices that each namespace has by itself once a module is loaded.
const BY_THEMSELVES: &[&str] =
    &["lo", "sit0", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6tnl0", "ip6gre0"];

/// Returns the picture of namespaces; `lab` keeps those of one lab alone, called as in its file.
#[must_use]
pub fn picture(title: &str, parts: &[NamespacePart], holdings: &[Holding], lab: Option<&str>) -> Picture {
    let mut picture = Picture { title: title.to_owned(), ..Picture::default() };
    // Where a link of a namespace has come to be in the picture, by inode and index.
    let mut places: BTreeMap<(u64, u32), (usize, usize)> = BTreeMap::new();
    let mut order: Vec<(usize, &NamespacePart)> = parts.iter().enumerate().collect();
    order.sort_by_key(|(_, part)| natural(&part.name));
    for (index, part) in order {
        let name = match (lab, part.name.as_str()) {
            (None, "") => "this machine",
            (None, name) => name,
            (Some(lab), name) => match name.strip_prefix(lab).and_then(|rest| rest.strip_prefix('.')) {
                Some(node) => node,
                None => continue,
            },
        };
        let joined = join(parts, index, holdings);
        let shown: Vec<_> = joined.iter().filter(|device| !BY_THEMSELVES.contains(&device.name().as_str())).collect();
        if shown.is_empty() && lab.is_none() && !part.name.is_empty() {
            continue;
        }
        let at = picture.places.len();
        let indexes: BTreeMap<u32, usize> =
            shown.iter().enumerate().map(|(device, of)| (of.link.index, device)).collect();
        for (index, device) in &indexes {
            places.insert((part.inode, *index), (at, *device));
        }
        let devices = shown.iter().map(|device| Device {
            name: device.name(),
            kind: device.kind(),
            addresses: device.addresses.iter().filter(|address| !address.starts_with("fe80:")).cloned().collect(),
            master: device.link.master.and_then(|master| indexes.get(&master).copied()),
            notes: notes(device),
        });
        let devices = devices.collect();
        picture.places.push(Place {
            name: name.to_owned(),
            is_host: part.name.is_empty() && lab.is_none(),
            devices,
            notes: loopback(part),
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

fn notes(device: &crate::snapshot::device::Device) -> Vec<String> {
    let mut notes = Vec::new();
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
