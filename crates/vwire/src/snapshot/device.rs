//! One network device as a person thinks of it: what it is, how it is, what it is joined to.
//!
//! Pure: [`join`] puts together what the namespaces said, [`Device`]'s methods put it into words.

use std::collections::HashMap;

use vwire_netlink::wire::link::KindData;
use vwire_netlink::{Address, Link};

/// `IFF_UP`.
const UP: u32 = 1;
/// `IFF_LOOPBACK`.
const LOOPBACK: u32 = 8;
/// `IFF_LOWER_UP`: there is a carrier.
const LOWER_UP: u32 = 0x10000;
/// `IFF_DORMANT`.
const DORMANT: u32 = 0x20000;
/// `IFF_TAP`, as `IFLA_TUN_TYPE` has it.
const TAP: u8 = 2;

/// The words for `IF_OPER_*` (RFC 2863, `linux/if.h`), as `ip` spells them.
pub const OPERSTATES: [&str; 7] = ["UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"];

/// What one namespace said.
#[derive(Debug, Clone, Default)]
pub struct NamespacePart {
    /// The name to show: `blue`, `pid 812 (dnsmasq)`; empty for the caller's own.
    pub name: String,
    /// The inode of the namespace, which tells namespaces apart.
    pub inode: u64,
    /// Its links.
    pub links: Vec<Link>,
    /// Its addresses.
    pub addresses: Vec<Address>,
    /// The inodes of other namespaces by the id that this one has for them.
    pub ids: HashMap<i32, u64>,
    /// What could not be read, in words.
    pub missing: Vec<String>,
}

/// A process that holds a queue of a TUN or TAP device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The device's name.
    pub device: Vec<u8>,
    /// The inode of the device's namespace.
    pub namespace: u64,
    /// The process.
    pub pid: u32,
    /// The process's name.
    pub command: String,
}

/// Where the other end of a device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtherEnd {
    /// A device that is seen.
    Seen {
        /// The device's name.
        device: String,
        /// The namespace's name, if it is another one.
        namespace: Option<String>,
        /// Whether that end is up.
        up: bool,
    },
    /// A device of this index in a namespace that has this id here, but is not seen.
    Unseen {
        /// The index over there.
        index: u32,
        /// The id.
        namespace_id: i32,
    },
}

/// A process and how many queues it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The process's name.
    pub command: String,
    /// How many queues of the device it holds.
    pub queues: usize,
}

/// A device and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The link.
    pub link: Link,
    /// Its addresses, `ADDRESS/LENGTH`.
    pub addresses: Vec<String>,
    /// The name of the bridge, bond or VRF it is a port of.
    pub master: Option<String>,
    /// A veth's or netkit's peer, or the device that this one is on.
    pub other_end: Option<OtherEnd>,
    /// The processes that hold its queues.
    pub holders: Vec<Holder>,
    /// For a bridge: how many ports, and how many of them with a carrier.
    pub ports: Option<(usize, usize)>,
}

/// Puts together the devices of the namespace at `index` of `parts`, in the order of their indexes.
#[must_use]
pub fn join(parts: &[NamespacePart], index: usize, holdings: &[Holding]) -> Vec<Device> {
    let Some(part) = parts.get(index) else { return Vec::new() };
    let mut devices: Vec<Device> = part.links.iter().map(|link| join_one(parts, part, link, holdings)).collect();
    devices.sort_by_key(|device| device.link.index);
    devices
}

fn join_one(parts: &[NamespacePart], part: &NamespacePart, link: &Link, holdings: &[Holding]) -> Device {
    let of_this = part.addresses.iter().filter(|address| address.index == link.index);
    let name_of = |index: u32| part.links.iter().find(|other| other.index == index).map(name);
    Device {
        addresses: of_this.filter_map(address_text).collect(),
        master: link.master.map(|index| name_of(index).unwrap_or_else(|| format!("if{index}"))),
        other_end: other_end(parts, part, link),
        holders: holders_of(part, link, holdings),
        ports: (link.kind() == Some("bridge")).then(|| ports_of(part, link.index)),
        link: link.clone(),
    }
}

fn address_text(address: &Address) -> Option<String> {
    let ip = address.local.or(address.address)?;
    match address.address.filter(|peer| *peer != ip) {
        Some(peer) => Some(format!("{ip} peer {peer}/{}", address.prefixlen)),
        None => Some(format!("{ip}/{}", address.prefixlen)),
    }
}

