//! A batch as a whole: all its lines are checked first, then done, and brought back if one is refused.
//!
//! 1. Check: each line is read and resolved in a rehearsal, as if those before it had been done. All mistakes are told
//!    at once, and nothing is changed. `--plan` ends here, and shows what each line would change.
//! 2. Do: the namespace is looked at once; each line is done, and what it changes is noted.
//! 3. At the first refusal, or when a signal asks for the end, everything is brought back, and why is told.
//!
//! Deletions of links that follow one another are done together: all get a group of their own, and one request deletes
//! the group. The kernel waits out a grace period for each request that deletes, not for each link.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead};

use vwire_netlink::{Link, LinkFilter, Request};

use super::batch::{self, Line};
use super::failure::{EXIT_SEMANTIC, Failure};
use super::rehearsal::{Rehearsal, Rehearsed};
use super::submit::Mode;
use super::transaction::{Transaction, here};
use super::wishes::Wishes;
use super::{Grammar, Ip, Tongue, closed_pipe_is_no_error, recorded, unreadable_batch};
use crate::cli::{bridge, called};
use crate::lab::signals::{Held, exit_of};
use crate::out;
use crate::step::difference::{self, Change, Sign};
use crate::step::rehearse::Asked;
use crate::step::{Difference, Names, Place, Reading, Scope, World, differences};

/// The exit code of a batch with mistakes: vwire's own for a wrong command line.
const EXIT_MISTAKES: u8 = 2;
/// The exit code of a batch of which nothing is left, because the kernel refused a line.
const EXIT_REFUSED: u8 = 1;
/// From how many on deletions are worth doing together.
const FEW: usize = 3;
/// Where numbers of groups are tried that nobody uses: `vw` and upwards.
const GROUPS: u32 = 0x7677_0000;

/// A command of a batch, with the wishes before it.
struct Command {
    number: usize,
    words: Vec<OsString>,
    wishes: Wishes,
    /// The link that it deletes, if it does nothing else.
    deletes: Option<Vec<u8>>,
}

/// Runs a batch as a whole; `-` is standard input.
///
/// # Errors
/// What is wrong with it, told; or what the kernel refuses. Nothing is changed then.
pub(super) fn run_file(ip: &mut Ip<'_>, file: &OsStr, grammar: &Grammar) -> Result<(), Failure> {
    let mut input: Box<dyn BufRead> = if file == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(io::BufReader::new(std::fs::File::open(file).map_err(|error| unreadable_batch(file, &error))?))
    };
    let mut text = Vec::new();
    input.read_to_end(&mut text).map_err(|error| unreadable_batch(file, &error))?;
    run_text(ip, called(file), &text, grammar)
}

/// Shows what one command would change.
///
/// # Errors
/// What is wrong with it.
pub(super) fn plan_one(ip: &mut Ip<'_>, words: &[OsString], grammar: &Grammar) -> Result<(), Failure> {
    let wishes = ip.wishes;
    let mut commands = vec![Command { number: 0, words: words.to_vec(), wishes, deletes: None }];
    let mistakes = rehearse(ip, &mut commands, grammar)?;
    match mistakes.into_iter().next() {
        Some((_, failure)) => Err(failure),
        None => Ok(()),
    }
}

fn run_text(ip: &mut Ip<'_>, file: &OsStr, text: &[u8], grammar: &Grammar) -> Result<(), Failure> {
    let wishes = ip.wishes;
    let (mut commands, mut mistakes) = read(text, wishes);
    mistakes.extend(rehearse(ip, &mut commands, grammar)?);
    if !mistakes.is_empty() {
        return Err(tell_mistakes(ip, file, mistakes, &commands));
    }
    if wishes.plan {
        return Ok(());
    }
    ip.held = Held::hold().ok();
    let transaction = Transaction::begin().map_err(|error| unreadable(&error))?;
    ip.mode = Mode::Noting(Box::new(transaction));
    let mut line = 0;
    let done = apply(ip, &commands, grammar, &mut line);
    ip.wishes = wishes;
    let mode = std::mem::replace(&mut ip.mode, Mode::Live);
    let ended = match (done, mode) {
        (Err(failure), Mode::Noting(transaction)) => {
            let left = transaction.roll_back();
            Err(tell_refusal(ip, file, line, failure, &left, &commands))
        }
        _ => Ok(()),
    };
    ip.held = None;
    ended
}

