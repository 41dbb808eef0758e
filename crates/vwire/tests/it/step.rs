//! Steps against a kernel: what is planned is done, and what was is brought back.

use std::time::{Duration, Instant};

use vwire::lab::namespace::{Namespace, run_in};
use vwire::step::run::{Places, Room, attempt, look, reach, run};
use vwire::step::{Difference, Names, Reading, Scope, World, converge, differences};

use crate::lab::{Lab, lab, until};

/// Opens the test's own namespace as a place.
fn places() -> Places {
    Places::new(vec![room("", Namespace::current().unwrap())])
}

fn room(name: &str, namespace: Namespace) -> Room {
    use std::os::fd::AsFd;
    let handle = namespace.as_fd().try_clone_to_owned().unwrap();
    let inside = Box::new(move |body: &mut (dyn FnMut() + Send)| run_in(&namespace, body));
    Room::new(name.to_owned(), handle, inside)
}

fn told(differences: &[Difference]) -> String {
    differences.iter().map(|difference| difference.describe(&Names::default()) + "\n").collect()
}

fn plan_of(wanted: &World, now: &World, scope: &Scope) -> String {
    let names = Names::of(Vec::new(), &[wanted, now]);
    converge(wanted, now, scope).iter().map(|step| step.describe(&names) + "\n").collect()
}

/// Takes a picture of what some lines make in a lab of their own.
fn picture(lines: &[&str]) -> Option<World> {
    crate::lab::in_lab(|net| {
        net.arrange(lines);
        settle(net);
        look(&mut places()).unwrap()
    })
}

/// Waits until the kernel has found out about carriers and duplicate addresses.
fn settle(net: &Lab) {
    until("addresses are no longer tentative", || (!net.ip(&["addr"]).ok().contains("tentative")).then_some(()));
}

/// Brings a lab with the second lines to the picture of the first, and wants no difference.
#[track_caller]
fn is_reached(wanted: &[&str], now: &[&str]) {
    let Some(wanted_world) = picture(wanted) else { return };
    lab(move |net| {
        net.arrange(now);
        let mut places = places();
        let scope = Scope::whole(1, Reading::Picture);
        let before = look(&mut places).unwrap();
        let plan = plan_of(&wanted_world, &before, &scope);
        let left = reach(&mut places, &wanted_world, &scope).unwrap();
        assert_eq!(told(&left), "", "from {now:?} to {wanted:?} by\n{plan}");
    });
}

#[test]
fn nothing_to_do_is_an_empty_plan() {
    lab(|net| {
        net.arrange(&[
            "link add v0 type veth peer name v1",
            "link set v0 up",
            "link set v1 up",
            "addr add 10.0.0.1/24 dev v0",
        ]);
        let mut places = places();
        let now = look(&mut places).unwrap();
        assert_eq!(now.cables.len(), 1);
        for reading in [Reading::Wish, Reading::Picture] {
            let scope = Scope::whole(1, reading);
            assert_eq!(plan_of(&now, &now, &scope), "");
            assert_eq!(differences(&now, &now, &scope), []);
        }
    });
}

#[test]
fn what_went_comes_again() {
    let lines = &[
        "link add v0 index 100 address 02:00:00:00:00:01 type veth peer name v1 index 101 address 02:00:00:00:00:02",
        "link set v0 up",
        "link set v1 up mtu 1400 alias hello",
        "addr add 10.0.0.1/24 dev v0",
        "addr add 10.0.0.2/24 dev v0",
        "addr add fd00::1/64 dev v0 nodad",
        "route add 10.9.0.0/16 via 10.0.0.9",
        "route add fd01::/64 via fd00::9",
    ];
    is_reached(lines, &[]);
    is_reached(&[], lines);
    is_reached(lines, lines);
}

#[test]
fn a_plan_is_told_in_the_words_of_ip() {
    let made = "link add br0 index 100 address 02:00:00:00:00:01 type bridge";
    let Some(wanted) = picture(&[made, "link set br0 mtu 1400"]) else { return };
    lab(move |net| {
        net.arrange(&[made]);
        let now = look(&mut places()).unwrap();
        let plan = plan_of(&wanted, &now, &Scope::whole(1, Reading::Picture));
        assert_eq!(plan, "link set br0 mtu 1400 (was mtu 1500)\n");
        run(&mut places(), &converge(&wanted, &now, &Scope::whole(1, Reading::Picture))).unwrap();
    });
}

