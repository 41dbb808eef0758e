//! Reads what a namespace translates and lets through as lines of a lab's file. Pure.
//!
//! A rule is a little program on registers. It is followed from step to step, and what each comparison asks for is kept;
//! a step that a file has no word for makes the whole rule one that is left out. What `nft`, `iptables-nft` and vwire
//! itself write is understood alike.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vwire_netlink::wire::nft::{self, Chain, Data, Expression, Rule};

use crate::lab::model::Prefix;

/// `NFPROTO_IPV4`, `NFPROTO_IPV6`.
const IPV4: u8 = 2;
const IPV6: u8 = 10;
/// `IPPROTO_*`.
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
/// `NF_CT_STATE_BIT` of established and related flows.
const KNOWN_FLOWS: u32 = 2 | 4;
/// `NF_INET_*`.
const PREROUTING: u32 = 0;
const POSTROUTING: u32 = 4;
/// `NFT_CMP_*`.
const EQUAL: u32 = 0;
const NOT_EQUAL: u32 = 1;
const AT_MOST: u32 = 3;
const AT_LEAST: u32 = 5;

/// What a file says of it, and what it does not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    /// The translations.
    pub(crate) nat: Vec<String>,
    /// The filters, in their order.
    pub(crate) filters: Vec<String>,
    /// What no line says, in words.
    pub(crate) left_out: Vec<String>,
}

/// What devices are called in the file: by the kernel's name, and by index.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    pub(crate) by_name: BTreeMap<String, String>,
    pub(crate) by_index: BTreeMap<u32, String>,
}

/// Returns the lines for all tables of a namespace.
pub(crate) fn lines(chains: &[Chain], rules: &[Rule], devices: &Devices) -> Lines {
    let mut lines = Lines::default();
    let mut filtered = BTreeSet::new();
    let mut bases: Vec<&Chain> = chains.iter().filter(|chain| chain.hook.is_some()).collect();
    bases.sort_by_key(|chain| chain.hook.as_ref().and_then(|hook| hook.priority).unwrap_or(0).cast_signed());
    for chain in bases {
        let own: Vec<&Rule> = rules.iter().filter(|rule| is_in(rule, chain)).collect();
        let drops = chain.policy == Some(nft::DROP);
        if own.is_empty() && !drops {
            continue;
        }
        let kind = chain.chain_type.as_ref().map(ToString::to_string).unwrap_or_default();
        let hook = chain.hook.as_ref().and_then(|hook| hook.hooknum);
        let read: Result<Vec<String>, String> = match (kind.as_str(), hook, filter_hook(hook)) {
            _ if !matches!(chain.family, nft::INET | IPV4 | IPV6) => {
                Err("is of a family that a lab has not".to_owned())
            }
            ("nat", Some(PREROUTING | POSTROUTING), _) => {
                for rule in own {
                    match translation(chain.family, rule, devices) {
                        Ok(line) => lines.nat.push(line),
                        Err(why) => lines.left_out.push(format!("a rule of {}: {why}", name_of(chain))),
                    }
                }
                continue;
            }
            ("filter", _, Some(_)) if !filtered.insert(hook) => {
                Err("decides on packets that another chain has decided on".to_owned())
            }
            ("filter", _, Some(hook)) => filters(chain, hook, &own, devices),
            _ => Err("is at a place where a lab's file has no chain".to_owned()),
        };
        match read {
            Ok(read) => lines.filters.extend(read),
            // Half a chain would let through what the whole does not, or the other way round.
            Err(why) => lines.left_out.push(format!("{}, which {why}", name_of(chain))),
        }
    }
    lines
}

/// Spells one rule as a line of a file.
///
/// # Errors
/// Why no line says it.
pub(crate) fn spelled(chain: &Chain, rule: &Rule) -> Result<String, String> {
    let mut devices = Devices::default();
    for step in rule.steps() {
        let Expression::Cmp(cmp) = step else { continue };
        let name = cmp.data.as_ref().and_then(bytes).and_then(|bytes| bytes.split(|byte| *byte == 0).next());
        let name = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
        devices.by_name.insert(name.clone(), name);
    }
    let hook = chain.hook.as_ref().and_then(|hook| hook.hooknum);
    match filter_hook(hook) {
        Some(hook) => Ok(filters(chain, hook, &[rule], &devices)?.remove(0)),
        None => translation(chain.family, rule, &devices),
    }
}

