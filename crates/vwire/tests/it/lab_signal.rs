//! Verbs on labs that are asked to end in the middle: by Ctrl-C, by SIGTERM, while they work and while they wait.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{Lab, Said, lab, until};
use crate::lab_fault::{RICH, calls, settled, spread, up_with};
use crate::lab_up::{assert_same, file, machine};

/// A lab whose only command goes on for long, and tells when it has begun.
const SLOW: &str = "name = \"slow\"\nnodes = [\"a\", \"b\"]\nwires = [\"a 10.0.0.1/24 -- b 10.0.0.2/24\"]\n\
    [node.a]\nrun = [{ command = \"touch /run/begun; exec sleep 1000\", within = \"300s\" }]\n";

/// A verb on its way.
struct Running {
    child: Child,
}

impl Running {
    fn begin(net: &Lab, words: &[&str]) -> Self {
        let mut command = net.command(env!("CARGO_BIN_EXE_vwire"), words);
        Self { child: command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap() }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    fn end(mut self) -> Said {
        let status = until("the verb ends", || self.child.try_wait().unwrap());
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        Said { stdout, stderr, exit: status.code().unwrap_or(-1) }
    }
}

fn has_begun() -> bool {
    std::fs::remove_file("/run/begun").is_ok()
}

#[test]
fn a_signal_at_any_call_leaves_the_machine_as_it_was() {
    lab(|net| {
        settled();
        let before = machine(net);
        let path = file("rich.toml", RICH);
        let mut interrupted = 0;
        for (call, many, signal, exit) in
            [("sendto", 12, "INT", 130), ("mount", 3, "TERM", 143), ("rename", 3, "HUP", 129)]
        {
            for number in spread(calls(net, &path, call), many) {
                let said = up_with(net, &path, call, &format!("signal={signal}"), number);
                if said.exit == 0 {
                    // It came to a thread that ended with its work, or behind the last step.
                    net.vwire(&["status", "rich"]).ok();
                    net.vwire(&["down", &path]).ok();
                } else {
                    assert_eq!((said.exit, said.stderr.as_str()), (exit, "interrupted; nothing was changed\n"));
                    interrupted += 1;
                }
                assert_same(&machine(net), &before);
            }
        }
        assert!(interrupted >= 8, "only {interrupted}");
    });
}

#[test]
fn a_change_that_is_interrupted_leaves_the_lab_as_it_was() {
    lab(|net| {
        let path = file("slow.toml", &SLOW[..SLOW.find("[node.a]").unwrap()]);
        net.vwire(&["up", &path]).ok();
        let before = machine(net);
        let path = file("slow.toml", &SLOW.replace("b 10.0.0.2", "b 10.0.0.3").replace("\"b\"]", "\"b\", \"c\"]"));
        let running = Running::begin(net, &["up", &path]);
        until("the command runs", || has_begun().then_some(()));
        running.signal(Signal::SIGINT);
        let said = running.end();
        assert_eq!((said.exit, said.stderr.as_str()), (130, "interrupted; nothing was changed\n"));
        assert_same(&machine(net), &before);
        net.vwire(&["status", "slow"]).ok();
    });
}

#[test]
fn a_command_that_goes_on_is_ended_and_more_signals_change_nothing() {
    lab(|net| {
        let before = machine(net);
        let path = file("slow.toml", SLOW);
        for (verb, signal, exit) in
            [("up", Signal::SIGINT, 130), ("up", Signal::SIGTERM, 143), ("try", Signal::SIGINT, 130)]
        {
            let mut running = Running::begin(net, &[verb, &path]);
            until("the command runs", || has_begun().then_some(()));
            until("it ends, asked again and again", || {
                running.signal(signal);
                running.child.try_wait().unwrap()
            });
            let said = running.end();
            assert_eq!((said.exit, said.stderr.as_str()), (exit, "interrupted; nothing was changed\n"), "{verb}");
            assert_same(&machine(net), &before);
            assert!(!std::path::Path::new("/run/vwire").exists());
        }
    });
}

#[test]
fn who_waits_for_another_process_may_be_asked_to_end() {
    lab(|net| {
        let path = file("slow.toml", SLOW);
        let first = Running::begin(net, &["up", &path]);
        until("the command runs", || has_begun().then_some(()));
        for verb in ["up", "down"] {
            let mut second = Running::begin(net, &[verb, &path]);
            let mut line = String::new();
            let mut stderr = BufReader::new(second.child.stderr.take().unwrap());
            stderr.read_line(&mut line).unwrap();
            assert!(
                line.starts_with("waiting for process ") && line.ends_with(", which changes lab `slow`\n"),
                "{line}"
            );
            second.signal(Signal::SIGINT);
            let status = until("it ends", || second.child.try_wait().unwrap());
            let mut rest = String::new();
            stderr.read_to_string(&mut rest).unwrap();
            assert_eq!((status.code(), rest.as_str()), (Some(130), "interrupted; nothing was changed\n"), "{verb}");
        }
        first.signal(Signal::SIGTERM);
        assert_eq!(first.end().exit, 143);
    });
}

#[test]
fn a_hang_up_that_nohup_ignores_is_ignored() {
    lab(|net| {
        let path = file("slow.toml", &SLOW.replace("exec sleep 1000", "until test -e /run/go; do sleep 0.01; done"));
        let script = format!("trap '' HUP; exec {} up {path}", env!("CARGO_BIN_EXE_vwire"));
        let mut command = net.command("sh", &["-c", &script]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let running = Running { child };
        until("the command runs", || has_begun().then_some(()));
        running.signal(Signal::SIGHUP);
        std::fs::write("/run/go", "").unwrap();
        assert_eq!(running.end().exit, 0);
        net.vwire(&["down", &path]).ok();
    });
}

#[test]
fn programs_in_nodes_have_no_signal_held_back() {
    lab(|net| {
        let text = "name = \"mask\"\nnodes = [\"a\"]\n[node.a]\nrun = [\"grep SigBlk /proc/self/status\"]\n";
        net.vwire(&["up", &file("mask.toml", text)]).ok();
        let log = std::fs::read_to_string("/run/vwire/labs/mask/a.0.log").unwrap();
        assert_eq!(log, "SigBlk:\t0000000000000000\n");
        net.vwire(&["down", "mask"]).ok();
    });
}

#[test]
fn a_lab_that_is_up_and_differs_is_not_taken_down_by_a_try() {
    lab(|net| {
        let text = "name = \"pair\"\nnodes = [\"a\", \"b\"]\nwires = [\"a 10.0.0.1/24 -- b 10.0.0.2/24\"]\n";
        net.vwire(&["up", &file("pair.toml", text)]).ok();
        let before = machine(net);
        let other = file("pair.toml", &text.replace("10.0.0.2", "10.0.0.3"));
        let said = net.vwire(&["try", &other]).fails(1);
        assert!(said.starts_with("error: lab `pair` is up, and is not as the file says\n"), "{said}");
        assert_same(&machine(net), &before);
        net.vwire(&["try", &file("pair.toml", text)]).ok();
        assert_same(&machine(net), &before);
    });
}
