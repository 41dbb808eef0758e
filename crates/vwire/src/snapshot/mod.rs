//! What the system says now, as plain data: links with their holders and peers, and the tables of names.

pub mod device;
pub mod names;
pub mod read;
pub mod state;
