//! Loads an eBPF socket filter that returns one number, for what a device takes as a program.
//! There is no safe wrapper of bpf(2) among the dependencies.

use std::{
    ffi::CStr,
    io,
    os::fd::{FromRawFd, OwnedFd},
};

use nix::libc;

/// The start of `union bpf_attr` for `BPF_PROG_LOAD`.
#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    rest: [u64; 12],
}

const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_PROG_TYPE_SOCKET_FILTER: u32 = 1;
const LICENSE: &CStr = c"MIT";

/// Loads `return number`.
pub(crate) fn returning(number: u8) -> OwnedFd {
    // BPF_MOV64_IMM(r0, number), BPF_EXIT.
    let instructions = [0xb7_u64 | (u64::from(number) << 32), 0x95];
    let load = Load {
        kind: BPF_PROG_TYPE_SOCKET_FILTER,
        count: 2,
        instructions: u64::try_from(instructions.as_ptr().addr()).unwrap(),
        license: u64::try_from(LICENSE.as_ptr().addr()).unwrap(),
        rest: [0; 12],
    };
    // SAFETY: bpf(2) reads `size` bytes of `load`, the two instructions and the string it points at; all of them live
    // until the call returns.
    let raw = unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const load, size_of::<Load>()) };
    let raw = i32::try_from(raw).unwrap();
    assert!(raw >= 0, "bpf: {}", io::Error::last_os_error());
    // SAFETY: the kernel just made the descriptor for this call; nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(raw) }
}
