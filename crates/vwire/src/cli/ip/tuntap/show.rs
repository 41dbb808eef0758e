//! `ip tuntap show`: lists TUN and TAP devices with their flags.
//!
//! What `ip` reads from /sys, which may be another namespace's, comes from the kernel's list of links here. Only flags
//! that this list does not have (`one_queue`, NAPI) are taken from /sys, and only where the rest there agrees.

use std::os::unix::ffi::OsStrExt;

use vwire_netlink::wire::link::KindData;
use vwire_netlink::wire::link::tun::Tun;
use vwire_netlink::{Link, LinkFilter};
use vwire_tuntap::{DeviceName, Flags};

use super::obstacle;
use crate::cli::ip::{Failure, Ip};
use crate::out::tuntap::{self, TunTap};

/// `ARPHRD_ETHER` and `ARPHRD_NONE`: `ip` leaves out a device whose hardware type was changed.
const LINK_TYPES: [u16; 2] = [1, 0xfffe];
/// `IFF_TUN` and `IFF_TAP`.
const MODES: u32 = 0x3;

/// Runs `ip tuntap show`; words behind it mean nothing to `ip`.
///
/// # Errors
/// The kernel refuses the dump.
pub fn run(ip: &mut Ip<'_>) -> Result<(), Failure> {
    let links = ip.links(LinkFilter { kind: Some("tun".to_owned()), ..LinkFilter::default() })?;
    let details = ip.options.details > 0;
    let holders = if details { vwire_tuntap::holders::find_holders() } else { Vec::new() };
    let namespace = obstacle::this_namespace();
    ip.printer.open_document();
    for link in links.iter().filter(|link| LINK_TYPES.contains(&link.link_type)) {
        let Some(mut device) = device_of(link) else { continue };
        if let Some(flags) = flags_in_sys(link, &device) {
            device.flags = flags;
        }
        if details {
            let name = std::str::from_utf8(&device.name).ok().and_then(|name| DeviceName::new(name).ok());
            let of_this = holders.iter().filter(|holder| name.is_some_and(|name| holder.holds(name, namespace)));
            device.processes = Some(of_this.map(|holder| (holder.command.clone(), holder.pid)).collect());
        }
        tuntap::print(&mut ip.printer, &device);
    }
    ip.printer.close_document();
    Ok(())
}

/// Returns a device as its link describes it, if it is a TUN or TAP.
fn device_of(link: &Link) -> Option<TunTap> {
    let Some(KindData::Tun(tun)) = link.kind_data() else { return None };
    Some(TunTap {
        name: link.ifname.as_ref()?.as_bytes().to_vec(),
        flags: u32::from(flags_of(tun).bits()) | u32::from(tun.r#type.unwrap_or(0)),
        user: tun.owner,
        group: tun.group,
        processes: None,
    })
}

/// Returns the flags that a link has.
#[must_use]
pub fn flags_of(tun: &Tun) -> Flags {
    let is = |value: Option<u8>| value.is_some_and(|value| value != 0);
    let rows = [
        (is(tun.vnet_hdr), Flags::VNET_HDR),
        (is(tun.multi_queue), Flags::MULTI_QUEUE),
        (is(tun.persist), Flags::PERSIST),
        (!is(tun.pi), Flags::NO_PACKET_INFO),
    ];
    rows.into_iter().filter(|(holds, _)| *holds).fold(Flags::NONE, |flags, (_, flag)| flags | flag)
}

/// Returns the flags that /sys has of a device, if it is this device that it has.
fn flags_in_sys(link: &Link, device: &TunTap) -> Option<u32> {
    let directory = std::path::Path::new("/sys/class/net").join(std::ffi::OsStr::from_bytes(&device.name));
    let read = |file: &str| std::fs::read_to_string(directory.join(file)).ok();
    let index: u32 = read("ifindex")?.trim().parse().ok()?;
    let flags = u32::from_str_radix(read("tun_flags")?.trim().strip_prefix("0x")?, 16).ok()?;
    let shared = Flags::VNET_HDR | Flags::MULTI_QUEUE | Flags::PERSIST | Flags::NO_PACKET_INFO;
    let shared = u32::from(shared.bits()) | MODES;
    (index == link.index && (flags ^ device.flags) & shared == 0).then_some(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_links_attributes_become_flags() {
        let mut link = Link::named("tap0".parse().unwrap());
        let tun = Tun {
            r#type: Some(2),
            pi: Some(0),
            vnet_hdr: Some(1),
            persist: Some(1),
            multi_queue: Some(0),
            owner: Some(7),
            ..Tun::default()
        };
        link.set_kind("tun", Some(tun.into()));
        let device = device_of(&link).unwrap();
        assert_eq!((device.flags, device.user, device.group), (0x5802, Some(7), None));
        link.set_kind("veth", None);
        assert_eq!(device_of(&link), None);
    }
}
