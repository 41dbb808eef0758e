//! Every network namespace that can be seen from here, named or not.
//!
//! Three places are looked at: the names in [`DIRECTORY`], every process in `/proc`, and other
//! mounts of namespaces (container engines keep theirs elsewhere). What could not be read is told
//! as well. Not seen: namespaces that only an open file or a single thread of a process holds.
//!
//! [`all`] looks, `gather` orders; the latter is pure.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::{DIRECTORY, Identity, Name, Namespace, OWN, named};

/// Where a namespace was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It is the calling thread's own.
    Here,
    /// It has a name.
    Named(Name),
    /// A process is in it.
    Process {
        /// The process.
        pid: u32,
        /// What the process calls itself.
        comm: OsString,
    },
    /// It is bound onto a file elsewhere.
    Mount(PathBuf),
}

/// A namespace and where it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which it is.
    pub identity: Identity,
    /// Where it was seen, the best handle first: here, names, mounts, the process that is longest there.
    pub places: Vec<Place>,
    /// How many processes are in it, as far as could be seen.
    pub processes: usize,
}

/// A place that could not be looked at.
#[derive(Debug)]
pub struct Unreadable {
    /// The file.
    pub path: PathBuf,
    /// The kernel's answer.
    pub source: io::Error,
}

/// What [`all`] saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// The namespaces: one's own, then those with names, then the others.
    pub namespaces: Vec<Found>,
    /// What could not be looked at.
    pub unreadable: Vec<Unreadable>,
}

impl Found {
    /// Returns whether it is the calling thread's own.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.places.contains(&Place::Here)
    }

    /// Returns its names.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.places.iter().filter_map(|place| if let Place::Named(name) = place { Some(name) } else { None })
    }

    /// Opens it, by whichever place still holds it.
    ///
    /// # Errors
    /// It is gone, or not open to the caller.
    pub fn open(&self) -> io::Result<Namespace> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for place in &self.places {
            match Namespace::open(place.path()) {
                // A name or a process number may stand for another one by now.
                Ok(namespace) if namespace.identity() == self.identity => return Ok(namespace),
                Ok(_) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// What people call it: `blue`, `pid 812 (dnsmasq)`, `this one`.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.places.first() {
            Some(Place::Here) => f.write_str("this one"),
            Some(Place::Named(name)) => name.fmt(f),
            Some(Place::Process { pid, comm }) => write!(f, "pid {pid} ({})", comm.display()),
            Some(Place::Mount(path)) => path.display().fmt(f),
            None => self.identity.fmt(f),
        }
    }
}

impl Place {
    /// Returns a path to the namespace.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        match self {
            Self::Here => OWN.into(),
            Self::Named(name) => name.path(),
            Self::Process { pid, .. } => format!("/proc/{pid}/ns/net").into(),
            Self::Mount(path) => path.clone(),
        }
    }

    /// Orders places by how good a handle they are.
    fn rank(&self) -> (u8, Option<&Name>, u32) {
        match self {
            Self::Here => (0, None, 0),
            Self::Named(name) => (1, Some(name), 0),
            Self::Mount(_) => (2, None, 0),
            Self::Process { pid, .. } => (3, None, *pid),
        }
    }
}

/// Looks for every namespace that can be seen.
#[must_use]
pub fn all() -> Seen {
    let mut look = Look::default();
    look.at(Place::Here);
    match named::names() {
        Ok(names) => names.into_iter().for_each(|name| look.at(Place::Named(name))),
        Err(source) => look.failed(DIRECTORY.into(), source),
    }
    for (ino, path) in namespace_mounts() {
        // Another mount may hide this one; then the path is something else's.
        if Identity::of(&path).is_ok_and(|identity| identity.ino == ino) {
            look.at(Place::Mount(path));
        }
    }
    match processes() {
        Ok(processes) => processes.into_iter().for_each(|pid| look.at_process(pid)),
        Err(source) => look.unreadable.push(Unreadable { path: "/proc".into(), source }),
    }
    Seen { namespaces: gather(look.sightings), unreadable: look.unreadable }
}

/// Returns the processes that are in a namespace, in `/proc`'s order.
///
/// # Errors
/// `/proc` cannot be read. Processes of other users are left out without privilege.
pub fn processes_in(identity: Identity) -> io::Result<Vec<u32>> {
    let mut processes = processes()?;
    processes.retain(|pid| Identity::of(format!("/proc/{pid}/ns/net")).is_ok_and(|other| other == identity));
    Ok(processes)
}

#[derive(Default)]
struct Look {
    sightings: Vec<(Identity, Place)>,
    /// The namespaces that a process was seen in.
    inhabited: HashSet<Identity>,
    unreadable: Vec<Unreadable>,
}

impl Look {
    fn at(&mut self, place: Place) {
        let path = place.path();
        match Identity::of(&path) {
            Ok(identity) => self.sightings.push((identity, place)),
            Err(source) => self.failed(path, source),
        }
    }

