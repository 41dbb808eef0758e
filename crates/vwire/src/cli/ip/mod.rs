//! `ip`'s grammar: the objects that vwire speaks word for word as `ip` does.
//!
//! [`options`] reads what stands before the object, [`words`] the rest; each object has a file of
//! its own that reads its words into plain data, asks or changes the kernel through the [`Ip`] it
//! is handed, and prints through [`crate::out`]. What went wrong is a [`Failure`], which knows
//! `ip`'s message and vwire's better one.
//!
//! To add an object: a file, and a row in `objects.rs`.

pub mod address;
pub mod addrlabel;
pub mod batch;
pub mod failure;
pub mod kernel;
pub mod link;
pub mod maddress;
pub mod monitor;
pub mod mroute;
pub mod neigh;
pub mod netconf;
mod netns;
pub mod nexthop;
pub mod ntable;
mod objects;
pub mod options;
pub mod prefix;
pub mod recorded;
mod rehearsal;
pub mod route;
pub mod rule;
pub mod saved;
mod submit;
pub mod token;
mod transaction;
pub mod tunnel;
pub mod tuntap;
mod wait;
mod whole;
pub mod wishes;
pub mod words;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, Write};
use std::net::IpAddr;
use std::rc::Rc;

use vwire_netlink::Socket;

use crate::lab::namespace;
pub use crate::lab::nearest;
use crate::lab::signals::Held;
use crate::out::{self, Layout, Palette, Printer};
use crate::snapshot;
use crate::snapshot::names::Tables;
pub use failure::{Failure, Persona};
pub(in crate::cli) use netns::enter_failure;
pub use objects::spoken as spoken_objects;
use options::{Asked, ColourWhen, Options};
use submit::Mode;
use wishes::Wishes;
use words::Words;

/// `ENOENT`.
const ENOENT: i32 = 2;
/// The iproute2 release whose behaviour is followed.
pub const IPROUTE2: &str = "7.1.0";

/// What a command of `ip`'s grammar works with: its options, where it prints, and the kernel.
pub struct Ip<'a> {
    /// The options before the object.
    pub options: Options,
    /// Gathers the output.
    pub printer: Printer,
    /// Whose words errors speak.
    pub persona: Persona,
    /// The names of groups, tables, protocols and the like.
    pub tables: Tables,
    /// How to take what is there already, or is not.
    pub wishes: Wishes,
    mode: Mode,
    /// What a command has made, for who waits until it can be used.
    awaited: Vec<wait::Awaited>,
    /// The signals that are held back while a batch is done as a whole.
    held: Option<Held>,
    socket: Option<Socket>,
    /// The names of namespaces by their ids, where a snapshot is asked.
    recorded_names: HashMap<i32, Vec<u8>>,
    /// What the command of a batch has printed, where a batch prints one document.
    collected: Option<Vec<u8>>,
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
}

impl<'a> Ip<'a> {
    /// Makes the surroundings of one command, or of a batch of them.
    pub fn new(options: Options, persona: Persona, stdout: &'a mut dyn Write, stderr: &'a mut dyn Write) -> Self {
        let mut printer = Printer::new(layout(&options));
        if options.resolve {
            printer.call_hosts_by(Rc::new(SystemHosts::default()));
        }
        let wishes = options.wishes;
        Self {
            options,
            printer,
            persona,
            tables: Tables::default(),
            wishes,
            mode: Mode::Live,
            awaited: Vec::new(),
            held: None,
            socket: None,
            recorded_names: HashMap::new(),
            collected: None,
            stdout,
            stderr,
        }
    }

    /// Writes out what was printed so far.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        if let Some(collected) = &mut self.collected {
            return self.printer.drain_to(collected);
        }
        self.printer.drain_to(self.stdout)?;
        self.stdout.flush()
    }

    /// Prints in another layout from now on; returns the printer that did it so far.
    pub fn lay_out(&mut self, layout: Layout) -> Printer {
        let other = self.printer.like(layout);
        std::mem::replace(&mut self.printer, other)
    }

    /// Returns whether what a command prints becomes a part of one document.
    #[must_use]
    pub fn collects(&self) -> bool {
        self.collected.is_some()
    }

    /// Writes out what was printed so far if it is much, so that long lists need little memory.
    pub fn flush_if_much(&mut self) {
        const MUCH: usize = 64 * 1024;
        if self.printer.waiting() > MUCH {
            let _ = self.flush();
        }
    }

    /// Says something on standard error at once, after what was printed so far.
    pub fn say(&mut self, words: &[u8]) {
        if self.rehearsal().is_some() {
            return;
        }
        let _ = self.flush();
        let _ = match self.tongue() {
            Tongue::Json => self.stderr.write_all(&out::failure::message_line(words)),
            Tongue::Words(_) => self.stderr.write_all(words),
        };
    }

    /// Says a failure on standard error at once, after what was printed so far.
    pub fn complain(&mut self, failure: &Failure) {
        if self.rehearsal().is_some() {
            return;
        }
        let _ = self.flush();
        let _ = self.stderr.write_all(&spelled(failure, self.tongue()));
    }

    fn tongue(&self) -> Tongue {
        Tongue::new(self.persona, self.options.json)
    }
}

