//! Which addresses `bridge fdb show` and `flush` are about.

use std::fs;

use vwire_netlink::Neighbour;
use vwire_netlink::wire::RawAttribute;

use super::super::{RETURNED, numbers, pass_over};
use super::{FAMILY, HELP, MASTER, PERMANENT, SELF};
use crate::cli::ip::failure::EXIT_USAGE;
use crate::cli::ip::options::Family;
use crate::cli::ip::prefix;
use crate::cli::ip::words::{Keyword, Words, begins, exact, find, number_as, prefix as cut, shown};
use crate::cli::ip::{Failure, Persona};

/// `NUD_NOARP`.
const NOARP: u16 = 0x40;
/// `NTF_USE`.
const USE: u8 = 0x01;
/// `NTF_EXT_LEARNED`.
const EXT_LEARNED: u8 = 0x10;
/// `NTF_OFFLOADED`.
const OFFLOADED: u8 = 0x20;
/// `NTF_STICKY`.
const STICKY: u8 = 0x40;
/// `NTF_ROUTER`.
const ROUTER: u8 = 0x80;
/// `NDA_DST`.
const NDA_DST: u16 = 1;

/// Which addresses are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those of this bridge and its ports.
    pub bridge: Option<Vec<u8>>,
    /// Only those of this device.
    pub device: Option<Vec<u8>>,
    vlan: u32,
    states: u32,
    dynamic: bool,
}

impl Filter {
    /// Returns whether an address passes, whatever its device.
    pub fn passes(&self, entry: &Neighbour) -> bool {
        (self.states == 0 || u32::from(entry.state) & self.states != 0)
            && (self.vlan == 0 || self.vlan == u32::from(entry.vlan.unwrap_or(0)))
            && !(self.dynamic && entry.state & PERMANENT != 0)
    }
}

/// Reads the words behind `show`.
///
/// # Errors
/// A word that does not fit.
pub fn read(persona: Persona, words: &mut Words<'_>) -> Result<Filter, Failure> {
    let mut filter = Filter::default();
    while let Some(word) = words.next() {
        match word {
            b"brport" | b"dev" => filter.device = Some(words.value()?.to_vec()),
            b"br" => filter.bridge = Some(words.value()?.to_vec()),
            b"vlan" => {
                let value = words.value()?;
                if filter.vlan != 0 {
                    return Err(Failure::duplicate("vlan", value));
                }
                filter.vlan = numbers::atoi(value).cast_unsigned();
            }
            b"state" => {
                let value = words.value()?;
                filter.states |= state(value).ok_or_else(|| {
                    Failure::invalid(value, "invalid state")
                        .hint("the states are permanent, static, stale, reachable, all, or a number")
                })?;
            }
            b"dynamic" => filter.dynamic = true,
            word if begins("help", word) => return Err(Failure::usage(HELP)),
            word => pass_over(persona, word, &["br", "brport", "dev", "vlan", "state", "dynamic"])?,
        }
    }
    Ok(filter)
}

/// The states by their words, in `bridge`'s order.
const STATES: &[Keyword<u32>] = &[
    cut("permanent", 0x80),
    cut("static", 0x40),
    cut("temp", 0x40),
    cut("stale", 0x04),
    cut("reachable", 0x02),
    cut("dynamic", 0x02),
    exact("all", u32::MAX),
];

fn state(word: &[u8]) -> Option<u32> {
    find(STATES, word).or_else(|| number_as(word))
}

/// What is flushed, as the words ask for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flush {
    /// The bridge or VXLAN.
    pub device: Option<Vec<u8>>,
    /// Only what is behind this port.
    pub port: Option<Vec<u8>>,
    vlan: Option<i16>,
    udp_port: u16,
    pattern: Neighbour,
}

#[derive(Clone, Copy)]
enum Word {
    Device,
    Whose(u8),
    State { set: u16, mask: u16 },
    NoState { clear: u16, mask: u16 },
    Flag(u8),
    NoFlag(u8),
    Port,
    Vlan,
    SourceVni,
    Nexthop,
    Vni,
    UdpPort,
    Destination,
    Help,
}

