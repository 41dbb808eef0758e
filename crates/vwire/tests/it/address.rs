//! `ip address`, judged by `ip` itself, and what vwire says beyond it.

use crate::lab::{Lab, Said, alike, alike_after, judge, lab};

/// A network with something of everything, and nothing that changes by itself.
const NETWORK: &[&str] = &[
    "link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02",
    "link set v0 addrgenmode none",
    "link set v1 addrgenmode none",
    "link add br0 address 02:00:00:00:00:03 type bridge",
    "link set br0 addrgenmode none",
    "link set v1 master br0",
    "link add d0 address 02:00:00:00:00:04 group 7 type bridge",
    "link set d0 addrgenmode none",
    "link set v0 up",
    "link set v1 up",
    "addr add 10.0.0.1/24 brd + dev v0",
    "addr add 10.0.0.2/24 dev v0 label v0:x",
    "addr add 10.9.0.1 peer 10.9.0.2/30 dev v0",
    "addr add 10.1.0.1/24 dev d0 scope link",
    "addr add 2001:db8::1/64 dev v0 nodad noprefixroute metric 9",
    "addr add 2001:db8::2/64 dev v0 nodad home valid_lft forever preferred_lft 0",
];

/// Two devices to put addresses on.
const PAIR: &[&str] = &[
    "link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02",
    "link set v0 addrgenmode none",
    "link set v1 addrgenmode none",
];

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn show_says_what_ip_says_in_every_form() {
    lab(|net| {
        net.arrange(NETWORK);
        let filters = [
            "",
            "v0",
            "dev d0 up",
            "up",
            "to 10.0.0.0/24",
            "to 10.9.0.2/32",
            "to 10",
            "scope link",
            "scope host",
            "scope 253",
            "scope all",
            "label v0*",
            "label v0:?",
            "label nope",
            "primary",
            "secondary",
            "-primary",
            "permanent",
            "dynamic",
            "tentative",
            "deprecated",
            "-deprecated",
            "noprefixroute",
            "temporary",
            "nodad",
            "master br0",
            "nomaster",
            "type veth",
            "type bridge",
            "type nosuch",
            "type bridge_slave",
        ];
        let plain = ["", "-4", "-0", "-o", "-o -0", "-br", "-br -0", "-s", "-s -s", "-j", "-j -o", "-j -br"];
        let plain = [&plain[..], &["-6", "-br -6", "-j -6"]].concat();
        for options in plain {
            for filter in filters {
                net.same(&words(&format!("{options} addr show {filter}")));
            }
        }
        for line in [
            "addr",
            "address",
            "a",
            "a l",
            "addr lst",
            "-j -p addr",
            "-s -h addr show v0",
            "-j -s -s addr",
            "-M addr",
            "-B addr",
        ] {
            net.same(&words(line));
        }
        for options in ["", "-4"] {
            net.same(&words(&format!("{options} addr show group 7")));
            net.same(&words(&format!("{options} addr show group default")));
        }
        for line in [
            "addr show down",
            "-j addr show down",
            "addr show novf",
            "addr show dev v0 group 7",
            "-o addr show dev v0 group 7",
            "-o addr show group 7",
            "-4 addr show nomaster group 0",
            "-j addr show group 7",
            "-j addr show dev v0 type bridge",
            "-o addr show dev v0 type bridge",
            "addr show proto 17",
            "-j addr show proto 17",
            "addr show proto zz",
            "addr add 1.1.1.1 dev v0 proto x",
            "-c addr",
            "-c -br addr",
            "-N addr",
            "-N -6 addr",
            "-d addr show lo",
        ] {
            net.same_of_newer(&words(line));
        }
    });
}

