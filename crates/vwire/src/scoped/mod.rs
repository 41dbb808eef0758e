//! Labs for tests in Rust: up for as long as a value lives, gone when it is dropped or the test dies, without root.
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use vwire::Lab;
//!
//! let lab = Lab::from_toml("nodes = ['alice', 'bob']\nwires = ['alice 10.0.0.1/24 -- bob 10.0.0.2/24']")?.up()?;
//! let server = lab.node("bob")?.tcp_listener("10.0.0.2:7")?;
//! let mut client = lab.node("alice")?.tcp_stream("10.0.0.2:7")?;
//! client.write_all(b"over the wire")?;
//! assert_eq!(server.accept()?.1.ip().to_string(), "10.0.0.1");
//! let said = lab.node("alice")?.command("ping").args(["-c1", "bob"]).output()?;
//! assert!(said.status.success());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Lab`] is what a file says; [`Lab::up`] makes a [`Running`] of it, the guard. What can be done with one of its nodes
//! is in [`Node`]. Each guard has a process of its own that holds the lab's networks: guards with labs of the same name do
//! not know of each other, in threads or in processes beside each other, and nothing of the machine is touched: no name in
//! `/run/netns`, no device, no sysctl. As root it takes `CAP_SYS_ADMIN` and `CAP_NET_ADMIN`; an ordinary user gets a user
//! namespace, where the machine allows it, else the [`Error`] names the setting.
//!
//! All of it is blocking, and takes milliseconds unless the lab's commands take longer.
//!
//! - [`node`], [`program`]: what a test does with a lab, modelled on the standard library;
//! - [`keeper`]: the process, and why it ends with the test;
//! - [`serve`]: how it answers; [`message`], [`channel`]: what is said, and over what;
//! - [`sys`]: the one place with unsafe code.

mod channel;
mod error;
mod keeper;
mod message;
mod node;
mod program;
mod serve;
mod sys;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

pub use error::Error;
pub use node::Node;
pub use program::{Child, Command, Stdio};

use crate::lab::file::accounts::OfThisMachine;
use crate::lab::file::{LARGEST, Problem, read_bytes};
use crate::lab::{model, nearest};
use keeper::Keeper;
use message::Request;

/// The name of the file that a text without one is taken for, and so the name of a lab that names itself nothing.
const UNNAMED: &str = "lab.toml";

/// A lab that was read and can be brought up: once, or many times beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Lab {
    model: model::Lab,
    text: String,
    file: String,
    warnings: Vec<Problem>,
}

impl Lab {
    /// Reads a lab from the text of a lab's file.
    ///
    /// # Errors
    /// What is wrong with the text, shown with line, column and a mark under it: [`Error::problems`] has each.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        Self::read(text.as_bytes(), UNNAMED)
    }

    /// Reads a lab from its file.
    ///
    /// # Errors
    /// The file cannot be read, or as [`from_toml`](Self::from_toml).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let name = path.as_ref().to_string_lossy();
        let failed = |error| Error::because(format!("cannot read `{name}`"), &error);
        let mut bytes = Vec::new();
        // One byte more than a file may have shows that it has too many.
        let most = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
        let file = File::open(&path).map_err(failed)?;
        file.take(most).read_to_end(&mut bytes).map_err(failed)?;
        Self::read(&bytes, &name)
    }

    fn read(bytes: &[u8], file: &str) -> Result<Self, Error> {
        let (model, warnings) = read_bytes(bytes, file, &OfThisMachine).map_err(Error::in_file)?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        Ok(Self { model, text, file: file.to_owned(), warnings })
    }

    /// Returns the lab's name: what the file says, else the file's own, else `lab`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.model.name
    }

    /// Returns the names of its nodes in the file's order, bridges among them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.model.nodes.iter().map(|node| node.name.as_str())
    }

    /// Returns what in the file is probably not meant, though it can be used.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Brings the lab up, for as long as what is returned lives.
    ///
    /// It is up when the first packet would get through, and all commands of the file that are waited for have ended, as
    /// with `vwire up`.
    ///
    /// # Errors
    /// The lab has the machine itself as a node (`host`); this user may have no network of their own, and which setting
    /// forbids it; or what the kernel refuses, with the place in the file. Nothing is left of it.
    pub fn up(&self) -> Result<Running, Error> {
        self.refuse_host()?;
        let keeper = Keeper::start()?;
        keeper.ask(&self.request(), &[])?;
        Ok(Running { keeper, lab: Mutex::new(self.clone()) })
    }

    fn request(&self) -> Request {
        Request::Up { text: self.text.clone(), file: self.file.clone() }
    }

    fn refuse_host(&self) -> Result<(), Error> {
        let Some(host) = self.model.nodes.iter().find(|node| node.is_host) else { return Ok(()) };
        let what = format!("`{}` is the machine itself, which a lab in a test leaves alone", host.name);
        let failed = crate::lab::failed::Failed::new(what).at(host.span);
        Err(Error::of(&failed, &self.text, &self.file)
            .hint("a node of another name takes its place; `sudo vwire up FILE` brings labs with `host` up"))
    }
}

/// A lab that is up, and goes with this value.
///
/// Dropping it ends every program in it and waits until they have ended; should the test be killed instead, the kernel
/// does the same. Share it between threads by reference.
#[must_use = "the lab goes at once where nothing keeps it"]
pub struct Running {
    keeper: Keeper,
    lab: Mutex<Lab>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("names", &self.names()).finish_non_exhaustive()
    }
}

impl Running {
    /// Returns a node.
    ///
    /// # Errors
    /// There is none of that name; the one that was probably meant is named.
    pub fn node(&self, name: &str) -> Result<Node<'_>, Error> {
        let lab = self.lab();
        if lab.names().any(|known| known == name) {
            return Ok(Node::new(&self.keeper, name.to_owned()));
        }
        let error = Error::new(format!("lab `{}` has no node `{name}`", lab.name()));
        Err(match nearest::nearest(name, lab.names()) {
            Some(meant) => error.hint(&format!("did you mean `{meant}`?")),
            None => error.hint(&format!("its nodes are `{}`", lab.names().collect::<Vec<_>>().join("`, `"))),
        })
    }

    /// Returns the names of the nodes in the file's order, bridges among them.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.lab().names().map(str::to_owned).collect()
    }

    /// Tries what the file expects (`checks`), as `vwire check` does.
    ///
    /// # Errors
    /// What does not hold, and what was seen instead.
    pub fn check(&self) -> Result<(), Error> {
        self.keeper.ask(&Request::Check, &[]).map(drop)
    }

    /// Changes the lab to what another file says; what is alike stays as it is, connections over it included.
    ///
    /// # Errors
    /// As [`Lab::up`], or the other lab has another name. The lab is then as it was.
    pub fn apply(&self, lab: &Lab) -> Result<(), Error> {
        lab.refuse_host()?;
        let mut own = self.lab();
        if own.name() != lab.name() {
            let what = format!("lab `{}` cannot become lab `{}`", own.name(), lab.name());
            return Err(Error::new(what).hint("`name = \"…\"` in the file says what a lab is called"));
        }
        self.keeper.ask(&lab.request(), &[])?;
        *own = lab.clone();
        Ok(())
    }

    fn lab(&self) -> std::sync::MutexGuard<'_, Lab> {
        self.lab.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
