//! Messages with descriptors over a socket between two processes.
//!
//! A message is its length in 4 bytes and its bytes; the descriptors come with the first of them.

use std::io::{self, IoSlice, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use super::sys;

/// The longest message in bytes: a lab's text is at most 1 MiB, a program's arguments and environment at most 6.
const LONGEST: usize = 16 << 20;

/// One end of a connection between the test and the process that holds its lab.
#[derive(Debug)]
pub(super) struct Channel(UnixStream);

impl From<OwnedFd> for Channel {
    fn from(descriptor: OwnedFd) -> Self {
        Self(descriptor.into())
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Channel {
    /// Makes two that are joined.
    pub(super) fn pair() -> io::Result<(Self, Self)> {
        UnixStream::pair().map(|(one, other)| (Self(one), Self(other)))
    }

    /// Sends a message.
    pub(super) fn send(&self, body: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= LONGEST);
        let length = length.ok_or_else(|| io::Error::from_raw_os_error(nix::libc::E2BIG))?;
        let whole = [&length.to_ne_bytes(), body].concat();
        let mut sent = send(self.0.as_fd(), &whole, descriptors)?;
        while let Some(rest) = whole.get(sent..).filter(|rest| !rest.is_empty()) {
            sent += send(self.0.as_fd(), rest, &[])?;
        }
        Ok(())
    }

    /// Receives a message; [`io::ErrorKind::UnexpectedEof`] where the other end is closed.
    pub(super) fn receive(&self) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
        let mut length = [0; 4];
        let (mut have, mut descriptors) = (0, Vec::new());
        while let Some(room) = length.get_mut(have..).filter(|room| !room.is_empty()) {
            let (received, more) = match sys::receive(self.0.as_fd(), room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                received => received?,
            };
            if received == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            have += received;
            descriptors.extend(more);
        }
        let length = usize::try_from(u32::from_ne_bytes(length)).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut body = vec![0; length];
        (&self.0).read_exact(&mut body)?;
        Ok((body, descriptors))
    }

    /// Returns whether a message, or the end, is there to be received.
    pub(super) fn is_readable(&self) -> io::Result<bool> {
        readable_within(self.0.as_fd(), PollTimeout::ZERO)
    }
}

/// Sends bytes, all or some, without a signal where nobody reads.
pub(super) fn send(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let numbers: Vec<_> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&numbers)];
    let rights = if numbers.is_empty() { &[][..] } else { &rights[..] };
    loop {
        match sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(bytes)], rights, MsgFlags::MSG_NOSIGNAL, None) {
            Err(Errno::EINTR) => {}
            sent => return sent.map_err(io::Error::from),
        }
    }
}

/// Waits until something can be read, or is over; false if the time is.
pub(super) fn readable_within(descriptor: BorrowedFd<'_>, limit: PollTimeout) -> io::Result<bool> {
    loop {
        match poll(&mut [PollFd::new(descriptor, PollFlags::POLLIN)], limit) {
            Err(Errno::EINTR) => {}
            ready => return Ok(ready? > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_out_as_it_went_in_with_its_descriptors() {
        let (one, other) = Channel::pair().unwrap();
        let body: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_ne_bytes).collect();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (received, descriptors) = std::thread::scope(|scope| {
            scope.spawn(|| one.send(&body, &[theirs.as_fd()]).unwrap());
            other.receive().unwrap()
        });
        assert!(received == body);
        io::Write::write_all(&mut &ours, b"through").unwrap();
        let mut text = [0; 7];
        UnixStream::from(descriptors.into_iter().next().unwrap()).read_exact(&mut text).unwrap();
        assert_eq!(&text, b"through");
    }

    #[test]
    fn the_end_and_a_length_that_is_none_are_told() {
        let (one, other) = Channel::pair().unwrap();
        assert!(!other.is_readable().unwrap());
        drop(one);
        assert!(other.is_readable().unwrap());
        assert_eq!(other.receive().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let (one, other) = Channel::pair().unwrap();
        send(one.as_fd(), &[0xff; 4], &[]).unwrap();
        assert_eq!(other.receive().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
