//! Reads what is put around a packet: `encap TYPE …`, for routes and next hops.

use std::collections::HashSet;

use vwire_netlink::wire::Builder;
use vwire_netlink::wire::nest::RawNest;

use super::value::{address, dsfield, table};
use crate::cli::ip::Ip;
use crate::cli::ip::failure::{EXIT_USAGE, Failure};
use crate::cli::ip::options::Family;
use crate::cli::ip::words::{Words, number_as, shown};
use crate::out::encap::{SEG6_ACTIONS, SEG6_FLAVORS, SEG6_MODES, TYPES};
use crate::snapshot::names::Tables;

/// The usage of `encap`.
const USAGE: &str = "\
Usage: ip route ... encap TYPE ...
TYPE := mpls LABEL[/LABEL]... [ ttl N ]
      | ip  { id N | src ADDR | dst ADDR | ttl N | tos TOS | key | csum | seq }...
      | ip6 { id N | src ADDR | dst ADDR | hoplimit N | tc TOS | key | csum | seq }...
      | seg6 mode { encap | encap.red | inline | l2encap | l2encap.red } [ tunsrc ADDR ] segs ADDR[,ADDR]... [ hmac KEY ]
      | seg6local action ACTION [ table T | vrftable T | nh4 ADDR | nh6 ADDR | iif DEV | oif DEV
                                | flavors F[,F]... | srh segs ADDR[,ADDR]... [ hmac KEY ] | count ]...
      | rpl segs ADDR[,ADDR]...
      | xfrm if_id ID [ link_dev DEV ]
";

/// `NLA_F_NESTED`.
const NESTED: u16 = 0x8000;

