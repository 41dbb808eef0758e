//! Next hops.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_netlink::wire::Nexthop;

fuzz_target!(|bytes: &[u8]| vwire_netlink_fuzz::survives::<Nexthop>(bytes));
