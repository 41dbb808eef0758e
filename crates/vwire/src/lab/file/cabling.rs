//! Makes veth pairs of wires, with the devices' names and the bridges that come to be by them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::Conditions;
use super::draft::{Attachment, Draft, MOST_OBJECTS, Place};
use super::layers::Layers;
use super::problem::{Report, Trouble, quoted};
use super::text::{Value, Word};
use super::wire::{self, Automatic, End, Wire};
use crate::lab::model::DeviceKind;
use crate::lab::nearest::nearest;

/// Reads all wires and makes their devices.
pub(crate) fn lay(report: &mut Report<'_>, draft: &mut Draft<'_>, known: &Conditions) {
    let mut values: Vec<&Value<'_>> = draft.file.several("wires");
    values.extend(draft.file.several("wire"));
    values.sort_by_key(|value| value.span().start);
    let mut wires: Vec<(Wire, [Place; 2])> = Vec::new();
    for value in values {
        if wires.len() > MOST_OBJECTS / 2 {
            let trouble =
                Trouble::new(super::text::span_of(value), format!("a lab has at most {MOST_OBJECTS} devices"));
            return report.error(trouble.label("this wire is one too many"));
        }
        for wire in expand(report, draft, value, known) {
            let [left, right] = &wire.ends;
            let places = (place(report, draft, left), place(report, draft, right));
            let (Some(left), Some(right)) = places else { continue };
            for (end, place) in wire.ends.iter().zip([left, right]) {
                if let Some(device) = &end.device {
                    draft.reserve(node_of(draft, place), device);
                }
            }
            wires.push((wire, [left, right]));
        }
    }
    for (wire, places) in instead(draft, wires) {
        connect(report, draft, &wire, places);
    }
    lonely(report, draft);
}

/// Reads a wire, as often as the counted node in it says.
fn expand<'a>(report: &mut Report<'_>, draft: &Draft<'a>, value: &'a Value<'a>, known: &Conditions) -> Vec<Wire> {
    let numbered = |number| Layers::new(Vec::new(), draft.file.file(), number);
    let Some(first) = report.take(wire::wire(value, &numbered(Some(1)), known)) else { return Vec::new() };
    let sizes = first.ends.iter().filter_map(|end| draft.groups.get(&end.name).map(Vec::len));
    let sizes: Vec<usize> = sizes.collect();
    let size = match sizes.as_slice() {
        [] => return report.take(wire::wire(value, &numbered(None), known)).into_iter().collect(),
        [one] => *one,
        [one, other, ..] if one == other => *one,
        [one, other, ..] => {
            let message = format!("one end stands for {one} nodes, the other for {other}");
            report.error(Trouble::new(first.span, message).label("the same count, or one bridge between them"));
            return Vec::new();
        }
    };
    let count = u32::try_from(size).unwrap_or(0);
    let read = (1..=count).map_while(|number| {
        let mut wire = report.take(wire::wire(value, &numbered(Some(number)), known))?;
        wire.is_of_many = true;
        for end in wire.ends.iter_mut().filter(|end| draft.groups.contains_key(&end.name)) {
            end.name = format!("{}{number}", end.name);
        }
        Some(wire)
    });
    read.collect()
}

/// Puts a wire of one node of many, which names no device of it, in the place of the one that the line for all of them
/// makes from there to the same other end.
fn instead(draft: &Draft<'_>, wires: Vec<(Wire, [Place; 2])>) -> Vec<(Wire, [Place; 2])> {
    let many: BTreeSet<usize> = draft.groups.values().flatten().copied().collect();
    let is_one = |place: &Place| matches!(place, Place::Node(node) if many.contains(node));
    let key = |places: &[Place; 2]| (places[0].min(places[1]), places[0].max(places[1]));
    let mut of_many: BTreeMap<(Place, Place), Vec<usize>> = BTreeMap::new();
    for (index, (wire, places)) in wires.iter().enumerate() {
        if wire.is_of_many {
            of_many.entry(key(places)).or_default().push(index);
        }
    }
    let mut slots: Vec<Option<(Wire, [Place; 2])>> = wires.into_iter().map(Some).collect();
    for index in 0..slots.len() {
        let Some((wire, places)) = slots[index].take_if(|(wire, places)| !wire.is_of_many && places.iter().any(is_one))
        else {
            continue;
        };
        let side = |of: &[Place; 2], place: Place| if of[0] == place { 0 } else { 1 };
        let device = |at: &usize, place: Place| {
            let (wire, places) = slots[*at].as_ref()?;
            Some(wire.ends[side(places, place)].device.clone())
        };
        let fits = |at: &usize| {
            (0..2).all(|own| {
                let named = &wire.ends[own].device;
                named.is_none() || device(at, places[own]).is_some_and(|other| other == *named)
            })
        };
        let rivals = of_many.get_mut(&key(&places));
        let found = rivals.and_then(|rivals| Some(rivals.remove(rivals.iter().position(fits)?)));
        let (mut wire, at) = (wire, found.unwrap_or(index));
        if found.is_some() {
            for (own, place) in places.iter().enumerate() {
                let inherited = device(&at, *place).flatten();
                let end = &mut wire.ends[own];
                end.device = end.device.take().or(inherited);
                end.stands_in = is_one(place);
            }
        }
        slots[at] = Some((wire, places));
    }
    slots.into_iter().flatten().collect()
}

