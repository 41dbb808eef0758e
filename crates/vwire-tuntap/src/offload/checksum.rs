//! The Internet checksum (RFC 1071), summed in the machine's own byte order.
//!
//! A sum of 16-bit words is the same in either byte order up to swapping its bytes (RFC 1071, section 2 B). So words
//! are read and results stored in native order and never swapped; only a number that is not read from a packet, such
//! as a length, is turned into network order first.

use crate::sys::simd;

/// A partial sum: not folded, not complemented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum(u64);

impl Sum {
    /// Starts from a checksum field of a packet, as it stands there.
    #[inline]
    #[must_use]
    pub fn of_field(field: [u8; 2]) -> Self {
        Self(u64::from(u16::from_ne_bytes(field)))
    }

    /// Adds bytes, which begin at an even distance from where the checksum starts.
    ///
    /// An odd byte at the end counts as if a zero followed. Sums of less than 2^31 bytes do not overflow.
    #[inline]
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        Self(self.0.wrapping_add(simd::sum(bytes)))
    }

    /// Adds a 16-bit number that stands in network order in the packet or pseudo header.
    #[inline]
    #[must_use]
    pub fn number(self, number: u16) -> Self {
        Self(self.0 + u64::from(number.to_be()))
    }

    /// Takes a 16-bit number away that was added, or read from a field.
    #[inline]
    #[must_use]
    pub fn without(self, number: u16) -> Self {
        Self(self.0 + u64::from(!number.to_be()))
    }

    /// Folds the sum to 16 bits, as a field that still needs its data added holds it.
    #[inline]
    #[must_use]
    pub fn fold(self) -> [u8; 2] {
        let mut sum = self.0;
        sum = (sum >> 32) + (sum & 0xffff_ffff);
        sum = (sum >> 16) + (sum & 0xffff);
        sum = (sum >> 16) + (sum & 0xffff);
        sum = (sum >> 16) + (sum & 0xffff);
        // Four foldings leave at most 16 bits of any u64.
        u16::try_from(sum).unwrap_or(u16::MAX).to_ne_bytes()
    }

    /// Folds and complements the sum: the checksum, ready to be stored.
    #[inline]
    #[must_use]
    pub fn finish(self) -> [u8; 2] {
        self.fold().map(|byte| !byte)
    }

    /// Tells whether bytes whose checksum field was summed with them are sound.
    #[inline]
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.fold() == [0xff, 0xff]
    }
}

/// Sums the pseudo header of TCP or UDP: addresses as they follow each other in the IP header, protocol and length.
///
/// `length` counts transport header and payload; RFC 9293 section 3.1, RFC 8200 section 8.1.
#[inline]
#[must_use]
pub fn pseudo_header(addresses: &[u8], protocol: u8, length: u16) -> Sum {
    Sum::default().bytes(addresses).number(u16::from(protocol)).number(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 1071, section 4.1, word by word.
    fn reference(bytes: &[u8]) -> [u8; 2] {
        let mut sum = 0_u32;
        for pair in bytes.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
            sum = (sum >> 16) + (sum & 0xffff);
        }
        u16::try_from(sum).unwrap().to_be_bytes()
    }

    proptest! {
        #[test]
        fn the_fast_sum_is_that_of_the_rfc(bytes in prop::collection::vec(any::<u8>(), 0..3000), skip in 0..65_usize) {
            let bytes = &bytes[skip.min(bytes.len())..];
            prop_assert_eq!(Sum::default().bytes(bytes).fold(), reference(bytes));
        }

        #[test]
        fn taking_a_number_away_undoes_adding_it(bytes in prop::collection::vec(1..=255_u8, 2..40), number: u16) {
            let sum = Sum::default().bytes(&bytes);
            prop_assert_eq!(sum.number(number).without(number).fold(), sum.fold());
        }
    }

    #[test]
    fn all_ones_do_not_overflow() {
        assert_eq!(Sum::default().bytes(&[0xff; 65_536]).fold(), [0xff, 0xff]);
    }
}
