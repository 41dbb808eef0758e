//! Random edits by hand in a lab's nodes: `status` tells them, `up` makes the lab what it was, strangers stay.
//!
//! `VWIRE_LAB_SEEDS=500` tries as many; `VWIRE_LAB_SEED=17` only that one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::lab::{Lab, lab};
use crate::lab_random::{Dice, draw, seeds, settled_devices};
use crate::lab_state::{differing, settled};
use crate::lab_up::file;

/// How many labs are tried unless `VWIRE_LAB_SEEDS` says.
const SEEDS: u64 = 3;
/// What a device is called that is nobody's of the lab.
const STRANGER: &str = "strange";

/// A line for the shell that changes something by hand, in a namespace; nothing where there is nothing to be changed.
fn edit(net: &Lab, dice: &Dice, number: u64) -> Option<String> {
    let key = |what: &str| format!("edit {number} {what}");
    let names = net.ip(&["netns", "list"]).ok();
    let names: Vec<&str> = names.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let one = |what: &str, of: &[String]| -> Option<String> {
        let at = dice.pick(&key(what), u64::try_from(of.len()).unwrap().max(1));
        of.get(usize::try_from(at).unwrap()).cloned()
    };
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let (node, other) = (one("node", &names)?, one("other node", &names)?);
    let links: Value = serde_json::from_str(&net.ip(&["-n", &node, "-j", "link", "show"]).ok()).ok()?;
    let devices = links.as_array()?.iter().filter_map(|link| link["ifname"].as_str()).map(str::to_owned);
    let devices: Vec<String> = devices.filter(|name| name != "lo" && name != STRANGER).collect();
    let device = one("device", &devices)?;
    let words = |line: &str| line.lines().map(str::to_owned).collect::<Vec<_>>();
    let on = format!("ip -n {node}");
    Some(match dice.pick(&key("what"), 21) {
        0 => format!("{on} link set {device} mtu 1301"),
        1 => {
            let said = net.ip(&["-n", &node, "-o", "addr", "show", "scope", "global"]).ok();
            let line = one("address", &words(&said))?;
            let mut parts = line.split_whitespace().skip(1);
            let (device, _, address) = (parts.next()?, parts.next()?, parts.next()?);
            if line.contains(" peer ") {
                format!("{on} addr flush dev {device} scope global")
            } else {
                format!("{on} addr del {address} dev {device}")
            }
        }
        2 => format!("{on} addr add 10.250.0.1/24 dev {device}"),
        3 => format!("{on} -4 route flush table all proto 118"),
        4 => format!("{on} link set {device} down"),
        5 => format!(
            "{on} link set {device} name zz9 || {{ {on} link set {device} down && {on} link set {device} name zz9; }}"
        ),
        6 if node != other => format!("{on} link set {device} netns {other}"),
        7 => format!("{on} link del {device}"),
        8 => format!("ip netns del {node}"),
        9 => format!("{on} link set {device} nomaster"),
        10 => format!("{on} link add {STRANGER} type bridge"),
        11 => format!("nsenter --net=/run/netns/{node} nft flush ruleset"),
        12 => format!("nsenter --net=/run/netns/{node} sysctl -q net.ipv6.conf.default.accept_dad=2"),
        13 => format!("{on} neigh flush nud permanent"),
        14 => format!("{on} neigh replace 10.250.0.9 lladdr 02:00:00:00:0a:01 dev {device} nud permanent"),
        15 => format!("tc -n {node} qdisc replace dev {device} root tbf rate 7mbit burst 10k latency 30ms"),
        16 => format!("tc -n {node} qdisc del dev {device} root"),
        17 => format!("{on} rule add from 10.251.0.0/16 table 250"),
        18 => format!("{on} route add 10.252.0.0/16 dev {device}"),
        19 => format!("{on} link set {device} down && {on} link set {device} up"),
        _ => format!("{on} rule del priority 32765; {on} rule del priority 32764; {on} -6 rule del priority 32765"),
    })
}

/// Returns a state without what tells of strangers.
fn without_strangers(state: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = |text: &String| text.lines().filter(|line| !line.contains(STRANGER)).collect::<Vec<_>>().join("\n");
    state.iter().map(|(name, text)| (name.clone(), own(text))).collect()
}

/// Tries one lab, and tells what does not hold.
fn edited(net: &Lab, seed: u64) -> Result<(), String> {
    let dice = Dice::new(seed);
    let text = draw(&dice);
    let path = file("edited.toml", &text);
    let run = |words: &[&str]| {
        let said = net.vwire(words);
        if said.exit == 0 { Ok(said) } else { Err(format!("vwire {words:?}: {}{}", said.stdout, said.stderr)) }
    };
    run(&["up", &path])?;
    let wanted = settled(net, &text);
    let mut done = Vec::new();
    for number in 0..=dice.pick("how many edits", 6) {
        if let Some(line) = edit(net, &dice, number) {
            let said = net.run(net.command("sh", &["-c", &line]));
            done.push(format!("{line} # {}", said.exit));
        }
    }
    let done = done.join("\n");
    let now = without_strangers(&settled(net, &text));
    let status = net.vwire(&["status", "pair"]);
    if now != wanted && status.exit != 3 {
        return Err(format!("{done}\nstatus says {}: {}\n{}", status.exit, status.stdout, differing(&now, &wanted)));
    }
    run(&["up", &path]).map_err(|told| format!("{done}\n{told}"))?;
    let now = without_strangers(&settled(net, &text));
    if now != wanted {
        return Err(format!("{done}\n{}", differing(&now, &wanted)));
    }
    run(&["status", "pair"]).map_err(|told| format!("{done}\n{told}"))?;
    run(&["down", "pair"]).map(drop)
}

#[test]
fn whatever_hands_have_changed_is_told_and_mended() {
    for seed in seeds(SEEDS) {
        lab(|net| {
            settled_devices();
            if let Err(told) = edited(net, seed) {
                let text = std::fs::read_to_string("/run/edited.toml").unwrap_or_default();
                panic!("VWIRE_LAB_SEED={seed}\n--- second\n{text}\n\n{told}");
            }
        });
    }
}
