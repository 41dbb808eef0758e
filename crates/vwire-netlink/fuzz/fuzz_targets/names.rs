//! Names and hardware addresses: what is taken for one is shown and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_netlink::{IfName, LinkAddress};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(name) = IfName::new(bytes) {
        assert_eq!(name.as_bytes(), bytes);
    }
    if let Some(address) = LinkAddress::new(bytes).filter(|address| !address.as_bytes().is_empty()) {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = text.parse::<LinkAddress>();
    }
});
