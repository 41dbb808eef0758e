//! Prints the multicast groups that bridges and VXLANs know as `bridge mdb` does.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vwire_netlink::wire::mdb::{Member, RouterPort, RouterPorts, Source};

use super::{Devices, colour, spell};
use crate::out::arphrd::address_text;
use crate::out::{Colour, Printer};

/// `MDB_PERMANENT`.
const PERMANENT: u8 = 1;
/// `MCAST_INCLUDE`.
const INCLUDE: u8 = 1;
/// `MDB_RTR_TYPE_TEMP_QUERY` and `MDB_RTR_TYPE_TEMP`.
const TEMPORARY_ROUTERS: [u8; 2] = [1, 3];
/// `ETH_P_IP` in network byte order.
const IP: [u8; 2] = [0x08, 0x00];
/// `ARPHRD_ETHER`.
const ETHER: u16 = 1;

/// `MDB_FLAGS_*` and their words.
const FLAGS: [(u8, &str); 5] =
    [(1, "offload"), (2, "fast_leave"), (4, "added_by_star_ex"), (8, "blocked"), (16, "offload_failed")];

/// What is told of a group, and what numbers stand for.
#[derive(Debug, Clone, Default)]
pub struct MdbStyle {
    /// `-d`: sources, and who made it.
    pub details: bool,
    /// `-s`: timers.
    pub statistics: bool,
    /// The names of who made a group.
    pub protocols: HashMap<u32, String>,
}

/// Prints a member of a group and ends its line.
pub fn print(p: &mut Printer, index: u32, member: &Member, style: &MdbStyle, devices: &Devices) {
    p.open_object(None);
    p.number_json("index", index);
    p.coloured(Some(Colour::Device), "dev", "dev ", devices.name(index), "");
    p.string("port", " port ", devices.name(member.index), "");
    let (group, hue) = match group_of(member) {
        Some(address) => (spell(address), colour(address)),
        None => (address_text(ETHER, member.address.get(..6).unwrap_or_default()), Colour::Mac),
    };
    let hue = Some(hue).filter(|hue| *hue != Colour::Mac);
    p.coloured(hue, "grp", " grp ", group, "");
    if let Some(source) = member.source {
        p.coloured(Some(colour(source)), "src", " src ", spell(source), "");
    }
    p.string("state", " ", if member.state & PERMANENT != 0 { "permanent" } else { "temp" }, "");
    if style.details {
        print_details(p, member, style);
    }
    p.open_array(Some("flags"));
    for (_, word) in FLAGS.iter().filter(|(flag, _)| member.flags & flag != 0) {
        p.element(" ", word, "");
    }
    p.close_array();
    print_way(p, member, devices);
    if let (true, Some(timer)) = (style.statistics, member.timer) {
        p.string("timer", " ", format!("{:>7}", centiseconds(timer)), "");
    }
    p.line_break();
    p.close_object();
}

/// Returns the IP address of a group, unless it is of the link layer.
fn group_of(member: &Member) -> Option<IpAddr> {
    match member.protocol {
        [0, 0] => None,
        IP => {
            let octets: [u8; 4] = member.address.first_chunk().copied()?;
            Some(Ipv4Addr::from(octets).into())
        }
        _ => Some(Ipv6Addr::from(member.address).into()),
    }
}

fn print_details(p: &mut Printer, member: &Member, style: &MdbStyle) {
    if let Some(mode) = member.group_mode {
        p.string("filter_mode", " filter_mode ", if mode == INCLUDE { "include" } else { "exclude" }, "");
    }
    if let Some(sources) = &member.src_list {
        p.open_array(Some("source_list"));
        p.text(" source_list");
        let whole = sources.entry.iter().filter_map(|source: &Source| Some((source.address?, source.timer?)));
        for (at, (address, timer)) in whole.enumerate() {
            p.open_object(None);
            p.text(if at == 0 { " " } else { "," });
            p.coloured(Some(colour(address)), "address", "", spell(address), "");
            p.string("timer", "/", centiseconds(timer), "");
            p.close_object();
        }
        p.close_array();
    }
    if let Some(protocol) = member.rtprot {
        let name = style.protocols.get(&u32::from(protocol)).cloned();
        p.string("protocol", " proto ", name.unwrap_or_else(|| protocol.to_string()), "");
    }
}

fn print_way(p: &mut Printer, member: &Member, devices: &Devices) {
    if member.vid != 0 {
        p.number("vid", " vid ", member.vid, "");
    }
    if let Some(address) = member.dst {
        p.coloured(Some(colour(address)), "dst", " dst ", spell(address), "");
    }
    if let Some(port) = member.dst_port {
        p.number("dst_port", " dst_port ", port, "");
    }
    if let Some(vni) = member.vni {
        p.number("vni", " vni ", vni, "");
    }
    if let Some(vni) = member.src_vni {
        p.number("src_vni", " src_vni ", vni, "");
    }
    if let Some(index) = member.ifindex {
        p.string("via", " via ", devices.name(index), "");
    }
}

