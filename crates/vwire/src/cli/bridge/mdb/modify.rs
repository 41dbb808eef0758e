//! Reads the words of `bridge mdb add`, `replace`, `del`, `get` and `flush` into the request that is asked for.
//!
//! As in `bridge`, words are only gathered first; what they say is looked at once the devices are found.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vwire_netlink::wire::mdb::{MdbRequest, MemberKey, MemberWanted, Source, Sources};

use super::super::fdb::service;
use super::super::link::FAMILY;
use super::super::{RETURNED, lacking, numbers, pass_over};
use super::HELP;
use crate::cli::ip::words::{Words, begins, number_as, shown};
use crate::cli::ip::{Failure, Persona};
use crate::snapshot::names;

/// `MDB_PERMANENT`.
const PERMANENT: u8 = 1;
/// `MCAST_EXCLUDE`.
const EXCLUDE: u8 = 0;
/// `MCAST_INCLUDE`.
const INCLUDE: u8 = 1;
/// `ETH_P_IP`.
const IP: u16 = 0x0800;
/// `ETH_P_IPV6`.
const IPV6: u16 = 0x86dd;

/// What the words say of a member beside its group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Facts<'a> {
    source: Option<&'a [u8]>,
    mode: Option<&'a [u8]>,
    source_list: Option<&'a [u8]>,
    protocol: Option<&'a [u8]>,
    other_end: Option<&'a [u8]>,
    other_port: Option<&'a [u8]>,
    vni: Option<&'a [u8]>,
    source_vni: Option<&'a [u8]>,
    via: Option<&'a [u8]>,
}

/// A change of a group as the words ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The name of the bridge or VXLAN.
    pub device: Vec<u8>,
    /// The name of the port.
    pub port: Vec<u8>,
    group: &'a [u8],
    key: MemberKey,
    facts: Facts<'a>,
}

/// Reads the words of a change.
///
/// # Errors
/// A word that does not fit or is missing.
pub fn read<'a>(persona: Persona, words: &mut Words<'a>, deletes: bool) -> Result<Wanted<'a>, Failure> {
    let (mut device, mut port, mut group) = (None, None, None);
    let (mut key, mut facts) = (MemberKey::default(), Facts::default());
    while let Some(word) = words.next() {
        match word {
            b"dev" => device = Some(words.value()?.to_vec()),
            b"grp" => group = Some(words.value()?),
            b"port" => port = Some(words.value()?.to_vec()),
            b"permanent" if deletes => {}
            b"permanent" => key.state |= PERMANENT,
            b"temp" => {}
            b"vid" => key.vid = numbers::short(words.value()?).cast_unsigned(),
            b"src" => facts.source = Some(words.value()?),
            b"filter_mode" => facts.mode = Some(words.value()?),
            b"source_list" => facts.source_list = Some(words.value()?),
            b"proto" => facts.protocol = Some(words.value()?),
            b"dst" => facts.other_end = Some(words.value()?),
            b"dst_port" => facts.other_port = Some(words.value()?),
            b"vni" => facts.vni = Some(words.value()?),
            b"src_vni" => facts.source_vni = Some(words.value()?),
            b"via" => facts.via = Some(words.value()?),
            word if begins("help", word) => return Err(Failure::usage(HELP)),
            word => pass_over(persona, word, &["dev", "port", "grp", "src", "permanent", "temp", "vid", "proto"])?,
        }
    }
    let (Some(device), Some(port), Some(group)) = (device, port, group) else {
        let message = "Device, group address and port name are required arguments.";
        let cause = "the command does not say which group is behind which port of which bridge";
        return Err(lacking(message, cause, "mdb add dev BRIDGE port NAME grp 239.1.1.1 permanent"));
    };
    Ok(Wanted { device, port, group, key, facts })
}

