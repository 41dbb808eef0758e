//! `ip neigh add`, `change`, `replace` and `del`: asks the kernel, and explains what it refuses.

use vwire_netlink::{Neighbour, RequestError};

use super::change::{self, Verb, Wanted};
use crate::cli::ip::kernel::refusal;
use crate::cli::ip::link::change::send;
use crate::cli::ip::words::{Words, shown};
use crate::cli::ip::{Failure, Ip, Persona};
use crate::out::neigh::STATES;

/// `ENOENT`.
const ENOENT: i32 = 2;
/// `EEXIST`.
const EEXIST: i32 = 17;
/// `EINVAL`.
const EINVAL: i32 = 22;
/// `EOPNOTSUPP`.
const EOPNOTSUPP: i32 = 95;
/// `ENETDOWN`.
const ENETDOWN: i32 = 100;

impl Verb {
    /// Says what is done, to put behind "cannot".
    fn tried(self, wanted: &Wanted) -> String {
        let address = wanted.shown();
        let place = wanted.device.as_ref().map(|device| format!(" on `{}`", shown(device))).unwrap_or_default();
        match self {
            Self::Add => format!("cannot add neighbour {address}{place}"),
            Self::Change => format!("cannot change neighbour {address}{place}"),
            Self::Replace => format!("cannot set neighbour {address}{place}"),
            Self::Delete => format!("cannot delete neighbour {address}{place}"),
        }
    }
}

/// Runs a command that changes a neighbour.
///
/// # Errors
/// A wrong word, a device that is not there, or what the kernel refuses.
pub fn run(ip: &mut Ip<'_>, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    if super::asks_for_help(ip, words) {
        return Err(Failure::usage(super::HELP));
    }
    let wanted = change::read(ip.options.family, words)?;
    let tried = verb.tried(&wanted);
    let mut neighbour = wanted.neighbour.clone();
    if let Some(device) = &wanted.device {
        let missing = || Failure::no_device(device).trying(tried.clone());
        neighbour.index = ip.device(device)?.ok_or_else(missing)?;
    }
    match send(ip, &verb.request(&neighbour))? {
        Ok(_) => Ok(()),
        Err(error) => Err(explain(ip, verb, &wanted, &neighbour, &error)?.trying(tried)),
    }
}

/// Turns the kernel's refusal into a failure that says what is in the way.
fn explain(
    ip: &mut Ip<'_>,
    verb: Verb,
    wanted: &Wanted,
    neighbour: &Neighbour,
    error: &RequestError,
) -> Result<Failure, Failure> {
    let failure = refusal(error);
    if ip.persona == Persona::Ip {
        return Ok(failure);
    }
    let device = wanted.device.as_deref().map(shown).unwrap_or_default();
    Ok(match error.errno() {
        EEXIST => {
            let address = wanted.shown();
            let held = held(ip, neighbour)?.into_iter().find(|(index, _)| *index == neighbour.index);
            let failure = match held {
                Some((_, text)) => failure.hint(format!("`{device}` has {text}")),
                None => {
                    failure.hint(format!("`vwire neigh show {address} dev {device} nud all` shows what is in the way"))
                }
            };
            failure.hint("`vwire neigh replace` in the place of `add` does not mind")
        }
        ENOENT => hint_at_holder(ip, failure, neighbour, &device)?,
        EINVAL if verb != Verb::Delete && neighbour.lladdr.is_none() => failure
            .hint("a state such as `permanent` needs a link-layer address: put `lladdr LLADDR` behind the address"),
        EOPNOTSUPP => {
            failure.hint(format!("`{device}` has no neighbours: `vwire -d link show {device}` shows its kind"))
        }
        ENETDOWN => failure.hint(format!("`vwire link set {device} up` first")),
        _ => failure,
    })
}

/// Says where an address is that was not found: on another device, or nowhere.
///
/// # Errors
/// The socket cannot be opened.
pub fn hint_at_holder(
    ip: &mut Ip<'_>,
    failure: Failure,
    neighbour: &Neighbour,
    device: &str,
) -> Result<Failure, Failure> {
    if ip.persona == Persona::Ip {
        return Ok(failure);
    }
    let Some((index, text)) = held(ip, neighbour)?.into_iter().next() else {
        return Ok(failure.hint(format!("`vwire neigh show dev {device} nud all` lists those it has")));
    };
    let name = ip.link(index, 0)?.and_then(|link| link.ifname);
    let name = name.map_or_else(|| format!("if{index}"), |name| name.to_string());
    Ok(failure.hint(format!("`{name}` has {text}")))
}

/// Returns who has the same address: the index of the device, and the entry in words.
fn held(ip: &mut Ip<'_>, wanted: &Neighbour) -> Result<Vec<(u32, String)>, Failure> {
    let all =
        Neighbour { family: wanted.family, flags: wanted.flags & crate::out::neigh::PROXY, ..Neighbour::default() };
    let neighbours = ip.socket()?.neighbours(&all).unwrap_or_default();
    let same = neighbours.into_iter().filter(|neighbour| neighbour.dst.is_some() && neighbour.dst == wanted.dst);
    Ok(same.filter_map(|neighbour| Some((neighbour.index, in_words(&neighbour)?))).collect())
}

fn in_words(neighbour: &Neighbour) -> Option<String> {
    let mut text = neighbour.dst?.to_string();
    if let Some(address) = &neighbour.lladdr {
        let octets: Vec<String> = address.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
        text = format!("{text} at {}", octets.join(":"));
    }
    let state = STATES.iter().find(|(state, _)| neighbour.state & state != 0);
    Some(state.map_or(text.clone(), |(_, word)| format!("{text}, {}", word.to_lowercase())))
}
