//! `ip link add`, `set`, `replace`, `delete`: reads a [`LinkChange`] and sends it, in one request.

use vwire_netlink::wire::{Body, MessageType};
use vwire_netlink::{Create, Link, LinkFilter, Reply, Request, RequestError};

use super::end::{End, read_end};
use super::finish::garbage;
use super::help;
use super::hint::{self, Aftermath, Facts};
use super::kind::{self, Purpose};
use super::request::{LinkChange, Verb};
use super::show::{self, Fate};
use crate::cli::ip::failure::{EXIT_KERNEL, EXIT_SEMANTIC, EXIT_USAGE, Failure};
use crate::cli::ip::transaction::Transaction;
use crate::cli::ip::words::{Words, begins, shown};
use crate::cli::ip::{Ip, Persona};
use crate::lab::capability::{self, Capability};

/// `RTEXT_FILTER_SKIP_STATS`.
const EXT_SKIP_STATS: u32 = 1 << 3;

/// Runs `ip link add|set|replace|delete`.
///
/// # Errors
/// A wrong word, a device that is not there, or what the kernel refuses.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>, verb: Verb) -> Result<(), Failure> {
    let change = read(ip, words, verb)?;
    apply(ip, &change)
}

/// Reads the words of a change.
///
/// # Errors
/// A word that does not fit, or a name that nothing has.
pub fn read(ip: &mut Ip<'_>, words: &mut Words<'_>, verb: Verb) -> Result<LinkChange, Failure> {
    let End { link, subject, kind, asked, held } = read_end(ip, words, verb)?;
    let mut change = LinkChange { verb, link, subject: subject.map(<[u8]>::to_vec), asked, held };
    match kind {
        Some(kind) => {
            read_kind(ip, words, &mut change, kind).map_err(|failure| failure.trying(hint::attempt(&change)))?
        }
        None if verb.creates() => {
            let failure = Failure::new(
                EXIT_SEMANTIC,
                "Not enough information: \"type\" argument is required",
                "what it shall be is not said",
            );
            let failure = failure.hint("`type veth`, `type bridge` …; `vwire link help` lists the kinds");
            return Err(failure.trying(hint::attempt(&change)));
        }
        None => {}
    }
    Ok(change)
}

/// Reads what follows `type KIND`.
fn read_kind(ip: &mut Ip<'_>, words: &mut Words<'_>, change: &mut LinkChange, kind: &[u8]) -> Result<(), Failure> {
    let verb = change.verb;
    let purpose = if verb.creates() { Purpose::Add } else { Purpose::Set };
    let held = &mut change.held;
    let mut peer = |ip: &mut Ip<'_>, words: &mut Words<'_>| {
        let end = read_end(ip, words, verb)?;
        if let Some(kind) = end.kind {
            return Err(Failure::duplicate("type", kind).hint("both ends are of one kind"));
        }
        held.extend(end.held);
        Ok(end.link)
    };
    // Behind `type`, `ip` forgets which exit code a word wanted, but for 255, with which it leaves at once.
    let forget = |failure: Failure| match failure.exit() {
        EXIT_USAGE => failure,
        _ => failure.with_exit(EXIT_SEMANTIC),
    };
    let info = kind::read(ip, kind, words, purpose, &mut peer).map_err(forget)?;
    if let Some(word) = words.peek() {
        return Err(if begins("help", word) { help::usage() } else { garbage(word) });
    }
    let says_nothing = info.data.is_none() && info.slave_data.is_none();
    change.link.linkinfo = Some(Box::new(info));
    if verb == Verb::Set && says_nothing && ip.persona == Persona::Vwire {
        is_of_kind(ip, change, kind)?;
    }
    Ok(())
}

/// Refuses a kind that the device is not of: where nothing else is said of the kind, the kernel passes over it.
fn is_of_kind(ip: &mut Ip<'_>, change: &LinkChange, kind: &[u8]) -> Result<(), Failure> {
    let Some(device) = ip.link(change.link.index, EXT_SKIP_STATS)?.filter(|_| change.link.index != 0) else {
        return Ok(());
    };
    let own = [device.kind().map(str::to_owned), device.slave_kind().map(|master| format!("{master}_slave"))];
    if own.iter().flatten().any(|own| own.as_bytes() == kind) {
        return Ok(());
    }
    let name = change.subject.as_deref().map(shown).unwrap_or_default();
    let is = own.into_iter().flatten().collect::<Vec<_>>().join(" and a ");
    let is = if is.is_empty() { "hardware".to_owned() } else { format!("a {is}") };
    Err(Failure::new(EXIT_USAGE, "", format!("`{name}` is {is}, not a {}", shown(kind)))
        .hint("a device keeps its kind; `vwire link add NAME type KIND` makes one"))
}

/// Sends a change, and says why where the kernel refuses it.
///
/// # Errors
/// What the kernel refuses.
pub fn apply(ip: &mut Ip<'_>, change: &LinkChange) -> Result<(), Failure> {
    let request = request_of(change);
    let request = if ip.options.echo { request.with_echo() } else { request };
    let transaction = all_or_nothing(ip, change).map(Transaction::around_all).transpose();
    let transaction = transaction.map_err(|error| unreadable(change, &error))?;
    let answer = ip.submit(&request)?;
    let aftermath = transaction.filter(|_| answer.is_err()).map(Transaction::put_back);
    warn(ip, &answer);
    match answer {
        Ok(reply) if ip.options.echo => echo(ip, &reply),
        Ok(_) => Ok(()),
        Err(error) => Err(refused(ip, change, &error, aftermath)?),
    }
}

