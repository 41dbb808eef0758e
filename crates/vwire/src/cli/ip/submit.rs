//! The one way by which commands change the kernel: done at once, noted so that it can be undone, or only rehearsed.
//!
//! Here, too, what is there already or is not is taken as `--if-absent`, `--replace` and `--if-exists` wish it.

use std::ffi::OsStr;
use std::io;

use vwire_netlink::{Link, MessageType, Object, Reply, Request, RequestError};

use super::Ip;
use super::failure::Failure;
use super::rehearsal::Rehearsal;
use super::transaction::{Deed, Transaction, here};
use super::wait::Awaited;
use crate::lab::namespace::Namespace;
use crate::step::rehearse::{Asked, rehearse};
use crate::step::run::run;
use crate::step::{End, Names, Place, Reading, Scope, World, converge, differences};

/// `EEXIST`.
const EEXIST: i32 = 17;
/// `EINVAL`.
const EINVAL: i32 = 22;
/// What the kernel says of what is not there: `ENOENT`, `ESRCH`, `ENXIO`, `ENODEV`, `EADDRNOTAVAIL`.
const ABSENT: [i32; 5] = [2, 3, 6, 19, 99];
/// `NLM_F_EXCL`.
const EXCLUSIVE: u16 = 0x200;
/// `NLM_F_REPLACE`.
const REPLACE: u16 = 0x100;
/// `IFF_UP`.
const UP: u32 = 1;

/// What becomes of a change.
pub(super) enum Mode {
    /// It is done.
    Live,
    /// It is done to what there would be, and to nothing else.
    Rehearsing(Box<Rehearsal>),
    /// It is done, and noted.
    Noting(Box<Transaction>),
}

/// The kernel's answer to a request.
pub(super) type Answer = Result<Reply, RequestError>;

