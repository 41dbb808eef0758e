//! Searches a whole lab for mistakes: addresses twice, networks that overlap, ends that share none. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::draft::{BridgeDraft, Draft};
use super::problem::{Report, Trouble, quoted};
use super::unit;
use super::wire::Automatic;
use crate::lab::model::{DeviceKind, Interface, Prefix, Span};

/// The smallest MTU of IPv6.
const SMALLEST_IPV6: u32 = 1280;

/// Reports what is wrong with the lab as a whole.
pub(crate) fn verify(report: &mut Report<'_>, draft: &Draft<'_>) {
    twice_in_a_node(report, draft);
    twice_in_a_network(report, draft);
    macs(report, draft);
    outside(report, draft);
    small(report, draft);
    tunnels(report, draft);
    strangers(report, draft);
    overlaps(report, draft);
    unnumbered(report, draft);
}

/// Warns of ends that get no address, since the prefix of their network is that of another bridge.
fn unnumbered(report: &mut Report<'_>, draft: &Draft<'_>) {
    let mut told = BTreeSet::new();
    for at in draft.attachments.iter().filter(|at| at.automatic == Automatic::Perhaps && at.prefixes.is_empty()) {
        let Some((index, bridge)) = at.bridge.and_then(|index| Some((index, draft.bridges.get(index)?))) else {
            continue;
        };
        if !addresses(draft, at).is_empty() || !told.insert(index) {
            continue;
        }
        if let Some(other) = with_prefix(draft, at.segment) {
            let name = draft.nodes.get(at.node).map(|node| node.node.name.clone()).unwrap_or_default();
            let trouble =
                Trouble::new(at.span, format!("{} gets no address on {}", quoted(&name), quoted(&bridge.name)));
            let label = format!("the `prefix` of {} is for the ends at it", quoted(&other.name));
            report.warning(trouble.label(label).hint(format!(
                "the same `prefix` in `[bridge.{}]` goes on counting, and `none` here says that no address is wanted",
                bridge.name
            )));
        }
    }
}

/// Returns a bridge of a network that has a prefix.
pub(crate) fn with_prefix<'d, 'a>(draft: &'d Draft<'a>, segment: usize) -> Option<&'d BridgeDraft<'a>> {
    let segment = draft.whole_segment(segment);
    draft.bridges.iter().find(|other| !other.prefixes.is_empty() && draft.whole_segment(other.segment) == segment)
}

fn shown(prefix: Prefix) -> String {
    format!("{}/{}", prefix.address, prefix.length)
}

fn twice_in_a_node(report: &mut Report<'_>, draft: &Draft<'_>) {
    for node in &draft.nodes {
        let mut seen: BTreeMap<IpAddr, Span> = BTreeMap::new();
        let devices = node.node.devices.iter().map(|device| (device.span, &device.addresses));
        for (span, addresses) in devices.chain([(node.node.span, &node.node.loopback)]) {
            for interface in addresses {
                if let Some(other) = seen.insert(interface.address, span) {
                    let name = quoted(&node.node.name);
                    let trouble = Trouble::new(span, format!("{name} has {} twice", interface.address));
                    report.error(trouble.label("an address of its own").other(other, "the other is here"));
                }
            }
        }
    }
}

/// The addresses of an attachment.
fn addresses<'d>(draft: &'d Draft<'_>, at: &super::draft::Attachment) -> &'d [Interface] {
    let device = draft.nodes.get(at.node).and_then(|node| node.node.devices.get(at.device));
    device.map_or(&[], |device| device.addresses.as_slice())
}

fn twice_in_a_network(report: &mut Report<'_>, draft: &Draft<'_>) {
    let mut seen: BTreeMap<(usize, u16, IpAddr), (usize, Span)> = BTreeMap::new();
    for at in &draft.attachments {
        let segment = draft.whole_segment(at.segment);
        for interface in addresses(draft, at) {
            let before = seen.insert((segment, at.vlan, interface.address), (at.node, at.span));
            if let Some((node, other)) = before.filter(|(node, _)| *node != at.node) {
                let name = draft.nodes.get(node).map(|node| node.node.name.clone()).unwrap_or_default();
                let message = format!("{} is in use on this network by {}", interface.address, quoted(&name));
                report.error(Trouble::new(at.span, message).label("another address").other(other, "the other is here"));
            }
        }
    }
}

fn macs(report: &mut Report<'_>, draft: &Draft<'_>) {
    let mut seen: BTreeMap<(usize, [u8; 6]), (usize, usize, Span)> = BTreeMap::new();
    for at in &draft.attachments {
        let device = draft.nodes.get(at.node).and_then(|node| node.node.devices.get(at.device));
        let Some(mac) = device.and_then(|device| device.mac.as_ref()?.mac()) else { continue };
        let before = seen.insert((draft.whole_segment(at.segment), mac), (at.node, at.device, at.span));
        if let Some((.., other)) = before.filter(|(node, device, _)| (*node, *device) != (at.node, at.device)) {
            let trouble = Trouble::new(at.span, "this link-layer address is on the same network twice");
            report.error(trouble.label("one of its own").other(other, "the other is here"));
        }
    }
}

/// Refuses an end that is given an address, and none from the prefix of its bridge or wire.
fn outside(report: &mut Report<'_>, draft: &Draft<'_>) {
    for at in draft.attachments.iter().filter(|at| at.automatic != Automatic::Never) {
        let given = addresses(draft, at);
        for prefix in &at.prefixes {
            let mut own = given.iter().filter(|own| own.address.is_ipv4() == prefix.address.is_ipv4()).peekable();
            let Some(first) = own.peek().map(|first| first.address) else { continue };
            if !own.any(|own| unit::holds(*prefix, own.address)) {
                let message = format!("{first} is outside of the prefix that is said for this network");
                let trouble = Trouble::new(at.span, message).label(format!("an address of {}", shown(*prefix)));
                report.error(trouble.hint("`none` beside it says that no address of the prefix is wanted"));
            }
        }
    }
}

