//! `vwire down`: takes a lab down, and nothing else.

use std::ffi::OsString;

use clap::{Arg, Command, value_parser};

use super::inside::go_in;
use super::lab_file::{Loaded, Teller, lab_named};
use super::talk::Talk;
use super::{Call, Verb};
use crate::lab::engine::down::{Gone, down};
use crate::lab::keeper::Stay;

/// Returns the verb.
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("down")
        .about("Take a lab down: everything that it made, and nothing else")
        .long_about(
            "Take a lab down.\n\n\
             Whatever the lab made carries its mark in the kernel, so all of it is found, even if nothing else is known \
             of it, and nothing without the mark is touched. Ctrl-C ends the waiting for another process; what has begun \
             goes on to its end.\n\n\
             Exit codes: 0 nothing of the lab is there any more; 1 something could not be removed; 130 Ctrl-C, 143 \
             SIGTERM.",
        )
        .arg(
            Arg::new("lab")
                .value_name("FILE|LAB")
                .help("The lab's file, or its name")
                .required(true)
                .value_parser(value_parser!(OsString)),
        )
}

fn run(call: &mut Call<'_>) -> u8 {
    let word: OsString = call.arguments.remove_one("lab").unwrap_or_default();
    let mut talk = Talk::new(call.stderr, call.form);
    let labs = match go_in(Stay::Verb, &mut talk) {
        Ok(labs) => labs,
        Err(exit) => return exit,
    };
    let named = lab_named(&word, &mut talk);
    let lab = match named.and_then(|lab| labs.refuse_roots(&lab.0, &mut talk).map(|()| lab)) {
        Ok(lab) => lab,
        Err(exit) => return exit,
    };
    if !labs.may_be() {
        talk.says(&nothing_of(&lab.0));
        return 0;
    }
    let mut stderr = std::io::stderr();
    let mut teller = Teller::new(&mut stderr, talk.is_json());
    match down(&lab.0, lab.1.as_ref().map(Loaded::order), &mut teller) {
        Ok(Gone::All) => {
            teller.done(&[format!("{} is down", lab.0)]);
            0
        }
        Ok(Gone::Nothing) => {
            talk.says(&nothing_of(&lab.0));
            0
        }
        Err(failed) => talk.fails(&failed, None),
    }
}

fn nothing_of(lab: &str) -> String {
    format!("there is nothing of lab `{lab}`")
}