fn name_of(chain: &Chain) -> String {
    let text = |name: &Option<vwire_netlink::Text>| name.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("the chain {} of the table {} of nftables", text(&chain.name), text(&chain.table))
}

fn is_in(rule: &Rule, chain: &Chain) -> bool {
    (rule.family, &rule.table, &rule.chain) == (chain.family, &chain.table, &chain.name)
}

fn filter_hook(hook: Option<u32>) -> Option<&'static str> {
    match hook {
        Some(1) => Some("input"),
        Some(2) => Some("forward"),
        Some(3) => Some("output"),
        _ => None,
    }
}

/// Reads the filters of a chain, all or none.
fn filters(chain: &Chain, hook: &str, rules: &[&Rule], devices: &Devices) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    let mut before: Option<(Fit, &'static str)> = None;
    for rule in rules {
        let (fit, end) = follow(chain.family, rule, devices).map_err(|why| format!("has a rule that {why}"))?;
        let End::Verdict(verdict) = end else { return Err("translates where it should filter".to_owned()) };
        // `icmp` of a file is that of both families, which are two rules.
        if let Some((last, told)) = &before
            && (last.protocol, fit.protocol) == (Some(ICMP), Some(ICMPV6))
            && *told == verdict
            && (Fit { protocol: fit.protocol, ..last.clone() }) == fit
        {
            lines.pop();
            lines.push(format!("{verdict} {hook}{}", Fit { protocol: None, ..fit.clone() }.filter(" icmp")?));
            before = None;
            continue;
        }
        lines.push(format!("{verdict} {hook}{}", fit.filter("")?));
        before = Some((fit, verdict));
    }
    if chain.policy == Some(nft::DROP) {
        lines.push(format!("drop {hook}{}", Fit::of(chain.family).filter("")?));
    }
    Ok(lines)
}

/// Reads a rule that translates.
fn translation(family: u8, rule: &Rule, devices: &Devices) -> Result<String, String> {
    let (fit, end) = follow(family, rule, devices)?;
    match end {
        End::Masquerade => {
            let out = fit.oif.as_ref().ok_or("it masquerades by any device")?;
            let from = fit.from.map(|from| format!(" from {}", shown(from))).unwrap_or_default();
            let rest = Fit { oif: None, from: None, family: None, ..fit.clone() };
            let is_for_one = fit.family.is_some() && fit.from.is_none() && family != IPV4;
            if rest != Fit::default() || is_for_one {
                return Err("it masquerades only some packets".to_owned());
            }
            Ok(format!("masquerade out {out}{from}"))
        }
        End::Destination { to, port: to_port } => {
            let protocol = match fit.protocol {
                Some(TCP) => "tcp",
                Some(UDP) => "udp",
                _ => return Err("it sends on other than TCP and UDP".to_owned()),
            };
            let port = fit.ports.filter(|(first, last)| first == last).map(|(port, _)| port);
            let port = port.ok_or("it sends on more than a port")?;
            let rest = Fit { family: None, protocol: None, ports: None, iif: None, ..fit.clone() };
            if rest != Fit::default() {
                return Err("it sends on only some packets".to_owned());
            }
            let to = match (to, to_port.unwrap_or(port)) {
                (to, same) if same == port => to.to_string(),
                (IpAddr::V4(to), port) => format!("{to}:{port}"),
                (IpAddr::V6(to), port) => format!("[{to}]:{port}"),
            };
            let device = fit.iif.map(|device| format!(" in {device}")).unwrap_or_default();
            Ok(format!("forward {protocol} {port} to {to}{device}"))
        }
        End::Verdict(_) => Err("it lets through rather than translates".to_owned()),
    }
}

/// What a packet must be for a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Fit {
    family: Option<u8>,
    iif: Option<String>,
    oif: Option<String>,
    from: Option<Prefix>,
    to: Option<Prefix>,
    protocol: Option<u8>,
    ports: Option<(u16, u16)>,
    established: bool,
}

