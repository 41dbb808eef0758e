//! Holds the rules of ARCHITECTURE.md and CONTRIBUTING.md that can be read off the sources.
//!
//! A rule is a row in [`RULES`] and a pure function from a file to what is wrong with it. `tidy_bites` shows for each
//! row that it catches what it is there for, and fails for a row without such proof.
//!
//! To add a room: a row in [`ROOMS`]. To add a rule: a row in [`RULES`], its function, a row in `tidy_bites`.

use std::fmt;

use crate::sources::{Source, dependencies, files, paths, words};

/// A directory or file below crates/vwire/src, and which others it may name.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
}

/// The arrows: `cli` → what does something → what knows something. Nothing sideways, but a lab may ask why.
const ROOMS: &[Room] = &[
    Room {
        name: "cli",
        may_use: &[
            "lab",
            "out",
            "ping",
            "snapshot",
            "step",
            "switch",
            "tour",
            "trial",
            "tunnel",
            "why",
            "vwire_netlink",
            "vwire_tuntap",
        ],
    },
    Room { name: "lab", may_use: &["snapshot", "step", "why", "vwire_netlink", "vwire_tuntap"] },
    Room { name: "out", may_use: &["snapshot", "vwire_netlink"] },
    // It speaks while it runs, and so spells by itself what it says.
    Room { name: "ping", may_use: &["out", "snapshot", "vwire_netlink"] },
    Room { name: "scoped", may_use: &["lab", "trial", "vwire_netlink", "vwire_tuntap"] },
    Room { name: "snapshot", may_use: &["vwire_netlink", "vwire_tuntap"] },
    Room { name: "step", may_use: &["snapshot", "vwire_netlink", "vwire_tuntap"] },
    Room { name: "switch", may_use: &["snapshot", "vwire_netlink", "vwire_tuntap"] },
    Room { name: "tour", may_use: &["snapshot", "vwire_netlink", "vwire_tuntap"] },
    // What a lab's file expects is tried by vwire's own ping.
    Room { name: "trial", may_use: &["lab", "ping", "vwire_netlink"] },
    Room { name: "tunnel", may_use: &["snapshot", "vwire_netlink", "vwire_tuntap"] },
    Room { name: "why", may_use: &["snapshot", "vwire_netlink"] },
];

/// Where code decides and never touches the world: no clock, socket, file, process, environment, terminal.
/// A row is a file without its `.rs`, or a directory. A file elsewhere that says [`PURE_MARK`] is held to it, too.
pub(crate) const PURE: &[&str] = &[
    "crates/vwire-netlink/src/wire",
    "crates/vwire-tuntap/src/offload",
    "crates/vwire/src/cli/ip/address/change",
    "crates/vwire/src/cli/ip/address/filter",
    "crates/vwire/src/cli/ip/batch",
    "crates/vwire/src/cli/ip/failure",
    "crates/vwire/src/cli/ip/link/hint",
    "crates/vwire/src/cli/ip/link/inet",
    "crates/vwire/src/cli/ip/link/request",
    "crates/vwire/src/cli/ip/link/vf",
    "crates/vwire/src/cli/ip/link/words",
    "crates/vwire/src/cli/ip/options",
    "crates/vwire/src/cli/ip/prefix",
    "crates/vwire/src/cli/ip/words",
    "crates/vwire/src/lab/plan",
    "crates/vwire/src/out",
    "crates/vwire/src/snapshot/device",
    "crates/vwire/src/tour/responder",
    "crates/vwire/src/tour/script",
    "crates/vwire/src/why",
];

/// What the first line of a file ends in that vows to be pure.
const PURE_MARK: &str = " Pure.";

/// The rows of [`PURE`] that wait for their room.
const NOT_BUILT_YET: &[&str] = &["crates/vwire/src/why"];

/// What pure code does not name: a path that is one of these, or goes through it.
const WORLD: &[&str] = &[
    "Instant::now",
    "SystemTime",
    "std::env",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::os::fd",
    "std::os::unix::net",
    "std::process",
    "std::thread",
    "File::open",
    "File::create",
    "OpenOptions",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "UnixDatagram",
    "UnixListener",
    "UnixStream",
    "libc::ioctl",
    "libc::socket",
    "nix",
    "rand",
    "socket2",
    "thread::sleep",
    "vwire_netlink::Socket",
    "vwire_netlink::socket",
    "vwire_tuntap",
];

/// The calls that move a thread between namespaces or change what is mounted.
const NAMESPACE_CALLS: &[&str] =
    &["setns", "unshare", "CloneFlags", "mount", "umount", "umount2", "SYS_setns", "SYS_unshare", "SYS_clone3"];

