//! `vwire snapshot` and `--from`: what a file says is what the kernel said when it was written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use serde_json::Value;
use vwire::snapshot::document::Snapshot;
use vwire::snapshot::schema;
use vwire::snapshot::sysctl::{self, Place};
use vwire_netlink::plain::Shape;

use crate::lab::{Lab, Said, Who, lab, split, until};

/// Where a test's snapshot is: `/run` is the lab's own.
const FILE: &str = "/run/snapshot.json";

/// Devices of many kinds. Nothing here changes by itself once it is there.
const DEVICES: &[&str] = &[
    "netns add blue",
    "link set lo up",
    "link add v0 type veth peer name v1 netns blue",
    "link set v0 addrgenmode none",
    "-n blue link set v1 addrgenmode none",
    "link add br0 type bridge",
    "link set br0 addrgenmode none",
    "link set v0 master br0",
    "link set v0 alias \"to \\ blue\"",
    "link property add dev v0 altname a-name-longer-than-fifteen-bytes",
    "link add vx0 type vxlan id 7 dstport 4789 remote 192.0.2.1",
    "link set vx0 addrgenmode none",
    "link add mv0 link br0 type macvlan mode bridge",
    "link set mv0 addrgenmode none",
    "tuntap add tap0 mode tap",
    "link set tap0 addrgenmode none",
    "link set br0 up",
    "link set v0 up",
    "-n blue link set v1 up",
];

/// Some of everything else that a snapshot has.
const TABLES: &[&str] = &[
    "addr add 192.0.2.65/26 dev br0",
    "addr add 2001:db8::1/64 dev br0 nodad",
    "addr add 198.51.100.1 peer 198.51.100.2/32 dev tap0",
    "route add 203.0.113.0/25 via 192.0.2.66 metric 7 proto static",
    "route add 203.0.113.128/26 nexthop via 192.0.2.66 weight 2 nexthop via 192.0.2.67",
    "route add blackhole 203.0.113.192/26 table 100",
    "-6 route add 2001:db8:5::/48 via 2001:db8::2",
    "nexthop add id 5 via 192.0.2.66 dev br0",
    "nexthop add id 6 via 192.0.2.67 dev br0",
    "nexthop add id 7 group 5,2/6",
    "route add 203.0.113.224/27 nhid 7",
    "rule add from 192.0.2.0/24 table 100 priority 50",
    "-6 rule add fwmark 3 table 100",
    "neigh add 192.0.2.66 lladdr 02:00:00:00:00:02 dev br0",
    "neigh add proxy 192.0.2.90 dev br0",
];

/// The commands that must say the same of a file and of the kernel.
const LISTS: &[&str] = &[
    "link",
    "link show dev v0",
    "link show a-name-longer-than-fifteen-bytes",
    "link show master br0",
    "link show type vxlan",
    "link show nomaster",
    "route show vrf vr0",
    "link show dev nosuch",
    "addr",
    "addr show dev br0",
    "addr show up",
    "addr show type bridge",
    "addr show to 192.0.2.0/24",
    "route",
    "route show table all",
    "route show table 100",
    "route show table 77",
    "route show dev br0",
    "route show proto static",
    "rule",
    "rule show table 100",
    "neigh",
    "neigh show dev br0",
    "neigh show proxy",
    "neigh show master br0",
    "nexthop",
    "nexthop show id 7",
    "nexthop show id 99",
    "nexthop show groups",
    "nexthop show dev br0",
    "-n blue link",
    "-n blue addr",
    "-n blue route show table local",
];

/// Makes devices, waits for the bridge's carrier, which next hops want, and fills the tables.
fn arrange(net: &Lab) {
    net.arrange(DEVICES);
    until("the bridge has a carrier", || net.ip(&["link", "show", "br0"]).ok().contains("LOWER_UP").then_some(()));
    net.arrange(TABLES);
}

fn ask(net: &Lab, before: &[&str], line: &str) -> Said {
    let line = split(line);
    let all: Vec<&str> = before.iter().copied().chain(line.iter().map(String::as_str)).collect();
    net.vwire(&all)
}

/// Leaves out what the timers of a bridge stand at, which is never the same twice.
fn without_timers(text: &str) -> String {
    let mut parts = text.split("_timer");
    let mut left = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        left.push_str("_timer");
        left.push_str(part.trim_start_matches(|digit: char| "\" :.0123456789".contains(digit)));
    }
    left
}

