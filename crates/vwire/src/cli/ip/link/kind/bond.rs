//! The options of a bond, and of a link in one.

use std::net::{IpAddr, Ipv6Addr};

use vwire_netlink::wire::link::bond::{Bond, BondSlave};
use vwire_netlink::wire::nest::Numbered;

use super::super::words::{address, integer};
use super::address::{self as ip_address, Family};
use super::grammar::{Grammar, Row, Takes, silent};
use crate::cli::ip::failure::EXIT_SEMANTIC;
use crate::cli::ip::words::{Words, shown};
use crate::cli::ip::{Failure, Ip};

/// The words for `BOND_MODE_*` (`linux/if_bonding.h`).
const MODES: &[&str] =
    &["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"];
/// The words for `BOND_ARP_VALIDATE_*` and their combinations with `BOND_ARP_FILTER`.
const ARP_VALIDATE: &[&str] = &["none", "active", "backup", "all", "filter", "filter_active", "filter_backup"];
/// The words for `BOND_XMIT_POLICY_*`.
const HASH_POLICIES: &[&str] = &["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"];
/// The words for `BOND_AD_*`.
const AD_SELECT: &[&str] = &["stable", "bandwidth", "count", "actor_port_prio"];
/// How many addresses to ask a bond takes (`BOND_MAX_ARP_TARGETS`).
const MAX_TARGETS: usize = 16;

/// Makes the row of an option that takes one of some words, or its place among them.
macro_rules! named {
    ($make:ident $word:literal, $values:literal, $words:expr, $field:ident) => {
        Row::$make(
            $word,
            $values,
            Takes::Special(|_, _, words, bond: &mut Bond| {
                let place = place_of(words, $words, concat!("invalid ", $word))?;
                bond.$field = Some(place.into());
                Ok(())
            }),
        )
    };
}

/// In `ip`'s order: the first row that a word begins wins.
const ROWS: &[Row<Bond>] = &[
    named!(new "mode", "MODE", MODES, mode),
    Row::new("active_slave", "DEV", Takes::Special(active_slave)),
    Row::new("clear_active_slave", "", Takes::Nothing(|bond| bond.active_slave = Some(0))),
    Row::new("miimon", "MS", Takes::U32("invalid miimon", |bond, v| bond.miimon = Some(v))),
    Row::new("updelay", "MS", Takes::U32("invalid updelay", |bond, v| bond.updelay = Some(v))),
    Row::new("downdelay", "MS", Takes::U32("invalid downdelay", |bond, v| bond.downdelay = Some(v))),
    Row::new(
        "peer_notify_delay",
        "MS",
        Takes::U32("invalid peer_notify_delay", |bond, v| bond.peer_notif_delay = Some(v)),
    ),
    Row::new("use_carrier", "0|1", Takes::U8("invalid use_carrier", |bond, v| bond.use_carrier = Some(v))),
    Row::new("arp_interval", "MS", Takes::U32("invalid arp_interval", |bond, v| bond.arp_interval = Some(v))),
    Row::new("arp_ip_target", "IPV4[,IPV4]...", Takes::Special(arp_targets)),
    Row::exact("ns_ip6_target", "IPV6[,IPV6]...", Takes::Special(ns_targets)),
    named!(new "arp_validate", "none|active|backup|all|filter|filter_active|filter_backup", ARP_VALIDATE, arp_validate),
    named!(new "arp_all_targets", "any|all", &["any", "all"], arp_all_targets),
    Row::exact("arp_missed_max", "N", Takes::U8("invalid arp_missed_max", |bond, v| bond.missed_max = Some(v))),
    Row::new("primary", "DEV", Takes::Special(primary)),
    named!(new "primary_reselect", "always|better|failure", &["always", "better", "failure"], primary_reselect),
    named!(new "fail_over_mac", "none|active|follow", &["none", "active", "follow"], fail_over_mac),
    named!(new "xmit_hash_policy", "POLICY", HASH_POLICIES, xmit_hash_policy),
    Row::new("resend_igmp", "N", Takes::U32("invalid resend_igmp", |bond, v| bond.resend_igmp = Some(v))),
    Row::new(
        "num_grat_arp",
        "N",
        Takes::U8("invalid num_grat_arp|num_unsol_na", |bond, v| bond.num_peer_notif = Some(v)),
    ),
    Row::new(
        "num_unsol_na",
        "N",
        Takes::U8("invalid num_grat_arp|num_unsol_na", |bond, v| bond.num_peer_notif = Some(v)),
    ),
    Row::new(
        "all_slaves_active",
        "0|1",
        Takes::U8("invalid all_slaves_active", |bond, v| bond.all_slaves_active = Some(v)),
    ),
    Row::new("min_links", "N", Takes::U32("invalid min_links", |bond, v| bond.min_links = Some(v))),
    Row::new("lp_interval", "SECONDS", Takes::U32("invalid lp_interval", |bond, v| bond.lp_interval = Some(v))),
    Row::new(
        "packets_per_slave",
        "N",
        Takes::U32("invalid packets_per_slave", |bond, v| bond.packets_per_slave = Some(v)),
    ),
    named!(new "lacp_rate", "slow|fast", &["slow", "fast"], ad_lacp_rate),
    named!(exact "lacp_active", "off|on", &["off", "on"], ad_lacp_active),
    Row::exact("coupled_control", "off|on", Takes::OffOn(|bond, v| bond.coupled_control = Some(v))),
    Row::exact("broadcast_neighbor", "off|on", Takes::OffOn(|bond, v| bond.broadcast_neigh = Some(v))),
    named!(new "ad_select", "stable|bandwidth|count|actor_port_prio", AD_SELECT, ad_select),
    Row::new(
        "ad_user_port_key",
        "N",
        Takes::U16("invalid ad_user_port_key", |bond, v| bond.ad_user_port_key = Some(v)),
    ),
    Row::new(
        "ad_actor_sys_prio",
        "N",
        Takes::U16("invalid ad_actor_sys_prio", |bond, v| bond.ad_actor_sys_prio = Some(v)),
    ),
    Row::new("ad_actor_system", "LLADDR", Takes::Special(actor_system)),
    Row::new("tlb_dynamic_lb", "0|1", Takes::U8("invalid tlb_dynamic_lb", |bond, v| bond.tlb_dynamic_lb = Some(v))),
];

