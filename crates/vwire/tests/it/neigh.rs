//! `ip neigh`, judged by `ip` itself, and what vwire says beyond it.

use crate::lab::{alike_after, alike_where, judge, lab};

/// Two devices whose neighbours change by nobody's doing but the test's.
const PAIR: &[&str] = &[
    "link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02",
    "link add br0 address 02:00:00:00:00:03 type bridge",
    "link set v0 addrgenmode none",
    "link set v1 addrgenmode none",
    "link set br0 addrgenmode none",
    "link set v1 master br0",
    "link set v0 up",
    "link set v1 up",
    "link set br0 up",
    "addr add 10.0.0.1/24 dev v0",
    "addr add 2001:db8::1/64 dev v0 nodad",
];

/// Neighbours of every sort.
const NEIGHBOURS: &[&str] = &[
    "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0",
    "neigh add 10.0.0.3 lladdr 02:00:00:00:00:33 dev v0 nud noarp",
    "neigh add 10.0.0.4 lladdr 02:00:00:00:00:44 dev v0 nud stale router",
    "neigh add 10.0.0.5 dev v0 nud failed",
    "neigh add 10.0.0.6 lladdr 02:00:00:00:00:66 dev v0 nud stale extern_learn",
    "neigh add 10.0.0.7 lladdr 02:00:00:00:00:77 dev v0 protocol static",
    "neigh add 10.0.0.8 lladdr 02:00:00:00:00:88 dev v0 protocol 77",
    "neigh add 10.1.0.2 lladdr 02:00:00:00:00:02 dev br0",
    "neigh add 10.1.0.3 lladdr 02:00:00:00:00:03 dev v1",
    // None without a device: the kernel would keep it when the namespace is gone, and show it in another.
    "neigh add proxy 10.0.0.9 dev v0",
    "neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev v0",
    "neigh add 2001:db8::3 lladdr 02:00:00:00:00:33 dev v0 nud stale router",
    "neigh add proxy 2001:db8::9 dev v0",
];

