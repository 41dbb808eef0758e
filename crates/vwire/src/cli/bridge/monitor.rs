//! `bridge monitor`: tells what changes of bridges, their ports and what they know, as it changes.
//!
//! As `bridge` it knows devices by the names that they had when it started; as vwire, by those that they have now. In
//! JSON, which `bridge` has not here, each change is an object on a line.

use std::os::unix::ffi::OsStrExt;

use vwire_netlink::wire::vni::VniFilter;
use vwire_netlink::wire::{Body, Mdb};
use vwire_netlink::{BridgeLink, Event, Group, Link, MessageType, Monitor, Namespaces, Neighbour, VlanDb};

use super::kernel::devices;
use super::{BROKEN, mdb};
use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE, errno_sentence};
use crate::cli::ip::kernel::NAME_ONLY;
use crate::cli::ip::monitor::clock::Clock;
use crate::cli::ip::monitor::saved_time;
use crate::cli::ip::words::{Keyword, Words, exact, find, prefix, shown};
use crate::cli::ip::{Failure, Ip, Persona, saved};
use crate::out::bridge::fdb::FdbStyle;
use crate::out::bridge::{self, Devices};
use crate::out::monitor::{self, Change, Heading, Subject, Time, TimeStyle};
use crate::out::{Layout, Printer};

/// What `bridge monitor help` says.
const HELP: &str = "\
Usage: bridge monitor [ all | OBJECT... ] [ file FILE ]

OBJECT: link  fdb  mdb  vlan  vni
all     puts the sort of object in front of each change
file    tells what `rtmon` has saved in the file

Without an object, links, addresses and groups are watched. `-t` tells when.
";

/// `NLMSG_TSTAMP`: `rtmon` writes the time of what follows.
const TIMESTAMP: u16 = 15;
/// `AF_UNSPEC`.
const UNSPEC: u8 = 0;
/// `AF_BRIDGE`.
const FAMILY: u8 = 7;

const LINK: Subject = Subject { name: "link", label: "[LINK]" };
const FDB: Subject = Subject { name: "fdb", label: "[NEIGH]" };
const MDB: Subject = Subject { name: "mdb", label: "[MDB]" };
const VLAN: Subject = Subject { name: "vlan", label: "[VLAN]" };
const VNI: Subject = Subject { name: "vni", label: "[TUNNEL]" };

/// A word of the command.
#[derive(Clone, Copy)]
enum Word {
    File,
    Object(Group),
    All,
    Help,
}

const WORDS: &[Keyword<Word>] = &[
    prefix("file", Word::File),
    prefix("link", Word::Object(Group::LINK)),
    prefix("fdb", Word::Object(Group::NEIGH)),
    prefix("mdb", Word::Object(Group::MDB)),
    prefix("vlan", Word::Object(Group::BRVLAN)),
    exact("vni", Word::Object(Group::TUNNEL)),
    exact("all", Word::All),
    prefix("help", Word::Help),
];

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked<'a> {
    groups: Vec<Group>,
    labelled: bool,
    file: Option<&'a [u8]>,
}

fn read<'a>(words: &mut Words<'a>) -> Result<Asked<'a>, Failure> {
    let mut asked = Asked::default();
    while let Some(word) = words.next() {
        match find(WORDS, word) {
            Some(Word::File) => asked.file = Some(words.value()?),
            Some(Word::Object(group)) => asked.groups.push(group),
            Some(Word::All) => {
                asked.labelled = true;
                asked.groups.extend([Group::LINK, Group::NEIGH, Group::MDB, Group::BRVLAN, Group::TUNNEL]);
            }
            Some(Word::Help) => return Err(Failure::usage(HELP)),
            None => {
                let word = shown(word);
                let message = format!("Argument \"{word}\" is unknown, try \"bridge monitor help\".");
                return Err(Failure::new(EXIT_USAGE, message, format!("`{word}` is nothing that changes"))
                    .hint("`vwire bridge monitor help` lists what can be watched"));
            }
        }
    }
    if asked.groups.is_empty() {
        asked.groups = vec![Group::LINK, Group::NEIGH, Group::MDB];
    }
    Ok(asked)
}

/// Tells changes until something ends it.
///
/// # Errors
/// A wrong word, or the kernel refuses to tell.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let asked = read(words)?;
    let before = ip.printer.layout();
    // `bridge` has no JSON here.
    let json = before.json && ip.persona == Persona::Vwire;
    let layout = Layout { json, pretty: false, ..before };
    ip.printer = Printer::new(layout);
    let mut watch = Watch { clock: Clock::read(), layout, labelled: asked.labelled, devices: Devices::default() };
    let result = match asked.file {
        Some(file) => watch.replay(ip, file),
        None => watch.run(ip, &asked.groups),
    };
    ip.printer = Printer::new(before);
    result
}

