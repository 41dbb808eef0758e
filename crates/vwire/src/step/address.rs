//! Addresses: what makes two the same, what the kernel makes by itself, how one becomes another. Pure.
//!
//! IPv4 keeps the addresses of a link in order: the first of a subnet is its primary, and takes the others with it when
//! it goes. So where one in the middle is missing, those behind it go, last first, and all come again in order. IPv6 has
//! no such order, but sets newer ones before older.

use std::net::IpAddr;

use vwire_netlink::Address;
use vwire_netlink::wire::address::AddressCacheInfo;

use super::delta::{compare, is_satisfied};
use super::difference::Difference;
use super::plan::{Context, Plan, Stage};
use super::{Object, Verb, words};
use crate::snapshot::state::State;
use crate::step::world::Names;

/// `AF_INET`.
const INET: u8 = 2;
/// `IFA_F_SECONDARY`.
const SECONDARY: u32 = 0x01;
/// `IFA_F_PERMANENT`.
const PERMANENT: u32 = 0x80;
/// The flags that a request can set: NODAD, OPTIMISTIC, HOMEADDRESS, MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN.
const SETTABLE_FLAGS: u32 = 0x02 | 0x04 | 0x10 | 0x100 | 0x200 | 0x400;
/// The flags that can be changed on an IPv6 address that is there (`inet6_addr_modify`).
const CHANGEABLE_FLAGS: u32 = 0x10 | 0x100 | 0x200;
/// `IFAPROT_KERNEL_LO`, `IFAPROT_KERNEL_RA`, `IFAPROT_KERNEL_LL`.
const BY_KERNEL: std::ops::RangeInclusive<u8> = 1..=3;
/// `IFAPROT_KERNEL_RA`.
const BY_ROUTER: u8 = 2;
/// `IN6_ADDR_GEN_MODE_NONE`.
const GEN_NONE: u8 = 1;
/// The life of an address that never ends.
const FOREVER: u32 = u32::MAX;

/// What makes two addresses the same.
pub(super) type Key = (u32, Option<IpAddr>, u8, Option<IpAddr>);

pub(super) fn key(address: &Address) -> Key {
    match address.family {
        INET => (address.index, local(address), address.prefixlen, peer(address)),
        _ => (address.index, local(address), 0, None),
    }
}

/// Returns the address itself.
pub(super) fn local(address: &Address) -> Option<IpAddr> {
    address.local.or(address.address)
}

/// Returns the other end's address; where there is none, the address itself.
pub(super) fn peer(address: &Address) -> Option<IpAddr> {
    address.address.or(address.local)
}

/// Returns whether the kernel made an address by itself, and will again.
pub(super) fn is_kernels(address: &Address) -> bool {
    match address.proto {
        Some(by) if by != 0 => BY_KERNEL.contains(&by),
        _ => match local(address) {
            Some(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unicast_link_local() && address.proto.is_none(),
            Some(IpAddr::V4(ip)) => ip.octets() == [127, 0, 0, 1] && address.proto.is_none(),
            None => false,
        },
    }
}

/// Returns whether an address comes and goes by what routers say.
fn is_routers(address: &Address) -> bool {
    address.proto == Some(BY_ROUTER)
        || address.family != INET && address.all_flags() & (PERMANENT | SECONDARY) == SECONDARY
}

fn is_satisfied_by(wanted: &Address, now: &Address, is_picture: bool) -> bool {
    unsatisfied(wanted, now, is_picture).is_none()
}

/// Returns the name of an attribute that is not as it is wanted.
fn unsatisfied(wanted: &Address, now: &Address, is_picture: bool) -> Option<&'static str> {
    let flags = |address: &Address| address.all_flags() & SETTABLE_FLAGS;
    let flags_fit = match is_picture {
        true => flags(wanted) == flags(now),
        false => flags(wanted) & !flags(now) == 0,
    };
    let metric = |address: &Address| address.rt_priority.filter(|metric| *metric != 0);
    let fits = [
        ("prefix length", wanted.prefixlen == now.prefixlen),
        ("peer", peer(wanted) == peer(now)),
        ("broadcast", is_satisfied(wanted.broadcast.as_ref(), now.broadcast.as_ref(), is_picture)),
        ("label", is_satisfied(wanted.label.as_ref(), now.label.as_ref(), false)),
        ("scope", wanted.family != INET || wanted.scope == now.scope),
        ("metric", is_satisfied(metric(wanted).as_ref(), metric(now).as_ref(), is_picture)),
        ("flags", flags_fit),
        ("proto", !is_picture || wanted.proto.unwrap_or(0) == now.proto.unwrap_or(0)),
        ("lifetime", life_fits(wanted, now)),
    ];
    fits.into_iter().find(|(_, fits)| !fits).map(|(name, _)| name)
}

