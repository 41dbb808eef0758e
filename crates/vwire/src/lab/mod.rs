//! Whole networks: namespaces, and later what is built inside them.

pub mod namespace;
