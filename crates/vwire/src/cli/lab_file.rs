//! What the verbs on labs share: reading the file, finding the lab that is meant, telling what went wrong.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Arg, ArgMatches, value_parser};

use super::inside::Labs;
use crate::lab::engine::{Listener, confirm};
use crate::lab::failed::{Aftermath, Failed};
use crate::lab::file::accounts::OfThisMachine;
use crate::lab::file::{LARGEST, Problem, read_bytes};
use crate::lab::model::{Lab, Span};
use crate::lab::signals::{Held, exit_of};

/// The exit code where the kernel, or the lab, said no.
pub const REFUSED: u8 = 1;
/// The exit code where something is to be changed, or is not as it should be.
pub const DIFFERS: u8 = 3;
/// How wide a problem is shown.
const WIDTH: usize = 100;
/// How long something takes before it is told how far it is.
const PATIENCE: Duration = Duration::from_millis(700);
/// How often that is told anew.
const OFTEN: Duration = Duration::from_millis(100);

/// A lab and the file that it was read from.
#[derive(Debug)]
pub struct Loaded {
    /// The lab.
    pub lab: Lab,
    /// The file's text.
    pub text: String,
    /// The file's name.
    pub path: PathBuf,
}

/// Returns the argument that names a lab's file.
#[must_use]
pub fn file_argument() -> Arg {
    Arg::new("file")
        .value_name("FILE")
        .help("The lab's file; `-` is standard input")
        .required(true)
        .value_parser(value_parser!(PathBuf))
}

/// Reads a lab's file and tells what is wrong with it.
///
/// # Errors
/// The exit code, when all is told.
pub fn load(path: &Path, stderr: &mut dyn Write) -> Result<Loaded, u8> {
    let name = if path.as_os_str() == "-" { "standard input".into() } else { path.to_string_lossy() };
    let bytes = read(path).map_err(|error| {
        let sentence = error.raw_os_error().map_or_else(|| error.to_string(), crate::lab::failed::sentence);
        let _ = writeln!(stderr, "error: cannot read `{name}`: {sentence}");
        REFUSED
    })?;
    let colour = has_colour();
    let tell = |stderr: &mut dyn Write, problems: &[Problem]| {
        for problem in problems {
            let _ = stderr.write_all(problem.render(colour, WIDTH).as_bytes());
        }
    };
    match read_bytes(&bytes, &name, &OfThisMachine) {
        Ok((lab, warnings)) => {
            tell(stderr, &warnings);
            Ok(Loaded { lab, text: String::from_utf8_lossy(&bytes).into_owned(), path: path.to_owned() })
        }
        Err(problems) => {
            tell(stderr, &problems);
            Err(REFUSED)
        }
    }
}

