//! `ip tunnel`: tunnels as they were made before netlink could, by ioctls on the device that a mode has for it.
//!
//! [`words`] reads what is asked for and [`parameters`] spells it for the kernel, without touching anything; here it is
//! asked, and what it says is told.

mod parameters;
mod words;

use vwire_netlink::{LinkFilter, TunnelRequest, Tunnels};

use self::parameters::Argument;
use self::words::{Asked, Known, Verb};
use super::failure::{EXIT_SEMANTIC, EXIT_USAGE, Failure, errno_sentence};
use super::link::words::is_name;
use super::options::Family;
use super::words::{Keyword, Words, find, in_full, prefix, shown};
use super::{Ip, prefix as address};
use crate::out::tunnel::{self, Beside, Common, Tunnel4, Tunnel6};
use crate::snapshot::names;

/// `EINVAL`.
const EINVAL: i32 = 22;
/// `ENODEV`.
const ENODEV: i32 = 19;
/// `RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS`.
const NAME_ONLY: u32 = 1 | 1 << 3;
/// The types of links that are tunnels over IPv4: `ARPHRD_TUNNEL`, `ARPHRD_SIT`, `ARPHRD_IPGRE`.
const TYPES_4: [u16; 3] = [768, 776, 778];
/// Those over IPv6: `ARPHRD_TUNNEL6`, `ARPHRD_IP6GRE`.
const TYPES_6: [u16; 2] = [769, 823];

/// What `ip tunnel` can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Tunnel(Verb),
    Routers,
    Prefix,
    Help,
}

/// In `ip`'s order: the first that a word begins wins.
const COMMANDS: &[Keyword<Command>] = &[
    prefix("add", Command::Tunnel(Verb::Add)),
    prefix("change", Command::Tunnel(Verb::Change)),
    prefix("delete", Command::Tunnel(Verb::Delete)),
    prefix("show", Command::Tunnel(Verb::Show)),
    prefix("lst", Command::Tunnel(Verb::Show)),
    prefix("list", Command::Tunnel(Verb::Show)),
    prefix("prl", Command::Routers),
    prefix("6rd", Command::Prefix),
    prefix("help", Command::Help),
];

/// What `ip tunnel help` says.
const HELP_4: &str = "\
Usage: ip tunnel { add | change } [ name ] NAME [ mode { gre | ipip | isatap | sit | vti } ] WORDS...
       ip tunnel { del | show } [ [ name ] NAME ] [ WORDS... ]
       ip tunnel prl { prl-default | prl-nodefault | prl-delete } ADDRESS dev NAME
       ip tunnel 6rd { 6rd-prefix PREFIX [ 6rd-relay_prefix PREFIX ] | 6rd-reset } dev NAME

WORDS: remote ADDRESS  local ADDRESS  dev DEVICE  ttl { N | inherit }  tos { TOS | inherit[/TOS] }
       [no]pmtudisc  [i|o]key { N | A.B.C.D }  [i|o]seq  [i|o]csum
";

/// What `ip -6 tunnel help` says.
const HELP_6: &str = "\
Usage: ip -6 tunnel { add | change } [ name ] NAME [ mode { ip6ip6 | ipip6 | ip6gre | vti6 | any } ] WORDS...
       ip -6 tunnel { del | show } [ [ name ] NAME ] [ WORDS... ]

WORDS: remote ADDRESS  local ADDRESS  dev DEVICE  hoplimit N  encaplimit { N | none }  dscp inherit
       tclass { HEX | inherit }  flowlabel { HEX | inherit }  [no]allow-localremote
       [i|o]key { N | A.B.C.D }  [i|o]seq  [i|o]csum
";

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

fn usage(family: Family) -> Failure {
    Failure::usage(if family == Family::Inet6 { HELP_6 } else { HELP_4 })
}

