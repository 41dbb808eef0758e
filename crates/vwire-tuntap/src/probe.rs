//! Finds out at open whether the kernel takes super-packets.
//!
//! Some kernels answer `EINVAL` to every write of a super-packet (those with commit e269d79c7d35 and without
//! 89add40066f9), and before Linux 6.2 there are no UDP ones. So one of each kind is written. Its IPv4 header checksum
//! is wrong, and on a TAP its source address is zero, so that no stack or bridge takes it: a device that is down
//! answers `EIO`, one that is up drops it and counts a header error. The driver judges the vnet header before either.

use crate::{
    Device, Flags, Mode,
    offload::{Checksum, Segmentation, SuperKind, VnetHeader},
};

/// Returns the kinds that the kernel refuses.
pub(crate) fn refused_kinds(device: &Device) -> Vec<SuperKind> {
    // A write to such a queue is built from fragments and may fail for reasons of its own.
    if device.flags().contains(Flags::NAPI_FRAGS) {
        return Vec::new();
    }
    let refuses = |kind: &SuperKind| {
        let answer = device.write(&sample(device, *kind));
        answer.is_err_and(|error| error.raw_os_error() == Some(libc::EINVAL))
    };
    [SuperKind::Tcp4, SuperKind::Udp].into_iter().filter(refuses).collect()
}

/// Makes a super-packet of two segments that nobody takes.
fn sample(device: &Device, kind: SuperKind) -> Vec<u8> {
    let frame: &[u8] = match device.mode() {
        Mode::Tun => &[],
        // From no address to a local one nobody has, IPv4.
        Mode::Tap => &[2, 0, 0, 0, 0, 0xfe, 0, 0, 0, 0, 0, 0, 8, 0],
    };
    let (protocol, transport): (u8, &[u8]) = match kind {
        SuperKind::Udp => (17, &[0, 9, 0, 9, 0, 24, 0, 0]),
        _ => (6, &[0, 9, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x10, 0, 0, 0, 0, 0, 0]),
    };
    // From and to the documentation network 192.0.2.0/24; the checksum 0xdead is not right for either kind.
    let length = if kind == SuperKind::Udp { 44 } else { 56 };
    let ip = [0x45, 0, 0, length, 0, 0, 0x40, 0, 1, protocol, 0xde, 0xad, 192, 0, 2, 1, 192, 0, 2, 2];
    let start = if frame.is_empty() { 20 } else { 34 };
    let offset = if kind == SuperKind::Udp { 6 } else { 16 };
    let header = VnetHeader {
        checksum: Checksum::Needed { start, offset },
        segments: Segmentation::Super { kind, size: 8, ecn: false },
        header_len: start + if kind == SuperKind::Udp { 8 } else { 20 },
    };
    let packet = [frame, &ip, transport, &[0; 16]].concat();
    let network = packet.get(frame.len()..).unwrap_or(&[]);
    let (prefix, len) = device.prefix(header, network);
    [prefix.get(..len).unwrap_or(&[]), &packet].concat()
}
