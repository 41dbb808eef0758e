//! Packets through a queue: what comes, what goes, and what happens when the device changes under a reader.

use std::{
    net::UdpSocket,
    os::fd::AsFd,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use vwire_tuntap::{
    Attachment, Batch, Builder, Device, Flags, Interrupt, Layout, Merging, TransferError, Writer,
    offload::{Checksum, Offload, Segmentation, SuperKind, VnetHeader, finish_checksum},
};

use crate::{
    lab::{ip, lab, named, other_namespace},
    sys::program,
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Makes a TUN with 10.4.0.1/24 on it, up, and nothing sent on it by the stack itself.
pub(crate) fn tun(builder: &Builder) -> Arc<Device> {
    std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
    let tun = builder.create().unwrap();
    ip("addr add 10.4.0.1/24 dev t0");
    ip("link set t0 up");
    Arc::new(tun)
}

pub(crate) fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("10.4.0.1:4000").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.connect("10.4.0.2:4001").unwrap();
    socket
}

/// Exchanges source and destination, so that the stack takes the packet as an answer.
pub(crate) fn turn_back(packet: &mut [u8]) {
    let (source, destination) = packet[12..20].split_at_mut(4);
    source.swap_with_slice(destination);
    let (source, destination) = packet[20..24].split_at_mut(2);
    source.swap_with_slice(destination);
}

/// Starts a reader and returns what its reads come to.
fn reader(device: Arc<Device>) -> mpsc::Receiver<Result<usize, TransferError>> {
    let (say, hear) = mpsc::channel();
    thread::spawn(move || {
        let mut batch = Batch::new(Layout::for_super_packets());
        loop {
            batch.clear();
            let result = device.recv(&mut batch);
            let over = result.is_err();
            if say.send(result).is_err() || over {
                break;
            }
        }
    });
    hear
}

#[test]
fn datagrams_go_out_and_come_back_with_and_without_headers() {
    let builder = || Builder::tun(named("t0"));
    let kinds: [fn() -> Builder; 4] = [
        || Builder::tun(named("t0")),
        || Builder::tun(named("t0")).packet_info(),
        || Builder::tun(named("t0")).offload(Offload::ALL),
        || Builder::tun(named("t0")).offload(Offload::ALL).packet_info(),
    ];
    assert_eq!(format!("{:?}", builder()), format!("{:?}", kinds[0]()));
    for kind in kinds {
        lab(move || {
            let device = tun(&kind());
            let socket = socket();
            let mut batch = Batch::new(Layout::for_super_packets().with_rooms(32, 16));
            socket.send(b"out").unwrap();
            assert_eq!(device.recv(&mut batch).unwrap(), 1);
            turn_back(batch.get_mut(0).unwrap().bytes);
            assert_eq!(device.send(&mut batch, &mut Writer::new()).unwrap().packets, 1);
            let mut room = [0; 10];
            assert_eq!(socket.recv(&mut room).unwrap(), 3);
        });
    }
}

#[test]
fn a_batch_of_one_flow_goes_in_one_call_and_arrives_whole() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")).offload(Offload::ALL));
        let socket = socket();
        for number in 0..40_u8 {
            socket.send(&[number; 300]).unwrap();
        }
        let mut batch = Batch::new(Layout::for_super_packets());
        while batch.len() < 40 {
            device.recv(&mut batch).unwrap();
        }
        for index in 0..40 {
            turn_back(batch.get_mut(index).unwrap().bytes);
        }
        let sent = device.send(&mut batch, &mut Writer::new()).unwrap();
        assert_eq!((sent.packets, sent.calls, sent.dropped), (40, 1, 0));
        let singly = device.send(&mut batch, &mut Writer::new().merging(Merging::Off)).unwrap();
        assert_eq!((singly.packets, singly.calls, singly.dropped), (40, 40, 0));
        for number in (0..40_u8).chain(0..40) {
            let mut room = [0; 400];
            assert_eq!(socket.recv(&mut room).unwrap(), 300);
            assert_eq!(room[..300], [number; 300]);
        }
    });
}

