//! Routes, with many ways and metrics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_netlink::wire::Route;

fuzz_target!(|bytes: &[u8]| vwire_netlink_fuzz::survives::<Route>(bytes));
