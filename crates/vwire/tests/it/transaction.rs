//! `vwire batch`: all lines or none, told before anything is touched where that can be, brought back where not.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::lab::{Lab, Said, Who, lab, short, until};
use crate::step::{dump, settled_as};

/// Writes a batch into a file of its own and returns its path.
fn file(text: &str) -> PathBuf {
    // Of the lab's own, it goes with it.
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = PathBuf::from(format!("/run/batch-{count}"));
    std::fs::write(&path, text).unwrap();
    path
}

/// Runs a batch as a whole; its name in messages is `FILE`.
#[track_caller]
fn batch(net: &Lab, options: &[&str], text: &str) -> Said {
    let path = file(text);
    let words: Vec<&str> = options.iter().copied().chain(["batch", path.to_str().unwrap()]).collect();
    let mut said = net.vwire(&words);
    let _ = std::fs::remove_file(&path);
    said.stderr = said.stderr.replace(path.to_str().unwrap(), "FILE");
    said
}

const NETWORK: &[&str] = &[
    "link set lo up",
    "link add v0 index 10 address 02:00:00:00:00:10 type veth peer name v1 index 11 address 02:00:00:00:00:11",
    "link add w0 index 12 address 02:00:00:00:00:12 type veth peer name w1 index 13 address 02:00:00:00:00:13",
    "link add br0 index 14 address 02:00:00:00:00:14 type bridge",
    "link add br1 index 15 address 02:00:00:00:00:15 type bridge ageing_time 1500",
    "link set v0 up addrgenmode none",
    "link set v1 up addrgenmode none",
    "link set w0 master br0",
    "link set w1 alias before up addrgenmode none",
    "link set br0 up addrgenmode none",
    "addr add 10.0.0.1/24 brd + dev v0",
    "addr add 10.0.0.2/24 dev v0",
    "addr add 10.5.0.1/24 dev v0",
    "addr add fd00::1/64 nodad dev v0",
    "route add 10.8.0.0/16 via 10.0.0.9",
    "route add 10.8.1.0/24 via 10.0.0.9 metric 7 mtu 1300",
    "route add fd08::/64 via fd00::9",
    "rule add from 10.1.0.0/16 lookup 77 priority 900",
    "neigh add 10.0.0.9 lladdr 02:00:00:00:09:09 dev v0",
    "nexthop add id 5 via 10.0.0.8 dev v0",
    "addrlabel add prefix fd00::/32 label 40",
    "tuntap add tap0 mode tap user 12",
    "netns add old",
    "nexthop add id 15 via 10.0.0.7 dev v0",
    "nexthop add id 16 group 5/15",
    "route add 10.14.0.0/16 nhid 16",
    "route add 10.13.0.0/16 nexthop via 10.0.0.7 nexthop via 10.0.0.8 weight 2",
    "token set ::53 dev v0",
];

/// Twenty and more changes, of every kind of object.
const CHANGES: &[&str] = &[
    "link set v0 mtu 1400 alias new txqueuelen 77",
    "link set w0 nomaster",
    "link set br0 type bridge ageing_time 2000",
    "link set w1 name renamed",
    "link add x0 type veth peer name x1",
    "link set x0 up master br1",
    "link property add dev v1 altname a-longer-name-than-fits",
    "addr add 10.6.0.1/24 dev v1",
    "addr del 10.0.0.1/24 dev v0",
    "addr replace 10.5.0.1/24 metric 9 dev v0",
    "route add 10.7.0.0/16 via 10.6.0.9",
    "route del 10.8.0.0/16",
    "route replace unreachable 10.8.1.0/24 metric 7",
    "rule add from 10.2.0.0/16 lookup 78 priority 901",
    "rule del priority 900",
    "neigh replace 10.0.0.9 lladdr 02:00:00:00:09:10 dev v0",
    "neigh add proxy 10.6.0.7 dev v1",
    "nexthop add id 6 via 10.6.0.8 dev v1",
    "nexthop del id 5",
    "addrlabel add prefix fd01::/32 label 41",
    "addrlabel del prefix fd00::/32 label 40",
    "tuntap del tap0 mode tap",
    "tuntap add tun5 mode tun",
    "maddress add 33:33:00:00:00:99 dev v1",
    "netns add fresh",
    "link set renamed netns fresh",
    "link add y0 type veth peer name y1 netns fresh",
    "link add z0 netns fresh type bridge",
    "token set ::54 dev v0",
    "bridge link set dev x0 cost 33 hairpin on",
    "bridge fdb add 02:00:00:00:77:77 dev x0 master static",
    "route replace 10.13.0.0/16 nexthop via 10.5.0.8 nexthop via 10.6.0.8",
    "nexthop replace id 16 group 6,3/15",
    "route add 10.15.0.0/16 nhid 16",
    "netns del old",
    "link set v0 down",
    "link set v0 up",
    "link del br0",
    "link del v1",
];

