//! Labs on trial: brought up, and brought back to what was before unless somebody confirms them in time.
//!
//! Who changes the machine that he works from may cut himself off. So the journal of an `up` on trial is kept, with the
//! time until which it is good, and what the record said before; a small process waits for that time, and undoes. That
//! process may die: whoever looks at the lab next finds the time over, and undoes. The time is the one since the
//! machine has started, sleep and all, which nobody sets.
//!
//! A lab that was not there before goes as by [`down`]. Of one that was there, what the journal has of each node is
//! brought back; then what is in no table (queueing, nftables, commands) is made as the file before said. Nodes that
//! have left the file are kept until it is confirmed; brought back, their wires are made anew as that file said.

use std::io;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::journal::Journal;
use super::survey::{APPLIED, applied};
use super::up::{self, Order};
use super::{Done, Listener, clock, commands, down, saved};
use crate::lab::exec::HOSTS;
use crate::lab::failed::Failed;
use crate::lab::file::accounts::OfThisMachine;
use crate::lab::file::read_with;
use crate::lab::model::Lab;
use crate::lab::namespace::walk::{Walker, walk};
use crate::lab::record::Record;

/// The name of the file that says until when; the last to be written, and the first to go.
pub const UNTIL: &str = "unconfirmed";
/// Its first word, with the number of its form.
const HEAD: &str = "vwire-unconfirmed 1";
/// What of a record is another after an `up`, and what it is kept as.
const PREVIOUS: [(&str, &str); 3] =
    [(HOSTS, "previous.hosts"), (saved::FILE, "previous.host-sysctls"), (APPLIED, "previous.toml")];
/// The longest time that may be asked for; a time that is further off is of another start of the machine.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// How a lab is brought up on trial.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    /// In what time it has to be confirmed.
    pub within: Duration,
    /// Starts the process that waits for the time.
    pub clock: &'a (dyn Fn(&Record) -> io::Result<()> + Sync),
}

/// Returns the time since the machine has started.
#[must_use]
pub fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// Returns until when a lab has to be confirmed, if it has to.
#[must_use]
pub fn until(record: &Record) -> Option<Duration> {
    let text = record.read(UNTIL)?;
    // What cannot be read is a time that is over.
    let nanos = text.strip_prefix(HEAD).and_then(|rest| rest.trim().parse().ok()).unwrap_or(0);
    Some(Duration::from_nanos(nanos))
}

/// Returns how long a lab may still be confirmed, if it has to be: zero once it is too late.
#[must_use]
pub fn left(record: &Record) -> Option<Duration> {
    let left = until(record)?.saturating_sub(now());
    Some(if left > LONGEST { Duration::ZERO } else { left })
}

/// Says a time that is left, in whole seconds.
#[must_use]
pub fn told(left: Duration) -> String {
    format!("{} s", left.as_millis().div_ceil(1000))
}

/// Keeps what of the record an `up` writes anew.
pub(super) fn keep_previous(record: &Record) -> io::Result<()> {
    for (own, kept) in PREVIOUS {
        match record.read_bytes(own) {
            Some(content) => record.write(kept, &content)?,
            None => record.remove(kept),
        }
    }
    Ok(())
}

/// Puts back what was kept.
pub(super) fn restore_previous(record: &Record) -> io::Result<()> {
    for (own, kept) in PREVIOUS {
        match record.read_bytes(kept) {
            Some(content) => record.write(own, &content)?,
            None => record.remove(own),
        }
    }
    Ok(())
}

/// Begins the time.
pub(super) fn begin(record: &Record, trial: Trial<'_>) -> io::Result<()> {
    let until = (now() + trial.within).as_nanos();
    record.write(UNTIL, format!("{HEAD} {until}\n").as_bytes())?;
    (trial.clock)(record)
}

/// Forgets that a lab had to be confirmed.
pub(super) fn forget(record: &Record) {
    record.remove(UNTIL);
    record.remove(clock::LOG);
    for (_, kept) in PREVIOUS {
        record.remove(kept);
    }
}

/// Keeps a lab that was brought up on trial.
///
/// # Errors
/// It has nothing to confirm, or it is too late.
pub fn confirm(lab: &str, listener: &mut (dyn Listener + Send)) -> Done<()> {
    let record = existing(lab)?;
    up::may_build()?;
    let _lock = up::lock(&record, lab, listener)?;
    match left(&record) {
        None => {
            forget_if_gone(&record);
            Err(nothing_to_confirm(lab))
        }
        Some(left) if left.is_zero() => {
            go_back(lab, &record, listener)?;
            Err(Failed::new(format!("lab `{lab}` was not confirmed in time, and is as it was before")).partly())
        }
        Some(_) => {
            let journal = Journal::read_kept(&record);
            forget(&record);
            let removed = walk(|walker| match applied(&record) {
                Some(new) => up::remove_strays(walker, &new, &record),
                None => Ok(()),
            });
            removed.map_err(|error| Failed::new("cannot start a thread").because(&error))??;
            journal.unwrap_or_default().close(&record);
            Ok(())
        }
    }
}

/// Brings a lab that has to be confirmed back to what was before, at once.
///
/// # Errors
/// It has nothing to confirm, or not all could be brought back.
pub fn undo(lab: &str, listener: &mut (dyn Listener + Send)) -> Done<()> {
    let record = existing(lab)?;
    up::may_build()?;
    let _lock = up::lock(&record, lab, listener)?;
    if until(&record).is_none() {
        forget_if_gone(&record);
        return Err(nothing_to_confirm(lab));
    }
    go_back(lab, &record, listener)
}

