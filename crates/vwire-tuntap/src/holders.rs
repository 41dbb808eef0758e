//! Finds which processes hold a queue of which device.
//!
//! `/proc/PID/fd/N` of a queue is a link to `/dev/net/tun`, and `/proc/PID/fdinfo/N` names the device on a line
//! `iff:` (`tun_chr_show_fdinfo`). Neither names the namespace, and it need not be the process's: a queue keeps its
//! device when the device is moved, and a descriptor can be passed on. So the descriptor is duplicated for a moment
//! (`pidfd_getfd`, Linux 5.6, which takes the right to trace the process) and asked (`TUNGETDEVNETNS`, which takes
//! `CAP_NET_ADMIN` there). Where that is not allowed, [`Holder::namespace`] is `None` and
//! [`Holder::process_namespace`] is the best guess.
//!
//! The duplicate is closed at once. If the holder closes its own within those microseconds, the device goes that much
//! later.

use std::{
    fs,
    os::{fd::AsFd, unix::fs::MetadataExt},
    path::Path,
};

use crate::{
    Attachment, DeviceName, Flags,
    sys::{fds, ioctl},
};

/// A descriptor of a process that is a queue of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The process's name, as `/proc/PID/comm` has it.
    pub command: String,
    /// The descriptor's number in that process.
    pub descriptor: u32,
    /// The device the queue belongs to.
    pub device: DeviceName,
    /// The inode of the network namespace the device is in, if it could be asked.
    pub namespace: Option<u64>,
    /// The inode of the network namespace the process is in, if it could be read.
    pub process_namespace: Option<u64>,
    /// The device's flags, if they could be asked; as [`Status::flags`](crate::Status::flags).
    pub flags: Option<Flags>,
    /// Whether the queue gets packets, if it could be asked.
    pub attachment: Option<Attachment>,
}

impl Holder {
    /// Tells whether this is a queue of the named device in the namespace with this inode.
    ///
    /// Where the device's namespace could not be asked, the process's stands for it.
    #[must_use]
    pub fn holds(&self, device: DeviceName, namespace: u64) -> bool {
        self.device == device && self.namespace.or(self.process_namespace) == Some(namespace)
    }
}

/// Returns every queue held by a process that `/proc` shows, ordered by process and descriptor.
///
/// Processes whose descriptors the caller may not read are passed over, as are those that end meanwhile. Threads that
/// have a descriptor table of their own are not looked into.
#[must_use]
pub fn find_holders() -> Vec<Holder> {
    let mut found: Vec<_> = numbers_in(Path::new("/proc")).flat_map(queues_of).collect();
    found.sort_by_key(|holder| (holder.pid, holder.descriptor));
    found
}

/// Returns the queues of one device, by its name and the inode of its namespace; see [`Holder::holds`].
#[must_use]
pub fn find_holders_of(device: DeviceName, namespace: u64) -> Vec<Holder> {
    let mut found = find_holders();
    found.retain(|holder| holder.holds(device, namespace));
    found
}

/// Returns the inode of a network namespace, which is how [`Holder`] names one.
///
/// # Errors
/// The error of `fstat`.
pub fn namespace_inode(namespace: impl AsFd) -> std::io::Result<u64> {
    let file = fs::File::from(namespace.as_fd().try_clone_to_owned()?);
    Ok(file.metadata()?.ino())
}

fn numbers_in(directory: &Path) -> impl Iterator<Item = u32> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn queues_of(pid: u32) -> Vec<Holder> {
    let process = format!("/proc/{pid}");
    let directory = Path::new(&process).join("fd");
    let is_tun = |number: &u32| {
        let link = fs::read_link(directory.join(number.to_string()));
        link.is_ok_and(|target| target.ends_with("net/tun"))
    };
    numbers_in(&directory).filter(is_tun).filter_map(|number| queue_at(pid, number)).collect()
}

fn queue_at(pid: u32, descriptor: u32) -> Option<Holder> {
    let info = fs::read(format!("/proc/{pid}/fdinfo/{descriptor}")).ok()?;
    let device = device_in(&info)?;
    let comm = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    let process_namespace = fs::metadata(format!("/proc/{pid}/ns/net")).ok().map(|meta| meta.ino());
    let mut holder = Holder {
        pid,
        command: String::from_utf8_lossy(&comm).trim_end().to_owned(),
        descriptor,
        device,
        namespace: None,
        process_namespace,
        flags: None,
        attachment: None,
    };
    ask(&mut holder);
    Some(holder)
}

/// Fills in what only the descriptor itself can tell; leaves it out where that is not allowed.
fn ask(holder: &mut Holder) {
    let Ok(process) = fds::process_handle(holder.pid) else {
        return;
    };
    let Ok(queue) = fds::descriptor_of(process.as_fd(), holder.descriptor) else {
        return;
    };
    let mut request = ioctl::InterfaceRequest::new([0; 16], 0);
    // The number may be another file by now: then it has no device, or another one.
    if ioctl::by_request(queue.as_fd(), ioctl::GET_IFF, &mut request).is_err() {
        return;
    }
    let flags = Flags::from_bits(request.flags);
    holder.device = DeviceName::from_kernel(request.name);
    holder.attachment = Some(if flags.is_detached() { Attachment::Detached } else { Attachment::Attached });
    holder.flags = Some(flags.without(Flags::from_bits(0x0400)));
    let namespace = ioctl::device_namespace(queue.as_fd());
    holder.namespace = namespace.ok().and_then(|namespace| namespace_inode(namespace).ok());
}

/// Returns the name on the `iff:` line of an fdinfo file; a queue without a device has an empty one.
fn device_in(info: &[u8]) -> Option<DeviceName> {
    let line = info.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(b"iff:\t"))?;
    let mut raw = [0; 16];
    raw.get_mut(..line.len())?.copy_from_slice(line);
    if line.is_empty() { None } else { Some(DeviceName::from_kernel(raw)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_is_read_off_the_iff_line() {
        let info = b"pos:\t0\nflags:\t0100002\nmnt_id:\t23\nino:\t100\niff:\ttap0\n";
        assert_eq!(device_in(info), DeviceName::new("tap0").ok());
        assert_eq!(device_in(b"pos:\t0\niff:\t\n"), None);
        assert_eq!(device_in(b"pos:\t0\n"), None);
        assert_eq!(device_in(b"iff:\tseventeen-byte-nm\n"), None);
    }
}
