//! A lab while it is read: nodes and bridges by name, their devices so far, and what still refers to what. Pure.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeTable;

use super::layers::Layers;
use super::problem::{Report, Trouble, quoted};
use super::short::short_name;
use super::text::{Word, span_of};
use super::unit;
use super::wire::{self, Automatic};
use crate::lab::model::{Device, DeviceKind, Node, Outside, Prefix, Span};
use crate::lab::nearest::nearest;

/// The most nodes, counts worked out.
pub const MOST_NODES: usize = 5_000;
/// The most devices, routes, commands, checks and the like, all together.
pub const MOST_OBJECTS: usize = 65_536;
/// The most templates of a node, those that they take themselves among them.
const MOST_TEMPLATES: usize = 64;
/// The most ports of a bridge (`BR_MAX_PORTS` less its own).
const MOST_PORTS: usize = 1_023;

/// A node while it is read.
#[derive(Debug)]
pub(crate) struct NodeDraft<'a> {
    pub(crate) node: Node,
    /// What the file says of it; nothing for those that wires bring about.
    pub(crate) layers: Layers<'a>,
    pub(crate) forwards: bool,
    /// Devices by the name in the file.
    pub(crate) devices: BTreeMap<String, usize>,
    /// Devices that are named on the machine itself and are not the lab's: all who look names up note them.
    pub(crate) outside: RefCell<Vec<Outside>>,
    /// The names that they really have.
    shorts: BTreeMap<String, usize>,
    /// Names that the file gives, which are not to be used up by automatic ones.
    given: BTreeSet<String>,
}

impl NodeDraft<'_> {
    /// Returns the node, all of which is read.
    pub(crate) fn done(self) -> Node {
        Node { outside: self.outside.into_inner(), ..self.node }
    }
}

/// A bridge while it is read.
#[derive(Debug)]
pub(crate) struct BridgeDraft<'a> {
    pub(crate) name: String,
    pub(crate) layers: Option<Layers<'a>>,
    pub(crate) node: usize,
    /// Its device's name in the file.
    pub(crate) device: String,
    pub(crate) prefixes: Vec<Prefix>,
    pub(crate) ports: usize,
    pub(crate) segment: usize,
    pub(crate) span: Span,
}

/// What a name on a wire stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A node.
    Node(usize),
    /// A bridge.
    Bridge(usize),
}

/// A device's place in a network: what automatic addresses and the search for mistakes go by.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) node: usize,
    pub(crate) device: usize,
    /// The network it is in, to be looked up in the union of those that wires between bridges join.
    pub(crate) segment: usize,
    /// Its VLAN there.
    pub(crate) vlan: u16,
    /// The bridge that its cable leads to.
    pub(crate) bridge: Option<usize>,
    pub(crate) prefixes: Vec<Prefix>,
    pub(crate) automatic: Automatic,
    /// Whether it stands instead of one of many, whose automatic address it would have.
    pub(crate) stands_in: bool,
    pub(crate) span: Span,
}

/// A lab while it is read.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) lab: String,
    pub(crate) file: Layers<'a>,
    pub(crate) nodes: Vec<NodeDraft<'a>>,
    pub(crate) bridges: Vec<BridgeDraft<'a>>,
    pub(crate) places: BTreeMap<String, Place>,
    /// Counted nodes by the name they have in common.
    pub(crate) groups: BTreeMap<String, Vec<usize>>,
    pub(crate) attachments: Vec<Attachment>,
    /// Each network's parent in the union of networks that are one.
    pub(crate) segments: Vec<usize>,
    pub(crate) objects: usize,
    templates: BTreeMap<String, &'a DeTable<'a>>,
    /// Where the search for a free name with a number goes on, by node and name.
    counters: BTreeMap<(usize, String), usize>,
}

