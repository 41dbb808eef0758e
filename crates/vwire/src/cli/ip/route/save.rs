//! `ip route save`, `restore` and `showdump`: routes in a file, as the kernel's own messages behind a magic number.
//!
//! The format is iproute2's, so each of the two reads what the other has written.

use std::io::{IsTerminal, Read};

use vwire_netlink::wire::{Body, Builder, Header, Message};
use vwire_netlink::{MessageType, Request, Route};

use super::filter::{self, MAIN};
use super::show;
use crate::cli::ip::Ip;
use crate::cli::ip::failure::{EXIT_KERNEL, EXIT_SEMANTIC, Failure};
use crate::cli::ip::words::Words;
use crate::out::host::octets;
use crate::out::route::Hidden;

/// What a file starts with, in the byte order of the machine.
const MAGIC: u32 = 0x4531_1224;
/// The longest message that `ip` reads.
const LONGEST: usize = 16384;
/// `ENOENT`, `EEXIST`.
const ENOENT: i32 = 2;
const EEXIST: i32 = 17;
/// `NLM_F_CREATE`.
const CREATE: u16 = 0x400;

/// Runs `ip route save`.
///
/// # Errors
/// A wrong word, a terminal for output, or what the kernel refuses.
pub fn save(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() {
        return Err(Failure::new(
            EXIT_SEMANTIC,
            "Not sending a binary stream to stdout",
            "the routes are saved in binary, which a terminal cannot show",
        )
        .hint("write them to a file: `vwire route save > routes.bin`"));
    }
    ip.printer.verbatim(MAGIC.to_ne_bytes());
    let filter = filter::read(ip, words)?;
    let request = Request::dump(MessageType::GETROUTE, &filter.to_request());
    let messages = ip.socket()?.dump(&request, |message| Ok((Route::parse(message.payload)?, bytes_of(message))));
    let messages = match messages {
        Ok(messages) => messages,
        Err(error) if filter.table == MAIN && error.errno() == Some(ENOENT) => return Ok(()),
        Err(error) => {
            return Err(show::terminated(ip, &error, "Dump terminated")?.trying("cannot save the routes"));
        }
    };
    // A filter remembers what it has seen, so the routes go through it together.
    let (routes, bytes): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
    let mut chosen = filter.choose(routes.clone()).into_iter().peekable();
    for (route, bytes) in routes.iter().zip(bytes) {
        if chosen.next_if(|next| next == route).is_some() {
            ip.printer.verbatim(bytes);
        }
    }
    Ok(())
}

fn bytes_of(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = message.header.to_bytes().to_vec();
    bytes.extend_from_slice(message.payload);
    bytes
}

/// A message of a file.
type Stored<'a> = (Header, &'a [u8]);

/// Runs `ip route showdump`.
///
/// # Errors
/// Standard input holds no routes.
pub fn showdump(ip: &mut Ip<'_>) -> Result<(), Failure> {
    let file = read_file()?;
    let (messages, end) = cut(&file);
    let parsed = messages.iter().filter_map(|(_, payload)| Route::parse(payload).ok());
    let routes: Vec<_> = parsed.collect();
    let context = show::context(ip, &routes)?;
    show::print_text(ip, &routes, &context, &Hidden::default());
    end
}

/// Runs `ip route restore`: routes of this host first, then those of its networks, then those behind gateways.
///
/// # Errors
/// Standard input holds no routes, or the kernel refuses one.
pub fn restore(ip: &mut Ip<'_>) -> Result<(), Failure> {
    let file = read_file()?;
    let (messages, end) = cut(&file);
    for rank in 0..3 {
        for (header, payload) in &messages {
            let Ok(route) = Route::parse(payload) else { continue };
            if rank_of(&route) != Some(rank) {
                continue;
            }
            let mut out = Builder::new();
            out.raw(payload);
            let request = Request::from_builder(header.message_type, header.flags | CREATE, out);
            match ip.socket()?.request(&request) {
                Ok(_) => {}
                Err(error) if error.errno() == EEXIST => {}
                Err(error) => {
                    let failure = Failure::kernel(error.errno(), error.message());
                    let destination = route.dst.map_or_else(|| "default".to_owned(), |dst| dst.to_string());
                    return Err(failure.trying(format!("cannot restore the route to `{destination}`")));
                }
            }
        }
        if end.is_err() {
            break;
        }
    }
    end
}

