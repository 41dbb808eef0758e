//! The settable parts of a link: which differ, and the change that puts one right. Pure.
//!
//! A part that is put right by itself spoils no other where the kernel refuses it.

use std::net::{Ipv4Addr, Ipv6Addr};

use vwire_netlink::wire::link::bridge::BoolOptions;
use vwire_netlink::wire::link::{AfInet, AfInet6, AfSpec, KindData, LinkInfo, PropList, ProtoDownReason, SlaveData};
use vwire_netlink::wire::nest::RawNest;
use vwire_netlink::wire::{Attributes, Builder, RawAttribute};
use vwire_netlink::{Link, Text};

use super::words;

/// The flags that a request can set (`dev_change_flags`): UP, DEBUG, NOTRAILERS, NOARP, PROMISC,
/// ALLMULTI, MULTICAST, PORTSEL, AUTOMEDIA, DYNAMIC.
pub(super) const SETTABLE_FLAGS: u32 = 0x1 | 0x4 | 0x20 | 0x80 | 0x100 | 0x200 | 0x1000 | 0x2000 | 0x4000 | 0x8000;
/// `IFF_UP`.
pub(super) const UP: u32 = 1;
/// `NLA_F_NESTED`.
const NESTED: u16 = 0x8000;
/// `IFLA_INET_CONF`.
const INET_CONF: u16 = 1;
/// `IFLA_BR_MULTI_BOOLOPT`.
const BITS: u16 = 46;
/// `IFLA_VXLAN_GROUP`, `IFLA_VXLAN_LOCAL`, and the same of IPv6.
const VXLAN_ENDS: [[u16; 2]; 2] = [[2, 4], [16, 17]];
/// `IF_OPER_UP`.
const OPER_UP: u8 = 6;

/// One settable part of a link: its name, whether the second look is not as the first wants it, and how to put it right.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) differs: fn(&Link, &Link, bool) -> bool,
    pub(super) restore: fn(&Link, &Link, &mut Link),
}

macro_rules! part {
    ($name:literal, $field:ident) => {
        Part {
            name: $name,
            differs: |wanted, now, _| wanted.$field.is_some() && wanted.$field != now.$field,
            restore: |wanted, _, link| link.$field = wanted.$field.clone(),
        }
    };
}

