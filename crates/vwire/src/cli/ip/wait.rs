//! `--wait`: a command is done only when what it made can be used, within a bound.
//!
//! A link can be used when it has a carrier and none of its IPv6 addresses is still being checked for a duplicate; an
//! address when it is no longer checked. Nothing is asked over and over: the kernel says when something changes.

use std::time::{Duration, Instant};

use vwire_netlink::{Address, AddressFilter, Group, IfName, Link, Monitor, Namespaces, Request};

use super::Ip;
use super::failure::{EXIT_SEMANTIC, Failure};

/// `IFF_UP`.
const UP: u32 = 0x1;
/// `IFF_LOWER_UP`.
const LOWER_UP: u32 = 0x1_0000;
/// `IFA_F_TENTATIVE`.
const TENTATIVE: u32 = 0x40;
/// `IFA_F_DADFAILED`.
const DUPLICATE: u32 = 0x08;

/// What is waited for.
#[derive(Debug, Clone)]
pub(super) enum Awaited {
    /// A link, by its index or else by its name.
    Link {
        /// The index, or 0.
        index: u32,
        /// The name.
        name: Option<Vec<u8>>,
    },
    /// An address.
    Address(Address),
}

/// How far it is.
enum State {
    Ready,
    /// What is still missing, in words.
    Lacks(String),
    /// It will never be ready.
    Failed(String),
}

/// How long nothing is looked at, at most.
const MOMENT: Duration = Duration::from_millis(200);

/// Waits until all that was noted can be used.
///
/// # Errors
/// The time is over: what was not reached; or it never will be.
pub(super) fn wait(ip: &mut Ip<'_>, patience: Duration) -> Result<(), Failure> {
    let awaited = std::mem::take(&mut ip.awaited);
    if awaited.is_empty() {
        return Ok(());
    }
    let groups = [Group::LINK, Group::IPV4_IFADDR, Group::IPV6_IFADDR];
    let monitor = Monitor::open(&groups, Namespaces::Own);
    let mut monitor = monitor.map_err(|error| Failure::new(EXIT_SEMANTIC, "", error.to_string()))?;
    let end = Instant::now() + patience;
    for one in &awaited {
        loop {
            let lacks = match state(ip, one)? {
                State::Ready => break,
                State::Failed(why) => return Err(Failure::new(EXIT_SEMANTIC, "", why).trying("done, but of no use")),
                State::Lacks(what) => what,
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let seconds = patience.as_secs_f64();
                return Err(Failure::new(EXIT_SEMANTIC, "", format!("{lacks} after {seconds} s"))
                    .trying("done, but cannot be used yet")
                    .hint("`--wait=SECONDS` waits longer; `vwire ls` shows what is at the other end"));
            }
            super::whole::go_on(ip)?;
            // A lost event only makes it look again, and so does a moment, for the sake of signals that are held back.
            let _ = monitor.next(Some(left.clamp(Duration::from_millis(1), MOMENT)));
        }
    }
    Ok(())
}

fn state(ip: &mut Ip<'_>, awaited: &Awaited) -> Result<State, Failure> {
    match awaited {
        Awaited::Link { index, name } => {
            let wanted = match name.as_deref().and_then(|name| IfName::new(name).ok()) {
                Some(name) if *index == 0 => Link::named(name),
                _ => Link { index: *index, ..Link::default() },
            };
            match ip.socket()?.get::<Link>(&Request::get_link(&wanted)) {
                Ok(link) => of_link(ip, &link),
                Err(error) => Ok(State::Failed(format!("the link is gone: {error}"))),
            }
        }
        Awaited::Address(wanted) => {
            let local = |address: &Address| address.local.or(address.address);
            let found = addresses(ip, wanted.index)?.into_iter().find(|address| local(address) == local(wanted));
            match found {
                Some(address) => Ok(of_address(&address)),
                None => Ok(State::Failed("the address is gone again".to_owned())),
            }
        }
    }
}

fn addresses(ip: &mut Ip<'_>, index: u32) -> Result<Vec<Address>, Failure> {
    let filter = AddressFilter { index, ..AddressFilter::all() };
    ip.socket()?.addresses(&filter).map_err(|error| super::kernel::dump_failure(&error, ip.persona))
}

fn of_link(ip: &mut Ip<'_>, link: &Link) -> Result<State, Failure> {
    let name = link.ifname.map(|name| name.to_string()).unwrap_or_default();
    if link.flags & UP == 0 {
        return Ok(State::Lacks(format!("`{name}` is down")));
    }
    if link.flags & LOWER_UP == 0 {
        return Ok(State::Lacks(format!("`{name}` has no carrier")));
    }
    let states = addresses(ip, link.index)?.iter().map(of_address).collect::<Vec<_>>();
    Ok(states.into_iter().find(|state| matches!(state, State::Lacks(_))).unwrap_or(State::Ready))
}

fn of_address(address: &Address) -> State {
    let shown = address.local.or(address.address).map(|local| local.to_string()).unwrap_or_default();
    match address.all_flags() {
        flags if flags & DUPLICATE != 0 => State::Failed(format!("{shown} is in use by somebody else on the link")),
        flags if flags & TENTATIVE != 0 => State::Lacks(format!("{shown} is still checked for a duplicate")),
        _ => State::Ready,
    }
}
