//! macvlan and macvtap: more MAC addresses on a link.

use vwire_netlink::wire::link::macvlan::Macvlan;

use super::fact::{mark, number, octets, word};
use crate::out::Printer;

/// `MACVLAN_MODE_SOURCE` (`linux/if_link.h`).
const SOURCE: u32 = 16;

pub(super) fn print(p: &mut Printer, macvlan: &Macvlan) {
    let Some(mode) = macvlan.mode else { return };
    word(
        p,
        "mode",
        match mode {
            1 => "private",
            2 => "vepa",
            4 => "bridge",
            8 => "passthru",
            SOURCE => "source",
            _ => "unknown",
        },
    );
    let flags = macvlan.flags.unwrap_or(0);
    mark(p, "nopromisc", "nopromisc ", flags & 1 != 0);
    mark(p, "nodst", "nodst ", flags & 2 != 0);
    number(p, "bcqueuelen", macvlan.bc_queue_len);
    number(p, "usedbcqueuelen", macvlan.bc_queue_len_used);
    number(p, "bclim", macvlan.bc_cutoff);
    if let (SOURCE, Some(count)) = (mode, macvlan.macaddr_count) {
        print_sources(p, macvlan, count);
    }
}

fn print_sources(p: &mut Printer, macvlan: &Macvlan, count: u32) {
    p.number("macaddr_count", "remotes (", count.cast_signed(), ") ");
    let Some(addresses) = &macvlan.macaddr_data else { return };
    p.open_array(Some("macaddr_data"));
    for address in &addresses.macaddr {
        p.element("", octets(address), " ");
    }
    p.close_array();
}
