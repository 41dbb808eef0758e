//! hsr: two links made redundant.

use vwire_netlink::wire::link::tunnel::Hsr;

use super::fact::{link_name, number, number_as, octets, word, word_as};
use crate::out::link::Context;
use crate::out::{Colour, Printer};

pub(super) fn print(p: &mut Printer, hsr: &Hsr, context: &Context) {
    for (name, absent, link) in [("slave1", "slave1 <none> ", hsr.slave1), ("slave2", "slave2 <none> ", hsr.slave2)] {
        match link {
            Some(link) => word(p, name, link_name(context, link)),
            None => p.null(name, absent),
        }
    }
    if let Some(link) = hsr.interlink {
        p.coloured(Some(Colour::Device), "interlink", "interlink ", link_name(context, link), " ");
    }
    number_as(p, "seq_nr", "sequence", hsr.seq_nr);
    if let Some(address) = hsr.supervision_addr {
        word_as(p, "supervision_addr", "supervision", octets(&address));
    }
    number_as(p, "proto", "proto", hsr.protocol);
    number(p, "version", hsr.version);
}
