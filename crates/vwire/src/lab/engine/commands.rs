//! Runs what the file has run in nodes, ends what goes on running, and starts again what it ended where a change is undone.
//!
//! What is run is written down (`running`), and what was written down before a change is kept (`running.before`) until the
//! change is made, or undone by whoever comes after one that was killed.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};

use super::running::{Found, Living, Wanted, process_of};
use super::{Done, Listener, Silent, go_on};
use crate::lab::exec::Inside;
use crate::lab::failed::Failed;
use crate::lab::ledger::{Entry, Ledger, Mark, Process, log_of};
use crate::lab::model::{Command, Lab, Span};
use crate::lab::namespace::Identity;
use crate::lab::plan::shown;
use crate::lab::program::{Program, Said};
use crate::lab::record::Record;
use crate::lab::task::{Known, Task, What, Work, work};

/// The file that lists what was run.
const RUNNING: &str = "running";
/// The file that lists what was run before a change that is not made yet.
const BEFORE: &str = "running.before";
/// How the name of a file ends that has what a command said.
const LOG: &str = ".log";
/// How the name of a file ends that has what was said when it was asked whether it is ready.
const ASKED: &str = ".ready";
/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// How long what is asked late whether it is ready may take to answer.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);

/// Works out what is to be done about a lab's commands; `was_applied` tells whether it is known what the file said before.
#[must_use]
pub fn to_do(lab: &Lab, record: &Record, makes: &[usize], was_applied: bool) -> Work {
    let ledger = read(record, RUNNING);
    let is_lost = ledger.is_none() && !was_applied;
    let ledger = ledger.unwrap_or_default();
    let mut living = Living::default();
    let mut lives = |entry: &Entry| living.has(&ledger, entry);
    work(lab, Known { ledger: &ledger, lives: &mut lives, makes, is_lost })
}

fn read(record: &Record, name: &str) -> Option<Ledger> {
    Ledger::parse(&record.read(name)?)
}

fn write(record: &Record, ledger: &Ledger) -> Done<()> {
    record.write(RUNNING, ledger.text().as_bytes()).map_err(|error| not_written(&error))
}

fn not_written(error: &io::Error) -> Failed {
    Failed::new("cannot write down what is run in the nodes").because(error)
}

/// Returns the last words of what a command said.
#[must_use]
pub fn last_words(record: &Record, entry: &Entry) -> Option<String> {
    last_of(&record.read_end(&entry.log())?)
}

/// Writes down what the file says otherwise of commands that are left alone.
///
/// # Errors
/// The disk is full, or privilege lacks.
pub fn note(record: &Record, work: &Work) -> Done<()> {
    let known = read(record, RUNNING);
    if known.is_none_or(|known| known == work.ledger) { Ok(()) } else { write(record, &work.ledger) }
}

/// What a run of commands has ended, and what there was before it.
#[derive(Debug, Default)]
pub struct Undo {
    before: Option<Ledger>,
    ended: Vec<Entry>,
}

