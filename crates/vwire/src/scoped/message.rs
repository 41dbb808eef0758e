//! What the test and the process that holds its lab say to each other, as bytes. Pure.
//!
//! Both are the same program, so there is no version; a message that is cut off or has a wrong word is none.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::Duration;

/// What the test asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    /// The lab up, or changed to what this text says.
    Up {
        /// The file's text.
        text: String,
        /// The file's name.
        file: String,
    },
    /// The lab's checks.
    Check,
    /// A socket or a device of a node.
    Open {
        /// The node.
        node: String,
        /// What is wanted.
        what: Wanted,
    },
    /// A program in a node; its standard streams come with the message.
    Run {
        /// The node.
        node: String,
        /// The program and its arguments.
        argv: Vec<OsString>,
        /// All of its environment.
        environment: Vec<(OsString, OsString)>,
        /// Where it begins, if not where the test began.
        directory: Option<OsString>,
    },
    /// A signal to the program that was started over this connection.
    Signal(i32),
}

/// Something of a node that is handed over as a descriptor.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    /// A UDP socket with this address.
    Udp(SocketAddr),
    /// A TCP socket that listens on this address.
    Listener(SocketAddr),
    /// A TCP connection to this address, within a time.
    Stream(SocketAddr, Duration),
    /// Any socket: `socket(2)`.
    Socket {
        /// `AF_*`.
        domain: i32,
        /// `SOCK_*`.
        kind: i32,
        /// Of the domain.
        protocol: i32,
    },
    /// A queue of a TUN or TAP device.
    Tuntap(String),
}

/// What the process that holds the lab answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// Done, and what there is to be said of it.
    Done(Vec<String>),
    /// Not done.
    Failed {
        /// Why, with hints.
        text: String,
        /// The kernel's number, if it was the kernel that refused.
        errno: Option<i32>,
    },
    /// The program has ended, with this status (`wait(2)`).
    Exited(i32),
}

impl Request {
    /// Returns the message.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        match self {
            Self::Up { text, file } => out.byte(0).text(text).text(file),
            Self::Check => out.byte(1),
            Self::Open { node, what } => what.encode(out.byte(2).text(node)),
            Self::Run { node, argv, environment, directory } => {
                out.byte(3).text(node).list(argv, |out, word| out.bytes(word.as_bytes()));
                out.list(environment, |out, (name, value)| out.bytes(name.as_bytes()).bytes(value.as_bytes()));
                out.list(directory.as_slice(), |out, word| out.bytes(word.as_bytes()))
            }
            Self::Signal(number) => out.byte(4).number(*number),
        };
        out.0
    }

    /// Reads a message.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader(bytes);
        let word = |input: &mut Reader<'_>| input.bytes().map(|bytes| OsString::from_vec(bytes.to_vec()));
        Some(match input.byte()? {
            0 => Self::Up { text: input.text()?, file: input.text()? },
            1 => Self::Check,
            2 => Self::Open { node: input.text()?, what: Wanted::decode(&mut input)? },
            3 => Self::Run {
                node: input.text()?,
                argv: input.list(word)?,
                environment: input.list(|input| Some((word(input)?, word(input)?)))?,
                directory: input.list(word)?.pop(),
            },
            4 => Self::Signal(input.number()?),
            _ => return None,
        })
    }
}

impl Wanted {
    fn encode<'a>(&self, out: &'a mut Writer) -> &'a mut Writer {
        match self {
            Self::Udp(address) => out.byte(0).text(&address.to_string()),
            Self::Listener(address) => out.byte(1).text(&address.to_string()),
            Self::Stream(address, limit) => {
                let millis = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
                out.byte(2).text(&address.to_string()).number(millis)
            }
            Self::Socket { domain, kind, protocol } => out.byte(3).number(*domain).number(*kind).number(*protocol),
            Self::Tuntap(name) => out.byte(4).text(name),
        }
    }

    fn decode(input: &mut Reader<'_>) -> Option<Self> {
        let address = |input: &mut Reader<'_>| input.text()?.parse().ok();
        Some(match input.byte()? {
            0 => Self::Udp(address(input)?),
            1 => Self::Listener(address(input)?),
            2 => {
                let address = address(input)?;
                Self::Stream(address, Duration::from_millis(u64::try_from(input.number()?).ok()?))
            }
            3 => Self::Socket { domain: input.number()?, kind: input.number()?, protocol: input.number()? },
            4 => Self::Tuntap(input.text()?),
            _ => return None,
        })
    }
}

