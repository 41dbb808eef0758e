//! Compares what a lab asks the kernel for with what `ip`, `bridge` and `tc` ask for by the same words, byte by byte.
//!
//! So is held what the kernel of this machine may lack (netem, VLANs, dummies): a request can be seen that is refused.

use std::collections::BTreeMap;

use vwire::lab::compile::compile;
use vwire::lab::file::read;
use vwire::lab::model;
use vwire::lab::plan::{self, Beside};
use vwire::step::world::{Place, World};
use vwire::step::{Action, Object, converge};
use vwire_netlink::Request;

use crate::lab::{Lab, lab};

/// `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER`, which not every program sets.
const FLAGS: u16 = 0xc000;
/// `RTM_NEWLINK`, `RTM_SETLINK`, `RTM_NEWQDISC`, `RTM_NEWLINKPROP`, and `RTM_DELLINK`.
const NEWLINK: u16 = 16;
const DELLINK: u16 = 17;
const SETLINK: u16 = 19;
const NEWQDISC: u16 = 36;
const NEWLINKPROP: u16 = 108;

/// A message: its type, flags, and family's header, and its attributes by where they are, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Message {
    kind: u16,
    flags: u16,
    head: Vec<u8>,
    attributes: Vec<(String, Vec<u8>)>,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap()
}

/// Returns the messages of a datagram.
fn messages(bytes: &[u8]) -> Vec<Message> {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while rest.len() >= 16 {
        let length = u32_at(rest, 0);
        found.extend(message(&rest[..length]));
        rest = &rest[length.next_multiple_of(4).min(rest.len())..];
    }
    found
}

fn message(bytes: &[u8]) -> Option<Message> {
    let (kind, flags) = (u16_at(bytes, 4), u16_at(bytes, 6));
    let head = match kind {
        NEWLINK | DELLINK | SETLINK | NEWLINKPROP => 16,
        NEWQDISC => 20,
        _ => return None,
    };
    let body = &bytes[16..];
    let mut attributes = Vec::new();
    nested(kind, "", &body[head..], &mut attributes);
    attributes.sort();
    Some(Message { kind, flags, head: body[..head].to_vec(), attributes })
}

/// Returns after how many bytes attributes begin in an attribute, if there are some in it.
fn begins(kind: u16, path: &str) -> Option<usize> {
    match (kind, path) {
        // IFLA_LINKINFO and its IFLA_INFO_DATA, IFLA_AF_SPEC, IFLA_PROP_LIST.
        (NEWLINK | SETLINK | DELLINK | NEWLINKPROP, "/18" | "/18/2" | "/26" | "/52") => Some(0),
        // TCA_OPTIONS behind `struct tc_netem_qopt`.
        (NEWQDISC, "/2") => Some(24),
        _ => None,
    }
}

fn nested(kind: u16, path: &str, bytes: &[u8], to: &mut Vec<(String, Vec<u8>)>) {
    let mut rest = bytes;
    while rest.len() >= 4 {
        let length = usize::from(u16_at(rest, 0));
        let path = format!("{path}/{}", u16_at(rest, 2) & !FLAGS);
        let payload = &rest[4..length];
        match begins(kind, &path) {
            Some(at) => {
                if at > 0 {
                    to.push((path.clone(), payload[..at].to_vec()));
                }
                nested(kind, &path, &payload[at..], to);
            }
            // Names are strings, with a zero at the end or without.
            None => {
                to.push((path, payload.strip_suffix(&[0]).filter(|_| is_name(payload)).unwrap_or(payload).to_vec()))
            }
        }
        rest = &rest[length.next_multiple_of(4).min(rest.len())..];
    }
}

fn is_name(payload: &[u8]) -> bool {
    payload.len() > 2 && payload[..payload.len() - 1].iter().all(u8::is_ascii_graphic)
}

