//! `ip ntable`: shown, changed and refused as `ip` does it.

use crate::lab::{alike_after, lab};

/// The links that the tests are about.
const LINKS: &[&str] = &["link add v0 type veth peer name v1"];

/// Makes each number one, since a table counts for all namespaces at once.
fn without_numbers(text: &str) -> String {
    let masked = text.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter });
    let mut shown = String::new();
    masked.for_each(|letter| {
        if !(letter == '0' && shown.ends_with('0')) {
            shown.push(letter);
        }
    });
    shown
}

#[test]
fn what_a_link_has_set_is_shown_as_ip_shows_it() {
    lab(|net| {
        net.arrange(LINKS);
        net.same(&["ntable", "show", "dev", "v0"]);
        net.same(&["-4", "ntable", "show", "dev", "v0"]);
        net.same(&["-6", "-o", "ntable", "lst", "dev", "v0"]);
        net.same(&["-j", "ntable", "show", "dev", "v0", "name", "arp_cache"]);
        net.same(&["-j", "-p", "ntable", "show", "dev", "v0"]);
        net.same(&["-c", "ntable", "show", "dev", "v0"]);
        net.same(&["ntable", "show", "name", "nosuch"]);
    });
}

#[test]
fn what_a_table_counts_is_shown_as_ip_shows_it() {
    lab(|net| {
        for words in [&["-s", "ntable"][..], &["-s", "-j", "ntable"], &["-s", "-o", "ntable", "show", "dev", "none"]] {
            let ours = without_numbers(&net.vwire_as_ip(words).spelled_for_the_judge().ok());
            let theirs = without_numbers(&net.ip(words).ok());
            // The seed of the hash is of letters, too.
            let common = |text: &str| text.replace(|letter: char| ('a'..='f').contains(&letter), "");
            assert_eq!(common(&ours), common(&theirs), "{words:?}");
        }
    });
}

#[test]
fn what_is_set_is_set_as_ip_sets_it() {
    alike_after(
        LINKS,
        &[
            "ntable change name arp_cache dev v0 base_reachable 12345 retrans 500 gc_stale 3000 delay_probe 2000",
            "ntable change name arp_cache dev v0 queue 7 app_probes 1 ucast_probes 2 mcast_probes 3",
            "-4 ntable change name arp_cache dev v0 anycast_delay 10 proxy_delay 20 proxy_queue 30 locktime 0x28",
            "ntable chg name ndisc_cache dev v0:1 retrans 0500",
            "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev v0 nud permanent",
        ],
    );
    lab(|net| {
        net.arrange(LINKS);
        net.vwire_as_ip(&[
            "ntable",
            "change",
            "name",
            "arp_cache",
            "dev",
            "v0",
            "retrans",
            "500",
            "queue",
            "7",
            "mcast_reprobes",
            "4",
        ])
        .ok();
        let shown = net.ip(&["-4", "ntable", "show", "dev", "v0"]).ok();
        assert!(shown.contains("retrans 500 ") && shown.contains("queue 7 "), "{shown}");
        net.same(&["-4", "ntable", "show", "dev", "v0"]);
    });
}

#[test]
fn mistakes_are_told_as_ip_tells_them() {
    alike_after(
        LINKS,
        &[
            "ntable change name nosuch thresh1 128",
            "ntable change name arp_cache",
            "ntable change name arp_cache dev v0",
            "ntable change name arp_cache dev nosuch retrans 1",
            "ntable change name arp_cache name ndisc_cache",
            "ntable change name arp_cache queue x",
            "ntable change name arp_cache queue -1",
            "ntable change name arp_cache queue",
            "ntable change name arp_cache gc_int 1x",
            "ntable change name arp_cache foo",
            "ntable change dev v0",
            "ntable change dev v0 retrans 5",
            "-4 ntable change name ndisc_cache dev v0 retrans 5",
            "ntable show foo",
            "ntable show dev nosuch",
            "ntable show dev",
            "ntable foo",
            "ntbl help",
        ],
    );
}
