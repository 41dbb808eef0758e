//! The blocking socket: requests, dumps, batches.
//!
//! Every request is acknowledged, and the acknowledgement is extended: an error has the kernel's sentence and the name
//! of the attribute it is about. Dumps are strict: a filter that the kernel does not know is an error, not ignored.
//!
//! What must stay true:
//! - An answer is taken by its sequence number; what is left over of an earlier request is skipped, never mixed in.
//! - A datagram that was cut off is never parsed: the buffer grows, and what can be asked again is asked again.
//! - A dump is returned only if the kernel says that nothing changed in between; else it is asked again.
//! - A batch is small enough that its answers fit the receive buffer, so none is lost.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::error::{Aborted, DumpError, DumpFailure, OpenError, RequestError};
use crate::fake::{Answer, Fake};
use crate::sys;
use crate::wire::extack::Acknowledgement;
use crate::wire::{Body, ExtAck, Header, MalformedBody, Message, MessageType, Messages, Request};

/// The kernel fills a dump's datagram up to 32 KiB; a single message may be longer.
const BUFFER_LEN: usize = 64 * 1024;
/// A link with the most virtual functions stays far below; a length beyond is not believed.
const BUFFER_LIMIT: usize = 16 * 1024 * 1024;
/// The receive buffer that is asked for, in bytes. 64 answers with echoed links take some 300 KiB of it.
const RECEIVE_BUFFER: i32 = 4 * 1024 * 1024;
/// How many requests are sent in one datagram.
const BATCH_MESSAGES: usize = 64;
/// How long that datagram may be, in bytes; the default send buffer takes 200 KiB.
const BATCH_BYTES: usize = 64 * 1024;
/// How often a dump is asked for until it is consistent. Under constant change a few tries suffice:
/// each is as likely to be interrupted as the one before.
const DUMP_TRIES: u32 = 16;
/// How long the end of a dump is waited for if something was lost, in milliseconds. The kernel makes the next datagram
/// while the last is received, so that it is there at once.
const LOST_END_MILLISECONDS: i32 = 1000;
/// `NLM_F_DUMP_INTR`.
const DUMP_INTERRUPTED: u16 = 0x10;

/// A netlink socket in the network namespace that the thread was in when it was opened.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    port: u32,
    sequence: u32,
    buffer: Vec<u8>,
    fake: Option<Fake>,
}

impl Socket {
    /// Opens a socket that speaks rtnetlink (`NETLINK_ROUTE`).
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the kernel refuses; that needs no privilege, so it means a lack of memory or descriptors,
    /// a sandbox, or a kernel older than 5.0, without strict dumps.
    pub fn open() -> Result<Self, OpenError> {
        Self::with_protocol(libc::NETLINK_ROUTE)?.strict()
    }

    /// Opens a socket that speaks another protocol of netlink (`NETLINK_*`).
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the kernel refuses.
    pub fn with_protocol(protocol: i32) -> Result<Self, OpenError> {
        let fd = sys::socket(protocol).map_err(|source| OpenError { step: "socket", source })?;
        Self::bind(fd)
    }

    /// Takes over a socket that speaks rtnetlink, opened elsewhere: by another process, in another namespace.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if it is bound already (`EINVAL`), or no netlink socket.
    pub fn from_fd(fd: OwnedFd) -> Result<Self, OpenError> {
        Self::bind(fd)?.strict()
    }

    /// Asks for answers to what was asked alone.
    fn strict(self) -> Result<Self, OpenError> {
        self.option("NETLINK_GET_STRICT_CHK", libc::NETLINK_GET_STRICT_CHK, 1)?;
        Ok(self)
    }

    fn bind(fd: OwnedFd) -> Result<Self, OpenError> {
        let failed = |step| move |source| OpenError { step, source };
        sys::bind(fd.as_fd()).map_err(failed("bind"))?;
        let port = sys::local_port(fd.as_fd()).map_err(failed("getsockname"))?;
        let socket = Self { fd, port, sequence: 0, buffer: Vec::new(), fake: None };
        socket.option("NETLINK_EXT_ACK", libc::NETLINK_EXT_ACK, 1)?;
        socket.option("NETLINK_CAP_ACK", libc::NETLINK_CAP_ACK, 1)?;
        socket.set_receive_buffer(RECEIVE_BUFFER)?;
        Ok(socket)
    }

