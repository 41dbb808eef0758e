//! Prints labels of IPv6 addresses as `ip addrlabel` does.

use vwire_netlink::wire::AddressLabel;

use super::host::colour;
use super::{Colour, Printer};

/// Prints a label and ends the line; `device` is the name of the link that it is for alone.
pub fn print(p: &mut Printer, label: &AddressLabel, device: Option<&[u8]>) {
    if let Some(address) = label.address {
        p.text("prefix ");
        let host = p.host_of(address);
        p.coloured(colour(label.family.into()), "address", "", host, "");
        p.number("prefixlen", "/", label.prefixlen, " ");
    }
    if let Some(device) = device {
        p.text("dev ");
        p.coloured(Some(Colour::Device), "ifname", "", device, " ");
    }
    if let Some(label) = label.label {
        p.number("label", "label ", label, " ");
    }
    p.end_line();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    #[test]
    fn a_label_has_a_prefix_and_may_have_a_device() {
        let label = AddressLabel {
            family: 10,
            prefixlen: 48,
            address: "2001:db8:7::".parse().ok(),
            label: Some(77),
            ..AddressLabel::default()
        };
        let mut p = Printer::new(Layout::default());
        print(&mut p, &label, Some(b"v0"));
        assert_eq!(p.take(), b"prefix 2001:db8:7::/48 dev v0 label 77 \n");
    }
}
