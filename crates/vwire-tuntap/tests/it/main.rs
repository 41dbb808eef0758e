//! Tests against the running kernel, each in a network namespace of its own.
#![allow(clippy::unwrap_used, clippy::expect_used)] // The helpers are tests, too; clippy.toml spares #[test] alone.

mod against_gro;
mod against_kernel;
mod control;
mod examples;
mod fallback;
mod faults;
mod held;
mod lab;
mod merging;
mod random;
mod soak;
mod sys;
mod traffic;
