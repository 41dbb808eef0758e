//! Labs that live as long as a value: what a test can do with one, and that nothing stays of it.
//!
//! What is in [`anyone`] is run as whoever runs the tests, and once more as an ordinary user.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use vwire::scoped::{Lab, Running};

use crate::lab::{lab, privileged, until};
use crate::sources::top;

/// `nobody`.
const NOBODY: u32 = 65534;

/// Two nodes and a cable.
const PAIR: &str = "nodes = ['alice', 'bob']\nwires = ['alice 10.0.0.1/24 -- bob 10.0.0.2/24']\n";

/// Brings a lab up; none, and that is said, where this user may have no network of their own and the test may be skipped.
fn up(text: &str) -> Option<Running> {
    match Lab::from_toml(text).unwrap().up() {
        Ok(running) => Some(running),
        Err(error) => {
            let may_skip = std::env::var_os("VWIRE_SKIP_PRIVILEGED").is_some_and(|value| value == "1");
            assert!(may_skip && error.to_string().contains("user namespace: "), "{error}");
            let name = std::thread::current().name().unwrap_or("test").to_owned();
            let _ = writeln!(io::stderr(), "SKIPPED {name}: {error}");
            None
        }
    }
}

/// Runs a line of the shell in a node and returns what it says.
#[track_caller]
fn sh(lab: &Running, node: &str, line: &str) -> String {
    let said = lab.node(node).unwrap().command("sh").args(["-c", line]).output().unwrap();
    assert!(said.status.success(), "{line}: {}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// Returns the processes in these network namespaces, called `net:[NUMBER]`.
fn processes_in(networks: &BTreeSet<String>) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let is_in = |path: &std::path::Path| {
        fs::read_link(path.join("ns/net")).is_ok_and(|link| networks.contains(link.to_str().unwrap()))
    };
    let inside = entries.map(|entry| entry.path()).filter(|path| is_in(path));
    inside.map(|path| path.display().to_string()).collect()
}

/// Returns the namespaces of a lab's nodes, and of its processes.
fn networks(lab: &Running) -> BTreeSet<String> {
    let mut all: BTreeSet<_> = lab.names().iter().map(|node| sh(lab, node, "readlink /proc/self/ns/net")).collect();
    all.insert(sh(lab, &lab.names()[0], "readlink /proc/1/ns/net"));
    all
}

/// A lab of which a good deal runs: in the background by the file, and what has left whoever started it.
const BUSY: &str = "wires = ['alice 10.0.0.1/24 -- bob 10.0.0.2/24']\n[node.bob]\n\
                    [node.alice]\nrun = [{ command = 'sleep 1000', background = true }]\n";

/// Brings up [`BUSY`], and returns what it is in.
fn busy() -> Option<(Running, BTreeSet<String>)> {
    let lab = up(BUSY)?;
    sh(&lab, "bob", "setsid sh -c 'trap \"\" TERM HUP; sleep 1000' >/dev/null 2>&1 & :");
    lab.node("bob").unwrap().command("sleep").arg("1000").spawn().unwrap();
    let networks = networks(&lab);
    assert_eq!(networks.len(), 3);
    Some((lab, networks))
}

/// What anyone may do.
mod anyone {
    use super::*;

    use std::net::{SocketAddr, UdpSocket};
    use std::os::fd::AsRawFd;
    use std::time::Duration;

    #[test]
    fn sockets_of_two_nodes_talk_over_the_wire_and_with_no_one_else() {
        let Some(lab) = up(PAIR) else { return };
        let (alice, bob) = (lab.node("alice").unwrap(), lab.node("bob").unwrap());
        let (one, other) = (alice.udp_socket("10.0.0.1:0").unwrap(), bob.udp_socket("10.0.0.2:53").unwrap());
        one.send_to(b"datagram", "10.0.0.2:53").unwrap();
        let mut buffer = [0; 16];
        let (length, from) = other.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..length], from), (&b"datagram"[..], one.local_addr().unwrap()));
        let own = fs::read_link("/proc/thread-self/ns/net").unwrap();
        assert!(!networks(&lab).contains(own.to_str().unwrap()), "the test is where it was");
        assert!(sh(&lab, "alice", "cat /proc/net/dev").contains("eth0:"));
    }

    #[test]
    fn a_connection_that_is_refused_or_not_answered_says_so_by_its_kind() {
        let filtered = format!("{PAIR}[node.bob]\nfilter = ['drop input tcp 9']\n");
        let Some(lab) = up(&filtered) else { return };
        let alice = lab.node("alice").unwrap();
        let error = alice.tcp_stream("10.0.0.2:8").unwrap_err();
        assert_eq!(error.to_string(), "`alice` cannot connect to 10.0.0.2:8: Connection refused");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let error = alice.tcp_stream_within("10.0.0.2:9", Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.to_string(), "`alice` cannot connect to 10.0.0.2:9: Connection timed out");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(alice.udp_socket("10.0.0.2:1").unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
        assert!(alice.tcp_stream("10.0.0.2").unwrap_err().to_string().starts_with("this is no address with a port: "));
    }

    #[test]
    fn a_packet_socket_sees_what_passes_on_the_wire() {
        let Some(lab) = up(PAIR) else { return };
        let (alice, bob) = (lab.node("alice").unwrap(), lab.node("bob").unwrap());
        // AF_PACKET, SOCK_DGRAM, ETH_P_IP
        let watch = bob.socket(17, 2, i32::from(0x0800_u16.to_be())).unwrap();
        let address: SocketAddr = "10.0.0.2:4242".parse().unwrap();
        alice.udp_socket("10.0.0.1:0").unwrap().send_to(b"seen by bob", address).unwrap();
        let watch = UdpSocket::from(watch);
        watch.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut packet = [0; 2048];
        let seen = until("the datagram in a packet", || {
            let length = nix::unistd::read(&watch, &mut packet).unwrap();
            packet[..length].ends_with(b"seen by bob").then_some(length)
        });
        assert_eq!(seen, 20 + 8 + 11);
        assert!(watch.as_raw_fd() > 2);
        let error = bob.socket(9999, 2, 0).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::libc::EAFNOSUPPORT), "{error}");
    }

    #[test]
    fn a_nodes_links_are_read_and_set_from_the_test() {
        let Some(lab) = up(PAIR) else { return };
        let mut socket = lab.node("alice").unwrap().netlink().unwrap();
        let links = socket.links(&vwire_netlink::LinkFilter::all()).unwrap();
        let eth0 = links.into_iter().find(|link| link.ifname.is_some_and(|name| name == "eth0")).unwrap();
        let smaller = vwire_netlink::Link { index: eth0.index, mtu: Some(1300), ..vwire_netlink::Link::default() };
        socket.request(&vwire_netlink::Request::set_link(&smaller)).unwrap();
        assert_eq!(sh(&lab, "alice", "cat /sys/class/net/eth0/mtu"), "1300");
    }

    #[test]
    fn a_test_that_is_busy_with_all_that_a_fork_copies_has_labs_as_well() {
        let Some(_) = up(PAIR) else { return };
        // Goes with the thread that has it, however that ends.
        let goes_on = std::sync::Arc::new(());
        // Memory, the environment, threads: each is under a lock, or between two states, most of the time.
        let memory = || drop((0..99).map(|size| vec![1_u8; size * 99]).collect::<Vec<_>>());
        let environment = || drop(std::env::vars_os().collect::<Vec<_>>());
        let threads = || drop(std::thread::spawn(|| vec![0_u8; 9999]).join().unwrap());
        let busy: [&(dyn Fn() + Sync); 3] = [&memory, &environment, &threads];
        std::thread::scope(|scope| {
            for body in busy {
                let goes_on = std::sync::Arc::downgrade(&goes_on);
                scope.spawn(move || {
                    while goes_on.strong_count() > 0 {
                        body();
                    }
                });
            }
            scope.spawn(move || {
                let _goes_on = goes_on;
                for _ in 0..20 {
                    let lab = Lab::from_toml(PAIR).unwrap().up().unwrap();
                    assert_eq!(sh(&lab, "alice", "echo $VWIRE_NODE"), "alice");
                }
            });
        });
    }

    #[test]
    fn labs_of_one_name_stand_beside_each_other_and_in_threads() {
        let Some(first) = up(PAIR) else { return };
        let _listener = first.node("bob").unwrap().tcp_listener("10.0.0.2:7").unwrap();
        // Held until all are told apart: the number of a namespace that is gone is given to another.
        let all: Vec<(vwire::scoped::Running, String)> = std::thread::scope(|scope| {
            let one = || {
                let lab = Lab::from_toml(PAIR).unwrap().up().unwrap();
                let listener = lab.node("bob").unwrap().tcp_listener("10.0.0.2:7").unwrap();
                let mut client = lab.node("alice").unwrap().tcp_stream("10.0.0.2:7").unwrap();
                client.write_all(b"x").unwrap();
                listener.accept().unwrap().0.read_exact(&mut [0]).unwrap();
                let network = sh(&lab, "alice", "readlink /proc/self/ns/net");
                (lab, network)
            };
            let threads: Vec<_> = (0..20).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let networks: BTreeSet<&str> = all.iter().map(|(_, network)| network.as_str()).collect();
        assert_eq!(networks.len(), 20, "each has a network of its own");
        assert!(first.node("alice").unwrap().tcp_stream("10.0.0.2:7").is_ok(), "the first is as it was");
    }

    #[test]
    fn programs_are_run_as_the_standard_library_runs_them() {
        let Some(lab) = up(PAIR) else { return };
        let alice = lab.node("alice").unwrap();
        let line = "read word; echo $word $GREETING $VWIRE_LAB $VWIRE_NODE; pwd; echo told >&2; exit 7";
        let mut command = alice.command("sh");
        command.args(["-c", line]).env("GREETING", "hello").current_dir("/");
        command.stdin(vwire::scoped::Stdio::Piped).stdout(vwire::scoped::Stdio::Piped);
        let mut child = command.stderr(vwire::scoped::Stdio::Null).spawn().unwrap();
        assert_eq!(child.try_wait().unwrap(), None);
        child.stdin.as_mut().unwrap().write_all(b"in\n").unwrap();
        let said = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stdout), "in hello lab alice\n/\n");
        assert_eq!((said.status.code(), said.stderr), (Some(7), Vec::new()));
        let error = alice.command("no-such-program").status().unwrap_err();
        assert_eq!(error.to_string(), "cannot run `no-such-program` in `alice`: No such file or directory");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let cleared = alice.command("env").env_clear().env("A", "1").env("B", "2").env_remove("A").output().unwrap();
        let shown = String::from_utf8(cleared.stdout).unwrap();
        assert_eq!(shown.lines().collect::<BTreeSet<_>>(), ["B=2", "VWIRE_LAB=lab", "VWIRE_NODE=alice"].into());
        assert_eq!(sh(&lab, "alice", "getent hosts bob | cut -d' ' -f1"), "10.0.0.2");
    }

    #[test]
    fn a_program_that_waits_is_killed_or_asked_to_end() {
        let Some(lab) = up(PAIR) else { return };
        let start = || lab.node("bob").unwrap().command("sleep").arg("1000").spawn().unwrap();
        use std::os::unix::process::ExitStatusExt;
        let (mut killed, mut asked) = (start(), start());
        killed.kill().unwrap();
        assert_eq!(killed.wait().unwrap().signal(), Some(nix::libc::SIGKILL));
        asked.signal(nix::libc::SIGTERM).unwrap();
        assert_eq!(until("its end", || asked.try_wait().unwrap()).signal(), Some(nix::libc::SIGTERM));
        assert_eq!(asked.wait().unwrap().signal(), Some(nix::libc::SIGTERM), "told again");
        killed.kill().unwrap();
        assert_eq!(killed.signal(999).unwrap_err().to_string(), "999 is no signal: Invalid argument");
    }

    #[test]
    fn what_says_much_on_both_streams_is_heard_out() {
        let Some(lab) = up(PAIR) else { return };
        let line = "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero";
        let said = lab.node("alice").unwrap().command("sh").args(["-c", line]).output().unwrap();
        assert_eq!((said.stdout.len(), said.stderr.len()), (300_000, 300_000));
    }

    #[test]
    fn checks_hold_or_tell_what_does_not() {
        let checked = format!("checks = ['alice reaches bob', 'bob must-not-reach alice']\n{PAIR}");
        let Some(lab) = up(&checked) else { return };
        let told = lab.check().unwrap_err().to_string();
        assert!(told.starts_with("bob must-not-reach alice: is answered after "), "{told}");
        let Some(lab) = up(&format!("checks = ['alice reaches bob']\n{PAIR}")) else { return };
        lab.check().unwrap();
    }

    #[test]
    fn a_lab_is_changed_under_a_connection_that_goes_on() {
        let Some(lab) = up(PAIR) else { return };
        let listener = lab.node("bob").unwrap().tcp_listener("10.0.0.2:7").unwrap();
        let mut client = lab.node("alice").unwrap().tcp_stream("10.0.0.2:7").unwrap();
        let mut server = listener.accept().unwrap().0;
        let longer = PAIR.replace("'bob']", "'bob', 'carol']").replace("/24']", "/24 mtu 1400', 'carol -- bob:eth1']");
        lab.apply(&Lab::from_toml(&longer).unwrap()).unwrap();
        assert_eq!(lab.names(), ["alice", "bob", "carol"]);
        assert!(sh(&lab, "alice", "cat /sys/class/net/eth0/mtu") == "1400");
        client.write_all(b"still").unwrap();
        let mut heard = [0; 5];
        server.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"still");
        let error = lab.apply(&Lab::from_toml("name = 'other'").unwrap()).unwrap_err();
        assert!(error.to_string().starts_with("lab `lab` cannot become lab `other`"), "{error}");
        let error = lab.apply(&Lab::from_toml(&format!("{PAIR}[node.bob]\nrun = ['false']\n")).unwrap()).unwrap_err();
        assert!(error.to_string().contains("`sh -c false` in `bob` failed: exit status: 1"), "{error}");
        assert_eq!(lab.names().len(), 3, "it is as it was");
        assert!(sh(&lab, "alice", "cat /sys/class/net/eth0/mtu") == "1400");
    }

    #[test]
    fn a_lab_that_does_not_come_up_says_why_and_where() {
        if up(PAIR).is_none() {
            return;
        }
        let text = format!("{PAIR}[node.bob]\nrun = ['echo no luck; exit 3']\n");
        let error = Lab::from_toml(&text).unwrap().up().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sh -c echo no luck; exit 3` in `bob` failed: exit status: 3\n \
             --> lab.toml:4:8\n4 | run = ['echo no luck; exit 3']\n  |        ^^^^^^^^^^^^^^^^^^^^^^\n\
             hint: it said at last: no luck"
        );
    }

    #[test]
    fn what_a_lab_takes_from_the_test_is_no_descriptor() {
        let (mut read, write) = io::pipe().unwrap();
        let Some(_lab) = up(PAIR) else { return };
        drop(write);
        assert_eq!(read.read(&mut [0]).unwrap(), 0, "no process of the lab holds the other end");
    }

    #[test]
    fn a_node_that_is_not_there_is_told_with_what_is_meant() {
        let Some(lab) = up(PAIR) else { return };
        let told = lab.node("alcie").unwrap_err().to_string();
        assert_eq!(told, "lab `lab` has no node `alcie`\nhint: did you mean `alice`?");
        let told = lab.node("zoe").unwrap_err().to_string();
        assert_eq!(told, "lab `lab` has no node `zoe`\nhint: its nodes are `alice`, `bob`");
        let told = lab.node("bob").unwrap().tuntap("tun0").unwrap_err().to_string();
        assert_eq!(told, "`bob` has no TUN or TAP device `tun0` in the lab's file");
    }

    #[test]
    fn a_guard_and_what_it_gives_may_be_used_from_any_thread() {
        fn shared<T: Send + Sync>() {}
        shared::<Running>();
        shared::<vwire::scoped::Node<'_>>();
        shared::<vwire::scoped::Child>();
        shared::<vwire::Error>();
    }

    /// For the test on what a test leaves that dies too early; its lab is never up, since `sleep` does not end.
    #[test]
    #[ignore = "a part of another test"]
    fn a_lab_is_never_quite_up() {
        let text =
            format!("{PAIR}[node.bob]\nrun = [{{ command = 'sleep 1000.{}', within = '30s' }}]\n", std::process::id());
        let told = Lab::from_toml(&text).unwrap().up().unwrap_err().to_string();
        assert!(told.contains("has not ended within 30s"), "{told}");
    }

    /// For the tests on what is left behind a process that dies; by itself, a lab that is up until its input ends.
    #[test]
    #[ignore = "a part of other tests"]
    fn a_lab_is_held_until_the_input_ends() {
        let (_lab, networks) = busy().expect("a lab can be had");
        println!("\nheld {}", networks.into_iter().collect::<Vec<_>>().join(" "));
        let _ = io::stdin().read(&mut [0]);
    }
}

#[test]
fn a_dropped_lab_leaves_no_process_and_no_namespace() {
    if !privileged() {
        return;
    }
    let before = fs::read_dir("/run/netns").map_or(0, Iterator::count);
    let (lab, networks) = busy().unwrap();
    assert!(processes_in(&networks).len() >= 5, "two processes hold it, three sleep");
    let names = || fs::read_dir("/run/netns").map_or(0, Iterator::count);
    assert_eq!(names(), before, "nothing is named on this machine");
    drop(lab);
    assert_eq!(processes_in(&networks), Vec::<String>::new());
}

#[test]
fn a_test_that_is_killed_leaves_no_process_and_no_namespace() {
    if !privileged() {
        return;
    }
    for signal in [nix::libc::SIGKILL, nix::libc::SIGABRT, nix::libc::SIGINT] {
        let mut child = other_test("a_lab_is_held_until_the_input_ends").spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let held = lines.map(Result::unwrap).find_map(|line| Some(line.strip_prefix("held ")?.to_owned())).unwrap();
        let networks: BTreeSet<String> = held.split(' ').map(str::to_owned).collect();
        assert!(processes_in(&networks).len() >= 5);
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::try_from(signal).unwrap()).unwrap();
        until("the end of all that was in the lab", || processes_in(&networks).is_empty().then_some(()));
        child.wait().unwrap();
    }
}

/// Makes a command of one of the tests that are a part of others.
fn other_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("scoped::anyone::{name}"), "--ignored", "--nocapture"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

#[test]
fn a_test_that_is_killed_while_its_lab_comes_up_leaves_nothing_either() {
    if !privileged() {
        return;
    }
    let mut child = other_test("a_lab_is_never_quite_up").spawn().unwrap();
    let words = format!("sleep\01000.{}\0", child.id());
    let found = || {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let is_it =
            |path: &std::path::PathBuf| fs::read(path.join("cmdline")).is_ok_and(|line| line == words.as_bytes());
        entries.map(|entry| entry.path()).find(is_it)
    };
    let path = until("the program that keeps the lab from being up", found);
    let network = fs::read_link(path.join("ns/net")).unwrap().to_str().unwrap().to_owned();
    child.kill().unwrap();
    until("its end", || found().is_none().then_some(()));
    until("the end of all beside it", || processes_in(&[network.clone()].into()).is_empty().then_some(()));
    child.wait().unwrap();
}

#[test]
fn a_lab_whose_processes_are_killed_is_gone_whole_and_the_test_is_told() {
    if !privileged() {
        return;
    }
    for which in [0, 1] {
        let (lab, networks) = busy().unwrap();
        let own = sh(&lab, "bob", "readlink /proc/1/ns/net");
        let mut holders: Vec<i32> = processes_in(&[own].into()).iter().map(|path| path[6..].parse().unwrap()).collect();
        holders.sort_unstable();
        assert_eq!(holders.len(), 2);
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(holders[which]), nix::sys::signal::SIGKILL).unwrap();
        until("the end of all that was in the lab", || processes_in(&networks).is_empty().then_some(()));
        let told = lab.node("bob").unwrap().udp_socket("10.0.0.2:0").unwrap_err().to_string();
        assert_eq!(told, "the lab's process has ended: the lab is gone");
    }
}

#[test]
fn a_ready_lab_comes_up_from_its_file_and_its_checks_hold() {
    if !privileged() {
        return;
    }
    let lab = Lab::from_file(top().join("labs/router.toml")).unwrap();
    assert_eq!(lab.name(), "router");
    lab.up().unwrap().check().unwrap();
}

/// Runs tests of this binary as an ordinary user, behind a line of the shell.
fn as_nobody(words: &str, prepare: &str) -> Option<String> {
    let mut told = None;
    lab(|net| {
        net.run(net.command("cp", &[std::env::current_exe().unwrap().to_str().unwrap(), "/run/it"])).ok();
        let script = format!("{prepare} exec /run/it {words} 2>&1");
        let mut command = net.command("sh", &["-c", &script]);
        // What is root's own on the way to programs would be refused before the next place is tried.
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.current_dir("/").uid(NOBODY).gid(NOBODY);
        told = Some(net.run(command).stdout);
    });
    told
}

#[test]
fn an_ordinary_user_can_do_all_of_it() {
    let Some(told) = as_nobody("scoped::anyone:: --nocapture --test-threads 2", "") else { return };
    if told.contains("cannot make a user namespace: ") {
        let _ = writeln!(io::stderr(), "SKIPPED an_ordinary_user_can_do_all_of_it: {told}");
        return;
    }
    assert!(told.contains("test result: ok. 1") && told.contains(" 0 failed"), "{told}");
    assert!(!told.contains("SKIPPED"), "{told}");
}

#[test]
fn a_machine_that_forbids_it_is_told_which_setting_to_change() {
    lab(|net| {
        // A user namespace whose own limit of further ones is 0.
        let script = "echo 0 > /proc/sys/user/max_user_namespaces; \
                      exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin \"$0\" --exact \
                      scoped::anyone::a_node_that_is_not_there_is_told_with_what_is_meant 2>&1";
        let own = std::env::current_exe().unwrap();
        let said = net.run(net.command("unshare", &["-Ur", "sh", "-c", script, own.to_str().unwrap()])).stdout;
        let told = "cannot make a user namespace: No space left on device\n\
                    hint: this machine has user.max_user_namespaces = 0; \
                    `sudo sysctl -w user.max_user_namespaces=15000` allows it\n";
        assert!(said.contains(told), "{said}");
    });
}

#[test]
fn the_other_end_of_a_tun_is_the_test() {
    if !privileged() {
        return;
    }
    let text = "[node.alice.tun.tun0]\naddress = '10.9.0.1/24'\n[node.alice.tap.tap0]\nvnet-hdr = true\n";
    let lab = up(text).unwrap();
    let alice = lab.node("alice").unwrap();
    let device = alice.tuntap("tun0").unwrap();
    assert_eq!(device.name().to_string(), "tun0");
    let socket = alice.udp_socket("10.9.0.1:0").unwrap();
    until("a way", || socket.send_to(b"to the test", "10.9.0.2:9").ok());
    let mut packet = [0; 2048];
    let seen = until("the datagram", || {
        let length = device.read(&mut packet).unwrap();
        packet[..length].ends_with(b"to the test").then_some(length)
    });
    assert_eq!(seen, 20 + 8 + 11);
    let told = alice.tuntap("tun0").unwrap_err().to_string();
    assert!(told.contains("in `alice`: cannot attach to `tun0`") && told.contains("busy"), "{told}");
    assert_eq!(alice.tuntap("tap0").unwrap().prefix_len(), 10, "its packets are headed as the file says");
}

#[test]
fn a_text_with_mistakes_is_shown_with_line_column_and_mark() {
    let error =
        Lab::from_toml("nodes = ['alice']\nwires = ['alice 10.0.0.1/24 -- bbo:eth0']\nchekcs = []\n").unwrap_err();
    let shown = format!("{error:?}");
    assert_eq!(shown, error.to_string());
    assert!(shown.contains(" --> lab.toml:3:1\n") && shown.contains("\n  | ^^^^^^"), "{shown}");
    assert!(error.problems().iter().any(|problem| (problem.line, problem.column) == (3, 1)));
    let error = Lab::from_file("/nosuch/lab.toml").unwrap_err();
    assert_eq!(error.to_string(), "cannot read `/nosuch/lab.toml`: No such file or directory");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn the_machine_itself_is_no_part_of_a_lab_in_a_test() {
    let error = Lab::from_toml("wires = ['host:v0 10.0.0.1/24 -- alice']\n[node.alice]\n").unwrap().up().unwrap_err();
    let told = error.to_string();
    assert!(
        told.starts_with("`host` is the machine itself, which a lab in a test leaves alone\n --> lab.toml:1:"),
        "{told}"
    );
}

#[test]
fn the_guide_shows_the_test_that_is_run() {
    let guide = fs::read_to_string(top().join("docs/guide.md")).unwrap();
    let example = include_str!("scoped_example.rs");
    let (_, example) = example.split_once("\n\n").unwrap();
    assert!(guide.contains(&format!("```rust\n{example}```")), "docs/guide.md does not show scoped_example.rs");
}