fn life_fits(wanted: &Address, now: &Address) -> bool {
    // What counts is whether it ends: how long is left has changed by the time it is read.
    let sort = |info: &AddressCacheInfo| (info.valid == FOREVER, info.preferred == FOREVER, info.preferred == 0);
    match (&wanted.cacheinfo, &now.cacheinfo) {
        (Some(wanted), Some(now)) => sort(wanted) == sort(now),
        _ => true,
    }
}

/// Returns what a request for this address says: without what only the kernel can say of it.
fn asked(address: &Address) -> Address {
    let forever = address.cacheinfo.as_ref().is_none_or(|info| info.valid == FOREVER && info.preferred == FOREVER);
    let flags = address.all_flags() & SETTABLE_FLAGS;
    let life = address.cacheinfo.filter(|_| !forever);
    Address {
        header_flags: 0,
        flags: (flags != 0).then_some(flags),
        cacheinfo: life.map(|info| AddressCacheInfo { created: 0, updated: 0, ..info }),
        proto: address.proto.filter(|proto| *proto != 0),
        rt_priority: address.rt_priority.filter(|metric| *metric != 0),
        local: local(address),
        address: peer(address),
        target_netnsid: None,
        mc_users: None,
        ..address.clone()
    }
}

/// Returns whether an address was made up on a link that is to make up none.
fn is_made_up(address: &Address, wanted: &State) -> bool {
    let is_local = matches!(local(address), Some(IpAddr::V6(ip)) if ip.is_unicast_link_local());
    is_local && wanted.link(address.index).is_some_and(|link| link.addr_gen_mode() == Some(GEN_NONE))
}

/// Returns the addresses of a state that count here.
fn considered<'a>(context: &Context<'a>, state: &'a State, is_checking: bool) -> impl Iterator<Item = &'a Address> {
    let Context { place, scope, wanted, .. } = *context;
    let context = *context;
    let is_wanted = move |address: &Address| wanted.addresses.iter().any(|other| key(other) == key(address));
    state.addresses.iter().filter(move |address| {
        scope.has_link(place, address.index)
            && !is_routers(address)
            && match context.is_picture() {
                true => !is_kernels(address) || is_checking || context.is_quiet(address.index),
                false => !is_kernels(address) || is_wanted(address) || is_made_up(address, wanted),
            }
    })
}

/// Adds the steps that bring addresses to what is wanted; `touched` gets the links of which some go or come.
pub(super) fn plan(context: &Context<'_>, plan: &mut Plan, touched: &mut Vec<u32>) {
    let picture = context.is_picture();
    let family = |wanted: bool, v4: bool| {
        let state = if wanted { context.wanted } else { context.now };
        considered(context, state, false).filter(move |address| (address.family == INET) == v4)
    };
    let (wanted, now): (Vec<_>, Vec<_>) = (family(true, true).collect(), family(false, true).collect());
    let mut indexes: Vec<u32> = wanted.iter().chain(&now).map(|address| address.index).collect();
    indexes.sort_unstable();
    indexes.dedup();
    let mut changes = Changes::default();
    for index in indexes {
        let on_link = |from: &[&'_ Address]| -> Vec<Address> {
            from.iter().filter(|address| address.index == index).map(|address| (*address).clone()).collect()
        };
        match picture {
            true => changes.in_order(&on_link(&wanted), &on_link(&now)),
            false => changes.by_subnet(&on_link(&wanted), &on_link(&now)),
        }
    }
    let satisfied = |wanted: &Address, now: &Address| is_satisfied_by(wanted, now, picture);
    let delta = compare(family(true, false), family(false, false), key, satisfied);
    changes.gone.extend(delta.gone.into_iter().cloned());
    for (now, wanted) in delta.changed {
        let flags = (now.all_flags() ^ wanted.all_flags()) & SETTABLE_FLAGS & !CHANGEABLE_FLAGS;
        if now.prefixlen == wanted.prefixlen && peer(now) == peer(wanted) && flags == 0 {
            changes.replaced.push(wanted.clone());
        } else {
            changes.gone.push(now.clone());
            changes.made.push(wanted.clone());
        }
    }
    changes.made.extend(delta.made.into_iter().rev().cloned());
    changes.into_plan(context, plan, touched);
}

