//! The words of a command line, read one by one, and the keyword tables that give them meaning.
//!
//! `ip`'s grammar is a table: keywords without dashes, in any order, some of which may be cut
//! short. A word matches the **first** row of which it is a beginning, in the table's order: that
//! is how `ip` decides, and scripts lean on it. A row made by [`exact`] wants the whole word.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use super::failure::Failure;

/// One row of a keyword table.
#[derive(Debug, Clone, Copy)]
pub struct Keyword<T> {
    /// The keyword in full.
    pub word: &'static str,
    /// Whether a beginning of the word is not enough.
    pub exact: bool,
    /// What the keyword stands for.
    pub means: T,
}

/// Makes a row whose keyword may be cut short.
pub const fn prefix<T>(word: &'static str, means: T) -> Keyword<T> {
    Keyword { word, exact: false, means }
}

/// Makes a row whose keyword must be written in full.
pub const fn exact<T>(word: &'static str, means: T) -> Keyword<T> {
    Keyword { word, exact: true, means }
}

/// Returns what a word stands for: the first row that it matches.
pub fn find<T: Copy>(table: &[Keyword<T>], word: &[u8]) -> Option<T> {
    table
        .iter()
        .find(|row| if row.exact { word == row.word.as_bytes() } else { begins(row.word, word) })
        .map(|row| row.means)
}

/// Returns the name of the command that a word stands for, one for all of its spellings.
pub fn in_full<T>(table: &[Keyword<T>], word: &[u8]) -> Option<&'static str> {
    let matches = |row: &&Keyword<T>| if row.exact { word == row.word.as_bytes() } else { begins(row.word, word) };
    table.iter().find(matches).map(|row| match row.word {
        "list" | "lst" => "show",
        "chg" => "change",
        name => name,
    })
}

/// Returns whether `word` is `keyword` or a beginning of it; the empty word is neither.
#[must_use]
pub fn begins(keyword: &str, word: &[u8]) -> bool {
    !word.is_empty() && keyword.as_bytes().starts_with(word)
}

/// Returns the first keyword of a table that stands for something, so that all its spellings are one.
pub fn named<T: PartialEq>(table: &[Keyword<T>], means: &T) -> &'static str {
    table.iter().find(|row| row.means == *means).map_or("", |row| row.word)
}

/// Reads the words of a command from left to right.
#[derive(Debug, Clone)]
pub struct Words<'a> {
    words: &'a [OsString],
    /// What was given so far, and by which word, where nothing may be given twice.
    given: Option<Vec<(&'static str, &'a [u8])>>,
}

impl<'a> Words<'a> {
    /// Starts at the first of the words.
    #[must_use]
    pub fn new(words: &'a [OsString]) -> Self {
        Self { words, given: None }
    }

    /// Has what is given twice refused from now on; for `ip`, the last one holds.
    #[must_use]
    pub fn each_once(self) -> Self {
        Self { given: Some(Vec::new()), ..self }
    }

    /// Forgets what was given: what follows is about something else.
    pub fn begin_anew(&mut self) {
        self.given.iter_mut().for_each(Vec::clear);
    }

    /// Notes that a word which was just taken gives `what`.
    ///
    /// # Errors
    /// It was given already, where nothing may be given twice.
    pub fn once(&mut self, what: &'static str, word: &'a [u8]) -> Result<(), Failure> {
        let value = self.peek();
        let Some(given) = &mut self.given else { return Ok(()) };
        match given.iter().find(|(other, _)| *other == what) {
            None => {
                given.push((what, word));
                Ok(())
            }
            Some((_, first)) if *first == word => Err(Failure::duplicate(&shown(word), value.unwrap_or_default())),
            Some((_, first)) => Err(Failure::duplicate(what, word).because(format!(
                "`{}` stands beside `{}`, and only one of them can hold",
                shown(word),
                shown(first)
            ))),
        }
    }