/// Does what is to be done about commands: what is ended first, then what is run, one after another. What goes on in the
/// background is waited for until it is ready before anything else is run in its node, or anything that ends anywhere; but
/// in other nodes what goes on in the background, too, is started meanwhile: routers are ready when they have found one
/// another.
///
/// # Errors
/// One cannot be started, fails, or is not done or ready in time; or a signal asks for the end.
pub fn run(lab: &Lab, work: &Work, record: &Record, listener: &mut (dyn Listener + Send), undo: &mut Undo) -> Done<()> {
    if work.tasks.is_empty() {
        return note(record, work);
    }
    let mut before = read(record, RUNNING).unwrap_or_default();
    let mut ledger = work.ledger.clone();
    if before.token.is_empty() {
        before.token = token().map_err(|error| Failed::new("cannot draw a number by lot").because(&error))?;
        ledger.token.clone_from(&before.token);
        write(record, &before)?;
    }
    let ends = work.tasks.iter().filter_map(|task| match &task.what {
        What::End(entry) => Some(entry.clone()),
        _ => None,
    });
    undo.ended = ends.collect();
    record.write(BEFORE, before_that(&before, &undo.ended).text().as_bytes()).map_err(|error| not_written(&error))?;
    undo.before = Some(before.clone());
    end(&before.token, &undo.ended)?;
    write(record, &ledger)?;
    let all = work.tasks.len();
    let mut runner = Runner { lab: &lab.name, record, ledger, before: &before, listener };
    let mut pending: Vec<Pending> = Vec::new();
    for (done, task) in work.tasks.iter().enumerate() {
        let Task { place, what: What::Run(number) | What::Again(number, _) | What::Ask(number, _) } = task else {
            continue;
        };
        let Some(node) = lab.nodes.get(*place) else { continue };
        let Some(command) = node.commands.get(*number) else { continue };
        runner.settle_before(&node.name, command, &mut pending)?;
        pending.extend(match &task.what {
            What::Ask(_, entry) => Some(runner.asked(command, entry)),
            _ => runner.start(&node.name, command)?,
        });
        runner.listener.progress("commands", done + 1, all);
    }
    runner.settle(pending, &mut [])
}

/// Returns what counts if the run is killed. What goes on in the background and does not is run again anyhow; what a command
/// left that was to end is not watched, and comes back only if the command counts as not run.
fn before_that(before: &Ledger, ended: &[Entry]) -> Ledger {
    let is_lost = |entry: &&Entry| !entry.command.background && ended.contains(entry);
    let entries = before.entries.iter().filter(|entry| !is_lost(entry)).cloned().collect();
    Ledger { token: before.token.clone(), entries }
}

/// Returns what no other lab has.
fn token() -> io::Result<String> {
    let drawn = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    Ok(drawn.chars().filter(char::is_ascii_hexdigit).collect())
}

/// Ends what commands left running.
fn end(token: &str, entries: &[Entry]) -> Done<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let is_one = |mark: &Mark, entry: &Entry| entry.serial == mark.serial && entry.node == mark.node;
    let is_marked = |mark: &Mark| mark.token == token && entries.iter().any(|entry| is_one(mark, entry));
    let leaders = entries.iter().map(|entry| entry.process).collect();
    all_ended(&Wanted { is_marked: &is_marked, leaders, networks: None }.end())
}

fn all_ended(left: &[Found]) -> Done<()> {
    let Some(first) = left.first() else { return Ok(()) };
    let node = first.mark.as_ref().map_or_else(String::new, |mark| format!(" in `{}`", mark.node));
    let more = if left.len() > 1 { format!(", and {} more", left.len() - 1) } else { String::new() };
    let pid = first.process.pid;
    Err(Failed::new(format!("process {pid}, which a command started{node}, does not end{more}")).hint(format!(
        "`ps -o stat,wchan,args -p {pid}` shows what it waits for; the same command again tries once more"
    )))
}

/// Ends what commands left running in the nodes that are meant, and forgets them.
///
/// # Errors
/// Something does not end.
pub fn stop(record: &Record, is_meant: impl Fn(&str) -> bool) -> Done<()> {
    let Some(mut ledger) = read(record, RUNNING) else { return Ok(()) };
    let (ends, kept): (Vec<Entry>, Vec<Entry>) =
        std::mem::take(&mut ledger.entries).into_iter().partition(|entry| is_meant(&entry.node));
    stop_of(record, &ledger.token, &ends, is_meant)?;
    if ends.is_empty() {
        return Ok(());
    }
    ledger.entries = kept;
    write(record, &ledger)
}

/// Ends what commands left running in all nodes, and writes nothing: the record goes then, and the disk may be full.
///
/// # Errors
/// Something does not end.
pub fn stop_all(record: &Record) -> Done<()> {
    let Some(ledger) = read(record, RUNNING) else { return Ok(()) };
    stop_of(record, &ledger.token, &ledger.entries, |_| true)
}