/// The parts, in the order in which they are put right: the name first, so that a refusal is told of the right one;
/// the master before the flags, because some masters bring their ports up.
pub(super) const PARTS: &[Part] = &[
    part!("name", ifname),
    Part {
        name: "master",
        differs: |wanted, now, picture| {
            let master = |link: &Link| link.master.unwrap_or(0);
            (wanted.master.is_some() || picture) && master(wanted) != master(now)
        },
        restore: |wanted, _, link| link.master = Some(wanted.master.unwrap_or(0)),
    },
    part!("address", address),
    part!("broadcast", broadcast),
    part!("mtu", mtu),
    part!("txqueuelen", txqlen),
    part!("group", group),
    Part {
        name: "alias",
        differs: |wanted, now, picture| {
            let alias = |link: &Link| link.ifalias.clone().filter(|alias| !alias.as_bytes().is_empty());
            (wanted.ifalias.is_some() || picture) && alias(wanted) != alias(now)
        },
        restore: |wanted, _, link| link.ifalias = Some(wanted.ifalias.clone().unwrap_or_else(|| Text::new(b""))),
    },
    part!("mode", linkmode),
    part!("gso_max_size", gso_max_size),
    part!("gso_max_segs", gso_max_segs),
    part!("gro_max_size", gro_max_size),
    part!("gso_ipv4_max_size", gso_ipv4_max_size),
    part!("gro_ipv4_max_size", gro_ipv4_max_size),
    Part {
        name: "carrier",
        // Without UP there is none to be seen, and most kinds have it from elsewhere.
        differs: |wanted, now, _| {
            let is_up = |link: &Link| link.flags & UP != 0;
            let own = matches!(wanted.kind(), Some("dummy" | "tun"));
            own && is_up(wanted) && is_up(now) && wanted.carrier.is_some() && wanted.carrier != now.carrier
        },
        restore: |wanted, _, link| link.carrier = wanted.carrier,
    },
    part!("protodown", proto_down),
    Part {
        name: "protodown_reason",
        differs: |wanted, now, picture| {
            (wanted.proto_down_reason.is_some() || picture) && reasons(wanted) != reasons(now)
        },
        restore: |wanted, now, link| {
            let mask = reasons(wanted) ^ reasons(now);
            let value = Some(reasons(wanted) & mask);
            link.proto_down_reason = Some(ProtoDownReason { mask: Some(mask), value, ..ProtoDownReason::default() });
        },
    },
    Part {
        name: "addrgenmode",
        differs: |wanted, now, _| {
            wanted.addr_gen_mode().is_some()
                && now.addr_gen_mode().is_some()
                && wanted.addr_gen_mode() != now.addr_gen_mode()
        },
        restore: |wanted, _, link| {
            if let Some(mode) = wanted.addr_gen_mode() {
                link.set_addr_gen_mode(mode);
            }
        },
    },
    Part {
        name: "IPv4 sysctls",
        differs: |wanted, now, _| !differing_conf(wanted, now).is_empty(),
        restore: |wanted, now, link| {
            let mut settings = Builder::new();
            differing_conf(wanted, now).iter().for_each(|(number, value)| settings.u32(*number, *value));
            let payload = settings.into_bytes().into();
            let settings = RawAttribute { flagged_number: INET_CONF | NESTED, payload };
            let inet = AfInet { other: vec![settings], ..AfInet::default() };
            link.af_spec.get_or_insert_default().inet = Some(inet);
        },
    },
    Part {
        name: "options of its kind",
        differs: |wanted, now, _| differing_options(wanted, now).is_some(),
        restore: |wanted, now, link| {
            let changed = differing_options(wanted, now);
            let kind = wanted.linkinfo.as_ref().and_then(|info| info.kind.clone());
            let data = changed.map(|bytes| KindData::Unknown(RawNest(bytes.into())));
            link.linkinfo = Some(Box::new(LinkInfo { kind, data, ..LinkInfo::default() }));
        },
    },
    Part {
        name: "options of its port",
        differs: |wanted, now, _| differing_port_options(wanted, now).is_some(),
        restore: |wanted, now, link| {
            let changed = differing_port_options(wanted, now);
            let slave_kind = wanted.linkinfo.as_ref().and_then(|info| info.slave_kind.clone());
            let slave_data = changed.map(|bytes| SlaveData::Unknown(RawNest(bytes.into())));
            link.linkinfo = Some(Box::new(LinkInfo { slave_kind, slave_data, ..LinkInfo::default() }));
        },
    },
    Part {
        name: "flags",
        differs: |wanted, now, picture| differing_flags(wanted, now, picture) != 0,
        restore: |wanted, now, link| {
            let said = if wanted.change == 0 { SETTABLE_FLAGS } else { wanted.change };
            link.set_flags((wanted.flags ^ now.flags) & SETTABLE_FLAGS & said, wanted.flags);
        },
    },
    // Only a link that is up takes one (`inet6_set_iftoken`).
    Part {
        name: "token",
        differs: |wanted, now, picture| {
            let can_be_told = token(wanted).is_some() && token(now).is_some();
            (token(wanted) != token(now)) && can_be_told && (picture || token(wanted) != Some(Ipv6Addr::UNSPECIFIED))
        },
        restore: |wanted, _, link| {
            let inet6 = AfInet6 { token: token(wanted), ..AfInet6::default() };
            link.af_spec = Some(Box::new(AfSpec { inet6: Some(Box::new(inet6)), ..AfSpec::default() }));
        },
    },
];

/// Returns the lower half of the addresses that IPv6 makes of what routers say.
fn token(link: &Link) -> Option<Ipv6Addr> {
    link.af_spec.as_ref()?.inet6.as_ref()?.token
}

/// Returns the flags that differ: of a picture all that can be set, of a wish those that it says (`change`).
fn differing_flags(wanted: &Link, now: &Link, picture: bool) -> u32 {
    let said = if picture { SETTABLE_FLAGS } else { wanted.change };
    (wanted.flags ^ now.flags) & SETTABLE_FLAGS & said
}

