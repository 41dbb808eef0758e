//! Tells one change: reads the message, leaves out what is not asked for, and prints it behind its heading.

use vwire_netlink::wire::prefix::Prefix;
use vwire_netlink::wire::stats::LinkStats;
use vwire_netlink::wire::{AddressLabel, Body, MalformedBody};
use vwire_netlink::{Address, Link, MessageType, NamespaceId, Neighbour, Netconf, Nexthop, Route, Rule};

use super::known::Known;
use super::state::{Told, family_of, is_deletion};
use crate::cli::ip::{Failure, Ip, Persona};
use crate::out::counters::CounterStyle;
use crate::out::link::{self, LinkStyle};
use crate::out::monitor::{self, Change, Heading, Subject, Time, TimeStyle};
use crate::out::mroute::{self, FAMILY_INET, FAMILY_INET6};
use crate::out::neigh::{self, NeighbourStyle};
use crate::out::route::{Hidden, Part};
use crate::out::{address, addrlabel, hardware, netconf, nexthop, nsid, prefix, route, rule};

/// `RTM_F_CLONED`: an answer that the kernel keeps, not a route that was made.
const CLONED: u32 = 0x200;
/// `AF_INET6`.
const INET6: u8 = 10;
/// `ND_OPT_PREFIX_INFORMATION`.
const PREFIX_INFORMATION: u8 = 3;
/// `NLMSG_MIN_TYPE`: types below are netlink's own.
const MIN_TYPE: u16 = 16;

const LINK: Subject = Subject { name: "link", label: "[LINK]" };
const ADDRESS: Subject = Subject { name: "address", label: "[ADDR]" };
const MULTICAST: Subject = Subject { name: "maddress", label: "[ADDR]" };
const ANYCAST: Subject = Subject { name: "acaddress", label: "[ADDR]" };
const ROUTE: Subject = Subject { name: "route", label: "[ROUTE]" };
const RULE: Subject = Subject { name: "rule", label: "[RULE]" };
const NEIGHBOUR: Subject = Subject { name: "neigh", label: "[NEIGH]" };
const NEXTHOP: Subject = Subject { name: "nexthop", label: "[NEXTHOP]" };
const NETCONF: Subject = Subject { name: "netconf", label: "[NETCONF]" };
const NSID: Subject = Subject { name: "nsid", label: "[NSID]" };
const PREFIX: Subject = Subject { name: "prefix", label: "[PREFIX]" };
const MULTICAST_ROUTE: Subject = Subject { name: "mroute", label: "[MROUTE]" };
const STATS: Subject = Subject { name: "stats", label: "[STATS]" };
const BUCKET: Subject = Subject { name: "nexthop-bucket", label: "[NEXTHOPBUCKET]" };
const ADDRESS_LABEL: Subject = Subject { name: "addrlabel", label: "[ADDRLABEL]" };

/// Where and when something changed.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// The id of the namespace, if it is another than the monitor's.
    pub namespace: Option<i32>,
    /// When it was told.
    pub time: Time,
}

/// Tells changes.
#[derive(Debug)]
pub struct Teller {
    /// What numbers stand for.
    pub known: Known,
    /// Whether each change says its sort.
    pub labelled: bool,
    /// Whether each change says its namespace.
    pub all_namespaces: bool,
    /// The index of the only device that counts.
    pub device: Option<u32>,
}

/// What all that is told of one message has in common.
struct Telling<'a, 'b> {
    ip: &'a mut Ip<'b>,
    origin: Origin,
    change: Change,
}

