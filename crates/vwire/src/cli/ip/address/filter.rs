//! Reads the words of `ip address show`, `flush` and `save` into a filter, and holds links and addresses against it.
//!
//! Pure. Names of devices stay names here: whoever has the kernel at hand looks them up, in the order of
//! [`AddressFilter::masters`], and only then reports what [`read`] stopped at, as `ip` does.

use std::net::IpAddr;

use vwire_netlink::{Address, Link};

use super::Stop;
use crate::cli::ip::failure::Failure;
use crate::cli::ip::options::Family;
use crate::cli::ip::prefix::{self, Prefix};
use crate::cli::ip::words::{Keyword, Words, begins, exact, find, number_as};
use crate::out::address::{AddressNames, FLAGS, PERMANENT, SECONDARY};

/// `IFF_UP`.
const IFF_UP: u32 = 1;

/// Which links and addresses are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressFilter {
    /// The family, from the options or from `to`.
    pub family: Family,
    /// The device's name.
    pub device: Option<Vec<u8>>,
    /// The masters that were named, in order; the last one holds.
    pub masters: Vec<Master>,
    /// The link's group.
    pub group: Option<u32>,
    /// The link's kind.
    pub kind: Option<Vec<u8>>,
    /// The kind of the link's master.
    pub slave_kind: Option<Vec<u8>>,
    /// Whether virtual functions are left out.
    pub without_functions: bool,
    /// Only primary addresses: a flush then ends after one round.
    pub primary_only: bool,
    up: bool,
    down: bool,
    label: Option<Vec<u8>>,
    to: Option<Prefix>,
    scope: Option<u8>,
    flags: u32,
    flag_mask: u32,
    protocol: Option<u8>,
}

/// A master that links are wanted of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Master {
    /// The device with this name.
    Named(Vec<u8>),
    /// The VRF with this name.
    Vrf(Vec<u8>),
    /// None: links without a master.
    Nobody,
}

#[derive(Clone, Copy)]
enum Word {
    To,
    Scope,
    Up,
    Down,
    Label,
    Group,
    Master,
    Vrf,
    NoMaster,
    Type,
    Protocol,
    NoFunctions,
    Device,
}

const WORDS: &[Keyword<Word>] = &[
    exact("to", Word::To),
    exact("scope", Word::Scope),
    exact("up", Word::Up),
    exact("down", Word::Down),
    exact("label", Word::Label),
    exact("group", Word::Group),
    exact("master", Word::Master),
    exact("vrf", Word::Vrf),
    exact("nomaster", Word::NoMaster),
    exact("type", Word::Type),
    exact("proto", Word::Protocol),
    exact("novf", Word::NoFunctions),
    exact("dev", Word::Device),
];

/// Reads the words behind `show`, `flush` or `save`, up to the first that does not fit.
///
/// `group` finds the number of a group's name.
pub fn read(
    family: Family,
    words: &mut Words<'_>,
    names: &AddressNames,
    group: impl Fn(&[u8]) -> Option<u32>,
) -> (AddressFilter, Result<(), Stop>) {
    let mut filter = AddressFilter { family, ..AddressFilter::default() };
    while let Some(word) = words.next() {
        let taken = match find(WORDS, word) {
            Some(known) => filter.take(known, words, names, &group),
            None if filter.take_flag(word) => Ok(()),
            None if begins("help", word) => Err(Stop::Help),
            None => filter.take_device(word).map_err(Stop::from),
        };
        if taken.is_err() {
            return (filter, taken);
        }
    }
    (filter, Ok(()))
}

/// Takes a word that is about addresses alone, and what stands behind it; returns whether the word was one.
///
/// `ip link show` reads such words as `ip address show` does, and shows what it shows without them.
///
/// # Errors
/// What stands behind the word does not fit.
pub fn pass_over(word: &[u8], words: &mut Words<'_>, names: &AddressNames) -> Result<bool, Failure> {
    let mut filter = AddressFilter { family: Family::Packet, ..AddressFilter::default() };
    match find(WORDS, word) {
        Some(known @ (Word::To | Word::Scope | Word::Protocol)) => match filter.take(known, words, names, &|_| None) {
            Err(Stop::Failure(failure)) => Err(failure),
            Ok(()) | Err(Stop::Help) => Ok(true),
        },
        Some(_) => Ok(false),
        None => Ok(filter.take_flag(word)),
    }
}

