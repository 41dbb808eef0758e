//! The words of `ip link add` and `ip link set`, and how their values are spelled. Pure.
//!
//! [`WORDS`] stands in `ip`'s order: a word means the first row that it matches, so `a` is
//! `address`, `al` is `alias`, and `l` is `link`. What matches no row is the device's name.

use vwire_netlink::Link;

use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE, Failure};
use crate::cli::ip::words::{Keyword, exact, prefix, shown};

/// `IFF_UP` (`linux/if.h`).
pub(super) const IFF_UP: u32 = 0x1;
/// `IFF_NOTRAILERS`.
const IFF_NOTRAILERS: u32 = 0x20;
/// `IFF_NOARP`.
const IFF_NOARP: u32 = 0x80;
/// `IFF_PROMISC`.
const IFF_PROMISC: u32 = 0x100;
/// `IFF_ALLMULTI`.
const IFF_ALLMULTI: u32 = 0x200;
/// `IFF_MULTICAST`.
const IFF_MULTICAST: u32 = 0x1000;
/// `IFF_DYNAMIC`.
const IFF_DYNAMIC: u32 = 0x8000;

/// `XDP_FLAGS_SKB_MODE` (`linux/if_link.h`).
pub(super) const XDP_SKB: u32 = 2;
/// `XDP_FLAGS_DRV_MODE`.
pub(super) const XDP_DRIVER: u32 = 4;
/// `XDP_FLAGS_HW_MODE`.
pub(super) const XDP_HARDWARE: u32 = 8;

/// The field of a request that a word fills.
pub(super) type Field<T> = fn(&mut Link) -> &mut Option<T>;

