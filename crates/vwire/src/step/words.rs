//! How changes are spelled: in `ip`'s own words. Pure.

use std::fmt::Write as _;
use std::net::IpAddr;

use vwire_netlink::wire::Attributes;
use vwire_netlink::wire::bridge::VlanInfo;
use vwire_netlink::wire::link::tun::Tun;
use vwire_netlink::wire::link::{KindData, SlaveData};
use vwire_netlink::wire::names::Names as Attributed;
use vwire_netlink::wire::route::Hop;
use vwire_netlink::{Address, AddressLabel, Link, Neighbour, Nexthop, Route, Rule, Text};

use super::part;
use super::world::{Names, Place};

/// `IFF_TAP`, as `IFLA_TUN_TYPE` has it.
const TAP: u8 = 2;

/// Words with a blank between each.
#[derive(Default)]
struct Line(String);

impl Line {
    fn word(&mut self, word: impl std::fmt::Display) -> &mut Self {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        let _ = write!(self.0, "{word}");
        self
    }

    fn pair(&mut self, word: &str, value: Option<impl std::fmt::Display>) -> &mut Self {
        if let Some(value) = value {
            self.word(word).word(value);
        }
        self
    }

    fn done(&mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

/// Returns the fields of a sysctl, whatever stands between them.
pub(super) fn fields(value: &str) -> Vec<&str> {
    value.split_whitespace().collect()
}

/// Spells names with a comma between each.
pub(super) fn list(names: &[Text]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The flags of a link and their words.
const FLAGS: &[(u32, &str, &str)] = &[
    (0x1, "up", "down"),
    (0x80, "arp off", "arp on"),
    (0x100, "promisc on", "promisc off"),
    (0x200, "allmulticast on", "allmulticast off"),
    (0x1000, "multicast on", "multicast off"),
    (0x8000, "dynamic on", "dynamic off"),
    (0x20, "trailers off", "trailers on"),
    (0x4, "debug on", "debug off"),
];

/// Spells what a request says of a link, without its name; `lower` is the place of what it stands on.
pub(super) fn link(link: &Link, names: &Names, lower: Place, place: Place) -> String {
    let mut line = Line::default();
    line.pair("link", link.link.filter(|below| *below != 0).map(|below| names.link(lower, below)));
    line.pair("name", link.ifname);
    match link.master {
        Some(0) => _ = line.word("nomaster"),
        master => _ = line.pair("master", master.map(|master| names.link(place, master))),
    }
    line.pair("address", link.address);
    line.pair("token", link.af_spec.as_ref().and_then(|families| families.inet6.as_ref()?.token));
    line.pair("broadcast", link.broadcast);
    line.pair("mtu", link.mtu);
    line.pair("txqueuelen", link.txqlen);
    line.pair("group", link.group);
    line.pair("alias", link.ifalias.as_ref().map(|alias| format!("\"{alias}\"")));
    line.pair("mode", link.linkmode.map(|mode| if mode == 1 { "dormant" } else { "default" }));
    let sizes = [
        ("gso_max_size", link.gso_max_size),
        ("gso_max_segs", link.gso_max_segs),
        ("gro_max_size", link.gro_max_size),
        ("gso_ipv4_max_size", link.gso_ipv4_max_size),
        ("gro_ipv4_max_size", link.gro_ipv4_max_size),
    ];
    sizes.into_iter().for_each(|(word, value)| _ = line.pair(word, value));
    let switch = |on: u8| if on == 0 { "off" } else { "on" };
    line.pair("carrier", link.carrier.map(switch));
    line.pair("protodown", link.proto_down.map(switch));
    line.pair("protodown_reason", link.proto_down_reason.as_ref().and_then(|reason| reason.value));
    line.pair(
        "addrgenmode",
        link.addr_gen_mode().map(|mode| match mode {
            0 => "eui64",
            1 => "none",
            2 => "stable_secret",
            _ => "random",
        }),
    );
    if let Some(inet) = link.af_spec.as_ref().and_then(|families| families.inet.as_ref()) {
        for setting in inet.other.iter().flat_map(|raw| Attributes::new(&raw.payload)) {
            line.word("inet").word(setting.number()).word(number(setting.payload()));
        }
    }
    for (_, words) in flags(link) {
        line.word(words);
    }
    kind(&mut line, link, |index| names.link(place, index));
    line.done()
}

/// Spells each flag that a request sets or clears, with what it is called; `flags` is whether the link is up.
pub(super) fn flags(link: &Link) -> Vec<(&'static str, &'static str)> {
    let asked = FLAGS.iter().filter(|(flag, ..)| link.change & flag != 0);
    let spelled = asked.map(|(flag, set, cleared)| {
        let words = if link.flags & flag != 0 { set } else { cleared };
        (words.split_once(' ').map_or("flags", |(name, _)| name), *words)
    });
    spelled.collect()
}

/// Spells one attribute of a kind, with what it is called.
pub(super) fn of_kind(kind: &str, number: u16, payload: &[u8]) -> (&'static str, String) {
    let mut line = Line::default();
    let names = KindData::names(kind.as_bytes());
    let name = names.and_then(|names| names.row(number)).map_or("option", |row| row.name);
    let name = name.strip_prefix("r#").unwrap_or(name);
    let bytes = part::emitted(|out| out.bytes(number, payload));
    options(&mut line, kind.as_bytes(), names, &bytes, |index| format!("if{index}"));
    let words = line.done();
    (name, if words.is_empty() { "none".to_owned() } else { words })
}

fn kind(line: &mut Line, link: &Link, name_of: impl Fn(u32) -> String) {
    let Some(info) = &link.linkinfo else { return };
    if let Some(kind) = &info.kind {
        line.word("type").word(kind);
        if let Some(KindData::Unknown(raw)) = &info.data {
            options(line, kind.as_bytes(), KindData::names(kind.as_bytes()), &raw.0, name_of);
        }
    }
    if let Some(kind) = &info.slave_kind {
        line.word("type").word(format!("{kind}_slave"));
        if let Some(SlaveData::Unknown(raw)) = &info.slave_data {
            options(line, b"", SlaveData::names(kind.as_bytes()), &raw.0, |index| index.to_string());
        }
    }
}

fn options(
    line: &mut Line,
    kind: &[u8],
    names: Option<&'static Attributed>,
    bytes: &[u8],
    name_of: impl Fn(u32) -> String,
) {
    for attribute in Attributes::new(bytes) {
        let payload = attribute.payload();
        let Some(row) = names.and_then(|names| names.row(attribute.number())) else {
            line.word(attribute.number()).word(number(payload));
            continue;
        };
        match option(kind, row.name, payload, &name_of) {
            Some(words) if words.is_empty() => {}
            Some(words) => _ = line.word(words),
            None if payload.is_empty() => _ = line.word(row.name),
            None => _ = line.word(row.name).word(number(payload)),
        }
    }
}

/// The words for `MACVLAN_MODE_*`.
const MACVLAN_MODES: &[(u32, &str)] = &[(1, "private"), (2, "vepa"), (4, "bridge"), (8, "passthru"), (16, "source")];

/// Spells an option that `ip` has other words for than its number; none for any other, and nothing for one that says nothing.
fn option(kind: &[u8], name: &str, payload: &[u8], name_of: impl Fn(u32) -> String) -> Option<String> {
    let ip = || -> Option<IpAddr> {
        Some(match payload.len() {
            4 => IpAddr::from(<[u8; 4]>::try_from(payload).ok()?),
            _ => IpAddr::from(<[u8; 16]>::try_from(payload).ok()?),
        })
    };
    let index = || Some(u32::from_ne_bytes(payload.try_into().ok()?));
    let port = || Some(u16::from_be_bytes(payload.try_into().ok()?));
    let switch = |word: &str| Some(if payload.first()? == &0 { format!("no{word}") } else { word.to_owned() });
    let unless = |is_nothing: bool, words: String| Some(if is_nothing { String::new() } else { words });
    match (kind, name) {
        (b"vxlan", "group" | "group6") => {
            let ip = ip()?;
            unless(ip.is_unspecified(), format!("{} {ip}", if ip.is_multicast() { "group" } else { "remote" }))
        }
        (b"vxlan", "local" | "local6") => {
            let ip = ip()?;
            unless(ip.is_unspecified(), format!("local {ip}"))
        }
        (b"vxlan", "link") => {
            let index = index()?;
            unless(index == 0, format!("dev {}", name_of(index)))
        }
        (b"vxlan", "port") => Some(format!("dstport {}", port()?)),
        (b"vxlan", "learning" | "proxy" | "rsc" | "l2miss" | "l3miss") => switch(name),
        (b"vxlan", "limit") => Some(format!("maxaddress {}", index()?)),
        (b"macvlan" | b"macvtap", "mode") => {
            let mode = index()?;
            let (_, word) = MACVLAN_MODES.iter().find(|(number, _)| *number == mode)?;
            Some(format!("mode {word}"))
        }
        (b"vlan", "protocol") => match port()? {
            0x8100 => Some("protocol 802.1Q".to_owned()),
            0x88a8 => Some("protocol 802.1ad".to_owned()),
            _ => None,
        },
        _ => None,
    }
}

/// Spells a payload as a number where it has the length of one.
fn number(payload: &[u8]) -> String {
    match *payload {
        [one] => one.to_string(),
        [a, b] => u16::from_ne_bytes([a, b]).to_string(),
        [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).to_string(),
        [a, b, c, d, e, f, g, h] => u64::from_ne_bytes([a, b, c, d, e, f, g, h]).to_string(),
        _ => payload.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Spells an address and its link.
pub(super) fn address(address: &Address, names: &Names, place: Place) -> String {
    let (local, peer) = (super::address::local(address), super::address::peer(address));
    let mut line = Line::default();
    let length = address.prefixlen;
    match (local, peer) {
        (Some(local), Some(peer)) if local != peer => {
            line.word(local).word("peer").word(format!("{peer}/{length}"));
        }
        (Some(local), _) => _ = line.word(format!("{local}/{length}")),
        _ => {}
    }
    line.pair("brd", address.broadcast);
    line.pair("metric", address.rt_priority);
    match address.scope {
        0 => {}
        253 => _ = line.word("scope link"),
        254 => _ = line.word("scope host"),
        other => _ = line.word("scope").word(other),
    }
    line.word("dev").word(names.link(place, address.index));
    let flags = address.flags.unwrap_or(0);
    let words = [
        (0x02, "nodad"),
        (0x04, "optimistic"),
        (0x10, "home"),
        (0x100, "mngtmpaddr"),
        (0x200, "noprefixroute"),
        (0x400, "autojoin"),
    ];
    for (_, word) in words.into_iter().filter(|(flag, _)| flags & flag != 0) {
        line.word(word);
    }
    line.done()
}

/// The words for what happens to a packet (`RTN_*`); a plain route has none.
const ROUTE_TYPES: &[(u8, &str)] = &[
    (2, "local"),
    (3, "broadcast"),
    (4, "anycast"),
    (5, "multicast"),
    (6, "blackhole"),
    (7, "unreachable"),
    (8, "prohibit"),
    (9, "throw"),
    (10, "nat"),
];

fn prefix(address: Option<IpAddr>, length: u8) -> String {
    match address {
        Some(address) if length == if address.is_ipv4() { 32 } else { 128 } => address.to_string(),
        Some(address) => format!("{address}/{length}"),
        None => "default".to_owned(),
    }
}

fn table(line: &mut Line, table: u32) {
    match table {
        254 | 0 => {}
        255 => _ = line.word("table local"),
        253 => _ = line.word("table default"),
        other => _ = line.word("table").word(other),
    }
}

/// Spells a route.
pub(super) fn route(route: &Route, names: &Names, place: Place) -> String {
    let mut line = Line::default();
    if let Some((_, word)) = ROUTE_TYPES.iter().find(|(number, _)| *number == route.route_type) {
        line.word(word);
    }
    let destination = super::route::destination(route);
    if destination.is_none() && route.family == 10 {
        line.word("default").word("(IPv6)");
    } else {
        line.word(prefix(destination, route.dst_len));
    }
    line.pair("from", route.src.map(|source| prefix(Some(source), route.src_len)));
    line.pair("tos", Some(route.tos).filter(|tos| *tos != 0));
    line.pair("nhid", route.nh_id);
    line.pair("via", route.gateway);
    if let Some(via) = &route.via {
        line.pair("via inet6", via.ip());
    }
    line.pair("dev", route.oif.map(|index| names.link(place, index)));
    table(&mut line, route.table_id());
    line.pair("metric", route.priority);
    line.pair("src", route.prefsrc);
    line.pair("mtu", route.metrics.as_ref().and_then(|metrics| metrics.mtu));
    if route.flags & 4 != 0 {
        line.word("onlink");
    }
    for hop in route.multipath.iter().flat_map(|paths| &paths.0) {
        hop_words(&mut line, hop, names, place);
    }
    line.done()
}

fn hop_words(line: &mut Line, hop: &Hop, names: &Names, place: Place) {
    line.word("nexthop").pair("via", hop.gateway);
    line.pair("dev", Some(hop.index).filter(|index| *index != 0).map(|index| names.link(place, index)));
    line.pair("weight", Some(u16::from(hop.hops) + 1));
}

/// Spells a rule.
pub(super) fn rule(rule: &Rule) -> String {
    let mut line = Line::default();
    if rule.family == 10 {
        line.word("(IPv6)");
    }
    if rule.flags & 2 != 0 {
        line.word("not");
    }
    let from = rule.src.map_or("all".to_owned(), |source| prefix(Some(source), rule.src_len));
    line.word("from").word(from);
    line.pair("to", rule.dst.map(|destination| prefix(Some(destination), rule.dst_len)));
    line.pair(
        "fwmark",
        rule.fwmark.map(|mark| match rule.fwmask {
            Some(mask) if mask != u32::MAX => format!("{mark:#x}/{mask:#x}"),
            _ => format!("{mark:#x}"),
        }),
    );
    line.pair("iif", rule.iifname);
    line.pair("oif", rule.oifname);
    line.pair("goto", rule.goto);
    match rule.action {
        1 if rule.table_id() == 254 => _ = line.word("lookup main"),
        1 => table(&mut line, rule.table_id()),
        6 => _ = line.word("blackhole"),
        7 => _ = line.word("unreachable"),
        8 => _ = line.word("prohibit"),
        _ => {}
    }
    line.pair("priority", rule.priority);
    line.done()
}

/// Spells a neighbour.
pub(super) fn neighbour(neighbour: &Neighbour, names: &Names, place: Place) -> String {
    let mut line = Line::default();
    if super::neighbour::is_proxy(neighbour) {
        line.word("proxy");
    }
    line.word(neighbour.dst.map_or_else(String::new, |address| address.to_string()));
    line.pair("lladdr", neighbour.lladdr);
    line.word("dev").word(names.link(place, neighbour.index));
    let states = [(0x80, "permanent"), (0x40, "noarp"), (0x02, "reachable"), (0x04, "stale")];
    line.pair("nud", states.into_iter().find(|(state, _)| neighbour.state & state != 0).map(|(_, word)| word));
    line.done()
}

/// Spells what a bridge or a VXLAN knows.
pub(super) fn forwarding(entry: &Neighbour, names: &Names, place: Place) -> String {
    let mut line = Line::default();
    line.word(entry.lladdr.map_or_else(String::new, |address| address.to_string()));
    line.word("dev").word(names.link(place, entry.index));
    line.pair("dst", entry.dst);
    line.pair("vlan", entry.vlan);
    line.word(if entry.flags & 0x02 != 0 { "self" } else { "master" });
    line.word(if entry.state & 0x80 != 0 { "permanent" } else { "static" });
    line.done()
}

/// Spells a next hop.
pub(super) fn nexthop(hop: &Nexthop, names: &Names, place: Place) -> String {
    let mut line = Line::default();
    line.pair("id", hop.id);
    if let Some(members) = &hop.group {
        let members: Vec<String> = members.iter().map(|member| member.id.to_string()).collect();
        line.word("group").word(members.join("/"));
    }
    line.pair("via", hop.gateway);
    line.pair("dev", hop.oif.map(|index| names.link(place, index)));
    if hop.blackhole {
        line.word("blackhole");
    }
    line.done()
}

/// Spells a label.
pub(super) fn label(label: &AddressLabel, names: &Names, place: Place) -> String {
    let mut line = Line::default();
    let address = label.address.map_or("::".to_owned(), |address| address.to_string());
    line.word("prefix").word(format!("{address}/{}", label.prefixlen));
    line.pair("dev", Some(label.index).filter(|index| *index != 0).map(|index| names.link(place, index)));
    line.pair("label", label.label);
    line.done()
}

/// Spells VLANs, ranges as `10-20`.
pub(super) fn vlans(list: &[VlanInfo]) -> String {
    let mut line = Line::default();
    let mut begin = None;
    for info in list {
        if info.flags & 0x08 != 0 {
            begin = Some(info.vid);
            continue;
        }
        match begin.take() {
            Some(first) => _ = line.word(format!("{first}-{}", info.vid)),
            None => _ = line.word(info.vid),
        }
        if info.flags & 0x02 != 0 {
            line.word("pvid");
        }
        if info.flags & 0x04 != 0 {
            line.word("untagged");
        }
    }
    if list.is_empty() { "none".to_owned() } else { line.done() }
}

/// Spells how a TUN or TAP is made.
pub(super) fn tuntap(name: &str, tun: &Tun) -> String {
    let mut line = Line::default();
    line.word("tuntap add").word(name).word("mode").word(if tun.r#type == Some(TAP) { "tap" } else { "tun" });
    line.pair("user", tun.owner).pair("group", tun.group);
    let switches = [("pi", tun.pi), ("vnet_hdr", tun.vnet_hdr), ("multi_queue", tun.multi_queue)];
    for (word, _) in switches.into_iter().filter(|(_, value)| value.is_some_and(|value| value != 0)) {
        line.word(word);
    }
    line.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(kind: &[u8], name: &str, payload: &[u8]) -> Option<String> {
        option(kind, name, payload, |index| format!("if{index}"))
    }

    #[test]
    fn options_are_spelled_as_ip_has_them() {
        let some = |words: &str| Some(words.to_owned());
        assert_eq!(spelled(b"vxlan", "group", &[192, 0, 2, 2]), some("remote 192.0.2.2"));
        assert_eq!(spelled(b"vxlan", "group", &[239, 0, 0, 1]), some("group 239.0.0.1"));
        assert_eq!(spelled(b"vxlan", "local", &[0; 4]), some(""));
        assert_eq!(spelled(b"vxlan", "port", &[0x12, 0xb5]), some("dstport 4789"));
        assert_eq!(spelled(b"vxlan", "learning", &[0]), some("nolearning"));
        assert_eq!(spelled(b"vxlan", "link", &7_u32.to_ne_bytes()), some("dev if7"));
        assert_eq!(spelled(b"macvlan", "mode", &4_u32.to_ne_bytes()), some("mode bridge"));
        assert_eq!(spelled(b"vlan", "protocol", &[0x88, 0xa8]), some("protocol 802.1ad"));
        assert_eq!(spelled(b"bridge", "vlan_filtering", &[1]), None);
        assert_eq!(spelled(b"vxlan", "group", &[1, 2, 3]), None);
    }

    #[test]
    fn a_tap_is_spelled_with_its_owner_and_flags() {
        let tun = Tun { r#type: Some(TAP), owner: Some(65_534), vnet_hdr: Some(1), pi: Some(0), ..Tun::default() };
        assert_eq!(tuntap("tap0", &tun), "tuntap add tap0 mode tap user 65534 vnet_hdr");
        assert_eq!(tuntap("t0", &Tun::default()), "tuntap add t0 mode tun");
    }
}
