//! Keeps what was sent and what came back, and decides what to do next. Pure.
//!
//! Call [`Tally::next`] and do as it says; tell every packet that went out ([`Tally::sent`],
//! [`Tally::not_sent`], [`Tally::deferred`]) and everything that came in ([`Tally::reply_in`],
//! [`Tally::error_in`]). Time is an argument and must not run backwards.
//!
//! Packets are numbered from 1 without end; the wire carries the low 16 bits. What comes in is
//! taken for the latest packet with these bits.
//!
//! When it ends follows iputils: after `count` packets have been answered, by a reply or an
//! error; or, once all are sent, when nobody has answered for `linger`, or else for two round
//! trips; or at the deadline. With a deadline, `count` counts replies and the first error ends it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::ranges::Ranges;

/// How many packets, how often, and how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// `-c`: stop after so many.
    pub count: Option<u64>,
    /// `-i`: from one packet to the next.
    pub interval: Duration,
    /// `-W`: how long to wait at the end where nothing was ever answered.
    pub linger: Duration,
    /// `-w`: stop after so long, whatever came.
    pub deadline: Option<Duration>,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Send the packet with this number.
    Send(u64),
    /// Wait for packets, at most until then.
    Wait(Instant),
    /// It is over.
    Finished,
}

/// A reply to one of our packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Which packet it answers.
    pub number: u64,
    /// From handing the packet to the kernel to the reply's arrival there.
    pub round_trip: Option<Duration>,
    /// This packet was answered before.
    pub duplicate: bool,
}

/// Sums over the round trips, in microseconds, duplicates included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoundTrips {
    /// How many.
    pub count: u64,
    /// The shortest.
    pub min: u64,
    /// The longest.
    pub max: u64,
    /// All together.
    pub sum: u64,
    /// Their squares together.
    pub sum_of_squares: u128,
    /// Eight times the moving average that weighs each new value by 1/8.
    pub smoothed: u64,
}

/// All that is known about the packets.
#[derive(Debug, Clone)]
pub struct Tally {
    timing: Timing,
    started: Instant,
    next_send: Instant,
    /// When waiting for stragglers ends; known once all are sent.
    closes: Option<Instant>,
    deferred_since: Option<Instant>,
    last_sent: Option<Instant>,
    /// When the latest packets were sent, at most [`REMEMBERED`].
    sent_at: VecDeque<Instant>,
    transmitted: u64,
    received: u64,
    not_sent: u64,
    duplicates: u64,
    errors: u64,
    arrived: Ranges,
    repeated: Ranges,
    late: Ranges,
    round_trips: RoundTrips,
    in_flight_max: u64,
}

/// As many as sequence numbers tell apart.
const REMEMBERED: usize = 1 << 16;

impl Tally {
    /// Starts with nothing sent; the first packet is due at once.
    #[must_use]
    pub fn new(timing: Timing, now: Instant) -> Self {
        Self {
            timing,
            started: now,
            next_send: now,
            closes: None,
            deferred_since: None,
            last_sent: None,
            sent_at: VecDeque::new(),
            transmitted: 0,
            received: 0,
            not_sent: 0,
            duplicates: 0,
            errors: 0,
            arrived: Ranges::default(),
            repeated: Ranges::default(),
            late: Ranges::default(),
            round_trips: RoundTrips::default(),
            in_flight_max: 0,
        }
    }

    /// Takes note that the packet asked for by [`Next::Send`] was handed to the kernel at `now`.
    pub fn sent(&mut self, now: Instant) {
        self.transmitted += 1;
        if self.sent_at.len() == REMEMBERED {
            self.sent_at.pop_front();
        }
        self.sent_at.push_back(now);
        self.last_sent = Some(now);
        self.next_send = now + self.timing.interval;
        self.deferred_since = None;
        if self.all_sent() {
            self.closes = Some(now + self.patience());
        }
    }

    /// Takes note that the kernel refused the packet; it counts as transmitted, as in iputils.
    pub fn not_sent(&mut self, now: Instant) {
        self.sent(now);
        self.not_sent += 1;
    }

    /// Takes note that the kernel has no room for the packet; returns whether to try it again.
    ///
    /// Where there is no room for as long as one waits for replies, it will not get better.
    pub fn deferred(&mut self, now: Instant) -> bool {
        let since = *self.deferred_since.get_or_insert(now);
        self.next_send = now + (self.timing.interval / 2).clamp(SHORTEST_RETRY, LONGEST_RETRY);
        now - since < self.timing.linger
    }

