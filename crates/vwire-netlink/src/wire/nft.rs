//! nftables: tables, chains, rules and the expressions that rules are made of (`NFT_MSG_*`, over `NETLINK_NETFILTER`).
//!
//! Changes go to the kernel as one transaction ([`Socket::transaction`](crate::Socket::transaction)), which is done
//! whole or not at all. Numbers are big-endian on the wire and plain here. Source: `include/uapi/linux/netfilter/`
//! `nf_tables.h`; what an expression means is in `net/netfilter/nft_*.c`.

use super::attr::{Attributes, Builder};
use super::codec::BigEndian;
use super::message::MessageType;
use super::nest::{Numbered, RawNest};
use super::request::{Create, Request};
#[cfg(test)]
use super::sample::Source;
use super::text::Text;
use super::value::Value;
#[cfg(feature = "serde")]
use crate::plain::link::{Chosen, UNKNOWN};
#[cfg(feature = "serde")]
use crate::plain::serde::{de::MapAccess, ser::Serializer};
#[cfg(feature = "serde")]
use crate::plain::{Field, Object, Plain, Shape, read_field};

/// `NFNL_SUBSYS_NFTABLES`.
pub const SUBSYSTEM: u8 = 10;
/// `NFPROTO_INET`: IPv4 and IPv6 alike.
pub const INET: u8 = 1;
/// The first register of 16 bytes (`NFT_REG_1`).
pub const REGISTER: u32 = 1;
/// The register that verdicts go to (`NFT_REG_VERDICT`).
pub const VERDICT: u32 = 0;
/// `NF_DROP`.
pub const DROP: u32 = 0;
/// `NF_ACCEPT`.
pub const ACCEPT: u32 = 1;
/// The number of `NFTA_LIST_ELEM`.
const ELEMENT: u16 = 1;

/// `NFT_MSG_NEWTABLE`.
const NEWTABLE: MessageType = MessageType(0x0a00);
/// `NFT_MSG_GETTABLE`.
const GETTABLE: MessageType = MessageType(0x0a01);
/// `NFT_MSG_DELTABLE`.
const DELTABLE: MessageType = MessageType(0x0a02);
/// `NFT_MSG_NEWCHAIN`.
const NEWCHAIN: MessageType = MessageType(0x0a03);
/// `NFT_MSG_GETCHAIN`.
const GETCHAIN: MessageType = MessageType(0x0a04);
/// `NFT_MSG_NEWRULE`.
const NEWRULE: MessageType = MessageType(0x0a06);
/// `NFT_MSG_GETRULE`.
const GETRULE: MessageType = MessageType(0x0a07);

attributes! {
    /// A table (`struct nfgenmsg` and `NFTA_TABLE_*`).
    pub struct Table ("NFTA_TABLE_") after {
        /// `NFPROTO_*`.
        family: u8,
        /// 0.
        version: u8,
        /// In an answer, how often the rules were changed, big-endian.
        generation: u16,
    } {
        /// Its name.
        name: Option<Text> = 1,
        /// `NFT_TABLE_F_*`.
        flags: Option<u32> as BigEndian = 2,
        /// How many chains it has.
        in_use: Option<u32> as BigEndian = 3 ("use"),
        /// Its number.
        handle: Option<u64> as BigEndian = 4,
        /// What its maker wrote on it.
        userdata: Option<Box<[u8]>> = 6,
        /// The port of the process that it goes away with.
        owner: Option<u32> as BigEndian = 7,
    }
}

attributes! {
    /// A chain (`struct nfgenmsg` and `NFTA_CHAIN_*`).
    pub struct Chain ("NFTA_CHAIN_") after {
        /// `NFPROTO_*`.
        family: u8,
        /// 0.
        version: u8,
        /// In an answer, how often the rules were changed, big-endian.
        generation: u16,
    } {
        /// Its table.
        table: Option<Text> = 1,
        /// Its number.
        handle: Option<u64> as BigEndian = 2,
        /// Its name.
        name: Option<Text> = 3,
        /// Where packets come to it by themselves.
        hook: Option<Hook> = 4,
        /// What becomes of packets at its end, [`DROP`] or [`ACCEPT`].
        policy: Option<u32> as BigEndian = 5,
        /// How many refer to it.
        in_use: Option<u32> as BigEndian = 6 ("use"),
        /// `filter`, `nat`, `route`.
        chain_type: Option<Text> = 7 ("type"),
        /// Counters.
        counters: Option<RawNest> = 8,
        /// `NFT_CHAIN_*`.
        flags: Option<u32> as BigEndian = 10,
        /// Its number in this transaction.
        id: Option<u32> as BigEndian = 11,
        /// What its maker wrote on it.
        userdata: Option<Box<[u8]>> = 12,
    }
}