    /// Makes a socket whose requests a function answers, see [`crate::fake`]. Its descriptor is that of `/dev/null`.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if there is no `/dev/null`, or no descriptor is left.
    pub fn answered_by(answer: impl FnMut(&Message<'_>) -> Answer + Send + 'static) -> Result<Self, OpenError> {
        let nothing = std::fs::File::open("/dev/null").map_err(|source| OpenError { step: "open", source })?;
        let fake = Some(Fake::new(answer));
        Ok(Self { fd: nothing.into(), port: 0, sequence: 0, buffer: Vec::new(), fake })
    }

    /// Asks for a receive buffer of this many bytes; without `CAP_NET_ADMIN` the kernel's limit holds.
    pub(crate) fn set_receive_buffer(&self, bytes: i32) -> Result<(), OpenError> {
        let fd = self.fd.as_fd();
        sys::set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes)
            .or_else(|_| sys::set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes))
            .map_err(|source| OpenError { step: "SO_RCVBUF", source })
    }

    pub(crate) fn option(&self, step: &'static str, option: i32, value: i32) -> Result<(), OpenError> {
        sys::set_option(self.fd.as_fd(), libc::SOL_NETLINK, option, value).map_err(|source| OpenError { step, source })
    }

    /// Sends a request and waits for its acknowledgement.
    ///
    /// # Errors
    ///
    /// [`RequestError`] with the kernel's error number, its sentence and the attribute it is about.
    pub fn request(&mut self, request: &Request) -> Result<Reply, RequestError> {
        let mut answers = self.send_all(std::slice::from_ref(request));
        answers.pop().unwrap_or_else(|| Err(RequestError::local(request, libc::EPROTO)))
    }

    /// Sends a request for one object and returns it.
    ///
    /// # Errors
    ///
    /// [`RequestError`] as [`Socket::request`]; `EBADMSG` if the kernel acknowledges but sends no object,
    /// or one that is malformed.
    pub fn get<T: Body>(&mut self, request: &Request) -> Result<T, RequestError> {
        let mut answer = self.request(request);
        if answer.as_ref().is_err_and(|error| error.errno == libc::EMSGSIZE) {
            // The answer was longer than the buffer, which has grown to it.
            answer = self.request(request);
        }
        let reply = answer?;
        let object = reply.messages.first().and_then(|message| T::parse(&message.payload).ok());
        object.ok_or_else(|| RequestError::local(request, libc::EBADMSG))
    }

    /// Sends many requests, up to 64 at once, and returns the answer to each in the same order.
    ///
    /// The kernel does them in order, and goes on after one that failed.
    pub fn batch(&mut self, requests: &[Request]) -> Vec<Result<Reply, RequestError>> {
        let mut answers = Vec::with_capacity(requests.len());
        let mut rest = requests;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(batch_len(rest));
            answers.extend(self.send_all(now));
            rest = later;
        }
        answers
    }

    /// Sends requests to a subsystem of netfilter (`NFNL_SUBSYS_*`) as one transaction: all are done, or none.
    ///
    /// All of them go in one datagram, which the socket's send buffer bounds to some 200 KiB.
    ///
    /// # Errors
    ///
    /// [`Aborted`] says which request the kernel refused, and why. Nothing is done then.
    pub fn transaction(&mut self, subsystem: u8, requests: &[Request]) -> Result<Vec<Reply>, Aborted> {
        let begin = self.sequence.wrapping_add(1);
        let mut datagram = Vec::new();
        Request::batch_begin(subsystem).append_to(&mut datagram, begin);
        let mut answers = Answers::new(requests, begin.wrapping_add(1), self.port);
        self.sequence = begin;
        for request in requests {
            self.sequence = self.sequence.wrapping_add(1);
            request.append_to(&mut datagram, self.sequence);
        }
        self.sequence = self.sequence.wrapping_add(1);
        Request::batch_end(subsystem).append_to(&mut datagram, self.sequence);
        let outcome = match answers.refuse_oversized() {
            Some(_) => Err(io::Error::from_raw_os_error(libc::EMSGSIZE)),
            None => self.send(&datagram).and_then(|()| self.collect_whole(&mut answers, begin)),
        };
        let whole = outcome.as_ref().err().and_then(io::Error::raw_os_error);
        let mut replies = Vec::with_capacity(requests.len());
        for (place, answer) in answers.finish(outcome.err()).into_iter().enumerate() {
            replies.push(answer.map_err(|error| Aborted { place: whole.is_none().then_some(place), error })?);
        }
        match (whole, requests.first()) {
            (Some(errno), Some(first)) => Err(Aborted { place: None, error: RequestError::local(first, errno) }),
            _ => Ok(replies),
        }
    }

    /// Collects answers until all are there, or the kernel refuses the transaction as a whole.
    fn collect_whole(&mut self, answers: &mut Answers<'_>, begin: u32) -> io::Result<()> {
        while answers.missing > 0 {
            let port = self.port;
            for message in Messages::new(self.receive()?) {
                let message = message.map_err(io::Error::other)?;
                if (message.header.sequence, message.header.port) == (begin, port)
                    && message.header.message_type == MessageType::ERROR
                {
                    let end = Acknowledgement::parse_error(&message.header, message.payload, &[]);
                    let errno = end.map_or(libc::EBADMSG, |end| end.errno);
                    if errno != 0 {
                        return Err(io::Error::from_raw_os_error(errno));
                    }
                }
                answers.take(&message)?;
            }
        }
        Ok(())
    }

    /// Sends a request for many objects and returns what `parse` makes of each.
    ///
    /// A dump that changed while it was read is asked for again, up to 16 times.
    ///
    /// # Errors
    ///
    /// [`DumpError`] says why there is no consistent answer.
    pub fn dump<T>(
        &mut self,
        request: &Request,
        mut parse: impl FnMut(&Message<'_>) -> Result<T, MalformedBody>,
    ) -> Result<Vec<T>, DumpError> {
        let operation = request.message_type();
        for _ in 0..DUMP_TRIES {
            match self.dump_once(request, &mut parse) {
                Ok(Attempt::Consistent(objects)) => return Ok(objects),
                Ok(Attempt::Again) => {}
                Err(cause) => return Err(DumpError { operation, cause }),
            }
        }
        Err(DumpError { operation, cause: DumpFailure::Interrupted { tries: DUMP_TRIES } })
    }

    /// Sends a request for many objects of one type and returns them.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn dump_bodies<T: Body>(&mut self, request: &Request) -> Result<Vec<T>, DumpError> {
        self.dump(request, |message| T::parse(message.payload))
    }

    /// Sends a request for many objects, and returns those of the kernel's first datagram and whether these are all.
    ///
    /// What would follow is neither made by the kernel nor read, and so the socket is used up.
    ///
    /// # Errors
    ///
    /// [`DumpError`] as [`Socket::dump`].
    pub fn beginning<T>(
        mut self,
        request: &Request,
        mut parse: impl FnMut(&Message<'_>) -> Result<T, MalformedBody>,
    ) -> Result<(Vec<T>, bool), DumpError> {
        let mut first = || {
            self.sequence = self.sequence.wrapping_add(1);
            let mut datagram = Vec::new();
            request.append_to(&mut datagram, self.sequence);
            self.send(&datagram).map_err(DumpFailure::Socket)?;
            let mut dump = Dump::new(request, self.sequence, self.port);
            let datagram = self.receive().map_err(DumpFailure::Socket)?;
            match (dump.take_all(datagram, &mut parse), dump.failure.take()) {
                (_, Some(failure)) => Err(failure),
                (None, None) => Ok((dump.objects, false)),
                (Some(end), None) => match dump.finish(end)? {
                    Attempt::Consistent(objects) => Ok((objects, true)),
                    Attempt::Again => Ok((Vec::new(), false)),
                },
            }
        };
        first().map_err(|cause| DumpError { operation: request.message_type(), cause })
    }

    fn send_all(&mut self, requests: &[Request]) -> Vec<Result<Reply, RequestError>> {
        let first = self.sequence.wrapping_add(1);
        let mut datagram = Vec::new();
        for request in requests {
            self.sequence = self.sequence.wrapping_add(1);
            request.append_to(&mut datagram, self.sequence);
        }
        let mut answers = Answers::new(requests, first, self.port);
        if let Some(answers) = answers.refuse_oversized() {
            return answers;
        }
        let outcome = self.send(&datagram).and_then(|()| self.collect(&mut answers));
        answers.finish(outcome.err())
    }

    fn collect(&mut self, answers: &mut Answers<'_>) -> io::Result<()> {
        while answers.missing > 0 {
            for message in Messages::new(self.receive()?) {
                answers.take(&message.map_err(io::Error::other)?)?;
            }
        }
        Ok(())
    }

    fn dump_once<T>(
        &mut self,
        request: &Request,
        parse: &mut impl FnMut(&Message<'_>) -> Result<T, MalformedBody>,
    ) -> Result<Attempt<T>, DumpFailure> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut datagram = Vec::new();
        request.append_to(&mut datagram, self.sequence);
        self.send(&datagram).map_err(DumpFailure::Socket)?;
        let mut dump = Dump::new(request, self.sequence, self.port);
        loop {
            // Whatever went wrong, the dump is read to its end: the kernel refuses another before that (EBUSY).
            // Only the end itself may be among what was lost, so that it is not waited for for ever.
            if dump.is_incomplete && !self.is_readable()? {
                return Ok(Attempt::Again);
            }
            match self.receive() {
                Ok(datagram) => {
                    if let Some(end) = dump.take_all(datagram, parse) {
                        return dump.finish(end);
                    }
                }
                Err(error) if is_lost(&error) => dump.is_incomplete = true,
                Err(error) => return Err(DumpFailure::Socket(error)),
            }
        }
    }

    fn is_readable(&self) -> Result<bool, DumpFailure> {
        match sys::wait_readable(self.fd.as_fd(), LOST_END_MILLISECONDS) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            answer => answer.map_err(DumpFailure::Socket),
        }
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        match &mut self.fake {
            Some(fake) => fake.send(datagram),
            None => sys::send(self.fd.as_fd(), datagram),
        }
    }

    /// Exchanges the memory that answers are received into, for whoever keeps hundreds of sockets open and asks by one at a
    /// time: handed from one to the next it is 64 KiB for all of them. An empty one is made anew by the next answer.
    pub fn swap_buffer(&mut self, buffer: &mut Vec<u8>) {
        std::mem::swap(&mut self.buffer, buffer);
    }

    /// Receives a datagram of the kernel.
    fn receive(&mut self) -> io::Result<&[u8]> {
        if self.buffer.is_empty() {
            self.buffer = vec![0; BUFFER_LEN];
        }
        if let Some(fake) = &mut self.fake {
            self.buffer = fake.receive()?;
            return Ok(&self.buffer);
        }
        let length = loop {
            let received = sys::receive(self.fd.as_fd(), &mut self.buffer, true)?;
            match received {
                Some(received) if received.port == 0 => break received.length,
                _ => {}
            }
        };
        if length > self.buffer.len() {
            self.buffer.resize(length.min(BUFFER_LIMIT), 0);
            return Err(io::Error::from_raw_os_error(libc::EMSGSIZE));
        }
        Ok(self.buffer.get(..length).unwrap_or_default())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Returns whether a datagram was lost, or cut off: then the same dump can be asked for again.
fn is_lost(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::EMSGSIZE))
}