/// Prints the ports of a bridge that have multicast routers behind them.
pub fn print_routers(p: &mut Printer, index: u32, routers: &RouterPorts, statistics: bool, devices: &Devices) {
    let bridge = devices.name(index);
    let name = String::from_utf8_lossy(&bridge).into_owned();
    let heading = format!("router ports on {name}: ");
    p.open_array(Some(&name));
    if !statistics {
        p.text(&heading);
    }
    for port in &routers.port {
        p.open_object(None);
        if statistics {
            p.text(&heading);
        }
        p.string("port", "", devices.name(port.index), if statistics { "" } else { " " });
        if statistics {
            print_router_times(p, port);
            p.end_line();
        }
        p.close_object();
    }
    if !statistics {
        p.line_break();
    }
    p.close_array();
}

/// Prints a port of a bridge that has got a multicast router behind it, or has lost it.
pub fn print_router_change(p: &mut Printer, index: u32, routers: &RouterPorts, devices: &Devices) {
    let Some(port) = routers.port.first() else { return };
    let bridge = devices.name(index);
    p.open_array(Some(&String::from_utf8_lossy(&bridge)));
    p.open_object(None);
    p.string("port", "router port dev ", devices.name(port.index), " master ");
    p.text(&bridge);
    p.end_line();
    p.close_object();
    p.close_array();
}

/// Prints how long a router is believed, and whether by a timer at all.
pub(super) fn print_router_times(p: &mut Printer, port: &RouterPort) {
    if let Some(timer) = port.timer {
        p.string("timer", " ", format!("{:>7}", centiseconds(timer)), "");
    }
    if let Some(kind) = port.router_type {
        p.string("type", " ", if TEMPORARY_ROUTERS.contains(&kind) { "temp" } else { "permanent" }, "");
    }
}

fn centiseconds(time: u32) -> String {
    format!("{}.{:02}", time / 100, time % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;
    use vwire_netlink::wire::mdb::Sources;

    fn printed(json: bool, print: impl Fn(&mut Printer)) -> String {
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        print(&mut p);
        String::from_utf8(p.take()).unwrap()
    }

    #[test]
    fn a_member_is_told_with_its_sources_and_its_way() {
        let source = |address: &str| Source {
            address: Some(address.parse().unwrap()),
            timer: Some(25_999),
            ..Source::default()
        };
        let entry = vec![source("10.0.0.1"), source("10.0.0.2")];
        let member = Member {
            index: 3,
            flags: 31,
            vid: 7,
            address: [239, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            protocol: IP,
            timer: Some(5),
            group_mode: Some(INCLUDE),
            src_list: Some(Sources { entry, ..Sources::default() }),
            source: Some("10.0.0.9".parse().unwrap()),
            rtprot: Some(4),
            dst: Some("2001:db8::1".parse().unwrap()),
            dst_port: Some(4789),
            vni: Some(1),
            src_vni: Some(2),
            ifindex: Some(9),
            ..Member::default()
        };
        let style = MdbStyle { details: true, statistics: true, protocols: HashMap::from([(4, "static".to_owned())]) };
        let text = "dev if2 port if3 grp 239.1.1.1 src 10.0.0.9 temp filter_mode include source_list 10.0.0.1/259.99,\
                    10.0.0.2/259.99 proto static offload fast_leave added_by_star_ex blocked offload_failed vid 7 dst \
                    2001:db8::1 dst_port 4789 vni 1 src_vni 2 via if9    0.05\n";
        assert_eq!(printed(false, |p| print(p, 2, &member, &style, &Devices::default())), text);
        let json = printed(true, |p| print(p, 2, &member, &style, &Devices::default()));
        assert!(json.contains(r#""source_list":[{"address":"10.0.0.1","timer":"259.99"},"#), "{json}");
        assert!(json.ends_with(r#""via":"if9","timer":"   0.05"}"#), "{json}");
    }

    #[test]
    fn routers_are_told_in_a_row_or_with_their_timers() {
        let port = |index| RouterPort { index, timer: Some(0), router_type: Some(2), ..RouterPort::default() };
        let routers = RouterPorts { port: vec![port(3), port(4)], ..RouterPorts::default() };
        let devices = Devices::default();
        let row = printed(false, |p| print_routers(p, 2, &routers, false, &devices));
        assert_eq!(row, "router ports on if2: if3 if4 \n");
        let timers = printed(false, |p| print_routers(p, 2, &routers, true, &devices));
        assert!(timers.starts_with("router ports on if2: if3    0.00 permanent\nrouter ports on if2: if4 "));
        let change = printed(false, |p| print_router_change(p, 2, &routers, &devices));
        assert_eq!(change, "router port dev if3 master if2\n");
    }
}
