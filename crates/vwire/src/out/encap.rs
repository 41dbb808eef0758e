//! Prints what is put around a packet on its way: the light-weight tunnels of routes and next hops.
//!
//! The kernel's attributes are read here as they are printed; one that is too short prints nothing.

use vwire_netlink::wire::{Attributes, nest::RawNest};

use super::host::{self, AF_INET, AF_INET6, AF_MPLS};
use super::route::Context;
use super::{Colour, Printer};

/// The words for `LWTUNNEL_ENCAP_*` (`linux/lwtunnel.h`), by number.
pub const TYPES: [&str; 11] = ["", "mpls", "ip", "ila", "ip6", "seg6", "bpf", "seg6local", "rpl", "ioam6", "xfrm"];
/// The words for `SEG6_IPTUN_MODE_*` (`linux/seg6_iptunnel.h`).
pub const SEG6_MODES: [&str; 5] = ["inline", "encap", "l2encap", "encap.red", "l2encap.red"];
/// The words for `SEG6_LOCAL_ACTION_*` (`linux/seg6_local.h`).
pub const SEG6_ACTIONS: [&str; 17] = [
    "",
    "End",
    "End.X",
    "End.T",
    "End.DX2",
    "End.DX6",
    "End.DX4",
    "End.DT6",
    "End.DT4",
    "End.B6",
    "End.B6.Encaps",
    "End.BM",
    "End.S",
    "End.AS",
    "End.AM",
    "End.BPF",
    "End.DT46",
];
/// The words for `SEG6_LOCAL_FLV_OP_*`, by bit.
pub const SEG6_FLAVORS: [&str; 5] = ["", "psp", "usp", "usd", "next-csid"];

/// Prints a tunnel of the type `kind` (`LWTUNNEL_ENCAP_*`).
pub fn print(p: &mut Printer, kind: Option<u16>, encap: &RawNest, context: &Context) {
    let Some(kind) = kind else { return };
    let word = TYPES.get(usize::from(kind)).filter(|word| !word.is_empty()).unwrap_or(&"unknown");
    p.open_object(Some("encap"));
    p.string("encap_type", " encap ", word, " ");
    let facts = Facts { encap, context };
    match *word {
        "mpls" => facts.mpls(p),
        "ip" => facts.ip(p, AF_INET),
        "ip6" => facts.ip(p, AF_INET6),
        "seg6" => facts.seg6(p),
        "seg6local" => facts.seg6_local(p),
        "rpl" => facts.rpl(p),
        "ila" => facts.ila(p),
        "bpf" => facts.bpf(p),
        "xfrm" => facts.xfrm(p),
        "ioam6" => facts.ioam6(p),
        _ => {}
    }
    p.close_object();
}

/// The attributes of a tunnel.
struct Facts<'a> {
    encap: &'a RawNest,
    context: &'a Context,
}

