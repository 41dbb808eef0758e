//! bareudp: packets in UDP without a header of their own.

use vwire_netlink::wire::link::tunnel::Bareudp;

use super::fact::{number_as, word};
use super::protocol;
use crate::out::Printer;
use crate::out::link::LinkStyle;

pub(super) fn print(p: &mut Printer, bareudp: &Bareudp, style: LinkStyle) {
    number_as(p, "dstport", "dstport", bareudp.port);
    if let Some(number) = bareudp.ethertype {
        word(p, "ethertype", protocol::name(number, style.numeric));
    }
    number_as(p, "srcportmin", "srcportmin", bareudp.srcport_min);
    p.bool_json("multiproto", bareudp.multiproto_mode);
    p.text(if bareudp.multiproto_mode { "multiproto " } else { "nomultiproto " });
}