fn stop_of(record: &Record, token: &str, ends: &[Entry], is_meant: impl Fn(&str) -> bool) -> Done<()> {
    if ends.is_empty() && !record.path_of(BEFORE).exists() {
        // Only a run that did not end has started what is not written down.
        return Ok(());
    }
    let is_marked = |mark: &Mark| mark.token == token && is_meant(&mark.node);
    let leaders = ends.iter().map(|entry| entry.process).collect();
    all_ended(&Wanted { is_marked: &is_marked, leaders, networks: None }.end())
}

/// Returns whether it is written down what was run.
#[must_use]
pub fn is_known(record: &Record) -> bool {
    read(record, RUNNING).is_some()
}

/// Ends what commands left running in these networks, but for those of labs whose records are there.
///
/// # Errors
/// Something does not end.
pub fn stop_in(networks: &[Identity]) -> Done<()> {
    let inodes = networks.iter().map(|network| network.ino).collect();
    let labs = Record::labs().into_iter().filter_map(|lab| read(&Record::of(&lab), RUNNING));
    let others: BTreeSet<String> = labs.map(|ledger| ledger.token).collect();
    let is_marked = |mark: &Mark| !others.contains(&mark.token);
    let wanted = Wanted { is_marked: &is_marked, leaders: Vec::new(), networks: Some(&inodes) };
    if inodes.is_empty() { Ok(()) } else { all_ended(&wanted.end()) }
}

/// A change of commands is made: what there was before is forgotten, with what it said.
pub fn commit(record: &Record) {
    record.remove(BEFORE);
    let Some(ledger) = read(record, RUNNING) else { return };
    let logs: BTreeSet<String> = ledger.entries.iter().map(Entry::log).collect();
    let is_log = |name: &&String| name.strip_suffix(ASKED).unwrap_or(name).ends_with(LOG);
    let is_kept = |name: &String| logs.contains(name.strip_suffix(ASKED).unwrap_or(name));
    record.names().iter().filter(is_log).filter(|name| !is_kept(name)).for_each(|name| record.remove(name));
}

/// Ends what a change has started that is undone; what there was before counts again.
///
/// # Errors
/// Something does not end, or it cannot be written down.
pub fn undo_new(record: &Record) -> Done<()> {
    let Some(before) = read(record, BEFORE) else { return Ok(()) };
    let is_marked = |mark: &Mark| mark.token == before.token && !before.has(mark);
    let is_new = |entry: &&Entry| !before.has(&before.mark_of(entry));
    let now = read(record, RUNNING).unwrap_or_default();
    let leaders: Vec<Process> = now.entries.iter().filter(is_new).map(|entry| entry.process).collect();
    let ended = all_ended(&Wanted { is_marked: &is_marked, leaders, networks: None }.end());
    write(record, &before)?;
    record.remove(BEFORE);
    ended
}

/// Starts again what a change has ended that is undone; returns what could not be, a sentence each.
#[must_use]
pub fn undo_ended(lab: &str, record: &Record, undo: &Undo) -> Vec<String> {
    let Some(before) = undo.before.as_ref().filter(|_| !undo.ended.is_empty()) else { return Vec::new() };
    let mut left = Vec::new();
    let ledger = Ledger { token: before.token.clone(), entries: Vec::new() };
    let mut runner = Runner { lab, record, ledger, before, listener: &mut Silent };
    let mut living = Living::default();
    let mut pending = Vec::new();
    let mut fails = |failed: Failed| left.push(format!("cannot start again what was ended: {failed}"));
    for entry in undo.ended.iter().filter(|entry| !living.has(before, entry)) {
        let is_ready = runner.settle_before(&entry.node, &entry.command, &mut pending);
        is_ready.err().into_iter().for_each(&mut fails);
        match runner.start_as(&entry.node, &entry.command, entry.serial) {
            Ok(started) => pending.extend(started),
            Err(failed) => fails(failed),
        }
    }
    for one in pending {
        runner.settle(vec![one], &mut []).err().into_iter().for_each(&mut fails);
    }
    let mut now = before.clone();
    for entry in &mut now.entries {
        let again = runner.ledger.of(&entry.node).find(|again| again.serial == entry.serial);
        entry.process = again.map_or(entry.process, |again| again.process);
    }
    left.extend(write(record, &now).err().map(|failed| failed.to_string()));
    left
}

