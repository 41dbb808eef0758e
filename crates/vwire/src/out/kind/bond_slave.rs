//! bond_slave: a link of a bond, as the bond sees it.

use vwire_netlink::wire::link::bond::BondSlave;

use super::fact::{number, octets, word};
use crate::out::Printer;

/// The words for `LACP_STATE_*` (`linux/if_bonding.h`), from the lowest bit.
const PORT_STATES: [&str; 8] =
    ["active", "short_timeout", "aggregating", "in_sync", "collecting", "distributing", "defaulted", "expired"];

pub(super) fn print(p: &mut Printer, slave: &BondSlave) {
    name_or_number(p, "state", "state_index", &["ACTIVE", "BACKUP"], slave.state);
    let links = ["UP", "GOING_DOWN", "DOWN", "GOING_BACK"];
    name_or_number(p, "mii_status", "mii_status_index", &links, slave.mii_status);
    number(p, "link_failure_count", slave.link_failure_count.map(u32::cast_signed));
    if let Some(address) = &slave.perm_hwaddr {
        word(p, "perm_hwaddr", octets(address.as_bytes()));
    }
    number(p, "queue_id", slave.queue_id);
    number(p, "prio", slave.prio);
    number(p, "ad_aggregator_id", slave.ad_aggregator_id);
    if let Some(state) = slave.ad_actor_oper_port_state {
        number(p, "ad_actor_oper_port_state", Some(state));
        print_port_state(p, "ad_actor_oper_port_state_str", state);
    }
    if let Some(state) = slave.ad_partner_oper_port_state {
        let [state, _] = state.to_le_bytes();
        number(p, "ad_partner_oper_port_state", Some(state));
        print_port_state(p, "ad_partner_oper_port_state_str", state);
    }
    let churn = ["MONITOR", "CHURN", "NO_CHURN"];
    name_or_number(p, "churn_actor_state", "churn_actor_state", &churn, slave.ad_churn_actor_state);
    name_or_number(p, "churn_partner_state", "churn_partner_state", &churn, slave.ad_churn_partner_state);
    number(p, "actor_port_prio", slave.actor_port_prio);
}

/// Prints `name WORD `, or `name N ` for a number without a word, which has another name in JSON.
fn name_or_number(p: &mut Printer, name: &str, name_of_number: &str, words: &[&str], value: Option<u8>) {
    let Some(value) = value else { return };
    match words.get(usize::from(value)) {
        Some(spelled) => word(p, name, spelled),
        None => super::fact::number_as(p, name_of_number, name, Some(value)),
    }
}

fn print_port_state(p: &mut Printer, name: &str, state: u8) {
    p.open_array(Some(name));
    p.text(name);
    p.text(" <");
    let mut left = state;
    for (bit, word) in PORT_STATES.iter().enumerate() {
        if state >> bit & 1 == 1 {
            left &= !(1 << bit);
            p.element("", word, if left == 0 { "" } else { "," });
        }
    }
    p.text("> ");
    p.close_array();
}
