//! bridge: the switch itself.

use std::net::{Ipv4Addr, Ipv6Addr};

use vwire_netlink::wire::link::bridge::{BoolOptions, Bridge, BridgeId};
use vwire_netlink::wire::nest::RawNest;

use super::fact::{hexadecimal, number, number_as, octets, timer, word, word_as};
use super::protocol;
use crate::out::link::LinkStyle;
use crate::out::{Colour, Printer};

/// The words for `BR_STP_MODE_*`.
const STP_MODES: [&str; 3] = ["auto", "user", "kernel"];

/// The bits of `BR_BOOLOPT_*` (`linux/if_bridge.h`), in the order in which `ip` prints them.
const BOOL_OPTIONS: [(u32, &str); 5] = [
    (0, "no_linklocal_learn"),
    (1, "mcast_vlan_snooping"),
    (2, "mst_enabled"),
    (3, "mdb_offload_fail_notification"),
    (4, "fdb_local_vlan_0"),
];

pub(super) fn print(p: &mut Printer, bridge: &Bridge, style: LinkStyle) {
    print_spanning_tree(p, bridge, style);
    number(p, "fdb_n_learned", bridge.fdb_n_learned);
    number(p, "fdb_max_learned", bridge.fdb_max_learned);
    number(p, "vlan_default_pvid", bridge.vlan_default_pvid);
    number(p, "vlan_stats_enabled", bridge.vlan_stats_enabled);
    number(p, "vlan_stats_per_port", bridge.vlan_stats_per_port);
    hexadecimal(p, "group_fwd_mask", "group_fwd_mask", bridge.group_fwd_mask);
    if let Some(address) = &bridge.group_addr {
        word_as(p, "group_addr", "group_address", octets(address.as_bytes()));
    }
    print_multicast(p, bridge);
    number(p, "nf_call_iptables", bridge.nf_call_iptables);
    number(p, "nf_call_ip6tables", bridge.nf_call_ip6tables);
    number(p, "nf_call_arptables", bridge.nf_call_arptables);
}

fn print_spanning_tree(p: &mut Printer, bridge: &Bridge, style: LinkStyle) {
    number(p, "forward_delay", bridge.forward_delay);
    number(p, "hello_time", bridge.hello_time);
    number(p, "max_age", bridge.max_age);
    number(p, "ageing_time", bridge.ageing_time);
    number(p, "stp_state", bridge.stp_state);
    if let Some(mode) = bridge.stp_mode {
        word(p, "stp_mode", super::fact::nth(&STP_MODES, mode, "(unknown)"));
    }
    number(p, "priority", bridge.priority);
    number(p, "vlan_filtering", bridge.vlan_filtering);
    if let Some(number) = bridge.vlan_protocol {
        word(p, "vlan_protocol", protocol::name(number, style.numeric));
    }
    if let Some(id) = bridge.bridge_id {
        word(p, "bridge_id", spell_id(id));
    }
    if let Some(id) = bridge.root_id {
        word_as(p, "root_id", "designated_root", spell_id(id));
    }
    number(p, "root_port", bridge.root_port);
    number(p, "root_path_cost", bridge.root_path_cost);
    number(p, "topology_change", bridge.topology_change);
    number(p, "topology_change_detected", bridge.topology_change_detected);
    timer(p, "hello_timer", bridge.hello_timer);
    timer(p, "tcn_timer", bridge.tcn_timer);
    timer(p, "topology_change_timer", bridge.topology_change_timer);
    timer(p, "gc_timer", bridge.gc_timer);
}

fn print_multicast(p: &mut Printer, bridge: &Bridge) {
    number(p, "mcast_snooping", bridge.mcast_snooping);
    if let Some(options) = bridge.multi_boolopt {
        print_bool_options(p, options);
    }
    number(p, "mcast_router", bridge.mcast_router);
    number(p, "mcast_query_use_ifaddr", bridge.mcast_query_use_ifaddr);
    number(p, "mcast_querier", bridge.mcast_querier);
    if let Some(state) = &bridge.mcast_querier_state {
        print_querier(p, state);
    }
    number(p, "mcast_hash_elasticity", bridge.mcast_hash_elasticity);
    number(p, "mcast_hash_max", bridge.mcast_hash_max);
    number_as(p, "mcast_last_member_cnt", "mcast_last_member_count", bridge.mcast_last_member_cnt);
    number_as(p, "mcast_startup_query_cnt", "mcast_startup_query_count", bridge.mcast_startup_query_cnt);
    number_as(p, "mcast_last_member_intvl", "mcast_last_member_interval", bridge.mcast_last_member_intvl);
    number_as(p, "mcast_membership_intvl", "mcast_membership_interval", bridge.mcast_membership_intvl);
    number_as(p, "mcast_querier_intvl", "mcast_querier_interval", bridge.mcast_querier_intvl);
    number_as(p, "mcast_query_intvl", "mcast_query_interval", bridge.mcast_query_intvl);
    number_as(p, "mcast_query_response_intvl", "mcast_query_response_interval", bridge.mcast_query_response_intvl);
    number_as(p, "mcast_startup_query_intvl", "mcast_startup_query_interval", bridge.mcast_startup_query_intvl);
    number(p, "mcast_stats_enabled", bridge.mcast_stats_enabled);
    number(p, "mcast_igmp_version", bridge.mcast_igmp_version);
    number(p, "mcast_mld_version", bridge.mcast_mld_version);
}

fn print_bool_options(p: &mut Printer, options: BoolOptions) {
    for (bit, name) in BOOL_OPTIONS {
        if options.optmask >> bit & 1 == 1 {
            number(p, name, Some(options.optval >> bit & 1));
        }
    }
}