attributes! {
    /// Where packets come to a chain (`NFTA_HOOK_*`).
    pub struct Hook ("NFTA_HOOK_") {
        /// `NF_INET_*`: 0 prerouting, 1 input, 2 forward, 3 output, 4 postrouting.
        hooknum: Option<u32> as BigEndian = 1,
        /// Its place among the chains there, smaller first; a negative number in two's complement.
        priority: Option<u32> as BigEndian = 2,
        /// The device, of a chain at a device.
        dev: Option<Text> = 3,
        /// The devices.
        devs: Option<RawNest> = 4,
    }
}

attributes! {
    /// A rule (`struct nfgenmsg` and `NFTA_RULE_*`).
    pub struct Rule ("NFTA_RULE_") after {
        /// `NFPROTO_*`.
        family: u8,
        /// 0.
        version: u8,
        /// In an answer, how often the rules were changed, big-endian.
        generation: u16,
    } {
        /// Its table.
        table: Option<Text> = 1,
        /// Its chain.
        chain: Option<Text> = 2,
        /// Its number.
        handle: Option<u64> as BigEndian = 3,
        /// What it does, one after another.
        expressions: Option<Numbered<Expression>> = 4,
        /// What `iptables` needs to know of it.
        compat: Option<RawNest> = 5,
        /// The rule before it, by its number.
        position: Option<u64> as BigEndian = 6,
        /// What its maker wrote on it.
        userdata: Option<Box<[u8]>> = 7,
        /// Its number in this transaction.
        id: Option<u32> as BigEndian = 9,
        /// The rule before it, by its number in this transaction.
        position_id: Option<u32> as BigEndian = 10,
        /// Its chain, by its number in this transaction.
        chain_id: Option<u32> as BigEndian = 11,
    }
}

impl Table {
    /// Returns a table for IPv4 and IPv6 alike.
    #[must_use]
    pub fn inet(name: &str) -> Self {
        Self { family: INET, name: Some(name.into()), ..Self::default() }
    }

    /// Returns a request that makes the table, and takes it as it is if it is there.
    #[must_use]
    pub fn to_new(&self) -> Request {
        Request::new(NEWTABLE, Create::OrChange.flags(), self)
    }

    /// Returns a request that deletes the table with all that is in it; `ENOENT` if it is not there.
    #[must_use]
    pub fn to_del(&self) -> Request {
        Request::new(DELTABLE, 0, self)
    }

    /// Returns a request for all tables of the family.
    #[must_use]
    pub fn to_dump(&self) -> Request {
        Request::dump(GETTABLE, &Self { family: self.family, ..Self::default() })
    }
}

impl Chain {
    /// Returns a request that makes the chain.
    #[must_use]
    pub fn to_new(&self) -> Request {
        Request::new(NEWCHAIN, Create::OrChange.flags(), self)
    }

    /// Returns a request for all chains of the family, in any table.
    #[must_use]
    pub fn to_dump(&self) -> Request {
        Request::dump(GETCHAIN, &Self { family: self.family, ..Self::default() })
    }
}

impl Rule {
    /// Returns a rule of these expressions.
    #[must_use]
    pub fn new(table: &str, chain: &str, expressions: Vec<Expression>) -> Self {
        let numbered = expressions.into_iter().map(|expression| (ELEMENT, expression)).collect();
        let expressions = Some(Numbered(numbered));
        Self { family: INET, table: Some(table.into()), chain: Some(chain.into()), expressions, ..Self::default() }
    }

    /// Returns a request that puts the rule at the end of its chain.
    #[must_use]
    pub fn to_append(&self) -> Request {
        Request::new(NEWRULE, Create::Append.flags(), self)
    }

