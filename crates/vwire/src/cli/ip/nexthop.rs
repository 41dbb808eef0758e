//! `ip nexthop`: next hops that routes share, and groups of them.

use std::os::unix::ffi::OsStrExt;

use vwire_netlink::wire::nest::RawNest;
use vwire_netlink::wire::nexthop::{GroupMember, ResilientGroup};
use vwire_netlink::wire::{Body, Builder};
use vwire_netlink::{Create, MessageType, Nexthop, Request, RequestError};

use super::failure::{EXIT_KERNEL, EXIT_SEMANTIC, EXIT_USAGE};
use super::options::Family;
use super::route::change::{known, put};
use super::route::value::{self, named};
use super::route::{encap, hint, show};
use super::words::{Keyword, Words, begins, exact, find, in_full, number_as, prefix, shown};
use super::{Failure, Ip, link};
use crate::out::nexthop as out;
use crate::snapshot::names;

/// The grammar of `ip nexthop`.
const USAGE: &str = "\
Usage: ip nexthop [ show | flush ] [ id ID | SELECTOR... ]
       ip nexthop { add | replace } [ id ID ] HOP [ proto PROTO ]
       ip nexthop { del | get } id ID
       ip nexthop bucket [ show ] [ id ID ] [ nhid ID ] [ dev DEV | master DEV | vrf NAME ]
       ip nexthop bucket get id ID index N

SELECTOR := dev DEV | master DEV | vrf NAME | groups | fdb | proto N
HOP      := [ encap ENCAP ] [ via [ FAMILY ] ADDRESS ] [ dev DEV ] [ onlink ] [ fdb ]
          | blackhole
          | group ID[,WEIGHT][/ID[,WEIGHT]]... [ fdb ] [ hw_stats { on | off } ]
                  [ type { mpath | resilient [ buckets N ] [ idle_timer SECONDS ] [ unbalanced_timer SECONDS ] } ]
ENCAP    := mpls | ip | ip6 | seg6 | seg6local | rpl | xfrm ...   (`encap help` tells more)
";

/// `RTM_NEWNEXTHOPBUCKET`, `RTM_GETNEXTHOPBUCKET` (`linux/rtnetlink.h`).
const GET_BUCKET: MessageType = MessageType(118);
/// `RTNH_F_ONLINK`.
const ONLINK: u32 = 4;
/// `NHA_RES_BUCKET_INDEX`.
const BUCKET_INDEX: u16 = 1;
/// `NHA_RES_BUCKET_NH_ID`.
const BUCKET_HOP: u16 = 3;
/// `EPERM`, `ENOENT`, `EEXIST`, `EINVAL`.
const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const EEXIST: i32 = 17;
const EINVAL: i32 = 22;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Add,
    Replace,
    Delete,
    Show,
    Get,
    Flush,
    Bucket,
    Help,
}

/// In `ip`'s order.
const COMMANDS: &[Keyword<Command>] = &[
    prefix("add", Command::Add),
    prefix("replace", Command::Replace),
    prefix("delete", Command::Delete),
    prefix("list", Command::Show),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("get", Command::Get),
    prefix("flush", Command::Flush),
    prefix("bucket", Command::Bucket),
    prefix("help", Command::Help),
];

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on next hops; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show(ip, words) };
    match find(COMMANDS, word) {
        Some(command @ (Command::Add | Command::Replace | Command::Delete)) => change(ip, words, command),
        Some(Command::Show) => show(ip, words),
        Some(Command::Get) => get(ip, words),
        Some(Command::Flush) => flush(ip, words),
        Some(Command::Bucket) => bucket(ip, words),
        Some(Command::Help) => Err(usage()),
        None => Err(unknown(word)),
    }
}

fn usage() -> Failure {
    Failure::usage(USAGE)
}

fn unknown(word: &[u8]) -> Failure {
    Failure::unknown_command(word, "nexthop").with_exit(EXIT_USAGE)
}

// ---- changes ----------------------------------------------------------------------------------

