//! The only unsafe code: one safe function for each system call.
//!
//! Nothing here decides anything. A function takes borrowed descriptors and plain values, makes one call, and returns
//! its result or its errno. A descriptor that the kernel hands out is owned before the function returns.
#![allow(unsafe_code)]

pub(crate) mod fds;
pub(crate) mod io;
pub(crate) mod ioctl;
#[cfg(feature = "tokio")]
pub(crate) mod reactor;
pub(crate) mod simd;
