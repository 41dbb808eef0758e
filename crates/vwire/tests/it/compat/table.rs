//! Reads the tables of commands in `tests/compat/tables`.
//!
//! A table is about one object. Its sections, each of which may come again:
//!
//! - `[program]`: `bridge`, where the commands are not `ip`'s;
//! - `[since]`: the first release that can judge them;
//! - `[bridge]`: what the judge's `bridge` does behind `[arrange]`;
//! - `[arrange]`: what the judge does before, beside what `network.txt` says;
//! - `[options]`: the option sets for what follows, `(none)` for no option;
//! - `[read]`: commands that change nothing, each with each option set;
//! - `[wrong]`: commands that should fail, likewise;
//! - `[state]`: what shows whether a change did the same;
//! - `[change]`: commands that change something, one after the other.

use std::fs;
use std::path::PathBuf;

/// Whose commands they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Program {
    #[default]
    Ip,
    Bridge,
}

/// The commands about one object.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) object: String,
    pub(super) program: Program,
    pub(super) since: u32,
    pub(super) arrange: Vec<String>,
    pub(super) bridge: Vec<String>,
    pub(super) parts: Vec<Part>,
}

/// A section that runs commands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Read { options: Vec<String>, lines: Vec<String> },
    Wrong { options: Vec<String>, lines: Vec<String> },
    Change { state: Vec<String>, lines: Vec<String> },
}

/// Returns where what the harness compares is written down.
pub(crate) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/compat")
}

/// Reads all tables, by their objects' names; what `network.txt` arranges is in front of each.
pub(super) fn all() -> Vec<Table> {
    let (network, mut tables) = read();
    for table in &mut tables {
        table.arrange.splice(0..0, network.iter().cloned());
    }
    tables
}

/// Returns what `network.txt` arranges.
pub(super) fn network() -> Vec<String> {
    read().0
}

/// Reads what is in front of each table, and the tables.
fn read() -> (Vec<String>, Vec<Table>) {
    let entries = fs::read_dir(directory().join("tables")).expect("the tables are there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a directory is read").path()).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let object = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        parse(&object, &fs::read_to_string(path).expect("a table is text"))
    };
    let (networks, tables): (Vec<Table>, Vec<Table>) =
        paths.iter().map(read).partition(|table| table.object == "network");
    (networks.into_iter().flat_map(|network| network.arrange).collect(), tables)
}

fn parse(object: &str, text: &str) -> Table {
    let mut table = Table { object: object.to_owned(), ..Table::default() };
    let (mut options, mut state) = (vec![String::new()], Vec::new());
    for section in text.split("\n[").skip(1) {
        let (name, body) = section.split_once("]\n").unwrap_or_else(|| panic!("{object}: no `]` in {section}"));
        let lines = body.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        match name {
            "program" => table.program = if lines == ["bridge"] { Program::Bridge } else { Program::Ip },
            "since" => table.since = lines.concat().parse().expect("a release is a number"),
            "bridge" => table.bridge = lines,
            "arrange" => table.arrange = lines,
            "options" => options = lines.iter().map(|line| line.replace("(none)", "")).collect(),
            "state" => state = lines,
            "read" => table.parts.push(Part::Read { options: options.clone(), lines }),
            "wrong" => table.parts.push(Part::Wrong { options: options.clone(), lines }),
            "change" => table.parts.push(Part::Change { state: state.clone(), lines }),
            _ => panic!("{object}: unknown section [{name}]"),
        }
    }
    table
}

#[test]
fn a_table_is_read() {
    let table = parse(
        "link",
        "# About.\n\n[options]\n(none)\n-j\n\n[read]\n# why\nlink\n\n[state]\nlink\n[change]\nlink del x\n",
    );
    let (options, lines) = (vec![String::new(), "-j".to_owned()], vec!["link".to_owned()]);
    let change = Part::Change { state: lines.clone(), lines: vec!["link del x".to_owned()] };
    assert_eq!(table.parts, [Part::Read { options, lines }, change]);
}