impl<'a> Draft<'a> {
    /// Makes the nodes and bridges that the file names.
    pub(crate) fn of(report: &mut Report<'_>, lab: String, file: &'a DeTable<'a>, text: &'a str) -> Self {
        let file = Layers::new(vec![file], text, None);
        let mut draft = Self {
            lab,
            file: file.clone(),
            nodes: Vec::new(),
            bridges: Vec::new(),
            places: BTreeMap::new(),
            groups: BTreeMap::new(),
            attachments: Vec::new(),
            segments: Vec::new(),
            objects: 0,
            templates: file.inner_tables("template"),
            counters: BTreeMap::new(),
        };
        let tables = draft.file.named("node");
        let by_name: BTreeMap<&str, &Layers<'a>> =
            tables.iter().map(|(name, layers)| (name.get_ref().as_ref(), layers)).collect();
        let nothing = Layers::new(Vec::new(), text, None);
        let mut listed = BTreeSet::new();
        for text in draft.file.several("nodes").into_iter().filter_map(|value| file.text_of(value)) {
            let layers = by_name.get(text.as_str()).copied().unwrap_or(&nothing);
            if report.take(unit::node_name(text.word()).map(drop)).is_some() {
                draft.add_nodes(report, text.as_str(), text.span(), layers, &by_name);
                listed.insert(text.as_str().to_owned());
            }
        }
        for (name, layers) in tables.iter().filter(|(name, _)| !listed.contains(name.get_ref().as_ref())) {
            if !draft.is_one_of_many(name.get_ref(), layers, &by_name) {
                draft.add_nodes(report, name.get_ref(), span_of(name), layers, &by_name);
            }
        }
        draft.add_bridges(report);
        draft
    }

    /// Returns how many nodes a table makes, where it says so.
    fn count(&self, own: &Layers<'a>) -> Option<u32> {
        let mut tables = Vec::new();
        self.templates(own, &mut Vec::new(), &mut tables).ok()?;
        tables.extend(own.own());
        Layers::new(tables, self.file.file(), None).number("count")
    }

    /// Returns whether a table is about one of the nodes that the count of another makes.
    fn is_one_of_many(&self, name: &str, own: &Layers<'a>, all: &BTreeMap<&str, &Layers<'a>>) -> bool {
        let digits = name.len() - name.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
        let of = |at: usize| {
            let (many, number) = name.split_at_checked(name.len() - at)?;
            let number = number.parse::<u32>().ok().filter(|_| !number.starts_with('0'))?;
            Some(self.count(all.get(many)?)? >= number)
        };
        (1..=digits).any(|at| of(at) == Some(true)) && self.count(own).is_none()
    }

    fn add_nodes(
        &mut self,
        report: &mut Report<'_>,
        name: &str,
        span: Span,
        own: &Layers<'a>,
        all: &BTreeMap<&str, &Layers<'a>>,
    ) {
        let mut tables = Vec::new();
        if let Err(trouble) = self.templates(own, &mut Vec::new(), &mut tables) {
            return report.error(trouble);
        }
        tables.extend(own.own());
        let layers = Layers::new(tables.clone(), self.file.file(), None);
        let Some(count) = layers.number("count") else {
            self.add_node(report, name, span, layers);
            return;
        };
        if name == "host" {
            return report.error(Trouble::new(span, "there is one machine, and so one `host`").label("no `count`"));
        }
        if let Some(place) = self.places.get(name) {
            return report.error(taken(name, span, self.span_of_place(*place)));
        }
        let room = MOST_NODES.saturating_sub(self.nodes.len());
        if usize::try_from(count).unwrap_or(usize::MAX) > room {
            let at = layers.value("count").map_or(span, span_of);
            let message = format!("a lab has at most {MOST_NODES} nodes");
            return report.error(Trouble::new(at, message).label(format!("there is room for {room}")));
        }
        let mut group = Vec::new();
        for number in 1..=count {
            let name = format!("{name}{number}");
            let mut tables = tables.clone();
            // What the file says of this one lies on top, as what a node says itself lies on its templates.
            if let Some(own) = all.get(name.as_str()).filter(|own| self.count(own).is_none()) {
                let mut more = Vec::new();
                if let Err(trouble) = self.templates(own, &mut Vec::new(), &mut more) {
                    return report.error(trouble);
                }
                more.retain(|new| !tables.iter().any(|known| std::ptr::eq(*known, *new)));
                tables.extend(more.into_iter().chain(own.own()));
            }
            let layers = Layers::new(tables, self.file.file(), Some(number));
            group.extend(self.add_node(report, &name, span, layers));
        }
        self.groups.insert(name.to_owned(), group);
    }

