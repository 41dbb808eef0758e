//! The usage of `ip link`, in our own words.

use super::kind;
use crate::cli::ip::words::Words;
use crate::cli::ip::{Failure, Ip, Persona};

/// The grammar of `ip link`.
const USAGE: &str = "\
Usage: ip link [ show ] [ DEV ] [ up | down ] [ group GROUP ] [ master DEV | vrf NAME | nomaster ]
                        [ type KIND ] [ novf ]
       ip link add [ name ] NAME [ SETTING ]... [ link DEV ] [ index N ]
                   [ numtxqueues N ] [ numrxqueues N ] [ parentdev NAME ] type KIND [ OPTION ]...
       ip link { set | change | replace } { [ dev ] DEV | group GROUP } [ SETTING ]... [ type KIND [ OPTION ]... ]
       ip link delete { [ dev ] DEV | group GROUP }
       ip link property { add | del } [ dev ] DEV { altname NAME }...
       ip link xstats type { bridge | bridge_slave | bond | bond_slave } [ WORD ]... [ dev DEV ]
       ip link afstats [ dev DEV ]
       ip link help [ KIND ]

SETTING := up | down                        | name NEW
         | mtu N                            | txqueuelen N
         | address LLADDR                   | broadcast LLADDR
         | master DEV | vrf NAME | nomaster | group GROUP
         | netns { NAME | PATH | PID }      | link-netns NAME | link-netnsid ID
         | alias TEXT                       | addrgenmode { eui64 | none | stable_secret | random }
         | SWITCH { on | off }              | mode { default | dormant } | state STATE
         | inet { IPV4-SETTING VALUE }...   | protodown_reason REASON { on | off }
         | gso_max_size N | gso_max_segs N | gro_max_size N | gso_ipv4_max_size N | gro_ipv4_max_size N
         | { xdp | xdpgeneric | xdpdrv | xdpoffload } { off | pinned FILE }
         | vf N { mac LLADDR | vlan ID [ qos N ] [ proto P ] | rate N | min_tx_rate N | max_tx_rate N
                | spoofchk on/off | query_rss on/off | trust on/off | state { auto | enable | disable }
                | node_guid GUID | port_guid GUID }...
SWITCH  := arp | multicast | allmulticast | promisc | dynamic | trailers | carrier | protodown
KIND    := bond | bridge | dummy | geneve | ifb | ipvlan | ipvtap | macvlan | macvtap | netkit
         | veth | vlan | vrf | vxlan | ...
";

/// The usage as a failure, which is how `ip` gives it where a word is `help`.
pub fn usage() -> Failure {
    Failure::usage(USAGE)
}

/// Runs `ip link help [ KIND ]`.
///
/// # Errors
/// The usage, where no kind with options is named.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(text) = words.next().and_then(kind::help) else { return Err(usage()) };
    say(ip, text);
    Ok(())
}

/// Prints a usage where data goes. `ip` does so where JSON is asked for, too.
pub(super) fn say(ip: &mut Ip<'_>, text: impl AsRef<[u8]>) {
    match ip.persona {
        Persona::Ip => ip.printer.verbatim(text),
        Persona::Vwire => ip.printer.text(text),
    }
}