/// Runs a command on tunnels; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let family = family(ip.options.family, words);
    if !matches!(family, Family::Inet | Family::Inet6) {
        let theirs = format!("Unsupported protocol family: {}", family.number());
        return Err(Failure::new(EXIT_USAGE, theirs, "tunnels are over IPv4 (-4) or IPv6 (-6)"));
    }
    let command = match words.next() {
        None => Command::Tunnel(Verb::Show),
        Some(word) => find(COMMANDS, word)
            .filter(|command| family == Family::Inet || !matches!(command, Command::Routers | Command::Prefix))
            .ok_or_else(|| unknown(word, family))?,
    };
    if !matches!(command, Command::Tunnel(Verb::Show) | Command::Help) {
        ip.refuse_in_whole("what is changed by an ioctl is not noted: `link add NAME type ipip` makes the same")?;
    }
    match (command, family) {
        (Command::Tunnel(verb), Family::Inet6) => run_6(ip, verb, words),
        (Command::Tunnel(verb), _) => run_4(ip, verb, words),
        (Command::Routers, _) => routers(words),
        (Command::Prefix, _) => prefix_6rd(words),
        (Command::Help, _) => Err(usage(family)),
    }
}

/// Returns the family that is meant: a mode can say it, too.
fn family(asked: Family, words: &Words<'_>) -> Family {
    let mut words = words.clone();
    while let Some(word) = words.next() {
        if word == b"mode" {
            if words.peek().is_some_and(words::is_mode_6) {
                return Family::Inet6;
            }
            break;
        }
    }
    if asked == Family::Unspec { Family::Inet } else { asked }
}

fn unknown(word: &[u8], family: Family) -> Failure {
    let word = shown(word);
    let theirs = match family {
        Family::Inet6 => format!("Command \"{word}\" is unknown, try \"ip -f inet6 tunnel help\"."),
        _ => format!("Command \"{word}\" is unknown, try \"ip tunnel help\""),
    };
    Failure::new(EXIT_USAGE, theirs, format!("`{word}` is no command on tunnels")).hint("add, change, del, show")
}

/// Sends a request, and says what was done where it fails.
fn ask(
    family: Family,
    request: TunnelRequest,
    device: &[u8],
    argument: &mut Argument,
    tolerated: Option<i32>,
) -> Result<(), Failure> {
    let tunnels = Tunnels::open(family.number()).map_err(|error| {
        let text = sentence(&error);
        Failure::new(EXIT_SEMANTIC, format!("create socket failed: {text}"), format!("cannot open a socket: {text}"))
    })?;
    tunnels.request(request, device, argument).map_err(|error| {
        let (text, device) = (sentence(&error), shown(device));
        let theirs = match request {
            TunnelRequest::Get => format!("get tunnel \"{device}\" failed: {text}"),
            TunnelRequest::Add | TunnelRequest::Change => format!("add tunnel \"{device}\" failed: {text}"),
            TunnelRequest::Delete => format!("delete tunnel \"{device}\" failed: {text}"),
            other => format!("{device}: ioctl {:x} failed: {text}", other.number()),
        };
        let failure = Failure::new(EXIT_SEMANTIC, theirs, text).trying(format!("cannot ask `{device}` about a tunnel"));
        let failure = failure.refused_with(error.raw_os_error());
        match error.raw_os_error() {
            errno if errno.is_some() && errno == tolerated => failure.unsaid_by_ip(),
            Some(ENODEV) => failure.hint(format!(
                "there is no device `{device}`; where it is the one that makes tunnels of this mode, the kernel lacks the mode"
            )),
            _ => failure,
        }
    })
}

fn sentence(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), errno_sentence)
}

/// Returns the index of the link below, if one is named.
fn below(ip: &mut Ip<'_>, name: Option<&[u8]>) -> Result<u32, Failure> {
    let Some(name) = name else { return Ok(0) };
    ip.device(name)?.ok_or_else(|| Failure::no_device(name))
}

fn get_4(device: &[u8], mut argument: Argument) -> Result<Argument, Failure> {
    ask(Family::Inet, TunnelRequest::Get, device, &mut argument, None).map(|()| argument)
}

fn get_6(device: &[u8], mut argument: Argument) -> Result<Argument, Failure> {
    ask(Family::Inet6, TunnelRequest::Get, device, &mut argument, None).map(|()| argument)
}

