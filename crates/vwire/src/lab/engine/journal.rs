//! What is written down before anything is done, so that whoever comes after a crash knows what to undo.
//!
//! The journal names the namespaces that will be made. Of places that exist already it has what they held, in the
//! kernel's own words: the messages of its dumps, one file a place. Its own file is written last and removed first, so
//! that a journal that is there is whole.

use std::collections::BTreeMap;

use vwire_netlink::wire::{Body, Messages};
use vwire_netlink::{MessageType, Request};

use super::confirm;
use super::survey::APPLIED;
use crate::lab::file::accounts::OfThisMachine;
use crate::lab::file::read_with;
use crate::lab::model::Lab;
use crate::lab::record::Record;
use crate::snapshot::state::State;

/// The name of its file.
const FILE: &str = "journal";
/// The name of the file that is applied.
pub(super) const PENDING: &str = "pending.toml";
/// Its first line, with the number of its form.
const HEAD: &str = "vwire-journal 1";
/// `AF_BRIDGE`.
const BRIDGE: u8 = 7;

/// What a run was about to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    /// The nodes whose namespaces it makes.
    pub makes: Vec<String>,
    /// What the places held that were there already, by the names of their nodes.
    pub before: BTreeMap<String, State>,
    /// The cables between places, as nodes and indexes.
    pub cables: Vec<((String, u32), (String, u32))>,
    /// What stands on a device of another place, and that device, as nodes and indexes.
    pub lowers: Vec<((String, u32), (String, u32))>,
    /// The nodes whose namespaces go once all else is done.
    pub removes: Vec<String>,
    /// The text of the file that it applies.
    pub pending: String,
}

impl Journal {
    /// Writes it down.
    ///
    /// # Errors
    /// The disk is full, or privilege lacks.
    pub fn write(&self, record: &Record) -> std::io::Result<()> {
        let mut text = format!("{HEAD}\n");
        for node in &self.makes {
            text.push_str(&format!("makes {node}\n"));
        }
        for node in &self.removes {
            text.push_str(&format!("removes {node}\n"));
        }
        for (node, state) in &self.before {
            record.write(&file_of(node), &pack(state))?;
            text.push_str(&format!("before {node}\n"));
        }
        for (word, pairs) in [("cable", &self.cables), ("lower", &self.lowers)] {
            for ((one, first), (other, second)) in pairs {
                text.push_str(&format!("{word} {one} {first} {other} {second}\n"));
            }
        }
        record.write(PENDING, self.pending.as_bytes())?;
        record.write(FILE, text.as_bytes())
    }

    /// Makes what is being done what is: from now on it is not undone any more. The file that was being applied is the
    /// applied one, by one renaming.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn commit(record: &Record) -> std::io::Result<()> {
        std::fs::rename(record.path_of(PENDING), record.path_of(APPLIED))
    }

    /// Returns whether there is one, of whatever sort.
    #[must_use]
    pub fn is_there(record: &Record) -> bool {
        record.path_of(FILE).exists()
    }

    /// Returns whether a run has not ended, as far as is written down: one that goes on, or one that died.
    #[must_use]
    pub fn is_unfinished(record: &Record) -> bool {
        Self::is_there(record) && record.path_of(PENDING).exists()
    }

    /// Reads the one that a run left which did not end.
    #[must_use]
    pub fn read(record: &Record) -> Option<Self> {
        if !Self::is_there(record) {
            return None;
        }
        if !record.path_of(PENDING).exists() {
            // All was done but this; unless it is kept until somebody confirms what was done.
            if confirm::until(record).is_none() {
                record.remove(FILE);
            }
            return None;
        }
        Self::read_with(record, PENDING)
    }

    /// Returns the nodes that a run was removing which did all else.
    #[must_use]
    pub fn removing(record: &Record) -> Vec<String> {
        let is_over = Self::is_there(record) && !record.path_of(PENDING).exists();
        let journal = is_over.then(|| Self::read_with(record, APPLIED)).flatten();
        journal.map(|journal| journal.removes).unwrap_or_default()
    }

    /// Reads the one of a run that has ended, and that is kept until somebody confirms what it did.
    #[must_use]
    pub fn read_kept(record: &Record) -> Option<Self> {
        Self::read_with(record, APPLIED)
    }

    /// Reads it, with the name of the file that it applies.
    fn read_with(record: &Record, file: &str) -> Option<Self> {
        let text = record.read(FILE)?;
        let mut journal = Self { pending: record.read(file)?, ..Self::default() };
        for line in text.strip_prefix(HEAD)?.lines() {
            match line.split_once(' ') {
                Some(("makes", node)) => journal.makes.push(node.to_owned()),
                Some(("removes", node)) => journal.removes.push(node.to_owned()),
                Some(("before", node)) => {
                    let state = unpack(&record.read_bytes(&file_of(node))?);
                    journal.before.insert(node.to_owned(), state);
                }
                Some(("cable", words)) => journal.cables.extend(pair(words)),
                Some(("lower", words)) => journal.lowers.extend(pair(words)),
                _ => {}
            }
        }
        Some(journal)
    }

    /// Closes it: what it says is done or undone.
    pub fn close(&self, record: &Record) {
        record.remove(FILE);
        record.remove(PENDING);
        for node in self.before.keys() {
            record.remove(&file_of(node));
        }
    }
}

