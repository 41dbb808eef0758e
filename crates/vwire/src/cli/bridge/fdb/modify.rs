//! Reads the words of `bridge fdb add`, `append`, `replace`, `del` and `get` into the entry that is asked for.

use vwire_netlink::wire::Request;
use vwire_netlink::wire::neighbour::FdbExtended;
use vwire_netlink::{Create, LinkAddress, Neighbour};

use super::super::{RETURNED, lacking, numbers};
use super::filter::{take_destination, take_vlan, udp_port, vni};
use super::{FAMILY, HELP, MASTER, PERMANENT, SELF};
use crate::cli::ip::Failure;
use crate::cli::ip::failure::EXIT_USAGE;
use crate::cli::ip::options::Family;
use crate::cli::ip::words::{Keyword, Words, begins, exact, find, named, number_as, prefix as cut, shown};

/// `NTF_USE`.
const USE: u8 = 0x01;
/// `NTF_EXT_LEARNED`.
const EXT_LEARNED: u8 = 0x10;
/// `NTF_STICKY`.
const STICKY: u8 = 0x40;
/// `NTF_ROUTER`.
const ROUTER: u8 = 0x80;
/// `NUD_REACHABLE`.
const REACHABLE: u16 = 0x02;
/// `NUD_NOARP`.
const NOARP: u16 = 0x40;
/// `FDB_NOTIFY_BIT`.
const NOTIFY: u8 = 1;
/// `FDB_NOTIFY_INACTIVE_BIT`.
const INACTIVE: u8 = 2;

/// What is done with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Makes it, and fails if it is there.
    Add,
    /// Makes it beside what is there.
    Append,
    /// Makes or changes it.
    Replace,
    /// Takes it away.
    Delete,
}

impl Verb {
    /// Returns the request for an entry.
    pub fn request(self, entry: &Neighbour) -> Request {
        match self {
            Self::Add => Request::new_neighbour(entry, Create::Exclusive),
            Self::Append => Request::new_neighbour(entry, Create::Append),
            Self::Replace => Request::new_neighbour(entry, Create::OrReplace),
            Self::Delete => Request::del_neighbour(entry),
        }
    }

    /// Returns what is done, to put behind "cannot".
    pub fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Append => "append",
            Self::Replace => "replace",
            Self::Delete => "delete",
        }
    }
}

/// An entry as the words ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The device's name.
    pub device: Vec<u8>,
    /// The address as it was written.
    pub address: Vec<u8>,
    /// The entry, without the index of its device.
    pub entry: Neighbour,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Device,
    Destination,
    Nexthop,
    Port,
    Vni,
    SourceVni,
    Via,
    Flag(u8),
    Permanent,
    Static,
    Dynamic,
    Vlan,
    Notify(u8),
    NoRefresh,
}

/// In `bridge`'s order: `p` is `permanent`, `s` is `static`, `d` is `dynamic`.
const WORDS: &[Keyword<Word>] = &[
    exact("dev", Word::Device),
    exact("dst", Word::Destination),
    exact("nhid", Word::Nexthop),
    exact("port", Word::Port),
    exact("vni", Word::Vni),
    exact("src_vni", Word::SourceVni),
    exact("via", Word::Via),
    exact("self", Word::Flag(SELF)),
    cut("master", Word::Flag(MASTER)),
    cut("router", Word::Flag(ROUTER)),
    cut("local", Word::Permanent),
    cut("permanent", Word::Permanent),
    cut("temp", Word::Static),
    cut("static", Word::Static),
    cut("dynamic", Word::Dynamic),
    cut("vlan", Word::Vlan),
    cut("use", Word::Flag(USE)),
    cut("extern_learn", Word::Flag(EXT_LEARNED)),
    cut("sticky", Word::Flag(STICKY)),
    exact("activity_notify", Word::Notify(NOTIFY)),
    exact("inactive", Word::Notify(INACTIVE)),
    exact("norefresh", Word::NoRefresh),
];