/// What is looked at while something is waited for.
type Look<'a> = &'a mut dyn FnMut() -> Done<()>;

/// A program in the background that is not known to be ready.
struct Pending {
    node: String,
    command: Command,
    inside: Inside,
    /// None where it goes on since an earlier run.
    child: Option<Program>,
    mark: Mark,
    log: String,
    end: Instant,
}

struct Runner<'a> {
    lab: &'a str,
    record: &'a Record,
    ledger: Ledger,
    before: &'a Ledger,
    listener: &'a mut (dyn Listener + Send),
}

impl Runner<'_> {
    /// Runs a command, or starts one that goes on in the background.
    fn start(&mut self, node: &str, command: &Command) -> Done<Option<Pending>> {
        let serial = self.ledger.next(node).max(self.before.next(node));
        self.record.remove(&log_of(node, serial));
        self.start_as(node, command, serial)
    }

    fn start_as(&mut self, node: &str, command: &Command, serial: u64) -> Done<Option<Pending>> {
        let log = log_of(node, serial);
        let said = fs::File::options().create(true).append(true).open(self.record.path_of(&log));
        let said = said.map_err(|error| failed(node, command, "has no place for what it says").because(&error))?;
        let mark = Mark { token: self.before.token.clone(), serial, node: node.to_owned() };
        let inside = Inside::of(self.lab, node);
        let started = inside.start(&command.argv, &Said::Into(said), &mark);
        let mut child = started.map_err(|error| error.at(command.span))?;
        let end = Instant::now() + command.within;
        let plain = Command { span: Span::default(), ..command.clone() };
        let entry = Entry { serial, node: node.to_owned(), command: plain, process: process_of(child.pid()) };
        let line = self.ledger.add(entry);
        let remembered = self.record.append(RUNNING, line.as_bytes());
        remembered.map_err(|error| failed(node, command, "cannot be remembered").because(&error))?;
        if command.background {
            let (node, command, child) = (node.to_owned(), command.clone(), Some(child));
            return Ok(Some(Pending { node, command, inside, child, mark, log, end }));
        }
        let ended = wait(&mut child, end, &mut || go_on(self.listener));
        if !matches!(ended, Ok(Some(_))) {
            let _ = killpg(child.pid(), Signal::SIGKILL);
            child.kill();
        }
        let why = match ended? {
            Some(status) if status.success() => return Ok(None),
            Some(status) => format!("failed: {status}"),
            None => format!("has not ended within {:?}", command.within),
        };
        Err(told(failed(node, command, &why), self.record, &log))
    }

    /// Returns one that goes on, to be asked.
    fn asked(&self, command: &Command, entry: &Entry) -> Pending {
        Pending {
            node: entry.node.clone(),
            command: command.clone(),
            inside: Inside::of(self.lab, &entry.node),
            child: None,
            mark: self.before.mark_of(entry),
            log: entry.log(),
            end: Instant::now() + command.within,
        }
    }

    /// Waits for what must be ready before a command is run.
    fn settle_before(&mut self, node: &str, command: &Command, pending: &mut Vec<Pending>) -> Done<()> {
        let is_due = |one: &Pending| !command.background || one.node == node;
        let (due, mut rest) = std::mem::take(pending).into_iter().partition(is_due);
        let settled = self.settle(due, &mut rest);
        *pending = rest;
        settled
    }

    /// Waits for some; one of the others that fails meanwhile is told at once, and not what waits for it in vain.
    fn settle(&mut self, due: Vec<Pending>, others: &mut [Pending]) -> Done<()> {
        let mut due = VecDeque::from(due);
        while let Some(mut one) = due.pop_front() {
            let Self { record, listener, .. } = self;
            let mut look = || {
                go_on(*listener)?;
                let failed = due.iter_mut().chain(others.iter_mut()).find_map(|other| other.has_failed(record));
                failed.map_or(Ok(()), Err)
            };
            // Its time may be over while others were waited for: it is asked once all the same.
            one.end = one.end.max(Instant::now() + LEAST_PATIENCE);
            if let Err(why) = one.ready(record, &mut look)? {
                return Err(one.failed(record, &why));
            }
        }
        Ok(())
    }
}

