//! A lab brought up on a kernel that refuses, and by a process that is killed, at one call after another.
//!
//! `strace` refuses the calls. Whatever was done by then must be undone: at once after a refusal, by the next `down` or
//! `up` after a death.

use crate::lab::{Lab, Said, lab, until};
use crate::lab_up::{assert_same, file, machine};

/// A lab with a bridge, a router that translates, both families, a part of the machine itself, and rules.
pub(crate) const RICH: &str = r#"
name = "rich"
nodes = ["a", "b", "r"]
wires = [
  "a 10.0.0.2/24 -- lan",
  "r:in 10.0.0.1/24 -- lan",
  "r:out 10.1.0.1/24 fd00:1::1/64 -- b:eth0 10.1.0.2/24 fd00:1::2/64 mtu 1400",
  "host:vwx0 10.77.0.1/24 -- b:up 10.77.0.2/24",
]
[node.r]
forwarding = true
nat = ["masquerade out out"]
[node.a]
routes = ["default via 10.0.0.1"]
[node.b]
routes = ["10.0.0.0/24 via 10.1.0.1", "blackhole 9.9.9.0/24"]
rules = ["from 10.77.0.0/24 table 100"]
[bridge.lan.tap.tap0]
"#;

/// Lets new devices of the machine itself make up no address, which would take a second to settle.
pub(crate) fn settled() {
    std::fs::write("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1").unwrap();
}

/// Runs `vwire up` with `strace` doing something at the so-manieth call.
pub(crate) fn up_with(net: &Lab, path: &str, call: &str, what: &str, number: usize) -> Said {
    let inject = format!("inject={call}:{what}:when={number}");
    let trace = format!("trace={call}");
    let words = ["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject, env!("CARGO_BIN_EXE_vwire"), "up", path];
    net.run(net.command("strace", &words))
}

/// Returns how often a call is made when nothing is in the way.
pub(crate) fn calls(net: &Lab, path: &str, call: &str) -> usize {
    let trace = format!("trace={call}");
    let words = ["-f", "-qq", "-o", "/run/calls", "-e", &trace, env!("CARGO_BIN_EXE_vwire"), "up", path];
    net.run(net.command("strace", &words)).ok();
    net.vwire(&["down", path]).ok();
    std::fs::read_to_string("/run/calls").unwrap().lines().filter(|line| line.contains(&format!("{call}("))).count()
}

/// So many numbers from 1 to the last, both among them.
pub(crate) fn spread(last: usize, many: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..many).map(|step| 1 + step * last.saturating_sub(1) / (many - 1).max(1)).collect();
    numbers.dedup();
    numbers
}

#[test]
fn a_refusal_at_any_call_leaves_the_machine_as_it_was() {
    lab(|net| {
        settled();
        let before = machine(net);
        let path = file("rich.toml", RICH);
        for (call, many) in [("sendto", 24), ("unshare", 5), ("mount", 5), ("renameat", 1), ("rename", 4)] {
            for number in spread(calls(net, &path, call), many) {
                let said = up_with(net, &path, call, "error=EIO", number);
                if said.exit == 0 {
                    // Some calls only ask for what may be missing.
                    net.vwire(&["down", &path]).ok();
                } else {
                    assert!(said.stderr.contains("nothing was changed"), "{call} {number}: {}", said.stderr);
                }
                assert_same(&machine(net), &before);
            }
        }
    });
}

#[test]
fn after_a_death_at_any_call_down_leaves_the_machine_as_it_was() {
    lab(|net| {
        settled();
        let before = machine(net);
        let path = file("rich.toml", RICH);
        for (call, many) in [("sendto", 16), ("mount", 4), ("rename", 4)] {
            for number in spread(calls(net, &path, call), many) {
                up_with(net, &path, call, "signal=KILL", number);
                net.vwire(&["down", &path]).ok();
                assert_same(&machine(net), &before);
            }
        }
    });
}

#[test]
fn after_a_death_at_any_call_up_ends_right() {
    lab(|net| {
        settled();
        let before = machine(net);
        let path = file("rich.toml", RICH);
        for (call, many) in [("sendto", 16), ("mount", 4), ("rename", 4)] {
            for number in spread(calls(net, &path, call), many) {
                up_with(net, &path, call, "signal=KILL", number);
                net.vwire(&["up", &path]).ok();
                net.vwire(&["status", "rich"]).ok();
                net.vwire(&["down", &path]).ok();
                assert_same(&machine(net), &before);
            }
        }
    });
}

#[test]
fn a_change_that_is_refused_leaves_the_lab_as_it_was() {
    lab(|net| {
        settled();
        let path = file("rich.toml", RICH);
        net.vwire(&["up", &path]).ok();
        until("the TAP says that nobody holds it", || machine(net).contains("tap0: <NO-CARRIER").then_some(()));
        let before = machine(net);
        let changed = RICH
            .replace("nodes = [\"a\", \"b\", \"r\"]", "nodes = [\"a\", \"b\", \"c\", \"r\"]")
            .replace("  \"r:in 10.0.0.1/24 -- lan\",", "  \"r:in 10.0.0.9/24 -- lan\",\n  \"c 10.0.0.7/24 -- lan\",")
            .replace("default via 10.0.0.1", "default via 10.0.0.9")
            .replace("host:vwx0 10.77.0.1/24", "host:vwx0 10.77.0.9/24");
        let path = file("rich2.toml", &changed);
        for number in [5, 25, 40, 50, 55, 60, 65, 70, 75, 80] {
            let said = up_with(net, &path, "sendto", "error=EIO", number);
            if said.exit == 0 {
                break;
            }
            assert!(said.stderr.contains("nothing was changed"), "{number}: {}", said.stderr);
            assert_same(&machine(net), &before);
        }
    });
}
