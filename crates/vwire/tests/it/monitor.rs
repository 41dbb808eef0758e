//! `vwire monitor`: tells the same as `ip` beside it, as text and as JSON, and loses nothing for good.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{Lab, Running, Who, assert_alike, judge, lab, until};

/// What is changed while both look on.
const CHANGES: &[&str] = &[
    "link add v0 type veth peer name v1",
    "link set v0 up",
    "link set v1 up alias far",
    "link property add dev v0 altname other",
    "link set v1 mtu 1400",
    "address add 10.0.0.1/24 brd + dev v0",
    "address add 10.0.0.2/24 dev v0 valid_lft 1000 preferred_lft 900",
    "address add 192.0.2.1 peer 192.0.2.2/32 dev v0 metric 7",
    "address add 2001:db8::1/64 dev v0 nodad",
    "neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0",
    "neigh replace 10.0.0.9 lladdr 02:00:00:00:00:0a dev v0 nud stale router",
    "neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev v0 proto zebra",
    "route add 10.1.0.0/16 via 10.0.0.9 metric 5",
    "route add 10.2.0.0/16 nexthop via 10.0.0.9 dev v0 nexthop via 10.0.0.8 dev v0 weight 3",
    "route add blackhole 10.3.0.0/16",
    "route replace 10.1.0.0/16 via 10.0.0.8 metric 5 proto static table 77",
    "-6 route add 2001:db8:1::/48 via 2001:db8::9",
    "nexthop add id 7 via 10.0.0.9 dev v0",
    "nexthop add id 8 group 7",
    "route add 10.4.0.0/16 nhid 7",
    "rule add from 10.0.0.0/8 table 77 priority 700",
    "-6 rule add iif v0 lookup main priority 701",
    "rule del priority 700",
    "link add br0 type bridge",
    "link set v1 master br0",
    "link set v1 nomaster",
    "neigh del 10.0.0.9 dev v0",
    "nexthop del id 8",
    "route del 10.1.0.0/16 table 77",
    "address del 10.0.0.1/24 dev v0",
    "link set v0 down",
    "link set v1 down",
    "link set v1 name v2",
    "address add 192.0.2.9/24 dev v2",
    "link set v2 name v1",
    "link del br0",
    "netns add blue",
    "netns set blue 5",
    "link set v1 netns blue",
    "-n blue link set v1 up",
    "link del v0",
];

/// A change that only tells where the others begin or end.
struct Mark<'a> {
    net: &'a Lab,
    name: String,
}

impl Mark<'_> {
    /// Changes something once more; all that watch tell it in a line with the name.
    fn again(&self) {
        let _ = self.net.ip(&["link", "add", &self.name, "type", "bridge"]);
        let _ = self.net.ip(&["link", "del", &self.name]);
    }
}

/// Starts `monitor` and waits until it tells changes.
#[track_caller]
fn watching(net: &Lab, who: Who, words: &[&str], log: Option<&str>) -> Running {
    let mut command = net.command_of(who, words);
    if let Some(log) = log {
        command.stderr(File::create(log).unwrap());
    }
    let mut running = net.start(command);
    let mark = Mark { net, name: "begin".to_owned() };
    until("monitor tells something", || {
        mark.again();
        running.line_if_there().map(|_| ())
    });
    running
}

/// Returns the lines that were told behind the last mark of the beginning, up to the end.
fn told(net: &Lab, running: &mut [Running], change: impl FnOnce()) -> Vec<String> {
    // These stay: what is gone when it is told has no name.
    net.arrange(&["link add last0 type bridge"]);
    for running in running.iter_mut() {
        while !running.line().contains("last0") {}
    }
    change();
    net.arrange(&["link add end0 type bridge"]);
    let mut all = Vec::new();
    for running in running {
        let mut text = String::new();
        loop {
            let line = running.line();
            if line.contains("end0") {
                break;
            }
            text.push_str(&line);
            text.push('\n');
        }
        all.push(text);
    }
    all
}

