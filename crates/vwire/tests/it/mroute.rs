//! Multicast routes: `ip mroute` and `ip monitor mroute`, with a daemon of a few lines that makes some.

use std::io::Write as _;
use std::process::Stdio;

use crate::lab::{Lab, Normal, Running, Who, assert_alike, lab};
use crate::monitor::{told, watching};
use crate::recorded::Recorded;

/// The devices, by the numbers that the daemon gives them: v0, w0, v1.
const DEVICES: &[&str] = &[
    "link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02",
    "link add w0 address 02:00:00:00:00:03 type veth peer name w1 address 02:00:00:00:00:04",
    "link set v0 up",
    "link set v1 up",
    "link set w0 up",
    "link set w1 up",
];

/// Makes routes as it is told on standard input: `add SOURCE GROUP IN OUT:TTL,...` and `del SOURCE GROUP`.
///
/// The numbers are those of `linux/mroute.h` and `linux/mroute6.h`.
const DAEMON: &str = r#"
import socket, struct, sys
INIT, ADD_DEVICE, ADD, DELETE = 200, 202, 204, 205
devices = [socket.if_nametoindex(name) for name in ("v0", "w0", "v1")]
four = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
four.setsockopt(socket.IPPROTO_IP, INIT, 1)
six.setsockopt(socket.IPPROTO_IPV6, INIT, 1)
for number, index in enumerate(devices):
    four.setsockopt(socket.IPPROTO_IP, ADD_DEVICE, struct.pack("HBBIi4x", number, 8, 1, 0, index))
    six.setsockopt(socket.IPPROTO_IPV6, ADD_DEVICE, struct.pack("HBBHxxI", number, 0, 1, index, 0))
print("ready", flush=True)
for line in sys.stdin:
    verb, source, group, *links = line.split()
    outs = [[int(part) for part in out.split(":")] for out in links[1].split(",")] if links else []
    parent = int(links[0]) if links else 0
    if ":" in source:
        end = lambda text: struct.pack("HHI16sI", socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, text), 0)
        chosen = sum(1 << number for number, _ in outs)
        wanted = end(source) + end(group) + struct.pack("Hxx8I", parent, chosen, *[0] * 7)
        six.setsockopt(socket.IPPROTO_IPV6, ADD if verb == "add" else DELETE, wanted)
    else:
        ttls = bytearray(32)
        for number, ttl in outs:
            ttls[number] = ttl
        ends = socket.inet_aton(source), socket.inet_aton(group)
        wanted = struct.pack("4s4sH32s2xIIIi", *ends, parent, bytes(ttls), 0, 0, 0, 0)
        four.setsockopt(socket.IPPROTO_IP, ADD if verb == "add" else DELETE, wanted)
    print("done", flush=True)
"#;

/// How routes are shown.
const OPTIONS: [&str; 14] =
    ["", "-4", "-6", "-j", "-j -p", "-6 -j", "-d", "-d -6", "-o", "-N", "-c", "-c -6", "-s", "-s -6 -j"];

/// A daemon that makes multicast routes; they go with it.
struct Daemon(Running);

impl Daemon {
    fn start(net: &Lab) -> Self {
        let mut command = net.command("python3", &["-c", DAEMON]);
        command.stdin(Stdio::piped());
        let mut running = net.start(command);
        assert_eq!(running.line(), "ready");
        Self(running)
    }

    #[track_caller]
    fn tell(&mut self, lines: &[&str]) {
        for line in lines {
            writeln!(self.0.child.stdin.as_mut().unwrap(), "{line}").unwrap();
            assert_eq!(self.0.line(), "done", "{line}");
        }
    }
}

/// Puts `…` in the place of how long a route was not used, which goes on.
fn without_age(text: &str) -> String {
    let mut still = String::new();
    let mut rest = text;
    while let Some(at) = ["Age ", "\"expires\":"].iter().filter_map(|word| Some(rest.find(word)? + word.len())).min() {
        still += &rest[..at];
        still.push('…');
        rest = rest[at..].trim_start_matches(|letter: char| letter.is_ascii_digit() || [' ', '.'].contains(&letter));
    }
    still + rest
}

