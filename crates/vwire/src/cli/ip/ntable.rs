//! `ip ntable`: how long neighbours are remembered and how often they are asked, for a table and for each link.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime};

use vwire_netlink::wire::neighbour_table::{NeighbourParameters, NeighbourTableConfig};
use vwire_netlink::{NeighbourTable, Request};

use super::failure::EXIT_USAGE;
use super::kernel::{dump_failure, refusal};
use super::link::change::send;
use super::monitor::clock::Clock;
use super::words::{Keyword, Words, exact, find, in_full, number, number_as, prefix, shown};
use super::{Failure, Ip};
use crate::out::ntable::{self, Moments};

/// `RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS`.
const NAME_ONLY: u32 = 1 | 1 << 3;

/// What `ip ntable` can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Change,
    Show,
    Help,
}

/// In `ip`'s order: the first that a word begins wins.
const COMMANDS: &[Keyword<Command>] = &[
    prefix("change", Command::Change),
    prefix("chg", Command::Change),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("list", Command::Show),
    prefix("help", Command::Help),
];

/// What `ip ntable help` says.
const HELP: &str = "\
Usage: ip ntable [ show ] [ dev { DEVICE | none } ] [ name TABLE ]
       ip ntable change name TABLE [ dev DEVICE ] SETTING...

TABLE is arp_cache or ndisc_cache.
SETTING of the table:        thresh1 N  thresh2 N  thresh3 N  gc_int MSEC
SETTING of it or a device:   base_reachable MSEC  retrans MSEC  gc_stale MSEC  delay_probe MSEC  queue N
                             app_probes N  ucast_probes N  mcast_probes N  mcast_reprobes N
                             anycast_delay MSEC  proxy_delay MSEC  proxy_queue N  locktime MSEC
";

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on tables of neighbours; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Change) => change(ip, words),
        Some(Command::Show) => show(ip, words),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(Failure::unknown_command(word, "ntable")),
    }
}

/// Which part of a table a word sets, and how.
#[derive(Clone, Copy)]
enum Setting {
    OfTable(fn(&mut NeighbourTable) -> &mut Option<u32>),
    Interval,
    Count(fn(&mut NeighbourParameters) -> &mut Option<u32>),
    Time(fn(&mut NeighbourParameters) -> &mut Option<u64>),
}

/// The words of a change that have a number.
const SETTINGS: &[Keyword<Setting>] = &[
    exact("thresh1", Setting::OfTable(|table| &mut table.thresh1)),
    exact("thresh2", Setting::OfTable(|table| &mut table.thresh2)),
    exact("thresh3", Setting::OfTable(|table| &mut table.thresh3)),
    exact("gc_int", Setting::Interval),
    exact("base_reachable", Setting::Time(|of| &mut of.base_reachable_time)),
    exact("retrans", Setting::Time(|of| &mut of.retrans_time)),
    exact("gc_stale", Setting::Time(|of| &mut of.gc_staletime)),
    exact("delay_probe", Setting::Time(|of| &mut of.delay_probe_time)),
    exact("queue", Setting::Count(|of| &mut of.queue_len)),
    exact("app_probes", Setting::Count(|of| &mut of.app_probes)),
    exact("ucast_probes", Setting::Count(|of| &mut of.ucast_probes)),
    exact("mcast_probes", Setting::Count(|of| &mut of.mcast_probes)),
    exact("mcast_reprobes", Setting::Count(|of| &mut of.mcast_reprobes)),
    exact("anycast_delay", Setting::Time(|of| &mut of.anycast_delay)),
    exact("proxy_delay", Setting::Time(|of| &mut of.proxy_delay)),
    exact("proxy_queue", Setting::Count(|of| &mut of.proxy_qlen)),
    exact("locktime", Setting::Time(|of| &mut of.locktime)),
];

fn change(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let table = read(ip, words)?;
    let name = table.name.as_ref().map(|name| shown(name.as_bytes())).unwrap_or_default();
    send(ip, &Request::set_neighbour_table(&table))?
        .map(drop)
        .map_err(|error| refusal(&error).trying(format!("cannot change the table `{name}`")))
}

