//! `vwire ping`: asks a host for echoes, with iputils' options and output, and says at the end what did not arrive.

mod document;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::ip::options::{Family as IpFamily, Options};
use super::talk::Talk;
use super::{Call, Verb};
use crate::lab::failed::Failed;
use crate::lab::namespace;
use crate::ping::echo::Family;
use crate::ping::tally::Timing;
use crate::ping::{self, Output, Refused, Request};

/// The row for the table of verbs.
#[must_use]
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("ping")
        .about("Asks a host for echoes, and says what arrived and what did not")
        .long_about(
            "Asks a host for echoes, and says what arrived and what did not.\n\n\
             Options, output and exit codes are those of iputils' ping; one line is added at the end. Needs no \
             privilege where the user's group lies in net.ipv4.ping_group_range.",
        )
        .after_help("Exit codes: 0 something came back, 1 nothing did (or too little before -w), 2 anything else.\n")
        .disable_help_flag(true)
        .args_override_self(true)
        .arg(Arg::new("help").short('h').long("help").action(ArgAction::Help).help("Prints this"))
        .arg(
            value("from", 'I', "DEVICE|ADDRESS", "Leaves by this device or from this address; twice for both")
                .action(ArgAction::Append),
        )
        .arg(value("count", 'c', "COUNT", "Stops after so many answers"))
        .arg(value(
            "interval",
            'i',
            "SECONDS",
            "Waits so long from packet to packet [default: 1; users: at least 0.002]",
        ))
        .arg(value("linger", 'W', "SECONDS", "Waits so long at the end where nothing was answered [default: 10]"))
        .arg(value("deadline", 'w', "SECONDS", "Stops after so long; then -c counts replies"))
        .arg(value("size", 's', "BYTES", "Sends so much data; below 16 without times [default: 56]"))
        .arg(value("ttl", 't', "HOPS", "Sets the time to live, or the hop limit"))
        .arg(flag("quiet", 'q', "Prints no line for each packet"))
        .arg(flag("json", 'j', "Prints one JSON document at the end and nothing else"))
        .arg(flag("v4", '4', "Takes IPv4 addresses only"))
        .arg(flag("v6", '6', "Takes IPv6 addresses only"))
        .arg(flag("broadcast", 'b', "Allows broadcast addresses"))
        .arg(flag("numeric", 'n', "Changes nothing: addresses are never turned into names"))
        .arg(flag("flood", 'f', "Refused").hide(true))
        .arg(
            Arg::new("destination")
                .value_name("DESTINATION")
                .help("A name or an address; a link-local one with its device: fe80::1%ep1"),
        )
}

fn value(name: &'static str, short: char, what: &'static str, help: &'static str) -> Arg {
    let value = Arg::new(name).short(short).value_name(what).help(help).allow_hyphen_values(true);
    value.value_parser(clap::value_parser!(OsString))
}

fn flag(name: &'static str, short: char, help: &'static str) -> Arg {
    Arg::new(name).short(short).action(ArgAction::SetTrue).help(help)
}

fn run(call: &mut Call<'_>) -> u8 {
    let result = match &call.options.netns {
        Some(name) => namespace::enter(name).map_err(|error| refused_entry(&error)),
        None => Ok(()),
    };
    let is_root = nix::unistd::getuid().is_root();
    let request = result.and_then(|()| request(&call.arguments, &call.options, is_root));
    let mut talk = Talk::new(call.stderr, call.form);
    match request.and_then(|request| ping::run(&request, call.stdout, &mut |line| talk.says(line))) {
        Ok(verdict) => {
            if wants_json(&call.arguments, &call.options) {
                // Whoever closed the pipe does not want to know.
                let _ = call.stdout.write_all(&document::json(&verdict, call.options.pretty));
            }
            verdict.tally.exit()
        }
        Err(refused) => {
            let words = refused.to_string();
            let cause = words.strip_prefix("ping: ").unwrap_or(&words);
            let failed = refused.hints.iter().fold(Failed::new(cause), |failed, hint| failed.hint(hint.clone()));
            talk.refuses_as(&words, &failed, refused.exit)
        }
    }
}

fn refused_entry(error: &namespace::EnterError) -> Refused {
    Refused::system(&error.to_string(), &error.source).hint("`vwire netns list` shows the namespaces that have names")
}

