//! Reads the devices that are no end of a wire, and puts each node's devices in the order in which they can be made. Pure.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::Accounts;
use super::draft::{Attachment, Draft};
use super::layers::Layers;
use super::problem::{Report, Trouble, quoted};
use super::route::Known;
use super::text::{Text, span_of};
use super::unit;
use super::wire::{self, Automatic, missing};
use crate::lab::model::{Device, DeviceKind, MacvlanMode, Parent, Span};

/// The keys of a node that hold devices.
const KINDS: &[&str] = &["tap", "tun", "dummy", "vxlan", "macvlan", "macvtap", "vlan"];

/// Reads the device tables of all nodes and bridges. Their own names come before those that wires make up.
pub(crate) fn read(report: &mut Report<'_>, draft: &mut Draft<'_>, accounts: &dyn Accounts) {
    for node in 0..draft.nodes.len() {
        let Some(layers) = draft.nodes.get(node).map(|node| node.layers.clone()) else { return };
        loopback(report, draft, node, &layers);
        for kind in KINDS {
            for (name, device) in layers.named(kind) {
                let at = Place { node, bridge: None, kind, span: span_of(name) };
                add(report, draft, &at, name.get_ref(), &device, accounts);
            }
        }
    }
    for index in 0..draft.bridges.len() {
        let Some(bridge) = draft.bridges.get(index) else { return };
        let (node, Some(layers)) = (bridge.node, bridge.layers.clone()) else { continue };
        for kind in KINDS {
            for (name, device) in layers.named(kind) {
                let at = Place { node, bridge: Some(index), kind, span: span_of(name) };
                add(report, draft, &at, name.get_ref(), &device, accounts);
            }
        }
    }
}

/// Reads the addresses of a node's `lo`.
fn loopback(report: &mut Report<'_>, draft: &mut Draft<'_>, node: usize, layers: &Layers<'_>) {
    let Some(span) = layers.value("lo").map(span_of) else { return };
    let (addresses, automatic) = report.take(wire::addresses_under(layers, "lo")).unwrap_or_default();
    if automatic != Automatic::Perhaps {
        report.error(Trouble::new(span, "`lo` has the addresses that are said").label("such as `10.255.0.1/32`"));
    }
    for _ in &addresses {
        if draft.grow(report, span).is_none() {
            return;
        }
    }
    let Some(draft) = draft.nodes.get_mut(node) else { return };
    if draft.node.is_host {
        let trouble = Trouble::new(span, "`lo` of the machine itself is not the lab's");
        report.error(trouble.label("a `dummy` or the end of a wire may have the address"));
    }
    draft.node.loopback = addresses;
}

/// Where a device's table stands.
struct Place<'k> {
    node: usize,
    bridge: Option<usize>,
    kind: &'k str,
    span: Span,
}

fn add(
    report: &mut Report<'_>,
    draft: &mut Draft<'_>,
    at: &Place<'_>,
    name: &str,
    table: &Layers<'_>,
    accounts: &dyn Accounts,
) {
    let word = super::text::Word { text: name, span: at.span };
    let read = unit::device_name(word).map(drop).and_then(|()| kind_of(at, table, accounts));
    let Some(kind) = report.take(read) else { return };
    if let Some(parent) = kind.parent().filter(|parent| parent.node.as_deref() == Some("host")) {
        draft.host(report, parent.span);
    }
    let mut device = draft.device(name, kind, at.span);
    device.mtu = table.number("mtu");
    device.up = table.switch("up") != Some(false);
    device.mac = table.text("mac").and_then(|text| report.take(unit::mac(text.word())));
    device.vlans = report.take(wire::vlans(table)).flatten();
    let (addresses, automatic) = report.take(wire::addresses(table)).unwrap_or_default();
    device.addresses = addresses;
    if automatic == Automatic::Wanted {
        let trouble = Trouble::new(at.span, "an automatic address is for ends of wires, and this is none");
        report.error(trouble.label("an address here, such as `10.0.0.1/24`"));
    }
    let with_vlans = device.vlans.is_some();
    let master = table.text("master");
    let bridge = match &master {
        Some(text) => match report.take(bridge_of(draft, at.node, text)) {
            Some(bridge) => Some(bridge),
            None => return,
        },
        None => at.bridge,
    };
    if let Some(bridge) = bridge {
        device.master = draft.bridges.get(bridge).map(|bridge| super::short::short_name(&bridge.device));
        draft.add_port(report, bridge, at.span, with_vlans);
    }
    let Some(index) = draft.add_device(report, at.node, name, device) else { return };
    let segment = match bridge {
        Some(bridge) => draft.bridges.get(bridge).map_or(0, |bridge| bridge.segment),
        None => draft.new_segment(),
    };
    draft.attachments.push(Attachment {
        node: at.node,
        device: index,
        segment,
        vlan: 1,
        bridge: None,
        prefixes: Vec::new(),
        automatic: Automatic::Never,
        stands_in: false,
        span: at.span,
    });
}

