//! Which rules `ip rule show` and `flush` are about. Pure.

use std::net::IpAddr;

use vwire_netlink::Rule;
use vwire_netlink::wire::rule::{RulePorts, UidRange};

use super::value;
use crate::cli::ip::failure::Failure;
use crate::cli::ip::options::Family;
use crate::cli::ip::prefix::{self, Prefix};
use crate::cli::ip::words::{Keyword, Words, exact, find, number_as, prefix as cut};
use crate::out::rule::{self, INVERT, RuleNames, WHOLE_DSCP, WHOLE_PORT};

/// Which rules pass; what is none lets all pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    priority: Option<u32>,
    inverted: bool,
    ds_field: Option<u8>,
    mark: u32,
    mark_mask: u32,
    input: Option<Vec<u8>>,
    output: Option<Vec<u8>>,
    l3mdev: bool,
    users: Option<UidRange>,
    tunnel: u64,
    table: u32,
    from: Option<Prefix>,
    to: Option<Prefix>,
    protocol: Option<u8>,
    ip_protocol: u8,
    source_ports: Option<(RulePorts, u16)>,
    destination_ports: Option<(RulePorts, u16)>,
    dscp: Option<(u8, u32)>,
    flow_label: Option<(u32, u32)>,
}

#[derive(Clone, Copy)]
enum Word {
    Priority,
    Not,
    DsField,
    Mark,
    InputDevice,
    OutputDevice,
    L3mdev,
    Users,
    TunnelId,
    Table,
    From,
    Protocol,
    IpProtocol,
    SourcePorts,
    DestinationPorts,
    Dscp,
    FlowLabel,
    To,
}

/// In `ip`'s order, which is not quite that of a rule's own words; what matches no row is a destination.
const WORDS: &[Keyword<Word>] = &[
    cut("preference", Word::Priority),
    cut("order", Word::Priority),
    cut("priority", Word::Priority),
    exact("not", Word::Not),
    exact("tos", Word::DsField),
    exact("dsfield", Word::DsField),
    exact("fwmark", Word::Mark),
    exact("dev", Word::InputDevice),
    exact("iif", Word::InputDevice),
    exact("oif", Word::OutputDevice),
    exact("l3mdev", Word::L3mdev),
    exact("uidrange", Word::Users),
    cut("tun_id", Word::TunnelId),
    cut("lookup", Word::Table),
    cut("table", Word::Table),
    cut("from", Word::From),
    cut("src", Word::From),
    cut("protocol", Word::Protocol),
    exact("ipproto", Word::IpProtocol),
    exact("sport", Word::SourcePorts),
    exact("dport", Word::DestinationPorts),
    exact("dscp", Word::Dscp),
    exact("flowlabel", Word::FlowLabel),
    cut("dst", Word::To),
    cut("to", Word::To),
];

/// Reads the words behind `show` or `flush`.
///
/// # Errors
/// A word that does not fit, as `ip` says it.
pub fn read(family: Family, words: &mut Words<'_>, names: &RuleNames) -> Result<Filter, Failure> {
    let family = if family == Family::Unspec { Family::Inet } else { family };
    let mut filter = Filter::default();
    while let Some(word) = words.next() {
        match find(WORDS, word) {
            Some(Word::Not) => filter.inverted = true,
            Some(Word::L3mdev) => filter.l3mdev = true,
            Some(known) => filter.take(known, words.value()?, family, names)?,
            None => filter.to = Some(prefix::prefix(word, family)?),
        }
    }
    Ok(filter)
}

impl Filter {
    fn take(&mut self, known: Word, word: &[u8], family: Family, names: &RuleNames) -> Result<(), Failure> {
        match known {
            Word::Not | Word::L3mdev => {}
            Word::Priority => self.priority = Some(number(word, "preference value is invalid\n")?),
            Word::DsField => self.ds_field = Some(value::ds_field(word, names)?),
            Word::Mark => {
                let (mark, mask) = value::mark(word)?;
                self.mark = mark;
                self.mark_mask = mask.unwrap_or(self.mark_mask);
            }
            Word::InputDevice => {
                self.input = Some(value::device(word, "\"iif\"/\"dev\" not a valid ifname")?.to_vec());
            }
            Word::OutputDevice => self.output = Some(value::device(word, "\"oif\" not a valid ifname")?.to_vec()),
            Word::Users => self.users = Some(value::users(word)?),
            Word::TunnelId => self.tunnel = value::tunnel_id(word)?,
            Word::Table => self.table = value::table(word, names, "table id value is invalid\n")?,
            Word::From => self.from = Some(prefix::prefix(word, family)?),
            Word::To => self.to = Some(prefix::prefix(word, family)?),
            Word::Protocol => {
                self.protocol = match value::protocol(word, names, "invalid \"protocol\"\n") {
                    Err(_) if word == b"all" => None,
                    protocol => Some(protocol?),
                }
            }
            Word::IpProtocol => self.ip_protocol = value::ip_protocol(word, names)?,
            Word::SourcePorts => self.source_ports = Some(value::ports(word)?),
            Word::DestinationPorts => self.destination_ports = Some(value::ports(word)?),
            Word::Dscp => self.dscp = Some(value::dscp(word, names)?),
            Word::FlowLabel => self.flow_label = Some(value::flow_label(word)?),
        }
        Ok(())
    }

