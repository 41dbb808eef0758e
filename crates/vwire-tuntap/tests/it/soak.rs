//! Errors at full rate: one packet in a thousand is spoilt, and exactly those are missing in the end.
//!
//! ```text
//! sender  -- UDP -->  device  -- recv -->  carrier (turns, spoils)  -- send -->  device  -- UDP -->  receiver
//! ```
//!
//! The three run side by side and none waits for another's packet. As UDP through a device has no brake, the sender
//! stops when [`WINDOW`] packets are under way, which is less than the queues between them hold: so whatever is missing
//! and was not spoilt was lost by the crate or by the kernel, and the test fails. Each packet carries the number it has
//! in its flow, so that one too many or in the wrong place shows, too.
//!
//! A run takes [`PACKETS`]; with `VWIRE_SOAK_SECONDS` in the environment, that many seconds.

use std::{
    fs,
    net::UdpSocket,
    sync::{Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use nix::sys::socket::{setsockopt, sockopt};
use vwire_tuntap::{
    Batch, Builder, Device, Interrupt, Layout, Writer,
    offload::{Checksum, Layer, Offload, Segmentation, Segments, VnetHeader, finish_checksum},
};

use crate::{
    lab::{ip, lab, named},
    sys::scheduling::wait_for_a_turn,
    traffic::{PATIENCE, tun},
};

/// Packets that are under way at most; half of what the device's queue and the receiver's buffer hold.
const WINDOW: u64 = 4_000;
const PACKETS: u64 = 60_000;
/// Bytes of UDP payload: a number and filling.
const PAYLOAD: usize = 200;
/// Where the number is in a packet: behind IPv4 and UDP.
const NUMBER: usize = 28;
/// The senders' ports, of a flow each.
const FLOWS: [u16; 4] = [4001, 4002, 4003, 4004];
/// Segments of a super-packet.
const SEGMENTS: usize = 50;
/// In place of a number: the flow is over.
const END: u64 = u64::MAX;

/// How the sender hands its datagrams to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Singly,
    AsSuperPackets,
}

/// What is done to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Neither IPv4 nor IPv6: the write is refused.
    Version,
    /// A checksum to be made far outside: the write is refused.
    VnetHeader,
    UdpChecksum,
    IpChecksum,
    /// Within the payload.
    Truncated,
    /// Within the IP header.
    Stump,
}

const FAULTS: [Fault; 6] =
    [Fault::Version, Fault::VnetHeader, Fault::UdpChecksum, Fault::IpChecksum, Fault::Truncated, Fault::Stump];

/// Returns what is done to the packet of this number: one in a thousand is spoilt.
fn fault_of(number: u64) -> Option<Fault> {
    let turn = usize::try_from(number / 1000).unwrap() % FAULTS.len();
    (number % 1000 == 999).then_some(FAULTS[turn])
}

/// How many packets have come, or are known not to; who sends waits here.
#[derive(Default)]
struct Window {
    settled: Mutex<u64>,
    changed: Condvar,
}

impl Window {
    fn settle(&self, settled: u64) {
        *self.settled.lock().unwrap() = settled;
        self.changed.notify_one();
    }

    fn wait_for_room(&self, sent: u64) {
        let full = |settled: &mut u64| sent - *settled > WINDOW;
        let (settled, waited) = self.changed.wait_timeout_while(self.settled.lock().unwrap(), PATIENCE, full).unwrap();
        assert!(!waited.timed_out(), "{sent} were sent, {settled} came, and then no more");
    }
}

/// Sends numbered datagrams of all flows in turn; returns how many of each.
fn send(sockets: &[UdpSocket; 4], sending: Sending, window: &Window) -> u64 {
    let segments = if sending == Sending::Singly { 1 } else { SEGMENTS };
    let limit = std::env::var("VWIRE_SOAK_SECONDS").ok().map(|seconds| Duration::from_secs(seconds.parse().unwrap()));
    let (begin, mut sent) = (Instant::now(), 0);
    let mut bytes = vec![7; PAYLOAD * segments];
    while limit.map_or(sent * 4 < PACKETS, |limit| begin.elapsed() < limit) {
        for _ in 0..SEGMENTS / segments {
            for (number, datagram) in (sent..).zip(bytes.chunks_mut(PAYLOAD)) {
                datagram[..8].copy_from_slice(&number.to_le_bytes());
            }
            sockets.iter().for_each(|socket| assert_eq!(socket.send(&bytes).unwrap(), bytes.len()));
            sent += u64::try_from(segments).unwrap();
        }
        window.wait_for_room(sent * 4);
    }
    bytes.truncate(PAYLOAD);
    bytes[..8].copy_from_slice(&END.to_le_bytes());
    sockets.iter().for_each(|socket| assert_eq!(socket.send(&bytes).unwrap(), PAYLOAD));
    sent
}

