//! Bytes to messages and back, without a socket, a file or a clock.
//!
//! From the bottom: [`message`] cuts a datagram into messages, [`attr`] cuts a message into attributes,
//! `set` turns a table of attributes into a struct with `parse` and `emit`, and each other file is such a table.
//! What no table knows is kept as [`RawAttribute`], at every level of nesting, and goes out again as it came in.

#[macro_use]
mod set;

pub mod address;
pub mod attr;
pub mod bridge;
pub mod codec;
pub mod extack;
pub mod field;
pub mod label;
pub mod link;
pub mod mdb;
pub mod message;
pub mod names;
pub mod neighbour;
pub mod neighbour_table;
pub mod nest;
pub mod netconf;
pub mod nexthop;
pub mod nft;
pub mod nsid;
pub mod object;
#[cfg(test)]
mod oracles;
pub mod prefix;
#[cfg(test)]
mod properties;
pub mod qdisc;
pub mod request;
pub mod route;
pub mod rule;
#[cfg(test)]
pub mod sample;
pub mod stats;
pub mod text;
pub mod value;
pub mod vni;

pub use address::Address;
pub use attr::{Attribute, Attributes, Builder, RawAttribute};
pub use bridge::{BridgeLink, VlanDb};
pub use extack::ExtAck;
pub use label::AddressLabel;
pub use link::Link;
pub use mdb::Mdb;
pub use message::{Header, MalformedMessage, Message, MessageType, Messages};
pub use neighbour::Neighbour;
pub use neighbour_table::NeighbourTable;
pub use netconf::Netconf;
pub use nexthop::Nexthop;
pub use nsid::NamespaceId;
pub use object::Object;
pub use qdisc::Qdisc;
pub use request::{Create, Request};
pub use route::Route;
pub use rule::Rule;
pub use text::Text;

/// A message with a fixed header and attributes: a link, an address, a route.
pub trait Body: Sized + Default {
    /// The length of the fixed header, in bytes.
    const HEADER_LEN: usize;

    /// Reads the payload of a netlink message.
    ///
    /// # Errors
    ///
    /// [`MalformedBody`] if the header is cut short or an attribute's length is impossible. A *value* that is
    /// strange is no error: its attribute is kept raw.
    fn parse(payload: &[u8]) -> Result<Self, MalformedBody>;

    /// Appends the payload of a netlink message.
    fn emit(&self, out: &mut Builder);
}

/// A message that cannot be cut into header and attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedBody {
    /// The payload is shorter than the fixed header.
    ShortHeader {
        /// How many bytes there are.
        length: usize,
        /// How many bytes the header takes.
        needed: usize,
    },
    /// The attributes do not fill the payload: one says a length that is impossible.
    Attribute {
        /// How many bytes were left over.
        left: usize,
    },
}

impl std::fmt::Display for MalformedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ShortHeader { length, needed } => {
                write!(f, "message has {length} bytes where its header takes {needed}")
            }
            Self::Attribute { left } => {
                write!(f, "an attribute {left} bytes before the end says an impossible length")
            }
        }
    }
}

impl std::error::Error for MalformedBody {}
