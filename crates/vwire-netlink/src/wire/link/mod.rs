//! Links: `RTM_NEWLINK`, `RTM_DELLINK`, `RTM_GETLINK`, `RTM_SETLINK`.
//!
//! [`Link`] is both what the kernel says and what a request asks for: a request fills the fields that it wants.
//! What depends on the kind of link is in [`KindData`] and [`SlaveData`], one file per kind.

pub mod af;
pub mod bond;
pub mod bridge;
pub mod info;
pub mod ipvlan;
pub mod macvlan;
pub mod netkit;
pub mod security;
pub mod stats;
pub mod tun;
pub mod tunnel;
pub mod veth;
pub mod vf;
pub mod vlan;
pub mod vrf;
pub mod vxlan;

pub use af::{AfInet, AfInet6, AfSpec, Inet6CacheInfo};
pub use info::{KindData, LinkInfo, SlaveData};
pub use stats::{LinkMap, Stats, Stats64};
pub use vf::{VfInfo, VfInfoList};

use super::attr::Attributes;
use super::codec::{Uint, Unterminated};
use super::nest::RawNest;
use super::text::Text;
use super::{Body, MalformedBody};
use crate::name::{IfIndex, IfName, LinkAddress};

/// The number of `IFLA_STATS`.
const STATS: u16 = 7;
/// The number of `IFLA_AF_SPEC`.
const AF_SPEC: u16 = 26;

