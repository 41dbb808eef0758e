//! Reads wires: `"alice:eth0 10.0.0.1/24 -- lan mtu 9000 delay 10ms"`, or a table that says the same. Pure.

use toml::de::DeValue;
use vwire_netlink::LinkAddress;

use super::condition::{self, Conditions};
use super::layers::Layers;
use super::problem::Trouble;
use super::text::{Text, Value, Word, Words, once, span_of};
use super::unit;
use crate::lab::model::{Condition, Interface, PortVlans, Prefix, Span};
use crate::lab::nearest::nearest;

/// A wire as it is written, its names not looked up yet.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) ends: [End; 2],
    /// Networks to take the ends' addresses from.
    pub(crate) prefixes: Vec<Prefix>,
    pub(crate) mtu: Option<u32>,
    /// What is done to packets that leave the first end, and the second.
    pub(crate) conditions: [Option<Condition>; 2],
    /// Whether it is one of those that a line makes which names many nodes at once.
    pub(crate) is_of_many: bool,
    pub(crate) span: Span,
}

/// An end as it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct End {
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) device: Option<String>,
    pub(crate) addresses: Vec<Interface>,
    pub(crate) automatic: Automatic,
    pub(crate) mac: Option<LinkAddress>,
    pub(crate) mtu: Option<u32>,
    pub(crate) vlans: Option<PortVlans>,
    pub(crate) down: bool,
    /// Whether it stands instead of the end that the line for many nodes gives this one.
    pub(crate) stands_in: bool,
    pub(crate) span: Span,
}

/// Whether an end wants an automatic address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Automatic {
    /// Where there is a prefix to take it from and none of its family is given.
    #[default]
    Perhaps,
    /// In any case.
    Wanted,
    /// In no case.
    Never,
}

/// The words that describe an end.
const END_WORDS: &[&str] = &["auto", "none", "mac", "vlan", "trunk", "down", "peer"];

/// Reads a wire, line or table.
pub(crate) fn wire<'a>(value: &'a Value<'a>, file: &Layers<'a>, known: &Conditions) -> Result<Wire, Trouble> {
    if let Some(text) = file.text_of(value) {
        return line(&text, known);
    }
    let DeValue::Table(table) = value.get_ref() else {
        return Err(Trouble::new(span_of(value), "this is no wire"));
    };
    of_table(&file.inner(table), span_of(value), known)
}

fn line(text: &Text<'_>, known: &Conditions) -> Result<Wire, Trouble> {
    let mut words = text.words();
    let left = end(&mut words, "the node or bridge at the first end")?;
    match words.peek() {
        Some(word) if word.text == "--" => drop(words.next()),
        Some(word) if condition::WORDS.contains(&word.text) || ["mtu", "prefix"].contains(&word.text) => {
            let trouble = Trouble::new(word.span, format!("`{}` is the wire's, not this end's", word.text));
            return Err(trouble
                .label("write it behind the second end")
                .hint("behind `->` it holds only from left to right, behind `<-` only from right to left"));
        }
        Some(word) if ["-", "->", "<->", "---", "—", "–"].contains(&word.text) => {
            return Err(word.wrong("two ends have `--` between them, not").label("`--`"));
        }
        Some(word) => return Err(no_end_word(word)),
        None => {
            let trouble = Trouble::new(text.part(0..text.as_str().len()), "a wire has two ends, and this is one");
            return Err(trouble.label("such as `alice -- bob`"));
        }
    }
    let right = end(&mut words, "the node or bridge at the second end")?;
    let mut wire = Wire {
        ends: [left, right],
        prefixes: Vec::new(),
        mtu: None,
        conditions: [None; 2],
        is_of_many: false,
        span: text.span(),
    };
    let mut parts = [Condition::default(); 3];
    let (mut part, mut said) = (0, Vec::new());
    while let Some(word) = words.next() {
        // A wire may have a prefix of each family.
        if word.text != "prefix" {
            once(&mut said, word)?;
        }
        match word.text {
            "mtu" if part == 0 => wire.mtu = Some(unit::mtu(words.want("the MTU in bytes")?)?),
            "prefix" if part == 0 => add_prefix(&mut wire.prefixes, words.want("a prefix, such as `10.1.0.0/30`")?)?,
            "->" | "<-" => {
                part = if word.text == "->" { 1 } else { 2 };
                said.retain(|known| ["->", "<-"].contains(known));
            }
            known_word if condition::WORDS.contains(&known_word) => {
                if let Some(condition) = parts.get_mut(part) {
                    known.word(condition, word, &mut words)?;
                }
            }
            _ => return Err(no_wire_word(word)),
        }
    }
    let [both, forth, back] = parts;
    set_conditions(&mut wire, both, forth, back)?;
    Ok(wire)
}

