//! Finds out why a TUN or TAP device cannot be made or deleted, for a message that says it.

use std::os::unix::fs::MetadataExt;

use vwire_netlink::Link;
use vwire_netlink::wire::link::KindData;
use vwire_netlink::wire::link::tun::Tun;
use vwire_tuntap::{DeviceName, Flags, Mode, OpenCause, OpenError, holders};

use super::request::DeviceRequest;
use super::show::flags_of;
use crate::cli::ip::failure::{EXIT_SEMANTIC, Failure};
use crate::cli::ip::{Ip, Persona};

/// Returns the inode of the network namespace of the calling thread.
pub(super) fn this_namespace() -> u64 {
    std::fs::metadata("/proc/thread-self/ns/net").map_or(0, |metadata| metadata.ino())
}

/// Returns the link with a name, or another name, if there is one.
pub(super) fn link_named(ip: &mut Ip<'_>, name: &[u8]) -> Result<Option<Link>, Failure> {
    match ip.device(name)? {
        Some(index) => ip.link(index, 1 << 3),
        None => Ok(None),
    }
}

/// Returns what the kernel says of a TUN or TAP.
pub(super) fn tun_of(link: &Link) -> Option<&Tun> {
    match link.kind_data() {
        Some(KindData::Tun(tun)) => Some(tun),
        _ => None,
    }
}

/// Returns whether a device is a TUN or a TAP.
pub(super) fn mode_of(tun: &Tun) -> Mode {
    if tun.r#type == Some(2) { Mode::Tap } else { Mode::Tun }
}

