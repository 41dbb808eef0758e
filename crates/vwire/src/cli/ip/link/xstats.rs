//! `ip link xstats` and `ip link afstats`: counters of bridges, of bonds and of address families.

use vwire_netlink::wire::nest::RawNest;
use vwire_netlink::wire::stats::{LinkStats, Xstats};
use vwire_netlink::{MessageType, Request};

use super::kind;
use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE};
use crate::cli::ip::kernel::list_refused;
use crate::cli::ip::words::{Words, begins, shown};
use crate::cli::ip::{Failure, Ip, Persona};
use crate::out::counters::CounterStyle;
use crate::out::xstats::{self, MplsCounters};

/// What `ip link xstats help` says.
const HELP: &str =
    "Usage: vwire link xstats type { bridge | bridge_slave | bond | bond_slave } [ WORD ]... [ dev DEVICE ]\n";
/// What may stand behind `type bridge`.
const BRIDGE_HELP: &str = "Usage: vwire link xstats type { bridge | bridge_slave } [ igmp | stp ] [ dev DEVICE ]\n";
/// What may stand behind `type bond`.
const BOND_HELP: &str = "Usage: vwire link xstats type { bond | bond_slave } [ 802.3ad ] [ dev DEVICE ]\n";

/// The filter's bit for counters of a kind (`IFLA_STATS_LINK_XSTATS`).
const OF_KIND: u32 = 1 << 1;
/// The bit for those of a master's kind (`IFLA_STATS_LINK_XSTATS_SLAVE`).
const OF_MASTER: u32 = 1 << 2;
/// The bit for those of address families (`IFLA_STATS_AF_SPEC`).
const OF_FAMILIES: u32 = 1 << 4;
/// `BOND_XSTATS_3AD`.
const LACP: u16 = 1;
/// `AF_MPLS`.
const MPLS: u16 = 28;
/// `MPLS_STATS_LINK`.
const MPLS_LINK: u16 = 1;

/// Whose counters are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Bridge,
    Bond,
}

/// Which counters are shown: all, or one sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    Multicast,
    Stp,
    Lacp,
}

/// Shows the counters of a kind.
///
/// # Errors
/// A wrong word, a device that is not there, or the kernel refuses the list.
pub(super) fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else {
        return Err(Failure::new(EXIT_SEMANTIC, "xstats: missing argument", "nothing says of which kind").hint(EXAMPLE));
    };
    if begins("help", word) && !begins("type", word) {
        ip.printer.verbatim(HELP);
        return Ok(());
    }
    if !begins("type", word) {
        return Err(Failure::invalid(word, "unknown argument").hint(EXAMPLE));
    }
    let word = words.value()?;
    let (of, mask) = match word {
        b"bridge" => (Of::Bridge, OF_KIND),
        b"bridge_slave" => (Of::Bridge, OF_MASTER),
        b"bond" => (Of::Bond, OF_KIND),
        b"bond_slave" => (Of::Bond, OF_MASTER),
        other if kind::is_known(other) => {
            let kind = shown(other);
            let message = format!("xstats: link type {kind} doesn't support xstats");
            return Err(Failure::new(
                EXIT_SEMANTIC,
                message,
                format!("links of the kind `{kind}` have no such counters"),
            )
            .hint("bridges and bonds have, and their ports: `bridge_slave`, `bond_slave`"));
        }
        other => return Err(Failure::invalid(other, "invalid type").hint(EXAMPLE)),
    };
    match read(ip, words, of)? {
        Some((part, device)) => show(ip, of, mask, part, device),
        None => Ok(()),
    }
}

const EXAMPLE: &str = "as in `vwire link xstats type bridge dev br0`";

/// Returns what is asked for; nothing where that was help.
fn read(ip: &mut Ip<'_>, words: &mut Words<'_>, of: Of) -> Result<Option<(Part, Option<u32>)>, Failure> {
    let (mut part, mut device) = (Part::All, None);
    while let Some(word) = words.next() {
        match (of, word) {
            (Of::Bridge, b"igmp" | b"mcast") => part = Part::Multicast,
            (Of::Bridge, b"stp") => part = Part::Stp,
            (Of::Bond, b"lacp" | b"802.3ad") => part = Part::Lacp,
            (_, b"dev") => {
                let name = words.value()?;
                device = Some(ip.device(name)?.ok_or_else(|| Failure::no_device(name))?);
            }
            (_, b"help") => {
                ip.printer.verbatim(if of == Of::Bridge { BRIDGE_HELP } else { BOND_HELP });
                return Ok(None);
            }
            _ => return Err(Failure::invalid(word, "unknown attribute").hint(EXAMPLE)),
        }
    }
    Ok(Some((part, device)))
}

