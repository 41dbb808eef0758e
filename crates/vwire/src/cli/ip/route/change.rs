//! `ip route add`, `change`, `replace`, `prepend`, `append`, `test`, `delete`: reads a [`RouteChange`].

use vwire_netlink::Route;
use vwire_netlink::wire::route::{Hop, Metrics, Multipath, Via};
use vwire_netlink::wire::{RawAttribute, Text};

use super::value::{self, Place};
use super::words::{Form, Knowledge, WORDS, Word};
use super::{encap, help};
use crate::cli::ip::Ip;
use crate::cli::ip::failure::{EXIT_USAGE, Failure};
use crate::cli::ip::options::Family;
use crate::cli::ip::words::{Words, begins, find, named, number_as, shown};
use crate::snapshot::names;

/// `RT_TABLE_MAIN`.
const MAIN: u8 = 254;
/// `RT_TABLE_LOCAL`.
const LOCAL: u8 = 255;
/// `RTPROT_BOOT`.
const BOOT: u8 = 3;
/// `RT_SCOPE_LINK`, `RT_SCOPE_HOST`, `RT_SCOPE_NOWHERE`.
const SCOPE_LINK: u8 = 253;
const SCOPE_HOST: u8 = 254;
const SCOPE_NOWHERE: u8 = 255;
/// `RTNH_F_ONLINK`.
const ONLINK: u8 = 4;

/// What is done with a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Makes it, and fails if it is there.
    Add,
    /// Replaces what is there.
    Change,
    /// Makes it, or replaces what is there.
    Replace,
    /// Makes it before what is there.
    Prepend,
    /// Makes it behind what is there.
    Append,
    /// Asks whether it could be made.
    Test,
    /// Deletes it.
    Delete,
}

impl Verb {
    /// Returns `NLM_F_*`.
    #[must_use]
    pub fn flags(self) -> u16 {
        match self {
            Self::Add => 0x600,
            Self::Change => 0x100,
            Self::Replace => 0x500,
            Self::Prepend => 0x400,
            Self::Append => 0xc00,
            Self::Test => 0x200,
            Self::Delete => 0,
        }
    }

    /// Returns the verb as it is told.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Replace => "replace",
            Self::Prepend => "prepend",
            Self::Append => "append",
            Self::Test => "test",
            Self::Delete => "delete",
        }
    }
}

/// A change to a route, read from words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteChange {
    /// What is done.
    pub verb: Verb,
    /// The route.
    pub route: Route,
    /// The destination as it was typed.
    pub destination: String,
    /// The words behind the verb, to be pasted again.
    pub typed: String,
}

/// What the words have said so far.
#[derive(Default)]
struct Reader<'a> {
    family: Family,
    route: Route,
    metrics: Metrics,
    locks: u32,
    device: Option<&'a [u8]>,
    destination: Option<&'a [u8]>,
    gateway: bool,
    many: bool,
    table: bool,
    scope: bool,
    kind: bool,
}

/// Reads the words of a change.
///
/// # Errors
/// A word that does not fit, or a device that is not there.
pub fn read(ip: &mut Ip<'_>, words: &mut Words<'_>, verb: Verb) -> Result<RouteChange, Failure> {
    let typed = words.clone().rest().iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let mut reader = Reader { family: ip.options.family, ..Reader::default() };
    reader.route = Route { header_table: MAIN, scope: SCOPE_NOWHERE, ..Route::default() };
    if verb != Verb::Delete {
        reader.route = Route { header_table: MAIN, protocol: BOOT, route_type: 1, ..Route::default() };
    }
    let read = reader.read(ip, words, verb);
    let destination = reader.destination.map(shown).unwrap_or_default();
    match read {
        Ok(()) => Ok(RouteChange { verb, route: reader.route, destination, typed }),
        Err(failure) => Err(failure.trying(attempt(verb, &destination))),
    }
}

/// Says what a change tries.
#[must_use]
pub fn attempt(verb: Verb, destination: &str) -> String {
    match destination {
        "" => format!("cannot {} a route", verb.word()),
        destination => format!("cannot {} the route to `{destination}`", verb.word()),
    }
}

impl<'a> Reader<'a> {
    fn read(&mut self, ip: &mut Ip<'_>, words: &mut Words<'a>, verb: Verb) -> Result<(), Failure> {
        while let Some(word) = words.peek() {
            let meaning = find(WORDS, word);
            if meaning == Some(Word::Nexthop) {
                self.many = true;
                break;
            }
            words.next();
            match meaning {
                Some(meaning) => {
                    // Of several gateways it is told how they are written.
                    if meaning != Word::Via {
                        words.once(named(WORDS, &meaning), word)?;
                    }
                    self.take(ip, words, word, meaning)?;
                }
                None => self.take_destination(words, word)?,
            }
        }
        if self.destination.is_none() {
            return Err(help::usage());
        }
        if let Some(device) = self.device {
            self.route.oif = Some(ip.device(device)?.ok_or_else(|| Failure::no_device(device))?);
        }
        self.put_metrics();
        if self.many {
            let hops = self.read_hops(ip, words)?;
            self.route.multipath = (!hops.is_empty()).then_some(Multipath(hops));
        }
        self.fill_in(verb);
        Ok(())
    }

