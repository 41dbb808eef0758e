//! All that people and programs read from vwire: text as `ip` lays it out, and `ip -j`'s JSON.
//!
//! Nothing outside this room decides how a fact is spelled; nothing inside it decides what to say.

pub mod address;
pub mod addrlabel;
pub mod arphrd;
pub mod batch;
pub mod bridge;
pub mod colour;
pub mod counters;
pub mod devices;
pub mod encap;
pub mod failure;
pub mod hardware;
pub mod host;
pub mod hosts;
pub mod json;
pub mod kind;
pub mod link;
pub mod maddress;
pub mod metrics;
pub mod monitor;
pub mod mroute;
pub mod neigh;
pub mod netconf;
pub mod nexthop;
pub mod nsid;
pub mod ntable;
pub mod prefix;
pub mod printer;
pub mod route;
pub mod rule;
pub mod table;
pub mod token;
pub mod tunnel;
pub mod tuntap;
pub mod vf;
pub mod xdp;
pub mod xstats;

pub use colour::{Colour, Palette};
pub use printer::{Layout, Printer};
