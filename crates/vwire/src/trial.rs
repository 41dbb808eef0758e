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
/// `RTM_F_FIB_MATCH`.
const FIB_MATCH: u32 = 0x2000;
/// The bytes of IPv4 and ICMP headers, and of IPv6's.
const HEADERS: [u32; 2] = [28, 48];

/// Tries all checks of a lab, in the file's order: what came of each, or why it does not hold.
#[must_use]
pub fn all(lab: &Lab) -> Vec<Result<String, String>> {
    all_telling(lab, &mut |_| ())
}

/// Tries all checks of a lab as [`all`] does, and tells how many are done.
pub fn all_telling(lab: &Lab, tell: &mut dyn FnMut(usize)) -> Vec<Result<String, String>> {
    let mut results: Vec<Result<String, String>> = Vec::new();
    let mut done = 0;
    let mut count = || {
        done += 1;
        tell(done);
    };
    let is_slow = |check: &Check| matches!(check.expect, Expect::BandwidthAtLeast(_));
    for part in lab.checks.chunks(TOGETHER) {
        let tried: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                part.iter().map(|check| (!is_slow(check)).then(|| scope.spawn(move || one(lab, check)))).collect();
            let mut joined = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                let tried = thread.join().unwrap_or_else(|_| Err("the check itself broke".to_owned()));
                count();
                tried
            };
            threads.into_iter().map(|thread| thread.map(&mut joined)).collect()
        });
        // One transfer at a time, or they would measure one another.
        for (check, tried) in part.iter().zip(tried) {
            let is_late = tried.is_none();
            results.push(tried.unwrap_or_else(|| one(lab, check)));
            if is_late {
                count();
            }
        }
    }
    results
}

/// Tries one check at each of its addresses: what came of it, or why it does not hold.
fn one(lab: &Lab, check: &Check) -> Result<String, String> {
    let node = open(lab, &check.from)?;
    let tried: Vec<_> = check.to.iter().map(|to| (*to, at(lab, check, &node, *to))).collect();
    together(&tried)
}

/// Puts together what was seen at several addresses: all must hold. Each is named where there are several, by its family
/// if that is enough.
fn together(tried: &[(IpAddr, Result<String, String>)]) -> Result<String, String> {
    let said = |to: &IpAddr, seen: &str| match tried.len() {
        1 => seen.to_owned(),
        _ if tried.iter().filter(|(other, _)| other.is_ipv4() == to.is_ipv4()).count() > 1 => format!("{to}: {seen}"),
        _ => format!("{}: {seen}", if to.is_ipv4() { "IPv4" } else { "IPv6" }),
    };
    let failed: Vec<String> =
        tried.iter().filter_map(|(to, seen)| seen.as_ref().err().map(|seen| said(to, seen))).collect();
    match failed.is_empty() {
        true => {
            Ok(tried.iter().filter_map(|(to, seen)| Some(said(to, seen.as_ref().ok()?))).collect::<Vec<_>>().join(", "))
        }
        false => Err(failed.join(", ")),
    }
}

fn at(lab: &Lab, check: &Check, node: &Namespace, to: IpAddr) -> Result<String, String> {
    match check.expect {
        Expect::Reach(None) => inside(node, || echo(to, Size::Usual, PATIENCE))?.map(millis).map_err(Unanswered::told),
        Expect::MustNotReach(None) => match inside(node, || echo(to, Size::Usual, SILENCE))? {
            Ok(micros) => Err(format!("is answered after {}", millis(micros))),
            Err(why) => Ok(why.told()),
        },
        Expect::Reach(Some(port)) => match inside(node, || connect(SocketAddr::new(to, port), PATIENCE))? {
            Ok(micros) => Ok(format!("connected in {}", millis(micros))),
            Err(why) => Err(why),
        },
        Expect::MustNotReach(Some(port)) => {
            let target = SocketAddr::new(to, port);
            // With nobody there to answer, it would hold whatever a filter does.
            let _listener = owner(lab, to).and_then(|name| listen(&open(lab, name).ok()?, target));
            match inside(node, || connect(target, SILENCE))? {
                Ok(micros) => Err(format!("is connected in {}", millis(micros))),
                Err(why) => Ok(why),
            }
        }
        Expect::Mtu(mtu) => inside(node, || undivided(to, mtu))?,
        Expect::BandwidthAtLeast(wanted) => {
            let other = owner(lab, to).ok_or_else(|| format!("no node of the lab has {to}"))?;
            let got = transfer(node, &open(lab, other)?, to)?;
            if got >= wanted { Ok(bits(got)) } else { Err(format!("only {}", bits(got))) }
        }
    }
}

