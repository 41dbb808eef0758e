//! What holds for every struct: what is written is read back, in whatever order, and no document makes the readers panic.

use std::fmt::Debug;
use std::net::{IpAddr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Plain, Read, Shape, Written};
use crate::name::{IfName, LinkAddress};
use crate::wire::bridge::VlanDbFilter;
use crate::wire::link::veth::Veth;
use crate::wire::link::{KindData, LinkInfo};
use crate::wire::mdb::MdbRequest;
use crate::wire::nest::RawNest;
use crate::wire::prefix::Prefix;
use crate::wire::sample::Source;
use crate::wire::stats::LinkStats;
use crate::wire::value::Value;
use crate::wire::vni::VniFilter;
use crate::wire::*;

fn json<T: Plain>(value: &T) -> String {
    serde_json::to_string(&Written(value)).unwrap()
}

fn read<T: Plain>(json: &str) -> Result<T, String> {
    serde_json::from_str::<Read<T>>(json).map(|read| read.0).map_err(|error| error.to_string())
}

fn is_read_back<T: Plain + Value + PartialEq + Debug>(seed: &[u8]) {
    let value = T::sample(&mut Source::new(seed));
    let text = json(&value);
    assert_eq!(read::<T>(&text).as_ref(), Ok(&value), "{text}");
    // As a program leaves it that sorts the members, in a form that breaks lines.
    let sorted: serde_json::Value = serde_json::from_str(&text).unwrap();
    let text = serde_json::to_string_pretty(&sorted).unwrap();
    assert_eq!(read::<T>(&text).as_ref(), Ok(&value), "{text}");
    fits(&T::shape(), &sorted).unwrap();
}

/// Says where a document is not as its shape promises.
fn fits(shape: &Shape, value: &serde_json::Value) -> Result<(), String> {
    let wrong = || Err(format!("{value} is not {shape:?}"));
    let is = |it: bool| if it { Ok(()) } else { wrong() };
    match shape {
        Shape::Number(least, most) => match (value.as_i64(), value.as_u64()) {
            (_, Some(number)) => is(number <= *most),
            (Some(number), None) => is(number >= *least),
            (None, None) => wrong(),
        },
        Shape::Switch => is(value.is_boolean()),
        Shape::Text => is(value.is_string()),
        Shape::TextOrBytes => is(value.is_string() || value.get("bytes").is_some_and(|bytes| bytes.is_string())),
        Shape::Pattern(..) => is(value.is_string()),
        Shape::List(shape) => {
            value.as_array().ok_or_else(|| wrong().unwrap_err())?.iter().try_for_each(|one| fits(shape, one))
        }
        Shape::Map(_, shape) => {
            value.as_object().ok_or_else(|| wrong().unwrap_err())?.values().try_for_each(|one| fits(shape, one))
        }
        Shape::Object(object) | Shape::Choice(object) => {
            let fields = (object.fields)();
            let members = value.as_object().ok_or_else(|| wrong().unwrap_err())?;
            let is_missing = |field: &&super::Field| field.is_always && !members.contains_key(field.name);
            if let Some(field) = fields.iter().find(is_missing) {
                return Err(format!("{} lacks {}", object.name, field.name));
            }
            members.iter().try_for_each(|(name, value)| {
                let field = fields.iter().find(|field| field.name == name);
                fits(&field.ok_or_else(|| format!("{} has no {name}", object.name))?.shape, value)
            })
        }
        Shape::Either(shapes) => is(shapes.iter().any(|shape| fits(shape, value).is_ok())),
    }
}

macro_rules! for_each_body {
    ($check:ident, $bytes:expr) => {
        $check::<Link>($bytes);
        $check::<BridgeLink>($bytes);
        $check::<Address>($bytes);
        $check::<AddressLabel>($bytes);
        $check::<Route>($bytes);
        $check::<Rule>($bytes);
        $check::<Neighbour>($bytes);
        $check::<Nexthop>($bytes);
        $check::<Netconf>($bytes);
        $check::<NamespaceId>($bytes);
        $check::<Prefix>($bytes);
        $check::<LinkStats>($bytes);
        $check::<VlanDb>($bytes);
        $check::<VlanDbFilter>($bytes);
        $check::<Mdb>($bytes);
        $check::<MdbRequest>($bytes);
        $check::<VniFilter>($bytes);
        $check::<nft::Rule>($bytes);
        $check::<nft::Chain>($bytes);
        $check::<qdisc::Qdisc>($bytes);
    };
}

fn survives<T: Plain>(document: &str) {
    let _ = read::<T>(document);
}