/// Where those are. `vwire-tuntap` cannot use vwire's and opens a queue in another namespace, on a thread of its own.
const NAMESPACE_ROOMS: &[&str] = &["crates/vwire/src/lab/namespace", "crates/vwire-tuntap/src/sys/fds"];

/// Who may start another program, and only one that its user names.
const STARTS_PROGRAMS: &[&str] = &[
    "crates/vwire/src/cli/ip/netns",
    "crates/vwire/src/cli/sandbox",
    "crates/vwire/src/lab/exec",
    "crates/vwire/src/lab/namespace",
    "crates/vwire/src/lab/program",
    // Forks, and starts none.
    "crates/vwire/src/lab/sys",
    "crates/vwire/src/scoped/sys",
    "crates/vwire/src/scoped/serve",
];

/// The programs whose work vwire does itself.
const OTHERS_WORK: &[&str] = &[
    "ip",
    "tc",
    "nft",
    "sysctl",
    "bridge",
    "brctl",
    "ifconfig",
    "iptables",
    "ip6tables",
    "ethtool",
    "ping",
    "arping",
    "nsenter",
    "unshare",
    "mount",
    "umount",
    "modprobe",
    "sh",
    "bash",
];

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "manager", "misc", "types", "util", "utils"];

/// What only means something to who wrote it, or names where it was written or fetched. Put together here so that
/// this file does not say it.
const ELSEWHERE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/tmp/", "wt-"),
    concat!("/opt/", "ip7"),
    concat!("far", "m-"),
    concat!("hel", "per-"),
    concat!("issue", " #"),
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("debian", ".org"),
    concat!("proxy.golang", ".org"),
];

/// The most lines of a file, its test modules aside.
const MOST_LINES: usize = 600;

/// One rule, what it is for, and how a file is held against it.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    why: &'static str,
    pub(crate) check: fn(&Source<'_>) -> Vec<Violation>,
}

/// Every rule that is held.
pub(crate) const RULES: &[Rule] = &[
    Rule { name: "arrows", why: "a room names only the rooms below it (ROOMS in tidy.rs)", check: arrows },
    Rule { name: "crates-apart", why: "each library stands alone: its users want nothing else", check: crates_apart },
    Rule {
        name: "unsafe-in-sys",
        why: "unsafe code is in `sys/` only, one function a system call",
        check: unsafe_in_sys,
    },
    Rule { name: "pure-rooms", why: "deciding code takes values and returns values", check: pure_rooms },
    Rule {
        name: "one-namespace-room",
        why: "moving between namespaces is in NAMESPACE_ROOMS only",
        check: one_namespace_room,
    },
    Rule { name: "programs-named", why: "only what runs its user's command starts programs", check: programs_named },
    Rule { name: "no-shelling-out", why: "vwire speaks to the kernel itself", check: no_shelling_out },
    Rule {
        name: "prints-through-out",
        why: "data goes through `out` to the writer at hand",
        check: prints_through_out,
    },
    Rule { name: "file-head", why: "a file's first line is `//!` and one sentence: what it is for", check: file_head },
    Rule { name: "file-length", why: "a file fits in a head", check: file_length },
    Rule { name: "file-name", why: "a file's name says what is in it", check: file_name },
    Rule { name: "nothing-left-over", why: "what is to be done is not kept in the sources", check: nothing_left_over },
    Rule { name: "speaks-of-itself", why: "the repository speaks of vwire alone", check: speaks_of_itself },
];

/// One place that breaks a rule.
#[derive(Debug, PartialEq)]
pub(crate) struct Violation {
    line: usize,
    what: String,
}

fn at(source: &Source<'_>, offset: usize, what: impl Into<String>) -> Violation {
    Violation { line: source.line(offset), what: what.into() }
}

fn whole(what: impl Into<String>) -> Violation {
    Violation { line: 1, what: what.into() }
}

