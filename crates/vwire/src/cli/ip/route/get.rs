//! `ip route get`: asks the kernel which way a packet would go.

use vwire_netlink::wire::Body;
use vwire_netlink::{Request, Route};

use super::change::{known, put};
use super::value::{self, vrf_table};
use super::{help, hint, show};
use crate::cli::ip::failure::{EXIT_SEMANTIC, Failure};
use crate::cli::ip::options::Family;
use crate::cli::ip::words::{Keyword, Words, begins, exact, find, number_as, prefix, shown};
use crate::cli::ip::{Ip, Persona};
use crate::out::route::{self, Hidden};

/// `RTM_F_NOTIFY`.
const NOTIFY: u32 = 0x100;
/// `RTM_F_LOOKUP_TABLE`: IPv4 alone knows it.
const LOOKUP_TABLE: u32 = 0x1000;
/// `RTM_F_FIB_MATCH`.
const FIB_MATCH: u32 = 0x2000;

#[derive(Debug, Clone, Copy)]
enum Word {
    Tos,
    From,
    Iif,
    Mark,
    Oif,
    Notify,
    Connected,
    Vrf,
    Uid,
    Fibmatch,
    As,
    Sport,
    Dport,
    Ipproto,
    Flowlabel,
}

/// In `ip`'s order; what matches no row is the destination.
const WORDS: &[Keyword<Word>] = &[
    exact("tos", Word::Tos),
    prefix("dsfield", Word::Tos),
    prefix("from", Word::From),
    prefix("iif", Word::Iif),
    prefix("mark", Word::Mark),
    prefix("oif", Word::Oif),
    exact("dev", Word::Oif),
    prefix("notify", Word::Notify),
    prefix("connected", Word::Connected),
    prefix("vrf", Word::Vrf),
    prefix("uid", Word::Uid),
    prefix("fibmatch", Word::Fibmatch),
    exact("as", Word::As),
    prefix("sport", Word::Sport),
    prefix("dport", Word::Dport),
    prefix("ipproto", Word::Ipproto),
    exact("flowlabel", Word::Flowlabel),
];

/// A question.
#[derive(Default)]
struct Question<'a> {
    family: Family,
    route: Route,
    input: Option<&'a [u8]>,
    output: Option<&'a [u8]>,
    destination: Option<&'a [u8]>,
    connected: bool,
    has_source: bool,
}

/// Runs `ip route get`.
///
/// # Errors
/// A wrong word, or there is no way.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut question = Question { family: ip.options.family, ..Question::default() };
    while let Some(word) = words.next() {
        match find(WORDS, word) {
            Some(meaning) => question.take(ip, words, meaning)?,
            None => question.take_destination(ip, words, word)?,
        }
    }
    let Some(destination) = question.destination else {
        return Err(Failure::new(
            EXIT_SEMANTIC,
            "need at least a destination address",
            "nothing says where the packet would go",
        )
        .hint("`vwire route get 192.0.2.1`"));
    };
    question.finish(ip)?;
    let mut answer = ask(ip, &question.route, destination)?;
    if question.connected && !question.has_source {
        print(ip, &answer)?;
        // `ip` asks the same again: what it makes of the answer does not reach its second question.
        connects(&answer)?;
        answer = ask(ip, &question.route, destination)?;
        // `ip` has closed its document by now, and writes the rest as text.
        if ip.persona == Persona::Ip {
            let context = show::context(ip, std::slice::from_ref(&answer))?;
            show::print_text(ip, &[answer], &context, &Hidden::default());
            return Ok(());
        }
    }
    print(ip, &answer)
}

impl<'a> Question<'a> {
    fn take(&mut self, ip: &mut Ip<'_>, words: &mut Words<'a>, meaning: Word) -> Result<(), Failure> {
        let route = &mut self.route;
        match meaning {
            Word::Tos => route.tos = known(words, "TOS value is invalid\n", |word| value::dsfield(&ip.tables, word))?,
            Word::From => {
                let word = words.value()?;
                if begins("help", word) {
                    return Err(help::usage());
                }
                self.has_source = true;
                let place = value::network(word, self.family)?;
                route.src_len = place.length;
                if !place.octets.is_empty() {
                    put(&mut route.src, 2, &mut route.other, &place);
                }
                self.learn(place.family);
            }
            Word::Iif => self.input = Some(words.value()?),
            Word::Oif => self.output = Some(words.value()?),
            Word::Mark => route.mark = Some(known(words, "invalid mark value", number_as)?).filter(|mark| *mark != 0),
            Word::Notify => route.flags |= NOTIFY,
            Word::Connected => self.connected = true,
            Word::Vrf => {
                let name = words.value()?;
                vrf_table(ip, name)?.ok_or_else(|| value::no_vrf(name))?;
                self.output = Some(name);
            }
            Word::Uid => route.uid = Some(known(words, "invalid UID\n", number_as)?),
            Word::Fibmatch => route.flags |= FIB_MATCH,
            Word::As => {
                let mut word = words.value()?;
                if word == b"to" {
                    word = words.value()?;
                }
                let place = value::address(word, self.family)?;
                route.newdst = Some(place.octets.into());
                self.learn(place.family);
            }
            Word::Sport => route.sport = Some(known(words, "invalid sport\n", number_as)?),
            Word::Dport => route.dport = Some(known(words, "invalid dport\n", number_as)?),
            Word::Ipproto => route.ip_proto = Some(known(words, "Invalid \"ipproto\" value\n", ip_protocol)?),
            Word::Flowlabel => route.flowlabel = Some(known(words, "invalid flowlabel", number_as)?),
        }
        Ok(())
    }

