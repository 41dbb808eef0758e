//! In what the queueing and the nftables of a node are not as its file says, in the words of the file. Pure.

use std::collections::BTreeSet;

use vwire_netlink::Qdisc;
use vwire_netlink::wire::nft::{self, Chain, Rule};

use super::graph::of_lab::condition as spelled;
use super::import::{condition, netfilter};
use super::model::{Lab, Node};
use super::netfilter::Ruleset;
use super::plan::{self, Beside};
use crate::snapshot::state::State;
use crate::step::Difference;
use crate::step::world::{End, Place};

/// Returns in what it differs; nothing of what the kernel cannot do, which whoever plans has told.
#[must_use]
pub fn differences(
    lab: &Lab,
    at: usize,
    wanted: &State,
    now: &Beside,
    made: &BTreeSet<End>,
    has_netem: bool,
) -> Vec<Difference> {
    let Some(node) = lab.nodes.get(at) else { return Vec::new() };
    let place = Place(at);
    let mut found = queueing(node, place, wanted, now, made, has_netem);
    let table = plan::table_of(&lab.name);
    filtering(Ruleset::of(node, &table).as_ref(), &table, now, place, &mut found);
    found
}

fn queueing(
    node: &Node,
    place: Place,
    wanted: &State,
    now: &Beside,
    made: &BTreeSet<End>,
    has_netem: bool,
) -> Vec<Difference> {
    let differing = plan::disciplines(node, place, wanted, now, made, has_netem).unwrap_or_default();
    let told = differing.into_iter().map(|one| {
        let asked = one.device.condition.as_ref();
        let should = one.wished.as_ref().map(|wished| {
            let asked = asked.map(spelled).unwrap_or_default();
            format!("{} {asked}", plan::kind_of(wished))
        });
        let is = plan::root(&now.qdiscs, one.index).map(|root| of_kernel(root, &now.qdiscs));
        let is = is.map(|is| if Some(&is) == should.as_ref() { format!("{is} with other options") } else { is });
        let object = format!("link {}", one.device.name);
        Difference { place, object, attribute: "qdisc", is: is.or_else(|| Some("none".to_owned())), should }
    });
    told.collect()
}

/// Spells a discipline, as far as a file could say it.
fn of_kernel(root: &Qdisc, qdiscs: &[Qdisc]) -> String {
    let (said, _) = condition::of(root.index, qdiscs);
    let words: Vec<String> = [plan::kind_of(root)].into_iter().chain(said.as_ref().map(spelled)).collect();
    words.join(" ")
}

fn filtering(wanted: Option<&Ruleset>, table: &str, now: &Beside, place: Place, to: &mut Vec<Difference>) {
    let is_ours = |family: u8, name: Option<&vwire_netlink::Text>| {
        family == nft::INET && name.is_some_and(|name| name.as_bytes() == table.as_bytes())
    };
    let chains: Vec<&Chain> = now.chains.iter().filter(|chain| is_ours(chain.family, chain.table.as_ref())).collect();
    let rules: Vec<&Rule> = now.rules.iter().filter(|rule| is_ours(rule.family, rule.table.as_ref())).collect();
    let whole = format!("nft table inet {table}");
    let Some(wanted) = wanted else {
        to.extend((!chains.is_empty()).then(|| Difference::surplus(place, whole)));
        return;
    };
    if chains.is_empty() {
        to.push(Difference::missing(place, whole));
        return;
    }
    for chain in &wanted.chains {
        match chains.iter().find(|there| there.name == chain.name) {
            None => to.push(Difference::missing(place, object(chain))),
            Some(there) => {
                settings(chain, there, place, to);
                let of_chain = |rule: &&Rule| rule.chain == chain.name;
                let wanted: Vec<&Rule> = wanted.rules.iter().filter(of_chain).collect();
                let there: Vec<&Rule> = rules.iter().copied().filter(of_chain).collect();
                in_chain(chain, &wanted, &there, place, to);
            }
        }
    }
    let is_wanted = |chain: &Chain| wanted.chains.iter().any(|own| own.name == chain.name);
    to.extend(chains.iter().filter(|chain| !is_wanted(chain)).map(|chain| Difference::surplus(place, object(chain))));
}

