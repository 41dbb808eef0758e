//! Steps: one change each, as plain data that can be shown and sent. Pure.

use vwire_netlink::wire::MessageType;
use vwire_netlink::wire::link::KindData;
use vwire_netlink::wire::link::tun::Tun;
use vwire_netlink::wire::link::veth::Veth;
use vwire_netlink::{Address, AddressLabel, BridgeLink, Create, Link, Neighbour, Nexthop, Request, Route, Rule};

use super::words;
use super::world::{Names, Place};

/// A change in one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where.
    pub place: Place,
    /// What is done.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Makes, changes or deletes an object, by one request.
    Object {
        /// What is done with it.
        verb: Verb,
        /// The object, as the request says it.
        object: Object,
        /// What was there before, in `ip`'s words.
        was: Option<String>,
    },
    /// Writes a sysctl.
    Sysctl {
        /// Its name with dots, a dot in a link's name as `/`.
        name: String,
        /// What is written.
        value: String,
        /// What was there before.
        was: Option<String>,
    },
    /// Makes a TUN or TAP device that stays, which no netlink message can: kind data say which.
    Tuntap {
        /// The device.
        link: Box<Link>,
    },
    /// Sends requests of whatever sort: of tc, or as one transaction of a subsystem of netfilter (nftables).
    Other {
        /// The subsystem of netfilter (`NFNL_SUBSYS_*`); rtnetlink if there is none.
        subsystem: Option<u8>,
        /// What is sent.
        requests: Vec<Request>,
        /// How it is shown.
        words: String,
    },
}

/// What is done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Made; it must not be there.
    Add,
    /// Made, beside others like it.
    Create,
    /// Made, behind others like it.
    Append,
    /// Made, or put in the place of one like it.
    Replace,
    /// Changed.
    Set,
    /// Deleted.
    Delete,
}

/// An object, as a request says it.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// A link.
    Link {
        /// The link.
        link: Box<Link>,
        /// The place that it is made in or moved to, where that is another one.
        into: Option<Place>,
        /// The other end of a cable, and its place.
        peer: Option<(Box<Link>, Place)>,
    },
    /// Other names of a link.
    LinkNames(Box<Link>),
    /// An address.
    Address(Box<Address>),
    /// A route.
    Route(Box<Route>),
    /// A rule.
    Rule(Box<Rule>),
    /// A neighbour.
    Neighbour(Box<Neighbour>),
    /// What a bridge or a VXLAN knows.
    Forwarding(Box<Neighbour>),
    /// A next hop.
    Nexthop(Box<Nexthop>),
    /// A label.
    Label(Box<AddressLabel>),
    /// VLANs of a bridge or a port.
    Vlans(Box<BridgeLink>),
}

impl Verb {
    fn flags(self) -> u16 {
        match self {
            Self::Add => Create::Exclusive.flags(),
            Self::Create => Create::OrChange.flags(),
            Self::Append => Create::Append.flags(),
            Self::Replace => Create::OrReplace.flags(),
            Self::Set | Self::Delete => 0,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Add | Self::Create => "add",
            Self::Append => "append",
            Self::Replace => "replace",
            Self::Set => "set",
            Self::Delete => "del",
        }
    }
}

/// `NLM_F_EXCL`, which goes with names that are added.
const EXCLUSIVE: u16 = 0x200;

impl Object {
    /// Returns the request; `descriptor` says by which file descriptor a namespace is named in it.
    pub fn request(&self, verb: Verb, descriptor: impl Fn(Place) -> Option<u32>) -> Request {
        let kind = |new: MessageType, delete: MessageType| if verb == Verb::Delete { delete } else { new };
        let flags = verb.flags();
        match self {
            Self::Link { link, into, peer } => {
                let mut link = link.as_ref().clone();
                link.net_ns_fd = into.and_then(&descriptor);
                if let Some((peer, place)) = peer {
                    let end = Link { net_ns_fd: descriptor(*place), ..peer.as_ref().clone() };
                    link.linkinfo.get_or_insert_default().data = Some(KindData::from(Veth::with_peer(end)));
                }
                Request::new(kind(MessageType::NEWLINK, MessageType::DELLINK), flags, &link)
            }
            Self::LinkNames(link) => {
                let flags = if verb == Verb::Delete { 0 } else { Create::Append.flags() | EXCLUSIVE };
                Request::new(kind(MessageType::NEWLINKPROP, MessageType::DELLINKPROP), flags, link.as_ref())
            }
            Self::Address(body) => Request::new(kind(MessageType::NEWADDR, MessageType::DELADDR), flags, body.as_ref()),
            Self::Route(body) => Request::new(kind(MessageType::NEWROUTE, MessageType::DELROUTE), flags, body.as_ref()),
            Self::Rule(body) => Request::new(kind(MessageType::NEWRULE, MessageType::DELRULE), flags, body.as_ref()),
            Self::Neighbour(body) | Self::Forwarding(body) => {
                Request::new(kind(MessageType::NEWNEIGH, MessageType::DELNEIGH), flags, body.as_ref())
            }
            Self::Nexthop(body) => {
                Request::new(kind(MessageType::NEWNEXTHOP, MessageType::DELNEXTHOP), flags, body.as_ref())
            }
            Self::Label(body) => {
                Request::new(kind(MessageType::NEWADDRLABEL, MessageType::DELADDRLABEL), flags, body.as_ref())
            }
            Self::Vlans(body) => Request::new(kind(MessageType::SETLINK, MessageType::DELLINK), 0, body.as_ref()),
        }
    }

