//! A kind's options as a table, which both reads words and makes the usage text.
//!
//! A [`Row`] is an option: its word, what follows it, and the field that it fills. A word means the
//! first row that it begins, in the table's order, which is `ip`'s; scripts lean on that.

use crate::cli::ip::failure::{EXIT_SEMANTIC, Failure};
use crate::cli::ip::nearest::nearest;
use crate::cli::ip::words::{Words, begins, number_as, shown};
use crate::cli::ip::{Ip, Persona};

/// Reads what follows an option's word, which comes first, into the data of a kind.
pub(super) type Read<T> = fn(&mut Ip<'_>, &[u8], &mut Words<'_>, &mut T) -> Result<(), Failure>;

/// What follows an option's word.
pub(super) enum Takes<T> {
    /// Nothing.
    Nothing(fn(&mut T)),
    /// A number of 8 bits; the message for one that is none.
    U8(&'static str, fn(&mut T, u8)),
    /// A number of 16 bits.
    U16(&'static str, fn(&mut T, u16)),
    /// A number of 32 bits.
    U32(&'static str, fn(&mut T, u32)),
    /// A number of 64 bits.
    U64(&'static str, fn(&mut T, u64)),
    /// `on` or `off`, 1 or 0.
    OffOn(fn(&mut T, u8)),
    /// Nothing; the word is an option only as long as the first function says so.
    NothingIf(fn(&T) -> bool, fn(&mut T)),
    /// What the function reads.
    Special(Read<T>),
}

/// An option of a kind.
pub(super) struct Row<T> {
    word: &'static str,
    exact: bool,
    values: &'static str,
    takes: Takes<T>,
}

impl<T> Row<T> {
    /// An option whose word may be cut short.
    pub(super) const fn new(word: &'static str, values: &'static str, takes: Takes<T>) -> Self {
        Self { word, exact: false, values, takes }
    }

    /// An option whose word must be written in full.
    pub(super) const fn exact(word: &'static str, values: &'static str, takes: Takes<T>) -> Self {
        Self { word, exact: true, values, takes }
    }

    fn is_meant(&self, word: &[u8], data: &T) -> bool {
        let spelled = if self.exact { word == self.word.as_bytes() } else { begins(self.word, word) };
        let applies = match self.takes {
            Takes::NothingIf(applies, _) => applies(data),
            _ => true,
        };
        spelled && applies
    }

    fn read(&self, ip: &mut Ip<'_>, word: &[u8], words: &mut Words<'_>, data: &mut T) -> Result<(), Failure> {
        match self.takes {
            Takes::Nothing(set) | Takes::NothingIf(_, set) => set(data),
            Takes::U8(message, set) => set(data, number(words, message)?),
            Takes::U16(message, set) => set(data, number(words, message)?),
            Takes::U32(message, set) => set(data, number(words, message)?),
            Takes::U64(message, set) => set(data, number(words, message)?),
            Takes::OffOn(set) => set(data, off_on(self.word, words.value()?)?),
            Takes::Special(read) => read(ip, word, words, data)?,
        }
        Ok(())
    }
}

/// What a kind's options are, and how `ip` says that a word is none of them.
pub(super) struct Grammar<T: 'static> {
    /// What `ip` calls an option of this kind: `command` or `option`.
    pub(super) noun: &'static str,
    /// The options.
    pub(super) rows: &'static [Row<T>],
    /// What the usage says below the options.
    pub(super) notes: &'static str,
}

impl<T: Default> Grammar<T> {
    /// Reads all words that are left.
    ///
    /// # Errors
    /// A word that does not fit.
    pub(super) fn read(&self, ip: &mut Ip<'_>, kind: &str, words: &mut Words<'_>) -> Result<T, Failure> {
        let mut data = T::default();
        words.begin_anew();
        while let Some(word) = words.next() {
            match self.rows.iter().find(|row| row.is_meant(word, &data)) {
                Some(row) => {
                    words.once(row.word, word)?;
                    row.read(ip, word, words, &mut data)?;
                }
                None if begins("help", word) => return Err(Failure::verbatim(EXIT_SEMANTIC, self.usage(kind))),
                None => return Err(self.unknown(kind, word)),
            }
        }
        Ok(data)
    }

    /// A word is none of the options.
    pub(super) fn unknown(&self, kind: &str, word: &[u8]) -> Failure {
        let word = shown(word);
        let failure =
            self.refuse(kind, format!("unknown {} \"{word}\"?", self.noun), format!("`{word}` is no option of {kind}"));
        let failure = match nearest(&word, self.rows.iter().map(|row| row.word)) {
            Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
            None => failure,
        };
        failure.hint(format!("`vwire link help {kind}` lists the options"))
    }

    /// A failure that `ip` tells with the kind before it and the usage behind it.
    pub(super) fn refuse(&self, kind: &str, ip: impl AsRef<str>, cause: impl Into<String>) -> Failure {
        let ip = format!("{kind}: {}\n{}", ip.as_ref(), self.usage(kind).trim_end());
        Failure::new(EXIT_SEMANTIC, ip, cause)
    }

    /// Returns the usage text.
    pub(super) fn usage(&self, kind: &str) -> String {
        let mut text = format!("Usage: ip link {{ add | set }} [ dev ] DEV ... type {kind}");
        let mut column = usize::MAX;
        for row in self.rows {
            let option =
                if row.values.is_empty() { row.word.to_owned() } else { format!("{} {}", row.word, row.values) };
            if column.saturating_add(option.len()) > 90 {
                text.push_str("\n      ");
                column = 6;
            }
            text.push_str(&format!(" [ {option} ]"));
            column += option.len() + 5;
        }
        text.push('\n');
        text.push_str(self.notes);
        text
    }
}

/// Reads a number that fits.
pub(super) fn number<N: TryFrom<u64>>(words: &mut Words<'_>, message: &str) -> Result<N, Failure> {
    let value = words.value()?;
    number_as(value).ok_or_else(|| Failure::invalid(value, message))
}

/// Reads one of some words in full, and returns its place.
pub(super) fn one_of(word: &str, names: &[&str], value: &[u8]) -> Result<usize, Failure> {
    names.iter().position(|name| name.as_bytes() == value).ok_or_else(|| not_one_of(word, names, value))
}

/// Tells that a word is none of those that may stand there, where `ip` lists them with commas.
pub(super) fn not_one_of(word: &str, names: &[&str], value: &[u8]) -> Failure {
    let value = shown(value);
    let quoted: String = names.iter().map(|name| format!("\"{name}\", ")).collect();
    Failure::new(
        EXIT_SEMANTIC,
        format!("Error: argument of \"{word}\" must be one of {quoted}not \"{value}\""),
        format!("`{word}` takes {}, not `{value}`", names.join(", ")),
    )
}

/// Reads `off` or `on`.
pub(super) fn off_on(word: &str, value: &[u8]) -> Result<u8, Failure> {
    one_of(word, &["off", "on"], value).map(|place| u8::from(place == 1))
}

/// A failure of which `ip` says nothing at all.
pub(super) fn silent(ip: &Ip<'_>, cause: impl Into<String>) -> Failure {
    match ip.persona {
        Persona::Ip => Failure::verbatim(EXIT_SEMANTIC, ""),
        Persona::Vwire => Failure::new(EXIT_SEMANTIC, "", cause),
    }
}

/// Says something that does not stop the command: `ip`'s words, or ours.
pub(super) fn warn(ip: &mut Ip<'_>, theirs: &str, ours: &str) {
    let words = if ip.persona == Persona::Ip { theirs } else { ours };
    ip.say(words.as_bytes());
}
