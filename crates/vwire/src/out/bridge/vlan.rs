//! Prints VLANs as `bridge vlan` does: as the ports' links have them, with options and counters, or as tunnels.

use vwire_netlink::wire::bridge::{BridgeSpec, VlanEntry, VlanInfo, VlanOptions};
use vwire_netlink::wire::mdb::RouterPorts;
use vwire_netlink::wire::stats::{BridgeXstats, VlanXstats};

use super::{Devices, close_device, indent, mdb, open_device, print_range, print_state};
use crate::out::Printer;
use crate::out::kind::bridge::print_querier;
use crate::out::kind::fact::{number, number_as, on_off};

/// `BRIDGE_VLAN_INFO_MASTER`.
const MASTER: u16 = 0x01;
/// `BRIDGE_VLAN_INFO_PVID`.
const PVID: u16 = 0x02;
/// `BRIDGE_VLAN_INFO_UNTAGGED`.
const UNTAGGED: u16 = 0x04;
/// `BRIDGE_VLAN_INFO_RANGE_BEGIN`.
const RANGE_BEGIN: u16 = 0x08;
/// `BRIDGE_VLAN_INFO_RANGE_END`.
const RANGE_END: u16 = 0x10;
/// `BRIDGE_VLAN_INFO_BRENTRY`.
const BRENTRY: u16 = 0x20;
/// How wide two numbers and the dash between them may be.
const WIDTH: usize = 9;

/// What a list of VLANs is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// VLANs.
    Vlans,
    /// The tunnels that they go through.
    Tunnels,
}

/// Prints the head of a list.
pub fn print_head(p: &mut Printer, subject: Subject) {
    let rest = if subject == Subject::Tunnels { "  tunnel-id" } else { "" };
    super::print_head(p, "port", &format!("{:<WIDTH$}", "vlan-id"), rest);
}

/// Prints the head of the list of counters, which is not padded.
pub fn print_counters_head(p: &mut Printer) {
    super::print_head(p, "port", "vlan-id", "");
}

/// A list of VLANs, which opens with the first that passes the filter.
struct List<'a> {
    p: &'a mut Printer,
    name: Vec<u8>,
    array: &'static str,
    is_open: bool,
}

impl<'a> List<'a> {
    fn new(p: &'a mut Printer, name: Vec<u8>, array: &'static str) -> Self {
        Self { p, name, array, is_open: false }
    }

    fn next(&mut self) -> &mut Printer {
        if self.is_open {
            indent(self.p, 0);
        } else {
            open_device(self.p, &self.name, self.array);
            self.is_open = true;
        }
        self.p
    }

    fn close(self) {
        if self.is_open {
            close_device(self.p);
        }
    }
}

/// What becomes of a row of a sorted list with ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Shown,
    Skipped,
    /// It and all that follow are beyond what is asked for.
    Beyond,
}

fn row(vid: u16, flags: u16, only: u32) -> Row {
    if only != 0 && u32::from(vid) > only && flags & RANGE_END == 0 {
        return Row::Beyond;
    }
    if flags & RANGE_BEGIN != 0 || u32::from(vid) < only { Row::Skipped } else { Row::Shown }
}

/// Prints the VLANs of a port; `only` is the one that counts, 0 is all.
pub fn print(p: &mut Printer, index: u32, spec: &BridgeSpec, only: u32, devices: &Devices) {
    let mut list = List::new(p, devices.name(index), "vlans");
    let mut first = 0;
    for VlanInfo { flags, vid } in spec.vlan_info.iter().copied() {
        if flags & RANGE_END == 0 {
            first = vid;
        }
        match row(vid, flags, only) {
            Row::Beyond => break,
            Row::Skipped => continue,
            Row::Shown => {}
        }
        let p = list.next();
        p.open_object(None);
        print_range(p, "vlan", first.into(), vid.into());
        print_flags(p, flags);
        p.close_object();
        p.line_break();
    }
    list.close();
}

