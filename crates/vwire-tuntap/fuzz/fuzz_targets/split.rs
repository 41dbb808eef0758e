//! Any vnet header before any bytes: `Segments` must not panic, and must keep its own promises.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_tuntap::offload::{Layer, Segments, VnetHeader, finish_checksum};

fuzz_target!(|data: &[u8]| {
    let Some((head, packet)) = data.split_first_chunk::<10>() else { return };
    let Ok(header) = VnetHeader::parse(*head) else { return };
    let mut room = vec![0; packet.len()];
    for layer in [Layer::Ip, Layer::Ethernet] {
        let Ok(mut segments) = Segments::new(header, packet, layer) else { continue };
        let mut left = segments.remaining();
        while let Some(announced) = segments.next_len() {
            assert!(left > 0 && announced <= packet.len());
            assert_eq!(segments.write_next(&mut room), Some(announced));
            left -= 1;
            assert_eq!(segments.remaining(), left);
        }
        assert_eq!(left, 0);
        assert_eq!(segments.write_next(&mut room), None);
    }
    let _ = finish_checksum(header, &mut packet.to_vec());
});
