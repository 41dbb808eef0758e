//! Reads the words of `ip neigh add`, `change`, `replace`, `del` and `get` into the neighbour that is asked for.
//!
//! It reads the table of protocols, and touches nothing else.

use vwire_netlink::wire::{RawAttribute, Request};
use vwire_netlink::{Create, LinkAddress, Neighbour};

use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE, Failure};
use crate::cli::ip::options::Family;
use crate::cli::ip::prefix::{self, Prefix};
use crate::cli::ip::words::{Keyword, Words, begins, exact, find, named, prefix as cut};
use crate::out::neigh::{EXT_LEARNED, EXT_VALIDATED, MANAGED, PROXY, ROUTER};

/// `NUD_PERMANENT`.
const PERMANENT: u16 = 0x80;
/// `NTF_USE`.
const USE: u8 = 0x01;
/// `NDA_DST`.
const NDA_DST: u16 = 1;

/// What is done with a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Makes it, and fails if it is there.
    Add,
    /// Changes it, and fails if it is not there.
    Change,
    /// Makes or changes it.
    Replace,
    /// Takes it away.
    Delete,
}

impl Verb {
    /// Returns the request for a neighbour.
    #[must_use]
    pub fn request(self, neighbour: &Neighbour) -> Request {
        match self {
            Self::Add => Request::new_neighbour(neighbour, Create::Exclusive),
            Self::Change => Request::new_neighbour(neighbour, Create::Replace),
            Self::Replace => Request::new_neighbour(neighbour, Create::OrReplace),
            Self::Delete => Request::del_neighbour(neighbour),
        }
    }
}

/// A neighbour as the words ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The device's name; a proxy needs none.
    pub device: Option<Vec<u8>>,
    /// The neighbour, without the index of its device.
    pub neighbour: Neighbour,
}

impl Wanted {
    /// Returns the address for a message.
    #[must_use]
    pub fn shown(&self) -> String {
        self.neighbour.dst.map_or_else(|| "any".to_owned(), |address| address.to_string())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    LinkAddress,
    State,
    Proxy,
    Router,
    Use,
    Managed,
    ExternLearn,
    ExternValid,
    Device,
    Protocol,
}

/// In `ip`'s order: `p` is `proxy`, `prot` is `protocol`.
const WORDS: &[Keyword<Word>] = &[
    cut("lladdr", Word::LinkAddress),
    exact("nud", Word::State),
    cut("proxy", Word::Proxy),
    exact("router", Word::Router),
    exact("use", Word::Use),
    exact("managed", Word::Managed),
    cut("extern_learn", Word::ExternLearn),
    exact("extern_valid", Word::ExternValid),
    exact("dev", Word::Device),
    cut("protocol", Word::Protocol),
];

/// The words of `get`.
const WORDS_OF_GET: &[Keyword<Word>] = &[exact("dev", Word::Device), cut("proxy", Word::Proxy)];

/// Reads the words behind `add`, `change`, `replace` or `del`.
///
/// # Errors
/// A word that does not fit or is missing, as `ip` says it.
pub fn read(family: Family, words: &mut Words<'_>) -> Result<Wanted, Failure> {
    let mut reader = Reader::new(family);
    reader.neighbour.state = PERMANENT;
    while let Some(word) = words.next() {
        match find(WORDS, word) {
            Some(known) => {
                words.once(named(WORDS, &known), word)?;
                reader.take(known, words)?;
            }
            None => {
                let word = if word == b"to" { words.value()? } else { word };
                // `ip` passes over this word and wants another.
                let word = if begins("help", word) { words.value()? } else { word };
                reader.take_address(word, Failure::duplicate_or_garbage("to", word))?;
            }
        }
    }
    let line = "Device and destination are required arguments.";
    let link_address = reader.link_address.take();
    let mut wanted = reader.finish(line, EXIT_USAGE)?;
    if let Some(text) = link_address.filter(|text| text != b"null") {
        let octets = crate::cli::ip::link::words::address(&text)?;
        wanted.neighbour.lladdr = LinkAddress::new(octets.get(..octets.len().min(20)).unwrap_or_default());
    }
    Ok(wanted)
}

/// Reads the words behind `get`.
///
/// # Errors
/// As [`read`].
pub fn read_get(family: Family, words: &mut Words<'_>) -> Result<Wanted, Failure> {
    let mut reader = Reader::new(family);
    while let Some(word) = words.next() {
        match find(WORDS_OF_GET, word) {
            Some(known) => reader.take(known, words)?,
            None => {
                let word = if word == b"to" { words.value()? } else { word };
                if begins("help", word) {
                    return Err(Failure::usage(super::HELP));
                }
                reader.take_address(word, Failure::duplicate_or_garbage("to", word))?;
            }
        }
    }
    reader.finish("Device and address are required arguments.", EXIT_SEMANTIC)
}

/// What was read so far.
struct Reader {
    family: Family,
    neighbour: Neighbour,
    extended: u32,
    address: Option<Prefix>,
    device: Option<Vec<u8>>,
    link_address: Option<Vec<u8>>,
}

impl Reader {
    fn new(family: Family) -> Self {
        let neighbour = Neighbour::default();
        Self { family, neighbour, extended: 0, address: None, device: None, link_address: None }
    }