#[test]
fn a_super_packet_is_cut_for_a_device_without_offload() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")));
        let socket = socket();
        let packet = udp_super_packet(10, 500);
        let mut batch = Batch::new(Layout::for_super_packets());
        assert!(batch.push(packet.0, &packet.1));
        let sent = device.send(&mut batch, &mut Writer::new()).unwrap();
        assert_eq!((sent.packets, sent.calls, sent.dropped), (1, 10, 0));
        for _ in 0..10 {
            let mut room = [0; 600];
            assert_eq!(socket.recv(&mut room).unwrap(), 500);
        }
    });
}

/// Makes `count` datagrams of `size` bytes to the socket, as one packet.
pub(crate) fn udp_super_packet(count: u16, size: u16) -> (VnetHeader, Vec<u8>) {
    let length = count * size + 28;
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 4, 0, 2, 10, 4, 0, 1];
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    let header = |start, offset| Checksum::Needed { start, offset };
    let ip_sum = VnetHeader { checksum: header(0, 10), ..VnetHeader::NONE };
    finish_checksum(ip_sum, &mut packet).unwrap();
    packet.extend([4001_u16.to_be_bytes(), 4000_u16.to_be_bytes(), (length - 20).to_be_bytes(), [0, 0]].concat());
    let pseudo = vwire_tuntap::offload::checksum::pseudo_header(&packet[12..20], 17, length - 20).fold();
    packet[26..28].copy_from_slice(&pseudo);
    packet.resize(usize::from(length), 7);
    let segments = Segmentation::Super { kind: SuperKind::Udp, size, ecn: false };
    (VnetHeader { checksum: header(20, 6), segments, header_len: 28 }, packet)
}

#[test]
fn a_former_users_offload_mask_does_not_reach_the_next() {
    lab(|| {
        let first = tun(&Builder::tun(named("t0")).offload(Offload::ALL));
        first.set_persistence(vwire_tuntap::Persistence::Kept).unwrap();
        drop(first);
        let next = Builder::tun(named("t0")).attach().unwrap();
        socket().send(&[7; 100]).unwrap();
        let mut batch = Batch::new(Layout::for_mtu(1500));
        next.recv(&mut batch).unwrap();
        // With the mask still set the checksum would hold the pseudo header's sum alone.
        let packet = batch.get(0).unwrap().bytes;
        let sum = vwire_tuntap::offload::checksum::pseudo_header(&packet[12..20], 17, 108).bytes(&packet[20..]);
        assert!(sum.is_valid());
    });
}

#[test]
fn a_blocked_reader_is_interrupted() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")));
        let interrupt = Arc::new(Interrupt::new().unwrap());
        let (there, again) = (device.clone(), interrupt.clone());
        let blocked = thread::spawn(move || {
            let mut batch = Batch::new(Layout::for_mtu(1500));
            there.recv_until(&again, &mut batch)
        });
        interrupt.trigger();
        assert_eq!(blocked.join().unwrap(), Ok(0));
        interrupt.clear();
        socket().send(b"then").unwrap();
        assert_eq!(device.recv_until(&interrupt, &mut Batch::new(Layout::for_mtu(1500))), Ok(1));
    });
}

#[test]
fn a_blocked_reader_is_told_that_its_device_was_deleted() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")));
        let reads = reader(device.clone());
        socket().send(b"one").unwrap();
        assert_eq!(reads.recv_timeout(PATIENCE).unwrap(), Ok(1));
        ip("link del t0");
        let error = reads.recv_timeout(PATIENCE).unwrap().unwrap_err();
        assert!(error.is_gone(), "{error:?}");
        assert_eq!(error.to_string(), "cannot read from `t0`: the device is gone");
        let mut batch = Batch::new(Layout::for_mtu(1500));
        assert!(batch.push(VnetHeader::NONE, &[0x45; 40]));
        assert!(device.send(&mut batch, &mut Writer::new()).unwrap_err().is_gone());
        assert!(device.status().is_err());
    });
}

