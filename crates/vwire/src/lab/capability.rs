//! Which privileges the calling thread holds, so that a refusal can name the one that is missing.
//!
//! The kernel tells them as a number of 64 bits in `/proc/thread-self/status`. To know another
//! capability, add a variant and a row in `ALL`.

use std::fmt;
use std::io;

/// A privilege of `capabilities(7)` that virtual wiring may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Passes over file permissions.
    DacOverride,
    /// Signals any process.
    Kill,
    /// Maps any user in a user namespace.
    SetUid,
    /// Binds ports below 1024.
    NetBindService,
    /// Changes links, addresses, routes and filters.
    NetAdmin,
    /// Opens raw and packet sockets.
    NetRaw,
    /// Loads kernel modules.
    SysModule,
    /// Looks into other users' processes.
    SysPtrace,
    /// Enters and makes namespaces, and mounts.
    SysAdmin,
    /// Passes over resource limits.
    SysResource,
    /// Makes device files.
    Mknod,
    /// Reads tracepoints.
    Perfmon,
    /// Loads BPF programs.
    Bpf,
}

/// The bit and the name of each, from `linux/capability.h`.
const ALL: &[(Capability, u32, &str)] = &[
    (Capability::DacOverride, 1, "CAP_DAC_OVERRIDE"),
    (Capability::Kill, 5, "CAP_KILL"),
    (Capability::SetUid, 7, "CAP_SETUID"),
    (Capability::NetBindService, 10, "CAP_NET_BIND_SERVICE"),
    (Capability::NetAdmin, 12, "CAP_NET_ADMIN"),
    (Capability::NetRaw, 13, "CAP_NET_RAW"),
    (Capability::SysModule, 16, "CAP_SYS_MODULE"),
    (Capability::SysPtrace, 19, "CAP_SYS_PTRACE"),
    (Capability::SysAdmin, 21, "CAP_SYS_ADMIN"),
    (Capability::SysResource, 24, "CAP_SYS_RESOURCE"),
    (Capability::Mknod, 27, "CAP_MKNOD"),
    (Capability::Perfmon, 38, "CAP_PERFMON"),
    (Capability::Bpf, 39, "CAP_BPF"),
];

impl Capability {
    /// Returns every capability that has a variant.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|(capability, _, _)| *capability)
    }

    /// Returns the number of its bit.
    #[must_use]
    pub fn bit(self) -> u32 {
        ALL.iter().find(|row| row.0 == self).map_or(u32::MAX, |row| row.1)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ALL.iter().find(|row| row.0 == *self).map_or("CAP_?", |row| row.2))
    }
}

/// A set of capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u64);

impl Capabilities {
    /// Takes the kernel's mask.
    #[must_use]
    pub const fn from_mask(mask: u64) -> Self {
        Self(mask)
    }

    /// Reads the effective set from the text of `/proc/thread-self/status`.
    #[must_use]
    pub fn parse(status: &str) -> Option<Self> {
        let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
        u64::from_str_radix(line.trim(), 16).ok().map(Self)
    }

    /// Asks the kernel for the effective set of the calling thread.
    ///
    /// # Errors
    /// `/proc` is not mounted, or its text has no such line.
    pub fn effective() -> io::Result<Self> {
        let status = std::fs::read_to_string("/proc/thread-self/status")?;
        Self::parse(&status).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no CapEff in status"))
    }

    /// Returns whether the set holds a capability.
    #[must_use]
    pub fn has(self, capability: Capability) -> bool {
        self.0.checked_shr(capability.bit()).is_some_and(|mask| mask & 1 == 1)
    }
}

/// Returns whether the calling thread holds a capability; where `/proc` does not tell, it does not.
#[must_use]
pub fn has(capability: Capability) -> bool {
    Capabilities::effective().is_ok_and(|held| held.has(capability))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_status_text_tells_what_is_held() {
        let held = Capabilities::parse("Name:\tip\nCapPrm:\t0\nCapEff:\t0000000000201000\nCapBnd:\t0\n").unwrap();
        assert!(held.has(Capability::NetAdmin) && held.has(Capability::SysAdmin));
        assert!(!held.has(Capability::NetRaw));
    }

    #[test]
    fn names_are_those_of_the_manual() {
        assert_eq!(Capability::SysAdmin.to_string(), "CAP_SYS_ADMIN");
    }

    #[test]
    fn a_text_without_the_line_is_no_set() {
        assert_eq!(Capabilities::parse("Name:\tip\n"), None);
        assert_eq!(Capabilities::parse("CapEff:\tzz\n"), None);
    }

    proptest! {
        #[test]
        fn every_mask_is_read_as_it_is_written(mask: u64) {
            let held = Capabilities::parse(&format!("CapInh:\t0\nCapEff:\t{mask:016x}\n")).unwrap();
            prop_assert_eq!(held, Capabilities::from_mask(mask));
            for capability in Capability::all() {
                prop_assert_eq!(held.has(capability), mask & (1 << capability.bit()) != 0);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = Capabilities::parse(&text);
            let _ = Capabilities::parse(&format!("CapEff:{text}"));
        }
    }
}
