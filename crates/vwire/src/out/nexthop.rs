//! Prints a next hop as `ip nexthop` does: a line of its own, or what a route's `-d` says of it.

use vwire_netlink::Nexthop;
use vwire_netlink::wire::Attributes;
use vwire_netlink::wire::nexthop::{GroupMember, ResilientGroup};

use super::host::{general, octets};
use super::route::{Context, print_flags, print_gateway, print_link};
use super::{Printer, encap};

/// `NHA_OP_FLAG_RESP_GRP_RESVD_0`: the answer's groups have the high 8 bits of the weights.
const HAS_HIGH_WEIGHTS: u32 = 1 << 31;
/// How many ticks a second the kernel counts in for programs (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Returns the indexes of the links whose names a next hop's record shows.
#[must_use]
pub fn references(hop: &Nexthop) -> Vec<u32> {
    let inside = hop.encap.as_ref().map(|nest| encap::references(hop.encap_type, nest));
    hop.oif.into_iter().chain(inside.unwrap_or_default()).collect()
}

/// Prints a next hop on a line of its own.
pub fn print(p: &mut Printer, hop: &Nexthop, context: &Context) {
    print_entry(p, None, hop, context);
    p.text("\n");
}

/// Prints a next hop: an element of an array, or the member `name`.
pub fn print_entry(p: &mut Printer, name: Option<&str>, hop: &Nexthop, context: &Context) {
    p.open_object(name);
    print_facts(p, hop, context);
    p.close_object();
}

/// Prints what there is to tell of a next hop, into an object that is open.
pub fn print_facts(p: &mut Printer, hop: &Nexthop, context: &Context) {
    p.number("id", "id ", hop.id.unwrap_or(0), " ");
    if let Some(members) = &hop.group {
        print_group(p, members, hop.op_flags.unwrap_or(0));
    }
    match hop.group_type.unwrap_or(0) {
        0 => {}
        1 => p.string("type", "type ", "resilient", " "),
        _ => p.string("type", "type ", "<unknown type>", " "),
    }
    if let Some(group) = &hop.res_group {
        print_resilient(p, group);
    }
    if let Some(nest) = &hop.encap {
        encap::print(p, hop.encap_type, nest, context);
    }
    if let Some(gateway) = hop.gateway {
        print_gateway(p, hop.family.into(), &octets(gateway));
    }
    if let Some(link @ 1..) = hop.oif {
        print_link(p, "dev", &context.link(link));
    }
    if hop.scope != 0 || context.details > 0 {
        p.string("scope", "scope ", context.scope(hop.scope), " ");
    }
    if hop.blackhole {
        p.null("blackhole", "blackhole ");
    }
    if hop.protocol != 0 || context.details > 0 {
        p.string("protocol", "proto ", context.protocol(hop.protocol), " ");
    }
    print_flags(p, hop.flags);
    if hop.fdb {
        p.null("fdb", "fdb");
    }
    if let Some(enabled) = hop.hw_stats_enable.filter(|_| context.details > 0 || context.stats > 0) {
        p.open_object(Some("hw_stats"));
        p.on_off("enabled", "hw_stats ", enabled != 0, " ");
        p.on_off("used", "used ", hop.hw_stats_used.unwrap_or(0) != 0, " ");
        p.close_object();
    }
    if context.stats > 0 && hop.group_stats.is_some() {
        print_counters(p, hop, context.stats);
    }
}

fn print_group(p: &mut Printer, members: &[GroupMember], flags: u32) {
    p.open_array(Some("group"));
    p.text("group ");
    let mut slash = "";
    for member in members {
        let high = if flags & HAS_HIGH_WEIGHTS != 0 { member.weight_high } else { 0 };
        let weight = u32::from(high) << 8 | u32::from(member.weight);
        p.open_object(None);
        p.number("id", slash, member.id, "");
        if weight > 0 {
            p.number("weight", ",", weight + 1, "");
        }
        p.close_object();
        slash = "/";
    }
    p.text(" ");
    p.close_array();
}

fn print_resilient(p: &mut Printer, group: &ResilientGroup) {
    p.open_object(Some("resilient_args"));
    p.number("buckets", "buckets ", group.buckets.unwrap_or(0), " ");
    print_seconds(p, "idle_timer", group.idle_timer.unwrap_or(0).into());
    print_seconds(p, "unbalanced_timer", group.unbalanced_timer.unwrap_or(0).into());
    print_seconds(p, "unbalanced_time", group.unbalanced_time.unwrap_or(0));
    p.close_object();
}

fn print_seconds(p: &mut Printer, name: &str, ticks: u64) {
    let seconds = general(f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) / TICKS);
    p.literal_json(name, &seconds);
    p.text(format!("{name} {seconds} "));
}

/// `NHA_GROUP_STATS_ENTRY_*` for each member, in the members' order.
fn print_counters(p: &mut Printer, hop: &Nexthop, stats: u8) {
    let entries: Vec<_> = hop.group_stats.iter().flat_map(|nest| nest.attributes()).collect();
    let members = hop.group.as_ref().map_or(0, |members| members.len());
    p.open_array(Some("group_stats"));
    p.line_break();
    p.text("  stats:");
    p.line_break();
    for at in 0..members {
        let found = |number| {
            let entry = entries.get(at).map(|entry| entry.payload()).unwrap_or_default();
            Attributes::new(entry).find(|part| part.number() == number).map_or(0, |part| unsigned(part.payload()))
        };
        p.open_object(None);
        p.number("id", "    id ", found(1), "");
        p.number("packets", " packets ", found(2), "");
        if stats > 1 {
            p.number("packets_hw", " packets_hw ", found(3), "");
        }
        if at + 1 != members {
            p.line_break();
        }
        p.close_object();
    }
    p.close_array();
}

/// A number of 4 bytes, or of 8 if it needs them (`NLA_UINT`).
fn unsigned(payload: &[u8]) -> u64 {
    let long = || payload.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
    let short = || payload.first_chunk().map(|bytes| u64::from(u32::from_ne_bytes(*bytes)));
    long().or_else(short).unwrap_or(0)
}

/// Prints a bucket of a resilient group on a line of its own.
pub fn print_bucket(p: &mut Printer, hop: &Nexthop) {
    p.open_object(None);
    print_bucket_facts(p, hop);
    p.close_object();
}

/// Prints what there is to tell of a bucket, into an object that is open, and ends the line.
pub fn print_bucket_facts(p: &mut Printer, hop: &Nexthop) {
    if let Some(id) = hop.id {
        p.number("id", "id ", id, " ");
    }
    if let Some(bucket) = &hop.res_bucket {
        let part = |number| bucket.attributes().find(|part| part.number() == number).map(|part| part.payload());
        p.open_object(Some("bucket"));
        if let Some(index) = part(1).and_then(|index| index.first_chunk()) {
            p.number("index", "index ", u16::from_ne_bytes(*index), " ");
        }
        if let Some(idle) = part(2) {
            print_seconds(p, "idle_time", unsigned(idle));
        }
        if let Some(id) = part(3).and_then(|id| id.first_chunk()) {
            p.number("nhid", "nhid ", u32::from_ne_bytes(*id), " ");
        }
        p.close_object();
    }
    print_flags(p, hop.flags);
    p.text("\n");
}
