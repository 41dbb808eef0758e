//! The lines that iputils prints, to the byte. Pure.

use std::fmt::Write as _;

use super::echo::{Changed, Family, HEADER, STAMP};
use super::tally::{RoundTrips, Tally};

/// The address that is pinged, and where from, as they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// As the user wrote it.
    pub word: String,
    /// Its address.
    pub target: String,
    /// The address that packets leave from.
    pub source: Option<String>,
    /// The device that was asked for.
    pub device: Option<String>,
    /// A source address or a device was asked for.
    pub from_is_asked: bool,
}

/// A reply, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    /// Who sent it.
    pub from: &'a str,
    /// The packet's low 16 bits.
    pub sequence: u16,
    /// Time to live or hop limit, where it came with it.
    pub hops: Option<u8>,
    /// The bytes behind the ICMP header.
    pub data: &'a [u8],
    /// The round trip, in microseconds, where packets carry a time stamp.
    pub micros: Option<u64>,
    /// Say that it came before.
    pub duplicate: bool,
    /// It comes from another address than was pinged.
    pub stranger: bool,
}

/// Returns the first line.
#[must_use]
pub fn header(family: Family, names: &Names, size: usize) -> String {
    let Names { word, target, .. } = names;
    let from = match &names.source {
        Some(source) if names.from_is_asked => {
            format!("from {source} {}: ", names.device.as_deref().unwrap_or_default())
        }
        _ => String::new(),
    };
    match family {
        // 20 bytes of IPv4 header.
        Family::V4 => format!("PING {word} ({target}) {from}{size}({}) bytes of data.\n", size + HEADER + 20),
        Family::V6 => format!("PING {word}({target}) {from}{size} data bytes\n"),
    }
}

/// Returns a reply's line; `size` bytes of data were sent, `changed` is the first that came back changed.
#[must_use]
pub fn reply(reply: Reply<'_>, size: usize, changed: Option<Changed>) -> String {
    let mut line = format!("{} bytes from {}: icmp_seq={}", reply.data.len() + HEADER, reply.from, reply.sequence);
    if let Some(hops) = reply.hops {
        let _ = write!(line, " ttl={hops}");
    }
    if reply.data.len() < size {
        return line + " (truncated)\n";
    }
    if let Some(micros) = reply.micros {
        let _ = write!(line, " time={} ms", milliseconds(micros));
    }
    if reply.duplicate {
        line.push_str(" (DUP!)");
    }
    if reply.stranger {
        line.push_str(" (DIFFERENT ADDRESS!)");
    }
    if let Some(changed) = changed {
        write_changed(&mut line, changed, reply.data.get(..size).unwrap_or(reply.data));
    }
    line + "\n"
}

fn write_changed(line: &mut String, changed: Changed, data: &[u8]) {
    let Changed { at, sent, came } = changed;
    let _ = write!(line, "\nwrong data byte #{at} should be 0x{sent:x} but was 0x{came:x}");
    for (at, byte) in data.iter().enumerate().skip(STAMP) {
        if at % 32 == STAMP {
            let _ = write!(line, "\n#{at}\t");
        }
        let _ = write!(line, "{byte:x} ");
    }
}

/// Returns the line of an ICMP error.
#[must_use]
pub fn error(from: &str, sequence: u16, words: &str) -> String {
    format!("From {from} icmp_seq={sequence} {words}\n")
}

/// Returns the statistics: an empty line, a title, the counts, the times.
#[must_use]
pub fn statistics(word: &str, tally: &Tally, timed: bool) -> String {
    let mut text = format!("\n--- {word} ping statistics ---\n");
    let _ = write!(text, "{} packets transmitted, {} received", tally.transmitted(), tally.received());
    for (count, what) in [(tally.duplicates(), "duplicates"), (tally.errors(), "errors")] {
        if count > 0 {
            let _ = write!(text, ", +{count} {what}");
        }
    }
    if tally.transmitted() > 0 {
        let millis = (tally.span().as_micros() + 500) / 1000;
        let _ = write!(text, ", {}% packet loss, time {millis}ms", general(loss_percent(tally)));
    }
    text.push('\n');
    let mut parts = Vec::new();
    if tally.received() > 0 && timed {
        parts.push(round_trips(tally.round_trips()));
    }
    if tally.in_flight_max() > 1 {
        parts.push(format!("pipe {}", tally.in_flight_max()));
    }
    text + &parts.join(", ") + "\n"
}