attributes! {
    /// A link (`struct ifinfomsg` and `IFLA_*`).
    pub struct Link ("IFLA_") after {
        /// `AF_UNSPEC`; `AF_BRIDGE` and `AF_INET6` send messages of their own, see [`crate::wire::bridge`].
        family: u8 [1],
        /// What is on the wire (`ARPHRD_*`).
        link_type: u16,
        /// The index; 0 in a request that names the link, or leaves the choice to the kernel.
        index: u32,
        /// `IFF_*`.
        flags: u32,
        /// Which of `flags` a request sets.
        change: u32,
    } {
        /// The hardware address.
        address: Option<LinkAddress> = 1,
        /// The hardware address of everyone; a tunnel's remote end.
        broadcast: Option<LinkAddress> = 2,
        /// The name.
        ifname: Option<IfName> = 3,
        /// The longest packet, in bytes.
        mtu: Option<u32> = 4,
        /// The link this one is on, or a veth's peer: an index in the namespace `link_netnsid`; 0 is none.
        link: Option<u32> = 5,
        /// The queueing discipline of the root.
        qdisc: Option<Text> = 6,
        /// The counters that wrap at 32 bits.
        stats: Option<Box<Stats>> = 7,
        /// The bridge, bond or VRF this link is a port of; 0 in a request releases it.
        master: Option<u32> = 10,
        /// What a protocol says in a message of its own family.
        protinfo: Option<RawNest> = 12,
        /// The length of the transmit queue, in packets.
        txqlen: Option<u32> = 13,
        /// Where the hardware is.
        map: Option<LinkMap> = 14,
        /// Not used by the kernel.
        weight: Option<u32> = 15,
        /// The state of RFC 2863 (`IF_OPER_*`).
        operstate: Option<u8> = 16,
        /// How the state moves (`IF_LINK_MODE_*`).
        linkmode: Option<u8> = 17,
        /// The kind and what goes with it.
        linkinfo: Option<Box<LinkInfo>> = 18,
        /// A request moves the link to the namespace of this process.
        net_ns_pid: Option<u32> = 19,
        /// A free text; empty in a request deletes it.
        ifalias: Option<Text> as Unterminated = 20,
        /// How many virtual functions the device has.
        num_vf: Option<u32> = 21,
        /// The virtual functions.
        vfinfo_list: Option<Box<VfInfoList>> = 22,
        /// The counters.
        stats64: Option<Box<Stats64>> = 23,
        /// 802.1Qbg ports of the virtual functions.
        vf_ports: Option<RawNest> = 24,
        /// The 802.1Qbg port of the device.
        port_self: Option<RawNest> = 25,
        /// What the address families say.
        af_spec: Option<Box<AfSpec>> = 26,
        /// The group; a request that deletes a group deletes all its links at once.
        group: Option<u32> = 27,
        /// A request moves the link to the namespace of this file descriptor.
        net_ns_fd: Option<u32> = 28,
        /// What a dump request wants (`RTEXT_FILTER_*`).
        ext_mask: Option<u32> = 29,
        /// How many want all packets.
        promiscuity: Option<u32> = 30,
        /// How many transmit queues.
        num_tx_queues: Option<u32> = 31,
        /// How many receive queues.
        num_rx_queues: Option<u32> = 32,
        /// Whether there is a carrier, 0 or 1.
        carrier: Option<u8> = 33,
        /// An id of the port that the device's functions share.
        phys_port_id: Option<Box<[u8]>> = 34,
        /// How often the carrier came or went.
        carrier_changes: Option<u32> = 35,
        /// An id of the switch that the port is on.
        phys_switch_id: Option<Box<[u8]>> = 36,
        /// The id of the namespace that `link` is in, if it is another one.
        link_netnsid: Option<i32> = 37,
        /// The name of the port on the device.
        phys_port_name: Option<Text> = 38,
        /// Whether a protocol holds the link down, 0 or 1.
        proto_down: Option<u8> = 39,
        /// The most segments in a packet that hardware will cut.
        gso_max_segs: Option<u32> = 40,
        /// The longest packet that hardware will cut, in bytes.
        gso_max_size: Option<u32> = 41,
        /// The XDP programs.
        xdp: Option<Box<Xdp>> = 43,
        /// Why a notification was sent (`IFLA_EVENT_*`).
        event: Option<u32> = 44,
        /// The id of the namespace that the link has gone to.
        new_netnsid: Option<i32> = 45,
        /// The id of the namespace that a request is about.
        target_netnsid: Option<i32> = 46,
        /// How often the carrier came.
        carrier_up_count: Option<u32> = 47,
        /// How often the carrier went.
        carrier_down_count: Option<u32> = 48,
        /// The index in the namespace that the link goes to, or has gone to.
        new_ifindex: Option<u32> = 49,
        /// The smallest MTU, in bytes.
        min_mtu: Option<u32> = 50,
        /// The largest MTU, in bytes; 0 is no limit.
        max_mtu: Option<u32> = 51,
        /// Properties, of which there is one: other names.
        prop_list: Option<Box<PropList>> = 52,
        /// Another name, by which a request finds the link.
        alt_ifname: Option<Text> = 53,
        /// The hardware address that the device was made with.
        perm_address: Option<LinkAddress> = 54,
        /// Which protocols hold the link down.
        proto_down_reason: Option<ProtoDownReason> = 55,
        /// The device that the link is of, as `0000:00:04.0`.
        parent_dev_name: Option<Text> = 56,
        /// The bus which that device is on, as `pci`.
        parent_dev_bus_name: Option<Text> = 57,
        /// The longest packet that is put together on receiving, in bytes.
        gro_max_size: Option<u32> = 58,
        /// The longest packet that hardware can cut, in bytes.
        tso_max_size: Option<u32> = 59,
        /// The most segments that hardware can cut a packet into.
        tso_max_segs: Option<u32> = 60,
        /// How many want all multicast packets.
        allmulti: Option<u32> = 61,
        /// The devlink port.
        devlink_port: Option<RawNest> = 62,
        /// `gso_max_size` for IPv4 (Linux 6.3).
        gso_ipv4_max_size: Option<u32> = 63,
        /// `gro_max_size` for IPv4 (Linux 6.3).
        gro_ipv4_max_size: Option<u32> = 64,
        /// The clock's pin (Linux 6.7).
        dpll_pin: Option<RawNest> = 65,
        /// How far ahead the device can pace, in nanoseconds (Linux 6.13).
        max_pacing_offload_horizon: Option<u64> as Uint = 66,
        /// Whether the link cannot leave its namespace, 0 or 1 (Linux 6.15).
        netns_immutable: Option<u8> = 67,
        /// Bytes kept free before a packet (Linux 6.18).
        headroom: Option<u16> = 68,
        /// Bytes kept free after a packet (Linux 6.18).
        tailroom: Option<u16> = 69,
        ; also {
            8 = "COST",
            9 = "PRIORITY",
            11 = "WIRELESS",
            42 = "PAD",
        }
    }
}

impl Link {
    /// Returns a link with a name and nothing else.
    pub fn named(name: IfName) -> Self {
        Self { ifname: Some(name), ..Self::default() }
    }

    /// Returns a link with an index and nothing else.
    pub fn with_index(index: IfIndex) -> Self {
        Self { index: index.get(), ..Self::default() }
    }

    /// Sets the kind and what goes with it.
    pub fn set_kind(&mut self, kind: &str, data: Option<KindData>) -> &mut Self {
        let info = self.linkinfo.get_or_insert_default();
        info.kind = Some(kind.into());
        info.data = data;
        self
    }

    /// Sets some flags and clears others (`IFF_*`).
    pub fn set_flags(&mut self, mask: u32, value: u32) -> &mut Self {
        self.change |= mask;
        self.flags = self.flags & !mask | value & mask;
        self
    }

    /// Sets how IPv6 makes addresses by itself (`IN6_ADDR_GEN_MODE_*`).
    pub fn set_addr_gen_mode(&mut self, mode: u8) -> &mut Self {
        let families = self.af_spec.get_or_insert_default();
        families.inet6.get_or_insert_default().addr_gen_mode = Some(mode);
        self
    }