impl Teller {
    /// Tells a change, unless it is left out.
    ///
    /// # Errors
    /// The socket for names cannot be opened.
    pub fn tell(&mut self, ip: &mut Ip<'_>, told: &Told, origin: Origin) -> Result<(), Failure> {
        let change = match told.message_type.0 & 3 {
            0 => Change::New,
            1 => Change::Deleted,
            _ => Change::Missed,
        };
        let is_question = change == Change::Missed && told.message_type != MessageType::GETNEIGH;
        if told.message_type.0 < MIN_TYPE || is_question {
            return Ok(());
        }
        let telling = Telling { ip, origin, change };
        let payload = &told.payload;
        match family_of(told.message_type) {
            MessageType::NEWLINK => self.link(telling, parsed(Link::parse(payload))),
            MessageType::NEWADDR => self.address(telling, ADDRESS, parsed(Address::parse(payload))),
            MessageType::NEWMULTICAST => self.address(telling, MULTICAST, parsed(Address::parse(payload))),
            MessageType::NEWANYCAST => self.address(telling, ANYCAST, parsed(Address::parse(payload))),
            MessageType::NEWROUTE => self.route(telling, parsed(Route::parse(payload))),
            MessageType::NEWRULE => self.rule(telling, parsed(Rule::parse(payload))),
            MessageType::NEWNEIGH => self.neighbour(telling, parsed(Neighbour::parse(payload))),
            MessageType::NEWNEXTHOP => self.nexthop(telling, parsed(Nexthop::parse(payload))),
            MessageType::NEWNETCONF => self.netconf(telling, parsed(Netconf::parse(payload))),
            MessageType::NEWNSID => self.namespace_id(telling, parsed(NamespaceId::parse(payload))),
            MessageType::NEWPREFIX => self.prefix(telling, parsed(Prefix::parse(payload))),
            MessageType::NEWSTATS if change == Change::New => self.stats(telling, parsed(LinkStats::parse(payload))),
            MessageType::NEWNEXTHOPBUCKET => self.bucket(telling, parsed(Nexthop::parse(payload))),
            MessageType::NEWADDRLABEL => self.address_label(telling, parsed(AddressLabel::parse(payload))),
            _ => {
                strange(telling.ip, told);
                Ok(())
            }
        }
    }

    /// Takes in what a link is called now, and tells nothing.
    pub fn learn(&mut self, told: &Told) {
        if family_of(told.message_type) == MessageType::NEWLINK
            && let Ok(link) = Link::parse(&told.payload)
        {
            match is_deletion(told.message_type) {
                true => self.known.forget(None, link.index),
                false => self.known.learn(None, &link),
            }
        }
    }

    /// Returns how a change would be told, without heading, and learns nothing from it.
    ///
    /// # Errors
    /// The socket for names cannot be opened.
    pub fn face(&mut self, ip: &mut Ip<'_>, told: &Told) -> Result<Vec<u8>, Failure> {
        let before = ip.lay_out(ip.printer.layout());
        let timestamp = std::mem::replace(&mut ip.options.timestamp, false);
        let told = self.tell(ip, told, Origin { namespace: None, time: Time::default() });
        ip.options.timestamp = timestamp;
        let face = std::mem::replace(&mut ip.printer, before).take();
        told.map(|()| face)
    }