#[test]
fn addresses_are_made_changed_and_taken_away_as_by_ip() {
    alike_after(
        PAIR,
        &[
            "addr add 10.0.0.1/24 dev v0",
            "addr add 10.0.0.2/24 broadcast + dev v0",
            "addr add 10.0.0.3/24 brd - dev v0",
            "addr add 10.0.0.4/31 brd + dev v0",
            "addr add 10.0.1 dev v0",
            "addr add 10.2/255.255.0.0 dev v0 label v0:two",
            "addr add 0x0a.010.1.1/24 dev v0",
            "addr add 10.3.0.1 peer 10.3.0.2 dev v0",
            "addr add 10.3.0.5 remote 10.3.0.8/29 brd + dev v0",
            "addr add local 10.4.0.1/24 brd 10.4.0.99 anycast 10.4.0.98 dev v0 scope link metric 5",
            "addr add 127.1.0.1/16 dev v0",
            "addr add 10.5.0.1/24 dev v0 valid_lft 3000 preferred_lft forever",
            "addr add 10.6.0.1/24 dev v0 pri 100 noprefixroute",
            "addr add 239.1.2.3 dev v0 autojoin",
            "addr add 2001:db8::1/64 dev v0 nodad",
            "addr add 2001:db8::2/64 dev v0 nodad home mngtmpaddr noprefixroute metric 7",
            "addr add 2001:db8::3 peer 2001:db8::4/127 dev v0 nodad optimistic",
            "addr add nodad 2001:db8::5/64 tentative dev v0",
            "-4 addr add default dev v1",
            "-6 addr add ::5/64 dev v1 nodad",
            "addr show",
            "addr change 10.0.0.1/24 dev v0 metric 77",
            "addr chg 10.0.0.2/24 dev v0 noprefixroute",
            "addr change 10.99.0.1/24 dev v0",
            "addr replace 2001:db8::1/64 dev v0 metric 3",
            "addr replace 10.77.0.1/24 dev v0",
            "addr del 10.0.0.3/24 dev v0",
            "addr del 10.0.0.2 dev v0",
            "addr delete 10.3.0.1 peer 10.3.0.2 dev v0",
            "addr d 2001:db8::2/64 dev v0",
            "addr del 10.5.0.1/24 brd + dev v0",
            "-j addr show",
            "-echo addr add 10.88.0.1/24 dev v1",
            "-echo -j addr add 10.88.0.2/24 dev v1",
            "-echo addr show dev v1",
            "-o addr show dev v1",
        ],
    );
}

#[test]
fn what_does_not_fit_is_refused_in_ips_words() {
    alike_after(
        PAIR,
        &[
            "addr add 10.0.0.1/24 dev v0",
            "addr add 10.0.0.1/24 dev v0",
            "addr add any dev v0",
            "addr add default dev v0",
            "-4 addr add any dev v0",
            "addr add 10.0.0.1 peer any dev v0",
            "addr add dev v0",
            "addr del dev v0",
            "addr add 1.1.1.1/33 dev v0",
            "addr add 1.1.1.1/255.0.255.0 dev v0",
            "addr add 1.1.1.1/24 brd 1.1.1.1/24 dev v0",
            "addr add 1.1.1.1/24 brd ::1 dev v0",
            "addr add 1.1.1.1/24 label averyveryverylonglabel dev v0",
            "addr add 1.1.1.2/24 dev v0 valid_lft 0",
            "addr add 1.1.1.2/24 dev v0 valid_lft 10",
            "addr add 1.1.1.2/24 dev v0 valid_lft 100 preferred_lft 20 valid 3",
            "addr add 1.1.1.2/24 dev v0 preferred_lft 20 preferred_lft",
            "addr add 1.1.1.2/24 dev v0 autojoin",
            "addr add 1.1.1.2/24 dev v0 nodad tentative secondary autojoin",
            "addr add ::1/64 dev v0 brd +",
            "-0 addr add 1.1.1.1 dev v0",
            "-M addr add 1.1.1.1 dev v0",
            "-B addr add 1.1.1.1 dev v0",
            "-6 addr add 1.1.1.1 dev v0",
            "-4 addr add ::1 dev v0",
            "addr add 1.1.1.1/24 2.2.2.2 dev v0",
            "addr add 1.1.1.1/24 brd + brd - dev v0",
            "addr add 1.1.1.1/24 brd all brd all dev nosuch",
            "-0 addr add brd 1.1.1.1 dev v0",
            "-0 addr add brd 02:zz dev v0",
            "addr add 1.1.1.1/24 anycast 1.1.1.3 anycast 1.1.1.4 dev v0",
            "addr add 1.1.1.1/24 dev nosuch",
            "addr add 1.1.1.1/24",
            "addr add",
            "addr add 1.1.1.1 scope zz dev v0",
            "addr add 1.1.1.1 dev v0 metric x",
            "addr add 1.1.1.1 dev v0 valid x",
            "addr add 1.1.1.1 dev v0 pref x",
            "addr add 1.1.1.1 dev v0 preferred x",
            "addr add 1.1.1.1 dev",
            "addr add 1.1.1.1 peer",
            "addr add zz dev v0",
            "addr add '' dev v0",
            "addr add 1.1.1.1 dev ''",
            "addr add help",
            "addr del 1.1.1.2 dev v0",
            "addr del 10.0.0.1/23 dev v0",
            "addr del ::7/64 dev v0",
            "addr change ::7/64 dev v0",
            "addr foo",
            "addr help",
            "addr show foo bar",
            "addr show foo",
            "addr show ''",
            "addr show help",
            "addr show to zz",
            "addr show to",
            "addr show scope zz",
            "addr show group zz",
            "addr show master zz",
            "addr show master zz scope yy",
            "addr show vrf v0",
            "addr show vrf zz",
            "addr show type",
            "addr show -foo",
            "addr show if1",
            "-4 addr show to ::1",
            "-0 addr show to 1.1.1.1",
            "addr flush",
            "-0 addr flush dev v0",
            "addr flush dev nosuch",
            "addr flush to zz",
            "addr save dev nosuch",
            "addr restore",
            "addr showdump",
        ],
    );
}

