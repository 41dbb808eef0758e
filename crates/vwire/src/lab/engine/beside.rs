//! Brings back what is in none of the tables that are looked at: queueing, nftables, and the files that go with a lab.

use super::Done;
use super::field::stand_in;
use super::journal::pending;
use super::survey::{applied, survey, whole};
use super::{down, saved};
use crate::lab::exec::HOSTS;
use crate::lab::failed::Failed;
use crate::lab::hosts;
use crate::lab::namespace::Namespace;
use crate::lab::namespace::walk::Walker;
use crate::lab::record::Record;
use crate::step::Action;
use crate::step::run::{Places, run};

/// Makes queueing and nftables what the file that was applied last says, where a run that is undone has changed them;
/// its journal is still there.
///
/// # Errors
/// What could not be brought back.
pub fn bring_back(walker: &mut Walker, lab: &str, record: &Record) -> Done<()> {
    walker.go_home().map_err(|error| Failed::new("cannot go home").because(&error))?;
    let Some(old) = applied(record) else {
        // All else that the run made is on links of its own, and in namespaces of its own.
        if pending(record).is_none_or(|lab| lab.nodes.iter().any(|node| node.is_host)) {
            down::remove_table(lab)?;
        }
        return Ok(());
    };
    let old = whole(walker, &old, record)?;
    let survey = survey(walker, &old, record)?;
    let names = survey.names(&old);
    let is_beside = |action: &Action| matches!(action, Action::Other { .. });
    let steps: Vec<_> = survey.plan.steps.into_iter().filter(|step| is_beside(&step.action)).collect();
    if !steps.is_empty() {
        let failed = |error: std::io::Error| Failed::new("cannot go home").because(&error);
        walker.go_home().map_err(failed)?;
        let empty = Namespace::create().map_err(failed)?;
        let mut places = Places::default();
        for ((node, state), site) in old.nodes.iter().zip(&survey.wanted.states).zip(survey.field.sites) {
            // One that somebody else took away keeps its number.
            let site = site.map_or_else(|| stand_in(node, &empty), Ok)?;
            places.add(site.into_room(&node.name, state));
        }
        run(&mut places, &steps).map_err(|failed| {
            let what = failed.step.describe(&names);
            Failed::new(format!("cannot bring back `{what}`: {}", failed.error))
        })?;
    }
    let written = |error: std::io::Error| Failed::new("cannot write what is kept of the lab").because(&error);
    record.write(HOSTS, hosts::text(&old).as_bytes()).map_err(written)?;
    saved::prune(record, &old).map_err(written)
}
