//! Every place of an `up` at which the kernel may refuse, or the process be killed, on a lab that has each feature.
//!
//! `strace` refuses the calls, and kills at them. A place is the so-manieth call of its sort in one thread. The normal run
//! tries a sample, the same each time; `VWIRE_ALL_FAULTS=1` tries every place (some minutes), `VWIRE_FAULT=sendto:17` one.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::lab::{Lab, Said, in_lab, lab};
use crate::lab_fault::settled as quiet;
use crate::lab_state::{becomes, settled};
use crate::lab_up::file;

/// Whatever a kernel without netem, dummies, VLANs has in.
const FULL: &str = r#"
name = "full"
nodes = ["a", "b", "r", "tun-host", "c"]
wires = [
  "a 10.0.0.2/24 fd00::2/64 -- lan",
  "b:a-device-with-a-long-name 10.0.0.3/24 mac 02:00:00:00:00:03 -- lan mtu 1400",
  "r:in 10.0.0.1/24 fd00::1/64 -- lan -> rate 10mbit <- rate 5mbit",
  "r:out 10.1.0.1/24 fd00:1::1/64 -- b:eth0 10.1.0.2/24 fd00:1::2/64",
  "host:vwf0 10.77.0.1/24 -- b:up 10.77.0.2/24",
  "pc -- hlan",
]
[template.quiet]
sysctl = { net.ipv4.conf.all.rp_filter = 2 }
[node.pc]
count = 2
use = "quiet"
[node.host]
routes = ["198.51.100.0/24 via 10.77.0.2", "blackhole 203.0.113.0/24"]
rules = ["from 10.77.0.0/24 table 100 priority 1500"]
filter = ["drop input in vwf0 udp 9"]
neighbours = ["10.77.0.9 mac 02:00:00:00:00:09 dev vwf0"]
sysctl = { net.ipv4.conf.all.log_martians = 1 }
[node.host.tap.vwftap]
owner = "nobody"
[bridge.hlan]
node = "host"
device = "vwfbr"
prefix = "10.78.0.0/24"
[node.r]
forwarding = true
nat = ["masquerade out out", "forward tcp 8080 to 10.0.0.2:80 in out"]
filter = ["accept forward established", "drop forward from 10.9.0.0/16", "reject input in out tcp 22"]
sysctl = { net.ipv4.conf.out.log_martians = 1 }
lo = "192.0.2.200/32"
[node.a]
routes = ["default via 10.0.0.1", "::/0 via fd00::1", "10.5.0.0/16 nexthop via 10.0.0.1 nexthop via 10.0.0.3 weight 2", "10.6.0.0/16 via 10.0.0.1 metric 7 table 200 mtu 1300"]
rules = ["from 10.3.0.0/16 table 200", "fwmark 0x1/0xff table 200", "ipv6 to fd00:9::/64 table 200"]
neighbours = ["10.0.0.77 mac 02:00:00:00:00:77 dev eth0", "fd00::77 mac 02:00:00:00:00:77 dev eth0"]
run = ["true", { command = ["sleep", "1000"], background = true, ready = ["true"] }]
[node.a.macvlan.mv0]
parent = "eth0"
mode = "private"
address = "10.9.9.9/24"
[node.a.macvtap.mt0]
parent = "eth0"
[node.c.macvlan.mv1]
parent = "r:out"
address = "10.1.0.7/24"
[node.pc1.macvlan.mv2]
parent = "host:vwfbr"
[node.b.vxlan.vx0]
vni = 42
local = "10.1.0.2"
remote = ["10.1.0.1", "10.1.0.9"]
address = "10.42.0.1/24"
[node.tun-host.tun.tun0]
owner = "nobody"
address = "10.201.0.1 peer 10.201.0.2"
[bridge.lan]
address = "10.0.0.254/24"
stp = false
[bridge.lan.tap.tap0]
owner = "nobody"
group = "nogroup"
multi-queue = true
vnet-hdr = true
[bridge.lan.vxlan.vx1]
vni = 43
remote = "192.0.2.9"
"#;