fn run_4(ip: &mut Ip<'_>, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    let not_one = |name: &[u8]| Failure::invalid(name, "\"name\" is not an ip tunnel");
    let mut known = |name: &[u8]| {
        let argument = get_4(name, [0; vwire_netlink::TUNNEL_ARGUMENT_LEN])?;
        parameters::to_4(&argument).ok_or_else(|| not_one(name))
    };
    let known: Known<'_, Tunnel4> = &mut known;
    let Asked { mut tunnel, below: link } = words::read_4(&ip.tables, words, verb, known)?;
    if link.is_some() {
        tunnel.common.link = below(ip, link)?;
    }
    words::finish_4(&mut tunnel)?;
    let base = words::base_4(&tunnel.common);
    match (verb, base) {
        (Verb::Show, None) => list_4(ip, &tunnel),
        (Verb::Show, Some(base)) => {
            let argument = get_4(named_or(&tunnel.common, base), parameters::of_4(&tunnel))?;
            if let Some(tunnel) = parameters::to_4(&argument) {
                let beside = beside_4(ip, &tunnel)?;
                as_text(ip, |p| tunnel::print_4(p, &tunnel, &beside));
                ip.printer.verbatim("\n");
            }
            Ok(())
        }
        (Verb::Delete, base) => {
            let device = named_or(&tunnel.common, base.unwrap_or_default());
            ask(Family::Inet, TunnelRequest::Delete, device, &mut parameters::of_4(&tunnel), None)
        }
        (Verb::Add | Verb::Change, base) => {
            words::check_4(&tunnel)?;
            let base = base.ok_or_else(|| {
                let theirs = "cannot determine tunnel mode (ipip, gre, vti or sit)";
                Failure::new(EXIT_SEMANTIC, theirs, "which mode of tunnel is meant is not said").hint("`mode gre`")
            })?;
            let (request, device) = change(verb, &tunnel.common, base);
            ask(Family::Inet, request, device, &mut parameters::of_4(&tunnel), None)
        }
    }
}

fn run_6(ip: &mut Ip<'_>, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut known = |name: &[u8]| {
        let argument = get_6(name, [0; vwire_netlink::TUNNEL_ARGUMENT_LEN])?;
        parameters::to_6(&argument).ok_or_else(Failure::incomplete)
    };
    let known: Known<'_, Tunnel6> = &mut known;
    let Asked { mut tunnel, below: link } = words::read_6(words, verb, known)?;
    if link.is_some() {
        tunnel.common.link = below(ip, link)?;
    }
    let base = words::base_6(&tunnel.common);
    match verb {
        Verb::Show if tunnel.common.name.is_empty() || ip.options.stats > 0 => list_6(ip, &tunnel),
        Verb::Show => {
            let argument = get_6(&tunnel.common.name, parameters::of_6(&tunnel))?;
            if let Some(tunnel) = parameters::to_6(&argument) {
                let beside = beside(ip, &tunnel.common)?;
                // `ip` does not end the line.
                as_text(ip, |p| tunnel::print_6(p, &tunnel, &beside));
            }
            Ok(())
        }
        Verb::Delete => {
            let device = named_or(&tunnel.common, base);
            ask(Family::Inet6, TunnelRequest::Delete, device, &mut parameters::of_6(&tunnel), None)
        }
        Verb::Add | Verb::Change => {
            if tunnel.common.name.is_empty() {
                ip.say(b"Tunnel interface name not specified\n");
            }
            let (request, device) = change(verb, &tunnel.common, base);
            ask(Family::Inet6, request, device, &mut parameters::of_6(&tunnel), None)
        }
    }
}

fn named_or<'a>(common: &'a Common, base: &'a [u8]) -> &'a [u8] {
    if common.name.is_empty() { base } else { &common.name }
}

fn change<'a>(verb: Verb, common: &'a Common, base: &'a [u8]) -> (TunnelRequest, &'a [u8]) {
    match verb {
        Verb::Change => (TunnelRequest::Change, named_or(common, base)),
        _ => (TunnelRequest::Add, base),
    }
}

/// Prints what `ip` prints as text, whatever is asked for.
fn as_text(ip: &mut Ip<'_>, print: impl FnOnce(&mut crate::out::Printer)) {
    let layout = crate::out::Layout { json: false, ..ip.printer.layout() };
    let mut printer = crate::out::Printer::new(layout);
    print(&mut printer);
    ip.printer.verbatim(printer.take());
}

/// Returns what is told of a tunnel beside itself.
fn beside(ip: &mut Ip<'_>, common: &Common) -> Result<Beside, Failure> {
    let device = match common.link {
        0 => None,
        index => {
            let name = ip.link(index, NAME_ONLY)?.and_then(|link| link.ifname);
            Some(name.map_or_else(|| format!("if{index}").into_bytes(), |name| name.as_bytes().to_vec()))
        }
    };
    Ok(Beside { device, ..Beside::default() })
}

