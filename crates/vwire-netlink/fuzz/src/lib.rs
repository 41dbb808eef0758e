//! What the fuzz targets check: bytes that are read are written and read again without a difference.

use std::fmt::Debug;

use vwire_netlink::wire::{Body, Builder};

/// Reads bytes as a body; if they are one, it must be the same after writing and reading it again.
pub fn survives<T: Body + PartialEq + Debug>(bytes: &[u8]) {
    let Ok(body) = T::parse(bytes) else {
        return;
    };
    let mut out = Builder::new();
    body.emit(&mut out);
    if out.oversized().is_none() {
        assert_eq!(T::parse(out.as_bytes()).as_ref(), Ok(&body));
    }
}
