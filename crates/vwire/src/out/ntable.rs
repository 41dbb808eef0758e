//! Prints tables of neighbours as `ip ntable` does.

use vwire_netlink::NeighbourTable;
use vwire_netlink::wire::neighbour_table::{NeighbourParameters, NeighbourTableConfig, NeighbourTableStats};

use super::host::family_word;
use super::{Colour, Printer};

/// When the two events of a table's configuration were, in words.
#[derive(Debug, Default, Clone)]
pub struct Moments {
    /// When the table was flushed.
    pub last_flush: String,
    /// When its times were drawn.
    pub last_rand: String,
}

/// Prints a table, or a link's settings in one; `device` is the name of the link, where they are one's.
///
/// What the table counts is printed where the `moments` are told.
pub fn print(p: &mut Printer, table: &NeighbourTable, device: &[u8], moments: Option<&Moments>) {
    p.string("family", "", family_word(table.family.into()), " ");
    if let Some(name) = &table.name {
        p.string("name", "", name.as_bytes(), " ");
    }
    p.line_break();
    print_limits(p, table);
    if let (Some(config), Some(moments)) = (&table.config, moments) {
        print_config(p, config, moments);
    }
    if let Some(parameters) = &table.parms {
        print_parameters(p, parameters, device);
    }
    if let (Some(stats), Some(_)) = (&table.stats, moments) {
        print_stats(p, stats);
    }
    p.end_line();
}

fn print_limits(p: &mut Printer, table: &NeighbourTable) {
    let limits = [("thresh1", table.thresh1), ("thresh2", table.thresh2), ("thresh3", table.thresh3)];
    if limits.iter().all(|(_, limit)| limit.is_none()) && table.gc_interval.is_none() {
        return;
    }
    p.text("    ");
    for (name, limit) in limits {
        print_number(p, name, limit);
    }
    if let Some(interval) = table.gc_interval {
        p.number("gc_interval", "gc_int ", interval, " ");
    }
    p.line_break();
}

fn print_config(p: &mut Printer, config: &NeighbourTableConfig, moments: &Moments) {
    p.number("key_length", "    config key_len ", config.key_len, " ");
    p.number("entry_size", "entry_size ", config.entry_size, " ");
    p.number("entries", "entries ", config.entries, " ");
    p.line_break();
    p.string("last_flush", "        last_flush ", &moments.last_flush, " ");
    p.string("last_rand", "last_rand ", &moments.last_rand, " ");
    p.line_break();
    p.number("hash_rnd", "        hash_rnd ", config.hash_rnd, " ");
    p.string_json("hash_mask", format!("{:#x}", config.hash_mask));
    p.text(format!("hash_mask {:08x} ", config.hash_mask));
    p.number("hash_chain_gc", "hash_chain_gc ", config.hash_chain_gc, " ");
    p.number("proxy_qlen", "proxy_qlen ", config.proxy_qlen, " ");
    p.line_break();
}

fn print_parameters(p: &mut Printer, of: &NeighbourParameters, device: &[u8]) {
    if of.ifindex.is_some() {
        p.text("    dev ");
        p.coloured(Some(Colour::Device), "dev", "", device, " ");
        p.line_break();
    }
    p.text("    ");
    print_number(p, "refcnt", of.refcnt);
    print_number(p, "reachable", of.reachable_time);
    print_number(p, "base_reachable", of.base_reachable_time);
    print_number(p, "retrans", of.retrans_time);
    next_row(p);
    print_number(p, "gc_stale", of.gc_staletime);
    print_number(p, "delay_probe", of.delay_probe_time);
    print_number(p, "queue", of.queue_len);
    next_row(p);
    print_number(p, "app_probes", of.app_probes);
    print_number(p, "ucast_probes", of.ucast_probes);
    print_number(p, "mcast_probes", of.mcast_probes);
    print_number(p, "mcast_reprobes", of.mcast_reprobes);
    next_row(p);
    print_number(p, "anycast_delay", of.anycast_delay);
    print_number(p, "proxy_delay", of.proxy_delay);
    print_number(p, "proxy_queue", of.proxy_qlen);
    print_number(p, "locktime", of.locktime);
    p.line_break();
}

fn print_stats(p: &mut Printer, stats: &NeighbourTableStats) {
    p.text("    stats ");
    print_number(p, "allocs", Some(stats.allocs));
    print_number(p, "destroys", Some(stats.destroys));
    print_number(p, "hash_grows", Some(stats.hash_grows));
    next_row(p);
    print_number(p, "res_failed", Some(stats.res_failed));
    print_number(p, "lookups", Some(stats.lookups));
    print_number(p, "hits", Some(stats.hits));
    next_row(p);
    print_number(p, "rcv_probes_mcast", Some(stats.rcv_probes_mcast));
    print_number(p, "rcv_probes_ucast", Some(stats.rcv_probes_ucast));
    next_row(p);
    print_number(p, "periodic_gc_runs", Some(stats.periodic_gc_runs));
    print_number(p, "forced_gc_runs", Some(stats.forced_gc_runs));
    next_row(p);
    print_number(p, "table_fulls", Some(stats.table_fulls));
    p.line_break();
}

fn next_row(p: &mut Printer) {
    p.line_break();
    p.text("    ");
}

fn print_number(p: &mut Printer, name: &str, value: Option<impl Into<i128>>) {
    if let Some(value) = value {
        p.number(name, &format!("{name} "), value, " ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    fn printed(table: &NeighbourTable) -> String {
        let mut p = Printer::new(Layout { oneline: true, ..Layout::default() });
        print(&mut p, table, b"ep1", None);
        String::from_utf8(p.take()).unwrap()
    }

    #[test]
    fn a_table_has_limits_and_a_link_a_name() {
        let table = NeighbourTable {
            family: 2,
            name: Some(b"arp_cache"[..].into()),
            thresh1: Some(128),
            ..NeighbourTable::default()
        };
        assert_eq!(printed(&table), "inet arp_cache \\    thresh1 128 \\\n");
        let parameters = NeighbourParameters { ifindex: Some(2), refcnt: Some(1), ..NeighbourParameters::default() };
        let of_link = NeighbourTable { family: 2, parms: Some(parameters), ..NeighbourTable::default() };
        let rows = "\\    ".repeat(3);
        assert_eq!(printed(&of_link), format!("inet \\    dev ep1 \\    refcnt 1 {rows}\\\n"));
    }
}
