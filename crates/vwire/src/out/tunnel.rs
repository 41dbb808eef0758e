//! Prints tunnels as `ip tunnel` does.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Colour, Printer};

/// `GRE_CSUM` (`linux/if_tunnel.h`).
pub const CHECKSUM: u16 = 0x8000;
/// `GRE_KEY`.
pub const KEY: u16 = 0x2000;
/// `GRE_SEQ`.
pub const SEQUENCE: u16 = 0x1000;
/// `IPPROTO_GRE`.
pub const GRE: u8 = 47;

/// What tunnels of both families have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Common {
    /// What it is called.
    pub name: Vec<u8>,
    /// What is inside (`IPPROTO_*`).
    pub protocol: u8,
    /// The link below, by its index; 0 is any.
    pub link: u32,
    /// What is wanted of packets that come (`GRE_*`).
    pub input: u16,
    /// What packets that go have (`GRE_*`).
    pub output: u16,
    /// The key of packets that come.
    pub input_key: u32,
    /// The key of packets that go.
    pub output_key: u32,
}

/// A tunnel over IPv4 (`struct ip_tunnel_parm`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel4 {
    /// What tunnels of both families have.
    pub common: Common,
    /// Where it comes from.
    pub local: Ipv4Addr,
    /// Where it goes.
    pub remote: Ipv4Addr,
    /// The time to live; 0 is that of the packet inside.
    pub ttl: u8,
    /// The type of service; 1 is that of the packet inside.
    pub tos: u8,
    /// Whether packets must not be cut (`IP_DF`).
    pub discovers: bool,
}

/// A tunnel over IPv6 (`struct ip6_tnl_parm2`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel6 {
    /// What tunnels of both families have.
    pub common: Common,
    /// Where it comes from.
    pub local: Ipv6Addr,
    /// Where it goes.
    pub remote: Ipv6Addr,
    /// How many tunnels may be inside.
    pub encap_limit: u8,
    /// The hop limit; 0 is that of the packet inside.
    pub hop_limit: u8,
    /// The traffic class and the flow label.
    pub flowinfo: u32,
    /// `IP6_TNL_F_*`.
    pub flags: u32,
}

/// What is told of a tunnel beside the struct itself.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// What the link below is called.
    pub device: Option<Vec<u8>>,
    /// The type of service in words.
    pub tos: String,
    /// The routers that may be behind an ISATAP tunnel, and whether it is a default one.
    pub routers: Vec<(Ipv4Addr, bool)>,
    /// The prefix of 6rd and its length, and those of the relay.
    pub prefix: Option<(Ipv6Addr, u16, Ipv4Addr, u16)>,
}

/// Prints a tunnel over IPv4, without the end of the line.
pub fn print_4(p: &mut Printer, tunnel: &Tunnel4, beside: &Beside) {
    p.coloured(Some(Colour::Device), "ifname", "", &tunnel.common.name, ": ");
    p.string("mode", "", format!("{}/ip", protocol_word(tunnel.common.protocol)), " ");
    p.text("remote ");
    p.coloured(Some(Colour::Inet), "remote", "", end_4(p, tunnel.remote), " ");
    p.text("local ");
    p.coloured(Some(Colour::Inet), "local", "", end_4(p, tunnel.local), "");
    for (router, is_default) in &beside.routers {
        let word = if *is_default { "pdr" } else { "pr" };
        p.string(word, &format!(" {word} "), router.to_string(), "");
    }
    print_device(p, "dev", beside);
    match tunnel.ttl {
        0 => p.text(" ttl inherit"),
        ttl => p.number("ttl", " ttl ", ttl, ""),
    }
    match tunnel.tos {
        0 => {}
        1 => p.text(" tos inherit"),
        tos => {
            let inherits = if tos & 1 != 0 && !p.is_json() { "inherit/" } else { "" };
            p.string("tos", " tos ", format!("{inherits}{}", beside.tos), "");
        }
    }
    if !tunnel.discovers {
        p.null("nopmtudisc", " nopmtudisc");
    }
    if let Some((prefix, length, relay, relay_length)) = beside.prefix {
        p.string("6rd-prefix", " 6rd-prefix ", prefix.to_string(), "");
        p.number("6rd-prefixlen", "/", length, "");
        if !relay.is_unspecified() {
            p.string("6rd-relay_prefix", " 6rd-relay_prefix ", relay.to_string(), "");
            p.number("6rd-relay_prefixlen", "/", relay_length, "");
        }
    }
    print_gre(p, &tunnel.common);
}

