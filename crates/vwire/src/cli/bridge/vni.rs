//! `bridge vni`: the networks that a VXLAN with a filter takes.

use std::net::IpAddr;

use vwire_netlink::wire::vni::{VniEntry, VniFilter};
use vwire_netlink::{MessageType, Request};

use super::kernel::{change, device, device_called, devices, list_below, tried};
use super::link::FAMILY;
use super::{lacking, numbers, pass_over, unknown_command};
use crate::cli::ip::options::Family;
use crate::cli::ip::prefix;
use crate::cli::ip::words::{Keyword, Words, exact, find, in_full};
use crate::cli::ip::{Failure, Ip};
use crate::out::bridge::vni;

/// `TUNNEL_MSG_FLAG_STATS`.
const STATS: u8 = 1;

/// What `bridge vni help` says.
const HELP: &str = "\
Usage: bridge vni [ show ] [ dev DEVICE ]
       bridge vni { add | del } vni VNI[-VNI][,VNI...] dev DEVICE [ group ADDRESS | remote ADDRESS ]

VNI is a number below 16777216.
";

#[derive(Clone, Copy)]
enum Command {
    Add,
    Delete,
    Show,
    Help,
}

const COMMANDS: &[Keyword<Command>] = &[
    exact("add", Command::Add),
    exact("delete", Command::Delete),
    exact("del", Command::Delete),
    exact("show", Command::Show),
    exact("lst", Command::Show),
    exact("list", Command::Show),
    exact("help", Command::Help),
];

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on networks; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Add) => modify(ip, words, Request::new_vnis),
        Some(Command::Delete) => modify(ip, words, Request::del_vnis),
        Some(Command::Show) => show(ip, words),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(unknown_command(word, "vni", COMMANDS)),
    }
}

fn show(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut name = None;
    while let Some(word) = words.next() {
        if word != b"dev" {
            pass_over(ip.persona, word, &["dev"])?;
            continue;
        }
        let value = words.value()?;
        if name.replace(value).is_some() {
            return Err(Failure::duplicate("dev", value));
        }
    }
    let index = name.map(|name| device(ip, name)).transpose()?;
    let flags = if ip.options.stats > 0 { STATS } else { 0 };
    let filter = VniFilter { family: FAMILY, flags, index: index.unwrap_or(0), ..VniFilter::default() };
    // `bridge` spells it so.
    let end = "Dump ternminated";
    let request = Request::dump(MessageType::GETTUNNEL, &filter);
    let all: Vec<VniFilter> = list_below(ip, &request, vni::print_head, end)?;
    let devices = devices(ip)?;
    for filter in all.iter().filter(|filter| index.is_none_or(|index| filter.index == index)) {
        vni::print(&mut ip.printer, filter, &devices);
        ip.flush_if_much();
    }
    ip.printer.close_document();
    Ok(())
}

fn modify(ip: &mut Ip<'_>, words: &mut Words<'_>, request: impl Fn(&VniFilter) -> Request) -> Result<(), Failure> {
    let (mut name, mut networks, mut address): (_, _, Option<IpAddr>) = (None, None, None);
    while let Some(word) = words.next() {
        match word {
            b"dev" => name = Some(words.value()?),
            b"vni" => {
                let value = words.value()?;
                if networks.replace(value).is_some() {
                    return Err(Failure::duplicate("vni", value));
                }
            }
            b"group" | b"remote" => {
                let value = words.value()?;
                if address.is_some() {
                    return Err(Failure::duplicate("destination", value));
                }
                let read = prefix::address(value, Family::Unspec)?.address;
                if word == b"group" && !read.is_some_and(|address| address.is_multicast()) {
                    return Err(Failure::invalid(value, "invalid group address"));
                }
                address = read;
            }
            b"help" => return Err(Failure::usage(HELP)),
            word => pass_over(ip.persona, word, &["dev", "vni", "group", "remote"])?,
        }
    }
    let (Some(name), Some(networks)) = (name, networks) else {
        let cause = "the command does not say which network of which device";
        return Err(lacking("Device and VNI ID are required arguments.", cause, "vni add vni 100 dev NAME"));
    };
    let tried = tried("change the networks of VXLAN", name);
    let index = device_called(ip, "vxlan device", name).map_err(|failure| failure.trying(tried.clone()))?;
    let filter = VniFilter { family: FAMILY, index, entry: entries(networks, address), ..VniFilter::default() };
    change(ip, &request(&filter), tried).map(drop)
}

/// Reads `N,N-N,…`.
fn entries(networks: &[u8], address: Option<IpAddr>) -> Vec<VniEntry> {
    let one = |network: &[u8]| {
        let (first, last) = match network.iter().position(|byte| *byte == b'-') {
            Some(dash) => (numbers::atoi(&network[..dash]), numbers::atoi(&network[dash + 1..])),
            None => (numbers::atoi(network), 0),
        };
        let (group, group6) = match address {
            Some(IpAddr::V4(address)) => (Some(address), None),
            Some(IpAddr::V6(address)) => (None, Some(address)),
            None => (None, None),
        };
        let end = Some(last.cast_unsigned()).filter(|last| *last != 0);
        VniEntry { start: Some(first.cast_unsigned()), end, group, group6, ..VniEntry::default() }
    };
    networks.split(|byte| *byte == b',').filter(|network| !network.is_empty()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_a_list_of_numbers_and_ranges() {
        let read = entries(b"10,20-30", Some([239, 1, 1, 1].into()));
        let ends: Vec<_> = read.iter().map(|entry| (entry.start.unwrap(), entry.end)).collect();
        assert_eq!(ends, [(10, None), (20, Some(30))]);
        assert!(read.iter().all(|entry| entry.group.is_some() && entry.group6.is_none()));
    }
}
