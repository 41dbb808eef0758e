//! Answers every ping on a TUN: `icmp [NAME]`, ping0 unless named.
//!
//! Each echo request, IPv4 or IPv6, goes back with its addresses exchanged, so every address that is routed to the
//! device seems to be there. To see it, run it as root, and in another terminal:
//!
//! ```text
//! ip addr add 10.8.0.1/24 dev ping0; ip link set ping0 up; ping 10.8.0.77
//! ```

use std::error::Error;

use vwire_tuntap::{Batch, Builder, DeviceName, Layout, Writer, offload::checksum::Sum};

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "ping0".into());
    let tun = Builder::tun(DeviceName::new(&name)?).open()?;
    println!("{} answers", tun.name());
    let (mut batch, mut writer) = (Batch::new(Layout::for_mtu(1500)), Writer::new());
    loop {
        batch.clear();
        tun.recv(&mut batch)?;
        for index in 0..batch.len() {
            if let Some(packet) = batch.get_mut(index)
                && !answer(packet.bytes)
            {
                packet.bytes.fill(0);
            }
        }
        batch.keep(|packet| packet.bytes.first() != Some(&0));
        tun.send(&mut batch, &mut writer)?;
    }
}

/// Turns an echo request into its reply; `false` for anything else.
fn answer(packet: &mut [u8]) -> bool {
    let (icmp, request, reply) = match (packet.first().map(|first| first >> 4), packet.len()) {
        (Some(4), 28..) if packet[9] == 1 => (usize::from(packet[0] & 15) * 4, 8, 0),
        (Some(6), 48..) if packet[6] == 58 => (40, 128, 129),
        _ => return false,
    };
    if packet.get(icmp..icmp + 2) != Some(&[request, 0]) || packet.len() < icmp + 4 {
        return false;
    }
    let (addresses, len) = if icmp == 40 { (8, 16) } else { (12, 4) };
    let (first, second) = packet[addresses..].split_at_mut(len);
    first.swap_with_slice(&mut second[..len]);
    packet[icmp] = reply;
    // Only the type changed, by a number that is known: RFC 1624.
    let (old, new) = (u16::from(request) << 8, u16::from(reply) << 8);
    let field = [!packet[icmp + 2], !packet[icmp + 3]];
    let sum = Sum::of_field(field).without(old).number(new).finish();
    packet[icmp + 2..icmp + 4].copy_from_slice(&sum);
    true
}
