//! What the values behind the words of `ip rule` look like: marks, ports, tables, realms, actions. Pure.

use std::collections::HashMap;

use vwire_netlink::wire::rule::{RulePorts, UidRange};

use crate::cli::ip::failure::Failure;
use crate::cli::ip::nearest::nearest;
use crate::cli::ip::words::{Keyword, exact, find, number, number_as, prefix, shown};
use crate::out::rule::{RuleNames, WHOLE_FLOW_LABEL, WHOLE_PORT};

/// All bits of a DSCP, as a mask is read.
const WHOLE_DSCP: u32 = 0x3f;

/// Reads a number up to `most`, or a name that a table has for one.
fn named(names: &HashMap<u32, String>, word: &[u8], most: u32) -> Option<u32> {
    crate::snapshot::names::named(names, word).or_else(|| number_as(word).filter(|number| *number <= most))
}

fn wrong_name(names: &HashMap<u32, String>, word: &[u8], message: &str, file: &str) -> Failure {
    let failure = Failure::invalid(word, message);
    match nearest(&shown(word), names.values().map(String::as_str)) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => failure.hint(format!("it is a number, or a name from /etc/iproute2/{file}")),
    }
}

/// Reads a table.
///
/// # Errors
/// Neither a name nor a number; `message` is `ip`'s.
pub fn table(word: &[u8], names: &RuleNames, message: &str) -> Result<u32, Failure> {
    named(&names.tables, word, u32::MAX).ok_or_else(|| wrong_name(&names.tables, word, message, "rt_tables"))
}

/// Reads who made a rule.
///
/// # Errors
/// As [`table`].
pub fn protocol(word: &[u8], names: &RuleNames, message: &str) -> Result<u8, Failure> {
    let number = named(&names.protocols, word, 255).and_then(|number| u8::try_from(number).ok());
    number.ok_or_else(|| wrong_name(&names.protocols, word, message, "rt_protos"))
}

/// Reads a group of devices.
///
/// # Errors
/// As [`table`].
pub fn group(word: &[u8], names: &RuleNames) -> Result<u32, Failure> {
    let message = "Invalid \"suppress_ifgroup\" value\n";
    named(&names.groups, word, i32::MAX.unsigned_abs()).ok_or_else(|| wrong_name(&names.groups, word, message, "group"))
}

/// Reads a protocol above IP: a decimal number or a name.
///
/// # Errors
/// As [`table`].
pub fn ip_protocol(word: &[u8], names: &RuleNames) -> Result<u8, Failure> {
    let text = shown(word);
    let named = || names.ip_protocol_words.get(&text).and_then(|number| u8::try_from(*number).ok());
    text.trim_start().parse().ok().or_else(named).ok_or_else(|| wrong_protocol(word, names))
}

fn wrong_protocol(word: &[u8], names: &RuleNames) -> Failure {
    let failure = Failure::invalid(word, "Invalid \"ipproto\" value\n");
    match nearest(&shown(word), names.ip_protocol_words.keys().map(String::as_str)) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => failure.hint("it is a number up to 255, or a name from /etc/protocols"),
    }
}

/// Reads a value of the DS field: a name, or a number that is hexadecimal with or without `0x`.
///
/// # Errors
/// Neither.
pub fn ds_field(word: &[u8], names: &RuleNames) -> Result<u8, Failure> {
    find_ds_field(word, names).ok_or_else(|| wrong_name(&names.ds_fields, word, "TOS value is invalid\n", "rt_dsfield"))
}

