//! Attributes: the type-length-value records that follow a message's header, and nest.

use std::fmt;

/// The flag of an attribute's type that says: the payload is attributes again (`NLA_F_NESTED`).
pub const NESTED: u16 = 1 << 15;
/// The flag of an attribute's type that says: the payload is in network byte order (`NLA_F_NET_BYTEORDER`).
pub const NET_BYTEORDER: u16 = 1 << 14;

/// The length of an attribute's header, in bytes.
const HEADER_LEN: usize = 4;

/// Returns `length` rounded up to the 4 bytes that messages and attributes are aligned to.
pub(crate) const fn aligned(length: usize) -> usize {
    length.saturating_add(3) & !3
}

/// One attribute, borrowed from the message it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    kind: u16,
    offset: usize,
    payload: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// Returns the type, without the flags.
    pub fn number(&self) -> u16 {
        self.kind & !(NESTED | NET_BYTEORDER)
    }

    /// Returns the type with the flags, as it is on the wire.
    pub fn flagged_number(&self) -> u16 {
        self.kind
    }

    /// Returns where the attribute's header starts, counted from the start of the first attribute.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Returns the payload without padding.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Returns the attributes in the payload.
    pub fn nested(&self) -> Attributes<'a> {
        Attributes::new(self.payload)
    }

    /// Returns a copy that owns its payload.
    pub fn to_raw(&self) -> RawAttribute {
        RawAttribute { flagged_number: self.kind, payload: self.payload.into() }
    }
}

/// An iterator over the attributes of a message or a nest.
///
/// It ends at the first attribute whose length is impossible; [`Attributes::rest`] is empty only if all went well.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Attributes<'a> {
    /// Returns an iterator over `bytes`, which start with an attribute's header.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// Returns the bytes that are not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let [l0, l1, k0, k1, ..] = *self.rest else {
            return None;
        };
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let payload = self.rest.get(HEADER_LEN..length)?;
        let attribute = Attribute { kind: u16::from_ne_bytes([k0, k1]), offset: self.offset, payload };
        let step = aligned(length).min(self.rest.len());
        self.rest = self.rest.get(step..).unwrap_or_default();
        self.offset += step;
        Some(attribute)
    }
}

/// An attribute that no table here knows, or whose value has an unknown form; kept as it came.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RawAttribute {
    /// The type with its flags ([`NESTED`], [`NET_BYTEORDER`]).
    pub flagged_number: u16,
    /// The payload.
    pub payload: Box<[u8]>,
}

impl RawAttribute {
    /// Returns the type, without the flags.
    pub fn number(&self) -> u16 {
        self.flagged_number & !(NESTED | NET_BYTEORDER)
    }
}

impl fmt::Debug for RawAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.number())?;
        self.payload.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Bytes under construction: a message's header, then attributes.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    bytes: Vec<u8>,
    oversized: Option<u16>,
}

impl Builder {
    /// Returns an empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends bytes as they are, without header and padding.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends an attribute whose payload `write` appends.
    ///
    /// A payload that does not fit the 16 bits of the length is cut off; [`Builder::oversized`] then says so.
    pub fn attribute(&mut self, flagged_number: u16, write: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.raw(&[0; HEADER_LEN]);
        write(self);
        let length = u16::try_from(self.bytes.len() - start).unwrap_or_else(|_| {
            self.oversized = Some(flagged_number & !(NESTED | NET_BYTEORDER));
            self.bytes.truncate(start + HEADER_LEN);
            4
        });
        let header = length.to_ne_bytes().into_iter().chain(flagged_number.to_ne_bytes());
        for (to, from) in self.bytes.iter_mut().skip(start).zip(header) {
            *to = from;
        }
        self.bytes.resize(aligned(self.bytes.len()), 0);
    }

    /// Appends an attribute that holds the attributes which `write` appends.
    pub fn nest(&mut self, number: u16, write: impl FnOnce(&mut Self)) {
        self.attribute(number | NESTED, write);
    }

    /// Appends an attribute of these bytes.
    pub fn bytes(&mut self, number: u16, payload: &[u8]) {
        self.attribute(number, |out| out.raw(payload));
    }

    /// Appends an attribute of one `u8`.
    pub fn u8(&mut self, number: u16, value: u8) {
        self.bytes(number, &[value]);
    }

    /// Appends an attribute of one `u16` in host byte order.
    pub fn u16(&mut self, number: u16, value: u16) {
        self.bytes(number, &value.to_ne_bytes());
    }

    /// Appends an attribute of one `u32` in host byte order.
    pub fn u32(&mut self, number: u16, value: u32) {
        self.bytes(number, &value.to_ne_bytes());
    }

    /// Appends an attribute of one `u64` in host byte order.
    pub fn u64(&mut self, number: u16, value: u64) {
        self.bytes(number, &value.to_ne_bytes());
    }

    /// Appends an attribute of one `u16` in network byte order.
    pub fn be16(&mut self, number: u16, value: u16) {
        self.bytes(number, &value.to_be_bytes());
    }

    /// Appends an attribute of one `u32` in network byte order.
    pub fn be32(&mut self, number: u16, value: u32) {
        self.bytes(number, &value.to_be_bytes());
    }

    /// Appends an attribute of text and a terminating zero.
    pub fn cstr(&mut self, number: u16, text: &[u8]) {
        self.attribute(number, |out| {
            out.raw(text);
            out.raw(&[0]);
        });
    }

    /// Appends an attribute without payload, whose being there is what it says.
    pub fn flag(&mut self, number: u16) {
        self.bytes(number, &[]);
    }

    /// Returns the type of an attribute that was longer than 65,535 bytes, if there was one.
    pub fn oversized(&self) -> Option<u16> {
        self.oversized
    }

    /// Returns what was built so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns what was built.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_read_back() {
        let mut out = Builder::new();
        out.u8(1, 7);
        out.nest(2, |out| out.cstr(3, b"abc"));
        out.flag(4);
        let bytes = out.into_bytes();
        let read: Vec<_> = Attributes::new(&bytes).collect();
        assert_eq!(read.iter().map(Attribute::number).collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(read.iter().map(Attribute::offset).collect::<Vec<_>>(), [0, 8, 20]);
        assert_eq!(read[0].payload(), [7]);
        assert_eq!(read[1].flagged_number(), 2 | NESTED);
        assert_eq!(read[1].nested().next().unwrap().payload(), b"abc\0");
    }

    #[test]
    fn an_impossible_length_ends_the_iterator_and_leaves_a_rest() {
        for bytes in [&[3, 0, 1, 0][..], &[9, 0, 1, 0, 0, 0, 0, 0], &[0, 0], &[0; 4]] {
            let mut attributes = Attributes::new(bytes);
            assert_eq!(attributes.next(), None);
            assert_eq!(attributes.rest(), bytes);
        }
    }

    #[test]
    fn the_last_attribute_may_lack_its_padding() {
        let mut attributes = Attributes::new(&[5, 0, 1, 0, 9]);
        assert_eq!(attributes.next().unwrap().payload(), [9]);
        assert_eq!(attributes.rest(), b"");
    }

    #[test]
    fn a_payload_too_long_is_cut_and_said() {
        let mut out = Builder::new();
        out.bytes(5, &vec![0; 70_000]);
        assert_eq!(out.oversized(), Some(5));
        assert_eq!(out.as_bytes().len(), 4);
    }
}
