//! Messages: what a datagram of netlink is cut into.

use std::fmt;

use super::attr::aligned;

/// The header that every netlink message starts with (`struct nlmsghdr`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The length of the message with this header, in bytes.
    pub length: u32,
    /// What the message is.
    pub message_type: MessageType,
    /// `NLM_F_*`.
    pub flags: u16,
    /// The sequence number: an answer has its request's.
    pub sequence: u32,
    /// The port of the socket that sent the request; 0 is the kernel.
    pub port: u32,
}

impl Header {
    /// The length of the header, in bytes.
    pub const LEN: usize = 16;

    /// Reads the header at the start of `bytes`.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (message_type, rest) = rest.split_first_chunk()?;
        let (flags, rest) = rest.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let (port, _) = rest.split_first_chunk()?;
        Some(Self {
            length: u32::from_ne_bytes(*length),
            message_type: MessageType(u16::from_ne_bytes(*message_type)),
            flags: u16::from_ne_bytes(*flags),
            sequence: u32::from_ne_bytes(*sequence),
            port: u32::from_ne_bytes(*port),
        })
    }

    /// Returns the bytes of the header.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let fields = (self.length.to_ne_bytes().into_iter())
            .chain(self.message_type.0.to_ne_bytes())
            .chain(self.flags.to_ne_bytes())
            .chain(self.sequence.to_ne_bytes())
            .chain(self.port.to_ne_bytes());
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        bytes
    }
}

/// One message, borrowed from the datagram it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The header.
    pub header: Header,
    /// What follows the header.
    pub payload: &'a [u8],
}

/// An iterator over the messages of a datagram; it ends after the first that is malformed.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// Returns an iterator over a datagram.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, MalformedMessage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.rest);
        let malformed = MalformedMessage { left: bytes.len() };
        let Some(header) = Header::parse(bytes) else {
            return Some(Err(malformed));
        };
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        let Some(payload) = bytes.get(Header::LEN..length) else {
            return Some(Err(malformed));
        };
        self.rest = bytes.get(aligned(length)..).unwrap_or_default();
        Some(Ok(Message { header, payload }))
    }
}

/// A message whose header is cut short or says an impossible length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedMessage {
    /// How many bytes of the datagram were left.
    pub left: usize,
}

impl fmt::Display for MalformedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message {} bytes before the end of its datagram says an impossible length", self.left)
    }
}

impl std::error::Error for MalformedMessage {}

/// The type of a message: `NLMSG_*` below 16, `RTM_*` from there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageType(pub u16);

macro_rules! message_types {
    ($($name:ident = $number:literal,)*) => {
        #[allow(missing_docs, reason = "each is the kernel's constant of the same name")]
        impl MessageType {
            $(pub const $name: Self = Self($number);)*

            /// Returns the kernel's name of the type.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(message_types!(@name $name)),)*
                    _ => None,
                }
            }
        }
    };
    (@name NOOP) => { "NLMSG_NOOP" };
    (@name ERROR) => { "NLMSG_ERROR" };
    (@name DONE) => { "NLMSG_DONE" };
    (@name OVERRUN) => { "NLMSG_OVERRUN" };
    (@name $name:ident) => { concat!("RTM_", stringify!($name)) };
}

message_types! {
    NOOP = 1,
    ERROR = 2,
    DONE = 3,
    OVERRUN = 4,
    NEWLINK = 16,
    DELLINK = 17,
    GETLINK = 18,
    SETLINK = 19,
    NEWADDR = 20,
    DELADDR = 21,
    GETADDR = 22,
    NEWROUTE = 24,
    DELROUTE = 25,
    GETROUTE = 26,
    NEWNEIGH = 28,
    DELNEIGH = 29,
    GETNEIGH = 30,
    NEWRULE = 32,
    DELRULE = 33,
    GETRULE = 34,
    NEWQDISC = 36,
    DELQDISC = 37,
    GETQDISC = 38,
    NEWTCLASS = 40,
    DELTCLASS = 41,
    GETTCLASS = 42,
    NEWTFILTER = 44,
    DELTFILTER = 45,
    GETTFILTER = 46,
    NEWACTION = 48,
    DELACTION = 49,
    GETACTION = 50,
    NEWPREFIX = 52,
    NEWMULTICAST = 56,
    DELMULTICAST = 57,
    GETMULTICAST = 58,
    NEWANYCAST = 60,
    DELANYCAST = 61,
    GETANYCAST = 62,
    NEWNEIGHTBL = 64,
    GETNEIGHTBL = 66,
    SETNEIGHTBL = 67,
    NEWNDUSEROPT = 68,
    NEWADDRLABEL = 72,
    DELADDRLABEL = 73,
    GETADDRLABEL = 74,
    GETDCB = 78,
    SETDCB = 79,
    NEWNETCONF = 80,
    DELNETCONF = 81,
    GETNETCONF = 82,
    NEWMDB = 84,
    DELMDB = 85,
    GETMDB = 86,
    NEWNSID = 88,
    DELNSID = 89,
    GETNSID = 90,
    NEWSTATS = 92,
    GETSTATS = 94,
    SETSTATS = 95,
    NEWCACHEREPORT = 96,
    NEWCHAIN = 100,
    DELCHAIN = 101,
    GETCHAIN = 102,
    NEWNEXTHOP = 104,
    DELNEXTHOP = 105,
    GETNEXTHOP = 106,
    NEWLINKPROP = 108,
    DELLINKPROP = 109,
    GETLINKPROP = 110,
    NEWVLAN = 112,
    DELVLAN = 113,
    GETVLAN = 114,
    NEWNEXTHOPBUCKET = 116,
    DELNEXTHOPBUCKET = 117,
    GETNEXTHOPBUCKET = 118,
    NEWTUNNEL = 120,
    DELTUNNEL = 121,
    GETTUNNEL = 122,
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "message type {}", self.0),
        }
    }
}

impl fmt::Debug for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: u32, payload: &[u8]) -> Vec<u8> {
        let header = Header { length, message_type: MessageType::NEWLINK, flags: 2, sequence: 3, port: 4 };
        [&header.to_bytes()[..], payload].concat()
    }

    #[test]
    fn a_datagram_is_cut_at_aligned_lengths() {
        let datagram = [message(17, &[9, 0, 0, 0]), message(16, &[])].concat();
        let read: Vec<_> = Messages::new(&datagram).map(Result::unwrap).collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].payload, [9]);
        assert_eq!(read[1].header.sequence, 3);
    }

    #[test]
    fn an_impossible_length_is_said_once_and_ends() {
        for datagram in [message(15, &[]), message(17, &[]), message(u32::MAX, &[]), vec![0; 3]] {
            let read: Vec<_> = Messages::new(&datagram).collect();
            assert_eq!(read, [Err(MalformedMessage { left: datagram.len() })]);
        }
    }

    #[test]
    fn types_have_the_kernels_names() {
        assert_eq!(MessageType::NEWLINK.to_string(), "RTM_NEWLINK");
        assert_eq!(MessageType::DONE.to_string(), "NLMSG_DONE");
        assert_eq!(MessageType(999).to_string(), "message type 999");
    }
}
