//! A change to links as plain data: what `ip link add|set|replace|delete` asks for.

use vwire_netlink::Link;

use super::hint::Asked;
use super::program::Held;

/// What a command does with links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `add`.
    Add,
    /// `replace`.
    Replace,
    /// `set`, `change`.
    Set,
    /// `delete`.
    Delete,
}

impl Verb {
    /// Returns whether the link need not be there.
    #[must_use]
    pub fn creates(self) -> bool {
        matches!(self, Self::Add | Self::Replace)
    }
}

/// A change to a link, or to all links of a group, read from words.
#[derive(Debug)]
pub struct LinkChange {
    /// What is done.
    pub verb: Verb,
    /// What is asked for.
    pub link: Link,
    /// The device's name as it was typed.
    pub subject: Option<Vec<u8>>,
    /// What is asked for, word by word, to tell what was tried.
    pub asked: Vec<Asked>,
    /// What `link` refers to by descriptor: namespaces, XDP programs; it stays open until `link` is sent.
    pub held: Vec<Held>,
}