/// Returns the line that a SIGQUIT asks for.
#[must_use]
pub fn status(tally: &Tally, timed: bool) -> String {
    let lost = tally.transmitted() - tally.received();
    let loss = (lost * 100).checked_div(tally.transmitted()).unwrap_or(0);
    let mut line = format!("\r{}/{} packets, {loss}% loss", tally.received(), tally.transmitted());
    if tally.received() > 0 && timed {
        let trips = tally.round_trips();
        let [min, mean, smoothed, max] = [trips.min, trips.mean(), trips.smoothed / 8, trips.max].map(thousandths);
        let _ = write!(line, ", min/avg/ewma/max = {min}/{mean}/{smoothed}/{max} ms");
    }
    line + "\n"
}

/// Returns how many per cent of the packets were not answered.
#[must_use]
pub fn loss_percent(tally: &Tally) -> f64 {
    let [lost, all] = [tally.transmitted() - tally.received(), tally.transmitted()].map(approximate);
    if all == 0.0 { 0.0 } else { lost * 100.0 / all }
}

/// Returns microseconds as milliseconds with three decimals.
#[must_use]
pub fn thousandths(micros: u64) -> String {
    format!("{}.{:03}", micros / 1000, micros % 1000)
}

fn round_trips(trips: &RoundTrips) -> String {
    let [min, mean, max, deviation] = [trips.min, trips.mean(), trips.max, trips.deviation()].map(thousandths);
    format!("rtt min/avg/max/mdev = {min}/{mean}/{max}/{deviation} ms")
}

/// Microseconds as milliseconds, with fewer decimals the longer they are.
fn milliseconds(micros: u64) -> String {
    match micros {
        99_950.. => ((micros + 500) / 1000).to_string(),
        9_995.. => format!("{}.{}", (micros + 50) / 1000, (micros + 50) % 1000 / 100),
        1_000.. => format!("{}.{:02}", (micros + 5) / 1000, (micros + 5) % 1000 / 10),
        _ => thousandths(micros),
    }
}

/// A number as C's `%g` prints it: six digits that count, without zeros at the end.
#[must_use]
pub fn general(value: f64) -> String {
    let scientific = format!("{value:.5e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let without_zeros = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    match usize::try_from(5 - exponent) {
        Ok(decimals) if exponent >= -4 => without_zeros(&format!("{value:.decimals$}")),
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", without_zeros(digits), exponent.unsigned_abs())
        }
    }
}

