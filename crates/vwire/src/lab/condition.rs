//! What makes a link slow or bad, as the kernel's queueing disciplines have it. Pure.
//!
//! `netem` can do all of it (`net/sched/sch_netem.c`); a kernel without it can still bound the rate by `tbf`
//! (`net/sched/sch_tbf.c`). What neither can do is refused by name before anything is touched.

use std::time::Duration;

use vwire_netlink::Qdisc;
use vwire_netlink::wire::qdisc::{
    CERTAIN, LINKLAYER_ETHERNET, Netem, NetemChance, NetemRate, RateSpec, Tbf, TbfParameters,
};

use super::model::Condition;

/// How long packets wait for a rate unless the file says so.
pub const QUEUE: Duration = Duration::from_millis(50);
/// How many packets `netem` holds where no rate bounds them. Its own default of 1,000 loses packets of a fast flow.
const MOST_HELD: u32 = 100_000;
/// The time whose packets may go out at once: 10 ms, some ticks of the slowest clock.
const BURST: Duration = Duration::from_millis(10);
/// The least that may go out at once, in bytes: ten full frames of an Ethernet.
const LEAST_BURST: u64 = 15_140;

/// Why a condition cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Impossible {
    /// The kernel has no `netem`, which these words of the condition need.
    NoNetem(Vec<&'static str>),
    /// Packets overtake only those that are held: `reorder` needs a `delay`.
    ReorderWithoutDelay,
}

impl std::fmt::Display for Impossible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoNetem(words) => write!(
                f,
                "this kernel has no netem (CONFIG_NET_SCH_NETEM), which `{}` {}; only `rate` can do without",
                words.join("`, `"),
                if words.len() == 1 { "needs" } else { "need" }
            ),
            Self::ReorderWithoutDelay => {
                f.write_str("`reorder` needs a `delay`: packets can only overtake those that are held")
            }
        }
    }
}

impl std::error::Error for Impossible {}

/// Returns the discipline that does to packets leaving by the link of this index what the condition says, or `None` if
/// that is nothing.
///
/// # Errors
/// [`Impossible`] if the kernel cannot.
pub fn qdisc(index: u32, condition: &Condition, has_netem: bool) -> Result<Option<Qdisc>, Impossible> {
    if *condition == Condition::default() {
        return Ok(None);
    }
    if condition.reorder.is_some() && condition.delay.is_none() {
        return Err(Impossible::ReorderWithoutDelay);
    }
    let root = Qdisc::root(index);
    let beyond = beyond_rate(condition);
    match (beyond.is_empty(), has_netem, condition.rate) {
        (true, _, Some(rate)) => Ok(Some(root.with_tbf(&bucket(rate, condition.queue)))),
        // A queue alone bounds nothing.
        (true, _, None) => Ok(None),
        (false, true, _) => Ok(Some(root.with_netem(&way(condition)))),
        (false, false, _) => Err(Impossible::NoNetem(beyond)),
    }
}

/// Returns the words of a condition that only `netem` can do.
#[must_use]
pub fn beyond_rate(condition: &Condition) -> Vec<&'static str> {
    let words = [
        ("delay", condition.delay.is_some()),
        ("jitter", condition.jitter.is_some()),
        ("loss", condition.loss.is_some()),
        ("duplicate", condition.duplicate.is_some()),
        ("reorder", condition.reorder.is_some()),
    ];
    words.into_iter().filter(|(_, asked)| *asked).map(|(word, _)| word).collect()
}

fn bucket(rate: u64, queue: Option<Duration>) -> Tbf {
    let bytes = rate / 8;
    let burst = in_time(bytes, BURST).max(LEAST_BURST);
    let limit = burst + in_time(bytes, queue.unwrap_or(QUEUE)).max(LEAST_BURST);
    let (short, long) = either(bytes);
    let rate = RateSpec { linklayer: LINKLAYER_ETHERNET, rate: short, ..RateSpec::default() };
    let parms = TbfParameters { rate, limit: saturated(limit), ..TbfParameters::default() };
    Tbf { parms: Some(parms), rate64: long, burst: Some(saturated(burst)), ..Tbf::default() }
}