    /// Takes note of a reply that arrived at `at`; `None` where no packet of ours has this number.
    pub fn reply_in(&mut self, sequence: u16, at: Instant) -> Option<Arrival> {
        let number = self.number_of(sequence)?;
        self.acknowledge(number);
        let late = self.arrived.last().is_some_and(|last| number < last);
        let duplicate = !self.arrived.insert(number);
        if duplicate {
            self.duplicates += 1;
            self.repeated.insert(number);
        } else {
            self.received += 1;
        }
        if late && !duplicate {
            self.late.insert(number);
        }
        let round_trip = self.sent_at_of(number).map(|sent| at.saturating_duration_since(sent));
        if let Some(round_trip) = round_trip {
            self.round_trips.add(round_trip);
        }
        Some(Arrival { number, round_trip, duplicate })
    }

    /// Takes note of an error; returns which packet it is about, where it says so.
    pub fn error_in(&mut self, sequence: Option<u16>) -> Option<u64> {
        self.errors += 1;
        self.number_of(sequence?)
    }

    /// Takes note that a packet, and those before it, are no longer on the way.
    ///
    /// Replies do so by themselves. Errors do in iputils for IPv4 alone, which shows in `pipe`.
    pub fn acknowledge(&mut self, number: u64) {
        self.in_flight_max = self.in_flight_max.max(self.transmitted.saturating_sub(number) + 1);
    }

    /// Says what to do next.
    #[must_use]
    pub fn next(&self, now: Instant) -> Next {
        let ends = self.timing.deadline.map(|deadline| self.started + deadline);
        if self.is_settled() || ends.is_some_and(|ends| now >= ends) {
            return Next::Finished;
        }
        if let Some(closes) = self.closes {
            return if now >= closes { Next::Finished } else { Next::Wait(closes) };
        }
        if now >= self.next_send {
            return Next::Send(self.transmitted + 1);
        }
        Next::Wait(ends.map_or(self.next_send, |ends| ends.min(self.next_send)))
    }

    fn is_settled(&self) -> bool {
        let answered = self.received + self.errors;
        if self.timing.deadline.is_some() {
            return self.errors > 0 || self.timing.count.is_some_and(|count| answered >= count);
        }
        self.timing.count.is_some_and(|count| answered + self.not_sent >= count)
    }

    fn all_sent(&self) -> bool {
        self.timing.deadline.is_none() && self.timing.count.is_some_and(|count| self.transmitted >= count)
    }

    /// How long to wait for replies once all packets are sent.
    fn patience(&self) -> Duration {
        if self.received == 0 {
            return self.timing.linger;
        }
        Duration::from_micros(2 * self.round_trips.max).max(self.timing.interval)
    }

    fn number_of(&self, sequence: u16) -> Option<u64> {
        let [low, high, ..] = self.transmitted.to_le_bytes();
        let behind = u16::from_le_bytes([low, high]).wrapping_sub(sequence);
        self.transmitted.checked_sub(behind.into()).filter(|&number| number > 0)
    }

    fn sent_at_of(&self, number: u64) -> Option<Instant> {
        let behind = usize::try_from(self.transmitted.checked_sub(number)?).ok()?;
        let at = self.sent_at.len().checked_sub(behind + 1)?;
        self.sent_at.get(at).copied()
    }

    /// Returns how many packets were sent, those included that the kernel refused.
    #[must_use]
    pub fn transmitted(&self) -> u64 {
        self.transmitted
    }

