//! `vwire try`: a lab up, checked and down again in one go.

use std::path::PathBuf;

use clap::Command;

use super::inside::go_in_to_build;
use super::lab_file::{Teller, file_argument, load};
use super::talk::Talk;
use super::{Call, Verb, check, graph};
use crate::lab::engine::down::down;
use crate::lab::engine::survey::{APPLIED, look};
use crate::lab::engine::up::{Outcome, up};
use crate::lab::engine::{Done, Listener, Silent};
use crate::lab::failed::Failed;
use crate::lab::graph::of_lab;
use crate::lab::model::Lab;
use crate::lab::record::Record;

/// Returns the verb.
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("try")
        .about("Bring a lab up, try its checks, draw it, and take it down, in one go")
        .long_about(
            "Bring a lab up, try its checks, draw it, and take it down, whatever came of them; Ctrl-C takes it down, too. \
             A lab that is up as the file says is checked, and stays up; one that differs is refused. `vwire -j try` tells the checks as JSON, and draws \
             nothing.\n\n\
             Exit codes: 0 all checks hold; 1 one does not, or the lab does not come up; 2 the command line is wrong; \
             130 Ctrl-C, 143 SIGTERM.",
        )
        .arg(file_argument())
}

fn run(call: &mut Call<'_>) -> u8 {
    let path: PathBuf = call.arguments.remove_one("file").unwrap_or_default();
    let mut talk = Talk::new(call.stderr, call.form);
    let loaded = match load(&path, &mut talk) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    if let Err(exit) = go_in_to_build(&loaded, &mut talk) {
        return exit;
    }
    if let Err(failed) = is_as_it_is(&loaded.lab) {
        return talk.fails(&failed, Some(&loaded));
    }
    let mut stderr = std::io::stderr();
    let mut teller = Teller::new(&mut stderr, talk.is_json());
    let done = up(loaded.order(), &mut teller);
    teller.end();
    let was_up = match done {
        Ok(outcome) => outcome == Outcome::Unchanged,
        Err(failed) => return talk.fails(&failed, Some(&loaded)),
    };
    let mut exit = 0;
    if teller.asks_to_end().is_none() {
        exit = check::checked(&loaded.lab, call.options.json, call.stdout, &mut teller);
        if !call.options.json {
            let drawn = graph::as_text(&of_lab::picture(&loaded.lab));
            let _ = call.stdout.write_all(format!("\n{drawn}").as_bytes());
        }
    }
    let signal = teller.asks_to_end();
    if !was_up && let Err(failed) = down(&loaded.lab.name, Some(loaded.order()), &mut Silent) {
        return talk.fails(&failed, Some(&loaded));
    }
    if !was_up && signal.is_none() {
        teller.done(&[format!("{} was up, and is down again", loaded.lab.name)]);
    }
    signal.map_or(exit, |signal| talk.fails(&Failed::interrupted(signal), Some(&loaded)))
}

/// Sees to it that a lab which is up is as the file says: what somebody works with is neither changed nor taken down.
fn is_as_it_is(lab: &Lab) -> Done<()> {
    if Record::of(&lab.name).read(APPLIED).is_none() || look(lab)?.0.plan.is_empty() {
        return Ok(());
    }
    let name = &lab.name;
    let failed = Failed::new(format!("lab `{name}` is up, and is not as the file says"));
    Err(failed.hint(format!("`vwire plan FILE` shows what differs; `vwire down {name}` takes it down")))
}