/// Reads one byte more than a file may have, so that a longer one is seen to be longer.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
    if path.as_os_str() == "-" {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Returns the name of the lab that a word means, and the lab where the word is a file's.
///
/// # Errors
/// The exit code, when all is told.
pub fn lab_named(word: &OsStr, stderr: &mut dyn Write) -> Result<(String, Option<Lab>), u8> {
    let is_file = word == "-" || Path::new(word).is_file();
    match word.to_str() {
        Some(name) if !is_file && !name.contains('/') && !name.ends_with(".toml") => Ok((name.to_owned(), None)),
        _ => load(Path::new(word), stderr).map(|loaded| (loaded.lab.name.clone(), Some(loaded.lab))),
    }
}

/// Returns the options `-f FILE` and `-l LAB`.
#[must_use]
pub fn which_lab() -> [Arg; 2] {
    [
        Arg::new("file")
            .short('f')
            .long("file")
            .value_name("FILE")
            .help("The lab of this file")
            .value_parser(value_parser!(OsString))
            .conflicts_with("lab"),
        Arg::new("lab")
            .short('l')
            .long("lab")
            .value_name("LAB")
            .help("The lab of this name; without, the one that is up")
            .value_parser(value_parser!(String)),
    ]
}

/// Returns which lab is meant: by option, by a node's name `LAB.NODE`, or because no other is up.
///
/// # Errors
/// The exit code, when all is told.
pub(super) fn find_lab(
    arguments: &mut ArgMatches,
    node: &str,
    labs: &Labs,
    stderr: &mut dyn Write,
) -> Result<(String, String), u8> {
    let (lab, node) = meant(arguments, node, labs, stderr)?;
    labs.refuse_roots(&lab, stderr)?;
    Ok((lab, node))
}

fn meant(arguments: &mut ArgMatches, node: &str, labs: &Labs, stderr: &mut dyn Write) -> Result<(String, String), u8> {
    if let Ok(Some(lab)) = arguments.try_remove_one::<String>("lab") {
        return Ok((lab, node.to_owned()));
    }
    if let Ok(Some(file)) = arguments.try_remove_one::<OsString>("file") {
        return Ok((lab_named(&file, stderr)?.0, node.to_owned()));
    }
    if let Some((lab, node)) = node.split_once('.') {
        return Ok((lab.to_owned(), node.to_owned()));
    }
    let own = labs.own();
    match own.as_slice() {
        [lab] => Ok((lab.clone(), node.to_owned())),
        [] => {
            let whose = if labs.roots().is_empty() { "no lab is up" } else { "no lab of yours is up, only root's" };
            let _ = writeln!(stderr, "error: {whose}\nhint: `vwire up FILE` brings one up");
            Err(REFUSED)
        }
        several => {
            let names = several.join("`, `");
            let how = if node.is_empty() { "its name" } else { "`-l NAME`" };
            let _ = writeln!(stderr, "error: several labs are up: `{names}`\nhint: {how} says which one is meant");
            Err(REFUSED)
        }
    }
}

/// Brings a lab back to what was before where it was to be confirmed and its time is over, and says so.
pub fn settle(lab: &str, stderr: &mut dyn Write) {
    let mut own = io::stderr();
    if let Err(failed) = confirm::settle(lab, &mut Teller::new(&mut own)) {
        tell(&failed, None, stderr);
    }
}

/// Tells why something failed, and what became of the machine; returns the exit code.
pub fn tell(failed: &Failed, loaded: Option<&Loaded>, stderr: &mut dyn Write) -> u8 {
    let mut text = match (&failed.aftermath, failed.why.signal) {
        (Aftermath::Unchanged, Some(_)) => format!("{failed}; "),
        _ => format!("error: {failed}\n"),
    };
    if let (Some(loaded), Some(span)) = (loaded, failed.span)
        && let Some((line, column)) = place_of(&loaded.text, span)
    {
        text.push_str(&format!("  --> {}:{line}:{column}\n", loaded.path.display()));
    }
    for hint in &failed.hints {
        text.push_str(&format!("hint: {hint}\n"));
    }
    match &failed.aftermath {
        Aftermath::Unchanged => text.push_str("nothing was changed\n"),
        Aftermath::Partly => {}
        Aftermath::Left(left) => {
            text.push_str("not all could be undone:\n");
            for one in left {
                text.push_str(&format!("  {one}\n"));
            }
        }
    }
    let _ = stderr.write_all(text.as_bytes());
    failed.why.signal.map_or(REFUSED, exit_of)
}

/// Returns line and column, from 1, of a part of a file; none where it is no part.
fn place_of(text: &str, span: Span) -> Option<(usize, usize)> {
    if span == Span::default() {
        return None;
    }
    let before = text.get(..span.start)?;
    let line = before.matches('\n').count() + 1;
    Some((line, before.chars().rev().take_while(|letter| *letter != '\n').count() + 1))
}

/// Says how many nodes.
#[must_use]
pub fn counted(nodes: usize) -> String {
    if nodes == 1 { "1 node".to_owned() } else { format!("{nodes} nodes") }
}

fn has_colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Tells on a terminal how it goes, where it takes longer than people like to wait in the dark; and holds back the
/// signals that ask for the end, so that it is reached with nothing half done.
pub struct Teller<'a> {
    stderr: &'a mut (dyn Write + Send),
    start: Instant,
    told: Option<Instant>,
    is_terminal: bool,
    held: Option<Held>,
}

impl<'a> Teller<'a> {
    /// Makes one that tells to `stderr`.
    pub fn new(stderr: &'a mut (dyn Write + Send)) -> Self {
        let held = Held::hold().ok();
        Self { stderr, start: Instant::now(), told: None, is_terminal: io::stderr().is_terminal(), held }
    }

    /// Says on a terminal that it is done; scripts hear nothing.
    pub fn done(&mut self, text: &str) {
        self.end();
        if self.is_terminal {
            let _ = writeln!(self.stderr, "{text}");
        }
    }

    /// Clears the line on which it was told.
    pub fn end(&mut self) {
        if self.told.take().is_some() {
            let _ = write!(self.stderr, "\r\x1b[K");
        }
    }
}

impl Listener for Teller<'_> {
    fn waits(&mut self, lab: &str, pid: Option<u32>) {
        self.end();
        let who = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
        let _ = writeln!(self.stderr, "waiting for {who}, which changes lab `{lab}`");
    }

    fn progress(&mut self, what: &'static str, done: usize, all: usize) {
        let now = Instant::now();
        let is_due = self.told.is_none_or(|told| now - told >= OFTEN) && now - self.start >= PATIENCE;
        if self.is_terminal && is_due {
            let _ = write!(self.stderr, "\r\x1b[K{what}: {done} of {all}");
            let _ = self.stderr.flush();
            self.told = Some(now);
        }
    }

    fn warns(&mut self, text: &str) {
        self.end();
        let _ = writeln!(self.stderr, "warning: {text}");
    }

    fn asks_to_end(&mut self) -> Option<i32> {
        self.held.as_ref()?.seen()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_file_has_a_line_and_a_column() {
        assert_eq!(place_of("a\nbc d", Span { start: 5, end: 6 }), Some((2, 4)));
        assert_eq!(place_of("a", Span::default()), None);
        assert_eq!(place_of("a", Span { start: 9, end: 10 }), None);
    }
}