impl AddressFilter {
    fn take(
        &mut self,
        known: Word,
        words: &mut Words<'_>,
        names: &AddressNames,
        group: &impl Fn(&[u8]) -> Option<u32>,
    ) -> Result<(), Stop> {
        match known {
            Word::Up => self.up = true,
            Word::Down => self.down = true,
            Word::NoMaster => self.masters.push(Master::Nobody),
            Word::NoFunctions => self.without_functions = true,
            Word::To => {
                let to = prefix::prefix(words.value()?, self.family)?;
                if self.family == Family::Unspec {
                    self.family = to.family;
                }
                self.to = Some(to);
            }
            Word::Scope => {
                let value = words.value()?;
                self.scope = match super::change::number_of(&names.scopes, value) {
                    Some(scope) => Some(scope),
                    None if value == b"all" => None,
                    None => {
                        return Err(Failure::invalid(value, "invalid \"scope\"\n").hint(super::change::SCOPES).into());
                    }
                };
            }
            Word::Label => self.label = Some(words.value()?.to_vec()),
            Word::Group => {
                let value = words.value()?;
                let number = group(value);
                self.group = Some(number.ok_or_else(|| Failure::invalid(value, "Invalid \"group\" value\n"))?);
            }
            Word::Master => self.masters.push(Master::Named(words.value()?.to_vec())),
            Word::Vrf => self.masters.push(Master::Vrf(words.value()?.to_vec())),
            Word::Type => {
                let kind = words.value()?;
                match kind.strip_suffix(b"_slave") {
                    Some(kind) => self.slave_kind = Some(kind.to_vec()),
                    None => self.kind = Some(kind.to_vec()),
                }
            }
            Word::Protocol => {
                let value = words.value()?;
                let number = number_as(value);
                self.protocol = Some(number.ok_or_else(|| {
                    Failure::invalid(value, "\"proto\" value is invalid\n").hint("here it is a number")
                })?);
            }
            Word::Device => self.take_device(words.value()?)?,
        }
        Ok(())
    }

    fn take_device(&mut self, word: &[u8]) -> Result<(), Failure> {
        if self.device.is_some() {
            return Err(Failure::duplicate_or_garbage("dev", word));
        }
        self.device = Some(word.to_vec());
        Ok(())
    }

    /// Takes a flag, with `-` in front for its absence; returns whether the word was one.
    fn take_flag(&mut self, word: &[u8]) -> bool {
        let (word, wanted) = match word.strip_prefix(b"-") {
            Some(word) => (word, false),
            None => (word, true),
        };
        let (mask, wanted) = match word {
            b"dynamic" => (PERMANENT, !wanted),
            b"primary" => (SECONDARY, !wanted),
            _ => match FLAGS.iter().find(|flag| flag.word.as_bytes() == word) {
                Some(flag) => (flag.mask, wanted),
                None => return false,
            },
        };
        self.flags = if wanted { self.flags | mask } else { self.flags & !mask };
        self.flag_mask |= mask;
        self.primary_only = self.flag_mask & SECONDARY != 0 && self.flags & SECONDARY == 0;
        true
    }

    /// Returns whether an address is wanted, on a link of this name.
    #[must_use]
    pub fn wants(&self, address: &Address, link: &[u8]) -> bool {
        let protocol = self.protocol.zip(address.proto);
        self.wants_link_of(address, link) && protocol.is_none_or(|(wanted, protocol)| wanted == protocol)
    }

    /// Returns whether a link of this name is shown for the sake of an address. `ip` does not ask for the protocol here.
    #[must_use]
    pub fn wants_link_of(&self, address: &Address, link: &[u8]) -> bool {
        self.wants_family(address)
            && self.scope.is_none_or(|scope| scope == address.scope)
            && (self.flags ^ address.all_flags()) & self.flag_mask == 0
            && self.wants_label(address, link)
            && self.wants_prefix(address.local.or(address.address))
    }

