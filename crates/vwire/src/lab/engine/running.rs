//! Finds the processes that commands of a lab left running, whatever they made of themselves, and ends them.
//!
//! All of `/proc` is looked at, and again until nothing is found: a process may fork while it is looked. A process is sent
//! a signal by a handle that was opened before it was looked once more whether it is the one that was meant.
//!
//! Where `/proc` shows another namespace of processes than the caller's, as in a container that hides a part of it, numbers
//! there are turned into the caller's own, and those of other namespaces are passed by.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::ledger::{Entry, Ledger, Mark, Process};
use crate::lab::sys::{process_handle, signal_process};

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// How long what is to end may take before it is made to.
const GRACE: Duration = Duration::from_millis(500);
/// How long it is made to.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long all of them may take, whatever they start meanwhile.
const LONGEST: Duration = Duration::from_secs(60);
/// How many looks one after another must find nothing: what forks may pass by one of them.
const LOOKS: usize = 2;
/// How much is read of an environment, which is anybody's and may be of any size.
const ENVIRONMENT: u64 = 8 << 20;

/// A process that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The process.
    pub process: Process,
    /// What started it, where that is known.
    pub mark: Option<Mark>,
    /// Its number in `/proc`.
    shown: u32,
}

/// Which processes are looked for.
pub struct Wanted<'a> {
    /// By their marks.
    pub is_marked: &'a dyn Fn(&Mark) -> bool,
    /// By their numbers: those that commands began with, with all of their groups.
    pub leaders: Vec<Process>,
    /// Only in these networks, by their inodes, where it is not known whose marks are the lab's.
    pub networks: Option<&'a BTreeSet<u64>>,
}