    /// Returns a request for all rules of the table and the chain, as far as they are said.
    #[must_use]
    pub fn to_dump(&self) -> Request {
        let (table, chain) = (self.table.clone(), self.chain.clone());
        Request::dump(GETRULE, &Self { family: self.family, table, chain, ..Self::default() })
    }

    /// Returns what the rule does, one after another.
    pub fn steps(&self) -> impl Iterator<Item = &Expression> {
        self.expressions.iter().flat_map(|list| list.0.iter().map(|(_, expression)| expression))
    }
}

attributes! {
    /// A value or a verdict (`NFTA_DATA_*`).
    pub struct Data ("NFTA_DATA_") {
        /// The bytes of a value, as they are in a packet or in the kernel.
        value: Option<Box<[u8]>> = 1,
        /// What becomes of the packet.
        verdict: Option<Verdict> = 2,
    }
}

impl Data {
    /// Returns a value.
    #[must_use]
    pub fn value(bytes: &[u8]) -> Self {
        Self { value: Some(bytes.into()), ..Self::default() }
    }
}

attributes! {
    /// What becomes of a packet (`NFTA_VERDICT_*`).
    pub struct Verdict ("NFTA_VERDICT_") {
        /// [`DROP`], [`ACCEPT`], or `NFT_*` in two's complement.
        code: Option<u32> as BigEndian = 1,
        /// The chain to go to.
        chain: Option<Text> = 2,
        /// The chain to go to, by its number in this transaction.
        chain_id: Option<u32> as BigEndian = 3,
    }
}

attributes! {
    /// Loads what the kernel knows of a packet (`NFTA_META_*`).
    pub struct Meta ("NFTA_META_") {
        /// The register to load it to.
        dreg: Option<u32> as BigEndian = 1,
        /// `NFT_META_*`: 6 the name of the device it came in by, 7 of the one it leaves by, 15 `NFPROTO_*`, 16 the
        /// protocol above IP.
        key: Option<u32> as BigEndian = 2,
        /// The register to take it from.
        sreg: Option<u32> as BigEndian = 3,
    }
}

attributes! {
    /// Loads what a packet has (`NFTA_PAYLOAD_*`).
    pub struct Payload ("NFTA_PAYLOAD_") {
        /// The register to load it to.
        dreg: Option<u32> as BigEndian = 1,
        /// Where to count from: 0 the link-layer header, 1 the IP header, 2 the header behind it.
        base: Option<u32> as BigEndian = 2,
        /// How many bytes behind that.
        offset: Option<u32> as BigEndian = 3,
        /// How many bytes.
        len: Option<u32> as BigEndian = 4,
        /// The register to take it from.
        sreg: Option<u32> as BigEndian = 5,
        /// Which checksum is put right.
        csum_type: Option<u32> as BigEndian = 6,
        /// Where that is.
        csum_offset: Option<u32> as BigEndian = 7,
        /// `NFT_PAYLOAD_*`.
        csum_flags: Option<u32> as BigEndian = 8,
    }
}

attributes! {
    /// Goes on only if a register compares so (`NFTA_CMP_*`).
    pub struct Cmp ("NFTA_CMP_") {
        /// The register.
        sreg: Option<u32> as BigEndian = 1,
        /// `NFT_CMP_*`: 0 equal, 1 not, 2 less, 3 at most, 4 more, 5 at least.
        op: Option<u32> as BigEndian = 2,
        /// What it is compared with.
        data: Option<Data> = 3,
    }
}

attributes! {
    /// Masks bits (`NFTA_BITWISE_*`).
    pub struct Bitwise ("NFTA_BITWISE_") {
        /// The register to take from.
        sreg: Option<u32> as BigEndian = 1,
        /// The register to put to.
        dreg: Option<u32> as BigEndian = 2,
        /// How many bytes.
        len: Option<u32> as BigEndian = 3,
        /// The bits that stay.
        mask: Option<Data> = 4,
        /// The bits that are turned around behind that.
        xor: Option<Data> = 5,
        /// `NFT_BITWISE_*`; 0 is mask and xor.
        op: Option<u32> as BigEndian = 6,
        /// By how many bits it is shifted.
        data: Option<Data> = 7,
    }
}