/// Returns the lab that a run was applying which did not end.
#[must_use]
pub fn pending(record: &Record) -> Option<Lab> {
    let text = record.read(PENDING)?;
    read_with(&text, &record.file_name(), &OfThisMachine).ok().map(|(lab, _)| lab)
}

fn pair(words: &str) -> Option<((String, u32), (String, u32))> {
    let mut words = words.split(' ');
    let mut end = || Some((words.next()?.to_owned(), words.next()?.parse().ok()?));
    Some((end()?, end()?))
}

fn file_of(node: &str) -> String {
    format!("before.{node}")
}

/// Spells a state as the messages that the kernel would send, and its sysctls as lines behind.
fn pack(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut push = |message_type, body: Request| {
        let _: MessageType = message_type;
        body.append_to(&mut bytes, 0);
    };
    fn all<'a, T: Body + 'a>(
        message_type: MessageType,
        list: &'a [T],
    ) -> impl Iterator<Item = (MessageType, Request)> + 'a {
        list.iter().map(move |body| (message_type, Request::new(message_type, 0, body)))
    }
    let messages = all(MessageType::NEWLINK, &state.links)
        .chain(all(MessageType::NEWADDR, &state.addresses))
        .chain(all(MessageType::NEWROUTE, &state.routes))
        .chain(all(MessageType::NEWRULE, &state.rules))
        .chain(all(MessageType::NEWNEXTHOP, &state.nexthops))
        .chain(all(MessageType::NEWNEIGH, &state.neighbours))
        .chain(all(MessageType::NEWNEIGH, &state.forwarding))
        .chain(all(MessageType::NEWLINK, &state.bridge_links))
        .chain(all(MessageType::NEWADDRLABEL, &state.labels));
    messages.for_each(|(message_type, request)| push(message_type, request));
    let sysctls: String = state.sysctls.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes()[..], &bytes, sysctls.as_bytes()].concat()
}

fn unpack(packed: &[u8]) -> State {
    let mut state = State::default();
    let (head, rest) = packed.split_at(packed.len().min(4));
    let length = head.try_into().map_or(0, u32::from_le_bytes);
    let (messages, sysctls) = rest.split_at(usize::try_from(length).unwrap_or(0).min(rest.len()));
    for message in Messages::new(messages).flatten() {
        let payload = message.payload;
        let is_bridge = payload.first() == Some(&BRIDGE);
        fn keep<T: Body>(list: &mut Vec<T>, payload: &[u8]) {
            list.extend(T::parse(payload).ok());
        }
        match message.header.message_type {
            MessageType::NEWLINK if is_bridge => keep(&mut state.bridge_links, payload),
            MessageType::NEWLINK => keep(&mut state.links, payload),
            MessageType::NEWADDR => keep(&mut state.addresses, payload),
            MessageType::NEWROUTE => keep(&mut state.routes, payload),
            MessageType::NEWRULE => keep(&mut state.rules, payload),
            MessageType::NEWNEXTHOP => keep(&mut state.nexthops, payload),
            MessageType::NEWNEIGH if is_bridge => keep(&mut state.forwarding, payload),
            MessageType::NEWNEIGH => keep(&mut state.neighbours, payload),
            MessageType::NEWADDRLABEL => keep(&mut state.labels, payload),
            _ => {}
        }
    }
    let rows = std::str::from_utf8(sysctls).unwrap_or_default().lines().filter_map(|line| line.split_once('='));
    state.sysctls = rows.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use vwire_netlink::{Address, BridgeLink, Link, Neighbour};

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let mut link = Link { index: 7, mtu: Some(1400), ..Link::named("eth0".parse().unwrap()) };
        link.set_kind("veth", None);
        let state = State {
            links: vec![link],
            addresses: vec![Address { family: 2, index: 7, prefixlen: 24, ..Address::default() }],
            neighbours: vec![Neighbour { family: 2, index: 7, ..Neighbour::default() }],
            forwarding: vec![Neighbour { family: BRIDGE, index: 7, ..Neighbour::default() }],
            bridge_links: vec![BridgeLink { family: BRIDGE, index: 7, ..BridgeLink::default() }],
            sysctls: [("net.ipv4.ip_forward".to_owned(), "0".to_owned())].into(),
            ..State::default()
        };
        assert_eq!(unpack(&pack(&state)), state);
        assert_eq!(unpack(b"xx"), State::default());
    }
}
