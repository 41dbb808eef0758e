//! Prints a link as `ip link` and `ip address` do: one record, its lines in `ip`'s order.
//!
//! What the record needs besides the link itself, such as the names of the links that it refers
//! to, stands in a [`Context`] that the caller has filled: nothing is asked of the kernel here.

use std::collections::HashMap;
use std::rc::Rc;

use vwire_netlink::Link;
use vwire_netlink::wire::link::Stats64;

use super::arphrd::{address_text, type_word};
use super::colour::Colour;
use super::counters::{self, CounterStyle};
use super::{Printer, kind};
use crate::snapshot::device::OPERSTATES;

/// `IFF_UP` (`linux/if.h`).
const IFF_UP: u32 = 1;
/// `IFF_POINTOPOINT`.
const IFF_POINTOPOINT: u32 = 0x10;
/// `IFF_RUNNING`, which `ip` never shows.
const IFF_RUNNING: u32 = 0x40;

/// The words for `IFF_*`, in the order in which `ip` prints them.
const FLAGS: &[(u32, &str)] = &[
    (0x8, "LOOPBACK"),
    (0x2, "BROADCAST"),
    (IFF_POINTOPOINT, "POINTOPOINT"),
    (0x1000, "MULTICAST"),
    (0x80, "NOARP"),
    (0x200, "ALLMULTI"),
    (0x100, "PROMISC"),
    (0x400, "MASTER"),
    (0x800, "SLAVE"),
    (0x4, "DEBUG"),
    (0x8000, "DYNAMIC"),
    (0x4000, "AUTOMEDIA"),
    (0x2000, "PORTSEL"),
    (0x20, "NOTRAILERS"),
    (IFF_UP, "UP"),
    (0x10000, "LOWER_UP"),
    (0x20000, "DORMANT"),
    (0x40000, "ECHO"),
];

/// The words for `IF_LINK_MODE_*`.
pub const LINKMODES: [&str; 2] = ["DEFAULT", "DORMANT"];

/// The words for `IFLA_EVENT_*`.
const EVENTS: [&str; 8] = [
    "NONE",
    "REBOOT",
    "FEATURE CHANGE",
    "BONDING FAILOVER",
    "NOTIFY PEERS",
    "RESEND IGMP",
    "BONDING OPTION",
    "IFLA_EVENT_UNKNOWN",
];

/// Which parts of a link are printed.
#[derive(Debug, Clone, Copy)]
pub struct LinkStyle {
    /// How often `-d` was given.
    pub details: u8,
    /// `-s`, `-h`, `-iec`.
    pub counters: CounterStyle,
    /// `ip link` rather than `ip address`: link mode, alias and counters belong to the record.
    pub is_link: bool,
    /// Whether the line `link/TYPE …` is printed: not with `-4` and `-6`.
    pub link_line: bool,
    /// Whether `qlen` is printed: not by `ip monitor`.
    pub queue_length: bool,
    /// `-N`: numbers in the place of names.
    pub numeric: bool,
}

/// What a link's record needs to know of the rest of the system.
#[derive(Debug, Default)]
pub struct Context {
    /// Names and flags of links by their index.
    pub links: HashMap<u32, (Vec<u8>, u32)>,
    /// Names of namespaces by the id that this namespace has for them.
    pub namespaces: HashMap<i32, Vec<u8>>,
    /// Names of link groups.
    pub groups: Rc<HashMap<u32, String>>,
    /// Names of the reasons for `protodown`, by their bit.
    pub protodown_reasons: Rc<HashMap<u32, String>>,
    /// Names of users, who may own TUN and TAP devices.
    pub users: HashMap<u32, String>,
    /// Names of groups of users.
    pub user_groups: HashMap<u32, String>,
}

impl Context {
    /// Returns the name of a link, `if` and its index where it is not known.
    #[must_use]
    pub fn link_name(&self, index: u32) -> Vec<u8> {
        self.links.get(&index).map_or_else(|| format!("if{index}").into_bytes(), |(name, _)| name.clone())
    }

    /// Returns the name of a group, or its number.
    #[must_use]
    pub fn group_name(&self, group: u32, numeric: bool) -> String {
        match self.groups.get(&group) {
            Some(name) if !numeric => name.clone(),
            _ => group.to_string(),
        }
    }
}