/// Documents with the names that structs have, and values that often do not fit.
fn documents() -> impl Strategy<Value = String> {
    let names = "ifname|address|linkinfo|kind|data|vxlan|veth|peer|other|dst|via|multipath|mtu|stats64|bytes|flags";
    let leaf = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:e}").replace("NaN", "0").replace("inf", "0")),
        ".{0,8}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        "[0-9a-f:.]{0,20}".prop_map(|text| format!("\"{text}\"")),
        prop_oneof![Just("null"), Just("true"), Just("[]"), Just("{}"), Just("\"\\ud800\"")].prop_map(str::to_owned),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            vec((names, inner), 0..6).prop_map(|all| {
                let members: Vec<_> = all.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(seed in vec(any::<u8>(), 0..1500)) {
        for_each_body!(is_read_back, &seed);
    }

    #[test]
    fn any_document_is_read_or_refused(document in documents()) {
        for_each_body!(survives, &document);
    }

    #[test]
    fn a_document_that_is_cut_is_refused(seed in vec(any::<u8>(), 0..600), at in any::<prop::sample::Index>()) {
        let text = json(&Link::sample(&mut Source::new(&seed)));
        let mut cut = at.index(text.len());
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        prop_assert!(read::<Link>(&text[..cut]).is_err());
    }
}

#[test]
fn fields_are_called_as_the_kernel_calls_them_and_absent_ones_are_left_out() {
    let mut link = Link::named(IfName::new("vx0").unwrap());
    link.mtu = Some(1450);
    link.address = LinkAddress::new(&[2, 0, 0, 0, 0, 1]);
    link.set_kind("gretap", Some(crate::wire::link::tunnel::Gre { ttl: Some(64), ..Default::default() }.into()));
    let wanted = "{\"family\":0,\"link_type\":0,\"index\":0,\"flags\":0,\"change\":0,\"address\":\"02:00:00:00:00:01\",\
                  \"ifname\":\"vx0\",\"mtu\":1450,\"linkinfo\":{\"kind\":\"gretap\",\"data\":{\"gretap\":{\"ttl\":64}}}}";
    assert_eq!(json(&link), wanted);
}

#[test]
fn what_is_not_known_is_passed_over() {
    let link: Link = read("{\"from_the_future\":{\"a\":[1,2]},\"mtu\":1450,\"ifname\":null}").unwrap();
    assert_eq!(link, Link { mtu: Some(1450), ..Link::default() });
}

#[test]
fn a_name_that_is_not_text_survives() {
    let name = IfName::new([b'x', 0xff]).unwrap();
    assert_eq!(json(&name), "{\"bytes\":\"78ff\"}");
    assert_eq!(read::<IfName>("{\"bytes\":\"78ff\"}"), Ok(name));
    assert_eq!(read::<IfName>("{\"bytes\":\"2f\"}").unwrap_err(), "name has a '/' at line 1 column 14");
    assert!(read::<Text>("\"a\\u0000b\"").is_err());
}

#[test]
fn what_does_not_fit_is_refused_with_what_would() {
    let error = |json: &str| read::<Link>(json).unwrap_err();
    assert_eq!(error("{\"mtu\":-1}"), "invalid value: integer `-1`, expected u32 at line 1 column 9");
    assert_eq!(error("{\"address\":\"02:zz\"}").split(" at ").next().unwrap(), {
        "invalid value: string \"02:zz\", expected a hardware address of up to 32 bytes"
    });
    assert!(error("[]").contains("expected an object with the fields of a `Link`"), "{}", error("[]"));
    assert!(error("{\"linkinfo\":{\"data\":{}}}").contains("no member is called as a kind"));
}

#[test]
fn the_data_of_a_kind_may_come_before_the_kind() {
    let info: LinkInfo = read("{\"data\":{\"veth\":{}},\"kind\":\"veth\"}").unwrap();
    assert_eq!(info.data, Some(KindData::from(Veth::default())));
    let strange: LinkInfo = read("{\"data\":{\"unknown\":\"0400\"},\"kind\":\"new\"}").unwrap();
    assert_eq!(strange.data, Some(KindData::Unknown(RawNest([4, 0].into()))));
}

#[test]
fn an_address_is_one_in_whatever_form_it_is() {
    let ip: IpAddr = Ipv6Addr::LOCALHOST.into();
    assert_eq!(json(&ip), "\"::1\"");
    assert!(read::<IpAddr>("\"10.0.0.256\"").is_err());
}

#[test]
fn too_deep_a_document_is_refused() {
    let deep = "{\"linkinfo\":{\"data\":{\"veth\":{\"peer\":".repeat(1000);
    assert!(read::<Link>(&deep).unwrap_err().contains("recursion limit"));
}
