//! Random pairs of labs: what a file becomes does not depend on what was up before.
//!
//! `VWIRE_LAB_SEEDS=500` tries as many, `VWIRE_LAB_SEEDS=70-500` those; `VWIRE_LAB_SEED=17` only that one.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::lab::{Lab, in_lab};
use crate::lab_state::{becomes, settled};
use crate::lab_up::file;

/// How many pairs are tried unless `VWIRE_LAB_SEEDS` says.
const SEEDS: u64 = 3;

/// Draws by keys: the same seed and key always give the same number, and a lab that is made from another by chance keeps
/// what it draws for most keys.
pub(crate) struct Dice {
    first: u64,
    second: u64,
    /// How many of a hundred keys are drawn anew.
    anew: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { first: seed, second: seed, anew: 0 }
    }

    /// Draws anew for some keys.
    pub(crate) fn changed(&self) -> Self {
        let anew = [3, 15, 50, 100][Self::new(self.first).at("how much changes", 4)];
        Self { first: self.first, second: self.first.wrapping_mul(31).wrapping_add(1_000_003), anew }
    }

    pub(crate) fn pick(&self, key: &str, sides: u64) -> u64 {
        let anew = mix(self.second, &format!("{key} anew")) % 100 < self.anew;
        mix(if anew { self.second } else { self.first }, key) % sides
    }

    /// Draws the position in a list of so many.
    fn at(&self, key: &str, many: usize) -> usize {
        usize::try_from(self.pick(key, many as u64)).unwrap()
    }

    fn is(&self, key: &str, percent: u64) -> bool {
        self.pick(key, 100) < percent
    }

    fn one<'a>(&self, key: &str, of: &[&'a str]) -> &'a str {
        of[self.at(key, of.len())]
    }
}

