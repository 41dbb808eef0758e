//! `ip route`: where packets go.
//!
//! A change is read by [`change`] into plain data, [`filter`] is what `show`, `flush` and `save` choose by, and
//! [`hint`] says what helps where the kernel refuses. Records are printed by [`crate::out::route`].

pub mod change;
pub mod encap;
pub mod filter;
pub mod get;
pub mod help;
pub mod hint;
pub mod save;
pub mod show;
pub mod value;
pub mod words;

use std::collections::HashMap;

use vwire_netlink::wire::Body;
use vwire_netlink::{AddressFilter, LinkFilter, MessageType, Request, RequestError, Route};

use self::change::{RouteChange, Verb};
use self::hint::{Facts, Nearby};
use super::failure::EXIT_USAGE;
use super::words::{Keyword, Words, exact, find, in_full, prefix};
use super::{Failure, Ip, link};
use crate::out::route::{self, Hidden};

/// What `ip route` can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Change(Verb),
    Show,
    Get,
    Flush,
    Save,
    Restore,
    Showdump,
    Help,
}

/// In `ip`'s order: the first that a word begins wins, so `s` is `show` and `r` is `replace`.
const COMMANDS: &[Keyword<Command>] = &[
    prefix("add", Command::Change(Verb::Add)),
    prefix("change", Command::Change(Verb::Change)),
    exact("chg", Command::Change(Verb::Change)),
    prefix("replace", Command::Change(Verb::Replace)),
    prefix("prepend", Command::Change(Verb::Prepend)),
    prefix("append", Command::Change(Verb::Append)),
    prefix("test", Command::Change(Verb::Test)),
    prefix("delete", Command::Change(Verb::Delete)),
    prefix("list", Command::Show),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("get", Command::Get),
    prefix("flush", Command::Flush),
    prefix("save", Command::Save),
    prefix("restore", Command::Restore),
    prefix("showdump", Command::Showdump),
    prefix("help", Command::Help),
];

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on routes; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show::run(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Change(verb)) => {
            let change = change::read(ip, words, verb)?;
            apply(ip, &change)
        }
        Some(Command::Show) => show::run(ip, words),
        Some(Command::Get) => get::run(ip, words),
        Some(Command::Flush) => show::flush(ip, words),
        Some(Command::Save) => save::save(ip, words),
        Some(Command::Restore) => save::restore(ip),
        Some(Command::Showdump) => save::showdump(ip),
        Some(Command::Help) => Err(help::usage()),
        None => Err(Failure::unknown_command(word, "route").with_exit(EXIT_USAGE)),
    }
}

/// Sends a change; with `-echo`, shows what was made of it.
fn apply(ip: &mut Ip<'_>, change: &RouteChange) -> Result<(), Failure> {
    let message = if change.verb == Verb::Delete { MessageType::DELROUTE } else { MessageType::NEWROUTE };
    let request = Request::new(message, change.verb.flags(), &change.route);
    let request = if ip.options.echo { request.with_echo() } else { request };
    let reply = match link::change::send(ip, &request)? {
        Ok(reply) => reply,
        Err(error) => return refused(ip, change, &error),
    };
    if ip.options.echo {
        let messages = reply.messages.iter().filter_map(|message| Route::parse(&message.payload).ok());
        let routes: Vec<_> = messages.collect();
        let context = show::context(ip, &routes)?;
        ip.printer.open_document();
        routes.iter().for_each(|route| route::print(&mut ip.printer, route, &context, &Hidden::default()));
        ip.printer.close_document();
    }
    Ok(())
}

fn refused(ip: &mut Ip<'_>, change: &RouteChange, error: &RequestError) -> Result<(), Failure> {
    let (errno, message) = (error.errno(), error.message());
    let failure = Failure::kernel(error).trying(change::attempt(change.verb, &change.destination));
    let facts = facts(ip)?;
    Err(hint::hints(change, errno, message, &facts).into_iter().fold(failure, Failure::hint))
}

/// Asks what helps to understand a refusal; what the kernel does not tell stays unknown.
///
/// # Errors
/// The socket cannot be opened.
pub fn facts(ip: &mut Ip<'_>) -> Result<Facts, Failure> {
    let socket = ip.socket()?;
    let links = socket.links(&LinkFilter::without_stats()).unwrap_or_default();
    let addresses = socket.addresses(&AddressFilter::all()).unwrap_or_default();
    let routes = socket.routes(&Route::default()).unwrap_or_default();
    let nexthops = socket.nexthops(&vwire_netlink::Nexthop::default()).unwrap_or_default();
    let is_up = |index: u32| links.iter().any(|link| link.index == index && link.flags & 1 != 0);
    let names: HashMap<u32, Vec<u8>> =
        links.iter().filter_map(|link| Some((link.index, link.ifname.as_ref()?.as_bytes().to_vec()))).collect();
    let name = |index: u32| names.get(&index).map(|name| String::from_utf8_lossy(name).into_owned());
    let nearby = addresses.iter().filter_map(|address| {
        let own = address.local.or(address.address)?;
        Some(Nearby {
            address: own,
            network: address.address.unwrap_or(own),
            length: address.prefixlen,
            device: name(address.index)?,
            up: is_up(address.index),
        })
    });
    let nearby = nearby.collect();
    let devices = links.iter().filter_map(|link| Some((link.index, (name(link.index)?, is_up(link.index)))));
    let devices = devices.collect();
    let context = route::Context { links: names, ..show::names_only(ip) };
    let nexthops = nexthops.iter().filter_map(|hop| hop.id).collect();
    Ok(Facts { nearby, devices, routes, nexthops, context })
}
