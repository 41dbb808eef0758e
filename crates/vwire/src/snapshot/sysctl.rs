//! The sysctls that decide what is forwarded, answered and reachable: which, and where each is read.
//!
//! Those of a link come with the list of links, since the kernel puts them into each link's message anyway: a
//! thousand links would be tens of thousands of files. Those of `all` and of the namespace are files, and a file costs
//! the kernel more than the list of ten links: so `all` is read where it has a say beside the link's own, and `default`,
//! which only links to come will get, is not. [`TABLE`] says which there are, and the reference is made from it.
//!
//! A file that is not there is passed over: the kernel lacks what it is about. Files are opened from their directory,
//! which is opened once: the kernel keeps the directories of all namespaces under one name and looks through them all
//! (`proc_sys_compare` in `fs/proc/proc_sysctl.c`), which for a hundred namespaces is half of the time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;
use vwire_netlink::Link;

/// Where the files are; those of the network are of the namespace that the opening thread is in.
const ROOT: &str = "/proc/sys";

/// Where a sysctl is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `net/ipv4/conf/{all,default,LINK}`: its place among the numbers that a link's message has (`IPV4_DEVCONF_*`, less
    /// one).
    Ipv4(usize),
    /// `net/ipv6/conf/{all,default,LINK}`: its place among the numbers that a link's message has (`DEVCONF_*`).
    Ipv6(usize),
    /// A file of the whole namespace.
    Whole,
}

/// A sysctl.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name, below `net/ipv4/conf/LINK/` or `net/ipv6/conf/LINK/`, or as a whole with dots.
    pub name: &'static str,
    /// Where it is read.
    pub place: Place,
    /// Whether the value of `all` has a say beside the link's, and so is read.
    pub with_all: bool,
    /// What it decides.
    pub about: &'static str,
}

const fn v4(place: usize, name: &'static str, about: &'static str) -> Row {
    Row { name, place: Place::Ipv4(place), with_all: false, about }
}

const fn v4_and_all(place: usize, name: &'static str, about: &'static str) -> Row {
    Row { name, place: Place::Ipv4(place), with_all: true, about }
}

const fn v6(place: usize, name: &'static str, about: &'static str) -> Row {
    Row { name, place: Place::Ipv6(place), with_all: false, about }
}

const fn v6_and_all(place: usize, name: &'static str, about: &'static str) -> Row {
    Row { name, place: Place::Ipv6(place), with_all: true, about }
}

const fn whole(name: &'static str, about: &'static str) -> Row {
    Row { name, place: Place::Whole, with_all: false, about }
}

