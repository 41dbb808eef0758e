//! The options that stand before the object: `ip -j -d -n blue link`.
//!
//! They are read in `ip`'s order: each option may be cut short to any beginning, and the first row
//! of the table that the word begins wins. So `-h` is `-human-readable`, and `-f` is `-family`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::failure::{EXIT_SEMANTIC, Failure, Persona};
use super::wishes::Wishes;
use super::words::{Keyword, Words, exact, find, number_as, prefix, shown};

/// An address family that output is narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Family {
    /// Any family.
    #[default]
    Unspec,
    /// IPv4, `-4`.
    Inet,
    /// IPv6, `-6`.
    Inet6,
    /// The link layer, `-0`.
    Packet,
    /// The bridge family, `-B`.
    Bridge,
    /// MPLS, `-M`.
    Mpls,
}

impl Family {
    /// Returns the kernel's `AF_…` number (`linux/socket.h`).
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Unspec => 0,
            Self::Inet => 2,
            Self::Inet6 => 10,
            Self::Packet => 17,
            Self::Bridge => 7,
            Self::Mpls => 28,
        }
    }

    /// Reads a family's name, as `-family` takes it.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"inet" => Self::Inet,
            b"inet6" => Self::Inet6,
            b"link" => Self::Packet,
            b"bridge" => Self::Bridge,
            b"mpls" => Self::Mpls,
            _ => return None,
        })
    }
}

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColourWhen {
    /// Never: the default.
    #[default]
    Never,
    /// Always: a bare `-c`.
    Always,
    /// Where standard output is a terminal.
    Auto,
}

/// The global options.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they mirror ip's switches, which are independent of each other")]
pub struct Options {
    /// `-f`, `-4`, `-6`, `-0`, `-B`, `-M`.
    pub family: Family,
    /// `-h`: sizes with a unit.
    pub human: bool,
    /// `-iec`: units of 1,024.
    pub iec: bool,
    /// `-s`, counted.
    pub stats: u8,
    /// `-d`, counted.
    pub details: u8,
    /// `-r`: names in the place of addresses.
    pub resolve: bool,
    /// `-o`.
    pub oneline: bool,
    /// `-t` or `-ts`.
    pub timestamp: bool,
    /// `-ts`: the short form.
    pub timestamp_short: bool,
    /// `-br`.
    pub brief: bool,
    /// `-j`.
    pub json: bool,
    /// `-p`.
    pub pretty: bool,
    /// `-c`.
    pub colour: ColourWhen,
    /// `-N`: numbers in the place of names.
    pub numeric: bool,
    /// `-a`: for `netns`, all of them.
    pub all: bool,
    /// `-echo`: ask the kernel for the object it made.
    pub echo: bool,
    /// `-force`: a batch goes on after an error.
    pub force: bool,
    /// vwire's own options.
    pub wishes: Wishes,
    /// `-n NAME`: the last of them.
    pub netns: Option<OsString>,
    /// The names behind the `-n` before it, which `ip` enters one after the other.
    pub passed: Vec<OsString>,
    /// `-b FILE`.
    pub batch: Option<OsString>,
    /// `--from FILE`, which `ip` has not: what is shown is what a snapshot says.
    pub from: Option<OsString>,
    /// `-rc BYTES`: the receive buffer.
    pub receive_buffer: Option<u32>,
    /// `-l N`: how often a flush tries again.
    pub flush_loops: Option<u32>,
    /// `-com`, of `bridge`: VLANs that follow each other as ranges.
    pub compress_vlans: bool,
}

impl Options {
    /// Takes in the name behind one more `-n`.
    pub(in crate::cli) fn enter(&mut self, name: &[u8]) {
        let last = self.netns.replace(OsStr::from_bytes(name).to_owned());
        self.passed.extend(last);
    }

