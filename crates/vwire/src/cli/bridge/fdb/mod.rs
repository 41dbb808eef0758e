//! `bridge fdb`: the link-layer addresses that bridges and VXLANs know, and where packets to them go.
//!
//! [`filter`] reads what is listed or flushed, [`modify`] what is made, deleted or asked for.

pub mod filter;
pub mod modify;

use vwire_netlink::{Neighbour, Request};

use super::kernel::{change, device, device_called, devices, list, tried};
use super::{RETURNED_TWO, unknown_command};
use crate::cli::ip::kernel::refusal;
use crate::cli::ip::words::{Keyword, Words, exact, find, in_full, prefix, shown};
use crate::cli::ip::{Failure, Ip};
use crate::out::bridge::fdb::{self, FdbStyle};
pub use filter::service;
use modify::Verb;
use vwire_netlink::MessageType;

/// `AF_BRIDGE`.
const FAMILY: u8 = 7;
/// `NTF_SELF`.
const SELF: u8 = 0x02;
/// `NTF_MASTER`.
const MASTER: u8 = 0x04;
/// `NUD_PERMANENT`.
const PERMANENT: u16 = 0x80;

/// What `bridge fdb help` says.
const HELP: &str = "\
Usage: bridge fdb [ show ] [ br BRIDGE ] [ brport DEVICE ] [ vlan VID ] [ state STATE ] [ dynamic ]
       bridge fdb { add | append | replace | del } [ to ] ADDRESS dev DEVICE FACT...
       bridge fdb get [ to ] ADDRESS { br BRIDGE | brport DEVICE } [ vlan VID ] [ vni VNI ]
                        [ self ] [ master ] [ dynamic ]
       bridge fdb flush dev DEVICE [ brport DEVICE ] [ vlan VID ] [ src_vni VNI ] [ nhid ID ]
                        [ vni VNI ] [ port PORT ] [ dst ADDRESS ] [ self ] [ master ] SORT...

FACT:   self  master                      whose list: the device's own, or its bridge's
        local  static  dynamic            permanent and this host's; permanent; may age
        vlan VID  dst ADDRESS  port PORT  vni VNI  src_vni VNI  via DEVICE  nhid ID
        use  router  extern_learn  sticky  activity_notify  inactive  norefresh
SORT:   [no]permanent  [no]static  [no]dynamic  [no]added_by_user
        [no]extern_learn  [no]sticky  [no]offloaded  [no]router
STATE:  permanent  static  stale  reachable  all, or a number
";

#[derive(Clone, Copy)]
enum Command {
    Modify(Verb),
    Get,
    Show,
    Flush,
    Help,
}

const COMMANDS: &[Keyword<Command>] = &[
    prefix("add", Command::Modify(Verb::Add)),
    prefix("append", Command::Modify(Verb::Append)),
    prefix("replace", Command::Modify(Verb::Replace)),
    prefix("delete", Command::Modify(Verb::Delete)),
    prefix("get", Command::Get),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("list", Command::Show),
    exact("flush", Command::Flush),
    prefix("help", Command::Help),
];

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on addresses; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Modify(verb)) => modify(ip, verb, words),
        Some(Command::Get) => get(ip, words),
        Some(Command::Show) => show(ip, words),
        Some(Command::Flush) => flush(ip, words),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(unknown_command(word, "fdb", COMMANDS)),
    }
}

fn style(ip: &Ip<'_>, device: bool) -> FdbStyle {
    FdbStyle { device, statistics: ip.options.stats > 0, details: ip.options.details > 0 }
}

fn show(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let filter = filter::read(ip.persona, words)?;
    let master = filter.bridge.as_ref().map(|name| device_called(ip, "bridge device", name)).transpose()?;
    let index = filter.device.as_ref().map(|name| device(ip, name)).transpose()?;
    let wanted = Neighbour { family: FAMILY, index: index.unwrap_or(0), master, ..Neighbour::default() };
    let entries: Vec<Neighbour> = list(ip, &Request::dump(MessageType::GETNEIGH, &wanted))?;
    let devices = devices(ip)?;
    let style = style(ip, index.is_none());
    ip.printer.open_document();
    for entry in entries.iter().filter(|entry| filter.passes(entry) && index.is_none_or(|of| entry.index == of)) {
        ip.printer.open_object(None);
        fdb::print(&mut ip.printer, entry, style, &devices);
        ip.printer.close_object();
        ip.flush_if_much();
    }
    ip.printer.close_document();
    Ok(())
}

fn modify(ip: &mut Ip<'_>, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    let family = ip.options.family;
    let wanted = modify::read(family, words, |name| ip.device(name))?;
    let tried = tried(&format!("{} {} on", verb.word(), shown(&wanted.address)), &wanted.device);
    let mut entry = wanted.entry;
    entry.index = device(ip, &wanted.device).map_err(|failure| failure.trying(tried.clone()))?;
    change(ip, &verb.request(&entry), tried).map(drop)
}

fn get(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = modify::read_get(words)?;
    let mut entry = wanted.entry;
    let find = |ip: &mut Ip<'_>, what, name: &Option<Vec<u8>>| {
        name.as_ref().map(|name| device_called(ip, what, name)).transpose()
    };
    entry.index = find(ip, "device", &wanted.device)?.unwrap_or(0);
    entry.master = find(ip, "bridge device", &wanted.bridge)?;
    let answer = ip.socket()?.get::<Neighbour>(&Request::get_neighbour(&entry));
    let entry = answer.map_err(|error| {
        let failure = refusal(&error).with_exit(RETURNED_TWO).trying(format!("cannot get {}", shown(&wanted.address)));
        failure.hint("`vwire bridge fdb show` lists what is known; `master` and `self` are two lists")
    })?;
    let devices = devices(ip)?;
    let style = style(ip, true);
    ip.printer.open_document();
    if !(wanted.dynamic && entry.state & PERMANENT != 0) {
        ip.printer.open_object(None);
        fdb::print(&mut ip.printer, &entry, style, &devices);
        ip.printer.close_object();
    }
    ip.printer.close_document();
    Ok(())
}

fn flush(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = filter::read_flush(ip.options.family, words)?;
    let Some(name) = &wanted.device else {
        let cause = "the command does not say which device";
        return Err(super::lacking("Device is a required argument.", cause, "fdb flush dev NAME dynamic"));
    };
    let tried = tried("flush what is known by", name);
    let index = device_called(ip, "bridge device", name).map_err(|failure| failure.trying(tried.clone()))?;
    let port = wanted.port.as_ref().map(|name| device_called(ip, "bridge port device", name)).transpose()?;
    let entry = wanted.entry(index, port)?;
    change(ip, &Request::flush_neighbours(&entry), tried).map(drop)
}
