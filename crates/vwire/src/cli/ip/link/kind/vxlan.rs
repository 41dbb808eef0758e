//! The options of a VXLAN tunnel.

use std::collections::HashSet;
use std::net::IpAddr;

use vwire_netlink::wire::link::vxlan::{PortRange, Vxlan};
use vwire_netlink::wire::value::Switch;

use super::address::{self, Family};
use super::grammar::{Grammar, Row, Takes, number, warn};
use super::{Purpose, traffic_class};
use crate::cli::ip::failure::EXIT_SEMANTIC;
use crate::cli::ip::words::{Words, number_as};
use crate::cli::ip::{Failure, Ip};

/// The data, and what must be known of the words to judge them together.
#[derive(Debug, Default)]
pub(super) struct Draft {
    vxlan: Vxlan,
    /// Which settings were made, by the name that `ip` tells of a repeated one.
    seen: HashSet<&'static str>,
    remote: Option<IpAddr>,
    local: Option<IpAddr>,
    learns: Option<bool>,
}

/// Reads what follows a word.
type Reader = fn(&mut Ip<'_>, &[u8], &mut Words<'_>, &mut Draft) -> Result<(), Failure>;

const fn valued(word: &'static str, values: &'static str, read: Reader) -> Row<Draft> {
    Row::new(word, values, Takes::Special(read))
}

/// Makes the row of a switch, the setting that it belongs to, and what it does.
macro_rules! switch {
    ($make:ident $word:literal, $setting:literal, $set:expr) => {
        Row::$make(
            $word,
            "",
            Takes::Special(|_, word, _, draft| {
                draft.once($setting, &String::from_utf8_lossy(word), word)?;
                let set: fn(&mut Draft) = $set;
                set(draft);
                Ok(())
            }),
        )
    };
}

/// In `ip`'s order: the first row that a word begins wins.
const ROWS: &[Row<Draft>] = &[
    valued("id", "VNI", identifier),
    valued("vni", "VNI", identifier),
    valued("group", "ADDRESS", group),
    valued("remote", "ADDRESS", remote),
    valued("local", "ADDRESS", local),
    valued("dev", "DEV", below),
    valued("ttl", "TTL", time_to_live),
    valued("hoplimit", "TTL", time_to_live),
    valued("tos", "TOS", type_of_service),
    valued("dsfield", "TOS", type_of_service),
    valued("df", "unset|set|inherit", fragmentation),
    valued("label", "N", flow_label),
    valued("flowlabel", "N", flow_label),
    valued("ageing", "SECONDS|none", ageing),
    valued("maxaddress", "N|unlimited", most_addresses),
    valued("port", "MIN MAX", source_ports),
    valued("srcport", "MIN MAX", source_ports),
    valued("dstport", "PORT", port),
    switch!(new "nolearning", "learning", |d| d.learns = Some(false)),
    switch!(new "learning", "learning", |d| d.learns = Some(true)),
    switch!(new "noproxy", "proxy", |d| d.vxlan.proxy = Some(0)),
    switch!(new "proxy", "proxy", |d| d.vxlan.proxy = Some(1)),
    switch!(new "norsc", "rsc", |d| d.vxlan.rsc = Some(0)),
    switch!(new "rsc", "rsc", |d| d.vxlan.rsc = Some(1)),
    switch!(new "nol2miss", "l2miss", |d| d.vxlan.l2miss = Some(0)),
    switch!(new "l2miss", "l2miss", |d| d.vxlan.l2miss = Some(1)),
    switch!(new "nol3miss", "l3miss", |d| d.vxlan.l3miss = Some(0)),
    switch!(new "l3miss", "l3miss", |d| d.vxlan.l3miss = Some(1)),
    switch!(new "udpcsum", "udpcsum", |d| d.vxlan.udp_csum = Some(1)),
    switch!(new "noudpcsum", "udpcsum", |d| d.vxlan.udp_csum = Some(0)),
    switch!(new "udp6zerocsumtx", "udp6zerocsumtx", |d| d.vxlan.udp_zero_csum6_tx = Some(1)),
    switch!(new "noudp6zerocsumtx", "udp6zerocsumtx", |d| d.vxlan.udp_zero_csum6_tx = Some(0)),
    switch!(new "udp6zerocsumrx", "udp6zerocsumrx", |d| d.vxlan.udp_zero_csum6_rx = Some(1)),
    switch!(new "noudp6zerocsumrx", "udp6zerocsumrx", |d| d.vxlan.udp_zero_csum6_rx = Some(0)),
    switch!(new "remcsumtx", "remcsumtx", |d| d.vxlan.remcsum_tx = Some(1)),
    switch!(new "noremcsumtx", "remcsumtx", |d| d.vxlan.remcsum_tx = Some(0)),
    switch!(new "remcsumrx", "remcsumrx", |d| d.vxlan.remcsum_rx = Some(1)),
    switch!(new "noremcsumrx", "remcsumrx", |d| d.vxlan.remcsum_rx = Some(0)),
    switch!(exact "localbypass", "localbypass", |d| d.vxlan.localbypass = Some(1)),
    switch!(exact "nolocalbypass", "localbypass", |d| d.vxlan.localbypass = Some(0)),
    Row::exact("reserved_bits", "N", Takes::Special(reserved_bits)),
    switch!(new "external", "external", |d| {
        d.learns = Some(false);
        d.vxlan.collect_metadata = Some(1);
    }),
    switch!(new "noexternal", "external", |d| d.vxlan.collect_metadata = Some(0)),
    switch!(new "gbp", "gbp", |d| d.vxlan.gbp = true),
    switch!(new "gpe", "gpe", |d| d.vxlan.gpe = true),
    switch!(exact "vnifilter", "vnifilter", |d| d.vxlan.vnifilter = Some(1)),
    switch!(exact "novnifilter", "vnifilter", |d| d.vxlan.vnifilter = Some(0)),
    switch!(exact "mcroute", "mcroute", |d| d.vxlan.mc_route = Some(1)),
    switch!(exact "nomcroute", "mcroute", |d| d.vxlan.mc_route = Some(0)),
];

