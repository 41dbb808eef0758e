//! Many packets in one piece of memory, each with room in front and behind.
//!
//! A [`Batch`] owns one arena of fixed size. Packets are laid into it one behind the other, as long as they happen to
//! be; nothing is allocated or moved after [`Batch::new`]. In front of each packet there is the head-room that was
//! asked for, so that a tunnel can put its header there and seal in place, and behind each the tail-room.
//!
//! ```text
//! | reserve 16 | head-room | packet ........ | tail-room | reserve 16 | head-room | packet .. | tail-room | free ...
//! ```
//!
//! The reserve takes the device's own prefix (packet information and vnet header), which lets one `read` or `write`
//! move prefix and packet together even when the head-room is used up.

use crate::offload::VnetHeader;

/// The shape of a batch; all lengths in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Room in front of each packet.
    pub head_room: usize,
    /// Room behind each packet.
    pub tail_room: usize,
    /// The longest packet that is taken; longer ones are cut off by the kernel.
    pub longest: usize,
    /// Room for packets with all their rooms: at least one longest packet fits, whatever is said here.
    pub arena: usize,
    /// The most packets.
    pub packets: usize,
}

impl Layout {
    /// For a device with offload: super-packets of 64 KiB, four of which fit.
    #[must_use]
    pub fn for_super_packets() -> Self {
        Self { head_room: 0, tail_room: 0, longest: 65_535 + FRAME_HEADER, arena: 256 << 10, packets: 128 }
    }

    /// For a device without offload and with this MTU.
    #[must_use]
    pub fn for_mtu(mtu: usize) -> Self {
        let longest = mtu + FRAME_HEADER;
        Self { head_room: 0, tail_room: 0, longest, arena: 64 * (longest + RESERVE), packets: 64 }
    }

    /// Returns the layout with this much room in front and behind each packet.
    #[must_use]
    pub fn with_rooms(mut self, head_room: usize, tail_room: usize) -> Self {
        self.head_room = head_room;
        self.tail_room = tail_room;
        self.arena += self.packets.min(64) * (head_room + tail_room);
        self
    }
}

/// An Ethernet header with two VLAN tags.
const FRAME_HEADER: usize = 22;

/// Room for packet information (4) and a vnet header (10 or 12), which also keeps packets aligned to 16 bytes.
pub(crate) const RESERVE: usize = 16;

/// A bounded set of packets in one arena.
#[derive(Debug)]
pub struct Batch {
    arena: Box<[u8]>,
    slots: Vec<Slot>,
    layout: Layout,
    /// Where free memory starts.
    end: usize,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Where the packet's head-room starts.
    floor: usize,
    start: usize,
    len: usize,
    /// Where the packet's tail-room ends.
    ceiling: usize,
    header: VnetHeader,
}

/// A packet of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// What is left to do to it.
    pub header: VnetHeader,
    /// Its bytes: an IP packet of a TUN, a frame of a TAP.
    pub bytes: &'a [u8],
}

/// A packet of a batch that can be changed in place.
#[derive(Debug)]
pub struct PacketMut<'a> {
    /// What is left to do to it.
    pub header: &'a mut VnetHeader,
    /// Its bytes: an IP packet of a TUN, a frame of a TAP.
    pub bytes: &'a mut [u8],
}

