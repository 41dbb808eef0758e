//! Prints what `bridge` tells: ports, addresses, VLANs, groups, spanning trees and networks of VXLANs.
//!
//! What numbers stand for is in [`Devices`], which the caller has filled.

pub mod fdb;
pub mod link;
pub mod mdb;
pub mod mst;
pub mod vlan;
pub mod vni;

use std::collections::HashMap;
use std::net::IpAddr;

use vwire_netlink::Link;

use super::kind::fact::ipv6;
use super::{Colour, Printer};

/// `IFF_UP` (`linux/if.h`).
const IFF_UP: u32 = 1;

/// The words for `BR_STATE_*` (`linux/if_bridge.h`).
pub const STATES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];

/// What is known of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its name.
    pub name: Vec<u8>,
    /// `ARPHRD_*`.
    pub link_type: u16,
    /// `IFF_*`.
    pub flags: u32,
}

/// The devices of the namespace, by their index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Devices(HashMap<u32, Device>);

impl Devices {
    /// Keeps what a link is called.
    pub fn learn(&mut self, link: &Link) {
        if let Some(name) = &link.ifname {
            let device = Device { name: name.as_bytes().to_vec(), link_type: link.link_type, flags: link.flags };
            self.0.insert(link.index, device);
        }
    }

    /// Returns whether a device is known.
    #[must_use]
    pub fn knows(&self, index: u32) -> bool {
        self.0.contains_key(&index)
    }

    /// Returns the name of a device; `*` for none and `if` and the index for one that is not known.
    #[must_use]
    pub fn name(&self, index: u32) -> Vec<u8> {
        match self.0.get(&index) {
            Some(device) => device.name.clone(),
            None if index == 0 => b"*".to_vec(),
            None => format!("if{index}").into_bytes(),
        }
    }

    fn link_type(&self, index: u32) -> u16 {
        self.0.get(&index).map_or(0, |device| device.link_type)
    }

    fn is_down(&self, index: u32) -> bool {
        self.0.get(&index).is_some_and(|device| device.flags & IFF_UP == 0)
    }
}

/// Prints the state of a spanning tree.
fn print_state(p: &mut Printer, state: u8) {
    match STATES.get(usize::from(state)) {
        Some(word) => p.string("state", "state ", word, " "),
        None => p.number("state", "state (", state, ") "),
    }
}

/// Prints the head of a list: two columns, and what else there is.
pub fn print_head(p: &mut Printer, first: &str, second: &str, rest: &str) {
    p.text(format!("{first:<16}  {second}{rest}\n"));
}

/// Opens what is told of one device: its name, and in JSON an array of a name.
fn open_device(p: &mut Printer, name: &[u8], array: &str) {
    p.open_object(None);
    let mut shown = name.to_vec();
    if !p.is_json() {
        shown.resize(shown.len().max(16), b' ');
    }
    p.coloured(Some(Colour::Device), "ifname", "", shown, "  ");
    p.open_array(Some(array));
}

fn close_device(p: &mut Printer) {
    p.close_array();
    p.close_object();
}

/// Puts blanks below a name that is not repeated.
fn indent(p: &mut Printer, more: usize) {
    p.text(" ".repeat(18 + more));
}

/// Prints a number or a range, and returns how many letters that took.
fn print_range(p: &mut Printer, name: &str, first: u32, last: u32) -> usize {
    p.number(name, "", first, "");
    if first == last {
        return digits(first);
    }
    p.number(&format!("{name}End"), "-", last, "");
    digits(first) + 1 + digits(last)
}

fn digits(number: u32) -> usize {
    number.to_string().len()
}

/// Spells an IP address as the C library does.
fn spell(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => ipv6(address),
    }
}

fn colour(address: IpAddr) -> Colour {
    if address.is_ipv4() { Colour::Inet } else { Colour::Inet6 }
}
