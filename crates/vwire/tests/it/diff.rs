//! `vwire diff`, and plans, drawings and files made from a snapshot in the place of the network.

use std::fs;

use serde_json::Value;

use crate::lab::{Lab, lab, until};

/// Where a test's snapshots are: `/run` is the lab's own.
const BEFORE: &str = "/run/before.json";
const AFTER: &str = "/run/after.json";

/// A cable into another namespace, with an address.
fn arrange(net: &Lab) {
    net.arrange(&[
        "netns add blue",
        "link add v0 type veth peer name v1 netns blue",
        "link set v0 addrgenmode none",
        "-n blue link set v1 addrgenmode none",
        "addr add 10.0.0.1/24 dev v0",
        "link set v0 up",
        "-n blue link set v1 up",
    ]);
    for end in [&["link", "show", "v0"][..], &["-n", "blue", "link", "show", "v1"]] {
        until("a carrier", || net.ip(end).ok().contains("state UP").then_some(()));
    }
}

fn keep(net: &Lab, file: &str) {
    fs::write(file, net.vwire(&["snapshot"]).ok()).unwrap();
}

/// Returns what is told of the namespaces of this test; those of others come and go meanwhile.
fn own(text: &str) -> String {
    let mut kept = String::new();
    let mut is_own = false;
    for line in text.lines() {
        if !line.starts_with(' ') {
            is_own = ["this namespace", "blue", "red"].contains(&line);
        }
        if is_own {
            kept.push_str(&format!("{line}\n"));
        }
    }
    kept
}

#[test]
fn what_changed_since_a_snapshot_is_told() {
    lab(|net| {
        arrange(net);
        until("nothing that changes by itself", || {
            keep(net, BEFORE);
            own(&net.vwire(&["diff", BEFORE]).stdout).is_empty().then_some(())
        });
        net.arrange(&[
            "link set v0 mtu 1400",
            "route add 10.9.0.0/16 via 10.0.0.7",
            "link add br0 type bridge",
            "-n blue link set v1 down",
            "-n blue addr add 10.0.0.2/24 dev v1",
            "-n blue rule add from 192.0.2.4 table 7 priority 50",
            "netns add red",
        ]);
        // The kernel's own routes come and go with links and addresses.
        let own = |text: &str| -> String {
            own(text).lines().filter(|line| !line.contains("table local")).map(|line| format!("{line}\n")).collect()
        };
        until("no carrier", || net.ip(&["link", "show", "v0"]).ok().contains("state DOWN").then_some(()));
        let told = net.vwire(&["diff", BEFORE]);
        let wanted = "this namespace\n  ~ link v0: mtu 1500 → 1400, state UP → DOWN\n  + link br0\n  \
                      + route 10.9.0.0/16 via 10.0.0.7 dev v0\n\
                      blue\n  ~ link v1: down, state UP → DOWN\n  + addr 10.0.0.2/24 dev v1\n  \
                      + rule from 192.0.2.4 table 7 priority 50\n\
                      red\n  + the namespace, with lo\n";
        assert_eq!((own(&told.stdout).as_str(), told.exit, told.stderr.as_str()), (wanted, 3, ""));
        keep(net, AFTER);
        let back = own(&net.vwire(&["diff", AFTER, BEFORE]).stdout);
        for line in ["  ~ link v0: mtu 1400 → 1500, state DOWN → UP", "  - link br0", "  - the namespace, with lo"]
        {
            assert!(back.lines().any(|told| told == line), "{line} in {back}");
        }
        let same = net.vwire(&["diff", AFTER, AFTER]);
        assert_eq!((same.stdout.as_str(), same.exit), ("", 0));
    });
}

#[test]
fn programs_read_the_differences_as_json() {
    lab(|net| {
        arrange(net);
        keep(net, BEFORE);
        net.arrange(&["link set v0 mtu 1400"]);
        let _queue = vwire_tuntap::Builder::tap(vwire_tuntap::DeviceName::new("tap7").unwrap()).open().unwrap();
        let told = net.vwire(&["-j", "diff", BEFORE]);
        let document: Value = serde_json::from_str(&told.stdout).unwrap();
        let here = &document["namespaces"][0];
        assert_eq!((&here["namespace"], &here["fate"]), (&Value::Null, &Value::from("stayed")));
        let has = |wanted: Value| here["changes"].as_array().unwrap().contains(&wanted);
        assert!(has(serde_json::json!(
            {"object": "link v0", "attribute": "mtu", "was": "1500", "is": "1400", "change": "change"}
        )));
        assert!(has(serde_json::json!({"object": "link tap7", "change": "add"})));
        let held = here["changes"].as_array().unwrap().iter().find(|change| change["attribute"] == "held by").unwrap();
        assert!(held["is"].as_str().unwrap().ends_with(&format!("(pid {})", std::process::id())), "{held}");
    });
}

