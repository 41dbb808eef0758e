//! Prints a rule as `ip rule` does.

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

use vwire_netlink::Rule;
use vwire_netlink::wire::rule::RulePorts;

use super::{Colour, Printer};

/// `FIB_RULE_INVERT`.
pub const INVERT: u32 = 0x2;
/// `FIB_RULE_UNRESOLVED`.
const UNRESOLVED: u32 = 0x4;
/// `FIB_RULE_IIF_DETACHED`.
const IIF_DETACHED: u32 = 0x8;
/// `FIB_RULE_OIF_DETACHED`.
const OIF_DETACHED: u32 = 0x10;

/// `FR_ACT_TO_TBL`: what it finds in a table happens.
pub const TO_TABLE: u8 = 1;
/// `FR_ACT_GOTO`.
pub const GOTO: u8 = 2;
/// `FR_ACT_NOP`.
pub const NOP: u8 = 3;
/// `RTN_NAT`, which no kernel has since 2.6.
pub const NAT: u8 = 10;

/// `FRA_IIFNAME`.
pub const FRA_IIFNAME: u16 = 3;
/// `RTA_GATEWAY`, which a rule with `nat` has.
pub const RTA_GATEWAY: u16 = 5;
/// `FRA_OIFNAME`.
pub const FRA_OIFNAME: u16 = 17;

/// All bits of a port.
pub const WHOLE_PORT: u16 = 0xffff;
/// All bits of a DSCP.
pub const WHOLE_DSCP: u8 = 0x3f;
/// All bits of a flow label.
pub const WHOLE_FLOW_LABEL: u32 = 0xf_ffff;
/// Who made the rules that are there from the start (`RTPROT_KERNEL`).
const BY_KERNEL: u8 = 2;

/// `FR_ACT_*`, which are `RTN_*`, and their words.
const ACTIONS: &[(u8, &str)] = &[
    (0, "none"),
    (1, "unicast"),
    (2, "local"),
    (3, "broadcast"),
    (4, "anycast"),
    (5, "multicast"),
    (6, "blackhole"),
    (7, "unreachable"),
    (8, "prohibit"),
    (9, "throw"),
    (10, "nat"),
    (11, "xresolve"),
];

/// What the numbers in a rule stand for; tables are empty where numbers are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleNames {
    /// Routing tables.
    pub tables: Rc<HashMap<u32, String>>,
    /// Who made a rule.
    pub protocols: Rc<HashMap<u32, String>>,
    /// Realms.
    pub realms: Rc<HashMap<u32, String>>,
    /// Values of the DS field.
    pub ds_fields: Rc<HashMap<u32, String>>,
    /// Groups of devices.
    pub groups: Rc<HashMap<u32, String>>,
    /// Protocols above IP.
    pub ip_protocols: HashMap<u32, String>,
    /// The words by which protocols above IP are read.
    pub ip_protocol_words: HashMap<String, u32>,
    /// Whether numbers are wanted.
    pub numeric: bool,
}

impl RuleNames {
    /// Returns the name of a table, or its number.
    #[must_use]
    pub fn table(&self, table: u32) -> String {
        name_or_number(&self.tables, table)
    }

    fn ds_field(&self, value: u8) -> String {
        self.ds_fields.get(&value.into()).cloned().unwrap_or_else(|| format!("0x{value:02x}"))
    }

    fn dscp(&self, value: u8) -> String {
        self.ds_fields.get(&(u32::from(value) << 2)).cloned().unwrap_or_else(|| value.to_string())
    }

    fn ip_protocol(&self, protocol: u8) -> String {
        self.ip_protocols.get(&protocol.into()).cloned().unwrap_or_else(|| format!("ipproto-{protocol}"))
    }

    fn action(&self, action: u8) -> String {
        let word = ACTIONS.iter().find(|(number, _)| *number == action && !self.numeric);
        word.map_or_else(|| action.to_string(), |(_, word)| (*word).to_owned())
    }
}

fn name_or_number(names: &HashMap<u32, String>, number: u32) -> String {
    names.get(&number).cloned().unwrap_or_else(|| number.to_string())
}

