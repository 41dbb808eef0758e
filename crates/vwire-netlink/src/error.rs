//! Why the kernel, or the way to it, said no: one error for each operation.

use std::fmt;
use std::io;

use crate::wire::{ExtAck, MalformedBody, MalformedMessage, MessageType, Request};

/// A netlink socket could not be opened.
#[derive(Debug)]
pub struct OpenError {
    /// The system call or the option that failed.
    pub step: &'static str,
    /// Why.
    pub source: io::Error,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot open a netlink socket: {} failed", self.step)
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The kernel, or the way to it, said no to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// What was asked for.
    pub operation: MessageType,
    /// The error number.
    pub errno: i32,
    /// What the kernel said beside the number.
    pub ext_ack: Box<ExtAck>,
}

impl RequestError {
    pub(crate) fn local(request: &Request, errno: i32) -> Self {
        Self { operation: request.message_type(), errno, ext_ack: Box::default() }
    }

    /// Returns the error number.
    pub fn errno(&self) -> i32 {
        self.errno
    }

    /// Returns the kernel's sentence.
    pub fn message(&self) -> Option<&str> {
        self.ext_ack.message.as_deref()
    }
}

/// Says for example `RTM_NEWLINK: Operation not supported: Unknown device type (IFLA_LINKINFO > IFLA_INFO_KIND)`.
impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_refusal(f, self.operation, self.errno, &self.ext_ack)
    }
}

impl std::error::Error for RequestError {}

impl From<RequestError> for io::Error {
    fn from(error: RequestError) -> Self {
        Self::new(Self::from_raw_os_error(error.errno).kind(), error)
    }
}

/// A transaction of which nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aborted {
    /// Which of its requests was refused, counted from 0; none if it was refused as a whole.
    pub place: Option<usize>,
    /// Why.
    pub error: RequestError,
}

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(f, "request {} of the transaction: {}", place + 1, self.error),
            None => write!(f, "the whole transaction: {}", self.error),
        }
    }
}

impl std::error::Error for Aborted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// A dump gave no consistent answer.
#[derive(Debug)]
pub struct DumpError {
    /// What was asked for.
    pub operation: MessageType,
    /// Why there is no answer.
    pub cause: DumpFailure,
}

/// Why a dump gave no consistent answer.
#[derive(Debug)]
pub enum DumpFailure {
    /// The kernel said no.
    Kernel {
        /// The error number.
        errno: i32,
        /// What it said beside the number.
        ext_ack: Box<ExtAck>,
    },
    /// Something changed each time while the dump was read.
    Interrupted {
        /// How often it was asked for.
        tries: u32,
    },
    /// The socket failed.
    Socket(io::Error),
    /// A datagram could not be cut into messages.
    MalformedMessage(MalformedMessage),
    /// A message could not be read.
    MalformedBody(MalformedBody),
}

impl DumpError {
    /// Returns the error number, if the kernel said one.
    pub fn errno(&self) -> Option<i32> {
        match &self.cause {
            DumpFailure::Kernel { errno, .. } => Some(*errno),
            DumpFailure::Socket(error) => error.raw_os_error(),
            _ => None,
        }
    }

    /// Returns the kernel's sentence.
    pub fn message(&self) -> Option<&str> {
        match &self.cause {
            DumpFailure::Kernel { ext_ack, .. } => ext_ack.message.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for DumpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation;
        match &self.cause {
            DumpFailure::Kernel { errno, ext_ack } => write_refusal(f, operation, *errno, ext_ack),
            DumpFailure::Interrupted { tries } => {
                write!(f, "{operation}: something changed during each of {tries} dumps")
            }
            DumpFailure::Socket(_) => write!(f, "{operation}: the socket failed"),
            DumpFailure::MalformedMessage(_) | DumpFailure::MalformedBody(_) => {
                write!(f, "{operation}: the answer is malformed")
            }
        }
    }
}

impl std::error::Error for DumpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            DumpFailure::Socket(error) => Some(error),
            DumpFailure::MalformedMessage(error) => Some(error),
            DumpFailure::MalformedBody(error) => Some(error),
            DumpFailure::Kernel { .. } | DumpFailure::Interrupted { .. } => None,
        }
    }
}

fn write_refusal(f: &mut fmt::Formatter<'_>, operation: MessageType, errno: i32, ext_ack: &ExtAck) -> fmt::Result {
    write!(f, "{operation}: {}", error_text(errno))?;
    if ext_ack.is_empty() { Ok(()) } else { write!(f, ": {ext_ack}") }
}

/// Returns the C library's words for an error number, without the number.
fn error_text(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    match text.rfind(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
