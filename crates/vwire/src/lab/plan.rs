//! What is to be done to a lab: which namespaces come and go, what may be touched, and how that is shown. Pure.

use std::collections::{BTreeMap, BTreeSet};

use vwire_netlink::Rule;
use vwire_netlink::wire::nft::{Chain, Rule as NftRule};
use vwire_netlink::{Create, Link, Qdisc, Request, Text};

use super::compile::LOOPBACK;
use super::condition::{self, Impossible};
use super::failed::Failed;
use super::graph::of_lab::condition as condition_words;
use super::mark;
use super::model::{Command, Device, Lab, Node};
use super::netfilter::{Ruleset, removal};
use super::task::{Task, What, Work};
use crate::snapshot::state::State;
use crate::step::scope::{Parts, Reach, RouteKey};
use crate::step::world::{End, Names, Place, World};
use crate::step::{Action, Object, Reading, Scope, Step, Verb};

/// How many letters of a command are shown.
const LONGEST: usize = 72;
/// `RTPROT_BOOT` and `RTPROT_STATIC`: made by hand or by a script.
const BY_HAND: [u8; 2] = [3, 4];
/// `RT_TABLE_LOCAL`, which the kernel keeps.
const LOCAL: u32 = 255;
/// `NFNL_SUBSYS_NFTABLES`.
const NFTABLES: u8 = 10;

/// What is to be done.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The nodes, by number, whose namespaces are made.
    pub makes: Vec<usize>,
    /// The nodes that are no longer in the file, whose namespaces go.
    pub removes: Vec<String>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What is done about commands.
    pub work: Work,
    /// Why links go and come again that are there.
    pub anew: BTreeMap<End, String>,
}

impl Plan {
    /// Returns whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.makes.is_empty() && self.removes.is_empty() && self.steps.is_empty() && self.work.tasks.is_empty()
    }

    /// Returns what is to be done, a line each, in the order of the lab's nodes.
    #[must_use]
    pub fn lines(&self, lab: &Lab, names: &Names) -> Vec<Line> {
        let mut lines = Vec::new();
        for (at, node) in lab.nodes.iter().enumerate() {
            let line = |sign, words| Line { sign, node: node.name.clone(), words, why: None };
            if self.makes.contains(&at) {
                lines.push(line(Sign::Add, format!("netns add {}", mark::namespace(&lab.name, &node.name))));
                let told = |(name, value): (&String, &String)| line(Sign::Change, format!("sysctl {name} = {value}"));
                lines.extend(node.sysctls.iter().map(told));
            }
            let head = format!("{}: ", node.name);
            let mut explained = BTreeSet::new();
            for step in self.steps.iter().filter(|step| step.place == Place(at)) {
                let words = step.describe(names);
                // Once: where it goes, or where it comes if it goes by itself with another.
                let why = end_of(step).and_then(|end| Some((end, self.anew.get(&end)?)));
                let why = why.filter(|(end, _)| explained.insert(*end)).map(|(_, why)| why.clone());
                lines.push(Line { why, ..line(sign(step), words.strip_prefix(&head).unwrap_or(&words).to_owned()) });
            }
            for task in self.work.tasks.iter().filter(|task| task.place == at) {
                let (sign, words) = told(task, &node.commands);
                lines.push(line(sign, words));
            }
        }
        for node in &self.removes {
            let words = format!("netns del {}", mark::namespace(&lab.name, node));
            lines.push(Line { sign: Sign::Delete, node: node.clone(), words, why: None });
        }
        lines
    }
}

/// Says what is to be done about a command.
fn told(task: &Task, commands: &[Command]) -> (Sign, String) {
    let command = |number: &usize| commands.get(*number).map(|command| shown(&command.argv)).unwrap_or_default();
    match &task.what {
        What::End(entry) => (Sign::Delete, format!("end {}", shown(&entry.command.argv))),
        What::Run(number) => (Sign::Add, format!("run {}", command(number))),
        What::Again(number, _) => (Sign::Add, format!("run {}, which has ended", command(number))),
        What::Ask(number, _) => (Sign::Change, format!("ask whether it is ready: {}", command(number))),
    }
}

