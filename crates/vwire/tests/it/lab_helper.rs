//! The lab that the other tests stand on: separate, and gone afterwards.

use crate::lab::{alike, in_lab, lab, privileged};

fn this_network() -> String {
    std::fs::read_link("/proc/thread-self/ns/net").unwrap().display().to_string()
}

#[test]
fn a_lab_has_a_network_of_its_own_with_lo_alone() {
    let outside = this_network();
    lab(|net| {
        assert_ne!(this_network(), outside);
        let links = net.ip(&["-o", "link", "show"]).ok();
        assert!(links.starts_with("1: lo: <LOOPBACK> ") && links.lines().count() == 1, "{links}");
        assert_eq!(std::fs::read_dir("/sys/class/net").unwrap().count(), 1);
        assert_eq!(std::fs::read_dir("/run/netns").unwrap().count(), 0);
    });
    assert_eq!(this_network(), outside);
}

#[test]
fn what_one_lab_makes_another_does_not_see() {
    lab(|net| {
        net.arrange(&["link add v0 type veth peer name v1", "netns add blue"]);
        in_lab(|other| {
            assert_eq!(other.ip(&["-o", "link", "show"]).ok().lines().count(), 1);
            assert_eq!(other.ip(&["netns"]).ok(), "");
        });
        assert_eq!(net.ip(&["netns"]).ok(), "blue\n");
    });
}

#[test]
fn a_panic_inside_comes_out_and_leaves_no_mount() {
    if !privileged() {
        return;
    }
    let panicked = std::panic::catch_unwind(|| lab(|_| panic!("this one is wanted"))).unwrap_err();
    assert_eq!(panicked.downcast_ref::<&str>(), Some(&"this one is wanted"));
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(" - tmpfs vwire "), "{mounts}");
}

#[test]
fn unknown_objects_are_refused_in_the_judges_words() {
    alike(&["bogus", "-sj link", "-n nosuch link"]);
}
