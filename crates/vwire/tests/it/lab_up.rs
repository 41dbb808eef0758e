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
        let said = net.ip(&[&inside, words].concat());
        if said.stderr.starts_with("Cannot open network namespace") {
            // It went since it was listed.
            return text;
        }
        text.push_str(&without_timers(&said.ok()));
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
        assert!(said.contains("lab `pair` has no node `nobody`\nhint: it has `alice`, `bob`, `lan`"), "{said}");
        let said = net.vwire(&["exec", "-l", "pair", "alise", "--", "true"]).fails(126);
        assert!(said.contains("hint: did you mean `alice`?"), "{said}");
    });
}

#[test]
fn a_plan_says_what_comes_and_goes_and_changes_nothing() {
    lab(|net| {
        let before = machine(net);
        let path = file("pair.toml", PAIR);
        let plan = net.vwire(&["plan", &path]);
        assert_eq!(plan.exit, 3, "{}", plan.stderr);
        for line in [
            "alice\n  + netns add pair.alice\n",
            "  + addr add 10.0.0.1/24 dev eth0\n",
            "  + link add alice master lan ",
        ] {
            assert!(plan.stdout.contains(line), "{line} is not in\n{}", plan.stdout);
        }
        assert_same(&machine(net), &before);
        net.vwire(&["up", &path]).ok();
        assert_eq!(net.vwire(&["plan", &path]).ok(), "");
        let path = file("pair.toml", &PAIR.replace("bob 10.0.0.2", "bob 10.0.0.3"));
        let plan = net.vwire(&["plan", &path]);
        assert_eq!(plan.stdout, "bob\n  - addr del 10.0.0.2/24 dev eth0\n  + addr add 10.0.0.3/24 dev eth0\n");
        let document = net.vwire(&["plan", "-j", &path]);
        let first =
            r#"{"lab":"pair","changes":[{"node":"bob","change":"delete","words":"addr del 10.0.0.2/24 dev eth0"}"#;
        assert!(document.exit == 3 && document.stdout.starts_with(first), "{}", document.stdout);
    });
}

#[test]
fn what_hands_have_changed_is_told_and_mended_and_a_stranger_is_left() {
    lab(|net| {
        let path = file("pair.toml", &format!("{PAIR}[node.alice]\nroutes = [\"10.7.0.0/16 via 10.0.0.2\"]\n"));
        net.vwire(&["up", &path]).ok();
        assert_eq!(net.vwire(&["status"]).ok(), "lab `pair` is as it was applied: 2 nodes, 1 bridge, 2 wires\n");
        net.arrange(&[
            "-n pair.alice addr add 10.9.0.1/24 dev eth0",
            "-n pair.alice route add 10.8.0.0/16 via 10.0.0.2 proto bird",
            "-n pair.alice route add 10.6.0.0/16 via 10.0.0.2",
            "-n pair.alice route del 10.7.0.0/16",
            "-n pair.alice rule add from 10.3.3.3 table 77",
            "-n pair.bob link set eth0 mtu 1400",
            "-n pair.bob link add strange type bridge",
            "-n pair.lan link set bob nomaster",
        ]);
        let status = net.vwire(&["status", "pair"]);
        assert_eq!(status.exit, 3);
        for line in [
            "lab `pair` differs in 6 points:",
            "alice: addr 10.9.0.1/24 dev eth0",
            "alice: route 10.7.0.0/16 via 10.0.0.2 is missing",
            "alice: route 10.6.0.0/16 via 10.0.0.2 dev eth0 is there and should not be",
            "alice: rule from 10.3.3.3 table 77",
            "bob: link eth0: mtu is 1400, should be 1500",
            "lan: link bob: master",
            "bob: device strange is not the lab's, and stays",
        ] {
            assert!(status.stdout.contains(line), "{line} is not in\n{}", status.stdout);
        }
        net.vwire(&["up", &path]).ok();
        let status = net.vwire(&["status", "pair"]);
        assert_eq!(status.exit, 0, "{}", status.stdout);
        let routes = net.ip(&["-n", "pair.alice", "route"]).ok();
        assert!(routes.contains("10.8.0.0/16 via 10.0.0.2 dev eth0 proto bird"), "{routes}");
        assert!(net.ip(&["-n", "pair.bob", "link", "show", "strange"]).exit == 0);
    });
}

#[test]
fn one_wire_is_changed_and_the_other_keeps_what_it_knows() {
    lab(|net| {
        let path = file("pair.toml", PAIR);
        net.vwire(&["up", &path]).ok();
        assert!(pings(net, &path, "alice", "10.0.0.2"));
        let neighbours = || net.ip(&["-n", "pair.alice", "neigh"]).ok();
        let before = neighbours();
        let path = file(
            "pair.toml",
            &PAIR.replace("\"bob\"]", "\"bob\", \"carol\"]").replace("lan\"]", "lan\", \"carol -- lan\"]"),
        );
        net.vwire(&["up", &path]).ok();
        assert_eq!(neighbours().split(' ').take(5).collect::<Vec<_>>(), before.split(' ').take(5).collect::<Vec<_>>());
        assert!(before.contains("lladdr"), "{before}");
    });
}

#[test]
fn a_check_that_does_not_hold_is_told_with_an_exit_code() {
    lab(|net| {
        let path = file("pair.toml", &PAIR.replace("wires", "checks = [\"alice reaches bob\", \"alice reaches 10.0.0.77\", \"alice bob mtu 1500\", \"alice bob mtu 1501\"]\nwires"));
        net.vwire(&["up", &path]).ok();
        let said = net.vwire(&["check", &path]);
        assert_eq!(said.exit, 1, "{}", said.stderr);
        assert!(said.stdout.ends_with("2 of 4 checks do not hold\n"), "{}", said.stdout);
    });
}

#[test]
fn a_lab_that_is_called_as_its_file_is_known_by_that_name() {
    lab(|net| {
        let text = "nodes = [\"alice\", \"bob\"]\nwires = [\"alice 10.0.0.1/24 -- bob 10.0.0.2/24\"]\n\
            checks = [\"alice reaches bob\"]\n[node.bob.tap.tap0]\nowner = \"nobody\"\n";
        let path = file("nameless.toml", text);
        net.vwire(&["up", &path]).ok();
        for which in ["nameless", path.as_str()] {
            assert_eq!(net.vwire(&["status", which]).ok(), "lab `nameless` is as it was applied: 2 nodes, 1 wire\n");
            net.vwire(&["check", which]).ok();
        }
        net.vwire(&["-n", "nameless.bob", "link", "set", "eth0", "mtu", "1400"]).ok();
        let said = net.vwire(&["status"]);
        assert_eq!((said.exit, said.stdout.lines().count()), (3, 2), "{}", said.stdout);
        net.vwire(&["down", "nameless"]).ok();
    });
}

#[test]
fn two_at_once_wait_for_each_other() {
    lab(|net| {
        let before = machine(net);
        let path = file("pair.toml", PAIR);
        for _ in 0..3 {
            let mut many: Vec<_> = ["up", "up", "down", "up", "down"]
                .map(|verb| net.command_of(crate::lab::Who::Vwire, &[verb, &path]).spawn().unwrap())
                .into();
            for child in &mut many {
                assert!(child.wait().unwrap().success());
            }
        }
        net.vwire(&["up", &path]).ok();
        net.vwire(&["status", "pair"]).ok();
        net.vwire(&["down", &path]).ok();
        assert_same(&machine(net), &before);
    });
}
