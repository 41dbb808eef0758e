//! Answers for the lab, inside: brings it up with the engine that all labs have, opens sockets in its nodes, runs programs.
//!
//! Each connection is answered on a thread of its own, so that a program that runs long keeps nobody else waiting, and the
//! end of the control socket is seen at any time. This process leaves nothing behind because it is the first of its
//! namespaces, not because it tidies up.

use std::ffi::OsString;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use socket2::{Domain, Protocol, Socket, Type};
use vwire_tuntap::{Builder, DeviceName, Flags};

use super::channel::{Channel, send};
use super::error::Error;
use super::message::{Answer, Request, Wanted};
use super::sys;
use crate::lab::engine::Silent;
use crate::lab::engine::up::{Order, up};
use crate::lab::exec::Inside;
use crate::lab::file::accounts::OfThisMachine;
use crate::lab::file::read_with;
use crate::lab::model::{self, DeviceKind};
use crate::lab::namespace::{Namespace, path_of, run_in};
use crate::trial;

/// What is said beside a device whose packets are headed by packet information.
pub(super) const PACKET_INFO: &str = "packet information";

/// Answers until nobody can ask any more; returns the exit code.
pub(super) fn serve(control: &OwnedFd) -> u8 {
    // Memory, the environment and threads are all used before the first word: it tells that none of them is stuck.
    let works = thread::spawn(|| std::env::var_os("PATH").map_or(0, |path| path.len())).join().is_ok();
    if !works || send(control.as_fd(), &Answer::Done(Vec::new()).encode(), &[]).is_err() {
        return 1;
    }
    let lab = Arc::new(Mutex::new(model::Lab::default()));
    let mut byte = [0];
    loop {
        match sys::receive(control.as_fd(), &mut byte) {
            Ok((0, _)) => return 0,
            Ok((_, descriptors)) => {
                for channel in descriptors.into_iter().map(Channel::from) {
                    let lab = Arc::clone(&lab);
                    // Where no thread can be had, the connection closes and so tells the other end.
                    let _ = thread::Builder::new().name("lab".to_owned()).spawn(move || answer(&lab, &channel));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return 1,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(lab: &Mutex<model::Lab>, channel: &Channel) {
    let Ok((body, descriptors)) = channel.receive() else { return };
    let now = lock(lab).clone();
    let reply = |answer: Answer, descriptors: &[OwnedFd]| {
        let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        let _ = channel.send(&answer.encode(), &borrowed);
    };
    let told = |done: Result<Vec<String>, Error>| done.map_or_else(Error::into_answer, Answer::Done);
    match Request::decode(&body) {
        Some(Request::Up { text, file }) => reply(told(bring_up(lab, &text, &file)), &[]),
        Some(Request::Check) => reply(told(check(&now)), &[]),
        Some(Request::Open { node, what }) => match open(&now, &node, &what) {
            Ok((descriptor, notes)) => reply(Answer::Done(notes), &[descriptor]),
            Err(error) => reply(error.into_answer(), &[]),
        },
        Some(Request::Run { node, argv, environment, directory }) => {
            match start(&now.name, &node, &argv, environment, directory, descriptors) {
                Ok(child) => {
                    reply(Answer::Done(Vec::new()), &[]);
                    attend(channel, child);
                }
                Err(error) => reply(error.into_answer(), &[]),
            }
        }
        Some(Request::Signal(_)) | None => reply(Error::new("this is no question").into_answer(), &[]),
    }
}

fn bring_up(kept: &Mutex<model::Lab>, text: &str, file: &str) -> Result<Vec<String>, Error> {
    let (lab, _) = read_with(text, file, &OfThisMachine).map_err(Error::in_file)?;
    up(Order { lab: &lab, text }, &mut Silent).map_err(|failed| Error::of(&failed, text, file))?;
    *lock(kept) = lab;
    Ok(Vec::new())
}

fn check(lab: &model::Lab) -> Result<Vec<String>, Error> {
    let results = trial::all(lab);
    let broken = lab.checks.iter().zip(&results).filter_map(|(check, result)| {
        let why = result.as_ref().err()?;
        Some(format!("{}: {why}", check.words))
    });
    let broken: Vec<String> = broken.collect();
    match broken.as_slice() {
        [] => Ok(Vec::new()),
        [one] => Err(Error::new(one.clone())),
        several => {
            let all = results.len();
            Err(Error::new(format!("{} of {all} checks do not hold:\n  {}", several.len(), several.join("\n  "))))
        }
    }
}

fn open(lab: &model::Lab, node: &str, what: &Wanted) -> Result<(OwnedFd, Vec<String>), Error> {
    let entered = Namespace::open(path_of(&Inside::of(&lab.name, node).namespace()))
        .and_then(|namespace| run_in(&namespace, || open_here(lab, node, what)));
    entered.map_err(|error| Error::because(format!("cannot enter `{node}`"), &error))?
}

/// Opens it in the namespace that the calling thread is in.
fn open_here(lab: &model::Lab, node: &str, what: &Wanted) -> Result<(OwnedFd, Vec<String>), Error> {
    let (name, opened): (String, io::Result<OwnedFd>) = match what {
        Wanted::Udp(address) => (format!("bind to {address}"), UdpSocket::bind(address).map(OwnedFd::from)),
        Wanted::Listener(address) => (format!("listen on {address}"), TcpListener::bind(address).map(OwnedFd::from)),
        Wanted::Stream(address, limit) => {
            let stream = TcpStream::connect_timeout(address, *limit).map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut => io::Error::from_raw_os_error(nix::libc::ETIMEDOUT),
                _ => error,
            });
            (format!("connect to {address}"), stream.map(OwnedFd::from))
        }
        Wanted::Socket { domain, kind, protocol } => {
            let socket = Socket::new(Domain::from(*domain), Type::from(*kind), Some(Protocol::from(*protocol)));
            (format!("open a socket of domain {domain}, type {kind}, protocol {protocol}"), socket.map(OwnedFd::from))
        }
        Wanted::Tuntap(name) => return queue(lab, node, name),
    };
    let failed = |error: io::Error| Error::because(format!("`{node}` cannot {name}"), &error);
    opened.map(|descriptor| (descriptor, Vec::new())).map_err(failed)
}

/// Opens a queue of a device, as the file says that it is.
fn queue(lab: &model::Lab, node: &str, name: &str) -> Result<(OwnedFd, Vec<String>), Error> {
    let devices = lab.nodes.iter().filter(|own| own.name == node).flat_map(|own| &own.devices);
    let mut kinds = devices.filter(|device| device.name == name).map(|device| &device.kind);
    let none = || Error::new(format!("`{node}` has no TUN or TAP device `{name}` in the lab's file"));
    let Some(DeviceKind::Tuntap { tap, multi_queue, vnet_hdr, packet_info, .. }) = kinds.next() else {
        return Err(none());
    };
    let parsed: DeviceName = name.parse().map_err(|_| none())?;
    let mut builder = if *tap { Builder::tap(parsed) } else { Builder::tun(parsed) };
    let mut flags = Flags::default();
    if *multi_queue {
        flags |= Flags::MULTI_QUEUE;
    }
    if *vnet_hdr {
        flags |= Flags::VNET_HDR;
    }
    builder = builder.flags(flags);
    if *packet_info {
        builder = builder.packet_info();
    }
    let device = builder.attach().map_err(|error| Error::new(format!("in `{node}`: {error}")))?;
    let notes = packet_info.then(|| PACKET_INFO.to_owned()).into_iter().collect();
    Ok((device.into_fd(), notes))
}

fn start(
    lab: &str,
    node: &str,
    argv: &[OsString],
    environment: Vec<(OsString, OsString)>,
    directory: Option<OsString>,
    streams: Vec<OwnedFd>,
) -> Result<Child, Error> {
    let Some((program, arguments)) = argv.split_first() else { return Err(Error::new("there is no program to run")) };
    let Ok([input, output, errors]) = <[OwnedFd; 3]>::try_from(streams) else {
        return Err(Error::new("a program takes three standard streams"));
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("VWIRE_LAB", lab).env("VWIRE_NODE", node).envs(environment);
    command.stdin(Stdio::from(input)).stdout(Stdio::from(output)).stderr(Stdio::from(errors));
    if let Some(directory) = directory {
        command.current_dir(directory);
    }
    let spawned = Inside::of(lab, node).run(|| command.spawn()).map_err(|failed| Error::of(&failed, "", ""))?;
    spawned.map_err(|error| Error::because(format!("cannot run `{}` in `{node}`", program.display()), &error))
}

/// Sends a program the signals that the test has for it, and tells the test when it ends.
fn attend(channel: &Channel, child: Child) {
    let Ok(pid) = i32::try_from(child.id()).map(Pid::from_raw) else { return };
    // None when the program has been waited for: from then on its number may be another's.
    let running = Mutex::new(Some(child));
    thread::scope(|scope| {
        scope.spawn(|| {
            // Waited for without taking it away, so that its number is its own while the lock is not held.
            while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(nix::errno::Errno::EINTR) {}
            let status = lock(&running).take().and_then(|mut child| child.wait().ok());
            let status = status.map_or(0, ExitStatusExt::into_raw);
            let _ = channel.send(&Answer::Exited(status).encode(), &[]);
        });
        while let Ok((body, _)) = channel.receive() {
            let Some(Request::Signal(number)) = Request::decode(&body) else { break };
            if let (Some(_), Ok(signal)) = (lock(&running).as_ref(), Signal::try_from(number)) {
                let _ = kill(pid, signal);
            }
        }
    });
}
