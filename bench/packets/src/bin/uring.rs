//! Would io_uring pay? 64 datagrams of one flow into a TUN: by `write`, by one submission of 64 writes, and merged.
//!
//! `uring [ROUNDS [SECONDS]]` prints, for each way, thousands of packets a second and CPU nanoseconds of the whole
//! process a packet (the kernel's worker threads included): medians of interleaved rounds.

use std::{
    os::fd::{AsFd, AsRawFd},
    process::Command,
    time::{Duration, Instant},
};

use io_uring::{IoUring, opcode, types::Fd};
use vwire_tuntap::{
    Batch, Builder, DeviceName, Layout, Merging, Writer,
    offload::{Offload, VnetHeader, checksum::Sum, checksum::pseudo_header},
};

const BATCH: usize = 64;
type Way<'a> = (&'a str, Box<dyn FnMut() + 'a>);

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let number = |at: usize, default: f64| words.get(at).map_or(default, |word| word.parse().expect("a number"));
    let (rounds, seconds) = (number(0, 5.0) as usize, Duration::from_secs_f64(number(1, 0.5)));
    // SAFETY: unshare takes an integer and no pointer; this is the only thread.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "no privilege for a network namespace");
    let tun = Builder::tun(DeviceName::new("raw0").expect("a name")).offload(Offload::ALL).create().expect("a device");
    for line in ["addr add 10.3.0.1/24 dev raw0", "link set raw0 up"] {
        assert!(Command::new("ip").args(line.split(' ')).status().expect("ip").success());
    }
    // A receiver that is not read: what arrives is dropped at its full buffer, the same for all ways.
    let _receiver = std::net::UdpSocket::bind("10.3.0.1:9").expect("a socket");
    for size in [64, 1420] {
        let fill = |batch: &mut Batch| (0..BATCH).for_each(|_| assert!(batch.push(VnetHeader::NONE, &packet(size))));
        let (mut first, mut second) =
            (Batch::new(Layout::for_super_packets()), Batch::new(Layout::for_super_packets()));
        fill(&mut first);
        fill(&mut second);
        let (mut single, mut merged) = (Writer::new().merging(Merging::Off), Writer::new());
        let mut ring = IoUring::new(BATCH as u32).expect("io_uring");
        let framed = [vec![0; 10], packet(size)].concat();
        let descriptor = Fd(tun.as_fd().as_raw_fd());
        let mut ways: Vec<Way> = vec![
            (
                "write, one by one",
                Box::new(|| {
                    tun.send(&mut first, &mut single).expect("a device");
                }),
            ),
            (
                "io_uring, 64 at once",
                Box::new(|| {
                    for _ in 0..BATCH {
                        let entry = opcode::Write::new(descriptor, framed.as_ptr(), framed.len() as u32).build();
                        // SAFETY: the bytes live, unchanged, until every completion is taken below.
                        unsafe { ring.submission().push(&entry).expect("room") };
                    }
                    ring.submit_and_wait(BATCH).expect("io_uring");
                    assert!(ring.completion().all(|done| done.result() > 0));
                }),
            ),
            (
                "merged to super-packets",
                Box::new(|| {
                    tun.send(&mut second, &mut merged).expect("a device");
                }),
            ),
        ];
        let mut rows = vec![Vec::new(); ways.len()];
        for _ in 0..rounds {
            for (row, (_, way)) in rows.iter_mut().zip(&mut ways) {
                let (begin, cpu, mut packets) = (Instant::now(), cpu_nanos(), 0.0);
                while begin.elapsed() < seconds {
                    way();
                    packets += BATCH as f64;
                }
                row.push((packets / begin.elapsed().as_secs_f64() / 1e3, (cpu_nanos() - cpu) / packets));
            }
        }
        for (row, (name, _)) in rows.iter_mut().zip(&ways) {
            row.sort_by(|a, b| a.1.total_cmp(&b.1));
            let (rate, cost) = row[row.len() / 2];
            println!(
                "{size:>5} B  {name:<24}{rate:>8.0} kpps{cost:>8.0} ns ({:.0}-{:.0})",
                row[0].1,
                row[row.len() - 1].1
            );
        }
    }
}

fn packet(size: usize) -> Vec<u8> {
    let [high, low] = (size as u16).to_be_bytes();
    let mut packet = vec![0x45, 0, high, low, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 3, 0, 2, 10, 3, 0, 1];
    let sum = Sum::default().bytes(&packet).finish();
    packet[10..12].copy_from_slice(&sum);
    let length = (size - 20) as u16;
    packet.extend([4001_u16.to_be_bytes(), 9_u16.to_be_bytes(), length.to_be_bytes(), [0, 0]].concat());
    packet.resize(size, 0);
    let sum = pseudo_header(&packet[12..20], 17, length).bytes(&packet[20..]).finish();
    packet[26..28].copy_from_slice(&sum);
    packet
}

fn cpu_nanos() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: clock_gettime writes one timespec, which lives until it returns.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