#[test]
fn a_flush_counts_its_rounds_as_ip_does() {
    alike_after(
        NETWORK,
        &[
            "-s addr flush label nope",
            "-s -s addr flush dev v0 label v0:x",
            "-s addr flush to 10.9.0.0/16",
            "addr add 10.0.0.2/24 dev v0",
            "addr add 10.0.0.3/24 dev v0",
            "-s addr flush dev v0 primary",
            "-s -s -o addr flush dev d0",
            "-l 1 -s addr flush dev v0",
            "-j -s -s addr flush dev v0",
            "addr add 10.0.0.1/24 dev v0",
            "-4 addr flush v0",
            "addr flush dev v0",
            "addr show",
        ],
    );
}

#[test]
fn secondary_addresses_that_are_promoted_take_another_round() {
    lab(|net| {
        net.arrange(PAIR);
        for who in [true, false] {
            for last in 1..=5 {
                net.arrange(&[&format!("addr add 10.0.0.{last}/24 dev v0")]);
            }
            std::fs::write("/proc/sys/net/ipv4/conf/v0/promote_secondaries", "1").unwrap();
            let flush = ["-s", "addr", "flush", "dev", "v0"];
            let said = if who { net.vwire_as_ip(&flush) } else { net.ip(&flush) };
            let wanted = "\n*** Round 1, deleting 5 addresses ***\n*** Flush is complete after 1 round ***\n";
            assert_eq!(said.ok(), wanted);
        }
    });
}

/// Puts vwire where it is called `ip`, for scripts.
fn vwire_as_ip(net: &Lab) -> &'static str {
    let path = "/run/ip";
    // Not by this process: what it writes cannot be run while another test has just forked.
    net.run(net.command("cp", &[env!("CARGO_BIN_EXE_vwire"), path])).ok();
    path
}

/// Runs a line of the shell.
fn shell(net: &Lab, line: &str) -> Said {
    net.run(net.command("bash", &["-c", line]))
}

