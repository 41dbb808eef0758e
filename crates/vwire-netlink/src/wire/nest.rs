//! Nests whose attributes have no table: kept as bytes, or an array.

use std::fmt;

use super::attr::Builder;
use super::codec::Native;
use super::field::put;
use super::names::Children;
#[cfg(test)]
use super::sample::Source;
use super::value::Value;

/// A nest that is kept as bytes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RawNest(pub Box<[u8]>);

impl RawNest {
    /// Returns the attributes inside.
    pub fn attributes(&self) -> super::Attributes<'_> {
        super::Attributes::new(&self.0)
    }
}

impl fmt::Debug for RawNest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.attributes().map(|attribute| attribute.to_raw())).finish()
    }
}

impl Value for RawNest {
    const IS_NEST: bool = true;

    fn decode(payload: &[u8]) -> Option<Self> {
        Some(Self(payload.into()))
    }

    fn encode(&self, out: &mut Builder) {
        out.raw(&self.0);
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        Self(source.bytes(20).into())
    }
}

/// A nest of values that are numbered, as the kernel writes an array.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Numbered<T>(pub Vec<(u16, T)>);

impl<T: Value> Value for Numbered<T> {
    const IS_NEST: bool = true;
    const CHILDREN: Children = T::CHILDREN;

    fn decode(payload: &[u8]) -> Option<Self> {
        let mut attributes = super::Attributes::new(payload);
        let one = |attribute: super::Attribute<'_>| Some((attribute.number(), T::decode(attribute.payload())?));
        let values = attributes.by_ref().map(one).collect::<Option<_>>()?;
        attributes.rest().is_empty().then_some(Self(values))
    }

    fn encode(&self, out: &mut Builder) {
        for (number, value) in &self.0 {
            put::<T, Native>(value, *number, out);
        }
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        let one = |source: &mut Source| (u16::from(source.byte()), T::sample(source));
        Self((0..source.byte() % 4).map(|_| one(source)).collect())
    }
}