/// The names that the system knows.
#[derive(Debug, Default)]
struct SystemHosts(snapshot::hosts::Hosts);

impl out::hosts::Hosts for SystemHosts {
    fn name(&self, address: IpAddr) -> Option<String> {
        self.0.name(address)
    }
}

fn layout(options: &Options) -> Layout {
    // NO_COLOR speaks to who does not ask for colour, and here colour has to be asked for.
    let coloured = match options.colour {
        ColourWhen::Never => false,
        ColourWhen::Always => true,
        ColourWhen::Auto => io::IsTerminal::is_terminal(&io::stdout()),
    };
    let palette = Palette::from_colorfgbg(std::env::var("COLORFGBG").ok().as_deref());
    Layout {
        json: options.json,
        pretty: options.pretty,
        oneline: options.oneline,
        colour: (coloured && !options.json).then_some(palette),
    }
}

/// Runs a whole command line, options first, and returns the exit code.
pub fn main(persona: Persona, arguments: &[OsString], stdout: &mut dyn Write, stderr: &mut dyn Write) -> u8 {
    wish(persona, Wishes::default(), arguments, stdout, stderr)
}

/// Runs a whole command line with wishes of vwire's own.
pub fn wish(
    persona: Persona,
    wishes: Wishes,
    arguments: &[OsString],
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let asked = options::parse_as(persona, arguments);
    // `ip` enters a namespace as soon as it reads its name, whatever comes behind it.
    if persona == Persona::Ip
        && !matches!(asked, Ok(Asked::Command(..)))
        && let Err(failure) = enter(&options::readable(persona, arguments), persona)
    {
        return finish(&failure, Tongue::Words(persona), stderr);
    }
    match asked {
        Ok(Asked::Version) => {
            let _ = match persona {
                Persona::Ip => writeln!(stdout, "ip utility, iproute2-{IPROUTE2}"),
                Persona::Vwire => {
                    writeln!(stdout, "vwire {} (speaks ip as iproute2-{IPROUTE2})", env!("CARGO_PKG_VERSION"))
                }
            };
            0
        }
        Ok(Asked::Help) => finish(&help(), Tongue::new(persona, options::asks_for_json(arguments)), stderr),
        Ok(Asked::Command(options, words)) => {
            serve(&GRAMMAR, persona, (Options { wishes, ..options }, words), stdout, stderr)
        }
        Err(failure) => finish(&failure, Tongue::new(persona, options::asks_for_json(arguments)), stderr),
    }
}

