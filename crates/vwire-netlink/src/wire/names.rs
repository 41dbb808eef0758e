//! The names of attributes, so that an error can say which one it means.

use super::attr::Attributes;

/// The names of one set of attributes.
#[derive(Debug)]
pub struct Names {
    /// What the kernel's names of the set start with, as `IFLA_BR_`.
    pub prefix: &'static str,
    /// The attributes, in the order of their numbers.
    pub rows: &'static [Row],
}

/// The name of one attribute.
#[derive(Debug)]
pub struct Row {
    /// The attribute's number.
    pub number: u16,
    /// The kernel's name without the prefix, in lower case.
    pub name: &'static str,
    /// What is in the attribute.
    pub children: Children,
}

/// What is in an attribute.
#[derive(Clone, Copy, Debug)]
pub enum Children {
    /// No attributes.
    None,
    /// Attributes of one set.
    Set(&'static Names),
    /// A fixed header of so many bytes, then attributes of one set.
    SetAfter(usize, &'static Names),
    /// `IFLA_INFO_DATA`: attributes of the set that `IFLA_INFO_KIND` beside it says.
    KindData,
    /// `IFLA_INFO_SLAVE_DATA`: attributes of the set that `IFLA_INFO_SLAVE_KIND` beside it says.
    SlaveData,
}

impl Children {
    /// Returns the set of the attributes inside and how many bytes come before them.
    ///
    /// `siblings` are the attributes beside this one, among which the kind of a link is told.
    pub fn resolve(self, siblings: Attributes<'_>) -> Option<(usize, &'static Names)> {
        match self {
            Self::None => None,
            Self::Set(names) => Some((0, names)),
            Self::SetAfter(header, names) => Some((header, names)),
            Self::KindData => Some((0, super::link::info::names_of_kind(siblings)?)),
            Self::SlaveData => Some((0, super::link::info::names_of_slave_kind(siblings)?)),
        }
    }
}

impl Names {
    /// Returns the row of an attribute.
    pub fn row(&self, number: u16) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.number == number)
    }

    /// Returns the kernel's name of an attribute, or its number in words.
    pub fn name(&self, number: u16) -> String {
        match self.row(number) {
            Some(row) => {
                let name = row.name.strip_prefix("r#").unwrap_or(row.name);
                format!("{}{}", self.prefix, name.to_ascii_uppercase())
            }
            None => format!("attribute {number}"),
        }
    }
}