#[test]
fn an_interruptible_reader_is_told_that_its_device_was_deleted() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")));
        let there = device.clone();
        let interrupt = Interrupt::new().unwrap();
        let blocked = thread::spawn(move || there.recv_until(&interrupt, &mut Batch::new(Layout::for_mtu(1500))));
        ip("link del t0");
        assert!(blocked.join().unwrap().unwrap_err().is_gone());
    });
}

#[test]
fn a_blocked_reader_goes_on_when_the_device_was_down_or_its_mtu_changed() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")));
        let reads = reader(device.clone());
        ip("link set t0 down");
        let mut batch = Batch::new(Layout::for_mtu(1500));
        assert!(batch.push(VnetHeader::NONE, &[0x45; 40]));
        let sent = device.send(&mut batch, &mut Writer::new()).unwrap();
        assert_eq!((sent.packets, sent.dropped, sent.error.map(|errno| errno.0)), (0, 1, Some(nix::libc::EIO)));
        ip("link set t0 mtu 9000 up");
        socket().send(&[7; 8000]).unwrap();
        assert_eq!(reads.recv_timeout(PATIENCE).unwrap(), Ok(1));
        ip("link del t0");
        assert!(reads.recv_timeout(PATIENCE).unwrap().is_err());
    });
}

#[test]
fn a_blocked_reader_goes_on_when_the_device_is_moved_to_another_namespace() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")));
        let reads = reader(device.clone());
        let there = other_namespace();
        let holder = std::process::Command::new("ip")
            .args(["link", "set", "t0", "netns", "/proc/self/fd/0"])
            .stdin(there.try_clone().unwrap())
            .output()
            .unwrap();
        assert!(holder.status.success(), "{}", String::from_utf8_lossy(&holder.stderr));
        // The device goes with its namespace, which is kept until the end.
        let kept = there.try_clone().unwrap();
        thread::spawn(move || {
            nix::sched::setns(&there, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
            std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
            ip("addr add 10.4.0.1/24 dev t0");
            ip("link set t0 up");
            socket().send(b"from there").unwrap();
        })
        .join()
        .unwrap();
        assert_eq!(reads.recv_timeout(PATIENCE).unwrap(), Ok(1));
        assert_eq!(device.status().unwrap().name, named("t0"));
        drop(kept);
    });
}

#[test]
fn a_blocked_reader_goes_on_when_its_queue_was_detached() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")).flags(Flags::MULTI_QUEUE));
        let reads = reader(device.clone());
        device.set_attachment(Attachment::Detached).unwrap();
        device.set_attachment(Attachment::Attached).unwrap();
        socket().send(b"again").unwrap();
        assert_eq!(reads.recv_timeout(PATIENCE).unwrap(), Ok(1));
        device.set_attachment(Attachment::Detached).unwrap();
        ip("link del t0");
        assert!(reads.recv_timeout(PATIENCE).unwrap().unwrap_err().is_gone());
    });
}

#[test]
fn the_self_test_is_passed_on_this_kernel() {
    lab(|| {
        for mode in [vwire_tuntap::Mode::Tun, vwire_tuntap::Mode::Tap] {
            let device = Builder::new(mode, named("t%d")).offload(Offload::ALL).create().unwrap();
            let state = device.offload_state();
            assert_eq!((state.active, state.reason), (Offload::ALL, None), "{mode}");
        }
    });
}

