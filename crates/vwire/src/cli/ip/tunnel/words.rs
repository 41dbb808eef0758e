//! The words of `ip tunnel`, read into plain data. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::parameters::SPECIAL;
use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE, Failure};
use crate::cli::ip::link::words::is_name;
use crate::cli::ip::options::Family;
use crate::cli::ip::prefix;
use crate::cli::ip::route::value::dsfield;
use crate::cli::ip::words::{Words, begins, number_as, shown};
use crate::out::tunnel::{CHECKSUM, Common, GRE, KEY, SEQUENCE, Tunnel4, Tunnel6};
use crate::snapshot::names::Tables;

/// `IPPROTO_IPIP`.
const IPIP: u8 = 4;
/// `IPPROTO_IPV6`.
const IPV6: u8 = 41;
/// `IP6_TNL_F_*`.
const NO_LIMIT: u32 = 1;
/// See [`NO_LIMIT`].
const INNER_CLASS: u32 = 2;
/// See [`NO_LIMIT`].
const INNER_LABEL: u32 = 4;
/// See [`NO_LIMIT`].
const COPIES_DSCP: u32 = 0x10;
/// See [`NO_LIMIT`].
const ALLOWS_LOCAL: u32 = 0x40;

/// What is done with a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Change,
    Delete,
    Show,
}

/// What the words ask for; the link below is named still.
#[derive(Debug)]
pub(super) struct Asked<'a, T> {
    pub(super) tunnel: T,
    pub(super) below: Option<&'a [u8]>,
}

/// Finds out how a tunnel is that is to be changed.
pub(super) type Known<'k, T> = &'k mut dyn FnMut(&[u8]) -> Result<T, Failure>;

/// Reads the words about a tunnel over IPv4.
///
/// # Errors
/// A wrong word, or what `known` says.
pub(super) fn read_4<'a>(
    tables: &Tables,
    words: &mut Words<'a>,
    verb: Verb,
    known: Known<'_, Tunnel4>,
) -> Result<Asked<'a, Tunnel4>, Failure> {
    let mut tunnel = Tunnel4 {
        common: Common::default(),
        local: Ipv4Addr::UNSPECIFIED,
        remote: Ipv4Addr::UNSPECIFIED,
        ttl: 0,
        tos: 0,
        discovers: true,
    };
    let (mut below, mut is_isatap, mut is_first) = (None, false, true);
    while let Some(word) = words.next() {
        match word {
            b"mode" => mode_4(words.value()?, &mut tunnel.common, &mut is_isatap)?,
            b"nopmtudisc" => tunnel.discovers = false,
            b"pmtudisc" => tunnel.discovers = true,
            b"remote" => tunnel.remote = address_4(words.value()?)?,
            b"local" => tunnel.local = address_4(words.value()?)?,
            b"dev" => below = Some(words.value()?),
            b"ttl" | b"hoplimit" | b"hlim" => {
                let value = words.value()?;
                if value != b"inherit" {
                    tunnel.ttl = number_as(value).ok_or_else(|| Failure::invalid(value, "invalid TTL\n"))?;
                }
            }
            _ if matches!(word, b"tos" | b"tclass") || begins("dsfield", word) => {
                tunnel.tos = tos(tables, words.value()?)?
            }
            _ if gre(word, words, &mut tunnel.common)? => {}
            _ => {
                let name = name(word, words, &tunnel.common)?;
                tunnel.common.name = name.to_vec();
                if verb == Verb::Change && is_first {
                    tunnel = known(name)?;
                }
            }
        }
        is_first = false;
    }
    guess_4(&mut tunnel.common, &mut is_isatap);
    let common = &mut tunnel.common;
    if (common.input | common.output) & KEY != 0 && common.input & SPECIAL == 0 && common.protocol != GRE {
        return Err(refused("Keys are not allowed with ipip and sit tunnels", "only gre and vti have keys"));
    }
    if is_isatap {
        common.input |= SPECIAL;
    }
    Ok(Asked { tunnel, below })
}

/// Sets what a group as the other end brings with it; the link below was found by now.
///
/// # Errors
/// There is no address of this end.
pub(super) fn finish_4(tunnel: &mut Tunnel4) -> Result<(), Failure> {
    if !tunnel.remote.is_multicast() {
        return Ok(());
    }
    let group = u32::from(tunnel.remote);
    let common = &mut tunnel.common;
    for (key, flags) in [(&mut common.input_key, &mut common.input), (&mut common.output_key, &mut common.output)] {
        if *key == 0 {
            *key = group;
            *flags |= KEY;
        }
    }
    if tunnel.local.is_unspecified() {
        return Err(refused("A broadcast tunnel requires a source address", "a tunnel to a group needs `local`"));
    }
    Ok(())
}

