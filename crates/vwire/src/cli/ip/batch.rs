//! Splits a batch file into commands, line by line, as `ip -batch` reads them. Pure.
//!
//! One command a line, without `ip` and without options before the object. `#` begins a comment
//! wherever it stands, even inside quotes; a backslash at the end of a line joins the next one;
//! `'…'` and `"…"` keep blanks together and know no escapes. A zero byte ends its line, as it ends
//! a string of `ip`'s.
//!
//! Only one command is held at a time: a batch may be longer than memory, and whoever writes it
//! through a pipe sees each command done before the next is written.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// The most words that one command may have: one less than `ip`'s array has room for.
pub const MOST_WORDS: usize = 511;

/// One command of a batch, with the place to name when it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The number of the command's last line, counted from 1, as `ip` counts.
    pub number: usize,
    /// The command's words.
    pub words: Vec<OsString>,
}

/// A line that cannot be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitError {
    /// A quote is not closed before the line ends.
    Unterminated,
    /// The line has more than [`MOST_WORDS`] words.
    TooMany,
}

/// Turns the lines of a batch into commands, one after another.
#[derive(Debug, Default)]
pub struct Splitter {
    number: usize,
    joined: Vec<u8>,
    joining: bool,
}

impl Splitter {
    /// Takes the next line, with its line feed; returns the command that it completes, if it has words.
    ///
    /// # Errors
    /// Why the command cannot be split.
    pub fn take(&mut self, line: &[u8]) -> Result<Option<Line>, SplitError> {
        self.number += 1;
        let end = line.iter().position(|byte| matches!(byte, b'#' | 0)).unwrap_or(line.len());
        let line = &line[..end];
        if let Some(kept) = line.strip_suffix(b"\\\n") {
            self.joined.extend_from_slice(kept);
            self.joining = true;
            return Ok(None);
        }
        self.joined.extend_from_slice(line);
        self.joining = false;
        let words = words_of(&self.joined);
        self.joined.clear();
        let words = words?;
        Ok((!words.is_empty()).then_some(Line { number: self.number, words }))
    }

    /// Returns the number of the line taken last, counted from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Returns whether the line taken last wants another one.
    #[must_use]
    pub fn is_joining(&self) -> bool {
        self.joining
    }
}

fn words_of(line: &[u8]) -> Result<Vec<OsString>, SplitError> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while let Some(first) = rest.first().copied() {
        let (word, after) = match first {
            b'\'' | b'"' => {
                let end = rest[1..].iter().position(|byte| *byte == first).ok_or(SplitError::Unterminated)?;
                (&rest[1..=end], &rest[end + 2..])
            }
            _ => {
                let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
                rest.split_at(end)
            }
        };
        if words.len() == MOST_WORDS {
            return Err(SplitError::TooMany);
        }
        words.push(OsString::from_vec(word.to_vec()));
        rest = after.trim_ascii_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(usize, Vec<String>)> {
        let mut splitter = Splitter::default();
        let words = |line: Line| line.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let lines = text.split_inclusive('\n').filter_map(|line| splitter.take(line.as_bytes()).unwrap());
        lines.map(|line| (line.number, words(line))).collect()
    }

    #[test]
    fn lines_become_commands_with_their_numbers() {
        let commands = shown("link add v0 type veth # a pair\n\n# nothing\nlink set v0 up\n");
        assert_eq!(commands.len(), 2);
        assert_eq!(commands[0], (1, ["link", "add", "v0", "type", "veth"].map(String::from).to_vec()));
        assert_eq!(commands[1].0, 4);
    }

    #[test]
    fn a_backslash_joins_lines() {
        assert_eq!(shown("link set \\\n v0 up\n"), [(2, ["link", "set", "v0", "up"].map(String::from).to_vec())]);
    }

    #[test]
    fn quotes_keep_blanks_together() {
        assert_eq!(shown("link set v0 alias 'a b'")[0].1[4], "a b");
        assert_eq!(Splitter::default().take(b"link set v0 alias 'a b"), Err(SplitError::Unterminated));
    }

    #[test]
    fn too_many_words_are_refused() {
        let words = |count| Splitter::default().take("x ".repeat(count).as_bytes());
        assert_eq!(words(MOST_WORDS).unwrap().unwrap().words.len(), MOST_WORDS);
        assert_eq!(words(MOST_WORDS + 1), Err(SplitError::TooMany));
    }

    #[test]
    fn a_zero_byte_ends_its_line() {
        assert_eq!(shown("link show lo\0 up\n")[0].1, ["link", "show", "lo"]);
    }

    #[test]
    fn a_backslash_on_the_last_line_wants_another() {
        let mut splitter = Splitter::default();
        assert_eq!(splitter.take(b"link \\\n"), Ok(None));
        assert!(splitter.is_joining());
        assert!(splitter.take(b"show\n").unwrap().is_some());
        assert!(!splitter.is_joining());
    }
}