/// Returns the indexes of the links whose names the record shows.
#[must_use]
pub fn references(link: &Link) -> Vec<u32> {
    let lower = link.link.filter(|index| *index != 0 && link.link_netnsid.is_none());
    let of_kind = link.linkinfo.as_deref().map(kind::references).unwrap_or_default();
    lower.into_iter().chain(link.master).chain(of_kind).collect()
}

/// Prints a link's record, without the line feed at its end.
pub fn print(p: &mut Printer, link: &Link, style: LinkStyle, context: &Context) {
    p.number("ifindex", "", link.index, ": ");
    let lower_down = print_name(p, link, context, "", ": ");
    print_flags(p, link.flags, lower_down);
    if let Some(mtu) = link.mtu {
        p.number("mtu", "mtu ", mtu, " ");
    }
    super::xdp::print_brief(p, link, style.is_link);
    if let Some(qdisc) = &link.qdisc {
        p.string("qdisc", "qdisc ", qdisc, " ");
    }
    if let Some(master) = link.master {
        p.string("master", "master ", context.link_name(master), " ");
    }
    if let Some(state) = link.operstate {
        print_operstate(p, state);
    }
    if let (true, Some(mode)) = (style.is_link, link.linkmode) {
        print_linkmode(p, mode);
    }
    if let Some(group) = link.group {
        p.string("group", "group ", context.group_name(group, style.numeric), " ");
    }
    if let (true, Some(length)) = (style.queue_length, link.txqlen) {
        p.number("txqlen", "qlen ", length, "");
    }
    if let Some(event) = link.event {
        print_event(p, event);
    }
    if style.link_line || style.details > 0 {
        print_addresses(p, link, style);
    }
    print_namespace(p, link, context);
    print_protodown(p, link, context);
    if style.details > 0 {
        print_details(p, link, style, context);
    }
    if let (true, Some(alias)) = (style.is_link || style.details > 0, &link.ifalias) {
        p.line_break();
        p.string("ifalias", "    alias ", alias, "");
    }
    if style.is_link || style.details > 0 {
        super::xdp::print_programs(p, link);
    }
    if let (true, 1.., Some(stats)) = (style.is_link, style.counters.level, stats_of(link)) {
        p.line_break();
        counters::print(p, stats, link.carrier_changes, style.counters);
    }
    if style.is_link || style.details > 0 {
        super::vf::print(p, link);
    }
    print_altnames(p, link);
}

/// Prints a link's record in one line, as `-br` has it: name, state, and for `ip link` address and flags.
pub fn print_brief(p: &mut Printer, link: &Link, is_link: bool, context: &Context) {
    let lower_down = print_name_padded(p, link, context);
    if let Some(state) = link.operstate {
        match OPERSTATES.get(usize::from(state)) {
            // Only text is padded.
            Some(word) if !p.is_json() => {
                p.coloured_text(state_colour(state), "", format!("{word:<14}"), " ");
            }
            _ => print_operstate(p, state),
        }
    }
    if is_link {
        if let Some(address) = &link.address {
            let spelled = address_text(link.link_type, address.as_bytes());
            p.coloured(Some(Colour::Mac), "address", "", spelled, " ");
        }
        print_flags(p, link.flags, lower_down);
    }
}

/// Returns the counters that the kernel sent with a link.
fn stats_of(link: &Link) -> Option<&Stats64> {
    link.stats64.as_deref()
}

/// Prints `NAME@LOWER` and returns whether the lower link is known to be down.
fn print_name(p: &mut Printer, link: &Link, context: &Context, before: &str, after: &str) -> bool {
    let (shown, lower_down) = name_and_lower(p, link, context);
    p.coloured(Some(Colour::Device), "ifname", before, shown, after);
    lower_down
}

fn print_name_padded(p: &mut Printer, link: &Link, context: &Context) -> bool {
    let (mut shown, lower_down) = name_and_lower(p, link, context);
    if !p.is_json() {
        shown.resize(shown.len().max(16), b' ');
    }
    p.coloured(Some(Colour::Device), "ifname", "", shown, " ");
    lower_down
}

