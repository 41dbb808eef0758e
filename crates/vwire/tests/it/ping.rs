//! `vwire ping` between two namespaces, next to the system's `ping`, which must print the same.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{Lab, Said, lab, until};

/// `nobody`: a user, and a group, without any privilege.
const NOBODY: u32 = 65_534;

/// Wires this namespace's `ep1` (10.0.0.1, fd00::1, fe80::1) to `ep2` in `far` (10.0.0.2, fd00::2, fe80::2).
fn wire(net: &Lab) {
    net.arrange(&[
        "netns add far",
        "link add ep1 type veth peer name ep2 netns far",
        "link set lo up",
        "link set ep1 addrgenmode none",
        "-n far link set ep2 addrgenmode none",
        "addr add 10.0.0.1/24 dev ep1",
        "-n far addr add 10.0.0.2/24 dev ep2",
        "addr add fd00::1/64 dev ep1 nodad",
        "addr add fe80::1/64 dev ep1 nodad",
        "-n far addr add fd00::2/64 dev ep2 nodad",
        "-n far addr add fe80::2/64 dev ep2 nodad",
        "link set ep1 up",
        "-n far link set ep2 up",
    ]);
    // Unanswered questions for neighbours are given up after 0.3 s in the place of 3 s; errors are not held back.
    set("ipv4/neigh/ep1/retrans_time_ms", "100");
    set("ipv6/neigh/ep1/retrans_time_ms", "100");
    set("ipv4/icmp_ratelimit", "0");
    until("both ends are up, their addresses no longer tentative", || {
        let ready = |more: &[&str]| {
            let link = net.ip(&[more, &["-o", "link", "show", "type", "veth"]].concat()).ok();
            let addresses = net.ip(&[more, &["-6", "-o", "addr", "show"]].concat()).ok();
            link.contains("state UP") && !addresses.contains("tentative")
        };
        (ready(&[]) && ready(&["-n", "far"])).then_some(())
    });
}

/// Writes a sysctl of the lab.
fn set(name: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/{name}"), value).unwrap_or_else(|error| panic!("{name}: {error}"));
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn vwire_ping(net: &Lab, line: &str) -> Said {
    net.vwire(&[&["ping"][..], &words(line)].concat())
}

/// Returns the last line of what `vwire ping` printed.
fn last_line(said: &Said) -> &str {
    said.stdout.lines().last().unwrap_or_default()
}

/// A user's copy of the program, since the user may not look into where it was built.
fn program_for_users() -> &'static str {
    const COPY: &str = "/run/vwire";
    if std::fs::metadata(COPY).is_err() {
        std::fs::copy(env!("CARGO_BIN_EXE_vwire"), COPY).unwrap();
        // A test beside this one may just start a program, whose process inherits the copy while it is written.
        until("the copy can be run", || Command::new(COPY).arg("-V").output().ok());
    }
    COPY
}

fn as_nobody(mut command: Command) -> Command {
    command.uid(NOBODY).gid(NOBODY);
    command
}

/// Cuts times out of what a ping printed, and hints and the last line, which only vwire prints.
fn comparable(said: &Said) -> String {
    let cut = |line: &str, from: &str, to: &str| match line.split_once(from) {
        Some((before, after)) => {
            let rest = after.find(to).map_or("", |end| &after[end..]);
            format!("{before}{from}T{rest}")
        }
        None => line.to_owned(),
    };
    let mut text = String::new();
    let ours = |line: &&str| !line.starts_with("arrived: ") && !line.starts_with("did not arrive: ");
    for line in said.stdout.lines().filter(ours) {
        let line = cut(&cut(line, " time=", " ms"), ", time ", "ms");
        text += &(cut(&line, "mdev = ", " ms") + "\n");
    }
    for line in said.stderr.lines().filter(|line| !line.starts_with("hint: ")) {
        text += &format!("! {line}\n");
    }
    format!("{text}= {}\n", said.exit)
}

