//! Which neighbours `ip neigh show` and `flush` are about.

use vwire_netlink::Neighbour;

use crate::cli::ip::failure::Failure;
use crate::cli::ip::link::show::Master;
use crate::cli::ip::options::Family;
use crate::cli::ip::prefix::{self, Prefix};
use crate::cli::ip::words::{Keyword, Words, begins, exact, find, prefix as cut};
use crate::out::neigh::{EXT_LEARNED, PROXY};

/// `NUD_FAILED`.
const FAILED: u32 = 0x20;
/// `NUD_NOARP`.
const NOARP: u32 = 0x40;
/// `NUD_PERMANENT`.
const PERMANENT: u32 = 0x80;
/// Stands for no state at all, `nud none`.
const NONE: u32 = 0x100;

/// What becomes of the neighbours that pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// They are listed.
    Show,
    /// They are deleted.
    Flush,
}

/// Which neighbours pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Only those of this family.
    pub family: Family,
    /// Only those of the device with this name.
    pub device: Option<Vec<u8>>,
    /// Only those of ports of this device.
    pub master: Option<Master>,
    /// Only proxies.
    pub proxies: bool,
    /// Only those in one of these states, and proxies and what was learned outside.
    states: u32,
    /// Whether `nud` has named the states.
    states_given: bool,
    /// Only those that nobody uses.
    unused: bool,
    /// Only those with an address in this prefix.
    to: Option<Prefix>,
    /// Only those of this maker; 0 is all.
    protocol: u8,
}

#[derive(Clone, Copy)]
enum Word {
    Device,
    Master,
    Vrf,
    NoMaster,
    Unused,
    State,
    Proxy,
    Protocol,
}

/// In `ip`'s order.
const WORDS: &[Keyword<Word>] = &[
    exact("dev", Word::Device),
    exact("master", Word::Master),
    exact("vrf", Word::Vrf),
    exact("nomaster", Word::NoMaster),
    exact("unused", Word::Unused),
    exact("nud", Word::State),
    exact("proxy", Word::Proxy),
    cut("protocol", Word::Protocol),
];

/// Reads the words behind `show` or `flush`, and returns what was read, whether or not all could be.
pub fn read(purpose: Purpose, family: Family, words: &mut Words<'_>) -> (Filter, Result<(), Failure>) {
    let mut filter = Filter::new(purpose, family);
    let mut end = Ok(());
    while let (Ok(()), Some(word)) = (&end, words.next()) {
        end = match find(WORDS, word) {
            Some(known) => filter.take(known, purpose, words),
            None => filter.take_prefix(word, words),
        };
    }
    (filter, end)
}

impl Filter {
    fn new(purpose: Purpose, family: Family) -> Self {
        let states = match purpose {
            Purpose::Show => 0xff & !NOARP,
            Purpose::Flush => !(PERMANENT | NOARP),
        };
        Self {
            family,
            device: None,
            master: None,
            proxies: false,
            states,
            states_given: false,
            unused: false,
            to: None,
            protocol: 0,
        }
    }

    fn take(&mut self, known: Word, purpose: Purpose, words: &mut Words<'_>) -> Result<(), Failure> {
        match known {
            Word::Device => {
                let name = words.value()?;
                if self.device.is_some() {
                    return Err(Failure::duplicate("dev", name));
                }
                self.device = Some(name.to_vec());
            }
            Word::Master => self.master = Some(Master::Named(words.value()?.to_vec())),
            Word::Vrf => self.master = Some(Master::Vrf(words.value()?.to_vec())),
            Word::NoMaster => self.master = Some(Master::None),
            Word::Unused => self.unused = true,
            Word::State => self.take_state(words.value()?, purpose)?,
            Word::Proxy => self.proxies = true,
            Word::Protocol => {
                let value = words.value()?;
                let protocol = super::protocol(value).or_else(|| (value == b"all").then_some(0));
                self.protocol = protocol.ok_or_else(|| Failure::invalid(value, "invalid \"protocol\"\n"))?;
            }
        }
        Ok(())
    }

