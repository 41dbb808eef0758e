//! What vwire asks of the kernel, byte for byte what `ip` and `bridge` ask: also where this kernel has no driver for it.
//!
//! `strace` shows what each sends. Of each message that changes or asks for one thing, the header, the fixed part and the
//! attributes are compared; attributes of different numbers may stand in another order, which the kernel does not mind. The
//! commands are in `tests/compat/requests.txt`. What a newer judge sent is kept in `tests/recorded`.

use std::fmt::Write as _;
use std::fs;

use crate::compat::directory;
use crate::lab::{Lab, Who, assert_alike, judge, lab, split};
use crate::recorded::Recorded;

/// The devices that the commands name, made in this order, so that their indexes are known.
const DEVICES: &[&str] = &[
    "link add br0 index 11 address 02:00:00:00:00:0a type bridge",
    "link add v0 index 12 address 02:00:00:00:00:01 type veth peer name v1 index 13 address 02:00:00:00:00:02",
    "link set v1 master br0",
    "link add x0 index 14 address 02:00:00:00:00:0c type vxlan id 5 dstport 4789 local 10.0.0.1",
    "link add link v0 m0 index 15 address 02:00:00:00:00:0e type macvlan mode source",
];

/// Types of messages that change something, or ask for one thing, and the length of what stands before their attributes.
const TYPES: [(u16, usize); 13] = [
    (16, 16),
    (17, 16),
    (19, 16),
    (28, 12),
    (29, 12),
    (30, 12),
    (84, 8),
    (85, 8),
    (86, 8),
    (112, 8),
    (113, 8),
    (120, 8),
    (121, 8),
];
/// `NLMSG_HDRLEN`.
const HEADER: usize = 16;
/// `sizeof(struct ifinfomsg)`.
const LINK_HEADER: usize = 16;
/// `NLM_F_ACK`.
const ACK: u16 = 4;
/// `NLM_F_DUMP`.
const DUMP: u16 = 0x300;

#[test]
fn what_is_asked_of_the_kernel_is_what_ip_asks() {
    let text = fs::read_to_string(directory().join("requests.txt")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let recorded = Recorded::of("what_is_asked_of_the_kernel_is_what_ip_asks");
    lab(|net| {
        net.arrange(DEVICES);
        let mut differences = String::new();
        for line in lines {
            let ours = asked(net, Who::VwireAsIp, line);
            // Each line for itself, so that all that differ are told.
            let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                assert!(ours.contains("type "), "{line}: nothing is asked\n{ours}");
                recorded.hold(&ours, || Some(asked(net, Who::Ip, line)));
            }));
            if judged.is_err() {
                let _ = writeln!(differences, "{line}");
            }
        }
        assert!(differences.is_empty(), "{} and vwire ask otherwise:\n{differences}", judge().release);
    });
}

/// Runs a command and returns what it asked of the kernel; what became of it is put back.
fn asked(net: &Lab, who: Who, line: &str) -> String {
    let words = split(line);
    let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    let command = match line.starts_with("bridge ") {
        true => net.bridge_command_of(who, &words),
        false => net.command_of(who, &words),
    };
    let (program, log) = (command.get_program().to_string_lossy().into_owned(), "/run/trace");
    // The name that vwire is called by is a link's.
    let name = format!("/run/{}", if line.starts_with("bridge ") { "bridge" } else { "ip" });
    let _ = fs::remove_file(&name);
    std::os::unix::fs::symlink(fs::canonicalize(which(net, &program)).unwrap(), &name).unwrap();
    let options = ["-qq", "-o", log, "-e", "trace=sendmsg,sendto", "-e", "write=all", &name];
    net.run(net.command("strace", &[&options[..], &words].concat()));
    for made in ["k0", "k1"] {
        net.ip(&["link", "del", made]);
    }
    let text = fs::read_to_string(log).unwrap();
    let mut told = format!("$ {line}\n");
    for datagram in datagrams(&text) {
        tell_messages(&mut told, &datagram);
    }
    told
}

