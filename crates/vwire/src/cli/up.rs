//! `vwire up`: brings a lab up from its file, or changes one that is up to what the file says.

use std::path::PathBuf;

use clap::Command;

use super::inside::go_in_to_build;
use super::lab_file::{Teller, file_argument, load};
use super::talk::Talk;
use super::{Call, Verb, confirm};
use crate::lab::engine::confirm::{Trial, told};
use crate::lab::engine::up::{Outcome, up_on_trial};
use crate::lab::graph::of_lab;
use crate::lab::record::Record;

/// Returns the verb.
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("up")
        .about("Bring a lab up from its file, or change it to what the file says")
        .long_about(
            "Bring a lab up from its file, or change one that is up to what the file says.\n\n\
             Everything is checked first. What is right already is left alone: a lab that is as its file says is not \
             touched, and a change touches only what it is about. If anything fails, or Ctrl-C is pressed, everything is undone.\n\n\
             Without root the lab is yours alone, in networks of your own, kept by a process that ends with your last lab; \
             it has no part of the machine itself.\n\n\
             Exit codes: 0 the lab is as the file says; 1 it is not, and nothing was changed; 2 the command line is \
             wrong; 130 Ctrl-C, 143 SIGTERM.",
        )
        .arg(file_argument())
        .arg(confirm::argument())
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
    let mut stderr = std::io::stderr();
    let mut teller = Teller::new(&mut stderr, talk.is_json());
    let within = call.arguments.remove_one("confirm");
    let clock = |record: &Record| confirm::start_clock(record, &loaded.lab.name);
    let trial = within.map(|within| Trial { within, clock: &clock });
    let done = up_on_trial(loaded.order(), trial, &mut teller);
    teller.end();
    match done {
        Ok(outcome) => {
            let (name, counted) = (&loaded.lab.name, of_lab::counted(&loaded.lab));
            if outcome == Outcome::Changed {
                let ways = format!("`vwire exec NODE -- PROGRAM`, `vwire down {name}`");
                teller.done(&[format!("{name} is up: {counted}"), ways]);
            }
            if let (Some(within), Outcome::Changed) = (within, outcome) {
                let words = format!("confirm within {}: vwire confirm {name}", told(within));
                talk.says(&words);
            }
            0
        }
        Err(failed) => talk.fails(&failed, Some(&loaded)),
    }
}
