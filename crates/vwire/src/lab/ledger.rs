//! What is written down of the commands that were run in nodes, and the mark by which all is found that they start. Pure.
//!
//! A command's children, and theirs, whatever they make of themselves, have its mark in their environment, and in the list
//! of their mounts: it is the name of the file that lies over their `/etc/hosts`. Some programs write their title where
//! their environment was; for them the mounts speak. On the machine itself (`host`) no mounts are another's.
//!
//! The mark holds what no other lab has, of whatever machine, container or test: a token that the record keeps.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::model::{Command, Span};

/// The name in a program's environment, with what parts it from its value.
pub const NAME: &str = "VWIRE_RUN";
/// The first word of what is written down, with the number of its form.
const HEAD: &str = "vwire-running 1 ";

/// The mark of all that a command starts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Whose record it is.
    pub token: String,
    /// The command among all that were run in its node.
    pub serial: u64,
    /// The node.
    pub node: String,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.token, self.serial, self.node)
    }
}

impl Mark {
    /// Returns the name of the file that lies over `/etc/hosts`.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{NAME}={self}")
    }

    /// Reads one as it is in an environment, and in the name of a file.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(NAME)?.strip_prefix('=')?;
        let (token, rest) = text.split_once(':')?;
        let (serial, node) = rest.split_once(':')?;
        Some(Self { token: token.to_owned(), serial: serial.parse().ok()?, node: node.to_owned() })
    }

    /// Finds one in an environment, as `/proc/PID/environ` has it.
    #[must_use]
    pub fn in_environment(environment: &[u8]) -> Option<Self> {
        environment.split(|byte| *byte == 0).find_map(|row| {
            let row = row.starts_with(NAME.as_bytes()).then(|| std::str::from_utf8(row).ok())??;
            Self::parse(row)
        })
    }

    /// Finds one in a list of mounts, as `/proc/PID/mountinfo` has it.
    #[must_use]
    pub fn in_mounts(mounts: &[u8]) -> Option<Self> {
        mounts.split(|byte| *byte == b'\n').find_map(|line| {
            // The file that is mounted; its name is gone by then. Other lines may have any bytes.
            let root = std::str::from_utf8(line).ok()?.split(' ').nth(3)?;
            let root = root.strip_suffix("//deleted").unwrap_or(root);
            Self::parse(root.rsplit('/').next()?)
        })
    }
}

/// A process: its number, and when it was started, in ticks since boot, which together are one process for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it was started.
    pub start: u64,
}

/// A command that was run.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The command among all that were run in its node.
    pub serial: u64,
    /// The node.
    pub node: String,
    /// The command, without its place in the file.
    pub command: Command,
    /// The process that it began with.
    pub process: Process,
}

impl Entry {
    /// Returns the name of the file that has what it said.
    #[must_use]
    pub fn log(&self) -> String {
        log_of(&self.node, self.serial)
    }

    fn line(&self) -> String {
        let Self { serial, node, command, process } = self;
        let within = u64::try_from(command.within.as_millis()).unwrap_or(u64::MAX);
        let value = json!({
            "node": node, "serial": serial, "argv": command.argv, "background": command.background,
            "ready": command.ready, "within_ms": within, "pid": process.pid, "start": process.start,
        });
        format!("{value}\n")
    }

    fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let words = |value: &Value| -> Option<Vec<String>> {
            value.as_array()?.iter().map(|word| word.as_str().map(str::to_owned)).collect()
        };
        let number = |name: &str| value.get(name)?.as_u64();
        Some(Self {
            serial: number("serial")?,
            node: value.get("node")?.as_str()?.to_owned(),
            command: Command {
                argv: words(value.get("argv")?)?,
                background: value.get("background")?.as_bool()?,
                ready: value.get("ready").and_then(words),
                within: Duration::from_millis(number("within_ms")?),
                span: Span::default(),
            },
            process: Process { pid: u32::try_from(number("pid")?).ok()?, start: number("start")? },
        })
    }
}

/// Returns the name of the file that has what a command said.
#[must_use]
pub fn log_of(node: &str, serial: u64) -> String {
    format!("{node}.{serial}.log")
}

/// All commands that were run in a lab's nodes, and count.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    /// What its marks begin with; empty as long as nothing was run.
    pub token: String,
    /// The commands, in the order in which they were run.
    pub entries: Vec<Entry>,
}

