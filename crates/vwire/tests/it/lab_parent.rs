//! Devices of a lab on devices of another node, or of the machine itself: macvlans and macvtaps of containers on one card.

use crate::lab::{Lab, lab};
use crate::lab_state::{becomes, settled};
use crate::lab_up::file;

/// Two containers on the machine's card, one of them on another node's end, too.
const CARD: &str = r#"
name = "card"
nodes = ["p", "c1", "c2"]
wires = ["p:eth0 10.1.0.1/24 -- c1:up 10.1.0.2/24"]
[node.c1.macvlan.eth9]
parent = "host:nic0"
address = "10.0.0.1/24"
[node.c2]
routes = ["default via c1 dev eth9"]
[node.c2.macvlan.eth9]
parent = "host:nic0"
address = "10.0.0.2/24"
mac = "02:00:00:00:00:c2"
[node.c2.macvtap.t0]
parent = "p:eth0"
address = "10.1.0.9/24"
[node.c2.macvlan.over]
parent = "t0"
"#;

/// Gives the machine a card; the lab's names for devices are its, too.
fn with_card(net: &Lab) {
    net.arrange(&[
        "link add nic0 type veth peer name nic1",
        "link set nic0 up",
        "link set nic1 up",
        "link add eth9 type bridge",
    ]);
}

fn pings(net: &Lab, node: &str, address: &str) -> bool {
    net.vwire(&["exec", "-l", "card", node, "--", "ping", "-c1", "-W5", "-q", address]).exit == 0
}

fn shown(net: &Lab, node: &str, device: &str) -> String {
    net.ip(&["-n", &format!("card.{node}"), "-d", "link", "show", device]).ok()
}

#[test]
fn containers_on_one_card_reach_each_other_and_the_card_stays_as_it_was() {
    lab(|net| {
        with_card(net);
        let before = settled(net, "");
        let path = file("card.toml", CARD);
        let plan = net.vwire(&["plan", &path]);
        assert!(
            plan.stdout.contains("host\n  + link add eth9 netns c1 link nic0 mtu 1500 group ")
                && plan.stdout.contains("p\n")
                && plan.stdout.contains("  + link add t0 netns c2 link eth0 mtu 1500 group"),
            "{}",
            plan.stdout
        );
        net.vwire(&["up", &path]).ok();
        assert!(pings(net, "c1", "10.0.0.2") && pings(net, "c2", "10.0.0.1") && pings(net, "c2", "10.1.0.2"));
        let seen = shown(net, "c2", "eth9");
        assert!(seen.contains("macvlan mode bridge") && seen.contains("02:00:00:00:00:c2"), "{seen}");
        assert!(shown(net, "c2", "t0").contains("link-netns card.p"), "{}", shown(net, "c2", "t0"));
        let up = settled(net, CARD);
        let again = net.vwire(&["up", &path]);
        assert_eq!((again.stdout.as_str(), again.stderr.as_str(), again.exit), ("", "", 0));
        becomes(net, CARD, &up).unwrap();
        net.vwire(&["status", "card"]).ok();
        net.vwire(&["down", "card"]).ok();
        // A macvlan goes with its namespace a moment later.
        becomes(net, "", &before).unwrap();
    });
}

#[test]
fn what_hands_take_from_it_is_told_and_mended_alone() {
    lab(|net| {
        with_card(net);
        let path = file("card.toml", CARD);
        net.vwire(&["up", &path]).ok();
        let before = settled(net, CARD);
        net.arrange(&["-n card.c1 link del eth9"]);
        let drift = net.vwire(&["status", "card"]);
        assert_eq!(drift.exit, 3, "{}{}", drift.stdout, drift.stderr);
        assert!(drift.stdout.contains("c1: link eth9 is missing"), "{}", drift.stdout);
        net.vwire(&["up", &path]).ok();
        becomes(net, CARD, &before).unwrap();
        // One on another card is another device.
        net.arrange(&["-n card.c1 link del eth9", "link add eth9 netns card.c1 link nic1 type macvlan mode bridge"]);
        let drift = net.vwire(&["status", "card"]);
        assert!(drift.stdout.contains("c1: link eth9: parent is host:nic1, should be host:nic0"), "{}", drift.stdout);
        net.vwire(&["up", &path]).ok();
        becomes(net, CARD, &before).unwrap();
    });
}

