//! `ip neigh`: which link-layer address a neighbour's IP address stands for.
//!
//! [`change`] and [`filter`] read the words, and decide, without touching anything. [`modify`], [`show`] and [`flush`]
//! ask the kernel.

pub mod change;
pub mod filter;
pub mod flush;
pub mod modify;
pub mod show;

use super::nearest::nearest;
use super::words::{Keyword, Words, begins, exact, find, in_full, number_as, prefix, shown};
use super::{Failure, Ip, Persona};
use crate::snapshot::names;
use change::Verb;

/// What `ip neigh` can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Modify(Verb),
    Get,
    Show,
    Flush,
    Help,
}

/// In `ip`'s order: the first that a word begins wins.
const COMMANDS: &[Keyword<Command>] = &[
    prefix("add", Command::Modify(Verb::Add)),
    prefix("change", Command::Modify(Verb::Change)),
    exact("chg", Command::Modify(Verb::Change)),
    prefix("replace", Command::Modify(Verb::Replace)),
    prefix("delete", Command::Modify(Verb::Delete)),
    prefix("get", Command::Get),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("list", Command::Show),
    prefix("flush", Command::Flush),
    prefix("help", Command::Help),
];

/// What `ip neigh help` says.
pub const HELP: &str = "\
Usage: ip neigh [ show FILTER... ]
       ip neigh { add | change | replace } ADDRESS dev DEVICE WORDS...
       ip neigh { add | change | replace } proxy ADDRESS [ dev DEVICE ]
       ip neigh del { ADDRESS | proxy ADDRESS } dev DEVICE
       ip neigh get { ADDRESS | proxy ADDRESS } dev DEVICE
       ip neigh flush FILTER...

WORDS:  lladdr LLADDR      the link-layer address that it stands for
        nud STATE          permanent where nothing else is said
        protocol PROTOCOL  who makes the entry
        router  use  managed  extern_learn  extern_valid

FILTER: [ to ] PREFIX  dev DEVICE  nud STATE  proxy  unused  protocol PROTOCOL
        master DEVICE  nomaster  vrf NAME

STATE is permanent, reachable, noarp, none, stale, incomplete, delay, probe, failed or,
in a FILTER, all. Without one, all are shown but noarp, and flush spares permanent and noarp.
";

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on neighbours; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show::run(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Modify(verb)) => modify::run(ip, verb, words),
        Some(Command::Get) => show::get(ip, words),
        Some(Command::Show) => show::run(ip, words),
        Some(Command::Flush) => flush::run(ip, words),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(unknown(word)),
    }
}

fn unknown(word: &[u8]) -> Failure {
    let failure = Failure::unknown_command(word, "neigh");
    match nearest(&shown(word), COMMANDS.iter().map(|row| row.word)) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => failure,
    }
}

/// Returns whether the words are a call for help where `ip` does not take them for one, and vwire does.
fn asks_for_help(ip: &Ip<'_>, words: &Words<'_>) -> bool {
    ip.persona == Persona::Vwire && words.len() == 1 && words.peek().is_some_and(|word| begins("help", word))
}

/// `NUD_*` by their words, in `ip`'s order.
const STATES: &[Keyword<u32>] = &[
    prefix("permanent", 0x80),
    prefix("reachable", 0x02),
    exact("noarp", 0x40),
    exact("none", 0),
    exact("stale", 0x04),
    exact("incomplete", 0x01),
    exact("delay", 0x08),
    exact("probe", 0x10),
    prefix("failed", 0x20),
];

/// Reads a state: a word, or a number of one bit at most.
fn state(word: &[u8]) -> Option<u32> {
    find(STATES, word).or_else(|| number_as(word).filter(|state: &u32| *state < 0x100 && state.count_ones() <= 1))
}

fn wrong_state(word: &[u8]) -> Failure {
    let failure = Failure::invalid(word, "nud state is bad");
    match nearest(&shown(word), STATES.iter().map(|row| row.word)) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => {
            failure.hint("the states are permanent, reachable, noarp, none, stale, incomplete, delay, probe, failed")
        }
    }
}

/// Reads who made an entry: a name, or a number up to 255.
fn protocol(word: &[u8]) -> Option<u8> {
    match names::named(&names::ROUTE_PROTOCOLS.load(), word) {
        Some(number) => u8::try_from(number).ok(),
        None => number_as(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_commands_stand_for_what_ip_takes_them_for() {
        let map = [
            ("a", Command::Modify(Verb::Add)),
            ("c", Command::Modify(Verb::Change)),
            ("chg", Command::Modify(Verb::Change)),
            ("r", Command::Modify(Verb::Replace)),
            ("d", Command::Modify(Verb::Delete)),
            ("g", Command::Get),
            ("s", Command::Show),
            ("l", Command::Show),
            ("f", Command::Flush),
            ("h", Command::Help),
        ];
        for (word, command) in map {
            assert_eq!(find(COMMANDS, word.as_bytes()), Some(command), "{word}");
        }
        assert!(find(COMMANDS, b"x").is_none());
    }

    #[test]
    fn states_are_words_or_single_bits() {
        assert_eq!(state(b"p"), Some(0x80));
        assert_eq!(state(b"probe"), Some(0x10));
        assert_eq!(state(b"none"), Some(0));
        assert_eq!(state(b"0x40"), Some(0x40));
        assert_eq!(state(b"stal"), None);
        assert_eq!(state(b"3"), None);
        assert_eq!(state(b"256"), None);
    }
}
