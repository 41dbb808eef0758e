//! Makes short names of those that are longer than the kernel takes. Pure.

/// The most bytes of a device's name (`IFNAMSIZ` less its end).
pub(crate) const LONGEST: usize = 15;

/// Returns a name as it is if the kernel takes it, or else its beginning and five digits that are made from all of it.
///
/// It is the same each time, and differs for names that differ, but for one pair in a million.
pub(crate) fn short_name(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let digits = format!("{:05x}", hash(name) & 0xf_ffff);
    let room = LONGEST - digits.len() - 1;
    let end = (0..=room).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    let kept = name.get(..end).unwrap_or_default().trim_end_matches(['-', '_', '.']);
    format!("{kept}-{digits}")
}

/// FNV-1a, 32 bits: it need not be hard to undo, only the same on each machine and in each version.
fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_fits_is_kept() {
        assert_eq!(short_name("eth0"), "eth0");
        assert_eq!(short_name("exactly-fifteen"), "exactly-fifteen");
    }

    #[test]
    fn a_longer_name_is_short_readable_and_always_the_same() {
        let short = short_name("uplink-to-the-office");
        assert_eq!(short, short_name("uplink-to-the-office"));
        assert!(short.starts_with("uplink-to-") && short.len() == LONGEST, "{short}");
        assert_ne!(short, short_name("uplink-to-the-attic"));
    }

    #[test]
    fn no_letter_is_cut_in_two() {
        assert!(short_name("ääääääääääääääää").len() <= LONGEST);
    }
}
