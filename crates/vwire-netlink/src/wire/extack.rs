//! Extended acknowledgement: what the kernel says beside an error number.
//!
//! The kernel points at the offending attribute by its offset in the request. Here that offset is turned into a path
//! of names: the request's own bytes are walked down with the tables of names.

use std::fmt;

use super::attr::{Attributes, aligned};
use super::message::Header;
use super::names::{Children, Names};
use super::object;

/// `NLM_F_CAPPED`: only the header of the request is echoed.
const CAPPED: u16 = 0x100;
/// `NLM_F_ACK_TLVS`: there are attributes.
const ACK_TLVS: u16 = 0x200;

/// What the kernel says beside the error number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtAck {
    /// The sentence (`NLMSGERR_ATTR_MSG`); with success it is a warning.
    pub message: Option<String>,
    /// Where in the request the offending attribute starts, in bytes (`NLMSGERR_ATTR_OFFS`).
    pub offset: Option<u32>,
    /// The names from the outermost attribute to the offending one.
    pub attribute: Vec<String>,
    /// The names from the outermost attribute to the one that is missing (`NLMSGERR_ATTR_MISS_TYPE`).
    pub missing: Vec<String>,
    /// What the attribute may be (`NLMSGERR_ATTR_POLICY`).
    pub policy: Option<Policy>,
    /// What the subsystem says beside (`NLMSGERR_ATTR_COOKIE`).
    pub cookie: Option<Box<[u8]>>,
}

/// What an attribute may be (`NL_POLICY_TYPE_ATTR_*`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The type (`NL_ATTR_TYPE_*`).
    pub value_type: Option<u32>,
    /// The smallest number.
    pub min: Option<i128>,
    /// The largest number.
    pub max: Option<i128>,
    /// The shortest payload, in bytes.
    pub min_length: Option<u32>,
    /// The longest payload, in bytes.
    pub max_length: Option<u32>,
    /// Which bits a number may have.
    pub mask: Option<u64>,
}

/// The payload of `NLMSG_ERROR`, which with the error number 0 is an acknowledgement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The error number, positive; 0 is success.
    pub errno: i32,
    /// What is said beside.
    pub ext_ack: ExtAck,
}

impl Acknowledgement {
    /// Reads the payload of `NLMSG_ERROR`; `request` are the bytes of the message that it answers.
    pub fn parse_error(header: &Header, payload: &[u8], request: &[u8]) -> Option<Self> {
        let (errno, rest) = payload.split_first_chunk()?;
        let echoed = Header::parse(rest)?;
        let echoed = match header.flags & CAPPED {
            0 => aligned(usize::try_from(echoed.length).ok()?),
            _ => Header::LEN,
        };
        let attributes = rest.get(echoed..).unwrap_or_default();
        Some(Self::new(i32::from_ne_bytes(*errno), header.flags, attributes, request))
    }

    /// Reads the payload of `NLMSG_DONE`, which ends a dump.
    pub fn parse_done(header: &Header, payload: &[u8], request: &[u8]) -> Self {
        match payload.split_first_chunk() {
            Some((errno, rest)) => Self::new(i32::from_ne_bytes(*errno), header.flags, rest, request),
            None => Self::default(),
        }
    }

    fn new(errno: i32, flags: u16, attributes: &[u8], request: &[u8]) -> Self {
        let attributes = if flags & ACK_TLVS == 0 { &[] } else { attributes };
        Self { errno: errno.saturating_neg(), ext_ack: ExtAck::parse(attributes, request) }
    }
}

impl ExtAck {
    /// Reads `NLMSGERR_ATTR_*`; `request` are the bytes of the message that they are about.
    pub fn parse(attributes: &[u8], request: &[u8]) -> Self {
        let mut ext_ack = Self::default();
        let mut missing = None;
        let mut nest = None;
        for attribute in Attributes::new(attributes) {
            let payload = attribute.payload();
            match attribute.number() {
                1 => ext_ack.message = Some(text(payload)),
                2 => ext_ack.offset = u32_of(payload),
                3 => ext_ack.cookie = Some(payload.into()),
                4 => ext_ack.policy = Some(Policy::parse(payload)),
                5 => missing = u32_of(payload).and_then(|number| u16::try_from(number).ok()),
                6 => nest = u32_of(payload),
                _ => {}
            }
        }
        if let Some(offset) = ext_ack.offset {
            ext_ack.attribute = path(request, offset).0;
        }
        if let Some(number) = missing {
            ext_ack.missing = path_of_missing(request, nest, number);
        }
        ext_ack
    }