#[test]
fn a_change_of_one_touches_it_alone() {
    lab(|net| {
        with_card(net);
        net.vwire(&["up", &file("card.toml", CARD)]).ok();
        let one = shown(net, "c1", "eth9");
        let moved = CARD.replace(
            "parent = \"host:nic0\"\naddress = \"10.0.0.2/24\"",
            "parent = \"host:nic1\"\naddress = \"10.0.0.2/24\"\nmode = \"vepa\"",
        );
        assert_ne!(moved, CARD);
        let path = file("moved.toml", &moved);
        let plan = net.vwire(&["plan", &path]).stdout;
        let touched: Vec<&str> = plan.lines().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(touched, ["c2", "host"], "{plan}");
        net.vwire(&["up", &path]).ok();
        assert_eq!(shown(net, "c1", "eth9"), one);
        assert!(shown(net, "c2", "eth9").contains("macvlan mode vepa"));
        // nic1 is the other end of nic0: the two meet by the cable.
        assert!(pings(net, "c1", "10.0.0.2"));
        assert_eq!(net.vwire(&["plan", &path]).stdout, "");
    });
}

#[test]
fn a_greater_packet_size_comes_from_below() {
    lab(|net| {
        // The upper one's node comes first.
        let text = "nodes = [\"c\", \"p\", \"q\"]\nwires = [\"p:eth0 -- q mtu 1400\"]\n[node.c.macvlan.mv0]\nparent = \"p:eth0\"\n";
        net.vwire(&["up", &file("card.toml", text)]).ok();
        assert!(shown(net, "c", "mv0").contains("mtu 1400"));
        net.vwire(&["up", &file("card.toml", &text.replace("1400", "9000"))]).ok();
        assert!(shown(net, "c", "mv0").contains("mtu 9000"));
        net.vwire(&["up", &file("card.toml", &text.replace("1400", "1300"))]).ok();
        assert!(shown(net, "c", "mv0").contains("mtu 1300"));
        net.vwire(&["status", "card"]).ok();
    });
}

#[test]
fn a_node_that_leaves_takes_what_stood_on_its_devices_and_it_stands_elsewhere_then() {
    lab(|net| {
        let before = settled(net, "");
        let text = "nodes = [\"c\", \"p\", \"q\"]\nwires = [\"p:eth0 -- q\"]\n[node.c.macvlan.mv0]\nparent = \"p:eth0\"\naddress = \"10.0.0.1/24\"\n";
        net.vwire(&["up", &file("card.toml", text)]).ok();
        let other = "nodes = [\"c\", \"q\", \"r\"]\nwires = [\"r:eth0 -- q\"]\n[node.c.macvlan.mv0]\nparent = \"r:eth0\"\naddress = \"10.0.0.1/24\"\n";
        net.vwire(&["up", &file("card.toml", other)]).ok();
        net.vwire(&["status", "card"]).ok();
        assert!(shown(net, "c", "mv0").contains("link-netns card.r"));
        net.vwire(&["down", "card"]).ok();
        becomes(net, "", &before).unwrap();
    });
}

#[test]
fn a_card_that_is_not_there_is_told_with_what_is() {
    lab(|net| {
        with_card(net);
        let before = settled(net, "");
        for (name, told) in [("nic3", "did you mean `nic1`?"), ("wlan7", "it has `nic1`, `nic0`, `eth9`")] {
            let said = net.vwire(&["up", &file("card.toml", &CARD.replace("host:nic0", &format!("host:{name}")))]);
            assert_eq!(said.exit, 1, "{}", said.stderr);
            assert!(said.stderr.contains(&format!("this machine has no device `{name}`")), "{}", said.stderr);
            assert!(said.stderr.contains(told) && said.stderr.contains("nothing was changed"), "{}", said.stderr);
        }
        becomes(net, "", &before).unwrap();
    });
}

