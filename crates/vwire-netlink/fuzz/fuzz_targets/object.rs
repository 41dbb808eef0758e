//! A message of any type.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_netlink::wire::{MessageType, Object};

fuzz_target!(|bytes: &[u8]| {
    if let Some((number, payload)) = bytes.split_first() {
        let _ = Object::parse(MessageType(u16::from(*number)), payload);
    }
});