    fn take_state(&mut self, word: &[u8], purpose: Purpose) -> Result<(), Failure> {
        if !self.states_given {
            self.states_given = true;
            self.states = 0;
        }
        self.states |= match (super::state(word), word, purpose) {
            (Some(0), ..) => NONE,
            (Some(state), ..) => state,
            (None, b"all", Purpose::Show) => u32::MAX,
            (None, b"all", Purpose::Flush) => !NOARP,
            (None, ..) => return Err(super::wrong_state(word)),
        };
        Ok(())
    }

    fn take_prefix(&mut self, word: &[u8], words: &mut Words<'_>) -> Result<(), Failure> {
        let word = if word == b"to" { words.value()? } else { word };
        if begins("help", word) {
            return Err(Failure::usage(super::HELP));
        }
        let to = prefix::prefix(word, self.family)?;
        self.to = Some(to);
        if self.family == Family::Unspec {
            self.family = to.family;
        }
        Ok(())
    }

    /// Leaves failed entries out: what a flush has deleted may stand there as one for a while.
    pub fn pass_over_failed(&mut self) {
        self.states &= !FAILED;
    }

    /// Returns whether a neighbour passes; `index` is that of the device.
    #[must_use]
    pub fn passes(&self, neighbour: &Neighbour, index: Option<u32>) -> bool {
        let family = self.family.number();
        let spared = neighbour.flags & (PROXY | EXT_LEARNED) != 0;
        let in_state =
            self.states & u32::from(neighbour.state) != 0 || (neighbour.state == 0 && self.states & NONE != 0);
        let used = neighbour.cacheinfo.is_some_and(|times| times.refcnt != 0);
        (family == 0 || family == neighbour.family)
            && index.is_none_or(|index| index == neighbour.index)
            && (in_state || spared)
            && self.contains(neighbour)
            && (self.protocol == 0 || self.protocol == neighbour.protocol.unwrap_or(0))
            && !(self.unused && used)
    }

    fn contains(&self, neighbour: &Neighbour) -> bool {
        let Some(Prefix { address: Some(address), length: length @ 1.., .. }) = self.to else { return true };
        neighbour.dst.is_none_or(|own| prefix::shares(address, own, length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn filter(purpose: Purpose, line: &str) -> Filter {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let (filter, end) = read(purpose, Family::Unspec, &mut Words::new(&words));
        end.unwrap();
        filter
    }

    fn neighbour(state: u16) -> Neighbour {
        Neighbour { family: 2, state, dst: Some([10, 0, 0, 2].into()), ..Neighbour::default() }
    }

    #[test]
    fn noarp_is_not_shown_and_permanent_not_flushed_unless_asked_for() {
        let shows = |line: &str, state| filter(Purpose::Show, line).passes(&neighbour(state), None);
        let flushes = |line: &str, state| filter(Purpose::Flush, line).passes(&neighbour(state), None);
        assert!(shows("", 0x80) && !shows("", 0x40) && shows("nud all", 0x40) && shows("nud noarp", 0x40));
        assert!(!flushes("dev v0", 0x80) && flushes("nud permanent", 0x80) && !flushes("nud all", 0x40));
        assert!(!shows("", 0) && shows("nud none", 0) && !shows("nud none", 2));
    }

    #[test]
    fn a_prefix_brings_its_family() {
        let of_ten = filter(Purpose::Show, "to 10.0.0.0/24");
        assert_eq!(of_ten.family, Family::Inet);
        assert!(of_ten.passes(&neighbour(2), None));
        assert!(!filter(Purpose::Show, "10.1").passes(&neighbour(2), None));
        assert!(!filter(Purpose::Show, "2001:db8::/32").passes(&neighbour(2), None));
    }
}
