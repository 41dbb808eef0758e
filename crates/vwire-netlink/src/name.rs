//! What a link is called: its name, its index, its hardware address.
//!
//! Each of the three is parsed once and then known to be right, so nothing downstream checks a string again.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// The name of a link: 1 to 15 bytes, as the kernel's `dev_valid_name` allows them.
///
/// The kernel takes any byte but `/`, `:` and white space, and refuses `.` and `..`. A name need not be UTF-8.
/// White space is what the kernel's own table says, which has 0xa0 too: `à` (0xc3 0xa0) is no name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IfName([u8; IfName::CAPACITY]);

impl IfName {
    /// The kernel's `IFNAMSIZ`, the terminating zero included.
    const CAPACITY: usize = 16;
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = Self::CAPACITY - 1;

    /// Returns the name that `bytes` spell.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] says which of the kernel's rules is broken.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, InvalidName> {
        let bytes = bytes.as_ref();
        if bytes.is_empty() {
            return Err(InvalidName::Empty);
        }
        if bytes.len() > Self::MAX_LEN {
            return Err(InvalidName::TooLong { length: bytes.len() });
        }
        if bytes == b"." || bytes == b".." {
            return Err(InvalidName::Directory);
        }
        if let Some(&byte) = bytes.iter().find(|byte| !is_allowed(**byte)) {
            return Err(InvalidName::Byte { byte });
        }
        let mut name = [0; Self::CAPACITY];
        for (to, from) in name.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(Self(name))
    }

    /// Returns the bytes of the name, without a terminating zero.
    pub fn as_bytes(&self) -> &[u8] {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(Self::MAX_LEN);
        self.0.get(..length).unwrap_or(&self.0)
    }

    /// Returns the name as text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()).ok()
    }
}

fn is_allowed(byte: u8) -> bool {
    !matches!(byte, 0 | b'/' | b':' | b'\t'..=b'\r' | b' ' | 0xa0)
}

impl FromStr for IfName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl TryFrom<&str> for IfName {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl fmt::Display for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(self.as_bytes()))
    }
}

impl fmt::Debug for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_bytes()))
    }
}

impl PartialEq<str> for IfName {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for IfName {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

/// Why some bytes are not a link's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidName {
    /// There are no bytes.
    Empty,
    /// There are more bytes than the kernel keeps.
    TooLong {
        /// How many bytes there are.
        length: usize,
    },
    /// The name is `.` or `..`, which /sys could not show.
    Directory,
    /// The kernel forbids this byte.
    Byte {
        /// The first forbidden byte.
        byte: u8,
    },
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "name is empty"),
            Self::TooLong { length } => {
                write!(f, "name is {length} bytes, {} is the limit", IfName::MAX_LEN)
            }
            Self::Directory => write!(f, "name is `.` or `..`"),
            Self::Byte { byte: 0xa0 } => {
                write!(f, "name has the byte 0xa0, which the kernel takes for a space")
            }
            Self::Byte { byte } => write!(f, "name has a {:?}", char::from(*byte)),
        }
    }
}

impl std::error::Error for InvalidName {}

/// The index of a link in its namespace: never 0, which in the kernel's messages means "none".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IfIndex(NonZeroU32);

impl IfIndex {
    /// Returns the index, or None for 0.
    pub fn new(index: u32) -> Option<Self> {
        NonZeroU32::new(index).map(Self)
    }

    /// Returns the index as the kernel writes it.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl From<IfIndex> for u32 {
    fn from(index: IfIndex) -> u32 {
        index.get()
    }
}

impl fmt::Display for IfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A hardware address of up to 32 bytes: 6 for Ethernet, 4 or 16 for a tunnel, 20 for InfiniBand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct LinkAddress {
    bytes: [u8; LinkAddress::MAX_LEN],
    length: u8,
}

impl LinkAddress {
    /// The kernel's `MAX_ADDR_LEN`, in bytes.
    pub const MAX_LEN: usize = 32;