/// What a namespace may have, in an order in which it can be made: each is there or not, in one of some forms.
const THINGS: &[&[&[&str]]] = &[
    &[
        &["link add v0 index 100 address 02:00:00:00:01:00 type veth peer name v1 index 101 address 02:00:00:00:01:01"],
        &[
            "link add w0 index 100 address 02:00:00:00:01:02 mtu 1400 type veth peer name w1 index 101 address 02:00:00:00:01:03",
        ],
        &["link add v0 index 100 address 02:00:00:00:01:00 type veth peer name v1 index 111 address 02:00:00:00:01:01"],
    ],
    &[
        &["link add v2 index 102 address 02:00:00:00:01:04 type veth peer name v3 index 103 address 02:00:00:00:01:05"],
        &[
            "link add v3 index 102 address 02:00:00:00:01:04 group 7 type veth peer name v2 index 103 address 02:00:00:00:01:05",
        ],
    ],
    &[
        &["link add br0 index 104 address 02:00:00:00:02:00 type bridge"],
        &[
            "link add br0 index 104 address 02:00:00:00:02:01 type bridge vlan_filtering 1 ageing_time 2000 mcast_snooping 0",
        ],
        &["link add br0 index 104 address 02:00:00:00:02:00 txqueuelen 77 type ifb"],
    ],
    &[
        &["link add mv0 index 105 address 02:00:00:00:03:00 link if100 type macvlan mode bridge"],
        &["link add mv0 index 105 address 02:00:00:00:03:00 link if100 type macvlan mode private"],
    ],
    &[
        &[
            "link add vx0 index 106 address 02:00:00:00:04:00 type vxlan id 5 dstport 4789 remote 10.7.0.1 local 10.7.0.2",
        ],
        &["link add vx0 index 106 address 02:00:00:00:04:00 type vxlan id 6 dstport 4789 nolearning"],
    ],
    &[&["link set if102 master if104"], &["link set if102 up master if104 type bridge_slave hairpin on isolated on"]],
    &[&["link set if100 up"], &["link set if100 up alias one"], &["link set if100 alias two mtu 1300"]],
    &[
        &["link set if103 up", "link set if102 up"],
        &["link set if102 up", "link set if103 up arp off addrgenmode none"],
    ],
    &[&["link set if104 up"], &["link set if104 up promisc on"]],
    &[
        &["link property add dev if103 altname another-name-of-it"],
        &["link property add dev if103 altname a altname b"],
    ],
    &[
        &["addr add 10.0.0.1/24 dev if100", "addr add 10.0.0.2/24 dev if100"],
        &["addr add 10.0.0.2/24 dev if100", "addr add 10.0.0.1/24 dev if100"],
        &["addr add 10.0.0.1/24 brd 10.0.0.255 dev if100", "addr add 10.1.0.1/16 dev if100"],
        &["addr add 10.1.0.1/16 dev if100", "addr add 10.0.0.1 peer 10.0.0.9/32 dev if100"],
    ],
    &[&["addr add 10.2.0.1/24 dev if103"], &["addr add 10.2.0.1/24 dev if103 metric 50"]],
    &[
        &["addr add fd00::1/64 dev if103 nodad", "addr add fd00::2/64 dev if103 nodad"],
        &["addr add fd00::1/64 dev if103 nodad noprefixroute"],
    ],
    &[
        &["neigh add 10.2.0.9 lladdr 02:00:00:00:09:01 dev if103"],
        &["neigh add 10.2.0.9 lladdr 02:00:00:00:09:02 dev if103"],
    ],
    &[&["neigh add proxy 10.2.0.8 dev if103"]],
    &[&["link set lo up"]],
    &[
        &["route add 10.20.0.0/16 via 10.0.0.77 dev if100"],
        &["route add 10.20.0.0/16 via 10.2.0.77 dev if103 mtu 1300"],
        &["route add 10.20.0.0/16 nexthop via 10.0.0.77 dev if100 nexthop via 10.2.0.77 dev if103 weight 3"],
        &["route add unreachable 10.20.0.0/16 metric 9", "route add 10.20.0.0/16 via 10.2.0.77 dev if103 metric 10"],
    ],
    &[
        &["route add fd20::/64 via fd00::77 dev if103"],
        &["route add fd20::/64 dev if103 metric 7", "route add blackhole fd21::/64"],
    ],
    &[&["rule add from 10.0.0.0/8 lookup 77 priority 100"], &["rule add to 10.0.0.0/8 iif v0 lookup 78 priority 100"]],
    &[&["-6 rule add fwmark 7 lookup 77 priority 100", "rule add from 10.0.0.1 blackhole priority 101"]],
    &[
        &["nexthop add id 5 via 10.2.0.66 dev if103", "route add 10.30.0.0/16 nhid 5"],
        &[
            "nexthop add id 5 via 10.2.0.66 dev if103",
            "nexthop add id 6 via 10.2.0.67 dev if103",
            "nexthop add id 7 group 5/6,3",
            "route add 10.30.0.0/16 nhid 7",
        ],
    ],
    &[&["addrlabel add prefix fd00::/16 label 99"], &["addrlabel add prefix fd00::/16 label 98"]],
];

