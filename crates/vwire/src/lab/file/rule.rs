//! Reads routing rules and static neighbours. Pure.

use std::net::IpAddr;

use toml::de::DeValue;

use super::draft::Draft;
use super::layers::Layers;
use super::problem::{Report, Trouble};
use super::route::{Known, few, table};
use super::text::{Text, Value, Word, span_of};
use super::unit;
use super::wire::missing;
use crate::lab::model::{Prefix, Rule, Span, StaticNeighbour};
use crate::lab::nearest::nearest;

/// Reads the rules and neighbours of all nodes.
pub(crate) fn read(report: &mut Report<'_>, draft: &mut Draft<'_>) {
    for node in 0..draft.nodes.len() {
        let Some(layers) = draft.nodes.get(node).map(|node| node.layers.clone()) else { return };
        let (mut rules, mut neighbours) = (Vec::new(), Vec::new());
        for value in layers.all("rules") {
            if draft.grow(report, span_of(value)).is_none() {
                return;
            }
            let read = rule(value, &layers, &Known { draft, node });
            rules.extend(report.take(read).map(|rule| Rule { span: span_of(value), ..rule }));
        }
        for value in layers.all("neighbours") {
            if draft.grow(report, span_of(value)).is_none() {
                return;
            }
            neighbours.extend(report.take(neighbour(value, &layers, &Known { draft, node })));
        }
        if let Some(draft) = draft.nodes.get_mut(node) {
            draft.node.rules = rules;
            draft.node.neighbours = neighbours;
        }
    }
}

fn rule<'a>(value: &'a Value<'a>, layers: &Layers<'a>, known: &Known<'_, '_>) -> Result<Rule, Trouble> {
    let span = span_of(value);
    let mut rule = Rule::default();
    if let Some(text) = layers.text_of(value) {
        line(&text, &mut rule, known)?;
    } else if let DeValue::Table(table) = value.get_ref() {
        of_table(&layers.inner(table), &mut rule, known)?;
    }
    let families: Vec<bool> = [rule.from, rule.to].into_iter().flatten().map(|net| net.address.is_ipv6()).collect();
    if families.contains(&true) && families.contains(&false) {
        return Err(Trouble::new(span, "this rule is about IPv4 and IPv6 at once").label("a rule for each"));
    }
    if families.contains(&false) && rule.ipv6 {
        return Err(Trouble::new(span, "this rule is for IPv6 and names IPv4 addresses"));
    }
    rule.ipv6 |= families.contains(&true);
    if rule.table == 0 {
        return Err(Trouble::new(span, "this rule does not say which table is looked up").label("such as `table 100`"));
    }
    Ok(rule)
}

fn line(text: &Text<'_>, rule: &mut Rule, known: &Known<'_, '_>) -> Result<(), Trouble> {
    let mut words = text.words();
    while let Some(word) = words.next() {
        match word.text {
            "ipv6" => rule.ipv6 = true,
            "from" | "to" => {
                let prefix = place_or_all(words.want("a prefix, or `all`")?)?;
                if word.text == "from" { rule.from = prefix } else { rule.to = prefix }
            }
            "iif" => rule.iif = Some(known.device_or_outside(words.want("a device")?)?),
            "oif" => rule.oif = Some(known.device_or_outside(words.want("a device")?)?),
            "fwmark" => rule.fwmark = Some(unit::mark(words.want("a mark")?)?),
            "table" | "lookup" => rule.table = table(words.want("the table's number")?)?,
            "priority" | "pref" | "preference" => {
                rule.priority = Some(unit::count(words.want("its place among the rules")?, 0, u32::MAX)?);
            }
            _ => return Err(strange(word)),
        }
    }
    Ok(())
}

fn strange(word: Word<'_>) -> Trouble {
    let words = ["from", "to", "iif", "oif", "fwmark", "table", "priority", "ipv6"];
    let trouble = word.wrong("a rule has no word");
    match nearest(word.text, words) {
        Some(meant) => trouble.label(format!("did you mean `{meant}`?")),
        None => trouble.label(words.map(|word| format!("`{word}`")).join(", ")),
    }
}

fn place_or_all(word: Word<'_>) -> Result<Option<Prefix>, Trouble> {
    if word.text == "all" { Ok(None) } else { unit::prefix(word).map(Some) }
}

fn of_table(layers: &Layers<'_>, rule: &mut Rule, known: &Known<'_, '_>) -> Result<(), Trouble> {
    let prefix = |key: &str| layers.text(key).map(|text| place_or_all(text.word())).transpose().map(Option::flatten);
    let device = |key: &str| layers.text(key).map(|text| known.device_or_outside(text.word())).transpose();
    rule.from = prefix("from")?;
    rule.to = prefix("to")?;
    rule.iif = device("iif")?;
    rule.oif = device("oif")?;
    rule.fwmark = layers.text("fwmark").map(|text| unit::mark(text.word())).transpose()?;
    rule.ipv6 = layers.switch("ipv6").unwrap_or(false);
    rule.table = layers.number("table").unwrap_or(0);
    rule.priority = layers.number("priority");
    Ok(())
}

fn neighbour<'a>(value: &'a Value<'a>, layers: &Layers<'a>, known: &Known<'_, '_>) -> Result<StaticNeighbour, Trouble> {
    let span = span_of(value);
    if let Some(text) = layers.text_of(value) {
        let mut words = text.words();
        let address = unit::address(words.want("the neighbour's address")?)?;
        let (mut mac, mut device) = (None, None);
        while let Some(word) = words.next() {
            match word.text {
                "mac" | "lladdr" => mac = Some(unit::mac(words.want("a link-layer address")?)?),
                "dev" => device = Some(known.device(words.want("a device")?)?),
                _ => return Err(word.wrong("a neighbour has no word").label("`mac` and `dev`")),
            }
        }
        let mac = mac.ok_or_else(|| missing(span, "a neighbour", "mac", "02:00:00:00:00:07"))?;
        return Ok(StaticNeighbour { address, mac, device: device_or_found(device, address, span, known)?, span });
    }
    let DeValue::Table(table) = value.get_ref() else { return Err(Trouble::new(span, "this is no neighbour")) };
    let table = layers.inner(table);
    let address = table.text("address").ok_or_else(|| missing(span, "a neighbour", "address", "\"10.0.0.7\""))?;
    let address = unit::address(address.word())?;
    let mac = table.text("mac").ok_or_else(|| missing(span, "a neighbour", "mac", "\"02:00:00:00:00:07\""))?;
    let mac = unit::mac(mac.word())?;
    let device = table.text("dev").map(|text| known.device(text.word())).transpose()?;
    Ok(StaticNeighbour { address, mac, device: device_or_found(device, address, span, known)?, span })
}

/// Returns the device that is said, or the one whose network holds the address.
fn device_or_found(
    said: Option<String>,
    address: IpAddr,
    span: Span,
    known: &Known<'_, '_>,
) -> Result<String, Trouble> {
    let found = || {
        let mut here = known.interfaces().filter(|(interface, _)| unit::holds(unit::network(interface), address));
        here.next().map(|(_, device)| device.to_owned())
    };
    said.or_else(found).ok_or_else(|| {
        let networks: Vec<String> = known
            .interfaces()
            .map(|(interface, _)| unit::network(interface))
            .map(|network| format!("{}/{}", network.address, network.length))
            .collect();
        let networks: Vec<&str> = networks.iter().map(String::as_str).collect();
        let trouble = Trouble::new(span, format!("no network of this node holds {address}"));
        trouble.label(if networks.is_empty() {
            "it has no address at all".into()
        } else {
            format!("it is in {}", few(&networks))
        })
    })
}