attributes! {
    /// Loads what is known of a packet's flow (`NFTA_CT_*`).
    pub struct Ct ("NFTA_CT_") {
        /// The register to load it to.
        dreg: Option<u32> as BigEndian = 1,
        /// `NFT_CT_*`: 0 the state.
        key: Option<u32> as BigEndian = 2,
        /// Of which direction.
        direction: Option<u8> = 3,
        /// The register to take it from.
        sreg: Option<u32> as BigEndian = 4,
    }
}

attributes! {
    /// Loads a value, or decides (`NFTA_IMMEDIATE_*`).
    pub struct Immediate ("NFTA_IMMEDIATE_") {
        /// The register to load it to, [`VERDICT`] to decide.
        dreg: Option<u32> as BigEndian = 1,
        /// What is loaded.
        data: Option<Data> = 2,
    }
}

attributes! {
    /// Translates addresses (`NFTA_NAT_*`).
    pub struct Nat ("NFTA_NAT_") {
        /// 0 the source's, 1 the destination's.
        nat_type: Option<u32> as BigEndian = 1 ("type"),
        /// `NFPROTO_*`.
        family: Option<u32> as BigEndian = 2,
        /// The register with the first address.
        reg_addr_min: Option<u32> as BigEndian = 3,
        /// The register with the last address.
        reg_addr_max: Option<u32> as BigEndian = 4,
        /// The register with the first port.
        reg_proto_min: Option<u32> as BigEndian = 5,
        /// The register with the last port.
        reg_proto_max: Option<u32> as BigEndian = 6,
        /// `NF_NAT_RANGE_*`.
        flags: Option<u32> as BigEndian = 7,
    }
}

attributes! {
    /// Gives packets the address of the device they leave by (`NFTA_MASQ_*`).
    pub struct Masq ("NFTA_MASQ_") {
        /// `NF_NAT_RANGE_*`.
        flags: Option<u32> as BigEndian = 1,
        /// The register with the first port.
        reg_proto_min: Option<u32> as BigEndian = 2,
        /// The register with the last port.
        reg_proto_max: Option<u32> as BigEndian = 3,
    }
}

attributes! {
    /// Refuses with a message (`NFTA_REJECT_*`).
    pub struct Reject ("NFTA_REJECT_") {
        /// 0 the family's own ICMP, 1 a TCP reset, 2 ICMP of either family.
        reject_type: Option<u32> as BigEndian = 1 ("type"),
        /// The code; of ICMP of either family: 0 no route, 1 no port, 2 no host, 3 forbidden.
        icmp_code: Option<u8> = 2,
    }
}

attributes! {
    /// Counts (`NFTA_COUNTER_*`).
    pub struct Counter ("NFTA_COUNTER_") {
        /// How many bytes came by.
        bytes: Option<u64> as BigEndian = 1,
        /// How many packets came by.
        packets: Option<u64> as BigEndian = 2,
    }
}

