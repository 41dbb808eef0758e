//! `vwire link set` with several words: all of it or nothing, whatever the kernel had done by the time it refused.

use std::fmt::Write as _;

use crate::lab::{Lab, lab, short, split, until};
use crate::step::{dump, settled_as};

const NETWORK: &[&str] = &[
    "link set lo up",
    "link add v0 index 10 address 02:00:00:00:00:10 type veth peer name v1 index 11 address 02:00:00:00:00:11",
    "link add w0 index 12 address 02:00:00:00:00:12 type veth peer name w1 index 13 address 02:00:00:00:00:13",
    "link add x0 index 16 address 02:00:00:00:00:16 type veth peer name x1 index 17 address 02:00:00:00:00:17",
    "link add br0 index 14 address 02:00:00:00:00:14 type bridge",
    "link add br1 index 15 address 02:00:00:00:00:15 type bridge",
    "link add link w1 mv0 index 20 address 02:00:00:00:00:20 type macvlan mode bridge",
    "link property add dev v0 altname a-name-that-is-longer-than-fifteen",
    "link set v0 up txqueuelen 70 alias before",
    "link set v1 up",
    "link set mv0 up",
    "link set w0 master br0 up",
    "link set w1 up",
    "link set br0 up",
    "link set x1 up",
    "addr add 10.0.0.1/24 brd + dev v0",
    "addr add 10.0.0.2/24 dev v0",
    "addr add 10.5.0.1/24 dev v0",
    "addr add fd00::1/64 nodad dev v0",
    "addr add 10.6.0.1/24 dev mv0",
    "addr add 10.9.0.1/24 dev v1",
    "route add 10.8.0.0/16 via 10.0.0.9",
    "route add 10.8.1.0/24 via 10.0.0.9 metric 7 mtu 1300",
    "route add fd08::/64 via fd00::9",
    "route add 10.10.0.0/16 nexthop via 10.0.0.7 nexthop via 10.9.0.7",
    "neigh add 10.0.0.9 lladdr 02:00:00:00:09:09 dev v0",
    "neigh add proxy 10.0.0.77 dev v0",
    "nexthop add id 5 via 10.0.0.8 dev v0",
    "nexthop add id 6 via 10.9.0.8 dev v1",
    "nexthop add id 7 group 5/6",
    "route add 10.11.0.0/16 nhid 5",
    "route add 10.12.0.0/16 nhid 7",
    "rule add iif v0 lookup 77 priority 900",
    "netns add blue",
];

/// What there is, in the judges' words; `ip` cannot tell what a bridge knows.
fn all(net: &Lab) -> String {
    let mut text = dump(net);
    let _ = writeln!(text, "$ ip -n blue addr\n{}", net.ip(&["-n", "blue", "addr"]).ok());
    let bridge = |words: &[&str]| net.run(net.command("bridge", words)).ok();
    // What was learned may be forgotten, and what a device listens to by itself comes with its being up.
    let is_set = |line: &&str| line.contains(" static") || line.contains(" master ") && line.contains(" permanent");
    let mut known: Vec<String> = bridge(&["fdb"]).lines().filter(is_set).map(Into::into).collect();
    known.sort();
    let _ = writeln!(text, "$ bridge fdb\n{}\n$ bridge -d link\n{}", known.join("\n"), bridge(&["-d", "link"]));
    // A link that was up once has a queue.
    text.replace("qdisc noop ", "qdisc noqueue ")
}

/// Makes the network and waits until the kernel has looked for duplicates of all addresses.
fn arrange(net: &Lab) {
    net.arrange(NETWORK);
    for words in [
        ["fdb", "add", "02:00:00:00:77:77", "dev", "w0", "master", "static"].as_slice(),
        &["link", "set", "dev", "w0", "cost", "55", "hairpin", "on"],
    ] {
        net.run(net.command("bridge", words)).ok();
    }
    until("addresses are no longer tentative", || (!net.ip(&["addr"]).ok().contains("tentative")).then_some(()));
}

/// What is asked for last is refused, behind what the kernel had done by then.
const WISHES: &[&str] = &[
    "v0 mtu 1400 name newn up master v1",
    "v0 down master v1",
    "v0 down name newn mtu 1200 address 02:00:00:00:00:99 txqueuelen 5 alias after group 7 master v1",
    "v0 mtu 1200 master lo",
    "v0 arp off promisc on master v1",
    "v0 down netns blue master v1",
    "v0 netns blue name other mtu 1300 master v1",
    "v0 netns blue address 02:00:00:00:00:98 alias away master v1",
    "a-name-that-is-longer-than-fifteen down name newn master v1",
    "v1 down master v0",
    "x0 up mtu 1300 master v1",
    "x0 up promisc on alias x master v1",
    "w0 mtu 1300 master v1",
    "w0 down mtu 1300 master v1",
    "w0 address 02:00:00:00:00:97 master lo",
    "w0 down netns blue master v1",
    "w1 down mtu 1300 address 02:00:00:00:00:95 master v1",
    "br0 down mtu 1300 address 02:00:00:00:00:96 master v1",
    "x0 up master br1 state dormant addrgenmode stable_secret",
    "mv0 down mtu 1300 name newn master v1",
    "group 7 mtu 1300 down master v1",
];