fn find_ds_field(word: &[u8], names: &RuleNames) -> Option<u8> {
    let named = crate::snapshot::names::named(&names.ds_fields, word);
    let number = || {
        let digits = word.strip_prefix(b"0x").or_else(|| word.strip_prefix(b"0X")).unwrap_or(word);
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    named.or_else(number).and_then(|number| u8::try_from(number).ok())
}

/// Reads a number and, behind `/`, another.
fn masked(word: &[u8]) -> (&[u8], Option<&[u8]>) {
    match word.iter().position(|byte| *byte == b'/') {
        Some(slash) => (&word[..slash], Some(&word[slash + 1..])),
        None => (word, None),
    }
}

/// Reads a firewall mark and its mask.
///
/// # Errors
/// One of them is no number.
pub fn mark(word: &[u8]) -> Result<(u32, Option<u32>), Failure> {
    let (mark, mask) = masked(word);
    let number = number_as(mark).ok_or_else(|| Failure::invalid(mark, "fwmark value is invalid\n"))?;
    let mask = mask.map(|mask| number_as(mask).ok_or_else(|| Failure::invalid(mask, "fwmask value is invalid\n")));
    Ok((number, mask.transpose()?))
}

/// Reads a DSCP and its mask; as `ip`, it takes the low 8 bits of each.
///
/// # Errors
/// One of them is no number, and the DSCP no name.
pub fn dscp(word: &[u8], names: &RuleNames) -> Result<(u8, u32), Failure> {
    let (value, mask) = masked(word);
    let number = number_as::<u32>(value).or_else(|| find_ds_field(value, names).map(|field| u32::from(field) >> 2));
    let number = number.ok_or_else(|| wrong_name(&names.ds_fields, value, "invalid dscp", "rt_dsfield"))?;
    let mask =
        mask.map_or(Ok(WHOLE_DSCP), |mask| number_as(mask).ok_or_else(|| Failure::invalid(mask, "invalid dscp mask")))?;
    Ok((low(number), mask))
}

/// Returns the low 8 bits of a number.
#[must_use]
pub fn low(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

/// Reads a flow label and its mask.
///
/// # Errors
/// One of them is no number.
pub fn flow_label(word: &[u8]) -> Result<(u32, u32), Failure> {
    let (label, mask) = masked(word);
    let number = number_as(label).ok_or_else(|| Failure::invalid(label, "invalid flowlabel"))?;
    let mask = mask.map_or(Ok(WHOLE_FLOW_LABEL), |mask| {
        number_as(mask).ok_or_else(|| Failure::invalid(mask, "invalid flowlabel mask"))
    })?;
    Ok((number, mask))
}

/// Reads a port with or without a mask, or a range of ports.
///
/// # Errors
/// A part is no port.
pub fn ports(word: &[u8]) -> Result<(RulePorts, u16), Failure> {
    let port = |part: &[u8], message| number_as(part).ok_or_else(|| Failure::invalid(part, message));
    if let Some(dash) = word.iter().position(|byte| *byte == b'-') {
        let start = port(&word[..dash], "invalid port range start")?;
        let end = port(&word[dash + 1..], "invalid port range end")?;
        return Ok((RulePorts { start, end }, WHOLE_PORT));
    }
    let (value, mask) = masked(word);
    let mask = mask.map_or(Ok(WHOLE_PORT), |mask| port(mask, "invalid mask"))?;
    let start = port(value, "invalid port")?;
    Ok((RulePorts { start, end: start }, mask))
}

/// Reads the id of a tunnel; `-1` is the last, as C's `strtoull` has it.
///
/// # Errors
/// It is no number.
pub fn tunnel_id(word: &[u8]) -> Result<u64, Failure> {
    let id = match word.strip_prefix(b"-") {
        Some(digits) if !digits.starts_with(b"+") => number(digits).map(u64::wrapping_neg),
        _ => number(word),
    };
    id.ok_or_else(|| Failure::invalid(word, "\"tun_id\" value is invalid\n"))
}

/// Reads a range of users, `FIRST-LAST`; what follows does not count.
///
/// # Errors
/// A number is missing.
pub fn users(word: &[u8]) -> Result<UidRange, Failure> {
    let range = || {
        let (start, rest) = leading(word)?;
        let (end, _) = leading(rest.strip_prefix(b"-")?)?;
        Some(UidRange { start, end })
    };
    range().ok_or_else(|| Failure::invalid(word, "invalid UID range\n").hint("it looks like 1000-1999, or 1000-1000"))
}

/// Reads the decimal number that a word begins with, as C's `sscanf("%u")` does.
fn leading(word: &[u8]) -> Option<(u32, &[u8])> {
    let word = word.trim_ascii_start();
    let end = word.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(word.len());
    let (digits, rest) = word.split_at(end);
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.is_empty())?;
    let number = digits.parse::<u64>().unwrap_or(u64::MAX);
    let low = u32::try_from(number & u64::from(u32::MAX)).ok()?;
    Some((low, rest))
}

/// Reads realms, `[FROM/]TO`, or a number of both.
///
/// # Errors
/// Neither a name nor a number.
pub fn realms(word: &[u8], names: &RuleNames) -> Result<u32, Failure> {
    let one = |part: &[u8]| named(&names.realms, part, 255);
    let pair = || {
        let (first, second) = masked(word);
        match second {
            None if first.is_empty() => Some(0),
            None => one(first),
            Some([]) => Some(one(first)? << 16),
            Some(second) => Some(one(first)? << 16 | one(second)?),
        }
    };
    pair().or_else(|| number_as(word)).ok_or_else(|| wrong_name(&names.realms, word, "invalid realms\n", "rt_realms"))
}

/// Reads the name of a device, which needs not be there; `ip` takes more names than the kernel does.
///
/// # Errors
/// It is too long, or has what no name may have.
pub fn device<'a>(word: &'a [u8], message: &str) -> Result<&'a [u8], Failure> {
    const LONGEST: usize = 15;
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r' | b'/');
    let is_name =
        !word.is_empty() && word.len() <= LONGEST && word != b"." && word != b".." && !word.iter().any(is_blank);
    if is_name {
        Ok(word)
    } else {
        Err(Failure::invalid(word, message).hint("a name has up to 15 letters, no `/`, no blank"))
    }
}