struct Watch {
    clock: Clock,
    layout: Layout,
    labelled: bool,
    devices: Devices,
}

/// A change that was received.
#[derive(Clone, Copy)]
struct Told<'a> {
    message_type: MessageType,
    payload: &'a [u8],
    time: Time,
}

impl Watch {
    fn run(&mut self, ip: &mut Ip<'_>, groups: &[Group]) -> Result<(), Failure> {
        let mut monitor = Monitor::open(groups, Namespaces::Own).map_err(|error| {
            let reason = errno_sentence(error.source.raw_os_error().unwrap_or_default());
            Failure::new(EXIT_SEMANTIC, format!("{}: {reason}", error.step), reason)
                .trying("cannot be told of changes by the kernel")
        })?;
        self.devices = devices(ip)?;
        loop {
            match monitor.next(None) {
                Ok(Some(Event::Change { message, .. })) => {
                    let (message_type, time) = (message.header.message_type, self.clock.now());
                    let told = Told { message_type, payload: &message.payload, time };
                    if !self.tell(ip, told)? {
                        return Ok(());
                    }
                }
                Ok(Some(Event::Overrun)) => match ip.persona {
                    Persona::Ip => ip.say(b"netlink receive error No buffer space available (105)\n"),
                    Persona::Vwire => ip.say(
                        b"warning: the kernel has dropped changes that were not read in time\n\
                          hint: `vwire bridge link` and `vwire bridge fdb` show what is there now\n",
                    ),
                },
                Ok(None) => {}
                Err(error) => {
                    let errno = error.raw_os_error().unwrap_or_default();
                    let reason = errno_sentence(errno);
                    return Err(Failure::new(BROKEN, format!("netlink receive error {reason} ({errno})"), reason)
                        .trying("cannot receive what the kernel tells"));
                }
            }
        }
    }

    fn replay(&mut self, ip: &mut Ip<'_>, file: &[u8]) -> Result<(), Failure> {
        let bytes = std::fs::read(std::ffi::OsStr::from_bytes(file)).map_err(|error| {
            let reason = errno_sentence(error.raw_os_error().unwrap_or_default());
            Failure::new(EXIT_USAGE, format!("Cannot fopen: {reason}"), reason)
                .trying(format!("cannot read `{}`", shown(file)))
        })?;
        let (messages, end) = saved::cut_behind(0, &bytes);
        let mut time = self.clock.now();
        for message in messages {
            let message_type = message.header.message_type;
            if message_type.0 == TIMESTAMP {
                time = self.clock.at(saved_time(message.payload));
                monitor::print_time(&mut ip.printer, &time);
            } else if !self.tell(ip, Told { message_type, payload: message.payload, time })? {
                return Ok(());
            }
        }
        let _ = ip.flush();
        end.map_err(|failure| failure.with_exit(super::RETURNED))
    }

    /// Tells a change; false where nobody reads any more.
    fn tell(&mut self, ip: &mut Ip<'_>, told: Told<'_>) -> Result<bool, Failure> {
        match MessageType(told.message_type.0 & !3) {
            MessageType::NEWLINK => self.link(ip, told)?,
            MessageType::NEWNEIGH => self.entry(ip, told)?,
            MessageType::NEWMDB => self.groups(ip, told)?,
            MessageType::NEWVLAN => self.vlans(ip, told)?,
            MessageType::NEWTUNNEL => self.networks(ip, told)?,
            _ => return Ok(true),
        }
        let written = ip.flush();
        ip.printer = Printer::new(self.layout);
        Ok(written.is_ok())
    }

    fn open(&self, ip: &mut Ip<'_>, subject: Subject, told: Told<'_>) {
        let change = if told.message_type.0 & 3 == 1 { Change::Deleted } else { Change::New };
        let heading = Heading {
            subject,
            change,
            namespace: None,
            time: told.time,
            time_style: ip.options.timestamp.then_some(TimeStyle::Long),
            labelled: self.labelled,
        };
        monitor::open(&mut ip.printer, &heading);
    }

    /// Asks for the names of devices that are not known.
    fn know(&mut self, ip: &mut Ip<'_>, indexes: impl IntoIterator<Item = Option<u32>>) -> Result<(), Failure> {
        for index in indexes.into_iter().flatten().filter(|index| *index != 0) {
            if !self.devices.knows(index)
                && let Some(link) = ip.link(index, NAME_ONLY)?
            {
                self.devices.learn(&link);
            }
        }
        Ok(())
    }

