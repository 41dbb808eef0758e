//! Whole networks: namespaces, and later what is built inside them.

pub mod capability;
pub mod condition;
pub mod file;
pub mod model;
pub mod namespace;
pub mod nearest;
pub mod netfilter;
