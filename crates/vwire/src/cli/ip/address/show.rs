//! `ip address show`: lists links with their addresses, all or those that a filter lets pass.
//!
//! As `ip`, it asks for links first and for addresses second, leaves out links without a wanted address, and prints
//! the rest in the kernel's order. Called `ip`, it leaves the empty objects in JSON that `ip` leaves in the place of
//! what a filter holds back while printing; called `vwire`, it leaves them out.

use std::collections::HashMap;

use vwire_netlink::wire::MessageType;
use vwire_netlink::wire::link::Stats64;
use vwire_netlink::{Address, AddressFilter as AddressDump, Link, LinkFilter, Request};

use super::filter::{AddressFilter, Master, Part, read};
use crate::cli::ip::kernel::dump_failure;
use crate::cli::ip::options::Family;
use crate::cli::ip::words::{Words, shown};
use crate::cli::ip::{Failure, Ip, Persona};
use crate::out::address::{self, AddressNames};
use crate::out::counters::{self, CounterStyle};
use crate::out::link::{self, Context, LinkStyle};
use crate::snapshot::names;

/// `RTEXT_FILTER_VF` (`linux/rtnetlink.h`).
const EXT_VF: u32 = 1;
/// `RTEXT_FILTER_SKIP_STATS`.
const EXT_SKIP_STATS: u32 = 1 << 3;
/// `IFLA_INET6_STATS`.
const IFLA_INET6_STATS: u16 = 3;
/// The master that the kernel takes for none.
const NOBODY: u32 = u32::MAX;

/// Addresses by the index of their link, in the kernel's order.
type ByLink = HashMap<u32, Vec<Address>>;

/// What a filter's names stand for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
    /// The index of the device.
    pub index: Option<u32>,
    /// The index of the master; [`NOBODY`] for links without one.
    master: Option<u32>,
}

/// Runs `ip address show`.
///
/// # Errors
/// A wrong word, a device that is not there, or what the kernel refuses.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let (filter, found) = read_filter(ip, words, Purpose::Show)?;
    let mut links = links(ip, &filter, found)?;
    let mut addresses = ByLink::new();
    if filter.family != Family::Packet {
        for address in dump(ip, &filter, found.index)? {
            addresses.entry(address.index).or_default().push(address);
        }
        links.retain(|link| is_shown(link, &addresses, &filter));
    }
    if let Some(group) = filter.group {
        links.retain(|link| link.group.is_none_or(|own| own == group));
    }
    let context = ip.context(&links)?;
    let names = super::names_to_print(ip);
    let list = List { filter: &filter, found, addresses: &addresses, context: &context, names: &names };
    ip.printer.open_document();
    for link in &links {
        list.print(ip, link);
        ip.flush_if_much();
    }
    ip.printer.close_document();
    Ok(())
}

/// What addresses are chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be shown or saved.
    Show,
    /// To be deleted.
    Flush,
}

/// Reads the words behind `show`, `flush` or `save` and looks up the devices that they name.
///
/// # Errors
/// A wrong word, or a device that is not there.
pub fn read_filter(
    ip: &mut Ip<'_>,
    words: &mut Words<'_>,
    purpose: Purpose,
) -> Result<(AddressFilter, Found), Failure> {
    let group = |word: &[u8]| ip.tables.number(names::GROUPS, word);
    let (filter, end) = read(ip.options.family, words, &super::names_to_read(ip), group);
    let mut found = Found::default();
    for master in &filter.masters {
        found.master = Some(index_of(ip, master)?);
    }
    end?;
    if let Some(name) = &filter.device {
        found.index = Some(ip.device(name)?.ok_or_else(|| {
            let name_shown = shown(name);
            let attempt = match purpose {
                Purpose::Show => format!("cannot show the addresses of `{name_shown}`"),
                Purpose::Flush => format!("cannot flush the addresses of `{name_shown}`"),
            };
            Failure::device_does_not_exist(name).trying(attempt)
        })?);
    }
    Ok((filter, found))
}

