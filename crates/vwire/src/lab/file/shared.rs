//! Devices that stand on another one and send by its cable: they are on its network, as what it is wired to is. Pure.

use super::draft::Draft;
use crate::lab::model::DeviceKind;

/// Puts each macvlan on the network that its parent is on.
pub(crate) fn share(draft: &mut Draft<'_>) {
    let mut pairs = Vec::new();
    for (node, of) in draft.nodes.iter().enumerate() {
        for (index, device) in of.node.devices.iter().enumerate() {
            let DeviceKind::Macvlan { parent, .. } = &device.kind else { continue };
            let is_parent =
                |one: &crate::lab::model::Device| one.name == *parent || one.long_name.as_ref() == Some(parent);
            pairs.extend(of.node.devices.iter().position(is_parent).map(|parent| (node, index, parent)));
        }
    }
    for (node, index, parent) in pairs {
        let attached = |device: usize| draft.attachments.iter().position(|at| (at.node, at.device) == (node, device));
        let (Some(own), Some(below)) = (attached(index), attached(parent)) else { continue };
        let [Some((segment, _)), Some((below, vlan))] =
            [own, below].map(|at| draft.attachments.get(at).map(|at| (at.segment, at.vlan)))
        else {
            continue;
        };
        draft.join_segments(segment, below);
        if let Some(own) = draft.attachments.get_mut(own) {
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
    }
}
