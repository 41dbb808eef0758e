//! Labs brought up on trial: kept when they are confirmed, brought back to what was before when they are not.

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{Lab, lab, until};
use crate::lab_fault::{RICH, settled};
use crate::lab_up::{assert_same, file, machine};

/// Writes the rich lab's file under a name of this test's own, by which its clock is known among those of others.
fn rich(name: &str, text: &str) -> String {
    file(&format!("{name}.toml"), &text.replace("\"rich\"", &format!("\"{name}\"")))
}

/// Another lab of that name: wires, a node and a part of the machine gone, others come, addresses and sizes changed.
fn changed() -> String {
    RICH.replace("nodes = [\"a\", \"b\", \"r\"]", "nodes = [\"a\", \"b\", \"c\", \"r\"]")
        .replace(
            "  \"host:vwx0 10.77.0.1/24 -- b:up 10.77.0.2/24\",\n",
            "  \"host:vwx1 10.78.0.1/24 -- c 10.78.0.2/24\",\n",
        )
        .replace("r:in 10.0.0.1/24", "r:in 10.0.0.9/24")
        .replace("via 10.0.0.1", "via 10.0.0.9")
        .replace("nat = [\"masquerade out out\"]\n", "")
        .replace("mtu 1400", "mtu 1300")
}

/// The process that waits for a lab's time, in the network of this test.
fn clock(name: &str) -> Option<Pid> {
    let tail = format!("confirm\0--clock\0{name}\0");
    let own = fs::read_link("/proc/thread-self/ns/net").unwrap();
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let line = fs::read_to_string(entry.path().join("cmdline")).ok()?;
        let is_here = || fs::read_link(entry.path().join("ns/net")).is_ok_and(|network| network == own);
        let pid = entry.file_name().to_str()?.parse().ok()?;
        (line.ends_with(&tail) && is_here()).then(|| Pid::from_raw(pid))
    })
}

