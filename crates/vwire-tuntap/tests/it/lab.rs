//! A fresh network namespace for each test, and `ip` as the judge of what was done in it.

use std::{fs::File, os::fd::OwnedFd, panic::resume_unwind, process::Command, thread};

use nix::sched::{CloneFlags, unshare};
use vwire_tuntap::DeviceName;

/// Runs a test in a network namespace of its own, which goes with the thread.
///
/// Its descriptors are its own, too: a program that another test starts would have them until it is executed, and for
/// that moment keep queues open that were closed here.
///
/// Without the privilege the test fails and says how to skip; skipped, it prints so.
pub(crate) fn lab(test: impl FnOnce() + Send + 'static) {
    apart(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_FILES, test);
}

/// Runs a test in a network namespace of its own with the descriptors that the whole process has.
pub(crate) fn lab_of_process(test: impl FnOnce() + Send + 'static) {
    apart(CloneFlags::CLONE_NEWNET, test);
}

fn apart(from: CloneFlags, test: impl FnOnce() + Send + 'static) {
    let run = move || match unshare(from) {
        Ok(()) => test(),
        Err(errno) if std::env::var_os("VWIRE_SKIP_PRIVILEGED").is_some() => {
            eprintln!("SKIPPED: no privilege for a network namespace ({errno})");
        }
        Err(errno) => panic!(
            "no privilege for a network namespace ({errno}): run as root, or set VWIRE_SKIP_PRIVILEGED=1 to skip"
        ),
    };
    if let Err(panic) = thread::spawn(run).join() {
        resume_unwind(panic);
    }
}

/// Returns the namespace the calling thread is in.
pub(crate) fn namespace() -> OwnedFd {
    File::open("/proc/thread-self/ns/net").expect("proc is mounted").into()
}

/// Makes a new namespace and returns it; the calling thread stays where it is.
pub(crate) fn other_namespace() -> OwnedFd {
    let made = thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET).expect("the test has privilege");
        namespace()
    });
    made.join().expect("the thread only makes a namespace")
}

/// Runs `ip` with the words of a line and returns what it prints.
pub(crate) fn ip(line: &str) -> String {
    let output = Command::new("ip").args(line.split_whitespace()).output().expect("ip is installed");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "ip {line}: {error}");
    String::from_utf8(output.stdout).expect("ip prints text")
}

/// Tells whether `ip` sees the device in this namespace.
pub(crate) fn exists(device: &str) -> bool {
    let status = Command::new("ip").args(["link", "show", device]).output().expect("ip is installed");
    status.status.success()
}

/// Returns a name that is known to be good.
pub(crate) fn named(name: &str) -> DeviceName {
    DeviceName::new(name).expect("a good name")
}
