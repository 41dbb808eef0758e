//! What a lab's file expects, tried: pings in both families, TCP ports, sizes of packets; and what is no drift.

use vwire::Lab as Scoped;

use crate::lab::{Lab, lab};
use crate::lab_up::file;

/// Two hosts with addresses of both families; bob lets no TCP in to port 22.
const BOTH: &str = "name = \"both\"\nchecks = [\"alice reaches bob\"]\n\
    wires = [\"alice 10.0.0.1/24 fd00::1/64 -- bob 10.0.0.2/24 fd00::2/64\"]\n\
    [node.alice]\n[node.bob]\nfilter = [\"drop input tcp 22\"]\n";

/// Returns what `check` says of each check: its words, whether it holds, and what was seen.
fn checked(net: &Lab, path: &str) -> Vec<(String, bool, String)> {
    let said = net.vwire(&["-j", "check", path]).stdout;
    let document: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let row = |row: &serde_json::Value| {
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        (text("check"), row["holds"].as_bool().unwrap(), text("seen"))
    };
    document.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn a_name_is_tried_in_each_family_that_both_have() {
    lab(|net| {
        let path = file("both.toml", BOTH);
        net.vwire(&["up", &path]).ok();
        let [(words, holds, seen)] = &checked(net, &path)[..] else { panic!("one check") };
        assert!(*holds && seen.contains("IPv4: ") && seen.contains(", IPv6: "), "{words}: {seen}");
        net.arrange(&["-n both.bob -6 addr del fd00::2/64 dev eth0"]);
        let (_, holds, seen) = checked(net, &path).remove(0);
        assert!(!holds && seen.starts_with("IPv6: ") && !seen.contains("IPv4"), "{seen}");
        net.vwire(&["down", "both"]).ok();
    });
}

#[test]
fn a_port_is_reached_where_somebody_listens_and_shut_by_a_filter_alone() {
    lab(|net| {
        let checks = "\"alice reaches bob tcp 80\", \"alice must-not-reach bob tcp 22\", \
            \"alice must-not-reach bob tcp 23\", { from = \"alice\", must-not-reach = \"bob\", tcp = 22 }";
        let path = file("both.toml", &BOTH.replace("\"alice reaches bob\"", checks));
        net.vwire(&["up", &path]).ok();
        let found = checked(net, &path);
        let words: Vec<&str> = found.iter().map(|(words, ..)| words.as_str()).collect();
        let shut = "alice must-not-reach bob tcp 22";
        assert_eq!(words, ["alice reaches bob tcp 80", shut, "alice must-not-reach bob tcp 23", shut]);
        assert!(!found[0].1 && found[0].2.contains("refused: nobody listens there"), "{}", found[0].2);
        assert!(found[1].1 && found[1].2.contains("no answer"), "{}", found[1].2);
        assert!(
            !found[2].1 && found[2].2.contains("is connected in "),
            "nobody listens, yet the way is open: {}",
            found[2].2
        );
        assert!(found[3].1);
        net.vwire(&["down", "both"]).ok();
    });
}

#[test]
fn a_port_that_is_served_is_reached() {
    let text = BOTH.replace("\"alice reaches bob\"", "\"alice reaches bob tcp 80\"");
    let lab = match Scoped::from_toml(&text).unwrap().up() {
        Ok(lab) => lab,
        Err(error) if std::env::var_os("VWIRE_SKIP_PRIVILEGED").is_some_and(|value| value == "1") => {
            eprintln!("SKIPPED a_port_that_is_served_is_reached: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    assert!(lab.check().is_err());
    let bob = lab.node("bob").unwrap();
    let _listeners = ["10.0.0.2:80", "[fd00::2]:80"].map(|address| bob.tcp_listener(address).unwrap());
    lab.check().unwrap();
}

#[test]
fn what_cannot_be_sent_is_told_as_that() {
    lab(|net| {
        let text = "name = \"far\"\nnodes = [\"alice\"]\nchecks = [\"alice must-not-reach 192.0.2.1\", \
            \"alice must-not-reach 192.0.2.1 tcp 80\"]\n";
        let path = file("far.toml", text);
        net.vwire(&["up", &path]).ok();
        for (words, holds, seen) in checked(net, &path) {
            assert!(holds && seen.starts_with("nothing was sent: ") && seen.contains("unreachable"), "{words}: {seen}");
        }
        net.vwire(&["down", "far"]).ok();
    });
}

#[test]
fn a_size_that_did_not_fit_fits_once_the_way_is_wider() {
    lab(|net| {
        let text = "name = \"wide\"\nchecks = [\"a b mtu 1400\"]\n\
            wires = [\"a 10.0.1.2/24 fd01::2/64 -- r 10.0.1.1/24 fd01::1/64\", \
            \"r 10.0.2.1/24 fd02::1/64 -- b 10.0.2.2/24 fd02::2/64 mtu 1280\"]\n\
            [node.a]\nroutes = [\"default via 10.0.1.1\", \"::/0 via fd01::1\"]\n[node.r]\nforwarding = true\n\
            [node.b]\nroutes = [\"default via 10.0.2.1\", \"::/0 via fd02::1\"]\n";
        let path = file("wide.toml", text);
        net.vwire(&["up", &path]).ok();
        let (_, holds, seen) = checked(net, &path).remove(0);
        assert!(!holds && seen.matches("1280").count() == 2, "{seen}");
        let path = file("wide.toml", &text.replace("mtu 1280", "mtu 1400"));
        net.vwire(&["up", &path]).ok();
        let (_, holds, seen) = checked(net, &path).remove(0);
        assert!(holds, "{seen}");
        net.vwire(&["down", "wide"]).ok();
    });
}

#[test]
fn who_speaks_to_itself_or_over_a_tun_has_not_drifted() {
    lab(|net| {
        let path = file("own.toml", &format!("{BOTH}[node.bob.tun.tun0]\naddress = [\"10.9.0.1/24\"]\n"));
        net.vwire(&["up", &path]).ok();
        for (node, to) in [("alice", "127.0.0.1"), ("alice", "10.0.0.1"), ("bob", "10.9.0.1"), ("bob", "fd00::2")] {
            net.vwire(&["exec", "-l", "both", node, "--", env!("CARGO_BIN_EXE_vwire"), "ping", "-c1", to]).ok();
        }
        let neighbours = net.ip(&["-n", "both.alice", "neigh", "show", "nud", "noarp"]).ok();
        let status = net.vwire(&["status", "both"]);
        assert_eq!(status.exit, 0, "{}{}", status.stdout, neighbours);
        assert_eq!(net.vwire(&["plan", &path]).ok(), "");
        net.vwire(&["down", "both"]).ok();
    });
}

#[test]
fn checks_alone_that_changed_are_those_that_are_tried() {
    lab(|net| {
        let path = file("both.toml", BOTH);
        net.vwire(&["up", &path]).ok();
        let path = file("both.toml", &BOTH.replace("alice reaches bob", "bob reaches alice"));
        let again = net.vwire(&["up", &path]);
        assert_eq!((again.exit, again.stdout.as_str(), again.stderr.as_str()), (0, "", ""));
        assert_eq!(checked(net, "both")[0].0, "bob reaches alice");
        net.vwire(&["down", "both"]).ok();
    });
}

#[test]
fn commands_know_the_nodes_by_their_names() {
    lab(|net| {
        let text = BOTH.replace(
            "[node.alice]",
            "[node.alice]\nrun = \"getent hosts bob >/run/heard && getent hosts alice >>/run/heard\"",
        );
        let path = file("both.toml", &text);
        net.vwire(&["up", &path]).ok();
        let heard = std::fs::read_to_string("/run/heard").unwrap();
        assert!(heard.contains("bob.both") && heard.contains("alice.both"), "{heard}");
        net.vwire(&["down", "both"]).ok();
    });
}

#[test]
fn a_plan_spells_devices_as_ip_does() {
    lab(|net| {
        let text = "name = \"words\"\nwires = [\"a 192.0.2.1/24 -- b 192.0.2.2/24\"]\n[node.a]\n[node.b]\n\
            [node.a.vxlan.vx0]\nvni = 7\nremote = \"192.0.2.2\"\nlocal = \"192.0.2.1\"\n\
            [node.a.macvlan.mv0]\nparent = \"eth0\"\nmode = \"bridge\"\n\
            [node.a.tap.tap0]\nowner = \"nobody\"\n";
        let plan = net.vwire(&["plan", &file("words.toml", text)]);
        assert_eq!(plan.exit, 3, "{}", plan.stderr);
        for words in [
            "remote 192.0.2.2",
            "local 192.0.2.1",
            "dstport 4789",
            "mode bridge",
            "tuntap add tap0 mode tap user 65534",
        ] {
            assert!(plan.stdout.contains(words), "{words} in {}", plan.stdout);
        }
    });
}

#[test]
fn import_takes_named_namespaces_and_writes_what_reads_back() {
    lab(|net| {
        net.arrange(&[
            "netns add one",
            "netns add two",
            "link add e1 netns one type veth peer name e2 netns two",
            "-n one addr add 10.0.0.1/24 dev e1",
            "-n two addr add 10.0.0.2/24 dev e2",
            "-n one link set e1 up",
            "-n two link set e2 up",
            "-n one route add default via 10.0.0.2",
            "-n one neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev e1",
        ]);
        let all = net.vwire(&["import"]);
        assert_eq!((all.exit, all.stderr.as_str()), (0, ""), "{}", all.stdout);
        assert!(all.stdout.contains("\"one:e1 10.0.0.1/24 -- two:e2 10.0.0.2/24\""), "{}", all.stdout);
        assert!(!all.stdout.contains("pid-"), "{}", all.stdout);
        let half = net.vwire(&["import", "one"]);
        assert_eq!((half.exit, half.stderr.as_str()), (0, ""), "{}", half.stdout);
        let told = "# - e1 of one: a cable whose other end is not seen, with 1 route and 1 neighbour\n";
        assert!(half.stdout.contains(told), "{}", half.stdout);
        assert_eq!(net.vwire(&["plan", &file("half.toml", &half.stdout)]).exit, 3, "{}", half.stdout);
    });
}