/// Runs the same line with the system's `ping` and with vwire's and wants the same text.
#[track_caller]
fn same(net: &Lab, line: &str, user: bool) {
    let run = |program: &str, before: &[&str]| {
        let command = net.command(program, &[before, &words(line)].concat());
        net.run(if user { as_nobody(command) } else { command })
    };
    let program = if user { program_for_users() } else { env!("CARGO_BIN_EXE_vwire") };
    let ours = comparable(&run(program, &["ping"]));
    let theirs = comparable(&run("ping", &[]));
    assert_eq!(ours, theirs, "left: vwire, right: ping; {line}");
}

/// What every release of iputils prints alike.
const ALIKE: &[&str] = &[
    "-c 2 -i 0.2 10.0.0.2",
    "-c 1 -I ep1 10.0.0.2",
    "-c 1 -I 10.0.0.1 10.0.0.2",
    "-c 1 -I 10.0.0.1 -I ep1 10.0.0.2",
    "-c 1 -I ep1 10.0.0.1",
    "-c 3 -i 0.002 -q 10.0.0.2",
    "-c 1 -s 0 10.0.0.2",
    "-c 1 -s 8 10.0.0.2",
    "-c 1 -s 16 10.0.0.2",
    "-c 1 -s 4000 10.0.0.2",
    "-c 1 -s 65507 10.0.0.2",
    "-c 1 -s 65508 10.0.0.2",
    "-c 1 -t 3 10.0.0.2",
    "-c 2 -w 1 10.0.0.2",
    "-n -c 1 0",
    "-c 1 10.2",
    "-c 1 fd00::2",
    "-c 1 -I ep1 fd00::2",
    "-c 1 -I fd00::1 fd00::2",
    "-c 1 fe80::2%ep1",
    "-c 2 -i 0.2 -W 5 10.0.0.77",
    "-c 2 -i 0.2 -W 5 fd00::77",
    "-c 1 10.1.0.2",
    "-c 1 fd11::1",
    "-c 1 -I nosuch 10.0.0.2",
    "-c 1 -I nosuch fd00::2",
    "-c 1 -I 10.0.0.99 10.0.0.2",
    "-c 1 -I fd00::99 fd00::2",
    "-c 1 -6 10.0.0.2",
    "-c 1 -4 fd00::2",
    "-c 1 10.0.0.255",
    "-c x 10.0.0.2",
    "-t 256 10.0.0.2",
    "-c 0 10.0.0.2",
];

#[test]
fn root_reads_what_ping_prints() {
    lab(|net| {
        wire(net);
        for line in ALIKE {
            same(net, line, false);
        }
    });
}

#[test]
fn a_user_reads_the_same_through_a_datagram_socket() {
    lab(|net| {
        wire(net);
        set("ipv4/ping_group_range", &format!("{NOBODY} {NOBODY}"));
        for line in ALIKE {
            same(net, line, true);
        }
    });
}

#[test]
fn a_user_who_may_not_ping_is_told_what_is_missing() {
    lab(|net| {
        wire(net);
        set("ipv4/ping_group_range", "1 0");
        let said = net.run(as_nobody(net.command(program_for_users(), &["ping", "-c", "1", "10.0.0.2"])));
        let text = said.fails(2);
        assert!(text.starts_with("ping: socket: Operation not permitted\nhint: "), "{text}");
        assert!(text.contains("net.ipv4.ping_group_range, which is `1 0`") && text.contains("CAP_NET_RAW"), "{text}");
    });
}

#[test]
fn the_last_line_says_that_all_arrived() {
    lab(|net| {
        wire(net);
        let said = vwire_ping(net, "-c 3 -i 0.01 -I ep1 10.0.0.2");
        assert_eq!((last_line(&said), said.exit), ("arrived: 3 of 3, in order, from 10.0.0.2", 0));
        let quiet = vwire_ping(net, "-q -c 1 fe80::2%ep1");
        assert_eq!(last_line(&quiet), "arrived: 1 of 1, from fe80::2%ep1");
    });
}