/// What there is, in the judge's words and in names of namespaces.
fn all(net: &Lab) -> String {
    let mut text = dump(net);
    for show in ["netns", "maddress show dev v1", "tuntap", "token"] {
        let _ = writeln!(text, "$ ip {show}\n{}", net.ip(&show.split(' ').collect::<Vec<_>>()).ok());
    }
    text
}

/// Waits until the kernel has looked for duplicates of all addresses.
fn settle(net: &Lab) {
    until("addresses are no longer tentative", || (!net.ip(&["addr"]).ok().contains("tentative")).then_some(()));
}

#[test]
fn twenty_changes_are_done_as_a_whole() {
    lab(|net| {
        net.arrange(NETWORK);
        let said = batch(net, &[], &CHANGES.join("\n"));
        assert_eq!((said.stderr.as_str(), said.exit), ("", 0));
        assert!(net.ip(&["link", "show", "x0"]).ok().contains("master br1"));
        assert_eq!(net.ip(&["-n", "fresh", "link", "show", "renamed"]).exit, 0);
    });
}

/// A line that the kernel refuses, wherever it stands: everything before it is undone.
#[test]
fn a_refusal_anywhere_leaves_nothing() {
    lab(|net| {
        net.arrange(NETWORK);
        settle(net);
        let before = all(net);
        let mut wrong = String::new();
        for position in 0..=CHANGES.len() {
            let mut lines = CHANGES.to_vec();
            // No word is wrong here, and only the kernel knows that there is no such route.
            lines.insert(position, "route del 10.99.0.0/16");
            let said = batch(net, &[], &lines.join("\n"));
            let told = format!("FILE:{}: route del 10.99.0.0/16\nerror: cannot delete", position + 1);
            let end = "nothing is changed: all that had been done is undone\n";
            if said.exit != 1 || !said.stderr.starts_with(&told) || !said.stderr.ends_with(end) {
                let _ = writeln!(wrong, "{position}: {} {}", said.exit, said.stderr);
            }
            let after = settled_as(&before, || all(net));
            if after != before {
                let last = lines.get(position.wrapping_sub(1));
                let _ = writeln!(wrong, "{position} {last:?}:\n{}", short(&after, &before));
                break;
            }
        }
        assert_eq!(wrong, "");
    });
}

/// What a batch asks of the kernel, and how that may fail: requests and their answers, devices, names of namespaces, files.
/// Not `setns`: each is in a thread of its own, where it is the first, so all would fail, those of the undoing as well.
const FAULTS: &[(&str, &str)] = &[
    ("sendto", "ENOBUFS"),
    ("recvmsg", "ENOBUFS"),
    ("ioctl", "EIO"),
    ("unshare", "ENOMEM"),
    ("mount", "ENOMEM"),
    ("umount2", "EBUSY"),
    ("unlink", "EROFS"),
    ("openat", "EMFILE"),
    ("socket", "EMFILE"),
];

/// How many calls of a sort are made to fail unless all are.
const SAMPLE: usize = 24;

