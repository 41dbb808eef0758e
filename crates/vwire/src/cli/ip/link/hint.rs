//! Says what a change to a link tried, and what helps where it failed. Pure.
//!
//! [`wants`] tells what is worth asking the kernel about a refusal, and [`hints`] turns the answers
//! ([`Facts`]) into lines with a command that can be pasted.

use vwire_netlink::{ExtAck, IfName, Link};

use super::request::{LinkChange, Verb};
use super::words::WORDS;
use crate::cli::ip::failure::Failure;
use crate::cli::ip::nearest::nearest;
use crate::cli::ip::words::shown;

const EPERM: i32 = 1;
const EBUSY: i32 = 16;
const EEXIST: i32 = 17;
const ENODEV: i32 = 19;
const EINVAL: i32 = 22;
const ERANGE: i32 = 34;
const ELOOP: i32 = 40;
const EOPNOTSUPP: i32 = 95;
const EADDRNOTAVAIL: i32 = 99;
const ENETDOWN: i32 = 100;

/// The kinds that a kernel may have, to be asked for where one is missing.
pub const KINDS: &[&str] = &[
    "amt",
    "bareudp",
    "batadv",
    "bond",
    "bridge",
    "can",
    "dsa",
    "dummy",
    "erspan",
    "geneve",
    "gre",
    "gretap",
    "gtp",
    "hsr",
    "ifb",
    "ip6erspan",
    "ip6gre",
    "ip6gretap",
    "ip6tnl",
    "ipip",
    "ipoib",
    "ipvlan",
    "ipvtap",
    "macsec",
    "macvlan",
    "macvtap",
    "netdevsim",
    "netkit",
    "nlmon",
    "ovpn",
    "pfcp",
    "rmnet",
    "sit",
    "team",
    "tun",
    "vcan",
    "veth",
    "virt_wifi",
    "vlan",
    "vrf",
    "vti",
    "vti6",
    "vxcan",
    "vxlan",
    "wireguard",
    "wwan",
    "xfrm",
];

/// What helps where a number is no MTU at all.
pub const MTU_BOUNDS: &str = "`vwire -d link show DEV` says `minmtu` and `maxmtu`; IPv4 needs 68, IPv6 1280";

/// What one word of a command asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The word in full.
    pub word: &'static str,
    /// Its value, where it takes one.
    pub value: Option<String>,
}

/// Says what a change tries, as in "cannot set mtu 67 on `v0`".
pub fn attempt(change: &LinkChange) -> String {
    attempt_of(change.verb, change.subject.as_deref(), &change.asked)
}

/// Says what a change tried whose last word did not fit.
pub fn attempt_to_read(verb: Verb, subject: Option<&[u8]>, asked: &[Asked]) -> String {
    attempt_of(verb, subject, asked.last().map_or(&[], std::slice::from_ref))
}

fn attempt_of(verb: Verb, subject: Option<&[u8]>, asked: &[Asked]) -> String {
    let named = subject.map(shown);
    let group = asked.iter().find(|asked| asked.word == "group").and_then(|asked| asked.value.as_deref());
    match (verb, named, group) {
        (Verb::Add | Verb::Replace, Some(name), _) => format!("cannot add link `{name}`"),
        (Verb::Add | Verb::Replace, None, _) => "cannot add a link".to_owned(),
        (Verb::Delete, Some(name), _) => format!("cannot delete link `{name}`"),
        (Verb::Delete, None, Some(group)) => format!("cannot delete the links of group `{group}`"),
        (Verb::Delete, None, None) => "cannot delete a link".to_owned(),
        (Verb::Set, None, Some(group)) => format!("cannot change the links of group `{group}`"),
        (Verb::Set, None, None) => "cannot change a link".to_owned(),
        (Verb::Set, Some(name), _) => match asked {
            [one] => attempt_of_one(&name, one),
            _ => format!("cannot change link `{name}`"),
        },
    }
}

