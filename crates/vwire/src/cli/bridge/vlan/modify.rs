//! Reads the words of `bridge vlan add`, `del`, `set` and `global set` into what is asked for. Pure.

use vwire_netlink::VlanDb;
use vwire_netlink::wire::bridge::{BridgeSpec, VlanEntry, VlanInfo, VlanOptions, VlanTunnel};

use super::super::link::{FAMILY, MASTER, SELF};
use super::super::{RETURNED, lacking, numbers, on_off, pass_over};
use crate::cli::ip::words::{Words, begins, number, number_as, shown};
use crate::cli::ip::{Failure, Persona};
use crate::out::bridge::STATES;

/// `BRIDGE_VLAN_INFO_PVID`.
const PVID: u16 = 0x02;
/// `BRIDGE_VLAN_INFO_UNTAGGED`.
const UNTAGGED: u16 = 0x04;
/// `BRIDGE_VLAN_INFO_RANGE_BEGIN`.
const RANGE_BEGIN: u16 = 0x08;
/// `BRIDGE_VLAN_INFO_RANGE_END`.
const RANGE_END: u16 = 0x10;
/// `BRIDGE_VLAN_INFO_ONLY_OPTS`.
const ONLY_OPTIONS: u16 = 0x40;

/// A VLAN or a range of them, as C keeps it in two `short`s of which -1 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: i16,
    last: i16,
}

impl Range {
    /// Reads `N` or `N-N`.
    fn read(value: &[u8]) -> (Self, bool) {
        match value.iter().position(|byte| *byte == b'-') {
            Some(dash) => {
                let last = numbers::short(&value[dash + 1..]);
                (Self { first: numbers::short(&value[..dash]), last }, true)
            }
            None => (Self { first: numbers::short(value), last: -1 }, false),
        }
    }

    fn invalid(self) -> Failure {
        let (first, last) = (self.first.cast_unsigned(), self.last.cast_unsigned());
        Failure::new(
            RETURNED,
            format!("Invalid VLAN range \"{first}-{last}\""),
            format!("`{first}-{last}` is no range of VLANs: they are 1 to 4094"),
        )
    }

    fn invalid_id(self) -> Failure {
        let first = self.first.cast_unsigned();
        Failure::new(
            RETURNED,
            format!("Invalid VLAN ID \"{first}\""),
            format!("`{first}` is no VLAN: they are 1 to 4094"),
        )
    }

    /// Returns the range if it is one, for `set` and `global set`.
    fn checked(self, is_range: bool) -> Result<(u16, Option<u16>), Failure> {
        if is_range && (self.first >= self.last || self.last >= 4096) {
            return Err(self.invalid());
        }
        if self.first >= 4096 {
            return Err(self.invalid_id());
        }
        Ok((self.first.cast_unsigned(), is_range.then_some(self.last.cast_unsigned())))
    }
}

/// What `add` and `del` ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The port's name.
    pub device: Vec<u8>,
    range: Range,
    flags: u16,
    whose: u16,
    tunnel: Option<(u32, u32)>,
}

const WORDS: [&str; 7] = ["dev", "vid", "self", "master", "pvid", "untagged", "tunnel_info"];

/// Reads the words behind `add` or `del`.
///
/// # Errors
/// A word that does not fit or is missing.
pub fn read(persona: Persona, words: &mut Words<'_>) -> Result<Wanted, Failure> {
    let (mut device, mut range) = (None, Range { first: -1, last: -1 });
    let (mut flags, mut whose, mut tunnel) = (0, 0, None);
    while let Some(word) = words.next() {
        match word {
            b"dev" => device = Some(words.value()?.to_vec()),
            b"vid" => {
                let (read, is_range) = Range::read(words.value()?);
                // A lone VLAN leaves the end of a range before it as it was.
                range = if is_range { read } else { Range { first: read.first, ..range } };
                flags |= if is_range { RANGE_BEGIN } else { 0 };
            }
            b"self" => whose |= SELF,
            b"master" => whose |= MASTER,
            b"pvid" => flags |= PVID,
            b"untagged" => flags |= UNTAGGED,
            b"tunnel_info" => tunnel = Some(read_tunnel(words)?),
            // `bridge` passes over this word and the next one.
            word if begins("help", word) => drop(words.value()?),
            word => pass_over(persona, word, &WORDS)?,
        }
    }
    let Some(device) = device.filter(|_| range.first != -1) else { return Err(incomplete("vlan add vid 10 dev NAME")) };
    Ok(Wanted { device, range, flags, whose, tunnel })
}

