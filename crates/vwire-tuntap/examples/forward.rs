//! Carries packets between two TUN devices: `forward [FIRST SECOND]`, fwd0 and fwd1 unless named.
//!
//! Super-packets pass unsplit. To see it, run it as root, and in another terminal, with one end in a namespace:
//!
//! ```text
//! ip netns add far; ip link set fwd1 netns far
//! ip addr add 10.7.0.1/24 dev fwd0; ip link set fwd0 mtu 1420 up
//! ip -n far addr add 10.7.0.2/24 dev fwd1; ip -n far link set fwd1 mtu 1420 up; ping 10.7.0.2
//! ```

use std::{error::Error, sync::Arc, thread};

use vwire_tuntap::{Batch, Builder, Device, DeviceName, TransferError, Writer, offload::Offload};

fn main() -> Result<(), Box<dyn Error>> {
    let mut names = std::env::args().skip(1);
    let first = open(names.next().as_deref().unwrap_or("fwd0"))?;
    let second = open(names.next().as_deref().unwrap_or("fwd1"))?;
    let back = (second.clone(), first.clone());
    let back = thread::spawn(move || carry(&back.0, &back.1));
    let forth = carry(&first, &second);
    println!("{}", forth.err().map_or_else(String::new, |error| error.to_string()));
    drop(back);
    Ok(())
}

fn open(name: &str) -> Result<Arc<Device>, Box<dyn Error>> {
    let device = Builder::tun(DeviceName::new(name)?).offload(Offload::ALL).open()?;
    let state = device.offload_state();
    println!("{name}: {:?}{}", state.active, state.reason.unwrap_or(""));
    Ok(Arc::new(device))
}

fn carry(from: &Device, to: &Device) -> Result<(), TransferError> {
    let mut batch = Batch::new(from.layout(1500));
    let mut writer = Writer::new();
    loop {
        batch.clear();
        from.recv(&mut batch)?;
        let sent = to.send(&mut batch, &mut writer)?;
        if let Some(reason) = sent.fallback {
            eprintln!("{}: {reason}", to.name());
        }
    }
}
