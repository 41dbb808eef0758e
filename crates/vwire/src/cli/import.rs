//! `vwire import`: namespaces as they are, written as a lab's file.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;

use clap::{Arg, ArgAction, Command};
use vwire_netlink::wire::nft::{Chain, Rule};
use vwire_netlink::{Create, Link, Qdisc, Request, Socket};

use super::inside::go_in_for;
use super::ip::{Failure, recorded};
use super::lab_file::REFUSED;
use super::talk::Talk;
use super::{Call, Verb, ls};
use crate::lab::engine::Done;
use crate::lab::engine::survey::HOST;
use crate::lab::failed::Failed;
use crate::lab::file::{self, unit};
use crate::lab::graph::natural;
use crate::lab::import::{self, SAMPLE, Seen};
use crate::lab::namespace::find::{self, Found};
use crate::lab::namespace::walk::{Walker, walk};
use crate::lab::namespace::{self, Namespace};
use crate::snapshot::device::NamespacePart;
use crate::snapshot::document;
use crate::snapshot::read::{Counters, Other, read_namespace, read_whole};
use crate::snapshot::state::State;
use crate::snapshot::sysctl::Sysctls;

/// `NETLINK_NETFILTER`.
const NETFILTER: i32 = 12;

/// Returns the verb.
#[must_use]
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("import")
        .about("Writes namespaces as they are as a lab's file")
        .long_about(
            "Writes to standard output a lab's file that describes network namespaces as they are: those that are \
             named, or all that have a name and this one. What a file cannot say is told in remarks at its end. `vwire --from \
             FILE import` writes what a snapshot says.",
        )
        .arg(
            Arg::new("namespace").value_name("NAMESPACE").action(ArgAction::Append).help("A name as `ip netns` has it"),
        )
        .arg(Arg::new("name").long("name").value_name("LAB").default_value("imported").help("What the lab is called"))
}

/// What was read of one namespace.
struct Part {
    part: NamespacePart,
    state: State,
    qdiscs: Vec<Qdisc>,
    chains: Vec<Chain>,
    rules: Vec<Rule>,
}

impl Part {
    fn seen<'a>(&'a self, usual: &'a Sysctls) -> Seen<'a> {
        let Self { part, state, qdiscs, chains, rules } = self;
        Seen { part, state, qdiscs, chains, rules, usual }
    }
}

fn run(call: &mut Call<'_>) -> u8 {
    let wanted: Option<Vec<String>> = call.arguments.remove_many("namespace").map(Iterator::collect);
    let lab = call.arguments.remove_one::<String>("name").unwrap_or_default();
    let mut talk = Talk::new(call.stderr, call.form);
    if file::read(&format!("name = {lab:?}"), "--name").is_err() || lab.len() > unit::LONGEST_LAB {
        let failed = Failed::new(format!("`{lab}` cannot be a lab's name")).hint("letters, digits, `-` and `_`");
        return talk.refuses(&failed, 2);
    }
    let from = call.options.from.clone();
    let namespaces = wanted.iter().flatten().map(|name| OsStr::new(name.as_str()));
    if from.is_none()
        && let Err(exit) = go_in_for(namespaces, &mut talk)
    {
        return exit;
    }
    let looked = match &from {
        Some(file) => recalled(file, wanted.as_deref()).map_err(|failure| talk.complains(&failure)),
        None => look(wanted.as_deref()).map_err(|failed| talk.refuses(&failed, REFUSED)),
    };
    let parts = match looked {
        Ok(parts) => parts,
        Err(exit) => return exit,
    };
    // Without the privilege to make a namespace nothing is known of a new one, and no sysctl is taken for changed.
    let usual = usual().unwrap_or_default();
    let seen: Vec<Seen<'_>> = parts.iter().map(|part| part.seen(&usual)).collect();
    let unread = if from.is_some() { "translations, filters and conditions of wires: a snapshot has none" } else { "" };
    let text = import::write(&lab, &seen, unread);
    if let Err(error) = call.stdout.write_all(text.as_bytes())
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        return talk.refuses(&Failed::new("cannot write the file").because(&error), REFUSED);
    }
    // What cannot be read back is better told now than by `up`.
    let Err(problems) = file::read(&text, "the file that was written") else { return 0 };
    talk.shows(&problems);
    REFUSED
}

