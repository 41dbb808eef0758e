//! What a table of the file may hold: the rows from which reading, the schema for editors and the reference are made. Pure.
//!
//! The rows themselves are in [`tables`](super::tables). A row says how a value is written; what is in a string is read
//! by the reader of its grammar.

/// A table of the file: its fields, and what it is for.
#[derive(Debug)]
pub struct Table {
    /// How it is headed in a file, as the reference calls it: `[node.NAME]`.
    pub head: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

/// One key of a table.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// How its value is written.
    pub kind: Kind,
    /// What it is for.
    pub about: &'static str,
    /// A value as it stands in a file.
    pub example: &'static str,
    /// What holds where it is not said.
    pub default: &'static str,
    /// What others call it: told to who writes that.
    pub known_as: &'static [&'static str],
}

/// How a value is written.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A string in a grammar.
    Text(&'static Grammar),
    /// `true` or `false`.
    Switch,
    /// A whole number, least and most.
    Number(u32, u32),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of these.
    List(&'static Kind),
    /// One of these, or a list.
    OneOrMore(&'static Kind),
    /// A line in a grammar, or a table that says the same.
    LineOrTable(&'static Grammar, &'static Table),
    /// A table.
    Table(&'static Table),
    /// Tables by name.
    Named(&'static Table),
    /// Sysctls: strings, numbers or switches by name, whose dots may stand without quotes.
    Sysctls,
}

/// How a string is written.
#[derive(Debug)]
pub struct Grammar {
    /// What the reference calls it.
    pub name: &'static str,
    /// How it is written, in words.
    pub about: &'static str,
    /// Its shape in the notation of the reference; empty where `about` says all.
    pub shape: &'static str,
    /// A regular expression that every right string fits, for editors.
    pub pattern: &'static str,
}

impl Table {
    /// Returns the field of a key.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }
}
