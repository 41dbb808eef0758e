//! What a read and a write of one packet cost through the crate: `raw write|read SIZE SECONDS`, beside `raw.c`.
//!
//! Writes are not merged, so that each packet is one system call as it is there.

use std::{
    net::UdpSocket,
    process::Command,
    time::{Duration, Instant},
};

use vwire_tuntap::{
    Batch, Builder, DeviceName, Layout, Merging, Writer,
    offload::{VnetHeader, checksum::Sum},
};

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let size: usize = words[1].parse().expect("a size");
    let end = Duration::from_secs_f64(words[2].parse().expect("seconds"));
    // SAFETY: unshare takes an integer and no pointer; this is the only thread.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "no privilege for a network namespace");
    let tun = Builder::tun(DeviceName::new("raw0").expect("a name")).create().expect("a device");
    for line in ["addr add 10.3.0.1/24 dev raw0", "link set raw0 up"] {
        assert!(Command::new("ip").args(line.split(' ')).status().expect("ip").success());
    }
    let mut batch = Batch::new(Layout::for_mtu(1500));
    let (mut packets, mut writer) = (0, Writer::new().merging(Merging::Off));
    let reads = words[0] == "read";
    if reads {
        std::thread::spawn(move || {
            let socket = UdpSocket::bind("10.3.0.1:0").expect("a socket");
            socket.connect("10.3.0.2:9").expect("an address");
            let bytes = vec![0; size - 28];
            loop {
                let _ = socket.send(&bytes);
            }
        });
    } else {
        for _ in 0..64 {
            assert!(batch.push(VnetHeader::NONE, &packet(size)));
        }
    }
    let (begin, start) = (Instant::now(), thread_nanos());
    while begin.elapsed() < end {
        if reads {
            batch.clear();
            packets += tun.recv(&mut batch).expect("packets");
        } else {
            packets += tun.send(&mut batch, &mut writer).expect("a device").packets;
        }
    }
    println!("{packets}\t{:.1}", (thread_nanos() - start) / packets as f64);
    std::process::exit(0);
}

fn packet(size: usize) -> Vec<u8> {
    let [high, low] = (size as u16).to_be_bytes();
    let mut packet = vec![0x45, 0, high, low, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 3, 0, 2, 10, 3, 0, 9];
    let sum = Sum::default().bytes(&packet).finish();
    packet[10..12].copy_from_slice(&sum);
    packet.resize(size, 0);
    packet
}

fn thread_nanos() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: clock_gettime writes one timespec, which lives until it returns.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
