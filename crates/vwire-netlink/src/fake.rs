//! A kernel that is a function: for tests without one, and for what a kernel said earlier and somewhere else.
//!
//! [`Socket::answered_by`](crate::Socket::answered_by) makes a socket whose requests go to the function instead, as
//! messages. So what is asked, the dump, its filter, the request for one object, is answered there, and everything
//! above the socket is the same code.

use std::collections::VecDeque;
use std::fmt;
use std::io;

use crate::wire::{Builder, Header, Message, MessageType, Messages};

/// `NLM_F_ACK`.
const ACK: u16 = 4;
/// `NLM_F_DUMP`.
const DUMP: u16 = 0x300;
/// `NLM_F_MULTI`.
const MULTI: u16 = 2;
/// `NLM_F_CAPPED`: an error has the header of the request alone.
const CAPPED: u16 = 0x100;
/// `NLM_F_ACK_TLVS`: an error has attributes behind it.
const ACK_TLVS: u16 = 0x200;
/// The number of `NLMSGERR_ATTR_MSG`.
const ATTR_MSG: u16 = 1;
/// The kernel fills a dump's datagram up to this many bytes.
const DATAGRAM_LEN: usize = 32 * 1024;
/// `EAGAIN`.
const NOTHING_THERE: i32 = libc::EAGAIN;

/// What a request is answered with: messages, which of a request that is no dump are the object that was asked for.
pub type Answer = Result<Vec<(MessageType, Builder)>, Refused>;

/// A refusal, as the kernel would word it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The error number, `ENODEV` and the like.
    pub errno: i32,
    /// A sentence; empty is none.
    pub message: String,
}

impl Refused {
    /// Returns a refusal without a sentence.
    pub fn with(errno: i32) -> Self {
        Self { errno, message: String::new() }
    }
}

/// Tells whether a request is for a dump.
#[must_use]
pub fn is_dump(request: &Header) -> bool {
    request.flags & DUMP == DUMP
}

/// The function, and the datagrams that it has made and nobody has received yet.
pub(crate) struct Fake {
    answer: Box<dyn FnMut(&Message<'_>) -> Answer + Send>,
    waiting: VecDeque<Vec<u8>>,
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fake").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

impl Fake {
    pub(crate) fn new(answer: impl FnMut(&Message<'_>) -> Answer + Send + 'static) -> Self {
        Self { answer: Box::new(answer), waiting: VecDeque::new() }
    }

    /// Takes a datagram of requests.
    pub(crate) fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        for request in Messages::new(datagram) {
            let request = request.map_err(io::Error::other)?;
            let answer = (self.answer)(&request);
            self.put(&request.header, answer);
        }
        Ok(())
    }

    /// Returns the datagram that has waited longest.
    pub(crate) fn receive(&mut self) -> io::Result<Vec<u8>> {
        self.waiting.pop_front().ok_or_else(|| io::Error::from_raw_os_error(NOTHING_THERE))
    }

    fn put(&mut self, request: &Header, answer: Answer) {
        let mut datagram = Vec::new();
        match answer {
            Ok(messages) => {
                let flags = if is_dump(request) { MULTI } else { 0 };
                for (message_type, payload) in messages {
                    let payload = payload.into_bytes();
                    if datagram.len() + payload.len() > DATAGRAM_LEN && !datagram.is_empty() {
                        self.waiting.push_back(std::mem::take(&mut datagram));
                    }
                    append(&mut datagram, request, message_type, flags, &payload);
                }
                if is_dump(request) {
                    append(&mut datagram, request, MessageType::DONE, MULTI, &0i32.to_ne_bytes());
                } else if request.flags & ACK != 0 {
                    append(&mut datagram, request, MessageType::ERROR, CAPPED, &refusal(request, 0, ""));
                }
            }
            Err(Refused { errno, message }) => {
                let flags = if message.is_empty() { CAPPED } else { CAPPED | ACK_TLVS };
                append(&mut datagram, request, MessageType::ERROR, flags, &refusal(request, errno, &message));
            }
        }
        self.waiting.push_back(datagram);
    }
}

/// Returns the payload of `NLMSG_ERROR`.
fn refusal(request: &Header, errno: i32, message: &str) -> Vec<u8> {
    let mut payload = Builder::new();
    payload.raw(&errno.saturating_neg().to_ne_bytes());
    payload.raw(&request.to_bytes());
    if !message.is_empty() {
        payload.cstr(ATTR_MSG, message.as_bytes());
    }
    payload.into_bytes()
}

fn append(datagram: &mut Vec<u8>, request: &Header, message_type: MessageType, flags: u16, payload: &[u8]) {
    let length = u32::try_from(Header::LEN + payload.len()).unwrap_or(u32::MAX);
    datagram.extend(Header { length, message_type, flags, ..*request }.to_bytes());
    datagram.extend_from_slice(payload);
    datagram.resize(datagram.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Body;
    use crate::{IfName, Link, LinkFilter, Request, Socket};

    /// A kernel with so many links.
    fn kernel(links: u32) -> Socket {
        let link =
            |index: u32| Link { index, mtu: Some(1500), ..Link::named(IfName::new(format!("d{index}")).unwrap()) };
        Socket::answered_by(move |request| {
            let asked = Link::parse(request.payload).unwrap();
            let indexes = if is_dump(&request.header) { 1..=links } else { asked.index..=asked.index.min(links) };
            if indexes.is_empty() && !is_dump(&request.header) {
                return Err(Refused { errno: libc::ENODEV, message: "no such one".to_owned() });
            }
            let message = |index: u32| {
                let mut payload = Builder::new();
                link(index).emit(&mut payload);
                (MessageType::NEWLINK, payload)
            };
            Ok(indexes.map(message).collect())
        })
        .unwrap()
    }

    #[test]
    fn a_list_of_any_length_is_what_the_function_says() {
        for count in [0, 1, 5000] {
            let links = kernel(count).links(&LinkFilter::all()).unwrap();
            assert_eq!(links.len(), usize::try_from(count).unwrap());
            assert_eq!(links.last().map(|link| link.index), (count > 0).then_some(count));
        }
    }

    #[test]
    fn one_object_is_got_and_a_refusal_has_its_sentence() {
        let mut socket = kernel(3);
        let ask = |index| Request::get_link(&Link { index, ..Link::default() });
        assert_eq!(socket.get::<Link>(&ask(3)).unwrap().ifname.unwrap(), "d3");
        let error = socket.get::<Link>(&ask(4)).unwrap_err();
        assert_eq!((error.errno(), error.message()), (libc::ENODEV, Some("no such one")));
        let answers = socket.batch(&[ask(1), ask(9), ask(2)]);
        assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    }
}