/// Compares what vwire and `ip` tell of the same changes in one lab.
fn both_tell_the_same(words: &[&str], changes: &[&str]) {
    lab(|net| {
        net.arrange(&["link add keep type bridge", "link set lo up"]);
        let mut running = [Who::VwireAsIp, Who::Ip].map(|who| watching(net, who, words, None));
        let texts = told(net, &mut running, || net.arrange(changes));
        assert!(texts[1].lines().count() > 2, "{}", texts[1]);
        let older = judge().version < (7, 0);
        let ours = if older { crate::compat::older::spell(&texts[0]) } else { texts[0].clone() };
        assert_alike(&ours, &texts[1]);
    });
}

/// Whether the judge is of the release that is followed: others tell less.
fn is_newest() -> bool {
    judge().version >= (7, 0)
}

#[test]
fn all_that_changes_is_told_as_ip_tells_it() {
    if is_newest() {
        both_tell_the_same(&["monitor"], CHANGES);
    }
}

#[test]
fn labels_and_details_are_told_as_ip_tells_them() {
    if is_newest() {
        both_tell_the_same(&["-d", "monitor", "all"], CHANGES);
    }
}

#[test]
fn one_line_is_one_change() {
    both_tell_the_same(&["-o", "monitor", "label", "link", "address", "neigh", "rule"], CHANGES);
}

#[test]
fn other_namespaces_are_told_apart() {
    let changes = [
        "netns add blue",
        "netns set blue 5",
        "link add v0 type veth peer name v1 netns blue",
        "-n blue link set v1 up",
        "-n blue address add 10.0.0.1/24 dev v1",
        "link del v0",
    ];
    both_tell_the_same(&["-o", "monitor", "link", "address", "nsid", "label", "all-nsid"], &changes);
}

#[test]
fn a_device_or_a_family_narrows_what_is_told() {
    let marked = ["link set keep up", "address add 10.0.0.1/24 dev keep", "address add 2001:db8::1/64 dev keep nodad"];
    both_tell_the_same(&["-6", "-o", "monitor", "link", "address", "route", "rule", "neigh"], &marked);
    both_tell_the_same(&["-4", "monitor", "link", "address", "netconf"], &marked);
}

#[test]
fn a_wrong_word_is_told_as_ip_tells_it() {
    lab(|net| {
        for line in [
            "monitor foo",
            "monitor label foo",
            "monitor help",
            "monitor file",
            "monitor file /nosuch",
            "monitor dev",
            "monitor dev nosuch",
            "monitor dev nosuch foo",
            "monitor stat",
            "monitor acadd",
            "mo file /dev/null",
        ] {
            net.same(&line.split(' ').collect::<Vec<_>>());
        }
        let said = net.vwire(&["monitor", "lnk"]).fails(255);
        assert!(said.contains("did you mean `link`?"), "{said}");
    });
}

#[test]
fn a_saved_stream_is_told_as_ip_tells_it() {
    lab(|net| {
        net.arrange(&["link set lo up"]);
        let message = |kind: u16, payload: &[u8]| {
            let length = u32::try_from(16 + payload.len()).unwrap();
            let mut bytes = length.to_ne_bytes().to_vec();
            bytes.extend(kind.to_ne_bytes());
            bytes.extend([0; 10]);
            bytes.extend(payload);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        };
        let stamp = [1_700_000_000_u32.to_ne_bytes(), 42_u32.to_ne_bytes()].concat();
        // ifinfomsg of `lo`, and IFLA_IFNAME.
        let mut link = vec![0_u8; 16];
        link[4..8].copy_from_slice(&1_u32.to_ne_bytes());
        link.extend([7, 0, 3, 0, b'l', b'o', 0, 0]);
        // ifaddrmsg of 10.0.0.1/24 on it, and IFA_LOCAL.
        let mut address = vec![2, 24, 0x80, 0, 1, 0, 0, 0];
        address.extend([8, 0, 2, 0, 10, 0, 0, 1]);
        let whole = [message(15, &stamp), message(16, &link), message(20, &address), message(21, &address)].concat();
        let unknown = [whole.clone(), message(36, &[0; 20])].concat();
        let cut = [whole.clone(), vec![1, 2, 3]].concat();
        let broken = [whole.clone(), vec![3; 16]].concat();
        for (name, bytes) in [("whole", whole), ("unknown", unknown), ("cut", cut), ("broken", broken)] {
            let path = format!("/run/{name}");
            File::create(&path).unwrap().write_all(&bytes).unwrap();
            net.same(&["monitor", "label", "file", &path]);
            net.same(&["-o", "monitor", "file", &path]);
        }
        let said = net.vwire(&["-j", "monitor", "file", "/run/whole"]).ok();
        assert!(said.lines().count() == 3 && said.contains("\"timestamp\":\"2023-11-14T"), "{said}");
    });
}

