//! Writes a routing rule and a static neighbour as lines of a lab's file. Pure.

use std::net::IpAddr;

use vwire_netlink::{Neighbour, Rule};

use super::device::name_of;
use crate::snapshot::device::NamespacePart;

/// `RTPROT_KERNEL`: the kernel made it.
const KERNEL: u8 = 2;
/// `FR_ACT_TO_TBL`.
const TO_TABLE: u8 = 1;
/// `FIB_RULE_IIF_DETACHED`, `FIB_RULE_OIF_DETACHED`: the device is not there; all the rest is no flag of a file.
const DETACHED: u32 = 0x18;
/// `AF_INET6`.
const INET6: u8 = 10;
/// `NUD_PERMANENT`.
const PERMANENT: u16 = 0x80;
/// `NTF_PROXY`.
const PROXY: u8 = 8;

/// Tells whether somebody made a rule, rather than the kernel.
pub(crate) fn is_own(rule: &Rule) -> bool {
    matches!(rule.family, 2 | INET6) && rule.protocol != Some(KERNEL)
}

/// Returns a rule as a line of a file; none if a file cannot say it.
pub(crate) fn line(rule: &Rule, part: &NamespacePart) -> Option<String> {
    // All that a line says is taken away from it; nothing else may be left.
    let none = |number: Option<u32>| number.filter(|number| *number != u32::MAX);
    let rest = Rule {
        dst: None,
        src: None,
        dst_len: 0,
        src_len: 0,
        header_table: 0,
        table: None,
        iifname: None,
        oifname: None,
        priority: None,
        fwmark: None,
        fwmask: None,
        protocol: None,
        flags: rule.flags & !DETACHED,
        suppress_ifgroup: none(rule.suppress_ifgroup),
        suppress_prefixlen: none(rule.suppress_prefixlen),
        ..rule.clone()
    };
    if rest != (Rule { family: rule.family, action: TO_TABLE, ..Rule::default() }) {
        return None;
    }
    let mut words: Vec<String> = Vec::new();
    if rule.family == INET6 {
        words.push("ipv6".to_owned());
    }
    let net = |word: &str, address: Option<IpAddr>, length: u8| address.map(|ip| format!("{word} {ip}/{length}"));
    words.extend(net("from", rule.src, rule.src_len));
    words.extend(net("to", rule.dst, rule.dst_len));
    for (word, name) in [("iif", rule.iifname), ("oif", rule.oifname)] {
        let Some(name) = name else { continue };
        let link = part.links.iter().find(|link| link.ifname == Some(name));
        words.push(format!("{word} {}", link.map_or_else(|| name.to_string(), name_of)));
    }
    if let Some(mark) = rule.fwmark.filter(|mark| *mark != 0 || rule.fwmask.is_some_and(|mask| mask != u32::MAX)) {
        let mask = rule.fwmask.filter(|mask| *mask != u32::MAX).map(|mask| format!("/{mask:#x}"));
        words.push(format!("fwmark {mark:#x}{}", mask.unwrap_or_default()));
    }
    words.push(format!("table {}", rule.table_id()));
    words.extend(rule.priority.map(|priority| format!("priority {priority}")));
    Some(words.join(" "))
}

/// Tells whether somebody made a neighbour, which is not asked for.
pub(crate) fn is_static(neighbour: &Neighbour) -> bool {
    let has_address = neighbour.lladdr.is_some_and(|mac| mac.as_bytes().iter().any(|byte| *byte != 0));
    neighbour.state & PERMANENT != 0 && neighbour.flags & PROXY == 0 && has_address
}

/// Returns a static neighbour as a line of a file; none if it is not one.
pub(crate) fn neighbour(neighbour: &Neighbour, part: &NamespacePart) -> Option<String> {
    let mac = neighbour.lladdr.filter(|_| is_static(neighbour))?;
    let link = part.links.iter().find(|link| link.index == neighbour.index)?;
    Some(format!("{} mac {mac} dev {}", neighbour.dst?, name_of(link)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_written_as_files_have_them_or_not_at_all() {
        let part = NamespacePart::default();
        let rule = Rule {
            family: 2,
            action: TO_TABLE,
            src: Some("10.1.0.0".parse().unwrap()),
            src_len: 16,
            fwmark: Some(1),
            fwmask: Some(0xff),
            table: Some(1000),
            priority: Some(5),
            suppress_prefixlen: Some(u32::MAX),
            protocol: Some(118),
            ..Rule::default()
        };
        assert_eq!(line(&rule, &part).unwrap(), "from 10.1.0.0/16 fwmark 0x1/0xff table 1000 priority 5");
        assert_eq!(line(&Rule { suppress_prefixlen: Some(0), ..rule.clone() }, &part), None);
        assert_eq!(line(&Rule { tos: 4, ..rule.clone() }, &part), None);
        assert_eq!(line(&Rule { action: 6, ..rule }, &part), None);
        assert!(!is_own(&Rule { family: 2, protocol: Some(KERNEL), ..Rule::default() }));
    }
}
