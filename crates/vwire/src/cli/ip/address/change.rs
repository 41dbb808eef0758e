//! Reads the words of `ip address add`, `change`, `replace` and `del` into the address that the kernel is asked for.
//!
//! Pure. What `ip` remarks while it reads is gathered as [`Remark`]s, since it says them even if it fails later. Some
//! checks `ip` makes only once it has found the device: those are in [`AddressChange::on_device`].

use std::net::{IpAddr, Ipv4Addr};

use vwire_netlink::Address;
use vwire_netlink::wire::address::AddressCacheInfo;
use vwire_netlink::wire::{RawAttribute, Text};

use super::Stop;
use crate::cli::ip::failure::{EXIT_SEMANTIC, Failure};
use crate::cli::ip::options::Family;
use crate::cli::ip::prefix::{self, Prefix};
use crate::cli::ip::words::{Keyword, Words, begins, exact, find, named, number_as, prefix as cut, shown};
use crate::out::address::{AUTOJOIN, AddressFlag, AddressNames, FLAGS, FOREVER};

/// `IFA_ADDRESS`.
const IFA_ADDRESS: u16 = 1;
/// `IFA_LOCAL`.
const IFA_LOCAL: u16 = 2;
/// `IFA_BROADCAST`.
const IFA_BROADCAST: u16 = 4;
/// `IFA_ANYCAST`.
const IFA_ANYCAST: u16 = 5;
/// `RT_SCOPE_HOST`.
const SCOPE_HOST: u8 = 254;

/// What is done with an address.
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

/// What is said on the way, whether or not the command succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// In `ip`'s words.
    pub ip: String,
    /// In ours.
    pub vwire: String,
}

/// A change of an address, as the words ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressChange {
    /// The device's name.
    pub device: Vec<u8>,
    /// The address as it was written.
    pub local: Option<Prefix>,
    /// Whether a peer was given.
    pub has_peer: bool,
    /// The address, without the index of its link.
    address: Address,
    /// The life times, valid and preferred, if one of them was given.
    lives: Option<(u32, u32)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Peer,
    Broadcast,
    Anycast,
    Scope,
    Device,
    Label,
    Metric,
    Valid,
    Preferred,
    Protocol,
    Local,
}

/// In `ip`'s order; the flags come after, as no beginning of these words is one.
const WORDS: &[Keyword<Word>] = &[
    exact("peer", Word::Peer),
    exact("remote", Word::Peer),
    cut("broadcast", Word::Broadcast),
    exact("brd", Word::Broadcast),
    exact("anycast", Word::Anycast),
    exact("scope", Word::Scope),
    exact("dev", Word::Device),
    exact("label", Word::Label),
    cut("metric", Word::Metric),
    cut("priority", Word::Metric),
    cut("preference", Word::Metric),
    cut("valid_lft", Word::Valid),
    cut("preferred_lft", Word::Preferred),
    exact("proto", Word::Protocol),
    exact("local", Word::Local),
];

/// Reads the words behind `add`, `change`, `replace` or `del`.
///
/// # Errors
/// A word that does not fit or is missing, as `ip` says it; [`Stop::Help`] where a word asks for help.
pub fn read(
    verb: Verb,
    family: Family,
    words: &mut Words<'_>,
    names: &AddressNames,
    remarks: &mut Vec<Remark>,
) -> Result<AddressChange, Stop> {
    let mut reader = Reader::new(family);
    while let Some(word) = words.next() {
        match find(WORDS, word) {
            Some(known) => {
                words.once(named(WORDS, &known), word)?;
                reader.take(known, word, words, names)?;
            }
            None => match FLAGS.iter().find(|flag| flag.word.as_bytes() == word) {
                Some(flag) => remarks.extend(reader.take_flag(*flag)),
                None => reader.take_local(word)?,
            },
        }
    }
    Ok(reader.finish(verb, remarks)?)
}