fn beside_4(ip: &mut Ip<'_>, tunnel: &Tunnel4) -> Result<Beside, Failure> {
    let mut beside = beside(ip, &tunnel.common)?;
    let tos = if ip.printer.is_json() { tunnel.tos } else { tunnel.tos & !1 };
    let named = ip.tables.rows(names::DS_FIELDS).get(&tos.into()).cloned().filter(|_| !ip.options.numeric);
    beside.tos = named.unwrap_or_else(|| format!("0x{tos:02x}"));
    let (is_isatap, is_sit) = words::is_isatap_or_sit(tunnel);
    let name = &tunnel.common.name;
    if is_isatap {
        let mut argument = parameters::of_router(std::net::Ipv4Addr::UNSPECIFIED, false, 240);
        match ask(Family::Inet, TunnelRequest::GetRouters, name, &mut argument, None) {
            Ok(()) => beside.routers = parameters::to_routers(&argument),
            Err(failure) => ip.say(&failure.render(ip.persona)),
        }
    }
    if is_sit {
        let mut argument = [0; vwire_netlink::TUNNEL_ARGUMENT_LEN];
        if ask(Family::Inet, TunnelRequest::GetPrefix, name, &mut argument, Some(EINVAL)).is_ok() {
            beside.prefix = parameters::to_6rd(&argument);
        }
    }
    Ok(beside)
}

/// Returns the names of the links that are tunnels of a family.
fn tunnels(ip: &mut Ip<'_>, types: &[u16], wanted: &[u8]) -> Result<Vec<(u32, u16, Vec<u8>)>, Failure> {
    let links = ip.links(LinkFilter::all())?;
    let tunnels = links.into_iter().filter(|link| types.contains(&link.link_type)).filter_map(|link| {
        let name = link.ifname?.as_bytes().to_vec();
        Some((link.index, link.link_type, name))
    });
    Ok(tunnels.filter(|(_, _, name)| wanted.is_empty() || name == wanted).collect())
}

fn list_4(ip: &mut Ip<'_>, wanted: &Tunnel4) -> Result<(), Failure> {
    let common = &wanted.common;
    let found = tunnels(ip, &TYPES_4, &common.name)?;
    ip.printer.open_document();
    for (_, _, name) in found {
        let argument = match get_4(&name, [0; vwire_netlink::TUNNEL_ARGUMENT_LEN]) {
            Ok(argument) => argument,
            Err(failure) => {
                ip.say(&failure.render(ip.persona));
                continue;
            }
        };
        let Some(tunnel) = parameters::to_4(&argument) else { continue };
        let passes = (common.link == 0 || common.link == tunnel.common.link)
            && (wanted.remote.is_unspecified() || wanted.remote == tunnel.remote)
            && (wanted.local.is_unspecified() || wanted.local == tunnel.local)
            && (common.input_key == 0 || common.input_key == tunnel.common.input_key);
        if passes {
            let beside = beside_4(ip, &tunnel)?;
            ip.printer.open_object(None);
            tunnel::print_4(&mut ip.printer, &tunnel, &beside);
            ip.printer.end_line();
            ip.printer.close_object();
        }
    }
    ip.printer.close_document();
    Ok(())
}

fn list_6(ip: &mut Ip<'_>, wanted: &Tunnel6) -> Result<(), Failure> {
    let found = tunnels(ip, &TYPES_6, &wanted.common.name)?;
    ip.printer.open_document();
    for (_, _, name) in found {
        let argument = match get_6(&name, [0; vwire_netlink::TUNNEL_ARGUMENT_LEN]) {
            Ok(argument) => argument,
            Err(failure) => {
                ip.say(&failure.render(ip.persona));
                continue;
            }
        };
        let Some(tunnel) = parameters::to_6(&argument).filter(|tunnel| passes_6(wanted, tunnel)) else { continue };
        let beside = beside(ip, &tunnel.common)?;
        ip.printer.open_object(None);
        tunnel::print_6(&mut ip.printer, &tunnel, &beside);
        ip.printer.end_line();
        ip.printer.close_object();
    }
    ip.printer.close_document();
    Ok(())
}