/// What tells the grammars of `ip` and `bridge` apart, once their options are read.
pub(in crate::cli) struct Grammar {
    /// Runs one command: an object and its words.
    pub(in crate::cli) run: fn(&mut Ip<'_>, &[OsString]) -> Result<(), Failure>,
    /// Returns the program's exit code for that of a failure.
    pub(in crate::cli) exit: fn(u8) -> u8,
    /// Returns whether a failure ends a batch, whatever `-force` says.
    pub(in crate::cli) leaves: fn(u8) -> bool,
}

const GRAMMAR: Grammar = Grammar { run, exit: |code| code, leaves: |code| code == failure::EXIT_USAGE };

/// Enters the namespaces that are named before a command.
///
/// # Errors
/// One of them cannot be entered.
pub(in crate::cli) fn enter(options: &Options, persona: Persona) -> Result<(), Failure> {
    options.entered(persona).try_for_each(|name| namespace::enter(name).map_err(|error| netns::enter_failure(&error)))
}

/// Runs a command, or a batch of them, where the options want it, and returns the exit code.
pub(in crate::cli) fn serve(
    grammar: &Grammar,
    persona: Persona,
    (options, words): (Options, &[OsString]),
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let tongue = Tongue::new(persona, options.json);
    if options.from.is_none()
        && let Err(failure) = enter(&options, persona)
    {
        return finish(&failure, tongue, stderr);
    }
    let mut ip = Ip::new(options, persona, stdout, stderr);
    let result = match ip.options.batch.clone() {
        Some(file) if ip.wishes.atomic || ip.wishes.plan => whole::run_file(&mut ip, &file, grammar),
        Some(file) => run_batch(&mut ip, &file, grammar),
        None if ip.wishes.plan => whole::plan_one(&mut ip, words, grammar),
        None => (grammar.run)(&mut ip, words)
            .and_then(|()| whole::wait_if_wished(&mut ip).map_err(|failure| failure.of_command(None, None, words))),
    };
    let flushed = ip.flush();
    match (result, flushed) {
        (Err(failure), _) => {
            let exit = (grammar.exit)(failure.exit());
            finish(&failure.with_exit(exit), tongue, stderr)
        }
        (Ok(()), Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(stderr, "error: cannot write the output: {error}");
            1
        }
        (Ok(()), _) => 0,
    }
}

/// Runs a batch as a whole, and returns the exit code.
pub fn run_whole(options: Options, file: &OsStr, stdout: &mut dyn Write, stderr: &mut dyn Write) -> u8 {
    let options = Options { batch: Some(file.to_owned()), ..options };
    serve(&GRAMMAR, Persona::Vwire, (options, &[]), stdout, stderr)
}

/// Returns whether a word stands for an object of `ip`'s.
#[must_use]
pub fn is_object(word: &str) -> bool {
    objects::find(word.as_bytes()).is_some()
}

/// In which form failures are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Tongue {
    /// For people, in a persona's words.
    Words(Persona),
    /// For programs, an object a line.
    Json,
}

impl Tongue {
    /// Linked as `ip`, vwire tells failures as `ip` does, in words.
    pub(in crate::cli) fn new(persona: Persona, json: bool) -> Self {
        if json && persona == Persona::Vwire { Self::Json } else { Self::Words(persona) }
    }
}

/// Spells a failure, to be written on standard error.
pub(in crate::cli) fn spelled(failure: &Failure, tongue: Tongue) -> Vec<u8> {
    match tongue {
        Tongue::Words(persona) => failure.render(persona),
        Tongue::Json => failure.json_line(kernel::errno_name),
    }
}

pub(in crate::cli) fn finish(failure: &Failure, tongue: Tongue, stderr: &mut dyn Write) -> u8 {
    let _ = stderr.write_all(&spelled(failure, tongue));
    failure.exit()
}

/// Runs one command: an object and its words.
///
/// # Errors
/// Whatever the object's command failed with.
pub fn run(ip: &mut Ip<'_>, command: &[OsString]) -> Result<(), Failure> {
    let mut words = Words::new(command);
    if ip.persona == Persona::Vwire {
        words = words.each_once();
    }
    let Some(word) = words.next() else { return Err(help()) };
    let Some((name, object)) = objects::find(word) else {
        return Err(options::unknown_object(word).of_command(None, None, command));
    };
    let operation = words.peek().map_or(Some("show"), object.operation);
    if ip.options.batch.is_none() {
        ip.wishes.fit(name, operation).map_err(|failure| failure.of_command(Some(name), operation, command))?;
    }
    // A plan changes nothing, and may be one for what was.
    if ip.options.from.is_some() && !ip.wishes.plan {
        recorded::allow(name, operation).map_err(|failure| failure.of_command(Some(name), operation, command))?;
    }
    match (object.run)(ip, &mut words) {
        Err(failure) if is_excused(ip, operation, &failure) => Ok(()),
        result => result.map_err(|failure| {
            // A program that is run in a namespace has options of its own.
            let misplaced = options::misplaced(command).filter(|_| name != "netns" && !failure.is_kernels());
            let failure = match misplaced {
                Some(option) => failure.hint(format!("options stand before the object: `vwire {option} {name} …`")),
                None => failure,
            };
            failure.of_command(Some(name), operation, command)
        }),
    }
}

/// Returns the object and the operation of a command, in full.
pub(in crate::cli) fn subject_of(command: &[OsString]) -> Option<(&'static str, Option<&'static str>)> {
    let mut words = Words::new(command);
    let (name, object) = objects::find(words.next()?)?;
    Some((name, words.peek().map_or(Some("show"), object.operation)))
}