/// `RTN_*`, in the order in which `ip` takes their words.
const ACTIONS: &[Keyword<u8>] = &[
    exact("local", 2),
    exact("nat", 10),
    prefix("broadcast", 3),
    exact("brd", 3),
    prefix("anycast", 4),
    prefix("multicast", 5),
    prefix("prohibit", 8),
    prefix("unreachable", 7),
    prefix("blackhole", 6),
    prefix("xresolve", 11),
    prefix("unicast", 1),
    exact("throw", 9),
];

/// Reads what happens: a word, or a number up to 255.
///
/// # Errors
/// Neither.
pub fn action(word: &[u8]) -> Result<u8, Failure> {
    const MORE: [&str; 12] = [
        "table",
        "lookup",
        "goto",
        "nop",
        "from",
        "to",
        "priority",
        "fwmark",
        "protocol",
        "suppress_prefixlength",
        "suppress_ifgroup",
        "uidrange",
    ];
    find(ACTIONS, word).or_else(|| number_as(word)).ok_or_else(|| {
        let failure = Failure::invalid(word, "Failed to parse rule type");
        match nearest(&shown(word), MORE.into_iter().chain(ACTIONS.iter().map(|row| row.word))) {
            Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
            None => failure.hint("`vwire rule help` lists the words"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::Persona;

    fn names() -> RuleNames {
        let owned = |(number, name): &(u32, &str)| (*number, (*name).to_owned());
        let table = |rows: &[(u32, &str)]| std::rc::Rc::new(rows.iter().map(owned).collect());
        RuleNames {
            tables: table(&[(254, "main")]),
            realms: table(&[(0, "cosmos"), (7, "seven")]),
            ds_fields: table(&[(0, "default"), (0xb8, "EF")]),
            ip_protocol_words: [("TCP".to_owned(), 6)].into(),
            ..RuleNames::default()
        }
    }

    fn said<T>(result: Result<T, Failure>) -> String {
        String::from_utf8(result.err().unwrap().render(Persona::Ip)).unwrap()
    }

    #[test]
    fn names_and_numbers_stand_for_the_same() {
        assert_eq!(table(b"main", &names(), "").unwrap(), 254);
        assert_eq!(table(b"0x100", &names(), "").unwrap(), 256);
        assert_eq!(ds_field(b"EF", &names()).unwrap(), 0xb8);
        assert_eq!(ds_field(b"10", &names()).unwrap(), 0x10);
        assert_eq!(dscp(b"EF", &names()).unwrap(), (0x2e, 0x3f));
        assert_eq!(dscp(b"10/0x30", &names()).unwrap(), (10, 0x30));
        assert_eq!(ip_protocol(b"TCP", &names()).unwrap(), 6);
        assert!(ip_protocol(b"0x6", &names()).is_err());
    }

    #[test]
    fn realms_are_one_two_or_raw() {
        assert_eq!(realms(b"7", &names()).unwrap(), 7);
        assert_eq!(realms(b"seven/cosmos", &names()).unwrap(), 7 << 16);
        assert_eq!(realms(b"7/", &names()).unwrap(), 7 << 16);
        assert_eq!(realms(b"1000", &names()).unwrap(), 1000);
        assert!(realms(b"x/1", &names()).is_err());
    }

    #[test]
    fn the_part_that_is_wrong_is_named() {
        assert_eq!(said(mark(b"zz/1")), "Error: argument \"zz\" is wrong: fwmark value is invalid\n\n");
        assert_eq!(said(mark(b"1/zz")), "Error: argument \"zz\" is wrong: fwmask value is invalid\n\n");
        assert_eq!(said(ports(b"1-x")), "Error: argument \"x\" is wrong: invalid port range end\n");
        assert_eq!(said(ports(b"70000")), "Error: argument \"70000\" is wrong: invalid port\n");
        assert_eq!(said(ports(b"x/y")), "Error: argument \"y\" is wrong: invalid mask\n");
    }

    #[test]
    fn users_are_two_numbers() {
        assert_eq!(users(b"0-4294967295").unwrap(), UidRange { start: 0, end: u32::MAX });
        assert_eq!(users(b"1-2junk").unwrap(), UidRange { start: 1, end: 2 });
        assert!(users(b"1000").is_err());
    }
}