/// Ends a lab's clock where a test fails that has one.
struct Ends(&'static str);

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(pid) = clock(self.0) {
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}

#[track_caller]
fn no_clock(name: &str) {
    until("the clock ends", || clock(name).is_none().then_some(()));
}

/// Waits until the lab's TAP says that nobody holds it.
#[track_caller]
fn quiet(net: &Lab) {
    until("the TAP says that nobody holds it", || machine(net).contains("tap0: <NO-CARRIER").then_some(()));
}

/// Sets the time of a lab whose clock is dead to one that is over.
#[track_caller]
fn time_is_over(net: &Lab, name: &str) {
    no_clock(name);
    fs::write(format!("/run/vwire/labs/{name}/unconfirmed"), "vwire-unconfirmed 1 1\n").unwrap();
    assert!(net.vwire(&["lab", "ls"]).ok().contains("was not confirmed in time"));
}

#[test]
fn what_is_confirmed_stays() {
    lab(|net| {
        let _ends = Ends("kept");
        settled();
        let before = machine(net);
        let path = rich("kept", RICH);
        let said = net.vwire(&["up", "--confirm", "60s", &path]);
        assert_eq!((said.exit, said.stderr.as_str()), (0, "confirm within 60 s: vwire confirm kept\n"));
        quiet(net);
        let up = machine(net);
        let listed = net.vwire(&["lab", "ls"]).ok();
        assert!(listed.contains("waits to be confirmed, for ") && listed.ends_with(" s more\n"), "{listed}");
        assert!(net.vwire(&["-j", "lab", "ls"]).ok().contains("\"confirm_within_secs\":"));
        let status = net.vwire(&["status"]).ok();
        assert!(status.contains(" unless it is confirmed: vwire confirm kept\n"), "{status}");
        assert!(clock("kept").is_some());
        assert_eq!(net.vwire(&["confirm"]).ok(), "");
        no_clock("kept");
        assert_same(&machine(net), &up);
        assert!(net.vwire(&["status"]).ok().starts_with("lab `kept` is as it was applied: "));
        assert!(net.vwire(&["confirm", "kept"]).fails(1).starts_with("error: lab `kept` has nothing to confirm\n"));
        assert!(net.vwire(&["confirm"]).fails(1).starts_with("error: no lab waits to be confirmed\n"));
        assert!(net.vwire(&["confirm", "none"]).fails(1).starts_with("error: lab `none` has nothing to confirm\n"));
        let left: Vec<_> = fs::read_dir("/run/vwire/labs/kept").unwrap().flatten().map(|one| one.file_name()).collect();
        let mut left: Vec<&str> = left.iter().filter_map(|name| name.to_str()).collect();
        left.sort_unstable();
        assert_eq!(left, ["host-sysctls", "hosts", "lab.toml", "lock"]);
        net.vwire(&["down", "kept"]).ok();
        assert_same(&machine(net), &before);
    });
}

#[test]
fn a_new_lab_that_is_not_confirmed_goes() {
    lab(|net| {
        let _ends = Ends("fresh");
        settled();
        let before = machine(net);
        net.vwire(&["up", "--confirm", "1s", &rich("fresh", RICH)]).ok();
        until("it is undone", || (!Path::new("/run/vwire").exists()).then_some(()));
        assert_same(&machine(net), &before);
        no_clock("fresh");
    });
}

#[test]
fn a_change_that_is_not_confirmed_is_undone_with_what_hands_had_done_kept() {
    lab(|net| {
        let _ends = Ends("change");
        settled();
        let path = rich("change", RICH);
        net.vwire(&["up", &path]).ok();
        quiet(net);
        net.arrange(&["-n change.a link set eth0 mtu 1450", "-n change.b route del blackhole 9.9.9.0/24"]);
        let (before, rules) =
            (machine(net), net.run(net.command("ip", &["netns", "exec", "change.r", "nft", "list", "ruleset"])));
        let drift = net.vwire(&["status"]).stdout;
        let kept = fs::read_to_string("/run/vwire/labs/change/hosts").unwrap();
        net.vwire(&["up", "--confirm", "1s", &rich("change", &changed())]).ok();
        assert!(machine(net).contains("10.78.0.2/24") && !machine(net).contains("10.77.0.2/24"));
        no_clock("change");
        assert_same(&machine(net), &before);
        assert_eq!(net.vwire(&["status"]).stdout, drift);
        assert_eq!(fs::read_to_string("/run/vwire/labs/change/hosts").unwrap(), kept);
        let now = net.run(net.command("ip", &["netns", "exec", "change.r", "nft", "list", "ruleset"]));
        assert!(rules.stdout.contains("masquerade") && now.stdout == rules.stdout, "{}\n{}", now.stdout, rules.stdout);
    });
}

#[test]
fn a_node_that_left_is_kept_until_it_is_confirmed_and_wired_again_if_not() {
    lab(|net| {
        let _ends = Ends("left");
        settled();
        net.vwire(&["up", &rich("left", RICH)]).ok();
        let without = RICH
            .replace("nodes = [\"a\", \"b\", \"r\"]", "nodes = [\"b\", \"r\"]")
            .replace("  \"a 10.0.0.2/24 -- lan\",\n", "")
            .replace("[node.a]\nroutes = [\"default via 10.0.0.1\"]\n", "");
        let path = rich("left", &without);
        net.vwire(&["up", "--confirm", "1s", &path]).ok();
        no_clock("left");
        net.vwire(&["status", "left"]).ok();
        let ping = net.vwire(&["exec", "-l", "left", "a", "--", "ping", "-c1", "-W2", "-q", "10.1.0.2"]);
        assert_eq!(ping.exit, 0, "{}", ping.stdout);
        net.vwire(&["up", "--confirm", "60s", &path]).ok();
        assert!(Path::new("/run/netns/left.a").exists());
        net.vwire(&["confirm", "left"]).ok();
        assert!(!Path::new("/run/netns/left.a").exists());
        net.vwire(&["status", "left"]).ok();
    });
}

#[test]
fn with_its_clock_killed_whoever_comes_next_undoes_it() {
    lab(|net| {
        let _ends = Ends("killed");
        settled();
        let none = machine(net);
        let other = file("other.toml", &changed().replace("\"rich\"", "\"killed\""));
        let path = rich("killed", RICH);
        for fresh in [true, false] {
            if !fresh {
                net.vwire(&["up", &path]).ok();
                quiet(net);
            }
            let before = machine(net);
            for verb in ["status", "plan", "up", "confirm"] {
                net.vwire(&["up", "--confirm", "60s", &other]).ok();
                kill(clock("killed").unwrap(), Signal::SIGKILL).unwrap();
                time_is_over(net, "killed");
                let said = net.vwire(&[verb, if verb == "confirm" || verb == "status" { "killed" } else { &path }]);
                let told = match verb {
                    "confirm" => "error: lab `killed` was not confirmed in time, and is as it was before\n",
                    _ => "warning: lab `killed` was not confirmed in time; it is brought back to what it was first\n",
                };
                assert!(said.stderr.starts_with(told), "{verb}: {}", said.stderr);
                assert!(!said.stderr.contains("nothing was changed"), "{}", said.stderr);
                if verb == "up" && fresh {
                    net.vwire(&["down", "killed"]).ok();
                }
                assert_same(&machine(net), &before);
            }
            net.vwire(&["down", "killed"]).ok();
            assert_same(&machine(net), &none);
        }
    });
}

#[test]
fn the_clock_outlives_its_session_and_what_ends_it() {
    lab(|net| {
        let _ends = Ends("alone");
        settled();
        let before = machine(net);
        net.vwire(&["up", "--confirm", "2s", &rich("alone", RICH)]).ok();
        let pid = clock("alone").unwrap();
        let session = until("it has a session of its own", || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            stat.rsplit(") ").next()?.split(' ').nth(3)?.parse::<i32>().ok().filter(|session| *session == pid.as_raw())
        });
        assert_eq!(session, pid.as_raw());
        for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
            kill(pid, signal).unwrap();
        }
        until("it is undone", || (!Path::new("/run/vwire").exists()).then_some(()));
        assert_same(&machine(net), &before);
    });
}

