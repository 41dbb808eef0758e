//! Speaks rtnetlink with the Linux kernel: typed messages in and out of bytes, and a blocking socket.

pub mod monitor;
pub mod name;
pub mod socket;
mod sys;
pub mod wire;

pub use monitor::{Event, Group, Monitor, Namespaces};
pub use name::{IfIndex, IfName, LinkAddress};
pub use socket::{AddressFilter, DumpError, LinkFilter, Reply, RequestError, Socket};
pub use wire::{Address, Create, ExtAck, Link, Request};