impl Wanted {
    /// Returns what the request says.
    ///
    /// # Errors
    /// VLANs that there cannot be.
    pub fn spec(&self) -> Result<BridgeSpec, Failure> {
        let Range { first, last } = self.range;
        if first >= 4096 {
            return Err(self.range.invalid_id());
        }
        if self.flags & RANGE_BEGIN != 0 {
            if last == -1 || last >= 4096 || first >= last {
                return Err(self.range.invalid());
            }
            if self.flags & PVID != 0 {
                let message = "pvid cannot be configured for a vlan range";
                return Err(Failure::new(RETURNED, message, "a port has one `pvid`, and a range is many VLANs"));
            }
        }
        let flags = Some(self.whose).filter(|whose| *whose != 0);
        let (first, end) = (first.cast_unsigned(), (last != -1).then_some(last.cast_unsigned()));
        let mut spec = BridgeSpec { flags, ..BridgeSpec::default() };
        match (self.tunnel, end) {
            (Some((id, last_id)), Some(end)) if end > first => {
                spec.vlan_tunnel_info = vec![tunnel(first, id, RANGE_BEGIN), tunnel(end, last_id, RANGE_END)];
            }
            (Some((id, _)), _) => spec.vlan_tunnel_info = vec![tunnel(first, id, 0)],
            (None, Some(end)) => {
                let ending = self.flags & !RANGE_BEGIN | RANGE_END;
                spec.vlan_info = vec![VlanInfo { flags: self.flags, vid: first }, VlanInfo { flags: ending, vid: end }];
            }
            (None, None) => spec.vlan_info = vec![VlanInfo { flags: self.flags, vid: first }],
        }
        Ok(spec)
    }
}

fn tunnel(vid: u16, id: u32, flags: u16) -> VlanTunnel {
    VlanTunnel { id: Some(id), vid: Some(vid), flags: Some(flags), ..VlanTunnel::default() }
}

fn incomplete(example: &str) -> Failure {
    lacking(
        "Device and VLAN ID are required arguments.",
        "the command does not say which VLAN of which device",
        example,
    )
}

/// Reads `id N` or `id N-N`.
fn read_tunnel(words: &mut Words<'_>) -> Result<(u32, u32), Failure> {
    let word = words.value()?;
    if !begins("id", word) {
        return Err(Failure::invalid(word, "tunnel id expected"));
    }
    let value = words.value()?;
    let id = |value: &[u8], shown: &[u8]| {
        let id = number_as::<u32>(value).filter(|id| id >> 24 == 0);
        id.ok_or_else(|| Failure::invalid(shown, "invalid tun id").hint("it is a number below 16777216"))
    };
    match value.iter().position(|byte| *byte == b'-') {
        // `bridge` has cut the word where the dash was, and shows what is left.
        Some(dash) => Ok((id(&value[..dash], &value[..dash])?, id(&value[dash + 1..], &value[..dash])?)),
        None => Ok((id(value, value)?, 0)),
    }
}

/// Reads the words behind `set`; `index_of` finds a device by its name.
///
/// # Errors
/// A word that does not fit or is missing.
pub fn read_options(
    persona: Persona,
    words: &mut Words<'_>,
    mut index_of: impl FnMut(&[u8]) -> Result<Option<u32>, Failure>,
) -> Result<VlanDb, Failure> {
    let (mut index, mut entry) = (None, VlanEntry::default());
    while let Some(word) = words.next() {
        match word {
            b"dev" => index = Some(network_device(&mut index_of, words.value()?)?),
            b"vid" => {
                let (range, is_range) = Range::read(words.value()?);
                let (vid, last) = range.checked(is_range)?;
                entry.info = Some(VlanInfo { flags: ONLY_OPTIONS, vid });
                entry.range = last;
            }
            b"state" => entry.state = Some(state(words.value()?)?),
            b"mcast_router" => entry.mcast_router = Some(fitting("mcast_router", words)?),
            b"mcast_max_groups" => entry.mcast_max_groups = Some(fitting("mcast_max_groups", words)?),
            b"neigh_suppress" => entry.neigh_suppress = Some(on_off("neigh_suppress", words.value()?)?),
            b"neigh_forward_grat" => entry.neigh_forward_grat = Some(on_off("neigh_forward_grat", words.value()?)?),
            word if begins("help", word) => drop(words.value()?),
            word => pass_over(
                persona,
                word,
                &["dev", "vid", "state", "mcast_router", "mcast_max_groups", "neigh_suppress", "neigh_forward_grat"],
            )?,
        }
    }
    let known = entry.info.is_some_and(|info| info.vid != u16::MAX);
    let index = index.filter(|_| known).ok_or_else(|| incomplete("vlan set vid 10 dev NAME state blocking"))?;
    Ok(VlanDb { family: FAMILY, index, entry: vec![entry], ..VlanDb::default() })
}

