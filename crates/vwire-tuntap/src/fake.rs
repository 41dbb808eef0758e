//! A pair of devices in memory, for tests of programs that move packets.
//!
//! What goes into one [`End`] comes out of the other, with the same calls as a [`Device`](crate::Device) has
//! ([`PacketIo`]). The line between them can lose, delay and refuse packets. It knows no clock: time passes when a
//! test says so ([`End::advance`]), and what is lost follows from a seed.
//!
//! ```
//! use vwire_tuntap::{Batch, Layout, PacketIo, Writer, fake, offload::VnetHeader};
//! let (near, far) = fake::pair(fake::Line::default());
//! let mut batch = Batch::new(Layout::for_mtu(1500));
//! batch.push(VnetHeader::NONE, &[0x45; 40]);
//! near.send(&mut batch, &mut Writer::new())?;
//! let mut came = Batch::new(Layout::for_mtu(1500));
//! assert_eq!(far.recv(&mut came)?, 1);
//! # Ok::<(), vwire_tuntap::TransferError>(())
//! ```

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    Batch, DeviceName, Errno, PacketIo, Sent, TransferError, Writer,
    offload::{Layer, Segments, VnetHeader},
};

/// What the line between two ends does to packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// What each packet starts with.
    pub layer: Layer,
    /// One packet in this many is lost without a word; 0 for none.
    pub lose_one_in: u32,
    /// One packet in this many is refused with `ENOBUFS`; 0 for none.
    pub refuse_one_in: u32,
    /// How long a packet takes, in the time that [`End::advance`] lets pass.
    pub delay: Duration,
    /// How many packets wait for a reader; more are lost, as a device loses them.
    pub queue: usize,
    /// Whether super-packets come out as they went in, or cut and finished.
    pub super_packets: bool,
    /// Decides which packets are lost and refused.
    pub seed: u64,
}

impl Default for Line {
    /// An honest IP line with room for 500 packets, the queue length of a TUN.
    fn default() -> Self {
        Self {
            layer: Layer::Ip,
            lose_one_in: 0,
            refuse_one_in: 0,
            delay: Duration::ZERO,
            queue: 500,
            super_packets: true,
            seed: 1,
        }
    }
}

/// One end of a pair. Dropping it lets the other end read what is under way and then fail as if deleted.
#[derive(Debug)]
pub struct End {
    shared: Arc<Shared>,
    side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Near,
    Far,
}

#[derive(Debug)]
struct Shared {
    line: Line,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    now: Duration,
    random: u64,
    near: Inbox,
    far: Inbox,
    lost: usize,
}

#[derive(Debug, Default)]
struct Inbox {
    waiting: VecDeque<Letter>,
    closed: bool,
}

#[derive(Debug)]
struct Letter {
    due: Duration,
    header: VnetHeader,
    bytes: Vec<u8>,
}

/// Makes two ends of a line.
#[must_use]
pub fn pair(line: Line) -> (End, End) {
    let state =
        State { now: Duration::ZERO, random: line.seed | 1, near: Inbox::default(), far: Inbox::default(), lost: 0 };
    let shared = Arc::new(Shared { line, state: Mutex::new(state), changed: Condvar::new() });
    (End { shared: shared.clone(), side: Side::Near }, End { shared, side: Side::Far })
}

impl End {
    /// Lets time pass for both ends.
    pub fn advance(&self, by: Duration) {
        self.state().now += by;
        self.shared.changed.notify_all();
    }

    /// Returns how many packets the line lost, both ways.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.state().lost
    }

    /// Appends the packets that are there to a batch and never waits.
    ///
    /// # Errors
    /// [`TransferError`] once the other end is gone and nothing is under way.
    pub fn recv_ready(&self, batch: &mut Batch) -> Result<usize, TransferError> {
        self.take(&mut self.state(), batch)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked while holding the lock was a test; what is in there is still packets.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, state: &mut State, batch: &mut Batch) -> Result<usize, TransferError> {
        let now = state.now;
        let inbox = state.inbox(self.side);
        let before = batch.len();
        while batch.has_room() && inbox.waiting.front().is_some_and(|letter| letter.due <= now) {
            if let Some(letter) = inbox.waiting.pop_front() {
                // Longer packets than the batch takes are cut off, as by a read of a device.
                let length = letter.bytes.len().min(batch.layout().longest);
                batch.push(letter.header, letter.bytes.get(..length).unwrap_or(&[]));
            }
        }
        let count = batch.len() - before;
        let gone = count == 0 && inbox.closed && inbox.waiting.is_empty();
        if gone { Err(self.error("read from", libc::EBADFD)) } else { Ok(count) }
    }

    fn error(&self, call: &'static str, errno: i32) -> TransferError {
        let name = match self.side {
            Side::Near => "near",
            Side::Far => "far",
        };
        let device = DeviceName::new(name).unwrap_or(DeviceName::from_kernel([0; 16]));
        TransferError { device, call, errno: Errno(errno) }
    }
}

