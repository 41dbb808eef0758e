//! How strings in the file are written: names, addresses, units, and the lines for wires, routes and the like. Pure.

use super::super::field::Grammar;

/// What a lab is called.
pub static LAB_NAME: Grammar = Grammar {
    name: "lab name",
    about: "Letters, digits, `-` and `_`, a letter or digit first, at most 63 in all.",
    shape: "",
    pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$",
};

/// What a node, bridge or template is called.
pub static NODE_NAME: Grammar = Grammar {
    name: "name",
    about: "Letters, digits, `-` and `_`, a letter or digit first, at most 100 in all.",
    shape: "",
    pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$",
};

/// What a condition is called.
pub static CONDITION_NAME: Grammar = Grammar {
    name: "condition's name",
    about: "One of `[condition.NAME]`, or of those that are always there: `lan`, `wifi`, `dsl`, `4g`, `3g`, `satellite`, \
            `bad`.",
    shape: "",
    pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$",
};

/// What a device is called.
pub static DEVICE_NAME: Grammar = Grammar {
    name: "device name",
    about: "At most 127 bytes without `/`, `:` and white space. One of more than 15 bytes, which is more than the kernel \
            takes, becomes the device's altname, and the device gets a short name made from it.",
    shape: "",
    pattern: "^[^/:\\s]{1,127}$",
};

/// The device that another stands on.
pub static PARENT: Grammar = Grammar {
    name: "parent",
    about: "A device of the same node, or behind a `:` one of another. Of the machine itself, `host`, it may be any device, \
            which the lab leaves as it is: it is made there and comes to be in its own node, as by `ip link add eth0 netns \
            NAME link eth0 type macvlan` there.",
    shape: "DEVICE | NODE:DEVICE | host:DEVICE",
    pattern: "^([^/:\\s]{1,100}:)?[^/:\\s]{1,127}$",
};

/// An address on a device.
pub static INTERFACE: Grammar = Grammar {
    name: "address on a device",
    about: "An IPv4 or IPv6 address with the length of its network behind it; `auto` where a prefix is said for the \
            bridge or wire, `none` where there is one and no address is wanted.",
    shape: "ADDRESS/LENGTH | ADDRESS peer ADDRESS[/LENGTH] | auto | none",
    pattern: "^(auto|none|[0-9.]+(/[0-9]+)?( peer [0-9.]+(/[0-9]+)?)?|[0-9A-Fa-f:.]+(/[0-9]+)?( peer [0-9A-Fa-f:.]+(/[0-9]+)?)?|.*\\{n\\}.*)$",
};

/// An address.
pub static ADDRESS: Grammar = Grammar {
    name: "address",
    about: "An IPv4 or IPv6 address.",
    shape: "10.0.0.1 | 2001:db8::1",
    pattern: "^([0-9.]+|[0-9A-Fa-f:.]+|.*\\{n\\}.*)$",
};

/// A network.
pub static PREFIX: Grammar = Grammar {
    name: "prefix",
    about: "A network: its first address and its length in bits. `default` is 0.0.0.0/0, or ::/0 where the gateway is \
            IPv6.",
    shape: "10.0.0.0/24 | 2001:db8::/64 | default",
    pattern: "^(default|[0-9.]+(/[0-9]+)?|[0-9A-Fa-f:.]+(/[0-9]+)?|.*\\{n\\}.*)$",
};

/// Where packets come from or go to.
pub static PLACE: Grammar = Grammar {
    name: "place",
    about: "A network, a bridge that has a prefix, or a node that has one address.",
    shape: "PREFIX | BRIDGE | NODE",
    pattern: "^[^\\s]+$",
};

/// An address, or a node that has it.
pub static TARGET: Grammar = Grammar {
    name: "target",
    about: "An address, or a node: its address in a network of the one that tries, or its first; all where it must not \
            be reached.",
    shape: "ADDRESS | NODE",
    pattern: "^[^\\s]+$",
};

/// A link-layer address.
pub static MAC: Grammar = Grammar {
    name: "link-layer address",
    about: "Six bytes in hexadecimal with `:` between them; the first is even, since an odd one is a group's.",
    shape: "02:00:00:00:00:01",
    pattern: "^([0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2}){5}|.*\\{n\\}.*)$",
};

/// A time.
pub static TIME: Grammar = Grammar {
    name: "time",
    about: "A number and its unit: `us`, `ms`, `s` or `min`.",
    shape: "10ms | 1.5s",
    pattern: "^[0-9]+(\\.[0-9]+)?(ns|us|ms|s|min)$",
};

/// A share.
pub static PERCENT: Grammar =
    Grammar { name: "percentage", about: "From 0% to 100%.", shape: "1% | 0.1%", pattern: "^[0-9]+(\\.[0-9]+)?%$" };

/// A rate.
pub static RATE: Grammar = Grammar {
    name: "rate",
    about: "Bits a second: `bit`, `kbit`, `mbit`, `gbit`, a thousand of the one before each.",
    shape: "10mbit | 1.5gbit",
    pattern: "^[0-9]+(\\.[0-9]+)?([kKmMgG]?bit)$",
};

