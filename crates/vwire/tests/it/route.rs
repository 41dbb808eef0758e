//! `ip route` and `ip nexthop`: what is said and done, word for word as `ip`, and what vwire says better.

use std::fmt::Write as _;
use std::process::Stdio;

use crate::lab::{Lab, Normal, Said, Who, alike_after, assert_alike, in_lab, lab, split};
use crate::recorded::Recorded;

/// A pair of which `v0` has a carrier and addresses, and a device `d0` that is down.
const NETWORK: &[&str] = &[
    "link set lo up",
    "link add v0 index 10 address 02:00:00:00:00:01 type veth peer name v1 index 11 address 02:00:00:00:00:02",
    "link set v0 addrgenmode none",
    "link set v1 addrgenmode none",
    "link add d0 index 12 address 02:00:00:00:00:03 type bridge",
    "link set v1 up",
    "link set v0 up",
    "addr add 10.0.0.1/24 dev v0",
    "addr add 10.0.1.1/24 dev v0",
    "-6 addr add 2001:db8::1/64 dev v0 nodad",
];

/// What shows all that a change may have done.
const SHOWS: &[&str] = &[
    "route show table all",
    "-6 route show table all",
    "-d route show table 0",
    "-d -j -p route show table 0",
    "-j -6 route show",
    "-o route",
    "nexthop",
];

/// Runs lines in twin networks, then shows what came of them.
#[track_caller]
pub(crate) fn done_alike(lines: &[&str]) {
    alike_after(NETWORK, &[lines, SHOWS].concat());
}

/// Runs lines in twin networks; they show by themselves what they do.
#[track_caller]
pub(crate) fn said_alike(lines: &[&str]) {
    alike_after(NETWORK, lines);
}

/// Like [`done_alike`], for what `ip` learned since 6.1.
#[track_caller]
pub(crate) fn done_as_recorded(test: &str, lines: &[&str]) {
    Recorded::of(test).alike_after(NETWORK, &[lines, SHOWS].concat());
}

/// Like [`said_alike`], for what `ip` learned since 6.1.
#[track_caller]
pub(crate) fn said_as_recorded(test: &str, lines: &[&str]) {
    Recorded::of(test).alike_after(NETWORK, lines);
}

#[test]
fn routes_are_added_as_ip_adds_them() {
    done_alike(&[
        "route add 10.1.0.0/16 via 10.0.0.2",
        "route add 10.2.0.0/255.255.0.0 via 10.0.0.2 dev v0 metric 5",
        "route add 10.3 via 10.0.0.2",
        "route add default via 10.0.0.2 proto static",
        "ro a to 10.4.0.0/16 dev v0 src 10.0.1.1 pro dhcp",
        "route add 10.5.0.0/16 dev v0 scope global table 100",
        "route add 10.6.0.0/16 dev v0 table 1000",
        "route add 10.7.0.0/16 via 192.0.2.1 dev v0 onlink",
        "route add 10.8.0.0/16 via inet6 2001:db8::2 dev v0",
        "route add 10.9.0.0/16 dev v0 tos 0x10",
        "route add 10.9.0.0/16 dev v0 dsfield 8 priority 9",
        "route add 10.10.0.0/16 dev v0 realm 5",
        "route add 10.11.0.0/16 dev v0 realms 5/6 preference 3",
        "route add blackhole 10.12.0.0/16",
        "route add unreachable 10.13.0.0/16 metric 100",
        "route add prohibit 10.14.0.0/16",
        "route add throw 10.15.0.0/16 table 100",
        "route add local 10.16.0.1 dev v0",
        "route add broadcast 10.17.255.255 dev v0",
        "route add brd 10.18.255.255 dev v0",
        "route add multicast 224.1.0.0/16 dev v0",
        "route add unicast 10.19.0.0/16 oif v0",
        "route add bl 10.20.0.0/16",
        "route add 10.21.0.0/16 via 10.0.0.2 dev v0 proto bird table main scope 0",
        "route prepend 10.1.0.0/16 via 10.0.0.3",
        "route append 10.1.0.0/16 via 10.0.0.4",
        "route replace 10.2.0.0/16 via 10.0.0.5 metric 5",
        "route change 10.2.0.0/16 via 10.0.0.6 metric 5",
        "route replace 10.22.0.0/16 dev v0",
        "route test 10.23.0.0/16 dev v0",
        "route chg 10.2.0.0/16 dev v0 metric 5",
        "route add 0/0 via 10.0.0.9 metric 50",
        "route add any via 10.0.0.9 metric 51",
        "route add 10.24.0.0/16 via default",
    ]);
}

