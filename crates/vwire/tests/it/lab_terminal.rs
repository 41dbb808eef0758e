//! Programs of an ordinary user's labs at a terminal: who has it, who is stopped, and who gets it back.

use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::lab::{lab, until};
use crate::lab_rootless::{OFFICE, User};

/// What stops a terminal's foreground.
const CTRL_Z: &str = "\x1a";
/// What interrupts it.
const CTRL_C: &str = "\x03";

/// A terminal with a shell that has jobs, in which an ordinary user types.
struct Terminal {
    script: Child,
    parts: Receiver<Vec<u8>>,
    shown: String,
}

impl Terminal {
    fn of(user: &User<'_>) -> Self {
        let mut command =
            user.command_of("script", &["-qefc", "exec bash --norc --noprofile --noediting -i", "/dev/null"]);
        command.env("PS1", "$ ").env("SHELL", "/bin/sh").env("HOME", "/").env("TERM", "dumb").env("HISTFILE", "");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut script = command.spawn().unwrap();
        let mut stdout = script.stdout.take().unwrap();
        let (send, parts) = channel();
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut part) {
                if send.send(part[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut terminal = Self { script, parts, shown: String::new() };
        terminal.types("vwire() { /run/vwire-copy \"$@\"; }\n");
        terminal
    }

    fn types(&mut self, text: &str) {
        self.script.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Waits until the terminal shows something behind what was waited for before; returns all from there to its end.
    #[track_caller]
    fn shows(&mut self, text: &str) -> String {
        until(&format!("{text:?} in a terminal"), || {
            self.shown.push_str(
                &self.parts.try_iter().map(|part| String::from_utf8_lossy(&part).into_owned()).collect::<String>(),
            );
            let end = self.shown.find(text)? + text.len();
            let rest = self.shown.split_off(end);
            Some(std::mem::replace(&mut self.shown, rest))
        })
    }

    /// Waits for the exit code of a line that ends with [`END`].
    #[track_caller]
    fn ends(&mut self) -> (String, String) {
        let said = self.shows("ended:");
        (said, self.shows(":").trim_end_matches(':').to_owned())
    }
}

/// What tells at the end of a line how it ended; a terminal that echoes what is typed does not show the same.
const END: &str = "; echo en''ded:$?:\n";
/// A program that says that it has begun, and goes on.
const BEGINS: &str = "sh -c 'echo beg''un; exec sleep 1000'";

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
        if std::thread::panicking() {
            eprintln!("the terminal shows behind what was waited for:\n{}", self.shown);
        }
    }
}

#[test]
fn a_shell_of_any_sort_gives_the_terminal_back_without_a_word() {
    lab(|net| {
        let user = User::new(net, "shells");
        let path = user.file("office.toml", OFFICE);
        if !user.up(&path) {
            return;
        }
        let mut terminal = Terminal::of(&user);
        // Alone, and where a shell without jobs has started it.
        for way in ["vwire shell alice", "sh -c '/run/vwire-copy shell alice; exit $?'"] {
            for shell in ["dash", "bash --norc --noediting", "busybox sh"] {
                let file = user.file("shell", &format!("#!/bin/sh\nexec {shell} -i\n"));
                std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
                terminal.types(&format!("SHELL={file} {way}{END}"));
                terminal.types("echo in-$VWIRE_NODE; sleep 0; sh -c 'exit 3'; exit $((4+$?))\n");
                let (said, code) = terminal.ends();
                assert!(said.contains("in-alice"), "{shell}: {said}");
                for word in ["annot", "an't", "rror", "job control"] {
                    assert!(!said.contains(word), "{shell}: {said}");
                }
                assert_eq!(code, "7", "{shell}: {said}");
            }
        }
        drop(terminal);
        user.vwire(&["down", "office"]).ok();
    });
}

#[test]
fn a_program_is_stopped_goes_on_and_is_interrupted_as_any_other() {
    lab(|net| {
        let user = User::new(net, "jobs");
        let path = user.file("office.toml", OFFICE);
        if !user.up(&path) {
            return;
        }
        let mut terminal = Terminal::of(&user);
        for _ in 0..2 {
            terminal.types(&format!("vwire exec alice -- {BEGINS}{END}"));
            terminal.shows("begun");
            terminal.types(CTRL_Z);
            terminal.shows("Stopped");
            assert_eq!(terminal.ends().1, "148");
            terminal.types("fg\n");
            terminal.shows("/run/vwire-copy");
            terminal.types(CTRL_C);
            terminal.types(&format!("(exit $?){END}"));
            assert_eq!(terminal.ends().1, "130");
        }
        // In a pipeline, who reads is interrupted as well.
        terminal.types(&format!("vwire exec alice -- {BEGINS} | (trap 'echo cau''ght' INT; cat; sleep 1000)\n"));
        terminal.shows("begun");
        terminal.types(CTRL_C);
        terminal.shows("caught");
        terminal.types(CTRL_C);
        terminal.types(&format!("\n(exit 5){END}"));
        assert_eq!(terminal.ends().1, "5");
        drop(terminal);
        user.vwire(&["down", "office"]).ok();
    });
}
