//! `vwire lab schema`: what a lab's file may hold, for editors.

use clap::Command;

use super::{Call, Verb};
use crate::lab::schema;

/// Returns the verb.
#[must_use]
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("lab")
        .about("Prints the JSON Schema of lab files, for editors")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("schema").about("Prints the JSON Schema of lab files").long_about(
            "Prints the JSON Schema (2020-12) of lab files to standard output. An editor that knows TOML completes \
             keys and marks mistakes by it: save it beside your labs, and begin a file with `#:schema ./lab.schema.json`.",
        ))
}

fn run(call: &mut Call<'_>) -> u8 {
    match writeln!(call.stdout, "{:#}", schema::schema()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let _ = writeln!(call.stderr, "error: cannot write the schema: {error}");
            1
        }
        _ => 0,
    }
}