/// A count as a floating point number; exact up to 2^53.
fn approximate(count: u64) -> f64 {
    let half = |bits: u64| u32::try_from(bits & 0xffff_ffff).map_or(0.0, f64::from);
    half(count >> 32) * 4_294_967_296.0 + half(count)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::tally::Timing;
    use super::*;

    fn names() -> Names {
        Names {
            word: "10.0.0.2".into(),
            target: "10.0.0.2".into(),
            source: Some("10.0.0.1".into()),
            device: None,
            from_is_asked: false,
        }
    }

    fn answered<'a>(data: &'a [u8]) -> Reply<'a> {
        Reply {
            from: "10.0.0.2",
            sequence: 1,
            hops: Some(64),
            data,
            micros: Some(45),
            duplicate: false,
            stranger: false,
        }
    }

    fn tally(packets: u64, replies: &[u16]) -> Tally {
        let timing = Timing {
            count: Some(packets),
            interval: Duration::from_secs(1),
            linger: Duration::from_secs(10),
            deadline: None,
        };
        let start = Instant::now();
        let mut tally = Tally::new(timing, start);
        for _ in 0..packets {
            tally.sent(start);
        }
        for &sequence in replies {
            tally.reply_in(sequence, start + Duration::from_micros(u64::from(sequence) * 100));
        }
        tally
    }

    #[test]
    fn the_header_says_where_from_if_asked() {
        assert_eq!(header(Family::V4, &names(), 56), "PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.\n");
        let from = Names { from_is_asked: true, ..names() };
        assert_eq!(header(Family::V4, &from, 56), "PING 10.0.0.2 (10.0.0.2) from 10.0.0.1 : 56(84) bytes of data.\n");
        let device = Names { device: Some("ep1".into()), ..from };
        assert_eq!(header(Family::V6, &device, 0), "PING 10.0.0.2(10.0.0.2) from 10.0.0.1 ep1: 0 data bytes\n");
    }

    #[test]
    fn a_reply_says_size_sender_number_hops_and_time() {
        let line = reply(answered(&[0; 56]), 56, None);
        assert_eq!(line, "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.045 ms\n");
        let twice = Reply { duplicate: true, micros: None, ..answered(&[]) };
        assert_eq!(reply(twice, 0, None), "8 bytes from 10.0.0.2: icmp_seq=1 ttl=64 (DUP!)\n");
    }

    #[test]
    fn a_reply_that_lost_its_end_says_so() {
        assert_eq!(reply(answered(&[0; 10]), 56, None), "18 bytes from 10.0.0.2: icmp_seq=1 ttl=64 (truncated)\n");
    }

    #[test]
    fn changed_data_is_shown_in_rows_of_32() {
        let mut data: Vec<u8> = (0..56).collect();
        data[20] = 0xff;
        let line = reply(answered(&data), 56, super::super::echo::changed(&data));
        let mut wanted = String::from("64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.045 ms\n");
        wanted += "wrong data byte #20 should be 0x14 but was 0xff\n";
        wanted +=
            "#16\t10 11 12 13 ff 15 16 17 18 19 1a 1b 1c 1d 1e 1f 20 21 22 23 24 25 26 27 28 29 2a 2b 2c 2d 2e 2f ";
        wanted += "\n#48\t30 31 32 33 34 35 36 37 \n";
        assert_eq!(line, wanted);
    }

    #[test]
    fn times_have_three_digits_that_count() {
        let shown = [(45, "0.045"), (999, "0.999"), (1179, "1.18"), (9_994, "9.99"), (9_995, "10.0"), (99_949, "99.9")];
        for (micros, wanted) in shown.into_iter().chain([(99_950, "100"), (1_234_567, "1235")]) {
            assert_eq!(milliseconds(micros), wanted, "{micros}");
        }
    }

    #[test]
    fn loss_is_printed_as_c_prints_it() {
        let cases = [(0.0, "0"), (100.0, "100"), (100.0 / 3.0, "33.3333"), (0.001, "0.001"), (0.000_01, "1e-05")];
        for (value, wanted) in cases {
            assert_eq!(general(value), wanted);
        }
    }

    #[test]
    fn statistics_count_what_came() {
        let wanted = "\n--- 10.0.0.2 ping statistics ---\n3 packets transmitted, 2 received, +1 duplicates, \
                      33.3333% packet loss, time 0ms\nrtt min/avg/max/mdev = 0.100/0.166/0.200/0.047 ms, pipe 3\n";
        let text = statistics("10.0.0.2", &tally(3, &[1, 2, 2]), true);
        assert_eq!(text, wanted);
    }

    #[test]
    fn statistics_of_silence_end_with_an_empty_line() {
        let wanted =
            "\n--- 10.0.0.2 ping statistics ---\n1 packets transmitted, 0 received, 100% packet loss, time 0ms\n\n";
        assert_eq!(statistics("10.0.0.2", &tally(1, &[]), true), wanted);
    }

    #[test]
    fn the_status_line_has_the_moving_average() {
        assert_eq!(
            status(&tally(2, &[1]), true),
            "\r1/2 packets, 50% loss, min/avg/ewma/max = 0.100/0.100/0.100/0.100 ms\n"
        );
    }
}