fn index_of(ip: &mut Ip<'_>, master: &Master) -> Result<u32, Failure> {
    let (name, message, hint) = match master {
        Master::Nobody => return Ok(NOBODY),
        Master::Named(name) => (name, "Device does not exist\n", "`vwire link` lists the devices"),
        Master::Vrf(name) => (name, "Not a valid VRF name\n", "`vwire link show type vrf` lists the VRFs"),
    };
    let mut index = ip.device(name)?;
    if let (Master::Vrf(_), Some(found)) = (master, index) {
        let link = ip.link(found, EXT_SKIP_STATS)?;
        index = link.filter(|link| link.kind() == Some("vrf")).map(|link| link.index);
    }
    index.ok_or_else(|| Failure::invalid(name, message).hint(hint))
}

fn links(ip: &mut Ip<'_>, filter: &AddressFilter, found: Found) -> Result<Vec<Link>, Failure> {
    let family = filter.family.number();
    let skip_stats = if ip.options.stats == 0 { EXT_SKIP_STATS } else { 0 };
    let functions = if filter.without_functions { 0 } else { EXT_VF };
    if let Some(index) = found.index {
        let wanted = Link { family, index, ext_mask: Some(skip_stats | functions), ..Link::default() };
        let link = ip.socket()?.get::<Link>(&Request::get_link(&wanted));
        return link.map(|link| vec![link]).map_err(|error| crate::cli::ip::kernel::refusal(&error));
    }
    if matches!(ip.options.family, Family::Unspec | Family::Packet) || needs_full_list(ip, filter) {
        let kind = filter.kind.as_ref().and_then(|kind| String::from_utf8(kind.clone()).ok());
        let virtual_functions = !filter.without_functions;
        return ip.links(LinkFilter { kind, master: found.master, virtual_functions, ..LinkFilter::default() });
    }
    // Of a family's own list of links nothing can be filtered: the kernel refuses attributes in the request.
    let wanted = Link { family: ip.options.family.number(), ..Link::default() };
    let request = Request::dump(MessageType::GETLINK, &wanted);
    let persona = ip.persona;
    ip.socket()?.dump_bodies(&request).map_err(|error| dump_failure(&error, persona))
}

/// Returns whether a filter asks for what a family's own list of links does not tell.
///
/// `ip -6` then shows nothing, and for `group` never ends.
fn needs_full_list(ip: &Ip<'_>, filter: &AddressFilter) -> bool {
    let is_ip = ip.persona == Persona::Ip;
    let others = filter.kind.is_some() || filter.slave_kind.is_some() || !filter.masters.is_empty();
    (filter.group.is_some() && (!is_ip || ip.options.family == Family::Inet6)) || (others && !is_ip)
}

/// Returns the addresses of the family that is wanted, of one link or of all.
///
/// # Errors
/// The kernel refuses the dump.
pub fn dump(ip: &mut Ip<'_>, filter: &AddressFilter, index: Option<u32>) -> Result<Vec<Address>, Failure> {
    let wanted = AddressDump { family: filter.family.number(), index: index.unwrap_or(0), ..AddressDump::all() };
    let persona = ip.persona;
    ip.socket()?.addresses(&wanted).map_err(|error| dump_failure(&error, persona))
}

fn name_of(link: &Link) -> &[u8] {
    link.ifname.as_ref().map(|name| name.as_bytes()).unwrap_or_default()
}

/// Returns whether a link has a wanted address, or none at all where that is no hindrance.
fn is_shown(link: &Link, addresses: &ByLink, filter: &AddressFilter) -> bool {
    match addresses.get(&link.index) {
        None => filter.wants_bare_links(),
        Some(own) => own.iter().any(|address| filter.wants_link_of(address, name_of(link))),
    }
}

/// What is printed, and how.
struct List<'a> {
    filter: &'a AddressFilter,
    found: Found,
    addresses: &'a ByLink,
    context: &'a Context,
    names: &'a AddressNames,
}