impl AddressChange {
    /// Returns the address to ask for, on the link with this index.
    ///
    /// # Errors
    /// Life times that contradict each other, and a flag that the address cannot have.
    pub fn on_device(&self, index: u32) -> Result<Address, Failure> {
        let mut address = self.address.clone();
        address.index = index;
        if let Some((valid, preferred)) = self.lives {
            if valid == 0 {
                return Err(semantic("valid_lft is zero", "an address must live for longer than no time"));
            }
            if valid < preferred {
                return Err(semantic(
                    "preferred_lft is greater than valid_lft",
                    "an address cannot be preferred for longer than it is valid",
                )
                .hint("give `preferred_lft` too: it is `forever` otherwise"));
            }
            address.cacheinfo = Some(AddressCacheInfo { valid, preferred, ..AddressCacheInfo::default() });
        }
        let is_multicast = address.local.is_some_and(|local| local.is_multicast());
        if address.all_flags() & AUTOJOIN != 0 && !is_multicast {
            return Err(semantic("autojoin needs multicast address", "`autojoin` is for multicast addresses alone"));
        }
        Ok(address)
    }

    /// Returns the address and its length for a message.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.local {
            Some(Prefix { address: Some(address), length, .. }) => format!("{address}/{length}"),
            _ => "an address".to_owned(),
        }
    }
}

fn semantic(ip: &str, cause: &str) -> Failure {
    Failure::new(EXIT_SEMANTIC, ip, cause)
}

/// How the broadcast address was given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Broadcast {
    /// As an address.
    Given,
    /// `+`: all bits behind the prefix are 1.
    Ones,
    /// `-`: all bits behind the prefix are 0.
    Zeros,
}

/// What was read so far.
struct Reader {
    family: Family,
    address: Address,
    device: Option<Vec<u8>>,
    local: Option<(Prefix, Vec<u8>)>,
    peer: Option<Prefix>,
    broadcast: Option<Broadcast>,
    has_anycast: bool,
    has_scope: bool,
    valid: Option<u32>,
    preferred: Option<u32>,
    flags: u32,
}

impl Reader {
    fn new(family: Family) -> Self {
        Self {
            family,
            address: Address::default(),
            device: None,
            local: None,
            peer: None,
            broadcast: None,
            has_anycast: false,
            has_scope: false,
            valid: None,
            preferred: None,
            flags: 0,
        }
    }

    fn take(&mut self, known: Word, word: &[u8], words: &mut Words<'_>, names: &AddressNames) -> Result<(), Stop> {
        if let (Word::Valid, Some(_), _) | (Word::Preferred, _, Some(_)) = (known, self.valid, self.preferred) {
            let keyword = if matches!(known, Word::Valid) { "valid_lft" } else { "preferred_lft" };
            return Err(Failure::duplicate(keyword, word).into());
        }
        let value = words.value()?;
        match known {
            Word::Peer => self.take_peer(value)?,
            Word::Broadcast => self.take_broadcast(value)?,
            Word::Anycast => self.take_anycast(value)?,
            Word::Scope => {
                let scope = number_of(&names.scopes, value);
                self.address.scope =
                    scope.ok_or_else(|| Failure::invalid(value, "invalid scope value.").hint(SCOPES))?;
                self.has_scope = true;
            }
            Word::Device => self.device = Some(value.to_vec()),
            Word::Label => self.address.label = Some(Text::new(value)),
            Word::Metric => {
                let metric = number_as(value);
                self.address.rt_priority =
                    Some(metric.ok_or_else(|| {
                        Failure::invalid(value, "\"metric\" value is invalid\n").hint("it is a number")
                    })?);
            }
            Word::Valid => self.valid = Some(life_time(value, "valid_lft value")?),
            Word::Preferred => self.preferred = Some(life_time(value, "preferred_lft value")?),
            Word::Protocol => {
                let protocol = number_of(&names.protocols, value);
                self.address.proto = Some(
                    protocol.ok_or_else(|| Failure::invalid(value, "\"proto\" value is invalid\n").hint(PROTOCOLS))?,
                );
            }
            Word::Local => self.take_local(value)?,
        }
        Ok(())
    }

    fn take_local(&mut self, word: &[u8]) -> Result<(), Stop> {
        if begins("help", word) {
            return Err(Stop::Help);
        }
        if self.local.as_ref().is_some_and(|(local, _)| local.address.is_some()) {
            return Err(Failure::duplicate_or_garbage("local", word).into());
        }
        let local = self.prefix(word)?;
        self.address.local = self.put(IFA_LOCAL, local);
        self.local = Some((local, word.to_vec()));
        Ok(())
    }

