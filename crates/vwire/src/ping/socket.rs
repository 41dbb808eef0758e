//! Sends echo requests and hears what comes back: the only place here that touches packets' sockets.
//!
//! An ICMP datagram socket is tried first: it needs no privilege where the group of the user lies
//! in `net.ipv4.ping_group_range` (for IPv6, too), and the kernel hands it only its own replies.
//! Where that is refused, a raw socket does, for those with `CAP_NET_RAW`; a filter in the kernel
//! keeps others' packets away. ICMP errors come by the socket's error queue (`IP_RECVERR`).

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, RecvMsg, SockaddrStorage, recvmsg, setsockopt, sockopt};
use socket2::{Domain, Protocol, SockAddr, SockFilter, Socket, Type};

use super::echo::{self, Echo, Family, HEADER};
use super::target::{Path, bind_to_device};
use super::trouble::IcmpError;
use super::{Refused, Request};

/// A socket that pings one address.
#[derive(Debug)]
pub struct EchoSocket {
    socket: Socket,
    family: Family,
    /// What tells our packets from others' on a raw socket; a datagram socket's are told apart by the kernel.
    raw_identifier: Option<u16>,
    target: SocketAddr,
    buffer: Vec<u8>,
    control: Vec<u8>,
}

/// A reply, as it came.
#[derive(Debug)]
pub struct Heard<'a> {
    /// Who sent it.
    pub from: SocketAddr,
    /// Time to live or hop limit.
    pub hops: Option<u8>,
    /// The packet.
    pub echo: Echo<'a>,
    /// How long ago the kernel got it.
    pub age: Duration,
}

/// What lay in the error queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queued {
    /// The kernel could not send a packet.
    Local {
        /// The error's number.
        errno: i32,
        /// The MTU that stood in the way, for `EMSGSIZE`.
        mtu: u32,
    },
    /// Somebody sent an ICMP error about one of our packets.
    Icmp {
        /// Who.
        from: Option<SocketAddr>,
        /// What.
        error: IcmpError,
        /// Our packet's sequence number.
        sequence: u16,
    },
    /// Something that does not concern us.
    Other,
}

impl EchoSocket {
    /// Opens a socket and sets it up for a path.
    ///
    /// # Errors
    /// Neither kind of socket is allowed, or the source address is not one of this namespace.
    pub fn open(path: &Path, request: &Request) -> Result<Self, Refused> {
        let family = path.family();
        let (socket, raw_identifier) = open_either(family)?;
        let opened = Self {
            socket,
            family,
            raw_identifier,
            target: path.target,
            // What is longer than asked for is cut, 60 bytes being the longest IPv4 header.
            buffer: vec![0; request.size + HEADER + 60],
            control: vec![0; 512],
        };
        opened.set_up(request).map_err(|error| Refused::system("setsockopt", &error))?;
        opened.leave_by(path, request)?;
        Ok(opened)
    }

