//! Reads the words of `ip rule add` and `del` into the rule that the kernel is asked for. Pure.

use std::net::IpAddr;

use vwire_netlink::wire::RawAttribute;
use vwire_netlink::{IfName, Rule};

use super::modify::Verb;
use super::value;
use crate::cli::ip::failure::{EXIT_SEMANTIC, Failure};
use crate::cli::ip::options::Family;
use crate::cli::ip::prefix;
use crate::cli::ip::words::{Keyword, Words, begins, exact, find, named, number_as, prefix as cut, shown};
use crate::out::rule::{
    FRA_IIFNAME, FRA_OIFNAME, GOTO, INVERT, NAT, NOP, RTA_GATEWAY, RuleNames, TO_TABLE, WHOLE_PORT,
};

/// `RT_TABLE_MAIN`.
const MAIN: u8 = 254;
/// `EINVAL`, which `ip` makes its exit code of in one place.
const EINVAL: u8 = 22;

/// A rule as the words ask for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The rule.
    pub rule: Rule,
    /// Whether `nat` was asked for, which `ip` remarks on at once.
    pub has_nat: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Not,
    From,
    To,
    Priority,
    DsField,
    Mark,
    Realms,
    Protocol,
    TunnelId,
    Table,
    SuppressLength,
    SuppressGroup,
    InputDevice,
    OutputDevice,
    L3mdev,
    Users,
    Nat,
    IpProtocol,
    SourcePorts,
    DestinationPorts,
    Dscp,
    FlowLabel,
}

/// In `ip`'s order: `t` is `tun_id`, `p` is `preference`, `s` is `suppress_prefixlength`.
const WORDS: &[Keyword<Word>] = &[
    exact("not", Word::Not),
    exact("from", Word::From),
    exact("to", Word::To),
    cut("preference", Word::Priority),
    cut("order", Word::Priority),
    cut("priority", Word::Priority),
    exact("tos", Word::DsField),
    cut("dsfield", Word::DsField),
    exact("fwmark", Word::Mark),
    cut("realms", Word::Realms),
    cut("protocol", Word::Protocol),
    cut("tun_id", Word::TunnelId),
    cut("table", Word::Table),
    exact("lookup", Word::Table),
    cut("suppress_prefixlength", Word::SuppressLength),
    exact("sup_pl", Word::SuppressLength),
    cut("suppress_ifgroup", Word::SuppressGroup),
    exact("sup_group", Word::SuppressGroup),
    exact("dev", Word::InputDevice),
    exact("iif", Word::InputDevice),
    exact("oif", Word::OutputDevice),
    exact("l3mdev", Word::L3mdev),
    exact("uidrange", Word::Users),
    exact("nat", Word::Nat),
    cut("map-to", Word::Nat),
    exact("ipproto", Word::IpProtocol),
    exact("sport", Word::SourcePorts),
    exact("dport", Word::DestinationPorts),
    exact("dscp", Word::Dscp),
    exact("flowlabel", Word::FlowLabel),
];

/// Reads the words behind `add` or `del`, and returns what was read, whether or not all could be.
pub fn read(verb: Verb, family: Family, words: &mut Words<'_>, names: &RuleNames) -> (Wanted, Result<(), Failure>) {
    let mut reader = Reader { family, names, wanted: Wanted::default(), table: None, has_action: false };
    reader.wanted.rule.action = if verb == Verb::Add { TO_TABLE } else { 0 };
    let mut end = Ok(());
    while let (Ok(()), Some(word)) = (&end, words.next()) {
        end = match find(WORDS, word) {
            Some(known) => words.once(named(WORDS, &known), word).and_then(|()| reader.take(known, words)),
            None => reader.take_action(word, words),
        };
    }
    let end = end.and_then(|()| reader.finish(verb));
    (reader.wanted, end)
}

/// What was read so far.
struct Reader<'a> {
    family: Family,
    names: &'a RuleNames,
    wanted: Wanted,
    table: Option<u32>,
    has_action: bool,
}

