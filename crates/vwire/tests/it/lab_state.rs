//! All that a machine's namespaces hold, as text to be compared, without what is free to differ.
//!
//! What is left out or made equal, and why, stands at each place where that is done; everything else counts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{Lab, difference};

/// How long two states may take to become the same: the kernel looks at carriers once a second, of all namespaces together,
/// and at a hundred links then at most (`__linkwatch_run_queue`), which other tests keep busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// What parts the outputs of two programs.
const BREAK: &str = "@@@";

/// What is asked of each namespace, a shell line each.
const QUESTIONS: [&str; 12] = [
    "ip -j -d link show",
    "ip -j addr show",
    "ip -4 route show table all",
    "ip -6 route show table all",
    "ip -4 rule",
    "ip -6 rule",
    "ip neigh show nud permanent",
    "bridge fdb show",
    "tc qdisc show",
    "nft list ruleset",
    "sysctl -a -e -r '^net[.](ipv4|ipv6|core|bridge|netfilter|mpls)[.]' 2>/dev/null",
    "ip link show",
];

/// Returns what the machine and each named namespace hold; of MAC addresses only those that `named` names count.
pub(crate) fn state(net: &Lab, named: &str) -> BTreeMap<String, String> {
    let mut names: Vec<String> = std::fs::read_dir("/run/netns")
        .map(|entries| entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
        .unwrap_or_default();
    names.sort();
    let raw: BTreeMap<String, Vec<String>> =
        std::iter::once(String::new()).chain(names).map(|name| (name.clone(), ask(net, &name))).collect();
    let indexes: BTreeMap<(String, u64), String> = raw.iter().flat_map(|(name, said)| indexes(name, said)).collect();
    raw.iter().map(|(name, said)| (name.clone(), told(name, said, &indexes, named))).collect()
}

fn ask(net: &Lab, namespace: &str) -> Vec<String> {
    let script = QUESTIONS.join(&format!("; echo {BREAK}; "));
    let said = if namespace.is_empty() {
        net.run(net.command("sh", &["-c", &script]))
    } else {
        let path = format!("--net=/run/netns/{namespace}");
        net.run(net.command("nsenter", &[&path, "sh", "-c", &script]))
    };
    said.stdout.split(&format!("{BREAK}\n")).map(str::to_owned).collect()
}

fn links(said: &[String]) -> Vec<Value> {
    let links: Value = said.first().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    links.as_array().cloned().unwrap_or_default()
}

fn indexes(namespace: &str, said: &[String]) -> Vec<((String, u64), String)> {
    let name =
        |link: &Value| Some(((namespace.to_owned(), link["ifindex"].as_u64()?), link["ifname"].as_str()?.to_owned()));
    links(said).iter().filter_map(name).collect()
}

/// Spells what a namespace said.
fn told(namespace: &str, said: &[String], indexes: &BTreeMap<(String, u64), String>, named: &str) -> String {
    let mut lines = Vec::new();
    let mut devices: Vec<Vec<String>> = Vec::new();
    let idle: Vec<String> = links(said).iter().filter(|link| link["operstate"] != "UP").filter_map(name_of).collect();
    let down: Vec<String> =
        links(said).iter().filter(|link| !link["flags"].to_string().contains("\"UP\"")).filter_map(name_of).collect();
    let places = places(said.last().map(String::as_str).unwrap_or_default());
    for mut link in links(said) {
        other_end(namespace, &mut link, &places, indexes);
        let name = link["ifname"].as_str().unwrap_or_default().to_owned();
        // A bridge has the address of one of its ports, or keeps one that it was told before.
        if link["linkinfo"]["info_kind"] == "bridge" && !is_told(named, link["address"].as_str()) {
            link["address"] = "<of a port>".into();
        }
        // Who comes later tells whether the other end was down before, or went down.
        if link["operstate"] == "LOWERLAYERDOWN" {
            link["operstate"] = "DOWN".into();
        }
        if down.contains(&name) {
            link["qdisc"] = "<down>".into();
        }
        let mut own = Vec::new();
        flatten(&format!("link {name}"), &link, &mut own);
        devices.push(own.iter().map(|line| without_lot(line, named)).collect());
    }
    // Devices are told by name: their order is that of their indexes, which are free.
    devices.sort();
    lines.extend(devices.into_iter().flatten());
    let addresses: Value = said.get(1).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let mut all = Vec::new();
    for link in addresses.as_array().into_iter().flatten() {
        let name = link["ifname"].as_str().unwrap_or_default();
        let list = link["addr_info"].as_array().cloned().unwrap_or_default();
        let mut own: Vec<Vec<String>> = list
            .iter()
            .map(|address| {
                let mut own = Vec::new();
                flatten(&format!("addr {name} {} {}", address["family"], address["local"]), address, &mut own);
                own.iter().map(|line| without_lot(line, named)).collect()
            })
            .collect();
        // The order of addresses of different networks says nothing; within one, `secondary` tells it.
        own.sort();
        all.extend(
            own.into_iter().flatten().filter(|line| !(idle.iter().any(|idle| idle == name) && is_made_up(line))),
        );
    }
    all.sort();
    lines.extend(all);
    for (at, text) in said.iter().enumerate().skip(2).take(QUESTIONS.len() - 3) {
        let mut own: Vec<String> = text
            .lines()
            .filter(|line| counts(line) && !is_of(line, &idle, &down))
            .map(|line| without_lot(&spelled(line), named))
            .collect();
        // Tables say their rows in the order in which they were made, but for rules, whose order counts, and nftables.
        if !matches!(at, 4 | 5 | 9) {
            own.sort();
        }
        lines.extend(own.into_iter().map(|line| format!("{at} {line}")));
    }
    lines.join("\n")
}

/// Returns in which namespace the other end of a device is, by the device's name: only the text tells that.
fn places(text: &str) -> BTreeMap<String, String> {
    let mut places = BTreeMap::new();
    let mut name = "";
    for line in text.lines() {
        if !line.starts_with(' ') {
            name = line.split([':', '@']).nth(1).unwrap_or_default().trim();
        } else if let Some((_, place)) = line.split_once("link-netns ") {
            places.insert(name.to_owned(), place.trim().to_owned());
        }
    }
    places
}

/// Names the other end of a cable, or what a device stands on, by its name in the place of its index.
fn other_end(
    namespace: &str,
    link: &mut Value,
    places: &BTreeMap<String, String>,
    indexes: &BTreeMap<(String, u64), String>,
) {
    let place = match (places.get(link["ifname"].as_str().unwrap_or_default()), link.get("link_netnsid")) {
        (Some(name), _) => name.clone(),
        // Only the machine itself has no name.
        (None, Some(_)) => String::new(),
        (None, None) => namespace.to_owned(),
    };
    if let Some(index) = link["link_index"].as_u64()
        && let Some(name) = indexes.get(&(place.clone(), index))
    {
        link["link"] = format!("{place}/{name}").into();
    }
    if let Some(object) = link.as_object_mut() {
        // Free numbers, told by name above.
        for key in ["ifindex", "link_index", "link_netnsid"] {
            object.remove(key);
        }
    }
}

/// Spells a value as lines, one for each leaf.
fn flatten(head: &str, value: &Value, to: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            for key in keys {
                // Timers run, and counters count; ports of a bridge are numbered as they come.
                let is_free = matches!(key.as_str(), "id" | "no" | "designated_port") && head.ends_with("slave_data");
                if !is_free && !key.ends_with("_timer") && !key.starts_with("stats") {
                    flatten(&format!("{head}.{key}"), &map[key], to);
                }
            }
        }
        Value::Array(list) if list.iter().all(|own| !own.is_object()) => {
            let mut own: Vec<String> = list.iter().map(Value::to_string).collect();
            own.sort();
            to.push(format!("{head} {}", own.join(",")));
        }
        Value::Array(list) => list.iter().enumerate().for_each(|(at, own)| flatten(&format!("{head}[{at}]"), own, to)),
        other => to.push(format!("{head} {other}")),
    }
}

