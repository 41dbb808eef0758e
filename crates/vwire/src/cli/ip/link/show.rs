//! `ip link show`: lists links, all or those that a filter lets pass.

use vwire_netlink::{Link, LinkFilter, Request};

use crate::cli::ip::address::{self, filter::pass_over};
use crate::cli::ip::words::{Words, begins};
use crate::cli::ip::{Failure, Ip, Persona};
use crate::out::Printer;
use crate::out::address::AddressNames;
use crate::out::counters::CounterStyle;
use crate::out::link::{self, LinkStyle};
use crate::snapshot::names::{self, Tables};

/// `IFF_UP`.
const UP: u32 = 1;
/// `RTEXT_FILTER_VF` (`linux/rtnetlink.h`).
const EXT_VF: u32 = 1;
/// `RTEXT_FILTER_SKIP_STATS`.
const EXT_SKIP_STATS: u32 = 1 << 3;

/// Which links are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The name of one device.
    pub device: Option<Vec<u8>>,
    /// Only those that are up.
    pub up: bool,
    /// Only those that are down.
    pub down: bool,
    /// What it must be a port of: all that were named are looked up, and the last one holds.
    pub masters: Vec<Master>,
    /// Only those of this group.
    pub group: Option<u32>,
    /// Only those of this kind.
    pub kind: Option<Vec<u8>>,
    /// Only the ports of a master of this kind.
    pub slave_kind: Option<Vec<u8>>,
    /// Without the virtual functions.
    pub no_vf: bool,
}

/// What a link must be a port of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Master {
    /// Of the device with this name.
    Named(Vec<u8>),
    /// Of the VRF with this name.
    Vrf(Vec<u8>),
    /// Of nothing.
    None,
}

/// Runs `ip link show`.
///
/// # Errors
/// A wrong word, a device that is not there, or what the kernel refuses.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    // vwire does not pass over what it was told.
    let passed_over = (ip.persona == Persona::Ip).then(|| address::names_to_read(ip));
    let (filter, end) = read(&ip.tables, words, passed_over.as_ref());
    let mut master = None;
    for named in &filter.masters {
        master = match named {
            Master::None => None,
            Master::Named(name) => Some(master_index(ip, name)?),
            Master::Vrf(name) => Some(vrf_index(ip, name)?),
        };
    }
    end?;
    match &filter.device {
        Some(name) => show_one(ip, name, &filter, master),
        None => show_all(ip, &filter, master),
    }
}

/// Reads the words behind `show`, up to the first that does not fit: masters that stand before it are looked up first.
///
/// `passed_over` has the names of scopes, where words about addresses are passed over.
pub fn read(
    tables: &Tables,
    words: &mut Words<'_>,
    passed_over: Option<&AddressNames>,
) -> (Filter, Result<(), Failure>) {
    let mut filter = Filter::default();
    let end = filter.take_all(tables, words, passed_over);
    (filter, end)
}

impl Filter {
    fn take_all(
        &mut self,
        tables: &Tables,
        words: &mut Words<'_>,
        passed_over: Option<&AddressNames>,
    ) -> Result<(), Failure> {
        while let Some(word) = words.next() {
            match word {
                b"up" => self.up = true,
                b"down" => self.down = true,
                b"group" => {
                    let value = words.value()?;
                    let group = tables.number(names::GROUPS, value);
                    self.group = Some(group.ok_or_else(|| Failure::invalid(value, "Invalid \"group\" value\n"))?);
                }
                b"master" => self.masters.push(Master::Named(words.value()?.to_vec())),
                b"vrf" => self.masters.push(Master::Vrf(words.value()?.to_vec())),
                b"nomaster" => self.masters.push(Master::None),
                b"type" => {
                    let kind = words.value()?;
                    match kind.strip_suffix(b"_slave") {
                        Some(master) => self.slave_kind = Some(master.to_vec()),
                        None => self.kind = Some(kind.to_vec()),
                    }
                }
                b"novf" => self.no_vf = true,
                name => {
                    if let Some(names) = passed_over
                        && pass_over(name, words, names)?
                    {
                        continue;
                    }
                    let name = match name {
                        b"dev" => words.value()?,
                        name if begins("help", name) => return Err(super::help::usage()),
                        name => name,
                    };
                    if self.device.is_some() {
                        return Err(Failure::duplicate_or_garbage("dev", name));
                    }
                    self.device = Some(name.to_vec());
                }
            }
        }
        Ok(())
    }

    /// Returns whether a link passes.
    #[must_use]
    pub fn passes(&self, link: &Link, master: Option<u32>) -> bool {
        let is_up = link.flags & UP != 0;
        let kind_is = |wanted: &Option<Vec<u8>>, kind: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| kind.unwrap_or_default().as_bytes() == wanted.as_slice())
        };
        (is_up || !self.up)
            && (!is_up || !self.down)
            && self.is_of_group(link)
            && master.is_none_or(|master| link.master == Some(master))
            && self.is_free(link)
            && kind_is(&self.kind, link.kind())
            && kind_is(&self.slave_kind, link.slave_kind())
    }

    fn is_of_group(&self, link: &Link) -> bool {
        self.group.is_none_or(|group| link.group.is_none_or(|of| of == group))
    }

    fn is_free(&self, link: &Link) -> bool {
        self.masters.last() != Some(&Master::None) || link.master.is_none()
    }
}

pub(in crate::cli::ip) fn master_index(ip: &mut Ip<'_>, name: &[u8]) -> Result<u32, Failure> {
    ip.device(name)?.ok_or_else(|| {
        Failure::invalid(name, "Device does not exist\n").hint("`vwire ls` shows the devices of this namespace")
    })
}

