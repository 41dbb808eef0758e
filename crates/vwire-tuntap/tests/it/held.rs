//! Who holds which queue.

use vwire_tuntap::{
    Attachment, Builder, Flags,
    holders::{Holder, find_holders, find_holders_of, namespace_inode},
};

use crate::lab::{lab_of_process, named, namespace, other_namespace};

/// Finds the holders in this process: until it is executed, a program that another test starts holds the same.
fn held_here(device: &str, namespace: u64) -> Vec<Holder> {
    let mut found = find_holders_of(named(device), namespace);
    found.retain(|holder| holder.pid == std::process::id());
    found
}

#[test]
fn the_holder_of_a_device_is_found_by_name_and_namespace() {
    lab_of_process(|| {
        let here = namespace_inode(namespace()).unwrap();
        let _tap = Builder::tap(named("tap7")).create().unwrap();
        let found = held_here("tap7", here);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].pid, std::process::id());
        assert_eq!(found[0].namespace, Some(here));
        assert_eq!(found[0].attachment, Some(Attachment::Attached));
    });
}

#[test]
fn a_device_elsewhere_is_told_apart_from_one_of_the_same_name_here() {
    lab_of_process(|| {
        let there = other_namespace();
        let inode = namespace_inode(&there).unwrap();
        let _here = Builder::tap(named("tap8")).create().unwrap();
        let _there = Builder::tap(named("tap8")).in_namespace(there).create().unwrap();
        let found = held_here("tap8", inode);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_ne!(found[0].namespace, found[0].process_namespace);
    });
}

#[test]
fn each_queue_is_listed_and_a_detached_one_marked() {
    lab_of_process(|| {
        let builder = Builder::tap(named("tap9")).flags(Flags::MULTI_QUEUE);
        let _first = builder.create().unwrap();
        let second = builder.attach().unwrap();
        second.set_attachment(Attachment::Detached).unwrap();
        let here = namespace_inode(namespace()).unwrap();
        let found = held_here("tap9", here);
        let having = |state| found.iter().filter(|holder| holder.attachment == Some(state)).count();
        assert_eq!((having(Attachment::Attached), having(Attachment::Detached)), (1, 1));
        assert!(found.len() <= find_holders().len());
    });
}