    fn take_peer(&mut self, word: &[u8]) -> Result<(), Failure> {
        if self.peer.is_some_and(|peer| peer.address.is_some()) {
            return Err(Failure::duplicate("peer", word));
        }
        let peer = self.prefix(word)?;
        self.address.address = self.put(IFA_ADDRESS, peer);
        self.address.prefixlen = peer.length;
        self.peer = Some(peer);
        Ok(())
    }

    fn take_broadcast(&mut self, word: &[u8]) -> Result<(), Failure> {
        if self.broadcast.is_some() {
            return Err(Failure::duplicate("broadcast", word));
        }
        self.broadcast = match word {
            b"+" => Some(Broadcast::Ones),
            b"-" => Some(Broadcast::Zeros),
            _ => {
                let broadcast = self.bare(word)?;
                self.address.broadcast = self.put(IFA_BROADCAST, broadcast);
                broadcast.address.map(|_| Broadcast::Given)
            }
        };
        Ok(())
    }

    fn take_anycast(&mut self, word: &[u8]) -> Result<(), Failure> {
        if self.has_anycast {
            return Err(Failure::duplicate("anycast", word));
        }
        let anycast = self.bare(word)?;
        self.address.anycast = self.put(IFA_ANYCAST, anycast);
        self.has_anycast = anycast.address.is_some();
        Ok(())
    }

    fn take_flag(&mut self, flag: AddressFlag) -> Option<Remark> {
        let word = flag.word;
        if !flag.settable {
            return Some(Remark {
                ip: format!("Warning: {word} option is not mutable from userspace\n"),
                vwire: format!("warning: `{word}` is for the kernel to set and is left out\n"),
            });
        }
        if flag.ipv6_only && self.family != Family::Inet6 {
            return Some(Remark {
                ip: format!("Warning: {word} option can be set only for IPv6 addresses\n"),
                vwire: format!("warning: `{word}` is for IPv6 alone, behind the address, and is left out\n"),
            });
        }
        self.flags |= flag.mask;
        None
    }

    fn prefix(&mut self, word: &[u8]) -> Result<Prefix, Failure> {
        let prefix = prefix::prefix(word, self.family)?;
        self.settle(prefix);
        Ok(prefix)
    }

    fn bare(&mut self, word: &[u8]) -> Result<Prefix, Failure> {
        let address = prefix::address(word, self.family)?;
        self.settle(address);
        Ok(address)
    }

    /// The first address decides the family.
    fn settle(&mut self, prefix: Prefix) {
        if self.family == Family::Unspec {
            self.family = prefix.family;
        }
    }

    /// Returns the address for its field; one that `any` leaves out becomes the empty attribute that `ip` sends.
    fn put(&mut self, number: u16, prefix: Prefix) -> Option<IpAddr> {
        if prefix.address.is_none() {
            self.address.other.push(RawAttribute { flagged_number: number, payload: Box::default() });
        }
        prefix.address
    }

    fn finish(mut self, verb: Verb, remarks: &mut Vec<Remark>) -> Result<AddressChange, Failure> {
        self.address.family = self.family.number();
        match u8::try_from(self.flags) {
            Ok(flags) => self.address.header_flags = flags,
            Err(_) => self.address.flags = Some(self.flags),
        }
        let Some(device) = self.device.take() else {
            return Err(semantic(
                "Not enough information: \"dev\" argument is required.",
                "the command does not say on which device",
            )
            .hint("put `dev NAME` behind the address; `vwire link` lists the devices"));
        };
        let local = self.local.as_ref().map(|(local, _)| *local);
        let has_peer = self.peer.is_some_and(|peer| peer.address.is_some());
        if let (false, Some((local, word))) = (has_peer, &self.local)
            && local.address.is_some()
        {
            if verb == Verb::Delete && local.family == Family::Inet && !local.length_given {
                remarks.push(wildcard(word));
            } else {
                self.address.address = local.address;
                self.peer = Some(*local);
            }
        }
        if self.address.prefixlen == 0 {
            self.address.prefixlen = local.map_or(0, |local| local.length);
        }
        if verb != Verb::Delete {
            self.fill_broadcast()?;
            if !self.has_scope && matches!(self.address.local, Some(IpAddr::V4(local)) if local.is_loopback()) {
                self.address.scope = SCOPE_HOST;
            }
        }
        let lives = (self.valid.is_some() || self.preferred.is_some())
            .then(|| (self.valid.unwrap_or(FOREVER), self.preferred.unwrap_or(FOREVER)));
        Ok(AddressChange { device, local, has_peer, address: self.address, lives })
    }

