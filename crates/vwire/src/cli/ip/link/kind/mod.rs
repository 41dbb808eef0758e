//! The words behind `type KIND`: what a kind of link takes, one file a kind.
//!
//! A kind's options are a table ([`grammar`]) in `ip`'s order; the table also makes the usage text.
//! What must hold between options stands beside the table. A kind without options leaves its words
//! to the caller, who tells that they are garbage.
//!
//! To add a kind: a file with a table, an arm in [`read`], an arm in [`help`].

mod address;
mod bond;
mod bridge;
mod bridge_port;
mod geneve;
mod grammar;
mod ipvlan;
mod macvlan;
mod netkit;
mod vlan;
mod vrf;
mod vxlan;

use vwire_netlink::Link;
use vwire_netlink::wire::link::LinkInfo;
use vwire_netlink::wire::link::veth::Veth;

use crate::cli::ip::failure::EXIT_SEMANTIC;
use crate::cli::ip::words::Words;
use crate::cli::ip::{Failure, Ip};
use crate::snapshot::names;

/// What the words are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A new link.
    Add,
    /// A link that is there.
    Set,
}

/// What a pair of veth takes.
const VETH: &str = "Usage: ip link add [ name ] NAME ... type veth [ peer OPTION... ]\n\
                    OPTION := what `ip link add` takes, for the other end\n";

/// The kinds without options, for [`help`].
const PLAIN: [&str; 5] = ["dummy", "ifb", "nlmon", "vcan", "wireguard"];

/// The kinds whose options `ip` reads and vwire does not.
const UNREAD: [&str; 24] = [
    "amt",
    "bareudp",
    "batadv",
    "can",
    "dsa",
    "erspan",
    "gre",
    "gretap",
    "gtp",
    "hsr",
    "ip6erspan",
    "ip6gre",
    "ip6gretap",
    "ip6tnl",
    "ipip",
    "ipoib",
    "macsec",
    "rmnet",
    "sit",
    "vti",
    "vti6",
    "vxcan",
    "wwan",
    "xfrm",
];

/// The kinds that `ip` knows, too, and that take no options there.
const BARE: [&str; 6] = ["netdevsim", "team", "team_slave", "tun", "virt_wifi", "vrf_slave"];

/// Returns whether `ip` knows a kind by its name.
#[must_use]
pub fn is_known(kind: &[u8]) -> bool {
    let name = std::str::from_utf8(kind).unwrap_or_default();
    let is_ours = help(kind).is_some() && name != "wireguard";
    is_ours || UNREAD.contains(&name) || BARE.contains(&name)
}

/// Reads the other end of a pair, by the same words as the first.
pub type ReadPeer<'r> = dyn FnMut(&mut Ip<'_>, &mut Words<'_>) -> Result<Link, Failure> + 'r;

/// Reads the words of a kind, or of a port of a master of a kind (`KIND_slave`).
///
/// Words of a kind that takes none are left.
///
/// # Errors
/// A word that does not fit, or a device that is not there.
pub fn read(
    ip: &mut Ip<'_>,
    kind: &[u8],
    words: &mut Words<'_>,
    purpose: Purpose,
    peer: &mut ReadPeer<'_>,
) -> Result<LinkInfo, Failure> {
    let mut info = LinkInfo { kind: Some(kind.into()), ..LinkInfo::default() };
    // Without words there is no `IFLA_INFO_DATA` at all, and nothing that must hold.
    if words.is_empty() {
        return Ok(info);
    }
    match std::str::from_utf8(kind).unwrap_or_default() {
        "bond" => info.data = Some(bond::GRAMMAR.read(ip, "bond", words)?.into()),
        "bond_slave" => info.slave_data = Some(bond::SLAVE.read(ip, "bond_slave", words)?.into()),
        "bridge" => info.data = Some(bridge::GRAMMAR.read(ip, "bridge", words)?.into()),
        "bridge_slave" => info.slave_data = Some(bridge_port::GRAMMAR.read(ip, "bridge_slave", words)?.into()),
        "geneve" => info.data = Some(geneve::read(ip, words, purpose)?.into()),
        kind @ ("ipvlan" | "ipvtap") => info.data = Some(ipvlan::read(ip, kind, words)?.into()),
        kind @ ("macvlan" | "macvtap") => info.data = Some(macvlan::read(ip, kind, words)?.into()),
        "netkit" => info.data = Some(netkit::read(ip, words, peer)?.into()),
        "veth" => info.data = Some(Veth::with_peer(read_veth(ip, words, peer)?).into()),
        "vlan" => info.data = Some(vlan::GRAMMAR.read(ip, "vlan", words)?.into()),
        "vrf" => info.data = Some(vrf::GRAMMAR.read(ip, "vrf", words)?.into()),
        "vxlan" => info.data = Some(vxlan::read(ip, words, purpose)?.into()),
        kind if UNREAD.contains(&kind) => return Err(unread(kind)),
        _ => {}
    }
    Ok(info)
}

