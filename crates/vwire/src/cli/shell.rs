//! `vwire shell`: a shell in a node of a lab.

use clap::{Arg, Command};

use super::exec::enter;
use super::inside::wait_for_foreground;
use super::lab_file::which_lab;
use super::{Call, Verb};
use crate::lab::keeper::Stay;

/// Returns the verb.
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("shell")
        .about("Open a shell in a node of a lab")
        .long_about("Open the shell of $SHELL in a node of a lab. `VWIRE_LAB` and `VWIRE_NODE` say inside where it is.")
        .args(which_lab())
        .arg(Arg::new("node").value_name("NODE").help("The node, or LAB.NODE").required(true))
}

fn run(call: &mut Call<'_>) -> u8 {
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    wait_for_foreground();
    enter(call, &[shell], Stay::Shell)
}
