//! What the machine's own sysctls were before a lab changed them.
//!
//! Nothing in the kernel keeps that: without the lab's record they stay as the lab has set them. Where several labs set the
//! same one, the first keeps what it was before all of them, the others take that over, and the last sets it back.

use std::collections::BTreeMap;
use std::io;

use super::site;
use crate::lab::model::{Lab, Node};
use crate::lab::record::Record;

/// The name of the file.
pub const FILE: &str = "host-sysctls";

/// Returns them, by name.
#[must_use]
pub fn host_sysctls(record: &Record) -> BTreeMap<String, String> {
    let text = record.read(FILE).unwrap_or_default();
    let rows = text.lines().filter_map(|line| line.split_once('='));
    rows.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Returns what other labs keep: sysctls that they have set, and are to find as they set them.
#[must_use]
pub fn of_others(record: &Record) -> BTreeMap<String, String> {
    let names = Record::labs();
    let others = names.iter().map(|name| Record::of(name)).filter(|other| other.path_of(FILE) != record.path_of(FILE));
    others.flat_map(|other| host_sysctls(&other)).collect()
}

/// Keeps what they were: those that the lab has set before as they were then, others as they are now.
///
/// # Errors
/// The disk is full, or privilege lacks.
pub fn keep_host_sysctls(
    record: &Record,
    host: &Node,
    now: &BTreeMap<String, String>,
    before: &BTreeMap<String, String>,
) -> io::Result<()> {
    let others = of_others(record);
    let value = |name: &String| before.get(name).or_else(|| others.get(name)).or_else(|| now.get(name));
    // Those of the lab's own devices go with them.
    let own = host.sysctls.keys().filter(|name| !site::is_of_device(name, host));
    // What a run that is not over changes, may have to be set back by whoever comes after it.
    let names: std::collections::BTreeSet<&String> = own.chain(before.keys()).collect();
    let rows = names.into_iter().filter_map(|name| Some(format!("{name}={}\n", value(name)?)));
    record.write(FILE, rows.collect::<String>().as_bytes())
}

/// Forgets those that a lab, as it is now, does not set.
///
/// # Errors
/// As [`keep_host_sysctls`].
pub fn prune(record: &Record, lab: &Lab) -> io::Result<()> {
    let mut kept = host_sysctls(record);
    let all = kept.len();
    kept.retain(|name, _| lab.nodes.iter().any(|node| node.is_host && node.sysctls.contains_key(name)));
    if kept.len() == all {
        return Ok(());
    }
    let rows = kept.iter().map(|(name, value)| format!("{name}={value}\n"));
    record.write(FILE, rows.collect::<String>().as_bytes())
}
