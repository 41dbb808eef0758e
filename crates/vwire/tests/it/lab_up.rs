//! Labs brought up from a file, applied again, entered and taken down.

use std::path::PathBuf;

use crate::lab::{Lab, difference, lab};

/// Two hosts on a bridge.
const PAIR: &str = "name = \"pair\"\nnodes = [\"alice\", \"bob\"]\n\
    wires = [\"alice 10.0.0.1/24 -- lan\", \"bob 10.0.0.2/24 -- lan\"]\n";

/// Writes a lab's file into the test's own `/run`.
pub(crate) fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from("/run").join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Everything that a machine holds, named namespaces and all, but for what passes by itself.
pub(crate) fn machine(net: &Lab) -> String {
    let mut text = dump(net, None);
    let names = net.ip(&["netns", "list"]).ok();
    let mut names: Vec<&str> = names.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    for name in names {
        text.push_str(&format!("== {name}\n{}", dump(net, Some(name))));
    }
    text
}

/// Wants a machine to be as it was.
#[track_caller]
pub(crate) fn assert_same(now: &str, before: &str) {
    let only = |line: &&str| !line.starts_with("   ");
    let shown = || difference(now, before).lines().filter(only).collect::<Vec<_>>().join("\n");
    assert!(now == before, "`vw` is now, `ip` was before:\n{}", shown());
}

fn dump(net: &Lab, namespace: Option<&str>) -> String {
    let mut text = String::new();
    let lists: [&[&str]; 7] = [
        &["-d", "link", "show"],
        &["addr", "show"],
        &["-4", "route", "show", "table", "all"],
        &["-6", "route", "show", "table", "all"],
        &["-4", "rule"],
        &["-6", "rule"],
        &["neigh", "show", "nud", "permanent"],
    ];
    for words in lists {
        let inside: Vec<&str> = namespace.map_or_else(Vec::new, |name| vec!["-n", name]);
        text.push_str(&without_timers(&net.ip(&[&inside, words].concat()).ok()));
    }
    text
}

/// Takes the number away behind each word that ends in `_timer`.
fn without_timers(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        match kept.last() {
            Some(last) if word.is_empty() && last.ends_with("_timer") => {}
            Some(last) if last.ends_with("_timer") => kept.push("…"),
            _ => kept.push(word),
        }
    }
    // The kernel says up to a second late that a bridge whose port has a carrier has one, too.
    kept.join(" ").replace("state UNKNOWN", "state UP")
}

fn pings(net: &Lab, file: &str, node: &str, address: &str) -> bool {
    net.vwire(&["exec", "-f", file, node, "--", "ping", "-c1", "-W2", "-q", address]).exit == 0
}

#[test]
fn two_hosts_on_a_bridge_reach_each_other_and_leave_nothing() {
    lab(|net| {
        let before = machine(net);
        let file = file("pair.toml", PAIR);
        assert_eq!(net.vwire(&["up", &file]).ok(), "");
        assert!(pings(net, &file, "alice", "10.0.0.2") && pings(net, &file, "bob", "alice"));
        assert_eq!(net.vwire(&["down", &file]).ok(), "");
        assert_same(&machine(net), &before);
        assert!(!std::path::Path::new("/run/vwire").exists());
    });
}

#[test]
fn a_lab_applied_again_is_silent_and_untouched() {
    lab(|net| {
        let file = file("pair.toml", PAIR);
        net.vwire(&["up", &file]).ok();
        let up = machine(net);
        let again = net.vwire(&["up", &file]);
        assert_eq!((again.stdout.as_str(), again.stderr.as_str(), again.exit), ("", "", 0));
        assert_same(&machine(net), &up);
    });
}

#[test]
fn a_lab_goes_by_its_name_with_all_records_lost() {
    lab(|net| {
        let before = machine(net);
        let file = file("pair.toml", PAIR);
        net.vwire(&["up", &file]).ok();
        std::fs::remove_dir_all("/run/vwire").unwrap();
        net.arrange(&["netns add pair.strange"]);
        let said = net.vwire(&["down", "pair"]);
        assert_eq!(said.exit, 0);
        assert!(said.stderr.contains("namespace `pair.strange` is not the lab's and stays"), "{}", said.stderr);
        net.arrange(&["netns del pair.strange"]);
        assert_same(&machine(net), &before);
    });
}

#[test]
fn a_namespace_that_is_in_the_way_is_named_and_nothing_is_done() {
    lab(|net| {
        net.arrange(&["netns add pair.bob"]);
        let before = machine(net);
        let file = file("pair.toml", PAIR);
        let said = net.vwire(&["up", &file]).fails(1);
        assert!(said.contains("`/run/netns/pair.bob` is a namespace, which lab `pair` did not make"), "{said}");
        assert!(said.contains("pair.toml:2:") && said.contains("nothing was changed"), "{said}");
        assert_same(&machine(net), &before);
    });
}

#[test]
fn the_exit_code_of_a_program_in_a_node_comes_back() {
    lab(|net| {
        let file = file("pair.toml", PAIR);
        net.vwire(&["up", &file]).ok();
        assert_eq!(net.vwire(&["exec", "-f", &file, "alice", "--", "sh", "-c", "exit 7"]).exit, 7);
        assert_eq!(net.vwire(&["exec", "pair.alice", "sh", "-c", "echo $VWIRE_NODE"]).ok(), "alice\n");
        let hosts = net.vwire(&["exec", "alice", "--", "cat", "/etc/hosts"]).ok();
        assert!(hosts.contains("10.0.0.2 bob bob.pair"), "{hosts}");
        let said = net.vwire(&["exec", "-l", "pair", "nobody", "--", "true"]).fails(126);
        assert!(said.contains("cannot enter `nobody` of lab `pair`: No such file or directory"), "{said}");
    });
}
