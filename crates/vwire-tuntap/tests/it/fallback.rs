//! What happens when a kernel that passed the self-test refuses super-packets all the same.
//!
//! The devices are real; a seccomp filter answers `EINVAL` to writes as a kernel would that takes no super-packets. It
//! cannot see what is written, but super-packets are what is longer than the MTU or lies in many pieces.

use std::{
    fs::File,
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    ops::Range,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use nix::{
    libc,
    sched::{CloneFlags, setns},
};
use vwire_tuntap::{
    Batch, Builder, Device, Layout, Sent, Writer,
    offload::{Checksum, Offload, VnetHeader},
};

use crate::{
    examples::{Running, path},
    faults::{at_least, failing},
    lab::{ip, lab, named},
    traffic::{PATIENCE, socket, tun, turn_back, udp_super_packet},
};

/// Runs a closure on a thread whose writes of super-packets are refused.
fn refusing_super_packets<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    // More pieces than a prefix and a packet; more bytes than a prefix and an MTU.
    failing(libc::SYS_writev, at_least(2, 3), libc::EINVAL, || {
        failing(libc::SYS_write, at_least(2, 2000), libc::EINVAL, run)
    })
}

/// Fills a batch with answers to the socket, numbered in each byte.
fn answers(device: &Device, socket: &UdpSocket, numbers: Range<u8>) -> Batch {
    let mut batch = Batch::new(Layout::for_super_packets());
    for number in numbers.clone() {
        socket.send(&[number; 300]).unwrap();
    }
    while batch.len() < numbers.len() {
        device.recv(&mut batch).unwrap();
    }
    for index in 0..batch.len() {
        turn_back(batch.get_mut(index).unwrap().bytes);
    }
    batch
}

/// Checks that just these came, each once and in order.
fn assert_came(socket: &UdpSocket, numbers: Range<u8>) {
    let mut room = [0; 400];
    for number in numbers {
        assert_eq!(socket.recv(&mut room).unwrap(), 300);
        assert_eq!(room[..300], [number; 300]);
    }
    assert_none_left(socket);
}

fn assert_none_left(socket: &UdpSocket) {
    socket.set_nonblocking(true).unwrap();
    assert_eq!(socket.recv(&mut [0; 400]).unwrap_err().kind(), ErrorKind::WouldBlock);
    socket.set_nonblocking(false).unwrap();
}

#[test]
fn merged_packets_that_are_refused_go_singly_from_then_on() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")).offload(Offload::ALL));
        let socket = socket();
        let (told, calls): (Vec<_>, Vec<_>) = refusing_super_packets(|| {
            let rounds = (0..3).map(|_| {
                let mut batch = answers(&device, &socket, 0..40);
                let sent = device.send(&mut batch, &mut Writer::new()).unwrap();
                assert_eq!((sent.packets, sent.dropped), (40, 0));
                assert_came(&socket, 0..40);
                (sent.fallback, sent.calls)
            });
            rounds.unzip()
        });
        assert_eq!(told, [Some("the kernel refuses UDP super-packets; they are cut here"), None, None]);
        assert_eq!(calls, [41, 40, 40]);
    });
}

#[test]
fn super_packets_that_are_refused_are_cut_from_then_on() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")).offload(Offload::ALL));
        let socket = socket();
        let mut batch = Batch::new(Layout::for_super_packets());
        let (header, packet) = udp_super_packet(10, 500);
        assert!(batch.push(header, &packet) && batch.push(header, &packet));
        let rounds = refusing_super_packets(|| [(); 2].map(|()| device.send(&mut batch, &mut Writer::new()).unwrap()));
        let outcome = |sent: Sent| (sent.packets, sent.dropped, sent.calls, sent.fallback.is_some());
        assert_eq!(rounds.map(outcome), [(2, 0, 21, true), (2, 0, 20, false)]);
        (0..40).for_each(|_| assert_eq!(socket.recv(&mut [0; 600]).unwrap(), 500));
        assert_none_left(&socket);
    });
}