/// Receives until all flows are over and checks that each went on by one, or over spoilt packets; returns how many
/// numbers each has come past.
fn receive(socket: &UdpSocket, window: &Window) -> [u64; 4] {
    let mut next = [0; 4];
    let mut over = 0;
    wait_for_a_turn();
    let mut bytes = [0; 2 * PAYLOAD];
    while over < FLOWS.len() {
        let (length, from) = socket.recv_from(&mut bytes).expect("more packets come");
        let number = u64::from_le_bytes(*bytes.first_chunk().unwrap());
        assert_eq!(length, PAYLOAD);
        let flow = FLOWS.iter().position(|&port| port == from.port()).unwrap();
        if number == END {
            over += 1;
            continue;
        }
        assert!(number >= next[flow], "flow {flow}: {number} came twice or late, after {}", next[flow]);
        let missing = (next[flow]..number).find(|&missing| fault_of(missing).is_none());
        assert_eq!(missing, None, "flow {flow}: lost, and not spoilt, before {number}");
        next[flow] = number + 1;
        if number % 64 == 0 {
            window.settle(next.iter().sum());
        }
    }
    next
}

/// What the carrier did.
#[derive(Debug, Default)]
struct Carried {
    packets: usize,
    reads: usize,
    writes: usize,
    refused: usize,
    faults: [usize; FAULTS.len()],
}

/// Takes packets from the device, turns them back and spoils some of them, until interrupted.
fn carry(device: &Device, interrupt: &Interrupt) -> Carried {
    let mut carried = Carried::default();
    wait_for_a_turn();
    let mut batch = Batch::new(Layout::for_super_packets());
    let mut cut = Batch::new(Layout { arena: 4 << 20, packets: 8_000, ..Layout::for_super_packets() });
    let mut writer = Writer::new();
    while device.recv_until(interrupt, &mut batch).unwrap() > 0 {
        for index in 0..batch.len() {
            // The addresses alone, so that it comes to the receiver's port.
            let (source, destination) = batch.get_mut(index).unwrap().bytes[12..20].split_at_mut(4);
            source.swap_with_slice(destination);
        }
        carried.reads += batch.len();
        let spoil = batch.iter().any(|packet| numbers(packet.header, packet.bytes).any(|n| fault_of(n).is_some()));
        if spoil {
            cut.clear();
            batch.iter().for_each(|packet| cut_into(&mut cut, packet.header, packet.bytes));
        }
        let out = if spoil { &mut cut } else { &mut batch };
        let mut refused = 0;
        for index in 0..out.len() {
            let packet = out.get(index).unwrap();
            carried.packets += numbers(packet.header, packet.bytes).count();
            let fault = numbers(packet.header, packet.bytes).find_map(fault_of);
            if let Some(fault) = fault {
                spoil_one(out, index, fault);
                carried.faults[FAULTS.iter().position(|&other| other == fault).unwrap()] += 1;
                refused += usize::from(matches!(fault, Fault::Version | Fault::VnetHeader));
            }
        }
        let sent = device.send(out, &mut writer).unwrap();
        assert_eq!((sent.packets, sent.dropped, sent.fallback), (out.len() - refused, refused, None));
        carried.refused += refused;
        carried.writes += sent.calls;
        batch.clear();
    }
    carried
}

/// Returns the numbers of the datagrams in a packet.
fn numbers(header: VnetHeader, packet: &[u8]) -> impl Iterator<Item = u64> {
    let size = match header.segments {
        Segmentation::Super { size, .. } => usize::from(size),
        Segmentation::None => packet.len(),
    };
    packet[NUMBER..].chunks(size).map(|datagram| u64::from_le_bytes(*datagram.first_chunk().unwrap()))
}

/// Puts a packet into a batch, cut if there is one among its segments that is to be spoilt.
fn cut_into(batch: &mut Batch, header: VnetHeader, packet: &[u8]) {
    if !numbers(header, packet).any(|number| fault_of(number).is_some()) {
        assert!(batch.push(header, packet));
        return;
    }
    let mut segments = Segments::new(header, packet, Layer::Ip).unwrap();
    while segments.remaining() > 0 {
        let length = segments.write_next(batch.room().unwrap()).unwrap();
        assert!(batch.commit(length, VnetHeader::NONE));
    }
}

