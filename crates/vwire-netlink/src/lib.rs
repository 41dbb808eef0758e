//! Speaks rtnetlink with the Linux kernel: typed messages in and out of bytes, and a blocking socket.
//!
//! ```no_run
//! use vwire_netlink::wire::link::veth::Veth;
//! use vwire_netlink::{Create, IfName, Link, LinkFilter, Request, Socket};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut socket = Socket::open()?;
//! let mut link = Link::named(IfName::new("ep1")?);
//! link.set_kind("veth", Some(Veth::with_peer(Link::named(IfName::new("ep2")?)).into()));
//! socket.request(&Request::new_link(&link, Create::Exclusive))?;
//! for link in socket.links(&LinkFilter::all())? {
//!     println!("{} {:?} {:?}", link.index, link.ifname, link.kind());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # The layers, from the top
//!
//! [`Socket`] sends a [`Request`] and waits for the answer; many at once with [`Socket::batch`]. An error is a
//! [`RequestError`], which has the kernel's sentence and the name of the attribute that it is about:
//!
//! ```text
//! RTM_NEWLINK: Numerical result out of range: integer out of range (IFLA_GSO_IPV4_MAX_SIZE, at least 273 is allowed)
//! ```
//!
//! [`Socket::links`], [`Socket::addresses`], [`Socket::routes`] and their kin list everything of one sort. A list is
//! consistent: one that changed while it was read is read again, and a filter is applied by the kernel or refused.
//! [`Socket::dump`] is what they stand on.
//!
//! A socket may be answered by a function instead, see [`fake`]: for tests, and for what was read earlier.
//!
//! [`Monitor`] receives what changes, as it changes, and says when it has missed something.
//!
//! [`wire`] turns bytes into messages and back, and touches nothing else: no socket, no file, no clock. Each sort of
//! message is a struct with the kernel's own names: `IFLA_TXQLEN` is [`Link::txqlen`], `IFLA_BR_AGEING_TIME` is
//! [`Bridge::ageing_time`](wire::link::bridge::Bridge::ageing_time). The same struct is what the kernel says and what a
//! request asks for; a field that is None is not in the message. Values are the kernel's: a switch is a `u8`, a time is
//! in the unit that its field says.
//!
//! [`name`] has what links are called. A name, an index, an address is checked once, where it is made.
//!
//! With the feature `serde`, `plain` has each of these structs written to a document, such as JSON, and read again.
//!
//! `sys` has the system calls, and all the unsafe code: one safe function each.
//!
//! # What is deliberately absent
//!
//! - No async. The socket blocks; [`Monitor`] and [`Socket`] have a file descriptor to be polled.
//! - No namespaces. A socket belongs to the one that its thread was in when it was opened, and stays there.
//! - No cache. What was read is plain data, and old at once.
//! - No refusal of what is new. An attribute that is not known here is kept, raw, in the field `other` beside the known
//!   ones; so is a known one whose value has another form than expected. Both go out again as they came.

pub mod error;
pub mod fake;
pub mod filter;
pub mod list;
pub mod monitor;
pub mod multicast;
pub mod name;
#[cfg(feature = "serde")]
pub mod plain;
pub mod program;
pub mod socket;
mod sys;
pub mod tunnel;
pub mod wire;

pub use error::{Aborted, DumpError, DumpFailure, OpenError, RequestError};
pub use filter::{AddressFilter, LinkFilter};
pub use monitor::{Event, Group, Monitor, Namespaces};
pub use multicast::Listener;
pub use name::{IfIndex, IfName, LinkAddress};
pub use program::Program;
pub use socket::{OwnedMessage, Reply, Socket};
pub use tunnel::{TUNNEL_ARGUMENT_LEN, TunnelRequest, Tunnels};
pub use wire::{
    Address, AddressLabel, BridgeLink, Create, ExtAck, Link, MessageType, NamespaceId, Neighbour, NeighbourTable,
    Netconf, Nexthop, Object, Qdisc, Request, Route, Rule, Text, VlanDb,
};
