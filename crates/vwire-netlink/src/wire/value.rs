//! Values: what the payload of one attribute means, and how a field of a struct takes it.
//!
//! A value is decoded only if encoding it again gives the same bytes back (up to padding and a string's
//! terminating zero); any other payload is left to the caller, who keeps it raw. So nothing is lost and nothing is fatal.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::attr::{Builder, NESTED};
use super::names::Children;
#[cfg(test)]
use super::sample::Source;
use crate::name::{IfName, LinkAddress};

/// A value of its own form, the kernel's host byte order for numbers.
pub trait Value: Sized {
    /// Whether the payload is attributes, which the type's flag says then.
    const IS_NEST: bool = false;
    /// What the attributes in the payload are called.
    const CHILDREN: Children = Children::None;

    /// Reads a payload; None if it has not this value's form.
    fn decode(payload: &[u8]) -> Option<Self>;

    /// Appends the payload.
    fn encode(&self, out: &mut Builder);

    /// Returns some value.
    #[cfg(test)]
    fn sample(source: &mut Source) -> Self;
}

/// A way to write a `T`, for the values whose type does not say it.
pub trait Codec<T> {
    /// Whether the payload is attributes, which the type's flag says then.
    const IS_NEST: bool = false;
    /// What the attributes in the payload are called.
    const CHILDREN: Children = Children::None;

    /// Reads a payload; None if it has not this value's form.
    fn decode(payload: &[u8]) -> Option<T>;

    /// Appends the payload.
    fn encode(value: &T, out: &mut Builder);

    /// Returns some value.
    #[cfg(test)]
    fn sample(source: &mut Source) -> T;
}

/// The value's own form.
#[derive(Clone, Copy, Debug)]
pub struct Native;

impl<T: Value> Codec<T> for Native {
    const IS_NEST: bool = T::IS_NEST;
    const CHILDREN: Children = T::CHILDREN;

    fn decode(payload: &[u8]) -> Option<T> {
        T::decode(payload)
    }

    fn encode(value: &T, out: &mut Builder) {
        value.encode(out);
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> T {
        T::sample(source)
    }
}

/// A nest that is written without the flag `NLA_F_NESTED`, where the kernel's policy is older than the flag.
#[derive(Clone, Copy, Debug)]
pub struct Unflagged;

impl<T: Value> Codec<T> for Unflagged {
    const CHILDREN: Children = T::CHILDREN;

    fn decode(payload: &[u8]) -> Option<T> {
        T::decode(payload)
    }

    fn encode(value: &T, out: &mut Builder) {
        value.encode(out);
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> T {
        T::sample(source)
    }
}

/// A number in network byte order.
#[derive(Clone, Copy, Debug)]
pub struct BigEndian;

/// A number of 4 bytes, or of 8 if it needs them (`NLA_UINT`).
#[derive(Clone, Copy, Debug)]
pub struct Uint;

impl Codec<u64> for Uint {
    fn decode(payload: &[u8]) -> Option<u64> {
        match payload.len() {
            4 => u32::decode(payload).map(u64::from),
            _ => u64::decode(payload).filter(|number| u32::try_from(*number).is_err()),
        }
    }

    fn encode(value: &u64, out: &mut Builder) {
        match u32::try_from(*value) {
            Ok(short) => short.encode(out),
            Err(_) => value.encode(out),
        }
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> u64 {
        if source.maybe() { u64::sample(source) } else { u64::from(u32::sample(source)) }
    }
}

/// Text without the terminating zero, where the kernel would count the zero as text.
#[derive(Clone, Copy, Debug)]
pub struct Unterminated;

impl Codec<Text> for Unterminated {
    fn decode(payload: &[u8]) -> Option<Text> {
        Text::decode(payload)
    }

