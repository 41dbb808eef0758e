//! Prints what is special about a kind of link: the lines that `ip -d` adds, and `linkinfo` in JSON.
//!
//! A file here is a kind. Each takes the typed data that the kernel sent, and prints it in the
//! order that `ip` has, which is not the order of the attributes. Names of other links come from
//! the [`Context`]; [`references`] tells the caller which ones to put there.
//!
//! To add a kind: a file, and an arm in `print_data` or `print_slave_data`.

mod bareudp;
mod bond;
mod bond_slave;
pub(in crate::out) mod bridge;
mod bridge_port;
mod endpoint;
pub(in crate::out) mod fact;
mod geneve;
mod gre;
mod hsr;
mod ip_tunnel;
mod ipvlan;
mod macsec;
mod macvlan;
mod netkit;
pub mod protocol;
mod tun;
mod vlan;
mod vti;
mod vxlan;

use vwire_netlink::wire::link::{KindData, LinkInfo, SlaveData};

use super::Printer;
use super::link::{Context, LinkStyle};

/// The kinds whose data `ip` prints; the others have no `info_data` in JSON.
const SHOWN: &[&str] = &[
    "bareudp",
    "bond",
    "bridge",
    "erspan",
    "geneve",
    "gre",
    "gretap",
    "hsr",
    "ip6erspan",
    "ip6gre",
    "ip6gretap",
    "ip6tnl",
    "ipip",
    "ipvlan",
    "ipvtap",
    "macsec",
    "macvlan",
    "macvtap",
    "netkit",
    "sit",
    "tun",
    "vlan",
    "vrf",
    "vti",
    "vti6",
    "vxlan",
    "xfrm",
];

/// The kinds of masters whose ports' data `ip` prints.
const SHOWN_SLAVES: &[&str] = &["bond", "bridge", "vrf"];

/// Prints the kind of a link and what its master says of it: a line for each.
pub fn print(p: &mut Printer, info: &LinkInfo, style: LinkStyle, context: &Context) {
    p.open_object(Some("linkinfo"));
    if let Some(kind) = &info.kind {
        p.line_break();
        p.string("info_kind", "    ", kind.as_bytes(), " ");
        if kind.as_str().is_some_and(|kind| SHOWN.contains(&kind)) {
            p.open_object(Some("info_data"));
            if let Some(data) = &info.data {
                print_data(p, data, kind.as_str().unwrap_or_default(), style, context);
            }
            p.close_object();
        }
    }
    if let Some(kind) = &info.slave_kind {
        p.line_break();
        p.string("info_slave_kind", "    ", kind.as_bytes(), "_slave ");
        if kind.as_str().is_some_and(|kind| SHOWN_SLAVES.contains(&kind)) {
            p.open_object(Some("info_slave_data"));
            if let Some(data) = &info.slave_data {
                print_slave_data(p, data, context);
            }
            p.close_object();
        }
    }
    p.close_object();
}

fn print_data(p: &mut Printer, data: &KindData, kind: &str, style: LinkStyle, context: &Context) {
    match data {
        KindData::Bareudp(data) => bareudp::print(p, data, style),
        KindData::Bond(data) => bond::print(p, data, context),
        KindData::Bridge(data) => bridge::print(p, data, style),
        KindData::Geneve(data) => geneve::print(p, data),
        KindData::Gre(data) => gre::print(p, data, kind, context),
        KindData::Hsr(data) => hsr::print(p, data, context),
        KindData::IpTunnel(data) => ip_tunnel::print(p, data, kind, context),
        KindData::Ipvlan(data) => ipvlan::print(p, data),
        KindData::Macsec(data) => macsec::print(p, data),
        KindData::Macvlan(data) => macvlan::print(p, data),
        KindData::Netkit(data) => netkit::print(p, data),
        KindData::Tun(data) => tun::print(p, data, context),
        KindData::Vlan(data) => vlan::print(p, data, style),
        KindData::Vrf(data) => fact::number(p, "table", data.table),
        KindData::Vti(data) => vti::print(p, data, kind, context),
        KindData::Vxlan(data) => vxlan::print(p, data, style, context),
        KindData::Xfrm(data) if data.collect_metadata => p.mark("external", "external "),
        KindData::Xfrm(data) => fact::hexadecimal(p, "if_id", "if_id", data.if_id),
        _ => {}
    }
}

