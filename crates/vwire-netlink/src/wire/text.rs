//! Text from the kernel, which need not be UTF-8.

use std::fmt;

use super::attr::Builder;
#[cfg(test)]
use super::sample::Source;
use super::value::Value;

/// Text from the kernel: any bytes but zero, most often ASCII.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Text(Box<[u8]>);

impl Text {
    /// Returns the bytes before the first zero as text.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(bytes.as_ref().split(|byte| *byte == 0).next().unwrap_or_default().into())
    }

    /// Returns the bytes, without a terminating zero.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Value for Text {
    fn decode(payload: &[u8]) -> Option<Self> {
        let text = payload.strip_suffix(&[0]).unwrap_or(payload);
        (!text.contains(&0)).then(|| Self(text.into()))
    }

    fn encode(&self, out: &mut Builder) {
        out.raw(&self.0);
        out.raw(&[0]);
    }

    #[cfg(test)]
    fn sample(source: &mut Source) -> Self {
        Self::new(source.text(20))
    }
}