    /// Returns whether a link without any address is shown.
    #[must_use]
    pub fn wants_bare_links(&self) -> bool {
        matches!(self.family, Family::Unspec | Family::Packet)
    }

    /// Returns whether an address is of the family that is wanted.
    #[must_use]
    pub fn wants_family(&self, address: &Address) -> bool {
        self.family == Family::Unspec || self.family.number() == address.family
    }

    /// Returns whether labels, and in their absence the names of links, decide.
    #[must_use]
    pub fn has_label(&self) -> bool {
        self.label.is_some()
    }

    fn wants_label(&self, address: &Address, link: &[u8]) -> bool {
        let label = address.label.as_ref().map_or(link, |label| label.as_bytes());
        self.label.as_ref().is_none_or(|pattern| glob(pattern, label))
    }

    fn wants_prefix(&self, address: Option<IpAddr>) -> bool {
        match (self.to, address) {
            (Some(Prefix { address: Some(to), length: length @ 1.., .. }), Some(address)) => {
                prefix::shares(to, address, length)
            }
            _ => true,
        }
    }

    /// Returns whether `up` or `down` lets a link pass.
    #[must_use]
    pub fn wants_state(&self, link: &Link) -> bool {
        let is_up = link.flags & IFF_UP != 0;
        (!self.up || is_up) && (!self.down || !is_up)
    }

    /// Returns what is printed of a link; `index` and `master` are what the names in the filter stand for.
    #[must_use]
    pub fn part_of(&self, link: &Link, index: Option<u32>, master: Option<u32>) -> Part {
        let is = |wanted: &Option<Vec<u8>>, kind: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| kind.unwrap_or_default().as_bytes() == wanted)
        };
        if index.is_some_and(|index| index != link.index) || !self.wants_state(link) {
            return Part::Nothing;
        }
        if self.label.is_some() {
            return Part::Addresses;
        }
        let fits = self.group.is_none_or(|group| link.group.is_none_or(|own| own == group))
            && master.is_none_or(|master| link.master == Some(master))
            && is(&self.kind, link.kind())
            && is(&self.slave_kind, link.slave_kind());
        if fits { Part::All } else { Part::Nothing }
    }
}

/// What is printed of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing: a filter holds it back.
    Nothing,
    /// Its addresses, but not the link itself.
    Addresses,
    /// The link and its addresses.
    All,
}

/// Returns whether a text fits a pattern of the shell: `*`, `?`, `[a-z]`, `[!a-z]` and `\`, as `fnmatch(3)` has them.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return text.is_empty() };
    match first {
        b'*' => (0..=text.len()).any(|skipped| glob(rest, &text[skipped..])),
        b'[' if set_at(rest).is_some() => match (set_at(rest), text.split_first()) {
            (Some((set, behind)), Some((letter, text))) => set_has(set, *letter) && glob(behind, text),
            _ => false,
        },
        _ => {
            let (wanted, rest) = match (first, rest.split_first()) {
                (b'\\', Some((escaped, rest))) => (Some(*escaped), rest),
                (b'?', _) => (None, rest),
                _ => (Some(*first), rest),
            };
            text.split_first()
                .is_some_and(|(letter, text)| wanted.is_none_or(|wanted| wanted == *letter) && glob(rest, text))
        }
    }
}

/// Splits what follows `[` into the set and what is behind its `]`; a `]` that comes first belongs to the set.
fn set_at(pattern: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = usize::from(matches!(pattern.first(), Some(b'!' | b'^'))) + 1;
    let end = first + pattern.get(first..)?.iter().position(|letter| *letter == b']')?;
    Some((&pattern[..end], &pattern[end + 1..]))
}

