//! The options of ipvlan and ipvtap.

use vwire_netlink::wire::link::ipvlan::Ipvlan;

use super::grammar::{Grammar, Row, Takes};
use crate::cli::ip::failure::EXIT_SEMANTIC;
use crate::cli::ip::words::{Words, shown};
use crate::cli::ip::{Failure, Ip};

/// In `ip`'s order: the first row that a word begins wins.
const ROWS: &[Row<Ipvlan>] = &[
    Row::new("mode", "l3|l3s|l2", Takes::Special(mode)),
    Row::new("private", "", Takes::NothingIf(is_unset, |ipvlan| ipvlan.flags = Some(1))),
    Row::new("vepa", "", Takes::NothingIf(is_unset, |ipvlan| ipvlan.flags = Some(2))),
    Row::new("bridge", "", Takes::NothingIf(is_unset, |ipvlan| ipvlan.flags = Some(0))),
];

/// The options of ipvlan and ipvtap.
pub(super) const GRAMMAR: Grammar<Ipvlan> = Grammar {
    noun: "option",
    rows: ROWS,
    notes: "One of private, vepa and bridge; `link DEV` before `type` says which link it is on\n",
};

/// Reads all options; the flags are always sent.
pub(super) fn read(ip: &mut Ip<'_>, kind: &str, words: &mut Words<'_>) -> Result<Ipvlan, Failure> {
    let mut ipvlan = GRAMMAR.read(ip, kind, words).map_err(|failure| failure.hint("l2, l3 and l3s are modes"))?;
    ipvlan.flags.get_or_insert(0);
    Ok(ipvlan)
}

fn mode(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, ipvlan: &mut Ipvlan) -> Result<(), Failure> {
    ipvlan.mode = Some(match words.value()? {
        b"l2" => 0,
        b"l3" => 1,
        b"l3s" => 2,
        other => {
            return Err(Failure::new(
                EXIT_SEMANTIC,
                "Error: argument of \"mode\" must be either \"l2\", \"l3\" or \"l3s\"",
                format!("`mode` takes l2, l3 or l3s, not `{}`", shown(other)),
            ));
        }
    });
    Ok(())
}

/// One of `IPVLAN_F_*` (`linux/if_link.h`) may be said, once.
fn is_unset(ipvlan: &Ipvlan) -> bool {
    ipvlan.flags.is_none()
}
