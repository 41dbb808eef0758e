//! Runs a small program on the other end of a TUN or TAP, on a thread of its own, until it is dropped.
//!
//! The thread reads a packet, asks [`super::responder`] for the answer, writes it, and notes what
//! it saw. Dropping the [`Running`] ends the thread and closes the device.

use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use vwire_tuntap::{Builder, Device, DeviceName, OpenError};

use super::responder::{ArpQuestion, Host, answer_packet, arp_question};

/// The longest packet that is read, in bytes: more than any MTU of the tour.
const LONGEST: usize = 65_536;

/// What the program does with what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Holds a TAP open and notes the questions that are broadcast.
    Watch,
    /// Plays a host on a TAP that answers ARP and ping, and notes the questions that are broadcast.
    Host(Host),
    /// Answers every ping that is routed into a TUN.
    Echo,
}

/// What a program saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many packets it read.
    pub packets: usize,
    /// How many it answered.
    pub answered: usize,
    /// The broadcast questions, in their order.
    pub questions: Vec<ArpQuestion>,
}

/// A program could not be started.
#[derive(Debug)]
pub enum StartError {
    /// The device could not be opened.
    Open(OpenError),
    /// The kernel gave no thread or no descriptor.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => write!(f, "{error}"),
            Self::Thread(_) => write!(f, "cannot start a thread for the program"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open(error) => Some(error),
            Self::Thread(error) => Some(error),
        }
    }
}

/// A program that runs.
#[derive(Debug)]
pub struct Running {
    seen: Arc<Mutex<Seen>>,
    /// Closed to end the thread.
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Opens a device that is there already and runs a program on it.
    ///
    /// # Errors
    /// The device is missing, busy or not open to this user.
    pub fn start(device: DeviceName, program: Program) -> Result<Self, StartError> {
        let builder = match program {
            Program::Echo => Builder::tun(device),
            Program::Watch | Program::Host(_) => Builder::tap(device),
        };
        let device = builder.attach().map_err(StartError::Open)?;
        let (stop, stopped) = UnixStream::pair().map_err(StartError::Thread)?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        let thread = std::thread::Builder::new()
            .name("tour-program".to_owned())
            .spawn(move || serve(&device, program, &stopped, &shared))
            .map_err(StartError::Thread)?;
        Ok(Self { seen, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns what the program has seen so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(device: &Device, program: Program, stopped: &UnixStream, seen: &Mutex<Seen>) {
    let mut buffer = vec![0; LONGEST];
    while wait_for_packet(device, stopped) {
        // A device that is set down or deleted ends the program, as it would end a VPN.
        let Ok(length) = device.read(&mut buffer) else { return };
        let packet = &buffer[..length];
        let answer = match program {
            Program::Watch => None,
            Program::Host(host) => host.answer_frame(packet),
            Program::Echo => answer_packet(packet),
        };
        let answered = answer.is_some_and(|answer| device.write(&answer).is_ok());
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.packets += 1;
        seen.answered += usize::from(answered);
        if program != Program::Echo {
            seen.questions.extend(arp_question(packet));
        }
    }
}

/// Waits until there is a packet; false once the program is to end.
fn wait_for_packet(device: &Device, stopped: &UnixStream) -> bool {
    let readable = PollFlags::POLLIN;
    loop {
        let mut fds = [PollFd::new(device.as_fd(), readable), PollFd::new(stopped.as_fd(), readable)];
        match poll(&mut fds, PollTimeout::NONE) {
            Err(nix::errno::Errno::EINTR) => continue,
            Err(_) => return false,
            Ok(_) => {}
        }
        let any = |fd: &PollFd<'_>| fd.any().unwrap_or(true);
        if any(&fds[1]) {
            return false;
        }
        if any(&fds[0]) {
            return true;
        }
    }
}