    /// Returns how many packets were answered.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Returns how many replies came to packets that were answered already.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Returns how many errors came.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors
    }

    /// Returns which packets were not answered.
    #[must_use]
    pub fn missing(&self) -> Ranges {
        self.arrived.missing(self.transmitted)
    }

    /// Returns which packets were answered more than once.
    #[must_use]
    pub fn repeated(&self) -> &Ranges {
        &self.repeated
    }

    /// Returns which packets were answered after a later one was.
    #[must_use]
    pub fn late(&self) -> &Ranges {
        &self.late
    }

    /// Returns the sums over the round trips.
    #[must_use]
    pub fn round_trips(&self) -> &RoundTrips {
        &self.round_trips
    }

    /// Returns the greatest number of packets that were on the way at once, iputils' `pipe`.
    #[must_use]
    pub fn in_flight_max(&self) -> u64 {
        self.in_flight_max
    }

    /// Returns the time from the start to the last packet, as iputils counts it.
    #[must_use]
    pub fn span(&self) -> Duration {
        self.last_sent.map_or(Duration::ZERO, |last| last - self.started)
    }

    /// Returns the exit code that iputils gives: 0 where enough came back, else 1.
    #[must_use]
    pub fn exit(&self) -> u8 {
        let too_few = self.timing.deadline.is_some() && self.timing.count.is_some_and(|count| self.received < count);
        u8::from(self.received == 0 || too_few)
    }
}

impl RoundTrips {
    fn add(&mut self, round_trip: Duration) {
        let micros = u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX >> 8);
        self.min = if self.count == 0 { micros } else { self.min.min(micros) };
        self.max = self.max.max(micros);
        self.count += 1;
        self.sum += micros;
        self.sum_of_squares += u128::from(micros) * u128::from(micros);
        self.smoothed = if self.smoothed == 0 { 8 * micros } else { self.smoothed + micros - self.smoothed / 8 };
    }

    /// Returns the mean, in microseconds, rounded down.
    #[must_use]
    pub fn mean(&self) -> u64 {
        self.sum.checked_div(self.count).unwrap_or(0)
    }

    /// Returns the standard deviation, in microseconds, rounded down.
    #[must_use]
    pub fn deviation(&self) -> u64 {
        let (sum, count) = (u128::from(self.sum), u128::from(self.count.max(1)));
        let variance = self.sum_of_squares.saturating_sub(sum * sum / count) / count;
        u64::try_from(variance.isqrt()).unwrap_or(u64::MAX)
    }
}

