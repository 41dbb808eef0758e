//! `vwire snapshot`: all that the network of the machine says now, as one JSON document.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Arg, ArgAction, Command};
use vwire_netlink::{Socket, Text};

use super::ip::{self, Persona, Tongue};
use super::talk::Talk;
use super::{Call, Verb};
use crate::lab::failed::Failed;
use crate::lab::namespace::find::{self, Found, Place};
use crate::lab::namespace::walk::{Walker, walk};
use crate::lab::namespace::{self, Namespace, id};
use crate::snapshot::document::{self, KnownFrom, OtherNamespace, Process, Snapshot};
use crate::snapshot::read::{Counters, queues, read_by_id, read_whole};
use crate::snapshot::state::State;

/// How many namespaces are read at once: reading waits for one lock of the kernel's most of the time.
const AT_ONCE: usize = 4;

/// Returns the verb.
#[must_use]
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("snapshot")
        .about("Writes down all that the network says now, as one JSON document")
        .long_about(
            "Reads every network namespace that can be seen, named, of a process, mounted, or known by an id that \
             another has for it: links with all of their kind, addresses, routes of all tables, rules, next hops, \
             neighbours, what bridges and VXLANs know, the sysctls that decide what is forwarded, and which process \
             holds which queue of a TUN or TAP. Nothing is changed. What could not be read is said in the document.\n\n\
             `vwire --from FILE` shows what is in one, as `vwire` shows what is there now: `vwire --from FILE -n blue \
             addr show`, `vwire --from FILE ls --all`. docs/reference-snapshot.md says what each field is.",
        )
        .arg(Arg::new("stats").short('s').long("stats").action(ArgAction::SetTrue).help("With the counters of links"))
        .arg(Arg::new("pretty").short('p').long("pretty").action(ArgAction::SetTrue).help("With line breaks"))
        .arg(
            Arg::new("schema")
                .long("schema")
                .action(ArgAction::SetTrue)
                .help("Writes the JSON Schema of the document instead"),
        )
}

fn run(call: &mut Call<'_>) -> u8 {
    let pretty = call.arguments.get_flag("pretty") || call.options.pretty;
    if let Some(name) = &call.options.netns
        && let Err(error) = namespace::enter(name)
    {
        let failure = ip::enter_failure(&error);
        let _ = call.stderr.write_all(&ip::spelled(&failure, Tongue::new(Persona::Vwire, call.form.json)));
        return 1;
    }
    let counters = match call.arguments.get_flag("stats") || call.options.stats > 0 {
        true => Counters::Read,
        false => Counters::Left,
    };
    let written = match call.arguments.get_flag("schema") {
        true => crate::snapshot::schema::write(call.stdout),
        false => write(take(counters), call.stdout, pretty),
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let failed = Failed::new("cannot write the snapshot").because(&error);
            Talk::new(call.stderr, call.form).refuses(&failed, 1)
        }
        _ => 0,
    }
}

/// Writes it. It is not torn down after that, which would take as long as half of the writing: the process ends.
fn write(snapshot: Snapshot, to: &mut dyn Write, pretty: bool) -> io::Result<()> {
    std::mem::ManuallyDrop::new(snapshot).write(to, pretty)
}

/// Reads all that can be seen.
pub(super) fn take(counters: Counters) -> Snapshot {
    let mut snapshot = head(counters);
    let seen = find::all();
    for place in &seen.unreadable {
        snapshot.lacks(place.path.as_os_str().as_bytes().into(), &super::ls::reason(&place.source));
    }
    let states = read_all(&seen.namespaces, counters);
    snapshot.namespaces = seen.namespaces.iter().zip(states).map(|(found, state)| described(found, state)).collect();
    add_ids(&mut snapshot, &seen.namespaces);
    add_known_by_id(&mut snapshot, &seen.namespaces);
    snapshot.queues = queues();
    snapshot
}

fn head(counters: Counters) -> Snapshot {
    let kernel = |name: &str| {
        let mut text = fs::read(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
        text.truncate(text.trim_ascii_end().len());
        text
    };
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let taken = i64::try_from(seconds).ok().and_then(|seconds| tz::UtcDateTime::from_timespec(seconds, 0).ok());
    Snapshot {
        writer: format!("vwire {}", env!("CARGO_PKG_VERSION")),
        taken: taken.map(|time| time.to_string().replacen(".000000000", "", 1)).unwrap_or_default(),
        host: kernel("hostname").as_slice().into(),
        kernel: String::from_utf8_lossy(&kernel("osrelease")).into_owned(),
        byte_order: if cfg!(target_endian = "little") { "little" } else { "big" }.to_owned(),
        has_counters: counters == Counters::Read,
        ..Snapshot::new()
    }
}

/// Reads the state of each namespace, by a few threads that go from one to the next.
fn read_all(namespaces: &[Found], counters: Counters) -> Vec<State> {
    let next = AtomicUsize::new(0);
    let work = |walker: &mut Walker| {
        let mut read = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(found) = namespaces.get(place) else { return read };
            if !found.is_here() {
                read.push((place, read_other(walker, found, counters)));
            }
        }
    };
    let mut states = vec![State::default(); namespaces.len()];
    let workers = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, AT_ONCE);
    // One's own is read by this thread: to enter even that one takes a privilege.
    let own = match Socket::open() {
        Ok(mut socket) => read_whole(&mut socket, counters),
        Err(error) => nothing_of_it(&error),
    };
    let read = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(|| walk(work))).collect();
        let read = workers.into_iter().flat_map(|worker| worker.join().ok()?.ok()).flatten();
        read.collect::<Vec<_>>()
    });
    for (place, state) in read {
        states[place] = state;
    }
    if let Some(place) = namespaces.iter().position(Found::is_here) {
        states[place] = own;
    }
    states
}