fn set_conditions(wire: &mut Wire, both: Condition, forth: Condition, back: Condition) -> Result<(), Trouble> {
    for (place, one) in wire.conditions.iter_mut().zip([forth, back]) {
        *place = condition::some(condition::sound(condition::direction(one, both), wire.span)?);
    }
    Ok(())
}

fn add_prefix(prefixes: &mut Vec<Prefix>, word: Word<'_>) -> Result<(), Trouble> {
    let prefix = unit::prefix(word)?;
    if prefixes.iter().any(|known| known.address.is_ipv4() == prefix.address.is_ipv4()) {
        return Err(word.wrong("there is a prefix of this family already, beside").label("one IPv4, one IPv6"));
    }
    if unit::size(prefix) == 0 {
        return Err(word.wrong("this prefix has room for one address alone:").label("a shorter length"));
    }
    prefixes.push(prefix);
    Ok(())
}

/// Reads prefixes for automatic addresses.
pub(crate) fn prefixes(layers: &Layers<'_>) -> Result<Vec<Prefix>, Trouble> {
    let mut prefixes = Vec::new();
    for text in layers.texts("prefix") {
        add_prefix(&mut prefixes, text.word())?;
    }
    Ok(prefixes)
}

fn no_wire_word(word: Word<'_>) -> Trouble {
    let trouble = word.wrong("a wire has no word");
    let words = condition::WORDS.iter().chain(END_WORDS).chain(&["mtu", "prefix", "->", "<-"]).copied();
    match nearest(word.text, words) {
        _ if word.text == "--" => {
            Trouble::new(word.span, "a wire has two ends, and this is a third").label("one wire for each two ends")
        }
        _ if word.text == "latency" => trouble.label("here it is called `delay`"),
        _ if word.text == "bandwidth" => trouble.label("here it is called `rate`"),
        Some(meant) => trouble.label(format!("did you mean `{meant}`?")),
        None => trouble.label("`prefix`, `mtu`, `like`, `delay`, `jitter`, `loss`, `rate`, `->`, `<-`, …"),
    }
}

fn no_end_word(word: Word<'_>) -> Trouble {
    let trouble = word.wrong("an end has no word");
    match nearest(word.text, END_WORDS.iter().copied()) {
        _ if word.text.parse::<std::net::IpAddr>().is_ok() || word.text.contains('/') => match unit::interface(word) {
            Err(trouble) => trouble,
            Ok(_) => trouble,
        },
        _ if word.text == "lladdr" => trouble.label("here it is called `mac`"),
        Some(meant) => trouble.label(format!("did you mean `{meant}`?")),
        None => trouble.label("an address such as `10.0.0.1/24`, or `--` and the other end"),
    }
}

/// Reads an end up to the first word that is none of its own.
fn end(words: &mut Words<'_>, what: &str) -> Result<End, Trouble> {
    let word = words.want(what)?;
    let mut end = End { span: word.span, ..End::default() };
    name(&mut end, word)?;
    let mut said = Vec::new();
    while let Some(word) = words.peek() {
        if END_WORDS.contains(&word.text) {
            once(&mut said, word)?;
        }
        match word.text {
            "auto" => end.automatic = Automatic::Wanted,
            "none" => end.automatic = Automatic::Never,
            "down" => end.down = true,
            "mac" | "vlan" | "trunk" => {
                words.next();
                let value = words.peek().ok_or_else(|| no_value(word))?;
                match word.text {
                    "mac" => end.mac = Some(unit::mac(value)?),
                    "vlan" => end.vlans.get_or_insert_default().access = Some(unit::vlan(value)?),
                    _ => end.vlans.get_or_insert_default().trunk = unit::vlans(value)?,
                }
            }
            text if text.starts_with(|letter: char| letter.is_ascii_hexdigit() || letter == ':')
                && (text.contains('/') || text.parse::<std::net::IpAddr>().is_ok()) =>
            {
                end.addresses.push(unit::interface(word)?);
            }
            _ => break,
        }
        end.span.end = word.span.end;
        words.next();
    }
    Ok(end)
}

fn no_value(word: Word<'_>) -> Trouble {
    Trouble::new(word.span, format!("the line ends where the value of `{}` should stand", word.text))
}

/// Reads `NODE` or `NODE:DEVICE`.
fn name(end: &mut End, word: Word<'_>) -> Result<(), Trouble> {
    let (node, device) = match word.split_once(':') {
        Some((node, device)) => (node, Some(device)),
        None => (word, None),
    };
    if node.text == "--" {
        return Err(Trouble::new(word.span, "a wire's end is missing").label("a node or bridge should stand here"));
    }
    end.name = unit::node_name(node)?.to_owned();
    end.name_span = node.span;
    end.device = device.map(|device| unit::device_name(device).map(str::to_owned)).transpose()?;
    Ok(())
}