/// Returns when a route is restored: what it leans on must be there before.
fn rank_of(route: &Route) -> Option<u8> {
    let source = route.prefsrc.map(octets);
    match (route.gateway, source) {
        (None, None) => Some(0),
        (None, source) if source == route.dst.map(octets) => Some(0),
        (None, Some(_)) => Some(1),
        (Some(_), _) => Some(2),
    }
}

fn read_file() -> Result<Vec<u8>, Failure> {
    if std::io::stdin().is_terminal() {
        return Err(Failure::new(
            EXIT_SEMANTIC,
            "Can't restore route dump from a terminal",
            "the routes come from standard input, which is a terminal",
        )
        .hint("`vwire route restore < routes.bin`, with what `vwire route save` has written"));
    }
    let mut file = Vec::new();
    std::io::stdin().read_to_end(&mut file).map_err(|error| {
        Failure::new(EXIT_SEMANTIC, format!("Failed to restore: {error}"), error.to_string())
            .trying("cannot read standard input")
    })?;
    let magic = file.first_chunk().map(|magic| u32::from_ne_bytes(*magic));
    if magic != Some(MAGIC) {
        let (found, magic) = (u8::from(magic.is_some()), magic.unwrap_or_else(|| partial(&file)));
        return Err(Failure::new(
            EXIT_SEMANTIC,
            format!("Magic mismatch ({found} elems, {magic:x} magic)"),
            "what comes from standard input was not written by `route save`",
        ));
    }
    Ok(file.split_off(4))
}

/// The number that less than four bytes leave in a zeroed one.
fn partial(file: &[u8]) -> u32 {
    let mut bytes = [0; 4];
    bytes.iter_mut().zip(file).for_each(|(to, from)| *to = *from);
    u32::from_ne_bytes(bytes)
}

/// Cuts a file into its messages; what is damaged is told behind what is whole.
fn cut(file: &[u8]) -> (Vec<Stored<'_>>, Result<(), Failure>) {
    let mut messages = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let truncated = || Failure::new(EXIT_KERNEL, "rtnl-from_file: truncated message", "the file ends in a message");
        let Some(header) = Header::parse(rest) else { return (messages, Err(truncated())) };
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        if !(Header::LEN..=LONGEST).contains(&length) {
            // The place is counted behind the header, from the start of the file with its magic number.
            let at = 4 + file.len() - rest.len() + Header::LEN;
            let ip = format!("!!!malformed message: len={} @{at}", header.length.cast_signed());
            return (messages, Err(Failure::new(EXIT_KERNEL, ip, "a message says an impossible length")));
        }
        let aligned = length.next_multiple_of(4);
        let Some(payload) = rest.get(Header::LEN..aligned) else { return (messages, Err(truncated())) };
        messages.push((header, payload.get(..length - Header::LEN).unwrap_or_default()));
        rest = rest.get(aligned..).unwrap_or_default();
    }
    (messages, Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_lean_on_comes_first() {
        let address = |text: &str| Some(text.parse().unwrap());
        let local = Route { dst: address("10.0.0.1"), prefsrc: address("10.0.0.1"), ..Route::default() };
        let network = Route { dst: address("10.0.0.0"), prefsrc: address("10.0.0.1"), ..Route::default() };
        let far = Route { gateway: address("10.0.0.2"), ..Route::default() };
        assert_eq!(
            [local, network, far, Route::default()].map(|route| rank_of(&route)),
            [Some(0), Some(1), Some(2), Some(0)]
        );
    }

    #[test]
    fn damage_is_told_behind_what_is_whole() {
        let header = Header { length: 20, message_type: MessageType::NEWROUTE, flags: 2, sequence: 1, port: 1 };
        let mut file = header.to_bytes().to_vec();
        file.extend_from_slice(&[1, 2, 3, 4]);
        let (messages, end) = cut(&file);
        assert_eq!((messages.len(), end.is_ok()), (1, true));
        file.push(7);
        let (messages, end) = cut(&file);
        assert_eq!((messages.len(), end.is_ok()), (1, false));
    }
}
