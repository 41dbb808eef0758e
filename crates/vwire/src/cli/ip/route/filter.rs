//! Which routes are shown, flushed or saved: the words of a selector, and whether a route passes.

use vwire_netlink::Route;

use super::help;
use super::value::{self, Place};
use crate::cli::ip::Ip;
use crate::cli::ip::failure::Failure;
use crate::cli::ip::options::Family;
use crate::cli::ip::words::{Keyword, Words, begins, exact, find, number_as, prefix};
use crate::out::host::octets;
use crate::out::route::{Hidden, Part};
use crate::snapshot::names::{self, Tables};

/// `RT_TABLE_MAIN`.
pub const MAIN: u32 = 254;
/// `RT_TABLE_LOCAL`.
const LOCAL: u32 = 255;
/// `RTN_LOCAL`, `RTN_BROADCAST`, `RTN_UNREACHABLE`.
const TYPE_LOCAL: u8 = 2;
const TYPE_BROADCAST: u8 = 3;
const TYPE_UNREACHABLE: u8 = 7;
/// `RTM_F_CLONED`.
const CLONED: u32 = 0x200;

/// Which routes are meant.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The family that is asked for.
    pub family: Family,
    /// `-4`, `-6` …: the family that was written.
    preferred: Family,
    /// The table; 0 is all.
    pub table: u32,
    /// What the kernel keeps of answers, rather than routes that were made.
    pub cached: bool,
    protocol: Option<u8>,
    hides_protocol: bool,
    scope: Option<u8>,
    /// The types, by bit.
    types: Option<u64>,
    tos: Option<u8>,
    input: Option<u32>,
    /// The link that packets go out by.
    pub output: Option<u32>,
    mark: Option<u32>,
    realms: Option<(u32, u32)>,
    metric: Option<u32>,
    prefsrc: Option<Place>,
    via: Option<Place>,
    destination: Bounds,
    source: Bounds,
}

/// A prefix that a route's must be in, and one that must be in the route's.
#[derive(Debug, Clone, Default)]
struct Bounds {
    /// `root`: the route's prefix is at least this long.
    inside: Option<Place>,
    /// `match`: the route's prefix is at most this long.
    around: Option<Place>,
}

#[derive(Debug, Clone, Copy)]
enum Word {
    Table,
    Vrf,
    Cached,
    Tos,
    Protocol,
    Scope,
    Type,
    Dev,
    Iif,
    Mark,
    Metric,
    Via,
    Src,
    Realms,
    From,
}

/// In `ip`'s order; what matches no row is a destination.
const WORDS: &[Keyword<Word>] = &[
    prefix("table", Word::Table),
    prefix("vrf", Word::Vrf),
    prefix("cached", Word::Cached),
    prefix("cloned", Word::Cached),
    exact("tos", Word::Tos),
    prefix("dsfield", Word::Tos),
    prefix("protocol", Word::Protocol),
    prefix("scope", Word::Scope),
    prefix("type", Word::Type),
    exact("dev", Word::Dev),
    exact("oif", Word::Dev),
    exact("iif", Word::Iif),
    exact("mark", Word::Mark),
    prefix("metric", Word::Metric),
    prefix("priority", Word::Metric),
    exact("preference", Word::Metric),
    exact("via", Word::Via),
    exact("src", Word::Src),
    prefix("realms", Word::Realms),
    prefix("from", Word::From),
];

