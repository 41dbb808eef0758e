//! `vwire confirm`: keeps a lab that was brought up on trial, or brings back what was before.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Arg, ArgAction, Command, value_parser};

use super::inside::{Labs, go_in};
use super::lab_file::{Teller, lab_named};
use super::talk::Talk;
use super::{Call, Verb};
use crate::lab::engine::{Done, clock, confirm};
use crate::lab::failed::Failed;
use crate::lab::file::duration;
use crate::lab::keeper::Stay;
use crate::lab::record::Record;

/// The option by which vwire is told to be the process that waits.
const CLOCK: &str = "clock";
/// The shortest time in which somebody may be asked to confirm.
const SHORTEST: Duration = Duration::from_secs(1);

/// Returns the verb.
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("confirm")
        .about("Keep a lab that was brought up with --confirm")
        .long_about(
            "Keep a lab that was brought up with `vwire up --confirm TIME FILE`: it is not undone any more. Nodes that \
             have left the file go now.\n\n\
             Exit codes: 0 it is kept, or with --undo, all is as before; 1 there is nothing to confirm, or it is too \
             late, and all is as before; 2 the command line is wrong.",
        )
        .arg(
            Arg::new("lab")
                .value_name("FILE|LAB")
                .help("The lab's file, or its name; without, the one that waits to be confirmed")
                .value_parser(value_parser!(OsString)),
        )
        .arg(flag("undo").help("Bring back what was before, at once"))
        .arg(flag(CLOCK).hide(true))
}

/// Returns the option `--confirm TIME`.
pub(super) fn argument() -> Arg {
    Arg::new("confirm")
        .long("confirm")
        .value_name("TIME")
        .help("Undo it all unless `vwire confirm` comes within this time, such as 60s or 5min")
        .value_parser(time)
}

fn time(word: &str) -> Result<Duration, String> {
    let fits = |time: &Duration| (SHORTEST..=confirm::LONGEST).contains(time);
    // As `sleep` has it.
    let minutes = word.strip_suffix('m').map(|number| format!("{number}min"));
    duration(minutes.as_deref().unwrap_or(word)).filter(fits).ok_or_else(|| "a time from `1s` to `60min`".to_owned())
}

/// Starts the process that waits.
pub(super) fn start_clock(record: &Record, lab: &str) -> std::io::Result<()> {
    clock::start(record, &["confirm", "--clock", lab])
}

fn run(call: &mut Call<'_>) -> u8 {
    let mut talk = Talk::new(call.stderr, call.form);
    let labs = match go_in(Stay::Verb, &mut talk) {
        Ok(labs) => labs,
        Err(exit) => return exit,
    };
    let name = match call.arguments.remove_one::<OsString>("lab") {
        Some(word) => {
            let named = lab_named(&word, &mut talk);
            match named.and_then(|(name, _)| labs.refuse_roots(&name, &mut talk).map(|()| name)) {
                Ok(name) => Ok(name),
                Err(exit) => return exit,
            }
        }
        None => only_one(&labs),
    };
    let name = match name {
        Ok(name) => name,
        Err(failed) => return talk.fails(&failed, None),
    };
    let mut stderr = std::io::stderr();
    let mut teller = Teller::new(&mut stderr, talk.is_json());
    let done = if call.arguments.get_flag(CLOCK) {
        clock::run(&name)
    } else if call.arguments.get_flag("undo") {
        confirm::undo(&name, &mut teller).map(|()| teller.done(&[format!("{name} is as it was before")]))
    } else {
        confirm::confirm(&name, &mut teller).map(|()| teller.done(&[format!("{name} stays")]))
    };
    done.map_or_else(|failed| talk.fails(&failed, None), |()| 0)
}

/// Returns the one lab that has to be confirmed.
fn only_one(labs: &Labs) -> Done<String> {
    let mut waiting = labs.own();
    waiting.retain(|lab| confirm::until(&Record::of(lab)).is_some());
    match (waiting.pop(), waiting.is_empty()) {
        (Some(lab), true) => Ok(lab),
        (Some(last), false) => {
            let names = waiting.join("`, `");
            let failed = Failed::new(format!("several labs wait to be confirmed: `{names}`, `{last}`"));
            Err(failed.hint(format!("`vwire confirm {last}` says which one is meant")))
        }
        (None, _) => Err(Failed::new("no lab waits to be confirmed")
            .hint("`vwire up --confirm 60s FILE` asks to be confirmed, and is undone once the time is over")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_lab_files_and_none_is_absurd() {
        assert_eq!(time("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(time("1.5min"), Ok(Duration::from_secs(90)));
        for wrong in ["0s", "999ms", "60", "", "-5s", "61min", "1e9s", "soon"] {
            assert_eq!(time(wrong), Err("a time from `1s` to `60min`".to_owned()), "{wrong}");
        }
    }
}
