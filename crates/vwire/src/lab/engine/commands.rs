//! Runs what the file has run in nodes, and ends what goes on running.

use std::fs;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::{Done, Listener, go_on};
use crate::lab::exec::Inside;
use crate::lab::failed::Failed;
use crate::lab::model::{Command, Lab, Node, Span};
use crate::lab::namespace::processes;
use crate::lab::plan::shown;
use crate::lab::program::{Program, Said};
use crate::lab::record::Record;

/// The file that lists what runs in the background.
const RUNNING: &str = "running";
/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// How long what is asked late whether it is ready may take to answer.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);
/// How long what is to end may take before it is made to.
const GRACE: Duration = Duration::from_millis(500);

/// Returns the nodes whose commands are to be run: new ones, and those for which the file says others now.
#[must_use]
pub fn to_run(lab: &Lab, applied: Option<&Lab>, makes: &[usize]) -> Vec<usize> {
    let is_due = |at: usize, node: &Node| {
        let old = applied.and_then(|applied| applied.nodes.iter().find(|old| old.name == node.name));
        let same = |old: &Node| essence(old) == essence(node);
        !node.leaves && makes.contains(&at) && !node.commands.is_empty()
            || !node.leaves && old.is_some_and(|old| !same(old))
    };
    lab.nodes.iter().enumerate().filter(|(at, node)| is_due(*at, node)).map(|(at, _)| at).collect()
}

/// What of a node's commands counts: not where the file says them.
fn essence(node: &Node) -> Vec<Command> {
    node.commands.iter().map(|one| Command { span: Span::default(), ..one.clone() }).collect()
}

/// Runs the commands of nodes, one after another. What goes on in the background is waited for until it is ready before
/// anything else is run in its node, or anything that ends anywhere; but in other nodes what goes on in the background, too,
/// is started meanwhile: routers are ready when they have found one another.
///
/// # Errors
/// One cannot be started, fails, or is not done or ready in time; or a signal asks for the end.
pub fn run(lab: &Lab, runs: &[usize], record: &Record, listener: &mut (dyn Listener + Send)) -> Done<()> {
    let nodes: Vec<&Node> = runs.iter().filter_map(|at| lab.nodes.get(*at)).collect();
    stop(record, |name| nodes.iter().any(|node| node.name == name));
    let all: usize = nodes.iter().map(|node| node.commands.len()).sum();
    let mut done = 0;
    let mut pending: Vec<Pending<'_>> = Vec::new();
    for node in nodes {
        for (number, command) in node.commands.iter().enumerate() {
            let is_due = |one: &Pending<'_>| !command.background || one.node.name == node.name;
            let (due, rest) = pending.into_iter().partition(is_due);
            pending = rest;
            settle(due, record, listener)?;
            pending.extend(one(lab, node, (number, command), record, listener)?);
            done += 1;
            listener.progress("commands", done, all);
        }
    }
    settle(pending, record, listener)
}

/// A program in the background that is not known to be ready.
struct Pending<'a> {
    node: &'a Node,
    command: &'a Command,
    inside: Inside,
    child: Program,
    log: String,
    end: Instant,
}

impl Pending<'_> {
    fn failed(&self, why: &str, record: &Record) -> Failed {
        told(failed(self.node, self.command, why), record, &self.log)
    }
}

fn settle(pending: Vec<Pending<'_>>, record: &Record, listener: &mut (dyn Listener + Send)) -> Done<()> {
    for mut one in pending {
        // Its time may be over while others were waited for: it is asked once all the same.
        let end = one.end.max(Instant::now() + LEAST_PATIENCE);
        let asked = record.path_of(&format!("{}.ready", one.log));
        if let Err(why) = ready(&one.inside, one.command, (&mut one.child, &asked), end, listener)? {
            return Err(one.failed(&why, record));
        }
    }
    Ok(())
}

fn failed(node: &Node, command: &Command, why: &str) -> Failed {
    Failed::new(format!("`{}` in `{}` {why}", shown(&command.argv), node.name)).at(command.span)
}

fn told(failed: Failed, record: &Record, log: &str) -> Failed {
    match last_line(record, log) {
        Some(line) => failed.hint(format!("it said at last: {line}")),
        None => failed,
    }
}

/// Runs a command, or starts one that goes on in the background.
fn one<'a>(
    lab: &Lab,
    node: &'a Node,
    (number, command): (usize, &'a Command),
    record: &Record,
    listener: &mut (dyn Listener + Send),
) -> Done<Option<Pending<'a>>> {
    let log = format!("{}.{number}.log", node.name);
    let file = fs::File::create(record.path_of(&log))
        .map_err(|error| failed(node, command, "has no place for what it says").because(&error))?;
    let inside = Inside::of(&lab.name, &node.name);
    let mut child = inside.start(&command.argv, &Said::Into(file)).map_err(|error| error.at(command.span))?;
    let end = Instant::now() + command.within;
    if command.background {
        remember(record, &node.name, &child)
            .map_err(|error| failed(node, command, "cannot be remembered").because(&error))?;
        return Ok(Some(Pending { node, command, inside, child, log, end }));
    }
    let ended = wait(&mut child, end, listener);
    if !matches!(ended, Ok(Some(_))) {
        let _ = killpg(child.pid(), Signal::SIGKILL);
        child.kill();
    }
    let why = match ended? {
        Some(status) if status.success() => return Ok(None),
        Some(status) => format!("failed: {status}"),
        None => format!("has not ended within {:?}", command.within),
    };
    Err(told(failed(node, command, &why), record, &log))
}