impl Pending {
    /// Waits until it is ready; the inner error says why it is not.
    fn ready(&mut self, record: &Record, look: Look<'_>) -> Done<Result<(), String>> {
        let Some(probe) = self.command.ready.clone() else { return Ok(Ok(())) };
        let asked = format!("{}{ASKED}", self.log);
        loop {
            if let Some(why) = self.has_ended() {
                return Ok(Err(why));
            }
            // What is said is kept of the last try alone.
            let said = fs::File::create(record.path_of(&asked)).map_or(Said::Nowhere, Said::Into);
            let mut tried = match self.inside.start(&probe, &said, &self.mark) {
                Ok(tried) => tried,
                Err(error) => return Ok(Err(format!("cannot be asked: {error}"))),
            };
            let answer = wait(&mut tried, self.end, look);
            if !matches!(answer, Ok(Some(_))) {
                let _ = killpg(tried.pid(), Signal::SIGKILL);
            }
            tried.kill();
            if answer?.is_some_and(|status| status.success()) {
                return Ok(Ok(()));
            }
            if Instant::now() >= self.end {
                let heard = record.read_end(&asked).and_then(|text| last_of(&text));
                let heard = heard.map_or_else(String::new, |line| format!(", and says: {line}"));
                let probe = match probe.as_slice() {
                    [shell, option, line] if shell == "sh" && option == "-c" => line.trim().to_owned(),
                    words => words.join(" "),
                };
                return Ok(Err(format!("is not ready after {:?}: `{probe}` fails{heard}", self.command.within)));
            }
            look()?;
            std::thread::sleep(PAUSE * 4);
        }
    }

    fn failed(&self, record: &Record, why: &str) -> Failed {
        told(failed(&self.node, &self.command, why), record, &self.log)
    }

    /// Says that it failed, while another is waited for.
    fn has_failed(&mut self, record: &Record) -> Option<Failed> {
        self.command.ready.as_ref()?;
        let status = self.child.as_mut()?.try_wait().ok()??;
        (!status.success()).then(|| self.failed(record, &ended_early(status)))
    }

    /// Says how it ended, if it has; a program that goes to the background by itself has not as long as it is there.
    fn has_ended(&mut self) -> Option<String> {
        let status = self.child.as_mut()?.try_wait().ok()??;
        let is_one = |mark: &Mark| *mark == self.mark;
        let has_left = || !Wanted { is_marked: &is_one, leaders: Vec::new(), networks: None }.find().is_empty();
        if status.success() && has_left() {
            return None;
        }
        Some(ended_early(status))
    }
}

fn ended_early(status: ExitStatus) -> String {
    format!("ended before it was ready: {status}")
}

fn failed(node: &str, command: &Command, why: &str) -> Failed {
    Failed::new(format!("`{}` in `{node}` {why}", shown(&command.argv))).at(command.span)
}

fn told(failed: Failed, record: &Record, log: &str) -> Failed {
    match record.read_end(log).and_then(|text| last_of(&text)) {
        Some(line) => failed.hint(format!("it said at last: {line}")),
        None => failed,
    }
}

/// Waits until a program has ended, or the time is over.
fn wait(child: &mut Program, end: Instant, look: Look<'_>) -> Done<Option<ExitStatus>> {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        look()?;
        std::thread::sleep(PAUSE);
    }
}

fn last_of(text: &str) -> Option<String> {
    text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| line.chars().take(200).collect())
}
