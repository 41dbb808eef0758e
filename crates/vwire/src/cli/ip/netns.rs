//! `ip netns`: names for network namespaces, and programs inside them.
//!
//! The work is done in [`crate::lab::namespace`]; here are the words: what may be asked and what is
//! printed. How a refusal is told, `ip`'s way and vwire's, is in `refusal`; ids are in `id`.
//!
//! `exec` becomes the program (`execvp`), so its exit code is the program's own. In a batch and
//! with `-all` vwire must live on: there the program runs beside, started by a thread inside.

mod id;
mod refusal;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::failure::EXIT_SEMANTIC;
use super::transaction::Deed;
use super::words::{Keyword, Words, find, in_full, prefix, shown};
use super::{Failure, Ip, Persona};
use crate::lab::capability::Capability;
use crate::lab::namespace::find::processes_in;
use crate::lab::namespace::named::{self, Change, Watch, WatchStep};
use crate::lab::namespace::{self, DIRECTORY, Name, Namespace, Warning};
pub(in crate::cli) use refusal::enter_failure;
use refusal::{add_failure, exec_failure, extra, helped, missing, name, no_command, privilege, reason, warning_text};

const USAGE: &str = "\
Usage: ip netns [ list ]
       ip netns add NAME
       ip netns attach NAME PID
       ip [ -all ] netns delete [ NAME ]
       ip [ -all ] netns exec [ NAME ] PROGRAM [ ARGUMENT ... ]
       ip netns identify [ PID ]
       ip netns pids NAME
       ip netns monitor
       ip netns set NAME { ID | auto }
       ip netns list-id [ target-nsid ID ] [ nsid ID ]
 NAME  a file's name: no `/`          ID  a number, 0 or more
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    List,
    Help,
    Add,
    Delete,
    Identify,
    Pids,
    Exec,
    Monitor,
    Attach,
    Set,
    ListId,
}

/// In `ip`'s order: the first that a word begins wins.
const COMMANDS: &[Keyword<Ask>] = &[
    prefix("list", Ask::List),
    prefix("show", Ask::List),
    prefix("lst", Ask::List),
    prefix("list-id", Ask::ListId),
    prefix("help", Ask::Help),
    prefix("add", Ask::Add),
    prefix("set", Ask::Set),
    prefix("delete", Ask::Delete),
    prefix("identify", Ask::Identify),
    prefix("pids", Ask::Pids),
    prefix("exec", Ask::Exec),
    prefix("monitor", Ask::Monitor),
    prefix("attach", Ask::Attach),
];

/// Returns the name of the command that a word stands for.
pub(super) fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs one `netns` command.
///
/// # Errors
/// What the command failed with.
pub(super) fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else {
        return list(ip);
    };
    // ip looks at the second word before the first, whatever the command.
    if let (false, Some(second)) = (ip.options.all, words.peek()) {
        name(second)?;
    }
    match find(COMMANDS, word) {
        Some(Ask::List) => list(ip),
        Some(Ask::ListId) => id::list(ip, words),
        Some(Ask::Set) => id::set(ip, words),
        Some(Ask::Help) => Err(usage()),
        Some(Ask::Add) => add(ip, words),
        Some(Ask::Delete) => delete(ip, words),
        Some(Ask::Identify) => identify(ip, words),
        Some(Ask::Pids) => pids(ip, words),
        Some(Ask::Exec) => {
            ip.refuse_in_whole("what a program does cannot be undone")?;
            exec(ip, words)
        }
        Some(Ask::Monitor) => {
            ip.refuse_in_whole("a monitor never ends")?;
            monitor(ip)
        }
        Some(Ask::Attach) => attach(ip, words),
        None => Err(Failure::unknown_command(word, "netns")),
    }
}