    fn link(&mut self, told: Telling<'_, '_>, link: Option<Link>) -> Result<(), Failure> {
        let Some(link) = link else { return Ok(()) };
        let Telling { ip, origin, change } = told;
        match change {
            Change::Deleted => self.known.forget(origin.namespace, link.index),
            _ => self.known.learn(origin.namespace, &link),
        }
        if self.leaves_out(link.index) || link.ifname.is_none() {
            return Ok(());
        }
        let context = self.known.for_link(ip, origin.namespace, &link)?;
        let p = &mut ip.printer;
        let style = LinkStyle {
            details: ip.options.details,
            counters: CounterStyle { level: ip.options.stats, human: ip.options.human, iec: ip.options.iec },
            // JSON has the members of `ip -j link`; text what `ip monitor` has.
            is_link: p.is_json(),
            link_line: true,
            queue_length: p.is_json(),
            numeric: ip.options.numeric,
        };
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, LINK, change, origin));
        if ip.options.brief {
            link::print_brief(p, &link, style.is_link, context);
        } else {
            link::print(p, &link, style, context);
            p.end_line();
        }
        monitor::close(p);
        Ok(())
    }

    fn address(&mut self, told: Telling<'_, '_>, subject: Subject, address: Option<Address>) -> Result<(), Failure> {
        let Some(address) = address.filter(|address| !self.leaves_out(address.index)) else { return Ok(()) };
        let Telling { ip, origin, change } = told;
        let (device, names) = self.known.for_address(ip, origin.namespace, address.index)?;
        let p = &mut ip.printer;
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, subject, change, origin));
        match ip.options.brief && !p.is_json() {
            true => address::print_brief(p, &address),
            false => address::print(p, &address, Some(&device), names),
        }
        monitor::close(p);
        Ok(())
    }

    fn route(&mut self, told: Telling<'_, '_>, route: Option<Route>) -> Result<(), Failure> {
        let Some(route) = route else { return Ok(()) };
        let Telling { ip, origin, change } = told;
        if route.flags & CLONED != 0 {
            return Ok(());
        }
        if [FAMILY_INET, FAMILY_INET6].contains(&route.family) {
            return self.multicast_route(Telling { ip, origin, change }, &route);
        }
        if is_other_family(ip, route.family) || !self.goes_out(&route) {
            return Ok(());
        }
        // `ip` does not name the device that it was told to watch.
        let mut hidden = Hidden::default();
        if self.device.is_some() && !ip.printer.is_json() {
            hidden.parts.push(Part::Out);
        }
        let context = self.known.for_route(ip, origin.namespace, &route)?;
        let p = &mut ip.printer;
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, ROUTE, change, origin));
        route::print_facts(p, &route, context, &hidden);
        monitor::close(p);
        Ok(())
    }

    fn multicast_route(&mut self, told: Telling<'_, '_>, route: &Route) -> Result<(), Failure> {
        let Telling { ip, origin, change } = told;
        if self.leaves_out(route.iif.unwrap_or(0)) {
            return Ok(());
        }
        let context = self.known.for_route(ip, origin.namespace, route)?;
        let p = &mut ip.printer;
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, MULTICAST_ROUTE, change, origin));
        mroute::print_facts(p, route, context, &Hidden::default());
        monitor::close(p);
        Ok(())
    }

    fn goes_out(&self, route: &Route) -> bool {
        let Some(device) = self.device else { return true };
        match (route.oif, &route.multipath) {
            (Some(index), _) => index == device,
            (None, Some(many)) => many.0.iter().any(|hop| hop.index == device),
            (None, None) => true,
        }
    }

    fn rule(&mut self, told: Telling<'_, '_>, rule: Option<Rule>) -> Result<(), Failure> {
        let Telling { ip, origin, change } = told;
        let Some(rule) = rule.filter(|rule| !is_other_family(ip, rule.family)) else { return Ok(()) };
        let p = &mut ip.printer;
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, RULE, change, origin));
        rule::print(p, &rule, ip.options.details > 0, self.known.for_rule());
        monitor::close(p);
        Ok(())
    }

    fn neighbour(&mut self, told: Telling<'_, '_>, neighbour: Option<Neighbour>) -> Result<(), Failure> {
        let Telling { ip, origin, change } = told;
        let Some(neighbour) = neighbour else { return Ok(()) };
        if is_other_family(ip, neighbour.family) || self.leaves_out(neighbour.index) {
            return Ok(());
        }
        let names = self.known.for_neighbour(ip, origin.namespace, neighbour.index)?;
        let p = &mut ip.printer;
        let style = NeighbourStyle { device: self.device.is_none() || p.is_json(), statistics: ip.options.stats > 0 };
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, NEIGHBOUR, change, origin));
        match ip.options.brief {
            true => neigh::print_brief(p, &neighbour, style, names),
            false => neigh::print(p, &neighbour, style, names),
        }
        monitor::close(p);
        Ok(())
    }

    fn nexthop(&mut self, told: Telling<'_, '_>, hop: Option<Nexthop>) -> Result<(), Failure> {
        let Telling { ip, origin, change } = told;
        let Some(hop) = hop else { return Ok(()) };
        let context = self.known.for_nexthop(ip, origin.namespace, &hop)?;
        let p = &mut ip.printer;
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, NEXTHOP, change, origin));
        nexthop::print_facts(p, &hop, context);
        p.end_line();
        monitor::close(p);
        Ok(())
    }

    fn netconf(&mut self, told: Telling<'_, '_>, netconf: Option<Netconf>) -> Result<(), Failure> {
        let Telling { ip, origin, change } = told;
        let Some(netconf) = netconf else { return Ok(()) };
        if self.leaves_out(netconf.ifindex.unwrap_or(0).cast_unsigned()) {
            return Ok(());
        }
        let device = self.known.for_netconf(ip, origin.namespace, &netconf)?;
        let p = &mut ip.printer;
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, NETCONF, change, origin));
        netconf::print(p, &netconf, &device);
        monitor::close(p);
        Ok(())
    }

    fn namespace_id(&mut self, told: Telling<'_, '_>, id: Option<NamespaceId>) -> Result<(), Failure> {
        let Telling { ip, origin, change } = told;
        let Some((id, number)) = id.and_then(|id| Some((id.clone(), id.nsid?))) else { return Ok(()) };
        let name = self.known.namespace_name(ip, (number, id.current_nsid), change == Change::New)?;
        let p = &mut ip.printer;
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, NSID, change, origin));
        nsid::print(p, &id, name.as_deref());
        monitor::close(p);
        Ok(())
    }

    fn prefix(&mut self, told: Telling<'_, '_>, prefix: Option<Prefix>) -> Result<(), Failure> {
        let Telling { ip, origin, change } = told;
        let Some(prefix) = prefix else { return Ok(()) };
        let is_advertised = prefix.family == INET6 && prefix.prefix_type == PREFIX_INFORMATION;
        if !is_advertised || is_other_family(ip, INET6) {
            return Ok(());
        }
        let device = self.known.link_name(ip, origin.namespace, prefix.index)?;
        let p = &mut ip.printer;
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, PREFIX, change, origin));
        prefix::print(p, &prefix, &device);
        monitor::close(p);
        Ok(())
    }

    fn stats(&mut self, told: Telling<'_, '_>, stats: Option<LinkStats>) -> Result<(), Failure> {
        let Telling { ip, origin, change } = told;
        let Some(stats) = stats else { return Ok(()) };
        let device = self.known.link_name(ip, origin.namespace, stats.index)?;
        let p = &mut ip.printer;
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, STATS, change, origin));
        hardware::print_facts(p, &stats, &device);
        match ip.persona {
            // With `-o`, that is no end of a line.
            Persona::Ip => p.line_break(),
            Persona::Vwire => p.end_line(),
        }
        monitor::close(p);
        Ok(())
    }

    fn bucket(&mut self, told: Telling<'_, '_>, bucket: Option<Nexthop>) -> Result<(), Failure> {
        let Telling { ip, origin, change } = told;
        let Some(bucket) = bucket else { return Ok(()) };
        // `ip` never says that one is gone.
        let change = if ip.persona == Persona::Ip { Change::New } else { change };
        let p = &mut ip.printer;
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, BUCKET, change, origin));
        nexthop::print_bucket_facts(p, &bucket);
        monitor::close(p);
        Ok(())
    }

    fn address_label(&mut self, told: Telling<'_, '_>, label: Option<AddressLabel>) -> Result<(), Failure> {
        let Telling { ip, origin, change } = told;
        let Some(label) = label else { return Ok(()) };
        let device = match label.index {
            0 => None,
            index => Some(self.known.link_name(ip, origin.namespace, index)?),
        };
        let p = &mut ip.printer;
        monitor::open(p, &heading(&ip.options, self.labelled, self.all_namespaces, ADDRESS_LABEL, change, origin));
        addrlabel::print(p, &label, device.as_deref());
        monitor::close(p);
        Ok(())
    }

    fn leaves_out(&self, index: u32) -> bool {
        self.device.is_some_and(|device| device != index)
    }
}

