//! What a node translates and lets through, as nftables have it. Pure.
//!
//! All of it is in one table of the family `inet`, so that it goes in one transaction and by one request.
//! What the kernel tells of the table is compared with what it should be, rule by rule.

use std::net::IpAddr;

use vwire_netlink::Request;
use vwire_netlink::wire::nft::{
    self, Bitwise, Chain, Cmp, Ct, Data, Expression, Immediate, Masq, Meta, Payload, REGISTER, Reject, Rule, Table,
};

use super::model::{Filter, FilterProtocol, Hook, Nat, Node, Prefix, Transport, Verdict};

/// `NFT_META_IIFNAME`.
const IIFNAME: u32 = 6;
/// `NFT_META_OIFNAME`.
const OIFNAME: u32 = 7;
/// `NFT_META_NFPROTO`.
const NFPROTO: u32 = 15;
/// `NFT_META_L4PROTO`.
const L4PROTO: u32 = 16;
/// `NFPROTO_IPV4`.
const IPV4: u8 = 2;
/// `NFPROTO_IPV6`.
const IPV6: u8 = 10;
/// `IPPROTO_ICMP`.
const ICMP: u8 = 1;
/// `IPPROTO_TCP`.
const TCP: u8 = 6;
/// `IPPROTO_UDP`.
const UDP: u8 = 17;
/// `IPPROTO_ICMPV6`.
const ICMPV6: u8 = 58;
/// The state bits of flows that are known: established and related (`NF_CT_STATE_BIT`).
const KNOWN_FLOWS: u32 = 2 | 4;
/// The second register of 16 bytes (`NFT_REG_2`).
const SECOND: u32 = 2;

/// The places of a chain among those at its hook, as `nft` names them: `dstnat`, `filter`, `srcnat`.
const DSTNAT: i32 = -100;
const FILTER: i32 = 0;
const SRCNAT: i32 = 100;

/// A table with its chains and rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruleset {
    /// The table's name.
    pub table: String,
    /// Its chains.
    pub chains: Vec<Chain>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

impl Ruleset {
    /// Returns what a node translates and lets through, or `None` if it does neither.
    #[must_use]
    pub fn of(node: &Node, table: &str) -> Option<Self> {
        let mut ruleset = Self { table: table.to_owned(), chains: Vec::new(), rules: Vec::new() };
        node.nat.iter().for_each(|nat| ruleset.translate(nat));
        node.filters.iter().for_each(|filter| ruleset.filter(filter));
        (!ruleset.chains.is_empty()).then_some(ruleset)
    }

