//! `ip mroute`: the routes of packets to many receivers, which a daemon makes and the kernel keeps.

use std::net::IpAddr;

use vwire_netlink::Route;

use super::failure::EXIT_SEMANTIC;
use super::options::Family;
use super::prefix::{self, Prefix};
use super::route::{show, value};
use super::words::{Keyword, Words, begins, find, in_full, prefix as short};
use super::{Failure, Ip};
use crate::out::mroute::{self, FAMILY_INET, FAMILY_INET6};
use crate::out::route::{Hidden, Part, references};
use crate::snapshot::names::Tables;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Show,
    Help,
}

/// In `ip`'s order: the first that a word begins wins.
const COMMANDS: &[Keyword<Command>] = &[
    short("list", Command::Show),
    short("show", Command::Show),
    short("lst", Command::Show),
    short("help", Command::Help),
];

/// What `ip mroute help` says.
pub const HELP: &str = "\
Usage: vwire [ -4 | -6 ] mroute [ show ] [ [ to ] PREFIX ] [ from PREFIX ] [ iif DEVICE ] [ table { TABLE | all } ]

The groups that packets are sent to, where they come from, and the devices that they go in and out by.
Of IPv4, those of the table `default` are shown, unless another is named.
";

/// `RT_TABLE_DEFAULT`.
const DEFAULT: u32 = 253;

/// Which routes are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Filter {
    /// The kernel's own number for multicast routes of a family.
    family: u8,
    /// The table; 0 is all.
    table: u32,
    input: Option<u32>,
    group: Option<Prefix>,
    source: Option<Prefix>,
}

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on multicast routes; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return list(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Show) => list(ip, words),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(Failure::unknown_command(word, "mroute")),
    }
}

fn list(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    // Other families have none, whatever the words say.
    let Some(mut wanted) = Filter::of_family(ip.options.family) else { return Ok(()) };
    if let Some(name) = wanted.take_all(&ip.tables, words, ip.options.family)? {
        wanted.input = Some(ip.device(name)?.ok_or_else(|| Failure::no_device(name))?);
    }
    let request =
        Route { family: wanted.family, table: (wanted.table != 0).then_some(wanted.table), ..Route::default() };
    let routes = ip.socket()?.routes(&request);
    ip.printer.open_document();
    let routes = match routes {
        Ok(routes) => routes,
        Err(error) => {
            ip.printer.close_document();
            let failure = show::terminated(ip, &error, "Dump terminated")?.with_exit(EXIT_SEMANTIC);
            return Err(failure.trying("cannot list the multicast routes"));
        }
    };
    let mut context = show::names_only(ip);
    show::name_links(ip, &mut context, routes.iter().flat_map(references).collect())?;
    let mut hidden = Hidden::default();
    if wanted.table != 0 {
        hidden.parts.push(Part::Table);
    }
    for route in routes.iter().filter(|route| wanted.passes(route)) {
        ip.printer.open_object(None);
        mroute::print_facts(&mut ip.printer, route, &context, &hidden);
        ip.printer.close_object();
        ip.flush_if_much();
    }
    ip.printer.close_document();
    Ok(())
}

impl Filter {
    fn of_family(family: Family) -> Option<Self> {
        match family {
            Family::Unspec | Family::Inet => Some(Self { family: FAMILY_INET, table: DEFAULT, ..Self::default() }),
            Family::Inet6 => Some(Self { family: FAMILY_INET6, ..Self::default() }),
            _ => None,
        }
    }

    /// Reads the words and returns the name of the device that packets come in by, which `ip` looks up last.
    fn take_all<'a>(
        &mut self,
        tables: &Tables,
        words: &mut Words<'a>,
        family: Family,
    ) -> Result<Option<&'a [u8]>, Failure> {
        let mut input = None;
        while let Some(word) = words.next() {
            if begins("table", word) {
                let value = words.value()?;
                self.table = match value::table(tables, value) {
                    Some(table) => table,
                    None if value == b"all" => 0,
                    None if value == b"help" => return Err(Failure::usage(HELP)),
                    None => return Err(Failure::invalid(value, "table id value is invalid\n")),
                };
            } else if word == b"iif" {
                input = Some(words.value()?);
            } else if begins("from", word) {
                self.source = Some(prefix::prefix(words.value()?, family)?);
            } else {
                let word = if word == b"to" { words.value()? } else { word };
                if begins("help", word) {
                    return Err(Failure::usage(HELP));
                }
                self.group = Some(prefix::prefix(word, family)?);
            }
        }
        Ok(input)
    }

    fn passes(&self, route: &Route) -> bool {
        route.family == self.family
            && (self.table == 0 || route.table_id() == self.table)
            && self.input.is_none_or(|index| route.iif == Some(index))
            && is_in(self.group.as_ref(), route.dst)
            && is_in(self.source.as_ref(), route.src)
    }
}

/// Returns whether an address is in a prefix; one that is not there is in all.
fn is_in(wanted: Option<&Prefix>, address: Option<IpAddr>) -> bool {
    let (Some(wanted), Some(address)) = (wanted, address) else { return true };
    match wanted.address {
        Some(network) if wanted.length > 0 => prefix::shares(network, address, wanted.length),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn read(family: Family, line: &str) -> Result<(Filter, Option<Vec<u8>>), Failure> {
        let line: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let mut filter = Filter::of_family(family).unwrap();
        let input = filter.take_all(&Tables::default(), &mut Words::new(&line), family)?.map(<[u8]>::to_vec);
        Ok((filter, input))
    }

    fn route(source: &str, group: &str, table: u32) -> Route {
        let (src, dst) = (source.parse().ok(), group.parse().ok());
        Route { family: FAMILY_INET, src, dst, iif: Some(2), table: Some(table), ..Route::default() }
    }

    #[test]
    fn filters_hold_together() {
        let passes = |line: &str| {
            let (filter, _) = read(Family::Unspec, line).unwrap();
            filter.passes(&route("10.0.0.1", "239.1.1.1", DEFAULT))
        };
        assert!(passes("") && passes("239.1.0.0/16") && passes("to 239.1.1.1 from 10.0.0.0/8") && passes("from any"));
        assert!(!passes("239.2.0.0/16") && !passes("from 10.0.0.2") && !passes("table 77"));
        assert!(!passes("to ff05::1"), "it is of another family");
    }

    #[test]
    fn one_table_is_shown_of_ipv4_and_all_of_ipv6() {
        assert_eq!(read(Family::Inet, "").unwrap().0.table, DEFAULT);
        assert_eq!(read(Family::Inet, "table all").unwrap().0.table, 0);
        assert_eq!(read(Family::Inet6, "").unwrap().0.table, 0);
        assert_eq!(Filter::of_family(Family::Packet), None);
    }

    #[test]
    fn wrong_words_are_refused() {
        assert_eq!(read(Family::Unspec, "table x").unwrap_err().exit(), 255);
        assert_eq!(read(Family::Unspec, "bogus").unwrap_err().exit(), 1);
        assert_eq!(read(Family::Unspec, "iif v0").unwrap().1.unwrap(), b"v0");
    }
}
