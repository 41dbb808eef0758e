//! Knows the users and groups of this machine, which owners of TUN and TAP devices are looked up in.
//!
//! In a network of an ordinary user only that user has a number, and that is root's: `owner = "me"` means 0 there. Others
//! keep the number they have outside, which nobody has inside; that is refused where devices are made.

use std::fs;

use nix::unistd::{getegid, geteuid};

use super::Accounts;
use crate::lab::keeper;

/// The accounts of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct OfThisMachine;

impl Accounts for OfThisMachine {
    fn user(&self, name: &str) -> Option<u32> {
        nix::unistd::User::from_name(name).ok().flatten().map(|user| user.uid.as_raw())
    }

    fn group(&self, name: &str) -> Option<u32> {
        nix::unistd::Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw())
    }

    fn user_inside(&self, number: u32) -> u32 {
        inside(number, geteuid().as_raw(), "/proc/self/uid_map")
    }

    fn group_inside(&self, number: u32) -> u32 {
        inside(number, getegid().as_raw(), "/proc/self/gid_map")
    }
}

/// Returns the number that an account has where labs of the caller are: there already, or on the way.
fn inside(number: u32, own: u32, map: &str) -> u32 {
    if keeper::is_needed() {
        return if number == own { 0 } else { number };
    }
    let text = fs::read_to_string(map).unwrap_or_default();
    through(number, &Range::all(&text))
}

/// Returns whether a user, or a group, of that number can own anything here.
#[must_use]
pub fn is_known(number: u32, map: &str) -> bool {
    let Ok(text) = fs::read_to_string(map) else { return true };
    Range::all(&text).iter().any(|range| number.checked_sub(range.inside).is_some_and(|at| at < range.count))
}

/// A line of `/proc/self/uid_map` (`user_namespaces(7)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    inside: u32,
    outside: u32,
    count: u32,
}

impl Range {
    fn all(text: &str) -> Vec<Self> {
        let range = |line: &str| {
            let mut words = line.split_whitespace().map(|word| word.parse().ok());
            Some(Self { inside: words.next()??, outside: words.next()??, count: words.next()?? })
        };
        text.lines().filter_map(range).collect()
    }
}

/// Returns the number by which somebody is known inside, where that is one alone; a whole machine's names are its own.
fn through(number: u32, ranges: &[Range]) -> u32 {
    match ranges {
        [only] if only.count == 1 && number == only.outside => only.inside,
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_alone_in_a_namespace_is_root_there() {
        let alone = Range::all("         0       1000          1\n");
        assert_eq!((through(1000, &alone), through(0, &alone), through(107, &alone)), (0, 0, 107));
        let machine = Range::all("0 0 4294967295\n");
        assert_eq!((through(1000, &machine), through(0, &machine)), (1000, 0));
        let container = Range::all("0 100000 65536\n");
        assert_eq!(through(1000, &container), 1000);
        assert_eq!(Range::all("x y z\n1 2\n"), []);
    }
}
