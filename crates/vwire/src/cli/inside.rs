//! How verbs on labs get to the labs of who types them: root's are on the machine, an ordinary user's where a keeper is.
//!
//! Root goes on as before. For others, [`go_in`] returns in another process, which is inside, and in the one that was called
//! the exit code with which that one has ended.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::lab::listed;
use super::lab_file::{Loaded, REFUSED};
use super::talk::Talk;
use crate::lab::failed::Failed;
use crate::lab::keeper::attend::{self, End};
use crate::lab::keeper::{self, Side, Stay, keep};
use crate::lab::model::Lab;
use crate::lab::namespace::path_of;
use crate::lab::record::Record;
use crate::lab::signals::exit_of;

/// The words that make this program a keeper.
const KEEP: [&str; 2] = ["lab", "keep"];

/// The labs that a verb may mean.
#[derive(Debug)]
pub(super) struct Labs {
    whose: Whose,
    /// Root's, with their nodes, where this is an ordinary user.
    roots: BTreeMap<String, Vec<String>>,
}

/// Whose labs are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Those of the machine, by root.
    Root,
    /// Those of a user, by the user.
    Own,
    /// None: the user has none.
    Nobody,
}

impl Labs {
    /// Returns the names of the caller's own.
    pub(super) fn own(&self) -> Vec<String> {
        if self.whose == Whose::Nobody { Vec::new() } else { Record::labs() }
    }

    /// Returns whether a lab of the caller's own may be there at all.
    pub(super) fn may_be(&self) -> bool {
        self.whose != Whose::Nobody
    }

    /// Returns root's labs with their nodes, which an ordinary user can only see.
    pub(super) fn roots(&self) -> &BTreeMap<String, Vec<String>> {
        &self.roots
    }

    /// Says so where a lab is meant that is root's, and the caller has none of that name.
    ///
    /// # Errors
    /// The exit code.
    pub(super) fn refuse_roots(&self, lab: &str, talk: &mut Talk<'_>) -> Result<(), u8> {
        let is_own = self.whose != Whose::Nobody && Record::of(lab).exists();
        if is_own || !self.roots.contains_key(lab) {
            return Ok(());
        }
        let failed = Failed::new(format!("lab `{lab}` is root's")).hint("`sudo vwire …` works with it");
        Err(talk.refuses(&failed, REFUSED))
    }
}

/// Goes to where the caller's labs are, if there are any.
///
/// # Errors
/// The exit code, when all is done or told.
pub(super) fn go_in(stay: Stay, talk: &mut Talk<'_>) -> Result<Labs, u8> {
    if !keeper::is_needed() {
        return Ok(Labs { whose: Whose::Root, roots: BTreeMap::new() });
    }
    let roots = listed();
    let side = keeper::go_in(stay, &mut |text| talk.says(&format!("warning: {text}")));
    let side = side.map_err(|failed| talk.fails(&failed, None))?;
    let whose = match side {
        Side::Inside => Whose::Own,
        Side::Nowhere { was_killed } => {
            if was_killed {
                talk.says(&format!("warning: {}", keeper::LOST));
            }
            Whose::Nobody
        }
        Side::Outside(end) => return Err(exit(end, talk)),
    };
    Ok(Labs { whose, roots })
}

/// Waits, before a shell is opened where the caller's labs are, until the terminal is this process's.
pub(super) fn wait_for_foreground() {
    if keeper::is_needed() {
        attend::wait_for_foreground();
    }
}

/// Goes to where the caller's labs are, to bring one up; makes that place where there is none.
///
/// # Errors
/// The exit code, when all is done or told.
pub(super) fn go_in_to_build(loaded: &Loaded, talk: &mut Talk<'_>) -> Result<(), u8> {
    if !keeper::is_needed() {
        return Ok(());
    }
    let mut warn = |text: &str| talk.says(&format!("warning: {text}"));
    let gone = refuse_the_machine(&loaded.lab).and_then(|()| keeper::start_and_go_in(&KEEP, &mut warn));
    match gone.map_err(|failed| talk.fails(&failed, Some(loaded)))? {
        Side::Inside => Ok(()),
        Side::Outside(end) => Err(exit(end, talk)),
        Side::Nowhere { .. } => {
            Err(talk.fails(&Failed::new("the process that keeps labs has ended at once"), Some(loaded)))
        }
    }
}

/// Says that the machine itself is root's, where a lab is to have a part of it.
///
/// # Errors
/// It is to have one.
pub(super) fn refuse_the_machine(lab: &Lab) -> Result<(), Failed> {
    let Some(node) = lab.nodes.iter().find(|node| node.is_host).filter(|_| keeper::is_needed()) else { return Ok(()) };
    let span = node.devices.first().map_or(node.span, |device| device.span);
    let on_it = lab.nodes.iter().flat_map(|node| &node.devices).filter_map(|device| device.kind.parent());
    let on_it = on_it.into_iter().find(|parent| parent.node.as_deref() == Some(node.name.as_str()));
    let what = match on_it.filter(|_| node.devices.is_empty()) {
        Some(parent) => format!("`{parent}` is a device of the machine itself, on which root alone may put others"),
        None => "`host` is the machine itself, which root alone may change".to_owned(),
    };
    Err(Failed::new(what)
        .at(on_it.filter(|_| node.devices.is_empty()).map_or(span, |parent| parent.span))
        .hint("`sudo vwire up FILE` brings it up; a node of another name needs no root"))
}

/// Goes to where the caller's labs are if one of these namespaces can only be there; does nothing where there are none.
///
/// # Errors
/// The exit code, when all is done or told.
pub(super) fn go_in_for<'a>(mut namespaces: impl Iterator<Item = &'a OsStr>, talk: &mut Talk<'_>) -> Result<(), u8> {
    // What is called LAB.NODE is the caller's own before it is root's.
    let is_elsewhere = |name: &OsStr| {
        let bytes = name.as_bytes();
        !bytes.contains(&b'/') && (bytes.contains(&b'.') || !path_of(name).exists())
    };
    if keeper::is_needed() && namespaces.any(is_elsewhere) { go_in(Stay::Program, talk).map(drop) } else { Ok(()) }
}

/// Becomes the keeper that is found in a directory; returns the exit code.
pub(super) fn become_keeper(directory: &Path) -> u8 {
    keep::keep(directory)
}

fn exit(end: End, talk: &mut Talk<'_>) -> u8 {
    match end {
        End::Exited(code) | End::Signaled(code) => code,
        End::Lost => {
            let failed = Failed::new("the process that keeps your labs has ended, and all that was in them");
            talk.refuses(&failed, exit_of(nix::libc::SIGKILL))
        }
    }
}
