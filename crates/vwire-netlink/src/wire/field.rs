//! Fields: how a struct of attributes takes the payload of one, and writes it again.

use super::attr::{Builder, NESTED};
use super::codec::Codec;
use super::names::Children;
#[cfg(test)]
use super::sample::Source;

/// A field of a struct of attributes: it may take an attribute's payload, and writes what it holds.
pub trait Field<C>: Sized {
    /// What the attributes in the payload are called.
    const CHILDREN: Children;

    /// Takes a payload, or returns false: it has another form, or the field is taken already.
    fn take(&mut self, payload: &[u8]) -> bool;

    /// Appends what the field holds, as attributes with this number.
    fn put(&self, number: u16, out: &mut Builder);

    /// Returns some value.
    #[cfg(test)]
    fn sample_field(source: &mut Source) -> Self;
}

pub(super) fn put<T, C: Codec<T>>(value: &T, number: u16, out: &mut Builder) {
    let flag = if C::IS_NEST { NESTED } else { 0 };
    out.attribute(number | flag, |out| C::encode(value, out));
}

impl<T, C: Codec<T>> Field<C> for Option<T> {
    const CHILDREN: Children = C::CHILDREN;

    fn take(&mut self, payload: &[u8]) -> bool {
        if self.is_some() {
            return false;
        }
        *self = C::decode(payload);
        self.is_some()
    }

    fn put(&self, number: u16, out: &mut Builder) {
        if let Some(value) = self {
            put::<T, C>(value, number, out);
        }
    }

    #[cfg(test)]
    fn sample_field(source: &mut Source) -> Self {
        source.maybe().then(|| C::sample(source))
    }
}

impl<T, C: Codec<T>> Field<C> for Vec<T> {
    const CHILDREN: Children = C::CHILDREN;

    fn take(&mut self, payload: &[u8]) -> bool {
        let value = C::decode(payload);
        let taken = value.is_some();
        self.extend(value);
        taken
    }

    fn put(&self, number: u16, out: &mut Builder) {
        for value in self {
            put::<T, C>(value, number, out);
        }
    }

    #[cfg(test)]
    fn sample_field(source: &mut Source) -> Self {
        (0..source.byte() % 4).map(|_| C::sample(source)).collect()
    }
}

/// A flag: the attribute is there, without payload, or it is not there.
impl<C> Field<C> for bool {
    const CHILDREN: Children = Children::None;

    fn take(&mut self, payload: &[u8]) -> bool {
        let taken = !*self && payload.is_empty();
        *self |= taken;
        taken
    }

    fn put(&self, number: u16, out: &mut Builder) {
        if *self {
            out.flag(number);
        }
    }

    #[cfg(test)]
    fn sample_field(source: &mut Source) -> Self {
        source.maybe()
    }
}
