//! Holds `Merger` to the kernel's GRO: it may merge less, never more.
//!
//! Segments are written one by one into a TAP with NAPI, whose GRO keeps them until a timer says otherwise. A bridge
//! carries what comes out to a TAP whose reader takes super-packets. Each packet read there says how many segments the
//! kernel put together. The kernel also lets go at every tick of its clock, so a case in which it merged less than
//! `Merger` is tried again: it has to merge as much at least once.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    os::fd::AsFd,
    process::Command,
};

use nix::{
    mount::{MsFlags, mount},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sched::{CloneFlags, unshare},
};
use vwire_tuntap::{
    Batch, Builder, Device, Flags, Layout,
    offload::{
        Checksum, Layer, Merger, Offload, Segmentation, Segments, SuperKind, VnetHeader,
        checksum::{Sum, pseudo_header},
    },
};

use crate::{
    lab::{ip, lab, named},
    random::{Random, frame},
};

const TRIES: usize = 40;

struct Gro {
    into: Device,
    out: Device,
}

impl Gro {
    fn new() -> Self {
        // A sysfs of this namespace, seen by this thread alone.
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let nothing = None::<&str>;
        mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing).unwrap();
        mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), nothing).unwrap();
        fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
        let into = Builder::tap(named("in0")).flags(Flags::NAPI).create().unwrap();
        let out = Builder::tap(named("out0")).offload(Offload::ALL).create().unwrap();
        // In nanoseconds.
        fs::write("/sys/class/net/in0/gro_flush_timeout", "300000").unwrap();
        // Without it the kernel merges UDP for sockets that ask for it alone.
        let command = ["-K", "in0", "rx-udp-gro-forwarding", "on"];
        assert!(Command::new("ethtool").args(command).status().unwrap().success());
        ip("link add br0 type bridge mcast_snooping 0 forward_delay 0 stp_state 0");
        for port in ["in0", "out0"] {
            ip(&format!("link set {port} mtu 65521 txqueuelen 5000 master br0"));
            ip(&format!("link set {port} up"));
        }
        ip("link set br0 mtu 65521 up");
        Self { into, out }
    }

    /// Returns the payloads in each packet that the kernel makes of these.
    fn merge(&self, packets: &[Vec<u8>], payload: usize) -> Vec<Vec<u64>> {
        for packet in packets {
            self.into.write(packet).unwrap();
        }
        let mut groups: Vec<Vec<u64>> = Vec::new();
        let mut batch = Batch::new(Layout::for_super_packets());
        let mut room = vec![0; 70_000];
        while groups.iter().map(Vec::len).sum::<usize>() < packets.len() {
            let mut ready = [PollFd::new(self.out.as_fd(), PollFlags::POLLIN)];
            assert!(poll(&mut ready, PollTimeout::from(2000_u16)).unwrap() > 0, "the kernel lost packets: {groups:?}");
            batch.clear();
            self.out.recv_ready(&mut batch).unwrap();
            for packet in batch.iter().filter(|packet| packet.bytes[6..12] == packets[0][6..12]) {
                let mut segments = Segments::new(packet.header, packet.bytes, Layer::Ethernet).unwrap();
                let mut group = Vec::new();
                while let Some(length) = segments.write_next(&mut room) {
                    group.push(mark(&room[payload..length]));
                }
                groups.push(group);
            }
        }
        groups
    }
}

/// Returns a number by which a payload is known again.
fn mark(payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    payload.hash(&mut hasher);
    hasher.finish()
}

fn ours(packets: &[Vec<u8>], payload: usize) -> Vec<Vec<u64>> {
    let mut batch = Batch::new(Layout { arena: 1 << 20, ..Layout::for_super_packets() });
    for packet in packets {
        assert!(batch.push(VnetHeader::NONE, packet));
    }
    let mut merger = Merger::new();
    merger.plan(&batch, Layer::Ethernet);
    let members = |group: vwire_tuntap::offload::Group<'_>| {
        group.members().map(|index| mark(&packets[index][payload..])).collect()
    };
    merger.groups().map(members).collect()
}

/// Makes the segments of a super-packet without VLAN tags, and where the transport header and the payload start.
fn segments(random: &mut Random, udp: bool) -> (Vec<Vec<u8>>, usize, usize) {
    loop {
        let (header, bytes) = frame(random);
        let Checksum::Needed { start, .. } = header.checksum else { continue };
        let transport = usize::from(start);
        let Segmentation::Super { kind, size, .. } = header.segments else { continue };
        if udp != (kind == SuperKind::Udp) || size < 8 || bytes[12] == 0x81 || bytes.len() > 30_000 {
            continue;
        }
        let Ok(mut cut) = Segments::new(header, &bytes, Layer::Ethernet) else { continue };
        let mut packets = Vec::new();
        while let Some(length) = cut.next_len() {
            let mut packet = vec![0; length];
            cut.write_next(&mut packet);
            packets.push(packet);
        }
        if (3..20).contains(&packets.len()) {
            // The generator likes flags that keep packets apart; most cases here should merge.
            for packet in packets.iter_mut().filter(|_| !udp && !random.one_in(50)) {
                packet[transport + 13] = 0x10;
                packet[transport + 12] &= 0xf0;
            }
            return (packets, transport, usize::from(header.header_len));
        }
    }
}