#[test]
fn a_super_packet_that_is_wrong_in_itself_says_nothing_about_others() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")).offload(Offload::ALL));
        let socket = socket();
        let send = |header: VnetHeader, packet: &[u8]| {
            let mut batch = Batch::new(Layout::for_super_packets());
            assert!(batch.push(header, packet));
            let sent = device.send(&mut batch, &mut Writer::new()).unwrap();
            assert_eq!(sent.fallback, None);
            (sent.packets, sent.dropped, sent.calls)
        };
        let (sound, packet) = udp_super_packet(10, 50);
        let (many, of_many) = udp_super_packet(150, 50);
        // What this kernel answers EINVAL to, and can be cut: a checksum said to be made, headers longer than the
        // packet, more segments than it allows.
        assert_eq!(send(VnetHeader { checksum: Checksum::InPacket, ..sound }, &packet), (1, 0, 11));
        assert_eq!(send(VnetHeader { header_len: 60_000, ..sound }, &packet), (1, 0, 11));
        assert_eq!(send(many, &of_many), (1, 0, 151));
        (0..170).for_each(|_| assert_eq!(socket.recv(&mut [0; 600]).unwrap(), 50));
        // And what cannot.
        assert_eq!(send(sound, &[0; 300]), (0, 1, 1));
        assert_eq!(send(sound, &packet), (1, 0, 1));
        (0..10).for_each(|_| assert_eq!(socket.recv(&mut [0; 600]).unwrap(), 50));
        assert_none_left(&socket);
    });
}

#[test]
fn a_group_that_is_stopped_half_way_goes_on_where_it_was() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")).offload(Offload::ALL));
        let socket = socket();
        let mut batch = answers(&device, &socket, 0..40);
        let last = batch.get(19).unwrap().bytes.as_ptr_range().end.addr();
        let mut writer = Writer::new();
        let begun = refusing_super_packets(|| {
            let beyond = at_least(1, u64::try_from(last).unwrap());
            failing(libc::SYS_write, beyond, libc::EAGAIN, || device.send_ready(&mut batch, &mut writer))
        });
        assert_eq!(begun, Ok(None));
        assert_came(&socket, 0..20);
        let ended = device.send_ready(&mut batch, &mut writer).unwrap().unwrap();
        assert_eq!((ended.packets, ended.dropped), (40, 0));
        assert_came(&socket, 20..40);
    });
}

#[test]
fn the_forwarder_goes_on_when_super_packets_are_refused() {
    const BYTES: usize = 20_000_000;
    lab(|| {
        let mut command = Command::new(path("forward"));
        command.stderr(Stdio::piped());
        let mut forward = refusing_super_packets(|| Running::program(&mut command, 2));
        let far = Running::namespace();
        let pid = far.0.id();
        ip(&format!("link set fwd1 netns {pid}"));
        ip("addr add 10.7.0.1/24 dev fwd0");
        ip("link set fwd0 mtu 1420 up");
        let there = File::open(format!("/proc/{pid}/ns/net")).unwrap();
        let (say, hear) = mpsc::channel();
        let receiver = thread::spawn(move || {
            setns(there, CloneFlags::CLONE_NEWNET).unwrap();
            ip("addr add 10.7.0.2/24 dev fwd1");
            ip("link set fwd1 mtu 1420 up");
            let listener = TcpListener::bind("10.7.0.2:7000").unwrap();
            say.send(()).unwrap();
            let (mut stream, _) = listener.accept().unwrap();
            let mut came = Vec::with_capacity(BYTES);
            stream.read_to_end(&mut came).unwrap();
            came
        });
        hear.recv_timeout(PATIENCE).unwrap();
        // Writes of the self-test count as dropped while a device is down.
        let dropped = || {
            let counts = [ip("-s -j link show fwd0"), far.inside("ip -s -j link show fwd1")].concat();
            counts.split(',').filter(|count| count.starts_with("\"dropped\"")).collect::<String>()
        };
        let before = dropped();
        let sent: Vec<u8> = (0..BYTES).map(|n| ((n * 31) >> 5).to_le_bytes()[0]).collect();
        let mut stream = TcpStream::connect_timeout(&"10.7.0.2:7000".parse().unwrap(), PATIENCE).unwrap();
        stream.write_all(&sent).unwrap();
        drop(stream);
        assert!(receiver.join().unwrap() == sent);
        assert_eq!(dropped(), before);
        forward.0.kill().unwrap();
        let mut told = String::new();
        forward.0.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(told, "fwd1: the kernel refuses TCP super-packets; they are cut here\n");
    });
}