fn change(ip: &mut Ip<'_>, words: &mut Words<'_>, command: Command) -> Result<(), Failure> {
    let hop = read(ip, words)?;
    let request = match command {
        Command::Add => Request::new_nexthop(&hop, Create::Exclusive),
        Command::Replace => Request::new_nexthop(&hop, Create::OrReplace),
        _ => Request::del_nexthop(&hop),
    };
    let verb = match command {
        Command::Add => "add",
        Command::Replace => "replace",
        _ => "delete",
    };
    let attempt = match hop.id {
        Some(id) => format!("cannot {verb} next hop {id}"),
        None => format!("cannot {verb} a next hop"),
    };
    let request = if ip.options.echo { request.with_echo() } else { request };
    let reply = match link::change::send(ip, &request)? {
        Ok(reply) => reply,
        Err(error) => return Err(refused(ip, &hop, command, &error)?.trying(attempt)),
    };
    if ip.options.echo {
        let hops = reply.messages.iter().filter_map(|message| Nexthop::parse(&message.payload).ok());
        print(ip, &hops.collect::<Vec<_>>())?;
    }
    Ok(())
}

fn refused(ip: &mut Ip<'_>, hop: &Nexthop, command: Command, error: &RequestError) -> Result<Failure, Failure> {
    let failure = Failure::kernel(error);
    let id = hop.id.unwrap_or(0);
    Ok(match error.errno() {
        EPERM => hint::may_not(failure, EPERM),
        EEXIST => failure
            .hint(format!("`vwire nexthop get id {id}` shows the one in the way; `vwire nexthop replace` changes it")),
        ENOENT | EINVAL if command == Command::Delete || hop.group.is_some() => {
            let facts = super::route::facts(ip)?;
            hint::nexthops(&facts).into_iter().fold(failure, Failure::hint)
        }
        errno => {
            let facts = super::route::facts(ip)?;
            hint::no_gateway(hop, errno, &facts).into_iter().fold(failure, Failure::hint)
        }
    })
}

/// What a next hop has one of.
const GIVEN: &[&str] = &["id", "dev", "via", "encap", "group", "type", "protocol", "hw_stats"];

