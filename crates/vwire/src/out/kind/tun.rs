//! tun: a link whose other end is a process.

use vwire_netlink::wire::link::tun::Tun;

use super::fact::{number, number_as, on_off, word};
use crate::out::Printer;
use crate::out::link::Context;

pub(super) fn print(p: &mut Printer, tun: &Tun, context: &Context) {
    match tun.r#type {
        Some(1) => word(p, "type", "tun"),
        Some(2) => word(p, "type", "tap"),
        Some(other) => word(p, "type", format!("UNKNOWN:{other}")),
        None => {}
    }
    on_off(p, "pi", tun.pi);
    on_off(p, "vnet_hdr", tun.vnet_hdr);
    print_queues(p, tun);
    on_off(p, "persist", tun.persist);
    if let Some(owner) = tun.owner {
        print_name(p, "user", context.users.get(&owner), owner);
    }
    if let Some(group) = tun.group {
        print_name(p, "group", context.user_groups.get(&group), group);
    }
}

fn print_queues(p: &mut Printer, tun: &Tun) {
    if tun.multi_queue.is_none_or(|many| many == 0) {
        return p.bool_json("multi_queue", false);
    }
    p.mark("multi_queue", "multi_queue ");
    number_as(p, "numqueues", "numqueues", tun.num_queues);
    number_as(p, "numdisabled", "numdisabled", tun.num_disabled_queues);
}

fn print_name(p: &mut Printer, what: &str, name: Option<&String>, id: u32) {
    match name {
        Some(name) => word(p, what, name),
        None => number(p, what, Some(id)),
    }
}
