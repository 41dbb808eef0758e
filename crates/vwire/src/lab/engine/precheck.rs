//! Checks what can be known before anything is touched: names that are taken, kinds that the kernel lacks.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;

use vwire_netlink::wire::link::macvlan::Macvlan;
use vwire_netlink::wire::link::vlan::Vlan;
use vwire_netlink::wire::link::vxlan::Vxlan;
use vwire_netlink::wire::qdisc::Netem;
use vwire_netlink::{Create, IfName, Link, Qdisc, Request, Socket};

use super::Done;
use super::field::Field;
use crate::lab::failed::Failed;
use crate::lab::file::accounts;
use crate::lab::mark;
use crate::lab::model::{Device, DeviceKind, Lab, Node};
use crate::lab::namespace::walk::Walker;
use crate::lab::sysctl;
use crate::step::world::{Place, World};

/// The most ports of a bridge (`BR_MAX_PORTS`, less the one that is never given).
const MOST_PORTS: usize = 1023;
/// The device file behind every TUN and TAP.
const TUN_DEVICE: &str = "/dev/net/tun";

/// Checks what the file and the kernel's tables tell.
///
/// # Errors
/// The first thing that stands in the way.
pub fn check(lab: &Lab, wanted: &World, now: &World, field: &Field) -> Done<()> {
    for (at, node) in lab.nodes.iter().enumerate() {
        ports(node)?;
        owners(node)?;
        if node.is_host {
            host(lab, node, wanted, now, at)?;
        }
    }
    let opens = |node: &Node| node.devices.iter().any(|device| matches!(device.kind, DeviceKind::Tuntap { .. }));
    if lab.nodes.iter().any(opens) && field.sites.iter().any(Option::is_none) {
        tun_device()?;
    }
    Ok(())
}

/// Checks that who is to own TUN and TAP devices is somebody here: without root, only the user is.
fn owners(node: &Node) -> Done<()> {
    for device in &node.devices {
        let DeviceKind::Tuntap { owner, group, .. } = &device.kind else { continue };
        for (number, what, map) in [(owner, "user", "/proc/self/uid_map"), (group, "group", "/proc/self/gid_map")] {
            let Some(number) = number.filter(|number| !accounts::is_known(*number, map)) else { continue };
            let what = format!("`{}` in `{}` cannot belong to {what} {number}", device.name, node.name);
            return Err(Failed::new(what)
                .because_of("without root, nobody but you can own a device")
                .at(device.span)
                .hint("leave the owner out, or name yourself; `sudo vwire up FILE` knows all users"));
        }
    }
    Ok(())
}

fn ports(node: &Node) -> Done<()> {
    for bridge in node.devices.iter().filter(|device| matches!(device.kind, DeviceKind::Bridge { .. })) {
        let ports = node.devices.iter().filter(|device| device.master.as_ref() == Some(&bridge.name)).count();
        if ports > MOST_PORTS {
            let what = format!(
                "bridge `{}` in `{}` has {ports} ports, and the kernel allows {MOST_PORTS}",
                bridge.name, node.name
            );
            return Err(Failed::new(what)
                .at(bridge.span)
                .hint("two bridges with a cable between them take twice as many"));
        }
    }
    Ok(())
}

/// Checks that nothing of the machine itself is in the way.
fn host(lab: &Lab, node: &Node, wanted: &World, now: &World, at: usize) -> Done<()> {
    let (wanted, now) = (wanted.state(Place(at)), now.state(Place(at)));
    for device in &node.devices {
        let Some(there) = now.link_named(device.name.as_bytes()) else { continue };
        if !is_own(lab, there) {
            return Err(Failed::new(format!(
                "this machine has a device `{}` that lab `{}` did not make",
                device.name, lab.name
            ))
            .at(device.span)
            .hint("another name in the file leaves it alone"));
        }
    }
    for (device, own) in node.devices.iter().flat_map(|device| device.addresses.iter().map(move |own| (device, own))) {
        let link = wanted.links.iter().find(|link| link.ifname.is_some_and(|name| name == device.name.as_str()));
        let index = link.map_or(0, |link| link.index);
        // What the lab's own devices had before, it gives up.
        let is_foreign = |index: u32| !now.link(index).is_some_and(|link| is_own(lab, link));
        let others = now.addresses.iter().filter(|there| there.index != index && is_foreign(there.index));
        let rival = others.into_iter().find(|there| {
            there.local.or(there.address).is_some_and(|other| {
                other.is_ipv4() == own.address.is_ipv4()
                    && (other == own.address || overlaps(own.address, other, own.prefix_length.min(there.prefixlen)))
            })
        });
        if let Some(rival) = rival {
            let name =
                now.link(rival.index).and_then(|link| link.ifname).map(|name| name.to_string()).unwrap_or_default();
            let other = rival.local.or(rival.address).map(|address| address.to_string()).unwrap_or_default();
            return Err(Failed::new(format!(
                "{}/{} of `{}` overlaps with {other}/{}, which this machine has on `{name}`",
                own.address, own.prefix_length, device.name, rival.prefixlen
            ))
            .at(device.span));
        }
    }
    Ok(())
}

