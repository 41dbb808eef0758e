//! Tries whether what a lab's file expects holds, on the lab as it is.
//!
//! Each check is tried from inside its node: pings by vwire's own ping, a transfer of its own for the bandwidth.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use vwire_netlink::{Link, Request as Message, Route, Socket};

use crate::lab::mark;
use crate::lab::model::{Check, Expect, Lab};
use crate::lab::namespace::{Namespace, path_of, run_in};
use crate::ping::tally::Timing;
use crate::ping::{self, Output};

/// How many checks are tried at a time.
const TOGETHER: usize = 32;
/// How long a ping may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a ping is waited for that should not be answered.
const SILENCE: Duration = Duration::from_secs(1);
/// For how long bytes are sent to measure the bandwidth.
const TRANSFER: Duration = Duration::from_secs(1);
/// The bytes of IPv4 and ICMP headers, and of IPv6's.
const HEADERS: [u32; 2] = [28, 48];

/// Tries all checks of a lab, in the file's order: what came of each, or why it does not hold.
#[must_use]
pub fn all(lab: &Lab) -> Vec<Result<String, String>> {
    let mut results: Vec<Result<String, String>> = Vec::new();
    let is_slow = |check: &Check| matches!(check.expect, Expect::BandwidthAtLeast(_));
    for part in lab.checks.chunks(TOGETHER) {
        let tried: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                part.iter().map(|check| (!is_slow(check)).then(|| scope.spawn(move || one(lab, check)))).collect();
            let joined = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|_| Err("the check itself broke".to_owned()))
            };
            threads.into_iter().map(|thread| thread.map(joined)).collect()
        });
        // One transfer at a time, or they would measure one another.
        results.extend(part.iter().zip(tried).map(|(check, tried)| tried.unwrap_or_else(|| one(lab, check))));
    }
    results
}

/// Says a check in the words of the file.
#[must_use]
pub fn words(check: &Check) -> String {
    let to = if check.to_name.is_empty() { check.to.to_string() } else { check.to_name.clone() };
    match check.expect {
        Expect::Reach => format!("{} reaches {to}", check.from),
        Expect::MustNotReach => format!("{} must-not-reach {to}", check.from),
        Expect::Mtu(mtu) => format!("{} {to} mtu {mtu}", check.from),
        Expect::BandwidthAtLeast(rate) => format!("{} {to} bandwidth {}", check.from, bits(rate)),
    }
}

/// Tries one check: what came of it, or why it does not hold.
fn one(lab: &Lab, check: &Check) -> Result<String, String> {
    let node = open(lab, &check.from)?;
    match check.expect {
        Expect::Reach => inside(&node, || echo(check.to, 56, PATIENCE))?.map(|micros| told(Some(micros))),
        Expect::MustNotReach => match inside(&node, || echo(check.to, 56, SILENCE))? {
            Ok(micros) => Err(format!("is answered after {}", millis(micros))),
            Err(why) => Ok(why),
        },
        Expect::Mtu(mtu) => inside(&node, || undivided(check.to, mtu))?,
        Expect::BandwidthAtLeast(wanted) => {
            let other = lab.nodes.iter().find(|node| node.addresses().any(|own| own.address == check.to));
            let other = other.ok_or_else(|| format!("no node of the lab has {}", check.to))?;
            let got = transfer(&node, &open(lab, &other.name)?, check.to)?;
            if got >= wanted { Ok(bits(got)) } else { Err(format!("only {}", bits(got))) }
        }
    }
}

fn open(lab: &Lab, node: &str) -> Result<Namespace, String> {
    let is_host = lab.nodes.iter().any(|own| own.name == node && own.is_host);
    let opened = if is_host {
        Namespace::current()
    } else {
        Namespace::open(path_of(OsStr::new(&mark::namespace(&lab.name, node))))
    };
    opened.map_err(|error| format!("`{node}` is not there: {}", sentence(&error)))
}

fn inside<T: Send>(node: &Namespace, body: impl FnOnce() -> T + Send) -> Result<T, String> {
    run_in(node, body).map_err(|error| format!("cannot enter the node: {}", sentence(&error)))
}

fn sentence(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), crate::lab::failed::sentence)
}

