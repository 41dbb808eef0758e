//! Gives automatic addresses: from the first of a prefix on, in the order of the file, none that is given already. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::draft::Draft;
use super::problem::{Report, Trouble, quoted};
use super::text::Text;
use super::unit;
use super::wire::Automatic;
use crate::lab::model::{Interface, Prefix, Span};

/// Gives each attachment that wants one an address of each prefix.
pub(crate) fn number(report: &mut Report<'_>, draft: &mut Draft<'_>) {
    let mut used = given(draft);
    let mut next: BTreeMap<(usize, IpAddr, u8), u128> = BTreeMap::new();
    let mut pins: BTreeMap<(usize, IpAddr), Option<IpAddr>> = BTreeMap::new();
    let mut numbered = Vec::new();
    // Those of the bridges themselves come first: they were made before any wire.
    for index in 0..draft.attachments.len() {
        let Some(attachment) = draft.attachments.get(index) else { return };
        let (node, device, span) = (attachment.node, attachment.device, attachment.span);
        let (prefixes, automatic, stands_in) =
            (attachment.prefixes.clone(), attachment.automatic, attachment.stands_in);
        let segment = draft.whole_segment(attachment.segment);
        if automatic == Automatic::Wanted && prefixes.is_empty() {
            let trouble = Trouble::new(span, "there is no prefix to take an automatic address from");
            let trouble = trouble.label("a `prefix` for the bridge or the wire, or an address here");
            report.error(match super::verify::with_prefix(draft, segment) {
                Some(other) => {
                    let name = &other.name;
                    trouble.hint(format!("that of `{name}` is for the ends at `{name}`; this bridge may say the same"))
                }
                None => trouble,
            });
            continue;
        }
        for prefix in prefixes.into_iter().filter(|_| automatic != Automatic::Never || stands_in) {
            let Some(device) = draft.nodes.get_mut(node).and_then(|node| node.node.devices.get_mut(device)) else {
                return;
            };
            let same_family = |known: &&Interface| known.address.is_ipv4() == prefix.address.is_ipv4();
            let own: Vec<IpAddr> = device.addresses.iter().filter(same_family).map(|own| own.address).collect();
            let place = next.entry((segment, prefix.address, prefix.length)).or_insert(0);
            let taken = used.entry(segment).or_default();
            if automatic == Automatic::Never || automatic == Automatic::Perhaps && !own.is_empty() {
                if stands_in {
                    // So that those behind it keep theirs.
                    let mut left = free(prefix, place, taken);
                    taken.extend(left);
                    pins.extend(own.into_iter().map(|pinned| ((segment, pinned), left.take())));
                }
                continue;
            }
            match free(prefix, place, taken) {
                Some(address) => {
                    taken.insert(address);
                    numbered.push((index, device.addresses.len(), prefix));
                    device.addresses.push(Interface { address, prefix_length: prefix.length, peer: None });
                }
                None => return report.error(no_address(span, prefix)),
            }
        }
    }
    for (index, at, prefix) in numbered {
        let Some(attachment) = draft.attachments.get(index) else { return };
        let (segment, span) = (draft.whole_segment(attachment.segment), attachment.span);
        let node = draft.nodes.get_mut(attachment.node);
        let Some(device) = node.and_then(|node| node.node.devices.get_mut(attachment.device)) else { return };
        let Some(interface) = device.addresses.get_mut(at) else { return };
        let is_pinned = |address: IpAddr| pins.contains_key(&(segment, address));
        if !is_pinned(interface.address) {
            continue;
        }
        // One whose address was given to another by hand has that which the other would have had.
        let left = |address: &IpAddr| pins.get(&(segment, *address)).copied().flatten();
        let last = std::iter::successors(Some(interface.address), left).take(pins.len() + 1).last();
        let place = next.entry((segment, prefix.address, prefix.length)).or_insert(0);
        let taken = used.entry(segment).or_default();
        taken.extend(pins.keys().filter(|(of, _)| *of == segment).map(|(_, pinned)| *pinned));
        match last.filter(|last| !is_pinned(*last)).or_else(|| free(prefix, place, taken)) {
            Some(address) => {
                taken.insert(address);
                interface.address = address;
            }
            None => return report.error(no_address(span, prefix)),
        }
    }
}

fn no_address(span: Span, prefix: Prefix) -> Trouble {
    let shown = format!("{}/{}", prefix.address, prefix.length);
    let trouble = Trouble::new(span, format!("{} has no address left", quoted(&shown)));
    trouble.label("for this end").hint("a prefix of a shorter length has more")
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
    // Those that stand instead of one of many are told apart later.
    for attachment in draft.attachments.iter().filter(|attachment| !attachment.stands_in) {
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
