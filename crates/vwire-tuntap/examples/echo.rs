//! A host of its own on a TAP, without the kernel's stack: `echo [NAME [ADDRESS/LENGTH]]`, host0 and 10.9.0.2/24.
//!
//! It answers ARP and ping, and sends back what comes to TCP port 7 (RFC 862), by smoltcp.

use std::{
    error::Error,
    os::fd::{AsFd, AsRawFd},
};

use smoltcp::{
    iface::{Config, Interface, SocketSet},
    phy::{Device as Phy, DeviceCapabilities, Medium, RxToken, TxToken, wait},
    socket::tcp,
    time::Instant,
    wire::{EthernetAddress, IpCidr},
};
use vwire_tuntap::{Builder, Device, DeviceName};

const PORT: u16 = 7;
const MTU: usize = 1514; // With the Ethernet header.

struct Tap<'a>(&'a Device);
struct Frame(Vec<u8>);
struct Out<'a>(&'a Device);

impl<'a> Phy for Tap<'a> {
    type RxToken<'b>
        = Frame
    where
        Self: 'b;
    type TxToken<'b>
        = Out<'a>
    where
        Self: 'b;

    fn receive(&mut self, _now: Instant) -> Option<(Frame, Out<'a>)> {
        let mut frame = vec![0; MTU];
        let length = self.0.read(&mut frame).ok()?;
        frame.truncate(length);
        Some((Frame(frame), Out(self.0)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Out<'a>> {
        Some(Out(self.0))
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
    let address: IpCidr = words.next().unwrap_or("10.9.0.2/24".into()).parse().map_err(|()| "no address")?;
    let device = Builder::tap(DeviceName::new(&name)?).open()?;
    device.set_nonblocking(true)?;
    let (mut tap, mut sockets) = (Tap(&device), SocketSet::new(vec![]));
    let config = Config::new(EthernetAddress([2, 0, 0, 0, 0, 7]).into());
    let mut host = Interface::new(config, &mut tap, Instant::now());
    host.update_ip_addrs(|addresses| addresses.extend([address]));
    let bytes = || tcp::SocketBuffer::new(vec![0; 65_535]);
    let stream = sockets.add(tcp::Socket::new(bytes(), bytes()));
    println!("{name} is {address}");
    loop {
        host.poll(Instant::now(), &mut tap, &mut sockets);
        let tcp = sockets.get_mut::<tcp::Socket<'_>>(stream);
        if !tcp.is_open() {
            tcp.listen(PORT)?;
        } else if tcp.state() == tcp::State::CloseWait && !tcp.can_recv() {
            tcp.close();
        }
        if tcp.can_recv() && tcp.can_send() {
            let room = tcp.send_capacity() - tcp.send_queue();
            let bytes = tcp.recv(|bytes| (bytes.len().min(room), bytes[..bytes.len().min(room)].to_vec()))?;
            tcp.send_slice(&bytes)?;
            continue; // Polling sends it, and may bring more: to wait now could be to wait for ever.
        }
        wait(device.as_fd().as_raw_fd(), host.poll_delay(Instant::now(), &sockets))?;
    }
}