/// Goes on unless a signal asks for the end.
pub(super) fn go_on(ip: &Ip<'_>) -> Result<(), Failure> {
    match ip.held.as_ref().and_then(Held::seen) {
        Some(signal) => Err(Failure::new(exit_of(signal), "", "interrupted")),
        None => Ok(()),
    }
}

/// Cuts a batch into commands; what cannot be cut is told with the rest.
fn read(text: &[u8], wishes: Wishes) -> (Vec<Command>, Vec<(usize, Failure)>) {
    let (mut commands, mut mistakes) = (Vec::new(), Vec::new());
    let mut splitter = batch::Splitter::default();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match splitter.take(line) {
            Ok(None) => {}
            Ok(Some(Line { number, words })) => match Wishes::split(&words) {
                Ok((own, words)) => {
                    // A line may stand as it would be typed.
                    let is_program = words.first().is_some_and(|word| word == "vwire" || word == "ip");
                    let words: Vec<OsString> = words.into_iter().skip(usize::from(is_program)).collect();
                    if let Err(failure) = fit(own, &words) {
                        mistakes.push((number, failure));
                    }
                    commands.push(Command { number, words, wishes: wishes.and(own), deletes: None });
                }
                Err(failure) => mistakes.push((number, failure)),
            },
            Err(error) => mistakes.push((splitter.number(), unsplit(error))),
        }
    }
    if splitter.is_joining() {
        let failure = Failure::new(EXIT_SEMANTIC, "", "the last line ends in a backslash");
        mistakes.push((splitter.number(), failure));
    }
    (commands, mistakes)
}

/// Refuses the wishes before a command that say nothing to it; those before the whole are for those lines that they fit.
fn fit(own: Wishes, words: &[OsString]) -> Result<(), Failure> {
    let subject = match words.split_first() {
        Some((first, words)) if first == "bridge" => bridge::subject_of(words),
        _ => super::subject_of(words).map(|(object, operation)| (object.to_owned(), operation)),
    };
    subject.map_or(Ok(()), |(object, operation)| own.fit(&object, operation))
}

fn unsplit(error: batch::SplitError) -> Failure {
    match error {
        batch::SplitError::Unterminated => Failure::new(EXIT_SEMANTIC, "", "a quote is not closed"),
        batch::SplitError::TooMany => {
            Failure::new(EXIT_SEMANTIC, "", format!("a command has more than {} words", batch::MOST_WORDS))
        }
    }
}

/// Rehearses all commands, shows the plan if that is wished, and returns the mistakes.
fn rehearse(ip: &mut Ip<'_>, commands: &mut [Command], grammar: &Grammar) -> Result<Vec<(usize, Failure)>, Failure> {
    let wishes = ip.wishes;
    let rehearsal = match ip.options.from.clone() {
        Some(file) => recorded::rehearsal(&file, ip.options.netns.as_deref())?,
        None => Rehearsal::new(here().map_err(|error| unreadable(&error))?.1),
    };
    ip.mode = Mode::Rehearsing(Box::new(rehearsal));
    let layout = ip.printer.layout();
    let printer = std::mem::replace(&mut ip.printer, out::Printer::new(layout));
    let collected = ip.collected.replace(Vec::new());
    let mut mistakes = Vec::new();
    let mut plan = Vec::new();
    for command in commands.iter_mut() {
        let before = wishes.plan.then(|| world_of(ip));
        ip.wishes = command.wishes;
        let result = run_one(ip, command, grammar);
        // What is shown is shown when it is done.
        let _ = ip.printer.take();
        ip.collected = Some(Vec::new());
        let rehearsed = ip.rehearsal().map(Rehearsal::end_line).unwrap_or_default();
        if let Err(failure) = result
            && (rehearsed.is_refused || !failure.is_kernels())
        {
            mistakes.push((command.number, failure));
            continue;
        }
        command.deletes = deleted(command, &rehearsed.asked);
        if let Some(before) = before {
            let after = world_of(ip);
            let called = ip.rehearsal().map(|rehearsal| rehearsal.called()).unwrap_or_default();
            let changes = with_moves(changes(&after, &before), &rehearsed, &called);
            plan.push((command.number, words_of(command), changes, Names::of(called, &[])));
        }
    }
    ip.wishes = wishes;
    ip.mode = Mode::Live;
    (ip.printer, ip.collected) = (printer, collected);
    if wishes.plan && mistakes.is_empty() {
        print_plan(ip, &plan);
    }
    Ok(mistakes)
}