/// Returns the snapshot of now.
fn taken(net: &Lab, options: &[&str]) -> Snapshot {
    let text = net.vwire(&[&["snapshot"], options].concat()).ok();
    fs::write(FILE, &text).unwrap();
    Snapshot::parse(text.as_bytes()).unwrap()
}

/// Asks a file and the kernel the same, until nothing has changed meanwhile, and wants the same answers.
fn tells_the_same(net: &Lab, options: &[&str]) {
    let answers = |before: &[&str]| -> Vec<(String, Said)> {
        let all = [before, options].concat();
        let answer = |line: &str| {
            let said = ask(net, &all, line);
            (line.to_owned(), Said { stdout: without_timers(&said.stdout), ..said })
        };
        LISTS.iter().map(|line| answer(line)).collect()
    };
    let (now, then) = until("a moment in which nothing changes", || {
        let before = answers(&[]);
        taken(net, &[]);
        let then = answers(&["--from", FILE]);
        (answers(&[]) == before).then_some((before, then))
    });
    for ((line, now), (_, then)) in now.iter().zip(&then) {
        assert_eq!(now, then, "{} {line}", options.join(" "));
    }
    assert!(now.iter().filter(|(_, said)| said.exit == 0).count() > LISTS.len() / 2, "{now:?}");
}

#[test]
fn lists_of_a_file_are_those_of_its_time() {
    lab(|net| {
        arrange(net);
        for options in [&[][..], &["-d"], &["-6"], &["-4", "-o"], &["-br"]] {
            tells_the_same(net, options);
        }
    });
}

#[test]
fn lists_of_a_file_are_those_of_its_time_as_json() {
    lab(|net| {
        arrange(net);
        for options in [&["-j"][..], &["-j", "-d"], &["-j", "-6"], &["-j", "-p", "-N"]] {
            tells_the_same(net, options);
        }
    });
}

#[test]
fn the_table_of_devices_is_the_same_from_a_file() {
    lab(|net| {
        arrange(net);
        until("a moment in which nothing changes", || {
            let before = net.vwire(&["ls"]).ok();
            taken(net, &[]);
            let then = net.vwire(&["--from", FILE, "ls"]).ok();
            let also = net.vwire(&["ls", "--from", FILE]).ok();
            let same = net.vwire(&["ls"]).ok() == before;
            same.then(|| assert_eq!((&then, &also), (&before, &before)))
        });
        let all = net.vwire(&["ls", "--all", "--from", FILE]).ok();
        assert!(all.contains("\nblue\n") && all.contains("v0 in "), "{all}");
    });
}

#[test]
fn namespaces_know_each_other_by_ids_and_each_has_what_is_in_it() {
    lab(|net| {
        arrange(net);
        let snapshot = taken(net, &[]);
        let here = snapshot.here().unwrap();
        let blue = snapshot.namespace(b"blue").unwrap();
        let cable = here.state.link_named(b"v0").unwrap();
        let id = here.ids.iter().find(|other| Some(other.id) == cable.link_netnsid).unwrap();
        assert_eq!(id.inode, blue.inode);
        assert_eq!(blue.ids.iter().map(|other| other.inode).collect::<Vec<_>>(), [here.inode]);
        assert_eq!(blue.state.missing, Vec::<String>::new());
        let state = &here.state;
        for (count, what) in [
            (state.links.len(), "links"),
            (state.addresses.len(), "addresses"),
            (state.routes.len(), "routes"),
            (state.rules.len(), "rules"),
            (state.nexthops.len(), "nexthops"),
            (state.neighbours.len(), "neighbours"),
            (state.forwarding.len(), "forwarding"),
            (state.bridge_links.len(), "bridge links"),
            (state.labels.len(), "labels"),
        ] {
            assert!(count > 0, "{what}");
        }
        assert!(snapshot.namespaces.len() >= 2 && snapshot.version == 1);
    });
}

