//! What can be asked of a device, judged by `ip`.

use std::process::Command;

use vwire_tuntap::{
    Attachment, Builder, Carrier, Endian, Errno, Flags, Instruction, Mode, Multicast, OpenCause, PacketInfo,
    Persistence, features, offload::Offload,
};

use crate::lab::{exists, ip, lab, named, namespace, other_namespace};

#[test]
fn a_device_lives_as_long_as_its_queue() {
    lab(|| {
        let tap = Builder::tap(named("tap0")).create().unwrap();
        assert!(ip("-d link show tap0").contains("tun type tap"));
        assert_eq!(tap.mode(), Mode::Tap);
        drop(tap);
        assert!(!exists("tap0"));
    });
}

#[test]
fn the_kernel_numbers_a_pattern() {
    lab(|| {
        let first = Builder::tun(named("vpn%d")).open().unwrap();
        let second = Builder::tun(named("vpn%d")).open().unwrap();
        assert_eq!((first.name(), second.name()), (named("vpn0"), named("vpn1")));
    });
}

#[test]
fn create_refuses_a_taken_name_and_leaks_nothing() {
    lab(|| {
        let _first = Builder::tap(named("tap0")).create().unwrap();
        let error = Builder::tap(named("tap0")).create().unwrap_err();
        assert_eq!(error.to_string(), "cannot create `tap0`: there is a device of that name");
        ip("link add other type veth peer name third");
        assert_eq!(Builder::tap(named("other")).create().unwrap_err().cause, OpenCause::Exists);
    });
}

#[test]
fn attach_never_creates() {
    lab(|| {
        let error = Builder::tap(named("tap0")).attach().unwrap_err();
        assert_eq!(error.to_string(), "cannot attach to `tap0`: there is no such device here");
        assert!(!exists("tap0"));
    });
}

#[test]
fn a_second_user_of_a_single_queue_is_told_that_it_is_busy() {
    lab(|| {
        let _first = Builder::tap(named("tap0")).create().unwrap();
        let error = Builder::tap(named("tap0")).attach().unwrap_err();
        assert_eq!(error.to_string(), "cannot attach to `tap0` (TUNSETIFF): Device or resource busy");
        assert_eq!(error.errno(), Some(Errno::EBUSY));
    });
}

#[test]
fn a_persistent_device_is_attached_to_and_let_go() {
    lab(|| {
        let tun = Builder::tun(named("tun0")).create().unwrap();
        tun.set_persistence(Persistence::Kept).unwrap();
        drop(tun);
        assert!(ip("-d link show tun0").contains("persist on"));
        let tun = Builder::tun(named("tun0")).attach().unwrap();
        assert!(tun.status().unwrap().flags.contains(Flags::PERSIST));
        tun.set_persistence(Persistence::Temporary).unwrap();
        drop(tun);
        assert!(!exists("tun0"));
    });
}

#[test]
fn a_device_of_another_kind_is_not_attached_to() {
    lab(|| {
        let tun = Builder::tun(named("t0")).create().unwrap();
        tun.set_persistence(Persistence::Kept).unwrap();
        drop(tun);
        assert_eq!(Builder::tap(named("t0")).attach().unwrap_err().errno(), Some(Errno::EINVAL));
        assert_eq!(Builder::tun(named("lo")).attach().unwrap_err().errno(), Some(Errno::EINVAL));
    });
}

#[test]
fn owner_and_group_are_set() {
    lab(|| {
        let tap = Builder::tap(named("tap0")).create().unwrap();
        tap.set_owner(31000).unwrap();
        tap.set_group(31001).unwrap();
        let shown = ip("-d link show tap0");
        assert!(shown.contains("user 31000") && shown.contains("group 31001"), "{shown}");
        let error = tap.set_owner(u32::MAX).unwrap_err();
        assert_eq!(error.to_string(), "cannot set the owner of `tap0` (TUNSETOWNER): Invalid argument");
    });
}

