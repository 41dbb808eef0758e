//! Changing a link, all or nothing.

use vwire_netlink::wire::link::{KindData, LinkInfo, ProtoDownReason, SlaveData};
use vwire_netlink::wire::nest::RawNest;
use vwire_netlink::wire::{Attributes, Builder};
use vwire_netlink::{Link, Reply, Request, RequestError, Socket, Text};

use super::{Aftermath, Refused};

/// The flags that a request can set (`dev_change_flags`): UP, DEBUG, NOTRAILERS, NOARP, PROMISC,
/// ALLMULTI, MULTICAST, PORTSEL, AUTOMEDIA, DYNAMIC.
const SETTABLE_FLAGS: u32 = 0x1 | 0x4 | 0x20 | 0x80 | 0x100 | 0x200 | 0x1000 | 0x2000 | 0x4000 | 0x8000;
/// `RTEXT_FILTER_SKIP_STATS`.
const SKIP_STATS: u32 = 1 << 3;
/// `ENODEV`.
const ENODEV: i32 = 19;

/// Changes the link of this index as `request` says, or leaves it as it was.
///
/// # Errors
/// The kernel's refusal, and what became of the link.
pub fn set(socket: &mut Socket, index: u32, request: &Request) -> Result<Reply, Refused> {
    let before = look(socket, index).ok();
    let error = match socket.request(request) {
        Ok(reply) => return Ok(reply),
        Err(error) => error,
    };
    let aftermath = match before {
        Some(before) => put_back(socket, index, &before),
        None => Aftermath::Unknown,
    };
    Err(Refused { error, aftermath })
}

/// Reads a link by its index.
fn look(socket: &mut Socket, index: u32) -> Result<Link, RequestError> {
    let wanted = Link { index, ext_mask: Some(SKIP_STATS), ..Link::default() };
    socket.get::<Link>(&Request::get_link(&wanted))
}

fn put_back(socket: &mut Socket, index: u32, before: &Link) -> Aftermath {
    let after = match look(socket, index) {
        Ok(after) => after,
        Err(error) if error.errno() == ENODEV => return Aftermath::Gone,
        Err(_) => return Aftermath::Left(vec!["what was not read"]),
    };
    if differences(before, &after).is_empty() {
        return Aftermath::Untouched;
    }
    for request in restoring(before, &after) {
        // Some kinds refuse a value that they had on their own; what still differs is seen below.
        let _ = socket.request(&Request::set_link(&request));
    }
    match look(socket, index).map(|now| differences(before, &now)) {
        Ok(left) if left.is_empty() => Aftermath::Restored,
        Ok(left) => Aftermath::Left(left),
        Err(_) => Aftermath::Gone,
    }
}

/// One settable part of a link: its name, whether it differs, and how to put it back.
struct Part {
    name: &'static str,
    differs: fn(&Link, &Link) -> bool,
    restore: fn(&Link, &Link, &mut Link),
}

macro_rules! part {
    ($name:literal, $field:ident) => {
        Part {
            name: $name,
            differs: |before, after| before.$field != after.$field,
            restore: |before, _, link| link.$field = before.$field.clone(),
        }
    };
}