impl Ip<'_> {
    /// Asks the kernel for a change.
    ///
    /// # Errors
    /// The socket cannot be opened, or the change could not be undone in a batch that is a whole; inside, what the
    /// kernel refuses.
    pub fn submit(&mut self, request: &Request) -> Result<Answer, Failure> {
        let mut answers = self.submit_all(std::slice::from_ref(request))?;
        answers.pop().ok_or_else(Failure::incomplete)
    }

    /// Asks the kernel for several changes, one after another; it goes on after one that it refuses.
    ///
    /// # Errors
    /// As [`Ip::submit`].
    pub fn submit_all(&mut self, requests: &[Request]) -> Result<Vec<Answer>, Failure> {
        let wishes = self.wishes;
        if let Mode::Rehearsing(rehearsal) = &mut self.mode {
            for request in requests {
                is_noted(request, Asked::of(request).as_ref()).map_err(cannot_undo)?;
            }
            return Ok(requests.iter().map(|request| rehearsal.take(request, wishes)).collect());
        }
        if let Mode::Live = self.mode
            && wishes == super::wishes::Wishes::default()
        {
            return self.send(requests);
        }
        let asked: Vec<Option<Asked>> = requests.iter().map(Asked::of).collect();
        let mut noted = Vec::new();
        if let Mode::Noting(transaction) = &mut self.mode {
            for (request, asked) in requests.iter().zip(&asked) {
                is_noted(request, asked.as_ref()).map_err(cannot_undo)?;
                if let Some(asked) = asked {
                    transaction.before(asked).map_err(cannot_undo)?;
                }
            }
            // What is made is told, so that it is known which it is.
            let told = |(request, asked): (&Request, &Option<Asked>)| match asked {
                Some(asked) if is_named_by_kernel(asked) => request.clone().with_echo(),
                _ => request.clone(),
            };
            noted = requests.iter().zip(&asked).map(told).collect();
        }
        let mut answers = self.send(if noted.is_empty() { requests } else { &noted })?;
        for (answer, asked) in answers.iter_mut().zip(&asked) {
            let Some(asked) = asked else { continue };
            if let (Mode::Noting(transaction), Ok(reply)) = (&mut self.mode, &*answer) {
                transaction.after(asked, reply);
            }
            if let Err(error) = answer
                && let Some(settled) = self.settle(asked, error)?
            {
                *answer = settled;
            }
            if answer.is_ok() {
                self.await_what(asked);
            }
        }
        Ok(answers)
    }

    fn send(&mut self, requests: &[Request]) -> Result<Vec<Answer>, Failure> {
        Ok(match requests {
            [request] => vec![self.socket()?.request(request)],
            many => self.socket()?.batch(many),
        })
    }

    /// Takes a refusal as the wishes want it; `None` where it stays one.
    fn settle(&mut self, asked: &Asked, error: &RequestError) -> Result<Option<Answer>, Failure> {
        let wishes = self.wishes;
        if wishes.if_exists && !asked.creates() && ABSENT.contains(&error.errno()) {
            return Ok(Some(Ok(Reply::default())));
        }
        // A group that is not there is refused as wrong, without a word (`__br_mdb_del`).
        let is_missing_group = asked.message_type == MessageType::DELMDB && error.errno() == EINVAL;
        if wishes.if_exists && is_missing_group && error.ext_ack.message.is_none() {
            return Ok(Some(Ok(Reply::default())));
        }
        if !asked.creates() || error.errno() != EEXIST || !(wishes.if_absent || wishes.replace) {
            return Ok(None);
        }
        // The kernel says so only of a rule that is the same in all.
        if matches!(asked.object, Object::Rule(_)) {
            return Ok(Some(Ok(Reply::default())));
        }
        let cannot = |error: io::Error| Failure::new(1, "", error.to_string()).trying("cannot compare what is there");
        let (mut places, now) = here().map_err(cannot)?;
        let mut wanted = now.clone();
        let flags = asked.flags & !EXCLUSIVE | REPLACE;
        let mut asked = Asked { flags, ..asked.clone() };
        make_way(&mut wanted, &mut asked);
        let _ = rehearse(&mut wanted, Place(0), &asked, |_| None);
        let scope = Scope::whole(1, Reading::Wish);
        let different = differences(&wanted, &now, &scope);
        if different.is_empty() {
            return Ok(Some(Ok(Reply::default())));
        }
        if !wishes.replace {
            let names = Names::of(Vec::new(), &[&wanted, &now]);
            let told: Vec<String> = different.iter().map(|difference| difference.describe(&names)).collect();
            return Err(differs(&told));
        }
        if let Mode::Noting(transaction) = &mut self.mode {
            changed_links(&wanted, &now).into_iter().for_each(|index| transaction.note_link(index));
        }
        run(&mut places, &converge(&wanted, &now, &scope)).map_err(|failed| {
            let names = Names::of(Vec::new(), &[&wanted, &now]);
            let step = failed.step.describe(&names);
            Failure::new(2, "", failed.error.to_string()).trying(format!("cannot make it so: `{step}`"))
        })?;
        Ok(Some(Ok(Reply::default())))
    }

    /// Notes what is waited for.
    fn await_what(&mut self, asked: &Asked) {
        if self.wishes.wait.is_none() || asked.deletes() {
            return;
        }
        match &asked.object {
            Object::Link(link) if link.flags & link.change & UP != 0 => {
                let name = link.ifname.map(|name| name.as_bytes().to_vec());
                self.awaited.push(Awaited::Link { index: link.index, name });
            }
            Object::Address(address) => self.awaited.push(Awaited::Address(address.as_ref().clone())),
            _ => {}
        }
    }

    /// Notes requests that are about to be sent by another way.
    pub(super) fn note_requests(&mut self, requests: &[Request]) -> Result<(), Failure> {
        let Some(transaction) = self.transaction() else { return Ok(()) };
        for asked in requests.iter().filter_map(Asked::of) {
            transaction.before(&asked).map_err(cannot_undo)?;
        }
        Ok(())
    }

    /// Returns whether changes are done, each for itself.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.mode, Mode::Live)
    }

    /// Returns the rehearsal, if this is one.
    pub(in crate::cli) fn rehearsal(&mut self) -> Option<&mut Rehearsal> {
        match &mut self.mode {
            Mode::Rehearsing(rehearsal) => Some(rehearsal),
            _ => None,
        }
    }

    /// Returns the transaction, if what is done is noted.
    pub(in crate::cli) fn transaction(&mut self) -> Option<&mut Transaction> {
        match &mut self.mode {
            Mode::Noting(transaction) => Some(transaction),
            _ => None,
        }
    }

    /// Notes something that is no object of netlink, once it is done.
    pub(in crate::cli) fn note(&mut self, deed: Deed) {
        if let Some(transaction) = self.transaction() {
            transaction.note(deed);
        }
    }

    /// Refuses what cannot be undone, or what never ends, where all must be done or nothing.
    ///
    /// # Errors
    /// This is a rehearsal, or a batch that is a whole.
    pub(in crate::cli) fn refuse_in_whole(&self, why: &str) -> Result<(), Failure> {
        match self.mode {
            Mode::Live => Ok(()),
            _ => Err(cannot_undo(why.to_owned())),
        }
    }

    /// Opens a namespace by a name, as it would be by now.
    pub(in crate::cli) fn open_namespace(&self, name: &OsStr) -> Option<Namespace> {
        match &self.mode {
            Mode::Rehearsing(rehearsal) => match rehearsal.open_namespace(name) {
                Some(named) => named,
                None => Namespace::open_named(name).ok(),
            },
            _ => Namespace::open_named(name).ok(),
        }
    }
}

