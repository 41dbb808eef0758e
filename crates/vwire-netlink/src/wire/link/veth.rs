//! veth: a pair of links, joined back to back.

use super::super::Body;
use super::super::attr::{Attributes, Builder, aligned};
use super::super::codec::Codec;
use super::super::names::Children;
#[cfg(test)]
use super::super::sample::Source;
use super::super::value::Value;
use super::{Link, info};

attributes! {
    /// What a request for a veth says.
    pub struct Veth ("VETH_INFO_") {
        /// The other end; it must not have `IFF_UP`, nor a kind of its own.
        peer: Option<Box<Link>> as Peer = 1,
    }
}

impl Veth {
    /// Returns the data of a veth whose other end is `peer`.
    pub fn with_peer(peer: Link) -> Self {
        Self { peer: Some(Box::new(peer)), ..Self::default() }
    }
}

/// A link in a link.
///
/// One that has the data of a kind is kept raw: else a hostile message could nest links as deep as the stack.
#[derive(Clone, Copy, Debug)]
pub struct Peer;

impl Codec<Box<Link>> for Peer {
    const CHILDREN: Children = Children::SetAfter(Link::HEADER_LEN, Link::NAMES);

    fn decode(payload: &[u8]) -> Option<Box<Link>> {
        (!has_kind_data(payload)).then(|| Value::decode(payload))?
    }

    fn encode(value: &Box<Link>, out: &mut Builder) {
        Body::emit(value.as_ref(), out);
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Box<Link> {
        let mut link = Link::sample(source);
        link.linkinfo = None;
        if source.is_plain() {
            (link.family, link.link_type, link.index, link.flags, link.change) = Default::default();
        }
        Box::new(link)
    }
}

fn has_kind_data(payload: &[u8]) -> bool {
    let attributes = payload.get(aligned(Link::HEADER_LEN)..).unwrap_or_default();
    Attributes::new(attributes)
        .filter(|attribute| attribute.number() == 18)
        .flat_map(|attribute| attribute.nested())
        .any(|attribute| attribute.number() == info::DATA)
}