const WORDS: &[Keyword<Word>] = &[
    exact("dev", Word::Device),
    exact("master", Word::Whose(MASTER)),
    exact("self", Word::Whose(SELF)),
    exact("permanent", Word::State { set: PERMANENT, mask: PERMANENT }),
    exact("nopermanent", Word::NoState { clear: PERMANENT, mask: PERMANENT }),
    exact("static", Word::State { set: NOARP, mask: NOARP | PERMANENT }),
    exact("nostatic", Word::NoState { clear: NOARP, mask: NOARP }),
    exact("dynamic", Word::NoState { clear: NOARP, mask: NOARP | PERMANENT }),
    exact("nodynamic", Word::State { set: NOARP, mask: NOARP }),
    exact("added_by_user", Word::Flag(USE)),
    exact("noadded_by_user", Word::NoFlag(USE)),
    exact("extern_learn", Word::Flag(EXT_LEARNED)),
    exact("noextern_learn", Word::NoFlag(EXT_LEARNED)),
    exact("sticky", Word::Flag(STICKY)),
    exact("nosticky", Word::NoFlag(STICKY)),
    exact("offloaded", Word::Flag(OFFLOADED)),
    exact("nooffloaded", Word::NoFlag(OFFLOADED)),
    exact("router", Word::Flag(ROUTER)),
    exact("norouter", Word::NoFlag(ROUTER)),
    exact("brport", Word::Port),
    exact("vlan", Word::Vlan),
    exact("src_vni", Word::SourceVni),
    exact("nhid", Word::Nexthop),
    exact("vni", Word::Vni),
    exact("port", Word::UdpPort),
    exact("dst", Word::Destination),
    exact("help", Word::Help),
];

/// Reads the words behind `flush`.
///
/// # Errors
/// A word that does not fit.
pub fn read_flush(family: Family, words: &mut Words<'_>) -> Result<Flush, Failure> {
    let mut flush = Flush::default();
    while let Some(word) = words.next() {
        let known = find(WORDS, word).ok_or_else(|| unknown(word))?;
        flush.take(known, family, words)?;
    }
    Ok(flush)
}

fn unknown(word: &[u8]) -> Failure {
    let said = format!("bridge fdb: unknown command \"{}\"?\n{HELP}", shown(word));
    Failure::new(EXIT_USAGE, said.trim_end(), format!("`{}` is no keyword here", shown(word)))
        .hint("`vwire bridge fdb help` lists them")
}

impl Flush {
    fn take(&mut self, known: Word, family: Family, words: &mut Words<'_>) -> Result<(), Failure> {
        let entry = &mut self.pattern;
        match known {
            Word::Device => self.device = Some(words.value()?.to_vec()),
            Word::Whose(flag) => entry.flags |= flag,
            Word::State { set, mask } => {
                entry.state |= set;
                *entry.ndm_state_mask.get_or_insert_default() |= mask;
            }
            Word::NoState { clear, mask } => {
                entry.state &= !clear;
                *entry.ndm_state_mask.get_or_insert_default() |= mask;
            }
            Word::Flag(flag) => {
                entry.flags |= flag;
                *entry.ndm_flags_mask.get_or_insert_default() |= flag;
            }
            Word::NoFlag(flag) => {
                entry.flags &= !flag;
                *entry.ndm_flags_mask.get_or_insert_default() |= flag;
            }
            Word::Port => {
                if self.port.is_some() {
                    return Err(Failure::duplicate_or_garbage("brport", b"brport"));
                }
                self.port = Some(words.value()?.to_vec());
            }
            Word::Vlan => take_vlan(&mut self.vlan, b"vlan", words)?,
            Word::SourceVni => entry.src_vni = Some(vni(words.value()?, "invalid src VNI\n")?),
            Word::Nexthop => {
                let value = words.value()?;
                let id = number_as(value).ok_or_else(|| Failure::invalid(value, "\"nid\" value is invalid\n"))?;
                entry.nh_id = Some(id).filter(|id| *id != 0);
            }
            Word::Vni => entry.vni = Some(vni(words.value()?, "invalid VNI\n")?),
            Word::UdpPort => self.udp_port = udp_port(words.value()?)?,
            Word::Destination => take_destination(entry, family, words)?,
            Word::Help => drop(words.value()?),
        }
        Ok(())
    }

    /// Returns what the request says.
    ///
    /// # Errors
    /// A VLAN that there cannot be.
    pub fn entry(mut self, index: u32, port: Option<u32>) -> Result<Neighbour, Failure> {
        if let Some(vlan) = self.vlan.filter(|vlan| *vlan >= 4096) {
            return Err(invalid_vlan(vlan));
        }
        let entry = &mut self.pattern;
        entry.family = FAMILY;
        entry.index = index;
        entry.ifindex = port;
        entry.vlan = self.vlan.and_then(|vlan| u16::try_from(vlan).ok());
        entry.port = Some(self.udp_port).filter(|port| *port != 0);
        if entry.flags & (SELF | MASTER) == 0 {
            entry.flags |= SELF;
        }
        Ok(self.pattern)
    }
}

