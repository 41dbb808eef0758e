//! The tables that say at length what one line says: routes, rules, neighbours, NAT, filters, commands, checks. Pure.

use super::super::field::{Kind, Table};
use super::grammar::{ADDRESS, ARGUMENT, DEVICE_NAME, MAC, MARK, NODE_NAME, PLACE, PORTS, PREFIX, RATE, TARGET, TIME};
use super::{NONE, row};

/// A route as a table.
pub static ROUTE_TABLE: Table = Table {
    head: "routes = [{ … }]",
    about: "A route as a table.",
    fields: &[
        row(
            "to",
            Kind::Text(&PREFIX),
            "Where to, or `default`.",
            "\"10.2.0.0/16\"",
            "must be said",
            &["dst", "destination", "prefix"],
        ),
        row(
            "via",
            Kind::Text(&TARGET),
            "The gateway: an address, or a node with an address in a network of this one.",
            "\"10.0.0.1\"",
            "none",
            &["gateway", "gw"],
        ),
        row(
            "dev",
            Kind::Text(&DEVICE_NAME),
            "The device.",
            "\"eth0\"",
            "the one whose network holds the gateway",
            &["device", "interface"],
        ),
        row(
            "type",
            Kind::Choice(&["unicast", "blackhole", "unreachable", "prohibit"]),
            "What is done with packets.",
            "\"blackhole\"",
            "unicast",
            &["kind", "action"],
        ),
        row(
            "metric",
            Kind::Number(0, u32::MAX),
            "Its metric.",
            "100",
            "the kernel's choice",
            &["priority", "preference"],
        ),
        row("table", Kind::Number(1, u32::MAX), "Its table.", "100", "main", NONE),
        row(
            "src",
            Kind::Text(&ADDRESS),
            "The address to send from.",
            "\"10.0.0.2\"",
            "the kernel's choice",
            &["source", "from"],
        ),
        row("mtu", Kind::Number(68, 65535), "The MTU of the path in bytes.", "1400", "the device's", NONE),
        row(
            "onlink",
            Kind::Switch,
            "Whether the gateway is on the device's link whatever its address.",
            "true",
            "false",
            NONE,
        ),
        row(
            "hops",
            Kind::List(&Kind::Table(&HOP_TABLE)),
            "Several gateways that share the packets, in the place of `via` and `dev`.",
            "[{ via = \"10.0.0.1\" }, { via = \"10.0.0.2\", weight = 2 }]",
            "none",
            &["nexthops", "nexthop", "multipath"],
        ),
    ],
};

/// One of several gateways.
pub static HOP_TABLE: Table = Table {
    head: "hops = [{ … }]",
    about: "One of the gateways of a route.",
    fields: &[
        row("via", Kind::Text(&TARGET), "The gateway.", "\"10.0.0.1\"", "none", &["gateway"]),
        row(
            "dev",
            Kind::Text(&DEVICE_NAME),
            "The device.",
            "\"eth0\"",
            "the one whose network holds the gateway",
            &["device"],
        ),
        row("weight", Kind::Number(1, 256), "Its share among the others.", "2", "1", NONE),
        row(
            "onlink",
            Kind::Switch,
            "Whether the gateway is on the device's link whatever its address.",
            "true",
            "false",
            NONE,
        ),
    ],
};

/// A rule as a table.
pub static RULE_TABLE: Table = Table {
    head: "rules = [{ … }]",
    about: "A routing rule as a table.",
    fields: &[
        row("from", Kind::Text(&PREFIX), "Packets from here.", "\"10.0.1.0/24\"", "all", NONE),
        row("to", Kind::Text(&PREFIX), "Packets to there.", "\"10.0.2.0/24\"", "all", NONE),
        row("iif", Kind::Text(&DEVICE_NAME), "Packets that came in by this device.", "\"eth0\"", "all", &["in"]),
        row("oif", Kind::Text(&DEVICE_NAME), "Packets of sockets bound to this device.", "\"eth0\"", "all", &["out"]),
        row(
            "fwmark",
            Kind::Text(&MARK),
            "Packets with this mark, under the mask behind `/`.",
            "\"0x1/0xff\"",
            "all",
            &["mark"],
        ),
        row("ipv6", Kind::Switch, "Whether it is for IPv6, where no address says so.", "true", "false", NONE),
        row("table", Kind::Number(1, u32::MAX), "The table that is looked up.", "100", "must be said", &["lookup"]),
        row(
            "priority",
            Kind::Number(0, u32::MAX),
            "Its place among the rules: lower is earlier.",
            "1000",
            "in the file's order, right before table `main`",
            &["pref", "order"],
        ),
    ],
};

/// A neighbour as a table.
pub static NEIGHBOUR_TABLE: Table = Table {
    head: "neighbours = [{ … }]",
    about: "A static neighbour as a table.",
    fields: &[
        row("address", Kind::Text(&ADDRESS), "Its address.", "\"10.0.0.7\"", "must be said", &["ip", "to"]),
        row("mac", Kind::Text(&MAC), "Its link-layer address.", "\"02:00:00:00:00:07\"", "must be said", &["lladdr"]),
        row(
            "dev",
            Kind::Text(&DEVICE_NAME),
            "The device it is behind.",
            "\"eth0\"",
            "the one whose network holds the address",
            &["device"],
        ),
    ],
};

