//! Reads the VLANs of a bridge's port as a lab's file has them. Pure.

use vwire_netlink::BridgeLink;

/// `BRIDGE_VLAN_INFO_*`.
const PVID: u16 = 2;
const UNTAGGED: u16 = 4;
const RANGE_BEGIN: u16 = 8;
const RANGE_END: u16 = 16;

/// The VLANs of a port.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Vlans {
    /// That of packets without a tag, unless it is the one that ports have by themselves.
    pub(crate) access: Option<u16>,
    /// Those of packets with a tag: `10,20-29`.
    pub(crate) trunk: Option<String>,
    /// Whether that is all.
    pub(crate) whole: bool,
}

/// Reads what the kernel tells of a port of a bridge that tells VLANs apart.
pub(crate) fn of(index: u32, links: &[BridgeLink]) -> Vlans {
    let spec = links.iter().find(|link| link.index == index).and_then(|link| link.af_spec.as_ref());
    let mut vlans = Vlans { whole: true, ..Vlans::default() };
    let (mut access, mut ranges, mut begun) = (None, Vec::<(u16, u16)>::new(), None);
    for info in spec.into_iter().flat_map(|spec| &spec.vlan_info) {
        match (info.flags & PVID != 0, info.flags & UNTAGGED != 0) {
            (true, true) => access = Some(info.vid),
            (false, false) if info.flags & RANGE_BEGIN != 0 => begun = Some(info.vid),
            (false, false) => {
                let first = begun.take().filter(|_| info.flags & RANGE_END != 0).unwrap_or(info.vid);
                match ranges.last_mut() {
                    Some((_, last)) if last.checked_add(1) == Some(first) => *last = info.vid,
                    _ => ranges.push((first, info.vid)),
                }
            }
            _ => vlans.whole = false,
        }
    }
    // Without a VLAN for packets without a tag a port takes none of them, which a file does not say.
    vlans.whole &= access.is_some();
    vlans.access = access.filter(|vlan| *vlan != 1);
    let text = |(first, last): &(u16, u16)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    vlans.trunk = (!ranges.is_empty()).then(|| ranges.iter().map(text).collect::<Vec<_>>().join(","));
    vlans
}

#[cfg(test)]
mod tests {
    use super::*;
    use vwire_netlink::wire::bridge::{BridgeSpec, VlanInfo};

    fn port(vlans: &[(u16, u16)]) -> Vlans {
        let vlan_info = vlans.iter().map(|(flags, vid)| VlanInfo { flags: *flags, vid: *vid }).collect();
        let spec = BridgeSpec { vlan_info, ..BridgeSpec::default() };
        of(3, &[BridgeLink { index: 3, af_spec: Some(spec), ..BridgeLink::default() }])
    }

    #[test]
    fn ports_are_read_with_their_ranges() {
        assert_eq!(port(&[(PVID | UNTAGGED, 1)]), Vlans { whole: true, ..Vlans::default() });
        let got = port(&[(PVID | UNTAGGED, 10), (0, 20), (0, 21), (RANGE_BEGIN, 30), (RANGE_END, 39)]);
        assert_eq!((got.access, got.trunk.as_deref(), got.whole), (Some(10), Some("20-21,30-39"), true));
        assert!(!port(&[(PVID, 10)]).whole);
        assert!(!port(&[]).whole);
    }
}