fn read(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<Nexthop, Failure> {
    let mut hop = Nexthop::default();
    let mut family = ip.options.family;
    let learn = |family: &mut Family, own: Family| {
        if *family == Family::Unspec {
            *family = own;
        }
    };
    while let Some(word) = words.next() {
        if let Some(what) = GIVEN.iter().find(|what| what.as_bytes() == word) {
            words.once(what, word)?;
        }
        match word {
            b"id" => hop.id = Some(id(words)?),
            b"dev" => {
                let name = words.value()?;
                hop.oif = Some(device(ip, name)?);
                learn(&mut family, Family::Inet);
            }
            b"via" => {
                let before = words.clone();
                let place = value::via(words, family)?;
                if family != Family::Unspec && place.family != family {
                    let taken = before.len() - words.len();
                    let word = before.clone().rest().get(taken - 1).map_or(&b""[..], |word| word.as_bytes());
                    return Err(Failure::invalid(word, "address family mismatch\n"));
                }
                learn(&mut family, place.family);
                put(&mut hop.gateway, 6, &mut hop.other, &place);
            }
            b"encap" => {
                let (kind, nest) = encap::read(ip, words)?;
                hop.encap_type = Some(kind);
                hop.encap = Some(nest);
            }
            b"blackhole" => {
                hop.blackhole = true;
                learn(&mut family, Family::Inet);
            }
            b"fdb" => hop.fdb = true,
            b"onlink" => hop.flags |= ONLINK,
            b"group" => hop.group = Some(group(words.value()?)?),
            b"type" => group_type(words, &mut hop)?,
            word if begins("protocol", word) => {
                let protocol = |word: &[u8]| named(&ip.tables, names::ROUTE_PROTOCOLS, word);
                hop.protocol = known(words, "\"protocol\" value is invalid\n", protocol)?;
            }
            b"hw_stats" => hop.hw_stats_enable = Some(hardware_counts(words.value()?)?),
            b"help" => return Err(usage()),
            word => return Err(strange(word)),
        }
    }
    hop.family = family.number();
    Ok(hop)
}

fn strange(word: &[u8]) -> Failure {
    Failure::invalid(word, "").hint("`vwire nexthop help` shows what may stand here")
}

fn id(words: &mut Words<'_>) -> Result<u32, Failure> {
    known(words, "invalid id value", number_as)
}

fn device(ip: &mut Ip<'_>, name: &[u8]) -> Result<u32, Failure> {
    ip.device(name)?.ok_or_else(|| {
        Failure::invalid(name, "Device does not exist\n").hint("`vwire ls` shows the devices of this namespace")
    })
}

fn hardware_counts(word: &[u8]) -> Result<u32, Failure> {
    /// `ip` hands `-EINVAL` on as it is.
    const EXIT: u8 = 22;
    match word {
        b"on" => Ok(1),
        b"off" => Ok(0),
        word => {
            let word = shown(word);
            let ip = format!("Error: argument of \"hw_stats\" must be one of \"off\", \"on\", not \"{word}\"");
            Err(Failure::new(EXIT, ip, format!("`hw_stats` takes on or off, not `{word}`")))
        }
    }
}

/// Reads `ID[,WEIGHT]/…`.
fn group(list: &[u8]) -> Result<Box<[GroupMember]>, Failure> {
    // `ip` cuts the word where the part that does not fit ends.
    let wrong = |end: usize| Failure::invalid(&list[..end], "\"group\" value is invalid\n");
    if list.is_empty() {
        return Err(wrong(0));
    }
    let mut members = Vec::new();
    let mut parts = list.split(|byte| *byte == b'/');
    for part in parts.by_ref() {
        let mut halves = part.splitn(2, |byte| *byte == b',');
        let id = halves.next().unwrap_or_default();
        let first = list.split(|byte| *byte == b'/' || *byte == b',').next().map_or(0, <[u8]>::len);
        let id = number_as(id).ok_or_else(|| wrong(first))?;
        let mut member = GroupMember { id, ..GroupMember::default() };
        if let Some(weight) = halves.next() {
            let less_one = number_as::<u32>(weight).and_then(|weight| u16::try_from(weight.checked_sub(1)?).ok());
            let [high, low] =
                less_one.ok_or_else(|| Failure::invalid(weight, "\"weight\" is invalid\n"))?.to_be_bytes();
            (member.weight, member.weight_high) = (low, high);
        }
        members.push(member);
    }
    Ok(members.into())
}

fn group_type(words: &mut Words<'_>, hop: &mut Nexthop) -> Result<(), Failure> {
    let word = words.value()?;
    match word {
        b"mpath" => hop.group_type = Some(0),
        b"resilient" => {
            hop.group_type = Some(1);
            if !words.is_empty() {
                hop.res_group = Some(resilient(words)?);
            }
        }
        word => return Err(Failure::invalid(word, "\"type\" value is invalid\n").hint("it is mpath or resilient")),
    }
    Ok(())
}

fn resilient(words: &mut Words<'_>) -> Result<ResilientGroup, Failure> {
    /// How many ticks a second the kernel counts in for programs (`USER_HZ`).
    const TICKS: u32 = 100;
    let ticks = |word: &[u8]| number_as::<u32>(word).filter(|seconds| *seconds < u32::MAX / TICKS).map(|s| s * TICKS);
    let mut group = ResilientGroup::default();
    loop {
        if words.take_if("buckets") {
            group.buckets = Some(known(words, "invalid buckets value", number_as)?);
        } else if words.take_if("idle_timer") {
            group.idle_timer = Some(known(words, "invalid idle timer value", ticks)?);
        } else if words.take_if("unbalanced_timer") {
            group.unbalanced_timer = Some(known(words, "invalid unbalanced timer value", ticks)?);
        } else {
            return Ok(group);
        }
    }
}

// ---- lists ------------------------------------------------------------------------------------

/// Which next hops are meant.
#[derive(Debug, Default)]
struct Filter {
    /// What the kernel filters by.
    request: Nexthop,
    /// Who made them.
    protocol: u32,
    /// The one with this id, alone.
    id: Option<u32>,
    /// Whether no word narrows the list.
    all: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Dev,
    Groups,
    Master,
    Vrf,
    Id,
    Nhid,
    Protocol,
    Fdb,
    Help,
}

/// In `ip`'s order.
const WORDS: &[Keyword<Word>] = &[
    prefix("dev", Word::Dev),
    prefix("groups", Word::Groups),
    prefix("master", Word::Master),
    prefix("vrf", Word::Vrf),
    exact("id", Word::Id),
    prefix("protocol", Word::Protocol),
    prefix("fdb", Word::Fdb),
    prefix("help", Word::Help),
];

/// In `ip`'s order.
const BUCKET_WORDS: &[Keyword<Word>] = &[
    prefix("dev", Word::Dev),
    prefix("master", Word::Master),
    prefix("vrf", Word::Vrf),
    exact("id", Word::Id),
    exact("nhid", Word::Nhid),
    prefix("help", Word::Help),
];

fn read_filter(ip: &mut Ip<'_>, words: &mut Words<'_>, known_words: &[Keyword<Word>]) -> Result<Filter, Failure> {
    let family = ip.options.family.number();
    let request = Nexthop { family, op_flags: op_flags(ip), ..Nexthop::default() };
    let mut filter = Filter { request, all: words.is_empty(), ..Filter::default() };
    while let Some(word) = words.next() {
        match find(known_words, word) {
            Some(Word::Dev) => filter.request.oif = Some(device(ip, words.value()?)?),
            Some(Word::Master) => filter.request.master = Some(device(ip, words.value()?)?),
            Some(Word::Vrf) => {
                let name = words.value()?;
                value::vrf_table(ip, name)?.ok_or_else(|| value::no_vrf(name))?;
                filter.request.master = Some(device(ip, name)?);
            }
            Some(Word::Groups) => filter.request.groups = true,
            Some(Word::Id) => {
                filter.id = Some(id(words)?);
                // Of a list, nothing behind an id counts.
                if known_words.len() == WORDS.len() {
                    return Ok(filter);
                }
            }
            Some(Word::Nhid) => {
                let hop = id(words)?;
                let mut bucket = Builder::new();
                bucket.u32(BUCKET_HOP, hop);
                filter.request.res_bucket = (hop != 0).then(|| RawNest(bucket.into_bytes().into()));
            }
            Some(Word::Protocol) => filter.protocol = known(words, "invalid protocol value", number_as)?,
            Some(Word::Fdb) => filter.request.fdb = true,
            Some(Word::Help) => return Err(usage()),
            None => return Err(strange(word)),
        }
    }
    Ok(filter)
}

/// `NHA_OP_FLAG_DUMP_STATS`, `NHA_OP_FLAG_DUMP_HW_STATS`, as `-s` asks for them.
fn op_flags(ip: &Ip<'_>) -> Option<u32> {
    match ip.options.stats {
        0 => None,
        1 => Some(1),
        2.. => Some(3),
    }
}

/// Returns the message that asks for one next hop.
#[must_use]
pub fn question(ip: &Ip<'_>, id: u32) -> Nexthop {
    let family = ip.options.family.number();
    Nexthop { family, id: Some(id), op_flags: Some(op_flags(ip).unwrap_or(0)), ..Nexthop::default() }
}

fn list(ip: &mut Ip<'_>, filter: &Filter, last: &str) -> Result<Vec<Nexthop>, Failure> {
    match ip.socket()?.nexthops(&filter.request) {
        Ok(mut hops) => {
            hops.retain(|hop| filter.protocol == 0 || u32::from(hop.protocol) == filter.protocol);
            Ok(hops)
        }
        Err(error) => {
            ip.printer.open_document();
            ip.printer.close_document();
            Err(show::terminated(ip, &error, last)?.trying("cannot list the next hops"))
        }
    }
}

fn show(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let filter = read_filter(ip, words, WORDS)?;
    if let Some(id) = filter.id {
        return show_one(ip, id);
    }
    let hops = list(ip, &filter, "Dump terminated")?;
    print(ip, &hops)
}

fn show_one(ip: &mut Ip<'_>, id: u32) -> Result<(), Failure> {
    let request = Request::get_nexthop(&question(ip, id));
    match ip.socket()?.get::<Nexthop>(&request) {
        Ok(hop) => print(ip, &[hop]),
        Err(error) => Err(missing(ip, id, "show", &error)?),
    }
}

fn missing(ip: &mut Ip<'_>, id: u32, verb: &str, error: &RequestError) -> Result<Failure, Failure> {
    let failure = Failure::kernel(error).trying(format!("cannot {verb} next hop {id}"));
    if error.errno() != ENOENT {
        return Ok(hint::may_not(failure, error.errno()));
    }
    let facts = super::route::facts(ip)?;
    Ok(hint::nexthops(&facts).into_iter().fold(failure, Failure::hint))
}

fn print(ip: &mut Ip<'_>, hops: &[Nexthop]) -> Result<(), Failure> {
    let mut context = show::names_only(ip);
    show::name_links(ip, &mut context, hops.iter().flat_map(out::references).collect())?;
    ip.printer.open_document();
    for hop in hops {
        out::print(&mut ip.printer, hop, &context);
        ip.flush_if_much();
    }
    ip.printer.close_document();
    Ok(())
}

fn get(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut wanted = 0;
    while let Some(word) = words.next() {
        if word != b"id" {
            return Err(usage());
        }
        wanted = id(words)?;
    }
    if wanted == 0 { Err(usage()) } else { show_one(ip, wanted) }
}

fn flush(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut filter = read_filter(ip, words, WORDS)?;
    if let Some(id) = filter.id {
        let hop = Nexthop { id: Some(id), ..Nexthop::default() };
        let answer = ip.submit(&Request::del_nexthop(&hop))?;
        return match answer {
            Ok(_) => Ok(()),
            Err(error) => Err(missing(ip, id, "delete", &error)?.with_exit(EXIT_SEMANTIC)),
        };
    }
    let mut count = 0_usize;
    // Groups go first: without them, nothing holds their members.
    let rounds = if filter.all { [true, false].as_slice() } else { &[filter.request.groups] };
    let mut result = Ok(());
    for groups in rounds {
        filter.request.groups = *groups;
        match ip.socket()?.nexthops(&filter.request) {
            Ok(hops) => count += delete(ip, &filter, &hops)?,
            Err(error) => {
                let last = "Dump terminated. Failed to flush nexthops";
                result = Err(show::terminated(ip, &error, last)?.with_exit(EXIT_KERNEL));
                break;
            }
        }
    }
    let text = if count == 0 { "Nothing to flush\n".to_owned() } else { format!("Flushed {count} nexthops\n") };
    ip.printer.verbatim(text);
    result
}

fn delete(ip: &mut Ip<'_>, filter: &Filter, hops: &[Nexthop]) -> Result<usize, Failure> {
    let mut count = 0;
    for hop in hops.iter().filter(|hop| filter.protocol == 0 || u32::from(hop.protocol) == filter.protocol) {
        let Some(id) = hop.id else { continue };
        let answer = ip.submit(&Request::del_nexthop(&Nexthop { id: Some(id), ..Nexthop::default() }))?;
        match answer {
            Ok(_) => count += 1,
            Err(error) => {
                let failure = missing(ip, id, "delete", &error)?;
                ip.complain(&failure);
            }
        }
    }
    Ok(count)
}

// ---- buckets ----------------------------------------------------------------------------------

fn bucket(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return bucket_list(ip, words) };
    match word {
        word if ["list", "show", "lst"].iter().any(|full| begins(full, word)) => bucket_list(ip, words),
        word if begins("get", word) => bucket_get(ip, words),
        word if begins("help", word) => Err(usage()),
        word => Err(unknown(word)),
    }
}