impl List<'_> {
    fn print(&self, ip: &mut Ip<'_>, link: &Link) {
        let with_link = ip.options.brief || !ip.options.oneline || self.filter.family == Family::Packet;
        let master = self.found.master.filter(|master| *master != NOBODY);
        let part = match with_link {
            true => self.filter.part_of(link, self.found.index, master),
            false => Part::Addresses,
        };
        let is_ip = ip.persona == Persona::Ip;
        let is_empty = part == Part::Nothing || (part == Part::Addresses && !self.has_addresses(link));
        if is_empty && !is_ip {
            return;
        }
        ip.printer.open_object(None);
        if part == Part::All {
            self.print_link(ip, link);
        }
        if part != Part::Nothing && self.filter.family != Family::Packet {
            self.print_addresses(ip, link);
        }
        if part == Part::All && ip.options.stats > 0 && !ip.options.brief {
            print_counters(ip, link);
        }
        ip.printer.close_object();
    }

    fn addresses_of(&self, link: &Link) -> impl Iterator<Item = &Address> {
        let own = self.addresses.get(&link.index).into_iter().flatten();
        own.filter(|address| self.filter.wants_family(address))
    }

    fn has_addresses(&self, link: &Link) -> bool {
        let wants = |address: &Address| self.filter.wants(address, name_of(link));
        self.filter.wants_state(link) && self.addresses_of(link).any(wants)
    }

    fn print_link(&self, ip: &mut Ip<'_>, link: &Link) {
        let style = self.style(ip);
        if ip.options.brief {
            let alone = self.filter.family == Family::Packet;
            link::print_brief(&mut ip.printer, link, alone, self.context);
            if alone {
                ip.printer.end_line();
            }
        } else {
            link::print(&mut ip.printer, link, style, self.context);
            ip.printer.end_line();
        }
    }

    fn style(&self, ip: &Ip<'_>) -> LinkStyle {
        LinkStyle {
            details: ip.options.details,
            counters: counter_style(ip),
            is_link: false,
            link_line: matches!(self.filter.family, Family::Unspec | Family::Packet),
            queue_length: true,
            numeric: ip.options.numeric,
        }
    }

    fn print_addresses(&self, ip: &mut Ip<'_>, link: &Link) {
        let name = name_of(link);
        let is_ip = ip.persona == Persona::Ip;
        ip.printer.open_array(Some("addr_info"));
        for address in self.addresses_of(link).filter(|_| self.filter.wants_state(link)) {
            let wanted = self.filter.wants(address, name);
            if !wanted && !is_ip {
                continue;
            }
            ip.printer.open_object(None);
            if wanted && ip.options.brief {
                address::print_brief(&mut ip.printer, address);
            } else if wanted {
                let device = (ip.options.oneline || ip.options.echo).then_some(name);
                address::print(&mut ip.printer, address, device, self.names);
            }
            ip.printer.close_object();
        }
        ip.printer.close_array();
        if ip.options.brief {
            ip.printer.end_line();
        }
    }
}

fn counter_style(ip: &Ip<'_>) -> CounterStyle {
    CounterStyle { level: ip.options.stats, human: ip.options.human, iec: ip.options.iec }
}

fn print_counters(ip: &mut Ip<'_>, link: &Link) {
    let style = counter_style(ip);
    let of_ipv6 = ipv6_counters(link);
    if let Some(stats) = link.stats64.as_deref().or(of_ipv6.as_ref()) {
        counters::print(&mut ip.printer, stats, link.carrier_changes, style);
    }
    ip.printer.line_break();
}

/// Returns the counters that IPv6 keeps of a link, which is all that its own list of links has (`IPSTATS_MIB_*`,
/// `linux/snmp.h`).
fn ipv6_counters(link: &Link) -> Option<Stats64> {
    let attributes = link.protinfo.as_ref()?.attributes();
    let counters = attributes.into_iter().find(|attribute| attribute.number() == IFLA_INET6_STATS)?;
    let at = |place: usize| {
        let bytes = counters.payload().get(place * 8..place * 8 + 8)?;
        bytes.try_into().ok().map(u64::from_ne_bytes)
    };
    let at = |place| at(place).unwrap_or(0);
    Some(Stats64 {
        rx_packets: at(1),
        rx_bytes: at(2),
        tx_packets: at(9),
        tx_bytes: at(10),
        rx_errors: at(18),
        tx_errors: at(19),
        multicast: at(28),
        rx_frame_errors: at(36),
        ..Stats64::default()
    })
}