/// Finds the bridge of a node that a device is to be a port of.
fn bridge_of(draft: &Draft<'_>, node: usize, text: &Text<'_>) -> Result<usize, Trouble> {
    let here = |bridge: &super::draft::BridgeDraft<'_>| bridge.node == node;
    let fits = |bridge: &super::draft::BridgeDraft<'_>| {
        here(bridge) && (bridge.device == text.as_str() || bridge.name == text.as_str())
    };
    draft.bridges.iter().position(fits).ok_or_else(|| {
        let name = draft.nodes.get(node).map(|node| node.node.name.clone()).unwrap_or_default();
        let message = format!("{} has no bridge {}", quoted(&name), quoted(text.as_str()));
        let names: Vec<&str> = draft.bridges.iter().filter(|bridge| here(bridge)).map(|b| b.name.as_str()).collect();
        let trouble = Trouble::new(text.span(), message);
        match names.as_slice() {
            [] => trouble
                .label("no bridge lives in it")
                .hint(format!("`[bridge.{}]` with `node = \"{name}\"` makes one there", text.as_str())),
            names => trouble.label(format!("it has {}", super::route::few(names))),
        }
    })
}

fn kind_of(at: &Place<'_>, table: &Layers<'_>, accounts: &dyn Accounts) -> Result<DeviceKind, Trouble> {
    let parent = || table.text("parent").map(|text| parent(&text)).transpose();
    let on = |key: &str| table.switch(key).unwrap_or(false);
    let need = |key: &str, example: &str| missing(at.span, &format!("this {}", at.kind), key, example);
    Ok(match at.kind {
        "tap" | "tun" => DeviceKind::Tuntap {
            tap: at.kind == "tap",
            owner: table
                .text("owner")
                .map(|text| account(&text, |name| accounts.user(name)))
                .transpose()?
                .map(|number| accounts.user_inside(number)),
            group: table
                .text("group")
                .map(|text| account(&text, |name| accounts.group(name)))
                .transpose()?
                .map(|number| accounts.group_inside(number)),
            multi_queue: on("multi-queue"),
            vnet_hdr: on("vnet-hdr"),
            packet_info: on("packet-info"),
        },
        "dummy" => DeviceKind::Dummy,
        "vlan" => DeviceKind::Vlan {
            parent: parent()?.ok_or_else(|| need("parent", "\"eth0\""))?,
            id: table.number("id").and_then(|id| u16::try_from(id).ok()).ok_or_else(|| need("id", "10"))?,
        },
        "vxlan" => DeviceKind::Vxlan {
            vni: table.number("vni").ok_or_else(|| need("vni", "42"))?,
            remote: remotes(table)?,
            local: local(table)?,
            port: table.number("port").and_then(|port| u16::try_from(port).ok()).unwrap_or(4789),
            parent: match parent()? {
                Some(Parent { node: Some(_), span, .. }) => {
                    let trouble = Trouble::new(span, "a VXLAN stands on a device of its own node");
                    return Err(trouble
                        .label("a name alone")
                        .hint("a macvlan or a VLAN may be on one of another node"));
                }
                parent => parent.map(|parent| parent.device),
            },
            learning: table.switch("learning").unwrap_or(true),
        },
        _ => DeviceKind::Macvlan {
            parent: parent()?.ok_or_else(|| need("parent", "\"eth0\""))?,
            mode: match table.text("mode").as_ref().map(Text::as_str) {
                Some("private") => MacvlanMode::Private,
                Some("vepa") => MacvlanMode::Vepa,
                Some("passthru") => MacvlanMode::Passthru,
                _ => MacvlanMode::Bridge,
            },
            tap: at.kind == "macvtap",
        },
    })
}