    /// Takes the next word, if there is one.
    #[expect(clippy::should_implement_trait, reason = "an iterator's adaptors would hide who takes which word")]
    pub fn next(&mut self) -> Option<&'a [u8]> {
        let (word, rest) = self.words.split_first()?;
        self.words = rest;
        Some(word.as_bytes())
    }

    /// Takes the next word, which the word before it requires.
    ///
    /// # Errors
    /// `Command line is not complete` where there is none.
    pub fn value(&mut self) -> Result<&'a [u8], Failure> {
        self.next().ok_or_else(Failure::incomplete)
    }

    /// Returns the next word and leaves it.
    #[must_use]
    pub fn peek(&self) -> Option<&'a [u8]> {
        self.words.first().map(|word| word.as_bytes())
    }

    /// Takes the next word if it is `keyword` in full.
    pub fn take_if(&mut self, keyword: &str) -> bool {
        let found = self.peek() == Some(keyword.as_bytes());
        if found {
            self.next();
        }
        found
    }

    /// Takes all words that are left.
    pub fn rest(&mut self) -> &'a [OsString] {
        std::mem::take(&mut self.words)
    }

    /// Returns how many words are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Returns whether no word is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// Reads a number as `ip` does, by C's `strtoul`: decimal, `0x` hexadecimal or `0` octal, with blanks and a sign before it.
#[must_use]
pub fn number(word: &[u8]) -> Option<u64> {
    let word = std::str::from_utf8(word).ok()?.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    match word.strip_prefix('-') {
        // What is below 0 is as far below 2^64.
        Some(word) => magnitude(word).map(u64::wrapping_neg),
        None => magnitude(word.strip_prefix('+').unwrap_or(word)),
    }
}

fn magnitude(word: &str) -> Option<u64> {
    let (digits, radix) = match word.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&word[2..], 16),
        [b'0', _, ..] => (&word[1..], 8),
        _ => (word, 10),
    };
    if digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// Reads a number that fits `T`.
#[must_use]
pub fn number_as<T: TryFrom<u64>>(word: &[u8]) -> Option<T> {
    number(word).and_then(|number| T::try_from(number).ok())
}

/// Spells a word for a message: bytes that are no text become the replacement character.
#[must_use]
pub fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_that_begins_with_the_word_wins() {
        let table = [prefix("set", 1), prefix("show", 2), exact("stats", 3)];
        assert_eq!(find(&table, b"s"), Some(1));
        assert_eq!(find(&table, b"sh"), Some(2));
        assert_eq!(find(&table, b"st"), None);
        assert_eq!(find(&table, b"stats"), Some(3));
        assert_eq!(find(&table, b""), None);
    }

    #[test]
    fn what_is_given_twice_is_refused_only_where_that_is_wished() {
        let line = ["dev", "a", "dev", "b"].map(OsString::from);
        let read = |mut words: Words<'_>| -> Result<(), Failure> {
            while let Some(word) = words.next() {
                words.once("dev", word)?;
                words.next();
            }
            Ok(())
        };
        assert!(read(Words::new(&line)).is_ok());
        let refused = read(Words::new(&line).each_once()).unwrap_err();
        let said = String::from_utf8(refused.render(super::super::Persona::Vwire)).unwrap();
        assert_eq!((refused.exit(), said.as_str()), (255, "error: `dev` stands twice; `b` is the second value\n"));
        let mut words = Words::new(&line).each_once();
        words.once("up", b"up").unwrap();
        let said = words.once("up", b"down").unwrap_err().render(super::super::Persona::Vwire);
        assert_eq!(said, b"error: `down` stands beside `up`, and only one of them can hold\n");
        words.begin_anew();
        assert!(words.once("up", b"down").is_ok());
    }

    #[test]
    fn numbers_are_read_in_three_radices() {
        assert_eq!(number(b"1500"), Some(1500));
        assert_eq!(number(b"0x10"), Some(16));
        assert_eq!(number(b"010"), Some(8));
        assert_eq!(number(b"0"), Some(0));
        assert_eq!(number(b" \t+5"), Some(5));
        assert_eq!(number(b"-0"), Some(0));
        assert_eq!(number(b"-1"), Some(u64::MAX));
        assert_eq!(number(b"- 1"), None);
        assert_eq!(number(b"+-1"), None);
        assert_eq!(number(b"5 "), None);
        assert_eq!(number(b"12a"), None);
        assert_eq!(number(b""), None);
        assert_eq!(number_as::<u32>(b"4294967296"), None);
    }

    #[test]
    fn a_required_word_that_is_missing_is_said() {
        let words = [OsString::from("mtu")];
        let mut words = Words::new(&words);
        assert_eq!(words.value().unwrap(), b"mtu");
        assert_eq!(words.value().unwrap_err().exit(), 255);
    }
}
