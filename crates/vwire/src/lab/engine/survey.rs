//! Looks at what of a lab is there, and works out what is to be done to make it as its file says.

use std::collections::BTreeMap;

use super::field::Field;
use super::{Done, commands, journal, precheck, saved, site};
use crate::lab::compile::{self, compile};
use crate::lab::drift;
use crate::lab::failed::Failed;
use crate::lab::file::accounts::OfThisMachine;
use crate::lab::file::read_with;
use crate::lab::model::{Lab, Node};
use crate::lab::namespace::walk::{Walker, walk};
use crate::lab::plan::{self, Beside, Plan, shown};
use crate::lab::record::Record;
use crate::lab::{outside, sysctl, task};
use crate::snapshot::state::State;
use crate::step::scope::Reach;
use crate::step::world::{Names, Place, World};
use crate::step::{Difference, Scope, anew, converge, differences_among};

/// The name under which a lab's file is kept as it was applied.
pub const APPLIED: &str = "lab.toml";

/// What is known before anything is changed.
#[derive(Debug)]
pub struct Survey {
    /// The namespaces that are there.
    pub field: Field,
    /// What is wanted.
    pub wanted: World,
    /// What is there.
    pub now: World,
    /// What may be touched.
    pub scope: Scope,
    /// What may be touched to bring back what was: of namespaces that go, too, where cables end.
    pub undo_scope: Scope,
    /// In what queueing and nftables are not as they should be.
    pub beside: Vec<Difference>,
    /// What is to be done.
    pub plan: Plan,
    /// What the machine's own sysctls were before the lab.
    pub sysctls: BTreeMap<String, String>,
}

impl Survey {
    /// Returns what is not as it should be, an entry each: the node, and what of it.
    #[must_use]
    pub fn drift(&self, lab: &Lab, record: &Record) -> Vec<Drift> {
        let mut found = Vec::new();
        let node = |place: Place| lab.nodes.get(place.0).map(|node| node.name.clone()).unwrap_or_default();
        for at in &self.plan.makes {
            found.push(Drift { node: node(Place(*at)), what: What::Missing });
        }
        let there = |one: &Difference| !self.plan.makes.contains(&one.place.0);
        let names = lab.nodes.iter().map(|node| node.name.clone()).collect();
        let differences = differences_among(names, &self.wanted, &self.now, &self.scope).into_iter().filter(there);
        found.extend(differences.map(|one| Drift { node: node(one.place), what: What::Differs(one) }));
        let beside = self.beside.iter().filter(|one| self.field.sites.get(one.place.0).is_some_and(Option::is_some));
        found.extend(beside.map(|one| Drift { node: node(one.place), what: What::Differs(one.clone()) }));
        // In a namespace that is missing nothing runs, and that is told.
        let of_commands = self.plan.work.tasks.iter().filter(|task| !self.plan.makes.contains(&task.place));
        for task in of_commands {
            let argv = |number: &usize| lab.nodes.get(task.place)?.commands.get(*number).map(|command| &command.argv);
            let object = |argv: &[String]| format!("`{}`", shown(argv));
            let what = match &task.what {
                task::What::End(entry) => {
                    What::Differs(Difference::surplus(Place(task.place), object(&entry.command.argv)))
                }
                task::What::Again(_, entry) => {
                    What::Ended { command: shown(&entry.command.argv), said: commands::last_words(record, entry) }
                }
                task::What::Run(number) => {
                    let Some(argv) = argv(number) else { continue };
                    What::Differs(Difference::missing(Place(task.place), object(argv)))
                }
                task::What::Ask(..) => continue,
            };
            found.push(Drift { node: node(Place(task.place)), what });
        }
        found
    }

    /// Returns the names of nodes and links, to speak of them.
    #[must_use]
    pub fn names(&self, lab: &Lab) -> Names {
        Names::of(lab.nodes.iter().map(|node| node.name.clone()).collect(), &[&self.wanted, &self.now])
    }
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The node.
    pub node: String,
    /// What of it.
    pub what: What,
}

/// What of a node is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Its namespace is not there.
    Missing,
    /// Something in it.
    Differs(Difference),
    /// A command that was to go on in the background has ended.
    Ended {
        /// The command, in a line.
        command: String,
        /// What it said at last.
        said: Option<String>,
    },
}

