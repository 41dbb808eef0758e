//! `--from FILE`: the commands that list ask a snapshot in the place of the kernel.
//!
//! They do not know: their socket is one that a function answers, [`Kernel::answer`]. So words, filters and output are
//! the same code. Commands that change something, or ask what only a kernel can tell, are refused before they begin.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use vwire_netlink::Socket;

use super::Ip;
use super::failure::{EXIT_KERNEL, Failure};
use super::rehearsal::Rehearsal;
use super::words::shown;
use crate::cli::called;
use crate::snapshot::document::{Namespace, Snapshot};
use crate::snapshot::kernel::Kernel;

/// The objects whose lists are in a snapshot.
const LISTS: &[&str] = &["address", "route", "rule", "neighbor", "neighbour", "link", "nexthop"];
/// The commands that list.
const LISTING: &[&str] = &["show", "list", "lst", "ls", "help"];

/// Lets the commands pass that list what is in a snapshot.
///
/// # Errors
/// Any other is refused.
pub fn allow(object: &str, operation: Option<&str>) -> Result<(), Failure> {
    if object == "help" {
        return Ok(());
    }
    if !LISTS.contains(&object) {
        let lists = "link, address, route, rule, neighbour and nexthop";
        let cause = format!("a snapshot has no list of `{object}`, but of {lists}");
        return Err(Failure::new(EXIT_KERNEL, cause.clone(), cause).trying("cannot ask a snapshot"));
    }
    match operation {
        Some(operation) if !LISTING.contains(&operation) => {
            let cause =
                format!("a snapshot is what was: `{object} show` lists it, and `{object} {operation}` is for a kernel");
            Err(Failure::new(EXIT_KERNEL, cause.clone(), cause).trying("cannot ask a snapshot"))
        }
        _ => Ok(()),
    }
}

/// Reads a snapshot from a file, or from standard input for `-`.
///
/// # Errors
/// It cannot be read, or is none.
pub fn read(file: &OsStr) -> Result<Snapshot, Failure> {
    let failure = |cause: String| {
        let tried = format!("cannot read the snapshot `{}`", shown(called(file).as_bytes()));
        Failure::new(EXIT_KERNEL, cause.clone(), cause).trying(tried)
    };
    let mut document = Vec::new();
    let read = match file == "-" {
        true => std::io::stdin().lock().read_to_end(&mut document),
        false => fs::File::open(file).and_then(|mut file| file.read_to_end(&mut document)),
    };
    if let Err(error) = read {
        let sentence = error.raw_os_error().map_or_else(|| error.to_string(), super::failure::errno_sentence);
        return Err(failure(sentence).refused_with(error.raw_os_error()));
    }
    Snapshot::parse(&document).map_err(|error| failure(error.to_string()).hint("`vwire snapshot >FILE` writes one"))
}

/// Returns the namespace that is asked: the one named, or else the one that the snapshot was taken in.
///
/// # Errors
/// There is none of that name.
pub fn choose<'a>(snapshot: &'a Snapshot, file: &OsStr, name: Option<&OsStr>) -> Result<&'a Namespace, Failure> {
    let found = match name {
        Some(name) => snapshot.namespace(name.as_bytes()),
        None => snapshot.here(),
    };
    found.ok_or_else(|| {
        let cause = match name {
            Some(name) => format!("it has no namespace `{}`", shown(name.as_bytes())),
            None => "it does not say which namespace it was taken in".to_owned(),
        };
        let labels: Vec<_> = snapshot.namespaces.iter().map(|namespace| shown(namespace.label.as_bytes())).collect();
        let hint = match labels.len() {
            0 => "it has no namespace at all".to_owned(),
            _ => format!("`-n` takes one that it has: {}", labels.join(", ")),
        };
        Failure::new(EXIT_KERNEL, cause.clone(), cause)
            .trying(format!("cannot find a namespace in the snapshot `{}`", shown(called(file).as_bytes())))
            .hint(hint)
    })
}

/// Starts a rehearsal with what a snapshot says, seen from one of its namespaces.
///
/// # Errors
/// The snapshot cannot be read, has no such namespace, or could not read it as a whole.
pub(super) fn rehearsal(file: &OsStr, name: Option<&OsStr>) -> Result<Rehearsal, Failure> {
    let snapshot = read(file)?;
    let here = choose(&snapshot, file, name)?;
    if let Some(missing) = here.state.missing.first() {
        let cause = format!("the snapshot lacks {missing}");
        return Err(Failure::new(EXIT_KERNEL, cause.clone(), cause).trying("cannot plan"));
    }
    let others = snapshot.namespaces.iter().filter(|namespace| !std::ptr::eq(*namespace, here));
    Ok(Rehearsal::recorded(&std::iter::once(here).chain(others).collect::<Vec<_>>()))
}

/// Returns the names of other namespaces by the id that this one has for them.
fn names_by_id(snapshot: &Snapshot, namespace: &Namespace) -> HashMap<i32, Vec<u8>> {
    let by_inode: HashMap<u64, &Namespace> =
        snapshot.namespaces.iter().filter_map(|other| Some((other.inode?, other))).collect();
    let name = |id: i32, inode: Option<u64>| Some((id, by_inode.get(&inode?)?.names.first()?.as_bytes().to_vec()));
    namespace.ids.iter().filter_map(|other| name(other.id, other.inode)).collect()
}

impl Ip<'_> {
    /// Opens a socket that a snapshot answers, and says what the snapshot lacks.
    pub(super) fn open_recorded(&mut self) -> Result<(), Failure> {
        let Some(file) = self.options.from.clone() else { return Ok(()) };
        let snapshot = read(&file)?;
        let namespace = choose(&snapshot, &file, self.options.netns.as_deref())?;
        if self.options.stats > 0 && !snapshot.has_counters {
            self.say(b"note: the snapshot has no counters; `vwire snapshot --stats` writes them, too\n");
        }
        for missing in namespace.state.lacks() {
            self.say(format!("note: the snapshot lacks {missing}\n").as_bytes());
        }
        self.recorded_names = names_by_id(&snapshot, namespace);
        let kernel = Kernel::new(namespace.state.clone());
        let socket = Socket::answered_by(move |request| kernel.answer(request));
        self.socket = Some(socket.map_err(|error| {
            Failure::new(EXIT_KERNEL, "Cannot open netlink socket", error.to_string()).trying("cannot ask a snapshot")
        })?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lists_may_ask_a_snapshot_and_nothing_else() {
        assert!(allow("link", Some("show")).is_ok());
        assert!(allow("neighbour", Some("list")).is_ok());
        // A word that is no command is the object's own to refuse.
        assert!(allow("link", None).is_ok());
        for (object, operation) in [("link", "add"), ("route", "get"), ("address", "flush"), ("netns", "list")] {
            assert!(allow(object, Some(operation)).is_err(), "{object} {operation}");
        }
    }
}