/// Prints a rule and ends its line; `details` has the maker of the kernel's own rules too.
pub fn print(p: &mut Printer, rule: &Rule, details: bool, names: &RuleNames) {
    p.number("priority", "", rule.priority.unwrap_or(0), ":\t");
    if rule.flags & INVERT != 0 {
        p.null("not", "not ");
    }
    print_source(p, rule);
    print_destination(p, rule);
    if rule.tos != 0 {
        p.string("tos", " tos ", names.ds_field(rule.tos), "");
    }
    print_mark(p, rule);
    print_device(p, "iif", iif(rule), rule.flags & IIF_DETACHED != 0);
    print_device(p, "oif", oif(rule), rule.flags & OIF_DETACHED != 0);
    if rule.l3mdev.is_some_and(|l3mdev| l3mdev != 0) {
        p.null("l3mdev", " lookup [l3mdev-table]");
    }
    if let Some(users) = &rule.uid_range {
        p.number("uid_start", " uidrange ", users.start, "");
        p.number("uid_end", "-", users.end, "");
    }
    if let Some(protocol) = rule.ip_proto {
        p.string("ipproto", " ipproto ", names.ip_protocol(protocol), "");
    }
    print_ports(p, "sport", rule.sport_range, rule.sport_mask);
    print_ports(p, "dport", rule.dport_range, rule.dport_mask);
    if let Some(id) = rule.tun_id {
        p.number("tun_id", " tun_id ", id, "");
    }
    print_table(p, rule, names);
    if let Some(realms) = rule.flow {
        print_realms(p, realms, names);
    }
    print_action(p, rule, names);
    if let Some(protocol) = rule.protocol
        && (details || ![0, BY_KERNEL].contains(&protocol))
    {
        p.string("protocol", " proto ", name_or_number(&names.protocols, protocol.into()), "");
    }
    if let Some(dscp) = rule.dscp {
        print_dscp(p, dscp, rule.dscp_mask, names);
    }
    if let (Some(label), Some(mask)) = (rule.flowlabel, rule.flowlabel_mask) {
        p.string("flowlabel", " flowlabel ", hexadecimal(label), "");
        match mask {
            WHOLE_FLOW_LABEL => p.string_json("flowlabel_mask", hexadecimal(mask)),
            _ => p.string("flowlabel_mask", "/", hexadecimal(mask), ""),
        }
    }
    p.end_line();
}

/// Returns the device that a packet comes in by, whatever its name looks like.
#[must_use]
pub fn iif(rule: &Rule) -> Option<&[u8]> {
    rule.iifname.as_ref().map(|name| name.as_bytes()).or_else(|| raw_name(rule, FRA_IIFNAME))
}

/// Returns the device that a packet goes out by.
#[must_use]
pub fn oif(rule: &Rule) -> Option<&[u8]> {
    rule.oifname.as_ref().map(|name| name.as_bytes()).or_else(|| raw_name(rule, FRA_OIFNAME))
}

fn raw_name(rule: &Rule, number: u16) -> Option<&[u8]> {
    let attribute = rule.other.iter().find(|attribute| attribute.flagged_number == number)?;
    attribute.payload.split(|byte| *byte == 0).next()
}

/// Spells a number as C's `%#x` does: 0 has no prefix.
fn hexadecimal(number: u32) -> String {
    if number == 0 { "0".to_owned() } else { format!("{number:#x}") }
}

fn colour(address: IpAddr) -> Colour {
    match address {
        IpAddr::V4(_) => Colour::Inet,
        IpAddr::V6(_) => Colour::Inet6,
    }
}

fn print_source(p: &mut Printer, rule: &Rule) {
    match rule.src {
        Some(address) => {
            p.text("from ");
            print_prefix(p, "src", "srclen", address, rule.src_len);
        }
        None if rule.src_len != 0 => {
            p.string("src", "from ", "0", "");
            p.number("srclen", "/", rule.src_len, "");
        }
        None => p.string("src", "from ", "all", ""),
    }
}

fn print_destination(p: &mut Printer, rule: &Rule) {
    match rule.dst {
        Some(address) => {
            p.text(" to ");
            print_prefix(p, "dst", "dstlen", address, rule.dst_len);
        }
        None if rule.dst_len != 0 => {
            p.string("dst", " to ", "0", "");
            p.number("dstlen", "/", rule.dst_len, "");
        }
        None => {}
    }
}

fn print_prefix(p: &mut Printer, name: &str, length_name: &str, address: IpAddr, length: u8) {
    p.coloured(Some(colour(address)), name, "", address.to_string(), "");
    let whole = if address.is_ipv4() { 32 } else { 128 };
    if length != whole {
        p.number(length_name, "/", length, "");
    }
}

fn print_mark(p: &mut Printer, rule: &Rule) {
    if rule.fwmark.is_none() && rule.fwmask.is_none() {
        return;
    }
    p.string("fwmark", " fwmark ", hexadecimal(rule.fwmark.unwrap_or(0)), "");
    if let Some(mask) = rule.fwmask.filter(|mask| *mask != u32::MAX) {
        p.string("fwmask", "/", hexadecimal(mask), "");
    }
}

fn print_device(p: &mut Printer, word: &str, name: Option<&[u8]>, detached: bool) {
    let Some(name) = name else { return };
    p.text(format!(" {word} "));
    p.coloured(Some(Colour::Device), word, "", name, "");
    if detached {
        p.null(&format!("{word}_detached"), " [detached]");
    }
}