/// Reads the arguments; users but root must leave the network some rest.
fn request(arguments: &ArgMatches, options: &Options, is_root: bool) -> Result<Request, Refused> {
    let word = arguments.get_one::<String>("destination").ok_or_else(|| {
        let refused = Refused::new("usage error: Destination address required".to_owned());
        Refused { exit: 1, ..refused }.hint("`vwire ping -c 3 10.0.0.2` asks three times")
    })?;
    if arguments.get_flag("flood") {
        return Err(Refused::new("flood pings are not offered".to_owned())
            .hint("`-i 0.002` sends as fast as users may; root may say `-i 0.001`"));
    }
    let (from_device, from_address) = sources(arguments)?;
    Ok(Request {
        word: word.clone(),
        family: family(arguments, options)?,
        from_device,
        from_address,
        // What ICMPv6 can carry; IPv4 can carry 20 bytes less, and the kernel says so.
        size: integer(arguments, "size", 0, 65_535 - 8)?.unwrap_or(56),
        ttl: integer(arguments, "ttl", 0, 255)?,
        broadcast: arguments.get_flag("broadcast"),
        probes_mtu: false,
        timing: timing(arguments, is_root)?,
        output: match (wants_json(arguments, options), arguments.get_flag("quiet")) {
            (true, _) => Output::Nothing,
            (false, true) => Output::Quiet,
            (false, false) => Output::Lines,
        },
    })
}

fn wants_json(arguments: &ArgMatches, options: &Options) -> bool {
    arguments.get_flag("json") || options.json
}

fn family(arguments: &ArgMatches, options: &Options) -> Result<Option<Family>, Refused> {
    match (arguments.get_flag("v4"), arguments.get_flag("v6")) {
        (true, true) => Err(Refused::new("only one -4 or -6 option may be specified".to_owned())),
        (true, false) => Ok(Some(Family::V4)),
        (false, true) => Ok(Some(Family::V6)),
        (false, false) => Ok(match options.family {
            IpFamily::Inet => Some(Family::V4),
            IpFamily::Inet6 => Some(Family::V6),
            _ => None,
        }),
    }
}

fn timing(arguments: &ArgMatches, is_root: bool) -> Result<Timing, Refused> {
    let interval = seconds(arguments, "interval", "bad timing interval")?.unwrap_or(Duration::from_secs(1));
    let shortest = if is_root { ROOT_INTERVAL } else { USER_INTERVAL };
    if interval < shortest {
        let millis = shortest.as_millis();
        let whom = if is_root { "" } else { " for user" };
        return Err(Refused::new(format!("cannot flood; minimal interval allowed{whom} is {millis}ms"))
            .hint(format!("`-i 0.00{millis}` is as fast as it goes")));
    }
    let linger = seconds(arguments, "linger", "bad linger time")?;
    if let Some(linger) = linger.filter(|linger| linger.is_zero()) {
        return Err(Refused::new(format!("bad linger time: {}", linger.as_secs()))
            .hint("`-W 0.5` waits half a second for the last replies"));
    }
    let deadline: Option<u64> = integer(arguments, "deadline", 0, i32::MAX.into())?;
    Ok(Timing {
        count: integer(arguments, "count", 1, i64::MAX)?,
        interval,
        linger: linger.unwrap_or(Duration::from_secs(10)),
        deadline: deadline.filter(|&seconds| seconds > 0).map(Duration::from_secs),
    })
}

/// Tells addresses from devices; the last of each kind counts.
fn sources(arguments: &ArgMatches) -> Result<(Option<String>, Option<IpAddr>), Refused> {
    let (mut device, mut address) = (None, None);
    for word in arguments.get_many::<OsString>("from").into_iter().flatten() {
        let word = word.to_string_lossy().into_owned();
        if word.contains(':') {
            let (ip, scope) = word.split_once('%').map_or((word.as_str(), None), |(ip, scope)| (ip, Some(scope)));
            let parsed: Result<Ipv6Addr, _> = ip.parse();
            address = Some(parsed.map_err(|_| Refused::new(format!("invalid source address: {word}")))?.into());
            device = scope.map(str::to_owned).or(device);
        } else if let Ok(ip) = word.parse::<Ipv4Addr>() {
            address = Some(ip.into());
        } else {
            device = Some(word);
        }
    }
    Ok((device, address))
}

/// Reads an integer; iputils gives 1 for one that is none.
fn integer<T: TryFrom<i64>>(arguments: &ArgMatches, name: &str, least: i64, most: i64) -> Result<Option<T>, Refused> {
    let Some(word) = arguments.get_one::<OsString>(name) else { return Ok(None) };
    let word = word.to_string_lossy();
    let wrong = |said: String| Refused { exit: 1, ..Refused::new(format!("invalid argument: '{word}'{said}")) };
    let number: i64 = word.trim_start().parse().map_err(|_| wrong(String::new()))?;
    let fits = (least..=most).contains(&number).then(|| T::try_from(number).ok()).flatten();
    fits.map(Some).ok_or_else(|| wrong(format!(": out of range: {least} <= value <= {most}")))
}

