//! The names of a lab's nodes as a hosts file, for the programs that run in it. Pure.

use std::fmt::Write as _;

use super::model::Lab;

/// Returns the text of `/etc/hosts` in a lab: each address with its node's name.
#[must_use]
pub fn text(lab: &Lab) -> String {
    let mut text = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n".to_owned();
    for node in &lab.nodes {
        for own in node.addresses() {
            let _ = writeln!(text, "{} {} {}.{}", own.address, node.name, node.name, lab.name);
        }
    }
    text
}