    /// Gathers the tables of the templates that a table takes, the lowest first.
    fn templates(
        &self,
        own: &Layers<'a>,
        path: &mut Vec<String>,
        into: &mut Vec<&'a DeTable<'a>>,
    ) -> Result<(), Trouble> {
        for text in own.texts("use") {
            let name = text.as_str();
            let Some(template) = self.templates.get(name) else {
                let trouble = Trouble::new(text.span(), format!("there is no template {}", quoted(name)));
                return Err(match nearest(name, self.templates.keys().map(String::as_str)) {
                    Some(meant) => trouble.label(format!("did you mean `{meant}`?")),
                    None => trouble.label(format!("there should be a table `[template.{name}]`")),
                });
            };
            if path.iter().any(|known| known == name) {
                let trouble = Trouble::new(text.span(), format!("the template {} takes itself", quoted(name)));
                return Err(trouble.label(format!("{} → {name}", path.join(" → "))));
            }
            if path.len().max(into.len()) >= MOST_TEMPLATES {
                return Err(Trouble::new(text.span(), format!("a node takes at most {MOST_TEMPLATES} templates")));
            }
            path.push(name.to_owned());
            self.templates(&self.file.inner(template), path, into)?;
            path.pop();
            into.push(template);
        }
        Ok(())
    }

    /// Adds a node, unless its name is taken.
    pub(crate) fn add_node(
        &mut self,
        report: &mut Report<'_>,
        name: &str,
        span: Span,
        layers: Layers<'a>,
    ) -> Option<usize> {
        if let Some(place) = self.places.get(name) {
            let other = self.span_of_place(*place);
            report.error(taken(name, span, other));
            return None;
        }
        if let Some(first) = self.groups.get(name).and_then(|group| self.nodes.get(*group.first()?)) {
            report.error(taken(name, span, first.node.span));
            return None;
        }
        if self.nodes.len() >= MOST_NODES {
            report.error(Trouble::new(span, format!("a lab has at most {MOST_NODES} nodes")));
            return None;
        }
        let index = self.nodes.len();
        let forwards = layers.switch("forwarding").unwrap_or(false);
        let node = Node { name: name.to_owned(), is_host: name == "host", span, ..Node::default() };
        self.nodes.push(NodeDraft {
            node,
            layers,
            forwards,
            devices: BTreeMap::new(),
            outside: RefCell::default(),
            shorts: BTreeMap::new(),
            given: BTreeSet::new(),
        });
        self.places.insert(name.to_owned(), Place::Node(index));
        Some(index)
    }

    /// Returns the machine itself as a node.
    pub(crate) fn host(&mut self, report: &mut Report<'_>, span: Span) -> Option<usize> {
        match self.places.get("host") {
            Some(Place::Node(index)) => Some(*index),
            _ => {
                let nothing = Layers::new(Vec::new(), self.file.file(), None);
                self.add_node(report, "host", span, nothing)
            }
        }
    }

    fn add_bridges(&mut self, report: &mut Report<'_>) {
        for (name, layers) in self.file.named("bridge") {
            let span = span_of(name);
            let name = name.get_ref().to_string();
            if name == "host" {
                report.error(Trouble::new(span, "`host` is the machine itself, and no bridge").label("another name"));
                continue;
            }
            if let Some(place) = self.places.get(&name).copied() {
                report.error(taken(&name, span, self.span_of_place(place)));
                continue;
            }
            if self.groups.contains_key(&name) {
                report.error(taken(&name, span, span));
                continue;
            }
            let Some(node) = self.node_of_bridge(report, &name, span, &layers) else { continue };
            self.add_bridge(report, &name, span, node, Some(layers));
        }
    }

    /// Finds or makes the node that a bridge lives in.
    fn node_of_bridge(
        &mut self,
        report: &mut Report<'_>,
        name: &str,
        span: Span,
        layers: &Layers<'a>,
    ) -> Option<usize> {
        let Some(text) = layers.text("node") else {
            let nothing = Layers::new(Vec::new(), self.file.file(), None);
            let index = self.add_node(report, name, span, nothing)?;
            if let Some(draft) = self.nodes.get_mut(index) {
                draft.node.is_bridge = true;
            }
            return Some(index);
        };
        match self.places.get(text.as_str()) {
            Some(Place::Node(index)) => Some(*index),
            None if text.as_str() == "host" => self.host(report, text.span()),
            _ => {
                report.error(self.no_node(text.word()));
                None
            }
        }
    }