/// Returns what is asked of a link, or of the links of a group, if that is done whole or not at all: where it is more than
/// one thing, and not as `ip`, whose scripts know that a part may be done. A batch that is a whole sees to it by itself.
fn all_or_nothing<'a>(ip: &Ip<'_>, change: &'a LinkChange) -> Option<&'a Link> {
    let is_of_many = change.link.index == 0 && change.link.group.is_some();
    let is_more = change.asked.len() > 1 || change.link.linkinfo.is_some() || is_of_many;
    (ip.is_live() && ip.persona == Persona::Vwire && change.verb == Verb::Set && is_more).then_some(&change.link)
}

/// What is there cannot be read, and so could not be brought back.
fn unreadable(change: &LinkChange, error: &std::io::Error) -> Failure {
    Failure::new(EXIT_KERNEL, "", format!("what is there cannot be read, and nothing is changed: {error}"))
        .trying(hint::attempt(change))
}

/// Prints the link that the kernel sends back.
fn echo(ip: &mut Ip<'_>, reply: &Reply) -> Result<(), Failure> {
    let told = reply.messages.iter().find_map(|message| {
        let fate = match message.header.message_type {
            MessageType::NEWLINK => Fate::Changed,
            MessageType::DELLINK => Fate::Deleted,
            _ => return None,
        };
        Some((Link::parse(&message.payload).ok()?, fate))
    });
    show::echo(ip, told.as_ref().map(|(link, fate)| (link, *fate)))
}

/// Returns the one request that a change is, whatever its words.
fn request_of(change: &LinkChange) -> Request {
    match change.verb {
        Verb::Add => Request::new_link(&change.link, Create::Exclusive),
        Verb::Replace => Request::new_link(&change.link, Create::OrReplace),
        Verb::Set => Request::set_link(&change.link),
        Verb::Delete => Request::del_link(&change.link),
    }
}

/// Sends a request and tells the kernel's warning.
///
/// # Errors
/// The socket cannot be opened; inside, what the kernel refuses.
pub fn send(ip: &mut Ip<'_>, request: &Request) -> Result<Result<Reply, RequestError>, Failure> {
    let answer = ip.submit(request)?;
    warn(ip, &answer);
    Ok(answer)
}

fn warn(ip: &mut Ip<'_>, answer: &Result<Reply, RequestError>) {
    if let Some(warning) = answer.as_ref().ok().and_then(Reply::warning) {
        let stop = if warning.ends_with('.') { "" } else { "." };
        ip.say(format!("Warning: {warning}{stop}\n").as_bytes());
    }
}

fn refused(
    ip: &mut Ip<'_>,
    change: &LinkChange,
    error: &RequestError,
    aftermath: Option<Aftermath>,
) -> Result<Failure, Failure> {
    let failure = Failure::kernel(error).trying(hint::attempt(change));
    let facts = Facts { aftermath, ..gather(ip, change, error.errno())? };
    let hints = hint::hints(change, error.errno(), &error.ext_ack, &facts);
    Ok(hints.into_iter().fold(failure, Failure::hint))
}

/// Asks what helps to understand a refusal.
fn gather(ip: &mut Ip<'_>, change: &LinkChange, errno: i32) -> Result<Facts, Failure> {
    let wants = hint::wants(change, errno);
    let mut facts = Facts { may_change: capability::has(Capability::NetAdmin), ..Facts::default() };
    if wants.kinds {
        facts.kinds = kinds(ip)?;
    }
    if wants.device {
        facts.device = ip.link(change.link.index, EXT_SKIP_STATS)?;
        facts.master = match change.link.master {
            Some(master) if master != 0 => ip.link(master, EXT_SKIP_STATS)?,
            _ => None,
        };
    }
    if wants.taken {
        for name in hint::new_names(change) {
            if ip.socket()?.get::<Link>(&Request::get_link(&Link::named(name))).is_ok() {
                facts.taken.push(name.to_string());
            }
        }
    }
    Ok(facts)
}

/// Returns the kinds of links that the kernel has now, without making it load a module.
///
/// A list of links that is narrowed to a kind is not narrowed at all where the kernel does not know
/// the kind (`rtnl_dump_ifinfo`): then `lo`, which has no kind, is in it.
fn kinds(ip: &mut Ip<'_>) -> Result<Vec<&'static str>, Failure> {
    let socket = ip.socket()?;
    let known = |kind: &&&'static str| {
        let filter = LinkFilter { kind: Some((**kind).to_owned()), ..LinkFilter::without_stats() };
        socket.links(&filter).is_ok_and(|links| links.iter().all(|link| link.kind() == Some(**kind)))
    };
    Ok(hint::KINDS.iter().filter(known).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_deleted_by_one_request() {
        let link = Link { group: Some(7), ..Link::default() };
        let change = LinkChange { verb: Verb::Delete, link, subject: None, asked: Vec::new(), held: Vec::new() };
        assert_eq!(request_of(&change).as_bytes(), Request::del_group(7).as_bytes());
    }
}
