//! What went wrong with packets: ICMP errors and the kernel's own, in iputils' words, and what they mean. Pure.

use std::fmt;
use std::net::Ipv4Addr;

use super::echo::Family;
use super::ranges::Ranges;

/// An ICMP or ICMPv6 error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcmpError {
    /// Which of the two.
    pub family: Family,
    /// Its type.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// What comes with it: an MTU, a pointer, a gateway's address.
    pub info: u32,
}

/// Who complained about a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Teller {
    /// Its address; `None` where the kernel told it without a packet.
    pub address: Option<String>,
    /// It is this machine.
    pub is_here: bool,
}

/// All complaints of one teller in the same words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Who said it.
    pub teller: Teller,
    /// What was said, in iputils' words.
    pub words: String,
    /// What it means here, where that is known.
    pub meaning: Option<String>,
    /// The packets that it was said about.
    pub numbers: Ranges,
    /// How often it was said.
    pub times: u64,
}

/// What an error's meaning depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances<'a> {
    /// The address that was pinged.
    pub target: &'a str,
    /// It lies in a network that this machine has an address in.
    pub on_link: bool,
    /// This machine said it.
    pub from_here: bool,
}

impl IcmpError {
    /// Returns the words that iputils has for it.
    #[must_use]
    pub fn words(&self) -> String {
        match self.family {
            Family::V4 => self.words_v4(),
            Family::V6 => self.words_v6(),
        }
    }

    /// Returns whether the packet is lost by it; a redirect is only advice.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !(self.family == Family::V4 && matches!(self.kind, SOURCE_QUENCH | REDIRECT))
    }

    /// Says what it means, where more is known than its words tell.
    #[must_use]
    pub fn meaning(&self, at: Circumstances<'_>) -> Option<String> {
        let next_hop = match at.on_link {
            true => at.target.to_owned(),
            false => format!("the gateway towards {}", at.target),
        };
        Some(match (self.family, self.kind, self.code) {
            (Family::V4, UNREACHABLE, 1) if at.from_here => format!("nobody answered ARP for {next_hop}"),
            (Family::V6, 1, 3) if at.from_here => format!("nobody answered neighbour discovery for {next_hop}"),
            (Family::V4, UNREACHABLE, 1) | (Family::V6, 1, 3) => {
                format!("the last router got no answer from {}", at.target)
            }
            (Family::V4, UNREACHABLE, 0) | (Family::V6, 1, 0) => format!("no route leads from there to {}", at.target),
            (Family::V4, UNREACHABLE, 9 | 10 | 13) | (Family::V6, 1, 1) => "a filter there rejects it".to_owned(),
            (Family::V4, UNREACHABLE, 4) | (Family::V6, 2, _) => {
                format!("a link behind it takes packets of at most {} bytes", self.info)
            }
            (Family::V4, EXCEEDED, 0) | (Family::V6, 3, 0) => {
                "the packet used up its hops: `-t` is too small, or routes lead in a circle".to_owned()
            }
            (Family::V4, EXCEEDED, 1) | (Family::V6, 3, 1) => "fragments were lost on the way".to_owned(),
            _ => return None,
        })
    }

    fn words_v4(&self) -> String {
        match self.kind {
            0 => "Echo Reply".to_owned(),
            UNREACHABLE => match UNREACHABLE_WORDS.get(usize::from(self.code)) {
                Some(_) if self.code == 4 => format!("Frag needed and DF set (mtu = {})", self.info),
                Some(words) if !words.is_empty() => (*words).to_owned(),
                _ => format!("Dest Unreachable, Bad Code: {}", self.code),
            },
            SOURCE_QUENCH => "Source Quench".to_owned(),
            REDIRECT => {
                let what = match REDIRECT_WORDS.get(usize::from(self.code)) {
                    Some(words) => (*words).to_owned(),
                    None => format!("Redirect, Bad Code: {}", self.code),
                };
                format!("{what}(New nexthop: {})", Ipv4Addr::from(self.info))
            }
            8 => "Echo Request".to_owned(),
            EXCEEDED => match self.code {
                0 => "Time to live exceeded".to_owned(),
                1 => "Frag reassembly time exceeded".to_owned(),
                code => format!("Time exceeded, Bad Code: {code}"),
            },
            12 => format!("Parameter problem: pointer = {}", self.info),
            kind => format!("Bad ICMP type: {kind}"),
        }
    }

    fn words_v6(&self) -> String {
        match (self.kind, self.code) {
            (1, code) => {
                let why = match UNREACHABLE_V6_WORDS.get(usize::from(code)) {
                    Some(words) => (*words).to_owned(),
                    None => format!("Unknown code {code}"),
                };
                format!("Destination unreachable: {why}")
            }
            (2, 0) => format!("Packet too big: mtu={}", self.info),
            (2, code) => format!("Packet too big: mtu={}, code={code}", self.info),
            (3, 0) => "Time exceeded: Hop limit".to_owned(),
            (3, 1) => "Time exceeded: Defragmentation failure".to_owned(),
            (3, code) => format!("Time exceeded: code {code}"),
            (4, code) => {
                let what = match code {
                    0 => "Wrong header field".to_owned(),
                    1 => "Unknown header".to_owned(),
                    2 => "Unknown option".to_owned(),
                    code => format!("code {code}"),
                };
                format!("Parameter problem: {what} at {}", self.info)
            }
            (kind, _) => format!("unknown icmp type: {kind}"),
        }
    }
}

