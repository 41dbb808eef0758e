//! The options of a bridge.

use vwire_netlink::LinkAddress;
use vwire_netlink::wire::link::bridge::{BoolOptions, Bridge};

use super::super::words::address;
use super::grammar::{Grammar, Row, Takes, not_one_of, silent, warn};
use crate::cli::ip::words::{Words, begins, number_as, shown};
use crate::cli::ip::{Failure, Ip};
use crate::out::kind::protocol;

/// The words for `BR_STP_MODE_*` (`linux/if_link.h`).
const STP_MODES: [&str; 3] = ["auto", "user", "kernel"];

/// In `ip`'s order: the first row that a word begins wins.
const ROWS: &[Row<Bridge>] = &[
    Row::new("forward_delay", "TIME", Takes::U32("invalid forward_delay", |b, v| b.forward_delay = Some(v))),
    Row::new("hello_time", "TIME", Takes::U32("invalid hello_time", |b, v| b.hello_time = Some(v))),
    Row::new("max_age", "TIME", Takes::U32("invalid max_age", |b, v| b.max_age = Some(v))),
    Row::new("ageing_time", "TIME", Takes::U32("invalid ageing_time", |b, v| b.ageing_time = Some(v))),
    Row::new("stp_state", "0|1", Takes::U32("invalid stp_state", |b, v| b.stp_state = Some(v))),
    Row::exact("stp_mode", "auto|user|kernel", Takes::Special(stp_mode)),
    Row::new("priority", "N", Takes::U16("invalid priority", |b, v| b.priority = Some(v))),
    Row::new("vlan_filtering", "0|1", Takes::U8("invalid vlan_filtering", |b, v| b.vlan_filtering = Some(v))),
    Row::new("vlan_protocol", "802.1Q|802.1ad", Takes::Special(vlan_protocol)),
    Row::new("group_fwd_mask", "MASK", Takes::U16("invalid group_fwd_mask", |b, v| b.group_fwd_mask = Some(v))),
    Row::new("group_address", "LLADDR", Takes::Special(group_address)),
    Row::exact("no_linklocal_learn", "0|1", Takes::U8("invalid no_linklocal_learn", |b, v| option(b, 0, v))),
    Row::exact("mst_enabled", "0|1", Takes::U8("invalid mst_enabled", |b, v| option(b, 2, v))),
    Row::exact("fdb_max_learned", "N", Takes::U32("invalid fdb_max_learned", |b, v| b.fdb_max_learned = Some(v))),
    Row::new("fdb_flush", "", Takes::Nothing(|b| b.fdb_flush = true)),
    Row::new("vlan_default_pvid", "VID", Takes::U16("invalid vlan_default_pvid", |b, v| b.vlan_default_pvid = Some(v))),
    Row::new(
        "vlan_stats_enabled",
        "0|1",
        Takes::U8("invalid vlan_stats_enabled", |b, v| b.vlan_stats_enabled = Some(v)),
    ),
    Row::new(
        "vlan_stats_per_port",
        "0|1",
        Takes::U8("invalid vlan_stats_per_port", |b, v| b.vlan_stats_per_port = Some(v)),
    ),
    Row::new("mcast_router", "0|1|2", Takes::U8("invalid mcast_router", |b, v| b.mcast_router = Some(v))),
    Row::new("mcast_snooping", "0|1", Takes::U8("invalid mcast_snooping", |b, v| b.mcast_snooping = Some(v))),
    Row::exact("mcast_vlan_snooping", "0|1", Takes::U8("invalid mcast_vlan_snooping", |b, v| option(b, 1, v))),
    Row::new(
        "mcast_query_use_ifaddr",
        "0|1",
        Takes::U8("invalid mcast_query_use_ifaddr", |b, v| b.mcast_query_use_ifaddr = Some(v)),
    ),
    Row::new("mcast_querier", "0|1", Takes::U8("invalid mcast_querier", |b, v| b.mcast_querier = Some(v))),
    Row::new(
        "mcast_hash_elasticity",
        "N",
        Takes::U32("invalid mcast_hash_elasticity", |b, v| b.mcast_hash_elasticity = Some(v)),
    ),
    Row::new("mcast_hash_max", "N", Takes::U32("invalid mcast_hash_max", |b, v| b.mcast_hash_max = Some(v))),
    Row::new(
        "mcast_last_member_count",
        "N",
        Takes::U32("invalid mcast_last_member_count", |b, v| b.mcast_last_member_cnt = Some(v)),
    ),
    Row::new(
        "mcast_startup_query_count",
        "N",
        Takes::U32("invalid mcast_startup_query_count", |b, v| b.mcast_startup_query_cnt = Some(v)),
    ),
    Row::new(
        "mcast_last_member_interval",
        "TIME",
        Takes::U64("invalid mcast_last_member_interval", |b, v| b.mcast_last_member_intvl = Some(v)),
    ),
    Row::new(
        "mcast_membership_interval",
        "TIME",
        Takes::U64("invalid mcast_membership_interval", |b, v| b.mcast_membership_intvl = Some(v)),
    ),
    Row::new(
        "mcast_querier_interval",
        "TIME",
        Takes::U64("invalid mcast_querier_interval", |b, v| b.mcast_querier_intvl = Some(v)),
    ),
    Row::new(
        "mcast_query_interval",
        "TIME",
        Takes::U64("invalid mcast_query_interval", |b, v| b.mcast_query_intvl = Some(v)),
    ),
    Row::new(
        "mcast_query_response_interval",
        "TIME",
        Takes::U64("invalid mcast_query_response_interval", |b, v| b.mcast_query_response_intvl = Some(v)),
    ),
    Row::new(
        "mcast_startup_query_interval",
        "TIME",
        Takes::U64("invalid mcast_startup_query_interval", |b, v| b.mcast_startup_query_intvl = Some(v)),
    ),
    Row::new(
        "mcast_stats_enabled",
        "0|1",
        Takes::U8("invalid mcast_stats_enabled", |b, v| b.mcast_stats_enabled = Some(v)),
    ),
    Row::new(
        "mcast_igmp_version",
        "2|3",
        Takes::U8("invalid mcast_igmp_version", |b, v| b.mcast_igmp_version = Some(v)),
    ),
    Row::new("mcast_mld_version", "1|2", Takes::U8("invalid mcast_mld_version", |b, v| b.mcast_mld_version = Some(v))),
    Row::new("nf_call_iptables", "0|1", Takes::U8("invalid nf_call_iptables", |b, v| b.nf_call_iptables = Some(v))),
    Row::new("nf_call_ip6tables", "0|1", Takes::U8("invalid nf_call_ip6tables", |b, v| b.nf_call_ip6tables = Some(v))),
    Row::new("nf_call_arptables", "0|1", Takes::U8("invalid nf_call_arptables", |b, v| b.nf_call_arptables = Some(v))),
    Row::exact(
        "mdb_offload_fail_notification",
        "0|1",
        Takes::U8("invalid mdb_offload_fail_notification", |b, v| option(b, 3, v)),
    ),
    Row::exact("fdb_local_vlan_0", "0|1", Takes::U8("invalid fdb_local_vlan_0", |b, v| option(b, 4, v))),
];

