//! Tunnels through IP and UDP: geneve, gre and its kin, ipip, sit, ip6tnl, vti, bareudp; and hsr.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::attr::Builder;
use super::super::codec::BigEndian;
#[cfg(test)]
use super::super::sample::Source;
use super::super::value::Value;
use super::vxlan::PortRange;

attributes! {
    /// A GENEVE tunnel.
    pub struct Geneve ("IFLA_GENEVE_") {
        /// The number of the network (VNI).
        id: Option<u32> = 1,
        /// The other end.
        remote: Option<Ipv4Addr> = 2,
        /// The TTL; 0 is automatic.
        ttl: Option<u8> = 3,
        /// The TOS; 1 is the inner packet's.
        tos: Option<u8> = 4,
        /// The destination port.
        port: Option<u16> as BigEndian = 5,
        /// Whether routes say where to (external).
        collect_metadata: bool = 6,
        /// The other end.
        remote6: Option<Ipv6Addr> = 7,
        /// Whether UDP over IPv4 has a checksum, 0 or 1.
        udp_csum: Option<u8> = 8,
        /// Whether UDP over IPv6 is sent without checksum, 0 or 1.
        udp_zero_csum6_tx: Option<u8> = 9,
        /// Whether UDP over IPv6 is received without checksum, 0 or 1.
        udp_zero_csum6_rx: Option<u8> = 10,
        /// The flow label of IPv6.
        label: Option<u32> as BigEndian = 11,
        /// Whether the TTL is the inner packet's, 0 or 1.
        ttl_inherit: Option<u8> = 12,
        /// Whether packets may be fragmented (`GENEVE_DF_*`).
        df: Option<u8> = 13,
        /// Whether the inner protocol is said (Linux 5.18).
        inner_proto_inherit: bool = 14,
        /// The source ports (Linux 6.16).
        port_range: Option<PortRange> = 15,
        /// Whether the header hints at how to put packets together.
        gro_hint: bool = 16,
        /// This end.
        local: Option<Ipv4Addr> = 17,
        /// This end.
        local6: Option<Ipv6Addr> = 18,
    }
}

attributes! {
    /// A tunnel in GRE: gre, gretap, ip6gre, ip6gretap, erspan, ip6erspan.
    pub struct Gre ("IFLA_GRE_") {
        /// The link below, by its index.
        link: Option<u32> = 1,
        /// Flags of packets received (`GRE_*`).
        iflags: Option<u16> as BigEndian = 2,
        /// Flags of packets sent (`GRE_*`).
        oflags: Option<u16> as BigEndian = 3,
        /// The key of packets received.
        ikey: Option<u32> as BigEndian = 4,
        /// The key of packets sent.
        okey: Option<u32> as BigEndian = 5,
        /// This end.
        local: Option<IpAddr> = 6,
        /// The other end.
        remote: Option<IpAddr> = 7,
        /// The TTL; 0 is the inner packet's.
        ttl: Option<u8> = 8,
        /// The TOS; 1 is the inner packet's.
        tos: Option<u8> = 9,
        /// Whether the path's MTU is found, 0 or 1.
        pmtudisc: Option<u8> = 10,
        /// How many tunnels may be in one another.
        encap_limit: Option<u8> = 11,
        /// The class and flow label of IPv6.
        flowinfo: Option<u32> as BigEndian = 12,
        /// `IP6_TNL_F_*`.
        flags: Option<u32> = 13,
        /// What is around the tunnel (`TUNNEL_ENCAP_*`).
        encap_type: Option<u16> = 14,
        /// `TUNNEL_ENCAP_FLAG_*`.
        encap_flags: Option<u16> = 15,
        /// The source port of what is around.
        encap_sport: Option<u16> as BigEndian = 16,
        /// The destination port of what is around.
        encap_dport: Option<u16> as BigEndian = 17,
        /// Whether routes say where to (external).
        collect_metadata: bool = 18,
        /// Whether the inner packet's "do not fragment" is ignored, 0 or 1.
        ignore_df: Option<u8> = 19,
        /// The firewall mark.
        fwmark: Option<u32> = 20,
        /// ERSPAN: the port.
        erspan_index: Option<u32> = 21,
        /// ERSPAN: the version.
        erspan_ver: Option<u8> = 22,
        /// ERSPAN: the direction.
        erspan_dir: Option<u8> = 23,
        /// ERSPAN: the hardware.
        erspan_hwid: Option<u16> = 24,
    }
}

