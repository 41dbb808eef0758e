//! Asks a host for echoes and says what came back, and what did not: `vwire ping`.
//!
//! Pure: [`echo`] builds and reads the packets, [`tally`] decides what to do next and keeps the
//! score, [`trouble`] names ICMP errors and what they mean, [`report`] has iputils' lines,
//! [`verdict`] the last one, which is ours, and [`ranges`] the sets of packet numbers.
//! Touching: [`target`] asks resolver and routing, [`socket`] sends and hears, [`interrupts`]
//! waits. [`run`] is the loop between the two.
//!
//! Output and exit codes follow iputils 20221126 (Debian 12) to the byte, but for these: names
//! are never looked up for addresses (`-n` is always on); a link-local address without a device
//! is refused at once; errors are followed by hints, and the statistics by one line.

pub mod echo;
pub mod interrupts;
pub mod ranges;
pub mod report;
pub mod socket;
mod sys;
pub mod tally;
pub mod target;
pub mod trouble;
pub mod verdict;

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use nix::libc;

use echo::{Echo, Family};
use interrupts::{Interrupts, Woken};
use ranges::Ranges;
use report::{Names, Reply};
use socket::{EchoSocket, Queued};
use tally::{Next, Tally, Timing};
use target::Path;
use trouble::{Circumstances, Complaint, IcmpError, Teller};
use verdict::Verdict;

/// Whom to ping, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// A name or an address.
    pub word: String,
    /// The address family to take, where only one will do.
    pub family: Option<Family>,
    /// `-I DEVICE`
    pub from_device: Option<String>,
    /// `-I ADDRESS`
    pub from_address: Option<IpAddr>,
    /// `-s`: bytes of data.
    pub size: usize,
    /// `-t`: time to live or hop limit.
    pub ttl: Option<u8>,
    /// `-b`: broadcast addresses are fine.
    pub broadcast: bool,
    /// Packets go undivided, and an MTU of the path that is remembered from before does not count.
    pub probes_mtu: bool,
    /// `-c`, `-i`, `-W`, `-w`.
    pub timing: Timing,
    /// How much to print.
    pub output: Output,
}

/// How much to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A line for each packet.
    Lines,
    /// The first line and the last ones, `-q`.
    Quiet,
    /// Nothing but what went wrong at the start; the caller has something to say of its own.
    Nothing,
}

/// Why there was no pinging at all: iputils' words, hints, and iputils' exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What iputils says behind `ping: `.
    pub said: String,
    /// What may help, with commands that can be pasted.
    pub hints: Vec<String>,
    /// The exit code.
    pub exit: u8,
}

impl Refused {
    /// Makes one with exit code 2.
    #[must_use]
    pub fn new(said: String) -> Self {
        Self { said, hints: Vec::new(), exit: 2 }
    }

    /// A system call failed: `connect: Network is unreachable`.
    #[must_use]
    pub fn system(what: &str, error: &io::Error) -> Self {
        Self::new(format!("{what}: {}", sentence(error.raw_os_error().unwrap_or(libc::EIO))))
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ping: {}", self.said)
    }
}

impl std::error::Error for Refused {}

/// Pings until it is done or interrupted; returns what came of it. `remark` hears what is said beside, a line each.
///
/// # Errors
/// There is no address, no way or no permission to ping.
pub fn run(request: &Request, stdout: &mut dyn Write, remark: &mut dyn FnMut(&str)) -> Result<Verdict, Refused> {
    let path = target::find(request)?;
    let socket = EchoSocket::open(&path, request)?;
    let interrupts = Interrupts::catch().map_err(|errno| Refused::system("signalfd", &errno.into()))?;
    let verdict = Verdict {
        names: names(request, &path),
        tally: Tally::new(request.timing, Instant::now()),
        answerers: Vec::new(),
        complaints: Vec::new(),
        damaged: Ranges::default(),
        timed: request.size >= echo::STAMP,
    };
    let mut session = Session { request, path, socket, verdict, stdout, stdout_is_gone: false, remark };
    session.begin();
    session.carry_on(&interrupts);
    session.end();
    Ok(session.verdict)
}

fn names(request: &Request, path: &Path) -> Names {
    Names {
        word: request.word.clone(),
        target: path.shown.clone(),
        source: path.source.as_ref().map(target::shown),
        device: request.from_device.clone(),
        from_is_asked: request.from_device.is_some() || request.from_address.is_some(),
    }
}