#[test]
fn a_namespace_that_only_an_id_stands_for_is_told_with_its_links() {
    lab(|net| {
        net.arrange(&["netns add blue", "link add v0 type veth peer name v1 netns blue"]);
        // Nothing but this descriptor holds it now.
        let held = fs::File::open("/run/netns/blue").unwrap();
        net.arrange(&["netns del blue"]);
        let snapshot = taken(net, &[]);
        let here = snapshot.here().unwrap();
        let hidden = snapshot
            .namespaces
            .iter()
            .find(|namespace| namespace.known_from.as_ref().is_some_and(|known| Some(known.inode) == here.inode));
        let hidden = hidden.expect("the other end of v0 is seen");
        assert_eq!((hidden.inode, hidden.names.len()), (None, 0));
        assert!(hidden.state.link_named(b"v1").is_some(), "{:?}", hidden.state.links);
        assert!(!hidden.state.missing.is_empty());
        drop(held);
    });
}

#[test]
fn the_process_that_holds_a_queue_is_told() {
    lab(|net| {
        let _queue = vwire_tuntap::Builder::tap(vwire_tuntap::DeviceName::new("tap7").unwrap()).open().unwrap();
        let snapshot = taken(net, &[]);
        let own = std::process::id();
        let queue = snapshot.queues.iter().find(|queue| queue.pid == own && queue.link == "tap7").unwrap();
        assert_eq!(queue.namespace, snapshot.here().unwrap().inode);
        assert_eq!(queue.attached, Some(true));
    });
}

#[test]
fn sysctls_are_as_the_files_say() {
    lab(|net| {
        net.arrange(&["netns add blue", "-n blue link add d.1 type bridge", "link add d0 type bridge"]);
        fs::write("/proc/sys/net/ipv4/conf/d0/rp_filter", "2").unwrap();
        let snapshot = taken(net, &[]);
        let sysctls = &snapshot.here().unwrap().state.sysctls;
        for (name, value) in sysctls {
            let path = format!("/proc/sys/{}", name.replace('.', "/"));
            let now = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(now.trim_end(), value, "{name}");
        }
        assert_eq!(sysctls["net.ipv4.conf.d0.rp_filter"], "2");
        assert!(sysctls.len() > 60, "{}", sysctls.len());
        assert!(snapshot.namespace(b"blue").unwrap().state.sysctls.contains_key("net.ipv4.conf.d/1.forwarding"));
    });
}

#[test]
fn counters_are_there_when_asked_for() {
    lab(|net| {
        net.arrange(&["link set lo up"]);
        let count = |snapshot: &Snapshot| {
            snapshot.here().unwrap().state.links.iter().filter(|link| link.stats64.is_some()).count()
        };
        assert_eq!(count(&taken(net, &[])), 0);
        let said = net.vwire(&["--from", FILE, "-s", "link", "show", "lo"]);
        assert!(said.stderr.contains("no counters") && said.exit == 0, "{said:?}");
        assert_eq!(count(&taken(net, &["--stats"])), 1);
        let said = net.vwire(&["--from", FILE, "-s", "link", "show", "lo"]);
        assert!(said.stdout.contains("RX:") && said.stderr.is_empty(), "{said:?}");
    });
}

#[test]
fn a_name_that_is_not_text_survives() {
    lab(|net| {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let mut command = net.command_of(Who::Vwire, &["link", "add"]);
        command.arg(OsStr::from_bytes(b"x\xff.\xfe")).args(["type", "bridge"]);
        net.run(command).ok();
        let raw = |before: &[&str]| {
            let mut command = net.command_of(Who::Vwire, &[before, &["link", "show"]].concat());
            command.output().unwrap().stdout
        };
        let snapshot = taken(net, &[]);
        assert_eq!(raw(&["--from", FILE]), raw(&[]));
        assert!(raw(&[]).windows(4).any(|bytes| bytes == b"x\xff.\xfe"));
        assert!(snapshot.here().unwrap().state.link_named(b"x\xff.\xfe").is_some());
        assert!(fs::read_to_string(FILE).unwrap().contains("{\"bytes\":\"78ff2efe\"}"));
    });
}

