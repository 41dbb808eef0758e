//! Routing rules: what makes two the same, how one comes and goes. Pure.
//!
//! A rule has no name: it is all that it says. The kernel puts a rule without a priority before the others.

use vwire_netlink::{IfName, Rule};

use super::delta::{Delta, compare};
use super::difference::Difference;
use super::plan::{Context, Plan, Stage};
use super::{Object, Verb, words};
use crate::snapshot::state::State;
use crate::step::world::Names;

/// `AF_INET`, `AF_INET6`; multicast routing has rules of its own.
const FAMILIES: [u8; 2] = [2, 10];
/// `RTPROT_KERNEL`.
const BY_KERNEL: u8 = 2;
/// `FIB_RULE_PERMANENT`, `FIB_RULE_INVERT`: the flags that are not told by the state of links.
const INVERT: u32 = 2;
/// What stands for no prefix or group to suppress.
const NONE: u32 = u32::MAX;

/// Returns a rule as it would be asked for.
pub(super) fn asked(rule: &Rule) -> Rule {
    let table = rule.table_id();
    let suppressed = |value: Option<u32>| value.filter(|value| *value != NONE);
    Rule {
        header_table: u8::try_from(table).unwrap_or(0),
        table: Some(table),
        flags: rule.flags & INVERT,
        suppress_ifgroup: suppressed(rule.suppress_ifgroup),
        suppress_prefixlen: suppressed(rule.suppress_prefixlen),
        protocol: rule.protocol.filter(|protocol| *protocol != 0),
        l3mdev: rule.l3mdev.filter(|is| *is != 0),
        // Without a mark, the mask of all bits is only told.
        fwmask: rule.fwmask.filter(|mask| rule.fwmark.is_some() || *mask != 0 && *mask != u32::MAX),
        goto: rule.goto.filter(|target| *target != 0),
        ..rule.clone()
    }
}

/// Returns whether a rule has all that another one says.
pub(super) fn fits(rule: &Rule, pattern: &Rule) -> bool {
    let (rule, pattern) = (asked(rule), asked(pattern));
    fn said<T: PartialEq>(pattern: Option<&T>, rule: Option<&T>) -> bool {
        pattern.is_none() || pattern == rule
    }
    let names = |one: Option<IfName>, other: Option<IfName>| said(one.as_ref(), other.as_ref());
    rule.family == pattern.family
        && said(pattern.priority.as_ref(), rule.priority.as_ref())
        && (rule.dst_len == pattern.dst_len || pattern.dst.is_none())
        && (rule.src_len == pattern.src_len || pattern.src.is_none())
        && said(pattern.dst.as_ref(), rule.dst.as_ref())
        && said(pattern.src.as_ref(), rule.src.as_ref())
        && (pattern.tos == 0 || pattern.tos == rule.tos)
        && (pattern.table_id() == 0 || pattern.table_id() == rule.table_id())
        && (pattern.action == 0 || pattern.action == rule.action)
        && names(pattern.iifname, rule.iifname)
        && names(pattern.oifname, rule.oifname)
        && said(pattern.fwmark.as_ref(), rule.fwmark.as_ref())
        && said(pattern.fwmask.as_ref(), rule.fwmask.as_ref())
        && said(pattern.protocol.as_ref(), rule.protocol.as_ref())
        && said(pattern.uid_range.as_ref(), rule.uid_range.as_ref())
        && said(pattern.ip_proto.as_ref(), rule.ip_proto.as_ref())
        && said(pattern.sport_range.as_ref(), rule.sport_range.as_ref())
        && said(pattern.dport_range.as_ref(), rule.dport_range.as_ref())
}

fn considered<'a>(context: &Context<'a>, state: &'a State) -> impl Iterator<Item = &'a Rule> {
    let context = *context;
    state.rules.iter().filter(move |rule| {
        FAMILIES.contains(&rule.family)
            && context.scope.has_rule(context.place, rule)
            && (context.is_picture() || rule.protocol != Some(BY_KERNEL))
    })
}

/// In a wish, a rule may leave its priority and its maker to the kernel.
fn delta<'a>(context: &Context<'a>) -> Delta<'a, Rule> {
    let picture = context.is_picture();
    let plain = |rule: &Rule| {
        let rule = asked(rule);
        (rule.family, rule.table_id(), rule.action, rule.src, rule.dst, rule.iifname, rule.oifname, rule.fwmark)
    };
    let satisfied = |wanted: &Rule, now: &Rule| {
        let (wanted, mut now) = (asked(wanted), asked(now));
        if !picture {
            now.priority = now.priority.filter(|_| wanted.priority.is_some());
            now.protocol = now.protocol.filter(|_| wanted.protocol.is_some());
            now.fwmask = now.fwmask.filter(|_| wanted.fwmask.is_some());
        }
        wanted == now
    };
    compare(considered(context, context.wanted), considered(context, context.now), plain, satisfied)
}

/// Adds the steps that bring rules to what is wanted.
pub(super) fn plan(context: &Context<'_>, plan: &mut Plan) {
    let place = context.place;
    let delta = delta(context);
    let gone = delta.gone.iter().copied().chain(delta.changed.iter().map(|(now, _)| *now));
    for rule in gone {
        plan.object(Stage::RuleGoes, place, Verb::Delete, Object::Rule(Box::new(asked(rule))));
    }
    let made = delta.made.iter().copied().chain(delta.changed.iter().map(|(_, wanted)| *wanted));
    for rule in made {
        plan.object(Stage::RuleComes, place, Verb::Add, Object::Rule(Box::new(asked(rule))));
    }
}

/// Adds how the rules differ from what is wanted.
pub(super) fn differences(context: &Context<'_>, _: &Names, to: &mut Vec<Difference>) {
    let place = context.place;
    let name = |rule: &Rule| format!("rule {}", words::rule(rule));
    let delta = delta(context);
    let changed = delta.changed;
    let made = delta.made.into_iter().chain(changed.iter().map(|(_, wanted)| *wanted));
    to.extend(made.map(|rule| Difference::missing(place, name(rule))));
    let gone = delta.gone.into_iter().chain(changed.iter().map(|(now, _)| *now));
    to.extend(gone.map(|rule| Difference::surplus(place, name(rule))));
}