    fn take(&mut self, ip: &mut Ip<'_>, words: &mut Words<'a>, word: &[u8], meaning: Word) -> Result<(), Failure> {
        match meaning {
            Word::Src => {
                let place = value::address(words.value()?, self.family)?;
                self.learn(place.family);
                put(&mut self.route.prefsrc, 7, &mut self.route.other, &place);
            }
            Word::As => {
                let place = self.new_destination(words)?;
                self.learn(place.family);
                self.route.newdst = Some(place.octets.into());
            }
            Word::Via => self.take_via(words, word)?,
            Word::From => {
                let place = value::network(words.value()?, self.family)?;
                self.learn(place.family);
                self.route.src_len = place.length;
                if !place.octets.is_empty() {
                    put(&mut self.route.src, 2, &mut self.route.other, &place);
                }
            }
            Word::Tos => {
                self.route.tos = known(words, "\"tos\" value is invalid\n", |word| value::dsfield(&ip.tables, word))?
            }
            Word::Expires => self.route.expires = Some(known(words, "\"expires\" value is invalid\n", number_as)?),
            Word::Metric => self.route.priority = Some(known(words, "\"metric\" value is invalid\n", number_as)?),
            Word::Scope => {
                let scope = |word: &[u8]| value::named(&ip.tables, names::SCOPES, word);
                self.route.scope = known(words, "invalid \"scope\" value\n", scope)?;
                self.scope = true;
            }
            Word::Know(knowledge) => self.take_metric(words, knowledge)?,
            Word::Features => self.take_features(words)?,
            Word::Congctl => {
                let mut name = words.value()?;
                if name == b"lock" {
                    self.locks |= 1 << 16;
                    name = words.value()?;
                }
                self.metrics.cc_algo = Some(Text::new(name));
            }
            Word::Realms => {
                self.route.flow =
                    Some(known(words, "\"realm\" value is invalid\n", |word| value::realms(&ip.tables, word))?)
            }
            Word::Onlink => self.route.flags |= u32::from(ONLINK),
            Word::Nhid => self.route.nh_id = Some(known(words, "\"id\" value is invalid\n", number_as)?),
            Word::Protocol => {
                let protocol = |word: &[u8]| value::named(&ip.tables, names::ROUTE_PROTOCOLS, word);
                self.route.protocol = known(words, "\"protocol\" value is invalid\n", protocol)?;
            }
            Word::Table => {
                let table = known(words, "\"table\" value is invalid\n", |word| value::table(&ip.tables, word))?;
                self.put_table(table);
            }
            Word::Vrf => {
                let name = words.value()?;
                let table = value::vrf_table(ip, name)?.filter(|table| *table != 0);
                self.put_table(table.ok_or_else(|| value::no_vrf(name))?);
            }
            Word::Dev => self.device = Some(words.value()?),
            Word::Pref => self.route.pref = Some(known(words, "\"pref\" value is invalid\n", preference)?),
            Word::Encap => {
                let (kind, nest) = encap::read(ip, words)?;
                self.route.encap_type = Some(kind);
                self.route.encap = Some(nest);
            }
            Word::TtlPropagate => {
                let propagate = |word: &[u8]| match () {
                    () if begins("enabled", word) => Some(1),
                    () if begins("disabled", word) => Some(0),
                    () => None,
                };
                self.route.ttl_propagate = Some(known(words, "\"ttl-propagate\" value is invalid\n", propagate)?);
            }
            Word::Nexthop => {}
        }
        Ok(())
    }

    fn learn(&mut self, family: Family) {
        if self.family == Family::Unspec {
            self.family = family;
        }
    }

    fn put_table(&mut self, table: u32) {
        self.table = true;
        match u8::try_from(table) {
            Ok(table) => self.route.header_table = table,
            Err(_) => {
                self.route.header_table = 0;
                self.route.table = Some(table);
            }
        }
    }

    fn new_destination(&self, words: &mut Words<'_>) -> Result<Place, Failure> {
        let mut word = words.value()?;
        if word == b"to" {
            word = words.value()?;
        }
        value::address(word, self.family)
    }

