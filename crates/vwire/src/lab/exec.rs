//! Runs programs in the nodes of a lab: with the node's network, its `/sys`, and a hosts file that knows the others.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};

use super::engine::Done;
use super::failed::Failed;
use super::mark;
use super::namespace::{self, EnterError};
use super::program::{Program, Said};
use super::record::Record;

/// The name of the file in a lab's record that lies over `/etc/hosts` in its nodes.
pub const HOSTS: &str = "hosts";

/// A node of a lab that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    lab: String,
    node: String,
    is_host: bool,
}

impl Inside {
    /// Names a node; `host` is the machine itself unless a node has that name.
    #[must_use]
    pub fn of(lab: &str, node: &str) -> Self {
        let is_host = node == "host" && !namespace::path_of(OsStr::new(&mark::namespace(lab, node))).exists();
        Self { lab: lab.to_owned(), node: node.to_owned(), is_host }
    }

    /// Returns the name of its namespace.
    #[must_use]
    pub fn namespace(&self) -> OsString {
        mark::namespace(&self.lab, &self.node).into()
    }

    fn over(&self) -> Vec<(PathBuf, PathBuf)> {
        let hosts = Record::of(&self.lab).path_of(HOSTS);
        if hosts.exists() { vec![(hosts, PathBuf::from("/etc/hosts"))] } else { Vec::new() }
    }

    /// Turns this process into a program in the node; returns only if that fails.
    #[must_use]
    pub fn replace_with(&self, program: &OsStr, arguments: &[OsString]) -> Failed {
        if !self.is_host
            && let Err(error) = namespace::switch_with(&self.namespace(), &self.over())
        {
            return self.not_entered(&error);
        }
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
        let error =
            Command::new(program).args(arguments).env("VWIRE_LAB", &self.lab).env("VWIRE_NODE", &self.node).exec();
        self.not_started(program, &error)
    }

    /// Starts a program in the node, with no signal held back.
    ///
    /// # Errors
    /// The node cannot be entered, or there is no such program.
    pub fn start(&self, argv: &[String], said: &Said) -> Done<Program> {
        let Some(program) = argv.first() else {
            return Err(Failed::new("there is no program to run"));
        };
        let more = [("VWIRE_LAB", self.lab.as_str()), ("VWIRE_NODE", self.node.as_str())];
        let started = self.run(|| Program::start(argv, &more, said))?;
        started.map_err(|error| self.not_started(OsStr::new(program), &error))
    }

    /// Runs `body` on a thread in the node; what it starts is inside.
    ///
    /// # Errors
    /// The node cannot be entered.
    pub fn run<T: Send>(&self, body: impl FnOnce() -> T + Send) -> Done<T> {
        if self.is_host {
            return Ok(body());
        }
        let inside = namespace::switched_with(&self.namespace(), &self.over(), body);
        inside.map(|(_, value)| value).map_err(|error| self.not_entered(&error))
    }

    fn not_entered(&self, error: &EnterError) -> Failed {
        let failed = Failed::new(format!("cannot enter `{}` of lab `{}`", self.node, self.lab)).because(&error.source);
        match error.source.raw_os_error() {
            Some(nix::libc::ENOENT) => failed.hint("`vwire lab ls` shows which labs are up, and their nodes"),
            Some(nix::libc::EPERM) => failed.hint("entering a namespace takes CAP_SYS_ADMIN: `sudo vwire exec …`"),
            _ => failed,
        }
    }

    fn not_started(&self, program: &OsStr, error: &io::Error) -> Failed {
        Failed::new(format!("cannot run `{}` in `{}`", program.display(), self.node)).because(error)
    }
}