fn print_ports(p: &mut Printer, word: &str, ports: Option<RulePorts>, mask: Option<u16>) {
    let Some(RulePorts { start, end }) = ports else { return };
    if start != end {
        p.number(&format!("{word}_start"), &format!(" {word} "), start, "");
        p.number(&format!("{word}_end"), "-", end, "");
        return;
    }
    match mask {
        Some(mask) if mask != WHOLE_PORT && !p.is_json() => {
            p.text(format!(" {word} {}/{}", hexadecimal(start.into()), hexadecimal(mask.into())));
        }
        _ => p.number(word, &format!(" {word} "), start, ""),
    }
    if let Some(mask) = mask {
        p.string_json(&format!("{word}_mask"), hexadecimal(mask.into()));
    }
}

fn print_table(p: &mut Printer, rule: &Rule, names: &RuleNames) {
    let table = rule.table_id();
    if table == 0 {
        return;
    }
    p.string("table", " lookup ", names.table(table), "");
    if let Some(length) = rule.suppress_prefixlen.map(u32::cast_signed).filter(|length| *length != -1) {
        p.number("suppress_prefixlen", " suppress_prefixlength ", length, "");
    }
    if let Some(group) = rule.suppress_ifgroup.filter(|group| *group != u32::MAX) {
        p.string("suppress_ifgroup", " suppress_ifgroup ", name_or_number(&names.groups, group), "");
    }
}

fn print_realms(p: &mut Printer, realms: u32, names: &RuleNames) {
    let (from, to) = (realms >> 16, realms & 0xffff);
    p.text(" realms ");
    if from != 0 {
        p.string("flow_from", "", name_or_number(&names.realms, from), "/");
    }
    p.string("flow_to", "", name_or_number(&names.realms, to), "");
}

fn print_action(p: &mut Printer, rule: &Rule, names: &RuleNames) {
    match rule.action {
        TO_TABLE => {}
        GOTO => {
            match rule.goto {
                Some(target) => p.number("goto", " goto ", target, ""),
                None => p.string("goto", " goto ", "none", ""),
            }
            if rule.flags & UNRESOLVED != 0 {
                p.null("unresolved", " [unresolved]");
            }
        }
        NOP => p.null("nop", " nop"),
        NAT => {
            let gateway = rule.other.iter().find(|attribute| attribute.flagged_number == RTA_GATEWAY);
            match gateway.and_then(|attribute| <[u8; 4]>::try_from(&*attribute.payload).ok()) {
                Some(octets) => {
                    let host = p.host_of(octets.into());
                    p.string("nat_gateway", " map-to ", host, "");
                }
                None => p.null("masquerade", " masquerade"),
            }
        }
        other => p.string("action", " ", names.action(other), ""),
    }
}

fn print_dscp(p: &mut Printer, dscp: u8, mask: Option<u8>, names: &RuleNames) {
    match mask {
        Some(mask) if mask != WHOLE_DSCP && !p.is_json() => {
            p.text(format!(" dscp {}/{}", hexadecimal(dscp.into()), hexadecimal(mask.into())));
        }
        _ => p.string("dscp", " dscp ", names.dscp(dscp), ""),
    }
    if let Some(mask) = mask {
        p.string_json("dscp_mask", hexadecimal(mask.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    fn printed(rule: &Rule, json: bool) -> String {
        let names = RuleNames { tables: Rc::new([(254, "main".to_owned())].into()), ..RuleNames::default() };
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        p.open_object(None);
        print(&mut p, rule, false, &names);
        p.close_object();
        String::from_utf8(p.take()).unwrap()
    }

    #[test]
    fn a_rule_without_conditions_is_short() {
        let rule = Rule { family: 2, action: TO_TABLE, header_table: 254, priority: Some(9), ..Rule::default() };
        assert_eq!(printed(&rule, false), "9:\tfrom all lookup main\n");
        assert_eq!(printed(&rule, true), "{\"priority\":9,\"src\":\"all\",\"table\":\"main\"}");
    }

    #[test]
    fn masks_that_take_all_are_left_out_of_text() {
        let ports = Some(RulePorts { start: 80, end: 80 });
        let rule = Rule { action: NOP, fwmark: Some(0), fwmask: Some(u32::MAX), sport_range: ports, ..Rule::default() };
        assert_eq!(printed(&rule, false), "0:\tfrom all fwmark 0 sport 80 nop\n");
        let rule = Rule { sport_mask: Some(0xf0), fwmask: Some(0xf), ..rule };
        assert_eq!(printed(&rule, false), "0:\tfrom all fwmark 0/0xf sport 0x50/0xf0 nop\n");
        assert!(printed(&rule, true).contains("\"sport\":80,\"sport_mask\":\"0xf0\""));
    }
}
