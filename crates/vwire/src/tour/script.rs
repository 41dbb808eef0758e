//! The tour as data: what is typed, what it must show, and what is said about it. Pure.
//!
//! Play it with the verb `tour`. A command that does not show what the script expects is a step
//! that did not behave, and the tour says so at its end.

use std::net::Ipv4Addr;

use super::program::Program;
use super::responder::Host;

/// A part of the tour, about one thing.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Its title.
    pub title: &'static str,
    /// What it has shown if all went as it should.
    pub shown: &'static str,
    /// What happens in it.
    pub acts: Vec<Act>,
}

/// One thing that happens.
#[derive(Debug, Clone)]
pub enum Act {
    /// A command is typed; its output is shown and held against what is expected.
    Type(Command),
    /// A program opens a device and goes on running.
    Start {
        /// The device.
        device: &'static str,
        /// The program.
        program: Program,
        /// What is said of it, as in "a program opens tap0".
        words: &'static str,
    },
    /// A running program tells what it saw, and that must be so.
    Ask {
        /// The device that it is on.
        device: &'static str,
        /// What it must have seen.
        saw: Saw,
    },
    /// A running program closes its device.
    Stop {
        /// The device.
        device: &'static str,
        /// What is said of it.
        words: &'static str,
    },
    /// A sentence.
    Say(&'static str),
}

/// A command and what it must show.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The words behind `vwire`, as people type them.
    pub line: &'static str,
    /// The exit code.
    pub exit: u8,
    /// What the output must have.
    pub shows: &'static [&'static str],
    /// What the output must not have.
    pub hides: &'static [&'static str],
    /// Whether the state that the command shows may take a moment to come about.
    pub settles: bool,
    /// Whether it is run without being shown: preparations that would only distract.
    pub quiet: bool,
}

/// What a program must have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saw {
    /// It answered at least this many packets.
    Answered(usize),
    /// A question for this address was broadcast.
    QuestionFor(Ipv4Addr),
}

impl Command {
    /// Says what is wrong with the outcome of the command, if anything.
    #[must_use]
    pub fn complaint(&self, exit: u8, output: &str) -> Option<String> {
        if exit != self.exit {
            return Some(format!("it ended with exit code {exit}, not {}", self.exit));
        }
        if let Some(missing) = self.shows.iter().find(|words| !output.contains(**words)) {
            return Some(format!("it did not show `{}`", missing.trim()));
        }
        let extra = self.hides.iter().find(|words| output.contains(**words))?;
        Some(format!("it showed `{}`", extra.trim()))
    }
}

/// A command that must succeed.
fn run(line: &'static str) -> Act {
    Act::Type(Command { line, ..Command::default() })
}