impl<'a> Facts<'a> {
    fn payload(&self, number: u16) -> Option<&'a [u8]> {
        self.encap.attributes().find(|attribute| attribute.number() == number).map(|found| found.payload())
    }

    fn array<const N: usize>(&self, number: u16) -> Option<[u8; N]> {
        self.payload(number)?.first_chunk().copied()
    }

    fn octet(&self, number: u16) -> Option<u8> {
        self.array(number).map(u8::from_ne_bytes)
    }

    fn word(&self, number: u16) -> Option<u32> {
        self.array(number).map(u32::from_ne_bytes)
    }

    fn address(&self, p: &mut Printer, number: u16, family: u16, name: &str) {
        if let Some(address) = self.payload(number) {
            p.coloured(host::colour(family), name, &format!("{name} "), host::host(family, address), " ");
        }
    }

    fn number(p: &mut Printer, name: &str, value: Option<u8>) {
        if let Some(value) = value {
            p.number(name, &format!("{name} "), value, " ");
        }
    }

    /// `MPLS_IPTUNNEL_*` (`linux/mpls_iptunnel.h`).
    fn mpls(&self, p: &mut Printer) {
        if let Some(labels) = self.payload(1) {
            p.string("dst", " ", host::host(AF_MPLS, labels), " ");
        }
        Self::number(p, "ttl", self.octet(2));
    }

    /// `LWTUNNEL_IP_*`, `LWTUNNEL_IP6_*` (`linux/lwtunnel.h`): alike but for two words.
    fn ip(&self, p: &mut Printer, family: u16) {
        const ID: u16 = 1;
        const DST: u16 = 2;
        const SRC: u16 = 3;
        /// `TUNNEL_KEY`, `TUNNEL_CSUM`, `TUNNEL_SEQ` (`linux/if_tunnel.h`).
        const FLAGS: [(&str, u16); 3] = [("key", 0x0004), ("csum", 0x0001), ("seq", 0x0008)];
        if let Some(id) = self.array(ID).map(u64::from_be_bytes) {
            p.number("id", "id ", id, " ");
        }
        self.address(p, SRC, family, "src");
        self.address(p, DST, family, "dst");
        if family == AF_INET {
            Self::number(p, "ttl", self.octet(4));
            Self::number(p, "tos", self.octet(5));
        } else {
            Self::number(p, "hoplimit", self.octet(4));
            Self::number(p, "tc", self.octet(5));
        }
        if let Some(flags) = self.array(6).map(u16::from_be_bytes) {
            for (word, bit) in FLAGS {
                if flags & bit != 0 {
                    p.mark(word, &format!("{word} "));
                }
            }
        }
        if let Some(options) = self.payload(8) {
            print_options(p, options);
        }
    }

    /// `SEG6_IPTUNNEL_*`: a mode of 4 bytes, and the header.
    fn seg6(&self, p: &mut Printer) {
        let Some((mode, header)) = self.payload(1).and_then(|payload| payload.split_first_chunk()) else { return };
        let mode = usize::try_from(u32::from_ne_bytes(*mode)).ok();
        let mode = mode.and_then(|mode| SEG6_MODES.get(mode)).unwrap_or(&"<unknown>");
        p.string("mode", "mode ", mode, " ");
        self.address(p, 2, AF_INET6, "tunsrc");
        print_segments(p, header);
    }

    /// `SEG6_LOCAL_*`.
    fn seg6_local(&self, p: &mut Printer) {
        let Some(action) = self.word(1) else { return };
        let action = usize::try_from(action).ok().map(|action| SEG6_ACTIONS.get(action).copied());
        let action = match action.flatten() {
            Some("") => "<unknown>",
            Some(word) => word,
            None => "<invalid>",
        };
        p.string("action", "action ", action, " ");
        if let Some(header) = self.payload(2) {
            p.open_object(Some("srh"));
            print_segments(p, header);
            p.close_object();
        }
        for (number, name) in [(3, "table"), (9, "vrftable")] {
            if let Some(table) = self.word(number) {
                p.string(name, &format!("{name} "), self.context.table(table), " ");
            }
        }
        for (number, name, family) in [(4, "nh4", AF_INET), (5, "nh6", AF_INET6)] {
            if let Some(address) = self.payload(number) {
                p.string(name, &format!("{name} "), host::host(family, address), " ");
            }
        }
        for (number, name) in [(6, "iif"), (7, "oif")] {
            if let Some(link) = self.word(number) {
                p.string(name, &format!("{name} "), self.context.link(link), " ");
            }
        }
        if let Some(program) = self.payload(8) {
            print_program(p, "endpoint", program);
        }
        if let Some(counters) = self.payload(10).filter(|_| self.context.stats > 0) {
            print_counters(p, counters);
        }
        if let Some(flavors) = self.payload(11) {
            print_flavors(p, flavors);
        }
    }

    /// `RPL_IPTUNNEL_*`.
    fn rpl(&self, p: &mut Printer) {
        let Some(header) = self.payload(1) else { return };
        let count = header.get(3).copied().unwrap_or(0);
        let segments = header.get(8..).unwrap_or_default().chunks_exact(16).take(count.into());
        print_list(p, count.into(), &segments.rev().collect::<Vec<_>>());
    }

    /// `ILA_ATTR_*` (`linux/ila.h`).
    fn ila(&self, p: &mut Printer) {
        if let Some(locator) = self.array::<8>(1) {
            let part = |pair: &[u8]| format!("{:x}", u16::from_be_bytes([pair[0], pair[1]]));
            p.string("locator", " ", locator.chunks_exact(2).map(part).collect::<Vec<_>>().join(":"), " ");
        }
        const CHECKSUMS: [&str; 4] = ["adj-transport", "neutral-map", "no-action", "neutral-map-auto"];
        const IDENTIFIERS: [&str; 6] = ["iid", "luid", "virt-v4", "virt-uni-v6", "virt-multi-v6", "nonlocal-addr"];
        const USE_FORMAT: u8 = 32;
        const HOOKS: [&str; 2] = ["output", "input"];
        let facts: [(u16, &str, &str, &[&str]); 3] = [
            (7, "csum_mode", " csum-mode ", &CHECKSUMS),
            (8, "ident_type", " ident-type ", &IDENTIFIERS),
            (9, "hook_type", " hook-type ", &HOOKS),
        ];
        for (number, name, before, words) in facts {
            if let Some(value) = self.octet(number) {
                let word = match words.get(usize::from(value)) {
                    None if name == "ident_type" && value == USE_FORMAT => "use-format",
                    word => word.copied().unwrap_or("unknown"),
                };
                p.string(name, before, word, " ");
            }
        }
    }

    /// `LWT_BPF_*`.
    fn bpf(&self, p: &mut Printer) {
        for (number, name) in [(1, "in"), (2, "out"), (3, "xmit")] {
            if let Some(program) = self.payload(number) {
                print_program(p, name, program);
            }
        }
        if let Some(headroom) = self.word(4) {
            p.number("headroom", " ", headroom, " ");
        }
    }

    /// `LWT_XFRM_*`.
    fn xfrm(&self, p: &mut Printer) {
        if let Some(id) = self.word(1) {
            p.number("if_id", "if_id ", id, " ");
        }
        if let Some(link) = self.word(2) {
            p.string("link_dev", "link_dev ", self.context.link(link), " ");
        }
    }

    /// `IOAM6_IPTUNNEL_*` (`linux/ioam6_iptunnel.h`).
    fn ioam6(&self, p: &mut Printer) {
        const MODES: [&str; 4] = ["<unknown>", "inline", "encap", "auto"];
        let (Some(mode), Some(trace), Some(k), Some(n)) = (self.octet(1), self.payload(3), self.word(4), self.word(5))
        else {
            return;
        };
        p.number("freqk", "freq ", k, "");
        p.number("freqn", "/", n, " ");
        let inline = mode == 1;
        if (self.payload(6).is_some() && inline) || (self.payload(2).is_none() && !inline) {
            return;
        }
        p.string("mode", "mode ", MODES.get(usize::from(mode)).unwrap_or(&MODES[0]), " ");
        if !inline {
            self.address(p, 6, AF_INET6, "tunsrc");
            self.address(p, 2, AF_INET6, "tundst");
        }
        p.null("trace", "trace ");
        p.null("prealloc", "prealloc ");
        let [n0, n1, _, length, t0, t1, t2, ..] = *trace else { return };
        let kind = u32::from_be_bytes([0, t0, t1, t2]);
        if p.is_json() {
            p.string_json("type", format!("{kind:x}"));
        } else {
            p.text(format!("type {kind:#08x} "));
        }
        p.number("ns", "ns ", u16::from_be_bytes([n0, n1]), " ");
        p.number("size", "size ", u32::from(length) * 4, " ");
    }
}