/// VLANs.
pub static VLANS: Grammar = Grammar {
    name: "VLANs",
    about: "Numbers and ranges with commas between them.",
    shape: "10,20-29",
    pattern: "^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$",
};

/// Ports.
pub static PORTS: Grammar = Grammar {
    name: "ports",
    about: "A port, or the first and the last of several.",
    shape: "80 | 8000-8080",
    pattern: "^[0-9]+(-[0-9]+)?$",
};

/// A mark.
pub static MARK: Grammar = Grammar {
    name: "mark",
    about: "A number, decimal or hexadecimal, and a mask behind `/`.",
    shape: "1 | 0x1/0xff",
    pattern: "^(0x[0-9A-Fa-f]+|[0-9]+)(/(0x[0-9A-Fa-f]+|[0-9]+))?$",
};

/// A user or group.
pub static USER: Grammar =
    Grammar { name: "user", about: "A name, or a number.", shape: "alice | 1000", pattern: "^[^\\s:]+$" };

/// A part of a command.
pub static ARGUMENT: Grammar = Grammar {
    name: "command",
    about: "As one string, a line for the shell; as a list, a program and its arguments.",
    shape: "",
    pattern: "^[^\\u0000]+$",
};

/// A wire.
pub static WIRE: Grammar = Grammar {
    name: "wire",
    about: "Two ends with `--` between them, then what holds for the whole wire; behind `->` what holds only from left to \
            right, behind `<-` only from right to left.",
    shape: "END -- END [prefix PREFIX]… [mtu BYTES] [QUALITY]… [-> QUALITY…] [<- QUALITY…]\n\
            QUALITY := like NAME | delay TIME | jitter TIME | loss PERCENT | duplicate PERCENT | reorder PERCENT | \
            rate RATE | queue TIME",
    pattern: "^\\s*\\S.*\\s--\\s.*\\S\\s*$",
};

/// An end of a wire.
pub static END: Grammar = Grammar {
    name: "end",
    about: "A node or bridge, the device there, and what belongs to that end.",
    shape: "NAME[:DEVICE] [ADDRESS/LENGTH | auto | none]… [mac MAC] [vlan NUMBER] [trunk VLANS] [down]",
    pattern: "^\\s*\\S.*$",
};

/// A route.
pub static ROUTE: Grammar = Grammar {
    name: "route",
    about: "As `ip route add` has it; a gateway may be a node, which stands for its address in a network of this one.",
    shape: "[unicast | blackhole | unreachable | prohibit] PREFIX [via TARGET] [dev DEVICE] [onlink] [metric NUMBER] \
            [table NUMBER] [src ADDRESS] [mtu BYTES] [nexthop [via TARGET] [dev DEVICE] [weight NUMBER] [onlink]]…",
    pattern: "^\\s*\\S.*$",
};

/// A rule.
pub static RULE: Grammar = Grammar {
    name: "rule",
    about: "As `ip rule add` has it.",
    shape: "[ipv6] [from PREFIX] [to PREFIX] [iif DEVICE] [oif DEVICE] [fwmark MARK] table NUMBER [priority NUMBER]",
    pattern: "^\\s*\\S.*\\s(table|lookup)\\s.*$",
};

/// A neighbour.
pub static NEIGHBOUR: Grammar = Grammar {
    name: "neighbour",
    about: "As `ip neigh add` has it.",
    shape: "ADDRESS mac MAC [dev DEVICE]",
    pattern: "^\\s*\\S+\\s+(mac|lladdr)\\s.*$",
};

/// A translation.
pub static NAT: Grammar = Grammar {
    name: "translation",
    about: "What leaves by a device gets its address, or what arrives at a port is sent elsewhere.",
    shape: "masquerade out DEVICE [from PLACE] | forward (tcp | udp) PORT to TARGET[:PORT] [in DEVICE]",
    pattern: "^\\s*(masquerade|forward)\\s.*$",
};

/// A filter.
pub static FILTER: Grammar = Grammar {
    name: "filter",
    about: "What is done with packets, which packets, and any of what they must fit.",
    shape: "(accept | drop | reject) (input | output | forward) [from PLACE] [to PLACE] [in DEVICE] [out DEVICE] \
            [(tcp | udp) [PORTS] | icmp] [established]",
    pattern: "^\\s*(accept|drop|reject)\\s+(input|output|forward)(\\s.*)?$",
};

/// A command.
pub static COMMAND: Grammar = Grammar {
    name: "command line",
    about: "A line for the shell, which is waited for.",
    shape: "",
    pattern: "^[^\\u0000]+$",
};

/// A check.
pub static CHECK: Grammar = Grammar {
    name: "check",
    about: "A node, what it tries, and what must come of it. `all` stands for every node, routers too, but not for bridges \
            and the machine.",
    shape: "NODE reaches TARGET [tcp PORT] | NODE must-not-reach TARGET [tcp PORT] | NODE TARGET mtu BYTES | \
            NODE TARGET bandwidth RATE",
    pattern: "^\\s*\\S+\\s+\\S+.*$",
};
