//! What is not as it should be, to be shown and counted. Pure.

use super::world::{Names, Place};

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub place: Place,
    /// The object, in `ip`'s words: `link eth0`, `addr 10.0.0.1/24 dev eth0`.
    pub object: String,
    /// Which attribute; empty where the object as a whole is missing, or too many.
    pub attribute: &'static str,
    /// What it is; `None` where it is not there.
    pub is: Option<String>,
    /// What it should be; `None` where it should not be there.
    pub should: Option<String>,
}

impl Difference {
    /// Returns the difference that an object is not there.
    #[must_use]
    pub fn missing(place: Place, object: String) -> Self {
        Self { place, object, attribute: "", is: None, should: Some(String::new()) }
    }

    /// Returns the difference that an object is there and should not be.
    #[must_use]
    pub fn surplus(place: Place, object: String) -> Self {
        Self { place, object, attribute: "", is: Some(String::new()), should: None }
    }

    /// Says it: `alice: link eth0: mtu is 1500, should be 1400`.
    #[must_use]
    pub fn describe(&self, names: &Names) -> String {
        let object = names.at(self.place, &self.object);
        match (self.attribute, &self.is, &self.should) {
            ("", None, _) => format!("{object} is missing"),
            ("", _, _) => format!("{object} is there and should not be"),
            (attribute, Some(is), Some(should)) => format!("{object}: {attribute} is {is}, should be {should}"),
            (attribute, None, Some(should)) => format!("{object}: {attribute} should be {should}"),
            (attribute, Some(is), None) => format!("{object}: {attribute} is {is}, should not be set"),
            (attribute, None, None) => format!("{object}: {attribute} differs"),
        }
    }
}
