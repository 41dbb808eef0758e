//! VLANs of bridges and their ports. Pure.

use std::collections::BTreeMap;

use vwire_netlink::wire::bridge::{BridgeSpec, VlanInfo};
use vwire_netlink::wire::link::KindData;
use vwire_netlink::{BridgeLink, Link};

use super::difference::Difference;
use super::plan::{Context, Plan, Stage};
use super::{Object, Verb};
use crate::snapshot::state::State;
use crate::step::world::Names;

/// `AF_BRIDGE`.
const AF_BRIDGE: u8 = 7;
/// `BRIDGE_FLAGS_SELF`: the bridge itself, rather than one of its ports.
const SELF: u16 = 2;
/// `BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED`.
const KEPT_FLAGS: u16 = 0x02 | 0x04;
/// `BRIDGE_VLAN_INFO_RANGE_BEGIN`.
const RANGE_BEGIN: u16 = 0x08;
/// `BRIDGE_VLAN_INFO_RANGE_END`.
const RANGE_END: u16 = 0x10;

/// VLANs by their numbers, with their flags.
type Vlans = BTreeMap<u16, u16>;

/// Returns the VLANs of a list in which ranges stand as their two ends.
fn expanded(list: &[VlanInfo]) -> Vlans {
    let mut vlans = Vlans::new();
    let mut begin = None;
    for info in list {
        let first = if info.flags & RANGE_END != 0 { begin.take().unwrap_or(info.vid) } else { info.vid };
        if info.flags & RANGE_BEGIN != 0 {
            begin = Some(info.vid);
        }
        vlans.extend((first..=info.vid).map(|vid| (vid, info.flags & KEPT_FLAGS)));
    }
    vlans
}

/// Returns a list in which VLANs in a row with the same flags stand as a range; the one of untagged packets stands alone.
fn ranges(vlans: &Vlans) -> Vec<VlanInfo> {
    let mut list: Vec<(u16, u16, u16)> = Vec::new();
    for (vid, flags) in vlans {
        match list.last_mut() {
            Some((_, last, same)) if *last + 1 == *vid && *same == *flags && flags & 0x02 == 0 => *last = *vid,
            _ => list.push((*vid, *vid, *flags)),
        }
    }
    let both = |(first, last, flags): (u16, u16, u16)| match first == last {
        true => vec![VlanInfo { flags, vid: first }],
        false => {
            vec![VlanInfo { flags: flags | RANGE_BEGIN, vid: first }, VlanInfo { flags: flags | RANGE_END, vid: last }]
        }
    };
    list.into_iter().flat_map(both).collect()
}

fn vlans_of(state: &State, index: u32) -> Option<Vlans> {
    let link = state.bridge_links.iter().find(|link| link.index == index)?;
    Some(link.af_spec.as_ref().map(|spec| expanded(&spec.vlan_info)).unwrap_or_default())
}

/// The VLAN that the kernel gives a new port, or a new bridge.
///
/// A picture of a kernel that cannot tell VLANs apart says none; a wish need not say the usual one.
fn default_vlans(link: &Link, state: &State, is_picture: bool) -> Vlans {
    let bridge = if link.kind() == Some("bridge") { Some(link) } else { state.link(link.master.unwrap_or(0)) };
    let pvid = bridge.and_then(|bridge| match bridge.kind_data() {
        Some(KindData::Bridge(bridge)) => bridge.vlan_default_pvid,
        _ => None,
    });
    match pvid.unwrap_or(if is_picture { 0 } else { 1 }) {
        0 => Vlans::new(),
        vid => Vlans::from([(vid, KEPT_FLAGS)]),
    }
}

/// One bridge or port whose VLANs differ: its index, what there is, what is wanted.
struct Change {
    index: u32,
    is_bridge: bool,
    now: Vlans,
    wanted: Vlans,
}

fn changes(context: &Context<'_>) -> Vec<Change> {
    let of_one = |link: &BridgeLink| {
        let index = link.index;
        if !context.scope.has_link(context.place, index) {
            return None;
        }
        let wanted = vlans_of(context.wanted, index)?;
        let made = context.wanted.link(index);
        if made.is_some_and(|made| made.kind() != Some("bridge") && made.master.unwrap_or(0) == 0) {
            return None;
        }
        let is_fresh = context.now.link(index).and_then(|now| now.master) != made.and_then(|made| made.master)
            || context.now.link(index).is_none();
        let now = match vlans_of(context.now, index) {
            Some(now) if !is_fresh => now,
            _ => made.map(|link| default_vlans(link, context.wanted, context.is_picture())).unwrap_or_default(),
        };
        let is_bridge = made.or(context.now.link(index)).is_some_and(|link| link.kind() == Some("bridge"));
        (wanted != now).then_some(Change { index, is_bridge, now, wanted })
    };
    context.wanted.bridge_links.iter().filter_map(of_one).collect()
}

fn message(change: &Change, vlans: &Vlans) -> Object {
    let flags = change.is_bridge.then_some(SELF);
    let spec = BridgeSpec { flags, vlan_info: ranges(vlans), ..BridgeSpec::default() };
    Object::Vlans(Box::new(BridgeLink {
        family: AF_BRIDGE,
        index: change.index,
        af_spec: Some(spec),
        ..BridgeLink::default()
    }))
}

/// Adds the steps that bring VLANs to what is wanted.
pub(super) fn plan(context: &Context<'_>, plan: &mut Plan) {
    for change in changes(context) {
        let differ = |one: &Vlans, other: &Vlans| -> Vlans {
            one.iter().filter(|(vid, flags)| other.get(vid) != Some(flags)).map(|(vid, flags)| (*vid, *flags)).collect()
        };
        let gone: Vlans =
            change.now.keys().filter(|vid| !change.wanted.contains_key(vid)).map(|vid| (*vid, 0)).collect();
        if !gone.is_empty() {
            // A new port has the kernel's VLAN only once it is a port.
            plan.object(Stage::VlanComes, context.place, Verb::Delete, message(&change, &gone));
        }
        let come = differ(&change.wanted, &change.now);
        if !come.is_empty() {
            plan.object(Stage::VlanComes, context.place, Verb::Add, message(&change, &come));
        }
    }
}

/// Adds how the VLANs differ from what is wanted.
pub(super) fn differences(context: &Context<'_>, names: &Names, to: &mut Vec<Difference>) {
    let place = context.place;
    for change in changes(context) {
        let object = format!("link {}", names.link(place, change.index));
        let shown = |vlans: &Vlans| Some(super::words::vlans(&ranges(vlans)));
        let (is, should) = (shown(&change.now), shown(&change.wanted));
        to.push(Difference { place, object, attribute: "vlans", is, should });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_written_as_they_are_read() {
        let vlans = Vlans::from([(1, 6), (10, 0), (11, 0), (12, 0), (20, 4)]);
        let list = ranges(&vlans);
        assert_eq!(list.len(), 4);
        assert_eq!(expanded(&list), vlans);
    }
}
