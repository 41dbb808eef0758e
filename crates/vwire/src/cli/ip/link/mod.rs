//! `ip link`: network devices.

pub mod show;

use super::words::{Keyword, Words, find, prefix};
use super::{Failure, Ip};

/// What `ip link` can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Show,
}

/// In `ip`'s order: the first that a word begins wins, so `s` is `set` and `sh` is `show`.
const COMMANDS: &[Keyword<Command>] =
    &[prefix("show", Command::Show), prefix("lst", Command::Show), prefix("list", Command::Show)];

/// What `ip link help` says.
pub const HELP: &str =
    "Usage: vwire link [ show ] [ DEVICE ] [ up | down ] [ master DEVICE | nomaster ] [ type KIND ]\n";

/// Runs a command on links; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show::run(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Show) => show::run(ip, words),
        None => Err(Failure::unknown_command(word, "link")),
    }
}