#[test]
fn every_flag_of_this_kernel_is_taken() {
    lab(|| {
        let known = features().unwrap();
        let all = Flags::ONE_QUEUE | Flags::VNET_HDR | Flags::MULTI_QUEUE | Flags::NAPI;
        let all = all | Flags::NAPI_FRAGS | Flags::NO_CARRIER;
        assert!(known.contains(all), "this kernel lacks {}", all.without(known));
        let tap = Builder::tap(named("tap0")).flags(all).create().unwrap();
        // How it starts is no property of the device: the kernel does not keep the flag.
        let kept = tap.status().unwrap().flags;
        assert!(kept.contains(all.without(Flags::NO_CARRIER)), "{kept}");
        let shown = ip("-d link show tap0");
        assert!(shown.contains("multi_queue") && shown.contains("vnet_hdr"), "{shown}");
    });
}

#[test]
fn a_flag_this_kernel_lacks_is_refused_by_name() {
    lab(|| {
        let made = Builder::tap(named("tap0")).flags(Flags::BACKPRESSURE).create();
        if features().unwrap().contains(Flags::BACKPRESSURE) {
            assert!(made.unwrap().flags().contains(Flags::BACKPRESSURE));
            return;
        }
        let error = made.unwrap_err();
        assert_eq!(error.cause, OpenCause::Unsupported(Flags::BACKPRESSURE));
        assert_eq!(error.to_string(), "cannot create `tap0`: this kernel has no IFF_BACKPRESSURE");
        assert!(!exists("tap0"));
    });
}

#[test]
fn frags_without_napi_are_refused_before_the_kernel_ignores_them() {
    lab(|| {
        let error = Builder::tap(named("tap0")).flags(Flags::NAPI_FRAGS).create().unwrap_err();
        assert_eq!(error.cause, OpenCause::FragsWithoutNapi);
        assert!(!exists("tap0"));
    });
}

#[test]
fn carrier_is_plugged_in_and_out() {
    lab(|| {
        let tap = Builder::tap(named("tap0")).flags(Flags::NO_CARRIER).create().unwrap();
        ip("link set tap0 up");
        assert!(ip("link show tap0").contains("NO-CARRIER"));
        tap.set_carrier(Carrier::On).unwrap();
        assert!(ip("link show tap0").contains("LOWER_UP"));
        tap.set_carrier(Carrier::Off).unwrap();
        assert!(ip("link show tap0").contains("NO-CARRIER"));
    });
}

#[test]
fn a_queue_is_detached_and_attached_again() {
    lab(|| {
        let builder = Builder::tap(named("tap0")).flags(Flags::MULTI_QUEUE);
        let first = builder.create().unwrap();
        let second = builder.attach().unwrap();
        assert!(ip("-d link show tap0").contains("numqueues 2"));
        second.set_attachment(Attachment::Detached).unwrap();
        assert_eq!(second.status().unwrap().attachment, Attachment::Detached);
        assert!(ip("-d link show tap0").contains("numqueues 1"));
        second.set_attachment(Attachment::Attached).unwrap();
        assert_eq!(second.status().unwrap().attachment, Attachment::Attached);
        assert_eq!(first.status().unwrap().attachment, Attachment::Attached);
    });
}

#[test]
fn buffers_and_header_shape_are_read_back() {
    lab(|| {
        let tap = Builder::tap(named("tap0")).flags(Flags::VNET_HDR).create().unwrap();
        tap.set_send_buffer(65_536).unwrap();
        assert_eq!(tap.send_buffer().unwrap(), 65_536);
        assert_eq!((tap.vnet_header_size().unwrap(), tap.prefix_len()), (10, 10));
        tap.set_vnet_header_size(12).unwrap();
        assert_eq!((tap.vnet_header_size().unwrap(), tap.prefix_len()), (12, 12));
        assert_eq!(tap.vnet_endian().unwrap(), Endian::Little);
        let with_info = Builder::tun(named("tun0")).packet_info().create().unwrap();
        assert_eq!(with_info.prefix_len(), 4);
    });
}

#[test]
fn a_former_users_header_shape_does_not_outlive_it() {
    lab(|| {
        let builder = Builder::tap(named("tap0")).flags(Flags::VNET_HDR);
        let tap = builder.create().unwrap();
        tap.set_persistence(Persistence::Kept).unwrap();
        tap.set_vnet_header_size(12).unwrap();
        drop(tap);
        assert_eq!(builder.attach().unwrap().vnet_header_size().unwrap(), 10);
    });
}

