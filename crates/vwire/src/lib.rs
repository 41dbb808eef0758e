//! Virtual wiring for Linux: labs for tests, and the rooms behind the `vwire` command.
//!
//! A test brings up a whole network from a few lines, talks over its wires, and leaves nothing, without root:
//!
//! ```no_run
//! let lab = vwire::Lab::from_toml("wires = ['alice 10.0.0.1/24 -- bob 10.0.0.2/24']\n[node.alice]\n[node.bob]")?.up()?;
//! let bob = lab.node("bob")?.udp_socket("10.0.0.2:53")?;
//! let alice = lab.node("alice")?.udp_socket("10.0.0.1:0")?;
//! alice.send_to(b"over the wire", "10.0.0.2:53")?;
//! bob.recv(&mut [0; 512])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Lab`] is what a file says, [`Running`] a lab that is up: both are told of in [`scoped`]. All else here is what the
//! command is made of; it is public for its tests, and changes as they do. Who wants netlink or TUN and TAP alone takes the
//! crates `vwire-netlink` and `vwire-tuntap`.
#![allow(rustdoc::private_intra_doc_links, reason = "who reads these pages works on vwire, and sees what is private")]

#[cfg(feature = "cli")]
pub mod cli;
pub mod lab;
pub mod out;
pub mod ping;
pub mod scoped;
pub mod snapshot;
pub mod step;
pub mod tour;
pub mod trial;

pub use scoped::{Error, Lab, Running};
