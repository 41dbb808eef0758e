//! `ip neigh show` and `get`: asks the kernel for neighbours and prints them.

use vwire_netlink::{Neighbour, Request};

use super::change;
use super::filter::{Filter, Purpose, read};
use crate::cli::ip::kernel::{dump_failure, refusal};
use crate::cli::ip::link::show::{Master, master_index, vrf_index};
use crate::cli::ip::words::{Words, shown};
use crate::cli::ip::{Failure, Ip};
use crate::out::neigh::{self, NeighbourNames, NeighbourStyle, PROXY};
use crate::snapshot::names;

/// `RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS`.
const NAME_ONLY: u32 = 1 | 1 << 3;
/// What the kernel takes for "ports of nothing" in `NDA_MASTER`.
const NOBODY: u32 = u32::MAX;
/// `ENOENT`.
const ENOENT: i32 = 2;

/// What a filter's names stand for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
    /// The index of the device.
    pub index: Option<u32>,
    /// The index of the master.
    master: Option<u32>,
}

/// Runs `ip neigh show`.
///
/// # Errors
/// A wrong word, a device that is not there, or what the kernel refuses.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let (filter, found) = read_filter(ip, Purpose::Show, words)?;
    let neighbours = dump(ip, &filter, found)?;
    let names = names_of(ip, &neighbours)?;
    ip.printer.open_document();
    for neighbour in &neighbours {
        print(ip, neighbour, found.index.is_none(), &names);
        ip.flush_if_much();
    }
    ip.printer.close_document();
    Ok(())
}

/// Runs `ip neigh get`.
///
/// # Errors
/// A wrong word, a device that is not there, or what the kernel refuses.
pub fn get(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = change::read_get(ip.options.family, words)?;
    let mut neighbour = wanted.neighbour.clone();
    let tried = format!("cannot get {}", wanted.shown());
    if let Some(device) = &wanted.device {
        let missing = || Failure::no_device(device).trying(tried.clone());
        neighbour.index = ip.device(device)?.ok_or_else(missing)?;
    }
    let answer = ip.socket()?.get::<Neighbour>(&Request::get_neighbour(&neighbour));
    let neighbour = match answer {
        Ok(neighbour) => neighbour,
        Err(error) => {
            let failure = refusal(&error).trying(tried);
            return Err(match (error.errno(), &wanted.device) {
                (ENOENT, Some(device)) => super::modify::hint_at_holder(ip, failure, &neighbour, &shown(device))?,
                _ => failure,
            });
        }
    };
    let names = names_of(ip, std::slice::from_ref(&neighbour))?;
    ip.printer.open_document();
    print(ip, &neighbour, true, &names);
    ip.printer.close_document();
    Ok(())
}

/// Reads the words behind `show` or `flush` and looks up the devices that they name.
///
/// # Errors
/// A wrong word, or a device that is not there.
pub fn read_filter(ip: &mut Ip<'_>, purpose: Purpose, words: &mut Words<'_>) -> Result<(Filter, Found), Failure> {
    let (filter, end) = read(purpose, ip.options.family, words);
    let master = match &filter.master {
        None => None,
        Some(Master::None) => Some(NOBODY),
        Some(Master::Named(name)) => Some(master_index(ip, name)?),
        Some(Master::Vrf(name)) => Some(vrf_index(ip, name)?),
    };
    end?;
    let index = match &filter.device {
        Some(name) => Some(ip.device(name)?.ok_or_else(|| {
            Failure::no_device(name).trying(format!("cannot list the neighbours on `{}`", shown(name)))
        })?),
        None => None,
    };
    Ok((filter, Found { index, master }))
}

/// Returns the neighbours that pass.
///
/// # Errors
/// The kernel refuses the dump.
pub fn dump(ip: &mut Ip<'_>, filter: &Filter, found: Found) -> Result<Vec<Neighbour>, Failure> {
    let wanted = Neighbour {
        family: filter.family.number(),
        flags: if filter.proxies { PROXY } else { 0 },
        ifindex: found.index,
        master: found.master,
        ..Neighbour::default()
    };
    let persona = ip.persona;
    let neighbours = ip.socket()?.neighbours(&wanted);
    let mut neighbours = neighbours.map_err(|error| dump_failure(&error, persona))?;
    neighbours.retain(|neighbour| filter.passes(neighbour, found.index));
    Ok(neighbours)
}

/// Looks up what is needed to print neighbours.
///
/// # Errors
/// The socket cannot be opened. What cannot be named keeps its number.
pub fn names_of(ip: &mut Ip<'_>, neighbours: &[Neighbour]) -> Result<NeighbourNames, Failure> {
    let mut names = NeighbourNames::default();
    for index in neighbours.iter().map(|neighbour| neighbour.index).filter(|index| *index != 0) {
        if !names.devices.contains_key(&index)
            && let Some(link) = ip.link(index, NAME_ONLY)?
            && let Some(name) = link.ifname
        {
            names.devices.insert(index, (name.as_bytes().to_vec(), link.link_type));
        }
    }
    if !ip.options.numeric && neighbours.iter().any(|neighbour| neighbour.protocol.is_some()) {
        names.protocols = ip.tables.rows(names::ROUTE_PROTOCOLS);
    }
    Ok(names)
}

/// Prints a neighbour as the options want it.
pub fn print(ip: &mut Ip<'_>, neighbour: &Neighbour, device: bool, names: &NeighbourNames) {
    let style = NeighbourStyle { device, statistics: ip.options.stats > 0 };
    ip.printer.open_object(None);
    match ip.options.brief {
        true => neigh::print_brief(&mut ip.printer, neighbour, style, names),
        false => neigh::print(&mut ip.printer, neighbour, style, names),
    }
    ip.printer.close_object();
}