impl Batch {
    /// Allocates a batch. The system gives the memory when it is first touched.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        let one = RESERVE + layout.head_room + layout.longest + layout.tail_room + RESERVE;
        let size = layout.arena.max(one);
        let packets = layout.packets.clamp(1, usize::from(u16::MAX) - 1);
        let layout = Layout { packets, ..layout };
        Self { arena: vec![0; size].into(), slots: Vec::with_capacity(packets), layout, end: 0 }
    }

    /// Forgets all packets.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.end = 0;
    }

    /// Copies a packet in; `false` if there is no room for it.
    pub fn push(&mut self, header: VnetHeader, packet: &[u8]) -> bool {
        let Some(room) = self.room() else { return false };
        let Some(place) = room.get_mut(..packet.len()) else { return false };
        place.copy_from_slice(packet);
        self.commit(packet.len(), header)
    }

    /// Returns the place for one more packet of the longest length; `None` if the batch is full.
    ///
    /// Fill a part from its start and [`commit`](Self::commit) it, or leave it.
    pub fn room(&mut self) -> Option<&mut [u8]> {
        self.room_behind(0)
    }

    /// Takes the first `len` bytes of [`room`](Self::room) as a packet; `false` if that much room was not offered.
    pub fn commit(&mut self, len: usize, header: VnetHeader) -> bool {
        let start = self.next_start();
        let fits = len <= self.layout.longest && self.has_room();
        if fits {
            let floor = start - self.layout.head_room;
            let ceiling = start + len + self.layout.tail_room;
            self.slots.push(Slot { floor, start, len, ceiling, header });
            self.end = ceiling;
        }
        fits
    }

    /// Returns the place for one more packet with `prefix` bytes in front of it.
    #[inline]
    pub(crate) fn room_behind(&mut self, prefix: usize) -> Option<&mut [u8]> {
        if !self.has_room() {
            return None;
        }
        let start = self.next_start();
        self.arena.get_mut(start.checked_sub(prefix)?..start + self.layout.longest)
    }

    /// Returns the packet and the bytes in front of it, which are written over with `prefix`.
    #[inline]
    pub(crate) fn prefixed(&mut self, index: usize, prefix: &[u8]) -> &[u8] {
        let Some(slot) = self.slots.get(index) else { return &[] };
        let from = slot.start.saturating_sub(prefix.len());
        let Some(bytes) = self.arena.get_mut(from..slot.start + slot.len) else { return &[] };
        if let Some(place) = bytes.get_mut(..prefix.len()) {
            place.copy_from_slice(prefix);
        }
        bytes
    }

    /// Returns one packet.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Packet<'_>> {
        let slot = self.slots.get(index)?;
        let bytes = self.arena.get(slot.start..slot.start + slot.len)?;
        Some(Packet { header: slot.header, bytes })
    }

    /// Returns one packet to be changed in place.
    pub fn get_mut(&mut self, index: usize) -> Option<PacketMut<'_>> {
        let slot = self.slots.get_mut(index)?;
        let bytes = self.arena.get_mut(slot.start..slot.start + slot.len)?;
        Some(PacketMut { header: &mut slot.header, bytes })
    }

    /// Returns the packets in the order they came in.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Packet<'_>> {
        (0..self.slots.len()).map(|index| self.get(index).unwrap_or(Packet { header: VnetHeader::NONE, bytes: &[] }))
    }

    /// Makes a packet `count` bytes longer at the front; `false` if the head-room does not hold them.
    ///
    /// The new bytes hold anything. The offsets in the packet's header move along.
    pub fn extend_front(&mut self, index: usize, count: usize) -> bool {
        let Some(slot) = self.slots.get_mut(index) else { return false };
        let fits = slot.start - slot.floor >= count;
        if fits {
            slot.start -= count;
            slot.len += count;
            slot.header = shifted(slot.header, i32::try_from(count).unwrap_or(0));
        }
        fits
    }

    /// Takes `count` bytes off a packet's front, which go to its head-room; `false` if it is shorter.
    pub fn shrink_front(&mut self, index: usize, count: usize) -> bool {
        let Some(slot) = self.slots.get_mut(index) else { return false };
        let fits = slot.len >= count;
        if fits {
            slot.start += count;
            slot.len -= count;
            slot.header = shifted(slot.header, -i32::try_from(count).unwrap_or(0));
        }
        fits
    }

    /// Makes a packet this long by moving its end; `false` if the tail-room does not reach that far.
    pub fn set_len(&mut self, index: usize, len: usize) -> bool {
        let Some(slot) = self.slots.get_mut(index) else { return false };
        let fits = slot.start + len <= slot.ceiling;
        if fits {
            slot.len = len;
        }
        fits
    }

    /// Keeps the packets that a test accepts and forgets the others; memory is free again after
    /// [`clear`](Self::clear).
    pub fn keep(&mut self, mut test: impl FnMut(Packet<'_>) -> bool) {
        let arena = &self.arena;
        self.slots.retain(|slot| {
            let bytes = arena.get(slot.start..slot.start + slot.len).unwrap_or(&[]);
            test(Packet { header: slot.header, bytes })
        });
    }

    /// Returns how many packets there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Tells whether one more packet of the longest length fits.
    #[inline]
    #[must_use]
    pub fn has_room(&self) -> bool {
        let end = self.next_start() + self.layout.longest + self.layout.tail_room;
        self.slots.len() < self.layout.packets && end <= self.arena.len()
    }

    /// Returns the layout the batch was made with.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    #[inline]
    fn next_start(&self) -> usize {
        (self.end + RESERVE + self.layout.head_room).next_multiple_of(16)
    }
}

/// Moves the place of a checksum to be made by `by` bytes.
fn shifted(mut header: VnetHeader, by: i32) -> VnetHeader {
    use crate::offload::Checksum;
    if let Checksum::Needed { start, offset } = header.checksum {
        let start = u16::try_from(i32::from(start) + by).unwrap_or(u16::MAX);
        header.checksum = Checksum::Needed { start, offset };
    }
    let length = i32::from(header.header_len) + by;
    header.header_len = u16::try_from(length.max(0)).unwrap_or(u16::MAX);
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offload::Checksum;

    fn small() -> Layout {
        Layout { head_room: 32, tail_room: 16, longest: 100, arena: 440, packets: 8 }
    }

    #[test]
    fn a_batch_takes_packets_until_its_arena_is_full() {
        let mut batch = Batch::new(small());
        let taken = (0..8).take_while(|&n| batch.push(VnetHeader::NONE, &[n; 50])).count();
        assert_eq!(taken, 3);
        let bytes: Vec<_> = batch.iter().map(|packet| packet.bytes.to_vec()).collect();
        assert_eq!(bytes, [[0; 50], [1; 50], [2; 50]]);
        batch.clear();
        assert!(batch.push(VnetHeader::NONE, &[9; 100]));
        assert!(!batch.push(VnetHeader::NONE, &[9; 101]));
    }

    #[test]
    fn rooms_are_as_long_as_asked_for_and_touch_no_neighbour() {
        let mut batch = Batch::new(small());
        let checksum = Checksum::Needed { start: 20, offset: 16 };
        let header = VnetHeader { checksum, ..VnetHeader::NONE };
        assert!(batch.push(header, &[1; 40]) && batch.push(VnetHeader::NONE, &[2; 40]));
        assert!(batch.extend_front(0, 32) && batch.set_len(0, 32 + 40 + 16));
        assert!(!batch.extend_front(0, 1) && !batch.set_len(0, 32 + 40 + 17));
        let packet = batch.get_mut(0).unwrap();
        assert_eq!(packet.header.checksum, Checksum::Needed { start: 52, offset: 16 });
        packet.bytes.fill(7);
        assert_eq!(batch.prefixed(1, &[3; 14])[..15], [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2]);
        assert_eq!(batch.get(0).unwrap().bytes, [7; 88]);
        assert!(batch.shrink_front(0, 88) && !batch.shrink_front(0, 1));
    }
}
