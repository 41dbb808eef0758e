//! The tables of devices that are no end of a wire: TAP, TUN, dummy, VLAN, VXLAN, macvlan. Pure.

use super::super::field::{Field, Kind, Table};
use super::grammar::{ADDRESS, DEVICE_NAME, INTERFACE, MAC, PARENT, USER, VLANS};
use super::{NONE, row};

/// `[node.NAME.tap.DEVICE]`.
pub static TAP: Table = Table {
    head: "[node.NAME.tap.DEVICE]",
    about: "A TAP device that stays: an Ethernet cable whose other end is a program, such as a virtual machine. \
            `[bridge.NAME.tap.DEVICE]` makes one that is a port of that bridge.",
    fields: &[
        OWNER,
        GROUP,
        MULTI_QUEUE,
        VNET_HDR,
        PACKET_INFO,
        MASTER,
        ADDRESS_ROW,
        MAC_ROW,
        MTU_ROW,
        ACCESS,
        TRUNK,
        UP,
    ],
};

/// `[node.NAME.tun.DEVICE]`.
pub static TUN: Table = Table {
    head: "[node.NAME.tun.DEVICE]",
    about: "A TUN device that stays: IP packets go to and come from a program, such as a VPN.",
    fields: &[
        OWNER,
        GROUP,
        MULTI_QUEUE,
        VNET_HDR,
        PACKET_INFO,
        row(
            "address",
            Kind::OneOrMore(&Kind::Text(&INTERFACE)),
            "Its addresses; `A peer B` for one that faces another.",
            "\"10.0.0.1 peer 10.0.0.2\"",
            "none",
            &["addresses", "ip"],
        ),
        row("mtu", Kind::Number(68, 65535), "Its MTU in bytes.", "1400", "the kernel's, 1500", NONE),
        UP,
    ],
};

/// `[node.NAME.dummy.DEVICE]`.
pub static DUMMY: Table = Table {
    head: "[node.NAME.dummy.DEVICE]",
    about: "A device that swallows what it is sent: a place for an address that is always up.",
    fields: &[
        MASTER,
        row(
            "address",
            Kind::OneOrMore(&Kind::Text(&INTERFACE)),
            "Its addresses.",
            "\"192.0.2.1/32\"",
            "none",
            &["addresses", "ip"],
        ),
        MAC_ROW,
        MTU_ROW,
        UP,
    ],
};

/// `[node.NAME.vlan.DEVICE]`.
pub static VLAN: Table = Table {
    head: "[node.NAME.vlan.DEVICE]",
    about: "One VLAN of a device: what it sends is tagged.",
    fields: &[
        row(
            "parent",
            Kind::Text(&PARENT),
            "The device below: of the same node, of another, or of the machine itself.",
            "\"host:eth0\"",
            "must be said",
            &["link", "dev", "device"],
        ),
        row("id", Kind::Number(1, 4094), "Its number.", "10", "must be said", &["vlan", "vid", "tag"]),
        MASTER,
        row(
            "address",
            Kind::OneOrMore(&Kind::Text(&INTERFACE)),
            "Its addresses.",
            "\"10.0.10.1/24\"",
            "none",
            &["addresses", "ip"],
        ),
        row("mac", Kind::Text(&MAC), "Its link-layer address.", "\"02:00:00:00:00:01\"", "its parent's", &["lladdr"]),
        row("mtu", Kind::Number(68, 65535), "Its MTU in bytes.", "1400", "its parent's", NONE),
        UP,
    ],
};

