//! The options of a netkit pair; the other end's stand behind `peer`.

use vwire_netlink::wire::link::netkit::Netkit;

use super::ReadPeer;
use super::grammar::{Grammar, Row, Takes};
use crate::cli::ip::failure::EXIT_SEMANTIC;
use crate::cli::ip::words::{Words, shown};
use crate::cli::ip::{Failure, Ip};

/// For the usage and for what is near a misspelled word; [`read`] reads.
const ROWS: &[Row<Netkit>] = &[
    Row::exact("mode", "l3|l2", Takes::Nothing(|_| {})),
    Row::exact("forward", "", Takes::Nothing(|_| {})),
    Row::exact("blackhole", "", Takes::Nothing(|_| {})),
    Row::exact("scrub", "default|none", Takes::Nothing(|_| {})),
    Row::exact("peer", "OPTION...", Takes::Nothing(|_| {})),
];

/// The options of a netkit pair.
pub(super) const GRAMMAR: Grammar<Netkit> = Grammar {
    noun: "option",
    rows: ROWS,
    notes: "OPTION := forward | blackhole | scrub default|none, then what `ip link add` takes\n",
};

/// Reads all options.
pub(super) fn read(ip: &mut Ip<'_>, words: &mut Words<'_>, peer: &mut ReadPeer<'_>) -> Result<Netkit, Failure> {
    let mut netkit = Netkit::default();
    let mut behind_peer = false;
    while let Some(word) = words.peek() {
        match word {
            b"mode" => {
                words.next();
                mode(words, &mut netkit)?;
            }
            // NETKIT_PASS and NETKIT_DROP of linux/if_link.h.
            b"forward" | b"blackhole" => {
                words.next();
                let policy = Some(if word == b"forward" { 0 } else { 2 });
                *(if behind_peer { &mut netkit.peer_policy } else { &mut netkit.policy }) = policy;
            }
            b"peer" => {
                words.next();
                if behind_peer {
                    return Err(Failure::duplicate("peer", words.peek().unwrap_or(b"(null)")));
                }
                behind_peer = true;
            }
            b"scrub" => {
                words.next();
                let scrub = Some(scrub(words.value()?)?);
                *(if behind_peer { &mut netkit.peer_scrub } else { &mut netkit.scrub }) = scrub;
            }
            _ if behind_peer => {
                netkit.peer_info = Some(Box::new(super::read_peer(ip, words, peer)?));
                break;
            }
            other => return Err(GRAMMAR.unknown("netkit", other)),
        }
    }
    Ok(netkit)
}

fn mode(words: &mut Words<'_>, netkit: &mut Netkit) -> Result<(), Failure> {
    let value = words.value()?;
    if netkit.mode.is_some() {
        return Err(Failure::duplicate("mode", value));
    }
    netkit.mode = Some(match value {
        b"l2" => 0,
        b"l3" => 1,
        other => return Err(either("argument of \"mode\"", "mode", "l3", "l2", other)),
    });
    Ok(())
}

/// Reads `NETKIT_SCRUB_*` (`linux/if_link.h`).
fn scrub(value: &[u8]) -> Result<u32, Failure> {
    match value {
        b"none" => Ok(0),
        b"default" => Ok(1),
        other => Err(either("scrub", "scrub", "none", "default", other)),
    }
}

fn either(subject: &str, word: &str, one: &str, two: &str, value: &[u8]) -> Failure {
    Failure::new(
        EXIT_SEMANTIC,
        format!("Error: {subject} must be either \"{one}\" or \"{two}\""),
        format!("`{word}` takes {one} or {two}, not `{}`", shown(value)),
    )
}
