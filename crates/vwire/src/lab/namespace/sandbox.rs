//! A sandbox: network, mounts and names of one's own, gone with the last process inside.
//!
//! Privileged callers get a new network and mount namespace for the calling **thread**. Others
//! first get a user namespace in which they are root; the kernel grants that only to a process
//! with a single thread (`unshare(2)`, EINVAL), so call it before any thread starts.
//!
//! Inside, `/run` is a tmpfs, empty unless what is outside is asked for: named namespaces made there are invisible outside
//! and vanish with the sandbox. `/sys` shows the sandbox's devices. `lo` is down, as the kernel makes it.
//!
//! Order matters: mounts become slaves of those outside before anything is mounted, or it would show outside.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use nix::mount::MsFlags;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::unistd::{getegid, geteuid};

use super::{DIRECTORY, mount};
use crate::lab::capability::{self, Capability};

/// The device file behind every TUN and TAP.
const TUN_DEVICE: &str = "/dev/net/tun";

/// What of `/run` is the sandbox's own: `ip netns`'s names, and vwire's labs.
const OWN_OF_RUN: [&str; 2] = ["netns", "vwire"];

/// What of `/run` a sandbox has; names of namespaces and labs are its own either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Nothing.
    Empty,
    /// What is there outside: sockets of the desktop, the resolver's files. Programs of the user run on as before.
    AsOutside,
}

/// What the calling thread was moved into.
#[derive(Debug)]
pub struct Sandbox {
    /// Whether a user namespace was needed: root inside is an ordinary user outside.
    pub rootless: bool,
    /// What could not be had; the rest works.
    pub lacks: Vec<Lack>,
}

/// Something that a sandbox does without.
#[derive(Debug)]
pub enum Lack {
    /// `/sys` still shows the devices outside.
    Sysfs(io::Error),
    /// No TUN or TAP device can be made: the device file is absent or not open to this user.
    Tun {
        /// The permission bits of `/dev/net/tun`, where it exists.
        mode: Option<u32>,
        /// The kernel's answer to opening it.
        source: io::Error,
    },
}

/// A sandbox could not be made.
#[derive(Debug)]
pub struct SandboxError {
    /// What failed.
    pub step: SandboxStep,
    /// The settings of this machine that forbid it; where empty, a seccomp filter or a security module may.
    pub restrictions: Vec<Restriction>,
    /// The kernel's answer.
    pub source: io::Error,
}

/// A step of making a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxStep {
    /// Making the user namespace.
    User,
    /// Becoming root inside it.
    Map,
    /// Making the network and mount namespaces.
    Namespaces,
    /// Keeping mounts from showing outside.
    Slave,
    /// Making an empty `/run`.
    Run,
}

/// A setting that keeps ordinary users from making user namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction {
    /// Its name, as `sysctl` spells it.
    pub sysctl: &'static str,
    /// Its value now.
    pub value: String,
    /// The value that would allow it.
    pub wanted: &'static str,
}

/// The settings that are known to forbid user namespaces: name, the value that forbids, one that allows.
const USER_NAMESPACE_SYSCTLS: &[(&str, &str, &str)] = &[
    // A patch of Debian, Arch and others.
    ("kernel.unprivileged_userns_clone", "0", "1"),
    // Ubuntu 24.04 and later.
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("user.max_user_namespaces", "0", "15000"),
];

impl Sandbox {
    /// Moves the calling thread into a new sandbox.
    ///
    /// Without `CAP_SYS_ADMIN` and `CAP_NET_ADMIN` the caller's process must have no other thread.
    ///
    /// # Errors
    /// What the kernel refused; the thread may then be left halfway inside and should end.
    pub fn enter() -> Result<Self, SandboxError> {
        Self::enter_with(Run::Empty)
    }

    /// Moves the calling thread into a new sandbox, with what it wants of `/run`.
    ///
    /// # Errors
    /// As [`Sandbox::enter`].
    pub fn enter_with(run: Run) -> Result<Self, SandboxError> {
        let rootless = ![Capability::SysAdmin, Capability::NetAdmin].into_iter().all(capability::has);
        if rootless {
            become_root_of_a_user_namespace()?;
        }
        let fails = |step| move |source| SandboxError::new(step, rootless, source);
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS)
            .map_err(|errno| fails(SandboxStep::Namespaces)(errno.into()))?;
        // Slave, not private: a copy that is deaf to what happens outside would keep namespaces alive
        // that are deleted there.
        mount("none", "/", None, MsFlags::MS_REC | MsFlags::MS_SLAVE).map_err(fails(SandboxStep::Slave))?;
        // In the copy of the mounts, which binds nothing of another.
        let outside = fs::File::open("/run").ok().filter(|_| run == Run::AsOutside);
        mount("vwire", "/run", Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV)
            .map_err(fails(SandboxStep::Run))?;
        if let Some(outside) = outside {
            show(&outside);
        }
        fs::create_dir(DIRECTORY).map_err(fails(SandboxStep::Run))?;
        let lacks = [fresh_sysfs().err().map(Lack::Sysfs), tun_lack()].into_iter().flatten().collect();
        Ok(Self { rootless, lacks })
    }
}