/// Reads the words of a change.
fn read(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<NeighbourTable, Failure> {
    let mut table = NeighbourTable { family: ip.options.family.number(), ..NeighbourTable::default() };
    let mut parameters = NeighbourParameters::default();
    let mut is_change = false;
    while let Some(word) = words.next() {
        match (word, find(SETTINGS, word)) {
            (b"name", _) => {
                let value = words.value()?;
                if table.name.is_some() {
                    return Err(Failure::duplicate("NAME", value));
                }
                table.name = Some(value.into());
            }
            (b"dev", _) => {
                let device = words.value()?;
                parameters.ifindex = Some(ip.device(device)?.ok_or_else(|| Failure::no_device(device))?);
            }
            (_, Some(setting)) => {
                let value = words.value()?;
                set(setting, value, &mut table, &mut parameters)
                    .ok_or_else(|| Failure::invalid(value, &format!("\"{}\" value is invalid", shown(word))))?;
                is_change = true;
            }
            _ => return Err(unknown(word)),
        }
    }
    if table.name.is_none() {
        return Err(Failure::missing_value("NAME").hint("`name arp_cache` or `name ndisc_cache`"));
    }
    if !is_change {
        let theirs = "Not enough information: changeable attributes required.";
        return Err(Failure::new(EXIT_USAGE, theirs, "what shall be changed is not said"));
    }
    table.parms = (parameters != NeighbourParameters::default()).then_some(parameters);
    Ok(table)
}

/// Sets what a word stands for; `None` where the value is no such number.
fn set(setting: Setting, value: &[u8], table: &mut NeighbourTable, parameters: &mut NeighbourParameters) -> Option<()> {
    match setting {
        Setting::OfTable(field) => *field(table) = Some(number_as(value)?),
        Setting::Interval => table.gc_interval = Some(milliseconds(value)?),
        Setting::Count(field) => *field(parameters) = Some(number_as(value)?),
        Setting::Time(field) => *field(parameters) = Some(milliseconds(value)?),
    }
    Some(())
}

/// Reads a time as `strtoull` does: one below zero is counted from the end.
fn milliseconds(word: &[u8]) -> Option<u64> {
    match word.strip_prefix(b"-") {
        Some(digits) => Some(number(digits)?.wrapping_neg()),
        None => number(word),
    }
}

fn unknown(word: &[u8]) -> Failure {
    Failure::invalid(word, "unknown").hint("`vwire ntable help` lists the words")
}

/// Which tables are shown.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filter {
    family: u8,
    device: Device,
    name: Option<Vec<u8>>,
}

/// Whose settings are shown.
#[derive(Debug, Default, PartialEq, Eq)]
enum Device {
    #[default]
    Any,
    /// The tables' own, and the defaults.
    None,
    Index(u32),
}

impl Filter {
    fn passes(&self, table: &NeighbourTable) -> bool {
        let family = self.family == 0 || self.family == table.family;
        let name = match (&self.name, &table.name) {
            (Some(wanted), Some(name)) => wanted == name.as_bytes(),
            _ => true,
        };
        let device = match (&self.device, table.parms.as_ref().map(|parameters| parameters.ifindex)) {
            (Device::Any, _) | (_, None) | (Device::None, Some(None)) => true,
            (Device::Index(wanted), Some(Some(index))) => *wanted == index,
            (Device::Index(_), Some(None)) | (Device::None, Some(Some(_))) => false,
        };
        family && name && device
    }
}

fn show(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let filter = read_filter(ip, words)?;
    let persona = ip.persona;
    let tables = ip.socket()?.neighbour_tables(filter.family).map_err(|error| dump_failure(&error, persona))?;
    // Where a list goes on in another datagram, the kernel tells the head of the table once more.
    let mut heads = HashSet::new();
    let is_first = |table: &NeighbourTable| {
        let is_head = table.parms.as_ref().is_none_or(|parameters| parameters.ifindex.is_none());
        !is_head || heads.insert((table.family, table.name.clone()))
    };
    let tables = tables.into_iter().filter(|table| filter.passes(table)).filter(is_first);
    let tables: Vec<NeighbourTable> = tables.collect();
    let devices = devices(ip, &tables)?;
    let moments = moments(ip.options.stats > 0);
    ip.printer.open_document();
    for table in &tables {
        let index = table.parms.as_ref().and_then(|parameters| parameters.ifindex).unwrap_or_default();
        let device = devices.get(&index).map(Vec::as_slice).unwrap_or_default();
        let moments = moments.as_ref().map(|at| at(table.config.as_ref()));
        ip.printer.open_object(None);
        ntable::print(&mut ip.printer, table, device, moments.as_ref());
        ip.printer.close_object();
        ip.flush_if_much();
    }
    ip.printer.close_document();
    Ok(())
}