    fn learn(&mut self, family: Family) {
        if self.family == Family::Unspec {
            self.family = family;
        }
    }

    fn take_destination(&mut self, ip: &mut Ip<'_>, words: &mut Words<'a>, word: &'a [u8]) -> Result<(), Failure> {
        let word = if word == b"to" { words.value()? } else { word };
        if begins("help", word) {
            return Err(help::usage());
        }
        let place = value::network(word, self.family)?;
        self.learn(place.family);
        if !place.octets.is_empty() {
            put(&mut self.route.dst, 1, &mut self.route.other, &place);
        }
        let whole = match self.family {
            Family::Inet => 32,
            Family::Inet6 => 128,
            _ => place.length,
        };
        if place.length != whole {
            let length = place.length;
            let text = format!("Warning: /{length} as prefix is invalid, only /{whole} (or none) is supported.\n");
            ip.say(text.as_bytes());
        }
        self.route.dst_len = whole;
        self.destination = Some(word);
        Ok(())
    }

    fn finish(&mut self, ip: &mut Ip<'_>) -> Result<(), Failure> {
        for (name, index) in [(self.input, &mut self.route.iif), (self.output, &mut self.route.oif)] {
            if let Some(name) = name {
                *index = Some(ip.device(name)?.ok_or_else(|| Failure::no_device(name))?);
            }
        }
        self.learn(Family::Inet);
        self.route.family = self.family.number();
        if self.family == Family::Inet {
            self.route.flags |= LOOKUP_TABLE;
        }
        Ok(())
    }
}

fn ask(ip: &mut Ip<'_>, route: &Route, destination: &[u8]) -> Result<Route, Failure> {
    let answer = ip.socket()?.request(&Request::get_route(route));
    let answer = answer.map(|reply| reply.messages.first().and_then(|message| Route::parse(&message.payload).ok()));
    match answer {
        Ok(Some(route)) => Ok(route),
        Ok(None) => Err(Failure::new(EXIT_SEMANTIC, "An error :-)", "the kernel gave no route")),
        Err(error) => {
            let failure = Failure::kernel(&error);
            let facts = super::facts(ip)?;
            let failure = failure.trying(format!("cannot find a way to `{}`", shown(destination)));
            Ok(hint::no_way(error.errno(), route, &facts).into_iter().fold(failure, Failure::hint)).and_then(Err)
        }
    }
}

fn print(ip: &mut Ip<'_>, answer: &Route) -> Result<(), Failure> {
    let context = show::context(ip, std::slice::from_ref(answer))?;
    ip.printer.open_document();
    route::print(&mut ip.printer, answer, &context, &Hidden::default());
    ip.printer.close_document();
    Ok(())
}

/// Looks whether an answer names the source address that packets would have.
fn connects(answer: &Route) -> Result<(), Failure> {
    if answer.prefsrc.is_some() || answer.src.is_some() {
        return Ok(());
    }
    Err(Failure::new(EXIT_SEMANTIC, "Failed to connect the route", "the kernel names no source address for this way"))
}

/// Reads a protocol by its number, or by its name in `/etc/protocols`.
fn ip_protocol(word: &[u8]) -> Option<u8> {
    let word = std::str::from_utf8(word).ok()?;
    let named = || {
        let text = std::fs::read_to_string("/etc/protocols").unwrap_or_default();
        let row = |line: &str| {
            let mut words = line.split('#').next()?.split_whitespace();
            let (name, number) = (words.next()?, words.next()?);
            (name == word || words.any(|alias| alias == word)).then(|| number.parse().ok())?
        };
        text.lines().find_map(row)
    };
    word.parse().ok().or_else(named)
}
