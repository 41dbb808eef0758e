//! Labels by which IPv6 chooses source addresses. Pure.

use vwire_netlink::AddressLabel;

use super::delta::{Delta, compare};
use super::difference::Difference;
use super::plan::{Context, Plan, Stage};
use super::scope::LabelKey;
use super::{Object, Verb, words};
use crate::snapshot::state::State;
use crate::step::world::Names;

fn considered<'a>(context: &Context<'a>, state: &'a State) -> impl Iterator<Item = &'a AddressLabel> {
    let context = *context;
    state.labels.iter().filter(move |label| context.scope.has_label(context.place, label))
}

fn delta<'a>(context: &Context<'a>) -> Delta<'a, AddressLabel> {
    let satisfied = |wanted: &AddressLabel, now: &AddressLabel| wanted.label == now.label;
    let mut delta =
        compare(considered(context, context.wanted), considered(context, context.now), LabelKey::of, satisfied);
    if !context.is_picture() {
        // The kernel's own table is there from the start, and no wish names it.
        delta.gone.clear();
    }
    delta
}

fn asked(label: &AddressLabel) -> AddressLabel {
    AddressLabel { flags: 0, sequence: 0, ..label.clone() }
}

/// Adds the steps that bring labels to what is wanted.
pub(super) fn plan(context: &Context<'_>, plan: &mut Plan) {
    let place = context.place;
    let delta = delta(context);
    for label in delta.gone {
        plan.object(Stage::LabelGoes, place, Verb::Delete, Object::Label(Box::new(asked(label))));
    }
    let changed = delta.changed.into_iter().map(|(_, wanted)| wanted);
    for label in delta.made.into_iter().chain(changed) {
        plan.object(Stage::LabelComes, place, Verb::Replace, Object::Label(Box::new(asked(label))));
    }
}

/// Adds how the labels differ from what is wanted.
pub(super) fn differences(context: &Context<'_>, names: &Names, to: &mut Vec<Difference>) {
    let place = context.place;
    let name = |label: &AddressLabel| format!("addrlabel {}", words::label(label, names, place));
    let delta = delta(context);
    to.extend(delta.made.iter().map(|label| Difference::missing(place, name(label))));
    to.extend(delta.gone.iter().map(|label| Difference::surplus(place, name(label))));
    for (now, wanted) in delta.changed {
        let shown = |label: &AddressLabel| label.label.map(|label| label.to_string());
        to.push(Difference { place, object: name(wanted), attribute: "label", is: shown(now), should: shown(wanted) });
    }
}