/// Returns the device that makes tunnels of a mode, if the mode is known.
pub(super) fn base_4(common: &Common) -> Option<&'static [u8]> {
    match common.protocol {
        IPIP if common.input & SPECIAL != 0 => Some(b"ip_vti0"),
        IPIP => Some(b"tunl0"),
        GRE => Some(b"gre0"),
        IPV6 => Some(b"sit0"),
        _ => None,
    }
}

/// Returns whether routers may be behind a tunnel, and whether it may have a prefix of 6rd.
pub(super) fn is_isatap_or_sit(tunnel: &Tunnel4) -> (bool, bool) {
    let is_sit = tunnel.common.protocol == IPV6;
    (is_sit && tunnel.common.input & SPECIAL != 0, is_sit)
}

/// Fails where what is asked for cannot be.
///
/// # Errors
/// A time to live for packets that may be cut.
pub(super) fn check_4(tunnel: &Tunnel4) -> Result<(), Failure> {
    if tunnel.ttl != 0 && !tunnel.discovers {
        return Err(refused("ttl != 0 and nopmtudisc are incompatible", "a `ttl` goes with `pmtudisc` only"));
    }
    Ok(())
}

fn refused(ip: &str, cause: &str) -> Failure {
    Failure::new(EXIT_SEMANTIC, ip, cause)
}

fn mode_4(word: &[u8], common: &mut Common, is_isatap: &mut bool) -> Result<(), Failure> {
    let protocol = match word {
        b"ipip" | b"ip/ip" | b"vti" => IPIP,
        b"gre" | b"gre/ip" => GRE,
        b"sit" | b"ipv6/ip" | b"isatap" => IPV6,
        _ => return Err(unknown_mode(word)),
    };
    if common.protocol != 0 && common.protocol != protocol {
        let cause = "`mode` was given already, and was another";
        return Err(Failure::new(EXIT_USAGE, "You managed to ask for more than one tunnel mode.", cause));
    }
    common.protocol = protocol;
    *is_isatap |= word == b"isatap";
    if word == b"vti" {
        common.input |= SPECIAL;
    }
    Ok(())
}

/// Takes the mode from the name, where no word says it.
fn guess_4(common: &mut Common, is_isatap: &mut bool) {
    if common.protocol != 0 {
        return;
    }
    let modes: [(&[u8], u8); 5] = [(b"gre", GRE), (b"ipip", IPIP), (b"sit", IPV6), (b"isatap", IPV6), (b"vti", IPIP)];
    let Some((mode, protocol)) = modes.into_iter().find(|(mode, _)| common.name.starts_with(mode)) else { return };
    common.protocol = protocol;
    *is_isatap |= mode == b"isatap";
    if mode == b"vti" {
        common.input |= SPECIAL;
    }
}

fn unknown_mode(word: &[u8]) -> Failure {
    let word = shown(word);
    Failure::new(EXIT_USAGE, format!("Unknown tunnel mode \"{word}\""), format!("`{word}` is no mode of a tunnel"))
        .hint("gre, ipip, isatap, sit, vti; with -6 ip6ip6, ipip6, ip6gre, vti6, any")
}

/// Reads an IPv4 address as old commands do.
///
/// # Errors
/// It is none.
pub(super) fn address_4(word: &[u8]) -> Result<Ipv4Addr, Failure> {
    match prefix::address(word, Family::Inet).map(|read| read.address) {
        Ok(Some(IpAddr::V4(address))) => Ok(address),
        Ok(None) => Ok(Ipv4Addr::UNSPECIFIED),
        _ => {
            let word = shown(word);
            let theirs = format!("Error: an IP address is expected rather than \"{word}\"");
            Err(Failure::new(EXIT_SEMANTIC, theirs, format!("`{word}` is no IPv4 address")))
        }
    }
}

fn address_6(word: &[u8]) -> Result<Ipv6Addr, Failure> {
    Ok(match prefix::address(word, Family::Inet6)?.address {
        Some(IpAddr::V6(address)) => address,
        _ => Ipv6Addr::UNSPECIFIED,
    })
}

/// Reads `inherit`, a value, or both: `inherit/VALUE`.
fn tos(tables: &Tables, word: &[u8]) -> Result<u8, Failure> {
    let (first, rest) = match word.iter().position(|byte| *byte == b'/') {
        Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..)),
        None => (word, None),
    };
    let (inherits, value) = match (first, rest) {
        (b"inherit", None) => return Ok(1),
        (b"inherit", Some(value)) => (1, value),
        (value, _) => (0, value),
    };
    Ok(inherits | dsfield(tables, value).ok_or_else(|| Failure::invalid(first, "bad TOS value"))?)
}