/// Reads a selector.
///
/// # Errors
/// A word that does not fit, or a device that is not there.
pub fn read(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<Filter, Failure> {
    let family = ip.options.family;
    let mut filter = Filter { family, preferred: family, table: MAIN, ..Filter::default() };
    let (mut input, mut output) = (None, None);
    while let Some(word) = words.next() {
        match find(WORDS, word) {
            Some(Word::Dev) => output = Some(words.value()?),
            Some(Word::Iif) => input = Some(words.value()?),
            Some(Word::Vrf) => {
                let name = words.value()?;
                let table = value::vrf_table(ip, name)?.filter(|table| *table != 0);
                filter.table = table.ok_or_else(|| value::no_vrf(name))?;
                filter.types = Some(!(1 << TYPE_LOCAL | 1 << TYPE_BROADCAST));
            }
            Some(meaning) => filter.take(&ip.tables, words, meaning)?,
            None => {
                let word = if begins("to", word) { words.value()? } else { word };
                filter.destination.take(words, word, family)?;
            }
        }
    }
    if filter.family == Family::Unspec && filter.table != 0 {
        filter.family = Family::Inet;
    }
    for (name, index) in [(input, &mut filter.input), (output, &mut filter.output)] {
        if let Some(name) = name {
            *index = Some(ip.device(name)?.ok_or_else(|| Failure::no_device(name))?);
        }
    }
    Ok(filter)
}

impl Filter {
    fn take(&mut self, tables: &Tables, words: &mut Words<'_>, meaning: Word) -> Result<(), Failure> {
        let word = match meaning {
            Word::Cached => {
                self.cached = true;
                return Ok(());
            }
            Word::Via => {
                self.via = Some(via(words, self.preferred)?);
                return Ok(());
            }
            _ => words.value()?,
        };
        let wrong = |message: &str| Failure::invalid(word, message);
        match meaning {
            Word::Table => match value::table(tables, word) {
                Some(table) => self.table = table,
                None if word == b"all" => self.table = 0,
                None if word == b"cache" => self.cached = true,
                None if word == b"help" => return Err(help::usage()),
                None => return Err(wrong("table id value is invalid\n")),
            },
            Word::Tos => self.tos = Some(value::dsfield(tables, word).ok_or_else(|| wrong("TOS value is invalid\n"))?),
            Word::Protocol => {
                self.protocol = value::named(tables, names::ROUTE_PROTOCOLS, word);
                self.hides_protocol = self.protocol.is_some();
                if self.protocol.is_none() && word != b"all" {
                    return Err(wrong("invalid \"protocol\"\n"));
                }
            }
            Word::Scope => {
                self.scope = value::named(tables, names::SCOPES, word);
                if self.scope.is_none() && word != b"all" {
                    return Err(wrong("invalid \"scope\"\n"));
                }
            }
            Word::Type => {
                let kind = value::route_type(word).ok_or_else(|| wrong("node type value is invalid\n"))?;
                self.types = Some(1_u64.wrapping_shl(kind.into()));
            }
            Word::Mark => self.mark = Some(number_as(word).ok_or_else(|| wrong("invalid mark value"))?),
            Word::Metric => {
                self.metric = Some(number_as(word).ok_or_else(|| wrong("\"metric\" value is invalid\n"))?);
            }
            Word::Src => self.prefsrc = Some(value::network(word, self.preferred)?),
            Word::Realms => {
                let realms = value::realms(tables, word).ok_or_else(|| wrong("invalid realms\n"))?;
                self.realms = Some((realms, realm_mask(realms, word)));
            }
            Word::From => self.source.take(words, word, self.preferred)?,
            Word::Vrf | Word::Dev | Word::Iif | Word::Cached | Word::Via => {}
        }
        Ok(())
    }

    /// Returns the message that asks the kernel for no more routes than these.
    #[must_use]
    pub fn to_request(&self) -> Route {
        Route {
            family: self.family.number(),
            protocol: self.protocol.unwrap_or(0),
            flags: if self.cached { CLONED } else { 0 },
            table: (self.table != 0).then_some(self.table),
            oif: self.output,
            ..Route::default()
        }
    }

    /// Returns what is the same in all the routes, and so is left out of each.
    #[must_use]
    pub fn hidden(&self) -> Hidden {
        let parts = [
            (Part::Table, self.table != 0),
            (Part::Tos, self.tos.is_some()),
            (Part::Protocol, self.hides_protocol),
            (Part::Scope, self.scope.is_some()),
            (Part::Metric, self.metric.is_some()),
            (Part::Realms, self.realms.is_some_and(|(_, mask)| mask == u32::MAX)),
            (Part::Out, self.output.is_some()),
            (Part::In, self.input.is_some()),
        ];
        let length = |place: &Option<Place>| place.as_ref().map_or(0, |place| place.length);
        Hidden {
            parts: parts.into_iter().filter(|(_, hides)| *hides).map(|(part, _)| part).collect(),
            types: self.types,
            via: length(&self.via),
            src: length(&self.prefsrc),
        }
    }

    /// Returns the routes that pass.
    #[must_use]
    pub fn choose(&self, routes: Vec<Route>) -> Vec<Route> {
        // Without rules, IPv6 had one table, whose local routes stood for the other: `ip` still looks which it is.
        let mut has_tables = false;
        let passes = |route: &Route| {
            has_tables |= route.family == Family::Inet6.number() && route.table_id() != MAIN;
            self.passes(route, has_tables)
        };
        let mut routes = routes;
        let mut passes = passes;
        routes.retain(|route| passes(route));
        routes
    }

    fn passes(&self, route: &Route, has_tables: bool) -> bool {
        self.preferred.number_fits(route.family)
            && self.cached == (route.flags & CLONED != 0)
            && self.table_passes(route, has_tables)
            && is(self.protocol, route.protocol)
            && is(self.scope, route.scope)
            && self.types.is_none_or(|types| types & 1_u64.wrapping_shl(route.route_type.into()) != 0)
            && is(self.tos, route.tos)
            && self.destination.pass(route.family, route.dst.map(octets), route.dst_len)
            && self.source.pass(route.family, route.src.map(octets), route.src_len)
            && self.via_passes(route)
            && self.prefsrc.as_ref().is_none_or(|place| {
                let address = route.prefsrc.map(octets).unwrap_or_default();
                place.family.number_fits(route.family) && shares(&address, &place.octets, place.length)
            })
            && self.realms.is_none_or(|(realms, mask)| (route.flow.unwrap_or(0) ^ realms) & mask == 0)
            && is(self.input, route.iif.unwrap_or(0))
            && self.output_passes(route)
            && is(self.mark, route.mark.unwrap_or(0))
            && is(self.metric, route.priority.unwrap_or(0))
    }

    fn table_passes(&self, route: &Route, has_tables: bool) -> bool {
        let is_local = route.route_type == TYPE_LOCAL;
        match self.table {
            0 => true,
            table if route.family != Family::Inet6.number() || has_tables => route.table_id() == table,
            LOCAL => is_local,
            MAIN => !is_local,
            _ => false,
        }
    }

    fn via_passes(&self, route: &Route) -> bool {
        let Some(place) = self.via.as_ref().filter(|place| place.family != Family::Unspec) else { return true };
        let family = route.via.as_ref().map_or(route.family.into(), |via| via.family);
        let gateway = route.gateway.map(octets);
        let gateway = route.via.as_ref().map(|via| via.address.to_vec()).or(gateway).unwrap_or_default();
        family == u16::from(place.family.number()) && shares(&gateway, &place.octets, place.length)
    }

    fn output_passes(&self, route: &Route) -> bool {
        match (self.output, route.oif, &route.multipath) {
            (Some(wanted), Some(link), _) => wanted == link,
            (Some(wanted), None, Some(many)) => many.0.iter().any(|hop| hop.index == wanted),
            _ => true,
        }
    }
}

/// Returns whether a route is the end of an empty table of IPv6, which cannot be deleted.
#[must_use]
pub fn is_null_entry(route: &Route) -> bool {
    route.family == Family::Inet6.number()
        && route.dst_len == 0
        && route.route_type == TYPE_UNREACHABLE
        && route.priority == Some(u32::MAX)
}

fn is<T: PartialEq>(wanted: Option<T>, found: T) -> bool {
    wanted.is_none_or(|wanted| wanted == found)
}

/// Which of the two realms count: one that is 0 because nothing was written does not.
fn realm_mask(realms: u32, word: &[u8]) -> u32 {
    let mut mask = u32::MAX;
    if realms & 0xffff == 0 && word.ends_with(b"/") {
        mask &= !0xffff;
    }
    if realms >> 16 == 0 && (!word.contains(&b'/') || word.starts_with(b"/")) {
        mask &= 0xffff;
    }
    mask
}

fn via(words: &mut Words<'_>, usual: Family) -> Result<Place, Failure> {
    if words.is_empty() {
        return Err(Failure::incomplete());
    }
    let family = value::family(words).unwrap_or(usual);
    value::network(words.value()?, family)
}

impl Bounds {
    fn take(&mut self, words: &mut Words<'_>, word: &[u8], family: Family) -> Result<(), Failure> {
        if begins("root", word) {
            self.inside = Some(value::network(words.value()?, family)?);
        } else if begins("match", word) {
            self.around = Some(value::network(words.value()?, family)?);
        } else {
            let word = if begins("exact", word) { words.value()? } else { word };
            self.around = Some(value::network(word, family)?);
            self.inside = self.around.clone();
        }
        Ok(())
    }

    fn pass(&self, family: u8, address: Option<Vec<u8>>, length: u8) -> bool {
        let address = address.unwrap_or_default();
        let counts = |place: &&Place| place.family != Family::Unspec || place.length_given;
        let fits = |place: &Place| place.family.number_fits(family);
        let inside =
            self.inside.as_ref().filter(counts).is_none_or(|place| {
                fits(place) && place.length <= length && shares(&address, &place.octets, place.length)
            });
        let around = self
            .around
            .as_ref()
            .filter(counts)
            .is_none_or(|place| fits(place) && place.length >= length && shares(&address, &place.octets, length));
        inside && around
    }
}

impl Family {
    /// Returns whether a route of a family passes where this one is asked for.
    fn number_fits(self, number: u8) -> bool {
        self == Self::Unspec || self.number() == number
    }
}

/// Returns whether two addresses have their first bits in common; what is missing of one is 0.
fn shares(one: &[u8], other: &[u8], length: u8) -> bool {
    let octet = |of: &[u8], at: usize| of.get(at).copied().unwrap_or(0);
    let (whole, rest) = (usize::from(length / 8), length % 8);
    let mask = !(u8::MAX.checked_shr(rest.into()).unwrap_or(0));
    (0..whole).all(|at| octet(one, at) == octet(other, at)) && (octet(one, whole) ^ octet(other, whole)) & mask == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(word: &str) -> Option<Place> {
        Some(value::network(word.as_bytes(), Family::Unspec).unwrap())
    }

    fn route(dst: &str, dst_len: u8) -> Route {
        Route { family: 2, header_table: 254, dst: Some(dst.parse().unwrap()), dst_len, ..Route::default() }
    }

    fn passes(destination: Bounds, route: Route) -> bool {
        let filter = Filter { table: MAIN, destination, ..Filter::default() };
        !filter.choose(vec![route]).is_empty()
    }

    #[test]
    fn a_root_holds_what_is_in_it_and_a_match_what_it_is_in() {
        let root = || Bounds { inside: place("10.0.0.0/8"), around: None };
        assert!(passes(root(), route("10.1.0.0", 16)));
        assert!(!passes(root(), route("11.1.0.0", 16)));
        assert!(!passes(root(), route("0.0.0.0", 0)));
        let around = || Bounds { inside: None, around: place("10.1.2.3") };
        assert!(passes(around(), route("10.1.0.0", 16)));
        assert!(passes(around(), route("0.0.0.0", 0)));
        assert!(!passes(around(), route("10.2.0.0", 16)));
        let default = || Bounds { inside: place("default"), around: place("default") };
        assert!(passes(default(), Route { dst: None, ..route("0.0.0.0", 0) }));
        assert!(!passes(default(), route("10.0.0.0", 8)));
    }

    #[test]
    fn a_realm_that_is_not_written_does_not_count() {
        assert_eq!(realm_mask(5, b"5"), 0xffff);
        assert_eq!(realm_mask(5 << 16, b"5/"), 0xffff_0000);
        assert_eq!(realm_mask(5 << 16 | 6, b"5/6"), u32::MAX);
    }
}
