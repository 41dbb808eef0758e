//! Reads what a node translates and what it lets through. Pure.

use std::net::IpAddr;

use toml::de::DeValue;

use super::draft::{Draft, Place};
use super::layers::Layers;
use super::problem::{Report, Trouble, quoted};
use super::route::Known;
use super::text::{Text, Value, Word, Words, span_of};
use super::unit;
use super::wire::missing;
use crate::lab::model::{Filter, FilterProtocol, Hook, Nat, Prefix, Span, Transport, Verdict};
use crate::lab::nearest::nearest;

/// Reads the translations and filters of all nodes.
pub(crate) fn read(report: &mut Report<'_>, draft: &mut Draft<'_>) {
    for node in 0..draft.nodes.len() {
        let Some(layers) = draft.nodes.get(node).map(|node| node.layers.clone()) else { return };
        let (mut nat, mut filters) = (Vec::new(), Vec::new());
        for value in layers.all("nat") {
            if draft.grow(report, span_of(value)).is_none() {
                return;
            }
            nat.extend(report.take(translation(value, &layers, &Known { draft, node })));
        }
        for value in layers.all("filter") {
            if draft.grow(report, span_of(value)).is_none() {
                return;
            }
            filters.extend(report.take(filter(value, &layers, &Known { draft, node })));
        }
        let Some(draft) = draft.nodes.get_mut(node) else { return };
        let wants_forwarding = !nat.is_empty() || filters.iter().any(|filter: &Filter| filter.hook == Hook::Forward);
        let is_set = |name: &str| draft.node.sysctls.get(name).is_some_and(|value| value == "1");
        let forwards = draft.forwards || is_set("net.ipv4.ip_forward") || is_set("net.ipv6.conf.all.forwarding");
        if wants_forwarding && !forwards && !draft.node.is_host {
            let trouble = Trouble::new(draft.node.span, format!("{} does not forward", quoted(&draft.node.name)));
            report.warning(trouble.label("`forwarding = true` is missing: it passes no packets on"));
        }
        draft.node.nat = nat;
        draft.node.filters = filters;
    }
}

/// Finds the network that a place is: a prefix, a bridge's, or the one address of a node.
fn place(word: Word<'_>, known: &Known<'_, '_>, ipv6: Option<bool>) -> Result<Prefix, Trouble> {
    let fits = |address: &IpAddr| ipv6.is_none_or(|ipv6| ipv6 == address.is_ipv6());
    let draft = known.draft;
    match draft.places.get(word.text) {
        Some(Place::Bridge(bridge)) => {
            let prefixes = draft.bridges.get(*bridge).map(|bridge| bridge.prefixes.clone()).unwrap_or_default();
            prefixes.into_iter().find(|prefix| fits(&prefix.address)).ok_or_else(|| {
                word.wrong("there is no `prefix` for the bridge").label("a prefix here, such as `10.0.0.0/24`")
            })
        }
        Some(Place::Node(node)) => {
            let theirs = Known { draft, node: *node };
            let addresses: Vec<IpAddr> =
                theirs.interfaces().map(|(interface, _)| interface.address).filter(fits).collect();
            let ipv4 = addresses.iter().filter(|address| address.is_ipv4()).count();
            match addresses.as_slice() {
                [address, ..] if ipv4 == 1 && address.is_ipv4() || addresses.len() == 1 => {
                    Ok(Prefix { address: *address, length: unit::bits(*address) })
                }
                [] => Err(word.wrong("there is no address of").label("a prefix here")),
                _ => Err(word.wrong("there are several addresses of").label("one of them here")),
            }
        }
        None if word.text.starts_with(|letter: char| letter.is_ascii_digit() || letter == ':')
            || word.text.contains([':', '/']) =>
        {
            unit::prefix(word)
        }
        None => Err(draft.no_node(word)),
    }
}

/// Finds the address that a translation leads to.
fn target(word: Word<'_>, known: &Known<'_, '_>) -> Result<IpAddr, Trouble> {
    match word.text.parse() {
        Ok(address) => Ok(address),
        Err(_) if known.draft.places.contains_key(word.text) => known.gateway(word, None),
        Err(_) if word.text.contains(['.', ':']) => unit::address(word),
        Err(_) => Err(known.draft.no_node(word)),
    }
}

fn translation<'a>(value: &'a Value<'a>, layers: &Layers<'a>, known: &Known<'_, '_>) -> Result<Nat, Trouble> {
    if let Some(text) = layers.text_of(value) {
        let mut words = text.words();
        let first = words.want("`masquerade` or `forward`")?;
        let nat = match first.text {
            "masquerade" => masquerade(&mut words, known),
            "forward" => forward(&mut words, known),
            _ => {
                let trouble = first.wrong("there is no translation");
                let meant = nearest(first.text, ["masquerade", "forward"]);
                Err(trouble
                    .label(meant.map_or("`masquerade` or `forward`".into(), |it| format!("did you mean `{it}`?"))))
            }
        }?;
        words.done()?;
        return Ok(nat);
    }
    let DeValue::Table(table) = value.get_ref() else {
        return Err(Trouble::new(span_of(value), "this is no translation"));
    };
    translation_of(&layers.inner(table), span_of(value), known)
}

