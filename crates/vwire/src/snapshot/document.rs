//! The whole of what a machine's network says, as one document: its form, how it is written and read. Pure.
//!
//! A field may be added without a new [`VERSION`]: who reads passes over what it does not know, and takes what is
//! missing for absent. What changes its meaning or goes away makes a new one.

use std::fmt;
use std::io::{self, Write};

use vwire_netlink::Text;

use super::state::State;

/// What [`Snapshot::format`] says.
pub const FORMAT: &str = "vwire-snapshot";
/// The version of the document's form that is written, and the newest that is read.
pub const VERSION: u32 = 1;

plain_structs! {
    /// What the network of a machine says at one time: every namespace that could be seen, and all that is in it.
    pub struct Snapshot {
        /// What the document is: `vwire-snapshot`.
        pub format: String,
        /// The version of its form, 1.
        pub version: u32,
        /// The program that wrote it, and that program's version.
        pub writer: String,
        /// When it was read, as RFC 3339 has it, in UTC.
        pub taken: String,
        /// The machine's name.
        pub host: Text,
        /// The kernel's release.
        pub kernel: String,
        /// The order of bytes in numbers, `little` or `big`: that of the bytes which are kept as they came.
        pub byte_order: String,
        /// Whether links have their counters.
        pub has_counters: bool,
        /// The namespaces: the reader's own, then those with names, then the others.
        pub namespaces: Vec<Namespace>,
        /// The queues of TUN and TAP devices, each with the process that holds it.
        pub queues: Vec<Queue>,
        /// What could not be read.
        pub missing: Vec<Missing>,
    }

    /// A network namespace: how it was found, and what is in it.
    pub struct Namespace {
        /// What people call it: `blue`, `pid 812 (dnsmasq)`, `this one`.
        pub label: Text,
        /// Whether it is the one that the reader was in.
        pub here: bool,
        /// Its names, as `ip netns` has them.
        pub names: Vec<Text>,
        /// Where else it is mounted.
        pub mounts: Vec<Text>,
        /// The process that has been in it longest, of those that could be seen.
        pub process: Option<Process>,
        /// How many processes are in it, of those that could be seen.
        pub processes: u32,
        /// The inode of its file, the number in `net:[4026531840]`, which tells namespaces apart; one that is known
        /// only by the id that another has for it has none.
        pub inode: Option<u64>,
        /// The device number of that file.
        pub device: Option<u64>,
        /// Where it is known from, if only by an id.
        pub known_from: Option<KnownFrom>,
        /// The ids that it has for other namespaces: a link's `link_netnsid` is one.
        pub ids: Vec<OtherNamespace>,
        /// What is in it.
        pub state: State,
    }

    /// A process.
    pub struct Process {
        /// Its number.
        pub pid: u32,
        /// What it calls itself.
        pub command: Text,
    }

    /// The namespace that has an id for another one, which has no other handle.
    pub struct KnownFrom {
        /// The inode of the namespace that has the id.
        pub inode: u64,
        /// The id.
        pub id: i32,
    }

    /// The id that a namespace has for another one.
    pub struct OtherNamespace {
        /// The id.
        pub id: i32,
        /// The inode of the other one; none if it could not be found.
        pub inode: Option<u64>,
    }

    /// A queue of a TUN or TAP device.
    pub struct Queue {
        /// The device's name.
        pub link: Text,
        /// The inode of the device's namespace.
        pub namespace: Option<u64>,
        /// The process that holds the queue.
        pub pid: u32,
        /// What that process calls itself.
        pub command: String,
        /// The number of the descriptor in that process.
        pub descriptor: u32,
        /// Whether packets come to the queue: it is attached, not set aside.
        pub attached: Option<bool>,
    }

    /// What could not be read, for one reason.
    pub struct Missing {
        /// The reason.
        pub why: String,
        /// Files, or namespaces.
        pub what: Vec<Text>,
    }
}

impl Snapshot {
    /// Returns an empty document of this version.
    #[must_use]
    pub fn new() -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION, ..Self::default() }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`Unreadable`] says what it is instead, or where it is wrong.
    pub fn parse(document: &[u8]) -> Result<Self, Unreadable> {
        let read: Result<Self, serde_json::Error> = serde_json::from_slice(document);
        match read {
            Ok(snapshot) if snapshot.format != FORMAT => Err(Unreadable::Another(snapshot.format)),
            Ok(snapshot) if snapshot.version != VERSION => Err(Unreadable::Version(snapshot.version)),
            Ok(mut snapshot) => {
                snapshot.namespaces.iter_mut().for_each(|namespace| namespace.state.renew());
                Ok(snapshot)
            }
            // What a newer one changed may be what does not fit.
            Err(error) => Err(match serde_json::from_slice(document) {
                Ok(Head { format, version }) if format == FORMAT && version > VERSION => Unreadable::Version(version),
                _ => Unreadable::Json(error),
            }),
        }
    }

    /// Writes the document, on one line or with line breaks, as it goes along.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, writer: &mut dyn Write, pretty: bool) -> io::Result<()> {
        let mut writer = io::BufWriter::with_capacity(64 * 1024, writer);
        match pretty {
            true => serde_json::to_writer_pretty(&mut writer, self)?,
            false => serde_json::to_writer(&mut writer, self)?,
        }
        writer.write_all(b"\n")?;
        writer.flush()
    }

    /// Returns the namespace that the reader was in.
    #[must_use]
    pub fn here(&self) -> Option<&Namespace> {
        self.namespaces.iter().find(|namespace| namespace.here)
    }

    /// Returns the namespace that a word stands for: a name, a label, an inode, or where it is mounted.
    #[must_use]
    pub fn namespace(&self, word: &[u8]) -> Option<&Namespace> {
        let inode = std::str::from_utf8(word).ok().and_then(|word| word.parse().ok());
        let mut ways: [&dyn Fn(&&Namespace) -> bool; 3] = [
            &|namespace| namespace.names.iter().any(|name| name.as_bytes() == word),
            &|namespace| namespace.label.as_bytes() == word || namespace.mounts.iter().any(|at| at.as_bytes() == word),
            &|namespace| namespace.inode.is_some() && namespace.inode == inode,
        ];
        ways.iter_mut().find_map(|is_it| self.namespaces.iter().find(is_it))
    }

    /// Notes what could not be read and why; what has the same reason is put together.
    pub fn lacks(&mut self, what: Text, why: &str) {
        match self.missing.iter_mut().find(|missing| missing.why == why) {
            Some(missing) => missing.what.push(what),
            None => self.missing.push(Missing { why: why.to_owned(), what: vec![what] }),
        }
    }
}