    fn take_via(&mut self, words: &mut Words<'_>, word: &[u8]) -> Result<(), Failure> {
        if self.gateway {
            return Err(Failure::invalid(word, "use nexthop syntax to specify multiple via\n")
                .hint("many ways are written `nexthop via A nexthop via B`"));
        }
        self.gateway = true;
        let place = value::via(words, self.family)?;
        self.learn(place.family);
        if place.family == self.family {
            put(&mut self.route.gateway, 5, &mut self.route.other, &place);
        } else {
            self.route.via = Some(via_of(place));
        }
        Ok(())
    }

    fn take_destination(&mut self, words: &mut Words<'a>, word: &'a [u8]) -> Result<(), Failure> {
        let mut word = if word == b"to" { words.value()? } else { word };
        let is_number = word.first().is_some_and(u8::is_ascii_digit);
        if let Some(kind) = value::route_type(word).filter(|_| !is_number) {
            self.route.route_type = kind;
            self.kind = true;
            word = words.value()?;
        }
        if begins("help", word) {
            return Err(help::usage());
        }
        if self.destination.is_some() {
            return Err(Failure::duplicate_or_garbage("to", word));
        }
        let place = value::network(word, self.family).map_err(|failure| {
            let near = WORDS.iter().map(|row| row.word);
            match crate::cli::ip::nearest::nearest(&shown(word), near) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure,
            }
        })?;
        self.destination = Some(word);
        self.learn(place.family);
        self.route.dst_len = place.length;
        if !place.octets.is_empty() {
            put(&mut self.route.dst, 1, &mut self.route.other, &place);
        }
        Ok(())
    }

    fn take_metric(&mut self, words: &mut Words<'_>, knowledge: Knowledge) -> Result<(), Failure> {
        let Knowledge { number, called, form } = knowledge;
        let mut word = words.value()?;
        let may_lock = matches!(form, Form::Lockable | Form::Octet | Form::Time(_));
        if (may_lock && word == b"lock") || form == Form::LockedTime {
            self.locks |= 1 << number;
            word = if may_lock { words.value()? } else { word };
        }
        let value = match form {
            Form::Lockable => number_as(word),
            Form::Octet => number_as(word).filter(|value| *value <= 255),
            Form::Bit => match number_as::<u32>(word) {
                Some(2..) => {
                    return Err(Failure::invalid(word, &format!("\"{called}\" value should be 0 or 1\n")));
                }
                value => value,
            },
            Form::Time(parts) => {
                value::time(word).map(|time| if time.raw { time.value } else { time.value.wrapping_mul(parts) })
            }
            Form::LockedTime => value::time(word).map(|time| time.value),
        };
        let value = value.ok_or_else(|| Failure::invalid(word, &format!("\"{called}\" value is invalid\n")))?;
        *metric(&mut self.metrics, number) = Some(value);
        Ok(())
    }

    /// `RTAX_FEATURE_*`: as many as follow.
    fn take_features(&mut self, words: &mut Words<'_>) -> Result<(), Failure> {
        let mut features = 0;
        loop {
            if words.take_if("ecn") {
                features |= 0x1;
            } else if words.take_if("tcp_usec_ts") {
                features |= 0x10;
            } else {
                break;
            }
        }
        if features == 0 {
            // `ip` names the word that is no feature, or C's null where there is none.
            let word = words.peek().unwrap_or(b"(null)");
            return Err(
                Failure::invalid(word, "\"features\" value not valid\n").hint("the features are ecn, tcp_usec_ts")
            );
        }
        self.metrics.features = Some(features);
        Ok(())
    }

    fn put_metrics(&mut self) {
        if self.metrics == Metrics::default() {
            return;
        }
        if self.locks != 0 {
            self.metrics.lock = Some(self.locks);
        }
        self.route.metrics = Some(Box::new(std::mem::take(&mut self.metrics)));
    }

    fn read_hops(&mut self, ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<Vec<Hop>, Failure> {
        let mut hops = Vec::new();
        while let Some(word) = words.next() {
            if word != b"nexthop" {
                let word = shown(word);
                return Err(Failure::new(
                    EXIT_USAGE,
                    format!("Error: \"nexthop\" or end of line is expected instead of \"{word}\""),
                    format!(
                        "`{word}` belongs to no way; what is for the whole route stands before the first `nexthop`"
                    ),
                ));
            }
            if words.is_empty() {
                let ip = "Error: unexpected end of line after \"nexthop\"";
                return Err(Failure::new(EXIT_USAGE, ip, "`nexthop` needs a way: `via ADDRESS`, `dev DEV`, or both"));
            }
            hops.push(self.read_hop(ip, words)?);
        }
        Ok(hops)
    }

    fn read_hop(&mut self, ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<Hop, Failure> {
        let mut hop = Hop::default();
        while let Some(word) = words.peek() {
            match word {
                b"via" => {
                    words.next();
                    let place = value::via(words, self.family)?;
                    self.learn(place.family);
                    if place.family == self.family {
                        put(&mut hop.gateway, 5, &mut hop.other, &place);
                    } else {
                        hop.via = Some(via_of(place));
                    }
                }
                b"dev" => {
                    words.next();
                    let name = words.value()?;
                    hop.index = ip.device(name)?.ok_or_else(|| no_device_of_hop(name))?;
                }
                b"weight" => {
                    words.next();
                    let weight = |word: &[u8]| number_as::<u32>(word)?.checked_sub(1)?.try_into().ok();
                    hop.hops = known(words, "\"weight\" is invalid\n", weight)?;
                }
                b"onlink" => {
                    words.next();
                    hop.flags |= ONLINK;
                }
                word if begins("realms", word) => {
                    words.next();
                    hop.flow =
                        Some(known(words, "\"realm\" value is invalid\n", |word| value::realms(&ip.tables, word))?);
                }
                b"encap" => {
                    words.next();
                    let (kind, nest) = encap::read(ip, words)?;
                    hop.encap_type = Some(kind);
                    hop.encap = Some(nest);
                }
                b"as" => {
                    words.next();
                    hop.newdst = Some(self.new_destination(words)?.octets.into());
                }
                // The first word behind `nexthop` is passed over if it is the next `nexthop` already.
                _ => break,
            }
        }
        Ok(hop)
    }

    /// Fills in what no word has said, as `ip` does.
    fn fill_in(&mut self, verb: Verb) {
        let route = &mut self.route;
        let family = if self.family == Family::Unspec { Family::Inet } else { self.family };
        route.family = family.number();
        let named = out_word(route.route_type);
        if !self.table && ["local", "broadcast", "nat", "anycast"].contains(&named) {
            route.header_table = LOCAL;
        }
        if !self.scope {
            let direct = !self.gateway && !self.many && route.nh_id.is_none_or(|id| id == 0);
            match named {
                _ if matches!(family, Family::Inet6 | Family::Mpls) => route.scope = 0,
                "local" | "nat" => route.scope = SCOPE_HOST,
                "broadcast" | "multicast" | "anycast" => route.scope = SCOPE_LINK,
                "unicast" | "none" if verb == Verb::Delete => route.scope = SCOPE_NOWHERE,
                "unicast" | "none" if direct => route.scope = SCOPE_LINK,
                _ => {}
            }
        }
        if !self.kind && family == Family::Mpls {
            route.route_type = 1;
        }
    }
}

fn out_word(kind: u8) -> &'static str {
    crate::out::route::TYPES.get(usize::from(kind)).copied().unwrap_or_default()
}

