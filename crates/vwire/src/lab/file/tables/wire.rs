//! The tables of wires, their ends, and the condition they are in. Pure.

use super::super::field::{Field, Kind, Table};
use super::grammar::{CONDITION_NAME, DEVICE_NAME, END, INTERFACE, MAC, NODE_NAME, PERCENT, PREFIX, RATE, TIME, VLANS};
use super::{NONE, row};

/// `[[wire]]`.
pub static WIRE_TABLE: Table = Table {
    head: "[[wire]]",
    about: "A wire as a table: the same as a line of `wires`, with room for more.",
    fields: &[
        row(
            "ends",
            Kind::List(&Kind::LineOrTable(&END, &END_TABLE)),
            "Its two ends.",
            "[\"alice:eth0 10.0.0.1/24\", \"lan\"]",
            "must be said",
            &["endpoints", "between", "end"],
        ),
        row(
            "prefix",
            Kind::OneOrMore(&Kind::Text(&PREFIX)),
            "The networks from which the two ends are given addresses: the first to the left one.",
            "\"10.1.0.0/30\"",
            "no automatic addresses",
            &["subnet", "network"],
        ),
        row("mtu", Kind::Number(68, 65535), "The MTU of both ends in bytes.", "9000", "the kernel's, 1500", NONE),
        row(
            "like",
            Kind::Text(&CONDITION_NAME),
            "The condition it is in, in both directions: one of `[condition.NAME]`, or of those that are always there.",
            "\"wifi\"",
            "a perfect wire",
            &["condition", "preset", "impair"],
        ),
        DELAY,
        JITTER,
        LOSS,
        DUPLICATE,
        REORDER,
        RATE_ROW,
        QUEUE,
        row(
            "forth",
            Kind::Table(&CONDITION),
            "What holds only from the first end to the second.",
            "{ loss = \"3%\" }",
            "",
            NONE,
        ),
        row(
            "back",
            Kind::Table(&CONDITION),
            "What holds only from the second end to the first.",
            "{ rate = \"1mbit\" }",
            "",
            NONE,
        ),
    ],
};

/// An end of a wire as a table.
pub static END_TABLE: Table = Table {
    head: "ends = [{ … }]",
    about: "An end of a wire as a table.",
    fields: &[
        row("node", Kind::Text(&NODE_NAME), "The node or bridge.", "\"alice\"", "must be said", &["bridge", "name"]),
        row(
            "device",
            Kind::Text(&DEVICE_NAME),
            "The device there.",
            "\"eth0\"",
            "eth0, eth1, … in the order of the file",
            &["dev", "interface", "ifname"],
        ),
        row(
            "address",
            Kind::OneOrMore(&Kind::Text(&INTERFACE)),
            "Its addresses, or `auto`, or `none`.",
            "\"10.0.0.1/24\"",
            "automatic where there is a prefix",
            &["addresses", "ip"],
        ),
        row("mac", Kind::Text(&MAC), "Its link-layer address.", "\"02:00:00:00:00:01\"", "by lot", &["lladdr"]),
        row("mtu", Kind::Number(68, 65535), "Its MTU in bytes.", "9000", "the wire's", NONE),
        row("vlan", Kind::Number(1, 4094), "At a bridge: the VLAN of packets without a tag.", "10", "1", &["access"]),
        row(
            "trunk",
            Kind::Text(&VLANS),
            "At a bridge: the VLANs of packets with a tag.",
            "\"10,20-29\"",
            "none",
            &["vlans", "tagged"],
        ),
        row("up", Kind::Switch, "Whether it is set up.", "false", "true", &["state"]),
    ],
};

/// `[condition.NAME]`.
pub static CONDITION: Table = Table {
    head: "[condition.NAME]",
    about: "What is done to packets of one direction of a wire. `forth` and `back` of a wire have the same keys.",
    fields: &[
        row(
            "like",
            Kind::Text(&CONDITION_NAME),
            "The condition that this one starts from.",
            "\"wifi\"",
            "a perfect wire",
            NONE,
        ),
        DELAY,
        JITTER,
        LOSS,
        DUPLICATE,
        REORDER,
        RATE_ROW,
        QUEUE,
    ],
};

const DELAY: Field =
    row("delay", Kind::Text(&TIME), "How long each packet is held.", "\"10ms\"", "not at all", &["latency"]);
const JITTER: Field = row("jitter", Kind::Text(&TIME), "By how much the delay varies.", "\"2ms\"", "not at all", NONE);
const LOSS: Field = row("loss", Kind::Text(&PERCENT), "How many packets are lost.", "\"1%\"", "none", NONE);
const DUPLICATE: Field =
    row("duplicate", Kind::Text(&PERCENT), "How many packets are sent twice.", "\"0.1%\"", "none", NONE);
const REORDER: Field =
    row("reorder", Kind::Text(&PERCENT), "How many packets overtake others; wants a delay.", "\"5%\"", "none", NONE);
const RATE_ROW: Field =
    row("rate", Kind::Text(&RATE), "How much goes through in a second.", "\"10mbit\"", "all", &["bandwidth", "bw"]);
const QUEUE: Field = row(
    "queue",
    Kind::Text(&TIME),
    "For how long packets wait for the rate before they are lost.",
    "\"50ms\"",
    "50ms",
    &["buffer", "limit"],
);
