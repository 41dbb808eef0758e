//! A lab as plain data: what a file says once names, counts, templates and automatic addresses are worked out. Pure.
//!
//! A file is read into this and nothing else looks at the file again; what is done to the kernel is worked out from this
//! and from what is there. Names are checked: each node, device, address stands for one thing, each reference leads to one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use vwire_netlink::LinkAddress;

/// A whole lab.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lab {
    /// Its name: letters, digits, `-` and `_`; never a dot, which parts it from a node's name in `/run/netns/LAB.NODE`.
    pub name: String,
    /// Its nodes, in the file's order, those that stand for a bridge on a wire among them.
    pub nodes: Vec<Node>,
    /// What must hold when it is up.
    pub checks: Vec<Check>,
}

/// A part of a file, to name it in errors and in plans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte behind the last.
    pub end: usize,
}

/// A network namespace, or the machine itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    /// Its name in the lab.
    pub name: String,
    /// Whether it is the machine itself (`host`): there, only what the lab makes is the lab's.
    pub is_host: bool,
    /// Whether the file names it no more: it goes once all else is done, and until then is brought back if need be.
    pub leaves: bool,
    /// Whether it came to be because a wire ends at a bridge of this name.
    pub is_bridge: bool,
    /// Its devices, `lo` aside, each after those that it needs (parent, master).
    pub devices: Vec<Device>,
    /// The addresses of its `lo`, beside those that every `lo` has.
    pub loopback: Vec<Interface>,
    /// Its routes, but for those that addresses bring.
    pub routes: Vec<Route>,
    /// Its routing rules.
    pub rules: Vec<Rule>,
    /// Its static neighbours.
    pub neighbours: Vec<StaticNeighbour>,
    /// Sysctls by name with dots, device names inside with `/` for a dot.
    pub sysctls: BTreeMap<String, String>,
    /// What is translated, in the order of the file.
    pub nat: Vec<Nat>,
    /// What is let through, in the order of the file; the first that fits decides.
    pub filters: Vec<Filter>,
    /// What is run once the lab is wired, in the order of the file.
    pub commands: Vec<Command>,
    /// Devices of the machine itself that its routes, rules, translations and filters name, and no lab makes.
    pub outside: Vec<Outside>,
    /// Where the file says so.
    pub span: Span,
}

/// A device that the file names and the lab does not make: the machine's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// Its name.
    pub device: String,
    /// Where the file says so.
    pub span: Span,
}

impl Node {
    /// Returns its addresses, those of its devices before those of `lo`.
    pub fn addresses(&self) -> impl Iterator<Item = &Interface> {
        self.devices.iter().flat_map(|device| &device.addresses).chain(&self.loopback)
    }
}

/// A network device of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Its name: at most 15 bytes, made from `long_name` where that is longer.
    pub name: String,
    /// The name in the file where it is longer than the kernel takes: it becomes an altname.
    pub long_name: Option<String>,
    /// What it is.
    pub kind: DeviceKind,
    /// The bridge of the same node that it is a port of.
    pub master: Option<String>,
    /// Its addresses, the automatic ones worked out.
    pub addresses: Vec<Interface>,
    /// Its link-layer address, if the file says one.
    pub mac: Option<LinkAddress>,
    /// Its MTU in bytes, if the file says one.
    pub mtu: Option<u32>,
    /// Whether it is set up; so unless the file says `up = false`.
    pub up: bool,
    /// VLANs of a port of a VLAN-aware bridge.
    pub vlans: Option<PortVlans>,
    /// What is done to packets that leave through it.
    pub condition: Option<Condition>,
    /// Where the file says so.
    pub span: Span,
}

