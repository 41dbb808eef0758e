//! `ip address`: the addresses of network devices.
//!
//! [`change`] and [`filter`] read the words, and decide, without touching anything. [`modify`], [`show`], [`flush`]
//! and [`store`] ask the kernel.

pub mod change;
pub mod filter;
pub mod flush;
pub mod modify;
pub mod show;
pub mod store;

use super::words::{Keyword, Words, exact, find, in_full, prefix};
use super::{Failure, Ip};
use crate::out::address::AddressNames;
use crate::snapshot::names;
use change::Verb;

/// What `ip address` can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Modify(Verb),
    Show,
    Flush,
    Save,
    ShowDump,
    Restore,
    Help,
}

/// In `ip`'s order: the first that a word begins wins, so `s` is `show` and `sa` is `save`.
const COMMANDS: &[Keyword<Command>] = &[
    prefix("add", Command::Modify(Verb::Add)),
    prefix("change", Command::Modify(Verb::Change)),
    exact("chg", Command::Modify(Verb::Change)),
    prefix("replace", Command::Modify(Verb::Replace)),
    prefix("delete", Command::Modify(Verb::Delete)),
    prefix("list", Command::Show),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("flush", Command::Flush),
    prefix("save", Command::Save),
    prefix("showdump", Command::ShowDump),
    prefix("restore", Command::Restore),
    prefix("help", Command::Help),
];

/// What `ip address help` says.
pub const HELP: &str = "\
Usage: vwire address [ show [ DEVICE ] FILTER... ]
       vwire address { add | change | replace } ADDRESS[/LENGTH] dev DEVICE WORDS...
       vwire address del ADDRESS/LENGTH dev DEVICE
       vwire address flush { DEVICE | FILTER }...
       vwire address save [ DEVICE ] > FILE
       vwire address { showdump | restore } < FILE

WORDS:  peer ADDRESS/LENGTH    the other end of a point-to-point link
        broadcast ADDRESS      or + and - for all ones and all zeros behind the prefix
        anycast ADDRESS        label NAME             scope SCOPE
        metric NUMBER          proto PROTOCOL
        valid_lft LIFETIME     preferred_lft LIFETIME
        nodad  optimistic  home  mngtmpaddr  noprefixroute  autojoin

FILTER: to PREFIX  scope SCOPE  label PATTERN  proto NUMBER
        up  down  group GROUP  type KIND  master DEVICE  nomaster  vrf NAME  novf
        [-]FLAG: permanent dynamic primary secondary temporary tentative
        deprecated dadfailed and those above

SCOPE is global, site, link, host or a number; LIFETIME is forever or seconds.
";

/// Why the reading of words ended early.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// A word asks for help.
    Help,
    /// A word does not fit.
    Failure(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Help => Self::usage(HELP),
            Stop::Failure(failure) => failure,
        }
    }
}

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on addresses; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show::run(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Modify(verb)) => modify::run(ip, verb, words),
        Some(Command::Show) => show::run(ip, words),
        Some(Command::Flush) => flush::run(ip, words),
        Some(Command::Save) => store::save(ip, words),
        Some(Command::ShowDump) => store::show(ip),
        Some(Command::Restore) => store::restore(ip),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(Failure::unknown_command(word, "address")),
    }
}

/// Returns the tables by which scopes and protocols are read; with `-N` too, `ip` takes their names.
#[must_use]
pub fn names_to_read(ip: &Ip<'_>) -> AddressNames {
    AddressNames { scopes: ip.tables.rows(names::SCOPES), protocols: ip.tables.rows(names::ADDRESS_PROTOCOLS) }
}

/// Returns the tables by which scopes and protocols are printed: none with `-N`.
#[must_use]
pub fn names_to_print(ip: &Ip<'_>) -> AddressNames {
    if ip.options.numeric { AddressNames::default() } else { names_to_read(ip) }
}
