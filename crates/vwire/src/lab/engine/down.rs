//! Everything of a lab away, and nothing else: by its marks alone if need be.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::thread::ScopedJoinHandle;

use vwire_netlink::wire::nft::{self, Table};
use vwire_netlink::{Link, Request, Route, Socket};

use super::field::{self, Field};
use super::journal::{self, Journal, PENDING};
use super::survey::{APPLIED, HOST};
use super::up::{Order, names_like};
use super::{Done, Listener, beside, commands, saved};
use crate::lab::failed::Failed;
use crate::lab::file::accounts::OfThisMachine;
use crate::lab::file::read_with;
use crate::lab::model::{DeviceKind, Lab, Node};
use crate::lab::namespace::named::{self, Name};
use crate::lab::namespace::walk::{Walker, walk};
use crate::lab::namespace::{Identity, Namespace};
use crate::lab::record::Record;
use crate::lab::{compile, mark, netfilter, outside, plan, sysctl};
use crate::snapshot::state::State;
use crate::step::run::{Places, if_known, reach};
use crate::step::world::{End, Names, Place, World};
use crate::step::{Parts, Reach, Reading, Scope};

/// `RTEXT_FILTER_SKIP_STATS`.
const SKIP_STATS: u32 = 1 << 3;
/// `NETLINK_NETFILTER`.
const NETFILTER: i32 = 12;

/// How many threads take names away.
const REMOVERS: usize = 16;
/// So few namespaces are looked at by one thread: another one would not pay.
const FEW: usize = 16;

/// What `down` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// There was nothing of the lab.
    Nothing,
    /// It is gone.
    All,
}

/// Takes a lab down; `known` is the lab where its file is at hand.
///
/// # Errors
/// What could not be removed.
pub fn down(lab: &str, known: Option<Order<'_>>, listener: &mut (dyn Listener + Send)) -> Done<Gone> {
    super::up::may_build()?;
    let record = Record::of(lab);
    let had_record = record.exists();
    let _lock = super::up::lock(&record, lab, listener)?;
    let stopped = commands::stop_all(&record);
    let kept = kept(&record, known);
    let labs: Vec<&Lab> = known.map(|known| known.lab).into_iter().chain(&kept).collect();
    let host = super::up::lock_host(&labs.iter().copied().map(Some).collect::<Vec<_>>(), listener)?;
    let done = clear(lab, &record, &labs, listener);
    super::up::unlock_host(host);
    let any = done?;
    Record::of_host().sweep();
    // By its record what does not end is found once more.
    stopped.map_err(Failed::partly)?;
    record.remove_all();
    Ok(if any || had_record { Gone::All } else { Gone::Nothing })
}

/// Returns the labs of the files that are kept: as it was applied last, and as a run that did not end wants it; not one
/// that is known already.
pub(super) fn kept(record: &Record, known: Option<Order<'_>>) -> Vec<Lab> {
    let texts = [APPLIED, PENDING].into_iter().filter_map(|name| record.read(name));
    let new = texts.filter(|text| known.is_none_or(|known| known.text != text));
    new.filter_map(|text| read_with(&text, &record.file_name(), &OfThisMachine).ok()).map(|(lab, _)| lab).collect()
}

/// Takes away what a lab has in the kernel; returns whether there was any. The caller is in the machine's own namespace;
/// `labs` are those that there are files of.
///
/// # Errors
/// What could not be removed.
pub(super) fn clear(lab: &str, record: &Record, labs: &[&Lab], listener: &mut (dyn Listener + Send)) -> Done<bool> {
    let of_host = clear_host(lab, record, labs)?;
    // All are looked at before the first goes: the kernel is busy with those that go, and would let the others wait.
    let names = names_like(lab);
    let mut own: Vec<Name> = Vec::new();
    for (name, is_own) in names.iter().zip(are_own(lab, &names)?) {
        match is_own {
            true => own.push(name.clone()),
            false => listener.warns(&format!("namespace `{name}` is not the lab's and stays")),
        }
    }
    let has_run = |lab: &&Lab| lab.nodes.iter().any(|node| !node.commands.is_empty());
    if !commands::is_known(record) && (labs.is_empty() || labs.iter().any(has_run)) {
        // The record is lost, but not the mark that something is a lab's, nor where it is.
        commands::stop_in(&own.iter().filter_map(|name| Identity::of(name.path()).ok()).collect::<Vec<_>>())?;
    }
    remove_all(&own)?;
    Ok(!own.is_empty() || of_host)
}

