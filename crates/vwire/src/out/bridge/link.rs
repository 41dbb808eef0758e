//! Prints a port of a bridge as `bridge link` does.

use vwire_netlink::BridgeLink;
use vwire_netlink::wire::link::bridge::BridgePort;

use super::{Devices, print_state};
use crate::out::kind::fact::{number, on_off, word};
use crate::out::link::print_flags;
use crate::out::{Colour, Printer};

/// The words for `BRIDGE_MODE_*`.
const MODES: [&str; 2] = ["VEB", "VEPA"];

/// Prints a port and ends its line.
pub fn print(p: &mut Printer, link: &BridgeLink, details: bool, devices: &Devices) {
    p.number("ifindex", "", link.index, ": ");
    let lower_is_down = print_name(p, link, devices);
    print_flags(p, link.flags, lower_is_down);
    if let Some(mtu) = link.mtu {
        p.number("mtu", "mtu ", mtu, " ");
    }
    if let Some(master) = link.master {
        word(p, "master", devices.name(master));
    }
    if let Some(port) = &link.protinfo {
        print_port(p, port, details, devices);
    }
    if let Some(mode) = link.af_spec.as_ref().and_then(|spec| spec.mode) {
        match MODES.get(usize::from(mode)) {
            Some(name) => word(p, "hwmode", name),
            None => word(p, "hwmode", format!("{mode:#x}")),
        }
    }
    p.end_line();
}

/// Prints `NAME@LOWER` and returns whether the lower link is known to be down.
fn print_name(p: &mut Printer, link: &BridgeLink, devices: &Devices) -> bool {
    let mut name = link.ifname.as_ref().map_or_else(|| devices.name(link.index), |name| name.as_bytes().to_vec());
    let mut lower_is_down = false;
    let lower = match (link.link, link.link_netnsid) {
        (None, _) => None,
        (Some(0), _) => {
            p.null("link", "");
            Some(b"NONE".to_vec())
        }
        (Some(index), Some(_)) => {
            p.number_json("link_index", index);
            Some(format!("if{index}").into_bytes())
        }
        (Some(index), None) => {
            lower_is_down = devices.is_down(index);
            p.string_json("link", devices.name(index));
            Some(devices.name(index))
        }
    };
    if let Some(lower) = lower.filter(|_| !p.is_json()) {
        name.push(b'@');
        name.extend(lower);
    }
    p.coloured(Some(Colour::Device), "ifname", "", name, ": ");
    lower_is_down
}

fn print_port(p: &mut Printer, port: &BridgePort, details: bool, devices: &Devices) {
    if let Some(state) = port.state {
        print_state(p, state);
    }
    number(p, "priority", port.priority);
    number(p, "cost", port.cost);
    if !details {
        return;
    }
    p.line_break();
    p.text("    ");
    on_off(p, "hairpin", port.mode);
    on_off(p, "guard", port.guard);
    on_off(p, "root_block", port.protect);
    on_off(p, "fastleave", port.fast_leave);
    on_off(p, "learning", port.learning);
    on_off(p, "learning_sync", port.learning_sync);
    on_off(p, "flood", port.unicast_flood);
    on_off(p, "mcast_flood", port.mcast_flood);
    on_off(p, "bcast_flood", port.bcast_flood);
    number(p, "mcast_router", port.multicast_router);
    on_off(p, "mcast_to_unicast", port.mcast_to_ucast);
    on_off(p, "neigh_suppress", port.neigh_suppress);
    on_off(p, "neigh_vlan_suppress", port.neigh_vlan_suppress);
    on_off(p, "neigh_forward_grat", port.neigh_forward_grat);
    on_off(p, "vlan_tunnel", port.vlan_tunnel);
    if let Some(backup) = port.backup_port {
        word(p, "backup_port", devices.name(backup));
    }
    number(p, "backup_nhid", port.backup_nhid);
    on_off(p, "isolated", port.isolated);
    on_off(p, "locked", port.locked);
    on_off(p, "mab", port.mab);
    number(p, "mcast_n_groups", port.mcast_n_groups);
    number(p, "mcast_max_groups", port.mcast_max_groups);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;
    use vwire_netlink::IfName;
    use vwire_netlink::wire::bridge::BridgeSpec;

    fn printed(link: &BridgeLink, json: bool) -> String {
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        print(&mut p, link, true, &Devices::default());
        String::from_utf8(p.take()).unwrap()
    }

    #[test]
    fn a_port_of_hardware_tells_its_mode_and_a_strange_state_is_a_number() {
        let link = BridgeLink {
            index: 3,
            ifname: Some(IfName::new("sw0").unwrap()),
            link: Some(9),
            link_netnsid: Some(0),
            protinfo: Some(Box::new(BridgePort { state: Some(7), learning_sync: Some(1), ..BridgePort::default() })),
            af_spec: Some(BridgeSpec { mode: Some(1), ..BridgeSpec::default() }),
            ..BridgeLink::default()
        };
        assert_eq!(printed(&link, false), "3: sw0@if9: <> state (7) \n    learning_sync on hwmode VEPA \n");
        let json = printed(&link, true);
        assert!(
            json.ends_with(
                r#""link_index":9,"ifname":"sw0","flags":[],"state":7,"learning_sync":true,"hwmode":"VEPA""#
            )
        );
        let odd = BridgeLink { af_spec: Some(BridgeSpec { mode: Some(9), ..BridgeSpec::default() }), ..link };
        assert!(printed(&odd, false).ends_with("hwmode 0x9 \n"));
    }
}
