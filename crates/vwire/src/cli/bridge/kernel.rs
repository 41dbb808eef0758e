//! What every object of `bridge` asks of the kernel: the devices, one of them by its name, a list, a change.

use vwire_netlink::wire::Body;
use vwire_netlink::{DumpError, LinkFilter, MessageType, Reply, Request, RequestError};

use super::RETURNED;
use crate::cli::ip::failure::EXIT_SEMANTIC;
use crate::cli::ip::kernel::{dump_failure, list_refused, refusal};
use crate::cli::ip::link::change::send;
use crate::cli::ip::words::shown;
use crate::cli::ip::{Failure, Ip, Persona};
use crate::out::Printer;
use crate::out::bridge::Devices;

/// Returns the devices of the namespace.
///
/// # Errors
/// The kernel refuses the list.
pub fn devices(ip: &mut Ip<'_>) -> Result<Devices, Failure> {
    let persona = ip.persona;
    let links = ip.socket()?.links(&LinkFilter::without_stats()).map_err(|error| dump_failure(&error, persona))?;
    let mut devices = Devices::default();
    links.iter().for_each(|link| devices.learn(link));
    Ok(devices)
}

/// Returns the index of a device that a command is about.
///
/// # Errors
/// `Cannot find device "X"`.
pub fn device(ip: &mut Ip<'_>, name: &[u8]) -> Result<u32, Failure> {
    ip.device(name)?.ok_or_else(|| Failure::no_device(name).with_exit(RETURNED))
}

/// Returns the index of a device where `bridge` has another message: `Cannot find WHAT "X"`.
///
/// # Errors
/// That message.
pub fn device_called(ip: &mut Ip<'_>, what: &str, name: &[u8]) -> Result<u32, Failure> {
    ip.device(name)?.ok_or_else(|| {
        let mut message = format!("Cannot find {what} \"").into_bytes();
        message.extend_from_slice(name);
        message.push(b'"');
        Failure::no_device(name).with_exit(RETURNED).said_by_ip(message)
    })
}

/// Changes something in the kernel: all changes of `bridge` go through here.
///
/// # Errors
/// What the kernel refuses, and what was tried.
pub fn change(ip: &mut Ip<'_>, request: &Request, tried: impl Into<String>) -> Result<Reply, Failure> {
    let hint = |failure: Failure, error: &RequestError| match hint(request.message_type(), error.errno()) {
        Some(hint) => failure.hint(hint),
        None => failure,
    };
    send(ip, request)?.map_err(|error| hint(refusal(&error), &error).with_exit(RETURNED).trying(tried))
}

/// Says what may help against a refusal.
fn hint(request: MessageType, errno: i32) -> Option<&'static str> {
    const ENOENT: i32 = 2;
    const EEXIST: i32 = 17;
    const EINVAL: i32 = 22;
    const EOPNOTSUPP: i32 = 95;
    Some(match (request, errno) {
        (MessageType::NEWNEIGH, EEXIST) => {
            "`vwire bridge fdb replace` in the place of `add` does not mind; `append` adds another end"
        }
        (MessageType::NEWNEIGH | MessageType::DELNEIGH, EOPNOTSUPP) => {
            "only VXLANs and some hardware know addresses of their own (`self`); put `master` behind it to speak to the \
             bridge that the device is a port of"
        }
        (MessageType::NEWNEIGH, EINVAL) => {
            "the address must be one of a single device, and the VLAN one that the port has: `vwire bridge vlan`"
        }
        (MessageType::DELNEIGH, ENOENT) => {
            "`vwire bridge fdb show` lists what is known; `master` and `self` are two lists"
        }
        (MessageType::NEWMDB, EEXIST) => "`vwire bridge mdb replace` in the place of `add` does not mind",
        (MessageType::NEWMDB | MessageType::DELMDB, EINVAL) => {
            "the bridge must be up with `mcast_snooping 1`, and the port one of it: `vwire -d link show`"
        }
        (MessageType::SETLINK | MessageType::DELLINK, EOPNOTSUPP) => {
            "the device is no port of a bridge, or this kernel cannot tell VLANs apart (CONFIG_BRIDGE_VLAN_FILTERING)"
        }
        (MessageType::NEWVLAN | MessageType::DELVLAN, EOPNOTSUPP) => {
            "this kernel cannot tell VLANs apart (CONFIG_BRIDGE_VLAN_FILTERING)"
        }
        _ => return None,
    })
}

/// What `bridge` says where it gives up a list.
pub const TERMINATED: &str = "Dump terminated";

/// Returns everything of one sort.
///
/// # Errors
/// What the kernel refuses, and that `bridge` gives up.
pub fn list<T: Body>(ip: &mut Ip<'_>, request: &Request) -> Result<Vec<T>, Failure> {
    ip.socket()?.dump_bodies(request).map_err(|error| refused(&error, TERMINATED))
}

fn refused(error: &DumpError, end: &str) -> Failure {
    list_refused(error, EXIT_SEMANTIC, end).trying("cannot list what the kernel has")
}

/// Says what is done with a device, to put behind "cannot".
pub fn tried(what: &str, name: &[u8]) -> String {
    format!("cannot {what} `{}`", shown(name))
}

/// Opens a document, prints the head of a list and returns what is to stand below.
///
/// # Errors
/// What the kernel refuses, with the word for it that `bridge` ends with; it has printed the head by then, vwire has not.
pub fn list_below<T: Body>(
    ip: &mut Ip<'_>,
    request: &Request,
    head: impl FnOnce(&mut Printer),
    end: &str,
) -> Result<Vec<T>, Failure> {
    let answer = ip.socket()?.dump_bodies(request).map_err(|error| refused(&error, end));
    if answer.is_ok() || ip.persona == Persona::Ip {
        ip.printer.open_document();
        head(&mut ip.printer);
    }
    answer
}