fn object(chain: &Chain) -> String {
    format!("nft chain {}", chain.name.as_ref().map(ToString::to_string).unwrap_or_default())
}

/// Compares by what a chain gets packets, and what becomes of them at its end.
fn settings(wanted: &Chain, there: &Chain, place: Place, to: &mut Vec<Difference>) {
    let policy = |chain: &Chain| if chain.policy.unwrap_or(nft::ACCEPT) == nft::DROP { "drop" } else { "accept" };
    let number = |number: Option<u32>| number.map_or_else(|| "none".to_owned(), |it| it.cast_signed().to_string());
    let hook = |chain: &Chain| number(chain.hook.as_ref().and_then(|hook| hook.hooknum));
    let priority = |chain: &Chain| number(chain.hook.as_ref().and_then(|hook| hook.priority));
    let kind = |chain: &Chain| chain.chain_type.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    let all = [
        ("policy", policy(there).to_owned(), policy(wanted).to_owned()),
        ("type", kind(there), kind(wanted)),
        ("hook", hook(there), hook(wanted)),
        ("priority", priority(there), priority(wanted)),
    ];
    for (attribute, is, should) in all.into_iter().filter(|(_, is, should)| is != should) {
        to.push(Difference { place, object: object(wanted), attribute, is: Some(is), should: Some(should) });
    }
}