    /// Computes the broadcast address that `+` and `-` ask for; prefixes of 31 and 32 bits have none.
    fn fill_broadcast(&mut self) -> Result<(), Failure> {
        let Some(wish @ (Broadcast::Ones | Broadcast::Zeros)) = self.broadcast else { return Ok(()) };
        if self.family != Family::Inet {
            return Err(semantic(
                "Broadcast can be set only for IPv4 addresses",
                "only IPv4 addresses have a broadcast address",
            ));
        }
        if let Some(Prefix { address: Some(IpAddr::V4(address)), length: length @ ..=30, .. }) = self.peer {
            let behind = u32::MAX.checked_shr(length.into()).unwrap_or(0);
            let bits = match wish {
                Broadcast::Zeros => address.to_bits() & !behind,
                _ => address.to_bits() | behind,
            };
            self.address.broadcast = Some(Ipv4Addr::from_bits(bits).into());
        }
        Ok(())
    }
}

fn wildcard(word: &[u8]) -> Remark {
    let word = shown(word);
    Remark {
        ip: format!(
            "Warning: Executing wildcard deletion to stay compatible with old scripts.\n         \
             Explicitly specify the prefix length ({word}/32) to avoid this warning.\n         \
             This special behaviour is likely to disappear in further releases,\n         \
             fix your scripts!\n"
        ),
        vwire: format!(
            "warning: `{word}` has no prefix length, so it is deleted whatever its length is; \
             write {word}/32 or the length it has\n"
        ),
    }
}

/// What a scope may be.
pub(super) const SCOPES: &str =
    "a scope is global, site, link, host, nowhere, a number up to 255, or a name from /etc/iproute2/rt_scopes";
/// What says who made an address.
const PROTOCOLS: &str =
    "it is a number up to 255, or a name such as kernel_ll, or one from /etc/iproute2/rt_addrprotos";

fn life_time(word: &[u8], message: &str) -> Result<u32, Failure> {
    match word {
        b"forever" => Ok(FOREVER),
        _ => number_as(word)
            .ok_or_else(|| Failure::invalid(word, message).hint("it is a number of seconds, or `forever`")),
    }
}

