//! `bridge link`: shows the ports of bridges and changes how they forward.

use vwire_netlink::wire::bridge::BridgeSpec;
use vwire_netlink::wire::link::bridge::BridgePort;
use vwire_netlink::{BridgeLink, MessageType, Request};

use super::kernel::{change, device, device_called, devices, list, tried};
use super::{RETURNED, lacking, numbers, on_off, pass_over, unknown_command};
use crate::cli::ip::words::{Keyword, Words, exact, find, in_full, number_as, prefix, shown};
use crate::cli::ip::{Failure, Ip};
use crate::out::bridge::{STATES, link};

/// `AF_BRIDGE`.
pub const FAMILY: u8 = 7;
/// `RTEXT_FILTER_VF`.
const FUNCTIONS: u32 = 1;
/// `BRIDGE_FLAGS_MASTER`.
pub const MASTER: u16 = 1;
/// `BRIDGE_FLAGS_SELF`.
pub const SELF: u16 = 2;

/// What `bridge link help` says.
const HELP: &str = "\
Usage: bridge link [ show ] [ dev DEVICE ] [ master BRIDGE ]
       bridge link set dev DEVICE SETTING...

SETTING, SWITCH is on or off:
  cost NUMBER  priority NUMBER  state { STATE | NUMBER }        of the spanning tree
  guard SWITCH  root_block SWITCH  isolated SWITCH  locked SWITCH  mab SWITCH
  learning SWITCH  learning_sync SWITCH  hairpin SWITCH  vlan_tunnel SWITCH
  flood SWITCH  bcast_flood SWITCH  mcast_flood SWITCH  mcast_to_unicast SWITCH
  mcast_router NUMBER  mcast_max_groups NUMBER  fastleave SWITCH
  neigh_suppress SWITCH  neigh_vlan_suppress SWITCH  neigh_forward_grat SWITCH
  backup_port DEVICE  nobackup_port  backup_nhid ID
  hwmode { veb | vepa }  self  master                           whom it is for

STATE: disabled  listening  learning  forwarding  blocking
";

#[derive(Clone, Copy)]
enum Command {
    Set,
    Show,
    Help,
}

const COMMANDS: &[Keyword<Command>] = &[
    prefix("set", Command::Set),
    prefix("change", Command::Set),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("list", Command::Show),
    prefix("help", Command::Help),
];

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on ports; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Set) => set(ip, words),
        Some(Command::Show) => show(ip, words),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(unknown_command(word, "link", COMMANDS)),
    }
}

fn show(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let (mut wanted, mut master) = (None, None);
    while let Some(word) = words.next() {
        let place = match word {
            b"dev" => &mut wanted,
            b"master" => &mut master,
            _ => {
                pass_over(ip.persona, word, &["dev", "master"])?;
                continue;
            }
        };
        let value = words.value()?;
        if place.replace(value).is_some() {
            return Err(Failure::duplicate(&shown(word), value));
        }
        // `bridge` looks at the name of a device again, and takes `master` for what it is elsewhere.
        if word == b"dev" && value == b"master" {
            let value = words.value()?;
            if master.replace(value).is_some() {
                return Err(Failure::duplicate("master", value));
            }
        }
    }
    let wanted = wanted.map(|name| device(ip, name)).transpose()?;
    let master = master.map(|name| device(ip, name)).transpose()?;
    let filter = BridgeLink { family: FAMILY, ext_mask: Some(FUNCTIONS), ..BridgeLink::default() };
    let ports: Vec<BridgeLink> = list(ip, &Request::dump(MessageType::GETLINK, &filter))?;
    let devices = devices(ip)?;
    let details = ip.options.details > 0;
    ip.printer.open_document();
    for port in ports.iter().filter(|port| {
        wanted.is_none_or(|index| port.index == index)
            && master.is_none_or(|index| port.master.is_none_or(|of| of == index))
    }) {
        ip.printer.open_object(None);
        link::print(&mut ip.printer, port, details, &devices);
        ip.printer.close_object();
        ip.flush_if_much();
    }
    ip.printer.close_document();
    Ok(())
}

/// What a keyword of `set` stands for.
#[derive(Clone, Copy)]
enum Word {
    Device,
    Switch(fn(&mut BridgePort) -> &mut Option<u8>),
    MulticastRouter,
    MaxGroups,
    Cost,
    Priority,
    State,
    HardwareMode,
    Flag(u16),
    BackupPort,
    NoBackupPort,
    BackupNexthop,
}

