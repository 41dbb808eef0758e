//! The structs that a tunnel's ioctls take along: bytes to plain data and back. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

use vwire_netlink::TUNNEL_ARGUMENT_LEN;

use crate::out::tunnel::{Common, Tunnel4, Tunnel6};

/// The argument of a request about a tunnel.
pub(super) type Argument = [u8; TUNNEL_ARGUMENT_LEN];

/// `IP_DF`.
const DO_NOT_CUT: u16 = 0x4000;
/// An IPv4 header without options: version 4, five words.
const HEADER: u8 = 0x45;

/// `VTI_ISVTI` and `SIT_ISATAP`: one in the host's order, among flags in the network's.
pub(super) const SPECIAL: u16 = u16::from_be(1);

/// Spells a tunnel over IPv4 as `struct ip_tunnel_parm`.
pub(super) fn of_4(tunnel: &Tunnel4) -> Argument {
    let common = &tunnel.common;
    let mut out = Writer::new();
    out.name(&common.name);
    out.bytes(&common.link.to_ne_bytes());
    out.bytes(&common.input.to_be_bytes());
    out.bytes(&common.output.to_be_bytes());
    out.bytes(&common.input_key.to_be_bytes());
    out.bytes(&common.output_key.to_be_bytes());
    // struct iphdr: length, id and sum are the kernel's.
    out.bytes(&[HEADER, tunnel.tos, 0, 0, 0, 0]);
    out.bytes(&if tunnel.discovers { DO_NOT_CUT } else { 0 }.to_be_bytes());
    out.bytes(&[tunnel.ttl, common.protocol, 0, 0]);
    out.bytes(&tunnel.local.octets());
    out.bytes(&tunnel.remote.octets());
    out.argument
}

/// Reads `struct ip_tunnel_parm`; `None` where what is in it is no header of IPv4.
pub(super) fn to_4(argument: &Argument) -> Option<Tunnel4> {
    let mut from = Reader::new(argument);
    let mut common = Common { name: from.name()?, link: u32::from_ne_bytes(from.take()?), ..Common::default() };
    from.flags_and_keys(&mut common)?;
    let [header, tos, ..] = from.take::<6>()?;
    let discovers = u16::from_be_bytes(from.take()?) & DO_NOT_CUT != 0;
    let [ttl, protocol, ..] = from.take::<4>()?;
    common.protocol = protocol;
    let local = Ipv4Addr::from(from.take::<4>()?);
    let remote = Ipv4Addr::from(from.take::<4>()?);
    (header == HEADER).then_some(Tunnel4 { common, local, remote, ttl, tos, discovers })
}

/// Spells a tunnel over IPv6 as `struct ip6_tnl_parm2`.
pub(super) fn of_6(tunnel: &Tunnel6) -> Argument {
    let common = &tunnel.common;
    let mut out = Writer::new();
    out.name(&common.name);
    out.bytes(&common.link.to_ne_bytes());
    out.bytes(&[common.protocol, tunnel.encap_limit, tunnel.hop_limit, 0]);
    out.bytes(&tunnel.flowinfo.to_be_bytes());
    out.bytes(&tunnel.flags.to_ne_bytes());
    out.bytes(&tunnel.local.octets());
    out.bytes(&tunnel.remote.octets());
    out.bytes(&common.input.to_be_bytes());
    out.bytes(&common.output.to_be_bytes());
    out.bytes(&common.input_key.to_be_bytes());
    out.bytes(&common.output_key.to_be_bytes());
    out.argument
}

/// Reads `struct ip6_tnl_parm2`.
pub(super) fn to_6(argument: &Argument) -> Option<Tunnel6> {
    let mut from = Reader::new(argument);
    let mut common = Common { name: from.name()?, link: u32::from_ne_bytes(from.take()?), ..Common::default() };
    let [protocol, encap_limit, hop_limit, _] = from.take()?;
    common.protocol = protocol;
    let flowinfo = u32::from_be_bytes(from.take()?);
    let flags = u32::from_ne_bytes(from.take()?);
    let local = Ipv6Addr::from(from.take::<16>()?);
    let remote = Ipv6Addr::from(from.take::<16>()?);
    from.flags_and_keys(&mut common)?;
    Some(Tunnel6 { common, local, remote, encap_limit, hop_limit, flowinfo, flags })
}

/// Spells a router behind an ISATAP tunnel as `struct ip_tunnel_prl`; with no router it asks for 15.
pub(super) fn of_router(router: Ipv4Addr, is_default: bool, room: u32) -> Argument {
    let mut out = Writer::new();
    out.bytes(&router.octets());
    out.bytes(&u16::from(is_default).to_ne_bytes());
    out.bytes(&[0, 0]);
    out.bytes(&room.to_ne_bytes());
    out.argument
}

/// Reads the routers behind an ISATAP tunnel, and which of them are default ones.
pub(super) fn to_routers(argument: &Argument) -> Vec<(Ipv4Addr, bool)> {
    let entries = argument.chunks_exact(16).skip(1).filter_map(|entry| {
        let mut from = Reader { bytes: entry };
        Some((Ipv4Addr::from(from.take::<4>()?), u16::from_ne_bytes(from.take()?) & 1 != 0))
    });
    entries.filter(|(router, _)| !router.is_unspecified()).collect()
}

