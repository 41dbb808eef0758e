//! What tunnels in IP have in common: their ends, their flags, and the UDP around them.

use std::net::{IpAddr, Ipv4Addr};

use super::fact::{hexadecimal, mark, number_as, word, word_as};
use crate::out::Printer;
use crate::out::link::Context;

/// `IP6_TNL_F_IGN_ENCAP_LIMIT` (`linux/ip6_tunnel.h`).
const IGNORES_ENCAP_LIMIT: u32 = 0x1;
/// `IP6_TNL_F_USE_ORIG_TCLASS`.
const INHERITS_CLASS: u32 = 0x2;
/// `IP6_TNL_F_USE_ORIG_FLOWLABEL`.
const INHERITS_LABEL: u32 = 0x4;
/// `IP6_TNL_F_MIP6_DEV`.
const MOBILE: u32 = 0x8;
/// `IP6_TNL_F_RCV_DSCP_COPY`.
const COPIES_DSCP: u32 = 0x10;
/// `IP6_TNL_F_USE_ORIG_FWMARK`.
const INHERITS_MARK: u32 = 0x20;
/// `IP6_TNL_F_ALLOW_LOCAL_REMOTE`.
const ALLOWS_LOCAL_REMOTE: u32 = 0x40;

/// Prints both ends: `any` where there is none, `unknown` where it is of the other family.
pub(super) fn print_ends(p: &mut Printer, v6: bool, remote: Option<IpAddr>, local: Option<IpAddr>) {
    for (name, address) in [("remote", remote), ("local", local)] {
        let spelled = match address {
            Some(address) if address.is_ipv6() != v6 => "unknown".to_owned(),
            None => "any".to_owned(),
            Some(address) if address.is_unspecified() => "any".to_owned(),
            Some(address) => p.host_of(address),
        };
        word(p, name, spelled);
    }
}

/// Prints the link below.
pub(super) fn print_link(p: &mut Printer, link: Option<u32>, context: &Context) {
    if let Some(link @ 1..) = link {
        word_as(p, "link", "dev", context.link_name(link));
    }
}

/// Prints the time to live, under the name that it has in IPv4 or IPv6; 0 is the inner packet's.
pub(super) fn print_hops(p: &mut Printer, word: &str, ttl: Option<u8>) {
    let ttl = ttl.unwrap_or(0);
    if ttl == 0 && !p.is_json() {
        p.text(format!("{word} inherit "));
    } else {
        number_as(p, "ttl", word, Some(ttl));
    }
}

/// Prints a key of IPv4's form.
pub(super) fn print_key(p: &mut Printer, name: &str, key: Option<u32>) {
    if let Some(key) = key {
        word(p, name, Ipv4Addr::from(key).to_string());
    }
}

/// Prints the mark that sent packets get, unless it is 0.
pub(super) fn print_mark(p: &mut Printer, mark: Option<u32>) {
    hexadecimal(p, "fwmark", "fwmark", mark.filter(|mark| *mark != 0));
}

/// What IPv6 says around the inner packet.
pub(super) struct Outer6 {
    pub(super) flags: u32,
    pub(super) encap_limit: Option<u8>,
    pub(super) flowinfo: Option<u32>,
}

impl Outer6 {
    /// Prints all but the flags that stand at the end.
    pub(super) fn print(&self, p: &mut Printer) {
        if self.flags & IGNORES_ENCAP_LIMIT != 0 {
            p.mark("ip6_tnl_f_ign_encap_limit", "encaplimit none ");
        } else {
            number_as(p, "encap_limit", "encaplimit", self.encap_limit);
        }
        let class = self.flowinfo.map(|flow| format!("{:#04x}", flow >> 20 & 0xff));
        let label = self.flowinfo.map(|flow| format!("{:#07x}", flow & 0xf_ffff));
        for (flag, name, word, inherited, value) in [
            (INHERITS_CLASS, "ip6_tnl_f_use_orig_tclass", "tclass", "tclass inherit ", class),
            (INHERITS_LABEL, "ip6_tnl_f_use_orig_flowlabel", "flowlabel", "flowlabel inherit ", label),
        ] {
            match value {
                _ if self.flags & flag != 0 => p.mark(name, inherited),
                Some(value) => super::fact::word(p, word, value),
                None => {}
            }
        }
        mark(p, "ip6_tnl_f_rcv_dscp_copy", "dscp inherit ", self.flags & COPIES_DSCP != 0);
    }

    /// Prints that the tunnel belongs to Mobile IPv6.
    pub(super) fn print_mobile(&self, p: &mut Printer) {
        mark(p, "ip6_tnl_f_mip6_dev", "mip6 ", self.flags & MOBILE != 0);
    }

    /// Prints the flags that stand at the end, and the mark.
    pub(super) fn print_rest(&self, p: &mut Printer, fwmark: Option<u32>) {
        let allows = self.flags & ALLOWS_LOCAL_REMOTE != 0;
        mark(p, "ip6_tnl_f_allow_local_remote", "allow-localremote ", allows);
        if self.flags & INHERITS_MARK != 0 {
            p.mark("ip6_tnl_f_use_orig_fwmark", "fwmark inherit ");
        } else {
            print_mark(p, fwmark);
        }
    }
}

/// The UDP around a tunnel.
pub(super) struct Encapsulation {
    /// `TUNNEL_ENCAP_*` (`linux/if_tunnel.h`).
    pub(super) kind: Option<u16>,
    pub(super) flags: Option<u16>,
    pub(super) source: Option<u16>,
    pub(super) destination: Option<u16>,
}

impl Encapsulation {
    pub(super) fn print(&self, p: &mut Printer) {
        let Some(kind @ 1..) = self.kind else { return };
        let (source, destination) = (self.source.unwrap_or(0), self.destination.unwrap_or(0));
        p.open_object(Some("encap"));
        p.text("encap ");
        match kind {
            1 => p.string("type", "", "fou", " "),
            2 => p.string("type", "", "gue", " "),
            _ => p.null("type", "unknown "),
        }
        match source {
            0 if !p.is_json() => p.text("encap-sport auto "),
            source => p.number("sport", "encap-sport ", source, " "),
        }
        p.number("dport", "encap-dport ", destination, " ");
        for (bit, name) in ["csum", "csum6", "remcsum"].into_iter().enumerate() {
            let on = self.flags.unwrap_or(0) >> bit & 1 == 1;
            p.bool_json(name, on);
            p.text(format!("{}encap-{name} ", if on { "" } else { "no" }));
        }
        p.close_object();
    }
}
