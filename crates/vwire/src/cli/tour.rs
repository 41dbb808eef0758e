//! `vwire tour`: shows the whole tour on the live kernel, inside a sandbox of its own.
//!
//! The script is data ([`crate::tour::script`]); here it is played: each command runs through the
//! same code as if it had been typed, on a thread of its own, because `-n` moves its thread into
//! another namespace.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, Command};
use nix::sys::termios::{self, LocalFlags, SetArg};

use super::talk::Talk;
use super::{Call, Verb};
use crate::lab::failed::Failed;
use crate::lab::namespace::sandbox::{Lack, Sandbox, SandboxError};
use crate::tour::program::Running;
use crate::tour::script::{self, Act, Saw, Scene};

/// How long a state may take to come about: the kernel reports a carrier within a second.
const SETTLE: Duration = Duration::from_secs(3);
/// How often a state that settles is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How wide sentences are set.
const WIDTH: usize = 86;
/// The exit code where the command line is wrong.
const USAGE: u8 = 2;

/// Returns the verb.
#[must_use]
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("tour")
        .about("Shows TUN, TAP, veth and bridges on the live kernel, in a sandbox that touches nothing of this machine")
        .long_about(
            "Shows TUN, TAP, veth and bridges on the live kernel: every command is printed as you would type it, \
             with its output and a sentence.\n\nAll happens in network namespaces of its own; nothing of this \
             machine is touched, and nothing is left. Root is not needed where user namespaces are allowed; the \
             parts with TUN and TAP need /dev/net/tun open to you, and are left out with a word where it is not.\n\n\
             Ends with exit code 0 if every step behaved, 1 if one did not.",
        )
        .arg(Arg::new("step").long("step").action(ArgAction::SetTrue).help("Wait for a key after each part; q ends"))
}

fn run(call: &mut Call<'_>) -> u8 {
    if call.arguments.get_flag("step") && !io::stdin().is_terminal() {
        let failed = Failed::new("`--step` waits for keys, and standard input is no terminal")
            .hint("`vwire tour` goes through it without waiting");
        return Talk::new(call.stderr, call.form).refuses(&failed, USAGE);
    }
    let sandbox = match Sandbox::enter() {
        Ok(sandbox) => sandbox,
        Err(error) => return Talk::new(call.stderr, call.form).refuses(&refused(&error), 1),
    };
    let lack = sandbox.lacks.iter().find_map(|lack| match lack {
        Lack::Tun { mode, source } => Some(tun_words(*mode, source)),
        Lack::Sysfs(_) => None,
    });
    let scenes = script::scenes(lack.is_none());
    let terminal = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut player = Player {
        out: call.stdout,
        colour: terminal,
        step: call.arguments.get_flag("step"),
        running: HashMap::new(),
        commands: 0,
        complaints: Vec::new(),
    };
    let played = player.play(&scenes, lack.as_deref());
    match played {
        Ok(()) if player.complaints.is_empty() => 0,
        Ok(()) => 1,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            Talk::new(call.stderr, call.form).refuses(&Failed::new("cannot show the tour").because(&error), 1)
        }
    }
}

fn refused(error: &SandboxError) -> Failed {
    let failed = Failed::new(format!("the tour needs a sandbox: {error}")).because(&error.source);
    let why = error.restrictions.iter().map(|restriction| {
        let (name, value, wanted) = (restriction.sysctl, &restriction.value, restriction.wanted);
        format!("{name} is {value}; an administrator may allow it: `sysctl -w {name}={wanted}`")
    });
    why.fold(failed, Failed::hint).hint("run it as root, for example with `sudo`")
}

fn tun_words(mode: Option<u32>, source: &io::Error) -> String {
    let sentence = super::ip::failure::errno_sentence(source.raw_os_error().unwrap_or_default());
    match mode {
        Some(mode) => format!(
            "/dev/net/tun cannot be opened here ({sentence}; its mode is {mode:04o}), so the parts with TUN and TAP \
             are left out. `chmod 0666 /dev/net/tun` is what most systems have; the kernel still asks for \
             CAP_NET_ADMIN in the namespace."
        ),
        None => format!(
            "/dev/net/tun is not there ({sentence}), so the parts with TUN and TAP are left out. \
             `modprobe tun` makes it, if this kernel has the driver."
        ),
    }
}

