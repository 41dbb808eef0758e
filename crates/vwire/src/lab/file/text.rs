//! Strings of the file, and the words of one, each with its place in the file. Pure.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::problem::{Trouble, quoted};
use crate::lab::model::Span;

/// A value of the file.
pub(crate) type Value<'a> = Spanned<DeValue<'a>>;

/// Returns the place of a value.
pub(crate) fn span_of<T>(value: &Spanned<T>) -> Span {
    let span = value.span();
    Span { start: span.start, end: span.end }
}

/// A string of the file.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    text: Cow<'a, str>,
    span: Span,
    /// Where in the file its first byte is, if each byte stands there as it is.
    exact: Option<usize>,
}

impl<'a> Text<'a> {
    /// Takes a string from the file's text; `number` is what `{n}` stands for.
    pub(crate) fn of(value: &'a Value<'a>, file: &str, number: Option<u32>) -> Option<Self> {
        let DeValue::String(text) = value.get_ref() else { return None };
        let span = span_of(value);
        if let Some(number) = number.filter(|_| text.contains("{n}")) {
            return Some(Self { text: Cow::Owned(text.replace("{n}", &number.to_string())), span, exact: None });
        }
        Some(Self { text: Cow::Borrowed(text), span, exact: exact(text, span, file) })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// Returns the place in the file of a part of the string, or of the whole where that cannot be told.
    pub(crate) fn part(&self, range: Range<usize>) -> Span {
        match self.exact {
            Some(start) => Span { start: start + range.start, end: start + range.end },
            None => self.span,
        }
    }

    /// Returns the words of it.
    pub(crate) fn words(&self) -> Words<'_> {
        let mut words = Vec::new();
        let mut start = None;
        for (at, letter) in self.text.char_indices().chain([(self.text.len(), ' ')]) {
            match (letter.is_whitespace(), start) {
                (false, None) => start = Some(at),
                (true, Some(from)) => {
                    let text = self.text.get(from..at).unwrap_or_default();
                    words.push(Word { text, span: self.part(from..at) });
                    start = None;
                }
                _ => {}
            }
        }
        let end = self.text.len();
        Words { words, at: 0, end: self.part(end..end) }
    }

    /// Returns the whole of it as one word.
    pub(crate) fn word(&self) -> Word<'_> {
        Word { text: &self.text, span: self.part(0..self.text.len()) }
    }
}

/// Returns where a string's first byte is in the file, if it stands there without escapes.
fn exact(text: &str, span: Span, file: &str) -> Option<usize> {
    let raw = file.get(span.start..span.end)?;
    let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
    let start = (quotes..=quotes + 2).find(|start| raw.get(*start..).is_some_and(|rest| rest.starts_with(text)))?;
    Some(span.start + start)
}

/// A word with its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'t> {
    pub(crate) text: &'t str,
    pub(crate) span: Span,
}

impl<'t> Word<'t> {
    /// Makes a trouble of it: `MESSAGE` with the word quoted behind.
    pub(crate) fn wrong(&self, message: &str) -> Trouble {
        Trouble::new(self.span, format!("{message} {}", quoted(self.text)))
    }

    /// Returns the parts on either side of the first such letter, each with its place.
    pub(crate) fn split_once(&self, letter: char) -> Option<(Self, Self)> {
        let (before, after) = self.text.split_once(letter)?;
        Some((self.slice(0, before), self.slice(before.len() + letter.len_utf8(), after)))
    }

    fn slice(&self, from: usize, text: &'t str) -> Self {
        let whole = self.span.end - self.span.start == self.text.len();
        let start = self.span.start + from;
        Self { text, span: if whole { Span { start, end: start + text.len() } } else { self.span } }
    }
}

/// Refuses a word that stands twice where it may stand once.
pub(crate) fn once<'t>(said: &mut Vec<&'t str>, word: Word<'t>) -> Result<(), Trouble> {
    if said.contains(&word.text) {
        return Err(Trouble::new(word.span, format!("{} stands twice", quoted(word.text))).label("once is enough"));
    }
    said.push(word.text);
    Ok(())
}

/// The words of a line, taken one by one.
#[derive(Debug)]
pub(crate) struct Words<'t> {
    words: Vec<Word<'t>>,
    at: usize,
    end: Span,
}

impl<'t> Words<'t> {
    pub(crate) fn peek(&self) -> Option<Word<'t>> {
        self.words.get(self.at).copied()
    }

    pub(crate) fn next(&mut self) -> Option<Word<'t>> {
        let word = self.peek()?;
        self.at += 1;
        Some(word)
    }

    /// Takes the next word if it is this one.
    pub(crate) fn take(&mut self, text: &str) -> bool {
        let here = self.peek().is_some_and(|word| word.text == text);
        self.at += usize::from(here);
        here
    }

    /// Returns the next word, or says what should have stood there.
    pub(crate) fn want(&mut self, what: &str) -> Result<Word<'t>, Trouble> {
        let end = match self.words.last() {
            Some(last) if self.end.start == self.end.end => Span { start: last.span.end, end: last.span.end },
            _ => self.end,
        };
        self.next().ok_or_else(|| Trouble::new(end, format!("the line ends where {what} should stand")).label(what))
    }

    /// Refuses what is left.
    pub(crate) fn done(&mut self) -> Result<(), Trouble> {
        match self.peek() {
            Some(word) => Err(word.wrong("this line needs nothing more, but has")),
            None => Ok(()),
        }
    }
}