    /// Returns the transaction that brings the table to this, whatever it was before.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        let mut requests = vec![Table::inet(&self.table).to_new()];
        requests.extend(removal(&self.table));
        requests.push(Table::inet(&self.table).to_new());
        requests.extend(self.chains.iter().map(Chain::to_new));
        requests.extend(self.rules.iter().map(Rule::to_append));
        requests
    }

    /// Returns whether the kernel's chains and rules, of any table, are those of this one.
    #[must_use]
    pub fn is_there(&self, chains: &[Chain], rules: &[Rule]) -> bool {
        let named =
            |name: Option<&vwire_netlink::Text>| name.is_some_and(|name| name.as_bytes() == self.table.as_bytes());
        let essence = |chain: &Chain| {
            (chain.name.clone(), chain.hook.clone(), chain.chain_type.clone(), chain.policy.unwrap_or(nft::ACCEPT))
        };
        let mut wanted: Vec<_> = self.chains.iter().map(essence).collect();
        let mut there: Vec<_> = chains
            .iter()
            .filter(|chain| chain.family == nft::INET && named(chain.table.as_ref()))
            .map(essence)
            .collect();
        wanted.sort_by(|a, b| a.0.cmp(&b.0));
        there.sort_by(|a, b| a.0.cmp(&b.0));
        let there_rules: Vec<&Rule> =
            rules.iter().filter(|rule| rule.family == nft::INET && named(rule.table.as_ref())).collect();
        let in_chain = |chain: &Chain| {
            let wanted = self.rules.iter().filter(|rule| rule.chain == chain.name);
            let there = there_rules.iter().filter(|rule| rule.chain == chain.name);
            wanted.map(|rule| rule.steps().collect::<Vec<_>>()).eq(there.map(|rule| rule.steps().collect::<Vec<_>>()))
        };
        wanted == there && there_rules.len() == self.rules.len() && self.chains.iter().all(in_chain)
    }

    fn translate(&mut self, nat: &Nat) {
        match nat {
            Nat::Masquerade { out, from } => {
                let mut steps = named_device(OIFNAME, out);
                steps.extend(from.iter().flat_map(|prefix| within(*prefix, Side::Source)));
                steps.push(Masq::default().into());
                self.add("postrouting", "nat", 4, SRCNAT, steps);
            }
            Nat::Forward { device, protocol, port, to, to_port } => {
                let mut steps: Vec<_> = device.iter().flat_map(|device| named_device(IIFNAME, device)).collect();
                let transport = match protocol {
                    Transport::Tcp => TCP,
                    Transport::Udp => UDP,
                };
                steps.extend(family(*to));
                steps.extend([load(L4PROTO), equal(&[transport])]);
                steps.extend(ports(*port, *port));
                steps.extend([immediate(REGISTER, &octets(*to)), immediate(SECOND, &to_port.to_be_bytes())]);
                let nat = nft::Nat {
                    nat_type: Some(1),
                    family: Some(u32::from(nfproto(*to))),
                    reg_addr_min: Some(REGISTER),
                    reg_addr_max: Some(REGISTER),
                    reg_proto_min: Some(SECOND),
                    reg_proto_max: Some(SECOND),
                    // NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED, which the kernel sets by itself and tells.
                    flags: Some(3),
                    ..nft::Nat::default()
                };
                steps.push(nat.into());
                self.add("prerouting", "nat", 0, DSTNAT, steps);
            }
        }
    }

    fn filter(&mut self, filter: &Filter) {
        let (name, hook) = match filter.hook {
            Hook::Input => ("input", 1),
            Hook::Forward => ("forward", 2),
            Hook::Output => ("output", 3),
        };
        for transport in transports(filter) {
            let mut steps: Vec<_> = filter.iif.iter().flat_map(|device| named_device(IIFNAME, device)).collect();
            steps.extend(filter.oif.iter().flat_map(|device| named_device(OIFNAME, device)));
            steps.extend(filter.from.iter().flat_map(|prefix| within(*prefix, Side::Source)));
            steps.extend(filter.to.iter().flat_map(|prefix| within(*prefix, Side::Destination)));
            if let Some(number) = transport {
                steps.extend([load(L4PROTO), equal(&[number])]);
            }
            steps.extend(filter.ports.iter().flat_map(|(first, last)| ports(*first, *last)));
            if filter.established {
                steps.extend(known_flow());
            }
            steps.push(match filter.verdict {
                Verdict::Accept => Expression::verdict(nft::ACCEPT),
                Verdict::Drop => Expression::verdict(nft::DROP),
                // ICMP of either family, "port unreachable": what `reject` alone means to `nft`.
                Verdict::Reject => Reject { reject_type: Some(2), icmp_code: Some(1), ..Reject::default() }.into(),
            });
            self.add(name, "filter", hook, FILTER, steps);
        }
    }

    /// Adds a rule to a chain, and the chain before it if it is the first.
    fn add(&mut self, chain: &str, kind: &str, hook: u32, priority: i32, steps: Vec<Expression>) {
        if !self.chains.iter().any(|known| known.name.as_ref().is_some_and(|name| name.as_bytes() == chain.as_bytes()))
        {
            let priority = Some(priority.cast_unsigned());
            self.chains.push(Chain {
                family: nft::INET,
                table: Some(self.table.as_str().into()),
                name: Some(chain.into()),
                hook: Some(nft::Hook { hooknum: Some(hook), priority, ..nft::Hook::default() }),
                policy: Some(nft::ACCEPT),
                chain_type: Some(kind.into()),
                ..Chain::default()
            });
        }
        self.rules.push(Rule::new(&self.table, chain, steps));
    }
}

/// Returns the request that takes the table away with all that is in it; the kernel refuses with `ENOENT` if it is not there.
#[must_use]
pub fn removal(table: &str) -> Vec<Request> {
    vec![Table::inet(table).to_del()]
}

/// The protocols that a filter needs a rule for each; `None` is any.
fn transports(filter: &Filter) -> Vec<Option<u8>> {
    let family = filter.from.or(filter.to).map(|prefix| prefix.address);
    match (filter.protocol, filter.ports) {
        (Some(FilterProtocol::Tcp), _) => vec![Some(TCP)],
        (Some(FilterProtocol::Udp), _) => vec![Some(UDP)],
        (Some(FilterProtocol::Icmp), _) => match family {
            Some(IpAddr::V4(_)) => vec![Some(ICMP)],
            Some(IpAddr::V6(_)) => vec![Some(ICMPV6)],
            None => vec![Some(ICMP), Some(ICMPV6)],
        },
        (None, Some(_)) => vec![Some(TCP), Some(UDP)],
        (None, None) => vec![None],
    }
}

/// Which address of a packet.
#[derive(Clone, Copy)]
enum Side {
    Source,
    Destination,
}

fn load(key: u32) -> Expression {
    Meta { dreg: Some(REGISTER), key: Some(key), ..Meta::default() }.into()
}