/// Returns the requests of these kinds that a program makes, seen by `strace`; the kernel may refuse them.
fn asked(net: &Lab, program: &str, words: &str, kinds: &[u16]) -> Vec<Message> {
    let mut all = vec!["-qq", "-o", "/run/asked", "-e", "trace=sendmsg,sendto", "-e", "write=all", program];
    all.extend(words.split_whitespace());
    net.run(net.command("strace", &all));
    let text = std::fs::read_to_string("/run/asked").unwrap();
    let mut datagrams: Vec<Vec<u8>> = Vec::new();
    for line in text.lines() {
        // ` | 00010  00 00 …  ASCII |`, each datagram from 00000 on.
        let Some(row) = line.strip_prefix(" | ") else { continue };
        let (at, bytes) = row.split_once("  ").unwrap();
        if at == "00000" {
            datagrams.push(Vec::new());
        }
        let bytes = bytes.get(..49).unwrap_or(bytes).split_whitespace();
        let bytes = bytes.map_while(|word| u8::from_str_radix(word, 16).ok().filter(|_| word.len() == 2));
        datagrams.last_mut().unwrap().extend(bytes);
    }
    let found = datagrams.iter().flat_map(|datagram| messages(datagram));
    let found: Vec<Message> = found.filter(|message| kinds.contains(&message.kind)).collect();
    assert!(!found.is_empty(), "{program} {words} asks for nothing:\n{text}");
    found
}

fn bytes(request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    request.append_to(&mut bytes, 0);
    bytes
}

/// A lab as it would be made from nothing.
struct Made {
    lab: model::Lab,
    wanted: World,
    /// The requests for objects, by node.
    objects: BTreeMap<String, Vec<(Object, Message)>>,
    /// Those for queueing.
    disciplines: BTreeMap<String, Vec<Message>>,
}

impl Made {
    fn of(text: &str) -> Self {
        let (lab, _) = read(text, "bytes.toml").unwrap_or_else(|problems| panic!("{problems:?}"));
        let wanted = compile(&lab, &[]).unwrap_or_else(|problems| panic!("{problems:?}"));
        let now = World { states: vec![vwire::snapshot::state::State::default(); lab.nodes.len()], ..World::default() };
        let steps = converge(&wanted, &now, &plan::scope(&lab, &wanted, &now, None));
        let made = plan::made(&steps);
        let (mut objects, mut disciplines) = (BTreeMap::new(), BTreeMap::new());
        for step in &steps {
            if let Action::Object { verb, object, .. } = &step.action {
                let request = object.request(*verb, |_| Some(9));
                let of: &mut Vec<_> = objects.entry(lab.nodes[step.place.0].name.clone()).or_default();
                of.extend(messages(&bytes(&request)).into_iter().map(|message| (object.clone(), message)));
            }
        }
        for (at, state) in wanted.states.iter().enumerate() {
            let steps = plan::beside(&lab, at, state, &Beside::default(), &made, true).unwrap();
            let of: &mut Vec<Message> = disciplines.entry(lab.nodes[at].name.clone()).or_default();
            for step in &steps {
                let Action::Other { subsystem: None, requests, .. } = &step.action else { continue };
                of.extend(requests.iter().flat_map(|request| messages(&bytes(request))));
            }
        }
        Self { lab, wanted, objects, disciplines }
    }

    fn index(&self, node: &str, device: &str) -> u32 {
        let at = self.lab.nodes.iter().position(|own| own.name == node).unwrap();
        let links = &self.wanted.state(Place(at)).links;
        links.iter().find(|link| link.ifname.is_some_and(|name| name == device)).unwrap().index
    }

    fn group(&self) -> u32 {
        vwire::lab::mark::group(&self.lab.name)
    }

    /// Returns the one request that makes a device.
    fn making(&self, node: &str, device: &str) -> Message {
        let index = self.index(node, device);
        let is_it = |(object, message): &&(Object, Message)| {
            matches!(object, Object::Link { link, .. } if link.index == index) && message.flags & CREATE != 0
        };
        let found: Vec<_> = self.objects[node].iter().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{device}");
        found[0].1.clone()
    }
}

/// `NLM_F_CREATE`.
const CREATE: u16 = 0x400;

/// Says times in ticks of 64 ns in the head, as an older `tc` does, where attributes say them in nanoseconds, which the
/// kernel prefers.
fn in_ticks(message: &Message) -> Message {
    let mut message = message.clone();
    for (path, at) in [("/2/10", 0), ("/2/11", 20)] {
        let Some(place) = message.attributes.iter().position(|(own, _)| own == path) else { continue };
        let (_, nanoseconds) = message.attributes.remove(place);
        let nanoseconds = i64::from_ne_bytes(nanoseconds.try_into().unwrap());
        assert_eq!(nanoseconds % 64, 0, "the times of the test are whole ticks");
        let ticks = u32::try_from(nanoseconds / 64).unwrap();
        let head = message.attributes.iter_mut().find(|(own, _)| own == "/2").unwrap();
        head.1[at..at + 4].copy_from_slice(&ticks.to_ne_bytes());
    }
    message
}

