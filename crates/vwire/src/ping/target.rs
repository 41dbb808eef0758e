//! Asks resolver, routing and devices: which address a name has, and which address and device lead there.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};

use nix::ifaddrs::getifaddrs;
use nix::libc;
use nix::net::if_::{if_indextoname, if_nametoindex};
use nix::sys::socket::{SockaddrStorage, sockopt};
use socket2::{Domain, SockAddr, Socket, Type};

use super::echo::Family;
use super::{Refused, Request};

/// Where packets go and how they leave.
#[derive(Debug, Clone)]
pub struct Path {
    /// The address to ping, with the scope that a link-local one needs.
    pub target: SocketAddr,
    /// The same as it is shown: without the scope that only `-I` gave it.
    pub shown: String,
    /// The address that packets leave from, where it could be found out.
    pub source: Option<SocketAddr>,
    /// The device to bind to.
    pub device: Option<String>,
    /// The target is a broadcast or multicast address.
    pub to_many: bool,
    /// What the user should know, in iputils' words.
    pub warnings: Vec<String>,
    /// The addresses of this namespace.
    pub here: Addresses,
}

/// The addresses that devices have, each with its device and the length of its prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses(Vec<(String, IpAddr, u32)>);

impl Path {
    /// Returns the target's address family.
    #[must_use]
    pub fn family(&self) -> Family {
        if self.target.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

impl Addresses {
    /// Returns whether an address is one of them, on any device or on a certain one.
    #[must_use]
    pub fn contains(&self, address: IpAddr, on: Option<&str>) -> bool {
        address.is_loopback()
            || self.0.iter().any(|(device, here, _)| *here == address && on.is_none_or(|on| on == device))
    }

    /// Returns whether one of them shares its network with an address: packets to it need no gateway.
    #[must_use]
    pub fn reach_without_gateway(&self, address: IpAddr) -> bool {
        self.0.iter().any(|&(_, here, length)| match (here, address) {
            (IpAddr::V4(here), IpAddr::V4(there)) => (here.to_bits() ^ there.to_bits()).leading_zeros() >= length,
            (IpAddr::V6(here), IpAddr::V6(there)) => (here.to_bits() ^ there.to_bits()).leading_zeros() >= length,
            _ => false,
        })
    }

    /// Returns the devices that have a link-local address.
    fn devices_with_link_local(&self) -> Vec<&str> {
        let local = self.0.iter().filter(|(_, address, _)| match address {
            IpAddr::V6(address) => address.is_unicast_link_local(),
            IpAddr::V4(_) => false,
        });
        let mut devices: Vec<_> = local.map(|(device, ..)| device.as_str()).collect();
        devices.dedup();
        devices
    }
}

/// Finds the first of a name's addresses that there is a way to.
///
/// # Errors
/// The name has no address, the device or the source address does not fit, or no route leads there.
pub fn find(request: &Request) -> Result<Path, Refused> {
    let here = addresses();
    let mut refused = None;
    for target in resolve(&request.word, request.family)? {
        match way_to(target, request, &here) {
            Ok(path) => return Ok(path),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| Refused::new(format!("{}: Name or service not known", request.word))))
}

/// Returns an address as `ping` shows it: a link-local one with its device.
#[must_use]
pub fn shown(address: &SocketAddr) -> String {
    match address {
        SocketAddr::V6(address) if address.scope_id() != 0 => {
            let device = if_indextoname(address.scope_id());
            let device = device.map_or_else(|_| address.scope_id().to_string(), |name| name.to_string_lossy().into());
            format!("{}%{device}", address.ip())
        }
        other => other.ip().to_string(),
    }
}

fn resolve(word: &str, family: Option<Family>) -> Result<Vec<SocketAddr>, Refused> {
    let all: Vec<_> = (word, 0)
        .to_socket_addrs()
        .map_err(|error| {
            let text = error.to_string();
            let cause = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
            Refused::new(format!("{word}: {cause}")).hint(
                "an address in the place of the name works without a resolver; a link-local one is `fe80::1%DEVICE`",
            )
        })?
        .collect();
    let fits = |address: &SocketAddr| family.is_none_or(|family| (family == Family::V4) == address.is_ipv4());
    let fitting: Vec<_> = all.iter().copied().filter(fits).collect();
    if fitting.is_empty() {
        let (option, other) = if family == Some(Family::V4) { ("-4", "IPv6") } else { ("-6", "IPv4") };
        return Err(Refused::new(format!("{word}: Address family for hostname not supported"))
            .hint(format!("`{word}` has {other} addresses only; leave out `{option}`")));
    }
    Ok(fitting)
}

fn way_to(target: SocketAddr, request: &Request, here: &Addresses) -> Result<Path, Refused> {
    let mut path = Path {
        target: scoped(target, request, here)?,
        shown: shown(&target),
        source: request.from_address.map(|address| SocketAddr::new(address, 0)),
        device: request.from_device.clone(),
        to_many: request.broadcast || target.ip().is_multicast(),
        warnings: Vec::new(),
        here: here.clone(),
    };
    if let Some(source) = path.source {
        if source.is_ipv4() != target.is_ipv4() {
            return Err(Refused::new(format!("{}: Address family for hostname not supported", request.word))
                .hint(format!("`-I {}` is of the other address family", source.ip())));
        }
        path.source = Some(with_scope(source, device_index(request)?));
        return Ok(path);
    }
    let source = probe(&mut path, request)?;
    path.source = Some(source);
    if path.target.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED) {
        path.target.set_ip(source.ip());
        path.shown = source.ip().to_string();
    }
    if let Some(device) = path.device.clone() {
        leave_by(&mut path, &device, source.ip());
    }
    Ok(path)
}

/// Checks the device against the source address that routing chose.
fn leave_by(path: &mut Path, device: &str, source: IpAddr) {
    if !path.here.contains(source, Some(device)) || source.is_loopback() {
        path.warnings.push(format!("Warning: source address might be selected on device other than: {device}"));
    } else if path.target.ip() == source {
        // Packets to an own address run over `lo`; bound to the device, no reply would be heard.
        path.device = None;
    }
}

/// Gives a link-local address the scope of the device that was asked for, or of the only one that can be meant.
fn scoped(target: SocketAddr, request: &Request, here: &Addresses) -> Result<SocketAddr, Refused> {
    let SocketAddr::V6(address) = target else { return Ok(target) };
    let index = device_index(request)?;
    if !needs_scope(*address.ip()) || address.scope_id() != 0 {
        return Ok(target);
    }
    if index != 0 {
        return Ok(with_scope(target, index));
    }
    match here.devices_with_link_local().as_slice() {
        [only] => if_nametoindex(*only).map(|index| with_scope(target, index)).map_err(|_| no_scope(request, only)),
        [first, ..] => Err(no_scope(request, first)),
        [] => Err(no_scope(request, "DEVICE")),
    }
}

fn no_scope(request: &Request, device: &str) -> Refused {
    let word = &request.word;
    Refused::new(format!("{word}: a link-local address needs its device"))
        .hint(format!("each device has a link of its own; say which: `vwire ping {word}%{device}`"))
}

fn with_scope(address: SocketAddr, index: u32) -> SocketAddr {
    match address {
        SocketAddr::V6(address) if needs_scope(*address.ip()) => SocketAddrV6::new(*address.ip(), 0, 0, index).into(),
        other => other,
    }
}

/// RFC 4007 (6): link-local unicast, and multicast of interface and link scope.
fn needs_scope(address: Ipv6Addr) -> bool {
    address.is_unicast_link_local() || (address.is_multicast() && matches!(address.segments()[0] & 0x0f, 1 | 2))
}

/// Returns the index of the device that was asked for, 0 without one.
fn device_index(request: &Request) -> Result<u32, Refused> {
    let Some(device) = request.from_device.as_deref() else { return Ok(0) };
    if_nametoindex(device).map_err(|_| no_device(format!("unknown iface: {device}"), device))
}

/// Asks routing for the source address, by connecting a datagram socket that nothing is sent on.
fn probe(path: &mut Path, request: &Request) -> Result<SocketAddr, Refused> {
    let domain = Domain::for_address(path.target);
    let socket = Socket::new(domain, Type::DGRAM, None).map_err(|error| Refused::system("socket", &error))?;
    if let Some(device) = path.device.as_deref() {
        bind_to_device(&socket, device)?;
    }
    let mut target = path.target;
    // Any port will do, no packet leaves.
    target.set_port(1025);
    match socket.connect(&target.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EACCES) => {
            allow_broadcast(path, request, &socket, target)?;
        }
        Err(error) => return Err(no_way(&error, path)),
    }
    let source = socket.local_addr().map_err(|error| Refused::system("getsockname", &error))?;
    let mut source = source.as_socket().ok_or_else(|| Refused::new("getsockname: no address".to_owned()))?;
    source.set_port(0);
    Ok(source)
}