/// Reads the words of a change; `index_of` finds a device by its name.
///
/// # Errors
/// A word that does not fit or is missing, as `bridge` says it.
pub fn read(
    family: Family,
    words: &mut Words<'_>,
    mut index_of: impl FnMut(&[u8]) -> Result<Option<u32>, Failure>,
) -> Result<Wanted, Failure> {
    let mut entry = Neighbour { family: FAMILY, state: NOARP, ..Neighbour::default() };
    let (mut device, mut address, mut vlan) = (None, None, None);
    let mut extended = FdbExtended::default();
    while let Some(word) = words.next() {
        let known = find(WORDS, word);
        if let Some(known) = known.filter(|known| !matches!(known, Word::Destination)) {
            words.once(named(WORDS, &known), word)?;
        }
        match known {
            Some(Word::Device) => device = Some(words.value()?.to_vec()),
            Some(Word::Destination) => take_destination(&mut entry, family, words)?,
            Some(Word::Nexthop) => {
                let value = words.value()?;
                let id = number_as(value).ok_or_else(|| Failure::invalid(value, "\"id\" value is invalid\n"))?;
                entry.nh_id = Some(id).filter(|id| *id != 0);
            }
            Some(Word::Port) => entry.port = Some(udp_port(words.value()?)?).filter(|port| *port != 0),
            Some(Word::Vni) => entry.vni = Some(vni(words.value()?, "invalid VNI\n")?),
            Some(Word::SourceVni) => entry.src_vni = Some(vni(words.value()?, "invalid src VNI\n")?),
            Some(Word::Via) => {
                let name = words.value()?;
                let index = index_of(name)?.filter(|index| *index != 0);
                entry.ifindex = Some(index.ok_or_else(|| Failure::no_device(name).with_exit(EXIT_USAGE))?);
            }
            Some(Word::Flag(flag)) => entry.flags |= flag,
            Some(Word::Permanent) => entry.state |= PERMANENT,
            Some(Word::Static) => entry.state |= REACHABLE,
            Some(Word::Dynamic) => entry.state = (entry.state | REACHABLE) & !NOARP,
            Some(Word::Vlan) => take_vlan(&mut vlan, word, words)?,
            Some(Word::Notify(bit)) => *extended.activity_notify.get_or_insert_default() |= bit,
            Some(Word::NoRefresh) => extended.dont_refresh = true,
            None => take_address(&mut address, word, words)?,
        }
    }
    let (Some(device), Some(address)) = (device, address) else {
        return Err(incomplete("Device and address are required arguments."));
    };
    let has_other_end = entry.dst.is_some() || !entry.other.is_empty() || entry.port.is_some() || entry.vni.is_some();
    if entry.nh_id.is_some() && has_other_end {
        let message = "dst, port, vni are mutually exclusive with nhid";
        return Err(Failure::new(RETURNED, message, "a next hop says where to, so that dst, port and vni must not"));
    }
    finish(&mut entry, &address, vlan)?;
    if entry.flags & (SELF | MASTER) == 0 {
        entry.flags |= SELF;
    }
    if entry.state & (PERMANENT | REACHABLE) == 0 {
        entry.state |= PERMANENT;
    }
    entry.fdb_ext_attrs = (extended != FdbExtended::default()).then_some(extended);
    Ok(Wanted { device, address, entry })
}

/// What `bridge fdb get` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The device's name.
    pub device: Option<Vec<u8>>,
    /// The bridge's name.
    pub bridge: Option<Vec<u8>>,
    /// The address as it was written.
    pub address: Vec<u8>,
    /// Whether an entry that stays for good is left out.
    pub dynamic: bool,
    /// The entry, without indexes.
    pub entry: Neighbour,
}

/// Reads the words behind `get`.
///
/// # Errors
/// As [`read`].
pub fn read_get(words: &mut Words<'_>) -> Result<Asked, Failure> {
    let mut entry = Neighbour { family: FAMILY, ..Neighbour::default() };
    let (mut device, mut bridge, mut address, mut vlan, mut dynamic) = (None, None, None, None, false);
    while let Some(word) = words.next() {
        match word {
            b"brport" | b"dev" => device = Some(words.value()?.to_vec()),
            b"br" => bridge = Some(words.value()?.to_vec()),
            b"vni" => entry.vni = Some(vni(words.value()?, "invalid VNI\n")?),
            b"self" => entry.flags |= SELF,
            word if begins("master", word) => entry.flags |= MASTER,
            word if begins("vlan", word) => take_vlan(&mut vlan, word, words)?,
            word if begins("dynamic", word) => dynamic = true,
            word => take_address(&mut address, word, words)?,
        }
    }
    let (true, Some(address)) = (device.is_some() || bridge.is_some(), address) else {
        return Err(incomplete("Device or master and address are required arguments."));
    };
    finish(&mut entry, &address, vlan)?;
    Ok(Asked { device, bridge, address, dynamic, entry })
}

