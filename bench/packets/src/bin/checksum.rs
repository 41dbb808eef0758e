//! The speed of the Internet checksum: the crate's sum beside a plain loop over 16-bit words.

use std::{hint::black_box, time::Instant};

use vwire_tuntap::offload::checksum::Sum;

fn plain(bytes: &[u8]) -> u64 {
    bytes.chunks_exact(2).map(|pair| u64::from(u16::from_ne_bytes([pair[0], pair[1]]))).sum()
}

fn main() {
    for size in [40, 64, 1420, 65_536] {
        let bytes = vec![0x5a; size];
        let measure = |sum: &dyn Fn(&[u8])| {
            let runs = 200_000_000 / size;
            let mut best = f64::MAX;
            for _ in 0..5 {
                let begin = Instant::now();
                (0..runs).for_each(|_| sum(black_box(&bytes)));
                best = best.min(begin.elapsed().as_secs_f64() / runs as f64);
            }
            best
        };
        let ours = measure(&|bytes| {
            black_box(Sum::default().bytes(bytes).finish());
        });
        let loops = measure(&|bytes| {
            black_box(plain(bytes));
        });
        let rate = |time: f64| size as f64 / time / 1e9;
        println!(
            "{size:>6} B  crate {:>6.1} ns {:>6.1} GB/s   plain loop {:>6.1} ns {:>6.1} GB/s",
            ours * 1e9,
            rate(ours),
            loops * 1e9,
            rate(loops)
        );
    }
}