#[test]
fn without_privilege_it_tells_what_it_can_and_what_it_cannot() {
    lab(|net| {
        net.arrange(&["netns add blue", "link add d0 type bridge"]);
        let copy = "/run/vwire";
        fs::copy(env!("CARGO_BIN_EXE_vwire"), copy).unwrap();
        fs::set_permissions(copy, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = net.command(copy, &["snapshot"]);
        command.uid(65534).gid(65534);
        let text = net.run(command).ok();
        let snapshot = Snapshot::parse(text.as_bytes()).unwrap();
        let here = snapshot.here().unwrap();
        assert!(here.state.link_named(b"d0").is_some());
        assert_eq!(here.state.missing, Vec::<String>::new());
        let blue = snapshot.namespace(b"blue").unwrap();
        assert!(blue.state.links.is_empty());
        assert!(blue.state.missing[0].starts_with("all of it: "), "{:?}", blue.state.missing);
        assert!(snapshot.missing.iter().any(|missing| missing.why.contains("ermission")), "{:?}", snapshot.missing);
        fs::write(FILE, text).unwrap();
        let said = net.vwire(&["--from", FILE, "-n", "blue", "link"]);
        assert!(said.stderr.contains("the snapshot lacks all of it"), "{said:?}");
    });
}

#[test]
fn a_file_that_is_no_snapshot_is_refused_with_what_is_wrong() {
    lab(|net| {
        arrange(net);
        taken(net, &[]);
        let whole = fs::read(FILE).unwrap();
        let refusal = |document: &[u8]| {
            fs::write("/run/bad", document).unwrap();
            let said = net.vwire(&["--from", "/run/bad", "link"]);
            assert_eq!((said.stdout.as_str(), said.exit), ("", 2), "{said:?}");
            assert!(said.stderr.starts_with("error: cannot read the snapshot `/run/bad`: "), "{said:?}");
            said.stderr
        };
        assert!(refusal(b"").contains("EOF while parsing"));
        assert!(refusal(&whole[..whole.len() / 2]).contains("EOF while parsing"));
        assert!(refusal(b"[]").contains("an object with the fields of a `Snapshot`"));
        assert!(refusal(b"\x7fELF\x02\x01\x01").contains("line 1 column 1"));
        assert!(refusal(&[b'['; 100_000]).contains("line 1 column"));
        let version = String::from_utf8(whole).unwrap().replacen("\"version\":1", "\"version\":2", 1);
        assert!(refusal(version.as_bytes()).contains("it has version 2, and 1 is what is read here"));
        let said = net.vwire(&["--from", "/run/nosuch", "link"]);
        assert!(said.stderr.starts_with("error: cannot read the snapshot `/run/nosuch`: No such file"), "{said:?}");
        let said = net.vwire(&["--from", FILE, "-n", "nosuch", "link"]).fails(2);
        assert!(said.contains("has no namespace `nosuch`") && said.contains("this one, blue"), "{said}");
    });
}

/// Values that no kernel says: lengths beyond an address, families that do not fit, indexes that lead nowhere or in
/// circles.
const HOSTILE: &str = r#"{"format":"vwire-snapshot","version":1,"namespaces":[{"here":true,"label":{"bytes":"ff0a"},
"ids":[{"id":-5},{"id":7,"inode":1}],"state":{
"links":[{"index":1,"ifname":"a","link":1,"master":1,"link_netnsid":7,"address":"","linkinfo":{"kind":"vxlan",
"data":{"vxlan":{"id":4294967295,"port_range":{"low":9,"high":1}}},"slave_kind":"bridge","slave_data":{"unknown":"ff"}}},
{"index":1,"ifname":"a"},{"index":4294967295,"operstate":255,"qdisc":"","link_type":65535},{"index":0},
{"ifname":"t","index":9,"linkinfo":{"kind":"tun","data":{"tun":{"type":9,"owner":4294967295}}}},
{"ifname":"g","index":8,"linkinfo":{"kind":"sit","data":{"sit":{"flags":{"ip6":1},"local":"::1"}}}}],
"addresses":[{"family":2,"prefixlen":255,"index":1,"local":"::1"},{"family":10,"prefixlen":255,"index":7},
{"family":200,"index":1,"label":{"bytes":"1b5b"},"address":"1.2.3.4","cacheinfo":{"valid":1}}],
"routes":[{"family":2,"dst_len":255,"dst":"::1","src_len":200,"src":"1.2.3.4","oif":77,"multipath":[{"hops":255},{"via":{"family":9,"address":"00ff"}}]},
{"family":10,"dst":"1.2.3.4","dst_len":129,"gateway":"1.2.3.4","metrics":{"lock":4294967295,"hoplimit":4294967295},"encap_type":8,"encap":"0400"},
{"family":28,"dst_len":20,"newdst":"00","table":4294967295},{"family":2,"nh_id":5,"encap_type":4,"encap":"ff"}],
"rules":[{"family":2,"dst":"::1","dst_len":200,"action":255},{"family":10,"src_len":200,"goto":1,"uid_range":{"start":9,"end":1}}],
"nexthops":[{"id":5,"group":[{"id":5,"weight":255,"weight_high":255}],"res_group":{}},{"family":2,"gateway":"::1","encap":"05"}],
"neighbours":[{"family":2,"index":77,"dst":"::1","lladdr":"","state":65535},{"family":10,"flags":8}],
"forwarding":[{"family":7,"vni":4294967295}],"bridge_links":[{"family":7,"af_spec":{"vlan_info":[{"flags":65535,"vid":65535}]}}]}}]}"#;

