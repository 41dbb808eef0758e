//! Why an `ip`-compatible command failed: `ip`'s own words and exit code, and vwire's better ones.
//!
//! Linked as `ip`, vwire must say what `ip` says, to the byte: scripts match on it. Called
//! `vwire`, it says what was tried on which object, the kernel's sentence, and a command that
//! helps. A [`Failure`] carries both; [`Failure::render`] chooses. With `-j`, vwire says the same as one JSON object a
//! line ([`Failure::json_line`]); for that a failure keeps what the kernel said as it said it ([`Refusal`]).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use vwire_netlink::wire::ExtAck;
use vwire_netlink::{DumpError, DumpFailure, RequestError};

use super::words::shown;
use crate::out::failure;

/// Whose words the command speaks, decided by the name that it was called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Persona {
    /// Called `ip`, or `ip` with an object behind it: `ip`'s messages to the byte.
    Ip,
    /// Called by any other name: messages that say what was tried, and a hint.
    #[default]
    Vwire,
}

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    exit: u8,
    ip: Vec<u8>,
    tried: Option<String>,
    cause: String,
    hints: Vec<String>,
    /// Usage texts and reports are printed as they are, in both personas.
    verbatim: bool,
    refusal: Option<Box<Refusal>>,
    command: Option<Box<Command>>,
    /// What the command is about is not there.
    misses_subject: bool,
}

/// What the kernel said no with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The error number.
    pub errno: i32,
    /// What was asked of it, as in `RTM_NEWLINK`.
    pub request: Option<String>,
    /// Its sentence.
    pub sentence: Option<String>,
    /// The attribute that it points at, as in `IFLA_LINKINFO > IFLA_INFO_KIND`.
    pub attribute: Option<String>,
    /// The attribute that it misses.
    pub missing: Option<String>,
    /// What the attribute may be.
    pub allowed: Option<String>,
}

impl Refusal {
    /// A bare error number, as system calls give it.
    #[must_use]
    pub fn number(errno: i32) -> Self {
        Self { errno, ..Self::default() }
    }

    /// What the kernel answered to a dump; nothing where the way to it failed.
    #[must_use]
    pub fn of_dump(error: &DumpError) -> Option<Self> {
        let request = Some(error.operation.to_string());
        Some(match &error.cause {
            DumpFailure::Kernel { errno, ext_ack } => Self { request, ..Self::new(*errno, ext_ack) },
            _ => Self { request, ..Self::number(error.errno()?) },
        })
    }

    fn new(errno: i32, ext_ack: &ExtAck) -> Self {
        let allowed = ext_ack.policy.as_ref().map(ToString::to_string).filter(|text| !text.is_empty());
        Self {
            errno,
            request: None,
            sentence: ext_ack.message.clone().filter(|sentence| !sentence.is_empty()),
            attribute: ext_ack.attribute_path(),
            missing: ext_ack.missing_path(),
            allowed,
        }
    }
}

impl From<&RequestError> for Refusal {
    fn from(error: &RequestError) -> Self {
        Self { request: Some(error.operation.to_string()), ..Self::new(error.errno, &error.ext_ack) }
    }
}

/// The command that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Command {
    object: Option<&'static str>,
    operation: Option<&'static str>,
    words: Vec<OsString>,
    file: Option<OsString>,
    line: Option<usize>,
}

/// `ip`'s exit code for an error that `ip` itself found.
pub const EXIT_SEMANTIC: u8 = 1;
/// `ip`'s exit code where the kernel refused.
pub const EXIT_KERNEL: u8 = 2;
/// `ENODEV`.
const ENODEV: i32 = 19;
/// `ip`'s exit code for a wrong command line, `exit(-1)`.
pub const EXIT_USAGE: u8 = 255;

impl Failure {
    /// Makes a failure from `ip`'s exit code, its message without the line feed, and the cause in our words.
    pub fn new(exit: u8, ip: impl Into<Vec<u8>>, cause: impl Into<String>) -> Self {
        let mut ip = ip.into();
        ip.push(b'\n');
        Self { ip, cause: cause.into(), verbatim: false, ..Self::verbatim(exit, "") }
    }

    /// A usage text, printed as it is on standard error; exit code 255.
    pub fn usage(text: impl Into<Vec<u8>>) -> Self {
        Self::verbatim(EXIT_USAGE, text)
    }

