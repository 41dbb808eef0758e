//! Moves batches of packets through a queue.
//!
//! The driver moves one packet a system call, so a batch saves no calls by itself. It saves waking up: [`Device::recv`]
//! waits for one packet and then takes what else is there without waiting, and [`Device::send`] makes super-packets of
//! what belongs together, each of which the kernel takes in one call at about the price of one packet.
//!
//! Kernel sources: `tun_do_read` and `tun_get_user` in `drivers/net/tun.c`. What waits and what does not is said with
//! each method.
//!
//! Errors of single packets do not stop a batch: they are counted in [`Sent`]. Only what will not get better, a device
//! that is gone, is an error of the call.

use std::{
    fmt,
    io::{self, IoSlice},
    os::fd::{AsFd, BorrowedFd},
    sync::atomic::Ordering,
};

use crate::{
    Batch, Device, DeviceName, Errno, Flags, Interrupt, Mode,
    batch::RESERVE,
    offload::{
        HEADER_ROOM, Layer, MOST_SEGMENTS, Merger, Segmentation, Segments, SuperKind, VNET_HEADER_LEN, VnetHeader,
        is_regular,
    },
    sys::io as sys_io,
};

/// Says that packets can no longer be moved, or not now.
#[derive(Clone, PartialEq, Eq)]
pub struct TransferError {
    /// The device, by the name it was opened with.
    pub device: DeviceName,
    /// The call that failed.
    pub call: &'static str,
    /// The kernel's answer.
    pub errno: Errno,
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_gone() {
            return write!(f, "cannot {} `{}`: the device is gone", self.call, self.device);
        }
        write!(f, "cannot {} `{}`: {}", self.call, self.device, self.errno)
    }
}

impl fmt::Debug for TransferError {
    /// As `Display`: it is what a user sees of an error that `main` returns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for TransferError {}

impl TransferError {
    /// Tells whether the device was deleted: `EFAULT` for who waited in that moment, `EBADFD` for who comes later.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self.errno.0, libc::EBADFD | libc::EFAULT | libc::ENODEV)
    }
}

/// What a sender keeps from batch to batch; make one per thread.
#[derive(Debug, Default)]
pub struct Writer {
    merger: Merger,
    merging: Merging,
    /// Where packets are finished that the device cannot take unfinished; allocated when first needed.
    scratch: Vec<u8>,
    /// How many groups of the batch went out.
    done: usize,
    /// How many packets went out of the group after those.
    within: usize,
    sent: Sent,
}

/// Whether packets that belong together go out as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Merging {
    /// As the kernel's GRO would have it.
    #[default]
    On,
    /// Each packet goes as it is.
    Off,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// Packets of the batch that the kernel took.
    pub packets: usize,
    /// Packets of the batch that it refused; the last error says why.
    pub dropped: usize,
    /// System calls that were made.
    pub calls: usize,
    /// The last error of a dropped packet: `EIO` while the device is down.
    pub error: Option<Errno>,
    /// Told once, when the device is found not to take super-packets of a kind.
    pub fallback: Option<&'static str>,
}

impl Writer {
    /// Makes one that merges.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets a batch that was sent in part.
    pub fn restart(&mut self) {
        (self.done, self.within) = (0, 0);
    }

    /// Switches merging on or off.
    #[must_use]
    pub fn merging(mut self, merging: Merging) -> Self {
        self.merging = merging;
        self
    }
}

/// Something that packets come out of and go into: a [`Device`], or a [`fake`](crate::fake) of one.
pub trait PacketIo {
    /// Appends what is there to a batch and waits until there is at least one packet. Returns how many came.
    ///
    /// # Errors
    /// [`TransferError`] once no packet can come any more.
    fn recv(&self, batch: &mut Batch) -> Result<usize, TransferError>;