/// The sysctls that are read.
pub const TABLE: &[Row] = &[
    v4_and_all(0, "forwarding", "whether packets that come in by the link are forwarded"),
    v4_and_all(1, "mc_forwarding", "whether a multicast router runs"),
    v4_and_all(2, "proxy_arp", "whether ARP is answered for addresses that are reached by another link"),
    v4_and_all(3, "accept_redirects", "whether ICMP redirects change routes"),
    v4_and_all(5, "send_redirects", "whether senders are told of a shorter way"),
    v4_and_all(
        7,
        "rp_filter",
        "whether a source must be reachable by the link it comes in by: 1 strict, 2 by any link",
    ),
    v4_and_all(8, "accept_source_route", "whether packets may say their way"),
    v4_and_all(10, "log_martians", "whether impossible addresses are logged"),
    v4_and_all(12, "arp_filter", "whether ARP is answered only by the link that a reply would leave by"),
    v4_and_all(17, "arp_announce", "which source address ARP asks with"),
    v4_and_all(18, "arp_ignore", "which requests ARP answers"),
    v4(20, "arp_accept", "whether unasked ARP makes neighbours"),
    v4_and_all(22, "accept_local", "whether packets may come in from an own address"),
    v4_and_all(23, "src_valid_mark", "whether the mark counts in the check of the source"),
    v4(24, "proxy_arp_pvlan", "whether ARP is answered by the same link that was asked"),
    v4_and_all(25, "route_localnet", "whether 127.0.0.0/8 may be routed"),
    v4(28, "ignore_routes_with_linkdown", "whether routes by a link without carrier are passed over"),
    v4_and_all(31, "bc_forwarding", "whether broadcasts to a subnet are forwarded"),
    v6_and_all(0, "forwarding", "whether packets that come in by the link are forwarded, and the host is a router"),
    v6(3, "accept_ra", "whether routers' words make routes and addresses: 2 even if forwarding"),
    v6(4, "accept_redirects", "whether ICMPv6 redirects change routes"),
    v6(5, "autoconf", "whether routers' prefixes make addresses"),
    v6(6, "dad_transmits", "how often an address is asked for before it is used"),
    v6_and_all(22, "proxy_ndp", "whether neighbours are answered for"),
    v6_and_all(24, "accept_source_route", "whether packets may say their way"),
    v6_and_all(26, "disable_ipv6", "whether the link has no IPv6"),
    v6_and_all(27, "accept_dad", "whether an address that another has is not used, and 2: the link goes without IPv6"),
    v6(39, "ignore_routes_with_linkdown", "whether routes by a link without carrier are passed over"),
    v6(42, "keep_addr_on_down", "whether addresses stay when the link goes down"),
    v6(47, "addr_gen_mode", "how link-local addresses are made: 0 EUI-64, 1 none, 2 and 3 stable"),
    whole("net.ipv4.ip_forward", "whether IPv4 is forwarded"),
    whole("net.ipv4.ip_nonlocal_bind", "whether programs may bind to addresses that are not there"),
    whole("net.ipv4.ip_default_ttl", "the TTL of packets that are sent"),
    whole("net.ipv4.tcp_l3mdev_accept", "whether TCP sockets take connections in every VRF"),
    whole("net.ipv4.udp_l3mdev_accept", "whether UDP sockets take packets in every VRF"),
    whole(
        "net.ipv4.fib_multipath_hash_policy",
        "what chooses among many ways: 0 addresses, 1 ports too, 2 the inner ones",
    ),
    whole("net.ipv4.icmp_echo_ignore_all", "whether no ping is answered"),
    whole("net.ipv4.icmp_echo_ignore_broadcasts", "whether no ping to a broadcast address is answered"),
    whole("net.ipv4.ping_group_range", "which groups may ping without privilege"),
    whole("net.ipv6.ip_nonlocal_bind", "whether programs may bind to addresses that are not there"),
    whole("net.ipv6.fib_multipath_hash_policy", "what chooses among many ways"),
    whole("net.ipv6.icmp.echo_ignore_all", "whether no ping is answered"),
    whole("net.bridge.bridge-nf-call-iptables", "whether bridged IPv4 packets pass the rules of iptables"),
    whole("net.bridge.bridge-nf-call-ip6tables", "whether bridged IPv6 packets pass the rules of ip6tables"),
    whole("net.bridge.bridge-nf-call-arptables", "whether bridged ARP passes the rules of arptables"),
];

/// Sysctls by name, as [`State::sysctls`](super::state::State::sysctls) has them.
pub type Sysctls = BTreeMap<String, String>;

/// Puts the sysctls of a link, which are in its message, among the others.
pub fn of_link(link: &Link, all: &mut Sysctls) {
    let (Some(families), Some(name)) = (&link.af_spec, &link.ifname) else { return };
    let name = shown(name.as_bytes());
    let v4 = families.inet.as_ref().and_then(|inet| inet.conf.as_deref());
    let v6 = families.inet6.as_ref().and_then(|inet6| inet6.conf.as_deref());
    for row in TABLE {
        let (conf, place, version) = match row.place {
            Place::Ipv4(place) => (v4, place, '4'),
            Place::Ipv6(place) => (v6, place, '6'),
            Place::Whole => continue,
        };
        if let Some(value) = conf.and_then(|conf| conf.get(place)) {
            let own = row.name;
            all.insert(format!("net.ipv{version}.conf.{name}.{own}"), value.cast_signed().to_string());
        }
    }
}