/// Reads the words behind `global set`; `index_of` finds a device by its name.
///
/// # Errors
/// A word that does not fit or is missing.
pub fn read_global(
    persona: Persona,
    words: &mut Words<'_>,
    mut index_of: impl FnMut(&[u8]) -> Result<Option<u32>, Failure>,
) -> Result<VlanDb, Failure> {
    let (mut index, mut options) = (None, VlanOptions::default());
    while let Some(word) = words.next() {
        match word {
            b"dev" => index = Some(network_device(&mut index_of, words.value()?)?),
            b"vid" => {
                let (range, is_range) = Range::read(words.value()?);
                let (first, last) = range.checked(is_range)?;
                options.id = Some(first);
                options.range = last;
            }
            b"help" => drop(words.value()?),
            word => {
                if !read_option(&mut options, word, words)? {
                    pass_over(persona, word, &["dev", "vid", "mcast_snooping", "mcast_querier", "msti"])?;
                }
            }
        }
    }
    let known = options.id.is_some_and(|id| id != u16::MAX);
    let index = index.filter(|_| known);
    let index = index.ok_or_else(|| incomplete("vlan global set vid 10 dev NAME mcast_snooping 1"))?;
    Ok(VlanDb { family: FAMILY, index, global_options: vec![options], ..VlanDb::default() })
}

