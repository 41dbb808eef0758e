//! The options of a bridge's port.

use vwire_netlink::wire::link::bridge::BridgePort;

use super::grammar::{Grammar, Row, Takes};
use crate::cli::ip::words::Words;
use crate::cli::ip::{Failure, Ip};

/// What a switch takes.
const SWITCH: &str = "on|off";

/// In `ip`'s order: the first row that a word begins wins.
const ROWS: &[Row<BridgePort>] = &[
    Row::new("fdb_flush", "", Takes::Nothing(|b| b.flush = true)),
    Row::new("state", "0..4", Takes::U8("state is invalid", |b, v| b.state = Some(v))),
    Row::new("priority", "N", Takes::U16("priority is invalid", |b, v| b.priority = Some(v))),
    Row::new("cost", "N", Takes::U32("cost is invalid", |b, v| b.cost = Some(v))),
    Row::new("hairpin", SWITCH, Takes::OffOn(|b, v| b.mode = Some(v))),
    Row::new("guard", SWITCH, Takes::OffOn(|b, v| b.guard = Some(v))),
    Row::new("root_block", SWITCH, Takes::OffOn(|b, v| b.protect = Some(v))),
    Row::new("fastleave", SWITCH, Takes::OffOn(|b, v| b.fast_leave = Some(v))),
    Row::new("learning", SWITCH, Takes::OffOn(|b, v| b.learning = Some(v))),
    Row::new("flood", SWITCH, Takes::OffOn(|b, v| b.unicast_flood = Some(v))),
    Row::new("mcast_flood", SWITCH, Takes::OffOn(|b, v| b.mcast_flood = Some(v))),
    Row::new("bcast_flood", SWITCH, Takes::OffOn(|b, v| b.bcast_flood = Some(v))),
    Row::new("mcast_to_unicast", SWITCH, Takes::OffOn(|b, v| b.mcast_to_ucast = Some(v))),
    Row::new("proxy_arp", SWITCH, Takes::OffOn(|b, v| b.proxyarp = Some(v))),
    Row::new("proxy_arp_wifi", SWITCH, Takes::OffOn(|b, v| b.proxyarp_wifi = Some(v))),
    Row::new("mcast_router", "0|1|2", Takes::U8("invalid mcast_router", |b, v| b.multicast_router = Some(v))),
    Row::new("mcast_fast_leave", SWITCH, Takes::OffOn(|b, v| b.fast_leave = Some(v))),
    Row::new("neigh_suppress", SWITCH, Takes::OffOn(|b, v| b.neigh_suppress = Some(v))),
    Row::exact("neigh_vlan_suppress", SWITCH, Takes::OffOn(|b, v| b.neigh_vlan_suppress = Some(v))),
    Row::exact("neigh_forward_grat", SWITCH, Takes::OffOn(|b, v| b.neigh_forward_grat = Some(v))),
    Row::new("group_fwd_mask", "MASK", Takes::U16("invalid group_fwd_mask", |b, v| b.group_fwd_mask = Some(v))),
    Row::new("vlan_tunnel", SWITCH, Takes::OffOn(|b, v| b.vlan_tunnel = Some(v))),
    Row::new("isolated", SWITCH, Takes::OffOn(|b, v| b.isolated = Some(v))),
    Row::new("locked", SWITCH, Takes::OffOn(|b, v| b.locked = Some(v))),
    Row::exact("mab", SWITCH, Takes::OffOn(|b, v| b.mab = Some(v))),
    Row::new("backup_port", "DEV", Takes::Special(backup_port)),
    Row::new("nobackup_port", "", Takes::Nothing(|b| b.backup_port = Some(0))),
    Row::exact("backup_nhid", "ID", Takes::U32("backup_nhid is invalid", |b, v| b.backup_nhid = Some(v))),
];

/// The options of a bridge's port.
pub(super) const GRAMMAR: Grammar<BridgePort> = Grammar {
    noun: "option",
    rows: ROWS,
    notes: "state := 0 disabled | 1 listening | 2 learning | 3 forwarding | 4 blocking\n",
};

fn backup_port(ip: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, port: &mut BridgePort) -> Result<(), Failure> {
    let name = words.value()?;
    let index = ip.device(name)?;
    port.backup_port = Some(index.ok_or_else(|| Failure::invalid(name, "Device does not exist\n"))?);
    Ok(())
}