impl Reader<'_> {
    fn take(&mut self, known: Word, words: &mut Words<'_>) -> Result<(), Failure> {
        let names = self.names;
        let rule = &mut self.wanted.rule;
        match known {
            Word::Not => {
                rule.flags |= INVERT;
                return Ok(());
            }
            Word::L3mdev => {
                rule.l3mdev = Some(1);
                self.has_action = true;
                return Ok(());
            }
            _ => {}
        }
        let word = words.value()?;
        match known {
            Word::Not | Word::L3mdev => {}
            Word::From => {
                let prefix = prefix::prefix(word, self.family)?;
                (rule.src, rule.src_len) = (prefix.address, prefix.length);
            }
            Word::To => {
                let prefix = prefix::prefix(word, self.family)?;
                (rule.dst, rule.dst_len) = (prefix.address, prefix.length);
            }
            Word::Priority => rule.priority = Some(number(word, "preference value is invalid\n")?),
            Word::DsField => rule.tos = value::ds_field(word, names)?,
            Word::Mark => {
                let (mark, mask) = value::mark(word)?;
                rule.fwmark = Some(mark);
                rule.fwmask = mask.or(rule.fwmask);
            }
            Word::Realms => rule.flow = Some(value::realms(word, names)?),
            Word::Protocol => {
                rule.protocol = Some(value::protocol(word, names, "\"protocol\" value is invalid\n")?);
            }
            Word::TunnelId => rule.tun_id = Some(value::tunnel_id(word)?),
            Word::Table => self.take_table(value::table(word, names, "invalid table ID\n")?),
            Word::SuppressLength => {
                let length: i32 = number(word, "suppress_prefixlength value is invalid\n")?;
                rule.suppress_prefixlen = Some(length.unsigned_abs());
            }
            Word::SuppressGroup => rule.suppress_ifgroup = Some(value::group(word, names)?),
            Word::InputDevice => {
                let name = value::device(word, "\"iif\"/\"dev\" not a valid ifname")?;
                put_name(&mut rule.iifname, &mut rule.other, FRA_IIFNAME, name);
            }
            Word::OutputDevice => {
                let name = value::device(word, "\"oif\" not a valid ifname")?;
                put_name(&mut rule.oifname, &mut rule.other, FRA_OIFNAME, name);
            }
            Word::Users => rule.uid_range = Some(value::users(word)?),
            Word::Nat => self.take_nat(word)?,
            Word::IpProtocol => rule.ip_proto = Some(value::ip_protocol(word, names)?),
            Word::SourcePorts => {
                let (ports, mask) = value::ports(word)?;
                rule.sport_range = Some(ports);
                rule.sport_mask = Some(mask).filter(|mask| *mask != WHOLE_PORT).or(rule.sport_mask);
            }
            Word::DestinationPorts => {
                let (ports, mask) = value::ports(word)?;
                rule.dport_range = Some(ports);
                rule.dport_mask = Some(mask).filter(|mask| *mask != WHOLE_PORT).or(rule.dport_mask);
            }
            Word::Dscp => {
                let (dscp, mask) = value::dscp(word, names)?;
                rule.dscp = Some(dscp);
                rule.dscp_mask = Some(mask).filter(|mask| *mask != 0x3f).map(value::low).or(rule.dscp_mask);
            }
            Word::FlowLabel => {
                let (label, mask) = value::flow_label(word)?;
                (rule.flowlabel, rule.flowlabel_mask) = (Some(label), Some(mask));
            }
        }
        Ok(())
    }

    fn take_table(&mut self, table: u32) {
        self.table = Some(table);
        self.has_action = true;
        match u8::try_from(table) {
            Ok(low) => self.wanted.rule.header_table = low,
            Err(_) => {
                self.wanted.rule.header_table = 0;
                self.wanted.rule.table = Some(table);
            }
        }
    }

    fn take_nat(&mut self, word: &[u8]) -> Result<(), Failure> {
        self.wanted.has_nat = true;
        let address = prefix::address(word, Family::Inet).map_err(|failure| {
            failure.said_by_ip(format!("Error: an IP address is expected rather than \"{}\"", shown(word)))
        })?;
        let octets = match address.address {
            Some(IpAddr::V4(address)) => address.octets(),
            _ => [0; 4],
        };
        self.wanted.rule.other.push(RawAttribute { flagged_number: RTA_GATEWAY, payload: Box::new(octets) });
        self.wanted.rule.action = NAT;
        Ok(())
    }

    fn take_action(&mut self, word: &[u8], words: &mut Words<'_>) -> Result<(), Failure> {
        let word = if word == b"type" { words.value()? } else { word };
        if begins("help", word) {
            return Err(Failure::usage(super::HELP));
        }
        self.wanted.rule.action = if begins("goto", word) {
            self.wanted.rule.goto = Some(number(words.value()?, "invalid target\n")?);
            GOTO
        } else if begins("nop", word) {
            NOP
        } else {
            value::action(word)?
        };
        self.has_action = true;
        Ok(())
    }

    fn finish(&mut self, verb: Verb) -> Result<(), Failure> {
        let rule = &mut self.wanted.rule;
        if rule.l3mdev.is_some() && self.table.unwrap_or(0) != 0 {
            return Err(Failure::new(
                EXIT_SEMANTIC,
                "table can not be specified for l3mdev rules",
                "with `l3mdev` the table is that of the device's VRF",
            )
            .with_exit(EINVAL)
            .hint("leave `table` out, or `l3mdev`"));
        }
        rule.family = match self.family {
            Family::Unspec => Family::Inet.number(),
            family => family.number(),
        };
        if verb == Verb::Add && !self.has_action {
            rule.header_table = MAIN;
        }
        Ok(())
    }
}

