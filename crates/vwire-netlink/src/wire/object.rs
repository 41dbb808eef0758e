//! A message of any type, read into the body that its type says.

use super::bridge::{BridgeLink, VlanDb};
use super::label::AddressLabel;
use super::mdb::Mdb;
use super::message::MessageType;
use super::names::Names;
use super::neighbour::Neighbour;
use super::neighbour_table::NeighbourTable;
use super::netconf::Netconf;
use super::nexthop::Nexthop;
use super::prefix::Prefix;
use super::qdisc::Qdisc;
use super::route::Route;
use super::rule::Rule;
use super::stats::LinkStats;
use super::vni::VniFilter;
use super::{Address, Body, Link, MalformedBody, NamespaceId};

/// `AF_BRIDGE`.
const AF_BRIDGE: u8 = 7;

macro_rules! objects {
    ($($(#[$meta:meta])* $Object:ident($Body:ident): $Type:ident $(of $family:ident)?,)*) => {
        /// What a message is about.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Object {
            $($(#[$meta])* $Object(Box<$Body>),)*
            /// A message of a type that is not known here.
            Unknown,
        }

        impl Object {
            /// Reads the payload of a message.
            ///
            /// # Errors
            ///
            /// [`MalformedBody`] as [`Body::parse`].
            pub fn parse(message_type: MessageType, payload: &[u8]) -> Result<Self, MalformedBody> {
                let is_bridge = payload.first() == Some(&AF_BRIDGE);
                match (family_of(message_type), is_bridge) {
                    $((MessageType::$Type, objects!(@family $($family)?)) => $Body::parse(payload).map(|body| Self::$Object(Box::new(body))),)*
                    _ => Ok(Self::Unknown),
                }
            }
        }

        /// Returns the length of the fixed header and the names of the attributes of a message.
        pub(crate) fn layout(message_type: MessageType, family: u8) -> Option<(usize, &'static Names)> {
            match (family_of(message_type), family == AF_BRIDGE) {
                $((MessageType::$Type, objects!(@family $($family)?)) => Some(($Body::HEADER_LEN, $Body::NAMES)),)*
                _ => None,
            }
        }
    };
    (@family) => { _ };
    (@family bridge) => { true };
}

objects! {
    /// A bridge or a port of one.
    BridgeLink(BridgeLink): NEWLINK of bridge,
    /// A link.
    Link(Link): NEWLINK,
    /// Other names of a link.
    LinkProperties(Link): NEWLINKPROP,
    /// An address.
    Address(Address): NEWADDR,
    /// A multicast address.
    Multicast(Address): NEWMULTICAST,
    /// An anycast address.
    Anycast(Address): NEWANYCAST,
    /// A route.
    Route(Route): NEWROUTE,
    /// A rule.
    Rule(Rule): NEWRULE,
    /// A neighbour, or an address that a bridge knows.
    Neighbour(Neighbour): NEWNEIGH,
    /// A table of neighbours, or a link's settings in one.
    NeighbourTable(NeighbourTable): NEWNEIGHTBL,
    /// A next hop.
    Nexthop(Nexthop): NEWNEXTHOP,
    /// The id of a namespace.
    NamespaceId(NamespaceId): NEWNSID,
    /// Sysctls of a link.
    Netconf(Netconf): NEWNETCONF,
    /// A prefix that a router advertised.
    Prefix(Prefix): NEWPREFIX,
    /// A queueing discipline of a link.
    Qdisc(Qdisc): NEWQDISC,
    /// The label of a prefix.
    AddressLabel(AddressLabel): NEWADDRLABEL,
    /// Counters of a link.
    LinkStats(LinkStats): NEWSTATS,
    /// VLANs of a bridge.
    VlanDb(VlanDb): NEWVLAN,
    /// Groups that a bridge knows.
    Mdb(Mdb): NEWMDB,
    /// Networks that a VXLAN takes.
    VniFilter(VniFilter): NEWTUNNEL,
}

/// Returns the first of the four types of a family: new, del, get, set.
fn family_of(message_type: MessageType) -> MessageType {
    MessageType(message_type.0 & !3)
}