fn compare(op: u32, bytes: &[u8]) -> Expression {
    Cmp { sreg: Some(REGISTER), op: Some(op), data: Some(Data::value(bytes)), ..Cmp::default() }.into()
}

fn equal(bytes: &[u8]) -> Expression {
    compare(0, bytes)
}

fn payload(base: u32, offset: u32, len: u32) -> Expression {
    let (base, offset, len) = (Some(base), Some(offset), Some(len));
    Payload { dreg: Some(REGISTER), base, offset, len, ..Payload::default() }.into()
}

fn mask(bits: &[u8]) -> Expression {
    Bitwise {
        sreg: Some(REGISTER),
        dreg: Some(REGISTER),
        len: u32::try_from(bits.len()).ok(),
        mask: Some(Data::value(bits)),
        xor: Some(Data::value(&vec![0; bits.len()])),
        // NFT_BITWISE_MASK_XOR, which the kernel tells even if it was not asked for.
        op: Some(0),
        ..Bitwise::default()
    }
    .into()
}

fn immediate(register: u32, bytes: &[u8]) -> Expression {
    Immediate { dreg: Some(register), data: Some(Data::value(bytes)), ..Immediate::default() }.into()
}

/// A device by its name, which fills 16 bytes.
fn named_device(key: u32, name: &str) -> Vec<Expression> {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    vec![load(key), equal(&bytes)]
}

fn family(address: IpAddr) -> Vec<Expression> {
    vec![load(NFPROTO), equal(&[nfproto(address)])]
}

fn nfproto(address: IpAddr) -> u8 {
    if address.is_ipv4() { IPV4 } else { IPV6 }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn within(prefix: Prefix, side: Side) -> Vec<Expression> {
    let bytes = octets(prefix.address);
    let (offset, len) = match (prefix.address, side) {
        (IpAddr::V4(_), Side::Source) => (12, 4),
        (IpAddr::V4(_), Side::Destination) => (16, 4),
        (IpAddr::V6(_), Side::Source) => (8, 16),
        (IpAddr::V6(_), Side::Destination) => (24, 16),
    };
    let mut steps = family(prefix.address);
    if prefix.length == 0 {
        return steps;
    }
    let bits: Vec<u8> = (0..bytes.len()).map(|place| mask_byte(place, prefix.length)).collect();
    let network: Vec<u8> = bytes.iter().zip(&bits).map(|(byte, bit)| byte & bit).collect();
    steps.push(payload(1, offset, len));
    if bits.iter().any(|byte| *byte != 0xff) {
        steps.push(mask(&bits));
    }
    steps.push(equal(&network));
    steps
}

fn mask_byte(place: usize, length: u8) -> u8 {
    let before = place.saturating_mul(8);
    match usize::from(length).saturating_sub(before) {
        0 => 0,
        bits if bits >= 8 => 0xff,
        bits => 0xff_u8.checked_shl(u32::try_from(8 - bits).unwrap_or(0)).unwrap_or(0),
    }
}

fn ports(first: u16, last: u16) -> Vec<Expression> {
    let load = payload(2, 2, 2);
    if first == last {
        return vec![load, equal(&first.to_be_bytes())];
    }
    vec![load, compare(5, &first.to_be_bytes()), compare(3, &last.to_be_bytes())]
}

fn known_flow() -> Vec<Expression> {
    let state = Ct { dreg: Some(REGISTER), key: Some(0), ..Ct::default() };
    vec![state.into(), mask(&KNOWN_FLOWS.to_ne_bytes()), compare(1, &[0; 4])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_the_prefix_length_in_bits() {
        let bits = |length| (0..4).map(|place| mask_byte(place, length)).collect::<Vec<_>>();
        assert_eq!(bits(0), [0, 0, 0, 0]);
        assert_eq!(bits(12), [255, 240, 0, 0]);
        assert_eq!(bits(24), [255, 255, 255, 0]);
        assert_eq!(bits(32), [255; 4]);
    }

    #[test]
    fn a_node_that_does_neither_needs_no_table() {
        assert_eq!(Ruleset::of(&Node::default(), "vwire"), None);
    }

    #[test]
    fn a_table_is_replaced_in_one_transaction() {
        let nat = vec![Nat::Masquerade { out: "eth0".to_owned(), from: None }];
        let ruleset = Ruleset::of(&Node { nat, ..Node::default() }, "vwire").unwrap();
        assert_eq!((ruleset.chains.len(), ruleset.rules.len(), ruleset.requests().len()), (1, 1, 5));
        assert!(ruleset.is_there(&ruleset.chains, &ruleset.rules));
        assert!(!ruleset.is_there(&ruleset.chains, &[]));
        assert!(!ruleset.is_there(&[], &ruleset.rules));
    }
}
