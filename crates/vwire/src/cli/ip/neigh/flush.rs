//! `ip neigh flush`: deletes the neighbours that a filter chooses, round after round until none is left.

use vwire_netlink::{Neighbour, Request};

use super::filter::{Filter, Purpose};
use super::show::{self, Found};
use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE, errno_sentence};
use crate::cli::ip::words::Words;
use crate::cli::ip::{Failure, Ip};
use crate::out::Layout;

/// How many rounds there are at most.
const MOST_ROUNDS: u32 = 10;
/// `ENOENT`: an entry has gone by itself.
const ENOENT: i32 = 2;

/// Runs `ip neigh flush`.
///
/// # Errors
/// No words, a wrong one, or what the kernel refuses.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    if words.is_empty() {
        return Err(Failure::new(
            EXIT_SEMANTIC,
            "Flush requires arguments.",
            "nothing says which neighbours to delete",
        )
        .trying("cannot flush neighbours")
        .hint("`vwire neigh flush dev NAME` deletes those of a device that are not permanent"));
    }
    let (filter, found) = show::read_filter(ip, Purpose::Flush, words)?;
    // What a flush reports is text, whatever the options say.
    let layout = Layout { json: false, ..ip.printer.layout() };
    let printer = ip.lay_out(layout);
    let result = flush(ip, filter, found);
    let written = ip.flush();
    ip.printer = printer;
    result.and_then(|()| written.map_err(|error| Failure::new(EXIT_SEMANTIC, error.to_string(), error.to_string())))
}

fn flush(ip: &mut Ip<'_>, mut filter: Filter, found: Found) -> Result<(), Failure> {
    for round in 0..MOST_ROUNDS {
        let chosen = show::dump(ip, &filter, found)?;
        if ip.options.stats > 1 {
            let names = show::names_of(ip, &chosen)?;
            for neighbour in &chosen {
                show::print(ip, neighbour, found.index.is_none(), &names);
            }
        }
        if chosen.is_empty() {
            report_end(ip, round);
            return Ok(());
        }
        delete(ip, &chosen)?;
        if ip.options.stats > 0 {
            ip.printer.text(format!("\n*** Round {}, deleting {} entries ***\n", round + 1, chosen.len()));
        }
        filter.pass_over_failed();
    }
    ip.printer.text(format!("*** Flush not complete bailing out after {MOST_ROUNDS} rounds\n"));
    Err(Failure::new(EXIT_USAGE, "", format!("entries are left after {MOST_ROUNDS} rounds"))
        .unsaid_by_ip()
        .trying("cannot flush all neighbours")
        .hint("somebody makes them anew: `vwire neigh` shows which"))
}

fn delete(ip: &mut Ip<'_>, chosen: &[Neighbour]) -> Result<(), Failure> {
    let requests: Vec<Request> = chosen.iter().map(Request::del_neighbour).collect();
    for answer in ip.submit_all(&requests)? {
        if let Err(error) = answer
            && error.errno() != ENOENT
        {
            let sentence = errno_sentence(error.errno());
            let said = format!("Failed to send flush request: {sentence}");
            let failure = super::super::kernel::refusal(&error).trying("cannot flush neighbours");
            return Err(failure.said_by_ip(said).with_exit(EXIT_SEMANTIC));
        }
    }
    Ok(())
}

fn report_end(ip: &mut Ip<'_>, rounds: u32) {
    if ip.options.stats == 0 {
        return;
    }
    let plural = if rounds == 1 { "" } else { "s" };
    ip.printer.text(match rounds {
        0 => "Nothing to flush.\n".to_owned(),
        _ => format!("*** Flush is complete after {rounds} round{plural} ***\n"),
    });
}