/// What one of the two families says in `IFLA_BR_MCAST_QUERIER_STATE`.
struct Querier {
    member: &'static str,
    colour: Colour,
    address: &'static str,
    port: &'static str,
    timer: &'static str,
    /// The number of the address's attribute; the port's and the timer's follow it.
    first: u16,
}

/// `BRIDGE_QUERIER_*` (`linux/if_bridge.h`); number 4 is padding.
const QUERIERS: [Querier; 2] = [
    Querier {
        member: "mcast_querier_state_ipv4",
        colour: Colour::Inet,
        address: "mcast_querier_ipv4_addr",
        port: "mcast_querier_ipv4_port",
        timer: "mcast_querier_ipv4_other_timer",
        first: 1,
    },
    Querier {
        member: "mcast_querier_state_ipv6",
        colour: Colour::Inet6,
        address: "mcast_querier_ipv6_addr",
        port: "mcast_querier_ipv6_port",
        timer: "mcast_querier_ipv6_other_timer",
        first: 5,
    },
];

/// Prints who asks for multicast.
pub(in crate::out) fn print_querier(p: &mut Printer, state: &RawNest) {
    let payload = |number| state.attributes().find(|attribute| attribute.number() == number).map(|a| a.payload());
    for querier in &QUERIERS {
        p.open_object(Some(querier.member));
        if let Some(address) = payload(querier.first).and_then(|payload| spell_address(p, payload)) {
            p.text(querier.address);
            p.text(" ");
            p.coloured(Some(querier.colour), querier.address, "", address, " ");
        }
        let port = payload(querier.first + 1).and_then(|payload| payload.try_into().ok());
        number(p, querier.port, port.map(u32::from_ne_bytes));
        let timer = payload(querier.first + 2).and_then(|payload| payload.try_into().ok());
        if let Some(timer) = timer.map(u64::from_ne_bytes) {
            word(p, querier.timer, spell_time(timer.cast_signed()));
        }
        p.close_object();
    }
}

fn spell_address(p: &Printer, payload: &[u8]) -> Option<String> {
    let v4 = || Some(Ipv4Addr::from(<[u8; 4]>::try_from(payload).ok()?).into());
    let v6 = || Some(Ipv6Addr::from(<[u8; 16]>::try_from(payload).ok()?).into());
    Some(p.host_of(v4().or_else(v6)?))
}

/// Spells a time as `ip` does, which takes the kernel's hundredths of a second for nanoseconds.
fn spell_time(time: i64) -> String {
    let (unit, suffix) = match time {
        1_000_000_000.. => (1e9, "s"),
        1_000_000.. => (1e6, "ms"),
        1_000.. => (1e3, "us"),
        _ => return format!("{time}ns"),
    };
    // 2^53 nanoseconds are a hundred days; a timer's hundredths of a second never come near.
    #[expect(clippy::as_conversions, reason = "three digits are printed of it")]
    let amount = time as f64 / unit;
    three_digits(amount) + suffix
}

/// Spells a number of at least 1 as C's `%.3g`.
fn three_digits(amount: f64) -> String {
    let scientific = format!("{amount:.2e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: usize = exponent.parse().unwrap_or(0);
    let trimmed = |digits: &str| match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    };
    match exponent {
        0..3 => trimmed(&format!("{amount:.*}", 2 - exponent)),
        _ => format!("{}e+{exponent:02}", trimmed(mantissa)),
    }
}

/// Spells a bridge's name in the spanning tree: `8000.2:0:0:0:0:1`, octets without a leading zero.
pub(super) fn spell_id(id: BridgeId) -> String {
    let [high, low] = id.prio;
    let address: Vec<_> = id.addr.iter().map(|octet| format!("{octet:x}")).collect();
    format!("{high:02x}{low:02x}.{}", address.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::kind::printed;

    #[test]
    fn an_id_has_octets_without_leading_zeros() {
        let id = BridgeId { prio: [0x80, 0], addr: [0, 1, 0x10, 0xab, 0, 0xff] };
        assert_eq!(spell_id(id), "8000.0:1:10:ab:0:ff");
    }

    #[test]
    fn options_that_the_kernel_does_not_have_are_left_out() {
        let options = BoolOptions { optval: 0b10, optmask: 0b111 };
        let wanted = "no_linklocal_learn 0 mcast_vlan_snooping 1 mst_enabled 0 ";
        assert_eq!(printed(|p| print_bool_options(p, options)).0, wanted);
    }

    #[test]
    fn times_have_three_digits() {
        let times = [(999, "999ns"), (25_500, "25.5us"), (1_234_567, "1.23ms"), (999_900, "1e+03us"), (-1, "-1ns")];
        for (time, spelled) in times {
            assert_eq!(spell_time(time), spelled);
        }
        assert_eq!(spell_time(5_000_000_000_000), "5e+03s");
    }

    #[test]
    fn the_querier_has_an_object_for_each_family_in_json() {
        let mut out = vwire_netlink::wire::Builder::new();
        out.bytes(1, &[10, 0, 0, 1]);
        out.u32(2, 4);
        out.u64(3, 25_500);
        let nest = RawNest(out.into_bytes().into());
        let (text, json) = printed(|p| print_querier(p, &nest));
        assert_eq!(
            text,
            "mcast_querier_ipv4_addr 10.0.0.1 mcast_querier_ipv4_port 4 mcast_querier_ipv4_other_timer 25.5us "
        );
        let v4 = r#""mcast_querier_ipv4_addr":"10.0.0.1","mcast_querier_ipv4_port":4,"mcast_querier_ipv4_other_timer":"25.5us""#;
        assert_eq!(json, format!(r#""mcast_querier_state_ipv4":{{{v4}}},"mcast_querier_state_ipv6":{{}}"#));
    }
}
