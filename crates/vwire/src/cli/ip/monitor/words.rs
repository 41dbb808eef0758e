//! Reads the words of `ip monitor`: what is watched, and how it is told. Pure.

use vwire_netlink::{Group, MessageType};

use crate::cli::ip::failure::{EXIT_USAGE, Failure};
use crate::cli::ip::options::Family;
use crate::cli::ip::words::{Keyword, Words, exact, find, prefix, shown};

/// A sort of object that can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Links.
    Link,
    /// Addresses.
    Address,
    /// Multicast addresses.
    Multicast,
    /// Anycast addresses.
    Anycast,
    /// Routes.
    Route,
    /// Multicast routes.
    MulticastRoute,
    /// Prefixes that routers advertise.
    Prefix,
    /// Neighbours.
    Neighbour,
    /// Sysctls of links.
    Netconf,
    /// Rules.
    Rule,
    /// Ids of namespaces.
    NamespaceId,
    /// Next hops.
    Nexthop,
    /// Counters of hardware.
    Stats,
}

#[derive(Debug, Clone, Copy)]
enum Word {
    File,
    Label,
    Sort(Sort),
    AllNamespaces,
    Help,
    Device,
}

/// In `ip`'s order: the first that a word begins wins.
const WORDS: &[Keyword<Word>] = &[
    prefix("file", Word::File),
    prefix("label", Word::Label),
    prefix("link", Word::Sort(Sort::Link)),
    prefix("address", Word::Sort(Sort::Address)),
    prefix("maddress", Word::Sort(Sort::Multicast)),
    exact("acaddress", Word::Sort(Sort::Anycast)),
    prefix("route", Word::Sort(Sort::Route)),
    prefix("mroute", Word::Sort(Sort::MulticastRoute)),
    prefix("prefix", Word::Sort(Sort::Prefix)),
    prefix("neigh", Word::Sort(Sort::Neighbour)),
    prefix("netconf", Word::Sort(Sort::Netconf)),
    prefix("rule", Word::Sort(Sort::Rule)),
    prefix("nsid", Word::Sort(Sort::NamespaceId)),
    prefix("nexthop", Word::Sort(Sort::Nexthop)),
    exact("stats", Word::Sort(Sort::Stats)),
    exact("all", Word::Label),
    prefix("all-nsid", Word::AllNamespaces),
    prefix("help", Word::Help),
    exact("dev", Word::Device),
];

/// Whether a kernel may lack a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// `ip` ends where the kernel has it not.
    Always,
    /// `ip` does without.
    IfThere,
}

const UNSPEC: u8 = 0;
const INET: u8 = 2;
const INET6: u8 = 10;
const MPLS: u8 = 28;

/// Which group tells of a sort, for which family; [`UNSPEC`] is every family.
const GROUPS: &[(Sort, u8, Group, Need)] = &[
    (Sort::Link, UNSPEC, Group::LINK, Need::Always),
    (Sort::Address, INET, Group::IPV4_IFADDR, Need::Always),
    (Sort::Address, INET6, Group::IPV6_IFADDR, Need::Always),
    (Sort::Route, INET, Group::IPV4_ROUTE, Need::Always),
    (Sort::Route, INET6, Group::IPV6_ROUTE, Need::Always),
    (Sort::Route, MPLS, Group::MPLS_ROUTE, Need::Always),
    (Sort::MulticastRoute, INET, Group::IPV4_MROUTE, Need::Always),
    (Sort::MulticastRoute, INET6, Group::IPV6_MROUTE, Need::Always),
    (Sort::Prefix, INET6, Group::IPV6_PREFIX, Need::Always),
    (Sort::Neighbour, UNSPEC, Group::NEIGH, Need::Always),
    (Sort::Netconf, INET, Group::IPV4_NETCONF, Need::Always),
    (Sort::Netconf, INET6, Group::IPV6_NETCONF, Need::Always),
    (Sort::Netconf, MPLS, Group::MPLS_NETCONF, Need::Always),
    (Sort::Rule, INET, Group::IPV4_RULE, Need::Always),
    (Sort::Rule, INET6, Group::IPV6_RULE, Need::Always),
    (Sort::NamespaceId, UNSPEC, Group::NSID, Need::Always),
    (Sort::Nexthop, UNSPEC, Group::NEXTHOP, Need::IfThere),
    (Sort::Stats, UNSPEC, Group::STATS, Need::IfThere),
    (Sort::Multicast, INET, Group::IPV4_MCADDR, Need::IfThere),
    (Sort::Multicast, INET6, Group::IPV6_MCADDR, Need::IfThere),
    (Sort::Anycast, INET6, Group::IPV6_ACADDR, Need::IfThere),
];

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The sorts that are watched; none stands for all.
    sorts: Vec<Sort>,
    /// Whether each change says its sort.
    pub labelled: bool,
    /// Whether other namespaces are watched too.
    pub all_namespaces: bool,
    /// A file that is read in the place of the kernel.
    pub file: Option<&'a [u8]>,
    /// The names of devices, of which the last counts.
    pub devices: Vec<&'a [u8]>,
    /// vwire's own: first what is there.
    pub snapshot: bool,
}