    /// Adds a bridge to a node.
    pub(crate) fn add_bridge(
        &mut self,
        report: &mut Report<'_>,
        name: &str,
        span: Span,
        node: usize,
        layers: Option<Layers<'a>>,
    ) -> Option<usize> {
        let device = layers.as_ref().and_then(|layers| layers.text("device"));
        let device_name = device.as_ref().map_or(name, |text| text.as_str()).to_owned();
        if let Some(text) = &device {
            report.take(unit::device_name(text.word()).map(drop))?;
        }
        let on = |key: &str| layers.as_ref().and_then(|layers| layers.switch(key)).unwrap_or(false);
        let kind = DeviceKind::Bridge { vlan_aware: on("vlan-aware"), stp: on("stp") };
        let mut made = self.device(&device_name, kind, device.as_ref().map_or(span, |text| text.span()));
        let (mut prefixes, mut automatic) = (Vec::new(), Automatic::Never);
        if let Some(layers) = &layers {
            prefixes = report.take(wire::prefixes(layers)).unwrap_or_default();
            let (addresses, wanted) = report.take(wire::addresses(layers)).unwrap_or_default();
            made.addresses = addresses;
            automatic = if wanted == Automatic::Wanted { Automatic::Wanted } else { Automatic::Never };
            made.mtu = layers.number("mtu");
            made.mac = layers.text("mac").and_then(|text| report.take(unit::mac(text.word())));
        }
        let device = self.add_device(report, node, &device_name, made)?;
        let index = self.bridges.len();
        let segment = self.new_segment();
        self.attachments.push(Attachment {
            node,
            device,
            segment,
            vlan: 1,
            bridge: Some(index),
            prefixes: prefixes.clone(),
            automatic,
            stands_in: false,
            span,
        });
        let name = name.to_owned();
        self.places.insert(name.clone(), Place::Bridge(index));
        self.bridges.push(BridgeDraft { name, layers, node, device: device_name, prefixes, ports: 0, segment, span });
        Some(index)
    }

    /// Returns the node of a name, or the one that a bridge of that name lives in.
    pub(crate) fn node_of(&self, name: &str) -> Option<usize> {
        match self.places.get(name)? {
            Place::Node(node) => Some(*node),
            Place::Bridge(bridge) => self.bridges.get(*bridge).map(|bridge| bridge.node),
        }
    }

    /// Makes a network of its own.
    pub(crate) fn new_segment(&mut self) -> usize {
        self.segments.push(self.segments.len());
        self.segments.len() - 1
    }

    /// Returns the network that a network is part of.
    pub(crate) fn whole_segment(&self, mut segment: usize) -> usize {
        while let Some(parent) = self.segments.get(segment).copied().filter(|parent| *parent != segment) {
            segment = parent;
        }
        segment
    }

    /// Makes two networks one.
    pub(crate) fn join_segments(&mut self, one: usize, other: usize) {
        let (one, other) = (self.whole_segment(one), self.whole_segment(other));
        if let Some(parent) = self.segments.get_mut(one.max(other)) {
            *parent = one.min(other);
        }
    }

    /// Counts a port of a bridge and tells the VLANs apart if the port wants it.
    pub(crate) fn add_port(&mut self, report: &mut Report<'_>, bridge: usize, span: Span, with_vlans: bool) {
        let Some(draft) = self.bridges.get_mut(bridge) else { return };
        draft.ports += 1;
        if draft.ports == MOST_PORTS + 1 {
            let message = format!("a bridge has at most {MOST_PORTS} ports, and {} has more", quoted(&draft.name));
            report
                .error(Trouble::new(span, message).label("this is one too many").hint("share them among two bridges"));
        }
        let (node, name) = (draft.node, draft.device.clone());
        let Some(node) = self.nodes.get_mut(node) else { return };
        let Some(index) = node.devices.get(&name) else { return };
        if let Some(Device { kind: DeviceKind::Bridge { vlan_aware, .. }, .. }) = node.node.devices.get_mut(*index) {
            *vlan_aware |= with_vlans;
        }
    }

