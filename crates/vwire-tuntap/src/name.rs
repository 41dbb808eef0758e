//! What a device may be called.

use std::fmt;

/// The name of a network device: 1 to 15 bytes, no `/`, no `:`, no white space, neither `.` nor `..`.
///
/// A name given to create a device may contain `%d` once, which the kernel replaces by the first free number
/// (`dev_alloc_name` in `net/core/dev.c`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceName([u8; 16]);

/// Says why a string cannot be the name of a device.
#[derive(Clone, PartialEq, Eq)]
pub struct NameError {
    /// The string that was refused.
    pub name: String,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no device name: 1 to 15 bytes without `/`, `:` and white space", self.name)
    }
}

impl fmt::Debug for NameError {
    /// As `Display`: it is what a user sees of an error that `main` returns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for NameError {}

impl DeviceName {
    /// Checks a name by the kernel's rule (`dev_valid_name`).
    ///
    /// # Errors
    /// [`NameError`] when the kernel would refuse it.
    pub fn new(name: &str) -> Result<Self, NameError> {
        Self::from_bytes(name.as_bytes())
    }

    /// Checks a name that need not be UTF-8, as the kernel's need not.
    ///
    /// # Errors
    /// [`NameError`] when the kernel would refuse it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NameError> {
        // isspace() of the kernel, which also counts 0xa0 of Latin-1.
        let refused = |b: &u8| matches!(b, b'/' | b':' | 0 | b' ' | 0x09..=0x0d | 0xa0);
        let mut raw = [0; 16];
        let valid = !bytes.is_empty() && bytes.len() < raw.len() && !bytes.iter().any(refused);
        match raw.get_mut(..bytes.len()) {
            Some(room) if valid && bytes != b"." && bytes != b".." => room.copy_from_slice(bytes),
            _ => {
                return Err(NameError { name: String::from_utf8_lossy(bytes).into_owned() });
            }
        }
        Ok(Self(raw))
    }

    pub(crate) fn from_kernel(raw: [u8; 16]) -> Self {
        Self(raw)
    }

    pub(crate) fn raw(self) -> [u8; 16] {
        self.0
    }

    /// Returns the name's bytes; the kernel does not promise UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|&b| b == 0).unwrap_or(self.0.len());
        self.0.get(..end).unwrap_or(&[])
    }

    /// Returns the name as text, with replacement characters for bytes that are not UTF-8.
    #[must_use]
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(self.as_bytes()).into_owned()
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_text())
    }
}

impl fmt::Debug for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_text())
    }
}

impl TryFrom<&str> for DeviceName {
    type Error = NameError;

    fn try_from(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl std::str::FromStr for DeviceName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_rule_decides() {
        for good in ["t", "tap0", "fifteen-bytes-x", "tun%d", "ä"] {
            assert_eq!(DeviceName::new(good).unwrap().to_text(), good);
        }
        for bad in ["", ".", "..", "sixteen-bytes-xx", "a b", "a/b", "a:b", "a\tb", "a\0b"] {
            assert!(DeviceName::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(DeviceName::from_bytes(b"\xff").unwrap().as_bytes(), b"\xff");
    }
}
