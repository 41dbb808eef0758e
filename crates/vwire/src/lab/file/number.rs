//! Gives automatic addresses: from the first of a prefix on, in the order of the file, none that is given already. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::draft::Draft;
use super::problem::{Report, Trouble, quoted};
use super::text::Text;
use super::unit;
use super::wire::Automatic;
use crate::lab::model::{Interface, Prefix};

/// Gives each attachment that wants one an address of each prefix.
pub(crate) fn number(report: &mut Report<'_>, draft: &mut Draft<'_>) {
    let mut used = given(draft);
    let mut next: BTreeMap<(usize, IpAddr, u8), u128> = BTreeMap::new();
    // Those of the bridges themselves come first: they were made before any wire.
    for index in 0..draft.attachments.len() {
        let Some(attachment) = draft.attachments.get(index) else { return };
        let (node, device, span) = (attachment.node, attachment.device, attachment.span);
        let (prefixes, automatic) = (attachment.prefixes.clone(), attachment.automatic);
        let segment = draft.whole_segment(attachment.segment);
        if automatic == Automatic::Wanted && prefixes.is_empty() {
            let trouble = Trouble::new(span, "there is no prefix to take an automatic address from");
            report.error(trouble.label("a `prefix` for the bridge or the wire, or an address here"));
            continue;
        }
        for prefix in prefixes.into_iter().filter(|_| automatic != Automatic::Never) {
            let Some(device) = draft.nodes.get_mut(node).and_then(|node| node.node.devices.get_mut(device)) else {
                return;
            };
            let same_family = |known: &Interface| known.address.is_ipv4() == prefix.address.is_ipv4();
            if automatic == Automatic::Perhaps && device.addresses.iter().any(same_family) {
                continue;
            }
            let place = next.entry((segment, prefix.address, prefix.length)).or_insert(0);
            let taken = used.entry(segment).or_default();
            match free(prefix, place, taken) {
                Some(address) => {
                    taken.insert(address);
                    device.addresses.push(Interface { address, prefix_length: prefix.length, peer: None });
                }
                None => {
                    let shown = format!("{}/{}", prefix.address, prefix.length);
                    let trouble = Trouble::new(span, format!("{} has no address left", quoted(&shown)));
                    return report.error(trouble.label("for this end").hint("a prefix of a shorter length has more"));
                }
            }
        }
    }
}

/// Finds the next free address of a prefix that a device can have.
fn free(prefix: Prefix, place: &mut u128, taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
    let size = unit::size(prefix);
    // A network of two addresses uses both (RFC 3021, RFC 6164); else the first is the network's, the last for all.
    let (first, last) = if size <= 1 { (0, size) } else { (1, size - u128::from(prefix.address.is_ipv4())) };
    *place = (*place).max(first);
    while *place <= last {
        let address = unit::address_of(unit::number(prefix.address) + *place, prefix.address)?;
        *place += 1;
        if !taken.contains(&address) {
            return Some(address);
        }
    }
    None
}

/// Gathers the addresses that the file gives, by network, those of gateways among them.
fn given(draft: &Draft<'_>) -> BTreeMap<usize, BTreeSet<IpAddr>> {
    let mut used: BTreeMap<usize, BTreeSet<IpAddr>> = BTreeMap::new();
    for attachment in &draft.attachments {
        let segment = draft.whole_segment(attachment.segment);
        let node = draft.nodes.get(attachment.node);
        let device = node.and_then(|node| node.node.devices.get(attachment.device));
        let addresses = device.into_iter().flat_map(|device| &device.addresses).map(|interface| interface.address);
        used.entry(segment).or_default().extend(addresses);
    }
    for bridge in &draft.bridges {
        let texts: Vec<Text<'_>> = bridge.layers.iter().flat_map(|layers| layers.texts("gateway")).collect();
        let gateways = texts.iter().filter_map(|text| text.as_str().parse::<IpAddr>().ok());
        used.entry(draft.whole_segment(bridge.segment)).or_default().extend(gateways);
    }
    used
}