/// Returns the other names that are to be given to a link, and those that are to be taken from it.
pub(super) fn differing_names(wanted: &Link, now: &Link, picture: bool) -> (Vec<Text>, Vec<Text>) {
    let (wanted, now) = (wanted.alt_names(), now.alt_names());
    let without = |from: &[Text], other: &[Text]| from.iter().filter(|name| !other.contains(name)).cloned().collect();
    (without(wanted, now), if picture { without(now, wanted) } else { Vec::new() })
}

/// Returns the message that gives names to a link, or takes them.
pub(super) fn names_message(index: u32, names: Vec<Text>) -> Link {
    let list = PropList { alt_ifname: names, ..PropList::default() };
    Link { index, prop_list: Some(Box::new(list)), ..Link::default() }
}

fn reasons(link: &Link) -> u32 {
    link.proto_down_reason.as_ref().and_then(|reason| reason.value).unwrap_or(0)
}

/// Returns the sysctls of IPv4 that differ, by their numbers (`IPV4_DEVCONF_*`), as wanted.
fn differing_conf(wanted: &Link, now: &Link) -> Vec<(u16, u32)> {
    let conf = |link: &Link| link.af_spec.as_ref().and_then(|families| families.inet.as_ref()?.conf.clone());
    let (Some(wanted), Some(now)) = (conf(wanted), conf(now)) else { return Vec::new() };
    let differing = wanted.iter().zip(&*now).zip(1..).filter(|((wanted, now), _)| wanted != now);
    differing.map(|((wanted, _), number)| (number, *wanted)).collect()
}

fn kind_bytes(link: &Link) -> Vec<u8> {
    emitted(|out| {
        if let Some(data) = link.kind_data() {
            data.encode(out);
        }
    })
}

fn port_bytes(link: &Link) -> Vec<u8> {
    emitted(|out| {
        if let Some(data) = link.slave_data() {
            data.encode(out);
        }
    })
}

pub(super) fn emitted(emit: impl FnOnce(&mut Builder)) -> Vec<u8> {
    let mut out = Builder::new();
    emit(&mut out);
    out.into_bytes()
}

/// Returns the attributes of the first that are set, without those that only the kernel says.
fn kept(bytes: &[u8], mut is_kept: impl FnMut(u16, &[u8]) -> bool) -> Vec<u8> {
    let mut out = Builder::new();
    let attributes = Attributes::new(bytes).filter(|attribute| is_kept(attribute.number(), attribute.payload()));
    attributes.for_each(|attribute| out.bytes(attribute.flagged_number(), attribute.payload()));
    out.into_bytes()
}

/// Returns whether an option of a kind is a reading, which no request sets: of a bridge its ids, timers and counters
/// (`IFLA_BR_ROOT_ID` to `IFLA_BR_GC_TIMER`, `IFLA_BR_MCAST_QUERIER_STATE`, `IFLA_BR_FDB_N_LEARNED`).
fn is_reading(kind: Option<&str>, number: u16) -> bool {
    match kind {
        Some("bridge") => matches!(number, 10..=19 | 21 | 26 | 40 | 47 | 48),
        Some("macvlan" | "macvtap") => matches!(number, 3 | 6 | 8),
        Some("bond") => matches!(number, 2 | 23),
        Some("veth" | "netkit" | "tun") => true,
        _ => false,
    }
}

/// Returns whether an option of a port is a reading: of a bridge's its ids and timers (`IFLA_BRPORT_ROOT_ID` to
/// `IFLA_BRPORT_HOLD_TIMER`) and counters.
fn is_port_reading(kind: Option<&str>, number: u16) -> bool {
    match kind {
        Some("bridge") => matches!(number, 13..=24 | 26 | 35 | 36 | 38 | 41),
        Some("bond") => !matches!(number, 5 | 9),
        Some("vrf") => true,
        _ => false,
    }
}

/// Returns whether an option of a kind cannot be changed once a link is there.
pub(super) fn is_fixed(kind: Option<&str>, number: u16) -> bool {
    match kind {
        Some("vlan") => matches!(number, 1 | 5),
        Some("vxlan") => matches!(number, 1 | 15 | 23 | 25 | 27 | 30),
        Some("vrf") => number == 1,
        Some("tun") => matches!(number, 3..=5 | 7),
        _ => false,
    }
}

