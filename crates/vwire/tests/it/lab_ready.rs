//! Tries the ready labs of `labs/`, or finds them refused by name where the kernel lacks what they are about.

use std::fs;

use vwire_netlink::wire::qdisc::Netem;
use vwire_netlink::{Create, Qdisc, Request, Socket};

use crate::lab::{Lab, lab};
use crate::sources::top;

/// The labs that any kernel with veths, bridges and VXLAN can do, and how many checks are in each.
const ANYWHERE: [(&str, usize); 9] = [
    ("bad-link", 2),
    ("bird", 3),
    ("bridge", 2),
    ("office", 6),
    ("openstack", 3),
    ("router", 4),
    ("routers", 3),
    ("tour", 2),
    ("vxlan", 4),
];
/// The labs that need netem.
const WITH_NETEM: [&str; 1] = ["bad-air"];

fn path_of(name: &str) -> String {
    format!("{}/labs/{name}.toml", top().display())
}

/// Returns all that is seen of the machine from outside of a lab.
fn machine(net: &Lab) -> Vec<String> {
    let said = |words: &[&str]| net.ip(words).ok();
    let files = |path: &str| fs::read_dir(path).map_or(0, Iterator::count).to_string();
    vec![
        said(&["-d", "link"]),
        said(&["addr"]),
        said(&["route", "show", "table", "all"]),
        said(&["rule"]),
        said(&["netns"]),
        files("/run/vwire"),
    ]
}

fn has_netem() -> bool {
    let mut socket = Socket::open().unwrap();
    let lo = Qdisc::root(1).with_netem(&Netem { limit: 1000, ..Netem::default() });
    let has = socket.request(&Request::new_qdisc(&lo, Create::OrReplace)).is_ok();
    if has {
        socket.request(&Request::del_qdisc(&Qdisc::root(1))).unwrap();
    }
    has
}

/// Tries a lab: its checks hold, it is drawn as its file is, and nothing is left of it.
fn tries(name: &str, checks: usize) {
    lab(|net| {
        net.arrange(&["link set lo up"]);
        let before = machine(net);
        let said = net.vwire(&["try", &path_of(name)]);
        assert_eq!(said.exit, 0, "{name}: {}{}", said.stdout, said.stderr);
        let (table, drawn) = said.stdout.split_once(" checks hold\n\n").expect("a drawing behind the checks");
        assert_eq!(table.lines().filter(|line| line.contains(" yes ")).count(), checks, "{table}");
        assert_eq!(drawn, net.vwire(&["graph", &path_of(name)]).ok(), "{name}");
        assert_eq!(machine(net), before, "{name}");
    });
}

#[test]
fn the_labs_that_are_ready_hold_what_they_promise() {
    for (name, checks) in ANYWHERE.into_iter().filter(|(name, _)| !["bird", "bad-link"].contains(name)) {
        tries(name, checks);
    }
}

#[test]
fn three_routers_find_the_ways_by_themselves() {
    tries("bird", 3);
}

#[test]
fn a_rate_is_what_the_lab_says() {
    tries("bad-link", 2);
}

#[test]
fn what_the_kernel_lacks_is_named_before_anything_is_touched() {
    for name in WITH_NETEM {
        lab(|net| {
            net.arrange(&["link set lo up"]);
            let before = machine(net);
            let said = net.vwire(&["try", &path_of(name)]);
            if has_netem() {
                assert_eq!(said.exit, 0, "{name}: {}{}", said.stdout, said.stderr);
            } else {
                assert_eq!((said.exit, said.stdout.as_str()), (1, ""), "{}", said.stderr);
                let named = "this kernel has no netem (CONFIG_NET_SCH_NETEM), which `delay`, `jitter`, `loss` need";
                let named = said.stderr.contains(named) && said.stderr.contains("bad-air.toml:9:");
                assert!(named && said.stderr.ends_with("nothing was changed\n"), "{}", said.stderr);
                assert_eq!(net.vwire(&["plan", &path_of(name)]).exit, 1);
            }
            assert_eq!(machine(net), before, "{name}");
        });
    }
}

#[test]
fn each_lab_that_is_ready_is_tried_and_drawn_in_the_documents() {
    let mut found: Vec<String> = fs::read_dir(top().join("labs"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut tried: Vec<&str> = ANYWHERE.iter().map(|(name, _)| *name).chain(WITH_NETEM).collect();
    tried.sort_unstable();
    assert_eq!(found, tried);
    let drawn = fs::read_to_string(top().join("docs/labs.md")).unwrap();
    for name in found {
        assert!(drawn.contains(&format!("$ vwire graph labs/{name}.toml\n")), "docs/labs.md does not draw {name}");
    }
}