#[test]
fn multicast_routes_are_shown_as_ip_shows_them() {
    lab(|net| {
        net.arrange(DEVICES);
        let mut daemon = Daemon::start(net);
        daemon.tell(&[
            "add 10.0.0.1 239.1.1.1 0 1:1,2:9",
            "add 10.0.0.2 239.1.1.2 1 0:1",
            "add 10.7.0.1 239.2.0.1 2 0:1",
            "add 2001:db8::1 ff05::1 0 1:1,2:1",
            "add 2001:db8::2 ff05::2 1 0:1",
        ]);
        // 6.1 takes no prefix here.
        let recorded = Recorded::of("multicast_routes_are_shown_as_ip_shows_them");
        let plain = ["", "show table all", "show table main", "show iif v0", "show iif w0 table all"];
        let prefixes = [
            "show 239.1.1.1",
            "show 239.1.0.0/16",
            "show from 10.7.0.0/16",
            "show to 239.0.0.0/8 from 10.0.0.2",
            "show ff05::1",
            "show any",
        ];
        for options in OPTIONS {
            for words in plain.iter().chain(&prefixes) {
                let line = format!("{options} mroute {words}");
                let split: Vec<&str> = line.split_whitespace().collect();
                let said = |said| format!("$ ip {line}\n{}", without_age(&Normal::new(&line).said(&said)));
                let ours = net.vwire_as_ip(&split);
                match prefixes.contains(words) {
                    true => recorded.hold(&said(ours), || Some(said(net.ip(&split)))),
                    false => assert_alike(&said(ours.spelled_for_the_judge()), &said(net.ip(&split))),
                }
            }
        }
        let all = net.vwire(&["-s", "mroute"]).ok();
        assert!(
            all.contains("(10.0.0.1,239.1.1.1)             Iif: v0         Oifs: w0 v1(ttl 9)  State: resolved"),
            "{all}"
        );
        assert_eq!(all.matches("\n  0 packets, 0 bytes, Age ").count(), 3, "{all}");
        assert_eq!(net.vwire(&["-6", "-j", "mroute"]).ok().matches("\"src\":").count(), 2);
    });
}

/// What a monitor is told of; the second route of a pair takes the first one's place.
const CHANGES: &[&str] = &[
    "add 10.0.0.1 239.1.1.1 0 1:1,2:9",
    "add 10.0.0.1 239.1.1.1 0 2:1",
    "add 2001:db8::1 ff05::1 0 1:1,2:1",
    "add 0.0.0.0 239.1.1.3 1 0:1",
    "del 10.0.0.1 239.1.1.1",
    "del 2001:db8::1 ff05::1",
];

#[test]
fn changes_of_multicast_routes_are_told_as_ip_tells_them() {
    for words in [
        &["monitor", "link", "mroute"][..],
        &["-o", "monitor", "label", "link", "mr"],
        &["-6", "-s", "monitor", "link", "mroute"],
        &["-4", "-d", "-s", "-o", "monitor", "link", "mroute"],
    ] {
        lab(|net| {
            net.arrange(DEVICES);
            let mut running = [Who::VwireAsIp, Who::Ip].map(|who| watching(net, who, words, None));
            let mut daemon = Daemon::start(net);
            let texts = told(net, &mut running, || daemon.tell(CHANGES));
            assert!(texts[1].contains("Iif: v0") && texts[1].contains("Deleted ("), "{}", texts[1]);
            assert_alike(&texts[0], &texts[1]);
        });
    }
}

#[test]
fn multicast_routes_are_objects_on_lines_and_part_of_what_is_there() {
    lab(|net| {
        net.arrange(DEVICES);
        let mut daemon = Daemon::start(net);
        daemon.tell(&["add 10.0.0.7 239.1.1.7 0 1:1", "add 2001:db8::7 ff05::7 0 1:1"]);
        let words = ["-j", "monitor", "mroute", "--snapshot"];
        let mut running = net.start(net.command_of(Who::Vwire, &words));
        let lines = [running.line(), running.line()];
        for (line, group) in lines.iter().zip(["239.1.1.7", "ff05::7"]) {
            let wanted = format!("\"dst\":\"{group}\",\"iif\":\"v0\",\"multipath\":[{{\"oif\":\"w0\"}}]");
            assert!(line.starts_with("{\"event\":\"new\",\"object\":\"mroute\",") && line.contains(&wanted), "{line}");
        }
        daemon.tell(&["del 10.0.0.7 239.1.1.7"]);
        let line = running.line();
        assert!(line.starts_with("{\"event\":\"del\",\"object\":\"mroute\",") && line.contains("239.1.1.7"), "{line}");
    });
}