#[test]
fn the_last_line_says_who_said_what_about_what_did_not_arrive() {
    lab(|net| {
        wire(net);
        let said = vwire_ping(net, "-c 2 -i 0.1 10.0.0.77");
        let wanted = "did not arrive: icmp_seq 1-2; 10.0.0.1 (this machine) said Destination Host Unreachable: \
                      nobody answered ARP for 10.0.0.77";
        assert_eq!((last_line(&said), said.exit), (wanted, 1));
        net.arrange(&["route add 10.7.0.0/16 via 10.0.0.2", "-n far route add prohibit 10.7.0.0/16"]);
        net.ip(&["netns", "exec", "far", "sysctl", "-qw", "net.ipv4.ip_forward=1"]).ok();
        let said = vwire_ping(net, "-c 1 10.7.0.1");
        let wanted = "did not arrive: icmp_seq 1; 10.0.0.2 said Packet filtered: a filter there rejects it";
        assert_eq!((last_line(&said), said.exit), (wanted, 1));
    });
}

#[test]
fn packets_that_vanish_are_named() {
    lab(|net| {
        wire(net);
        let command = net.command(env!("CARGO_BIN_EXE_vwire"), &words("ping -i 0.02 10.0.0.2"));
        let mut running = net.start(command);
        let mut lines: Vec<String> = (0..3).map(|_| running.line()).collect();
        net.arrange(&["-n far addr del 10.0.0.2/24 dev ep2"]);
        let sent = || std::fs::read_to_string("/sys/class/net/ep1/statistics/tx_packets").unwrap();
        let before: u64 = sent().trim().parse().unwrap();
        until("packets went unanswered", || (sent().trim().parse::<u64>().ok()? > before + 5).then_some(()));
        net.arrange(&["-n far addr add 10.0.0.2/24 dev ep2"]);
        until("packets are answered again", || {
            lines.push(running.line());
            numbers(&lines).windows(2).any(|pair| pair[1] > pair[0] + 1).then_some(())
        });
        let seen = interrupt(&mut running, &mut lines);
        let last = lines.last().unwrap();
        assert!(last.starts_with("arrived: "), "{last}");
        let missing = last.split("did not arrive: icmp_seq ").nth(1).unwrap().split(';').next().unwrap();
        let gap = seen.windows(2).find(|pair| pair[1] > pair[0] + 1).unwrap();
        let wanted = format!("{}-{}", gap[0] + 1, gap[1] - 1);
        // The packet of the last moment may be on its way still.
        assert!(missing == wanted || missing.starts_with(&format!("{wanted}, ")), "{missing}, not {wanted}");
        assert!(last.ends_with("no answer and no error came back"), "{last}");
    });
}

/// Presses Ctrl-C, reads all that follows, and returns the sequence numbers that were answered.
fn interrupt(running: &mut crate::lab::Running, lines: &mut Vec<String>) -> Vec<u64> {
    kill(Pid::from_raw(i32::try_from(running.child.id()).unwrap()), Signal::SIGINT).unwrap();
    until("the last line", || {
        lines.push(running.line());
        lines.last().filter(|line| line.starts_with("arrived: ")).map(|_| ())
    });
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
    numbers(lines)
}

fn numbers(lines: &[String]) -> Vec<u64> {
    let number = |line: &String| line.split("icmp_seq=").nth(1)?.split(' ').next()?.parse().ok();
    lines.iter().filter(|line| line.contains(" bytes from ")).filter_map(number).collect()
}

#[test]
fn ctrl_c_ends_with_the_statistics() {
    lab(|net| {
        wire(net);
        let mut command = net.command(env!("CARGO_BIN_EXE_vwire"), &words("ping -I ep1 10.0.0.2"));
        command.stderr(Stdio::null());
        let mut running = net.start(command);
        let mut lines = vec![running.line(), running.line()];
        let seen = interrupt(&mut running, &mut lines);
        let statistics = "--- 10.0.0.2 ping statistics ---";
        assert!(lines.iter().any(|line| line == statistics), "{lines:?}");
        let count = seen.len();
        let wanted = if count == 1 { "1 of 1,".to_owned() } else { format!("{count} of {count}, in order,") };
        assert_eq!(lines.last().unwrap(), &format!("arrived: {wanted} from 10.0.0.2"));
    });
}