#[test]
fn netem_is_asked_for_as_by_tc_in_both_directions_with_all_words() {
    let text = "name = \"bytes\"\nnodes = [\"a\", \"b\"]\nwires = [\"a -- b -> delay 10ms jitter 2ms loss 1% duplicate 0.5% \
        reorder 25% rate 1mbit <- delay 280ms loss 12.5% rate 40gbit\", \"a -- b loss 0.0001%\"]\n";
    let made = Made::of(text);
    lab(|net| {
        for (node, device, words) in [
            ("a", "eth0", "delay 10ms 2ms loss 1% duplicate 0.5% reorder 25% rate 1mbit"),
            ("b", "eth0", "delay 280ms loss 12.5% rate 40gbit"),
            ("a", "eth1", "loss 0.0001%"),
            ("b", "eth1", "loss 0.0001%"),
        ] {
            let index = made.index(node, device);
            let own = made.disciplines[node].iter();
            let mut own = own.filter(|message| u32_at(&message.head, 4) == usize::try_from(index).unwrap());
            let own = own.next().unwrap_or_else(|| panic!("nothing is asked for {device} of {node}"));
            let limit = own.attributes.iter().find(|(path, _)| path == "/2").map(|(_, head)| u32_at(head, 4)).unwrap();
            net.arrange(&[&format!("link add bytes0 index {index} type bridge")]);
            let theirs =
                asked(net, "tc", &format!("qdisc replace dev bytes0 root netem limit {limit} {words}"), &[NEWQDISC]);
            net.arrange(&["link del bytes0"]);
            assert_eq!(theirs.len(), 1);
            assert_eq!(in_ticks(own), in_ticks(&theirs[0]), "{node} {device} {words}");
        }
    });
}

#[test]
fn dummies_and_vlans_are_asked_for_as_by_ip() {
    let text = "name = \"bytes\"\nnodes = [\"a\", \"b\"]\nwires = [\"a -- b\"]\n[node.a.dummy.d0]\nmtu = 1400\n\
        mac = \"02:00:00:00:00:01\"\n[node.a.vlan.v10]\nparent = \"eth0\"\nid = 10\n";
    let made = Made::of(text);
    lab(|net| {
        let (eth0, group) = (made.index("a", "eth0"), made.group());
        net.arrange(&[&format!("link add eth0 index {eth0} type bridge")]);
        for (device, words) in [
            ("d0", format!("address 02:00:00:00:00:01 mtu 1400 group {group} up type dummy")),
            ("v10", format!("link eth0 mtu 1500 group {group} up type vlan id 10")),
        ] {
            let own = made.making("a", device);
            let (link, words) = match words.strip_prefix("link eth0 ") {
                Some(rest) => ("link eth0 ", rest.to_owned()),
                None => ("", words),
            };
            let line = format!("link add {link}name {device} index {} {words}", made.index("a", device));
            let theirs = asked(net, "ip", &line, &[NEWLINK]);
            // What stands before it asks whether the kernel is strict.
            assert_eq!(Some(&own), theirs.last(), "{line}");
        }
    });
}