/// Returns the name with `@` and the lower link or peer in text; in JSON that one has a member of its own.
fn name_and_lower(p: &mut Printer, link: &Link, context: &Context) -> (Vec<u8>, bool) {
    let mut name = link.ifname.as_ref().map(|name| name.as_bytes().to_vec()).unwrap_or_default();
    let Some(lower) = link.link else { return (name, false) };
    let mut lower_down = false;
    let shown = match (lower, link.link_netnsid) {
        (0, _) => {
            p.null("link", "");
            b"NONE".to_vec()
        }
        (index, Some(_)) => {
            p.number_json("link_index", index);
            format!("if{index}").into_bytes()
        }
        (index, None) => {
            let shown = context.link_name(index);
            lower_down = context.links.get(&index).is_some_and(|(_, flags)| flags & IFF_UP == 0);
            p.string_json("link", &shown);
            shown
        }
    };
    if !p.is_json() {
        name.push(b'@');
        name.extend_from_slice(&shown);
    }
    (name, lower_down)
}

/// Prints `<FLAG,…> `.
pub(super) fn print_flags(p: &mut Printer, flags: u32, lower_down: bool) {
    p.open_array(Some("flags"));
    p.text("<");
    let mut left = flags & !IFF_RUNNING;
    if flags & IFF_UP != 0 && flags & IFF_RUNNING == 0 {
        p.element("", "NO-CARRIER", if flags == 0 { "" } else { "," });
    }
    for (flag, word) in FLAGS {
        if left & flag != 0 {
            left &= !flag;
            p.element("", word, if left == 0 { "" } else { "," });
        }
    }
    if left != 0 {
        p.element("", format!("{left:x}"), "");
    }
    if lower_down {
        p.element(",", "M-DOWN", "");
    }
    p.text("> ");
    p.close_array();
}

fn state_colour(state: u8) -> Option<Colour> {
    match state {
        6 => Some(Colour::Up),
        2 => Some(Colour::Down),
        _ => None,
    }
}

fn print_operstate(p: &mut Printer, state: u8) {
    match OPERSTATES.get(usize::from(state)) {
        Some(word) => {
            p.text("state ");
            p.coloured(state_colour(state), "operstate", "", word, " ");
        }
        None => {
            p.number_json("operstate_index", state);
            p.text(format!("state {state:#x}"));
        }
    }
}

fn print_linkmode(p: &mut Printer, mode: u8) {
    match LINKMODES.get(usize::from(mode)) {
        Some(word) => p.string("linkmode", "mode ", word, " "),
        None => p.number("linkmode_index", "mode ", mode, " "),
    }
}

fn print_event(p: &mut Printer, event: u32) {
    match usize::try_from(event).ok().and_then(|event| EVENTS.get(event)) {
        Some(_) if event == 0 => {}
        Some(word) => p.string("event", "event ", word, " "),
        None => p.number("event", "event ", event, " "),
    }
}

fn print_addresses(p: &mut Printer, link: &Link, style: LinkStyle) {
    let spelled = |address: &[u8]| address_text(link.link_type, address);
    p.line_break();
    let link_type = match style.numeric {
        true => format!("[{}]", link.link_type).into(),
        false => type_word(link.link_type),
    };
    p.string("link_type", "    link/", link_type.as_ref(), " ");
    if let Some(address) = &link.address {
        p.coloured(Some(Colour::Mac), "address", "", spelled(address.as_bytes()), "");
    }
    if let Some(broadcast) = &link.broadcast {
        if link.flags & IFF_POINTOPOINT != 0 {
            p.mark("link_pointtopoint", " peer ");
        } else {
            p.text(" brd ");
        }
        p.coloured(Some(Colour::Mac), "broadcast", "", spelled(broadcast.as_bytes()), "");
    }
    if let Some(permanent) = &link.perm_address
        && link.address.as_ref() != Some(permanent)
    {
        p.text(" permaddr ");
        p.coloured(Some(Colour::Mac), "permaddr", "", spelled(permanent.as_bytes()), "");
    }
}

fn print_namespace(p: &mut Printer, link: &Link, context: &Context) {
    if let Some(id) = link.link_netnsid {
        p.number_json("link_netnsid", id);
        p.text(match context.namespaces.get(&id) {
            Some(name) if id >= 0 => [b" link-netns ", name.as_slice()].concat(),
            _ if id >= 0 => format!(" link-netnsid {id}").into_bytes(),
            _ => b" link-netnsid unknown".to_vec(),
        });
    }
    if let Some(id) = link.new_netnsid {
        p.text(match context.namespaces.get(&id) {
            Some(name) => [b" new-netns ", name.as_slice()].concat(),
            None => format!(" new-netnsid {id}").into_bytes(),
        });
    }
    if let Some(index) = link.new_ifindex {
        p.text(format!(" new-ifindex {index}"));
    }
}

