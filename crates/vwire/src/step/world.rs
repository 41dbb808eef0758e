//! What several namespaces hold at once, and the cables between them. Pure.
//!
//! Indexes are the only names in here: a link is a place and an index. Who wants links that are not there yet
//! gives them indexes that are free, and asks for those when they are made.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::snapshot::state::State;

/// One of the namespaces that are looked at or changed together, by its position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(pub usize);

/// A link in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct End {
    /// Where.
    pub place: Place,
    /// The link's index there.
    pub index: u32,
}

/// What several namespaces hold, one state a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// The state of each place.
    pub states: Vec<State>,
    /// The two ends of each veth pair of which both ends are seen, in the same place or in two.
    pub cables: Vec<(End, End)>,
    /// The links that stand on one of another place, and what they stand on: a macvlan of one namespace on a device of
    /// another.
    pub lowers: BTreeMap<End, End>,
}

impl World {
    /// Returns the state of a place; of one that is not known, an empty one.
    #[must_use]
    pub fn state(&self, place: Place) -> &State {
        static NOTHING: LazyLock<State> = LazyLock::new(State::default);
        self.states.get(place.0).unwrap_or(&NOTHING)
    }

    /// Takes a link out of it, with all that hangs on it.
    pub fn forget(&mut self, end: End) {
        super::departure::remove(self, end);
    }

    /// Takes a link out of it, with all links that go with it.
    pub fn forget_with_all(&mut self, end: End) {
        super::departure::remove_with_all(self, end);
    }

    /// Returns the other end of a cable.
    #[must_use]
    pub fn other_end(&self, end: End) -> Option<End> {
        self.cables.iter().find_map(|(a, b)| {
            if *a == end {
                Some(*b)
            } else if *b == end {
                Some(*a)
            } else {
                None
            }
        })
    }
}

/// What places and links are called, to speak of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    places: Vec<String>,
    links: BTreeMap<End, String>,
}

impl Names {
    /// Takes the names of links from these worlds, the first that has one, and those of the places from `places`.
    ///
    /// A place whose name is empty, or missing, is not spoken of.
    #[must_use]
    pub fn of(places: Vec<String>, worlds: &[&World]) -> Self {
        let mut links = BTreeMap::new();
        for world in worlds {
            for (position, state) in world.states.iter().enumerate() {
                for link in &state.links {
                    let end = End { place: Place(position), index: link.index };
                    if let Some(name) = &link.ifname {
                        links.entry(end).or_insert_with(|| name.to_string());
                    }
                }
            }
        }
        Self { places, links }
    }

    /// Returns what a link is called, or its index where nothing says its name.
    #[must_use]
    pub fn link(&self, place: Place, index: u32) -> String {
        self.links.get(&End { place, index }).cloned().unwrap_or_else(|| format!("if{index}"))
    }

    /// Returns what a place is called.
    #[must_use]
    pub fn place(&self, place: Place) -> Option<&str> {
        self.places.get(place.0).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Puts the place's name before what is said of it.
    #[must_use]
    pub fn at(&self, place: Place, said: &str) -> String {
        match self.place(place) {
            Some(name) => format!("{name}: {said}"),
            None => said.to_owned(),
        }
    }
}