#[test]
fn all_nodes_of_a_link_answer_and_are_named() {
    lab(|net| {
        wire(net);
        let said = vwire_ping(net, "-c 2 -i 0.2 -I ep1 ff02::1");
        let last = last_line(&said);
        assert!(last.contains("fe80::1%ep1") && last.contains("fe80::2%ep1"), "{}", said.stdout);
    });
}

#[test]
fn a_link_local_address_needs_a_device_only_where_there_are_several() {
    lab(|net| {
        wire(net);
        let said = vwire_ping(net, "-c 1 fe80::2");
        assert_eq!(said.exit, 0, "{}", said.stderr);
        net.arrange(&["link add d0 type veth peer name d1", "link set d0 up", "addr add fe80::d/64 dev d0 nodad"]);
        let text = vwire_ping(net, "-c 1 fe80::2").fails(2);
        let wanted = "ping: fe80::2: a link-local address needs its device\nhint: ";
        assert!(text.starts_with(wanted) && text.contains("vwire ping fe80::2%"), "{text}");
        assert_eq!(vwire_ping(net, "-c 1 -I ep1 fe80::2").exit, 0);
        assert_eq!(vwire_ping(net, "-c 1 -I fe80::1%ep1 fe80::2").exit, 0);
    });
}

#[test]
fn errors_come_with_a_hint() {
    lab(|net| {
        wire(net);
        let lines = ["-I nosuch 10.0.0.2", "-I 10.0.0.99 10.0.0.2", "10.1.0.2", "10.0.0.255", "-f 10.0.0.2", "-c x y"];
        for line in lines {
            let said = vwire_ping(net, line);
            let mut lines = said.stderr.lines();
            assert!(lines.next().is_some_and(|line| line.starts_with("ping: ")), "{line}: {}", said.stderr);
            assert!(lines.next().is_none_or(|line| line.starts_with("hint: ")), "{line}: {}", said.stderr);
            assert!(said.exit == 2 || line == "-c x y");
        }
    });
}

#[test]
fn the_namespace_that_is_named_is_pinged_from() {
    lab(|net| {
        wire(net);
        let said = net.vwire(&["-n", "far", "ping", "-c", "1", "-I", "ep2", "10.0.0.1"]);
        assert_eq!(last_line(&said), "arrived: 1 of 1, from 10.0.0.1");
        assert!(said.stdout.starts_with("PING 10.0.0.1 (10.0.0.1) from 10.0.0.2 ep2: 56(84) bytes"), "{}", said.stdout);
        let text = net.vwire(&["-n", "nosuch", "ping", "10.0.0.1"]).fails(2);
        assert!(text.starts_with("ping: cannot open network namespace `nosuch`: No such file"), "{text}");
    });
}

#[test]
fn json_is_one_document_and_nothing_else() {
    lab(|net| {
        wire(net);
        let document = vwire_ping(net, "-j -c 2 -i 0.01 -I ep1 10.0.0.2").ok();
        let start = r#"{"target":"10.0.0.2","name":"10.0.0.2","source":"10.0.0.1","device":"ep1","from":["10.0.0.2"],"#;
        let middle = r#""transmitted":2,"received":2,"duplicates":0,"loss_percent":0,"missing":[],"#;
        assert!(document.starts_with(&format!("{start}{middle}")), "{document}");
        assert!(document.ends_with("}}\n") && document.lines().count() == 1, "{document}");
        let unheard = vwire_ping(net, "-j -c 1 10.0.0.77");
        assert!(unheard.stdout.contains(r#""missing":[1]"#) && unheard.exit == 1, "{}", unheard.stdout);
        assert!(unheard.stdout.contains(r#""from":"10.0.0.1","this_machine":true,"#), "{}", unheard.stdout);
        assert!(unheard.stdout.contains(r#""rtt":null"#), "{}", unheard.stdout);
    });
}
