//! Writes `docs/compatibility.md` and holds it to what was counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use super::allowed::Allowed;
use super::{Outcome, Verdict};
use crate::sources::top;

/// Set to 1, it writes the document in the place of holding it to the counts.
const WRITE: &str = "VWIRE_WRITE_DOCS";

const HEAD: &str = "\
# Compatibility with `ip`

The test `compat::vwire_answers_as_ip_does` gives the same command to `ip` and to vwire (called `ip`) in twin
network namespaces, and compares exit code, standard output and standard error to the byte. It wrote these
tables, and fails where they are no longer true (`VWIRE_WRITE_DOCS=1 cargo test -p vwire --test it
compat` writes them anew, for the `ip` that `VWIRE_ORACLE_IP` names). The commands are in
`crates/vwire/tests/compat/tables`; a pair is a command with a set of options.

Made equal before they are compared: random MAC addresses and the link-local addresses made of them, usage
texts (they are our own words), how long a bridge's timers still run, where names of namespaces are kept
(`/var/run` or `/run`). What iproute2 6 prints otherwise than 7.1 is made equal by
`crates/vwire/tests/it/compat/older.rs`. After each command that changes something, the state of both
namespaces is compared too.

*Equal* are the pairs without a difference; *allowed* those that differ as `crates/vwire/tests/compat/allowed.txt`
says, for the reason given below; *missing*, by the same file, those of an object that vwire does not speak of. No pair may
differ otherwise.
";

/// What is not counted here, and stands behind the counts as it is written.
const WRITTEN: [&str; 2] = [include_str!("../../compat/names.md"), include_str!("../../compat/programs.md")];

/// Returns the title of the section for a judge.
fn title(judge: &str) -> String {
    format!("## Against iproute2 {judge}\n")
}

/// Spells the section for a judge.
pub(super) fn section(judge: &str, outcomes: &[Outcome], allowed: &[Allowed]) -> String {
    let mut objects: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut by_reason: BTreeMap<usize, usize> = BTreeMap::new();
    for outcome in outcomes {
        let row = objects.entry(&outcome.object).or_default();
        row[0] += 1;
        match outcome.verdict {
            Verdict::Equal => row[1] += 1,
            Verdict::Allowed(number) => {
                row[2] += 1;
                *by_reason.entry(number).or_default() += 1;
            }
            Verdict::Missing(number) => {
                row[3] += 1;
                *by_reason.entry(number).or_default() += 1;
            }
            Verdict::Different(_) => {}
        }
    }
    let mut text =
        format!("{}\n| object | pairs run | equal | allowed | missing |\n|---|--:|--:|--:|--:|\n", title(judge));
    let mut all = [0; 4];
    for (object, row) in &objects {
        let _ = writeln!(text, "| {object} | {} | {} | {} | {} |", row[0], row[1], row[2], row[3]);
        all.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
    }
    let _ = writeln!(text, "| **all** | **{}** | **{}** | **{}** | **{}** |", all[0], all[1], all[2], all[3]);
    if !by_reason.is_empty() {
        text += "\n| allowed or missing | pairs | because |\n|---|--:|---|\n";
        for (number, count) in by_reason {
            let _ = writeln!(text, "| `{}` | {count} | {} |", allowed[number].command, allowed[number].reason);
        }
    }
    text
}

/// Holds the document's section for a judge to what was counted, or writes it.
pub(super) fn check(judge: &str, section: &str) {
    let path = top().join("docs/compatibility.md");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let release = judge.split('.').next().unwrap_or(judge);
    let mut sections: Vec<String> =
        text.split("\n## ").skip(1).map(|rest| format!("## {}\n", rest.trim_end())).collect();
    let mine = |known: &String| known.starts_with(&format!("## Against iproute2 {release}."));
    let is_written = WRITTEN.iter().all(|written| sections.iter().any(|known| known == written));
    if is_written && sections.iter().find(|known| mine(known)).is_some_and(|known| known == section) {
        return;
    }
    if std::env::var_os(WRITE).is_some_and(|value| value == "1") {
        sections.retain(|known| known.starts_with("## Against") && !mine(known));
        sections.push(section.to_owned());
        // The newest judge first.
        sections.sort_by(|one, other| other.cmp(one));
        sections.extend(WRITTEN.map(str::to_owned));
        fs::write(&path, format!("{HEAD}\n{}", sections.join("\n"))).expect("the document can be written");
        return;
    }
    assert!(is_written, "docs/compatibility.md lacks a section of tests/compat; {WRITE}=1 writes it anew");
    let known = sections.iter().find(|known| mine(known));
    // Counts depend on what a kernel has and on the judge's exact release.
    if known.is_none_or(|known| known.starts_with(&title(judge))) {
        let shown = crate::lab::difference(section, known.map_or("", String::as_str));
        panic!("docs/compatibility.md is stale; {WRITE}=1 writes it anew\n{shown}");
    }
}