    /// Sends a request; `WouldBlock` where there is no room.
    ///
    /// # Errors
    /// The kernel's.
    pub fn send(&self, sequence: u16, size: usize) -> io::Result<()> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let packet = echo::request(self.family, self.raw_identifier.unwrap_or(0), sequence, size, now);
        self.socket.send_to(&packet, &SockAddr::from(self.target)).map(|_| ())
    }

    /// Returns the next reply, `None` where none waits.
    pub fn receive(&mut self) -> Option<Heard<'_>> {
        loop {
            let received = match self.take(MsgFlags::empty()) {
                Ok(received) => received,
                Err(Errno::EINTR) => continue,
                // Other errors belong to the error queue, whose turn is next.
                Err(_) => return None,
            };
            if self.read(&received).is_some() {
                return self.read(&received);
            }
        }
    }

    fn read(&self, received: &Received) -> Option<Heard<'_>> {
        let bytes = self.buffer.get(..received.length)?;
        let (hops, bytes) = match (self.family, self.raw_identifier) {
            (Family::V4, Some(_)) => echo::without_ipv4_header(bytes).map(|(ttl, rest)| (Some(ttl), rest))?,
            _ => (received.hops, bytes),
        };
        let echo = echo::reply(self.family, bytes).filter(|echo| self.is_ours(echo))?;
        Some(Heard { from: received.from?, hops, echo, age: received.age })
    }

    /// Returns what lies next in the error queue.
    pub fn next_error(&mut self) -> Option<Queued> {
        let received = self.take(MsgFlags::MSG_ERRQUEUE).ok()?;
        let Some((error, offender)) = received.error else { return Some(Queued::Other) };
        if error.ee_origin == ORIGIN_LOCAL {
            let errno = i32::try_from(error.ee_errno).unwrap_or(libc::EIO);
            return Some(Queued::Local { errno, mtu: error.ee_info });
        }
        let quoted = self.buffer.get(..received.length).and_then(|bytes| echo::quoted(self.family, bytes));
        let quoted = quoted.filter(|echo| self.is_ours(echo));
        let to_target = received.from.is_some_and(|to| to.ip() == self.target.ip());
        let is_icmp = matches!(error.ee_origin, ORIGIN_ICMP | ORIGIN_ICMP6);
        Some(match quoted {
            Some(echo) if is_icmp && to_target => Queued::Icmp {
                from: offender,
                error: IcmpError { family: self.family, kind: error.ee_type, code: error.ee_code, info: error.ee_info },
                sequence: echo.sequence,
            },
            _ => Queued::Other,
        })
    }

    /// Forgets an error that the next call would otherwise report in the place of sending.
    pub fn clear_error(&self) {
        let _ = self.socket.take_error();
    }

    fn is_ours(&self, echo: &Echo<'_>) -> bool {
        self.raw_identifier.is_none_or(|identifier| identifier == echo.identifier)
    }

    fn take(&mut self, flags: MsgFlags) -> nix::Result<Received> {
        let mut into = [IoSliceMut::new(&mut self.buffer)];
        let flags = flags | MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<SockaddrStorage>(self.socket.as_raw_fd(), &mut into, Some(&mut self.control), flags)?;
        Ok(Received::from_message(&message))
    }

    fn set_up(&self, request: &Request) -> io::Result<()> {
        self.socket.set_nonblocking(true)?;
        // Without the kernel's time stamps the process' own do.
        let _ = setsockopt(&self.socket, sockopt::ReceiveTimestampns, &true);
        match self.family {
            Family::V4 => {
                setsockopt(&self.socket, sockopt::Ipv4RecvErr, &true)?;
                setsockopt(&self.socket, sockopt::Ipv4RecvTtl, &true)?;
            }
            Family::V6 => {
                setsockopt(&self.socket, sockopt::Ipv6RecvErr, &true)?;
                setsockopt(&self.socket, sockopt::Ipv6RecvHopLimit, &true)?;
            }
        }
        if let Some(identifier) = self.raw_identifier {
            self.socket.attach_filter(&replies_to(self.family, identifier))?;
        }
        if request.broadcast {
            self.socket.set_broadcast(true)?;
        }
        if request.probes_mtu {
            super::sys::probe_path_mtu(&self.socket, self.family)?;
        }
        Ok(())
    }

    fn leave_by(&self, path: &Path, request: &Request) -> Result<(), Refused> {
        if let Some(device) = path.device.as_deref() {
            bind_to_device(&self.socket, device)?;
        }
        if let Some(ttl) = request.ttl {
            self.set_hops(ttl.into()).map_err(|error| Refused::system("cannot set unicast time-to-live", &error))?;
        }
        let Some(source) = path.source.filter(|_| request.from_address.is_some()) else { return Ok(()) };
        self.socket.bind(&source.into()).map_err(|error| {
            let what = if self.family == Family::V4 { "bind" } else { "bind icmp socket" };
            Refused::system(what, &error).hint(format!(
                "`{}` must be an address of this namespace, a link-local one with its device; `vwire addr show` lists them",
                source.ip()
            ))
        })
    }

    fn set_hops(&self, hops: u32) -> io::Result<()> {
        match self.family {
            Family::V4 => self.socket.set_multicast_ttl_v4(hops).and_then(|()| self.socket.set_ttl_v4(hops)),
            Family::V6 => self.socket.set_multicast_hops_v6(hops).and_then(|()| self.socket.set_unicast_hops_v6(hops)),
        }
    }
}

impl AsFd for EchoSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// What comes with a packet.
#[derive(Debug)]
struct Received {
    length: usize,
    /// The sender; in the error queue, whom our packet was for.
    from: Option<SocketAddr>,
    hops: Option<u8>,
    age: Duration,
    error: Option<(libc::sock_extended_err, Option<SocketAddr>)>,
}