    /// Sends every packet of a batch; the batch is left as it is.
    ///
    /// # Errors
    /// [`TransferError`] once no packet can be sent any more.
    fn send(&self, batch: &mut Batch, writer: &mut Writer) -> Result<Sent, TransferError>;

    /// Returns what each packet starts with.
    fn layer(&self) -> Layer;
}

impl PacketIo for Device {
    fn recv(&self, batch: &mut Batch) -> Result<usize, TransferError> {
        Device::recv(self, batch)
    }

    fn send(&self, batch: &mut Batch, writer: &mut Writer) -> Result<Sent, TransferError> {
        Device::send(self, batch, writer)
    }

    fn layer(&self) -> Layer {
        Device::layer(self)
    }
}

/// After this many reads in a row that brought one packet, the next three do not look for a second: a call in vain
/// costs a tenth of a read, and a queue that fills up is noticed three packets later.
const ALONE_TRUSTED: u8 = 4;
const ALONE_MOST: u8 = 7;

impl Device {
    /// Appends packets to a batch: waits for one, then takes what else is there. Returns how many came.
    ///
    /// Where packets keep coming one by one, it does not look for more every time.
    ///
    /// A packet whose vnet header the crate does not know is dropped. On a non-blocking descriptor this fails with
    /// `EAGAIN` where it would wait.
    ///
    /// # Errors
    /// [`TransferError`]; [`is_gone`](TransferError::is_gone) once the device is deleted. `ENOSPC` if the batch is
    /// full to begin with. `EPROTO` if the vnet header was made longer than 12 bytes or big-endian, which batches do
    /// not speak.
    pub fn recv(&self, batch: &mut Batch) -> Result<usize, TransferError> {
        let before = batch.len();
        while batch.len() == before {
            self.recv_one(batch, sys_io::read)?;
        }
        let alone = self.alone.load(Ordering::Relaxed);
        if (ALONE_TRUSTED..ALONE_MOST).contains(&alone) {
            self.alone.store(alone + 1, Ordering::Relaxed);
            return Ok(1);
        }
        self.drain(batch)?;
        let count = batch.len() - before;
        let alone = if count > 1 { 0 } else { (alone + 1).min(ALONE_TRUSTED) };
        self.alone.store(alone, Ordering::Relaxed);
        Ok(count)
    }