/// Leaves out what `ip` did not know, or did otherwise, before 7.0.
fn known(lines: &[&'static str]) -> Vec<&'static str> {
    let newer = judge().version >= (7, 0);
    lines.iter().copied().filter(|line| newer || is_known(line)).collect()
}

/// Returns whether 6.1 does with a line what later ones do.
fn is_known(line: &str) -> bool {
    let asks_for_json = line.contains("-j ") && line.contains(" get ");
    let is_new = asks_for_json || line.contains("extern") || line.contains(" 10.0.0.6");
    !is_new
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn show_says_what_ip_says_in_every_form() {
    lab(|net| {
        net.arrange(PAIR);
        net.arrange(&known(NEIGHBOURS));
        let filters = [
            "",
            "dev v0",
            "dev br0",
            "nud permanent",
            "nud noarp to 10.0.0.0/24",
            "nud stale nud failed",
            "nud none",
            "nud all to 10.0.0.0/24",
            "nud 0x80",
            "nud 3",
            "proxy dev v0",
            "proxy to 2001:db8::/32",
            "unused",
            "to 10.0.0.0/24",
            "10.0.0.2",
            "to 10",
            "to 0/0",
            "to any",
            "to default",
            "2001:db8::/64",
            "master br0",
            "nomaster",
            "vrf v0",
            "vrf nosuch",
            "master nosuch",
            "protocol static",
            "protocol 77",
            "protocol all",
            "protocol nosuch",
            "dev nosuch",
            "dev v0 dev v1",
            "dev",
            "help",
            "zz",
            "10.0.0.0/33",
        ];
        for options in ["", "-4", "-6", "-o", "-br", "-j", "-j -br", "-j -p", "-0"] {
            for filter in filters {
                net.same(&words(&format!("{options} neigh show {filter}")));
            }
        }
        for line in known(&[
            "neigh",
            "n",
            "neighbour",
            "neighbor l",
            "neigh lst",
            "-N neigh",
            "-B neigh",
            "-M neigh",
            "-d neigh",
            "neigh get 10.0.0.2 dev v0",
            "-j neigh get 10.0.0.2 dev v0",
            "neigh get proxy 10.0.0.9 dev v0",
            "neigh g to 2001:db8::3 dev v0",
            "-4 neigh get 2001:db8::3 dev v0",
            "-br neigh get 10.0.0.4 dev v0",
            "neigh get 10.0.0.99 dev v0",
            "neigh get 10.0.0.2",
            "neigh get dev v0",
            "neigh get any dev v0",
            "neigh get 10.0.0.2 dev nosuch",
            "neigh get 10.0.0.2 10.0.0.3",
            "neigh get proxy 10.0.0.2 proxy 10.0.0.3",
            "neigh get proxy help",
            "neigh get help",
            "neigh get zz",
            "neigh get",
            "neigh foo",
            "neigh help",
            "neigh flush",
            "neigh flush help",
            "neigh flush dev nosuch",
            "neigh flush nud bogus",
            "-s neigh flush dev v1 nud failed",
        ]) {
            net.same(&words(line));
        }
    });
    let coloured = [
        "-c neigh show 10.0.0.6",
        "-c neigh show 10.0.0.7",
        "-c -br neigh show 10.0.0.4",
        "-c neigh show proxy 2001:db8::9",
        "-j neigh get proxy 10.0.0.9 dev v0",
    ];
    alike_where(|_| false, PAIR, &[NEIGHBOURS, &coloured].concat());
}

#[test]
fn changes_do_what_ips_do() {
    alike_where(
        is_known,
        PAIR,
        &[
            "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0",
            "neigh add 10.0.0.2 lladdr 02:00:00:00:00:03 dev v0",
            "neigh change 10.0.0.2 lladdr 02:00:00:00:00:03 dev v0",
            "neigh chg 10.0.0.2 lladdr 2:0:0:0:0:4 dev v0 nud reachable",
            "neigh show 10.0.0.2",
            "neigh change 10.0.0.99 lladdr 02:00:00:00:00:03 dev v0",
            "neigh replace 10.0.0.3 ll 02:00:00:00:00:03 dev v0 nud p",
            "neigh r to 10.0.0.3 lladdr 02:00:00:00:00:33 dev v0 nud perm router",
            "neigh a dev v0 lladdr 02:00:00:00:00:44 10.0.0.4 extern nud stale",
            "neigh add 10.0.0.5 dev v0",
            "neigh add 10.0.0.5 dev v0 nud none",
            "neigh add 10.0.0.6 lladdr null dev v0 nud noarp",
            "neigh add 10.0.0.7 lladdr 02:00:00:00:00:77 dev v0 proto zebra nud stale",
            "neigh add 10.0.0.7 lladdr 02:00:00:00:00:77 dev v0 prot 300",
            "neigh add 10.0.0.8 lladdr 1.2.3.4 dev v0",
            "neigh add 10.0.0.8 lladdr 02:00:00 dev v0",
            "neigh add 10.0.0.8 lladdr 02:zz:00:00:00:00 dev v0",
            "neigh add 10.0.0.8 lladdr 02:100:00:00:00:00 dev v0",
            "neigh add 10.0.0.8 lladdr 1.2.3.x dev v0",
            "neigh add 10.0.0.8 lladdr 02:00:00:00:00:88 lladdr 02:00:00:00:00:89 dev v0",
            "neigh add 10.0.0.8 lladdr",
            "neigh add 10.0.0.8 nud bogus dev v0",
            "neigh add 10.0.0.8 nud 3 dev v0",
            "neigh add 10.0.0.8 dev nosuch",
            "neigh add 10.0.0.8 lladdr zz dev nosuch",
            "neigh add 10.0.0.8",
            "neigh add dev v0",
            "neigh add any dev v0",
            "-4 neigh add any dev v0",
            "-6 neigh add default dev v0 lladdr 02:00:00:00:00:01",
            "neigh add 10.0.0.8 10.0.0.9 dev v0",
            "neigh add 10.0.0.8/24 dev v0",
            "-6 neigh add 10.0.0.8 dev v0",
            "neigh add help",
            "neigh add help 10.0.0.80 lladdr 02:00:00:00:00:80 dev v0",
            "neigh add proxy help",
            "neigh add proxy 10.0.0.9",
            "neigh add proxy 10.0.0.9 dev v0",
            "neigh add proxy 10.0.0.9 proxy 10.0.0.10 dev v0",
            "neigh add p 2001:db8::9 dev v0 router",
            "neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev v0 router",
            "neigh add 2001:db8::4 dev v0 managed extern_valid",
            "neigh add 2001:db8::4 lladdr 02:00:00:00:00:02 dev v0 nud stale extern_learn extern_valid",
            "neigh add 10.0.0.20 dev lo lladdr 02:00:00:00:00:02",
            "neigh add 224.0.0.1 dev v0 lladdr 02:00:00:00:00:02",
            "neigh show 10.0.0.3",
            "neigh show 10.0.0.4",
            "neigh show 10.0.0.5 nud all",
            "-j neigh show 10.0.0.5 nud all",
            "neigh show 10.0.0.6 nud none",
            "-j neigh show 10.0.0.7",
            "-br neigh show 10.0.0.80",
            "neigh show 224.0.0.1",
            "neigh show dev lo",
            "neigh show 2001:db8::2 dev v0",
            "neigh show 2001:db8::4",
            "-4 neigh show proxy dev v0",
            "-6 -j neigh show proxy dev v0",
            "neigh del 10.0.0.2 dev v0",
            "neigh del 10.0.0.98 dev v0",
            "neigh delete proxy 10.0.0.9",
            "neigh d proxy 10.0.0.9 dev v0",
            "neigh d proxy 10.0.0.77 dev v0",
            "neigh del 2001:db8::2 dev v0",
            "neigh show 10.0.0.2",
            "neigh show 2001:db8::2",
            "neigh show proxy dev v0",
            "neigh show to 10.0.0.4 dev v0 nud noarp",
        ],
    );
}

#[test]
fn managed_neighbours_are_made() {
    // Whether the kernel resolves one at once is up to it, so only what is said is compared.
    alike_after(PAIR, &["neigh add 10.0.0.30 dev v0 managed", "neigh replace 10.0.0.31 dev v0 use nud incomplete"]);
}

#[test]
fn flush_goes_round_and_counts_as_ip_does() {
    alike_where(
        is_known,
        PAIR,
        &[
            NEIGHBOURS,
            &[
                "-s neigh flush dev br0",
                "-s neigh flush to 10.1.0.0/24 nud permanent",
                "neigh show 10.1.0.0/24",
                "-s -s neigh flush to 10.0.0.4",
                "-s -j neigh flush nud noarp to 10.0.0.3",
                "neigh show 10.0.0.3 nud noarp",
                "neigh flush all",
                "neigh show 10.0.0.2",
                "neigh show 10.0.0.6",
                "-s neigh flush protocol static nud permanent",
                "neigh show 10.0.0.7",
                "-6 neigh flush nud all",
                "neigh show 2001:db8::2",
                "neigh show 2001:db8::3",
                "-4 neigh flush proxy dev v0",
                "neigh show proxy dev v0",
            ],
        ]
        .concat(),
    );
}

#[test]
fn refusals_say_what_is_in_the_way() {
    lab(|net| {
        net.arrange(PAIR);
        net.arrange(&["neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0"]);
        let said = net.vwire(&words("neigh add 10.0.0.2 lladdr 02:00:00:00:00:03 dev v0")).fails(2);
        assert_eq!(
            said,
            "error: cannot add neighbour 10.0.0.2 on `v0`: File exists (kernel: no more detail)\n\
             hint: `v0` has 10.0.0.2 at 02:00:00:00:00:02, permanent\n\
             hint: `vwire neigh replace` in the place of `add` does not mind\n"
        );
        let said = net.vwire(&words("neigh del 10.0.0.2 dev v1")).fails(2);
        assert!(said.contains("hint: `v0` has 10.0.0.2 at 02:00:00:00:00:02, permanent\n"), "{said}");
        let said = net.vwire(&words("neigh get 10.0.0.3 dev v0")).fails(2);
        assert!(said.contains("hint: `vwire neigh show dev v0 nud all` lists those it has\n"), "{said}");
        let said = net.vwire(&words("neigh add 10.0.0.9 dev v0")).fails(2);
        assert!(said.contains("put `lladdr LLADDR` behind the address"), "{said}");
        let said = net.vwire(&words("neigh show nud stal")).fails(255);
        assert!(said.contains("hint: did you mean `stale`?"), "{said}");
        assert!(net.vwire(&words("neigh add help")).fails(255).starts_with("Usage: ip neigh"));
    });
}
