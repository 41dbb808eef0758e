//! Tests against the running kernel, each in a network namespace of its own.

mod control;
mod held;
mod lab;
