//! Programs in a node, started, waited for and ended as the standard library's `Command` and `Child` do it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ChildStderr, ChildStdin, ChildStdout, ExitStatus, Output};

use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::unistd::pipe2;

use super::channel::Channel;
use super::error::Error;
use super::keeper::Keeper;
use super::message::{Answer, Request};

/// A program to be run in a node, made by [`Node::command`](super::Node::command): as [`std::process::Command`] is.
///
/// The program has the node's network, its `/sys`, a hosts file that knows the other nodes, an empty `/run`, a `/proc` of
/// the lab's processes alone, `VWIRE_LAB` and `VWIRE_NODE` in the environment, and else what the test has. What runs still
/// when the guard goes is killed.
pub struct Command<'a> {
    keeper: &'a Keeper,
    node: String,
    argv: Vec<OsString>,
    environment: Environment,
    directory: Option<OsString>,
    streams: [Option<Stdio>; 3],
}

/// What is changed of the test's environment, in this order.
#[derive(Debug, Clone, Default)]
struct Environment {
    is_cleared: bool,
    changes: Vec<(OsString, Option<OsString>)>,
}

/// What one of a program's standard streams is: as [`std::process::Stdio`] is, which cannot be handed to another process.
#[derive(Debug)]
pub enum Stdio {
    /// The test's own.
    Inherit,
    /// `/dev/null`.
    Null,
    /// A pipe, whose other end is in the [`Child`].
    Piped,
    /// This file.
    File(OwnedFd),
}

impl From<File> for Stdio {
    fn from(file: File) -> Self {
        Self::File(file.into())
    }
}

impl From<OwnedFd> for Stdio {
    fn from(descriptor: OwnedFd) -> Self {
        Self::File(descriptor)
    }
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command").field("node", &self.node).field("argv", &self.argv).finish_non_exhaustive()
    }
}

impl<'a> Command<'a> {
    pub(super) fn new(keeper: &'a Keeper, node: String, program: &OsStr) -> Self {
        let argv = vec![program.to_owned()];
        Self { keeper, node, argv, environment: Environment::default(), directory: None, streams: [None, None, None] }
    }

    /// Adds an argument.
    pub fn arg(&mut self, word: impl AsRef<OsStr>) -> &mut Self {
        self.argv.push(word.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        self.argv.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the environment.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.environment.changes.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Takes a variable out of the environment.
    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.environment.changes.push((name.as_ref().to_owned(), None));
        self
    }

    /// Begins with an empty environment.
    pub fn env_clear(&mut self) -> &mut Self {
        self.environment = Environment { is_cleared: true, changes: Vec::new() };
        self
    }

    /// Sets the directory in which the program begins; without, it is the one that the test was in when the lab came up.
    pub fn current_dir(&mut self, directory: impl AsRef<Path>) -> &mut Self {
        self.directory = Some(directory.as_ref().as_os_str().to_owned());
        self
    }

    /// Sets standard input.
    pub fn stdin(&mut self, stream: impl Into<Stdio>) -> &mut Self {
        self.streams[0] = Some(stream.into());
        self
    }

    /// Sets standard output.
    pub fn stdout(&mut self, stream: impl Into<Stdio>) -> &mut Self {
        self.streams[1] = Some(stream.into());
        self
    }

    /// Sets standard error.
    pub fn stderr(&mut self, stream: impl Into<Stdio>) -> &mut Self {
        self.streams[2] = Some(stream.into());
        self
    }

    /// Starts the program; streams that were not set are the test's.
    ///
    /// # Errors
    /// There is no such program (`NotFound`), or it cannot be started.
    pub fn spawn(&mut self) -> Result<Child, Error> {
        self.start([&Stdio::Inherit, &Stdio::Inherit, &Stdio::Inherit])
    }

    /// Runs the program to its end; streams that were not set are the test's.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn).
    pub fn status(&mut self) -> Result<ExitStatus, Error> {
        self.spawn()?.wait()
    }

    /// Runs the program to its end and keeps what it says; standard input is empty unless it was set.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn).
    pub fn output(&mut self) -> Result<Output, Error> {
        self.start([&Stdio::Null, &Stdio::Piped, &Stdio::Piped])?.wait_with_output()
    }

    fn start(&self, otherwise: [&Stdio; 3]) -> Result<Child, Error> {
        let failed = |error: io::Error| {
            Error::because(format!("cannot run `{}` in `{}`", self.argv[0].display(), self.node), &error)
        };
        let [input, output, errors] = &self.streams;
        let stream = |set: &Option<Stdio>, otherwise: &Stdio, number| {
            Ends::of(set.as_ref().unwrap_or(otherwise), number).map_err(failed)
        };
        let input = stream(input, otherwise[0], 0)?;
        let output = stream(output, otherwise[1], 1)?;
        let errors = stream(errors, otherwise[2], 2)?;
        let request = Request::Run {
            node: self.node.clone(),
            argv: self.argv.clone(),
            environment: self.environment.of(std::env::vars_os().collect()),
            directory: self.directory.clone(),
        };
        let theirs = [input.theirs.as_fd(), output.theirs.as_fd(), errors.theirs.as_fd()];
        let (channel, ..) = self.keeper.ask(&request, &theirs)?;
        Ok(Child {
            stdin: input.ours.map(ChildStdin::from),
            stdout: output.ours.map(ChildStdout::from),
            stderr: errors.ours.map(ChildStderr::from),
            channel,
            status: None,
        })
    }
}

impl Environment {
    /// Works out the whole environment.
    fn of(&self, own: Vec<(OsString, OsString)>) -> Vec<(OsString, OsString)> {
        let mut all = if self.is_cleared { Vec::new() } else { own };
        for (name, value) in &self.changes {
            all.retain(|(other, _)| other != name);
            all.extend(value.iter().map(|value| (name.clone(), value.clone())));
        }
        all
    }
}

/// The ends of a stream: the program's, and the test's if it is a pipe.
struct Ends {
    theirs: OwnedFd,
    ours: Option<OwnedFd>,
}

impl Ends {
    fn of(stream: &Stdio, number: usize) -> io::Result<Self> {
        let alone = |theirs: io::Result<OwnedFd>| theirs.map(|theirs| Self { theirs, ours: None });
        match (stream, number) {
            (Stdio::Inherit, 0) => alone(io::stdin().as_fd().try_clone_to_owned()),
            (Stdio::Inherit, 1) => alone(io::stdout().as_fd().try_clone_to_owned()),
            (Stdio::Inherit, _) => alone(io::stderr().as_fd().try_clone_to_owned()),
            (Stdio::Null, _) => alone(File::options().read(true).write(true).open("/dev/null").map(OwnedFd::from)),
            (Stdio::File(descriptor), _) => alone(descriptor.try_clone()),
            (Stdio::Piped, _) => {
                let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
                let (theirs, ours) = if number == 0 { (read, write) } else { (write, read) };
                Ok(Self { theirs, ours: Some(ours) })
            }
        }
    }
}

/// A program that was started in a node: as [`std::process::Child`] is.
///
/// Dropped, it goes on running, until it ends or the guard goes.
#[derive(Debug)]
pub struct Child {
    /// The other end of standard input, if that is a pipe.
    pub stdin: Option<ChildStdin>,
    /// The other end of standard output, if that is a pipe.
    pub stdout: Option<ChildStdout>,
    /// The other end of standard error, if that is a pipe.
    pub stderr: Option<ChildStderr>,
    channel: Channel,
    status: Option<ExitStatus>,
}

impl Child {
    /// Waits until the program has ended; its standard input is closed first.
    ///
    /// # Errors
    /// The lab went meanwhile.
    pub fn wait(&mut self) -> Result<ExitStatus, Error> {
        drop(self.stdin.take());
        if let Some(status) = self.status {
            return Ok(status);
        }
        let gone = |error| Error::because("the program went with its lab", &error);
        let (body, _) = self.channel.receive().map_err(gone)?;
        let Some(Answer::Exited(status)) = Answer::decode(&body) else {
            return Err(Error::new("the lab's process said something without a meaning"));
        };
        Ok(*self.status.insert(ExitStatus::from_raw(status)))
    }

