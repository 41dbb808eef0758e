//! Sends UDP datagrams as fast as it can, or counts those that arrive.
//!
//! `flood send ADDRESS SIZE SECONDS FLOWS` (SIZE is of the IP packet) prints how many were sent; each is a datagram of
//! its own, no GSO. `flood sink ADDRESS SECONDS` prints how many came.

use std::{
    net::UdpSocket,
    os::fd::AsRawFd,
    time::{Duration, Instant},
};

const BURST: usize = 32;

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["send", to, size, seconds, flows] => {
            let size: usize = size.parse().expect("a size");
            send(to, size - 28, seconds.parse().expect("seconds"), flows.parse().expect("a count"));
        }
        ["sink", at, seconds] => sink(at, seconds.parse().expect("seconds")),
        _ => panic!("usage: flood send ADDRESS SIZE SECONDS FLOWS | flood sink ADDRESS SECONDS"),
    }
}

fn send(to: &str, payload: usize, seconds: u64, flows: usize) {
    let sockets: Vec<_> = (0..flows).map(|_| UdpSocket::bind("0.0.0.0:0").expect("a socket")).collect();
    for socket in &sockets {
        socket.connect(to).expect("an address");
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut bytes, mut sent) = (vec![0_u8; payload], 0_u64);
    while Instant::now() < end {
        for socket in &sockets {
            sent += batch(socket.as_raw_fd(), &mut bytes, true);
        }
    }
    println!("{sent}");
}

fn sink(at: &str, seconds: u64) {
    let socket = UdpSocket::bind(at).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket");
    let big: libc::c_int = 4 << 20;
    let size = size_of_val(&big) as libc::socklen_t;
    // SAFETY: setsockopt reads `size` bytes of an integer that lives until it returns.
    unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, (&raw const big).cast(), size)
    };
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut bytes, mut came) = (vec![0_u8; 2048], 0_u64);
    while Instant::now() < end {
        came += batch(socket.as_raw_fd(), &mut bytes, false);
    }
    println!("{came}");
}

/// Moves up to [`BURST`] datagrams by `sendmmsg` or `recvmmsg`; all of them through the same bytes.
fn batch(fd: i32, bytes: &mut [u8], send: bool) -> u64 {
    let mut piece = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: an all-zero `mmsghdr` is a valid one without address, data and control bytes.
    let mut messages: [libc::mmsghdr; BURST] = unsafe { std::mem::zeroed() };
    for message in &mut messages {
        message.msg_hdr.msg_iov = &raw mut piece;
        message.msg_hdr.msg_iovlen = 1;
    }
    let (list, count) = (messages.as_mut_ptr(), BURST as u32);
    // SAFETY: `count` messages follow each other at `list`; each names one live piece of memory, which is only written
    // by the kernel, one message after the other.
    let done = unsafe {
        if send {
            libc::sendmmsg(fd, list, count, 0)
        } else {
            libc::recvmmsg(fd, list, count, libc::MSG_WAITFORONE as _, std::ptr::null_mut())
        }
    };
    u64::try_from(done).unwrap_or(0)
}