/// Reads the sysctls of `all` and of the namespace that the calling thread is in.
///
/// # Errors
/// A file cannot be read; the others are.
pub fn of_namespace(all: &mut Sysctls) -> Result<(), io::Error> {
    let mut failed = None;
    let mut directories = Directories::default();
    for row in TABLE {
        let (directory, name) = match row.place {
            Place::Whole => row.name.rsplit_once('.').unwrap_or(("net", row.name)),
            Place::Ipv4(_) if row.with_all => ("net.ipv4.conf.all", row.name),
            Place::Ipv6(_) if row.with_all => ("net.ipv6.conf.all", row.name),
            _ => continue,
        };
        match directories.read(directory, name) {
            Ok(value) => drop(all.insert(format!("{directory}.{name}"), value)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(()), Err)
}

/// The directories of sysctls that are open, by their names with dots.
#[derive(Debug, Default)]
struct Directories<'a> {
    open: BTreeMap<&'a str, OwnedFd>,
}

impl<'a> Directories<'a> {
    /// Reads a file of a directory, in one read: none of them is long.
    fn read(&mut self, directory: &'a str, name: &str) -> io::Result<String> {
        let mut text = [0; 128];
        let file = openat(self.open(directory)?, name, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
        let length = File::from(file).read(&mut text)?;
        Ok(String::from_utf8_lossy(text.get(..length).unwrap_or_default().trim_ascii_end()).into_owned())
    }

    /// Returns a directory, which is opened from the one of its protocol: `net.ipv4.conf.all` from `net.ipv4`.
    fn open(&mut self, directory: &'a str) -> io::Result<&OwnedFd> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        if !self.open.contains_key(directory) {
            let end = directory.match_indices('.').nth(1).map_or(directory.len(), |(place, _)| place);
            let (protocol, rest) = directory.split_at(end);
            let opened = match rest.strip_prefix('.') {
                Some(rest) => openat(self.open(protocol)?, rest.replace('.', "/").as_str(), flags, Mode::empty())?,
                None => open(format!("{ROOT}/{}", protocol.replace('.', "/")).as_str(), flags, Mode::empty())?,
            };
            self.open.insert(directory, opened);
        }
        self.open.get(directory).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Returns the name of a link as a sysctl's name has it: `/` for a dot, `\xff` for a byte that is not UTF-8.
#[must_use]
pub fn shown(name: &[u8]) -> String {
    let mut shown = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '.' => shown.push('/'),
                '\\' => shown.push_str("\\\\"),
                other => shown.push(other),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use vwire_netlink::IfName;
    use vwire_netlink::wire::link::{AfInet, AfSpec};

    use super::*;

    #[test]
    fn a_link_s_sysctls_are_in_its_message() {
        let mut link = Link::named(IfName::new([b'e', b'.', b'1', 0xff]).unwrap());
        let mut conf = vec![0; 30];
        (conf[0], conf[7]) = (1, u32::MAX);
        let inet = Some(AfInet { conf: Some(conf.into()), ..AfInet::default() });
        link.af_spec = Some(Box::new(AfSpec { inet, ..AfSpec::default() }));
        let mut all = Sysctls::new();
        of_link(&link, &mut all);
        assert_eq!(all["net.ipv4.conf.e/1\\xff.forwarding"], "1");
        assert_eq!(all["net.ipv4.conf.e/1\\xff.rp_filter"], "-1");
        assert_eq!(all.len(), 17, "{all:?}");
    }

    #[test]
    fn what_the_table_says_of_links_is_what_the_files_say() {
        let mut socket = vwire_netlink::Socket::open().unwrap();
        let request = vwire_netlink::LinkFilter::without_stats().to_request();
        let links: Vec<Link> = socket.dump_bodies(&request).unwrap();
        let link = links.iter().find(|link| link.ifname.is_some_and(|name| name == "lo")).unwrap();
        let mut all = Sysctls::new();
        of_link(link, &mut all);
        for (name, value) in all {
            let path = format!("/proc/sys/{}", name.replace('.', "/"));
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(text.trim_end(), value, "{name}");
        }
    }

    #[test]
    fn those_of_the_namespace_are_read() {
        let mut all = Sysctls::new();
        of_namespace(&mut all).unwrap();
        for name in ["net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter", "net.ipv4.conf.all.forwarding"] {
            assert!(all.contains_key(name), "{name}");
        }
    }
}
