//! `vwire plan`: what `vwire up` would change.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};

use super::inside::{go_in, refuse_the_machine};
use super::lab_file::{DIFFERS, Loaded, REFUSED, file_argument, load, settle};
use super::talk::{Talk, fitted};
use super::{Call, Verb, sandbox};
use crate::lab::engine::survey::look;
use crate::lab::keeper::Stay;
use crate::lab::namespace::Sandbox;
use crate::lab::plan::Line;
use crate::out::json::JsonWriter;

/// Returns the verb.
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("plan")
        .about("Show what `vwire up` would change: what comes (+), what becomes another (~), what goes (-)")
        .long_about(
            "Show what `vwire up` would change, and change nothing: what comes (+), what becomes another (~), what goes \
             (-), node by node, in ip's words.\n\n\
             Exit codes: 0 nothing would change; 3 something would; 1 it cannot be told, or could not be done; \
             2 the command line is wrong.",
        )
        .arg(file_argument())
        .arg(Arg::new("json").short('j').long("json").action(ArgAction::SetTrue).help("One JSON document"))
        .arg(Arg::new("pretty").short('p').long("pretty").action(ArgAction::SetTrue).help("JSON with line breaks"))
}

fn run(call: &mut Call<'_>) -> u8 {
    let path: PathBuf = call.arguments.remove_one("file").unwrap_or_default();
    let mut talk = Talk::new(call.stderr, call.form);
    let loaded = match load(&path, &mut talk) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    if let Err(exit) = go_in_or_try(&loaded, &mut talk) {
        return exit;
    }
    settle(&loaded.lab.name, &mut talk);
    let (survey, lab) = match look(&loaded.lab) {
        Ok(survey) => survey,
        Err(failed) => return talk.fails(&failed, Some(&loaded)),
    };
    let lines = survey.plan.lines(&lab, &survey.names(&lab));
    let json = call.form.json;
    let pretty = call.arguments.get_flag("pretty") || call.options.pretty;
    let text = if json { document(&loaded.lab.name, &lines, pretty) } else { fitted(&people(&lines)).into_bytes() };
    let _ = call.stdout.write_all(&text);
    if survey.plan.is_empty() { 0 } else { DIFFERS }
}

/// Goes to where the caller's labs are; where there are none, into a network that is gone afterwards, in which all is missing.
fn go_in_or_try(loaded: &Loaded, talk: &mut Talk<'_>) -> Result<(), u8> {
    refuse_the_machine(&loaded.lab).map_err(|failed| talk.fails(&failed, Some(loaded)))?;
    if go_in(Stay::Verb, talk)?.may_be() {
        return Ok(());
    }
    Sandbox::enter().map(drop).map_err(|error| talk.refuses(&sandbox::refused(&error), REFUSED))
}

/// Lays the lines out for people: each node's name once, its changes below.
fn people(lines: &[Line]) -> String {
    let mut text = String::new();
    let mut node = None;
    for line in lines {
        if node != Some(&line.node) {
            text.push_str(&format!("{}\n", line.node));
            node = Some(&line.node);
        }
        let why = line.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        text.push_str(&format!("  {} {}{why}\n", line.sign.letter(), line.words));
    }
    text
}

fn document(lab: &str, lines: &[Line], pretty: bool) -> Vec<u8> {
    JsonWriter::document(pretty, |json, out| {
        json.text(out, "lab", lab);
        json.list(out, "changes", lines, |json, out, line| {
            let facts = [("node", line.node.as_str()), ("change", line.sign.word()), ("words", &line.words)];
            let why = line.why.iter().map(|why| ("why", why.as_str()));
            facts.into_iter().chain(why).for_each(|(name, value)| json.text(out, name, value));
        });
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::plan::Sign;

    fn line(sign: Sign, node: &str, words: &str) -> Line {
        Line { sign, node: node.to_owned(), words: words.to_owned(), why: None }
    }

    #[test]
    fn each_node_is_named_once() {
        let lines = [line(Sign::Add, "a", "x"), line(Sign::Change, "a", "y"), line(Sign::Delete, "b", "z")];
        assert_eq!(people(&lines), "a\n  + x\n  ~ y\nb\n  - z\n");
    }

    #[test]
    fn programs_get_words_for_signs() {
        let text = document("office", &[line(Sign::Delete, "b", "z")], false);
        let wanted = r#"{"lab":"office","changes":[{"node":"b","change":"delete","words":"z"}]}"#;
        assert_eq!(String::from_utf8(text).unwrap(), format!("{wanted}\n"));
    }
}