fn spoil_one(batch: &mut Batch, index: usize, fault: Fault) {
    let packet = batch.get_mut(index).unwrap();
    finish_checksum(*packet.header, packet.bytes).unwrap();
    *packet.header = VnetHeader::NONE;
    match fault {
        Fault::Version => packet.bytes[0] = 0xf5,
        Fault::VnetHeader => packet.header.checksum = Checksum::Needed { start: 60_000, offset: 6 },
        Fault::UdpChecksum => packet.bytes[NUMBER + PAYLOAD - 1] ^= 1,
        Fault::IpChecksum => packet.bytes[10] ^= 1,
        Fault::Truncated => assert!(batch.set_len(index, NUMBER + PAYLOAD / 2)),
        Fault::Stump => assert!(batch.set_len(index, 10)),
    }
}

/// Returns one of the kernel's counters of this namespace.
fn counter(file: &str, table: &str, name: &str) -> usize {
    let text = fs::read_to_string(format!("/proc/thread-self/net/{file}")).unwrap();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(table));
    let column = lines.next().unwrap().split_whitespace().position(|word| word == name).unwrap();
    lines.next().unwrap().split_whitespace().nth(column).unwrap().parse().unwrap()
}

/// Ends the carrier, also when the test fails.
struct Ending<'a>(&'a Interrupt);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.trigger();
    }
}

fn soak(sending: Sending) {
    let device = tun(&Builder::tun(named("t0")).offload(Offload::ALL));
    ip("link set t0 txqueuelen 8000");
    let socket = UdpSocket::bind("10.4.0.1:4000").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // A datagram takes a page and more of it.
    setsockopt(&socket, sockopt::RcvBufForce, &(64 << 20)).unwrap();
    let senders = FLOWS.map(|port| {
        let sender = UdpSocket::bind(("10.4.0.1", port)).unwrap();
        sender.connect("10.4.0.2:4000").unwrap();
        if sending == Sending::AsSuperPackets {
            setsockopt(&sender, sockopt::UdpGsoSegment, &i32::try_from(PAYLOAD).unwrap()).unwrap();
        }
        sender
    });
    let (window, interrupt, begin) = (Window::default(), Interrupt::new().unwrap(), Instant::now());
    let (sent, next, carried) = thread::scope(|scope| {
        let sender = scope.spawn(|| send(&senders, sending, &window));
        let carrier = scope.spawn(|| carry(&device, &interrupt));
        let ending = Ending(&interrupt);
        let next = receive(&socket, &window);
        drop(ending);
        (sender.join().unwrap(), next, carrier.join().unwrap())
    });
    let took = begin.elapsed().as_millis();
    for next in next {
        assert!((next..sent).all(|number| fault_of(number).is_some()), "lost, and not spoilt, from {next} on");
    }
    let spoilt = carried.faults.iter().sum::<usize>();
    let total = usize::try_from(sent * 4).unwrap();
    println!(
        "{sending:?}: {total} packets in {took} ms, {} reads, {} writes; {spoilt} were spoilt, {} came in order",
        carried.reads,
        carried.writes,
        total - spoilt,
    );
    assert_eq!(carried.packets, total + FLOWS.len());
    assert_eq!(spoilt, total / 4 / 1000 * 4);
    let of = |fault| carried.faults[FAULTS.iter().position(|&other| other == fault).unwrap()];
    assert!(carried.faults.iter().all(|&count| count > 0), "{:?}", carried.faults);
    assert_eq!(carried.refused, of(Fault::Version) + of(Fault::VnetHeader));
    // Where the others went, as the kernel counts it.
    assert_eq!(counter("snmp", "Udp:", "InCsumErrors"), of(Fault::UdpChecksum));
    assert_eq!(counter("snmp", "Ip:", "InHdrErrors"), of(Fault::IpChecksum) + of(Fault::Stump));
    assert_eq!(counter("netstat", "IpExt:", "InTruncatedPkts"), of(Fault::Truncated));
    assert_eq!(counter("snmp", "Udp:", "RcvbufErrors"), 0);
}

#[test]
fn datagrams_at_full_rate_are_missing_only_where_they_were_spoilt() {
    lab(|| soak(Sending::Singly));
}

#[test]
fn super_packets_at_full_rate_miss_only_the_segments_that_were_spoilt() {
    lab(|| soak(Sending::AsSuperPackets));
}