/// Says a command in a line: the first of a script's, and no more of it than is read.
#[must_use]
pub fn shown(argv: &[String]) -> String {
    let whole = argv.join(" ");
    let first = whole.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let short: String = first.chars().take(LONGEST).collect();
    if short.len() == whole.trim().len() { short } else { format!("{} …", short.trim_end()) }
}

/// One thing to be done, to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whether something comes, goes or changes.
    pub sign: Sign,
    /// The node.
    pub node: String,
    /// What, in `ip`'s words.
    pub words: String,
    /// Why, where that is not the file's doing alone: what goes and comes again.
    pub why: Option<String>,
}

/// Whether something comes, goes or changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It comes.
    Add,
    /// It is there and becomes another.
    Change,
    /// It goes.
    Delete,
}

impl Sign {
    /// Returns the sign before a line.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Add => '+',
            Self::Change => '~',
            Self::Delete => '-',
        }
    }

    /// Returns the word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Delete => "delete",
        }
    }
}

/// Returns the link that a step makes or deletes.
fn end_of(step: &Step) -> Option<End> {
    match &step.action {
        Action::Object { verb: Verb::Add | Verb::Delete, object: Object::Link { link, into, .. }, .. } => {
            Some(End { place: into.unwrap_or(step.place), index: link.index })
        }
        Action::Tuntap { link } => Some(End { place: step.place, index: link.index }),
        _ => None,
    }
}

fn sign(step: &Step) -> Sign {
    match &step.action {
        Action::Object { verb: Verb::Delete, .. } => Sign::Delete,
        Action::Object { verb: Verb::Add | Verb::Create | Verb::Append, .. } | Action::Tuntap { .. } => Sign::Add,
        Action::Object { .. } | Action::Sysctl { .. } | Action::Other { .. } => Sign::Change,
    }
}

/// Returns what of each node may be touched: of a namespace of the lab's own all but the links that somebody else put
/// there; of the machine itself what has the lab's mark, and what this file or the one before it says.
#[must_use]
pub fn scope(lab: &Lab, wanted: &World, now: &World, before: Option<&World>) -> Scope {
    let mut reaches = Vec::new();
    for (at, node) in lab.nodes.iter().enumerate() {
        let (wanted, now) = (wanted.state(Place(at)), now.state(Place(at)));
        reaches.push(Reach::Parts(if node.is_host {
            let before = before.map(|before| before.state(Place(at)));
            on_host(&lab.name, wanted, now, before)
        } else {
            in_node(&lab.name, wanted, now)
        }));
    }
    Scope { reaches, reading: Reading::Wish }
}

fn in_node(lab: &str, wanted: &State, now: &State) -> Parts {
    let group = Some(mark::group(lab));
    let own = now.links.iter().filter(|link| link.group == group || link.index == LOOPBACK);
    let links: BTreeSet<u32> = own.chain(&wanted.links).map(|link| link.index).collect();
    let ours = |protocol: u8| protocol == mark::PROTOCOL || BY_HAND.contains(&protocol);
    let there = now.routes.iter().filter(|route| ours(route.protocol) && route.table_id() != LOCAL);
    let routes = there.chain(&wanted.routes).map(RouteKey::of).collect();
    // A rule that nobody says he made was made by hand, too.
    let by_hand = |rule: &&Rule| rule.protocol.is_none_or(|protocol| protocol == 0 || ours(protocol));
    let rules = now.rules.iter().filter(by_hand).chain(&wanted.rules).cloned().collect();
    Parts { links, routes, rules, sysctls: wanted.sysctls.keys().cloned().collect(), ..Parts::default() }
}