    /// Words that are printed as they are in both personas; empty where all has been said before.
    pub fn verbatim(exit: u8, text: impl Into<Vec<u8>>) -> Self {
        Self {
            exit,
            ip: text.into(),
            tried: None,
            cause: String::new(),
            hints: Vec::new(),
            verbatim: true,
            refusal: None,
            command: None,
            misses_subject: false,
        }
    }

    /// The line ends where a word must follow.
    pub fn incomplete() -> Self {
        Self::new(
            EXIT_USAGE,
            "Command line is not complete. Try option \"help\"",
            "the command line ends where another word must follow",
        )
        .hint("put `help` in the place of the missing word to see what may stand there")
    }

    /// A global option ends the line where its value must follow.
    pub fn missing_value(what: &str) -> Self {
        Self::new(EXIT_USAGE, format!("Error: argument \"{what}\" is required"), format!("the {what} is missing"))
    }

    /// A word does not fit: `Error: argument "V" is wrong: MSG`.
    ///
    /// `message` is `ip`'s; where `ip`'s ends in a line feed of its own, so must this one.
    pub fn invalid(value: &[u8], message: &str) -> Self {
        let mut ip = b"Error: argument \"".to_vec();
        ip.extend_from_slice(value);
        ip.extend_from_slice(b"\" is wrong: ");
        ip.extend_from_slice(message.as_bytes());
        Self::new(EXIT_USAGE, ip, format!("`{}` does not fit here: {}", shown(value), message.trim_end()))
    }

    /// A keyword stands twice: `Error: duplicate "K": "V" is the second value.`
    pub fn duplicate(keyword: &str, value: &[u8]) -> Self {
        let value = shown(value);
        let ip = format!("Error: duplicate \"{keyword}\": \"{value}\" is the second value.");
        let second = if value.is_empty() { String::new() } else { format!("; `{value}` is the second value") };
        Self::new(EXIT_USAGE, ip, format!("`{keyword}` stands twice{second}"))
    }

    /// A second device name, or a word that nobody knows.
    pub fn duplicate_or_garbage(keyword: &str, word: &[u8]) -> Self {
        let word = shown(word);
        Self::new(
            EXIT_USAGE,
            format!("Error: either \"{keyword}\" is duplicate, or \"{word}\" is garbage."),
            format!("`{word}` is no keyword here, and `{keyword}` was given already"),
        )
    }

    /// A word is none of those that may stand there: `Error: argument of "K" must be …, not "V"`.
    pub fn not_one_of(keyword: &str, allowed: &[&str], value: &[u8]) -> Self {
        let quoted: Vec<String> = allowed.iter().map(|word| format!("\"{word}\"")).collect();
        let list = match quoted.as_slice() {
            [one, two] => format!("{one} or {two}"),
            [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
            all => all.join(", "),
        };
        let value = shown(value);
        Self::new(
            EXIT_SEMANTIC,
            format!("Error: argument of \"{keyword}\" must be {list}, not \"{value}\""),
            format!("`{keyword}` takes {}, not `{value}`", allowed.join(", ")),
        )
    }

    /// An unknown command of an object: `Command "foo" is unknown, try "ip link help".`
    pub fn unknown_command(word: &[u8], object: &str) -> Self {
        let word = shown(word);
        Self::new(
            EXIT_USAGE,
            format!("Command \"{word}\" is unknown, try \"ip {object} help\"."),
            format!("`{object}` has no command `{word}`"),
        )
        .hint(format!("`vwire {object} help` lists them"))
    }

    /// A device that a command wants to change is not there: `Cannot find device "X"`.
    pub fn no_device(name: &[u8]) -> Self {
        let mut ip = b"Cannot find device \"".to_vec();
        ip.extend_from_slice(name);
        ip.push(b'"');
        Self::new(EXIT_SEMANTIC, ip, format!("there is no device `{}` in this namespace", shown(name)))
            .refused_by(Refusal::number(ENODEV))
            .hint("`vwire ls --all` shows the devices of all namespaces")
    }

    /// A device that a command wants to show is not there: `Device "X" does not exist.`
    pub fn device_does_not_exist(name: &[u8]) -> Self {
        let mut ip = b"Device \"".to_vec();
        ip.extend_from_slice(name);
        ip.extend_from_slice(b"\" does not exist.");
        Self { ip: [ip, b"\n".to_vec()].concat(), ..Self::no_device(name) }
    }

    /// The kernel refused: `Error: SENTENCE.` with its sentence, else `RTNETLINK answers: ERRNO`.
    pub fn kernel(refusal: impl Into<Refusal>) -> Self {
        let refusal = refusal.into();
        let errno_text = errno_sentence(refusal.errno);
        let failure = match &refusal.sentence {
            Some(sentence) => {
                let stop = if sentence.ends_with('.') || sentence.ends_with('\n') { "" } else { "." };
                Self::new(
                    EXIT_KERNEL,
                    format!("Error: {sentence}{stop}"),
                    format!("{errno_text} (kernel: {})", sentence.trim_end_matches(['.', '\n'])),
                )
            }
            None => Self::new(
                EXIT_KERNEL,
                format!("RTNETLINK answers: {errno_text}"),
                format!("{errno_text} (kernel: no more detail)"),
            ),
        };
        failure.refused_by(refusal)
    }

    /// Keeps what the kernel said, beside words that are made already.
    #[must_use]
    pub fn refused_by(mut self, refusal: impl Into<Refusal>) -> Self {
        self.refusal = Some(Box::new(refusal.into()));
        self
    }

    /// Keeps the error number of a system call, if it is one, beside words that are made already.
    #[must_use]
    pub fn refused_with(self, errno: Option<i32>) -> Self {
        match errno {
            Some(errno) => self.refused_by(Refusal::number(errno)),
            None => self,
        }
    }

    /// Says that the very thing which is to be changed is not there.
    #[must_use]
    pub fn of_subject(mut self) -> Self {
        self.misses_subject = true;
        self
    }

    /// Returns whether the very thing that is to be changed is not there.
    #[must_use]
    pub fn is_of_missing_subject(&self) -> bool {
        self.misses_subject
    }

    /// Returns the error number of what was refused.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        self.refusal.as_ref().map(|refusal| refusal.errno)
    }