/// How soon a packet is tried again that the kernel had no room for.
const SHORTEST_RETRY: Duration = Duration::from_millis(1);
/// How late, at most.
const LONGEST_RETRY: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MILLI: Duration = Duration::from_millis(1);

    fn timing(count: u64) -> Timing {
        Timing { count: Some(count), interval: SECOND, linger: 10 * SECOND, deadline: None }
    }

    /// Runs a tally against a network that answers packet `n` after each delay of `answers(n)`.
    fn simulate(timing: Timing, answers: impl Fn(u64) -> Vec<Duration>) -> (Tally, Duration) {
        let start = Instant::now();
        let mut now = start;
        let mut tally = Tally::new(timing, now);
        let mut coming: Vec<(Instant, u64)> = Vec::new();
        loop {
            match tally.next(now) {
                Next::Finished => return (tally, now - start),
                Next::Send(number) => {
                    tally.sent(now);
                    coming.extend(answers(number).into_iter().map(|delay| (now + delay, number)));
                    coming.sort();
                }
                Next::Wait(until) => match coming.first().copied().filter(|&(at, _)| at <= until) {
                    Some((at, number)) => {
                        coming.remove(0);
                        now = at;
                        let sequence = u16::try_from(number & 0xffff).unwrap();
                        assert_eq!(tally.reply_in(sequence, now).map(|arrival| arrival.number), Some(number));
                    }
                    None => now = until,
                },
            }
        }
    }

    #[test]
    fn it_ends_with_the_last_reply() {
        let (tally, took) = simulate(timing(3), |_| vec![MILLI]);
        assert_eq!(took, 2 * SECOND + MILLI);
        assert_eq!(tally.span(), 2 * SECOND);
        assert_eq!((tally.transmitted(), tally.received(), tally.exit()), (3, 3, 0));
        assert_eq!(tally.in_flight_max(), 1);
    }

    #[test]
    fn silence_is_waited_for_as_long_as_asked() {
        let (tally, took) = simulate(timing(2), |_| vec![]);
        assert_eq!(took, SECOND + 10 * SECOND);
        assert_eq!((tally.missing().to_string(), tally.exit()), ("1-2".to_owned(), 1));
    }

    #[test]
    fn a_missing_last_reply_is_waited_for_two_round_trips() {
        let slow = |number| if number == 1 { vec![700 * MILLI] } else { vec![] };
        assert_eq!(simulate(timing(2), slow).1, SECOND + 1400 * MILLI);
        let fast = |number| if number == 1 { vec![MILLI] } else { vec![] };
        assert_eq!(simulate(timing(2), fast).1, 2 * SECOND);
    }

    #[test]
    fn a_deadline_ends_it_and_asks_for_all_replies() {
        let timing = Timing { deadline: Some(2 * SECOND), ..timing(3) };
        let (tally, took) = simulate(timing, |_| vec![]);
        assert_eq!((took, tally.transmitted(), tally.exit()), (2 * SECOND, 2, 1));
        let (tally, took) = simulate(timing, |number| if number == 1 { vec![MILLI] } else { vec![] });
        assert_eq!((took, tally.received(), tally.exit()), (2 * SECOND, 1, 1));
    }

    #[test]
    fn with_a_deadline_the_first_error_ends_it() {
        let now = Instant::now();
        let mut tally = Tally::new(Timing { deadline: Some(9 * SECOND), ..timing(3) }, now);
        tally.sent(now);
        assert_eq!(tally.error_in(Some(1)), Some(1));
        assert_eq!(tally.next(now), Next::Finished);
    }

    #[test]
    fn errors_count_as_answers() {
        let now = Instant::now();
        let mut tally = Tally::new(timing(2), now);
        tally.sent(now);
        tally.sent(now + SECOND);
        for sequence in [1, 2] {
            let number = tally.error_in(Some(sequence)).unwrap();
            tally.acknowledge(number);
        }
        assert_eq!(tally.next(now + SECOND), Next::Finished);
        assert_eq!((tally.in_flight_max(), tally.exit()), (2, 1));
    }

    #[test]
    fn nobody_waits_for_what_was_not_sent() {
        let now = Instant::now();
        let mut tally = Tally::new(timing(1), now);
        tally.not_sent(now);
        assert_eq!(tally.next(now), Next::Finished);
    }

    #[test]
    fn a_full_queue_is_tried_again_but_not_for_ever() {
        let now = Instant::now();
        let mut tally = Tally::new(timing(1), now);
        assert!(tally.deferred(now));
        assert_eq!(tally.next(now), Next::Wait(now + 500 * MILLI));
        assert!(!tally.deferred(now + 10 * SECOND));
    }

    #[test]
    fn a_number_that_was_never_sent_is_not_ours() {
        let now = Instant::now();
        let mut tally = Tally::new(timing(5), now);
        tally.sent(now);
        assert_eq!(tally.reply_in(0, now), None);
        assert_eq!(tally.reply_in(2, now), None);
    }

    #[test]
    fn numbers_go_on_where_the_wire_starts_again() {
        let fast = Timing { interval: MILLI, ..timing(65_540) };
        let (tally, _) = simulate(fast, |_| vec![MILLI / 2]);
        assert_eq!((tally.received(), tally.duplicates(), tally.missing()), (65_540, 0, Ranges::default()));
    }

    #[test]
    fn spread_is_computed_over_all_replies() {
        let mut trips = RoundTrips::default();
        for micros in [57, 1179] {
            trips.add(Duration::from_micros(micros));
        }
        assert_eq!((trips.min, trips.mean(), trips.max, trips.deviation()), (57, 618, 1179, 561));
    }

    proptest! {
        #[test]
        fn every_packet_is_accounted_for_once(
            delays in prop::collection::vec(prop::collection::vec(1_u64..4000, 0..4), 1..20),
        ) {
            let count = u64::try_from(delays.len()).unwrap();
            let answers = |number: u64| {
                let delays = &delays[usize::try_from(number).unwrap() - 1];
                delays.iter().map(|delay| Duration::from_millis(*delay)).collect()
            };
            let (tally, _) = simulate(timing(count), answers);
            prop_assert_eq!(tally.transmitted(), count);
            prop_assert_eq!(tally.received() + u64::try_from(tally.missing().iter().count()).unwrap(), count);
            let silent = tally.missing();
            for (index, delays) in delays.iter().enumerate() {
                let number = u64::try_from(index).unwrap() + 1;
                prop_assert!(!delays.is_empty() || silent.contains(number));
                prop_assert!(delays.len() > 1 || !tally.repeated().contains(number));
            }
            prop_assert_eq!(tally.duplicates() == 0, tally.repeated().is_empty());
        }
    }
}