/// Returns where a program is.
fn which(net: &Lab, program: &str) -> String {
    net.run(net.command("sh", &["-c", "command -v \"$0\"", program])).ok().trim().to_owned()
}

/// Reads what `strace` shows of each datagram.
fn datagrams(trace: &str) -> Vec<Vec<u8>> {
    /// Where the octets of a line stand: ` | 00000  xx xx …  xx  text |`.
    const OCTETS: std::ops::Range<usize> = 10..59;
    let mut all: Vec<Vec<u8>> = Vec::new();
    for line in trace.lines() {
        let Some(octets) = line.strip_prefix(" | ").and_then(|_| line.get(OCTETS)) else {
            if line.starts_with("send") {
                all.push(Vec::new());
            }
            continue;
        };
        let octets = octets.split_whitespace().map(|octet| u8::from_str_radix(octet, 16).unwrap());
        all.last_mut().unwrap().extend(octets);
    }
    all
}

fn tell_messages(told: &mut String, mut datagram: &[u8]) {
    let short = |bytes: &[u8], at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
    while datagram.len() >= HEADER {
        let length = u32::from_ne_bytes(*datagram.first_chunk().unwrap()) as usize;
        let (message, rest) = datagram.split_at(length.next_multiple_of(4).min(datagram.len()));
        datagram = rest;
        let (kind, flags) = (short(message, 4), short(message, 6));
        let Some((_, fixed)) = TYPES.iter().find(|(known, _)| *known == kind) else { continue };
        let is_question = kind % 4 == 2;
        // `ip` looks whether the kernel takes such messages at all, by one that is empty.
        if message.len() < HEADER + fixed || message[HEADER..].iter().all(|octet| *octet == 0) {
            continue;
        }
        if is_question && flags & DUMP != 0 {
            continue;
        }
        // Whether an acknowledgement comes behind the answer to a question is between the two.
        let flags = if is_question { flags & !ACK } else { flags };
        let (before, attributes) = message[HEADER..].split_at(*fixed);
        let _ = writeln!(told, "type {kind} flags {flags:#x} {}", hex(before));
        tell_attributes(told, attributes, 1);
    }
}

/// Tells attributes in the order of their numbers; those of one number keep theirs.
fn tell_attributes(told: &mut String, bytes: &[u8], depth: usize) {
    let mut all = attributes(bytes).unwrap_or_default();
    all.sort_by_key(|(number, _)| *number);
    for (number, payload) in all {
        let _ = write!(told, "{:width$}{number}", "", width = 2 * depth);
        let is_nest = |bytes: &[u8]| attributes(bytes).is_some_and(|inside| !inside.is_empty());
        // The other end of a pair has a link's header in front of its attributes.
        let is_end = payload.len() > LINK_HEADER && !is_nest(payload) && is_nest(&payload[LINK_HEADER..]);
        let (before, inside) = payload.split_at(if is_end { LINK_HEADER } else { 0 });
        let is_plain = !is_nest(inside);
        let _ = writeln!(told, ": {}", hex(if is_plain { payload } else { before }));
        if !is_plain {
            tell_attributes(told, inside, depth + 1);
        }
    }
}

/// Cuts bytes into attributes, where they can be such.
fn attributes(mut bytes: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let header: [u8; 4] = *bytes.first_chunk()?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let number = u16::from_ne_bytes([header[2], header[3]]) & 0x3fff;
        let payload = bytes.get(4..length)?;
        all.push((number, payload));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(all)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_strace_shows_is_read() {
    let trace = "sendto(3, [...], 36, 0, NULL, 0) = 36\n \
                 | 00000  24 00 00 00 10 00 05 00  00 00 00 00 00 00 00 00   ............... |\n \
                 | 00010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  ................ |\n \
                 | 00020  04 00 05 00                                       be ef            |\n";
    let mut told = String::new();
    tell_messages(&mut told, &datagrams(trace)[0]);
    assert_alike(&told, "type 16 flags 0x5 00000000000000000000000000000000\n  5: \n");
}
