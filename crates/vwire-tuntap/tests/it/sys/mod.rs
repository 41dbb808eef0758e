//! The system calls of the tests themselves.
#![allow(unsafe_code)]

pub(crate) mod program;
pub(crate) mod scheduling;