    /// Returns whether a rule passes, whoever made it.
    #[must_use]
    pub fn passes(&self, rule: &Rule) -> bool {
        let is = |wanted: Option<u32>, own: Option<u32>| wanted.is_none_or(|wanted| wanted == own.unwrap_or(0));
        let device =
            |wanted: &Option<Vec<u8>>, own| wanted.as_ref().is_none_or(|wanted| own == Some(wanted.as_slice()));
        is(self.priority, rule.priority)
            && (!self.inverted || rule.flags & INVERT != 0)
            && contains(self.from, rule.family, rule.src, rule.src_len)
            && contains(self.to, rule.family, rule.dst, rule.dst_len)
            && self.ds_field.is_none_or(|field| field == rule.tos)
            && is(Some(self.mark).filter(|mark| *mark != 0), rule.fwmark)
            && is(Some(self.mark_mask).filter(|mask| *mask != 0), rule.fwmask)
            && device(&self.input, rule::iif(rule))
            && device(&self.output, rule::oif(rule))
            && (!self.l3mdev || rule.l3mdev.is_some_and(|l3mdev| l3mdev != 0))
            && (self.users.is_none() || self.users == rule.uid_range)
            && (self.ip_protocol == 0 || self.ip_protocol == rule.ip_proto.unwrap_or(0))
            && has_ports(self.source_ports, rule.sport_range, rule.sport_mask)
            && has_ports(self.destination_ports, rule.dport_range, rule.dport_mask)
            && (self.tunnel == 0 || rule.tun_id == Some(self.tunnel))
            && self.has_dscp(rule)
            && self.has_flow_label(rule)
            && (self.table == 0 || self.table == rule.table_id())
    }

    /// Returns whether it is of the wanted maker; `ip` asks only before it deletes.
    #[must_use]
    pub fn is_made_by(&self, rule: &Rule) -> bool {
        self.protocol.is_none_or(|protocol| rule.protocol.is_none_or(|own| own == protocol))
    }

    fn has_dscp(&self, rule: &Rule) -> bool {
        // A mask of no bits asks for nothing.
        let Some((dscp, mask)) = self.dscp.filter(|(_, mask)| *mask != 0) else { return true };
        rule.dscp == Some(dscp) && u32::from(rule.dscp_mask.unwrap_or(WHOLE_DSCP)) == mask
    }

    fn has_flow_label(&self, rule: &Rule) -> bool {
        let Some((label, mask)) = self.flow_label.filter(|(_, mask)| *mask != 0) else { return true };
        (rule.flowlabel, rule.flowlabel_mask) == (Some(label), Some(mask))
    }
}

fn number<T: TryFrom<u64>>(word: &[u8], message: &str) -> Result<T, Failure> {
    number_as(word).ok_or_else(|| Failure::invalid(word, message))
}

/// Returns whether a rule's prefix is inside the wanted one.
fn contains(wanted: Option<Prefix>, family: u8, own: Option<IpAddr>, length: u8) -> bool {
    let Some(wanted) = wanted else { return true };
    let shares = match (wanted.address, own) {
        (Some(address), Some(own)) if wanted.length > 0 => prefix::shares(address, own, wanted.length),
        _ => true,
    };
    wanted.family.number() == family && wanted.length <= length && shares
}

fn has_ports(wanted: Option<(RulePorts, u16)>, own: Option<RulePorts>, mask: Option<u16>) -> bool {
    let Some((ports, wanted_mask)) = wanted.filter(|(_, mask)| *mask != 0) else { return true };
    own == Some(ports) && mask.unwrap_or(WHOLE_PORT) == wanted_mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn passes(line: &str, rule: &Rule) -> bool {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let filter = read(Family::Unspec, &mut Words::new(&words), &RuleNames::default()).unwrap();
        filter.passes(rule)
    }

    #[test]
    fn a_rule_passes_by_what_it_asks_for() {
        let rule = Rule {
            family: 2,
            src: Some([10, 1, 0, 0].into()),
            src_len: 16,
            priority: Some(9),
            header_table: 7,
            fwmark: Some(1),
            ..Rule::default()
        };
        for line in ["", "from 10.0.0.0/8", "from any", "pref 9", "table 7", "fwmark 1", "fwmark 0"] {
            assert!(passes(line, &rule), "{line}");
        }
        for line in ["from 10.1.0.0/24", "from 11.0.0.0/8", "to 10.0.0.0/8", "pref 8", "not", "iif v0", "l3mdev"] {
            assert!(!passes(line, &rule), "{line}");
        }
    }

    #[test]
    fn ports_and_masks_are_compared_as_they_are() {
        let ports = Some(RulePorts { start: 80, end: 80 });
        let rule = Rule { family: 2, sport_range: ports, ..Rule::default() };
        assert!(passes("sport 80", &rule) && passes("sport 80-80", &rule));
        assert!(!passes("sport 80/0xff", &rule) && !passes("dport 80", &rule) && !passes("sport 80-81", &rule));
    }
}