/// `[node.NAME.vxlan.DEVICE]`.
pub static VXLAN: Table = Table {
    head: "[node.NAME.vxlan.DEVICE]",
    about: "A VXLAN tunnel: Ethernet carried over UDP. `[bridge.NAME.vxlan.DEVICE]` makes one that is a port of that \
            bridge.",
    fields: &[
        row("vni", Kind::Number(0, 16_777_215), "Its number: the same at all ends.", "42", "must be said", &["id"]),
        row(
            "remote",
            Kind::OneOrMore(&Kind::Text(&ADDRESS)),
            "Where it sends what it does not know the way of: the other ends, or one multicast group (which wants a `parent`).",
            "\"192.0.2.2\"",
            "none",
            &["peer", "peers", "group", "remotes"],
        ),
        row("local", Kind::Text(&ADDRESS), "The address it sends from.", "\"192.0.2.1\"", "the kernel's choice", NONE),
        row("port", Kind::Number(1, 65535), "The UDP port.", "4789", "4789", &["dstport"]),
        row(
            "parent",
            Kind::Text(&DEVICE_NAME),
            "The device below, in the same node.",
            "\"eth0\"",
            "by the route",
            &["dev", "link", "device"],
        ),
        row("learning", Kind::Switch, "Whether it learns where senders are.", "false", "true", NONE),
        MASTER,
        row(
            "address",
            Kind::OneOrMore(&Kind::Text(&INTERFACE)),
            "Its addresses.",
            "\"10.42.0.1/24\"",
            "none",
            &["addresses", "ip"],
        ),
        MAC_ROW,
        row("mtu", Kind::Number(68, 65535), "Its MTU in bytes.", "1400", "its parent's less 50, or 1500", NONE),
        ACCESS,
        TRUNK,
        UP,
    ],
};

/// `[node.NAME.macvlan.DEVICE]`.
pub static MACVLAN: Table = Table {
    head: "[node.NAME.macvlan.DEVICE]",
    about: "A second card on the same cable: a device with a link-layer address of its own on another. A macvtap, \
            `[node.NAME.macvtap.DEVICE]`, has the same keys and is opened by a program.",
    fields: &[
        row(
            "parent",
            Kind::Text(&PARENT),
            "The device below: of the same node, of another, or of the machine itself.",
            "\"host:eth0\"",
            "must be said",
            &["link", "dev", "device"],
        ),
        row(
            "mode",
            Kind::Choice(&["private", "vepa", "bridge", "passthru"]),
            "How those of one parent reach one another.",
            "\"bridge\"",
            "bridge",
            NONE,
        ),
        row(
            "address",
            Kind::OneOrMore(&Kind::Text(&INTERFACE)),
            "Its addresses.",
            "\"10.0.0.9/24\"",
            "none",
            &["addresses", "ip"],
        ),
        MAC_ROW,
        row("mtu", Kind::Number(68, 65535), "Its MTU in bytes.", "1400", "its parent's", NONE),
        UP,
    ],
};

const MASTER: Field = row(
    "master",
    Kind::Text(&DEVICE_NAME),
    "The bridge of the same node that it is a port of.",
    "\"br0\"",
    "none",
    &["bridge"],
);
const MAC_ROW: Field =
    row("mac", Kind::Text(&MAC), "Its link-layer address.", "\"02:00:00:00:00:01\"", "by lot", &["lladdr"]);
const MTU_ROW: Field = row("mtu", Kind::Number(68, 65535), "Its MTU in bytes.", "9000", "the kernel's, 1500", NONE);
const ACCESS: Field =
    row("vlan", Kind::Number(1, 4094), "At a bridge: the VLAN of packets without a tag.", "10", "1", NONE);
const TRUNK: Field =
    row("trunk", Kind::Text(&VLANS), "At a bridge: the VLANs of packets with a tag.", "\"10,20-29\"", "none", NONE);
const UP: Field = row("up", Kind::Switch, "Whether it is set up.", "false", "true", NONE);
const OWNER: Field = row("owner", Kind::Text(&USER), "The user that may open it.", "\"qemu\"", "root", &["user"]);
const GROUP: Field = row("group", Kind::Text(&USER), "The group that may open it.", "\"kvm\"", "none", NONE);
const MULTI_QUEUE: Field =
    row("multi-queue", Kind::Switch, "Whether it may have several queues.", "true", "false", &["multi_queue"]);
const VNET_HDR: Field =
    row("vnet-hdr", Kind::Switch, "Whether packets are headed by a vnet header.", "true", "false", &["vnet_hdr"]);
const PACKET_INFO: Field =
    row("packet-info", Kind::Switch, "Whether packets are headed by packet information.", "true", "false", &["pi"]);
const ADDRESS_ROW: Field =
    row("address", Kind::OneOrMore(&ONE_ADDRESS), "Its addresses.", "\"10.0.0.1/24\"", "none", &["addresses", "ip"]);

/// A static of its own, since a constant row cannot borrow what is made on the spot.
static ONE_ADDRESS: Kind = Kind::Text(&INTERFACE);
