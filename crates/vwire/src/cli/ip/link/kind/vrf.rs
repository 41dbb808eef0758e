//! The option of a VRF.

use vwire_netlink::wire::link::vrf::Vrf;

use super::grammar::{Grammar, Row, Takes};
use crate::cli::ip::words::Words;
use crate::cli::ip::{Failure, Ip};
use crate::snapshot::names;

/// The option of a VRF.
pub(super) const GRAMMAR: Grammar<Vrf> = Grammar {
    noun: "option",
    rows: &[Row::new("table", "TABLE", Takes::Special(table))],
    notes: "TABLE := a number, or a name of /etc/iproute2/rt_tables\n",
};

fn table(_: &mut Ip<'_>, _: &[u8], words: &mut Words<'_>, vrf: &mut Vrf) -> Result<(), Failure> {
    let value = words.value()?;
    let table = names::ROUTE_TABLES.number(value);
    vrf.table = Some(table.ok_or_else(|| Failure::invalid(value, "invalid table ID\n"))?);
    Ok(())
}
