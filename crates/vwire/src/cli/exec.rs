//! `vwire exec`: runs a program in a node of a lab.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, value_parser};

use super::inside::go_in;
use super::lab_file::{REFUSED, find_lab, which_lab};
use super::talk::Talk;
use super::{Call, Verb};
use crate::lab::exec::Inside;
use crate::lab::keeper::Stay;

/// The exit code where the program cannot be run, as shells have it.
const NOT_RUN: u8 = 126;

/// Returns the verb.
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("exec")
        .about("Run a program in a node of a lab")
        .long_about(
            "Run a program in a node of a lab: with the node's network, its /sys, and an /etc/hosts that knows the other \
             nodes by their names. It ends with the program's exit code, or with 126 where the program cannot be run.",
        )
        .override_usage("vwire exec [-f FILE | -l LAB] NODE -- PROGRAM [ARGUMENTS]...")
        .args(which_lab())
        .arg(Arg::new("node").value_name("NODE").help("The node, or LAB.NODE").required(true))
        .arg(program_argument().required(true))
}

/// Returns the argument that takes a program and all that follows it.
pub(super) fn program_argument() -> Arg {
    Arg::new("program")
        .value_name("PROGRAM")
        .help("The program and its arguments")
        .value_parser(value_parser!(OsString))
        .action(ArgAction::Append)
        .num_args(1..)
        .trailing_var_arg(true)
        .allow_hyphen_values(true)
}

fn run(call: &mut Call<'_>) -> u8 {
    let words: Vec<OsString> = call.arguments.remove_many("program").map_or_else(Vec::new, Iterator::collect);
    enter(call, &words, Stay::Program)
}

/// Turns this process into the program; returns the exit code only if that fails.
pub(super) fn enter(call: &mut Call<'_>, words: &[OsString], stay: Stay) -> u8 {
    let node: String = call.arguments.remove_one("node").unwrap_or_default();
    let mut talk = Talk::new(call.stderr, call.form);
    let labs = match go_in(stay, &mut talk) {
        Ok(labs) => labs,
        Err(exit) => return exit,
    };
    let (lab, node) = match find_lab(&mut call.arguments, &node, &labs, &mut talk) {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let Some((program, arguments)) = words.split_first() else { return REFUSED };
    let failed = Inside::of(&lab, &node).replace_with(program, arguments);
    talk.refuses(&failed, NOT_RUN)
}