fn read_other(walker: &mut Walker, found: &Found, counters: Counters) -> State {
    let read = found.open().and_then(|namespace| {
        walker.go(&namespace)?;
        Ok(Socket::open().map(|mut socket| read_whole(&mut socket, counters)))
    });
    match read {
        Ok(Ok(state)) => state,
        Ok(Err(error)) => nothing_of_it(&error),
        Err(error) => nothing_of_it(&error),
    }
}

fn nothing_of_it(error: &dyn std::error::Error) -> State {
    State { missing: vec![format!("all of it: {error}")], ..State::default() }
}

fn described(found: &Found, state: State) -> document::Namespace {
    let text = |bytes: &OsStr| Text::new(bytes.as_bytes());
    let mut namespace = document::Namespace {
        label: Text::new(found.to_string()),
        here: found.is_here(),
        processes: u32::try_from(found.processes).unwrap_or(u32::MAX),
        inode: Some(found.identity.ino),
        device: Some(found.identity.dev),
        state,
        ..document::Namespace::default()
    };
    for place in &found.places {
        match place {
            Place::Here => {}
            Place::Named(name) => namespace.names.push(text(name.as_os_str())),
            Place::Process { pid, comm } => namespace.process = Some(Process { pid: *pid, command: text(comm) }),
            Place::Mount(path) => namespace.mounts.push(text(path.as_os_str())),
        }
    }
    namespace
}

/// Says which ids each namespace has for which other one.
fn add_ids(snapshot: &mut Snapshot, namespaces: &[Found]) {
    let inode = |place: Option<usize>| Some(namespaces.get(place?)?.identity.ino);
    match id::between(namespaces) {
        Ok(known) => {
            for (namespace, ids) in snapshot.namespaces.iter_mut().zip(known) {
                namespace.ids =
                    ids.into_iter().map(|known| OtherNamespace { id: known.id, inode: inode(known.place) }).collect();
                namespace.ids.sort_by_key(|other| other.id);
            }
        }
        // Without the privilege to make a namespace there is none to enter either: one's own is all that was read.
        Err(_) => {
            let Some(own) = snapshot.namespaces.iter_mut().find(|namespace| namespace.here) else { return };
            let opened: Vec<Namespace> = namespaces.iter().filter_map(|found| found.open().ok()).collect();
            let answers = Socket::open().map(|mut socket| id::of(&mut socket, &opened)).unwrap_or_default();
            for (other, answer) in opened.iter().zip(answers) {
                if let Ok(Some(id)) = answer {
                    own.ids.push(OtherNamespace { id, inode: Some(other.identity().ino) });
                }
            }
        }
    }
}

/// Reads what can be read of namespaces that only an id stands for, through those that have the ids.
fn add_known_by_id(snapshot: &mut Snapshot, namespaces: &[Found]) {
    let mut found = Vec::new();
    for (place, namespace) in snapshot.namespaces.iter().enumerate() {
        let unknown: Vec<i32> =
            namespace.ids.iter().filter(|other| other.inode.is_none()).map(|other| other.id).collect();
        let (Some(from), Some(inode)) = (namespaces.get(place), namespace.inode) else { continue };
        if unknown.is_empty() {
            continue;
        }
        let read = || {
            let mut socket = Socket::open().ok()?;
            Some(unknown.iter().map(|id| read_by_id(&mut socket, *id)).collect::<Vec<_>>())
        };
        let states = match from.is_here() {
            true => read(),
            false => from.open().and_then(|namespace| namespace::run_in(&namespace, read)).ok().flatten(),
        };
        for (id, state) in unknown.iter().zip(states.into_iter().flatten()) {
            found.push(document::Namespace {
                label: Text::new(format!("id {id} of {}", namespace.label)),
                known_from: Some(KnownFrom { inode, id: *id }),
                state,
                ..document::Namespace::default()
            });
        }
    }
    snapshot.namespaces.append(&mut found);
}