/// Returns the body of a message; what cannot be read is passed over, since others follow.
fn parsed<T>(body: Result<T, MalformedBody>) -> Option<T> {
    body.ok()
}

fn is_other_family(ip: &Ip<'_>, family: u8) -> bool {
    let wanted = ip.options.family.number();
    wanted != 0 && wanted != family
}

fn heading(
    options: &crate::cli::ip::options::Options,
    labelled: bool,
    all_namespaces: bool,
    subject: Subject,
    change: Change,
    origin: Origin,
) -> Heading {
    let style = if options.timestamp_short { TimeStyle::Short } else { TimeStyle::Long };
    Heading {
        subject,
        change,
        namespace: all_namespaces.then_some(origin.namespace),
        time: origin.time,
        time_style: options.timestamp.then_some(style),
        labelled,
    }
}

/// Says what `ip` says of a message that it does not know.
fn strange(ip: &mut Ip<'_>, told: &Told) {
    let number = told.message_type.0;
    let length = told.payload.len() + vwire_netlink::wire::Header::LEN;
    match ip.persona {
        Persona::Ip => ip.say(
            format!(
                "Unknown message: type=0x{number:08x}({number}) flags=0x{:08x}({}) len=0x{length:08x}({length})\n",
                told.flags, told.flags
            )
            .as_bytes(),
        ),
        Persona::Vwire => ip.say(format!("warning: a change of {} is not told\n", told.message_type).as_bytes()),
    }
}
