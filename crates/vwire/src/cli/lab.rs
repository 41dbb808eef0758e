//! `vwire lab`: which labs are up, and what a lab's file may hold, for editors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command, value_parser};

use super::inside::{become_keeper, go_in};
use super::talk::Talk;
use super::{Call, Verb};
use crate::lab::engine::confirm;
use crate::lab::engine::journal::Journal;
use crate::lab::engine::survey::{HOST, applied};
use crate::lab::failed::Failed;
use crate::lab::graph::{Counted, natural, of_lab};
use crate::lab::keeper::Stay;
use crate::lab::namespace::named;
use crate::lab::record::Record;
use crate::lab::schema;
use crate::out::json::JsonWriter;

/// Returns the verb.
#[must_use]
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("lab")
        .about("Lists the labs that are up, or prints the JSON Schema of lab files")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("ls")
                .about("Lists the labs that are up, and their nodes")
                .arg(Arg::new("json").short('j').long("json").action(ArgAction::SetTrue).help("One JSON document")),
        )
        .subcommand(
            Command::new("keep").hide(true).about("Becomes the process that keeps the labs of an ordinary user").arg(
                Arg::new("directory")
                    .value_name("DIRECTORY")
                    .help("Where it is found")
                    .required(true)
                    .value_parser(value_parser!(PathBuf)),
            ),
        )
        .subcommand(Command::new("schema").about("Prints the JSON Schema of lab files").long_about(
            "Prints the JSON Schema (2020-12) of lab files to standard output. An editor that knows TOML completes \
             keys and marks mistakes by it: save it beside your labs, and begin a file with `#:schema ./lab.schema.json`.",
        ))
}

fn run(call: &mut Call<'_>) -> u8 {
    if let Some(arguments) = call.arguments.subcommand_matches("ls") {
        let json = arguments.get_flag("json") || call.options.json;
        let own = match go_in(Stay::Verb, &mut Talk::new(call.stderr, call.form)) {
            Ok(own) => own,
            Err(exit) => return exit,
        };
        let labs = Listed { own: if own.may_be() { listed() } else { BTreeMap::new() }, roots: own.roots() };
        let text = if json { labs.document() } else { labs.people().into_bytes() };
        let _ = call.stdout.write_all(&text);
        return 0;
    }
    if let Some(arguments) = call.arguments.subcommand_matches("keep") {
        return become_keeper(arguments.get_one::<PathBuf>("directory").map_or(Path::new(""), PathBuf::as_path));
    }
    match writeln!(call.stdout, "{:#}", schema::schema()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let failed = Failed::new("cannot write the schema").because(&error);
            Talk::new(call.stderr, call.form).refuses(&failed, 1)
        }
        _ => 0,
    }
}

/// Returns the labs that are up, by name, with their nodes: those that have a record, and the namespaces named after them.
pub(super) fn listed() -> BTreeMap<String, Vec<String>> {
    let mut labs: BTreeMap<String, Vec<String>> = Record::labs().into_iter().map(|lab| (lab, Vec::new())).collect();
    for name in named::names().unwrap_or_default() {
        let name = name.to_string();
        if let Some((lab, node)) = name.split_once('.')
            && let Some(nodes) = labs.get_mut(lab)
        {
            nodes.push(node.to_owned());
        }
    }
    for (lab, nodes) in &mut labs {
        // The machine itself has no name.
        let has_host = applied(&Record::of(lab)).is_some_and(|lab| lab.nodes.iter().any(|node| node.is_host));
        nodes.extend(has_host.then(|| HOST.to_owned()));
    }
    labs.values_mut().for_each(|nodes| nodes.sort_by_key(|node| natural(node)));
    labs
}

/// The labs that are told of.
struct Listed<'a> {
    own: BTreeMap<String, Vec<String>>,
    /// Root's, which an ordinary user can see, and not enter.
    roots: &'a BTreeMap<String, Vec<String>>,
}

impl Listed<'_> {
    fn people(&self) -> String {
        let mut text = String::new();
        for (lab, nodes) in &self.own {
            let waits = match confirm::left(&Record::of(lab)) {
                None if Journal::is_unfinished(&Record::of(lab)) => "; a run on it did not end".to_owned(),
                None => String::new(),
                Some(left) if left.is_zero() => format!("; was not confirmed in time: `vwire confirm --undo {lab}`"),
                Some(left) => format!("; waits to be confirmed, for {} more", confirm::told(left)),
            };
            text.push_str(&format!("{lab}: {}{waits}\n", enumerated(lab, nodes)));
        }
        for (lab, nodes) in self.roots {
            text.push_str(&format!("{lab}: {}; root's\n", enumerated(lab, nodes)));
        }
        text
    }

    fn document(&self) -> Vec<u8> {
        let (mut json, mut out) = (JsonWriter::new(false), Vec::new());
        json.open_array(&mut out);
        let own = self.own.iter().map(|one| (one, false));
        for ((lab, nodes), is_roots) in own.chain(self.roots.iter().map(|one| (one, true))) {
            json.open_object(&mut out);
            json.name(&mut out, "lab");
            json.string(&mut out, lab.as_bytes());
            json.name(&mut out, "nodes");
            json.open_array(&mut out);
            nodes.iter().for_each(|node| json.string(&mut out, node.as_bytes()));
            json.close_array(&mut out);
            if is_roots {
                json.name(&mut out, "owner");
                json.string(&mut out, b"root");
            } else if let Some(left) = confirm::left(&Record::of(lab)) {
                json.name(&mut out, "confirm_within_secs");
                json.literal(&mut out, &left.as_secs().to_string());
            }
            json.close_object(&mut out);
        }
        json.close_array(&mut out);
        out.push(b'\n');
        out
    }
}

/// Says how much there is, and the names of the first nodes.
fn enumerated(lab: &str, nodes: &[String]) -> String {
    /// How many nodes are named before the rest is counted.
    const FEW: usize = 8;
    let named = nodes.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ");
    let more = nodes.len().saturating_sub(FEW);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    // What nobody but its owner may read is counted by what is seen of it.
    let seen = || Counted { nodes: nodes.len(), ..Counted::default() };
    let counted = applied(&Record::of(lab)).as_ref().map_or_else(seen, of_lab::counted);
    if named.is_empty() { counted.to_string() } else { format!("{counted}: {named}{more}") }
}
