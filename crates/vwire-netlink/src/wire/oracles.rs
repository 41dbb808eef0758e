//! Two other crates read what is emitted here: they must see the same.
//!
//! netlink-packet-route has types for most attributes. Each attribute that is emitted here goes, alone, through its
//! reader and its writer and back into the reader here, and must come out as it went in. Where it does not, the
//! attribute is listed here with the reason.

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use netlink_packet_core::{Emitable, Parseable};
use netlink_packet_route as route;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::attr::aligned;
use super::names::{Children, Names};
use super::prefix::Prefix;
use super::sample::Source;
use super::value::Value;
use super::*;

fn emitted(body: &impl Body) -> Vec<u8> {
    let mut out = Builder::new();
    body.emit(&mut out);
    out.into_bytes()
}

/// Returns each attribute that holds no others, with its names, in the nests that it is in and nothing beside.
fn leaves(names: &Names, siblings: &Attributes<'_>) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for attribute in siblings.clone() {
        let name = names.name(attribute.number());
        let children = names.row(attribute.number()).map_or(Children::None, |row| row.children);
        let Some((header, inside)) = children.resolve(siblings.clone()) else {
            let mut out = Builder::new();
            out.bytes(attribute.flagged_number(), attribute.payload());
            all.push((name, out.into_bytes()));
            continue;
        };
        let header = aligned(header);
        let kind = match children {
            Children::KindData => 1,
            Children::SlaveData => 4,
            _ => u16::MAX,
        };
        let kind = siblings.clone().find(|sibling| sibling.number() == kind);
        let label = kind.map(|kind| String::from_utf8_lossy(kind.payload()).replace('\0', ""));
        let payload = attribute.payload();
        for (path, leaf) in leaves(inside, &Attributes::new(&payload[header..])) {
            let mut out = Builder::new();
            if let Some(kind) = kind {
                out.bytes(kind.number(), kind.payload());
            }
            out.attribute(attribute.flagged_number(), |out| {
                out.raw(&payload[..header]);
                out.raw(&leaf);
            });
            let name = label.as_deref().unwrap_or(&name);
            all.push((format!("{name} > {path}"), out.into_bytes()));
        }
    }
    all
}

/// Returns the names of the attributes that the other crate refuses or changes.
fn disagreements<Ours, Theirs>(names: &Names, family: u8, seed: &[u8]) -> BTreeSet<String>
where
    Ours: Body + Value + PartialEq,
    Theirs: Parseable<[u8]> + Emitable,
{
    let body = Ours::sample(&mut Source::plain(seed, family == 2));
    let mut bytes = emitted(&body);
    bytes[..Ours::HEADER_LEN].fill(0);
    bytes[0] = family;
    let (header, attributes) = bytes.split_at(aligned(Ours::HEADER_LEN));
    let changed = |(name, leaf): (String, Vec<u8>)| {
        let sent = [header, &leaf].concat();
        let back = catch_unwind(|| {
            let theirs = Theirs::parse(&sent).ok()?;
            let mut back = vec![0; theirs.buffer_len()];
            theirs.emit(&mut back);
            Some(back)
        });
        let back = back.ok().flatten().and_then(|back| Ours::parse(&back).ok());
        (back != Ours::parse(&sent).ok()).then_some(name)
    };
    leaves(names, &Attributes::new(attributes))
        .into_iter()
        .filter(|(name, _)| !name.contains("attribute"))
        .filter_map(changed)
        .collect()
}

/// Checks that the two agree on every attribute but the expected ones.
fn agrees<Ours, Theirs>(names: &Names, family: u8, expected: &[&str])
where
    Ours: Body + Value + PartialEq,
    Theirs: Parseable<[u8]> + Emitable,
{
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut found = BTreeSet::new();
    for _ in 0..250 {
        let seed = vec(any::<u8>(), 1500).new_tree(&mut runner).unwrap().current();
        found.extend(disagreements::<Ours, Theirs>(names, family, &seed));
    }
    // The other end of a pair is a link like any other.
    let plain = |name: &String| {
        let name = name.rsplit("_PEER > ").next().unwrap_or(name);
        name.rsplit("_PEER_INFO > ").next().unwrap_or(name).to_owned()
    };
    let found: BTreeSet<String> = found.iter().map(plain).collect();
    let unexpected: Vec<_> = found.iter().filter(|name| !expected.contains(&name.as_str())).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
}