    fn link(&mut self, ip: &mut Ip<'_>, told: Told<'_>) -> Result<(), Failure> {
        let Ok(link) = BridgeLink::parse(told.payload) else { return Ok(()) };
        if link.family != UNSPEC && link.family != FAMILY {
            return Ok(());
        }
        if ip.persona == Persona::Vwire && told.message_type == MessageType::NEWLINK {
            Link::parse(told.payload).iter().for_each(|link| self.devices.learn(link));
        }
        let backup = link.protinfo.as_ref().and_then(|port| port.backup_port);
        let lower = link.link.filter(|_| link.link_netnsid.is_none());
        self.know(ip, [Some(link.index).filter(|_| link.ifname.is_none()), link.master, lower, backup])?;
        self.open(ip, LINK, told);
        bridge::link::print(&mut ip.printer, &link, ip.options.details > 0, &self.devices);
        monitor::close(&mut ip.printer);
        Ok(())
    }

    fn entry(&mut self, ip: &mut Ip<'_>, told: Told<'_>) -> Result<(), Failure> {
        let Ok(entry) = Neighbour::parse(told.payload) else { return Ok(()) };
        if entry.family != FAMILY {
            return Ok(());
        }
        let way = entry.ifindex.filter(|_| entry.link_netnsid.is_none());
        self.know(ip, [Some(entry.index), entry.master, way])?;
        let style = FdbStyle { device: true, statistics: ip.options.stats > 0, details: ip.options.details > 0 };
        self.open(ip, FDB, told);
        bridge::fdb::print(&mut ip.printer, &entry, style, &self.devices);
        monitor::close(&mut ip.printer);
        Ok(())
    }

    fn groups(&mut self, ip: &mut Ip<'_>, told: Told<'_>) -> Result<(), Failure> {
        let Ok(message) = Mdb::parse(told.payload) else { return Ok(()) };
        let routers = message.router.iter().flat_map(|routers| &routers.port).map(|port| Some(port.index));
        let ports = mdb::members(&message).flat_map(|member| [Some(member.index), member.ifindex]);
        self.know(ip, ports.chain(routers).chain([Some(message.index)]))?;
        let style = mdb::style(ip);
        self.open(ip, MDB, told);
        let p = &mut ip.printer;
        if message.mdb.is_some() {
            p.open_array(Some("mdb"));
            for member in mdb::members(&message) {
                bridge::mdb::print(p, message.index, member, &style, &self.devices);
            }
            p.close_array();
        }
        if let Some(routers) = &message.router {
            p.open_object(Some("router"));
            bridge::mdb::print_router_change(p, message.index, routers, &self.devices);
            p.close_object();
        }
        monitor::close(p);
        Ok(())
    }

    fn vlans(&mut self, ip: &mut Ip<'_>, told: Told<'_>) -> Result<(), Failure> {
        let Ok(message) = VlanDb::parse(told.payload) else { return Ok(()) };
        self.know(ip, [Some(message.index)])?;
        self.open(ip, VLAN, told);
        let mut options = bridge::vlan::Options::new(0, ip.options.stats > 0);
        let p = &mut ip.printer;
        p.open_array(Some("ports"));
        for entry in &message.entry {
            options.print(p, message.index, entry, &self.devices);
        }
        for global in &message.global_options {
            options.print_global(p, message.index, global, &self.devices);
        }
        options.close(p);
        p.close_array();
        monitor::close(p);
        Ok(())
    }

    fn networks(&mut self, ip: &mut Ip<'_>, told: Told<'_>) -> Result<(), Failure> {
        let Ok(message) = VniFilter::parse(told.payload) else { return Ok(()) };
        self.know(ip, [Some(message.index)])?;
        self.open(ip, VNI, told);
        let p = &mut ip.printer;
        p.open_array(Some("devices"));
        bridge::vni::print(p, &message, &self.devices);
        p.close_array();
        monitor::close(p);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn asked(line: &str) -> Result<(Vec<Group>, bool), Failure> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        read(&mut Words::new(&words)).map(|asked| (asked.groups, asked.labelled))
    }

    #[test]
    fn what_is_watched_may_be_named_and_cut_short() {
        assert_eq!(asked("l m").unwrap().0, [Group::LINK, Group::MDB]);
        assert_eq!(asked("").unwrap(), (vec![Group::LINK, Group::NEIGH, Group::MDB], false));
        assert!(asked("all").unwrap().1);
        assert_eq!(asked("nosuch").unwrap_err().exit(), 255);
    }
}