/// Chooses, by a seed, what there is, and makes it; what cannot be made without what is missing is left out.
fn arrange_some(net: &Lab, seed: u64) -> Vec<&'static str> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut made = Vec::new();
    for forms in THINGS {
        let form = draw(forms.len() + 1);
        for line in forms.get(form).copied().unwrap_or_default() {
            let words: Vec<String> = crate::lab::split(line);
            if net.ip(&words.iter().map(String::as_str).collect::<Vec<_>>()).exit == 0 {
                made.push(*line);
            }
        }
    }
    made
}

/// From whatever is there to whatever was there: nothing differs in the end, in the judge's own words either.
#[test]
fn any_state_becomes_any_other() {
    let seeds = std::env::var("VWIRE_STEP_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(12);
    for seed in 1..=seeds {
        becomes(seed, seed + 1000);
    }
}

#[track_caller]
fn becomes(wanted: u64, now: u64) {
    let first = crate::lab::in_lab(|net| {
        let lines = arrange_some(net, wanted);
        settle(net);
        (lines, look(&mut places()).unwrap(), dump(net))
    });
    let Some((wanted_lines, wanted, wanted_dump)) = first else { return };
    lab(move |net| {
        let lines = arrange_some(net, now);
        let mut places = places();
        let scope = Scope::whole(1, Reading::Picture);
        let before = look(&mut places).unwrap();
        let plan = plan_of(&wanted, &before, &scope);
        let refused = attempt(&mut places, &converge(&wanted, &before, &scope));
        let refused: String = refused.iter().map(|failed| format!("{}: {:?}\n", failed.error, failed.step)).collect();
        let left = reach(&mut places, &wanted, &scope).unwrap();
        let about =
            format!("{refused}seed {now}, from\n{}\nto\n{}\nby\n{plan}", lines.join("\n"), wanted_lines.join("\n"));
        assert_eq!(told(&left), "", "{about}");
        let dump = settled_as(&wanted_dump, || dump(net));
        assert!(dump == wanted_dump, "{}\n{about}", crate::lab::difference(&dump, &wanted_dump));
    });
}

/// Dumps until it is as it should be, for as long as the kernel may take for what it does a moment later: what it looks
/// for duplicates of, and what it knows of carriers.
pub(crate) fn settled_as(wanted: &str, dump: impl Fn() -> String) -> String {
    let end = Instant::now() + Duration::from_secs(4);
    loop {
        let now = dump();
        if now == wanted || Instant::now() > end {
            return now;
        }
    }
}

/// What the judge shows of a namespace, without what moves by itself.
pub(crate) fn dump(net: &Lab) -> String {
    let shows = [
        "-d link",
        "addr",
        "route show table all",
        "-6 route show table all",
        "rule",
        "-6 rule",
        "neigh show nud permanent",
        "neigh show proxy",
        "nexthop",
        "addrlabel",
    ];
    let mut text = String::new();
    for show in shows {
        let said = net.ip(&show.split(' ').collect::<Vec<_>>()).ok();
        let said = crate::link_change::settled(&said);
        let mut lines: Vec<String> = said.lines().map(without_moving).collect();
        if show.contains("route") || show.contains("nexthop") || show.contains("neigh") || show.contains("label") {
            lines.sort();
        }
        text.push_str(&format!("$ ip {show}\n{}\n", lines.join("\n")));
    }
    text
}

fn without_moving(line: &str) -> String {
    let mut kept = Vec::new();
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "dead" | "linkdown" | "tentative" | "dynamic" => {}
            // What a bridge can cut follows from the ports it has had: the kernel forgets none, and nobody can set it.
            "tso_max_size"
            | "tso_max_segs"
            | "gc_timer"
            | "tcn_timer"
            | "hello_timer"
            | "topology_change_timer"
            | "hold_timer"
            | "message_age_timer"
            | "forward_delay_timer"
            | "state"
            | "port_id"
            | "designated_port"
            | "port_no"
            | "qdisc"
            | "designated_bridge"
            | "bridge_id"
            | "designated_root" => {
                words.next();
            }
            other => kept.push(other),
        }
    }
    kept.join(" ").trim_end().to_owned()
}