    fn describe(&self, verb: Verb, names: &Names, place: Place) -> String {
        let verb = verb.word();
        match self {
            Self::Link { link, into, peer } => {
                let own = link.ifname.filter(|_| verb != "set").map(|name| name.to_string());
                let name = own.unwrap_or_else(|| names.link(place, link.index));
                let mut said = format!("link {verb} {name}");
                let netns = into.and_then(|into| Some(format!("netns {}", names.place(into)?))).unwrap_or_default();
                let own = into.filter(|_| verb == "add").unwrap_or(place);
                // Behind the kind stand options of it alone.
                let words = match verb {
                    "set" => [words::link(link, names, place, own), netns],
                    "add" => [netns, words::link(&Link { ifname: None, ..link.as_ref().clone() }, names, place, own)],
                    _ => [String::new(), netns],
                };
                for words in words.iter().filter(|words| !words.is_empty()) {
                    said.push(' ');
                    said.push_str(words);
                }
                if let Some((peer, other)) = peer {
                    said.push_str(" peer ");
                    said.push_str(&words::link(peer, names, *other, *other));
                    if let Some(other) = names.place(*other).filter(|_| *other != place) {
                        said.push_str(&format!(" netns {other}"));
                    }
                }
                said
            }
            Self::LinkNames(link) => {
                let names_of: Vec<String> = link.alt_names().iter().map(|name| format!("altname {name}")).collect();
                format!("link property {verb} dev {} {}", names.link(place, link.index), names_of.join(" "))
            }
            Self::Address(body) => format!("addr {verb} {}", words::address(body, names, place)),
            Self::Route(body) => format!("route {verb} {}", words::route(body, names, place)),
            Self::Rule(body) => format!("rule {verb} {}", words::rule(body)),
            Self::Neighbour(body) => format!("neigh {verb} {}", words::neighbour(body, names, place)),
            Self::Forwarding(body) => format!("fdb {verb} {}", words::forwarding(body, names, place)),
            Self::Nexthop(body) => format!("nexthop {verb} {}", words::nexthop(body, names, place)),
            Self::Label(body) => format!("addrlabel {verb} {}", words::label(body, names, place)),
            Self::Vlans(body) => {
                let list = body.af_spec.as_ref().map(|spec| words::vlans(&spec.vlan_info)).unwrap_or_default();
                format!("vlan {verb} dev {} vid {list}", names.link(place, body.index))
            }
        }
    }
}

impl Step {
    /// Returns whether it makes or deletes something that the kernel makes and takes away by itself, sooner or later.
    pub(super) fn is_kernels_work(&self) -> bool {
        match &self.action {
            Action::Object { object: Object::Route(route), .. } => super::route::is_kernels(route),
            Action::Object { object: Object::Address(address), .. } => super::address::is_kernels(address),
            _ => false,
        }
    }

    /// Says the step in `ip`'s own words: `alice: link set eth0 mtu 1400 (was mtu 1500)`.
    #[must_use]
    pub fn describe(&self, names: &Names) -> String {
        let with_was = |said: String, was: &Option<String>| match was {
            Some(was) => format!("{said} (was {was})"),
            None => said,
        };
        let said = match &self.action {
            Action::Object { verb, object, was } => with_was(object.describe(*verb, names, self.place), was),
            Action::Sysctl { name, value, was } => with_was(format!("sysctl {name} = {value}"), was),
            Action::Tuntap { link } => {
                let name = link.ifname.map(|name| name.to_string()).unwrap_or_default();
                let tun = match link.kind_data() {
                    Some(KindData::Tun(tun)) => tun.as_ref().clone(),
                    _ => Tun::default(),
                };
                words::tuntap(&name, &tun)
            }
            Action::Other { words, .. } => words.clone(),
        };
        names.at(self.place, &said)
    }
}