#[test]
fn times_are_told_in_ips_form() {
    lab(|net| {
        let line = |words: &[&str], begins: &str| {
            let mut running = watching(net, Who::VwireAsIp, words, None);
            until("a time is told", || {
                Mark { net, name: "more".to_owned() }.again();
                running.line_if_there().filter(|line| line.starts_with(begins))
            })
        };
        let short = line(&["-ts", "-o", "monitor", "link"], "[20");
        assert!(short.find("] ") == Some(27) && short.contains("link/ether"), "{short}");
        let long = line(&["-t", "-o", "monitor", "link"], "Timestamp: ");
        assert!(long.ends_with(" usec"), "{long}");
    });
}

#[test]
fn ip_has_no_json_here_and_vwire_an_object_a_line() {
    lab(|net| {
        let mut running = [
            watching(net, Who::VwireAsIp, &["-j", "-o", "monitor", "address", "link"], None),
            watching(net, Who::Vwire, &["-j", "monitor", "address", "link", "neigh"], None),
        ];
        net.arrange(&["link add keep type bridge"]);
        let texts = told(net, &mut running, || net.arrange(&["address add 10.0.0.1/24 dev keep", "link del keep"]));
        assert!(texts[0].contains(": keep    inet 10.0.0.1/24 scope global keep\\"), "{}", texts[0]);
        let lines: Vec<&str> = texts[1].lines().filter(|line| line.contains("\"keep\"")).collect();
        assert!(lines.iter().all(|line| line.starts_with("{\"event\":\"") && line.ends_with('}')), "{lines:?}");
        let address = lines.iter().find(|line| line.contains("\"object\":\"address\"")).unwrap();
        assert!(address.contains("\"local\":\"10.0.0.1\",\"prefixlen\":24"), "{address}");
        assert!(lines.last().unwrap().starts_with("{\"event\":\"del\",\"object\":\"link\",\"timestamp\":\"20"));
    });
}

#[test]
fn a_snapshot_comes_first() {
    lab(|net| {
        net.arrange(&["link add keep type bridge", "address add 10.0.0.1/24 dev keep"]);
        let mut running = net.start(net.command_of(Who::Vwire, &["-o", "monitor", "link", "address", "--snapshot"]));
        assert!(running.line().starts_with("1: lo: <LOOPBACK"));
        assert!(running.line().contains(": keep: <BROADCAST"));
        assert!(running.line().contains(": keep    inet 10.0.0.1/24"));
    });
}

/// Changes what `/run/batch` says while the monitor stands still, so that more comes than it has room for.
fn flood(net: &Lab, running: &Running) {
    let send = |signal| kill(Pid::from_raw(running.child.id().cast_signed()), signal).unwrap();
    send(Signal::SIGSTOP);
    let said = net.ip(&["-batch", "/run/batch"]);
    send(Signal::SIGCONT);
    said.ok();
}

/// Returns a member of a flat JSON object, as it is spelled.
fn member<'a>(line: &'a str, name: &str) -> &'a str {
    let Some((_, rest)) = line.split_once(&format!("\"{name}\":")) else { return "" };
    let end = rest.find([',', '}']).unwrap_or(rest.len());
    &rest[..end]
}