/// The parts, in the order in which they are put back: the name first, so that a refusal is told of the right one;
/// the master before the flags, because some masters bring their ports up.
const PARTS: &[Part] = &[
    part!("name", ifname),
    Part {
        name: "master",
        differs: |before, after| before.master != after.master,
        restore: |before, _, link| link.master = Some(before.master.unwrap_or(0)),
    },
    part!("address", address),
    part!("broadcast", broadcast),
    part!("mtu", mtu),
    part!("txqueuelen", txqlen),
    part!("group", group),
    Part {
        name: "alias",
        differs: |before, after| before.ifalias != after.ifalias,
        restore: |before, _, link| link.ifalias = Some(before.ifalias.clone().unwrap_or_else(|| Text::new(b""))),
    },
    part!("mode", linkmode),
    part!("gso_max_size", gso_max_size),
    part!("gso_max_segs", gso_max_segs),
    part!("gro_max_size", gro_max_size),
    part!("gso_ipv4_max_size", gso_ipv4_max_size),
    part!("gro_ipv4_max_size", gro_ipv4_max_size),
    part!("carrier", carrier),
    part!("protodown", proto_down),
    Part {
        name: "protodown_reason",
        differs: |before, after| reasons(before) != reasons(after),
        restore: |before, after, link| {
            let mask = reasons(before) ^ reasons(after);
            let value = Some(reasons(before) & mask);
            link.proto_down_reason = Some(ProtoDownReason { mask: Some(mask), value, ..ProtoDownReason::default() });
        },
    },
    Part {
        name: "addrgenmode",
        differs: |before, after| before.addr_gen_mode() != after.addr_gen_mode(),
        restore: |before, _, link| {
            if let Some(mode) = before.addr_gen_mode() {
                link.set_addr_gen_mode(mode);
            }
        },
    },
    Part {
        name: "options of its kind",
        differs: |before, after| differing_options(before, after).is_some(),
        restore: |before, after, link| {
            let changed = differing_options(before, after);
            let kind = before.linkinfo.as_ref().and_then(|info| info.kind.clone());
            let data = changed.map(|bytes| KindData::Unknown(RawNest(bytes.into())));
            link.linkinfo = Some(Box::new(LinkInfo { kind, data, ..LinkInfo::default() }));
        },
    },
    Part {
        name: "options of its port",
        differs: |before, after| differing_port_options(before, after).is_some(),
        restore: |before, after, link| {
            let changed = differing_port_options(before, after);
            let slave_kind = before.linkinfo.as_ref().and_then(|info| info.slave_kind.clone());
            let slave_data = changed.map(|bytes| SlaveData::Unknown(RawNest(bytes.into())));
            link.linkinfo = Some(Box::new(LinkInfo { slave_kind, slave_data, ..LinkInfo::default() }));
        },
    },
    Part {
        name: "flags",
        differs: |before, after| (before.flags ^ after.flags) & SETTABLE_FLAGS != 0,
        restore: |before, after, link| {
            link.set_flags((before.flags ^ after.flags) & SETTABLE_FLAGS, before.flags);
        },
    },
];

/// Returns the names of the settable parts in which two looks at a link differ.
#[must_use]
pub fn differences(before: &Link, after: &Link) -> Vec<&'static str> {
    PARTS.iter().filter(|part| (part.differs)(before, after)).map(|part| part.name).collect()
}

/// Returns the changes that bring a link back to what it was, a part each: one that is refused spoils no other.
#[must_use]
pub fn restoring(before: &Link, after: &Link) -> Vec<Link> {
    let restore = |part: &Part| {
        let mut link = Link { index: before.index, ..Link::default() };
        (part.restore)(before, after, &mut link);
        link
    };
    PARTS.iter().filter(|part| (part.differs)(before, after)).map(restore).collect()
}

fn reasons(link: &Link) -> u32 {
    link.proto_down_reason.as_ref().and_then(|reason| reason.value).unwrap_or(0)
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

fn emitted(emit: impl FnOnce(&mut Builder)) -> Vec<u8> {
    let mut out = Builder::new();
    emit(&mut out);
    out.into_bytes()
}

/// Returns the attributes of `before` that `after` has with another value; `None` where there are none.
fn differing(before: &[u8], after: &[u8], is_reading: fn(u16) -> bool) -> Option<Vec<u8>> {
    let mut out = Builder::new();
    let mut any = false;
    for attribute in Attributes::new(before).filter(|attribute| !is_reading(attribute.number())) {
        let now = Attributes::new(after).find(|other| other.number() == attribute.number());
        if now.is_some_and(|now| now.payload() != attribute.payload()) {
            out.bytes(attribute.flagged_number(), attribute.payload());
            any = true;
        }
    }
    any.then(|| out.into_bytes())
}

/// The options of a link's kind that differ: of a bridge without its ids, timers and counters
/// (`IFLA_BR_ROOT_ID` to `IFLA_BR_GC_TIMER`, `IFLA_BR_MCAST_QUERIER_STATE`, `IFLA_BR_FDB_N_LEARNED`), which are readings.
fn differing_options(before: &Link, after: &Link) -> Option<Vec<u8>> {
    let is_reading = match before.kind() {
        Some("bridge") => |number| matches!(number, 10..=19 | 47 | 48),
        _ => |_| false,
    };
    differing(&kind_bytes(before), &kind_bytes(after), is_reading)
}

/// The options of a port that differ: of a bridge's without its ids and timers (`IFLA_BRPORT_ROOT_ID`
/// to `IFLA_BRPORT_HOLD_TIMER`) and counters (`IFLA_BRPORT_MCAST_N_GROUPS`).
fn differing_port_options(before: &Link, after: &Link) -> Option<Vec<u8>> {
    let is_reading = match before.slave_kind() {
        Some("bridge") => |number| matches!(number, 13..=23 | 41),
        _ => |_| false,
    };
    let same_master = before.master == after.master;
    differing(&port_bytes(before), &port_bytes(after), is_reading).filter(|_| same_master)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vwire_netlink::wire::link::bridge::Bridge;

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