fn masquerade(words: &mut Words<'_>, known: &Known<'_, '_>) -> Result<Nat, Trouble> {
    let (mut out, mut from) = (None, None);
    while let Some(word) = words.next() {
        match word.text {
            "out" | "dev" => out = Some(known.device_or_outside(words.want("a device")?)?),
            "from" => from = Some(place(words.want("a network")?, known, None)?),
            _ => return Err(word.wrong("`masquerade` has no word").label("`out DEVICE` and `from PLACE`")),
        }
    }
    let out = match out {
        Some(out) => out,
        None => drop_want(words, "`out` and a device, such as `out eth0`")?,
    };
    Ok(Nat::Masquerade { out, from })
}

/// Makes the trouble of a line that ended too early.
fn drop_want(words: &mut Words<'_>, what: &str) -> Result<String, Trouble> {
    words.want(what).map(|word| word.text.to_owned())
}

fn forward(words: &mut Words<'_>, known: &Known<'_, '_>) -> Result<Nat, Trouble> {
    let protocol = words.want("`tcp` or `udp`")?;
    let protocol = match protocol.text {
        "tcp" => Transport::Tcp,
        "udp" => Transport::Udp,
        _ => return Err(protocol.wrong("what is forwarded is TCP or UDP, not").label("`tcp` or `udp`")),
    };
    let port = unit::port(words.want("the port it arrives at")?)?;
    let to = words.want("`to` and an address")?;
    if to.text != "to" {
        return Err(to.wrong("here should stand `to`, not").label("`to ADDRESS:PORT`"));
    }
    let (to, to_port) = with_port(words.want("an address or node, such as `10.0.0.2:80`")?, known)?;
    let mut device = None;
    while let Some(word) = words.next() {
        match word.text {
            "in" | "dev" => device = Some(known.device_or_outside(words.want("a device")?)?),
            _ => return Err(word.wrong("`forward` has no word").label("`in DEVICE`")),
        }
    }
    Ok(Nat::Forward { device, protocol, port, to, to_port: to_port.unwrap_or(port) })
}

/// Reads `10.0.0.2:80`, `[2001:db8::2]:80`, `web:80`, or any of them without a port.
fn with_port(word: Word<'_>, known: &Known<'_, '_>) -> Result<(IpAddr, Option<u16>), Trouble> {
    if let Ok(address) = word.text.parse() {
        return Ok((address, None));
    }
    if let Some((address, port)) = word.text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let address = unit::address(Word { text: address, span: word.span })?;
        let port = port.strip_prefix(':').map(|port| unit::port(Word { text: port, span: word.span })).transpose()?;
        return Ok((address, port));
    }
    match word.split_once(':') {
        Some((address, port)) => Ok((target(address, known)?, Some(unit::port(port)?))),
        None => Ok((target(word, known)?, None)),
    }
}

fn translation_of(table: &Layers<'_>, span: Span, known: &Known<'_, '_>) -> Result<Nat, Trouble> {
    let device = |key: &str| table.text(key).map(|text| known.device_or_outside(text.word())).transpose();
    let forward = table.text("forward");
    if let (Some(out), None) = (device("masquerade")?, &forward) {
        let from = table.text("from").map(|text| place(text.word(), known, None)).transpose()?;
        return Ok(Nat::Masquerade { out, from });
    }
    let Some(protocol) = forward else {
        return Err(Trouble::new(span, "a translation is `masquerade` or `forward`").label("one of the two is missing"));
    };
    if table.value("masquerade").is_some() {
        return Err(Trouble::new(span, "a translation is `masquerade` or `forward`, and this is both"));
    }
    let protocol = if protocol.as_str() == "udp" { Transport::Udp } else { Transport::Tcp };
    let number = |key: &str| table.number(key).and_then(|number| u16::try_from(number).ok());
    let port = number("port").ok_or_else(|| missing(span, "`forward`", "port", "8080"))?;
    let to = table.text("to").ok_or_else(|| missing(span, "`forward`", "to", "\"10.0.0.2\""))?;
    let to = target(to.word(), known)?;
    Ok(Nat::Forward { device: device("in")?, protocol, port, to, to_port: number("to-port").unwrap_or(port) })
}

fn verdict(text: &str) -> Option<Verdict> {
    match text {
        "accept" => Some(Verdict::Accept),
        "drop" => Some(Verdict::Drop),
        "reject" => Some(Verdict::Reject),
        _ => None,
    }
}

fn hook(text: &str) -> Option<Hook> {
    match text {
        "input" => Some(Hook::Input),
        "output" => Some(Hook::Output),
        "forward" => Some(Hook::Forward),
        _ => None,
    }
}

fn protocol(text: &str) -> Option<FilterProtocol> {
    match text {
        "tcp" => Some(FilterProtocol::Tcp),
        "udp" => Some(FilterProtocol::Udp),
        "icmp" => Some(FilterProtocol::Icmp),
        _ => None,
    }
}