/// A translation as a table.
pub static NAT_TABLE: Table = Table {
    head: "nat = [{ … }]",
    about: "A translation as a table: `masquerade`, or `forward` with `to`.",
    fields: &[
        row(
            "masquerade",
            Kind::Text(&DEVICE_NAME),
            "What leaves through this device gets its address.",
            "\"eth0\"",
            "",
            &["out", "snat"],
        ),
        row(
            "from",
            Kind::Text(&PLACE),
            "With `masquerade`: only packets from here.",
            "\"10.0.0.0/24\"",
            "all",
            &["source"],
        ),
        row(
            "forward",
            Kind::Choice(&["tcp", "udp"]),
            "What arrives by this protocol at `port` is sent to `to`.",
            "\"tcp\"",
            "",
            &["dnat", "protocol"],
        ),
        row("port", Kind::Number(1, 65535), "With `forward`: the port it arrives at.", "8080", "must be said", NONE),
        row(
            "to",
            Kind::Text(&TARGET),
            "With `forward`: an address or node that it is sent to.",
            "\"10.0.0.2\"",
            "must be said",
            NONE,
        ),
        row(
            "to-port",
            Kind::Number(1, 65535),
            "With `forward`: the port that it is sent to.",
            "80",
            "the same",
            &["to_port"],
        ),
        row(
            "in",
            Kind::Text(&DEVICE_NAME),
            "With `forward`: only what arrives by this device.",
            "\"eth0\"",
            "all",
            &["iif", "device"],
        ),
    ],
};

/// A filter as a table.
pub static FILTER_TABLE: Table = Table {
    head: "filter = [{ … }]",
    about: "A filter as a table.",
    fields: &[
        row(
            "verdict",
            Kind::Choice(&["accept", "drop", "reject"]),
            "What is done with packets.",
            "\"drop\"",
            "must be said",
            &["action", "policy"],
        ),
        row(
            "hook",
            Kind::Choice(&["input", "output", "forward"]),
            "Which packets: for the node, from it, or passed on by it.",
            "\"forward\"",
            "must be said",
            &["chain"],
        ),
        row("from", Kind::Text(&PLACE), "Packets from here.", "\"10.0.1.0/24\"", "all", &["source", "src"]),
        row("to", Kind::Text(&PLACE), "Packets to there.", "\"10.0.2.0/24\"", "all", &["destination", "dst"]),
        row("in", Kind::Text(&DEVICE_NAME), "Packets that came in by this device.", "\"eth0\"", "all", &["iif"]),
        row("out", Kind::Text(&DEVICE_NAME), "Packets that leave by this device.", "\"eth1\"", "all", &["oif"]),
        row(
            "protocol",
            Kind::Choice(&["tcp", "udp", "icmp"]),
            "The protocol; `icmp` is that of IPv6, too.",
            "\"tcp\"",
            "all",
            &["proto"],
        ),
        row(
            "ports",
            Kind::Text(&PORTS),
            "With TCP or UDP: the destination port, or first and last.",
            "\"8000-8080\"",
            "all",
            &["port", "dport"],
        ),
        row(
            "established",
            Kind::Switch,
            "Only packets of flows that were let through before.",
            "true",
            "false",
            &["state"],
        ),
    ],
};

/// A command as a table.
pub static COMMAND_TABLE: Table = Table {
    head: "run = [{ … }]",
    about: "A command as a table.",
    fields: &[
        row(
            "command",
            Kind::OneOrMore(&Kind::Text(&ARGUMENT)),
            "What is run: a line for the shell, or a program and its arguments.",
            "[\"bird\", \"-c\", \"r1.conf\"]",
            "must be said",
            &["exec", "argv", "cmd", "line"],
        ),
        row(
            "background",
            Kind::Switch,
            "Whether it goes on as long as the lab is up, or else is waited for; `status` tells when it has ended.",
            "true",
            "false",
            &["daemon", "service", "detach"],
        ),
        row(
            "ready",
            Kind::OneOrMore(&Kind::Text(&ARGUMENT)),
            "What must succeed before the lab is up; tried again until then.",
            "\"birdc show status\"",
            "at once",
            &["wait", "healthcheck", "readiness"],
        ),
        row("within", Kind::Text(&TIME), "How long it may take to end, or to be ready.", "\"5s\"", "10s", &["timeout"]),
    ],
};

/// A check as a table.
pub static CHECK_TABLE: Table = Table {
    head: "checks = [{ … }]",
    about: "A check as a table: `from`, and one of `reaches`, `must-not-reach`, or `to` with `mtu` or `bandwidth`.",
    fields: &[
        row("from", Kind::Text(&NODE_NAME), "The node that tries.", "\"alice\"", "must be said", &["node", "source"]),
        row(
            "reaches",
            Kind::Text(&TARGET),
            "A ping to this node or address is answered; of a node in each family that both have.",
            "\"bob\"",
            "",
            &["reach", "ping"],
        ),
        row(
            "must-not-reach",
            Kind::Text(&TARGET),
            "No ping to this node or address is answered; `check` says where nothing was sent because no route leads there.",
            "\"10.9.9.9\"",
            "",
            &["not-reach", "unreachable"],
        ),
        row(
            "to",
            Kind::Text(&TARGET),
            "The node or address that `mtu` and `bandwidth` are about.",
            "\"bob\"",
            "",
            NONE,
        ),
        row(
            "tcp",
            Kind::Number(1, 65535),
            "With `reaches` and `must-not-reach`: a connection to this port, in the place of a ping. For `must-not-reach` \
             `check` listens at a node's port where nobody does, so that what holds is the way's doing.",
            "80",
            "a ping",
            &["port"],
        ),
        row("mtu", Kind::Number(68, 65535), "Packets of this many bytes go through undivided.", "1500", "", NONE),
        row(
            "bandwidth",
            Kind::Text(&RATE),
            "At least this much goes through in a second.",
            "\"100mbit\"",
            "",
            &["rate"],
        ),
    ],
};
