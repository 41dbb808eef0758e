//! `vwire check`: whether what a lab's file expects holds.

use std::ffi::OsString;
use std::io::Write;

use clap::{Arg, ArgAction, Command, value_parser};

use super::inside::go_in;
use super::lab_file::{REFUSED, Teller, find_lab, lab_named};
use super::talk::Talk;
use super::{Call, Verb};
use crate::lab::engine::Listener;
use crate::lab::engine::survey::applied;
use crate::lab::failed::Failed;
use crate::lab::keeper::Stay;
use crate::lab::model::Lab;
use crate::lab::record::Record;
use crate::out::json::JsonWriter;
use crate::out::table::{Cell, Table, Tone};
use crate::trial;

/// Returns the verb.
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("check")
        .about("Try whether what a lab's file expects holds: who reaches whom, packets of which size, how fast")
        .long_about(
            "Try whether what a lab's file expects holds, as the lab is now.\n\n\
             Exit codes: 0 all holds; 1 something does not, or the lab is not up; 2 the command line is wrong.",
        )
        .arg(
            Arg::new("which")
                .value_name("FILE|LAB")
                .help("The lab's file, or its name; without, the lab that is up")
                .value_parser(value_parser!(OsString)),
        )
        .arg(Arg::new("json").short('j').long("json").action(ArgAction::SetTrue).help("One JSON document"))
}

fn run(call: &mut Call<'_>) -> u8 {
    let mut talk = Talk::new(call.stderr, call.form);
    let labs = match go_in(Stay::Verb, &mut talk) {
        Ok(labs) => labs,
        Err(exit) => return exit,
    };
    let found = match call.arguments.remove_one::<OsString>("which") {
        Some(word) => {
            lab_named(&word, &mut talk).and_then(|found| labs.refuse_roots(&found.0, &mut talk).map(|()| found))
        }
        None => find_lab(&mut call.arguments, "", &labs, &mut talk).map(|(name, _)| (name, None)),
    };
    let (name, lab) = match found {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let Some(lab) = lab.map(|loaded| loaded.lab).or_else(|| applied(&Record::of(&name))) else {
        let failed = Failed::new(format!("lab `{name}` is not up")).hint("`vwire up FILE` brings it up");
        return talk.refuses(&failed, REFUSED);
    };
    let mut stderr = std::io::stderr();
    checked(&lab, call.form.json, call.stdout, &mut Teller::of_onlooker(&mut stderr, call.form.json))
}

/// Tries all checks of a lab and tells what came of them; returns the exit code.
pub(super) fn checked(lab: &Lab, json: bool, stdout: &mut dyn Write, teller: &mut Teller<'_>) -> u8 {
    let results = trial::all_telling(lab, &mut |done| teller.progress("checks", done, lab.checks.len()));
    teller.end();
    let failed = results.iter().filter(|result| result.is_err()).count();
    let text = if json { document(lab, &results) } else { people(lab, &results).into_bytes() };
    let _ = stdout.write_all(&text);
    u8::from(failed > 0)
}

fn people(lab: &Lab, results: &[Result<String, String>]) -> String {
    use std::io::IsTerminal;
    let terminal = std::io::stdout().is_terminal();
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut table = Table { headings: vec!["CHECK".into(), "HOLDS".into(), "SEEN".into()], ..Table::default() };
    for (check, result) in lab.checks.iter().zip(results) {
        let (holds, seen, tone) = match result {
            Ok(seen) => ("yes", seen, Tone::Good),
            Err(seen) => ("NO", seen, Tone::Attention),
        };
        table.rows.push(vec![Cell::line(check.words.clone()), Cell::line(holds).toned(tone), Cell::line(seen.clone())]);
    }
    let failed = results.iter().filter(|result| result.is_err()).count();
    let all = results.len();
    let end = match (all, failed) {
        (0, _) => "the file has no checks\n".to_owned(),
        (1, 0) => "the one check holds\n".to_owned(),
        (1, _) => "the one check does not hold\n".to_owned(),
        (_, 0) => format!("all {all} checks hold\n"),
        (_, 1) => format!("1 of {all} checks does not hold\n"),
        _ => format!("{failed} of {all} checks do not hold\n"),
    };
    if all == 0 { end } else { table.render(colour, None) + &end }
}

fn document(lab: &Lab, results: &[Result<String, String>]) -> Vec<u8> {
    let (mut json, mut out) = (JsonWriter::new(false), Vec::new());
    json.open_array(&mut out);
    for (check, result) in lab.checks.iter().zip(results) {
        json.open_object(&mut out);
        json.name(&mut out, "check");
        json.string(&mut out, check.words.as_bytes());
        json.name(&mut out, "holds");
        json.literal(&mut out, if result.is_ok() { "true" } else { "false" });
        json.name(&mut out, "seen");
        json.string(&mut out, result.as_ref().unwrap_or_else(|seen| seen).as_bytes());
        json.close_object(&mut out);
    }
    json.close_array(&mut out);
    out.push(b'\n');
    out
}
