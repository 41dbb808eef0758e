//! What the commands of a lab leave running: known, told when it has ended, started again, and ended with the lab.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{Lab, Running, in_lab, lab, until};
use crate::lab_up::file;

/// A time to sleep that is this very test's, by which its processes are told from all others.
fn word(number: usize) -> String {
    let mut name = std::thread::current().name().unwrap_or_default().to_owned();
    name.push_str(&std::process::id().to_string());
    let hash = name.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    format!("1000.{number}{:010}", hash % 10_000_000_000)
}

/// Returns the processes that sleep so long.
fn sleeping(word: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let line = format!("sleep\0{word}\0");
    numbers.filter(|pid| fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|own| own == line)).collect()
}

/// Waits until one process sleeps so long, and returns it.
#[track_caller]
fn one(word: &str) -> i32 {
    until(&format!("one sleeps {word}"), || <[i32; 1]>::try_from(sleeping(word)).ok())[0]
}

fn end(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    until("it ends", || fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default().is_empty().then_some(()));
}

/// Ends what a test that fails leaves.
struct Ends(Vec<String>);

impl Ends {
    fn new(last: usize) -> Self {
        Self((0..=last).map(word).collect())
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        for pid in self.0.iter().flat_map(|word| sleeping(word)) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

#[track_caller]
fn none_is_left(ends: &Ends) {
    let left: Vec<_> =
        ends.0.iter().map(|word| (word, sleeping(word))).filter(|(_, found)| !found.is_empty()).collect();
    assert_eq!(left, []);
}

/// A lab with one node, and what is run in it.
fn with(commands: &[&str]) -> String {
    format!("name = \"run\"\nnodes = [\"a\", \"b\"]\n[node.a]\nrun = [{}]\n", commands.join(", "))
}

fn service(command: &str) -> String {
    format!("{{ command = \"{command}\", background = true, ready = \"true\" }}")
}

#[test]
fn what_makes_itself_a_daemon_goes_with_down() {
    lab(|net| {
        let ends = Ends::new(6);
        let words: Vec<String> = (0..7).map(word).collect();
        let commands = [
            format!("\"setsid sh -c 'sleep {} & setsid sleep {} &'\"", words[0], words[1]),
            // Without the environment, deaf to the first signal, and with mounts of its own.
            format!("\"setsid env -i sleep {} &\"", words[2]),
            format!("\"sh -c \\\"trap '' TERM; setsid sleep {} &\\\"\"", words[3]),
            format!("\"unshare --mount env -i sleep {} &\"", words[4]),
            format!("{{ command = \"setsid sleep {} &\", background = true, ready = \"true\" }}", words[5]),
        ];
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        let host = format!("[node.host]\nrun = [\"setsid sleep {} &\"]\n", words[6]);
        let path = file("run.toml", &(with(&commands) + &host));
        net.vwire(&["up", &path]).ok();
        let all: Vec<i32> = words.iter().map(|word| one(word)).collect();
        assert_eq!(net.vwire(&["status", &path]).ok(), "lab `run` is as it was applied: 2 nodes\n");
        assert_eq!(net.vwire(&["plan", &path]).ok(), "");
        assert_eq!(all, words.iter().map(|word| one(word)).collect::<Vec<_>>());
        assert_eq!(net.vwire(&["down", "run"]).ok(), "");
        none_is_left(&ends);
        assert!(!std::path::Path::new("/run/vwire").exists());
    });
}

#[test]
fn what_goes_on_and_has_ended_is_told_and_started_again() {
    lab(|net| {
        let ends = Ends::new(1);
        let (first, second) = (word(0), word(1));
        let commands = [service(&format!("echo so far; exec sleep {first}")), service(&format!("exec sleep {second}"))];
        let path = file("run.toml", &with(&[&commands[0], &commands[1]]));
        net.vwire(&["up", &path]).ok();
        let (pid, other) = (one(&first), one(&second));
        end(pid);
        let line = format!("sh -c echo so far; exec sleep {first}");
        let said = net.vwire(&["status", &path]);
        let wanted = format!("lab `run` differs in one point:\n  a: `{line}` has ended; it said at last: so far\n");
        assert_eq!((said.stdout.as_str(), said.exit), (wanted.as_str(), 3));
        let said = net.vwire(&["status", "-j", &path]);
        let wanted = format!(
            r#"{{"node":"a","object":"`{line}`","attribute":"state","is":"ended","should":"running","words":"`{line}` has ended; it said at last: so far"}}"#
        );
        assert!(said.stdout.contains(&wanted), "{}", said.stdout);
        let said = net.vwire(&["plan", &path]);
        assert_eq!((said.stdout, said.exit), (format!("a\n  + run {line}, which has ended\n"), 3));
        net.vwire(&["up", &path]).ok();
        net.vwire(&["status", &path]).ok();
        assert_eq!((sleeping(&second), sleeping(&first).len()), (vec![other], 1));
        assert_ne!(one(&first), pid);
        // One that does not come to be ready is told, and the lab is as it was.
        end(one(&first));
        let worse = file(
            "run.toml",
            &with(&[
                &commands[0].replace("\"true\"", "\"false\"").replace(" }", ", within = \"0.1s\" }"),
                &commands[1],
            ]),
        );
        let said = net.vwire(&["up", &worse]).fails(1);
        assert!(
            said.contains("is not ready after 100ms: `false` fails") && said.contains("nothing was changed"),
            "{said}"
        );
        assert_eq!((sleeping(&second), sleeping(&first)), (vec![other], vec![]));
        net.vwire(&["down", "run"]).ok();
        none_is_left(&ends);
    });
}

#[test]
fn of_commands_only_what_is_another_is_ended_and_run() {
    lab(|net| {
        let ends = Ends::new(3);
        let words: Vec<String> = (0..4).map(word).collect();
        let services: Vec<String> = words.iter().map(|word| service(&format!("exec sleep {word}"))).collect();
        let count = "\"echo x >>/run/count\"";
        let daemon = format!("\"setsid sleep {} &\"", words[2]);
        net.vwire(&["up", &file("run.toml", &with(&[count, &services[0], &daemon, &services[1]]))]).ok();
        let before = [one(&words[0]), one(&words[1]), one(&words[2])];
        let path = file("run.toml", &with(&["\"echo y >>/run/count\"", &services[1], count, &services[3]]));
        let said = net.vwire(&["plan", &path]);
        let wanted = format!(
            "a\n  - end sh -c exec sleep {}\n  - end sh -c setsid sleep {} &\n  + run sh -c echo y >>/run/count\n  \
             + run sh -c exec sleep {}\n",
            words[0], words[2], words[3]
        );
        assert_eq!((said.stdout, said.exit), (wanted, 3));
        net.vwire(&["up", &path]).ok();
        let now: Vec<Vec<i32>> = words.iter().map(|word| sleeping(word)).collect();
        assert_eq!(now[..3], [vec![], vec![before[1]], vec![]]);
        one(&words[3]);
        assert_eq!(fs::read_to_string("/run/count").unwrap(), "x\ny\n");
        assert_eq!(net.vwire(&["plan", &path]).ok(), "");
        // What is asked whether it is ready goes on when that is asked otherwise.
        let path = file("run.toml", &with(&[&services[1].replace("\"true\"", "\"touch /run/asked\""), &services[3]]));
        let said = net.vwire(&["plan", &path]).stdout;
        assert_eq!(said, format!("a\n  ~ ask whether it is ready: sh -c exec sleep {}\n", words[1]));
        net.vwire(&["up", &path]).ok();
        assert_eq!((sleeping(&words[1]), fs::exists("/run/asked").unwrap()), (vec![before[1]], true));
        // A node that goes takes its own along.
        let path = file("run.toml", "name = \"run\"\nnodes = [\"b\"]\n");
        net.vwire(&["up", &path]).ok();
        none_is_left(&ends);
    });
}

#[test]
fn a_change_that_fails_starts_again_what_it_has_ended() {
    lab(|net| {
        let ends = Ends::new(3);
        let words: Vec<String> = (0..4).map(word).collect();
        let services: Vec<String> = words.iter().map(|word| service(&format!("exec sleep {word}"))).collect();
        let daemon = format!("\"setsid sleep {} &\"", words[3]);
        let old = file("run.toml", &with(&[&services[0], &services[1], &daemon]));
        net.vwire(&["up", &old]).ok();
        let before = [one(&words[0]), one(&words[1]), one(&words[3])];
        let new = file("new.toml", &with(&[&services[0], &services[2], "\"exit 3\""]));
        let said = net.vwire(&["up", &new]).fails(1);
        assert!(said.contains("`sh -c exit 3` in `a` failed: exit status: 3"), "{said}");
        assert!(said.contains("nothing was changed"), "{said}");
        assert_eq!((sleeping(&words[0]), sleeping(&words[2])), (vec![before[0]], vec![]));
        assert!(one(&words[1]) != before[1] && one(&words[3]) != before[2]);
        assert_eq!(net.vwire(&["plan", &old]).ok(), "");
        net.vwire(&["status", "run"]).ok();
        net.vwire(&["down", "run"]).ok();
        none_is_left(&ends);
    });
}

/// A node with a program in the background that is ready when another is there.
fn waits(node: &str, command: &str, ready: &str) -> String {
    format!("[node.{node}]\nrun = [{{ command = \"{command}\", background = true, ready = \"{ready}\" }}]\n")
}

#[test]
fn what_waits_for_one_another_is_started_again_together() {
    lab(|net| {
        let ends = Ends::new(1);
        let there = |number| format!("pgrep -fx 'sleep {}'", word(number));
        let nodes = |more: &str| {
            let a = waits("a", &format!("exec sleep {}", word(0)), &there(1));
            let b = waits("b", &format!("exec sleep {}", word(1)), &there(0));
            format!("name = \"run\"\nnodes = [\"a\", \"b\"]\n{a}{b}{more}")
        };
        let old = file("run.toml", &nodes(""));
        net.vwire(&["up", &old]).ok();
        let before = [one(&word(0)), one(&word(1))];
        let new = "name = \"run\"\nnodes = [\"a\", \"b\"]\n[node.b]\nrun = [\"exit 3\"]\n";
        let said = net.vwire(&["up", &file("new.toml", new)]).fails(1);
        assert!(said.contains("nothing was changed"), "{said}");
        assert!(one(&word(0)) != before[0] && one(&word(1)) != before[1]);
        net.vwire(&["status", "run"]).ok();
        net.vwire(&["down", "run"]).ok();
        none_is_left(&ends);
    });
}

#[test]
fn one_that_has_failed_is_told_and_not_the_other_that_waits_for_it() {
    lab(|net| {
        let ends = Ends::new(0);
        let a = waits("a", &format!("exec sleep {}", word(0)), "false");
        let b = waits("b", "echo no such word >&2; exit 3", "false");
        let path = file("run.toml", &format!("name = \"run\"\nnodes = [\"a\", \"b\"]\n{a}{b}"));
        let said = net.vwire(&["up", &path]).fails(1);
        assert!(said.contains("in `b` ended before it was ready: exit status: 3"), "{said}");
        assert!(said.contains("it said at last: no such word"), "{said}");
        none_is_left(&ends);
    });
}

#[test]
fn what_a_command_left_that_a_killed_run_has_ended_is_run_again() {
    lab(|net| {
        let ends = Ends::new(1);
        let daemon = format!("\"setsid sleep {} &\"", word(0));
        let old = file("run.toml", &with(&[&daemon]));
        net.vwire(&["up", &old]).ok();
        let before = one(&word(0));
        let slow = format!("\"sleep {}\"", word(1));
        killed(net, &file("new.toml", &with(&[&slow])), &word(1));
        net.vwire(&["up", &old]).ok();
        assert_ne!(one(&word(0)), before);
        net.vwire(&["down", "run"]).ok();
        none_is_left(&ends);
    });
}

#[test]
fn with_a_full_disk_a_lab_goes_and_what_is_no_text_is_told() {
    lab(|net| {
        let ends = Ends::new(0);
        let said = "printf 'caf\\\\351\\\\n'; exec sleep";
        let path = file("run.toml", &with(&[&service(&format!("{said} {}", word(0)))]));
        net.vwire(&["up", &path]).ok();
        end(one(&word(0)));
        let told = net.vwire(&["status", "run"]);
        assert_eq!(told.exit, 3);
        assert!(told.stdout.contains("it said at last: caf\u{fffd}"), "{}", told.stdout);
        net.vwire(&["up", &path]).ok();
        // As long as nothing can be written there.
        fs::create_dir("/run/vwire/labs/run/running.new").unwrap();
        net.vwire(&["down", "run"]).ok();
        none_is_left(&ends);
    });
}

/// Brings a lab up that is killed as soon as one of its commands sleeps.
fn killed(net: &Lab, path: &str, word: &str) {
    let mut child = net.command(env!("CARGO_BIN_EXE_vwire"), &["up", path]).stderr(Stdio::null()).spawn().unwrap();
    one(word);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_an_up_started_that_was_killed_goes_with_down_or_with_the_next() {
    lab(|net| {
        let ends = Ends::new(3);
        let words: Vec<String> = (0..4).map(word).collect();
        let services: Vec<String> = words.iter().map(|word| service(&format!("exec sleep {word}"))).collect();
        let slow = format!("\"setsid sleep {} & sleep {}\"", words[2], words[3]);
        let path = file("run.toml", &with(&[&services[0], &slow]));
        killed(net, &path, &words[3]);
        one(&words[0]);
        net.vwire(&["down", "run"]).ok();
        none_is_left(&ends);
        // A change that is killed: what it ended is started again by the next, what it started is ended.
        let old = file("run.toml", &with(&[&services[0], &services[1]]));
        net.vwire(&["up", &old]).ok();
        let kept = one(&words[0]);
        killed(net, &file("new.toml", &with(&[&services[0], &slow])), &words[3]);
        assert!(sleeping(&words[1]).is_empty());
        let said = net.vwire(&["status", "run"]).fails(3);
        assert!(said.contains("a run on lab `run` did not end"), "{said}");
        net.vwire(&["up", &old]).ok();
        net.vwire(&["status", "run"]).ok();
        assert_eq!((sleeping(&words[0]), sleeping(&words[2]), sleeping(&words[3])), (vec![kept], vec![], vec![]));
        one(&words[1]);
        net.vwire(&["down", "run"]).ok();
        none_is_left(&ends);
    });
}

#[test]
fn a_lab_of_that_name_elsewhere_and_what_somebody_runs_by_hand_are_left_alone() {
    lab(|net| {
        let ends = Ends::new(2);
        let words: Vec<String> = (0..3).map(word).collect();
        let service = service(&format!("exec sleep {}", words[0]));
        net.vwire(&["up", &file("run.toml", &with(&[&service]))]).ok();
        let kept = one(&words[0]);
        let other = words[1].clone();
        in_lab(|net| {
            let daemon = format!("\"setsid sleep {other} &\"");
            net.vwire(&["up", &file("run.toml", &with(&[&daemon]))]).ok();
            one(&other);
            net.vwire(&["down", "run"]).ok();
        });
        assert_eq!((sleeping(&words[0]), sleeping(&words[1])), (vec![kept], vec![]));
        let mut by_hand = net.command(env!("CARGO_BIN_EXE_vwire"), &["exec", "run.a", "--", "sleep", &words[2]]);
        let _by_hand: Running = net.start({
            by_hand.process_group(0);
            by_hand
        });
        let stranger = one(&words[2]);
        net.vwire(&["down", "run"]).ok();
        assert_eq!((sleeping(&words[0]), sleeping(&words[2])), (vec![], vec![stranger]));
        drop(ends);
    });
}

#[test]
fn with_the_record_lost_what_runs_in_the_labs_networks_is_ended_all_the_same() {
    lab(|net| {
        let ends = Ends::new(1);
        let daemon = format!("\"setsid sleep {} &\"", word(0));
        net.vwire(&["up", &file("run.toml", &with(&[&daemon, &service(&format!("exec sleep {}", word(1)))]))]).ok();
        one(&word(0));
        one(&word(1));
        fs::remove_dir_all("/run/vwire").unwrap();
        net.vwire(&["down", "run"]).ok();
        none_is_left(&ends);
    });
}

#[test]
fn a_trial_that_is_undone_brings_back_what_ran() {
    lab(|net| {
        let ends = Ends::new(2);
        let words: Vec<String> = (0..3).map(word).collect();
        let services: Vec<String> = words.iter().map(|word| service(&format!("exec sleep {word}"))).collect();
        net.vwire(&["up", &file("run.toml", &with(&[&services[0], &services[1]]))]).ok();
        let kept = one(&words[0]);
        let new = file("new.toml", &with(&[&services[0], &services[2]]));
        net.vwire(&["up", "--confirm", "60s", &new]).ok();
        assert_eq!((sleeping(&words[0]), sleeping(&words[1])), (vec![kept], vec![]));
        net.vwire(&["confirm", "--undo", "run"]).ok();
        assert_eq!((sleeping(&words[0]), sleeping(&words[2])), (vec![kept], vec![]));
        one(&words[1]);
        net.vwire(&["status", "run"]).ok();
        net.vwire(&["down", "run"]).ok();
        none_is_left(&ends);
    });
}

#[test]
fn where_proc_shows_other_processes_than_ones_own_nothing_is_mistaken() {
    lab(|net| {
        let ends = Ends::new(1);
        let daemon = format!("\"setsid sleep {} &\"", word(0));
        let path = file("run.toml", &with(&[&daemon, &service(&format!("exec sleep {}", word(1)))]));
        let vwire = env!("CARGO_BIN_EXE_vwire");
        // The shell is the first process of a namespace that ends with it; `/proc` stays the one outside.
        let script = format!(
            "set -e; {vwire} up {path}; {vwire} status run; touch /run/up; until test -e /run/go; do sleep 0.01; done; \
             {vwire} status run || echo $?; {vwire} up {path}; {vwire} status run; {vwire} down run; touch /run/down; \
             until test -e /run/end; do sleep 0.01; done"
        );
        let mut running = net.start(net.command("unshare", &["--pid", "--fork", "sh", "-c", &script]));
        assert_eq!(running.line(), "lab `run` is as it was applied: 2 nodes");
        one(&word(0));
        end(one(&word(1)));
        fs::write("/run/go", "").unwrap();
        assert_eq!(running.line(), "lab `run` differs in one point:");
        assert_eq!(running.line(), format!("  a: `sh -c exec sleep {}` has ended", word(1)));
        assert_eq!(
            (running.line(), running.line()),
            ("3".to_owned(), "lab `run` is as it was applied: 2 nodes".to_owned())
        );
        until("it is down", || fs::exists("/run/down").unwrap().then_some(()));
        none_is_left(&ends);
        fs::write("/run/end", "").unwrap();
    });
}