/// Each call by which the kernel is asked or told something is made to fail, in turn: whatever it was for, nothing is left.
#[track_caller]
fn nothing_is_left_where_calls_fail(faults: &'static [(&'static str, &'static str)]) {
    if Command::new("strace").arg("-V").output().is_err() {
        let _ = writeln!(io::stderr(), "SKIPPED calls that fail in a batch: it needs strace");
        return;
    }
    for (call, error) in faults {
        let mut calls = 0;
        lab(|net| {
            net.arrange(NETWORK);
            let trace = file("");
            let (said, _) = traced(net, &CHANGES.join("\n"), (trace.to_str().unwrap(), call), None);
            assert_eq!((said.stderr.as_str(), said.exit), ("", 0));
            calls = std::fs::read_to_string(&trace).unwrap().lines().filter(|line| line.contains('(')).count();
            let _ = std::fs::remove_file(&trace);
        });
        assert!(*call != "sendto" || calls > 50 || calls == 0, "only {calls} calls were seen");
        let is_sample = std::env::var_os("VWIRE_ALL_FAULTS").is_none() && *call != "sendto";
        let step = if is_sample { calls.div_ceil(SAMPLE).max(1) } else { 1 };
        lab(move |net| {
            net.arrange(NETWORK);
            settle(net);
            let before = all(net);
            // The last line is refused, so that nothing is done even where the failure did no harm.
            let text = format!("{}\nroute del 10.99.0.0/16\n", CHANGES.join("\n"));
            for place in (1..=calls).rev().step_by(step) {
                let (said, text) = traced(net, &text, ("/dev/null", call), Some((place, error)));
                assert_ne!(said.exit, 0, "{call} {place} of {text}");
                let after = settled_as(&before, || all(net));
                assert!(after == before, "{call} {place} of {calls}: {}\n{}", said.stderr, short(&after, &before));
            }
        });
    }
}

#[test]
fn a_request_that_fails_anywhere_leaves_nothing() {
    nothing_is_left_where_calls_fail(&FAULTS[..1]);
}

#[test]
fn an_answer_that_is_lost_anywhere_leaves_nothing() {
    nothing_is_left_where_calls_fail(&FAULTS[1..2]);
}

#[test]
fn any_other_call_that_fails_anywhere_leaves_nothing() {
    nothing_is_left_where_calls_fail(&FAULTS[2..]);
}

/// Runs a batch with each call of a sort written down, and one of them made to fail.
fn traced(net: &Lab, text: &str, (trace, call): (&str, &str), fails: Option<(usize, &str)>) -> (Said, String) {
    let path = file(text);
    let traced = format!("trace={call}");
    let inject = fails.map(|(place, error)| format!("inject={call}:error={error}:when={place}"));
    let mut words = vec!["-f", "-qq", "-o", trace, "-e", &traced];
    words.extend(inject.iter().flat_map(|inject| ["-e", inject.as_str()]));
    words.extend([env!("CARGO_BIN_EXE_vwire"), "batch", path.to_str().unwrap()]);
    let said = net.run(net.command("strace", &words));
    let _ = std::fs::remove_file(&path);
    (said, text.to_owned())
}

#[test]
fn all_mistakes_are_told_at_once_and_nothing_is_touched() {
    lab(|net| {
        let text = "link add v0 type veth peer name v1\nlink set v1 mtu many\n# fine\nlink set nosuch up\naddr add 10.0.0.1/24 dev v0\nlink add v1 type bridge\n";
        let said = batch(net, &[], text);
        assert_eq!(said.exit, 2);
        assert!(said.stderr.starts_with("FILE:2: link set v1 mtu many\nerror: "), "{}", said.stderr);
        assert!(said.stderr.contains("\nFILE:4: link set nosuch up\nerror: "), "{}", said.stderr);
        assert!(said.stderr.contains("\nFILE:6: link add v1 type bridge\n"), "{}", said.stderr);
        assert!(said.stderr.ends_with("3 lines are wrong; nothing is changed\n"), "{}", said.stderr);
        assert_eq!(net.ip(&["link", "show", "v0"]).exit, 1);
    });
}