/// The calls that change something, or without which nothing is changed.
const CALLS: [&str; 14] = [
    "sendto",
    "sendmsg",
    "openat",
    "write",
    "ioctl",
    "mount",
    "unshare",
    "setns",
    "socket",
    "rename",
    "mkdir",
    "unlink",
    "fdatasync",
    "clone3",
];
/// One of so many places is tried in the normal run.
const SAMPLE: usize = 60;

/// The files whose opening counts: what a program opens to start is not vwire's doing.
fn is_own(path: &str) -> bool {
    ["/proc/sys/net", "/run/", "/dev/net", "/proc/self/fd", "/proc/thread-self/ns"]
        .iter()
        .any(|head| path.starts_with(head))
}

/// What happens at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Error,
    Death,
}

/// A place: the so-manieth call of a sort in one thread, of a file where it opens one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    call: String,
    path: Option<String>,
    number: usize,
}

/// Runs `vwire up` with `strace` doing something at a place.
fn up_with(net: &Lab, path: &str, spot: &Spot, fault: Fault) -> Said {
    let what = if fault == Fault::Error { "error=EIO" } else { "signal=KILL" };
    let (call, number) = (&spot.call, spot.number);
    let (inject, trace) = (format!("inject={call}:{what}:when={number}"), format!("trace={call}"));
    // Programs of the lab are let go: some go on for long.
    let mut words = vec!["-f", "-qq", "-b", "execve", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    if let Some(path) = &spot.path {
        words.extend(["-P", path]);
    }
    words.extend([env!("CARGO_BIN_EXE_vwire"), "up", path]);
    let mut command = net.command("strace", &words);
    command.env(OWN, own());
    net.run(command)
}

/// The name in the environment of what a place has started, which programs of labs have from vwire.
const OWN: &str = "VWIRE_TEST_PLACE";

/// Returns what is this place's own: each has a thread.
fn own() -> String {
    format!("{}-{:?}", std::process::id(), std::thread::current().id())
}

/// Returns the processes that this place has started, and that are there still.
fn running() -> Vec<String> {
    let row = format!("{OWN}={}", own());
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let is_own = |path: &std::path::Path| {
        let environment = std::fs::read(path.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == row.as_bytes())
    };
    let found = entries.filter(|entry| is_own(&entry.path()));
    found.map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default()).collect()
}

/// Returns the places of an `up`, found out by one in whose way nothing is.
fn spots(net: &Lab, path: &str) -> Vec<Spot> {
    let trace = format!("trace={}", CALLS.join(","));
    let words =
        ["-f", "-qq", "-b", "execve", "-o", "/run/calls", "-e", &trace, env!("CARGO_BIN_EXE_vwire"), "up", path];
    net.run(net.command("strace", &words)).ok();
    let text = std::fs::read_to_string("/run/calls").unwrap();
    let mut counts: BTreeMap<(String, Option<String>), BTreeMap<&str, usize>> = BTreeMap::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(char::is_whitespace) else { continue };
        let Some((call, arguments)) = rest.trim_start().split_once('(') else { continue };
        if !CALLS.contains(&call) {
            continue;
        }
        let path = (call == "openat").then(|| arguments.split('"').nth(1).unwrap_or_default().to_owned());
        if path.as_deref().is_none_or(is_own) {
            *counts.entry((call.to_owned(), path)).or_default().entry(thread).or_default() += 1;
        }
    }
    let mut spots = Vec::new();
    for ((call, path), threads) in counts {
        let last = threads.into_values().max().unwrap_or_default();
        spots.extend((1..=last).map(|number| Spot { call: call.clone(), path: path.clone(), number }));
    }
    spots
}

/// Returns the places that are tried: all, one, or a sample that begins where `first` says.
fn tried(all: Vec<Spot>, first: usize) -> Vec<Spot> {
    if let Ok(one) = std::env::var("VWIRE_FAULT") {
        let is_it = |spot: &Spot| one == format!("{}:{}", spot.call, spot.number) || spot.path.as_ref() == Some(&one);
        return all.into_iter().filter(is_it).collect();
    }
    let step = if std::env::var_os("VWIRE_ALL_FAULTS").is_some() { 1 } else { SAMPLE };
    all.into_iter().skip(first % step).step_by(step).collect()
}