attributes! {
    /// A tunnel in IP: ipip, sit, ip6tnl.
    pub struct IpTunnel ("IFLA_IPTUN_") {
        /// The link below, by its index.
        link: Option<u32> = 1,
        /// This end.
        local: Option<IpAddr> = 2,
        /// The other end.
        remote: Option<IpAddr> = 3,
        /// The TTL; 0 is the inner packet's.
        ttl: Option<u8> = 4,
        /// The TOS; 1 is the inner packet's.
        tos: Option<u8> = 5,
        /// How many tunnels may be in one another.
        encap_limit: Option<u8> = 6,
        /// The class and flow label of IPv6.
        flowinfo: Option<u32> as BigEndian = 7,
        /// `SIT_ISATAP` or `IP6_TNL_F_*`.
        flags: Option<IpTunnelFlags> = 8,
        /// The inner protocol (`IPPROTO_*`); 0 is any.
        proto: Option<u8> = 9,
        /// Whether the path's MTU is found, 0 or 1.
        pmtudisc: Option<u8> = 10,
        /// 6rd: the prefix.
        sixrd_prefix: Option<Ipv6Addr> = 11 ("6rd_prefix"),
        /// 6rd: the relay's prefix.
        sixrd_relay_prefix: Option<Ipv4Addr> = 12 ("6rd_relay_prefix"),
        /// 6rd: the length of the prefix, in bits.
        sixrd_prefixlen: Option<u16> = 13 ("6rd_prefixlen"),
        /// 6rd: the length of the relay's prefix, in bits.
        sixrd_relay_prefixlen: Option<u16> = 14 ("6rd_relay_prefixlen"),
        /// What is around the tunnel (`TUNNEL_ENCAP_*`).
        encap_type: Option<u16> = 15,
        /// `TUNNEL_ENCAP_FLAG_*`.
        encap_flags: Option<u16> = 16,
        /// The source port of what is around.
        encap_sport: Option<u16> as BigEndian = 17,
        /// The destination port of what is around.
        encap_dport: Option<u16> as BigEndian = 18,
        /// Whether routes say where to (external).
        collect_metadata: bool = 19,
        /// The firewall mark.
        fwmark: Option<u32> = 20,
    }
}

/// The flags of a tunnel: sit writes two bytes, ip6tnl four, both in host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpTunnelFlags {
    /// `SIT_*`, in host byte order for all that the kernel declares.
    Sit(u16),
    /// `IP6_TNL_F_*`.
    Ip6(u32),
}

impl Value for IpTunnelFlags {
    fn decode(payload: &[u8]) -> Option<Self> {
        match payload {
            [a, b] => Some(Self::Sit(u16::from_ne_bytes([*a, *b]))),
            [a, b, c, d] => Some(Self::Ip6(u32::from_ne_bytes([*a, *b, *c, *d]))),
            _ => None,
        }
    }

    fn encode(&self, out: &mut Builder) {
        match self {
            Self::Sit(flags) => out.raw(&flags.to_ne_bytes()),
            Self::Ip6(flags) => out.raw(&flags.to_ne_bytes()),
        }
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        if source.maybe() { Self::Sit(u16::sample(source)) } else { Self::Ip6(u32::sample(source)) }
    }
}

attributes! {
    /// A tunnel in IPsec by addresses: vti, vti6.
    pub struct Vti ("IFLA_VTI_") {
        /// The link below, by its index.
        link: Option<u32> = 1,
        /// The key of packets received.
        ikey: Option<u32> as BigEndian = 2,
        /// The key of packets sent.
        okey: Option<u32> as BigEndian = 3,
        /// This end.
        local: Option<IpAddr> = 4,
        /// The other end.
        remote: Option<IpAddr> = 5,
        /// The firewall mark.
        fwmark: Option<u32> = 6,
    }
}

attributes! {
    /// A tunnel in UDP without a header of its own.
    pub struct Bareudp ("IFLA_BAREUDP_") {
        /// The destination port.
        port: Option<u16> as BigEndian = 1,
        /// The inner protocol.
        ethertype: Option<u16> as BigEndian = 2,
        /// The lowest source port.
        srcport_min: Option<u16> = 3,
        /// Whether the inner protocol may be a related one.
        multiproto_mode: bool = 4,
    }
}

attributes! {
    /// Two links made redundant (HSR, PRP).
    pub struct Hsr ("IFLA_HSR_") {
        /// One link, by its index.
        slave1: Option<u32> = 1,
        /// The other link, by its index.
        slave2: Option<u32> = 2,
        /// The last byte of the supervision address.
        multicast_spec: Option<u8> = 3,
        /// The supervision address.
        supervision_addr: Option<[u8; 6]> = 4,
        /// The sequence number.
        seq_nr: Option<u16> = 5,
        /// The version of HSR.
        version: Option<u8> = 6,
        /// HSR (0) or PRP (1).
        protocol: Option<u8> = 7,
        /// The link to another ring, by its index (Linux 6.10).
        interlink: Option<u32> = 8,
    }
}