fn read_filter(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<Filter, Failure> {
    let mut filter = Filter { family: ip.options.family.number(), ..Filter::default() };
    while let Some(word) = words.next() {
        match word {
            b"dev" => {
                filter.device = match words.value()? {
                    b"none" => Device::None,
                    name => {
                        let index = ip.device(name)?.filter(|index| *index != 0);
                        Device::Index(index.ok_or_else(|| Failure::invalid(name, "\"DEV\" is invalid"))?)
                    }
                }
            }
            b"name" => filter.name = Some(words.value()?.to_vec()),
            _ => return Err(unknown(word)),
        }
    }
    Ok(filter)
}

/// Returns the names of the links whose settings these are.
fn devices(ip: &mut Ip<'_>, tables: &[NeighbourTable]) -> Result<HashMap<u32, Vec<u8>>, Failure> {
    let mut devices = HashMap::new();
    for index in tables.iter().filter_map(|table| table.parms.as_ref()?.ifindex) {
        if let std::collections::hash_map::Entry::Vacant(entry) = devices.entry(index) {
            let name = ip.link(index, NAME_ONLY)?.and_then(|link| link.ifname);
            entry.insert(name.map_or_else(|| format!("if{index}").into_bytes(), |name| name.as_bytes().to_vec()));
        }
    }
    Ok(devices)
}

/// Returns what tells when a table's events were, if it is wanted: seen from now.
fn moments(wanted: bool) -> Option<impl Fn(Option<&NeighbourTableConfig>) -> Moments> {
    wanted.then(|| {
        let clock = Clock::read();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let at = move |milliseconds_ago: u32| match milliseconds_ago {
            0 => "(error)".to_owned(),
            ago => {
                let time = clock.at(now.saturating_sub(Duration::from_secs((ago / 1000).into())));
                let (year, month, day) = (time.year, time.month, time.day);
                format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", time.hour, time.minute, time.second)
            }
        };
        move |config: Option<&NeighbourTableConfig>| {
            config.map_or_else(Moments::default, |config| Moments {
                last_flush: at(config.last_flush),
                last_rand: at(config.last_rand),
            })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_link(index: Option<u32>) -> NeighbourTable {
        let parameters = NeighbourParameters { ifindex: index, ..NeighbourParameters::default() };
        NeighbourTable {
            family: 2,
            name: Some(b"arp_cache"[..].into()),
            parms: Some(parameters),
            ..NeighbourTable::default()
        }
    }

    #[test]
    fn a_device_has_its_settings_and_none_the_defaults() {
        let index = |index| Filter { device: Device::Index(index), ..Filter::default() };
        assert!(index(5).passes(&of_link(Some(5))));
        assert!(!index(5).passes(&of_link(Some(6))));
        assert!(!index(5).passes(&of_link(None)));
        let none = Filter { device: Device::None, ..Filter::default() };
        assert!(none.passes(&of_link(None)));
        assert!(!none.passes(&of_link(Some(5))));
    }

    #[test]
    fn a_name_and_a_family_pick_a_table() {
        let named = |name: &str| Filter { name: Some(name.into()), ..Filter::default() };
        assert!(named("arp_cache").passes(&of_link(None)));
        assert!(!named("ndisc_cache").passes(&of_link(None)));
        assert!(!Filter { family: 10, ..Filter::default() }.passes(&of_link(None)));
    }

    #[test]
    fn each_word_sets_its_part() {
        let (mut table, mut parameters) = (NeighbourTable::default(), NeighbourParameters::default());
        for (at, row) in (1_u32..).zip(SETTINGS) {
            assert!(set(row.means, at.to_string().as_bytes(), &mut table, &mut parameters).is_some(), "{}", row.word);
        }
        assert_eq!((table.thresh1, table.thresh3, table.gc_interval), (Some(1), Some(3), Some(4)));
        assert_eq!((parameters.base_reachable_time, parameters.locktime), (Some(5), Some(17)));
        assert!(set(Setting::Interval, b"x", &mut table, &mut parameters).is_none());
    }
}
