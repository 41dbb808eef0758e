//! What verbs on labs say of what differs, comes anew, and is somebody else's.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use vwire::lab::graph::{Device, Picture, Place, dot, of_lab, svg};

use crate::lab::lab;

/// A router that translates, filters and is slow, and a TAP.
const LAB: &str = "name = 'w'\nnodes = ['a', 'b']\n\
                   wires = ['a:eth0 10.0.0.1/24 -- b:eth0 10.0.0.2/24 rate 10mbit']\n\
                   [node.a]\nforwarding = true\nnat = ['masquerade out eth0']\nfilter = ['accept input tcp 22', 'drop input']\n\
                   [node.a.tap.tap0]\nOWNER\n";

fn file(name: &str, owner: &str) -> String {
    let path = format!("/run/{name}.toml");
    std::fs::write(&path, LAB.replace("OWNER", owner)).unwrap();
    path
}

#[test]
fn what_differs_beside_the_tables_is_told_by_name_and_strangers_stay() {
    lab(|net| {
        let path = file("w", "");
        net.vwire(&["up", &path]).ok();
        assert_eq!(net.vwire(&["status"]).ok(), "lab `w` is as it was applied: 2 nodes, 1 wire\n");
        let nft = |words: &str| {
            let words: Vec<&str> = ["exec", "a", "--", "nft"].into_iter().chain(words.split(' ')).collect();
            net.vwire(&words).ok();
        };
        nft("flush chain inet vwire-w input");
        nft("add rule inet vwire-w input tcp dport 23 accept");
        nft("add rule inet vwire-w input tcp dport 9 counter");
        nft("add chain inet vwire-w mine");
        nft("add table ip6 other");
        for words in ["qdisc del dev eth0 root", "qdisc add dev tap0 root htb"] {
            let words: Vec<&str> = ["exec", "a", "--", "tc"].into_iter().chain(words.split(' ')).collect();
            net.vwire(&words).ok();
        }
        net.vwire(&["-n", "w.a", "link", "set", "tap0", "down"]).ok();
        let status = net.vwire(&["status"]);
        let handles = regex_lite::Regex::new("handle [0-9]+").unwrap();
        let told = handles.replace_all(&status.stdout, "handle N").into_owned();
        let wanted = "lab `w` differs in 7 points:\n  \
                      a: link tap0 is down, should be up\n  \
                      a: link eth0: qdisc is noqueue, should be tbf rate 10mbit\n  \
                      a: nft rule \"accept input tcp 22\" is missing\n  \
                      a: nft rule \"drop input\" is missing\n  \
                      a: nft rule \"accept input tcp 23\" (handle N) is there and should not be\n  \
                      a: nft rule with handle N in chain input is there and should not be\n  \
                      a: nft chain mine is there and should not be\n  \
                      a: qdisc htb of tap0 is not the lab's, and stays\n  \
                      a: nft table ip6 other is not the lab's, and stays\n";
        assert_eq!((told.as_str(), status.exit), (wanted, 3));
        let json: Value = serde_json::from_str(&net.vwire(&["status", "-j"]).stdout).unwrap();
        let wanted = serde_json::json!({
            "node": "a", "object": "link eth0", "attribute": "qdisc", "is": "noqueue", "should": "tbf rate 10mbit",
            "words": "link eth0: qdisc is noqueue, should be tbf rate 10mbit"
        });
        assert_eq!(json["drift"][1], wanted);
        let wanted = serde_json::json!([
            {"node": "a", "device": "tap0", "qdisc": "htb"}, {"node": "a", "family": "ip6", "table": "other"}
        ]);
        assert_eq!(json["strangers"], wanted);
        net.vwire(&["up", &path]).ok();
        let wanted = "lab `w` is as it was applied: 2 nodes, 1 wire\n  \
                      a: qdisc htb of tap0 is not the lab's, and stays\n  \
                      a: nft table ip6 other is not the lab's, and stays\n";
        assert_eq!(net.vwire(&["status"]).ok(), wanted);
    });
}

