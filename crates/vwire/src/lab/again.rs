//! What is there already and stays: what it must be told to be as if it were new. Pure.
//!
//! A lab that another one became is to be as from nothing. A new device has by itself what its kind, its node and its
//! place among others give it; one that stays has what the file before has said, and must be told.

use std::collections::BTreeSet;

use vwire_netlink::wire::link::KindData;
use vwire_netlink::{Link, LinkAddress, Rule};

use super::compile::{IMPLIED, has_ipv6};
use super::model::{Device, DeviceKind, Lab, Node};
use crate::step::part;

/// `IN6_ADDR_GEN_MODE_EUI64`, and `IN6_ADDR_GEN_MODE_NONE`.
const GEN_MODES: [u8; 2] = [0, 1];
/// `IFF_UP`.
const UP: u32 = 1;
/// `IFF_NOARP`.
const NOARP: u32 = 0x80;
/// `IF_OPER_UNKNOWN`.
const OPER_UNKNOWN: u8 = 0;
/// `IF_OPER_UP`.
const OPER_UP: u8 = 6;
/// `AF_INET`, and `AF_INET6`.
const FAMILIES: [u8; 2] = [2, 10];
/// The priority of table `main`.
const RULE_MAIN: u32 = 32766;
/// The least MTU with which a device has IPv6 at all (`IPV6_MIN_MTU`).
const LEAST_OF_IPV6: u32 = 1280;
/// The MTU of an Ethernet.
const ETHERNET: u32 = 1500;
/// What a VXLAN puts before a frame: Ethernet, UDP, its own header, and that of IPv4 or IPv6.
const VXLAN_HEAD: [u32; 2] = [50, 70];
/// How many devices may stand on one another; the kernel allows 8 (`MAX_NEST_DEV`).
pub(super) const DEEPEST: usize = 8;

/// Says of a link that is there already what a new one would have by itself.
pub(super) fn as_new(link: &mut Link, there: &Link, lab: &Lab, node: &Node, device: &Device) {
    if matches!(device.kind, DeviceKind::Bridge { .. }) {
        link.mtu = link.mtu.or_else(|| Some(mtu_of_bridge(lab, node, &device.name)));
    }
    if let Some(mode) = gen_mode(link, there, node).filter(|mode| !is_made_up_now(*mode, there)) {
        link.set_addr_gen_mode(mode);
    }
    part::complete(link);
    let data = link.linkinfo.as_mut().and_then(|info| info.data.as_mut());
    if let (Some(KindData::Bridge(bridge)), Some(KindData::Bridge(there))) = (data, there.kind_data())
        && bridge.vlan_filtering.is_none()
        && there.vlan_filtering == Some(1)
    {
        bridge.vlan_filtering = Some(0);
    }
}

/// Returns whether a link makes up an address as soon as it may: only its sysctl does that, and netlink sets but the mode.
fn is_made_up_now(mode: u8, there: &Link) -> bool {
    let carries = there.flags & UP != 0 && there.operstate.is_none_or(|state| matches!(state, OPER_UNKNOWN | OPER_UP));
    mode == GEN_MODES[0] && there.addr_gen_mode() != Some(mode) && carries
}

/// Returns how a link that is there is to make up IPv6 addresses, where that is the node's to say.
fn gen_mode(link: &Link, there: &Link, node: &Node) -> Option<u8> {
    let may_be = link.mtu.is_none_or(|mtu| mtu >= LEAST_OF_IPV6);
    let is_asked = IMPLIED.iter().any(|name| node.sysctls.contains_key(*name));
    there.addr_gen_mode().filter(|_| may_be && !node.is_host && !is_asked)?;
    Some(GEN_MODES[usize::from(!has_ipv6(node))])
}

/// Returns the sysctls by which a link that is there becomes one that makes up IPv6 addresses, or does no more.
pub(super) fn sysctls(link: &Link, there: &Link, node: &Node, device: &Device) -> Vec<(String, String)> {
    let is_same = link.kind() == there.kind();
    let changes = |mode: &u8| is_same && there.addr_gen_mode() != Some(*mode);
    let Some(mode) = gen_mode(link, there, node).filter(changes) else { return Vec::new() };
    let name = |what: &str| format!("net.ipv6.conf.{}.{what}", device.name.replace('.', "/"));
    let own = |what: &str| (name(what), mode.to_string());
    // Where nobody asks for neighbours, the kernel looks for no duplicates anyway.
    let mut own_sysctls = if there.flags & NOARP == 0 { vec![own("accept_dad")] } else { Vec::new() };
    if is_made_up_now(mode, there) {
        // Behind the other: it makes addresses up.
        own_sysctls.push(own("addr_gen_mode"));
    }
    own_sysctls
}

