//! What is not as it should be, to be shown and counted. Pure.

use std::fmt;

use super::world::{Names, Place};

/// What becomes of one object, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub place: Place,
    /// Whether it comes, goes, or becomes another.
    pub sign: Sign,
    /// The object, in `ip`'s words.
    pub object: String,
    /// How each attribute moves: `mtu 1500 → 1400`, `up`; none where the object as a whole comes or goes.
    pub details: Vec<String>,
}

/// Which way an object changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It comes.
    Comes,
    /// It becomes another.
    Becomes,
    /// It goes.
    Goes,
}

/// Says what becomes of each object if what is becomes what should be; what differs of one object is put together.
#[must_use]
pub fn changes(differences: &[Difference]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for difference in differences {
        let (sign, detail) = match (difference.attribute, &difference.is) {
            ("", None) => (Sign::Comes, None),
            ("", Some(_)) => (Sign::Goes, None),
            _ => (Sign::Becomes, Some(difference.moved())),
        };
        let (place, object) = (difference.place, &difference.object);
        let is_same = |change: &&mut Change| change.place == place && change.object == *object && change.sign == sign;
        match changes.iter_mut().find(is_same) {
            Some(same) if sign == Sign::Becomes => same.details.extend(detail),
            _ => changes.push(Change { place, sign, object: object.clone(), details: detail.into_iter().collect() }),
        }
    }
    changes
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object)?;
        if self.details.is_empty() { Ok(()) } else { write!(f, ": {}", self.details.join(", ")) }
    }
}

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

    /// Says how the attribute moves; a switch is said by the word that it becomes.
    fn moved(&self) -> String {
        match (&self.is, &self.should) {
            (Some(_), Some(should)) if self.attribute == "flags" => should.clone(),
            (Some(is), Some(should)) => {
                let common = is.split_once(' ').filter(|(word, _)| should.starts_with(&format!("{word} ")));
                match common {
                    Some((word, value)) => format!("{word} {value} → {}", &should[word.len() + 1..]),
                    None => format!("{is} → {should}"),
                }
            }
            (None, Some(should)) => should.clone(),
            (Some(is), None) => format!("no longer {is}"),
            (None, None) => self.attribute.to_owned(),
        }
    }

    /// Says it: `alice: link eth0: mtu is 1500, should be 1400`.
    #[must_use]
    pub fn describe(&self, names: &Names) -> String {
        let object = names.at(self.place, &self.object);
        let (is, should) = self.values();
        match (self.attribute, is, should) {
            ("", None, _) => format!("{object} is missing"),
            ("", _, _) => format!("{object} is there and should not be"),
            ("flags", Some(is), Some(should)) => format!("{object} is {is}, should be {should}"),
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
    fn what_becomes_of_one_object_is_one_change() {
        let of = |object: &str, attribute, is: Option<&str>, should: Option<&str>| Difference {
            place: Place(0),
            object: object.to_owned(),
            attribute,
            is: is.map(str::to_owned),
            should: should.map(str::to_owned),
        };
        let all = [
            of("link a", "mtu", Some("mtu 1500"), Some("mtu 1400")),
            of("link a", "flags", Some("down"), Some("up")),
            of("link a", "alias", Some("alias x"), None),
            of("link b", "", None, Some("")),
            of("link c", "", Some(""), None),
        ];
        let told: Vec<_> = changes(&all).iter().map(|change| (change.sign, change.to_string())).collect();
        let wanted = [
            (Sign::Becomes, "link a: mtu 1500 → 1400, up, no longer alias x".to_owned()),
            (Sign::Comes, "link b".to_owned()),
            (Sign::Goes, "link c".to_owned()),
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn an_attribute_is_named_once() {
        assert_eq!(said("mtu", Some("mtu 1300"), Some("mtu 1500")), "link a: mtu is 1300, should be 1500");
        assert_eq!(said("mtu", None, Some("mtu 1500")), "link a: mtu should be 1500");
        assert_eq!(said("flags", Some("down"), Some("up")), "link a is down, should be up");
        let multicast = said("multicast", Some("multicast on"), Some("multicast off"));
        assert_eq!(multicast, "link a: multicast is on, should be off");
        assert_eq!(said("", None, Some("")), "link a is missing");
    }
}
