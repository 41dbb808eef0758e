//! Namespaces as they are, written as a lab's file that makes them again.

use crate::lab::{Lab, lab};
use crate::lab_up::file;

/// Two namespaces, made by hand with what a file can say, and a little that it cannot.
const BY_HAND: &str = "netns add a
netns add r
link add eth0 netns a address 02:00:00:00:00:0a type veth peer name lan netns r
-n a addr add 10.0.0.2/24 dev eth0
-n a link set eth0 up
-n r addr add 10.0.0.1/24 dev lan
-n r addr add 10.255.0.1/32 dev lo
-n r link set lan up
-n a link set lo up
-n r link set lo up
-n a route add default via 10.0.0.1
-n r route add 10.9.0.0/16 via 10.0.0.2 table 100
-n r rule add from 10.0.0.0/24 table 100 priority 50
-n r rule add fwmark 0x1/0xf0 table 100 priority 49 suppress_prefixlength 0
-6 -n r rule add iif lan table 101 priority 60
-n r neigh add 10.0.0.2 lladdr 02:00:00:00:00:0a dev lan nud permanent
-n r tuntap add tap0 mode tap user 1000
-n r link add br9 type bridge
-n r link set tap0 master br9";

/// Translations and filters as people write them for `nft`, the last chain beyond what a file has words for.
const RULESET: &str = "table ip nat {
  chain post { type nat hook postrouting priority 100; oifname \"lan\" ip saddr 10.1.0.0/16 masquerade; }
  chain pre { type nat hook prerouting priority -100; iifname \"lan\" tcp dport 8080 dnat to 10.0.0.2:80; }
}
table ip filter {
  chain forward { type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iif \"lan\" ip saddr 10.0.0.0/24 tcp dport 80 counter accept
    ip protocol icmp accept
  }
  chain input { type filter hook input priority 0;
    tcp dport { 22, 80 } accept
  }
}
";

/// Runs `nft` in a namespace on the rules above.
fn rule(net: &Lab) {
    std::fs::write("/run/rules.nft", RULESET).unwrap();
    let said = net.ip(&["netns", "exec", "r", "nft", "-f", "/run/rules.nft"]);
    assert_eq!(said.exit, 0, "the test takes `nft` of nftables: {}", said.stderr);
}

#[test]
fn what_was_made_by_hand_is_written_and_what_a_file_cannot_say_is_told() {
    lab(|net| {
        for line in BY_HAND.lines() {
            net.ip(&line.split(' ').collect::<Vec<_>>()).ok();
        }
        for set in ["net.ipv4.ip_forward=1", "net.ipv4.conf.lan.rp_filter=2", "net.ipv4.conf.all.arp_ignore=1"] {
            net.ip(&["netns", "exec", "r", "sysctl", "-qw", set]).ok();
        }
        net.run(net.command(
            "tc",
            &[
                "-n", "r", "qdisc", "add", "dev", "lan", "root", "tbf", "rate", "8mbit", "burst", "15140", "limit",
                "65140",
            ],
        ))
        .ok();
        rule(net);
        let text = net.vwire(&["import", "--name", "hand", "a", "r"]).ok();
        for wanted in [
            "\"a:eth0 10.0.0.2/24 mac 02:00:00:00:00:0a -- r:lan 10.0.0.1/24 <- rate 8mbit\"",
            "lo = [\"10.255.0.1/32\"]",
            "rules = [\"from 10.0.0.0/24 table 100 priority 50\", \"ipv6 iif lan table 101 priority 60\"]",
            "neighbours = [\"10.0.0.2 mac 02:00:00:00:00:0a dev lan\"]",
            "nat = [\"forward tcp 8080 to 10.0.0.2:80 in lan\", \"masquerade out lan from 10.1.0.0/16\"]",
            "\"accept forward from 10.0.0.0/24 in lan tcp 80\"",
            "\"drop forward from 0.0.0.0/0\"",
            "sysctl.\"net.ipv4.conf.lan.rp_filter\" = \"2\"",
            "sysctl.\"net.ipv4.ip_forward\" = \"1\"",
            "# - the rule of priority 49 of r",
            "# - of r: the chain input of the table filter of nftables",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        assert_eq!(text.matches("# - ").count(), 2, "{text}");
        // Read back, it makes the same again: the kernel then says what the file says.
        let path = file("hand.toml", &text);
        net.vwire(&["up", &path]).ok();
        let again = net.vwire(&["import", "--name", "hand", "hand.a", "hand.r"]).ok();
        assert_eq!(again, text.split("\n# Not in this file").next().unwrap());
        net.vwire(&["down", &path]).ok();
    });
}

#[test]
fn a_running_lab_is_written_so_that_nothing_is_left_to_do() {
    lab(|net| {
        let labs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../labs");
        for name in ["tour", "bridge", "openstack", "router", "vxlan", "bad-link"] {
            net.vwire(&["up", &format!("{labs}/{name}.toml")]).ok();
            let names = net.ip(&["netns", "list"]).ok();
            let names: Vec<&str> = names.lines().filter_map(|line| line.split_whitespace().next()).collect();
            let text = net.vwire(&[&["import", "--name", name][..], &names].concat()).ok();
            let path = file("again.toml", &text);
            assert!(!text.contains("# Not in this file"), "{name}:\n{text}");
            assert_eq!(net.vwire(&["plan", &path]).ok(), "", "{name}:\n{text}");
            net.vwire(&["down", name]).ok();
        }
    });
}
