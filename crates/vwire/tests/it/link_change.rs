//! `ip link add|set|replace|delete|property`: what is done to the kernel, and what is said where it is not.
//!
//! [`done_alike`] has vwire do some lines in one network and `ip` in another, and wants `ip` to see
//! the same in both; [`Lab::same`] wants the same words for a mistake. What vwire says better than
//! `ip` is asserted as it stands.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;

use crate::lab::{Lab, Normal, Said, Who, assert_alike, in_lab, judge, lab, split, until};
use crate::recorded::Recorded;

/// A pair, a bridge and a named namespace.
const NETWORK: &[&str] =
    &["link add v0 type veth peer name v1", "link add br0 address 02:00:00:00:00:b0 type bridge", "netns add blue"];

fn words(line: &str) -> Vec<String> {
    split(line)
}

#[track_caller]
fn run(net: &Lab, who: Who, line: &str) -> Said {
    let words = words(line);
    net.run(net.command_of(who, &words.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// Runs lines with vwire in one network and with `ip` in another: the same must be said and done.
#[track_caller]
fn done_alike(lines: &[&str]) {
    if let (Some(ours), Some(theirs)) = (done(Who::VwireAsIp, lines, Who::Ip), done(Who::Ip, lines, Who::Ip)) {
        assert_alike(&ours, &theirs);
    }
}

/// Like [`done_alike`], for what `ip` learned since 6.1.
#[track_caller]
fn done_as_recorded(test: &str, lines: &[&str]) {
    let judged = Recorded::of(test);
    // An older judge would show what was done in other words than the one that was recorded.
    let shows = if judged.is_live() { Who::Ip } else { Who::VwireAsIp };
    if let Some(ours) = done(Who::VwireAsIp, lines, shows) {
        judged.hold(&ours, || done(Who::Ip, lines, Who::Ip));
    }
}

/// Runs lines in a network of their own, and returns what was said and what came of it.
fn done(who: Who, lines: &[&str], shows: Who) -> Option<String> {
    in_lab(|net| {
        net.arrange(NETWORK);
        let mut normal = Normal::new(&lines.join(" "));
        let mut text = String::new();
        for line in lines {
            let _ = write!(text, "$ ip {line}\n{}", normal.said(&run(net, who, line)));
        }
        for dump in ["-d link", "-n blue -d link"] {
            let seen = normal.said(&run(net, shows, dump));
            let _ = write!(text, "$ ip {dump}\n{}", settled(&seen));
        }
        text
    })
}

/// Leaves out what the kernel finds out a moment after a link is set up: carrier and state.
pub(crate) fn settled(text: &str) -> String {
    let mut settled = text.to_owned();
    for word in ["NO-CARRIER,", ",LOWER_UP", ",M-DOWN"] {
        settled = settled.replace(word, "");
    }
    for state in ["UP", "DOWN", "LOWERLAYERDOWN", "UNKNOWN"] {
        settled = settled.replace(&format!(" state {state} "), " state ? ");
    }
    settled
}

/// What vwire says, called by its own name, where a line fails.
#[track_caller]
fn said(net: &Lab, line: &str, exit: i32) -> String {
    run(net, Who::Vwire, line).fails(exit)
}

#[test]
fn links_are_added_as_ip_adds_them() {
    done_alike(&[
        "link add a0 type veth peer name a1",
        "link add name b0 mtu 1400 txqueuelen 10 type veth peer name b1 mtu 1300 qlen 20",
        "link add dev c0 address 02:00:00:00:00:01 numtxqueues 2 numrxqueues 2 type veth peer c1 address 2:0:0:0:0:2",
        "link add d0 up alias 'an alias' group 7 type veth peer name d1 up alias other group 8",
        "link add index 40 e0 type veth peer name e1 index 41",
        "l a f0 t 5 ty veth peer name f1 txql 6",
        "link add type veth",
        "link add type veth peer name g1",
        "link add link v0 name m0 type macvlan",
        "link add link v0 m1 address 02:00:00:00:00:09 type macvlan",
        "link add br1 address 02:00:00:00:00:b1 type bridge",
        "link add h0 master br0 type veth peer name h1 master br1",
        "link replace br1 mtu 1450 type bridge",
        "link replace br2 address 02:00:00:00:00:b2 type bridge",
        "link add i0 addrgenmode none type veth peer name i1 addrgenmode eui64",
        "link add j0 arp off multicast off promisc on allmulticast on dynamic on trailers off type veth",
    ]);
}

#[test]
fn a_label_behind_a_name_is_the_device() {
    done_alike(&[
        "link set dev v0:1 up",
        "link set v0:1 master br0",
        "addr add 10.1.1.1/24 dev v0:1 label v0:1",
        "addr show dev v0:1",
        "addr show label v0:1",
        "addr del 10.1.1.1/24 dev v0:1 label v0:1",
        "addr add 10.1.1.2/24 dev v0:1",
        "route add 10.9.0.0/16 dev v0:1",
        "route show dev v0:1",
        "neigh add 10.1.1.9 lladdr 02:00:00:00:00:01 dev v0:1",
        "neigh show dev v0:1",
        "rule add iif v0:1 table 7",
        "rule",
        "addr flush dev v0:",
        "link set v0:1 nosuch",
        "link set nosuch:1 up",
        "link set :1 up",
        "link set v0:0123456789abcdef up",
        "link set v0 name v1:1",
        "link del v1:3",
    ]);
}

#[test]
fn links_are_set_as_ip_sets_them() {
    done_alike(&[
        "link set v0 mtu 1400",
        "link set dev v0 txqueuelen 5",
        "link set v0 up",
        "link set v1 up",
        "link set v0 address 02:00:00:00:00:0a",
        "link set v0 brd ff:ff:ff:ff:ff:fe",
        "link set v0 arp off multicast off allmulticast on promisc on dynamic on trailers off",
        "link set v0 arp on promisc off",
        "link set v0 master br0",
        "link set br0 group 5",
        "link set v0 alias 'two words' mode dormant",
        "link set v0 alias short mode default",
        "link set v1 down name w1",
        "link set w1 addrgenmode none gso_max_size 4000 gso_max_segs 10 gro_max_size 5000",
        "link set w1 xdp off",
        "link set w1 xdpgeneric none",
        "link set w1 state dormant",
        "link set v0 nom",
        "link set v0 type veth",
        "link change v0 mtu 1350",
        "link set v0 up down up",
        "link set v0 alias first alias last",
        "link set v0 mtu 0x500",
        "link set v0 mtu 02000",
        "link set w1 alias ''",
        "link set w1 name w1",
        "link set if2 mtu 1234",
    ]);
}

#[test]
fn links_move_to_namespaces_by_name_and_path() {
    done_alike(&[
        "link set v1 netns blue",
        "link add a0 type veth peer name a1 netns blue",
        "link add b0 netns blue type veth peer name b1",
        "link add c0 type veth peer netns /run/netns/blue name c1 mtu 1300",
        "link add d0 type veth peer name d1",
        "link set d1 index 77 netns /run/netns/blue name other",
        "link add m0 link v0 netns blue type macvlan",
        "-n blue link add m1 link v1 type macvlan",
    ]);
}

#[test]
fn what_ip_learned_since_6_1_is_done_as_it_does() {
    done_as_recorded(
        "what_ip_learned_since_6_1_is_done_as_it_does",
        &[
            "-echo link add a0 type veth peer name a1",
            "-echo link set a0 mtu 1400",
            "-echo -j link set a0 mtu 1300",
            "-echo -j link add b0 address 02:00:00:00:00:b1 type bridge",
            "-echo -d link add b1 address 02:00:00:00:00:b2 type bridge",
            "-echo link del b0",
            "-echo -j link del b1",
            "-echo -br link del a0",
            "-echo link del a0",
            "link set v0 gso_ipv4_max_size 4100 gro_ipv4_max_size 5100",
            "link set v0 inet forwarding on rp_filter 2 mtu 1300",
            "link property add dev v0 altname 'with blank'",
            "link set v1 netns blue",
            "link add m2 link-netns blue link v1 type macvlan",
            "link add m3 link-netnsid 0 link v1 type macvlan",
            "link add m4 netns blue link-netns /proc/self/ns/net link v0 type macvlan",
        ],
    );
}

#[test]
fn a_link_moves_to_the_namespace_of_a_process() {
    lab(|net| {
        net.arrange(NETWORK);
        let process = net.start(net.command("unshare", &["-n", "sleep", "1000"]));
        let pid = process.child.id().to_string();
        let here = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
        let there = format!("/proc/{pid}/ns/net");
        until("the process is in a namespace of its own", || {
            std::fs::read_link(&there).ok().filter(|namespace| *namespace != here)
        });
        net.vwire(&["link", "set", "v1", "netns", &pid]).ok();
        net.vwire(&["link", "add", "a0", "type", "veth", "peer", "name", "a1", "netns", &pid]).ok();
        let seen = net.run(net.command("nsenter", &["-t", &pid, "-n", &judge().path, "-o", "link"])).ok();
        assert!(seen.contains(" v1@") && seen.contains(" a1@"), "{seen}");
    });
}

#[test]
fn links_are_deleted_one_by_one_and_by_group() {
    done_alike(&[
        "link add a0 group 7 type veth peer name a1",
        "link add a2 group 7 type veth peer name a3 group 7",
        "link set v0 group 7",
        "link set group 7 up",
        "link set group 7 mtu 1300 type whatever",
        "link del group 7",
        "link del br0",
        "link add b0 type veth",
        "link delete dev b0 type veth",
        "link del group 7",
        "link del group 0",
        "link del lo",
    ]);
}

#[test]
fn other_names_are_given_and_taken_as_ip_does() {
    done_alike(&[
        "link property add dev v0 altname a-name-that-is-longer-than-fifteen",
        "link property add v1 altname x al y",
        "link set a-name-that-is-longer-than-fifteen mtu 1400",
        "link set x mtu 1300",
        "link prop del dev v1 altname x",
        "link property del dev v1 altname x",
        "link property add dev v1 altname v0",
        "link property add dev v1 altname y",
        "link property add dev v0",
        "link set v1 name y",
        "link del a-name-that-is-longer-than-fifteen",
    ]);
}

/// Lines that fail and change nothing, where `ip` says the same since 6.1.
const MISTAKES: &[&str] = &[
    "link add",
    "link set",
    "link del",
    "link replace",
    "link add x",
    "link foo",
    "link help",
    "link help nosuch",
    "link set help",
    "link add x h",
    "link set nosuch up",
    "link set nosuch up mtu 1400",
    "link set v0 u",
    "link set v0 v1",
    "link set dev v0 dev v1",
    "link set v0 name a name b",
    "link set name a name b",
    "link set '' up",
    "link set v0 mtu",
    "link set v0 mtu 0",
    "link set v0 mtu 67",
    "link set v0 mtu 65536",
    "link set v0 mtu -1",
    "link set v0 mtu 4294967296",
    "link set v0 mtu x",
    "link set v0 mtu 1x",
    "link set v0 mtu ''",
    "link set v0 mtu 1 mtu 2",
    "link set v0 txqueuelen x",
    "link set v0 qlen 1 txql 2",
    "link set v0 address 02:00:00:00:00",
    "link set v0 address 02:00:00:00:00:00:01",
    "link set v0 address 01:00:00:00:00:01",
    "link set v0 address 00:00:00:00:00:00",
    "link set v0 address zz",
    "link set v0 address 02:00:zz:00:00:01",
    "link set v0 address 10.0.0.1",
    "link set v0 address 10.x",
    "link set v0 brd 100:0:0:0:0:0",
    "link add x address 02:00:00:00:00 type veth",
    "link add x address 01:00:00:00:00:01 type veth",
    "link add x mtu 67 type veth",
    "link add x mtu 70000 type veth",
    "link add v0 type veth",
    "link add x type veth peer name x",
    "link add x type veth peer name v1",
    "link add x type veth foo",
    "link add x type veth peer foo bar",
    "link add x type veth peer name y type veth",
    "link add x type veth peer mtu",
    "link add x type veth peer carrier maybe",
    "link add x type veth peer name y netns nosuch",
    "link set v0 type veth peer name x",
    "link add x type nosuch",
    "link add x type nosuch a b",
    "link add x type nosuch help",
    "link add x link nosuch type macvlan",
    "link set v0 link-netnsid x",
    "link set v0 link-netnsid 1 link-netns blue",
    "link add x index 0 type veth",
    "link add x index y type veth",
    "link add x index 2 type veth",
    "link add x index 5 index 6 type veth",
    "link set v0 index 5",
    "link set v0 netns nosuch",
    "link set v0 netns blue netns blue",
    "link set lo netns blue",
    "link set v0 master nosuch",
    "link set v0 master v1",
    "link set br0 master br0",
    "link set v0 master",
    "link set v0 vrf nosuch",
    "link set v0 vrf br0",
    "link set v0 group nosuch",
    "link set v0 group -1",
    "link set v0 group 1 group 2",
    "link add group 5 type veth",
    "link add group 5 type veth x",
    "link set group 5 type veth x",
    "link del group 99",
    "link del lo",
    "link del nosuch",
    "link del v0 up mtu",
    "link del v0 type foo bar",
    "link set v0 mode foo",
    "link set v0 state foo",
    "link set v0 addrgenmode foo",
    "link set v0 addrgenmode stable_secret",
    "link set v0 arp maybe",
    "link set v0 arp o",
    "link set v0 multicast maybe",
    "link set v0 allmulticast maybe",
    "link set v0 promisc maybe",
    "link set v0 trailers maybe",
    "link set v0 dyn maybe",
    "link set v0 carrier maybe",
    "link set v0 protodown maybe",
    "link set v0 protodown on",
    "link set v0 protodown_reason 33 on",
    "link set v0 protodown_reason 4 maybe",
    "link set v0 protodown_reason 4 o",
    "link set v0 gso_max_size x",
    "link set v0 gso_max_size 999999999",
    "link set v0 gso_max_segs 70000",
    "link set v0 gro_max_size x",
    "link set v0 numtxqueues x",
    "link set v0 numrxqueues 1 numrxqueues 2",
    "link set v0 xdp",
    "link set v0 xdp off up",
    "link set v0 xdp object",
    "link set v0 xdp pin",
    "link set v0 xdp foo /nosuch",
    "link set v0 xdp pinned /nosuch",
    "link set v0 xdpgeneric object-p /nosuch section a program b verb up",
    "link set v0 xdpdrv fd /nosuch sec",
    "link set nosuch xdpoffload off",
    "link set v0 vf",
    "link set v0 vf 0",
    "link set v0 vf x",
    "link set v0 vf 0 mac 02:00:00:00:00:01",
    "link set v0 vf 0 mac 02:00",
    "link set v0 vf 0 vlan 5000",
    "link set v0 vf 0 vlan 5 qos x",
    "link set v0 vf 0 state maybe",
    "link set v0 vf 0 spoofchk maybe",
    "link set v0 vf 0 node_guid 00:11",
    "link set v0 vf 0 rate x",
    "link set vf 0 mac 1",
    "link property",
    "link property foo",
    "link property help",
    "link property add",
    "link property add dev v0 altname",
    "link property add dev v0 altname ''",
    "link property add dev v0 altname x y",
    "link property add dev nosuch altname x",
    "link property del dev v0 altname nosuch",
];

/// Lines that fail, where `ip` speaks otherwise before 7.1.
const MISTAKES_SINCE_7_1: &[&str] = &[
    "link add a/b type veth",
    "link add 'a b' type veth",
    "link add . type veth",
    "link add a:b type veth",
    "link add name a/b type veth",
    "link add name 'a b' type veth",
    "link add abcdefghijklmnop type veth",
    "link add name abcdefghijklmnop type veth",
    "link set v0 name abcdefghijklmnop",
    "link set v0 name a:b",
    "link set v0 name .",
    "link set v0 inet",
    "link set v0 inet foo",
    "link set v0 inet forwarding",
    "link set v0 inet forwarding maybe",
    "link set v0 inet rp_filter x",
    "link add name x dev y type veth",
    "link set if99 up",
    "link del if99",
    "link add x link v0 link-netnsid 7 type macvlan",
    "link set v0 netns 99999999",
    "link add x link-netns nosuch type macvlan mode bridge",
    "link set v0 link-netns nosuch",
    "link set v0 link-netns '' mtu 1400",
];

#[test]
fn mistakes_are_told_in_ips_words() {
    lab(|net| {
        net.arrange(NETWORK);
        let judged = Recorded::of("mistakes_are_told_in_ips_words");
        for line in MISTAKES_SINCE_7_1 {
            judged.same(net, &words(line).iter().map(String::as_str).collect::<Vec<_>>());
        }
        for line in MISTAKES {
            net.same(&words(line).iter().map(String::as_str).collect::<Vec<_>>());
        }
        let long = ["x".repeat(300), "x".repeat(255), "y".repeat(128)];
        judged.same(net, &["link", "add", &long[0], "type", "veth"]);
        judged.same(net, &["link", "property", "add", "dev", "v0", "altname", &long[2]]);
        net.same(&["link", "set", "v0", "name", &long[0]]);
        net.same(&["link", "set", "v0", "alias", &[long[1].as_str(), "x"].concat()]);
    });
}

#[test]
fn a_refusal_names_the_object_the_reason_and_what_helps() {
    lab(|net| {
        net.arrange(NETWORK);
        for (line, exit, text) in [
            (
                "link add v0 type veth",
                2,
                "error: cannot add link `v0`: File exists (kernel: no more detail)\n\
                 hint: `vwire link show v0` shows the one in the way; choose another name or delete it\n",
            ),
            (
                "link set v0 mtu 67",
                2,
                "error: cannot set mtu 67 on `v0`: Invalid argument (kernel: mtu less than device minimum)\n\
                 hint: `v0` takes an MTU from 68 to 65535\n",
            ),
            (
                "link set v0 mtu 4294967296",
                255,
                "error: cannot set mtu 4294967296 on `v0`: `4294967296` is no number up to 2147483647\n\
                 hint: `vwire -d link show DEV` says `minmtu` and `maxmtu`; IPv4 needs 68, IPv6 1280\n",
            ),
            (
                "link set v0 address 02:00:00:00:00",
                1,
                "error: cannot set address 02:00:00:00:00 on `v0`: the address is 5 bytes, the device's are 6\n\
                 hint: an Ethernet address has six octets, as 02:00:00:00:00:01\n",
            ),
            (
                "link set v0 address 10.0.0.1",
                1,
                "error: cannot set address 10.0.0.1 on `v0`: the address is 4 bytes, the device's are 6\n\
                 hint: an Ethernet address has six octets, as 02:00:00:00:00:01\n",
            ),
            (
                "link set v0 master v1",
                2,
                "error: cannot make `v0` a port of `v1`: Operation not supported (kernel: no more detail)\n\
                 hint: `v1` is a veth, which has no ports; a bridge, a bond, a team or a vrf has\n",
            ),
            (
                "link set nosuch up",
                1,
                "error: cannot set `nosuch` up: there is no device `nosuch` in this namespace\n\
                 hint: `vwire ls --all` shows the devices of all namespaces\n",
            ),
            (
                "link del lo",
                2,
                "error: cannot delete link `lo`: Operation not supported (kernel: no more detail)\n\
                 hint: only devices that were made can be deleted; `lo` and hardware stay, and can be set `down`\n",
            ),
            (
                "link set v0 netns nosuch",
                255,
                "error: cannot move `v0` to namespace `nosuch`: there is no namespace `nosuch`\n\
                 hint: `vwire netns` lists those that have a name; `vwire netns add nosuch` makes this one\n",
            ),
            (
                "link add x type veth peer name x",
                2,
                "error: cannot add link `x`: File exists (kernel: no more detail)\n\
                 hint: both ends are to be called `x`, and are in one namespace\n",
            ),
            (
                "link set v0 upp",
                255,
                "error: cannot change link `v0`: `upp` is no keyword here, and `dev` was given already\n\
                 hint: did you mean `up`?\n",
            ),
            (
                "link add x veth y",
                255,
                "error: cannot add link `x`: `veth` is no keyword here, and `dev` was given already\n\
                 hint: a kind stands behind `type`: `type veth`\n",
            ),
            (
                "link set br00 up",
                1,
                "error: cannot set `br00` up: there is no device `br00` in this namespace\n\
                 hint: `vwire ls --all` shows the devices of all namespaces\n\
                 hint: did you mean `br0`?\n",
            ),
            (
                "link add m0 type macvlan",
                2,
                "error: cannot add link `m0`: Invalid argument (kernel: no more detail)\n\
                 hint: a macvlan sits on another link: `vwire link add link DEV name m0 type macvlan`\n",
            ),
            (
                "link add t0 type tun",
                2,
                "error: cannot add link `t0`: Operation not supported (kernel: tun/tap creation via rtnetlink is not supported)\n\
                 hint: `vwire tuntap add name t0 mode tun` makes one\n",
            ),
        ] {
            assert_eq!(said(net, line, exit), text, "{line}");
        }
    });
}

#[test]
fn names_that_are_none_are_told_why() {
    lab(|net| {
        for (name, exit, wanted) in [
            (&b""[..], 255, "the name is empty"),
            (b"very-long-name-16b", 2, "`very-long-name-16b` is 18 bytes, 15 is the limit"),
            (b"a/b", 2, "a name has 1 to 15 bytes, without `/`, `:` and white space"),
            (b"a b", 2, "a name has 1 to 15 bytes, without `/`, `:` and white space"),
            (&[b'x'; 300], 255, "the name is 300 bytes, 15 is the limit"),
            (b"\xff\xc3\xa0", 2, "a name has 1 to 15 bytes, without `/`, `:` and white space"),
        ] {
            let mut command = net.command_of(Who::Vwire, &["link", "add"]);
            command.arg(OsStr::from_bytes(name)).args(["type", "veth"]);
            let said = net.run(command).fails(exit);
            assert!(said.starts_with("error: cannot add ") && said.contains(wanted), "{name:?}: {said}");
        }
        let mut odd = net.command_of(Who::Vwire, &["link", "add"]);
        odd.arg(OsStr::from_bytes(b"\xff\xfe")).args(["type", "veth"]);
        net.run(odd).ok();
    });
}

#[test]
fn a_missing_driver_is_named_with_those_that_are_there() {
    lab(|net| {
        let said = said(net, "link add x type nosuch", 2);
        let wanted = "error: cannot add link `x`: Operation not supported (kernel: Unknown device type)\n\
                      hint: this kernel has no driver `nosuch`; it has: ";
        assert!(said.starts_with(wanted) && said.contains("veth"), "{said}");
        let said = self::said(net, "link add x type birdge", 2);
        assert!(said.ends_with("hint: did you mean `bridge`?\n"), "{said}");
    });
}

#[test]
fn a_missing_capability_is_named() {
    lab(|net| {
        net.arrange(NETWORK);
        let without = |line: &str| {
            let ours = env!("CARGO_BIN_EXE_vwire");
            let mut command = net.command("setpriv", &["--inh-caps=-net_admin", "--bounding-set=-net_admin", ours]);
            command.args(words(line));
            net.run(command).fails(2)
        };
        for line in ["link add x type veth", "link set v0 up", "link del v0", "link property add v0 altname x"] {
            let said = without(line);
            assert!(said.contains("Operation not permitted") && said.contains("this takes CAP_NET_ADMIN"), "{said}");
        }
    });
}

#[test]
fn what_could_not_be_read_changes_nothing() {
    lab(|net| {
        net.arrange(NETWORK);
        let before = net.ip(&["link"]).ok();
        said(net, "link set v0 mtu 1400 up name x arp maybe", 1);
        said(net, "link add x type veth peer name y mtu z", 255);
        assert_eq!(net.ip(&["link"]).ok(), before);
    });
}

#[test]
fn a_change_in_several_words_is_made_whole_or_not_at_all() {
    lab(|net| {
        net.arrange(&[
            "link add v0 type veth peer name v1",
            "link set v0 addrgenmode none",
            "link add br0 type bridge",
            "link add br1 type bridge",
            "link set v0 master br0",
        ]);
        // A device that was up for a moment has no queueing discipline once it is down again, where a
        // new one has its default already: neither passes a packet.
        let dump = || net.ip(&["-d", "link", "show", "v0"]).ok().replace("qdisc noop ", "qdisc noqueue ");
        let before = dump();
        let wishes = [
            "name newn mtu 1400 up master v1",
            "alias x group 7 txqueuelen 5 mtu 67",
            "address 02:00:00:00:00:05 arp off promisc on master v1",
            "up mtu 1300 addrgenmode eui64 master lo",
        ];
        for wish in wishes {
            let words: Vec<&str> = ["link", "set", "v0"].into_iter().chain(wish.split(' ')).collect();
            let said = net.vwire(&words).fails(2);
            assert_eq!(dump(), before, "{wish}: {said}");
        }
        let said = net.vwire(&["link", "set", "v0", "mtu", "1400", "name", "newn", "up", "master", "v1"]).fails(2);
        assert!(said.contains("hint: nothing is changed"), "{said}");
        // Linked as `ip` it leaves what the kernel had done, as `ip` does.
        net.vwire_as_ip(&["link", "set", "v0", "mtu", "1400", "master", "v1"]).fails(2);
        assert_ne!(dump(), before);
    });
}
