//! Doing steps: the thin part that touches the world.
//!
//! Steps of one place that follow one another are sent together, up to 64 in a datagram. The kernel goes on after one
//! that it refuses, so after a failure some later ones of that datagram may be done: whoever brings back what was looks
//! again instead of counting.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use vwire_netlink::wire::link::KindData;
use vwire_netlink::{Link, Request, RequestError, Socket};
use vwire_tuntap::{Builder, DeviceName, Flags, Mode, Persistence};

use super::converge::{converge, differences};
use super::difference::Difference;
use super::look;
use super::scope::Scope;
use super::world::{Names, Place, World};
use super::{Action, Step};

pub use super::look::{if_known, look, look_at_focus, look_at_one};

/// How many requests go in one datagram, at most.
const TOGETHER: usize = 64;
/// How often a world is brought nearer to what is wanted, at most: the kernel makes and takes things by itself, which
/// only another look shows.
const ROUNDS: usize = 4;
/// For how long the kernel may take to make and take away by itself what it does not do at once: it looks at carriers
/// once a second (`linkwatch_schedule_work`).
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long to wait between two looks at what the kernel does by itself.
const MOMENT: Duration = Duration::from_millis(20);
/// `NETLINK_NETFILTER`.
const NETFILTER: i32 = 12;

/// Runs something inside a namespace, on whatever thread.
pub type Inside = Box<dyn Fn(&mut (dyn FnMut() + Send)) -> io::Result<()>>;

/// A namespace to look at and to change.
pub struct Room {
    name: String,
    handle: OwnedFd,
    inside: Inside,
    socket: Option<Socket>,
    sysctls: BTreeSet<String>,
}

impl Room {
    /// Makes one of a namespace's handle and of a way to run something inside; `name` is for people, and may be empty.
    #[must_use]
    pub fn new(name: String, handle: OwnedFd, inside: Inside) -> Self {
        Self { name, handle, inside, socket: None, sysctls: BTreeSet::new() }
    }

    /// Uses a socket that is open in the namespace already.
    #[must_use]
    pub fn with_socket(mut self, socket: Socket) -> Self {
        self.socket = Some(socket);
        self
    }

    /// Reads these sysctls, too, whenever the room is looked at; one that is not there is left out.
    #[must_use]
    pub fn with_sysctls(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.sysctls.extend(names);
        self
    }
}

/// The namespaces that are looked at and changed together; each is the [`Place`] of its position.
#[derive(Default)]
pub struct Places {
    rooms: Vec<Room>,
    /// The place whose socket was used last, and so has the memory that answers are received into.
    last: usize,
}

impl Places {
    /// Takes the rooms, in the order of their places.
    #[must_use]
    pub fn new(rooms: Vec<Room>) -> Self {
        Self { rooms, last: 0 }
    }

    /// Adds a room and returns its place.
    pub fn add(&mut self, room: Room) -> Place {
        self.rooms.push(room);
        Place(self.rooms.len() - 1)
    }

    /// Forgets the place that was added last.
    pub fn forget(&mut self, place: Place) {
        self.rooms.truncate(place.0);
    }

    /// Returns the place of a namespace, if it is one of them.
    #[must_use]
    pub fn find(&self, handle: &impl AsFd) -> Option<Place> {
        self.rooms.iter().position(|room| look::is_same(&room.handle, handle)).map(Place)
    }

    /// Returns all places.
    pub fn all(&self) -> impl Iterator<Item = Place> + use<> {
        (0..self.rooms.len()).map(Place)
    }