/// Pings, and returns the round trip in microseconds.
fn echo(to: IpAddr, size: usize, patience: Duration) -> Result<u64, String> {
    let request = ping::Request {
        word: to.to_string(),
        family: None,
        from_device: None,
        from_address: None,
        size,
        ttl: None,
        broadcast: false,
        timing: Timing {
            count: Some(1),
            interval: Duration::from_millis(200),
            linger: patience,
            deadline: Some(patience),
        },
        output: Output::Nothing,
    };
    let verdict = ping::run(&request, &mut std::io::sink(), &mut std::io::sink()).map_err(|refused| refused.said)?;
    if verdict.tally.received() > 0 {
        return Ok(verdict.tally.round_trips().mean());
    }
    Err(verdict.complaints.first().map_or_else(|| "no answer".to_owned(), |complaint| complaint.words.clone()))
}

/// Sends one packet of a size that may not be divided: no device or known path on the way out is smaller.
fn undivided(to: IpAddr, mtu: u32) -> Result<String, String> {
    let own = path_mtu(to).map_err(|error| format!("no way there: {error}"))?;
    if own < mtu {
        return Err(format!("packets of {own} bytes at most leave the node"));
    }
    let headers = HEADERS[usize::from(to.is_ipv6())];
    let size = usize::try_from(mtu.saturating_sub(headers)).unwrap_or(0);
    echo(to, size, PATIENCE).map(|micros| told(Some(micros)))
}

/// Returns the MTU of the way to an address, as this namespace knows it.
fn path_mtu(to: IpAddr) -> Result<u32, String> {
    let mut socket = Socket::open().map_err(|error| error.to_string())?;
    let (family, dst_len) = if to.is_ipv4() { (2, 32) } else { (10, 128) };
    let question = Route { family, dst_len, dst: Some(to), ..Route::default() };
    let route: Route = socket.get(&Message::get_route(&question)).map_err(|error| error.to_string())?;
    let known = route.metrics.as_ref().and_then(|metrics| metrics.mtu);
    let index = route.oif.unwrap_or_default();
    let link: Link =
        socket.get(&Message::get_link(&Link { index, ..Link::default() })).map_err(|error| error.to_string())?;
    Ok(known.unwrap_or(u32::MAX).min(link.mtu.unwrap_or(u32::MAX)))
}

/// Sends bytes over TCP for a time, and returns how many bits a second arrived.
fn transfer(from: &Namespace, to: &Namespace, address: IpAddr) -> Result<u64, String> {
    let listener = inside(to, || TcpListener::bind(SocketAddr::new(address, 0)))?;
    let listener = listener.map_err(|error| format!("cannot listen on {address}: {}", sentence(&error)))?;
    let target = listener.local_addr().map_err(|error| sentence(&error))?;
    let stream = inside(from, || TcpStream::connect_timeout(&target, PATIENCE))?;
    let mut stream = stream.map_err(|error| format!("cannot connect to {target}: {}", sentence(&error)))?;
    let (mut accepted, _) = listener.accept().map_err(|error| sentence(&error))?;
    let bound = |stream: &TcpStream| {
        stream.set_write_timeout(Some(PATIENCE)).and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
    };
    bound(&stream).and_then(|()| bound(&accepted)).map_err(|error| sentence(&error))?;
    let receiver = std::thread::spawn(move || {
        let (mut buffer, mut bytes, start) = (vec![0; 1 << 16], 0_u64, Instant::now());
        while let Ok(length @ 1..) = accepted.read(&mut buffer) {
            bytes += u64::try_from(length).unwrap_or(0);
        }
        (bytes, start.elapsed())
    });
    let (buffer, end) = (vec![0; 1 << 16], Instant::now() + TRANSFER);
    while Instant::now() < end && stream.write_all(&buffer).is_ok() {}
    drop(stream);
    let (bytes, took) = receiver.join().map_err(|_| "the transfer broke".to_owned())?;
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    Ok(u64::try_from(u128::from(bytes) * 8_000_000 / u128::from(micros)).unwrap_or(u64::MAX))
}

fn told(micros: Option<u64>) -> String {
    micros.map_or_else(String::new, millis)
}

fn millis(micros: u64) -> String {
    format!("{}.{:03} ms", micros / 1000, micros % 1000)
}

fn bits(rate: u64) -> String {
    match rate {
        1_000_000_000.. => format!("{}.{} gbit", rate / 1_000_000_000, rate / 100_000_000 % 10),
        1_000_000.. => format!("{}.{} mbit", rate / 1_000_000, rate / 100_000 % 10),
        1_000.. => format!("{} kbit", rate / 1_000),
        _ => format!("{rate} bit"),
    }
}