/// The options of a VXLAN tunnel.
pub(super) const GRAMMAR: Grammar<Draft> = Grammar {
    noun: "command",
    rows: ROWS,
    notes: "VNI := 0..16777215   TTL := 1..255 | auto | inherit   TOS := N | inherit\n\
            ADDRESS of `group` is multicast and takes `dev`; of `remote` and `local` it is not.\n",
};

/// Reads all options, and what must hold between them.
pub(super) fn read(ip: &mut Ip<'_>, words: &mut Words<'_>, purpose: Purpose) -> Result<Vxlan, Failure> {
    let draft = GRAMMAR.read(ip, "vxlan", words)?;
    draft.judge(purpose)?;
    if purpose == Purpose::Add && draft.vxlan.port.is_none() && !draft.seen.contains("dstport") && !draft.vxlan.gpe {
        warn(
            ip,
            "vxlan: destination port not specified\n\
             Will use Linux kernel default (non-standard value)\n\
             Use 'dstport 4789' to get the IANA assigned value\n\
             Use 'dstport 0' to get default and quiet this message\n",
            "warning: without `dstport` the kernel takes port 8472; VXLAN's own is 4789\n\
             hint: say `dstport 4789`, or `dstport 0` if 8472 is meant\n",
        );
    }
    Ok(draft.finish(purpose, ip.options.family.number()))
}

impl Draft {
    /// Notes that a setting was made; `name` and `value` are what `ip` tells of one that is made twice.
    fn once(&mut self, setting: &'static str, name: &str, value: &[u8]) -> Result<(), Failure> {
        if self.seen.insert(setting) { Ok(()) } else { Err(Failure::duplicate_or_garbage(name, value)) }
    }

    fn judge(&self, purpose: Purpose) -> Result<(), Failure> {
        let external = self.vxlan.collect_metadata == Some(1);
        let filters = self.vxlan.vnifilter == Some(1);
        if !external && filters {
            let theirs = "vxlan: vnifilter is valid only when 'external' is set";
            return Err(Failure::new(EXIT_SEMANTIC, theirs, "`vnifilter` goes with `external` alone"));
        }
        if external && self.vxlan.id.is_some() {
            let theirs = "vxlan: both 'external' and vni cannot be specified";
            return Err(Failure::new(EXIT_SEMANTIC, theirs, "with `external` the network comes with each packet")
                .hint("leave out `id`, or leave out `external`"));
        }
        if !external && self.vxlan.id.is_none() && purpose == Purpose::Add {
            let theirs = "vxlan: missing virtual network identifier";
            return Err(Failure::new(EXIT_SEMANTIC, theirs, "which network it carries is not said")
                .hint("`id VNI` says it, a number below 16777216"));
        }
        if self.remote.is_some_and(|address| address.is_multicast()) && self.vxlan.link.is_none() {
            let theirs = "vxlan: 'group' requires 'dev' to be specified";
            return Err(Failure::new(EXIT_SEMANTIC, theirs, "where to join the group is not said")
                .hint("`dev DEV` says through which device"));
        }
        Ok(())
    }

    /// Returns the data; `family` is that of `-4` and `-6`, for a tunnel without addresses.
    fn finish(self, purpose: Purpose, family: u8) -> Vxlan {
        let mut vxlan = self.vxlan;
        match self.local {
            Some(IpAddr::V4(address)) => vxlan.local = Some(address),
            Some(IpAddr::V6(address)) => vxlan.local6 = Some(address),
            None => {}
        }
        match (self.remote, self.local, family) {
            (Some(IpAddr::V4(address)), ..) => vxlan.group = Some(address),
            (Some(IpAddr::V6(address)), ..) => vxlan.group6 = Some(address),
            (None, None, 2) => vxlan.group = Some([0; 4].into()),
            (None, None, 10) => vxlan.group6 = Some([0; 16].into()),
            _ => {}
        }
        if purpose == Purpose::Add || self.seen.contains("learning") {
            vxlan.learning = Some(u8::from(self.learns.unwrap_or(true)));
        }
        if vxlan.gpe && !self.seen.contains("dstport") {
            vxlan.port = Some(4790);
        }
        vxlan
    }
}