/// Options that vwire cannot read are refused, rather than taken for garbage or left out.
fn unread(kind: &str) -> Failure {
    let theirs = format!("{kind}: options of this kind are not supported");
    Failure::new(EXIT_SEMANTIC, theirs, format!("vwire does not read the options of `{kind}`"))
        .hint("it shows them: `vwire -d link show`")
}

/// Reads the other end of a veth; `ip` prints the usage for any other word, where data goes.
fn read_veth(ip: &mut Ip<'_>, words: &mut Words<'_>, peer: &mut ReadPeer<'_>) -> Result<Link, Failure> {
    if !words.take_if("peer") {
        super::help::say(ip, VETH);
        return Err(Failure::verbatim(EXIT_SEMANTIC, ""));
    }
    read_peer(ip, words, peer)
}

/// Reads the other end, whose family is said by none of `-4` and `-6`.
fn read_peer(ip: &mut Ip<'_>, words: &mut Words<'_>, peer: &mut ReadPeer<'_>) -> Result<Link, Failure> {
    Ok(Link { family: 0, ..peer(ip, words)? })
}

/// Returns what a kind takes.
#[must_use]
pub fn help(kind: &[u8]) -> Option<String> {
    Some(match std::str::from_utf8(kind).unwrap_or_default() {
        kind @ "bond" => bond::GRAMMAR.usage(kind),
        kind @ "bond_slave" => bond::SLAVE.usage(kind),
        kind @ "bridge" => bridge::GRAMMAR.usage(kind),
        kind @ "bridge_slave" => bridge_port::GRAMMAR.usage(kind),
        kind @ "geneve" => geneve::GRAMMAR.usage(kind),
        kind @ ("ipvlan" | "ipvtap") => ipvlan::GRAMMAR.usage(kind),
        kind @ ("macvlan" | "macvtap") => macvlan::GRAMMAR.usage(kind),
        kind @ "netkit" => netkit::GRAMMAR.usage(kind),
        "veth" => VETH.to_owned(),
        kind @ "vlan" => vlan::GRAMMAR.usage(kind),
        kind @ "vrf" => vrf::GRAMMAR.usage(kind),
        kind @ "vxlan" => vxlan::GRAMMAR.usage(kind),
        kind if PLAIN.contains(&kind) => format!("Usage: ip link add [ name ] NAME ... type {kind}\n"),
        _ => return None,
    })
}