/// Returns the record of a lab, where there is one: nothing is made to find nothing.
fn existing(lab: &str) -> Done<Record> {
    Some(Record::of(lab)).filter(Record::exists).ok_or_else(|| nothing_to_confirm(lab))
}

fn nothing_to_confirm(lab: &str) -> Failed {
    let hint = "`vwire up --confirm 60s FILE` asks to be confirmed, and is undone once the time is over";
    Failed::new(format!("lab `{lab}` has nothing to confirm")).hint(hint)
}

/// Brings a lab back to what was before where its time is over; tells whether it did.
///
/// # Errors
/// Not all could be brought back.
pub fn settle(lab: &str, listener: &mut (dyn Listener + Send)) -> Done<bool> {
    let record = Record::of(lab);
    if left(&record).is_none_or(|left| !left.is_zero()) {
        return Ok(false);
    }
    up::may_build()?;
    let _lock = up::lock(&record, lab, listener)?;
    if left(&record).is_none_or(|left| !left.is_zero()) {
        forget_if_gone(&record);
        return Ok(false);
    }
    listener.warns(&format!("lab `{lab}` was not confirmed in time; it is brought back to what it was first"));
    go_back(lab, &record, listener).map(|()| true)
}

/// Leaves no empty record of a lab that went while its lock was waited for.
fn forget_if_gone(record: &Record) {
    if record.read(APPLIED).is_none() && !Journal::is_there(record) {
        record.remove_all();
    }
}

/// Says that a lab has to be confirmed before it is changed again.
pub(super) fn refuse_while_waiting(lab: &str, record: &Record) -> Done<()> {
    let Some(left) = left(record) else { return Ok(()) };
    Err(Failed::new(format!("lab `{lab}` waits to be confirmed, for {} more", told(left)))
        .hint(format!("`vwire confirm {lab}` keeps it as it is now"))
        .hint(format!("`vwire confirm --undo {lab}` brings back what was before")))
}

fn read(record: &Record, text: &str) -> Done<Lab> {
    let read = read_with(text, &record.file_name(), &OfThisMachine);
    read.map(|(lab, _)| lab).map_err(|_| Failed::new("the file as it was before cannot be read any more"))
}

/// Brings back what was before; whoever calls has the lock.
fn go_back(lab: &str, record: &Record, listener: &mut (dyn Listener + Send)) -> Done<()> {
    let new = applied(record);
    let old = record.read(PREVIOUS[2].1).map(|text| read(record, &text).map(|lab| (lab, text))).transpose()?;
    let labs = [new.as_ref(), old.as_ref().map(|(lab, _)| lab)];
    let host = up::lock_host(&labs, listener)?;
    let journal = Journal::read_kept(record);
    let gone = walk(|walker| match &old {
        None => go(walker, lab, record, journal.as_ref(), listener),
        Some((old, text)) => {
            let order = Order { lab: old, text };
            let back = Back { order, record, journal: journal.as_ref(), new: new.as_ref() };
            back.go(walker, listener)
        }
    });
    up::unlock_host(host);
    gone.map_err(|error| Failed::new("cannot start a thread").because(&error))?.map_err(|failed| {
        let hint = format!("`vwire confirm --undo {lab}` tries again, `vwire down {lab}` takes all of it away");
        failed.hint(hint).partly()
    })
}

/// Takes away a lab that was not there before.
fn go(
    walker: &mut Walker,
    lab: &str,
    record: &Record,
    journal: Option<&Journal>,
    listener: &mut (dyn Listener + Send),
) -> Done<()> {
    commands::stop_all(record)?;
    if let Some(journal) = journal {
        down::bring_back(walker, record, journal)?;
    }
    walker.go_home().map_err(|error| Failed::new("cannot go home").because(&error))?;
    down::clear(lab, record, &down::kept(record, None).iter().collect::<Vec<_>>(), listener)?;
    record.remove_all();
    Ok(())
}

/// A lab that was there before, and goes back to that.
struct Back<'a> {
    order: Order<'a>,
    record: &'a Record,
    journal: Option<&'a Journal>,
    new: Option<&'a Lab>,
}

impl Back<'_> {
    fn go(&self, walker: &mut Walker, listener: &mut (dyn Listener + Send)) -> Done<()> {
        let stays = |name: &str| self.new.is_some_and(|new| new.nodes.iter().any(|node| node.name == name));
        let all_stay = self.order.lab.nodes.iter().all(|node| stays(&node.name));
        match self.journal.filter(|_| all_stay) {
            Some(journal) => {
                commands::stop(self.record, |node| journal.makes.iter().any(|own| own == node))?;
                down::bring_back(walker, self.record, journal)?;
                down::undo_namespaces(walker, &self.order.lab.name, journal)?;
                up::finish(self.order, self.record, walker, listener)?;
            }
            None => up::apply(self.order, self.record, walker, listener)?,
        }
        let failed = |error: io::Error| Failed::new("cannot write down what is up").because(&error);
        restore_previous(self.record).map_err(failed)?;
        forget(self.record);
        if let Some(journal) = self.journal {
            journal.close(self.record);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_in_whole_seconds() {
        assert_eq!(told(Duration::from_millis(41_001)), "42 s");
        assert_eq!(told(Duration::ZERO), "0 s");
    }
}