/// Returns whether a link of the machine itself is the lab's.
fn is_own(lab: &Lab, link: &Link) -> bool {
    link.group == Some(mark::group(&lab.name))
        || link.alt_names().iter().any(|name| mark::is_host_link_of(&lab.name, name.as_bytes()))
}

/// Returns whether two addresses share so many bits.
fn overlaps(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let octets = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => {
            if address.is_unicast_link_local() {
                return Vec::new();
            }
            address.octets().to_vec()
        }
    };
    let (one, other) = (octets(one), octets(other));
    if one.is_empty() || one.len() != other.len() {
        return false;
    }
    let (whole, rest) = (usize::from(bits / 8), bits % 8);
    one.get(..whole) == other.get(..whole)
        && (rest == 0 || one.get(whole).zip(other.get(whole)).is_some_and(|(a, b)| (a ^ b) >> (8 - rest) == 0))
}

fn tun_device() -> Done<()> {
    let Err(error) = std::fs::File::options().read(true).write(true).open(TUN_DEVICE) else { return Ok(()) };
    let failed =
        Failed::new(format!("the lab has TUN or TAP devices, and {TUN_DEVICE} cannot be opened")).because(&error);
    Err(match std::fs::metadata(TUN_DEVICE) {
        Ok(data) => {
            let mode = data.permissions().mode() & 0o7777;
            failed.hint(format!(
                "its mode is {mode:04o}; `sudo chmod 0666 {TUN_DEVICE}` opens it, as most distributions do"
            ))
        }
        Err(_) => failed.hint("`sudo modprobe tun` makes it, if this kernel has the driver (CONFIG_TUN)"),
    })
}

/// Tries the kinds of links that not every kernel has, in a namespace that is thrown away.
///
/// # Errors
/// All that the kernel lacks.
pub fn kinds(walker: &mut Walker, lab: &Lab, makes: &[usize]) -> Done<()> {
    let nodes = makes.iter().filter_map(|at| lab.nodes.get(*at));
    let rare: Vec<(&Node, &Device)> = nodes
        .flat_map(|node| node.devices.iter().map(move |device| (node, device)))
        .filter(|(_, device)| is_rare(device))
        .collect();
    if rare.is_empty() {
        return Ok(());
    }
    in_scratch(walker, |socket| {
        let mut tried: Vec<&str> = Vec::new();
        let mut lacks = Vec::new();
        for (node, device) in rare {
            let (kind, option, link) = sample(device);
            if tried.contains(&option) {
                continue;
            }
            tried.push(option);
            if let Err(error) = socket.request(&Request::new_link(&link, Create::Exclusive)) {
                let what = format!("this kernel cannot make `{}` in `{}`: {kind}", device.name, node.name);
                lacks.push(Failed::new(what).refused(&error).at(device.span).hint(match module(kind) {
                    Some(module) => {
                        format!("the kernel needs {option}; `sudo modprobe {module}` loads it where it is a module")
                    }
                    None => format!("the kernel needs {option}, which is part of it or is not: no module has it"),
                }));
            }
        }
        Failed::all(lacks).map_or(Ok(()), Err)
    })
}

fn is_rare(device: &Device) -> bool {
    match device.kind {
        DeviceKind::Veth { .. } | DeviceKind::Tuntap { .. } => false,
        DeviceKind::Bridge { vlan_aware, .. } => vlan_aware,
        _ => true,
    }
}

/// Returns the module that makes a kind of links, where one does.
fn module(kind: &str) -> Option<&str> {
    match kind {
        "vlan" => Some("8021q"),
        AWARE_BRIDGE => None,
        kind => Some(kind),
    }
}

/// What a bridge is that needs more of the kernel than bridges.
const AWARE_BRIDGE: &str = "bridge that tells VLANs apart";