fn mix(seed: u64, key: &str) -> u64 {
    let mut hash = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xcbf2_9ce4_8422_2325;
    for byte in key.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // The finisher of SplitMix64.
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// A node's device: what routes and rules can be about.
struct Device {
    name: String,
    /// The network of its IPv4 addresses, up to the last dot.
    v4: Option<String>,
    v6: Option<String>,
}

/// The names of nodes; some are there in one lab and not in another.
const NODES: [&str; 6] = ["host", "a", "b", "r", "router-with-a-long-name", "x9"];
const BRIDGES: [&str; 3] = ["lan", "wan", "hlan"];

/// Draws a lab that is valid.
pub(crate) fn draw(dice: &Dice) -> String {
    let mut wires = Vec::new();
    let mut devices: Vec<Vec<Device>> = NODES.iter().map(|_| Vec::new()).collect();
    let there: Vec<bool> = NODES.iter().map(|name| dice.is(&format!("node {name}"), 80)).collect();
    for cable in 0..9_u64 {
        draw_cable(dice, cable, &there, &mut wires, &mut devices);
    }
    for (number, bridge) in BRIDGES.iter().enumerate() {
        for (at, node) in NODES.iter().enumerate().filter(|(at, _)| there[*at]) {
            if dice.is(&format!("{bridge} {node}"), 30) {
                draw_port(dice, (number, bridge), (at, node), &mut wires, &mut devices);
            }
        }
    }
    let mut text = String::from("name = \"pair\"\n");
    let named: Vec<String> = (1..NODES.len()).filter(|at| there[*at]).map(|at| format!("\"{}\"", NODES[at])).collect();
    let _ = writeln!(text, "nodes = [{}]", named.join(", "));
    let many = dice.pick("how many pcs", 4);
    if many > 0 {
        wires.push(format!("pc -- lan{}", dice.one("pc mtu", &["", "", " mtu 1300"])));
    }
    wires.push("x1:stub -- lan".to_owned());
    let wires: Vec<String> = wires.iter().map(|wire| format!("  \"{wire}\",\n")).collect();
    let _ = writeln!(text, "wires = [\n{}]", wires.concat());
    if many > 0 {
        let _ = writeln!(text, "[template.pc]\nforwarding = {}", dice.is("pcs forward", 30));
        let _ = writeln!(text, "[node.pc]\ncount = {many}\nuse = \"pc\"");
    }
    text.push_str("[node.x1]\n");
    draw_bridges(dice, many, &there, &wires, &mut text);
    for (at, node) in NODES.iter().enumerate().filter(|(at, _)| there[*at]) {
        draw_node(dice, node, &devices[at], &mut text);
        draw_on_another(dice, (at, node), &devices, &mut text);
    }
    text
}

/// Draws a device on one of another node.
fn draw_on_another(dice: &Dice, (at, node): (usize, &str), devices: &[Vec<Device>], text: &mut String) {
    let key = format!("{node} on another");
    let other = dice.at(&format!("{key} which"), NODES.len());
    if !dice.is(&key, 35) || other == at || devices[other].is_empty() {
        return;
    }
    let parent = &devices[other][dice.at(&format!("{key} parent"), devices[other].len())].name;
    let head = if at == 0 { "vwx" } else { "" };
    let kind = dice.one(&format!("{key} kind"), &["macvlan", "macvlan", "macvtap"]);
    let _ = writeln!(text, "[node.{node}.{kind}.{head}up0]\nparent = \"{}:{parent}\"", NODES[other]);
    text.push_str(dice.one(&format!("{key} mode"), &["", "mode = \"vepa\"\n"]));
    text.push_str(dice.one(&format!("{key} mtu"), &["", "", "mtu = 1100\n"]));
    let address = format!("address = \"10.203.0.{}/24\"\n", at + 1);
    text.push_str(dice.one(&format!("{key} address"), &["", &address]));
}

fn addresses(dice: &Dice, key: &str, four: &str, six: &str, last: u64) -> (String, bool, bool) {
    let mut said = String::new();
    let has_four = dice.is(&format!("{key} four"), 80);
    let has_six = dice.is(&format!("{key} six"), 40);
    if has_four {
        let _ = write!(said, " {four}.{last}/24");
        if dice.is(&format!("{key} second"), 20) {
            let _ = write!(said, " {four}.{}/24", last + 100);
        }
    }
    if has_six {
        let _ = write!(said, " {six}::{last}/64");
    }
    (said, has_four, has_six)
}

fn mac(dice: &Dice, key: &str, number: u64) -> String {
    match dice.pick(&format!("{key} mac"), 4) {
        0 => format!(" mac 02:00:00:00:0{}:{number:02x}", dice.pick(&format!("{key} which mac"), 3)),
        _ => String::new(),
    }
}

fn quality(dice: &Dice, key: &str) -> String {
    let mut said = dice.one(&format!("{key} mtu"), &["", "", "", " mtu 1400", " mtu 9000"]).to_owned();
    said.push_str(dice.one(&format!("{key} forth"), &["", "", "", " -> rate 10mbit", " -> rate 2mbit queue 20ms"]));
    said.push_str(dice.one(&format!("{key} back"), &["", "", "", " <- rate 1mbit"]));
    said
}

fn draw_cable(dice: &Dice, cable: u64, there: &[bool], wires: &mut Vec<String>, devices: &mut [Vec<Device>]) {
    let key = format!("cable {cable}");
    if !dice.is(&key, 55) {
        return;
    }
    let left = dice.at(&format!("{key} left"), NODES.len());
    let right = dice.at(&format!("{key} right"), NODES.len());
    if left == right || !there[left] || !there[right] {
        return;
    }
    let variant = dice.pick(&format!("{key} network"), 3);
    let (four, six) = (format!("10.{cable}.{variant}"), format!("fd00:{cable}:{variant}"));
    let mut ends = Vec::new();
    for (side, at) in [left, right].into_iter().enumerate() {
        let key = format!("{key} end {side}");
        let (said, has_four, has_six) = addresses(dice, &key, &four, &six, side as u64 + 1);
        let number = cable ^ u64::from(dice.is("two cables swap their names", 20) && cable < 2);
        let name = match dice.pick(&format!("{key} name"), 6) {
            0 => format!("device-with-a-long-name-{number}"),
            1 => format!("e{number}.7"),
            _ => format!("e{number}"),
        };
        let name = if at == 0 { format!("vwx{cable}") } else { name };
        let down = if dice.is(&format!("{key} down"), 6) { " down" } else { "" };
        ends.push(format!("{}:{name}{said}{}{down}", NODES[at], mac(dice, &key, cable * 2 + side as u64)));
        if down.is_empty() {
            let v4 = has_four.then(|| four.clone());
            devices[at].push(Device { name, v4, v6: has_six.then(|| six.clone()) });
        }
    }
    wires.push(format!("{} -- {}{}", ends[0], ends[1], quality(dice, &key)));
}

fn draw_port(
    dice: &Dice,
    (number, bridge): (usize, &str),
    (at, node): (usize, &str),
    wires: &mut Vec<String>,
    devices: &mut [Vec<Device>],
) {
    let key = format!("{bridge} {node}");
    let variant = dice.pick(&format!("{bridge} network"), 2);
    let (four, six) = (format!("10.{}.{variant}", 100 + number), format!("fd00:{}:{variant}", 100 + number));
    let (said, has_four, has_six) = addresses(dice, &key, &four, &six, at as u64 + 10);
    let name = if at == 0 { format!("vwp{number}") } else { format!("p{number}") };
    let mac = mac(dice, &key, 64 + number as u64 * 16 + at as u64);
    wires.push(format!("{node}:{name}{said}{mac} -- {bridge}{}", quality(dice, &key)));
    devices[at].push(Device { name, v4: has_four.then_some(four), v6: has_six.then_some(six) });
}

fn draw_bridges(dice: &Dice, many: u64, there: &[bool], wires: &[String], text: &mut String) {
    for (number, bridge) in BRIDGES.iter().enumerate() {
        let is_there = wires.iter().any(|wire| wire.contains(&format!("-- {bridge}")));
        if !is_there {
            continue;
        }
        let _ = writeln!(text, "[bridge.{bridge}]");
        let variant = dice.pick(&format!("{bridge} network"), 2);
        if *bridge == "hlan" && there[0] {
            text.push_str("node = \"host\"\ndevice = \"vwhlan\"\n");
        }
        if dice.is(&format!("{bridge} address"), 40) {
            let _ = writeln!(text, "address = \"10.{}.{variant}.254/24\"", 100 + number);
        }
        if dice.is(&format!("{bridge} mtu"), 20) {
            text.push_str("mtu = 1200\n");
        }
        if dice.is(&format!("{bridge} mac"), 20) {
            let _ = writeln!(text, "mac = \"02:00:00:00:09:{number:02x}\"");
        }
        if many > 0 && *bridge == "lan" && dice.is("pcs have addresses", 60) {
            let _ = writeln!(text, "prefix = \"10.100.{variant}.0/24\"");
        }
        if dice.is(&format!("{bridge} tap"), 50) {
            let _ = writeln!(text, "[bridge.{bridge}.tap.vwtap{number}]");
            draw_tuntap(dice, &format!("{bridge} tap"), text);
        }
        if dice.is(&format!("{bridge} vxlan"), 30) {
            let _ = writeln!(text, "[bridge.{bridge}.vxlan.vwvx{number}]");
            draw_vxlan(dice, &format!("{bridge} vxlan"), 70 + number as u64, text);
        }
    }
}

fn draw_tuntap(dice: &Dice, key: &str, text: &mut String) {
    text.push_str(dice.one(&format!("{key} owner"), &["", "owner = \"nobody\"\n", "owner = \"1000\"\n"]));
    text.push_str(dice.one(&format!("{key} group"), &["", "", "group = \"1000\"\n"]));
    text.push_str(dice.one(&format!("{key} queues"), &["", "", "multi-queue = true\n"]));
    text.push_str(dice.one(&format!("{key} header"), &["", "", "vnet-hdr = true\n"]));
    text.push_str(dice.one(&format!("{key} pi"), &["", "", "", "packet-info = true\n"]));
    text.push_str(dice.one(&format!("{key} mtu"), &["", "", "", "mtu = 1350\n"]));
    text.push_str(dice.one(&format!("{key} up"), &["", "", "", "up = false\n"]));
}

fn draw_vxlan(dice: &Dice, key: &str, number: u64, text: &mut String) {
    let _ = writeln!(text, "vni = {}", number * 10 + dice.pick(&format!("{key} vni"), 2));
    let remotes =
        ["", "remote = \"192.0.2.2\"\n", "remote = \"192.0.2.3\"\n", "remote = [\"192.0.2.2\", \"192.0.2.3\"]\n"];
    text.push_str(dice.one(&format!("{key} remote"), &remotes));
    text.push_str(dice.one(&format!("{key} local"), &["", "local = \"192.0.2.1\"\n", "local = \"192.0.2.9\"\n"]));
    text.push_str(dice.one(&format!("{key} port"), &["", "", "port = 8472\n"]));
    text.push_str(dice.one(&format!("{key} learning"), &["", "", "learning = false\n"]));
    text.push_str(dice.one(&format!("{key} mtu"), &["", "", "", "mtu = 1390\n"]));
    text.push_str(dice.one(&format!("{key} mac"), &["", "", "", "mac = \"02:00:00:00:08:01\"\n"]));
}

/// Draws what a node has beside its wires.
fn draw_node(dice: &Dice, node: &str, devices: &[Device], text: &mut String) {
    let is_host = node == "host";
    let head = if is_host { "vwh" } else { "" };
    let (mut lines, mut tables) = (Vec::new(), String::new());
    let list = |key: &str, rows: &[String]| {
        let rows: Vec<String> = rows.iter().map(|row| format!("\"{row}\"")).collect();
        format!("{key} = [{}]", rows.join(", "))
    };
    let key = |what: &str| format!("{node} {what}");
    let four: Vec<(&str, &str)> =
        devices.iter().filter_map(|own| Some((own.name.as_str(), own.v4.as_deref()?))).collect();
    let six: Vec<(&str, &str)> =
        devices.iter().filter_map(|own| Some((own.name.as_str(), own.v6.as_deref()?))).collect();
    if !is_host && dice.is(&key("forwards"), 40) {
        lines.push("forwarding = true".to_owned());
    }
    let routes = draw_routes(dice, node, &four, &six);
    lines.push(list("routes", &routes));
    lines.push(list("rules", &draw_rules(dice, node, devices)));
    let mut neighbours = Vec::new();
    for (device, network) in four.iter().filter(|(device, _)| dice.is(&key(&format!("knows {device}")), 25)) {
        let last = dice.pick(&key("knows whom"), 3);
        let other = dice.pick(&key("knows by"), 2);
        neighbours.push(format!("{network}.{} mac 02:00:00:00:07:0{other} dev {device}", 200 + last));
    }
    for (device, network) in six.iter().filter(|(device, _)| dice.is(&key(&format!("knows six {device}")), 25)) {
        neighbours.push(format!("{network}::77 mac 02:00:00:00:07:07 dev {device}"));
    }
    lines.push(list("neighbours", &neighbours));
    if let Some((device, network)) = four.first() {
        let mut nat = Vec::new();
        if dice.is(&key("masquerades"), 25) {
            nat.push(format!("masquerade out {device}"));
        }
        if dice.is(&key("maps"), 20) {
            nat.push(format!("forward tcp {} to {network}.9:80", 8080 + dice.pick(&key("maps what"), 2)));
        }
        lines.push(list("nat", &nat));
        let all = [
            "accept forward established".to_owned(),
            format!("drop forward from {network}.0/24 tcp 22"),
            format!("reject input in {device} udp 1000-2000"),
            "accept input icmp".to_owned(),
            "drop output to 203.0.113.0/24".to_owned(),
        ];
        let filters: Vec<String> = all
            .into_iter()
            .enumerate()
            .filter(|(at, _)| dice.is(&key("filters"), 30) && dice.is(&key(&format!("filter {at}")), 40))
            .map(|(_, filter)| filter)
            .collect();
        lines.push(list("filter", &filters));
    }
    let mut sysctls = Vec::new();
    if dice.is(&key("rp_filter"), 25) {
        sysctls.push(format!("net.ipv4.conf.all.rp_filter = {}", dice.pick(&key("rp_filter is"), 3)));
    }
    if dice.is(&key("redirects"), 25) {
        sysctls.push("net.ipv4.conf.all.send_redirects = 0".to_owned());
    }
    if !is_host && dice.is(&key("gc"), 15) {
        sysctls.push("net.ipv6.conf.all.accept_ra = 0".to_owned());
    }
    if let Some((device, _)) = four.iter().find(|(device, _)| !device.contains('-') && !device.contains('.'))
        && dice.is(&key("of device"), 25)
    {
        sysctls.push(format!("net.ipv4.conf.{device}.log_martians = 1"));
    }
    if !sysctls.is_empty() {
        lines.push(format!("sysctl = {{ {} }}", sysctls.join(", ")));
    }
    draw_devices(dice, node, head, devices, &mut tables);
    let _ = writeln!(text, "[node.{node}]\n{}\n{tables}", lines.join("\n"));
}

fn draw_routes(dice: &Dice, node: &str, four: &[(&str, &str)], six: &[(&str, &str)]) -> Vec<String> {
    let key = |what: &str| format!("{node} route {what}");
    let mut routes = Vec::new();
    if let Some((device, network)) = four.first() {
        if dice.is(&key("default"), 40) && node != "host" {
            routes.push(format!("default via {network}.{}", 30 + dice.pick(&key("gateway"), 2)));
        }
        if dice.is(&key("one"), 40) {
            let metric = dice.one(&key("metric"), &["", " metric 50", " metric 7"]);
            let table = dice.one(&key("table"), &["", "", " table 100", " table 7000"]);
            let mtu = dice.one(&key("mtu"), &["", "", " mtu 1280"]);
            routes.push(format!("172.16.1.0/24 via {network}.33 dev {device}{metric}{table}{mtu}"));
        }
        if dice.is(&key("twice"), 20) {
            routes.push(format!("172.16.5.0/24 via {network}.34 metric 10"));
            routes.push(format!("172.16.5.0/24 via {network}.35 metric 20"));
        }
        if dice.is(&key("link"), 20) {
            routes.push(format!("172.16.2.0/24 dev {device}"));
        }
        if dice.is(&key("onlink"), 20) {
            routes.push(format!("172.16.3.0/24 via 192.0.2.77 dev {device} onlink"));
        }
    }
    if let [(one, first), .., (other, second)] = four
        && dice.is(&key("both"), 40)
    {
        let weight = dice.one(&key("weight"), &["", " weight 3"]);
        routes.push(format!(
            "172.16.4.0/24 nexthop via {first}.40 dev {one}{weight} nexthop via {second}.41 dev {other}"
        ));
    }
    if dice.is(&key("none"), 30) {
        let sort = dice.one(&key("sort"), &["blackhole", "unreachable", "prohibit"]);
        let metric = dice.one(&key("of none"), &["", " metric 200"]);
        routes.push(format!("{sort} 198.51.{}.0/24{metric}", dice.pick(&key("where to"), 2)));
    }
    if let Some((device, network)) = six.first() {
        if dice.is(&key("six"), 50) {
            let metric = dice.one(&key("metric of six"), &["", " metric 300"]);
            routes.push(format!("2001:db8:1::/48 via {network}::33{metric}"));
        }
        if dice.is(&key("six link"), 20) {
            routes.push(format!("2001:db8:2::/48 dev {device}"));
        }
        if dice.is(&key("six none"), 20) {
            routes.push("unreachable 2001:db8:3::/48 metric 900".to_owned());
        }
    }
    routes
}

fn draw_rules(dice: &Dice, node: &str, devices: &[Device]) -> Vec<String> {
    let mut rules = Vec::new();
    for at in 0..4 {
        let key = |what: &str| format!("{node} rule {at} {what}");
        if !dice.is(&key("there"), 20) {
            continue;
        }
        let device = devices.first().map(|own| own.name.clone()).filter(|name| name.len() < 16);
        let what = match (dice.pick(&key("what"), 5), device) {
            (0, Some(device)) => format!("iif {device}"),
            (1, _) => "to 172.16.9.0/24".to_owned(),
            (2, _) => "fwmark 0x1/0xff".to_owned(),
            (3, _) => "from fd00:9::/64".to_owned(),
            _ => format!("from 10.{at}.0.0/16"),
        };
        let priority = match dice.pick(&key("priority"), 2) {
            0 if node != "host" => String::new(),
            _ => format!(" priority {}", 1000 + 10 * dice.pick(&key("which priority"), 6) + at),
        };
        rules.push(format!("{what} table {}{priority}", 100 + dice.pick(&key("table"), 2)));
    }
    rules
}

fn draw_devices(dice: &Dice, node: &str, head: &str, devices: &[Device], text: &mut String) {
    let key = |what: &str| format!("{node} {what}");
    let section = |kind: &str, name: &str| format!("[node.{node}.{kind}.{head}{name}]\n");
    if dice.is(&key("tap"), 35) {
        text.push_str(&section("tap", "tap0"));
        draw_tuntap(dice, &key("tap"), text);
        text.push_str(dice.one(&key("tap address"), &["", "address = \"10.200.0.1/24\"\n"]));
    }
    if dice.is(&key("tun"), 35) {
        text.push_str(&section("tun", "tun0"));
        draw_tuntap(dice, &key("tun"), text);
        let others =
            ["", "address = \"10.201.0.1 peer 10.201.0.2\"\n", "address = [\"10.201.0.1/30\", \"fd00:201::1/64\"]\n"];
        text.push_str(dice.one(&key("tun address"), if node == "host" { &others[..2] } else { &others }));
    }
    if dice.is(&key("vxlan"), 30) {
        text.push_str(&section("vxlan", "vx0"));
        draw_vxlan(dice, &key("vxlan"), 40, text);
        text.push_str(dice.one(&key("vxlan address"), &["", "address = \"10.202.0.1/24\"\n"]));
    }
    if let Some(parent) = devices.first().map(|own| &own.name) {
        for (kind, name) in [("macvlan", "mv0"), ("macvtap", "mt0")] {
            if dice.is(&key(kind), 30) {
                text.push_str(&section(kind, name));
                let _ = writeln!(text, "parent = \"{parent}\"");
                text.push_str(
                    dice.one(&key(&format!("{kind} mode")), &["", "mode = \"vepa\"\n", "mode = \"private\"\n"]),
                );
                text.push_str(dice.one(&key(&format!("{kind} mtu")), &["", "", "mtu = 1100\n"]));
                text.push_str(dice.one(
                    &key(&format!("{kind} mac")),
                    &[
                        "",
                        &format!(
                            "mac = \"02:00:00:{:02x}:06:{:02x}\"\n",
                            NODES.iter().position(|own| *own == node).unwrap_or(NODES.len()),
                            u8::from(kind == "macvlan"),
                        ),
                    ],
                ));
            }
        }
    }
}

/// Returns the changes that a run of vwire asks the kernel for, by `strace`.
pub(crate) fn changes(net: &Lab, words: &[&str]) -> Vec<String> {
    let calls = "trace=sendto,sendmsg,mount,umount2,unshare,rename,renameat,unlink,openat";
    let mut all = vec!["-f", "-qq", "-s", "4096", "-o", "/run/changes", "-e", calls, env!("CARGO_BIN_EXE_vwire")];
    all.extend(words);
    let said = net.run(net.command("strace", &all));
    // Warnings of the file are told each time.
    assert!(said.exit == 0 && said.stdout.is_empty() && !said.stderr.contains("error"), "{said:?}");
    let text = std::fs::read_to_string("/run/changes").unwrap();
    let is_change = |line: &&str| {
        let asks = ["RTM_NEW", "RTM_DEL", "RTM_SET", "NFT_MSG_NEW", "NFT_MSG_DEL", "NFNL_MSG_BATCH"];
        let writes = line.contains("openat(") && line.contains("/proc/sys") && !line.contains("O_RDONLY");
        let moves = ["mount(", "umount2(", "unshare(", "rename"].iter().any(|call| line.contains(call));
        // The lock's file and its directory are the run's own.
        asks.iter().any(|word| line.contains(word)) || writes || moves
    };
    text.lines().filter(is_change).map(str::to_owned).collect()
}

/// Tries one pair, and tells what does not hold.
fn pair(net: &Lab, seed: u64) -> Result<(), String> {
    let dice = Dice::new(seed);
    let (first, second) = (draw(&dice), draw(&dice.changed()));
    let before = settled(net, "");
    let one = |name: &str, text: &str| file(name, text);
    let (first, second, text) = (one("first.toml", &first), one("second.toml", &second), second);
    let run = |words: &[&str]| {
        let said = net.vwire(words);
        if said.exit == 0 { Ok(said) } else { Err(format!("vwire {words:?}: {}{}", said.stdout, said.stderr)) }
    };
    let same = |what: &str, result: Result<(), String>| result.map_err(|told| format!("{what}:\n{told}"));
    run(&["up", &second])?;
    let wanted = settled(net, &text);
    run(&["down", &second])?;
    same("down of the second", becomes(net, "", &before))?;
    run(&["up", &first])?;
    run(&["up", &second])?;
    same("the second behind the first", becomes(net, &text, &wanted))?;
    run(&["status", "pair"])?;
    let changes = changes(net, &["up", &second]);
    if !changes.is_empty() {
        return Err(format!("once more:\n{}", changes.join("\n")));
    }
    same("once more", becomes(net, &text, &wanted))?;
    run(&["down", &second])?;
    same("down at last", becomes(net, "", &before))?;
    match std::path::Path::new("/run/vwire").exists() {
        true => Err("/run/vwire is still there".to_owned()),
        false => Ok(()),
    }
}

/// Returns the seeds that are asked for.
pub(crate) fn seeds(many: u64) -> Vec<u64> {
    let said = |name: &str| std::env::var(name).ok();
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("`{text}` is no seed"));
    match (said("VWIRE_LAB_SEED"), said("VWIRE_LAB_SEEDS")) {
        (Some(one), _) => vec![number(&one)],
        (None, Some(all)) => match all.split_once('-') {
            Some((first, last)) => (number(first)..=number(last)).collect(),
            None => (1..=number(&all)).collect(),
        },
        (None, None) => (1..=many).collect(),
    }
}