fn world_of(ip: &mut Ip<'_>) -> World {
    ip.rehearsal().map(|rehearsal| rehearsal.world.clone()).unwrap_or_default()
}

fn words_of(command: &Command) -> String {
    let words: Vec<String> = command.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    words.join(" ")
}

/// Returns the name of the link that a line deletes, if that is all that it does and others may be deleted with it.
fn deleted(command: &Command, asked: &[Asked]) -> Option<Vec<u8>> {
    let [one] = asked else { return None };
    one.deleted_link()?;
    let is_plain = command.words.len() == 3;
    let name = command.words.last().filter(|_| is_plain)?;
    Some(std::os::unix::ffi::OsStrExt::as_bytes(name.as_os_str()).to_vec())
}

/// What changes from one world to another, as differences.
fn changes(after: &World, before: &World) -> Vec<Difference> {
    let places = after.states.len().max(before.states.len());
    let mut before = before.clone();
    before.states.resize_with(places, Default::default);
    differences(after, &before, &Scope::whole(places, Reading::Picture))
}

/// Tells links that go in one place and come in another as moved, and names of namespaces that come or go.
fn with_moves(mut changes: Vec<Difference>, rehearsed: &Rehearsed, called: &[String]) -> Vec<Difference> {
    let own = Place(0);
    let mut told = Vec::new();
    for (name, is_given) in &rehearsed.names {
        let object = format!("netns {}", name.display());
        told.push(if *is_given { Difference::missing(own, object) } else { Difference::surplus(own, object) });
    }
    for (from, to, place) in &rehearsed.moved {
        let goes = Difference::surplus(own, format!("link {from}"));
        let comes = Difference::missing(*place, format!("link {to}"));
        changes.retain(|change| *change != goes && *change != comes);
        let becomes = |attribute: &'static str, value: &str| Difference {
            should: Some(format!("{attribute} {value}")),
            ..Difference { place: own, object: goes.object.clone(), attribute, is: None, should: None }
        };
        told.push(becomes("netns", called.get(place.0).map_or("another", String::as_str)));
        told.extend((from != to).then(|| becomes("name", to)));
    }
    told.extend(changes);
    told
}

type Planned = (usize, String, Vec<Difference>, Names);

fn print_plan(ip: &mut Ip<'_>, plan: &[Planned]) {
    let printer = &mut ip.printer;
    if printer.layout().json {
        printer.open_document();
        for (number, command, changes, names) in plan {
            printer.open_object(None);
            if *number != 0 {
                printer.number("line", "", u64::try_from(*number).unwrap_or(u64::MAX), "");
            }
            printer.string("command", "", command.as_bytes(), "");
            printer.open_array(Some("changes"));
            for change in changes {
                printer.open_object(None);
                if let Some(netns) = names.place(change.place) {
                    printer.string("netns", "", netns.as_bytes(), "");
                }
                printer.string("object", "", change.object.as_bytes(), "");
                printer.string("attribute", "", change.attribute.as_bytes(), "");
                let (is, becomes) = change.values();
                if let Some(is) = is {
                    printer.string("is", "", is.as_bytes(), "");
                }
                if let Some(becomes) = becomes {
                    printer.string("becomes", "", becomes.as_bytes(), "");
                }
                printer.close_object();
            }
            printer.close_array();
            printer.close_object();
        }
        printer.close_document();
        return;
    }
    for (_, command, changes, names) in plan {
        printer.verbatim(format!("{command}\n"));
        for change in &difference::changes(changes) {
            printer.verbatim(format!("    {}\n", told(change, names)));
        }
        if changes.is_empty() {
            printer.verbatim("    changes nothing\n");
        }
    }
}

