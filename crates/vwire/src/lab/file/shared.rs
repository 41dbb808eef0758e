//! Devices that stand on another one and send by its cable: they are on its network, as what it is wired to is. Pure.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::short::short_name;
use crate::lab::model::DeviceKind;

/// Puts each macvlan on the network that its parent is on; those on a device that the lab does not make are on one.
pub(crate) fn share(draft: &mut Draft<'_>) {
    let mut attached: BTreeMap<(usize, String), usize> = BTreeMap::new();
    for (index, at) in draft.attachments.iter().enumerate() {
        let device = draft.nodes.get(at.node).and_then(|node| node.node.devices.get(at.device));
        attached.extend(device.map(|device| ((at.node, device.name.clone()), index)));
    }
    for index in 0..draft.attachments.len() {
        let Some(at) = draft.attachments.get(index) else { return };
        let device = draft.nodes.get(at.node).and_then(|node| node.node.devices.get(at.device));
        let Some(DeviceKind::Macvlan { parent, .. }) = device.map(|device| &device.kind) else { continue };
        let place = parent.node.as_ref().map_or(Some(at.node), |node| draft.node_of(node));
        let Some(place) = place else { continue };
        let below = *attached.entry((place, short_name(&parent.device))).or_insert(index);
        let Some((segment, vlan)) = draft.attachments.get(below).map(|below| (below.segment, below.vlan)) else {
            continue;
        };
        let own = at.segment;
        draft.join_segments(own, segment);
        if let Some(own) = draft.attachments.get_mut(index) {
            own.vlan = vlan;
        }
    }
}

#[cfg(test)]
mod tests {
    fn warnings(addresses: [&str; 2]) -> Vec<String> {
        let [one, other] = addresses;
        let text = format!(
            "nodes = ['b']\nwires = ['a:eth0 10.0.0.1/24 -- b 10.0.0.2/24']\n\
             [node.a.macvlan.m1]\nparent = 'eth0'\naddress = '{one}'\n\
             [node.a.macvlan.m2]\nparent = 'eth0'\naddress = '{other}'\n"
        );
        match super::super::read(&text, "x.toml") {
            Ok((_, warnings)) => warnings.iter().map(|one| one.render(false, 100)).collect(),
            Err(problems) => problems.iter().map(|one| format!("error: {}", one.render(false, 100))).collect(),
        }
    }

    #[test]
    fn macvlans_are_on_the_cable_of_their_parent() {
        assert_eq!(warnings(["10.0.0.11/24", "10.0.0.12/24"]), [""; 0]);
        assert!(warnings(["10.0.0.11/24", "10.0.0.2/24"])[0].starts_with("error: "));
        assert!(warnings(["10.0.0.11/24", "10.9.0.1/24"])[0].contains("nobody else on this cable is in 10.9.0.0/24"));
    }

    #[test]
    fn who_is_behind_a_device_of_the_machine_is_not_known() {
        let text = "[node.a.macvlan.m1]\nparent = 'host:c0'\naddress = '10.0.0.1/24'\n\
                    [node.b.macvlan.m1]\nparent = 'host:c0'\naddress = '10.9.0.1/24'\n";
        assert_eq!(super::super::read(text, "x.toml").unwrap().1.len(), 0);
    }
}