impl Wanted<'_> {
    /// Returns the request, without the index of the bridge; `index_of` finds a device by its name.
    ///
    /// # Errors
    /// What does not fit.
    pub fn request(
        &self,
        port: u32,
        mut index_of: impl FnMut(&[u8]) -> Result<Option<u32>, Failure>,
    ) -> Result<MdbRequest, Failure> {
        let mut entry = MemberKey { index: port, ..self.key };
        take_group(&mut entry, self.group)?;
        let mut attributes = self.facts.attributes()?;
        if let Some(name) = self.facts.via {
            let index = index_of(name)?.filter(|index| *index != 0);
            attributes.ifindex = Some(index.ok_or_else(|| Failure::no_device(name).with_exit(RETURNED))?);
        }
        let any = self.facts != Facts::default();
        Ok(request(entry, any.then_some(attributes)))
    }
}

fn request(entry: MemberKey, entry_attrs: Option<MemberWanted>) -> MdbRequest {
    MdbRequest { family: FAMILY, entry: Some(entry), entry_attrs, ..MdbRequest::default() }
}

impl Facts<'_> {
    fn attributes(&self) -> Result<MemberWanted, Failure> {
        let invalid = |what: &str, word: &[u8]| {
            let word = shown(word);
            Failure::new(RETURNED, format!("Invalid {what} \"{word}\""), format!("`{word}` is no {what}"))
        };
        let mut wanted = MemberWanted::default();
        if let Some(word) = self.source {
            wanted.source = Some(address(word).ok_or_else(|| invalid("source address", word))?);
        }
        wanted.group_mode = match self.mode {
            None => None,
            Some(b"include") => Some(INCLUDE),
            Some(b"exclude") => Some(EXCLUDE),
            Some(word) => return Err(invalid("filter mode", word)),
        };
        if let Some(word) = self.source_list {
            wanted.src_list = Some(sources(word)?);
        }
        if let Some(word) = self.protocol {
            wanted.rtprot = Some(protocol(word).ok_or_else(|| invalid("protocol value", word))?);
        }
        if let Some(word) = self.other_end {
            wanted.dst = Some(address(word).ok_or_else(|| invalid("underlay destination address", word))?);
        }
        if let Some(word) = self.other_port {
            let port = match numbers::unsigned(word) {
                Some(number) => u16::try_from(number).ok(),
                None => service(word),
            };
            wanted.dst_port = Some(port.ok_or_else(|| invalid("destination port", word))?);
        }
        let vni = |word: &[u8]| {
            let number = numbers::unsigned(word).filter(|number| *number != u64::MAX)?;
            let [a, b, c, d, ..] = number.to_le_bytes();
            Some(u32::from_le_bytes([a, b, c, d]))
        };
        if let Some(word) = self.vni {
            wanted.vni = Some(vni(word).ok_or_else(|| invalid("destination VNI", word))?);
        }
        if let Some(word) = self.source_vni {
            wanted.src_vni = Some(vni(word).ok_or_else(|| invalid("source VNI", word))?);
        }
        Ok(wanted)
    }
}

/// What `bridge mdb get` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The name of the bridge or VXLAN.
    pub device: Vec<u8>,
    group: &'a [u8],
    vid: u16,
    facts: Facts<'a>,
}

/// Reads the words behind `get`.
///
/// # Errors
/// A word that does not fit or is missing.
pub fn read_get<'a>(persona: Persona, words: &mut Words<'a>) -> Result<Asked<'a>, Failure> {
    let (mut device, mut group, mut vid, mut facts) = (None, None, 0, Facts::default());
    while let Some(word) = words.next() {
        match word {
            b"dev" => device = Some(words.value()?.to_vec()),
            b"grp" => group = Some(words.value()?),
            b"vid" => vid = numbers::short(words.value()?).cast_unsigned(),
            b"src" => facts.source = Some(words.value()?),
            b"src_vni" => facts.source_vni = Some(words.value()?),
            b"help" => return Err(Failure::usage(HELP)),
            word => pass_over(persona, word, &["dev", "grp", "src", "vid", "src_vni"])?,
        }
    }
    let (Some(device), Some(group)) = (device, group) else {
        let message = "Device and group address are required arguments.";
        let cause = "the command does not say which group of which bridge";
        return Err(lacking(message, cause, "mdb get dev BRIDGE grp 239.1.1.1"));
    };
    Ok(Asked { device, group, vid, facts })
}