    fn encode(value: &Text, out: &mut Builder) {
        out.raw(value.as_bytes());
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Text {
        Text::sample(source)
    }
}

/// A member of a C struct, of a length that is always the same.
pub trait Fixed: Sized + Default {
    /// The length in bytes.
    const LEN: usize;

    /// Takes the member off the front of `bytes`.
    fn read(bytes: &mut &[u8]) -> Option<Self>;

    /// Appends the member.
    fn write(&self, out: &mut Builder);

    /// Returns some value.
    #[cfg(test)]
    fn sample_fixed(source: &mut Source) -> Self;
}

/// Takes `length` bytes of padding off the front of `bytes`.
pub(crate) fn skip(bytes: &mut &[u8], length: usize) -> Option<()> {
    *bytes = bytes.get(length..)?;
    Some(())
}

macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl Fixed for $number {
            const LEN: usize = size_of::<$number>();

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                let (first, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(Self::from_ne_bytes(*first))
            }

            fn write(&self, out: &mut Builder) {
                out.raw(&self.to_ne_bytes());
            }

            #[cfg(test)]
            fn sample_fixed(source: &mut Source) -> Self {
                Self::from_ne_bytes(source.array())
            }
        }

        impl Value for $number {
            fn decode(payload: &[u8]) -> Option<Self> {
                Some(Self::from_ne_bytes(payload.try_into().ok()?))
            }

            fn encode(&self, out: &mut Builder) {
                out.raw(&self.to_ne_bytes());
            }

            #[cfg(test)]
            fn sample(source: &mut Source) -> Self {
                Self::from_ne_bytes(source.array())
            }
        }

        impl Codec<$number> for BigEndian {
            fn decode(payload: &[u8]) -> Option<$number> {
                Some(<$number>::from_be_bytes(payload.try_into().ok()?))
            }

            fn encode(value: &$number, out: &mut Builder) {
                out.raw(&value.to_be_bytes());
            }

            #[cfg(test)]
            fn sample(source: &mut Source) -> $number {
                <$number>::from_be_bytes(source.array())
            }
        }
    )* };
}

numbers!(u8 i8 u16 u32 i32 u64 i64);

impl<const N: usize> Fixed for [u8; N]
where
    [u8; N]: Default,
{
    const LEN: usize = N;

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(*first)
    }

    fn write(&self, out: &mut Builder) {
        out.raw(self);
    }

    #[cfg(test)]
    fn sample_fixed(source: &mut Source) -> Self {
        source.array()
    }
}

impl<const N: usize> Value for [u8; N] {
    fn decode(payload: &[u8]) -> Option<Self> {
        payload.try_into().ok()
    }

    fn encode(&self, out: &mut Builder) {
        out.raw(self);
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        source.array()
    }
}

/// Any bytes.
impl Value for Box<[u8]> {
    fn decode(payload: &[u8]) -> Option<Self> {
        Some(payload.into())
    }

    fn encode(&self, out: &mut Builder) {
        out.raw(self);
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        source.bytes(40).into()
    }
}

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

macro_rules! arrays {
    ($($number:ty)*) => { $(
        /// As many numbers as the payload has.
        impl Value for Box<[$number]> {
            fn decode(payload: &[u8]) -> Option<Self> {
                let (numbers, rest) = payload.as_chunks();
                rest.is_empty().then(|| numbers.iter().map(|n| <$number>::from_ne_bytes(*n)).collect())
            }

            fn encode(&self, out: &mut Builder) {
                for number in self {
                    out.raw(&number.to_ne_bytes());
                }
            }

            #[cfg(test)]
            fn sample(source: &mut Source) -> Self {
                (0..source.byte() % 5).map(|_| <$number>::from_ne_bytes(source.array())).collect()
            }
        }
    )* };
}

arrays!(u32 u64);

impl<T: Value> Value for Box<T> {
    const IS_NEST: bool = T::IS_NEST;
    const CHILDREN: Children = T::CHILDREN;

    fn decode(payload: &[u8]) -> Option<Self> {
        T::decode(payload).map(Box::new)
    }

