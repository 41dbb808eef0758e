//! `ip address save`, `showdump` and `restore`: addresses in a file, as the kernel's own messages behind a magic number.
//!
//! The format is iproute2's, so each of the two reads what the other has written.

use std::io::{IsTerminal, Read};

use vwire_netlink::wire::{Body, Builder, Header, Message, MessageType};
use vwire_netlink::{Address, AddressFilter, Create, Request};

use super::show;
use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE, Failure};
use crate::cli::ip::kernel::{dump_failure, refusal};
use crate::cli::ip::words::Words;
use crate::cli::ip::{Ip, Persona};
use crate::out::{Layout, Printer, address};

/// What a file starts with, in the byte order of the machine.
const MAGIC: u32 = 0x4736_1222;
/// The longest message that `ip` reads.
const LONGEST_MESSAGE: usize = 16384;
/// `EEXIST`.
const EEXIST: i32 = 17;

/// Runs `ip address save`: writes the addresses to standard output. Of the filter only the device counts.
///
/// # Errors
/// A wrong word, a terminal for output, or what the kernel refuses.
pub fn save(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let (_, found) = show::read_filter(ip, words)?;
    if std::io::stdout().is_terminal() {
        return Err(Failure::new(
            EXIT_SEMANTIC,
            "Not sending a binary stream to stdout",
            "the addresses are saved in binary, which a terminal cannot show",
        )
        .hint("write them to a file: `vwire addr save > addresses.bin`"));
    }
    let (family, persona) = (ip.options.family.number(), ip.persona);
    let request = AddressFilter { family, index: found.index.unwrap_or(0), ..AddressFilter::all() }.to_request();
    let messages = ip.socket()?.dump(&request, |message| Ok(bytes_of(message)));
    let messages = messages.map_err(|error| dump_failure(&error, persona))?;
    let printer = std::mem::replace(&mut ip.printer, Printer::new(Layout::default()));
    ip.printer.text(MAGIC.to_ne_bytes());
    for message in messages {
        ip.printer.text(message);
    }
    let written = ip.flush();
    ip.printer = printer;
    written.map_err(|error| {
        Failure::new(EXIT_SEMANTIC, "Can't write magic to dump file", error.to_string())
            .trying("cannot save the addresses")
    })
}

/// Returns a message as it came, padded so that the next one is aligned.
fn bytes_of(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = message.header.to_bytes().to_vec();
    bytes.extend_from_slice(message.payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Runs `ip address showdump`: prints what a file on standard input has.
///
/// # Errors
/// Standard input is no such file.
pub fn show(ip: &mut Ip<'_>) -> Result<(), Failure> {
    let file = read_file()?;
    let names = super::names_to_print(ip);
    let (messages, end) = cut(&file);
    ip.printer.open_document();
    ip.printer.open_object(None);
    ip.printer.open_array(Some("addr_info"));
    for message in messages {
        ip.printer.open_object(None);
        if let Ok(address) = Address::parse(message.payload) {
            ip.printer.number("index", "if", address.index, ":");
            ip.printer.line_break();
            address::print(&mut ip.printer, &address, None, &names);
        }
        ip.printer.close_object();
    }
    ip.printer.close_array();
    ip.printer.close_object();
    ip.printer.close_document();
    end
}

/// Runs `ip address restore`: makes the addresses that a file on standard input has.
///
/// # Errors
/// Standard input is no such file, or the kernel refuses an address. One that is there already is passed over.
pub fn restore(ip: &mut Ip<'_>) -> Result<(), Failure> {
    let file = read_file()?;
    let (messages, end) = cut(&file);
    for message in messages {
        let mut payload = Builder::new();
        payload.raw(message.payload);
        let flags = message.header.flags | Create::OrChange.flags();
        let request = Request::from_builder(message.header.message_type, flags, payload);
        let Err(error) = ip.socket()?.request(&request) else { continue };
        let exists = error.errno() == EEXIST;
        let failure = refusal(&error).trying("cannot restore an address").with_exit(EXIT_USAGE);
        if !exists {
            return Err(failure);
        }
        if ip.persona == Persona::Ip {
            ip.say(&failure.render(Persona::Ip));
        }
    }
    end
}

fn read_file() -> Result<Vec<u8>, Failure> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        return Err(Failure::new(
            EXIT_USAGE,
            "Can't restore address dump from a terminal",
            "a file of saved addresses must be on standard input",
        )
        .hint("`vwire addr save > addresses.bin` writes one"));
    }
    let mut file = Vec::new();
    input.read_to_end(&mut file).map_err(|error| {
        Failure::new(EXIT_USAGE, format!("Can't read: {error}"), error.to_string()).trying("cannot read standard input")
    })?;
    let magic = file.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
    if magic != Some(MAGIC) {
        return Err(Failure::new(
            EXIT_USAGE,
            format!("Magic mismatch ({} elems, {:x} magic)", u8::from(magic.is_some()), magic.unwrap_or(0)),
            "standard input is no file of saved addresses",
        )
        .hint("`vwire addr save > addresses.bin` writes one"));
    }
    Ok(file.split_off(4))
}

/// Cuts a file into its messages, up to the first that is malformed.
fn cut(mut rest: &[u8]) -> (Vec<Message<'_>>, Result<(), Failure>) {
    let mut messages = Vec::new();
    let broken = |ip: String| {
        Err(Failure::new(EXIT_USAGE, ip, "the file of saved addresses is damaged").trying("cannot read it to its end"))
    };
    let whole = rest.len() + 4;
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
        if header.message_type == MessageType::NEWADDR {
            messages.push(Message { header, payload });
        }
        rest = behind;
    }
    (messages, Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
