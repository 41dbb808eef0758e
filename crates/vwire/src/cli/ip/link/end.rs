//! Reads the words for one end of a link, up to and with `type KIND`.
//!
//! The words come in any order, and the device's name may stand among them, so nothing is judged
//! before the last word: `Reader::take` notes what one word asks for, `finish.rs` puts it
//! together in `ip`'s order, so that of two mistakes the same one is told. The other end of a veth
//! or netkit is read by the same rules.
//!
//! Names are resolved while reading, since `ip` tells an unknown one before any other mistake
//! that follows. Nothing is changed here; only `link-netns` may make the kernel number a namespace.

use vwire_netlink::wire::link::{VfInfo, Xdp};
use vwire_netlink::wire::{RawAttribute, Text};
use vwire_netlink::{Link, LinkAddress, LinkFilter, Program};

use super::hint::{self, Asked};
use super::program::Held;
use super::request::Verb;
use super::words::{
    Field, IFF_UP, Polarity, WORDS, Word, XDP_HARDWARE, address, integer, is_long_name, is_name, leading_number,
    off_on, on_off, place_of, unsigned, wrong,
};
use super::{help, inet, netns, program, vf};
use crate::cli::ip::Ip;
use crate::cli::ip::failure::{EXIT_USAGE, Failure, Persona};
use crate::cli::ip::words::{Words, begins, find, shown};
use crate::lab::namespace::Namespace;
use crate::snapshot::device::OPERSTATES;
use crate::snapshot::names::{self, Tables};

/// `IFLA_ADDRESS`, `IFLA_BROADCAST` (`linux/if_link.h`).
const ADDRESS: u16 = 1;
/// See [`ADDRESS`].
const BROADCAST: u16 = 2;
/// `RTEXT_FILTER_VF`.
const EXT_VF: u32 = 1;
/// `XDP_FLAGS_UPDATE_IF_NOEXIST`.
const XDP_IF_NONE: u32 = 1;
/// `IFALIASZ`: the longest alias, and the zero behind it.
const ALIAS_SIZE: usize = 256;
/// As many reasons as `protodown_reason` has bits.
const REASONS: u32 = 32;

/// What the words for one end of a link ask for, up to and with `type KIND`.
#[derive(Debug)]
pub struct End<'a> {
    /// What is asked for, without what belongs to the kind.
    pub link: Link,
    /// The device's name as it was typed.
    pub subject: Option<&'a [u8]>,
    /// The kind; the words that follow belong to it.
    pub kind: Option<&'a [u8]>,
    /// What is asked for, word by word.
    pub asked: Vec<Asked>,
    /// What `link` refers to by descriptor.
    pub held: Vec<Held>,
}

/// Reads the words for one end, up to and with `type KIND`.
///
/// # Errors
/// A word that does not fit, or a name that nothing has.
pub fn read_end<'a>(ip: &mut Ip<'_>, words: &mut Words<'a>, verb: Verb) -> Result<End<'a>, Failure> {
    let mut reader = Reader::new(verb, ip.options.family.number());
    words.begin_anew();
    let read = reader.all(ip, words).and_then(|()| reader.finish(ip, words));
    match read {
        Ok(()) => Ok(reader.end()),
        Err(failure) => Err(failure.trying(hint::attempt_to_read(verb, reader.subject(), &reader.asked))),
    }
}

/// What was read so far.
pub(super) struct Reader<'a> {
    pub(super) verb: Verb,
    pub(super) link: Link,
    pub(super) name: Option<&'a [u8]>,
    pub(super) device: Option<&'a [u8]>,
    /// The device is the name that stands behind `name`, not one given beside it.
    pub(super) device_is_name: bool,
    pub(super) below: Option<&'a [u8]>,
    pub(super) index: Option<u32>,
    pub(super) kind: Option<&'a [u8]>,
    pub(super) hardware_length: Option<usize>,
    pub(super) inet: Vec<(u16, u32)>,
    pub(super) functions: Vec<VfInfo>,
    pub(super) target: Option<Namespace>,
    pub(super) held: Vec<Held>,
    pub(super) link_netns: Option<&'a [u8]>,
    pub(super) link_netnsid: Option<i32>,
    pub(super) asked: Vec<Asked>,
}