/// Returns the name of the node that has an address.
fn owner(lab: &Lab, address: IpAddr) -> Option<&str> {
    let node = lab.nodes.iter().find(|node| node.addresses().any(|own| own.address == address))?;
    Some(&node.name)
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

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Unanswered {
    /// Nothing could be sent.
    NotSent(String),
    /// None came.
    Silent(String),
}

impl Unanswered {
    fn told(self) -> String {
        match self {
            Self::NotSent(why) => format!("nothing was sent: {why}"),
            Self::Silent(why) => why,
        }
    }
}

/// How large a ping is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// As `ping` sends them.
    Usual,
    /// This many bytes of data, in a packet that is not divided.
    Undivided(usize),
}

/// Pings, and returns the round trip in microseconds.
fn echo(to: IpAddr, size: Size, patience: Duration) -> Result<u64, Unanswered> {
    let request = ping::Request {
        word: to.to_string(),
        family: None,
        from_device: None,
        from_address: None,
        size: match size {
            Size::Usual => 56,
            Size::Undivided(bytes) => bytes,
        },
        ttl: None,
        broadcast: false,
        // What is remembered of the way may be from before it was changed.
        probes_mtu: matches!(size, Size::Undivided(_)),
        timing: Timing {
            count: Some(1),
            interval: Duration::from_millis(200),
            linger: patience,
            deadline: Some(patience),
        },
        output: Output::Nothing,
    };
    let verdict =
        ping::run(&request, &mut std::io::sink(), &mut |_| {}).map_err(|refused| Unanswered::NotSent(refused.said))?;
    if verdict.tally.received() > 0 {
        return Ok(verdict.tally.round_trips().mean());
    }
    let complaint = verdict.complaints.first().map(|complaint| complaint.words.clone());
    Err(Unanswered::Silent(complaint.unwrap_or_else(|| "no answer".to_owned())))
}

/// Connects by TCP, and returns how long that took in microseconds.
fn connect(target: SocketAddr, patience: Duration) -> Result<u64, String> {
    let start = Instant::now();
    match TcpStream::connect_timeout(&target, patience) {
        Ok(_) => Ok(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)),
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => Err("no answer".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Err("refused: nobody listens there, or a filter rejects it".to_owned())
        }
        Err(error) => Err(format!("nothing was sent: {}", sentence(&error))),
    }
}

/// Listens at an address of a node, unless somebody does already.
fn listen(node: &Namespace, target: SocketAddr) -> Option<socket2::Socket> {
    let listen = || -> std::io::Result<socket2::Socket> {
        let socket = socket2::Socket::new(socket2::Domain::for_address(target), socket2::Type::STREAM, None)?;
        // Other checks of the same port listen beside this one.
        socket.set_reuse_port(true)?;
        socket.bind(&target.into())?;
        socket.listen(128)?;
        Ok(socket)
    };
    inside(node, listen).ok()?.ok()
}

/// Sends one packet of a size that may not be divided.
fn undivided(to: IpAddr, mtu: u32) -> Result<String, String> {
    let own = path_mtu(to).map_err(|error| format!("no way there: {error}"))?;
    if own < mtu {
        return Err(format!("packets of {own} bytes at most leave the node"));
    }
    let headers = HEADERS[usize::from(to.is_ipv6())];
    let size = usize::try_from(mtu.saturating_sub(headers)).unwrap_or(0);
    echo(to, Size::Undivided(size), PATIENCE).map(millis).map_err(Unanswered::told)
}

/// Returns the MTU by which packets to an address leave this namespace: that of the route, or of the device.
fn path_mtu(to: IpAddr) -> Result<u32, String> {
    let mut socket = Socket::open().map_err(|error| error.to_string())?;
    let (family, dst_len) = if to.is_ipv4() { (2, 32) } else { (10, 128) };
    // The route itself, not what was learned on the way.
    let question = Route { family, dst_len, dst: Some(to), flags: FIB_MATCH, ..Route::default() };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_families_count_and_are_named() {
        let (four, six): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap());
        let good = || Ok("0.1 ms".to_owned());
        assert_eq!(together(&[(four, good())]), Ok("0.1 ms".to_owned()));
        assert_eq!(together(&[(four, good()), (six, good())]), Ok("IPv4: 0.1 ms, IPv6: 0.1 ms".to_owned()));
        let other = "10.1.0.1".parse().unwrap();
        assert_eq!(together(&[(four, good()), (other, Err("no".to_owned()))]), Err("10.1.0.1: no".to_owned()));
        assert_eq!(together(&[(four, good()), (six, Err("no answer".to_owned()))]), Err("IPv6: no answer".to_owned()));
    }
}