fn on_host(lab: &str, wanted: &State, now: &State, before: Option<&State>) -> Parts {
    let is_own = |names: &[Text]| names.iter().any(|name| mark::is_host_link_of(lab, name.as_bytes()));
    let own = now.links.iter().filter(|link| is_own(link.alt_names()) || link.group == Some(mark::group(lab)));
    let links = own.chain(&wanted.links).map(|link| link.index).collect();
    let both = || std::iter::once(wanted).chain(before);
    // A neighbour or a route of the machine's own devices is the lab's only if it has the lab's number.
    let has_number = |protocol: u8| protocol == mark::PROTOCOL;
    let routes = both().flat_map(|state| &state.routes).map(RouteKey::of);
    let taken =
        |key: &RouteKey| now.routes.iter().any(|route| RouteKey::of(route) == *key && !has_number(route.protocol));
    let routes = routes.filter(|key| !taken(key)).collect();
    let rules = both().flat_map(|state| &state.rules).cloned().collect();
    let sysctls = both().flat_map(|state| state.sysctls.keys()).cloned().collect();
    Parts { links, routes, rules, sysctls, ..Parts::default() }
}

/// What a place has beside its tables: disciplines of its links, and its nftables.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beside {
    /// The disciplines.
    pub qdiscs: Vec<Qdisc>,
    /// The chains of all tables.
    pub chains: Vec<Chain>,
    /// The rules of all tables.
    pub rules: Vec<NftRule>,
}

/// Returns the links that steps make: what was on one of that index before is gone with it.
#[must_use]
pub fn made(steps: &[Step]) -> BTreeSet<End> {
    let mut made = BTreeSet::new();
    for step in steps {
        match &step.action {
            Action::Object { verb: Verb::Add, object: Object::Link { link, into, peer }, .. } => {
                made.insert(End { place: into.unwrap_or(step.place), index: link.index });
                made.extend(peer.iter().map(|(peer, place)| End { place: *place, index: peer.index }));
            }
            Action::Tuntap { link } => drop(made.insert(End { place: step.place, index: link.index })),
            _ => {}
        }
    }
    made
}

/// Returns the name of a lab's table of nftables.
#[must_use]
pub fn table_of(lab: &str) -> String {
    format!("vwire-{lab}")
}

/// Returns the steps for what packets suffer on a node's links, and for what it translates and lets through; `made` are
/// the links that are made anew before.
///
/// # Errors
/// The kernel has no `netem`, which the file asks for.
pub fn beside(
    lab: &Lab,
    at: usize,
    wanted: &State,
    now: &Beside,
    made: &BTreeSet<End>,
    has_netem: bool,
) -> Result<Vec<Step>, Failed> {
    let Some(node) = lab.nodes.get(at) else { return Ok(Vec::new()) };
    let mut steps = Vec::new();
    let step =
        |subsystem, requests, words| Step { place: Place(at), action: Action::Other { subsystem, requests, words } };
    for one in disciplines(node, Place(at), wanted, now, made, has_netem)? {
        steps.push(match &one.wished {
            Some(wished) => {
                let asked = one.device.condition.as_ref().map(condition_words).unwrap_or_default();
                let words = format!("qdisc replace dev {} root {} {asked}", one.device.name, kind_of(wished));
                step(None, vec![Request::new_qdisc(wished, Create::OrReplace)], words)
            }
            None => {
                let words = format!("qdisc del dev {} root", one.device.name);
                step(None, vec![Request::del_qdisc(&Qdisc::root(one.index))], words)
            }
        });
    }
    let table = table_of(&lab.name);
    let is_table = |name: Option<&Text>| name.is_some_and(|name| name.as_bytes() == table.as_bytes());
    match Ruleset::of(node, &table) {
        Some(ruleset) if !ruleset.is_there(&now.chains, &now.rules) => {
            let words = format!("nft table inet {table} with {} rules", ruleset.rules.len());
            steps.push(step(Some(NFTABLES), ruleset.requests(), words));
        }
        None if now.chains.iter().any(|chain| is_table(chain.table.as_ref())) => {
            steps.push(step(Some(NFTABLES), removal(&table), format!("nft delete table inet {table}")));
        }
        _ => {}
    }
    Ok(steps)
}

/// A device whose queueing is not as the file says.
#[derive(Debug)]
pub(crate) struct Discipline<'a> {
    /// The device.
    pub(crate) device: &'a Device,
    /// The index of its link.
    pub(crate) index: u32,
    /// What there should be; nothing but what the kernel has by itself where this is none.
    pub(crate) wished: Option<Qdisc>,
}

