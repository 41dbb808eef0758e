//! The tables that give numbers names: link groups, routing tables, protocols, scopes.
//!
//! The administrator's table in `/etc/iproute2` hides the distribution's in `/usr/share/iproute2`
//! and `/usr/lib/iproute2`; where neither exists, the names that iproute2 ships hold. A line is a
//! number, decimal or `0x` hexadecimal, and a name; `#` begins a comment.

use std::collections::HashMap;
use std::path::Path;

/// Where tables are looked for, first match wins.
const DIRECTORIES: [&str; 3] = ["/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2"];

/// A table of names and its built-in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// The name of its file.
    pub file: &'static str,
    /// What holds where there is no file.
    pub built_in: &'static [(u32, &'static str)],
}

/// Link groups.
pub const GROUPS: Table = Table { file: "group", built_in: &[(0, "default")] };
/// Reasons for `protodown`, by bit.
pub const PROTODOWN_REASONS: Table = Table { file: "protodown_reasons", built_in: &[] };
/// Scopes of addresses and routes (`RT_SCOPE_*`).
pub const SCOPES: Table = Table {
    file: "rt_scopes",
    built_in: &[(0, "global"), (200, "site"), (253, "link"), (254, "host"), (255, "nowhere")],
};
/// Who set an address (`IFAPROT_*`).
pub const ADDRESS_PROTOCOLS: Table =
    Table { file: "rt_addrprotos", built_in: &[(0, "unspec"), (1, "kernel_lo"), (2, "kernel_ra"), (3, "kernel_ll")] };
/// Who set a route (`RTPROT_*`).
pub const ROUTE_PROTOCOLS: Table = Table {
    file: "rt_protos",
    built_in: &[
        (0, "unspec"),
        (1, "redirect"),
        (2, "kernel"),
        (3, "boot"),
        (4, "static"),
        (8, "gated"),
        (9, "ra"),
        (10, "mrt"),
        (11, "zebra"),
        (12, "bird"),
        (13, "dnrouted"),
        (14, "xorp"),
        (15, "ntk"),
        (16, "dhcp"),
        (17, "mrouted"),
        (18, "keepalived"),
        (42, "babel"),
        (84, "ovn"),
        (186, "bgp"),
        (187, "isis"),
        (188, "ospf"),
        (189, "rip"),
        (192, "eigrp"),
    ],
};
/// Routing tables (`RT_TABLE_*`).
pub const ROUTE_TABLES: Table =
    Table { file: "rt_tables", built_in: &[(0, "unspec"), (253, "default"), (254, "main"), (255, "local")] };

impl Table {
    /// Reads the table: the built-in rows, hidden by those of its file.
    #[must_use]
    pub fn load(self) -> HashMap<u32, String> {
        let text = DIRECTORIES.iter().find_map(|directory| std::fs::read(Path::new(directory).join(self.file)).ok());
        let mut rows: HashMap<u32, String> =
            self.built_in.iter().map(|(number, name)| (*number, (*name).to_owned())).collect();
        rows.extend(parse(&text.unwrap_or_default()));
        rows
    }

    /// Returns the number that a name stands for; a number, decimal or hexadecimal, stands for itself.
    #[must_use]
    pub fn number(self, word: &[u8]) -> Option<u32> {
        let rows = self.load();
        let named = rows.iter().find(|(_, name)| name.as_bytes() == word).map(|(number, _)| *number);
        named.or_else(|| number_of(std::str::from_utf8(word).ok()?))
    }
}

/// Returns the name of a user, as the system's user database has it.
#[must_use]
pub fn user(id: u32) -> Option<String> {
    nix::unistd::User::from_uid(id.into()).ok().flatten().map(|user| user.name)
}

/// Returns the name of a group of users, as the system's user database has it.
#[must_use]
pub fn user_group(id: u32) -> Option<String> {
    nix::unistd::Group::from_gid(id.into()).ok().flatten().map(|group| group.name)
}

/// Reads the rows of a table's file; lines that are no rows are passed over.
#[must_use]
pub fn parse(text: &[u8]) -> Vec<(u32, String)> {
    let text = String::from_utf8_lossy(text);
    let row = |line: &str| {
        let mut words = line.split('#').next()?.split_whitespace();
        Some((number_of(words.next()?)?, words.next()?.to_owned()))
    };
    text.lines().filter_map(row).collect()
}

fn number_of(word: &str) -> Option<u32> {
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbers_and_names() {
        let text = b"# reserved\n255\tlocal\n0x10 sixteen # said in hexadecimal\nnonsense\n7\n";
        assert_eq!(parse(text), [(255, "local".to_owned()), (16, "sixteen".to_owned())]);
    }

    #[test]
    fn a_number_stands_for_itself() {
        assert_eq!(GROUPS.number(b"default"), Some(0));
        assert_eq!(GROUPS.number(b"77"), Some(77));
        assert_eq!(GROUPS.number(b"no-such-group"), None);
    }
}