/// Returns whether a tunnel over IPv6 is as the words want it: what they do not say may be anything.
fn passes_6(wanted: &Tunnel6, tunnel: &Tunnel6) -> bool {
    const CLASS: u32 = 0x0ff0_0000;
    const LABEL: u32 = 0xf_ffff;
    let (common, other) = (&wanted.common, &tunnel.common);
    let same = |mask: u32| wanted.flowinfo & mask == 0 || (wanted.flowinfo ^ tunnel.flowinfo) & mask == 0;
    (common.link == 0 || common.link == other.link)
        && (wanted.local.is_unspecified() || wanted.local == tunnel.local)
        && (wanted.remote.is_unspecified() || wanted.remote == tunnel.remote)
        && (common.protocol == 0 || other.protocol == 0 || common.protocol == other.protocol)
        && (wanted.encap_limit == 0 || wanted.encap_limit == tunnel.encap_limit)
        && (wanted.hop_limit == 0 || wanted.hop_limit == tunnel.hop_limit)
        && same(CLASS)
        && same(LABEL)
        && (wanted.flags == 0 || wanted.flags & tunnel.flags != 0)
}

/// Runs `ip tunnel prl`.
fn routers(words: &mut Words<'_>) -> Result<(), Failure> {
    let (mut asked, mut device) = (None, None);
    while let Some(word) = words.next() {
        let request = match word {
            b"prl-default" | b"prl-nodefault" => TunnelRequest::AddRouter,
            b"prl-delete" => TunnelRequest::DeleteRouter,
            b"dev" => {
                device = Some(device_name(words.value()?)?);
                continue;
            }
            _ => return Err(wrong_word("PRL", word)),
        };
        let router = words::address_4(words.value()?)?;
        if asked.is_some() {
            return Err(Failure::new(EXIT_USAGE, "One PRL entry at a time", "more than one router is named"));
        }
        asked = Some((request, parameters::of_router(router, word == b"prl-default", 0)));
    }
    let device = device.ok_or_else(no_device)?;
    // Without a router `ip` sends an ioctl that is none.
    let (request, mut argument) = asked.ok_or_else(|| nothing_asked(device))?;
    ask(Family::Inet, request, device, &mut argument, None)
}

/// Runs `ip tunnel 6rd`.
fn prefix_6rd(words: &mut Words<'_>) -> Result<(), Failure> {
    let mut prefix = (std::net::Ipv6Addr::UNSPECIFIED, 0, std::net::Ipv4Addr::UNSPECIFIED, 0);
    let (mut request, mut device) = (None, None);
    while let Some(word) = words.next() {
        match word {
            b"6rd-prefix" => {
                let read = address::prefix(words.value()?, Family::Inet6)?;
                if let Some(std::net::IpAddr::V6(network)) = read.address {
                    (prefix.0, prefix.1) = (network, read.length.into());
                }
                request = Some(TunnelRequest::AddPrefix);
            }
            b"6rd-relay_prefix" => {
                let read = address::prefix(words.value()?, Family::Inet)?;
                if let Some(std::net::IpAddr::V4(network)) = read.address {
                    (prefix.2, prefix.3) = (network, read.length.into());
                }
                request = Some(TunnelRequest::AddPrefix);
            }
            b"6rd-reset" => request = Some(TunnelRequest::DeletePrefix),
            b"dev" => device = Some(device_name(words.value()?)?),
            _ => return Err(wrong_word("6RD", word)),
        }
    }
    let device = device.ok_or_else(no_device)?;
    let request = request.ok_or_else(|| nothing_asked(device))?;
    ask(Family::Inet, request, device, &mut parameters::of_6rd(prefix), None)
}

fn device_name(name: &[u8]) -> Result<&[u8], Failure> {
    if is_name(name) { Ok(name) } else { Err(Failure::invalid(name, "\"dev\" not a valid ifname")) }
}

fn wrong_word(what: &str, word: &[u8]) -> Failure {
    let word = shown(word);
    Failure::new(EXIT_USAGE, format!("Invalid {what} parameter \"{word}\""), format!("`{word}` is no word here"))
}

fn no_device() -> Failure {
    Failure::new(EXIT_USAGE, "Must specify device", "which tunnel is meant is not said").hint("`dev NAME`")
}

fn nothing_asked(device: &[u8]) -> Failure {
    let device = shown(device);
    let theirs = format!("{device}: ioctl 0 failed: Inappropriate ioctl for device");
    Failure::new(EXIT_SEMANTIC, theirs, format!("what shall be done to `{device}` is not said"))
}