/// Changes one segment, or the row of them, in one of the ways that matter to GRO.
fn disturb(random: &mut Random, packets: &mut Vec<Vec<u8>>, transport: usize, udp: bool) {
    let which = random.below(packets.len());
    let v4 = packets[0][12] == 8;
    let network = 14;
    let ways = [1, 2, 3, 4, 6, 8, 9, 0, 5, 7, 10, 11, 12, 13, 14];
    match if udp { [3, 4, 6, 8, 9, 13, 14][random.below(7)] } else { ways[random.below(15)] } {
        0 => packets[which][transport + 13] = [0x18, 0x11, 0x14, 0x30, 0x50, 0x90, 0x02][random.below(7)],
        1 => packets[which][transport + 8] ^= 1,
        2 => packets[which][transport + 14] ^= 1,
        3 => packets[which][network + if v4 { 8 } else { 7 }] ^= 3,
        4 => packets[which][network + 1] ^= 0x10,
        // Not to a neighbour's: the kernel merges what has one identification, but a TAP's reader cannot be told, so it
        // is cut again before it gets there and does not show here.
        6 if v4 => packets[which][network + 4] ^= 1,
        7 => packets[which][transport + 4] ^= 1,
        8 => drop(packets.remove(which)),
        9 => packets.swap(which, 0),
        10 if packets[which].len() > transport + 61 => packets[which][transport + 20] ^= 1,
        11 => packets[which][transport + 18] ^= 1,
        12 => packets[which][transport + 12] ^= 1,
        // Within the padding of an extension header, if there is one.
        14 if !v4 && transport > network + 40 => packets[which][transport - 1] ^= 1,
        _ => {}
    }
}

/// Makes all checksums right again.
fn repair(packet: &mut [u8], transport: usize, udp: bool) {
    let v4 = packet[12] == 8;
    if v4 {
        packet[24..26].fill(0);
        let sum = Sum::default().bytes(&packet[14..transport]).finish();
        packet[24..26].copy_from_slice(&sum);
    }
    let (protocol, field) = if udp { (17, transport + 6) } else { (6, transport + 16) };
    packet[field..field + 2].fill(0);
    let addresses = if v4 { 26..34 } else { 22..54 };
    let length = u16::try_from(packet.len() - transport).unwrap();
    let sum = pseudo_header(&packet[addresses], protocol, length).bytes(&packet[transport..]).finish();
    packet[field..field + 2].copy_from_slice(&sum);
}

fn compare(udp: bool) {
    let gro = Gro::new();
    let (mut packets_in, mut by_kernel, mut by_us) = (0, 0, 0);
    for seed in 0..1_000 {
        let mut random = Random::new(seed);
        let (mut packets, transport, payload) = segments(&mut random, udp);
        if !random.one_in(3) {
            disturb(&mut random, &mut packets, transport, udp);
        }
        packets.iter_mut().for_each(|packet| repair(packet, transport, udp));
        if random.one_in(8) {
            let which = random.below(packets.len());
            packets[which][transport + if udp { 6 } else { 16 }] ^= 0x55;
        }
        let ours = ours(&packets, payload);
        let mut kernel = Vec::new();
        let contained = (0..TRIES).any(|_| {
            kernel = gro.merge(&packets, payload);
            ours.iter().all(|group| kernel.iter().any(|other| other.windows(group.len()).any(|row| row == group)))
        });
        assert!(contained, "seed {seed}: {} packets, kernel {kernel:x?}, here {ours:x?}", packets.len());
        packets_in += packets.len();
        by_kernel += kernel.len();
        by_us += ours.len();
    }
    println!("{packets_in} packets: the kernel made {by_kernel} of them, this crate {by_us}");
    // Both have to merge much for this to say something, and the crate nearly all that the kernel does.
    assert!(by_kernel * 2 < packets_in && by_us * 10 < by_kernel * 11, "{packets_in} {by_kernel} {by_us}");
}

#[test]
fn no_tcp_is_merged_that_the_kernel_would_not_merge() {
    lab(|| compare(false));
}

#[test]
fn no_udp_is_merged_that_the_kernel_would_not_merge() {
    lab(|| compare(true));
}