/// Finds what a name on a wire stands for; one that nothing has is a bridge from now on.
fn place(report: &mut Report<'_>, draft: &mut Draft<'_>, end: &End) -> Option<Place> {
    if let Some(place) = draft.places.get(&end.name) {
        return Some(*place);
    }
    let nothing = Layers::new(Vec::new(), draft.file.file(), None);
    if end.name == "host" {
        return draft.add_node(report, "host", end.name_span, nothing).map(Place::Node);
    }
    if !end.addresses.is_empty() || end.automatic == Automatic::Wanted || end.mac.is_some() {
        let word = Word { text: &end.name, span: end.name_span };
        let hint = format!("if a bridge is meant, its address is said by `[bridge.{}]`", end.name);
        report.error(draft.no_node(word).hint(hint));
        return None;
    }
    let node = draft.add_node(report, &end.name, end.name_span, nothing)?;
    if let Some(draft) = draft.nodes.get_mut(node) {
        draft.node.is_bridge = true;
    }
    draft.add_bridge(report, &end.name, end.name_span, node, None).map(Place::Bridge)
}

fn node_of(draft: &Draft<'_>, place: Place) -> usize {
    match place {
        Place::Node(node) => node,
        Place::Bridge(bridge) => draft.bridges.get(bridge).map_or(0, |bridge| bridge.node),
    }
}

fn segment_of(draft: &Draft<'_>, bridge: usize) -> usize {
    draft.bridges.get(bridge).map_or(0, |bridge| bridge.segment)
}

/// Chooses the name of a device at an end that names none.
fn device_name(draft: &mut Draft<'_>, end: &End, place: Place, far: &End) -> String {
    if let Some(device) = &end.device {
        return device.clone();
    }
    let node = node_of(draft, place);
    let is_host = draft.nodes.get(node).is_some_and(|draft| draft.node.is_host);
    let base = match place {
        Place::Node(_) if !is_host => return draft.numbered(node, "eth", 0),
        Place::Node(_) => format!("{}-{}", draft.lab, far.name),
        Place::Bridge(_) if is_host => format!("{}-{}", draft.lab, far.name),
        Place::Bridge(_) => far.name.clone(),
    };
    match &far.device {
        _ if draft.is_free(node, &base) => base,
        Some(device) if draft.is_free(node, &format!("{base}-{device}")) => format!("{base}-{device}"),
        _ => draft.numbered(node, &format!("{base}-"), 2),
    }
}

