//! The kernel's error numbers, printed in the C library's words.

use std::{fmt, io};

/// An error number of the kernel; it prints as `strerror` words it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(pub i32);

impl Errno {
    /// Operation not permitted.
    pub const EPERM: Self = Self(libc::EPERM);
    /// Device or resource busy: another process holds the only queue, or the name is taken.
    pub const EBUSY: Self = Self(libc::EBUSY);
    /// Invalid argument.
    pub const EINVAL: Self = Self(libc::EINVAL);
    /// No such device.
    pub const ENODEV: Self = Self(libc::ENODEV);

    /// Returns the same error as `std` represents it.
    #[must_use]
    pub fn to_io(self) -> io::Error {
        io::Error::from_raw_os_error(self.0)
    }
}

impl From<&io::Error> for Errno {
    fn from(error: &io::Error) -> Self {
        // An error without a number was made by this crate's own reading of a file; EIO is the honest rest.
        Self(error.raw_os_error().unwrap_or(libc::EIO))
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_io().to_string();
        f.write_str(text.split(" (os error").next().unwrap_or(&text))
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({self})", self.0)
    }
}