fn number<T: TryFrom<u64>>(word: &[u8], message: &str) -> Result<T, Failure> {
    number_as(word).ok_or_else(|| Failure::invalid(word, message))
}

/// Puts a name into its field or, if `ip` takes it for a name and the kernel does not, as it is behind the rest.
fn put_name(field: &mut Option<IfName>, other: &mut Vec<RawAttribute>, number: u16, name: &[u8]) {
    other.retain(|attribute| attribute.flagged_number != number);
    *field = IfName::new(name).ok();
    if field.is_none() {
        let payload = [name, &[0]].concat().into_boxed_slice();
        other.push(RawAttribute { flagged_number: number, payload });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::Persona;
    use std::ffi::OsString;

    fn reads(verb: Verb, line: &str) -> Result<Rule, (String, u8)> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let names = RuleNames { tables: std::rc::Rc::new([(254, "main".to_owned())].into()), ..RuleNames::default() };
        let (wanted, end) = read(verb, Family::Unspec, &mut Words::new(&words), &names);
        end.map(|()| wanted.rule)
            .map_err(|failure| (String::from_utf8(failure.render(Persona::Ip)).unwrap(), failure.exit()))
    }

    #[test]
    fn words_fill_the_rule() {
        let rule = reads(Verb::Add, "not from 10.0.0.0/8 iif v0 fwmark 1/0xff p 9 ta 1000 sup_pl 0").unwrap();
        assert_eq!((rule.flags, rule.src_len, rule.priority, rule.table), (INVERT, 8, Some(9), Some(1000)));
        assert_eq!((rule.fwmark, rule.fwmask, rule.suppress_prefixlen), (Some(1), Some(0xff), Some(0)));
        assert_eq!((rule.family, rule.header_table, rule.action), (2, 0, TO_TABLE));
    }

    #[test]
    fn a_rule_without_a_table_takes_main_where_it_is_made() {
        assert_eq!(reads(Verb::Add, "pref 9").unwrap().header_table, MAIN);
        assert_eq!(reads(Verb::Delete, "pref 9").unwrap().header_table, 0);
        assert_eq!(reads(Verb::Add, "blackhole").unwrap().header_table, 0);
        assert_eq!(reads(Verb::Add, "goto 7").unwrap().goto, Some(7));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (said, exit) = reads(Verb::Add, "l3mdev table main").unwrap_err();
        assert_eq!((said.as_str(), exit), ("table can not be specified for l3mdev rules\n", 22));
        let (said, exit) = reads(Verb::Add, "lookup").unwrap_err();
        assert_eq!((said.as_str(), exit), ("Command line is not complete. Try option \"help\"\n", 255));
        let (said, _) = reads(Verb::Add, "l 5").unwrap_err();
        assert_eq!(said, "Error: argument \"l\" is wrong: Failed to parse rule type\n");
    }
}