    fn at_process(&mut self, pid: u32) {
        let path = format!("/proc/{pid}/ns/net");
        match Identity::of(&path) {
            Ok(identity) => {
                // Its name costs a read, and only the first of a namespace's processes is ever shown.
                let comm = if self.inhabited.insert(identity) { comm_of(pid) } else { OsString::new() };
                self.sightings.push((identity, Place::Process { pid, comm }));
            }
            Err(source) => self.failed(path.into(), source),
        }
    }

    /// Keeps a failure, unless it only says that what was listed a moment ago is gone.
    fn failed(&mut self, path: PathBuf, source: io::Error) {
        let gone = [Some(nix::libc::ENOENT), Some(nix::libc::ESRCH)].contains(&source.raw_os_error());
        if !gone {
            self.unreadable.push(Unreadable { path, source });
        }
    }
}

fn comm_of(pid: u32) -> OsString {
    let mut comm = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    comm.truncate(comm.trim_ascii_end().len());
    OsString::from_vec(comm)
}

fn processes() -> io::Result<Vec<u32>> {
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    Ok(fs::read_dir("/proc")?.flatten().filter_map(number).collect())
}

/// Returns where namespaces are bound outside of [`DIRECTORY`], with their inode numbers.
fn namespace_mounts() -> Vec<(u64, PathBuf)> {
    let table = fs::read("/proc/thread-self/mountinfo").unwrap_or_default();
    let mounts = table.split(|byte| *byte == b'\n').filter_map(network_mount);
    mounts.filter(|(_, path)| !path.starts_with(DIRECTORY)).collect()
}

/// Reads a line of `mountinfo` (proc_pid_mountinfo(5)): inode and mount point, if a network namespace is mounted there.
fn network_mount(line: &[u8]) -> Option<(u64, PathBuf)> {
    let mut fields = line.split(|byte| *byte == b' ').skip(3);
    let (root, point) = (fields.next()?, fields.next()?);
    let ino = std::str::from_utf8(root).ok()?.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()?;
    Some((ino, OsString::from_vec(unescape(point)).into()))
}

/// Undoes the kernel's `\040` for blanks in paths.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match (first, octal) {
            (b'\\', Some(byte)) => {
                plain.push(byte);
                rest = &after[3..];
            }
            _ => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    plain
}

/// Joins sightings of the same namespace and orders them for people.
fn gather(sightings: Vec<(Identity, Place)>) -> Vec<Found> {
    let mut at: HashMap<Identity, usize> = HashMap::new();
    let mut all: Vec<Found> = Vec::new();
    for (identity, place) in sightings {
        let index = *at.entry(identity).or_insert(all.len());
        if index == all.len() {
            all.push(Found { identity, places: Vec::new(), processes: 0 });
        }
        let Some(found) = all.get_mut(index) else { continue };
        if let Place::Process { .. } = place {
            found.processes += 1;
            if found.processes > 1 {
                continue;
            }
        }
        found.places.push(place);
    }
    for found in &mut all {
        found.places.sort_by(|a, b| a.rank().cmp(&b.rank()));
    }
    all.sort_by(|a, b| a.places.first().map(Place::rank).cmp(&b.places.first().map(Place::rank)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Place {
        Place::Named(Name::parse(name.as_bytes()).unwrap())
    }

    fn process(pid: u32, comm: &str) -> Place {
        Place::Process { pid, comm: comm.into() }
    }

    fn shown(sightings: &[(u64, Place)]) -> Vec<String> {
        let sightings = sightings.iter().map(|(ino, place)| (Identity { dev: 4, ino: *ino }, place.clone()));
        gather(sightings.collect()).iter().map(|found| format!("{found} {}", found.processes)).collect()
    }

    #[test]
    fn ones_own_comes_first_then_names_then_processes() {
        let seen = [(9, process(1, "init")), (7, process(812, "dnsmasq")), (5, named("red")), (6, named("blue"))];
        let here = [(9, Place::Here), (7, process(813, ""))];
        let all = [&seen[..], &here[..]].concat();
        assert_eq!(shown(&all), ["this one 1", "blue 0", "red 0", "pid 812 (dnsmasq) 2"]);
    }

    #[test]
    fn a_name_is_a_better_handle_than_a_process() {
        assert_eq!(shown(&[(7, process(812, "dnsmasq")), (7, named("blue"))]), ["blue 1"]);
    }

    #[test]
    fn mounts_of_networks_are_read_from_the_table() {
        let line = b"617 25 0:4 net:[4026532277] /run/docker/a\\040b rw shared:311 - nsfs nsfs rw";
        assert_eq!(network_mount(line), Some((4026532277, "/run/docker/a b".into())));
        assert_eq!(network_mount(b"617 25 0:4 mnt:[4026532277] /x rw - nsfs nsfs rw"), None);
        assert_eq!(network_mount(b""), None);
        assert_eq!(unescape(b"\\0"), b"\\0");
    }

    #[test]
    fn what_is_here_is_seen() {
        let seen = all();
        assert!(seen.namespaces[0].is_here());
        assert_eq!(seen.namespaces[0].open().unwrap().identity(), Namespace::current().unwrap().identity());
    }
}