/// Says what becomes of an object: `set link eth0: mtu 1500 → 1400, up`, `move link eth0 to netns blue`.
fn told(change: &Change, names: &Names) -> String {
    let place = names.place(change.place).map(|name| format!(" in netns {name}")).unwrap_or_default();
    match change.sign {
        Sign::Comes => format!("make {change}{place}"),
        Sign::Goes => format!("delete {change}{place}"),
        Sign::Becomes if change.details.first().is_some_and(|detail| detail.starts_with("netns ")) => {
            format!("move {} to {}", change.object, change.details.join(", "))
        }
        Sign::Becomes => format!("set {change}{place}"),
    }
}

/// Does the commands up to the first that is refused; `line` is that of the last that was tried.
fn apply(ip: &mut Ip<'_>, commands: &[Command], grammar: &Grammar, line: &mut usize) -> Result<(), Failure> {
    let collects = ip.tongue() == Tongue::Json;
    let mut opening: &[u8] = b"[";
    if collects {
        ip.collected = Some(Vec::new());
    }
    let mut done = 0;
    while let Some(command) = commands.get(done) {
        *line = command.number;
        go_on(ip)?;
        let together = commands[done..].iter().take_while(|command| command.deletes.is_some()).count();
        let count =
            if together >= FEW && delete_together(ip, &commands[done..done + together])? { together } else { 1 };
        if count == 1 {
            ip.wishes = command.wishes;
            run_one(ip, command, grammar)?;
            wait_if_wished(ip)?;
        }
        for _ in 0..count {
            let flushed = if collects { element(ip, &mut opening) } else { ip.flush() };
            // Nobody reads any more: no reason to take back what is done.
            if flushed.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
                flushed.or_else(closed_pipe_is_no_error)?;
            }
        }
        done += count;
    }
    if collects {
        ip.collected = None;
        ip.printer.verbatim(if opening == b"[" { "[]\n" } else { "]\n" });
    }
    Ok(())
}

/// Runs one command: of the batch's grammar, or of `bridge`'s where it begins with that word.
fn run_one(ip: &mut Ip<'_>, command: &Command, grammar: &Grammar) -> Result<(), Failure> {
    match command.words.split_first() {
        Some((first, words)) if first == "bridge" => (bridge::GRAMMAR.run)(ip, words),
        _ => (grammar.run)(ip, &command.words),
    }
}

/// Waits until what a command set up can be used, if that is wished.
pub(super) fn wait_if_wished(ip: &mut Ip<'_>) -> Result<(), Failure> {
    match ip.wishes.wait {
        Some(patience) => super::wait::wait(ip, patience),
        None => Ok(()),
    }
}

/// Writes what a command printed as an element of one document.
fn element(ip: &mut Ip<'_>, opening: &mut &[u8]) -> io::Result<()> {
    ip.flush()?;
    let printed = ip.collected.replace(Vec::new()).unwrap_or_default();
    ip.stdout.write_all(&[std::mem::replace(opening, b",\n"), &out::batch::element(&printed)].concat())?;
    ip.stdout.flush()
}

