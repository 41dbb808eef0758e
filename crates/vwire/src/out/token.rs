//! Prints the tokens of devices as `ip token` does.

use std::net::Ipv6Addr;

use super::{Colour, Printer};

/// Prints a token and ends the line.
pub fn print(p: &mut Printer, token: Ipv6Addr, device: &[u8]) {
    p.text("token ");
    let host = p.host_of(token.into());
    p.coloured(Some(Colour::Inet6), "token", "", host, "");
    p.text(" dev ");
    // The line feed belongs to the colour, as in `ip`.
    p.coloured(Some(Colour::Device), "ifname", "", device, "\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    #[test]
    fn a_token_is_a_line() {
        let mut p = Printer::new(Layout::default());
        print(&mut p, "::53".parse().unwrap(), b"v0");
        assert_eq!(p.take(), b"token ::53 dev v0\n");
    }
}
