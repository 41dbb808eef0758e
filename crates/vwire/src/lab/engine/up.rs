//! From a file to a lab that runs, or to nothing changed.
//!
//! In this order: what a run left that did not end is undone; what is there is looked at; what is to be done is worked
//! out, and everything checked; the journal is written; namespaces are made, then everything in them; it is waited
//! until packets get through; namespaces that left the file go; what is up now is written down. Until then a failure
//! undoes all of it.

use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use super::confirm::{self, Trial};
use super::field::strays;
use super::journal::Journal;
use super::survey::{APPLIED, Survey, applied, survey, whole};
use super::{Done, Listener, beside, commands, down, go_on, saved, site};
use crate::lab::capability::{self, Capability};
use crate::lab::exec::HOSTS;
use crate::lab::failed::{Aftermath, Failed};
use crate::lab::model::Lab;
use crate::lab::namespace::walk::{Walker, walk};
use crate::lab::namespace::{DIRECTORY, named};
use crate::lab::record::{Lock, LockError, Record};
use crate::lab::{hosts, mark, ready};
use crate::snapshot::state::State;
use crate::step::run::{self, Places, StepError, look, reach, run};
use crate::step::world::{End, Names, Place};
use crate::step::{Action, Object, Reach, Reading, Scope, Step, converge};

/// How long another process that changes the same lab is waited for.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(30);
/// After how many steps it is told how far it is.
const PROGRESS_STEP: usize = 256;
/// How often it is looked again, at most.
const ROUNDS: usize = 3;

/// A lab to be brought up, with the text that it was read from.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The lab.
    pub lab: &'a Lab,
    /// Its file's text.
    pub text: &'a str,
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was all there already.
    Unchanged,
    /// It is up now.
    Changed,
}

/// Brings a lab up, or changes one that is up to what the file says.
///
/// # Errors
/// What stands in the way; then nothing is changed.
pub fn up(order: Order<'_>, listener: &mut (dyn Listener + Send)) -> Done<Outcome> {
    up_on_trial(order, None, listener)
}

/// Brings a lab up as [`up`] does, until it is confirmed or its time is over.
///
/// # Errors
/// As [`up`].
pub fn up_on_trial(order: Order<'_>, trial: Option<Trial<'_>>, listener: &mut (dyn Listener + Send)) -> Done<Outcome> {
    may_build()?;
    site::allow_descriptors(order.lab.nodes.len())?;
    let record = Record::of(&order.lab.name);
    confirm::settle(&order.lab.name, listener)?;
    let _lock = lock(&record, &order.lab.name, listener)?;
    confirm::refuse_while_waiting(&order.lab.name, &record)?;
    let applied = applied(&record);
    let built = lock_host(&[Some(order.lab), applied.as_ref()], listener).and_then(|host| {
        let built = walk(|walker| Run { order, trial, record: &record, walker, listener }.run());
        unlock_host(host);
        built.map_err(|error| Failed::new("cannot start a thread").because(&error))?
    });
    if !record.path_of(APPLIED).exists() && Journal::read(&record).is_none() {
        // Nothing of the lab is there, and so nothing is to be kept of it.
        record.remove_all();
    }
    built
}