fn list(ip: &mut Ip<'_>) -> Result<(), Failure> {
    // Without the directory there is no document either.
    let Ok(names) = named::names() else { return Ok(()) };
    let mut ids = id::ids(ip, &names)?;
    if ip.persona == Persona::Ip && ids.contains(&None) {
        // ip asks twice, and so says twice what it cannot ask.
        ids = id::ids(ip, &names)?;
    }
    let printer = &mut ip.printer;
    printer.open_document();
    for (name, id) in names.iter().zip(ids) {
        printer.open_object(None);
        printer.string("name", "", name.as_os_str().as_bytes(), "");
        if let Some(id) = id {
            printer.number("id", " (id: ", id, ")");
        }
        printer.end_line();
        printer.close_object();
    }
    printer.close_document();
    Ok(())
}

/// Returns the names of the namespaces that have an id here; of several names, the first.
pub(super) fn names_by_id(ip: &mut Ip<'_>) -> Result<HashMap<i32, Vec<u8>>, Failure> {
    let mut names = HashMap::new();
    for (id, name) in id::known(ip)? {
        names.entry(id).or_insert_with(|| name.as_os_str().as_bytes().to_vec());
    }
    Ok(names)
}

fn add(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let name = name(words.next().ok_or_else(|| missing("netns name", "vwire netns add blue"))?)?;
    if (ip.wishes.if_absent || ip.wishes.replace) && ip.open_namespace(name.as_os_str()).is_some() {
        return Ok(());
    }
    if let Some(rehearsal) = ip.rehearsal() {
        return rehearsal.name_namespace(name.as_os_str(), None).map_err(|error| foreseen("add", &name, &error));
    }
    named::add(&name).map_err(|error| add_failure(&error))?;
    ip.note(Deed::Named(name));
    Ok(())
}

/// What would be refused by the time that it is done.
fn foreseen(verb: &str, name: &Name, error: &io::Error) -> Failure {
    Failure::new(EXIT_SEMANTIC, "", reason(error)).trying(format!("cannot {verb} network namespace `{name}`"))
}

fn attach(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let (Some(word), Some(pid)) = (words.next(), words.next()) else {
        return Err(missing("netns name and PID", "vwire netns attach blue 812"));
    };
    let Some(number) = id::integer(pid).filter(|number| *number != 0) else {
        let pid = shown(pid);
        return Err(Failure::new(
            EXIT_SEMANTIC,
            format!("Invalid PID: {pid}"),
            format!("`{pid}` is no number of a process"),
        ));
    };
    let path = PathBuf::from(format!("/proc/{number}/ns/net"));
    let name = name(word)?;
    if let Some(rehearsal) = ip.rehearsal() {
        let named = rehearsal.name_namespace(name.as_os_str(), Some(path));
        return named.map_err(|error| foreseen("attach", &name, &error));
    }
    named::attach(&name, &path).map_err(|error| add_failure(&error))?;
    ip.note(Deed::Named(name));
    Ok(())
}

fn delete(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    if !ip.options.all {
        let word = words.next().ok_or_else(|| missing("netns name", "vwire netns delete blue"))?;
        return delete_one(ip, &name(word)?);
    }
    for name in all_names()? {
        if let Err(failure) = delete_one(ip, &name) {
            // ip says so, stops there, and ends with 0.
            ip.complain(&failure);
            break;
        }
    }
    Ok(())
}

fn delete_one(ip: &mut Ip<'_>, name: &Name) -> Result<(), Failure> {
    if ip.wishes.if_exists && ip.open_namespace(name.as_os_str()).is_none() {
        return Ok(());
    }
    if let Some(rehearsal) = ip.rehearsal() {
        return rehearsal.unname_namespace(name.as_os_str()).map_err(|error| foreseen("delete", name, &error));
    }
    let deed = ip.transaction().and_then(|_| Deed::unnamed(name).ok());
    unname(name)?;
    if let Some(deed) = deed {
        ip.note(deed);
    }
    Ok(())
}

fn unname(name: &Name) -> Result<(), Failure> {
    named::delete(name).map_err(|error| {
        let reason = reason(&error);
        let path = name.path();
        let ip = format!("Cannot remove namespace file \"{}\": {reason}", path.display());
        let failure = Failure::new(EXIT_SEMANTIC, ip, reason)
            .trying(format!("cannot delete network namespace `{name}`"))
            .refused_with(error.raw_os_error());
        helped(failure, &error, name.as_os_str())
    })
}

