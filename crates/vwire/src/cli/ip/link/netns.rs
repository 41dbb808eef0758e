//! Namespaces that a link command names: to move a link to, or where the link below it is.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;

use vwire_netlink::wire::MessageType;
use vwire_netlink::{IfName, Link, NamespaceId, Request, RequestError, Socket};

use super::words::{integer, wrong};
use crate::cli::ip::Ip;
use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE, Failure, Persona};
use crate::cli::ip::words::shown;
use crate::lab::namespace::{Namespace, run_in};

/// Opens a namespace by its name, by the path of its file, or by the id of a process inside.
pub(super) fn open(ip: &Ip<'_>, word: &[u8]) -> Option<Namespace> {
    let of_process = || {
        integer(word)?;
        Namespace::open(format!("/proc/{}/ns/net", std::str::from_utf8(word).ok()?)).ok()
    };
    ip.open_namespace(OsStr::from_bytes(word)).or_else(of_process)
}

/// Returns the descriptor of a namespace as an attribute has it.
pub(super) fn descriptor(namespace: &Namespace) -> Option<u32> {
    u32::try_from(namespace.as_fd().as_raw_fd()).ok()
}

/// No namespace has this name.
pub(super) fn unknown(keyword: &str, value: &[u8]) -> Failure {
    let named = shown(value);
    let cause = match integer(value) {
        Some(_) => format!("there is neither a namespace nor a process `{named}`"),
        None => format!("there is no namespace `{named}`"),
    };
    wrong(value, &format!("Invalid \"{keyword}\" value\n"), cause)
        .hint(format!("`vwire netns` lists those that have a name; `vwire netns add {named}` makes this one"))
}

/// Returns the id of a namespace, which is given to it where it has none.
///
/// The id is the one that the namespace `seen_from` has for it, or else this one. Where there is no
/// such namespace, what the kernel said to each try is returned: `ip` tells all of it.
///
/// # Errors
/// The socket cannot be opened, or `seen_from` not be entered.
pub(super) fn id(
    ip: &mut Ip<'_>,
    seen_from: Option<&Namespace>,
    name: &[u8],
) -> Result<Result<i32, Vec<RequestError>>, Failure> {
    let Some(named) = open(ip, name) else { return Ok(Err(Vec::new())) };
    let wanted = NamespaceId { fd: descriptor(&named), ..NamespaceId::default() };
    with_socket(ip, seen_from, |socket| {
        let mut refusals = Vec::new();
        if let Some(id) = id_now(socket, &wanted, &mut refusals) {
            return Ok(id);
        }
        let any = NamespaceId { nsid: Some(NamespaceId::NOT_ASSIGNED), ..wanted.clone() };
        refusals.extend(socket.request(&Request::new(MessageType::NEWNSID, 0, &any)).err());
        id_now(socket, &wanted, &mut refusals).ok_or(refusals)
    })
}

fn id_now(socket: &mut Socket, wanted: &NamespaceId, refusals: &mut Vec<RequestError>) -> Option<i32> {
    match socket.get::<NamespaceId>(&Request::new(MessageType::GETNSID, 0, wanted)) {
        Ok(answer) => answer.nsid.filter(|id| *id >= 0),
        Err(error) => {
            refusals.push(error);
            None
        }
    }
}

/// What is named is no namespace; `named` is the word that `ip` names in its place.
pub(super) fn not_linked(name: &[u8], named: &[u8], refusals: &[RequestError]) -> Failure {
    let told = |error: &RequestError| Failure::kernel(error).render(Persona::Ip);
    let before: Vec<u8> = refusals.iter().flat_map(told).collect();
    let ip = [&before, &b"Error: argument \""[..], named, b"\" is wrong: Invalid \"link-netns\" value\n"].concat();
    Failure::new(EXIT_USAGE, ip, format!("there is no namespace `{}`", shown(name)))
        .hint("`vwire netns` lists the namespaces that have a name")
}

/// Returns the index of a device in the namespace with an id.
///
/// # Errors
/// There is none, or the kernel refuses to look.
pub(super) fn device(ip: &mut Ip<'_>, seen_from: Option<&Namespace>, id: i32, name: &[u8]) -> Result<u32, Failure> {
    let by_name = match IfName::new(name) {
        Ok(name) => Link::named(name),
        Err(_) => Link { alt_ifname: Some(name.into()), ..Link::default() },
    };
    let wanted = Link { target_netnsid: Some(id), ..by_name };
    let answer = with_socket(ip, seen_from, |socket| socket.get::<Link>(&Request::get_link(&wanted)))?;
    answer.map(|link| link.index).map_err(|error| {
        // `ip` tells both: the kernel's answer, and that there is no device.
        let kernel = Failure::kernel(&error).render(Persona::Ip);
        let (ip, named) = ([&kernel, &b"Cannot find device \""[..], name, b"\""].concat(), shown(name));
        Failure::new(EXIT_SEMANTIC, ip, format!("there is no device `{named}` in the namespace with the id {id}"))
            .refused_by(&error)
            .hint("`vwire netns list-id` lists the ids")
    })
}

fn with_socket<T: Send>(
    ip: &mut Ip<'_>,
    namespace: Option<&Namespace>,
    ask: impl FnOnce(&mut Socket) -> T + Send,
) -> Result<T, Failure> {
    let Some(namespace) = namespace else { return Ok(ask(ip.socket()?)) };
    let inside = run_in(namespace, || Socket::open().map(|mut socket| ask(&mut socket)));
    match inside {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Failure::new(EXIT_USAGE, "Cannot open rtnetlink", error.to_string())),
        Err(error) => {
            let reason = crate::cli::ip::failure::errno_sentence(error.raw_os_error().unwrap_or_default());
            Err(Failure::new(
                EXIT_USAGE,
                format!("Cannot set namespace: {reason}"),
                format!("cannot enter it: {reason}"),
            )
            .refused_with(error.raw_os_error())
            .hint("this takes CAP_SYS_ADMIN: run it as root"))
        }
    }
}