/// What netlink-packet-route changes or refuses in a link, and why.
const LINK: &[&str] = &[
    // A kind or a nest that it does not know is random bytes here, which it reads as attributes.
    "IFLA_DEVLINK_PORT",
    "IFLA_DPLL_PIN",
    "IFLA_PORT_SELF",
    "IFLA_VF_PORTS",
    "IFLA_LINKINFO > IFLA_INFO_DATA",
    "IFLA_LINKINFO > IFLA_INFO_SLAVE_DATA",
    "IFLA_LINKINFO > IFLA_INFO_XSTATS",
    "IFLA_LINKINFO > bridge > IFLA_BR_MCAST_QUERIER_STATE",
    // It wants as many counters and sysctls as one kernel has.
    "IFLA_AF_SPEC > AF_INET > IFLA_INET_CONF",
    "IFLA_AF_SPEC > AF_INET6 > IFLA_INET6_CONF",
    "IFLA_AF_SPEC > AF_INET6 > IFLA_INET6_ICMP6STATS",
    "IFLA_AF_SPEC > AF_INET6 > IFLA_INET6_STATS",
    // It numbers the targets anew, from 0.
    "IFLA_LINKINFO > bond > IFLA_BOND_ARP_IP_TARGET",
    "IFLA_LINKINFO > bond > IFLA_BOND_NS_IP6_TARGET",
    // It reads a u8 where bond_fill_slave_info() writes a u16.
    "IFLA_LINKINFO > bond > IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE",
    // It knows only the values that the kernel's names are for, or only 0 and 1.
    "IFLA_LINKINFO > bridge > IFLA_BR_GROUP_ADDR",
    "IFLA_LINKINFO > bridge > IFLA_BR_VLAN_PROTOCOL",
    "IFLA_LINKINFO > vlan > IFLA_VLAN_PROTOCOL",
    "IFLA_LINKINFO > netkit > IFLA_NETKIT_PEER_SCRUB",
    "IFLA_LINKINFO > netkit > IFLA_NETKIT_SCRUB",
    "IFLA_VFINFO_LIST > IFLA_VF_INFO > IFLA_VF_RSS_QUERY_EN",
    "IFLA_VFINFO_LIST > IFLA_VF_INFO > IFLA_VF_SPOOFCHK",
    "IFLA_VFINFO_LIST > IFLA_VF_INFO > IFLA_VF_TRUST",
    "IFLA_VFINFO_LIST > IFLA_VF_INFO > IFLA_VF_VLAN_LIST > IFLA_VF_VLAN_INFO",
    // Its sizes do not fit its writers.
    "IFLA_LINKINFO > netkit > IFLA_NETKIT_HEADROOM",
    "IFLA_LINKINFO > netkit > IFLA_NETKIT_TAILROOM",
    // It takes one family of addresses for each kind, and two bytes of flags.
    "IFLA_LINKINFO > erspan > IFLA_GRE_LOCAL",
    "IFLA_LINKINFO > erspan > IFLA_GRE_REMOTE",
    "IFLA_LINKINFO > gre > IFLA_GRE_LOCAL",
    "IFLA_LINKINFO > gre > IFLA_GRE_REMOTE",
    "IFLA_LINKINFO > gretap > IFLA_GRE_LOCAL",
    "IFLA_LINKINFO > gretap > IFLA_GRE_REMOTE",
    "IFLA_LINKINFO > ipip > IFLA_IPTUN_FLAGS",
    "IFLA_LINKINFO > sit > IFLA_IPTUN_FLAGS",
];

#[test]
fn links_agree() {
    agrees::<Link, route::link::LinkMessage>(Link::NAMES, 0, LINK);
}