#[test]
fn bridges_that_tell_vlans_apart_and_their_ports_are_asked_for_as_by_ip_and_bridge() {
    let text = "name = \"bytes\"\nnodes = [\"a\", \"b\"]\nwires = [\"a -- lan:p1 vlan 10\", \"b -- lan:p2 vlan 1 trunk 20,30-40\"]\n";
    let made = Made::of(text);
    lab(|net| {
        let (index, group) = (made.index("lan", "lan"), made.group());
        let own = made.making("lan", "lan");
        let has = |path: &str| own.attributes.iter().any(|(own, _)| own == path);
        // IFLA_BR_VLAN_FILTERING.
        assert!(has("/18/2/7"), "{own:?}");
        let line = format!("link add name lan index {index} mtu 1500 group {group} up type bridge vlan_filtering 1");
        let theirs = asked(net, "ip", &line, &[NEWLINK]).pop().unwrap();
        let only = |message: &Message, wanted: &str| {
            message.attributes.iter().filter(|(path, _)| path == wanted).cloned().collect::<Vec<_>>()
        };
        for path in ["/3", "/18/1", "/18/2/7", "/27"] {
            assert_eq!(only(&own, path), only(&theirs, path), "{path}");
        }
        assert_eq!((own.flags, &own.head), (theirs.flags, &theirs.head));
        for (port, adds, takes) in
            [("p1", vec!["vid 10 pvid untagged"], vec!["vid 1"]), ("p2", vec!["vid 20", "vid 30-40"], vec![])]
        {
            let index = made.index("lan", port);
            net.arrange(&[&format!("link add {port} index {index} type bridge")]);
            let mut theirs = Vec::new();
            for (verb, kind, all) in [("add", SETLINK, &adds), ("del", DELLINK, &takes)] {
                for words in all {
                    theirs.extend(asked(net, "bridge", &format!("vlan {verb} dev {port} {words}"), &[kind]));
                }
            }
            let own = made.objects["lan"].iter().map(|(_, message)| message);
            let own: Vec<&Message> = own
                .filter(|message| message.head[0] == 7 && u32_at(&message.head, 4) == usize::try_from(index).unwrap())
                .collect();
            let infos = |messages: &[&Message], kind: u16| {
                let of = messages.iter().filter(|message| message.kind == kind).flat_map(|message| &message.attributes);
                let mut infos: Vec<_> = of.cloned().collect();
                infos.sort();
                infos
            };
            let theirs: Vec<&Message> = theirs.iter().collect();
            for kind in [SETLINK, DELLINK] {
                assert_eq!(infos(&own, kind), infos(&theirs, kind), "{port}");
            }
            for (own, theirs) in own.iter().zip(&theirs) {
                assert_eq!(own.head, theirs.head, "{port}");
            }
        }
    });
}

#[test]
fn names_that_are_too_long_for_the_kernel_are_given_as_by_ip() {
    let text = "name = \"bytes\"\nnodes = [\"a\", \"b\"]\nwires = [\"a:a-device-with-a-long-name -- b\"]\n";
    let made = Made::of(text);
    lab(|net| {
        let own = made.objects["a"].iter().find(|(object, _)| matches!(object, Object::LinkNames(_)));
        let (_, own) = own.expect("a name that is too long");
        net.arrange(&[&format!("link add long0 index {} type bridge", u32_at(&own.head, 4))]);
        let theirs = asked(net, "ip", "link property add dev long0 altname a-device-with-a-long-name", &[NEWLINKPROP]);
        assert_eq!(*own, theirs[0]);
    });
}

#[test]
fn messages_are_taken_apart_to_their_attributes() {
    let head = [36_u32.to_ne_bytes(), [16, 0, 5, 6], [0; 4], [0; 4]].concat();
    let link = [vec![0; 16], vec![4, 0, 9, 0]].concat();
    let found = messages(&[head, link].concat());
    assert_eq!(found[0].attributes, [("/9".to_owned(), Vec::new())]);
}

#[test]
fn what_a_vlan_stands_on_is_up_before_it_and_in_its_own_node() {
    let text = "nodes = [\"a\", \"r\"]\nwires = [\"a:out -- r:in 10.0.0.1/24\"]\n[node.r.vlan.v10]\nparent = \"in\"\nid = 10\n\
                [node.a.vlan.w11]\nparent = \"r:in\"\nid = 11\nmtu = 1400\n";
    let (lab, _) = read(text, "vlans.toml").unwrap();
    let wanted = compile(&lab, &[]).unwrap();
    let now = World { states: vec![vwire::snapshot::state::State::default(); lab.nodes.len()], ..World::default() };
    let steps = converge(&wanted, &now, &plan::scope(&lab, &wanted, &now, None));
    let names = vwire::step::Names::of(lab.nodes.iter().map(|node| node.name.clone()).collect(), &[&wanted]);
    let group = format!("group {}", vwire::lab::mark::group("vlans"));
    let told: Vec<String> = steps.iter().map(|step| step.describe(&names).replace(&format!(" {group}"), "")).collect();
    let links: Vec<&str> = told.iter().map(String::as_str).filter(|words| words.contains(": link ")).take(5).collect();
    assert_eq!(
        links,
        [
            "a: link add out mtu 1500 up type veth peer name in mtu 1500 netns r",
            "r: link set in up",
            "r: link add w11 netns a link in mtu 1400 up type vlan id 11",
            "r: link add v10 link in mtu 1500 up type vlan id 10",
        ],
        "{told:?}"
    );
}
