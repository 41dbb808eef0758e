//! Sysctls, which are files and no messages. Pure.

use super::difference::Difference;
use super::plan::{Context, Plan, Stage};
use super::{Action, words};

/// What is wanted where it differs: the name, the value that is there, the value that is wanted.
fn changed<'a>(context: &Context<'a>) -> impl Iterator<Item = (&'a String, Option<&'a String>, &'a String)> {
    let context = *context;
    let wanted = context.wanted.sysctls.iter();
    let wanted = wanted.filter(move |(name, _)| context.scope.has_sysctl(context.place, name));
    wanted.filter_map(move |(name, value)| {
        let now = context.now.sysctls.get(name);
        (now.map(|now| words::fields(now)) != Some(words::fields(value))).then_some((name, now, value))
    })
}

/// Returns whether a sysctl is one by which new links are made, or of none.
fn is_before_links(name: &str) -> bool {
    let mut parts = name.split('.');
    let is_of_link = parts.any(|part| matches!(part, "conf" | "neigh"));
    !is_of_link || matches!(parts.next(), Some("default" | "all"))
}

/// Adds the steps that bring sysctls to what is wanted.
pub(super) fn plan(context: &Context<'_>, plan: &mut Plan) {
    for (name, was, value) in changed(context) {
        let stage = if is_before_links(name) { Stage::DefaultSet } else { Stage::SysctlSet };
        let action = Action::Sysctl { name: name.clone(), value: value.clone(), was: was.cloned() };
        plan.add(stage, context.place, action);
    }
}

/// Adds how the sysctls differ from what is wanted.
pub(super) fn differences(context: &Context<'_>, to: &mut Vec<Difference>) {
    let place = context.place;
    to.extend(changed(context).map(|(name, is, should)| Difference {
        place,
        object: format!("sysctl {name}"),
        attribute: "value",
        is: is.cloned(),
        should: Some(should.clone()),
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_new_links_are_made_by_is_set_before_them() {
        assert!(is_before_links("net.ipv4.ip_forward"));
        assert!(is_before_links("net.ipv6.conf.default.accept_dad"));
        assert!(!is_before_links("net.ipv6.conf.eth0.accept_dad"));
    }
}