impl Answer {
    /// Returns the message.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        match self {
            Self::Done(notes) => out.byte(0).list(notes, |out, note| out.text(note)),
            Self::Failed { text, errno } => out.byte(1).text(text).number(errno.unwrap_or(0)),
            Self::Exited(status) => out.byte(2).number(*status),
        };
        out.0
    }

    /// Reads a message.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader(bytes);
        Some(match input.byte()? {
            0 => Self::Done(input.list(Reader::text)?),
            1 => Self::Failed { text: input.text()?, errno: Some(input.number()?).filter(|errno| *errno != 0) },
            2 => Self::Exited(input.number()?),
            _ => return None,
        })
    }
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, byte: u8) -> &mut Self {
        self.0.push(byte);
        self
    }

    fn number(&mut self, number: i32) -> &mut Self {
        self.0.extend(number.to_ne_bytes());
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        // What is longer than 4 GiB is refused where it is sent.
        self.0.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_ne_bytes());
        self.0.extend(bytes);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    fn list<T>(&mut self, list: &[T], write: impl for<'a> Fn(&'a mut Self, &T) -> &'a mut Self) -> &mut Self {
        for entry in list {
            self.byte(1);
            write(self, entry);
        }
        self.byte(0)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<i32> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i32::from_ne_bytes(*first))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk()?;
        let length = usize::try_from(u32::from_ne_bytes(*length)).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut list = Vec::new();
        while self.byte()? != 0 {
            list.push(read(self)?);
        }
        Some(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words() -> impl Strategy<Value = Vec<OsString>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9).prop_map(OsString::from_vec), 0..4)
    }

    fn address() -> impl Strategy<Value = SocketAddr> {
        any::<(std::net::IpAddr, u16)>().prop_map(SocketAddr::from)
    }

    fn wanted() -> impl Strategy<Value = Wanted> {
        prop_oneof![
            address().prop_map(Wanted::Udp),
            address().prop_map(Wanted::Listener),
            (address(), 0..9_999_999_u64)
                .prop_map(|(address, millis)| Wanted::Stream(address, Duration::from_millis(millis))),
            any::<(i32, i32, i32)>().prop_map(|(domain, kind, protocol)| Wanted::Socket { domain, kind, protocol }),
            any::<String>().prop_map(Wanted::Tuntap),
        ]
    }

    fn request() -> impl Strategy<Value = Request> {
        prop_oneof![
            any::<(String, String)>().prop_map(|(text, file)| Request::Up { text, file }),
            Just(Request::Check),
            (any::<String>(), wanted()).prop_map(|(node, what)| Request::Open { node, what }),
            (any::<String>(), words(), words(), prop::option::of("[a-z/]{0,8}")).prop_map(
                |(node, argv, values, directory)| Request::Run {
                    node,
                    environment: values.into_iter().map(|value| ("NAME".into(), value)).collect(),
                    argv,
                    directory: directory.map(OsString::from),
                }
            ),
            any::<i32>().prop_map(Request::Signal),
        ]
    }

    proptest! {
        #[test]
        fn every_request_is_read_as_it_is_written(request in request()) {
            prop_assert_eq!(Request::decode(&request.encode()), Some(request));
        }

        #[test]
        fn every_answer_is_read_as_it_is_written(notes: Vec<String>, text: String, errno in 1..200, status: i32) {
            let all = [Answer::Done(notes), Answer::Failed { text, errno: Some(errno) }, Answer::Exited(status)];
            for answer in all {
                prop_assert_eq!(Answer::decode(&answer.encode()), Some(answer));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = (Request::decode(&bytes), Answer::decode(&bytes));
        }
    }
}