fn of_table(table: &Layers<'_>, span: Span, known: &Conditions) -> Result<Wire, Trouble> {
    let ends = table.several("ends");
    let [left, right] = ends.as_slice() else {
        let message = format!("a wire has two ends, and this has {}", ends.len());
        let span = table.value("ends").map_or(span, span_of);
        return Err(Trouble::new(span, message).label("such as `ends = [\"alice\", \"bob\"]`"));
    };
    let ends = [end_of(left, table)?, end_of(right, table)?];
    let mtu = table.number("mtu");
    let mut wire = Wire { ends, prefixes: prefixes(table)?, mtu, conditions: [None; 2], is_of_many: false, span };
    let both = known.of_table(table, Condition::default())?;
    let of = |key| match table.table(key) {
        Some(inner) => known.of_table(&table.inner(inner), Condition::default()),
        None => Ok(Condition::default()),
    };
    set_conditions(&mut wire, both, of("forth")?, of("back")?)?;
    Ok(wire)
}

/// Reads an end of a table, which is a line or a table itself.
fn end_of<'a>(value: &'a Value<'a>, table: &Layers<'a>) -> Result<End, Trouble> {
    if let Some(text) = table.text_of(value) {
        let mut words = text.words();
        let end = end(&mut words, "a node or bridge")?;
        return match words.peek() {
            Some(word) => Err(no_end_word(word)),
            None => Ok(end),
        };
    }
    let DeValue::Table(inner) = value.get_ref() else {
        return Err(Trouble::new(span_of(value), "this is no end of a wire"));
    };
    let inner = table.inner(inner);
    let span = span_of(value);
    let node = inner.text("node").ok_or_else(|| missing(span, "an end", "node", "\"alice\""))?;
    let mut end = End { span, ..End::default() };
    end.name = unit::node_name(node.word())?.to_owned();
    end.name_span = node.span();
    if let Some(device) = inner.text("device") {
        end.device = Some(unit::device_name(device.word())?.to_owned());
    }
    (end.addresses, end.automatic) = addresses(&inner)?;
    end.mac = inner.text("mac").map(|text| unit::mac(text.word())).transpose()?;
    end.mtu = inner.number("mtu");
    end.vlans = vlans(&inner)?;
    end.down = inner.switch("up") == Some(false);
    Ok(end)
}

/// Says that a table lacks what it must have.
pub(crate) fn missing(span: Span, what: &str, key: &str, example: &str) -> Trouble {
    Trouble::new(span, format!("{what} needs `{key}`")).label(format!("such as `{key} = {example}`"))
}

/// Reads `address` of a device's table.
pub(crate) fn addresses(layers: &Layers<'_>) -> Result<(Vec<Interface>, Automatic), Trouble> {
    addresses_under(layers, "address")
}

/// Reads addresses under a key.
pub(crate) fn addresses_under(layers: &Layers<'_>, key: &str) -> Result<(Vec<Interface>, Automatic), Trouble> {
    let (mut addresses, mut automatic) = (Vec::new(), Automatic::Perhaps);
    for text in layers.texts(key) {
        match text.as_str() {
            "auto" => automatic = Automatic::Wanted,
            "none" => automatic = Automatic::Never,
            _ => addresses.push(address(&text)?),
        }
    }
    Ok((addresses, automatic))
}

/// Reads `10.0.0.1/24` or `10.0.0.1 peer 10.0.0.2`.
fn address(text: &Text<'_>) -> Result<Interface, Trouble> {
    let mut words = text.words();
    let first = words.want("an address, such as `10.0.0.1/24`")?;
    if !words.take("peer") {
        words.done()?;
        return unit::interface(first);
    }
    let address = unit::address(first)?;
    let peer = unit::prefix(words.want("the other end's address")?)?;
    words.done()?;
    if address.is_ipv4() != peer.address.is_ipv4() {
        return Err(Trouble::new(text.span(), "the two ends' addresses are of different families"));
    }
    Ok(Interface { address, prefix_length: peer.length, peer: Some(peer.address) })
}

/// Reads `vlan` and `trunk` of a port's table.
pub(crate) fn vlans(layers: &Layers<'_>) -> Result<Option<PortVlans>, Trouble> {
    let access = layers.number("vlan").and_then(|number| u16::try_from(number).ok());
    let trunk = layers.text("trunk").map(|text| unit::vlans(text.word())).transpose()?;
    let said = access.is_some() || trunk.is_some();
    Ok(said.then(|| PortVlans { access, trunk: trunk.unwrap_or_default() }))
}