#[cfg(feature = "tokio")]
#[test]
fn the_tokio_face_reads_writes_and_waits() {
    lab(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let device = Builder::tun(named("t0")).offload(Offload::ALL).create().unwrap();
            ip("addr add 10.4.0.1/24 dev t0");
            std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
            ip("link set t0 up");
            let device = vwire_tuntap::tokio::AsyncDevice::new(device).unwrap();
            let mut batch = Batch::new(Layout::for_super_packets());
            let nothing = tokio::time::timeout(Duration::from_millis(20), device.recv(&mut batch)).await;
            assert!(nothing.is_err() && batch.is_empty());
            let socket = socket();
            socket.send(b"out").unwrap();
            let came = tokio::time::timeout(PATIENCE, device.recv(&mut batch)).await;
            assert_eq!(came.unwrap(), Ok(1));
            turn_back(batch.get_mut(0).unwrap().bytes);
            assert_eq!(device.send(&mut batch, &mut Writer::new()).await.unwrap().packets, 1);
            assert_eq!(socket.recv(&mut [0; 10]).unwrap(), 3);
            ip("link del t0");
            let gone = tokio::time::timeout(PATIENCE, device.recv(&mut batch)).await;
            assert!(gone.unwrap().unwrap_err().is_gone());
        });
    });
}

#[test]
fn a_steering_program_chooses_the_queue() {
    lab(|| {
        let builder = Builder::tun(named("t0")).flags(Flags::MULTI_QUEUE);
        let first = tun(&builder);
        let second = builder.attach().unwrap();
        let socket = socket();
        let mut batch = Batch::new(Layout::for_mtu(1500));
        for (number, wanted, other) in [(1, &second, &*first), (0, &*first, &second)] {
            first.set_steering(Some(program::returning(number).as_fd())).unwrap();
            socket.send(b"here").unwrap();
            batch.clear();
            assert_eq!(other.recv_ready(&mut batch), Ok(0));
            assert_eq!(wanted.recv_ready(&mut batch), Ok(1));
        }
        first.set_steering(None).unwrap();
    });
}

#[test]
fn a_filter_program_cuts_and_drops_packets() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")));
        let socket = socket();
        let mut batch = Batch::new(Layout::for_mtu(1500));
        for (number, lengths) in [(0, vec![]), (30, vec![30]), (255, vec![128])] {
            device.set_filter_program(Some(program::returning(number).as_fd())).unwrap();
            socket.send(&[7; 100]).unwrap();
            batch.clear();
            device.recv_ready(&mut batch).unwrap();
            assert_eq!(batch.iter().map(|packet| packet.bytes.len()).collect::<Vec<_>>(), lengths);
        }
    });
}

#[test]
fn a_destination_filter_passes_what_it_names() {
    lab(|| {
        std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
        let tap = Builder::tap(named("t0")).create().unwrap();
        ip("addr add 10.4.0.1/24 dev t0");
        ip("link set t0 up");
        ip("neigh add 10.4.0.2 lladdr 02:00:00:00:00:02 dev t0");
        ip("neigh add 10.4.0.3 lladdr 02:00:00:00:00:03 dev t0");
        tap.set_destination_filter(&[[2, 0, 0, 0, 0, 3]], vwire_tuntap::Multicast::Named).unwrap();
        let socket = UdpSocket::bind("10.4.0.1:4000").unwrap();
        for to in ["10.4.0.2:1", "10.4.0.3:1"] {
            socket.send_to(b"frame", to).unwrap();
        }
        let mut batch = Batch::new(Layout::for_mtu(1500));
        assert_eq!(tap.recv_ready(&mut batch), Ok(1));
        assert_eq!(batch.get(0).unwrap().bytes[..6], [2, 0, 0, 0, 0, 3]);
    });
}

#[test]
fn a_detached_queue_still_takes_writes() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")).flags(Flags::MULTI_QUEUE));
        let socket = socket();
        device.set_attachment(Attachment::Detached).unwrap();
        let mut batch = Batch::new(Layout::for_mtu(1500));
        let (header, packet) = udp_super_packet(1, 500);
        assert!(batch.push(VnetHeader { segments: Segmentation::None, ..header }, &packet));
        assert_eq!(device.send(&mut batch, &mut Writer::new()).unwrap().packets, 1);
        assert_eq!(socket.recv(&mut [0; 600]).unwrap(), 500);
    });
}

#[test]
fn a_device_without_a_vnet_header_has_no_offload() {
    lab(|| {
        let plain = Builder::tun(named("t0")).create().unwrap();
        let error = plain.set_offload(Offload::ALL).unwrap_err();
        assert_eq!((error.call, error.errno), ("TUNSETOFFLOAD", vwire_tuntap::Errno::EINVAL));
    });
}

