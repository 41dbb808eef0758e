//! Links of every kind.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_netlink::wire::Link;

fuzz_target!(|bytes: &[u8]| vwire_netlink_fuzz::survives::<Link>(bytes));