fn counts(line: &str) -> bool {
    // What bridges learned, and their own address among what they know, which the kernel moves when it likes.
    let words: Vec<&str> = line.split_whitespace().collect();
    let of_bridge = matches!(words.as_slice(), [mac, "dev", one, "master", other, kept @ ..]
        if mac.len() == 17 && (one == other || !matches!(kept, ["permanent" | "static", ..] | ["extern_learn", ..])));
    // Groups that a device listens to.
    let of_group = matches!(words.as_slice(), [mac, "dev", _, "self", "permanent"]
        if mac.starts_with("33:33:") || mac.starts_with("01:00:5e:"));
    // How many flows are known, and what is drawn by lot.
    !of_bridge && !of_group && !line.contains("nf_conntrack_count") && !line.contains("stable_secret")
}

/// Returns whether a bridge is told its address: of the tables of devices those of bridges come first.
fn is_told(named: &str, address: Option<&str>) -> bool {
    let of_bridge = |table: &str| {
        table.starts_with("bridge.") && table.lines().next().is_none_or(|head| head.matches('.').count() == 1)
    };
    named
        .split("\n[")
        .filter(|table| of_bridge(table))
        .any(|table| address.is_some_and(|address| table.contains(address)))
}

fn name_of(link: &Value) -> Option<String> {
    link["ifname"].as_str().map(str::to_owned)
}

