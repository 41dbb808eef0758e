//! Virtual wiring for Linux: the rooms behind the `vwire` command.

pub mod cli;
pub mod lab;
pub mod out;
pub mod ping;
pub mod snapshot;
pub mod step;
pub mod tour;