const WORDS: &[Keyword<Word>] = &[
    exact("dev", Word::Device),
    exact("guard", Word::Switch(|port| &mut port.guard)),
    exact("hairpin", Word::Switch(|port| &mut port.mode)),
    exact("fastleave", Word::Switch(|port| &mut port.fast_leave)),
    exact("root_block", Word::Switch(|port| &mut port.protect)),
    exact("learning", Word::Switch(|port| &mut port.learning)),
    exact("learning_sync", Word::Switch(|port| &mut port.learning_sync)),
    exact("flood", Word::Switch(|port| &mut port.unicast_flood)),
    exact("mcast_router", Word::MulticastRouter),
    exact("mcast_flood", Word::Switch(|port| &mut port.mcast_flood)),
    exact("bcast_flood", Word::Switch(|port| &mut port.bcast_flood)),
    exact("mcast_to_unicast", Word::Switch(|port| &mut port.mcast_to_ucast)),
    exact("mcast_max_groups", Word::MaxGroups),
    exact("cost", Word::Cost),
    exact("priority", Word::Priority),
    exact("state", Word::State),
    exact("hwmode", Word::HardwareMode),
    exact("self", Word::Flag(SELF)),
    exact("master", Word::Flag(MASTER)),
    exact("neigh_suppress", Word::Switch(|port| &mut port.neigh_suppress)),
    exact("neigh_vlan_suppress", Word::Switch(|port| &mut port.neigh_vlan_suppress)),
    exact("neigh_forward_grat", Word::Switch(|port| &mut port.neigh_forward_grat)),
    exact("vlan_tunnel", Word::Switch(|port| &mut port.vlan_tunnel)),
    exact("isolated", Word::Switch(|port| &mut port.isolated)),
    exact("locked", Word::Switch(|port| &mut port.locked)),
    exact("mab", Word::Switch(|port| &mut port.mab)),
    exact("backup_port", Word::BackupPort),
    exact("nobackup_port", Word::NoBackupPort),
    exact("backup_nhid", Word::BackupNexthop),
];

/// A change of a port, as the words ask for it.
#[derive(Debug, Default)]
struct Wanted {
    device: Option<Vec<u8>>,
    port: BridgePort,
    spec: BridgeSpec,
}

fn set(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = read(words, |name| ip.device(name))?;
    let Some(name) = wanted.device else {
        let cause = "the command does not say which device";
        return Err(lacking("Device is a required argument.", cause, "link set dev NAME learning off"));
    };
    let tried = tried("set port", &name);
    let index =
        device_called(ip, "bridge device", &name).map_err(|failure| failure.of_subject().trying(tried.clone()))?;
    let asked = wanted.spec.flags.is_some() || wanted.spec.mode.is_some();
    let link = BridgeLink {
        family: FAMILY,
        index,
        protinfo: Some(Box::new(wanted.port)),
        af_spec: asked.then_some(wanted.spec),
        ..BridgeLink::default()
    };
    change(ip, &Request::set_bridge_link(&link), tried).map(drop)
}

