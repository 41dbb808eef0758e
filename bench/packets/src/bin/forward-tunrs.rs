//! The peer: a forwarder between two TUN devices on tun-rs, as fast as its synchronous interface allows.
//!
//! One thread a direction, offload on, its batch calls and its own table for merging.

use std::{sync::Arc, thread};

use bytes::BytesMut;
use tun_rs::{DeviceBuilder, GROTable, IDEAL_BATCH_SIZE, SyncDevice, VIRTIO_NET_HDR_LEN};

const LONGEST: usize = VIRTIO_NET_HDR_LEN + 65_535;

fn open(name: &str) -> Arc<SyncDevice> {
    Arc::new(DeviceBuilder::new().name(name).offload(true).mtu(1420).build_sync().expect("a device"))
}

fn carry(from: &SyncDevice, to: &SyncDevice) {
    let mut original = vec![0; LONGEST];
    let mut packets: Vec<_> = (0..IDEAL_BATCH_SIZE).map(|_| BytesMut::zeroed(LONGEST)).collect();
    let mut sizes = vec![0; IDEAL_BATCH_SIZE];
    let mut table = GROTable::default();
    loop {
        for packet in &mut packets {
            packet.resize(VIRTIO_NET_HDR_LEN + 1500, 0);
        }
        let received = from.recv_multiple(&mut original, &mut packets, &mut sizes, VIRTIO_NET_HDR_LEN);
        let Ok(count) = received else { continue };
        for (packet, size) in packets.iter_mut().zip(&sizes).take(count) {
            packet.truncate(VIRTIO_NET_HDR_LEN + size);
        }
        let _ = to.send_multiple(&mut table, &mut packets[..count], VIRTIO_NET_HDR_LEN);
    }
}

fn main() {
    let (first, second) = (open("fwd0"), open("fwd1"));
    let back = (second.clone(), first.clone());
    thread::spawn(move || carry(&back.0, &back.1));
    carry(&first, &second);
}