#[test]
fn a_lab_that_waits_is_not_changed_but_goes_down() {
    lab(|net| {
        let _ends = Ends("waits");
        settled();
        let before = machine(net);
        let path = rich("waits", RICH);
        net.vwire(&["up", "--confirm", "60s", &path]).ok();
        quiet(net);
        let up = machine(net);
        for words in [
            &["up", &path][..],
            &["up", "--confirm", "5s", &file("other.toml", &changed().replace("\"rich\"", "\"waits\""))],
        ] {
            let said = net.vwire(words).fails(1);
            assert!(
                said.starts_with("error: lab `waits` waits to be confirmed, for ")
                    && said.contains("hint: `vwire confirm waits` keeps"),
                "{said}"
            );
            assert_same(&machine(net), &up);
        }
        net.vwire(&["down", "waits"]).ok();
        no_clock("waits");
        assert_same(&machine(net), &before);
        net.vwire(&["up", "--confirm", "60s", &path]).ok();
        net.vwire(&["confirm", "--undo"]).ok();
        assert_same(&machine(net), &before);
        no_clock("waits");
    });
}

#[test]
fn what_fails_or_changes_nothing_has_nothing_to_confirm() {
    lab(|net| {
        let _ends = Ends("fails");
        settled();
        let before = machine(net);
        let path = rich("fails", &RICH.replace("[node.a]\n", "[node.a]\nrun = [\"false\"]\n"));
        let said = net.vwire(&["up", "--confirm", "60s", &path]).fails(1);
        assert!(said.ends_with("nothing was changed\n"), "{said}");
        assert_same(&machine(net), &before);
        assert!(!Path::new("/run/vwire").exists() && clock("fails").is_none());
        let path = rich("fails", RICH);
        net.vwire(&["up", &path]).ok();
        let said = net.vwire(&["up", "--confirm", "60s", &path]);
        assert_eq!((said.exit, said.stderr.as_str()), (0, ""));
        assert!(net.vwire(&["confirm"]).exit == 1 && clock("fails").is_none());
        for wrong in ["0s", "0.5s", "60", "2h", "100000min", "soon"] {
            let said = net.vwire(&["up", "--confirm", wrong, &path]).fails(2);
            assert!(said.contains("a time from `1s` to `60min`"), "{said}");
        }
    });
}

#[test]
fn a_trial_that_cannot_begin_is_undone() {
    lab(|net| {
        let _ends = Ends("begin");
        settled();
        let before = machine(net);
        let path = rich("begin", RICH);
        for number in 1.. {
            let came_up = up_with_confirm(net, &path, number);
            until("it is undone", || (!Path::new("/run/vwire").exists()).then_some(()));
            assert_same(&machine(net), &before);
            no_clock("begin");
            if came_up {
                assert!(number > 5, "only {number}");
                break;
            }
        }
    });
}

/// Runs `up` on trial with one renaming refused; tells whether it came up all the same.
fn up_with_confirm(net: &Lab, path: &str, number: usize) -> bool {
    let inject = format!("inject=rename:error=EIO:when={number}");
    let vwire = env!("CARGO_BIN_EXE_vwire");
    let words =
        ["-f", "-qq", "-o", "/dev/null", "-e", "trace=rename", "-e", &inject, vwire, "up", "--confirm", "1s", path];
    let said = net.run(net.command("strace", &words));
    assert!(said.exit == 0 || said.stderr.contains("nothing was changed"), "{number}: {}", said.stderr);
    said.exit == 0
}
