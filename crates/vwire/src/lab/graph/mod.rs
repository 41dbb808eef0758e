//! Draws networks: a lab's file, a running lab, or the machine as it is, all by one picture. Pure.
//!
//! [`of_lab`] and [`of_parts`] make a [`Picture`], which is places with devices and cables between them; [`text`], [`svg`],
//! [`dot`] draw it. Where many places are alike, the drawings say so once.

pub mod dot;
pub mod of_lab;
pub mod of_parts;
pub mod svg;
pub mod text;

use std::collections::{BTreeMap, BTreeSet};

/// What is drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Picture {
    /// What it is a picture of.
    pub title: String,
    /// Namespaces and the machine.
    pub places: Vec<Place>,
    /// Cables: each joins two devices, named by place and device.
    pub cables: Vec<[(usize, usize); 2]>,
}

/// A namespace, or the machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Place {
    /// What it is called.
    pub name: String,
    /// Whether it is the machine itself.
    pub is_host: bool,
    /// Its devices.
    pub devices: Vec<Device>,
    /// What is to be said of it: that it forwards, what it translates.
    pub notes: Vec<String>,
}

/// A device.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// What it is: `veth`, `bridge`, `tap`.
    pub kind: String,
    /// Its addresses, `ADDRESS/LENGTH`.
    pub addresses: Vec<String>,
    /// The bridge that it is a port of, in the same place.
    pub master: Option<usize>,
    /// What is to be said of it: its state if that is bad, its VLANs, the condition of its cable.
    pub notes: Vec<String>,
}

/// How much there is: said of a picture, of a lab that is up, and of one in a list alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Nodes, those aside that are nothing but a bridge.
    pub nodes: usize,
    /// Bridges.
    pub bridges: usize,
    /// Cables.
    pub wires: usize,
}

impl std::fmt::Display for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = [(self.nodes, "node"), (self.bridges, "bridge"), (self.wires, "wire")];
        let some = all.into_iter().filter(|(number, _)| *number > 0);
        let told: Vec<String> =
            some.map(|(number, one)| format!("{number} {one}{}", if number == 1 { "" } else { "s" })).collect();
        f.write_str(&if told.is_empty() { "nothing".to_owned() } else { told.join(", ") })
    }
}

/// A thing at the end of a cable: a bridge, or a place without those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// A bridge: place and device.
    Bridge(usize, usize),
    /// A place.
    Place(usize),
}

impl Picture {
    /// Returns a device.
    #[must_use]
    pub fn device(&self, at: (usize, usize)) -> Option<&Device> {
        self.places.get(at.0)?.devices.get(at.1)
    }

    /// Returns the name of a place.
    #[must_use]
    pub fn place(&self, place: usize) -> &str {
        self.places.get(place).map_or("", |place| place.name.as_str())
    }

    /// Returns the far end of each device's cable.
    #[must_use]
    pub fn far_ends(&self) -> BTreeMap<(usize, usize), (usize, usize)> {
        self.cables.iter().flat_map(|[one, other]| [(*one, *other), (*other, *one)]).collect()
    }

    /// Returns what a device's cable seems to end at: the bridge that it is a port of, or its place.
    #[must_use]
    pub fn spot(&self, at: (usize, usize)) -> Spot {
        match self.device(at).and_then(|device| device.master) {
            Some(bridge) => Spot::Bridge(at.0, bridge),
            None => Spot::Place(at.0),
        }
    }

    /// Returns how much is in it.
    #[must_use]
    pub fn counted(&self) -> Counted {
        let alone = (0..self.places.len()).filter(|place| self.is_bridge_alone(*place)).count();
        Counted { nodes: self.places.len() - alone, bridges: self.bridges().len(), wires: self.cables.len() }
    }

    /// Returns all bridges: place and device.
    #[must_use]
    pub fn bridges(&self) -> Vec<(usize, usize)> {
        let of = |(index, place): (usize, &Place)| {
            let bridges = place.devices.iter().enumerate().filter(|(_, device)| device.kind == "bridge");
            bridges.map(move |(device, _)| (index, device)).collect::<Vec<_>>()
        };
        self.places.iter().enumerate().flat_map(of).collect()
    }