/// Prints a segment routing header (RFC 8754, 2): the list stands in it from the last to the first.
fn print_segments(p: &mut Printer, header: &[u8]) {
    /// `SR6_FLAG1_HMAC` (`linux/seg6.h`).
    const HAS_HMAC: u8 = 1 << 3;
    let [_, length, _, _, last, flags, ..] = *header else { return };
    let count = usize::from(last) + 1;
    let segments = header.get(8..).unwrap_or_default().chunks_exact(16).take(count);
    print_list(p, count, &segments.rev().collect::<Vec<_>>());
    // The kernel's check of the flag also looks at the space for it.
    let end = (usize::from(length) + 1) * 8;
    if flags & HAS_HMAC != 0
        && let Some(key) = end.checked_sub(40).and_then(|at| header.get(at + 4..)?.first_chunk())
    {
        let key = u32::from_be_bytes(*key);
        if p.is_json() {
            p.string_json("hmac", format!("{key:#x}"));
        } else {
            p.text(format!("hmac {key:X} "));
        }
    }
}

fn print_list(p: &mut Printer, count: usize, segments: &[&[u8]]) {
    p.open_array(Some("segs"));
    p.text(format!("segs {count} [ "));
    for segment in segments {
        let spelled = host::host(AF_INET6, segment);
        if p.is_json() {
            p.element("", spelled, "");
        } else {
            p.coloured_text(Some(Colour::Inet6), "", spelled, " ");
        }
    }
    p.text("] ");
    p.close_array();
}

fn print_program(p: &mut Printer, word: &str, program: &[u8]) {
    let name = Attributes::new(program).find(|attribute| attribute.number() == 2).map(|found| found.payload());
    let name = name.map(|name| name.strip_suffix(b"\0").unwrap_or(name));
    p.string_json(word, name.unwrap_or(b"<unknown>"));
    p.text(format!("{word} "));
    if let Some(name) = name {
        p.text(name);
        p.text(" ");
    }
}