/// What becomes of it.
enum End {
    Verdict(&'static str),
    Masquerade,
    Destination { to: IpAddr, port: Option<u16> },
}

impl Fit {
    /// What the family of a table asks for by itself.
    fn of(family: u8) -> Self {
        Self { family: (family != nft::INET).then_some(family), ..Self::default() }
    }

    /// Spells it behind the verdict and the hook of a filter; `icmp` stands for the protocol.
    fn filter(&self, icmp: &str) -> Result<String, String> {
        let mut line = String::new();
        // A family alone is the network of all its addresses.
        let all = match (self.family, self.from, self.to) {
            (Some(family), None, None) => Some(any(family)),
            _ => None,
        };
        for (word, net) in [(" from ", self.from.or(all)), (" to ", self.to)] {
            line.extend(net.map(|net| format!("{word}{}", shown(net))));
        }
        for (word, device) in [(" in ", &self.iif), (" out ", &self.oif)] {
            line.extend(device.as_ref().map(|device| format!("{word}{device}")));
        }
        line.push_str(icmp);
        let is_ipv4 = self.family.or(self.from.or(self.to).map(|net| family_of(net.address)));
        match (self.protocol, is_ipv4) {
            (None, _) if self.ports.is_some() => return Err("has ports of any protocol".to_owned()),
            (None, _) => {}
            (Some(TCP), _) => line.push_str(" tcp"),
            (Some(UDP), _) => line.push_str(" udp"),
            (Some(ICMP), Some(IPV4)) | (Some(ICMPV6), Some(IPV6)) => line.push_str(" icmp"),
            (Some(number @ (ICMP | ICMPV6)), None) => {
                let net = any(if number == ICMP { IPV4 } else { IPV6 });
                line.push_str(&format!(" from {} icmp", shown(net)));
            }
            (Some(number), _) => return Err(format!("is about protocol {number}")),
        }
        line.extend(self.ports.map(|(first, last)| match first == last {
            true => format!(" {first}"),
            false => format!(" {first}-{last}"),
        }));
        line.push_str(if self.established { " established" } else { "" });
        Ok(line)
    }
}

fn shown(prefix: Prefix) -> String {
    format!("{}/{}", prefix.address, prefix.length)
}

fn any(family: u8) -> Prefix {
    let address = if family == IPV6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
    Prefix { address, length: 0 }
}

fn family_of(address: IpAddr) -> u8 {
    if address.is_ipv4() { IPV4 } else { IPV6 }
}

/// What is in a register.
#[derive(Debug, Clone)]
enum Loaded {
    InName,
    OutName,
    InIndex,
    OutIndex,
    Family,
    Protocol,
    State,
    /// A part of the header: where it is counted from, how far behind that, how long.
    Header(u32, u32, u32),
    Masked(Box<Loaded>, Vec<u8>),
    Value(Vec<u8>),
}

/// Follows a rule from step to step.
fn follow(family: u8, rule: &Rule, devices: &Devices) -> Result<(Fit, End), String> {
    let mut fit = Fit::of(family);
    let mut registers: BTreeMap<u32, Loaded> = BTreeMap::new();
    let strange = || "does what a file has no word for".to_owned();
    for step in rule.steps() {
        match step {
            Expression::Counter(_) => {}
            Expression::Meta(meta) => {
                let what = match meta.key {
                    Some(4) => Loaded::InIndex,
                    Some(5) => Loaded::OutIndex,
                    Some(6) => Loaded::InName,
                    Some(7) => Loaded::OutName,
                    Some(15) => Loaded::Family,
                    Some(16) => Loaded::Protocol,
                    _ => return Err(strange()),
                };
                registers.insert(meta.dreg.ok_or_else(strange)?, what);
            }
            Expression::Payload(part) => {
                let what = Loaded::Header(
                    part.base.ok_or_else(strange)?,
                    part.offset.ok_or_else(strange)?,
                    part.len.ok_or_else(strange)?,
                );
                registers.insert(part.dreg.ok_or_else(strange)?, what);
            }
            Expression::Ct(ct) if ct.key == Some(0) && ct.direction.is_none() => {
                registers.insert(ct.dreg.ok_or_else(strange)?, Loaded::State);
            }
            Expression::Bitwise(bits) => {
                let from = bits.sreg.and_then(|register| registers.get(&register)).ok_or_else(strange)?;
                let mask = bits.mask.as_ref().and_then(bytes).ok_or_else(strange)?;
                let is_and = bits.xor.as_ref().and_then(bytes).is_some_and(|xor| xor.iter().all(|byte| *byte == 0));
                if !is_and || bits.op.unwrap_or(0) != 0 {
                    return Err(strange());
                }
                let masked = Loaded::Masked(Box::new(from.clone()), mask.to_vec());
                registers.insert(bits.dreg.ok_or_else(strange)?, masked);
            }
            Expression::Cmp(cmp) => {
                let what = cmp.sreg.and_then(|register| registers.get(&register)).ok_or_else(strange)?;
                let data = cmp.data.as_ref().and_then(bytes).ok_or_else(strange)?;
                compare(&mut fit, what, cmp.op.ok_or_else(strange)?, data, devices)?;
            }
            Expression::Immediate(immediate) if immediate.dreg == Some(nft::VERDICT) => {
                let verdict = immediate.data.as_ref().and_then(|data| data.verdict.as_ref());
                return match verdict.and_then(|verdict| verdict.code) {
                    Some(nft::ACCEPT) => Ok((fit, End::Verdict("accept"))),
                    Some(nft::DROP) => Ok((fit, End::Verdict("drop"))),
                    _ => Err("leads to another chain".to_owned()),
                };
            }
            Expression::Immediate(immediate) => {
                let value = immediate.data.as_ref().and_then(bytes).ok_or_else(strange)?;
                registers.insert(immediate.dreg.ok_or_else(strange)?, Loaded::Value(value.to_vec()));
            }
            // "Port unreachable", of either family: what `reject` alone means.
            Expression::Reject(reject) => {
                return match (reject.reject_type, reject.icmp_code) {
                    (Some(2), Some(1)) => Ok((fit, End::Verdict("reject"))),
                    (Some(0), Some(3)) if family == IPV4 => Ok((fit, End::Verdict("reject"))),
                    (Some(0), Some(4)) if family == IPV6 => Ok((fit, End::Verdict("reject"))),
                    _ => Err("refuses with another message".to_owned()),
                };
            }
            Expression::Masq(masq) => {
                let plain = masq.flags.unwrap_or(0) == 0 && masq.reg_proto_min.is_none();
                return if plain { Ok((fit, End::Masquerade)) } else { Err("it chooses ports".to_owned()) };
            }
            Expression::Nat(nat) => return Ok((fit, destination(nat, &registers).ok_or_else(strange)?)),
            _ => return Err(strange()),
        }
    }
    Err("ends without a verdict".to_owned())
}

fn bytes(data: &Data) -> Option<&[u8]> {
    data.value.as_deref()
}

fn destination(nat: &nft::Nat, registers: &BTreeMap<u32, Loaded>) -> Option<End> {
    /// `NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED`.
    const PLAIN: u32 = 3;
    let is_plain = nat.flags.unwrap_or(0) & !PLAIN == 0
        && nat.reg_addr_max.is_none_or(|last| Some(last) == nat.reg_addr_min)
        && nat.reg_proto_max.is_none_or(|last| Some(last) == nat.reg_proto_min);
    if nat.nat_type != Some(1) || !is_plain {
        return None;
    }
    let value = |register: Option<u32>| match registers.get(&register?)? {
        Loaded::Value(value) => Some(value.as_slice()),
        _ => None,
    };
    let to = address(value(nat.reg_addr_min)?)?;
    let port = match nat.reg_proto_min {
        None => None,
        some => Some(u16::from_be_bytes(value(some)?.get(..2)?.try_into().ok()?)),
    };
    Some(End::Destination { to, port })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => Some(IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => Some(IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        _ => None,
    }
}

/// Keeps what a comparison asks for.
fn compare(fit: &mut Fit, what: &Loaded, op: u32, data: &[u8], devices: &Devices) -> Result<(), String> {
    let index = || data.try_into().ok().map(u32::from_ne_bytes);
    match (what, op) {
        (Loaded::InName, EQUAL) => set(&mut fit.iif, device(data, devices)?),
        (Loaded::OutName, EQUAL) => set(&mut fit.oif, device(data, devices)?),
        (Loaded::InIndex, EQUAL) => set(&mut fit.iif, indexed(index(), devices)?),
        (Loaded::OutIndex, EQUAL) => set(&mut fit.oif, indexed(index(), devices)?),
        (Loaded::Family, EQUAL) => match data {
            [family @ (IPV4 | IPV6)] => again(&mut fit.family, *family),
            _ => Err("is about another family".to_owned()),
        },
        (Loaded::Protocol, EQUAL) => match data {
            [protocol] => again(&mut fit.protocol, *protocol),
            _ => Err("is about no protocol".to_owned()),
        },
        (Loaded::Masked(inner, mask), NOT_EQUAL) if matches!(**inner, Loaded::State) => {
            let is_known = mask.as_slice().try_into().ok().map(u32::from_ne_bytes) == Some(KNOWN_FLOWS);
            fit.established = true;
            let plain = is_known && data.iter().all(|byte| *byte == 0);
            if plain { Ok(()) } else { Err("is about another state of flows".to_owned()) }
        }
        (Loaded::Header(1, offset, length), EQUAL) => header(fit, *offset, *length, None, data),
        (Loaded::Masked(inner, mask), EQUAL) => match **inner {
            Loaded::Header(1, offset, length) => header(fit, offset, length, Some(mask), data),
            _ => Err("masks what a file does not".to_owned()),
        },
        (Loaded::Header(2, 2, 2), EQUAL | AT_LEAST | AT_MOST) => {
            let port = data.try_into().ok().map(u16::from_be_bytes).ok_or("is about no port")?;
            let (first, last) = fit.ports.unwrap_or((0, u16::MAX));
            fit.ports = Some(match op {
                EQUAL => (port, port),
                AT_LEAST => (port, last),
                _ => (first, port),
            });
            Ok(())
        }
        _ => Err("asks for what a file has no word for".to_owned()),
    }
}

fn set<T>(slot: &mut Option<T>, value: T) -> Result<(), String> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err("asks twice for the same".to_owned()),
    }
}