fn attempt_of_one(device: &str, asked: &Asked) -> String {
    match (asked.word, &asked.value) {
        ("up" | "down", _) => format!("cannot set `{device}` {}", asked.word),
        ("name", Some(new)) => format!("cannot rename `{device}` to `{new}`"),
        ("netns", Some(target)) => format!("cannot move `{device}` to namespace `{target}`"),
        ("master" | "vrf", Some(master)) => format!("cannot make `{device}` a port of `{master}`"),
        (word, Some(value)) if value == "on" || value == "off" => format!("cannot switch {word} {value} on `{device}`"),
        (word, Some(value)) if value.len() <= LONGEST_VALUE => format!("cannot set {word} {value} on `{device}`"),
        (word, _) => format!("cannot set {word} on `{device}`"),
    }
}

/// Longer values are not told again, in bytes.
const LONGEST_VALUE: usize = 64;

/// What became of a link whose change was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aftermath {
    /// The kernel had changed nothing.
    Untouched,
    /// A part had been done, and is undone.
    Restored,
    /// A part is done and could not be undone: what still differs.
    Left(Vec<String>),
}

/// What is worth asking before hints are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wants {
    /// Which kinds the kernel has.
    pub kinds: bool,
    /// How the device is now, and its master to be.
    pub device: bool,
    /// Which of the names that were asked for are taken.
    pub taken: bool,
}

/// What was asked of the kernel beside.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Whether the caller may change the network at all (`CAP_NET_ADMIN`).
    pub may_change: bool,
    /// The kinds that the kernel has.
    pub kinds: Vec<&'static str>,
    /// The device as it is now.
    pub device: Option<Link>,
    /// The device that was to be the master.
    pub master: Option<Link>,
    /// The names that were asked for and are taken.
    pub taken: Vec<String>,
    /// What became of the device, where the change was made all or nothing.
    pub aftermath: Option<Aftermath>,
}

/// Returns what is worth asking about a refusal.
pub fn wants(change: &LinkChange, errno: i32) -> Wants {
    Wants {
        kinds: errno == EOPNOTSUPP && change.link.kind().is_some() && change.verb.creates(),
        device: change.verb == Verb::Set && [EINVAL, ERANGE, EBUSY, EOPNOTSUPP, ELOOP].contains(&errno),
        taken: errno == EEXIST,
    }
}

/// Returns the names that a change gives: of the device, and of the other end where that is in this namespace.
pub fn new_names(change: &LinkChange) -> Vec<IfName> {
    use vwire_netlink::wire::link::KindData;
    let peer = match change.link.kind_data() {
        Some(KindData::Veth(veth)) => veth.peer.as_deref(),
        Some(KindData::Netkit(netkit)) => netkit.peer_info.as_deref(),
        _ => None,
    };
    let ends = [Some(&change.link), peer].into_iter().flatten();
    ends.filter(|end| end.net_ns_fd.is_none()).filter_map(|end| end.ifname).collect()
}

/// Returns lines that help with a refusal.
pub fn hints(change: &LinkChange, errno: i32, said: &ExtAck, facts: &Facts) -> Vec<String> {
    let mut hints = match errno {
        EPERM => not_permitted(change, facts),
        EEXIST => exists(change, facts),
        EOPNOTSUPP => not_supported(change, facts),
        ENODEV => no_device(change),
        EBUSY => busy(change, facts),
        EADDRNOTAVAIL => {
            vec![
                "an address must be one device's: its first octet even, and not all zero, as in 02:00:00:00:00:01"
                    .into(),
            ]
        }
        ELOOP => vec![loops(facts)],
        ENETDOWN => vec![format!("the link below is down: `vwire link show {}` names it behind `@`", subject(change))],
        EINVAL | ERANGE => [impossible(change, said), out_of_bounds(change, facts)].concat(),
        _ => Vec::new(),
    };
    if errno == EINVAL && said.message.is_none() {
        let reserved = new_names(change).into_iter().filter(|name| matches!(name.as_bytes(), b"all" | b"default"));
        hints.extend(reserved.map(|name| {
            format!("`{name}` is no name for a device: /proc/sys/net/ipv4/conf/{name} is what holds for others; choose another")
        }));
    }
    hints.extend(said.attribute_path().map(|path| pointed_at(&path, said)));
    hints.extend(facts.aftermath.as_ref().and_then(|aftermath| what_became(change.subject.as_deref(), aftermath)));
    hints
}