#[test]
fn what_cannot_be_undone_has_no_place_in_it() {
    lab(|net| {
        net.arrange(&["link add br0 type bridge", "link set br0 up"]);
        for line in [
            "netns exec old true",
            "monitor",
            "netns set old 5",
            "tunnel add t0 mode ipip",
            "ntable change name arp_cache thresh1 200",
            "link set lo xdp off",
            "bridge mdb add dev br0 port br0 grp 239.1.1.1 temp",
            "bridge vlan set vid 1 dev br0 state blocking",
        ] {
            let said = batch(net, &[], line);
            assert_eq!(said.exit, 2, "{line}");
            assert!(said.stderr.contains("cannot be a part of a batch"), "{line}: {}", said.stderr);
        }
    });
}

#[test]
fn a_plan_shows_what_would_change_and_changes_nothing() {
    lab(|net| {
        net.arrange(NETWORK);
        let before = all(net);
        let text = "link set v0 mtu 1400 down\nlink add x0 type veth peer name x1\naddr add 10.6.0.1/24 dev x1\nlink del br0\n";
        let said = batch(net, &["--plan"], text);
        assert_eq!(
            said.ok(),
            "link set v0 mtu 1400 down\n    set link v0: mtu 1500 → 1400, down\n\
             link add x0 type veth peer name x1\n    make link x0\n    make link x1\n\
             addr add 10.6.0.1/24 dev x1\n    make addr 10.6.0.1/24 dev x1\n\
             link del br0\n    set link w0: master br0 → nomaster\n    delete link br0\n"
        );
        assert_eq!(all(net), before);
        let one = net.vwire(&["--plan", "link", "set", "v0", "mtu", "1400"]).ok();
        assert_eq!(one, "link set v0 mtu 1400\n    set link v0: mtu 1500 → 1400\n");
        let json = net.vwire(&["-j", "--plan", "link", "set", "v0", "mtu", "1400"]).ok();
        assert!(
            json.starts_with("[{\"command\":\"link set v0 mtu 1400\",\"changes\":[{\"object\":\"link v0\""),
            "{json}"
        );
    });
}

#[test]
fn a_plan_says_where_links_go_and_which_namespaces_come() {
    lab(|net| {
        net.arrange(&["netns add old", "link add v0 type veth peer name v1", "link add br0 group 7 type bridge"]);
        let text = "netns add blue\nlink set v0 netns blue name eth0\nlink set v1 netns old\n\
                    link set group 7 netns blue\nlink add w0 type veth peer name w1 netns blue\nnetns del old\n";
        assert_eq!(
            batch(net, &["--plan"], text).ok(),
            "netns add blue\n    make netns blue\n\
             link set v0 netns blue name eth0\n    move link v0 to netns blue, name eth0\n\
             link set v1 netns old\n    move link v1 to netns old\n\
             link set group 7 netns blue\n    move link br0 to netns blue\n\
             link add w0 type veth peer name w1 netns blue\n    make link w0\n    make link w1 in netns blue\n\
             netns del old\n    delete netns old\n"
        );
        assert_eq!(net.ip(&["netns"]).ok(), "old\n");
        let json = net.vwire(&["-j", "--plan", "link", "set", "v0", "netns", "old"]).ok();
        let wanted = "\"changes\":[{\"object\":\"link v0\",\"attribute\":\"netns\",\"becomes\":\"old\"}]}]\n";
        assert!(json.ends_with(wanted), "{json}");
        let json = net.vwire(&["-j", "--plan", "link", "add", "z0", "netns", "old", "type", "bridge"]).ok();
        let wanted = "[{\"netns\":\"old\",\"object\":\"link z0\",\"attribute\":\"\",\"becomes\":\"\"}]}]\n";
        assert!(json.ends_with(wanted), "{json}");
    });
}