/// Keeps what may be asked for more than once, if it is the same.
fn again(slot: &mut Option<u8>, value: u8) -> Result<(), String> {
    match slot.replace(value) {
        Some(other) if other != value => Err("fits no packet".to_owned()),
        _ => Ok(()),
    }
}

fn device(data: &[u8], devices: &Devices) -> Result<String, String> {
    let Some(end) = data.iter().position(|byte| *byte == 0) else {
        return Err("is about all devices whose names begin alike".to_owned());
    };
    let name = String::from_utf8_lossy(data.get(..end).unwrap_or_default()).into_owned();
    devices.by_name.get(&name).cloned().ok_or_else(|| format!("is about `{name}`, which is not there"))
}

fn indexed(index: Option<u32>, devices: &Devices) -> Result<String, String> {
    let name = index.and_then(|index| devices.by_index.get(&index));
    name.cloned().ok_or_else(|| "is about a device that is not there".to_owned())
}

/// Keeps what is asked for of an IP header.
fn header(fit: &mut Fit, offset: u32, length: u32, mask: Option<&Vec<u8>>, data: &[u8]) -> Result<(), String> {
    let strange = || "looks into headers further than a file does".to_owned();
    let source = match (fit.family, offset) {
        (Some(IPV4), 9) | (Some(IPV6), 6) if length == 1 && mask.is_none() => {
            return again(&mut fit.protocol, *data.first().ok_or_else(strange)?);
        }
        (Some(IPV4), 12) | (Some(IPV6), 8) => true,
        (Some(IPV4), 16) | (Some(IPV6), 24) => false,
        _ => return Err(strange()),
    };
    let whole = if fit.family == Some(IPV4) { 4 } else { 16 };
    let bits: Vec<u8> = match mask {
        Some(mask) => mask.clone(),
        None => vec![0xff; data.len()],
    };
    // `nft` loads no more bytes than a prefix has.
    let fits = usize::try_from(length).is_ok_and(|length| length == data.len()) && bits.len() == data.len();
    if !fits || data.len() > whole {
        return Err(strange());
    }
    let ones = bits.iter().map(|byte| byte.leading_ones()).take_while(|ones| *ones > 0).sum::<u32>();
    if bits.iter().map(|byte| byte.count_ones()).sum::<u32>() != ones {
        return Err("has a mask with holes".to_owned());
    }
    let mut octets = data.to_vec();
    octets.resize(whole, 0);
    let prefix =
        Prefix { address: address(&octets).ok_or_else(strange)?, length: u8::try_from(ones).map_err(|_| strange())? };
    set(if source { &mut fit.from } else { &mut fit.to }, prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::file;
    use crate::lab::netfilter::Ruleset;

    fn devices() -> Devices {
        let by_name = ["eth0", "eth1", "lo"].map(|name| (name.to_owned(), name.to_owned())).into();
        Devices { by_name, by_index: [(2, "eth0".to_owned())].into() }
    }

    /// Reads lines of a file, makes rules of them, and lines of those.
    fn round(nat: &[&str], filters: &[&str]) -> Lines {
        let text = format!(
            "nodes = [\"a\", \"b\"]\nwires = [\"a 10.0.0.1/24 fd00::1/64 -- b\", \"a -- b\"]\n[node.a]\nforwarding = true\n\
             nat = {nat:?}\nfilter = {filters:?}\n"
        );
        let (lab, _) = file::read(&text, "t.toml").unwrap();
        let rules = Ruleset::of(&lab.nodes[0], "t").unwrap();
        lines(&rules.chains, &rules.rules, &devices())
    }

    #[test]
    fn what_a_lab_makes_is_read_as_the_lab_says_it() {
        let nat = [
            "masquerade out eth1",
            "masquerade out eth1 from 10.0.0.0/24",
            "forward tcp 8080 to 10.0.0.2:80 in eth1",
            "forward udp 53 to 10.0.0.2",
            "forward tcp 443 to [fd00::2]:8443",
        ];
        let filters = [
            "accept forward established",
            "accept forward in eth0 icmp",
            "drop forward from 10.0.0.0/24 to 10.1.0.0/16 tcp 22",
            "reject input in eth1 udp 8000-8080",
            "accept input from fd00::/64 icmp",
            "drop output to 0.0.0.0/1 out eth1",
            "drop forward",
        ];
        let got = round(&nat, &filters);
        assert_eq!(got.left_out, Vec::<String>::new());
        let sorted = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(got.nat.iter().cloned().collect::<BTreeSet<_>>(), sorted(&nat));
        assert_eq!(got.filters.iter().cloned().collect::<BTreeSet<_>>(), sorted(&filters));
    }

    #[test]
    fn what_no_line_says_leaves_the_whole_chain_out() {
        let text =
            "nodes = [\"a\", \"b\"]\nwires = [\"a -- b\"]\n[node.a]\nforwarding = true\nfilter = [\"drop forward\"]\n";
        let (lab, _) = file::read(text, "t.toml").unwrap();
        let mut rules = Ruleset::of(&lab.nodes[0], "t").unwrap();
        let odd = Expression::Unknown("limit".into(), vwire_netlink::wire::nest::RawNest(Box::default()));
        rules.rules.push(Rule::new("t", "forward", vec![odd, Expression::verdict(nft::ACCEPT)]));
        let got = lines(&rules.chains, &rules.rules, &devices());
        assert_eq!(got.filters, Vec::<String>::new());
        assert!(got.left_out[0].contains("no word for"), "{:?}", got.left_out);
    }

    #[test]
    fn a_policy_is_the_last_line() {
        let text = "nodes = [\"a\", \"b\"]\nwires = [\"a -- b\"]\n[node.a]\nforwarding = true\nfilter = [\"accept forward icmp\"]\n";
        let (lab, _) = file::read(text, "t.toml").unwrap();
        let mut rules = Ruleset::of(&lab.nodes[0], "t").unwrap();
        rules.chains[0].policy = Some(nft::DROP);
        let got = lines(&rules.chains, &rules.rules, &devices());
        assert_eq!(got.filters, ["accept forward icmp", "drop forward"]);
        // A table of one family alone says nothing of the other.
        for (chain, rule) in rules.chains.iter_mut().zip(&mut rules.rules) {
            (chain.family, rule.family) = (IPV4, IPV4);
        }
        rules.rules.truncate(1);
        let got = lines(&rules.chains, &rules.rules, &devices());
        assert_eq!(got.filters, ["accept forward from 0.0.0.0/0 icmp", "drop forward from 0.0.0.0/0"]);
    }
}