struct Session<'a> {
    request: &'a Request,
    path: Path,
    socket: EchoSocket,
    /// Grows as packets come and go.
    verdict: Verdict,
    stdout: &'a mut dyn Write,
    stdout_is_gone: bool,
    /// Hears what is worth a line beside the answers.
    remark: &'a mut dyn FnMut(&str),
}

/// What the error queue held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Drained {
    local: bool,
    icmp: bool,
}

impl Session<'_> {
    fn begin(&mut self) {
        for warning in self.path.warnings.clone() {
            // iputils names itself before its warnings but not before its WARNINGs.
            let name = if warning.starts_with("Warning") { "ping: " } else { "" };
            (self.remark)(&format!("{name}{warning}"));
        }
        if self.request.output != Output::Nothing {
            self.say(&report::header(self.path.family(), &self.verdict.names, self.request.size));
        }
    }

    fn carry_on(&mut self, interrupts: &Interrupts) {
        while !self.stdout_is_gone {
            let now = Instant::now();
            match self.verdict.tally.next(now) {
                Next::Finished => return,
                Next::Send(number) => self.send(number, now),
                Next::Wait(until) => match interrupts.wait(self.socket_fd(), until - now) {
                    Woken::Stop => return,
                    Woken::Status => {
                        let status = report::status(&self.verdict.tally, self.verdict.timed);
                        (self.remark)(status.trim_end());
                    }
                    Woken::Look => self.listen(),
                },
            }
        }
    }

    fn end(&mut self) {
        if self.request.output != Output::Nothing {
            let Verdict { names, tally, timed, .. } = &self.verdict;
            let statistics = report::statistics(&names.word, tally, *timed);
            self.say(&(statistics + &self.verdict.line()));
        }
    }

    // ---- sending ----------------------------------------------------------------------------

    fn send(&mut self, number: u64, now: Instant) {
        let [low, high, ..] = number.to_le_bytes();
        let sequence = u16::from_le_bytes([low, high]);
        // An ICMP error about an earlier packet would be returned in the place of sending this one.
        self.socket.clear_error();
        let mut sent = self.socket.send(sequence, self.request.size);
        if sent.is_err() {
            let drained = self.drain_errors(Some(number));
            if drained.local {
                self.verdict.tally.sent(now);
                return;
            }
            if drained.icmp {
                sent = self.socket.send(sequence, self.request.size);
            }
        }
        match sent {
            Ok(()) => self.verdict.tally.sent(now),
            Err(error) if is_full(&error) && self.verdict.tally.deferred(now) => {}
            Err(error) => self.could_not_send(number, now, error.raw_os_error().unwrap_or(libc::EIO)),
        }
    }

    fn could_not_send(&mut self, number: u64, now: Instant, errno: i32) {
        self.verdict.tally.not_sent(now);
        let words = sentence(errno);
        self.warn(&format!("sendmsg: {words}"));
        let meaning = match errno {
            libc::ENETUNREACH | libc::EHOSTUNREACH => Some(format!("no route leads to {}", self.verdict.names.target)),
            libc::EPERM => Some("a filter on this machine drops it".to_owned()),
            libc::ENETDOWN | libc::ENODEV | libc::ENXIO => Some("the device is down or gone".to_owned()),
            _ => None,
        };
        self.note_local(number, words, meaning);
    }

    // ---- hearing ----------------------------------------------------------------------------

    fn listen(&mut self) {
        while let Some(heard) = self.socket.receive() {
            let at = Instant::now().checked_sub(heard.age).unwrap_or_else(Instant::now);
            let (from, hops, Echo { sequence, data, .. }) = (heard.from, heard.hops, heard.echo);
            let data = data.to_vec();
            self.reply_in(from, hops, sequence, &data, at);
            if self.verdict.tally.next(Instant::now()) == Next::Finished {
                return;
            }
        }
        self.drain_errors(None);
    }

    fn reply_in(&mut self, from: SocketAddr, hops: Option<u8>, sequence: u16, data: &[u8], at: Instant) {
        let Some(arrival) = self.verdict.tally.reply_in(sequence, at) else { return };
        let size = self.request.size;
        let changed = data.get(..size).and_then(echo::changed);
        if changed.is_some() || data.len() < size {
            self.verdict.damaged.insert(arrival.number);
        }
        let sender = target::shown(&from);
        let line = report::reply(
            Reply {
                from: &sender,
                sequence,
                hops,
                data,
                micros: arrival.round_trip.filter(|_| self.verdict.timed).map(micros),
                duplicate: arrival.duplicate && !self.path.to_many,
                stranger: self.is_stranger(from.ip()),
            },
            size,
            changed,
        );
        if !self.verdict.answerers.contains(&sender) {
            self.verdict.answerers.push(sender);
        }
        self.say_each(&line);
    }

    /// Reads the error queue until it is empty; `sending` is the packet that is on its way out.
    fn drain_errors(&mut self, sending: Option<u64>) -> Drained {
        let mut drained = Drained::default();
        while let Some(queued) = self.socket.next_error() {
            match queued {
                Queued::Local { errno, mtu } => {
                    drained.local = true;
                    self.local_error_in(sending, errno, mtu);
                }
                Queued::Icmp { from, error, sequence } => {
                    drained.icmp = true;
                    self.icmp_error_in(from, error, sequence);
                }
                Queued::Other => {}
            }
        }
        drained
    }

    fn local_error_in(&mut self, sending: Option<u64>, errno: i32, mtu: u32) {
        self.verdict.tally.error_in(None);
        let words = match (errno, self.path.family()) {
            (libc::EMSGSIZE, Family::V4) => format!("message too long, mtu={mtu}"),
            (libc::EMSGSIZE, Family::V6) => format!("message too long, mtu: {mtu}"),
            _ => sentence(errno),
        };
        self.warn(&format!("local error: {words}"));
        let meaning = (errno == libc::EMSGSIZE).then(|| "the packet is larger than can be sent".to_owned());
        self.note_local(sending.unwrap_or(self.verdict.tally.transmitted()), words, meaning);
    }

    fn icmp_error_in(&mut self, from: Option<SocketAddr>, error: IcmpError, sequence: u16) {
        let sender = from.as_ref().map(target::shown);
        let words = error.words();
        self.say_each(&report::error(sender.as_deref().unwrap_or("?"), sequence, &words));
        if !error.is_fatal() {
            return;
        }
        let number = self.verdict.tally.error_in(Some(sequence));
        if let Some(number) = number.filter(|_| self.path.family() == Family::V4) {
            self.verdict.tally.acknowledge(number);
        }
        let from_here = from.is_none_or(|from| self.path.here.contains(from.ip(), None));
        let circumstances = Circumstances {
            target: &self.verdict.names.target,
            on_link: self.path.here.reach_without_gateway(self.path.target.ip()),
            from_here,
        };
        let complaint = Complaint {
            teller: Teller { address: sender, is_here: from_here },
            meaning: error.meaning(circumstances),
            words,
            numbers: number.into_iter().collect(),
            times: 1,
        };
        trouble::note(&mut self.verdict.complaints, complaint);
    }

    fn note_local(&mut self, number: u64, words: String, meaning: Option<String>) {
        let teller = Teller { address: None, is_here: true };
        let numbers = [number].into_iter().collect();
        trouble::note(&mut self.verdict.complaints, Complaint { teller, words, meaning, numbers, times: 1 });
    }

    // ---- telling ----------------------------------------------------------------------------

    fn say_each(&mut self, line: &str) {
        if self.request.output == Output::Lines {
            self.say(line);
        }
    }

    fn say(&mut self, line: &str) {
        let written = self.stdout.write_all(line.as_bytes()).and_then(|()| self.stdout.flush());
        self.stdout_is_gone |= written.is_err();
    }

    fn warn(&mut self, what: &str) {
        if self.request.output == Output::Lines {
            (self.remark)(&format!("ping: {what}"));
        }
    }

    fn socket_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.socket)
    }

    /// Whether an answer comes from another address than was pinged, though only one was.
    fn is_stranger(&self, from: IpAddr) -> bool {
        let target = self.path.target.ip();
        let is_anycast = matches!(target, IpAddr::V6(target) if target.segments()[4..] == [0; 4]);
        from != target && !self.path.to_many && !is_anycast
    }
}

/// Returns the C library's sentence for an error number.
fn sentence(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// The send buffer or the device's queue is full, or memory is short.
fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