#[test]
fn what_others_do_meanwhile_stays() {
    lab(|net| {
        net.arrange(&[
            "link add v0 type veth peer name v1",
            "link add w0 type veth peer name w1",
            "link set w0 up",
            "link set w1 up",
        ]);
        // v0 gets no carrier: the batch waits, in vain, and is brought back.
        let path = file("link set v0 mtu 1400\n--wait=3 link set v0 up\n");
        let mut running = net.command_of(Who::Vwire, &["batch", path.to_str().unwrap()]).spawn().unwrap();
        until("the batch has set it up", || net.ip(&["link", "show", "v0", "up"]).ok().contains("v0").then_some(()));
        net.arrange(&["link set w0 mtu 1300", "addr add 10.0.0.1/24 dev w0", "route add 10.1.0.0/16 via 10.0.0.9"]);
        assert_eq!(running.wait().unwrap().code(), Some(1));
        let _ = std::fs::remove_file(&path);
        let w0 = net.ip(&["addr", "show", "w0"]).ok();
        assert!(w0.contains("mtu 1300") && w0.contains("10.0.0.1/24"), "{w0}");
        assert!(net.ip(&["route"]).ok().contains("10.1.0.0/16 via 10.0.0.9"));
        let v0 = net.ip(&["link", "show", "v0"]).ok();
        assert!(v0.contains("mtu 1500") && v0.contains("state DOWN"), "{v0}");
    });
}

#[test]
fn deletions_in_a_row_go_together_and_are_told_apart() {
    lab(|net| {
        let pairs = |verb: &dyn Fn(usize) -> String| (0..50).map(|n| verb(n) + "\n").collect::<String>();
        batch(net, &[], &pairs(&|n| format!("link add a{n} type veth peer name b{n}"))).ok();
        net.arrange(&["link set a3 group 9"]);
        let before = net.ip(&["-d", "link"]).ok();
        let said = batch(net, &[], &(pairs(&|n| format!("link del a{n}")) + "link del a7\n"));
        assert!(said.stderr.starts_with("FILE:51: link del a7\nerror: "), "{}", said.stderr);
        assert_eq!(net.ip(&["-d", "link"]).ok(), before);
        let said = batch(net, &[], &(pairs(&|n| format!("link del a{n}")) + "link del lo\n"));
        assert!(said.stderr.starts_with("FILE:51: link del lo\nerror: "), "{}", said.stderr);
        assert!(said.stderr.ends_with("nothing is changed: all that had been done is undone\n"), "{}", said.stderr);
        batch(net, &[], &pairs(&|n| format!("link del a{n}"))).ok();
        assert_eq!(net.ip(&["-br", "link"]).ok().lines().count(), 1);
    });
}

/// One by one, each of them takes two calls.
#[test]
fn deletions_go_together_in_another_namespace_too() {
    if Command::new("strace").arg("-V").output().is_err() {
        let _ = writeln!(io::stderr(), "SKIPPED deletions_go_together_in_another_namespace_too: it needs strace");
        return;
    }
    lab(|net| {
        net.arrange(&["netns add blue"]);
        let pairs = |verb: &dyn Fn(usize) -> String| (0..99).map(|n| verb(n) + "\n").collect::<String>();
        batch(net, &["-n", "blue"], &pairs(&|n| format!("link add a{n} type veth peer name b{n}"))).ok();
        let (text, trace) = (file(&pairs(&|n| format!("link del a{n}"))), file(""));
        let (vwire, [text_name, trace_name]) =
            (env!("CARGO_BIN_EXE_vwire"), [&text, &trace].map(|path| path.to_str().unwrap()));
        let strace = ["-f", "-qq", "-o", trace_name, "-e", "trace=sendto", vwire, "-n", "blue", "batch", text_name];
        net.run(net.command("strace", &strace)).ok();
        let calls = std::fs::read_to_string(&trace).unwrap().lines().filter(|line| line.contains("sendto(")).count();
        let _ = [&text, &trace].map(std::fs::remove_file);
        assert!((1..90).contains(&calls), "{calls} calls");
        assert_eq!(net.ip(&["-n", "blue", "-br", "link"]).ok().lines().count(), 1);
    });
}

