//! Reads `tests/compat/allowed.txt`: where vwire may differ from `ip`, and why.
//!
//! A row is `JUDGE | WHAT | COMMAND | REASON`. JUDGE is `6`, `7` or `any`; WHAT is `text` (the exit code is
//! the same), `exit` (it is not) or `missing` (vwire cannot do it yet); COMMAND is what stands behind
//! `ip`, in which `*` stands for anything.

use std::fs;

use super::table::directory;

/// A difference that is allowed.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) judge: Option<u32>,
    pub(super) what: What,
    pub(super) command: String,
    pub(super) reason: String,
}

/// How far a difference may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Text,
    Exit,
    Missing,
}

/// Reads the rows for a judge of a release.
pub(super) fn for_judge(release: u32) -> Vec<Allowed> {
    let text = fs::read_to_string(directory().join("allowed.txt")).expect("the allowed differences are there");
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(row);
    rows.filter(|row| row.judge.is_none_or(|judge| judge == release)).collect()
}

fn row(line: &str) -> Allowed {
    let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
    let [judge, what, command, reason] = cells[..] else { panic!("not JUDGE | WHAT | COMMAND | REASON: {line}") };
    let what = match what {
        "text" => What::Text,
        "exit" => What::Exit,
        "missing" => What::Missing,
        _ => panic!("`{what}` is none of text, exit, missing: {line}"),
    };
    Allowed { judge: judge.parse().ok(), what, command: command.to_owned(), reason: reason.to_owned() }
}

impl Allowed {
    /// Returns whether the row is about a command that ended alike or not.
    pub(super) fn covers(&self, command: &str, same_exit: bool) -> bool {
        (same_exit || self.what != What::Text) && fits(&self.command, command)
    }
}

/// Returns whether a text is what a pattern describes.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| fits(after, &rest[at..]))
        }),
    }
}

#[test]
fn a_star_stands_for_anything() {
    for (pattern, text, does) in [
        ("a*", "a", true),
        ("*b c*", "a b c", true),
        ("a", "ab", false),
        ("a*c", "abcb", false),
        ("*down", "x down", true),
    ] {
        assert_eq!(fits(pattern, text), does, "{pattern} {text}");
    }
}
