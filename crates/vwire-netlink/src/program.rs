//! A BPF program that lies in a file system, to be attached to a link by `IFLA_XDP_FD`.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use crate::sys;

/// A loaded program; what refers to it by number is good as long as this lives.
#[derive(Debug)]
pub struct Program {
    fd: OwnedFd,
}

impl Program {
    /// Opens what is pinned at a path.
    ///
    /// # Errors
    ///
    /// `ENOENT` if nothing is there, `EPERM` or `EACCES` without the right to it, `EINVAL` if the file is on no BPF file
    /// system.
    pub fn pinned(path: &CStr) -> io::Result<Self> {
        Ok(Self { fd: sys::bpf_object(path)? })
    }

    /// Returns the number that stands for the program in a request.
    #[must_use]
    pub fn number(&self) -> i32 {
        self.fd.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_pinned_nothing_is_opened() {
        Program::pinned(c"/nowhere/at/all").unwrap_err();
        Program::pinned(c"/proc/self/status").unwrap_err();
    }
}
