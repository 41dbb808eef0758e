//! Whole networks: namespaces, and what is built inside them.

mod again;
pub mod capability;
pub mod compile;
pub mod condition;
pub mod engine;
pub mod exec;
pub mod failed;
pub mod file;
pub mod graph;
pub mod hosts;
pub mod import;
pub mod keeper;
pub mod mark;
pub mod model;
pub mod namespace;
pub mod nearest;
pub mod netfilter;
pub mod plan;
pub mod program;
pub mod ready;
pub mod record;
pub mod schema;
pub mod signals;
pub mod sys;
pub mod sysctl;
pub mod topo;