/// Reads the words that only GRE and VTI have; false where it is none of them.
fn gre(word: &[u8], words: &mut Words<'_>, common: &mut Common) -> Result<bool, Failure> {
    let (input, output) = (&mut common.input, &mut common.output);
    match word {
        b"key" | b"ikey" | b"okey" => {
            let read = key(word, words.value()?)?;
            if word != b"okey" {
                *input |= KEY;
                common.input_key = read;
            }
            if word != b"ikey" {
                *output |= KEY;
                common.output_key = read;
            }
        }
        b"seq" => (*input, *output) = (*input | SEQUENCE, *output | SEQUENCE),
        b"iseq" => *input |= SEQUENCE,
        b"oseq" => *output |= SEQUENCE,
        b"csum" => (*input, *output) = (*input | CHECKSUM, *output | CHECKSUM),
        b"icsum" => *input |= CHECKSUM,
        b"ocsum" => *output |= CHECKSUM,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Reads a key: a number, or four of them with dots.
fn key(word: &[u8], value: &[u8]) -> Result<u32, Failure> {
    if value.contains(&b'.') {
        return address_4(value).map(u32::from);
    }
    number_as(value).ok_or_else(|| {
        let (word, value) = (shown(word), shown(value));
        let theirs = format!("invalid value for \"{word}\": \"{value}\"; it should be an unsigned integer");
        Failure::new(EXIT_USAGE, theirs, format!("`{value}` is no key: a number, or four with dots"))
    })
}

/// Reads a name: behind `name`, or the word itself.
fn name<'a>(word: &'a [u8], words: &mut Words<'a>, common: &Common) -> Result<&'a [u8], Failure> {
    let name = match word {
        b"name" => words.value()?,
        _ if begins("help", word) => return Err(super::usage(Family::Inet)),
        _ => word,
    };
    if !common.name.is_empty() {
        return Err(Failure::duplicate_or_garbage("name", name));
    }
    if !is_name(name) {
        return Err(Failure::invalid(name, "\"name\" not a valid ifname").hint("a name has 1 to 15 bytes"));
    }
    Ok(name)
}

/// Reads the words about a tunnel over IPv6.
///
/// # Errors
/// A wrong word, or what `known` says.
pub(super) fn read_6<'a>(
    words: &mut Words<'a>,
    verb: Verb,
    known: Known<'_, Tunnel6>,
) -> Result<Asked<'a, Tunnel6>, Failure> {
    let with_defaults = matches!(verb, Verb::Add | Verb::Change | Verb::Delete);
    let (hop_limit, encap_limit, protocol) = if with_defaults { (64, 4, IPV6) } else { (0, 0, 0) };
    let mut tunnel = Tunnel6 {
        common: Common { protocol, ..Common::default() },
        local: Ipv6Addr::UNSPECIFIED,
        remote: Ipv6Addr::UNSPECIFIED,
        encap_limit,
        hop_limit,
        flowinfo: 0,
        flags: 0,
    };
    let (mut below, mut is_first) = (None, true);
    while let Some(word) = words.next() {
        match word {
            b"mode" => mode_6(words.value()?, &mut tunnel.common)?,
            b"remote" => tunnel.remote = address_6(words.value()?)?,
            b"local" => tunnel.local = address_6(words.value()?)?,
            b"dev" => below = Some(words.value()?),
            b"encaplimit" => match words.value()? {
                b"none" => tunnel.flags |= NO_LIMIT,
                // `ip` takes what is no number for one that it has not read.
                value => (tunnel.encap_limit, tunnel.flags) = (number_as(value).unwrap_or(0), tunnel.flags & !NO_LIMIT),
            },
            b"hoplimit" | b"ttl" | b"hlim" => {
                let value = words.value()?;
                tunnel.hop_limit = number_as(value).ok_or_else(|| Failure::invalid(value, "invalid TTL"))?;
            }
            b"flowlabel" | b"fl" => label(words.value()?, &mut tunnel)?,
            b"dscp" => match words.value()? {
                b"inherit" => tunnel.flags |= COPIES_DSCP,
                value => return Err(Failure::invalid(value, "not inherit")),
            },
            b"allow-localremote" => tunnel.flags |= ALLOWS_LOCAL,
            b"noallow-localremote" => tunnel.flags &= !ALLOWS_LOCAL,
            _ if matches!(word, b"tclass" | b"tc" | b"tos") || begins("dsfield", word) => {
                class(words.value()?, &mut tunnel)?;
            }
            _ if gre(word, words, &mut tunnel.common)? => {}
            _ => {
                let name = name(word, words, &tunnel.common)?;
                tunnel.common.name = name.to_vec();
                if verb == Verb::Change && is_first {
                    tunnel = known(name)?;
                }
            }
        }
        is_first = false;
    }
    Ok(Asked { tunnel, below })
}