/// Takes the lock of a lab.
///
/// # Errors
/// Another process keeps it, or it cannot be made.
pub fn lock(record: &Record, lab: &str, listener: &mut (dyn Listener + Send)) -> Done<Lock> {
    let (mut told, mut signal) = (false, None);
    let locked = record.lock(LOCK_PATIENCE, &mut |pid| {
        if !std::mem::replace(&mut told, true) {
            listener.waits(lab, pid);
        }
        signal = listener.asks_to_end();
        if signal.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    locked.map_err(|error| match error {
        LockError::Taken { pid } => {
            let who = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
            let waited = LOCK_PATIENCE.as_secs();
            Failed::new(format!("{who} has been changing lab `{lab}` for {waited} s and is not done"))
        }
        LockError::Failed(error) => Failed::new(format!("cannot lock lab `{lab}`")).because(&error),
        LockError::GivenUp => Failed::interrupted(signal.unwrap_or_default()),
    })
}

/// Takes the lock of the machine itself, which several labs may change, if the lab has, or had, a part of it.
///
/// # Errors
/// As [`lock`].
pub fn lock_host(labs: &[Option<&Lab>], listener: &mut (dyn Listener + Send)) -> Done<Option<Lock>> {
    let touches = |lab: &&Lab| lab.nodes.iter().any(|node| node.is_host);
    let touching = labs.iter().copied().flatten().find(touches);
    touching.map(|lab| lock(&Record::of_host(), &lab.name, listener)).transpose()
}

/// Gives the lock of the machine itself back, and leaves nothing of it.
pub fn unlock_host(lock: Option<Lock>) {
    if lock.is_some() {
        Record::of_host().remove_all();
    }
}

/// Looks whether the caller may make namespaces and links.
///
/// # Errors
/// Which capability lacks.
pub fn may_build() -> Done<()> {
    let lacks = [Capability::SysAdmin, Capability::NetAdmin].into_iter().filter(|one| !capability::has(*one));
    let lacks: Vec<String> = lacks.map(|one| one.to_string()).collect();
    if lacks.is_empty() {
        return Ok(());
    }
    Err(Failed::new(format!("a lab in {DIRECTORY} takes {}", lacks.join(" and ")))
        .hint("`sudo vwire up …`, or `vwire sandbox` for a network of your own"))
}

/// Makes a lab as its file says, whatever it is now; whoever calls has the lock.
pub(super) fn apply(
    order: Order<'_>,
    record: &Record,
    walker: &mut Walker,
    listener: &mut (dyn Listener + Send),
) -> Done<()> {
    Run { order, trial: None, record, walker, listener }.apply().map(drop)
}

/// Makes what is in no table as a lab's file says: queueing, nftables, and the commands that were others meanwhile.
pub(super) fn finish(
    order: Order<'_>,
    record: &Record,
    walker: &mut Walker,
    listener: &mut (dyn Listener + Send),
) -> Done<()> {
    let lab = whole(walker, order.lab, record)?;
    let order = Order { lab: &lab, ..order };
    let mut survey = survey(walker, order.lab, record)?;
    if !survey.plan.makes.is_empty() {
        return apply(order, record, walker, listener);
    }
    survey.plan.steps.retain(|step| matches!(step.action, Action::Other { .. }));
    let mut places = Places::default();
    let mut run = Run { order, trial: None, record, walker, listener };
    run.open(&mut survey, &mut places)?;
    run.run_steps(&survey.plan.steps, &survey, &mut places)?;
    commands::run(order.lab, &survey.plan.work, record, run.listener, &mut commands::Undo::default())?;
    commands::commit(record);
    Ok(())
}

/// Removes the namespaces of a lab that its file does not name.
pub(super) fn remove_strays(walker: &mut Walker, lab: &Lab, record: &Record) -> Done<()> {
    let gone = strays(walker, lab)?;
    commands::stop(record, |node| gone.iter().any(|own| own == node)).map_err(Failed::partly)?;
    gone.iter().try_for_each(|node| remove(&lab.name, node)).map_err(Failed::partly)
}

struct Run<'a> {
    order: Order<'a>,
    trial: Option<Trial<'a>>,
    record: &'a Record,
    walker: &'a mut Walker,
    listener: &'a mut (dyn Listener + Send),
}

impl Run<'_> {
    fn run(&mut self) -> Done<Outcome> {
        self.undo_unfinished()?;
        self.apply()
    }

    fn apply(&mut self) -> Done<Outcome> {
        let lab = whole(self.walker, self.order.lab, self.record)?;
        let order = Order { lab: &lab, ..self.order };
        let (trial, record) = (self.trial, self.record);
        Run { order, trial, record, walker: self.walker, listener: self.listener }.apply_whole()
    }

    fn apply_whole(&mut self) -> Done<Outcome> {
        let mut survey = survey(self.walker, self.order.lab, self.record)?;
        if survey.plan.is_empty() {
            commands::note(self.record, &survey.plan.work)?;
            self.note().map_err(|error| Failed::new("cannot write down what the file says").because(&error))?;
            return Ok(Outcome::Unchanged);
        }
        go_on(self.listener)?;
        let journal = self.journal(&survey);
        let failed = |error: io::Error| Failed::new("cannot write the journal").because(&error);
        // Of a run that was killed behind its end.
        commands::commit(self.record);
        self.keep_sysctls(&survey).map_err(failed)?;
        journal.write(self.record).map_err(failed)?;
        let (mut places, mut undo) = (Places::default(), commands::Undo::default());
        let built = self.build(&mut survey, &mut places, &mut undo);
        if let Err(mut error) = built.and_then(|()| self.commit()) {
            error.aftermath = self.undo(&journal, &survey, &mut places, &undo);
            return Err(error);
        }
        drop(places);
        commands::commit(self.record);
        if self.trial.is_some() {
            return Ok(Outcome::Changed);
        }
        // Of those that somebody else has taken away, too.
        let stays = |node: &str| self.order.lab.nodes.iter().any(|own| own.name == node && !own.leaves);
        commands::stop(self.record, |node| !stays(node)).map_err(Failed::partly)?;
        for node in &survey.plan.removes {
            remove(&self.order.lab.name, node).map_err(Failed::partly)?;
        }
        saved::prune(self.record, self.order.lab)
            .map_err(|error| Failed::new("cannot write what is kept of the lab").because(&error).partly())?;
        journal.close(self.record);
        Ok(Outcome::Changed)
    }

    /// Writes down a file that wants no change of the lab: what it expects, and where it says what, may be others.
    fn note(&self) -> io::Result<()> {
        if self.trial.is_some() || self.record.read(APPLIED).as_deref() == Some(self.order.text) {
            return Ok(());
        }
        self.record.write(HOSTS, hosts::text(self.order.lab).as_bytes())?;
        self.record.write(APPLIED, self.order.text.as_bytes())
    }

    /// Makes what is being done what is, or what is on trial.
    fn commit(&self) -> Done<()> {
        if let Some(trial) = self.trial {
            let failed = |error: io::Error| Failed::new("cannot start what waits for the time").because(&error);
            confirm::begin(self.record, trial).map_err(failed)?;
        }
        Journal::commit(self.record).map_err(|error| Failed::new("cannot write the journal").because(&error))
    }

    fn undo_unfinished(&mut self) -> Done<()> {
        let lab = self.order.lab;
        for node in Journal::removing(self.record) {
            if let Some(name) = named::Name::parse(mark::namespace(&lab.name, &node).as_bytes())
                && named::is_leftover(&name)
            {
                remove(&lab.name, &node)?;
            }
        }
        let Some(journal) = Journal::read(self.record) else { return Ok(()) };
        self.listener.warns(&format!("an earlier run on lab `{}` did not end; it is undone first", lab.name));
        down::undo(self.walker, &lab.name, self.record, &journal)
    }

    fn journal(&self, survey: &Survey) -> Journal {
        let lab = self.order.lab;
        let name = |at: &usize| lab.nodes.get(*at).map(|node| node.name.clone());
        let leaves = (0..lab.nodes.len()).filter(|at| lab.nodes[*at].leaves);
        let touched: BTreeSet<usize> = survey.plan.steps.iter().flat_map(places_of).chain(leaves).collect();
        let is_there = |at: &&usize| !survey.plan.makes.contains(at);
        let before =
            touched.iter().filter(is_there).filter_map(|at| Some((name(at)?, survey.now.state(Place(*at)).clone())));
        let node = |place: Place| lab.nodes.get(place.0).map(|node| node.name.clone());
        let both = |(a, b): &(End, End)| Some(((node(a.place)?, a.index), (node(b.place)?, b.index)));
        Journal {
            makes: survey.plan.makes.iter().filter_map(name).collect(),
            before: before.collect(),
            removes: survey.plan.removes.clone(),
            cables: survey.now.cables.iter().filter_map(both).collect(),
            lowers: survey.now.lowers.iter().filter_map(|(upper, lower)| both(&(*upper, *lower))).collect(),
            pending: self.order.text.to_owned(),
        }
    }

    fn build(&mut self, survey: &mut Survey, places: &mut Places, undo: &mut commands::Undo) -> Done<()> {
        let lab = self.order.lab;
        self.make_namespaces(survey)?;
        self.open(survey, places)?;
        self.run_steps(&survey.plan.steps, survey, places)?;
        if survey.plan.makes.len() < lab.nodes.len() {
            self.settle(survey, places)?;
        }
        ready::wait(lab, &survey.wanted, places, self.listener)?;
        // Before the commands, which know the nodes by their names.
        self.keep().map_err(|error| Failed::new("cannot write the names of the nodes").because(&error))?;
        commands::run(lab, &survey.plan.work, self.record, self.listener, undo)?;
        go_on(self.listener)
    }

    /// Makes places of all namespaces, which are there.
    fn open(&mut self, survey: &mut Survey, places: &mut Places) -> Done<()> {
        let lab = self.order.lab;
        self.walker.go_home().map_err(|error| Failed::new("cannot go home").because(&error))?;
        let sites = std::mem::take(&mut survey.field.sites);
        for ((node, state), site) in lab.nodes.iter().zip(&survey.wanted.states).zip(sites) {
            let Some(site) = site else { return Err(Failed::new(format!("`{}` has no namespace", node.name))) };
            places.add(site.into_room(&node.name, state));
        }
        Ok(())
    }

    /// Makes the namespaces that are missing.
    fn make_namespaces(&mut self, survey: &mut Survey) -> Done<()> {
        let lab = self.order.lab;
        let Some(first) = survey.plan.makes.first().and_then(|at| lab.nodes.get(*at)) else { return Ok(()) };
        let ready = site::ready(&site::name_of(&lab.name, first)?)?;
        let (all, mut buffer) = (survey.plan.makes.len(), Vec::new());
        for (done, at) in survey.plan.makes.iter().enumerate() {
            let Some(node) = lab.nodes.get(*at) else { continue };
            let site = site::make(self.walker, &ready, lab, node, &mut buffer)?;
            if let Some(slot) = survey.field.sites.get_mut(*at) {
                *slot = Some(site);
            }
            self.listener.progress("namespaces", done + 1, all);
            go_on(self.listener)?;
        }
        Ok(())
    }

    fn run_steps(&mut self, steps: &[Step], survey: &Survey, places: &mut Places) -> Done<()> {
        let mut done = 0;
        for part in steps.chunks(PROGRESS_STEP) {
            run(places, part).map_err(|failed| explain(self.order.lab, survey, &failed))?;
            done += part.len();
            self.listener.progress("steps", done, steps.len());
            go_on(self.listener)?;
        }
        Ok(())
    }

    /// Looks again: the kernel makes and takes some things by itself, which only another look shows.
    fn settle(&mut self, survey: &Survey, places: &mut Places) -> Done<()> {
        for _ in 0..ROUNDS {
            let now = look(places).map_err(|error| Failed::new(format!("cannot look again: {error}")))?;
            let steps = converge(&survey.wanted, &now, &survey.scope);
            if steps.is_empty() {
                break;
            }
            self.run_steps(&steps, survey, places)?;
        }
        Ok(())
    }

    /// Brings back what was before, and tells what could not be.
    fn undo(&mut self, journal: &Journal, survey: &Survey, places: &mut Places, undo: &commands::Undo) -> Aftermath {
        let mut left = Vec::new();
        left.extend(commands::undo_new(self.record).err().map(|failed| failed.to_string()));
        let has_others = survey.plan.makes.len() < self.order.lab.nodes.len();
        if has_others && places.all().count() == self.order.lab.nodes.len() {
            let mut scope = Scope { reading: Reading::Picture, ..survey.undo_scope.clone() };
            for at in &survey.plan.makes {
                scope.reaches[*at] = Reach::default();
            }
            let mut before = survey.now.clone();
            for at in &survey.plan.makes {
                before.states[*at] = State::default();
            }
            match reach(places, &before, &scope) {
                Ok(differences) => {
                    let names = Names::of(places.names(), &[&before, &survey.wanted]);
                    left.extend(differences.iter().map(|one| one.describe(&names)));
                }
                Err(error) => left.push(error.to_string()),
            }
        }
        if has_others && let Err(failed) = beside::bring_back(self.walker, &self.order.lab.name, self.record) {
            left.push(failed.to_string());
        }
        if let Err(failed) = down::undo_namespaces(self.walker, &self.order.lab.name, journal) {
            left.push(failed.to_string());
        }
        // Once the network is what it was.
        left.extend(commands::undo_ended(&self.order.lab.name, self.record, undo));
        if self.trial.is_some() && self.record.path_of(confirm::UNTIL).exists() {
            left.extend(confirm::restore_previous(self.record).err().map(|error| error.to_string()));
        }
        if self.trial.is_some() {
            confirm::forget(self.record);
        }
        if !left.is_empty() {
            return Aftermath::Left(left);
        }
        journal.close(self.record);
        if survey.plan.makes.len() == self.order.lab.nodes.iter().filter(|node| !node.is_host).count() {
            self.record.remove_all();
        }
        Aftermath::Unchanged
    }

    /// Writes down what is up now.
    fn keep(&self) -> io::Result<()> {
        let lab = self.order.lab;
        if self.trial.is_some() {
            confirm::keep_previous(self.record)?;
        }
        self.record.write(HOSTS, hosts::text(lab).as_bytes())
    }

    /// Writes down what the machine's own sysctls are, before they are changed.
    fn keep_sysctls(&self, survey: &Survey) -> io::Result<()> {
        let nodes = &self.order.lab.nodes;
        let Some(host) = nodes.iter().position(|node| node.is_host) else { return Ok(()) };
        let now = &survey.now.state(Place(host)).sysctls;
        saved::keep_host_sysctls(self.record, &nodes[host], now, &survey.sysctls)
    }
}