fn take_address(address: &mut Option<Vec<u8>>, word: &[u8], words: &mut Words<'_>) -> Result<(), Failure> {
    let word = if word == b"to" { words.value()? } else { word };
    if begins("help", word) {
        return Err(Failure::usage(HELP));
    }
    if address.is_some() {
        return Err(Failure::duplicate_or_garbage("to", word));
    }
    *address = Some(word.to_vec());
    Ok(())
}

fn finish(entry: &mut Neighbour, address: &[u8], vlan: Option<i16>) -> Result<(), Failure> {
    let octets = numbers::mac(address).ok_or_else(|| {
        let ip = [b"Invalid mac address ".as_slice(), address].concat();
        Failure::new(RETURNED, ip, format!("`{}` is no link-layer address", shown(address)))
            .hint("it looks like 02:00:00:00:00:01")
    })?;
    entry.lladdr = LinkAddress::new(&octets);
    entry.vlan = vlan.and_then(|vlan| u16::try_from(vlan).ok());
    Ok(())
}

fn incomplete(message: &str) -> Failure {
    let cause = "the command does not say which address of which device";
    lacking(message, cause, "fdb add 02:00:00:00:00:01 dev NAME master static")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::Persona;
    use std::ffi::OsString;

    fn wanted(line: &str) -> Result<Wanted, String> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        read(Family::Unspec, &mut Words::new(&words), |name| Ok((name == b"v1").then_some(7)))
            .map_err(|failure| String::from_utf8(failure.render(Persona::Ip)).unwrap())
    }

    #[test]
    fn an_entry_is_permanent_and_of_the_device_itself_unless_said() {
        let entry = wanted("2:0:0:0:0:1 dev v0").unwrap().entry;
        assert_eq!((entry.flags, entry.state), (SELF, NOARP | PERMANENT));
        let entry = wanted("2:0:0:0:0:1 dev v0 master static sticky vlan 5").unwrap().entry;
        assert_eq!((entry.flags, entry.state, entry.vlan), (MASTER | STICKY, NOARP | REACHABLE, Some(5)));
    }

    #[test]
    fn the_other_end_of_a_vxlan_has_many_facts() {
        let entry = wanted("to 2:0:0:0:0:1 dev v0 dst 10.0.0.1 port 4789 vni 0x10 src_vni 3 via v1").unwrap().entry;
        assert_eq!(entry.dst, Some([10, 0, 0, 1].into()));
        assert_eq!((entry.port, entry.vni, entry.src_vni, entry.ifindex), (Some(4789), Some(16), Some(3), Some(7)));
        let extended = wanted("2:0:0:0:0:1 dev v0 activity_notify norefresh").unwrap().entry.fdb_ext_attrs.unwrap();
        assert_eq!((extended.activity_notify, extended.dont_refresh), (Some(NOTIFY), true));
    }

    #[test]
    fn what_does_not_fit_is_said_as_bridge_says_it() {
        for (line, said) in [
            ("dev v0", "Device and address are required arguments.\n"),
            ("zz dev v0", "Invalid mac address zz\n"),
            ("2:0:0:0:0:1 dev v0 nhid 1 vni 2", "dst, port, vni are mutually exclusive with nhid\n"),
            ("2:0:0:0:0:1 dev v0 via v9", "Cannot find device \"v9\"\n"),
            ("2:0:0:0:0:1 3:0:0:0:0:1", "Error: either \"to\" is duplicate, or \"3:0:0:0:0:1\" is garbage.\n"),
            ("2:0:0:0:0:1 dev v0 vlan", "Command line is not complete. Try option \"help\"\n"),
        ] {
            assert_eq!(wanted(line).unwrap_err(), said, "{line}");
        }
    }
}
