//! `ip monitor`: tells what changes in the kernel, as it changes.
//!
//! [`words`] reads what is asked for. [`tell`] prints a message as `ip` does, with the names that [`known`] keeps.
//!
//! Called `ip`, it does what `ip` does where the kernel says that messages were lost: it says so, and what it tells from
//! then on may not fit what it told before. Called `vwire`, it reads everything anew, compares it with the [`state`] that
//! it has told, and tells the differences; so the changes told always add up to what is there. For the same reason it looks
//! after what the kernel takes without a word, as routes of a link that goes down.

pub mod clock;
pub mod known;
pub mod state;
pub mod tell;
pub mod words;

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use vwire_netlink::{DumpError, DumpFailure, Event, Monitor, Namespaces, OpenError, Request, Socket};

use super::failure::{EXIT_KERNEL, EXIT_SEMANTIC, EXIT_USAGE, errno_sentence};
use super::kernel::dump_failure;
use super::link::show::master_index;
use super::words::{Words, shown};
use super::{Failure, Ip, Persona, saved};
use crate::out::{Layout, monitor};
use clock::Clock;
use known::Known;
use state::{Grounds, State, Taken, Told};
use tell::{Origin, Teller};
use words::Asked;

/// What `ip monitor help` says.
const HELP: &str = "\
Usage: vwire monitor [ all | OBJECT... ] [ label ] [ all-nsid ] [ dev DEVICE ] [ file FILE ] [ --snapshot ]

OBJECT:     address  link  route  mroute  neigh  rule  nexthop  netconf  nsid  prefix  maddress  acaddress  stats
label       put the sort of object in front of each change; `all` does, too
all-nsid    watch all namespaces that have an id in this one
file        tell what `rtmon` has saved in the file
--snapshot  first tell what is there, as if it had just come

Without an object, all are watched. `-t` and `-ts` tell when, and `-j` writes an object a line.
";

/// `NLMSG_TSTAMP`: `rtmon` writes the time of what follows.
const TIMESTAMP: u16 = 15;
/// What the kernel says where it has no such protocol.
const ABSENT: [i32; 2] = [95, 97];
/// `EINVAL`.
const EINVAL: i32 = 22;

/// Returns the name of what `monitor` does, whatever stands behind it.
#[must_use]
pub fn operation(_: &[u8]) -> Option<&'static str> {
    Some("monitor")
}

/// Tells changes until something ends it.
///
/// # Errors
/// A wrong word, or the kernel refuses to tell.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    ip.refuse_in_whole("a monitor never ends")?;
    let (asked, end) = words::read(words, ip.persona == Persona::Vwire);
    let mut device = None;
    for name in &asked.devices {
        device = Some(master_index(ip, name)?);
    }
    end?;
    let before = ip.printer.layout();
    // `ip` has no JSON here.
    let json = before.json && ip.persona == Persona::Vwire;
    let layout = Layout { json, pretty: false, ..before };
    let teller =
        Teller { known: Known::read(ip), labelled: asked.labelled, all_namespaces: asked.all_namespaces, device };
    let mut watch = Watch {
        clock: Clock::read(),
        layout,
        teller,
        state: State::default(),
        grounds: Grounds::default(),
        is_shaken: false,
    };
    ip.printer = ip.printer.like(layout);
    let result = match asked.file {
        Some(file) => watch.replay(ip, file),
        None => watch.run(ip, &asked),
    };
    ip.printer = ip.printer.like(before);
    match result {
        Err(End::Failure(failure)) => Err(failure),
        Ok(()) | Err(End::ClosedPipe) => Ok(()),
    }
}

/// Why the telling ends.
enum End {
    Failure(Failure),
    /// Nobody reads any more.
    ClosedPipe,
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

struct Watch {
    clock: Clock,
    layout: Layout,
    teller: Teller,
    /// What was told, for vwire.
    state: State,
    grounds: Grounds,
    /// Whether something may have gone that the kernel has not told of.
    is_shaken: bool,
}

impl Watch {
    fn run(&mut self, ip: &mut Ip<'_>, asked: &Asked<'_>) -> Result<(), End> {
        let mut monitor = open(ip, asked)?;
        let requests = match ip.persona {
            Persona::Vwire => state::requests(asked, ip.options.family, ip.options.stats > 0),
            Persona::Ip => Vec::new(),
        };
        self.state = read_anew(ip, &mut monitor, &requests)?;
        self.teller.known.ask(ip)?;
        if asked.snapshot {
            let there: Vec<Told> = self.state.all().cloned().collect();
            self.tell_all(ip, &there)?;
        }
        let unsteady: Vec<Request> = requests.iter().filter(|request| state::is_unsteady(request)).cloned().collect();
        loop {
            // What may have gone is looked after once nothing else waits.
            match monitor.next(self.is_shaken.then_some(Duration::ZERO)) {
                Ok(Some(Event::Change { nsid, message })) => {
                    let (header, payload) = (message.header, message.payload);
                    let told = Told { message_type: header.message_type, flags: header.flags, payload };
                    self.change(ip, &told, nsid, asked)?;
                }
                Ok(Some(Event::Overrun)) => self.overrun(ip, &mut monitor, &requests, asked)?,
                Ok(None) if self.is_shaken => self.look_after(ip, &mut monitor, &unsteady)?,
                Ok(None) => {}
                Err(error) => return Err(receive_failure(&error).into()),
            }
        }
    }