    /// Tells whether a place is nothing but one bridge and its ports.
    #[must_use]
    pub fn is_bridge_alone(&self, place: usize) -> bool {
        let Some(place) = self.places.get(place) else { return false };
        let bridges = place.devices.iter().filter(|device| device.kind == "bridge").count();
        bridges == 1 && place.devices.iter().all(|device| device.kind == "bridge" || device.master.is_some())
    }

    /// Returns what a bridge is called: by its place if that is nothing else, or by both.
    #[must_use]
    pub fn bridge_name(&self, at: (usize, usize)) -> String {
        let name = self.device(at).map_or("", |device| device.name.as_str());
        match self.place(at.0) {
            place if place == name => name.to_owned(),
            place => format!("{name} in {place}"),
        }
    }

    /// Returns what is to be read where a spot is drawn: its name, what it does, and the devices that no cable shows.
    #[must_use]
    pub fn lines(&self, spot: Spot) -> Vec<String> {
        let wired: BTreeSet<(usize, usize)> = self.cables.iter().flatten().copied().collect();
        let mut lines = vec![self.spot_name(spot)];
        let (Spot::Bridge(place, _) | Spot::Place(place)) = spot;
        let Some(of) = self.places.get(place) else { return lines };
        let mut add = |device: &Device| {
            lines.push(format!("{} ({})", device.name, device.kind));
            lines.extend(device.addresses.iter().chain(&device.notes).cloned());
        };
        let alone = of.devices.iter().enumerate().filter(|(at, _)| !wired.contains(&(place, *at)));
        match spot {
            Spot::Bridge(_, bridge) => {
                let ports = alone.filter(|(_, device)| device.master == Some(bridge));
                ports.for_each(|(_, device)| add(device));
                let own = of.devices.get(bridge).map(|own| own.addresses.iter().chain(&own.notes).cloned());
                let notes = self.is_bridge_alone(place).then(|| of.notes.clone()).into_iter().flatten();
                lines.splice(1..1, own.into_iter().flatten().chain(notes));
            }
            Spot::Place(_) => {
                alone
                    .filter(|(_, device)| device.kind != "bridge" && device.master.is_none())
                    .for_each(|(_, device)| add(device));
                lines.splice(1..1, (!of.notes.is_empty()).then(|| of.notes.join(", ")));
            }
        }
        lines
    }

    /// Returns what a spot is called.
    #[must_use]
    pub fn spot_name(&self, spot: Spot) -> String {
        match spot {
            Spot::Bridge(place, device) => self.bridge_name((place, device)),
            Spot::Place(place) => self.place(place).to_owned(),
        }
    }
}

/// Returns what names are sorted by, so that `pc10` stands behind `pc9`.
#[must_use]
pub fn natural(name: &str) -> (String, u64) {
    numbered(name).map_or_else(|| (name.to_owned(), 0), |(stem, number)| (stem.to_owned(), number))
}

/// Splits a name into what stands before its number, and the number.
pub(crate) fn numbered(name: &str) -> Option<(&str, u64)> {
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = name.get(stem.len()..)?.parse().ok()?;
    (!stem.is_empty()).then_some((stem, number))
}

/// The fewest places that are drawn as one.
pub(crate) const ALIKE: usize = 5;

/// Returns runs of items that are alike but for a number that counts up: the first and the last of each.
pub(crate) fn runs<T>(items: &[T], alike: impl Fn(&T, &T) -> bool) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for index in 0..items.len() {
        let goes_on = match (runs.last(), index.checked_sub(1).and_then(|last| items.get(last)), items.get(index)) {
            (Some(_), Some(last), Some(item)) => alike(last, item),
            _ => false,
        };
        match runs.last_mut() {
            Some(run) if goes_on => run.1 = index,
            _ => runs.push((index, index)),
        }
    }
    let split = |(first, last): (usize, usize)| {
        if last + 1 - first >= ALIKE { vec![(first, last)] } else { (first..=last).map(|one| (one, one)).collect() }
    };
    runs.into_iter().flat_map(split).collect()
}
