//! Reads a queueing discipline as a condition of a lab's file. Pure.

use std::time::Duration;

use vwire_netlink::Qdisc;
use vwire_netlink::wire::qdisc::{CERTAIN, Netem, ROOT, Tbf};

use crate::lab::condition::{QUEUE, qdisc};
use crate::lab::model::Condition;
use crate::lab::plan::is_satisfied;

/// What links have by themselves.
pub(crate) const BY_THEMSELVES: &[&str] = &["noqueue", "noop", "pfifo_fast", "fq_codel", "fq", "pfifo", "mq"];

/// Returns the condition of what leaves by a link, and whether a file says all of it.
pub(crate) fn of(index: u32, qdiscs: &[Qdisc]) -> (Option<Condition>, bool) {
    let root = qdiscs.iter().find(|qdisc| qdisc.index == index && qdisc.parent == ROOT);
    let Some(root) = root else { return (None, true) };
    let condition = match (root.tbf(), root.netem()) {
        (Some(tbf), _) => bucket(&tbf),
        (_, Some(netem)) => way(&netem),
        _ => {
            let kind = root.kind.as_ref().map(ToString::to_string).unwrap_or_default();
            return (None, BY_THEMSELVES.contains(&kind.as_str()));
        }
    };
    let again = condition.and_then(|condition| qdisc(index, &condition, true).ok()?);
    let whole = again.is_some_and(|again| is_satisfied(&again, root));
    (condition, whole)
}

fn bucket(tbf: &Tbf) -> Option<Condition> {
    let parms = tbf.parms?;
    let bytes = tbf.rate64.unwrap_or_else(|| u64::from(parms.rate.rate));
    let rate = Some(bytes.checked_mul(8)?);
    // How long what fills the queue takes; said only if it is not what it would be anyway.
    let usual = Condition { rate, ..Condition::default() };
    let burst = qdisc(1, &usual, true).ok()??.tbf()?.burst?;
    let waits = u64::from(parms.limit.saturating_sub(burst)).checked_mul(1_000_000)?.checked_div(bytes)?;
    let queue = Some(Duration::from_micros(waits)).filter(|queue| {
        let same = qdisc(1, &usual, true).ok().flatten().and_then(|qdisc| qdisc.tbf());
        same.and_then(|same| same.parms).is_none_or(|same| same.limit != parms.limit) && *queue != QUEUE
    });
    Some(Condition { queue, ..usual })
}

fn way(netem: &Netem) -> Option<Condition> {
    let time = |nanos: Option<i64>| nanos.and_then(|nanos| u64::try_from(nanos).ok()).filter(|nanos| *nanos > 0);
    let share = |chance: u32| (chance != 0).then(|| percent(chance));
    let bytes = netem.rate64.or(netem.rate.map(|rate| u64::from(rate.rate))).filter(|bytes| *bytes > 0);
    Some(Condition {
        delay: time(netem.latency64).map(Duration::from_nanos),
        jitter: time(netem.jitter64).map(Duration::from_nanos),
        loss: share(netem.loss),
        duplicate: share(netem.duplicate),
        reorder: netem.reorder.and_then(|reorder| share(reorder.probability)),
        rate: bytes.and_then(|bytes| bytes.checked_mul(8)),
        queue: None,
    })
}

/// Returns a fraction of [`CERTAIN`] in percent, with four digits behind the point.
fn percent(chance: u32) -> f64 {
    let exact = f64::from(chance) / f64::from(CERTAIN) * 100.0;
    (exact * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(condition: Condition) -> (Option<Condition>, bool) {
        let has_netem = true;
        let root = qdisc(7, &condition, has_netem).unwrap().unwrap();
        of(7, &[root])
    }

    #[test]
    fn conditions_of_a_lab_are_read_as_they_were_said() {
        let rate = Condition { rate: Some(10_000_000), ..Condition::default() };
        assert_eq!(round(rate), (Some(rate), true));
        let slow = Condition { queue: Some(Duration::from_millis(400)), ..rate };
        assert_eq!(round(slow), (Some(slow), true));
        let bad = Condition {
            delay: Some(Duration::from_millis(30)),
            jitter: Some(Duration::from_millis(2)),
            loss: Some(1.5),
            duplicate: Some(0.1),
            reorder: Some(5.0),
            ..Condition::default()
        };
        assert_eq!(round(bad), (Some(bad), true));
    }

    #[test]
    fn what_a_file_cannot_say_is_told() {
        let other = Qdisc { kind: Some("htb".into()), ..Qdisc::root(7) };
        assert_eq!(of(7, &[other]), (None, false));
        let usual = Qdisc { kind: Some("noqueue".into()), ..Qdisc::root(7) };
        assert_eq!(of(7, &[usual]), (None, true));
        assert_eq!(of(7, &[]), (None, true));
    }
}