fn set_has(set: &[u8], letter: u8) -> bool {
    let (mut set, wanted) = match set.split_first() {
        Some((b'!' | b'^', set)) => (set, false),
        _ => (set, true),
    };
    let mut found = false;
    while let Some((first, rest)) = set.split_first() {
        match rest {
            [b'-', last, behind @ ..] => {
                found |= (*first..=*last).contains(&letter);
                set = behind;
            }
            _ => {
                found |= *first == letter;
                set = rest;
            }
        }
    }
    found == wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::Persona;
    use std::ffi::OsString;

    fn reads(line: &str) -> (AddressFilter, Result<(), Stop>) {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let names =
            AddressNames { scopes: std::rc::Rc::new([(253, "link".to_owned())].into()), ..AddressNames::default() };
        read(Family::Unspec, &mut Words::new(&words), &names, number_as)
    }

    fn filter(line: &str) -> AddressFilter {
        let (filter, end) = reads(line);
        end.unwrap();
        filter
    }

    fn address(flags: u32) -> Address {
        Address { family: 2, scope: 253, flags: Some(flags), local: Some([10, 0, 0, 1].into()), ..Address::default() }
    }

    #[test]
    fn flags_are_wanted_set_or_not_set() {
        assert!(filter("primary").wants(&address(0x80), b"v0"));
        assert!(!filter("-primary").wants(&address(0x80), b"v0"));
        assert!(!filter("dynamic").wants(&address(0x80), b"v0"));
        assert!(filter("permanent -tentative").wants(&address(0x80), b"v0"));
        assert!(filter("primary").primary_only && !filter("secondary").primary_only);
    }

    #[test]
    fn addresses_are_chosen_by_what_they_are() {
        for (line, wanted) in [
            ("to 10.0.0.0/8", true),
            ("to 10.0.1/24", false),
            ("to fe80::/10", false),
            ("to any", true),
            ("scope link", true),
            ("scope 0", false),
            ("scope all", true),
            ("label v*", true),
            ("label w*", false),
            ("proto 3", true),
        ] {
            assert_eq!(filter(line).wants(&address(0), b"v0"), wanted, "{line}");
        }
        let by_ra = Address { proto: Some(2), ..address(0) };
        assert!(!filter("proto 3").wants(&by_ra, b"v0") && filter("proto 3").wants_link_of(&by_ra, b"v0"));
    }

    #[test]
    fn links_are_held_back_by_state_kind_and_master() {
        let mut link = Link { index: 3, flags: 1, master: Some(9), ..Link::default() };
        link.set_kind("veth", None);
        let part = |line, master| filter(line).part_of(&link, None, master);
        assert_eq!(part("up", None), Part::All);
        assert_eq!(part("down", None), Part::Nothing);
        assert_eq!(part("type veth", Some(9)), Part::All);
        assert_eq!(part("type bridge", None), Part::Nothing);
        assert_eq!(part("type bridge_slave", None), Part::Nothing);
        assert_eq!(part("master br0", Some(8)), Part::Nothing);
        assert_eq!(part("label v0", None), Part::Addresses);
    }

    #[test]
    fn reading_stops_at_the_first_word_that_does_not_fit() {
        let (filter, end) = reads("master br0 scope zz master br1");
        assert_eq!(filter.masters, [Master::Named(b"br0".to_vec())]);
        let Err(Stop::Failure(failure)) = end else { panic!() };
        assert_eq!(failure.render(Persona::Ip), b"Error: argument \"zz\" is wrong: invalid \"scope\"\n\n");
        assert_eq!(reads("help").1, Err(Stop::Help));
        assert_eq!(reads("dev help").0.device, Some(b"help".to_vec()));
        assert!(reads("v0 v1").1.is_err());
    }

    #[test]
    fn patterns_are_the_shells() {
        for (pattern, text, fits) in [
            ("v0", "v0", true),
            ("v*", "v0:1", true),
            ("*:?", "v0:1", true),
            ("v[0-3]", "v2", true),
            ("v[!0-3]", "v2", false),
            ("v[]x]", "v]", true),
            ("v[", "v[", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("", "", true),
            ("?", "", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), fits, "{pattern} {text}");
        }
    }
}