/// Reads `DEVICE`, or `NODE:DEVICE` where the device below is in another node.
fn parent(text: &Text<'_>) -> Result<Parent, Trouble> {
    let word = text.word();
    let (node, device) = match word.split_once(':') {
        Some((node, device)) => (Some(unit::node_name(node)?.to_owned()), device),
        None => (None, word),
    };
    Ok(Parent { node, device: unit::device_name(device)?.to_owned(), span: word.span })
}

/// Reads the own end of a tunnel, which is of the family of the others.
fn local(table: &Layers<'_>) -> Result<Option<std::net::IpAddr>, Trouble> {
    let mut all = table.texts("remote");
    let local = table.text("local");
    let family = |text: &Text<'_>| unit::address(text.word()).map(|address| address.is_ipv4());
    all.extend(local.clone());
    if let Some((first, rest)) = all.split_first() {
        let wanted = family(first)?;
        for text in rest {
            if family(text)? != wanted {
                return Err(text.word().wrong("the ends of a tunnel are of one family, and this is of another:"));
            }
        }
    }
    local.map(|text| unit::address(text.word())).transpose()
}

fn remotes(table: &Layers<'_>) -> Result<Vec<std::net::IpAddr>, Trouble> {
    let texts = table.texts("remote");
    let remotes: Vec<_> = texts.iter().map(|text| unit::address(text.word())).collect::<Result<_, _>>()?;
    let groups = remotes.iter().filter(|address| address.is_multicast()).count();
    match texts.first() {
        Some(first) if groups > 0 && remotes.len() > 1 => {
            Err(Trouble::new(first.span(), "a multicast group stands alone").label("one group, or other ends"))
        }
        Some(first) if groups > 0 && table.value("parent").is_none() => {
            let message = "a multicast group is joined on a device";
            Err(Trouble::new(first.span(), message).label("a `parent` is missing"))
        }
        _ => Ok(remotes),
    }
}

fn account(text: &Text<'_>, find: impl Fn(&str) -> Option<u32>) -> Result<u32, Trouble> {
    let word = text.word();
    word.text
        .parse()
        .ok()
        .or_else(|| find(word.text))
        .ok_or_else(|| word.wrong("this machine knows nobody called").label("a name of this machine, or a number"))
}

/// Looks up parents and puts devices behind what they need.
pub(crate) fn order(report: &mut Report<'_>, draft: &mut Draft<'_>) {
    for node in 0..draft.nodes.len() {
        let parents = parents(report, draft, node);
        let Some(draft) = draft.nodes.get_mut(node) else { return };
        for (index, found) in parents {
            match draft.node.devices.get_mut(index).map(|device| &mut device.kind) {
                Some(DeviceKind::Macvlan { parent, .. } | DeviceKind::Vlan { parent, .. }) => *parent = found,
                Some(DeviceKind::Vxlan { parent, .. }) => *parent = Some(found.device),
                _ => {}
            }
        }
    }
    if report.has_errors() {
        return;
    }
    let depths = depths(report, draft);
    for (draft, depths) in draft.nodes.iter_mut().zip(depths) {
        let mut with_depth: Vec<_> = draft.node.devices.drain(..).zip(depths).collect();
        with_depth.sort_by_key(|(_, depth)| *depth);
        draft.node.devices = with_depth.into_iter().map(|(device, _)| device).collect();
    }
}