    /// Returns what the places are called.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.rooms.iter().map(|room| room.name.clone()).collect()
    }

    /// Returns the handle of a place.
    #[must_use]
    pub fn handle(&self, place: Place) -> Option<BorrowedFd<'_>> {
        self.rooms.get(place.0).map(|room| room.handle.as_fd())
    }

    /// Returns the number of the descriptor of a place, as an attribute has it.
    #[must_use]
    pub fn descriptor(&self, place: Place) -> Option<u32> {
        u32::try_from(self.rooms.get(place.0)?.handle.as_raw_fd()).ok()
    }

    /// Returns the socket of a place, opened at its first use. It takes over the memory of the one that was used last.
    ///
    /// # Errors
    /// The namespace cannot be entered, or the kernel has no netlink.
    pub fn socket(&mut self, place: Place) -> io::Result<&mut Socket> {
        let mut buffer = Vec::new();
        let last = self.rooms.get_mut(std::mem::replace(&mut self.last, place.0));
        if let Some(socket) = last.and_then(|room| room.socket.as_mut()) {
            socket.swap_buffer(&mut buffer);
        }
        let room = self.room(place)?;
        let socket = match &mut room.socket {
            Some(socket) => socket,
            none => none.insert(run_inside(&room.inside, Socket::open)?.map_err(io::Error::other)?),
        };
        socket.swap_buffer(&mut buffer);
        Ok(socket)
    }

    fn room(&mut self, place: Place) -> io::Result<&mut Room> {
        self.rooms.get_mut(place.0).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Reads the sysctls that the place's room names.
    pub(super) fn read_sysctls(&mut self, place: Place) -> io::Result<BTreeMap<String, String>> {
        let room = self.room(place)?;
        if room.sysctls.is_empty() {
            return Ok(BTreeMap::new());
        }
        let read = |name: &String| match fs::read_to_string(sysctl_path(name)) {
            Ok(value) => Some(Ok((name.clone(), value.trim_end().to_owned()))),
            Err(error) if is_unreadable(&error) => None,
            Err(error) => Some(Err(error)),
        };
        run_inside(&room.inside, || room.sysctls.iter().filter_map(read).collect())?
    }
}

/// Runs a function in a namespace and returns what it returns.
fn run_inside<T: Send>(inside: &Inside, body: impl FnOnce() -> T + Send) -> io::Result<T> {
    let (mut body, mut result) = (Some(body), None);
    inside(&mut || result = body.take().map(|body| body()))?;
    result.ok_or_else(|| io::ErrorKind::Other.into())
}

/// Returns whether a sysctl is not there, or can only be written, rather than that reading it failed this time.
#[must_use]
pub fn is_unreadable(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
}

fn sysctl_path(name: &str) -> PathBuf {
    let swapped = name.chars().map(|letter| match letter {
        '.' => '/',
        '/' => '.',
        other => other,
    });
    PathBuf::from("/proc/sys").join(swapped.collect::<String>())
}

/// A step that was not done.
#[derive(Debug)]
pub struct Failed {
    /// Its position among the steps.
    pub position: usize,
    /// The step.
    pub step: Box<Step>,
    /// Why.
    pub error: StepError,
}

