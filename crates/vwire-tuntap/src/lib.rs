//! Opens TUN and TAP devices and moves packets through them.

mod device;
mod errno;
mod flags;
pub mod holders;
mod name;
pub mod offload;
mod open;
mod sys;

pub use device::{ControlError, Device, Endian, Instruction, Multicast, PacketInfo, Status};
pub use errno::Errno;
pub use flags::{Attachment, Carrier, Flags, Mode, Persistence};
pub use name::{DeviceName, NameError};
pub use open::{Builder, Intent, OpenCause, OpenError, features};
