//! The values that no table has: numbers, text, addresses, bytes, and what holds others.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::{Key, Plain, Read, Shape, Written, read_field};
use crate::name::{IfName, LinkAddress};
use crate::wire::nest::{Numbered, RawNest};
use crate::wire::route::{Hop, Length, Multipath, Via};
use crate::wire::value::Switch;
use crate::wire::{RawAttribute, Text};

/// Bytes without anything between them.
const HEX: Shape = Shape::Pattern("bytes in hexadecimal", "^([0-9a-f]{2})*$");
/// Bytes with `:` between them.
const COLONS: Shape = Shape::Pattern("bytes in hexadecimal with `:` between them", "^([0-9a-f]{2}(:[0-9a-f]{2})*)?$");
/// An IPv4 address. What each part may be is left to who reads it.
const IPV4: Shape = Shape::Pattern("an IPv4 address", r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$");
/// An IPv6 address.
const IPV6: Shape = Shape::Pattern("an IPv6 address", "^[0-9a-f:.]*:[0-9a-f:.]*$");

macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl Plain for $number {
            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }

            fn shape() -> Shape {
                let least = i64::try_from(Self::MIN).unwrap_or_default();
                Shape::Number(least, u64::try_from(Self::MAX).unwrap_or_default())
            }
        }
    )* };
}

numbers!(u16 i32 u32 i64 u64);

/// Many of them are bytes.
impl Plain for u8 {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn shape() -> Shape {
        Shape::Number(0, Self::MAX.into())
    }

    fn write_all<S: Serializer>(values: &[Self], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(values))
    }

    fn read_all<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Self>, D::Error> {
        deserializer.deserialize_str(parsed("bytes in hexadecimal", unhex))
    }

    fn shape_of_many() -> Shape {
        HEX
    }
}

impl Plain for bool {
    fn is_nothing(&self) -> bool {
        !self
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn shape() -> Shape {
        Shape::Switch
    }
}

impl Plain for String {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn shape() -> Shape {
        Shape::Text
    }
}

impl<T: Plain> Plain for Option<T> {
    const IS_OPTIONAL: bool = true;

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => value.write(serializer),
            None => serializer.serialize_none(),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<Read<T>>::deserialize(deserializer).map(|read| read.map(|read| read.0))
    }

    fn shape() -> Shape {
        T::shape()
    }
}

impl<T: Plain> Plain for Box<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().write(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Box::new)
    }

    fn shape() -> Shape {
        T::shape()
    }
}

impl<T: Plain> Plain for Vec<T> {
    fn is_nothing(&self) -> bool {
        self.is_empty()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::write_all(self, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read_all(deserializer)
    }

    fn shape() -> Shape {
        T::shape_of_many()
    }
}

impl<T: Plain> Plain for Box<[T]> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::write_all(self, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read_all(deserializer).map(Vec::into_boxed_slice)
    }

    fn shape() -> Shape {
        T::shape_of_many()
    }
}

impl<T: Plain> Plain for BTreeMap<String, T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(name, value)| (name, Written(value))))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(std::marker::PhantomData<T>);
        impl<'de, T: Plain> Visitor<'de> for Reader<T> {
            type Value = BTreeMap<String, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = BTreeMap::new();
                while let Some(Key(name)) = map.next_key()? {
                    all.insert(name.into_owned(), read_field(&mut map)?);
                }
                Ok(all)
            }
        }
        deserializer.deserialize_map(Reader(std::marker::PhantomData))
    }

    fn shape() -> Shape {
        Shape::Map("a name", Box::new(T::shape()))
    }
}

