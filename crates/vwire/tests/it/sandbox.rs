//! A sandbox made without privilege: by an ordinary user, who owns nothing.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;

use crate::lab::{Lab, Said, lab};

/// `nobody`.
const NOBODY: u32 = 65534;

/// Runs `vwire sandbox sh -c SCRIPT` as an ordinary user; inside, vwire is `/proc/self/fd/3`. Nothing is returned, and
/// that is said, where this machine forbids user namespaces to ordinary users.
fn as_nobody(net: &Lab, script: &str) -> Option<Said> {
    // A copy that anyone may run. Not fs::copy: a program that another test starts meanwhile would
    // inherit the open file (ETXTBSY).
    net.run(net.command("cp", &[env!("CARGO_BIN_EXE_vwire"), "/run/vwire"])).ok();
    let mut command = net.command("sh", &["-c", "exec 3</run/vwire; exec /run/vwire sandbox sh -c \"$0\"", script]);
    command.current_dir("/").uid(NOBODY).gid(NOBODY);
    let said = net.run(command);
    if said.stderr.contains("user namespace: ") {
        let name = std::thread::current().name().unwrap_or("test").to_owned();
        let _ = write!(io::stderr(), "SKIPPED {name}: {}", said.stderr);
        return None;
    }
    Some(said)
}

#[test]
fn an_ordinary_user_is_root_of_a_network_of_their_own() {
    lab(|net| {
        net.arrange(&["netns add outside", "link add v0 type veth peer name v1"]);
        let inside = "id -u; ls /run/netns; ls /sys/class/net; /proc/self/fd/3 netns add blue; \
                      /proc/self/fd/3 netns; /proc/self/fd/3 netns exec blue ls /sys/class/net; exit 7";
        let Some(said) = as_nobody(net, inside) else { return };
        assert_eq!(said.stdout, "0\nlo\nblue\nlo\n", "{}", said.stderr);
        assert_eq!(said.exit, 7);
        assert_eq!(net.vwire(&["netns"]).ok(), "outside\n");
    });
}

#[test]
fn what_a_sandbox_lacks_is_told() {
    lab(|net| {
        // This lab's own /dev: what is done to it shows nowhere else.
        if Path::new("/dev/net").exists() {
            net.run(net.command("mount", &["-t", "tmpfs", "-o", "mode=755", "tmpfs", "/dev/net"])).ok();
        }
        let Some(said) = as_nobody(net, "true") else { return };
        let told = "warning: no TUN or TAP device can be made: /dev/net/tun: No such file or directory\n";
        assert_eq!((said.stderr.as_str(), said.exit), (told, 0));
    });
}

#[test]
fn a_machine_that_forbids_it_is_told_which_setting_to_change() {
    lab(|net| {
        // A user namespace whose own limit of further ones is 0.
        let script = "echo 0 > /proc/sys/user/max_user_namespaces; \
                      exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin \"$0\" sandbox true";
        let vwire = env!("CARGO_BIN_EXE_vwire");
        let said = net.run(net.command("unshare", &["-Ur", "sh", "-c", script, vwire]));
        assert_eq!(
            said.fails(1),
            "error: cannot make a user namespace: No space left on device\n\
             hint: this machine has user.max_user_namespaces = 0; \
             `sudo sysctl -w user.max_user_namespaces=15000` allows it\n"
        );
    });
}

#[test]
fn root_needs_no_user_namespace() {
    lab(|net| {
        let script = "readlink /proc/self/ns/user; ls /sys/class/net; exit 3";
        let said = net.vwire(&["sandbox", "sh", "-c", script]);
        let ours = std::fs::read_link("/proc/self/ns/user").unwrap();
        assert_eq!((said.stdout, said.exit), (format!("{}\nlo\n", ours.display()), 3));
        let said = net.vwire(&["sandbox", "nosuchprogram"]).fails(1);
        assert_eq!(said, "error: cannot run `nosuchprogram`: No such file or directory\n");
    });
}

#[test]
fn a_program_runs_where_sys_cannot_be_mounted() {
    lab(|net| {
        // The kernel gives a user namespace no new /sys where part of the old one is hidden, as containers hide it.
        net.run(net.command("umount", &["/sys"])).ok();
        net.run(net.command("mount", &["-t", "tmpfs", "tmpfs", "/sys/kernel"])).ok();
        let script = "/proc/self/fd/3 netns add blue; /proc/self/fd/3 netns exec blue sh -c 'echo runs; exit 7'";
        let Some(said) = as_nobody(net, script) else { return };
        assert_eq!((said.stdout.as_str(), said.exit), ("runs\n", 7), "{}", said.stderr);
        assert!(said.stderr.contains("warning: /sys shows the devices outside: cannot mount it: "), "{}", said.stderr);
        assert!(said.stderr.contains("warning: cannot mount /sys of the namespace: "), "{}", said.stderr);
    });
}