impl State {
    fn inbox(&mut self, side: Side) -> &mut Inbox {
        match side {
            Side::Near => &mut self.near,
            Side::Far => &mut self.far,
        }
    }

    fn one_in(&mut self, chances: u32) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        chances != 0 && (self.random >> 16).is_multiple_of(u64::from(chances))
    }

    fn deliver(&mut self, line: &Line, to: Side, header: VnetHeader, bytes: &[u8]) {
        let due = self.now + line.delay;
        let lost = self.one_in(line.lose_one_in) || self.inbox(to).waiting.len() >= line.queue;
        if lost {
            self.lost += 1;
        } else {
            self.inbox(to).waiting.push_back(Letter { due, header, bytes: bytes.to_vec() });
        }
    }
}

impl PacketIo for End {
    fn recv(&self, batch: &mut Batch) -> Result<usize, TransferError> {
        let mut state = self.state();
        if !batch.has_room() {
            return Err(self.error("read from", libc::ENOSPC));
        }
        loop {
            let count = self.take(&mut state, batch)?;
            if count > 0 {
                return Ok(count);
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn send(&self, batch: &mut Batch, _writer: &mut Writer) -> Result<Sent, TransferError> {
        let mut state = self.state();
        let line = self.shared.line;
        let (own, to) = match self.side {
            Side::Near => (Side::Near, Side::Far),
            Side::Far => (Side::Far, Side::Near),
        };
        if state.inbox(own).closed {
            return Err(self.error("write to", libc::EBADFD));
        }
        let mut sent = Sent::default();
        for packet in batch.iter() {
            sent.calls += 1;
            if state.one_in(line.refuse_one_in) {
                sent.dropped += 1;
                sent.error = Some(Errno(libc::ENOBUFS));
                continue;
            }
            sent.packets += 1;
            if line.super_packets {
                state.deliver(&line, to, packet.header, packet.bytes);
            } else if let Ok(mut segments) = Segments::new(packet.header, packet.bytes, line.layer) {
                let mut room = vec![0; packet.bytes.len()];
                while let Some(length) = segments.write_next(&mut room) {
                    state.deliver(&line, to, VnetHeader::NONE, room.get(..length).unwrap_or(&[]));
                }
            } else {
                sent.packets -= 1;
                sent.dropped += 1;
                sent.error = Some(Errno::EINVAL);
            }
        }
        drop(state);
        self.shared.changed.notify_all();
        Ok(sent)
    }

    fn layer(&self) -> Layer {
        self.shared.line.layer
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut state = self.state();
        state.near.closed = true;
        state.far.closed = true;
        drop(state);
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layout;

    fn batch_of(count: u8) -> Batch {
        let mut batch = Batch::new(Layout::for_mtu(1500));
        for number in 0..count {
            assert!(batch.push(VnetHeader::NONE, &[number; 60]));
        }
        batch
    }

    #[test]
    fn packets_come_out_in_the_order_they_went_in() {
        let (near, far) = pair(Line::default());
        let mut batch = batch_of(9);
        assert_eq!(near.send(&mut batch, &mut Writer::new()).unwrap().packets, 9);
        let mut came = Batch::new(Layout::for_mtu(1500));
        assert_eq!(far.recv(&mut came).unwrap(), 9);
        assert!(came.iter().enumerate().all(|(index, packet)| usize::from(packet.bytes[0]) == index));
    }

    #[test]
    fn a_delayed_packet_comes_when_its_time_has() {
        let (near, far) = pair(Line { delay: Duration::from_millis(20), ..Line::default() });
        near.send(&mut batch_of(1), &mut Writer::new()).unwrap();
        let mut came = Batch::new(Layout::for_mtu(1500));
        far.advance(Duration::from_millis(19));
        assert_eq!(far.recv_ready(&mut came).unwrap(), 0);
        far.advance(Duration::from_millis(1));
        assert_eq!(far.recv_ready(&mut came).unwrap(), 1);
    }

    #[test]
    fn every_packet_is_delivered_lost_or_refused() {
        let (near, far) = pair(Line { lose_one_in: 7, refuse_one_in: 11, queue: 10_000, ..Line::default() });
        let (mut refused, mut came) = (0, 0);
        for _ in 0..100 {
            let sent = near.send(&mut batch_of(50), &mut Writer::new()).unwrap();
            refused += sent.dropped;
            assert_eq!(sent.packets + sent.dropped, 50);
        }
        let mut batch = Batch::new(Layout::for_mtu(1500));
        while far.recv_ready(&mut batch).unwrap() > 0 {
            came += batch.len();
            batch.clear();
        }
        assert_eq!(came + near.lost() + refused, 5000);
        assert!(near.lost() > 400 && refused > 300);
    }

    #[test]
    fn a_reader_is_woken_when_the_other_end_goes() {
        let (near, far) = pair(Line::default());
        let reader = std::thread::spawn(move || far.recv(&mut Batch::new(Layout::for_mtu(1500))));
        drop(near);
        assert!(reader.join().unwrap().unwrap_err().is_gone());
    }
}
