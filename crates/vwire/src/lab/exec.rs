//! Runs programs in the nodes of a lab: with the node's network, its `/sys`, and a hosts file that knows the others.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};

use super::engine::Done;
use super::engine::up::names_like;
use super::failed::Failed;
use super::graph::natural;
use super::ledger::{self, Mark};
use super::mark;
use super::namespace::{self, EnterError};
use super::nearest::nearest;
use super::program::{Program, Said};
use super::record::Record;

/// The name of the file in a lab's record that lies over `/etc/hosts` in its nodes.
pub const HOSTS: &str = "hosts";
/// What it lies over.
const ETC_HOSTS: &str = "/etc/hosts";

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
        if hosts.exists() { vec![(hosts, PathBuf::from(ETC_HOSTS))] } else { Vec::new() }
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

    /// Starts a program in the node, with no signal held back, and with a mark that all has which it starts.
    ///
    /// # Errors
    /// The node cannot be entered, or there is no such program.
    pub fn start(&self, argv: &[String], said: &Said, mark: &Mark) -> Done<Program> {
        let Some(program) = argv.first() else {
            return Err(Failed::new("there is no program to run"));
        };
        let told = mark.to_string();
        let more =
            [("VWIRE_LAB", self.lab.as_str()), ("VWIRE_NODE", self.node.as_str()), (ledger::NAME, told.as_str())];
        let start = || Program::start(argv, &more, said);
        let started = if self.is_host { start() } else { self.run_marked(mark, start)? };
        started.map_err(|error| self.not_started(OsStr::new(program), &error))
    }

    /// Runs `body` on a thread in the node, over whose `/etc/hosts` lies a file that is called as the mark: what the list of
    /// its mounts tells as long as there is a process that has it, and the environment does not where a program writes over.
    fn run_marked<T: Send>(&self, mark: &Mark, body: impl FnOnce() -> T + Send) -> Done<T> {
        let record = Record::of(&self.lab);
        let (hosts, own) = (record.path_of(HOSTS), record.path_of(&mark.file_name()));
        let is_named = fs::hard_link(&hosts, &own).is_ok();
        let over = if is_named { vec![(own.clone(), PathBuf::from(ETC_HOSTS))] } else { self.over() };
        let inside = namespace::switched_with(&self.namespace(), &over, body);
        if is_named {
            let _ = fs::remove_file(&own);
        }
        inside.map(|(_, value)| value).map_err(|error| self.not_entered(&error))
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
            Some(nix::libc::ENOENT) => self.not_there(),
            Some(nix::libc::EPERM) => failed.hint("entering a namespace takes CAP_SYS_ADMIN: `sudo vwire exec …`"),
            _ => failed,
        }
    }

    /// Says that there is no such node, with those that there are.
    fn not_there(&self) -> Failed {
        let head = format!("{}.", self.lab);
        let names = names_like(&self.lab).into_iter();
        let names: Vec<String> =
            names.filter_map(|name| Some(name.to_string().strip_prefix(&head)?.to_owned())).collect();
        if names.is_empty() {
            return Failed::new(format!("lab `{}` is not up", self.lab))
                .hint("`vwire up FILE` brings it up; `vwire lab ls` shows which labs are");
        }
        let failed = Failed::new(format!("lab `{}` has no node `{}`", self.lab, self.node));
        match nearest(&self.node, names.iter().map(String::as_str)) {
            Some(meant) => failed.hint(format!("did you mean `{meant}`?")),
            None => failed.hint(format!("it has {}", enumerated(names))),
        }
    }

    fn not_started(&self, program: &OsStr, error: &io::Error) -> Failed {
        Failed::new(format!("cannot run `{}` in `{}`", program.display(), self.node)).because(error)
    }
}

/// Names a few nodes in the order of their numbers, and counts the rest.
fn enumerated(mut names: Vec<String>) -> String {
    const FEW: usize = 12;
    names.sort_by_key(|name| natural(name));
    let more = names.len().saturating_sub(FEW);
    let named: Vec<String> = names.iter().take(FEW).map(|name| format!("`{name}`")).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}