/// What a device is, and what only that has.
#[derive(Debug, Clone, PartialEq)]
pub enum DeviceKind {
    /// One end of a cable; the other is in `node`, called `device` there.
    Veth {
        /// The other end's node.
        node: String,
        /// The other end's device.
        device: String,
    },
    /// A bridge.
    Bridge {
        /// Whether it tells VLANs apart.
        vlan_aware: bool,
        /// Whether it speaks the spanning tree protocol.
        stp: bool,
    },
    /// A TAP or, for layer 3, a TUN device, that stays.
    Tuntap {
        /// TAP, or else TUN.
        tap: bool,
        /// The user that may open it.
        owner: Option<u32>,
        /// The group that may open it.
        group: Option<u32>,
        /// More than one queue.
        multi_queue: bool,
        /// Packets are headed by a vnet header.
        vnet_hdr: bool,
        /// Packets are headed by packet information (not `no_pi`).
        packet_info: bool,
    },
    /// A macvlan, or a macvtap.
    Macvlan {
        /// The device below.
        parent: Parent,
        /// `MACVLAN_MODE_*` by the name that `ip` has for it.
        mode: MacvlanMode,
        /// A macvtap: with a character device.
        tap: bool,
    },
    /// A VXLAN.
    Vxlan {
        /// Its number.
        vni: u32,
        /// Where unknown destinations go: the other end, or a multicast group.
        remote: Vec<IpAddr>,
        /// The address to send from.
        local: Option<IpAddr>,
        /// The UDP port, 4789 unless said.
        port: u16,
        /// The device below, in the same node.
        parent: Option<String>,
        /// Whether senders are learned.
        learning: bool,
    },
    /// A device that swallows what it is sent.
    Dummy,
    /// One VLAN of a device.
    Vlan {
        /// The device below.
        parent: Parent,
        /// Its number, 1 to 4094.
        id: u16,
    },
}

impl DeviceKind {
    /// Returns the device that a macvlan or a VLAN stands on.
    #[must_use]
    pub fn parent(&self) -> Option<&Parent> {
        match self {
            Self::Macvlan { parent, .. } | Self::Vlan { parent, .. } => Some(parent),
            _ => None,
        }
    }
}

/// The device that another stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// The node that it is in; none for the same one.
    pub node: Option<String>,
    /// Its name there.
    pub device: String,
    /// Where the file says so.
    pub span: Span,
}

impl std::fmt::Display for Parent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.node {
            Some(node) => write!(f, "{node}:{}", self.device),
            None => f.write_str(&self.device),
        }
    }
}

/// How macvlans of one parent reach one another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MacvlanMode {
    /// Not at all.
    Private,
    /// By the switch that the parent is plugged into.
    Vepa,
    /// Directly.
    #[default]
    Bridge,
    /// The only one, with the parent's address.
    Passthru,
}

/// An address with its prefix, as a device has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interface {
    /// The address.
    pub address: IpAddr,
    /// The prefix's length in bits.
    pub prefix_length: u8,
    /// The other end's address, on a point-to-point device.
    pub peer: Option<IpAddr>,
}

/// A network: an address whose bits behind the prefix are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// The first address.
    pub address: IpAddr,
    /// The prefix's length in bits.
    pub length: u8,
}

/// A route.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Where to; `0.0.0.0/0` or `::/0` for the default.
    pub to: Prefix,
    /// What is done with packets.
    pub action: RouteAction,
    /// The metric; the kernel's own choice if not said.
    pub metric: Option<u32>,
    /// The table; `main` if not said.
    pub table: Option<u32>,
    /// The address to send from.
    pub source: Option<IpAddr>,
    /// The MTU of the path in bytes.
    pub mtu: Option<u32>,
    /// Where the file says so.
    pub span: Span,
}

/// What is done with packets that a route fits.
#[derive(Debug, Clone, PartialEq)]
pub enum RouteAction {
    /// They are sent on, one next hop a packet's flow.
    Via(Vec<Hop>),
    /// They are dropped.
    Blackhole,
    /// They are refused as unreachable.
    Unreachable,
    /// They are refused as forbidden.
    Prohibit,
}

/// A next hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The gateway.
    pub gateway: Option<IpAddr>,
    /// The device; the kernel finds it by the gateway if not said.
    pub device: Option<String>,
    /// Its weight among several, 1 to 256.
    pub weight: u16,
    /// Whether the gateway is taken to be on the device's link.
    pub onlink: bool,
}

/// A routing rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    /// IPv6, or else IPv4.
    pub ipv6: bool,
    /// Its place among the rules.
    pub priority: Option<u32>,
    /// Packets from here.
    pub from: Option<Prefix>,
    /// Packets to there.
    pub to: Option<Prefix>,
    /// Packets that came in through this device.
    pub iif: Option<String>,
    /// Packets of sockets that are bound to this device.
    pub oif: Option<String>,
    /// Packets with this mark, under this mask.
    pub fwmark: Option<(u32, u32)>,
    /// The table that is looked up.
    pub table: u32,
    /// Where the file says so.
    pub span: Span,
}