/// Prints a tunnel over IPv6, without the end of the line.
pub fn print_6(p: &mut Printer, tunnel: &Tunnel6, beside: &Beside) {
    const NO_LIMIT: u32 = 1;
    const INNER_CLASS: u32 = 2;
    const INNER_LABEL: u32 = 4;
    const COPIES_DSCP: u32 = 0x10;
    const ALLOWS_LOCAL: u32 = 0x40;
    let has = |flag: u32| tunnel.flags & flag != 0;
    p.coloured(Some(Colour::Device), "ifname", "", &tunnel.common.name, ": ");
    p.string("mode", "", format!("{}/ipv6", protocol_word(tunnel.common.protocol)), " ");
    p.text("remote ");
    p.coloured(Some(Colour::Inet6), "remote", "", tunnel.remote.to_string(), " ");
    p.text("local ");
    p.coloured(Some(Colour::Inet6), "local", "", tunnel.local.to_string(), "");
    print_device(p, "link", beside);
    match has(NO_LIMIT) {
        true => p.null("ip6_tnl_f_ign_encap_limit", " encaplimit none"),
        false => p.number("encap_limit", " encaplimit ", tunnel.encap_limit, ""),
    }
    match tunnel.hop_limit {
        0 => p.text(" hoplimit inherit"),
        limit => p.number("hoplimit", " hoplimit ", limit, ""),
    }
    match has(INNER_CLASS) {
        true => p.null("ip6_tnl_f_use_orig_tclass", " tclass inherit"),
        false => p.string("tclass", " tclass ", format!("0x{:02x}", tunnel.flowinfo >> 20 & 0xff), ""),
    }
    match has(INNER_LABEL) {
        true => p.null("ip6_tnl_f_use_orig_flowlabel", " flowlabel inherit"),
        false => p.string("flowlabel", " flowlabel ", format!("0x{:05x}", tunnel.flowinfo & 0xf_ffff), ""),
    }
    p.string("flowinfo", " (flowinfo ", format!("0x{:08x}", tunnel.flowinfo), ")");
    if has(COPIES_DSCP) {
        p.null("ip6_tnl_f_rcv_dscp_copy", " dscp inherit");
    }
    if has(ALLOWS_LOCAL) {
        p.null("ip6_tnl_f_allow_local_remote", " allow-localremote");
    }
    print_gre(p, &tunnel.common);
}

/// Prints an end: where text says `any`, JSON has the address.
fn end_4(p: &Printer, address: Ipv4Addr) -> String {
    if address.is_unspecified() && !p.is_json() { "any".to_owned() } else { address.to_string() }
}

fn print_device(p: &mut Printer, member: &str, beside: &Beside) {
    if let Some(device) = &beside.device {
        p.string(member, " dev ", device, "");
    }
}

fn print_gre(p: &mut Printer, of: &Common) {
    let (keyed_in, keyed_out) = (of.input & KEY != 0, of.output & KEY != 0);
    if keyed_in && keyed_out && of.input_key == of.output_key {
        p.number("key", " key ", of.input_key, "");
    } else {
        if keyed_in {
            p.number("ikey", " ikey ", of.input_key, "");
        }
        if keyed_out {
            p.number("okey", " okey ", of.output_key, "");
        }
    }
    if of.protocol != GRE {
        return;
    }
    let flags = [
        (of.input & SEQUENCE, "rx_drop_ooseq", "Drop packets out of sequence."),
        (of.input & CHECKSUM, "rx_csum", "Checksum in received packet is required."),
        (of.output & SEQUENCE, "tx_seq", "Sequence packets on output."),
        (of.output & CHECKSUM, "tx_csum", "Checksum output packets."),
    ];
    p.open_array(Some("flags"));
    for (_, member, sentence) in flags.into_iter().filter(|(flag, ..)| *flag != 0) {
        if p.is_json() {
            p.element("", member, "");
        } else {
            p.line_break();
            p.text(format!("  {sentence}"));
        }
    }
    p.close_array();
}

/// Returns the word for what is inside a tunnel.
fn protocol_word(protocol: u8) -> &'static str {
    match protocol {
        0 => "any",
        4 => "ip",
        41 => "ipv6",
        GRE => "gre",
        50 => "esp",
        137 => "mpls",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    fn printed(json: bool, print: impl Fn(&mut Printer)) -> String {
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        p.open_object(None);
        print(&mut p);
        p.close_object();
        String::from_utf8(p.take()).unwrap()
    }

    fn gre() -> Tunnel4 {
        let common = Common {
            name: b"gre1".to_vec(),
            protocol: GRE,
            input: KEY | SEQUENCE,
            output: KEY,
            input_key: 5,
            output_key: 5,
            ..Common::default()
        };
        let (local, remote) = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::new(10, 0, 0, 2));
        Tunnel4 { common, local, remote, ttl: 0, tos: 0x11, discovers: false }
    }

    #[test]
    fn a_tunnel_over_ipv4_is_one_line_and_its_flags() {
        let beside = Beside { device: Some(b"ep1".to_vec()), tos: "0x10".into(), ..Beside::default() };
        assert_eq!(
            printed(false, |p| print_4(p, &gre(), &beside)),
            "gre1: gre/ip remote 10.0.0.2 local any dev ep1 ttl inherit tos inherit/0x10 nopmtudisc key 5\n  \
             Drop packets out of sequence."
        );
        let json = printed(true, |p| print_4(p, &gre(), &beside));
        assert!(json.contains("\"local\":\"0.0.0.0\"") && json.ends_with("\"flags\":[\"rx_drop_ooseq\"]}"), "{json}");
    }

    #[test]
    fn a_tunnel_over_ipv6_tells_what_it_inherits() {
        let tunnel = Tunnel6 {
            common: Common { name: b"t6".to_vec(), protocol: 41, ..Common::default() },
            local: Ipv6Addr::LOCALHOST,
            remote: Ipv6Addr::UNSPECIFIED,
            encap_limit: 4,
            hop_limit: 64,
            flowinfo: 0x0120_0345,
            flags: 0x10,
        };
        assert_eq!(
            printed(false, |p| print_6(p, &tunnel, &Beside::default())),
            "t6: ipv6/ipv6 remote :: local ::1 encaplimit 4 hoplimit 64 tclass 0x12 flowlabel 0x00345 \
             (flowinfo 0x01200345) dscp inherit"
        );
    }
}
