//! vlan: the packets of one VLAN on a link.

use vwire_netlink::wire::link::vlan::{Vlan, VlanQos};

use super::fact::{number, word};
use super::protocol;
use crate::out::Printer;
use crate::out::link::LinkStyle;

/// The words for `VLAN_FLAG_*` (`linux/if_vlan.h`), in the order in which `ip` prints them.
const FLAGS: [(u32, &str); 5] =
    [(0x1, "REORDER_HDR"), (0x2, "GVRP"), (0x8, "MVRP"), (0x4, "LOOSE_BINDING"), (0x10, "BRIDGE_BINDING")];

pub(super) fn print(p: &mut Printer, vlan: &Vlan, style: LinkStyle) {
    let Some(id) = vlan.id else { return };
    match vlan.protocol {
        Some(number) => word(p, "protocol", protocol::name(number, style.numeric)),
        None => word(p, "protocol", "802.1q"),
    }
    number(p, "id", Some(id));
    if let Some(flags) = vlan.flags {
        print_flags(p, flags.flags);
    }
    if let Some(map) = &vlan.ingress_qos {
        print_map(p, "ingress_qos", "ingress-qos-map", map);
    }
    if let Some(map) = &vlan.egress_qos {
        print_map(p, "egress_qos", "egress-qos-map", map);
    }
}

fn print_flags(p: &mut Printer, flags: u32) {
    p.open_array(Some("flags"));
    p.text("<");
    let mut left = flags;
    for (flag, word) in FLAGS {
        if flags & flag != 0 {
            left &= !flag;
            p.element("", word, if left == 0 { "" } else { "," });
        }
    }
    if left != 0 {
        p.element("", format!("{left:x}"), "");
    }
    p.text("> ");
    p.close_array();
}

fn print_map(p: &mut Printer, name: &str, word: &str, map: &VlanQos) {
    p.open_array(Some(name));
    p.line_break();
    p.text(format!("      {word} {{ "));
    for pair in &map.mapping {
        p.open_object(None);
        p.number("from", "", pair.from, ":");
        p.number("to", "", pair.to, " ");
        p.close_object();
    }
    p.close_array();
    p.text("} ");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::kind::{printed, tests::STYLE};
    use vwire_netlink::wire::link::vlan::{QosMapping, VlanFlags};

    #[test]
    fn a_vlan_has_its_flags_and_maps() {
        let vlan = Vlan {
            id: Some(5),
            protocol: Some(0x88a8),
            flags: Some(VlanFlags { flags: 0x9, mask: 0 }),
            egress_qos: Some(VlanQos { mapping: vec![QosMapping { from: 1, to: 2 }], ..VlanQos::default() }),
            ..Vlan::default()
        };
        let (text, json) = printed(|p| print(p, &vlan, STYLE));
        assert_eq!(text, "protocol 802.1ad id 5 <REORDER_HDR,MVRP> \n      egress-qos-map { 1:2 } ");
        let wanted = r#""protocol":"802.1ad","id":5,"flags":["REORDER_HDR","MVRP"],"egress_qos":[{"from":1,"to":2}]"#;
        assert_eq!(json, wanted);
    }
}