impl Wanted<'_> {
    /// Looks for them, but for the calling process.
    #[must_use]
    pub fn find(&self) -> Vec<Found> {
        self.find_with(&BTreeMap::new())
    }

    /// Looks for them, and for those that were found before.
    fn find_with(&self, known: &BTreeMap<Process, Instant>) -> Vec<Found> {
        let look = Look::new();
        let leaders: Vec<Process> = self.leaders.iter().copied().filter(|one| look.lives(*one)).collect();
        let leads = |pid: u32| leaders.iter().any(|leader| leader.pid == pid);
        let mut mounts = Mounts::new();
        let mut found = Vec::new();
        for shown in numbers().filter(|shown| Some(*shown) != look.own) {
            let Some(status) = Status::of(shown) else { continue };
            let Some(at) = status.living(shown) else { continue };
            let mark = mounts.mark_of(&at);
            let is_marked = mark.as_ref().is_some_and(self.is_marked) && self.is_inside(&at);
            if !is_marked && leaders.is_empty() && known.is_empty() {
                continue;
            }
            let Some(pid) = look.here(shown) else { continue };
            let process = Process { pid, start: status.start };
            let is_led = || leads(pid) || look.here(status.group).is_some_and(leads);
            if is_marked || known.contains_key(&process) || is_led() {
                found.push(Found { process, mark, shown });
            }
        }
        found
    }

    fn is_inside(&self, at: &str) -> bool {
        let Some(networks) = self.networks else { return true };
        fs::metadata(format!("{at}/ns/net")).is_ok_and(|data| networks.contains(&data.ino()))
    }

    /// Ends them: each is asked to, and made to after a time. Returns those that do not end.
    #[must_use]
    pub fn end(&self) -> Vec<Found> {
        let begun = Instant::now();
        let mut asked: BTreeMap<Process, Instant> = BTreeMap::new();
        let mut looks = 0;
        loop {
            let found = self.find_with(&asked);
            looks = if found.is_empty() { looks + 1 } else { 0 };
            // On a busy machine a look may take seconds: the time of each runs from when it was asked.
            let is_hopeless = |one: &Found| asked.get(&one.process).is_some_and(|at| at.elapsed() > GRACE + PATIENCE);
            if looks == LOOKS || found.iter().any(is_hopeless) || begun.elapsed() > LONGEST {
                return found;
            }
            if found.is_empty() {
                continue;
            }
            for one in &found {
                match asked.get(&one.process) {
                    None => one.signal(Signal::SIGTERM),
                    Some(at) if at.elapsed() > GRACE => one.signal(Signal::SIGKILL),
                    Some(_) => {}
                }
                asked.entry(one.process).or_insert_with(Instant::now);
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Found {
    fn signal(&self, signal: Signal) {
        let handle = process_handle(self.process.pid);
        let is_it = Status::of(self.shown).is_some_and(|now| now.start == self.process.start);
        match handle {
            _ if !is_it => {}
            Ok(handle) => drop(signal_process(&handle, signal)),
            // Linux 5.2 and older.
            Err(error) if error.raw_os_error() == Some(Errno::ENOSYS as i32) => {
                let _ = kill(Pid::from_raw(self.process.pid.cast_signed()), signal);
            }
            Err(_) => {}
        }
    }
}

/// Returns the process of a child as it is to be found again.
#[must_use]
pub fn process_of(pid: Pid) -> Process {
    let pid = pid.as_raw().cast_unsigned();
    let look = Look::new();
    let status = look.shown(pid).and_then(Status::of);
    Process { pid, start: status.map(|status| status.start).unwrap_or_default() }
}

/// Tells of commands whether anything of them is running.
#[derive(Default)]
pub struct Living {
    marks: Option<BTreeSet<Mark>>,
}

impl Living {
    /// Returns whether the process that a command began with is there, or anything that it started.
    pub fn has(&mut self, ledger: &Ledger, entry: &Entry) -> bool {
        if Look::new().lives(entry.process) {
            return true;
        }
        let marks = self.marks.get_or_insert_with(|| {
            let wanted = Wanted { is_marked: &|mark| mark.token == ledger.token, leaders: Vec::new(), networks: None };
            wanted.find().into_iter().filter_map(|one| one.mark).collect()
        });
        marks.contains(&ledger.mark_of(entry))
    }
}

/// What `/proc` shows, and by which numbers.
struct Look {
    /// The number of the calling process there.
    own: Option<u32>,
    is_own: bool,
}

impl Look {
    fn new() -> Self {
        let own = fs::read_link("/proc/self").ok().and_then(|own| own.to_str()?.parse().ok());
        Self { own, is_own: own == Some(std::process::id()) }
    }

    /// Returns the number that a process in `/proc` has for the caller.
    fn here(&self, shown: u32) -> Option<u32> {
        if self.is_own {
            return Some(shown);
        }
        let space = |who: &str| fs::read_link(format!("/proc/{who}/ns/pid")).ok();
        if space(&shown.to_string())? != space("self")? {
            return None;
        }
        let status = fs::read_to_string(format!("/proc/{shown}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("NSpid:"))?.split_whitespace().last()?.parse().ok()
    }

    /// Returns the number in `/proc` of a process.
    fn shown(&self, pid: u32) -> Option<u32> {
        if self.is_own {
            return Some(pid);
        }
        let handle = process_handle(pid).ok()?;
        let told = fs::read_to_string(format!("/proc/self/fdinfo/{}", handle.as_raw_fd())).ok()?;
        told.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok().filter(|shown| *shown > 0)
    }

    /// Returns whether a process is there, and has not ended.
    fn lives(&self, process: Process) -> bool {
        let Some(shown) = self.shown(process.pid) else { return false };
        Status::of(shown).is_some_and(|status| status.start == process.start && status.living(shown).is_some())
    }
}

/// What `/proc/PID/stat` says of a process.
struct Status {
    start: u64,
    group: u32,
    /// Its first thread has ended, and waits for the others, or only for its parent to notice.
    is_over: bool,
}

impl Status {
    fn of(shown: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{shown}/stat")).ok()?)
    }

    /// Returns where `/proc` has a thread of it that has not ended.
    fn living(&self, shown: u32) -> Option<String> {
        if !self.is_over {
            return Some(format!("/proc/{shown}"));
        }
        let tasks = fs::read_dir(format!("/proc/{shown}/task")).into_iter().flatten().flatten();
        tasks.filter_map(|task| task.path().into_os_string().into_string().ok()).find(|at| {
            let status = fs::read_to_string(format!("{at}/stat")).ok().and_then(|text| Self::parse(&text));
            status.is_some_and(|status| !status.is_over)
        })
    }

    fn parse(text: &str) -> Option<Self> {
        // The name of the program may have anything in it.
        let mut fields = text.rsplit_once(')')?.1.split_whitespace();
        let is_over = matches!(fields.next()?, "Z" | "X");
        let group = fields.nth(1)?.parse().unwrap_or(0);
        Some(Self { is_over, group, start: fields.nth(16)?.parse().ok()? })
    }
}

fn numbers() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The marks that are known of lists of mounts, by the inodes of their namespaces.
struct Mounts(BTreeMap<u64, Option<Mark>>);

impl Mounts {
    /// The caller's own list is read once, for all that is outside of nodes. Elsewhere only a mark that is found says
    /// something about others: who has changed its root does not see all mounts.
    fn new() -> Self {
        let own = || Some((Self::list_of("/proc/self")?, Self::read("/proc/self")));
        Self(own().into_iter().collect())
    }

    fn list_of(at: &str) -> Option<u64> {
        Some(fs::metadata(format!("{at}/ns/mnt")).ok()?.ino())
    }

    fn read(at: &str) -> Option<Mark> {
        Mark::in_mounts(&fs::read(format!("{at}/mountinfo")).ok()?)
    }

    /// Returns the mark of a process.
    fn mark_of(&mut self, at: &str) -> Option<Mark> {
        let mut environment = Vec::new();
        // What could be read counts.
        let _ =
            fs::File::open(format!("{at}/environ")).map(|file| file.take(ENVIRONMENT).read_to_end(&mut environment));
        if let Some(mark) = Mark::in_environment(&environment) {
            return Some(mark);
        }
        let list = Self::list_of(at)?;
        if let Some(known) = self.0.get(&list) {
            return known.clone();
        }
        let mark = Self::read(at)?;
        self.0.insert(list, Some(mark.clone()));
        Some(mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::program::{Program, Said};

    #[test]
    fn the_state_of_a_process_is_read_whatever_it_is_called() {
        let text = "7 (a) Z (b) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 5351 1 1";
        let status = Status::parse(text).unwrap();
        assert_eq!((status.group, status.start, status.is_over), (42, 5351, false));
        assert!(Status::parse("7 (a) Z 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 5351 1").unwrap().is_over);
        assert!(Status::parse("").is_none());
    }

    #[test]
    fn what_has_a_mark_is_found_and_ended_and_nothing_else() {
        let token = format!("test-{}", std::process::id());
        let mark = |serial| Mark { token: token.clone(), serial, node: "a".to_owned() };
        let words = ["sh", "-c", "trap '' TERM; setsid sleep 1000 & sleep 1000"].map(str::to_owned);
        let mut programs: Vec<Program> = [1, 2]
            .iter()
            .map(|serial| Program::start(&words, &[("VWIRE_RUN", &mark(*serial).to_string())], &Said::Nowhere).unwrap())
            .collect();
        let all = |serial| {
            let one = mark(serial);
            let is_marked = move |found: &Mark| *found == one;
            Wanted { is_marked: &is_marked, leaders: Vec::new(), networks: None }.find().len()
        };
        while [1, 2].into_iter().any(|serial| all(serial) < 3) {
            std::thread::yield_now();
        }
        for (at, serial) in [1, 2].into_iter().enumerate() {
            let one = mark(serial);
            let is_marked = |found: &Mark| *found == one;
            let ended = Wanted { is_marked: &is_marked, leaders: Vec::new(), networks: None }.end();
            assert_eq!(ended, []);
            programs[at].wait();
            assert_eq!((all(1), all(2)), (0, if serial == 1 { 3 } else { 0 }));
        }
    }
}
