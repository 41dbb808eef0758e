//! `ip route show` and `flush`: lists routes, or deletes those that it would list.

use std::time::{Duration, Instant};

use vwire_netlink::{DumpError, Nexthop, Request, Route};

use super::filter::{self, Filter, MAIN};
use super::hint;
use crate::cli::ip::failure::{EXIT_KERNEL, EXIT_SEMANTIC, Failure, Refusal, errno_sentence};
use crate::cli::ip::words::Words;
use crate::cli::ip::{Ip, Persona};
use crate::out::route::{self, Context, Hidden};
use crate::out::{Layout, nexthop};
use crate::snapshot::names;

/// `ENOENT`.
const ENOENT: i32 = 2;
/// `EOPNOTSUPP`.
const EOPNOTSUPP: i32 = 95;
/// How long a flush goes on while new routes come.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many routes `ip` deletes before it looks whether one was refused is a matter of bytes; here it is a count.
const AT_ONCE: usize = 64;

/// Runs `ip route show`.
///
/// # Errors
/// A wrong word, or what the kernel refuses.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let filter = filter::read(ip, words)?;
    let routes = match list(ip, &filter, true)? {
        Ok(routes) => routes,
        Err(error) => {
            ip.printer.open_document();
            ip.printer.close_document();
            return Err(terminated(ip, &error, "Dump terminated")?.trying("cannot list the routes"));
        }
    };
    let context = context(ip, &routes)?;
    let hidden = filter.hidden();
    ip.printer.open_document();
    for route in &routes {
        route::print(&mut ip.printer, route, &context, &hidden);
        ip.flush_if_much();
    }
    ip.printer.close_document();
    Ok(())
}

/// Returns the routes that pass. The main table need not exist where `lenient`: then there is no route in it.
fn list(ip: &mut Ip<'_>, filter: &Filter, lenient: bool) -> Result<Result<Vec<Route>, DumpError>, Failure> {
    Ok(match ip.socket()?.routes(&filter.to_request()) {
        Ok(routes) => Ok(filter.choose(routes)),
        Err(error) if lenient && filter.table == MAIN && error.errno() == Some(ENOENT) => Ok(Vec::new()),
        Err(error) => Err(error),
    })
}

/// Says why a list ended, with `ip`'s word for it behind the kernel's.
///
/// # Errors
/// The socket cannot be opened.
pub fn terminated(ip: &mut Ip<'_>, error: &DumpError, last: &str) -> Result<Failure, Failure> {
    let Some(errno) = error.errno() else {
        return Ok(Failure::new(EXIT_KERNEL, last, error.to_string()));
    };
    let sentence = errno_sentence(errno);
    let (said, cause) = match error.message() {
        Some(message) => (
            format!("Error: {message}{}", if message.ends_with('.') { "" } else { "." }),
            format!("{sentence} (kernel: {message})"),
        ),
        // Where a list ends with these and without a sentence, `ip` does not tell them.
        None if [ENOENT, EOPNOTSUPP].contains(&errno) => (String::new(), sentence),
        None => (format!("RTNETLINK answers: {sentence}"), format!("{sentence} (kernel: no more detail)")),
    };
    let lines: Vec<_> = [said.as_str(), last].into_iter().filter(|line| !line.is_empty()).collect();
    let mut failure = Failure::new(EXIT_KERNEL, lines.join("\n"), cause);
    if let Some(refusal) = Refusal::of_dump(error) {
        failure = failure.refused_by(refusal);
    }
    match error.message() {
        Some(message) if message.contains("table") => Ok(failure.hint(tables(ip)?)),
        _ => Ok(failure),
    }
}

/// Tells which tables there are.
fn tables(ip: &mut Ip<'_>) -> Result<String, Failure> {
    let routes = ip.socket()?.routes(&Route::default()).unwrap_or_default();
    Ok(hint::tables(&routes, &ip.tables.rows(names::ROUTE_TABLES)))
}

/// Runs `ip route flush`.
///
/// # Errors
/// A wrong word, or what the kernel refuses.
pub fn flush(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    if words.is_empty() {
        return Err(Failure::new(
            EXIT_SEMANTIC,
            "\"ip route flush\" requires arguments.",
            "nothing says which routes to delete",
        )
        .hint("`vwire route flush table main` deletes them all, `vwire route flush dev DEV` those by one device"));
    }
    let filter = filter::read(ip, words)?;
    let is_inet6 = filter.family == crate::cli::ip::options::Family::Inet6;
    if filter.cached {
        if !is_inet6 {
            if ip.rehearsal().is_none() {
                flush_cache()?;
            }
            tell(ip, "*** IPv4 routing cache is flushed.\n");
        }
        if filter.family == crate::cli::ip::options::Family::Inet {
            return Ok(());
        }
    }
    let start = Instant::now();
    let mut rounds = 0;
    loop {
        let routes = match list(ip, &filter, false)? {
            Ok(routes) => routes,
            Err(error) => {
                return Err(terminated(ip, &error, "Flush terminated")?.trying("cannot delete the routes"));
            }
        };
        let routes: Vec<_> = routes.into_iter().filter(|route| !filter::is_null_entry(route)).collect();
        if routes.is_empty() {
            let plural = if rounds > 1 { "s" } else { "" };
            let nothing = rounds == 0 && (!filter.cached || is_inet6);
            let done = format!("*** Flush is complete after {rounds} round{plural} ***\n");
            tell(ip, if nothing { "Nothing to flush.\n" } else { &done });
            return Ok(());
        }
        rounds += 1;
        if ip.options.stats >= 2 {
            let context = context(ip, &routes)?;
            print_text(ip, &routes, &context, &filter.hidden());
        }
        delete(ip, &routes)?;
        let count = routes.len();
        if start.elapsed() > PATIENCE {
            let seconds = start.elapsed().as_secs();
            let text = format!("\n*** Flush not completed after {seconds} seconds, {count} entries remain ***\n");
            ip.printer.verbatim(text);
            return Err(Failure::verbatim(EXIT_SEMANTIC, ""));
        }
        tell(ip, &format!("\n*** Round {rounds}, deleting {count} entries ***\n"));
    }
}

