//! A node of a lab that a test has up: programs that run in it, sockets and devices of it.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::libc::{AF_NETLINK, NETLINK_ROUTE, SOCK_RAW};
use vwire_tuntap::{Device, PacketInfo};

use super::error::Error;
use super::keeper::Keeper;
use super::message::{Request, Wanted};
use super::program::Command;
use super::serve::PACKET_INFO;

/// How long a TCP connection may take, unless said otherwise.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// A node of a [`Running`](super::Running) lab.
///
/// Sockets that it opens are in the node's network for good, whichever thread uses them, and are the standard library's
/// own types: a test's own code talks over the lab's wires with them, and an async runtime takes them as any other
/// (`set_nonblocking`, `from_std`). A socket that outlives the guard keeps the node's network, and it alone, until it is
/// closed.
#[derive(Clone)]
pub struct Node<'a> {
    keeper: &'a Keeper,
    name: String,
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Node").field(&self.name).finish()
    }
}

impl<'a> Node<'a> {
    pub(super) fn new(keeper: &'a Keeper, name: String) -> Self {
        Self { keeper, name }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Begins a program that is to run in the node, as [`std::process::Command::new`] does.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command<'a> {
        Command::new(self.keeper, self.name.clone(), program.as_ref())
    }

    /// Opens a UDP socket with an address of the node, as [`UdpSocket::bind`] does.
    ///
    /// # Errors
    /// The node does not have the address, or the port is taken.
    pub fn udp_socket(&self, address: impl ToSocketAddrs) -> Result<UdpSocket, Error> {
        self.open(Wanted::Udp(first(&address)?)).map(|(descriptor, _)| descriptor.into())
    }

    /// Opens a TCP socket that listens on an address of the node, as [`TcpListener::bind`] does.
    ///
    /// # Errors
    /// The node does not have the address, or the port is taken.
    pub fn tcp_listener(&self, address: impl ToSocketAddrs) -> Result<TcpListener, Error> {
        self.open(Wanted::Listener(first(&address)?)).map(|(descriptor, _)| descriptor.into())
    }

    /// Opens a TCP connection from the node, within 5 seconds.
    ///
    /// # Errors
    /// Nobody listens (`ConnectionRefused`), there is no way there, or no answer (`TimedOut`): see [`Error::kind`].
    pub fn tcp_stream(&self, address: impl ToSocketAddrs) -> Result<TcpStream, Error> {
        self.tcp_stream_within(address, CONNECT_PATIENCE)
    }

    /// Opens a TCP connection from the node, as [`TcpStream::connect_timeout`] does.
    ///
    /// # Errors
    /// As [`tcp_stream`](Self::tcp_stream).
    pub fn tcp_stream_within(&self, address: impl ToSocketAddrs, limit: Duration) -> Result<TcpStream, Error> {
        // No time at all is no limit that the system takes.
        let limit = limit.max(Duration::from_millis(1));
        self.open(Wanted::Stream(first(&address)?, limit)).map(|(descriptor, _)| descriptor.into())
    }

    /// Opens any socket in the node, by the numbers of `socket(2)`: raw, packet, netlink, …
    ///
    /// # Errors
    /// The kernel's.
    pub fn socket(&self, domain: i32, kind: i32, protocol: i32) -> Result<OwnedFd, Error> {
        self.open(Wanted::Socket { domain, kind, protocol }).map(|(descriptor, _)| descriptor)
    }

    /// Opens a socket that speaks rtnetlink in the node: links, addresses, routes as typed objects.
    ///
    /// # Errors
    /// The kernel's.
    pub fn netlink(&self) -> Result<vwire_netlink::Socket, Error> {
        let descriptor = self.socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)?;
        vwire_netlink::Socket::from_fd(descriptor).map_err(|error| Error::because(&error, &error.source))
    }

    /// Opens a queue of a TUN or TAP device that the lab's file gives the node: the test is the other end of it.
    ///
    /// # Errors
    /// The file has no such device, another holds its only queue, or `/dev/net/tun` may not be opened.
    pub fn tuntap(&self, device: &str) -> Result<Device, Error> {
        let (descriptor, notes) = self.open(Wanted::Tuntap(device.to_owned()))?;
        let headed = notes.iter().any(|note| note == PACKET_INFO);
        let packet_info = if headed { PacketInfo::Present } else { PacketInfo::Absent };
        Device::from_fd(descriptor, packet_info).map_err(|error| Error::new(error.to_string()))
    }

    fn open(&self, what: Wanted) -> Result<(OwnedFd, Vec<String>), Error> {
        let request = Request::Open { node: self.name.clone(), what };
        let (_, notes, mut descriptors) = self.keeper.ask(&request, &[])?;
        let descriptor = descriptors.pop().ok_or_else(|| Error::new("the lab's process sent no descriptor"))?;
        Ok((descriptor, notes))
    }
}

fn first(address: &impl ToSocketAddrs) -> Result<SocketAddr, Error> {
    let failed = |error: &io::Error| Error::because("this is no address with a port", error);
    let mut all = address.to_socket_addrs().map_err(|error| failed(&error))?;
    all.next().ok_or_else(|| failed(&io::ErrorKind::NotFound.into()))
}
