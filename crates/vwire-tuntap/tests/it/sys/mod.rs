//! The system call of the tests themselves.
#![allow(unsafe_code)]

pub(crate) mod program;