fn allow_broadcast(path: &mut Path, request: &Request, socket: &Socket, to: SocketAddr) -> Result<(), Refused> {
    if !request.broadcast {
        let said = "Do you want to ping broadcast? Then -b. If not, check your local firewall rules";
        return Err(Refused::new(said.to_owned()).hint(format!(
            "{0} is the broadcast address of a network here, or a `prohibit` route forbids it: \
                 `vwire route get {0}` tells which",
            to.ip()
        )));
    }
    path.warnings.push("WARNING: pinging broadcast address".to_owned());
    socket.set_broadcast(true).map_err(|error| Refused::system("cannot set broadcasting", &error))?;
    socket.connect(&SockAddr::from(to)).map_err(|error| no_way(&error, path))
}

/// Binds a socket to a device, which needs no privilege since Linux 5.7.
///
/// # Errors
/// There is no such device in this namespace.
pub fn bind_to_device(socket: &Socket, device: &str) -> Result<(), Refused> {
    let bound = nix::sys::socket::setsockopt(socket, sockopt::BindToDevice, &device.into());
    bound.map_err(|errno| no_device(Refused::system(&format!("SO_BINDTODEVICE {device}"), &errno.into()).said, device))
}

fn no_device(said: String, device: &str) -> Refused {
    Refused::new(said).hint(format!(
        "`{device}` is neither a device of this namespace nor an address; `vwire link show` lists the devices"
    ))
}

