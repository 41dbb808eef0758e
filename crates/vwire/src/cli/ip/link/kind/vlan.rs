//! The options of a VLAN.

use vwire_netlink::wire::link::vlan::{QosMapping, Vlan, VlanFlags, VlanQos};

use super::bridge::protocol_of;
use super::grammar::{Grammar, Row, Takes};
use crate::cli::ip::words::{Words, number_as};
use crate::cli::ip::{Failure, Ip};

/// In `ip`'s order: the first row that a word begins wins.
const ROWS: &[Row<Vlan>] = &[
    Row::new("protocol", "802.1Q|802.1ad", Takes::Special(protocol)),
    Row::new("id", "0..4095", Takes::U16("id is invalid", |vlan, id| vlan.id = Some(id))),
    Row::new("reorder_hdr", "on|off", Takes::Special(|_, _, words, vlan| flag("reorder_hdr", 0x1, words, vlan))),
    Row::new("gvrp", "on|off", Takes::Special(|_, _, words, vlan| flag("gvrp", 0x2, words, vlan))),
    Row::new("mvrp", "on|off", Takes::Special(|_, _, words, vlan| flag("mvrp", 0x8, words, vlan))),
    Row::new("loose_binding", "on|off", Takes::Special(|_, _, words, vlan| flag("loose_binding", 0x4, words, vlan))),
    Row::new("bridge_binding", "on|off", Takes::Special(|_, _, words, vlan| flag("bridge_binding", 0x10, words, vlan))),
    Row::new("ingress-qos-map", "FROM:TO...", Takes::Special(ingress)),
    Row::new("egress-qos-map", "FROM:TO...", Takes::Special(egress)),
];

/// The options of a VLAN.
pub(super) const GRAMMAR: Grammar<Vlan> =
    Grammar { noun: "command", rows: ROWS, notes: "`link DEV` before `type` says whose VLAN it is\n" };

fn protocol(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, vlan: &mut Vlan) -> Result<(), Failure> {
    vlan.protocol = Some(protocol_of(words, "protocol is invalid")?);
    Ok(())
}

/// Sets or clears one of `VLAN_FLAG_*` (`linux/if_vlan.h`).
fn flag(word: &str, flag: u32, words: &mut Words<'_>, vlan: &mut Vlan) -> Result<(), Failure> {
    let VlanFlags { flags, mask } = vlan.flags.unwrap_or_default();
    let flags = match words.value()? {
        b"on" => flags | flag,
        b"off" => flags & !flag,
        other => return Err(Failure::not_one_of(word, &["on", "off"], other)),
    };
    vlan.flags = Some(VlanFlags { flags, mask: mask | flag });
    Ok(())
}

fn ingress(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, vlan: &mut Vlan) -> Result<(), Failure> {
    vlan.ingress_qos = Some(map(words, "invalid ingress-qos-map")?);
    Ok(())
}

fn egress(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, vlan: &mut Vlan) -> Result<(), Failure> {
    vlan.egress_qos = Some(map(words, "invalid egress-qos-map")?);
    Ok(())
}

/// Reads pairs of priorities up to the first word without a colon.
fn map(words: &mut Words<'_>, message: &str) -> Result<VlanQos, Failure> {
    let mut qos = VlanQos::default();
    if words.is_empty() {
        return Err(Failure::incomplete());
    }
    while let Some(pair) = words.peek() {
        let Some(colon) = pair.iter().position(|byte| *byte == b':') else { break };
        let (from, to) = (&pair[..colon], &pair[colon + 1..]);
        let mapping = number_as(from).and_then(|from| Some(QosMapping { from, to: number_as(to)? }));
        qos.mapping.push(mapping.ok_or_else(|| Failure::invalid(from, message))?);
        words.next();
    }
    Ok(qos)
}
