//! What every object's command asks of the kernel: the socket, a device by its name, names for indexes.

use std::collections::HashMap;

use vwire_netlink::{DumpError, IfName, Link, LinkFilter, Request, RequestError, Socket};

use super::failure::{EXIT_SEMANTIC, Failure, Refusal, errno_sentence};
use super::{Ip, Persona};
use crate::out::link::Context;
use crate::snapshot::names;

/// `ENODEV`.
const ENODEV: i32 = 19;
/// `EINVAL`.
const EINVAL: i32 = 22;
/// `EPERM`.
const EPERM: i32 = 1;
/// `RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS` (`linux/rtnetlink.h`).
pub const NAME_ONLY: u32 = 1 | 1 << 3;

/// Returns a device's name from one with a label behind a colon: `ifupdown` calls an alias of `eth0` `eth0:1` and has it
/// set up, and the kernel's ioctls take that for `eth0`.
fn without_label(name: &[u8]) -> Option<&[u8]> {
    let colon = name.iter().position(|byte| *byte == b':')?;
    name.get(..colon).filter(|device| name.len() <= IfName::MAX_LEN && IfName::new(device).is_ok())
}

/// Returns the index in `if7`, and, as `ip` reads it, in `if7x`.
fn index_in(name: &[u8]) -> Option<u32> {
    let digits = name.strip_prefix(b"if")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}

impl Ip<'_> {
    /// Returns the netlink socket, opened at its first use in the namespace of the calling thread; with `--from`, one that
    /// a snapshot answers.
    ///
    /// # Errors
    /// The kernel has no netlink, or no descriptor is left; or the snapshot cannot be read.
    pub fn socket(&mut self) -> Result<&mut Socket, Failure> {
        if self.socket.is_none() && self.options.from.is_some() {
            self.open_recorded()?;
        }
        if self.socket.is_none() {
            let socket = Socket::open().map_err(|error| {
                Failure::new(EXIT_SEMANTIC, "Cannot open netlink socket", error.to_string())
                    .trying("cannot talk to the kernel")
            })?;
            self.socket = Some(socket);
        }
        self.socket.as_mut().ok_or_else(Failure::incomplete)
    }

    /// Returns the index of a device by its name, by one of its other names, by its name with a label as `eth0:1`, or by
    /// `if` and the index itself.
    ///
    /// # Errors
    /// The socket cannot be opened. A device that is not there is `None`.
    pub fn device(&mut self, name: &[u8]) -> Result<Option<u32>, Failure> {
        if name.is_empty() {
            return Ok(None);
        }
        if let Some(index) = self.index_of(name)? {
            return Ok(Some(index));
        }
        match without_label(name).map(|name| self.index_of(name)).transpose()?.flatten() {
            Some(index) => Ok(Some(index)),
            None => Ok(index_in(name)),
        }
    }

    fn index_of(&mut self, name: &[u8]) -> Result<Option<u32>, Failure> {
        Ok(self.link_named(name, NAME_ONLY)?.map(|link| link.index))
    }

    /// Returns one link by its name or one of its other names, or `None` where there is none.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn link_named(&mut self, name: &[u8], ext_mask: u32) -> Result<Option<Link>, Failure> {
        if let Some(rehearsal) = self.rehearsal() {
            return Ok(rehearsal.device(name).and_then(|index| rehearsal.link(index)));
        }
        let by_name = match IfName::new(name) {
            Ok(name) => Link::named(name),
            Err(_) if name.is_empty() => return Ok(None),
            Err(_) => Link { alt_ifname: Some(name.into()), ..Link::default() },
        };
        let wanted = Link { ext_mask: Some(ext_mask), ..by_name };
        Ok(self.socket()?.get::<Link>(&Request::get_link(&wanted)).ok())
    }

    /// Returns one link by its index, or `None` where there is none.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn link(&mut self, index: u32, ext_mask: u32) -> Result<Option<Link>, Failure> {
        if let Some(rehearsal) = self.rehearsal() {
            return Ok(rehearsal.link(index));
        }
        let wanted = Link { index, ext_mask: Some(ext_mask), ..Link::default() };
        Ok(self.socket()?.get::<Link>(&Request::get_link(&wanted)).ok())
    }

    /// Returns the name of a device, `if` and its index where there is none.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn device_name(&mut self, index: u32) -> Result<Vec<u8>, Failure> {
        let name = self.link(index, NAME_ONLY)?.and_then(|link| link.ifname);
        Ok(name.map_or_else(|| format!("if{index}").into_bytes(), |name| name.as_bytes().to_vec()))
    }

    /// Returns what is needed to print links: the names of the links that they refer to, of
    /// namespaces and of groups.
    ///
    /// # Errors
    /// The socket cannot be opened. What cannot be named keeps its number.
    pub fn context(&mut self, links: &[Link]) -> Result<Context, Failure> {
        let mut context = Context {
            groups: self.tables.rows(names::GROUPS),
            protodown_reasons: self.tables.rows(names::PROTODOWN_REASONS),
            ..Context::default()
        };
        for link in links {
            remember(&mut context.links, link);
        }
        let wanted: Vec<u32> = links.iter().flat_map(crate::out::link::references).collect();
        for index in wanted {
            if let std::collections::hash_map::Entry::Vacant(_) = context.links.entry(index)
                && let Some(link) = self.link(index, NAME_ONLY)?
            {
                remember(&mut context.links, &link);
            }
        }
        links.iter().for_each(|link| name_owners(&mut context, link));
        if links.iter().any(|link| link.link_netnsid.is_some_and(|id| id >= 0) || link.new_netnsid.is_some()) {
            context.namespaces = self.namespace_names()?;
        }
        Ok(context)
    }

    /// Returns the names of the named namespaces by the id that this namespace has for them.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn namespace_names(&mut self) -> Result<HashMap<i32, Vec<u8>>, Failure> {
        if self.options.from.is_some() {
            self.socket()?;
            return Ok(self.recorded_names.clone());
        }
        super::netns::names_by_id(self)
    }

    /// Returns the links that pass a filter, without counters unless `-s` asks for them.
    ///
    /// # Errors
    /// The kernel refuses the dump.
    pub fn links(&mut self, filter: LinkFilter) -> Result<Vec<Link>, Failure> {
        let filter = LinkFilter { skip_stats: self.options.stats == 0, ..filter };
        let persona = self.persona;
        self.socket()?.links(&filter).map_err(|error| dump_failure(&error, persona))
    }
}

