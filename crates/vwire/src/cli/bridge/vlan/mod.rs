//! `bridge vlan`: the VLANs of bridges and their ports, their options, counters and tunnels.
//!
//! [`modify`] reads what is changed.

pub mod modify;

use vwire_netlink::wire::bridge::VlanDbFilter;
use vwire_netlink::wire::stats::{LinkStats, Xstats};
use vwire_netlink::{BridgeLink, MessageType, Request, VlanDb};

use super::kernel::{TERMINATED, change, device, device_called, devices, list, list_below, tried};
use super::link::FAMILY;
use super::{numbers, pass_over, unknown_command};
use crate::cli::ip::words::{Keyword, Words, exact, find, in_full, prefix};
use crate::cli::ip::{Failure, Ip};
use crate::out::bridge::vlan::{self, Options, Subject};

/// `RTEXT_FILTER_BRVLAN`.
const VLANS: u32 = 1 << 1;
/// `RTEXT_FILTER_BRVLAN_COMPRESSED`.
const RANGES: u32 = 1 << 2;
/// `BRIDGE_VLANDB_DUMPF_STATS`.
const STATS: u32 = 1;
/// `BRIDGE_VLANDB_DUMPF_GLOBAL`.
const GLOBAL: u32 = 2;

/// What `bridge vlan help` says.
const HELP: &str = "\
Usage: bridge vlan [ show ] [ dev DEVICE ] [ vid VID ]
       bridge vlan tunnelshow [ dev DEVICE ] [ vid VID ]
       bridge vlan { add | del } vid VID[-VID] dev DEVICE [ pvid ] [ untagged ] [ self ] [ master ]
                         [ tunnel_info id ID[-ID] ]
       bridge vlan set vid VID[-VID] dev DEVICE [ state STATE ] [ mcast_router NUMBER ]
                         [ mcast_max_groups NUMBER ] [ neigh_suppress SWITCH ] [ neigh_forward_grat SWITCH ]
       bridge vlan global [ show ] [ dev DEVICE ] [ vid VID ]
       bridge vlan global set vid VID[-VID] dev DEVICE OPTION...

OPTION, each with a number: mcast_snooping  mcast_querier  mcast_igmp_version  mcast_mld_version
        mcast_last_member_count  mcast_last_member_interval  mcast_startup_query_count
        mcast_startup_query_interval  mcast_membership_interval  mcast_querier_interval
        mcast_query_interval  mcast_query_response_interval  msti
STATE:  disabled  listening  learning  forwarding  blocking, or a number
SWITCH: on  off
";

#[derive(Clone, Copy)]
enum Command {
    Add,
    Delete,
    Show,
    ShowTunnels,
    Set,
    Global,
    Help,
}

const COMMANDS: &[Keyword<Command>] = &[
    prefix("add", Command::Add),
    prefix("delete", Command::Delete),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("list", Command::Show),
    prefix("tunnelshow", Command::ShowTunnels),
    prefix("set", Command::Set),
    exact("global", Command::Global),
    prefix("help", Command::Help),
];

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on VLANs; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show(ip, words, Subject::Vlans) };
    match find(COMMANDS, word) {
        Some(Command::Add) => modify(ip, words, Request::set_bridge_link),
        Some(Command::Delete) => modify(ip, words, Request::del_bridge_link),
        Some(Command::Show) => show(ip, words, Subject::Vlans),
        Some(Command::ShowTunnels) => show(ip, words, Subject::Tunnels),
        Some(Command::Set) => set(ip, words),
        Some(Command::Global) => global(ip, words),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(unknown_command(word, "vlan", COMMANDS)),
    }
}

fn global(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    match words.next() {
        None | Some(b"show" | b"lst" | b"list") => show_global(ip, words),
        Some(b"set") => {
            let wanted = modify::read_global(ip.persona, words, |name| ip.device(name))?;
            let what = "cannot set options of VLANs";
            change(ip, &Request::set_vlans(&wanted), what).map(drop)
        }
        Some(_) => Err(Failure::usage(HELP)),
    }
}

fn set(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = modify::read_options(ip.persona, words, |name| ip.device(name))?;
    change(ip, &Request::set_vlans(&wanted), "cannot set options of VLANs").map(drop)
}

fn modify(ip: &mut Ip<'_>, words: &mut Words<'_>, request: impl Fn(&BridgeLink) -> Request) -> Result<(), Failure> {
    let wanted = modify::read(ip.persona, words)?;
    let tried = tried("change the VLANs of port", &wanted.device);
    let index = device_called(ip, "bridge device", &wanted.device).map_err(|failure| failure.trying(tried.clone()))?;
    let spec = wanted.spec()?;
    let link = BridgeLink { family: FAMILY, index, af_spec: Some(spec), ..BridgeLink::default() };
    change(ip, &request(&link), tried).map(drop)
}