#[test]
fn what_is_up_is_drawn_and_written_with_what_it_stands_on() {
    lab(|net| {
        with_card(net);
        net.vwire(&["up", &file("card.toml", CARD)]).ok();
        let drawn = net.vwire(&["graph", &file("card.toml", CARD)]).ok();
        assert!(
            drawn.contains("on host:nic0") && drawn.contains("on p:eth0") && !drawn.contains("this machine"),
            "{drawn}"
        );
        let written = net.vwire(&["import", "--name", "card"]).ok();
        for line in ["[node.c2.macvtap.t0]\nparent = \"p:eth0\"", "[node.c1.macvlan.eth9]\nparent = \"host:nic0\""] {
            assert!(written.contains(line), "{written}");
        }
        let alone = net.vwire(&["import", "--name", "card", "card.c2"]).ok();
        assert!(alone.contains("which is not seen or not written"), "{alone}");
    });
}

#[test]
fn all_that_the_kernel_lacks_is_told_at_once_with_its_lines() {
    lab(|net| {
        let text = "nodes = [\"a\", \"b\"]\nwires = [\"a -- b\"]\n[node.a.dummy.d0]\n[node.b.vlan.v0]\nparent = \"eth0\"\nid = 5\n\
                    [bridge.sw]\nvlan-aware = true\n";
        let lines = [
            ("dummy", 3, "[node.a.dummy.d0]", "CONFIG_DUMMY"),
            ("vlan", 4, "[node.b.vlan.v0]", "CONFIG_VLAN_8021Q"),
            ("bridge that tells VLANs apart", 7, "[bridge.sw]", "CONFIG_BRIDGE_VLAN_FILTERING"),
        ];
        // What this kernel has, `ip` can make.
        net.arrange(&["link add below type bridge"]);
        let made = ["add d type dummy", "add link below name v type vlan id 5", "add w type bridge vlan_filtering 1"]
            .map(|words| net.ip(&[&["link"], words.split(' ').collect::<Vec<_>>().as_slice()].concat()).exit == 0);
        let said = net.vwire(&["up", &file("lacks.toml", text)]);
        assert_eq!(said.exit, i32::from(made != [true; 3]), "{}", said.stderr);
        for ((kind, line, shown, option), has) in lines.into_iter().zip(made) {
            let is_told = said.stderr.contains(&format!(": {kind}: "));
            assert_eq!(is_told, !has, "{kind}: {}", said.stderr);
            let place = format!("{line} | {shown}\n  | ");
            assert_eq!(said.stderr.contains(&place) && said.stderr.contains(option), !has, "{kind}: {}", said.stderr);
        }
        assert!(!said.stderr.contains("modprobe bridge"), "{}", said.stderr);
        assert_eq!(said.stderr.matches("nothing was changed").count(), usize::from(said.exit != 0));
    });
}

#[test]
fn a_shape_that_is_not_there_is_told_with_those_that_are() {
    lab(|net| {
        let told = net.vwire(&["topo", "clos"]);
        assert_eq!((told.exit, told.stdout.as_str()), (2, ""));
        let wanted =
            "error: there is no topology `clos`\nhint: there are `star`, `ring`, `line`, `tree`, `fattree`, `mesh`\n";
        assert_eq!(told.stderr, wanted);
        assert!(net.vwire(&["topo", "rnig", "--nodes", "3"]).stderr.contains("did you mean `ring`?"));
        // Minutes as `sleep` has them.
        let path = file("pair.toml", "wires = [\"a -- b\"]\nnodes = [\"a\", \"b\"]\n");
        net.vwire(&["up", "--confirm", "5m", &path]).ok();
        net.vwire(&["confirm", &path]).ok();
        net.vwire(&["down", &path]).ok();
    });
}
