//! `vwire try`: a lab up, checked and down again in one go.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Command;
use nix::sys::signal::{SigSet, Signal};

use super::lab_file::{Teller, file_argument, load, tell};
use super::{Call, Verb, check, graph};
use crate::lab::engine::down::down;
use crate::lab::engine::up::{Order, Outcome, up};
use crate::lab::graph::of_lab;

/// The exit code of a program that Ctrl-C has ended, as shells have it.
const INTERRUPTED: u8 = 130;

/// Returns the verb.
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("try")
        .about("Bring a lab up, try its checks, draw it, and take it down, in one go")
        .long_about(
            "Bring a lab up, try its checks, draw it, and take it down, whatever came of them; Ctrl-C takes it down, too. \
             A lab that is up already is checked, and stays up. `vwire -j try` tells the checks as JSON, and draws \
             nothing.\n\n\
             Exit codes: 0 all checks hold; 1 one does not, or the lab does not come up; 2 the command line is wrong; \
             130 Ctrl-C.",
        )
        .arg(file_argument())
}

fn run(call: &mut Call<'_>) -> u8 {
    let path: PathBuf = call.arguments.remove_one("file").unwrap_or_default();
    let loaded = match load(&path, call.stderr) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    // Held back, so that no signal ends this between up and down; the thread that waits for it says so.
    let stopped = std::sync::Arc::new(AtomicBool::new(false));
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    let _ = signals.thread_block();
    let waits = std::sync::Arc::clone(&stopped);
    std::thread::spawn(move || {
        let _ = signals.wait();
        waits.store(true, Ordering::Relaxed);
    });
    let mut stderr = std::io::stderr();
    let mut teller = Teller::new(&mut stderr);
    let done = up(Order { lab: &loaded.lab, text: &loaded.text }, &mut teller);
    teller.end();
    let was_up = match done {
        Ok(outcome) => outcome == Outcome::Unchanged,
        Err(failed) => return tell(&failed, Some(&loaded), call.stderr),
    };
    let is_stopped = || stopped.load(Ordering::Relaxed);
    let mut exit = 0;
    if !is_stopped() {
        exit = check::checked(&loaded.lab, call.options.json, call.stdout);
        if !call.options.json {
            let drawn = graph::as_text(&of_lab::picture(&loaded.lab));
            let _ = call.stdout.write_all(format!("\n{drawn}").as_bytes());
        }
    }
    if !was_up && let Err(failed) = down(&loaded.lab.name, Some(&loaded.lab), &mut teller) {
        return tell(&failed, Some(&loaded), call.stderr);
    }
    if is_stopped() { INTERRUPTED } else { exit }
}