/// Tells what became of a device whose change was refused; nothing where the kernel had changed nothing.
fn what_became(subject: Option<&[u8]>, aftermath: &Aftermath) -> Option<String> {
    let name = subject.map(shown);
    match (aftermath, name) {
        (Aftermath::Untouched, _) => None,
        (Aftermath::Restored, Some(name)) => {
            Some(format!("nothing is changed: what the kernel had done of it before is undone, `{name}` is as it was"))
        }
        (Aftermath::Restored, None) => {
            Some("nothing is changed: what the kernel had done of it before is undone".to_owned())
        }
        (Aftermath::Left(parts), Some(name)) => Some(format!(
            "`{name}` is changed in part, and this could not be put back: {}; `vwire -d link show {name}`",
            parts.join(", ")
        )),
        (Aftermath::Left(parts), None) => {
            Some(format!("a part is changed, and this could not be put back: {}", parts.join(", ")))
        }
    }
}

fn pointed_at(path: &str, said: &ExtAck) -> String {
    let allowed = said.policy.as_ref().map(ToString::to_string).filter(|text| !text.is_empty());
    match allowed {
        Some(allowed) => format!("the kernel points at {path}: {allowed}"),
        None => format!("the kernel points at {path}"),
    }
}

/// Says what helps where a word is no keyword, and the device was named already.
pub fn stray_word(failure: Failure, word: &[u8]) -> Failure {
    let word = shown(word);
    if KINDS.contains(&word.as_str()) {
        return failure.hint(format!("a kind stands behind `type`: `type {word}`"));
    }
    match nearest(&word, WORDS.iter().map(|row| row.word)) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => failure.hint("`vwire link help` lists the keywords"),
    }
}

/// Says which of the devices that are there may be meant by a name that none has.
pub fn near_device(failure: Failure, name: &[u8], devices: &[Link]) -> Failure {
    let names: Vec<String> = devices.iter().filter_map(|link| link.ifname).map(|name| name.to_string()).collect();
    match nearest(&shown(name), names.iter().map(String::as_str)) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => failure,
    }
}

fn subject(change: &LinkChange) -> String {
    change.subject.as_deref().map_or_else(|| "DEV".to_owned(), shown)
}

fn asks(change: &LinkChange, word: &str) -> bool {
    change.asked.iter().any(|asked| asked.word == word)
}

fn not_permitted(change: &LinkChange, facts: &Facts) -> Vec<String> {
    if change.verb == Verb::Delete && change.subject.is_none() && change.link.group == Some(0) && facts.may_change {
        return vec!["group 0 (`default`) has every device and cannot be deleted; name the devices".into()];
    }
    if facts.may_change {
        return vec![
            "CAP_NET_ADMIN is held, but not over this network (or the one that the link goes to): run it as root of the \
             user namespace that made it, or in a network of your own: `unshare -n`"
                .into(),
        ];
    }
    vec![
        "this takes CAP_NET_ADMIN in the namespace: run it with `sudo`, or in a network of your own: `unshare -Urn`"
            .into(),
    ]
}

fn exists(change: &LinkChange, facts: &Facts) -> Vec<String> {
    let shows =
        |name: &String| format!("`vwire link show {name}` shows the one in the way; choose another name or delete it");
    let names = new_names(change);
    let move_to = change.asked.iter().find(|asked| asked.word == "netns").and_then(|asked| asked.value.as_deref());
    if !facts.taken.is_empty() {
        return facts.taken.iter().map(shows).collect();
    }
    vec![match (names.as_slice(), move_to) {
        ([one, other], _) if one == other => format!("both ends are to be called `{one}`, and are in one namespace"),
        _ if change.link.index != 0 && change.verb.creates() => {
            format!("the index {} is taken; without `index` the kernel chooses one", change.link.index)
        }
        (_, Some(namespace)) => format!("`vwire -n {namespace} link` shows the one in the way"),
        _ => "`vwire link` shows what is there: there may be one of this kind on the same link".to_owned(),
    }]
}

