//! The last word: which packets arrived, which did not, and what was said about those. Pure.
//!
//! Packets go by their full numbers here; from 65,536 on, `icmp_seq` on the wire starts again.

use super::ranges::Ranges;
use super::report::Names;
use super::tally::Tally;
use super::trouble::Complaint;

/// What there is to say at the end.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Whom, and where from.
    pub names: Names,
    /// What was sent and what came back.
    pub tally: Tally,
    /// Who answered, in the order of their first reply.
    pub answerers: Vec<String>,
    /// What was said about packets.
    pub complaints: Vec<Complaint>,
    /// The packets whose data came back changed or cut short.
    pub damaged: Ranges,
    /// Packets carried a time stamp.
    pub timed: bool,
}

impl Verdict {
    /// Returns the last line.
    #[must_use]
    pub fn line(&self) -> String {
        if self.tally.transmitted() == 0 {
            return "nothing was sent\n".to_owned();
        }
        let mut parts = Vec::new();
        if self.tally.received() > 0 {
            parts.push(self.arrived());
        }
        if !self.tally.repeated().is_empty() {
            parts.push(format!("came more than once: icmp_seq {}", self.tally.repeated()));
        }
        if !self.damaged.is_empty() {
            parts.push(format!("came back changed: icmp_seq {}", self.damaged));
        }
        let missing = self.tally.missing();
        if !missing.is_empty() {
            parts.push(format!("did not arrive: icmp_seq {missing}"));
        }
        parts.extend(self.complaints.iter().map(|complaint| said(complaint, &missing)));
        parts.extend(self.silence(&missing));
        parts.join("; ") + "\n"
    }

    fn arrived(&self) -> String {
        let (received, transmitted) = (self.tally.received(), self.tally.transmitted());
        let order = match received {
            1 => String::new(),
            _ if self.tally.late().is_empty() => " in order,".to_owned(),
            _ => format!(" out of order (late: icmp_seq {}),", self.tally.late()),
        };
        format!("arrived: {received} of {transmitted},{order} from {}", self.answerers())
    }

    fn answerers(&self) -> String {
        match self.answerers.as_slice() {
            few if few.len() <= NAMED => few.join(", "),
            many => format!("{} and {} more", many[..NAMED].join(", "), many.len() - NAMED),
        }
    }

    /// Names the packets that nothing at all was heard about.
    fn silence(&self, missing: &Ranges) -> Option<String> {
        let mut heard = Ranges::default();
        for complaint in &self.complaints {
            heard.extend(&complaint.numbers);
        }
        let silent = missing.without(&heard);
        if silent.is_empty() {
            return None;
        }
        Some(match &silent == missing {
            true => "no answer and no error came back".to_owned(),
            false => format!("nothing came back for icmp_seq {silent}"),
        })
    }
}

/// One complaint; it says about which packets where not about all that are missing.
fn said(complaint: &Complaint, missing: &Ranges) -> String {
    let Complaint { teller, words, meaning, numbers, .. } = complaint;
    let about = match numbers.is_empty() || numbers == missing {
        true => String::new(),
        false => format!(" (icmp_seq {numbers})"),
    };
    let meaning = meaning.as_ref().map(|meaning| format!(": {meaning}")).unwrap_or_default();
    format!("{teller} said {words}{about}{meaning}")
}

/// How many of those who answered are named.
const NAMED: usize = 4;

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::tally::Timing;
    use super::super::trouble::Teller;
    use super::*;

    fn tally(packets: u64, replies: &[u16]) -> Tally {
        let timing = Timing { count: None, interval: Duration::ZERO, linger: Duration::from_secs(10), deadline: None };
        let start = Instant::now();
        let mut tally = Tally::new(timing, start);
        (0..packets).for_each(|_| tally.sent(start));
        for &sequence in replies {
            tally.reply_in(sequence, start + Duration::from_micros(45));
        }
        tally
    }

    fn names() -> Names {
        Names {
            word: "ep2".into(),
            target: "10.0.0.2".into(),
            source: Some("10.0.0.1".into()),
            device: None,
            from_is_asked: false,
        }
    }

    fn unreachable(numbers: &[u64]) -> Complaint {
        Complaint {
            teller: Teller { address: Some("10.0.0.1".into()), is_here: true },
            words: "Destination Host Unreachable".into(),
            meaning: Some("nobody answered ARP for 10.0.0.2".into()),
            numbers: numbers.iter().copied().collect(),
            times: u64::try_from(numbers.len()).unwrap(),
        }
    }

    fn line(tally: &Tally, complaints: &[Complaint]) -> String {
        let verdict = Verdict {
            names: names(),
            tally: tally.clone(),
            answerers: vec!["10.0.0.2".to_owned()],
            complaints: complaints.to_vec(),
            damaged: Ranges::default(),
            timed: true,
        };
        verdict.line()
    }

    #[test]
    fn all_arrived_in_order() {
        assert_eq!(line(&tally(3, &[1, 2, 3]), &[]), "arrived: 3 of 3, in order, from 10.0.0.2\n");
        assert_eq!(line(&tally(1, &[1]), &[]), "arrived: 1 of 1, from 10.0.0.2\n");
    }

    #[test]
    fn late_and_repeated_packets_are_named() {
        let wanted =
            "arrived: 3 of 3, out of order (late: icmp_seq 1), from 10.0.0.2; came more than once: icmp_seq 3\n";
        assert_eq!(line(&tally(3, &[2, 1, 3, 3]), &[]), wanted);
    }

    #[test]
    fn missing_packets_are_named_with_what_was_said() {
        let wanted = "did not arrive: icmp_seq 1-3; 10.0.0.1 (this machine) said Destination Host Unreachable: \
                      nobody answered ARP for 10.0.0.2\n";
        assert_eq!(line(&tally(3, &[]), &[unreachable(&[1, 2, 3])]), wanted);
    }

    #[test]
    fn silence_is_told_from_errors() {
        let wanted = "arrived: 2 of 7, in order, from 10.0.0.2; did not arrive: icmp_seq 2, 4-7; \
                      no answer and no error came back\n";
        assert_eq!(line(&tally(7, &[1, 3]), &[]), wanted);
        let wanted = "did not arrive: icmp_seq 1-2; 10.0.0.1 (this machine) said Destination Host Unreachable \
                      (icmp_seq 1): nobody answered ARP for 10.0.0.2; nothing came back for icmp_seq 2\n";
        assert_eq!(line(&tally(2, &[]), &[unreachable(&[1])]), wanted);
    }
}
