//! Virtual wiring for Linux: the rooms behind the `vwire` command.
#![allow(rustdoc::private_intra_doc_links, reason = "who reads these pages works on vwire, and sees what is private")]

pub mod cli;
pub mod lab;
pub mod out;
pub mod ping;
pub mod snapshot;
pub mod step;
pub mod tour;
pub mod trial;
