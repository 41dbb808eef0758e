//! Every table, key and grammar of the file, with what each is for: the one place that all is made from. Pure.
//!
//! Reading refuses what is not here, `vwire lab schema` prints it for editors, and docs/reference-lab.md lists it. To add
//! a key: a row here, and the place that reads it.

pub mod device;
pub mod grammar;
pub mod line;
pub mod wire;

use super::field::{Field, Kind, Table};
use device::{DUMMY, MACVLAN, TAP, TUN, VLAN, VXLAN};
use grammar::{
    CHECK, COMMAND, DEVICE_NAME, FILTER, INTERFACE, LAB_NAME, MAC, NAT, NEIGHBOUR, NODE_NAME, PREFIX, ROUTE, RULE,
    TARGET, WIRE,
};
use line::{CHECK_TABLE, COMMAND_TABLE, FILTER_TABLE, NAT_TABLE, NEIGHBOUR_TABLE, ROUTE_TABLE, RULE_TABLE};
use wire::{CONDITION, WIRE_TABLE};

const NONE: &[&str] = &[];

/// Shortens a row.
const fn row(
    key: &'static str,
    kind: Kind,
    about: &'static str,
    example: &'static str,
    default: &'static str,
    known_as: &'static [&'static str],
) -> Field {
    Field { key, kind, about, example, default, known_as }
}

/// The whole file.
pub static FILE: Table = Table {
    head: "the top of the file",
    about: "These keys stand before the first table.",
    fields: &[
        row(
            "name",
            Kind::Text(&LAB_NAME),
            "What the lab is called: its namespaces are `NAME.NODE` for `ip netns`.",
            "\"office\"",
            "the file's name without `.toml`",
            &["lab", "title"],
        ),
        row(
            "nodes",
            Kind::List(&Kind::Text(&NODE_NAME)),
            "Nodes that need nothing but a name. `host` is the machine itself and need not be listed.",
            "[\"alice\", \"bob\"]",
            "none",
            &["hosts", "machines", "namespaces"],
        ),
        row(
            "wires",
            Kind::List(&Kind::LineOrTable(&WIRE, &WIRE_TABLE)),
            "The wires, one a line.",
            "[\"alice 10.0.0.1/24 -- lan\", \"bob 10.0.0.2/24 -- lan\"]",
            "none",
            &["links", "cables", "edges"],
        ),
        row(
            "checks",
            Kind::List(&Kind::LineOrTable(&CHECK, &CHECK_TABLE)),
            "What must hold when the lab is up.",
            "[\"alice reaches bob\", \"alice must-not-reach 10.9.9.9\"]",
            "none",
            &["tests", "validate", "asserts"],
        ),
        row(
            "node",
            Kind::Named(&NODE),
            "Nodes of which there is more to say. In routes, rules, translations and filters of `host`, a device that is none of the \
             lab's is one of the machine's own, such as its card: `nat = [\"masquerade out eth0\"]`.",
            "",
            "none",
            &["host", "router", "device"],
        ),
        row("bridge", Kind::Named(&BRIDGE), "Bridges of which there is more to say.", "", "none", &["switch", "lan"]),
        row(
            "wire",
            Kind::List(&Kind::LineOrTable(&WIRE, &WIRE_TABLE)),
            "Wires as tables, headed `[[wire]]`.",
            "",
            "none",
            &["link", "cable"],
        ),
        row(
            "template",
            Kind::Named(&NODE),
            "What several nodes share; a node takes it by `use`.",
            "",
            "none",
            &["group"],
        ),
        row(
            "condition",
            Kind::Named(&CONDITION),
            "Conditions of wires with a name; a wire takes one by `like`.",
            "",
            "none",
            &["impair", "conditions", "quality"],
        ),
    ],
};

