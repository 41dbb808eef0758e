//! Opens TUN and TAP devices and moves packets through them.

pub mod batch;
mod device;
mod errno;
pub mod fake;
mod flags;
pub mod holders;
mod name;
pub mod offload;
mod open;
mod probe;
mod sys;
#[cfg(feature = "tokio")]
pub mod tokio;
mod transfer;

pub use batch::{Batch, Layout};
pub use device::{ControlError, Device, Endian, Instruction, Multicast, PacketInfo, Status};
pub use errno::Errno;
pub use flags::{Attachment, Carrier, Flags, Mode, Persistence};
pub use name::{DeviceName, NameError};
pub use open::{Builder, Intent, OpenCause, OpenError, features};
pub use transfer::{Interrupt, Merging, PacketIo, Sent, TransferError, Writer};