#[test]
fn what_no_kernel_says_breaks_nothing() {
    lab(|net| {
        fs::write(FILE, HOSTILE).unwrap();
        Snapshot::parse(HOSTILE.as_bytes()).unwrap();
        for options in [&[][..], &["-d", "-d"], &["-j", "-d"], &["-6", "-d"], &["-br"], &["-s", "-s", "-o"], &["-M"]] {
            let lists = ["link", "addr", "route show table all", "rule", "neigh", "neigh show proxy", "nexthop", "ls"];
            for line in lists.iter().chain(&["ls --all"]) {
                let said = ask(net, &[&["--from", FILE], options].concat(), line);
                assert!([0, 1, 2, 255].contains(&said.exit), "{options:?} {line}: {said:?}");
                assert!(!said.stderr.contains("panicked"), "{options:?} {line}: {said:?}");
            }
        }
    });
}

#[test]
fn what_would_change_or_ask_a_kernel_is_refused_before_it_begins() {
    lab(|net| {
        arrange(net);
        taken(net, &[]);
        let links = net.ip(&["link"]).ok();
        for line in [
            "link add x type bridge",
            "link set v0 down",
            "link del v0",
            "addr flush dev br0",
            "route get 192.0.2.66",
            "route flush table 100",
            "neigh flush all",
            "netns add red",
            "tuntap show",
            "monitor",
            "maddress show",
        ] {
            let said = ask(net, &["--from", FILE], line).fails(2);
            assert!(said.starts_with("error: cannot ask a snapshot: "), "{line}: {said}");
        }
        assert_eq!(net.ip(&["link"]).ok(), links);
        let said = net.vwire(&["--from", FILE, "tour"]).fails(2);
        assert!(said.contains("leave out `--from`"), "{said}");
        assert!(!Path::new("/run/netns/red").exists());
    });
}

#[test]
fn called_ip_there_is_no_such_option() {
    lab(|net| {
        net.same(&["--from", "/run/x", "link"]);
        net.same(&["-from", "/run/x", "link"]);
        net.same(&["--from"]);
    });
}

/// Returns what is wrong with a document by a schema, of which all that snapshots use is understood; a member that the
/// schema does not list is wrong here, since all that is written shall be told.
fn wrong(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return wrong(root, &root["$defs"][name.trim_start_matches("#/$defs/")], value, at);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let all: Vec<_> = any.iter().map(|schema| wrong(root, schema, value, at)).collect();
        return if all.iter().any(Vec::is_empty) { Vec::new() } else { all.into_iter().flatten().collect() };
    }
    let complain = |what: String| vec![format!("{at}: {what}: {value}")];
    match schema["type"].as_str() {
        Some("object") => {
            let Some(members) = value.as_object() else { return complain("no object".to_owned()) };
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let missing = required.filter(|name| !members.contains_key(*name)).map(|name| format!("{at}: no {name}"));
            let below = members.iter().flat_map(|(name, value)| {
                let of_name =
                    schema["properties"].get(name).or(schema.get("additionalProperties").filter(|of| of.is_object()));
                match of_name {
                    Some(schema) => wrong(root, schema, value, &format!("{at}.{name}")),
                    None => vec![format!("{at}.{name} is not in the schema")],
                }
            });
            missing.chain(below).collect()
        }
        Some("array") => {
            let Some(elements) = value.as_array() else { return complain("no list".to_owned()) };
            let each =
                |(place, value): (usize, &Value)| wrong(root, &schema["items"], value, &format!("{at}[{place}]"));
            elements.iter().enumerate().flat_map(each).collect()
        }
        Some("integer") => {
            let fits = match (value.as_i64(), value.as_u64()) {
                (Some(number), _) => {
                    Some(number) >= schema["minimum"].as_i64()
                        && schema["maximum"]
                            .as_u64()
                            .is_some_and(|most| u64::try_from(number).is_ok_and(|number| number <= most) || number < 0)
                }
                (None, Some(number)) => Some(number) <= schema["maximum"].as_u64(),
                (None, None) => false,
            };
            if fits { Vec::new() } else { complain("no number that fits".to_owned()) }
        }
        Some("string") if value.is_string() => Vec::new(),
        Some("boolean") if value.is_boolean() => Vec::new(),
        other => complain(format!("not {other:?}")),
    }
}