#[test]
fn what_one_saves_the_other_restores() {
    lab(|net| {
        net.arrange(NETWORK);
        let before = net.ip(&["-4", "addr"]).ok();
        let through = |saver: &str, restorer: &str| {
            let file = "/run/addresses";
            let shows =
                ["", "-j", "-o"].map(|options| format!("&& {saver} {options} addr showdump < {file}")).join(" ");
            let shown = shell(net, &format!("{saver} -4 addr save > {file} {shows}")).ok();
            net.arrange(&["-4 addr flush dev v0", "-4 addr flush dev d0"]);
            shell(net, &format!("{restorer} addr restore < {file}")).ok();
            assert_eq!(net.ip(&["-4", "addr"]).ok(), before, "{saver} {restorer}");
            let again = shell(net, &format!("{saver} addr restore < {file}"));
            (shown, again)
        };
        let (ours, theirs) = (vwire_as_ip(net), judge().path.as_str());
        assert_eq!(through(ours, theirs), through(theirs, ours));
    });
}

#[test]
fn what_is_not_a_file_of_addresses_is_refused() {
    lab(|net| {
        let (ours, theirs) = (vwire_as_ip(net), judge().path.as_str());
        let magic = "\\x22\\x12\\x36\\x47";
        let files = ["", "nope", &format!("{magic}abc"), &format!("{magic}\\x03{}", "\\0".repeat(19)), magic];
        for file in files {
            for command in ["restore", "showdump"] {
                let said = |program: &str| {
                    shell(net, &format!("printf '{file}' > /run/file; {program} addr {command} < /run/file"))
                };
                assert_eq!(said(ours), said(theirs), "{file} {command}");
            }
        }
    });
}

#[test]
fn vwire_leaves_no_empty_objects_in_json() {
    lab(|net| {
        net.arrange(NETWORK);
        for filter in ["type nosuch", "down dev v0", "label nope"] {
            let said = net.vwire(&words(&format!("-j addr show {filter}"))).ok();
            assert_eq!(said, "[]\n", "{filter}");
        }
        let said = net.vwire(&["-j", "-4", "addr", "show", "scope", "link"]).ok();
        assert!(!said.contains("{}") && said.contains("10.1.0.1") && !said.contains("10.0.0.1"), "{said}");
        let said = net.vwire(&["-6", "-br", "addr", "show", "group", "7"]).ok();
        assert_eq!(said, "");
    });
}

#[test]
fn vwire_says_who_has_the_address() {
    lab(|net| {
        net.arrange(PAIR);
        net.arrange(&["addr add 10.0.0.1/24 dev v0"]);
        let said = net.vwire(&words("addr add 10.0.0.1/24 dev v0")).fails(2);
        let wanted = "error: cannot add 10.0.0.1/24 to `v0`: File exists (kernel: ipv4: Address already assigned)\n\
                      hint: `v0` has 10.0.0.1/24; `vwire addr replace` in the place of `add` does not mind\n";
        assert_eq!(said, wanted);
        let said = net.vwire(&words("addr del 10.0.0.1/24 dev v1")).fails(2);
        assert!(
            said.contains("cannot delete 10.0.0.1/24 from `v1`") && said.contains("hint: `v0` has 10.0.0.1/24"),
            "{said}"
        );
        let said = net.vwire(&words("addr add 10.0.0.9 dev v0"));
        assert_eq!(
            said.stderr,
            "hint: 10.0.0.9 stands alone, as /32: with 10.0.0.9/24 it would reach its neighbours on `v0`\n"
        );
        assert_eq!(said.exit, 0);
    });
}

#[test]
fn a_user_without_privilege_is_refused_in_ips_words() {
    lab(|net| {
        net.arrange(PAIR);
        net.arrange(&["addr add 10.0.0.1/24 dev v0"]);
        let (ours, theirs) = (vwire_as_ip(net), judge().path.as_str());
        for line in ["add 10.0.0.2/24 dev v0", "del 10.0.0.1/24 dev v0", "flush dev v0"] {
            let as_nobody = |program: &str| {
                shell(net, &format!("setpriv --reuid=65534 --regid=65534 --clear-groups {program} -s addr {line}"))
            };
            assert_eq!(as_nobody(ours), as_nobody(theirs), "{line}");
        }
    });
}

#[test]
fn commands_may_be_cut_short() {
    alike(&[
        "a",
        "ad",
        "addr l",
        "addr li",
        "addr ls",
        "addr lst",
        "addr s",
        "addr sh",
        "addr sav",
        "addr h",
        "addr r",
        "addr rest",
        "addr x",
    ]);
}