impl SandboxError {
    fn new(step: SandboxStep, rootless: bool, source: io::Error) -> Self {
        let restrictions = if rootless { restrictions(read_sysctl) } else { Vec::new() };
        Self { step, restrictions, source }
    }

    /// Returns what would allow it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        if self.is_closed() {
            let own =
                "vwire's file must be readable by you and carry no capabilities: what /proc tells of it is root's else";
            return vec![own.to_owned()];
        }
        if self.restrictions.is_empty() {
            let other = "a container's seccomp filter or a security module may forbid it; root needs no user namespace";
            return vec![other.to_owned()];
        }
        let hint = |Restriction { sysctl, value, wanted }: &Restriction| {
            format!("this machine has {sysctl} = {value}; `sudo sysctl -w {sysctl}={wanted}` allows it")
        };
        self.restrictions.iter().map(hint).collect()
    }
}

impl SandboxError {
    /// Returns whether the files of this process in `/proc` are root's, since its program is more than the user may read.
    fn is_closed(&self) -> bool {
        let is_refused = self.step == SandboxStep::Map && self.source.kind() == io::ErrorKind::PermissionDenied;
        is_refused && !matches!(prctl::get_dumpable(), Ok(true))
    }
}

impl fmt::Display for SandboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.step {
            SandboxStep::User => "cannot make a user namespace",
            SandboxStep::Map => "cannot become root of a user namespace",
            SandboxStep::Namespaces => "cannot make a network and a mount namespace",
            SandboxStep::Slave => "cannot keep mounts from showing outside",
            SandboxStep::Run => "cannot mount an empty /run",
        })
    }
}

impl std::error::Error for SandboxError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

fn become_root_of_a_user_namespace() -> Result<(), SandboxError> {
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|errno| SandboxError::new(SandboxStep::User, true, errno.into()))?;
    let map = || {
        // A group may be mapped without privilege only once setgroups(2) is given up (user_namespaces(7)).
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {user} 1\n"))?;
        fs::write("/proc/self/gid_map", format!("0 {group} 1\n"))
    };
    map().map_err(|source| SandboxError::new(SandboxStep::Map, true, source))
}

/// Mounts a `/sys` that shows the calling thread's network namespace, over the one that is there.
fn fresh_sysfs() -> io::Result<()> {
    mount("vwire", "/sys", Some("sysfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC)
}

/// Shows in the empty `/run` what the one outside has, but names of namespaces and labs. What cannot be shown is left out.
fn show(outside: &fs::File) {
    let behind = Path::new("/proc/self/fd").join(outside.as_raw_fd().to_string());
    for entry in fs::read_dir(&behind).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if OWN_OF_RUN.iter().any(|own| name == *own) {
            continue;
        }
        let (from, to) = (behind.join(&name), Path::new("/run").join(&name));
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_symlink() {
            let _ = fs::read_link(&from).and_then(|target| symlink(target, &to));
            continue;
        }
        let made = if kind.is_dir() { fs::create_dir(&to) } else { fs::File::create(&to).map(drop) };
        // With what is mounted below: the kernel lets nobody look behind what somebody with more privilege has mounted.
        let _ = made.and_then(|()| mount(&from, &to, None, MsFlags::MS_BIND | MsFlags::MS_REC));
    }
}

fn tun_lack() -> Option<Lack> {
    let source = fs::File::options().read(true).write(true).open(TUN_DEVICE).err()?;
    let mode = fs::metadata(TUN_DEVICE).ok().map(|data| data.permissions().mode() & 0o7777);
    Some(Lack::Tun { mode, source })
}

fn read_sysctl(name: &str) -> Option<String> {
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    fs::read_to_string(path).ok().map(|value| value.trim().to_owned())
}

/// Returns the settings whose value forbids user namespaces.
fn restrictions(read: impl Fn(&str) -> Option<String>) -> Vec<Restriction> {
    let forbids = |(sysctl, forbidden, wanted): &(&'static str, &str, &'static str)| {
        let value = read(sysctl).filter(|value| value == forbidden)?;
        Some(Restriction { sysctl, value, wanted })
    };
    USER_NAMESPACE_SYSCTLS.iter().filter_map(forbids).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_forbid_are_reported() {
        let ubuntu = |name: &str| match name {
            "kernel.apparmor_restrict_unprivileged_userns" => Some("1".to_owned()),
            "user.max_user_namespaces" => Some("15000".to_owned()),
            _ => None,
        };
        let found = restrictions(ubuntu);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].sysctl, "kernel.apparmor_restrict_unprivileged_userns");
        assert_eq!(found[0].wanted, "0");
    }
}