fn other_end(parts: &[NamespacePart], part: &NamespacePart, link: &Link) -> Option<OtherEnd> {
    let index = link.link.filter(|index| *index != 0)?;
    let there = match link.link_netnsid {
        None => Some(part),
        Some(id) => part.ids.get(&id).and_then(|inode| parts.iter().find(|other| other.inode == *inode)),
    };
    let seen = there.and_then(|there| Some((there, there.links.iter().find(|other| other.index == index)?)));
    Some(match seen {
        Some((there, other)) => OtherEnd::Seen {
            device: name(other),
            namespace: (there.inode != part.inode).then(|| shown_namespace(&there.name)),
            up: other.flags & UP != 0,
        },
        None => OtherEnd::Unseen { index, namespace_id: link.link_netnsid.unwrap_or(-1) },
    })
}

/// Returns a namespace's name for a sentence; the caller's own has none.
fn shown_namespace(name: &str) -> String {
    if name.is_empty() { "this namespace".to_owned() } else { name.to_owned() }
}

fn holders_of(part: &NamespacePart, link: &Link, holdings: &[Holding]) -> Vec<Holder> {
    let name = link.ifname.as_ref().map(|name| name.as_bytes()).unwrap_or_default();
    let mut holders: Vec<Holder> = Vec::new();
    for holding in holdings.iter().filter(|holding| holding.namespace == part.inode && holding.device == name) {
        match holders.iter_mut().find(|holder| holder.pid == holding.pid) {
            Some(holder) => holder.queues += 1,
            None => holders.push(Holder { pid: holding.pid, command: holding.command.clone(), queues: 1 }),
        }
    }
    holders
}

fn ports_of(part: &NamespacePart, bridge: u32) -> (usize, usize) {
    let ports = part.links.iter().filter(|link| link.master == Some(bridge));
    ports.fold((0, 0), |(all, live), port| (all + 1, live + usize::from(port.flags & LOWER_UP != 0)))
}

fn name(link: &Link) -> String {
    link.ifname.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// How a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It is up and has a carrier.
    Up,
    /// It is up and carries nothing.
    Waiting,
    /// It is down.
    Down,
}

impl Device {
    /// Returns the device's name.
    #[must_use]
    pub fn name(&self) -> String {
        name(&self.link)
    }

    /// Returns what the device is: `tap`, `veth`, `loopback`, `physical (virtio_net …)`.
    #[must_use]
    pub fn kind(&self) -> String {
        match (self.link.kind(), self.link.kind_data()) {
            (Some("tun"), Some(KindData::Tun(tun))) => if tun.r#type == Some(TAP) { "tap" } else { "tun" }.to_owned(),
            (Some(kind), _) => kind.to_owned(),
            (None, _) if self.link.flags & LOOPBACK != 0 => "loopback".to_owned(),
            (None, _) => "physical".to_owned(),
        }
    }