    /// Returns the namespaces that are entered, in their order: `ip` opens each where it reads its name, vwire the last.
    pub(in crate::cli) fn entered(&self, persona: Persona) -> impl Iterator<Item = &OsStr> {
        let passed = self.passed.iter().filter(move |_| persona == Persona::Ip);
        passed.chain(&self.netns).map(OsString::as_os_str)
    }
}

/// What the options ask for.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Run a command: its words, object first.
    Command(Options, &'a [OsString]),
    /// `-V`.
    Version,
    /// `-help`.
    Help,
}

/// Returns whether `-j` stands before whatever may be wrong.
#[must_use]
pub fn asks_for_json(arguments: &[OsString]) -> bool {
    let mut options = Options::default();
    let _ = read(&mut options, arguments, Persona::Vwire);
    options.json
}

#[derive(Clone, Copy)]
enum Word {
    Loops,
    Family,
    Fixed(Family),
    Human,
    Iec,
    Stats,
    Details,
    Resolve,
    Oneline,
    Timestamp,
    TimestampShort,
    Version,
    Force,
    Batch,
    Brief,
    Json,
    Pretty,
    ReceiveBuffer,
    Help,
    Netns,
    Numeric,
    All,
    Echo,
}

/// In `ip`'s order: the first that an option begins wins.
const OPTIONS: &[Keyword<Word>] = &[
    prefix("-loops", Word::Loops),
    prefix("-family", Word::Family),
    exact("-4", Word::Fixed(Family::Inet)),
    exact("-6", Word::Fixed(Family::Inet6)),
    exact("-0", Word::Fixed(Family::Packet)),
    exact("-M", Word::Fixed(Family::Mpls)),
    exact("-B", Word::Fixed(Family::Bridge)),
    prefix("-human-readable", Word::Human),
    prefix("-iec", Word::Iec),
    prefix("-stats", Word::Stats),
    prefix("-statistics", Word::Stats),
    prefix("-details", Word::Details),
    prefix("-resolve", Word::Resolve),
    prefix("-oneline", Word::Oneline),
    prefix("-timestamp", Word::Timestamp),
    prefix("-tshort", Word::TimestampShort),
    prefix("-Version", Word::Version),
    prefix("-force", Word::Force),
    prefix("-batch", Word::Batch),
    prefix("-brief", Word::Brief),
    prefix("-json", Word::Json),
    prefix("-pretty", Word::Pretty),
    prefix("-rcvbuf", Word::ReceiveBuffer),
    prefix("-help", Word::Help),
    prefix("-netns", Word::Netns),
    prefix("-Numeric", Word::Numeric),
    prefix("-all", Word::All),
    exact("-echo", Word::Echo),
];

/// Reads the options before the object, as `ip` has them.
///
/// # Errors
/// An option that is not known or lacks its value, as `ip` words it.
pub fn parse(arguments: &[OsString]) -> Result<Asked<'_>, Failure> {
    parse_as(Persona::Ip, arguments)
}

/// Reads the options before the object, with those that vwire alone has.
///
/// # Errors
/// An option that is not known or lacks its value, as `ip` words it.
pub fn parse_as(persona: Persona, arguments: &[OsString]) -> Result<Asked<'_>, Failure> {
    let mut options = Options::default();
    Ok(match read(&mut options, arguments, persona)? {
        End::Version => Asked::Version,
        End::Help => Asked::Help,
        End::Command(words) => Asked::Command(options, words),
    })
}

/// Returns the options that stand before what cannot be read, or before what ends them.
#[must_use]
pub(in crate::cli) fn readable(persona: Persona, arguments: &[OsString]) -> Options {
    let mut options = Options::default();
    let _ = read(&mut options, arguments, persona);
    options
}

/// Returns the word of a command that is an option, which stands before the object, if there is one.
#[must_use]
pub fn misplaced(command: &[OsString]) -> Option<&str> {
    let is_option = |word: &&str| {
        let bytes = word.as_bytes();
        let name = if bytes.starts_with(b"--") { &bytes[1..] } else { bytes };
        name.len() > 1 && name[0] == b'-' && (name == b"-from" || find(OPTIONS, name).is_some())
    };
    command.iter().skip(1).filter_map(|word| word.to_str()).take_while(|word| *word != "--").find(is_option)
}

