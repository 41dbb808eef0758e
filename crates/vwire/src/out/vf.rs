//! Prints the virtual functions of a device with SR-IOV, a line each.

use vwire_netlink::Link;
use vwire_netlink::wire::link::VfInfo;
use vwire_netlink::wire::link::vf::VfSetting;

use super::Printer;
use super::arphrd::{address_text, type_word};
use super::colour::Colour;

/// `ARPHRD_ETHER`, whose addresses have 6 bytes; InfiniBand's have 20.
const ETHER: u16 = 1;
/// `IFF_POINTOPOINT`.
const POINTOPOINT: u32 = 0x10;
/// `ETH_P_8021Q` in network byte order, the protocol that goes without saying.
const VLAN_PROTOCOL: [u8; 2] = [0x81, 0x00];

/// Prints all virtual functions of a link.
pub fn print(p: &mut Printer, link: &Link) {
    let (Some(list), Some(_)) = (link.vfinfo_list.as_deref(), link.num_vf) else { return };
    p.open_array(Some("vfinfo_list"));
    for function in &list.info {
        p.open_object(None);
        print_function(p, link, function);
        p.close_object();
    }
    p.close_array();
}

fn print_function(p: &mut Printer, link: &Link, function: &VfInfo) {
    let Some(mac) = &function.mac else { return };
    let spelled = |address: &[u8; 32]| {
        let length = if link.link_type == ETHER { 6 } else { 20 };
        address_text(link.link_type, &address[..length])
    };
    p.line_break();
    p.text("    ");
    p.number("vf", "vf ", mac.vf, " ");
    p.string("link_type", "    link/", type_word(link.link_type).as_ref(), " ");
    p.coloured(Some(Colour::Mac), "address", "", spelled(&mac.mac), "");
    if let Some(broadcast) = &function.broadcast {
        if link.flags & POINTOPOINT != 0 {
            p.mark("link_pointtopoint", " peer ");
        } else {
            p.text(" brd ");
        }
        p.coloured(Some(Colour::Mac), "broadcast", "", spelled(broadcast), "");
    }
    print_vlans(p, function);
    print_rates(p, function);
    print_setting(p, "spoofchk", ", spoof checking ", function.spoofchk);
    if let Some(guid) = function.ib_node_guid {
        p.string("node guid", ", NODE_GUID ", guid_text(guid.guid), "");
    }
    if let Some(guid) = function.ib_port_guid {
        p.string("port guid", ", PORT_GUID ", guid_text(guid.guid), "");
    }
    if let Some(state) = function.link_state {
        let word = ["auto", "enable"].get(usize::try_from(state.setting).unwrap_or(usize::MAX)).unwrap_or(&"disable");
        p.string("link_state", ", link-state ", word, "");
    }
    print_setting(p, "trust", ", trust ", function.trust);
    print_setting(p, "query_rss_en", ", query_rss ", function.rss_query_en);
}

fn print_vlans(p: &mut Printer, function: &VfInfo) {
    let Some(list) = &function.vlan_list else {
        if let Some(vlan) = function.vlan {
            print_vlan(p, vlan.vlan, vlan.qos);
        }
        return;
    };
    p.open_array(Some("vlan_list"));
    for vlan in &list.info {
        p.open_object(None);
        print_vlan(p, vlan.vlan, vlan.qos);
        if vlan.vlan_proto != [0, 0] && vlan.vlan_proto != VLAN_PROTOCOL {
            let protocol = match u16::from_be_bytes(vlan.vlan_proto) {
                0x88a8 => "802.1ad".to_owned(),
                other => format!("[{other}]"),
            };
            p.string("protocol", ", vlan protocol ", protocol, "");
        }
        p.close_object();
    }
    p.close_array();
}

fn print_vlan(p: &mut Printer, vlan: u32, priority: u32) {
    if vlan != 0 {
        p.number("vlan", ", vlan ", vlan, "");
    }
    if priority != 0 {
        p.number("qos", ", qos ", priority, "");
    }
}

fn print_rates(p: &mut Printer, function: &VfInfo) {
    if let Some(limit) = function.tx_rate.filter(|limit| limit.rate != 0) {
        p.number("tx_rate", ", tx rate ", limit.rate, " (Mbps)");
    }
    let Some(rate) = function.rate else { return };
    p.open_object(Some("rate"));
    p.number_json("max_tx", rate.max_tx_rate);
    p.number_json("min_tx", rate.min_tx_rate);
    p.close_object();
    if rate.max_tx_rate != 0 {
        p.text(format!(", max_tx_rate {}Mbps", rate.max_tx_rate));
    }
    if rate.min_tx_rate != 0 {
        p.text(format!(", min_tx_rate {}Mbps", rate.min_tx_rate));
    }
}

fn print_setting(p: &mut Printer, name: &str, words: &str, setting: Option<VfSetting>) {
    let Some(setting) = setting.filter(|setting| setting.setting != u32::MAX) else { return };
    p.on_off(name, words, setting.setting != 0, "");
}

fn guid_text(guid: u64) -> String {
    address_text(32, &guid.to_be_bytes())
}
