//! `vwire ls`: every network device in one table, in words.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use clap::{Arg, ArgAction, Command};
use vwire_netlink::{Qdisc, Socket};

use super::ip::{self, Failure, Persona, Tongue, recorded};
use super::talk::Talk;
use super::{Call, Verb};
use crate::lab::failed::{Failed, sentence};
use crate::lab::namespace::{self, Namespace, find};
use crate::out::devices;
use crate::out::{Layout, Printer};
use crate::snapshot::device::{Holding, NamespacePart, join};
use crate::snapshot::document::{self, Snapshot};
use crate::snapshot::read::{Other, holdings, read_namespace};

/// Returns the verb.
#[must_use]
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("ls")
        .about("Lists the network devices: what each is, how it is, and what it is joined to")
        .long_about(
            "Lists the network devices of this namespace, or with --all of every namespace that can be seen: what \
             each is, its state in words, its addresses, the bridge it is a port of, where the other end of a veth \
             is, and which process holds a TUN or TAP.\n\nHolders of other users and namespaces of other users are \
             seen by root alone; what could not be seen is said on standard error.",
        )
        .arg(Arg::new("all").short('a').long("all").action(ArgAction::SetTrue).help("All namespaces that can be seen"))
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("FILE")
                .value_parser(clap::value_parser!(std::ffi::OsString))
                .help("What a snapshot says, in the place of the kernel"),
        )
        .arg(Arg::new("json").short('j').long("json").action(ArgAction::SetTrue).help("One JSON document"))
        .arg(Arg::new("pretty").short('p').long("pretty").action(ArgAction::SetTrue).help("JSON with line breaks"))
}

fn run(call: &mut Call<'_>) -> u8 {
    let all = call.arguments.get_flag("all") || call.options.all;
    let json = call.arguments.get_flag("json") || call.options.json;
    let pretty = call.arguments.get_flag("pretty") || call.options.pretty;
    let from = call.arguments.get_one::<OsString>("from").or(call.options.from.as_ref()).cloned();
    let netns = call.options.netns.as_deref();
    let looked = match &from {
        Some(file) => recalled(file, netns),
        None => netns
            .map_or(Ok(()), namespace::enter)
            .map_err(|error| ip::enter_failure(&error).with_exit(1))
            .and_then(|()| live()),
    };
    let (seen, holdings) = match looked {
        Ok(looked) => looked,
        Err(failure) => {
            let _ = call.stderr.write_all(&ip::spelled(&failure, Tongue::new(Persona::Vwire, json)));
            return failure.exit();
        }
    };
    let shown = if all { seen.parts.len() } else { 1 };
    let tables: Vec<_> = (0..shown).map(|index| (&seen.parts[index], join(&seen.parts, index, &holdings))).collect();
    let written = if json {
        let mut p = Printer::new(Layout { json, pretty, ..Layout::default() });
        devices::print_json(&mut p, &tables, all);
        call.stdout.write_all(&p.take())
    } else {
        let terminal = io::stdout().is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let room = terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| usize::from(width.0));
        call.stdout.write_all(devices::text(&tables, all, colour, room).as_bytes())
    };
    let mut talk = Talk::new(call.stderr, call.form);
    if all {
        unseen_text(&seen.unseen).lines().for_each(|line| talk.says(line));
    }
    for part in &seen.parts[..shown] {
        part.missing.iter().for_each(|missing| talk.says(&format!("not seen: {}{missing}", prefix(&part.name))));
    }
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            talk.refuses(&Failed::new("cannot list the devices").because(&error), 1)
        }
        _ => 0,
    }
}

/// Says why something cannot be read, without the number.
pub(super) fn reason(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), sentence)
}

/// Says what could not be read and why: of other users' processes how many, else one reason a line, with at most a few of
/// the places.
pub(super) fn unseen_text(unseen: &[(String, String)]) -> String {
    const FEW: usize = 3;
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    let is_others = |place: &str, reason: &str| {
        let is_denied = reason == sentence(nix::libc::EACCES) || reason == sentence(nix::libc::EPERM);
        is_denied && place.strip_prefix("/proc/").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let others = unseen.iter().filter(|(place, reason)| is_others(place, reason)).count();
    for (place, reason) in unseen.iter().filter(|(place, reason)| !is_others(place, reason)) {
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, places)) => places.push(place),
            None => reasons.push((reason, vec![place])),
        }
    }
    let mut text = match others {
        0 => String::new(),
        1 => "not seen: the network of one process of another user, which root sees\n".to_owned(),
        many => format!("not seen: the networks of {many} processes of other users, which root sees\n"),
    };
    for (reason, places) in reasons {
        let named = places.iter().take(FEW).copied().collect::<Vec<_>>().join(", ");
        let more = match places.len().saturating_sub(FEW) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        text.push_str(&format!("not seen: {named}{more}: {reason}\n"));
    }
    text
}

fn prefix(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name}: ") }
}

/// The namespaces that were read, this one first, and those that were not.
pub(super) struct Looked {
    pub(super) parts: Vec<NamespacePart>,
    pub(super) unseen: Vec<(String, String)>,
}

fn live() -> Result<(Looked, Vec<Holding>), Failure> {
    match look() {
        Ok(seen) => Ok((seen, holdings())),
        Err(error) => {
            let mut cause = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(error) = source {
                cause.push_str(&format!(": {error}"));
                source = error.source();
            }
            Err(Failure::new(1, cause.clone(), cause).trying("cannot list the devices"))
        }
    }
}

