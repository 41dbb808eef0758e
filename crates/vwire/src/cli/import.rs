//! `vwire import`: namespaces as they are, written as a lab's file.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;

use clap::{Arg, ArgAction, Command};
use vwire_netlink::wire::nft::{Chain, Rule};
use vwire_netlink::{Create, Link, Qdisc, Request, Socket};

use super::inside::go_in_for;
use super::lab_file::REFUSED;
use super::{Call, Verb};
use crate::lab::file::{self, unit};
use crate::lab::graph::natural;
use crate::lab::import::{self, SAMPLE, Seen};
use crate::lab::namespace::walk::{Walker, walk};
use crate::lab::namespace::{self, Namespace, find};
use crate::snapshot::device::NamespacePart;
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
             named, or all that have a name and this one. What a file cannot say is told in remarks at its end.",
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
    if file::read(&format!("name = {lab:?}"), "--name").is_err() || lab.len() > unit::LONGEST_LAB {
        let _ = writeln!(call.stderr, "error: `{lab}` cannot be a lab's name\nhint: letters, digits, `-` and `_`");
        return 2;
    }
    let namespaces = wanted.iter().flatten().map(|name| OsStr::new(name.as_str()));
    if let Err(exit) = go_in_for(namespaces, call.stderr) {
        return exit;
    }
    let parts = match look(wanted.as_deref()) {
        Ok(parts) => parts,
        Err(error) => {
            let _ = writeln!(call.stderr, "error: {error}");
            return REFUSED;
        }
    };
    // Without the privilege to make a namespace nothing is known of a new one, and no sysctl is taken for changed.
    let usual = usual().unwrap_or_default();
    let seen: Vec<Seen<'_>> = parts.iter().map(|part| part.seen(&usual)).collect();
    let text = import::write(&lab, &seen);
    // What cannot be read back is better told now than by `up`.
    if let Err(problems) = file::read(&text, "imported.toml") {
        for problem in problems {
            let _ = call.stderr.write_all(problem.render(false, 100).as_bytes());
        }
    }
    match call.stdout.write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(call.stderr, "error: cannot write the file: {error}");
            REFUSED
        }
        _ => 0,
    }
}

/// Reads the namespaces of these names, or all that have one and this one.
fn look(wanted: Option<&[String]>) -> io::Result<Vec<Part>> {
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
            for found in find::all().namespaces {
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

fn told(name: &str, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("cannot read namespace `{name}`: {error}"))
}

fn read(name: &str, inode: u64, others: &[(u64, &Namespace)]) -> io::Result<Part> {
    let mut socket = Socket::open().map_err(io::Error::other)?;
    let others: Vec<Other<'_>> = others.iter().map(|(inode, of)| Other { inode: *inode, handle: of.as_fd() }).collect();
    let part = read_namespace(&mut socket, name.to_owned(), inode, &others);
    let state = read_whole(&mut socket, Counters::Left);
    if let Some(missing) = state.missing.first() {
        return Err(io::Error::other(missing.clone()));
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
