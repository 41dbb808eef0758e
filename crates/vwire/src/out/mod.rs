//! All that people and programs read from vwire: text as `ip` lays it out, and `ip -j`'s JSON.
//!
//! Nothing outside this room decides how a fact is spelled; nothing inside it decides what to say.

pub mod colour;
pub mod json;
pub mod printer;

pub use colour::{Colour, Palette};
pub use printer::{Layout, Printer};