/// Returns what an error number is called, as in `EEXIST`.
pub(in crate::cli) fn errno_name(errno: i32) -> String {
    format!("{:?}", nix::errno::Errno::from_raw(errno))
}

/// Looks up who owns a TUN or TAP device.
pub fn name_owners(context: &mut Context, link: &Link) {
    let Some(owners) = link.linkinfo.as_deref().map(crate::out::kind::owners) else { return };
    context.users.extend(owners.user.and_then(|id| Some((id, names::user(id)?))));
    context.user_groups.extend(owners.group.and_then(|id| Some((id, names::user_group(id)?))));
}

fn remember(links: &mut HashMap<u32, (Vec<u8>, u32)>, link: &Link) {
    if let Some(name) = &link.ifname {
        links.insert(link.index, (name.as_bytes().to_vec(), link.flags));
    }
}

/// Turns the kernel's refusal of a request into a failure.
#[must_use]
pub fn refusal(error: &RequestError) -> Failure {
    let failure = Failure::kernel(error);
    match error.errno() {
        EPERM => failure.hint(
            "this takes CAP_NET_ADMIN in the namespace: run it as root, or in a namespace of your own \
             (`unshare -Urn`)",
        ),
        ENODEV => failure.hint("`vwire ls --all` shows the devices of all namespaces"),
        EINVAL if error.message().is_none() => failure
            .hint("the kernel gives no reason; the values may be out of the device's bounds: `vwire -d link show`"),
        _ => failure,
    }
}

/// Turns a dump that failed into a failure.
#[must_use]
pub fn dump_failure(error: &DumpError, persona: Persona) -> Failure {
    let failure = match Refusal::of_dump(error) {
        Some(refusal) => Failure::kernel(refusal),
        None => Failure::new(EXIT_SEMANTIC, "Dump terminated", error.to_string()),
    };
    let exit = if persona == Persona::Ip { 1 } else { EXIT_SEMANTIC };
    failure.trying("cannot list what the kernel has").with_exit(exit)
}

/// Turns a list that the kernel refused into a failure, where `ip` says at the end that it has given up.
#[must_use]
pub fn list_refused(error: &DumpError, exit: u8, end: &str) -> Failure {
    let Some(refusal) = Refusal::of_dump(error) else {
        return Failure::new(exit, end, error.to_string());
    };
    let said = match error.message().filter(|sentence| !sentence.is_empty()) {
        Some(sentence) => format!("Error: {sentence}{}", if sentence.ends_with('.') { "" } else { "." }),
        None => format!("RTNETLINK answers: {}", errno_sentence(refusal.errno)),
    };
    Failure::kernel(refusal).with_exit(exit).said_by_ip(format!("{said}\n{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_a_colon_is_a_label() {
        assert_eq!(without_label(b"eth0:1"), Some(&b"eth0"[..]));
        assert_eq!(without_label(b"eth0:a:b"), Some(&b"eth0"[..]));
        assert_eq!(without_label(b"eth0:"), Some(&b"eth0"[..]));
        assert_eq!(without_label(b":1"), None);
        assert_eq!(without_label(b"eth0"), None);
        assert_eq!(without_label(b"eth0:of-16-bytes"), None, "ioctls have no room for it");
    }

    #[test]
    fn a_name_that_is_an_index_is_read_as_far_as_it_is_one() {
        assert_eq!(index_in(b"if7"), Some(7));
        assert_eq!(index_in(b"if7x"), Some(7));
        assert_eq!(index_in(b"if"), None);
        assert_eq!(index_in(b"ifx7"), None);
    }
}