/// Returns of each name whether it is the lab's; each processor asks for a part of them.
fn are_own(lab: &str, names: &[Name]) -> Done<Vec<bool>> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let part = names.len().div_ceil(threads).max(FEW);
    let look = |names: &[Name]| {
        let all = walk(|walker| {
            names.iter().map(|name| Ok(is_marked(walker, lab, name)? || named::is_leftover(name))).collect()
        });
        all.unwrap_or_else(|error| Err(Failed::new("cannot start a thread").because(&error)))
    };
    in_parts(names, part, look).map(|parts: Vec<Vec<bool>>| parts.concat())
}

/// Has a thread for each part of a list, and returns what each made of it.
fn in_parts<T: Send>(names: &[Name], part: usize, body: impl Fn(&[Name]) -> Done<T> + Sync) -> Done<Vec<T>> {
    let body = &body;
    std::thread::scope(|scope| {
        let threads: Vec<_> = names.chunks(part).map(|part| scope.spawn(move || body(part))).collect();
        let join = |thread: ScopedJoinHandle<'_, Done<T>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}

/// Takes names away, several at a time: for each the kernel waits until no processor looks at the mount any more, and
/// those who wait together wait once.
fn remove_all(names: &[Name]) -> Done<()> {
    let part = names.len().div_ceil(REMOVERS).max(1);
    let failed =
        |name: &Name, error: &std::io::Error| Failed::new(format!("cannot remove namespace `{name}`")).because(error);
    let remove =
        |names: &[Name]| names.iter().try_for_each(|name| named::delete(name).map_err(|error| failed(name, &error)));
    in_parts(names, part, remove).map(drop)
}

/// Takes away what a lab has on the machine itself, and sets its sysctls back; returns whether there was any.
fn clear_host(lab: &str, record: &Record, labs: &[&Lab]) -> Done<bool> {
    let mut any = false;
    let mut socket = Socket::open().map_err(|error| Failed::new("cannot open a socket").because(&error.source))?;
    let links = socket.links(&vwire_netlink::LinkFilter::without_stats());
    let links = links.map_err(|error| Failed::new(format!("cannot read the links of this machine: {error}")))?;
    let unmarked = maybe_unmarked(record);
    let is_own = |link: &&Link| {
        link.group == Some(mark::group(lab))
            || link.alt_names().iter().any(|name| mark::is_host_link_of(lab, name.as_bytes()))
            || is_unmarked(link, &unmarked)
    };
    let own: Vec<u32> = links.iter().filter(is_own).map(|link| link.index).collect();
    for index in own {
        any = true;
        let gone = socket.request(&Request::del_link(&Link { index, ..Link::default() }));
        // One end of a cable takes the other with it.
        if let Err(error) = gone
            && error.errno() != nix::libc::ENODEV
        {
            return Err(Failed::new("cannot remove a link of this machine").refused(&error));
        }
    }
    for lab in labs {
        if let Some((at, _)) = host_of(lab) {
            any |= clear_routes(&mut socket, lab, at);
        }
    }
    any |= remove_table(lab)?;
    let others = saved::of_others(record);
    for (name, value) in saved::host_sysctls(record).into_iter().filter(|(name, _)| !others.contains_key(name)) {
        sysctl::write(&name, &value)
            .map_err(|error| Failed::new(format!("cannot set `{name}` back to `{value}`")).because(&error))?;
        any = true;
    }
    Ok(any)
}

/// Returns the names of TUN and TAP devices that a run which did not end may have made: no message makes them, and so they
/// are without a mark for a moment.
fn maybe_unmarked(record: &Record) -> Vec<String> {
    let (Some(journal), Some(lab)) = (Journal::read(record), journal::pending(record)) else { return Vec::new() };
    let Some((_, host)) = host_of(&lab) else { return Vec::new() };
    let was_there = |name: &str| {
        let before = journal.before.get(&host.name);
        before.is_none_or(|state| state.link_named(name.as_bytes()).is_some())
    };
    let own = host.devices.iter().filter(|device| matches!(device.kind, DeviceKind::Tuntap { .. }));
    own.map(|device| device.name.clone()).filter(|name| !was_there(name)).collect()
}

fn is_unmarked(link: &Link, names: &[String]) -> bool {
    let is_plain = link.kind() == Some("tun") && link.group.unwrap_or(0) == 0;
    is_plain && names.iter().any(|name| link.ifname.is_some_and(|own| own == name.as_str()))
}

/// Takes away the machine's own table of a lab, and returns whether there was one.
///
/// # Errors
/// The kernel neither tells which there are nor that it has none, or does not take it away.
pub fn remove_table(lab: &str) -> Done<bool> {
    let name = plan::table_of(lab);
    let failed = || Failed::new(format!("cannot remove table `inet {name}` of this machine"));
    // Where a kernel has no netfilter, there is no socket of it.
    let Ok(mut socket) = Socket::with_protocol(NETFILTER) else { return Ok(false) };
    // It is asked first: to refuse what is not there takes the kernel as long as to remove what is, some 10 ms.
    let tables: Vec<Table> = if_known(socket.dump_bodies(&Table::inet(&name).to_dump()))
        .map_err(|error| Failed::new(format!("cannot read the tables of this machine: {error}")))?;
    if !tables.iter().any(|table| table.name.as_ref().is_some_and(|own| own.as_bytes() == name.as_bytes())) {
        return Ok(false);
    }
    let removed = socket.transaction(nft::SUBSYSTEM, &netfilter::removal(&name));
    removed.map(|_| true).map_err(|aborted| failed().refused(&aborted.error))
}

fn host_of(lab: &Lab) -> Option<(usize, &Node)> {
    lab.nodes.iter().enumerate().find(|(_, node)| node.is_host)
}

/// Removes the routes and rules that a lab's file gives the machine, and that have a lab's number.
fn clear_routes(socket: &mut Socket, lab: &Lab, at: usize) -> bool {
    let mut now = vec![State::default(); lab.nodes.len()];
    let links = socket.links(&vwire_netlink::LinkFilter::without_stats()).unwrap_or_default();
    now[at] = State { links, ..State::default() };
    // What leads through links of the lab went with them, and cannot be named any more.
    let bare = |node: &Node| Node {
        name: node.name.clone(),
        is_host: node.is_host,
        outside: node.outside.clone(),
        ..Node::default()
    };
    let mut without = Lab { name: lab.name.clone(), nodes: lab.nodes.iter().map(bare).collect(), ..Lab::default() };
    without.nodes[at].routes =
        lab.nodes[at].routes.iter().filter_map(|route| outside::left_of(&lab.nodes[at], route)).collect();
    without.nodes[at].rules = lab.nodes[at].rules.clone();
    let Ok(world) = compile::compile(&without, &now) else { return false };
    let state = world.state(Place(at));
    // What is named by no gateway is any of its prefix, table, metric and number.
    let routes: Vec<Route> = state.routes.iter().map(|route| Route { multipath: None, ..route.clone() }).collect();
    let requests = routes.iter().map(Request::del_route).chain(state.rules.iter().map(Request::del_rule));
    socket.batch(&requests.collect::<Vec<_>>()).iter().any(Result::is_ok)
}

/// Returns whether a namespace has the mark of the lab's node that it is named after.
///
/// # Errors
/// It cannot be told: one that is the lab's would be taken for somebody else's.
pub fn is_marked(walker: &mut Walker, lab: &str, name: &Name) -> Done<bool> {
    let Some(node) = name.to_string().strip_prefix(lab).and_then(|rest| rest.strip_prefix('.')).map(str::to_owned)
    else {
        return Ok(false);
    };
    let unknown =
        |error: &std::io::Error| Failed::new(format!("cannot tell whose namespace `{name}` is")).because(error);
    let entered = match Namespace::open(name.path()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        opened => opened.and_then(|namespace| walker.go(&namespace)),
    };
    match entered {
        Err(_) if named::is_leftover(name) => return Ok(false),
        entered => entered.map_err(|error| unknown(&error))?,
    }
    let mut socket = Socket::open().map_err(|error| unknown(&error.source))?;
    has_mark(&mut socket, lab, &node)
}

/// Returns whether `lo` in the socket's namespace has the mark of a lab's node.
///
/// # Errors
/// The kernel does not tell.
pub fn has_mark(socket: &mut Socket, lab: &str, node: &str) -> Done<bool> {
    let own = Link { index: compile::LOOPBACK, ext_mask: Some(SKIP_STATS), ..Link::default() };
    let lo = socket.get::<Link>(&Request::get_link(&own)).map_err(|error| {
        Failed::new(format!("cannot tell whose namespace `{}` is", mark::namespace(lab, node))).refused(&error)
    })?;
    let wanted = mark::of_node(lab, node);
    Ok(lo.alt_names().iter().any(|name| name.as_bytes() == wanted.as_bytes()))
}

/// Undoes what a run did that did not end.
///
/// # Errors
/// What could not be undone.
pub fn undo(walker: &mut Walker, lab: &str, record: &Record, journal: &Journal) -> Done<()> {
    commands::undo_new(record)?;
    for name in journal.makes.iter().filter_map(|node| Name::parse(mark::namespace(lab, node).as_bytes())) {
        if named::is_leftover(&name) {
            named::delete(&name).map_err(|error| {
                Failed::new(format!("cannot remove the file of namespace `{name}`")).because(&error)
            })?;
        }
    }
    bring_back(walker, record, journal)?;
    beside::bring_back(walker, lab, record)?;
    undo_namespaces(walker, lab, journal)?;
    journal.close(record);
    Ok(())
}

/// Brings the places that were there before back to what they held.
///
/// # Errors
/// What could not be brought back.
pub(super) fn bring_back(walker: &mut Walker, record: &Record, journal: &Journal) -> Done<()> {
    if journal.before.is_empty() {
        return Ok(());
    }
    let unread = || Failed::new("the file of the run that did not end cannot be read any more");
    let read = read_with(&journal.pending, &record.file_name(), &OfThisMachine);
    let (mut lab, _) = read.map_err(|_| unread())?;
    // What the run was about to take away.
    let is_known = |name: &&String| lab.nodes.iter().any(|node| node.name == **name);
    let unknown: Vec<&String> = journal.before.keys().filter(|name| !is_known(name)).collect();
    for name in unknown {
        let is_host = name == HOST;
        lab.nodes.push(Node { name: name.clone(), is_host, leaves: !is_host, ..Node::default() });
    }
    let mut field = Field::open(walker, &lab)?;
    let now = field.look(walker, &lab, &BTreeMap::new())?;
    let wanted = compile::compile(&lab, &now.states).map_err(|_| unread())?;
    let mut before = World { states: vec![State::default(); lab.nodes.len()], ..World::default() };
    let mut outside = Vec::new();
    let place = |name: &str| lab.nodes.iter().position(|node| node.name == name);
    for (at, node) in lab.nodes.iter().enumerate() {
        match journal.before.get(&node.name) {
            Some(state) => before.states[at] = state.clone(),
            None => outside.push(at),
        }
    }
    // What was there and what is there now: the run may have made the one, and taken the other.
    let mut scope = plan::scope(&lab, &wanted, &now, Some(&before));
    let was = plan::scope(&lab, &wanted, &before, Some(&before));
    for (reach, was) in scope.reaches.iter_mut().zip(was.reaches) {
        if let (Reach::Parts(parts), Reach::Parts(was)) = (reach, was) {
            parts.extend(was);
        }
    }
    outside.into_iter().for_each(|at| scope.reaches[at] = Reach::Parts(Parts::default()));
    scope.reading = Reading::Picture;
    let end = |(node, index): &(String, u32)| Some(End { place: Place(place(node)?), index: *index });
    let both = |(one, other): &(_, _)| Some((end(one)?, end(other)?));
    before.cables.extend(journal.cables.iter().filter_map(both));
    before.lowers.extend(journal.lowers.iter().filter_map(both));
    bring_places_back(&lab, field, &before, &scope)
}

fn bring_places_back(lab: &Lab, mut field: Field, before: &World, scope: &Scope) -> Done<()> {
    let mut places = Places::default();
    let empty = Namespace::create().map_err(|error| Failed::new("cannot make a namespace").because(&error))?;
    let sites = std::mem::take(&mut field.sites);
    for ((node, state), site) in lab.nodes.iter().zip(&before.states).zip(sites) {
        // A place that was not made yet is an empty one, so that the others keep their numbers.
        let site = match site {
            Some(site) => site,
            None => field::stand_in(node, &empty)?,
        };
        places.add(site.into_room(&node.name, state));
    }
    let left = reach(&mut places, before, scope);
    let left = left.map_err(|error| Failed::new(format!("cannot bring back what was: {error}")))?;
    if let Some(first) = left.first() {
        let names = Names::of(places.names(), &[before]);
        let more = if left.len() > 1 { format!(", and {} more", left.len() - 1) } else { String::new() };
        return Err(Failed::new(format!("cannot bring back what was: {}{more}", first.describe(&names))));
    }
    Ok(())
}

/// Removes the namespaces that a run has made.
///
/// # Errors
/// One cannot be removed.
pub fn undo_namespaces(walker: &mut Walker, lab: &str, journal: &Journal) -> Done<()> {
    for node in &journal.makes {
        let Some(name) = Name::parse(mark::namespace(lab, node).as_bytes()) else { continue };
        if name.path().exists() && (named::is_leftover(&name) || is_marked(walker, lab, &name)?) {
            named::delete(&name)
                .map_err(|error| Failed::new(format!("cannot remove namespace `{name}`")).because(&error))?;
        }
    }
    Ok(())
}
