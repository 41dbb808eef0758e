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

    /// Returns what it is and what it should be, without the attribute's name where a value begins with it.
    #[must_use]
    pub fn values(&self) -> (Option<&str>, Option<&str>) {
        (self.is.as_deref().map(|is| self.bare(is)), self.should.as_deref().map(|should| self.bare(should)))
    }

    fn bare<'a>(&self, value: &'a str) -> &'a str {
        value.strip_prefix(self.attribute).and_then(|rest| rest.strip_prefix(' ')).unwrap_or(value)
    }

    /// Says it: `alice: link eth0: mtu is 1500, should be 1400`.
    #[must_use]
    pub fn describe(&self, names: &Names) -> String {
        let object = names.at(self.place, &self.object);
        let (is, should) = self.values();
        match (self.attribute, is, should) {
            ("", None, _) => format!("{object} is missing"),
            ("", _, _) => format!("{object} is there and should not be"),
            (attribute, Some(is), Some(should)) => format!("{object}: {attribute} is {is}, should be {should}"),
            (attribute, None, Some(should)) => format!("{object}: {attribute} should be {should}"),
            (attribute, Some(is), None) => format!("{object}: {attribute} is {is}, should not be set"),
            (attribute, None, None) => format!("{object}: {attribute} differs"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(attribute: &'static str, is: Option<&str>, should: Option<&str>) -> String {
        let (is, should) = (is.map(str::to_owned), should.map(str::to_owned));
        let place = Place(0);
        Difference { place, object: "link a".to_owned(), attribute, is, should }.describe(&Names::default())
    }

    #[test]
    fn an_attribute_is_named_once() {
        assert_eq!(said("mtu", Some("mtu 1300"), Some("mtu 1500")), "link a: mtu is 1300, should be 1500");
        assert_eq!(said("mtu", None, Some("mtu 1500")), "link a: mtu should be 1500");
        assert_eq!(said("flags", Some("down"), Some("up")), "link a: flags is down, should be up");
        assert_eq!(said("", None, Some("")), "link a is missing");
    }
}
