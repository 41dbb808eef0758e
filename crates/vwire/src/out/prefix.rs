//! Prints a prefix that a router advertises as `ip monitor prefix` does.

use vwire_netlink::wire::prefix::Prefix;

use super::{Printer, host};

/// `IF_PREFIX_ONLINK`.
const ON_LINK: u8 = 0x1;
/// `IF_PREFIX_AUTOCONF`.
const AUTOCONF: u8 = 0x2;

/// Prints a prefix and ends the line.
pub fn print(p: &mut Printer, prefix: &Prefix, device: &[u8]) {
    if let Some(address) = prefix.address {
        let text = format!("{}/{}", host::ip(address.into()), prefix.prefix_len);
        p.string("prefix", "prefix ", text, "");
    }
    p.string_json("dev", device);
    p.text("dev ");
    p.text(device);
    p.text(" ");
    p.flag("onlink", prefix.flags & ON_LINK != 0, "onlink ");
    p.flag("autoconf", prefix.flags & AUTOCONF != 0, "autoconf ");
    if let Some(lives) = prefix.cacheinfo {
        p.number("valid_life_time", "valid ", lives.valid, " ");
        p.number("preferred_life_time", "preferred ", lives.preferred, " ");
    }
    p.end_line();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    #[test]
    fn the_device_follows_at_once() {
        let mut p = Printer::new(Layout::default());
        let address = Some("2001:db8::".parse().unwrap());
        let prefix = Prefix { prefix_len: 64, address, flags: ON_LINK, ..Prefix::default() };
        print(&mut p, &prefix, b"v0");
        assert_eq!(p.take(), b"prefix 2001:db8::/64dev v0 onlink \n");
    }
}
