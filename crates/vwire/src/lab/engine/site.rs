//! The namespaces of a lab's nodes, open, with a socket in each.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use vwire_netlink::wire::link::PropList;
use vwire_netlink::{Link, OpenError, Request, Socket};

use crate::lab::compile::LOOPBACK;
use crate::lab::engine::Done;
use crate::lab::failed::Failed;
use crate::lab::mark;
use crate::lab::model::{Lab, Node};
use crate::lab::namespace::named::{self, Name, Ready};
use crate::lab::namespace::walk::Walker;
use crate::lab::namespace::{DIRECTORY, Namespace, run_in};
use crate::lab::sysctl;
use crate::snapshot::state::State;
use crate::step::run::{Inside, Room};

/// `IFF_UP`.
const UP: u32 = 1;
/// Descriptors beside those of the nodes.
const OTHER_DESCRIPTORS: u64 = 64;

/// A node's namespace.
#[derive(Debug)]
pub struct Site {
    /// The namespace.
    pub namespace: Namespace,
    /// A socket in it.
    pub socket: Socket,
    /// Whether this run has made it.
    pub is_new: bool,
    /// Whether the lab translated or filtered here as it was applied last.
    pub had_rules: bool,
}

impl Site {
    /// Returns it as a place for steps, called `name`, of which these sysctls count.
    #[must_use]
    pub fn into_room(self, name: &str, sysctls: &State) -> Room {
        let handle: OwnedFd = self.namespace.into();
        // Good as long as the room, which owns the descriptor, and with it this closure lives.
        let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
        let inside: Inside = Box::new(move |body| run_in(&Namespace::open(&path)?, body));
        let room = Room::new(name.to_owned(), handle, inside).with_socket(self.socket);
        room.with_sysctls(sysctls.sysctls.keys().cloned())
    }
}

/// Sees to it that a namespace and a socket can be open for each of so many nodes.
///
/// # Errors
/// The limit of this process is lower and may not be raised.
pub fn allow_descriptors(nodes: usize) -> Done<()> {
    let needed = u64::try_from(nodes).unwrap_or(u64::MAX).saturating_mul(2).saturating_add(OTHER_DESCRIPTORS);
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1024, 1024));
    if soft >= needed {
        return Ok(());
    }
    let wanted = needed.max(hard);
    let raised = setrlimit(Resource::RLIMIT_NOFILE, needed.min(hard).max(soft), hard);
    if raised.is_ok() && hard >= needed {
        return Ok(());
    }
    // Only root may raise the hard limit.
    setrlimit(Resource::RLIMIT_NOFILE, needed, wanted).map_err(|errno| {
        Failed::new(format!("a lab of {nodes} nodes takes {needed} open files, and {hard} are allowed"))
            .because(&errno.into())
            .hint(format!("`ulimit -n {needed}` before it, or the limit `nofile` in /etc/security/limits.conf"))
    })
}

/// Returns the name of a node's namespace.
///
/// # Errors
/// It would be too long for a file.
pub fn name_of(lab: &str, node: &Node) -> Done<Name> {
    let name = mark::namespace(lab, &node.name);
    Name::parse(name.as_bytes())
        .ok_or_else(|| Failed::new(format!("`{name}` is no name for a namespace")).at(node.span))
}

/// Opens a namespace that the walker is in.
///
/// # Errors
/// No socket can be opened.
pub fn socket(node: &Node) -> Done<Socket> {
    Socket::open().map_err(|error: OpenError| {
        Failed::new(format!("cannot open a socket in `{}`", node.name)).because(&error.source).at(node.span)
    })
}

/// Makes a node's namespace with its mark, its sysctls and `lo` up, and only then names it.
///
/// # Errors
/// What the kernel refuses. Nothing has the name then.
pub fn make(walker: &mut Walker, ready: &Ready, lab: &Lab, node: &Node, buffer: &mut Vec<u8>) -> Done<Site> {
    let failed = |what: &str, error: &io::Error| {
        Failed::new(format!("cannot {what} the namespace of `{}`", node.name)).because(error).at(node.span)
    };
    let namespace = walker.make().map_err(|error| {
        let failed = failed("make", &error);
        match error.raw_os_error() {
            Some(nix::libc::ENOSPC) => {
                failed.hint("`sysctl user.max_net_namespaces` is how many there may be; `sudo sysctl -w` raises it")
            }
            _ => failed,
        }
    })?;
    let mut socket = socket(node)?;
    socket.swap_buffer(buffer);
    let mut lo = Link { index: LOOPBACK, ..Link::default() };
    let own = vec![mark::of_node(&lab.name, &node.name).as_str().into()];
    let names = Link { prop_list: Some(Box::new(PropList { alt_ifname: own, ..PropList::default() })), ..lo.clone() };
    lo.set_flags(UP, UP);
    for answer in socket.batch(&[Request::new_link_names(&names), Request::set_link(&lo)]) {
        answer.map_err(|error| Failed::new(format!("cannot mark the namespace of `{}`", node.name)).refused(&error))?;
    }
    socket.swap_buffer(buffer);
    set_sysctls(node)?;
    ready.name_own(&name_of(&lab.name, node)?).map_err(|error| failed("name", &error.source))?;
    Ok(Site { namespace, socket, is_new: true, had_rules: false })
}

/// Sets the sysctls of a node, but for those of devices that are not there yet.
fn set_sysctls(node: &Node) -> Done<()> {
    for (name, value) in crate::lab::compile::sysctls(node).iter().filter(|(name, _)| !is_of_device(name, node)) {
        match sysctl::write(name, value) {
            // A kernel without IPv6 has nothing to be set, unless the file says so.
            Err(error) if node.sysctls.contains_key(name) || error.kind() != io::ErrorKind::NotFound => {
                return Err(Failed::new(format!("cannot set `{name}` to `{value}` in `{}`", node.name))
                    .because(&error)
                    .at(node.span));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Sets the sysctls of a node's devices; the walker is in its namespace.
///
/// # Errors
/// There is none of that name, or the kernel does not take the value.
pub fn set_device_sysctls(node: &Node) -> Done<()> {
    for (name, value) in node.sysctls.iter().filter(|(name, _)| is_of_device(name, node)) {
        sysctl::write(name, value).map_err(|error| {
            Failed::new(format!("cannot set `{name}` to `{value}` in `{}`", node.name)).because(&error).at(node.span)
        })?;
    }
    Ok(())
}

/// Returns whether a sysctl is one of a device, such as `net.ipv4.conf.eth0.rp_filter`.
#[must_use]
pub fn is_of_device(name: &str, node: &Node) -> bool {
    let mut parts = name.split('.');
    let of = |part: Option<&str>, words: &[&str]| part.is_some_and(|part| words.contains(&part));
    let is_table = of(parts.next(), &["net"])
        && of(parts.next(), &["ipv4", "ipv6", "mpls"])
        && of(parts.next(), &["conf", "neigh"]);
    let device = parts.next().unwrap_or_default().replace('/', ".");
    is_table && node.devices.iter().any(|own| own.name == device)
}

/// Makes the directory of names ready, once.
///
/// # Errors
/// `/run/netns` cannot be made.
pub fn ready(name: &Name) -> Done<Ready> {
    named::ready(name)
        .map_err(|error| Failed::new(format!("cannot make {DIRECTORY} ready for names")).because(&error.source))
}
