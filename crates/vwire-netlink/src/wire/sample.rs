//! Samples for tests: every struct of attributes is made from a few random bytes, which shrink well.

/// Random bytes that run out: what is made of none is empty.
#[allow(missing_docs, reason = "tests only")]
pub struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    #[allow(missing_docs, reason = "tests only")]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    #[allow(missing_docs, reason = "tests only")]
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
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
