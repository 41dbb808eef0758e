//! What is left behind when the kernel refuses, call by call.
//!
//! Calls are refused by a seccomp filter on a thread that ends with the attempt, so the product itself knows nothing
//! of the test.

use std::{collections::BTreeMap, fs, net::UdpSocket, thread};

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use vwire_tuntap::{
    Attachment, Batch, Builder, Carrier, ControlError, Device, Endian, Flags, Interrupt, Layout, Multicast, OpenCause,
    OpenError, Persistence, offload::Offload,
};

use crate::lab::{exists, ip, lab, named};

/// Runs a closure on a thread for which one ioctl fails with EACCES.
fn refusing<T: Send>(request: u64, run: impl FnOnce() -> T + Send) -> T {
    let condition = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, request).unwrap();
    let rule = SeccompRule::new(vec![condition]).unwrap();
    failing(libc::SYS_ioctl, vec![rule], libc::EACCES, run)
}

/// Runs a closure on a thread for which a system call that meets one of the rules, or any without rules, fails.
///
/// The programs it starts inherit that, and so do the threads: calls of this can be nested.
pub(crate) fn failing<T: Send>(call: i64, rules: Vec<SeccompRule>, errno: i32, run: impl FnOnce() -> T + Send) -> T {
    let refuse = SeccompAction::Errno(u32::try_from(errno).unwrap());
    let rules = BTreeMap::from([(call, rules)]);
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).unwrap().try_into().unwrap();
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            seccompiler::apply_filter(&filter).unwrap();
            run()
        });
        thread.join().unwrap()
    })
}

/// A rule that is met by calls whose argument, counted from 0, is at least a number.
pub(crate) fn at_least(argument: u8, least: u64) -> Vec<SeccompRule> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Ge, least).unwrap();
    vec![SeccompRule::new(vec![condition]).unwrap()]
}

fn descriptors() -> usize {
    fs::read_dir("/proc/thread-self/fd").unwrap().count()
}

const OPENING: [(u64, &str); 6] = [
    (0x8004_54cf, "TUNGETFEATURES"),
    (0x4004_54da, "TUNSETIFINDEX"),
    (0x4004_54ca, "TUNSETIFF"),
    (0x4004_54d8, "TUNSETVNETHDRSZ"),
    (0x4004_54dc, "TUNSETVNETLE"),
    (0x4004_54d0, "TUNSETOFFLOAD"),
];

#[test]
fn an_open_that_is_refused_anywhere_leaves_nothing() {
    lab(|| {
        let builder = Builder::tap(named("t0")).offload(Offload::ALL).index(77);
        for (request, name) in OPENING {
            let before = descriptors();
            let error: OpenError = refusing(request, || builder.create()).unwrap_err();
            let refused = matches!(error.cause, OpenCause::Refused { call, .. } if call == name);
            assert!(refused, "{name}: {error}");
            assert_eq!(error.to_string(), format!("cannot create `t0` ({name}): Permission denied"));
            assert_eq!(descriptors(), before, "{name}");
            assert!(!exists("t0"), "{name}");
        }
    });
}

#[test]
fn an_attach_that_is_refused_anywhere_leaves_the_device_as_it_was() {
    lab(|| {
        let builder = Builder::tap(named("t0")).offload(Offload::ALL);
        builder.create().unwrap().set_persistence(Persistence::Kept).unwrap();
        for (request, name) in OPENING {
            let before = descriptors();
            let error = refusing(request, || builder.attach()).unwrap_err();
            assert!(error.to_string().contains(name), "{name}: {error}");
            assert_eq!(descriptors(), before, "{name}");
            assert!(exists("t0"), "{name}");
        }
        builder.attach().unwrap();
    });
}

type Call = fn(&Device) -> Result<(), ControlError>;