/// The options of a bridge.
pub(super) const GRAMMAR: Grammar<Bridge> =
    Grammar { noun: "command", rows: ROWS, notes: "TIME := hundredths of a second\n" };

/// Sets a bit of `BR_BOOLOPT_*` (`linux/if_bridge.h`).
fn option(bridge: &mut Bridge, bit: u32, value: u8) {
    let BoolOptions { optval, optmask } = bridge.multi_boolopt.unwrap_or_default();
    let optval = if value != 0 { optval | 1 << bit } else { optval & !(1 << bit) };
    bridge.multi_boolopt = Some(BoolOptions { optval, optmask: optmask | 1 << bit });
}

fn stp_mode(ip: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, bridge: &mut Bridge) -> Result<(), Failure> {
    let value = words.value()?;
    let found = (0u32..).zip(STP_MODES).find(|(_, mode)| begins(mode, value));
    let (number, mode) = found.ok_or_else(|| not_one_of("stp_mode", &STP_MODES, value))?;
    if value.len() != mode.len() {
        let cut = shown(value);
        let theirs = format!(
            "WARNING: '{cut}' matches '{mode}' by prefix.\n\
             Matching by prefix is deprecated in this context, please use the full string.\n"
        );
        warn(ip, &theirs, &format!("warning: `{cut}` is taken for `{mode}`; write it in full\n"));
    }
    bridge.stp_mode = Some(number);
    Ok(())
}

fn vlan_protocol(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, bridge: &mut Bridge) -> Result<(), Failure> {
    bridge.vlan_protocol = Some(protocol_of(words, "invalid vlan_protocol")?);
    Ok(())
}

/// Reads an Ethernet protocol, by its name or its number.
pub(super) fn protocol_of(words: &mut Words<'_>, message: &str) -> Result<u16, Failure> {
    let value = words.value()?;
    let protocol = protocol::find(value).or_else(|| number_as(value));
    protocol.ok_or_else(|| Failure::invalid(value, message).hint("a VLAN's protocol is 802.1Q or 802.1ad"))
}

fn group_address(ip: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, bridge: &mut Bridge) -> Result<(), Failure> {
    let value = words.value()?;
    let group = LinkAddress::new(&address(value)?);
    bridge.group_addr =
        Some(group.ok_or_else(|| silent(ip, format!("`{}` is too long for an address", shown(value))))?);
    Ok(())
}