#[test]
fn addresses_agree() {
    // It takes the first two for addresses of IPv6, the last for one of IPv4.
    agrees::<Address, route::address::AddressMessage>(Address::NAMES, 2, &["IFA_ANYCAST", "IFA_MULTICAST"]);
    agrees::<Address, route::address::AddressMessage>(Address::NAMES, 10, &["IFA_BROADCAST"]);
}

#[test]
fn routes_agree() {
    // It reads what is inside by the family and the type beside, which are not there.
    let expected = ["RTA_ENCAP", "RTA_MULTIPATH", "RTA_NEWDST", "RTA_VIA"];
    agrees::<Route, route::route::RouteMessage>(Route::NAMES, 2, &expected);
    agrees::<Route, route::route::RouteMessage>(Route::NAMES, 10, &expected);
}

#[test]
fn rules_agree() {
    agrees::<Rule, route::rule::RuleMessage>(Rule::NAMES, 2, &[]);
    agrees::<Rule, route::rule::RuleMessage>(Rule::NAMES, 10, &[]);
}

#[test]
fn neighbours_agree() {
    agrees::<Neighbour, route::neighbour::NeighbourMessage>(Neighbour::NAMES, 2, &[]);
    agrees::<Neighbour, route::neighbour::NeighbourMessage>(Neighbour::NAMES, 10, &[]);
}

#[test]
fn namespace_ids_agree() {
    agrees::<NamespaceId, route::nsid::NsidMessage>(NamespaceId::NAMES, 0, &[]);
}

#[test]
fn prefixes_agree() {
    agrees::<Prefix, route::prefix::PrefixMessage>(Prefix::NAMES, 10, &[]);
}

/// netlink-bindings is made from the kernel's own descriptions; of links it lacks veth, vxlan, macvlan and ipvlan.
/// It need not know every attribute, but must refuse the form of none that it knows.
#[test]
fn no_form_is_refused_that_the_kernel_describes() {
    use netlink_bindings::{rt_addr, rt_link, rt_neigh, rt_route, rt_rule};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut refused = BTreeSet::new();
    macro_rules! check {
        ($seed:expr, $Body:ident, $Operation:path) => {
            let body = $Body { other: Vec::new(), ..$Body::sample(&mut Source::plain($seed, true)) };
            let bytes = emitted(&body);
            let attributes = <$Operation>::decode_request(&bytes).1;
            refused.extend(attributes.filter_map(|attribute| attribute.err()?.attr));
        };
    }
    for _ in 0..250 {
        let seed = vec(any::<u8>(), 1500).new_tree(&mut runner).unwrap().current();
        check!(&seed, Link, rt_link::OpNewlinkDo);
        check!(&seed, Address, rt_addr::OpNewaddrDo);
        check!(&seed, Route, rt_route::OpNewrouteDo);
        check!(&seed, Rule, rt_rule::OpNewruleDo);
        check!(&seed, Neighbour, rt_neigh::OpNewneighDo);
    }
    // It takes the labels of MPLS for one number, and a nest for text; it wants a zero behind an alias, where the
    // kernel would count it; it wants a gateway of another family to be of IPv6.
    assert_eq!(refused, BTreeSet::from(["Ifalias", "Newdst", "ProtoDownReason", "Via"]));
}

#[test]
fn the_queues_of_a_tun_are_what_the_kernel_describes() {
    use super::link::{KindData, tun::Tun};
    use netlink_bindings::rt_link::{LinkinfoDataMsg, OpNewlinkDo};
    let tun = Tun { owner: Some(1000), r#type: Some(2), multi_queue: Some(1), num_queues: Some(3), ..Tun::default() };
    let mut link = Link::default();
    link.set_kind("tun", Some(KindData::from(tun)));
    let bytes = emitted(&link);
    let data = OpNewlinkDo::decode_request(&bytes).1.get_linkinfo().unwrap().get_data().unwrap();
    let LinkinfoDataMsg::Tun(theirs) = data else {
        panic!("{data:?}");
    };
    assert_eq!(theirs.get_owner().unwrap(), 1000);
    assert_eq!(theirs.get_type().unwrap(), 2);
    assert_eq!(theirs.get_multi_queue().unwrap(), 1);
    assert_eq!(theirs.get_num_queues().unwrap(), 3);
}
