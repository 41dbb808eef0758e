//! `ip rule`, judged by `ip` itself, and what vwire says beyond it.

use std::process::Stdio;

use crate::lab::{Lab, Who, alike_where, judge, lab};

/// Rules of every sort.
const RULES: &[&str] = &[
    "rule add pref 10 from 10.0.0.0/8 table 100",
    "rule add pref 11 to 192.0.2.1 lookup main",
    "rule add pref 12 from 10.1.2.3 to 10.2.0.0/16 iif lo oif v9 table local",
    "rule add pref 13 not fwmark 0x10/0xff table 1000",
    "rule add pref 14 fwmark 7 tos 0x10 table 7",
    "rule add pref 15 tos 8 blackhole",
    "rule add pref 16 iif v8 unreachable",
    "rule add pref 17 prohibit",
    "rule add pref 18 goto 32766",
    "rule add pref 19 goto 4000",
    "rule add pref 20 nop",
    "rule add pref 21 table main suppress_prefixlength 0",
    "rule add pref 22 table main suppress_ifgroup 7 sup_pl 8",
    "rule add pref 23 uidrange 1000-1999 table 7",
    "rule add pref 24 ipproto tcp sport 80 dport 1000-2000 table 7",
    "rule add pref 25 ipproto 17 dport 53 table 7",
    "rule add pref 26 tun_id 99 table 7",
    "rule add pref 27 l3mdev",
    "rule add pref 28 protocol static realms 3/5 table 7",
    "rule add pref 29 protocol 77 realms cosmos table 7",
    "rule add pref 30 l3mdev protocol kernel",
    "-6 rule add pref 40 from 2001:db8::/32 table 100",
    "-6 rule add pref 41 to 2001:db8::1 oif v9 lookup main",
    "-6 rule add pref 42 ipproto ipv6-icmp unreachable",
];

/// Rules that take kernels and releases of `ip` from the last years.
const NEWER_RULES: &[&str] = &[
    "rule add pref 50 dscp 10 table 7",
    "rule add pref 51 dscp EF table 7",
    "rule add pref 52 dscp 0x20/0x30 table 7",
    "rule add pref 53 sport 80/0xfff0 dport 0x50/0xffff table 7",
    "-6 rule add pref 54 flowlabel 0x12345 table 7",
    "-6 rule add pref 55 flowlabel 0x100/0xf00 table 7",
];

fn newer() -> bool {
    judge().version >= (7, 0)
}