/// Tries places, each in a lab of its own, two at a time, and wants that each of them holds.
fn each(what: &str, spots: Vec<Spot>, body: impl Fn(&Lab, &Spot) -> Result<(), String> + Sync) {
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(spot) = spots.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = in_lab(|net| {
                        quiet();
                        body(net, spot)
                    });
                    if let Some(Err(told)) = result {
                        failures.lock().unwrap().push(format!("{spot:?}: {told}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    if std::env::var_os("VWIRE_ALL_FAULTS").is_some() {
        println!("{what}: {} places", spots.len());
    }
    assert!(failures.is_empty(), "{what}: {} of {} places\n{}", failures.len(), spots.len(), failures.join("\n"));
}

fn good(said: Said, what: &str) -> Result<(), String> {
    if said.exit == 0 { Ok(()) } else { Err(format!("{what}: exit {}: {}{}", said.exit, said.stdout, said.stderr)) }
}

/// Wants that nothing of a lab is left.
fn is_gone(net: &Lab, before: &BTreeMap<String, String>) -> Result<(), String> {
    becomes(net, "", before)?;
    let running = running();
    if !running.is_empty() {
        return Err(format!("there still runs {running:?}"));
    }
    match std::path::Path::new("/run/vwire").exists() {
        true => Err("/run/vwire is still there".to_owned()),
        false => Ok(()),
    }
}

/// Returns an empty machine's state, and the places of an `up` there.
fn begin(text: &str) -> Option<(BTreeMap<String, String>, Vec<Spot>)> {
    in_lab(|net| {
        quiet();
        let before = settled(net, "");
        let spots = spots(net, &file("full.toml", text));
        net.vwire(&["down", "full"]).ok();
        (before, spots)
    })
}

#[test]
fn a_refusal_at_any_place_leaves_nothing() {
    let Some((before, spots)) = begin(FULL) else { return };
    each("refused", tried(spots, 0), |net, spot| {
        let path = file("full.toml", FULL);
        let said = up_with(net, &path, spot, Fault::Error);
        if said.exit == 0 {
            // What is only asked for may be missing; then all is there.
            good(net.vwire(&["status", "full"]), "status")?;
            good(net.vwire(&["down", &path]), "down")?;
        } else if said.stderr.contains("not all could be undone") {
            // The call is refused in each thread once, and so in those that undo.
            good(net.vwire(&["down", &path]), "down")?;
        } else if said.exit == 101 || spot.call == "sendto" && !said.stderr.contains("nothing was changed") {
            return Err(said.stderr);
        }
        is_gone(net, &before)
    });
}

#[test]
fn after_a_death_at_any_place_down_leaves_nothing() {
    let Some((before, spots)) = begin(FULL) else { return };
    each("killed, then down", tried(spots, 8), |net, spot| {
        let path = file("full.toml", FULL);
        up_with(net, &path, spot, Fault::Death);
        good(net.vwire(&["down", &path]), "down")?;
        is_gone(net, &before)
    });
}

#[test]
fn after_a_death_at_any_place_up_ends_right() {
    let Some((before, spots)) = begin(FULL) else { return };
    each("killed, then up", tried(spots, 16), |net, spot| {
        let path = file("full.toml", FULL);
        up_with(net, &path, spot, Fault::Death);
        good(net.vwire(&["up", &path]), "up")?;
        good(net.vwire(&["status", "full"]), "status")?;
        good(net.vwire(&["down", "full"]), "down")?;
        is_gone(net, &before)
    });
}

/// The lab as another one: a node, a wire and a tunnel gone, others there, others changed, on the machine itself, too.
fn changed() -> String {
    FULL.replace("\"tun-host\", \"c\"]", "\"c\"]")
        .replace("parent = \"r:out\"", "parent = \"r:in\"")
        .replace(
            "  \"host:vwf0 10.77.0.1/24 -- b:up 10.77.0.2/24\",",
            "  \"host:vwf0 10.77.0.5/24 -- c:up 10.77.0.2/24\",",
        )
        .replace("[node.tun-host.tun.tun0]", "[node.c.tun.tun0]")
        .replace("a 10.0.0.2/24 fd00::2/64 -- lan", "a 10.0.0.2/24 fd00::2/64 -- lan mtu 1300")
        .replace("count = 2", "count = 1")
        .replace("rate 10mbit", "rate 3mbit")
        .replace("vni = 43", "vni = 44")
        .replace("default via 10.0.0.1", "default via 10.0.0.3")
        .replace("drop forward from 10.9.0.0/16", "drop forward from 10.8.0.0/16")
        .replace("owner = \"nobody\"\n[bridge", "owner = \"root\"\n[bridge")
}

#[test]
fn a_change_that_is_refused_at_any_place_leaves_the_lab_as_it_was() {
    let other = changed();
    let found = in_lab(|net| {
        quiet();
        net.vwire(&["up", &file("full.toml", FULL)]).ok();
        let before = settled(net, FULL);
        let spots = spots(net, &file("other.toml", &other));
        net.vwire(&["down", "full"]).ok();
        (before, spots)
    });
    let Some((before, spots)) = found else { return };
    each("changed and refused", tried(spots, 4), |net, spot| {
        let path = file("full.toml", FULL);
        net.vwire(&["up", &path]).ok();
        let said = up_with(net, &file("other.toml", &other), spot, Fault::Error);
        if said.exit == 0 {
            good(net.vwire(&["status", "full"]), "status")?;
            return good(net.vwire(&["down", "full"]), "down");
        }
        if !said.stderr.contains("nothing was changed") {
            let was_undone = said.stderr.contains("not all could be undone");
            if spot.call == "sendto" || said.exit == 101 {
                return Err(said.stderr);
            }
            if !was_undone {
                // All is as the new file says, but for namespaces that are to go, and go with the next run.
                good(net.vwire(&["up", "/run/other.toml"]), "up once more")?;
                good(net.vwire(&["status", "full"]), "status of the new")?;
                return good(net.vwire(&["down", "full"]), "down");
            }
            // The call is refused in each thread once, and so in those that undo: the next run does.
            good(net.vwire(&["up", &path]), "up of the old")?;
        }
        good(net.vwire(&["status", "full"]), "status")?;
        becomes(net, FULL, &before)?;
        good(net.vwire(&["down", "full"]), "down")
    });
}

#[test]
fn after_a_death_at_any_place_of_a_change_either_file_ends_right() {
    let other = changed();
    let found = in_lab(|net| {
        quiet();
        let empty = settled(net, "");
        net.vwire(&["up", &file("full.toml", FULL)]).ok();
        let one = settled(net, FULL);
        let spots = spots(net, &file("other.toml", &other));
        net.vwire(&["down", "full"]).ok();
        net.vwire(&["up", &file("other.toml", &other)]).ok();
        let states = [one, settled(net, &other)];
        net.vwire(&["down", "full"]).ok();
        (empty, states, spots)
    });
    let Some((empty, states, spots)) = found else { return };
    each("changed and killed", tried(spots, 12), |net, spot| {
        let paths = [file("full.toml", FULL), file("other.toml", &other)];
        net.vwire(&["up", &paths[0]]).ok();
        up_with(net, &paths[1], spot, Fault::Death);
        let which = spot.number % 2;
        good(net.vwire(&["up", &paths[which]]), "up")?;
        good(net.vwire(&["status", "full"]), "status")?;
        becomes(net, [FULL, &other][which], &states[which])?;
        good(net.vwire(&["down", "full"]), "down")?;
        is_gone(net, &empty)
    });
}

#[test]
fn the_lab_that_is_refused_and_killed_has_each_feature() {
    lab(|net| {
        quiet();
        net.vwire(&["up", &file("full.toml", FULL)]).ok();
        let all: String = settled(net, FULL).into_values().collect();
        for word in [
            "vxlan",
            "macvlan",
            "macvtap",
            "tbf",
            "masquerade",
            "dnat",
            "reject",
            "tap",
            "multi_queue",
            "altnames",
            "blackhole",
            "fwmark",
            "fd00:1::1",
            "PERMANENT",
            "vwfbr",
            "02:00:00:00:00:03",
        ] {
            assert!(all.contains(word), "{word}");
        }
        net.vwire(&["down", "full"]).ok();
    });
}