#[test]
fn a_control_that_is_refused_says_so_by_name_and_leaks_nothing() {
    let calls: [(u64, &str, Call); 20] = [
        (0x8004_54d2, "TUNGETIFF", |device| device.status().map(drop)),
        (0x4004_54cb, "TUNSETPERSIST", |device| device.set_persistence(Persistence::Kept)),
        (0x4004_54cc, "TUNSETOWNER", |device| device.set_owner(1)),
        (0x4004_54ce, "TUNSETGROUP", |device| device.set_group(1)),
        (0x4004_54cd, "TUNSETLINK", |device| device.set_link_type(1)),
        (0x4004_54d9, "TUNSETQUEUE", |device| device.set_attachment(Attachment::Detached)),
        (0x4004_54e2, "TUNSETCARRIER", |device| device.set_carrier(Carrier::Off)),
        (0x8004_54d3, "TUNGETSNDBUF", |device| device.send_buffer().map(drop)),
        (0x4004_54d4, "TUNSETSNDBUF", |device| device.set_send_buffer(1 << 20)),
        (0x8004_54d7, "TUNGETVNETHDRSZ", |device| device.vnet_header_size().map(drop)),
        (0x4004_54d8, "TUNSETVNETHDRSZ", |device| device.set_vnet_header_size(12)),
        (0x4004_54dc, "TUNSETVNETLE", |device| device.set_vnet_endian(Endian::Little)),
        (0x4004_54d0, "TUNSETOFFLOAD", |device| device.set_offload(Offload::ALL).map(drop)),
        (0x8004_54dd, "TUNGETVNETLE", |device| device.vnet_endian().map(drop)),
        (0x4004_54d1, "TUNSETTXFILTER", |device| device.set_destination_filter(&[], Multicast::Named).map(drop)),
        (0x4010_54d5, "TUNATTACHFILTER", |device| device.attach_filter(&[])),
        (0x4010_54d6, "TUNDETACHFILTER", |device| device.detach_filter()),
        (0x8004_54e0, "TUNSETSTEERINGEBPF", |device| device.set_steering(None)),
        (0x8004_54e1, "TUNSETFILTEREBPF", |device| device.set_filter_program(None)),
        (0x54e3, "TUNGETDEVNETNS", |device| device.namespace().map(drop)),
    ];
    lab(move || {
        let device = Builder::tap(named("t0")).flags(Flags::MULTI_QUEUE | Flags::VNET_HDR).create().unwrap();
        for (request, name, call) in calls {
            let before = descriptors();
            let error = refusing(request, || call(&device)).unwrap_err();
            assert_eq!((error.call, error.errno.0), (name, libc::EACCES));
            assert_eq!(error.device, named("t0"));
            assert_eq!(descriptors(), before, "{name}");
        }
        drop(device);
        assert!(!exists("t0"));
    });
}

#[test]
fn opening_in_another_namespace_leaks_nothing_when_refused() {
    lab(|| {
        let there = crate::lab::other_namespace();
        let builder = Builder::tun(named("t0")).in_namespace(there);
        let before = descriptors();
        assert!(refusing(OPENING[2].0, || builder.create()).is_err());
        assert_eq!(descriptors(), before);
    });
}

#[test]
fn a_kernel_without_reads_that_do_not_wait_is_asked_first() {
    lab(|| {
        fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
        let device = Builder::tun(named("t0")).create().unwrap();
        ip("addr add 10.4.0.1/24 dev t0");
        ip("link set t0 up");
        let socket = UdpSocket::bind("10.4.0.1:4000").unwrap();
        let mut batch = Batch::new(Layout::for_mtu(1500));
        let counts = failing(libc::SYS_preadv2, vec![], libc::EOPNOTSUPP, || {
            let none = device.recv_ready(&mut batch);
            (0..3).for_each(|_| {
                socket.send_to(b"word", "10.4.0.2:1").unwrap();
            });
            [none, device.recv_until(&Interrupt::new().unwrap(), &mut batch), device.recv_ready(&mut batch)]
        });
        assert_eq!(counts, [Ok(0), Ok(3), Ok(0)]);
    });
}