/// Adds a complaint to those that were heard already.
pub fn note(complaints: &mut Vec<Complaint>, heard: Complaint) {
    let same = |old: &&mut Complaint| old.teller == heard.teller && old.words == heard.words;
    match complaints.iter_mut().find(same) {
        Some(old) => {
            old.times += heard.times;
            old.numbers.extend(&heard.numbers);
        }
        None => complaints.push(heard),
    }
}

impl fmt::Display for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, self.is_here) {
            (Some(address), true) => write!(f, "{address} (this machine)"),
            (Some(address), false) => f.write_str(address),
            (None, _) => f.write_str("this machine"),
        }
    }
}

// Types of RFC 792.
const UNREACHABLE: u8 = 3;
const SOURCE_QUENCH: u8 = 4;
const REDIRECT: u8 = 5;
const EXCEEDED: u8 = 11;

/// By code; one that is never used is empty.
const UNREACHABLE_WORDS: &[&str] = &[
    "Destination Net Unreachable",
    "Destination Host Unreachable",
    "Destination Protocol Unreachable",
    "Destination Port Unreachable",
    "Frag needed and DF set",
    "Source Route Failed",
    "Destination Net Unknown",
    "Destination Host Unknown",
    "Source Host Isolated",
    "Destination Net Prohibited",
    "Destination Host Prohibited",
    "Destination Net Unreachable for Type of Service",
    "Destination Host Unreachable for Type of Service",
    "Packet filtered",
    "Precedence Violation",
    "Precedence Cutoff",
];

const REDIRECT_WORDS: &[&str] =
    &["Redirect Network", "Redirect Host", "Redirect Type of Service and Network", "Redirect Type of Service and Host"];

const UNREACHABLE_V6_WORDS: &[&str] = &[
    "No route",
    "Administratively prohibited",
    "Beyond scope of source address",
    "Address unreachable",
    "Port unreachable",
    "Source address failed ingress/egress policy",
    "Reject route to destination",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(kind: u8, code: u8, info: u32) -> IcmpError {
        IcmpError { family: Family::V4, kind, code, info }
    }

    fn v6(kind: u8, code: u8, info: u32) -> IcmpError {
        IcmpError { family: Family::V6, kind, code, info }
    }

    #[test]
    fn errors_have_iputils_words() {
        assert_eq!(v4(3, 1, 0).words(), "Destination Host Unreachable");
        assert_eq!(v4(3, 4, 1400).words(), "Frag needed and DF set (mtu = 1400)");
        assert_eq!(v4(3, 99, 0).words(), "Dest Unreachable, Bad Code: 99");
        assert_eq!(v4(5, 1, 0x0a00_0001).words(), "Redirect Host(New nexthop: 10.0.0.1)");
        assert_eq!(v4(11, 0, 0).words(), "Time to live exceeded");
        assert_eq!(v6(1, 3, 0).words(), "Destination unreachable: Address unreachable");
        assert_eq!(v6(2, 0, 1280).words(), "Packet too big: mtu=1280");
        assert_eq!(v6(3, 0, 0).words(), "Time exceeded: Hop limit");
        assert_eq!(v6(4, 1, 40).words(), "Parameter problem: Unknown header at 40");
    }

    #[test]
    fn unreachable_means_a_different_thing_from_here_and_from_afar() {
        let at = Circumstances { target: "10.0.0.2", on_link: true, from_here: true };
        let means = |at| v4(3, 1, 0).meaning(at).unwrap();
        assert_eq!(means(at), "nobody answered ARP for 10.0.0.2");
        let routed = Circumstances { on_link: false, ..at };
        assert_eq!(means(routed), "nobody answered ARP for the gateway towards 10.0.0.2");
        let afar = Circumstances { on_link: false, from_here: false, ..at };
        assert_eq!(means(afar), "the last router got no answer from 10.0.0.2");
    }

    #[test]
    fn the_same_complaint_is_kept_once() {
        let teller = Teller { address: Some("10.0.0.1".into()), is_here: true };
        let heard = |number| Complaint {
            teller: teller.clone(),
            words: "no".into(),
            meaning: None,
            numbers: [number].into_iter().collect(),
            times: 1,
        };
        let mut complaints = Vec::new();
        note(&mut complaints, heard(1));
        note(&mut complaints, heard(2));
        assert_eq!(complaints.len(), 1);
        assert_eq!((complaints[0].numbers.to_string(), complaints[0].times), ("1-2".to_owned(), 2));
    }
}