/// Finds each parent by its real name, and in another node only where it is another.
fn parents(report: &mut Report<'_>, draft: &Draft<'_>, node: usize) -> Vec<(usize, Parent)> {
    let Some(of) = draft.nodes.get(node) else { return Vec::new() };
    let mut found = Vec::new();
    for (index, device) in of.node.devices.iter().enumerate() {
        let Some(parent) = parent_of(&device.kind, device.span) else { continue };
        let there = match &parent.node {
            None => Ok(node),
            Some(name) => node_of_parent(draft, name, parent.span),
        };
        let Some(there) = report.take(there) else { continue };
        let Some(home) = draft.nodes.get(there) else { continue };
        let node = Some(home.node.name.clone()).filter(|_| there != node);
        // A device of the machine need not be the lab's own.
        if home.node.is_host && !home.devices.contains_key(&parent.device) {
            found.push((index, Parent { node, ..parent }));
            continue;
        }
        let word = super::text::Word { text: &parent.device, span: parent.span };
        let known = Known { draft, node: there };
        let looked_up = match &node {
            Some(_) => known.device(word),
            None => known.device(word).map_err(|trouble| of_another(trouble, home, device, &parent.device)),
        };
        found.extend(report.take(looked_up).map(|device| (index, Parent { node, device, ..parent })));
    }
    found
}

/// Says of a parent that a node has not how one of another node is written.
fn of_another(trouble: Trouble, home: &super::draft::NodeDraft<'_>, upper: &Device, name: &str) -> Trouble {
    let others = home.node.devices.iter().filter(|device| device.name != upper.name).count();
    let trouble = if others == 0 { trouble.label("it has no other device") } else { trouble };
    match upper.kind {
        DeviceKind::Vxlan { .. } => trouble,
        _ => trouble.hint(format!("one of the machine itself is `host:{name}`, one of another node `NODE:{name}`")),
    }
}

/// Finds the node that a parent is said to be in.
fn node_of_parent(draft: &Draft<'_>, name: &str, span: Span) -> Result<usize, Trouble> {
    if let Some(node) = draft.node_of(name) {
        return Ok(node);
    }
    if let Some(group) = draft.groups.get(name) {
        let message = format!("{} stands for {} nodes", quoted(name), group.len());
        return Err(Trouble::new(span, message).label(format!("one of them, such as `{name}1`")));
    }
    Err(draft.no_node(super::text::Word { text: name, span }))
}

fn parent_of(kind: &DeviceKind, span: Span) -> Option<Parent> {
    match kind {
        DeviceKind::Vxlan { parent: Some(device), .. } => Some(Parent { node: None, device: device.clone(), span }),
        kind => kind.parent().cloned(),
    }
}

/// The most devices that stand on one another, the lowest among them (`MAX_NEST_DEV` of the kernel).
const HIGHEST: usize = 8;

/// Returns, node by node, how many devices must be made before each.
fn depths(report: &mut Report<'_>, draft: &Draft<'_>) -> Vec<Vec<usize>> {
    let mut places: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for (at, node) in draft.nodes.iter().map(|draft| &draft.node).enumerate() {
        let names = node.devices.iter().enumerate();
        places.extend(names.map(|(index, device)| ((node.name.clone(), device.name.clone()), (at, index))));
    }
    let below = |(at, index): (usize, usize)| {
        let node = &draft.nodes.get(at)?.node;
        let device = node.devices.get(index)?;
        let parent = parent_of(&device.kind, device.span)?;
        places.get(&(parent.node.unwrap_or_else(|| node.name.clone()), parent.device)).copied()
    };
    let mut depths = Vec::new();
    for (at, node) in draft.nodes.iter().map(|draft| &draft.node).enumerate() {
        let mut own = Vec::new();
        for (index, device) in node.devices.iter().enumerate() {
            let first = (at, index);
            let depth = std::iter::successors(Some(first), |at| below(*at)).take(HIGHEST + 1).count();
            let bridged = matches!(device.kind, DeviceKind::Bridge { .. });
            own.push(if bridged { 0 } else { depth });
            if depth <= HIGHEST {
                continue;
            }
            let circle = std::iter::successors(below(first), |at| below(*at)).take(HIGHEST).any(|at| at == first);
            let message = match circle {
                true => format!("{} is its own parent, by way of others", quoted(&device.name)),
                false => format!("{} stands on more than {} devices", quoted(&device.name), HIGHEST - 1),
            };
            let label = if circle { "a circle of `parent`" } else { "the kernel takes no more" };
            report.error(Trouble::new(device.span, message).label(label));
        }
        depths.push(own);
    }
    depths
}