/// Prints the tunnels of a port's VLANs.
pub fn print_tunnels(p: &mut Printer, index: u32, spec: &BridgeSpec, only: u32, devices: &Devices) {
    let mut list = List::new(p, devices.name(index), "tunnels");
    let (mut first, mut first_tunnel) = (0, 0);
    for tunnel in &spec.vlan_tunnel_info {
        let Some(vid) = tunnel.vid else { continue };
        let (id, flags) = (tunnel.id.unwrap_or_default(), tunnel.flags.unwrap_or_default());
        if flags & RANGE_END == 0 {
            (first, first_tunnel) = (vid, id);
        }
        match row(vid, flags, only) {
            Row::Beyond => break,
            Row::Skipped => continue,
            Row::Shown => {}
        }
        let p = list.next();
        p.open_object(None);
        let width = print_range(p, "vlan", first.into(), vid.into());
        p.text(" ".repeat(WIDTH.saturating_sub(width) + 2));
        print_range(p, "tunid", first_tunnel, id);
        p.close_object();
        p.line_break();
    }
    list.close();
}

fn print_flags(p: &mut Printer, flags: u16) {
    if flags == 0 {
        return;
    }
    p.open_array(Some("flags"));
    if flags & PVID != 0 {
        p.element(" ", "PVID", "");
    }
    if flags & UNTAGGED != 0 {
        p.element(" ", "Egress Untagged", "");
    }
    p.close_array();
}

/// Prints the counters of a bridge's or a port's VLANs.
pub fn print_counters(p: &mut Printer, index: u32, counters: &BridgeXstats, only: u32, devices: &Devices) {
    let mut list = List::new(p, devices.name(index), "vlans");
    for vlan in &counters.vlan {
        // What a bridge only has for its ports is counted there.
        let is_of_ports = vlan.flags & MASTER != 0 && vlan.flags & BRENTRY == 0;
        if (only != 0 && u32::from(vlan.vid) != only) || is_of_ports {
            continue;
        }
        let p = list.next();
        p.open_object(None);
        p.number("vid", "", vlan.vid, "");
        print_flags(p, vlan.flags);
        p.line_break();
        print_traffic(p, vlan);
        p.close_object();
    }
    list.close();
}

fn print_traffic(p: &mut Printer, vlan: &VlanXstats) {
    indent(p, 2);
    p.number("rx_bytes", "RX: ", vlan.rx_bytes, " bytes");
    p.number("rx_packets", " ", vlan.rx_packets, " packets\n");
    indent(p, 2);
    p.number("tx_bytes", "TX: ", vlan.tx_bytes, " bytes");
    p.number("tx_packets", " ", vlan.tx_packets, " packets\n");
}

/// Prints VLANs with their options, port after port.
#[derive(Debug, Default)]
pub struct Options {
    /// The port whose list is open.
    open: Option<u32>,
    only: u32,
    statistics: bool,
}

impl Options {
    /// Starts; `only` is the VLAN that counts, 0 is all.
    #[must_use]
    pub fn new(only: u32, statistics: bool) -> Self {
        Self { open: None, only, statistics }
    }

    /// Closes the list of another port.
    pub fn go_to(&mut self, p: &mut Printer, index: u32) {
        if self.open.is_some_and(|open| open != index) {
            self.close(p);
        }
    }

    /// Closes the list that is open.
    pub fn close(&mut self, p: &mut Printer) {
        if self.open.take().is_some() {
            close_device(p);
        }
    }

    fn next(&mut self, p: &mut Printer, index: u32, devices: &Devices) {
        if self.open == Some(index) {
            p.open_object(None);
            indent(p, 0);
        } else {
            open_device(p, &devices.name(index), "vlans");
            p.open_object(None);
            self.open = Some(index);
        }
    }

    fn passes(&self, first: u16, last: u16) -> bool {
        self.only == 0 || (u32::from(first)..=u32::from(last)).contains(&self.only)
    }