fn no_way(error: &io::Error, path: &Path) -> Refused {
    let target = path.target.ip();
    let device = path.device.as_ref().map(|device| format!(" by `{device}`")).unwrap_or_default();
    if target.is_loopback() {
        return Refused::system("connect", error).hint("`lo` is down here: `vwire link set lo up`");
    }
    Refused::system("connect", error)
        .hint(format!("no route leads to {target}{device}: `vwire route get {target}` asks, `vwire addr show` lists the addresses here"))
}

fn addresses() -> Addresses {
    let Ok(all) = getifaddrs() else { return Addresses::default() };
    let address_of = |storage: Option<SockaddrStorage>| ip_of(&storage?);
    let known = all.filter_map(|entry| {
        let address = address_of(entry.address)?;
        let length = match address_of(entry.netmask)? {
            IpAddr::V4(mask) => mask.to_bits().leading_ones(),
            IpAddr::V6(mask) => mask.to_bits().leading_ones(),
        };
        Some((entry.interface_name, address, length))
    });
    Addresses(known.collect())
}

fn ip_of(storage: &SockaddrStorage) -> Option<IpAddr> {
    if let Some(address) = storage.as_sockaddr_in() {
        return Some(address.ip().into());
    }
    storage.as_sockaddr_in6().map(|address| address.ip().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Addresses {
        let entries = [("lo", "::1", 128), ("ep1", "10.0.0.1", 24), ("ep1", "fe80::1", 64), ("tun0", "10.9.0.1", 32)];
        Addresses(entries.map(|(device, address, length)| (device.to_owned(), address.parse().unwrap(), length)).into())
    }

    #[test]
    fn a_network_reaches_as_far_as_its_prefix() {
        let reach = |address: &str| here().reach_without_gateway(address.parse().unwrap());
        assert!(reach("10.0.0.77") && reach("fe80::2"));
        assert!(!reach("10.0.1.1") && !reach("fd00::1"));
    }

    #[test]
    fn addresses_belong_to_devices() {
        let address = "10.0.0.1".parse().unwrap();
        assert!(here().contains(address, None) && here().contains(address, Some("ep1")));
        assert!(!here().contains(address, Some("tun0")) && !here().contains("10.0.0.2".parse().unwrap(), None));
    }

    #[test]
    fn link_local_addresses_get_the_scope_and_others_do_not() {
        let scope = |text: &str| match with_scope(SocketAddr::new(text.parse().unwrap(), 0), 7) {
            SocketAddr::V6(address) => address.scope_id(),
            SocketAddr::V4(_) => 0,
        };
        assert_eq!(
            [scope("fe80::1"), scope("ff02::1"), scope("fd00::1"), scope("ff05::1"), scope("10.0.0.1")],
            [7, 7, 0, 0, 0]
        );
    }
}