impl Received {
    fn from_message(message: &RecvMsg<'_, '_, SockaddrStorage>) -> Self {
        let from = message.address.as_ref().and_then(socket_address);
        let mut received = Self { length: message.bytes, from, hops: None, age: Duration::ZERO, error: None };
        for control in message.cmsgs().into_iter().flatten() {
            match control {
                ControlMessageOwned::Ipv4Ttl(hops) | ControlMessageOwned::Ipv6HopLimit(hops) => {
                    received.hops = u8::try_from(hops).ok();
                }
                ControlMessageOwned::ScmTimestampns(stamp) => received.age = age_of(Duration::from(stamp)),
                ControlMessageOwned::Ipv4RecvErr(error, offender) => {
                    received.error = Some((error, offender.and_then(offender_v4)));
                }
                ControlMessageOwned::Ipv6RecvErr(error, offender) => {
                    received.error = Some((error, offender.and_then(offender_v6)));
                }
                _ => {}
            }
        }
        received
    }
}

/// How long ago a time of day was; zero where the clock was set in between.
fn age_of(stamp: Duration) -> Duration {
    let age = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + stamp).unwrap_or_default();
    if age < OLDEST { age } else { Duration::ZERO }
}

fn open_either(family: Family) -> Result<(Socket, Option<u16>), Refused> {
    let (domain, protocol) = match family {
        Family::V4 => (Domain::IPV4, Protocol::ICMPV4),
        Family::V6 => (Domain::IPV6, Protocol::ICMPV6),
    };
    let refused = match Socket::new(domain, Type::DGRAM, Some(protocol)) {
        Ok(socket) => return Ok((socket, None)),
        Err(error) => error,
    };
    if !matches!(refused.raw_os_error(), Some(libc::EACCES | libc::EPROTONOSUPPORT | libc::EAFNOSUPPORT)) {
        return Err(Refused::system("socket", &refused));
    }
    match Socket::new(domain, Type::RAW, Some(protocol)) {
        Ok(socket) => Ok((socket, Some(identifier()))),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(not_allowed(&error)),
        Err(error) => Err(Refused::system("socket", &error)),
    }
}

fn not_allowed(error: &io::Error) -> Refused {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ping_group_range").unwrap_or_default();
    let range = range.split_whitespace().collect::<Vec<_>>().join(" ");
    Refused::system("socket", error)
        .hint(format!(
            "groups may ping here by net.ipv4.ping_group_range, which is `{range}`: \
             `sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"` as root allows all"
        ))
        .hint("or give the program CAP_NET_RAW: `setcap cap_net_raw+ep $(command -v vwire)`, or run it as root")
}

/// Some number; two pings that have the same would each see the other's replies as duplicates.
fn identifier() -> u16 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let [low, high, ..] = (std::process::id() ^ now.subsec_micros()).to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// A classic BPF program that passes echo replies with an identifier.
fn replies_to(family: Family, identifier: u16) -> [SockFilter; 7] {
    // LD|B, LD|H, with ABS for IPv6, with IND behind the IPv4 header of a raw socket.
    let (load_byte, load_half, reply) = match family {
        Family::V4 => (0x50, 0x48, 0),
        Family::V6 => (0x30, 0x28, 129),
    };
    [
        // X = length of the IPv4 header. LDX|B|MSH
        SockFilter::new(0xb1, 0, 0, 0),
        SockFilter::new(load_byte, 0, 0, 0),
        SockFilter::new(JUMP_EQUAL, 0, 3, reply),
        SockFilter::new(load_half, 0, 0, 4),
        SockFilter::new(JUMP_EQUAL, 0, 1, identifier.into()),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
        SockFilter::new(RETURN, 0, 0, 0),
    ]
}

fn socket_address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(address) = storage.as_sockaddr_in() {
        return Some(SocketAddr::new(address.ip().into(), 0));
    }
    let address = storage.as_sockaddr_in6()?;
    Some(SocketAddrV6::new(address.ip(), 0, 0, address.scope_id()).into())
}

fn offender_v4(address: libc::sockaddr_in) -> Option<SocketAddr> {
    let ip = Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr));
    (i32::from(address.sin_family) == libc::AF_INET).then(|| SocketAddr::new(IpAddr::V4(ip), 0))
}

fn offender_v6(address: libc::sockaddr_in6) -> Option<SocketAddr> {
    let ip = address.sin6_addr.s6_addr.into();
    let known = i32::from(address.sin6_family) == libc::AF_INET6;
    known.then(|| SocketAddrV6::new(ip, 0, 0, address.sin6_scope_id).into())
}

/// Older than this is not a packet's age but a clock that was set.
const OLDEST: Duration = Duration::from_secs(1);

// linux/errqueue.h, SO_EE_ORIGIN_*
const ORIGIN_LOCAL: u8 = 1;
const ORIGIN_ICMP: u8 = 2;
const ORIGIN_ICMP6: u8 = 3;

/// JMP|JEQ|K
const JUMP_EQUAL: u16 = 0x15;
/// RET|K
const RETURN: u16 = 0x06;