impl Ledger {
    /// Reads one; a line that was cut off is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (head, rest) = text.split_once('\n')?;
        let token = head.strip_prefix(HEAD)?.to_owned();
        // Of one that was started again, the last line counts.
        let mut seen = BTreeSet::new();
        let mut entries: Vec<Entry> = rest.lines().rev().filter_map(Entry::parse).collect();
        entries.retain(|entry| seen.insert((entry.node.clone(), entry.serial)));
        entries.reverse();
        Some(Self { token, entries })
    }

    /// Spells all of it.
    #[must_use]
    pub fn text(&self) -> String {
        let lines: String = self.entries.iter().map(Entry::line).collect();
        format!("{HEAD}{}\n{lines}", self.token)
    }

    /// Adds a command; returns the line to be written behind what is written already.
    pub fn add(&mut self, entry: Entry) -> String {
        let line = entry.line();
        self.entries.push(entry);
        line
    }

    /// Returns the number of the command that is run next in a node.
    #[must_use]
    pub fn next(&self, node: &str) -> u64 {
        self.of(node).map(|entry| entry.serial.saturating_add(1)).max().unwrap_or_default()
    }

    /// Returns the commands of a node.
    pub fn of<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.node == node)
    }

    /// Returns whether a mark is of one of these commands.
    #[must_use]
    pub fn has(&self, mark: &Mark) -> bool {
        mark.token == self.token && self.of(&mark.node).any(|entry| entry.serial == mark.serial)
    }

    /// Returns the mark of a command.
    #[must_use]
    pub fn mark_of(&self, entry: &Entry) -> Mark {
        Mark { token: self.token.clone(), serial: entry.serial, node: entry.node.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(serial: u64, argv: &[&str]) -> Entry {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        let ready = Some(vec!["true".to_owned()]);
        let within = Duration::from_millis(1500);
        let command = Command { argv, background: true, ready, within, span: Span::default() };
        Entry { serial, node: "a".to_owned(), command, process: Process { pid: 7, start: 99 } }
    }

    #[test]
    fn a_ledger_is_read_as_it_was_written_but_for_a_line_that_was_cut_off() {
        let mut ledger = Ledger { token: "t1".to_owned(), entries: Vec::new() };
        let mut text = ledger.text();
        text.push_str(&ledger.add(entry(0, &["sh", "-c", "echo \"a\"\n'b'\\"])));
        text.push_str(&ledger.add(entry(3, &["x y"])));
        assert_eq!(ledger.text(), text);
        assert_eq!(Ledger::parse(&text), Some(ledger.clone()));
        assert_eq!((ledger.next("a"), ledger.next("b")), (4, 0));
        ledger.entries.pop();
        assert_eq!(Ledger::parse(&text[..text.len() - 5]), Some(ledger));
        assert_eq!(Ledger::parse("12 0 a\n"), None);
    }

    #[test]
    fn of_what_was_started_again_the_last_line_counts() {
        let again = Entry { process: Process { pid: 8, start: 100 }, ..entry(0, &["x"]) };
        let mut ledger = Ledger { token: "t1".to_owned(), entries: vec![entry(0, &["x"]), entry(u64::MAX, &["y"])] };
        let text = ledger.text() + &ledger.add(again.clone());
        let read = Ledger::parse(&text).unwrap();
        assert_eq!(read.entries, [entry(u64::MAX, &["y"]), again]);
        assert_eq!(read.next("a"), u64::MAX);
    }

    #[test]
    fn a_mark_is_found_in_an_environment_and_among_mounts() {
        let mark = Mark { token: "t1".to_owned(), serial: 12, node: "r-1".to_owned() };
        let environment = format!("PATH=/bin\0{}\0HOME=/\0", mark.file_name());
        assert_eq!(Mark::in_environment(environment.as_bytes()), Some(mark.clone()));
        assert_eq!(Mark::in_environment(b"PATH=/bin\0VWIRE_RUNNER=1:2:3\0\xff\0"), None);
        let mounts = format!(
            "22 1 0:20 / / rw - ext4 /dev/sda rw\n\
             30 22 0:27 /vwire/labs/pair/{}//deleted /etc/hosts rw,relatime - tmpfs vwire rw\n",
            mark.file_name()
        );
        let mounts = [b"21 1 0:19 / /run/\xe9t\xe9 rw - tmpfs y rw\n", mounts.as_bytes()].concat();
        assert_eq!(Mark::in_mounts(&mounts), Some(mark));
        assert_eq!(Mark::in_mounts(b"30 22 0:27 /vwire/labs/pair/hosts /etc/hosts rw - tmpfs vwire rw\n"), None);
    }
}