/// Surveys a lab without changing anything, and returns it with what it has beyond its file ([`whole`]), too.
///
/// # Errors
/// What stands in the way.
pub fn look(lab: &Lab) -> Done<(Survey, Lab)> {
    super::up::may_build()?;
    site::allow_descriptors(lab.nodes.len())?;
    let record = Record::of(&lab.name);
    let surveyed = walk(|walker| {
        let lab = whole(walker, lab, &record)?;
        survey(walker, &lab, &record).map(|survey| (survey, lab))
    });
    surveyed.map_err(|error| Failed::new("cannot start a thread").because(&error))?
}

/// Returns a lab with what it had and its file names no more: nodes that are to go, and the machine itself.
///
/// # Errors
/// Of a namespace it cannot be told whose it is.
pub fn whole(walker: &mut Walker, lab: &Lab, record: &Record) -> Done<Lab> {
    let mut whole = lab.clone();
    let has_host = |lab: &Lab| lab.nodes.iter().any(|node| node.is_host);
    if !has_host(lab) && applied(record).is_some_and(|applied| has_host(&applied)) {
        whole.nodes.push(Node { name: HOST.to_owned(), is_host: true, ..Node::default() });
    }
    for name in super::field::strays(walker, lab)? {
        whole.nodes.push(Node { name, leaves: true, ..Node::default() });
    }
    // Whoever surveys begins at home; where that fails, so will they.
    let _ = walker.go_home();
    Ok(whole)
}

/// The name of the machine itself in a file.
pub const HOST: &str = "host";

