//! The JSON document of `vwire ping -j`: the facts of the statistics and of the last line. Pure.

use crate::out::json::JsonWriter;
use crate::ping::ranges::Ranges;
use crate::ping::report::{Names, general, loss_percent, thousandths};
use crate::ping::verdict::Verdict;

/// Returns the JSON document, with a line feed behind it.
#[must_use]
pub(super) fn json(verdict: &Verdict, pretty: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut json = JsonWriter::new(pretty);
    json.open_object(&mut out);
    write_ends(verdict, &mut json, &mut out);
    write_counts(verdict, &mut json, &mut out);
    write_complaints(verdict, &mut json, &mut out);
    write_round_trips(verdict, &mut json, &mut out);
    json.close_object(&mut out);
    out.push(b'\n');
    out
}

fn write_ends(verdict: &Verdict, json: &mut JsonWriter, out: &mut Vec<u8>) {
    let Names { target, source, device, word, .. } = &verdict.names;
    member(json, out, "target", Some(target));
    member(json, out, "name", Some(word));
    member(json, out, "source", source.as_ref());
    member(json, out, "device", device.as_ref());
    json.name(out, "from");
    json.open_array(out);
    for answerer in &verdict.answerers {
        json.string(out, answerer.as_bytes());
    }
    json.close_array(out);
}

fn write_counts(verdict: &Verdict, json: &mut JsonWriter, out: &mut Vec<u8>) {
    let tally = &verdict.tally;
    let counts = [("transmitted", tally.transmitted()), ("received", tally.received())];
    for (name, count) in counts.into_iter().chain([("duplicates", tally.duplicates())]) {
        json.name(out, name);
        json.literal(out, &count.to_string());
    }
    json.name(out, "loss_percent");
    json.literal(out, &general(loss_percent(tally)));
    let sets = [("missing", &tally.missing()), ("repeated", tally.repeated()), ("late", tally.late())];
    for (name, numbers) in sets.into_iter().chain([("damaged", &verdict.damaged)]) {
        json.name(out, name);
        write_numbers(json, out, numbers);
    }
}

fn write_complaints(verdict: &Verdict, json: &mut JsonWriter, out: &mut Vec<u8>) {
    json.name(out, "errors");
    json.open_array(out);
    for complaint in &verdict.complaints {
        json.open_object(out);
        member(json, out, "from", complaint.teller.address.as_ref());
        json.name(out, "this_machine");
        json.literal(out, if complaint.teller.is_here { "true" } else { "false" });
        member(json, out, "said", Some(&complaint.words));
        member(json, out, "means", complaint.meaning.as_ref());
        json.name(out, "times");
        json.literal(out, &complaint.times.to_string());
        json.name(out, "icmp_seq");
        write_numbers(json, out, &complaint.numbers);
        json.close_object(out);
    }
    json.close_array(out);
}

fn write_round_trips(verdict: &Verdict, json: &mut JsonWriter, out: &mut Vec<u8>) {
    json.name(out, "rtt");
    if verdict.tally.received() == 0 || !verdict.timed {
        json.literal(out, "null");
        return;
    }
    let trips = verdict.tally.round_trips();
    json.open_object(out);
    let times = [("min", trips.min), ("avg", trips.mean()), ("max", trips.max), ("mdev", trips.deviation())];
    for (name, micros) in times {
        json.name(out, name);
        json.literal(out, &thousandths(micros));
    }
    json.close_object(out);
}

fn member(json: &mut JsonWriter, out: &mut Vec<u8>, name: &str, value: Option<&String>) {
    json.name(out, name);
    match value {
        Some(value) => json.string(out, value.as_bytes()),
        None => json.literal(out, "null"),
    }
}

fn write_numbers(json: &mut JsonWriter, out: &mut Vec<u8>, numbers: &Ranges) {
    json.open_array(out);
    for number in numbers.iter() {
        json.literal(out, &number.to_string());
    }
    json.close_array(out);
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::ping::tally::{Tally, Timing};
    use crate::ping::trouble::{Complaint, Teller};

    fn verdict() -> Verdict {
        let timing = Timing { count: None, interval: Duration::ZERO, linger: Duration::ZERO, deadline: None };
        let start = Instant::now();
        let mut tally = Tally::new(timing, start);
        (0..3).for_each(|_| tally.sent(start));
        tally.reply_in(1, start + Duration::from_micros(45));
        tally.error_in(Some(2));
        let complaint = Complaint {
            teller: Teller { address: Some("10.0.0.1".into()), is_here: true },
            words: "Destination Host Unreachable".into(),
            meaning: Some("nobody answered ARP for 10.0.0.2".into()),
            numbers: [2].into_iter().collect(),
            times: 1,
        };
        Verdict {
            names: Names {
                word: "ep2".into(),
                target: "10.0.0.2".into(),
                source: Some("10.0.0.1".into()),
                device: None,
                from_is_asked: false,
            },
            tally,
            answerers: vec!["10.0.0.2".to_owned()],
            complaints: vec![complaint],
            damaged: Ranges::default(),
            timed: true,
        }
    }

    #[test]
    fn the_document_has_the_same_facts() {
        let wanted = concat!(
            r#"{"target":"10.0.0.2","name":"ep2","source":"10.0.0.1","device":null,"from":["10.0.0.2"],"#,
            r#""transmitted":3,"received":1,"duplicates":0,"loss_percent":66.6667,"missing":[2,3],"repeated":[],"#,
            r#""late":[],"damaged":[],"errors":[{"from":"10.0.0.1","this_machine":true,"#,
            r#""said":"Destination Host Unreachable","means":"nobody answered ARP for 10.0.0.2","times":1,"#,
            r#""icmp_seq":[2]}],"rtt":{"min":0.045,"avg":0.045,"max":0.045,"mdev":0.000}}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(json(&verdict(), false)).unwrap(), wanted);
    }

    #[test]
    fn without_time_stamps_there_are_no_times() {
        let untimed = Verdict { timed: false, ..verdict() };
        assert!(String::from_utf8(json(&untimed, false)).unwrap().contains("\"rtt\":null"));
    }
}
