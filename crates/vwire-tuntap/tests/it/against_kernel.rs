//! Holds `Segments` to what the kernel sends for the same super-packet, byte for byte.
//!
//! A frame is written with its vnet header into a TAP that is a port of a bridge. The other port is a TAP whose reader
//! takes no offload, so the kernel has to cut the frame in software before it gets there. A bridge changes no byte.
//! The write comes back when everything is in the other TAP's queue, so nothing has to be waited for.

use std::io;

use vwire_tuntap::{
    Builder, Device, Flags,
    offload::{Layer, Segments},
};

use crate::{
    lab::{ip, lab, named},
    random::{Random, frame},
};

struct Bridge {
    into: Device,
    out: Device,
}

impl Bridge {
    fn new() -> Self {
        std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
        let into = Builder::tap(named("in0")).flags(Flags::VNET_HDR).create().unwrap();
        let out = Builder::tap(named("out0")).create().unwrap();
        out.set_nonblocking(true).unwrap();
        ip("link add br0 type bridge mcast_snooping 0 forward_delay 0 stp_state 0");
        for port in ["in0", "out0"] {
            ip(&format!("link set {port} mtu 65521 txqueuelen 5000 master br0"));
            ip(&format!("link set {port} up"));
        }
        ip("link set br0 mtu 65521");
        ip("link set br0 up");
        Self { into, out }
    }

    fn cut_by_kernel(&self, header: [u8; 10], frame: &[u8]) -> (io::Result<usize>, Vec<Vec<u8>>) {
        let mut bytes = header.to_vec();
        bytes.extend(frame);
        let wrote = self.into.write(&bytes);
        let mut packets = Vec::new();
        let mut room = vec![0; 70_000];
        while let Ok(length) = self.out.read(&mut room) {
            // What the bridge itself has to say comes from other addresses.
            if room[6..12] == frame[6..12] {
                packets.push(room[..length].to_vec());
            }
        }
        (wrote, packets)
    }
}

fn compare(cases: u64, seed: u64) {
    let bridge = Bridge::new();
    let mut room = vec![0; 70_000];
    let (mut supers, mut dropped, mut made) = (0_u64, 0_u64, 0_u64);
    for case in 0..cases {
        let mut random = Random::new(seed + case);
        let (header, bytes) = frame(&mut random);
        let (wrote, kernel) = bridge.cut_by_kernel(header.to_bytes(), &bytes);
        let mut ours = Vec::new();
        if let Ok(mut segments) = Segments::new(header, &bytes, Layer::Ethernet) {
            while let Some(length) = segments.write_next(&mut room) {
                ours.push(room[..length].to_vec());
            }
        }
        let about = || format!("seed {}: {header:?}, {} bytes, {wrote:?}", seed + case, bytes.len());
        supers += u64::from(kernel.len() > 1);
        dropped += u64::from(kernel.is_empty());
        made += u64::try_from(kernel.len()).unwrap();
        if kernel.is_empty() {
            // What the kernel drops has no right answer; that it stays rare is checked below.
            continue;
        }
        assert_eq!(kernel.len(), ours.len(), "{}", about());
        for (index, (kernel, ours)) in kernel.iter().zip(&ours).enumerate() {
            if kernel != ours {
                let at = kernel.iter().zip(ours).position(|(a, b)| a != b);
                panic!("{}, segment {index} at {at:?}:\n{kernel:02x?}\n{ours:02x?}", about());
            }
        }
    }
    println!("{cases} cases: {supers} were cut, {dropped} dropped by the kernel; {made} packets were the same");
    assert!(dropped * 50 < cases && supers * 2 > cases, "the cases do not test what they should");
}

#[test]
fn segments_are_what_the_kernel_sends() {
    lab(|| compare(20_000, 1));
}

#[test]
#[ignore = "takes minutes; run once for each release"]
fn a_million_super_packets_are_cut_as_the_kernel_cuts_them() {
    lab(|| compare(1_000_000, 1_000_000_000));
}