/// Returns the number below 256 that a table gives a name to, or that the word spells.
pub(super) fn number_of(table: &std::collections::HashMap<u32, String>, word: &[u8]) -> Option<u8> {
    let named = table.iter().filter(|(_, name)| name.as_bytes() == word).map(|(number, _)| *number).min();
    match named {
        Some(number) => u8::try_from(number).ok(),
        None => number_as(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::Persona;
    use std::ffi::OsString;

    fn reads(verb: Verb, line: &str) -> (Result<AddressChange, Stop>, Vec<Remark>) {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let scopes = std::rc::Rc::new([(0, "global".to_owned()), (253, "link".to_owned())].into());
        let names = AddressNames { scopes, ..AddressNames::default() };
        let mut remarks = Vec::new();
        let change = read(verb, Family::Unspec, &mut Words::new(&words), &names, &mut remarks);
        (change, remarks)
    }

    fn address(line: &str) -> Address {
        reads(Verb::Add, line).0.unwrap().on_device(7).unwrap()
    }

    fn refusal(line: &str) -> String {
        let failure = match reads(Verb::Add, line).0 {
            Err(Stop::Failure(failure)) => failure,
            Err(Stop::Help) => panic!("{line}: help"),
            Ok(change) => change.on_device(7).unwrap_err(),
        };
        String::from_utf8(failure.render(Persona::Ip)).unwrap()
    }

    #[test]
    fn an_address_is_its_own_peer() {
        let wanted = Address {
            family: 2,
            prefixlen: 24,
            index: 7,
            local: Some([10, 0, 0, 1].into()),
            address: Some([10, 0, 0, 1].into()),
            broadcast: Some([10, 0, 0, 255].into()),
            ..Address::default()
        };
        assert_eq!(address("10.0.0.1/24 brd + dev v0"), wanted);
        let zeros = address("dev v0 local 10.0.0.1/24 b -");
        assert_eq!(zeros.broadcast, Some([10, 0, 0, 0].into()));
    }

    #[test]
    fn a_peer_brings_its_length() {
        let peer = address("10.0.0.1 peer 10.0.0.2/30 brd + dev v0");
        assert_eq!(peer.address, Some([10, 0, 0, 2].into()));
        assert_eq!(peer.prefixlen, 30);
        assert_eq!(peer.broadcast, Some([10, 0, 0, 3].into()));
    }

    #[test]
    fn loopback_addresses_are_of_scope_host() {
        assert_eq!(address("127.0.0.5/8 dev lo").scope, 254);
        assert_eq!(address("127.0.0.5/8 scope link dev lo").scope, 253);
    }

    #[test]
    fn flags_that_do_not_fit_the_header_have_an_attribute() {
        assert_eq!(address("2001:db8::1/64 nodad home dev v0").header_flags, 0x12);
        assert_eq!(address("2001:db8::1/64 nodad noprefixroute dev v0").flags, Some(0x202));
    }

    #[test]
    fn a_flag_of_ipv6_before_the_address_is_left_out() {
        let (change, remarks) = reads(Verb::Add, "nodad 2001:db8::1/64 tentative dev v0");
        assert_eq!(change.unwrap().on_device(7).unwrap().header_flags, 0);
        let said: Vec<_> = remarks.iter().map(|remark| remark.ip.as_str()).collect();
        let wanted = [
            "Warning: nodad option can be set only for IPv6 addresses\n",
            "Warning: tentative option is not mutable from userspace\n",
        ];
        assert_eq!(said, wanted);
    }

    #[test]
    fn a_deletion_without_a_length_is_for_any_length() {
        let (change, remarks) = reads(Verb::Delete, "10.0.0.1 dev v0");
        let address = change.unwrap().on_device(7).unwrap();
        assert_eq!((address.local, address.address, address.prefixlen), (Some([10, 0, 0, 1].into()), None, 32));
        assert!(remarks[0].ip.contains("(10.0.0.1/32)"));
        let (change, remarks) = reads(Verb::Delete, "10.0.0.1/24 dev v0");
        assert!(change.unwrap().on_device(7).unwrap().address.is_some() && remarks.is_empty());
    }

    #[test]
    fn any_is_sent_as_an_empty_attribute() {
        let any = address("any dev v0");
        assert_eq!((any.local, any.other[0].flagged_number, any.family), (None, IFA_LOCAL, 0));
    }

    #[test]
    fn words_that_do_not_fit_are_refused_in_ips_order() {
        let rows = [
            ("1.1.1.1/24", "Not enough information: \"dev\" argument is required.\n"),
            ("1.1.1.1/24 2.2.2.2 dev v0", "Error: either \"local\" is duplicate, or \"2.2.2.2\" is garbage.\n"),
            (
                "1.1.1.1 peer 2.2.2.2 peer 3.3.3.3 dev v0",
                "Error: duplicate \"peer\": \"3.3.3.3\" is the second value.\n",
            ),
            ("1.1.1.1 valid_lft 9 val 8 dev v0", "Error: duplicate \"valid_lft\": \"val\" is the second value.\n"),
            ("1.1.1.1 pref x dev v0", "Error: argument \"x\" is wrong: \"metric\" value is invalid\n\n"),
            ("1.1.1.1 scope zz dev v0", "Error: argument \"zz\" is wrong: invalid scope value.\n"),
            ("::1 brd + dev v0", "Broadcast can be set only for IPv4 addresses\n"),
            ("1.1.1.1 brd ::1 dev v0", "Error: inet address is expected rather than \"::1\".\n"),
            ("1.1.1.1 valid_lft 0 dev v0", "valid_lft is zero\n"),
            ("1.1.1.1 valid_lft 10 dev v0", "preferred_lft is greater than valid_lft\n"),
            ("1.1.1.1 autojoin dev v0", "autojoin needs multicast address\n"),
            ("1.1.1.1 dev", "Command line is not complete. Try option \"help\"\n"),
        ];
        for (line, wanted) in rows {
            assert_eq!(refusal(line), wanted, "{line}");
        }
        assert_eq!(reads(Verb::Add, "he").0, Err(Stop::Help));
    }
}