/// Returns the device that makes tunnels of a mode.
pub(super) fn base_6(common: &Common) -> &'static [u8] {
    match common.protocol {
        GRE => b"ip6gre0",
        _ if common.input & SPECIAL != 0 => b"ip6_vti0",
        _ => b"ip6tnl0",
    }
}

/// Returns whether a word is a mode of tunnels over IPv6, which makes `-6` of a command without it.
pub(super) fn is_mode_6(word: &[u8]) -> bool {
    mode_6(word, &mut Common::default()).is_ok()
}

fn mode_6(word: &[u8], common: &mut Common) -> Result<(), Failure> {
    common.protocol = match word {
        b"ipv6/ipv6" | b"ip6ip6" | b"vti6" => IPV6,
        b"ip/ipv6" | b"ipv4/ipv6" | b"ipip6" | b"ip4ip6" => IPIP,
        b"ip6gre" | b"gre/ipv6" => GRE,
        b"any/ipv6" | b"any" => 0,
        _ => return Err(unknown_mode(word)),
    };
    if word == b"vti6" {
        common.input |= SPECIAL;
    }
    Ok(())
}

fn class(value: &[u8], tunnel: &mut Tunnel6) -> Result<(), Failure> {
    tunnel.flowinfo &= !0x0ff0_0000;
    if value == b"inherit" {
        tunnel.flags |= INNER_CLASS;
        return Ok(());
    }
    let class = hexadecimal(value).and_then(|class| u8::try_from(class).ok());
    let class = class.ok_or_else(|| Failure::invalid(value, "invalid TClass"))?;
    tunnel.flowinfo |= u32::from(class) << 20;
    tunnel.flags &= !INNER_CLASS;
    Ok(())
}

fn label(value: &[u8], tunnel: &mut Tunnel6) -> Result<(), Failure> {
    tunnel.flowinfo &= !0xf_ffff;
    if value == b"inherit" {
        tunnel.flags |= INNER_LABEL;
        return Ok(());
    }
    let label = hexadecimal(value).filter(|label| *label <= 0xf_ffff);
    tunnel.flowinfo |= label.ok_or_else(|| Failure::invalid(value, "invalid Flowlabel"))?;
    tunnel.flags &= !INNER_LABEL;
    Ok(())
}

fn hexadecimal(value: &[u8]) -> Option<u32> {
    let digits = value.strip_prefix(b"0x").or_else(|| value.strip_prefix(b"0X")).unwrap_or(value);
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::failure::Persona;
    use std::ffi::OsString;

    fn four(line: &str) -> Result<Tunnel4, String> {
        let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
        let read = read_4(&Tables::default(), &mut Words::new(&words), Verb::Add, &mut |_| unreachable!());
        read.map(|asked| asked.tunnel).map_err(|failure| String::from_utf8(failure.render(Persona::Ip)).unwrap())
    }

    #[test]
    fn a_mode_is_said_or_guessed_from_the_name() {
        let said = four("add0 mode gre local 10.0.0.1 remote 10.0.0.2 ttl 64 key 5 icsum").unwrap();
        assert_eq!((said.common.protocol, said.ttl, said.common.input_key), (GRE, 64, 5));
        assert_eq!(said.common.input, KEY | CHECKSUM);
        assert_eq!(base_4(&four("sit7").unwrap().common), Some(&b"sit0"[..]));
        assert_eq!(base_4(&four("vti7").unwrap().common), Some(&b"ip_vti0"[..]));
        assert_eq!(base_4(&four("x7").unwrap().common), None);
    }

    #[test]
    fn mistakes_are_told_in_ips_words() {
        assert_eq!(four("x mode foo").unwrap_err(), "Unknown tunnel mode \"foo\"\n");
        assert_eq!(
            four("x mode gre key a").unwrap_err(),
            "invalid value for \"key\": \"a\"; it should be an unsigned integer\n"
        );
        assert_eq!(four("sit1 key 3").unwrap_err(), "Keys are not allowed with ipip and sit tunnels\n");
        assert_eq!(four("x y").unwrap_err(), "Error: either \"name\" is duplicate, or \"y\" is garbage.\n");
    }

    #[test]
    fn a_tunnel_over_ipv6_has_defaults_and_flags() {
        let line = ["t6", "mode", "ip6gre", "tclass", "inherit", "flowlabel", "0x345", "encaplimit", "none"];
        let words: Vec<OsString> = line.into_iter().map(Into::into).collect();
        let asked = read_6(&mut Words::new(&words), Verb::Add, &mut |_| unreachable!()).unwrap();
        let tunnel = asked.tunnel;
        assert_eq!((tunnel.flags, tunnel.flowinfo, tunnel.hop_limit), (INNER_CLASS | NO_LIMIT, 0x345, 64));
        assert_eq!(base_6(&tunnel.common), b"ip6gre0");
        assert!(is_mode_6(b"any") && !is_mode_6(b"gre"));
    }
}