    /// Returns whether something that the command names is not there, as found before the kernel was asked.
    #[must_use]
    pub fn is_of_missing(&self) -> bool {
        self.misses_subject
            || self.refusal.as_ref().is_some_and(|refusal| refusal.errno == ENODEV && refusal.request.is_none())
    }

    /// Returns whether the kernel refused something, rather than that the words are wrong.
    #[must_use]
    pub fn is_kernels(&self) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| refusal.request.is_some())
    }

    /// Says which command failed: its object and operation, spelled in full, and its words; the innermost wins.
    #[must_use]
    pub fn of_command(
        mut self,
        object: Option<&'static str>,
        operation: Option<&'static str>,
        words: &[OsString],
    ) -> Self {
        let command = self.command.get_or_insert_default();
        if command.words.is_empty() {
            (command.object, command.operation, command.words) = (object, operation, words.to_vec());
        }
        self
    }

    /// Says which line of which batch failed; the innermost wins.
    #[must_use]
    pub fn at_line(mut self, file: &OsStr, line: usize) -> Self {
        let command = self.command.get_or_insert_default();
        command.file.get_or_insert_with(|| file.to_owned());
        command.line.get_or_insert(line);
        self
    }

    /// Says what was tried on which object, as in "cannot add link `ep1`"; the innermost wins.
    #[must_use]
    pub fn trying(mut self, tried: impl Into<String>) -> Self {
        self.tried.get_or_insert_with(|| tried.into());
        self
    }

    /// Adds a line that helps, with a command that can be pasted.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Changes the cause in our words.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = cause.into();
        self
    }

    /// Changes the exit code, where `ip` differs from the usual one of this message.
    #[must_use]
    pub fn with_exit(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }

    /// Takes away `ip`'s message, where `ip` fails without a word.
    #[must_use]
    pub fn unsaid_by_ip(mut self) -> Self {
        self.ip.clear();
        self
    }

    /// Changes `ip`'s message, given without the line feed, where `ip` has another than the usual one.
    #[must_use]
    pub fn said_by_ip(mut self, message: impl Into<Vec<u8>>) -> Self {
        self.ip = message.into();
        self.ip.push(b'\n');
        self
    }

    /// Returns `ip`'s exit code.
    #[must_use]
    pub fn exit(&self) -> u8 {
        self.exit
    }

    /// Returns what standard error gets, in the words of a persona.
    #[must_use]
    pub fn render(&self, persona: Persona) -> Vec<u8> {
        if self.verbatim || persona == Persona::Ip {
            return self.ip.clone();
        }
        let mut text = match &self.tried {
            Some(tried) => format!("error: {}: {}\n", tame(tried), tame(&self.cause)),
            None => format!("error: {}\n", tame(&self.cause)),
        };
        for hint in &self.hints {
            text.push_str(&format!("hint: {}\n", tame(hint)));
        }
        text.into_bytes()
    }

    /// Spells it as a JSON object on a line of its own; nothing where all has been said before.
    ///
    /// `name` tells what an error number is called, as in `EEXIST`.
    #[must_use]
    pub fn json_line(&self, name: impl Fn(i32) -> String) -> Vec<u8> {
        let text = String::from_utf8_lossy(&self.ip);
        if self.verbatim && text.is_empty() {
            return Vec::new();
        }
        let nothing = Command::default();
        let command = self.command.as_deref().unwrap_or(&nothing);
        let refusal = self.refusal.as_deref();
        let cause = if self.verbatim { text.trim_start_matches("error: ").trim_end() } else { &self.cause };
        failure::line(&failure::Facts {
            object: command.object,
            operation: command.operation,
            command: command.words.iter().map(|word| word.as_bytes()).collect(),
            file: command.file.as_deref().map(OsStrExt::as_bytes),
            line: command.line,
            tried: self.tried.as_deref(),
            errno: refusal.map(|refusal| refusal.errno),
            error: refusal.map(|refusal| name(refusal.errno)),
            request: refusal.and_then(|refusal| refusal.request.as_deref()),
            kernel: refusal.and_then(|refusal| refusal.sentence.as_deref()),
            attribute: refusal.and_then(|refusal| refusal.attribute.as_deref()),
            missing: refusal.and_then(|refusal| refusal.missing.as_deref()),
            allowed: refusal.and_then(|refusal| refusal.allowed.as_deref()),
            cause,
            hints: &self.hints,
            exit: self.exit,
            lab: None,
        })
    }
}