    fn take(&mut self, known: Word, words: &mut Words<'_>) -> Result<(), Failure> {
        match known {
            Word::Router => self.neighbour.flags |= ROUTER,
            Word::Use => self.neighbour.flags |= USE,
            Word::ExternLearn => self.neighbour.flags |= EXT_LEARNED,
            Word::ExternValid => self.extended |= EXT_VALIDATED,
            Word::Managed => {
                self.extended |= MANAGED;
                self.neighbour.state = 0;
            }
            Word::LinkAddress => {
                let value = words.value()?;
                if self.link_address.is_some() {
                    return Err(Failure::duplicate("lladdr", value));
                }
                self.link_address = Some(value.to_vec());
            }
            Word::State => {
                let value = words.value()?;
                let state = super::state(value).and_then(|state| u16::try_from(state).ok());
                self.neighbour.state = state.ok_or_else(|| super::wrong_state(value))?;
            }
            Word::Proxy => {
                let value = words.value()?;
                if begins("help", value) {
                    return Err(Failure::usage(super::HELP));
                }
                self.take_address(value, Failure::duplicate("address", value))?;
                self.neighbour.flags |= PROXY;
            }
            Word::Device => self.device = Some(words.value()?.to_vec()),
            Word::Protocol => {
                let value = words.value()?;
                let protocol = super::protocol(value);
                self.neighbour.protocol =
                    Some(protocol.ok_or_else(|| Failure::invalid(value, "\"protocol\" value is invalid\n"))?);
            }
        }
        Ok(())
    }

    fn take_address(&mut self, word: &[u8], second: Failure) -> Result<(), Failure> {
        if self.address.is_some() {
            return Err(second);
        }
        self.address = Some(prefix::address(word, self.family)?);
        Ok(())
    }

    fn finish(mut self, ip: &str, exit: u8) -> Result<Wanted, Failure> {
        let is_proxy = self.neighbour.flags & PROXY != 0;
        let address = self.address.filter(|address| address.family != Family::Unspec);
        let Some(address) = address.filter(|_| is_proxy || self.device.is_some()) else {
            return Err(Failure::new(exit, ip, "the command does not say which address on which device")
                .hint("it looks like `vwire neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev NAME`"));
        };
        self.neighbour.family = address.family.number();
        self.neighbour.dst = address.address;
        if address.address.is_none() {
            let empty = RawAttribute { flagged_number: NDA_DST, payload: Box::default() };
            self.neighbour.other.push(empty);
        }
        self.neighbour.flags_ext = (self.extended != 0).then_some(self.extended);
        Ok(Wanted { device: self.device, neighbour: self.neighbour })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::Persona;
    use std::ffi::OsString;

    fn reads(line: &str) -> Result<Wanted, String> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        read(Family::Unspec, &mut Words::new(&words))
            .map_err(|failure| String::from_utf8(failure.render(Persona::Ip)).unwrap())
    }

    #[test]
    fn words_fill_the_neighbour() {
        let wanted = reads("10.0.0.2 lladdr 2:0:0:0:0:2 dev v0 nud r router extern").unwrap();
        assert_eq!(wanted.device.unwrap(), b"v0");
        assert_eq!(wanted.neighbour.state, 2);
        assert_eq!(wanted.neighbour.flags, ROUTER | EXT_LEARNED);
        assert_eq!(wanted.neighbour.lladdr.unwrap().as_bytes(), [2, 0, 0, 0, 0, 2]);
    }

    #[test]
    fn a_proxy_needs_no_device_and_managed_takes_the_state_away() {
        assert_eq!(reads("proxy 10.0.0.9").unwrap().neighbour.flags, PROXY);
        assert_eq!(reads("10.0.0.2 dev v0 managed").unwrap().neighbour.state, 0);
        assert_eq!(reads("10.0.0.2 dev v0 lladdr null").unwrap().neighbour.lladdr, None);
    }

    #[test]
    fn help_is_passed_over_as_ip_does() {
        assert!(reads("help").unwrap_err().starts_with("Command line is not complete."));
        assert!(reads("help 10.0.0.2 dev v0").is_ok());
    }

    #[test]
    fn what_is_missing_or_twice_is_said() {
        assert_eq!(reads("10.0.0.2").unwrap_err(), "Device and destination are required arguments.\n");
        assert_eq!(reads("any dev v0").unwrap_err(), "Device and destination are required arguments.\n");
        let twice = reads("10.0.0.2 10.0.0.3 dev v0").unwrap_err();
        assert_eq!(twice, "Error: either \"to\" is duplicate, or \"10.0.0.3\" is garbage.\n");
        assert_eq!(reads("10.0.0.2 dev v0 lladdr 2:zz").unwrap_err(), "\"zz\" is invalid lladdr.\n");
    }
}