#[test]
fn a_lab_behind_another_is_as_from_nothing() {
    let mut failures = Vec::new();
    for seed in seeds(SEEDS) {
        let failed = in_lab(|net| {
            settled_devices();
            pair(net, seed).err().map(|told| {
                let files = ["first.toml", "second.toml"].map(|name| {
                    let text = std::fs::read_to_string(format!("/run/{name}")).unwrap_or_default();
                    format!("--- {name}\n{text}")
                });
                format!("VWIRE_LAB_SEED={seed}\n{}\n{told}", files.concat())
            })
        });
        failures.extend(failed.flatten());
    }
    assert!(failures.is_empty(), "{} pairs\n{}", failures.len(), failures.join("\n"));
}

/// Lets new devices of the machine itself make up no address, which would take a second to settle.
pub(crate) fn settled_devices() {
    std::fs::write("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1").unwrap();
}

#[test]
fn draws_depend_on_the_seed_alone_and_say_most_of_what_a_file_can() {
    assert_eq!(draw(&Dice::new(7)), draw(&Dice::new(7)));
    let all: String = (1..40).map(|seed| draw(&Dice::new(seed))).collect();
    let words: BTreeSet<&str> =
        ["vxlan", "macvtap", "macvlan", ".tun.", ".tap.", "masquerade", "nexthop", "blackhole", "vwxup0"]
            .into_iter()
            .filter(|word| all.contains(word))
            .collect();
    assert_eq!(words.len(), 9, "{words:?}");
    let (one, other) = (draw(&Dice::new(1)), draw(&Dice::new(1).changed()));
    assert!(one != other);
}
