//! Gives the devices of a lab their indexes. Pure.

use std::collections::{BTreeSet, HashMap};

use super::compile::LOOPBACK;
use super::model::{Device, DeviceKind, Lab};
use crate::snapshot::state::State;
use crate::step::world::{End, Place};

/// The index of each device, by node and name.
pub(super) type Indexes = HashMap<(usize, String), u32>;

/// Gives each device an index: the one that it has, or else a free one.
pub(super) fn indexes(lab: &Lab, now: &[&State]) -> Indexes {
    let mut indexes = Indexes::new();
    let mut used: Vec<BTreeSet<u32>> =
        now.iter().map(|state| state.links.iter().map(|link| link.index).collect()).collect();
    let places: HashMap<&str, usize> =
        lab.nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect();
    for (at, node) in lab.nodes.iter().enumerate() {
        for device in &node.devices {
            if let Some(link) = now[at].link_named(device.name.as_bytes()) {
                indexes.insert((at, device.name.clone()), link.index);
            }
        }
    }
    // Kernels before 6.15 look for an index where the link below is, too: those come when all there have theirs.
    let is_elsewhere = |device: &Device| device.kind.parent().is_some_and(|parent| parent.node.is_some());
    let mut elsewhere: Vec<(usize, &Device)> = Vec::new();
    for (at, node) in lab.nodes.iter().enumerate() {
        // The kernel counts on from the last; behind that nobody else comes soon.
        let first = used[at].last().copied().unwrap_or(LOOPBACK).max(LOOPBACK) + 1;
        let mut next = if node.is_host { first } else { LOOPBACK + 1 };
        for device in &node.devices {
            let key = (at, device.name.clone());
            if indexes.contains_key(&key) {
                continue;
            }
            if is_elsewhere(device) {
                elsewhere.push((at, device));
                continue;
            }
            let other = match &device.kind {
                DeviceKind::Veth { node, device } => {
                    places.get(node.as_str()).and_then(|other| indexes.get(&(*other, device.clone()))).copied()
                }
                _ => None,
            };
            while used[at].contains(&next) {
                next += 1;
            }
            let mut index = next;
            while used[at].contains(&index) || Some(index) == other {
                index += 1;
            }
            used[at].insert(index);
            indexes.insert(key, index);
        }
    }
    for (at, device) in elsewhere {
        let node = device.kind.parent().and_then(|parent| parent.node.as_deref());
        let below = node.and_then(|node| places.get(node)).copied().unwrap_or(at);
        let is_free = |index: &u32| !used[at].contains(index) && !used[below].contains(index);
        let index = (LOOPBACK + 1..).find(is_free).unwrap_or_default();
        used[at].insert(index);
        indexes.insert((at, device.name.clone()), index);
    }
    indexes
}

/// Returns the two ends of each cable.
pub(super) fn cables(lab: &Lab, indexes: &Indexes) -> Vec<(End, End)> {
    let places: HashMap<&str, usize> =
        lab.nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect();
    let mut cables = Vec::new();
    for (at, node) in lab.nodes.iter().enumerate() {
        for device in &node.devices {
            let DeviceKind::Veth { node: other_node, device: other_device } = &device.kind else { continue };
            let Some(other) = places.get(other_node.as_str()).copied() else { continue };
            let here = indexes.get(&(at, device.name.clone()));
            let there = indexes.get(&(other, other_device.clone()));
            if let (Some(here), Some(there)) = (here, there)
                && (at, here) < (other, there)
            {
                let end = |at, index: &u32| End { place: Place(at), index: *index };
                cables.push((end(at, here), end(other, there)));
            }
        }
    }
    cables
}
