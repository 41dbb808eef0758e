//! The tour, whole: it plays on the live kernel, as root and as nobody, and leaves nothing.

use std::os::unix::process::CommandExt;

use crate::lab::lab;

/// `nobody`.
const NOBODY: u32 = 65534;

#[test]
fn every_step_of_the_tour_behaves_and_nothing_is_left() {
    lab(|net| {
        let tour = net.vwire(&["tour"]).ok();
        assert!(tour.contains("and each did what it should"), "{tour}");
        assert!(!tour.contains("did not behave"), "{tour}");
        let left = net.ip(&["-br", "link"]).ok();
        assert_eq!(left.lines().count(), 1, "{left}");
        assert_eq!(net.ip(&["netns", "list"]).ok(), "");
    });
}

#[test]
fn a_tour_that_waits_for_keys_wants_a_terminal() {
    lab(|net| {
        let said = net.vwire(&["tour", "--step"]);
        assert_eq!(said.stdout, "");
        assert!(said.fails(2).starts_with("error: `--step` waits for keys, and standard input is no terminal\nhint: "));
    });
}

#[test]
fn the_tour_goes_on_without_tun_and_says_so() {
    lab(|net| {
        // This lab's own /dev: what is done to it shows nowhere else.
        net.run(net.command("mount", &["-t", "tmpfs", "-o", "mode=755", "tmpfs", "/dev/net"])).ok();
        net.run(net.command("cp", &[env!("CARGO_BIN_EXE_vwire"), "/run/vwire"])).ok();
        let mut command = net.command("/run/vwire", &["tour"]);
        command.current_dir("/").uid(NOBODY).gid(NOBODY);
        let said = net.run(command);
        if said.stderr.contains("user namespace: ") {
            eprintln!("SKIPPED the_tour_goes_on_without_tun_and_says_so: {}", said.stderr);
            return;
        }
        let tour = said.ok();
        assert!(tour.contains("/dev/net/tun is not there"), "{tour}");
        assert!(tour.contains("?    what TUN and TAP do"), "{tour}");
        assert!(tour.contains("yes  two namespaces talked through br0"), "{tour}");
    });
}