#[test]
fn a_plan_says_why_a_device_goes_and_comes_again() {
    lab(|net| {
        net.vwire(&["up", &file("w", "")]).ok();
        let path = file("x", "owner = 'nobody'");
        let plan = net.vwire(&["plan", &path]);
        let line = "  - link del tap0 (comes anew: its user cannot change from none to 65534)\n";
        assert!(plan.stdout.contains(line), "{}", plan.stdout);
        assert_eq!(plan.exit, 3);
        let json: Value = serde_json::from_str(&net.vwire(&["plan", "-j", &path]).stdout).unwrap();
        let why: Vec<&Value> = json["changes"].as_array().unwrap().iter().filter_map(|one| one.get("why")).collect();
        assert_eq!(why, ["comes anew: its user cannot change from none to 65534"]);
        net.vwire(&["-n", "w.a", "link", "del", "tap0"]).ok();
        net.vwire(&["-n", "w.a", "link", "add", "tap0", "type", "bridge"]).ok();
        let status = net.vwire(&["status"]);
        assert!(status.stdout.contains("a: link tap0: type is bridge, should be tun\n"), "{}", status.stdout);
    });
}

/// All that a picture says of its places and devices.
fn facts(picture: &Picture) -> Vec<String> {
    let of_device =
        |device: &Device| [vec![device.name.clone()], device.addresses.clone(), device.notes.clone()].concat();
    let of_place = |place: &Place| {
        let devices = place.devices.iter().filter(|device| device.kind != "bridge").flat_map(of_device);
        place.notes.iter().cloned().chain(devices).collect::<Vec<_>>()
    };
    picture.places.iter().flat_map(of_place).collect()
}

#[test]
fn graphviz_and_mermaid_are_told_all_that_text_tells() {
    let labs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../labs");
    let own = "nodes = ['b', 'c']\nwires = ['b 10.0.0.1/24 -- c 10.0.0.2/24 rate 10mbit', 'c -- lan']\n[bridge.lan]\n\
               [node.b]\nlo = '10.9.9.9/32'\nforwarding = true\nnat = ['masquerade out eth0']\nfilter = ['drop input tcp 9']\n\
               [node.b.tap.tap0]\naddress = '10.1.0.1/24'\n[node.c.macvlan.m0]\nparent = 'eth0'\n\
               [node.b.vxlan.vx0]\nvni = 7\nremote = '10.0.0.2'\n";
    let mut files = vec![("own".to_owned(), own.to_owned())];
    for entry in fs::read_dir(labs).unwrap().flatten() {
        files.push((entry.path().display().to_string(), fs::read_to_string(entry.path()).unwrap()));
    }
    for (name, text) in files {
        let picture = match vwire::lab::file::read(&text, &name) {
            Ok((lab, _)) => of_lab::picture(&lab),
            Err(problems) => panic!("{}", problems[0].render(false, 100)),
        };
        let (dot, mermaid, svg) = (dot::dot(&picture), dot::mermaid(&picture), svg::draw(&picture));
        for fact in facts(&picture) {
            assert!(dot.contains(&fact), "{name}: {fact} is not in\n{dot}");
            assert!(mermaid.contains(&fact), "{name}: {fact} is not in\n{mermaid}");
            // Of many that are alike the drawing has one, and at bridges not what all their ports have.
            if name == "own" {
                assert!(
                    svg.contains(&fact) || fact == "lan" || fact.starts_with("eth"),
                    "{name}: {fact} is not in\n{svg}"
                );
            }
        }
        let mut judge = Command::new("dot").arg("-Tsvg").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        judge.stdin.take().unwrap().write_all(dot.as_bytes()).unwrap();
        assert!(judge.wait().unwrap().success(), "{name}: Graphviz does not understand\n{dot}");
    }
}
