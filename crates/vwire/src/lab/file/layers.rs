//! Tables that lie over one another: templates below, what a node says itself on top. Pure.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::shape;
use super::text::{Text, Value};

/// A key of the file.
pub(crate) type Key<'a> = Spanned<DeString<'a>>;

/// What holds for a node or device, gathered from one table or several.
#[derive(Debug, Clone)]
pub(crate) struct Layers<'a> {
    tables: Vec<&'a DeTable<'a>>,
    file: &'a str,
    number: Option<u32>,
}

/// Returns the value of a key.
pub(crate) fn value<'a>(table: &'a DeTable<'a>, key: &str) -> Option<&'a Value<'a>> {
    table.iter().find(|(known, _)| known.get_ref().as_ref() == key).map(|(_, value)| value)
}

/// Returns the pairs of a table in the order of the file.
pub(crate) fn in_order<'a>(table: &'a DeTable<'a>) -> Vec<(&'a Key<'a>, &'a Value<'a>)> {
    let mut pairs: Vec<_> = table.iter().collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    pairs
}

impl<'a> Layers<'a> {
    /// Takes tables, the lowest first; `number` is what `{n}` stands for in their strings.
    pub(crate) fn new(tables: Vec<&'a DeTable<'a>>, file: &'a str, number: Option<u32>) -> Self {
        Self { tables, file, number }
    }

    /// Returns the text of the file.
    pub(crate) fn file(&self) -> &'a str {
        self.file
    }

    /// Returns the topmost value of a key.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value<'a>> {
        self.tables.iter().rev().find_map(|table| value(table, key))
    }

    /// Returns the values of a key from all layers, lists joined.
    pub(crate) fn all(&self, key: &str) -> Vec<&'a Value<'a>> {
        let found = self.tables.iter().filter_map(|table| value(table, key));
        found.flat_map(|value| self.items(value)).collect()
    }

    /// Returns the values of the topmost key, one or a list.
    pub(crate) fn several(&self, key: &str) -> Vec<&'a Value<'a>> {
        self.value(key).map(|value| self.items(value)).unwrap_or_default()
    }

    fn items(&self, value: &'a Value<'a>) -> Vec<&'a Value<'a>> {
        match value.get_ref() {
            DeValue::Array(values) => values.iter().collect(),
            _ => vec![value],
        }
    }

    pub(crate) fn switch(&self, key: &str) -> Option<bool> {
        match self.value(key)?.get_ref() {
            DeValue::Boolean(switch) => Some(*switch),
            _ => None,
        }
    }

    pub(crate) fn number(&self, key: &str) -> Option<u32> {
        shape::number(self.value(key)?)
    }

    pub(crate) fn text(&self, key: &str) -> Option<Text<'a>> {
        self.text_of(self.value(key)?)
    }

    pub(crate) fn texts(&self, key: &str) -> Vec<Text<'a>> {
        self.several(key).into_iter().filter_map(|value| self.text_of(value)).collect()
    }

    /// Returns a value's string, with the number for `{n}`.
    pub(crate) fn text_of(&self, value: &'a Value<'a>) -> Option<Text<'a>> {
        Text::of(value, self.file, self.number)
    }

    /// Returns the same view of a table further in.
    pub(crate) fn inner(&self, table: &'a DeTable<'a>) -> Self {
        Self { tables: vec![table], ..self.clone() }
    }

    /// Returns tables by name, those of one name laid over one another, in the order of the file.
    pub(crate) fn named(&self, key: &str) -> Vec<(&'a Key<'a>, Self)> {
        let mut found: Vec<(&'a Key<'a>, Self)> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let tables = self.tables.iter().filter_map(|table| as_table(value(table, key)?));
        for (name, value) in tables.flat_map(in_order) {
            let Some(inner) = as_table(value) else { continue };
            match places.get(name.get_ref().as_ref()).and_then(|place| found.get_mut(*place)) {
                Some((_, layers)) => layers.tables.push(inner),
                None => {
                    places.insert(name.get_ref(), found.len());
                    found.push((name, self.inner(inner)));
                }
            }
        }
        found
    }

    /// Returns the tables themselves, the lowest first.
    pub(crate) fn own(&self) -> Vec<&'a DeTable<'a>> {
        self.tables.clone()
    }

    /// Returns the topmost table under a key.
    pub(crate) fn table(&self, key: &str) -> Option<&'a DeTable<'a>> {
        as_table(self.value(key)?)
    }

    /// Returns the tables in the topmost table under a key, by name.
    pub(crate) fn inner_tables(&self, key: &str) -> BTreeMap<String, &'a DeTable<'a>> {
        let tables = self.table(key).into_iter().flatten();
        tables.filter_map(|(name, value)| Some((name.get_ref().to_string(), as_table(value)?))).collect()
    }
}

fn as_table<'a>(value: &'a Value<'a>) -> Option<&'a DeTable<'a>> {
    if let DeValue::Table(table) = value.get_ref() { Some(table) } else { None }
}