#[test]
fn what_is_there_or_not_may_be_taken_as_it_is() {
    lab(|net| {
        let vwire = |line: &str| net.vwire(&line.split(' ').collect::<Vec<_>>());
        for line in [
            "--if-exists link del nosuch",
            "--if-exists link set nosuch up",
            "--if-exists addr del 10.0.0.1/24 dev lo",
            "--if-exists route del 10.9.0.0/16",
            "--if-exists netns del nosuch",
            "--if-exists tuntap del nosuch mode tap",
            "--if-exists addr flush dev nosuch",
            "--if-exists route flush table 77",
            "--if-exists link property add dev nosuch altname x",
            "--if-exists netns set nosuch 5",
            "--if-exists token set ::1 dev nosuch",
            "--if-exists token del dev nosuch",
            "--if-exists bridge fdb del 02:00:00:00:00:77 dev nosuch",
            "--if-exists bridge link set dev nosuch cost 5",
            "--if-exists bridge vlan del vid 5 dev nosuch",
            "--if-exists bridge mdb del dev nosuch port lo grp 239.1.1.1",
            "--if-absent tuntap add t0 mode tap",
            "--if-absent tuntap add t0 mode tap",
            "--replace tuntap add t0 mode tun user 12",
            "link add br0 type bridge",
            "--if-absent link add br0 type bridge",
            "--if-absent link add br0 mtu 1500 type bridge",
            "--replace link add br0 mtu 1400 type bridge",
            "link set br0 up",
            "--if-exists maddress del 33:33:00:00:00:99 dev br0",
            "addr add 10.0.0.1/24 dev br0",
            "--if-absent addr add 10.0.0.1/24 dev br0",
            "route add 10.9.0.0/16 via 10.0.0.9",
            "--if-absent route add 10.9.0.0/16 via 10.0.0.9",
            "--replace route add 10.9.0.0/16 via 10.0.0.8",
            "rule add from 10.0.0.0/8 lookup 77",
            "--if-absent netns add blue",
            "--if-absent netns add blue",
        ] {
            let said = vwire(line);
            assert_eq!((said.exit, said.stdout.as_str(), said.stderr.as_str()), (0, "", ""), "{line}");
        }
        assert!(net.ip(&["link", "show", "br0"]).ok().contains("mtu 1400"));
        assert!(net.ip(&["route"]).ok().contains("10.9.0.0/16 via 10.0.0.8"));
        assert!(
            net.ip(&["-d", "link", "show", "t0"]).ok().contains("tun type tun pi off vnet_hdr off persist on user 12")
        );
        let said = vwire("--if-absent link add br0 type veth").fails(2);
        assert!(said.contains("hint: link br0: type is bridge, should be veth\n"), "{said}");
        vwire("--replace link add br0 type ifb").ok();
        assert!(net.ip(&["-d", "link", "show", "br0"]).ok().contains(" ifb "));
        vwire("--replace link add br0 mtu 1400 type bridge").ok();
        let said = vwire("--if-absent link add br0 mtu 1300 type bridge").fails(2);
        assert!(said.contains("hint: link br0: mtu is 1400, should be 1300\n"), "{said}");
        vwire("--if-exists link set br0 master nosuch").fails(255);
        vwire("link del nosuch").fails(1);
        let said = net.vwire_as_ip(&["--if-exists", "link", "del", "nosuch"]).fails(255);
        assert_eq!(said, "Option \"-if-exists\" is unknown, try \"ip -help\".\n");
    });
}

#[test]
fn waiting_ends_with_the_carrier_or_with_the_time() {
    lab(|net| {
        net.arrange(&["link add v0 type veth peer name v1"]);
        let said = net.vwire(&["--wait=0.2", "link", "set", "v0", "up"]).fails(1);
        assert!(said.starts_with("error: done, but cannot be used yet: `v0` has no carrier after 0.2 s\n"), "{said}");
        net.vwire(&["--wait", "link", "set", "v1", "up"]).ok();
        let shown = net.ip(&["addr", "show", "v1"]).ok();
        assert!(shown.contains("LOWER_UP") && !shown.contains("tentative"), "{shown}");
        net.vwire(&["--wait", "addr", "add", "fd00::1/64", "dev", "v0"]).ok();
        assert!(!net.ip(&["addr", "show", "v0"]).ok().contains("fd00::1/64 scope global tentative"));
    });
}