    /// Returns the names of the offending attribute, as `IFLA_LINKINFO > IFLA_INFO_KIND`.
    pub fn attribute_path(&self) -> Option<String> {
        (!self.attribute.is_empty()).then(|| self.attribute.join(" > "))
    }

    /// Returns the names of the missing attribute, as `IFLA_LINKINFO > IFLA_INFO_KIND`.
    pub fn missing_path(&self) -> Option<String> {
        (!self.missing.is_empty()).then(|| self.missing.join(" > "))
    }

    /// Returns whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Says the sentence, then in brackets which attribute is wrong or missing and what it may be.
impl fmt::Display for ExtAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing_path().map(|path| format!("{path} is missing"));
        let policy = self.policy.as_ref().map(Policy::to_string).filter(|text| !text.is_empty());
        let details: Vec<_> = [self.attribute_path(), missing, policy].into_iter().flatten().collect();
        match (&self.message, details.is_empty()) {
            (Some(message), true) => f.write_str(message),
            (Some(message), false) => write!(f, "{message} ({})", details.join(", ")),
            (None, _) => f.write_str(&details.join(", ")),
        }
    }
}

impl Policy {
    fn parse(payload: &[u8]) -> Self {
        let mut policy = Self::default();
        for attribute in Attributes::new(payload) {
            let payload = attribute.payload();
            match attribute.number() {
                1 => policy.value_type = u32_of(payload),
                2 => policy.min = i64_of(payload).map(i128::from),
                3 => policy.max = i64_of(payload).map(i128::from),
                4 => policy.min = u64_of(payload).map(i128::from),
                5 => policy.max = u64_of(payload).map(i128::from),
                6 => policy.min_length = u32_of(payload),
                7 => policy.max_length = u32_of(payload),
                12 => policy.mask = u64_of(payload),
                _ => {}
            }
        }
        policy
    }
}

/// Says the range, as `1 to 4094`, or `at most 15 bytes`; nothing if there is none.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max, self.min_length, self.max_length, self.mask) {
            (Some(min), Some(max), ..) => write!(f, "{min} to {max} is allowed"),
            (Some(min), None, ..) => write!(f, "at least {min} is allowed"),
            (None, Some(max), ..) => write!(f, "at most {max} is allowed"),
            (.., Some(mask)) => write!(f, "the bits {mask:#x} are allowed"),
            (_, _, Some(min), Some(max), _) if min == max => write!(f, "{min} bytes are allowed"),
            (_, _, Some(min), Some(max), _) => write!(f, "{min} to {max} bytes are allowed"),
            (_, _, None, Some(max), _) => write!(f, "at most {max} bytes are allowed"),
            (_, _, Some(min), None, _) => write!(f, "at least {min} bytes are allowed"),
            _ => Ok(()),
        }
    }
}

fn text(payload: &[u8]) -> String {
    let text = payload.strip_suffix(&[0]).unwrap_or(payload);
    String::from_utf8_lossy(text).trim_end().to_owned()
}

fn u32_of(payload: &[u8]) -> Option<u32> {
    Some(u32::from_ne_bytes(payload.try_into().ok()?))
}

fn u64_of(payload: &[u8]) -> Option<u64> {
    Some(u64::from_ne_bytes(payload.try_into().ok()?))
}

fn i64_of(payload: &[u8]) -> Option<i64> {
    Some(i64::from_ne_bytes(payload.try_into().ok()?))
}

/// Returns where the attributes of a request start and what they are called.
fn layout(request: &[u8]) -> Option<(usize, &'static Names)> {
    let header = Header::parse(request)?;
    let family = request.get(Header::LEN).copied().unwrap_or_default();
    let (length, names) = object::layout(header.message_type, family)?;
    Some((aligned(length), names))
}

