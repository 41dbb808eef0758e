//! Reads what must hold when a lab is up. Pure.

use std::net::IpAddr;

use toml::de::DeValue;

use super::draft::{Draft, Place};
use super::layers::Layers;
use super::problem::{Report, Trouble, quoted};
use super::route::Known;
use super::text::{Text, Value, Word, span_of};
use super::unit;
use super::wire::missing;
use crate::lab::model::{Check, Expect, Span};
use crate::lab::nearest::nearest;

/// A check as it is written.
struct Written<'t> {
    from: Word<'t>,
    to: Word<'t>,
    expect: Expect,
    /// What is said behind the target: ` mtu 1400`.
    rest: String,
}

/// Returns what is said of a TCP port behind the target.
fn tcp(port: Option<u16>) -> String {
    port.map_or_else(String::new, |port| format!(" tcp {port}"))
}

/// Reads the checks; one about counted nodes, or `all`, is one for each.
pub(crate) fn read(report: &mut Report<'_>, draft: &mut Draft<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for value in draft.file.several("checks") {
        let made = report.take(check(value, &draft.file.clone(), draft)).unwrap_or_default();
        for check in made {
            if draft.grow(report, check.span).is_none() {
                return checks;
            }
            checks.push(check);
        }
    }
    checks
}

fn check<'a>(value: &'a Value<'a>, file: &Layers<'a>, draft: &Draft<'a>) -> Result<Vec<Check>, Trouble> {
    let span = span_of(value);
    if let Some(text) = file.text_of(value) {
        return each(&line(&text)?, span, draft);
    }
    let DeValue::Table(table) = value.get_ref() else { return Err(Trouble::new(span, "this is no check")) };
    let table = file.inner(table);
    let from = table.text("from").ok_or_else(|| missing(span, "a check", "from", "\"alice\""))?;
    let said: Vec<&str> = ["reaches", "must-not-reach", "mtu", "bandwidth"]
        .into_iter()
        .filter(|key| table.value(key).is_some())
        .collect();
    let [key] = said.as_slice() else {
        let message = "a check has one of `reaches`, `must-not-reach`, `mtu` and `bandwidth`";
        let label = if said.is_empty() { "none is here" } else { "one check for each" };
        return Err(Trouble::new(span, message).label(label));
    };
    let to = if key.starts_with("mtu") || key.starts_with("band") { "to" } else { key };
    let to = table.text(to).ok_or_else(|| missing(span, "this check", to, "\"bob\""))?;
    let port = table.number("tcp").and_then(|port| u16::try_from(port).ok());
    if let (Some(value), "mtu" | "bandwidth") = (table.value("tcp"), *key) {
        let trouble = Trouble::new(span_of(value), "`tcp` belongs to `reaches` and `must-not-reach`");
        return Err(trouble.label(format!("not to `{key}`")));
    }
    let (expect, rest) = match *key {
        "reaches" => (Expect::Reach(port), tcp(port)),
        "must-not-reach" => (Expect::MustNotReach(port), tcp(port)),
        "mtu" => {
            let mtu = table.number("mtu").unwrap_or(1500);
            (Expect::Mtu(mtu), format!(" mtu {mtu}"))
        }
        _ => match table.text("bandwidth") {
            Some(text) => {
                (Expect::BandwidthAtLeast(unit::rate(text.word())?), format!(" bandwidth {}", text.word().text))
            }
            None => return Err(missing(span, "this check", "bandwidth", "\"100mbit\"")),
        },
    };
    each(&Written { from: from.word(), to: to.word(), expect, rest }, span, draft)
}

fn line<'t>(text: &'t Text<'_>) -> Result<Written<'t>, Trouble> {
    let mut words = text.words();
    let from = words.want("the node that tries")?;
    let second = words.want("`reaches`, `must-not-reach`, or a node or address")?;
    let simple: Option<fn(Option<u16>) -> Expect> = match second.text {
        "reaches" | "reach" => Some(Expect::Reach),
        "must-not-reach" => Some(Expect::MustNotReach),
        "must" | "cannot" | "not" | "does" => return Err(second.wrong("in one word:").label("`must-not-reach`")),
        _ => None,
    };
    if let Some(expect) = simple {
        let to = words.want("a node or address")?;
        let port = match words.next() {
            None => None,
            Some(word) if word.text == "tcp" => Some(unit::port(words.want("a port, such as `80`")?)?),
            Some(word) if ["udp", "icmp", "port"].contains(&word.text) => {
                let label = "a ping is tried, or with `tcp` and a port a connection";
                return Err(word.wrong("a check has no word").label(label));
            }
            Some(word) => return Err(word.wrong("a check has no word").label("nothing more, or `tcp` and a port")),
        };
        words.done()?;
        return Ok(Written { from, to, expect: expect(port), rest: tcp(port) });
    }
    let to = if second.text == "to" { words.want("a node or address")? } else { second };
    let slip = nearest(second.text, ["reaches", "must-not-reach"]);
    let word = match (words.next(), slip) {
        (Some(word), None) => word,
        (_, Some(meant)) => return Err(second.wrong("a check has no word").label(format!("did you mean `{meant}`?"))),
        (None, None) => words.want("`mtu` and bytes, or `bandwidth` and a rate")?,
    };
    let (expect, rest) = match word.text {
        "mtu" => {
            let mtu = unit::mtu(words.want("bytes")?)?;
            (Expect::Mtu(mtu), format!(" mtu {mtu}"))
        }
        "bandwidth" | "rate" => {
            let rate = words.want("a rate, such as `100mbit`")?;
            (Expect::BandwidthAtLeast(unit::rate(rate)?), format!(" bandwidth {}", rate.text))
        }
        _ => {
            let trouble = word.wrong("a check has no word");
            return Err(trouble.label("`reaches`, `must-not-reach`, `mtu` or `bandwidth`"));
        }
    };
    words.done()?;
    Ok(Written { from, to, expect, rest })
}

