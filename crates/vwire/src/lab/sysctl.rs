//! Sysctls of the namespace that the calling thread is in, by their names with dots.

use std::io;
use std::path::PathBuf;

use crate::step::run::is_unreadable;

/// Returns the file of a sysctl; `/` in a name stands for a dot, as `sysctl(8)` takes it.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    let swapped = name.chars().map(|letter| match letter {
        '.' => '/',
        '/' => '.',
        other => other,
    });
    PathBuf::from("/proc/sys").join(swapped.collect::<String>())
}

/// Reads a sysctl.
///
/// # Errors
/// There is none of that name.
pub fn read(name: &str) -> io::Result<String> {
    Ok(std::fs::read_to_string(path(name))?.trim_end().to_owned())
}

/// Reads a sysctl that may not be there, or may be one that can only be written.
///
/// # Errors
/// It is there, and reading it failed: what is not known would not be brought back.
pub fn read_if_there(name: &str) -> io::Result<Option<String>> {
    match read(name) {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_unreadable(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets a sysctl.
///
/// # Errors
/// There is none of that name, privilege lacks, or the kernel does not take the value.
pub fn write(name: &str, value: &str) -> io::Result<()> {
    use std::io::Write;
    // Never created: a name that is not there is an error, not a new file.
    std::fs::OpenOptions::new().write(true).open(path(name))?.write_all(value.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_in_a_device_name_is_spelled_as_a_slash() {
        assert_eq!(path("net.ipv4.conf.eth0/10.rp_filter"), PathBuf::from("/proc/sys/net/ipv4/conf/eth0.10/rp_filter"));
    }
}