impl Asked<'_> {
    /// Returns the request, without the index of the bridge.
    ///
    /// # Errors
    /// What does not fit.
    pub fn request(&self) -> Result<MdbRequest, Failure> {
        let mut entry = MemberKey { vid: self.vid, ..MemberKey::default() };
        take_group(&mut entry, self.group)?;
        let attributes = self.facts.attributes()?;
        let any = self.facts != Facts::default();
        Ok(request(entry, any.then_some(attributes)))
    }
}

/// What `bridge mdb flush` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flush<'a> {
    /// The name of the bridge or VXLAN.
    pub device: Vec<u8>,
    /// Only what is behind this port.
    pub port: Option<Vec<u8>>,
    vid: u16,
    facts: Facts<'a>,
    state: u8,
    mask: Option<u8>,
}

/// Reads the words behind `flush`.
///
/// # Errors
/// A word that does not fit or is missing.
pub fn read_flush<'a>(persona: Persona, words: &mut Words<'a>) -> Result<Flush<'a>, Failure> {
    let (mut device, mut port, mut vid, mut facts) = (None, None, 0, Facts::default());
    let (mut state, mut mask) = (0, None);
    while let Some(word) = words.next() {
        match word {
            b"dev" => device = Some(words.value()?.to_vec()),
            b"port" => port = Some(words.value()?.to_vec()),
            b"vid" => vid = numbers::short(words.value()?).cast_unsigned(),
            b"src_vni" => facts.source_vni = Some(words.value()?),
            b"proto" => facts.protocol = Some(words.value()?),
            b"permanent" | b"nopermanent" => {
                state = if word == b"permanent" { PERMANENT } else { 0 };
                mask = Some(PERMANENT);
            }
            b"dst" => facts.other_end = Some(words.value()?),
            b"dst_port" => facts.other_port = Some(words.value()?),
            b"vni" => facts.vni = Some(words.value()?),
            b"help" => return Err(Failure::usage(HELP)),
            word => pass_over(persona, word, &["dev", "port", "vid", "src_vni", "proto", "permanent", "nopermanent"])?,
        }
    }
    let Some(device) = device else {
        let cause = "the command does not say which bridge";
        return Err(lacking("Device is a required argument.", cause, "mdb flush dev BRIDGE"));
    };
    Ok(Flush { device, port, vid, facts, state, mask })
}

impl Flush<'_> {
    /// Returns the request, without the index of the bridge; no port is 0.
    ///
    /// # Errors
    /// What does not fit.
    pub fn request(&self, port: u32) -> Result<MdbRequest, Failure> {
        let entry = MemberKey { index: port, state: self.state, vid: self.vid, ..MemberKey::default() };
        let attributes = MemberWanted { state_mask: self.mask, ..self.facts.attributes()? };
        let any = self.facts != Facts::default() || self.mask.is_some();
        Ok(request(entry, any.then_some(attributes)))
    }
}

/// Reads an address as `inet_pton` does.
fn address(word: &[u8]) -> Option<IpAddr> {
    let word = std::str::from_utf8(word).ok()?;
    let v4 = || word.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    v4().or_else(|| word.parse::<Ipv6Addr>().ok().map(IpAddr::V6))
}

/// Reads a group: an IP address or one of the link layer.
fn take_group(entry: &mut MemberKey, word: &[u8]) -> Result<(), Failure> {
    let (octets, protocol) = match address(word) {
        Some(IpAddr::V4(address)) => (address.octets().to_vec(), IP),
        Some(IpAddr::V6(address)) => (address.octets().to_vec(), IPV6),
        None => (group_of_link_layer(word)?, 0),
    };
    for (to, from) in entry.address.iter_mut().zip(octets) {
        *to = from;
    }
    entry.protocol = protocol.to_be_bytes();
    Ok(())
}