/// Returns in what two links of one kind differ that only a new link can have: what that is, as it is, as it should be.
pub(super) fn fixed_difference(wanted: &Link, now: &Link) -> Option<(&'static str, String, String)> {
    let (wanted_bytes, now_bytes) = (kind_bytes(wanted), kind_bytes(now));
    if let Some(opens) = may_open(wanted, now) {
        return Some(opens);
    }
    if other_family(&wanted_bytes, &now_bytes, wanted.kind()) {
        let called = |bytes: &[u8]| if is_six(bytes) { "IPv6" } else { "IPv4" }.to_owned();
        return Some(("family", called(&now_bytes), called(&wanted_bytes)));
    }
    let kind = wanted.kind().unwrap_or_default();
    let mut fixed = Attributes::new(&wanted_bytes).filter(|attribute| is_fixed(Some(kind), attribute.number()));
    fixed.find_map(|wanted| {
        let now = Attributes::new(&now_bytes).find(|other| other.number() == wanted.number())?;
        let (name, should) = words::of_kind(kind, wanted.number(), wanted.payload());
        (now.payload() != wanted.payload()).then(|| (name, words::of_kind(kind, now.number(), now.payload()).1, should))
    })
}

/// Returns by whom a TUN or TAP device may be opened, and should be: where nobody is told, by no attribute.
fn may_open(wanted: &Link, now: &Link) -> Option<(&'static str, String, String)> {
    let (Some(KindData::Tun(wanted)), Some(KindData::Tun(now))) = (wanted.kind_data(), now.kind_data()) else {
        return None;
    };
    let both = [("user", now.owner, wanted.owner), ("group", now.group, wanted.group)];
    let (name, now, wanted) = both.into_iter().find(|(_, now, wanted)| now != wanted)?;
    let told = |id: Option<u32>| id.map_or_else(|| "none".to_owned(), |id| id.to_string());
    Some((name, told(now), told(wanted)))
}

/// Returns whether a VXLAN's addresses are IPv6's.
fn is_six(bytes: &[u8]) -> bool {
    says(bytes, VXLAN_ENDS[1])
}

fn says(bytes: &[u8], numbers: [u16; 2]) -> bool {
    Attributes::new(bytes).any(|attribute| numbers.contains(&attribute.number()))
}

/// Returns whether a VXLAN goes over IPv4 and should go over IPv6, or the other way round.
fn other_family(wanted: &[u8], now: &[u8], kind: Option<&str>) -> bool {
    kind == Some("vxlan") && (is_six(wanted) || says(wanted, VXLAN_ENDS[0])) && is_six(wanted) != is_six(now)
}

/// Says of a link that was read what the kernel says by leaving it out: that a VXLAN has no other end, no end of its
/// own, no link below.
pub fn complete(link: &mut Link) {
    if let Some(KindData::Vxlan(vxlan)) = link.linkinfo.as_mut().and_then(|info| info.data.as_mut()) {
        if vxlan.group6.is_some() || vxlan.local6.is_some() {
            vxlan.group6.get_or_insert(Ipv6Addr::UNSPECIFIED);
            vxlan.local6.get_or_insert(Ipv6Addr::UNSPECIFIED);
        } else {
            vxlan.group.get_or_insert(Ipv4Addr::UNSPECIFIED);
            vxlan.local.get_or_insert(Ipv4Addr::UNSPECIFIED);
        }
        vxlan.link.get_or_insert(0);
    }
}

/// Brings a link that was read into the form in which links are compared: complete, and without what moves by itself.
pub(super) fn forget_what_moves(link: &mut Link) {
    complete(link);
    (link.stats, link.stats64) = (None, None);
    link.xdp.take_if(|xdp| xdp.attached == Some(0) && xdp.prog_id.is_none());
    if let Some(inet6) = link.af_spec.as_mut().and_then(|families| families.inet6.as_mut()) {
        (inet6.stats, inet6.icmp6stats) = (None, None);
    }
}

/// Returns the attributes of `wanted` that `now` has with another value; `None` where there are none.
pub(super) fn differing(wanted: &[u8], now: &[u8], is_reading: impl Fn(u16) -> bool) -> Option<Vec<u8>> {
    let mut any = false;
    let bytes = kept(wanted, |number, payload| {
        let now = Attributes::new(now).find(|other| other.number() == number);
        let differs = !is_reading(number) && now.is_some_and(|now| now.payload() != payload);
        any |= differs;
        differs
    });
    any.then_some(bytes)
}