/// Compares the rules of a chain: which are missing, which are too many, and whether the rest is in order.
fn in_chain(chain: &Chain, wanted: &[&Rule], there: &[&Rule], place: Place, to: &mut Vec<Difference>) {
    let is_same = |one: &Rule, other: &Rule| one.steps().eq(other.steps());
    let mut left: Vec<&Rule> = there.to_vec();
    let before = to.len();
    for rule in wanted {
        match left.iter().position(|other| is_same(rule, other)) {
            Some(position) => drop(left.remove(position)),
            None => {
                let words = netfilter::spelled(chain, rule).unwrap_or_default();
                to.push(Difference::missing(place, format!("nft rule \"{words}\"")));
            }
        }
    }
    for rule in left {
        let handle = rule.handle.unwrap_or_default();
        let named = match netfilter::spelled(chain, rule) {
            Ok(words) => format!("nft rule \"{words}\" (handle {handle})"),
            Err(_) => format!("nft rule with handle {handle} in {}", object(chain).trim_start_matches("nft ")),
        };
        to.push(Difference::surplus(place, named));
    }
    let in_order = wanted.iter().zip(there).all(|(one, other)| is_same(one, other));
    if to.len() == before && !in_order {
        let should = Some("as in the file".to_owned());
        to.push(Difference { place, object: object(chain), attribute: "order of rules", is: None, should });
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::lab::model::{Condition, Filter, FilterProtocol, Hook, Prefix, Span, Verdict};

    fn filter(protocol: FilterProtocol, port: u16) -> Filter {
        Filter {
            hook: Hook::Input,
            verdict: Verdict::Accept,
            iif: Some("eth0".to_owned()),
            oif: None,
            from: Some(Prefix { address: Ipv4Addr::new(10, 0, 0, 0).into(), length: 24 }),
            to: None,
            protocol: Some(protocol),
            ports: Some((port, port)),
            established: false,
            span: Span::default(),
        }
    }

    fn node(filters: Vec<Filter>) -> Lab {
        let node = Node { name: "a".to_owned(), filters, ..Node::default() };
        Lab { name: "l".to_owned(), nodes: vec![node], ..Lab::default() }
    }

    fn told(lab: &Lab, wanted: &State, now: &Beside) -> Vec<String> {
        let found = differences(lab, 0, wanted, now, &BTreeSet::new(), true);
        found.iter().map(|one| one.describe(&crate::step::Names::default())).collect()
    }

    fn there(lab: &Lab) -> Beside {
        let ruleset = Ruleset::of(&lab.nodes[0], "vwire-l").unwrap();
        Beside { chains: ruleset.chains, rules: ruleset.rules, ..Beside::default() }
    }

    #[test]
    fn of_a_table_it_is_told_what_is_missing_changed_and_too_many() {
        let lab = node(vec![filter(FilterProtocol::Tcp, 22), filter(FilterProtocol::Udp, 53)]);
        let nothing = State::default();
        let whole = there(&lab);
        assert_eq!(told(&lab, &nothing, &whole), [""; 0]);
        assert_eq!(told(&lab, &nothing, &Beside::default()), ["nft table inet vwire-l is missing"]);
        assert_eq!(told(&node(Vec::new()), &nothing, &whole), ["nft table inet vwire-l is there and should not be"]);
        let mut other = there(&node(vec![filter(FilterProtocol::Tcp, 23), filter(FilterProtocol::Udp, 53)]));
        other.rules[0].handle = Some(7);
        other.chains[0].policy = Some(nft::DROP);
        let strange = Rule { handle: Some(9), ..Rule::new("vwire-l", "input", Vec::new()) };
        other.rules.push(strange);
        other.chains.push(Chain { name: Some("mine".into()), ..whole.chains[0].clone() });
        assert_eq!(
            told(&lab, &nothing, &other),
            [
                "nft chain input: policy is drop, should be accept",
                "nft rule \"accept input from 10.0.0.0/24 in eth0 tcp 22\" is missing",
                "nft rule \"accept input from 10.0.0.0/24 in eth0 tcp 23\" (handle 7) is there and should not be",
                "nft rule with handle 9 in chain input is there and should not be",
                "nft chain mine is there and should not be",
            ]
        );
        let mut turned = there(&lab);
        turned.rules.reverse();
        assert_eq!(told(&lab, &nothing, &turned), ["nft chain input: order of rules should be as in the file"]);
    }

    #[test]
    fn of_queueing_both_are_told_as_the_file_has_them() {
        let rate = |rate| Condition { rate: Some(rate), ..Condition::default() };
        let mut lab = node(Vec::new());
        let text = "[node.a.tap.eth0]\n";
        lab.nodes[0].devices = crate::lab::file::read(text, "l").unwrap().0.nodes.remove(0).devices;
        lab.nodes[0].devices[0].condition = Some(rate(10_000_000));
        let link = vwire_netlink::Link { index: 7, ..vwire_netlink::Link::named("eth0".parse().unwrap()) };
        let state = State { links: vec![link], ..State::default() };
        let with = |qdisc: Qdisc| Beside { qdiscs: vec![qdisc], ..Beside::default() };
        let of = |rate_bits| crate::lab::condition::qdisc(7, &rate(rate_bits), true).unwrap().unwrap();
        assert_eq!(told(&lab, &state, &with(of(10_000_000))), [""; 0]);
        assert_eq!(
            told(&lab, &state, &with(of(5_000_000))),
            ["link eth0: qdisc is tbf rate 5mbit, should be tbf rate 10mbit"]
        );
        let htb = Qdisc { kind: Some("htb".into()), ..Qdisc::root(7) };
        assert_eq!(told(&lab, &state, &with(htb)), ["link eth0: qdisc is htb, should be tbf rate 10mbit"]);
        assert_eq!(told(&lab, &state, &Beside::default()), ["link eth0: qdisc is none, should be tbf rate 10mbit"]);
        lab.nodes[0].devices[0].condition = None;
        assert_eq!(told(&lab, &state, &with(of(5_000_000))), ["link eth0: qdisc is tbf rate 5mbit, should not be set"]);
    }
}