#[test]
fn metrics_are_set_as_ip_sets_them() {
    done_alike(&[
        "route add 10.1.0.0/16 dev v0 mtu 1400 advmss 1300 hoplimit 9",
        "route add 10.2.0.0/16 dev v0 mtu lock 1400 advmss lock 1300 hoplimit lock 9",
        "route add 10.3.0.0/16 dev v0 rtt 100ms rttvar 50ms rto_min 200ms",
        "route add 10.4.0.0/16 dev v0 rtt 1.5s rttvar 2s rto_min 3s",
        "route add 10.5.0.0/16 dev v0 rtt 800 rttvar 400 rto_min 20",
        "route add 10.6.0.0/16 dev v0 window 10000 cwnd lock 7 initcwnd 8 initrwnd 9 ssthresh 100 reord 5",
        "route add 10.7.0.0/16 dev v0 quickack 1 fastopen_no_cookie 1 features ecn",
        "route add 10.8.0.0/16 dev v0 congctl reno",
        "route add 10.9.0.0/16 dev v0 rtt lock 0.5s rttvar lock 7 congctl lock cubic",
        "route add 10.10.0.0/16 dev v0 rtt 4294967295",
        "route add 10.11.0.0/16 dev v0 rto_min 4294967s",
        "route add 10.12.0.0/16 dev v0 features ecn mtu 0x500",
        "-6 route add 2001:db8:1::/64 dev v0 mtu 1400 hoplimit 5 rtt 12ms",
        "-6 route add 2001:db8:2::/64 dev v0 pref high",
        "-6 route show 2001:db8:1::/64",
    ]);
}

#[test]
fn a_route_that_expires_says_when() {
    lab(|net| {
        net.arrange(NETWORK);
        let words = split("-6 route add 2001:db8:2::/64 dev v0 expires 1000000");
        net.vwire_as_ip(&words.iter().map(String::as_str).collect::<Vec<_>>()).ok();
        for options in ["-6", "-j"] {
            // A second may pass between the two.
            let settled = |said: Said| {
                let text = said.ok();
                let at = text.find("1000000").or_else(|| text.find("99999")).unwrap_or_else(|| panic!("{text}"));
                let end = text[at..].find(|letter: char| !letter.is_ascii_digit()).unwrap() + at;
                format!("{}N{}", &text[..at], &text[end..])
            };
            let words = [options, "route", "show", "2001:db8:2::/64"];
            let words = if options == "-j" { vec!["-6", "-j", "route", "show", words[3]] } else { words.to_vec() };
            assert_eq!(settled(net.vwire_as_ip(&words)), settled(net.ip(&words)));
        }
    });
}

#[test]
fn routes_of_ipv6_are_added_as_ip_adds_them() {
    done_alike(&[
        "route add 2001:db8:1::/48 via 2001:db8::2",
        "-6 route add default via 2001:db8::2 dev v0 metric 5 pref low",
        "-6 route add default via 2001:db8::3 metric 6 proto ra",
        "route add 2001:db8:2::/48 dev v0 from 2001:db8:9::/64",
        "route add blackhole 2001:db8:3::/48",
        "route add unreachable 2001:db8:4::/48 metric 7",
        "route add prohibit 2001:db8:5::/48 table 200",
        "route add throw 2001:db8:6::/48 table 2000",
        "route add local 2001:db8:7::1 dev v0",
        "-6 route add anycast 2001:db8:8:: dev v0",
        "-6 route add 2001:db8:9::/48 nexthop via 2001:db8::2 dev v0 weight 3 nexthop via 2001:db8::3 dev v0",
        "-6 route append 2001:db8:1::/48 via 2001:db8::4",
        "-6 route replace 2001:db8:1::/48 via 2001:db8::5",
        "-6 route change 2001:db8:1::/48 via 2001:db8::6 dev v0 src 2001:db8::1",
        "-6 route add ::1.2.3.4/128 dev v0",
        "-6 route add ::ffff:1.2.3.4 dev v0 pref 2",
        "-6 route add fe80::/64 dev v0 onlink",
        "-6 route del 2001:db8:3::/48",
        "-6 route del default via 2001:db8::3",
    ]);
}