#[test]
fn a_refusal_behind_any_of_them_leaves_nothing() {
    lab(|net| {
        arrange(net);
        net.arrange(&["link set x0 group 7", "link set x1 group 7", "link set v1 group 7"]);
        let before = all(net);
        let mut wrong = String::new();
        for wish in WISHES {
            let words = split(&format!("link set {wish}"));
            let said = net.vwire(&words.iter().map(String::as_str).collect::<Vec<_>>());
            let after = settled_as(&before, || all(net));
            if said.exit == 0 || said.stderr.contains("could not be put back") || after != before {
                let _ = writeln!(wrong, "{wish}: {} {}{}", said.exit, said.stderr, short(&after, &before));
                if after != before {
                    break;
                }
            }
        }
        assert_eq!(wrong, "");
    });
}

#[test]
fn what_was_not_touched_is_not_said_to_be_undone() {
    lab(|net| {
        arrange(net);
        let touched = net.vwire(&["link", "set", "v0", "mtu", "1400", "master", "v1"]).fails(2);
        assert!(
            touched.contains("hint: nothing is changed: what the kernel had done of it before is undone"),
            "{touched}"
        );
        let untouched = net.vwire(&["link", "set", "v0", "mtu", "67", "alias", "x"]).fails(2);
        assert!(!untouched.contains("is undone"), "{untouched}");
    });
}

/// A wish to wait is no reason to leave half of it.
#[test]
fn it_is_whole_with_other_wishes_too() {
    lab(|net| {
        arrange(net);
        let before = all(net);
        for wish in ["--wait=1", "--if-exists"] {
            net.vwire(&[wish, "link", "set", "v0", "mtu", "1400", "master", "v1"]).fails(2);
            assert_eq!(settled_as(&before, || all(net)), before, "{wish}");
        }
    });
}

/// For `ip` the last one holds, without a word; here nothing is given twice.
#[test]
fn what_is_given_twice_is_refused_and_changes_nothing() {
    lab(|net| {
        arrange(net);
        let before = all(net);
        for line in [
            "link set v0 up down",
            "link set v0 alias a alias b",
            "link set v0 master br0 master br1",
            "link set v0 master br0 nomaster",
            "link set v0 address 02:00:00:00:00:01 address 02:00:00:00:00:02",
            "link set v0 arp on arp off",
            "link set v0 addrgenmode none addrgenmode eui64",
            "link set br0 type bridge ageing_time 100 ageing_time 200",
            "addr add 10.7.0.1/24 dev v0 dev v1",
            "addr add 10.7.0.1/24 label v0:1 label v0:2 dev v0",
            "addr add 10.7.0.1/24 metric 5 priority 6 dev v0",
            "route add 10.7.0.0/16 dev v0 dev v1",
            "route add 10.7.0.0/16 via 10.0.0.3 metric 5 metric 6",
            "route add 10.7.0.0/16 via 10.0.0.3 table 5 table 6",
            "rule add from 10.0.0.0/8 from 11.0.0.0/8 table 7",
            "rule add from 10.0.0.0/8 table 7 lookup 8",
            "neigh add 10.0.0.8 lladdr 02:00:00:00:00:01 dev v0 dev v1",
            "nexthop add id 15 id 16 via 10.0.0.4 dev v0",
            "nexthop add id 15 via 10.0.0.4 via 10.0.0.5 dev v0",
            "addrlabel add prefix fd00::/64 prefix fd01::/64 label 1",
            "bridge fdb add 02:00:00:00:00:01 dev v0 dev v1",
            "bridge link set dev w0 cost 1 cost 2",
        ] {
            let said = net.vwire(&split(line).iter().map(String::as_str).collect::<Vec<_>>()).fails(255);
            assert!(said.contains("stands twice") || said.contains("stands beside"), "{line}: {said}");
        }
        let said = net.vwire(&["link", "set", "v0", "type", "nosuch"]).fails(255);
        assert!(said.starts_with("error: cannot change link `v0`: `v0` is a veth, not a nosuch\n"), "{said}");
        assert_eq!(all(net), before);
        // The same word for each end of a cable is no repetition, nor are several gateways in `nexthop` words.
        net.vwire(
            &split("link add y0 mtu 1400 type veth peer name y1 mtu 1400")
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        )
        .ok();
        net.vwire(&["link", "set", "v0", "type", "veth"]).ok();
        net.vwire_as_ip(&["link", "set", "v0", "alias", "a", "alias", "b"]).ok();
        net.vwire_as_ip(&["link", "set", "v0", "type", "nosuch"]).ok();
    });
}
