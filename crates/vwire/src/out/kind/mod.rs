//! Prints what goes with the kind of a link: the block behind `-d`.

use vwire_netlink::wire::link::LinkInfo;

use super::Printer;
use super::link::{Context, LinkStyle};

/// Returns the indexes of the links whose names the block shows.
#[must_use]
pub fn references(_info: &LinkInfo) -> Vec<u32> {
    Vec::new()
}

/// Prints the kind and what goes with it, and what the master says of its port.
pub fn print(p: &mut Printer, info: &LinkInfo, _style: LinkStyle, _context: &Context) {
    p.open_object(Some("linkinfo"));
    if let Some(kind) = &info.kind {
        p.line_break();
        p.string("info_kind", "    ", kind, " ");
    }
    if let Some(kind) = &info.slave_kind {
        p.line_break();
        p.string("info_slave_kind", "    ", kind, "_slave ");
    }
    p.close_object();
}