/// Returns whether an option, with the dashes before it, takes the word behind it.
#[must_use]
pub fn takes_value(option: &[u8]) -> bool {
    if option == b"--from" {
        return true;
    }
    let option = if option.starts_with(b"--") { &option[1..] } else { option };
    let takes = [Word::Loops, Word::Family, Word::Batch, Word::ReceiveBuffer, Word::Netns];
    let known = find(OPTIONS, option).filter(|_| colour_option(option).is_none());
    known.is_some_and(|known| takes.iter().any(|word| std::mem::discriminant(word) == std::mem::discriminant(&known)))
}

/// What ends the options.
enum End<'a> {
    Version,
    Help,
    Command(&'a [OsString]),
}

fn read<'a>(options: &mut Options, arguments: &'a [OsString], persona: Persona) -> Result<End<'a>, Failure> {
    let mut words = Words::new(arguments);
    while let Some(word) = words.peek() {
        if word == b"--" {
            words.next();
            break;
        }
        if !word.starts_with(b"-") {
            break;
        }
        words.next();
        if persona == Persona::Vwire && word == b"--from" {
            let file = words.next().ok_or_else(|| Failure::missing_value("file name"))?;
            options.from = Some(OsString::from_vec(file.to_vec()));
            continue;
        }
        let option = if word.starts_with(b"--") { &word[1..] } else { word };
        if let Some(when) = colour_option(option) {
            options.colour = when;
            continue;
        }
        match find(OPTIONS, option) {
            Some(Word::Version) => return Ok(End::Version),
            Some(Word::Help) => return Ok(End::Help),
            Some(known) => take(known, options, &mut words)?,
            None => return Err(unknown_option(option)),
        }
    }
    Ok(End::Command(words.rest()))
}

fn take(word: Word, options: &mut Options, words: &mut Words<'_>) -> Result<(), Failure> {
    match word {
        Word::Loops => {
            let value = words.next().ok_or_else(|| Failure::missing_value("loop count"))?;
            options.flush_loops = Some(leading_number(value));
        }
        Word::Family => {
            let value = words.next().ok_or_else(|| Failure::missing_value("family type"))?;
            options.family =
                Family::from_name(value).ok_or_else(|| Failure::invalid(value, "invalid protocol family"))?;
        }
        Word::Fixed(family) => options.family = family,
        Word::Human => options.human = true,
        Word::Iec => options.iec = true,
        Word::Stats => options.stats = options.stats.saturating_add(1),
        Word::Details => options.details = options.details.saturating_add(1),
        Word::Resolve => options.resolve = true,
        Word::Oneline => options.oneline = true,
        Word::Timestamp => options.timestamp = true,
        Word::TimestampShort => {
            options.timestamp = true;
            options.timestamp_short = true;
        }
        Word::Force => options.force = true,
        Word::Batch => {
            let file = words.next().ok_or_else(|| Failure::missing_value("batch file"))?;
            options.batch = Some(OsString::from_vec(file.to_vec()));
        }
        Word::Brief => options.brief = true,
        Word::Json => options.json = true,
        Word::Pretty => options.pretty = true,
        Word::ReceiveBuffer => {
            let value = words.next().ok_or_else(|| Failure::missing_value("rcvbuf size"))?;
            options.receive_buffer = Some(receive_buffer(value)?);
        }
        Word::Netns => options.enter(words.next().ok_or_else(no_netns)?),
        Word::Numeric => options.numeric = true,
        Word::All => options.all = true,
        Word::Echo => options.echo = true,
        Word::Version | Word::Help => {}
    }
    Ok(())
}

