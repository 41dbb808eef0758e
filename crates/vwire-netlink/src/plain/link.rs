//! What goes with the kind of a link: an object with one member, which is called as the kind is.
//!
//! The name tells what the value is, so that no member need come before another: `{"kind":"vxlan","data":{"vxlan":{…}}}`.

use std::fmt;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};

use super::{Field, Key, Object, Plain, Shape, Written, read_field};
use crate::wire::link::tunnel::IpTunnelFlags;
use crate::wire::link::{KindData, LinkInfo, SlaveData};
use crate::wire::nft::Expression;

/// What the member is called whose value has no struct here.
pub(crate) const UNKNOWN: &str = "unknown";

/// One of many structs, told by a name.
pub(crate) trait Chosen: Sized {
    /// Returns the name beside a kind.
    fn tag(&self, kind: Option<&str>) -> &'static str;

    /// Writes the struct.
    fn write_value<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads the struct of a name; None if there is none of it.
    fn read_value<'de, A: MapAccess<'de>>(tag: &str, map: &mut A) -> Result<Option<Self>, A::Error>;

    /// Tells the form.
    fn shape() -> Shape;
}

/// A choice beside its kind, on its way out.
struct Beside<'a, T>(&'a T, Option<&'a str>);

impl<T: Chosen> serde::Serialize for Beside<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Value<'a, T>(&'a T);
        impl<T: Chosen> serde::Serialize for Value<'_, T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.write_value(serializer)
            }
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0.tag(self.1), &Value(self.0))?;
        map.end()
    }
}

struct ChoiceReader<T>(std::marker::PhantomData<T>);

impl<'de, T: Chosen> Visitor<'de> for ChoiceReader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with one member, called as a kind of link is")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut chosen = None;
        while let Some(Key(tag)) = map.next_key()? {
            match T::read_value(&tag, &mut map)? {
                Some(value) => chosen = Some(value),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        chosen.ok_or_else(|| A::Error::custom("no member is called as a kind of link that is known here"))
    }
}

macro_rules! chosen {
    ($($Type:ty),*) => { $(
        impl Plain for $Type {
            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(&Beside(self, None), serializer)
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map(ChoiceReader(std::marker::PhantomData))
            }

            fn shape() -> Shape {
                <Self as Chosen>::shape()
            }
        }
    )* };
}

chosen!(KindData, SlaveData, IpTunnelFlags, Expression);
crate::plain_serde!(LinkInfo, KindData, SlaveData);

impl Plain for LinkInfo {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(kind) = &self.kind {
            map.serialize_entry("kind", &Written(kind))?;
        }
        if let Some(data) = &self.data {
            map.serialize_entry("data", &Beside(data, self.kind.as_ref().and_then(|kind| kind.as_str())))?;
        }
        if let Some(xstats) = &self.xstats {
            map.serialize_entry("xstats", &Written(xstats))?;
        }
        if let Some(kind) = &self.slave_kind {
            map.serialize_entry("slave_kind", &Written(kind))?;
        }
        if let Some(data) = &self.slave_data {
            map.serialize_entry("slave_data", &Beside(data, self.slave_kind.as_ref().and_then(|kind| kind.as_str())))?;
        }
        if !self.other.is_empty() {
            map.serialize_entry("other", &Written(&self.other))?;
        }
        map.end()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = LinkInfo;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the fields of a `LinkInfo`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LinkInfo, A::Error> {
                let mut info = LinkInfo::default();
                while let Some(Key(name)) = map.next_key()? {
                    match &*name {
                        "kind" => info.kind = read_field(&mut map)?,
                        "data" => info.data = read_field(&mut map)?,
                        "xstats" => info.xstats = read_field(&mut map)?,
                        "slave_kind" => info.slave_kind = read_field(&mut map)?,
                        "slave_data" => info.slave_data = read_field(&mut map)?,
                        "other" => info.other = read_field(&mut map)?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(info)
            }
        }
        deserializer.deserialize_map(Reader)
    }

    fn shape() -> Shape {
        fn fields() -> Vec<Field> {
            let field = |name, about, shape| Field { name, about, is_always: false, shape };
            vec![
                field("kind", "The kind, as `veth` (`IFLA_INFO_KIND`).", Shape::TextOrBytes),
                field("data", "What goes with the kind (`IFLA_INFO_DATA`).", <KindData as Plain>::shape()),
                field("xstats", "Counters of the kind (`IFLA_INFO_XSTATS`).", Vec::<u8>::shape()),
                field(
                    "slave_kind",
                    "The kind of the master, as `bridge` (`IFLA_INFO_SLAVE_KIND`).",
                    Shape::TextOrBytes,
                ),
                field("slave_data", "What the master says (`IFLA_INFO_SLAVE_DATA`).", <SlaveData as Plain>::shape()),
                field(
                    "other",
                    "Attributes that are not known here, as they came.",
                    Vec::<crate::wire::RawAttribute>::shape(),
                ),
            ]
        }
        let about = "The kind of a link, what goes with it, and what its master says of it.";
        Shape::Object(Object { name: "LinkInfo", about, fields })
    }
}

/// The flags of a tunnel have the width that the kind of tunnel gives them.
impl Chosen for IpTunnelFlags {
    fn tag(&self, _: Option<&str>) -> &'static str {
        match self {
            Self::Sit(_) => "sit",
            Self::Ip6(_) => "ip6",
        }
    }

    fn write_value<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Sit(flags) => flags.write(serializer),
            Self::Ip6(flags) => flags.write(serializer),
        }
    }

    fn read_value<'de, A: MapAccess<'de>>(tag: &str, map: &mut A) -> Result<Option<Self>, A::Error> {
        Ok(match tag {
            "sit" => Some(Self::Sit(read_field(map)?)),
            "ip6" => Some(Self::Ip6(read_field(map)?)),
            _ => None,
        })
    }

    fn shape() -> Shape {
        fn fields() -> Vec<Field> {
            let field = |name, about, shape| Field { name, about, is_always: false, shape };
            vec![field("sit", "`SIT_*`.", u16::shape()), field("ip6", "`IP6_TNL_F_*`.", u32::shape())]
        }
        let about = "The flags of a tunnel: sit writes two bytes, ip6tnl four.";
        Shape::Choice(Object { name: "IpTunnelFlags", about, fields })
    }
}
