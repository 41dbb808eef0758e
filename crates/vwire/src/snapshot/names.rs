//! The tables that give numbers names: link groups, routing tables, protocols, scopes.
//!
//! The administrator's table in `/etc/iproute2` hides the distribution's in `/usr/share/iproute2`
//! and `/usr/lib/iproute2`; where neither exists, the names that iproute2 ships hold. A line is a
//! number, decimal or `0x` hexadecimal, and a name; `#` begins a comment.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;

/// Where tables are looked for, first match wins.
const DIRECTORIES: [&str; 3] = ["/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2"];

/// The tables that have been read: each at its first use and once, however many commands want it.
#[derive(Debug, Default)]
pub struct Tables {
    read: RefCell<HashMap<&'static str, Rc<HashMap<u32, String>>>>,
    ip_protocols: RefCell<Option<Rc<Protocols>>>,
}

/// The protocols above IP in their order, each with the words for it.
type Protocols = Vec<(u32, Vec<String>)>;

impl Tables {
    /// Returns the rows of a table.
    #[must_use]
    pub fn rows(&self, table: Table) -> Rc<HashMap<u32, String>> {
        Rc::clone(self.read.borrow_mut().entry(table.file).or_insert_with(|| Rc::new(table.load())))
    }

    /// Returns the number that a name stands for; a number, decimal or hexadecimal, stands for itself.
    #[must_use]
    pub fn number(&self, table: Table, word: &[u8]) -> Option<u32> {
        number_in(&self.rows(table), word)
    }

    /// Returns the protocols above IP in the order of `/etc/protocols`, each with the words for it, at least one.
    #[must_use]
    pub fn ip_protocols(&self) -> Rc<Protocols> {
        Rc::clone(self.ip_protocols.borrow_mut().get_or_insert_with(|| Rc::new(ip_protocols())))
    }
}

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
/// Realms, which group routes.
pub const REALMS: Table = Table { file: "rt_realms", built_in: &[(0, "unknown")] };
/// Values of the DS field: DSCPs with the two bits behind them.
pub const DS_FIELDS: Table = Table {
    file: "rt_dsfield",
    built_in: &[
        (0x00, "default"),
        (0x20, "CS1"),
        (0x28, "AF11"),
        (0x30, "AF12"),
        (0x38, "AF13"),
        (0x40, "CS2"),
        (0x48, "AF21"),
        (0x50, "AF22"),
        (0x58, "AF23"),
        (0x60, "CS3"),
        (0x68, "AF31"),
        (0x70, "AF32"),
        (0x78, "AF33"),
        (0x80, "CS4"),
        (0x88, "AF41"),
        (0x90, "AF42"),
        (0x98, "AF43"),
        (0xa0, "CS5"),
        (0xb8, "EF"),
        (0xc0, "CS6"),
        (0xe0, "CS7"),
    ],
};

impl Table {
    /// Reads the table: the built-in rows, hidden by those of its file and of `FILE.d/*.conf`.
    #[must_use]
    pub fn load(self) -> HashMap<u32, String> {
        let text = DIRECTORIES.iter().find_map(|directory| std::fs::read(Path::new(directory).join(self.file)).ok());
        let mut rows: HashMap<u32, String> =
            self.built_in.iter().map(|(number, name)| (*number, (*name).to_owned())).collect();
        rows.extend(parse(&text.unwrap_or_default()));
        for text in self.parts() {
            rows.extend(parse(&text));
        }
        rows
    }

    /// Reads the files of `FILE.d`; the administrator's hides the distribution's of the same name, and comes last.
    fn parts(self) -> Vec<Vec<u8>> {
        let mut parts = BTreeMap::new();
        for directory in DIRECTORIES.iter().rev() {
            let entries = std::fs::read_dir(Path::new(directory).join(format!("{}.d", self.file)));
            for path in entries.into_iter().flatten().flatten().map(|entry| entry.path()) {
                if path.extension().is_some_and(|extension| extension == "conf")
                    && let (Some(name), Ok(text)) = (path.file_name(), std::fs::read(&path))
                {
                    parts.insert(name.to_owned(), text);
                }
            }
        }
        parts.into_values().collect()
    }

    /// Returns the number that a name stands for; a number, decimal or hexadecimal, stands for itself.
    #[must_use]
    pub fn number(self, word: &[u8]) -> Option<u32> {
        number_in(&self.load(), word)
    }
}

/// Returns the number that a name stands for; of several, as a table and its parts may have them, the least.
#[must_use]
pub fn named(rows: &HashMap<u32, String>, word: &[u8]) -> Option<u32> {
    rows.iter().filter(|(_, name)| name.as_bytes() == word).map(|(number, _)| *number).min()
}

fn number_in(rows: &HashMap<u32, String>, word: &[u8]) -> Option<u32> {
    named(rows, word).or_else(|| number_of(std::str::from_utf8(word).ok()?))
}

fn ip_protocols() -> Protocols {
    protocol_rows(&std::fs::read("/etc/protocols").unwrap_or_default())
}

fn protocol_rows(text: &[u8]) -> Vec<(u32, Vec<String>)> {
    let text = String::from_utf8_lossy(text);
    let row = |line: &str| {
        let mut words = line.split('#').next()?.split_whitespace();
        let (name, number) = (words.next()?, words.next()?.parse().ok()?);
        Some((number, std::iter::once(name).chain(words).map(str::to_owned).collect()))
    };
    text.lines().filter_map(row).collect()
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
    fn a_protocol_has_a_name_and_others() {
        let rows = protocol_rows(b"# numbers\nip 0 IP # pseudo\ntcp\t6\tTCP\nnonsense\n");
        let words = |row: &(u32, Vec<String>)| (row.0, row.1.join(" "));
        assert_eq!(rows.iter().map(words).collect::<Vec<_>>(), [(0, "ip IP".to_owned()), (6, "tcp TCP".to_owned())]);
    }

    #[test]
    fn of_numbers_with_one_name_the_least_is_meant() {
        let rows = HashMap::from([(196, "static".to_owned()), (4, "static".to_owned())]);
        assert_eq!(named(&rows, b"static"), Some(4));
        assert_eq!(named(&rows, b"nosuch"), None);
    }

    #[test]
    fn a_table_is_read_once() {
        let tables = Tables::default();
        assert!(Rc::ptr_eq(&tables.rows(GROUPS), &tables.rows(GROUPS)));
        assert!(!Rc::ptr_eq(&tables.rows(GROUPS), &tables.rows(SCOPES)));
        assert_eq!(tables.number(GROUPS, b"default"), Some(0));
        assert!(Rc::ptr_eq(&tables.ip_protocols(), &tables.ip_protocols()));
    }

    #[test]
    fn a_number_stands_for_itself() {
        assert_eq!(GROUPS.number(b"default"), Some(0));
        assert_eq!(GROUPS.number(b"77"), Some(77));
        assert_eq!(GROUPS.number(b"no-such-group"), None);
    }
}
