//! `ip rule`: which routing table a packet is looked up in.
//!
//! [`change`] and [`filter`] read the words, and decide, without touching anything; [`value`] has what the words' values
//! look like. [`modify`], [`show`] and [`store`] ask the kernel.

pub mod change;
pub mod filter;
pub mod modify;
pub mod show;
pub mod store;
pub mod value;

use super::nearest::nearest;
use super::words::{Keyword, Words, find, in_full, prefix, shown};
use super::{Failure, Ip, Persona};
use crate::out::rule::RuleNames;
use crate::snapshot::names;
use modify::Verb;

/// What `ip rule` can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Show,
    Save,
    Restore,
    Modify(Verb),
    Flush,
    Help,
}

/// In `ip`'s order: the first that a word begins wins.
const COMMANDS: &[Keyword<Command>] = &[
    prefix("list", Command::Show),
    prefix("lst", Command::Show),
    prefix("show", Command::Show),
    prefix("save", Command::Save),
    prefix("restore", Command::Restore),
    prefix("add", Command::Modify(Verb::Add)),
    prefix("delete", Command::Modify(Verb::Delete)),
    prefix("flush", Command::Flush),
    prefix("help", Command::Help),
];

/// What `ip rule help` says.
pub const HELP: &str = "\
Usage: vwire [ -4 | -6 ] rule [ show SELECTOR... ]
       vwire [ -4 | -6 ] rule { add | del } SELECTOR... ACTION
       vwire [ -4 | -6 ] rule flush SELECTOR...
       vwire [ -4 | -6 ] rule save > FILE
       vwire rule restore < FILE

SELECTOR: priority NUMBER  not  from PREFIX  to PREFIX  iif DEVICE  oif DEVICE
          fwmark MARK[/MASK]  tos TOS  dscp DSCP[/MASK]  flowlabel LABEL[/MASK]
          ipproto PROTOCOL  sport PORT[/MASK]  sport FIRST-LAST  dport likewise
          uidrange FIRST-LAST  tun_id NUMBER  l3mdev

ACTION:   table TABLE  goto PRIORITY  nop  blackhole  unreachable  prohibit
          suppress_prefixlength LENGTH  suppress_ifgroup GROUP
          realms [FROM/]TO  protocol PROTOCOL

IPv4 where nothing else is said; rules of IPv6 take `-6` in front of `rule`.
The lowest priority is asked first.
";

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on rules; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show::run(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Show) => show::run(ip, words),
        Some(Command::Flush) => show::flush(ip, words),
        Some(Command::Save) => store::save(ip, words),
        Some(Command::Restore) => store::restore(ip),
        Some(Command::Modify(verb)) => modify::run(ip, verb, words),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(unknown(word)),
    }
}

fn unknown(word: &[u8]) -> Failure {
    let failure = Failure::unknown_command(word, "rule");
    match nearest(&shown(word), COMMANDS.iter().map(|row| row.word)) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => failure,
    }
}

/// Returns whether the words are a call for help where `ip` does not take them for one, and vwire does.
fn asks_for_help(ip: &Ip<'_>, words: &Words<'_>) -> bool {
    ip.persona == Persona::Vwire && words.len() == 1 && words.peek() == Some(b"help")
}

/// Returns the tables by which values are read; with `-N` too, `ip` takes their names.
#[must_use]
pub fn names_to_read(ip: &Ip<'_>) -> RuleNames {
    let protocols = ip.tables.ip_protocols();
    RuleNames {
        tables: ip.tables.rows(names::ROUTE_TABLES),
        protocols: ip.tables.rows(names::ROUTE_PROTOCOLS),
        realms: ip.tables.rows(names::REALMS),
        ds_fields: ip.tables.rows(names::DS_FIELDS),
        groups: ip.tables.rows(names::GROUPS),
        // The first row of a number has its name.
        ip_protocols: protocols.iter().rev().map(|(number, words)| (*number, words[0].clone())).collect(),
        ip_protocol_words: protocols
            .iter()
            .rev()
            .flat_map(|(number, words)| words.iter().map(move |word| (word.clone(), *number)))
            .collect(),
        numeric: false,
    }
}

/// Returns the tables by which values are printed: none with `-N`.
#[must_use]
pub fn names_to_print(ip: &Ip<'_>) -> RuleNames {
    if ip.options.numeric { RuleNames { numeric: true, ..RuleNames::default() } } else { names_to_read(ip) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_commands_stand_for_what_ip_takes_them_for() {
        let map = [
            ("l", Command::Show),
            ("s", Command::Show),
            ("sa", Command::Save),
            ("r", Command::Restore),
            ("a", Command::Modify(Verb::Add)),
            ("d", Command::Modify(Verb::Delete)),
            ("f", Command::Flush),
        ];
        for (word, command) in map {
            assert_eq!(find(COMMANDS, word.as_bytes()), Some(command), "{word}");
        }
        assert!(find(COMMANDS, b"chg").is_none());
    }
}