fn print_slave_data(p: &mut Printer, data: &SlaveData, context: &Context) {
    match data {
        SlaveData::BondSlave(data) => bond_slave::print(p, data),
        SlaveData::BridgePort(data) => bridge_port::print(p, data, context),
        SlaveData::VrfPort(data) => fact::number(p, "table", data.table),
        SlaveData::Unknown(_) => {}
    }
}

/// Returns the indexes of the links whose names [`print()`] shows.
#[must_use]
pub fn references(info: &LinkInfo) -> Vec<u32> {
    let of_kind = match &info.data {
        Some(KindData::Bond(data)) => vec![data.active_slave, data.primary],
        Some(KindData::Gre(data)) => vec![data.link],
        Some(KindData::Hsr(data)) => vec![data.slave1, data.slave2, data.interlink],
        Some(KindData::IpTunnel(data)) => vec![data.link],
        Some(KindData::Vti(data)) => vec![data.link],
        Some(KindData::Vxlan(data)) => vec![data.link],
        _ => vec![],
    };
    let of_port = match &info.slave_data {
        Some(SlaveData::BridgePort(data)) => data.backup_port,
        _ => None,
    };
    of_kind.into_iter().chain([of_port]).flatten().filter(|index| *index != 0).collect()
}

/// Who may attach to a TUN or TAP device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owners {
    /// The id of the user.
    pub user: Option<u32>,
    /// The id of the group of users.
    pub group: Option<u32>,
}

/// Returns the users whose names [`print()`] shows.
#[must_use]
pub fn owners(info: &LinkInfo) -> Owners {
    match &info.data {
        Some(KindData::Tun(tun)) => Owners { user: tun.owner, group: tun.group },
        _ => Owners::default(),
    }
}

/// Prints with both layouts and returns the text and the members of the JSON object.
#[cfg(test)]
fn printed(print: impl Fn(&mut Printer)) -> (String, String) {
    let said = |json| {
        let mut p = Printer::new(super::Layout { json, ..super::Layout::default() });
        p.open_object(None);
        print(&mut p);
        p.close_object();
        String::from_utf8(p.take()).unwrap()
    };
    let members = said(true);
    (said(false), members[1..members.len() - 1].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::counters::CounterStyle;
    use vwire_netlink::wire::link::{bridge::BridgePort, vxlan::Vxlan};

    pub(super) const STYLE: LinkStyle = LinkStyle {
        details: 1,
        counters: CounterStyle { level: 0, human: false, iec: false },
        is_link: true,
        link_line: true,
        queue_length: true,
        numeric: false,
    };

    fn both(info: &LinkInfo) -> (String, String) {
        printed(|p| print(p, info, STYLE, &Context::default()))
    }

    #[test]
    fn a_kind_without_options_has_a_line_and_no_data() {
        let info = LinkInfo { kind: Some("veth".into()), ..LinkInfo::default() };
        assert_eq!(both(&info), ("\n    veth ".into(), r#""linkinfo":{"info_kind":"veth"}"#.into()));
    }

    #[test]
    fn a_kind_whose_data_is_missing_has_an_empty_object() {
        let info = LinkInfo { kind: Some("bridge".into()), ..LinkInfo::default() };
        assert_eq!(both(&info).1, r#""linkinfo":{"info_kind":"bridge","info_data":{}}"#);
    }

    #[test]
    fn a_port_has_a_line_of_its_own() {
        let port = BridgePort { state: Some(3), ..BridgePort::default() };
        let info = LinkInfo {
            kind: Some("veth".into()),
            slave_kind: Some("bridge".into()),
            slave_data: Some(port.into()),
            ..LinkInfo::default()
        };
        assert_eq!(both(&info).0, "\n    veth \n    bridge_slave state forwarding ");
        let wanted =
            r#""linkinfo":{"info_kind":"veth","info_slave_kind":"bridge","info_slave_data":{"state":"forwarding"}}"#;
        assert_eq!(both(&info).1, wanted);
    }

    #[test]
    fn the_links_that_are_named_are_told_to_the_caller() {
        let data = Vxlan { link: Some(7), ..Vxlan::default() };
        let port = BridgePort { backup_port: Some(9), ..BridgePort::default() };
        let info = LinkInfo { data: Some(data.into()), slave_data: Some(port.into()), ..LinkInfo::default() };
        assert_eq!(references(&info), [7, 9]);
        let none = Vxlan { link: Some(0), ..Vxlan::default() };
        assert_eq!(references(&LinkInfo { data: Some(none.into()), ..LinkInfo::default() }), Vec::<u32>::new());
    }
}