/// Reads the words of `set`; `index_of` finds a device by its name.
fn read(
    words: &mut Words<'_>,
    mut index_of: impl FnMut(&[u8]) -> Result<Option<u32>, Failure>,
) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::default();
    let Wanted { device, port, spec } = &mut wanted;
    while let Some(word) = words.next() {
        let keyword = in_full(WORDS, word).ok_or_else(|| Failure::usage(HELP))?;
        words.once(if keyword == "nobackup_port" { "backup_port" } else { keyword }, word)?;
        match find(WORDS, word).ok_or_else(|| Failure::usage(HELP))? {
            Word::Device => *device = Some(words.value()?.to_vec()),
            Word::Switch(field) => *field(port) = Some(on_off(&shown(word), words.value()?)?),
            // What C keeps in a signed byte and is negative there is not sent.
            Word::MulticastRouter => port.multicast_router = small(numbers::atoi(words.value()?)),
            Word::MaxGroups => {
                let value = words.value()?;
                let number = numbers::signed(value);
                let number = number.ok_or_else(|| Failure::invalid(value, "invalid mcast_max_groups"))?;
                port.mcast_max_groups = u32::try_from(number).ok();
            }
            Word::Cost => port.cost = Some(numbers::atoi(words.value()?).cast_unsigned()).filter(|cost| *cost > 0),
            Word::Priority => port.priority = u16::try_from(numbers::short(words.value()?)).ok(),
            Word::State => port.state = state(words.value()?)?,
            Word::HardwareMode => {
                spec.mode = Some(hardware_mode(words.value()?)?);
                spec.flags = Some(SELF);
            }
            Word::Flag(flag) => *spec.flags.get_or_insert_default() |= flag,
            Word::BackupPort => {
                let name = words.value()?;
                port.backup_port = Some(index_of(name)?.filter(|index| *index != 0).ok_or_else(|| no_backup(name))?);
            }
            Word::NoBackupPort => port.backup_port = Some(0),
            Word::BackupNexthop => {
                let value = words.value()?;
                let id = number_as(value).ok_or_else(|| Failure::invalid(value, "invalid backup_nhid"))?;
                port.backup_nhid = Some(id);
            }
        }
    }
    Ok(wanted)
}

/// Returns the number as a signed byte has it, unless it is negative there.
fn small(number: i32) -> Option<u8> {
    let [low, ..] = number.to_le_bytes();
    (low < 0x80).then_some(low)
}

/// Reads the state of a spanning tree: a word or a number.
fn state(value: &[u8]) -> Result<Option<u8>, Failure> {
    if let Some(number) = numbers::decimal(value) {
        return Ok(small(number));
    }
    let known = STATES.iter().position(|word| word.as_bytes() == value).and_then(|at| u8::try_from(at).ok());
    known.map(Some).ok_or_else(|| {
        Failure::new(RETURNED, "Error: invalid STP port state", format!("`{}` is no state", shown(value)))
            .hint(format!("the states are {}, or 0 to 4", STATES.join(", ")))
    })
}

fn hardware_mode(value: &[u8]) -> Result<u16, Failure> {
    match value {
        b"veb" => Ok(0),
        b"vepa" => Ok(1),
        _ => Err(Failure::new(
            RETURNED,
            "Mode argument must be \"vepa\" or \"veb\".",
            format!("`hwmode` takes veb or vepa, not `{}`", shown(value)),
        )),
    }
}

fn no_backup(name: &[u8]) -> Failure {
    Failure::no_device(name)
        .with_exit(RETURNED)
        .said_by_ip([b"Error: device ".as_slice(), name, b" does not exist"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn wanted(line: &str) -> Result<Wanted, Failure> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        read(&mut Words::new(&words), |name| Ok((name == b"v1").then_some(7)))
    }

    #[test]
    fn each_setting_has_its_place() {
        let port = wanted("dev v0 hairpin on guard off cost 5 priority 3 state blocking backup_port v1 mcast_router 2")
            .unwrap()
            .port;
        assert_eq!((port.mode, port.guard, port.cost, port.priority), (Some(1), Some(0), Some(5), Some(3)));
        assert_eq!((port.state, port.backup_port, port.multicast_router), (Some(4), Some(7), Some(2)));
        assert_eq!(wanted("nobackup_port").unwrap().port.backup_port, Some(0));
        assert_eq!(wanted("state 3").unwrap().port.state, Some(3));
        assert_eq!(wanted("cost 0 priority -1 state -1").unwrap().port, BridgePort::default());
    }

    #[test]
    fn a_mode_of_hardware_is_for_the_device_itself() {
        let spec = wanted("master hwmode vepa").unwrap().spec;
        assert_eq!((spec.flags, spec.mode), (Some(SELF), Some(1)));
        assert_eq!(wanted("self master").unwrap().spec.flags, Some(SELF | MASTER));
    }

    #[test]
    fn wrong_values_end_with_codes_of_their_own() {
        assert_eq!(wanted("guard maybe").unwrap_err().exit(), 234);
        assert_eq!(wanted("state x").unwrap_err().exit(), RETURNED);
        assert_eq!(wanted("backup_port v9").unwrap_err().exit(), RETURNED);
        assert_eq!(wanted("backup_nhid x").unwrap_err().exit(), 255);
        assert_eq!(wanted("nosuch").unwrap_err().exit(), 255);
    }
}