/// Says who has opened a device: `pid 812 (qemu-system-x86)`; empty where nobody is seen.
pub(super) fn holders_text(device: DeviceName) -> String {
    let mut texts: Vec<String> = Vec::new();
    for holder in holders::find_holders_of(device, this_namespace()) {
        let text = format!("pid {} ({})", holder.pid, holder.command);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.join(", ")
}

/// Returns `ip`'s message for an open that failed, and ours.
pub(super) fn open_failure(error: &OpenError) -> Failure {
    let (ip, cause) = match &error.cause {
        OpenCause::Refused { call, errno } => match call.strip_prefix("open ") {
            Some(path) => (format!("open: {errno}"), format!("{errno} ({path})")),
            None => (format!("ioctl({call}): {errno}"), format!("{errno} ({call})")),
        },
        OpenCause::Exists => (
            "ioctl(TUNSETIFF): Device or resource busy".to_owned(),
            "Device or resource busy: there is a device of that name".to_owned(),
        ),
        OpenCause::Missing => {
            ("ioctl(TUNSETIFF): No such device".to_owned(), "there is no such device here".to_owned())
        }
        OpenCause::Unsupported(flags) => {
            ("ioctl(TUNSETIFF): Invalid argument".to_owned(), format!("this kernel has no {flags}"))
        }
        OpenCause::FragsWithoutNapi | OpenCause::PersistIsSetLater => {
            ("ioctl(TUNSETIFF): Invalid argument".to_owned(), error.to_string())
        }
    };
    // The number behind `ip`'s words, where it was seen before the kernel was asked.
    let errno = match &error.cause {
        OpenCause::Refused { errno, .. } => errno.0,
        OpenCause::Exists => EBUSY,
        OpenCause::Missing => ENODEV,
        OpenCause::Unsupported(_) | OpenCause::FragsWithoutNapi | OpenCause::PersistIsSetLater => EINVAL,
    };
    Failure::new(EXIT_SEMANTIC, ip, cause).refused_with(Some(errno))
}

/// Adds to a failure what stands in the way of opening a device.
pub(super) fn explain(ip: &mut Ip<'_>, failure: Failure, error: &OpenError) -> Result<Failure, Failure> {
    if ip.persona == Persona::Ip {
        return Ok(failure);
    }
    let name = error.device;
    let errno = error.errno().map(|errno| errno.0);
    let is_open = matches!(&error.cause, OpenCause::Refused { call, .. } if call.starts_with("open "));
    Ok(match errno {
        Some(ENOENT | ENODEV | ENXIO) if is_open => {
            failure.hint("the kernel's driver is missing (`modprobe tun`), or this container has no /dev/net/tun")
        }
        Some(EACCES | EPERM) if is_open => failure.hint("/dev/net/tun must be writable: run it as root"),
        Some(EPERM) => failure.hint(
            "this takes CAP_NET_ADMIN in the namespace: run it as root, or in a namespace of your own (`unshare -Urn`)",
        ),
        Some(EINVAL) if matches!(name.as_bytes(), b"all" | b"default") => {
            failure.hint(format!("`{name}` stands for many devices in /proc/sys/net, and so can be no device's name"))
        }
        Some(EBUSY) => match holders_text(name) {
            holders if holders.is_empty() => {
                failure.hint(format!("a process that cannot be seen from here holds `{name}`"))
            }
            holders => failure.hint(format!("held by {holders}")),
        },
        _ if error.cause == OpenCause::Exists => match link_named(ip, name.as_bytes())? {
            Some(link) => taken(failure, name, &link),
            None => failure,
        },
        _ => failure,
    })
}

/// Says what it is that has the name already.
fn taken(failure: Failure, name: DeviceName, link: &Link) -> Failure {
    let Some(tun) = tun_of(link) else {
        let kind = link.kind().map_or_else(|| "network device".to_owned(), |kind| format!("device of the kind {kind}"));
        return failure.hint(format!("`{name}` is a {kind}; choose another name"));
    };
    let mut failure = failure.hint(format!("it is {}", described(tun)));
    let holders = holders_text(name);
    if !holders.is_empty() {
        failure = failure.hint(format!("held by {holders}"));
        return failure.hint(format!("`vwire link del {name}` deletes it all the same"));
    }
    failure.hint(format!("`vwire tuntap del {name}` deletes it"))
}

/// Describes a device by its words: `a tap with vnet_hdr, persist`.
fn described(tun: &Tun) -> String {
    let flags = flags_of(tun);
    let rows = [
        (!flags.contains(Flags::NO_PACKET_INFO), "pi"),
        (flags.contains(Flags::MULTI_QUEUE), "multi_queue"),
        (flags.contains(Flags::VNET_HDR), "vnet_hdr"),
        (flags.contains(Flags::PERSIST), "persist"),
    ];
    let words: Vec<&str> = rows.into_iter().filter(|(holds, _)| *holds).map(|(_, word)| word).collect();
    match words.as_slice() {
        [] => format!("a {}", mode_of(tun)),
        words => format!("a {} with {}", mode_of(tun), words.join(", ")),
    }
}

/// Returns why a device is not the one that the words describe, or nothing where it is. What was not said fits.
pub(super) fn mismatch(request: &DeviceRequest, name: DeviceName, tun: &Tun) -> Option<Failure> {
    let is = flags_of(tun);
    let mode = mode_of(tun);
    let differs = |flag: Flags| request.flags.contains(flag) && !is.contains(flag);
    let difference = match request.mode {
        Some(wanted) if wanted != mode => format!("it is a {mode}, not a {wanted}"),
        _ if differs(Flags::MULTI_QUEUE) => "it has a single queue: it was made without `multi_queue`".to_owned(),
        _ if differs(Flags::VNET_HDR) => "it was made without `vnet_hdr`".to_owned(),
        _ if !request.flags.contains(Flags::NO_PACKET_INFO) && is.contains(Flags::NO_PACKET_INFO) => {
            "it was made without `pi`".to_owned()
        }
        _ => return None,
    };
    Some(
        Failure::new(EXIT_SEMANTIC, "ioctl(TUNSETIFF): Invalid argument", difference)
            .hint(format!("`{name}` is {}; `vwire tuntap del {name}` takes it as it is", described(tun))),
    )
}

/// `EPERM`.
const EPERM: i32 = 1;
/// `ENOENT`.
const ENOENT: i32 = 2;
/// `ENXIO`.
const ENXIO: i32 = 6;
/// `EACCES`.
const EACCES: i32 = 13;
/// `EBUSY`.
const EBUSY: i32 = 16;
/// `EINVAL`.
const EINVAL: i32 = 22;
/// `ENODEV`.
const ENODEV: i32 = 19;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(mode: Option<Mode>, flags: Flags) -> DeviceRequest {
        DeviceRequest { mode, name: None, flags: flags | Flags::NO_PACKET_INFO, user: None, group: None }
    }

    fn said(request: &DeviceRequest, tun: &Tun) -> Option<String> {
        let failure = mismatch(request, DeviceName::new("t0").unwrap(), tun)?;
        Some(String::from_utf8(failure.render(Persona::Vwire)).unwrap())
    }

    #[test]
    fn a_mismatch_says_which_word_differs() {
        let tap = Tun { r#type: Some(2), persist: Some(1), ..Tun::default() };
        assert_eq!(said(&request(None, Flags::NONE), &tap), None);
        assert_eq!(said(&request(Some(Mode::Tap), Flags::NONE), &tap), None);
        let wrong = said(&request(Some(Mode::Tun), Flags::NONE), &tap).unwrap();
        let wanted = "error: it is a tap, not a tun\nhint: `t0` is a tap with persist; `vwire tuntap del t0` takes it as it is\n";
        assert_eq!(wrong, wanted);
        assert!(said(&request(None, Flags::MULTI_QUEUE), &tap).unwrap().contains("without `multi_queue`"));
        assert!(said(&request(None, Flags::VNET_HDR), &tap).unwrap().contains("without `vnet_hdr`"));
    }
}
