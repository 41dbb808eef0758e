//! What a node of a lab translates and lets through, as the kernel takes it and `nft` tells it.

use std::net::IpAddr;
use std::process::Command;

use vwire::lab::model::{Filter, FilterProtocol, Hook, Nat, Node, Prefix, Span, Transport, Verdict};
use vwire::lab::netfilter::{Ruleset, removal};
use vwire_netlink::Socket;
use vwire_netlink::wire::nft::{self, Chain, Rule};

use crate::lab::lab;

/// `NETLINK_NETFILTER`.
const NETFILTER: i32 = 12;

fn prefix(text: &str) -> Option<Prefix> {
    let (address, length) = text.split_once('/').unwrap();
    Some(Prefix { address: address.parse().unwrap(), length: length.parse().unwrap() })
}

fn filter(hook: Hook, verdict: Verdict) -> Filter {
    Filter {
        hook,
        verdict,
        from: None,
        to: None,
        iif: None,
        oif: None,
        protocol: None,
        ports: None,
        established: false,
        span: Span::default(),
    }
}

fn node() -> Node {
    let v6: IpAddr = "fd00::2".parse().unwrap();
    Node {
        nat: vec![
            Nat::Masquerade { out: "wan".to_owned(), from: prefix("10.0.0.0/13") },
            Nat::Forward {
                device: Some("wan".to_owned()),
                protocol: Transport::Tcp,
                port: 8080,
                to: [10, 0, 0, 2].into(),
                to_port: 80,
            },
            Nat::Forward { device: None, protocol: Transport::Udp, port: 53, to: v6, to_port: 5353 },
        ],
        filters: vec![
            Filter { established: true, ..filter(Hook::Forward, Verdict::Accept) },
            Filter { ports: Some((1000, 2000)), from: prefix("10.1.0.0/16"), ..filter(Hook::Forward, Verdict::Drop) },
            Filter {
                protocol: Some(FilterProtocol::Icmp),
                iif: Some("lan".to_owned()),
                ..filter(Hook::Input, Verdict::Reject)
            },
            Filter { to: prefix("fd00::/7"), oif: Some("wan".to_owned()), ..filter(Hook::Output, Verdict::Drop) },
            Filter { to: prefix("0.0.0.0/0"), ..filter(Hook::Output, Verdict::Accept) },
        ],
        ..Node::default()
    }
}

fn told() -> String {
    let said = Command::new("nft").args(["-nn", "list", "ruleset"]).output().expect("this test needs `nft` as a judge");
    String::from_utf8(said.stdout).unwrap()
}

fn read(socket: &mut Socket) -> (Vec<Chain>, Vec<Rule>) {
    let any = |family| (Chain { family, ..Chain::default() }, Rule { family, ..Rule::default() });
    let (chain, rule) = any(nft::INET);
    (socket.dump_bodies(&chain.to_dump()).unwrap(), socket.dump_bodies(&rule.to_dump()).unwrap())
}

#[test]
fn the_kernel_takes_what_a_node_translates_and_filters() {
    lab(|_| {
        let mut socket = Socket::with_protocol(NETFILTER).unwrap();
        let ruleset = Ruleset::of(&node(), "vwire").unwrap();
        assert_eq!(read(&mut socket), (vec![], vec![]));
        // Twice: a table that is there is replaced.
        for _ in 0..2 {
            socket.transaction(nft::SUBSYSTEM, &ruleset.requests()).unwrap();
            let told = told();
            for line in [
                "type nat hook postrouting priority 100; policy accept;",
                "oifname \"wan\" ip saddr 10.0.0.0/13 masquerade",
                "type nat hook prerouting priority -100; policy accept;",
                "iifname \"wan\" meta nfproto 2 tcp dport 8080 dnat ip to 10.0.0.2:80",
                "meta nfproto 10 udp dport 53 dnat ip6 to [fd00::2]:5353",
                "type filter hook forward priority 0; policy accept;",
                "ct state 0x2,0x4 accept",
                "ip saddr 10.1.0.0/16 tcp dport 1000-2000 drop",
                "ip saddr 10.1.0.0/16 udp dport 1000-2000 drop",
                "iifname \"lan\" meta l4proto 1 reject",
                "oifname \"wan\" ip6 daddr fc00::/7 drop",
                "meta nfproto 2 accept",
            ] {
                assert!(told.contains(line), "{line}\nis not in\n{told}");
            }
            let (chains, rules) = read(&mut socket);
            assert!(ruleset.is_there(&chains, &rules), "{rules:#?}\nis not\n{:#?}", ruleset.rules);
        }
        // What somebody changes by hand is seen.
        let done = Command::new("nft").args("add rule inet vwire input tcp dport 1 drop".split(' ')).status().unwrap();
        assert!(done.success());
        let (chains, rules) = read(&mut socket);
        assert!(!ruleset.is_there(&chains, &rules));
        socket.transaction(nft::SUBSYSTEM, &removal("vwire")).unwrap();
        assert_eq!(told(), "");
    });
}