/// Leaves out ports, of which `ip` read and told less before 7.0.
fn known(lines: &[&'static str]) -> Vec<&'static str> {
    lines.iter().copied().filter(|line| newer() || is_known(line)).collect()
}

/// Returns whether 6.1 does with a line what later ones do.
fn is_known(line: &str) -> bool {
    !line.contains("port ")
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn show_says_what_ip_says_in_every_form() {
    lab(|net| {
        net.arrange(&known(RULES));
        if newer() {
            net.arrange(NEWER_RULES);
        }
        let filters = [
            "",
            "pref 10",
            "order 11",
            "priority 0",
            "not",
            "from 10.0.0.0/8",
            "src 10.1.2.3",
            "from any",
            "from 10",
            "to 10.2.0.0/16",
            "dst 192.0.2.1",
            "192.0.2.1",
            "tos 0x10",
            "dsfield 10",
            "fwmark 7",
            "fwmark 0x10/0xff",
            "fwmark 0",
            "iif lo",
            "dev v8",
            "oif v9",
            "l3mdev",
            "uidrange 1000-1999",
            "uidrange 0-1",
            "ipproto tcp",
            "ipproto UDP",
            "ipproto 6",
            "sport 80",
            "dport 1000-2000",
            "dport 53",
            "tun_id 99",
            "t 98",
            "table 7",
            "lookup main",
            "ta local",
            "protocol static",
            "protocol all",
            "table 7 fwmark 7",
        ];
        for options in ["", "-4", "-j", "-d", "-N", "-j -d", "-o"] {
            for filter in known(&filters) {
                net.same(&words(&format!("{options} rule show {filter}")));
            }
        }
        for filter in ["", "from 2001:db8::/32", "to 2001:db8::1", "oif v9", "table 100", "ipproto ipv6-icmp"] {
            net.same(&words(&format!("-6 rule list {filter}")));
            net.same(&words(&format!("-6 -j -N rule lst {filter}")));
        }
        for line in known(&[
            "rule",
            "ru",
            "-j -p rule",
            "-0 rule",
            "-B rule",
            "-M rule",
            "rule show help",
            "rule show pref",
            "rule show pref x",
            "rule show tos zz",
            "rule show fwmark zz/1",
            "rule show fwmark 1/zz",
            "rule show iif a/b",
            "rule show oif 0123456789abcdef",
            "rule show uidrange 1000",
            "rule show tun_id x",
            "rule show table nosuch",
            "rule show from zz",
            "rule show zz",
            "rule show 2001:db8::1",
            "rule show protocol nosuch",
            "rule show ipproto nosuch",
            "rule show sport x",
            "rule show sport 1-x",
            "rule foo",
            "rule help",
            "rule save x",
            "rule add",
            "rule del",
        ]) {
            net.same(&words(line));
        }
    });
}

#[test]
fn changes_do_what_ips_do() {
    alike_where(
        is_known,
        &[],
        &[
            "rule add from 10.0.0.0/8 table 100",
            "rule add from 10.0.0.0/8 table 100",
            "rule add pref 10 from 10.0.0.0/8 table 100",
            "rule add pref 10 from 10.0.0.0/8 table 100",
            "rule add pref 10 from 10.0.0.0/8 table 101",
            "rule add p 11 from 10.0.0.0/8",
            "rule add order 12 not from any to default",
            "rule add pref 13 from 10.0.0.1/0",
            "rule add pref 14 table 0",
            "rule add pref 15 ta 4294967295",
            "rule add pref 16 table 4294967296",
            "rule add pref 17 table main table 1000",
            "rule add pref 18 type blackhole",
            "rule add pref 19 type",
            "rule add pref 20 b",
            "rule add pref 21 bl",
            "rule add pref 22 unr",
            "rule add pref 23 6",
            "rule add pref 24 local",
            "rule add pref 25 throw",
            "rule add pref 26 300",
            "rule add pref 27 goto 27",
            "rule add pref 28 goto 20",
            "rule add pref 29 g 1000",
            "rule add goto 1000",
            "rule add pref 30 goto x",
            "rule add pref 31 n",
            "rule add pref 32 fwmark 0/0",
            "rule add pref 33 fwmark zz",
            "rule add pref 34 fwmark 1/zz",
            "rule add pref 35 fwmark 0xffffffff/0xffffffff",
            "rule add pref 36 tos 16",
            "rule add pref 37 tos 0x3",
            "rule add pref 38 ds AF11",
            "rule add pref 39 tos 100",
            "rule add pref 40 realms 1",
            "rule add pref 41 r 1/2",
            "rule add pref 42 realms 300",
            "rule add pref 43 realms x/y",
            "rule add pref 44 protocol boot",
            "rule add pref 45 prot 256",
            "rule add pref 46 t 7",
            "rule add pref 47 tun_id -1",
            "rule add pref 48 s 8",
            "rule add pref 49 suppress_prefixlength -1",
            "rule add pref 50 table main suppress_ifgroup default",
            "rule add pref 51 sup_group nosuch",
            "rule add pref 52 iif lo dev lo",
            "rule add pref 53 oif a/b",
            "rule add pref 54 iif a:b table 7",
            "rule add pref 55 iif 0123456789abcdef",
            "rule add pref 56 l3mdev table main",
            "rule add pref 57 l3mdev",
            "rule add pref 58 uidrange 5-3",
            "rule add pref 59 uidrange 5",
            "rule add pref 60 uidrange 1-2x",
            "rule add pref 61 ipproto 300",
            "rule add pref 62 ipproto icmp",
            "rule add pref 63 ipproto nosuch",
            "rule add pref 64 ipproto udp sport 5-3",
            "rule add pref 65 ipproto udp sport 0",
            "rule add pref 66 dport 70000",
            "rule add pref 67 dport 1-x",
            "rule add pref 68 from 2001:db8::/32",
            "-6 rule add pref 68 from 10.0.0.0/8",
            "-6 rule add pref 69 from 2001:db8::/32 to any",
            "-0 rule add pref 70 from 10.0.0.0/8",
            "-B rule add pref 71",
            "rule add pref 72 from 10.0.0.0/33",
            "rule add pref 73 from",
            "rule add pref 74 help",
            "rule add pref 75 bogus",
            "rule add pref 4294967296",
            "rule add pref x",
            "rule add l 5",
            "rule add pref 76 oif lo iif v0 ipproto tcp not",
            "rule",
            "-j -d rule",
            "-6 rule",
            "rule del pref 10",
            "rule del pref 9999",
            "rule del from 10.0.0.0/8",
            "rule d from 10.0.0.0/8 table 101",
            "rule del table main pref 11",
            "rule del blackhole",
            "rule del help",
            "rule delete pref 68",
            "-6 rule del pref 69",
            "rule",
            "rule flush pref 17",
            "rule flush protocol boot",
            "rule flush protocol nosuch",
            "rule f table 100",
            "-j rule flush table 7",
            "rule",
            "-6 rule flush",
            "-6 rule",
            "rule flush",
            "rule",
            "-0 rule flush",
        ],
    );
}

#[test]
fn newer_rules_are_shown_as_ip_shows_them() {
    let shows = [
        "rule",
        "-c rule",
        "-j rule",
        "-j -0 rule",
        "-c -6 rule",
        "rule show dscp 10",
        "rule show dscp EF",
        "rule show sport 80/0xfff0",
        "-6 rule show flowlabel 0x12345",
        "rule show dscp zz",
        "rule show flowlabel 1/zz",
    ];
    alike_where(|_| false, &[], &[RULES, NEWER_RULES, &shows].concat());
}

#[test]
fn newer_words_do_what_ips_do() {
    alike_where(
        |_| false,
        &[],
        &[
            "rule add pref 10 dscp 10",
            "rule add pref 11 dscp EF",
            "rule add pref 12 dscp 0x20/0x30",
            "rule add pref 13 dscp 64",
            "rule add pref 14 dscp 300",
            "rule add pref 15 dscp zz",
            "rule add pref 16 dscp 1/zz",
            "rule add pref 17 dscp 1 tos 8",
            "rule add pref 18 sport 80/0xfff0 ipproto tcp",
            "rule add pref 19 sport 80/x",
            "rule add pref 20 sport x/1",
            "rule add pref 21 dport 0x50/0xffff",
            "rule add pref 22 flowlabel 1",
            "-6 rule add pref 23 flowlabel 0x12345",
            "-6 rule add pref 24 flowlabel 0x100/0xf00",
            "-6 rule add pref 25 flowlabel zz",
            "-6 rule add pref 26 flowlabel 1/zz",
            "rule add pref 27 nat 10.0.0.1",
            "rule add pref 28 m zz",
            "rule",
            "-j rule",
            "-N rule",
            "-6 rule",
            "-6 -j rule",
            "-echo rule add pref 90 from 10.0.0.0/8",
            "-echo rule del pref 90",
        ],
    );
}

/// Runs `rule restore` with a file on standard input.
fn restores(net: &Lab, who: Who, options: &[&str], file: &std::path::Path) -> (i32, String) {
    let mut command = net.command_of(who, &[options, &["rule", "restore"]].concat());
    command.stdin(Stdio::from(std::fs::File::open(file).unwrap()));
    let said = net.run(command);
    (said.exit, said.stderr)
}

#[test]
fn what_one_saves_the_other_restores() {
    lab(|net| {
        net.arrange(RULES);
        let mut files = Vec::new();
        for who in [Who::Ip, Who::VwireAsIp] {
            let mut command = net.command_of(who, &["rule", "save"]);
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(0));
            files.push(output.stdout);
        }
        // Sequence number and port differ from call to call.
        let blank = |file: &[u8]| {
            let (mut file, mut at) = (file.to_vec(), 4);
            while at < file.len() {
                let length = u32::from_ne_bytes(file[at..at + 4].try_into().unwrap());
                file[at + 8..at + 16].fill(0);
                at += usize::try_from(length).unwrap().next_multiple_of(4);
            }
            file
        };
        assert_eq!(blank(&files[0]), blank(&files[1]));

        let path = std::path::Path::new("/run/rules.bin");
        std::fs::write(path, &files[1]).unwrap();
        let before = net.ip(&["rule"]).ok();
        for who in [Who::Ip, Who::VwireAsIp] {
            net.arrange(&["rule flush"]);
            net.arrange(&["rule del pref 0"]);
            assert_eq!(restores(net, who, &[], path), (0, String::new()), "{who:?}");
            assert_eq!(net.ip(&["rule"]).ok(), before, "{who:?}");
        }
        for damaged in [&b""[..], b"abcd", &files[1][..30], b"\x86\x69\x70\x71\x03\0\0\0aaaabbbbccccdddd"] {
            std::fs::write(path, damaged).unwrap();
            assert_eq!(restores(net, Who::VwireAsIp, &[], path), restores(net, Who::Ip, &[], path), "{damaged:?}");
        }
    });
}

#[test]
fn refusals_say_what_is_in_the_way() {
    lab(|net| {
        net.arrange(&["rule add pref 10 from 10.0.0.0/8 table 100"]);
        let said = net.vwire(&words("rule add pref 10 from 10.0.0.0/8 table 100")).fails(2);
        assert_eq!(
            said,
            "error: cannot add the rule with priority 10: File exists (kernel: no more detail)\n\
             hint: there is `10: from 10.0.0.0/8 lookup 100` already, which asks for the same\n"
        );
        let said = net.vwire(&words("rule del from 10.0.0.0/8 table 101")).fails(2);
        assert!(said.contains("the nearest there is: `10: from 10.0.0.0/8 lookup 100`"), "{said}");
        let said = net.vwire(&words("rule add from 2001:db8::/32")).fails(2);
        assert!(said.contains("hint: rules of IPv6 are asked for with `-6`"), "{said}");
        let said = net.vwire(&words("rule add pref 9 tabel 7")).fails(255);
        assert!(said.contains("hint: did you mean `table`?"), "{said}");
        assert!(net.vwire(&words("rule show help")).fails(255).starts_with("Usage: vwire"));
        net.arrange(&["rule add pref 11 protocol static"]);
        assert_eq!(net.vwire(&words("rule show protocol static")).ok(), "11:\tfrom all lookup main proto static\n");
    });
}