fn identify(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let (first, second) = (words.next(), words.next());
    if second.is_some() {
        return Err(extra());
    }
    let (path, who) = match first {
        None => ("/proc/thread-self/ns/net".to_owned(), "this process".to_owned()),
        Some(pid) if pid.iter().all(u8::is_ascii_digit) => {
            (format!("/proc/{}/ns/net", shown(pid)), format!("process {}", shown(pid)))
        }
        Some(word) => {
            let word = shown(word);
            let ip = format!("Specified string '{word}' is not a pid");
            return Err(Failure::new(EXIT_SEMANTIC, ip, format!("`{word}` is no number of a process")));
        }
    };
    let identity = Namespace::open(path).map(|namespace| namespace.identity()).map_err(|error| {
        let reason = reason(&error);
        let failure = Failure::new(EXIT_SEMANTIC, format!("Cannot open network namespace: {reason}"), reason)
            .trying(format!("cannot tell the network namespace of {who}"))
            .refused_with(error.raw_os_error());
        match error.kind() {
            io::ErrorKind::NotFound => failure.hint("there is no such process"),
            _ => privilege(failure, &error, Capability::SysPtrace),
        }
    })?;
    let names = match named::names_of(identity) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            let reason = reason(&error);
            let ip = format!("Failed to open directory {DIRECTORY}:{reason}");
            return Err(Failure::new(EXIT_SEMANTIC, ip, reason)
                .trying(format!("cannot read {DIRECTORY}"))
                .refused_with(error.raw_os_error()));
        }
        names => names.unwrap_or_default(),
    };
    // Of several names ip tells the last it meets; without any, an empty line.
    let name = names.last().map(|name| name.as_os_str().as_bytes()).unwrap_or_default();
    ip.printer.verbatim([name, b"\n"].concat());
    Ok(())
}

fn pids(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let word = words.next().ok_or_else(|| missing("netns name", "vwire netns pids blue"))?;
    if words.next().is_some() {
        return Err(extra());
    }
    let name = name(word)?;
    let namespace = Namespace::open(name.path()).map_err(|error| {
        let reason = reason(&error);
        let failure = Failure::new(EXIT_SEMANTIC, format!("Cannot open network namespace: {reason}"), reason)
            .trying(format!("cannot open network namespace `{name}`"))
            .refused_with(error.raw_os_error());
        helped(failure, &error, name.as_os_str())
    })?;
    let pids = processes_in(namespace.identity()).map_err(|error| {
        let reason = reason(&error);
        Failure::new(EXIT_SEMANTIC, format!("Open of /proc failed: {reason}"), reason)
            .trying("cannot read /proc")
            .refused_with(error.raw_os_error())
    })?;
    for pid in pids {
        ip.printer.verbatim(format!("{pid}\n"));
    }
    Ok(())
}

fn exec(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let name = match (ip.options.all, words.next()) {
        (true, program) => return exec_in_all(ip, program, words.rest()),
        (false, name) => name.ok_or_else(|| missing("netns name", "vwire netns exec blue ping 10.0.0.1"))?,
    };
    let program = words.next().ok_or_else(no_command)?;
    let name = OsStr::from_bytes(name);
    if ip.options.batch.is_some() {
        let exit = exec_beside(ip, name, program, words.rest())?;
        return if exit == 0 { Ok(()) } else { Err(Failure::verbatim(exit, "")) };
    }
    let warnings = namespace::switch(name).map_err(|error| enter_failure(&error))?;
    warn(ip, &warnings);
    let _ = ip.flush();
    let error = Command::new(OsStr::from_bytes(program)).args(words.rest()).exec();
    Err(exec_failure(program, &error))
}

