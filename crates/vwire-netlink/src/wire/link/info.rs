//! The kind of a link and what goes with it (`IFLA_LINKINFO`).
//!
//! What `IFLA_INFO_DATA` means depends on `IFLA_INFO_KIND` beside it: the table `kinds!` says how.
//! To add a kind: a file with its attributes, and a row here.

use super::super::attr::{Attributes, Builder, RawAttribute};
use super::super::names::{Children, Names, Row};
use super::super::nest::RawNest;
#[cfg(test)]
use super::super::sample::Source;
use super::super::text::Text;
use super::super::value::Value;
use super::bond::{Bond, BondSlave};
use super::bridge::{Bridge, BridgePort};
use super::ipvlan::Ipvlan;
use super::macvlan::Macvlan;
use super::netkit::Netkit;
use super::security::{Macsec, Ovpn, Xfrm};
use super::tun::Tun;
use super::tunnel::{Bareudp, Geneve, Gre, Hsr, IpTunnel, Vti};
use super::veth::Veth;
use super::vlan::Vlan;
use super::vrf::{Vrf, VrfPort};
use super::vxlan::Vxlan;
#[cfg(feature = "serde")]
use crate::plain::link::{Chosen, UNKNOWN};
#[cfg(feature = "serde")]
use crate::plain::serde::{de::MapAccess, ser::Serializer};
#[cfg(feature = "serde")]
use crate::plain::{Field, Object, Plain, Shape, read_field};

/// The number of `IFLA_INFO_KIND`.
const KIND: u16 = 1;
/// The number of `IFLA_INFO_DATA`.
pub(super) const DATA: u16 = 2;
/// The number of `IFLA_INFO_XSTATS`.
const XSTATS: u16 = 3;
/// The number of `IFLA_INFO_SLAVE_KIND`.
const SLAVE_KIND: u16 = 4;
/// The number of `IFLA_INFO_SLAVE_DATA`.
const SLAVE_DATA: u16 = 5;

/// The kind of a link, what goes with it, and what its master says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkInfo {
    /// The kind, as `veth` (`IFLA_INFO_KIND`).
    pub kind: Option<Text>,
    /// What goes with the kind (`IFLA_INFO_DATA`).
    pub data: Option<KindData>,
    /// Counters of the kind (`IFLA_INFO_XSTATS`).
    pub xstats: Option<Box<[u8]>>,
    /// The kind of the master, as `bridge` (`IFLA_INFO_SLAVE_KIND`).
    pub slave_kind: Option<Text>,
    /// What the master says (`IFLA_INFO_SLAVE_DATA`).
    pub slave_data: Option<SlaveData>,
    /// Attributes that are not known here, as they came.
    pub other: Vec<RawAttribute>,
}

impl LinkInfo {
    /// The names of the attributes.
    pub const NAMES: &'static Names = {
        static NAMES: Names = Names {
            prefix: "IFLA_INFO_",
            rows: &[
                Row { number: KIND, name: "kind", children: Children::None },
                Row { number: DATA, name: "data", children: Children::KindData },
                Row { number: XSTATS, name: "xstats", children: Children::None },
                Row { number: SLAVE_KIND, name: "slave_kind", children: Children::None },
                Row { number: SLAVE_DATA, name: "slave_data", children: Children::SlaveData },
            ],
        };
        &NAMES
    };
}

impl Value for LinkInfo {
    const IS_NEST: bool = true;
    const CHILDREN: Children = Children::Set(Self::NAMES);

    fn decode(payload: &[u8]) -> Option<Self> {
        let mut info = Self::default();
        let mut attributes = Attributes::new(payload);
        let siblings = attributes.clone();
        for attribute in attributes.by_ref() {
            let payload = attribute.payload();
            let taken = match attribute.number() {
                KIND => set(&mut info.kind, Text::decode(payload)),
                DATA => {
                    let kind = find(siblings.clone(), KIND);
                    set(&mut info.data, Some(KindData::decode(kind, payload)))
                }
                XSTATS => set(&mut info.xstats, Some(payload.into())),
                SLAVE_KIND => set(&mut info.slave_kind, Text::decode(payload)),
                SLAVE_DATA => {
                    let kind = find(siblings.clone(), SLAVE_KIND);
                    set(&mut info.slave_data, Some(SlaveData::decode(kind, payload)))
                }
                _ => false,
            };
            if !taken {
                info.other.push(attribute.to_raw());
            }
        }
        attributes.rest().is_empty().then_some(info)
    }

