//! What several namespaces hold at once, and the cables between them. Pure.
//!
//! Indexes are the only names in here: a link is a place and an index. Who wants links that are not there yet
//! gives them indexes that are free, and asks for those when they are made.

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
}

impl World {
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
