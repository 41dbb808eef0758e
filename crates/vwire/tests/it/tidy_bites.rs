//! Shows for each rule of `tidy` that it catches what it is there for and lets good code pass.

use crate::sources::Source;
use crate::tidy::RULES;

/// A file that breaks a rule, and one much like it that does not.
struct Bite {
    rule: &'static str,
    bad: (&'static str, &'static str),
    good: (&'static str, &'static str),
}

const OUT: &str = "crates/vwire/src/out/printer.rs";
const WIRE: &str = "crates/vwire-netlink/src/wire/link.rs";
const LINK: &str = "crates/vwire/src/cli/ip/link.rs";

const BITES: &[Bite] = &[
    Bite {
        rule: "arrows",
        bad: (OUT, "use crate::cli::ip::Ip;"),
        good: (LINK, "use crate::{lab::namespace, out::{Layout, Printer}};"),
    },
    Bite {
        rule: "arrows",
        bad: ("crates/vwire/src/snapshot/mod.rs", "use std::io;\nuse crate::{out, snapshot};"),
        good: ("crates/vwire/src/snapshot/mod.rs", "use crate::snapshot; use vwire_netlink::Socket;"),
    },
    Bite {
        rule: "arrows",
        bad: ("crates/vwire/src/ping/mod.rs", "fn ping() { crate::lab::namespace::enter(name); }"),
        good: ("crates/vwire/src/ping/mod.rs", "#[cfg(test)]\nmod tests { use crate::lab::namespace; }"),
    },
    Bite { rule: "arrows", bad: (OUT, "use super::super::cli;"), good: (OUT, "use super::colour::Palette;") },
    Bite {
        rule: "arrows",
        bad: ("crates/vwire/src/gadgets/mod.rs", "//! A room without a row."),
        good: ("crates/vwire/src/lib.rs", "pub mod gadgets;"),
    },
    Bite {
        rule: "crates-apart",
        bad: (WIRE, "use vwire_tuntap::Device;"),
        good: ("crates/vwire-netlink/tests/it/main.rs", "use vwire_netlink::Socket;"),
    },
    Bite {
        rule: "crates-apart",
        bad: ("crates/vwire-tuntap/Cargo.toml", "[dev-dependencies]\nvwire-netlink.workspace = true\n"),
        good: ("crates/vwire-tuntap/Cargo.toml", "[package]\nname = \"vwire-tuntap\"\n[dependencies]\nlibc = \"0\"\n"),
    },
    Bite {
        rule: "unsafe-in-sys",
        bad: ("crates/vwire-tuntap/src/device.rs", "fn f() { unsafe { call() } }"),
        good: ("crates/vwire-tuntap/src/sys/ioctl.rs", "#![allow(unsafe_code)]\nfn f() { unsafe { call() } }"),
    },
    Bite {
        rule: "unsafe-in-sys",
        bad: ("crates/vwire/src/lib.rs", "#[allow(unsafe_code)]\nmod sys;"),
        good: ("crates/vwire/src/lib.rs", "#![deny(unsafe_code)]\n// nothing unsafe\nconst A: &str = \"unsafe\";"),
    },
    Bite {
        rule: "pure-rooms",
        bad: (WIRE, "use std::{fmt, time::Instant};\nfn f() -> Instant { Instant::now() }"),
        good: (WIRE, "use std::{fmt, time::Instant};\nfn f(now: Instant) -> Instant { now }"),
    },
    Bite {
        rule: "pure-rooms",
        bad: (OUT, "use std::{collections::BTreeMap, fs::File};"),
        good: (OUT, "use std::collections::BTreeMap;\n#[cfg(test)]\nmod tests { use std::fs; }"),
    },
    Bite {
        rule: "pure-rooms",
        bad: ("crates/vwire-tuntap/src/offload/split.rs", "fn f() { let s = std::net::UdpSocket::bind(a); }"),
        good: ("crates/vwire-tuntap/src/offload/split.rs", "use std::net::{IpAddr, Ipv4Addr};"),
    },
    Bite {
        rule: "pure-rooms",
        bad: ("crates/vwire/src/cli/ip/words.rs", "fn f() { std::env::var(\"X\"); }"),
        good: ("crates/vwire/src/cli/ip/words.rs", "const A: &str = env!(\"CARGO_PKG_VERSION\");"),
    },
    Bite {
        rule: "pure-rooms",
        bad: ("crates/vwire/src/cli/ip/nearest.rs", "//! Finds a name. Pure.\nuse std::fs;"),
        good: ("crates/vwire/src/cli/ip/nearest.rs", "//! Finds a name.\nuse std::fs;"),
    },
    Bite {
        rule: "one-namespace-room",
        bad: (LINK, "use nix::sched::{CloneFlags, setns};"),
        good: ("crates/vwire/src/lab/namespace.rs", "use nix::sched::{CloneFlags, setns};"),
    },
    Bite {
        rule: "one-namespace-room",
        bad: ("crates/vwire/src/cli/tour.rs", "fn f() { nix::mount::mount(a, b, c, d, e); }"),
        good: ("crates/vwire/src/cli/tour.rs", "fn f() { namespace::unshare(); }"),
    },
    Bite {
        rule: "programs-named",
        bad: (LINK, "use std::process::{Command, Stdio};"),
        good: ("crates/vwire/src/cli/ls.rs", "use clap::Command;\nuse std::process::ExitCode;"),
    },
    Bite {
        rule: "no-shelling-out",
        bad: ("crates/vwire/src/cli/ip/netns.rs", "fn f() { Command::new(\"/sbin/ip\").arg(\"link\").spawn(); }"),
        good: ("crates/vwire/src/cli/ip/netns.rs", "fn f() { Command::new(program).spawn(); } // Command::new(\"ip\")"),
    },
    Bite {
        rule: "no-shelling-out",
        bad: ("crates/vwire/src/cli/tour.rs", "fn f() { let mut c = Command::new(\"ping\"); }"),
        good: ("crates/vwire/src/cli/ping.rs", "fn command() -> Command {\n    Command::new(\"ping\")\n}"),
    },
    Bite {
        rule: "prints-through-out",
        bad: ("crates/vwire/src/cli/ls.rs", "fn f() { println!(\"a\"); }"),
        good: ("crates/vwire/src/cli/ls.rs", "fn f() { writeln!(stdout, \"a\"); }"),
    },
    Bite {
        rule: "file-head",
        bad: ("crates/vwire/src/a.rs", "use std::io;\n//! Says it too late."),
        good: ("crates/vwire/src/a.rs", "//! Says at once what it is for.\n\nuse std::io;"),
    },
    Bite {
        rule: "file-head",
        bad: ("crates/vwire/src/a.rs", "//! Says one thing. Then another."),
        good: ("crates/vwire/src/a.rs", "//! Says one thing, e.g. about `a.b`: this.\n//!\n//! Then another."),
    },
    Bite {
        rule: "file-head",
        bad: ("crates/vwire/src/a.rs", "//! Half a"),
        good: ("crates/vwire/src/a.rs", "//! Reads words. Pure."),
    },
    Bite {
        rule: "file-name",
        bad: ("crates/vwire/src/lab/utils.rs", ""),
        good: ("crates/vwire/src/lab/namespace.rs", ""),
    },
    Bite {
        rule: "nothing-left-over",
        bad: (LINK, concat!("// TO", "DO: later")),
        good: (LINK, "// Done: macToDo is not a mark."),
    },
    Bite {
        rule: "speaks-of-itself",
        bad: ("docs/guide.md", concat!("see /wo", "rk/notes.md")),
        good: ("docs/guide.md", "the network works/fails; platform-dependent; a tissue of lies"),
    },
    Bite {
        rule: "speaks-of-itself",
        bad: ("check", concat!("curl https://static.crates", ".io/x")),
        good: ("check", "cargo fetch"),
    },
];

/// How many times a rule finds a file wrong.
fn found(rule: &str, (path, text): (&str, &str)) -> usize {
    let rule = RULES.iter().find(|row| row.name == rule).unwrap_or_else(|| panic!("no rule is called {rule}"));
    (rule.check)(&Source::new(path, text)).len()
}

#[test]
fn each_rule_catches_the_bad_and_passes_the_good() {
    for bite in BITES {
        assert_ne!(found(bite.rule, bite.bad), 0, "{} does not see {:?}", bite.rule, bite.bad);
        assert_eq!(found(bite.rule, bite.good), 0, "{} is wrong about {:?}", bite.rule, bite.good);
    }
}

#[test]
fn a_file_may_be_long_for_its_tests_only() {
    let long = "//! Long.\n".repeat(601);
    let tests = format!("//! Short.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "    fn a() {}\n".repeat(601));
    assert_eq!(found("file-length", (LINK, &long)), 1);
    assert_eq!(found("file-length", (LINK, &tests)), 0);
}

#[test]
fn every_rule_is_shown_to_bite() {
    for rule in RULES {
        let shown = rule.name == "file-length" || BITES.iter().any(|bite| bite.rule == rule.name);
        assert!(shown, "{} has no row in BITES", rule.name);
    }
}