    /// Makes a device of a name that may be too long for the kernel.
    pub(crate) fn device(&self, name: &str, kind: DeviceKind, span: Span) -> Device {
        let long_name = (name.len() > super::short::LONGEST).then(|| name.to_owned());
        Device {
            name: short_name(name),
            long_name,
            kind,
            master: None,
            addresses: Vec::new(),
            mac: None,
            mtu: None,
            up: true,
            vlans: None,
            condition: None,
            span,
        }
    }

    /// Adds a device to a node, unless the name is taken there.
    pub(crate) fn add_device(
        &mut self,
        report: &mut Report<'_>,
        node: usize,
        name: &str,
        device: Device,
    ) -> Option<usize> {
        for _ in 0..=device.addresses.len() {
            self.grow(report, device.span)?;
        }
        let draft = self.nodes.get_mut(node)?;
        let clash = draft.shorts.get(&device.name).and_then(|known| draft.node.devices.get(*known));
        if let Some(known) = clash {
            let (node, old) = (quoted(&draft.node.name), known.span);
            let message = format!("{node} has a device {} already", quoted(name));
            report.error(Trouble::new(device.span, message).label("another name").other(old, "the other is here"));
            return None;
        }
        draft.devices.insert(name.to_owned(), draft.node.devices.len());
        draft.shorts.insert(device.name.clone(), draft.node.devices.len());
        draft.node.devices.push(device);
        Some(draft.node.devices.len() - 1)
    }

    /// Counts one more object; none is added once there are too many.
    pub(crate) fn grow(&mut self, report: &mut Report<'_>, span: Span) -> Option<()> {
        self.objects += 1;
        if self.objects == MOST_OBJECTS + 1 {
            let message = format!("a lab has at most {MOST_OBJECTS} devices, routes, checks and the like");
            report.error(Trouble::new(span, message).label("this is one too many"));
        }
        (self.objects <= MOST_OBJECTS).then_some(())
    }

    /// Keeps a name in a node from being used up by an automatic one.
    pub(crate) fn reserve(&mut self, node: usize, name: &str) {
        if let Some(draft) = self.nodes.get_mut(node) {
            draft.given.insert(name.to_owned());
        }
    }

    /// Returns the next free name of a node that is this one and a number.
    pub(crate) fn numbered(&mut self, node: usize, name: &str, from: usize) -> String {
        let key = (node, name.to_owned());
        let mut number = self.counters.get(&key).copied().unwrap_or(from);
        while !self.is_free(node, &format!("{name}{number}")) {
            number += 1;
        }
        self.counters.insert(key, number);
        format!("{name}{number}")
    }

    /// Tells whether a name is free in a node for an automatic one.
    pub(crate) fn is_free(&self, node: usize, name: &str) -> bool {
        let short = short_name(name);
        self.nodes.get(node).is_some_and(|draft| {
            !draft.given.contains(name) && !draft.devices.contains_key(name) && !draft.shorts.contains_key(&short)
        })
    }

    /// Says that there is no node of a name.
    pub(crate) fn no_node(&self, word: Word<'_>) -> Trouble {
        let nodes = self.places.iter().filter(|(_, place)| matches!(place, Place::Node(_)));
        let names = nodes.map(|(name, _)| name.as_str()).chain(self.groups.keys().map(String::as_str));
        let trouble = word.wrong("there is no node");
        match nearest(word.text, names) {
            Some(meant) => trouble.label(format!("did you mean `{meant}`?")),
            None => trouble.label("no `nodes = […]` and no `[node.NAME]` names it"),
        }
    }

    fn span_of_place(&self, place: Place) -> Span {
        match place {
            Place::Node(index) => self.nodes.get(index).map(|draft| draft.node.span),
            Place::Bridge(index) => self.bridges.get(index).map(|draft| draft.span),
        }
        .unwrap_or_default()
    }
}

fn taken(name: &str, span: Span, other: Span) -> Trouble {
    let trouble = Trouble::new(span, format!("the name {} is taken", quoted(name)));
    trouble.label("each node and bridge has a name of its own").other(other, "the other is here")
}
