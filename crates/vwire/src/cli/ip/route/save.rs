//! `ip route save`, `restore` and `showdump`: routes in a file.

use vwire_netlink::wire::Body;
use vwire_netlink::{MessageType, Request, Route};

use super::filter::{self, MAIN};
use super::show;
use crate::cli::ip::Ip;
use crate::cli::ip::failure::{EXIT_KERNEL, EXIT_SEMANTIC, Failure};
use crate::cli::ip::saved::{self, Sort};
use crate::cli::ip::words::Words;
use crate::out::host::octets;
use crate::out::route::Hidden;

const ROUTES: Sort =
    Sort { magic: 0x4531_1224, ip: "route", objects: "routes", how: "`vwire route save > routes.bin`" };
/// `ENOENT`.
const ENOENT: i32 = 2;

/// Runs `ip route save`: writes routes to standard output, first of all what the file starts with.
///
/// # Errors
/// A wrong word, a terminal for output, or what the kernel refuses.
pub fn save(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    ROUTES.refuse_terminal()?;
    let chosen = choose(ip, words);
    ROUTES.write(ip, chosen.as_deref().unwrap_or_default())?;
    chosen.map(|_| ())
}

/// Returns the messages of the routes that pass, as they came.
fn choose(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<Vec<Vec<u8>>, Failure> {
    let filter = filter::read(ip, words)?;
    let request = Request::dump(MessageType::GETROUTE, &filter.to_request());
    let messages =
        ip.socket()?.dump(&request, |message| Ok((Route::parse(message.payload)?, saved::bytes_of(message))));
    let messages = match messages {
        Ok(messages) => messages,
        Err(error) if filter.table == MAIN && error.errno() == Some(ENOENT) => return Ok(Vec::new()),
        Err(error) => return Err(show::terminated(ip, &error, "Dump terminated")?.trying("cannot save the routes")),
    };
    // A filter remembers what it has seen, so the routes go through it together.
    let (routes, bytes): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
    let mut chosen = filter.choose(routes.clone()).into_iter().peekable();
    let passes = |(route, _): &(Route, Vec<u8>)| chosen.next_if(|next| next == route).is_some();
    Ok(routes.into_iter().zip(bytes).filter(passes).map(|(_, bytes)| bytes).collect())
}

/// Runs `ip route showdump`: lists the routes that a file on standard input has.
///
/// # Errors
/// Standard input holds no routes.
pub fn showdump(ip: &mut Ip<'_>) -> Result<(), Failure> {
    let file = ROUTES.read().map_err(|failure| failure.with_exit(EXIT_SEMANTIC))?;
    let (messages, end) = saved::cut(&file);
    let routes: Vec<_> = messages.iter().filter_map(|message| Route::parse(message.payload).ok()).collect();
    let context = show::context(ip, &routes)?;
    show::print_text(ip, &routes, &context, &Hidden::default());
    end.map_err(|failure| failure.with_exit(EXIT_KERNEL))
}

/// Runs `ip route restore`: routes of this host first, then those of its networks, then those behind gateways.
///
/// # Errors
/// Standard input holds no routes, or the kernel refuses one.
pub fn restore(ip: &mut Ip<'_>) -> Result<(), Failure> {
    ip.refuse_in_whole("what is restored is read from standard input, and only once")?;
    let file = ROUTES.read().map_err(|failure| failure.with_exit(EXIT_SEMANTIC))?;
    let (messages, end) = saved::cut(&file);
    for rank in 0..3 {
        for message in &messages {
            let Ok(route) = Route::parse(message.payload) else { continue };
            if rank_of(&route) == rank {
                let destination = route.dst.map_or_else(|| "default".to_owned(), |dst| dst.to_string());
                let tried = format!("cannot restore the route to `{destination}`");
                saved::restore(ip, message, &tried).map_err(|failure| failure.with_exit(EXIT_KERNEL))?;
            }
        }
        if end.is_err() {
            break;
        }
    }
    end.map_err(|failure| failure.with_exit(EXIT_KERNEL))
}

/// Returns when a route is restored: what it leans on must be there before.
fn rank_of(route: &Route) -> u8 {
    let source = route.prefsrc.map(octets);
    match route.gateway {
        Some(_) => 2,
        None if source.is_none() || source == route.dst.map(octets) => 0,
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_lean_on_comes_first() {
        let address = |text: &str| Some(text.parse().unwrap());
        let local = Route { dst: address("10.0.0.1"), prefsrc: address("10.0.0.1"), ..Route::default() };
        let network = Route { dst: address("10.0.0.0"), prefsrc: address("10.0.0.1"), ..Route::default() };
        let far = Route { gateway: address("10.0.0.2"), ..Route::default() };
        assert_eq!([local, network, far, Route::default()].map(|route| rank_of(&route)), [0, 1, 2, 0]);
    }
}
