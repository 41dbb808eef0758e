//! The options of a GENEVE tunnel.

use std::collections::HashSet;
use std::net::IpAddr;

use vwire_netlink::wire::link::tunnel::Geneve;

use super::address::{self, Family};
use super::grammar::{Grammar, Row, Takes, number};
use super::vxlan::{do_not_fragment, hops};
use super::{Purpose, traffic_class};
use crate::cli::ip::failure::EXIT_SEMANTIC;
use crate::cli::ip::words::{Words, number_as};
use crate::cli::ip::{Failure, Ip};

/// The data, and what must be known of the words to judge them together.
#[derive(Debug, Default)]
pub(super) struct Draft {
    geneve: Geneve,
    /// Which settings were made.
    seen: HashSet<&'static str>,
    remote: Option<IpAddr>,
    local: Option<IpAddr>,
}

/// Makes the row of a switch, the setting that it belongs to, and what it does.
macro_rules! switch {
    ($make:ident $word:literal, $setting:literal, $set:expr) => {
        Row::$make(
            $word,
            "",
            Takes::Special(|_, word, _, draft: &mut Draft| {
                draft.once($setting, &String::from_utf8_lossy(word), word)?;
                let set: fn(&mut Geneve) = $set;
                set(&mut draft.geneve);
                Ok(())
            }),
        )
    };
}

/// In `ip`'s order: the first row that a word begins wins.
const ROWS: &[Row<Draft>] = &[
    Row::new("id", "VNI", Takes::Special(identifier)),
    Row::new("vni", "VNI", Takes::Special(identifier)),
    Row::new("remote", "ADDRESS", Takes::Special(remote)),
    Row::exact("local", "ADDRESS", Takes::Special(local)),
    Row::new("ttl", "TTL", Takes::Special(time_to_live)),
    Row::new("hoplimit", "TTL", Takes::Special(time_to_live)),
    Row::new("tos", "TOS", Takes::Special(type_of_service)),
    Row::new("dsfield", "TOS", Takes::Special(type_of_service)),
    Row::new("df", "unset|set|inherit", Takes::Special(fragmentation)),
    Row::new("label", "N", Takes::Special(flow_label)),
    Row::new("flowlabel", "N", Takes::Special(flow_label)),
    Row::new("dstport", "PORT", Takes::Special(port)),
    switch!(new "external", "external", |g| g.collect_metadata = true),
    switch!(new "noexternal", "external", |g| g.collect_metadata = false),
    switch!(new "udpcsum", "udpcsum", |g| g.udp_csum = Some(1)),
    switch!(new "noudpcsum", "udpcsum", |g| g.udp_csum = Some(0)),
    switch!(new "udp6zerocsumtx", "udp6zerocsumtx", |g| g.udp_zero_csum6_tx = Some(1)),
    switch!(new "noudp6zerocsumtx", "udp6zerocsumtx", |g| g.udp_zero_csum6_tx = Some(0)),
    switch!(new "udp6zerocsumrx", "udp6zerocsumrx", |g| g.udp_zero_csum6_rx = Some(1)),
    switch!(new "noudp6zerocsumrx", "udp6zerocsumrx", |g| g.udp_zero_csum6_rx = Some(0)),
    switch!(exact "innerprotoinherit", "innerprotoinherit", |g| g.inner_proto_inherit = true),
];

/// The options of a GENEVE tunnel.
pub(super) const GRAMMAR: Grammar<Draft> = Grammar {
    noun: "command",
    rows: ROWS,
    notes: "VNI := 0..16777215   TTL := 1..255 | auto | inherit   TOS := N | inherit\n",
};

/// Reads all options, and what must hold between them.
pub(super) fn read(ip: &mut Ip<'_>, words: &mut Words<'_>, purpose: Purpose) -> Result<Geneve, Failure> {
    let draft = GRAMMAR.read(ip, "geneve", words)?;
    draft.judge(purpose)?;
    Ok(draft.finish(purpose))
}

