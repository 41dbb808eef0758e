//! Opens TUN and TAP devices on Linux and moves packets through them, fast.
//!
//! From the top down:
//!
//! # Devices
//! [`Builder`] says what a device should be and [opens](Builder::open), [creates](Builder::create) or
//! [attaches to](Builder::attach) it, here or [in another namespace](Builder::in_namespace). What comes back is a
//! [`Device`]: one queue, and with it everything that can be asked of the device: persistence, owner, carrier, queues,
//! buffers, filters, programs, namespace. [`features`] says what the running kernel knows; a flag it lacks is refused
//! by name before anything is made. [`holders`] finds which processes hold a queue of which device.
//!
//! # Packets
//! A [`Batch`] holds many packets in one bounded piece of memory, each with room in front and behind.
//! [`Device::recv`] fills it, [`Device::send`] empties it; neither allocates or copies. [`Device::recv_until`] can be
//! woken by an [`Interrupt`]; [`Device::recv_ready`] and [`Device::send_ready`] never wait; the feature `tokio` has
//! `tokio::AsyncDevice`. One thread a queue and direction is how it goes fastest.
//!
//! ```no_run
//! use vwire_tuntap::{Batch, Builder, DeviceName, Writer, offload::Offload};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tun = Builder::tun(DeviceName::new("tun0")?).offload(Offload::ALL).open()?;
//! let mut batch = Batch::new(tun.layout(1500).with_rooms(32, 16));
//! let mut writer = Writer::new();
//! loop {
//!     batch.clear();
//!     tun.recv(&mut batch)?;
//!     for packet in batch.iter() {
//!         println!("{:?} {} bytes", packet.header, packet.bytes.len());
//!     }
//!     tun.send(&mut batch, &mut writer)?;
//! }
//! # }
//! ```
//!
//! # Super-packets
//! With [`offload::Offload`] the kernel hands over TCP and UDP in packets of up to 64 KiB, checksums not yet made, and
//! takes such packets. A [`offload::VnetHeader`] beside each says what is left to do. They can be passed on as they
//! are; [`offload::Segments`] cuts one into the packets the kernel would send, and [`offload::Merger`] (used by every
//! [`Writer`]) puts packets together as the kernel's GRO would. All of that is pure: no socket, no clock, no file.
//!
//! # Tests
//! [`fake::pair`] is a pair of devices in memory with the same trait, [`PacketIo`], that loses and delays on request.
//!
//! # Examples
//! Useful programs of less than a hundred lines, run as root by `cargo run -p vwire-tuntap --example NAME`:
//! - `icmp [DEVICE]` answers pings to every address that is routed to a TUN;
//! - `forward [FIRST SECOND]` carries packets between two TUNs, one of which may be moved to another namespace;
//! - `sniff DEVICE FILE.pcapng` writes what is sent to a TAP where Wireshark reads it;
//! - `echo [DEVICE [ADDRESS/LENGTH]]` is a host with a stack of its own (smoltcp) on a TAP.
//!
//! Each makes its device; the head of its source says which addresses to set then.
//!
//! # Where things are
//! `open`, `device`, `flags`, `filter`, `name`, `errno`, `holders`: control. `batch`, `transfer`, `interrupt`, `probe`, `tokio`: packets.
//! `offload/`: pure. `sys/`: one safe function for each system call, and the only unsafe code. There is no thread but
//! the short-lived one that enters a namespace, no global state and no log.
//!
//! How it compares with its peers: `docs/tuntap-peers.md`; how fast it is: `docs/tuntap-bench.md`.

pub mod batch;
mod device;
mod errno;
pub mod fake;
mod filter;
mod flags;
pub mod holders;
mod interrupt;
mod name;
pub mod offload;
mod open;
mod probe;
mod sys;
#[cfg(feature = "tokio")]
pub mod tokio;
mod transfer;

pub use batch::{Batch, Layout};
pub use device::{ControlError, Device, Endian, PacketInfo, Status};
pub use errno::Errno;
pub use filter::{Instruction, Multicast};
pub use flags::{Attachment, Carrier, Flags, Mode, Persistence};
pub use interrupt::Interrupt;
pub use name::{DeviceName, NameError};
pub use open::{Builder, Intent, OpenCause, OpenError, features};
pub use transfer::{Merging, PacketIo, Sent, TransferError, Writer};
