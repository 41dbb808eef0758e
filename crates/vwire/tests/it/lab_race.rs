//! Labs that several processes change at once, that are killed at any moment, and of which one wire is changed.

use std::process::Child;
use std::time::Duration;

use crate::lab::{Lab, Who, lab, until};
use crate::lab_fault::settled as quiet;
use crate::lab_random::Dice;
use crate::lab_state::{becomes, settled};
use crate::lab_up::file;

/// How many rounds are tried.
const ROUNDS: u64 = 10;

/// A lab with a part of the machine itself.
fn with_host(name: &str, number: u8) -> String {
    format!(
        "name = \"{name}\"\nnodes = [\"a\", \"b\"]\nwires = [\"a 10.{number}.0.1/24 -- lan\", \"b 10.{number}.0.2/24 -- lan\", \
         \"host:vw{name} 10.{number}.1.1/24 -- a:up 10.{number}.1.2/24\"]\n[node.host]\n\
         routes = [\"10.{number}.0.0/24 via 10.{number}.1.2\"]\nfilter = [\"drop input in vw{name} udp 9\"]\n"
    )
}

fn start(net: &Lab, words: &[&str]) -> Child {
    let mut command = net.command_of(Who::Vwire, words);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
}

/// Waits a moment: by how much runs overlap is what is tried.
fn moment(dice: &Dice, key: &str, longest_ms: u64) {
    std::thread::park_timeout(Duration::from_millis(dice.pick(key, longest_ms)));
}

#[test]
fn labs_that_are_changed_at_once_end_as_one_of_the_changes_says() {
    lab(|net| {
        quiet();
        let before = settled(net, "");
        let paths = [file("one.toml", &with_host("one", 41)), file("two.toml", &with_host("two", 42))];
        for round in 0..ROUNDS {
            let dice = Dice::new(round);
            let mut children = Vec::new();
            for at in 0..6 {
                let which = usize::try_from(dice.pick(&format!("{at} which"), 2)).unwrap();
                let verb = ["up", "up", "down"][usize::try_from(dice.pick(&format!("{at} what"), 3)).unwrap()];
                children.push(start(net, &[verb, &paths[which]]));
                moment(&dice, &format!("{at} when"), 60);
            }
            for mut child in children {
                assert!(child.wait().unwrap().success(), "round {round}");
            }
            for (name, path) in ["one", "two"].into_iter().zip(&paths) {
                if std::path::Path::new("/run/vwire/labs").join(name).exists() {
                    net.vwire(&["status", name]).ok();
                    assert_eq!(net.vwire(&["plan", path]).ok(), "", "round {round}");
                }
                net.vwire(&["down", path]).ok();
            }
            becomes(net, "", &before).unwrap_or_else(|told| panic!("round {round}: {told}"));
            assert!(!std::path::Path::new("/run/vwire").exists(), "round {round}");
        }
    });
}

#[test]
fn a_lab_that_is_killed_at_any_moment_goes_or_comes() {
    lab(|net| {
        quiet();
        let before = settled(net, "");
        // One that is called as its file.
        let text = with_host("k", 43).replace("name = \"k\"\n", "");
        let path = file("k.toml", &text);
        for round in 0..ROUNDS {
            let dice = Dice::new(round + 100);
            let mut child = start(net, &["up", &path]);
            moment(&dice, "when", 120);
            let _ = child.kill();
            child.wait().unwrap();
            if round % 2 == 0 {
                net.vwire(&["up", &path]).ok();
                net.vwire(&["status", "k"]).ok();
            }
            net.vwire(&["down", if round % 3 == 0 { "k" } else { &path }]).ok();
            becomes(net, "", &before).unwrap_or_else(|told| panic!("round {round}: {told}"));
            assert!(!std::path::Path::new("/run/vwire").exists(), "round {round}");
        }
    });
}