    fn change(&mut self, ip: &mut Ip<'_>, told: &Told, nsid: Option<i32>, asked: &Asked<'_>) -> Result<(), End> {
        let is_ours = nsid.is_none() && ip.persona == Persona::Vwire;
        if is_ours {
            self.is_shaken |= self.grounds.shaken_by(told.message_type, &told.payload);
        }
        if !asked.wants_to_be_told(told.message_type) {
            if is_ours {
                self.teller.learn(told);
            }
            return Ok(());
        }
        let origin = Origin { namespace: nsid, time: self.clock.now() };
        if is_ours {
            match self.state.taken_by(told.message_type, told.flags, &told.payload) {
                Taken::Nothing => {}
                Taken::One(gone) => {
                    self.state.apply(gone.message_type, gone.flags, &gone.payload);
                    self.tell(ip, &gone, origin)?;
                }
                Taken::Some => self.is_shaken = true,
            }
            self.state.apply(told.message_type, told.flags, &told.payload);
        }
        self.tell(ip, told, origin)
    }

    /// Tells what has gone without a message.
    fn look_after(&mut self, ip: &mut Ip<'_>, monitor: &mut Monitor, requests: &[Request]) -> Result<(), End> {
        self.is_shaken = false;
        let read = match monitor.ask(|socket| read(socket, requests)) {
            Ok(read) => read,
            // It changes while it is read, so that more is told, and it is read again behind that.
            Err(DumpError { cause: DumpFailure::Interrupted { .. }, .. }) => {
                self.is_shaken = true;
                return Ok(());
            }
            Err(error) => return Err(dump_failure(&error, ip.persona).into()),
        };
        let now = self.state.with(&read);
        self.tell_differences(ip, now, |_, _| {})
    }

    fn tell(&mut self, ip: &mut Ip<'_>, told: &Told, origin: Origin) -> Result<(), End> {
        self.teller.tell(ip, told, origin)?;
        self.flush(ip)
    }

    fn tell_all(&mut self, ip: &mut Ip<'_>, all: &[Told]) -> Result<(), End> {
        let origin = Origin { namespace: None, time: self.clock.now() };
        all.iter().try_for_each(|told| self.tell(ip, told, origin))
    }

    /// Writes out what was told, and makes the printer ready for the next object.
    fn flush(&mut self, ip: &mut Ip<'_>) -> Result<(), End> {
        let result = ip.flush();
        ip.printer = ip.printer.like(self.layout);
        result.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => End::ClosedPipe,
            _ => Failure::new(EXIT_SEMANTIC, "", error.to_string())
                .unsaid_by_ip()
                .trying("cannot write the output")
                .into(),
        })
    }

    fn overrun(
        &mut self,
        ip: &mut Ip<'_>,
        monitor: &mut Monitor,
        requests: &[Request],
        asked: &Asked<'_>,
    ) -> Result<(), End> {
        if ip.persona == Persona::Ip {
            ip.say(b"netlink receive error No buffer space available (105)\n");
            return Ok(());
        }
        let now = read_anew(ip, monitor, requests)?;
        self.is_shaken = false;
        let others = if asked.all_namespaces { ", but for other namespaces" } else { "" };
        self.tell_differences(ip, now, |ip, differences| {
            let warning = format!(
                "warning: the kernel has dropped changes that were not read in time; all was read anew{others}, and \
                 {differences} differences follow\nhint: `-rcvbuf BYTES` in front of `monitor` makes room for more\n"
            );
            ip.say(warning.as_bytes());
        })
    }

    /// Tells in what another state differs, which takes the place of the one that was told; `say` gets their number before.
    fn tell_differences(
        &mut self,
        ip: &mut Ip<'_>,
        now: State,
        say: impl FnOnce(&mut Ip<'_>, usize),
    ) -> Result<(), End> {
        let mut failure = None;
        let differences = self.state.differences(&now, |told| match self.teller.face(ip, told) {
            Ok(face) => face,
            Err(error) => {
                failure = Some(error);
                Vec::new()
            }
        });
        if let Some(failure) = failure {
            return Err(failure.into());
        }
        say(ip, differences.len());
        self.state = now;
        self.tell_all(ip, &differences)
    }

    fn replay(&mut self, ip: &mut Ip<'_>, file: &[u8]) -> Result<(), End> {
        let path = std::ffi::OsStr::from_bytes(file);
        let bytes = std::fs::read(path).map_err(|error| {
            let reason = errno_sentence(error.raw_os_error().unwrap_or_default());
            Failure::new(EXIT_USAGE, format!("Cannot fopen: {reason}"), reason)
                .trying(format!("cannot read `{}`", shown(file)))
                .refused_with(error.raw_os_error())
        })?;
        let (messages, end) = saved::cut_behind(0, &bytes);
        let mut time = self.clock.now();
        for message in messages {
            if message.header.message_type.0 == TIMESTAMP {
                time = self.clock.at(saved_time(message.payload));
                monitor::print_time(&mut ip.printer, &time);
                self.flush(ip)?;
                continue;
            }
            let (message_type, flags) = (message.header.message_type, message.header.flags);
            let told = Told { message_type, flags, payload: message.payload.into() };
            self.tell(ip, &told, Origin { namespace: None, time })?;
        }
        end.map_err(|failure| failure.with_exit(EXIT_SEMANTIC).into())
    }
}

