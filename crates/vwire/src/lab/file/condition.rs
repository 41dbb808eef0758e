//! Reads the condition of a wire: delay, loss, rate and the like, by name or by words. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::layers::Layers;
use super::problem::{Report, Trouble, quoted};
use super::text::{Word, Words, span_of};
use super::unit;
use crate::lab::model::{Condition, Span};
use crate::lab::nearest::nearest;

/// The words of a condition, in a line and as keys of a table.
pub(crate) const WORDS: &[&str] = &["like", "delay", "jitter", "loss", "duplicate", "reorder", "rate", "queue"];

/// The most conditions of a file.
const MOST: usize = 256;

/// Conditions by name: those of the file and those that are always there.
#[derive(Debug)]
pub(crate) struct Conditions(BTreeMap<String, Condition>);

/// Returns the conditions that need not be said: one direction of what people have at home or on the way.
#[must_use]
pub fn always_there() -> Vec<(&'static str, Condition)> {
    let of = |delay_us: u64, jitter_us: u64, loss: f64, mbit: u64| Condition {
        delay: Some(Duration::from_micros(delay_us)),
        jitter: (jitter_us > 0).then(|| Duration::from_micros(jitter_us)),
        loss: (loss > 0.0).then_some(loss),
        rate: Some(mbit * 1_000_000),
        ..Condition::default()
    };
    vec![
        ("lan", of(100, 0, 0.0, 1000)),
        ("wifi", of(2_000, 1_000, 0.2, 100)),
        ("dsl", of(10_000, 1_000, 0.0, 16)),
        ("4g", of(25_000, 8_000, 0.3, 30)),
        ("3g", of(75_000, 20_000, 1.0, 3)),
        ("satellite", of(280_000, 10_000, 0.5, 20)),
        ("bad", of(100_000, 40_000, 5.0, 2)),
    ]
}

impl Conditions {
    /// Reads `[condition.NAME]`, each after those that it starts from.
    pub(crate) fn read<'a>(report: &mut Report<'_>, file: &Layers<'a>) -> Self {
        let known = always_there().into_iter().map(|(name, condition)| (name.to_owned(), condition));
        let mut conditions = Self(known.collect());
        let mut waiting: Vec<_> = file.named("condition");
        if let Some((name, _)) = waiting.get(MOST) {
            let trouble = Trouble::new(span_of(name), format!("a lab has at most {MOST} conditions"));
            report.error(trouble.label("this is one too many"));
            return conditions;
        }
        // Each round reads those whose base is known; a round without any leaves a circle, or what nobody knows.
        loop {
            let names: Vec<String> = waiting.iter().map(|(name, _)| name.get_ref().to_string()).collect();
            let waits = |layers: &Layers<'a>| {
                layers.text("like").is_some_and(|base| names.iter().any(|name| name == base.as_str()))
            };
            let (later, now): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, layers)| waits(layers));
            if now.is_empty() {
                for (name, _) in later {
                    let trouble = Trouble::new(span_of(name), format!("{} is like itself", quoted(name.get_ref())));
                    report.error(trouble.label("a circle of `like`"));
                }
                return conditions;
            }
            for (name, layers) in now {
                let read = conditions.of_table(&layers, Condition::default());
                if let Some(condition) = report.take(read.and_then(|condition| sound(condition, span_of(name)))) {
                    conditions.0.insert(name.get_ref().to_string(), condition);
                }
            }
            waiting = later;
        }
    }

    /// Adds one word and its value to a condition.
    pub(crate) fn add(&self, to: &mut Condition, word: &str, value: Word<'_>) -> Result<(), Trouble> {
        match word {
            "like" => *to = over(*to, self.named(value)?),
            "delay" => to.delay = Some(unit::time(value)?),
            "jitter" => to.jitter = Some(unit::time(value)?),
            "loss" => to.loss = Some(unit::percent(value)?),
            "duplicate" => to.duplicate = Some(unit::percent(value)?),
            "reorder" => to.reorder = Some(unit::percent(value)?),
            "rate" => to.rate = Some(unit::rate(value)?),
            _ => to.queue = Some(unit::time(value)?),
        }
        Ok(())
    }

    /// Reads the value behind a word of a line.
    pub(crate) fn word(&self, to: &mut Condition, word: Word<'_>, words: &mut Words<'_>) -> Result<(), Trouble> {
        let value = words.want(&format!("what `{}` is", word.text))?;
        self.add(to, word.text, value)
    }

    /// Reads the keys of a table, over what holds already.
    pub(crate) fn of_table(&self, layers: &Layers<'_>, mut over: Condition) -> Result<Condition, Trouble> {
        for key in WORDS {
            if let Some(text) = layers.text(key) {
                self.add(&mut over, key, text.word())?;
            }
        }
        Ok(over)
    }

    fn named(&self, name: Word<'_>) -> Result<Condition, Trouble> {
        self.0.get(name.text).copied().ok_or_else(|| {
            let trouble = name.wrong("there is no condition");
            match nearest(name.text, self.0.keys().map(String::as_str)) {
                Some(meant) => trouble.label(format!("did you mean `{meant}`?")),
                None => trouble.label(self.0.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
            }
        })
    }
}

/// Lays one condition over another.
fn over(top: Condition, base: Condition) -> Condition {
    Condition {
        delay: top.delay.or(base.delay),
        jitter: top.jitter.or(base.jitter),
        loss: top.loss.or(base.loss),
        duplicate: top.duplicate.or(base.duplicate),
        reorder: top.reorder.or(base.reorder),
        rate: top.rate.or(base.rate),
        queue: top.queue.or(base.queue),
    }
}

/// Lays what one direction says over what both say.
pub(crate) fn direction(one: Condition, both: Condition) -> Condition {
    over(one, both)
}

/// Refuses a condition that means nothing.
pub(crate) fn sound(condition: Condition, span: Span) -> Result<Condition, Trouble> {
    let delayed = condition.delay.is_some_and(|delay| !delay.is_zero());
    let wrong = |message: &str| Err(Trouble::new(span, message).label("a `delay` is missing"));
    if condition.jitter.is_some_and(|jitter| !jitter.is_zero()) && !delayed {
        return wrong("jitter is by how much a delay varies, and there is no delay");
    }
    if condition.reorder.is_some_and(|reorder| reorder > 0.0) && !delayed {
        return wrong("packets overtake others only where those are held, and there is no delay");
    }
    if condition.queue.is_some() && condition.rate.is_none() {
        let message = "a queue is where packets wait for the rate, and there is no rate";
        return Err(Trouble::new(span, message).label("a `rate` is missing"));
    }
    Ok(condition)
}

/// Returns the condition if it does anything.
pub(crate) fn some(condition: Condition) -> Option<Condition> {
    (condition != Condition::default()).then_some(condition)
}