#[test]
fn a_change_of_one_wire_touches_that_wire_alone() {
    lab(|net| {
        quiet();
        let text = "name = \"w\"\nnodes = [\"a\", \"b\", \"c\"]\n\
            wires = [\"a 10.0.0.1/24 -- lan\", \"b 10.0.0.2/24 -- lan\", \"c 10.0.0.3/24 -- lan\", \"a:x 10.1.0.1/24 -- c:x 10.1.0.3/24\"]\n\
            [bridge.lan]\n";
        let path = file("w.toml", text);
        net.vwire(&["up", &path]).ok();
        let inside = |node: &str, script: &str| net.vwire(&["exec", "-l", "w", node, "--", "sh", "-c", script]);
        inside("a", "ping -c1 -W2 -q 10.0.0.2").ok();
        let server = "import socket; s = socket.create_server(('10.0.0.2', 7000)); c = s.accept()[0]; print('in', flush=True)\n\
            while (d := c.recv(99)): c.sendall(d)";
        let client = "import socket, sys; s = socket.create_connection(('10.0.0.2', 7000)); print('on', flush=True)\n\
            for line in sys.stdin: s.sendall(b'x'); print(s.recv(9), flush=True)";
        let exec = |node: &str, code: &str| {
            let mut command = net.command_of(Who::Vwire, &["exec", "-l", "w", node, "--", "python3", "-c", code]);
            command.stdin(std::process::Stdio::piped());
            net.start(command)
        };
        let _server = exec("b", server);
        until("the server listens", || inside("b", "ss -Hltn sport = :7000").stdout.contains("7000").then_some(()));
        let mut talk = exec("a", client);
        assert_eq!(talk.line(), "on");
        let facts = || {
            let index = net.ip(&["-n", "w.a", "-o", "link", "show", "eth0"]).ok();
            let sockets = inside("a", "ss -Htn state established").ok();
            let neighbour = net.ip(&["-n", "w.a", "neigh", "show", "10.0.0.2"]).ok();
            let packets = inside("a", "cat /sys/class/net/eth0/statistics/tx_packets").ok();
            (
                index,
                sockets,
                neighbour.split(" REACHABLE").next().unwrap().to_owned(),
                packets.trim().parse::<u64>().unwrap(),
            )
        };
        let was = facts();
        assert!(was.2.contains("lladdr") && was.1.contains(":7000"), "{was:?}");
        // Another MTU and address, then the wire away, then one more.
        for (from, to) in [
            ("c:x 10.1.0.3/24", "c:x 10.1.0.4/24 mtu 1400"),
            (", \"a:x 10.1.0.1/24 -- c:x 10.1.0.4/24 mtu 1400\"", ""),
            (
                "\"c 10.0.0.3/24 -- lan\"",
                "\"c 10.0.0.3/24 -- lan\", \"c:y 10.2.0.3/24 -- a:y 10.2.0.1/24 -> rate 5mbit\"",
            ),
        ] {
            let text = std::fs::read_to_string(&path).unwrap();
            let other = text.replace(from, to);
            assert!(other != text, "{from}");
            std::fs::write(&path, other).unwrap();
            net.vwire(&["up", &path]).ok();
            let now = facts();
            assert_eq!((&now.0, &now.1, &now.2), (&was.0, &was.1, &was.2));
            assert!(now.3 >= was.3, "the counters began anew");
            let stdin = talk.child.stdin.as_mut().unwrap();
            std::io::Write::write_all(stdin, b"go\n").unwrap();
            assert_eq!(talk.line(), "b'x'");
        }
    });
}

#[test]
fn a_sysctl_of_the_machine_that_several_labs_set_is_as_before_when_the_last_is_gone() {
    lab(|net| {
        quiet();
        let name = "/proc/sys/net/ipv4/conf/all/log_martians";
        let read = || std::fs::read_to_string(name).unwrap().trim().to_owned();
        let text = |name: &str| {
            format!(
                "name = \"{name}\"\nnodes = [\"a\"]\n[node.host]\nsysctl = {{ net.ipv4.conf.all.log_martians = 1 }}\n"
            )
        };
        let paths = ["one", "two"].map(|name| file(&format!("{name}.toml"), &text(name)));
        for last in [0, 1] {
            assert_eq!(read(), "0");
            paths.iter().for_each(|path| drop(net.vwire(&["up", path]).ok()));
            net.vwire(&["down", &paths[1 - last]]).ok();
            assert_eq!(read(), "1");
            net.vwire(&["status", ["one", "two"][last]]).ok();
            net.vwire(&["down", &paths[last]]).ok();
        }
        // One that says it no more lets the other have it.
        paths.iter().for_each(|path| drop(net.vwire(&["up", path]).ok()));
        let without = file("one.toml", text("one").split("[node.host]").next().unwrap());
        net.vwire(&["up", &without]).ok();
        assert_eq!(read(), "1");
        net.vwire(&["down", "one"]).ok();
        net.vwire(&["down", "two"]).ok();
        assert_eq!(read(), "0");
    });
}