impl Draft {
    /// Notes that a setting was made; `name` and `value` are what `ip` tells of one that is made twice.
    fn once(&mut self, setting: &'static str, name: &str, value: &[u8]) -> Result<(), Failure> {
        if self.seen.insert(setting) { Ok(()) } else { Err(Failure::duplicate_or_garbage(name, value)) }
    }

    fn judge(&self, purpose: Purpose) -> Result<(), Failure> {
        let refuse = |ip: &str, cause: &str| Err(Failure::new(EXIT_SEMANTIC, ip, cause));
        match (self.geneve.collect_metadata, self.geneve.id) {
            (true, Some(_)) => refuse(
                "geneve: both 'external' and vni cannot be specified",
                "with `external` the network comes with each packet",
            ),
            (false, None) => {
                refuse("geneve: missing virtual network identifier", "which network it carries is not said: `id VNI`")
            }
            (false, Some(_)) if purpose == Purpose::Add && self.remote.is_none() => {
                refuse("geneve: remote link partner not specified", "the other end is not said: `remote ADDRESS`")
            }
            _ => Ok(()),
        }
    }

    fn finish(self, purpose: Purpose) -> Geneve {
        let mut geneve = self.geneve;
        match self.remote {
            Some(IpAddr::V4(address)) => geneve.remote = Some(address),
            Some(IpAddr::V6(address)) => geneve.remote6 = Some(address),
            None => {}
        }
        match self.local {
            Some(IpAddr::V4(address)) => geneve.local = Some(address),
            Some(IpAddr::V6(address)) => geneve.local6 = Some(address),
            None => {}
        }
        geneve.id.get_or_insert(0);
        let said = |setting| purpose == Purpose::Add || self.seen.contains(setting);
        for (setting, field) in [("ttl", &mut geneve.ttl), ("tos", &mut geneve.tos)] {
            if said(setting) {
                field.get_or_insert(0);
            }
        }
        if said("flowlabel") {
            geneve.label.get_or_insert(0);
        }
        geneve
    }
}

fn identifier(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("id", "id", value)?;
    let id = number_as::<u32>(value).filter(|id| *id < 1 << 24);
    draft.geneve.id = Some(id.ok_or_else(|| Failure::invalid(value, "invalid id"))?);
    Ok(())
}

fn unicast(value: &[u8], message: &str) -> Result<IpAddr, Failure> {
    let address = address::read(value, Family::Any)?.filter(|address| !address.is_multicast());
    address.ok_or_else(|| Failure::invalid(value, message))
}

fn remote(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("remote", "remote", value)?;
    draft.remote = Some(unicast(value, "invalid remote address")?);
    Ok(())
}

fn local(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("local", "local", value)?;
    draft.local = Some(unicast(value, "invalid local address")?);
    Ok(())
}

fn time_to_live(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("ttl", "ttl", value)?;
    match value {
        b"inherit" => draft.geneve.ttl_inherit = Some(1),
        b"auto" => {}
        _ => draft.geneve.ttl = Some(hops(value)?),
    }
    Ok(())
}

fn type_of_service(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("tos", "tos", value)?;
    draft.geneve.tos = Some(if value == b"inherit" { 1 } else { traffic_class(value)? });
    Ok(())
}

fn fragmentation(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("df", "df", value)?;
    draft.geneve.df = Some(do_not_fragment(value)?);
    Ok(())
}

fn flow_label(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    let value = words.value()?;
    draft.once("flowlabel", "flowlabel", value)?;
    let label = number_as::<u32>(value).filter(|label| *label < 1 << 20);
    draft.geneve.label = Some(label.ok_or_else(|| Failure::invalid(value, "invalid flowlabel"))?);
    Ok(())
}

fn port(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, draft: &mut Draft) -> Result<(), Failure> {
    if let Some(value) = words.peek() {
        draft.once("dstport", "dstport", value)?;
    }
    let port: u16 = number(words, "dstport")?;
    draft.geneve.port = Some(port).filter(|port| *port != 0);
    Ok(())
}
