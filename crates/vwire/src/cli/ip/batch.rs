//! Splits a batch file into commands, as `ip -batch` reads them. Pure.
//!
//! One command a line, without `ip` and without options before the object. `#` begins a comment
//! wherever it stands, even inside quotes; a backslash at the end of a line joins the next one;
//! `'…'` and `"…"` keep blanks together and know no escapes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// The most words that one command may have.
pub const MOST_WORDS: usize = 512;

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

/// Splits a batch into its commands; lines without words are left out.
///
/// # Errors
/// The number of the line that cannot be split, and why.
pub fn split(text: &[u8]) -> Result<Vec<Line>, (usize, SplitError)> {
    let mut commands = Vec::new();
    let mut joined: Vec<u8> = Vec::new();
    let mut lines = text.split(|byte| *byte == b'\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        if let (Some(kept), true) = (line.strip_suffix(b"\\"), lines.peek().is_some()) {
            joined.extend_from_slice(kept);
            continue;
        }
        joined.extend_from_slice(line);
        let words = words_of(&joined).map_err(|error| (index + 1, error))?;
        joined.clear();
        if !words.is_empty() {
            commands.push(Line { number: index + 1, words });
        }
    }
    Ok(commands)
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
        let lines = split(text.as_bytes()).unwrap();
        let words = |line: Line| line.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        lines.into_iter().map(|line| (line.number, words(line))).collect()
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
        assert_eq!(split(b"link set v0 alias 'a b"), Err((1, SplitError::Unterminated)));
    }

    #[test]
    fn too_many_words_are_refused() {
        assert_eq!(split("x ".repeat(513).as_bytes()), Err((1, SplitError::TooMany)));
    }
}
