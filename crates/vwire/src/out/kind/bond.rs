//! bond: links bonded to one.

use vwire_netlink::wire::link::bond::{Bond, BondAdInfo};

use super::fact::{ipv6, nth, number, number_as, octets, on_off, word, word_as};
use crate::out::Printer;
use crate::out::link::Context;

/// The word for a number that has none.
const UNKNOWN: &str = "UNKNOWN";
/// The words for `BOND_MODE_*` (`linux/if_bonding.h`).
const MODES: [&str; 7] =
    ["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"];
/// The words for `BOND_ARP_VALIDATE_*` and their combinations with `BOND_ARP_FILTER`.
const ARP_VALIDATE: [&str; 7] = ["none", "active", "backup", "all", "filter", "filter_active", "filter_backup"];
/// The words for `BOND_XMIT_POLICY_*`.
const HASH_POLICIES: [&str; 6] = ["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"];
/// The words for `BOND_AD_*`.
const AD_SELECT: [&str; 4] = ["stable", "bandwidth", "count", "actor_port_prio"];
/// How many addresses to ask a bond has (`BOND_MAX_ARP_TARGETS`).
const MAX_TARGETS: u16 = 16;

pub(super) fn print(p: &mut Printer, bond: &Bond, context: &Context) {
    if let Some(mode) = bond.mode {
        word(p, "mode", nth(&MODES, mode, UNKNOWN));
    }
    print_link(p, "active_slave", bond.active_slave, context);
    number(p, "miimon", bond.miimon);
    number(p, "updelay", bond.updelay);
    number(p, "downdelay", bond.downdelay);
    number(p, "peer_notify_delay", bond.peer_notif_delay);
    number(p, "use_carrier", bond.use_carrier);
    print_arp(p, bond);
    print_link(p, "primary", bond.primary, context);
    if let Some(when) = bond.primary_reselect {
        word(p, "primary_reselect", nth(&["always", "better", "failure"], when, UNKNOWN));
    }
    if let Some(how) = bond.fail_over_mac {
        word(p, "fail_over_mac", nth(&["none", "active", "follow"], how, UNKNOWN));
    }
    if let Some(policy) = bond.xmit_hash_policy {
        word(p, "xmit_hash_policy", nth(&HASH_POLICIES, policy, UNKNOWN));
    }
    number(p, "resend_igmp", bond.resend_igmp);
    number_as(p, "num_peer_notif", "num_grat_arp", bond.num_peer_notif);
    number(p, "all_slaves_active", bond.all_slaves_active);
    number(p, "min_links", bond.min_links);
    number(p, "lp_interval", bond.lp_interval);
    number(p, "packets_per_slave", bond.packets_per_slave);
    print_aggregation(p, bond);
    number(p, "tlb_dynamic_lb", bond.tlb_dynamic_lb);
}

fn print_link(p: &mut Printer, name: &str, index: Option<u32>, context: &Context) {
    if let Some(index @ 1..) = index {
        word(p, name, context.link_name(index));
    }
}

fn print_arp(p: &mut Printer, bond: &Bond) {
    number(p, "arp_interval", bond.arp_interval);
    number(p, "arp_missed_max", bond.missed_max);
    if let Some(targets) = &bond.arp_ip_target {
        let spelled = targets.0.iter().map(|(place, target)| (*place, target.to_string()));
        print_targets(p, "arp_ip_target", spelled.collect());
    }
    if let Some(targets) = &bond.ns_ip6_target {
        let spelled = targets.0.iter().map(|(place, target)| (*place, ipv6(*target)));
        print_targets(p, "ns_ip6_target", spelled.collect());
    }
    match bond.arp_validate {
        Some(0) if p.is_json() => p.null("arp_validate", ""),
        Some(what) => word(p, "arp_validate", nth(&ARP_VALIDATE, what, UNKNOWN)),
        None => {}
    }
    if let Some(whom) = bond.arp_all_targets {
        word(p, "arp_all_targets", nth(&["any", "all"], whom, UNKNOWN));
    }
}

/// Prints addresses, each in its place; they count only if there is one in the first.
fn print_targets(p: &mut Printer, name: &str, targets: Vec<(u16, String)>) {
    let at = |place| targets.iter().find(|(number, _)| *number == place).map(|(_, target)| target);
    if at(0).is_none() {
        return;
    }
    p.open_array(Some(name));
    p.text(format!("{name} "));
    for place in 0..MAX_TARGETS {
        if let Some(target) = at(place) {
            p.element("", target, "");
        }
        if place + 1 < MAX_TARGETS && at(place + 1).is_some() {
            p.text(",");
        }
    }
    p.text(" ");
    p.close_array();
}

fn print_aggregation(p: &mut Printer, bond: &Bond) {
    if let Some(active) = bond.ad_lacp_active {
        word_as(p, "ad_lacp_active", "lacp_active", nth(&["off", "on"], active, UNKNOWN));
    }
    if let Some(rate) = bond.ad_lacp_rate {
        word_as(p, "ad_lacp_rate", "lacp_rate", nth(&["slow", "fast"], rate, UNKNOWN));
    }
    on_off(p, "coupled_control", bond.coupled_control);
    on_off(p, "broadcast_neighbor", bond.broadcast_neigh);
    if let Some(how) = bond.ad_select {
        word(p, "ad_select", nth(&AD_SELECT, how, UNKNOWN));
    }
    if let Some(info) = &bond.ad_info {
        print_aggregator(p, info);
    }
    number(p, "ad_actor_sys_prio", bond.ad_actor_sys_prio);
    number(p, "ad_user_port_key", bond.ad_user_port_key);
    if let Some(address) = bond.ad_actor_system {
        word(p, "ad_actor_system", octets(&address));
    }
}

fn print_aggregator(p: &mut Printer, info: &BondAdInfo) {
    p.open_object(Some("ad_info"));
    number_as(p, "aggregator", "ad_aggregator", info.aggregator);
    number_as(p, "num_ports", "ad_num_ports", info.num_ports);
    number_as(p, "actor_key", "ad_actor_key", info.actor_key);
    number_as(p, "partner_key", "ad_partner_key", info.partner_key);
    if let Some(address) = info.partner_mac {
        word_as(p, "partner_mac", "ad_partner_mac", octets(&address));
    }
    p.close_object();
}
