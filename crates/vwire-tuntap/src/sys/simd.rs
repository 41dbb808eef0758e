//! Sums of packet bytes with the widest vectors the processor has, found out at run time.
//!
//! There are no intrinsics: one loop that the compiler turns into vector code, compiled once for the baseline and
//! once for AVX2. Measured figures: `docs/tuntap-bench.md`.

/// Returns the sum of the bytes as native 16-bit words, in 64 bits and modulo 2^16 - 1.
///
/// An odd byte at the end counts as the first byte of a word whose second is zero.
#[inline]
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if bytes.len() >= WORTH_A_CALL && std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the one promise of a `target_feature` function is that the processor has the feature, which the
        // line above just asked.
        return unsafe { sum_avx2(bytes) };
    }
    sum_portable(bytes)
}

/// Below this many bytes a call that cannot be inlined costs more than it saves.
#[cfg(target_arch = "x86_64")]
const WORTH_A_CALL: usize = 128;

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn sum_avx2(bytes: &[u8]) -> u64 {
    sum_portable(bytes)
}

/// Adds 32-bit words into 64-bit lanes: 2^16 is 1 modulo 2^16 - 1, so that wider words have the same sum.
#[inline(always)]
fn sum_portable(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<64>();
    if blocks.is_empty() {
        return sum_short(rest);
    }
    let mut lanes = [0_u64; 16];
    for block in blocks {
        let (words, _) = block.as_chunks::<4>();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane += u64::from(u32::from_ne_bytes(*word));
        }
    }
    lanes.iter().sum::<u64>() + sum_short(rest)
}

/// Adds 64-bit words with their carries, and returns a sum of at most 33 bits.
#[inline(always)]
fn sum_short(bytes: &[u8]) -> u64 {
    let (words, tail) = bytes.as_chunks::<8>();
    let mut sum = 0_u64;
    let mut add = |word: [u8; 8]| {
        let (low, carry) = sum.overflowing_add(u64::from_ne_bytes(word));
        sum = low + u64::from(carry);
    };
    for word in words {
        add(*word);
    }
    if !tail.is_empty() {
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(tail) {
            *to = *from;
        }
        add(last);
    }
    (sum >> 32) + (sum & 0xffff_ffff)
}