    fn encode(&self, out: &mut Builder) {
        self.as_ref().encode(out);
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        Box::new(T::sample(source))
    }
}

impl Value for Ipv4Addr {
    fn decode(payload: &[u8]) -> Option<Self> {
        <[u8; 4]>::decode(payload).map(Self::from)
    }

    fn encode(&self, out: &mut Builder) {
        out.raw(&self.octets());
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        Self::from(source.array::<4>())
    }
}

impl Value for Ipv6Addr {
    fn decode(payload: &[u8]) -> Option<Self> {
        <[u8; 16]>::decode(payload).map(Self::from)
    }

    fn encode(&self, out: &mut Builder) {
        out.raw(&self.octets());
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        Self::from(source.array::<16>())
    }
}

/// IPv4 or IPv6, told apart by the length.
impl Value for IpAddr {
    fn decode(payload: &[u8]) -> Option<Self> {
        match payload.len() {
            4 => Ipv4Addr::decode(payload).map(Self::V4),
            _ => Ipv6Addr::decode(payload).map(Self::V6),
        }
    }

    fn encode(&self, out: &mut Builder) {
        match self {
            Self::V4(address) => address.encode(out),
            Self::V6(address) => address.encode(out),
        }
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        match source.byte() & 1 {
            0 => Self::V4(Ipv4Addr::sample(source)),
            _ => Self::V6(Ipv6Addr::sample(source)),
        }
    }
}

impl Value for IfName {
    fn decode(payload: &[u8]) -> Option<Self> {
        Self::new(payload.strip_suffix(&[0]).unwrap_or(payload)).ok()
    }

    fn encode(&self, out: &mut Builder) {
        out.raw(self.as_bytes());
        out.raw(&[0]);
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        let bytes = source.bytes(15);
        Self::new(bytes).or_else(|_| Self::new("eth0")).unwrap()
    }
}

impl Value for LinkAddress {
    fn decode(payload: &[u8]) -> Option<Self> {
        Self::new(payload)
    }

    fn encode(&self, out: &mut Builder) {
        out.raw(self.as_bytes());
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        Self::new(&source.bytes(32)).unwrap()
    }
}

/// Text from the kernel: any bytes but zero, most often ASCII.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Text(Box<[u8]>);

impl Text {
    /// Returns the bytes before the first zero as text.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(bytes.as_ref().split(|byte| *byte == 0).next().unwrap_or_default().into())
    }

    /// Returns the bytes, without a terminating zero.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Value for Text {
    fn decode(payload: &[u8]) -> Option<Self> {
        let text = payload.strip_suffix(&[0]).unwrap_or(payload);
        (!text.contains(&0)).then(|| Self(text.into()))
    }

    fn encode(&self, out: &mut Builder) {
        out.raw(&self.0);
        out.raw(&[0]);
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        Self::new(source.bytes(20))
    }
}

/// A switch that some messages write as an attribute without payload and others as a `u8`.
///
/// `IFLA_VXLAN_TTL_INHERIT` is one: the kernel reads the first and writes the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// The attribute is there, without payload.
    Present,
    /// The attribute has a value.
    Value(u8),
}

impl Switch {
    /// Returns whether the switch is on.
    pub fn is_on(self) -> bool {
        self != Self::Value(0)
    }
}

impl Value for Switch {
    fn decode(payload: &[u8]) -> Option<Self> {
        match payload {
            [] => Some(Self::Present),
            [value] => Some(Self::Value(*value)),
            _ => None,
        }
    }

    fn encode(&self, out: &mut Builder) {
        if let Self::Value(value) = self {
            out.raw(&[*value]);
        }
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        if source.byte() & 1 == 0 { Self::Present } else { Self::Value(source.byte()) }
    }
}

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

fn put<T, C: Codec<T>>(value: &T, number: u16, out: &mut Builder) {
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