fn not_supported(change: &LinkChange, facts: &Facts) -> Vec<String> {
    if let (Some(kind), false) = (change.link.kind(), facts.kinds.is_empty()) {
        return missing_driver(change, kind, facts);
    }
    if change.verb == Verb::Delete {
        return vec![
            "only devices that were made can be deleted; `lo` and hardware stay, and can be set `down`".into(),
        ];
    }
    if let (true, Some(master)) = (asks(change, "master"), &facts.master) {
        let name = master.ifname.map(|name| name.to_string()).unwrap_or_default();
        let has = master.kind().map_or_else(|| "has".to_owned(), |kind| format!("is a {kind}, which has"));
        return vec![format!("`{name}` {has} no ports; a bridge, a bond, a team or a vrf has")];
    }
    let kind = facts.device.as_ref().and_then(Link::kind).unwrap_or("hardware");
    vec![format!("the driver of `{}` ({kind}) does not do this", subject(change))]
}

fn missing_driver(change: &LinkChange, kind: &str, facts: &Facts) -> Vec<String> {
    if kind == "tun" || kind == "tap" {
        return vec![format!("`vwire tuntap add name {} mode {kind}` makes one", subject(change))];
    }
    if facts.kinds.contains(&kind) {
        return vec![format!("the driver `{kind}` is there, but refuses what was asked; `vwire link help {kind}`")];
    }
    let mut hints = vec![format!("this kernel has no driver `{kind}`; it has: {}", facts.kinds.join(", "))];
    hints.extend(nearest(kind, facts.kinds.iter().copied()).map(|meant| format!("did you mean `{meant}`?")));
    hints
}

fn loops(facts: &Facts) -> String {
    let is_bridge = |link: &Option<Link>| link.as_ref().and_then(Link::kind) == Some("bridge");
    if is_bridge(&facts.device) && is_bridge(&facts.master) {
        return "a veth pair joins two bridges: `vwire link add a type veth peer name b`, one end a port of each"
            .to_owned();
    }
    "the master to be is itself below the device: `vwire link show master DEV` lists the ports of DEV".to_owned()
}

fn no_device(change: &LinkChange) -> Vec<String> {
    match (change.link.group, &change.subject) {
        (Some(group), None) => vec![format!("no link is in group {group}: `vwire link show group {group}`")],
        _ => vec!["`vwire ls --all` shows the devices of all namespaces".into()],
    }
}

fn busy(change: &LinkChange, facts: &Facts) -> Vec<String> {
    let name = subject(change);
    let has_master = facts.device.as_ref().is_some_and(|device| device.master.is_some_and(|master| master != 0));
    if asks(change, "master") && has_master {
        return vec![format!("`{name}` is a port already: `vwire link set {name} nomaster` releases it")];
    }
    if asks(change, "master") {
        return vec![format!("another hook has its packets, such as a macvlan on it: `vwire link` lists `…@{name}`")];
    }
    if asks(change, "name") || asks(change, "address") {
        return vec![format!("the driver wants it down first: `vwire link set {name} down`")];
    }
    vec![format!("`vwire -d link show {name}` shows what it is used by")]
}

/// Kinds that sit on another link.
const UPPER: [&str; 6] = ["vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", "macsec"];

/// Says what helps where a value is none that could ever be.
fn impossible(change: &LinkChange, said: &ExtAck) -> Vec<String> {
    let name = subject(change);
    let kind = change.link.kind().unwrap_or_default();
    let says = |part: &str| said.message.as_deref().is_some_and(|message| message.contains(part));
    let mut hints = Vec::new();
    if change.verb.creates() && UPPER.contains(&kind) && change.link.link.is_none() {
        hints.push(format!("a {kind} sits on another link: `vwire link add link DEV name {name} type {kind}`"));
    }
    if kind == "vxlan" && says("Required attributes") {
        hints.push(format!("a vxlan needs its number: `vwire link add {name} type vxlan id 42 dstport 4789`"));
    }
    if says("netns is immutable") {
        hints.push(format!("`{name}` stays where it was made; make it there: `vwire -n NAME link add {name} …`"));
    }
    if says("network namespace id") {
        hints.push("`vwire netns list-id` lists the ids".to_owned());
    }
    if name == "lo" && asks(change, "master") {
        hints.push("`lo` cannot be a port; a veth pair or a dummy can".to_owned());
    }
    hints
}