/// Reads what follows `encap`: the type (`LWTUNNEL_ENCAP_*`) and its attributes.
///
/// # Errors
/// A word that does not fit, or a type that is not spoken here.
pub fn read(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(u16, RawNest), Failure> {
    let word = words.value()?;
    if word == b"help" {
        return Err(Failure::usage(USAGE));
    }
    let place = TYPES.iter().skip(1).position(|name| name.as_bytes() == word);
    let Some(kind) = place.and_then(|place| u16::try_from(place + 1).ok()) else {
        return Err(
            Failure::invalid(word, "\"encap type\" value is invalid\n").hint("`vwire route add ... encap help`")
        );
    };
    match words.len() {
        0 => return Err(Failure::incomplete()),
        1 => return Err(Failure::missing_value("encap type")),
        _ => {}
    }
    let mut out = Builder::new();
    match word {
        b"mpls" => mpls(words, &mut out)?,
        b"ip" => tunnel(&ip.tables, words, Family::Inet, &mut out)?,
        b"ip6" => tunnel(&ip.tables, words, Family::Inet6, &mut out)?,
        b"seg6" => seg6(words, &mut out)?,
        b"seg6local" => seg6_local(ip, words, &mut out)?,
        b"rpl" => rpl(words, &mut out)?,
        b"xfrm" => xfrm(ip, words, &mut out)?,
        _ => {
            let word = shown(word);
            let cause = format!("vwire shows encapsulations of the type `{word}`, but does not make them");
            return Err(Failure::new(EXIT_USAGE, "Error: unsupported encap type", cause));
        }
    }
    Ok((kind, RawNest(out.into_bytes().into())))
}

/// Refuses a word that stands twice; what it names comes from its value.
struct Once(HashSet<&'static str>);

impl Once {
    fn new() -> Self {
        Self(HashSet::new())
    }

    fn take(&mut self, word: &'static str, value: &[u8]) -> Result<(), Failure> {
        if self.0.insert(word) { Ok(()) } else { Err(Failure::duplicate_or_garbage(word, value)) }
    }
}

/// Takes the next word if it is one of these, and with it its value.
fn keyword<'a>(words: &mut Words<'a>, known: &[&'static str]) -> Result<Option<(&'static str, &'a [u8])>, Failure> {
    let Some(word) = words.peek() else { return Ok(None) };
    let Some(found) = known.iter().find(|known| known.as_bytes() == word) else { return Ok(None) };
    words.next();
    Ok(Some((found, words.value()?)))
}

fn invalid(word: &str, value: &[u8]) -> Failure {
    Failure::invalid(value, &format!("\"{word}\" value is invalid\n"))
}

/// `MPLS_IPTUNNEL_*`.
fn mpls(words: &mut Words<'_>, out: &mut Builder) -> Result<(), Failure> {
    out.bytes(1, &address(words.value()?, Family::Mpls)?.octets);
    let mut once = Once::new();
    while let Some((word, value)) = keyword(words, &["ttl"])? {
        once.take(word, value)?;
        out.u8(2, number_as(value).ok_or_else(|| invalid("ttl", value))?);
    }
    Ok(())
}

/// `LWTUNNEL_IP_*`, `LWTUNNEL_IP6_*`.
fn tunnel(tables: &Tables, words: &mut Words<'_>, family: Family, out: &mut Builder) -> Result<(), Failure> {
    let known: [&str; 5] = match family {
        Family::Inet => ["id", "dst", "src", "tos", "ttl"],
        _ => ["id", "dst", "src", "tc", "hoplimit"],
    };
    let mut once = Once::new();
    let mut flags = 0_u16;
    loop {
        // TUNNEL_CSUM, TUNNEL_KEY, TUNNEL_SEQ (linux/if_tunnel.h).
        let flag = [("csum", 0x1), ("key", 0x4), ("seq", 0x8)];
        if let Some((word, bit)) = flag.into_iter().find(|(word, _)| words.take_if(word)) {
            once.take(word, word.as_bytes())?;
            flags |= bit;
            continue;
        }
        let Some((word, value)) = keyword(words, &known)? else { break };
        once.take(word, value)?;
        match word {
            "id" => out.bytes(1, &number_as::<u64>(value).ok_or_else(|| invalid(word, value))?.to_be_bytes()),
            "dst" => out.bytes(2, &address(value, family)?.octets),
            "src" => out.bytes(3, &address(value, family)?.octets),
            "ttl" | "hoplimit" => out.u8(4, number_as(value).ok_or_else(|| invalid(word, value))?),
            _ => out.u8(5, dsfield(tables, value).ok_or_else(|| invalid(word, value))?),
        }
    }
    if flags != 0 {
        out.be16(6, flags);
    }
    Ok(())
}

/// `SEG6_IPTUNNEL_*`.
fn seg6(words: &mut Words<'_>, out: &mut Builder) -> Result<(), Failure> {
    let mut once = Once::new();
    let (mut mode, mut source, mut segments, mut key) = (None, None, &b""[..], 0);
    while let Some((word, value)) = keyword(words, &["mode", "tunsrc", "segs", "hmac"])? {
        match word {
            "mode" => {
                once.take(word, value)?;
                let place = SEG6_MODES.iter().position(|known| known.as_bytes() == value);
                let place = place.and_then(|place| u32::try_from(place).ok());
                mode = Some(place.ok_or_else(|| invalid("mode", value))?);
            }
            "tunsrc" => {
                match mode {
                    None => return Err(Failure::invalid(value, "\"tunsrc\" provided before \"mode\"\n")),
                    Some(0) => return Err(Failure::invalid(value, "\"tunsrc\" invalid with inline mode\n")),
                    Some(_) => once.take(word, value)?,
                }
                source = Some(address(value, Family::Inet6)?);
            }
            "segs" => {
                once.take(word, value)?;
                if mode.is_none() {
                    return Err(Failure::invalid(value, "\"segs\" provided before \"mode\"\n"));
                }
                segments = value;
            }
            _ => {
                once.take(word, value)?;
                key = number_as(value).unwrap_or(0);
            }
        }
    }
    let header = segment_header(segments, key, mode != Some(0))?;
    let mode = mode.unwrap_or(u32::MAX);
    out.bytes(1, &[&mode.to_ne_bytes()[..], &header].concat());
    if let Some(source) = source {
        out.bytes(2, &source.octets);
    }
    Ok(())
}

/// Makes a segment routing header (RFC 8754, 2); without encapsulation, a place is kept for the packet's own destination.
fn segment_header(list: &[u8], key: u32, encapsulates: bool) -> Result<Vec<u8>, Failure> {
    /// `SR6_FLAG1_HMAC`.
    const HAS_HMAC: u8 = 1 << 3;
    let places = list.iter().filter(|byte| **byte == b',').count() + 1 + usize::from(!encapsulates);
    let given = list.split(|byte| *byte == b',').filter(|part| !part.is_empty());
    let mut given: Vec<_> =
        given.map(|part| Ok(address(part, Family::Inet6)?.octets)).collect::<Result<_, Failure>>()?;
    given.resize(places, vec![0; 16]);
    let last = u8::try_from(places - 1).unwrap_or(u8::MAX);
    let length = places * 2 + if key != 0 { 5 } else { 0 };
    let flags = if key != 0 { HAS_HMAC } else { 0 };
    let mut header = vec![0, u8::try_from(length).unwrap_or(u8::MAX), 4, last, last, flags, 0, 0];
    given.iter().rev().for_each(|segment| header.extend_from_slice(segment));
    if key != 0 {
        // SR6_TLV_HMAC, its length, two reserved bytes, the key's id, 32 bytes that the kernel fills.
        header.extend_from_slice(&[5, 38, 0, 0]);
        header.extend_from_slice(&key.to_be_bytes());
        header.extend_from_slice(&[0; 32]);
    }
    Ok(header)
}

/// `SEG6_LOCAL_*`.
fn seg6_local(ip: &mut Ip<'_>, words: &mut Words<'_>, out: &mut Builder) -> Result<(), Failure> {
    const KNOWN: [&str; 10] = ["action", "table", "vrftable", "nh4", "nh6", "iif", "oif", "flavors", "srh", "endpoint"];
    let mut once = Once::new();
    let (mut action, mut header) = (None, None);
    loop {
        if words.take_if("count") {
            once.take("count", b"count")?;
            out.nest(10, |out| [2, 3, 4].into_iter().for_each(|number| out.u64(number, 0)));
            continue;
        }
        let Some((word, value)) = keyword(words, &KNOWN)? else { break };
        once.take(word, value)?;
        match word {
            "action" => {
                let place = SEG6_ACTIONS.iter().skip(1).position(|known| known.as_bytes() == value);
                let number = place.and_then(|place| u32::try_from(place + 1).ok());
                let number = number.ok_or_else(|| invalid("action", value))?;
                action = Some(value);
                out.u32(1, number);
            }
            "table" => {
                out.u32(3, table(&ip.tables, value).ok_or_else(|| Failure::invalid(value, "invalid table id\n"))?)
            }
            "vrftable" => {
                out.u32(9, table(&ip.tables, value).ok_or_else(|| Failure::invalid(value, "invalid vrf table id\n"))?);
            }
            "nh4" => out.bytes(4, &address(value, Family::Inet)?.octets),
            "nh6" => out.bytes(5, &address(value, Family::Inet6)?.octets),
            "iif" | "oif" => {
                let index = ip.device(value)?.ok_or_else(|| Failure::no_device(value).with_exit(EXIT_USAGE))?;
                out.u32(if word == "iif" { 6 } else { 7 }, index);
            }
            "flavors" => flavors(words, value, out)?,
            "srh" => {
                if value != b"segs" {
                    return Err(Failure::invalid(value, "missing \"segs\" attribute for srh\n"));
                }
                let segments = words.value()?;
                let key = if words.take_if("hmac") { number_as(words.value()?).unwrap_or(0) } else { 0 };
                header = Some((segments, key));
            }
            _ => {
                let cause = "vwire does not load programs for End.BPF";
                return Err(Failure::new(EXIT_USAGE, "Failed to parse eBPF program: Operation not supported", cause));
            }
        }
    }
    let Some(action) = action else {
        return Err(Failure::new(EXIT_USAGE, "Missing action type", "`seg6local` needs an `action`"));
    };
    if let Some((segments, key)) = header {
        out.bytes(2, &segment_header(segments, key, action == b"End.B6.Encaps")?);
    }
    Ok(())
}

fn flavors(words: &mut Words<'_>, list: &[u8], out: &mut Builder) -> Result<(), Failure> {
    const NEXT_CSID: usize = 4;
    let wrong = || Failure::invalid(list, "invalid \"flavors\" attribute\n");
    let mut bits = 0_u32;
    for name in list.split(|byte| *byte == b',').filter(|part| !part.is_empty()) {
        let place = SEG6_FLAVORS.iter().skip(1).position(|known| known.as_bytes().eq_ignore_ascii_case(name));
        let bit = 1 << (place.ok_or_else(wrong)? + 1);
        if bits & bit != 0 {
            return Err(wrong());
        }
        bits |= bit;
    }
    let mut lengths = Vec::new();
    if bits & 1 << NEXT_CSID != 0 {
        for (number, word, meant) in
            [(2, "lblen", "locator-block length"), (3, "nflen", "locator-node function length")]
        {
            if words.take_if(word) {
                let value = words.value()?;
                let length = number_as::<u8>(value);
                lengths.push((number, length.ok_or_else(|| invalid(meant, value))?));
            }
        }
    }
    out.attribute(11 | NESTED, |out| {
        out.u32(1, bits);
        lengths.iter().for_each(|(number, length)| out.u8(*number, *length));
    });
    Ok(())
}

/// `RPL_IPTUNNEL_*`.
fn rpl(words: &mut Words<'_>, out: &mut Builder) -> Result<(), Failure> {
    let mut once = Once::new();
    let mut list = &b""[..];
    while let Some((word, value)) = keyword(words, &["segs"])? {
        once.take(word, value)?;
        list = value;
    }
    let header = segment_header(list, 0, true)?;
    let (length, segments) = (header.get(1).copied().unwrap_or(0), header.get(8..).unwrap_or_default());
    let count = u8::try_from(segments.len() / 16).unwrap_or(u8::MAX);
    out.bytes(1, &[&[0, length, 3, count, 0, 0, 0, 0], segments].concat());
    Ok(())
}

/// `LWT_XFRM_*`.
fn xfrm(ip: &mut Ip<'_>, words: &mut Words<'_>, out: &mut Builder) -> Result<(), Failure> {
    let usage = || Failure::usage("Usage: ip route ... encap xfrm if_id ID [ link_dev DEV ]\n");
    let mut once = Once::new();
    let mut found = false;
    while !words.is_empty() {
        let Some((word, value)) = keyword(words, &["if_id", "link_dev"])? else {
            // `ip` passes over every other word behind this type.
            if words.next() == Some(b"help") {
                return Err(usage());
            }
            continue;
        };
        once.take(word, value)?;
        if word == "if_id" {
            let id = number_as(value).filter(|id: &u32| *id != 0);
            out.u32(1, id.ok_or_else(|| invalid("if_id", value))?);
            found = true;
        } else {
            let index = ip.device(value)?.ok_or_else(|| Failure::no_device(value).with_exit(EXIT_USAGE))?;
            out.u32(2, index);
        }
    }
    if found { Ok(()) } else { Err(usage().with_exit(EXIT_USAGE)) }
}