    /// Appends what packets are there to a batch and never waits. Returns how many came, which may be none.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_ready(&self, batch: &mut Batch) -> Result<usize, TransferError> {
        let before = batch.len();
        self.drain(batch)?;
        Ok(batch.len() - before)
    }

    /// Waits as [`recv`](Self::recv), and returns 0 once interrupted, also while packets keep coming.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_until(&self, interrupt: &Interrupt, batch: &mut Batch) -> Result<usize, TransferError> {
        if !batch.has_room() {
            return Err(self.transfer_error("read from", &io::Error::from_raw_os_error(libc::ENOSPC)));
        }
        if interrupt.is_triggered() {
            return Ok(0);
        }
        loop {
            let count = self.recv_ready(batch)?;
            if count > 0 {
                return Ok(count);
            }
            let woken = sys_io::wait_either(self.as_fd(), interrupt.as_fd());
            match woken {
                Ok((_, true)) => return Ok(0),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.transfer_error("wait for", &error)),
            }
        }
    }

    /// Sends every packet of a batch and waits where the kernel's buffer is full; the batch is left as it is.
    ///
    /// # Errors
    /// [`TransferError`] once the device is deleted; what was sent before is in neither count.
    pub fn send(&self, batch: &mut Batch, writer: &mut Writer) -> Result<Sent, TransferError> {
        writer.restart();
        loop {
            if let Some(sent) = self.send_ready(batch, writer)? {
                return Ok(sent);
            }
            self.wait_writable().map_err(|error| self.transfer_error("wait for", &error))?;
        }
    }

    /// Sends what it can of a batch; `None` if the kernel's buffer of a non-blocking descriptor is full.
    ///
    /// Call it again with the same batch and writer when the descriptor can be written, until it returns what became
    /// of the whole batch. Only within a packet that has to be cut here it waits.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_ready(&self, batch: &mut Batch, writer: &mut Writer) -> Result<Option<Sent>, TransferError> {
        self.batch_prefix("write to")?;
        if (writer.done, writer.within) == (0, 0) {
            writer.sent = Sent::default();
            if self.merges(batch, writer) {
                writer.merger.plan(batch, self.layer());
            } else {
                writer.merger.plan_singly(batch);
            }
        }
        match self.resume(batch, writer) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => {
                writer.restart();
                return Err(self.transfer_error("write to", &error));
            }
        }
        writer.restart();
        Ok(Some(writer.sent))
    }

    /// Makes reads and writes of this queue and its duplicates return at once (`O_NONBLOCK`), or wait again.
    ///
    /// # Errors
    /// The error of `ioctl(FIONBIO)`.
    pub fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        sys_io::set_nonblocking(self.as_fd(), on)
    }

    /// Returns what each packet starts with.
    #[must_use]
    pub fn layer(&self) -> Layer {
        match self.mode() {
            Mode::Tun => Layer::Ip,
            Mode::Tap => Layer::Ethernet,
        }
    }

    /// Returns a layout for batches of this queue: for super-packets if it may get them, else for `mtu`.
    #[must_use]
    pub fn layout(&self, mtu: usize) -> crate::Layout {
        if self.offload_state().active.is_empty() {
            crate::Layout::for_mtu(mtu)
        } else {
            crate::Layout::for_super_packets()
        }
    }

    #[inline]
    fn drain(&self, batch: &mut Batch) -> Result<(), TransferError> {
        while batch.has_room() {
            match self.recv_one(batch, sys_io::read_now) {
                Ok(()) => {}
                Err(error) if error.errno.0 == libc::EAGAIN => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads one packet to the end of the batch; nothing if a signal came or the packet is not understood.
    #[inline]
    fn recv_one(
        &self,
        batch: &mut Batch,
        read: impl Fn(BorrowedFd<'_>, &mut [u8]) -> io::Result<usize>,
    ) -> Result<(), TransferError> {
        let prefix = self.batch_prefix("read from")?;
        let full = || io::Error::from_raw_os_error(libc::ENOSPC);
        let room = batch.room_behind(prefix).ok_or_else(|| self.transfer_error("read from", &full()))?;
        let length = match read(self.as_fd(), room) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(self.transfer_error("read from", &error)),
        };
        let header = if self.flags().contains(Flags::VNET_HDR) {
            let start = self.packet_info_len();
            let bytes = room.get(start..).and_then(|rest| rest.first_chunk::<VNET_HEADER_LEN>());
            bytes.and_then(|bytes| VnetHeader::parse(*bytes).ok())
        } else {
            Some(VnetHeader::NONE)
        };
        if let (Some(header), Some(length)) = (header, length.checked_sub(prefix)) {
            batch.commit(length, header);
        }
        Ok(())
    }

    /// Returns the length of the prefix, if the packets of a batch can have it.
    #[inline]
    fn batch_prefix(&self, call: &'static str) -> Result<usize, TransferError> {
        let prefix = self.prefix_len();
        if prefix > RESERVE || self.speaks_big_endian() {
            return Err(self.transfer_error(call, &io::Error::from_raw_os_error(libc::EPROTO)));
        }
        Ok(prefix)
    }

    fn merges(&self, batch: &Batch, writer: &Writer) -> bool {
        writer.merging == Merging::On && batch.len() > 1 && self.takes(None)
    }

    /// Whether the device is believed to take super-packets, of one kind or of any.
    fn takes(&self, kind: Option<SuperKind>) -> bool {
        let refused = self.refused_kinds();
        self.flags().contains(Flags::VNET_HDR)
            && match kind {
                None => !(refused.tcp && refused.udp),
                Some(SuperKind::Udp) => !refused.udp,
                Some(_) => !refused.tcp,
            }
    }

    /// Sends what the last plan made of a batch, from where an earlier call stopped.
    #[inline]
    fn resume(&self, batch: &mut Batch, writer: &mut Writer) -> io::Result<()> {
        let Writer { merger, scratch, done, within, sent, .. } = writer;
        for group in merger.groups().skip(*done) {
            let whole = group.count() > 1 && *within == 0 && self.takes(Some(group.kind()));
            if !(whole && self.write_group(batch, &group, sent)?) {
                for index in group.members().skip(*within) {
                    self.write_one(batch, index, scratch, sent)?;
                    *within += 1;
                }
            }
            (*done, *within) = (*done + 1, 0);
        }
        Ok(())
    }

    /// Writes a group as one packet; `false` if the kernel does not take such packets, and nothing went out.
    #[inline]
    fn write_group(&self, batch: &Batch, group: &crate::offload::Group<'_>, sent: &mut Sent) -> io::Result<bool> {
        let mut headers = [0; HEADER_ROOM];
        let header = group.super_headers(batch, &mut headers).unwrap_or_default();
        let (prefix, prefix_len) = self.prefix(header, headers.get(self.network_offset()..).unwrap_or(&[]));
        let mut pieces = [IoSlice::new(&[]); MOST_SEGMENTS + 2];
        let payloads = group.members().filter_map(|index| batch.get(index)?.bytes.get(group.header_len()..));
        let front = [prefix.get(..prefix_len).unwrap_or(&[]), headers.get(..group.header_len()).unwrap_or(&[])];
        let mut count = 0;
        for (place, piece) in pieces.iter_mut().zip(front.into_iter().chain(payloads)) {
            *place = IoSlice::new(piece);
            count += 1;
        }
        let pieces = pieces.get(..count).unwrap_or(&[]);
        match self.attempt(sent, || sys_io::write_pieces(self.as_fd(), pieces)) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                self.refuse(group.kind(), sent);
                Ok(false)
            }
            result => settle(result, group.count(), sent).map(|()| true),
        }
    }

    #[inline]
    fn write_one(&self, batch: &mut Batch, index: usize, scratch: &mut Vec<u8>, sent: &mut Sent) -> io::Result<()> {
        let Some(packet) = batch.get(index) else { return Ok(()) };
        let header = packet.header;
        let kind = match header.segments {
            Segmentation::Super { kind, .. } => Some(kind),
            Segmentation::None => None,
        };
        let unfinished = header.is_super() || matches!(header.checksum, crate::offload::Checksum::Needed { .. });
        let has_header = self.flags().contains(Flags::VNET_HDR);
        if (unfinished && !has_header) || kind.is_some_and(|kind| !self.takes(Some(kind))) {
            return self.write_segments(header, batch, index, scratch, sent);
        }
        let (prefix, len) = self.prefix(header, packet.bytes.get(self.network_offset()..).unwrap_or(&[]));
        let bytes = batch.prefixed(index, prefix.get(..len).unwrap_or(&[]));
        let result = self.attempt(sent, || sys_io::write(self.as_fd(), bytes));
        match (result, kind) {
            (Err(error), Some(kind)) if error.raw_os_error() == Some(libc::EINVAL) => {
                // A packet that is wrong in itself says nothing about those that follow.
                if batch.get(index).is_some_and(|packet| is_regular(packet.header, packet.bytes, self.layer())) {
                    self.refuse(kind, sent);
                }
                self.write_segments(header, batch, index, scratch, sent)
            }
            (result, _) => settle(result, 1, sent),
        }
    }

    /// Cuts and finishes a packet here, because the device does not.
    #[cold]
    fn write_segments(
        &self,
        header: VnetHeader,
        batch: &Batch,
        index: usize,
        scratch: &mut Vec<u8>,
        sent: &mut Sent,
    ) -> io::Result<()> {
        let Some(packet) = batch.get(index) else { return Ok(()) };
        let Ok(mut segments) = Segments::new(header, packet.bytes, self.layer()) else {
            return settle(Err(io::Error::from_raw_os_error(libc::EINVAL)), 1, sent);
        };
        // No segment is longer than the packet, which may have grown into its rooms.
        scratch.resize(scratch.len().max(RESERVE + packet.bytes.len()), 0);
        let mut outcome = Ok(());
        while let Some(length) = scratch.get_mut(RESERVE..).and_then(|room| segments.write_next(room)) {
            let network = scratch.get(RESERVE + self.network_offset()..).unwrap_or(&[]);
            let (prefix, len) = self.prefix(VnetHeader::NONE, network);
            let from = RESERVE - len;
            if let Some(place) = scratch.get_mut(from..RESERVE) {
                place.copy_from_slice(prefix.get(..len).unwrap_or(&[]));
            }
            let bytes = scratch.get(from..RESERVE + length).unwrap_or(&[]);
            let wrote = loop {
                // A segment cannot be taken back, so the rest is waited for, also on a non-blocking descriptor.
                match self.attempt(sent, || sys_io::write(self.as_fd(), bytes)) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_writable()?,
                    other => break other,
                }
            };
            outcome = outcome.and(wrote);
        }
        settle(outcome, 1, sent)
    }

    /// Makes one system call, again if a signal came in between.
    #[inline]
    fn attempt(&self, sent: &mut Sent, call: impl Fn() -> io::Result<usize>) -> io::Result<()> {
        loop {
            sent.calls += 1;
            match call() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map(drop),
            }
        }
    }

    /// Waits until there may be room, or for nothing if a signal came.
    fn wait_writable(&self) -> io::Result<()> {
        match sys_io::wait_writable(self.as_fd()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            result => result,
        }
    }

    fn refuse(&self, kind: SuperKind, sent: &mut Sent) {
        let (first, reason) = self.note_refusal(kind);
        if first {
            sent.fallback = Some(reason);
        }
    }

    /// Returns what goes in front of a packet, and how long it is.
    #[inline]
    pub(crate) fn prefix(&self, header: VnetHeader, network: &[u8]) -> ([u8; RESERVE], usize) {
        let mut prefix = [0; RESERVE];
        let mut at = 0;
        if !self.flags().contains(Flags::NO_PACKET_INFO) {
            let protocol = if network.first().is_some_and(|first| first >> 4 == 6) { 0x86dd_u16 } else { 0x0800 };
            let [high, low] = protocol.to_be_bytes();
            (prefix[2], prefix[3]) = (high, low);
            at = 4;
        }
        if self.flags().contains(Flags::VNET_HDR)
            && let Some(place) = prefix.get_mut(at..at + VNET_HEADER_LEN)
        {
            place.copy_from_slice(&header.to_bytes());
        }
        // Checked before: no longer than the reserve.
        (prefix, self.prefix_len().min(RESERVE))
    }

    fn network_offset(&self) -> usize {
        match self.mode() {
            Mode::Tun => 0,
            Mode::Tap => 14,
        }
    }

    fn packet_info_len(&self) -> usize {
        if self.flags().contains(Flags::NO_PACKET_INFO) { 0 } else { 4 }
    }

    fn transfer_error(&self, call: &'static str, error: &io::Error) -> TransferError {
        TransferError { device: self.name(), call, errno: error.into() }
    }
}

/// Counts what became of packets; passes on what concerns all that follow.
#[inline]
fn settle(result: io::Result<()>, packets: usize, sent: &mut Sent) -> io::Result<()> {
    match result {
        Ok(()) => sent.packets += packets,
        Err(error) => match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EBADFD | libc::ENODEV) => return Err(error),
            _ => {
                sent.dropped += packets;
                sent.error = Some(Errno::from(&error));
            }
        },
    }
    Ok(())
}