fn out_of_bounds(change: &LinkChange, facts: &Facts) -> Vec<String> {
    let mut hints = Vec::new();
    if change.link.mtu.is_some() {
        hints.push(mtu_hint(change, facts));
    }
    let stable_secret = Some("stable_secret");
    if change.asked.iter().any(|asked| asked.word == "addrgenmode" && asked.value.as_deref() == stable_secret) {
        let name = subject(change);
        hints.push(format!("the secret comes first: `sysctl net.ipv6.conf.{name}.stable_secret=2001:db8::1`"));
    }
    let new = change.asked.iter().find(|asked| asked.word == "name").and_then(|asked| asked.value.clone());
    let named = if change.verb.creates() { change.subject.clone() } else { new.map(String::into_bytes) };
    if let Some(broken) = named.filter(|name| IfName::new(name).is_err()) {
        hints.extend(name_hint(&broken));
    }
    let octets = change.link.address.map(|address| address.as_bytes().len());
    if let (Some(octets), true) = (octets.filter(|octets| *octets != 6), change.verb.creates()) {
        hints.push(format!("{}, not {octets}", address_hint(6)));
    }
    hints
}

fn mtu_hint(change: &LinkChange, facts: &Facts) -> String {
    let Some(device) = &facts.device else {
        return "most devices take an MTU from 68 to 65535; without `mtu` the kernel chooses".to_owned();
    };
    let name = subject(change);
    match (device.min_mtu, device.max_mtu) {
        (Some(min), Some(max)) if max != 0 => format!("`{name}` takes an MTU from {min} to {max}"),
        (Some(min), _) => format!("`{name}` takes an MTU of {min} and more"),
        _ => MTU_BOUNDS.to_owned(),
    }
}

/// Says in our words why some bytes are no device's name.
pub fn name_cause(name: &[u8]) -> String {
    match IfName::new(name) {
        Ok(_) => format!("`{}` is no name here", shown(name)),
        Err(error) => format!("the {error}"),
    }
}

/// Adds what helps with a name that is none.
pub fn name_hints(failure: Failure, name: &[u8]) -> Failure {
    name_hint(name).into_iter().fold(failure, Failure::hint)
}

fn name_hint(name: &[u8]) -> Option<String> {
    use vwire_netlink::name::InvalidName;
    let error = IfName::new(name).err()?;
    Some(match error {
        InvalidName::TooLong { length } if length <= 127 => format!(
            "`{name}` is {length} bytes, 15 is the limit; `vwire link property add dev SHORT altname {name}` takes longer ones",
            name = shown(name)
        ),
        InvalidName::TooLong { length } => {
            format!("a name has up to 15 bytes, another name (`altname`) 127, not {length}")
        }
        _ => "a name has 1 to 15 bytes, without `/`, `:` and white space, and is not `.` or `..`".to_owned(),
    })
}

/// Adds what helps with an address of another length.
pub fn address_hints(failure: Failure, wanted: usize) -> Failure {
    failure.hint(address_hint(wanted))
}

