//! The marks by which the kernel itself tells what a lab has made, so that nothing else is ever taken for it. Pure.
//!
//! A namespace carries another name on its `lo`; a link a group and, on the machine itself, another name; addresses,
//! routes, rules and neighbours the number of who made them. The group and the numbers go in the very message that
//! makes a thing, so there is no moment in which it is there without its mark.

/// Who made an address (`IFA_PROTO`), a route, a rule or a neighbour (`RTPROT_*`): `v`, which nobody else has taken.
pub const PROTOCOL: u8 = 118;

/// The longest other name of a link, `ALTIFNAMSIZ` without the zero, in bytes.
pub const LONGEST: usize = 127;

/// Returns the group that all links of a lab are in: the bits of its name (FNV-1a), far from what people number.
#[must_use]
pub fn group(lab: &str) -> u32 {
    let hash = lab.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    0x4000_0000 | hash & 0x3fff_ffff
}

/// Returns the name of a node's namespace in `/run/netns`.
#[must_use]
pub fn namespace(lab: &str, node: &str) -> String {
    format!("{lab}.{node}")
}

/// Returns the other name that `lo` has in a node's namespace.
#[must_use]
pub fn of_node(lab: &str, node: &str) -> String {
    format!("vwire:{lab}:{node}")
}

/// Returns the other name that a lab's link has on the machine itself.
#[must_use]
pub fn of_host_link(lab: &str, device: &str) -> String {
    format!("vwire:{lab}:host:{device}")
}

/// Returns whether another name says that a link on the machine itself is a lab's.
#[must_use]
pub fn is_host_link_of(lab: &str, name: &[u8]) -> bool {
    name.starts_with(format!("vwire:{lab}:host:").as_bytes())
}

/// Returns which lab's and which node's namespace a name of `lo` stands for.
#[must_use]
pub fn read_node(name: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(name).ok()?.strip_prefix("vwire:")?;
    let (lab, node) = text.split_once(':')?;
    (!node.contains(':')).then(|| (lab.to_owned(), node.to_owned()))
}

/// Returns which lab's link on the machine itself a name stands for.
#[must_use]
pub fn read_host_link(name: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(name).ok()?.strip_prefix("vwire:")?;
    let (lab, device) = text.split_once(":host:")?;
    Some((lab.to_owned(), device.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_read_again() {
        assert_eq!(read_node(of_node("office", "h1").as_bytes()), Some(("office".to_owned(), "h1".to_owned())));
        let mark = of_host_link("office", "tap0");
        assert_eq!(read_host_link(mark.as_bytes()), Some(("office".to_owned(), "tap0".to_owned())));
        assert_eq!(read_node(mark.as_bytes()), None);
        assert!(is_host_link_of("office", mark.as_bytes()) && !is_host_link_of("off", mark.as_bytes()));
    }

    #[test]
    fn groups_are_numbers_that_nobody_picks() {
        assert!(group("a") != group("b") && group("a") >= 0x4000_0000 && i32::try_from(group("office")).is_ok());
    }
}