/// Reads an option of VLANs on the whole bridge; false where the word is none.
fn read_option(options: &mut VlanOptions, word: &[u8], words: &mut Words<'_>) -> Result<bool, Failure> {
    match word {
        b"mcast_snooping" => options.mcast_snooping = Some(fitting("mcast_snooping", words)?),
        b"mcast_querier" => options.mcast_querier = Some(fitting("mcast_querier", words)?),
        b"mcast_igmp_version" => options.mcast_igmp_version = Some(fitting("mcast_igmp_version", words)?),
        b"mcast_mld_version" => options.mcast_mld_version = Some(fitting("mcast_mld_version", words)?),
        b"mcast_last_member_count" => {
            options.mcast_last_member_cnt = Some(fitting("mcast_last_member_count", words)?);
        }
        b"mcast_startup_query_count" => {
            options.mcast_startup_query_cnt = Some(fitting("mcast_startup_query_count", words)?);
        }
        b"mcast_last_member_interval" => {
            options.mcast_last_member_intvl = Some(long("mcast_last_member_interval", words)?);
        }
        b"mcast_membership_interval" => {
            options.mcast_membership_intvl = Some(long("mcast_membership_interval", words)?);
        }
        b"mcast_querier_interval" => options.mcast_querier_intvl = Some(long("mcast_querier_interval", words)?),
        b"mcast_query_interval" => options.mcast_query_intvl = Some(long("mcast_query_interval", words)?),
        b"mcast_query_response_interval" => {
            options.mcast_query_response_intvl = Some(long("mcast_query_response_interval", words)?);
        }
        b"mcast_startup_query_interval" => {
            options.mcast_startup_query_intvl = Some(long("mcast_startup_query_interval", words)?);
        }
        b"msti" => options.msti = Some(fitting("msti", words)?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn network_device(
    index_of: &mut impl FnMut(&[u8]) -> Result<Option<u32>, Failure>,
    name: &[u8],
) -> Result<u32, Failure> {
    index_of(name)?.filter(|index| *index != 0).ok_or_else(|| {
        let message = [b"Cannot find network device \"".as_slice(), name, b"\""].concat();
        Failure::no_device(name).with_exit(RETURNED).said_by_ip(message)
    })
}

/// Reads a number that fits.
fn fitting<T: TryFrom<u64>>(keyword: &str, words: &mut Words<'_>) -> Result<T, Failure> {
    let value = words.value()?;
    number_as(value).ok_or_else(|| Failure::invalid(value, &format!("invalid {keyword}")))
}

fn long(keyword: &str, words: &mut Words<'_>) -> Result<u64, Failure> {
    let value = words.value()?;
    number(value).ok_or_else(|| Failure::invalid(value, &format!("invalid {keyword}")))
}

/// Reads the state of a spanning tree: a word or a number.
fn state(value: &[u8]) -> Result<u8, Failure> {
    let known = || STATES.iter().position(|word| word.as_bytes() == value).and_then(|at| i32::try_from(at).ok());
    let state = numbers::decimal(value).or_else(known).filter(|state| *state != -1);
    let state = state.ok_or_else(|| {
        Failure::new(RETURNED, "Error: invalid STP state", format!("`{}` is no state", shown(value)))
            .hint(format!("the states are {}, or 0 to 4", STATES.join(", ")))
    })?;
    Ok(state.to_le_bytes()[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn spec(line: &str) -> Result<BridgeSpec, String> {
        let wanted = read(Persona::Ip, &mut Words::new(&words(line))).and_then(|wanted| wanted.spec());
        wanted.map_err(|failure| String::from_utf8(failure.render(Persona::Ip)).unwrap())
    }

    fn found(name: &[u8]) -> Result<Option<u32>, Failure> {
        Ok((name == b"v0").then_some(7))
    }

    #[test]
    fn a_range_is_its_two_ends() {
        let vlans = spec("vid 10-20 dev v0 untagged master").unwrap();
        let ends = [VlanInfo { flags: 0x0c, vid: 10 }, VlanInfo { flags: 0x14, vid: 20 }];
        assert_eq!((vlans.vlan_info.as_slice(), vlans.flags), (ends.as_slice(), Some(MASTER)));
        let one = spec("vid 10 dev v0 pvid").unwrap();
        assert_eq!(one.vlan_info, [VlanInfo { flags: PVID, vid: 10 }]);
        let tunnels = spec("vid 10-12 dev v0 tunnel_info id 100-102").unwrap();
        assert_eq!(tunnels.vlan_tunnel_info, [tunnel(10, 100, RANGE_BEGIN), tunnel(12, 102, RANGE_END)]);
        assert!(tunnels.vlan_info.is_empty());
    }

    #[test]
    fn vlans_that_there_cannot_be_are_refused() {
        for (line, said) in [
            ("dev v0", "Device and VLAN ID are required arguments.\n"),
            ("vid 4096 dev v0", "Invalid VLAN ID \"4096\"\n"),
            ("vid 20-10 dev v0", "Invalid VLAN range \"20-10\"\n"),
            ("vid 10-20 pvid dev v0", "pvid cannot be configured for a vlan range\n"),
            ("vid 1 dev v0 tunnel_info x", "Error: argument \"x\" is wrong: tunnel id expected\n"),
            ("vid 1 dev v0 tunnel_info id 9x", "Error: argument \"9x\" is wrong: invalid tun id\n"),
        ] {
            assert_eq!(spec(line).unwrap_err(), said, "{line}");
        }
    }

    #[test]
    fn options_are_for_vlans_that_are_there() {
        let line = words("dev v0 vid 5-7 state blocking mcast_router 2 neigh_suppress on");
        let vlans = read_options(Persona::Ip, &mut Words::new(&line), found).unwrap();
        let entry = &vlans.entry[0];
        assert_eq!((vlans.index, entry.info, entry.range), (7, Some(VlanInfo { flags: 0x40, vid: 5 }), Some(7)));
        assert_eq!((entry.state, entry.mcast_router, entry.neigh_suppress), (Some(4), Some(2), Some(1)));
        let wrong = words("dev v0 vid 5 state x");
        assert_eq!(read_options(Persona::Ip, &mut Words::new(&wrong), found).unwrap_err().exit(), RETURNED);
    }

    #[test]
    fn options_of_the_bridge_have_numbers() {
        let line = words("vid 5 dev v0 mcast_snooping 1 mcast_query_interval 12500 msti 3");
        let vlans = read_global(Persona::Ip, &mut Words::new(&line), found).unwrap();
        let options = &vlans.global_options[0];
        assert_eq!((options.id, options.mcast_snooping, options.msti), (Some(5), Some(1), Some(3)));
        assert_eq!(options.mcast_query_intvl, Some(12_500));
        let wrong = words("vid 5 dev v9");
        assert_eq!(read_global(Persona::Ip, &mut Words::new(&wrong), found).unwrap_err().exit(), RETURNED);
    }
}