fn group_of_link_layer(word: &[u8]) -> Result<Vec<u8>, Failure> {
    let text = shown(word);
    let message = format!("Invalid address \"{text}\"");
    let failure = |said: &str| {
        Failure::new(RETURNED, said.as_bytes(), format!("`{text}` is no group"))
            .hint("it is an address as 239.1.1.1, ff0e::1 or 01:00:5e:01:01:01")
    };
    let octets = crate::cli::ip::link::words::address(word);
    let octets = octets.map_err(|wrong| {
        // Of what is wrong with an address of the link layer, `ip` speaks first.
        let first = shown(&wrong.render(Persona::Ip));
        failure(&format!("{first}{message}"))
    })?;
    if octets.len() == 6 { Ok(octets) } else { Err(failure(&message)) }
}

/// Reads `ADDRESS,ADDRESS,…`.
fn sources(word: &[u8]) -> Result<Sources, Failure> {
    let one = |word: &[u8]| {
        let source = address(word).ok_or_else(|| {
            let word = shown(word);
            let message = format!("Invalid source entry \"{word}\" in source list");
            Failure::new(RETURNED, message, format!("`{word}` is no address of a source"))
        })?;
        Ok(Source { address: Some(source), ..Source::default() })
    };
    let entry = word.split(|byte| *byte == b',').map(one).collect::<Result<_, Failure>>()?;
    Ok(Sources { entry, ..Sources::default() })
}

/// Reads who makes a group: a name, or a number up to 255.
fn protocol(word: &[u8]) -> Option<u8> {
    match names::named(&names::ROUTE_PROTOCOLS.load(), word) {
        Some(number) => u8::try_from(number).ok(),
        None => number_as(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn asked(line: &str) -> Result<MdbRequest, String> {
        let line = words(&format!("dev br0 port v0 {line}"));
        read(Persona::Ip, &mut Words::new(&line), false)
            .and_then(|wanted| wanted.request(3, |name| Ok((name == b"v1").then_some(7))))
            .map_err(|failure| String::from_utf8(failure.render(Persona::Ip)).unwrap())
    }

    #[test]
    fn a_group_may_be_of_three_sorts() {
        let entry = |line: &str| asked(line).unwrap().entry.unwrap();
        assert_eq!(
            (entry("grp 239.1.1.1").address[..4].to_vec(), entry("grp 239.1.1.1").protocol),
            (vec![239, 1, 1, 1], [8, 0])
        );
        assert_eq!(entry("grp ff0e::1").protocol, [0x86, 0xdd]);
        assert_eq!(entry("grp 01:00:5e:00:00:01 permanent vid 5").protocol, [0, 0]);
        assert_eq!(entry("grp ff0e::1 permanent vid 5").vid, 5);
    }

    #[test]
    fn facts_are_sent_only_where_there_are_some() {
        assert_eq!(asked("grp 239.1.1.1 permanent").unwrap().entry_attrs, None);
        let facts =
            asked("grp 239.1.1.1 src 10.0.0.1 filter_mode include source_list 10.0.0.2,10.0.0.3 dst 10.0.0.4 via v1");
        let facts = facts.unwrap().entry_attrs.unwrap();
        assert_eq!((facts.group_mode, facts.ifindex), (Some(INCLUDE), Some(7)));
        assert_eq!(facts.src_list.unwrap().entry.len(), 2);
    }

    #[test]
    fn what_does_not_fit_is_said_as_bridge_says_it() {
        for (line, said) in [
            ("", "Device, group address and port name are required arguments.\n"),
            ("grp 239.1.1.1 src x", "Invalid source address \"x\"\n"),
            ("grp 239.1.1.1 filter_mode x", "Invalid filter mode \"x\"\n"),
            ("grp 239.1.1.1 source_list 10.0.0.1,x", "Invalid source entry \"x\" in source list\n"),
            ("grp 239.1.1.1 dst_port 99999", "Invalid destination port \"99999\"\n"),
            ("grp 239.1.1.1 vni x", "Invalid destination VNI \"x\"\n"),
            ("grp 239.1.1.1 via v9", "Cannot find device \"v9\"\n"),
        ] {
            assert_eq!(asked(line).unwrap_err(), said, "{line}");
        }
    }
}