/// A neighbour that is not asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct StaticNeighbour {
    /// Its address.
    pub address: IpAddr,
    /// Its link-layer address.
    pub mac: LinkAddress,
    /// The device it is behind.
    pub device: String,
    /// Where the file says so.
    pub span: Span,
}

/// How addresses are translated.
#[derive(Debug, Clone, PartialEq)]
pub enum Nat {
    /// What leaves through this device gets its address (`masquerade`).
    Masquerade {
        /// The device.
        out: String,
        /// Only packets from here.
        from: Option<Prefix>,
    },
    /// What arrives at a port is sent to another address (`dnat`).
    Forward {
        /// The device that it arrives by; any if not said.
        device: Option<String>,
        /// TCP or UDP.
        protocol: Transport,
        /// The port that it arrives at.
        port: u16,
        /// Where it is sent to.
        to: IpAddr,
        /// The port that it is sent to.
        to_port: u16,
    },
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Packets that are let through or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// Which packets are looked at.
    pub hook: Hook,
    /// What is done with them.
    pub verdict: Verdict,
    /// Packets from here.
    pub from: Option<Prefix>,
    /// Packets to there.
    pub to: Option<Prefix>,
    /// Packets that came in through this device.
    pub iif: Option<String>,
    /// Packets that leave through this device.
    pub oif: Option<String>,
    /// The protocol.
    pub protocol: Option<FilterProtocol>,
    /// The destination ports, first and last.
    pub ports: Option<(u16, u16)>,
    /// Only packets of flows that were let through before (`ct state established,related`).
    pub established: bool,
    /// Where the file says so.
    pub span: Span,
}

/// Which packets a filter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hook {
    /// Those for the node itself.
    Input,
    /// Those from the node itself.
    Output,
    /// Those that it passes on.
    Forward,
}

/// What is done with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Accept,
    /// It is gone.
    Drop,
    /// It is refused with an ICMP message.
    Reject,
}

/// What a filter can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterProtocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP, of IPv6 too.
    Icmp,
}

/// VLANs of a port of a bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortVlans {
    /// The VLAN of packets without a tag.
    pub access: Option<u16>,
    /// The VLANs of packets with a tag, first and last of each range.
    pub trunk: Vec<(u16, u16)>,
}

/// What is done to packets that leave through a device.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Condition {
    /// How long each is held.
    pub delay: Option<Duration>,
    /// By how much that varies.
    pub jitter: Option<Duration>,
    /// How many are lost, in percent.
    pub loss: Option<f64>,
    /// How many are sent twice, in percent.
    pub duplicate: Option<f64>,
    /// How many overtake others, in percent.
    pub reorder: Option<f64>,
    /// How many bits go through, in bits a second.
    pub rate: Option<u64>,
    /// For how long packets wait for the rate before they are lost.
    pub queue: Option<Duration>,
}

/// A command that is run in a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The program and its arguments; one shell line is `["sh", "-c", line]`.
    pub argv: Vec<String>,
    /// Whether it goes on running while the lab is up, or else is waited for.
    pub background: bool,
    /// What must succeed before the lab is up, tried again until `ready_within`.
    pub ready: Option<Vec<String>>,
    /// How long it may take until it has ended, or is ready.
    pub within: Duration,
    /// Where the file says so.
    pub span: Span,
}

/// What must hold when the lab is up.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The node that tries.
    pub from: String,
    /// The addresses that it tries, all of which count: of a node one of each family that both have, or
    /// all where it must not be reached.
    pub to: Vec<IpAddr>,
    /// It in the words of the file, of this node and that one alone.
    pub words: String,
    /// What must hold.
    pub expect: Expect,
    /// Where the file says so.
    pub span: Span,
}

/// What a check expects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expect {
    /// A ping is answered, or a TCP connection to this port comes about.
    Reach(Option<u16>),
    /// It is not.
    MustNotReach(Option<u16>),
    /// Packets of this many bytes go through undivided.
    Mtu(u32),
    /// At least this many bits a second go through.
    BandwidthAtLeast(u64),
}
