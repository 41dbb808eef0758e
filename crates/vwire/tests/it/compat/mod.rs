//! How vwire compares with `ip`.

pub(crate) mod older;