    /// Returns the address of these bytes, or None if there are more than 32.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut address = Self { bytes: [0; Self::MAX_LEN], length: u8::try_from(bytes.len()).ok()? };
        address.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(address)
    }

    /// Returns the bytes of the address.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or(&self.bytes)
    }

    /// Returns the address as an Ethernet MAC, if it has 6 bytes.
    pub fn mac(&self) -> Option<[u8; 6]> {
        self.as_bytes().try_into().ok()
    }
}

impl From<[u8; 6]> for LinkAddress {
    fn from(mac: [u8; 6]) -> Self {
        let mut bytes = [0; Self::MAX_LEN];
        for (to, from) in bytes.iter_mut().zip(mac) {
            *to = from;
        }
        Self { bytes, length: 6 }
    }
}

impl FromStr for LinkAddress {
    type Err = InvalidLinkAddress;

    /// Reads bytes of one or two hexadecimal digits with `:` between them.
    fn from_str(text: &str) -> Result<Self, InvalidLinkAddress> {
        let mut bytes = Vec::new();
        for part in text.split(':') {
            let is_byte = matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_hexdigit());
            match u8::from_str_radix(part, 16) {
                Ok(byte) if is_byte => bytes.push(byte),
                _ => {
                    return Err(InvalidLinkAddress::Byte { part: part.to_owned() });
                }
            }
        }
        Self::new(&bytes).ok_or(InvalidLinkAddress::TooLong { length: bytes.len() })
    }
}

impl fmt::Display for LinkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.as_bytes().iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for LinkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why some text is not a hardware address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidLinkAddress {
    /// One part between colons is not a byte in hexadecimal.
    Byte {
        /// The part.
        part: String,
    },
    /// There are more than 32 bytes.
    TooLong {
        /// How many bytes there are.
        length: usize,
    },
}

impl fmt::Display for InvalidLinkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte { part } => write!(f, "`{part}` is not a byte in hexadecimal"),
            Self::TooLong { length } => {
                write!(f, "address is {length} bytes, {} is the limit", LinkAddress::MAX_LEN)
            }
        }
    }
}

impl std::error::Error for InvalidLinkAddress {}

/// Returns the bytes with zeros behind them, if they fit.
pub(crate) fn padded<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let mut padded = [0; N];
    padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_padded_if_they_fit() {
        assert_eq!(padded::<4>(b"ab"), Some([b'a', b'b', 0, 0]));
        assert_eq!(padded::<2>(b"abc"), None);
    }

    #[test]
    fn fifteen_bytes_are_a_name_and_sixteen_say_the_limit() {
        assert_eq!(IfName::new("a23456789012345").unwrap().to_string(), "a23456789012345");
        let error = IfName::new("a234567890123456").unwrap_err();
        assert_eq!(error.to_string(), "name is 16 bytes, 15 is the limit");
    }

    #[test]
    fn what_the_kernel_refuses_is_refused() {
        for bad in ["", ".", "..", "a/b", "a:b", "a b", "a\tb", "à"] {
            assert!(IfName::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(IfName::new("a b").unwrap_err().to_string(), "name has a ' '");
    }

    #[test]
    fn a_name_need_not_be_text() {
        let name = IfName::new([0xff, b'x']).unwrap();
        assert_eq!(name.as_str(), None);
        assert_eq!(name.to_string(), "\u{fffd}x");
        assert_eq!(name.as_bytes(), [0xff, b'x']);
    }

    #[test]
    fn addresses_read_and_print() {
        let mac: LinkAddress = "2:0:5e:00:53:aF".parse().unwrap();
        assert_eq!(mac.to_string(), "02:00:5e:00:53:af");
        assert_eq!(mac.mac(), Some([2, 0, 0x5e, 0, 0x53, 0xaf]));
        assert!("02:00:5e:+1".parse::<LinkAddress>().is_err());
        assert!("".parse::<LinkAddress>().is_err());
        assert_eq!(LinkAddress::new(&[0; 33]), None);
    }
}
