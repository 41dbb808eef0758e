//! Routes: `RTM_NEWROUTE`, `RTM_DELROUTE`, `RTM_GETROUTE`.

use std::net::IpAddr;

use super::Body;
use super::attr::{Builder, aligned};
use super::codec::BigEndian;
use super::nest::RawNest;
#[cfg(test)]
use super::sample::Source;
use super::text::Text;
use super::value::{Fixed, Value};

attributes! {
    /// A route (`struct rtmsg` and `RTA_*`).
    pub struct Route ("RTA_") after {
        /// `AF_INET`, `AF_INET6`, `AF_MPLS`.
        family: u8,
        /// The length of the destination's prefix, in bits; 0 without `dst` is the default route.
        dst_len: u8,
        /// The length of the source's prefix, in bits.
        src_len: u8,
        /// The TOS.
        tos: u8,
        /// The low 8 bits of the table; [`Route::table_id`] has all of them.
        header_table: u8,
        /// Who made it (`RTPROT_*`).
        protocol: u8,
        /// How far the destination is (`RT_SCOPE_*`).
        scope: u8,
        /// What happens to a packet (`RTN_*`).
        route_type: u8,
        /// `RTM_F_*` and `RTNH_F_*`.
        flags: u32,
    } {
        /// The destination.
        dst: Option<IpAddr> = 1,
        /// The source.
        src: Option<IpAddr> = 2,
        /// The link a packet comes in by, by its index.
        iif: Option<u32> = 3,
        /// The link a packet goes out by, by its index.
        oif: Option<u32> = 4,
        /// The gateway.
        gateway: Option<IpAddr> = 5,
        /// The metric.
        priority: Option<u32> = 6,
        /// The source address that packets take.
        prefsrc: Option<IpAddr> = 7,
        /// What TCP and others should know.
        metrics: Option<Box<Metrics>> = 8,
        /// Many ways at once.
        multipath: Option<Multipath> = 9,
        /// The realm.
        flow: Option<u32> = 11,
        /// What the kernel keeps.
        cacheinfo: Option<Box<RouteCacheInfo>> = 12,
        /// The table.
        table: Option<u32> = 15,
        /// The firewall mark of a question.
        mark: Option<u32> = 16,
        /// Counters of a multicast route.
        mfc_stats: Option<Box<MulticastStats>> = 17,
        /// A gateway of another family.
        via: Option<Via> = 18,
        /// MPLS: the labels that a packet gets.
        newdst: Option<Box<[u8]>> = 19,
        /// IPv6: how much a router is liked (`ICMPV6_ROUTER_PREF_*`).
        pref: Option<u8> = 20,
        /// What is put around a packet (`LWTUNNEL_ENCAP_*`).
        encap_type: Option<u16> = 21,
        /// How it is put around.
        encap: Option<RawNest> = 22,
        /// When the route goes, in seconds.
        expires: Option<u32> = 23,
        /// The user of a question.
        uid: Option<u32> = 25,
        /// MPLS: whether the TTL is passed on, 0 or 1.
        ttl_propagate: Option<u8> = 26,
        /// The protocol of a question (`IPPROTO_*`).
        ip_proto: Option<u8> = 27,
        /// The source port of a question.
        sport: Option<u16> as BigEndian = 28,
        /// The destination port of a question.
        dport: Option<u16> as BigEndian = 29,
        /// The next hop, by its id.
        nh_id: Option<u32> = 30,
        /// The flow label of a question (Linux 6.13).
        flowlabel: Option<u32> as BigEndian = 31,
        ; also {
            10 = "PROTOINFO",
            13 = "SESSION",
            14 = "MP_ALGO",
            24 = "PAD",
            32 = "DEL_REASON",
        }
    }
}

impl Route {
    /// Returns the table, from the attribute or, if there is none, from the header.
    pub fn table_id(&self) -> u32 {
        self.table.unwrap_or(u32::from(self.header_table))
    }
}

attributes! {
    /// What TCP and others should know (`RTA_METRICS`).
    pub struct Metrics ("RTAX_") {
        /// Which of these the kernel may not change: bit n is attribute n.
        lock: Option<u32> = 1,
        /// The longest packet, in bytes.
        mtu: Option<u32> = 2,
        /// The largest window, in bytes.
        window: Option<u32> = 3,
        /// The round trip time, in eighths of a millisecond.
        rtt: Option<u32> = 4,
        /// Its variance, in quarters of a millisecond.
        rttvar: Option<u32> = 5,
        /// The slow start threshold, in segments.
        ssthresh: Option<u32> = 6,
        /// The congestion window, in segments.
        cwnd: Option<u32> = 7,
        /// The segment size that is advertised, in bytes.
        advmss: Option<u32> = 8,
        /// How far segments may be out of order.
        reordering: Option<u32> = 9,
        /// The hop limit.
        hoplimit: Option<u32> = 10,
        /// The first congestion window, in segments.
        initcwnd: Option<u32> = 11,
        /// `RTAX_FEATURE_*`.
        features: Option<u32> = 12,
        /// The shortest retransmission timeout, in milliseconds.
        rto_min: Option<u32> = 13,
        /// The first receive window, in segments.
        initrwnd: Option<u32> = 14,
        /// Whether acknowledgements are sent at once, 0 or 1.
        quickack: Option<u32> = 15,
        /// The congestion control.
        cc_algo: Option<Text> = 16,
        /// Whether TCP fast open needs no cookie, 0 or 1.
        fastopen_no_cookie: Option<u32> = 17,
    }
}