/// Returns how many of the requests, at least one, go into one datagram.
fn batch_len(requests: &[Request]) -> usize {
    let mut bytes = 0;
    let fits = |request: &&Request| {
        bytes += request.as_bytes().len() + 3;
        bytes <= BATCH_BYTES
    };
    requests.iter().take(BATCH_MESSAGES).take_while(fits).count().max(1)
}

enum Attempt<T> {
    Consistent(Vec<T>),
    Again,
}

/// What has come so far of a dump.
struct Dump<'a, T> {
    request: &'a Request,
    sequence: u32,
    port: u32,
    objects: Vec<T>,
    is_interrupted: bool,
    is_incomplete: bool,
    failure: Option<DumpFailure>,
}

impl<'a, T> Dump<'a, T> {
    fn new(request: &'a Request, sequence: u32, port: u32) -> Self {
        let objects = Vec::new();
        Self { request, sequence, port, objects, is_interrupted: false, is_incomplete: false, failure: None }
    }

    /// Takes the messages of a datagram and returns the one that ends the dump.
    fn take_all(
        &mut self,
        datagram: &[u8],
        parse: &mut impl FnMut(&Message<'_>) -> Result<T, MalformedBody>,
    ) -> Option<Acknowledgement> {
        for message in Messages::new(datagram) {
            match message {
                Ok(message) if (message.header.sequence, message.header.port) != (self.sequence, self.port) => {}
                Ok(message) => {
                    if let Some(end) = self.take(&message, parse) {
                        return Some(end);
                    }
                }
                Err(error) => self.failure = Some(DumpFailure::MalformedMessage(error)),
            }
        }
        None
    }

    fn take(
        &mut self,
        message: &Message<'_>,
        parse: &mut impl FnMut(&Message<'_>) -> Result<T, MalformedBody>,
    ) -> Option<Acknowledgement> {
        let Message { header, payload } = message;
        self.is_interrupted |= header.flags & DUMP_INTERRUPTED != 0;
        match header.message_type {
            MessageType::DONE => Some(Acknowledgement::parse_done(header, payload, self.request.as_bytes())),
            MessageType::ERROR => {
                Some(Acknowledgement::parse_error(header, payload, self.request.as_bytes()).unwrap_or_default())
            }
            MessageType::NOOP => None,
            MessageType::OVERRUN => {
                self.is_incomplete = true;
                None
            }
            _ => {
                match parse(message) {
                    Ok(object) => self.objects.push(object),
                    Err(error) => self.failure = Some(DumpFailure::MalformedBody(error)),
                }
                None
            }
        }
    }

    fn finish(self, end: Acknowledgement) -> Result<Attempt<T>, DumpFailure> {
        match (end.errno, self.failure) {
            (0, None) if !self.is_interrupted && !self.is_incomplete => Ok(Attempt::Consistent(self.objects)),
            (0, None) => Ok(Attempt::Again),
            (0, Some(failure)) => Err(failure),
            (errno, _) => Err(DumpFailure::Kernel { errno, ext_ack: Box::new(end.ext_ack) }),
        }
    }
}

/// What has come so far for the requests of one datagram.
struct Answers<'a> {
    requests: &'a [Request],
    first: u32,
    port: u32,
    messages: Vec<Vec<OwnedMessage>>,
    ends: Vec<Option<Acknowledgement>>,
    missing: usize,
}

impl<'a> Answers<'a> {
    fn new(requests: &'a [Request], first: u32, port: u32) -> Self {
        let messages = requests.iter().map(|_| Vec::new()).collect();
        Self { requests, first, port, messages, ends: vec![None; requests.len()], missing: requests.len() }
    }