fn address_hint(wanted: usize) -> String {
    let octets: Vec<String> = (0..wanted).map(|at| if at == 0 { "02" } else { "00" }.to_owned()).collect();
    match wanted {
        6 => "an Ethernet address has six octets, as 02:00:00:00:00:01".to_owned(),
        _ => format!("the device's addresses look like {}", octets.join(":")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(verb: Verb, link: Link, asked: &[(&'static str, &str)]) -> LinkChange {
        let asked = asked.iter().map(|(word, value)| Asked { word, value: Some((*value).to_owned()) });
        LinkChange { verb, link, subject: Some(b"v0".to_vec()), asked: asked.collect(), held: Vec::new() }
    }

    fn told(change: &LinkChange, errno: i32, facts: &Facts) -> Vec<String> {
        hints(change, errno, &ExtAck::default(), facts)
    }

    #[test]
    fn what_was_tried_names_the_object() {
        let set = |asked| attempt(&change(Verb::Set, Link::default(), asked));
        assert_eq!(set(&[("mtu", "67")]), "cannot set mtu 67 on `v0`");
        assert_eq!(set(&[("name", "v9")]), "cannot rename `v0` to `v9`");
        assert_eq!(set(&[("master", "br0")]), "cannot make `v0` a port of `br0`");
        assert_eq!(set(&[("arp", "off")]), "cannot switch arp off on `v0`");
        assert_eq!(set(&[("mtu", "67"), ("arp", "off")]), "cannot change link `v0`");
        assert_eq!(attempt(&change(Verb::Add, Link::default(), &[("mtu", "67")])), "cannot add link `v0`");
        assert_eq!(attempt(&change(Verb::Delete, Link::default(), &[])), "cannot delete link `v0`");
    }

    #[test]
    fn an_mtu_out_of_bounds_is_told_the_bounds() {
        let device = Link { min_mtu: Some(68), max_mtu: Some(65535), ..Link::default() };
        let facts = Facts { device: Some(device), ..Facts::default() };
        let asked = change(Verb::Set, Link { mtu: Some(67), ..Link::default() }, &[("mtu", "67")]);
        assert!(wants(&asked, EINVAL).device);
        assert_eq!(told(&asked, EINVAL, &facts), ["`v0` takes an MTU from 68 to 65535"]);
    }

    #[test]
    fn a_missing_driver_is_told_with_those_there_are() {
        let mut link = Link::default();
        link.set_kind("vrf", None);
        let asked = change(Verb::Add, link, &[]);
        assert!(wants(&asked, EOPNOTSUPP).kinds);
        let facts = Facts { kinds: vec!["bridge", "veth"], ..Facts::default() };
        assert_eq!(told(&asked, EOPNOTSUPP, &facts), ["this kernel has no driver `vrf`; it has: bridge, veth"]);
    }

    #[test]
    fn who_is_in_the_way_is_told() {
        let asked = change(Verb::Add, Link::default(), &[]);
        let facts = Facts { taken: vec!["v0".to_owned()], ..Facts::default() };
        assert!(told(&asked, EEXIST, &facts)[0].starts_with("`vwire link show v0` shows the one in the way"));
    }

    #[test]
    fn a_missing_capability_is_named() {
        let asked = change(Verb::Add, Link::default(), &[]);
        assert!(told(&asked, EPERM, &Facts::default())[0].starts_with("this takes CAP_NET_ADMIN"));
    }

    #[test]
    fn a_name_that_is_none_is_told_why() {
        assert_eq!(name_cause(b"very-long-name-16b"), "the name is 18 bytes, 15 is the limit");
        assert!(name_hint(b"very-long-name-16b").unwrap().contains("altname very-long-name-16b"));
        assert!(name_hint(&[b'x'; 300]).unwrap().ends_with("not 300"));
        assert!(name_hint(b"a/b").unwrap().contains("white space"));
        assert_eq!(name_hint(b"v0"), None);
    }

    #[test]
    fn what_the_kernel_says_decides_what_helps() {
        let said = |sentence: &str| ExtAck { message: Some(sentence.to_owned()), ..ExtAck::default() };
        let moved = change(Verb::Set, Link::default(), &[("netns", "blue")]);
        let told = hints(&moved, EINVAL, &said("The interface netns is immutable"), &Facts::default());
        assert!(told[0].starts_with("`v0` stays where it was made"), "{told:?}");
        let mut link = Link::default();
        link.set_kind("vlan", None);
        let made = change(Verb::Add, link, &[]);
        let told = hints(&made, EINVAL, &said("link not specified"), &Facts::default());
        assert_eq!(told, ["a vlan sits on another link: `vwire link add link DEV name v0 type vlan`"]);
    }

    #[test]
    fn what_became_of_the_device_is_told() {
        let asked = change(Verb::Set, Link::default(), &[("mtu", "1400"), ("master", "v1")]);
        let after = |aftermath| Facts { aftermath: Some(aftermath), ..Facts::default() };
        let restored = told(&asked, EOPNOTSUPP, &after(Aftermath::Restored));
        assert!(restored.last().unwrap().starts_with("nothing is changed"), "{restored:?}");
        let left = told(&asked, EOPNOTSUPP, &after(Aftermath::Left(vec!["name".to_owned(), "mtu".to_owned()])));
        assert!(left.last().unwrap().contains("could not be put back: name, mtu"), "{left:?}");
        assert_eq!(told(&asked, EOPNOTSUPP, &after(Aftermath::Untouched)), told(&asked, EOPNOTSUPP, &Facts::default()));
    }
}
