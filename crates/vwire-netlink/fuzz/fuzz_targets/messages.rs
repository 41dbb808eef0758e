//! A datagram is cut into messages, to its end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_netlink::wire::{Header, Messages};

fuzz_target!(|bytes: &[u8]| {
    assert!(Messages::new(bytes).count() <= bytes.len() / Header::LEN + 1);
});
