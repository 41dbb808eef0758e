//! Labs that lead out by the machine's own card: routes, rules, translations and filters of `host` that name it.

use crate::lab::{Lab, lab};
use crate::lab_state::{becomes, settled};
use crate::lab_up::file;

/// A guest behind a bridge of the machine, which leads out by its card.
const OUT: &str = r#"
name = "out"
nodes = ["guest"]
wires = ["guest 10.7.0.2/24 -- br0"]
[bridge.br0]
node = "host"
address = "10.7.0.1/24"
[node.guest]
routes = ["default via 10.7.0.1"]
[node.host]
forwarding = true
nat = ["masquerade out uplink from 10.7.0.0/24"]
filter = ["drop input in uplink tcp 22", "accept forward in br0 out uplink"]
rules = ["iif uplink table 100"]
routes = [
    "10.9.0.0/16 via 192.0.2.1 dev uplink",
    "10.10.0.0/16 via 192.0.2.1",
    "10.11.0.0/16 nexthop via 192.0.2.1 dev uplink nexthop via 10.7.0.2 dev br0",
    "10.12.0.0/16 via 10.7.0.2 dev br0 table 100",
]
"#;

/// Gives the machine a card, and somebody outside at its other end.
fn with_card(net: &Lab) {
    net.arrange(&[
        "netns add outside",
        "link add uplink type veth peer name eth0 netns outside",
        "addr add 192.0.2.2/24 dev uplink",
        "link set uplink up",
        "-n outside addr add 192.0.2.1/24 dev eth0",
        "-n outside addr add 10.9.0.1/32 dev eth0",
        "-n outside link set eth0 up",
    ]);
}

#[test]
fn a_guest_reaches_the_outside_by_the_machine_s_card_which_stays_as_it_was() {
    lab(|net| {
        with_card(net);
        let before = settled(net, "");
        let path = file("out.toml", OUT);
        net.vwire(&["up", &path]).ok();
        for outside in ["192.0.2.1", "10.9.0.1"] {
            let words = ["exec", "-l", "out", "guest", "--", "ping", "-c1", "-W5", "-q", outside];
            net.vwire(&words).ok();
        }
        let rules = net.ip(&["rule"]).ok();
        assert!(rules.contains("iif uplink lookup 100"), "{rules}");
        let route = net.ip(&["route", "show", "10.9.0.0/16"]).ok();
        assert!(route.contains("via 192.0.2.1 dev uplink"), "{route}");
        let up = settled(net, OUT);
        net.vwire(&["status", "out"]).ok();
        let again = net.vwire(&["up", &path]);
        assert_eq!((again.stdout.as_str(), again.stderr.as_str(), again.exit), ("", "", 0));
        becomes(net, OUT, &up).unwrap();
        // What hands take away is told and mended.
        net.arrange(&["route del 10.9.0.0/16"]);
        let drift = net.vwire(&["status", "out"]);
        assert!(drift.exit == 3 && drift.stdout.contains("10.9.0.0/16"), "{}", drift.stdout);
        net.vwire(&["up", &path]).ok();
        becomes(net, OUT, &up).unwrap();
        net.vwire(&["down", "out"]).ok();
        becomes(net, "", &before).unwrap();
    });
}

#[test]
fn a_device_that_nobody_has_is_told_with_its_line_and_what_there_is() {
    lab(|net| {
        with_card(net);
        let before = settled(net, "");
        for (right, wrong, name, hint) in [
            ("masquerade out uplink", "masquerade out uplinc", "uplinc", "did you mean `uplink`?"),
            ("accept forward in br0", "accept forward in br00", "br00", "did you mean `br0`?"),
            ("iif uplink", "iif wlan7", "wlan7", "it has `br0`, `out-guest`, `uplink`"),
            ("192.0.2.1 dev uplink\"", "192.0.2.1 dev wlan7\"", "wlan7", "it has `br0`, `out-guest`, `uplink`"),
        ] {
            let text = OUT.replacen(right, wrong, 1);
            assert_ne!(text, OUT);
            let path = file("out.toml", &text);
            let line = text.lines().position(|line| line.contains(wrong)).map(|at| format!("out.toml:{}:", at + 1));
            let said = net.vwire(&["up", &path]);
            let told = format!("neither this machine nor the lab has a device `{name}`");
            assert_eq!(said.exit, 1, "{}", said.stderr);
            for part in [told.as_str(), hint, line.as_deref().unwrap(), "nothing was changed"] {
                assert!(said.stderr.contains(part), "{part}: {}", said.stderr);
            }
            // The file is one for another machine.
            net.vwire(&["graph", &path]).ok();
        }
        becomes(net, "", &before).unwrap();
        let said = net.vwire(&["import", "host"]);
        assert!(said.exit != 0 && said.stderr.contains("where no namespace is named"), "{}", said.stderr);
    });
}

#[test]
fn a_card_that_goes_leaves_the_rest_of_the_lab_to_be_changed_and_taken_down() {
    lab(|net| {
        with_card(net);
        let before = settled(net, "");
        net.vwire(&["up", &file("out.toml", OUT)]).ok();
        net.arrange(&["link set uplink down", "link set uplink name card", "link set card up"]);
        let path = file("out.toml", &OUT.replace("uplink", "card"));
        net.vwire(&["up", &path]).ok();
        let rules = net.ip(&["rule"]).ok();
        assert!(rules.contains("iif card") && !rules.contains("uplink"), "{rules}");
        net.vwire(&["status", "out"]).ok();
        net.arrange(&["link set card down", "link set card name uplink", "link set uplink up"]);
        net.vwire(&["down", "out"]).ok();
        becomes(net, "", &before).unwrap();
    });
}
