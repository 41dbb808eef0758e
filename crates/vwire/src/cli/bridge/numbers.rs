//! Reads numbers and addresses as the C library's functions do that `bridge` reads them with. Pure.
//!
//! Scripts may lean on what these take for a number: `atoi` takes what is none for 0, and `sscanf` leaves alone what
//! stands behind the last pair of an address.

/// A number that a word begins with, and whether the word ends with it.
struct Parsed {
    value: i128,
    is_whole: bool,
}

/// Reads as `strtol` and `strtoul` do; what is none is 0. Base 0 takes `0x` and `0` for other bases.
fn parse(word: &[u8], base: u32) -> Parsed {
    let blanks = word.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b).count();
    let rest = &word[blanks..];
    let (negative, signed) = match rest.first() {
        Some(b'-') => (true, 1),
        Some(b'+') => (false, 1),
        _ => (false, 0),
    };
    let digits = &rest[signed..];
    let is_digit = |byte: &u8, radix| char::from(*byte).is_digit(radix);
    let (radix, skipped) = match (base, digits) {
        (0 | 16, [b'0', b'x' | b'X', next, ..]) if is_digit(next, 16) => (16, 2),
        (0, [b'0', ..]) => (8, 0),
        (0, _) => (10, 0),
        (base, _) => (base, 0),
    };
    let digits = &digits[skipped..];
    let count = digits.iter().take_while(|byte| is_digit(byte, radix)).count();
    let value = digits[..count].iter().fold(0_i128, |value, byte| {
        let digit = char::from(*byte).to_digit(radix).unwrap_or_default();
        value.saturating_mul(radix.into()).saturating_add(digit.into())
    });
    // Without a digit nothing was read, not even the blanks.
    let is_whole = if count == 0 { word.is_empty() } else { digits.len() == count };
    Parsed { value: if negative { -value } else { value }, is_whole }
}

/// Reads as `atoi`: what is no number is 0, what is too large loses its upper half.
pub fn atoi(word: &[u8]) -> i32 {
    let long = parse(word, 10).value.clamp(i64::MIN.into(), i64::MAX.into());
    low_half(long)
}

/// Reads as `atoi` into a `short`.
pub fn short(word: &[u8]) -> i16 {
    let [low, high, ..] = atoi(word).to_le_bytes();
    i16::from_le_bytes([low, high])
}

/// Reads as `strtol` does in base 10 into an `int`; `None` where something stands behind the number, or nothing at all.
pub fn decimal(word: &[u8]) -> Option<i32> {
    let parsed = parse(word, 10);
    let long = parsed.value.clamp(i64::MIN.into(), i64::MAX.into());
    (parsed.is_whole && !word.is_empty()).then(|| low_half(long))
}

/// Reads as `strtoul` does in any base; `None` where something stands behind the number.
pub fn unsigned(word: &[u8]) -> Option<u64> {
    let parsed = parse(word, 0);
    let value = match u64::try_from(parsed.value.unsigned_abs()) {
        Ok(value) if parsed.value < 0 => value.wrapping_neg(),
        Ok(value) => value,
        Err(_) => u64::MAX,
    };
    parsed.is_whole.then_some(value)
}

/// Reads the number of a VXLAN's network, which has 24 bits.
pub fn vni(word: &[u8]) -> Option<u32> {
    unsigned(word).and_then(|number| u32::try_from(number).ok()).filter(|number| number >> 24 == 0)
}

/// Reads a signed number in any base that fits 32 bits.
pub fn signed(word: &[u8]) -> Option<i32> {
    let parsed = parse(word, 0);
    i32::try_from(parsed.value).ok().filter(|_| parsed.is_whole && !word.is_empty())
}

/// Reads an Ethernet address as `sscanf("%hhx:%hhx:…")` does.
pub fn mac(word: &[u8]) -> Option<[u8; 6]> {
    let mut octets = [0; 6];
    let mut rest = word;
    for (at, octet) in octets.iter_mut().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(b":")?;
        }
        let parsed;
        (parsed, rest) = hexadecimal(rest)?;
        *octet = parsed;
    }
    Some(octets)
}

/// Reads a hexadecimal number, of which the last two digits count, and returns what stands behind it.
fn hexadecimal(word: &[u8]) -> Option<(u8, &[u8])> {
    let rest = word.trim_ascii_start();
    let (negative, rest) = match rest.first()? {
        b'-' => (true, &rest[1..]),
        b'+' => (false, &rest[1..]),
        _ => (false, rest),
    };
    let rest = match rest {
        [b'0', b'x' | b'X', after @ ..] if after.first().is_some_and(u8::is_ascii_hexdigit) => after,
        rest => rest,
    };
    let count = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let digits = rest[..count].iter().filter_map(|byte| char::from(*byte).to_digit(16));
    let value = digits.fold(0_u8, |value, digit| (value << 4) | digit.to_le_bytes()[0]);
    (count > 0).then(|| (if negative { value.wrapping_neg() } else { value }, &rest[count..]))
}

fn low_half(long: i128) -> i32 {
    let [a, b, c, d, ..] = long.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atoi_takes_what_begins_a_word() {
        for (word, number) in [("12", 12), ("12x", 12), ("x", 0), ("", 0), (" -3", -3), ("0x10", 0), ("4294967297", 1)]
        {
            assert_eq!(atoi(word.as_bytes()), number, "{word}");
        }
        assert_eq!(short(b"65537"), 1);
        assert_eq!(short(b"40000"), -25_536);
    }

    #[test]
    fn whole_words_are_asked_for_where_bridge_asks_for_them() {
        assert_eq!(decimal(b"3"), Some(3));
        assert_eq!(decimal(b"3x"), None);
        assert_eq!(decimal(b""), None);
        assert_eq!(unsigned(b"0x10"), Some(16));
        assert_eq!(unsigned(b"010"), Some(8));
        assert_eq!(unsigned(b"-1"), Some(u64::MAX));
        assert_eq!(unsigned(b"1x"), None);
        assert_eq!(vni(b"16777215"), Some(16_777_215));
        assert_eq!(vni(b"16777216"), None);
        assert_eq!(vni(b"-1"), None);
        assert_eq!(signed(b"-5"), Some(-5));
        assert_eq!(signed(b"2147483648"), None);
    }

    #[test]
    fn an_address_is_six_numbers_and_whatever_follows() {
        assert_eq!(mac(b"02:00:00:00:00:0a"), Some([2, 0, 0, 0, 0, 10]));
        assert_eq!(mac(b"2:0:0:0:0:a"), Some([2, 0, 0, 0, 0, 10]));
        assert_eq!(mac(b"2:0:0:0:0:ax"), Some([2, 0, 0, 0, 0, 10]));
        assert_eq!(mac(b"0x2:0:0:0:0:1"), Some([2, 0, 0, 0, 0, 1]));
        for word in ["", "2:0:0:0:0", "2:0:0:0:0:", "zz:0:0:0:0:0", "2-0-0-0-0-1"] {
            assert_eq!(mac(word.as_bytes()), None, "{word}");
        }
    }
}