    /// Reads a link as [`Body::parse`] and [`Link::shed`] would, without reading first what is dropped then: for a
    /// list of thousands that is a third of the work.
    ///
    /// # Errors
    ///
    /// [`MalformedBody`] as `parse`.
    pub fn parse_shed(payload: &[u8]) -> Result<Self, MalformedBody> {
        let mut link = Self::default();
        let mut bytes = payload;
        let short = MalformedBody::ShortHeader { length: payload.len(), needed: Self::HEADER_LEN };
        link.read_header(&mut bytes).ok_or(short)?;
        let mut attributes = Attributes::new(bytes);
        for attribute in attributes.by_ref() {
            let taken = match attribute.number() {
                STATS => true,
                AF_SPEC if link.af_spec.is_none() => {
                    link.af_spec = AfSpec::decode_shed(attribute.payload()).map(Box::new);
                    link.af_spec.is_some()
                }
                _ => link.take(&attribute),
            };
            if !taken {
                link.other.push(attribute.to_raw());
            }
        }
        match attributes.rest().len() {
            0 => {
                link.shed();
                Ok(link)
            }
            left => Err(MalformedBody::Attribute { left }),
        }
    }

    /// Drops what has a better place: the counters that wrap and those of IPv6, and the sysctls, which
    /// `RTM_GETNETCONF` and /proc have by name; and the word that there is no XDP program.
    pub fn shed(&mut self) -> &mut Self {
        self.stats = None;
        self.xdp.take_if(|xdp| xdp.attached == Some(0) && xdp.prog_id.is_none());
        if let Some(families) = &mut self.af_spec {
            families.inet = None;
            if let Some(inet6) = &mut families.inet6 {
                (inet6.conf, inet6.stats, inet6.icmp6stats) = (None, None, None);
            }
        }
        self
    }

    /// Returns the index as a type that is never 0.
    pub fn if_index(&self) -> Option<IfIndex> {
        IfIndex::new(self.index)
    }

    /// Returns the kind, as `veth`; hardware and `lo` have none.
    pub fn kind(&self) -> Option<&str> {
        self.linkinfo.as_ref()?.kind.as_ref()?.as_str()
    }

    /// Returns what goes with the kind.
    pub fn kind_data(&self) -> Option<&KindData> {
        self.linkinfo.as_ref()?.data.as_ref()
    }

    /// Returns the kind of the link's master, as `bridge`.
    pub fn slave_kind(&self) -> Option<&str> {
        self.linkinfo.as_ref()?.slave_kind.as_ref()?.as_str()
    }

    /// Returns what the master says of this link.
    pub fn slave_data(&self) -> Option<&SlaveData> {
        self.linkinfo.as_ref()?.slave_data.as_ref()
    }

    /// Returns the other names.
    pub fn alt_names(&self) -> &[Text] {
        self.prop_list.as_ref().map_or(&[], |list| &list.alt_ifname)
    }

    /// Returns how IPv6 makes addresses by itself (`IN6_ADDR_GEN_MODE_*`).
    pub fn addr_gen_mode(&self) -> Option<u8> {
        self.af_spec.as_ref()?.inet6.as_ref()?.addr_gen_mode
    }
}

attributes! {
    /// The properties of a link (`IFLA_PROP_LIST`).
    pub struct PropList ("IFLA_") {
        /// Other names, of up to 127 bytes.
        alt_ifname: Vec<Text> = 53,
    }
}

attributes! {
    /// Which protocols hold a link down (`IFLA_PROTO_DOWN_REASON`).
    pub struct ProtoDownReason ("IFLA_PROTO_DOWN_REASON_") {
        /// Which bits a request sets.
        mask: Option<u32> = 1,
        /// The bits.
        value: Option<u32> = 2,
    }
}

attributes! {
    /// The XDP programs of a link (`IFLA_XDP`).
    pub struct Xdp ("IFLA_XDP_") {
        /// A request attaches the program of this file descriptor; -1 detaches.
        fd: Option<i32> = 1,
        /// Where a program is (`XDP_ATTACHED_*`).
        attached: Option<u8> = 2,
        /// How a request attaches (`XDP_FLAGS_*`).
        flags: Option<u32> = 3,
        /// The id of the program, if there is one.
        prog_id: Option<u32> = 4,
        /// The id of the program in the driver.
        drv_prog_id: Option<u32> = 5,
        /// The id of the program in the stack.
        skb_prog_id: Option<u32> = 6,
        /// The id of the program in hardware.
        hw_prog_id: Option<u32> = 7,
        /// The program that a request replaces.
        expected_fd: Option<i32> = 8,
    }
}