record! {
    /// What the kernel keeps of a route (`struct rta_cacheinfo`).
    pub struct RouteCacheInfo {
        /// How many use it.
        clntref: u32,
        /// When it was used last, in hundredths of a second ago.
        lastuse: u32,
        /// When it goes, in hundredths of a second.
        expires: i32,
        /// The error that it gives.
        error: u32,
        /// How often it was used.
        used: u32,
        /// Not used by the kernel any more.
        id: u32,
        /// Not used by the kernel any more.
        ts: u32,
        /// Not used by the kernel any more.
        tsage: u32,
    }
}

record! {
    /// Counters of a multicast route (`struct rta_mfc_stats`).
    pub struct MulticastStats {
        /// Packets.
        packets: u64,
        /// Bytes.
        bytes: u64,
        /// Packets that came in by a wrong link.
        wrong_if: u64,
    }
}

/// A gateway of another family than the route's (`struct rtvia`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Via {
    /// `AF_INET`, `AF_INET6`, `AF_PACKET`.
    pub family: u16,
    /// The address.
    pub address: Box<[u8]>,
}

impl Via {
    /// Returns the gateway with this address.
    pub fn new(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self { family: 2, address: address.octets().into() },
            IpAddr::V6(address) => Self { family: 10, address: address.octets().into() },
        }
    }

    /// Returns the address, if it is one of IP.
    pub fn ip(&self) -> Option<IpAddr> {
        IpAddr::decode(&self.address)
    }
}

impl Value for Via {
    fn decode(payload: &[u8]) -> Option<Self> {
        let (family, address) = payload.split_first_chunk()?;
        Some(Self { family: u16::from_ne_bytes(*family), address: address.into() })
    }

    fn encode(&self, out: &mut Builder) {
        self.family.encode(out);
        out.raw(&self.address);
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        Self { family: u16::sample(source), address: Box::sample(source) }
    }
}

/// Many ways at once (`RTA_MULTIPATH`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Multipath(pub Vec<Hop>);

attributes! {
    /// One way of many (`struct rtnexthop` and `RTA_*`).
    pub struct Hop ("RTA_") after {
        /// Filled in when the hop is written.
        length: Length,
        /// `RTNH_F_*`.
        flags: u8,
        /// The weight, less one.
        hops: u8,
        /// The link, by its index.
        index: u32,
    } {
        /// The gateway.
        gateway: Option<IpAddr> = 5,
        /// The realm.
        flow: Option<u32> = 11,
        /// A gateway of another family.
        via: Option<Via> = 18,
        /// MPLS: the labels that a packet gets.
        newdst: Option<Box<[u8]>> = 19,
        /// What is put around a packet (`LWTUNNEL_ENCAP_*`).
        encap_type: Option<u16> = 21,
        /// How it is put around.
        encap: Option<RawNest> = 22,
    }
}

/// Stands for the two bytes of a length that only the wire has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length;

impl Fixed for Length {
    const LEN: usize = 2;

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        super::value::skip(bytes, Self::LEN)?;
        Some(Self)
    }

    fn write(&self, out: &mut Builder) {
        out.raw(&[0; Self::LEN]);
    }

    #[cfg(test)]
    fn sample_fixed(_: &mut Source) -> Self {
        Self
    }
}

impl Value for Multipath {
    fn decode(payload: &[u8]) -> Option<Self> {
        let mut hops = Vec::new();
        let mut rest = payload;
        while !rest.is_empty() {
            let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
            hops.push(Hop::parse(rest.get(..length)?).ok()?);
            rest = rest.get(aligned(length)..).unwrap_or_default();
        }
        Some(Self(hops))
    }

    fn encode(&self, out: &mut Builder) {
        for hop in &self.0 {
            let mut bytes = Builder::new();
            hop.emit(&mut bytes);
            let bytes = bytes.into_bytes();
            out.raw(&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_ne_bytes());
            out.raw(bytes.get(Length::LEN..).unwrap_or_default());
        }
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        Self((0..source.byte() % 4).map(|_| Hop::sample(source)).collect())
    }
}
