//! `ip address flush`: deletes the addresses that a filter chooses, round after round until none is left.
//!
//! More than one round is needed where the kernel makes a secondary address the primary one in the place of the one
//! that was deleted (`promote_secondaries`).

use vwire_netlink::{Address, Request};

use super::filter::AddressFilter;
use super::show::{self, Found};
use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE, errno_sentence};
use crate::cli::ip::options::Family;
use crate::cli::ip::words::Words;
use crate::cli::ip::{Failure, Ip};
use crate::out::{Layout, address};

/// `EADDRNOTAVAIL`: an address is gone already, as the kernel deletes the secondary ones with the primary one.
const EADDRNOTAVAIL: i32 = 99;
/// `RTEXT_FILTER_SKIP_STATS` (`linux/rtnetlink.h`).
const EXT_SKIP_STATS: u32 = 1 << 3;
/// How many rounds there are unless `-l` says otherwise.
const MOST_ROUNDS: u32 = 10;

/// Runs `ip address flush`.
///
/// # Errors
/// No words, a wrong one, or what the kernel refuses.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    if words.is_empty() {
        return Err(Failure::new(EXIT_SEMANTIC, "Flush requires arguments.", "nothing says which addresses to delete")
            .trying("cannot flush addresses")
            .hint("`vwire addr flush dev DEVICE` deletes those of a device"));
    }
    if ip.options.family == Family::Packet {
        return Err(Failure::new(
            EXIT_SEMANTIC,
            "Cannot flush link addresses.",
            "a device always has its link-layer address",
        ));
    }
    let (filter, found) = show::read_filter(ip, words, show::Purpose::Flush)?;
    // What a flush reports is text, whatever the options say.
    let layout = Layout { json: false, ..ip.printer.layout() };
    let printer = ip.lay_out(layout);
    let result = flush(ip, &filter, found);
    let written = ip.flush();
    ip.printer = printer;
    result.and_then(|()| written.map_err(|error| Failure::new(EXIT_SEMANTIC, error.to_string(), error.to_string())))
}

fn flush(ip: &mut Ip<'_>, filter: &AddressFilter, found: Found) -> Result<(), Failure> {
    let most = ip.options.flush_loops.unwrap_or(MOST_ROUNDS);
    let mut round = 0;
    while most == 0 || round < most {
        let chosen = choose(ip, filter, found)?;
        if chosen.is_empty() {
            report_end(ip, round);
            return Ok(());
        }
        round += 1;
        delete(ip, &chosen)?;
        if ip.options.stats > 0 {
            ip.printer.text(format!("\n*** Round {round}, deleting {} addresses ***\n", chosen.len()));
        }
        // A second round would delete the secondary addresses that have become primary ones.
        if filter.primary_only {
            report_end(ip, round);
            return Ok(());
        }
    }
    Err(Failure::new(
        EXIT_USAGE,
        format!("*** Flush remains incomplete after {most} rounds. ***"),
        format!("addresses are left after {most} rounds"),
    )
    .trying("cannot flush all addresses")
    .hint("somebody adds them anew, or `-l 0` in front of the object lifts the limit"))
}

fn choose(ip: &mut Ip<'_>, filter: &AddressFilter, found: Found) -> Result<Vec<Address>, Failure> {
    let mut chosen = Vec::new();
    let mut known: Option<(u32, Vec<u8>)> = None;
    let names = super::names_to_print(ip);
    let names_matter = ip.options.stats > 1 || filter.has_label();
    for address in show::dump(ip, filter, found.index)? {
        let name = match &known {
            _ if !names_matter => Vec::new(),
            Some((index, name)) if *index == address.index => name.clone(),
            _ => name_of(ip, address.index)?,
        };
        if filter.wants(&address, &name) {
            if ip.options.stats > 1 {
                address::print(&mut ip.printer, &address, Some(&name), &names);
            }
            chosen.push(address.clone());
        }
        known = Some((address.index, name));
    }
    Ok(chosen)
}

fn name_of(ip: &mut Ip<'_>, index: u32) -> Result<Vec<u8>, Failure> {
    let name = ip.link(index, EXT_SKIP_STATS)?.and_then(|link| link.ifname);
    Ok(name.map_or_else(|| format!("if{index}").into_bytes(), |name| name.as_bytes().to_vec()))
}

fn delete(ip: &mut Ip<'_>, chosen: &[Address]) -> Result<(), Failure> {
    let requests: Vec<Request> = chosen.iter().map(Request::del_address).collect();
    for answer in ip.submit_all(&requests)? {
        if let Err(error) = answer
            && error.errno() != EADDRNOTAVAIL
        {
            let sentence = errno_sentence(error.errno());
            let cause = match error.message() {
                Some(message) => format!("{sentence} (kernel: {message})"),
                None => format!("{sentence} (kernel: no more detail)"),
            };
            let failure = Failure::new(EXIT_USAGE, format!("Failed to send flush request: {sentence}"), cause);
            return Err(failure.trying("cannot flush addresses").refused_by(&error));
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