    fn refuse_oversized(&mut self) -> Option<Vec<Result<Reply, RequestError>>> {
        if self.requests.iter().all(|request| request.oversized().is_none()) {
            return None;
        }
        let refuse = |request: &Request| match request.oversized() {
            Some(_) => Err(RequestError::local(request, libc::EMSGSIZE)),
            None => Err(RequestError::local(request, libc::ECANCELED)),
        };
        Some(self.requests.iter().map(refuse).collect())
    }

    fn take(&mut self, message: &Message<'_>) -> io::Result<()> {
        let place = usize::try_from(message.header.sequence.wrapping_sub(self.first));
        let place = place.unwrap_or(usize::MAX);
        let (Some(request), Some(end), Some(messages)) =
            (self.requests.get(place), self.ends.get_mut(place), self.messages.get_mut(place))
        else {
            return Ok(());
        };
        if end.is_some() || message.header.port != self.port {
            return Ok(());
        }
        let bytes = request.as_bytes();
        *end = match message.header.message_type {
            MessageType::ERROR => {
                let parsed = Acknowledgement::parse_error(&message.header, message.payload, bytes);
                Some(parsed.ok_or_else(|| io::Error::from_raw_os_error(libc::EBADMSG))?)
            }
            MessageType::DONE => Some(Acknowledgement::parse_done(&message.header, message.payload, bytes)),
            _ => {
                messages.push(OwnedMessage { header: message.header, payload: message.payload.into() });
                None
            }
        };
        self.missing -= usize::from(end.is_some());
        Ok(())
    }