/// Reads the namespaces of these names, or all that have one and this one.
fn look(wanted: Option<&[String]>) -> Done<Vec<Part>> {
    let mut opened: Vec<(String, Namespace)> = Vec::new();
    match wanted {
        Some(names) => {
            for name in names {
                let path = namespace::path_of(std::ffi::OsStr::new(name));
                let open = Namespace::open(&path);
                opened.push((name.clone(), open.map_err(|error| told(name, &error))?));
            }
        }
        None => {
            let is_named = |found: &Found| found.places.iter().any(|place| matches!(place, find::Place::Named(_)));
            for found in find::all().namespaces.into_iter().filter(|found| found.is_here() || is_named(found)) {
                let name = if found.is_here() { String::new() } else { found.to_string() };
                opened.extend(found.open().ok().map(|namespace| (name, namespace)));
            }
        }
    }
    opened.sort_by_key(|(name, _)| natural(name));
    let others: Vec<(u64, &Namespace)> = opened.iter().map(|(_, of)| (of.identity().ino, of)).collect();
    let mut parts = Vec::new();
    for (name, of) in &opened {
        let inode = of.identity().ino;
        let read = namespace::run_in(of, || read(name, inode, &others));
        parts.push(read.map_err(|error| told(name, &error))?.map_err(|error| told(name, &error))?);
    }
    Ok(parts)
}

/// Takes the namespaces of these names from a snapshot, or all that have one and that it was taken in.
fn recalled(file: &OsStr, wanted: Option<&[String]>) -> Result<Vec<Part>, Failure> {
    let snapshot = recorded::read(file)?;
    let chosen: Vec<&document::Namespace> = match wanted {
        Some(names) => {
            let choose = |name: &String| recorded::choose(&snapshot, file, Some(OsStr::new(name)));
            names.iter().map(choose).collect::<Result<_, _>>()?
        }
        None => snapshot.namespaces.iter().filter(|one| one.here || !one.names.is_empty()).collect(),
    };
    let part = |namespace: &document::Namespace| {
        let name = if namespace.here { String::new() } else { namespace.label.to_string() };
        if let Some(missing) = namespace.state.missing.first() {
            let cause = format!("the snapshot lacks {missing}");
            return Err(Failure::new(REFUSED, "", cause).trying(format!("cannot write `{}`", namespace.label)));
        }
        let state = namespace.state.clone();
        let part = ls::part_of(namespace, name);
        Ok(Part { part, state, qdiscs: Vec::new(), chains: Vec::new(), rules: Vec::new() })
    };
    let mut parts = chosen.into_iter().map(part).collect::<Result<Vec<_>, _>>()?;
    parts.sort_by_key(|part| natural(&part.part.name));
    Ok(parts)
}

fn told(name: &str, error: &io::Error) -> Failed {
    let failed = Failed::new(format!("cannot read namespace `{name}`")).because(error);
    match name {
        HOST => failed.hint("the machine itself is imported where no namespace is named: `vwire import`"),
        _ => failed,
    }
}

fn read(name: &str, inode: u64, others: &[(u64, &Namespace)]) -> io::Result<Part> {
    let mut socket = Socket::open().map_err(io::Error::other)?;
    let others: Vec<Other<'_>> = others.iter().map(|(inode, of)| Other { inode: *inode, handle: of.as_fd() }).collect();
    let part = read_namespace(&mut socket, name.to_owned(), inode, &others);
    let state = read_whole(&mut socket, Counters::Left);
    if let Some(missing) = state.lacks().next() {
        return Err(io::Error::other(missing));
    }
    let qdiscs = socket.qdiscs(&Qdisc::default()).map_err(io::Error::other)?;
    let (mut chains, mut rules) = (Vec::new(), Vec::new());
    // A kernel without nftables has neither.
    if let Ok(mut tables) = Socket::with_protocol(NETFILTER) {
        chains = tables.dump_bodies(&Chain::default().to_dump()).unwrap_or_default();
        rules = tables.dump_bodies(&Rule::default().to_dump()).unwrap_or_default();
    }
    Ok(Part { part, state, qdiscs, chains, rules })
}

/// Reads the sysctls of a new namespace with one cable in it, which is gone afterwards.
fn usual() -> Option<Sysctls> {
    let read = |walker: &mut Walker| {
        walker.make().ok()?;
        let mut socket = Socket::open().ok()?;
        let mut link = Link::named(SAMPLE.parse().ok()?);
        link.set_kind("veth", None);
        socket.request(&Request::new_link(&link, Create::Exclusive)).ok()?;
        Some(read_whole(&mut socket, Counters::Left).sysctls)
    };
    walk(read).ok().flatten()
}
