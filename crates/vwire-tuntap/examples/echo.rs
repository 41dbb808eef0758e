//! A host of its own on a TAP, without the kernel's stack: `echo [NAME [ADDRESS/LENGTH]]`, host0 and 10.9.0.2/24.
//!
//! It answers ARP and ping, and sends back what comes to TCP port 7 (RFC 862), by smoltcp. To see it, run it as
//! root, and in another terminal: `ip addr add 10.9.0.1/24 dev host0; ip link set host0 up; nc 10.9.0.2 7`

use std::{
    error::Error,
    os::fd::{AsFd, AsRawFd},
};

use smoltcp::{
    iface::{Config, Interface, SocketSet},
    phy::{self, DeviceCapabilities, Medium, RxToken, TxToken},
    socket::tcp::{self, Socket},
    time::Instant,
    wire::{EthernetAddress, IpCidr},
};
use vwire_tuntap::{Builder, Device, DeviceName};

const PORT: u16 = 7;
const CALLERS: usize = 8; // At a time; one more is refused.
const MTU: usize = 1514; // With the Ethernet header.

struct Tap(Device);
struct Frame(Vec<u8>);
struct Out<'a>(&'a Device);

impl phy::Device for Tap {
    type RxToken<'a> = Frame;
    type TxToken<'a> = Out<'a>;

    fn receive(&mut self, _now: Instant) -> Option<(Frame, Out<'_>)> {
        let mut frame = vec![0; MTU];
        let length = self.0.read(&mut frame).ok()?;
        frame.truncate(length);
        Some((Frame(frame), Out(&self.0)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Out<'_>> {
        Some(Out(&self.0))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut able = DeviceCapabilities::default();
        (able.medium, able.max_transmission_unit) = (Medium::Ethernet, MTU);
        able
    }
}

impl RxToken for Frame {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl TxToken for Out<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        let mut frame = vec![0; length];
        let result = fill(&mut frame);
        self.0.write(&frame).ok(); // What is not taken is lost on the wire: TCP sends it again.
        result
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or("host0".into());
    let address: IpCidr = words.next().unwrap_or("10.9.0.2/24".into()).parse().map_err(|()| "not ADDRESS/LENGTH")?;
    let mut tap = Tap(Builder::tap(DeviceName::new(&name)?).open()?);
    tap.0.set_nonblocking(true)?;
    let mut host = Interface::new(Config::new(EthernetAddress([2, 0, 0, 0, 0, 7]).into()), &mut tap, Instant::now());
    host.update_ip_addrs(|addresses| addresses.extend([address]));
    let (mut sockets, bytes) = (SocketSet::new(vec![]), || tcp::SocketBuffer::new(vec![0; 65_535]));
    let streams = [(); CALLERS].map(|()| sockets.add(Socket::new(bytes(), bytes())));
    println!("{name} is {address}");
    loop {
        host.poll(Instant::now(), &mut tap, &mut sockets);
        // What is turned back goes out by polling, which may bring more: to wait then could be to wait for ever.
        let turned = streams.iter().map(|&stream| turn_back(sockets.get_mut(stream)));
        if turned.sum::<Result<usize, _>>()? == 0 {
            phy::wait(tap.0.as_fd().as_raw_fd(), host.poll_delay(Instant::now(), &sockets))?;
        }
    }
}

fn turn_back(tcp: &mut Socket<'_>) -> Result<usize, Box<dyn Error>> {
    tcp.set_nagle_enabled(false); // Else the caller's delayed acknowledgement holds the end of a burst up for 40 ms.
    match tcp.state() {
        tcp::State::Closed => tcp.listen(PORT)?,
        tcp::State::CloseWait if !tcp.can_recv() => tcp.close(),
        _ if tcp.can_recv() && tcp.can_send() => {
            let room = tcp.send_capacity() - tcp.send_queue();
            let bytes = tcp.recv(|bytes| (bytes.len().min(room), bytes[..bytes.len().min(room)].to_vec()))?;
            return Ok(tcp.send_slice(&bytes)?);
        }
        _ => {}
    }
    Ok(0)
}