/// Makes the two devices of a wire.
fn connect(report: &mut Report<'_>, draft: &mut Draft<'_>, wire: &Wire, places: [Place; 2]) {
    let [left, right] = &wire.ends;
    let [at_left, at_right] = places;
    if at_left == at_right && matches!(at_left, Place::Bridge(_)) {
        let trouble = Trouble::new(wire.span, format!("both ends are at the bridge {}", quoted(&left.name)));
        return report.error(trouble.label("packets would go in a circle"));
    }
    for (end, place) in wire.ends.iter().zip(places) {
        if let Err(trouble) = fits(draft, end, place) {
            return report.error(trouble);
        }
    }
    let left_name = device_name(draft, left, at_left, right);
    // The first name is taken before the second is chosen: both ends may be at one node.
    let (left_node, right_node) = (node_of(draft, at_left), node_of(draft, at_right));
    draft.reserve(left_node, &left_name);
    let right_name = device_name(draft, right, at_right, left);
    let names = [&left_name, &right_name];
    let nodes = [left_node, right_node];
    let node_names = nodes.map(|node| draft.nodes.get(node).map(|draft| draft.node.name.clone()).unwrap_or_default());
    let segment = match (at_left, at_right) {
        (Place::Bridge(one), Place::Bridge(other)) => {
            let (one, other) = (segment_of(draft, one), segment_of(draft, other));
            draft.join_segments(one, other);
            one
        }
        (Place::Bridge(bridge), _) | (_, Place::Bridge(bridge)) => segment_of(draft, bridge),
        _ => draft.new_segment(),
    };
    for (side, far) in [(0, 1), (1, 0)] {
        let (end, place, name, node) = (&wire.ends[side], places[side], names[side], nodes[side]);
        let kind = DeviceKind::Veth { node: node_names[far].clone(), device: super::short::short_name(names[far]) };
        let mut device = draft.device(name, kind, end.span);
        device.addresses = end.addresses.clone();
        device.mac = end.mac;
        device.mtu = end.mtu.or(wire.mtu);
        device.up = !end.down;
        device.vlans = end.vlans.clone();
        device.condition = wire.conditions[side];
        if let Place::Bridge(bridge) = place {
            device.master = draft.bridges.get(bridge).map(|bridge| super::short::short_name(&bridge.device));
            draft.add_port(report, bridge, wire.span, end.vlans.is_some());
        }
        let Some(index) = draft.add_device(report, node, name, device) else { return };
        if let Place::Node(_) = place {
            let bridge = if let Place::Bridge(bridge) = places[far] { Some(bridge) } else { None };
            attach(draft, wire, end, &wire.ends[far], (node, index, segment, bridge));
        }
    }
}

/// Notes the network that a node's end is in.
fn attach(draft: &mut Draft<'_>, wire: &Wire, end: &End, far: &End, at: (usize, usize, usize, Option<usize>)) {
    let (node, device, segment, bridge) = at;
    let of_bridge = bridge.and_then(|bridge| draft.bridges.get(bridge)).map(|bridge| bridge.prefixes.clone());
    let prefixes = if wire.prefixes.is_empty() { of_bridge.unwrap_or_default() } else { wire.prefixes.clone() };
    let vlan = far.vlans.as_ref().and_then(|vlans| vlans.access).unwrap_or(1);
    let (automatic, stands_in, span) = (end.automatic, end.stands_in, end.span);
    draft.attachments.push(Attachment { node, device, segment, vlan, bridge, prefixes, automatic, stands_in, span });
}

/// Refuses what does not belong to this sort of end.
fn fits(draft: &Draft<'_>, end: &End, place: Place) -> Result<(), Trouble> {
    match place {
        Place::Bridge(bridge) => {
            let name = draft.bridges.get(bridge).map(|bridge| bridge.name.clone()).unwrap_or_default();
            if !end.addresses.is_empty() || end.automatic == Automatic::Wanted {
                let message = format!("{} is a bridge, whose ports have no addresses", quoted(&name));
                let hint = format!("the bridge's own address is said by `[bridge.{name}]` and `address = \"…\"`");
                return Err(Trouble::new(end.span, message).label("no address here").hint(hint));
            }
            Ok(())
        }
        Place::Node(_) if end.vlans.is_some() => {
            let message = format!("{} is a node, and VLANs are told apart by bridges", quoted(&end.name));
            Err(Trouble::new(end.span, message).label("`vlan` and `trunk` stand behind a bridge's name"))
        }
        Place::Node(_) => Ok(()),
    }
}

/// Warns of a bridge that a slip of the pen may have made.
fn lonely(report: &mut Report<'_>, draft: &Draft<'_>) {
    for bridge in draft.bridges.iter().filter(|bridge| bridge.layers.is_none()) {
        let nodes = draft.nodes.iter().filter(|draft| !draft.node.is_bridge).map(|draft| draft.node.name.as_str());
        let others = draft.bridges.iter().filter(|other| other.name != bridge.name).map(|other| other.name.as_str());
        let names = nodes.chain(others).chain(draft.groups.keys().map(String::as_str));
        let meant = nearest(&bridge.name, names).filter(|_| bridge.name.len() > 3);
        let trouble = |message: String| Trouble::new(bridge.span, message);
        match meant {
            Some(meant) if bridge.ports < 2 => report.warning(
                trouble(format!("{} is no node, and so a bridge with one wire", quoted(&bridge.name)))
                    .label(format!("did you mean `{meant}`?")),
            ),
            _ if bridge.ports < 2 => report.warning(
                trouble(format!("{} is no node, and so a bridge with one wire", quoted(&bridge.name))).label(format!(
                    "a bridge that is meant has a table `[bridge.{}]`, a node is named by `nodes`",
                    bridge.name
                )),
            ),
            _ => {}
        }
    }
}