/// Two bytes are a number in network byte order, a port or a priority; others are as a hardware address.
impl<const N: usize> Plain for [u8; N] {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_slice() {
            [high, low] => serializer.serialize_u16(u16::from_be_bytes([*high, *low])),
            bytes => serializer.serialize_str(&colons(bytes)),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if N == 2 {
            let number = u16::deserialize(deserializer)?.to_be_bytes();
            return Self::try_from(number.as_slice()).map_err(D::Error::custom);
        }
        let form = "bytes in hexadecimal with `:` between them, as many as there are";
        let bytes = |text: &str| Self::try_from(uncolons(text)?.as_slice()).ok();
        deserializer.deserialize_str(parsed(form, bytes))
    }

    fn shape() -> Shape {
        if N == 2 { Shape::Number(0, u16::MAX.into()) } else { COLONS }
    }
}

macro_rules! spelled {
    ($($Type:ty, $form:literal, $shape:expr;)*) => { $(
        impl Plain for $Type {
            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(parsed($form, |text| text.parse().ok()))
            }

            fn shape() -> Shape {
                $shape
            }
        }
    )* };
}

spelled! {
    IpAddr, "an IP address", Shape::Either(vec![IPV4, IPV6]);
    Ipv4Addr, "an IPv4 address", IPV4;
    Ipv6Addr, "an IPv6 address", IPV6;
}

impl Plain for LinkAddress {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&colons(self.as_bytes()))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(parsed("a hardware address of up to 32 bytes", |text| Self::new(&uncolons(text)?)))
    }

    fn shape() -> Shape {
        COLONS
    }
}

/// Writes bytes as text, or if they are not UTF-8 as an object with `bytes`.
fn write_text<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => serializer.serialize_str(text),
        Err(_) => {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry("bytes", &hex(bytes))?;
            map.end()
        }
    }
}

/// Reads what [`write_text`] wrote, by a function that may refuse the bytes with a reason.
struct TextReader<T>(fn(&[u8]) -> Result<T, String>);

impl<'de, T> Visitor<'de> for TextReader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, or an object with `bytes`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text.as_bytes()).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut bytes = None;
        while let Some(Key(name)) = map.next_key()? {
            match &*name {
                "bytes" => bytes = Some(map.next_value::<Read<Vec<u8>>>()?.0),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let bytes = bytes.ok_or_else(|| A::Error::missing_field("bytes"))?;
        (self.0)(&bytes).map_err(A::Error::custom)
    }
}

impl Plain for Text {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_text(self.as_bytes(), serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextReader(|bytes| match bytes.contains(&0) {
            true => Err("text has a zero in it".to_owned()),
            false => Ok(Self::new(bytes)),
        }))
    }

    fn shape() -> Shape {
        Shape::TextOrBytes
    }
}

impl Plain for IfName {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_text(self.as_bytes(), serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextReader(|bytes| Self::new(bytes).map_err(|error| error.to_string())))
    }

    fn shape() -> Shape {
        Shape::TextOrBytes
    }
}

impl Plain for RawNest {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        u8::write_all(&self.0, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::read_all(deserializer).map(|bytes| Self(bytes.into()))
    }

    fn shape() -> Shape {
        HEX
    }
}

crate::plain_object! {
    RawAttribute, "An attribute that is not known here.",
    always {
        flagged_number: u16, "The number, with the flags 32768 (it holds attributes) and 16384 (network byte order).";
        payload: Box<[u8]>, "The bytes.";
    }
    known {}
}

impl<T: Plain> Plain for Numbered<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(number, value)| (number, Written(value))))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Vec::<(u16, Read<T>)>::deserialize(deserializer)?;
        Ok(Self(pairs.into_iter().map(|(number, read)| (number, read.0)).collect()))
    }

    fn shape() -> Shape {
        Shape::List(Box::new(Shape::List(Box::new(Shape::Either(vec![u16::shape(), T::shape()])))))
    }
}

impl Plain for Multipath {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Hop>::read(deserializer).map(Self)
    }

    fn shape() -> Shape {
        Hop::shape_of_many()
    }
}

/// A length is the wire's alone.
impl Plain for Length {
    const IS_OPTIONAL: bool = true;

    fn is_absent(&self) -> bool {
        true
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }

