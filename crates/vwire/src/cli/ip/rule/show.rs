//! `ip rule show` and `flush`: asks the kernel for rules, and prints those that pass, or deletes them.

use vwire_netlink::{DumpError, Request, Rule};

use super::filter::{self, Filter};
use crate::cli::ip::failure::EXIT_USAGE;
use crate::cli::ip::kernel::{list_refused, refusal};
use crate::cli::ip::options::Family;
use crate::cli::ip::words::Words;
use crate::cli::ip::{Failure, Ip, Persona};
use crate::out::rule;

/// Runs `ip rule show`.
///
/// # Errors
/// A wrong word, or what the kernel refuses.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    if super::asks_for_help(ip, words) {
        return Err(Failure::usage(super::HELP));
    }
    let filter = filter::read(ip.options.family, words, &super::names_to_read(ip))?;
    let names = super::names_to_print(ip);
    let details = ip.options.details > 0;
    // `ip` shows the rules of every maker, whatever `protocol` says.
    let every_maker = ip.persona == Persona::Ip;
    let rules = dump(ip, &filter)?;
    ip.printer.open_document();
    for rule in rules.iter().filter(|rule| every_maker || filter.is_made_by(rule)) {
        ip.printer.open_object(None);
        rule::print(&mut ip.printer, rule, details, &names);
        ip.printer.close_object();
        ip.flush_if_much();
    }
    ip.printer.close_document();
    Ok(())
}

/// Runs `ip rule flush`: deletes the rules that pass, but for the one with priority 0.
///
/// # Errors
/// A wrong word, or what the kernel refuses.
pub fn flush(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    if super::asks_for_help(ip, words) {
        return Err(Failure::usage(super::HELP));
    }
    let filter = filter::read(ip.options.family, words, &super::names_to_read(ip))?;
    let rules = dump(ip, &filter)?;
    let chosen = rules.iter().filter(|rule| filter.is_made_by(rule) && rule.priority.is_some());
    let requests: Vec<Request> = chosen.map(Request::del_rule).collect();
    ip.printer.open_document();
    ip.printer.close_document();
    for request in &requests {
        if let Err(error) = ip.submit(request)? {
            let failure = refusal(&error);
            let mut said = failure.render(Persona::Ip);
            said.extend_from_slice(b"Dump terminated");
            return Err(failure.said_by_ip(said).with_exit(EXIT_USAGE).trying("cannot flush the rules"));
        }
    }
    Ok(())
}

/// Returns the rules of the family that pass.
fn dump(ip: &mut Ip<'_>, filter: &Filter) -> Result<Vec<Rule>, Failure> {
    let family = family(ip);
    match ip.socket()?.rules(family) {
        Ok(rules) => Ok(rules.into_iter().filter(|rule| filter.passes(rule)).collect()),
        Err(error) => {
            // `ip` has begun its document by then.
            ip.printer.open_document();
            ip.printer.close_document();
            Err(refused(&error))
        }
    }
}

/// Returns the family whose rules are listed.
pub(super) fn family(ip: &Ip<'_>) -> u8 {
    match ip.options.family {
        Family::Unspec => Family::Inet.number(),
        family => family.number(),
    }
}

/// Turns a list that the kernel refused into a failure.
pub(super) fn refused(error: &DumpError) -> Failure {
    list_refused(error, EXIT_USAGE, "Dump terminated")
        .trying("cannot list the rules")
        .hint("there are rules of IPv4, `-4`, and of IPv6, `-6`")
}