#[test]
fn what_was_lost_is_told_afterwards() {
    const CHANGES: usize = 20_000;
    lab(|net| {
        net.arrange(&["link add keep type bridge", "link set keep up"]);
        let log = "/run/overrun";
        let words = ["-rcvbuf", "4096", "-j", "monitor", "address", "link", "--snapshot"];
        let mut running = watching(net, Who::Vwire, &words, Some(log));
        // Of 200 addresses, each comes and goes, and every third stays at the end.
        let mut batch = String::new();
        for round in 0..CHANGES / 200 {
            for host in 0..200 {
                let verb = if round % 2 == 0 { "add" } else { "del" };
                batch.push_str(&format!("address {verb} 10.0.0.{host}/32 dev keep\n"));
            }
        }
        // The first half comes while it reads, the second while it cannot.
        let half = batch.lines().take(CHANGES / 2).map(str::len).sum::<usize>() + CHANGES / 2;
        std::fs::write("/run/first", &batch[..half]).unwrap();
        net.ip(&["-batch", "/run/first"]).ok();
        batch.drain(..half);
        for host in (0..200).step_by(3) {
            batch.push_str(&format!("address add 10.0.0.{host}/32 dev keep\n"));
        }
        std::fs::write("/run/batch", batch).unwrap();
        flood(net, &running);
        net.arrange(&["address add 10.9.9.9/32 dev keep"]);
        let mut there: BTreeMap<String, bool> = BTreeMap::new();
        loop {
            let line = running.line();
            if member(&line, "object") == "\"address\"" && member(&line, "family") == "\"inet\"" {
                let name = format!("{}/{}", member(&line, "local"), member(&line, "prefixlen"));
                there.insert(name, member(&line, "event") == "\"new\"");
            }
            if there.remove("\"10.9.9.9\"/32").is_some() {
                break;
            }
        }
        let ours: Vec<String> = there.into_iter().filter_map(|(name, there)| there.then_some(name)).collect();
        let mut fresh: Vec<String> = (0..200).step_by(3).map(|host| format!("\"10.0.0.{host}\"/32")).collect();
        fresh.sort();
        let said = std::fs::read_to_string(log).unwrap();
        assert!(said.contains("the kernel has dropped changes"), "{said}");
        assert_eq!(ours, fresh);
        let listed = net.ip(&["-o", "-4", "address", "show", "dev", "keep"]).ok();
        assert_eq!(listed.lines().count(), fresh.len() + 1);
    });
}

#[test]
fn as_ip_what_was_lost_is_only_said() {
    lab(|net| {
        net.arrange(&["link add keep type bridge"]);
        let batch: String = (0..4000).map(|mtu| format!("link set keep mtu {}\n", 1300 + mtu % 2)).collect();
        std::fs::write("/run/batch", batch).unwrap();
        for who in [Who::VwireAsIp, Who::Ip] {
            let log = "/run/overrun";
            let mut running = watching(net, who, &["-rcvbuf", "65536", "-o", "monitor", "link"], Some(log));
            flood(net, &running);
            let said =
                until("it is said", || Some(std::fs::read_to_string(log).unwrap()).filter(|log| !log.is_empty()));
            assert!(said.lines().all(|line| line == "netlink receive error No buffer space available (105)"), "{said}");
            until("it goes on", || {
                Mark { net, name: "more".to_owned() }.again();
                std::iter::from_fn(|| running.line_if_there()).find(|line| line.contains("more"))
            });
        }
    });
}

#[test]
fn who_reads_no_more_ends_it_quietly() {
    lab(|net| {
        let mut command = net.command_of(Who::Vwire, &["monitor", "link", "--snapshot"]);
        command.stdout(std::process::Stdio::piped()).stderr(File::create("/run/pipe").unwrap());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let status = until("it ends", || {
            Mark { net, name: "more".to_owned() }.again();
            child.try_wait().unwrap()
        });
        assert!(status.success());
        assert_eq!(std::fs::read_to_string("/run/pipe").unwrap(), "");
    });
}