/// Reads `-c`, `-color` and what lies between, with `=always`, `=auto` or `=never` behind it.
pub(in crate::cli) fn colour_option(option: &[u8]) -> Option<ColourWhen> {
    let (name, when) = match option.iter().position(|byte| *byte == b'=') {
        Some(at) => (&option[..at], Some(&option[at + 1..])),
        None => (option, None),
    };
    if name.len() < 2 || !b"-color".starts_with(name) {
        return None;
    }
    match when {
        None | Some(b"always") => Some(ColourWhen::Always),
        Some(b"auto") => Some(ColourWhen::Auto),
        Some(b"never") => Some(ColourWhen::Never),
        Some(_) => None,
    }
}

/// Reads the digits that a word begins with, as C's `atoi` does; none are 0.
fn leading_number(word: &[u8]) -> u32 {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| u32::from(digit - b'0').saturating_add(number.saturating_mul(10)))
}

/// `-n` ends the line; `ip` then opens what is not there.
pub(in crate::cli) fn no_netns() -> Failure {
    Failure::missing_value("namespace's name")
        .said_by_ip("Cannot open network namespace \"(null)\": No such file or directory")
        .hint("`vwire netns` lists those that have a name")
}

fn receive_buffer(value: &[u8]) -> Result<u32, Failure> {
    number_as(value).ok_or_else(|| {
        let value = shown(value);
        Failure::new(255, format!("Invalid rcvbuf size '{value}'"), format!("`{value}` is no size in bytes"))
    })
}

fn unknown_option(option: &[u8]) -> Failure {
    let option = shown(option);
    Failure::new(
        255,
        format!("Option \"{option}\" is unknown, try \"ip -help\"."),
        format!("the option `{option}` is unknown"),
    )
    .hint("options cannot be joined (`-s -j`, not `-sj`) and stand before the object; `vwire help` lists them")
}

/// The failure for a word that names no object.
#[must_use]
pub fn unknown_object(word: &[u8]) -> Failure {
    let word = shown(word);
    Failure::new(
        EXIT_SEMANTIC,
        format!("Object \"{word}\" is unknown, try \"ip help\"."),
        format!("`{word}` is neither an object nor a verb"),
    )
    .hint("`vwire help` lists them")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn options(line: &str) -> Options {
        match parse(&words(line)).unwrap() {
            Asked::Command(options, _) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn short_forms_mean_what_ip_means_by_them() {
        assert!(options("-h link").human);
        assert_eq!(options("-s -s link").stats, 2);
        assert_eq!(options("-f inet6 addr").family, Family::Inet6);
        assert!(options("-fo link").force);
        assert!(options("-o link").oneline);
        assert!(options("--json link").json);
        assert!(options("-br link").brief);
        assert!(options("-N link").numeric);
        assert_eq!(options("-n blue link").netns, Some("blue".into()));
        assert!(options("-ts monitor").timestamp_short);
        assert!(!options("-t monitor").timestamp_short);
    }

    #[test]
    fn colour_takes_three_values() {
        assert_eq!(options("-c link").colour, ColourWhen::Always);
        assert_eq!(options("-col=auto link").colour, ColourWhen::Auto);
        assert_eq!(options("-c=never link").colour, ColourWhen::Never);
    }

    #[test]
    fn options_end_at_the_object() {
        let line = words("-j link -d");
        let Asked::Command(_, rest) = parse(&line).unwrap() else { panic!() };
        assert_eq!(rest, &words("link -d")[..]);
    }

    #[test]
    fn joined_options_are_unknown() {
        let failure = parse(&words("-sj link")).unwrap_err();
        assert_eq!(failure.exit(), 255);
        let text = failure.render(super::super::failure::Persona::Ip);
        assert_eq!(text, b"Option \"-sj\" is unknown, try \"ip -help\".\n");
    }

    #[test]
    fn version_and_help_end_the_reading() {
        assert_eq!(parse(&words("-V nonsense")).unwrap(), Asked::Version);
        assert_eq!(parse(&words("-he")).unwrap(), Asked::Help);
    }
}