fn identifier(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("id", "id", value)?;
    let id = number_as::<u32>(value).filter(|id| *id < 1 << 24);
    draft.vxlan.id = Some(id.ok_or_else(|| Failure::invalid(value, "invalid id"))?);
    Ok(())
}

fn both() -> Failure {
    let theirs = "vxlan: both group and remote cannot be specified";
    Failure::new(EXIT_SEMANTIC, theirs, "`group` and `remote` exclude each other")
}

fn group(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    if draft.remote.is_some_and(|address| !address.is_multicast()) {
        return Err(both());
    }
    let value = words.value()?;
    draft.once("group", "group", value)?;
    let group = address::read(value, Family::of(draft.local))?.filter(IpAddr::is_multicast);
    draft.remote = Some(group.ok_or_else(|| Failure::invalid(value, "invalid group address"))?);
    Ok(())
}

fn remote(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    if draft.remote.is_some_and(|address| address.is_multicast()) {
        return Err(both());
    }
    let value = words.value()?;
    draft.once("group", "remote", value)?;
    let remote = address::read(value, Family::of(draft.local))?.filter(|address| !address.is_multicast());
    draft.remote = Some(remote.ok_or_else(|| Failure::invalid(value, "invalid remote address"))?);
    Ok(())
}

fn local(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("local", "local", value)?;
    let local = address::read(value, Family::of(draft.remote))?.filter(|address| !address.is_multicast());
    draft.local = Some(local.ok_or_else(|| Failure::invalid(value, "invalid local address"))?);
    Ok(())
}

fn below(ip: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let name = words.value()?;
    draft.once("dev", "dev", name)?;
    draft.vxlan.link = Some(ip.device(name)?.ok_or_else(|| Failure::no_device(name).with_exit(255))?);
    Ok(())
}

fn time_to_live(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("ttl", "ttl", value)?;
    match value {
        b"inherit" => draft.vxlan.ttl_inherit = Some(Switch::Present),
        b"auto" => draft.vxlan.ttl = Some(0),
        _ => draft.vxlan.ttl = Some(hops(value)?),
    }
    Ok(())
}

/// Reads a time to live.
pub(super) fn hops(value: &[u8]) -> Result<u8, Failure> {
    let hops: u32 = number_as(value).ok_or_else(|| Failure::invalid(value, "invalid TTL"))?;
    u8::try_from(hops).map_err(|_| Failure::invalid(value, "TTL must be <= 255"))
}

fn type_of_service(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("tos", "tos", value)?;
    draft.vxlan.tos = Some(if value == b"inherit" { 1 } else { traffic_class(value)? });
    Ok(())
}

fn fragmentation(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("df", "df", value)?;
    draft.vxlan.df = Some(do_not_fragment(value)?);
    Ok(())
}

/// Reads `VXLAN_DF_*`, which are `GENEVE_DF_*` too (`linux/if_link.h`).
pub(super) fn do_not_fragment(value: &[u8]) -> Result<u8, Failure> {
    match value {
        b"unset" => Ok(0),
        b"set" => Ok(1),
        b"inherit" => Ok(2),
        other => Err(Failure::invalid(other, "DF must be 'unset', 'set' or 'inherit'")),
    }
}

fn flow_label(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("flowlabel", "flowlabel", value)?;
    let label = number_as::<u32>(value).filter(|label| *label < 1 << 20);
    draft.vxlan.label = Some(label.ok_or_else(|| Failure::invalid(value, "invalid flowlabel"))?);
    Ok(())
}

fn ageing(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("ageing", "ageing", value)?;
    let seconds = if value == b"none" { Some(0) } else { number_as(value) };
    draft.vxlan.ageing = Some(seconds.ok_or_else(|| Failure::invalid(value, "ageing timer"))?);
    Ok(())
}

fn most_addresses(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("maxaddress", "maxaddress", value)?;
    let most = if value == b"unlimited" { Some(0) } else { number_as(value) };
    draft.vxlan.limit = Some(most.ok_or_else(|| Failure::invalid(value, "max addresses"))?);
    Ok(())
}

fn source_ports(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    if let Some(value) = words.peek() {
        draft.once("srcport", "srcport", value)?;
    }
    let (low, high) = (number(words, "min port")?, number(words, "max port")?);
    if low != 0 || high != 0 {
        draft.vxlan.port_range = Some(PortRange::new(low, high));
    }
    Ok(())
}

fn port(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    if let Some(value) = words.peek() {
        draft.once("dstport", "dstport", value)?;
    }
    let port: u16 = number(words, "dst port")?;
    draft.vxlan.port = Some(port).filter(|port| *port != 0);
    Ok(())
}

fn reserved_bits(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("reserved_bits", &String::from_utf8_lossy(value), value)?;
    let bits: u64 = number_as(value).ok_or_else(|| Failure::invalid(value, "reserved_bits"))?;
    draft.vxlan.reserved_bits = Some(bits.to_be_bytes());
    Ok(())
}