#[test]
fn a_batch_that_is_asked_to_end_is_brought_back() {
    lab(|net| {
        net.arrange(&["link add v0 type veth peer name v1"]);
        // A link that was up once has a queue.
        let links = || net.ip(&["-d", "link"]).ok().replace("qdisc noop ", "qdisc noqueue ");
        let before = links();
        let path = file("link set v0 mtu 1400\nlink add br7 type bridge\n--wait=60 link set v0 up\n");
        for (signal, exit) in [("INT", 130), ("TERM", 143)] {
            let mut command = net.command(env!("CARGO_BIN_EXE_vwire"), &["batch", path.to_str().unwrap()]);
            let child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
            until("it waits for a carrier", || net.ip(&["link", "show", "v0"]).stdout.contains(",UP").then_some(()));
            let signal = format!("-{signal}");
            net.run(net.command("kill", &[&signal, &child.id().to_string()])).ok();
            let ended = child.wait_with_output().unwrap();
            let said = String::from_utf8(ended.stderr).unwrap();
            assert!(
                said.contains("error: interrupted\nnothing is changed: all that had been done is undone\n"),
                "{said}"
            );
            assert_eq!(ended.status.code(), Some(exit));
            assert_eq!(links(), before);
        }
        let _ = std::fs::remove_file(path);
    });
}

/// An entry of a bridge is asked for in more bits than the kernel tells; a VXLAN has one end for an address.
#[test]
fn entries_of_forwarding_databases_are_taken_as_they_are_or_replaced() {
    lab(|net| {
        net.arrange(&[
            "link add br0 type bridge",
            "link add w0 type veth peer name w1",
            "link set w0 master br0",
            "link add vx0 type vxlan id 5 dstport 4789 remote 10.0.0.2",
        ]);
        let vwire = |line: &str| net.vwire(&line.split(' ').collect::<Vec<_>>());
        for _ in 0..2 {
            vwire("--if-absent bridge fdb add 02:00:00:00:00:77 dev w0 master static").ok();
            vwire("--if-absent bridge fdb add 02:00:00:00:00:78 dev vx0 dst 10.0.0.9").ok();
        }
        vwire("--if-absent bridge fdb add 02:00:00:00:00:77 dev w0 master permanent").fails(255);
        vwire("--replace bridge fdb add 02:00:00:00:00:77 dev w0 master permanent").ok();
        vwire("--replace bridge fdb add 02:00:00:00:00:78 dev vx0 dst 10.0.0.10").ok();
        let known = net.run(net.command("bridge", &["fdb"])).ok();
        assert!(known.contains("02:00:00:00:00:77 dev w0 master br0 permanent"), "{known}");
        assert!(known.contains("02:00:00:00:00:78 dev vx0 dst 10.0.0.10 self"), "{known}");
        assert!(!known.contains("dst 10.0.0.9"), "{known}");
    });
}

#[test]
fn a_wish_that_says_nothing_to_a_command_is_refused_by_name() {
    lab(|net| {
        let vwire = |line: &str, exit: i32| net.vwire(&line.split(' ').collect::<Vec<_>>()).fails(exit);
        for (line, told) in [
            ("--wait route add 10.0.0.0/8 dev lo", "error: `--wait` says nothing to `route add`\n"),
            ("--if-absent link del lo", "error: `--if-absent` says nothing to `link delete`\n"),
            ("--if-exists addr show", "error: `--if-exists` says nothing to `address show`\n"),
            (
                "--replace bridge fdb del 02:00:00:00:00:01 dev lo",
                "error: `--replace` says nothing to `bridge fdb delete`\n",
            ),
            ("--atomic link set lo up", "error: `--atomic` says nothing to `link set`\n"),
        ] {
            let said = vwire(line, 255);
            assert!(said.starts_with(told), "{line}: {said}");
        }
        let said = vwire("--plan up lab.toml", 2);
        assert!(said.contains("hint: `vwire plan FILE`"), "{said}");
        let said = batch(net, &[], "--wait link set lo up\n--wait route add 10.0.0.0/8 dev lo\n");
        assert!(said.stderr.starts_with("FILE:2: route add"), "{}", said.stderr);
        // Before a whole batch they are for the lines that they fit.
        assert_eq!(batch(net, &["--if-absent", "--if-exists"], "link set lo up\nrule show\n").stderr, "");
    });
}