#[derive(Default)]
struct Changes {
    gone: Vec<Address>,
    replaced: Vec<Address>,
    made: Vec<Address>,
}

impl Changes {
    /// Keeps the beginning that is right, and makes the rest anew.
    fn in_order(&mut self, wanted: &[Address], now: &[Address]) {
        let same = wanted
            .iter()
            .zip(now)
            .take_while(|(wanted, now)| key(wanted) == key(now) && is_satisfied_by(wanted, now, true));
        let kept = same.count();
        self.gone.extend(now[kept..].iter().rev().cloned());
        self.made.extend_from_slice(&wanted[kept..]);
    }

    /// Deletes and makes what differs, and what would go with a primary that goes.
    fn by_subnet(&mut self, wanted: &[Address], now: &[Address]) {
        let delta = compare(wanted, now, key, |wanted, now| is_satisfied_by(wanted, now, false));
        let changed_now = delta.changed.iter().map(|(now, _)| *now);
        let mut gone: Vec<&Address> = delta.gone.iter().copied().chain(changed_now).collect();
        let lost: Vec<&Address> = now
            .iter()
            .filter(|address| !gone.iter().any(|other| key(other) == key(address)))
            .filter(|address| gone.iter().any(|primary| goes_with(address, primary)))
            .collect();
        gone.extend(lost.iter().copied());
        gone.sort_by_key(|address| address.all_flags() & SECONDARY == 0);
        self.gone.extend(gone.into_iter().cloned());
        let is_lost = |address: &Address| lost.iter().any(|other| key(other) == key(address));
        let is_made = |address: &&Address| {
            let made = delta.made.iter().copied().chain(delta.changed.iter().map(|(_, wanted)| *wanted));
            is_lost(address) || made.into_iter().any(|other| std::ptr::eq(other, *address))
        };
        self.made.extend(wanted.iter().filter(is_made).cloned());
    }

    fn into_plan(self, context: &Context<'_>, plan: &mut Plan, touched: &mut Vec<u32>) {
        let place = context.place;
        touched.extend(self.gone.iter().chain(&self.made).chain(&self.replaced).map(|address| address.index));
        for address in self.gone {
            plan.object(Stage::AddressGoes, place, Verb::Delete, Object::Address(Box::new(identity(&address))));
        }
        for address in self.replaced {
            plan.object(Stage::AddressComes, place, Verb::Replace, Object::Address(Box::new(asked(&address))));
        }
        for address in self.made {
            plan.object(Stage::AddressComes, place, Verb::Add, Object::Address(Box::new(asked(&address))));
        }
    }
}

/// Returns whether a secondary address goes with a primary one: it is in the same subnet.
fn goes_with(address: &Address, primary: &Address) -> bool {
    let is_secondary = |address: &Address| address.all_flags() & SECONDARY != 0;
    let (Some(IpAddr::V4(one)), Some(IpAddr::V4(other))) = (peer(address), peer(primary)) else { return false };
    let mask = u32::MAX.checked_shl(32 - u32::from(primary.prefixlen.min(32))).unwrap_or(0);
    is_secondary(address)
        && !is_secondary(primary)
        && address.prefixlen == primary.prefixlen
        && u32::from(one) & mask == u32::from(other) & mask
}

/// Returns what a request to delete this address says: no more than which one it is.
fn identity(address: &Address) -> Address {
    Address {
        family: address.family,
        prefixlen: address.prefixlen,
        index: address.index,
        local: local(address),
        address: peer(address),
        label: None,
        ..Address::default()
    }
}

/// Adds how the addresses differ from what is wanted.
pub(super) fn differences(context: &Context<'_>, names: &Names, to: &mut Vec<Difference>) {
    let place = context.place;
    let name = |address: &Address| format!("addr {}", words::address(address, names, place));
    let satisfied = |wanted: &Address, now: &Address| is_satisfied_by(wanted, now, context.is_picture());
    let (wanted, now) = (considered(context, context.wanted, true), considered(context, context.now, true));
    let delta = compare(wanted, now, key, satisfied);
    to.extend(delta.made.iter().map(|address| Difference::missing(place, name(address))));
    to.extend(delta.gone.iter().map(|address| Difference::surplus(place, name(address))));
    for (now, wanted) in delta.changed {
        let attribute = unsatisfied(wanted, now, context.is_picture()).unwrap_or("value");
        let shown = |address: &Address| Some(words::address(address, names, place));
        to.push(Difference { place, object: name(wanted), attribute, is: shown(now), should: shown(wanted) });
    }
}
