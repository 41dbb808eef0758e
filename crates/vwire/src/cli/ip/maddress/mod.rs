//! `ip maddress`: the multicast addresses that devices listen to.
//!
//! [`read`] takes the words and the kernel's tables apart; here they are asked for, and changed.

pub mod read;

use std::io;

use vwire_netlink::Listener;

use super::failure::{EXIT_SEMANTIC, errno_sentence};
use super::options::Family;
use super::transaction::Deed;
use super::words::{Keyword, Words, find, in_full, prefix, shown};
use super::{Failure, Ip};
use crate::out::maddress::{self, Multicast};
use read::Change;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Add,
    Delete,
    Show,
    Help,
}

/// In `ip`'s order: the first that a word begins wins.
const COMMANDS: &[Keyword<Command>] = &[
    prefix("add", Command::Add),
    prefix("delete", Command::Delete),
    prefix("list", Command::Show),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("help", Command::Help),
];

/// What `ip maddress help` says.
pub const HELP: &str = "\
Usage: vwire maddress [ show [ dev ] DEVICE ]
       vwire maddress { add | del } LLADDR dev DEVICE

LLADDR is a link-layer address, as 01:00:5e:00:00:09. Groups of IPv4 and IPv6 are shown too;
programs join them. `-0`, `-4` and `-6` narrow what is shown.
";

/// `EPERM`.
const EPERM: i32 = 1;
/// `ENOENT`.
const ENOENT: i32 = 2;
/// `ENODEV`.
const ENODEV: i32 = 19;
/// `EINVAL`.
const EINVAL: i32 = 22;

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on multicast addresses; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Show) => show(ip, words),
        Some(Command::Add) => change(ip, words, "listen to", Turn::Start),
        Some(Command::Delete) => change(ip, words, "stop listening to", Turn::Stop),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(Failure::unknown_command(word, "maddr")),
    }
}

fn show(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let device = read::filter(words)?;
    let addresses = addresses(ip.options.family, device.as_deref());
    ip.printer.open_document();
    maddress::print(&mut ip.printer, &addresses);
    ip.printer.close_document();
    Ok(())
}

/// A table of the kernel, the family that it is of, and how it is read.
type Source = (Family, &'static str, fn(&str) -> Vec<Multicast>);

const SOURCES: &[Source] = &[
    (Family::Packet, "dev_mcast", read::dev_mcast),
    (Family::Inet, "igmp", read::igmp),
    (Family::Inet6, "igmp6", read::igmp6),
];

/// Returns the addresses in the order of their devices; a table that is not there has none.
fn addresses(family: Family, device: Option<&[u8]>) -> Vec<Multicast> {
    let wanted = SOURCES.iter().filter(|(of, ..)| family == Family::Unspec || family == *of);
    let tables = wanted.flat_map(|(_, file, parse)| {
        // The thread's own namespace: `/proc/net` has that of the process.
        let text = std::fs::read(format!("/proc/thread-self/net/{file}")).unwrap_or_default();
        parse(&String::from_utf8_lossy(&text))
    });
    let mut addresses: Vec<Multicast> =
        tables.filter(|address| device.is_none_or(|device| address.device == device)).collect();
    addresses.sort_by_key(|address| address.index);
    addresses
}

/// What a device is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Start,
    Stop,
}

fn change(ip: &mut Ip<'_>, words: &mut Words<'_>, verb: &str, turn: Turn) -> Result<(), Failure> {
    let Change { device, address } = read::change(words)?;
    let octets: Vec<String> = address.iter().map(|octet| format!("{octet:02x}")).collect();
    let tried = format!("cannot make `{}` {verb} {}", shown(&device), octets.join(":"));
    let family = match ip.options.family {
        family @ (Family::Inet6 | Family::Packet) => family,
        _ => Family::Inet,
    };
    if ip.rehearsal().is_some() {
        return ip.device(&device)?.map(drop).ok_or_else(|| Failure::no_device(&device).trying(tried));
    }
    let listener = Listener::open(family.number());
    let listener = listener.map_err(|error| refused("Cannot create socket", &error).trying(tried.clone()))?;
    let request = match turn {
        Turn::Start => Listener::start,
        Turn::Stop => Listener::stop,
    };
    let done = request(&listener, &device, address);
    if ip.wishes.if_exists && done.as_ref().is_err_and(|error| error.raw_os_error() == Some(ENOENT)) {
        return Ok(());
    }
    done.map_err(|error| {
        let failure = refused("ioctl", &error).trying(tried);
        match error.raw_os_error() {
            Some(EPERM) => failure.hint("this takes CAP_NET_ADMIN in the namespace: run it as root"),
            Some(ENOENT) => failure.hint(format!("`vwire maddr show dev {}` lists what it listens to", shown(&device))),
            Some(ENODEV) => failure.hint("`vwire ls --all` shows the devices of all namespaces"),
            Some(EINVAL) => failure.hint("a device such as `lo` takes every packet and cannot choose"),
            _ => failure,
        }
    })?;
    let stopped = turn == Turn::Stop;
    ip.note(Deed::Listens { family: family.number(), device: device.to_vec(), address, stopped });
    Ok(())
}

fn refused(call: &str, error: &io::Error) -> Failure {
    let sentence = errno_sentence(error.raw_os_error().unwrap_or(EINVAL));
    Failure::new(EXIT_SEMANTIC, format!("{call}: {sentence}"), sentence).refused_with(error.raw_os_error())
}