/// Returns what a device is, the kernel's option for it, and a link like it for a namespace that has but `lo`.
fn sample(device: &Device) -> (&'static str, &'static str, Link) {
    let mut link = Link { ifname: IfName::new("sample").ok(), ..Link::default() };
    match &device.kind {
        DeviceKind::Vlan { .. } => {
            link.link = Some(1);
            link.set_kind("vlan", Some(Vlan { id: Some(2), ..Vlan::default() }.into()));
            link.ifname = IfName::new("sample-vlan").ok();
            ("vlan", "CONFIG_VLAN_8021Q", link)
        }
        DeviceKind::Vxlan { .. } => {
            link.set_kind("vxlan", Some(Vxlan { id: Some(1), port: Some(4789), ..Vxlan::default() }.into()));
            link.ifname = IfName::new("sample-vxlan").ok();
            ("vxlan", "CONFIG_VXLAN", link)
        }
        DeviceKind::Macvlan { tap, .. } => {
            let kind = if *tap { "macvtap" } else { "macvlan" };
            link.link = Some(SAMPLE_PARENT);
            link.set_kind(kind, Some(Macvlan { mode: Some(4), ..Macvlan::default() }.into()));
            link.ifname = IfName::new(format!("sample-{kind}")).ok();
            if *tap { ("macvtap", "CONFIG_MACVTAP", link) } else { ("macvlan", "CONFIG_MACVLAN", link) }
        }
        DeviceKind::Bridge { .. } => {
            let data = vwire_netlink::wire::link::bridge::Bridge { vlan_filtering: Some(1), ..Default::default() };
            link.set_kind("bridge", Some(data.into()));
            link.ifname = IfName::new("sample-br").ok();
            (AWARE_BRIDGE, "CONFIG_BRIDGE_VLAN_FILTERING", link)
        }
        _ => {
            link.set_kind("dummy", None);
            link.ifname = IfName::new("sample-dummy").ok();
            ("dummy", "CONFIG_DUMMY", link)
        }
    }
}

/// The index of the bridge that samples stand on.
const SAMPLE_PARENT: u32 = 2;

/// Returns whether the kernel has `netem`.
pub fn has_netem(walker: &mut Walker) -> bool {
    let tried = in_scratch(walker, |socket| {
        let qdisc = Qdisc::root(SAMPLE_PARENT).with_netem(&Netem { limit: 1000, ..Netem::default() });
        Ok(socket.request(&Request::new_qdisc(&qdisc, Create::OrReplace)).is_ok())
    });
    tried.unwrap_or(false)
}

/// Returns the values that sysctls have in a new namespace; of a device, those that a new one gets.
///
/// # Errors
/// No namespace can be made.
pub fn fresh_sysctls(walker: &mut Walker, names: &[&String]) -> Done<BTreeMap<String, String>> {
    in_scratch(walker, |_| {
        let mut fresh = BTreeMap::new();
        for name in names {
            let read = sysctl::read_if_there(&of_new_device(name)).map_err(|error| {
                Failed::new(format!("cannot tell what `{name}` is in a new namespace")).because(&error)
            })?;
            fresh.extend(read.map(|value| ((*name).clone(), value)));
        }
        Ok(fresh)
    })
}

/// Returns the sysctl that says what a new device gets where the one asked for is a device's.
pub fn of_new_device(name: &str) -> String {
    let mut parts: Vec<&str> = name.split('.').collect();
    if let Some(at) = parts.iter().position(|part| matches!(*part, "conf" | "neigh"))
        && let Some(device) = parts.get_mut(at + 1)
        && *device != "all"
    {
        *device = "default";
    }
    parts.join(".")
}

/// Runs something with a socket in a namespace that has `lo` and a bridge and is gone afterwards.
fn in_scratch<T>(walker: &mut Walker, body: impl FnOnce(&mut Socket) -> Done<T>) -> Done<T> {
    let failed = |error: std::io::Error| Failed::new("cannot make a namespace to try things in").because(&error);
    walker.make().map_err(failed)?;
    let mut result = Err(Failed::new("cannot open a socket"));
    if let Ok(mut socket) = Socket::open() {
        let mut parent = Link { index: SAMPLE_PARENT, ifname: IfName::new("sample-parent").ok(), ..Link::default() };
        parent.set_kind("bridge", None);
        let _ = socket.request(&Request::new_link(&parent, Create::Exclusive));
        result = body(&mut socket);
    }
    walker.go_home().map_err(failed)?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_overlap_where_the_shorter_prefix_is_the_same() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(overlaps(address("10.0.0.1"), address("10.0.1.7"), 16));
        assert!(!overlaps(address("10.0.0.1"), address("10.0.1.7"), 24));
        assert!(overlaps(address("10.0.0.1"), address("192.168.0.1"), 0));
        assert!(!overlaps(address("fe80::1"), address("fe80::2"), 64));
        assert!(overlaps(address("10.0.0.129"), address("10.0.0.255"), 25));
        assert!(!overlaps(address("10.0.0.129"), address("10.0.0.1"), 25));
    }
}
