//! Compares two lists of objects by what makes two of them the same. Pure.

use std::collections::HashMap;
use std::hash::Hash;

/// How a list differs from the one that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delta<'a, T> {
    /// What is there and not wanted.
    pub(super) gone: Vec<&'a T>,
    /// What is wanted and not there.
    pub(super) made: Vec<&'a T>,
    /// What is there in another form, and the form that is wanted.
    pub(super) changed: Vec<(&'a T, &'a T)>,
}

/// Compares what is there with what is wanted.
///
/// `key` says what makes two the same object; where several have the same key, those that satisfy each other are
/// matched first, in order. `satisfies` is asked whether the second, which is there, is as the first wants it.
pub(super) fn compare<'a, T, K: Hash + Eq>(
    wanted: impl IntoIterator<Item = &'a T>,
    now: impl IntoIterator<Item = &'a T>,
    key: impl Fn(&T) -> K,
    satisfies: impl Fn(&T, &T) -> bool,
) -> Delta<'a, T> {
    let mut there: HashMap<K, Vec<Option<&'a T>>> = HashMap::new();
    let mut order = Vec::new();
    for item in now {
        let slot = there.entry(key(item)).or_default();
        order.push((key(item), slot.len()));
        slot.push(Some(item));
    }
    let mut unmatched = Vec::new();
    for item in wanted {
        let same = there.get_mut(&key(item)).into_iter().flatten();
        let mut same = same.filter(|slot| slot.is_some_and(|other| satisfies(item, other)));
        match same.next() {
            Some(slot) => *slot = None,
            None => unmatched.push(item),
        }
    }
    let (mut made, mut changed) = (Vec::new(), Vec::new());
    for item in unmatched {
        match there.get_mut(&key(item)).and_then(|slots| slots.iter_mut().find_map(Option::take)) {
            Some(other) => changed.push((other, item)),
            None => made.push(item),
        }
    }
    let left = order.into_iter().filter_map(|(key, place)| *there.get(&key)?.get(place)?);
    Delta { gone: left.collect(), made, changed }
}

/// Returns the differing values of two optional fields; in a wish, what is not said may be anything.
pub(super) fn is_satisfied<T: PartialEq>(wanted: Option<&T>, now: Option<&T>, is_picture: bool) -> bool {
    match (wanted, now) {
        (Some(wanted), Some(now)) => wanted == now,
        (Some(_), None) => false,
        (None, Some(_)) => !is_picture,
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_is_matched_by_value_before_it_is_changed() {
        let (wanted, now) = ([(1, 'a'), (1, 'b'), (2, 'x')], [(1, 'b'), (1, 'c'), (3, 'y')]);
        let delta = compare(&wanted, &now, |item| item.0, |a, b| a == b);
        assert_eq!(delta.changed, [(&(1, 'c'), &(1, 'a'))]);
        assert_eq!((delta.made, delta.gone), (vec![&(2, 'x')], vec![&(3, 'y')]));
    }
}
