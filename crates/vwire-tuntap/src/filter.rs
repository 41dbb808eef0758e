//! What the filters of a TAP are made of.

use crate::sys::ioctl::ClassicInstruction;

/// Which multicast frames a destination filter passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Multicast {
    /// Those named.
    Named,
    /// All of them (`TUN_FLT_ALLMULTI`).
    All,
}

/// One instruction of classic BPF, as `tcpdump -dd` prints them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction(pub(crate) ClassicInstruction);

impl Instruction {
    /// Makes an instruction from its code, its two jump distances and its operand.
    #[must_use]
    pub fn new(code: u16, jump_true: u8, jump_false: u8, operand: u32) -> Self {
        Self(ClassicInstruction { code, jump_true, jump_false, operand })
    }
}
