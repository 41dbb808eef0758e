//! Ids of namespaces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_netlink::wire::NamespaceId;

fuzz_target!(|bytes: &[u8]| vwire_netlink_fuzz::survives::<NamespaceId>(bytes));