    /// Returns how the program ended, if it has.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Error> {
        let asked = self.channel.is_readable().map_err(|error| Error::because("cannot ask for a program", &error))?;
        if self.status.is_none() && !asked {
            return Ok(None);
        }
        let input = self.stdin.take();
        let status = self.wait().map(Some);
        self.stdin = input;
        status
    }

    /// Waits until the program has ended, and returns what it said through its pipes.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn wait_with_output(mut self) -> Result<Output, Error> {
        drop(self.stdin.take());
        let (output, errors) = (self.stdout.take(), self.stderr.take());
        let (stdout, stderr) = std::thread::scope(|scope| {
            let errors = scope.spawn(|| read(errors));
            (read(output), errors.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let failed = |error| Error::because("cannot read what a program says", &error);
        let (stdout, stderr) = (stdout.map_err(failed)?, stderr.map_err(failed)?);
        Ok(Output { status: self.wait()?, stdout, stderr })
    }

    /// Kills the program (`SIGKILL`); one that has ended already is left alone.
    ///
    /// # Errors
    /// The lab went meanwhile.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.signal(Signal::SIGKILL as i32)
    }

    /// Sends the program a signal, by its number; one that has ended already is left alone.
    ///
    /// # Errors
    /// There is no signal of that number, or the lab went meanwhile.
    pub fn signal(&mut self, number: i32) -> Result<(), Error> {
        let known = Signal::try_from(number);
        known.map_err(|errno| Error::because(format!("{number} is no signal"), &errno.into()))?;
        let sent = self.channel.send(&Request::Signal(number).encode(), &[]);
        sent.map_err(|error| Error::because("the program went with its lab", &error))
    }
}

fn read(stream: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.map_or(Ok(0), |mut stream| stream.read_to_end(&mut bytes))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_the_tests_with_what_was_changed_of_it() {
        let own = || vec![("A".into(), "1".into()), ("B".into(), "2".into())];
        let changes = vec![("B".into(), None), ("C".into(), Some("3".into())), ("A".into(), Some("4".into()))];
        let mut changed = Environment { is_cleared: false, changes };
        let all = |list: &[(&str, &str)]| -> Vec<(OsString, OsString)> {
            list.iter().map(|(name, value)| (name.into(), value.into())).collect()
        };
        assert_eq!(changed.of(own()), all(&[("C", "3"), ("A", "4")]));
        changed.is_cleared = true;
        changed.changes.truncate(2);
        assert_eq!(changed.of(own()), all(&[("C", "3")]));
    }
}