fn remove(lab: &str, node: &str) -> Done<()> {
    let Some(name) = named::Name::parse(mark::namespace(lab, node).as_bytes()) else { return Ok(()) };
    named::delete(&name).map_err(|error| Failed::new(format!("cannot remove namespace `{name}`")).because(&error))
}

/// Says which step was refused, of which node and device, and where the file says so.
fn explain(lab: &Lab, survey: &Survey, failed: &run::Failed) -> Failed {
    let (place, names) = (failed.step.place, survey.names(lab));
    let said = failed.step.describe(&names);
    let told = Failed::new(format!("the kernel refuses `{}`", said));
    let told = match &failed.error {
        StepError::Refused(error) => told.refused(error),
        StepError::File(error) => told.because(error),
        error @ (StepError::Device(_) | StepError::Control(_)) => told.because_of(error.to_string()),
    };
    // What stands on a device of another node is made from there.
    let place = match &failed.step.action {
        Action::Object { object: Object::Link { into: Some(into), .. }, .. } => *into,
        _ => place,
    };
    let node = lab.nodes.get(place.0);
    let device = index_of(&failed.step).and_then(|index| {
        let link = survey.wanted.state(place).link(index)?.ifname?;
        node?.devices.iter().find(|device| link == device.name.as_str())
    });
    match (device, node) {
        (Some(device), _) => told.at(device.span),
        (None, Some(node)) => told.at(node.span),
        (None, None) => told,
    }
}