pub(super) fn recalled(file: &OsStr, netns: Option<&OsStr>) -> Result<(Looked, Vec<Holding>), Failure> {
    let snapshot = recorded::read(file)?;
    let here = recorded::choose(&snapshot, file, netns)?;
    Ok((recall(&snapshot, here), snapshot.queues.iter().filter_map(holding).collect()))
}

/// Returns what a snapshot says, as if it were seen from one of its namespaces.
fn recall(snapshot: &Snapshot, here: &document::Namespace) -> Looked {
    let part = |namespace: &document::Namespace| {
        part_of(namespace, if std::ptr::eq(namespace, here) { String::new() } else { label(namespace) })
    };
    let others = snapshot.namespaces.iter().filter(|namespace| !std::ptr::eq(*namespace, here));
    let missing = snapshot.missing.iter();
    let unseen = missing.flat_map(|missing| missing.what.iter().map(|what| (what.to_string(), missing.why.clone())));
    Looked { parts: std::iter::once(here).chain(others).map(part).collect(), unseen: unseen.collect() }
}

/// Returns what a snapshot says of one namespace, which gets this name.
pub(super) fn part_of(namespace: &document::Namespace, name: String) -> NamespacePart {
    NamespacePart {
        name,
        // One that only an id stands for has no inode; no holder and no other end is looked for there.
        inode: namespace.inode.unwrap_or_default(),
        links: namespace.state.links.clone(),
        addresses: namespace.state.addresses.clone(),
        ids: namespace.ids.iter().filter_map(|other| Some((other.id, other.inode?))).collect(),
        missing: namespace.state.lacks().collect(),
    }
}

/// Returns what a namespace is called that is not the one looked from, which the snapshot may call "this one".
fn label(namespace: &document::Namespace) -> String {
    let process = namespace.process.as_ref().map(|process| format!("pid {} ({})", process.pid, process.command));
    match namespace.names.first() {
        Some(name) => name.to_string(),
        None if namespace.here => process.unwrap_or_else(|| namespace.label.to_string()),
        None => namespace.label.to_string(),
    }
}

fn holding(queue: &document::Queue) -> Option<Holding> {
    Some(Holding {
        device: queue.link.as_bytes().to_vec(),
        namespace: queue.namespace?,
        pid: queue.pid,
        command: queue.command.clone(),
    })
}

/// Reads every namespace that can be seen: the other end of a veth may be in any of them.
pub(super) fn look() -> Result<Looked, vwire_netlink::OpenError> {
    let seen = find::all();
    let mut unseen: Vec<(String, String)> =
        seen.unreadable.iter().map(|place| (place.path.display().to_string(), reason(&place.source))).collect();
    let mut opened: Vec<(String, Namespace)> = Vec::new();
    for found in &seen.namespaces {
        let name = if found.is_here() { String::new() } else { found.to_string() };
        match found.open() {
            Ok(namespace) => opened.push((name, namespace)),
            Err(error) => unseen.push((found.to_string(), reason(&error))),
        }
    }
    let others: Vec<Other<'_>> = opened
        .iter()
        .map(|(_, namespace)| Other { inode: namespace.identity().ino, handle: namespace.as_fd() })
        .collect();
    let mut parts = Vec::new();
    for (name, opened) in &opened {
        let inode = opened.identity().ino;
        if name.is_empty() {
            parts.insert(0, read_namespace(&mut Socket::open()?, name.clone(), inode, &others));
            continue;
        }
        let read = namespace::run_in(opened, || {
            Socket::open().map(|mut socket| read_namespace(&mut socket, name.clone(), inode, &others))
        });
        match read {
            Ok(Ok(part)) => parts.push(part),
            Ok(Err(error)) => unseen.push((name.clone(), reason(&error.source))),
            Err(error) => unseen.push((name.clone(), error.to_string())),
        }
    }
    Ok(Looked { parts, unseen })
}

/// Reads the queueing disciplines of every namespace that can be seen, or of those of a lab and this one, by their inodes.
pub(super) fn qdiscs(lab: Option<&str>) -> BTreeMap<u64, Vec<Qdisc>> {
    let is_meant = |found: &find::Found| {
        let of_lab = |lab: &str| found.to_string().strip_prefix(lab).is_some_and(|rest| rest.starts_with('.'));
        found.is_here() || lab.is_none_or(of_lab)
    };
    let read = || Socket::open().ok()?.qdiscs(&Qdisc::default()).ok();
    let of = |found: &find::Found| {
        let own = match found.is_here() {
            true => read(),
            false => found.open().and_then(|namespace| namespace::run_in(&namespace, read)).ok().flatten(),
        };
        Some((found.identity.ino, own?))
    };
    find::all().namespaces.iter().filter(|found| is_meant(found)).filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::unseen_text;

    #[test]
    fn what_was_not_seen_is_said_once_a_reason() {
        let denied = |pid: u32| (format!("/proc/{pid}/ns/net"), "Permission denied".to_owned());
        let bad = ["blue", "green", "red", "white", "/run/netns"].map(|name| (name.to_owned(), "Bad".to_owned()));
        let unseen: Vec<_> = (1..=90).map(denied).chain(bad).collect();
        let wanted = "not seen: the networks of 90 processes of other users, which root sees\n\
                      not seen: blue, green, red and 2 more: Bad\n";
        assert_eq!(unseen_text(&unseen), wanted);
    }
}