/// `SEG6_LOCAL_CNT_*`.
fn print_counters(p: &mut Printer, counters: &[u8]) {
    p.open_object(Some("stats64"));
    for (number, word) in [(2, "packets"), (3, "bytes"), (4, "errors")] {
        let found = Attributes::new(counters).find(|attribute| attribute.number() == number);
        let count = found.and_then(|found| found.payload().first_chunk().copied()).map_or(0, u64::from_ne_bytes);
        p.number(word, &format!("{word} "), count, " ");
    }
    p.close_object();
}

/// `SEG6_LOCAL_FLV_*`.
fn print_flavors(p: &mut Printer, flavors: &[u8]) {
    for attribute in Attributes::new(flavors) {
        match (attribute.number(), attribute.payload()) {
            (1, payload) => {
                let Some(bits) = payload.first_chunk().map(|bits| u32::from_ne_bytes(*bits)) else { continue };
                let words = SEG6_FLAVORS.iter().enumerate().skip(1).filter(|(bit, _)| bits & 1 << bit != 0);
                p.open_array(Some("flavors"));
                p.text("flavors ");
                let mut comma = "";
                for (_, word) in words {
                    p.element(comma, word, "");
                    comma = ",";
                }
                p.close_array();
                p.text(" ");
            }
            (2, [bits, ..]) => p.number("lblen", "lblen ", *bits, " "),
            (3, [bits, ..]) => p.number("nflen", "nflen ", *bits, " "),
            _ => {}
        }
    }
}

/// `LWTUNNEL_IP_OPTS_*`: what one protocol adds, on a line of its own.
fn print_options(p: &mut Printer, options: &[u8]) {
    let found = |number| Attributes::new(options).find(|attribute| attribute.number() == number);
    let open = |p: &mut Printer, name: &str| {
        p.line_break();
        p.text(format!("\t{name} "));
        p.open_array(Some(name));
    };
    if let Some(geneve) = found(1) {
        open(p, "geneve_opts");
        let all: Vec<_> = geneve.nested().collect();
        // One option is three attributes: its class, its type, its data.
        let last = all.chunks(3).count().saturating_sub(1);
        for (at, option) in all.chunks(3).enumerate() {
            let part = |number| option.iter().find(|part| part.number() == number).map(|part| part.payload());
            let class = part(1).and_then(|class| class.first_chunk()).map_or(0, |class| u16::from_be_bytes(*class));
            let data: String = part(3).unwrap_or_default().iter().map(|octet| format!("{octet:02x}")).collect();
            p.open_object(None);
            p.number("class", "", class, "");
            p.number("type", ":", part(2).and_then(|kind| kind.first().copied()).unwrap_or(0), "");
            p.string("data", ":", data, if at == last { " " } else { "," });
            p.close_object();
        }
    } else if let Some(vxlan) = found(2) {
        open(p, "vxlan_opts");
        let policy = vxlan.nested().find(|part| part.number() == 1);
        let policy = policy.and_then(|part| part.payload().first_chunk().copied()).map_or(0, u32::from_ne_bytes);
        p.open_object(None);
        p.number("gbp", "", policy, " ");
        p.close_object();
    } else if let Some(erspan) = found(3) {
        open(p, "erspan_opts");
        let part = |number| erspan.nested().find(|part| part.number() == number).map(|part| part.payload());
        let octet = |number| part(number).and_then(|payload| payload.first().copied()).unwrap_or(0);
        let first = octet(1) == 1;
        let index = part(2).and_then(|index| index.first_chunk()).map_or(0, |index| u32::from_be_bytes(*index));
        p.open_object(None);
        p.number("ver", "", octet(1), "");
        p.number("index", ":", if first { index } else { 0 }, "");
        p.number("dir", ":", if first { 0 } else { octet(3) }, "");
        p.number("hwid", ":", if first { 0 } else { octet(4) }, " ");
        p.close_object();
    } else {
        return;
    }
    p.close_array();
}

/// Returns the indexes of the links whose names a tunnel's record shows.
#[must_use]
pub fn references(kind: Option<u16>, encap: &RawNest) -> Vec<u32> {
    let numbers: &[u16] = match kind.and_then(|kind| TYPES.get(usize::from(kind))) {
        Some(&"seg6local") => &[6, 7],
        Some(&"xfrm") => &[2],
        _ => &[],
    };
    let links = encap.attributes().filter(|attribute| numbers.contains(&attribute.number()));
    links.filter_map(|link| link.payload().first_chunk().map(|index| u32::from_ne_bytes(*index))).collect()
}
