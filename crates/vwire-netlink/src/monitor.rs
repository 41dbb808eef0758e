//! Notifications: what changes in the kernel, as it changes.
//!
//! A socket that is not read in time loses notifications, and the kernel says so (`ENOBUFS`). That is no error but
//! [`Event::Overrun`]: the caller then reads everything anew, with a [`crate::Socket`], and goes on. Subscribe first
//! and read everything after, else a change in between is missed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::error::{DumpError, OpenError};
use crate::socket::{OwnedMessage, Socket};
use crate::sys;
use crate::wire::{Messages, message};

/// A group of notifications (`RTNLGRP_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group(pub u32);

#[allow(missing_docs, reason = "each is the kernel's constant of the same name")]
impl Group {
    pub const LINK: Self = Self(1);
    pub const NEIGH: Self = Self(3);
    pub const IPV4_IFADDR: Self = Self(5);
    pub const IPV4_MROUTE: Self = Self(6);
    pub const IPV4_ROUTE: Self = Self(7);
    pub const IPV4_RULE: Self = Self(8);
    pub const IPV6_IFADDR: Self = Self(9);
    pub const IPV6_MROUTE: Self = Self(10);
    pub const IPV6_ROUTE: Self = Self(11);
    pub const IPV6_IFINFO: Self = Self(12);
    pub const IPV6_PREFIX: Self = Self(18);
    pub const IPV6_RULE: Self = Self(19);
    pub const IPV4_NETCONF: Self = Self(24);
    pub const IPV6_NETCONF: Self = Self(25);
    pub const MDB: Self = Self(26);
    pub const MPLS_ROUTE: Self = Self(27);
    pub const NSID: Self = Self(28);
    pub const MPLS_NETCONF: Self = Self(29);
    pub const NEXTHOP: Self = Self(32);
    pub const BRVLAN: Self = Self(33);
    pub const TUNNEL: Self = Self(35);
    pub const STATS: Self = Self(36);
    pub const IPV4_MCADDR: Self = Self(37);
    pub const IPV6_MCADDR: Self = Self(38);
    pub const IPV6_ACADDR: Self = Self(39);
}

/// Which namespaces notifications come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// Only the one that the thread was in when the monitor was opened.
    Own,
    /// Also all that have an id in that one (`NETLINK_LISTEN_ALL_NSID`).
    AllWithId,
}

/// What a monitor returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something changed.
    Change {
        /// The id of the namespace it changed in, if it is another than the monitor's.
        nsid: Option<i32>,
        /// What changed: the message type says which body it has.
        message: OwnedMessage,
    },
    /// Notifications were lost: everything must be read anew.
    Overrun,
}

/// A socket that receives notifications.
#[derive(Debug)]
pub struct Monitor {
    socket: Socket,
    /// Reads everything anew; of the namespace that the monitor is of, wherever the thread may be by then.
    reader: Socket,
    buffer: Vec<u8>,
    /// Events of the last datagram, the next one last.
    pending: Vec<Event>,
}

impl Monitor {
    /// Opens a monitor of some groups.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the kernel refuses, for example a group it does not know.
    pub fn open(groups: &[Group], namespaces: Namespaces) -> Result<Self, OpenError> {
        let socket = Socket::open()?;
        if namespaces == Namespaces::AllWithId {
            socket.option("NETLINK_LISTEN_ALL_NSID", libc::NETLINK_LISTEN_ALL_NSID, 1)?;
        }
        for group in groups {
            let group = i32::try_from(group.0).unwrap_or(i32::MAX);
            socket.option("NETLINK_ADD_MEMBERSHIP", libc::NETLINK_ADD_MEMBERSHIP, group)?;
        }
        let reader = Socket::open()?;
        Ok(Self { socket, reader, buffer: vec![0; 64 * 1024], pending: Vec::new() })
    }

    /// Asks for a receive buffer of this many bytes; without `CAP_NET_ADMIN` the kernel's limit holds.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the kernel refuses.
    pub fn set_receive_buffer(&self, bytes: i32) -> Result<(), OpenError> {
        self.socket.set_receive_buffer(bytes)
    }

    /// Reads everything anew after [`Event::Overrun`], or at the start, with a socket in the monitor's namespace.
    ///
    /// What waits to be read is thrown away first: `read` sees all of it. What comes meanwhile is told afterwards, and
    /// may be what `read` has seen already.
    ///
    /// # Errors
    ///
    /// The error of `read`.
    pub fn resync<T>(&mut self, read: impl FnOnce(&mut Socket) -> Result<T, DumpError>) -> Result<T, DumpError> {
        self.pending.clear();
        loop {
            match sys::receive(self.socket.as_fd(), &mut self.buffer, false) {
                Ok(Some(_)) => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {}
                Ok(None) | Err(_) => break,
            }
        }
        read(&mut self.reader)
    }

    /// Reads something with a socket in the monitor's namespace, and leaves waiting what waits to be read.
    ///
    /// What waits may be what `read` has seen already.
    ///
    /// # Errors
    ///
    /// The error of `read`.
    pub fn ask<T>(&mut self, read: impl FnOnce(&mut Socket) -> Result<T, DumpError>) -> Result<T, DumpError> {
        read(&mut self.reader)
    }

    /// Waits for the next event, for ever if there is no timeout; None if the time is over or a signal came.
    ///
    /// # Errors
    ///
    /// The error of poll() or recvmsg(), but for `ENOBUFS`, which is [`Event::Overrun`].
    pub fn next(&mut self, timeout: Option<Duration>) -> io::Result<Option<Event>> {
        if let Some(event) = self.pending.pop() {
            return Ok(Some(event));
        }
        let milliseconds = match timeout {
            Some(timeout) => i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX),
            None => -1,
        };
        match sys::wait_readable(self.as_fd(), milliseconds) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(None),
            Err(error) => return Err(error),
        }
        let received = match sys::receive(self.socket.as_fd(), &mut self.buffer, false) {
            Ok(received) => received,
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                return Ok(Some(Event::Overrun));
            }
            Err(error) => return Err(error),
        };
        let Some(received) = received.filter(|received| received.port == 0) else {
            return Ok(None);
        };
        let Some(datagram) = self.buffer.get(..received.length) else {
            self.buffer.resize(received.length, 0);
            return Ok(Some(Event::Overrun));
        };
        let change = |message: message::Message<'_>| Event::Change {
            nsid: received.nsid,
            message: OwnedMessage { header: message.header, payload: message.payload.into() },
        };
        self.pending.extend(Messages::new(datagram).filter_map(Result::ok).map(change));
        self.pending.reverse();
        Ok(self.pending.pop())
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
