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
pub(crate) fn watching(net: &Lab, who: Who, words: &[&str], log: Option<&str>) -> Running {
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
pub(crate) fn told(net: &Lab, running: &mut [Running], change: impl FnOnce()) -> Vec<String> {
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
            "monitor mroute foo",
            "monitor stats foo",
            "monitor acadd",
            "mo file /dev/null",
        ] {
            net.same(&line.split(' ').collect::<Vec<_>>());
        }
        let said = net.vwire(&["monitor", "lnk"]).fails(255);
        assert!(said.contains("did you mean `link`?"), "{said}");
    });
}

/// Returns a message of the kernel's.
fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + payload.len()).unwrap();
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend([0; 10]);
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Returns an attribute, filled up to a multiple of 4 bytes.
fn attribute(number: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + payload.len()).unwrap();
    let mut bytes = [length.to_ne_bytes(), number.to_ne_bytes()].concat();
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[test]
fn what_this_kernel_never_tells_is_told_as_ip_tells_it() {
    const NEW_ROUTE: u16 = 24;
    const NEW_LABEL: u16 = 72;
    const NEW_STATS: u16 = 92;
    const NEW_BUCKET: u16 = 116;
    lab(|net| {
        let l3 = |switches: &[u8]| attribute(4, &attribute(2, &attribute(3, switches)));
        let stats = |rest: &[u8]| message(NEW_STATS, &[&[0; 4][..], &1_u32.to_ne_bytes(), &[0; 4], rest].concat());
        let switches = [attribute(1, &[1]), attribute(2, &[0])].concat();
        let route = |family: u8, flags: u32, rest: &[Vec<u8>]| {
            let header = [family, 32, 32, 0, 253, 17, 0, 5];
            [&header[..], &flags.to_ne_bytes(), &rest.concat()].concat()
        };
        let index = |number| attribute(number, &1_u32.to_ne_bytes());
        let counters = [7_u64, 900, 2].map(u64::to_ne_bytes).concat();
        let hop = |ttl: u8| [&8_u16.to_ne_bytes()[..], &[0, ttl], &1_u32.to_ne_bytes()].concat();
        let ends = || [attribute(2, &[10, 0, 0, 1]), attribute(1, &[239, 1, 1, 1])];
        let whole = [&ends()[..], &[index(3), attribute(9, &[hop(1), hop(20)].concat()), attribute(17, &counters)]];
        let aged = [attribute(23, &12345_u64.to_ne_bytes()), attribute(15, &77_u32.to_ne_bytes())];
        let whole = [whole.concat(), aged.to_vec()].concat();
        let bucket = [attribute(1, &3_u16.to_ne_bytes()), attribute(2, &500_u64.to_ne_bytes())].concat();
        let bucket = [&bucket[..], &attribute(3, &8_u32.to_ne_bytes())].concat();
        let bucket = [&[0; 8][..], &attribute(1, &7_u32.to_ne_bytes()), &attribute(14, &bucket)].concat();
        let mut label = vec![10, 0, 64, 0];
        label.extend(1_u32.to_ne_bytes());
        label.extend([0; 4]);
        label.extend(attribute(1, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        label.extend(attribute(2, &99_u32.to_ne_bytes()));
        let all = [
            stats(&l3(&switches)),
            stats(&l3(&attribute(1, &[0]))),
            stats(&attribute(4, &attribute(2, &[]))),
            stats(&[]),
            message(NEW_ROUTE, &route(128, 0, &whole)),
            message(NEW_ROUTE, &route(128, 32, &ends())),
            message(NEW_ROUTE, &route(128, 8, &[&ends()[..], &[index(3)]].concat())),
            message(NEW_ROUTE + 1, &route(128, 0, &whole)),
            message(NEW_ROUTE, &route(129, 0, &[index(3)])),
            message(NEW_BUCKET, &bucket),
            message(NEW_BUCKET + 1, &bucket),
            message(NEW_LABEL, &label),
            message(NEW_LABEL + 1, &label),
        ];
        File::create("/run/saved").unwrap().write_all(&all.concat()).unwrap();
        let options: [&[&str]; 9] = [&[], &["-o"], &["-s"], &["-s", "-o"], &["-d"], &["-N"], &["-c"], &["-4"], &["-6"]];
        for options in options {
            for words in [&["monitor"][..], &["monitor", "all"], &["monitor", "stats", "mroute", "dev", "lo"]] {
                net.same(&[options, words, &["file", "/run/saved"]].concat());
            }
        }
        let said = net.vwire(&["-j", "-s", "monitor", "file", "/run/saved"]).ok();
        let named = |name: &str| said.lines().filter(|line| line.contains(&format!("\"object\":\"{name}\""))).count();
        assert_eq!(
            (named("stats"), named("mroute"), named("nexthop-bucket"), named("addrlabel")),
            (4, 5, 2, 2),
            "{said}"
        );
        let first = said.lines().next().unwrap();
        assert!(first.ends_with("\"info\":{\"l3_stats\":{\"request\":true,\"used\":false}}}"), "{first}");
    });
}

#[test]
fn a_saved_stream_is_told_as_ip_tells_it() {
    lab(|net| {
        net.arrange(&["link set lo up"]);
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

/// Draws changes of every sort, of which some are refused.
fn drawn_changes(many: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |end: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) % end
    };
    let mut text = String::new();
    for number in 0..many {
        let (host, link, metric) = (below(40), below(4), 1 + below(2));
        let verb = ["add", "replace", "append", "prepend", "del"][usize::try_from(below(5)).unwrap()];
        let some = ["replace", "del"][usize::try_from(below(2)).unwrap()];
        let line = match below(12) {
            // The kernel needs long for these.
            _ if number % 400 == 399 => {
                format!("link set k{link} {}", if number % 800 == 399 { "down" } else { "up" })
            }
            0 | 1 => format!("address {some} 10.0.{link}.{host}/24 dev k{link}"),
            2 => format!("address {some} 2001:db8:{link}::{}/64 dev k{link} nodad", host + 1),
            3 | 4 => format!("route {verb} 10.1.{host}.0/24 dev k{link} metric {metric}"),
            5 => format!("route {verb} 2001:db8:77:{host}::/64 dev k{link} metric {metric}"),
            6 => format!("route {verb} 2001:db8:78:{host}::/64 via 2001:db8:{link}::ffff"),
            7 => format!("route {some} 10.2.{host}.0/24 nexthop dev k0 nexthop dev k{link} weight {metric}"),
            8 => format!("neigh {some} 10.9.{link}.{host} lladdr 02:00:00:00:00:0{metric} dev k{link}"),
            9 => format!(
                "rule {} pref {} from 10.{link}.0.0/16 table 77",
                ["add", "del"][usize::from(metric == 1)],
                host + 1
            ),
            10 => format!("nexthop {some} id {} dev k{link}", host + 1),
            _ => format!("route {some} 10.3.{host}.0/24 nhid {}", host + 1),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Returns what lines add up to: what there is, by what names it.
fn added_up(lines: &[String]) -> BTreeMap<String, String> {
    let mut there = BTreeMap::new();
    for line in lines {
        assert!(line.starts_with("{\"event\":\"") && line.ends_with('}') && !line.contains("}{"), "{line}");
        let (object, is_neighbour) = (member(line, "object"), member(line, "object") == "\"neigh\"");
        // The kernel tells neither of groups that a device listens to, nor of neighbours that are groups.
        if is_neighbour && (member(line, "dst").is_empty() || line.contains("NOARP")) {
            continue;
        }
        let facts = line.split_once("\"timestamp\":").unwrap().1.split_once(',').unwrap().1;
        let named = |names: &[&str]| names.iter().map(|name| member(line, name)).collect::<Vec<_>>().join(" ");
        let name = match object {
            "\"link\"" => named(&["ifindex"]),
            "\"address\"" => named(&["index", "local", "prefixlen"]),
            "\"neigh\"" => named(&["dst", "dev", "proxy"]),
            "\"nexthop\"" => named(&["id"]),
            _ => {
                let (before, after) = facts.split_once("\"flags\":[").unwrap_or((facts, ""));
                format!("{before}{}", after.split_once(']').unwrap_or_default().1)
            }
        };
        let name = format!("{object} {name}");
        if member(line, "event") == "\"new\"" {
            there.insert(name, facts.to_owned());
        } else {
            there.remove(&name);
        }
    }
    there
}

#[test]
fn what_is_told_adds_up_to_what_is_there() {
    const CHANGES: usize = 4000;
    const SORTS: [&str; 6] = ["link", "address", "route", "rule", "neigh", "nexthop"];
    lab(|net| {
        for link in 0..4 {
            let peer = format!("link add k{link} type veth peer name p{link}");
            net.arrange(&[&peer, &format!("link set k{link} up"), &format!("link set p{link} up")]);
        }
        let log = "/run/overrun";
        let words = [&["-rcvbuf", "4096", "-j", "monitor", "--snapshot"][..], &SORTS].concat();
        let mut command = net.command_of(Who::Vwire, &words);
        command.stderr(File::create(log).unwrap());
        let mut running = net.start(command);
        let mut told = vec![running.line()];
        // Half of it comes while it reads, half while it cannot.
        let changes = drawn_changes(CHANGES);
        let lines: Vec<&str> = changes.lines().collect();
        for (round, some) in lines.chunks(CHANGES / 4).enumerate() {
            std::fs::write("/run/batch", some.join("\n") + "\n").unwrap();
            let send = |signal| kill(Pid::from_raw(running.child.id().cast_signed()), signal).unwrap();
            let stops = round % 2 == 1;
            if stops {
                send(Signal::SIGSTOP);
            }
            net.vwire(&["-force", "-batch", "/run/batch"]);
            if stops {
                send(Signal::SIGCONT);
            }
            told.extend(std::iter::from_fn(|| running.line_if_there()));
        }
        let fresh = || {
            let mut running =
                net.start(net.command_of(Who::Vwire, &[&["-j", "monitor", "--snapshot"][..], &SORTS].concat()));
            let mut lines = vec![running.line()];
            // What comes behind the list: this.
            let _ = net.ip(&["rule", "add", "pref", "999", "table", "99"]);
            while !lines.last().unwrap().contains("\"priority\":999") {
                lines.push(running.line());
            }
            let _ = net.ip(&["rule", "del", "pref", "999"]);
            lines.pop();
            added_up(&lines)
        };
        let mut differences = String::new();
        let is_equal = until_some(|| {
            told.extend(std::iter::from_fn(|| running.line_if_there()));
            let (ours, fresh) = (added_up(&told), fresh());
            let text = |there: &BTreeMap<String, String>| {
                there.iter().map(|(name, facts)| format!("{name}: {facts}\n")).collect::<String>()
            };
            differences = crate::lab::difference(&text(&ours), &text(&fresh));
            ours == fresh
        });
        let said = std::fs::read_to_string(log).unwrap();
        assert!(is_equal, "what was told is not what is there:\n{differences}\n{said}");
        assert!(said.contains("the kernel has dropped changes"), "{said}");
        let others = said
            .lines()
            .filter(|line| !line.contains("the kernel has dropped changes") && !line.contains("makes room for more"));
        assert_eq!(others.collect::<Vec<_>>(), Vec::<&str>::new());
    });
}

/// Returns whether something holds in the end, after it was looked at several times.
fn until_some(mut check: impl FnMut() -> bool) -> bool {
    (0..40).any(|_| {
        std::thread::park_timeout(std::time::Duration::from_millis(50));
        check()
    })
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
