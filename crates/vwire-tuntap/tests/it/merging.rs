//! What `Merger` puts together comes apart into the same packets, and damaged packets are left alone.

use vwire_tuntap::{
    Batch, Layout,
    offload::{Checksum, Layer, Merger, Segmentation, Segments, VnetHeader},
};

use crate::random::{Random, frame};

fn wide() -> Layout {
    Layout { arena: 1 << 20, packets: 400, ..Layout::for_super_packets() }
}

/// Cuts a packet into its segments.
fn cut(header: VnetHeader, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut room = vec![0; 70_000];
    let mut out = Vec::new();
    let Ok(mut segments) = Segments::new(header, bytes, Layer::Ethernet) else { return vec![bytes.to_vec()] };
    while let Some(length) = segments.write_next(&mut room) {
        out.push(room[..length].to_vec());
    }
    out
}

/// Merges packets and cuts the result again; also returns how many packets there were in between.
fn there_and_back(merger: &mut Merger, batch: &mut Batch, packets: &[Vec<u8>]) -> (Vec<Vec<u8>>, usize) {
    batch.clear();
    for packet in packets {
        assert!(batch.push(VnetHeader::NONE, packet));
    }
    merger.plan(batch, Layer::Ethernet);
    let mut out = Vec::new();
    for group in merger.groups() {
        let mut bytes = Vec::new();
        let header = group.write_to(batch, &mut bytes);
        assert_eq!(group.members().count(), group.count());
        out.extend(cut(header, &bytes));
    }
    (out, merger.groups().len())
}

/// Makes the segments of a sound super-packet.
fn flow(random: &mut Random) -> Vec<Vec<u8>> {
    loop {
        let (header, bytes) = frame(random);
        let sound = !matches!(header.checksum, Checksum::Needed { start, offset }
            if bytes[usize::from(start + offset)..][..2] == [3, 4]);
        let packets = if header.is_super() && sound { cut(header, &bytes) } else { Vec::new() };
        if (2..60).contains(&packets.len()) {
            return packets;
        }
    }
}

#[test]
fn what_is_merged_comes_apart_into_the_same_packets() {
    let (mut merger, mut batch) = (Merger::new(), Batch::new(wide()));
    let (mut before, mut between) = (0, 0);
    for seed in 0..3_000 {
        let packets = flow(&mut Random::new(seed));
        let (after, groups) = there_and_back(&mut merger, &mut batch, &packets);
        assert!(after == packets, "seed {seed}");
        before += packets.len();
        between += groups;
    }
    // Many of these flows carry flags or IP options that keep them apart.
    assert!(between * 10 < before * 5, "{before} packets went as {between}");
}

#[test]
fn a_damaged_packet_goes_as_it_came() {
    let (mut merger, mut batch) = (Merger::new(), Batch::new(wide()));
    for seed in 0..3_000 {
        let mut random = Random::new(seed);
        let mut packets = flow(&mut random);
        let which = random.below(packets.len());
        let at = 14 + random.below(packets[which].len() - 14);
        packets[which][at] ^= 1 << random.below(8);
        let (mut after, _) = there_and_back(&mut merger, &mut batch, &packets);
        // It may have become a packet of another flow, and those may pass each other.
        let damaged = packets.remove(which);
        let place = after.iter().position(|packet| *packet == damaged);
        after.remove(place.unwrap_or_else(|| panic!("seed {seed}, packet {which}, byte {at}")));
        assert!(after == packets, "seed {seed}, packet {which}, byte {at}");
    }
}

#[test]
fn flows_that_are_mixed_keep_their_own_order() {
    let (mut merger, mut batch) = (Merger::new(), Batch::new(wide()));
    for seed in 0..1_000 {
        let mut random = Random::new(seed);
        let mut flows: Vec<_> = (0..1 + random.below(5)).map(|_| flow(&mut random)).collect();
        flows.iter_mut().for_each(|flow| flow.truncate(20));
        flows.iter_mut().for_each(|flow| flow.iter_mut().for_each(|packet| packet.truncate(2000)));
        let mut next = vec![0; flows.len()];
        let mut packets = Vec::new();
        while let Some(most) = (0..flows.len()).max_by_key(|&index| flows[index].len() - next[index]) {
            let any = random.below(flows.len());
            let index = if next[any] < flows[any].len() { any } else { most };
            if next[index] == flows[index].len() {
                break;
            }
            packets.push(flows[index][next[index]].clone());
            next[index] += 1;
        }
        let (after, _) = there_and_back(&mut merger, &mut batch, &packets);
        assert_eq!(after.len(), packets.len(), "seed {seed}");
        for flow in &flows {
            let of_flow: Vec<_> = after.iter().filter(|packet| flow.contains(packet)).cloned().collect();
            assert!(of_flow == *flow, "seed {seed}");
        }
    }
}

#[test]
fn a_super_packet_is_not_merged_into_another() {
    let mut batch = Batch::new(wide());
    let mut random = Random::new(4);
    let (header, bytes) = loop {
        let made = frame(&mut random);
        if matches!(made.0.segments, Segmentation::Super { .. }) && made.1.len() < 20_000 {
            break made;
        }
    };
    assert!(batch.push(header, &bytes) && batch.push(header, &bytes));
    let mut merger = Merger::new();
    merger.plan(&batch, Layer::Ethernet);
    assert!(merger.groups().all(|group| group.count() == 1));
}