/// Returns the places that a step changes, by number: of a cable those of both ends.
fn places_of(step: &Step) -> Vec<usize> {
    let mut places = vec![step.place.0];
    if let Action::Object { object: Object::Link { into, peer, .. }, .. } = &step.action {
        places.extend(into.iter().chain(peer.iter().map(|(_, place)| place)).map(|place| place.0));
    }
    places
}

/// Returns the index of the link that a step is about.
fn index_of(step: &Step) -> Option<u32> {
    match &step.action {
        Action::Object { object, .. } => match object {
            Object::Link { link, .. } | Object::LinkNames(link) => Some(link.index),
            Object::Address(body) => Some(body.index),
            Object::Route(body) => body.oif,
            Object::Neighbour(body) | Object::Forwarding(body) => Some(body.index),
            Object::Vlans(body) => Some(body.index),
            Object::Rule(_) | Object::Nexthop(_) | Object::Label(_) => None,
        },
        Action::Tuntap { link } => Some(link.index),
        Action::Sysctl { .. } | Action::Other { .. } => None,
    }
}

/// Returns the place of a node.
#[must_use]
pub fn place_of(lab: &Lab, node: &str) -> Option<Place> {
    lab.nodes.iter().position(|own| own.name == node).map(Place)
}

/// Returns the namespaces in `/run/netns` that are called as the lab's would be.
#[must_use]
pub fn names_like(lab: &str) -> Vec<named::Name> {
    let head = format!("{lab}.");
    let mut names = named::names().unwrap_or_default();
    names.retain(|name| name.to_string().starts_with(&head));
    names
}
