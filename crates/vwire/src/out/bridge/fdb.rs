//! Prints an address that a bridge or a VXLAN knows as `bridge fdb` does.

use vwire_netlink::Neighbour;
use vwire_netlink::wire::neighbour::{FdbExtended, NeighbourCacheInfo};

use super::{Devices, colour, spell};
use crate::out::arphrd::address_text;
use crate::out::{Colour, Printer};

/// `NTF_*` and their words, in the order in which they are printed.
const FLAGS: [(u8, &str); 6] =
    [(0x02, "self"), (0x80, "router"), (0x10, "extern_learn"), (0x20, "offload"), (0x04, "master"), (0x40, "sticky")];
/// `NTF_EXT_LOCKED`.
const LOCKED: u32 = 0x2;
/// `NUD_REACHABLE`.
const REACHABLE: u16 = 0x02;
/// `NUD_STALE`.
const STALE: u16 = 0x04;
/// `NUD_NOARP`.
const NOARP: u16 = 0x40;
/// `NUD_PERMANENT`.
const PERMANENT: u16 = 0x80;
/// How many ticks of `nda_cacheinfo` are a second (`USER_HZ`).
const TICKS: u32 = 100;
/// `FDB_NOTIFY_BIT`.
const NOTIFY: u8 = 1;
/// `FDB_NOTIFY_INACTIVE_BIT`.
const INACTIVE: u8 = 2;

/// What is told of an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FdbStyle {
    /// Whether its device is named.
    pub device: bool,
    /// Whether its times are told.
    pub statistics: bool,
    /// Whether it is told how its activity is watched.
    pub details: bool,
}

/// Prints an address and ends its line.
pub fn print(p: &mut Printer, entry: &Neighbour, style: FdbStyle, devices: &Devices) {
    if let Some(address) = &entry.lladdr {
        let spelled = address_text(devices.link_type(entry.index), address.as_bytes());
        p.coloured(Some(Colour::Mac), "mac", "", spelled, " ");
    }
    if style.device && entry.index != 0 {
        p.text("dev ");
        p.coloured(Some(Colour::Device), "ifname", "", devices.name(entry.index), " ");
    }
    print_way(p, entry, devices);
    if let (true, Some(extended)) = (style.details, &entry.fdb_ext_attrs) {
        print_activity(p, extended);
    }
    if let (true, Some(times)) = (style.statistics, entry.cacheinfo) {
        print_times(p, times);
    }
    print_flags(p, entry);
    if let Some(master) = entry.master {
        p.string("master", "master ", devices.name(master), " ");
    }
    p.string("state", "", spell_state(entry.state, p.is_json()), "\n");
}

/// Prints where packets to the address go.
fn print_way(p: &mut Printer, entry: &Neighbour, devices: &Devices) {
    if let Some(address) = entry.dst {
        p.text("dst ");
        p.coloured(Some(colour(address)), "dst", "", spell(address), " ");
    }
    if let Some(vlan) = entry.vlan.filter(|vlan| *vlan != 0) {
        p.number("vlan", "vlan ", vlan, " ");
    }
    if let Some(port) = entry.port {
        p.number("port", "port ", port, " ");
    }
    if let Some(vni) = entry.vni {
        p.number("vni", "vni ", vni, " ");
    }
    if let Some(vni) = entry.src_vni {
        p.number("src_vni", "src_vni ", vni, " ");
    }
    match (entry.ifindex, entry.link_netnsid) {
        (Some(index), Some(_)) => p.number("viaIfIndex", "via ifindex ", index, " "),
        (Some(index), None) => p.string("viaIf", "via ", devices.name(index), " "),
        (None, _) => {}
    }
    if let Some(id) = entry.nh_id {
        p.number("nhid", "nhid ", id, " ");
    }
    if let Some(id) = entry.link_netnsid {
        // JSON has it as a number without a sign.
        let shown = if p.is_json() { i64::from(id.cast_unsigned()) } else { i64::from(id) };
        p.number("linkNetNsId", "link-netnsid ", shown, " ");
    }
}

fn print_activity(p: &mut Printer, extended: &FdbExtended) {
    let notify = extended.activity_notify.unwrap_or_default();
    if notify & NOTIFY != 0 {
        p.mark("activity_notify", "activity_notify ");
    }
    if notify & INACTIVE != 0 {
        p.mark("inactive", "inactive ");
    }
}

fn print_times(p: &mut Printer, times: NeighbourCacheInfo) {
    p.number("used", "used ", times.used / TICKS, "/");
    p.number("updated", "", times.updated / TICKS, " ");
}

fn print_flags(p: &mut Printer, entry: &Neighbour) {
    p.open_array(Some("flags"));
    for (flag, word) in FLAGS {
        if entry.flags & flag != 0 {
            p.element("", word, " ");
        }
    }
    if entry.flags_ext.is_some_and(|flags| flags & LOCKED != 0) {
        p.element("", "locked", " ");
    }
    p.close_array();
}

fn spell_state(state: u16, json: bool) -> String {
    match state {
        state if state & PERMANENT != 0 => "permanent".to_owned(),
        state if state & NOARP != 0 => "static".to_owned(),
        state if state & STALE != 0 => "stale".to_owned(),
        state if state & REACHABLE != 0 => String::new(),
        // C spells zero without the prefix.
        0 if json => "0".to_owned(),
        0 => "state=0".to_owned(),
        state if json => format!("{state:#x}"),
        state => format!("state={state:#x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;
    use vwire_netlink::LinkAddress;

    fn printed(entry: &Neighbour, json: bool) -> String {
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        let style = FdbStyle { device: true, statistics: true, details: true };
        print(&mut p, entry, style, &Devices::default());
        String::from_utf8(p.take()).unwrap()
    }

    #[test]
    fn all_that_may_stand_in_an_entry_is_told() {
        let entry = Neighbour {
            index: 4,
            state: NOARP,
            flags: 0xfe,
            lladdr: LinkAddress::new(&[2, 0, 0, 0, 0, 1]),
            dst: Some("2001:db8::1".parse().unwrap()),
            vlan: Some(10),
            port: Some(4789),
            vni: Some(7),
            src_vni: Some(8),
            ifindex: Some(9),
            nh_id: Some(5),
            link_netnsid: Some(3),
            flags_ext: Some(LOCKED),
            fdb_ext_attrs: Some(FdbExtended { activity_notify: Some(3), ..FdbExtended::default() }),
            cacheinfo: Some(NeighbourCacheInfo { used: 250, updated: 100, ..NeighbourCacheInfo::default() }),
            master: Some(2),
            ..Neighbour::default()
        };
        let text = "02:00:00:00:00:01 dev if4 dst 2001:db8::1 vlan 10 port 4789 vni 7 src_vni 8 via ifindex 9 nhid 5 \
                    link-netnsid 3 activity_notify inactive used 2/1 self router extern_learn offload master sticky \
                    locked master if2 static\n";
        assert_eq!(printed(&entry, false), text);
        assert!(printed(&entry, true).contains(r#""viaIfIndex":9,"nhid":5,"linkNetNsId":3,"activity_notify":true"#));
    }

    #[test]
    fn states_have_words_or_bits() {
        assert_eq!(spell_state(REACHABLE, false), "");
        assert_eq!(spell_state(STALE, false), "stale");
        assert_eq!(spell_state(0x20, false), "state=0x20");
        assert_eq!(spell_state(0x20, true), "0x20");
        assert_eq!(spell_state(0, false), "state=0");
    }
}