fn show(ip: &mut Ip<'_>, of: Of, mask: u32, part: Part, device: Option<u32>) -> Result<(), Failure> {
    ip.printer.open_document();
    let result = list(ip, mask, EXIT_SEMANTIC).and_then(|all| {
        for stats in all.iter().filter(|stats| device.is_none_or(|device| device == stats.index)) {
            for counters in [&stats.link_xstats, &stats.link_xstats_slave].into_iter().flatten() {
                if has(counters, of) {
                    let name = ip.device_name(stats.index)?;
                    print(ip, &name, counters, of, part);
                }
            }
        }
        Ok(())
    });
    ip.printer.close_document();
    result
}

fn list(ip: &mut Ip<'_>, filter_mask: u32, exit: u8) -> Result<Vec<LinkStats>, Failure> {
    let filter = LinkStats { filter_mask, ..LinkStats::default() };
    let dumped = ip.socket()?.dump_bodies(&Request::dump(MessageType::GETSTATS, &filter));
    dumped.map_err(|error| list_refused(&error, exit, "Dump terminated").trying("cannot list the counters"))
}

fn has(counters: &Xstats, of: Of) -> bool {
    match of {
        Of::Bridge => counters.bridge.is_some(),
        Of::Bond => counters.bond.is_some(),
    }
}

fn print(ip: &mut Ip<'_>, device: &[u8], counters: &Xstats, of: Of, part: Part) {
    let p = &mut ip.printer;
    p.open_object(None);
    xstats::print_head(p, device);
    if let (Of::Bridge, Some(bridge)) = (of, &counters.bridge) {
        if let (Part::All | Part::Multicast, Some(multicast)) = (part, &bridge.mcast) {
            xstats::print_multicast(p, multicast);
        }
        if let (Part::All | Part::Stp, Some(stp)) = (part, &bridge.stp) {
            xstats::print_stp(p, stp);
        }
    }
    if let (Of::Bond, Some(lacp)) = (of, counters.bond.as_ref().and_then(lacp)) {
        xstats::print_lacp(p, &lacp);
    }
    p.close_object();
}

/// Returns a bond's counters of link aggregation, each with its attribute's number.
fn lacp(bond: &RawNest) -> Option<Vec<(u16, u64)>> {
    let nest = bond.attributes().find(|attribute| attribute.number() == LACP)?;
    let counters = RawNest(nest.payload().into());
    let one = |attribute: vwire_netlink::wire::Attribute<'_>| {
        Some((attribute.number(), u64::from_ne_bytes(attribute.payload().try_into().ok()?)))
    };
    Some(counters.attributes().filter_map(one).collect())
}

/// Shows the counters of address families. `ip` ends with 0 where a device is not there, or the list is refused.
///
/// # Errors
/// A wrong word, a device that is not there, or the kernel refuses the list.
pub(super) fn run_of_families(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut device = None;
    while let Some(word) = words.next() {
        if word == b"dev" {
            let name = words.value()?;
            if device.is_some() {
                return Err(Failure::duplicate_or_garbage("dev", name));
            }
            device = Some(name);
        } else if begins("help", word) {
            return Err(super::help::usage());
        } else {
            return Err(Failure::unknown_command(word, "link").with_exit(EXIT_USAGE));
        }
    }
    let exit = if ip.persona == Persona::Ip { 0 } else { EXIT_SEMANTIC };
    let missing = |name| Failure::device_does_not_exist(name).with_exit(exit);
    let index = match device {
        Some(name) => Some(ip.device(name)?.ok_or_else(|| missing(name))?),
        None => None,
    };
    ip.printer.open_document();
    let result = list(ip, OF_FAMILIES, exit).and_then(|all| {
        all.iter()
            .filter(|stats| index.is_none_or(|index| index == stats.index))
            .try_for_each(|stats| print_families(ip, stats))
    });
    ip.printer.close_document();
    result
}

fn print_families(ip: &mut Ip<'_>, stats: &LinkStats) -> Result<(), Failure> {
    let wanted = ip.options.family.number();
    let families = stats.af_spec.iter().flat_map(RawNest::attributes);
    let families = families.filter(|family| wanted == 0 || family.number() == u16::from(wanted));
    // MPLS alone has any.
    for family in families.filter(|family| family.number() == MPLS) {
        let nest = RawNest(family.payload().into());
        let Some(counters) = nest.attributes().find(|attribute| attribute.number() == MPLS_LINK) else { continue };
        let counters = MplsCounters::read(counters.payload());
        let name = ip.device_name(stats.index)?;
        let style = CounterStyle { level: 1, human: ip.options.human, iec: ip.options.iec };
        ip.printer.open_object(None);
        xstats::print_mpls(&mut ip.printer, stats.index, &name, &counters, style);
        ip.printer.close_object();
    }
    Ok(())
}