/// Says with `-s` how far a flush is; never as JSON, as `ip`.
fn tell(ip: &mut Ip<'_>, words: &str) {
    if ip.options.stats > 0 {
        ip.printer.verbatim(words);
    }
}

/// Prints routes as text, whatever the layout.
pub(super) fn print_text(ip: &mut Ip<'_>, routes: &[Route], context: &Context, hidden: &Hidden) {
    let mut printer = ip.printer.like(Layout { json: false, ..ip.printer.layout() });
    routes.iter().for_each(|route| route::print(&mut printer, route, context, hidden));
    ip.printer.verbatim(printer.take());
}

fn delete(ip: &mut Ip<'_>, routes: &[Route]) -> Result<(), Failure> {
    for routes in routes.chunks(AT_ONCE) {
        let requests: Vec<_> = routes.iter().map(Request::del_route).collect();
        let refused = ip.submit_all(&requests)?.into_iter().find_map(Result::err);
        if let Some(error) = refused {
            let sentence = errno_sentence(error.errno());
            let message = format!("Failed to send flush request: {sentence}");
            let cause = Failure::kernel(&error);
            let failure = Failure::new(EXIT_KERNEL, message, cause_of(&cause))
                .trying("cannot delete the routes")
                .refused_by(&error);
            return Err(hint::may_not(failure, error.errno()));
        }
    }
    Ok(())
}

/// Returns the cause as vwire tells it.
fn cause_of(failure: &Failure) -> String {
    let text = String::from_utf8_lossy(&failure.render(Persona::Vwire)).into_owned();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

fn flush_cache() -> Result<(), Failure> {
    const SWITCH: &str = "/proc/sys/net/ipv4/route/flush";
    std::fs::write(SWITCH, "-1").map_err(|error| {
        let sentence = errno_sentence(error.raw_os_error().unwrap_or_default());
        Failure::new(EXIT_SEMANTIC, format!("Cannot open \"{SWITCH}\": {sentence}"), sentence)
            .refused_with(error.raw_os_error())
            .trying("cannot forget the answers that the kernel keeps")
    })
}

/// Returns what is needed to print routes: the names of tables and links, and with `-d` the next hops.
///
/// # Errors
/// The socket cannot be opened. What cannot be named keeps its number.
pub fn context(ip: &mut Ip<'_>, routes: &[Route]) -> Result<Context, Failure> {
    let mut context = names_only(ip);
    let mut links: Vec<u32> = routes.iter().flat_map(route::references).collect();
    if ip.options.details > 0 {
        let mut wanted: Vec<u32> = routes.iter().filter_map(|route| route.nh_id).collect();
        wanted.sort_unstable();
        wanted.dedup();
        for id in wanted {
            let asked = crate::cli::ip::nexthop::question(ip, id);
            if let Ok(hop) = ip.socket()?.get::<Nexthop>(&Request::get_nexthop(&asked)) {
                links.extend(nexthop::references(&hop));
                context.nexthops.insert(id, hop);
            }
        }
    }
    name_links(ip, &mut context, links)?;
    Ok(context)
}

/// Returns the names that stand in the system's tables.
#[must_use]
pub fn names_only(ip: &Ip<'_>) -> Context {
    Context {
        tables: ip.tables.rows(names::ROUTE_TABLES),
        protocols: ip.tables.rows(names::ROUTE_PROTOCOLS),
        scopes: ip.tables.rows(names::SCOPES),
        realms: ip.tables.rows(names::REALMS),
        dsfields: ip.tables.rows(names::DS_FIELDS),
        numeric: ip.options.numeric,
        details: ip.options.details,
        stats: ip.options.stats,
        ..Context::default()
    }
}

/// Puts the names of links into a context.
///
/// # Errors
/// The socket cannot be opened.
pub fn name_links(ip: &mut Ip<'_>, context: &mut Context, mut links: Vec<u32>) -> Result<(), Failure> {
    /// `RTEXT_FILTER_SKIP_STATS` (`linux/rtnetlink.h`).
    const NAME_ONLY: u32 = 1 << 3;
    links.sort_unstable();
    links.dedup();
    for index in links.into_iter().filter(|index| *index != 0) {
        if let Some(name) = ip.link(index, NAME_ONLY)?.and_then(|link| link.ifname) {
            context.links.insert(index, name.as_bytes().to_vec());
        }
    }
    Ok(())
}
