//! gre, gretap, erspan, and the same over IPv6.

use vwire_netlink::wire::link::tunnel::Gre;

use super::endpoint::{Encapsulation, Outer6, print_ends, print_hops, print_key, print_link, print_mark};
use super::fact::{hexadecimal, mark, number, type_of_service, word};
use crate::out::Printer;
use crate::out::link::Context;

/// `GRE_CSUM` (`linux/if_tunnel.h`).
const CHECKSUM: u16 = 0x8000;
/// `GRE_KEY`.
const KEY: u16 = 0x2000;
/// `GRE_SEQ`.
const SEQUENCE: u16 = 0x1000;

pub(super) fn print(p: &mut Printer, gre: &Gre, kind: &str, context: &Context) {
    let v6 = kind.starts_with("ip6");
    let outer = Outer6 { flags: gre.flags.unwrap_or(0), encap_limit: gre.encap_limit, flowinfo: gre.flowinfo };
    mark(p, "external", "external ", gre.collect_metadata);
    print_ends(p, v6, gre.remote, gre.local);
    print_link(p, gre.link, context);
    if v6 {
        print_hops(p, "hoplimit", gre.ttl);
        outer.print(p);
    } else {
        print_hops(p, "ttl", gre.ttl);
        type_of_service(p, gre.tos);
        if let Some(discovers) = gre.pmtudisc.map(|discovers| discovers != 0) {
            p.bool_json("pmtudisc", discovers);
            p.text(if discovers { "" } else { "nopmtudisc " });
        }
        mark(p, "ignore_df", "ignore-df ", gre.ignore_df.is_some_and(|ignores| ignores != 0));
    }
    print_flags(p, gre);
    if v6 {
        outer.print_rest(p, gre.fwmark);
    } else {
        print_mark(p, gre.fwmark);
    }
    print_span(p, gre);
    let encapsulation = Encapsulation {
        kind: gre.encap_type,
        flags: gre.encap_flags,
        source: gre.encap_sport,
        destination: gre.encap_dport,
    };
    encapsulation.print(p);
}

fn print_flags(p: &mut Printer, gre: &Gre) {
    let (input, output) = (gre.iflags.unwrap_or(0), gre.oflags.unwrap_or(0));
    print_key(p, "ikey", gre.ikey.filter(|_| input & KEY != 0));
    print_key(p, "okey", gre.okey.filter(|_| output & KEY != 0));
    mark(p, "iseq", "iseq ", input & SEQUENCE != 0);
    mark(p, "oseq", "oseq ", output & SEQUENCE != 0);
    mark(p, "icsum", "icsum ", input & CHECKSUM != 0);
    mark(p, "ocsum", "ocsum ", output & CHECKSUM != 0);
}

fn print_span(p: &mut Printer, gre: &Gre) {
    number(p, "erspan_index", gre.erspan_index);
    number(p, "erspan_ver", gre.erspan_ver);
    if let Some(direction) = gre.erspan_dir {
        word(p, "erspan_dir", if direction == 0 { "ingress" } else { "egress" });
    }
    hexadecimal(p, "erspan_hwid", "erspan_hwid", gre.erspan_hwid);
}
