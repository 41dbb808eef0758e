//! Why an `ip`-compatible command failed: `ip`'s own words and exit code, and vwire's better ones.
//!
//! Linked as `ip`, vwire must say what `ip` says, to the byte: scripts match on it. Called
//! `vwire`, it says what was tried on which object, the kernel's sentence, and a command that
//! helps. A [`Failure`] carries both; [`Failure::render`] chooses.

use super::words::shown;

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
}

/// `ip`'s exit code for an error that `ip` itself found.
pub const EXIT_SEMANTIC: u8 = 1;
/// `ip`'s exit code where the kernel refused.
pub const EXIT_KERNEL: u8 = 2;
/// `ip`'s exit code for a wrong command line, `exit(-1)`.
pub const EXIT_USAGE: u8 = 255;

impl Failure {
    /// Makes a failure from `ip`'s exit code, its message without the line feed, and the cause in our words.
    pub fn new(exit: u8, ip: impl Into<Vec<u8>>, cause: impl Into<String>) -> Self {
        let mut ip = ip.into();
        ip.push(b'\n');
        Self { exit, ip, tried: None, cause: cause.into(), hints: Vec::new(), verbatim: false }
    }

    /// A usage text, printed as it is on standard error; exit code 255.
    pub fn usage(text: impl Into<Vec<u8>>) -> Self {
        Self::verbatim(EXIT_USAGE, text)
    }

    /// Words that are printed as they are in both personas; empty where all has been said before.
    pub fn verbatim(exit: u8, text: impl Into<Vec<u8>>) -> Self {
        Self { exit, ip: text.into(), tried: None, cause: String::new(), hints: Vec::new(), verbatim: true }
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
        Self::new(
            EXIT_USAGE,
            format!("Error: duplicate \"{keyword}\": \"{value}\" is the second value."),
            format!("`{keyword}` stands twice; `{value}` is the second value"),
        )
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
    pub fn kernel(errno: i32, sentence: Option<&str>) -> Self {
        let errno_text = errno_sentence(errno);
        match sentence.filter(|sentence| !sentence.is_empty()) {
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
        }
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
        let failure = Failure::kernel(17, None).trying("cannot add link `ep1`").hint("choose another name");
        assert_eq!(said(&failure, Persona::Ip), "RTNETLINK answers: File exists\n");
        let better = "error: cannot add link `ep1`: File exists (kernel: no more detail)\nhint: choose another name\n";
        assert_eq!(said(&failure, Persona::Vwire), better);
        assert_eq!(failure.exit(), 2);
    }

    #[test]
    fn the_kernels_sentence_gets_its_full_stop_once() {
        let with = Failure::kernel(22, Some("mtu less than device minimum"));
        assert_eq!(said(&with, Persona::Ip), "Error: mtu less than device minimum.\n");
        let twice = Failure::kernel(22, Some("Bad."));
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