/// Refuses an IPv6 address on a device whose packets are too small for IPv6 (RFC 8200, section 5).
fn small(report: &mut Report<'_>, draft: &Draft<'_>) {
    for device in draft.nodes.iter().flat_map(|node| &node.node.devices) {
        let too_small = device.mtu.filter(|mtu| *mtu < SMALLEST_IPV6);
        if let Some(mtu) = too_small.filter(|_| device.addresses.iter().any(|own| own.address.is_ipv6())) {
            let trouble = Trouble::new(device.span, format!("an MTU of {mtu} is too small for its IPv6 address"));
            report.error(trouble.label(format!("at least {SMALLEST_IPV6}, or no IPv6")));
        }
    }
}

/// Refuses two VXLANs of a node that the kernel cannot tell apart.
fn tunnels(report: &mut Report<'_>, draft: &Draft<'_>) {
    for node in &draft.nodes {
        let mut seen = BTreeMap::new();
        for device in &node.node.devices {
            let DeviceKind::Vxlan { vni, remote, local, port, .. } = &device.kind else { continue };
            let is_ipv4 = remote.first().or(local.as_ref()).is_none_or(IpAddr::is_ipv4);
            if let Some(other) = seen.insert((*vni, *port, is_ipv4), device.span) {
                let message = format!("{} has a VXLAN with this number and port already", quoted(&node.node.name));
                let trouble = Trouble::new(device.span, message).label("another `vni` or `port`");
                report.error(trouble.other(other, "the other is here"));
            }
        }
    }
}

/// Warns of an end whose network nobody else on the same cable is in.
fn strangers(report: &mut Report<'_>, draft: &Draft<'_>) {
    let mut by_network: BTreeMap<(usize, u16, bool), Vec<(Prefix, Span)>> = BTreeMap::new();
    for at in &draft.attachments {
        for interface in addresses(draft, at).iter().filter(|interface| interface.peer.is_none()) {
            let key = (draft.whole_segment(at.segment), at.vlan, interface.address.is_ipv4());
            by_network.entry(key).or_default().push((unit::network(interface), at.span));
        }
    }
    let open = open_segments(draft);
    let known = by_network.iter().filter(|((segment, ..), networks)| networks.len() > 1 && !open.contains(segment));
    for (_, networks) in known {
        let mut counts: BTreeMap<(IpAddr, u8), usize> = BTreeMap::new();
        for (network, _) in networks {
            *counts.entry((network.address, network.length)).or_default() += 1;
        }
        let most = counts.iter().max_by_key(|(_, count)| **count).map(|(network, _)| *network);
        let Some((address, length)) = most.filter(|_| counts.len() > 1) else { continue };
        for (network, span) in networks {
            let alone = counts.get(&(network.address, network.length)) == Some(&1);
            if alone && (network.address, network.length) != (address, length) {
                let others = shown(Prefix { address, length });
                let message = format!("nobody else on this cable is in {}", shown(*network));
                report.warning(Trouble::new(*span, message).label(format!("the others are in {others}")));
            }
        }
    }
}

/// Returns the networks that go on behind a device of the machine itself: who is there is not known.
fn open_segments(draft: &Draft<'_>) -> BTreeSet<usize> {
    let is_open = |at: &&super::draft::Attachment| {
        let device = draft.nodes.get(at.node).and_then(|node| node.node.devices.get(at.device));
        let Some(DeviceKind::Macvlan { parent, .. }) = device.map(|device| &device.kind) else { return false };
        let below = parent.node.as_ref().and_then(|node| draft.nodes.get(draft.node_of(node)?));
        let name = super::short::short_name(&parent.device);
        below.is_some_and(|node| node.node.is_host && node.node.devices.iter().all(|device| device.name != name))
    };
    draft.attachments.iter().filter(is_open).map(|at| draft.whole_segment(at.segment)).collect()
}

/// Warns of a node with one network on two cables: it sends by one of them only.
fn overlaps(report: &mut Report<'_>, draft: &Draft<'_>) {
    let mut by_node: BTreeMap<usize, Vec<(Prefix, usize, u16, Span)>> = BTreeMap::new();
    for at in &draft.attachments {
        for interface in addresses(draft, at).iter().filter(|interface| interface.peer.is_none()) {
            let network = unit::network(interface);
            let segment = draft.whole_segment(at.segment);
            by_node.entry(at.node).or_default().push((network, segment, at.vlan, at.span));
        }
    }
    for (node, mut networks) in by_node {
        // Sorted by address, a network that holds another stands before it with nothing but its own parts between.
        networks.sort_by_key(|(network, ..)| (network.address, network.length));
        for pair in networks.windows(2) {
            let [(one, segment, vlan, other), (two, segment2, vlan2, span)] = pair else { continue };
            let same_cable = (segment, vlan) == (segment2, vlan2);
            if one.length > 0 && unit::holds(*one, two.address) && !same_cable && two.length < unit::bits(two.address) {
                let name = draft.nodes.get(node).map(|node| node.node.name.clone()).unwrap_or_default();
                let message = format!("{} has {} and {} on two cables", quoted(&name), shown(*one), shown(*two));
                let trouble = Trouble::new(*span, message).label("it sends by one of the two only");
                report.warning(trouble.other(*other, "the other is here"));
            }
        }
    }
}
