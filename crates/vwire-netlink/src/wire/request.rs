//! Requests: messages to the kernel, in bytes and ready to be sent.

use super::attr::Builder;
use super::link::Link;
use super::mdb::MdbRequest;
use super::message::{Header, MessageType};
use super::vni::VniFilter;
use super::{Address, Body, BridgeLink, NamespaceId, Neighbour, NeighbourTable, Nexthop, Qdisc, Route, Rule, VlanDb};
use crate::name::IfIndex;

/// `NLM_F_REQUEST`.
const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`.
const ACK: u16 = 0x4;
/// `NLM_F_ECHO`.
const ECHO: u16 = 0x8;
/// `NLM_F_BULK`.
const BULK: u16 = 0x200;
/// `NLM_F_ROOT | NLM_F_MATCH`.
const DUMP: u16 = 0x300;

/// What a request to make something does with what is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// Makes it, and fails if it is there (`NLM_F_CREATE | NLM_F_EXCL`): the verb `add`.
    Exclusive,
    /// Makes it, or changes what is there (`NLM_F_CREATE`).
    OrChange,
    /// Makes it, or replaces what is there (`NLM_F_CREATE | NLM_F_REPLACE`): the verb `replace`.
    OrReplace,
    /// Makes it behind what is there (`NLM_F_CREATE | NLM_F_APPEND`): the verb `append`.
    Append,
    /// Replaces what is there, and fails if nothing is (`NLM_F_REPLACE`): the verb `change`.
    Replace,
    /// Changes what is there (no flag): the verb `set`.
    Change,
}

impl Create {
    /// Returns `NLM_F_*`.
    pub fn flags(self) -> u16 {
        match self {
            Self::Exclusive => 0x600,
            Self::OrChange => 0x400,
            Self::OrReplace => 0x500,
            Self::Append => 0xc00,
            Self::Replace => 0x100,
            Self::Change => 0,
        }
    }
}

/// A message to the kernel. Its sequence number is set when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    bytes: Vec<u8>,
    oversized: Option<u16>,
}

impl Request {
    /// Returns a request with an acknowledgement (`NLM_F_REQUEST | NLM_F_ACK`) and these flags beside.
    pub fn new(message_type: MessageType, flags: u16, body: &impl Body) -> Self {
        let mut out = Builder::new();
        body.emit(&mut out);
        Self::from_builder(message_type, flags, out)
    }

    /// Returns a request with an acknowledgement, whose payload is in `payload`.
    pub fn from_builder(message_type: MessageType, flags: u16, payload: Builder) -> Self {
        let oversized = payload.oversized();
        let payload = payload.into_bytes();
        let length = u32::try_from(Header::LEN + payload.len()).unwrap_or(u32::MAX);
        let header = Header { length, message_type, flags: flags | REQUEST | ACK, sequence: 0, port: 0 };
        Self { bytes: [&header.to_bytes()[..], &payload].concat(), oversized }
    }

    /// Returns a request for all objects of a type (`NLM_F_DUMP`); `body` may filter them.
    pub fn dump(message_type: MessageType, body: &impl Body) -> Self {
        let mut request = Self::new(message_type, 0, body);
        request.set_flags(REQUEST | DUMP);
        request
    }

    /// Returns a request that makes a link.
    pub fn new_link(link: &Link, create: Create) -> Self {
        Self::new(MessageType::NEWLINK, create.flags(), link)
    }

    /// Returns a request that changes the link with the index or, without one, the name in `link`.
    pub fn set_link(link: &Link) -> Self {
        Self::new(MessageType::NEWLINK, 0, link)
    }

    /// Returns a request that deletes the link with the index, or else the name, or else all of the group in `link`.
    pub fn del_link(link: &Link) -> Self {
        Self::new(MessageType::DELLINK, 0, link)
    }

    /// Returns a request that deletes all links of a group at once.
    pub fn del_group(group: u32) -> Self {
        Self::del_link(&Link { group: Some(group), ..Link::default() })
    }

    /// Returns a request for the link with the index, or else the name or other name, in `link`.
    pub fn get_link(link: &Link) -> Self {
        Self::new(MessageType::GETLINK, 0, link)
    }

    /// Returns a request that gives a link other names; `link` has the index or the name, and `prop_list`.
    pub fn new_link_names(link: &Link) -> Self {
        Self::new(MessageType::NEWLINKPROP, Create::Append.flags() | 0x200, link)
    }

    /// Returns a request that takes other names from a link; `link` has the index or the name, and `prop_list`.
    pub fn del_link_names(link: &Link) -> Self {
        Self::new(MessageType::DELLINKPROP, 0, link)
    }

    /// Returns a request that gives a link an address.
    pub fn new_address(address: &Address, create: Create) -> Self {
        Self::new(MessageType::NEWADDR, create.flags(), address)
    }

    /// Returns a request that takes an address from a link.
    pub fn del_address(address: &Address) -> Self {
        Self::new(MessageType::DELADDR, 0, address)
    }

    /// Returns a request for the link with this index.
    pub fn get_link_by_index(index: IfIndex) -> Self {
        Self::get_link(&Link::with_index(index))
    }

    /// Returns a request that makes a route.
    pub fn new_route(route: &Route, create: Create) -> Self {
        Self::new(MessageType::NEWROUTE, create.flags(), route)
    }

    /// Returns a request that deletes a route.
    pub fn del_route(route: &Route) -> Self {
        Self::new(MessageType::DELROUTE, 0, route)
    }

    /// Returns a request for a route.
    pub fn get_route(route: &Route) -> Self {
        Self::new(MessageType::GETROUTE, 0, route)
    }

    /// Returns a request that makes a rule.
    pub fn new_rule(rule: &Rule, create: Create) -> Self {
        Self::new(MessageType::NEWRULE, create.flags(), rule)
    }

    /// Returns a request that deletes a rule.
    pub fn del_rule(rule: &Rule) -> Self {
        Self::new(MessageType::DELRULE, 0, rule)
    }

    /// Returns a request that makes a neighbour, or an address in a bridge.
    pub fn new_neighbour(neighbour: &Neighbour, create: Create) -> Self {
        Self::new(MessageType::NEWNEIGH, create.flags(), neighbour)
    }

    /// Returns a request that deletes a neighbour, or an address in a bridge.
    pub fn del_neighbour(neighbour: &Neighbour) -> Self {
        Self::new(MessageType::DELNEIGH, 0, neighbour)
    }

    /// Returns a request that deletes all addresses in a bridge or a VXLAN that are like this one (`NLM_F_BULK`).
    pub fn flush_neighbours(neighbour: &Neighbour) -> Self {
        Self::new(MessageType::DELNEIGH, BULK, neighbour)
    }

    /// Returns a request for a neighbour, or an address in a bridge.
    pub fn get_neighbour(neighbour: &Neighbour) -> Self {
        Self::new(MessageType::GETNEIGH, 0, neighbour)
    }

    /// Returns a request that makes a next hop.
    pub fn new_nexthop(nexthop: &Nexthop, create: Create) -> Self {
        Self::new(MessageType::NEWNEXTHOP, create.flags(), nexthop)
    }

    /// Returns a request that deletes a next hop.
    pub fn del_nexthop(nexthop: &Nexthop) -> Self {
        Self::new(MessageType::DELNEXTHOP, 0, nexthop)
    }

    /// Returns a request for a next hop.
    pub fn get_nexthop(nexthop: &Nexthop) -> Self {
        Self::new(MessageType::GETNEXTHOP, 0, nexthop)
    }

    /// Returns a request that makes a queueing discipline.
    pub fn new_qdisc(qdisc: &Qdisc, create: Create) -> Self {
        Self::new(MessageType::NEWQDISC, create.flags(), qdisc)
    }

    /// Returns a request that deletes a queueing discipline.
    pub fn del_qdisc(qdisc: &Qdisc) -> Self {
        Self::new(MessageType::DELQDISC, 0, qdisc)
    }

    /// Returns a request that changes a table of neighbours, or what a link has set in one.
    pub fn set_neighbour_table(table: &NeighbourTable) -> Self {
        Self::new(MessageType::SETNEIGHTBL, Create::Replace.flags(), table)
    }

    /// Returns a request that gives a namespace an id.
    pub fn new_namespace_id(id: &NamespaceId) -> Self {
        Self::new(MessageType::NEWNSID, 0, id)
    }

    /// Returns a request for the id of a namespace.
    pub fn get_namespace_id(id: &NamespaceId) -> Self {
        Self::new(MessageType::GETNSID, 0, id)
    }

    /// Returns a request that makes a group, or a member of it.
    pub fn new_mdb(group: &MdbRequest, create: Create) -> Self {
        Self::new(MessageType::NEWMDB, create.flags(), group)
    }

    /// Returns a request that deletes a group, or a member of it.
    pub fn del_mdb(group: &MdbRequest) -> Self {
        Self::new(MessageType::DELMDB, 0, group)
    }

    /// Returns a request that deletes all members of groups that are like this one (`NLM_F_BULK`).
    pub fn flush_mdb(group: &MdbRequest) -> Self {
        Self::new(MessageType::DELMDB, BULK, group)
    }

    /// Returns a request for a group.
    pub fn get_mdb(group: &MdbRequest) -> Self {
        Self::new(MessageType::GETMDB, 0, group)
    }

    /// Returns a request that changes the options of VLANs.
    pub fn set_vlans(vlans: &VlanDb) -> Self {
        Self::new(MessageType::NEWVLAN, 0, vlans)
    }

    /// Returns a request that has a VXLAN take networks.
    pub fn new_vnis(filter: &VniFilter) -> Self {
        Self::new(MessageType::NEWTUNNEL, 0, filter)
    }

    /// Returns a request that has a VXLAN take networks no longer.
    pub fn del_vnis(filter: &VniFilter) -> Self {
        Self::new(MessageType::DELTUNNEL, 0, filter)
    }

    /// Returns a request that changes a port of a bridge, by a message of the family `AF_BRIDGE`.
    pub fn set_bridge_link(link: &BridgeLink) -> Self {
        Self::new(MessageType::SETLINK, 0, link)
    }

    /// Returns a request that takes VLANs from a port of a bridge, by a message of the family `AF_BRIDGE`.
    pub fn del_bridge_link(link: &BridgeLink) -> Self {
        Self::new(MessageType::DELLINK, 0, link)
    }

    /// Returns the message that begins a transaction of a subsystem of netfilter (`NFNL_MSG_BATCH_BEGIN`).
    pub(crate) fn batch_begin(subsystem: u8) -> Self {
        Self::of_batch(MessageType(0x10), subsystem)
    }

    /// Returns the message that ends it (`NFNL_MSG_BATCH_END`).
    pub(crate) fn batch_end(subsystem: u8) -> Self {
        Self::of_batch(MessageType(0x11), subsystem)
    }

    /// Returns a `struct nfgenmsg` with the subsystem's number, not to be acknowledged.
    fn of_batch(message_type: MessageType, subsystem: u8) -> Self {
        let mut payload = Builder::new();
        payload.raw(&[0, 0, 0, subsystem]);
        let mut request = Self::from_builder(message_type, 0, payload);
        request.set_flags(REQUEST);
        request
    }

    /// Returns the request with `NLM_F_ECHO`: the reply then has what was made.
    #[must_use]
    pub fn with_echo(mut self) -> Self {
        self.set_flags(self.header_flags() | ECHO);
        self
    }

    /// Returns what the request asks for.
    pub fn message_type(&self) -> MessageType {
        Header::parse(&self.bytes).map_or(MessageType(0), |header| header.message_type)
    }

    /// Returns the bytes, header first; the sequence number is that of the last sending.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the type of an attribute that is too long to be sent, if there is one.
    pub fn oversized(&self) -> Option<u16> {
        self.oversized
    }

    /// Appends the bytes to a datagram, with a sequence number.
    pub fn append_to(&self, datagram: &mut Vec<u8>, sequence: u32) {
        let start = datagram.len();
        datagram.extend_from_slice(&self.bytes);
        for (to, from) in datagram.iter_mut().skip(start + 8).zip(sequence.to_ne_bytes()) {
            *to = from;
        }
        datagram.resize(super::attr::aligned(datagram.len()), 0);
    }

    fn header_flags(&self) -> u16 {
        Header::parse(&self.bytes).map_or(0, |header| header.flags)
    }

    fn set_flags(&mut self, flags: u16) {
        for (to, from) in self.bytes.iter_mut().skip(6).zip(flags.to_ne_bytes()) {
            *to = from;
        }
    }
}