/// The failure for a VLAN that there cannot be.
pub fn invalid_vlan(vlan: i16) -> Failure {
    let vlan = vlan.cast_unsigned();
    Failure::new(RETURNED, format!("Invalid VLAN ID \"{vlan}\""), format!("`{vlan}` is no VLAN: they are 1 to 4094"))
}

/// Reads a VLAN, which may stand once.
pub fn take_vlan(vlan: &mut Option<i16>, keyword: &[u8], words: &mut Words<'_>) -> Result<(), Failure> {
    if vlan.is_some_and(|vlan| vlan >= 0) {
        return Err(Failure::duplicate_or_garbage("vlan", keyword));
    }
    *vlan = Some(numbers::short(words.value()?));
    Ok(())
}

/// Reads the number of a VXLAN's network.
pub fn vni(value: &[u8], message: &str) -> Result<u32, Failure> {
    numbers::vni(value).ok_or_else(|| Failure::invalid(value, message).hint("it is a number below 16777216"))
}

/// Reads the other end, which may stand once.
pub fn take_destination(entry: &mut Neighbour, family: Family, words: &mut Words<'_>) -> Result<(), Failure> {
    let value = words.value()?;
    if entry.dst.is_some() || !entry.other.is_empty() {
        return Err(Failure::duplicate_or_garbage("dst", value));
    }
    match prefix::address(value, family)?.address {
        Some(address) => entry.dst = Some(address),
        None => entry.other.push(RawAttribute { flagged_number: NDA_DST, payload: Box::default() }),
    }
    Ok(())
}

/// Reads a port of UDP: a number, or a name of `/etc/services`.
pub fn udp_port(value: &[u8]) -> Result<u16, Failure> {
    let port = match numbers::unsigned(value) {
        Some(number) => u16::try_from(number).ok(),
        None => service(value),
    };
    port.ok_or_else(|| {
        Failure::invalid(value, "invalid port\n").hint("it is a number up to 65535, or a service's name")
    })
}

/// Returns the port of a service over UDP.
pub fn service(name: &[u8]) -> Option<u16> {
    let name = std::str::from_utf8(name).ok()?;
    let text = fs::read_to_string("/etc/services").ok()?;
    service_in(&text, name)
}

fn service_in(text: &str, name: &str) -> Option<u16> {
    text.lines().find_map(|line| {
        let mut fields = line.split('#').next()?.split_whitespace();
        let first = fields.next()?;
        let port = fields.next()?.strip_suffix("/udp")?;
        (first == name || fields.any(|alias| alias == name)).then(|| port.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn flushed(line: &str) -> Neighbour {
        read_flush(Family::Unspec, &mut Words::new(&words(line))).unwrap().entry(3, None).unwrap()
    }

    #[test]
    fn what_is_flushed_is_a_pattern_with_masks() {
        let entry = flushed("dev br0 static nosticky extern_learn vlan 5 vni 7 port 4789");
        assert_eq!((entry.state, entry.ndm_state_mask), (NOARP, Some(NOARP | PERMANENT)));
        assert_eq!((entry.flags, entry.ndm_flags_mask), (EXT_LEARNED | SELF, Some(STICKY | EXT_LEARNED)));
        assert_eq!((entry.vlan, entry.vni, entry.port), (Some(5), Some(7), Some(4789)));
        assert_eq!(flushed("permanent dynamic").state, PERMANENT);
        assert_eq!(flushed("master").flags, MASTER);
    }

    #[test]
    fn filters_hold_together() {
        let filter = read(Persona::Ip, &mut Words::new(&words("vlan 5 state static dynamic nosuch"))).unwrap();
        let entry = Neighbour { state: NOARP, vlan: Some(5), ..Neighbour::default() };
        assert!(filter.passes(&entry));
        assert!(!filter.passes(&Neighbour { vlan: None, ..entry.clone() }));
        assert!(!filter.passes(&Neighbour { state: NOARP | PERMANENT, ..entry.clone() }));
        assert!(!filter.passes(&Neighbour { state: 2, ..entry }));
        assert!(read(Persona::Vwire, &mut Words::new(&words("nosuch"))).is_err());
    }

    #[test]
    fn a_port_may_be_a_service() {
        let text = "# comment\ndomain 53/tcp\ndomain\t53/udp # names\nntp 123/udp time\n";
        assert_eq!(service_in(text, "domain"), Some(53));
        assert_eq!(service_in(text, "time"), Some(123));
        assert_eq!(service_in(text, "x"), None);
        assert_eq!(udp_port(b"65536").unwrap_err().exit(), 255);
    }
}