/// Reads seconds, in whole milliseconds.
fn seconds(arguments: &ArgMatches, name: &str, complaint: &str) -> Result<Option<Duration>, Refused> {
    let Some(word) = arguments.get_one::<OsString>(name) else { return Ok(None) };
    let word = word.to_string_lossy();
    let wrong = || Refused::new(format!("{complaint}: {word}")).hint("seconds, as in `1` or `0.2`");
    let seconds: f64 = word.trim_start().parse().map_err(|_| wrong())?;
    if !(0.0..=LONGEST_SECONDS).contains(&seconds) {
        return Err(wrong());
    }
    let duration = Duration::from_secs_f64(seconds);
    // A microsecond is added, since 0.2 and its like have no exact binary form.
    let millis = u64::try_from((duration + Duration::from_micros(1)).as_millis()).map_err(|_| wrong())?;
    Ok(Some(Duration::from_millis(millis)))
}

/// The shortest interval that iputils allows users.
const USER_INTERVAL: Duration = Duration::from_millis(2);
/// The shortest interval that is no flood.
const ROOT_INTERVAL: Duration = Duration::from_millis(1);
/// The longest times that iputils takes: an `int` of milliseconds.
const LONGEST_SECONDS: f64 = 2_147_483.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, is_root: bool) -> Result<Request, Refused> {
        let words = std::iter::once("ping").chain(line.split_whitespace());
        request(&command().try_get_matches_from(words).unwrap(), &Options::default(), is_root)
    }

    fn said(line: &str) -> (String, u8) {
        let refused = read(line, false).unwrap_err();
        (refused.to_string(), refused.exit)
    }

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn what_is_not_said_is_as_in_iputils() {
        let request = read("10.0.0.2", false).unwrap();
        assert_eq!((request.word.as_str(), request.size, request.ttl), ("10.0.0.2", 56, None));
        assert_eq!(request.timing.interval, Duration::from_secs(1));
        assert_eq!(request.timing.linger, Duration::from_secs(10));
        assert_eq!((request.timing.count, request.timing.deadline), (None, None));
    }

    #[test]
    fn a_source_is_an_address_or_a_device() {
        let source = |line: &str| {
            let request = read(line, false).unwrap();
            (request.from_device.unwrap_or_default(), request.from_address.map(|ip| ip.to_string()).unwrap_or_default())
        };
        assert_eq!(source("-I ep1 x"), ("ep1".into(), String::new()));
        assert_eq!(source("-I10.0.0.1 x"), (String::new(), "10.0.0.1".into()));
        assert_eq!(source("-I fe80::1%ep1 x"), ("ep1".into(), "fe80::1".into()));
        assert_eq!(source("-I ep1 x -I 10.0.0.1"), ("ep1".into(), "10.0.0.1".into()));
        assert_eq!(said("-I fd00:zz::1 x").0, "ping: invalid source address: fd00:zz::1");
    }

    #[test]
    fn wrong_numbers_are_told_as_iputils_tells_them() {
        let none = "ping: usage error: Destination address required";
        assert_eq!(said("-c 1"), (none.to_owned(), 1));
        assert_eq!(said("-c x y"), ("ping: invalid argument: 'x'".to_owned(), 1));
        let range = "ping: invalid argument: '0': out of range: 1 <= value <= 9223372036854775807";
        assert_eq!(said("-c 0 y"), (range.to_owned(), 1));
        assert_eq!(said("-t 256 y").0, "ping: invalid argument: '256': out of range: 0 <= value <= 255");
        assert_eq!(said("-s -1 y").0, "ping: invalid argument: '-1': out of range: 0 <= value <= 65527");
        assert_eq!(said("-i x y"), ("ping: bad timing interval: x".to_owned(), 2));
        assert_eq!(said("-i -1 y"), ("ping: bad timing interval: -1".to_owned(), 2));
        assert_eq!(said("-i nan y").0, "ping: bad timing interval: nan");
        assert_eq!(said("-W 0 y").0, "ping: bad linger time: 0");
        assert_eq!(said("-4 -6 y").0, "ping: only one -4 or -6 option may be specified");
    }

    #[test]
    fn nobody_floods() {
        let user = "ping: cannot flood; minimal interval allowed for user is 2ms";
        assert_eq!(said("-i 0.001 y"), (user.to_owned(), 2));
        assert_eq!(read("-i 0.001 y", true).unwrap().timing.interval, Duration::from_millis(1));
        assert!(read("-i 0 y", true).is_err() && read("-f y", true).is_err());
    }

    #[test]
    fn fractions_of_seconds_are_exact() {
        assert_eq!(read("-i 0.2 -W 0.3 y", false).unwrap().timing.interval, Duration::from_millis(200));
        assert_eq!(read("-i .002 y", false).unwrap().timing.interval, Duration::from_millis(2));
    }

    #[test]
    fn the_last_of_an_option_counts() {
        assert_eq!(read("-c 1 -c 2 y -q -q", false).unwrap().timing.count, Some(2));
    }
}