/// Deletes the links of several commands at once; returns false where that cannot be, and nothing is changed.
fn delete_together(ip: &mut Ip<'_>, commands: &[Command]) -> Result<bool, Failure> {
    let links = ip.socket()?.links(&LinkFilter::without_stats());
    let Ok(links) = links else { return Ok(false) };
    let mut by_name: HashMap<&[u8], &Link> = HashMap::new();
    for link in &links {
        by_name.extend(link.ifname.as_ref().map(|name| (name.as_bytes(), link)));
        by_name.extend(link.alt_names().iter().map(|name| (name.as_bytes(), link)));
    }
    let named = |command: &Command| by_name.get(command.deletes.as_deref()?).copied();
    let doomed: Option<Vec<&Link>> = commands.iter().map(named).collect();
    // Hardware cannot be deleted: alone, it is refused by name.
    let Some(doomed) = doomed.filter(|doomed| doomed.iter().all(|link| link.kind().is_some())) else {
        return Ok(false);
    };
    let is_used = |group: u32| links.iter().any(|link| link.group == Some(group));
    let Some(group) = (GROUPS..).take(links.len() + 1).find(|group| !is_used(*group)) else { return Ok(false) };
    let indexes: Vec<u32> = doomed.iter().map(|link| link.index).collect();
    let regroup =
        |index: &u32, group: u32| Request::set_link(&Link { index: *index, group: Some(group), ..Link::default() });
    let requests: Vec<Request> = indexes.iter().map(|index| regroup(index, group)).collect();
    let deletions: Vec<Request> =
        indexes.iter().map(|index| Request::del_link(&Link { index: *index, ..Link::default() })).collect();
    ip.note_requests(&deletions)?;
    let socket = ip.socket()?;
    let all_in = socket.batch(&requests).iter().all(Result::is_ok);
    if all_in && socket.request(&Request::del_group(group)).is_ok() {
        return Ok(true);
    }
    // One by one, the one that is refused can be named.
    let back: Vec<Request> = doomed.iter().map(|link| regroup(&link.index, link.group.unwrap_or(0))).collect();
    let _ = socket.batch(&back);
    Ok(false)
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(EXIT_SEMANTIC, "", error.to_string()).trying("cannot read what is there")
}

/// Tells all mistakes of a batch.
fn tell_mistakes(ip: &mut Ip<'_>, file: &OsStr, mut mistakes: Vec<(usize, Failure)>, commands: &[Command]) -> Failure {
    mistakes.sort_by_key(|(number, _)| *number);
    let count = mistakes.len();
    for (number, failure) in mistakes {
        tell_one(ip, file, number, failure, commands);
    }
    let lines = if count == 1 { "a line is wrong".to_owned() } else { format!("{count} lines are wrong") };
    summary(ip, EXIT_MISTAKES, &format!("{lines}; nothing is changed"))
}

fn tell_one(ip: &mut Ip<'_>, file: &OsStr, number: usize, failure: Failure, commands: &[Command]) {
    let words = commands.iter().find(|command| command.number == number).map(words_of).unwrap_or_default();
    let failure = failure.at_line(file, number);
    if ip.tongue() != Tongue::Json {
        let colon = if words.is_empty() { "" } else { ": " };
        ip.say(format!("{}:{number}{colon}{words}\n", file.display()).as_bytes());
    }
    ip.complain(&failure);
}

/// Tells why a batch was not done, and whether all is as it was.
fn tell_refusal(
    ip: &mut Ip<'_>,
    file: &OsStr,
    number: usize,
    failure: Failure,
    left: &[String],
    commands: &[Command],
) -> Failure {
    let _ = ip.printer.take();
    ip.collected = None;
    let exit = ip.held.as_ref().and_then(Held::seen).map_or(EXIT_REFUSED, exit_of);
    tell_one(ip, file, number, failure, commands);
    if left.is_empty() {
        return summary(ip, exit, "nothing is changed: all that had been done is undone");
    }
    let mut failure = Failure::new(exit, "", "not all of what had been done could be undone");
    for line in left {
        failure = failure.hint(line.clone());
    }
    failure
}

fn summary(ip: &mut Ip<'_>, exit: u8, said: &str) -> Failure {
    if ip.tongue() != Tongue::Json {
        ip.say(format!("{said}\n").as_bytes());
    }
    Failure::verbatim(exit, "")
}
