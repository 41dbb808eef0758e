//! `ip link`: network devices.

pub mod change;
pub mod end;
mod finish;
pub mod help;
pub mod hint;
mod inet;
pub mod kind;
mod netns;
pub mod program;
mod property;
pub mod request;
pub mod show;
mod vf;
pub(in crate::cli) mod words;
mod xstats;

use request::Verb;

use super::nearest::nearest;
use super::words::{Keyword, Words, find, in_full, prefix, shown};
use super::{Failure, Ip};

/// What `ip link` can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Change(Verb),
    Show,
    Xstats,
    AfStats,
    Property,
    Help,
}

/// In `ip`'s order: the first that a word begins wins, so `s` is `set` and `sh` is `show`.
const COMMANDS: &[Keyword<Command>] = &[
    prefix("add", Command::Change(Verb::Add)),
    prefix("set", Command::Change(Verb::Set)),
    prefix("change", Command::Change(Verb::Set)),
    prefix("replace", Command::Change(Verb::Replace)),
    prefix("delete", Command::Change(Verb::Delete)),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("list", Command::Show),
    prefix("xstats", Command::Xstats),
    prefix("afstats", Command::AfStats),
    prefix("property", Command::Property),
    prefix("help", Command::Help),
];

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on links; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show::run(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Change(verb)) => change::run(ip, words, verb),
        Some(Command::Show) => show::run(ip, words),
        Some(Command::Xstats) => xstats::run(ip, words),
        Some(Command::AfStats) => xstats::run_of_families(ip, words),
        Some(Command::Property) => property::run(ip, words),
        Some(Command::Help) => help::run(ip, words),
        None => Err(unknown(word)),
    }
}

fn unknown(word: &[u8]) -> Failure {
    let failure = Failure::unknown_command(word, "link");
    match nearest(&shown(word), COMMANDS.iter().map(|row| row.word)) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => failure,
    }
}