/// `ip` says of a way first that its device is not there, then that the way cannot be read.
fn no_device_of_hop(name: &[u8]) -> Failure {
    let mut ip = b"Cannot find device \"".to_vec();
    ip.extend_from_slice(name);
    ip.extend_from_slice(b"\"\nError: cannot parse nexthop");
    Failure::new(EXIT_USAGE, ip, format!("there is no device `{}` in this namespace", shown(name)))
        .hint("`vwire ls --all` shows the devices of all namespaces")
}

/// Reads the next word, or says as `ip` that it does not fit.
pub fn known<T>(words: &mut Words<'_>, message: &str, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<T, Failure> {
    let word = words.value()?;
    read(word).ok_or_else(|| Failure::invalid(word, message))
}

/// Puts an address into its field, or as it is beside the fields where it is none of IP.
pub fn put(field: &mut Option<std::net::IpAddr>, number: u16, other: &mut Vec<RawAttribute>, place: &Place) {
    *field = place.ip();
    if field.is_none() {
        other.push(RawAttribute { flagged_number: number, payload: place.octets.clone().into() });
    }
}

fn via_of(place: Place) -> Via {
    Via { family: place.family.number().into(), address: place.octets.into() }
}

fn preference(word: &[u8]) -> Option<u8> {
    match word {
        b"low" => Some(3),
        b"medium" => Some(0),
        b"high" => Some(1),
        number => number_as(number),
    }
}

fn metric(metrics: &mut Metrics, number: u16) -> &mut Option<u32> {
    match number {
        3 => &mut metrics.window,
        4 => &mut metrics.rtt,
        5 => &mut metrics.rttvar,
        6 => &mut metrics.ssthresh,
        7 => &mut metrics.cwnd,
        8 => &mut metrics.advmss,
        9 => &mut metrics.reordering,
        10 => &mut metrics.hoplimit,
        11 => &mut metrics.initcwnd,
        13 => &mut metrics.rto_min,
        14 => &mut metrics.initrwnd,
        15 => &mut metrics.quickack,
        17 => &mut metrics.fastopen_no_cookie,
        _ => &mut metrics.mtu,
    }
}