/// What a word stands for.
#[derive(Clone, Copy)]
pub(super) enum Word {
    /// `up`, `down`.
    Up(bool),
    /// `name NEW`.
    Name,
    /// `index N`.
    Index,
    /// `link DEV`: the link that the new one is on.
    Link,
    /// `address LLADDR`.
    Address,
    /// `broadcast LLADDR`.
    Broadcast,
    /// A flag of the device, its word, and whether `on` clears it.
    Flag(&'static str, u32, Polarity),
    /// A number with a sign, which must not stand twice.
    Count(&'static str, Field<u32>),
    /// A number without a sign; the last one holds.
    Size(&'static str, u32, Field<u32>),
    /// `on` or `off`, in full.
    Switch(&'static str, Field<u8>),
    /// `inet SETTING VALUE …`.
    Inet,
    /// `xdp…`, with the flags of the mode.
    Xdp(u32),
    /// `netns NAME|PATH|PID`.
    Netns,
    /// `vf N …`.
    Vf,
    /// `master DEV`.
    Master,
    /// `vrf NAME`.
    Vrf,
    /// `nomaster`.
    Nomaster,
    /// `type KIND …`, which ends these words.
    Type,
    /// `alias TEXT`.
    Alias,
    /// `group GROUP`.
    Group,
    /// `mode default|dormant`.
    Mode,
    /// `state STATE`.
    State,
    /// `addrgenmode MODE`.
    AddrGenMode,
    /// `link-netns NAME`.
    LinkNetns,
    /// `link-netnsid ID`.
    LinkNetnsid,
    /// `protodown_reason REASON on|off`.
    ProtodownReason,
    /// `parentdev NAME`.
    Parentdev,
    /// `help`.
    Help,
    /// `dev NAME`.
    Dev,
}

/// What `on` does to a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polarity {
    /// `on` sets it.
    Sets,
    /// `on` clears it: the flag says what the device does **not** do.
    Clears,
}

/// The largest number that every size takes.
const ANY: u32 = u32::MAX;
/// The most segments of a GSO packet (`GSO_MAX_SEGS`).
const MOST_SEGMENTS: u32 = 65_535;

/// In `ip`'s order: the first row that a word matches wins.
pub(super) const WORDS: &[Keyword<Word>] = &[
    exact("up", Word::Up(true)),
    exact("down", Word::Up(false)),
    exact("name", Word::Name),
    exact("index", Word::Index),
    prefix("link", Word::Link),
    prefix("address", Word::Address),
    prefix("broadcast", Word::Broadcast),
    exact("brd", Word::Broadcast),
    prefix("txqueuelen", Word::Count("txqueuelen", |link| &mut link.txqlen)),
    exact("qlen", Word::Count("txqueuelen", |link| &mut link.txqlen)),
    prefix("txqlen", Word::Count("txqueuelen", |link| &mut link.txqlen)),
    exact("mtu", Word::Count("mtu", |link| &mut link.mtu)),
    exact("inet", Word::Inet),
    exact("xdpgeneric", Word::Xdp(XDP_SKB)),
    exact("xdpdrv", Word::Xdp(XDP_DRIVER)),
    exact("xdpoffload", Word::Xdp(XDP_HARDWARE)),
    exact("xdp", Word::Xdp(0)),
    exact("netns", Word::Netns),
    exact("multicast", Word::Flag("multicast", IFF_MULTICAST, Polarity::Sets)),
    exact("allmulticast", Word::Flag("allmulticast", IFF_ALLMULTI, Polarity::Sets)),
    exact("promisc", Word::Flag("promisc", IFF_PROMISC, Polarity::Sets)),
    exact("trailers", Word::Flag("trailers", IFF_NOTRAILERS, Polarity::Clears)),
    exact("arp", Word::Flag("arp", IFF_NOARP, Polarity::Clears)),
    exact("carrier", Word::Switch("carrier", |link| &mut link.carrier)),
    exact("vf", Word::Vf),
    prefix("master", Word::Master),
    exact("vrf", Word::Vrf),
    prefix("nomaster", Word::Nomaster),
    prefix("dynamic", Word::Flag("dynamic", IFF_DYNAMIC, Polarity::Sets)),
    prefix("type", Word::Type),
    prefix("alias", Word::Alias),
    exact("group", Word::Group),
    exact("mode", Word::Mode),
    exact("state", Word::State),
    prefix("numtxqueues", Word::Count("numtxqueues", |link| &mut link.num_tx_queues)),
    prefix("numrxqueues", Word::Count("numrxqueues", |link| &mut link.num_rx_queues)),
    prefix("addrgenmode", Word::AddrGenMode),
    prefix("link-netns", Word::LinkNetns),
    prefix("link-netnsid", Word::LinkNetnsid),
    exact("protodown", Word::Switch("protodown", |link| &mut link.proto_down)),
    exact("protodown_reason", Word::ProtodownReason),
    exact("gso_max_size", Word::Size("gso_max_size", ANY, |link| &mut link.gso_max_size)),
    exact("gso_max_segs", Word::Size("gso_max_segs", MOST_SEGMENTS, |link| &mut link.gso_max_segs)),
    exact("gro_max_size", Word::Size("gro_max_size", ANY, |link| &mut link.gro_max_size)),
    exact("gso_ipv4_max_size", Word::Size("gso_ipv4_max_size", ANY, |link| &mut link.gso_ipv4_max_size)),
    exact("gro_ipv4_max_size", Word::Size("gro_ipv4_max_size", ANY, |link| &mut link.gro_ipv4_max_size)),
    exact("parentdev", Word::Parentdev),
    prefix("help", Word::Help),
    exact("dev", Word::Dev),
];

/// A word does not fit: `ip`'s message, and the cause in our words.
pub(super) fn wrong(value: &[u8], message: &str, cause: impl Into<String>) -> Failure {
    Failure::new(EXIT_USAGE, [b"Error: argument \"", value, b"\" is wrong: ", message.as_bytes()].concat(), cause)
}

/// Reads `on` or `off`.
///
/// # Errors
/// The word is neither.
pub(super) fn on_off(keyword: &str, value: &[u8]) -> Result<bool, Failure> {
    match value {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(Failure::not_one_of(keyword, &["on", "off"], value)),
    }
}

/// Reads `on` or `off`, for the words whose message `ip` spells in another way.
///
/// # Errors
/// The word is neither; the exit code is the error number EINVAL, as `ip` has it.
pub(super) fn off_on(keyword: &str, value: &[u8]) -> Result<bool, Failure> {
    on_off(keyword, value).map_err(|_| {
        let value = shown(value);
        let ip = format!("Error: argument of \"{keyword}\" must be one of \"off\", \"on\", not \"{value}\"");
        Failure::new(22, ip, format!("`{keyword}` takes on, off, not `{value}`"))
    })
}

/// Reads a number as C's `strtol` does with any radix, which is how `ip` reads most of them.
fn long(value: &[u8]) -> Option<(i64, &[u8])> {
    let value = value.trim_ascii_start();
    let (negative, digits) = match value {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let (radix, digits) = match (hexadecimal(digits), digits) {
        (Some(digits), _) => (16, digits),
        (None, [b'0', ..]) => (8, digits),
        (None, _) => (10, digits),
    };
    let end = digits.iter().position(|byte| !char::from(*byte).is_digit(radix)).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    let text = std::str::from_utf8(digits).ok().filter(|text| !text.is_empty())?;
    let number = i64::from_str_radix(text, radix).unwrap_or(i64::MAX);
    Some((if negative { -number } else { number }, rest))
}

/// Returns what is behind `0x`, where a digit is.
fn hexadecimal(word: &[u8]) -> Option<&[u8]> {
    let digits = word.strip_prefix(b"0x").or_else(|| word.strip_prefix(b"0X"))?;
    digits.first()?.is_ascii_hexdigit().then_some(digits)
}

/// Reads a number with a sign, decimal, `0x` hexadecimal or `0` octal.
pub(super) fn integer(value: &[u8]) -> Option<i32> {
    let (number, rest) = long(value)?;
    i32::try_from(number).ok().filter(|_| rest.is_empty())
}

/// Reads a number without a sign, decimal, `0x` hexadecimal or `0` octal.
pub(super) fn unsigned(value: &[u8]) -> Option<u32> {
    let (number, rest) = long(value)?;
    u32::try_from(number).ok().filter(|_| rest.is_empty())
}

/// Reads the decimal digits that a word begins with, as `atoi` does; 0 where there are none.
pub(super) fn leading_number(value: &[u8]) -> i32 {
    let value = value.trim_ascii_start();
    let digits = value.strip_prefix(b"+").unwrap_or(value);
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    std::str::from_utf8(&digits[..end]).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Reads a link-layer address: octets with `:` between, or with a dot in it an IPv4 address.
///
/// # Errors
/// The part that is no octet, as `ip` names it.
pub(in crate::cli) fn address(value: &[u8]) -> Result<Vec<u8>, Failure> {
    /// As many octets as the kernel keeps (`MAX_ADDR_LEN`), and one more to be refused.
    const MOST: usize = 33;
    if value.contains(&b'.') {
        return ipv4(value).ok_or_else(|| invalid_address(value, value));
    }
    let octet = |part: &&[u8]| hexadecimal_octet(part).ok_or_else(|| invalid_address(part, value));
    value.split(|byte| *byte == b':').take(MOST).map(|part| octet(&part)).collect()
}

fn invalid_address(part: &[u8], whole: &[u8]) -> Failure {
    let (part, whole) = (shown(part), shown(whole));
    let cause = if part == whole {
        format!("`{whole}` is no link-layer address")
    } else {
        format!("`{part}` in `{whole}` is no octet")
    };
    Failure::new(EXIT_SEMANTIC, format!("\"{part}\" is invalid lladdr."), cause)
        .hint("an Ethernet address is six octets in hexadecimal, as in 02:00:00:00:00:01")
}

/// Reads an octet as C's `sscanf("%x")` does: what follows the digits does not count.
fn hexadecimal_octet(part: &[u8]) -> Option<u8> {
    let part = part.trim_ascii_start();
    let part = part.strip_prefix(b"+").unwrap_or(part);
    let part = hexadecimal(part).unwrap_or(part);
    let end = part.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(part.len());
    u8::from_str_radix(std::str::from_utf8(&part[..end]).ok()?, 16).ok()
}

/// Reads an IPv4 address, short forms included: `10.1` is 10.1.0.0.
fn ipv4(value: &[u8]) -> Option<Vec<u8>> {
    let parts: Vec<_> = value.split(|byte| *byte == b'.').collect();
    let mut octets = parts.iter().map(|part| u8::try_from(unsigned(part)?).ok()).collect::<Option<Vec<u8>>>()?;
    if octets.len() > 4 {
        return None;
    }
    octets.resize(4, 0);
    Some(octets)
}

/// Returns whether a word may be a device's new name, as `ip` checks it; the kernel is stricter.
pub(in crate::cli::ip) fn is_name(value: &[u8]) -> bool {
    let bad = |byte: &u8| matches!(byte, b'/' | b' ' | b'\t'..=b'\r');
    (1..=15).contains(&value.len()) && value != b"." && value != b".." && !value.iter().any(bad)
}

/// Returns whether a word may name a device by its other names, which are longer.
pub(super) fn is_long_name(value: &[u8]) -> bool {
    (1..=127).contains(&value.len())
}

/// Returns which of the words a value is, in any case.
pub(super) fn place_of(value: &[u8], words: &[&str]) -> Option<u8> {
    let at = words.iter().position(|word| word.as_bytes().eq_ignore_ascii_case(value))?;
    u8::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::words::find;
    use proptest::prelude::*;

    fn means(word: &str) -> Option<&'static str> {
        WORDS.iter().find(|row| find(&[**row], word.as_bytes()).is_some()).map(|row| row.word)
    }

    #[test]
    fn words_cut_short_mean_what_ip_means() {
        for (word, meaning) in [
            ("l", Some("link")),
            ("link-", Some("link-netns")),
            ("a", Some("address")),
            ("addrg", Some("addrgenmode")),
            ("al", Some("alias")),
            ("t", Some("txqueuelen")),
            ("ty", Some("type")),
            ("m", Some("master")),
            ("n", Some("nomaster")),
            ("numt", Some("numtxqueues")),
            ("d", Some("dynamic")),
            ("h", Some("help")),
            ("b", Some("broadcast")),
            ("u", None),
            ("mt", None),
            ("g", None),
        ] {
            assert_eq!(means(word), meaning, "{word}");
        }
    }

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        assert_eq!(integer(b"-1"), Some(-1));
        assert_eq!(integer(b" 0x10"), Some(16));
        assert_eq!(integer(b"010"), Some(8));
        assert_eq!(integer(b"0"), Some(0));
        for bad in ["", "x", "1x", "4294967296", "08", "0x", "--1", "99999999999999999999"] {
            assert_eq!(integer(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(unsigned(b"4294967295"), Some(u32::MAX));
        assert_eq!(unsigned(b"-1"), None);
        assert_eq!(leading_number(b"7x"), 7);
        assert_eq!(leading_number(b"x"), 0);
    }

    #[test]
    fn addresses_are_octets_or_an_ipv4_address() {
        assert_eq!(address(b"2:0:ff:0:0:1").unwrap(), [2, 0, 255, 0, 0, 1]);
        assert_eq!(address(b"10.0.0.1").unwrap(), [10, 0, 0, 1]);
        assert_eq!(address(b"10.1").unwrap(), [10, 1, 0, 0]);
        for bad in ["zz", "", "2:", "100", "10.x", "1.2.3.4.5", "-1"] {
            assert_eq!(address(bad.as_bytes()).unwrap_err().exit(), 1, "{bad}");
        }
    }

    #[test]
    fn names_are_checked_as_ip_checks_them() {
        assert!(is_name(b"v0") && is_name(b"a:b") && is_name(b"\xff"));
        for bad in ["", ".", "..", "a/b", "a b", "abcdefghijklmnop"] {
            assert!(!is_name(bad.as_bytes()), "{bad:?}");
        }
        assert!(is_long_name(&[b'x'; 127]) && !is_long_name(&[b'x'; 128]) && !is_long_name(b""));
    }

    proptest! {
        #[test]
        fn numbers_are_read_as_they_are_written(number: i32) {
            let hexadecimal = format!("{}{:#x}", if number < 0 { "-" } else { "" }, number.unsigned_abs());
            prop_assert_eq!(integer(number.to_string().as_bytes()), Some(number));
            prop_assert_eq!(integer(hexadecimal.as_bytes()), Some(number));
            prop_assert_eq!(unsigned(number.unsigned_abs().to_string().as_bytes()), Some(number.unsigned_abs()));
        }

        #[test]
        fn addresses_are_read_as_they_are_written(octets in prop::collection::vec(any::<u8>(), 1..33)) {
            let spelled: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            prop_assert_eq!(address(spelled.join(":").as_bytes()).ok(), Some(octets));
        }

        #[test]
        fn no_word_makes_them_panic(word: Vec<u8>) {
            let _ = (integer(&word), unsigned(&word), leading_number(&word), address(&word));
            let _ = (is_name(&word), is_long_name(&word), place_of(&word, &["default"]));
        }
    }
}
