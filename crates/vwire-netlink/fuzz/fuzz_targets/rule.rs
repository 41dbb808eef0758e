//! Rules.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_netlink::wire::Rule;

fuzz_target!(|bytes: &[u8]| vwire_netlink_fuzz::survives::<Rule>(bytes));