    /// Prints VLANs of a port that are alike.
    pub fn print(&mut self, p: &mut Printer, index: u32, entry: &VlanEntry, devices: &Devices) {
        let Some(info) = entry.info else { return };
        let last = entry.range.unwrap_or(info.vid);
        if !self.passes(info.vid, last) {
            return;
        }
        self.next(p, index, devices);
        print_range(p, "vlan", info.vid.into(), last.into());
        print_flags(p, info.flags);
        p.line_break();
        indent(p, 2);
        print_state(p, entry.state.unwrap_or_default());
        number(p, "mcast_router", entry.mcast_router);
        number(p, "mcast_n_groups", entry.mcast_n_groups);
        number(p, "mcast_max_groups", entry.mcast_max_groups);
        on_off(p, "neigh_suppress", entry.neigh_suppress);
        on_off(p, "neigh_forward_grat", entry.neigh_forward_grat);
        p.line_break();
        if self.statistics {
            let stats = entry.stats.clone().unwrap_or_default();
            let traffic = VlanXstats {
                rx_bytes: stats.rx_bytes.unwrap_or_default(),
                rx_packets: stats.rx_packets.unwrap_or_default(),
                tx_bytes: stats.tx_bytes.unwrap_or_default(),
                tx_packets: stats.tx_packets.unwrap_or_default(),
                ..VlanXstats::default()
            };
            print_traffic(p, &traffic);
        }
        p.close_object();
    }

    /// Prints the options of VLANs on the whole bridge.
    pub fn print_global(&mut self, p: &mut Printer, index: u32, options: &VlanOptions, devices: &Devices) {
        let Some(first) = options.id else { return };
        let last = options.range.unwrap_or(first);
        if !self.passes(first, last) {
            return;
        }
        self.next(p, index, devices);
        print_range(p, "vlan", first.into(), last.into());
        p.line_break();
        indent(p, 2);
        print_multicast(p, options);
        number(p, "msti", options.msti);
        p.line_break();
        if let Some(routers) = options.mcast_router_ports.as_ref().and_then(|ports| ports.router.as_ref()) {
            self.print_routers(p, routers, devices);
        }
        p.close_object();
    }

    fn print_routers(&self, p: &mut Printer, routers: &RouterPorts, devices: &Devices) {
        indent(p, 2);
        p.open_array(Some("router_ports"));
        p.text("router ports: ");
        for (at, port) in routers.port.iter().enumerate() {
            p.open_object(None);
            if self.statistics && at > 0 {
                p.line_break();
                indent(p, 2 + "router ports: ".len());
            }
            p.string("port", "", devices.name(port.index), " ");
            if self.statistics {
                mdb::print_router_times(p, port);
            }
            p.close_object();
        }
        p.close_array();
        p.line_break();
    }
}

