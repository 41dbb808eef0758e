//! `ip token`: the lower half of the addresses that IPv6 makes of what routers advertise.

use std::net::{IpAddr, Ipv6Addr};

use vwire_netlink::wire::link::{AfInet6, AfSpec};
use vwire_netlink::{Link, MessageType, Request};

use super::failure::{EXIT_SEMANTIC, EXIT_USAGE};
use super::kernel::{list_refused, refusal};
use super::options::Family;
use super::words::{Keyword, Words, begins, find, in_full, prefix, shown};
use super::{Failure, Ip, Persona};
use crate::out::token;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Show,
    Set,
    Delete,
    Help,
}

/// In `ip`'s order: the first that a word begins wins.
const COMMANDS: &[Keyword<Command>] = &[
    prefix("list", Command::Show),
    prefix("lst", Command::Show),
    prefix("show", Command::Show),
    prefix("set", Command::Set),
    prefix("add", Command::Set),
    prefix("delete", Command::Delete),
    prefix("get", Command::Show),
    prefix("help", Command::Help),
];

/// What `ip token help` says.
pub const HELP: &str = "\
Usage: vwire token [ { show | get } [ dev DEVICE ] ]
       vwire token set TOKEN dev DEVICE
       vwire token del dev DEVICE

Where a router advertises a prefix, the device's address is the prefix and the TOKEN, as in ::53.
";

/// `IFF_LOOPBACK | IFF_NOARP`: such a device makes no addresses.
const MAKES_NONE: u32 = 0x8 | 0x80;
/// `IFLA_INET6_TOKEN`.
const TOKEN: u16 = 7;
/// `EINVAL`.
const EINVAL: i32 = 22;

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on tokens; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Show) => show(ip, words),
        Some(Command::Set) => set(ip, words, None),
        Some(Command::Delete) => set(ip, words, Some(Ipv6Addr::UNSPECIFIED)),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(Failure::unknown_command(word, "token")),
    }
}

fn show(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut device = None;
    while let Some(word) = words.next() {
        if word == b"dev" {
            device = Some(index_of(ip, words.value()?)?);
            break;
        }
        if ip.persona == Persona::Vwire {
            return Err(Failure::duplicate_or_garbage("dev", word).hint("as in `vwire token show dev v0`"));
        }
    }
    let filter = Link { family: Family::Inet6.number(), ..Link::default() };
    let links = ip.socket()?.dump_bodies::<Link>(&Request::dump(MessageType::GETLINK, &filter));
    ip.printer.open_document();
    let result = match &links {
        Ok(links) => print(ip, links, device),
        Err(error) => Err(list_refused(error, EXIT_SEMANTIC, "Dump terminated").trying("cannot list the tokens")),
    };
    ip.printer.close_document();
    result
}

fn print(ip: &mut Ip<'_>, links: &[Link], device: Option<u32>) -> Result<(), Failure> {
    let inet6 = links.iter().filter(|link| link.family == Family::Inet6.number());
    for link in inet6.filter(|link| device.is_none_or(|device| device == link.index) && link.flags & MAKES_NONE == 0) {
        let Some(address) = token_of(link) else {
            let said = "Seems there's no support for IPv6 token!\nDump terminated";
            return Err(Failure::new(EXIT_SEMANTIC, said, "this kernel knows no tokens"));
        };
        let name = match &link.ifname {
            Some(name) => name.as_bytes().to_vec(),
            None => ip.device_name(link.index)?,
        };
        ip.printer.open_object(None);
        token::print(&mut ip.printer, address, &name);
        ip.printer.close_object();
    }
    Ok(())
}

fn token_of(link: &Link) -> Option<Ipv6Addr> {
    let token = link.protinfo.as_ref()?.attributes().find(|attribute| attribute.number() == TOKEN)?;
    Some(Ipv6Addr::from(*token.payload().first_chunk::<16>()?))
}

/// Sets a token; where it is given, words that look like one are passed over.
fn set(ip: &mut Ip<'_>, words: &mut Words<'_>, mut address: Option<Ipv6Addr>) -> Result<(), Failure> {
    let mut device = None;
    let attempt = if address.is_some() { "cannot delete the token" } else { "cannot set a token" };
    while let Some(word) = words.next() {
        if word == b"dev" {
            let name = words.value()?;
            if device.is_none() {
                device = Some((name, index_of(ip, name).map_err(|failure| failure.of_subject().trying(attempt))?));
            }
        } else if begins("help", word) {
            return Err(Failure::usage(HELP));
        } else if address.is_none() {
            let prefix =
                super::prefix::prefix(word, Family::Inet6).map_err(|failure| failure.trying("cannot set a token"))?;
            address = Some(match prefix.address {
                Some(IpAddr::V6(address)) => address,
                _ => Ipv6Addr::UNSPECIFIED,
            });
        }
    }
    let missing = |said: &str, what: &str| {
        Failure::new(EXIT_SEMANTIC, format!("Not enough information: {said} required."), format!("{what} is missing"))
            .hint("as in `vwire token set ::53 dev v0`")
    };
    let address = address.ok_or_else(|| missing("token is", "the token"))?;
    let (name, index) = device.ok_or_else(|| missing("\"dev\" argument is", "the device"))?;
    let inet6 = AfInet6 { token: Some(address), ..AfInet6::default() };
    let families = AfSpec { inet6: Some(Box::new(inet6)), ..AfSpec::default() };
    let link = Link { family: Family::Inet6.number(), index, af_spec: Some(Box::new(families)), ..Link::default() };
    ip.submit(&Request::new(MessageType::SETLINK, 0, &link))?.map(|_| ()).map_err(|error| {
        let failure = refusal(&error).trying(format!("{attempt} of `{}`", shown(name)));
        match error.errno() {
            EINVAL => failure.hint(
                "a device takes a token where it takes router advertisements: not a loopback, not one without ARP, \
                 and not while it forwards (`vwire -6 netconf show dev DEVICE`)",
            ),
            _ => failure,
        }
    })
}

fn index_of(ip: &mut Ip<'_>, name: &[u8]) -> Result<u32, Failure> {
    let missing =
        || Failure::invalid(name, "dev is invalid\n").with_exit(EXIT_USAGE).hint("`vwire ls` lists the devices");
    ip.device(name)?.ok_or_else(missing)
}
