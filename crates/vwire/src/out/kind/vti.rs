//! vti and vti6: IPsec tunnels chosen by addresses and keys.

use vwire_netlink::wire::link::tunnel::Vti;

use super::endpoint::{print_ends, print_key, print_link, print_mark};
use crate::out::Printer;
use crate::out::link::Context;

pub(super) fn print(p: &mut Printer, vti: &Vti, kind: &str, context: &Context) {
    print_ends(p, kind == "vti6", vti.remote, vti.local);
    print_link(p, vti.link, context);
    print_key(p, "ikey", vti.ikey.filter(|key| *key != 0));
    print_key(p, "okey", vti.okey.filter(|key| *key != 0));
    print_mark(p, vti.fwmark);
}