plain_structs! {
    /// What says whether the rest can be read.
    pub struct Head {
        /// As in [`Snapshot`].
        pub format: String,
        /// As in [`Snapshot`].
        pub version: u32,
    }
}

/// Why a document is not a snapshot that can be read.
#[derive(Debug)]
pub enum Unreadable {
    /// It is none, or not whole, or says something that cannot be: what, and where.
    Json(serde_json::Error),
    /// It says that it is something else.
    Another(String),
    /// It has another version.
    Version(u32),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::Another(format) if format.is_empty() => write!(f, "it is no snapshot: it has no `format`"),
            Self::Another(format) => write!(f, "it is no snapshot: its format is `{}`", format.escape_default()),
            Self::Version(version) => write!(f, "it has version {version}, and {VERSION} is what is read here"),
        }
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests {
    use vwire_netlink::{IfName, Link};

    use super::*;

    fn small() -> Snapshot {
        let mut state = State { links: vec![Link::named(IfName::new([b'x', 0xff]).unwrap())], ..State::default() };
        state.sysctls.insert("net.ipv4.ip_forward".to_owned(), "1".to_owned());
        let blue = Namespace {
            label: "blue".into(),
            names: vec!["blue".into()],
            inode: Some(7),
            state,
            ..Namespace::default()
        };
        Snapshot { namespaces: vec![Namespace { here: true, ..Namespace::default() }, blue], ..Snapshot::new() }
    }

    fn written(snapshot: &Snapshot, pretty: bool) -> Vec<u8> {
        let mut document = Vec::new();
        snapshot.write(&mut document, pretty).unwrap();
        document
    }

    #[test]
    fn what_is_written_is_read_back() {
        let snapshot = small();
        for pretty in [false, true] {
            assert_eq!(Snapshot::parse(&written(&snapshot, pretty)).unwrap(), snapshot);
        }
    }

    #[test]
    fn a_namespace_is_found_by_what_it_is_called() {
        let snapshot = small();
        for word in [&b"blue"[..], b"7"] {
            assert_eq!(snapshot.namespace(word).unwrap().inode, Some(7));
        }
        assert!(snapshot.namespace(b"red").is_none());
        assert!(snapshot.here().unwrap().here);
    }

    #[test]
    fn what_is_no_snapshot_is_refused_with_what_it_is() {
        let error = |document: &[u8]| Snapshot::parse(document).unwrap_err().to_string();
        assert_eq!(error(b"{}"), "it is no snapshot: it has no `format`");
        assert_eq!(error(b"{\"format\":\"a\\nb\"}"), "it is no snapshot: its format is `a\\nb`");
        assert_eq!(error(b"{\"format\":\"vwire-snapshot\",\"version\":9,\"namespaces\":4}"), {
            "it has version 9, and 1 is what is read here"
        });
        assert_eq!(error(b""), "EOF while parsing a value at line 1 column 0");
        let whole = written(&small(), false);
        for end in 0..whole.len() - 2 {
            Snapshot::parse(&whole[..end]).unwrap_err();
        }
    }

    #[test]
    fn what_an_older_one_wrote_of_sysctls_has_its_place() {
        let text = r#"{"format":"vwire-snapshot","version":1,"namespaces":[{"state":{"missing":["some of its sysctls: no"]}}]}"#;
        let state = Snapshot::parse(text.as_bytes()).unwrap().namespaces.remove(0).state;
        assert_eq!((state.missing.len(), state.missing_sysctls.as_deref()), (0, Some("no")));
        assert_eq!(state.lacks().collect::<Vec<_>>(), ["some of its sysctls: no"]);
    }

    #[test]
    fn what_is_missing_for_one_reason_is_said_together() {
        let mut snapshot = Snapshot::new();
        snapshot.lacks("a".into(), "no");
        snapshot.lacks("b".into(), "no");
        assert_eq!(snapshot.missing, [Missing { why: "no".to_owned(), what: vec!["a".into(), "b".into()] }]);
    }
}