impl Asked<'_> {
    /// Returns whether a sort is watched.
    #[must_use]
    pub fn wants(&self, sort: Sort) -> bool {
        self.sorts.is_empty() || self.sorts.contains(&sort)
    }

    /// Returns the groups that tell of it, those that every kernel has, and those that some have.
    #[must_use]
    pub fn groups(&self, family: Family) -> (Vec<Group>, Vec<Group>) {
        let family = family.number();
        let chosen = |need: Need| {
            let fits = |of: u8| of == UNSPEC || family == UNSPEC || of == family;
            let rows = GROUPS.iter().filter(|(sort, of, _, needed)| *needed == need && fits(*of) && self.wants(*sort));
            rows.map(|(_, _, group, _)| *group).collect()
        };
        (chosen(Need::Always), chosen(Need::IfThere))
    }
}

/// The sorts of which something can go, or be shown otherwise, without a message: with a link, an address, a next hop.
const UNSTEADY: [Sort; 3] = [Sort::Route, Sort::Rule, Sort::Neighbour];

impl Asked<'_> {
    /// Returns the groups that tell of what unsteady sorts stand on, where such are watched.
    #[must_use]
    pub fn grounds(&self) -> (Vec<Group>, Vec<Group>) {
        if !UNSTEADY.iter().any(|sort| self.wants(*sort)) {
            return (Vec::new(), Vec::new());
        }
        (vec![Group::LINK, Group::IPV4_IFADDR], vec![Group::NEXTHOP])
    }

    /// Returns whether a message is one of those asked for, rather than one of [`Asked::grounds`].
    #[must_use]
    pub fn wants_to_be_told(&self, message_type: MessageType) -> bool {
        match MessageType(message_type.0 & !3) {
            MessageType::NEWLINK => self.wants(Sort::Link),
            MessageType::NEWADDR => self.wants(Sort::Address),
            MessageType::NEWNEXTHOP | MessageType::NEWNEXTHOPBUCKET => self.wants(Sort::Nexthop),
            _ => true,
        }
    }
}

/// Reads the words behind `monitor`; devices that stand before a wrong word count, since `ip` looks them up first.
///
/// `own` says whether vwire's own words are words.
pub fn read<'a>(words: &mut Words<'a>, own: bool) -> (Asked<'a>, Result<(), Failure>) {
    let mut asked = Asked::default();
    let end = read_all(words, own, &mut asked);
    (asked, end)
}

fn read_all<'a>(words: &mut Words<'a>, own: bool, asked: &mut Asked<'a>) -> Result<(), Failure> {
    while let Some(word) = words.next() {
        if own && word == b"--snapshot" {
            asked.snapshot = true;
            continue;
        }
        match find(WORDS, word) {
            Some(Word::File) => asked.file = Some(words.value()?),
            Some(Word::Label) => asked.labelled = true,
            Some(Word::Sort(sort)) => asked.sorts.push(sort),
            Some(Word::AllNamespaces) => asked.all_namespaces = true,
            Some(Word::Help) => return Err(Failure::usage(super::HELP)),
            Some(Word::Device) => asked.devices.push(words.value()?),
            None => return Err(unknown(word)),
        }
    }
    Ok(())
}

fn unknown(word: &[u8]) -> Failure {
    let word = shown(word);
    let failure = Failure::new(
        EXIT_USAGE,
        format!("Argument \"{word}\" is unknown, try \"ip monitor help\"."),
        format!("`monitor` does not know `{word}`"),
    );
    match crate::cli::ip::nearest::nearest(&word, WORDS.iter().map(|row| row.word)) {
        Some(meant) if meant != word => failure.hint(format!("did you mean `{meant}`?")),
        _ => failure.hint("`vwire monitor help` lists what can be watched"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn check(line: &str, test: impl FnOnce(&Asked<'_>, Result<(), Failure>)) {
        let line: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let (asked, end) = read(&mut Words::new(&line), true);
        test(&asked, end);
    }

    #[test]
    fn short_words_stand_for_what_ip_takes_them_for() {
        let map = [
            ("a", Sort::Address),
            ("n", Sort::Neighbour),
            ("m", Sort::Multicast),
            ("mr", Sort::MulticastRoute),
            ("r", Sort::Route),
            ("stats", Sort::Stats),
        ];
        for (word, sort) in map {
            check(word, |asked, _| assert_eq!(asked.sorts, [sort], "{word}"));
        }
        check("l al", |asked, _| assert!(asked.labelled && asked.all_namespaces && asked.sorts.is_empty()));
        check("all li", |asked, _| assert!(asked.labelled && asked.wants(Sort::Link) && !asked.wants(Sort::Rule)));
        check("--snapshot", |asked, _| assert!(asked.snapshot));
    }

    #[test]
    fn a_family_has_its_own_groups() {
        check("address rule neigh", |asked, _| {
            let wanted = vec![Group::IPV6_IFADDR, Group::NEIGH, Group::IPV6_RULE];
            assert_eq!(asked.groups(Family::Inet6), (wanted, Vec::new()));
        });
        check("", |asked, _| {
            assert_eq!(asked.groups(Family::Unspec).0.len() + asked.groups(Family::Unspec).1.len(), 21)
        });
    }

    #[test]
    fn devices_before_a_wrong_word_are_kept() {
        check("dev v0 foo dev v1", |asked, end| {
            assert_eq!(asked.devices, [b"v0"]);
            assert_eq!(end.unwrap_err().exit(), 255);
        });
        check("file", |_, end| assert_eq!(end.unwrap_err().exit(), 255));
    }
}
