//! Writes every frame the stack sends to a TAP into a capture file: `sniff NAME FILE.pcapng`.
//!
//! The file can be read while it grows, by tshark or Wireshark. It ends when the device is deleted. To see it, run
//! `sniff tap0 seen.pcapng` as root, and in another terminal:
//!
//! ```text
//! ip addr add 10.6.0.1/24 dev tap0; ip link set tap0 up
//! ping -c 1 10.6.0.2; tshark -r seen.pcapng; ip link del tap0
//! ```

use std::{
    error::Error,
    fs::File,
    io::{self, Write},
    time::SystemTime,
};

use vwire_tuntap::{Batch, Builder, DeviceName, Layout};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, path] = words.as_slice() else { return Err("usage: sniff NAME FILE.pcapng".into()) };
    let tap = Builder::tap(DeviceName::new(name)?).open()?;
    let mut file = File::create(path)?;
    file.write_all(&opening(name))?;
    println!("{} is written to {path}", tap.name());
    let mut batch = Batch::new(Layout::for_mtu(9000));
    let mut blocks = Vec::new();
    loop {
        match tap.recv(&mut batch) {
            Err(error) if error.is_gone() => return Ok(()),
            received => received?,
        };
        blocks.clear();
        for packet in batch.iter() {
            frame(&mut blocks, packet.bytes)?;
        }
        file.write_all(&blocks)?;
        batch.clear();
    }
}

/// Section header and interface description (draft-ietf-opsawg-pcapng, 4.1 and 4.2): Ethernet, nanoseconds, the name.
fn opening(name: &str) -> Vec<u8> {
    let mut section = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
    section.extend([1, 0, 0, 0]);
    section.extend([0xff; 8]);
    let mut interface = vec![1, 0, 0, 0, 0, 0, 0, 0];
    option(&mut interface, 2, name.as_bytes());
    option(&mut interface, 9, &[9]);
    interface.extend([0; 4]);
    let mut bytes = Vec::new();
    block(&mut bytes, 0x0a0d_0d0a, &section);
    block(&mut bytes, 1, &interface);
    bytes
}

/// Enhanced packet block (4.3).
fn frame(out: &mut Vec<u8>, frame: &[u8]) -> io::Result<()> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(io::Error::other)?;
    let stamp = u64::try_from(since.as_nanos()).map_err(io::Error::other)?.to_le_bytes();
    let length = u32::try_from(frame.len()).map_err(io::Error::other)?.to_le_bytes();
    let mut body = vec![0; 4];
    body.extend_from_slice(&stamp[4..]);
    body.extend_from_slice(&stamp[..4]);
    body.extend([length, length].concat());
    body.extend(frame);
    body.resize(body.len().next_multiple_of(4), 0);
    block(out, 6, &body);
    Ok(())
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend(code.to_le_bytes());
    out.extend(u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = u32::try_from(body.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
    out.extend(kind.to_le_bytes());
    out.extend(length);
    out.extend(body);
    out.extend(length);
}