/// Spells control characters out: a name from the command line shall neither break a line nor steer a terminal.
fn tame(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().to_string().chars().collect() } else { vec![c] })
        .collect()
}

/// Returns the C library's sentence for an error number, as `strerror(3)` has it.
#[must_use]
pub fn errno_sentence(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    match text.rfind(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(failure: &Failure, persona: Persona) -> String {
        String::from_utf8(failure.render(persona)).unwrap()
    }

    #[test]
    fn a_kernel_refusal_speaks_both_tongues() {
        let failure = Failure::kernel(Refusal::number(17)).trying("cannot add link `ep1`").hint("choose another name");
        assert_eq!(said(&failure, Persona::Ip), "RTNETLINK answers: File exists\n");
        let better = "error: cannot add link `ep1`: File exists (kernel: no more detail)\nhint: choose another name\n";
        assert_eq!(said(&failure, Persona::Vwire), better);
        assert_eq!(failure.exit(), 2);
    }

    #[test]
    fn the_kernels_sentence_gets_its_full_stop_once() {
        let refusal = |sentence: &str| Refusal { sentence: Some(sentence.to_owned()), ..Refusal::number(22) };
        let with = Failure::kernel(refusal("mtu less than device minimum"));
        assert_eq!(said(&with, Persona::Ip), "Error: mtu less than device minimum.\n");
        let twice = Failure::kernel(refusal("Bad."));
        assert_eq!(said(&twice, Persona::Ip), "Error: Bad.\n");
    }

    #[test]
    fn lists_of_words_read_as_ip_spells_them() {
        let failure = Failure::not_one_of("arp", &["on", "off"], b"maybe");
        assert_eq!(
            said(&failure, Persona::Ip),
            "Error: argument of \"arp\" must be \"on\" or \"off\", not \"maybe\"\n"
        );
        assert_eq!(failure.exit(), 1);
    }

    #[test]
    fn a_name_neither_breaks_a_line_nor_steers_the_terminal() {
        let said = said(&Failure::no_device(b"a\nb\x1b[1m"), Persona::Vwire);
        assert!(said.starts_with("error: there is no device `a\\nb\\u{1b}[1m` in this namespace\n"), "{said}");
    }

    #[test]
    fn the_innermost_attempt_is_the_one_told() {
        let failure = Failure::no_device(b"x0").trying("cannot set mtu of `x0`").trying("cannot run a batch");
        assert!(said(&failure, Persona::Vwire).starts_with("error: cannot set mtu of `x0`: "));
    }
}
