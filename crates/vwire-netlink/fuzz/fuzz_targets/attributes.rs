//! A payload is cut into attributes, to its end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_netlink::wire::Attributes;

fuzz_target!(|bytes: &[u8]| {
    let mut attributes = Attributes::new(bytes);
    let read: usize = attributes.by_ref().map(|attribute| 4 + attribute.payload().len()).sum();
    assert!(read + attributes.rest().len() <= bytes.len());
});
