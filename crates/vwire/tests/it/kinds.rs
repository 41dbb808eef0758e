//! What `ip -d link` prints for each kind, and the words behind `type KIND`, judged by `ip`.
//!
//! The kernel need not have every kind; [`has`] asks. What cannot be made here is proven without a
//! kernel: printing by the unit tests beside each kind.

use std::io::Write as _;

use super::lab::{Lab, Normal, judge, lab};

/// The ways to ask that show what is special about a kind.
const FORMS: &[&[&str]] = &[&["-d"], &["-d", "-j"], &["-d", "-j", "-p"], &["-d", "-o"], &["-s", "-d"], &["-d", "-N"]];

/// Runs a test in a lab if the judge prints details as vwire does: iproute2 6 had fewer of them.
fn lab_with_modern_judge(test: impl FnOnce(&Lab) + Send) {
    if judge().version >= (7, 0) {
        return lab(test);
    }
    let name = std::thread::current().name().unwrap_or("test").to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED {name}: it needs iproute2 7 as its judge (VWIRE_ORACLE_IP)");
}

/// Asks about a device in each form.
#[track_caller]
fn same_in_each_form(net: &Lab, device: &str) {
    for form in FORMS {
        same_but_for_timers(net, &[form, ["link", "show", device].as_slice()].concat());
    }
}

/// Asks vwire and the judge the same, and wants the same answer, except how long a bridge's timers still run.
#[track_caller]
fn same_but_for_timers(net: &Lab, words: &[&str]) {
    let answer = |said| without_timers(&Normal::new("").said(&said));
    assert_eq!(answer(net.vwire_as_ip(words)), answer(net.ip(words)), "ip {}", words.join(" "));
}

/// Puts `…` in the place of the number behind each `_timer`.
fn without_timers(text: &str) -> String {
    let mut parts = text.split("_timer");
    let mut still = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let between = part.trim_start_matches(['"', ':', ' ']);
        let rest = between.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        still.push_str("_timer …");
        still.push_str(rest);
    }
    still
}

/// Returns whether the kernel has a kind; says so where it does not.
fn has(net: &Lab, kind: &str, words: &[&str]) -> bool {
    let said = net.ip(&[["link", "add", "probe0"].as_slice(), words, &["type", kind]].concat());
    if said.exit != 0 && said.stderr.contains("Unknown device type") {
        println!("the kernel has no {kind}");
        return false;
    }
    net.ip(&["link", "del", "probe0"]);
    true
}

#[test]
fn a_bridge_with_every_option_is_shown_alike() {
    lab_with_modern_judge(|net| {
        net.arrange(&[
            "link add br0 address 02:00:00:00:00:0a type bridge group_fwd_mask 0x4000 mcast_querier 1 \
             mcast_hash_max 128 no_linklocal_learn 1 priority 4096 ageing_time 1000 mcast_startup_query_count 5 \
             group_address 01:80:c2:00:00:04",
            "link add br1 type bridge",
        ]);
        same_in_each_form(net, "br0");
        same_in_each_form(net, "br1");
    });
}

#[test]
fn a_bridges_port_is_shown_alike() {
    lab_with_modern_judge(|net| {
        net.arrange(&[
            "link add br0 address 02:00:00:00:00:0a type bridge",
            "link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02",
            "link set v0 master br0",
            "link set v1 master br0",
            "link set v0 type bridge_slave hairpin on guard on learning off isolated on group_fwd_mask 0x4008 \
             cost 77 priority 9 backup_port v1",
        ]);
        same_in_each_form(net, "v0");
        same_in_each_form(net, "v1");
    });
}

#[test]
fn a_vxlan_is_shown_alike() {
    lab_with_modern_judge(|net| {
        net.arrange(&[
            "link add v0 type veth peer name v1",
            "link add x0 type vxlan id 5 group 239.1.2.3 dev v0 dstport 4789 srcport 1000 2000 ttl 9 tos 0x10",
            "link add x1 type vxlan id 6 remote 2001:db8::1 local 2001:db8::2 dstport 8472 nolearning proxy ageing none",
            "link add x2 type vxlan external dstport 4790 gpe",
            "link add x3 type vxlan id 7 dstport 4791 df set ttl inherit maxaddress 9 noudpcsum udp6zerocsumtx",
        ]);
        for device in ["x0", "x1", "x2", "x3"] {
            same_in_each_form(net, device);
            same_but_for_timers(net, &["-d", "-d", "link", "show", device]);
        }
    });
}

#[test]
fn a_macvlan_and_a_macvtap_are_shown_alike() {
    lab_with_modern_judge(|net| {
        net.arrange(&["link add v0 type veth peer name v1"]);
        for (device, words) in [
            ("m0", "macvlan mode bridge"),
            ("m1", "macvlan mode private bcqueuelen 500"),
            ("m2", "macvlan mode source macaddr add 02:00:00:00:00:07"),
            ("m3", "macvtap mode vepa"),
        ] {
            net.arrange(&[&format!("link add link v0 {device} type {words}")]);
            same_in_each_form(net, device);
        }
    });
}

#[test]
fn a_tun_and_a_tap_are_shown_alike() {
    lab_with_modern_judge(|net| {
        net.arrange(&["tuntap add tun7 mode tun user 0 group 0", "tuntap add tap7 mode tap multi_queue pi vnet_hdr"]);
        same_in_each_form(net, "tun7");
        same_in_each_form(net, "tap7");
    });
}

#[test]
fn kinds_without_options_are_shown_alike() {
    lab_with_modern_judge(|net| {
        for kind in ["veth", "ifb", "dummy", "nlmon", "wireguard"] {
            if has(net, kind, &[]) {
                net.arrange(&[&format!("link add k0 address 02:00:00:00:00:09 type {kind}")]);
                same_in_each_form(net, "k0");
                net.arrange(&["link del k0"]);
            }
        }
    });
}