/// Reads a traffic class: a name of `/etc/iproute2/rt_dsfield`, or a number in hexadecimal.
fn traffic_class(value: &[u8]) -> Result<u8, Failure> {
    const NAMES: names::Table = names::Table { file: "rt_dsfield", built_in: &[] };
    let named = NAMES.load().into_iter().find(|(_, name)| name.as_bytes() == value);
    let digits = value.strip_prefix(b"0x").or_else(|| value.strip_prefix(b"0X")).unwrap_or(value);
    let number = || u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    let class = named.map(|(class, _)| class).or_else(number).and_then(|class| u8::try_from(class).ok());
    class.ok_or_else(|| Failure::invalid(value, "bad TOS value").hint("it is a number in hexadecimal, as 0x10"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::ip::Persona;
    use crate::cli::ip::options::Options;
    use vwire_netlink::IfName;
    use vwire_netlink::wire::link::{KindData, SlaveData};
    use vwire_netlink::wire::link::{bond::Bond, tunnel::Geneve};
    use vwire_netlink::wire::link::{bridge::BoolOptions, bridge::Bridge, bridge::BridgePort, ipvlan::Ipvlan};
    use vwire_netlink::wire::link::{macvlan::Macvlan, netkit::Netkit, vlan, vlan::Vlan, vrf::Vrf, vxlan::Vxlan};
    use vwire_netlink::wire::nest::Numbered;

    fn with_ip<R>(line: &str, body: impl FnOnce(&mut Ip<'_>, &str, &mut Words<'_>) -> R) -> R {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut ip = Ip::new(Options::default(), Persona::Ip, &mut out, &mut err);
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words: Vec<OsString> = rest.split_whitespace().map(OsString::from).collect();
        body(&mut ip, kind, &mut Words::new(&words))
    }

    fn info(line: &str, purpose: Purpose) -> Result<LinkInfo, Failure> {
        let mut peer = |_: &mut Ip<'_>, words: &mut Words<'_>| {
            let name = words.rest().first().and_then(|name| IfName::new(name.as_encoded_bytes()).ok());
            Ok(Link { ifname: name, ..Link::default() })
        };
        with_ip(line, |ip, kind, words| read(ip, kind.as_bytes(), words, purpose, &mut peer))
    }

    #[track_caller]
    fn gives(line: &str, data: impl Into<KindData>) {
        let info = info(line, Purpose::Add).unwrap_or_else(|failure| panic!("{line}: {failure:?}"));
        assert_eq!(info.data, Some(data.into()), "{line}");
    }

    #[track_caller]
    fn fails(line: &str, exit: u8, message: &str) {
        let failure = info(line, Purpose::Add).unwrap_err();
        let said = String::from_utf8(failure.render(Persona::Ip)).unwrap();
        assert_eq!((failure.exit(), said.split("Usage:").next().unwrap()), (exit, message), "{line}");
    }

    #[test]
    fn words_fill_the_fields_of_their_kind() {
        let options = BoolOptions { optval: 0b100, optmask: 0b101 };
        let bridge = Bridge { stp_state: Some(1), multi_boolopt: Some(options), ..Bridge::default() };
        gives("bridge stp_s 1 mst_enabled 1 no_linklocal_learn 0", bridge);
        let flags = vlan::VlanFlags { flags: 0x2, mask: 0x3 };
        let map = vlan::VlanQos { mapping: vec![vlan::QosMapping { from: 1, to: 2 }], ..Default::default() };
        let vlan =
            Vlan { id: Some(5), protocol: Some(0x88a8), flags: Some(flags), egress_qos: Some(map), ..Vlan::default() };
        gives("vlan id 5 proto 802.1ad gvrp on reorder_hdr off egress-qos-map 1:2", vlan);
        gives("ipvlan mode l3s", Ipvlan { mode: Some(2), flags: Some(0), ..Ipvlan::default() });
        gives("ipvtap private", Ipvlan { flags: Some(1), ..Ipvlan::default() });
        gives("vrf table 0x10", Vrf { table: Some(16), ..Vrf::default() });
        gives("macvlan mode passthru nopromisc", Macvlan { mode: Some(8), flags: Some(1), ..Macvlan::default() });
        let source = [2, 0, 0, 0, 0, 7];
        let sources = Macvlan { macaddr_mode: Some(0), macaddr: Some(source), ..Macvlan::default() };
        gives("macvtap macaddr add 02:00:00:00:00:07", sources);
    }

    #[test]
    fn a_bonds_words_are_names_or_their_places() {
        let targets = Numbered(vec![(0, [10, 0, 0, 1].into()), (1, [10, 0, 0, 2].into())]);
        let bond = Bond {
            mode: Some(4),
            ad_lacp_rate: Some(1),
            xmit_hash_policy: Some(1),
            arp_ip_target: Some(targets),
            ..Bond::default()
        };
        gives("bond mode 802.3ad lacp_rate fast xmit_hash_policy layer3+4 arp_ip_t 10.0.0.1,10.0.0.2", bond.clone());
        gives("bond mode 4 lacp_rate 1 xmit_hash_policy 1 arp_ip_t ,10.0.0.1,,10.0.0.2", bond);
    }

    #[test]
    fn a_new_geneve_has_what_is_not_said_too() {
        let geneve = Geneve { id: Some(5), ttl: Some(0), tos: Some(0), label: Some(0), ..Geneve::default() };
        gives("geneve id 5 remote 10.0.0.1", Geneve { remote: Some([10, 0, 0, 1].into()), ..geneve });
        let change = info("geneve id 5 udpcsum", Purpose::Set).unwrap();
        let wanted = Geneve { id: Some(5), udp_csum: Some(1), ..Geneve::default() };
        assert_eq!(change.data, Some(wanted.into()));
    }

    #[test]
    fn options_that_cannot_be_read_are_refused() {
        fails("gre ttl 5", 1, "gre: options of this kind are not supported\n");
    }

    #[test]
    fn the_words_of_a_port_are_the_masters_data() {
        let info = info("bridge_slave hairpin on nobackup_port", Purpose::Set).unwrap();
        let port = BridgePort { mode: Some(1), backup_port: Some(0), ..BridgePort::default() };
        assert_eq!((info.kind, info.data), (Some("bridge_slave".into()), None));
        assert_eq!(info.slave_data, Some(SlaveData::from(port)));
    }

    #[test]
    fn the_other_end_of_a_netkit_has_its_own_policy() {
        let peer = Link { ifname: IfName::new("p0").ok(), ..Link::default() };
        let netkit = Netkit {
            mode: Some(0),
            policy: Some(0),
            peer_policy: Some(2),
            peer_info: Some(Box::new(peer)),
            ..Netkit::default()
        };
        gives("netkit mode l2 forward peer blackhole p0", netkit);
    }

    #[test]
    fn a_new_vxlan_learns_unless_it_is_told_otherwise() {
        let vxlan = Vxlan { id: Some(5), learning: Some(1), port: Some(4789), ..Vxlan::default() };
        gives("vxlan id 5 dstport 4789", vxlan.clone());
        gives("vxlan id 5 dstport 4789 nolearning", Vxlan { learning: Some(0), ..vxlan });
        let change = info("vxlan ageing none", Purpose::Set).unwrap();
        assert_eq!(change.data, Some(Vxlan { ageing: Some(0), ..Vxlan::default() }.into()));
    }

    #[test]
    fn without_words_there_is_no_data() {
        for kind in ["bridge", "vxlan", "ipvlan", "veth", "wireguard"] {
            assert_eq!(info(kind, Purpose::Add).unwrap().data, None, "{kind}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_as_ip_tells_it() {
        fails("bridge foo", 1, "bridge: unknown command \"foo\"?\n");
        fails("bridge_slave foo", 1, "bridge_slave: unknown option \"foo\"?\n");
        fails("ipvtap vepa private", 1, "ipvtap: unknown option \"private\"?\n");
        fails("vlan id 70000", 255, "Error: argument \"70000\" is wrong: id is invalid\n");
        fails("vlan id", 255, "Command line is not complete. Try option \"help\"\n");
        fails("vrf table x", 255, "Error: argument \"x\" is wrong: invalid table ID\n\n");
        fails("vxlan ttl 9", 1, "vxlan: missing virtual network identifier\n");
        fails("vxlan id 5 id 6", 255, "Error: either \"id\" is duplicate, or \"6\" is garbage.\n");
        fails("vxlan id 5 group 10.0.0.1", 255, "Error: argument \"10.0.0.1\" is wrong: invalid group address\n");
        let modes = "\"private\", \"vepa\", \"bridge\", \"passthru\" or \"source\"";
        fails("macvlan mode x", 1, &format!("Error: argument of \"mode\" must be {modes}, not \"x\"\n"));
        fails("bridge_slave guard 1", 1, "Error: argument of \"guard\" must be one of \"off\", \"on\", not \"1\"\n");
        fails("bridge help", 1, "");
    }

    #[test]
    fn a_misspelled_option_is_recognised() {
        let failure = info("bridge vlan_fitlering 1", Purpose::Add).unwrap_err();
        let said = String::from_utf8(failure.render(Persona::Vwire)).unwrap();
        assert!(said.contains("hint: did you mean `vlan_filtering`?"), "{said}");
    }

    #[test]
    fn the_usage_has_every_option_in_short_lines() {
        for kind in [
            "bond",
            "bond_slave",
            "bridge",
            "bridge_slave",
            "geneve",
            "ipvlan",
            "macvlan",
            "netkit",
            "vlan",
            "vrf",
            "vxlan",
            "veth",
            "ifb",
        ] {
            let text = help(kind.as_bytes()).unwrap();
            assert!(text.starts_with("Usage: ip link ") && text.ends_with('\n'), "{text}");
            assert!(text.lines().all(|line| line.len() <= 100), "{text}");
        }
        assert_eq!(help(b"nosuch"), None);
    }
}