impl<'a> Reader<'a> {
    fn new(verb: Verb, family: u8) -> Self {
        Self {
            verb,
            link: Link { family, ..Link::default() },
            name: None,
            device: None,
            device_is_name: false,
            below: None,
            index: None,
            kind: None,
            hardware_length: None,
            inet: Vec::new(),
            functions: Vec::new(),
            target: None,
            held: Vec::new(),
            link_netns: None,
            link_netnsid: None,
            asked: Vec::new(),
        }
    }

    fn end(mut self) -> End<'a> {
        let subject = self.subject();
        self.held.extend(self.target.map(Held::Namespace));
        End { link: self.link, subject, kind: self.kind, asked: self.asked, held: self.held }
    }

    fn subject(&self) -> Option<&'a [u8]> {
        self.device.or(self.name)
    }

    fn all(&mut self, ip: &mut Ip<'_>, words: &mut Words<'a>) -> Result<(), Failure> {
        while let (Some(word), None) = (words.peek(), self.kind) {
            words.next();
            let Some(meaning) = find(WORDS, word) else {
                self.set_device(word)?;
                continue;
            };
            let keyword = WORDS.iter().find(|row| find(&[**row], word).is_some()).map_or("", |row| row.word);
            if !matches!(meaning, Word::Dev | Word::Type) {
                self.asked.push(Asked { word: keyword, value: None });
            }
            if let Some(what) = given_by(keyword) {
                words.once(what, word)?;
            }
            self.take(meaning, ip, words)?;
        }
        Ok(())
    }

    /// Takes the value of a word, and remembers it to be told.
    fn value(&mut self, words: &mut Words<'a>) -> Result<&'a [u8], Failure> {
        let value = words.value()?;
        if let Some(asked) = self.asked.last_mut() {
            asked.value.get_or_insert_with(|| shown(value));
        }
        Ok(value)
    }

    fn take(&mut self, word: Word, ip: &mut Ip<'_>, words: &mut Words<'a>) -> Result<(), Failure> {
        match word {
            Word::Up(up) => {
                self.link.set_flags(IFF_UP, if up { IFF_UP } else { 0 });
            }
            Word::Flag(keyword, mask, polarity) => self.take_flag(keyword, mask, polarity, words)?,
            Word::Count(keyword, field) => self.take_count(keyword, field, words)?,
            Word::Size(keyword, most, field) => self.take_size(keyword, most, field, words)?,
            Word::Switch(keyword, field) => *field(&mut self.link) = Some(off_on(keyword, self.value(words)?)?.into()),
            Word::Name => self.take_name(words)?,
            Word::Index => self.take_index(words)?,
            Word::Link => self.below = Some(self.value(words)?),
            Word::Address => {
                let octets = address(self.value(words)?)?;
                self.hardware_length = Some(octets.len());
                self.link.address = self.hardware_address(ADDRESS, &octets);
            }
            Word::Broadcast => {
                let octets = address(self.value(words)?)?;
                self.link.broadcast = self.hardware_address(BROADCAST, &octets);
            }
            Word::Inet => self.inet.extend(inet::read(words)?),
            Word::Xdp(mode) => self.take_xdp(mode, ip, words)?,
            Word::Netns => self.take_netns(ip, words)?,
            Word::Vf => self.take_function(ip, words)?,
            Word::Master => self.take_master(ip, words)?,
            Word::Vrf => self.take_vrf(ip, words)?,
            Word::Nomaster => self.link.master = Some(0),
            Word::Type => self.kind = Some(words.value()?),
            Word::Alias => self.take_alias(words)?,
            Word::Group => self.take_group(&ip.tables, words)?,
            Word::Mode => {
                self.link.linkmode = Some(self.one_of(words, &["default", "dormant"], "Invalid link mode\n")?)
            }
            Word::State => self.link.operstate = Some(self.one_of(words, &OPERSTATES, "Invalid operstate\n")?),
            Word::AddrGenMode => {
                let modes = ["eui64", "none", "stable_secret", "random"];
                let mode = self.one_of(words, &modes, "Invalid address generation mode\n")?;
                self.link.set_addr_gen_mode(mode);
            }
            Word::LinkNetns => {
                let value = self.value(words)?;
                self.only_one_link_netns(value)?;
                self.link_netns = Some(value);
            }
            Word::LinkNetnsid => self.take_link_netnsid(words)?,
            Word::ProtodownReason => self.take_protodown_reason(&ip.tables, words)?,
            Word::Parentdev => self.link.parent_dev_name = Some(Text::new(self.value(words)?)),
            Word::Help => return Err(help::usage()),
            Word::Dev => {
                let name = words.value()?;
                self.set_device(name)?;
            }
        }
        Ok(())
    }

    fn set_device(&mut self, name: &'a [u8]) -> Result<(), Failure> {
        let free = if self.name.is_some() { self.device_is_name } else { self.device.is_none() };
        if !free {
            return Err(hint::stray_word(Failure::duplicate_or_garbage("dev", name), name));
        }
        if !is_long_name(name) {
            return Err(hint::name_hints(wrong(name, "\"dev\" not a valid ifname", hint::name_cause(name)), name));
        }
        self.device = Some(name);
        self.device_is_name = false;
        Ok(())
    }

    fn take_name(&mut self, words: &mut Words<'a>) -> Result<(), Failure> {
        let name = self.value(words)?;
        if self.name.is_some() {
            return Err(Failure::duplicate("name", name));
        }
        if !is_name(name) {
            return Err(hint::name_hints(wrong(name, "\"name\" not a valid ifname", hint::name_cause(name)), name));
        }
        self.name = Some(name);
        if self.device.is_none() {
            self.device = Some(name);
            self.device_is_name = true;
        }
        Ok(())
    }

    fn take_index(&mut self, words: &mut Words<'a>) -> Result<(), Failure> {
        let value = self.value(words)?;
        if self.index.is_some() {
            return Err(Failure::duplicate("index", value));
        }
        let index = u32::try_from(leading_number(value)).ok().filter(|index| *index > 0);
        let bad = || wrong(value, "Invalid \"index\" value", format!("`{}` is no index: 1 is the first", shown(value)));
        self.index = Some(index.ok_or_else(bad)?);
        Ok(())
    }

    fn take_flag(&mut self, word: &str, mask: u32, on: Polarity, words: &mut Words<'a>) -> Result<(), Failure> {
        let sets = on_off(word, self.value(words)?)? == (on == Polarity::Sets);
        self.link.set_flags(mask, if sets { mask } else { 0 });
        Ok(())
    }

    fn take_count(&mut self, word: &str, field: Field<u32>, words: &mut Words<'a>) -> Result<(), Failure> {
        let value = self.value(words)?;
        // For `ip`, -1 is as if the word had not been there.
        if field(&mut self.link).is_some_and(|before| before != u32::MAX) {
            return Err(Failure::duplicate(word, value));
        }
        let number = integer(value).ok_or_else(|| {
            let cause = format!("`{}` is no number up to {}", shown(value), i32::MAX);
            let failure = wrong(value, &format!("Invalid \"{word}\" value\n"), cause);
            if word == "mtu" { failure.hint(hint::MTU_BOUNDS) } else { failure }
        })?;
        *field(&mut self.link) = Some(number.cast_unsigned());
        Ok(())
    }

    fn take_size(&mut self, word: &str, most: u32, field: Field<u32>, words: &mut Words<'a>) -> Result<(), Failure> {
        let value = self.value(words)?;
        let number = unsigned(value).filter(|number| *number <= most).ok_or_else(|| {
            let cause = format!("`{}` is no number from 0 to {most}", shown(value));
            wrong(value, &format!("Invalid \"{word}\" value\n"), cause)
        })?;
        *field(&mut self.link) = Some(number);
        Ok(())
    }

    /// Returns an address, or adds it as it is for the kernel to refuse.
    fn hardware_address(&mut self, number: u16, octets: &[u8]) -> Option<LinkAddress> {
        self.link.other.retain(|attribute| attribute.number() != number);
        let address = LinkAddress::new(octets);
        if address.is_none() {
            self.link.other.push(RawAttribute { flagged_number: number, payload: octets.into() });
        }
        address
    }

    fn take_xdp(&mut self, mode: u32, ip: &mut Ip<'_>, words: &mut Words<'a>) -> Result<(), Failure> {
        let value = self.value(words)?;
        if mode == XDP_HARDWARE && ip.device(self.device.unwrap_or_default())?.is_none() {
            return Err(Failure::incomplete());
        }
        let program = match value {
            b"off" | b"none" if words.is_empty() => None,
            _ => Some(program::read(value, words)?),
        };
        let flags = mode | if ip.options.force { 0 } else { XDP_IF_NONE };
        let flags = (flags != 0).then_some(flags);
        self.link.xdp =
            Some(Box::new(Xdp { fd: Some(program.as_ref().map_or(-1, Program::number)), flags, ..Xdp::default() }));
        self.held.extend(program.map(Held::Program));
        self.forget_device_that_is_name(mode == XDP_HARDWARE);
        Ok(())
    }

    /// As in `ip`, a device that was given by `name` alone must be given again behind some words.
    fn forget_device_that_is_name(&mut self, forget: bool) {
        if forget && self.device_is_name {
            self.device = None;
            self.device_is_name = false;
        }
    }

    fn take_netns(&mut self, ip: &Ip<'_>, words: &mut Words<'a>) -> Result<(), Failure> {
        let value = self.value(words)?;
        if self.target.is_some() {
            return Err(Failure::duplicate("netns", value));
        }
        let target = netns::open(ip, value).ok_or_else(|| netns::unknown("netns", value))?;
        self.link.net_ns_fd = netns::descriptor(&target);
        self.target = Some(target);
        Ok(())
    }

    fn take_function(&mut self, ip: &mut Ip<'_>, words: &mut Words<'a>) -> Result<(), Failure> {
        let value = self.value(words)?;
        let number = integer(value)
            .ok_or_else(|| wrong(value, "Invalid \"vf\" value\n", format!("`{}` is no number", shown(value))))?;
        let Some(device) = self.device else {
            let ip = "Error: argument \"dev\" is required";
            return Err(Failure::new(EXIT_USAGE, ip, "`vf` needs the device's name before it"));
        };
        let device = match ip.device(device)? {
            Some(index) => ip.link(index, EXT_VF)?,
            None => None,
        };
        self.functions.push(vf::read(words, number.cast_unsigned(), device.as_ref())?);
        self.forget_device_that_is_name(true);
        Ok(())
    }

    fn take_master(&mut self, ip: &mut Ip<'_>, words: &mut Words<'a>) -> Result<(), Failure> {
        let value = self.value(words)?;
        let Some(index) = ip.device(value)? else {
            let named = shown(value);
            let cause = format!("there is no device `{named}` in this namespace");
            let failure = with_near_device(ip, wrong(value, "Device does not exist\n", cause), value)?;
            return Err(failure.hint(format!("`vwire link add {named} type bridge` makes a bridge")));
        };
        self.link.master = Some(index);
        Ok(())
    }

    fn take_vrf(&mut self, ip: &mut Ip<'_>, words: &mut Words<'a>) -> Result<(), Failure> {
        let value = self.value(words)?;
        let index = ip.device(value)?;
        let device = match index {
            Some(index) => ip.link(index, 0)?,
            None => None,
        };
        let Some(device) = device.filter(|device| device.kind() == Some("vrf")) else {
            let cause = format!("`{}` is no VRF", shown(value));
            return Err(wrong(value, "Not a valid VRF name\n", cause).hint("`vwire link show type vrf` lists them"));
        };
        self.link.master = Some(device.index);
        Ok(())
    }

    fn take_alias(&mut self, words: &mut Words<'a>) -> Result<(), Failure> {
        let value = self.value(words)?;
        if value.len() >= ALIAS_SIZE {
            let cause = format!("the alias is {} bytes, {} is the limit", value.len(), ALIAS_SIZE - 1);
            return Err(wrong(value, "alias too long\n", cause));
        }
        self.link.ifalias = Some(Text::new(value));
        Ok(())
    }

    fn take_group(&mut self, tables: &Tables, words: &mut Words<'a>) -> Result<(), Failure> {
        let value = self.value(words)?;
        if self.link.group.is_some() {
            return Err(Failure::duplicate("group", value));
        }
        let group = tables.number(names::GROUPS, value).ok_or_else(|| {
            wrong(value, "Invalid \"group\" value\n", format!("there is no link group `{}`", shown(value)))
                .hint("a group is a number, or a name from /etc/iproute2/group")
        })?;
        self.link.group = Some(group);
        Ok(())
    }

    fn one_of(&mut self, words: &mut Words<'a>, allowed: &[&str], message: &str) -> Result<u8, Failure> {
        let value = self.value(words)?;
        let cause = || format!("`{}` is none of {}", shown(value), allowed.join(", ").to_lowercase());
        place_of(value, allowed).ok_or_else(|| wrong(value, message, cause()))
    }

    fn only_one_link_netns(&self, value: &[u8]) -> Result<(), Failure> {
        if self.link_netns.is_some() || self.link_netnsid.is_some_and(|id| id != -1) {
            return Err(Failure::duplicate("link-netns/link-netnsid", value));
        }
        Ok(())
    }

    fn take_link_netnsid(&mut self, words: &mut Words<'a>) -> Result<(), Failure> {
        let value = self.value(words)?;
        self.only_one_link_netns(value)?;
        let id = integer(value).ok_or_else(|| {
            wrong(value, "Invalid \"link-netnsid\" value\n", format!("`{}` is no number", shown(value)))
                .hint("`vwire netns list-id` lists the ids")
        })?;
        self.link_netnsid = Some(id);
        Ok(())
    }

    fn take_protodown_reason(&mut self, tables: &Tables, words: &mut Words<'a>) -> Result<(), Failure> {
        let value = self.value(words)?;
        let bit = tables.number(names::PROTODOWN_REASONS, value).filter(|bit| *bit < REASONS).ok_or_else(|| {
            let cause = format!("`{}` is no reason: a number below {REASONS}, or a name that has one", shown(value));
            wrong(value, "invalid protodown reason\n", cause)
        })?;
        let on = words.value()?;
        let on = match on {
            _ if begins("on", on) => true,
            _ if begins("off", on) => false,
            _ => on_off("protodown_reason", on)?,
        };
        let reason = self.link.proto_down_reason.get_or_insert_default();
        reason.mask = Some(1 << bit);
        reason.value = Some(if on { 1 << bit } else { 0 });
        Ok(())
    }
}

/// Returns what a word gives, of which there is but one; nothing where it may stand twice, or where more than one is told
/// with more by who reads it.
fn given_by(keyword: &'static str) -> Option<&'static str> {
    match keyword {
        "down" => Some("up"),
        "nomaster" | "vrf" => Some("master"),
        "brd" => Some("broadcast"),
        "dev" | "name" | "type" | "vf" | "inet" | "help" | "protodown_reason" => None,
        "index" | "mtu" | "txqueuelen" | "txqlen" | "qlen" | "numtxqueues" | "numrxqueues" | "netns" | "group" => None,
        "link-netns" | "link-netnsid" => None,
        keyword => Some(keyword),
    }
}

/// No device has this name; where people read, one of a name that is near is told.
pub(super) fn no_device(ip: &mut Ip<'_>, name: &[u8]) -> Result<Failure, Failure> {
    with_near_device(ip, Failure::no_device(name), name)
}

fn with_near_device(ip: &mut Ip<'_>, failure: Failure, name: &[u8]) -> Result<Failure, Failure> {
    if ip.persona == Persona::Ip {
        return Ok(failure);
    }
    let devices = ip.links(LinkFilter::without_stats())?;
    Ok(hint::near_device(failure, name, &devices))
}
