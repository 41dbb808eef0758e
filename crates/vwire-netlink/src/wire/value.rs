//! Values: what the payload of one attribute means.
//!
//! A value is decoded only if encoding it again gives the same bytes back (up to padding and a string's
//! terminating zero); any other payload is left to the caller, who keeps it raw. So nothing is lost and nothing is fatal.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::attr::Builder;
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
                let number = Self::from_ne_bytes(source.array());
                if source.is_plain() && size_of::<Self>() == 1 { number & 1 } else { number }
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

/// As many as the payload has.
impl<T: Fixed> Value for Box<[T]> {
    fn decode(payload: &[u8]) -> Option<Self> {
        let mut bytes = payload;
        let mut values = Vec::with_capacity(payload.len().checked_div(T::LEN)?);
        while !bytes.is_empty() {
            values.push(T::read(&mut bytes)?);
        }
        Some(values.into())
    }

    fn encode(&self, out: &mut Builder) {
        self.iter().for_each(|value| value.write(out));
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        (0..source.byte() % 9).map(|_| T::sample_fixed(source)).collect()
    }
}

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
        if source.is_v4() { Self::V4(Ipv4Addr::sample(source)) } else { Self::V6(Ipv6Addr::sample(source)) }
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
        let bytes = source.text(15);
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