/// The options of a bond.
pub(super) const GRAMMAR: Grammar<Bond> = Grammar {
    noun: "command",
    rows: ROWS,
    notes: "MODE   := balance-rr | active-backup | balance-xor | broadcast | 802.3ad | balance-tlb | balance-alb\n\
            POLICY := layer2 | layer3+4 | layer2+3 | encap2+3 | encap3+4 | vlan+srcmac\n",
};

/// The options of a link in a bond.
pub(super) const SLAVE: Grammar<BondSlave> = Grammar {
    noun: "option",
    rows: &[
        Row::new("queue_id", "N", Takes::U16("queue_id is invalid", |slave, v| slave.queue_id = Some(v))),
        Row::exact("prio", "N", Takes::Special(priority)),
        Row::exact(
            "actor_port_prio",
            "N",
            Takes::U16("actor prio is invalid", |slave, v| slave.actor_port_prio = Some(v)),
        ),
    ],
    notes: "",
};

/// Reads one of some words, or its place in decimal.
fn place_of(words: &mut Words<'_>, names: &[&str], message: &str) -> Result<u8, Failure> {
    let value = words.value()?;
    let number = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
    let place = number.filter(|place: &usize| *place < names.len());
    let place = place.or_else(|| names.iter().position(|name| name.as_bytes() == value));
    let place = place.and_then(|place| u8::try_from(place).ok());
    place.ok_or_else(|| Failure::invalid(value, message).hint(format!("it is one of {}", names.join(", "))))
}

fn device(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<Option<u32>, Failure> {
    let name = words.value()?;
    ip.device(name)?.map(Some).ok_or_else(|| Failure::no_device(name))
}

fn active_slave(ip: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, bond: &mut Bond) -> Result<(), Failure> {
    bond.active_slave = device(ip, words)?;
    Ok(())
}

fn primary(ip: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, bond: &mut Bond) -> Result<(), Failure> {
    bond.primary = device(ip, words)?;
    Ok(())
}

/// Cuts addresses at commas; more than the bond takes are left out, as `ip` leaves them out.
fn targets<'a>(words: &mut Words<'a>) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
    let list = words.next().unwrap_or_default();
    (0..).zip(list.split(|byte| *byte == b',').filter(|target| !target.is_empty()).take(MAX_TARGETS))
}

fn arp_targets(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, bond: &mut Bond) -> Result<(), Failure> {
    let read = |target: &[u8]| match ip_address::read(target, Family::V4) {
        Ok(Some(IpAddr::V4(address))) => Ok(address),
        _ => {
            let target = shown(target);
            let theirs = format!("Error: an IP address is expected rather than \"{target}\"");
            Err(Failure::new(EXIT_SEMANTIC, theirs, format!("`{target}` is no IPv4 address")))
        }
    };
    let list = targets(words).map(|(place, target)| Ok((place, read(target)?)));
    bond.arp_ip_target = Some(Numbered(list.collect::<Result<_, Failure>>()?));
    Ok(())
}

fn ns_targets(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, bond: &mut Bond) -> Result<(), Failure> {
    let read = |target: &[u8]| match ip_address::read(target, Family::V6) {
        Ok(Some(IpAddr::V6(address))) => Ok(address),
        Ok(_) => Ok(Ipv6Addr::UNSPECIFIED),
        Err(failure) => Err(failure),
    };
    let list = targets(words).map(|(place, target)| Ok((place, read(target)?)));
    bond.ns_ip6_target = Some(Numbered(list.collect::<Result<_, Failure>>()?));
    Ok(())
}

fn actor_system(ip: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, bond: &mut Bond) -> Result<(), Failure> {
    let value = words.value()?;
    let octets = <[u8; 6]>::try_from(address(value)?);
    let cause = || format!("`{}` is no address of six octets", shown(value));
    bond.ad_actor_system = Some(octets.map_err(|_| silent(ip, cause()))?);
    Ok(())
}

fn priority(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, slave: &mut BondSlave) -> Result<(), Failure> {
    let value = words.value()?;
    slave.prio = Some(integer(value).ok_or_else(|| Failure::invalid(value, "prio is invalid"))?);
    Ok(())
}