/// `[node.NAME]`.
pub static NODE: Table = Table {
    head: "[node.NAME]",
    about: "A network namespace of its own, or, if it is called `host`, the machine itself. `[template.NAME]` has the \
            same keys.",
    fields: &[
        row(
            "use",
            Kind::OneOrMore(&Kind::Text(&NODE_NAME)),
            "Templates that it takes: lists are joined, templates first; of all else the node's own holds, then the \
             last template's.",
            "\"office-pc\"",
            "none",
            &["template", "templates", "extends", "inherits"],
        ),
        row(
            "count",
            Kind::Number(1, 5000),
            "Makes that many: NAME1, NAME2, … A wire or check that names NAME means each, and `{n}` in a string is the \
             number. A table `[node.NAME7]` says more of that one, and lies on this as a node lies on its templates.",
            "200",
            "just the one, NAME",
            &["hosts", "number", "replicas", "copies"],
        ),
        row(
            "forwarding",
            Kind::Switch,
            "Whether it passes packets on, IPv4 and IPv6: a router.",
            "true",
            "false",
            &["forward", "router", "ip_forward", "routing"],
        ),
        row(
            "lo",
            Kind::OneOrMore(&Kind::Text(&INTERFACE)),
            "Addresses of its `lo`, which is always up: a router's own, or one that several nodes answer to.",
            "\"10.255.0.1/32\"",
            "none",
            &["loopback", "router-id"],
        ),
        row(
            "routes",
            Kind::List(&Kind::LineOrTable(&ROUTE, &ROUTE_TABLE)),
            "Its routes, beside those that addresses bring.",
            "[\"default via 10.0.0.1\"]",
            "none",
            &["route"],
        ),
        row(
            "rules",
            Kind::List(&Kind::LineOrTable(&RULE, &RULE_TABLE)),
            "Its routing rules.",
            "[\"from 10.0.1.0/24 table 100\"]",
            "none",
            &["rule"],
        ),
        row(
            "neighbours",
            Kind::List(&Kind::LineOrTable(&NEIGHBOUR, &NEIGHBOUR_TABLE)),
            "Neighbours that it need not ask for.",
            "[\"10.0.0.7 mac 02:00:00:00:00:07 dev eth0\"]",
            "none",
            &["neighbors", "neigh", "arp", "neighbour", "neighbor"],
        ),
        row(
            "nat",
            Kind::List(&Kind::LineOrTable(&NAT, &NAT_TABLE)),
            "What it translates.",
            "[\"masquerade out eth0\", \"forward tcp 8080 to 10.0.0.2:80\"]",
            "none",
            &["masquerade", "dnat", "snat"],
        ),
        row(
            "filter",
            Kind::List(&Kind::LineOrTable(&FILTER, &FILTER_TABLE)),
            "What it lets through; the first line that fits decides, and what none fits is let through.",
            "[\"accept forward established\", \"drop forward from 10.0.1.0/24 to 10.0.2.0/24 tcp 22\"]",
            "none",
            &["filters", "firewall", "acl"],
        ),
        row(
            "sysctl",
            Kind::Sysctls,
            "Its sysctls; only those of the network are the namespace's own.",
            "{ net.ipv4.conf.all.rp_filter = 0 }",
            "none",
            &["sysctls"],
        ),
        row(
            "run",
            Kind::OneOrMore(&Kind::LineOrTable(&COMMAND, &COMMAND_TABLE)),
            "What is run in it once the lab is wired, one after the other.",
            "[\"echo ready\", { command = \"python3 -m http.server 80\", background = true }]",
            "none",
            &["exec", "command", "commands", "startup"],
        ),
        row("tap", Kind::Named(&TAP), "Its TAP devices.", "", "none", NONE),
        row("tun", Kind::Named(&TUN), "Its TUN devices.", "", "none", NONE),
        row("dummy", Kind::Named(&DUMMY), "Its devices that swallow what they are sent.", "", "none", NONE),
        row("vlan", Kind::Named(&VLAN), "VLANs of its devices.", "", "none", NONE),
        row("vxlan", Kind::Named(&VXLAN), "Its VXLAN tunnels.", "", "none", NONE),
        row("macvlan", Kind::Named(&MACVLAN), "Its macvlans.", "", "none", NONE),
        row("macvtap", Kind::Named(&MACVLAN), "Its macvtaps.", "", "none", NONE),
    ],
};

/// `[bridge.NAME]`.
pub static BRIDGE: Table = Table {
    head: "[bridge.NAME]",
    about: "A bridge. One that needs nothing but a name needs no table: it comes to be when a wire ends at a name that \
            is no node's. It lives in a namespace of its own name unless `node` says another.",
    fields: &[
        row(
            "prefix",
            Kind::OneOrMore(&Kind::Text(&PREFIX)),
            "The networks from which each wire's end is given an address, if it names none: one IPv4, one IPv6. They are \
             given in the order of the wires, from the first address on.",
            "\"10.0.0.0/16\"",
            "no automatic addresses",
            &["subnet", "network", "prefixes", "pool", "cidr"],
        ),
        row(
            "gateway",
            Kind::OneOrMore(&Kind::Text(&TARGET)),
            "The default route of each node wired to it that has none and does not forward: an address, or a node that \
             is wired to it, too.",
            "\"router\"",
            "none",
            &["router", "default", "via"],
        ),
        row(
            "address",
            Kind::OneOrMore(&Kind::Text(&INTERFACE)),
            "Its own addresses, or `auto`.",
            "\"10.0.0.1/16\"",
            "none",
            &["addresses", "ip", "addr"],
        ),
        row(
            "node",
            Kind::Text(&NODE_NAME),
            "The node it lives in, `host` for the machine.",
            "\"host\"",
            "its own",
            &["in"],
        ),
        row(
            "device",
            Kind::Text(&DEVICE_NAME),
            "What the device is called, if not as the bridge.",
            "\"br0\"",
            "the bridge's name",
            &["ifname"],
        ),
        row(
            "vlan-aware",
            Kind::Switch,
            "Whether it tells VLANs apart; so if an end at it has `vlan` or `trunk`.",
            "true",
            "false",
            &["vlan_aware", "vlan-filtering", "vlan_filtering"],
        ),
        row("stp", Kind::Switch, "Whether it speaks the spanning tree protocol.", "true", "false", NONE),
        row("mtu", Kind::Number(68, 65535), "Its MTU in bytes.", "9000", "the kernel's, 1500", NONE),
        row(
            "mac",
            Kind::Text(&MAC),
            "Its link-layer address.",
            "\"02:00:00:00:00:01\"",
            "by lot",
            &["lladdr", "address6"],
        ),
        row("tap", Kind::Named(&TAP), "TAP devices that are ports of it.", "", "none", NONE),
        row("dummy", Kind::Named(&DUMMY), "Dummies that are ports of it.", "", "none", NONE),
        row("vxlan", Kind::Named(&VXLAN), "VXLAN tunnels that are ports of it.", "", "none", NONE),
    ],
};
