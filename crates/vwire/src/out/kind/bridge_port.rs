//! bridge_slave: a port of a bridge, as the bridge sees it.

use vwire_netlink::wire::link::bridge::BridgePort;

use super::bridge::spell_id;
use super::fact::{hexadecimal, link_name, number, number_as, on_off, timer, word, word_as};
use crate::out::Printer;
use crate::out::link::Context;

/// The words for `BR_STATE_*` (`linux/if_bridge.h`).
const STATES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];

pub(super) fn print(p: &mut Printer, port: &BridgePort, context: &Context) {
    if let Some(state) = port.state {
        print_state(p, state);
    }
    number(p, "priority", port.priority);
    number(p, "cost", port.cost.map(u32::cast_signed));
    on_off(p, "hairpin", port.mode);
    on_off(p, "guard", port.guard);
    on_off(p, "root_block", port.protect);
    on_off(p, "fastleave", port.fast_leave);
    on_off(p, "learning", port.learning);
    on_off(p, "flood", port.unicast_flood);
    print_spanning_tree(p, port);
    on_off(p, "proxy_arp", port.proxyarp);
    on_off(p, "proxy_arp_wifi", port.proxyarp_wifi);
    number_as(p, "multicast_router", "mcast_router", port.multicast_router);
    if let Some(leave) = port.fast_leave {
        p.text(if leave != 0 { "mcast_fast_leave on " } else { "mcast_fast_leave off " });
    }
    on_off(p, "mcast_flood", port.mcast_flood);
    on_off(p, "bcast_flood", port.bcast_flood);
    on_off(p, "mcast_to_unicast", port.mcast_to_ucast);
    on_off(p, "neigh_suppress", port.neigh_suppress);
    on_off(p, "neigh_vlan_suppress", port.neigh_vlan_suppress);
    on_off(p, "neigh_forward_grat", port.neigh_forward_grat);
    if let Some(mask) = port.group_fwd_mask {
        hexadecimal(p, "group_fwd_mask", "group_fwd_mask", Some(mask));
        word(p, "group_fwd_mask_str", spell_groups(mask));
    }
    on_off(p, "vlan_tunnel", port.vlan_tunnel);
    on_off(p, "isolated", port.isolated);
    on_off(p, "locked", port.locked);
    on_off(p, "mab", port.mab);
    if let Some(backup) = port.backup_port {
        word(p, "backup_port", link_name(context, backup));
    }
    number(p, "backup_nhid", port.backup_nhid);
}

fn print_state(p: &mut Printer, state: u8) {
    match STATES.get(usize::from(state)) {
        Some(name) => word(p, "state", name),
        None => p.number("state_index", "state (", state, ") "),
    }
}

fn print_spanning_tree(p: &mut Printer, port: &BridgePort) {
    hexadecimal(p, "id", "port_id", port.id);
    hexadecimal(p, "no", "port_no", port.no);
    number(p, "designated_port", port.designated_port);
    number(p, "designated_cost", port.designated_cost);
    if let Some(id) = port.bridge_id {
        word_as(p, "bridge_id", "designated_bridge", spell_id(id));
    }
    if let Some(id) = port.root_id {
        word_as(p, "root_id", "designated_root", spell_id(id));
    }
    timer(p, "hold_timer", port.hold_timer);
    timer(p, "message_age_timer", port.message_age_timer);
    timer(p, "forward_delay_timer", port.forward_delay_timer);
    number(p, "topology_change_ack", port.topology_change_ack);
    number(p, "config_pending", port.config_pending);
}

/// Spells which link-local groups are forwarded: the names of those that have one, the bits of the others.
fn spell_groups(mask: u16) -> String {
    let spell = |bit| match bit {
        0 => "stp".to_owned(),
        2 => "lacp".to_owned(),
        14 => "lldp".to_owned(),
        bit => format!("{:#x}", 1 << bit),
    };
    let groups: Vec<_> = (0..16).filter(|bit| mask >> bit & 1 == 1).map(spell).collect();
    if groups.is_empty() { "0x0".to_owned() } else { groups.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::kind::printed;

    #[test]
    fn groups_are_named() {
        assert_eq!(spell_groups(0), "0x0");
        assert_eq!(spell_groups(0x4007), "stp,0x2,lacp,lldp");
    }

    #[test]
    fn an_unknown_state_is_a_number() {
        assert_eq!(printed(|p| print_state(p, 9)), ("state (9) ".into(), "\"state_index\":9".into()));
    }
}
