//! Samples for tests: every struct of attributes is made from a few random bytes, which shrink well.

/// Random bytes that run out: what is made of none is empty.
#[allow(missing_docs, reason = "tests only")]
pub struct Source<'a> {
    bytes: &'a [u8],
    plain: bool,
    only_v4: Option<bool>,
}

impl<'a> Source<'a> {
    #[allow(missing_docs, reason = "tests only")]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, plain: false, only_v4: None }
    }

    #[allow(missing_docs, reason = "tests only")]
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// For readers that want UTF-8, one family of addresses, and switches that are 0 or 1.
    pub fn plain(bytes: &'a [u8], only_v4: bool) -> Self {
        Self { bytes, plain: true, only_v4: Some(only_v4) }
    }

    #[allow(missing_docs, reason = "tests only")]
    pub fn is_v4(&mut self) -> bool {
        self.only_v4.unwrap_or_else(|| self.maybe())
    }

    #[allow(missing_docs, reason = "tests only")]
    pub fn text(&mut self, limit: u8) -> Vec<u8> {
        let is_plain = self.plain;
        let plain = |byte: u8| if is_plain { b'a' + byte % 26 } else { byte };
        self.bytes(limit).into_iter().map(plain).collect()
    }

    #[allow(missing_docs, reason = "tests only")]
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        *first
    }

    #[allow(missing_docs, reason = "tests only")]
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    #[allow(missing_docs, reason = "tests only")]
    pub fn maybe(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    #[allow(missing_docs, reason = "tests only")]
    pub fn bytes(&mut self, limit: u8) -> Vec<u8> {
        let length = self.byte() % (limit + 1);
        (0..length).map(|_| self.byte()).collect()
    }

    /// A raw attribute with a number that no table has.
    #[allow(missing_docs, reason = "tests only")]
    pub fn others(&mut self) -> Vec<super::RawAttribute> {
        let number = |byte: u8| 0x3000 | u16::from(byte);
        let one = |source: &mut Self| super::RawAttribute {
            flagged_number: number(source.byte()),
            payload: source.bytes(8).into(),
        };
        (0..self.byte() % 3).map(|_| one(self)).collect()
    }
}