#[test]
fn what_is_written_is_as_the_schema_says() {
    lab(|net| {
        arrange(net);
        let schema: Value = serde_json::from_str(&net.vwire(&["snapshot", "--schema"]).ok()).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let mut all = String::new();
        for options in [&["snapshot"][..], &["snapshot", "--stats", "--pretty"]] {
            all = net.vwire(options).ok();
            let document: Value = serde_json::from_str(&all).unwrap();
            assert_eq!(wrong(&schema, &schema, &document, "$"), Vec::<String>::new());
        }
        let mut document: Value = serde_json::from_str(&all).unwrap();
        document["namespaces"][0]["state"]["links"][0]["mtu"] = "big".into();
        document["version"] = Value::Null;
        assert_eq!(wrong(&schema, &schema, &document, "$").len(), 2);
    });
}

/// Names the form of a value, with a link to what is told of it.
fn form(shape: &Shape) -> String {
    match shape {
        Shape::Number(..) => "number".to_owned(),
        Shape::Switch => "true or false".to_owned(),
        Shape::Text | Shape::TextOrBytes => "text".to_owned(),
        Shape::Pattern(about, _) => (*about).to_owned(),
        Shape::List(shape) => format!("list of {}", form(shape)),
        Shape::Map(about, shape) => format!("{} by {about}", form(shape)),
        Shape::Object(object) | Shape::Choice(object) => {
            format!("[{}](#{})", object.name, object.name.to_ascii_lowercase())
        }
        Shape::Either(shapes) => shapes.iter().map(form).collect::<Vec<_>>().join(" or "),
    }
}

/// Returns the part of the reference that is made from the tables.
fn reference() -> String {
    let mut text = String::new();
    for (object, is_choice) in schema::objects() {
        text.push_str(&format!("\n## {}\n\n{}\n", object.name, schema::sentence(object.about)));
        if is_choice {
            text.push_str("One of these members.\n");
        }
        text.push_str("\n| field | is | |\n|---|---|---|\n");
        for field in schema::fields(&object) {
            let name = if field.is_always { format!("**`{}`**", field.name) } else { format!("`{}`", field.name) };
            let about = schema::sentence(field.about).replace('|', "\\|");
            text.push_str(&format!("| {name} | {} | {about} |\n", form(&field.shape)));
        }
    }
    text.push_str(
        "\n## Sysctls\n\nThose with LINK are there for each link, and where `all` has a say, for `all`.\n\n\
         | name | `all` | decides |\n|---|---|---|\n",
    );
    for row in sysctl::TABLE {
        let name = match row.place {
            Place::Ipv4(_) => format!("net.ipv4.conf.LINK.{}", row.name),
            Place::Ipv6(_) => format!("net.ipv6.conf.LINK.{}", row.name),
            Place::Whole => row.name.to_owned(),
        };
        let all = if row.with_all { "yes" } else { "" };
        text.push_str(&format!("| `{name}` | {all} | {} |\n", row.about));
    }
    text
}

#[test]
fn the_reference_tells_every_field() {
    const END: &str = "it snapshot -->\n";
    let path = crate::sources::top().join("docs/reference-snapshot.md");
    let document = fs::read_to_string(&path).unwrap();
    let (prose, tables) = document.split_once(END).expect("the reference has a mark where the tables begin");
    if std::env::var_os("VWIRE_WRITE_DOCS").is_some() {
        fs::write(&path, format!("{prose}{END}{}", reference())).unwrap();
    } else if tables != reference() {
        panic!("docs/reference-snapshot.md is not what the tables say: VWIRE_WRITE_DOCS=1 writes it");
    }
}
