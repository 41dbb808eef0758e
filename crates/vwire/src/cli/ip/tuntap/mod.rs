//! `ip tuntap`: TUN and TAP devices.
//!
//! [`request`] reads the words, [`control`] makes and deletes devices, [`show`] lists them. Where `ip` leaves one in
//! the dark (who holds a device, which flag differs), vwire looks it up in [`obstacle`].

pub mod control;
mod obstacle;
pub mod request;
pub mod show;

use super::words::{Keyword, Words, find, in_full, prefix};
use super::{Failure, Ip};
use request::Verb;

/// What `ip tuntap` can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Control(Verb),
    Show,
    Help,
}

const COMMANDS: &[Keyword<Command>] = &[
    prefix("add", Command::Control(Verb::Add)),
    prefix("delete", Command::Control(Verb::Delete)),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("list", Command::Show),
    prefix("help", Command::Help),
];

/// What `ip tuntap help` says.
pub const HELP: &str = "\
Usage: vwire tuntap [ show ]
       vwire tuntap add [ name ] DEVICE mode { tun | tap } [ user USER ] [ group GROUP ]
                        [ pi ] [ vnet_hdr ] [ multi_queue ] [ one_queue ]
       vwire tuntap del [ name ] DEVICE [ mode { tun | tap } ] [ multi_queue ]

A tun carries IP packets, a tap Ethernet frames. USER and GROUP, names or numbers,
may open the device without being root. Without a name the kernel chooses one.
pi             four bytes in front of each packet say its protocol
vnet_hdr       a struct virtio_net_hdr in front of each packet
multi_queue    several programs, or threads, may open it at once
";

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on TUN and TAP devices; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show::run(ip) };
    match find(COMMANDS, word) {
        Some(Command::Control(verb)) => control::run(ip, verb, words),
        Some(Command::Show) => show::run(ip),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(Failure::unknown_command(word, "tuntap")),
    }
}
