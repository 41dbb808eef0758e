//! A program that is started with no signal held back, whatever its parent holds back.
//!
//! A child has its parent's mask, and a thread that gave its own back for a moment could end by what is held back; so
//! the mask is set in the child (`posix_spawn(3)`).

use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitStatus;

use nix::fcntl::OFlag;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::stat::Mode;
use nix::sys::wait::WaitPidFlag;
use nix::unistd::Pid;

use super::sys::look_at_child;

/// Where what a program says goes; its standard input is empty.
#[derive(Debug)]
pub enum Said {
    /// Into a file.
    Into(File),
    /// Into a file what goes to standard error, and the rest nowhere.
    Errors(File),
    /// Nowhere.
    Nowhere,
}

/// What is open in a program beside its standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// What this process would hand on to any program.
    AsHere,
    /// Nothing.
    Nothing,
}

/// What of this process's environment this very program has when it is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// All.
    AsHere,
    /// Nothing: whoever reads it in `/proc` learns nothing of who started it.
    Empty,
}

/// A program that was started.
#[derive(Debug)]
pub struct Program {
    pid: Pid,
    ended: Option<ExitStatus>,
}

impl Program {
    /// Starts one, with more in its environment.
    ///
    /// # Errors
    /// There is none of that name, or a word has a zero in it.
    pub fn start(argv: &[String], more: &[(&str, &str)], said: &Said) -> io::Result<Self> {
        let words: Vec<CString> = argv.iter().map(|word| CString::new(word.as_str())).collect::<Result<_, _>>()?;
        let Some(name) = words.first() else { return Err(io::ErrorKind::InvalidInput.into()) };
        // What stays is a group of its own, which a terminal's Ctrl-C does not reach.
        let flags = match said {
            Said::Into(_) => PosixSpawnFlags::POSIX_SPAWN_SETPGROUP,
            Said::Errors(_) | Said::Nowhere => PosixSpawnFlags::empty(),
        };
        Self::spawn((name, &words), &environment(more)?, said, SigSet::empty(), flags, Open::AsHere)
    }

    /// Starts this very program again, with the signals held back that are held back here, and with nothing open but its
    /// standard streams. It may begin a session, which who leads a group may not. Of the environment it has all or nothing.
    ///
    /// # Errors
    /// There are too many processes, or a word has a zero in it.
    pub fn start_self(words: &[&str], said: &Said, environment: Environment) -> io::Result<Self> {
        let words = [env!("CARGO_PKG_NAME")].iter().chain(words).map(|word| CString::new(*word));
        let words: Vec<CString> = words.collect::<Result<_, _>>()?;
        let (held, flags) = (SigSet::thread_get_mask()?, PosixSpawnFlags::empty());
        let environment = match environment {
            Environment::AsHere => self::environment(&[])?,
            Environment::Empty => Vec::new(),
        };
        Self::spawn((c"/proc/self/exe", &words), &environment, said, held, flags, Open::Nothing)
    }

    fn spawn(
        (path, words): (&CStr, &[CString]),
        environment: &[CString],
        said: &Said,
        held: SigSet,
        flags: PosixSpawnFlags,
        open: Open,
    ) -> io::Result<Self> {
        let mut attributes = PosixSpawnAttr::init()?;
        let flags = flags | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF;
        attributes.set_flags(flags)?;
        attributes.set_pgroup(Pid::from_raw(0))?;
        attributes.set_sigmask(&held)?;
        // Rust ignores it, and what is ignored stays so.
        attributes.set_sigdefault(&[Signal::SIGPIPE].into_iter().collect())?;
        let mut files = PosixSpawnFileActions::init()?;
        files.add_open(0, "/dev/null", OFlag::O_RDONLY, Mode::empty())?;
        match said {
            Said::Into(file) => files.add_dup2(file.as_raw_fd(), 1)?,
            Said::Errors(_) | Said::Nowhere => files.add_open(1, "/dev/null", OFlag::O_WRONLY, Mode::empty())?,
        }
        match said {
            Said::Errors(file) => files.add_dup2(file.as_raw_fd(), 2)?,
            Said::Into(_) | Said::Nowhere => files.add_dup2(1, 2)?,
        }
        if open == Open::Nothing {
            // Those that are gone by then (the listing's own) are no error.
            inherited().into_iter().try_for_each(|number| files.add_close(number))?;
        }
        let pid = posix_spawnp(path, &files, &attributes, words, environment)?;
        Ok(Self { pid, ended: None })
    }

    /// Returns the number of its process, and of its group if it is one of its own.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Returns how it ended, if it has.
    ///
    /// # Errors
    /// It is not this process's child any more.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.look(WaitPidFlag::WNOHANG)
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) {
        let _ = self.look(WaitPidFlag::empty());
    }

    /// Ends it, and waits until it has.
    pub fn kill(&mut self) {
        if matches!(self.try_wait(), Ok(None)) {
            let _ = kill(self.pid, Signal::SIGKILL);
            self.wait();
        }
    }

    fn look(&mut self, how: WaitPidFlag) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = look_at_child(self.pid, how)?;
        }
        Ok(self.ended)
    }
}

/// Returns the numbers of what is open behind the standard streams.
fn inherited() -> Vec<RawFd> {
    let numbers = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|number| *number > 2).collect()
}

/// Returns the environment of this process, with some names set anew.
fn environment(more: &[(&str, &str)]) -> io::Result<Vec<CString>> {
    let is_other = |name: &OsStr| more.iter().all(|(own, _)| name != *own);
    let kept = std::env::vars_os().filter(|(name, _)| is_other(name));
    let kept = kept.map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat());
    let added = more.iter().map(|(name, value)| format!("{name}={value}").into_bytes());
    kept.chain(added).map(|row| CString::new(row).map_err(Into::into)).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn ended(words: &[&str], more: &[(&str, &str)]) -> ExitStatus {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut program = Program::start(&words, more, &Said::Nowhere).unwrap();
        program.look(WaitPidFlag::empty()).unwrap().unwrap()
    }

    #[test]
    fn a_program_ends_as_it_ends() {
        assert_eq!(ended(&["sh", "-c", "exit 7"], &[]).code(), Some(7));
        assert_eq!(ended(&["sh", "-c", "kill -9 $$"], &[]).signal(), Some(9));
        assert_eq!(ended(&["sh", "-c", "kill -40 $$"], &[]).signal(), Some(40));
        assert_eq!(ended(&["sh", "-c", "test \"$VWIRE_LAB\" = x"], &[("VWIRE_LAB", "x")]).code(), Some(0));
    }

    #[test]
    fn one_that_is_not_there_is_told_at_once() {
        let error = Program::start(&["/no/such".to_owned()], &[], &Said::Nowhere).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::libc::ENOENT));
    }

    #[test]
    fn what_its_parent_holds_back_reaches_it() {
        let held = crate::lab::signals::Held::hold().unwrap();
        assert_eq!(ended(&["sh", "-c", "kill -INT $$; exit 3"], &[]).signal(), Some(2));
        assert_eq!(held.seen(), None);
    }
}
