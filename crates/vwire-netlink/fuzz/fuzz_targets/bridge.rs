//! What bridges say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_netlink::wire::bridge::{BridgeLink, VlanDb, VlanDbFilter};
use vwire_netlink::wire::mdb::{Mdb, MdbRequest};
use vwire_netlink::wire::vni::VniFilter;
use vwire_netlink_fuzz::survives;

fuzz_target!(|bytes: &[u8]| {
    survives::<BridgeLink>(bytes);
    survives::<VlanDb>(bytes);
    survives::<VlanDbFilter>(bytes);
    survives::<Mdb>(bytes);
    survives::<MdbRequest>(bytes);
    survives::<VniFilter>(bytes);
});