fn bucket_list(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let filter = read_filter(ip, words, BUCKET_WORDS)?;
    let wanted = Nexthop { id: filter.id.filter(|id| *id != 0), op_flags: None, ..filter.request };
    let buckets = ip.socket()?.dump_bodies::<Nexthop>(&Request::dump(GET_BUCKET, &wanted));
    let buckets = match buckets {
        Ok(buckets) => buckets,
        Err(error) => {
            ip.printer.open_document();
            ip.printer.close_document();
            return Err(show::terminated(ip, &error, "Dump terminated")?.trying("cannot list the buckets"));
        }
    };
    ip.printer.open_document();
    for bucket in &buckets {
        out::print_bucket(&mut ip.printer, bucket);
        ip.flush_if_much();
    }
    ip.printer.close_document();
    Ok(())
}

fn bucket_get(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let (mut wanted, mut index) = (0, None);
    while let Some(word) = words.next() {
        match word {
            b"id" => wanted = id(words)?,
            b"index" => index = Some(known(words, "invalid bucket index value", number_as::<u16>)?),
            _ => return Err(usage()),
        }
    }
    let (1.., Some(index)) = (wanted, index) else { return Err(usage()) };
    let mut nest = Builder::new();
    nest.u16(BUCKET_INDEX, index);
    let res_bucket = Some(RawNest(nest.into_bytes().into()));
    let family = ip.options.family.number();
    let hop = Nexthop { family, id: Some(wanted), res_bucket, ..Nexthop::default() };
    match ip.socket()?.get::<Nexthop>(&Request::new(GET_BUCKET, 0, &hop)) {
        Ok(bucket) => {
            ip.printer.open_document();
            out::print_bucket(&mut ip.printer, &bucket);
            ip.printer.close_document();
            Ok(())
        }
        Err(error) => Err(missing(ip, wanted, "show a bucket of", &error)?),
    }
}