/// Returns a filter that says nothing but what is done, and where.
fn blank(verdict: Verdict, hook: Hook, span: Span) -> Filter {
    Filter {
        hook,
        verdict,
        from: None,
        to: None,
        iif: None,
        oif: None,
        protocol: None,
        ports: None,
        established: false,
        span,
    }
}

fn filter<'a>(value: &'a Value<'a>, layers: &Layers<'a>, known: &Known<'_, '_>) -> Result<Filter, Trouble> {
    let span = span_of(value);
    let filter = if let Some(text) = layers.text_of(value) {
        line(&text, known)?
    } else if let DeValue::Table(table) = value.get_ref() {
        of_table(&layers.inner(table), span, known)?
    } else {
        return Err(Trouble::new(span, "this is no filter"));
    };
    let families: Vec<bool> = [filter.from, filter.to].into_iter().flatten().map(|net| net.address.is_ipv6()).collect();
    if families.contains(&true) && families.contains(&false) {
        return Err(Trouble::new(span, "this filter is about IPv4 and IPv6 at once").label("a filter for each"));
    }
    if filter.ports.is_some() && !matches!(filter.protocol, Some(FilterProtocol::Tcp | FilterProtocol::Udp)) {
        return Err(Trouble::new(span, "ports are of TCP and UDP").label("`tcp` or `udp` is missing"));
    }
    let impossible = match filter.hook {
        Hook::Input if filter.oif.is_some() => Some("out"),
        Hook::Output if filter.iif.is_some() => Some("in"),
        _ => None,
    };
    if let Some(word) = impossible {
        let message = format!("`{word}` means nothing here: such packets have no device on that side");
        return Err(Trouble::new(span, message));
    }
    Ok(filter)
}

fn line(text: &Text<'_>, known: &Known<'_, '_>) -> Result<Filter, Trouble> {
    let mut words = text.words();
    let first = words.want("`accept`, `drop` or `reject`")?;
    let verdict = verdict(first.text)
        .ok_or_else(|| first.wrong("a filter begins with a verdict, not").label("`accept`, `drop` or `reject`"))?;
    let second = words.want("`input`, `output` or `forward`")?;
    let hook = hook(second.text).ok_or_else(|| {
        second.wrong("behind the verdict stands which packets, not").label("`input`, `output` or `forward`")
    })?;
    let mut filter = blank(verdict, hook, text.span());
    while let Some(word) = words.next() {
        match word.text {
            "from" => filter.from = Some(place(words.want("a network")?, known, family(filter.to))?),
            "to" => filter.to = Some(place(words.want("a network")?, known, family(filter.from))?),
            "in" | "iif" => filter.iif = Some(known.device_or_outside(words.want("a device")?)?),
            "out" | "oif" => filter.oif = Some(known.device_or_outside(words.want("a device")?)?),
            "established" => filter.established = true,
            "tcp" | "udp" | "icmp" => {
                filter.protocol = protocol(word.text);
                let digit = |word: &Word<'_>| word.text.starts_with(|letter: char| letter.is_ascii_digit());
                if let Some(ports) = words.peek().filter(digit) {
                    words.next();
                    filter.ports = Some(unit::ports(ports)?);
                }
            }
            _ => {
                let all = ["from", "to", "in", "out", "tcp", "udp", "icmp", "established"];
                let trouble = word.wrong("a filter has no word");
                return Err(match nearest(word.text, all) {
                    Some(meant) => trouble.label(format!("did you mean `{meant}`?")),
                    None => trouble.label(all.map(|word| format!("`{word}`")).join(", ")),
                });
            }
        }
    }
    Ok(filter)
}

fn family(prefix: Option<Prefix>) -> Option<bool> {
    prefix.map(|prefix| prefix.address.is_ipv6())
}

fn of_table(table: &Layers<'_>, span: Span, known: &Known<'_, '_>) -> Result<Filter, Trouble> {
    let text = |key: &str| table.text(key);
    let verdict = text("verdict").and_then(|text| verdict(text.as_str()));
    let hook = text("hook").and_then(|text| hook(text.as_str()));
    let verdict = verdict.ok_or_else(|| missing(span, "a filter", "verdict", "\"drop\""))?;
    let hook = hook.ok_or_else(|| missing(span, "a filter", "hook", "\"forward\""))?;
    let device = |key: &str| text(key).map(|text| known.device_or_outside(text.word())).transpose();
    let from = text("from").map(|text| place(text.word(), known, None)).transpose()?;
    Ok(Filter {
        from,
        to: text("to").map(|text| place(text.word(), known, family(from))).transpose()?,
        iif: device("in")?,
        oif: device("out")?,
        protocol: text("protocol").and_then(|text| protocol(text.as_str())),
        ports: text("ports").map(|text| unit::ports(text.word())).transpose()?,
        established: table.switch("established").unwrap_or(false),
        ..blank(verdict, hook, span)
    })
}