macro_rules! expressions {
    ($($(#[doc = $about:literal])* $Variant:ident: $name:literal,)*) => {
        /// A step of a rule: what it is called and what it needs (`NFTA_EXPR_NAME`, `NFTA_EXPR_DATA`).
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Expression {
            $($(#[doc = $about])* $Variant(Box<$Variant>),)*
            /// One that is not known here, or of an unknown form: its name and its nest.
            Unknown(Text, RawNest),
        }

        impl Expression {
            /// Returns what it is called.
            #[must_use]
            pub fn name(&self) -> &[u8] {
                match self {
                    $(Self::$Variant(_) => $name.as_bytes(),)*
                    Self::Unknown(name, _) => name.as_bytes(),
                }
            }

            fn read(name: Text, payload: &[u8]) -> Self {
                let known = match name.as_str() {
                    $(Some($name) => Value::decode(payload).map(Self::$Variant),)*
                    _ => None,
                };
                known.unwrap_or_else(|| Self::Unknown(name, RawNest(payload.into())))
            }

            fn put_data(&self, out: &mut Builder) {
                match self {
                    $(Self::$Variant(data) => data.encode(out),)*
                    Self::Unknown(_, data) => data.encode(out),
                }
            }

            #[cfg(test)]
            fn sample_known(source: &mut Source) -> Self {
                const NAMES: &[&str] = &[$($name,)* "log"];
                match NAMES[usize::from(source.byte()) % NAMES.len()] {
                    $($name => Self::$Variant(Box::sample(source)),)*
                    name => Self::Unknown(name.into(), RawNest::sample(source)),
                }
            }
        }

        #[cfg(feature = "serde")]
        impl Chosen for Expression {
            fn tag(&self, _: Option<&str>) -> &'static str {
                match self {
                    $(Self::$Variant(_) => $name,)*
                    Self::Unknown(..) => UNKNOWN,
                }
            }

            fn write_value<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$Variant(data) => data.write(serializer),)*
                    Self::Unknown(name, data) => {
                        UnknownExpression { name: name.clone(), data: data.clone() }.write(serializer)
                    }
                }
            }

            fn read_value<'de, A: MapAccess<'de>>(tag: &str, map: &mut A) -> Result<Option<Self>, A::Error> {
                Ok(Some(match tag {
                    $($name => Self::$Variant(read_field(map)?),)*
                    UNKNOWN => {
                        let UnknownExpression { name, data } = read_field(map)?;
                        Self::Unknown(name, data)
                    }
                    _ => return Ok(None),
                }))
            }

            fn shape() -> Shape {
                fn fields() -> Vec<Field> {
                    let field = |name, about, shape| Field { name, about, is_always: false, shape };
                    let unknown = "One that is not known here, or of an unknown form.";
                    vec![
                        $(field($name, concat!($($about, "\n"),*), $Variant::shape()),)*
                        field(UNKNOWN, unknown, UnknownExpression::shape()),
                    ]
                }
                Shape::Choice(Object { name: "Expression", about: "A step of a rule.", fields })
            }
        }

        $(impl From<$Variant> for Expression {
            fn from(data: $Variant) -> Self {
                Self::$Variant(Box::new(data))
            }
        })*
    };
}

expressions! {
    /// Loads what the kernel knows of a packet.
    Meta: "meta",
    /// Loads what a packet has.
    Payload: "payload",
    /// Goes on only if a register compares so.
    Cmp: "cmp",
    /// Masks bits.
    Bitwise: "bitwise",
    /// Loads what is known of a packet's flow.
    Ct: "ct",
    /// Loads a value, or decides.
    Immediate: "immediate",
    /// Translates addresses.
    Nat: "nat",
    /// Gives packets the address of the device they leave by.
    Masq: "masq",
    /// Refuses with a message.
    Reject: "reject",
    /// Counts.
    Counter: "counter",
}

#[cfg(feature = "serde")]
#[derive(Default)]
struct UnknownExpression {
    name: Text,
    data: RawNest,
}

#[cfg(feature = "serde")]
crate::plain_object! {
    UnknownExpression, "A step of a rule that is not known here, or of an unknown form.",
    always {
        name: Text, "What it is called.";
        data: RawNest, "What it needs.";
    }
    known {}
}

impl Expression {
    /// Returns the step that ends a rule with [`DROP`] or [`ACCEPT`].
    #[must_use]
    pub fn verdict(code: u32) -> Self {
        let verdict = Verdict { code: Some(code), ..Verdict::default() };
        let data = Data { verdict: Some(verdict), ..Data::default() };
        Immediate { dreg: Some(VERDICT), data: Some(data), ..Immediate::default() }.into()
    }
}

/// The number of `NFTA_EXPR_NAME`.
const NAME: u16 = 1;
/// The number of `NFTA_EXPR_DATA`.
const DATA: u16 = 2;

impl Value for Expression {
    const IS_NEST: bool = true;

    /// Reads a step of just a name and its nest; one with more is left to the caller.
    fn decode(payload: &[u8]) -> Option<Self> {
        let mut attributes = Attributes::new(payload);
        let name = attributes.next().filter(|attribute| attribute.number() == NAME)?;
        let data = attributes.next().filter(|attribute| attribute.number() == DATA)?;
        let whole = attributes.next().is_none() && attributes.rest().is_empty();
        whole.then(|| Some(Self::read(Text::decode(name.payload())?, data.payload())))?
    }

    fn encode(&self, out: &mut Builder) {
        out.attribute(NAME, |out| {
            out.raw(self.name());
            out.raw(&[0]);
        });
        out.nest(DATA, |out| self.put_data(out));
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        Self::sample_known(source)
    }
}
