//! What `-j` prints is one valid document, whatever devices are called.
//!
//! No empty objects, control characters escaped, and names that are no UTF-8 come back as they were.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::json::Json;
use crate::lab::{Lab, Who, lab};

/// Names as the kernel allows them: up to 15 bytes without `/`, `:`, white space and zero.
const NAMES: [&[u8]; 8] =
    [b"a\xff", b"\xc3\xa4", b"\"q\"", b"b\\n", b"\x01\x1b[1m", b"\xed\xb3\xbf", b"{}[],", b"\x7f\x80\xfe\xc0"];

/// Objects and filters of which one or more rows are shown.
const LINES: [&str; 26] = [
    "link show",
    "link show up",
    "link show type veth",
    "link show group 7",
    "addr show",
    "addr show up",
    "addr show scope link",
    "addr show type nosuch",
    "addr show label nosuch",
    "route show table all",
    "-6 route show",
    "rule show",
    "neigh show",
    "nexthop show",
    "maddr show",
    "addrlabel show",
    "netconf show",
    "-4 netconf show",
    "token show",
    "tuntap show",
    "netns list",
    "netns list-id",
    "link xstats type bridge",
    "link xstats type bridge_slave",
    "link afstats",
    "ls",
];

const OPTIONS: [&[&str]; 6] = [&[], &["-p"], &["-d"], &["-s", "-s"], &["-br"], &["-d", "-d", "-s"]];

fn odd_network(net: &Lab) {
    net.arrange(&["link set lo up", "netns add blue", "link add br0 type bridge", "link set br0 up"]);
    for (number, name) in NAMES.iter().enumerate() {
        let peer = format!("p{number}");
        make(net, &[b"link", b"add", name, b"type", b"veth", b"peer", b"name", peer.as_bytes()]);
        make(net, &[b"link", b"set", name, b"up", b"alias", &[name, &b" \n\t"[..]].concat()]);
        make(net, &[b"addr", b"add", format!("10.{number}.0.1/24").as_bytes(), b"dev", name]);
        make(
            net,
            &[b"neigh", b"add", format!("10.{number}.0.2").as_bytes(), b"lladdr", b"02:00:00:00:00:01", b"dev", name],
        );
        make(net, &[b"rule", b"add", b"iif", name, b"lookup", b"7"]);
        make(net, &[b"link", b"set", peer.as_bytes(), b"master", b"br0", b"up"]);
    }
}

#[track_caller]
fn make(net: &Lab, words: &[&[u8]]) {
    let mut command = net.command_of(Who::Vwire, &[]);
    command.args(words.iter().map(|word| OsStr::from_bytes(word)));
    let said = net.run(command);
    assert_eq!(said.exit, 0, "{words:?}: {}", said.stderr);
}

#[test]
fn whatever_devices_are_called_each_document_is_valid() {
    lab(|net| {
        odd_network(net);
        for options in OPTIONS {
            for line in LINES {
                if line == "ls" && !options.is_empty() {
                    continue;
                }
                let words: Vec<&str> = ["-j"].iter().chain(options).copied().chain(line.split(' ')).collect();
                let output = net.command_of(Who::Vwire, &words).output().unwrap();
                assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
                let document = Json::parse(&output.stdout).unwrap_or_else(|error| panic!("{words:?}: {error}"));
                assert!(!document.has_empty_object(), "{words:?}: {}", String::from_utf8_lossy(&output.stdout));
            }
        }
    });
}

#[test]
fn names_come_back_as_they_were() {
    lab(|net| {
        odd_network(net);
        for words in [&["-j", "link", "show"][..], &["-j", "addr", "show"]] {
            let output = net.command_of(Who::Vwire, words).output().unwrap();
            let document = Json::parse(&output.stdout).unwrap();
            for name in NAMES {
                let is_it = |link: &&Json| *link.get("ifname") == Json::String(name.to_vec());
                assert!(document.elements().iter().any(|link| is_it(&link)), "{words:?} has no {name:?}");
            }
        }
    });
}