fn print_protodown(p: &mut Printer, link: &Link, context: &Context) {
    let Some(down) = link.proto_down else { return };
    if down != 0 {
        p.mark("proto_down", " protodown on ");
    }
    let reasons = link.proto_down_reason.as_ref().and_then(|reason| reason.value).unwrap_or(0);
    if reasons == 0 {
        return;
    }
    p.open_array(Some("proto_down_reason"));
    p.text("protodown_reason <");
    let mut comma = "";
    for bit in (0..32).filter(|bit| reasons >> bit & 1 == 1) {
        let word = context.protodown_reasons.get(&bit).cloned().unwrap_or_else(|| bit.to_string());
        p.element(comma, word, "");
        comma = ",";
    }
    p.text(">");
    p.close_array();
}

fn print_details(p: &mut Printer, link: &Link, style: LinkStyle, context: &Context) {
    if let Some(count) = link.promiscuity {
        p.number("promiscuity", " promiscuity ", count, " ");
    }
    let mut number = |name: &str, word: &str, value: Option<u32>| {
        if let Some(value) = value {
            p.number(name, word, value, " ");
        }
    };
    number("allmulti", "allmulti ", link.allmulti);
    number("min_mtu", "minmtu ", link.min_mtu);
    number("max_mtu", "maxmtu ", link.max_mtu);
    if link.netns_immutable.is_some_and(|immutable| immutable != 0) {
        p.mark("netns-immutable", "netns-immutable ");
    }
    if let Some(info) = link.linkinfo.as_deref() {
        kind::print(p, info, style, context);
    }
    if style.is_link {
        print_address_generation(p, link);
    }
    let mut number = |name: &str, word: &str, value: Option<u32>| {
        if let Some(value) = value {
            p.number(name, word, value, " ");
        }
    };
    number("num_tx_queues", "numtxqueues ", link.num_tx_queues);
    number("num_rx_queues", "numrxqueues ", link.num_rx_queues);
    number("gso_max_size", "gso_max_size ", link.gso_max_size);
    number("gso_max_segs", "gso_max_segs ", link.gso_max_segs);
    number("tso_max_size", "tso_max_size ", link.tso_max_size);
    number("tso_max_segs", "tso_max_segs ", link.tso_max_segs);
    number("gro_max_size", "gro_max_size ", link.gro_max_size);
    number("gso_ipv4_max_size", "gso_ipv4_max_size ", link.gso_ipv4_max_size);
    number("gro_ipv4_max_size", "gro_ipv4_max_size ", link.gro_ipv4_max_size);
    if let Some(name) = &link.phys_port_name {
        p.string("phys_port_name", "portname ", name, " ");
    }
    if let Some(id) = &link.phys_port_id {
        p.string("phys_port_id", "portid ", hexadecimal(id), " ");
    }
    if let Some(id) = &link.phys_switch_id {
        p.string("phys_switch_id", "switchid ", hexadecimal(id), " ");
    }
    if let Some(bus) = &link.parent_dev_bus_name {
        p.string("parentbus", "parentbus ", bus, " ");
    }
    if let Some(name) = &link.parent_dev_name {
        p.string("parentdev", "parentdev ", name, " ");
    }
}

/// The words for `IN6_ADDR_GEN_MODE_*` (`linux/if_link.h`).
pub const ADDRESS_GENERATION_MODES: [&str; 4] = ["eui64", "none", "stable_secret", "random"];

fn print_address_generation(p: &mut Printer, link: &Link) {
    let Some(mode) = link.addr_gen_mode() else { return };
    let word = ADDRESS_GENERATION_MODES
        .get(usize::from(mode))
        .map_or_else(|| format!("{mode:#04x}"), |word| (*word).to_owned());
    p.string("inet6_addr_gen_mode", "addrgenmode ", word, " ");
}

fn print_altnames(p: &mut Printer, link: &Link) {
    let names = link.alt_names();
    if names.is_empty() {
        return;
    }
    p.open_array(Some("altnames"));
    for name in names {
        p.line_break();
        p.element("    altname ", name, "");
    }
    p.close_array();
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
