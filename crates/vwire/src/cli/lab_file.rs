//! What the verbs on labs share: reading the file, finding the lab that is meant, telling how it goes.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Arg, ArgMatches, value_parser};

use super::called;
use super::inside::Labs;
use super::talk::{self, Talk};
use crate::lab::engine::up::Order;
use crate::lab::engine::{Listener, confirm};
use crate::lab::failed::Failed;
use crate::lab::file::accounts::OfThisMachine;
use crate::lab::file::{LARGEST, read_bytes};
use crate::lab::model::Lab;
use crate::lab::signals::Held;
use crate::out::failure;

/// The exit code where the kernel, or the lab, said no.
pub const REFUSED: u8 = 1;
/// The exit code where something is to be changed, or is not as it should be.
pub const DIFFERS: u8 = 3;
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

impl Loaded {
    /// Returns it as an order.
    #[must_use]
    pub fn order(&self) -> Order<'_> {
        Order { lab: &self.lab, text: &self.text }
    }
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
pub fn load(path: &Path, talk: &mut Talk<'_>) -> Result<Loaded, u8> {
    let name = called(path.as_os_str()).to_string_lossy();
    let bytes = read(path)
        .map_err(|error| talk.refuses(&Failed::new(format!("cannot read `{name}`")).because(&error), REFUSED))?;
    match read_bytes(&bytes, &name, &OfThisMachine) {
        Ok((lab, warnings)) => {
            talk.shows(&warnings);
            Ok(Loaded {
                lab,
                text: String::from_utf8_lossy(&bytes).into_owned(),
                path: called(path.as_os_str()).into(),
            })
        }
        Err(problems) => {
            talk.shows(&problems);
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
pub fn lab_named(word: &OsStr, talk: &mut Talk<'_>) -> Result<(String, Option<Loaded>), u8> {
    let is_file = word == "-" || Path::new(word).is_file();
    match word.to_str() {
        Some(name) if !is_file && !name.contains('/') && !name.ends_with(".toml") => Ok((name.to_owned(), None)),
        _ => load(Path::new(word), talk).map(|loaded| (loaded.lab.name.clone(), Some(loaded))),
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
    talk: &mut Talk<'_>,
) -> Result<(String, String), u8> {
    let (lab, node) = meant(arguments, node, labs, talk)?;
    labs.refuse_roots(&lab, talk)?;
    Ok((lab, node))
}

fn meant(arguments: &mut ArgMatches, node: &str, labs: &Labs, talk: &mut Talk<'_>) -> Result<(String, String), u8> {
    if let Ok(Some(lab)) = arguments.try_remove_one::<String>("lab") {
        return Ok((lab, node.to_owned()));
    }
    if let Ok(Some(file)) = arguments.try_remove_one::<OsString>("file") {
        return Ok((lab_named(&file, talk)?.0, node.to_owned()));
    }
    if let Some((lab, node)) = node.split_once('.') {
        return Ok((lab.to_owned(), node.to_owned()));
    }
    let own = labs.own();
    match own.as_slice() {
        [lab] => Ok((lab.clone(), node.to_owned())),
        [] => {
            let whose = if labs.roots().is_empty() { "no lab is up" } else { "no lab of yours is up, only root's" };
            Err(talk.refuses(&Failed::new(whose).hint("`vwire up FILE` brings one up"), REFUSED))
        }
        several => {
            let names = several.join("`, `");
            let how = if node.is_empty() { "its name" } else { "`-l NAME`" };
            let failed = Failed::new(format!("several labs are up: `{names}`"));
            Err(talk.refuses(&failed.hint(format!("{how} says which one is meant")), REFUSED))
        }
    }
}

/// Brings a lab back to what was before where it was to be confirmed and its time is over, and says so.
pub fn settle(lab: &str, talk: &mut Talk<'_>) {
    let mut own = io::stderr();
    if let Err(failed) = confirm::settle(lab, &mut Teller::new(&mut own, talk.is_json())) {
        talk.fails(&failed, None);
    }
}

/// Tells on a terminal how it goes, where it takes longer than people like to wait in the dark; and holds back the
/// signals that ask for the end, so that it is reached with nothing half done.
pub struct Teller<'a> {
    stderr: &'a mut (dyn Write + Send),
    start: Instant,
    told: Option<Instant>,
    is_terminal: bool,
    json: bool,
    held: Option<Held>,
}

impl<'a> Teller<'a> {
    /// Makes one that tells to `stderr`: people how it goes, programs what is worth a message.
    pub fn new(stderr: &'a mut (dyn Write + Send), json: bool) -> Self {
        let held = Held::hold().ok();
        Self { held, ..Self::of_onlooker(stderr, json) }
    }

    /// Makes one that leaves signals alone, for what may end at any moment.
    pub fn of_onlooker(stderr: &'a mut (dyn Write + Send), json: bool) -> Self {
        let is_terminal = io::stderr().is_terminal() && !json;
        Self { stderr, start: Instant::now(), told: None, is_terminal, json, held: None }
    }

    /// Says on a terminal that it is done; scripts hear nothing.
    pub fn done(&mut self, parts: &[String]) {
        self.end();
        if self.is_terminal {
            let room = talk::width();
            let whole = parts.join("; ");
            // A line, or one for each part.
            let text = if whole.chars().count() <= room { whole } else { parts.join("\n  ") };
            let _ = writeln!(self.stderr, "{text}");
        }
    }

    fn says(&mut self, words: &str) {
        let said = if self.json { failure::message_line(words.as_bytes()) } else { format!("{words}\n").into_bytes() };
        let _ = self.stderr.write_all(&said);
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
        self.says(&format!("waiting for {who}, which changes lab `{lab}`"));
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
        self.says(&format!("warning: {text}"));
    }

    fn asks_to_end(&mut self) -> Option<i32> {
        self.held.as_ref()?.seen()
    }
}
