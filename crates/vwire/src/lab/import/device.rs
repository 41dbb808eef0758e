//! Writes a device that is no cable as a table of a lab's file. Pure.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use vwire_netlink::wire::link::KindData;
use vwire_netlink::{Link, LinkAddress};

use super::quoted;
use crate::snapshot::device::NamespacePart;

/// `IFF_UP`.
const UP: u32 = 1;
/// `IFF_TAP`, as `IFLA_TUN_TYPE` has it.
const TAP: u8 = 2;
/// `MACVLAN_MODE_*` and their names.
const MACVLAN_MODES: &[(u32, &str)] = &[(1, "private"), (2, "vepa"), (4, "bridge"), (8, "passthru")];

/// Returns a link's name: its long one, if it has one.
pub(crate) fn name_of(link: &Link) -> String {
    let own = link.ifname.map(|name| name.to_string()).unwrap_or_default();
    // The long name that a lab gave, by which its file knows the device.
    let long = link.alt_names().iter().map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
    let long = long.into_iter().find(|long| super::super::file::short::short_name(long) == own && *long != own);
    long.unwrap_or(own)
}

/// Tells whether a link is set up.
pub(crate) fn is_up(link: &Link) -> bool {
    link.flags & UP != 0
}

/// Returns a link's addresses as the file has them, those that it gave itself aside.
pub(crate) fn addresses(part: &NamespacePart, link: &Link) -> Vec<String> {
    let own = part.addresses.iter().filter(|address| address.index == link.index);
    let text = |address: &vwire_netlink::Address| {
        let ip = address.local.or(address.address)?;
        if matches!(ip, IpAddr::V6(ip) if ip.segments()[0] & 0xffc0 == 0xfe80) {
            return None;
        }
        Some(match address.address.filter(|peer| *peer != ip) {
            Some(peer) => format!("{ip} peer {peer}/{}", address.prefixlen),
            None => format!("{ip}/{}", address.prefixlen),
        })
    };
    own.filter_map(text).collect()
}

/// Tells whether a bridge tells VLANs apart.
pub(crate) fn is_vlan_aware(link: &Link) -> bool {
    matches!(link.kind_data(), Some(KindData::Bridge(bridge)) if bridge.vlan_filtering == Some(1))
}

/// Returns the link-layer address of a link as a key, if it is one of those that somebody names.
pub(crate) fn mac(link: &Link, named: &BTreeSet<LinkAddress>) -> String {
    let mac = link.address.filter(|mac| named.contains(mac));
    mac.map(|mac| format!("mac = \"{mac}\"\n")).unwrap_or_default()
}

/// Returns the keys of a bridge.
pub(crate) fn bridge(link: &Link) -> String {
    let mut text = String::new();
    if is_vlan_aware(link) {
        text.push_str("vlan-aware = true\n");
    }
    if matches!(link.kind_data(), Some(KindData::Bridge(bridge)) if bridge.stp_state.is_some_and(|state| state != 0)) {
        text.push_str("stp = true\n");
    }
    text + &mtu(link)
}

fn mtu(link: &Link) -> String {
    let mtu = link.mtu.filter(|mtu| (68..=65_535).contains(mtu) && *mtu != 1500);
    mtu.map(|mtu| format!("mtu = {mtu}\n")).unwrap_or_default()
}

/// Returns the key that a device's table stands under, and what is in it; none for what a lab does not make. `elsewhere`
/// is how the device below is written where it is in another namespace.
pub(crate) fn table(
    part: &NamespacePart,
    link: &Link,
    master: Option<&str>,
    elsewhere: Option<&str>,
) -> Option<(&'static str, String)> {
    let parent = || {
        let below = match link.link_netnsid {
            None => name_of(part.links.iter().find(|other| Some(other.index) == link.link)?),
            Some(_) => elsewhere?.to_owned(),
        };
        Some(format!("parent = {}\n", quoted(&below)))
    };
    let mut body = String::new();
    let kind = match (link.kind(), link.kind_data()) {
        (Some("dummy"), _) => "dummy",
        (_, Some(KindData::Tun(tun))) => {
            for (key, number) in [("owner", tun.owner), ("group", tun.group)] {
                body.push_str(&number.map(|number| format!("{key} = \"{number}\"\n")).unwrap_or_default());
            }
            for (key, on) in [("multi-queue", tun.multi_queue), ("vnet-hdr", tun.vnet_hdr), ("packet-info", tun.pi)] {
                body.push_str(if on == Some(1) { key } else { "" });
                body.push_str(if on == Some(1) { " = true\n" } else { "" });
            }
            if tun.r#type == Some(TAP) { "tap" } else { "tun" }
        }
        (_, Some(KindData::Vlan(vlan))) => {
            let _ = writeln!(body, "{}id = {}", parent()?, vlan.id?);
            "vlan"
        }
        (kind, Some(KindData::Macvlan(macvlan))) => {
            let mode = MACVLAN_MODES.iter().find(|(mode, _)| Some(*mode) == macvlan.mode)?.1;
            let _ = writeln!(body, "{}mode = \"{mode}\"", parent()?);
            if kind == Some("macvtap") { "macvtap" } else { "macvlan" }
        }
        (_, Some(KindData::Vxlan(vxlan))) => {
            let _ = writeln!(body, "vni = {}", vxlan.id?);
            let ip = |v4: Option<std::net::Ipv4Addr>, v6: Option<std::net::Ipv6Addr>| {
                v4.map(IpAddr::V4).or(v6.map(IpAddr::V6))
            };
            for (key, address) in [("remote", ip(vxlan.group, vxlan.group6)), ("local", ip(vxlan.local, vxlan.local6))]
            {
                body.push_str(&address.map(|address| format!("{key} = \"{address}\"\n")).unwrap_or_default());
            }
            body.push_str(
                &vxlan.port.filter(|port| *port != 4789).map(|port| format!("port = {port}\n")).unwrap_or_default(),
            );
            body.push_str(if vxlan.learning == Some(0) { "learning = false\n" } else { "" });
            body.push_str(&parent().unwrap_or_default());
            "vxlan"
        }
        _ => return None,
    };
    if let Some(master) = master.filter(|_| !matches!(kind, "tun" | "macvlan" | "macvtap")) {
        let _ = writeln!(body, "master = {}", quoted(master));
    }
    let own: Vec<String> = addresses(part, link).iter().map(|address| quoted(address)).collect();
    if !own.is_empty() {
        let _ = writeln!(body, "address = [{}]", own.join(", "));
    }
    body.push_str(&mtu(link));
    if !is_up(link) {
        body.push_str("up = false\n");
    }
    Some((kind, body))
}