    fn encode(&self, out: &mut Builder) {
        put(&self.kind, KIND, out);
        if let Some(data) = &self.data {
            out.nest(DATA, |out| data.encode(out));
        }
        put(&self.xstats, XSTATS, out);
        put(&self.slave_kind, SLAVE_KIND, out);
        if let Some(data) = &self.slave_data {
            out.nest(SLAVE_DATA, |out| data.encode(out));
        }
        for other in &self.other {
            out.bytes(other.flagged_number, &other.payload);
        }
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        let (kind, data) = KindData::sample(source);
        let (slave_kind, slave_data) = SlaveData::sample(source);
        Self {
            kind: Some(kind.into()),
            data,
            xstats: source.maybe().then(|| Box::sample(source)),
            slave_kind: Some(slave_kind.into()),
            slave_data,
            other: source.others(),
        }
    }
}

fn set<T>(field: &mut Option<T>, value: Option<T>) -> bool {
    let taken = field.is_none() && value.is_some();
    if taken {
        *field = value;
    }
    taken
}

fn put(field: &Option<impl Value>, number: u16, out: &mut Builder) {
    if let Some(value) = field {
        out.attribute(number, |out| value.encode(out));
    }
}

fn find(mut attributes: Attributes<'_>, number: u16) -> &[u8] {
    let payload = attributes.find(|attribute| attribute.number() == number);
    let payload = payload.map(|attribute| attribute.payload()).unwrap_or_default();
    payload.strip_suffix(&[0]).unwrap_or(payload)
}

