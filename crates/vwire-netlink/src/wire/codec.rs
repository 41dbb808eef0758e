//! Codecs: how a value is written whose type does not say it.

use super::attr::Builder;
use super::names::Children;
#[cfg(test)]
use super::sample::Source;
use super::text::Text;
use super::value::Value;

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

/// A number in network byte order.
#[derive(Clone, Copy, Debug)]
pub struct BigEndian;

macro_rules! big_endian {
    ($($number:ty)*) => { $(
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

big_endian!(u16 u32 u64);

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
