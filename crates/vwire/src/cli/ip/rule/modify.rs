//! `ip rule add` and `del`: asks the kernel, and explains what it refuses.

use vwire_netlink::wire::{Body, Create, MessageType};
use vwire_netlink::{Request, RequestError, Rule};

use super::change;
use crate::cli::ip::failure::EXIT_SEMANTIC;
use crate::cli::ip::kernel::refusal;
use crate::cli::ip::link::change::send;
use crate::cli::ip::words::Words;
use crate::cli::ip::{Failure, Ip, Persona};
use crate::out::{Layout, Printer, rule};

/// `ENOENT`.
const ENOENT: i32 = 2;
/// `EEXIST`.
const EEXIST: i32 = 17;
/// `EINVAL`.
const EINVAL: i32 = 22;
/// `EAFNOSUPPORT`.
const EAFNOSUPPORT: i32 = 97;

/// What is done with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Makes it, and fails if it is there.
    Add,
    /// Takes it away.
    Delete,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Delete => "del",
        }
    }

    fn tried(self, rule: &Rule) -> String {
        let family = if rule.family == 10 { "IPv6 " } else { "" };
        let place = rule.priority.map(|priority| format!(" with priority {priority}")).unwrap_or_default();
        match self {
            Self::Add => format!("cannot add the {family}rule{place}"),
            Self::Delete => format!("cannot delete the {family}rule{place}"),
        }
    }
}

/// Runs a command that changes a rule.
///
/// # Errors
/// A wrong word, or what the kernel refuses.
pub fn run(ip: &mut Ip<'_>, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    if words.is_empty() {
        let word = verb.word();
        let message = format!("\"ip rule {word}\" requires arguments.");
        return Err(Failure::new(EXIT_SEMANTIC, message, "the command does not say which rule")
            .hint(format!("it looks like `vwire rule {word} from 192.0.2.0/24 table 100 priority 1000`")));
    }
    let (wanted, end) = change::read(verb, ip.options.family, words, &super::names_to_read(ip));
    if wanted.has_nat {
        ip.say(match ip.persona {
            Persona::Ip => b"Warning: route NAT is deprecated\n".as_slice(),
            Persona::Vwire => b"warning: no kernel since 2.6 translates addresses by rules; `nat` does nothing\n",
        });
    }
    end?;
    let rule = wanted.rule;
    let request = match verb {
        Verb::Add => Request::new_rule(&rule, Create::Exclusive),
        Verb::Delete => Request::del_rule(&rule),
    };
    let request = if ip.options.echo { request.with_echo() } else { request };
    match send(ip, &request)? {
        Ok(reply) => {
            if ip.options.echo {
                let told = reply.messages.first();
                echo(ip, told.and_then(|told| Some((told.header.message_type, Rule::parse(&told.payload).ok()?))));
            }
            Ok(())
        }
        Err(error) => Err(explain(ip, verb, &rule, &error)?.trying(verb.tried(&rule))),
    }
}

/// Prints the rule that the kernel says it has made or deleted.
fn echo(ip: &mut Ip<'_>, told: Option<(MessageType, Rule)>) {
    let names = super::names_to_print(ip);
    let details = ip.options.details > 0;
    ip.printer.open_document();
    if let Some((message_type, rule)) = told {
        ip.printer.open_object(None);
        if message_type == MessageType::DELRULE {
            ip.printer.mark("deleted", "Deleted ");
        }
        rule::print(&mut ip.printer, &rule, details, &names);
        ip.printer.close_object();
    }
    ip.printer.close_document();
}

/// Turns the kernel's refusal into a failure that says what is in the way.
fn explain(ip: &mut Ip<'_>, verb: Verb, wanted: &Rule, error: &RequestError) -> Result<Failure, Failure> {
    let failure = refusal(error);
    if ip.persona == Persona::Ip {
        return Ok(failure);
    }
    let is_long = |address: Option<std::net::IpAddr>| address.is_some_and(|address| address.is_ipv6());
    if wanted.family == 2 && (is_long(wanted.src) || is_long(wanted.dst)) {
        return Ok(failure.hint(format!("rules of IPv6 are asked for with `-6`: `vwire -6 rule {} …`", verb.word())));
    }
    Ok(match error.errno() {
        EEXIST => match nearest(ip, wanted)? {
            Some(text) => failure.hint(format!("there is `{text}` already, which asks for the same")),
            None => failure.hint("`vwire rule` shows the one in the way"),
        },
        ENOENT => match nearest(ip, wanted)? {
            Some(text) => {
                failure.hint(format!("the nearest there is: `{text}`; what is deleted must be named in full"))
            }
            None => failure.hint("`vwire rule` and `vwire -6 rule` list those there are"),
        },
        EINVAL if wanted.goto.is_some() && wanted.goto <= wanted.priority => {
            failure.hint("`goto` leads to a higher priority number only")
        }
        EINVAL if wanted.goto.is_some() && wanted.priority.is_none() => {
            failure.hint("give the rule a `priority` below that of the target: it must lead onwards")
        }
        EAFNOSUPPORT => failure.hint("there are rules of IPv4, `-4`, and of IPv6, `-6`"),
        _ => failure,
    })
}

/// Returns the rule that has most in common with the wanted one, as it is printed.
fn nearest(ip: &mut Ip<'_>, wanted: &Rule) -> Result<Option<String>, Failure> {
    let rules = ip.socket()?.rules(wanted.family).unwrap_or_default();
    let best = rules.into_iter().map(|rule| (likeness(wanted, &rule), rule)).filter(|(likeness, _)| *likeness > 0);
    let Some((_, rule)) = best.max_by_key(|(likeness, _)| *likeness) else { return Ok(None) };
    let mut printer = Printer::new(Layout::default());
    rule::print(&mut printer, &rule, false, &super::names_to_print(ip));
    let text = String::from_utf8_lossy(&printer.take()).trim_end().replace('\t', " ");
    Ok(Some(text))
}

/// Counts what two rules have in common; the priority says most.
fn likeness(wanted: &Rule, rule: &Rule) -> u32 {
    let same = |is_same: bool, weight| if is_same { weight } else { 0 };
    same(wanted.priority.is_some() && wanted.priority == rule.priority, 4)
        + same(wanted.src.is_some() && wanted.src == rule.src, 3)
        + same(wanted.dst.is_some() && wanted.dst == rule.dst, 3)
        + same(wanted.fwmark.is_some() && wanted.fwmark == rule.fwmark, 2)
        + same(wanted.iifname.is_some() && wanted.iifname == rule.iifname, 2)
        + same(wanted.oifname.is_some() && wanted.oifname == rule.oifname, 2)
        + same(wanted.table_id() != 0 && wanted.table_id() == rule.table_id(), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_priority_says_most_about_which_rule_is_meant() {
        let wanted = Rule { priority: Some(9), header_table: 254, ..Rule::default() };
        let by_priority = Rule { priority: Some(9), header_table: 7, ..Rule::default() };
        let by_table = Rule { priority: Some(8), header_table: 254, ..Rule::default() };
        assert!(likeness(&wanted, &by_priority) > likeness(&wanted, &by_table));
        assert_eq!(likeness(&wanted, &Rule::default()), 0);
    }
}