fn differing_options(wanted: &Link, now: &Link) -> Option<Vec<u8>> {
    let kind = wanted.kind();
    let passed = |number| is_reading(kind, number) || is_fixed(kind, number) || is_bits(kind, number);
    let differing = differing(&kind_bytes(wanted), &kind_bytes(now), passed).unwrap_or_default();
    // Of options of one bit each, those count that are said; the kernel may refuse to hear of others.
    let bits = match (bits(wanted), bits(now)) {
        (Some(wanted), Some(now)) => with_bits(wanted.optval, (wanted.optval ^ now.optval) & wanted.optmask),
        _ => Vec::new(),
    };
    let bytes = [differing, bits].concat();
    (!bytes.is_empty()).then_some(bytes)
}

/// Returns whether an option is a set of options of one bit each (`IFLA_BR_MULTI_BOOLOPT`).
fn is_bits(kind: Option<&str>, number: u16) -> bool {
    kind == Some("bridge") && number == BITS
}

fn bits(link: &Link) -> Option<BoolOptions> {
    match link.kind_data() {
        Some(KindData::Bridge(bridge)) => bridge.multi_boolopt,
        _ => None,
    }
}

/// Returns the attribute that sets some options of one bit each; nothing where there are none to set.
fn with_bits(optval: u32, optmask: u32) -> Vec<u8> {
    emitted(|out| {
        if optmask != 0 {
            out.bytes(BITS, &[(optval & optmask).to_ne_bytes(), optmask.to_ne_bytes()].concat());
        }
    })
}

fn differing_port_options(wanted: &Link, now: &Link) -> Option<Vec<u8>> {
    let kind = wanted.slave_kind();
    let has_carrier = wanted.operstate == Some(OPER_UP) && now.operstate == Some(OPER_UP);
    // The kernel moves a port's state with its carrier.
    let moves = |number| number == 1 && kind == Some("bridge") && !has_carrier;
    let passed = |number| is_port_reading(kind, number) || moves(number);
    let same_master = wanted.master.is_none() || wanted.master == now.master;
    differing(&port_bytes(wanted), &port_bytes(now), passed).filter(|_| same_master)
}

/// Returns what goes with the kind of a link that is made: without readings, and without what is the default anyway.
pub(super) fn creation_data(link: &Link) -> Option<KindData> {
    let kind = link.kind();
    let is_default = |number: u16, payload: &[u8]| match kind {
        // Said, it would count as set by hand (`IFLA_BR_GROUP_ADDR`).
        // A kernel that cannot tell VLANs apart does not even take that they are not to be (`IFLA_BR_VLAN_FILTERING`).
        Some("bridge") => number == 20 && payload == [0x01, 0x80, 0xc2, 0, 0, 0] || number == 7 && payload == [0],
        // Modes refuse options of other modes; what is not the default follows.
        Some("bond") => number != 1,
        // Some count as set if they are there at all: the inner TTL, remote checksums, the bits that must be 0.
        Some("vxlan") => match number {
            21 | 22 | 28 => payload == [0],
            // No other end, no end of its own, no link below.
            2..=4 | 16 | 17 => payload.iter().all(|byte| *byte == 0),
            33 => payload == [0xf7, 0xff, 0xff, 0xff, 0, 0, 0, 0xff],
            _ => false,
        },
        _ => false,
    };
    let is_said =
        |number, payload: &[u8]| !is_reading(kind, number) && !is_bits(kind, number) && !is_default(number, payload);
    let bits = bits(link).map(|bits| with_bits(bits.optval, bits.optval & bits.optmask)).unwrap_or_default();
    let bytes = [kept(&kind_bytes(link), is_said), bits].concat();
    (!bytes.is_empty()).then(|| KindData::Unknown(RawNest(bytes.into())))
}

