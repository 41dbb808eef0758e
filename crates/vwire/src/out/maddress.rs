//! Prints the multicast addresses of devices as `ip maddress` does.

use std::net::IpAddr;

use super::{Colour, Printer};

/// What a device listens to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A link-layer address.
    Link(Vec<u8>),
    /// A group's address.
    Group(IpAddr),
}

/// A multicast address of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multicast {
    /// The device's index.
    pub index: u32,
    /// The device's name.
    pub device: Vec<u8>,
    /// The address.
    pub heard: Heard,
    /// How many want it.
    pub users: u32,
    /// Whether a program has asked the device for it, not a protocol.
    pub by_hand: bool,
}

/// Prints addresses, which are in the order of their devices: each device once or, one record a line, before each.
pub fn print(p: &mut Printer, addresses: &[Multicast]) {
    let mut open = None;
    for address in addresses {
        if open != Some(address.index) || p.layout().oneline {
            if open.is_some() {
                p.close_array();
                p.close_object();
            }
            p.open_object(None);
            p.number("ifindex", "", address.index, ":");
            p.coloured(Some(Colour::Device), "ifname", "\t", &address.device, "");
            p.line_break();
            p.open_array(Some("maddr"));
            open = Some(address.index);
        }
        print_one(p, address);
    }
    if open.is_some() {
        p.close_array();
        p.close_object();
    }
}

fn print_one(p: &mut Printer, address: &Multicast) {
    p.text("\t");
    p.open_object(None);
    match &address.heard {
        Heard::Link(octets) => {
            let octets: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            p.text("link  ");
            p.coloured(Some(Colour::Mac), "link", "", octets.join(":"), "");
        }
        Heard::Group(group) => {
            let (word, blank, colour) = match group {
                IpAddr::V4(_) => ("inet", "  ", Colour::Inet),
                IpAddr::V6(_) => ("inet6", " ", Colour::Inet6),
            };
            p.string("family", "", word, blank);
            let host = p.host_of(*group);
            p.coloured(Some(colour), "address", "", host, "");
        }
    }
    if address.users != 1 {
        p.number("users", " users ", address.users, "");
    }
    if address.by_hand {
        p.string("features", " ", "static", "");
    }
    p.end_line();
    p.close_object();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    fn printed(layout: Layout) -> String {
        let of = |heard, users, by_hand| Multicast { index: 3, device: b"v0".to_vec(), heard, users, by_hand };
        let mut p = Printer::new(layout);
        p.open_document();
        let link = of(Heard::Link(vec![1, 0, 0x5e, 0, 0, 1]), 1, true);
        print(&mut p, &[link, of(Heard::Group([224, 0, 0, 1].into()), 2, false)]);
        p.close_document();
        String::from_utf8(p.take()).unwrap()
    }

    #[test]
    fn a_device_is_named_once_or_before_each() {
        let wanted = "3:\tv0\n\tlink  01:00:5e:00:00:01 static\n\tinet  224.0.0.1 users 2\n";
        assert_eq!(printed(Layout::default()), wanted);
        let wanted = "3:\tv0\\\tlink  01:00:5e:00:00:01 static\n3:\tv0\\\tinet  224.0.0.1 users 2\n";
        assert_eq!(printed(Layout { oneline: true, ..Layout::default() }), wanted);
        let wanted = "[{\"ifindex\":3,\"ifname\":\"v0\",\"maddr\":[{\"link\":\"01:00:5e:00:00:01\",\"features\":\"static\"},\
                      {\"family\":\"inet\",\"address\":\"224.0.0.1\",\"users\":2}]}]\n";
        assert_eq!(printed(Layout { json: true, ..Layout::default() }), wanted);
    }
}