#[test]
fn filters_are_for_taps() {
    lab(|| {
        let tap = Builder::tap(named("tap0")).create().unwrap();
        let ours = [[2, 0, 0, 0, 0, 1], [0xff; 6]];
        assert_eq!(tap.set_destination_filter(&ours, Multicast::Named).unwrap(), 2);
        assert_eq!(tap.set_destination_filter(&[], Multicast::Named).unwrap(), 0);
        // BPF_RET | BPF_K: keep everything.
        tap.attach_filter(&[Instruction::new(0x06, 0, 0, u32::MAX)]).unwrap();
        tap.detach_filter().unwrap();
        let tun = Builder::tun(named("tun0")).create().unwrap();
        let error = tun.set_destination_filter(&ours, Multicast::Named).unwrap_err();
        assert_eq!(error.to_string(), "cannot set the address filter of `tun0` (TUNSETTXFILTER): Invalid argument");
        assert!(tun.attach_filter(&[Instruction::new(0x06, 0, 0, 0)]).is_err());
    });
}

#[test]
fn programs_are_taken_off_and_refused_if_they_are_none() {
    lab(|| {
        let tap = Builder::tap(named("tap0")).flags(Flags::MULTI_QUEUE).create().unwrap();
        tap.set_steering(None).unwrap();
        tap.set_filter_program(None).unwrap();
        let no_program = namespace();
        use std::os::fd::AsFd;
        assert!(tap.set_steering(Some(no_program.as_fd())).is_err());
        assert!(tap.set_filter_program(Some(no_program.as_fd())).is_err());
    });
}

#[test]
fn a_device_is_made_in_one_namespace_and_used_from_another() {
    lab(|| {
        let there = other_namespace();
        let inode = vwire_tuntap::holders::namespace_inode(&there).unwrap();
        let builder = Builder::tun(named("tun0")).in_namespace(there);
        let tun = builder.create().unwrap();
        assert!(!exists("tun0"));
        let of_device = tun.namespace().unwrap();
        assert_eq!(vwire_tuntap::holders::namespace_inode(&of_device).unwrap(), inode);
    });
}

#[test]
fn a_chosen_index_is_given() {
    lab(|| {
        let _tun = Builder::tun(named("tun0")).index(4242).create().unwrap();
        assert!(ip("link show tun0").starts_with("4242:"));
    });
}

#[test]
fn a_queue_handed_over_as_a_descriptor_is_the_same_queue() {
    lab(|| {
        let tap = Builder::tap(named("tap0")).flags(Flags::VNET_HDR).create().unwrap();
        let taken = vwire_tuntap::Device::from_fd(tap.into_fd(), PacketInfo::Absent).unwrap();
        assert_eq!((taken.name(), taken.mode(), taken.prefix_len()), (named("tap0"), Mode::Tap, 10));
        let error = vwire_tuntap::Device::from_fd(namespace(), PacketInfo::Absent).unwrap_err();
        assert_eq!(error.errno.0, nix::libc::ENOTTY);
    });
}

#[test]
fn a_child_inherits_a_queue_as_its_standard_input() {
    lab(|| {
        let tap = Builder::tap(named("tap0")).create().unwrap();
        let mut command = Command::new("grep");
        command.args(["iff", "/proc/self/fdinfo/0"]).stdin(tap.into_fd());
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "iff:\ttap0\n");
    });
}

#[test]
fn persistence_is_no_flag_to_open_with() {
    lab(|| {
        let error = Builder::tap(named("tap0")).flags(Flags::PERSIST).create().unwrap_err();
        assert_eq!(error.cause, OpenCause::PersistIsSetLater);
        assert_eq!(error.to_string(), "cannot create `tap0`: IFF_PERSIST is no flag to open with (TUNSETPERSIST)");
        assert!(!exists("tap0"));
    });
}

#[test]
fn settings_that_are_left_are_taken_as_they_are() {
    lab(|| {
        let builder = Builder::tap(named("tap0")).flags(Flags::VNET_HDR);
        let first = builder.create().unwrap();
        first.set_persistence(Persistence::Kept).unwrap();
        first.set_vnet_header_size(12).unwrap();
        drop(first);
        let second = builder.offload(Offload::ALL).leave_settings().attach().unwrap();
        assert_eq!(second.prefix_len(), 12);
        let state = second.offload_state();
        assert_eq!((state.active, state.refused), (Offload::NONE, Offload::ALL));
        assert_eq!(state.reason, Some("the device's settings were to be left as they are"));
    });
}