fn exec_in_all(ip: &mut Ip<'_>, program: Option<&[u8]>, arguments: &[OsString]) -> Result<(), Failure> {
    let program = program.ok_or_else(no_command)?;
    for name in all_names()? {
        ip.printer.verbatim([b"\nnetns: ", name.as_os_str().as_bytes(), b"\n"].concat());
        if let Err(failure) = exec_beside(ip, name.as_os_str(), program, arguments) {
            ip.complain(&failure);
        }
    }
    Ok(())
}

/// Runs a program to its end inside a namespace, and returns its exit code.
fn exec_beside(ip: &mut Ip<'_>, name: &OsStr, program: &[u8], arguments: &[OsString]) -> Result<u8, Failure> {
    let _ = ip.flush();
    let collects = ip.collects();
    let run = || {
        let mut command = Command::new(OsStr::from_bytes(program));
        command.args(arguments).stdout(if collects { Stdio::piped() } else { Stdio::inherit() });
        command.spawn().and_then(std::process::Child::wait_with_output)
    };
    let (warnings, output) =
        namespace::switched(name, run).map_err(|error| enter_failure(&error).with_exit(EXIT_SEMANTIC))?;
    warn(ip, &warnings);
    let Output { status, stdout, .. } = output.map_err(|error| exec_failure(program, &error))?;
    ip.printer.verbatim(stdout);
    // A program that a signal ended counts as 1 here, as it does in ip.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

fn monitor(ip: &mut Ip<'_>) -> Result<(), Failure> {
    let mut watch = Watch::start().map_err(|(step, error)| {
        let reason = reason(&error);
        let ip = match step {
            WatchStep::Init => format!("inotify_init failed: {reason}"),
            WatchStep::MakeDirectory => format!("mkdir {DIRECTORY} failed: {reason}"),
            WatchStep::Watch => format!("inotify_add_watch failed: {reason}"),
        };
        let failure = Failure::new(EXIT_SEMANTIC, ip, reason)
            .trying(format!("cannot watch {DIRECTORY}"))
            .refused_with(error.raw_os_error());
        privilege(failure, &error, Capability::SysAdmin)
    })?;
    loop {
        let changes = watch.changes().map_err(|error| {
            let reason = reason(&error);
            Failure::new(EXIT_SEMANTIC, format!("read failed: {reason}"), reason)
                .trying(format!("cannot watch {DIRECTORY}"))
                .refused_with(error.raw_os_error())
        })?;
        for change in changes {
            let (word, name) = match &change {
                Change::Added(name) => (&b"add "[..], name),
                Change::Deleted(name) => (&b"delete "[..], name),
            };
            ip.printer.verbatim([word, name.as_bytes(), b"\n"].concat());
        }
        if ip.flush().is_err() {
            return Ok(());
        }
    }
}

/// Returns the names that `-all` stands for.
fn all_names() -> Result<Vec<Name>, Failure> {
    match named::names() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names.map_err(|error| {
            let reason = reason(&error);
            let ip = format!("Failed to open directory {DIRECTORY}: {reason}");
            Failure::new(EXIT_SEMANTIC, ip, reason)
                .trying(format!("cannot read {DIRECTORY}"))
                .refused_with(error.raw_os_error())
        }),
    }
}

fn usage() -> Failure {
    Failure::usage(USAGE)
}

fn warn(ip: &mut Ip<'_>, warnings: &[Warning]) {
    for warning in warnings {
        ip.say(warning_text(warning, ip.persona).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_may_be_cut_short_in_ips_order() {
        let found = |word: &str| find(COMMANDS, word.as_bytes());
        assert_eq!(found("l"), Some(Ask::List));
        assert_eq!(found("sh"), Some(Ask::List));
        assert_eq!(found("a"), Some(Ask::Add));
        assert_eq!(found("at"), Some(Ask::Attach));
        assert_eq!(found("del"), Some(Ask::Delete));
        assert_eq!(found("dele"), Some(Ask::Delete));
        assert_eq!(found("exe"), Some(Ask::Exec));
        assert_eq!(found("foo"), None);
    }
}