/// Returns the options of a port that a link gets which was just made a port.
pub(super) fn creation_port(link: &Link) -> Option<SlaveData> {
    let kind = link.slave_kind()?;
    let is_default = |number: u16, payload: &[u8]| match kind {
        // The state moves with the carrier; a cost that is said no longer follows the speed (2 for 10 Gbit/s, 100 if unknown).
        "bridge" => number == 1 || number == 3 && matches!(payload, [2 | 100, 0, 0, 0] | [0, 0, 0, 2 | 100]),
        _ => false,
    };
    let kept =
        kept(&port_bytes(link), |number, payload| !is_port_reading(Some(kind), number) && !is_default(number, payload));
    (!kept.is_empty()).then(|| SlaveData::Unknown(RawNest(kept.into())))
}

/// Returns the names of the settable parts in which a link is not as it is wanted.
pub(super) fn differing_parts<'a>(
    wanted: &'a Link,
    now: &'a Link,
    picture: bool,
) -> impl Iterator<Item = &'static Part> + 'a {
    PARTS.iter().filter(move |part| (part.differs)(wanted, now, picture))
}

/// Returns the change that puts one part right.
pub(super) fn put_right(part: &Part, wanted: &Link, now: &Link) -> Link {
    let mut link = Link { index: wanted.index, ..Link::default() };
    (part.restore)(wanted, now, &mut link);
    link
}

/// Returns what the change that puts one part right finds: of the flags no others than it sets or clears.
pub(super) fn found(part: &Part, wanted: &Link, now: &Link) -> Link {
    let mut found = put_right(part, now, wanted);
    found.change &= put_right(part, wanted, now).change;
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use vwire_netlink::wire::link::bridge::Bridge;

    fn differences(before: &Link, after: &Link) -> Vec<&'static str> {
        differing_parts(before, after, true).map(|part| part.name).collect()
    }

    fn restoring(before: &Link, after: &Link) -> Vec<Link> {
        differing_parts(before, after, true).map(|part| put_right(part, before, after)).collect()
    }

    fn link() -> Link {
        Link { index: 5, flags: 0x1003, mtu: Some(1500), group: Some(0), ..Link::named("v0".parse().unwrap()) }
    }

    #[test]
    fn nothing_changed_needs_nothing() {
        assert_eq!(restoring(&link(), &link()), []);
    }

    #[test]
    fn each_part_that_changed_is_put_back_by_itself() {
        let before = link();
        let after = Link { mtu: Some(1400), master: Some(7), flags: 0x1002, ..Link::named("new".parse().unwrap()) };
        let after = Link { group: Some(0), ..after };
        assert_eq!(differences(&before, &after), ["name", "master", "mtu", "flags"]);
        let back = restoring(&before, &after);
        assert_eq!(back[0], Link { index: 5, ..Link::named("v0".parse().unwrap()) });
        assert_eq!(back[1].master, Some(0));
        assert_eq!((back[3].flags, back[3].change), (1, 1));
    }

    #[test]
    fn what_is_found_is_no_more_than_what_is_put_right() {
        let mut wanted = link();
        wanted.set_flags(1, 1);
        let now = Link { flags: 0x1002, ..link() };
        let flags = differing_parts(&wanted, &now, false).find(|part| part.name == "flags").unwrap();
        assert_eq!(words::flags(&found(flags, &wanted, &now)), [("flags", "down")]);
        assert_eq!(words::flags(&put_right(flags, &wanted, &now)), [("flags", "up")]);
    }

    #[test]
    fn an_alias_that_was_not_there_is_taken_away() {
        let after = Link { ifalias: Some("x".into()), ..link() };
        assert_eq!(restoring(&link(), &after)[0].ifalias, Some(Text::new(b"")));
    }

    #[test]
    fn of_a_kind_only_what_changed_is_put_back() {
        let bridge = |stp_state, hello_timer| {
            let mut link = link();
            let data = Bridge { stp_state: Some(stp_state), ageing_time: Some(300), hello_timer, ..Bridge::default() };
            link.set_kind("bridge", Some(data.into()));
            link
        };
        let back = restoring(&bridge(0, Some(1)), &bridge(1, Some(2)));
        let wanted = Bridge { stp_state: Some(0), ..Bridge::default() };
        let Some(KindData::Unknown(RawNest(bytes))) = back[0].kind_data() else { panic!("{back:?}") };
        assert_eq!(KindData::decode(b"bridge", bytes), wanted.into());
        assert_eq!(restoring(&bridge(0, Some(1)), &bridge(0, Some(2))), []);
    }
}
