//! ipvlan and ipvtap: more IP addresses on a link.

use vwire_netlink::wire::link::ipvlan::Ipvlan;

use super::fact::nth;
use crate::out::Printer;

/// The words for `IPVLAN_MODE_*` (`linux/if_link.h`).
const MODES: [&str; 3] = ["l2", "l3", "l3s"];

pub(super) fn print(p: &mut Printer, ipvlan: &Ipvlan) {
    if let Some(mode) = ipvlan.mode {
        p.string("mode", " mode ", nth(&MODES, mode, "unknown"), " ");
    }
    match ipvlan.flags {
        Some(flags) if flags & 1 != 0 => p.mark("private", "private "),
        Some(flags) if flags & 2 != 0 => p.mark("vepa", "vepa "),
        Some(_) => p.mark("bridge", "bridge "),
        None => {}
    }
}