/// Returns a node's sysctls, those in tables with their names joined by dots.
pub(crate) fn sysctls(report: &mut Report<'_>, draft: &mut Draft<'_>) {
    for index in 0..draft.nodes.len() {
        let Some(node) = draft.nodes.get(index) else { return };
        let tables: Vec<&DeTable<'_>> =
            node.layers.own().into_iter().filter_map(|table| node.layers.inner(table).table("sysctl")).collect();
        let mut found: Vec<(String, String, Span)> = Vec::new();
        if node.forwards {
            for name in ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"] {
                found.push((name.to_owned(), "1".to_owned(), Span::default()));
            }
        }
        for table in tables {
            flatten(table, String::new(), &mut found);
        }
        for (name, value, span) in found {
            if draft.grow(report, span).is_none() {
                return;
            }
            let Some(draft) = draft.nodes.get_mut(index) else { return };
            match sound_sysctl(&name, draft.node.is_host, span).and_then(|()| sound_value(&value, span)) {
                Ok(()) => drop(draft.node.sysctls.insert(name, value)),
                Err(trouble) => report.error(trouble),
            }
        }
    }
}

fn flatten(table: &DeTable<'_>, before: String, found: &mut Vec<(String, String, Span)>) {
    use toml::de::DeValue;
    for (key, value) in super::layers::in_order(table) {
        let name = if before.is_empty() { key.get_ref().to_string() } else { format!("{before}.{}", key.get_ref()) };
        let text = match value.get_ref() {
            DeValue::Table(inner) => {
                flatten(inner, name, found);
                continue;
            }
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => number.to_string(),
                Err(_) => number.as_str().to_owned(),
            },
            DeValue::Boolean(on) => u8::from(*on).to_string(),
            _ => continue,
        };
        found.push((name, text, span_of(key)));
    }
}

/// Refuses a value of which the kernel would read a part.
fn sound_value(value: &str, span: Span) -> Result<(), Trouble> {
    if value.contains(|letter: char| letter.is_control() && letter != '\t') {
        let trouble = Trouble::new(span, format!("this value of a sysctl is no single line: {}", quoted(value)));
        return Err(trouble.label("a number, or words in one line"));
    }
    Ok(())
}

fn sound_sysctl(name: &str, is_host: bool, span: Span) -> Result<(), Trouble> {
    let parts: Vec<&str> = name.split(['.', '/']).collect();
    let strange = |letter: char| letter.is_control() || letter.is_whitespace();
    let sound =
        parts.len() > 1 && parts.iter().all(|part| !part.is_empty() && *part != "..") && !name.contains(strange);
    if !sound {
        let trouble = Trouble::new(span, format!("{} is no name of a sysctl", quoted(name)));
        return Err(trouble.label("such as `net.ipv4.ip_forward`"));
    }
    if name.len() > 255 {
        return Err(Trouble::new(span, "this name of a sysctl is too long").label("at most 255 bytes"));
    }
    if !is_host && !name.starts_with("net.") {
        let message = format!("{} is one for the whole machine", quoted(name));
        return Err(Trouble::new(span, message).label("a namespace has those of `net.` alone"));
    }
    Ok(())
}