#[test]
fn ways_of_many_are_added_as_ip_adds_them() {
    done_as_recorded(
        "ways_of_many_are_added_as_ip_adds_them",
        &[
            "route add 10.1.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop via 10.0.0.3 dev v0",
            "route add 10.2.0.0/16 proto static metric 7 nexthop dev v0 weight 256 nexthop via 10.0.0.3 onlink dev v0",
            "route add 10.3.0.0/16 nexthop via 10.0.0.2 realms 3 nexthop via 10.0.0.3 realms 4/5",
            "route add 10.4.0.0/16 nexthop via inet6 2001:db8::2 dev v0 nexthop via 10.0.0.3",
            "route append 10.1.0.0/16 nexthop via 10.0.0.9",
            "-j route show 10.1.0.0/16",
            "-j route show 10.4.0.0/16",
            "-o route show 10.1.0.0/16",
            "route show dev v0",
            "route del 10.1.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop via 10.0.0.3",
            "route add 10.5.0.0/16 nexthop via 10.0.0.2 weight 0",
            "route add 10.5.0.0/16 nexthop via 10.0.0.2 weight 257",
            "route add 10.5.0.0/16 nexthop via 10.0.0.2 foo",
            "route add 10.5.0.0/16 nexthop",
            "route add 10.5.0.0/16 nexthop dev nosuch",
            "route add 10.5.0.0/16 nexthop via x",
            "route add 10.5.0.0/16 nexthop via",
            "route add 10.5.0.0/16 nexthop realm x",
            "route add 10.5.0.0/16 nexthop nexthop dev v0",
        ],
    );
}

#[test]
fn routes_are_deleted_as_ip_deletes_them() {
    done_alike(&[
        "route add 10.1.0.0/16 via 10.0.0.2 metric 1",
        "route add 10.1.0.0/16 via 10.0.0.3 metric 2",
        "route add 10.1.0.0/16 via 10.0.0.4 metric 3 proto static",
        "route del 10.1.0.0/16 metric 2",
        "route del 10.1.0.0/16 proto static",
        "route delete 10.1.0.0/16 via 10.0.0.9",
        "route d 10.1.0.0/16",
        "route del 10.1.0.0/16",
        "route del default",
        "route del 10.0.0.0/24 dev v0",
        "route add blackhole 10.2.0.0/16",
        "route del 10.2.0.0/16",
        "route del blackhole 10.2.0.0/16",
        "route add 10.3.0.0/16 dev v0 table 77",
        "route del 10.3.0.0/16",
        "route del 10.3.0.0/16 table 77",
        "route del 10.3.0.0/16 table 77",
        "-6 route del 2001:db8:99::/48",
        "-6 route del default",
    ]);
}

