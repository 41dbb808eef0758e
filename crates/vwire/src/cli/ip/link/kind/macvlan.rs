//! The options of macvlan and macvtap.

use vwire_netlink::wire::link::macvlan::{MacAddresses, Macvlan};

use super::super::words::{address, integer};
use super::grammar::{Grammar, Row, Takes, silent};
use crate::cli::ip::failure::EXIT_SEMANTIC;
use crate::cli::ip::words::{Words, number_as, shown};
use crate::cli::ip::{Failure, Ip, Persona};

/// `MACVLAN_MODE_PASSTHRU` (`linux/if_link.h`).
const PASSTHRU: u32 = 8;
/// `MACVLAN_FLAG_NOPROMISC`.
const NO_PROMISC: u16 = 1;
/// `MACVLAN_FLAG_NODST`.
const NO_DST: u16 = 2;

/// The modes and their `MACVLAN_MODE_*`.
const MODES: [(&str, u32); 5] = [("private", 1), ("vepa", 2), ("bridge", 4), ("passthru", PASSTHRU), ("source", 16)];

/// In `ip`'s order: the first row that a word begins wins.
const ROWS: &[Row<Macvlan>] = &[
    Row::new("mode", "private|vepa|bridge|passthru|source", Takes::Special(mode)),
    Row::new("flag", "nopromisc|nodst|null", Takes::Special(flag)),
    Row::new("macaddr", "ADDRESSES", Takes::Special(sources)),
    Row::new("nopromisc", "", Takes::Nothing(|macvlan| add_flag(macvlan, NO_PROMISC))),
    Row::new("nodst", "", Takes::Nothing(|macvlan| add_flag(macvlan, NO_DST))),
    Row::new("bcqueuelen", "N", Takes::Special(queue_length)),
    Row::exact("bclim", "N", Takes::Special(limit)),
];

/// The options of macvlan and macvtap.
pub(super) const GRAMMAR: Grammar<Macvlan> = Grammar {
    noun: "option",
    rows: ROWS,
    notes: "ADDRESSES := add LLADDR | del LLADDR | set [ LLADDR... ] | flush   in mode source\n\
            `link DEV` before `type` says which link it is on\n",
};

/// Reads all options, and what must hold between them.
pub(super) fn read(ip: &mut Ip<'_>, kind: &str, words: &mut Words<'_>) -> Result<Macvlan, Failure> {
    let macvlan = GRAMMAR.read(ip, kind, words)?;
    if macvlan.flags.unwrap_or(0) & NO_PROMISC != 0 && macvlan.mode != Some(PASSTHRU) {
        let message = "nopromisc flag only valid in passthru mode";
        let failure = GRAMMAR.refuse(kind, message, "`nopromisc` goes with `mode passthru` alone");
        return Err(failure.hint("the kernel takes the link below into promiscuous mode only in mode passthru"));
    }
    Ok(macvlan)
}

fn add_flag(macvlan: &mut Macvlan, flag: u16) {
    macvlan.flags = Some(macvlan.flags.unwrap_or(0) | flag);
}

fn mode(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, macvlan: &mut Macvlan) -> Result<(), Failure> {
    let value = words.value()?;
    let mode = MODES.iter().find(|(name, _)| name.as_bytes() == value);
    let (_, mode) = mode.ok_or_else(|| Failure::not_one_of("mode", &MODES.map(|(name, _)| name), value))?;
    macvlan.mode = Some(*mode);
    Ok(())
}

fn flag(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, macvlan: &mut Macvlan) -> Result<(), Failure> {
    match words.value()? {
        b"nopromisc" => add_flag(macvlan, NO_PROMISC),
        b"nodst" => add_flag(macvlan, NO_DST),
        b"null" => add_flag(macvlan, 0),
        other => return Err(Failure::not_one_of("flag", &["nopromisc", "nodst", "null"], other)),
    }
    Ok(())
}

fn sources(ip: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, macvlan: &mut Macvlan) -> Result<(), Failure> {
    let word = words.value()?;
    let actions: [(&[u8], u32); 4] = [(b"add", 0), (b"del", 1), (b"flush", 2), (b"set", 3)];
    let Some((_, action)) = actions.iter().find(|(name, _)| *name == word) else {
        let usage = GRAMMAR.usage("macvlan");
        let cause = format!("`macaddr` takes add, del, set or flush, not `{}`", shown(word));
        return Err(match ip.persona {
            Persona::Ip => Failure::verbatim(EXIT_SEMANTIC, usage),
            Persona::Vwire => Failure::new(EXIT_SEMANTIC, usage, cause),
        });
    };
    macvlan.macaddr_mode = Some(*action);
    match word {
        b"add" | b"del" => {
            let value = words.value()?;
            let octets = <[u8; 6]>::try_from(address(value)?);
            let cause = || format!("`{}` is no address of six octets", shown(value));
            macvlan.macaddr = Some(octets.map_err(|_| silent(ip, cause()))?);
        }
        b"set" => macvlan.macaddr_data = Some(addresses(ip, words)),
        _ => {}
    }
    Ok(())
}

/// Reads addresses up to the first word that is none; `ip` complains of that word and goes on.
fn addresses(ip: &mut Ip<'_>, words: &mut Words<'_>) -> MacAddresses {
    let mut read = MacAddresses::default();
    while let Some(word) = words.peek() {
        match address(word).map(<[u8; 6]>::try_from) {
            Ok(Ok(octets)) => read.macaddr.push(octets),
            Ok(Err(_)) => break,
            Err(failure) => {
                if ip.persona == Persona::Ip {
                    ip.say(&failure.render(Persona::Ip));
                }
                break;
            }
        }
        words.next();
    }
    read
}

fn queue_length(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, macvlan: &mut Macvlan) -> Result<(), Failure> {
    let value = words.value()?;
    let length = number_as(value).ok_or_else(|| {
        let value = shown(value);
        Failure::new(
            EXIT_SEMANTIC,
            format!("Error: argument of \"bcqueuelen\" must be a positive integer [0-4294967295], not \"{value}\""),
            format!("`bcqueuelen` takes a number from 0 to 4294967295, not `{value}`"),
        )
    })?;
    macvlan.bc_queue_len = Some(length);
    Ok(())
}

fn limit(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, macvlan: &mut Macvlan) -> Result<(), Failure> {
    let value = words.value()?;
    let limit = integer(value).ok_or_else(|| {
        let value = shown(value);
        Failure::new(
            EXIT_SEMANTIC,
            format!("Error: illegal value for \"bclim\": \"{value}\""),
            format!("`bclim` takes a number of 32 bits, not `{value}`"),
        )
    })?;
    macvlan.bc_cutoff = Some(limit);
    Ok(())
}