#[test]
fn what_is_no_snapshot_is_refused() {
    lab(|net| {
        fs::write("/run/other", "{}").unwrap();
        for file in ["/run/other", "/run/nosuch"] {
            let told = net.vwire(&["diff", file]);
            assert_eq!((told.exit, told.stdout.as_str()), (1, ""));
            assert!(told.stderr.starts_with(&format!("error: cannot read the snapshot `{file}`: ")), "{}", told.stderr);
        }
        assert_eq!(net.vwire(&["diff"]).exit, 2);
    });
}

#[test]
fn a_plan_may_be_made_for_what_was() {
    lab(|net| {
        arrange(net);
        keep(net, BEFORE);
        net.arrange(&["link del v0", "netns del blue"]);
        let lines = "link set v0 mtu 1400\nroute add 10.9.0.0/16 via 10.0.0.7\n\
                     link add x0 type veth peer name x1 netns blue\naddr add 10.1.0.1/24 dev x0\n";
        fs::write("/run/lines", lines).unwrap();
        let planned = net.vwire(&["--from", BEFORE, "batch", "--plan", "/run/lines"]);
        let wanted = "link set v0 mtu 1400\n    set link v0: mtu 1500 → 1400\n\
                      route add 10.9.0.0/16 via 10.0.0.7\n    make route 10.9.0.0/16 via 10.0.0.7\n\
                      link add x0 type veth peer name x1 netns blue\n    make link x0\n    make link x1 in netns blue\n\
                      addr add 10.1.0.1/24 dev x0\n    make addr 10.1.0.1/24 dev x0\n";
        assert_eq!(planned.ok(), wanted);
        let one = net.vwire(&["--from", BEFORE, "-n", "blue", "--plan", "addr", "add", "10.0.0.2/24", "dev", "v1"]);
        assert_eq!(one.ok(), "addr add 10.0.0.2/24 dev v1\n    make addr 10.0.0.2/24 dev v1\n");
        let wrong = net.vwire(&["--from", BEFORE, "--plan", "link", "add", "y0", "netns", "red", "type", "bridge"]);
        assert!(wrong.exit != 0 && wrong.stderr.contains("there is no namespace `red`"), "{}", wrong.stderr);
        assert_eq!(net.vwire(&["link", "show", "x0"]).exit, 1, "nothing was changed");
        let done = net.vwire(&["--from", BEFORE, "batch", "/run/lines"]);
        assert!(done.exit == 2 && done.stderr.contains("leave out `--from`"), "{}", done.stderr);
    });
}

#[test]
fn what_was_is_drawn_and_written_as_a_labs_file() {
    lab(|net| {
        arrange(net);
        keep(net, BEFORE);
        let (drawn, written) = (net.vwire(&["graph"]).ok(), net.vwire(&["import", "blue"]).ok());
        net.arrange(&["link del v0", "netns del blue"]);
        let cable = |text: &str| {
            let is_it = |line: &&str| line.contains("v0 10.0.0.1/24") && line.contains("blue v1");
            text.lines().find(is_it).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        assert!(cable(&drawn).is_some(), "{drawn}");
        assert_eq!(cable(&net.vwire(&["--from", BEFORE, "graph"]).ok()), cable(&drawn));
        let recalled = net.vwire(&["--from", BEFORE, "import", "blue"]).ok();
        let lacks = "# - translations, filters and conditions of wires: a snapshot has none\n";
        assert_eq!(recalled.replace(lacks, ""), written);
        let all = net.vwire(&["--from", BEFORE, "import"]).ok();
        assert!(all.contains("\"host:v0 10.0.0.1/24 -- blue:v1\""), "{all}");
    });
}