/// Tells whether a path is that file (without its `.rs`) or in that directory.
fn is_in(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn arrows(source: &Source<'_>) -> Vec<Violation> {
    let Some(inside) = source.path.strip_prefix("crates/vwire/src/") else { return Vec::new() };
    let modules: Vec<&str> = inside.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect();
    if ["main", "lib"].contains(&modules[0]) {
        return Vec::new();
    }
    let Some(room) = ROOMS.iter().find(|room| room.name == modules[0]) else {
        return vec![whole(format!("the room `{}` has no row that says which rooms it may use", modules[0]))];
    };
    let wrong = |(offset, path): (usize, String)| {
        let parts: Vec<&str> = path.split("::").collect();
        let ups = parts.iter().skip_while(|part| **part == "self").take_while(|part| **part == "super").count();
        let named = match parts[0] {
            "crate" => parts.get(1).copied().unwrap_or("*"),
            "vwire_netlink" | "vwire_tuntap" => parts[0],
            "super" | "self" if ups >= modules.len() => return Some(at(source, offset, "`super` leaves the room")),
            _ => return None,
        };
        let allowed = named == room.name || room.may_use.contains(&named) || path == "crate";
        (!allowed).then(|| at(source, offset, format!("`{}` names `{named}`", room.name)))
    };
    paths(&source.product).into_iter().filter_map(wrong).collect()
}

fn crates_apart(source: &Source<'_>) -> Vec<Violation> {
    const LIBRARIES: &[&str] = &["vwire-netlink", "vwire-tuntap"];
    let Some(own) = LIBRARIES.iter().find(|own| source.path.starts_with(&format!("crates/{own}/"))) else {
        return Vec::new();
    };
    let strange = |name: &str| {
        let name = name.replace('_', "-");
        (name == "vwire" || LIBRARIES.contains(&name.as_str())) && name != **own
    };
    if source.path.ends_with("Cargo.toml") {
        let named = dependencies(source.text).into_iter().filter(|name| strange(name));
        return named.map(|name| whole(format!("depends on `{name}`"))).collect();
    }
    if !source.is_rust() {
        return Vec::new();
    }
    let named = paths(&source.code).into_iter().filter(|(_, path)| {
        path.split_once("::").is_some_and(|(first, _)| first != "vwire" && strange(first))
            || path.starts_with("vwire::")
    });
    named.map(|(offset, path)| at(source, offset, format!("names `{path}`"))).collect()
}

fn unsafe_in_sys(source: &Source<'_>) -> Vec<Violation> {
    let measures = source.path.starts_with("bench/");
    if !source.is_rust() || measures || source.path.contains("/sys/") || source.path.ends_with("/sys.rs") {
        return Vec::new();
    }
    let of = |word: &'static str| words(&source.code, word).map(move |offset| at(source, offset, format!("`{word}`")));
    let allowed = of("unsafe_code").filter(|found| {
        let line = source.code.lines().nth(found.line - 1).unwrap_or_default();
        line.contains("allow(") || line.contains("expect(")
    });
    of("unsafe").chain(allowed).collect()
}

fn pure_rooms(source: &Source<'_>) -> Vec<Violation> {
    let vows = source.is_rust() && source.text.lines().next().is_some_and(|head| head.ends_with(PURE_MARK));
    if !vows && !PURE.iter().any(|room| is_in(source.path, room)) {
        return Vec::new();
    }
    let world = |path: &str| {
        WORLD.iter().any(|world| {
            let through = format!("::{path}::");
            through.contains(&format!("::{world}::"))
        })
    };
    let named = paths(&source.product).into_iter().filter(|(_, path)| world(path));
    named.map(|(offset, path)| at(source, offset, format!("`{path}` touches the world"))).collect()
}

fn one_namespace_room(source: &Source<'_>) -> Vec<Violation> {
    if !source.is_product() || NAMESPACE_ROOMS.iter().any(|room| is_in(source.path, room)) {
        return Vec::new();
    }
    let calls = |(offset, path): &(usize, String)| {
        let last = path.rsplit("::").next().unwrap_or_default();
        let called =
            source.product[*offset..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        let foreign = path.starts_with("nix::") || path.starts_with("libc::") || path.starts_with("rustix::");
        let own = path.contains("namespace::");
        let bare_call = !path.contains("::") && called.starts_with('(') && !source.product[..*offset].ends_with('.');
        NAMESPACE_CALLS.contains(&last) && !own && (foreign || (bare_call && !defines(source, *offset)))
    };
    let found = paths(&source.product).into_iter().filter(calls);
    found.map(|(offset, path)| at(source, offset, format!("`{path}`"))).collect()
}

/// Tells whether the word at an offset is a function's own name.
fn defines(source: &Source<'_>, offset: usize) -> bool {
    source.product[..offset].trim_end().ends_with("fn")
}

fn programs_named(source: &Source<'_>) -> Vec<Violation> {
    if !source.is_product() || STARTS_PROGRAMS.iter().any(|room| is_in(source.path, room)) {
        return Vec::new();
    }
    const STARTS: &[&str] =
        &["process::Command", "nix::spawn", "unistd::execv", "unistd::execvp", "unistd::execve", "unistd::fork"];
    let starts = |path: &str| STARTS.iter().any(|start| format!("::{path}::").contains(&format!("::{start}::")));
    let found = paths(&source.product).into_iter().filter(|(_, path)| starts(path));
    found.map(|(offset, path)| at(source, offset, format!("`{path}`"))).collect()
}

fn no_shelling_out(source: &Source<'_>) -> Vec<Violation> {
    if !source.is_product() {
        return Vec::new();
    }
    let call = "Command::new(\"";
    let runs = source.uncommented.match_indices(call).filter_map(|(offset, _)| {
        let program = source.uncommented[offset + call.len()..].split('"').next()?;
        let name = program.rsplit('/').next()?;
        let product = source.product[offset..].starts_with("Command");
        // The verbs' own definitions are made by a `Command::new` too: clap's, behind `-> Command {`.
        let definition = source.uncommented[..offset].trim_end().ends_with("-> Command {");
        let wrong = product && !definition && OTHERS_WORK.contains(&name);
        wrong.then(|| at(source, offset, format!("runs `{program}`")))
    });
    runs.collect()
}

fn prints_through_out(source: &Source<'_>) -> Vec<Violation> {
    if !source.is_product() {
        return Vec::new();
    }
    let macros = ["println", "print", "eprintln", "eprint"].into_iter().flat_map(|name| {
        words(&source.product, name).filter(move |offset| source.product[offset + name.len()..].starts_with('!'))
    });
    macros.map(|offset| at(source, offset, "prints past the writers it is handed")).collect()
}

fn file_head(source: &Source<'_>) -> Vec<Violation> {
    if !source.is_rust() {
        return Vec::new();
    }
    let first = source.text.lines().next().unwrap_or_default();
    let Some(sentence) = first.strip_prefix("//! ") else {
        return vec![whole("the first line does not say what the file is for")];
    };
    let sentence = sentence.strip_suffix(PURE_MARK).unwrap_or(sentence);
    let sentences = sentence
        .match_indices(". ")
        .filter(|(end, _)| sentence[end + 2..].chars().next().is_some_and(char::is_uppercase));
    if !sentence.ends_with('.') || sentences.count() > 0 {
        return vec![whole("the first line is not one whole sentence")];
    }
    Vec::new()
}

fn file_length(source: &Source<'_>) -> Vec<Violation> {
    let lines = source.lines_without_tests();
    if !source.is_product() || lines <= MOST_LINES {
        return Vec::new();
    }
    vec![whole(format!("{lines} lines without its tests, more than {MOST_LINES}"))]
}

fn file_name(source: &Source<'_>) -> Vec<Violation> {
    if !source.is_rust() {
        return Vec::new();
    }
    let empty = |part: &&str| {
        let stem = part.trim_end_matches(".rs");
        EMPTY_NAMES.contains(&stem) || stem.starts_with("internal_") || stem.ends_with("_utils")
    };
    source.path.split('/').filter(empty).map(|part| whole(format!("`{part}` says nothing"))).collect()
}

fn nothing_left_over(source: &Source<'_>) -> Vec<Violation> {
    if !source.is_rust() {
        return Vec::new();
    }
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("HA", "CK")];
    let found = marks.into_iter().flat_map(|mark| words(source.text, mark).map(move |offset| (mark, offset)));
    found.map(|(mark, offset)| at(source, offset, mark)).collect()
}

fn speaks_of_itself(source: &Source<'_>) -> Vec<Violation> {
    if source.path.ends_with("Cargo.lock") {
        return Vec::new();
    }
    let found = ELSEWHERE.iter().flat_map(|word| source.text.match_indices(word));
    found.map(|(offset, word)| at(source, offset, format!("`{word}`"))).collect()
}

/// Something wrong, where, and why it matters.
struct Report<'a>(&'a str, &'a Rule, Violation);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(path, rule, Violation { line, what }) = self;
        write!(f, "{path}:{line}: {what}\n    {}: {}", rule.name, rule.why)
    }
}

#[test]
fn the_sources_keep_every_rule() {
    let files = files();
    let mut reports = Vec::new();
    for (path, text) in &files {
        let source = Source::new(path, text);
        for rule in RULES {
            reports.extend((rule.check)(&source).into_iter().map(|found| Report(path, rule, found).to_string()));
        }
    }
    assert!(reports.is_empty(), "{} places break a rule:\n{}", reports.len(), reports.join("\n"));
}

#[test]
fn the_whole_repository_is_read() {
    let files = files();
    for path in ["README.md", "check", ".ci/run", "crates/vwire/src/main.rs", "crates/vwire-tuntap/src/lib.rs"] {
        assert!(files.iter().any(|(found, _)| found == path), "{path} was not read");
    }
}

#[test]
fn every_pure_room_is_there() {
    let files = files();
    for room in PURE {
        let there = files.iter().any(|(path, _)| is_in(path, room));
        assert_eq!(
            !there,
            NOT_BUILT_YET.contains(room),
            "{room}: a row of PURE that names nothing, or one built since"
        );
    }
}
