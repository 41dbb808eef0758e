//! Files in which objects are saved: the kernel's own messages, as they came, behind a magic number.
//!
//! The format is iproute2's, so each of the two reads what the other has written.

use std::io::{IsTerminal, Read};

use vwire_netlink::wire::{Builder, Create, Header, Message};
use vwire_netlink::{Request, RequestError};

use super::failure::{EXIT_SEMANTIC, EXIT_USAGE, Failure};
use super::kernel::refusal;
use super::{Ip, Persona};
use crate::out::{Layout, Printer};

/// The longest message that `ip` reads.
const LONGEST_MESSAGE: usize = 16384;
/// `EEXIST`.
const EEXIST: i32 = 17;

/// A sort of file.
#[derive(Debug, Clone, Copy)]
pub struct Sort {
    /// What it starts with, in the byte order of the machine.
    pub magic: u32,
    /// What `ip` calls its objects: `address`.
    pub ip: &'static str,
    /// What is in it: `addresses`.
    pub objects: &'static str,
    /// How one is written.
    pub how: &'static str,
}

impl Sort {
    /// Refuses to write to a terminal.
    ///
    /// # Errors
    /// Standard output is one.
    pub fn refuse_terminal(self) -> Result<(), Failure> {
        if !std::io::stdout().is_terminal() {
            return Ok(());
        }
        Err(Failure::new(
            EXIT_SEMANTIC,
            "Not sending a binary stream to stdout",
            format!("the {} are saved in binary, which a terminal cannot show", self.objects),
        )
        .hint(format!("write them to a file: {}", self.how)))
    }

    /// Writes messages to standard output.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(self, ip: &mut Ip<'_>, messages: &[Vec<u8>]) -> Result<(), Failure> {
        let printer = std::mem::replace(&mut ip.printer, Printer::new(Layout::default()));
        ip.printer.text(self.magic.to_ne_bytes());
        for message in messages {
            ip.printer.text(message);
        }
        let written = ip.flush();
        ip.printer = printer;
        written.map_err(|error| {
            Failure::new(EXIT_SEMANTIC, "Can't write magic to dump file", error.to_string())
                .trying(format!("cannot save the {}", self.objects))
        })
    }

    /// Returns what standard input has behind the magic number.
    ///
    /// # Errors
    /// It is a terminal, or no such file.
    pub fn read(self) -> Result<Vec<u8>, Failure> {
        let mut input = std::io::stdin();
        let how = format!("{} writes one", self.how);
        if input.is_terminal() {
            return Err(Failure::new(
                EXIT_USAGE,
                format!("Can't restore {} dump from a terminal", self.ip),
                format!("a file of saved {} must be on standard input", self.objects),
            )
            .hint(how));
        }
        let mut file = Vec::new();
        input.read_to_end(&mut file).map_err(|error| {
            Failure::new(EXIT_USAGE, format!("Can't read: {error}"), error.to_string())
                .trying("cannot read standard input")
        })?;
        let magic = file.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
        if magic != Some(self.magic) {
            // Of a shorter file, `ip` shows what there is of the number.
            let mut start = [0; 4];
            start.iter_mut().zip(&file).for_each(|(to, from)| *to = *from);
            return Err(Failure::new(
                EXIT_USAGE,
                format!("Magic mismatch ({} elems, {:x} magic)", u8::from(magic.is_some()), u32::from_ne_bytes(start)),
                format!("standard input is no file of saved {}", self.objects),
            )
            .hint(how));
        }
        Ok(file.split_off(4))
    }
}

/// Returns a message as it came, padded so that the next one is aligned.
#[must_use]
pub fn bytes_of(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = message.header.to_bytes().to_vec();
    bytes.extend_from_slice(message.payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Cuts a file into its messages, up to the first that is malformed; `rest` is what follows the magic number.
pub fn cut(rest: &[u8]) -> (Vec<Message<'_>>, Result<(), Failure>) {
    cut_behind(4, rest)
}

/// Cuts a file without its first `start` bytes into messages.
pub fn cut_behind(start: usize, mut rest: &[u8]) -> (Vec<Message<'_>>, Result<(), Failure>) {
    let mut messages = Vec::new();
    let broken =
        |ip: String| Err(Failure::new(EXIT_USAGE, ip, "the file is damaged").trying("cannot read it to its end"));
    let whole = rest.len() + start;
    while !rest.is_empty() {
        let Some(header) = Header::parse(rest) else {
            return (messages, broken("rtnl-from_file: truncated message".to_owned()));
        };
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        if !(Header::LEN..=LONGEST_MESSAGE).contains(&length) {
            let place = whole - rest.len() + Header::LEN;
            let length = header.length.cast_signed();
            return (messages, broken(format!("!!!malformed message: len={length} @{place}")));
        }
        let (Some(payload), Some(behind)) = (rest.get(Header::LEN..length), rest.get(length.next_multiple_of(4)..))
        else {
            return (messages, broken("rtnl-from_file: truncated message".to_owned()));
        };
        messages.push(Message { header, payload });
        rest = behind;
    }
    (messages, Ok(()))
}

/// Asks the kernel to make what a message has; what is there already is passed over.
///
/// # Errors
/// The kernel refuses it.
pub fn restore(ip: &mut Ip<'_>, message: &Message<'_>, tried: &str) -> Result<(), Failure> {
    let mut payload = Builder::new();
    payload.raw(message.payload);
    let flags = message.header.flags | Create::OrChange.flags();
    let request = Request::from_builder(message.header.message_type, flags, payload);
    match ip.submit(&request)? {
        Ok(_) => Ok(()),
        Err(error) => pass_over(ip, &error, tried),
    }
}

fn pass_over(ip: &mut Ip<'_>, error: &RequestError, tried: &str) -> Result<(), Failure> {
    let failure = refusal(error).trying(tried).with_exit(EXIT_USAGE);
    if error.errno() != EEXIST {
        return Err(failure);
    }
    if ip.persona == Persona::Ip {
        ip.say(&failure.render(Persona::Ip));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vwire_netlink::MessageType;

    fn file(lengths: &[u32]) -> Vec<u8> {
        let message = |length: &u32| {
            let header = Header { length: *length, message_type: MessageType::NEWADDR, flags: 0, sequence: 0, port: 0 };
            let mut bytes = header.to_bytes().to_vec();
            bytes.resize(usize::try_from(*length).unwrap_or(16).clamp(16, 64).next_multiple_of(4), 0);
            bytes
        };
        lengths.iter().flat_map(message).collect()
    }

    #[test]
    fn a_file_is_cut_at_aligned_lengths() {
        let bytes = file(&[24, 25, 16]);
        let (messages, end) = cut(&bytes);
        assert_eq!(messages.iter().map(|message| message.payload.len()).collect::<Vec<_>>(), [8, 9, 0]);
        end.unwrap();
    }

    #[test]
    fn damage_is_told_behind_what_is_whole() {
        let said = |bytes: &[u8]| {
            let (messages, end) = cut(bytes);
            (messages.len(), String::from_utf8(end.unwrap_err().render(Persona::Ip)).unwrap())
        };
        let bytes = file(&[24, 24]);
        assert_eq!(said(&bytes[..40]), (1, "rtnl-from_file: truncated message\n".to_owned()));
        assert_eq!(said(&bytes[..30]), (1, "rtnl-from_file: truncated message\n".to_owned()));
        assert_eq!(said(&file(&[24, 3])), (1, "!!!malformed message: len=3 @44\n".to_owned()));
    }
}