pub(in crate::cli::ip) fn vrf_index(ip: &mut Ip<'_>, name: &[u8]) -> Result<u32, Failure> {
    let not_one =
        || Failure::invalid(name, "Not a valid VRF name\n").hint("`vwire link show type vrf` lists those there are");
    let index = ip.device(name)?.ok_or_else(not_one)?;
    let link = ip.link(index, EXT_SKIP_STATS)?.ok_or_else(not_one)?;
    if link.kind() == Some("vrf") { Ok(index) } else { Err(not_one()) }
}

fn show_one(ip: &mut Ip<'_>, name: &[u8], filter: &Filter, master: Option<u32>) -> Result<(), Failure> {
    let missing = || Failure::device_does_not_exist(name);
    let ext_mask = ext_mask(ip, filter);
    if let Some(link) = ip.link_named(name, ext_mask)? {
        return show(ip, vec![link], filter, master);
    }
    let index = ip.device(name)?.ok_or_else(missing)?;
    let wanted = Link { index, ext_mask: Some(ext_mask), ..Link::default() };
    let link = ip.socket()?.get::<Link>(&Request::get_link(&wanted)).map_err(|error| {
        let failure = super::super::kernel::refusal(&error);
        failure.trying(format!("cannot show `{}`", String::from_utf8_lossy(name)))
    })?;
    show(ip, vec![link], filter, master)
}

fn show_all(ip: &mut Ip<'_>, filter: &Filter, master: Option<u32>) -> Result<(), Failure> {
    let kind = filter.kind.as_ref().and_then(|kind| String::from_utf8(kind.clone()).ok());
    let virtual_functions = !filter.no_vf;
    let links = ip.links(LinkFilter { kind, master, virtual_functions, ..LinkFilter::default() })?;
    show(ip, links, filter, master)
}

fn ext_mask(ip: &Ip<'_>, filter: &Filter) -> u32 {
    let stats = if ip.options.stats == 0 { EXT_SKIP_STATS } else { 0 };
    let functions = if filter.no_vf { 0 } else { EXT_VF };
    stats | functions
}

fn show(ip: &mut Ip<'_>, links: Vec<Link>, filter: &Filter, master: Option<u32>) -> Result<(), Failure> {
    let context = ip.context(&links)?;
    let style = style(ip);
    let brief = ip.options.brief;
    // `ip` leaves an empty object in the place of a link that does not pass, of some filters; only as `ip` do we.
    let is_ip = ip.persona == Persona::Ip;
    ip.printer.open_document();
    for link in &links {
        let passes = filter.passes(link, master);
        if passes || (is_ip && filter.is_of_group(link) && filter.is_free(link)) {
            ip.printer.open_object(None);
            if passes {
                print_record(&mut ip.printer, link, style, brief, &context);
            }
            ip.printer.close_object();
            ip.flush_if_much();
        }
    }
    ip.printer.close_document();
    Ok(())
}

/// Prints what the kernel answers to `-echo`: the link that was changed, if it tells one.
///
/// # Errors
/// The socket cannot be opened.
pub fn echo(ip: &mut Ip<'_>, changed: Option<(&Link, Fate)>) -> Result<(), Failure> {
    let style = LinkStyle { is_link: false, queue_length: false, ..style(ip) };
    let brief = ip.options.brief;
    let context = ip.context(&changed.iter().map(|(link, _)| (*link).clone()).collect::<Vec<_>>())?;
    let p = &mut ip.printer;
    p.open_document();
    p.open_object(None);
    if let Some((link, fate)) = changed {
        if fate == Fate::Deleted {
            p.mark("deleted", "Deleted ");
        }
        if brief {
            link::print_brief(p, link, style.is_link, &context);
        } else {
            link::print(p, link, style, &context);
            p.end_line();
        }
    }
    p.close_object();
    p.close_document();
    Ok(())
}

/// What became of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is there.
    Changed,
    /// It is gone.
    Deleted,
}

fn print_record(p: &mut Printer, link: &Link, style: LinkStyle, brief: bool, context: &link::Context) {
    if brief {
        link::print_brief(p, link, style.is_link, context);
    } else {
        link::print(p, link, style, context);
    }
    p.end_line();
}

fn style(ip: &Ip<'_>) -> LinkStyle {
    let options = &ip.options;
    LinkStyle {
        details: options.details,
        counters: CounterStyle { level: options.stats, human: options.human, iec: options.iec },
        is_link: true,
        link_line: true,
        queue_length: true,
        numeric: options.numeric,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn filter(line: &str) -> Result<Filter, Failure> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let (filter, end) = read(&Tables::default(), &mut Words::new(&words), None);
        end.map(|()| filter)
    }

    #[test]
    fn a_lone_word_is_a_device() {
        assert_eq!(filter("tap0").unwrap().device.unwrap(), b"tap0");
        assert_eq!(filter("dev up").unwrap().device.unwrap(), b"up");
        assert_eq!(filter("dev help").unwrap().device.unwrap(), b"help");
        assert!(filter("up").unwrap().up);
        assert_eq!(filter("a b").unwrap_err().exit(), 255);
    }

    #[test]
    fn a_kind_may_be_that_of_the_master() {
        assert_eq!(filter("type veth").unwrap().kind.unwrap(), b"veth");
        assert_eq!(filter("type bridge_slave").unwrap().slave_kind.unwrap(), b"bridge");
    }

    #[test]
    fn filters_hold_together() {
        let up = Link { flags: UP, group: Some(7), ..Link::default() };
        assert!(filter("up group 7").unwrap().passes(&up, None));
        assert!(!filter("down").unwrap().passes(&up, None));
        assert!(!filter("up group 8").unwrap().passes(&up, None));
        assert!(!filter("type veth").unwrap().passes(&up, None));
        assert!(filter("nomaster").unwrap().passes(&up, None));
    }
}