fn way(condition: &Condition) -> Netem {
    let bytes = condition.rate.map(|rate| rate / 8);
    let held = condition.delay.unwrap_or_default() + condition.jitter.unwrap_or_default();
    let limit = match bytes {
        // As many as a second of the smallest frames would be too many to lose none; full frames fill a queue in time.
        Some(bytes) => in_time(bytes, held + condition.queue.unwrap_or(QUEUE)) / 1000 + 10,
        None => u64::from(MOST_HELD),
    };
    let rate = bytes.map(|bytes| (NetemRate { rate: either(bytes).0, ..NetemRate::default() }, either(bytes).1));
    let chance = |percent| NetemChance { probability: share(percent), correlation: 0 };
    Netem {
        limit: saturated(limit).min(MOST_HELD),
        loss: condition.loss.map_or(0, share),
        duplicate: condition.duplicate.map_or(0, share),
        gap: u32::from(condition.reorder.is_some()),
        reorder: condition.reorder.map(chance),
        latency64: condition.delay.map(nanoseconds),
        jitter64: condition.jitter.map(nanoseconds),
        rate: rate.map(|(short, _)| short),
        rate64: rate.and_then(|(_, long)| long),
        ..Netem::default()
    }
}

/// Returns the bytes of a time at a rate in bytes a second.
fn in_time(bytes: u64, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    u64::try_from(u128::from(bytes) * u128::from(micros) / 1_000_000).unwrap_or(u64::MAX)
}

/// Returns a rate as 32 bits say it and, where they do not, as 64 bits.
fn either(bytes: u64) -> (u32, Option<u64>) {
    match u32::try_from(bytes) {
        Ok(short) => (short, None),
        Err(_) => (u32::MAX, Some(bytes)),
    }
}

fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

/// Returns percent as a fraction of [`CERTAIN`], in steps of a millionth of a percent.
fn share(percent: f64) -> u32 {
    const STEPS: f64 = 1e6;
    let wanted = (percent.clamp(0.0, 100.0) * STEPS).round();
    // Found by halves: a float has no fallible conversion to an integer.
    let (mut low, mut high) = (0_u32, 100_000_000_u32);
    while low < high {
        let middle = low + (high - low) / 2;
        if f64::from(middle) < wanted { low = middle + 1 } else { high = middle }
    }
    saturated((u64::from(low) * u64::from(CERTAIN) + 50_000_000) / 100_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(change: impl FnOnce(&mut Condition)) -> Condition {
        let mut condition = Condition::default();
        change(&mut condition);
        condition
    }

    #[test]
    fn nothing_needs_nothing() {
        assert_eq!(qdisc(1, &Condition::default(), false), Ok(None));
    }

    #[test]
    fn a_rate_alone_does_without_netem() {
        let rate = condition(|c| c.rate = Some(8_000_000));
        for has_netem in [true, false] {
            let tbf = qdisc(7, &rate, has_netem).unwrap().unwrap().tbf().unwrap();
            let parms = tbf.parms.unwrap();
            // 10 ms of 1 MB/s is less than the least burst; 50 ms are 50,000 bytes.
            assert_eq!((parms.rate.rate, parms.limit, tbf.burst), (1_000_000, 15_140 + 50_000, Some(15_140)));
        }
    }

    #[test]
    fn a_rate_beyond_32_bits_has_64() {
        let tbf = bucket(100_000_000_000, None);
        assert_eq!((tbf.parms.unwrap().rate.rate, tbf.rate64), (u32::MAX, Some(12_500_000_000)));
    }

    #[test]
    fn what_needs_netem_is_refused_by_name_without_it() {
        let bad = condition(|c| {
            c.delay = Some(Duration::from_millis(10));
            c.loss = Some(1.0);
            c.rate = Some(1_000_000);
        });
        let refused = qdisc(1, &bad, false).unwrap_err();
        assert_eq!(refused, Impossible::NoNetem(vec!["delay", "loss"]));
        assert!(refused.to_string().contains("CONFIG_NET_SCH_NETEM"));
        let netem = qdisc(1, &bad, true).unwrap().unwrap().netem().unwrap();
        assert_eq!((netem.latency64, netem.loss, netem.rate.unwrap().rate), (Some(10_000_000), 42_949_673, 125_000));
    }

    #[test]
    fn overtaking_needs_somebody_to_overtake() {
        let reorder = condition(|c| c.reorder = Some(5.0));
        assert_eq!(qdisc(1, &reorder, true), Err(Impossible::ReorderWithoutDelay));
        let held = condition(|c| {
            c.reorder = Some(5.0);
            c.delay = Some(Duration::from_millis(1));
        });
        let netem = qdisc(1, &held, true).unwrap().unwrap().netem().unwrap();
        assert_eq!((netem.gap, netem.reorder.unwrap().probability), (1, 214_748_365));
    }

    #[test]
    fn shares_go_from_none_to_all() {
        assert_eq!((share(0.0), share(100.0), share(250.0), share(-1.0)), (0, CERTAIN, CERTAIN, 0));
        // Rounded, as `tc` does it.
        assert_eq!(share(50.0), 0x8000_0000);
    }
}