/// Refuses what could not be brought back: a request that cannot be read, or about what is in no table that is compared.
fn is_noted(request: &Request, asked: Option<&Asked>) -> Result<(), String> {
    match asked {
        Some(asked) if Transaction::can_note(asked) => Ok(()),
        Some(Asked { object: Object::Link(_), .. }) => Err("`xdp` and `vf` are not put back".to_owned()),
        _ => Err(format!("what {} changes is in no table that is compared", request.message_type())),
    }
}

/// Returns whether the kernel chooses by what something that is made is known.
fn is_named_by_kernel(asked: &Asked) -> bool {
    match &asked.object {
        Object::Link(link) => asked.creates() && link.index == 0,
        Object::Nexthop(hop) => asked.creates() && hop.id.is_none(),
        _ => false,
    }
}

/// Takes a link out of what is wanted that has the name of one of another kind, which gets its index.
fn make_way(wanted: &mut World, asked: &mut Asked) {
    let Object::Link(link) = &mut asked.object else { return };
    let taken = link.ifname.and_then(|name| wanted.state(Place(0)).link_named(name.as_bytes()));
    let of_another = |other: &&Link| link.kind().is_some() && other.kind() != link.kind();
    let Some(index) = taken.filter(of_another).map(|other| other.index) else { return };
    wanted.forget_with_all(End { place: Place(0), index });
    link.index = index;
}

fn changed_links(wanted: &World, now: &World) -> Vec<u32> {
    let links = |world: &World| world.state(Place(0)).links.clone();
    let (wanted, now) = (links(wanted), links(now));
    wanted.iter().filter(|link| !now.contains(link)).map(|link| link.index).collect()
}

fn cannot_undo(why: String) -> Failure {
    Failure::new(1, "", why)
        .trying("cannot be a part of a batch that is done as a whole or not at all")
        .hint("`vwire -batch` without `--atomic` does each line by itself")
}

/// What is there is not what was asked for.
fn differs(told: &[String]) -> Failure {
    let failure = Failure::new(2, "RTNETLINK answers: File exists", "it is there already, and differs");
    let failure = failure.refused_with(Some(EEXIST));
    let failure = told.iter().fold(failure, |failure, difference| failure.hint(difference.clone()));
    failure.hint("`--replace` in the place of `--if-absent` makes it what is asked for")
}
