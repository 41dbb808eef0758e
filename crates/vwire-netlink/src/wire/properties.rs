//! What holds for every body: what is emitted is read back, and no bytes make the readers panic or lose a thing.

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;

use super::bridge::VlanDbFilter;
use super::extack::{Acknowledgement, ExtAck};
use super::mdb::{Mdb, MdbRequest};
use super::prefix::Prefix;
use super::sample::Source;
use super::stats::LinkStats;
use super::value::Value;
use super::vni::VniFilter;
use super::*;

fn emitted(body: &impl Body) -> Vec<u8> {
    let mut out = Builder::new();
    body.emit(&mut out);
    assert_eq!(out.oversized(), None);
    out.into_bytes()
}

fn is_read_back<T: Body + Value + PartialEq + Debug>(seed: &[u8]) {
    let body = T::sample(&mut Source::new(seed));
    assert_eq!(T::parse(&emitted(&body)).as_ref(), Ok(&body));
}

/// Unlike [`is_read_back`] this starts from bytes that nobody emitted, as a hostile or a newer kernel might send.
fn survives<T: Body + Value + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(body) = T::parse(bytes) {
        assert_eq!(T::parse(&emitted(&body)).as_ref(), Ok(&body));
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
        $check::<NeighbourTable>($bytes);
        $check::<Nexthop>($bytes);
        $check::<nft::Table>($bytes);
        $check::<nft::Chain>($bytes);
        $check::<nft::Rule>($bytes);
        $check::<Netconf>($bytes);
        $check::<NamespaceId>($bytes);
        $check::<Prefix>($bytes);
        $check::<LinkStats>($bytes);
        $check::<Qdisc>($bytes);
        $check::<VlanDb>($bytes);
        $check::<VlanDbFilter>($bytes);
        $check::<Mdb>($bytes);
        $check::<MdbRequest>($bytes);
        $check::<VniFilter>($bytes);
    };
}

/// Bytes that look like attributes, nested now and then: random bytes hardly ever do.
fn attributes() -> impl Strategy<Value = Vec<u8>> {
    let leaf = vec(any::<u8>(), 0..24);
    let nest = leaf.prop_recursive(4, 40, 6, |inner| {
        let kind = prop_oneof![
            inner,
            Just(b"veth\0".to_vec()),
            Just(b"bridge\0".to_vec()),
            Just(b"vxlan\0".to_vec()),
            Just(vec![0; 16])
        ];
        vec((0u16..72, kind), 0..6).prop_map(|attributes| {
            let mut out = Builder::new();
            attributes.iter().for_each(|(number, payload)| out.bytes(*number, payload));
            out.into_bytes()
        })
    });
    (vec(any::<u8>(), 0..24), nest).prop_map(|(header, attributes)| [header, attributes].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_emitted_is_read_back(seed in vec(any::<u8>(), 0..1500)) {
        for_each_body!(is_read_back, &seed);
    }

    #[test]
    fn what_is_shed_need_not_be_read_first(seed in vec(any::<u8>(), 0..1500)) {
        let bytes = emitted(&Link::sample(&mut Source::new(&seed)));
        let mut link = Link::parse(&bytes).unwrap();
        link.shed();
        prop_assert_eq!(Link::parse_shed(&bytes), Ok(link));
    }

    #[test]
    fn any_attributes_are_shed_or_refused(bytes in attributes()) {
        let _ = Link::parse_shed(&bytes);
    }

    #[test]
    fn any_bytes_are_read_without_loss_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        for_each_body!(survives, &bytes);
    }

    #[test]
    fn any_attributes_are_read_without_loss_or_refused(bytes in attributes()) {
        for_each_body!(survives, &bytes);
    }

    #[test]
    fn any_message_type_takes_any_bytes(number in 0u16..130, bytes in attributes()) {
        let _ = Object::parse(MessageType(number), &bytes);
    }

    #[test]
    fn any_datagram_is_cut_to_its_end(datagram in vec(any::<u8>(), 0..200)) {
        prop_assert!(Messages::new(&datagram).count() <= datagram.len() / Header::LEN + 1);
    }

    #[test]
    fn any_extended_acknowledgement_is_read(tlvs in attributes(), request in attributes(), number in 16u16..120) {
        let mut payload = Builder::new();
        payload.raw(&request);
        let request = Request::from_builder(MessageType(number), 0, payload);
        let _ = ExtAck::parse(&tlvs, request.as_bytes()).to_string();
        let _ = ExtAck::parse(&tlvs, &tlvs).to_string();
        let flags = if number % 2 == 0 { 0x300 } else { 0x200 };
        let header = Header { length: 0, message_type: MessageType::ERROR, flags, sequence: 0, port: 0 };
        let _ = Acknowledgement::parse_error(&header, &tlvs, request.as_bytes());
        let _ = Acknowledgement::parse_done(&header, &tlvs, request.as_bytes());
    }

    #[test]
    fn every_offset_of_a_request_has_a_path_or_none(seed in vec(any::<u8>(), 0..300), offset in 0u32..400) {
        let link = Link::sample(&mut Source::new(&seed));
        let request = Request::new_link(&link, Create::Exclusive);
        let mut out = Builder::new();
        out.u32(2, offset);
        out.u32(5, 1);
        out.u32(6, offset);
        let _ = ExtAck::parse(out.as_bytes(), request.as_bytes());
    }
}
