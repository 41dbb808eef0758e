//! Any packets in a row: `Merger` must not panic, and each packet must come out once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_tuntap::{
    Batch, Layout,
    offload::{Layer, Merger, Segments, VnetHeader},
};

fuzz_target!(|data: &[u8]| {
    let mut batch = Batch::new(Layout { arena: 1 << 18, ..Layout::for_mtu(2000) });
    let mut rest = data;
    while let Some((length, following)) = rest.split_first() {
        let (head, following) = following.split_at((usize::from(length & 1) * 10).min(following.len()));
        let header = head.first_chunk().and_then(|head| VnetHeader::parse(*head).ok()).unwrap_or_default();
        let (packet, following) = following.split_at(usize::from(*length).min(following.len()));
        batch.push(header, packet);
        rest = following;
    }
    let mut merger = Merger::new();
    for layer in [Layer::Ip, Layer::Ethernet] {
        merger.plan(&batch, layer);
        let mut seen: Vec<_> = merger.groups().flat_map(|group| group.members()).collect();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..batch.len()));
        let mut bytes = Vec::new();
        for group in merger.groups() {
            bytes.clear();
            let header = group.write_to(&batch, &mut bytes);
            if group.count() > 1 {
                // What was sound enough to merge is sound enough to cut, into as many.
                let segments = Segments::new(header, &bytes, layer).expect("a merged packet can be cut");
                assert_eq!(segments.remaining(), group.count());
            }
        }
    }
});
