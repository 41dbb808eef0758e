//! netkit: a pair of links with BPF programs between them.

use vwire_netlink::wire::link::netkit::Netkit;

use super::fact::{nth, word, word_as};
use crate::out::Printer;

/// The word for a number that has none.
const UNKNOWN: &str = "UNKNOWN";

pub(super) fn print(p: &mut Printer, netkit: &Netkit) {
    if let Some(mode) = netkit.mode {
        word(p, "mode", nth(&["l2", "l3"], mode, UNKNOWN));
    }
    if let Some(primary) = netkit.primary {
        word(p, "type", if primary != 0 { "primary" } else { "peer" });
    }
    if let Some(policy) = netkit.policy {
        word(p, "policy", spell_policy(policy));
    }
    if let Some(policy) = netkit.peer_policy {
        word_as(p, "peer_policy", "peer policy", spell_policy(policy));
    }
    if let Some(scrub) = netkit.scrub {
        word(p, "scrub", nth(&["none", "default"], scrub, UNKNOWN));
    }
    if let Some(scrub) = netkit.peer_scrub {
        word_as(p, "peer_scrub", "peer scrub", nth(&["none", "default"], scrub, UNKNOWN));
    }
}

/// Spells `NETKIT_PASS` and `NETKIT_DROP`, which are `TC_ACT_OK` and `TC_ACT_SHOT`.
fn spell_policy(policy: u32) -> &'static str {
    match policy {
        0 => "forward",
        2 => "blackhole",
        _ => UNKNOWN,
    }
}