/// A command that must show some words.
fn shows(line: &'static str, shows: &'static [&'static str]) -> Act {
    Act::Type(Command { line, shows, settles: true, ..Command::default() })
}

/// A command that the reader is spared.
fn quietly(line: &'static str) -> Act {
    Act::Type(Command { line, quiet: true, ..Command::default() })
}

/// The address of the machine that the program on tap0 plays.
const MACHINE: Host = Host { mac: [0x02, 0, 0, 0, 0, 0x50], address: Ipv4Addr::new(10, 2, 0, 50) };
/// An address that nobody has.
const NOBODY: Ipv4Addr = Ipv4Addr::new(10, 2, 0, 77);

/// Returns the whole tour, or what of it can be played where `/dev/net/tun` may not be opened.
#[must_use]
pub fn scenes(tun_opens: bool) -> Vec<Scene> {
    if tun_opens {
        vec![devices(), tap(), tun(), cable_in_one_namespace(), cable_in_two(), bridge(), end(true)]
    } else {
        vec![devices(), cable_in_one_namespace(), cable_in_two(), bridge_of_cables(), end(false)]
    }
}

fn devices() -> Scene {
    Scene {
        title: "What is there: the devices of a system",
        shown: "a new namespace has one device, lo, and lo starts DOWN",
        acts: vec![
            shows("ls", &["lo", "loopback"]),
            Act::Say(
                "A network device is whatever the kernel can hand packets to: a network card, or a piece of software \
                 that plays one. This sandbox has its own network namespace, and a new namespace has one device: lo, \
                 the way of a machine to itself. Even that starts DOWN.",
            ),
            run("link set lo up"),
            shows("link show", &["lo: <LOOPBACK,UP,LOWER_UP>"]),
            Act::Say("`vwire link` speaks as `ip link` does, to the letter; so do addr, tuntap and netns."),
        ],
    }
}

fn tap() -> Scene {
    Scene {
        title: "TAP: a network card whose cable ends in a program",
        shown: "tap0 was DOWN until it was switched on and a program opened it",
        acts: vec![
            run("tuntap add name tap0 mode tap"),
            shows("link show tap0", &["state DOWN"]),
            Act::Say(
                "Why is tap0 DOWN? For two reasons, as for any card. Nobody has switched it on: UP is missing between \
                 < and >. And nobody has plugged in the cable.",
            ),
            run("link set tap0 up"),
            shows("link show tap0", &["NO-CARRIER", "state DOWN"]),
            Act::Say(
                "Now it is switched on, and says NO-CARRIER: the cable of a TAP is plugged in when a program opens it \
                 through /dev/net/tun. A virtual machine does that, or this program:",
            ),
            Act::Start { device: "tap0", program: Program::Watch, words: "a program opens tap0" },
            shows("link show tap0", &["LOWER_UP", "state UP"]),
            shows("ls", &["tap0", "(pid "]),
            Act::Say("LOWER_UP: there is a carrier, and the state is UP. vwire ls tells who holds the other end."),
            Act::Stop { device: "tap0", words: "the program closes tap0: the carrier goes" },
            shows("link show tap0", &["NO-CARRIER"]),
        ],
    }
}

fn tun() -> Scene {
    Scene {
        title: "TUN: a program in the place of the network",
        shown: "a program on tun0 read two pings as bare IP packets and answered them",
        acts: vec![
            run("tuntap add name tun0 mode tun"),
            run("addr add 10.9.0.1/24 dev tun0"),
            run("link set tun0 up"),
            Act::Start {
                device: "tun0",
                program: Program::Echo,
                words: "a program opens tun0; it answers every ping it reads",
            },
            shows("address show dev tun0", &["inet 10.9.0.1/24", "LOWER_UP"]),
            shows("ping -c 2 -i 0.2 10.9.0.2", &["2 packets transmitted, 2 received", "arrived: 2 of 2"]),
            Act::Ask { device: "tun0", saw: Saw::Answered(2) },
            Act::Say(
                "No machine has the address 10.9.0.2. The kernel routed the ping into tun0, a program read it as a \
                 bare IP packet (layer 3), turned it round and wrote it back. A VPN stands in that very place: it \
                 encrypts the packet before it goes on the wire, and the other side writes it into a TUN of its own. \
                 A TAP would have carried whole Ethernet frames (layer 2).",
            ),
            Act::Stop { device: "tun0", words: "the program closes tun0" },
        ],
    }
}

fn cable_in_one_namespace() -> Scene {
    Scene {
        title: "veth: the patch cable, and why both ends in one namespace go wrong",
        shown: "with both ends in one namespace, ping took lo, or failed on the cable",
        acts: vec![
            run("link add ep1 type veth peer name ep2"),
            run("addr add 10.0.0.10/24 dev ep1"),
            run("addr add 10.0.0.11/24 dev ep2"),
            run("link set ep1 up"),
            run("link set ep2 up"),
            shows("address show dev ep1", &["ep1@ep2", "inet 10.0.0.10/24", "state UP"]),
            Act::Say("What goes in at ep1 comes out at ep2, and back. But watch a ping to the other end:"),
            shows("ping -c 2 -i 0.2 10.0.0.11", &["2 received"]),
            shows("-s link show lo", &["lo:"]),
            Act::Say(
                "It arrived, and never touched the cable: 10.0.0.11 is an address of this namespace itself, so the \
                 kernel took the short way through lo, whose counters moved. Force it onto the cable:",
            ),
            Act::Type(Command {
                line: "ping -c 1 -W 1 -I ep1 10.0.0.11",
                exit: 1,
                shows: &["0 received"],
                ..Command::default()
            }),
            Act::Say(
                "Nothing. The question for 10.0.0.11 (ARP) came out at ep2, from a sender that this same namespace \
                 believes to be itself; a host does not answer its own address coming in from outside. A cable needs \
                 two hosts.",
            ),
        ],
    }
}

fn cable_in_two() -> Scene {
    Scene {
        title: "veth between two namespaces: two hosts and a cable",
        shown: "with the ends in two namespaces, ping crossed the cable",
        acts: vec![
            run("netns add blue"),
            run("link set ep2 netns blue"),
            run("-n blue addr add 10.0.0.11/24 dev ep2"),
            run("-n blue link set ep2 up"),
            shows("link show ep1", &["link-netns blue", "state UP"]),
            shows("ping -c 2 -i 0.2 -I ep1 10.0.0.11", &["2 packets transmitted, 2 received", "arrived: 2 of 2"]),
            shows("ls", &["ep2 in blue"]),
            Act::Say(
                "The same ping, now across: a namespace has devices, addresses and routes of its own, as another \
                 machine would. Moving ep2 took its address away; that is why it was given again. Containers are \
                 wired this way.",
            ),
        ],
    }
}

fn bridge() -> Scene {
    Scene {
        title: "A bridge: a switch that TAPs and veths plug into",
        shown: "a broadcast on br0 was seen on all ports; a TAP and a veth talked through it",
        acts: vec![
            run("link add br0 type bridge"),
            run("addr add 10.2.0.1/24 dev br0"),
            run("link set tap0 master br0"),
            run("tuntap add name tap1 mode tap"),
            run("link set tap1 master br0 up"),
            run("netns add green"),
            run("link add ep3 master br0 type veth peer name ep4 netns green"),
            run("link set ep3 up"),
            run("link set br0 up"),
            run("-n green addr add 10.2.0.2/24 dev ep4"),
            run("-n green link set ep4 up"),
            Act::Start {
                device: "tap0",
                program: Program::Host(MACHINE),
                words: "a program opens tap0 and plays a machine with the address 10.2.0.50",
            },
            Act::Start { device: "tap1", program: Program::Watch, words: "another opens tap1 and only listens" },
            Act::Type(Command {
                line: "link show master br0",
                shows: &["tap0", "tap1", "ep3@"],
                // The state follows the carrier a moment later.
                hides: &["NO-CARRIER", "state DOWN", "LOWERLAYERDOWN"],
                settles: true,
                ..Command::default()
            }),
            shows("-n green ping -c 2 -i 0.2 10.2.0.1", &["2 received"]),
            shows("-n green ping -c 2 -i 0.2 10.2.0.50", &["2 received"]),
            Act::Say(
                "From green, through the cable and the bridge: to the bridge itself, and to the machine behind tap0, \
                 which is this program.",
            ),
            Act::Type(Command {
                line: "-n green ping -c 1 -W 1 10.2.0.77",
                exit: 1,
                shows: &["0 received"],
                ..Command::default()
            }),
            Act::Ask { device: "tap0", saw: Saw::QuestionFor(NOBODY) },
            Act::Ask { device: "tap1", saw: Saw::QuestionFor(NOBODY) },
            Act::Say(
                "Nobody has 10.2.0.77. To find out, green asked everybody: a broadcast, which the bridge sends out of \
                 all its ports. Both programs saw the question, on two different TAPs.",
            ),
            shows("ls", &["ep4 in green", "ep2 in blue", "(pid "]),
            shows("-n green ls", &["ep4", "ep3 in"]),
            Act::Say("`vwire ls --all` shows all namespaces of a machine so, one below the other."),
        ],
    }
}

/// The bridge for who cannot have TAPs: three cables to three hosts.
fn bridge_of_cables() -> Scene {
    Scene {
        title: "A bridge: a switch that cables plug into",
        shown: "two namespaces talked through br0, and a broadcast reached both",
        acts: vec![
            run("link add br0 type bridge"),
            run("addr add 10.2.0.1/24 dev br0"),
            run("link set br0 up"),
            run("netns add green"),
            run("netns add red"),
            run("link add ep3 master br0 type veth peer name ep4 netns green"),
            run("link add ep5 master br0 type veth peer name ep6 netns red"),
            run("link set ep3 up"),
            run("link set ep5 up"),
            run("-n green addr add 10.2.0.2/24 dev ep4"),
            run("-n green link set ep4 up"),
            run("-n red addr add 10.2.0.3/24 dev ep6"),
            run("-n red link set ep6 up"),
            Act::Type(Command {
                line: "link show master br0",
                shows: &["ep3@", "ep5@"],
                hides: &["NO-CARRIER", "state DOWN", "LOWERLAYERDOWN"],
                settles: true,
                ..Command::default()
            }),
            shows("-n green ping -c 2 -i 0.2 10.2.0.1", &["2 received"]),
            shows("-n green ping -c 2 -i 0.2 10.2.0.3", &["2 received"]),
            Act::Say(
                "Before each first ping, green asked everybody who has the address (ARP): a broadcast, which the \
                 bridge sends out of all its ports. That both answered shows that both were asked.",
            ),
            shows("ls", &["ep4 in green", "ep6 in red"]),
        ],
    }
}

fn end(tun_opens: bool) -> Scene {
    let mut acts = vec![
        run("link del ep1"),
        Act::Say("One end of a cable takes the other with it: ep2 is gone from blue as well."),
        Act::Type(Command { line: "-n blue link show", hides: &["ep2"], settles: true, ..Command::default() }),
        run("-all netns del"),
        run("link del br0"),
    ];
    if tun_opens {
        acts.insert(0, Act::Stop { device: "tap0", words: "the programs close their devices" });
        acts.insert(1, Act::Stop { device: "tap1", words: "" });
        acts.push(run("tuntap del name tap0 mode tap"));
        acts.push(quietly("tuntap del name tap1 mode tap"));
        acts.push(quietly("tuntap del name tun0 mode tun"));
    }
    acts.push(Act::Type(Command {
        line: "ls",
        shows: &["lo"],
        hides: &["tap0", "tap1", "tun0", "br0", "ep1", "ep3", "ep5"],
        settles: true,
        ..Command::default()
    }));
    Scene { title: "And all of it gone again", shown: "everything that was made is gone", acts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_held_against_what_is_expected() {
        let command = Command { line: "link", shows: &["lo"], hides: &["tap0"], ..Command::default() };
        assert_eq!(command.complaint(0, "1: lo: <LOOPBACK>"), None);
        assert_eq!(command.complaint(2, "1: lo"), Some("it ended with exit code 2, not 0".to_owned()));
        assert_eq!(command.complaint(0, "nothing"), Some("it did not show `lo`".to_owned()));
        assert_eq!(command.complaint(0, "lo tap0"), Some("it showed `tap0`".to_owned()));
    }

    #[test]
    fn every_program_that_starts_is_stopped_or_ends_with_the_tour() {
        let acts: Vec<Act> = scenes(true).into_iter().flat_map(|scene| scene.acts).collect();
        let mut open: Vec<&str> = Vec::new();
        for act in &acts {
            match act {
                Act::Start { device, .. } => open.push(device),
                Act::Stop { device, .. } => open.retain(|other| other != device),
                Act::Ask { device, .. } => assert!(open.contains(device), "nobody runs on {device}"),
                Act::Type(_) | Act::Say(_) => {}
            }
        }
        assert_eq!(open, [] as [&str; 0]);
    }

    #[test]
    fn without_tun_nothing_is_about_it() {
        for act in scenes(false).into_iter().flat_map(|scene| scene.acts) {
            match act {
                Act::Type(command) => assert!(!command.line.contains("tap"), "{}", command.line),
                Act::Say(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}