/// Returns whether a line tells of an address that IPv6 made up, or of what comes with it.
fn is_made_up(line: &str) -> bool {
    line.contains("fe80::") || line.contains("<link-local>") || line.contains("ff00::/8")
}

/// Returns whether a line tells of what a device without a carrier has only if it had one before (addresses that IPv6
/// made up), or what one that is down has only if it was up before (its queueing discipline).
fn is_of(line: &str, idle: &[String], down: &[String]) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let device = words.iter().position(|word| *word == "dev").and_then(|at| words.get(at + 1).copied());
    let is = |names: &[String]| device.is_some_and(|device| names.iter().any(|name| name == device));
    is(idle) && is_made_up(line) || is(down) && line.starts_with("qdisc ")
}

/// Takes the running number away that a queueing discipline is given.
fn spelled(line: &str) -> String {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if words.first() == Some(&"qdisc")
        && let Some(handle) = words.get_mut(2)
        && *handle != "0:"
    {
        *handle = "N:";
    }
    words.join(" ")
}

/// Makes equal what is drawn by lot: MAC addresses that nobody named, and what is made of them.
fn without_lot(text: &str, named: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_hexdigit() || letter == ':' || letter == '.';
    let mut normal = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        if end == 0 {
            normal.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        normal.push_str(match &rest[..end] {
            word if named.contains(word) => word,
            word if word.len() == 17 && word.matches(':').count() == 5 && !is_group(word) => "<mac>",
            // A solicited-node group, its MAC address, and a bridge's id end with the bytes of one.
            word if word.starts_with("33:33:ff") => "<mac of a group>",
            word if word.starts_with("8000.") => "<bridge>",
            word if word.starts_with("fe80::") && word.len() > 12 => "<link-local>",
            word => word,
        });
        rest = &rest[end..];
    }
    normal
}

fn is_group(mac: &str) -> bool {
    mac == "00:00:00:00:00:00" || u8::from_str_radix(&mac[..2], 16).is_ok_and(|first| first & 1 == 1)
}

/// Tells how two states differ.
pub(crate) fn differing(now: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    let names: std::collections::BTreeSet<&String> = now.keys().chain(wanted.keys()).collect();
    for name in names {
        let (now, wanted) = (now.get(name), wanted.get(name));
        if now != wanted {
            let empty = String::new();
            let shown = difference(now.unwrap_or(&empty), wanted.unwrap_or(&empty));
            let shown: Vec<&str> = shown.lines().filter(|line| !line.starts_with("   ")).collect();
            text.push_str(&format!("namespace `{name}` (vw: is, ip: should be)\n{}\n", shown.join("\n")));
        }
    }
    text
}

/// Waits until the state is as wanted, and tells how it differs where it does not become so.
pub(crate) fn becomes(net: &Lab, named: &str, wanted: &BTreeMap<String, String>) -> Result<(), String> {
    let start = Instant::now();
    loop {
        let now = state(net, named);
        if now == *wanted {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(differing(&now, wanted));
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// Returns the state once it stays the same from one look to the next, a moment later.
pub(crate) fn settled(net: &Lab, named: &str) -> BTreeMap<String, String> {
    let mut last = state(net, named);
    let start = Instant::now();
    loop {
        let late = last.values().any(|text| text.contains("operstate \"UNKNOWN\",\"br") || text.contains("tentative"));
        std::thread::park_timeout(Duration::from_millis(100));
        let now = state(net, named);
        if (now == last && !late) || start.elapsed() > PATIENCE {
            return now;
        }
        last = now;
    }
}