/// Returns the names down to the attribute that starts at `offset` of the request, and what is in it.
fn path(request: &[u8], offset: u32) -> (Vec<String>, Option<&'static Names>) {
    let Some(layout) = layout(request) else {
        return (Vec::new(), None);
    };
    let Ok(offset) = usize::try_from(offset) else {
        return (Vec::new(), None);
    };
    let mut start = Header::LEN;
    let mut bytes = request.get(start..).unwrap_or_default();
    let mut inside = Some(layout);
    let mut path = Vec::new();
    // Each turn goes one nest down, so the loop ends where the bytes do.
    while let Some((header, names)) = inside {
        start += header;
        bytes = bytes.get(header..).unwrap_or_default();
        let siblings = Attributes::new(bytes);
        let Some(attribute) = siblings.clone().take_while(|a| start + a.offset() <= offset).last() else {
            break;
        };
        path.push(names.name(attribute.number()));
        let children = names.row(attribute.number()).map_or(Children::None, |row| row.children);
        inside = children.resolve(siblings);
        if start + attribute.offset() == offset {
            return (path, inside.map(|(_, names)| names));
        }
        start += attribute.offset() + 4;
        bytes = attribute.payload();
    }
    (path, None)
}

fn path_of_missing(request: &[u8], nest: Option<u32>, number: u16) -> Vec<String> {
    let (mut path, names) = match nest {
        Some(offset) => path(request, offset),
        None => (Vec::new(), layout(request).map(|(_, names)| names)),
    };
    path.push(names.map_or_else(|| format!("attribute {number}"), |names| names.name(number)));
    path
}

#[cfg(test)]
mod tests {
    use super::super::Builder;
    use super::super::link::{Link, vlan::Vlan};
    use super::super::request::{Create, Request};
    use super::*;

    fn request() -> Request {
        let mut link = Link { mtu: Some(1400), ..Link::default() };
        let vlan = Vlan { id: Some(4096), ..Vlan::default() };
        link.set_kind("vlan", Some(vlan.into()));
        Request::new_link(&link, Create::Exclusive)
    }

    fn offset_of(request: &Request, attribute: &[u8]) -> u32 {
        let bytes = request.as_bytes();
        let at = bytes.windows(attribute.len()).position(|window| window == attribute).unwrap();
        u32::try_from(at).unwrap()
    }

    #[test]
    fn an_offset_becomes_a_path_of_names() {
        let request = request();
        let offset = offset_of(&request, &[6, 0, 1, 0, 0, 16]);
        let mut out = Builder::new();
        out.cstr(1, b"Invalid VLAN id");
        out.u32(2, offset);
        let ext_ack = ExtAck::parse(out.as_bytes(), request.as_bytes());
        assert_eq!(ext_ack.to_string(), "Invalid VLAN id (IFLA_LINKINFO > IFLA_INFO_DATA > IFLA_VLAN_ID)");
    }

    #[test]
    fn a_missing_attribute_is_named() {
        let request = request();
        let mut out = Builder::new();
        out.u32(5, 1);
        out.u32(6, 40);
        let ext_ack = ExtAck::parse(out.as_bytes(), request.as_bytes());
        assert_eq!(ext_ack.to_string(), "IFLA_LINKINFO > IFLA_INFO_KIND is missing");
        let mut out = Builder::new();
        out.u32(5, 4);
        let ext_ack = ExtAck::parse(out.as_bytes(), request.as_bytes());
        assert_eq!(ext_ack.to_string(), "IFLA_MTU is missing");
    }

    #[test]
    fn a_policy_says_the_range() {
        let mut out = Builder::new();
        out.cstr(1, b"integer out of range");
        out.nest(4, |out| {
            out.u64(4, 1);
            out.u64(5, 4094);
        });
        let ext_ack = ExtAck::parse(out.as_bytes(), &[]);
        assert_eq!(ext_ack.to_string(), "integer out of range (1 to 4094 is allowed)");
    }

    #[test]
    fn an_offset_out_of_the_request_has_no_path_and_no_panic() {
        let request = request();
        for offset in [0, 3, 15, u32::MAX] {
            let mut out = Builder::new();
            out.u32(2, offset);
            ExtAck::parse(out.as_bytes(), request.as_bytes());
            ExtAck::parse(out.as_bytes(), &[]);
        }
    }
}