/// Plays scenes and keeps the score.
struct Player<'a> {
    out: &'a mut dyn Write,
    colour: bool,
    step: bool,
    running: HashMap<&'static str, Running>,
    commands: usize,
    complaints: Vec<(&'static str, String)>,
}

impl Player<'_> {
    fn play(&mut self, scenes: &[Scene], lack: Option<&str>) -> io::Result<()> {
        self.say("A tour of virtual network devices, on this machine's kernel, in a network of its own.")?;
        if let Some(lack) = lack {
            self.say(lack)?;
        }
        let mut played = Vec::new();
        for (number, scene) in (1..).zip(scenes) {
            let before = self.complaints.len();
            let heading = format!("{number}. {}", scene.title);
            let line = "─".repeat(heading.chars().count());
            write!(self.out, "\n{}\n{line}\n", self.paint("1;36", &heading))?;
            for act in &scene.acts {
                self.act(scene.title, act)?;
            }
            self.out.flush()?;
            played.push((scene, self.complaints.len() == before));
            if self.step && number < scenes.len() && !self.wait_for_key()? {
                break;
            }
        }
        self.running.clear();
        self.sum_up(&played, lack)
    }

    fn act(&mut self, title: &'static str, act: &Act) -> io::Result<()> {
        let complaint = match act {
            Act::Say(words) => {
                self.say(words)?;
                None
            }
            Act::Type(command) => self.type_command(command)?,
            Act::Start { device, program, words } => {
                self.note(words)?;
                let started = device
                    .parse()
                    .map_err(|_| "it has no name".to_owned())
                    .and_then(|name| Running::start(name, *program).map_err(|error| error.to_string()));
                match started {
                    Ok(running) => {
                        self.running.insert(device, running);
                        None
                    }
                    Err(error) => Some(format!("the program on {device} did not start: {error}")),
                }
            }
            Act::Stop { device, words } => {
                if !words.is_empty() {
                    self.note(words)?;
                }
                self.running.remove(device);
                None
            }
            Act::Ask { device, saw } => self.ask(device, *saw)?,
        };
        if let Some(complaint) = complaint {
            let words = format!("this did not behave: {complaint}");
            writeln!(self.out, "  {}", self.paint("1;31", &words))?;
            self.complaints.push((title, complaint));
        }
        Ok(())
    }

    fn type_command(&mut self, command: &script::Command) -> io::Result<Option<String>> {
        self.commands += 1;
        if !command.quiet {
            writeln!(self.out, "\n  {} {}", self.paint("2", "$"), self.paint("1", &format!("vwire {}", command.line)))?;
            self.out.flush()?;
        }
        let begun = Instant::now();
        let (exit, output) = loop {
            let (exit, output) = typed(command.line);
            let settled = command.complaint(exit, &output).is_none();
            if settled || !command.settles || begun.elapsed() > SETTLE {
                break (exit, output);
            }
            std::thread::sleep(LOOK_AGAIN);
        };
        if !command.quiet {
            for line in output.lines() {
                writeln!(self.out, "  {line}")?;
            }
        }
        let complaint = command.complaint(exit, &output);
        Ok(complaint.map(|complaint| format!("`vwire {}`: {complaint}", command.line)))
    }

    fn ask(&mut self, device: &str, saw: Saw) -> io::Result<Option<String>> {
        let begun = Instant::now();
        loop {
            let seen = self.running.get(device).map(Running::seen).unwrap_or_default();
            let (holds, words) = match saw {
                Saw::Answered(least) => (
                    seen.answered >= least,
                    format!("the program on {device} read {} packets and answered {}", seen.packets, seen.answered),
                ),
                Saw::QuestionFor(address) => {
                    let question = seen.questions.iter().find(|question| question.target == address);
                    let words =
                        question.map(|q| format!("the program on {device} saw: who has {address}? {} asks", q.sender));
                    (
                        words.is_some(),
                        words.unwrap_or_else(|| format!("the program on {device} saw no question for {address}")),
                    )
                }
            };
            if holds || begun.elapsed() > SETTLE {
                self.note(&words)?;
                return Ok((!holds).then_some(words));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn sum_up(&mut self, played: &[(&Scene, bool)], lack: Option<&str>) -> io::Result<()> {
        let heading = "What this tour saw";
        write!(self.out, "\n{}\n{}\n", self.paint("1;36", heading), "─".repeat(heading.len()))?;
        for (scene, behaved) in played {
            if *behaved {
                writeln!(self.out, "  {}  {}", self.paint("32", "yes"), scene.shown)?;
            } else {
                writeln!(self.out, "  {}   {}", self.paint("1;31", "NO"), scene.shown)?;
            }
        }
        if lack.is_some() {
            writeln!(self.out, "  {}    what TUN and TAP do: /dev/net/tun could not be opened", self.paint("33", "?"))?;
        }
        let commands = self.commands;
        let words = match self.complaints.len() {
            0 => format!("{commands} commands, and each did what it should. Nothing of this machine was touched."),
            1 => format!("{commands} commands; 1 thing did not behave, see above."),
            many => format!("{commands} commands; {many} things did not behave, see above."),
        };
        self.say(&words)
    }

    /// Prints a sentence as a paragraph.
    fn say(&mut self, words: &str) -> io::Result<()> {
        writeln!(self.out)?;
        for line in wrap(words, WIDTH) {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    /// Prints what a program does.
    fn note(&mut self, words: &str) -> io::Result<()> {
        writeln!(self.out, "\n  {}", self.paint("33", &format!("({words})")))
    }

    fn paint(&self, code: &str, words: &str) -> String {
        if self.colour { format!("\x1b[{code}m{words}\x1b[0m") } else { words.to_owned() }
    }

    /// Waits for a key, and tells whether to go on.
    fn wait_for_key(&mut self) -> io::Result<bool> {
        write!(self.out, "\n  {}", self.paint("2", "a key goes on, q ends"))?;
        self.out.flush()?;
        let key = read_key();
        write!(self.out, "\r                         \r")?;
        Ok(!matches!(key, Some(b'q' | b'Q' | 3 | 4) | None))
    }
}

/// Reads one key without waiting for the end of a line; `None` where the input ends.
fn read_key() -> Option<u8> {
    let stdin = io::stdin();
    let before = termios::tcgetattr(&stdin).ok();
    if let Some(before) = &before {
        let mut raw = before.clone();
        raw.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        let _ = termios::tcsetattr(&stdin, SetArg::TCSANOW, &raw);
    }
    let mut key = [0];
    let read = stdin.lock().read(&mut key);
    if let Some(before) = &before {
        let _ = termios::tcsetattr(&stdin, SetArg::TCSANOW, before);
    }
    matches!(read, Ok(1)).then_some(key[0])
}

/// Where a command's output and errors go, in their order.
#[derive(Clone, Default)]
struct Caught(Arc<Mutex<Vec<u8>>>);

impl Write for Caught {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs a command as if it had been typed, and returns its exit code and all it printed.
fn typed(line: &str) -> (u8, String) {
    let words: Vec<OsString> = std::iter::once("vwire").chain(line.split_whitespace()).map(OsString::from).collect();
    let caught = Caught::default();
    let (mut stdout, mut stderr) = (caught.clone(), caught.clone());
    let thread = std::thread::spawn(move || super::main(&words, &mut stdout, &mut stderr));
    let exit = thread.join().unwrap_or(101);
    let bytes = std::mem::take(&mut *caught.0.lock().unwrap_or_else(PoisonError::into_inner));
    (exit, String::from_utf8_lossy(&bytes).into_owned())
}

/// Breaks a paragraph into lines of at most `width` characters.
fn wrap(words: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped_at_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), [] as [&str; 0]);
    }
}