/// Waits until a program in the background is ready; the inner error says why it is not.
fn ready(
    inside: &Inside,
    command: &Command,
    (child, asked): (&mut Program, &Path),
    end: Instant,
    listener: &mut (dyn Listener + Send),
) -> Done<Result<(), String>> {
    let Some(probe) = &command.ready else { return Ok(Ok(())) };
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Ok(Err(format!("ended before it was ready: {status}")));
        }
        // What is said is kept of the last try alone.
        let said = fs::File::create(asked).map_or(Said::Nowhere, Said::Into);
        let mut tried = match inside.start(probe, &said) {
            Ok(tried) => tried,
            Err(error) => return Ok(Err(format!("cannot be asked: {error}"))),
        };
        let answer = wait(&mut tried, end, listener);
        if !matches!(answer, Ok(Some(_))) {
            let _ = killpg(tried.pid(), Signal::SIGKILL);
        }
        tried.kill();
        if answer?.is_some_and(|status| status.success()) {
            return Ok(Ok(()));
        }
        if Instant::now() >= end {
            let heard = fs::read_to_string(asked).ok().and_then(|text| last_of(&text));
            let heard = heard.map_or_else(String::new, |line| format!(", and says: {line}"));
            let probe = match probe.as_slice() {
                [shell, option, line] if shell == "sh" && option == "-c" => line.trim().to_owned(),
                words => words.join(" "),
            };
            return Ok(Err(format!("is not ready after {:?}: `{probe}` fails{heard}", command.within)));
        }
        go_on(listener)?;
        std::thread::sleep(PAUSE * 4);
    }
}

/// Waits until a program has ended, or the time is over.
fn wait(child: &mut Program, end: Instant, listener: &mut (dyn Listener + Send)) -> Done<Option<ExitStatus>> {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        go_on(listener)?;
        std::thread::sleep(PAUSE);
    }
}

fn last_line(record: &Record, log: &str) -> Option<String> {
    last_of(&record.read(log)?)
}

fn last_of(text: &str) -> Option<String> {
    text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| line.chars().take(200).collect())
}

fn remember(record: &Record, node: &str, child: &Program) -> std::io::Result<()> {
    let mut text = record.read(RUNNING).unwrap_or_default();
    let pid = u32::try_from(child.pid().as_raw()).unwrap_or_default();
    text.push_str(&format!("{pid} {} {node}\n", start_of(pid).unwrap_or_default()));
    record.write(RUNNING, text.as_bytes())
}

/// Returns when a process was started, in ticks since boot: with its number, that is one process for ever.
fn start_of(pid: u32) -> Option<u64> {
    if !processes::proc_is_own() {
        // Numbers in `/proc` are others' here; the number alone has to do.
        let is_there = kill(Pid::from_raw(i32::try_from(pid).ok()?), None).is_ok();
        return is_there.then_some(0);
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Ends what runs in the background in the nodes that are meant.
pub fn stop(record: &Record, is_meant: impl Fn(&str) -> bool) {
    let Some(text) = record.read(RUNNING) else { return };
    let (mut kept, mut ends) = (String::new(), Vec::new());
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        let pid = words.next().and_then(|word| word.parse::<u32>().ok());
        let start = words.next().and_then(|word| word.parse::<u64>().ok());
        match (pid, start, words.next()) {
            (Some(pid), Some(start), Some(node)) if is_meant(node) => ends.push((pid, start)),
            _ => kept.push_str(&format!("{line}\n")),
        }
    }
    let is_alive = |(pid, start): &(u32, u64)| start_of(*pid) == Some(*start) && !is_over(*pid);
    let signal = |(pid, _): &(u32, u64), signal| {
        let _ = killpg(Pid::from_raw(i32::try_from(*pid).unwrap_or(i32::MAX)), signal);
    };
    ends.retain(is_alive);
    ends.iter().for_each(|one| signal(one, Signal::SIGTERM));
    let patience = Instant::now() + GRACE;
    while ends.iter().any(is_alive) && Instant::now() < patience {
        std::thread::sleep(PAUSE);
    }
    ends.iter().filter(|one| is_alive(one)).for_each(|one| signal(one, Signal::SIGKILL));
    if kept.is_empty() {
        record.remove(RUNNING);
    } else {
        let _ = record.write(RUNNING, kept.as_bytes());
    }
}

/// Returns whether a process has ended and only waits for its parent to notice.
fn is_over(pid: u32) -> bool {
    if !processes::proc_is_own() {
        return false;
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab(words: &[&str]) -> Lab {
        let command = |word: &&str| Command {
            argv: vec![(*word).to_owned()],
            background: false,
            ready: None,
            within: Duration::from_secs(1),
            span: crate::lab::model::Span::default(),
        };
        let node = Node { name: "a".to_owned(), commands: words.iter().map(command).collect(), ..Node::default() };
        Lab { nodes: vec![node], ..Lab::default() }
    }

    #[test]
    fn commands_are_run_when_a_node_is_new_or_they_are_others() {
        assert_eq!(to_run(&lab(&["x"]), None, &[0]), [0]);
        assert_eq!(to_run(&lab(&[]), None, &[0]), Vec::<usize>::new());
        assert_eq!(to_run(&lab(&["x"]), Some(&lab(&["x"])), &[]), Vec::<usize>::new());
        assert_eq!(to_run(&lab(&["y"]), Some(&lab(&["x"])), &[]), [0]);
    }
}