fn print_multicast(p: &mut Printer, options: &VlanOptions) {
    number(p, "mcast_snooping", options.mcast_snooping);
    number(p, "mcast_querier", options.mcast_querier);
    if let Some(state) = &options.mcast_querier_state {
        print_querier(p, state);
    }
    number(p, "mcast_igmp_version", options.mcast_igmp_version);
    number(p, "mcast_mld_version", options.mcast_mld_version);
    number_as(p, "mcast_last_member_count", "mcast_last_member_count", options.mcast_last_member_cnt);
    number(p, "mcast_last_member_interval", options.mcast_last_member_intvl);
    number(p, "mcast_startup_query_count", options.mcast_startup_query_cnt);
    number(p, "mcast_startup_query_interval", options.mcast_startup_query_intvl);
    number(p, "mcast_membership_interval", options.mcast_membership_intvl);
    number(p, "mcast_querier_interval", options.mcast_querier_intvl);
    number(p, "mcast_query_interval", options.mcast_query_intvl);
    number(p, "mcast_query_response_interval", options.mcast_query_response_intvl);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;
    use vwire_netlink::wire::bridge::{VlanEntryStats, VlanRouters, VlanTunnel};
    use vwire_netlink::wire::mdb::RouterPort;

    fn printed(json: bool, print: impl Fn(&mut Printer)) -> String {
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        print(&mut p);
        String::from_utf8(p.take()).unwrap()
    }

    fn spec() -> BridgeSpec {
        let vlan = |vid, flags| VlanInfo { flags, vid };
        let tunnel =
            |vid, id, flags| VlanTunnel { vid: Some(vid), id: Some(id), flags: Some(flags), ..VlanTunnel::default() };
        BridgeSpec {
            vlan_info: vec![vlan(1, PVID | UNTAGGED), vlan(10, RANGE_BEGIN), vlan(20, RANGE_END), vlan(30, 0)],
            vlan_tunnel_info: vec![tunnel(10, 1000, RANGE_BEGIN), tunnel(20, 1010, RANGE_END), tunnel(30, 7, 0)],
            ..BridgeSpec::default()
        }
    }

    #[test]
    fn vlans_are_ranges_with_flags() {
        let shown = |only| printed(false, |p| print(p, 2, &spec(), only, &Devices::default()));
        let all = "if2               1 PVID Egress Untagged\n                  10-20\n                  30\n";
        assert_eq!(shown(0), all);
        assert_eq!(shown(15), "if2               10-20\n");
        assert_eq!(shown(40), "");
        let json = r#"{"ifname":"if2","vlans":[{"vlan":1,"flags":["PVID","Egress Untagged"]},{"vlan":10,"vlanEnd":20,"flags":[]},{"vlan":30}]}"#;
        assert_eq!(printed(true, |p| print(p, 2, &spec(), 0, &Devices::default())), json);
    }

    #[test]
    fn tunnels_stand_in_a_column() {
        let text = "if2               10-20      1000-1010\n                  30         7\n";
        assert_eq!(printed(false, |p| print_tunnels(p, 2, &spec(), 0, &Devices::default())), text);
    }

    #[test]
    fn counters_of_ports_are_not_told_of_the_bridge() {
        let vlan = |vid, flags| VlanXstats { vid, flags, rx_bytes: 5, ..VlanXstats::default() };
        let counters =
            BridgeXstats { vlan: vec![vlan(1, MASTER), vlan(2, MASTER | BRENTRY | PVID)], ..BridgeXstats::default() };
        let text = "if2               2 PVID\n                    RX: 5 bytes 0 packets\n                    TX: 0 bytes \
                    0 packets\n";
        assert_eq!(printed(false, |p| print_counters(p, 2, &counters, 0, &Devices::default())), text);
    }

    #[test]
    fn options_of_one_port_are_one_list() {
        let entry = |vid| VlanEntry {
            info: Some(VlanInfo { flags: 0, vid }),
            state: Some(3),
            neigh_suppress: Some(0),
            stats: Some(VlanEntryStats { tx_bytes: Some(9), ..VlanEntryStats::default() }),
            ..VlanEntry::default()
        };
        let shown = |json| {
            printed(json, |p| {
                let mut options = Options::default();
                for (index, vid) in [(2, 1), (2, 5), (3, 1)] {
                    options.go_to(p, index);
                    options.print(p, index, &entry(vid), &Devices::default());
                }
                options.close(p);
            })
        };
        let text = "if2               1\n                    state forwarding neigh_suppress off \n                  5\n                    \
                    state forwarding neigh_suppress off \nif3               1\n                    state forwarding \
                    neigh_suppress off \n";
        assert_eq!(shown(false), text);
        let one = r#"{"vlan":1,"state":"forwarding","neigh_suppress":false}"#;
        let five = one.replace(":1,", ":5,");
        let json = format!(r#"{{"ifname":"if2","vlans":[{one},{five}]}},{{"ifname":"if3","vlans":[{one}]}}"#);
        assert_eq!(shown(true), json);
    }

    #[test]
    fn options_of_the_bridge_name_the_ports_with_routers() {
        let port = RouterPort { index: 4, ..RouterPort::default() };
        let routers = RouterPorts { port: vec![port], ..RouterPorts::default() };
        let options = VlanOptions {
            id: Some(10),
            range: Some(12),
            mcast_snooping: Some(1),
            mcast_query_intvl: Some(12_500),
            mcast_router_ports: Some(VlanRouters { router: Some(routers), ..VlanRouters::default() }),
            ..VlanOptions::default()
        };
        let text = "if2               10-12\n                    mcast_snooping 1 mcast_query_interval 12500 \n                    \
                    router ports: if4 \n";
        let shown = printed(false, |p| Options::default().print_global(p, 2, &options, &Devices::default()));
        assert_eq!(shown, text);
    }
}