/// The prefix of 6rd and its length, and those of the relay (`struct ip_tunnel_6rd`).
pub(super) type Prefix6rd = (Ipv6Addr, u16, Ipv4Addr, u16);

/// Spells `struct ip_tunnel_6rd`.
pub(super) fn of_6rd((prefix, length, relay, relay_length): Prefix6rd) -> Argument {
    let mut out = Writer::new();
    out.bytes(&prefix.octets());
    out.bytes(&relay.octets());
    out.bytes(&length.to_ne_bytes());
    out.bytes(&relay_length.to_ne_bytes());
    out.argument
}

/// Reads `struct ip_tunnel_6rd`; `None` where there is no prefix.
pub(super) fn to_6rd(argument: &Argument) -> Option<Prefix6rd> {
    let mut from = Reader::new(argument);
    let prefix = Ipv6Addr::from(from.take::<16>()?);
    let relay = Ipv4Addr::from(from.take::<4>()?);
    let length = u16::from_ne_bytes(from.take()?);
    (length != 0).then_some((prefix, length, relay, u16::from_ne_bytes(from.take()?)))
}

struct Writer {
    argument: Argument,
    at: usize,
}

impl Writer {
    fn new() -> Self {
        Self { argument: [0; TUNNEL_ARGUMENT_LEN], at: 0 }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let end = self.at + bytes.len();
        if let Some(room) = self.argument.get_mut(self.at..end) {
            room.copy_from_slice(bytes);
        }
        self.at = end;
    }

    fn name(&mut self, name: &[u8]) {
        let mut padded = [0; 16];
        padded.iter_mut().zip(name.iter().take(15)).for_each(|(to, from)| *to = *from);
        self.bytes(&padded);
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn new(argument: &'a Argument) -> Self {
        Self { bytes: argument }
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*taken)
    }

    fn name(&mut self) -> Option<Vec<u8>> {
        Some(self.take::<16>()?.into_iter().take_while(|byte| *byte != 0).collect())
    }

    fn flags_and_keys(&mut self, common: &mut Common) -> Option<()> {
        common.input = u16::from_be_bytes(self.take()?);
        common.output = u16::from_be_bytes(self.take()?);
        common.input_key = u32::from_be_bytes(self.take()?);
        common.output_key = u32::from_be_bytes(self.take()?);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common() -> Common {
        Common {
            name: b"tn0".to_vec(),
            protocol: 47,
            link: 3,
            input: 0x2000,
            output: 0x3000,
            input_key: 7,
            output_key: 0x0a00_0001,
        }
    }

    #[test]
    fn a_tunnel_over_ipv4_is_spelled_as_the_kernel_has_it() {
        let (local, remote) = (Ipv4Addr::new(10, 9, 1, 1), Ipv4Addr::new(10, 9, 1, 2));
        let tunnel = Tunnel4 { common: common(), local, remote, ttl: 64, tos: 0x10, discovers: true };
        let argument = of_4(&tunnel);
        assert_eq!(to_4(&argument), Some(tunnel));
        assert_eq!(argument[20..24], [0x20, 0, 0x30, 0], "flags are in the network's order");
        assert_eq!(argument[32..52], *b"\x45\x10\0\0\0\0\x40\0\x40\x2f\0\0\x0a\x09\x01\x01\x0a\x09\x01\x02");
        assert_eq!(argument[52..], [0; TUNNEL_ARGUMENT_LEN - 52]);
        assert_eq!(to_4(&[0; TUNNEL_ARGUMENT_LEN]), None);
    }

    #[test]
    fn a_tunnel_over_ipv6_is_spelled_as_the_kernel_has_it() {
        let tunnel = Tunnel6 {
            common: common(),
            local: Ipv6Addr::LOCALHOST,
            remote: Ipv6Addr::UNSPECIFIED,
            encap_limit: 4,
            hop_limit: 64,
            flowinfo: 0x0120_0345,
            flags: 0x10,
        };
        let argument = of_6(&tunnel);
        assert_eq!(to_6(&argument), Some(tunnel));
        assert_eq!(argument[20..28], [47, 4, 64, 0, 0x01, 0x20, 0x03, 0x45]);
        assert_eq!(argument[64..76], [0x20, 0, 0x30, 0, 0, 0, 0, 7, 10, 0, 0, 1]);
    }

    #[test]
    fn routers_and_prefixes_come_back() {
        let router = Ipv4Addr::new(10, 0, 0, 1);
        let asked = of_router(Ipv4Addr::UNSPECIFIED, false, 240);
        assert_eq!(asked[8..12], 240_u32.to_ne_bytes());
        let mut answer = asked;
        answer[16..32].copy_from_slice(&of_router(router, true, 0)[..16]);
        assert_eq!(to_routers(&answer), [(router, true)]);
        let prefix = ("2001:db8::".parse().unwrap(), 32, Ipv4Addr::UNSPECIFIED, 0);
        assert_eq!(to_6rd(&of_6rd(prefix)), Some(prefix));
        assert_eq!(to_6rd(&[0; TUNNEL_ARGUMENT_LEN]), None);
    }
}
