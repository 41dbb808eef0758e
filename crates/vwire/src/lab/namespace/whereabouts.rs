//! All namespaces that a process is in, so that another may go where it is.

use std::fs::File;
use std::io;
use std::path::Path;

use nix::sched::{CloneFlags, setns};

/// The namespaces of a process: users, mounts, network, processes.
#[derive(Debug)]
pub struct Whereabouts {
    users: File,
    mounts: File,
    network: File,
    processes: File,
}

impl Whereabouts {
    /// Opens those of a process.
    ///
    /// # Errors
    /// It is gone, or another user's.
    pub fn of(pid: u32) -> io::Result<Self> {
        let directory = Path::new("/proc").join(pid.to_string()).join("ns");
        let open = |name: &str| File::open(directory.join(name));
        Ok(Self { users: open("user")?, mounts: open("mnt")?, network: open("net")?, processes: open("pid")? })
    }

    /// Moves the calling process there; the working directory is `/` then. Only its children are among the processes
    /// there, and until it forks it cannot start threads.
    ///
    /// Who has made a user namespace has every capability in it (`user_namespaces(7)`), and with that the others, which
    /// belong to it, are open.
    ///
    /// # Errors
    /// The process has several threads (EINVAL), or somebody else has made the user namespace (EPERM).
    pub fn enter(&self) -> io::Result<()> {
        let all = [
            (&self.users, CloneFlags::CLONE_NEWUSER),
            (&self.mounts, CloneFlags::CLONE_NEWNS),
            (&self.network, CloneFlags::CLONE_NEWNET),
            (&self.processes, CloneFlags::CLONE_NEWPID),
        ];
        all.into_iter().try_for_each(|(namespace, kind)| setns(namespace, kind)).map_err(io::Error::from)
    }
}