/// Makes a check for each pair that the two names stand for.
fn each(written: &Written<'_>, span: Span, draft: &Draft<'_>) -> Result<Vec<Check>, Trouble> {
    let from = nodes(written.from, draft)?.ok_or_else(|| draft.no_node(written.from))?;
    let mut checks = Vec::new();
    match nodes(written.to, draft)? {
        None => {
            let to = vec![unit::address(written.to)?];
            let check = |node| made(draft, node, to.clone(), written.to.text, written, span);
            checks.extend(from.into_iter().filter_map(check));
        }
        Some(to) => {
            let one = from.len() == 1 && to.len() == 1;
            let pairs = from.len().saturating_mul(to.len());
            if pairs > MOST_PAIRS {
                let message = format!("this is {pairs} checks, and one line makes at most {MOST_PAIRS}");
                return Err(Trouble::new(span, message).label("check fewer pairs"));
            }
            for (node, other) in from.iter().flat_map(|node| to.iter().map(move |other| (*node, *other))) {
                if node == other && !one {
                    continue;
                }
                let name = draft.nodes.get(other).map(|node| node.node.name.clone()).unwrap_or_default();
                let is_ban = matches!(written.expect, Expect::MustNotReach(_));
                let mut to = addresses_for(draft, node, other, is_ban);
                if to.is_empty() {
                    let message = format!("{} has no address to be reached at", quoted(&name));
                    let trouble = Trouble::new(written.to.span, message);
                    return Err(trouble.label("an address on one of its wires is missing"));
                }
                if matches!(written.expect, Expect::BandwidthAtLeast(_)) {
                    to.truncate(1);
                }
                checks.extend(made(draft, node, to, &name, written, span));
            }
        }
    }
    Ok(checks)
}

/// The most checks that one line makes.
const MOST_PAIRS: usize = 20_000;

fn made(
    draft: &Draft<'_>,
    from: usize,
    to: Vec<IpAddr>,
    to_name: &str,
    written: &Written<'_>,
    span: Span,
) -> Option<Check> {
    let from = draft.nodes.get(from)?.node.name.clone();
    let verb = match written.expect {
        Expect::Reach(_) => " reaches",
        Expect::MustNotReach(_) => " must-not-reach",
        Expect::Mtu(_) | Expect::BandwidthAtLeast(_) => "",
    };
    let words = format!("{from}{verb} {to_name}{}", written.rest);
    Some(Check { from, to, words, expect: written.expect, span })
}

/// Returns the nodes that a name stands for; none if it is an address.
fn nodes(word: Word<'_>, draft: &Draft<'_>) -> Result<Option<Vec<usize>>, Trouble> {
    if let Some(group) = draft.groups.get(word.text) {
        return Ok(Some(group.clone()));
    }
    let node = |index: &usize| draft.nodes.get(*index).is_some_and(|node| !node.node.is_bridge && !node.node.is_host);
    match draft.places.get(word.text) {
        Some(Place::Node(node)) => Ok(Some(vec![*node])),
        Some(Place::Bridge(bridge)) => Ok(draft.bridges.get(*bridge).map(|bridge| vec![bridge.node])),
        None if word.text == "all" => Ok(Some((0..draft.nodes.len()).filter(node).collect())),
        None if word.text.parse::<IpAddr>().is_ok() => Ok(None),
        None if word.text.contains(['.', ':', '/']) => unit::address(word).map(|_| None),
        None => Err(draft.no_node(word)),
    }
}

/// Chooses the addresses by which one node tries another: of each family that both have one in a network that they share,
/// else the first; or `all`, since who must not reach a node must not by any.
fn addresses_for(draft: &Draft<'_>, from: usize, to: usize, all: bool) -> Vec<IpAddr> {
    let own: Vec<_> = Known { draft, node: from }.interfaces().map(|(interface, _)| *interface).collect();
    let networks: Vec<_> = own.iter().map(unit::network).collect();
    let addresses: Vec<IpAddr> =
        Known { draft, node: to }.interfaces().map(|(interface, _)| interface.address).collect();
    if all {
        let has = |address: &IpAddr| own.iter().any(|interface| interface.address.is_ipv6() == address.is_ipv6());
        let tried: Vec<IpAddr> = addresses.iter().copied().filter(has).collect();
        return if tried.is_empty() { addresses } else { tried };
    }
    let shared = |address: &&&IpAddr| networks.iter().any(|network| unit::holds(*network, ***address));
    let of_family = |is_ipv6: bool| {
        let fitting: Vec<&IpAddr> = addresses.iter().filter(|address| address.is_ipv6() == is_ipv6).collect();
        fitting.iter().find(shared).or(fitting.first()).map(|address| **address)
    };
    let has = |is_ipv6: &bool| own.iter().any(|interface| interface.address.is_ipv6() == *is_ipv6);
    let both: Vec<IpAddr> = [false, true].into_iter().filter(has).filter_map(of_family).collect();
    if both.is_empty() { [false, true].into_iter().find_map(of_family).into_iter().collect() } else { both }
}