/// Looks at what is there and works out what is to be done; the lab is [`whole`].
///
/// # Errors
/// What stands in the way.
pub fn survey(walker: &mut Walker, lab: &Lab, record: &Record) -> Done<Survey> {
    let mut field = Field::open(walker, lab)?;
    let sysctls = saved::host_sysctls(record);
    let host = lab.nodes.iter().position(|node| node.is_host);
    let mut extra: BTreeMap<usize, Vec<String>> =
        host.map(|host| (host, sysctls.keys().cloned().collect())).into_iter().collect();
    let applied = applied(record);
    if let Some(pending) = journal::pending(record) {
        // A run that is undone may have made tables.
        field.note_rules(lab, &pending);
    }
    if let Some(applied) = &applied {
        field.note_rules(lab, applied);
        for (at, names) in dropped_sysctls(lab, applied) {
            extra.entry(at).or_default().extend(names);
        }
    }
    let mut now = field.look(walker, lab, &extra)?;
    match outside::problems(lab, &now.states) {
        lost if lost.is_empty() => {}
        lost => return Err(first_problem(lost)),
    }
    let mut wanted = compile(lab, &now.states).map_err(first_problem)?;
    if let Some(host) = host {
        // What the file says no more goes back to what it was before the lab.
        let others = saved::of_others(record);
        for (name, value) in sysctls.iter().filter(|(name, _)| !others.contains_key(*name)) {
            wanted.states[host].sysctls.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    fill_in_fresh_values(walker, &extra, host, &now, &mut wanted)?;
    let mut makes = Vec::new();
    for (at, site) in field.sites.iter().enumerate() {
        if site.is_none() {
            makes.push(at);
            now.states[at] = as_made(&wanted.states[at], &lab.nodes[at]);
        }
    }
    let before = applied.as_ref().and_then(|applied| compile_host(lab, applied, &now));
    let leaving: Vec<usize> = (0..lab.nodes.len()).filter(|at| lab.nodes[*at].leaves).collect();
    leaving.iter().for_each(|at| wanted.states[*at] = State::default());
    let undo_scope = plan::scope(lab, &wanted, &now, before.as_ref());
    let mut scope = undo_scope.clone();
    leaving.iter().for_each(|at| scope.reaches[*at] = Reach::default());
    precheck::check(lab, &wanted, &now, &field)?;
    let has_netem = !plan::needs_netem(lab) || precheck::has_netem(walker);
    let mut steps = converge(&wanted, &now, &scope);
    let made = plan::made(&steps);
    let mut differing = Vec::new();
    for (at, state) in wanted.states.iter().enumerate().filter(|(at, _)| !leaving.contains(at)) {
        let nothing = Beside::default();
        let beside = field.beside.get(&at).unwrap_or(&nothing);
        steps.extend(plan::beside(lab, at, state, beside, &made, has_netem)?);
        differing.extend(drift::differences(lab, at, state, beside, &made, has_netem));
    }
    if !makes.is_empty() {
        precheck::kinds(walker, lab, &makes)?;
    }
    let work = commands::to_do(lab, record, &makes, applied.is_some());
    let called = lab.nodes.iter().map(|node| node.name.clone()).collect();
    let anew = anew::why(&wanted, &now, &made, &Names::of(called, &[&wanted, &now]));
    let removes = leaving.iter().map(|at| lab.nodes[*at].name.clone()).collect();
    let plan = Plan { makes, removes, steps, work, anew };
    Ok(Survey { field, wanted, now, scope, undo_scope, beside: differing, plan, sysctls })
}

/// Returns the sysctls of nodes that the file said when it was applied last, and says no more.
fn dropped_sysctls(lab: &Lab, applied: &Lab) -> BTreeMap<usize, Vec<String>> {
    let mut dropped = BTreeMap::new();
    for (at, node) in lab.nodes.iter().enumerate() {
        let Some(old) = applied.nodes.iter().find(|old| old.name == node.name) else { continue };
        let now = compile::sysctls(node);
        // Those of a device that goes, go with it.
        // Of the machine's own it is known what they were.
        let stays = |name: &String| match site::is_of_device(name, old) {
            true => site::is_of_device(name, node),
            false => !node.is_host,
        };
        let left = compile::sysctls(old).into_keys().filter(|name| !now.contains_key(name));
        let names: Vec<String> = left.filter(stays).collect();
        if !names.is_empty() {
            dropped.insert(at, names);
        }
    }
    dropped
}

/// Wants for sysctls that the file says no more what a new namespace has.
fn fill_in_fresh_values(
    walker: &mut Walker,
    dropped: &BTreeMap<usize, Vec<String>>,
    host: Option<usize>,
    now: &World,
    wanted: &mut World,
) -> Done<()> {
    if let Some((at, names)) = host.and_then(|host| Some((host, dropped.get(&host)?))) {
        for name in names {
            let value = sysctl::read_if_there(&precheck::of_new_device(name)).map_err(|error| {
                Failed::new(format!("cannot tell what `{name}` is for a new device")).because(&error)
            })?;
            if let (Some(value), true) = (value, now.state(Place(at)).sysctls.contains_key(name)) {
                wanted.states[at].sysctls.entry(name.clone()).or_insert(value);
            }
        }
    }
    let of_nodes: Vec<(usize, &String)> = dropped
        .iter()
        .filter(|(at, _)| Some(**at) != host)
        .flat_map(|(at, names)| names.iter().map(|name| (*at, name)))
        .collect();
    if of_nodes.is_empty() {
        return Ok(());
    }
    let names: Vec<&String> = of_nodes.iter().map(|(_, name)| *name).collect();
    let fresh = precheck::fresh_sysctls(walker, &names)?;
    for (at, name) in of_nodes {
        if let (Some(value), true) = (fresh.get(name), now.state(Place(at)).sysctls.contains_key(name)) {
            wanted.states[at].sysctls.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    Ok(())
}

/// What a namespace holds once it is made and nothing else is done.
fn as_made(wanted: &State, node: &Node) -> State {
    let links = wanted.links.iter().filter(|link| link.index == compile::LOOPBACK).cloned().collect();
    let sysctls = wanted.sysctls.iter().filter(|(name, _)| !site::is_of_device(name, node));
    State { links, sysctls: sysctls.map(|(name, value)| (name.clone(), value.clone())).collect(), ..State::default() }
}

/// Returns the lab as it was applied last.
#[must_use]
pub fn applied(record: &Record) -> Option<Lab> {
    let text = record.read(APPLIED)?;
    read_with(&text, &record.file_name(), &OfThisMachine).ok().map(|(lab, _)| lab)
}

/// Returns what the lab as it was applied last said of the machine itself, in places of the lab as it is wanted.
fn compile_host(lab: &Lab, applied: &Lab, now: &World) -> Option<World> {
    let own = lab.nodes.iter().position(|node| node.is_host)?;
    let old = applied.nodes.iter().position(|node| node.is_host)?;
    let mut there = vec![State::default(); applied.nodes.len()];
    *there.get_mut(old)? = now.states.get(own)?.clone();
    let mut before = compile(applied, &there).ok()?;
    let state = std::mem::take(before.states.get_mut(old)?);
    let mut states = vec![State::default(); lab.nodes.len()];
    *states.get_mut(own)? = state;
    Some(World { states, ..World::default() })
}

fn first_problem(problems: Vec<compile::Problem>) -> Failed {
    match problems.into_iter().next() {
        Some(problem) => {
            let failed = Failed::new(problem.what).at(problem.span);
            problem.hint.into_iter().fold(failed, Failed::hint)
        }
        None => Failed::new("the lab cannot be built"),
    }
}