#[test]
fn a_list_is_narrowed_as_ip_narrows_it() {
    let filters = [
        "table main",
        "table local",
        "table all",
        "table 100",
        "table 0",
        "cached",
        "table cache",
        "dev v0",
        "oif lo",
        "dev d0",
        "iif v0",
        "proto kernel",
        "proto static",
        "proto all",
        "proto 3",
        "type local",
        "type unicast",
        "type blackhole",
        "type 6",
        "scope link",
        "scope host",
        "scope all",
        "scope 0",
        "tos 0x10",
        "dsfield 0",
        "metric 7",
        "priority 0",
        "via 10.0.0.2",
        "via 10.0.0.0/24",
        "via inet6 2001:db8::2",
        "src 10.0.0.1",
        "src 10.0.0.0/8",
        "realm 5",
        "realms 5/6",
        "realms 5/",
        "mark 0",
        "default",
        "10.0.0.0/24",
        "exact 10.1.0.0/16",
        "root 10.0.0.0/8",
        "match 10.1.2.3",
        "to root 10.1.0.0/16",
        "to match 10.1.0.0/24",
        "root default",
        "match default",
        "all",
        "from 10.0.0.0/8",
        "from root 10.0.0.0/8",
        "table all dev v0 proto kernel scope link",
        "2001:db8::/64",
        "table all root 2001:db8::/32",
        "table all match 2001:db8::1",
        "from match 2001:db8:9::1",
        "via 2001:db8::2",
        "table 100 type throw",
        "table local dev lo",
    ];
    let setup = [
        "route add 10.1.0.0/16 via 10.0.0.2 metric 7",
        "route add 10.1.2.0/24 via 10.0.0.3 proto static tos 0x10",
        "route add 10.2.0.0/16 dev v0 realms 5/6",
        "route add 10.3.0.0/16 dev v0 realm 5",
        "route add default via 10.0.0.2",
        "route add blackhole 10.4.0.0/16",
        "route add 10.5.0.0/16 via inet6 2001:db8::2 dev v0",
        "route add throw 10.6.0.0/16 table 100",
        "route add 10.7.0.0/16 nexthop via 10.0.0.2 nexthop dev lo",
        "-6 route add 2001:db8:1::/48 via 2001:db8::2",
        "-6 route add 2001:db8:2::/48 dev v0 from 2001:db8:9::/64",
        "-6 route add unreachable 2001:db8:3::/48",
        "-6 route add default via 2001:db8::2 table 100",
    ];
    let judged = Recorded::of("a_list_is_narrowed_as_ip_narrows_it");
    lab(|net| {
        net.arrange(NETWORK);
        net.arrange(&setup);
        for filter in filters {
            for options in ["", "-6", "-4 -j", "-d", "-j -6 -d"] {
                let words = split(&format!("{options} route show {filter}"));
                judged.same(net, &words.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
        for options in ["-N -d", "-s -d", "-c", "-c -6", "-br", "-j -p", "-N -j", "-o -6", "-B", "-M"] {
            let words = split(&format!("{options} route show table all"));
            judged.same(net, &words.iter().map(String::as_str).collect::<Vec<_>>());
        }
    });
}

#[test]
fn the_way_is_asked_as_ip_asks_it() {
    let judged = Recorded::of("the_way_is_asked_as_ip_asks_it");
    lab(|net| {
        net.arrange(NETWORK);
        net.arrange(&[
            "route add 10.1.0.0/16 via 10.0.0.2 metric 7 mtu 1300",
            "route add default via 10.0.0.9",
            "-6 route add 2001:db8:1::/48 via 2001:db8::2",
            "route add 10.5.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.0.2 dev v0 weight 4",
            "route add prohibit 10.6.0.0/16",
            "-6 route add blackhole 2001:db8:6::/48",
        ]);
        for line in [
            "10.1.2.3",
            "to 10.1.2.3",
            "10.0.0.1",
            "127.0.0.1",
            "10.0.0.255",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "10.1.2.3 from 10.0.1.1",
            "10.1.2.3 oif v0",
            "10.1.2.3 dev lo",
            "10.1.2.3 tos 8",
            "10.1.2.3 mark 0x20",
            "10.1.2.3 mark 5",
            "10.1.2.3 uid 0",
            "10.1.2.3 uid 1000",
            "10.1.2.3 connected",
            "10.1.2.3 fibmatch",
            "10.1.2.3 ipproto tcp sport 1 dport 2",
            "10.1.2.3 ipproto 17",
            "10.1.2.3/24",
            "10.1.2.3/32",
            "10.5.0.1 fibmatch",
            "10.6.0.1",
            "2001:db8:1::1",
            "2001:db8::1",
            "2001:db8::9",
            "::1",
            "ff02::1 dev v0",
            "2001:db8:1::1 fibmatch",
            "2001:db8:1::1 from 2001:db8::1",
            "2001:db8:1::1 connected",
            "2001:db8:1::/64",
            "2001:db8:6::1",
            "2001:db8:1::1 uid 5 mark 7",
            "10.1.2.3 from 10.0.0.1 iif lo",
            "default",
            "2001:db8:1::1 flowlabel 5",
            // The last: what it asks for sticks to the answer that a processor keeps.
            "10.1.2.3 notify",
        ] {
            for options in ["", "-j", "-d", "-6"] {
                let words = split(&format!("{options} route get {line}"));
                judged.same(net, &words.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
        judged.same(net, &["-4", "route", "get", "default"]);
        judged.same(net, &["-s", "-6", "route", "get", "2001:db8:1::1"]);
    });
}

#[test]
fn routes_are_flushed_as_ip_flushes_them() {
    done_alike(&[
        "route add 10.1.0.0/16 via 10.0.0.2",
        "route add 10.1.0.0/16 via 10.0.0.3 metric 4",
        "route add 10.2.0.0/16 via 10.0.0.2 proto static",
        "-s route flush root 10.1.0.0/16",
        "-s -s route flush proto static",
        "-s -s -j route flush proto static",
        "-s route flush 10.99.0.0/16",
        "route flush 10.99.0.0/16",
        "route add 10.3.0.0/16 dev v0 table 100",
        "route flush table 100",
        "-s route flush table 100",
        "route flush cache",
        "-s route flush cache",
        "-s -6 route flush cache",
        "-4 -s route flush cache",
        "-6 route add 2001:db8:1::/48 via 2001:db8::2",
        "-6 route add 2001:db8:2::/48 via 2001:db8::2",
        "-s -s -6 route flush root 2001:db8:1::/48",
        "-s -6 route flush dev v0",
        "-s -d route flush dev v0",
        "route show",
    ]);
}

#[test]
fn tunnels_of_routes_are_made_as_ip_makes_them() {
    done_as_recorded(
        "tunnels_of_routes_are_made_as_ip_makes_them",
        &[
            "route add 10.1.0.0/16 encap ip id 100 src 10.0.0.1 dst 10.0.0.2 ttl 5 tos 8 key csum seq dev v0",
            "route add 10.2.0.0/16 encap ip id 0x10 dst 10.0.0.2 dev v0",
            "route add 10.3.0.0/16 encap ip6 id 7 src 2001:db8::1 dst 2001:db8::2 hoplimit 5 tc 8 dev v0",
            "route add 10.4.0.0/16 encap mpls 100/200 ttl 7 via 10.0.0.2",
            "route add 10.5.0.0/16 encap mpls 100 via 10.0.0.2",
            "-6 route add 2001:db8:1::/48 encap seg6 mode encap segs 2001:db8::a,2001:db8::b dev v0",
            "-6 route add 2001:db8:2::/48 encap seg6 mode inline segs 2001:db8::a dev v0",
            "-6 route add 2001:db8:3::/48 encap seg6 mode encap.red segs 2001:db8::a,2001:db8::b,2001:db8::c dev v0",
            "-6 route add 2001:db8:4::/48 encap seg6local action End dev v0",
            "-6 route add 2001:db8:5::/48 encap seg6local action End.X nh6 2001:db8::2 dev v0",
            "-6 route add 2001:db8:6::/48 encap seg6local action End.DT6 table 100 count dev v0",
            "-6 route add 2001:db8:7::/48 encap seg6local action End.B6.Encaps srh segs 2001:db8::a,2001:db8::b dev v0",
            "-6 route add 2001:db8:8::/48 encap seg6local action End flavors psp dev v0",
            "-6 route add 2001:db8:9::/48 encap seg6local action End flavors next-csid lblen 48 nflen 16 dev v0",
            "-6 route add 2001:db8:a::/48 encap seg6local action End.DX4 nh4 10.0.0.2 dev v0",
            "route add 10.6.0.0/16 encap xfrm if_id 5 link_dev v0",
            "-6 route add 2001:db8:b::/48 encap rpl segs 2001:db8::a dev v0",
            "route add 10.7.0.0/16 nexthop encap ip id 1 dst 10.0.0.2 dev v0 nexthop encap ip id 2 dst 10.0.0.3 dev v0",
            "route add 10.8.0.0/16 dev v0 features ecn tcp_usec_ts",
            "-s -6 route show 2001:db8:6::/48",
            "-j -s -6 route show 2001:db8:6::/48",
        ],
    );
}

#[test]
fn what_was_made_is_echoed_as_ip_echoes_it() {
    said_as_recorded(
        "what_was_made_is_echoed_as_ip_echoes_it",
        &[
            "-echo route add 10.1.0.0/16 via 10.0.0.2",
            "-echo route add 10.2.0.0/16 via 10.0.0.2",
            "-echo -d -6 route add 2001:db8:1::/48 via 2001:db8::2",
            "-echo route add 10.2.0.0/16 via 10.0.0.2",
            "-echo nexthop add id 3 via 10.0.0.2 dev v0",
            "-echo nexthop add id 4 blackhole",
        ],
    );
}

#[test]
fn what_was_made_is_echoed_as_one_json_document() {
    lab(|net| {
        net.arrange(NETWORK);
        let json = net.vwire_as_ip(&["-echo", "-j", "nexthop", "add", "id", "4", "blackhole"]).ok();
        assert_eq!(json, "[{\"id\":4,\"blackhole\":null,\"flags\":[]}]\n");
    });
}

fn fed(net: &Lab, who: Who, line: &str, input: &[u8]) -> Said {
    let words = split(line);
    let mut command = net.command_of(who, &words.iter().map(String::as_str).collect::<Vec<_>>());
    let path = format!("/run/{}.bin", std::process::id());
    std::fs::write(&path, input).unwrap();
    command.stdin(Stdio::from(std::fs::File::open(&path).unwrap()));
    net.run(command)
}

fn saved(net: &Lab, who: Who, line: &str) -> Vec<u8> {
    let words = split(line);
    let output = net.command_of(who, &words.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn what_one_saves_the_other_restores() {
    const ROUTES: &[&str] = &[
        "route add 10.1.0.0/16 via 10.0.0.2 metric 7",
        "route add 10.2.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.0.3 weight 4",
        "route add blackhole 10.3.0.0/16",
        "route add default via 10.0.0.9 mtu 1300",
    ];
    let transcript = |writer, reader| {
        in_lab(|net| {
            net.arrange(NETWORK);
            net.arrange(ROUTES);
            let file = saved(net, writer, "route save");
            let mut normal = Normal::new("");
            let mut text = normal.said(&fed(net, reader, "route showdump", &file));
            text.push_str(&normal.said(&fed(net, reader, "-j -d route showdump", &file)));
            net.arrange(&["route flush table main"]);
            text.push_str(&normal.said(&fed(net, reader, "route restore", &file)));
            text.push_str(&normal.said(&net.ip(&["-d", "route", "show"])));
            text.push_str(&normal.said(&fed(net, reader, "route restore", &file)));
            for wrong in [&file[..2], b"not routes", &file[..file.len() - 5], &[&file[..4], &[1; 20]].concat()] {
                text.push_str(&normal.said(&fed(net, reader, "route restore", wrong)));
                text.push_str(&normal.said(&fed(net, reader, "route showdump", wrong)));
            }
            let _ = write!(text, "{}", saved(net, writer, "route save proto boot").len());
            text
        })
    };
    let theirs = transcript(Who::Ip, Who::Ip);
    for (writer, reader) in [(Who::Ip, Who::VwireAsIp), (Who::VwireAsIp, Who::Ip), (Who::VwireAsIp, Who::VwireAsIp)] {
        if let (Some(ours), Some(theirs)) = (transcript(writer, reader), &theirs) {
            assert_alike(&ours, theirs);
        }
    }
}

#[test]
fn routes_of_a_named_namespace_are_changed_from_outside() {
    said_alike(&[
        "netns add blue",
        "-n blue link set lo up",
        "-n blue route add blackhole 10.1.0.0/16",
        "-n blue route show table all",
        "-n blue route get 127.0.0.1",
        "-n nosuch route",
    ]);
}

/// What vwire says, called by its own name, where a line fails.
#[track_caller]
fn said(net: &Lab, line: &str, exit: i32) -> String {
    let words = split(line);
    net.vwire(&words.iter().map(String::as_str).collect::<Vec<_>>()).fails(exit)
}

#[test]
fn vwire_says_which_networks_are_near_where_a_gateway_is_not() {
    lab(|net| {
        net.arrange(NETWORK);
        let text = said(net, "route add 10.1.0.0/16 via 192.0.2.1 dev v0", 2);
        assert_eq!(
            text,
            "error: cannot add the route to `10.1.0.0/16`: Network is unreachable \
             (kernel: Nexthop has invalid gateway)\n\
             hint: the gateway `192.0.2.1` is on no connected network\n\
             hint: connected are 10.0.0.0/24 on `v0`, 10.0.1.0/24 on `v0`\n\
             hint: if it is behind that device all the same: \
             `vwire route add 10.1.0.0/16 via 192.0.2.1 dev v0 onlink`\n"
        );
        net.vwire(&["route", "add", "10.1.0.0/16", "via", "192.0.2.1", "dev", "v0", "onlink"]).ok();
        let text = said(net, "route add 2001:db8:1::/48 via 2001:db8::1", 2);
        assert!(text.contains("hint: `2001:db8::1` is this host's own address, on `v0`"), "{text}");
        let text = said(net, "nexthop add id 1 via 192.0.2.1 dev v0", 2);
        assert!(text.contains("hint: connected are 10.0.0.0/24 on `v0`"), "{text}");
        let text = said(net, "route get 198.51.100.1", 2);
        assert!(text.contains("there is no default route"), "{text}");
    });
}

#[test]
fn vwire_says_what_is_in_the_way_and_what_is_nearest() {
    lab(|net| {
        net.arrange(NETWORK);
        net.arrange(&["route add 10.1.0.0/16 via 10.0.0.2 metric 7"]);
        let text = said(net, "route add 10.1.0.0/16 via 10.0.0.3 metric 7", 2);
        assert_eq!(
            text,
            "error: cannot add the route to `10.1.0.0/16`: File exists (kernel: no more detail)\n\
             hint: in the way is `10.1.0.0/16 via 10.0.0.2 dev v0 metric 7`\n\
             hint: `vwire route replace 10.1.0.0/16 via 10.0.0.3 metric 7` puts the new one in its place; \
             with another `metric`, both can be\n"
        );
        let text = said(net, "route del 10.1.0.0/16 metric 8", 2);
        assert_eq!(
            text,
            "error: cannot delete the route to `10.1.0.0/16`: No such process (kernel: no more detail)\n\
             hint: to this destination there is: `vwire route del 10.1.0.0/16 via 10.0.0.2 dev v0 metric 7`\n"
        );
        net.vwire(
            &split("route del 10.1.0.0/16 via 10.0.0.2 dev v0 metric 7").iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .ok();
        let text = said(net, "route add 10.3.4.5/16 dev v0", 2);
        assert!(text.contains("the network is 10.3.0.0/16: `vwire route add 10.3.0.0/16 dev v0`"), "{text}");
        let text = said(net, "route add 10.3.0.0/16 dev d0", 2);
        assert!(text.contains("hint: `d0` is down: `vwire link set d0 up`"), "{text}");
        let text = said(net, "route show table 77", 2);
        assert!(text.contains("the tables with routes are main, local"), "{text}");
        let text = said(net, "route add 10.3.0.0/16 nhid 77", 2);
        assert!(text.contains("there is no next hop yet"), "{text}");
    });
}

#[test]
fn a_gateway_that_is_a_whole_network_is_told() {
    lab(|net| {
        net.arrange(&[
            "link add v0 type veth peer name v1",
            "link set v0 up",
            "link set v1 up",
            "addr add 10.0.0.1/24 dev v0",
        ]);
        let said = net.vwire(&["route", "add", "10.9.0.0/16", "via", "10.0.0.255"]).fails(2);
        assert!(
            said.contains("hint: `10.0.0.255` is all of the network on `v0`; a gateway is one host of it\n"),
            "{said}"
        );
    });
}