/// Returns the devices of a node whose queueing is not as the file says.
///
/// # Errors
/// The kernel has no `netem`, which the file asks for.
pub(crate) fn disciplines<'a>(
    node: &'a Node,
    place: Place,
    wanted: &State,
    now: &Beside,
    made: &BTreeSet<End>,
    has_netem: bool,
) -> Result<Vec<Discipline<'a>>, Failed> {
    let mut found = Vec::new();
    for device in &node.devices {
        let is_it = |link: &&Link| link.ifname.is_some_and(|name| name == device.name.as_str());
        let Some(index) = wanted.links.iter().find(is_it).map(|link| link.index) else { continue };
        let asked = device.condition.as_ref();
        let wished = asked.map(|asked| condition::qdisc(index, asked, has_netem));
        let wished = wished.transpose().map_err(|error| refused(&error, &device.name, node).at(device.span))?.flatten();
        let there = root(&now.qdiscs, index).filter(|_| !made.contains(&End { place, index }));
        let is_right = match (&wished, there) {
            (Some(wished), there) => there.is_some_and(|there| is_satisfied(wished, there)),
            (None, there) => !there.is_some_and(|there| matches!(kind_of(there).as_str(), "netem" | "tbf")),
        };
        if !is_right {
            found.push(Discipline { device, index, wished });
        }
    }
    Ok(found)
}

/// Returns the discipline of all that leaves by a link.
pub(crate) fn root(qdiscs: &[Qdisc], index: u32) -> Option<&Qdisc> {
    qdiscs.iter().find(|qdisc| qdisc.index == index && qdisc.parent == vwire_netlink::wire::qdisc::ROOT)
}

fn refused(error: &Impossible, device: &str, node: &Node) -> Failed {
    Failed::new(format!("the condition of `{device}` in `{}` cannot be: {error}", node.name))
}

/// Returns of which kind a discipline is.
pub(crate) fn kind_of(qdisc: &Qdisc) -> String {
    qdisc.kind.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// Returns whether a discipline does what is wished; what the kernel works out by itself may be anything.
#[must_use]
pub fn is_satisfied(wished: &Qdisc, there: &Qdisc) -> bool {
    if kind_of(wished) != kind_of(there) {
        return false;
    }
    match (wished.tbf(), there.tbf(), wished.netem(), there.netem()) {
        (Some(wished), Some(there), ..) => {
            let essence = |tbf: &vwire_netlink::wire::qdisc::Tbf| {
                tbf.parms.map(|parms| (parms.rate.rate, parms.limit)).map(|own| (own, tbf.rate64.unwrap_or(0)))
            };
            essence(&wished) == essence(&there)
        }
        (_, _, Some(wished), Some(there)) => {
            (wished.limit, wished.loss, wished.duplicate, wished.latency64.unwrap_or(0), wished.jitter64.unwrap_or(0))
                == (there.limit, there.loss, there.duplicate, there.latency64.unwrap_or(0), there.jitter64.unwrap_or(0))
                && wished.reorder.map(|own| own.probability)
                    == there.reorder.map(|own| own.probability).filter(|own| *own != 0)
                && wished.rate.map(|own| own.rate) == there.rate.map(|own| own.rate).filter(|own| *own != 0)
        }
        _ => false,
    }
}

/// Returns whether a lab asks for what only `netem` can do.
#[must_use]
pub fn needs_netem(lab: &Lab) -> bool {
    let conditions = lab.nodes.iter().flat_map(|node| &node.devices).filter_map(|device| device.condition.as_ref());
    conditions.into_iter().any(|condition| !condition::beyond_rate(condition).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_script_the_first_line_is_shown() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(shown(&words(&["sh", "-c", "false"])), "sh -c false");
        assert_eq!(shown(&words(&["sh", "-c", "cat >a <<END\nb\nEND\n"])), "sh -c cat >a <<END …");
        assert_eq!(shown(&words(&[&"x".repeat(100)])), format!("{} …", "x".repeat(72)));
    }
}