/// Returns the names inside `IFLA_INFO_DATA` beside these attributes.
pub(crate) fn names_of_kind(siblings: Attributes<'_>) -> Option<&'static Names> {
    KindData::names(find(siblings, KIND))
}

/// Returns the names inside `IFLA_INFO_SLAVE_DATA` beside these attributes.
pub(crate) fn names_of_slave_kind(siblings: Attributes<'_>) -> Option<&'static Names> {
    SlaveData::names(find(siblings, SLAVE_KIND))
}

macro_rules! kinds {
    (
        $(#[doc = $about:literal])*
        pub enum $Data:ident {
            $($(#[doc = $variant_about:literal])* $Variant:ident: $($kind:literal)+,)*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $Data {
            $($(#[doc = $variant_about])* $Variant(Box<$Variant>),)*
            /// Of a kind that is not known here, or of an unknown form.
            Unknown(RawNest),
        }

        impl $Data {
            /// Reads what goes with `kind`.
            pub fn decode(kind: &[u8], payload: &[u8]) -> Self {
                let known = match std::str::from_utf8(kind).unwrap_or_default() {
                    $($($kind)|+ => Value::decode(payload).map(Self::$Variant),)*
                    _ => None,
                };
                known.unwrap_or_else(|| Self::Unknown(RawNest(payload.into())))
            }

            /// Appends the attributes.
            pub fn encode(&self, out: &mut Builder) {
                match self {
                    $(Self::$Variant(data) => data.encode(out),)*
                    Self::Unknown(nest) => nest.encode(out),
                }
            }

            /// Returns the names of the attributes that go with `kind`.
            pub fn names(kind: &[u8]) -> Option<&'static Names> {
                match std::str::from_utf8(kind).unwrap_or_default() {
                    $($($kind)|+ => Some($Variant::NAMES),)*
                    _ => None,
                }
            }

            #[cfg(test)]
            fn sample(source: &mut Source) -> (&'static str, Option<Self>) {
                const KINDS: &[&str] = &[$($($kind,)+)* "dummy"];
                let kind = KINDS[usize::from(source.byte()) % KINDS.len()];
                let data = match kind {
                    $($($kind)|+ => Self::$Variant(Box::sample(source)),)*
                    _ => Self::Unknown(RawNest::sample(source)),
                };
                (kind, source.maybe().then_some(data))
            }
        }

        #[cfg(feature = "serde")]
        impl Chosen for $Data {
            fn tag(&self, kind: Option<&str>) -> &'static str {
                match (self, kind) {
                    $($((Self::$Variant(_), Some($kind)) => $kind,)+)*
                    $((Self::$Variant(_), _) => [$($kind),+][0],)*
                    (Self::Unknown(_), _) => UNKNOWN,
                }
            }

            fn write_value<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$Variant(data) => data.write(serializer),)*
                    Self::Unknown(nest) => nest.write(serializer),
                }
            }

            fn read_value<'de, A: MapAccess<'de>>(tag: &str, map: &mut A) -> Result<Option<Self>, A::Error> {
                Ok(Some(match tag {
                    $($($kind)|+ => Self::$Variant(read_field(map)?),)*
                    UNKNOWN => Self::Unknown(read_field(map)?),
                    _ => return Ok(None),
                }))
            }

            fn shape() -> Shape {
                fn fields() -> Vec<Field> {
                    let field = |name, about, shape| Field { name, about, is_always: false, shape };
                    let mut fields = Vec::new();
                    $({
                        let about = concat!($($variant_about, "\n"),*);
                        fields.extend([$(field($kind, about, $Variant::shape())),+]);
                    })*
                    let unknown = "Of a kind that is not known here, or of an unknown form.";
                    fields.push(field(UNKNOWN, unknown, RawNest::shape()));
                    fields
                }
                Shape::Choice(Object { name: stringify!($Data), about: concat!($($about, "\n"),*), fields })
            }
        }

        $(impl From<$Variant> for $Data {
            fn from(data: $Variant) -> Self {
                Self::$Variant(Box::new(data))
            }
        })*
    };
}

kinds! {
    /// What goes with the kind of a link (`IFLA_INFO_DATA`).
    pub enum KindData {
        /// A bridge.
        Bridge: "bridge",
        /// A pair of links; only requests have its data.
        Veth: "veth",
        /// A TUN or TAP device.
        Tun: "tun",
        /// A VLAN on a link.
        Vlan: "vlan",
        /// A VXLAN tunnel.
        Vxlan: "vxlan",
        /// A MAC address on a link, and the same with a character device.
        Macvlan: "macvlan" "macvtap",
        /// An IP address on a link, and the same with a character device.
        Ipvlan: "ipvlan" "ipvtap",
        /// A routing domain.
        Vrf: "vrf",
        /// A pair of links with BPF programs.
        Netkit: "netkit",
        /// Links bonded.
        Bond: "bond",
        /// A GENEVE tunnel.
        Geneve: "geneve",
        /// A tunnel in GRE.
        Gre: "gre" "gretap" "ip6gre" "ip6gretap" "erspan" "ip6erspan",
        /// A tunnel in IP.
        IpTunnel: "ipip" "sit" "ip6tnl",
        /// A tunnel in IPsec, by addresses.
        Vti: "vti" "vti6",
        /// A tunnel in UDP without a header of its own.
        Bareudp: "bareudp",
        /// Two links made redundant.
        Hsr: "hsr",
        /// Encryption on a link.
        Macsec: "macsec",
        /// A tunnel in IPsec, by id.
        Xfrm: "xfrm",
        /// An OpenVPN tunnel.
        Ovpn: "ovpn",
    }
}

kinds! {
    /// What a master says of its port (`IFLA_INFO_SLAVE_DATA`).
    pub enum SlaveData {
        /// A port of a bridge.
        BridgePort: "bridge",
        /// A link of a bond.
        BondSlave: "bond",
        /// A link in a routing domain.
        VrfPort: "vrf",
    }
}