/// What is listed.
struct Wanted {
    index: Option<u32>,
    only: u32,
}

fn read(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<Wanted, Failure> {
    let (mut name, mut only) = (None, 0);
    while let Some(word) = words.next() {
        match word {
            b"dev" => {
                let value = words.value()?;
                if name.replace(value).is_some() {
                    return Err(Failure::duplicate("dev", value));
                }
            }
            b"vid" => {
                let value = words.value()?;
                if only != 0 {
                    return Err(Failure::duplicate("vid", value));
                }
                only = numbers::atoi(value).cast_unsigned();
            }
            word => pass_over(ip.persona, word, &["dev", "vid"])?,
        }
    }
    let index = name.map(|name| device(ip, name)).transpose()?;
    Ok(Wanted { index, only })
}

fn show(ip: &mut Ip<'_>, words: &mut Words<'_>, subject: Subject) -> Result<(), Failure> {
    let wanted = read(ip, words)?;
    match (ip.options.details > 0 && subject == Subject::Vlans, ip.options.stats > 0) {
        (true, statistics) => show_options(ip, &wanted, if statistics { STATS } else { 0 }),
        (false, true) => show_counters(ip, &wanted),
        (false, false) => show_links(ip, &wanted, subject),
    }
}

fn show_global(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = read(ip, words)?;
    show_options(ip, &wanted, GLOBAL)
}

fn show_links(ip: &mut Ip<'_>, wanted: &Wanted, subject: Subject) -> Result<(), Failure> {
    let mask = if ip.options.compress_vlans { RANGES } else { VLANS };
    let filter = BridgeLink { family: FAMILY, ext_mask: Some(mask), ..BridgeLink::default() };
    let request = Request::dump(MessageType::GETLINK, &filter);
    let ports: Vec<BridgeLink> = list_below(ip, &request, |p| vlan::print_head(p, subject), TERMINATED)?;
    let devices = devices(ip)?;
    for port in ports.iter().filter(|port| wanted.index.is_none_or(|index| port.index == index)) {
        let Some(spec) = &port.af_spec else { continue };
        let print = match subject {
            Subject::Vlans => vlan::print,
            Subject::Tunnels => vlan::print_tunnels,
        };
        print(&mut ip.printer, port.index, spec, wanted.only, &devices);
        ip.flush_if_much();
    }
    ip.printer.close_document();
    Ok(())
}

fn show_counters(ip: &mut Ip<'_>, wanted: &Wanted) -> Result<(), Failure> {
    let bridges = Request::dump(MessageType::GETSTATS, &LinkStats { filter_mask: 1 << 1, ..LinkStats::default() });
    let ports = Request::dump(MessageType::GETSTATS, &LinkStats { filter_mask: 1 << 2, ..LinkStats::default() });
    let mut all: Vec<LinkStats> = list_below(ip, &bridges, vlan::print_counters_head, TERMINATED)?;
    all.extend(list::<LinkStats>(ip, &ports)?);
    let devices = devices(ip)?;
    for stats in all.iter().filter(|stats| wanted.index.is_none_or(|index| stats.index == index)) {
        let kinds: [&Option<Xstats>; 2] = [&stats.link_xstats, &stats.link_xstats_slave];
        for counters in kinds.into_iter().flatten().filter_map(|kind| kind.bridge.as_ref()) {
            vlan::print_counters(&mut ip.printer, stats.index, counters, wanted.only, &devices);
        }
    }
    ip.printer.close_document();
    Ok(())
}

fn show_options(ip: &mut Ip<'_>, wanted: &Wanted, flags: u32) -> Result<(), Failure> {
    let filter = VlanDbFilter { family: FAMILY, flags: Some(flags), ..VlanDbFilter::default() };
    let request = Request::dump(MessageType::GETVLAN, &filter);
    let all: Vec<VlanDb> = list_below(ip, &request, |p| vlan::print_head(p, Subject::Vlans), TERMINATED)?;
    let devices = devices(ip)?;
    let mut options = Options::new(wanted.only, ip.options.stats > 0);
    for vlans in all.iter().filter(|vlans| wanted.index.is_none_or(|index| vlans.index == index)) {
        options.go_to(&mut ip.printer, vlans.index);
        if flags != GLOBAL {
            for entry in &vlans.entry {
                options.print(&mut ip.printer, vlans.index, entry, &devices);
            }
        }
        for global in &vlans.global_options {
            options.print_global(&mut ip.printer, vlans.index, global, &devices);
        }
        ip.flush_if_much();
    }
    options.close(&mut ip.printer);
    ip.printer.close_document();
    Ok(())
}
