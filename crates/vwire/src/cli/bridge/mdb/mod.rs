//! `bridge mdb`: the multicast groups that bridges and VXLANs know, and the ports with routers.
//!
//! [`modify`] reads what is made, deleted, flushed or asked for.

pub mod modify;

use vwire_netlink::wire::Mdb;
use vwire_netlink::wire::mdb::{MdbRequest, Member};
use vwire_netlink::{Create, MessageType, Request};

use super::kernel::{change, device, devices, tried};
use super::link::FAMILY;
use super::{RETURNED, RETURNED_TWO, numbers, pass_over, unknown_command};
use crate::cli::ip::kernel::{list_refused, refusal};
use crate::cli::ip::words::{Keyword, Words, exact, find, in_full, prefix};
use crate::cli::ip::{Failure, Ip};
use crate::out::bridge::Devices;
use crate::out::bridge::mdb::{self, MdbStyle};
use crate::snapshot::names;

/// What `bridge mdb help` says.
const HELP: &str = "\
Usage: bridge mdb [ show ] [ dev DEVICE ] [ vid VID ]
       bridge mdb { add | replace | del } dev DEVICE port PORT grp GROUP FACT...
       bridge mdb get dev DEVICE grp GROUP [ src ADDRESS ] [ vid VID ] [ src_vni VNI ]
       bridge mdb flush dev DEVICE [ port PORT ] [ vid VID ] [ src_vni VNI ] [ proto PROTOCOL ]
                        [ [no]permanent ] [ dst ADDRESS ] [ dst_port PORT ] [ vni VNI ]

FACT: permanent  temp  vid VID  src ADDRESS  proto PROTOCOL
      filter_mode { include | exclude }  source_list ADDRESS[,ADDRESS...]
      dst ADDRESS  dst_port PORT  vni VNI  src_vni VNI  via DEVICE      of a VXLAN
";

/// What is done with a member of a group.
#[derive(Clone, Copy)]
enum Verb {
    Add,
    Replace,
    Delete,
}

#[derive(Clone, Copy)]
enum Command {
    Modify(Verb),
    Show,
    Get,
    Flush,
    Help,
}

const COMMANDS: &[Keyword<Command>] = &[
    prefix("add", Command::Modify(Verb::Add)),
    exact("replace", Command::Modify(Verb::Replace)),
    prefix("delete", Command::Modify(Verb::Delete)),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("list", Command::Show),
    exact("get", Command::Get),
    exact("flush", Command::Flush),
    prefix("help", Command::Help),
];

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on groups; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Modify(verb)) => modify(ip, verb, words),
        Some(Command::Show) => show(ip, words),
        Some(Command::Get) => get(ip, words),
        Some(Command::Flush) => flush(ip, words),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(unknown_command(word, "mdb", COMMANDS)),
    }
}

/// Returns what is told of groups.
pub fn style(ip: &Ip<'_>) -> MdbStyle {
    let details = ip.options.details > 0;
    let protocols = if details { names::ROUTE_PROTOCOLS.load() } else { Default::default() };
    MdbStyle { details, statistics: ip.options.stats > 0, protocols }
}

/// Returns the members of all groups that a message is about.
pub fn members(message: &Mdb) -> impl Iterator<Item = &Member> {
    message.mdb.iter().flat_map(|groups| &groups.entry).flat_map(|group| &group.info)
}

fn show(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let (mut name, mut only) = (None, 0);
    while let Some(word) = words.next() {
        match word {
            b"dev" => {
                let value = words.value()?;
                if name.replace(value).is_some() {
                    return Err(Failure::duplicate("dev", value));
                }
            }
            b"vid" => {
                let value = words.value()?;
                if only != 0 {
                    return Err(Failure::duplicate("vid", value));
                }
                only = numbers::atoi(value).cast_unsigned();
            }
            word => pass_over(ip.persona, word, &["dev", "vid"])?,
        }
    }
    let index = name.map(|name| device(ip, name)).transpose()?;
    let filter = Mdb { family: FAMILY, ..Mdb::default() };
    let all = ip.socket()?.dump_bodies::<Mdb>(&Request::dump(MessageType::GETMDB, &filter));
    let all = all.map_err(|error| list_refused(&error, RETURNED, "Dump terminated"))?;
    let devices = devices(ip)?;
    let style = style(ip);
    let all: Vec<&Mdb> = all.iter().filter(|mdb| index.is_none_or(|index| mdb.index == index)).collect();
    ip.printer.open_document();
    ip.printer.open_object(None);
    ip.printer.open_array(Some("mdb"));
    for message in &all {
        print_members(ip, message, only, &style, &devices);
    }
    ip.printer.close_array();
    ip.printer.open_object(Some("router"));
    for message in all.iter().filter(|_| style.details) {
        if let Some(routers) = &message.router {
            mdb::print_routers(&mut ip.printer, message.index, routers, style.statistics, &devices);
        }
    }
    ip.printer.close_object();
    ip.printer.close_object();
    ip.printer.close_document();
    Ok(())
}

fn print_members(ip: &mut Ip<'_>, message: &Mdb, only: u32, style: &MdbStyle, devices: &Devices) {
    for member in members(message).filter(|member| only == 0 || u32::from(member.vid) == only) {
        mdb::print(&mut ip.printer, message.index, member, style, devices);
        ip.flush_if_much();
    }
}

fn modify(ip: &mut Ip<'_>, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = modify::read(ip.persona, words, matches!(verb, Verb::Delete))?;
    let what = match verb {
        Verb::Add => "add a group to",
        Verb::Replace => "replace a group of",
        Verb::Delete => "delete a group of",
    };
    let tried = tried(what, &wanted.device);
    let failing = |failure: Failure| failure.trying(tried.clone());
    let index = device(ip, &wanted.device).map_err(failing)?;
    let port = device(ip, &wanted.port).map_err(failing)?;
    let request = wanted.request(port, |name| ip.device(name)).map_err(failing)?;
    let request = MdbRequest { index, ..request };
    let request = match verb {
        Verb::Add => Request::new_mdb(&request, Create::Exclusive),
        Verb::Replace => Request::new_mdb(&request, Create::OrReplace),
        Verb::Delete => Request::del_mdb(&request),
    };
    change(ip, &request, tried.clone()).map(drop)
}

fn get(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = modify::read_get(ip.persona, words)?;
    let index = device(ip, &wanted.device)?;
    let request = MdbRequest { index, ..wanted.request()? };
    let answer = ip.socket()?.get::<Mdb>(&Request::get_mdb(&request));
    let message = answer.map_err(|error| {
        refusal(&error).with_exit(RETURNED_TWO).trying("cannot get a group").hint("`vwire bridge mdb` lists them")
    })?;
    let devices = devices(ip)?;
    let style = style(ip);
    ip.printer.open_document();
    print_members(ip, &message, 0, &style, &devices);
    ip.printer.close_document();
    Ok(())
}

fn flush(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = modify::read_flush(ip.persona, words)?;
    let tried = tried("flush the groups of", &wanted.device);
    let failing = |failure: Failure| failure.trying(tried.clone());
    let index = device(ip, &wanted.device).map_err(failing)?;
    let port = wanted.port.as_ref().map(|name| device(ip, name)).transpose().map_err(failing)?;
    let request = MdbRequest { index, ..wanted.request(port.unwrap_or(0)).map_err(failing)? };
    change(ip, &Request::flush_mdb(&request), tried.clone()).map(drop)
}