#[test]
fn offload_is_switched_while_packets_flow() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")).offload(Offload::NONE));
        let socket = socket();
        for (offload, unfinished) in [(Offload::NONE, false), (Offload::ALL, true), (Offload::NONE, false)] {
            assert_eq!(device.set_offload(offload).unwrap().active, offload);
            assert_eq!(device.offload_state().active, offload);
            socket.send(&[7; 100]).unwrap();
            let mut batch = Batch::new(Layout::for_super_packets());
            device.recv(&mut batch).unwrap();
            let needed = matches!(batch.get(0).unwrap().header.checksum, Checksum::Needed { .. });
            assert_eq!(needed, unfinished, "{offload:?}");
        }
    });
}

#[test]
fn an_interrupt_is_noticed_while_packets_wait() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")));
        let interrupt = Interrupt::new().unwrap();
        let mut batch = Batch::new(Layout::for_mtu(1500));
        socket().send(b"waits").unwrap();
        interrupt.trigger();
        assert_eq!(device.recv_until(&interrupt, &mut batch), Ok(0));
        interrupt.clear();
        assert_eq!(device.recv_until(&interrupt, &mut batch), Ok(1));
    });
}

#[test]
fn a_full_batch_is_an_error_and_no_endless_loop() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")));
        let mut batch = Batch::new(Layout { packets: 1, ..Layout::for_mtu(1500) });
        assert!(batch.push(VnetHeader::NONE, &[0x45; 40]));
        socket().send(b"waits").unwrap();
        let errors = [device.recv(&mut batch), device.recv_until(&Interrupt::new().unwrap(), &mut batch)];
        let full = |result: Result<usize, TransferError>| result.unwrap_err().errno.0 == nix::libc::ENOSPC;
        assert!(errors.into_iter().all(full));
        assert_eq!(device.recv_ready(&mut batch), Ok(0));
    });
}

#[test]
fn a_packet_that_grew_into_its_rooms_is_finished_and_sent() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")));
        let socket = socket();
        let (header, packet) = udp_super_packet(1, 500);
        let header = VnetHeader { segments: Segmentation::None, ..header };
        let layout = Layout { head_room: 0, tail_room: 500, longest: 100, arena: 0, packets: 1 };
        let mut batch = Batch::new(layout);
        assert!(batch.push(header, &packet[..100]) && batch.set_len(0, packet.len()));
        batch.get_mut(0).unwrap().bytes.copy_from_slice(&packet);
        let sent = device.send(&mut batch, &mut Writer::new()).unwrap();
        assert_eq!((sent.packets, sent.calls), (1, 1));
        assert_eq!(socket.recv(&mut [0; 600]).unwrap(), 500);
    });
}

#[test]
fn a_vnet_header_that_batches_do_not_speak_is_refused() {
    lab(|| {
        let device = tun(&Builder::tun(named("t0")).offload(Offload::ALL));
        let socket = socket();
        let mut batch = Batch::new(Layout::for_super_packets());
        for (size, spoken) in [(24, false), (12, true), (10, true)] {
            device.set_vnet_header_size(size).unwrap();
            batch.clear();
            let (header, packet) = udp_super_packet(2, 500);
            assert!(batch.push(header, &packet));
            let sent = device.send(&mut batch, &mut Writer::new());
            socket.send(b"word").unwrap();
            let came = device.recv(&mut batch);
            if spoken {
                (0..2).for_each(|_| assert_eq!(socket.recv(&mut [0; 600]).unwrap(), 500));
                assert_eq!((sent.unwrap().packets, came.unwrap()), (1, 1));
                assert_eq!(batch.get(1).unwrap().bytes.len(), 32);
            } else {
                let refused = [sent.unwrap_err(), came.unwrap_err()].map(|error| error.errno.0);
                assert_eq!(refused, [nix::libc::EPROTO; 2]);
                device.read(&mut [0; 100]).unwrap();
            }
        }
    });
}
