//! A plan under construction: steps with their place in the order that the kernel takes. Pure.

use std::collections::BTreeSet;

use vwire_netlink::LinkAddress;

use super::scope::Scope;
use super::world::{End, Place};
use super::{Action, Object, Step, Verb};
use crate::snapshot::state::State;

/// When a step is done. What goes, goes before what it stands on; what comes, comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    RuleGoes,
    RouteGoes,
    NexthopGoes,
    NeighbourGoes,
    ForwardingGoes,
    LabelGoes,
    AddressGoes,
    LinkGoes,
    LinkMoves,
    /// Names that others need are given up.
    LinkYields,
    /// Sysctls that new links are made by.
    DefaultSet,
    /// MTUs are raised; from 1280 on a link has IPv6, which begins as the sysctls say.
    LinkGrows,
    LinkComes,
    LinkChanges,
    SysctlSet,
    AddressComes,
    NexthopComes,
    RouteComes,
    RuleComes,
    NeighbourComes,
    ForwardingComes,
    VlanComes,
    LabelComes,
}

/// Stages between which all places must be done: what is in one place may stand on what is in another.
const BARRIERS: [Stage; 4] = [Stage::LinkGoes, Stage::LinkMoves, Stage::DefaultSet, Stage::LinkComes];

/// What is compared: one place of two worlds, and what may be touched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) place: Place,
    pub(super) wanted: &'a State,
    pub(super) now: &'a State,
    pub(super) scope: &'a Scope,
    /// Links of which this plan changes something: what the kernel makes of them by itself is still to come or to go.
    pub(super) busy: &'a BTreeSet<End>,
    /// The addresses of what stands on links from other places.
    pub(super) above: &'a BTreeSet<(End, LinkAddress)>,
}

impl Context<'_> {
    /// Returns whether `wanted` is a picture of all that was there.
    pub(super) fn is_picture(&self) -> bool {
        self.scope.is_picture()
    }

    /// Returns whether the plan leaves a link alone.
    pub(super) fn is_quiet(&self, index: u32) -> bool {
        !self.busy.contains(&End { place: self.place, index })
    }
}

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Plan {
    steps: Vec<(Stage, Step)>,
}

impl Plan {
    /// Adds a step.
    pub(super) fn add(&mut self, stage: Stage, place: Place, action: Action) {
        self.steps.push((stage, Step { place, action }));
    }

    /// Adds a step that does something with an object.
    pub(super) fn object(&mut self, stage: Stage, place: Place, verb: Verb, object: Object) {
        self.add(stage, place, Action::Object { verb, object, was: None });
    }

    /// Returns the steps in order: within a phase those of one place together, so that they can be sent together.
    pub(super) fn into_steps(mut self) -> Vec<Step> {
        let phase = |stage: Stage| BARRIERS.iter().filter(|barrier| stage >= **barrier).count();
        let ends = |stage: Stage| BARRIERS.iter().filter(|barrier| stage > **barrier).count();
        // Links come, and MTUs grow, in the order of what stands on what, across places.
        let is_ordered = |stage: Stage| matches!(stage, Stage::LinkComes | Stage::LinkGrows);
        let place = |stage: Stage, step: &Step| if is_ordered(stage) { 0 } else { step.place.0 };
        self.steps.sort_by_key(|(stage, step)| (phase(*stage), ends(*stage), place(*stage, step), *stage));
        self.steps.into_iter().map(|(_, step)| step).collect()
    }
}