    /// Returns whether the device is made of software alone.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        self.link.kind().is_some() || self.link.flags & LOOPBACK != 0
    }

    /// Returns the bus and the place of the hardware, where there is any: `pci 0000:00:04.0`.
    #[must_use]
    pub fn hardware(&self) -> Option<String> {
        let name = self.link.parent_dev_name.as_ref()?.to_string();
        Some(match &self.link.parent_dev_bus_name {
            Some(bus) => format!("{bus} {name}"),
            None => name,
        })
    }

    /// Returns how the device is.
    #[must_use]
    pub fn health(&self) -> Health {
        match (self.link.flags & UP != 0, self.link.flags & LOWER_UP != 0) {
            (false, _) => Health::Down,
            (true, false) => Health::Waiting,
            (true, true) if self.link.flags & DORMANT != 0 => Health::Waiting,
            (true, true) => Health::Up,
        }
    }

    /// Puts the device's state into words: the state, and why it is so where that is known.
    #[must_use]
    pub fn state(&self) -> String {
        let unopened = matches!(self.kind().as_str(), "tun" | "tap") && self.holders.is_empty();
        let held_down = self.link.proto_down.is_some_and(|down| down != 0);
        match self.health() {
            Health::Up => "up".to_owned(),
            Health::Down if unopened && !self.queue_is_open() => "down, and nobody has opened it".to_owned(),
            Health::Down => "down".to_owned(),
            Health::Waiting if held_down => "up, but a protocol holds it down (protodown)".to_owned(),
            Health::Waiting if unopened && !self.queue_is_open() => "up, but nobody has opened it".to_owned(),
            Health::Waiting => match self.reason_to_wait() {
                Some(reason) => format!("up, but {reason}"),
                None => "up, but there is no carrier".to_owned(),
            },
        }
    }

    /// Returns whether some queue is open whose process is not seen: the carrier tells.
    fn queue_is_open(&self) -> bool {
        self.link.carrier == Some(1)
    }

    fn reason_to_wait(&self) -> Option<String> {
        match (&self.other_end, self.ports) {
            (Some(OtherEnd::Seen { device, namespace, up: false }), _) => Some(match namespace {
                Some(namespace) => format!("{device} in {namespace} is down"),
                None => format!("{device} is down"),
            }),
            (_, Some((0, _))) => Some("it has no ports".to_owned()),
            (_, Some((_, 0))) => Some("none of its ports has a carrier".to_owned()),
            _ if self.link.flags & DORMANT != 0 => Some("it waits for a protocol (dormant)".to_owned()),
            _ => None,
        }
    }

    /// Puts the other end into words: `ep2`, `ep2 in blue`, `index 7 in namespace id 0`.
    #[must_use]
    pub fn other_end_text(&self) -> Option<String> {
        Some(match self.other_end.as_ref()? {
            OtherEnd::Seen { device, namespace: None, .. } => device.clone(),
            OtherEnd::Seen { device, namespace: Some(namespace), .. } => format!("{device} in {namespace}"),
            OtherEnd::Unseen { index, namespace_id: ..=-1 } => format!("index {index} in a namespace without an id"),
            OtherEnd::Unseen { index, namespace_id } => format!("index {index} in namespace id {namespace_id}"),
        })
    }

    /// Puts the holders into words: `qemu-system-x86 (pid 812), 2 queues`.
    #[must_use]
    pub fn holder_texts(&self) -> Vec<String> {
        let text = |holder: &Holder| {
            let queues = if holder.queues == 1 { String::new() } else { format!(", {} queues", holder.queues) };
            format!("{} (pid {}){queues}", holder.command, holder.pid)
        };
        self.holders.iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vwire_netlink::wire::link::tun::Tun;

    fn link(name: &str, index: u32, flags: u32) -> Link {
        Link { index, flags, ..Link::named(name.parse().unwrap()) }
    }

    fn tap(name: &str, index: u32, flags: u32) -> Link {
        let mut tap = link(name, index, flags);
        tap.set_kind("tun", Some(Tun { r#type: Some(TAP), ..Tun::default() }.into()));
        tap
    }

    fn veth(name: &str, index: u32, flags: u32, peer: u32, id: Option<i32>) -> Link {
        let mut veth = Link { link: Some(peer), link_netnsid: id, ..link(name, index, flags) };
        veth.set_kind("veth", None);
        veth
    }

    fn part(name: &str, inode: u64, links: Vec<Link>) -> NamespacePart {
        NamespacePart { name: name.to_owned(), inode, links, ..NamespacePart::default() }
    }

    #[test]
    fn a_tap_that_nobody_has_opened_says_so() {
        let here = part("", 1, vec![tap("tap0", 2, 0), tap("tap1", 3, UP)]);
        let devices = join(&[here], 0, &[]);
        assert_eq!(devices[0].kind(), "tap");
        assert_eq!(devices[0].state(), "down, and nobody has opened it");
        assert_eq!(devices[1].state(), "up, but nobody has opened it");
    }

    #[test]
    fn the_process_that_holds_a_queue_is_named() {
        let here = part("", 1, vec![tap("tap0", 2, UP | LOWER_UP)]);
        let holding =
            Holding { device: b"tap0".to_vec(), namespace: 1, pid: 812, command: "qemu-system-x86".to_owned() };
        let elsewhere = Holding { namespace: 9, pid: 1, ..holding.clone() };
        let devices = join(&[here], 0, &[holding.clone(), holding, elsewhere]);
        assert_eq!(devices[0].holder_texts(), ["qemu-system-x86 (pid 812), 2 queues"]);
        assert_eq!(devices[0].state(), "up");
    }

    #[test]
    fn a_peer_in_another_namespace_is_found_by_its_id() {
        let mut here = part("", 1, vec![veth("ep1", 2, UP, 2, Some(0))]);
        here.ids.insert(0, 7);
        let blue = part("blue", 7, vec![veth("ep2", 2, 0, 2, Some(0))]);
        let devices = join(&[here.clone(), blue], 0, &[]);
        assert_eq!(devices[0].other_end_text().unwrap(), "ep2 in blue");
        assert_eq!(devices[0].state(), "up, but ep2 in blue is down");
        let alone = join(&[here], 0, &[]);
        assert_eq!(alone[0].other_end_text().unwrap(), "index 2 in namespace id 0");
    }

    #[test]
    fn a_bridge_tells_of_its_ports() {
        let mut bridge = link("br0", 2, UP);
        bridge.set_kind("bridge", None);
        let port = Link { master: Some(2), ..link("p0", 3, UP) };
        let devices = join(&[part("", 1, vec![bridge.clone()])], 0, &[]);
        assert_eq!(devices[0].state(), "up, but it has no ports");
        let devices = join(&[part("", 1, vec![bridge, port])], 0, &[]);
        assert_eq!(devices[0].state(), "up, but none of its ports has a carrier");
        assert_eq!(devices[1].master.as_deref(), Some("br0"));
        assert_eq!(devices[1].kind(), "physical");
    }
}
