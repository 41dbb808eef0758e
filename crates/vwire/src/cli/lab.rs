//! `vwire lab`: which labs are up, and what a lab's file may hold, for editors.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, Command};

use super::lab_file::counted;
use super::talk::Talk;
use super::{Call, Verb};
use crate::lab::engine::confirm;
use crate::lab::failed::Failed;
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
        .subcommand(Command::new("schema").about("Prints the JSON Schema of lab files").long_about(
            "Prints the JSON Schema (2020-12) of lab files to standard output. An editor that knows TOML completes \
             keys and marks mistakes by it: save it beside your labs, and begin a file with `#:schema ./lab.schema.json`.",
        ))
}

fn run(call: &mut Call<'_>) -> u8 {
    if let Some(arguments) = call.arguments.subcommand_matches("ls") {
        let json = arguments.get_flag("json") || call.options.json;
        let labs = listed();
        let text = if json { document(&labs) } else { people(&labs).into_bytes() };
        let _ = call.stdout.write_all(&text);
        return 0;
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
fn listed() -> BTreeMap<String, Vec<String>> {
    let mut labs: BTreeMap<String, Vec<String>> = Record::labs().into_iter().map(|lab| (lab, Vec::new())).collect();
    for name in named::names().unwrap_or_default() {
        let name = name.to_string();
        if let Some((lab, node)) = name.split_once('.')
            && let Some(nodes) = labs.get_mut(lab)
        {
            nodes.push(node.to_owned());
        }
    }
    labs.values_mut().for_each(|nodes| nodes.sort());
    labs
}

fn people(labs: &BTreeMap<String, Vec<String>>) -> String {
    /// How many nodes are named before the rest is counted.
    const FEW: usize = 8;
    let mut text = String::new();
    for (lab, nodes) in labs {
        let named = nodes.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ");
        let more = nodes.len().saturating_sub(FEW);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let waits = match confirm::left(&Record::of(lab)) {
            None => String::new(),
            Some(left) if left.is_zero() => format!("; was not confirmed in time: `vwire confirm --undo {lab}`"),
            Some(left) => format!("; waits to be confirmed, for {} more", confirm::told(left)),
        };
        text.push_str(&format!("{lab}: {}: {named}{more}{waits}\n", counted(nodes.len())));
    }
    text
}

fn document(labs: &BTreeMap<String, Vec<String>>) -> Vec<u8> {
    let (mut json, mut out) = (JsonWriter::new(false), Vec::new());
    json.open_array(&mut out);
    for (lab, nodes) in labs {
        json.open_object(&mut out);
        json.name(&mut out, "lab");
        json.string(&mut out, lab.as_bytes());
        json.name(&mut out, "nodes");
        json.open_array(&mut out);
        nodes.iter().for_each(|node| json.string(&mut out, node.as_bytes()));
        json.close_array(&mut out);
        if let Some(left) = confirm::left(&Record::of(lab)) {
            json.name(&mut out, "confirm_within_secs");
            json.literal(&mut out, &left.as_secs().to_string());
        }
        json.close_object(&mut out);
    }
    json.close_array(&mut out);
    out.push(b'\n');
    out
}