    fn finish(self, error: Option<io::Error>) -> Vec<Result<Reply, RequestError>> {
        let errno = error.and_then(|error| error.raw_os_error()).unwrap_or(libc::EBADMSG);
        let answers = self.requests.iter().zip(self.ends).zip(self.messages);
        let answer = |((request, end), messages): ((&Request, Option<Acknowledgement>), _)| match end {
            Some(end) if end.errno == 0 => Ok(Reply { messages, ext_ack: end.ext_ack }),
            Some(end) => Err(RequestError {
                operation: request.message_type(),
                errno: end.errno,
                ext_ack: Box::new(end.ext_ack),
            }),
            None => Err(RequestError::local(request, errno)),
        };
        answers.map(answer).collect()
    }
}

/// A message that owns its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedMessage {
    /// The header.
    pub header: Header,
    /// What follows the header.
    pub payload: Box<[u8]>,
}

/// What the kernel answers to a request that it did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The object that was asked for, or with `NLM_F_ECHO` what was made.
    pub messages: Vec<OwnedMessage>,
    /// What is said beside, as a warning.
    pub ext_ack: ExtAck,
}

impl Reply {
    /// Returns the kernel's warning.
    pub fn warning(&self) -> Option<&str> {
        self.ext_ack.message.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::LinkFilter;
    use crate::wire::Link;

    #[test]
    fn a_list_longer_than_the_buffer_is_read_all_the_same() {
        let mut socket = Socket::open().unwrap();
        socket.buffer = vec![0; 64];
        assert!(!socket.links(&LinkFilter::all()).unwrap().is_empty());
        assert!(socket.buffer.len() > 64);
    }

    #[test]
    fn the_beginning_of_a_list_is_all_of_it_where_it_is_short() {
        let request = crate::filter::AddressFilter { family: 2, index: 1, ..Default::default() }.to_request();
        let read = |socket: Socket| socket.beginning(&request, |message| crate::wire::Address::parse(message.payload));
        let (begun, is_all) = read(Socket::open().unwrap()).unwrap();
        let whole = Socket::open().unwrap().dump_bodies(&request).unwrap();
        // A list of this length comes in one datagram; whether its end does as well is the kernel's affair, and one that
        // changed meanwhile is left to be read anew.
        assert!(begun == whole || begun.is_empty() && !is_all, "{begun:?} {is_all}");
    }

    #[test]
    fn a_socket_that_was_opened_elsewhere_speaks_as_one_of_ours() {
        let mut socket = Socket::from_fd(sys::socket(libc::NETLINK_ROUTE).unwrap()).unwrap();
        assert!(!socket.links(&LinkFilter::all()).unwrap().is_empty());
        let error = Socket::from_fd(std::fs::File::open("/dev/null").unwrap().into()).unwrap_err();
        assert_eq!((error.step, error.source.raw_os_error()), ("bind", Some(libc::ENOTSOCK)));
    }

    #[test]
    fn memory_is_handed_from_one_socket_to_the_next() {
        let mut sockets = [Socket::open().unwrap(), Socket::open().unwrap()];
        assert_eq!(sockets[0].buffer.capacity(), 0);
        let before = sockets[0].links(&LinkFilter::all()).unwrap();
        let mut buffer = Vec::new();
        sockets[0].swap_buffer(&mut buffer);
        let place = buffer.as_ptr();
        sockets[1].swap_buffer(&mut buffer);
        assert_eq!(sockets[1].links(&LinkFilter::all()).unwrap().len(), before.len());
        assert_eq!((sockets[1].buffer.as_ptr(), sockets[0].buffer.capacity()), (place, 0));
        assert_eq!(sockets[0].links(&LinkFilter::all()).unwrap().len(), before.len());
    }

    #[test]
    fn an_answer_longer_than_the_buffer_is_asked_for_again() {
        let mut socket = Socket::open().unwrap();
        socket.buffer = vec![0; 64];
        let link: Link = socket.get(&Request::get_link(&Link { index: 1, ..Link::default() })).unwrap();
        assert_eq!(link.ifname.unwrap(), "lo");
    }

    #[test]
    fn a_list_asked_for_as_a_request_ends() {
        let mut socket = Socket::open().unwrap();
        let reply = socket.request(&LinkFilter::all().to_request()).unwrap();
        assert!(!reply.messages.is_empty());
    }

    #[test]
    fn answers_to_something_else_are_skipped() {
        let mut socket = Socket::open().unwrap();
        let mut datagram = Vec::new();
        LinkFilter::all().to_request().append_to(&mut datagram, 99);
        sys::send(socket.fd.as_fd(), &datagram).unwrap();
        let link: Link = socket.get(&Request::get_link(&Link { index: 1, ..Link::default() })).unwrap();
        assert_eq!(link.index, 1);
    }

    #[test]
    fn an_attribute_too_long_is_refused_with_its_batch() {
        let mut socket = Socket::open().unwrap();
        let long = Link { index: 1, ifalias: Some(vec![b'x'; 70_000].as_slice().into()), ..Link::default() };
        let answers = socket.batch(&[Request::set_link(&long)]);
        assert_eq!(answers[0].as_ref().unwrap_err().errno(), libc::EMSGSIZE);
    }

    #[test]
    fn a_batch_is_cut_by_number_and_by_length() {
        let small = Request::get_link(&Link::default());
        let large = Request::set_link(&Link { ifalias: Some(vec![b'x'; 40_000].as_slice().into()), ..Link::default() });
        assert_eq!(batch_len(&vec![small.clone(); 200]), 64);
        assert_eq!(batch_len(&[small, large.clone(), large.clone()]), 2);
        assert_eq!(batch_len(&[large.clone(), large]), 1);
    }
}
