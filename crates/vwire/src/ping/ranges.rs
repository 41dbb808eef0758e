//! A set of numbers that come mostly in order, kept and shown as ranges: `2, 5-7`. Pure.

use std::fmt;

/// A set of numbers, kept as ranges that neither touch nor overlap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranges {
    /// Sorted, both ends inside.
    ranges: Vec<(u64, u64)>,
}

impl Ranges {
    /// Adds a number; returns whether it is new.
    pub fn insert(&mut self, number: u64) -> bool {
        let at = self.ranges.partition_point(|&(_, last)| last < number);
        if self.ranges.get(at).is_some_and(|&(first, _)| first <= number) {
            return false;
        }
        let joins_next = self.ranges.get(at).is_some_and(|&(first, _)| first == number + 1);
        let joins_previous = at > 0 && self.ranges.get(at - 1).is_some_and(|&(_, last)| last + 1 == number);
        match (joins_previous, joins_next) {
            (true, true) => {
                let (_, last) = self.ranges.remove(at);
                self.ranges[at - 1].1 = last;
            }
            (true, false) => self.ranges[at - 1].1 = number,
            (false, true) => self.ranges[at].0 = number,
            (false, false) => self.ranges.insert(at, (number, number)),
        }
        true
    }

    /// Returns whether a number is in the set.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        let at = self.ranges.partition_point(|&(_, last)| last < number);
        self.ranges.get(at).is_some_and(|&(first, _)| first <= number)
    }

    /// Returns what of `1..=last` is not in the set.
    #[must_use]
    pub fn missing(&self, last: u64) -> Self {
        let mut missing = Vec::new();
        let mut next = 1;
        for &(first, end) in self.ranges.iter().filter(|&&(first, _)| first <= last) {
            if first > next {
                missing.push((next, first - 1));
            }
            next = end + 1;
        }
        if next <= last {
            missing.push((next, last));
        }
        Self { ranges: missing }
    }

    /// Returns what is in this set and not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = Self::default();
        for number in self.iter().filter(|number| !other.contains(*number)) {
            rest.insert(number);
        }
        rest
    }

    /// Adds all of another set.
    pub fn extend(&mut self, other: &Self) {
        for number in other.iter() {
            self.insert(number);
        }
    }

    /// Returns whether nothing is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Walks over the numbers in order.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.ranges.iter().flat_map(|&(first, last)| first..=last)
    }

    /// Returns the greatest number.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.ranges.last().map(|&(_, last)| last)
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

impl FromIterator<u64> for Ranges {
    fn from_iter<T: IntoIterator<Item = u64>>(numbers: T) -> Self {
        let mut ranges = Self::default();
        for number in numbers {
            ranges.insert(number);
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_read_as_people_write_them() {
        assert_eq!([7, 2, 5, 6].into_iter().collect::<Ranges>().to_string(), "2, 5-7");
        assert_eq!(Ranges::default().to_string(), "");
    }

    proptest! {
        #[test]
        fn it_holds_what_a_set_holds(numbers in prop::collection::vec(1_u64..60, 0..80), last in 0_u64..70) {
            let mut ranges = Ranges::default();
            let mut set = BTreeSet::new();
            for number in numbers {
                prop_assert_eq!(ranges.insert(number), set.insert(number));
            }
            prop_assert_eq!(ranges.iter().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
            let missing: Vec<u64> = (1..=last).filter(|number| !set.contains(number)).collect();
            prop_assert_eq!(ranges.missing(last).iter().collect::<Vec<_>>(), missing);
            prop_assert_eq!(ranges.last(), set.last().copied());
        }
    }
}