/// Gives a link another address than the one that the file gives to another now.
pub(super) fn yield_address(link: &mut Link, lab: &str, node: &str) {
    if !matches!(link.kind(), Some("veth" | "macvlan" | "macvtap" | "vxlan" | "tun")) {
        return;
    }
    let name = link.ifname.map(|name| name.to_string()).unwrap_or_default();
    let text = format!("{lab}:{node}:{name}");
    // FNV-1a, of 64 bits.
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let [_, _, one, two, three, four, five, six] = hash.to_be_bytes();
    // Local, and not a group's.
    link.address = Some(LinkAddress::from([one & 0xfc | 2, two, three, four, five, six]));
}

/// Gives rules without a priority one each, by which they are tried in their order, right before table `main`. The kernel's
/// own choice would turn them round: it puts each before all that there are.
pub(super) fn number(rules: &mut [Rule]) {
    for family in FAMILIES {
        let said: BTreeSet<u32> =
            rules.iter().filter(|rule| rule.family == family).filter_map(|rule| rule.priority).collect();
        let mut free = (1..RULE_MAIN).rev().filter(|priority| !said.contains(priority));
        for rule in rules.iter_mut().rev().filter(|rule| rule.family == family && rule.priority.is_none()) {
            rule.priority = free.next();
        }
    }
}

/// Returns the MTU that the kernel gives a new device, where that does not depend on what comes later.
pub(super) fn mtu(lab: &Lab, node: &Node, device: &Device, depth: usize) -> Option<u32> {
    let in_node = |node: &Node, parent: &str| {
        let below = node.devices.iter().find(|own| own.name == *parent).filter(|_| depth < DEEPEST)?;
        below.mtu.or_else(|| mtu(lab, node, below, depth + 1))
    };
    let below = |parent: &str| in_node(node, parent);
    match &device.kind {
        DeviceKind::Veth { .. } | DeviceKind::Tuntap { .. } | DeviceKind::Dummy => Some(ETHERNET),
        DeviceKind::Macvlan { parent, .. } | DeviceKind::Vlan { parent, .. } => match &parent.node {
            Some(other) => in_node(lab.nodes.iter().find(|own| own.name == *other)?, &parent.device),
            None => below(&parent.device),
        },
        DeviceKind::Vxlan { parent: None, .. } => Some(ETHERNET),
        DeviceKind::Vxlan { parent: Some(parent), remote, local, .. } => {
            let is_six = remote.iter().chain(local).any(std::net::IpAddr::is_ipv6);
            below(parent)?.checked_sub(VXLAN_HEAD[usize::from(is_six)])
        }
        DeviceKind::Bridge { .. } => None,
    }
}

/// Returns the MTU of a bridge that is told none: that of its port with the least.
fn mtu_of_bridge(lab: &Lab, node: &Node, bridge: &str) -> u32 {
    let ports = node.devices.iter().filter(|device| device.master.as_deref() == Some(bridge));
    ports.filter_map(|port| port.mtu.or_else(|| mtu(lab, node, port, 0))).min().unwrap_or(ETHERNET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_without_a_priority_are_tried_in_their_order() {
        let rule = |family, priority| Rule { family, priority, ..Rule::default() };
        let mut rules =
            [rule(2, None), rule(2, Some(100)), rule(2, None), rule(10, None), rule(2, Some(32764)), rule(2, None)];
        number(&mut rules);
        let priorities: Vec<u32> = rules.iter().filter_map(|rule| rule.priority).collect();
        assert_eq!(priorities, [32762, 100, 32763, 32765, 32764, 32765]);
    }

    #[test]
    fn a_bridge_has_the_mtu_of_its_least_port() {
        let device = |name: &str, master: Option<&str>, mtu, kind| Device {
            name: name.to_owned(),
            long_name: None,
            kind,
            master: master.map(str::to_owned),
            addresses: Vec::new(),
            mac: None,
            mtu,
            up: true,
            vlans: None,
            condition: None,
            span: Default::default(),
        };
        let bridge = DeviceKind::Bridge { vlan_aware: false, stp: false };
        let mut node = Node { devices: vec![device("br", None, None, bridge)], ..Node::default() };
        assert_eq!(mtu_of_bridge(&Lab::default(), &node, "br"), 1500);
        node.devices.push(device("one", Some("br"), Some(9000), DeviceKind::Dummy));
        assert_eq!(mtu_of_bridge(&Lab::default(), &node, "br"), 9000);
        node.devices.push(device("two", Some("br"), None, DeviceKind::Dummy));
        assert_eq!(mtu_of_bridge(&Lab::default(), &node, "br"), 1500);
    }
}