/// Why a step was not done.
#[derive(Debug)]
pub enum StepError {
    /// The kernel refused the request.
    Refused(RequestError),
    /// The namespace cannot be entered, or a file not be written.
    File(io::Error),
    /// A TUN or TAP device cannot be made.
    Device(vwire_tuntap::OpenError),
    /// A TUN or TAP device was made, but cannot be kept as it should be.
    Control(vwire_tuntap::ControlError),
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
            Self::Device(error) => error.fmt(f),
            Self::Control(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StepError {}

/// Does steps in order, and stops at the first that fails. Some behind it may be done then: look again.
///
/// # Errors
/// [`Failed`] says which step, and why.
pub fn run(places: &mut Places, steps: &[Step]) -> Result<(), Failed> {
    let mut begin = 0;
    while begin < steps.len() {
        let count = together(&steps[begin..]);
        let failures = send(places, &steps[begin..begin + count]);
        if let Some((offset, error)) = failures.into_iter().next() {
            let position = begin + offset;
            return Err(Failed { position, step: Box::new(steps[position].clone()), error });
        }
        begin += count;
    }
    Ok(())
}

/// Does as many of the steps as can be done, and returns those that failed.
pub fn attempt(places: &mut Places, steps: &[Step]) -> Vec<Failed> {
    let mut failed = Vec::new();
    let mut begin = 0;
    while begin < steps.len() {
        let count = together(&steps[begin..]);
        let failures = send(places, &steps[begin..begin + count]);
        failed.extend(failures.into_iter().map(|(offset, error)| {
            let position = begin + offset;
            Failed { position, step: Box::new(steps[position].clone()), error }
        }));
        begin += count;
    }
    failed
}

/// Returns how many of the steps, at least one, go together.
fn together(steps: &[Step]) -> usize {
    let is_message = |step: &Step| matches!(step.action, Action::Object { .. });
    let place = steps.first().map(|step| step.place);
    let alike = steps.iter().take(TOGETHER).take_while(|step| is_message(step) && Some(step.place) == place);
    alike.count().max(1)
}

/// Does some steps that go together, and returns the failures.
fn send(places: &mut Places, steps: &[Step]) -> Vec<(usize, StepError)> {
    let Some(first) = steps.first() else { return Vec::new() };
    let place = first.place;
    match &first.action {
        Action::Object { .. } => {
            let request = |step: &Step| match &step.action {
                Action::Object { verb, object, .. } => Some(object.request(*verb, |place| places.descriptor(place))),
                _ => None,
            };
            let requests: Vec<Request> = steps.iter().filter_map(request).collect();
            match places.socket(place) {
                Ok(socket) => {
                    let answers = socket.batch(&requests).into_iter().enumerate();
                    answers.filter_map(|(offset, answer)| Some((offset, StepError::Refused(answer.err()?)))).collect()
                }
                Err(error) => vec![(0, StepError::File(error))],
            }
        }
        other => do_one(places, place, other).err().map(|error| (0, error)).into_iter().collect(),
    }
}

fn do_one(places: &mut Places, place: Place, action: &Action) -> Result<(), StepError> {
    match action {
        Action::Object { .. } => Ok(()),
        Action::Sysctl { name, value, .. } => {
            let room = places.room(place).map_err(StepError::File)?;
            let written = run_inside(&room.inside, || fs::write(sysctl_path(name), value));
            written.and_then(|written| written).map_err(StepError::File)
        }
        Action::Tuntap { link } => {
            let room = places.room(place).map_err(StepError::File)?;
            let handle = room.handle.try_clone().map_err(StepError::File)?;
            make_tuntap(link, handle)
        }
        Action::Other { subsystem: None, requests, .. } => {
            let socket = places.socket(place).map_err(StepError::File)?;
            socket
                .batch(requests)
                .into_iter()
                .find_map(Result::err)
                .map_or(Ok(()), |error| Err(StepError::Refused(error)))
        }
        Action::Other { subsystem: Some(subsystem), requests, .. } => {
            let room = places.room(place).map_err(StepError::File)?;
            let opened = run_inside(&room.inside, || Socket::with_protocol(NETFILTER)).map_err(StepError::File)?;
            let mut socket = opened.map_err(|error| StepError::File(io::Error::other(error)))?;
            let done = socket.transaction(*subsystem, requests).map(drop);
            done.map_err(|aborted| StepError::Refused(aborted.error))
        }
    }
}

/// Makes a TUN or TAP device that stays.
fn make_tuntap(link: &Link, namespace: OwnedFd) -> Result<(), StepError> {
    let name = link.ifname.as_ref().map(|name| DeviceName::from_bytes(name.as_bytes()));
    let Some(Ok(name)) = name else {
        return Err(StepError::File(io::ErrorKind::InvalidInput.into()));
    };
    let tun = match link.kind_data() {
        Some(KindData::Tun(tun)) => tun.as_ref().clone(),
        _ => Default::default(),
    };
    let is_set = |value: Option<u8>| value.is_some_and(|value| value != 0);
    let mode = if tun.r#type == Some(2) { Mode::Tap } else { Mode::Tun };
    let mut builder = Builder::new(mode, name).leave_settings().in_namespace(namespace);
    for (wanted, flag) in [(is_set(tun.multi_queue), Flags::MULTI_QUEUE), (is_set(tun.vnet_hdr), Flags::VNET_HDR)] {
        if wanted {
            builder = builder.flags(flag);
        }
    }
    if is_set(tun.pi) {
        builder = builder.packet_info();
    }
    if link.index != 0 {
        builder = builder.index(link.index);
    }
    let device = builder.create().map_err(StepError::Device)?;
    if let Some(owner) = tun.owner {
        device.set_owner(owner).map_err(StepError::Control)?;
    }
    if let Some(group) = tun.group {
        device.set_group(group).map_err(StepError::Control)?;
    }
    device.set_persistence(Persistence::Kept).map_err(StepError::Control)
}

/// Brings what is there to what is wanted, as far as that can be done, and returns what still differs.
///
/// # Errors
/// A place cannot be read.
pub fn reach(places: &mut Places, wanted: &World, scope: &Scope) -> io::Result<Vec<Difference>> {
    reach_or_tell(places, wanted, scope).map(|(left, _)| left)
}

/// Does as [`reach`], and tells which steps were refused last, in words.
///
/// # Errors
/// A place cannot be read.
pub fn reach_or_tell(places: &mut Places, wanted: &World, scope: &Scope) -> io::Result<(Vec<Difference>, Vec<String>)> {
    reach_by(places, wanted, scope, look)
}

/// Does as [`reach_or_tell`], and looks at what there is in a way of the caller's.
///
/// # Errors
/// A place cannot be read.
pub fn reach_by(
    places: &mut Places,
    wanted: &World,
    scope: &Scope,
    look: impl Fn(&mut Places) -> io::Result<World>,
) -> io::Result<(Vec<Difference>, Vec<String>)> {
    let mut refused = Vec::new();
    let mut last = Vec::new();
    let mut patience = PATIENCE;
    for _ in 0..ROUNDS {
        let mut steps = converge(wanted, &look(places)?, scope);
        // What the kernel does later by itself it does better: some of it nobody else can.
        while !steps.is_empty() && steps.iter().all(Step::is_kernels_work) && !patience.is_zero() {
            std::thread::sleep(MOMENT);
            patience = patience.saturating_sub(MOMENT);
            steps = converge(wanted, &look(places)?, scope);
        }
        if steps.is_empty() || steps == last {
            break;
        }
        let names = Names::of(places.names(), &[wanted]);
        let failed = attempt(places, &steps);
        refused = failed.iter().map(|failed| format!("{}: {}", failed.step.describe(&names), failed.error)).collect();
        last = steps;
    }
    let left = differences(wanted, &look(places)?, scope);
    if left.is_empty() {
        refused.clear();
    }
    Ok((left, refused))
}

/// What a plan that failed has left.
#[derive(Debug)]
pub struct Undone {
    /// The step that failed.
    pub failed: Failed,
    /// What could not be brought back; empty where all is as it was.
    pub left: Vec<Difference>,
    /// The names by which that can be told.
    pub names: Names,
}

/// Does steps, all or none: where one fails, what is in `scope` is brought back to what it was.
///
/// # Errors
/// [`Undone`] says which step failed, and what could not be brought back.
pub fn transact(places: &mut Places, steps: &[Step], scope: &Scope) -> Result<(), Box<Undone>> {
    let cannot_look = |error: io::Error| {
        let step = steps.first().cloned().unwrap_or_else(|| Step {
            place: Place(0),
            action: Action::Other { subsystem: None, requests: Vec::new(), words: "look".to_owned() },
        });
        Failed { position: 0, step: Box::new(step), error: StepError::File(error) }
    };
    let before = look(places)
        .map_err(|error| Box::new(Undone { failed: cannot_look(error), left: Vec::new(), names: Names::default() }))?;
    let Err(failed) = run(places, steps) else { return Ok(()) };
    let names = Names::of(places.names(), &[&before]);
    let scope = Scope { reading: super::Reading::Picture, ..scope.clone() };
    let left = reach(places, &before, &scope).unwrap_or_else(|error| {
        let object = "all of this place".to_owned();
        vec![Difference { place: Place(0), object, attribute: "state", is: Some(error.to_string()), should: None }]
    });
    Err(Box::new(Undone { failed, left, names }))
}