/// Reads the seconds and microseconds that `rtmon` has written.
pub(in crate::cli) fn saved_time(payload: &[u8]) -> Duration {
    let number = |place: usize| {
        let bytes = payload.get(place..place + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_ne_bytes).unwrap_or_default()
    };
    Duration::from_secs(number(0).into()) + Duration::from_micros(number(4).into())
}

fn open(ip: &Ip<'_>, asked: &Asked<'_>) -> Result<Monitor, Failure> {
    let namespaces = if asked.all_namespaces { Namespaces::AllWithId } else { Namespaces::Own };
    let (mut always, mut if_there) = asked.groups(ip.options.family);
    if ip.persona == Persona::Vwire {
        let (grounds, grounds_if_there) = asked.grounds();
        always.extend(grounds);
        if_there.extend(grounds_if_there);
    }
    let all = [always.as_slice(), &if_there].concat();
    let monitor = match Monitor::open(&all, namespaces) {
        Err(error) if error.source.raw_os_error() == Some(EINVAL) => Monitor::open(&always, namespaces),
        monitor => monitor,
    };
    let monitor = monitor.map_err(|error| open_failure(&error))?;
    if let Some(bytes) = ip.options.receive_buffer {
        let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
        monitor.set_receive_buffer(bytes).map_err(|error| open_failure(&error))?;
    }
    Ok(monitor)
}

fn open_failure(error: &OpenError) -> Failure {
    let reason = errno_sentence(error.source.raw_os_error().unwrap_or_default());
    let failure = Failure::new(EXIT_SEMANTIC, format!("{}: {reason}", error.step), reason)
        .trying("cannot be told of changes by the kernel")
        .refused_with(error.source.raw_os_error());
    match error.step {
        "NETLINK_LISTEN_ALL_NSID" => failure.hint("`all-nsid` takes CAP_NET_BROADCAST; run it as root, or without"),
        _ => failure,
    }
}

fn receive_failure(error: &io::Error) -> Failure {
    let errno = error.raw_os_error().unwrap_or_default();
    let reason = errno_sentence(errno);
    Failure::new(EXIT_KERNEL, format!("netlink receive error {reason} ({errno})"), reason)
        .trying("cannot receive what the kernel tells")
        .refused_with(error.raw_os_error())
}

/// Reads all that is there; as long as it changes while it is read, once more.
fn read_anew(ip: &Ip<'_>, monitor: &mut Monitor, requests: &[Request]) -> Result<State, Failure> {
    if requests.is_empty() {
        return Ok(State::default());
    }
    loop {
        match monitor.resync(|socket| read(socket, requests)) {
            Ok(state) => return Ok(state),
            Err(DumpError { cause: DumpFailure::Interrupted { .. }, .. }) => {}
            Err(error) => return Err(dump_failure(&error, ip.persona)),
        }
    }
}

fn read(socket: &mut Socket, requests: &[Request]) -> Result<State, DumpError> {
    let mut state = State::default();
    for request in requests {
        let dumped = socket.dump(request, |message| {
            Ok(Told { message_type: message.header.message_type, flags: 0, payload: message.payload.into() })
        });
        match dumped {
            Ok(all) => all.iter().for_each(|told| state.apply(told.message_type, 0, &told.payload)),
            Err(error) if error.errno().is_some_and(|errno| ABSENT.contains(&errno)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(state)
}