/// Returns whether what is to be changed or deleted is not there, and need not be.
pub(in crate::cli) fn is_excused(ip: &Ip<'_>, operation: Option<&str>, failure: &Failure) -> bool {
    let goes = matches!(operation, Some("delete" | "del" | "flush"));
    let changes = matches!(operation, Some("set" | "change" | "replace" | "property"));
    // What lists before it deletes finds no table of that number.
    let is_empty = operation == Some("flush") && failure.errno() == Some(ENOENT);
    ip.wishes.if_exists && (goes && failure.is_of_missing() || is_empty || changes && failure.is_of_missing_subject())
}

fn help() -> Failure {
    Failure::usage(super::help::text())
}

/// Runs each command of a batch file, or of standard input for `-`, as it is read, over one socket.
///
/// Where failures are told as JSON, standard output gets one document; else what each command prints, as `ip` does it.
fn run_batch(ip: &mut Ip<'_>, file: &OsStr, grammar: &Grammar) -> Result<(), Failure> {
    let mut input: Box<dyn BufRead> = if file == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(io::BufReader::new(std::fs::File::open(file).map_err(|error| unreadable_batch(file, &error))?))
    };
    if ip.tongue() != Tongue::Json {
        return run_lines(ip, (file, grammar), &mut input, |ip| ip.flush());
    }
    ip.collected = Some(Vec::new());
    let mut opening: &[u8] = b"[";
    let result = run_lines(ip, (file, grammar), &mut input, |ip| {
        ip.flush()?;
        let printed = ip.collected.replace(Vec::new()).unwrap_or_default();
        ip.stdout.write_all(&[std::mem::replace(&mut opening, b",\n"), &out::batch::element(&printed)].concat())?;
        ip.stdout.flush()
    });
    ip.collected = None;
    ip.printer.verbatim(if opening == b"[" { "[]\n" } else { "]\n" });
    result
}

/// Runs each line of a batch; `done` is called behind each command.
fn run_lines(
    ip: &mut Ip<'_>,
    (file, grammar): (&OsStr, &Grammar),
    input: &mut dyn BufRead,
    mut done: impl FnMut(&mut Ip<'_>) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut splitter = batch::Splitter::default();
    let mut text = Vec::new();
    let mut failed = false;
    loop {
        text.clear();
        if input.read_until(b'\n', &mut text).map_err(|error| unreadable_batch(file, &error))? == 0 {
            break;
        }
        let line = splitter.take(&text).map_err(|error| unsplittable(file, splitter.number(), error))?;
        let Some(line) = line else { continue };
        let result = (grammar.run)(ip, &line.words).and_then(|()| whole::wait_if_wished(ip));
        done(ip).or_else(closed_pipe_is_no_error)?;
        let Err(failure) = result else { continue };
        let (exit, leaves) = ((grammar.exit)(failure.exit()), (grammar.leaves)(failure.exit()));
        ip.complain(&failure.with_exit(exit).at_line(file, line.number));
        if leaves {
            return Err(Failure::verbatim(exit, ""));
        }
        if ip.tongue() != Tongue::Json {
            ip.say(format!("Command failed {}:{}\n", file.display(), line.number).as_bytes());
        }
        failed = true;
        if !ip.options.force {
            break;
        }
    }
    if splitter.is_joining() {
        let failure = Failure::new(0, "Missing continuation line", "the last line ends in a backslash")
            .trying(format!("cannot run line {} of the batch `{}`", splitter.number(), file.display()));
        ip.complain(&failure);
    }
    if failed { Err(Failure::verbatim(1, "")) } else { Ok(()) }
}

fn unreadable_batch(file: &OsStr, error: &io::Error) -> Failure {
    let shown = file.display();
    let reason = error.raw_os_error().map_or_else(|| error.to_string(), failure::errno_sentence);
    Failure::new(1, format!("Cannot open file \"{shown}\" for reading: {reason}"), reason)
        .refused_with(error.raw_os_error())
        .trying(format!("cannot read the batch `{shown}`"))
}

fn unsplittable(file: &OsStr, number: usize, error: batch::SplitError) -> Failure {
    let (ip, cause) = match error {
        batch::SplitError::Unterminated => ("Unterminated quoted string", "a quote is not closed".to_owned()),
        batch::SplitError::TooMany => {
            ("Too many arguments to command", format!("a command has more than {} words", batch::MOST_WORDS))
        }
    };
    Failure::new(1, ip, cause).trying(format!("cannot read line {number} of the batch `{}`", file.display()))
}

fn closed_pipe_is_no_error(error: io::Error) -> Result<(), Failure> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Err(Failure::verbatim(0, ""));
    }
    Err(Failure::verbatim(1, format!("error: cannot write the output: {error}\n")))
}