    fn shape() -> Shape {
        Shape::Either(Vec::new())
    }
}

/// The bytes of [`Via`], which most often are an IP address.
#[derive(Default)]
struct ViaAddress(Box<[u8]>);

impl Plain for ViaAddress {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (Via { family: 0, address: self.0.clone() }).ip() {
            Some(ip) => serializer.collect_str(&ip),
            None => u8::write_all(&self.0, serializer),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = |text: &str| match IpAddr::from_str(text) {
            Ok(ip) => Some(Self(Via::new(ip).address)),
            Err(_) => unhex(text).map(|bytes| Self(bytes.into())),
        };
        deserializer.deserialize_str(parsed("an IP address, or bytes in hexadecimal", bytes))
    }

    fn shape() -> Shape {
        Shape::Either(vec![IPV4, IPV6, HEX])
    }
}

/// [`Via`] as it is written.
#[derive(Default)]
struct ViaParts {
    family: u16,
    address: ViaAddress,
}

crate::plain_object! {
    ViaParts, "A gateway of another family than the route's.",
    always {
        family: u16, "`AF_INET`, `AF_INET6`, `AF_PACKET`.";
        address: ViaAddress, "The address.";
    }
    known {}
}

impl Plain for Via {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ViaParts { family: self.family, address: ViaAddress(self.address.clone()) }.write(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ViaParts { family, address } = ViaParts::read(deserializer)?;
        Ok(Self { family, address: address.0 })
    }

    fn shape() -> Shape {
        match ViaParts::shape() {
            Shape::Object(object) => Shape::Object(super::Object { name: "Via", ..object }),
            other => other,
        }
    }
}

crate::plain_serde!(Text, IfName, LinkAddress, RawNest, Multipath, Via);

/// `true` where the attribute is there without a value.
impl Plain for Switch {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Present => serializer.serialize_bool(true),
            Self::Value(value) => serializer.serialize_u8(*value),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Switch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, or a number from 0 to 255")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Switch, E> {
                let absent = || E::invalid_value(serde::de::Unexpected::Bool(false), &self);
                value.then_some(Switch::Present).ok_or_else(absent)
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Switch, E> {
                let too_large = |_| E::invalid_value(serde::de::Unexpected::Unsigned(value), &self);
                u8::try_from(value).map(Switch::Value).map_err(too_large)
            }
        }
        deserializer.deserialize_any(Reader)
    }

    fn shape() -> Shape {
        Shape::Either(vec![Shape::Switch, u8::shape()])
    }
}

/// Reads a list.
pub(super) fn read_list<'de, D: Deserializer<'de>, T: Plain>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Reader<T>(std::marker::PhantomData<T>);
    impl<'de, T: Plain> Visitor<'de> for Reader<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::new();
            while let Some(Read(value)) = list.next_element()? {
                all.push(value);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_seq(Reader(std::marker::PhantomData))
}

/// Reads a string by a function.
struct Parsed<F>(&'static str, F);

/// Returns what reads a string that must be `form`.
fn parsed<T, F: Fn(&str) -> Option<T>>(form: &'static str, parse: F) -> Parsed<F> {
    Parsed(form, parse)
}

impl<T, F: Fn(&str) -> Option<T>> Visitor<'_> for Parsed<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

fn digits(byte: u8) -> [char; 2] {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    [digit(byte >> 4), digit(byte & 15)]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| digits(*byte)).collect()
}

fn colons(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if !text.is_empty() {
            text.push(':');
        }
        text.extend(digits(*byte));
    }
    text
}

/// Returns the byte of two digits.
fn byte(pair: &[u8]) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    text.as_bytes().chunks(2).map(byte).collect()
}

fn uncolons(text: &str) -> Option<Vec<u8>> {
    match text {
        "" => Some(Vec::new()),
        text => text.as_bytes().split(|byte| *byte == b':').map(byte).collect(),
    }
}
