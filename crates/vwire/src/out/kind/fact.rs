//! The forms that most facts of a kind have: a word, its value, a blank; nothing where the kernel said nothing.
//!
//! Where the word in the text differs from the member's name in JSON, the function ends in `_as` and
//! takes both, the member first.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::out::Printer;
use crate::out::link::Context;

/// Prints `name N `.
pub(in crate::out) fn number(p: &mut Printer, name: &str, value: Option<impl Into<i128>>) {
    number_as(p, name, name, value);
}

/// Prints `word N `.
pub(in crate::out) fn number_as(p: &mut Printer, name: &str, word: &str, value: Option<impl Into<i128>>) {
    let Some(value) = value else { return };
    p.text(word);
    p.number(name, " ", value, " ");
}

/// Prints `name WORD `.
pub(in crate::out) fn word(p: &mut Printer, name: &str, value: impl AsRef<[u8]>) {
    word_as(p, name, name, value);
}

/// Prints `word WORD `.
pub(in crate::out) fn word_as(p: &mut Printer, name: &str, word: &str, value: impl AsRef<[u8]>) {
    p.text(word);
    p.string(name, " ", value, " ");
}

/// Prints `name on ` or `name off `.
pub(in crate::out) fn on_off(p: &mut Printer, name: &str, value: Option<u8>) {
    let Some(value) = value else { return };
    p.text(name);
    p.on_off(name, " ", value != 0, " ");
}

/// Prints a hexadecimal number, which is a string in JSON too: `word 0x2a `, and `word 0 ` for zero.
pub(super) fn hexadecimal(p: &mut Printer, name: &str, word: &str, value: Option<impl Into<u64>>) {
    let Some(value) = value else { return };
    word_as(
        p,
        name,
        word,
        match value.into() {
            0 => "0".to_owned(),
            value => format!("{value:#x}"),
        },
    );
}

/// Prints `word ADDRESS ` in no colour, or the name of the host.
pub(super) fn host(p: &mut Printer, name: &str, word: &str, address: impl Into<IpAddr>) {
    let host = p.host_of(address.into());
    word_as(p, name, word, host);
}

/// Prints `word ` and `true` where a flag is set.
pub(super) fn mark(p: &mut Printer, name: &str, word: &str, holds: bool) {
    if holds {
        p.mark(name, word);
    }
}

/// Returns the name of a link; none has the index 0, which `ip` calls `*`.
pub(super) fn link_name(context: &Context, index: u32) -> Vec<u8> {
    if index == 0 { b"*".to_vec() } else { context.link_name(index) }
}

/// Returns the word at `index`, or `otherwise`.
pub(super) fn nth(words: &[&'static str], index: impl Into<u64>, otherwise: &'static str) -> &'static str {
    usize::try_from(index.into()).ok().and_then(|index| words.get(index).copied()).unwrap_or(otherwise)
}

/// Spells a hardware address: octets in hexadecimal, colons between them.
pub(super) fn octets(address: &[u8]) -> String {
    address.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
}

/// Spells an IPv6 address as `inet_ntop` does.
///
/// The two differ for `::a.b.c.d`: Rust prints `::1:2`, the C library `::0.1.0.2`.
pub(in crate::out) fn ipv6(address: Ipv6Addr) -> String {
    match address.octets() {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] if a != 0 || b != 0 => {
            format!("::{}", Ipv4Addr::new(a, b, c, d))
        }
        _ => address.to_string(),
    }
}

/// Prints how long a timer still runs: seconds with two decimals, in text at least seven wide.
pub(super) fn timer(p: &mut Printer, name: &str, centiseconds: Option<u64>) {
    let Some(centiseconds) = centiseconds else { return };
    let (seconds, rest) = (centiseconds / 100, centiseconds % 100);
    p.literal_json(name, &format!("{seconds}.{rest:02}"));
    p.text(format!("{name} {seconds:4}.{rest:02} "));
}

/// Prints the type of service: `inherit` for 1 in text, a hexadecimal number else; nothing for 0.
pub(super) fn type_of_service(p: &mut Printer, tos: Option<u8>) {
    match tos {
        None | Some(0) => {}
        Some(1) if !p.is_json() => p.text("tos inherit "),
        tos => hexadecimal(p, "tos", "tos", tos),
    }
}

/// Prints the time to live of a UDP tunnel: `inherit`, `auto` for 0 or its number.
pub(super) fn time_to_live(p: &mut Printer, inherits: bool, ttl: Option<u8>) {
    match ttl {
        _ if inherits => p.text("ttl inherit "),
        Some(0) if !p.is_json() => p.text("ttl auto "),
        ttl => number(p, "ttl", ttl),
    }
}

/// Prints whether a UDP tunnel's packets may be fragmented; text leaves out that it is unset.
pub(super) fn fragmentation(p: &mut Printer, df: Option<u8>) {
    match df {
        Some(0) => p.string_json("df", "unset"),
        Some(1) => word(p, "df", "set"),
        Some(2) => word(p, "df", "inherit"),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::kind::printed;

    #[test]
    fn a_timer_is_padded_in_text_and_a_number_in_json() {
        assert_eq!(
            printed(|p| timer(p, "gc_timer", Some(29_999))),
            ("gc_timer  299.99 ".into(), "\"gc_timer\":299.99".into())
        );
        assert_eq!(
            printed(|p| timer(p, "gc_timer", Some(5))),
            ("gc_timer    0.05 ".into(), "\"gc_timer\":0.05".into())
        );
    }

    #[test]
    fn hexadecimal_zero_has_no_prefix() {
        assert_eq!(printed(|p| hexadecimal(p, "id", "port_id", Some(0u16))).0, "port_id 0 ");
        assert_eq!(printed(|p| hexadecimal(p, "id", "port_id", Some(0x8001u16))).1, "\"id\":\"0x8001\"");
    }

    #[test]
    fn ipv6_is_spelled_as_the_c_library_spells_it() {
        for (address, spelled) in
            [("::1", "::1"), ("::1:2", "::0.1.0.2"), ("::ffff:1.2.3.4", "::ffff:1.2.3.4"), ("fe80::", "fe80::")]
        {
            assert_eq!(ipv6(address.parse().unwrap()), spelled);
        }
    }
}
